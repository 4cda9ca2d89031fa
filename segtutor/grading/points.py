"""Points from outcomes: for what an answer computes, not for what it was told.

Of an exercise with hidden cases the public ones, whose results every learner sees, are worth PUBLIC_SHARE, the hidden
ones the rest; an answer that is right in no hidden case has learned the public ones by heart and earns nothing, and
so has one that gives the same result in all of them. Guessing earns nothing either: what the best constant answer
passes does not count.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.exercises.comparison import Requirement, difference
from segtutor.exercises.exercise import Case, Exercise
from segtutor.exercises.hints import diagnose
from segtutor.exercises.running import Outcome

PUBLIC_SHARE = 0.4
FURTHER_ERRORS = ("LinAlgError", "AxisError", "OutOfMemoryError", "Unreadable")
BY_HEART = "right only in the public cases, in none of the hidden ones"
BY_HEART_AND_GUESSED = "right in the public cases, and the same result in all of the hidden ones"
OWN_SOLUTION = "the answer is the course's own solution"


@dataclass(frozen=True)
class Grade:
    """Points of one exercise, and why some are missing.

    Attributes:
        exercise: Its id.
        points: What was earned.
        out_of: What can be.
        reason: In a few words; empty for all points. It names no hidden case and no result of one.
        case: Name of the first public case that fails; empty if all are right.
        mistake: Name of the hint for the typical mistake that was recognized; empty if none was.
    """

    exercise: str
    points: float
    out_of: int
    reason: str = ""
    case: str = ""
    mistake: str = ""


def grade(exercise: Exercise, further: tuple[Case, ...], outcomes: list[Outcome] | None) -> Grade:
    """The points of one exercise.

    Args:
        exercise: What was asked.
        further: Hidden cases.
        outcomes: Of the public cases, then of the hidden ones; None if nothing came back.
    """
    cases = (*exercise.cases, *further)
    if outcomes is None or len(outcomes) != len(cases):
        return Grade(exercise.id, 0.0, exercise.points, "no answer came back")
    if all(outcome.kind == "empty" for outcome in outcomes):
        return Grade(exercise.id, 0.0, exercise.points, f"{exercise.name} is missing or empty")
    with np.errstate(all="ignore"):
        wanted = [*exercise.wanted, *(exercise.wanted_for(case) for case in further)]
    right = [
        outcome.kind == "returned" and difference(outcome.value, result, exercise.tolerance) is None
        for outcome, result in zip(outcomes, wanted, strict=True)
    ]
    if all(right):
        return Grade(exercise.id, float(exercise.points), exercise.points)
    public = len(exercise.cases)
    mistake = _mistake(exercise, outcomes[:public]) if not all(right[:public]) else ""
    first = right.index(False)
    what = {
        "raised": _error(outcomes[first].error),
        "slow": "took too long",
        "changed": "changes its input",
        "died": "ended its process",
        "empty": "empty",
    }
    reason = what.get(outcomes[first].kind, "wrong result")
    name = cases[first].name if first < public else ""
    text = f"{sum(right)} of {len(cases)} cases right; {reason}: {name or 'a hidden case'}"
    guessed = _always_the_same(exercise, outcomes[public:], wanted[public:])
    if further and (guessed or not any(right[public:])):
        by_heart = BY_HEART_AND_GUESSED if any(right[public:]) else BY_HEART
        return Grade(exercise.id, 0.0, exercise.points, by_heart if all(right[:public]) else text, name, mistake)
    share = _share(exercise, right, wanted, public)
    return Grade(exercise.id, round(share * exercise.points, 2), exercise.points, text, name, mistake)


def _error(name: str) -> str:
    """An error's name where Python or NumPy has it; another is the answer's own words, whatever they carry out."""
    known = isinstance(getattr(builtins, name, None), type) or name in FURTHER_ERRORS
    return name if known else "an error of its own"


def _always_the_same(exercise: Exercise, outcomes: Sequence[Outcome], wanted: Sequence[Any]) -> bool:
    """Whether an answer gives one result in several cases that want different ones."""
    if len(wanted) < 2 or any(isinstance(one, Requirement) for one in wanted):
        return False
    if all(difference(one, wanted[0], exercise.tolerance) is None for one in wanted):
        return False
    first = outcomes[0]
    return all(
        one.kind == "returned" == first.kind and difference(one.value, first.value, 0.0) is None for one in outcomes
    )


def _share(exercise: Exercise, right: Sequence[bool], wanted: Sequence[Any], public: int) -> float:
    """The share of the points, 0 to 1."""
    if len(right) == public:
        return _beyond_guessing(exercise, right, wanted)
    return PUBLIC_SHARE * _beyond_guessing(exercise, right[:public], wanted[:public]) + (
        1 - PUBLIC_SHARE
    ) * _beyond_guessing(exercise, right[public:], wanted[public:], least=1)


def _beyond_guessing(exercise: Exercise, right: Sequence[bool], wanted: Sequence[Any], least: int = 0) -> float:
    """The share of cases that are right, of those that no constant answer passes."""
    by_chance = 0 if exercise.asks_for_values else _passed_by_a_constant(wanted, exercise.tolerance)
    if len(wanted) <= by_chance:  # every case has the same result: all or nothing
        return float(all(right)) if least else 0.0
    return max(0.0, (sum(right) - by_chance) / (len(wanted) - by_chance))


def _passed_by_a_constant(wanted: Sequence[Any], tolerance: float) -> int:
    return max(sum(difference(one, other, tolerance) is None for other in wanted) for one in wanted)


def _mistake(exercise: Exercise, outcomes: list[Outcome]) -> str:
    """Name of the hint for a typical mistake that explains what came back; empty if none does."""
    try:
        hint, _, named = diagnose(exercise, [_as_wrong(one) for one in outcomes])
    except Exception:  # a value of a stranger's may not compare with anything
        return ""
    return hint if named else ""


def _as_wrong(outcome: Outcome) -> Outcome:
    """An outcome as a check in a notebook knows it, where no answer ends its process."""
    return Outcome("raised", error="SystemExit") if outcome.kind == "died" else outcome


def without_points(exercise: Exercise, reason: str) -> Grade:
    """No points, for a reason that no case tells."""
    return Grade(exercise.id, 0.0, exercise.points, reason)
