"""All exercises, by number. A lesson's module is imported when the first of its exercises is asked for."""

from __future__ import annotations

import dataclasses
import importlib
import numbers
import pkgutil
import re
from functools import cache

from segtutor.exercises import seeds
from segtutor.exercises.exercise import Case, Exercise

DRAWN = 5
"""Cases that `Exercise.drawn` adds in a variant of the course."""


@cache
def exercises() -> dict[str, Exercise]:
    """Every exercise by its id, in the order of the lessons."""
    package = importlib.import_module("segtutor.exercises")
    found: dict[str, Exercise] = {}
    for module in sorted(entry.name for entry in pkgutil.iter_modules(package.__path__)):
        if re.fullmatch(r"lesson\d\d", module):
            for exercise in importlib.import_module(f"segtutor.exercises.{module}").EXERCISES:
                if exercise.id in found:
                    raise ValueError(f"exercise {exercise.id} is declared twice, the second time in {module}")
                found[exercise.id] = _with_drawn_cases(exercise)
    return found


def _with_drawn_cases(exercise: Exercise) -> Exercise:
    """In a variant of the course, the cases that only it has, too."""
    if not seeds.chosen() or exercise.drawn is None:
        return exercise
    drawn = (Case(f"drawn, number {number}", exercise.drawn(seeds.seeded(number))) for number in range(1, DRAWN + 1))
    return dataclasses.replace(exercise, cases=(*exercise.cases, *drawn))


def find(exercise_id: object) -> Exercise:
    """The exercise of that id; " 1.2 " finds "1.2".

    Raises:
        ValueError: If there is none, and for a number: 4.10 and 4.1 are one. The message lists those that exist.
    """
    known = exercises()
    if isinstance(exercise_id, numbers.Number):
        raise ValueError(
            f"the exercise is named by a text, and the number {exercise_id!r} came: write its id in quotation marks, "
            '"4.10", since the number 4.10 is the number 4.1'
        )
    wanted = str(exercise_id).strip()
    if wanted not in known:
        raise ValueError(f"there is no exercise {wanted[:40]!r}; there are {', '.join(known)}")
    return known[wanted]
