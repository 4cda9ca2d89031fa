"""Seeded answers of a network and the objects of a picture."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.seeds import seeded


def answers(seed: int, queries: int, classes: int, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Class logits Q x (K + 1) and mask logits Q x size, two decimals."""
    generator = seeded(seed)
    logits = np.round(generator.normal(0, 2, (queries, classes + 1)), 2)
    return logits, np.round(generator.normal(0, 3, (queries, *size)), 2)


def objects(seed: int, count: int, classes: int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels T and masks T x P of 0 and 1, each with at least one 1."""
    generator = seeded(seed + 100)
    masks = (generator.random((count, points)) < 0.4).astype(float)
    masks[:, 0] = 1
    return generator.integers(0, classes, count), masks


def blobs(seed: int, queries: int, classes: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Sure class logits and smooth mask logits: what a trained network says."""
    generator = seeded(seed)
    logits = np.round(generator.normal(0, 1, (queries, classes + 1)), 2)
    logits[np.arange(queries), generator.integers(0, classes + 1, queries)] += 5
    rows, columns = np.mgrid[: size[0], : size[1]]
    middle = generator.random((queries, 2)) * size
    radius = 1.0 + 3 * generator.random(queries)
    distance = np.hypot(rows - middle[:, 0, None, None], columns - middle[:, 1, None, None])
    return logits, np.round(2 * (radius[:, None, None] - distance), 2)
