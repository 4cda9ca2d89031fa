"""Small inputs that can be read off the page, and seeded random ones."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.seeds import seeded


def mask(rows: str) -> np.ndarray:
    """A mask drawn with # and dots, its rows separated by spaces.

    >>> mask("#. ##").tolist()
    [[True, False], [True, True]]
    """
    return np.array([[letter == "#" for letter in row] for row in rows.split()])


def label_map(rows: str, void: int = 255) -> np.ndarray:
    """A label map drawn with digits, v for void, its rows separated by spaces.

    >>> label_map("01 v1").tolist()
    [[0, 1], [255, 1]]
    """
    return np.array([[void if letter == "v" else int(letter) for letter in row] for row in rows.split()])


def random_mask(seed: int, shape: tuple[int, int], share: float) -> np.ndarray:
    """A mask of independent pixels of which about this share is set."""
    return seeded(seed).random(shape) < share


def random_label_maps(
    seed: int, shape: tuple[int, int], num_classes: int, right: float = 0.7, void: float = 0.1, ignore_index: int = 255
) -> tuple[np.ndarray, np.ndarray]:
    """Target and prediction; of the pixels about ``right`` are predicted right and ``void`` are void in the target."""
    generator = seeded(seed)
    target = generator.integers(0, num_classes, shape)
    prediction = np.where(generator.random(shape) < right, target, generator.integers(0, num_classes, shape))
    return np.where(generator.random(shape) < void, ignore_index, target), prediction


def random_overlaps(seed: int, detections: int, objects: int) -> np.ndarray:
    """IoU of detections with objects: most small, a few large ones in each row; two decimals, none on a threshold."""
    generator = seeded(seed)
    overlaps = generator.random((detections, objects)) ** 1.5
    return np.floor(overlaps * 50) / 50 + 0.0123
