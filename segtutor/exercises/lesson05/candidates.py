"""What the course's Mask R-CNN finds before anything is suppressed: the material of assignment 5's project.

Shapes: G objects of a picture, R candidates, M = 28 side of a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.labels import SCENES
from segtutor.metrics import rle
from segtutor.models.mask_rcnn.paste import paste_masks

SIZE = (192, 240)
NEAR = {"scale_range": 1.5, "crowd": 0.3, "thin": 0.5}
"""The scenes that the checkpoint was trained on: things that are near."""
LEAST_SCORE = 0.05
MOST = 300
"""Candidates per picture."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A scene and the network's candidates, best first.

    Attributes:
        number: Id of the picture.
        image: 3 x H x W uint8.
        true_boxes: G x 4 corners.
        true_labels: G.
        true_masks: G x H x W bool.
        boxes: R x 4 corners of the candidates.
        labels: R numbers of things.
        scores: R, 0.05 ... 1.
        masks: R x 28 x 28 probabilities, each in the frame of its box.
        proposals: P x 4 corners of the regions that the candidates were made of.
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
    proposals: np.ndarray


def candidate_pictures(count: int = 60, first: int = 0) -> list[Picture]:
    """Unseen pictures, of the split "val", with what the course's ``maskrcnn_tiny`` finds in them.

    Args:
        count: How many pictures.
        first: Number of the first one.
    """
    model: Any = models.create("maskrcnn_tiny", num_classes=len(SCENES), weights="course")
    # A box cannot overlap another one by more than 1: nothing is suppressed.
    model.settings = replace(model.settings, nms_iou=1.0, score_threshold=LEAST_SCORE, detections_per_image=MOST)
    scenes = Scenes("val", size=SIZE, count=first + count, target="instances", **NEAR)
    return [_picture(number, scenes[number], model) for number in range(first, first + count)]


def _picture(number: int, sample: tuple[Any, Any], model: Any) -> Picture:
    image, target = sample
    stages = model.trace([image.as_subclass(torch.Tensor)])
    return Picture(
        number,
        image.numpy(),
        target["boxes"].numpy().astype(float),
        target["labels"].numpy(),
        target["masks"].numpy() > 0,
        stages.detected_boxes[0].numpy().astype(float),
        stages.detected_labels[0].numpy(),
        stages.detected_scores[0].numpy().astype(float),
        stages.mask_probabilities[0].numpy(),
        stages.proposals[0].boxes.numpy().astype(float),
    )


def mask_overlaps(picture: Picture, number: int) -> np.ndarray:
    """IoU of all candidates' pasted masks with the mask of one object, R.

    Args:
        picture: With candidates.
        number: Of the object.
    """
    box, own = picture.true_boxes[number], picture.true_masks[number]
    overlaps = np.zeros(len(picture.scores))
    touching = (picture.boxes[:, :2] < box[2:]).all(axis=1) & (picture.boxes[:, 2:] > box[:2]).all(axis=1)
    masks = paste_masks(
        torch.from_numpy(picture.masks[touching]), torch.from_numpy(picture.boxes[touching]), own.shape
    ).numpy()
    overlaps[touching] = (masks & own).sum(axis=(1, 2)) / np.maximum((masks | own).sum(axis=(1, 2)), 1)
    return overlaps


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
        "categories": [{"id": number, "name": SCENES.names[number]} for number in sorted(SCENES.things)],
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
