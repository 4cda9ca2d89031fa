"""An exercise is declared once; the notebook's stub, the check, the hints and the grade derive from it."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

SECONDS_FOR_ALL_CASES = 1.5
GRADING = "SEGTUTOR_GRADING"
"""Set in the environment of a submission that is graded: what is handed in as a file is not made again."""

FROM_REFERENCE: Any = object()
"""Stands for "what the reference returns" where a case gives no hand-worked value."""


@dataclass(frozen=True, eq=False)
class Case:
    """One input of a check.

    Attributes:
        name: What is special about it, "both masks empty"; the learner reads it when the case fails. In an exercise
            that asks for values it is the key of one value.
        arguments: What the learner's function is called with, in order. Each call gets a copy.
        wanted: The hand-worked result; left out, the reference computes it.
        hint: Name of the hint that fits when no typical mistake explains a failure here.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    wanted: Any = FROM_REFERENCE
    hint: str = "general"


@dataclass(frozen=True)
class Hint:
    """Two hints for one mistake: the first names it, the second, shown from the second try on, says how to repair it.

    The hint "general" also stands folded above the task: its first part is the idea, its second the strategy, in words.
    Neither holds code that could be taken over; that is what the solution is for.
    """

    first: str
    second: str


@dataclass(frozen=True, eq=False)
class Mistake:
    """A typical wrong answer. The check must reject it, and a learner who errs in the same way gets its hint."""

    name: str
    answer: Callable[..., Any]
    hint: str


class _Surrounded:
    """An answer with something around it; who looks at its code or its arguments sees those of the answer."""

    def __init__(
        self, answer: Callable[..., Any], around: Callable[[Callable[..., Any], tuple[Any, ...]], Any]
    ) -> None:
        functools.update_wrapper(self, answer)
        self.__code__ = getattr(answer, "__code__", None)
        self._answer, self._around = answer, around

    def __call__(self, *arguments: Any) -> Any:
        return self._around(self._answer, arguments)


def surrounded(answer: Callable[..., Any], around: Callable[[Callable[..., Any], tuple[Any, ...]], Any]) -> Any:
    """The answer as the cases of an exercise with `around` call it."""
    return _Surrounded(answer, around)


@dataclass(frozen=True, eq=False)
class Exercise:
    """One graded task.

    Attributes:
        id: Lesson and number, "1.2".
        title: A few words for headings and tables.
        name: The name that the answer has in the notebook; grading looks it up.
        statement: What to write, in Markdown.
        stub: The source that the learner starts from.
        reference: A readable right answer.
        cases: Inputs, hand-worked ones first.
        hints: Hints by name; "general" must be among them.
        mistakes: Typical wrong answers.
        alternatives: Right answers written differently; the check must accept them.
        points: Points in the grade.
        minutes: Time that it takes a learner who read the lesson.
        difficulty: 1 (a formula) to 3 (an algorithm).
        tolerance: Relative and absolute tolerance for floats; single precision must pass. Integers must be equal.
        solution: Only where the answer is a dictionary of values: the code that finds them, as the solved notebook has
            it. Elsewhere the reference is the solution.
        given: Only where the answer is a dictionary of values, not a function: returns the data that the questions
            are about, as the arguments of the reference.
        seconds: What all cases together may take.
        files: Names of the files that are handed in with the notebook, what a network has learned.
        around: Only where the result alone does not tell whether an answer is right: calls the answer, given with its
            arguments, and returns what the cases compare, such as a loss with its gradients. Where values are asked
            for, it is called with them and without arguments, and returns the values by case.
        drawn: Arguments of a further case from a generator; needed where the cases alone hold no random numbers, so
            that a variant of the course has cases of its own.
    """

    id: str
    title: str
    name: str
    statement: str
    stub: str
    reference: Callable[..., Any]
    cases: tuple[Case, ...]
    hints: Mapping[str, Hint]
    mistakes: tuple[Mistake, ...]
    alternatives: tuple[Callable[..., Any], ...]
    points: int
    minutes: int
    difficulty: int
    tolerance: float = 1e-5
    solution: str = ""
    seconds: float = SECONDS_FOR_ALL_CASES
    files: tuple[str, ...] = ()
    given: Callable[[], tuple[Any, ...]] | None = None
    around: Callable[[Callable[..., Any], tuple[Any, ...]], Any] | None = None
    drawn: Callable[[np.random.Generator], tuple[Any, ...]] | None = None

    def __post_init__(self) -> None:
        used = {mistake.hint for mistake in self.mistakes} | {case.hint for case in self.cases} | {"general"}
        missing = sorted(used - set(self.hints))
        if missing:
            raise ValueError(f"exercise {self.id} refers to hints that it does not declare: {', '.join(missing)}")
        if not 1 <= self.difficulty <= 3:
            raise ValueError(f"exercise {self.id} has difficulty {self.difficulty}; allowed are 1, 2 and 3")

    @property
    def lesson(self) -> str:
        """Number of the lesson, "1" for exercise "1.2"."""
        return self.id.split(".")[0]

    @property
    def asks_for_values(self) -> bool:
        """Whether the answer is a dictionary of values instead of a function."""
        return self.given is not None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the dictionary where values are asked for, as its stub has them."""
        return tuple(re.findall(r'"([^"]+)": ', self.stub))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments, as the stub and the failing case show them."""
        return tuple(inspect.signature(self.reference).parameters)

    @cached_property
    def wanted(self) -> tuple[Any, ...]:
        """The right result of each case."""
        if self.given is not None:
            values = self.by_case(self.reference(*self.given()))
            return tuple(values[case.name] for case in self.cases)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # some cases are 0/0 on purpose
            return tuple(self.wanted_for(case) for case in self.cases)

    def wanted_for(self, case: Case) -> Any:
        """The right result of one case, its own or a hidden one."""
        return self.prepared(self.reference)(*case.arguments) if case.wanted is FROM_REFERENCE else case.wanted

    def by_case(self, values: Any) -> dict[str, Any]:
        """The values that were asked for, by case; an answer that is no dictionary has none."""
        if not isinstance(values, dict):
            return {}
        found: dict[str, Any] = values if self.around is None else self.around(lambda: values, ())
        return found

    def prepared(self, answer: Any) -> Any:
        """The answer as the cases call it: as it is, or with `around`."""
        return answer if self.around is None or not callable(answer) else surrounded(answer, self.around)

    @property
    def markdown(self) -> str:
        """The text that stands above the stub in a notebook: heading, statement, folded hints and the way out."""
        effort = f"{self.points} points · about {self.minutes} minutes · difficulty {self.difficulty} of 3"
        hint = self.hints["general"]
        return (
            f"### {self.id} {self.title}\n\n*{effort}*\n\n{self.statement.strip()}\n\n"
            f"<details><summary>The idea</summary>\n\n{hint.first}\n\n</details>\n"
            f"<details><summary>The way there</summary>\n\n{hint.second}\n\n</details>\n"
            f'<details><summary>Show me a solution</summary>\n\n`segtutor.solution("{self.id}")` shows one. It counts '
            f'as used: `segtutor.progress({self.lesson})` then says "solution seen".\n\n</details>'
        )
