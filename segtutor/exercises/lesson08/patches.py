"""Exercise 8.2: the patch embedding without a convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson04.inputs import random_map
from segtutor.exercises.lesson08.patches_mistakes import MISTAKES

STUB = '''
def patch_tokens(image, weight, bias):
    """C x H x W, K x C x P x P and K -> N x K: a token for every patch of P x P pixels, row by row."""
    raise NotImplementedError("Write patch_tokens() here, then run this cell again.")
'''


def patch_tokens(image: Any, weight: Any, bias: Any) -> Any:
    """C x H x W, K x C x P x P and K -> N x K: a token for every patch of P x P pixels, row by row."""
    image, weight, bias = (torch.as_tensor(one) for one in (image, weight, bias))
    channels, side = weight.shape[1:3]
    rows, columns = image.shape[1] // side, image.shape[2] // side
    patches = image[:, : rows * side, : columns * side].reshape(channels, rows, side, columns, side)
    patches = patches.permute(1, 3, 0, 2, 4).reshape(rows * columns, -1)
    return patches @ weight.flatten(1).T + bias


def _with_convolution(image, weight, bias):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    image, weight, bias = (torch.as_tensor(one) for one in (image, weight, bias))
    return F.conv2d(image[None], weight, bias, stride=weight.shape[-1])[0].flatten(1).T


def _with_unfold(image, weight, bias):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    image, weight, bias = (torch.as_tensor(one) for one in (image, weight, bias))
    side = weight.shape[-1]
    rows = F.unfold(image[None], side, stride=side)[0].T
    return rows @ weight.flatten(1).T + bias


def _with_loops(image, weight, bias):  # type: ignore[no-untyped-def]
    side, tokens = weight.shape[-1], []
    for top in range(0, image.shape[1] - side + 1, side):
        for left in range(0, image.shape[2] - side + 1, side):
            patch = image[:, top : top + side, left : left + side]
            tokens.append((weight * patch).sum(axis=(1, 2, 3)) + bias)
    return np.array(tokens)


def _gray(*rows: object) -> np.ndarray:
    return np.array([rows], dtype=np.float32)


_MEANS = np.full((1, 1, 2, 2), 0.25, dtype=np.float32)
_CORNERS = np.array([[[[1, 0], [0, 0]]], [[[0, 1], [0, 0]]], [[[0, 0], [1, 0]]]], dtype=np.float32)
_RAMP = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
_ZERO, _TEN = np.zeros(1, dtype=np.float32), np.full(1, 10, dtype=np.float32)

EXERCISE = Exercise(
    id="8.2",
    title="Patches as tokens",
    name="patch_tokens",
    statement="""
A ViT begins by cutting the picture into patches of P x P pixels that do not overlap. The C · P · P numbers of a
patch are multiplied by a matrix and get a bias: that is its token. The lesson showed that a convolution does it. Here
you do without: cut, write in rows, multiply.

Write `patch_tokens(image, weight, bias)`: `image` is C x H x W, `weight` K x C x P x P as a convolution has it, `bias`
holds K numbers. The result is N x K, one row for each patch, in reading order: along the first row of patches, then the
second. Where P does not divide a side, the rows below and the columns on the right that fill no patch are left out.
""",
    stub=STUB,
    reference=patch_tokens,
    cases=(
        Case("means of four patches", (_RAMP, _MEANS, _ZERO), np.array([[2.5], [4.5], [10.5], [12.5]])),
        Case("a bias of 10", (_RAMP, _MEANS, _TEN), np.array([[12.5], [14.5], [20.5], [22.5]]), "bias"),
        Case("three corners of each patch, two patches side by side",
             (_RAMP[:, :2], _CORNERS, np.zeros(3, np.float32)), np.array([[0.0, 1, 4], [2, 3, 6]])),
        Case("5 x 3 pixels: two patches fit", (_gray(*np.arange(15).reshape(5, 3)), _MEANS, _ZERO),
             np.array([[2.0], [8.0]]), "rest"),
        Case("patches of one pixel", (random_map(0, 3, 2, 3), random_map(1, 4, 3, 1, 1), random_map(2, 4))),
        Case("three channels, 6 x 9 pixels, patches of 3", (random_map(3, 3, 6, 9), random_map(4, 5, 3, 3, 3),
             random_map(5, 5))),
        Case("9 x 6 pixels", (random_map(6, 3, 9, 6), random_map(7, 2, 3, 3, 3), random_map(8, 2))),
        Case("11 x 14 pixels, patches of 4", (random_map(9, 2, 11, 14), random_map(10, 3, 2, 4, 4),
             random_map(11, 3)), hint="rest"),
        Case("one patch", (random_map(12, 3, 4, 4), random_map(13, 6, 3, 4, 4), random_map(14, 6))),
    ),
    hints={
        "general": Hint(
            "Split each side in two: which patch, and which pixel within it. Then bring the two numbers of the patch "
            "to the front and those of the pixel to the end.",
            "Cut off what fills no patch. A reshape makes five axes of three: channel, patch row, pixel row, patch "
            "column, pixel column. Sort them, so that a second reshape makes N rows, and keep the order channel, row, "
            "column within a patch, since the weights have it, too.",
        ),
        "order": Hint(
            "The patches come in reading order: along the first row, then the second.",
            "In the five axes, patch row and patch column must become the first two, in this order, before the second "
            "reshape.",
        ),
        "inside": Hint(
            "Within a patch the numbers must lie as in the weights: channel, then row, then column.",
            "Sort the axes before you reshape; a reshape alone never moves numbers from one row to another.",
        ),
        "bias": Hint("Each of the K numbers of a token gets its own bias, once.", "Add bias at the end, to N x K."),
        "rest": Hint(
            "Rows and columns that fill no patch are left out, at the bottom and on the right.",
            "rows = H // P; use image[:, :rows * P], and the same for the columns.",
        ),
        "shape": Hint(
            "N rows, one for each patch, with K numbers each.", "The result is N x K: transpose if it is not."
        ),
        "weight": Hint(
            "Each of the K filters is multiplied with the patch and summed over all its C · P · P numbers.",
            "weight.flatten(1) is K x (C P P).",
        ),
        "overlap": Hint(
            "Patches do not overlap: the next begins P pixels further, not one.",
            "The stride is P.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_convolution, _with_unfold, _with_loops),
    points=3,
    minutes=15,
    difficulty=2,
)  # fmt: skip
