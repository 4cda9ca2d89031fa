"""What is known of the errors of eighteen small networks, each with one fault or none; made by ``make_networks``.

Which network has which fault stands elsewhere, in ``faults``.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from segtutor import resources
from segtutor.exercises.loaders import EIGHT
from segtutor.exercises.seeds import seeded

NAME = "diagnosis.json"
MOVES = range(-4, 5)
"""Pixels by which the answers were moved, to the right or down."""
LETTERS = "ABCDEF"


@cache
def recorded() -> dict[int, list[dict[str, Any]]]:
    """The reports of each seed's six networks."""
    content = json.loads(resources.data("results", NAME).read_text(encoding="utf-8"))
    found: dict[int, list[dict[str, Any]]] = {}
    for run in content["runs"]:
        found.setdefault(run["seed"], []).append({key: run[key] for key in run if key != "seed"})
    return found


def report(seed: int, number: int, order: np.ndarray) -> dict[str, Any]:
    """One network's report, with its classes in another order.

    Args:
        seed: Of the training.
        number: Of the seed's networks, from 0.
        order: Which class comes first, second, ...
    """
    run = {key: np.array(values, dtype=float) for key, values in recorded()[seed][number].items()}
    run["confusion"] = run["confusion"][np.ix_(order, order)].astype(np.int64)
    return {
        "classes": [EIGHT.names[one] for one in order],
        **run,
        "val": run["val"][order],
        "night": run["night"][order],
    }


def in_letters() -> dict[str, tuple[int, dict[str, Any]]]:
    """Number and report of the six networks of the first seed, by letter."""
    order = seeded(1170).permutation(len(EIGHT))
    numbers = seeded(1171).permutation(len(LETTERS))
    return {letter: (int(one), report(0, int(one), order)) for letter, one in zip(LETTERS, numbers, strict=True)}


def six_reports() -> dict[str, dict[str, Any]]:
    """The reports of six networks, "A" to "F"; five have a fault, one has none."""
    return {letter: one for letter, (_, one) in in_letters().items()}
