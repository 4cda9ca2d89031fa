"""Typical wrong answers to exercise 4.5, adaptive average pooling."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _right_edges(number: int, length: int, bins: int) -> tuple[int, int]:
    return number * length // bins, -(-(number + 1) * length // bins)


def _pooled(x, bins, edges=_right_edges, combine=np.mean):  # type: ignore[no-untyped-def]
    """The pooled map with the switches of the mistakes; as it stands, the right one."""
    height, width = x.shape[2:]
    pooled = np.zeros((*x.shape[:2], bins, bins))
    for row in range(bins):
        top, bottom = edges(row, height, bins)
        for column in range(bins):
            left, right = edges(column, width, bins)
            region = x[:, :, top:bottom, left:right]
            pooled[:, :, row, column] = combine(region, axis=(2, 3)) if region.size else np.nan
    return pooled


def _fixed_windows(number: int, length: int, bins: int) -> tuple[int, int]:
    window = max(length // bins, 1)
    return number * window, (number + 1) * window


def _windows_rounded_up(number: int, length: int, bins: int) -> tuple[int, int]:
    window = -(-length // bins)
    return number * window, (number + 1) * window


def _rounded_down(number: int, length: int, bins: int) -> tuple[int, int]:
    return number * length // bins, (number + 1) * length // bins


def _rounded(number: int, length: int, bins: int) -> tuple[int, int]:
    return round(number * length / bins), round((number + 1) * length / bins)


def _height_for_both(x, bins):  # type: ignore[no-untyped-def]
    height = x.shape[2]
    pooled = np.zeros((*x.shape[:2], bins, bins))
    for row in range(bins):
        top, bottom = _right_edges(row, height, bins)
        for column in range(bins):
            left, right = _right_edges(column, height, bins)
            region = x[:, :, top:bottom, left:right]
            pooled[:, :, row, column] = region.mean(axis=(2, 3)) if region.size else np.nan
    return pooled


def _resized(x, bins, aligned=False):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    mode = "nearest" if aligned is None else "bilinear"
    return F.interpolate(torch.as_tensor(x), size=(bins, bins), mode=mode, align_corners=aligned)


def _equal_share(x, bins):  # type: ignore[no-untyped-def]
    return _pooled(x, bins, combine=np.sum) * bins**2 / (x.shape[2] * x.shape[3])


def _over_channels(x, bins):  # type: ignore[no-untyped-def]
    pooled = _pooled(x, bins)
    return np.broadcast_to(pooled.mean(axis=1, keepdims=True), pooled.shape)


def _over_batch(x, bins):  # type: ignore[no-untyped-def]
    pooled = _pooled(x, bins)
    return np.broadcast_to(pooled.mean(axis=0, keepdims=True), pooled.shape)


def _at_least_one(number: int, length: int, bins: int) -> tuple[int, int]:
    start = number * length // bins
    return start, max((number + 1) * length // bins, start + 1)


def _more_where_empty(number: int, length: int, bins: int) -> tuple[int, int]:
    return (
        (number * length // bins, (number + 1) * length // bins)
        if bins <= length
        else _right_edges(number, length, bins)
    )


def _nearest_end(number: int, length: int, bins: int) -> tuple[int, int]:
    return number * length // bins, round((number + 1) * length / bins)


def _both_up(number: int, length: int, bins: int) -> tuple[int, int]:
    return -(-number * length // bins), -(-(number + 1) * length // bins)


def _exchanged_rounding(number: int, length: int, bins: int) -> tuple[int, int]:
    return -(-number * length // bins), (number + 1) * length // bins


def _nearest_start(number: int, length: int, bins: int) -> tuple[int, int]:
    return round(number * length / bins), -(-(number + 1) * length // bins)


def _one_more(number: int, length: int, bins: int) -> tuple[int, int]:
    start, end = _right_edges(number, length, bins)
    return start, end + 1


def _floor_plus_one(number: int, length: int, bins: int) -> tuple[int, int]:
    return number * length // bins, (number + 1) * length // bins + 1


def _one_less(number: int, length: int, bins: int) -> tuple[int, int]:
    start, end = _right_edges(number, length, bins)
    return start, max(end - 1, start + 1)


def _one_more_on_each_side(number: int, length: int, bins: int) -> tuple[int, int]:
    start, end = _right_edges(number, length, bins)
    return max(start - 1, 0), end + 1


def _rest_in_the_last(number: int, length: int, bins: int) -> tuple[int, int]:
    step = length // bins
    return number * step, length if number == bins - 1 else (number + 1) * step


def _split(number: int, length: int, bins: int) -> tuple[int, int]:
    step, rest = divmod(length, bins)
    start = number * step + min(number, rest)
    return start, start + step + (number < rest)


def _sliding(number: int, length: int, bins: int) -> tuple[int, int]:
    step = max(length // bins, 1)
    return number * step, number * step + -(-length // bins)


def _covering(number: int, length: int, bins: int) -> tuple[int, int]:
    """PyTorch's exporters: a fixed stride of H // n and the window that reaches the end with it."""
    step = max(length // bins, 1)
    return number * step, number * step + max(length - (bins - 1) * step, 1)


def _n_positions(number: int, length: int, bins: int) -> tuple[int, int]:
    return number * bins, (number + 1) * bins


def _moved_to_the_border(number: int, length: int, bins: int) -> tuple[int, int]:
    window = -(-length // bins)
    start = min(number * window, length - window)
    return start, start + window


def _cropped(x, bins):  # type: ignore[no-untyped-def]
    height, width = (max(side // bins * bins, 1) for side in x.shape[2:])
    return x[:, :, :height, :width]


def _filled(x, bins):  # type: ignore[no-untyped-def]
    return np.pad(x, ((0, 0), (0, 0), *((0, -side % bins) for side in x.shape[2:])))


def _middle(region, axis):  # type: ignore[no-untyped-def]
    return region[:, :, region.shape[2] // 2, region.shape[3] // 2]


def _middle_of_both(region, axis):  # type: ignore[no-untyped-def]
    return (region.min(axis) + region.max(axis)) / 2


def _root_mean_square(region, axis):  # type: ignore[no-untyped-def]
    return np.sqrt((region**2).mean(axis))


def _of_all(region, axis):  # type: ignore[no-untyped-def]
    return region.mean()


def _whole_area(x, bins):  # type: ignore[no-untyped-def]
    return max(x.shape[2] // bins, 1) * max(x.shape[3] // bins, 1)


def _exchanged(x, bins):  # type: ignore[no-untyped-def]
    """The rows' edges come from W, the columns' from H."""
    height, width = x.shape[2:]
    pooled = np.zeros((*x.shape[:2], bins, bins))
    for row, column in np.ndindex(bins, bins):
        (top, bottom), (left, right) = _right_edges(row, width, bins), _right_edges(column, height, bins)
        region = x[:, :, top:bottom, left:right]
        pooled[:, :, row, column] = region.mean(axis=(2, 3)) if region.size else np.nan
    return pooled


def _in_the_maps_size(x, bins):  # type: ignore[no-untyped-def]
    """Every position gets the mean of its region, the last of those that hold it."""
    pooled, result = _pooled(x, bins), np.array(x, dtype=float)
    for row, column in np.ndindex(bins, bins):
        (top, bottom), (left, right) = _right_edges(row, x.shape[2], bins), _right_edges(column, x.shape[3], bins)
        result[:, :, top:bottom, left:right] = pooled[:, :, row, column][:, :, None, None]
    return result


MISTAKES = (
    Mistake("end rounded down", lambda x, n: _pooled(x, n, _rounded_down), "up"),
    Mistake("edges rounded", lambda x, n: _pooled(x, n, _rounded), "up"),
    Mistake("windows of H // n", lambda x, n: _pooled(x, n, _fixed_windows), "windows"),
    Mistake("windows rounded up", lambda x, n: _pooled(x, n, _windows_rounded_up), "windows"),
    Mistake("maximum", lambda x, n: _pooled(x, n, combine=np.max), "combine"),
    Mistake("sum", lambda x, n: _pooled(x, n, combine=np.sum), "combine"),
    Mistake("divided by H W / n²", _equal_share, "combine"),
    Mistake("transposed", lambda x, n: _pooled(x, n).swapaxes(2, 3), "axes"),
    Mistake("height for both", _height_for_both, "axes"),
    Mistake("mean over channels", _over_channels, "kept"),
    Mistake("mean over the batch", _over_batch, "kept"),
    Mistake("resized", _resized, "resized"),
    Mistake("at least one row", lambda x, n: _pooled(x, n, _at_least_one), "up"),
    Mistake("one more only where empty", lambda x, n: _pooled(x, n, _more_where_empty), "up"),
    Mistake("end rounded to the nearest", lambda x, n: _pooled(x, n, _nearest_end), "up"),
    Mistake("both rounded up", lambda x, n: _pooled(x, n, _both_up), "start"),
    Mistake("exchanged rounding", lambda x, n: _pooled(x, n, _exchanged_rounding), "start"),
    Mistake("start rounded to the nearest", lambda x, n: _pooled(x, n, _nearest_start), "start"),
    Mistake("end included", lambda x, n: _pooled(x, n, _one_more), "end"),
    Mistake("floor plus one", lambda x, n: _pooled(x, n, _floor_plus_one), "end"),
    Mistake("end one less", lambda x, n: _pooled(x, n, _one_less), "end"),
    Mistake("one row more on each side", lambda x, n: _pooled(x, n, _one_more_on_each_side), "end"),
    Mistake("rest in the last", lambda x, n: _pooled(x, n, _rest_in_the_last), "windows"),
    Mistake("first ones larger, as array_split", lambda x, n: _pooled(x, n, _split), "windows"),
    Mistake("windows of ceil, steps of floor", lambda x, n: _pooled(x, n, _sliding), "windows"),
    Mistake("windows of what is left", lambda x, n: _pooled(x, n, _covering), "windows"),
    Mistake("windows of n positions", lambda x, n: _pooled(x, n, _n_positions), "windows"),
    Mistake("windows moved to the border", lambda x, n: _pooled(x, n, _moved_to_the_border), "windows"),
    Mistake("cropped to a multiple", lambda x, n: _pooled(_cropped(x, n), n), "windows"),
    Mistake("padded to a multiple", lambda x, n: _pooled(_filled(x, n), n), "windows"),
    Mistake("minimum", lambda x, n: _pooled(x, n, combine=np.min), "combine"),
    Mistake("median", lambda x, n: _pooled(x, n, combine=np.median), "combine"),
    Mistake("first value", lambda x, n: _pooled(x, n, combine=lambda r, axis: r[:, :, 0, 0]), "combine"),
    Mistake("middle value", lambda x, n: _pooled(x, n, combine=_middle), "combine"),
    Mistake("middle of smallest and largest", lambda x, n: _pooled(x, n, combine=_middle_of_both), "combine"),
    Mistake("root of the mean square", lambda x, n: _pooled(x, n, combine=_root_mean_square), "combine"),
    Mistake("sum by the rows", lambda x, n: _pooled(x, n, combine=lambda r, axis: r.sum(axis) / r.shape[2]), "combine"),
    Mistake(
        "sum by the columns", lambda x, n: _pooled(x, n, combine=lambda r, axis: r.sum(axis) / r.shape[3]), "combine"
    ),
    Mistake("mean of all channels' values", lambda x, n: _pooled(x, n, combine=_of_all), "kept"),
    Mistake("sum by (H // n)(W // n)", lambda x, n: _pooled(x, n, combine=np.sum) / _whole_area(x, n), "combine"),
    Mistake("width for both", lambda x, n: _height_for_both(x.swapaxes(2, 3), n).swapaxes(2, 3), "axes"),
    Mistake("H and W exchanged", _exchanged, "axes"),
    Mistake("square part", lambda x, n: _pooled(x[:, :, : min(x.shape[2:]), : min(x.shape[2:])], n), "axes"),
    Mistake("rows alone", lambda x, n: _pooled(x, n).mean(3, keepdims=True).repeat(n, 3), "axes"),
    Mistake("diagonal regions", lambda x, n: np.einsum("bcii->bci", _pooled(x, n)), "axes"),
    Mistake("upside down", lambda x, n: _pooled(x, n)[:, :, ::-1], "axes"),
    Mistake("first picture", lambda x, n: _pooled(x[:1], n), "kept"),
    Mistake("first picture for all", lambda x, n: _pooled(x[:1], n).repeat(len(x), 0), "kept"),
    Mistake("first channel", lambda x, n: _pooled(x[:, :1], n), "kept"),
    Mistake("first channel for all", lambda x, n: _pooled(x[:, :1], n).repeat(x.shape[1], 1), "kept"),
    Mistake("one channel", lambda x, n: _pooled(x, n).mean(1, keepdims=True), "kept"),
    Mistake("without the batch", lambda x, n: _pooled(x, n)[0], "kept"),
    Mistake("channels last", lambda x, n: np.moveaxis(_pooled(x, n), 1, -1), "kept"),
    Mistake("n² regions in a row", lambda x, n: _pooled(x, n).reshape(*x.shape[:2], -1), "kept"),
    Mistake("of the map's own size", _in_the_maps_size, "kept"),
    Mistake("resized, corners aligned", lambda x, n: _resized(x, n, True), "resized"),
    Mistake("decimals cut off", lambda x, n: _pooled(x, n).astype(int), "numbers"),
    Mistake("rounded", lambda x, n: _pooled(x, n).round(), "numbers"),
    Mistake("absolute values", lambda x, n: _pooled(abs(x), n), "numbers"),
    Mistake("mean of mean and maximum", lambda x, n: (_pooled(x, n) + _pooled(x, n, combine=np.max)) / 2, "combine"),
    Mistake("one mean for all", lambda x, n: _pooled(x, 1).repeat(n, 2).repeat(n, 3), "windows"),
    Mistake("2 x 2 windows", lambda x, n: _pooled(x, n, lambda i, length, bins: (2 * i, 2 * i + 2)), "windows"),
    Mistake("3 x 3 windows", lambda x, n: _pooled(x, n, lambda i, length, bins: (3 * i, 3 * i + 3)), "windows"),
)
