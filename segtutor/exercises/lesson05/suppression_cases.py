"""Boxes, scores and classes that exercise 5.7, non-maximum suppression, is checked with."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.seeds import seeded


def _crowd(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Near copies of a few boxes with different scores and three classes."""
    generator = seeded(seed)
    originals = random_boxes(seed, 5)
    boxes = originals[generator.integers(0, 5, count)] + generator.normal(0, 2.5, (count, 4)).round(2)
    return boxes, generator.permutation(count) / count, generator.integers(1, 4, count)


def _row(count: int) -> np.ndarray:
    """Boxes of 10 x 10, 30 pixels apart."""
    return np.array([[30.0 * number, 0, 30.0 * number + 10, 10] for number in range(count)])


_FAR = (50, 100, 200, 256, 500, 512, 640, 800, 1000, 1024, 2000, 4000, 4096, 5000, 1e4, 1e5, 1e6)
_PAIR = np.array([[0.0, 0, 10, 10], [1.0, 0, 11, 10]])
_CHAIN = np.array([[0.0, 0, 10, 10], [4.0, 0, 14, 10], [8.0, 0, 18, 10]])

CASES = (
    Case(
        "two near copies",
        (_PAIR, np.array([0.8, 0.9]), np.array([1, 1]), 0.5),
        np.array([1]),
    ),
    Case(
        "the same box as two classes",
        (_PAIR[[0, 0]], np.array([0.9, 0.8]), np.array([1, 2]), 0.5),
        np.array([0, 1]),
        "classes",
    ),
    Case(
        "corners between pixels: IoUs of 0.49 and 0.46 about a threshold of 0.48",
        (
            np.array([[0.0, 0, 10, 10], [0, 0, 10, 4.9], [0, 0, 10, 10], [0, 0, 10, 4.6]]),
            np.array([0.9, 0.8, 0.7, 0.6]),
            np.array([1, 1, 2, 2]),
            0.48,
        ),
        np.array([0, 2, 3]),
        "iou",
    ),
    Case(
        "a chain: the middle one is removed and removes nothing",
        (_CHAIN, np.array([0.9, 0.8, 0.7]), np.array([1, 1, 1]), 0.4),
        np.array([0, 2]),
        "chain",
    ),
    Case(
        "IoU equal to the threshold",
        (np.array([[0.0, 0, 2, 1], [0.0, 0, 1, 1]]), np.array([0.9, 0.8]), np.array([3, 3]), 0.5),
        np.array([0, 1]),
        "equal",
    ),
    Case(
        "best score first, across classes",
        (
            np.array([[0.0, 0, 9, 9], [20.0, 0, 29, 9], [40.0, 0, 49, 9]]),
            np.array([0.3, 0.9, 0.6]),
            np.array([1, 2, 1]),
            0.5,
        ),
        np.array([1, 2, 0]),
        "order",
    ),
    Case(
        "a copy of the best, another object between them",
        (
            np.array([[0.0, 0, 9, 9], [20.0, 0, 29, 9], [0.0, 0, 9, 10]]),
            np.array([0.9, 0.8, 0.7]),
            np.array([1, 1, 1]),
            0.5,
        ),
        np.array([0, 1]),
        "all kept",
    ),
    Case("no boxes", (np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=int), 0.5), np.zeros(0, dtype=int), "empty"),
    Case("30 boxes, three classes", (*_crowd(0, 30), 0.5)),
    Case("40 boxes, threshold 0.3", (*_crowd(1, 40), 0.3)),
    Case("40 boxes, threshold 0.7", (*_crowd(2, 40), 0.7)),
    Case(
        "six times the same box",
        (_PAIR[[0] * 6], np.array([0.4, 0.9, 0.5, 0.8, 0.6, 0.7]), np.zeros(6, dtype=int), 0.5),
        np.array([1]),
        "copies",
    ),
    Case(
        "threshold 0: touching boxes survive, overlapping ones do not",
        (
            np.array([[0.0, 0, 10, 10], [9, 0, 19, 10], [19, 0, 29, 10]]),
            np.array([0.9, 0.8, 0.7]),
            np.ones(3, dtype=int),
            0.0,
        ),
        np.array([0, 2]),
        "zero",
    ),
    Case(
        "two classes, boxes up to a million",
        (
            np.array([[0.0, 0, 10, 10], *([at, at, at + 10, at + 10] for at in _FAR)]),
            np.linspace(0.95, 0.05, 1 + len(_FAR)),
            np.array([2] + [1] * len(_FAR)),
            0.5,
        ),
        np.arange(1 + len(_FAR)),
        "far",
    ),
    Case(
        "105 boxes side by side",
        (_row(105), np.linspace(0.1, 0.9, 105), np.ones(105, dtype=int), 0.5),
        np.arange(105)[::-1],
        "many",
    ),
    Case(
        "low scores, and class 0",
        (_row(3), np.array([0.04, 0.0, 0.3]), np.array([1, 1, 0]), 0.5),
        np.array([2, 0, 1]),
        "every score",
    ),
    Case(
        "IoU 0.325 of half pixels, threshold 0.35",
        (
            np.array([[0.0, 0, 10, 10], [5.1, 0, 15.1, 10], [0.4, 20, 3.4, 22], [2.0, 20, 5.0, 22]]),
            np.array([0.9, 0.8, 0.7, 0.6]),
            np.ones(4, dtype=int),
            0.35,
        ),
        np.array([0, 1, 2, 3]),
        "iou",
    ),
    Case(
        "a small box inside a large one",
        (np.array([[0.0, 0, 10, 10], [2.0, 2, 5, 5]]), np.array([0.9, 0.8]), np.array([1, 1]), 0.5),
        np.array([0, 1]),
        "iou",
    ),
    Case(
        "two classes, on both sides of 0",
        (
            np.array([[4.0, 4, 14, 14], [-1000.0, -1000, -990, -990], [-52.0, -52, -42, -42]]),
            np.array([0.9, 0.8, 0.7]),
            np.array([1, 2, 2]),
            0.5,
        ),
        np.array([0, 1, 2]),
        "far",
    ),
    Case(
        "264 boxes, the first 260 of them the same",
        (
            np.concatenate([_PAIR[[0] * 260], _row(4) + np.array([0, 50, 0, 50])]),
            np.linspace(0.1, 0.9, 264),
            np.ones(264, dtype=int),
            0.5,
        ),
        np.array([263, 262, 261, 260, 259]),
        "numbers",
    ),
)
