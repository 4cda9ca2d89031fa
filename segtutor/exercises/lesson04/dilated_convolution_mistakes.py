"""Typical wrong answers to exercise 4.2, the dilated convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _convolved(  # type: ignore[no-untyped-def]
    values, kernel, rate, across=None, padding="constant", middle=None, border=None
):
    """The dilated convolution with the switches of the mistakes; as it stands, the right one."""
    height, width = values.shape
    across = rate if across is None else across
    middle = len(kernel) // 2 if middle is None else middle
    margin = len(kernel) * max(rate, across, 1)
    padded = np.pad(values, margin, mode=padding)
    result = np.zeros((height, width))
    for row in range(len(kernel)):
        for column in range(len(kernel)):
            top, left = margin + (row - middle) * rate, margin + (column - middle) * across
            result = result + kernel[row, column] * padded[top : top + height, left : left + width]
    if border is not None:
        result = result[border : height - border, border : width - border]
    return result


def _strided(values, kernel, rate):  # type: ignore[no-untyped-def]
    return _convolved(values, kernel, 1)[::rate, ::rate]


def _shrunk(values, kernel, rate):  # type: ignore[no-untyped-def]
    return _convolved(values, kernel, rate, border=rate * (len(kernel) // 2))


def _padded_as_if_ordinary(values, kernel, rate):  # type: ignore[no-untyped-def]
    return _convolved(values, kernel, rate, border=(rate - 1) * (len(kernel) // 2))


def _smeared(values, kernel, rate):  # type: ignore[no-untyped-def]
    """Every tap is repeated instead of surrounded by zeros."""
    wide = np.kron(kernel, np.ones((rate, rate)))
    wide = wide if len(wide) % 2 else np.pad(wide, (0, 1))
    return _convolved(values, wide, 1)


def _divided(values, kernel, rate):  # type: ignore[no-untyped-def]
    return _convolved(values, kernel / kernel.size, rate)


def _reflected(values, kernel, rate):  # type: ignore[no-untyped-def]
    if min(values.shape) == 1:
        return _convolved(values, kernel, rate, padding="edge")
    return _convolved(values, kernel, rate, padding="reflect")


def _taps(values, kernel, rate, read):  # type: ignore[no-untyped-def]
    """H x W: the sum of the taps' products, where ``read(row, column)`` gives a value, however far it lies outside."""
    middle, result = len(kernel) // 2, np.zeros(values.shape)
    for i, j in np.ndindex(values.shape):
        for a, b in np.ndindex(kernel.shape):
            result[i, j] += kernel[a, b] * read(i + (a - middle) * rate, j + (b - middle) * rate)
    return result


def _negative_index(values, kernel, rate):  # type: ignore[no-untyped-def]
    (height, width) = values.shape

    def read(y, x):  # type: ignore[no-untyped-def]
        return values[y, x] if -height <= y < height and -width <= x < width else 0

    return _taps(values, kernel, rate, read)


