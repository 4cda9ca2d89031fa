"""Submissions for tests: notebooks as people, platforms and accidents write them."""

from __future__ import annotations

import json

IOU = """
import numpy as np
def iou(a, b):
    union = np.logical_or(a, b).sum()
    return np.logical_and(a, b).sum() / union if union else np.nan
"""
PRECISION_RECALL = """
import numpy as np
def precision_recall(scores, is_match, num_positives, threshold):
    kept = scores >= threshold
    with np.errstate(all="ignore"):
        return is_match[kept].sum() / kept.sum(), np.divide(is_match[kept].sum(), num_positives)
"""
CHECKS = "import segtutor\nsegtutor.check('1.1', iou)"


def notebook(*sources, **extra):
    """A notebook's text with these code cells."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for i, source in enumerate(sources)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **extra})


def hand_in(path, *sources):
    """Write a notebook with these code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(*sources), encoding="utf-8")
    return path
