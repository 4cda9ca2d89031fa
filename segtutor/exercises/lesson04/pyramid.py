"""Exercise 4.8: the pyramid pooling module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.adaptive_pooling import adaptive_average_pool
from segtutor.exercises.lesson04.inputs import ramp, random_map
from segtutor.exercises.lesson04.pointwise import pointwise_convolution
from segtutor.exercises.lesson04.pyramid_mistakes import MISTAKES

STUB = '''
def pyramid_pooling(x, bins, weights, biases):
    """The map B x C x H x W, then for each of `bins` a level of B x K x H x W: pool, 1 x 1, ReLU, upsample."""
    raise NotImplementedError("Write pyramid_pooling() here, then run this cell again.")
'''


def pyramid_pooling(x: Any, bins: Sequence[int], weights: Sequence[Any], biases: Sequence[Any]) -> Any:
    """The map B x C x H x W, then for each of `bins` a level of B x K x H x W: pool, 1 x 1, ReLU, upsample."""
    x = torch.as_tensor(x)
    levels = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = adaptive_average_pool(x, count)
        reduced = torch.relu(torch.as_tensor(pointwise_convolution(pooled, weight, bias)))
        levels.append(F.interpolate(reduced, size=x.shape[-2:], mode="bilinear", align_corners=True))
    return torch.cat(levels, dim=1)


def _with_modules(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    x = torch.as_tensor(x)
    results = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        reduce = nn.Conv2d(*weight.shape[::-1], 1)
        reduce.weight.data, reduce.bias.data = torch.as_tensor(weight)[:, :, None, None], torch.as_tensor(bias)
        upsample = nn.Upsample(size=x.shape[-2:], mode="bilinear", align_corners=True)
        results.append(nn.Sequential(nn.AdaptiveAvgPool2d(count), reduce, nn.ReLU(), upsample)(x))
    return torch.cat(results, 1)


def _upsampling(count, length):  # type: ignore[no-untyped-def]
    """Matrix length x count: how much each of `count` values counts at each of `length` positions, corners aligned."""
    places = np.linspace(0, count - 1, length)
    return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)


def _with_matrices(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    result = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = np.asarray(adaptive_average_pool(x, count))
        level = np.maximum(np.einsum("kc,bcij->bkij", weight, pooled) + bias[:, None, None], 0)
        down, across = _upsampling(count, x.shape[2]), _upsampling(count, x.shape[3])
        result.append(np.einsum("hi,bkij,wj->bkhw", down, level, across))
    return np.concatenate(result, axis=1)


def _channel_after_channel(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    x = torch.as_tensor(x)
    height, width = x.shape[-2:]
    result = [x[:, number] for number in range(x.shape[1])]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = F.adaptive_avg_pool2d(x, (count, count))
        for row, shift in zip(weight, bias, strict=True):
            channel = (pooled * torch.as_tensor(row)[:, None, None]).sum(dim=1, keepdim=True) + float(shift)
            level = F.interpolate(channel.clamp(min=0), (height, width), mode="bilinear", align_corners=True)
            result.append(level[:, 0])
    return torch.stack(result, dim=1)


def _level(*weight: float, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Weight 1 x C and bias of a level with one channel."""
    return np.array([weight], dtype=np.float32), np.array([bias], dtype=np.float32)


def _arguments(
    x: np.ndarray, bins: tuple[int, ...], *levels: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, tuple[int, ...], list[np.ndarray], list[np.ndarray]]:
    return x, bins, [weight for weight, _ in levels], [bias for _, bias in levels]


def _random(
    seed: int, shape: tuple[int, int, int, int], bins: tuple[int, ...], channels: int
) -> tuple[np.ndarray, tuple[int, ...], list[np.ndarray], list[np.ndarray]]:
    levels = [
        (random_map(seed + 10 * number, channels, shape[1]), random_map(seed + 10 * number + 1, channels))
        for number in range(1, len(bins) + 1)
    ]
    return _arguments(random_map(seed, *shape), bins, *levels)


_SMALL = np.array([[[[-3.0, 1], [4, 6]]]], dtype=np.float32)


EXERCISE = Exercise(
    id="4.8",
    title="Pyramid pooling",
    name="pyramid_pooling",
    statement="""
Now the module that gave PSPNet its name. For each number n of `bins`, a level is made from the map `x`
(B x C x H x W):

1. pool to n x n regions, with `adaptive_average_pool` of 4.5;
2. a 1 x 1 convolution with the level's `weight` (K x C) and `bias` (K), with `pointwise_convolution` of 4.6;
3. ReLU;
4. upsample to H x W, bilinearly and **with aligned corners**:
   `F.interpolate(..., mode="bilinear", align_corners=True)`.

The result is the map itself, then the levels in the order of `bins`, concatenated along the channels. (Between 2 and 3
the network has batch normalization. In a trained network it is only a factor and a shift per channel, so it can be
folded into weight and bias; you will do so in the project below.)

Write `pyramid_pooling(x, bins, weights, biases)`; `weights` and `biases` hold one array for each level,
all for the same number K of channels. Without any level the result is the map.
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
        Case("no level: the map as it is", (random_map(0, 1, 2, 3, 3), (), [], [])),
        Case("bins 1, 2, 3, 6, two pictures of eight channels", _random(1, (2, 8, 12, 16), (1, 2, 3, 6), 2)),
        Case("bins in another order, a map 7 x 10", _random(2, (1, 4, 7, 10), (6, 1, 3), 3)),
        Case("other bins, one of them twice", _random(3, (2, 3, 9, 6), (2, 5, 4, 2), 3)),
    ),
    hints={
        "general": Hint(
            "Start a list with x. For each level pool, reduce, apply ReLU, upsample, append. Concatenate at the end.",
            "The four steps are four lines, each of which goes on with what the line before made. Every level starts "
            "from x itself, and the upsampling needs the size of x.",
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
            "pointwise_convolution(pooled, weight, bias).",
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
        "own": Hint(
            "Each level has its own number of regions, its own weight and its own bias.",
            "for count, weight, bias in zip(bins, weights, biases).",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_modules, _with_matrices, _channel_after_channel),
    points=5,
    minutes=25,
    difficulty=3,
)
