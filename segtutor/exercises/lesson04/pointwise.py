"""Exercise 4.6: the 1 x 1 convolution is a matrix product at every position."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson04.inputs import ramp, random_map
from segtutor.exercises.lesson04.pointwise_mistakes import MISTAKES

STUB = '''
def pointwise_convolution(x, weight, bias):
    """B x C x H x W -> B x K x H x W: the matrix `weight` (K x C) times the channels of each position, plus `bias`."""
    raise NotImplementedError("Write pointwise_convolution() here, then run this cell again.")
'''


def pointwise_convolution(x: Any, weight: Any, bias: Any) -> Any:
    """B x C x H x W -> B x K x H x W: the matrix `weight` (K x C) times the channels of each position, plus `bias`."""
    x, weight, bias = torch.as_tensor(x), torch.as_tensor(weight), torch.as_tensor(bias)
    return torch.einsum("kc,bchw->bkhw", weight, x) + bias[:, None, None]


def _with_convolution(x, weight, bias):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    weight = torch.as_tensor(weight)[:, :, None, None]
    return F.conv2d(torch.as_tensor(x), weight, torch.as_tensor(bias))


def _with_matrix_product(x, weight, bias):  # type: ignore[no-untyped-def]
    columns = x.reshape(*x.shape[:2], -1)  # B x C x (H W)
    return (weight @ columns + bias[:, None]).reshape(len(x), len(weight), *x.shape[2:])


def _with_loops(x, weight, bias):  # type: ignore[no-untyped-def]
    batch, _, height, width = x.shape
    result = np.zeros((batch, len(weight), height, width))
    for number in range(batch):
        for row in range(height):
            for column in range(width):
                result[number, :, row, column] = weight @ x[number, :, row, column] + bias
    return result


def _as_linear_layer(x, weight, bias):  # type: ignore[no-untyped-def]
    return (np.moveaxis(x, 1, -1) @ weight.T + bias).transpose(0, 3, 1, 2)


_TWO = np.stack([np.arange(4.0), 10 * np.arange(4.0)]).reshape(1, 2, 2, 2).astype(np.float32)


def _numbers(*values: object) -> np.ndarray:
    return np.array(values, dtype=np.float32)


EXERCISE = Exercise(
    id="4.6",
    title="The 1 x 1 convolution",
    name="pointwise_convolution",
    statement="""
A 1 x 1 convolution looks at one position at a time. It takes the C numbers that stand there, multiplies them by a
K x C matrix, the *same* at every position, and adds K biases:

$$\\mathrm{result}[b, :, i, j] = \\mathrm{weight} \\cdot x[b, :, i, j] + \\mathrm{bias}.$$

This is how the levels of the pyramid are cut to a quarter of the channels, and how every network of this course ends.
Write `pointwise_convolution(x, weight, bias)`: `x` is B x C x H x W, `weight` K x C, `bias` holds K numbers. The
result is B x K x H x W. `torch.einsum` says it in one line, but any way is fine.
""",
    stub=STUB,
    reference=pointwise_convolution,
    cases=(
        Case(
            "sum and difference of two channels",
            (_TWO, _numbers([1, 1], [1, -1]), _numbers(0, 0)),
            np.array([[[[0.0, 11], [22, 33]], [[0, -9], [-18, -27]]]]),
        ),
        Case(
            "one channel to three",
            (ramp(1, 3), _numbers([1], [2], [0]), _numbers(0, 0.5, -1)),
            np.array([[[[0.0, 1, 2]], [[0.5, 2.5, 4.5]], [[-1, -1, -1]]]]),
        ),
        Case(
            "two channels to one",
            (_TWO, _numbers([0.5, 0.25]), _numbers(1)),
            np.array([[[[1.0, 4], [7, 10]]]]),
        ),
        Case("two pictures", (random_map(0, 2, 4, 3, 5), random_map(1, 6, 4), random_map(2, 6))),
        Case("as many channels out as in", (random_map(3, 3, 5, 4, 4), random_map(4, 5, 5), random_map(5, 5))),
        Case("a map of one position", (random_map(6, 1, 8, 1, 1), random_map(7, 2, 8), random_map(8, 2))),
        Case(
            "height, width and all channels alike", (random_map(9, 2, 4, 4, 4), random_map(10, 4, 4), random_map(11, 4))
        ),
    ),
    hints={
        "general": Hint(
            "Only the channels are mixed: at each position a matrix meets a vector, and picture, row and column stay "
            "as they are.",
            "Give every axis a letter. The letter of the C channels stands in both arguments and not in the result, "
            "so it is summed. The biases belong to the axis of K: give them axes of length 1 for those that follow "
            "it.",
        ),
        "bias": Hint(
            "Output channel k gets bias[k], its own, the same at all positions: added once, after the sum.",
            "bias[:, None, None] has the shape K x 1 x 1 and fits to K x H x W.",
        ),
        "weight": Hint(
            "Row k of the matrix makes output channel k, from all input channels, as a plain sum of products.",
            "result[:, k] is the sum over c of weight[k, c] * x[:, c].",
        ),
        "folding": Hint(
            "A reshape does not move channels: values of different channels or positions get mixed.",
            "Move the channels to the end first (x.permute(0, 2, 3, 1)), multiply by weight.T, and move them back.",
        ),
        "shape": Hint("The channels stand in the second place: B x K x H x W.", "permute(0, 3, 1, 2) moves them back."),
        "position": Hint(
            "A 1 x 1 convolution keeps all pictures and all positions, each by itself.",
            "Sum over the input channels only.",
        ),
        "activation": Hint("A convolution has no ReLU and no softmax in it.", "Leave negative results as they are."),
        "numbers": Hint("Results have decimals.", "No astype(int) and no rounding, and the bias has decimals, too."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_convolution, _with_matrix_product, _with_loops, _as_linear_layer),
    points=2,
    minutes=10,
    difficulty=1,
)
