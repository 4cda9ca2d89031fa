"""Exercise 6.1: atrous convolution, an ordinary one with a kernel that is stuffed with zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map
from segtutor.exercises.lesson06.atrous_mistakes import MISTAKES

STUB = '''
def atrous_convolution(features, weight, bias, rate):
    """B x C x H x W -> B x K x H x W: an ordinary convolution, its kernel stuffed with rate - 1 zeros between taps."""
    raise NotImplementedError("Write atrous_convolution() here, then run this cell again.")
'''


def atrous_convolution(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    """B x C x H x W -> B x K x H x W: an ordinary convolution, its kernel stuffed with rate - 1 zeros between taps."""
    features, weight, bias = (torch.as_tensor(one) for one in (features, weight, bias))
    side = rate * (weight.shape[-1] - 1) + 1
    stuffed = weight.new_zeros(*weight.shape[:2], side, side)
    stuffed[:, :, ::rate, ::rate] = weight
    return F.conv2d(features, stuffed, bias, padding=side // 2)


def _with_dilation(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    tensors = [torch.as_tensor(one) for one in (features, weight, bias)]
    return F.conv2d(*tensors, padding=rate * (weight.shape[-1] // 2), dilation=rate)


def _with_moved_maps(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    """The whole map is moved once per tap."""
    height, width = features.shape[-2:]
    margin = rate * (weight.shape[-1] // 2)
    padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    result = np.zeros((len(features), len(weight), height, width)) + bias[:, None, None]
    for a in range(weight.shape[2]):
        for b in range(weight.shape[3]):
            moved = padded[:, :, a * rate : a * rate + height, b * rate : b * rate + width]
            result += np.einsum("kc,bchw->bkhw", weight[:, :, a, b], moved)
    return result


def _stuffed_by_kron(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    grain = np.zeros((rate, rate), dtype=weight.dtype)
    grain[0, 0] = 1
    side = rate * (weight.shape[-1] - 1) + 1
    wide = np.kron(weight, grain)[:, :, :side, :side]
    margin = side // 2
    padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(2, 3))
    return np.einsum("bchwij,kcij->bkhw", windows, wide) + bias[:, None, None]


def _per_tensor(*values: Any) -> tuple[np.ndarray, ...]:
    return tuple(np.array(one, dtype=np.float32) for one in values)


_POINT = np.zeros((5, 5), dtype=np.float32)
_POINT[2, 2] = 1
_NINE = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
_ROW = np.arange(1, 6, dtype=np.float32)[None, None, None]
_SUM = np.array([[[[0, 0, 0], [1, 1, 1], [0, 0, 0]]]], dtype=np.float32)
_NO_BIAS = np.zeros(1, dtype=np.float32)


EXERCISE = Exercise(
    id="6.1",
    title="Atrous convolution by stuffing the kernel",
    name="atrous_convolution",
    statement="""
"Trous" are holes. A kernel with holes is a larger kernel with zeros in it: at rate $r$ there are $r - 1$ zeros between
two neighboring weights (or *taps*), so $k$ taps in a row become $r\\,(k - 1) + 1$ numbers. With that kernel, an
ordinary convolution is the atrous one.

