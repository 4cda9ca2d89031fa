"""Right answers to exercise 11.7, the diagnosis, written differently."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.lesson11.faults import ANOTHER_DOMAIN, HEALTHY, MERGED, SHIFTED, TRAINED_ON_VAL, TWICE


def by_points(report):  # type: ignore[no-untyped-def]
    """Each fault has a number that speaks for it; the loudest is named."""
    matrix = np.asarray(report["confusion"], dtype=float)
    iou = np.diag(matrix) / (matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    here = report["right"][4]
    moved = max(np.max(report["right"]), np.max(report["down"])) - here
    speaking = {
        ANOTHER_DOMAIN: np.mean(report["night"]) - iou.mean(),
        TWICE: 0.35 - iou.mean() if np.mean(report["night"]) < 0.2 else -1.0,
        MERGED: 0.1 * (iou.min() == 0) if iou.mean() > 0.35 else -1.0,
        SHIFTED: moved if iou.mean() > 0.35 else -1.0,
        TRAINED_ON_VAL: (np.mean(report["val"]) - iou.mean()) / 2,
    }
    loudest = max(speaking, key=lambda fault: speaking[fault])
    return loudest if speaking[loudest] > 0.03 else HEALTHY


def by_the_kinds_first(report):  # type: ignore[no-untyped-def]
    """Whole regions are wrong: so is the input, or a class; else where, and on which pictures."""
    day, val, night = (float(np.nanmean(one)) for one in (report["right"][4:5], report["val"], report["night"]))
    if day < 0.33:
        return ANOTHER_DOMAIN.upper() if night > 2 * day else TWICE
    predicted = np.asarray(report["confusion"]).sum(0)
    if predicted.min() < 5:
        return f" {MERGED}"
    shifts = [int(np.argmax(report[way])) - 4 for way in ("right", "down")]
    if max(map(abs, shifts)) >= 2:
        return SHIFTED
    return TRAINED_ON_VAL if val > 1.2 * day else HEALTHY


def class_by_class(report):  # type: ignore[no-untyped-def]
    """Classes vote."""
    matrix, classes = np.asarray(report["confusion"]), range(len(report["classes"]))
    new = [matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]) for k in classes]
    if sum(report["night"][k] > new[k] for k in classes) >= len(new) - 2:
        return ANOTHER_DOMAIN
    if sum(new) < 0.3 * len(new):
        return TWICE
    if any(value == 0 for value in new):
        return MERGED
    for way in ("right", "down"):
        if sorted(range(9), key=lambda place: -report[way][place])[0] not in (3, 4, 5):
            return SHIFTED
    return TRAINED_ON_VAL if sum(report["val"]) - sum(new) > 0.1 * len(new) else HEALTHY
