"""Seeded prompts, masks and pictures with errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.later import ndimage
from segtutor.exercises.seeds import seeded


def prompt(seed: int, count: int, box: bool, size: tuple[int, int], channels: int = 6) -> tuple[Any, ...]:
    """Points N x 2, labels, a box or none, the picture's size, and what a prompt encoder has learned."""
    generator = seeded(seed)
    height, width = size
    points = np.stack([generator.integers(0, width, count), generator.integers(0, height, count)], axis=1)
    corners = None
    if box:
        corners = np.array([width // 8, height // 6, width - 1 - int(generator.integers(1, 4)), height - 2])
    learned = np.round(generator.normal(size=(5, channels)), 2)
    frequencies = np.round(generator.normal(size=(2, channels // 2)), 2)
    return points, generator.integers(0, 2, count), corners, size, frequencies, learned[:4], learned[4]


def answers(seed: int, prompts: int, masks: int, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits R x m x P and targets R x P of 0 and 1; every target has pixels inside."""
    generator = seeded(seed)
    targets = (generator.random((prompts, pixels)) < 0.4).astype(float)
    targets[:, 0] = 1
    right = 4 * targets[:, None] - 2
    return np.round(right + generator.normal(0, 3, (prompts, masks, pixels)), 2), targets


def file_of_a_mask(seed: int, masks: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits m x H x W, a mask of 0 and 255, and which pixels count."""
    generator = seeded(seed)
    target = (generator.random(size) < 0.5).astype(int)
    target[0, 0] = 1
    logits = np.round(2 * target - 1 + generator.normal(0, 1.2, (masks, *size)), 2)
    logits[0, -1, -1] = 0.0
    known = generator.random(size) < 0.8
    known[0, 0] = known[-1, -1] = True
    return logits, 255 * target, known


def errors(seed: int, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of a rectangle found a little elsewhere, with holes; what is meant; which pixels count.

    The largest error is larger than all others of its picture.
    """
    generator = seeded(seed)
    while True:
        target, found = _rectangle(generator, size), _rectangle(generator, size)
        found ^= generator.random(size) < 0.06
        known = generator.random(size) < 0.97
        sizes: list[int] = []
        for wrong in (target & ~found & known, found & ~target & known):
            sizes += np.bincount(ndimage.label(wrong)[0].ravel())[1:].tolist()
        if len(sizes) > 1 and sorted(sizes)[-1] > sorted(sizes)[-2]:
            break
    strength = np.round(0.1 + 3 * generator.random(size), 2)
    return np.where(found, strength, -strength), target, known


def _rectangle(generator: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    top, left = (int(generator.integers(0, side // 2)) for side in size)
    mask = np.zeros(size, dtype=bool)
    mask[top : top + size[0] // 2, left : left + size[1] // 2] = True
    return mask