Write `atrous_convolution(features, weight, bias, rate)` for a whole layer: `features` is B x C x H x W, `weight`
K x C x k x k with odd k, `bias` holds K numbers. Stuff every one of the K x C kernels and convolve, with as many zeros
around the map as keep its size: for 3 x 3 the padding equals the rate. It must also work at rate 1 and for a
1 x 1 kernel, because 6.5 needs both. (`F.conv2d(..., dilation=rate)` does the same without the zeros, and faster: good
for comparing.)
""",
    stub=STUB,
    reference=atrous_convolution,
    cases=(
        Case(
            "one point, rate 2: the kernel, turned by 180 degrees, with gaps",
            (_POINT[None, None], _NINE[None, None], _NO_BIAS, 2),
            np.array([[[[9, 0, 8, 0, 7], [0] * 5, [6, 0, 5, 0, 4], [0] * 5, [3, 0, 2, 0, 1.0]]]]),
        ),
        Case(
            "two channels add up, and the bias comes once",
            (np.stack([_POINT, 2 * _POINT])[None], np.stack([_NINE, 10 * _NINE])[None], *_per_tensor([1]), 1),
            np.pad(21 * _NINE[::-1, ::-1], 1)[None, None] + 1,
            "two channels",
        ),
        Case(
            "1 2 3 4 5, each plus left and right, rate 2", (_ROW, _SUM, _NO_BIAS, 2), [[[[4.0, 6, 9, 6, 8]]]], "border"
        ),
        Case("rate 7, larger than the map: only the middle tap hits", (_ROW, _SUM, _NO_BIAS, 7), _ROW, "border"),
        Case(
            "a 1 x 1 kernel, two results",
            (_ROW, *_per_tensor([[[[2]]], [[[-1]]]], [1, 10]), 3),
            np.concatenate([2 * _ROW + 1, 10 - _ROW], axis=1),
            "two results",
        ),
        Case(
            "two pictures, three channels to four, rate 3",
            (random_map(0, 2, 3, 7, 9), random_map(1, 4, 3, 3, 3), random_map(2, 4), 3),
        ),
        Case(
            "as many results as columns, each with its own bias",
            (random_map(6, 1, 2, 5, 4), random_map(7, 4, 2, 3, 3), random_map(8, 4), 2),
            hint="bias",
        ),
        Case("a 5 x 5 kernel, rate 2", (random_map(3, 1, 2, 8, 6), random_map(4, 2, 2, 5, 5), random_map(5, 2), 2)),
    ),
    hints={
        "general": Hint(
            "Begin with a large enough kernel of zeros, and write the weights into every rate-th row and column.",
            "Row a of the kernel becomes row a times the rate; how large is the new kernel then? A slice with a step "
            "reaches exactly the places of the old weights. The padding that keeps the size is half of the new "
            "kernel, rounded down.",
        ),
        "rate": Hint(
            "The taps are `rate` positions apart, in both directions: between two of them lie rate - 1 zeros.",
            "stuffed[:, :, ::rate, ::rate] = weight, with a slice in both directions.",
        ),
        "flip": Hint(
            "The kernel is used as it is, neither flipped nor transposed. A network's convolution does not turn it.",
            "Write the weights as they are: stuffed[:, :, ::rate, ::rate] = weight, then F.conv2d.",
        ),
        "channels": Hint(
            "Each of the K results is a sum over all C channels, each with its own kernel, plus one bias.",
            "F.conv2d(features, stuffed, bias) adds up the channels; stuffed is K x C x side x side.",
        ),
        "border": Hint("Beyond the border there are zeros, not values of the map.", "F.conv2d pads with zeros."),
        "size": Hint(
            "The result must have the size of the map: a wider kernel needs a wider border of zeros.",
            "padding = rate * (k // 2), which for 3 x 3 is the rate.",
        ),
        "behind": Hint(
            "There are zeros behind the last tap. They move the middle of the kernel and change the size of the map.",
            "The side is rate * (k - 1) + 1, not rate * k.",
        ),
        "smeared": Hint(
            "Between the taps lie zeros. You repeat the weights there, which is another and denser filter.",
            "torch.zeros of the large size first, then write into every rate-th place.",
        ),
        "bias": Hint("Each of the K results has its own bias, added once.", "F.conv2d(features, stuffed, bias, ...)."),
        "two channels": Hint(
            "Two channels, one result: the sum over both channels, each with its own kernel, plus the bias 1, once.",
            "F.conv2d(features, stuffed, bias): stuffed is K x C x side x side.",
        ),
        "two results": Hint(
            "A 1 x 1 kernel has no holes, whatever the rate, and needs no padding. Two kernels make two results, each"
            " with "
            "its own bias.",
            "side = rate * (k - 1) + 1 is 1 for k = 1; padding = side // 2 is 0.",
        ),
        "as it is": Hint(
            "The layer is the sum and nothing else: no ReLU, no scaling, and no position left out.",
            "Return what F.conv2d gives.",
        ),
        "all pictures": Hint("Every picture of the batch has its result.", "B x C x H x W becomes B x K x H x W."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_dilation, _with_moved_maps, _stuffed_by_kron),
    points=4,
    minutes=15,
    difficulty=2,
)
