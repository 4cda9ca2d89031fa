"""``check`` judges an answer without ever raising; ``use`` gives back a function that works in any case."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises import record
from segtutor.exercises.catalog import find
from segtutor.exercises.comparison import Requirement, difference, kind, show
from segtutor.exercises.exercise import SECONDS_FOR_ALL_CASES, Exercise
from segtutor.exercises.hints import diagnose, outcomes_of_values, wrong
from segtutor.exercises.report import Report, shown
from segtutor.exercises.running import Clock, Outcome, call, load_imports

latest: dict[str, Any] = {}
"""The last answer checked under each id in this session: grading finds an answer here if its name was changed."""


def check(exercise_id: str, answer: Any) -> Report:
    """Check an answer and show what came out: the score, the first failing case, what came and was wanted, a hint.

    The report is shown wherever the call stands in a cell, once; it is also returned, and is true if the answer
    passed. Never raises, and answers within two seconds, or within the few that a network needs where one is asked for.
    The second hint comes with the second try.

    Args:
        exercise_id: Number of the exercise, "1.2".
        answer: Your function itself, not its result; a dictionary of values where the exercise asks for values.
    """
    if callable(exercise_id) and isinstance(answer, str):
        exercise_id, answer = answer, exercise_id
    return shown(_checked(exercise_id, answer))


def _checked(exercise_id: str, answer: Any) -> Report:
    """Judge an answer and record the try; whatever goes wrong becomes a report."""
    try:
        exercise = find(exercise_id)
    except ValueError as error:
        return Report(str(exercise_id)[:40], "unknown", message=str(error))
    title = f"{exercise.id} {exercise.title}"
    try:
        answer = own_answer(answer)
        latest[exercise.id] = answer
        report = judge(exercise, answer, tries=0)
        if report.state in ("passed", "not yet"):
            tries = record.note(exercise.id, report.passed_cases, report.cases)
            if tries > 1 and report.hint:
                report = judge(exercise, answer, tries)
        return report
    except Exception as error:
        return Report(title, "broken", message=f"{type(error).__name__}: {error}. Please report this as an issue.")


def use(exercise_id: str, answer: Any) -> Any:
    """Your answer if it passes, else the course's own, with a note: one unsolved exercise breaks nothing below.

    Args:
        exercise_id: Number of the exercise, "1.2".
        answer: Your function, or your dictionary of values.

    Raises:
        ValueError: If there is no such exercise.
    """
    exercise = find(exercise_id)
    mine = own_answer(answer)
    try:
        if judge(exercise, mine, tries=0):
            return mine
    except Exception:  # whatever an answer does, the notebook goes on
        pass
    print(f"Exercise {exercise.id} is not solved yet: from here on, {exercise.name} is the course's own solution.")
    if exercise.given is not None:
        return _ReferenceValues(exercise.reference(*exercise.given()), mine)

    @functools.wraps(exercise.reference)
    def reference(*arguments: Any, **named: Any) -> Any:
        return exercise.reference(*arguments, **named)

    reference.stands_in_for = mine  # type: ignore[attr-defined]
    return reference


class _ReferenceValues(dict[str, Any]):
    """The course's own values; remembers what it stands in for."""

    def __init__(self, values: dict[str, Any], mine: Any) -> None:
        super().__init__(values)
        self.stands_in_for = mine


def own_answer(answer: Any) -> Any:
    """The learner's own answer where `use` put the course's in its place: a borrowed solution earns nothing."""
    while hasattr(answer, "stands_in_for"):
        answer = answer.stands_in_for
    return answer


def outcomes_of(
    answer: Any, arguments: Sequence[tuple[Any, ...]], seconds: float = SECONDS_FOR_ALL_CASES
) -> list[Outcome]:
    """What an answer gives for each set of arguments; all calls together share one time limit."""
    load_imports(answer)
    clock = Clock()
    outcomes: list[Outcome] = []
    for given in arguments:
        remaining = seconds - clock.used
        outcomes.append(call(answer, given, remaining) if remaining > 0 else Outcome("slow"))
    return outcomes


