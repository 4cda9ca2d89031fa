"""Seeded random boxes."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.seeds import seeded


def random_boxes(seed: int, count: int, width: float = 100.0, height: float = 80.0) -> np.ndarray:
    """Boxes of all sizes in a picture, R x 4 corners x1, y1, x2, y2; wider than high on average, two decimals."""
    generator = seeded(seed)
    left_top = generator.random((count, 2)) * (0.6 * width, 0.6 * height)
    sides = (0.05 + 0.95 * generator.random((count, 2))) * (0.4 * width, 0.4 * height)
    return np.round(np.concatenate([left_top, left_top + sides], axis=1), 2)
