"""One short training run for the experiments of assignments 4 and 6: some seconds of one core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PICTURES, SCORED, MOST_STEPS = 160, 40, 120


def same_for_all(model: str) -> str:
    """What every run of a laboratory has in common, in words."""
    return f"{model}, {PICTURES} scenes of 96 x 128 to learn from, {SCORED} others to score, batch 8, AdamW, one thread"


def trained(model: str, network: Mapping[str, Any], options: Mapping[str, Any], seed: int) -> dict[str, float]:
    """Train a small network and score it.

    Args:
        model: Its name.
        network: Its options.
        options: "scenes" ("all" or "bollards"), "start" ("backbone" or "random"), "class_weights" ("root", "median
            frequency" or "none") and "steps".
        seed: Of everything that is drawn at random.

    Raises:
        ValueError: If there are more steps than four minutes hold, or scenes of another kind are asked for.
    """
    from segtutor.claims.pictures import BOLLARDS, EVERYTHING
    from segtutor.claims.training import Recipe

    if not isinstance(options["steps"], int) or not 1 <= options["steps"] <= MOST_STEPS:
        raise ValueError(f"steps is {options['steps']!r}, but must be a whole number from 1 to {MOST_STEPS}")
    if options["scenes"] not in ("all", "bollards"):
        raise ValueError(f"scenes is {options['scenes']!r}, but must be 'all' or 'bollards'")
    recipe = Recipe(
        model,
        tuple(network.items()),
        scenes=BOLLARDS if options["scenes"] == "bollards" else EVERYTHING,
        class_weights=options["class_weights"],
        start=options["start"],
        steps=options["steps"],
        train_count=PICTURES,
        val_count=SCORED,
        precision="float32",
    )
    values = recipe(seed, False)
    return {key: values[key] for key in ("mean_iou", "band_iou", "thin", "bollard_iou", "loss")}
