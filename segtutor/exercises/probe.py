"""Runs inside a submission's kernel, after its cells: calls the answers by name and prints what they gave.

It judges nothing. The comparison with the wanted results happens in the grader's own process, which the submission
cannot reach.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from segtutor.exercises.catalog import find
from segtutor.exercises.checking import latest, outcomes_of, own_answer
from segtutor.exercises.running import Outcome
from segtutor.exercises.transfer import decode, encode_outcome


def probe(namespace: dict[str, Any], task: str) -> None:
    """Print a line: the nonce and the outcomes of one exercise.

    Args:
        namespace: The notebook's variables.
        task: JSON: the nonce, the exercise's id, the answer's name, and either the arguments of the cases or the keys
            of the values.
    """
    asked = json.loads(task)
    write = sys.stdout.write
    answer = own_answer(namespace.get(asked["name"]))
    if answer is None:
        answer = latest.get(asked["id"])
    if asked["keys"]:
        outcomes = _values(answer, asked["keys"])
    elif callable(answer):
        exercise = find(asked["id"])
        arguments = [decode(one) for one in asked["arguments"]]
        outcomes = outcomes_of(exercise.prepared(answer), arguments, exercise.seconds)
    else:
        outcomes = [Outcome("empty")] * len(asked["arguments"])
    write(f"\n{asked['nonce']} {json.dumps([encode_outcome(outcome) for outcome in outcomes])}\n")
    sys.stdout.flush()


def _values(answer: Any, keys: list[str]) -> list[Outcome]:
    values = [answer.get(key) if isinstance(answer, dict) else None for key in keys]
    return [Outcome("empty") if value is None or value is ... else Outcome("returned", value) for value in values]
