"""Wrong and right answers written from the statements alone, before the cases were seen: they try the checks.

A module ``lessonNN`` holds ``WRONG`` and ``RIGHT``, from an exercise's id to its answers, and

- ``NAMES`` (may be missing): for an exercise's id and the ``about`` of its wrong answers, the hints that name it, where
  the hint is not called so;
- ``GIVEN`` (may be missing): for an exercise that asks for values, data that need no network.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    Attributes:
        name: What the learner did, in a few words.
        answer: The function.
        shown_by: Valid arguments on which it is wrong; empty for an exercise that asks for values.
        about: What the hint must speak of, in a word or two: the name of a declared hint, or a key of ``NAMES``.
    """

    name: str
    answer: Callable[..., Any]
    shown_by: tuple[Any, ...]
    about: str


def all_wrapped(wrap: Callable[[Callable[..., Any]], Callable[..., Any]], answers: list[Any]) -> list[Any]:
    """Wrong answers and (name, right answer), each put into a function that does another part of the task rightly."""
    return [
        replace(one, answer=wrap(one.answer)) if isinstance(one, Wrong) else (one[0], wrap(one[1])) for one in answers
    ]


def extended(
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]],
    more: Callable[[tuple[Any, ...]], tuple[Any, ...]],
    answers: list[Any],
) -> list[Any]:
    """As `all_wrapped`, for a task that got more arguments: what shows a mistake gets them, too."""
    return [
        replace(one, shown_by=(*one.shown_by, *more(one.shown_by))) if isinstance(one, Wrong) else one
        for one in all_wrapped(wrap, answers)
    ]
