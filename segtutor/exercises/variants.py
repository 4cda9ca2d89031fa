"""Variants of the course: the same declarations with other random numbers, where the answers are public.

A teacher's secret, a few words, gives a variant its name by a slow digest. The name stands in the notebooks that are
handed out, and the public cases and the numbers of the tasks are drawn from it; the hidden cases are drawn from the
secret itself, which nobody finds from the name.

    name ----> the notebook, the public cases, the numbers of tasks
    secret --> the name, the hidden cases
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import importlib
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from segtutor.exercises import seeds
from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import judge, outcomes_of
from segtutor.exercises.comparison import difference, plain
from segtutor.exercises.exercise import Case, Exercise
from segtutor.exercises.running import Clock

ROUNDS = 300_000
"""Of the digest, so that guessing a secret from a name takes long."""
_PUBLISHED = "its numbers are published ones"
_OWN = "each learner declares an experiment of their own"
SAME_FOR_ALL = {
    "3.10": "it asks for a network that was trained, which no case can hold",
    "3.11": _PUBLISHED,
    "4.11": _OWN,
    "5.15": _OWN,
    "6.14": _PUBLISHED,
    "6.15": _OWN,
    "10.6": _OWN,
    "11.8": _OWN,
}
"""Tasks that no variant changes, and why."""
NAME = re.compile(r"[a-z2-7]{12}")
_LESSON = re.compile(r"segtutor\.exercises\.lesson\d\d(?:\.|$)")


@functools.cache
def name_of(secret: str) -> str:
    """The name of a variant.

    Args:
        secret: A few words that only the teacher knows.

    Raises:
        ValueError: If there is nothing to hide.
    """
    if not secret.strip():
        raise ValueError("a variant needs a secret of at least one letter; use a few words that nobody guesses")
    digest = hashlib.pbkdf2_hmac("sha256", secret.strip().encode(), b"segtutor variant", ROUNDS)
    return base64.b32encode(digest).decode().lower()[:12]


def variant(name: str) -> None:
    """Take the numbers of a class from here on; called by the first cell of its notebooks.

    Args:
        name: The variant's name, as `segtutor release` wrote it; empty for the course's own numbers.

    Raises:
        ValueError: If that is no name of a variant.
    """
    if name and not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no variant; take the line from the notebook that was handed out to your class")
    if name != seeds.chosen():
        _forget()
        seeds.choose(name)


@contextmanager
def drawn_for(key: str) -> Iterator[dict[str, Exercise]]:
    """The exercises with other random numbers; all is as before afterwards.

    Args:
        key: A name of a variant, or a secret.
    """
    before, modules = seeds.chosen(), _forget()
    seeds.choose(key)
    try:
        yield exercises()
    finally:
        _forget()
        seeds.choose(before)
        sys.modules.update(modules)
        for name, module in modules.items():
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)


def _forget() -> dict[str, ModuleType]:
    """The modules of all lessons, taken out of those that are imported."""
    names = [name for name in sys.modules if _LESSON.match(name)]
    exercises.cache_clear()
    importlib.invalidate_caches()
    return {name: sys.modules.pop(name) for name in names}


def hidden_cases(secret: str, lesson: str) -> dict[str, tuple[Case, ...]]:
    """The hidden cases of a variant: what a declaration draws from the secret and does not hold for everybody.

    Args:
        secret: Whose name is the variant's.
        lesson: Number of the assignment.
    """
    with drawn_for("") as own:
        fixed = {one.id: {_content(case.arguments) for case in one.cases} for one in own.values()}
    with drawn_for(secret) as others:
        asked = [one for one in others.values() if one.lesson == lesson and not one.asks_for_values]
        found = {
            one.id: tuple(
                dataclasses.replace(case, wanted=one.wanted_for(case))
                for case in one.cases
                if _content(case.arguments) not in fixed[one.id]
            )
            for one in asked
        }
    return {name: cases for name, cases in found.items() if cases}


def _content(value: Any) -> Any:
    """What tells two inputs apart, as something that can be in a set."""
    value = plain(value)
    if isinstance(value, np.ndarray | np.generic):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return tuple((key, _content(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(_content(one) for one in value)
    return repr(value)


def faults(secret: str, lesson: str) -> list[str]:
    """What is wrong with a variant: right answers that its cases reject, and wrong ones that they let pass.

    Every right and every wrong answer that the declarations know is tried, so that a class never meets an input that
    two right programs answer differently.

    Args:
        secret: Whose name is the variant's.
        lesson: Number of the assignment.
    """
    further = hidden_cases(secret, lesson)
    with drawn_for(name_of(secret)) as others:
        found = []
        for one in others.values():
            if one.lesson == lesson and one.id not in SAME_FOR_ALL:
                given = one.given() if one.given is not None else ()
                asked = dataclasses.replace(
                    one,
                    cases=(*one.cases, *further.get(one.id, ())),
                    seconds=3 * one.seconds,
                    given=functools.partial(tuple, given) if one.given is not None else None,
                )
                for right in (one.reference, *one.alternatives):
                    if said := _told(asked, right):
                        found.append(f"{one.id}: a right answer fails: {said}")
                if one.given is None:  # of values, a mistake may by chance come to the right ones
                    passed = [wrong.name for wrong in one.mistakes if not _told(asked, wrong.answer)]
                    found += [f"{one.id}: a wrong answer passes: {name}" for name in passed]
    return found


def _told(exercise: Exercise, answer: Any) -> str:
    """What tells that an answer is wrong, the first that is found; empty if it is right in every case."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if exercise.given is not None:
            report = judge(exercise, answer(*exercise.given()), tries=0)
            return "" if report else f"{dict(report.details).get('Case', '')}: {report.message}"
        clock, prepared = Clock(), exercise.prepared(answer)
        for case, wanted in zip(exercise.cases, exercise.wanted, strict=True):
            (outcome,) = outcomes_of(prepared, [case.arguments], exercise.seconds - clock.used)
            if outcome.kind != "returned":
                return f"{case.name}: {outcome.kind} {outcome.error}".rstrip()
            if (told := difference(outcome.value, wanted, exercise.tolerance)) is not None:
                return f"{case.name}: {told}"
    return ""
