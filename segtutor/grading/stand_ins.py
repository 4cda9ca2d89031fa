"""What ``segtutor.check``, ``use`` and the others do while a notebook is graded: note the answers.

Nothing is judged in the process that runs a submission. ``use`` asks the grader whether the answer passes; where it
does not, each call of what it hands on is answered by the grader, so that one wrong task costs no point in the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

latest: dict[str, Any] = {}
"""The last answer that was checked or used under each id: found here if its name was changed."""


class Asker:
    """How `use` reaches the grader; the worker puts its own functions here.

    Attributes:
        passes: Whether an answer to an exercise passes.
        call: The right result for arguments, from the grader; raises LookupError for an exercise that is being probed.
    """

    passes: Callable[[str, Any], bool] = staticmethod(lambda exercise_id, answer: True)
    call: Callable[[str, tuple[Any, ...]], Any] = staticmethod(lambda exercise_id, arguments: None)


class Answered:
    """Stands where `check` returns a report."""

    def __repr__(self) -> str:
        return "noted; while a notebook is graded, nothing is checked"

    def __bool__(self) -> bool:
        return True


class Borrowed:
    """The course's own answer, asked for call by call; it remembers the learner's."""

    def __init__(self, exercise_id: str, mine: Any) -> None:
        self.exercise_id, self.mine = exercise_id, mine

    def __call__(self, *arguments: Any) -> Any:
        return Asker.call(self.exercise_id, arguments)


class BorrowedValues(dict[str, Any]):
    """The course's own values; remembers the learner's."""

    def __init__(self, values: dict[str, Any], mine: Any) -> None:
        super().__init__(values)
        self.mine = mine


def check(exercise_id: Any, answer: Any) -> Answered:
    """Note an answer."""
    if callable(exercise_id) and isinstance(answer, str):
        exercise_id, answer = answer, exercise_id
    latest[str(exercise_id).strip()] = own(answer)
    return Answered()


def use(exercise_id: Any, answer: Any) -> Any:
    """The answer if it passes, else the grader's."""
    exercise_id, answer = str(exercise_id).strip(), own(answer)
    latest[exercise_id] = answer
    if Asker.passes(exercise_id, answer):
        return answer
    if isinstance(answer, dict):
        return BorrowedValues(Asker.call(exercise_id, ()), answer)
    return Borrowed(exercise_id, answer)


def progress(lesson: Any = None) -> Answered:
    """Nothing is recorded while a notebook is graded."""
    return Answered()


def solution(exercise_id: Any, sure: bool = False) -> Answered:
    """There are no solutions here."""
    return Answered()


def variant(name: Any) -> None:
    """The grader has chosen the numbers before the first cell."""


def own(answer: Any) -> Any:
    """The learner's own answer where `use` put another in its place."""
    while isinstance(answer, Borrowed | BorrowedValues):
        answer = answer.mine
    return answer
