"""How well clicks are answered: on clear ones, on ambiguous ones, and how many it takes.

A click goes into the middle of an object, the pixel farthest from its edge; a further one into the middle of the
largest error, as RITM (Sofiiuk, Petrov, Konushin 2021, arXiv 2102.06583, §3.3) and SAM (§7.1) evaluate.

Shapes: H W the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from segtutor.inference.prompts import Prompter
from segtutor.inference.samples import read_item

SMALLEST = 100
"""Objects of which fewer pixels are seen are not clicked on."""


@dataclass(frozen=True)
class Click:
    """A click on a thing, and what it may mean.

    Attributes:
        index: Of the picture.
        point: (x, y).
        number: Of the thing among the picture's segments.
        others: Numbers of the other segments of its class.
    """

    index: int
    point: tuple[int, int]
    number: int
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class ClickScores:
    """Mean IoU over clicks.

    Attributes:
        oracle: Of the best of the three masks with the object.
        chosen: Of the mask that the network thinks best of.
        region: Of the best of the three with all of the class; the same as ``oracle`` where a class has one object.
        clicks: How many.
    """

    oracle: float
    chosen: float
    region: float
    clicks: int


def clear_clicks(dataset: Any, smallest: int = SMALLEST) -> list[Click]:
    """A click on every thing that is the only one of its class in its picture: object and class are the same.

    Args:
        dataset: ``dataset[i]`` is an image and a dict of segments and segments_info.
        smallest: Least number of visible pixels.
    """
    return [one for one in _clicks(dataset, smallest) if not one.others]


def ambiguous_clicks(dataset: Any, smallest: int = SMALLEST) -> list[Click]:
    """A click on every thing that is not the only one of its class: it may mean this one, or all of them."""
    return [one for one in _clicks(dataset, smallest) if one.others]


def _clicks(dataset: Any, smallest: int) -> list[Click]:
    found = []
    for index in range(len(dataset)):
        _, target = read_item(dataset, index)
        segments = torch.as_tensor(target["segments"]).as_subclass(Tensor).numpy()
        for one in target["segments_info"]:
            mask = segments == one["id"]
            if one["isthing"] and mask.sum() >= smallest:
                same = [other["id"] for other in target["segments_info"] if other["category_id"] == one["category_id"]]
                found.append(Click(index, middle(mask), one["id"], tuple(sorted(set(same) - {one["id"]}))))
    return found


def middle(mask: Any) -> tuple[int, int]:
    """(x, y) of the pixel that is farthest from a mask's edge; the picture's border is one.

    >>> middle(np.pad(np.ones((3, 5), dtype=bool), ((1, 0), (2, 0))))
    (3, 2)
    """
    depth = ndimage.distance_transform_edt(np.pad(np.asarray(mask, dtype=bool), 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(column), int(row)


def next_click(mask: Any, target: Any, known: Any) -> tuple[tuple[int, int], int] | None:
    """A further click: in the middle of the largest connected error.

    Args:
        mask: What was found, H x W bool.
        target: What is meant, H x W bool.
        known: Pixels that count, H x W bool.

    Returns:
        (x, y) and 1 (this, too) or 0 (not this); None where nothing is wrong.
    """
    mask, target, known = (np.asarray(one, dtype=bool) for one in (mask, target, known))
    largest: np.ndarray | None = None
    for wrong in (target & ~mask & known, mask & ~target & known):
        regions, _ = ndimage.label(wrong)
        sizes = np.bincount(regions.ravel())[1:]
        if len(sizes) and (largest is None or sizes.max() > largest.sum()):
            largest = regions == 1 + int(sizes.argmax())
    if largest is None:
        return None
    x, y = middle(largest)
    return (x, y), int(target[y, x])


def iou_of(mask: Any, target: Any, known: Any) -> float:
    """IoU where pixels are known."""
    mask, target, known = (np.asarray(one, dtype=bool) for one in (mask, target, known))
    whole = ((mask | target) & known).sum()
    return float((mask & target & known).sum() / whole) if whole else 1.0


def score_clicks(model: nn.Module, dataset: Any, clicks: Sequence[Click]) -> ClickScores:
    """Scores of the three answers to one click.

    Args:
        model: A promptable network.
        dataset: What the clicks were made from.
        clicks: Of `clear_clicks` or `ambiguous_clicks`, in the order of the pictures.

    Raises:
        ValueError: If there is no click.
    """
    if not clicks:
        raise ValueError("there is no click to score: the pictures hold no thing that is large enough")
    oracle, chosen, region = [], [], []
    prompter, segments, last = None, np.zeros(0), -1
    for click in clicks:
        if click.index != last:
            image, target = read_item(dataset, click.index)
            prompter, last = Prompter(model, image), click.index
            segments = torch.as_tensor(target["segments"]).as_subclass(Tensor).numpy()
        assert prompter is not None
        answer = prompter.ask([click.point])
        masks, known, own = answer.masks.numpy(), segments != 0, segments == click.number
        values = [iou_of(mask, own, known) for mask in masks]
        oracle.append(max(values))
        chosen.append(values[answer.best])
        whole = np.isin(segments, [click.number, *click.others])
        region.append(max(iou_of(mask, whole, known) for mask in masks))
    return ClickScores(float(np.mean(oracle)), float(np.mean(chosen)), float(np.mean(region)), len(clicks))


def ious_by_clicks(prompter: Prompter, target: Any, known: Any, count: int = 10) -> list[float]:
    """IoU after 1, 2, ... clicks on one object, each into the middle of the largest error that is left.

    The first click has three answers, of which the one counts that the network thinks best of; later ones have one.

    Args:
        prompter: The picture.
        target: What is meant, H x W bool.
        known: Pixels that count, H x W bool.
        count: Most clicks.

    Returns:
        ``count`` numbers; where nothing is wrong any more, the last one is repeated.
    """

    def ask(points: Sequence[tuple[int, int]], labels: Sequence[int]) -> np.ndarray:
        answer = prompter.ask(points, labels)
        return np.asarray(answer.masks[answer.best])

    return click_by_click(ask, target, known, count)


def click_by_click(
    ask: Callable[[Sequence[tuple[int, int]], Sequence[int]], np.ndarray], target: Any, known: Any, count: int = 10
) -> list[float]:
    """IoU after 1, 2, ... clicks, whatever answers them.

    Args:
        ask: Called with all points (x, y) so far and their labels, 1 this or 0 not this; gives a mask, H x W bool.
        target: What is meant, H x W bool.
        known: Pixels that count, H x W bool.
        count: Most clicks.

    Returns:
        ``count`` numbers; where nothing is wrong any more, the last one is repeated.
    """
    points, labels = [middle(target)], [1]
    values: list[float] = []
    while len(values) < count:
        mask = ask(points, labels)
        values.append(iou_of(mask, target, known))
        further = next_click(mask, target, known)
        if further is None:
            break
        points.append(further[0])
        labels.append(further[1])
    return values + values[-1:] * (count - len(values))


def clicks_until(values: Sequence[float], wanted: float = 0.85) -> int | None:
    """How many clicks it took to reach an IoU; None if all of them did not.

    >>> clicks_until([0.6, 0.86, 0.9]), clicks_until([0.6, 0.7, 0.8])
    (2, None)
    """
    return next((number for number, value in enumerate(values, start=1) if value >= wanted), None)
