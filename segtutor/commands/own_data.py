"""What train and evaluate read: drawn scenes, or a folder of the user's in any of the known layouts."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch.utils.data import Subset

from segtutor.commands.detectors import is_detector, scene_options

COUNTED = 200  # pictures whose pixels are counted before the training


@dataclass(frozen=True)
class Data:
    """Data sets and how a record calls them.

    Attributes:
        train: To learn from; None where nothing is learned.
        val: To score on.
        title: Of the training set.
        scored_on: Of the validation set.
    """

    train: Any
    val: Any
    title: str
    scored_on: str


def add_data(parser: argparse.ArgumentParser) -> None:
    """--data."""
    parser.add_argument(
        "--data",
        default="scenes",
        metavar="FOLDER",
        help="a folder of pictures and masks, or in the layout of VOC, PASCAL-Context, COCO, Cityscapes, CamVid or "
        "Penn-Fudan, see segtutor data check; or scenes, pictures that are drawn (default: %(default)s)",
    )


def open_data(arguments: argparse.Namespace, *, test: bool = False) -> Data:
    """The data sets that ``--data`` names; of scenes as many as asked for, of a folder all or the first so many.

    With ``test`` a folder's part of this name takes the place of val.
    """
    target = "instances" if is_detector(arguments.model) else "semantic"
    if arguments.data == "scenes":
        return _scenes(arguments, target)
    from segtutor.datasets.found import find_data, find_test

    found = find_data(arguments.data, target)
    if test:
        found = replace(found, val=find_test(arguments.data, found), split="the part test")
    train, val = _first(found.train, arguments.train_count), _first(found.val, arguments.val_count)
    name = arguments.data.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    if int(os.environ.get("RANK", "0")) == 0:  # one of torchrun's processes is enough to say it
        counts = f"{len(val)} to score on" if test else f"{len(train)} to learn from, {len(val)} to score on"
        print(f"data     {arguments.data}: {found.layout}; {found.split}: {counts}")
    title = f"{name} ({found.layout}, {len(train)} pictures)"
    return Data(train, val, title, f"{name}, {found.split}: {len(val)} pictures, whole, one view")


def _first(dataset: Any, count: int | None) -> Any:
    return dataset if count is None or count >= len(dataset) else Subset(dataset, range(count))


def _scenes(arguments: argparse.Namespace, target: str) -> Data:
    from segtutor.datasets import Scenes

    kind: dict[str, Any] = {"size": arguments.size, **scene_options(arguments), "target": target}
    height, width = arguments.size
    train = Scenes("train", count=arguments.train_count or 4000, **kind)
    val = Scenes("val", count=arguments.val_count or 200, **kind)
    special = "".join(f", {name} {value:g}" for name, value in scene_options(arguments).items())
    return Data(
        train,
        val,
        f"Scenes{special} ({len(train)} drawn pictures of {height} x {width} pixels)",
        f"Scenes val{special}, {len(val)} pictures, whole, one view",
    )


def print_classes(dataset: Any) -> None:
    """The classes and their share of the pixels, before anything is learned from them.

    Raises:
        ValueError: If no pixel, or only those of one class, are labeled: there is nothing to learn.
    """
    from segtutor.inference.samples import label_set, read_labeled

    labels = label_set(dataset)
    counts = np.zeros(max(len(labels), labels.ignore_index + 1), dtype=np.int64)
    looked_at = min(len(dataset), COUNTED)
    for index in range(looked_at):
        _, target = read_labeled(dataset, index, len(labels), labels.ignore_index)
        counts += np.bincount(target.numpy().ravel(), minlength=len(counts))
    total, width = counts.sum(), max(map(len, (*labels.names, "(void)")))
    print(f"classes  {len(labels)}, by pixels of {looked_at} pictures")
    for name, count in [*zip(labels.names, counts, strict=False), ("(void)", counts[labels.ignore_index])]:
        print(f"  {name:{width}}  {100 * count / total:6.2f} %", flush=True)
    there = np.flatnonzero(counts[: len(labels)])
    if len(there) < 2:
        what = f"only {labels.names[there[0]]!r}" if len(there) else "nothing but void"
        raise ValueError(
            f"the masks of these {looked_at} pictures hold {what}, so that there is nothing to learn: were they read "
            "as the numbers that the table of classes names? segtutor data check shows what is in them"
        )


def suitable_crop(dataset: Any) -> tuple[int, int] | None:
    """A crop for pictures that differ in size, of multiples of 32 pixels; None if they do not differ."""
    from segtutor.inference.samples import read_item

    sizes = {tuple(read_item(dataset, index)[0].shape[-2:]) for index in range(min(len(dataset), 20))}
    if len(sizes) == 1 and max(next(iter(sizes))) <= 640:
        return None
    sides = [min(512, max(64, 32 * (sorted(side)[len(sizes) // 2] // 32))) for side in zip(*sizes, strict=True)]
    return sides[0], sides[1]


def longest_side(dataset: Any) -> int:
    """Longest side of a usual picture: the middle one of the first 20."""
    from segtutor.inference.samples import read_item

    sides = sorted(max(read_item(dataset, index)[0].shape[-2:]) for index in range(min(len(dataset), 20)))
    return int(sides[len(sides) // 2])
