"""Detections that no network made: the objects of drawn scenes, found several times, displaced, and with false alarms.

The project of assignment 5 tunes the steps behind a detector. A simulation is enough for that, costs no training and
has known faults. What is tuned on it says nothing about any real network.

Shapes: G objects of a picture, R candidates, M = 28 side of a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.ops import box_iou

from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.metrics import rle
from segtutor.models.mask_rcnn import Settings
from segtutor.models.mask_rcnn.mask_head import mask_targets
from segtutor.models.mask_rcnn.paste import paste_masks

SIDE = 28
THINGS = sorted(SCENES.things)
COPIES = 4.0
"""Mean number of candidates per object, beyond the first."""
FALSE_ALARMS = 10.0
"""Mean number of candidates per picture that are no object."""
WRONG_CLASS = 0.06
JITTER = 0.07
"""Standard deviation of each edge of a box, as a share of its width or height."""
MASK_SHIFT = 0.03
"""The same for the mask inside the box."""
GENEROSITY = 0.8
"""Added to the logits of the masks: they reach beyond the object."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A scene and what the simulated detector makes of it before any threshold.

    Attributes:
        number: Id of the picture.
        image: 3 x H x W uint8.
        true_boxes: G x 4 corners.
        true_labels: G.
        true_masks: G x H x W bool.
        boxes: R x 4 corners of the candidates.
        labels: R numbers of things.
        scores: R, 0 ... 1, no two alike.
        masks: R x 28 x 28 probabilities, each in the frame of its box.
    """

    number: int
    image: np.ndarray
    true_boxes: np.ndarray
    true_labels: np.ndarray
    true_masks: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    masks: np.ndarray


def simulated_pictures(count: int = 60, seed: int = 0, size: tuple[int, int] = (128, 160)) -> list[Picture]:
    """Pictures of the split "val" with simulated candidates.

    Args:
        count: How many pictures.
        seed: Of the simulation; the pictures stay the same.
        size: H and W.
    """
    scenes = Scenes("val", size=size, count=count, target="instances")
    pictures = []
    for number in range(count):
        image, target = scenes[number]
        pictures.append(_simulate(number, image, target, np.random.default_rng([seed, number])))
    return pictures


def _simulate(number: int, image: Any, target: dict[str, Any], generator: np.random.Generator) -> Picture:
    height, width = image.shape[-2:]
    true_boxes = target["boxes"].as_subclass(torch.Tensor)
    true_masks = target["masks"].as_subclass(torch.Tensor)
    true_labels = target["labels"].numpy()

    objects = _found_objects(true_boxes.numpy(), generator)
    boxes = _displaced(true_boxes.numpy()[objects], JITTER, (height, width), generator)
    seen_through = _displaced(boxes, MASK_SHIFT, (height, width), generator)
    masks = _object_masks(true_masks, seen_through, objects, generator)
    overlap = box_iou(torch.from_numpy(boxes), true_boxes.double()).numpy()[np.arange(len(objects)), objects]
    scores = generator.beta(6, 2, len(objects)) * (0.3 + 0.7 * overlap)
    wrong = generator.random(len(objects)) < WRONG_CLASS
    labels = np.where(wrong, generator.choice(THINGS, len(objects)), true_labels[objects])

    alarms = generator.poisson(FALSE_ALARMS)
    alarm_boxes = _false_boxes(alarms, (height, width), generator)
    return Picture(
        number,
        image.numpy(),
        true_boxes.numpy().astype(float),
        true_labels,
        true_masks.numpy() > 0,
        np.concatenate([boxes, alarm_boxes]),
        np.concatenate([labels, generator.choice(THINGS, alarms)]).astype(np.int64),
        np.concatenate([scores, generator.beta(1, 5, alarms)]),
        np.concatenate([masks, _blobs(alarms)]),
    )


def _found_objects(boxes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Number of the object of each candidate; a small object is more often missed."""
    sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    seen = generator.random(len(boxes)) < sides / (sides + 4)
    copies = np.where(seen, 1 + generator.poisson(COPIES, len(boxes)), 0)
    return np.repeat(np.arange(len(boxes)), copies)


def _displaced(boxes: np.ndarray, jitter: float, size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Boxes with each edge moved, inside the picture and at least a pixel wide and high."""
    height, width = size
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + generator.normal(0, jitter, boxes.shape) * sides
    left_top = np.clip(moved[:, :2], 0, (width - 1, height - 1))
    right_bottom = np.clip(np.maximum(moved[:, 2:], left_top + 1), 0, (width, height))
    return np.concatenate([left_top, right_bottom], axis=1)


def _object_masks(
    true_masks: torch.Tensor, boxes: np.ndarray, objects: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """R x 28 x 28: the objects as seen through the boxes, blurred, uneven and too generous."""
    soft = mask_targets(
        true_masks,
        torch.from_numpy(boxes).float(),
        torch.from_numpy(objects),
        SIDE,
        Settings(binary_mask_targets=False),
    )
    blurred = F.avg_pool2d(soft[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0].numpy()
    uneven = generator.normal(0, 0.7, (len(objects), 1, 1)) + generator.normal(0, 0.3, blurred.shape)
    return np.asarray(1 / (1 + np.exp(-(6 * (blurred - 0.5) + uneven + GENEROSITY))))


def _false_boxes(count: int, size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    height, width = size
    sides = np.exp(generator.uniform(np.log(6), np.log(60), (count, 2)))
    centers = generator.random((count, 2)) * (width, height)
    corners = np.concatenate([centers - sides / 2, centers + sides / 2], axis=1)
    return _displaced(corners, 0.0, size, generator)


def _blobs(count: int) -> np.ndarray:
    """Ellipses that fill their boxes."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 2 - 1
    return np.repeat((1 / (1 + np.exp(-6 * (1 - x**2 - y**2))))[None], count, axis=0)


def ground_truth(pictures: Sequence[Picture]) -> dict[str, Any]:
    """The objects of the pictures as COCO writes them, for `segtutor.metrics.evaluate_coco`."""
    annotations: list[dict[str, Any]] = []
    for picture in pictures:
        for label, mask in zip(picture.true_labels.tolist(), picture.true_masks, strict=True):
            common = {"id": len(annotations) + 1, "image_id": picture.number, "category_id": label, "iscrowd": 0}
            annotations.append({**common, "area": int(mask.sum()), "segmentation": rle.encode(mask)})
    return {
        "images": [
            {"id": picture.number, "height": picture.image.shape[1], "width": picture.image.shape[2]}
            for picture in pictures
        ],
        "annotations": annotations,
        "categories": [{"id": number, "name": SCENES.names[number]} for number in THINGS],
    }


def coco_results(picture: Picture, chosen: np.ndarray, mask_threshold: float = 0.5) -> list[dict[str, Any]]:
    """Some of a picture's candidates, pasted, as COCO results.

    Args:
        picture: With candidates.
        chosen: Their numbers.
        mask_threshold: Least probability of a pixel of a mask.
    """
    masks = paste_masks(
        torch.from_numpy(picture.masks[chosen]),
        torch.from_numpy(picture.boxes[chosen]),
        picture.true_masks.shape[1:],
        mask_threshold,
    ).numpy()
    return [
        {"image_id": picture.number, "category_id": label, "score": score, "segmentation": rle.encode(mask)}
        for label, score, mask in zip(
            picture.labels[chosen].tolist(), picture.scores[chosen].tolist(), masks, strict=True
        )
    ]
