"""An answer tried on the inputs of its exercise, where the submission runs: outcomes, and no judgment."""

from __future__ import annotations

import importlib
from typing import Any

from segtutor.exercises.comparison import plain
from segtutor.exercises.exercise import surrounded
from segtutor.exercises.running import Clock, Outcome, call, load_imports
from segtutor.grading.transfer import decode, encode_outcome


def tried(exercise: dict[str, Any], answer: Any) -> list[dict[str, Any]]:
    """The outcomes of one exercise, encoded.

    Args:
        exercise: What the worker knows of it: "keys" of the values asked for, or "arguments" of the cases, encoded;
            "seconds" for all; "around", module and name of what surrounds the answer, or None.
        answer: What the notebook has under the exercise's name.
    """
    if exercise["keys"]:
        found = [_value(answer, key) for key in exercise["keys"]]
    elif callable(answer):
        arguments = [decode(one) for one in exercise["arguments"]]
        if exercise["around"]:
            module, name = exercise["around"]
            answer = surrounded(answer, getattr(importlib.import_module(module), name))
        found = _outcomes(answer, arguments, exercise["seconds"])
    else:
        found = [Outcome("empty")] * len(exercise["arguments"])
    return [encode_outcome(one) for one in found]


def _outcomes(answer: Any, arguments: list[Any], seconds: float) -> list[Outcome]:
    """The outcomes of calls that share one time limit."""
    load_imports(answer)
    clock, found = Clock(), []
    for given in arguments:
        left = seconds - clock.used
        found.append(call(answer, given, left) if left > 0 else Outcome("slow"))
    return found


def _value(answer: Any, key: str) -> Outcome:
    value = answer.get(key) if isinstance(answer, dict) else None
    return Outcome("empty") if value is None or value is ... else Outcome("returned", plain(value))
