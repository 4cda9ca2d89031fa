"""Exercise 3.1: a fully connected layer of another framework as a convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def as_convolution(weight, height, width):
    """(H W C) x K weights of a layer that read H x W x C -> the K x C x H x W kernel of the same layer."""
    raise NotImplementedError("Write as_convolution() here, then run this cell again.")
'''


def as_convolution(weight: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H W C) x K weights of a layer that read H x W x C -> the K x C x H x W kernel of the same layer."""
    inputs, outputs = weight.shape
    by_place = weight.reshape(height, width, inputs // (height * width), outputs)
    return by_place.transpose(3, 2, 0, 1)


def _with_loops(weight, height, width):  # type: ignore[no-untyped-def]
    inputs, outputs = weight.shape
    channels = inputs // height // width
    kernel = np.zeros((outputs, channels, height, width))
    for place, row in enumerate(weight):
        pixel, channel = divmod(place, channels)
        kernel[:, channel, pixel // width, pixel % width] = row
    return kernel


def _by_index(weight, height, width):  # type: ignore[no-untyped-def]
    places = np.arange(len(weight)).reshape(height, width, -1).transpose(2, 0, 1)
    return weight.T[:, places]


def _channel_by_channel(weight, height, width):  # type: ignore[no-untyped-def]
    channels = len(weight) // (height * width)
    return np.stack([weight[c::channels].T.reshape(-1, height, width) for c in range(channels)], axis=1)


def _numbered(outputs: int, channels: int, height: int, width: int) -> np.ndarray:
    """Weights 0, 1, 2, ... so that every place can be told from every other."""
    return np.arange(height * width * channels * outputs, dtype=float).reshape(-1, outputs)


def _with_decimals(outputs: int, channels: int, height: int, width: int) -> np.ndarray:
    """Weights that neither whole numbers nor half precision can hold."""
    return seeded(0).normal(0, 3000, (height * width * channels, outputs)).round(2)


def _right_but(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, int, int], np.ndarray]:
    """An answer that changes the right kernel."""
    return lambda weight, height, width: change(as_convolution(weight, height, width))


def _flat(change):  # type: ignore[no-untyped-def]
    """An answer from ``change(weights, outputs, channels, height, width)``."""
    return lambda w, h, wide: change(w, w.shape[1], len(w) // (h * wide), h, wide)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    outputs, channels, height, width = generator.integers(2, 5, 4).tolist()
    return generator.normal(size=(height * width * channels, outputs)).round(2), height, width


EXERCISE = Exercise(
    id="3.1",
    title="A fully connected layer as a convolution",
    name="as_convolution",
    statement="""
For a layer of PyTorch one reshape is enough, as lesson 3 has shown. You want to use a classifier that was trained in
TensorFlow. There a map is H x W x C, and it is flattened as it lies in memory: row by row, in a row pixel by pixel, and
of each pixel all channels one after the other. The layer has one row of weights per *input* and one column per output,
(H · W · C) x K. The map need not be square.

Write `as_convolution(weight, height, width)`, which gives the kernel K x C x H x W with which PyTorch's convolution
computes the same on maps C x H x W. No number changes; each finds its new place.
""",
    stub=STUB,
    reference=as_convolution,
    drawn=_drawn,
    cases=(
        Case("a row of two pixels, two channels", (_numbered(1, 2, 1, 2), 1, 2), np.array([[[[0, 2]], [[1, 3]]]])),
        Case(
            "two outputs, one channel of 2 x 2",
            (_numbered(2, 1, 2, 2), 2, 2),
            np.array([[[[0, 2], [4, 6]]], [[[1, 3], [5, 7]]]]),
        ),
        Case("a 1 x 1 map", (_numbered(2, 3, 1, 1), 1, 1), np.array([[[[0]], [[2]], [[4]]], [[[1]], [[3]], [[5]]]])),
        Case("three outputs, two channels of 2 x 3", (_numbered(3, 2, 2, 3), 2, 3)),
        Case("two outputs, two channels of 3 x 2", (_numbered(2, 2, 3, 2), 3, 2)),
        Case("four outputs, four channels of 4 x 4, with decimals", (_with_decimals(4, 4, 4, 4), 4, 4)),
    ),
    hints={
        "general": Hint(
            "Give each index of the weights its own axis, in the order in which they run; then put the axes in order.",
            "The slowest index of the weights is the row, the fastest the output. One reshape makes four axes of two, "
            "and one transpose moves outputs and channels to the front.",
        ),
        "order": Hint(
            "Here the channel runs faster than the column, and the column faster than the row. In PyTorch the channel "
            "is the slowest of the three.",
            "Cut the first axis up as height, width, channels, and only then move the channels to the front.",
        ),
        "rows": Hint(
            "The flattened map goes through each row from left to right, and a map need not be square.",
            "The height is the first of the two axes, in the weights and in the kernel.",
        ),
        "turned": Hint(
            "PyTorch's convolution does not turn the kernel, so nothing has to be undone: no axis runs backward.",
            "Leave out [::-1] and rot90; only the order of the axes changes.",
        ),
        "axes": Hint(
            "The outputs are the *last* axis of the weights and the first of the kernel, all K of them, in order.",
            "transpose moves an axis with its numbers; a reshape to the wanted shape would only cut them up anew.",
        ),
        "last": Hint(
            "The numbers are at the right places of four axes, but the axes are not in PyTorch's order.",
            "PyTorch wants outputs, channels, rows, columns.",
        ),
        "shape": Hint(
            "The result must have four axes: outputs, channels, rows, columns.",
            "The number of channels is len(weight) divided by height * width.",
        ),
        "numbers": Hint(
            "Only places change: every weight keeps its value, decimals and all.",
            "No division and no astype.",
        ),
    },
    mistakes=(
        Mistake("as PyTorch flattens", _flat(lambda w, k, c, h, x: w.T.reshape(k, c, h, x)), "order"),
        Mistake("channels between", _flat(lambda w, k, c, h, x: w.T.reshape(k, h, c, x).swapaxes(1, 2)), "order"),
        Mistake("channels backward", _right_but(lambda kernel: kernel[:, ::-1]), "order"),
        Mistake("Fortran order", _flat(lambda w, k, c, h, x: w.T.reshape((k, c, h, x), order="F")), "order"),
        Mistake("rows and columns exchanged", _right_but(lambda kernel: kernel.swapaxes(2, 3)), "rows"),
        Mistake(
            "width before height", _flat(lambda w, k, c, h, x: w.reshape(x, h, c, k).transpose(3, 2, 0, 1)), "rows"
        ),
        Mistake("turned by 180 degrees", _right_but(lambda kernel: kernel[:, :, ::-1, ::-1]), "turned"),
        Mistake("upside down", _right_but(lambda kernel: kernel[:, :, ::-1]), "turned"),
        Mistake("right to left", _right_but(lambda kernel: kernel[..., ::-1]), "turned"),
        Mistake("turned by 90 degrees", _right_but(lambda kernel: np.rot90(kernel, axes=(2, 3))), "turned"),
        Mistake("one reshape", _flat(lambda w, k, c, h, x: w.reshape(k, c, h, x)), "axes"),
        Mistake(
            "one reshape, channels last",
            _flat(lambda w, k, c, h, x: w.reshape(k, h, x, c).transpose(0, 3, 1, 2)),
            "axes",
        ),
        Mistake("inputs before outputs", _right_but(lambda kernel: kernel.swapaxes(0, 1)), "axes"),
        Mistake("outputs backward", _right_but(lambda kernel: kernel[::-1]), "axes"),
        Mistake("first output only", _right_but(lambda kernel: kernel[0]), "axes"),
        Mistake("first output only, four axes", _right_but(lambda kernel: kernel[:1]), "axes"),
        Mistake("left as height, width, channels, outputs", _flat(lambda w, k, c, h, x: w.reshape(h, x, c, k)), "last"),
        Mistake("channels left last", _right_but(lambda kernel: kernel.transpose(0, 2, 3, 1)), "last"),
        Mistake("outputs left last", _right_but(lambda kernel: kernel.transpose(1, 2, 3, 0)), "last"),
        Mistake("nothing done", lambda w, h, x: w.copy(), "shape"),
        Mistake("transposed only", lambda w, h, x: w.T.copy(), "shape"),
        Mistake("a 1 x 1 kernel", lambda w, h, x: w.T[:, :, None, None], "shape"),
        Mistake("left flat", _right_but(lambda kernel: kernel.reshape(*kernel.shape[:2], -1)), "shape"),
        Mistake("one more axis", _right_but(lambda kernel: kernel[None]), "shape"),
        Mistake("channels summed", _right_but(lambda kernel: kernel.sum(1, keepdims=True)), "shape"),
        Mistake("divided by the places", _right_but(lambda kernel: kernel / kernel[0, 0].size), "numbers"),
        Mistake("divided by the inputs", _right_but(lambda kernel: kernel / kernel[0].size), "numbers"),
        Mistake("decimals cut off", _right_but(lambda kernel: kernel.astype(int)), "numbers"),
        Mistake("half precision", _right_but(lambda kernel: kernel.astype(np.float16)), "numbers"),
        Mistake("absolute values", _right_but(abs), "numbers"),
    ),
    alternatives=(_with_loops, _by_index, _channel_by_channel),
    points=2,
    minutes=15,
    difficulty=2,
)
