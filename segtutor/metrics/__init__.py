"""Scores of segmentation, equal to those of the official evaluators.

One policy everywhere: void counts nowhere, a class that is absent from target and prediction is NaN and left out of
the mean, and a data set is scored as a whole unless a name says otherwise.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "boundary": ("boundary_band", "boundary_band_iou", "boundary_distance", "boundary_iou", "mask_boundary"),
    "calibration": (
        "Calibration",
        "area_under_risk",
        "entropy",
        "fit_temperature",
        "risk_coverage",
        "with_temperature",
    ),
    "coco": ("CocoCurves", "coco_curves", "evaluate_coco"),
    "confusion": ("ConfusionMatrix", "iou_per_image"),
    "curves": (
        "MeanAveragePrecision",
        "PrecisionRecallCurve",
        "average_precision",
        "match_detections",
        "mean_average_precision",
        "precision_at_levels",
        "precision_envelope",
        "precision_recall_curve",
    ),
    "masks": ("mask_iou",),
    "panoptic": ("PanopticQuality", "PanopticScores", "Quality", "panoptic_quality"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "rle"])


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"segtutor.metrics.{_HOME_OF[name]}"), name)
    if name == "rle":  # a module of its own names: rle.encode, rle.iou
        return importlib.import_module("segtutor.metrics.rle")
    raise AttributeError(f"module 'segtutor.metrics' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
