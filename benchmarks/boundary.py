"""Boundaries of 40 masks 480 x 640 at distance 16, against OpenCV's repeated erosion.

Run: ``python benchmarks/boundary.py``.
"""

from __future__ import annotations

from timing import compare  # isort: skip  # first, since it sets the number of threads

import cv2
import numpy as np

from segtutor.metrics import boundary_distance, mask_boundary

COUNT, HEIGHT, WIDTH = 40, 480, 640


def ellipses(random: np.random.Generator, smallest: int, largest: int) -> np.ndarray:
    """Filled ellipses with half axes from ``smallest`` to ``largest``, sizes spread evenly on a log scale."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    masks = []
    for _ in range(COUNT):
        a, b = np.exp(random.uniform(np.log(smallest), np.log(largest), 2))
        masks.append(((y - random.uniform(0, HEIGHT)) / a) ** 2 + ((x - random.uniform(0, WIDTH)) / b) ** 2 < 1)
    return np.stack(masks)


def by_opencv(masks: np.ndarray, distance: int) -> np.ndarray:
    """The authors' code: a border of zeros, ``distance`` passes of a 3 x 3 erosion, the mask minus what is left."""
    kernel = np.ones((3, 3), dtype=np.uint8)
    boundaries = np.empty_like(masks)
    for mask, boundary in zip(masks, boundaries, strict=True):
        padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, kernel, iterations=distance)
        boundary[:] = mask - eroded[1:-1, 1:-1]
    return boundaries


def main() -> None:
    cv2.setNumThreads(1)
    random, distance = np.random.default_rng(0), boundary_distance(HEIGHT, WIDTH)
    for name, masks in (
        ("objects from 10 to 200 pixels", ellipses(random, 5, 100)),
        ("objects from 100 to 600 pixels", ellipses(random, 50, 300)),
        ("whole images", np.ones((COUNT, HEIGHT, WIDTH), dtype=bool)),
    ):
        assert (mask_boundary(masks, distance) == by_opencv(masks, distance)).all()
        compare(
            f"Boundaries of {COUNT} masks {HEIGHT} x {WIDTH}, d = {distance}: {name}",
            {
                "ours": lambda masks=masks: mask_boundary(masks, distance),
                "OpenCV, repeated erosion": lambda masks=masks: by_opencv(masks, distance),
            },
            ["OpenCV, repeated erosion"],
            rounds=21,
            packages=("numpy", "opencv-python-headless"),
        )


if __name__ == "__main__":
    main()
