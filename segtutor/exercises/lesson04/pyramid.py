"""Exercise 4.8: the pyramid pooling module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.adaptive_pooling import adaptive_average_pool
from segtutor.exercises.lesson04.inputs import ramp, random_map
from segtutor.exercises.lesson04.pyramid_mistakes import MISTAKES

STUB = '''
def pyramid_pooling(x, bins, weights, biases, valid):
    """The map B x C x H x W, and for each of `bins` a level of its valid part: pool, 1 x 1, ReLU, upsample, pad."""
    raise NotImplementedError("Write pyramid_pooling() here, then run this cell again.")
'''


def pyramid_pooling(
    x: Any, bins: Sequence[int], weights: Sequence[Any], biases: Sequence[Any], valid: tuple[int, int]
) -> Any:
    """The map B x C x H x W, and for each of `bins` a level of its valid part: pool, 1 x 1, ReLU, upsample, pad."""
    x = torch.as_tensor(x)
    rows, columns = valid
    below, behind = x.shape[-2] - rows, x.shape[-1] - columns
    levels = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = torch.as_tensor(adaptive_average_pool(x[:, :, :rows, :columns], count))
        reduced = torch.relu(F.conv2d(pooled, torch.as_tensor(weight)[:, :, None, None], torch.as_tensor(bias)))
        level = F.interpolate(reduced, size=(rows, columns), mode="bilinear", align_corners=True)
        levels.append(F.pad(level, (0, behind, 0, below)))
    return torch.cat(levels, dim=1)


def _with_modules(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    x = torch.as_tensor(x)
    part = x[..., : valid[0], : valid[1]]
    results = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        reduce = nn.Conv2d(*weight.shape[::-1], 1)
        reduce.weight.data, reduce.bias.data = torch.as_tensor(weight)[:, :, None, None], torch.as_tensor(bias)
        upsample = nn.Upsample(size=valid, mode="bilinear", align_corners=True)
        level = x.new_zeros(len(x), len(weight), *x.shape[2:])
        level[..., : valid[0], : valid[1]] = nn.Sequential(nn.AdaptiveAvgPool2d(count), reduce, nn.ReLU(), upsample)(
            part
        )
        results.append(level)
    return torch.cat(results, 1)


def _upsampling(count, length):  # type: ignore[no-untyped-def]
    """Matrix length x count: how much each of `count` values counts at each of `length` positions, corners aligned."""
    places = np.linspace(0, count - 1, length)
    return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)


def _with_matrices(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    result = [x]
    rows, columns = valid
    missing = ((0, x.shape[2] - rows), (0, 0)), ((0, x.shape[3] - columns), (0, 0))
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = np.asarray(adaptive_average_pool(x[:, :, :rows, :columns], count))
        level = np.maximum(np.einsum("kc,bcij->bkij", weight, pooled) + bias[:, None, None], 0)
        down = np.pad(_upsampling(count, rows), missing[0])
        across = np.pad(_upsampling(count, columns), missing[1])
        result.append(np.einsum("hi,bkij,wj->bkhw", down, level, across))
    return np.concatenate(result, axis=1)


def _channel_after_channel(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    x = torch.as_tensor(x)
    result = [x[:, number] for number in range(x.shape[1])]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = F.adaptive_avg_pool2d(x[..., : valid[0], : valid[1]], (count, count))
        for row, shift in zip(weight, bias, strict=True):
            channel = (pooled * torch.as_tensor(row)[:, None, None]).sum(dim=1, keepdim=True) + float(shift)
            level = torch.zeros_like(x[:, 0])
            level[:, : valid[0], : valid[1]] = F.interpolate(
                channel.clamp(min=0), valid, mode="bilinear", align_corners=True
            )[:, 0]
            result.append(level)
    return torch.stack(result, dim=1)


def _level(*weight: float, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Weight 1 x C and bias of a level with one channel."""
    return np.array([weight], dtype=np.float32), np.array([bias], dtype=np.float32)


def _arguments(
    x: np.ndarray,
    bins: tuple[int, ...],
    *levels: tuple[np.ndarray, np.ndarray],
    valid: tuple[int, int] | None = None,
) -> tuple[np.ndarray, tuple[int, ...], list[np.ndarray], list[np.ndarray], tuple[int, int]]:
    """The arguments of a case; without `valid` nothing is padded."""
    size = (x.shape[2], x.shape[3]) if valid is None else valid
    return x, bins, [weight for weight, _ in levels], [bias for _, bias in levels], size


def _random(
    seed: int,
    shape: tuple[int, int, int, int],
    bins: tuple[int, ...],
    channels: int,
    valid: tuple[int, int] | None = None,
) -> tuple[np.ndarray, tuple[int, ...], list[np.ndarray], list[np.ndarray], tuple[int, int]]:
    levels = [
        (random_map(seed + 10 * number, channels, shape[1]), random_map(seed + 10 * number + 1, channels))
        for number in range(1, len(bins) + 1)
    ]
    return _arguments(random_map(seed, *shape), bins, *levels, valid=valid)


_SMALL = np.array([[[[-3.0, 1], [4, 6]]]], dtype=np.float32)
_PADDED = np.array([[[[1.0, 3, 9], [5, 7, 9], [9, 9, 9]]]], dtype=np.float32)
"""A map of 2 x 2, and 9 where it was padded."""


