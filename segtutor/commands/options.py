"""What segment, train and evaluate share: the arguments that name a network, data, and views of a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from segtutor.labels import SCENES, VOC2012, LabelSet, voc_colormap

SCENE_SIZE = (128, 160)


def add_network(parser: argparse.ArgumentParser, weights_help: str, default: str | None = "deeplabv3_tiny") -> None:
    """--model, --weights, --option and --device; without a default, the command chooses the network."""
    told = default or "the best whose weights are there"
    parser.add_argument("--model", default=default, help=f"name of the network (default: {told})")
    parser.add_argument("--weights", help=weights_help)
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="of the network, as output_stride=8; repeat"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: %(default)s)")


def add_views(parser: argparse.ArgumentParser) -> None:
    """--scales, --flip, --window and --overlap."""
    parser.add_argument(
        "--scales", type=_numbers, default=(1.0,), metavar="0.75,1,1.25", help="show the picture at each of these sizes"
    )
    parser.add_argument("--flip", action="store_true", help="show the mirror image too")
    parser.add_argument("--window", type=size, metavar="HxW", help="slide a window of this size over the picture")
    parser.add_argument(
        "--overlap", type=float, default=1 / 3, help="share of a window in common with the next (default: 1/3)"
    )


def add_class_count(parser: argparse.ArgumentParser) -> None:
    """--num-classes."""
    parser.add_argument(
        "--num-classes", type=positive, help="of weights whose file does not tell (default: what it says, else 21)"
    )


def views(arguments: argparse.Namespace) -> dict[str, Any]:
    """The views as keyword arguments of ``predict`` and ``evaluate``."""
    return {name: getattr(arguments, name) for name in ("scales", "flip", "window", "overlap")}


def create_network(
    arguments: argparse.Namespace, num_classes: int | None, weights: str | Path | None, **loading: Any
) -> Any:
    """The network that the arguments name, on their device.

    Args:
        arguments: Of the command.
        num_classes: As many classes; None takes those of the weights, for a network that is to be used as it is.
        weights: As ``models.create`` takes them.
        **loading: ``layout``, ``replace_head`` and ``classes`` of ``models.create``.

    Raises:
        ValueError: If a network that is to be used would have a random head.
    """
    from segtutor import models
    from segtutor.inference.devices import choose_device

    device = choose_device(arguments.device)
    if num_classes is None and str(weights) in ("imagenet", "backbone") and not Path(str(weights)).exists():
        raise ValueError(
            f"--weights {weights} fills the backbone alone, and the layers that name the classes would be random: "
            f"train them first, segtutor train --model {arguments.model} --weights {weights} --out FILE, and give FILE"
        )

    options: dict[str, Any] = {}
    for text in arguments.option:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--option is NAME=VALUE, as output_stride=8, not {text!r}")
        options[name] = _value(value)
    return models.create(arguments.model, num_classes=num_classes, weights=weights, **loading, **options).to(device)


def label_set_for(model: Any) -> LabelSet:
    """The classes of a network as its weights name them; numbers for names where they do not.

    A network of as many classes as a known data set need not be for these classes, so the count decides nothing.
    """
    from segtutor.models.wrappers import class_names_of

    names = class_names_of(model)
    for labels in (VOC2012, SCENES):
        if names == labels.names:
            return labels
    count = int(model.num_classes)
    colors = tuple((int(r), int(g), int(b)) for r, g, b in voc_colormap(count))
    if names is not None and len(names) == count and len(set(names)) == count:
        return LabelSet("named in the weights", names, colors)
    return LabelSet("not named in the weights", tuple(f"class {number}" for number in range(count)), colors)


def notes_of(path: Path) -> dict[str, Any]:
    """What ``segtutor train`` wrote beside weights: data, command, seed, score; empty for weights from elsewhere."""
    from segtutor.models.weights import read_weights

    return read_weights(path).notes


def size(text: str) -> tuple[int, int]:
    """``128x160`` as (height, width)."""
    height, x, width = text.lower().partition("x")
    if not (x and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"a size is HEIGHTxWIDTH, as 128x160, not {text!r}")
    return int(height), int(width)


def longest_side(text: str) -> float:
    """A number of pixels; infinite for ``original``."""
    return float("inf") if text.lower() == "original" else positive(text)


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers with commas between, as 0.75,1,1.25, not {text!r}") from None


def _value(text: str) -> Any:
    """A number, a truth value, or several numbers with commas between; else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            parts = tuple(kind(part) for part in text.split(","))
        except ValueError:
            continue
        return parts if len(parts) > 1 else parts[0]
    return text
