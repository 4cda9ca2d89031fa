"""Typical wrong answers to exercise 6.1, atrous convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _convolved(features, weight, bias, down, across, border="constant", margin=None):  # type: ignore[no-untyped-def]
    """The convolution with the switches of the mistakes."""
    import torch
    from torch.nn import functional as F

    features, weight, bias = (torch.tensor(np.array(one)) for one in (features, weight, bias))
    half = weight.shape[-1] // 2
    margins = (across * half, across * half, down * half, down * half) if margin is None else (margin,) * 4
    return F.conv2d(F.pad(features, margins, mode=border), weight, bias, dilation=(down, across))


def _smeared(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    """Every tap is repeated instead of surrounded by zeros."""
    side = rate * (weight.shape[-1] - 1) + 1
    wide = weight.repeat(rate, axis=2).repeat(rate, axis=3)[:, :, :side, :side]
    return _convolved(features, wide, bias, 1, 1)


def _zeros_behind_the_last_tap(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    side = rate * weight.shape[-1]
    wide = np.zeros((*weight.shape[:2], side, side), dtype=weight.dtype)
    wide[:, :, ::rate, ::rate] = weight
    return _convolved(features, wide, bias, 1, 1)


def _channel_means(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    return _convolved(features, weight / features.shape[1], bias, rate, rate)


def _first_channel(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    return _convolved(features[:, :1], weight[:, :1], bias, rate, rate)


def _bias_per_channel(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    return _convolved(features, weight, bias * features.shape[1], rate, rate)


def _stuffed(weight, rate):  # type: ignore[no-untyped-def]
    side = rate * (weight.shape[-1] - 1) + 1
    wide = np.zeros((*weight.shape[:2], side, side), dtype=weight.dtype)
    wide[:, :, ::rate, ::rate] = weight
    return wide


def _in_one_corner(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    wide = 0 * _stuffed(weight, rate)
    wide[:, :, : weight.shape[2], : weight.shape[3]] = weight
    return _convolved(features, wide, bias, 1, 1)


def _interpolated(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    side = rate * (weight.shape[-1] - 1) + 1
    return _convolved(
        features,
        F.interpolate(torch.tensor(np.array(weight)), (side, side), mode="bilinear", align_corners=True),
        bias,
        1,
        1,
    )


def _rows_stuffed(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    """A kernel with holes from row to row only, k columns wide, and padding for both."""
    return _convolved(features, weight, bias, rate, 1, margin=rate * (weight.shape[-1] // 2))


def _bias_along_columns(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    return np.asarray(_convolved(features, weight, 0 * bias, rate, rate)) + bias


def _mirrored(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    margin = rate * (weight.shape[-1] // 2)
    padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)), mode="reflect")
    return _convolved(padded, weight, bias, rate, rate, margin=0)


def _with_rolls(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    margin = rate * (weight.shape[-1] // 2)
    padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)), mode="wrap")
    return _convolved(padded, weight, bias, rate, rate, margin=0)


def _one_side(features, weight, bias, rate):  # type: ignore[no-untyped-def]
    margin = 2 * rate * (weight.shape[-1] // 2)
    padded = np.pad(features, ((0, 0), (0, 0), (margin, 0), (margin, 0)))
    return _convolved(padded, weight, bias, rate, rate, margin=0)


MISTAKES = (
    Mistake("rate ignored", lambda x, w, b, r: _convolved(x, w, b, 1, 1), "rate"),
    Mistake("rate zeros between the taps", lambda x, w, b, r: _convolved(x, w, b, r + 1, r + 1), "rate"),
    Mistake("only down", lambda x, w, b, r: _convolved(x, w, b, r, 1), "rate"),
    Mistake("only across", lambda x, w, b, r: _convolved(x, w, b, 1, r), "rate"),
    Mistake("kernel flipped", lambda x, w, b, r: _convolved(x, w[..., ::-1, ::-1], b, r, r), "flip"),
    Mistake("kernel transposed", lambda x, w, b, r: _convolved(x, w.swapaxes(2, 3), b, r, r), "flip"),
    Mistake("mean over the channels", _channel_means, "channels"),
    Mistake("first channel only", _first_channel, "channels"),
    Mistake("bias once per channel", _bias_per_channel, "channels"),
    Mistake("border repeated", lambda x, w, b, r: _convolved(x, w, b, r, r, border="replicate"), "border"),
    Mistake("no padding", lambda x, w, b, r: _convolved(x, w, b, r, r, margin=0), "size"),
    Mistake("padding of rate 1", lambda x, w, b, r: _convolved(x, w, b, r, r, margin=w.shape[-1] // 2), "size"),
    Mistake("padding is the rate for every kernel", lambda x, w, b, r: _convolved(x, w, b, r, r, margin=r), "size"),
    Mistake("zeros behind the last tap", _zeros_behind_the_last_tap, "behind"),
    Mistake("weights repeated", _smeared, "smeared"),
    Mistake("no bias", lambda x, w, b, r: _convolved(x, w, 0 * b, r, r), "bias"),
    Mistake("rate minus one", lambda x, w, b, r: _convolved(x, w, b, max(r - 1, 1), max(r - 1, 1)), "rate"),
    Mistake("weights in one corner", _in_one_corner, "smeared"),
    Mistake("weights interpolated", _interpolated, "smeared"),
    Mistake("rows stuffed only", _rows_stuffed, "rate"),
    Mistake("flipped down", lambda x, w, b, r: _convolved(x, w[..., ::-1, :], b, r, r), "flip"),
    Mistake("flipped across", lambda x, w, b, r: _convolved(x, w[..., ::-1], b, r, r), "flip"),
    Mistake(
        "the first kernel for all",
        lambda x, w, b, r: _convolved(x, np.repeat(w[:1], len(w), 0), b, r, r),
        "channels",
    ),
    Mistake(
        "the first channel's kernel for all",
        lambda x, w, b, r: _convolved(x, np.repeat(w[:, :1], w.shape[1], 1), b, r, r),
        "channels",
    ),
    Mistake("bias of the first for all", lambda x, w, b, r: _convolved(x, w, 0 * b + b[0], r, r), "bias"),
    Mistake("bias twice", lambda x, w, b, r: _convolved(x, w, 2 * b, r, r), "bias"),
    Mistake("bias subtracted", lambda x, w, b, r: _convolved(x, w, -b, r, r), "bias"),
    Mistake("mean of the biases", lambda x, w, b, r: _convolved(x, w, 0 * b + b.mean(), r, r), "bias"),
    Mistake("bias along the columns", _bias_along_columns, "bias"),
    Mistake("border mirrored", _mirrored, "border"),
    Mistake("border wraps around", lambda x, w, b, r: _with_rolls(x, w, b, r), "border"),
    Mistake("padding at one side", _one_side, "behind"),
    Mistake("ReLU", lambda x, w, b, r: _convolved(x, w, b, r, r).relu(), "as it is"),
    Mistake("divided by the rate", lambda x, w, b, r: _convolved(x, w / r, b, r, r), "as it is"),
    Mistake("divided by the taps", lambda x, w, b, r: _convolved(x, w / w[0, 0].size, b, r, r), "as it is"),
    Mistake("every rate-th position", lambda x, w, b, r: _convolved(x, w, b, r, r)[:, :, ::r, ::r], "as it is"),
    Mistake("the first picture", lambda x, w, b, r: _convolved(x[:1], w, b, r, r), "all pictures"),
    Mistake(
        "all pictures are the first",
        lambda x, w, b, r: _convolved(x[:1].repeat(len(x), 0), w, b, r, r),
        "all pictures",
    ),
)
