"""Exercise 3.1: a fully connected layer as a convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def as_convolution(weight, channels, side):
    """K x (C side side) weights of a linear layer -> the K x C x side x side kernel of the same layer."""
    raise NotImplementedError("Write as_convolution() here, then run this cell again.")
'''


def as_convolution(weight: np.ndarray, channels: int, side: int) -> np.ndarray:
    """K x (C side side) weights of a linear layer -> the K x C x side x side kernel of the same layer."""
    return weight.reshape(len(weight), channels, side, side)


def _with_loops(weight, channels, side):  # type: ignore[no-untyped-def]
    kernel = np.zeros((len(weight), channels, side, side))
    for k, row in enumerate(weight):
        for place, value in enumerate(row):
            kernel[k, place // side**2, place // side % side, place % side] = value
    return kernel


def _by_index(weight, channels, side):  # type: ignore[no-untyped-def]
    return weight[:, np.arange(channels * side * side).reshape(channels, side, side)]


def _by_splitting(weight, channels, side):  # type: ignore[no-untyped-def]
    return np.stack([np.stack([np.stack(np.split(c, side)) for c in np.split(row, channels)]) for row in weight])


def _channels_last(weight, channels, side):  # type: ignore[no-untyped-def]
    return weight.reshape(len(weight), side, side, channels).transpose(0, 3, 1, 2)


def _numbered(outputs: int, channels: int, side: int) -> np.ndarray:
    """Weights 0, 1, 2, ... so that every place can be told from every other."""
    return np.arange(outputs * channels * side * side, dtype=float).reshape(outputs, -1)


def _with_decimals(outputs: int, channels: int, side: int) -> np.ndarray:
    """Weights that neither whole numbers nor half precision can hold."""
    return np.random.default_rng(0).normal(0, 3000, (outputs, channels * side * side)).round(2)


EXERCISE = Exercise(
    id="3.1",
    title="A fully connected layer as a convolution",
    name="as_convolution",
    statement="""
