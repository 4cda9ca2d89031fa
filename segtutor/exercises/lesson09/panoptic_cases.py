"""Queries that exercise 9.6, a panoptic map from masks, is checked with."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case
from segtutor.exercises.lesson09.inputs import blobs


def _of(
    seed: int, queries: int, classes: int, size: tuple[int, int], stuff: tuple[int, ...], limits: tuple[float, float]
) -> tuple[Any, ...]:
    """What a trained network might say; limits are threshold and overlap."""
    logits, masks = blobs(seed, queries, classes, size)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return chances, np.round(1 / (1 + np.exp(-masks)), 4), stuff, *limits


def _many(count: int) -> tuple[Any, ...]:
    """As many things in a row, a pixel each, and each of another class."""
    sure = np.eye(count, count + 1) * 0.9
    sure[:, -1] += 0.1
    return sure, np.eye(count)[:, None] * 0.9, (), 0.8, 0.8


def _large() -> np.ndarray:
    """Two masks of 400 pixels in a row: the first covers all, the second the last hundred, more surely."""
    masks = np.full((2, 1, 400), 0.7)
    masks[1, 0, :300], masks[1, 0, 300:] = 0.0, 0.9
    return masks


_L, _R, _ALL = np.array([[0.9, 0.9, 0.1, 0.1]]), np.array([[0.1, 0.1, 0.9, 0.9]]), np.full((1, 4), 0.7)
_A, _B, _NONE = [0.95, 0.02, 0.03], [0.02, 0.95, 0.03], [0.02, 0.03, 0.95]

CASES = (
    Case(
        "two things side by side",
        (np.array([_A, _A]), np.stack([_L, _R]), (), 0.8, 0.8),
        (np.array([[1, 1, 2, 2]]), np.array([0, 0])),
        "things",
    ),
    Case(
        "the same as stuff",
        (np.array([_A, _A]), np.stack([_L, _R]), (0,), 0.8, 0.8),
        (np.array([[1, 1, 1, 1]]), np.array([0])),
        "stuff",
    ),
    Case(
        "no object does not take part",
        (np.array([_NONE, _B]), np.stack([_ALL + 0.2, _R]), (), 0.8, 0.8),
        (np.array([[0, 0, 1, 1]]), np.array([1])),
        "no object",
    ),
    Case(
        "no object is the best column of a query, and another one is above the threshold",
        (np.array([[0.45, 0.05, 0.5], _B]), np.stack([_L, _R]), (), 0.4, 0.8),
        (np.array([[0, 0, 1, 1]]), np.array([1])),
        "no object",
    ),
    Case(
        "a probability of 0.8 is not above 0.8",
        (np.array([[0.8, 0.1, 0.1], _B]), np.stack([_L, _R]), (), 0.8, 0.8),
        (np.array([[0, 0, 1, 1]]), np.array([1])),
        "threshold",
    ),
    Case(
        "a probability of 0.6 is above 0.5",
        (np.array([[0.6, 0.1, 0.3], _B]), np.stack([_L, _R]), (), 0.5, 0.8),
        (np.array([[1, 1, 2, 2]]), np.array([0, 1])),
        "threshold",
    ),
    Case(
        "most of a mask is lost",
        (np.array([_A, _B]), np.stack([_ALL, _R]), (), 0.8, 0.8),
        (np.array([[0, 0, 1, 1]]), np.array([1])),
        "overlap",
    ),
    Case(
        "the same with an overlap of one half",
        (np.array([_A, _B]), np.stack([_ALL, _R]), (), 0.8, 0.5),
        (np.array([[1, 1, 2, 2]]), np.array([0, 1])),
        "overlap",
    ),
    Case(
        "all that a query has won counts, covered or not",
        (np.array([_A, _B]), np.array([[[0.9, 0.6, 0.3, 0.3]], [[0.0, 0.9, 0.1, 0.1]]]), (), 0.8, 0.8),
        (np.array([[1, 2, 0, 0]]), np.array([0, 1])),
        "overlap",
    ),
    Case(
        "won with less than one half",
        (np.array([_A]), np.array([[[0.9, 0.9, 0.3, 0.1]]]), (), 0.8, 0.8),
        (np.array([[1, 1, 0, 0]]), np.array([0])),
        "half",
    ),
    Case(
        "the surer query wins where masks are equal",
        (np.array([[0.85, 0.1, 0.05], _B]), np.stack([_ALL, _ALL]), (), 0.8, 0.8),
        (np.array([[1, 1, 1, 1]]), np.array([1])),
        "product",
    ),
    Case(
        "two equal queries: the first wins",
        (np.array([_A, [0.02, 0.95, 0.03]]), np.stack([_ALL, _ALL]), (), 0.8, 0.8),
        (np.array([[1, 1, 1, 1]]), np.array([0])),
        "equals",
    ),
    Case(
        "nobody is sure",
        (np.array([[0.4, 0.4, 0.2]]), np.stack([_ALL]), (), 0.8, 0.8),
        (np.zeros((1, 4)), np.zeros(0)),
        "nobody",
    ),
    Case(
        "stuff, a thing, and the same stuff again",
        (
            np.array([_A, _B, _A]),
            np.array([[[0.9, 0.0, 0.0]], [[0.0, 0.9, 0.0]], [[0.0, 0.0, 0.9]]]),
            (0,),
            0.8,
            0.8,
        ),
        (np.array([[1, 2, 1]]), np.array([0, 1])),
        "stuff",
    ),
    Case(
        "an overlap of 0: who has won nothing is dropped, and who wins without covering, too",
        (np.array([_A, _B, _A]), np.array([[[0.6, 0.6, 0.0]], [[0.9, 0.9, 0.0]], [[0.0, 0.0, 0.3]]]), (), 0.8, 0.0),
        (np.array([[1, 1, 0]]), np.array([1])),
        "overlap",
    ),
    Case(
        "a mask of exactly 0.5 covers",
        (np.array([_A, _B]), np.array([[[0.9, 0.9, 0.5, 0.5]], [[0.0, 0.0, 0.9, 0.0]]]), (), 0.8, 0.8),
        (np.array([[0, 0, 1, 0]]), np.array([1])),
        "half",
    ),
    Case(
        "masks of 0.505 cover",
        (np.array([_A, _B]), np.array([[[0.9, 0.505, 0.505]], [[0.0, 0.9, 0.9]]]), (), 0.8, 0.5),
        (np.array([[0, 1, 1]]), np.array([1])),
        "half",
    ),
    Case(
        "a mask of 0.5 everywhere",
        (np.array([_A]), np.full((1, 1, 4), 0.5), (), 0.8, 0.8),
        (np.array([[1, 1, 1, 1]]), np.array([0])),
        "half",
    ),
    Case(
        "400 pixels are covered, 300 won",
        (np.array([_A, _B]), _large(), (), 0.8, 0.8),
        (np.array([[0] * 300 + [1] * 100]), np.array([1])),
        "overlap",
    ),
    Case(
        "class 299 is stuff, twice",
        (np.repeat(_many(300)[0][-1:], 2, axis=0), np.stack([_L, _R]), (299,), 0.8, 0.8),
        (np.array([[1, 1, 1, 1]]), np.array([299])),
        "stuff",
    ),
    Case("300 things of 300 classes", _many(300), (np.arange(1, 301)[None], np.arange(300)), "numbers"),
    Case("8 queries, 8 x 10", _of(0, 8, 3, (8, 10), (0,), (0.8, 0.8))),
    Case("12 queries, 12 x 9", _of(1, 12, 4, (12, 9), (1, 2), (0.8, 0.8))),
    Case("20 queries, 10 x 10, threshold 0.5", _of(2, 20, 5, (10, 10), (0, 4), (0.5, 0.6))),
    Case("16 queries, 9 x 14, overlap 0.3", _of(3, 16, 2, (9, 14), (1,), (0.9, 0.3))),
)
