"""Exercise 6.4: the branch that looks at the whole picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map

STUB = '''
def image_pooling(features, weight, bias):
    """B x C x H x W -> B x K x H x W: mean over the whole map, 1 x 1 convolution, ReLU, the same at every position."""
    raise NotImplementedError("Write image_pooling() here, then run this cell again.")
'''


def image_pooling(features: Any, weight: Any, bias: Any) -> Any:
    """B x C x H x W -> B x K x H x W: mean over the whole map, 1 x 1 convolution, ReLU, the same at every position."""
    features, weight, bias = (torch.as_tensor(one) for one in (features, weight, bias))
    pooled = features.mean(dim=(2, 3), keepdim=True)
    reduced = torch.relu(F.conv2d(pooled, weight, bias))
    return reduced.expand(-1, -1, *features.shape[-2:])


def _with_modules(features, weight, bias):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    features = torch.as_tensor(features)
    reduce = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    reduce.weight.data, reduce.bias.data = torch.as_tensor(weight), torch.as_tensor(bias)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), reduce, nn.ReLU())(features)
    return nn.functional.interpolate(pooled, size=features.shape[-2:], mode="bilinear", align_corners=True)


def _with_numpy(features, weight, bias):  # type: ignore[no-untyped-def]
    reduced = np.maximum(features.mean(axis=(2, 3)) @ weight[:, :, 0, 0].T + bias, 0)
    return np.broadcast_to(reduced[:, :, None, None], (*reduced.shape, *features.shape[-2:]))


def _convolved_first(features, weight, bias):  # type: ignore[no-untyped-def]
    """Mean and 1 x 1 convolution are both linear: their order does not matter, only that ReLU comes last."""
    scored = np.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], features) + bias[:, None, None]
    return np.maximum(scored.mean(axis=(2, 3), keepdims=True), 0) + np.zeros_like(features[:, :1])


def _pooled(features, weight, bias, *, pool, relu=True, spread=True):  # type: ignore[no-untyped-def]
    """The branch with the switches of the mistakes."""
    pooled = pool(features)
    result = np.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], pooled) + bias[:, None, None]
    result = np.maximum(result, 0) if relu else result
    return result + np.zeros_like(features[:, :1]) if spread else result


def _mean(features):  # type: ignore[no-untyped-def]
    return features.mean(axis=(2, 3), keepdims=True)


def _relu_before_the_mean(features, weight, bias):  # type: ignore[no-untyped-def]
    scored = np.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], features) + bias[:, None, None]
    return _mean(np.maximum(scored, 0)) + np.zeros_like(features[:, :1])


_SMALL = np.array([[[[-3, 1], [4, 6]]]], dtype=np.float32)  # mean 2
_TWO = np.array([[[[1, 3]], [[5, 11]]]], dtype=np.float32)  # means 2 and 8


def _layer(weight: list[list[float]], bias: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Weight K x C x 1 x 1 and bias."""
    return np.array(weight, dtype=np.float32)[:, :, None, None], np.array(bias, dtype=np.float32)


def _positive_mean(features):  # type: ignore[no-untyped-def]
    positive = np.maximum(features, 0)
    return positive.sum(axis=(2, 3), keepdims=True) / np.maximum((features > 0).sum(axis=(2, 3), keepdims=True), 1)


def _activated(features, weight, bias, activation):  # type: ignore[no-untyped-def]
    return activation(_pooled(features, weight, bias, pool=_mean, relu=False))


