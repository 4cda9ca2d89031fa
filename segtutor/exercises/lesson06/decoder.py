"""Exercise 6.8: where the decoder of DeepLab v3+ joins two maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import ramp, random_map
from segtutor.exercises.lesson06.decoder_mistakes import MISTAKES

STUB = '''
def fuse_with_low_level(encoded, low, weight, bias):
    """The encoder's map, upsampled to the low-level one, and then the low-level map, reduced by a 1 x 1 with ReLU."""
    raise NotImplementedError("Write fuse_with_low_level() here, then run this cell again.")
'''


def fuse_with_low_level(encoded: Any, low: Any, weight: Any, bias: Any) -> Any:
    """The encoder's map, upsampled to the low-level one, and then the low-level map, reduced by a 1 x 1 with ReLU."""
    encoded, low, weight, bias = (torch.as_tensor(one) for one in (encoded, low, weight, bias))
    reduced = torch.relu(F.conv2d(low, weight, bias))
    enlarged = F.interpolate(encoded, size=low.shape[-2:], mode="bilinear", align_corners=True)
    return torch.cat([enlarged, reduced], dim=1)


def _with_modules(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    reduce = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    reduce.weight.data, reduce.bias.data = torch.as_tensor(weight), torch.as_tensor(bias)
    upsample = nn.Upsample(size=tuple(low.shape[-2:]), mode="bilinear", align_corners=True)
    return torch.cat([upsample(torch.as_tensor(encoded)), nn.ReLU()(reduce(torch.as_tensor(low)))], 1)


def _along(count, length):  # type: ignore[no-untyped-def]
    """Matrix length x count: how much each of `count` values counts at each of `length` positions, corners aligned."""
    places = np.linspace(0, count - 1, length)
    return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)


def _with_matrices(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    down, across = _along(encoded.shape[2], low.shape[2]), _along(encoded.shape[3], low.shape[3])
    enlarged = np.einsum("hi,bkij,wj->bkhw", down, encoded, across)
    reduced = np.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], low) + bias[:, None, None]
    return np.concatenate([enlarged, np.maximum(reduced, 0)], axis=1)


def _pixel_by_pixel(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    import math

    batch, channels, h, w = encoded.shape
    height, width = low.shape[-2:]
    result = np.zeros((batch, channels + len(weight), height, width))
    for i in range(height):
        for j in range(width):
            y = i * (h - 1) / max(height - 1, 1)
            x = j * (w - 1) / max(width - 1, 1)
            top, left = math.floor(y), math.floor(x)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            upper = encoded[:, :, top, left] * (1 - x + left) + encoded[:, :, top, right] * (x - left)
            lower = encoded[:, :, bottom, left] * (1 - x + left) + encoded[:, :, bottom, right] * (x - left)
            result[:, :channels, i, j] = upper * (1 - y + top) + lower * (y - top)
            result[:, channels:, i, j] = np.maximum(low[:, :, i, j] @ weight[:, :, 0, 0].T + bias, 0)
    return result


def _layer(weight: list[list[float]], bias: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(weight, dtype=np.float32)[:, :, None, None], np.array(bias, dtype=np.float32)


_CORNERS = np.array([[[[0, 4], [8, 12]]]], dtype=np.float32)  # enlarged to 5 x 5: 2 i + j
_PLANE = (2 * np.arange(5)[:, None] + np.arange(5))[None, None].astype(float)


EXERCISE = Exercise(
    id="6.8",
    title="The fusion in the decoder",
    name="fuse_with_low_level",
    statement="""
The encoder of DeepLab v3+ (backbone and ASPP) gives a coarse map at stride 16, rich in meaning. Its decoder (section
3.1) takes the boundaries from a *low-level* map at stride 4. First a 1 x 1 convolution with ReLU reduces the low-level
map to few channels (48 in the paper), so that it does not outweigh the encoder. Then the encoder's map is upsampled to
the size of the low-level one, and both are concatenated: the encoder's channels first.

Write `fuse_with_low_level(encoded, low, weight, bias)`: `encoded` is B x C x h x w, `low` B x D x H x W, `weight`
L x D x 1 x 1, `bias` holds L numbers; the result is B x (C + L) x H x W. Upsample bilinearly **with aligned corners**,
as the authors' code and the course's network do, and to the *size* of the low-level map: it need not be four times as
large (513 pixels give 33 and 129 positions).
""",
    stub=STUB,
    reference=fuse_with_low_level,
    cases=(
        Case(
            "2 x 2 to 5 x 5: corner to corner",
            (_CORNERS, ramp(5, 5), *_layer([[1]], [-20])),
            np.concatenate([_PLANE, np.maximum(ramp(5, 5) - 20, 0)], axis=1),
            "corners",
        ),
        Case(
            "2 x 2 to 2 x 5: wider only, and an encoder below zero",
            (_CORNERS - 10, ramp(2, 5), *_layer([[-1]], [3])),
            np.concatenate(
                [
                    8 * np.arange(2)[:, None] + np.arange(5) - 10.0 + np.zeros((1, 1, 2, 5)),
                    np.maximum(3 - ramp(2, 5), 0),
                ],
                axis=1,
            ),
            "wider",
        ),
        Case(
            "equal sizes, two low-level channels to one",
            (_CORNERS, np.concatenate([ramp(2, 2), ramp(2, 2)], axis=1), *_layer([[1, -2]], [2])),
            np.array([[[[0.0, 4], [8, 12]], [[2, 1], [0, 0]]]]),
            "equal sizes",
        ),
        Case(
            "a large low-level map",
            (
                _CORNERS[:, :, :1, :1],
                30 * np.ones((1, 2, 1, 2)).astype(np.float32),
                *_layer([[1, -2], [2, 1]], [5, -10]),
            ),
            np.array([[[[0.0, 0]], [[0, 0]], [[80, 80]]]]),
            "equal sizes",
        ),
        Case(
            "one position: a copy",
            (np.full((1, 2, 1, 1), -3, dtype=np.float32), ramp(2, 3), *_layer([[2], [0]], [0, 1])),
            np.concatenate([np.full((1, 2, 2, 3), -3.0), 2 * ramp(2, 3), np.ones((1, 1, 2, 3))], axis=1),
            "relu",
        ),
        Case(
            "four times as large",
            (random_map(0, 2, 3, 3, 4), random_map(1, 2, 5, 12, 16), random_map(2, 2, 5, 1, 1), random_map(3, 2)),
        ),
        Case(
            "3 x 4 to 9 x 13",
            (random_map(4, 1, 2, 3, 4), random_map(5, 1, 4, 9, 13), random_map(6, 3, 4, 1, 1), random_map(7, 3)),
            hint="size",
        ),
        Case(
            "one column",
            (_CORNERS[:, :, :, :1], ramp(5, 1), *_layer([[1]], [-2])),
            np.array([0.0, 2, 4, 6, 8, 0, 0, 0, 1, 2]).reshape(1, 2, 5, 1),
            "corners",
        ),
    ),
    hints={
        "general": Hint(
            "Three steps: reduce the low-level map, enlarge the encoder's map, put the two together.",
            "Only the low-level map is convolved and gets the ReLU; only the encoder's map is resized, to the last "
            "two dimensions of the other. Mind the order in which they are put together.",
        ),
        "aligned": Hint(
            "The encoder's map is upsampled bilinearly and in one step, its corners on the corners of the low-level "
            "map.",
            "mode='bilinear', align_corners=True.",
        ),
        "size": Hint(
            "The result has the size of the low-level map, whatever the ratio of the two is.",
            "size=low.shape[-2:], not scale_factor=4.",
        ),
        "relu": Hint(
            "ReLU follows the 1 x 1 convolution of the low-level map, and only that.",
            "torch.relu(F.conv2d(low, weight, bias)); none around the encoder's map.",
        ),
        "bias": Hint(
            "The 1 x 1 convolution has a bias, one for each result, before ReLU.", "F.conv2d(low, weight, bias)."
        ),
        "corners": Hint(
            "From 2 x 2 to 5 x 5, corner on corner: the five values of the upper row are 0, 1, 2, 3, 4. The low-level "
            "map, minus 20 and with ReLU, comes behind.",
            "F.interpolate(encoded, size=low.shape[-2:], mode='bilinear', align_corners=True).",
        ),
        "wider": Hint(
            "Two rows and five columns: height and width have their own ratio. The encoder's values stay below zero; "
            "ReLU "
            "is for the low-level map.",
            "size=low.shape[-2:], as it is.",
        ),
        "equal sizes": Hint(
            "Nothing has to be enlarged here: the encoder's map as it is, then weight times the low-level map plus "
            "bias, "
            "with ReLU.",
            "Where both have one size, resizing changes nothing: no case of its own is needed, and the low-level map "
            "is reduced all the same.",
        ),
        "pictures": Hint(
            "Every picture of the batch keeps its own maps.", "torch.cat along dim=1, not along the batch."
        ),
        "reduce": Hint(
            "The low-level map must first be reduced by the 1 x 1 convolution.",
            "F.conv2d(low, weight, bias), then cat.",
        ),
        "order": Hint("The channels of the encoder come first.", "torch.cat([enlarged, reduced], dim=1)."),
        "added": Hint(
            "The maps stand beside each other; they are not added.", "torch.cat along dim=1: C + L channels."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_modules, _with_matrices, _pixel_by_pixel),
    points=3,
    minutes=15,
    difficulty=2,
)
