"""Scenes with segments, and everything that the claims ask about a set of masks: read as masks, and as regions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from segtutor.claims.contact import Contact
from segtutor.datasets import Scenes
from segtutor.datasets.scenes.settings import KINDS
from segtutor.inference import FoundMasks, find_masks
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.panoptic import PanopticQuality

SIZE = (96, 128)
SCENE = (("scale_range", 1.5), ("thin", 0.0), ("context", 0.0))
"""Scenes whose things are near: half of them have a side above 14 pixels."""
BORDER = 0.008
"""Of the void around things, as Scenes draws it: one pixel. Between two things that touch it is a border, too."""
APART, USUAL, CROWDED = 0.0, 1.0, 2.0
"""How many companions a thing has that touch or overlap it."""
THRESHOLD = 0.5
"""Least probability of a query's class: short trainings are not as sure of themselves as the authors' 0.8 asks."""
SMALLEST = 12
"""Components below this many pixels are crumbs, and no things."""
STUFF = frozenset(range(len(SCENES))) - set(SCENES.things)


class SegmentPictures:
    """Scenes in memory: ``pictures[i]`` is (image 3 x H x W uint8, dict of segments H x W and segments_info).

    Attributes:
        labels: The LabelSet.
    """

    labels = SCENES

    def __init__(self, dataset: Scenes) -> None:
        self.images: list[Tensor] = []
        self.targets: list[tuple[Tensor, list[Mapping[str, Any]]]] = []
        for index in range(len(dataset)):
            image, target = dataset[index]
            self.images.append(image.as_subclass(Tensor))
            self.targets.append((target["segments"].as_subclass(Tensor).to(torch.uint8), target["segments_info"]))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        segments, info = self.targets[index]
        return self.images[index], {"segments": segments.long(), "segments_info": info}


@lru_cache(maxsize=12)
def segments(
    split: str,
    count: int,
    crowd: float,
    size: tuple[int, int] = SIZE,
    world: int = 0,
    kinds: tuple[str, ...] = tuple(KINDS),
    border: float = BORDER,
) -> SegmentPictures:
    """The first pictures of a split with their segments, drawn once per process.

    Args:
        split: "train", "val" or "test".
        count: How many.
        crowd: Companions of a thing.
        size: Height and width.
        world: Seed of the scenes; another one, other scenes.
        kinds: Of scenes.
        border: Width of the void around things, as a fraction of the height. With 0, things that touch do so in the
            truth, too.
    """
    return SegmentPictures(
        Scenes(
            split, size=size, count=count, seed=world, target="panoptic", kinds=kinds, crowd=crowd, void_border=border,
            **dict(SCENE),
        )
    )  # fmt: skip


def score_masks(model: nn.Module, pictures: SegmentPictures, threshold: float = THRESHOLD) -> dict[str, float]:
    """Scores of one output, read in two ways.

    Args:
        model: A network of mask classification.
        pictures: With their segments.
        threshold: Least probability of a query's class.

    Returns:
        "PQ", "PQ_things" and "PQ_stuff" of the panoptic maps; "components_PQ_things", where every connected region of a
        class of things in the label map is taken for one; "touching" and "alone", the share of the things that masks
        find, of those that touch another one of their class and of the others; "components_touching" and
        "components_alone", those that regions find; "mean_iou" of the label maps.
    """
    by_masks, by_components, confusion = PanopticQuality(SCENES), PanopticQuality(SCENES), ConfusionMatrix(len(SCENES))
    of_masks, of_components = Contact(), Contact()
    for index in range(len(pictures)):
        image, target = pictures[index]
        truth = (target["segments"].numpy(), target["segments_info"])
        found = find_masks(model, image)
        labels = found.semantic()
        for quality, contact, segments_found in (
            (by_masks, of_masks, panoptic_of(found, threshold)),
            (by_components, of_components, components(labels.numpy())),
        ):
            quality.update(truth, segments_found)
            contact.update(truth, segments_found)
        confusion.update(label_map(target), labels)
    scores, others = by_masks.scores(), by_components.scores()
    return {
        "PQ": scores.overall.PQ,
        "PQ_things": scores.things.PQ,
        "PQ_stuff": scores.stuff.PQ,
        "components_PQ_things": others.things.PQ,
        **of_masks.shares(),
        **{f"components_{name}": share for name, share in of_components.shares().items()},
        "mean_iou": confusion.mean_iou(),
    }


def label_map(target: Mapping[str, Any]) -> Tensor:
    """The label map of a picture's segments, H x W int64; what is in none of them is void."""
    labels = torch.full_like(target["segments"], SCENES.ignore_index)
    for one in target["segments_info"]:
        labels[target["segments"] == one["id"]] = one["category_id"]
    return labels


def panoptic_of(found: FoundMasks, threshold: float = THRESHOLD) -> tuple[np.ndarray, list[dict[str, int]]]:
    """A map of segments and its list, as `PanopticQuality` takes them."""
    numbers, listed = found.panoptic(STUFF, threshold)
    return numbers.numpy(), [{"id": one.id, "category_id": one.label} for one in listed]


def components(labels: np.ndarray, smallest: int = SMALLEST) -> tuple[np.ndarray, list[dict[str, int]]]:
    """A label map made panoptic: each class of stuff is a segment, and each connected region of a class of things.

    Args:
        labels: H x W.
        smallest: Regions of fewer pixels become void.
    """
    numbers = np.zeros(labels.shape, dtype=np.int64)
    info: list[dict[str, int]] = []
    for label in np.unique(labels):
        here = labels == label
        regions, count = ndimage.label(here) if int(label) in SCENES.things else (here.astype(np.int64), 1)
        for region in range(1, count + 1):
            mask = regions == region
            if mask.sum() >= smallest:
                info.append({"id": len(info) + 1, "category_id": int(label)})
                numbers[mask] = len(info)
    return numbers, info
