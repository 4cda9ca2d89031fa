"""Exercise 6.6: the atrous separable convolution of DeepLab v3+."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map

STUB = '''
def separable_convolution(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):
    """Some kernels of k x k per channel at a rate, ReLU, then a 1 x 1 convolution across all that they give, ReLU."""
    raise NotImplementedError("Write separable_convolution() here, then run this cell again.")
'''


def separable_convolution(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    """Some kernels of k x k per channel at a rate, ReLU, then a 1 x 1 convolution across all that they give, ReLU."""
    features, depthwise, depthwise_bias = (torch.as_tensor(one) for one in (features, depthwise, depthwise_bias))
    margin = rate * (depthwise.shape[-1] // 2)
    filtered = F.conv2d(features, depthwise, depthwise_bias, padding=margin, dilation=rate, groups=features.shape[1])
    mixed = F.conv2d(torch.relu(filtered), torch.as_tensor(pointwise), torch.as_tensor(pointwise_bias))
    return torch.relu(mixed)


def _channel_after_channel(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    features = torch.as_tensor(features)
    total = torch.as_tensor(pointwise_bias)[None, :, None, None]
    times = len(depthwise) // features.shape[1]
    for channel in range(len(depthwise)):
        kernel, bias = torch.as_tensor(depthwise[channel : channel + 1]), float(depthwise_bias[channel])
        read = features[:, channel // times].unsqueeze(1)
        one = F.conv2d(read, kernel, padding=rate * (kernel.shape[-1] // 2), dilation=rate)
        total = total + torch.as_tensor(pointwise[None, :, channel]) * (one + bias).clamp(min=0)
    return total.clamp(min=0)


def _with_modules(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    widened, _, side, _ = depthwise.shape
    channels = features.shape[1]
    first = nn.Conv2d(channels, widened, side, padding=rate * (side // 2), dilation=rate, groups=channels)
    second = nn.Conv2d(widened, len(pointwise), 1)
    first.weight.data, first.bias.data = torch.as_tensor(depthwise), torch.as_tensor(depthwise_bias)
    second.weight.data, second.bias.data = torch.as_tensor(pointwise), torch.as_tensor(pointwise_bias)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())(torch.as_tensor(features))


def _with_a_diagonal_kernel(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    """The depthwise kernel as a full one that is zero from one channel to another."""
    widened, _, side, _ = depthwise.shape
    channels = features.shape[1]
    full = np.zeros((widened, channels, side, side))
    full[np.arange(widened), np.arange(widened) * channels // widened] = depthwise[:, 0]
    filtered = np.maximum(_full(features, full, rate) + depthwise_bias[:, None, None], 0)
    mixed = np.einsum("kc,bchw->bkhw", pointwise[:, :, 0, 0], filtered)
    return np.maximum(mixed + pointwise_bias[:, None, None], 0)


def _full(features, kernel, rate, margin=None):  # type: ignore[no-untyped-def]
    """A full atrous convolution without bias."""
    import torch
    from torch.nn import functional as F

    features, kernel = (torch.as_tensor(np.array(one, dtype=np.float64)) for one in (features, kernel))
    margin = rate * (kernel.shape[-1] // 2) if margin is None else margin
    return F.conv2d(features, kernel, padding=margin, dilation=rate).numpy()


def _block(  # type: ignore[no-untyped-def]
    features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate, *,
    between=True, last=True, biased=True, across=False, margin=None, channel_of=None, order="", most=None, border=None,
):  # fmt: skip
    """The block with the switches of the mistakes; as it stands, the right one."""
    channels, _, side, _ = depthwise.shape
    full = np.zeros((channels, channels, side, side))
    full[np.arange(channels), np.arange(channels)] = depthwise[:, 0]
    if across:
        full[:] = depthwise
    if channel_of is not None:
        full = full[:, channel_of(np.arange(channels))]
    if border is not None:
        wide = rate * (side // 2)
        source, margin = np.pad(features, ((0, 0), (0, 0), (wide, wide), (wide, wide)), mode=border), 0
    else:
        source = features
    filtered = _full(source, full, rate, margin) + biased * depthwise_bias[:, None, None] * (order != "behind")
    if order == "absolute":
        filtered = np.abs(filtered)
    filtered = np.clip(filtered, 0, most) if between else filtered
    if order == "behind":
        filtered = filtered + depthwise_bias[:, None, None]
    if order == "shortcut":
        filtered = filtered + features
    mixed = np.einsum("kc,bchw->bkhw", pointwise[:, :, 0, 0], filtered) + biased * pointwise_bias[:, None, None]
    return np.maximum(mixed, 0) if last else mixed


def _other_kernel(change):  # type: ignore[no-untyped-def]
    return lambda features, depthwise, *rest: _block(features, change(depthwise), *rest)


def _other_rate(change):  # type: ignore[no-untyped-def]
    return lambda *arguments: _block(*arguments[:-1], change(arguments[-1]))


def _only_depthwise(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    channels = len(depthwise)
    same = np.eye(channels)[:, :, None, None]
    return _block(features, depthwise, depthwise_bias, same, np.zeros(channels), rate)


def _weights(
    kernels: list[np.ndarray], kernel_biases: list[float], pointwise: list[list[float]], biases: list[float]
) -> tuple[np.ndarray, ...]:
    """Weights and biases as `nn.Conv2d` holds them."""
    return (
        np.array(kernels, dtype=np.float32)[:, None],
        np.array(kernel_biases, dtype=np.float32),
        np.array(pointwise, dtype=np.float32)[:, :, None, None],
        np.array(biases, dtype=np.float32),
    )


def _random(
    seed: int, shape: tuple[int, int, int, int], channels: int, side: int, rate: int, times: int = 1
) -> tuple[Any, ...]:
    in_channels = times * shape[1]
    return (
        random_map(seed, *shape),
        random_map(seed + 1, in_channels, 1, side, side),
        random_map(seed + 2, in_channels),
        random_map(seed + 3, channels, in_channels, 1, 1),
        random_map(seed + 4, channels) + 1,
        rate,
    )


_ROWS = np.array([[[[1, 2, 3, 4]], [[5, 0, 1, 2]]]], dtype=np.float32)  # two channels of one row
_LEFT = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=np.float32)
_MIDDLE = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=np.float32)


def _pointwise_first(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    mixed = np.einsum("kc,bchw->bkhw", pointwise[:, :, 0, 0], features) + pointwise_bias[:, None, None]
    same = np.eye(len(depthwise))[:, :, None, None]
    return _block(np.maximum(mixed, 0), depthwise, depthwise_bias, same, np.zeros(len(depthwise)), rate)


def _for_one_kernel(wrong):  # type: ignore[no-untyped-def]
    """An answer for one kernel per channel, on channels that are repeated as often as they are read."""

    def answer(features, depthwise, *rest):  # type: ignore[no-untyped-def]
        return wrong(np.repeat(features, len(depthwise) // features.shape[1], axis=1), depthwise, *rest)

    return answer


def _other_channels(channels):  # type: ignore[no-untyped-def]
    """The right block, but the kernels read other channels."""

    def wrong(features, depthwise, *rest):  # type: ignore[no-untyped-def]
        count = features.shape[1]
        read = channels(np.arange(len(depthwise)), count, len(depthwise) // count)
        return _block(features[:, read], depthwise, *rest)

    return wrong


def _first_kernel_of_each(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    """Only one kernel of each channel is used, and the pointwise weights that belong to it."""
    times = len(depthwise) // features.shape[1]
    kept = np.s_[::times]
    return _block(features, depthwise[kept], depthwise_bias[kept], pointwise[:, kept], pointwise_bias, rate)


def _summed_kernels(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate):  # type: ignore[no-untyped-def]
    times = len(depthwise) // features.shape[1]
    whole = depthwise.reshape(-1, times, *depthwise.shape[1:]).sum(axis=1)
    biases, mixed = depthwise_bias.reshape(-1, times).sum(axis=1), pointwise[:, ::times]
    return _block(features, whole, biases, mixed, pointwise_bias, rate)


_ONE_KERNEL = (
    Mistake("rate ignored", _other_rate(lambda rate: 1), "rate"),
    Mistake("rate zeros between the taps", _other_rate(lambda rate: rate + 1), "rate"),
    Mistake("all channels read by each kernel", lambda *a: _block(*a, across=True), "channels"),
    Mistake("the first kernel for all", _other_kernel(lambda d: np.repeat(d[:1], len(d), axis=0)), "channels"),
    Mistake("kernels averaged", _other_kernel(lambda d: np.zeros_like(d) + d.mean(axis=0)), "channels"),
    Mistake("kernels in the wrong order", _other_kernel(lambda d: d[::-1]), "channels"),
    Mistake("no ReLU between", lambda *a: _block(*a, between=False), "between"),
    Mistake("no ReLU at the end", lambda *a: _block(*a, last=False), "end"),
    Mistake("no biases", lambda *a: _block(*a, biased=False), "bias"),
    Mistake("kernels flipped", _other_kernel(lambda d: d[..., ::-1, ::-1].copy()), "flip"),
    Mistake("kernels transposed", _other_kernel(lambda d: d.swapaxes(2, 3).copy()), "flip"),
    Mistake("no padding", lambda *a: _block(*a, margin=0), "size"),
    Mistake("padding of rate 1", lambda *a: _block(*a, margin=a[1].shape[-1] // 2), "size"),
    Mistake("only depthwise", _only_depthwise, "pointwise"),
    Mistake("rate minus one", _other_rate(lambda rate: rate - 1 or 1), "rate"),
    Mistake("rate in the pointwise", lambda *a: _block(*a[:-1], 1), "rate"),  # type: ignore[call-arg]
    Mistake("padding is the rate", lambda *a: _block(*a, margin=a[-1]), "size"),
    Mistake("padding of 1", lambda *a: _block(*a, margin=1), "size"),
    Mistake("neighbor's kernel", _other_kernel(lambda d: np.roll(d, 1, axis=0)), "channels"),
    Mistake("reads the neighbor", lambda *a: _block(*a, channel_of=lambda c: np.roll(c, 1)), "channels"),
    Mistake("no depthwise bias", lambda f, d, e, p, q, r: _block(f, d, 0 * e, p, q, r), "bias"),
    Mistake("no pointwise bias", lambda f, d, e, p, q, r: _block(f, d, e, p, 0 * q, r), "bias"),
    Mistake("depthwise bias behind ReLU", lambda *a: _block(*a, order="behind"), "bias"),
    Mistake(
        "pointwise bias behind ReLU",
        lambda f, d, e, p, q, r: _block(f, d, e, p, 0 * q, r) + q[:, None, None],
        "bias",
    ),
    Mistake("depthwise bias twice", lambda f, d, e, p, q, r: _block(f, d, 2 * e, p, q, r), "bias"),
    Mistake("first bias for all channels", lambda f, d, e, p, q, r: _block(f, d, 0 * e + e[0], p, q, r), "bias"),
    Mistake("ReLU6 between", lambda *a: _block(*a, most=6), "bias"),
    Mistake("ReLU6 at the end", lambda *a: _block(*a).clip(0, 6), "bias"),
    Mistake("ReLU6 twice", lambda *a: _block(*a, most=6).clip(0, 6), "bias"),
    Mistake("no ReLU at all", lambda *a: _block(*a, between=False, last=False), "between"),
    Mistake("absolute between", lambda *a: _block(*a, order="absolute"), "between"),
    Mistake("flipped down", _other_kernel(lambda d: d[..., ::-1, :].copy()), "flip"),
    Mistake("flipped across", _other_kernel(lambda d: d[..., ::-1].copy()), "flip"),
    Mistake("ReLU before", lambda f, *a: _block(np.maximum(f, 0), *a), "sequence"),
    Mistake("shortcut", lambda *a: _block(*a, order="shortcut"), "sequence"),
    Mistake("border mirrored", lambda *a: _block(*a, border="reflect"), "sequence"),
    Mistake("border repeated", lambda *a: _block(*a, border="edge"), "sequence"),
    Mistake("pointwise first", _pointwise_first, "sequence"),
    Mistake("the first picture", lambda f, *a: _block(f[:1], *a), "sequence"),
    Mistake("mean of the channels", lambda f, d, e, p, q, r: _block(f, d, e, p / p.shape[1], q, r), "pointwise"),
    Mistake("biases exchanged", lambda f, d, e, p, q, r: _block(f, d, q, p, e, r), "bias"),
)
MISTAKES = (
    *(replace(one, answer=_for_one_kernel(one.answer)) for one in _ONE_KERNEL),
    Mistake("kernels in turn", _other_channels(lambda kernel, count, times: kernel % count), "multiplier"),
    Mistake("the last channel again", _other_channels(lambda kernel, count, times: np.minimum(kernel, count - 1)),
            "multiplier"),
    Mistake("turned channels", _other_channels(lambda kernel, count, times: count - 1 - kernel // times
                                               if times > 1 else kernel // times), "multiplier"),
    Mistake("the first kernel of each channel", _first_kernel_of_each, "multiplier"),
    Mistake("kernels of a channel added up", _summed_kernels, "multiplier"),
)  # fmt: skip


EXERCISE = Exercise(
    id="6.6",
    title="Atrous separable convolution with a multiplier",
    name="separable_convolution",
    statement="""