def judge(exercise: Exercise, answer: Any, tries: int) -> Report:
    """Judge an answer without recording anything.

    Args:
        exercise: What was asked.
        answer: The learner's answer.
        tries: How often the exercise failed so far; from two on the stronger hint is shown too.
    """
    title, cases = f"{exercise.id} {exercise.title}", len(exercise.cases)
    trouble = _unusable(exercise, answer)
    if trouble is not None:
        state, message = trouble
        return Report(title, state, cases=cases, message=message)  # type: ignore[arg-type]
    assert exercise.wanted, "computed first: what the solution imports is then imported in nobody's limited time"
    if exercise.asks_for_values:
        outcomes = outcomes_of_values(exercise, answer)
    else:
        outcomes = outcomes_of(exercise.prepared(answer), [case.arguments for case in exercise.cases], exercise.seconds)
    failing = wrong(exercise, outcomes)
    if not failing:
        return Report(title, "passed", cases, cases)
    if all(outcome.kind == "empty" for outcome in outcomes):
        return Report(title, "empty", cases=cases, message=f"Write {exercise.name}, then run this cell again.")
    hint, number, named = diagnose(exercise, outcomes)
    slow = [number for number in failing if outcomes[number].kind == "slow"]
    if slow:
        hint, number = "", slow[0]
    message, hint = _message(exercise, number, outcomes[number], hint)
    words = exercise.hints[hint] if hint else None
    return Report(
        title,
        "not yet",
        cases - len(failing),
        cases,
        message,
        _details(exercise, number, outcomes[number]),
        hint,
        () if words is None else (words.first, words.second) if tries > 1 else (words.first,),
        named and words is not None,
    )


def _unusable(exercise: Exercise, answer: Any) -> tuple[str, str] | None:
    """State and message for an answer that cannot be tried at all."""
    if answer is None or answer is Ellipsis:
        return "empty", f"Write {exercise.name}, then run this cell again."
    if exercise.asks_for_values:
        if isinstance(answer, dict):
            return None
        keys = ", ".join(map(repr, exercise.keys))
        return "not yet", f"The answer is a dictionary with the keys {keys}; {kind(answer)} came."
    if not callable(answer):
        return "not yet", (
            f'Hand over the function itself, without calling it: check("{exercise.id}", {exercise.name}); '
            f"{kind(answer)} came."
        )
    try:
        inspect.signature(answer).bind(*exercise.parameters)
    except TypeError:
        return (
            "not yet",
            f"The function must take {len(exercise.parameters)} arguments: {', '.join(exercise.parameters)}.",
        )
    except ValueError:  # a built-in without a signature: the call itself will tell
        pass
    return None


def _message(exercise: Exercise, number: int, outcome: Outcome, hint: str) -> tuple[str, str]:
    """A sentence about the failing case, and the hint that still makes sense beside it."""
    wanted = exercise.wanted[number]
    if outcome.kind == "slow":
        return f"No result after {exercise.seconds:g} seconds. Does every loop come to an end?", ""
    if outcome.kind == "raised":
        where = f", {outcome.line}" if outcome.line else ""
        return f"{outcome.error}: {outcome.message or 'no message'}{where}", hint
    if outcome.kind == "changed":
        name = exercise.parameters[outcome.position]
        explained = hint if any(m.hint == hint for m in exercise.mistakes) and hint != "general" else ""
        copied = _copied(name, exercise.cases[number].arguments[outcome.position])
        return f"The function changes its argument {name}. Work on a copy: {copied}.", explained
    if outcome.kind == "empty":
        return "This part is still empty.", hint
    if outcome.value is None:
        return "The function returns None. Is a `return` missing?", ""
    found = difference(outcome.value, wanted, exercise.tolerance)
    return f"The result is not the wanted one: {found}." if _has_parts(wanted) else "", hint


def _copied(name: str, argument: Any) -> str:
    """The line that copies an argument of this kind, so that changing the copy leaves the argument as it was."""
    if hasattr(argument, "detach"):
        return f"{name} = {name}.clone()"
    if isinstance(argument, np.ndarray):
        return f"{name} = {name}.copy()"
    if isinstance(argument, list) and all(isinstance(one, (int, float, str)) for one in argument):
        return f"{name} = list({name})"
    return f"import copy, then {name} = copy.deepcopy({name}), which also copies what is inside"


def _has_parts(wanted: Any) -> bool:
    """Whether a result has parts, so that it helps to say which part differs."""
    return isinstance(wanted, (tuple, dict, Requirement)) or getattr(wanted, "ndim", 0) > 0


def _details(exercise: Exercise, number: int, outcome: Outcome) -> tuple[tuple[str, str], ...]:
    case = exercise.cases[number]
    details = [("Case", case.name)]
    for name, value in zip(exercise.parameters, case.arguments, strict=False):
        details.append((name, show(value)))
    if outcome.kind == "returned":
        details.append(("Got", show(outcome.value)))
    if not exercise.asks_for_values:  # the value itself would be the answer
        details.append(("Wanted", show(exercise.wanted[number])))
    if outcome.printed:
        details.append(("Printed", outcome.printed.rstrip()))
    return tuple(details)
