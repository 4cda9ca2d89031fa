"""One short training run for the experiments of assignments 4 and 6: some seconds of one core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory

PICTURES, SCORED, MOST_STEPS = 160, 40, 120


MEASURES = (
    percent("mean_iou", "mean IoU"),
    percent("band_iou", "mean IoU within 2 pixels of a label change"),
    percent("thin", "thin pixels right"),
    percent("bollard_iou", "IoU of the two bollards"),
)
OF_THE_TRAINING = {"scenes": "all", "start": "backbone", "class_weights": "root", "steps": 60}


def laboratory(
    name: str, model: str, network: Mapping[str, Any], file: str, fixed: tuple[tuple[str, Any], ...] = ()
) -> Laboratory:
    """Where a small network can be trained, and what of it may change.

    Args:
        name: Of the laboratory.
        model: Name of the network.
        network: Its options that may change, with their usual values; those of its training may, too.
        file: Name of the file that keeps the record.
        fixed: Its options that may not.
    """
    return Laboratory(
        name=name,
        options={**network, **OF_THE_TRAINING},
        measures=MEASURES,
        run=partial(trained, model, tuple(network), fixed),
        same=f"{model}, {PICTURES} scenes of 96 x 128 to learn from, {SCORED} others to score, batch 8, AdamW, "
        "one thread",
        file=file,
    )


def trained(
    model: str, of_network: Sequence[str], fixed: tuple[tuple[str, Any], ...], options: Mapping[str, Any], seed: int
) -> dict[str, float]:
    """Train a small network and score it.

    Args:
        model: Its name.
        of_network: Which options are its own.
        fixed: Further ones of its own.
        options: "scenes" ("all" or "bollards"), "start" ("backbone" or "random"), "class_weights" ("root", "median
            frequency" or "none") and "steps"; and those of the network.
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
        (*fixed, *((key, options[key]) for key in of_network)),
        scenes=BOLLARDS if options["scenes"] == "bollards" else EVERYTHING,
        class_weights=options["class_weights"],
        start=options["start"],
        steps=options["steps"],
        train_count=PICTURES,
        val_count=SCORED,
        precision="float32",
    )
    values = recipe(seed, False)
    return {key: values[key] for key in (*(one.key for one in MEASURES), "loss")}