DeepLab v3+ replaces the full 3 x 3 convolutions of its ASPP and decoder by two cheap ones (section 3.1). In lesson 6b
each channel had *one* kernel. Some networks give it several: the *depthwise* convolution then makes m channels of every
channel, each with a kernel of its own that reads this one channel at the rate; the *pointwise* convolution, a 1 x 1,
mixes all of them. A bias and ReLU follow each of the two. (Batch norm is folded into biases and weights again.)

Write `separable_convolution(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate)`. `features` is
B x C x H x W, `depthwise` (m · C) x 1 x k x k with odd k: first the m kernels of channel 0, then those of channel 1,
and so on, as `nn.Conv2d(C, m * C, k, groups=C)` holds them. Its biases are m · C numbers, `pointwise` is K x (m · C) x
1 x 1. The result is B x K x H x W. You find m by comparing the shapes; often it is 1.
""",
    stub=STUB,
    reference=separable_convolution,
    cases=(
        Case(
            "each channel with its own kernel, rate 1",
            (_ROWS, *_weights([_LEFT, _MIDDLE], [0, 0], [[1, 0], [0, 1]], [0, 0]), 1),
            np.array([[[[0.0, 1, 2, 3]], [[5, 0, 1, 2]]]]),
        ),
        Case(
            "the same at rate 2",
            (_ROWS, *_weights([_LEFT, _MIDDLE], [0, 0], [[1, 0], [0, 1]], [0, 0]), 2),
            np.array([[[[0.0, 0, 1, 2]], [[5, 0, 1, 2]]]]),
            "two",
        ),
        Case(
            "ReLU between the two",
            (_ROWS, *_weights([_MIDDLE, _MIDDLE], [-2, -1], [[1, 10]], [1]), 1),
            np.array([[[[0.0 + 40 + 1, 0 + 0 + 1, 1 + 0 + 1, 2 + 10 + 1]]]]),
            "between",
        ),
        Case(
            "ReLU at the end",
            (_ROWS, *_weights([_MIDDLE, _MIDDLE], [0, 0], [[1, -1]], [0]), 1),
            np.array([[[[0.0, 2, 2, 2]]]]),
            "end",
        ),
        Case(
            "large values, each bias for itself",
            (10 * _ROWS, *_weights([_MIDDLE, _MIDDLE], [3, -4], [[1, 0], [0, -1]], [2, 20]), 1),
            np.array([[[[15.0, 25, 35, 45]], [[0, 20, 14, 4]]]]),
            "bias",
        ),
        Case(
            "two kernels for each channel",
            (
                _ROWS,
                *_weights(
                    [_LEFT, _MIDDLE, _MIDDLE, _LEFT],
                    [0, 0, -1, 0],
                    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
                    [0, 0, 0, 0],
                ),
                1,
            ),
            np.array([[[[0.0, 1, 2, 3]], [[1, 2, 3, 4]], [[4, 0, 0, 1]], [[0, 5, 0, 1]]]]),
            "multiplier",
        ),
        Case("three kernels for each of two channels", _random(40, (2, 2, 5, 6), 3, 3, 2, 3), hint="multiplier"),
        Case("four kernels for one channel", _random(50, (1, 1, 6, 5), 2, 3, 1, 4), hint="multiplier"),
        Case("a 1 x 1 kernel at rate 3", _random(30, (1, 2, 4, 5), 2, 1, 3), hint="size"),
        Case("two pictures, three channels to four, rate 2", _random(10, (2, 3, 6, 7), 4, 3, 2)),
        Case("5 x 5 kernels, rate 3", _random(20, (1, 4, 8, 9), 2, 5, 3)),
    ),
    hints={
        "general": Hint(
            "Two convolutions, each followed by ReLU. In the first, no channel sees another one.",
            "F.conv2d has an argument for groups: how many must there be so that each channel is alone, however many "
            "kernels it has? The padding that keeps the size grows with the rate. The second convolution is an "
            "ordinary one, on what the first ReLU left.",
        ),
        "rate": Hint(
            "The depthwise convolution reads at `rate`; the rate plays no part in a 1 x 1.",
            "dilation=rate in the depthwise convolution.",
        ),
        "channels": Hint(
            "In the depthwise convolution each channel is filtered by its own kernel and sees no other channel.",
            "groups=features.shape[1]; kernel c reads channel c and makes channel c.",
        ),
        "multiplier": Hint(
            "Channel c is read by the kernels m c, m c + 1, ..., m c + m - 1, and m is the number of kernels over the "
            "number of channels.",
            "groups=features.shape[1], whatever m is.",
        ),
        "between": Hint(
            "Between the two convolutions stands a ReLU. Without it, both together are one linear filter.",
            "torch.relu(filtered) before the pointwise convolution.",
        ),
        "end": Hint("ReLU comes after the 1 x 1 convolution and its bias, too.", "return torch.relu(mixed)."),
        "bias": Hint(
            "Both convolutions have a bias, before ReLU, and ReLU has no upper limit.",
            "Hand depthwise_bias and pointwise_bias over to F.conv2d.",
        ),
        "flip": Hint(
            "The kernels are used as they are, neither flipped nor transposed.",
            "Use the depthwise weights as they are; F.conv2d turns nothing.",
        ),
        "two": Hint(
            "The first kernel reads two positions to the left here, the second the position itself.",
            "dilation=rate, padding=rate * (k // 2) in the depthwise convolution.",
        ),
        "sequence": Hint(
            "Depthwise first, then pointwise, and nothing else: no ReLU before, nothing added, zeros around the map.",
            "conv2d with groups, relu, conv2d 1 x 1, relu.",
        ),
        "size": Hint(
            "The map must keep its size: the padding grows with the rate and with the kernel.",
            "padding=rate * (k // 2).",
        ),
        "pointwise": Hint(
            "The channels are not mixed: the 1 x 1 convolution is missing.", "F.conv2d(..., pointwise, pointwise_bias)."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_channel_after_channel, _with_modules, _with_a_diagonal_kernel),
    points=3,
    minutes=15,
    difficulty=2,
)
