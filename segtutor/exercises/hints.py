"""Which typical mistake explains a wrong answer: the one whose results are the learner's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import Exercise
from segtutor.exercises.running import Outcome, call

SECONDS_FOR_A_MISTAKE = 1.0


def outcomes_of_values(exercise: Exercise, answer: Any) -> list[Outcome]:
    """One outcome per question of an exercise that asks for values; a missing or empty value is an empty one."""
    values = exercise.by_case(answer)
    found = [values.get(case.name) for case in exercise.cases]
    return [Outcome("empty") if value is None or value is Ellipsis else Outcome("returned", value) for value in found]


def wrong(exercise: Exercise, outcomes: Sequence[Outcome]) -> list[int]:
    """Numbers of the cases whose outcome is not the wanted result."""
    return [
        number
        for number, (outcome, wanted) in enumerate(zip(outcomes, exercise.wanted, strict=True))
        if outcome.kind != "returned" or difference(outcome.value, wanted, exercise.tolerance) is not None
    ]


def diagnose(exercise: Exercise, outcomes: Sequence[Outcome]) -> tuple[str, int, bool]:
    """The hint that fits a wrong answer, the number of the case that shows it best, and whether a mistake is named.

    A mistake *explains* a failing case if it gives the same wrong result there, and *contradicts* the answer in every
    other case in which the two differ; a case that is still empty is no contradiction. Only a mistake that explains at
    least as many cases as it contradicts is named, the best of them; among equals the one that explains more, then the
    first. If there is none, the first failing case names its own hint, which claims no mistake, or the one that its
    requirement has for what came. Of the cases that show the same, the one with the smallest input is shown, which a
    learner can follow by hand.
    """
    failing = wrong(exercise, outcomes)
    hint = exercise.cases[failing[0]].hint
    alike = [number for number in failing if exercise.cases[number].hint == hint]
    told = _told(exercise, outcomes, failing[0])
    best = (told, failing[0], False) if told else (hint, _smallest(exercise, alike), False)
    best_rank = (-1, 0)
    answered = [number for number, outcome in enumerate(outcomes) if outcome.kind != "empty"]
    for mistake, its_outcomes in zip(exercise.mistakes, _outcomes_of_mistakes(exercise), strict=True):
        agrees = [_alike(one, other, exercise.tolerance) for one, other in zip(outcomes, its_outcomes, strict=True)]
        explained = [number for number in failing if agrees[number]]
        contradicted = [number for number in answered if not agrees[number]]
        rank = (len(explained) - len(contradicted), len(explained))
        if explained and rank > best_rank:
            best, best_rank = (mistake.hint, _smallest(exercise, explained), True), rank
    return best


def _told(exercise: Exercise, outcomes: Sequence[Outcome], number: int) -> str:
    """The hint that a requirement has for what came, where many results are right and no two wrong ones are alike."""
    told = getattr(exercise.wanted[number], "hint_for", None)
    outcome = outcomes[number]
    return (told(outcome.value) or "") if told is not None and outcome.kind == "returned" else ""


def _smallest(exercise: Exercise, numbers: Sequence[int]) -> int:
    """The case with the fewest numbers in its arguments; among equals the first."""
    return min(numbers, key=lambda number: _count(exercise.cases[number].arguments))


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_count(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_count(one) for one in value)
    return int(np.prod(getattr(value, "shape", ()), dtype=np.int64))


@lru_cache(maxsize=256)
def _outcomes_of_mistakes(exercise: Exercise) -> tuple[tuple[Outcome, ...], ...]:
    return tuple(outcomes_of_mistake(exercise, mistake.answer) for mistake in exercise.mistakes)


def outcomes_of_mistake(exercise: Exercise, answer: Callable[..., Any]) -> tuple[Outcome, ...]:
    """What a wrong answer gives in every case."""
    if exercise.given is not None:
        return tuple(outcomes_of_values(exercise, answer(*exercise.given())))
    prepared = exercise.prepared(answer)
    return tuple(
        call(prepared, case.arguments, max(SECONDS_FOR_A_MISTAKE, exercise.seconds / 3)) for case in exercise.cases
    )


def _alike(one: Outcome, other: Outcome, tolerance: float) -> bool:
    if one.kind != other.kind:
        return False
    if one.kind == "raised":
        return (one.error, one.message) == (other.error, other.message)
    if one.kind == "changed":
        return one.position == other.position
    return one.kind == "empty" or difference(one.value, _comparable(other.value), tolerance) is None


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
