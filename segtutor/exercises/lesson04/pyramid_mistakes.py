"""Typical wrong answers to exercise 4.8, pyramid pooling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import F, torch


def _pointwise(x, weight, bias):  # type: ignore[no-untyped-def]
    weight = torch.as_tensor(weight)[:, :, None, None]
    return F.conv2d(torch.as_tensor(x), weight, torch.as_tensor(bias))


def _pooled(x, count, how):  # type: ignore[no-untyped-def]
    """The map in count x count regions, pooled rightly or wrongly."""
    mean = F.adaptive_avg_pool2d(x, count)
    match how:
        case "max":
            return F.adaptive_max_pool2d(x, count)
        case "sum":
            return mean * x.shape[2] * x.shape[3] / count**2
        case "windows":
            return F.adaptive_avg_pool2d(
                x[:, :, : x.shape[2] // count * count or None, : x.shape[3] // count * count or None], count
            )
        case "transposed":
            return mean.mT
        case "resized":
            return F.interpolate(x, (count, count), mode="bilinear")
    return mean


def _combined(x, levels, how):  # type: ignore[no-untyped-def]
    """Map and levels together, rightly or wrongly."""
    match how:
        case "none":
            return torch.cat(levels or [x[:, :0]], 1)
        case "none reversed":
            return torch.cat(levels[::-1] or [x[:, :0]], 1)
        case "last":
            return torch.cat([*levels, x], 1)
        case "twice":
            return torch.cat([x, x, *levels], 1)
        case "reversed":
            return torch.cat([x, *levels[::-1]], 1)
        case "only last":
            return torch.cat([x, *levels[-1:]], 1)
        case "only first":
            return torch.cat([x, *levels[:1]], 1)
    if not levels or how == "map":
        return torch.cat([x, *levels], 1)
    stacked = torch.stack(levels)
    match how:
        case "sum":
            return torch.cat([x, stacked.sum(0)], 1)
        case "mean":
            return torch.cat([x, stacked.mean(0)], 1)
        case "max":
            return torch.cat([x, stacked.amax(0)], 1)
        case "mixed":
            return torch.cat([x, stacked.transpose(0, 1).transpose(1, 2).flatten(1, 2)], 1)
        case "added":
            return torch.cat([x, *(level + x.mean(1, keepdim=True) for level in levels)], 1)
    channels = max(x.shape[1], stacked.shape[2])
    parts = [F.pad(one, (0, 0, 0, 0, 0, channels - one.shape[1])) for one in (x, *levels)]
    return torch.cat(parts, {"batch": 0, "rows": 2, "columns": 3}[how])


def _activated(level, how):  # type: ignore[no-untyped-def]
    match how:
        case "before" | "map":
            return level.relu()
        case "sigmoid":
            return level.sigmoid()
        case "abs":
            return level.abs()
        case "leaky":
            return F.leaky_relu(level)
    return level


def _pyramid(  # type: ignore[no-untyped-def]
    x, bins, weights, biases, *,
    aligned: bool | None = True, mode="bilinear", relu="before", biased="right", first="map", pool="mean",
    chained=False, size=None,
):  # fmt: skip
    """The pyramid with the switches of the mistakes; as it stands, the right one."""
    x = torch.as_tensor(x)
    levels, source = [], x.relu() if relu == "map" else x
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        weight, bias = torch.as_tensor(np.asarray(weight))[:, :, None, None], torch.as_tensor(np.array(bias))
        shift = bias[:, None, None]
        if pool == "late":
            level = _pooled(F.conv2d(source, weight, bias).relu(), count, "mean")
        else:
            pooled = _pooled(source, count, pool)
            source = pooled if chained else source
            pooled = pooled.relu() if relu == "early" else pooled
            level = _activated(F.conv2d(pooled, weight, bias if biased == "right" else None), relu)
        level = level + shift if biased == "late" else level
        level = F.interpolate(level, size=size or x.shape[-2:], mode=mode, align_corners=aligned)
        level = level + shift if biased == "last" else level
        levels.append(level.relu() if relu == "after" else level)
    return _combined(x, levels, first)


def _on_the_map(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    """The levels are not pooled at all."""
    levels = [np.maximum(np.asarray(_pointwise(x, w, b)), 0) for w, b in zip(weights, biases, strict=True)]
    return np.concatenate([x, *levels], axis=1)


def _relu_of_all(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    return _pyramid(x, bins, weights, biases).relu()


def _bins_as_windows(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    """Windows of bins x bins positions, instead of bins x bins regions."""
    import torch
    from torch.nn import functional as F

    x = torch.as_tensor(x)
    levels = [x]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = F.avg_pool2d(x, count, ceil_mode=True)
        level = torch.relu(_pointwise(pooled, weight, bias))
        levels.append(F.interpolate(level, size=x.shape[-2:], mode="bilinear", align_corners=True))
    return torch.cat(levels, dim=1)


def _to_a_square(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    """Upsampled to H x H; the map is cut or filled up to it."""
    side, width = x.shape[2:]
    square = np.pad(x, ((0, 0), (0, 0), (0, 0), (0, max(side - width, 0))))[:, :, :, :side]
    levels = _pyramid(x, bins, weights, biases, first="none", size=(side, side)) if len(bins) else square[:, :0]
    return np.concatenate([square, levels], axis=1)


def _size_of_the_bins(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    return _pyramid(x, bins, weights, biases, first="none", size=(max(bins), max(bins))) if len(bins) else x


def _map_smoothed(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    levels = _pyramid(x, bins, weights, biases)
    return np.concatenate([levels[:, : x.shape[1]] * 0 + x.mean((2, 3), keepdims=True), levels[:, x.shape[1] :]], 1)


def _sorted(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    order = np.argsort(bins, kind="stable")
    return _pyramid(x, *([one[number] for number in order] for one in (bins, weights, biases)))


def _each_once(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    kept = [number for number, count in enumerate(bins) if count not in bins[:number]]
    return _pyramid(x, *([one[number] for number in kept] for one in (bins, weights, biases)))


def _from_the_level_before(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    """Each level pools the mean over the channels of the level before."""
    result, source = [x], x
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        level = np.asarray(_pyramid(source, (count,), [weight], [bias], first="none"))
        result.append(level)
        source = level.mean(1, keepdims=True).repeat(x.shape[1], 1)
    return np.concatenate(result, axis=1)


def _bias_on_the_map(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    shift = float(biases[0][0]) if len(biases) else 0.0
    return torch.cat([torch.as_tensor(x) + shift, _pyramid(x, bins, weights, biases)[:, x.shape[1] :]], 1)


def _cut_to_the_map(x, bins, weights, biases):  # type: ignore[no-untyped-def]
    return _pyramid(x, bins, weights, biases)[:, : x.shape[1]]


def _on_the_valid_part(wrong):  # type: ignore[no-untyped-def]
    """An answer for maps without padding, on the valid part; what it adds is 0 on the padding, as it should be."""

    def answer(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
        part = x[:, :, : valid[0], : valid[1]]
        found = torch.as_tensor(np.asarray(wrong(part, bins, weights, biases)))
        channels, size = x.shape[1], part.shape[2:]
        if found.ndim != 4 or tuple(found.shape[2:]) != size:
            return found
        whole = F.pad(found, (0, x.shape[3] - size[1], 0, x.shape[2] - size[0]))
        if found.shape[1] >= channels and np.array_equal(found[:, :channels], part):
            whole[:, :channels] = torch.as_tensor(x)
        return whole

    return answer


def _without_padding(x, bins, weights, biases, _valid):  # type: ignore[no-untyped-def]
    return _pyramid(x, bins, weights, biases)


def _levels_on_the_valid_part(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    return _pyramid(x[:, :, : valid[0], : valid[1]], bins, weights, biases)[:, x.shape[1] :]


def _with_levels(x, levels):  # type: ignore[no-untyped-def]
    return torch.cat([torch.as_tensor(x), levels], 1)


def _stretched_over_all(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    """Pooled rightly, but upsampled over the padding, too."""
    levels = [torch.as_tensor(x)]
    for count, weight, bias in zip(bins, weights, biases, strict=True):
        pooled = F.adaptive_avg_pool2d(torch.as_tensor(x)[:, :, : valid[0], : valid[1]], count)
        level = torch.relu(_pointwise(pooled, weight, bias))
        levels.append(F.interpolate(level, size=x.shape[2:], mode="bilinear", align_corners=True))
    return torch.cat(levels, 1)


def _border_goes_on(*arguments):  # type: ignore[no-untyped-def]
    x, _, _, _, valid = arguments
    levels = _levels_on_the_valid_part(*arguments)
    missing = (0, x.shape[3] - valid[1], 0, x.shape[2] - valid[0])
    return _with_levels(x, F.pad(levels, missing, mode="replicate") if levels.shape[1] else levels[:, :, :0, :0])


def _padded_in_front(*arguments):  # type: ignore[no-untyped-def]
    x, _, _, _, valid = arguments
    levels = _levels_on_the_valid_part(*arguments)
    return _with_levels(x, F.pad(levels, (x.shape[3] - valid[1], 0, x.shape[2] - valid[0], 0)))


def _pooled_with_padding(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    """The padding is in the means; the levels are cut to 0 on it."""
    found = _pyramid(x, bins, weights, biases).clone()
    found[:, x.shape[1] :, valid[0] :] = 0
    found[:, x.shape[1] :, :, valid[1] :] = 0
    return found


def _map_cut_too(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    levels = _pyramid(x[:, :, : valid[0], : valid[1]], bins, weights, biases)
    return F.pad(levels, (0, x.shape[3] - valid[1], 0, x.shape[2] - valid[0]))


def _columns_and_rows(x, bins, weights, biases, valid):  # type: ignore[no-untyped-def]
    part = x[:, :, : valid[1], : valid[0]]
    levels = _pyramid(part, bins, weights, biases)[:, x.shape[1] :]
    return _with_levels(x, F.pad(levels, (0, x.shape[3] - part.shape[3], 0, x.shape[2] - part.shape[2])))


_WITHOUT_PADDING = (
    Mistake("corners not aligned", lambda *a: _pyramid(*a, aligned=False), "aligned"),
    Mistake("nearest", lambda *a: _pyramid(*a, aligned=None, mode="nearest"), "aligned"),
    Mistake("no ReLU", lambda *a: _pyramid(*a, relu="none"), "relu"),
    Mistake("ReLU after upsampling", lambda *a: _pyramid(*a, relu="after"), "relu"),
    Mistake("ReLU of everything", _relu_of_all, "relu"),
    Mistake("no bias", lambda *a: _pyramid(*a, biased="never"), "bias"),
    Mistake("map missing", lambda *a: _pyramid(*a, first="none"), "map"),
    Mistake("map last", lambda *a: _pyramid(*a, first="last"), "map"),
    Mistake("levels turned", lambda *a: _pyramid(*a, first="reversed"), "order"),
    Mistake("levels summed", lambda *a: _pyramid(*a, first="sum"), "order"),
    Mistake("maximum", lambda *a: _pyramid(*a, pool="max"), "pooling"),
    Mistake("pooled one after the other", lambda *a: _pyramid(*a, chained=True), "pooling"),
    Mistake("windows of n x n", _bins_as_windows, "pooling"),
    Mistake("not pooled", _on_the_map, "pooling"),
    Mistake("bicubic", lambda *a: _pyramid(*a, mode="bicubic"), "aligned"),
    Mistake("to a square", _to_a_square, "aligned"),
    Mistake("map and levels at the size of the bins", _size_of_the_bins, "aligned"),
    Mistake("ReLU before the convolution", lambda *a: _pyramid(*a, relu="early"), "relu"),
    Mistake("ReLU of the map before all", lambda x, *a: _pyramid(np.maximum(x, 0), *a), "relu"),
    Mistake("ReLU of the map for the levels", lambda *a: _pyramid(*a, relu="map"), "relu"),
    Mistake("sigmoid", lambda *a: _pyramid(*a, relu="sigmoid"), "relu"),
    Mistake("absolute value", lambda *a: _pyramid(*a, relu="abs"), "relu"),
    Mistake("leaky", lambda *a: _pyramid(*a, relu="leaky"), "relu"),
    Mistake("bias after ReLU", lambda *a: _pyramid(*a, biased="late"), "bias"),
    Mistake("bias after upsampling", lambda *a: _pyramid(*a, biased="last"), "bias"),
    Mistake("bias subtracted", lambda x, n, w, b: _pyramid(x, n, w, [-one for one in b]), "bias"),
    Mistake("first bias of the level", lambda x, n, w, b: _pyramid(x, n, w, [0 * one + one[0] for one in b]), "bias"),
    Mistake("bias times channels", lambda x, n, w, b: _pyramid(x, n, w, [one * x.shape[1] for one in b]), "bias"),
    Mistake("no map and levels turned", lambda *a: _pyramid(*a, first="none reversed"), "map"),
    Mistake("map twice", lambda *a: _pyramid(*a, first="twice"), "map"),
    Mistake("map added to the levels", lambda *a: _pyramid(*a, first="added"), "map"),
    Mistake("map smoothed", _map_smoothed, "map"),
    Mistake("levels beside each other, channels mixed", lambda *a: _pyramid(*a, first="mixed"), "order"),
    Mistake("levels averaged", lambda *a: _pyramid(*a, first="mean"), "order"),
    Mistake("largest of the levels", lambda *a: _pyramid(*a, first="max"), "order"),
    Mistake("along the rows", lambda *a: _pyramid(*a, first="rows"), "order"),
    Mistake("along the columns", lambda *a: _pyramid(*a, first="columns"), "order"),
    Mistake("along the batch", lambda *a: _pyramid(*a, first="batch"), "order"),
    Mistake("last level alone", lambda *a: _pyramid(*a, first="only last"), "order"),
    Mistake("first level alone", lambda *a: _pyramid(*a, first="only first"), "order"),
    Mistake("last level left out", lambda x, n, w, b: _pyramid(x, n[:-1], w[:-1], b[:-1]), "order"),
    Mistake("first level left out", lambda x, n, w, b: _pyramid(x, n[1:], w[1:], b[1:]), "order"),
    Mistake("bins sorted", lambda x, n, w, b: _sorted(x, n, w, b), "order"),
    Mistake("each number of bins once", lambda x, n, w, b: _each_once(x, n, w, b), "order"),
    Mistake("first weight for all", lambda x, n, w, b: _pyramid(x, n, w[:1] * len(n), b), "own"),
    Mistake("last weight for all", lambda x, n, w, b: _pyramid(x, n, w[-1:] * len(n), b), "own"),
    Mistake("first bias for all", lambda x, n, w, b: _pyramid(x, n, w, b[:1] * len(n)), "own"),
    Mistake("first weight and bias for all", lambda x, n, w, b: _pyramid(x, n, w[:1] * len(n), b[:1] * len(n)), "own"),
    Mistake("weights turned", lambda x, n, w, b: _pyramid(x, n, w[::-1], b), "own"),
    Mistake("weights and biases turned", lambda x, n, w, b: _pyramid(x, n, w[::-1], b[::-1]), "own"),
    Mistake("biases turned", lambda x, n, w, b: _pyramid(x, n, w, b[::-1]), "own"),
    Mistake("bins turned", lambda x, n, w, b: _pyramid(x, n[::-1], w, b), "own"),
    Mistake("bins sorted alone", lambda x, n, w, b: _pyramid(x, sorted(n), w, b), "own"),
    Mistake("1, 2, 3, 6", lambda x, n, w, b: _pyramid(x, (1, 2, 3, 6)[: len(n)], w, b), "own"),
    Mistake("1, 2, 3, ...", lambda x, n, w, b: _pyramid(x, range(1, len(n) + 1), w, b), "own"),
    Mistake("first number of bins for all", lambda x, n, w, b: _pyramid(x, n[:1] * len(n), w, b), "own"),
    Mistake("sum", lambda *a: _pyramid(*a, pool="sum"), "pooling"),
    Mistake("windows of H // n", lambda *a: _pyramid(*a, pool="windows"), "pooling"),
    Mistake("rows and columns exchanged", lambda *a: _pyramid(*a, pool="transposed"), "pooling"),
    Mistake("resized", lambda *a: _pyramid(*a, pool="resized"), "pooling"),
    Mistake("level from the level before", _from_the_level_before, "pooling"),
    Mistake("one region", lambda x, n, w, b: _pyramid(x, (1,) * len(n), w, b), "pooling"),
    Mistake("convolution before pooling, with ReLU between", lambda *a: _pyramid(*a, pool="late"), "pooling"),
    Mistake("absolute map", lambda x, *a: _pyramid(abs(x), *a), "map"),
    Mistake(
        "map cut at 0",
        lambda x, n, w, b: torch.cat([torch.as_tensor(np.maximum(x, 0)), _pyramid(x, n, w, b)[:, x.shape[1] :]], 1),
        "relu",
    ),
    Mistake("channels backwards", lambda *a: _pyramid(*a).flip(1), "order"),
    Mistake("first half of the channels", lambda *a: _pyramid(*a)[:, : _pyramid(*a).shape[1] // 2], "order"),
    Mistake("bias on the map", _bias_on_the_map, "map"),
    Mistake("all in the width of the map", _cut_to_the_map, "order"),
)

MISTAKES = (
    *(replace(one, answer=_on_the_valid_part(one.answer)) for one in _WITHOUT_PADDING),
    Mistake("padding ignored", _without_padding, "padding"),
    Mistake("padding in the means", _pooled_with_padding, "padding"),
    Mistake("stretched over the padding", _stretched_over_all, "padding"),
    Mistake("the border goes on", _border_goes_on, "padding"),
    Mistake("padded in front", _padded_in_front, "padding"),
    Mistake("the map cut, too", _map_cut_too, "padding"),
    Mistake("rows and columns of the valid part exchanged", _columns_and_rows, "padding"),
    Mistake("the valid part alone", lambda x, n, w, b, v: _pyramid(x[:, :, : v[0], : v[1]], n, w, b), "padding"),
)
