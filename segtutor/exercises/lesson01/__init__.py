"""The exercises of lesson 1, from IoU of two masks to COCO's AP, and the analysis of a real network's predictions."""

from __future__ import annotations

from segtutor.exercises.lesson01 import (
    average_precision,
    boundary,
    class_iou,
    coco_ap,
    confusion,
    curve,
    dataset_iou,
    iou,
    matching,
    mean_dice,
    panoptic,
    precision_recall,
    predictions,
)
from segtutor.exercises.lesson01.panoptic import drawn_segments
from segtutor.exercises.lesson01.predictions import scene_predictions

__all__ = ["EXERCISES", "drawn_segments", "scene_predictions"]

EXERCISES = tuple(
    module.EXERCISE
    for module in (
        iou,
        confusion,
        class_iou,
        mean_dice,
        dataset_iou,
        precision_recall,
        curve,
        average_precision,
        matching,
        coco_ap,
        predictions,
        boundary,
        panoptic,
    )
)