def _inside(values, kernel, rate, outside):  # type: ignore[no-untyped-def]
    """The convolution where all taps lie inside the map, and something else at the border."""
    margin = rate * (len(kernel) // 2)
    result = np.array(outside, dtype=float)
    window = np.s_[margin : len(values) - margin, margin : values.shape[1] - margin]
    result[window] = _convolved(values, kernel, rate)[window]
    return result


def _over_the_taps_inside(values, kernel, rate):  # type: ignore[no-untyped-def]
    inside = _convolved(np.ones_like(values), np.ones_like(kernel), rate)
    return _convolved(values, kernel, rate) * kernel.size / inside


def _padded_by(values, kernel, rate, margin):  # type: ignore[no-untyped-def]
    """The dilated convolution without any border, of a map with a margin of zeros."""
    padded, reach = np.pad(values, margin), rate * (len(kernel) - 1)
    height, width = (max(side - reach, 0) for side in padded.shape)
    result = np.zeros((height, width))
    for a, b in np.ndindex(kernel.shape):
        result += kernel[a, b] * padded[a * rate : a * rate + height, b * rate : b * rate + width]
    return result


def _corner(side):  # type: ignore[no-untyped-def]
    corner = np.zeros((side, side))
    corner[0, 0] = 1
    return corner


def _thinned_and_repeated(values, kernel, rate):  # type: ignore[no-untyped-def]
    small = _convolved(values[::rate, ::rate], kernel, 1)
    return small.repeat(rate, 0).repeat(rate, 1)[: len(values), : values.shape[1]]


def _middle_not_times_the_rate(values, kernel, rate):  # type: ignore[no-untyped-def]
    """Tap (a, b) reads (i + a rate - m, j + b rate - m)."""
    middle, margin = len(kernel) // 2, len(kernel) * rate
    padded, (height, width) = np.pad(values, margin), values.shape
    result = np.zeros(values.shape)
    for a, b in np.ndindex(kernel.shape):
        top, left = margin + a * rate - middle, margin + b * rate - middle
        result += kernel[a, b] * padded[top : top + height, left : left + width]
    return result


def _blurred(values, kernel, rate):  # type: ignore[no-untyped-def]
    """Each tap reads the mean of the rate x rate values from it on."""
    return _convolved(_convolved(np.pad(values, (0, rate - 1)), _box(rate), 1), kernel, rate)[
        : len(values), : values.shape[1]
    ]


def _box(side):  # type: ignore[no-untyped-def]
    """Taps that read the mean of side x side values from the position on, in a kernel of odd size."""
    box = np.zeros((2 * side - 1, 2 * side - 1))
    box[side - 1 :, side - 1 :] = 1 / side**2
    return box


def _middle_three(values, kernel, rate):  # type: ignore[no-untyped-def]
    middle = len(kernel) // 2
    return _convolved(values, kernel[max(middle - 1, 0) : middle + 2, max(middle - 1, 0) : middle + 2], rate)


def _middle(side):  # type: ignore[no-untyped-def]
    one = np.zeros((side, side))
    one[side // 2, side // 2] = side > 1
    return one


def _rows(side):  # type: ignore[no-untyped-def]
    return (np.arange(side) == side // 2)[:, None] * np.ones(side)


def _cross(side):  # type: ignore[no-untyped-def]
    return np.maximum(_rows(side), _rows(side).T)


def _corners(side):  # type: ignore[no-untyped-def]
    ends = np.isin(np.arange(side), (0, side - 1))
    return np.outer(ends, ends)


def _largest_product(values, kernel, rate):  # type: ignore[no-untyped-def]
    each = []
    for a, b in np.ndindex(kernel.shape):
        single = np.zeros_like(kernel)
        single[a, b] = kernel[a, b]
        each.append(_convolved(values, single, rate))
    return np.max(each, axis=0)


def _square_part(values, kernel, rate):  # type: ignore[no-untyped-def]
    result, side = np.zeros(values.shape), min(values.shape)
    result[:side, :side] = _convolved(values, kernel, rate)[:side, :side]
    return result


def _zeros_after_the_last(values, kernel, rate):  # type: ignore[no-untyped-def]
    """The stuffed kernel is rate x k wide, and its middle is taken for that of the taps."""
    side, (height, width) = len(kernel) * rate, values.shape
    padded = np.pad(values, (side // 2, (side - 1) // 2))
    result = np.zeros(values.shape)
    for a, b in np.ndindex(kernel.shape):
        result += kernel[a, b] * padded[a * rate : a * rate + height, b * rate : b * rate + width]
    return result


def _row_plus_column(values, kernel, rate):  # type: ignore[no-untyped-def]
    return _convolved(values, kernel * _rows(len(kernel)), rate) + _convolved(
        values, kernel * _rows(len(kernel)).T, rate
    )


MISTAKES = (
    Mistake("rate ignored", lambda v, k, r: _convolved(v, k, 1), "rate"),
    Mistake("rate zeros between the taps", lambda v, k, r: _convolved(v, k, r + 1), "rate"),
    Mistake("only down", lambda v, k, r: _convolved(v, k, r, across=1), "rate"),
    Mistake("only across", lambda v, k, r: _convolved(v, k, 1, across=r), "rate"),
    Mistake("kernel flipped", lambda v, k, r: _convolved(v, k[::-1, ::-1], r), "flip"),
    Mistake("kernel transposed", lambda v, k, r: _convolved(v, k.T, r), "flip"),
    Mistake("border repeated", lambda v, k, r: _convolved(v, k, r, padding="edge"), "border"),
    Mistake("border wrapped", lambda v, k, r: _convolved(v, k, r, padding="wrap"), "border"),
    Mistake("no padding", _shrunk, "size"),
    Mistake("padding of rate 1", _padded_as_if_ordinary, "size"),
    Mistake("a stride", _strided, "stride"),
    Mistake("middle not subtracted", lambda v, k, r: _convolved(v, k, r, middle=0), "moved"),
    Mistake("weights repeated", _smeared, "smeared"),
    Mistake("mean", _divided, "mean"),
    Mistake("one position less", lambda v, k, r: _convolved(v, k, max(r - 1, 1)), "rate"),
    Mistake("rate doubled", lambda v, k, r: _convolved(v, k, 2 * r), "rate"),
    Mistake("rate squared", lambda v, k, r: _convolved(v, k, r * r), "rate"),
    Mistake("always rate 2", lambda v, k, r: _convolved(v, k, 2), "rate"),
    Mistake("rate times the kernel's half", lambda v, k, r: _convolved(v, k, r * max(len(k) // 2, 1)), "rate"),
    Mistake("upside down", lambda v, k, r: _convolved(v, k[::-1], r), "flip"),
    Mistake("mirrored", lambda v, k, r: _convolved(v, k[:, ::-1], r), "flip"),
    Mistake("turned by 90 degrees", lambda v, k, r: _convolved(v, np.rot90(k), r), "flip"),
    Mistake("flipped and transposed", lambda v, k, r: _convolved(v, k[::-1, ::-1].T, r), "flip"),
    Mistake("mirrored border", lambda v, k, r: _convolved(v, k, r, padding="symmetric"), "border"),
    Mistake("mirrored border, edge once", lambda v, k, r: _reflected(v, k, r), "border"),
    Mistake("border of ones", lambda v, k, r: _convolved(v - 1, k, r) + k.sum(), "border"),
    Mistake("border of the mean", lambda v, k, r: _convolved(v - v.mean(), k, r) + v.mean() * k.sum(), "border"),
    Mistake("negative index", _negative_index, "border"),
    Mistake("border left as it was", lambda v, k, r: _inside(v, k, r, v), "border"),
    Mistake("border left at 0", lambda v, k, r: _inside(v, k, r, np.zeros_like(v)), "border"),
    Mistake("shares of the taps inside", _over_the_taps_inside, "border"),
    Mistake("padding of the rate", lambda v, k, r: _padded_by(v, k, r, r), "size"),
    Mistake("padding of 1", lambda v, k, r: _padded_by(v, k, r, 1), "size"),
    Mistake("padding of half the kernel", lambda v, k, r: _padded_by(v, k, r, len(k) // 2), "size"),
    Mistake("padding of the kernel less one", lambda v, k, r: _padded_by(v, k, r, len(k) - 1), "size"),
    Mistake("padding of the reach at both ends", lambda v, k, r: _padded_by(v, k, r, r * (len(k) - 1)), "size"),
    Mistake("padding of rate times kernel", lambda v, k, r: _padded_by(v, k, r, r * len(k)), "size"),
    Mistake("dilated inside a zero map", lambda v, k, r: np.kron(_convolved(v, k, 1), _corner(r)), "stride"),
    Mistake("map thinned out", lambda v, k, r: _convolved(v[::r, ::r], k, 1), "stride"),
    Mistake("map thinned out and repeated", _thinned_and_repeated, "stride"),
    Mistake("map stuffed", lambda v, k, r: _convolved(np.kron(v, _corner(r)), k, 1)[: len(v), : v.shape[1]], "stride"),
    Mistake("stride in place of the rate", lambda v, k, r: _convolved(v, k, r)[::r, ::r], "stride"),
    Mistake("last tap in the middle", lambda v, k, r: _convolved(v, k, r, middle=len(k) - 1), "moved"),
    Mistake("middle one too late", lambda v, k, r: _convolved(v, k, r, middle=len(k) // 2 - 1), "moved"),
    Mistake("middle one too early", lambda v, k, r: _convolved(v, k, r, middle=len(k) // 2 + 1), "moved"),
    Mistake("middle not times the rate", _middle_not_times_the_rate, "moved"),
    Mistake("weights repeated and halved", lambda v, k, r: _smeared(v, k / r**2, r), "smeared"),
    Mistake("map blurred between the taps", _blurred, "smeared"),
    Mistake("mean over the kernel's sum", lambda v, k, r: _convolved(v, k / (k.sum() or 1), r), "mean"),
    Mistake("divided by the side", lambda v, k, r: _convolved(v, k / len(k), r), "mean"),
    Mistake("middle 3 x 3 alone", _middle_three, "kernel"),
    Mistake("sum of the values, weights ignored", lambda v, k, r: _convolved(v, np.ones_like(k), r), "kernel"),
    Mistake("one weight for all", lambda v, k, r: _convolved(v, np.full_like(k, k.sum()), r), "kernel"),
    Mistake("corners alone", lambda v, k, r: _convolved(v, k * _corners(len(k)), r), "kernel"),
    Mistake("cross alone", lambda v, k, r: _convolved(v, k * _cross(len(k)), r), "kernel"),
    Mistake("middle left out", lambda v, k, r: _convolved(v, k * (1 - _middle(len(k))), r), "kernel"),
    Mistake("middle row alone", lambda v, k, r: _convolved(v, k * _rows(len(k)), r), "kernel"),
    Mistake("diagonal alone", lambda v, k, r: _convolved(v, k * np.eye(len(k)), r), "kernel"),
    Mistake("last row and column left out", lambda v, k, r: _convolved(v, np.pad(k[:-1, :-1], (0, 1)), r), "kernel"),
    Mistake("largest product", _largest_product, "kernel"),
    Mistake("decimals cut off", lambda v, k, r: _convolved(v, k, r).astype(int), "numbers"),
    Mistake("with ReLU", lambda v, k, r: np.maximum(_convolved(v, k, r), 0), "numbers"),
    Mistake("absolute values", lambda v, k, r: abs(_convolved(v, k, r)), "numbers"),
    Mistake("absolute weights", lambda v, k, r: _convolved(v, abs(k), r), "numbers"),
    Mistake("transposed map", lambda v, k, r: _convolved(v.T, k, r), "square"),
    Mistake("transposed result", lambda v, k, r: _convolved(v, k, r).T, "square"),
    Mistake("square part, else 0", _square_part, "square"),
    Mistake("square part alone", lambda v, k, r: _convolved(v, k, r)[: min(v.shape), : min(v.shape)], "square"),
    Mistake("zeros after the last tap, too", _zeros_after_the_last, "moved"),
    Mistake("row plus column", _row_plus_column, "kernel"),
)
