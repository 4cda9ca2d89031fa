"""Which network segments a picture when nobody named one: the best whose weights are there, and what may be fetched.

The order is that of `segtutor.models.photograph_choice`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segtutor.models import Published

CUTTERS = ("u2netp",)  # networks of one map
CLASSIFIERS = ("efficientnet_lite0",)
SCENES = "deeplabv3_tiny"  # the network that the course brings


def choose(arguments: argparse.Namespace) -> str | Path:
    """The weights, as ``create`` wants them; ``arguments.model`` is set where it was left open.

    Raises:
        ValueError: If the network and the weights that were named do not go together.
    """
    from segtutor import models

    if arguments.model in CLASSIFIERS:
        raise ValueError(
            f"{arguments.model} names whole pictures: inference.class_heat_map shows where it sees a class"
        )
    if arguments.weights in ("course", "torchvision", "pip"):
        if arguments.model is None:
            arguments.model = {"course": SCENES, "torchvision": _smallest().network, "pip": CUTTERS[0]}[
                arguments.weights
            ]
        return str(arguments.weights)
    if arguments.weights in ("imagenet", "backbone") and not Path(arguments.weights).exists():
        raise ValueError(
            f"--weights {arguments.weights} are weights of a backbone: the layers that tell classes would be random; "
            "give course, torchvision, pip or a FILE, or train first: segtutor train --weights "
            f"{arguments.weights} --data FOLDER"
        )
    if arguments.weights is not None:
        if arguments.model is None:
            from segtutor.models.weight_files import read_weights

            recorded = read_weights(arguments.weights).config
            arguments.model = recorded.name if recorded else SCENES
        return Path(arguments.weights)
    if arguments.model is None:
        arguments.model, weights = _best()
        return weights
    if arguments.model in CUTTERS:
        return "pip"
    if arguments.model == SCENES or arguments.model not in models.available():
        return "course"  # of an unknown network, models.create says that it is unknown
    raise ValueError(f"say which weights {arguments.model} shall have: --weights torchvision, or --weights FILE")


def _best() -> tuple[str, str | Path]:
    """Network and weights, the best first; offers a download where somebody can answer."""
    from segtutor.models import for_photographs, published

    found = for_photographs(_wanted)
    (cutter,) = [one for one in published(CUTTERS[0]) if one.weights == "pip"]
    if found.gives == "cut-out":
        print(f"note     no weights here tell classes; {_how_to_get(_smallest())}")
    elif found.gives == "scenes":
        print(
            f"note     there are no weights for photographs here; {_how_to_get(cutter)}, or {_how_to_get(_smallest())}"
        )
    return found.network, found.weights


def _smallest() -> Published:
    from segtutor.models.photograph_choice import with_classes

    return with_classes()[0]


def _how_to_get(one: Published) -> str:
    from segtutor.models.weight_catalog import megabytes

    what = "a cut-out" if one.network in CUTTERS else "classes"
    return f"get {what} with  segtutor data weights {one.network}  ({megabytes(one.bytes)})"


def _wanted(one: Published) -> bool:
    """Whether somebody is there and wants it, after hearing what it is; where nobody is, nothing is said."""
    from segtutor.models.photograph_choice import asked

    return sys.stdin.isatty() and sys.stdout.isatty() and asked(one)
