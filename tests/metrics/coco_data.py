"""Random COCO data sets, and the official evaluator run on them."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pycocotools.mask as official_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

KEYS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def random_dataset(
    seed: int, num_images: int = 8, num_categories: int = 4, objects: int = 6, many: int = 0, with_boxes: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Images of several sizes, some empty; polygons and both kinds of run lengths; crowds; tied scores.

    Args:
        seed: of everything.
        num_images: images.
        num_categories: categories; one of them never occurs.
        objects: most objects of an image.
        many: detections of the first category added to the second image.
        with_boxes: whether detections carry a box beside their mask.
    """
    rng = np.random.default_rng(seed)
    categories = [{"id": int(i)} for i in rng.permutation(np.arange(1, 3 * num_categories, 3)[:num_categories])]
    used = [category["id"] for category in categories[:-1]]
    images, annotations, detections = [], [], []
    for image_id in rng.permutation(5 * num_images)[:num_images]:
        height, width = int(rng.integers(30, 220)), int(rng.integers(30, 220))
        images.append({"id": int(image_id), "height": height, "width": width})
        for _ in range(rng.integers(0, objects + 1)):
            category = int(rng.choice(used))
            ring = _blob(rng, height, width)
            segmentation, rle = _as_segmentation(rng, ring, height, width)
            crowd = int(rng.random() < 0.15)
            area = float(official_mask.area(rle))
            if rng.random() < 0.1:
                area = float(rng.choice([32.0**2, 96.0**2]))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": int(image_id),
                    "category_id": category,
                    "segmentation": segmentation,
                    "bbox": official_mask.toBbox(rle).tolist(),
                    "area": area,
                    "iscrowd": crowd,
                }
            )
            for _ in range(rng.integers(0, 4)):
                moved = ring + rng.normal(0, rng.choice([0, 1, 4]), 2)
                guess = category if rng.random() < 0.9 else int(rng.choice(used))
                detections.append(_detection(rng, moved, height, width, int(image_id), guess, with_boxes))
        for _ in range(rng.integers(0, 3)):
            ring = _blob(rng, height, width)
            guess = int(rng.choice([category["id"] for category in categories]))
            detections.append(_detection(rng, ring, height, width, int(image_id), guess, with_boxes))
    for _ in range(many):
        image = images[1 % num_images]
        ring = _blob(rng, image["height"], image["width"])
        detections.append(_detection(rng, ring, image["height"], image["width"], image["id"], used[0], with_boxes))
    detections = [detections[i] for i in rng.permutation(len(detections))]
    return {"images": images, "annotations": annotations, "categories": categories}, detections


def _blob(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 12)))
    radius = rng.choice([0.05, 0.15, 0.4]) * min(height, width) * rng.uniform(0.5, 1.2, len(angles)) + 1
    center = rng.uniform(0, 1, 2) * [width, height]
    return center + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]


def _as_segmentation(rng: np.random.Generator, ring: np.ndarray, height: int, width: int) -> tuple[Any, Any]:
    rings = [ring.ravel().tolist()]
    if rng.random() < 0.3:
        rings.append((ring + rng.uniform(-10, 10, 2)).ravel().tolist())
    rle = official_mask.merge(official_mask.frPyObjects(rings, height, width))
    kind = rng.integers(3)
    if kind == 0:
        return rings, rle
    text = {"size": rle["size"], "counts": rle["counts"].decode()}
    if kind == 1:
        return text, rle
    flat = official_mask.decode(rle).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return {"size": rle["size"], "counts": [0, *counts] if flat[0] else counts}, rle


def _detection(
    rng: np.random.Generator,
    ring: np.ndarray,
    height: int,
    width: int,
    image_id: int,
    category: int,
    with_boxes: bool,
) -> dict[str, Any]:
    rle = official_mask.frPyObjects([ring.ravel().tolist()], height, width)[0]
    detection = {
        "image_id": image_id,
        "category_id": category,
        "score": float(np.round(rng.random(), int(rng.choice([1, 6])))),
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
    }
    if with_boxes:
        detection["bbox"] = (official_mask.toBbox(rle) + np.array([0.25, 0, 0, 0.5])).tolist()
    return detection


def official_evaluation(truth: dict[str, Any], detections: list[dict[str, Any]], iou_type: str = "segm") -> COCOeval:
    """pycocotools' evaluation after `summarize`."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = copy.deepcopy(truth)
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(detections)), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def official_scores(
    truth: dict[str, Any], detections: list[dict[str, Any]], iou_type: str = "segm"
) -> dict[str, float]:
    """pycocotools' twelve numbers."""
    return dict(zip(KEYS, official_evaluation(truth, detections, iou_type).stats.tolist(), strict=True))
