"""Small painted files for the tests of loaders: cheap to draw, with every class, void and no symmetry."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.loaders import EIGHT, MEAN, STD, VOID, File, Loader
from segtutor.exercises.seeds import seeded

GRAY_STEP = 30
"""In a probe, a pixel of class k has the gray value 30 k."""


def painted_labels(seed: int, height: int = 24, width: int = 32) -> np.ndarray:
    """Rectangles of all classes with a void border around the last ones, H x W uint8; no mirror image of itself."""
    generator = seeded(seed)
    labels = np.zeros((height, width), dtype=np.uint8)
    for number in [*range(1, len(EIGHT)), *range(1, len(EIGHT))]:
        top, left = generator.integers(0, height - 6), generator.integers(0, width - 8)
        bottom, right = top + generator.integers(4, 9), left + generator.integers(4, 11)
        labels[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = VOID
        labels[top:bottom, left:right] = number
    labels[:2, :3] = 0
    return labels


def painted_files(seed: int, count: int = 6) -> list[File]:
    """Noisy pictures of painted labels; their numbers begin at 8, so that text and number order differ."""
    colors = seeded(seed).integers(30, 226, (256, 3))
    colors[:, 0] = np.minimum(colors[:, 0] + 25, 255)  # a cast, so that red and blue can be told apart
    files = []
    for number in range(8, 8 + count):
        labels = painted_labels(100 * seed + number)
        noise = seeded(1000 * seed + number).integers(-20, 21, (*labels.shape, 3))
        files.append(File(f"scene_{number}", np.clip(colors[labels] + noise, 0, 255).astype(np.uint8), labels))
    return files


def probe_files(seed: int = 0, count: int = 6) -> list[File]:
    """Files whose picture *is* the label map: gray value = 30 x class. There is no void in them."""
    files = []
    for number in range(8, 8 + count):
        labels = painted_labels(100 * seed + number)
        labels = np.where(labels == VOID, 0, labels)
        gray = (GRAY_STEP * labels).astype(np.uint8)
        files.append(File(f"scene_{number}", np.stack([gray] * 3, axis=2), labels))
    return files


def tally(maps: list[np.ndarray]) -> np.ndarray:
    """How often each label 0 ... 256 is in all maps together."""
    return np.bincount(np.concatenate([one.ravel() for one in maps]), minlength=257)


def labels_of(loader: Loader) -> list[np.ndarray]:
    """All label maps that a loader gives, in order."""
    return [loader[index][1] for index in range(len(loader))]


def gray_values(loader: Loader) -> list[np.ndarray]:
    """All pictures that a loader gives, as gray values 0 ... 255 again (of the red channel)."""
    return [np.round(255 * (loader[index][0][0] * STD[0] + MEAN[0])).astype(int) for index in range(len(loader))]
