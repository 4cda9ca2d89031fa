"""Inputs of exercise 6.5, atrous spatial pyramid pooling, and what they give; the small ones by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case
from segtutor.exercises.lesson04.inputs import random_map


def _layer(weight: Any, bias: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(weight, dtype=np.float32), np.array(bias, dtype=np.float32)


def _scale(*weights: float) -> list[list[list[list[float]]]]:
    """A 1 x 1 layer from several channels to one."""
    return [[[[weight]] for weight in weights]]


Arguments = tuple[
    np.ndarray, tuple[int, ...], list[np.ndarray], list[np.ndarray], np.ndarray, np.ndarray, tuple[int, ...]
]


def _arguments(
    features: np.ndarray,
    rates: tuple[int, ...],
    branches: list[tuple[np.ndarray, np.ndarray]],
    projection: tuple[np.ndarray, np.ndarray],
    without: tuple[int, ...] = (),
) -> Arguments:
    return features, rates, [weight for weight, _ in branches], [bias for _, bias in branches], *projection, without


def _random(
    seed: int,
    shape: tuple[int, ...],
    rates: tuple[int, ...],
    widths: tuple[int, ...],
    result: int,
    without: tuple[int, ...] = (),
) -> Arguments:
    """Branches of the given widths, the last one image pooling."""
    sides = (1, *[3] * len(rates), 1)
    branches = [
        (random_map(seed + number, width, shape[1], side, side), random_map(seed + 50 + number, width))
        for number, (width, side) in enumerate(zip(widths, sides, strict=True))
    ]
    projection = (random_map(seed + 90, result, sum(widths), 1, 1), random_map(seed + 91, result))
    return _arguments(random_map(seed + 99, *shape), rates, branches, projection, without)


_ROW = np.array([[[[1, 2, 3, 6]]]], dtype=np.float32)  # mean 3
_LEFT = [[[[0, 0, 0], [1, 0, 0], [0, 0, 0]]]]  # reads the value to the left, at the rate
_NOTHING = _layer(_scale(0), [0])
_NO_TAPS = _layer(np.zeros((1, 1, 3, 3)), [0])
_LEFT_ONLY = _layer(_LEFT, [0])

CASES = (
    Case(
        "only the 1 x 1 branch says something",
        _arguments(_ROW, (1,), [_layer(_scale(2), [1]), _NO_TAPS, _NOTHING], _layer(_scale(1, 0, 0), [-5])),
        np.array([[[[0.0, 0, 2, 8]]]]),
        "one by one",
    ),
    Case(
        "rates 1 and 2 read to the left, the projection weights them 1 and 10",
        _arguments(_ROW, (1, 2), [_NOTHING, _LEFT_ONLY, _LEFT_ONLY, _NOTHING], _layer(_scale(1, 1, 10, 1), [0])),
        np.array([[[[0.0, 1, 2 + 10, 3 + 20]]]]),
        "two rates",
    ),
    Case(
        "only image pooling, mean 3",
        _arguments(_ROW, (2,), [_NOTHING, _NO_TAPS, _layer(_scale(2), [-1])], _layer(_scale(0, 0, 1), [1])),
        np.full((1, 1, 1, 4), 6.0),
        "pooling",
    ),
    Case(
        "a negative branch is cut before the projection",
        _arguments(
            _ROW,
            (),
            [_layer(_scale(-1), [2]), _layer(_scale(-1), [0])],
            _layer([*_scale(-1, 1), *_scale(3, 1)], [0, 0]),
        ),
        np.array([[[[0.0, 0, 0, 0]], [[3, 0, 0, 0]]]]),
        "relu",
    ),
    Case(
        "only image pooling, of a mean that becomes negative",
        _arguments(-_ROW, (1,), [_NOTHING, _NO_TAPS, _layer(_scale(1), [1])], _layer(_scale(0, 0, -1), [0])),
        np.zeros((1, 1, 1, 4)),
        "relu",
    ),
    Case(
        "only image pooling, of two pictures with the means 3 and 6",
        _arguments(
            np.concatenate([_ROW, 2 * _ROW]),
            (1,),
            [_NOTHING, _NO_TAPS, _layer(_scale(1), [0])],
            _layer(_scale(0, 0, 1), [0]),
        ),
        np.array([3.0, 6.0]).repeat(4).reshape(2, 1, 1, 4),
        "own picture",
    ),
    Case("no rates, two channels", _random(300, (1, 2, 3, 4), (), (2, 3), 2)),
    Case("rates 1, 2, 3; two pictures of four channels", _random(0, (2, 4, 6, 7), (1, 2, 3), (3, 3, 3, 3, 3), 5)),
    Case("rates in another order, branches of different widths", _random(500, (1, 3, 9, 8), (4, 2), (1, 2, 3, 2), 4)),
    Case(
        "the 1 x 1 branch is silent: only the projection's bias is left",
        _arguments(_ROW, (1,), [_layer(_scale(2), [1]), _NO_TAPS, _NOTHING], _layer(_scale(1, 0, 0), [4]), (0,)),
        np.full((1, 1, 1, 4), 4.0),
        "silent",
    ),
    Case(
        "image pooling is silent, the 1 x 1 is not",
        _arguments(
            _ROW,
            (1,),
            [_layer(_scale(2), [1]), _NO_TAPS, _layer(_scale(1), [1])],
            _layer(_scale(1, 1, 1), [0]),
            (2,),
        ),
        np.array([[[[3.0, 5, 7, 13]]]]),
        "silent",
    ),
    Case(
        "all branches are silent",
        _arguments(
            _ROW,
            (1,),
            [_layer(_scale(2), [1]), _LEFT_ONLY, _layer(_scale(1), [1])],
            _layer(_scale(1, 1, 1), [0.5]),
            (0, 1, 2),
        ),
        np.full((1, 1, 1, 4), 0.5),
        "silent",
    ),
    Case("the first rate is silent", _random(5, (1, 3, 7, 6), (2, 1), (2, 3, 1, 2), 4, (1,)), hint="silent"),
    Case(
        "two of four are silent, in another order",
        _random(6, (2, 2, 5, 6), (1, 3), (1, 2, 2, 3), 3, (3, 1)),
        hint="silent",
    ),
)