A linear layer follows a map of C x side x side that was flattened: channel by channel, each channel row by row. Its
weights are K x (C · side · side). Write `as_convolution(weight, channels, side)`, which gives the kernel
K x C x side x side of the convolution that computes the same. Only the shape changes, no number.
""",
    stub=STUB,
    reference=as_convolution,
    cases=(
        Case("two channels of 2 x 2", (_numbered(1, 2, 2), 2, 2), np.array([[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]])),
        Case(
            "two outputs, one channel",
            (_numbered(2, 1, 2), 1, 2),
            np.array([[[[0, 1], [2, 3]]], [[[4, 5], [6, 7]]]]),
        ),
        Case("a 1 x 1 map", (_numbered(2, 3, 1), 3, 1), np.arange(6).reshape(2, 3, 1, 1)),
        Case("three outputs, two channels of 3 x 3", (_numbered(3, 2, 3), 2, 3)),
        Case("four outputs, four channels of 4 x 4, with decimals", (_with_decimals(4, 4, 4), 4, 4)),
    ),
    hints={
        "general": Hint(
            "The flattened map goes through the channels first, then through the rows. The weights lie in that order.",
            "A reshape reads the numbers with the last axis running fastest and writes them in the same way. Is this "
            "the order in which the flattened map was read? Then nothing has to be moved.",
        ),
        "order": Hint(
            "The channel is the slowest index of the flattened map, the column the fastest.",
            "weight.reshape(K, channels, side, side), in NumPy's usual (C) order, without a transpose.",
        ),
        "rows": Hint(
            "The flattened map goes through each row from left to right: rows come before columns.",
            "No transpose of the last two axes.",
        ),
        "turned": Hint(
            "PyTorch's convolution does not turn the kernel, so nothing has to be undone: no axis runs backward.",
            "Leave the numbers in their order; only reshape.",
        ),
        "axes": Hint(
            "The first axis of the weights is the output. It stays the first axis of the kernel, with all K entries.",
            "The shape is (K, channels, side, side) with K = len(weight).",
        ),
        "shape": Hint(
            "The result must have four axes: outputs, channels, rows, columns.",
            "weight.reshape(len(weight), channels, side, side).",
        ),
        "numbers": Hint(
            "Only the shape changes: every weight keeps its value, decimals and all.",
            "No division and no astype, only a reshape.",
        ),
        "side": Hint(
            "The map's side is an argument: 7 in VGG16, another number elsewhere.",
            "weight.reshape(len(weight), channels, side, side).",
        ),
    },
    mistakes=(
        Mistake("channels last", _channels_last, "order"),
        Mistake("Fortran order", lambda w, c, s: w.reshape((len(w), c, s, s), order="F"), "order"),
        Mistake("channels backward", lambda w, c, s: as_convolution(w, c, s)[:, ::-1], "order"),
        Mistake("rows and columns exchanged", lambda w, c, s: as_convolution(w, c, s).swapaxes(2, 3), "rows"),
        Mistake("turned by 180 degrees", lambda w, c, s: as_convolution(w, c, s)[:, :, ::-1, ::-1], "turned"),
        Mistake("upside down", lambda w, c, s: as_convolution(w, c, s)[:, :, ::-1], "turned"),
        Mistake("inputs and outputs exchanged", lambda w, c, s: w.reshape(c, len(w), s, s), "axes"),
        Mistake("weights transposed", lambda w, c, s: w.T.reshape(len(w), c, s, s), "axes"),
        Mistake("map left flat", lambda w, c, s: w.reshape(len(w), c, s * s), "shape"),
        Mistake("nothing done", lambda w, c, s: w.copy(), "shape"),
        Mistake("channels last and left there", lambda w, c, s: w.reshape(len(w), s, s, c), "shape"),
        Mistake("outputs last", lambda w, c, s: w.T.reshape(c, s, s, len(w)), "shape"),
        Mistake("one more axis", lambda w, c, s: as_convolution(w, c, s)[None], "shape"),
        Mistake("a 1 x 1 kernel", lambda w, c, s: w[:, :, None, None], "shape"),
        Mistake("one axis of channels and outputs", lambda w, c, s: w.reshape(-1, s, s), "shape"),
        Mistake("inputs before outputs", lambda w, c, s: as_convolution(w, c, s).swapaxes(0, 1), "axes"),
        Mistake("first output only", lambda w, c, s: as_convolution(w, c, s)[0], "axes"),
        Mistake("first output only, four axes", lambda w, c, s: as_convolution(w, c, s)[:1], "axes"),
        Mistake("outputs backward", lambda w, c, s: as_convolution(w, c, s)[::-1], "axes"),
        Mistake("weights transposed, outputs moved", lambda w, c, s: w.T.reshape(c, len(w), s, s), "axes"),
        Mistake("right to left", lambda w, c, s: as_convolution(w, c, s)[..., ::-1], "turned"),
        Mistake("turned by 90 degrees", lambda w, c, s: np.rot90(as_convolution(w, c, s), axes=(2, 3)), "turned"),
        Mistake("all backward", lambda w, c, s: as_convolution(w[:, ::-1], c, s), "turned"),
        Mistake("divided by the positions", lambda w, c, s: as_convolution(w, c, s) / s**2, "numbers"),
        Mistake("divided by the inputs", lambda w, c, s: as_convolution(w, c, s) / w.shape[1], "numbers"),
        Mistake("decimals cut off", lambda w, c, s: as_convolution(w, c, s).astype(int), "numbers"),
        Mistake("half precision", lambda w, c, s: as_convolution(w, c, s).astype(np.float16), "numbers"),
        Mistake("absolute values", lambda w, c, s: abs(as_convolution(w, c, s)), "numbers"),
        Mistake("7 x 7 always", lambda w, c, s: w.reshape(len(w), c, 7, 7), "side"),
        Mistake("side of the square root", lambda w, c, s: w.reshape(len(w), -1, s * s, 1), "shape"),
        Mistake("channels summed", lambda w, c, s: as_convolution(w, c, s).sum(1, keepdims=True), "shape"),
        Mistake("outputs summed", lambda w, c, s: as_convolution(w, c, s).sum(0, keepdims=True), "axes"),
        Mistake("every channels-th number", lambda w, c, s: w.reshape(len(w), s * s, c).swapaxes(1, 2), "shape"),
    ),
    alternatives=(_with_loops, _by_index, _by_splitting),
    points=2,
    minutes=10,
    difficulty=1,
)