EXERCISE = Exercise(
    id="4.8",
    title="Pyramid pooling of a padded map",
    name="pyramid_pooling",
    statement="""
Now the module that gave PSPNet its name, with something that lesson 4 left out. Pictures of a batch differ in size, and
those that are too small are padded at the bottom and on the right. What was padded is no part of the scene, and must
not get into its averages: only the first `valid` = (rows, columns) of the map belong to the picture.

For each number n of `bins`, a level is made from the map `x` (B x C x H x W):

1. pool the valid part to n x n regions, with `adaptive_average_pool` of 4.5;
2. a 1 x 1 convolution with the level's `weight` (K x C) and `bias` (K), and ReLU;
3. upsample to rows x columns, bilinearly and **with aligned corners**:
   `F.interpolate(..., mode="bilinear", align_corners=True)`;
4. make it H x W: on the padding the level is 0.

The result is the map itself, padding and all, then the levels in the order of `bins`, concatenated along the channels.
(The batch norm of the levels is in weight and bias already, thanks to 4.6.)

Write `pyramid_pooling(x, bins, weights, biases, valid)`; `weights` and `biases` hold one array for each level, all for
the same number K of channels. Without any level the result is the map.
""",
    stub=STUB,
    reference=pyramid_pooling,
    cases=(
        Case(
            "one level, bin 1: every position learns the mean",
            _arguments(_SMALL, (1,), _level(1)),
            np.array([[[[-3.0, 1], [4, 6]], [[2, 2], [2, 2]]]]),
        ),
        Case(
            "a level that is negative before ReLU",
            _arguments(_SMALL, (1, 1), _level(-1), _level(1, bias=-5)),
            np.concatenate([_SMALL, np.zeros((1, 2, 2, 2))], axis=1),
        ),
        Case(
            "bin 2 on a 3 x 3 map: upsampled from corner to corner",
            _arguments(ramp(3, 3), (2,), _level(1)),
            np.concatenate([ramp(3, 3), [[[[2, 2.5, 3], [3.5, 4, 4.5], [5, 5.5, 6]]]]], axis=1),
        ),
        Case(
            "bins 1 and 2, in this order",
            _arguments(ramp(2, 2), (1, 2), _level(2), _level(1, bias=1)),
            np.concatenate([ramp(2, 2), np.full((1, 1, 2, 2), 3), ramp(2, 2) + 1], axis=1),
        ),
        Case(
            "one level, bin 1, with padding: the mean of 1, 3, 5 and 7",
            _arguments(_PADDED, (1,), _level(1), valid=(2, 2)),
            np.concatenate([_PADDED, [[[[4.0, 4, 0], [4, 4, 0], [0, 0, 0]]]]], axis=1),
            "padding",
        ),
        Case(
            "two rows and one column are padded, bin 2",
            _arguments(np.pad(ramp(3, 3), ((0, 0), (0, 0), (0, 2), (0, 1))), (2,), _level(1), valid=(3, 3)),
            np.pad(
                np.concatenate([ramp(3, 3), [[[[2, 2.5, 3], [3.5, 4, 4.5], [5, 5.5, 6]]]]], axis=1),
                ((0, 0), (0, 0), (0, 2), (0, 1)),
            ),
            "padding",
        ),
        Case("no level: the map as it is", _arguments(random_map(0, 1, 2, 3, 3), ())),
        Case("no level, with padding: the map as it is", _arguments(random_map(0, 1, 2, 3, 3), (), valid=(2, 2))),
        Case("bins 1, 2, 3, 6, two pictures of eight channels", _random(1, (2, 8, 12, 16), (1, 2, 3, 6), 2)),
        Case("bins in another order, a map 7 x 10", _random(2, (1, 4, 7, 10), (6, 1, 3), 3)),
        Case("other bins, one of them twice", _random(3, (2, 3, 9, 6), (2, 5, 4, 2), 3)),
        Case("padded rows alone", _random(4, (1, 3, 9, 6), (1, 2, 3), 2, (7, 6)), hint="padding"),
        Case("padded columns alone", _random(5, (2, 2, 6, 9), (3, 2), 2, (6, 4)), hint="padding"),
    ),
    hints={
        "general": Hint(
            "Start a list with the whole map. Every level sees the valid part alone, and gets its padding back at the "
            "end.",
            "The steps are a line each, and each goes on with what the line before made. Upsample to the valid size, "
            "and only then add zeros below and behind: how many rows and columns are missing?",
        ),
        "aligned": Hint(
            "The levels are upsampled bilinearly, so that corner regions lie exactly on the corners of the H x W map.",
            "mode='bilinear', align_corners=True.",
        ),
        "relu": Hint(
            "ReLU stands after the 1 x 1 convolution and before upsampling, and only there. The map gets none.",
            "F.interpolate(torch.relu(reduced), ...), and levels = [x].",
        ),
        "bias": Hint(
            "Each level adds its bias after the product with its weight, once, and before ReLU.",
            "F.conv2d(pooled, weight[:, :, None, None], bias).",
        ),
        "map": Hint(
            "The map itself comes first, before all levels and unchanged: a pixel needs its own features, too.",
            "levels = [x].",
        ),
        "order": Hint(
            "The levels stand in the order of `bins`, all of them, beside each other along the channels.",
            "torch.cat([x, *levels], dim=1).",
        ),
        "pooling": Hint(
            "A level must be the mean over n x n regions of the map x itself.",
            "adaptive_average_pool(x, n) for each n: no maximum, no windows of n x n positions, not the level before.",
        ),
        "padding": Hint(
            "What was padded is no part of the scene: it is in no region, no level is stretched over it, and on it "
            "every level is 0. The map itself stays whole.",
            "Pool x[:, :, :rows, :columns], upsample to rows x columns, then F.pad with zeros to H x W.",
        ),
        "own": Hint(
            "Each level has its own number of regions, its own weight and its own bias.",
            "for count, weight, bias in zip(bins, weights, biases).",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_modules, _with_matrices, _channel_after_channel),
    points=5,
    minutes=30,
    difficulty=3,
)