def _in_the_middle(features, weight, bias):  # type: ignore[no-untyped-def]
    result = _pooled(features, weight, bias, pool=_mean)
    chosen = np.zeros(result.shape[2:], dtype=bool)
    chosen[result.shape[2] // 2, result.shape[3] // 2] = True
    return result * chosen


EXERCISE = Exercise(
    id="6.4",
    title="Image pooling",
    name="image_pooling",
    statement="""
The branch that helps where large rates fail: one look at the whole picture. Take the mean over the map, one number per
picture and channel; then a 1 x 1 convolution with `weight` (K x C x 1 x 1) and `bias` (K); then ReLU; and give the
result to every position of the map.

Write `image_pooling(features, weight, bias)`, which makes B x K x H x W of B x C x H x W. (The paper upsamples the one
position bilinearly. From one position that is a copy.)
""",
    stub=STUB,
    reference=image_pooling,
    cases=(
        Case("one channel, mean 2, weight 3", (_SMALL, *_layer([[3]], [0])), np.full((1, 1, 2, 2), 6.0)),
        Case("a mean that becomes negative", (_SMALL, *_layer([[-1]], [1])), np.zeros((1, 1, 2, 2)), "negative"),
        Case("a negative mean, a negative weight", (-_SMALL, *_layer([[-3]], [1])), np.full((1, 1, 2, 2), 7.0), "once"),
        Case("two channels to one", (_TWO, *_layer([[1, 0.5]], [-2])), np.full((1, 1, 1, 2), 4.0), "channels"),
        Case("a mean of 102", (_SMALL + 100, *_layer([[1]], [0])), np.full((1, 1, 2, 2), 102.0), "relu"),
        Case(
            "one channel to two",
            (_SMALL, *_layer([[1], [2]], [1, 0])),
            np.stack([np.full((2, 2), 3.0), np.full((2, 2), 4.0)])[None],
            "channels",
        ),
        Case(
            "two pictures keep their own means",
            (np.concatenate([_SMALL, _SMALL + 4]), *_layer([[1]], [0])),
            np.stack([np.full((1, 2, 2), 2.0), np.full((1, 2, 2), 6.0)]),
            "own mean",
        ),
        Case("eight channels, 5 x 7", (random_map(0, 2, 8, 5, 7) + 1, random_map(1, 6, 8, 1, 1), random_map(2, 6))),
        Case("a map of one position", (random_map(3, 1, 4, 1, 1), random_map(4, 3, 4, 1, 1), random_map(5, 3))),
    ),
    hints={
        "general": Hint(
            "Keep the two dimensions of the map at size 1 until the end; then spread them over H x W.",
            "The mean of PyTorch can keep the dimensions that it averages. A map of 1 x 1 goes through F.conv2d as "
            "any other, and a tensor can be expanded to a larger size without being copied.",
        ),
        "mean": Hint(
            "The mean over all positions is wanted, not the largest value, the sum, or means of rows.",
            "features.mean(dim=(2, 3), keepdim=True).",
        ),
        "relu": Hint(
            "ReLU comes once, behind the 1 x 1 convolution and its bias: it makes negative numbers 0 and leaves all "
            "others.",
            "torch.relu(F.conv2d(pooled, weight, bias)).",
        ),
        "relu last": Hint(
            "The mean comes first, of the map as it is; ReLU comes last. With ReLU between, the order matters.",
            "Pool first, then the convolution, then torch.relu.",
        ),
        "bias": Hint(
            "Every result has its own bias, added once after the product with the weights.",
            "F.conv2d(pooled, weight, bias).",
        ),
        "negative": Hint(
            "The mean is 2, and 2 times -1 plus 1 is -1: ReLU makes 0 of it.",
            "torch.relu(F.conv2d(pooled, weight, bias)).",
        ),
        "once": Hint(
            "The mean is -2, and -2 times -3 plus 1 is 7. No ReLU stands before the convolution.",
            "torch.relu(F.conv2d(pooled, weight, bias)), with pooled as it is.",
        ),
        "channels": Hint(
            "Every result is the sum of its weights times the channels' means, plus its bias.",
            "F.conv2d(pooled, weight, bias), with pooled B x C x 1 x 1.",
        ),
        "own mean": Hint(
            "Every picture and every channel has its own mean.",
            "Average over the last two dimensions only, not over the batch or the channels.",
        ),
        "spread": Hint(
            "The result has H x W positions, all with the same value, to stand beside the other branches.",
            "reduced.expand(-1, -1, *features.shape[-2:]).",
        ),
    },
    mistakes=(
        Mistake("maximum", lambda *a: _pooled(*a, pool=lambda f: f.max(axis=(2, 3), keepdims=True)), "mean"),
        Mistake("sum", lambda *a: _pooled(*a, pool=lambda f: f.sum(axis=(2, 3), keepdims=True)), "mean"),
        Mistake("mean of each column", lambda *a: _pooled(*a, pool=lambda f: f.mean(axis=2, keepdims=True)), "mean"),
        Mistake("not pooled", lambda *a: _pooled(*a, pool=lambda f: f), "mean"),
        Mistake("no ReLU", lambda *a: _pooled(*a, pool=_mean, relu=False), "relu"),
        Mistake(
            "ReLU of the means", lambda *a: _pooled(*a, pool=lambda f: np.maximum(_mean(f), 0), relu=False), "relu"
        ),
        Mistake("ReLU of the map", lambda *a: _pooled(*a, pool=lambda f: _mean(np.maximum(f, 0))), "relu last"),
        Mistake("ReLU before the mean", _relu_before_the_mean, "relu last"),
        Mistake("no bias", lambda f, w, b: _pooled(f, w, 0 * b, pool=_mean), "bias"),
        Mistake(
            "mean over the batch",
            lambda *a: _pooled(*a, pool=lambda f: _mean(f).mean(axis=0, keepdims=True)),
            "own mean",
        ),
        Mistake(
            "mean over the channels",
            lambda *a: _pooled(*a, pool=lambda f: f.mean(axis=(1, 2, 3), keepdims=True) + np.zeros_like(_mean(f))),
            "own mean",
        ),
        Mistake("one position", lambda *a: _pooled(*a, pool=_mean, spread=False), "spread"),
        Mistake("mean of each row", lambda *a: _pooled(*a, pool=lambda f: f.mean(axis=3, keepdims=True)), "mean"),
        Mistake(
            "the middle",
            lambda *a: _pooled(*a, pool=lambda f: f[:, :, f.shape[2] // 2, f.shape[3] // 2][:, :, None, None]),
            "mean",
        ),
        Mistake("the first position", lambda *a: _pooled(*a, pool=lambda f: f[:, :, :1, :1]), "mean"),
        Mistake("median", lambda *a: _pooled(*a, pool=lambda f: np.median(f, axis=(2, 3), keepdims=True)), "mean"),
        Mistake(
            "sum by the height squared",
            lambda *a: _pooled(*a, pool=lambda f: f.sum(axis=(2, 3), keepdims=True) / f.shape[2] ** 2),
            "mean",
        ),
        Mistake("mean of the positive ones", lambda *a: _pooled(*a, pool=_positive_mean), "relu last"),
        Mistake("two ReLUs", lambda *a: _pooled(*a, pool=lambda f: np.maximum(_mean(f), 0)), "relu"),
        Mistake("ReLU6", lambda *a: _pooled(*a, pool=_mean).clip(0, 6), "relu"),
        Mistake("leaky", lambda *a: _activated(*a, lambda y: np.where(y > 0, y, 0.01 * y)), "relu"),  # type: ignore[call-arg]
        Mistake("leaky, 0.1", lambda *a: _activated(*a, lambda y: np.where(y > 0, y, 0.1 * y)), "relu"),  # type: ignore[call-arg]
        Mistake("absolute", lambda *a: _activated(*a, np.abs), "relu"),  # type: ignore[call-arg]
        Mistake("sigmoid", lambda *a: _activated(*a, lambda y: 1 / (1 + np.exp(-y))), "relu"),  # type: ignore[call-arg]
        Mistake("softplus", lambda *a: _activated(*a, lambda y: np.logaddexp(0, y)), "relu"),  # type: ignore[call-arg]
        Mistake("minus ReLU", lambda *a: _activated(*a, lambda y: np.minimum(y, 0)), "relu"),  # type: ignore[call-arg]
        Mistake("bias behind ReLU", lambda f, w, b: _pooled(f, w, 0 * b, pool=_mean) + b[:, None, None], "relu"),
        Mistake("bias twice", lambda f, w, b: _pooled(f, w, 2 * b, pool=_mean), "bias"),
        Mistake("first bias for all", lambda f, w, b: _pooled(f, w, 0 * b + b[0], pool=_mean), "bias"),
        Mistake("bias in the mean", lambda f, w, b: _pooled(f + b.mean(), w, 0 * b, pool=_mean), "bias"),
        Mistake("first kernel for all", lambda f, w, b: _pooled(f, 0 * w + w[:1], b, pool=_mean), "channels"),
        Mistake("first channel only", lambda f, w, b: _pooled(f[:, :1], w[:, :1], b, pool=_mean), "channels"),
        Mistake("mean of the channels", lambda f, w, b: _pooled(f, w / w.shape[1], b, pool=_mean), "channels"),
        Mistake("no convolution", lambda f, w, b: np.maximum(_mean(f), 0) + 0 * f, "channels"),
        Mistake("B x K", lambda f, w, b: _pooled(f, w, b, pool=_mean, spread=False)[:, :, 0, 0], "spread"),
        Mistake("W x H", lambda *a: _pooled(*a, pool=_mean).swapaxes(2, 3), "spread"),
        Mistake("in the middle only", _in_the_middle, "spread"),
        Mistake("shared by the positions", lambda f, w, b: _pooled(f, w, b, pool=_mean) / f[0, 0].size, "spread"),
        Mistake(
            "added to the map", lambda f, w, b: _pooled(f, w, b, pool=_mean) + f.mean(axis=1, keepdims=True), "spread"
        ),
        Mistake(
            "the first picture for all", lambda f, w, b: _pooled(f[:1].repeat(len(f), 0), w, b, pool=_mean), "own mean"
        ),
        Mistake("the first picture", lambda f, w, b: _pooled(f[:1], w, b, pool=_mean), "own mean"),
        Mistake(
            "mean without the border",
            lambda *a: _pooled(*a, pool=lambda f: _mean(f[:, :, 1:-1, 1:-1] if min(f.shape[2:]) > 2 else f)),
            "mean",
        ),
        Mistake("root of the mean square", lambda *a: _pooled(*a, pool=lambda f: np.sqrt(_mean(f * f))), "mean"),
    ),
    alternatives=(_with_modules, _with_numpy, _convolved_first),
    points=2,
    minutes=10,
    difficulty=1,
)
