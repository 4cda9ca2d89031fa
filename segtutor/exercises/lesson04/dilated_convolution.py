"""Exercise 4.2: a dilated convolution of one channel, by hand."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.dilated_convolution_mistakes import MISTAKES
from segtutor.exercises.lesson04.inputs import random_map

STUB = '''
def dilated_convolution(values, kernel, rate):
    """H x W map -> H x W: the k x k kernel (k odd) with its taps `rate` positions apart, zeros beyond the border."""
    raise NotImplementedError("Write dilated_convolution() here, then run this cell again.")
'''


def dilated_convolution(values: np.ndarray, kernel: np.ndarray, rate: int) -> np.ndarray:
    """H x W map -> H x W: the k x k kernel (k odd) with its taps `rate` positions apart, zeros beyond the border."""
    height, width = values.shape
    padded = np.pad(values, rate * (len(kernel) // 2))
    result = np.zeros((height, width))
    for row, weights in enumerate(kernel):
        for column, weight in enumerate(weights):
            top, left = row * rate, column * rate
            result += weight * padded[top : top + height, left : left + width]
    return result


def _pixel_by_pixel(values, kernel, rate):  # type: ignore[no-untyped-def]
    height, width = values.shape
    middle = len(kernel) // 2
    result = [[0.0] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            for a in range(len(kernel)):
                for b in range(len(kernel)):
                    y, x = i + (a - middle) * rate, j + (b - middle) * rate
                    if 0 <= y < height and 0 <= x < width:
                        result[i][j] += float(kernel[a, b] * values[y, x])
    return result


def _stuffed(kernel, rate):  # type: ignore[no-untyped-def]
    """The kernel with rate - 1 zeros between its taps."""
    side = rate * (len(kernel) - 1) + 1
    wide = np.zeros((side, side), dtype=kernel.dtype)
    wide[::rate, ::rate] = kernel
    return wide


def _with_zeros_in_the_kernel(values, kernel, rate):  # type: ignore[no-untyped-def]
    wide = _stuffed(kernel, rate)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, len(wide) // 2), wide.shape)
    return np.einsum("ijab,ab->ij", windows, wide)


def _with_torch(values, kernel, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    tensors = (torch.from_numpy(one)[None, None] for one in (values, kernel))
    return F.conv2d(*tensors, padding=rate * (len(kernel) // 2), dilation=rate)[0, 0]


_POINT = np.zeros((5, 5), dtype=np.float32)
_POINT[2, 2] = 1
_NINE = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
_ROW = np.arange(1, 6, dtype=np.float32)[None]
_SUM = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.float32)


EXERCISE = Exercise(
    id="4.2",
    title="A dilated convolution by hand",
    name="dilated_convolution",
    statement="""
A dilated convolution has the weights of an ordinary one, but its taps lie `rate` positions apart, with nothing in
between. For a kernel of $k \\times k$ weights ($k$ odd, its middle at $m = (k - 1)/2$),

$$\\mathrm{result}[i, j] = \\sum_{a, b} \\mathrm{kernel}[a, b] \\cdot
\\mathrm{values}[i + (a - m)\\,\\mathrm{rate},\\; j + (b - m)\\,\\mathrm{rate}],$$

and what lies beyond the border counts as 0. So the result has the size of the map; for 3 x 3 this is the padding that
equals the rate. Rate 1 is the ordinary convolution. As in every network, the kernel is not flipped.

Write `dilated_convolution(values, kernel, rate)` for one channel, `values` H x W, both `float32`. Write the loops, or
put zeros into the kernel. `F.conv2d` does it in one line, which is good for comparing.
""",
    stub=STUB,
    reference=dilated_convolution,
    cases=(
        Case("one point, rate 1: the kernel, turned by 180 degrees", (_POINT, _NINE, 1), np.pad(_NINE[::-1, ::-1], 1)),
        Case(
            "one point, rate 2: the same with gaps",
            (_POINT, _NINE, 2),
            np.array([[9, 0, 8, 0, 7], [0] * 5, [6, 0, 5, 0, 4], [0] * 5, [3, 0, 2, 0, 1.0]]),
        ),
        Case("1 2 3 4 5, each plus left and right, rate 1", (_ROW, _SUM, 1), np.array([[3.0, 6, 9, 12, 9]])),
        Case("the same at rate 2", (_ROW, _SUM, 2), np.array([[4.0, 6, 9, 6, 8]])),
        Case("rate 7, larger than the map: only the middle tap hits", (_ROW, _SUM, 7), _ROW),
        Case("a 1 x 1 kernel has no taps to move", (_ROW, np.full((1, 1), 2, np.float32), 3), 2 * _ROW),
        Case("a random map, rate 3", (random_map(0, 7, 9), random_map(1, 3, 3), 3)),
        Case("a 5 x 5 kernel, rate 2", (random_map(2, 11, 10), random_map(3, 5, 5), 2)),
        Case("a 5 x 5 kernel, rate 1, a tall map", (random_map(4, 9, 6), random_map(5, 5, 5), 1)),
        Case("a 7 x 7 kernel, rate 2", (random_map(6, 13, 15), random_map(7, 7, 7), 2)),
    ),
    hints={
        "general": Hint(
            "Move the whole map once per tap, multiply it by the weight of the tap, and add up.",
            "Give the map a border of zeros so wide that no tap leaves it. Then each tap reads a window of the size "
            "of the map. Where does the window of tap (0, 0) begin, and how far is the next one moved?",
        ),
        "rate": Hint(
            "The taps are not `rate` positions apart in both directions. (Between two taps lie rate - 1 zeros.)",
            "Tap (a, b) reads at (a - m) * rate and (b - m) * rate from the middle.",
        ),
        "flip": Hint(
            "kernel[0, 0] belongs to the value above and left of the middle: nothing is flipped or transposed.",
            "kernel[a, b] * values[i + (a - m) * rate, j + (b - m) * rate].",
        ),
        "border": Hint(
            "Beyond the border there are zeros, not values of the map, neither copied nor from the other end (as at a "
            "negative index).",
            "np.pad(values, rate * (k // 2)) pads with zeros.",
        ),
        "size": Hint(
            "The result has the size of the map, H x W: a wider kernel needs a wider border of zeros, on every side.",
            "Pad with rate * (k // 2) zeros on every side, for 3 x 3 with `rate`.",
        ),
        "stride": Hint(
            "A rate is not a stride: every position gets a result, only the taps lie apart.",
            "Leave the result at H x W, and multiply the tap's offset by the rate.",
        ),
        "moved": Hint(
            "The middle tap reads the position itself.",
            "Subtract the middle, m = k // 2, from the tap's row and column before you multiply by the rate.",
        ),
        "smeared": Hint(
            "Between the taps lies nothing, neither weights nor values: repeated weights would be another filter.",
            "wide = np.zeros(...); wide[::rate, ::rate] = kernel.",
        ),
        "mean": Hint("The products are added up, not averaged.", "Do not divide by the number of taps."),
        "kernel": Hint(
            "The kernel has any odd size, and every one of its weights counts with its own number.",
            "for a in range(k): for b in range(k), with k = len(kernel).",
        ),
        "numbers": Hint("The result has decimals and signs.", "np.zeros((H, W)) holds floats; no ReLU, no rounding."),
        "square": Hint("A map need not be square: H rows, W columns.", "H, W = values.shape."),
    },
    mistakes=MISTAKES,
    alternatives=(_pixel_by_pixel, _with_zeros_in_the_kernel, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
