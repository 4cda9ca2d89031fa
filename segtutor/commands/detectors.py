"""What train and evaluate do otherwise where the network is a detector: scenes with objects, COCO's scores."""

from __future__ import annotations

import argparse
from typing import Any

# Arguments of train that only semantic networks have, with their defaults.
SEMANTIC_TRAINING = {
    "loss": "cross_entropy", "balance": False, "crop": None, "scale": None, "rotate": 0.0, "jitter": 0.0,
}  # fmt: skip
SEMANTIC_VIEWS = {"scales": (1.0,), "flip": False, "window": None, "overlap": 1 / 3}


def is_detector(name: str) -> bool:
    """Whether a network of this name finds objects."""
    return name.startswith("maskrcnn")


def refuse(arguments: argparse.Namespace, defaults: dict[str, Any]) -> None:
    """Says which argument a detector does not have.

    Raises:
        ValueError: If one is not at its default.
    """
    for name, default in defaults.items():
        if getattr(arguments, name) != default:
            raise ValueError(
                f"--{name.replace('_', '-')} is for semantic networks; {arguments.model} is a detector: leave it out"
            )


def add_scene_options(parser: argparse.ArgumentParser) -> None:
    """--scene, for easier or harder pictures."""
    parser.add_argument(
        "--scene",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="what scenes are like: thin, scale_range, crowd, context, context_distance, void_border; repeat",
    )


def scene_options(arguments: argparse.Namespace) -> dict[str, float]:
    """The arguments of ``Scenes`` that ``--scene`` names.

    Raises:
        ValueError: If one is not NAME=NUMBER, or there is no such name.
    """
    names = ("thin", "scale_range", "crowd", "context", "context_distance", "void_border")
    options = {}
    for text in arguments.scene:
        name, _, number = text.partition("=")
        try:
            options[name] = float(number)
        except ValueError:
            raise ValueError(f"--scene is NAME=NUMBER, as scale_range=6, not {text!r}") from None
        if name not in names:
            raise ValueError(f"--scene knows {', '.join(names)}, not {name!r}")
    return options


def detector_scores(score: Any) -> dict[str, Any]:
    """The lines of a record that say how good a detector is; -1 where a range of sizes has no object."""
    masks = {} if score.masks is None else {"masks": _rounded(score.masks)}
    per_class = {
        name: _rounded({key: scores[key] for key in ("AP", "AP50")}) for name, scores in score.per_class.items()
    }
    return {**masks, "boxes": _rounded(score.boxes), "per_class": per_class, "objects": score.objects}


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}
