"""Answers to the tasks of lesson 4, as students write them."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong, extended

_RNG = np.random.default_rng(11)


# 4.1 ------------------------------------------------------------------------------------------------------------------
CHAIN = ([(7, 2, 1), (3, 2, 2), (5, 1, 3)],)


def jump_first(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        jump *= stride
        size += (kernel - 1) * rate * jump
    return size, jump


def rate_forgotten(layers):
    size, jump = 1, 1
    for kernel, stride, _ in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump


def whole_kernel(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += kernel * rate * jump
        jump *= stride
    return size, jump


def jump_forgotten(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate
        jump *= stride
    return size, jump


def stretched_kernel(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += ((kernel - 1) * rate + 1) * jump
        jump *= stride
    return size, jump


def rate_times_kernel(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel * rate - 1) * jump
        jump *= stride
    return size, jump


def last_layer_first(layers):
    return field(layers[::-1])


def rate_in_the_jump(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= stride * rate
    return size, jump


def strides_added(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump += stride - 1
    return size, jump


def last_stride_only(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump = stride
    return size, jump


def from_zero(layers):
    size, jump = field(layers)
    return size - 1, jump


def jump_before_size(layers):
    return field(layers)[::-1]


def size_only(layers):
    return field(layers)[0]


def stride_before_the_last(layers):
    size, jump = 1, 1
    for kernel, _, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= layers[-1][1]
    return size, jump


def pointwise_skipped(layers):
    return field([layer for layer in layers if layer[0] > 1])


def field(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= stride
    return size, jump


def field_from_behind(layers):
    size, jump = 1, 1
    for kernel, stride, rate in reversed(layers):
        size = (size - 1) * stride + (kernel - 1) * rate + 1
        jump *= stride
    return np.array([size, jump])


def field_by_marking(layers):
    seen = {0}
    for kernel, stride, rate in reversed(layers):
        seen = {stride * place + rate * tap for place in {min(seen), max(seen)} for tap in (0, kernel - 1)}
    return [max(seen) - min(seen) + 1, Fraction(math.prod(stride for _, stride, _ in layers))]


# 4.2 ------------------------------------------------------------------------------------------------------------------
MAP = _RNG.normal(size=(5, 7))
KERNEL = _RNG.normal(size=(3, 3))
DILATED = (MAP, KERNEL, 2)


def _shifted(values, kernel, dy, dx, mode="constant"):
    values, kernel = np.asarray(values, dtype=float), np.asarray(kernel, dtype=float)
    (h, w), k = values.shape, len(kernel)
    my, mx = dy * (k // 2), dx * (k // 2)
    padded = np.pad(values, ((my, my), (mx, mx)), mode=mode)
    out = np.zeros((h, w))
    for a in range(k):
        for b in range(k):
            out += kernel[a, b] * padded[a * dy : a * dy + h, b * dx : b * dx + w]
    return out


def rate_ignored(values, kernel, rate):
    return _shifted(values, kernel, 1, 1)


def flipped(values, kernel, rate):
    return _shifted(values, kernel[::-1, ::-1], rate, rate)


def kernel_transposed(values, kernel, rate):
    return _shifted(values, kernel.T, rate, rate)


def around_the_border(values, kernel, rate):
    m = len(kernel) // 2
    out = np.zeros(values.shape)
    for a in range(len(kernel)):
        for b in range(len(kernel)):
            out += kernel[a, b] * np.roll(values, (-(a - m) * rate, -(b - m) * rate), (0, 1))
    return out


def edge_repeated(values, kernel, rate):
    return _shifted(values, kernel, rate, rate, "edge")


def mirrored(values, kernel, rate):
    return _shifted(values, kernel, rate, rate, "symmetric")


def no_padding(values, kernel, rate):
    given = torch.as_tensor(np.array(values, dtype=float))[None, None]
    return F.conv2d(given, torch.as_tensor(np.array(kernel, dtype=float))[None, None], dilation=rate)[0, 0]


def padding_is_the_rate(values, kernel, rate):
    given = torch.as_tensor(np.array(values, dtype=float))[None, None]
    return F.conv2d(given, torch.as_tensor(np.array(kernel, dtype=float))[None, None], dilation=rate, padding=rate)[
        0, 0
    ]


def padding_of_one(values, kernel, rate):
    given = torch.as_tensor(np.array(values, dtype=float))[None, None]
    return F.conv2d(given, torch.as_tensor(np.array(kernel, dtype=float))[None, None], dilation=rate, padding=1)[0, 0]


def one_direction(values, kernel, rate):
    return _shifted(values, kernel, rate, 1)


def rate_zeros_between(values, kernel, rate):
    return _shifted(values, kernel, rate + 1, rate + 1)


def negative_index(values, kernel, rate):
    (h, w), m = values.shape, len(kernel) // 2
    out = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            for a in range(len(kernel)):
                for b in range(len(kernel)):
                    y, x = i + (a - m) * rate, j + (b - m) * rate
                    if y < h and x < w:
                        out[i, j] += kernel[a, b] * values[y, x]
    return out


def whole_numbers(values, kernel, rate):
    return _shifted(values, kernel, rate, rate).astype(int)


def not_centered(values, kernel, rate):
    (h, w), k = values.shape, len(kernel)
    padded = np.pad(values, ((0, rate * (k - 1)), (0, rate * (k - 1))))
    return sum(
        kernel[a, b] * padded[a * rate : a * rate + h, b * rate : b * rate + w] for a in range(k) for b in range(k)
    )


def three_by_three(values, kernel, rate):
    m = len(kernel) // 2
    return _shifted(values, kernel[m - 1 : m + 2, m - 1 : m + 2] if m else np.pad(kernel, 1), rate, rate)


def mean_of_the_taps(values, kernel, rate):
    return _shifted(values, kernel, rate, rate) / kernel.size


def map_dilated(values, kernel, rate):
    return _shifted(values[::rate, ::rate], kernel, 1, 1)


def square_map(values, kernel, rate):
    h, k = len(values), len(kernel)
    m = rate * (k // 2)
    padded = np.pad(values, m)
    out = np.zeros(values.shape)
    for i in range(h):
        for j in range(min(h, values.shape[1])):
            window = padded[i : i + rate * (k - 1) + 1 : rate, j : j + rate * (k - 1) + 1 : rate]
            out[i, j] = (window * kernel).sum()
    return out


def dilated_by_torch(values, kernel, rate):
    given = torch.tensor(values, dtype=torch.float32)[None, None]
    weight = torch.tensor(kernel, dtype=torch.float32)[None, None]
    return F.conv2d(given, weight, dilation=rate, padding=rate * (len(kernel) // 2))[0, 0]


def dilated_in_loops(values, kernel, rate):
    h, w = values.shape
    k = len(kernel)
    m = k // 2
    rows = []
    for i in range(h):
        row = []
        for j in range(w):
            total = 0.0
            for a in range(k):
                for b in range(k):
                    y, x = i + (a - m) * rate, j + (b - m) * rate
                    if 0 <= y < h and 0 <= x < w:
                        total += float(kernel[a, b]) * float(values[y, x])
            row.append(total)
        rows.append(row)
    return rows


def dilated_with_a_stuffed_kernel(values, kernel, rate):
    k = len(kernel)
    side = (k - 1) * rate + 1
    big = np.zeros((side, side))
    big[::rate, ::rate] = kernel
    given = torch.as_tensor(np.array(values, dtype=float))[None, None]
    return F.conv2d(given, torch.as_tensor(big)[None, None], padding="same").squeeze().reshape(values.shape)


# 4.3 ------------------------------------------------------------------------------------------------------------------
def _steps(rates, steps):
    total = sum(rates)
    paths = [0] * (2 * total + 1)
    paths[total] = 1
    for rate in rates:
        new = [0] * len(paths)
        for place, ways in enumerate(paths):
            for step in steps(rate):
                if 0 <= place + step < len(paths):
                    new[place + step] += ways
        paths = new
    return paths


def reached_or_not(rates):
    return [int(ways > 0) for ways in paths_in_a_list(rates)]


def without_the_middle(rates):
    return _steps(rates, lambda rate: (-rate, rate))


def steps_of_one(rates):
    return _steps(rates, lambda rate: (-1, 0, 1))


def everything_between(rates):
    return _steps(rates, lambda rate: range(-rate, rate + 1))


def to_the_right_only(rates):
    return _steps(rates, lambda rate: (0, rate))


def last_rate_only(rates):
    return _steps(rates, lambda rate: (-rates[-1], 0, rates[-1]))


def first_layer_left_out(rates):
    paths = _steps(rates[1:], lambda rate: (-rate, 0, rate))
    return [0] * sum(rates[:1]) + paths + [0] * sum(rates[:1])


def without_zero_pixels(rates):
    return [ways for ways in paths_in_a_list(rates) if ways]


def half_the_length(rates):
    return paths_in_a_list(rates)[: sum(rates) + 1]


def paths_in_bytes(rates):
    return np.array([ways % 256 for ways in paths_in_a_list(rates)], dtype=np.uint8)


def paths_in_sixteen_bits(rates):
    return np.array([(ways + 2**15) % 2**16 - 2**15 for ways in paths_in_a_list(rates)], dtype=np.int16)


def shares(rates):
    return np.array(paths_in_a_list(rates)) / 3 ** len(rates)


def wrapped(rates):
    n = 2 * max(rates, default=0) + 1
    paths = np.zeros(n, dtype=int)
    paths[n // 2] = 1
    for rate in rates:
        paths = np.roll(paths, -rate) + paths + np.roll(paths, rate)
    total = sum(rates)
    out = np.zeros(2 * total + 1, dtype=int)
    out[total - n // 2 : total + n // 2 + 1] = paths
    return out


def rates_as_holes(rates):
    longer = _steps([rate + 1 for rate in rates], lambda rate: (-rate, 0, rate))
    return longer[len(rates) : len(longer) - len(rates)]


def nothing_without_layers(rates):
    return paths_in_a_list(rates) if len(rates) else []


def doubled_rates(rates):
    return _steps(list(dict.fromkeys(rates)), lambda rate: (-rate, 0, rate))


def in_place(rates):
    total = sum(rates)
    paths = [0] * (2 * total + 1)
    paths[total] = 1
    for rate in rates:
        for place in range(len(paths)):
            left = paths[place - rate] if place >= rate else 0
            right = paths[place + rate] if place + rate < len(paths) else 0
            paths[place] += left + right
    return paths


def paths_in_a_list(rates):
    return _steps(rates, lambda rate: (-rate, 0, rate))


def paths_by_convolution(rates):
    paths = np.ones(1)
    for rate in rates:
        tap = np.zeros(2 * rate + 1)
        tap[[0, rate, 2 * rate]] = 1
        paths = np.convolve(paths, tap)
    return paths


def paths_by_roll(rates):
    total = int(sum(rates))
    paths = torch.zeros(2 * total + 1, dtype=torch.int64)
    paths[total] = 1
    for rate in rates:
        paths = paths.roll(-rate) + paths + paths.roll(rate)
    return paths


def paths_of_fractions(rates):
    return np.array([Fraction(ways) for ways in paths_in_a_list(rates)], dtype=object)


# 4.4 ------------------------------------------------------------------------------------------------------------------
STAGES = ([4, 1, 2, 2, 2], 8)


def removed_at_the_limit(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total * stride >= output_stride:
            rate *= stride
            stride = 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def product_before_the_stage(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total >= output_stride:
            rate *= stride
            stride = 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def product_before_exceeds(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total > output_stride:
            rate *= stride
            stride = 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def rate_a_stage_late(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        rates.append(rate)
        if total * stride > output_stride:
            rate *= stride
            stride = 1
        total *= stride
        new.append(stride)
    return new, rates


def rate_of_the_own_stride(strides, output_stride):
    total, new, rates = 1, [], []
    for stride in strides:
        rate = 1
        if total * stride > output_stride:
            rate, stride = stride, 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def rate_always_two(strides, output_stride):
    new, rates = staged(strides, output_stride)
    return new, [2 if rate > 1 else 1 for rate in rates]


def rates_added(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total * stride > output_stride:
            rate += stride - 1 if rate == 1 else stride
            stride = 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def rate_one_without_removal(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total * stride > output_stride:
            rate *= stride
            new.append(1)
            rates.append(rate)
        else:
            total *= stride
            new.append(stride)
            rates.append(1)
    return new, rates


def product_of_all_old_strides(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        total *= stride
        if total > output_stride:
            rate *= stride
            stride = 1
        new.append(stride)
        rates.append(rate)
    return new, rates


def stride_in_part(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        keep = max(min(stride, output_stride // total), 1)
        rate *= stride // keep
        total *= keep
        new.append(keep)
        rates.append(rate)
    return new, rates


def strides_kept(strides, output_stride):
    return list(strides), staged(strides, output_stride)[1]


def rates_before_strides(strides, output_stride):
    return staged(strides, output_stride)[::-1]


def pairs(strides, output_stride):
    return list(zip(*staged(strides, output_stride), strict=True))


def no_dilation(strides, output_stride):
    return staged(strides, output_stride)[0], [1] * len(strides)


def from_the_last_stage(strides, output_stride):
    strides = list(strides)
    rates = [1] * len(strides)
    for index in range(len(strides) - 1, -1, -1):
        if math.prod(strides) <= output_stride:
            break
        for later in range(index, len(strides)):
            rates[later] *= strides[index]
        strides[index] = 1
    return strides, rates


def single_strides_compared(strides, output_stride):
    rate, new, rates = 1, [], []
    for stride in strides:
        if stride > output_stride:
            rate *= stride
            stride = 1
        new.append(stride)
        rates.append(rate)
    return new, rates


def written_into_the_argument(strides, output_stride):
    new, rates = staged(strides, output_stride)
    strides[:] = new
    return strides, rates


def staged(strides, output_stride):
    total, rate, new, rates = 1, 1, [], []
    for stride in strides:
        if total * stride > output_stride:
            rate *= stride
            stride = 1
        total *= stride
        new.append(stride)
        rates.append(rate)
    return new, rates


def staged_in_an_array(strides, output_stride):
    return np.array(staged(strides, output_stride))


def staged_in_tensors(strides, output_stride):
    new, rates = staged(strides, output_stride)
    return torch.tensor(new), tuple(rates)


def staged_from_what_is_left(strides, output_stride):
    left, new, rates, removed = Fraction(output_stride), [], [], 1
    for stride in strides:
        if left / stride >= 1:
            left /= stride
            new.append(stride)
        else:
            removed *= stride
            new.append(1)
        rates.append(removed)
    return [np.array(new, dtype=object), rates]


# 4.5 ------------------------------------------------------------------------------------------------------------------
BATCH = _RNG.normal(size=(2, 3, 7, 5)).astype(np.float32)
POOL = (BATCH, 3)


def _pool(x, bins, edges, of=np.mean):
    x = np.asarray(x, dtype=float)
    out = np.zeros((*x.shape[:2], bins, bins))
    for i in range(bins):
        top, bottom = edges(i, x.shape[2], bins)
        for j in range(bins):
            left, right = edges(j, x.shape[3], bins)
            out[:, :, i, j] = of(x[:, :, top:bottom, left:right], axis=(2, 3))
    return out


def _edges(i, n, bins):
    return i * n // bins, -(-(i + 1) * n // bins)


def ends_rounded_down(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * n // b, (i + 1) * n // b))


def starts_rounded_up(x, bins):
    return _pool(x, bins, lambda i, n, b: (-(-i * n // b), -(-(i + 1) * n // b)))


def rounded_to_the_nearest(x, bins):
    return _pool(x, bins, lambda i, n, b: (round(i * n / b), round((i + 1) * n / b)))


def equal_pieces(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * max(n // b, 1), (i + 1) * max(n // b, 1)))


def equal_pieces_rest_in_the_last(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * (n // b), n if i == b - 1 else (i + 1) * (n // b)))


def end_included(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * n // b, -(-(i + 1) * n // b) + 1))


def one_row_more_always(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * n // b, (i + 1) * n // b + 1))


def at_least_one_row(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * n // b, max((i + 1) * n // b, i * n // b + 1)))


def largest(x, bins):
    return _pool(x, bins, _edges, np.max)


def summed(x, bins):
    return _pool(x, bins, _edges, np.sum)


def medians(x, bins):
    return _pool(x, bins, _edges, np.median)


def square_maps(x, bins):
    return _pool(x[:, :, :, : x.shape[2]], bins, lambda i, n, b: _edges(i, x.shape[2], b))


def rows_and_columns_swapped(x, bins):
    return _pool(x, bins, _edges).swapaxes(2, 3)


def channels_too(x, bins):
    return np.repeat(_pool(x, bins, _edges).mean(1, keepdims=True), x.shape[1], 1)


def first_picture(x, bins):
    return _pool(x[:1], bins, _edges)


def by_the_whole_area(x, bins):
    return _pool(x, bins, _edges, np.sum) * bins**2 / (x.shape[2] * x.shape[3])


def every_nth(x, bins):
    return _pool(x, bins, lambda i, n, b: (i * n // b, i * n // b + 1))


def array_split(x, bins):
    rows = [part.mean(2, keepdims=True) for part in np.array_split(np.asarray(x, dtype=float), bins, 2)]
    x = np.concatenate(rows, 2)
    return np.concatenate([part.mean(3, keepdims=True) for part in np.array_split(x, bins, 3)], 3)


def windows_of_one_size(x, bins):
    given = torch.as_tensor(np.asarray(x))
    h, w = x.shape[2:]
    stride = max(h // bins, 1), max(w // bins, 1)
    return F.avg_pool2d(given, (h - (bins - 1) * stride[0], w - (bins - 1) * stride[1]), stride)


def pooled_by_torch(x, bins):
    return F.adaptive_avg_pool2d(torch.as_tensor(x), bins)


def pooled_by_matrices(x, bins):
    def matrix(n):
        out = np.zeros((bins, n))
        for i in range(bins):
            start, end = i * n // bins, math.ceil(Fraction((i + 1) * n, bins))
            out[i, start:end] = 1 / (end - start)
        return out

    x = np.asarray(x, dtype=float)
    return np.einsum("ih,bchw,jw->bcij", matrix(x.shape[2]), x, matrix(x.shape[3]))


def pooled_in_lists(x, bins):
    return _pool(x, bins, _edges).astype(np.float32).tolist()


# 1 x 1 convolutions -------------------------------------------------------------------------------------------------
def _mixed(x, weight):
    return np.einsum("kc,bchw->bkhw", np.asarray(weight, float), np.asarray(x, float))


def pointwise(x, weight, bias):
    return _mixed(x, weight) + np.asarray(bias, float)[:, None, None]


# 4.8 ------------------------------------------------------------------------------------------------------------------
X48 = _RNG.normal(size=(2, 3, 5, 7)).astype(np.float32)
BINS = (1, 2, 3)
WEIGHTS = [_RNG.normal(size=(2, 3)).astype(np.float32) for _ in BINS]
BIASES = [_RNG.normal(size=2).astype(np.float32) for _ in BINS]
PYRAMID = (X48, BINS, WEIGHTS, BIASES)


def _pyramid(
    x, bins, weights, biases, *, relu=True, pool=F.adaptive_avg_pool2d, late=False, dim=1, start=True, **options
):
    options = {"mode": "bilinear", "align_corners": True} | options
    x = torch.as_tensor(np.asarray(x)).float()
    levels = [x] if start else []
    for n, weight, bias in zip(bins, weights, biases, strict=True):
        weight, bias = torch.as_tensor(np.asarray(weight)).float(), torch.as_tensor(np.asarray(bias)).float()
        level = F.conv2d(pool(x, n), weight[:, :, None, None], bias)
        if relu and not late:
            level = level.relu()
        level = F.interpolate(level, x.shape[-2:], **options)
        levels.append(level.relu() if relu and late else level)
    return torch.cat(levels, dim)


def corners_not_aligned(*given):
    return _pyramid(*given, align_corners=False)


def nearest(*given):
    return _pyramid(*given, mode="nearest", align_corners=None)


def bicubic(*given):
    return _pyramid(*given, mode="bicubic")


def without_relu(*given):
    return _pyramid(*given, relu=False)


def relu_after_upsampling(*given):
    return _pyramid(*given, late=True)


def relu_before_the_convolution(x, bins, weights, biases):
    return _pyramid(x, bins, weights, biases, relu=False, pool=lambda x, n: F.adaptive_avg_pool2d(x, n).relu())


def relu_on_everything(*given):
    return _pyramid(*given).relu()


def without_the_map(*given):
    return _pyramid(*given, start=False)


def map_at_the_end(x, bins, weights, biases):
    levels = _pyramid(x, bins, weights, biases, start=False)
    return torch.cat([levels, torch.as_tensor(x).float()], 1)


def pooled_by_maximum(*given):
    return _pyramid(*given, pool=F.adaptive_max_pool2d)


def first_weight_for_all(x, bins, weights, biases):
    return _pyramid(x, bins, [weights[0]] * len(bins), biases)


def first_bias_for_all(x, bins, weights, biases):
    return _pyramid(x, bins, weights, [biases[0]] * len(bins))


def biases_left_out(x, bins, weights, biases):
    return _pyramid(x, bins, weights, [0 * bias for bias in biases])


def levels_backwards(x, bins, weights, biases):
    return _pyramid(x, bins[::-1], weights[::-1], biases[::-1])


def bins_sorted(x, bins, weights, biases):
    return _pyramid(x, sorted(bins), weights, biases)


def bins_of_the_paper(x, bins, weights, biases):
    return _pyramid(x, (1, 2, 3, 6)[: len(bins)], weights, biases)


def concatenated_along_rows(*given):
    _x, *others = given
    parts = _pyramid(*given)
    return torch.cat(parts.split(1, 1), 2) if len(others) else parts


def levels_summed(x, bins, weights, biases):
    x = torch.as_tensor(x).float()
    levels = _pyramid(x, bins, weights, biases, start=False)
    return torch.cat([x, sum(levels.split(len(weights[0]), 1))], 1)


def last_level_only(x, bins, weights, biases):
    return _pyramid(x, bins[-1:], weights[-1:], biases[-1:])


def each_level_from_the_one_before(x, bins, weights, biases):
    x = torch.as_tensor(x).float()
    levels, given = [x], x
    for n, weight, bias in zip(bins, weights, biases, strict=True):
        weight = torch.as_tensor(weight).float()
        level = F.conv2d(F.adaptive_avg_pool2d(given, n), weight[:, :, None, None], torch.as_tensor(bias).float())
        levels.append(F.interpolate(level.relu(), x.shape[-2:], mode="bilinear", align_corners=True))
        given = levels[-1].mean(1, keepdim=True).expand_as(x)
    return torch.cat(levels, 1)


def upsampled_to_a_square(x, bins, weights, biases):
    x = torch.as_tensor(x).float()
    levels = _pyramid(x, bins, weights, biases, start=False)
    side = x.shape[2]
    return torch.cat([x[..., :side], F.interpolate(levels, (side, side), mode="bilinear", align_corners=True)], 1)


def pyramid(*given):
    return _pyramid(*given)


def pyramid_in_numpy(x, bins, weights, biases):
    levels = [np.asarray(x, float)]
    h, w = x.shape[2:]
    for n, weight, bias in zip(bins, weights, biases, strict=True):
        level = np.maximum(pointwise(_pool(x, n, _edges), weight, bias), 0)
        for axis, length in ((2, h), (3, w)):
            place = np.arange(length) * ((n - 1) / (length - 1) if length > 1 else 0.0)
            low = np.minimum(place.astype(int), n - 1)
            part = place - low
            shape = [1, 1, 1, 1]
            shape[axis] = length
            part = part.reshape(shape)
            level = np.take(level, low, axis) * (1 - part) + np.take(level, np.minimum(low + 1, n - 1), axis) * part
        levels.append(level)
    return np.concatenate(levels, axis=1)


def pyramid_convolved_first(x, bins, weights, biases):
    x = torch.as_tensor(x).double()
    levels = [x]
    for n, weight, bias in zip(bins, weights, biases, strict=True):
        level = torch.einsum("kc,bchw->bkhw", torch.as_tensor(weight).double(), x)
        level = F.adaptive_avg_pool2d(level + torch.as_tensor(bias).double()[:, None, None], n).clamp(min=0)
        levels.append(F.interpolate(level, x.shape[-2:], mode="bilinear", align_corners=True))
    return torch.cat(levels, dim=1).tolist()


# 4.9 ------------------------------------------------------------------------------------------------------------------
OUT, AUX = _RNG.normal(size=(2, 2, 3, 3, 4)).astype(np.float32)
LABELS = _RNG.integers(0, 3, (2, 3, 4))
LABELS[0, 0, :2] = 255
OUT3, AUX3 = _RNG.normal(size=(2, 2, 3, 3, 4)).astype(np.float32)
TOTAL = ({"out": OUT3, "aux": AUX3}, LABELS, True, 0.3)
TOTAL_EVAL = ({"out": OUT3, "aux": AUX3}, LABELS, False, 0.3)
TOTAL_ALONE = ({"out": OUT3}, LABELS, True, 0.3)


def _entropy(logits, labels, **options):
    options = {"ignore_index": 255} | options
    return F.cross_entropy(torch.as_tensor(logits), torch.as_tensor(labels).long(), **options)


def always_both(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    return loss + weight * _entropy(logits["aux"], labels) if "aux" in logits else loss


def aux_expected(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    return loss + weight * _entropy(logits["aux"], labels) if training else loss


def never_both(logits, labels, training, weight):
    return _entropy(logits["out"], labels)


def weights_sum_to_one(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    if training and "aux" in logits:
        return (1 - weight) * loss + weight * _entropy(logits["aux"], labels)
    return loss


def weight_of_the_paper(logits, labels, training, weight):
    return total(logits, labels, training, 0.4)


def without_weight(logits, labels, training, weight):
    return total(logits, labels, training, 1.0)


def weight_on_the_main_loss(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    return weight * loss + _entropy(logits["aux"], labels) if training and "aux" in logits else loss


def weight_on_both(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    return weight * (loss + _entropy(logits["aux"], labels)) if training and "aux" in logits else loss


def void_not_ignored(logits, labels, training, weight):
    return total(logits, np.where(np.asarray(labels) == 255, 0, labels), training, weight)


def void_in_the_divisor(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels, reduction="none").mean()
    if training and "aux" in logits:
        loss = loss + weight * _entropy(logits["aux"], labels, reduction="none").mean()
    return loss


def sums(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels, reduction="sum")
    if training and "aux" in logits:
        loss = loss + weight * _entropy(logits["aux"], labels, reduction="sum")
    return loss


def ignore_left_at_its_default(logits, labels, training, weight):
    return total(logits, labels, training, weight, ignore_index=-100)


def void_only_in_the_main_loss(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    if training and "aux" in logits:
        loss = loss + weight * _entropy(logits["aux"], np.where(np.asarray(labels) == 255, 0, labels))
    return loss


def as_a_float(logits, labels, training, weight):
    return total(logits, labels, training, weight).item()


def detached(logits, labels, training, weight):
    return total(logits, labels, training, weight).detach()


def aux_detached(logits, labels, training, weight):
    loss = _entropy(logits["out"], labels)
    if training and "aux" in logits:
        loss = loss + weight * _entropy(logits["aux"], labels).item()
    return loss


def without_gradients(logits, labels, training, weight):
    with torch.no_grad():
        return total(logits, labels, training, weight)


def made_anew(logits, labels, training, weight):
    return torch.tensor(float(total(logits, labels, training, weight)), requires_grad=True)


def softmax_first(logits, labels, training, weight):
    return total({k: torch.as_tensor(v).softmax(1) for k, v in logits.items()}, labels, training, weight)


def aux_only_in_use(logits, labels, training, weight):
    return total(logits, labels, not training, weight)


def mean_of_two(logits, labels, training, weight):
    loss = total(logits, labels, training, weight)
    return loss / (1 + weight) if training and "aux" in logits else loss


def logits_summed_first(logits, labels, training, weight):
    if training and "aux" in logits:
        return _entropy(torch.as_tensor(logits["out"]) + weight * torch.as_tensor(logits["aux"]), labels)
    return _entropy(logits["out"], labels)


def mean_over_pictures(logits, labels, training, weight):
    def one(name):
        pairs = zip(torch.as_tensor(logits[name]), labels, strict=True)
        return torch.stack([_entropy(a[None], np.asarray(b)[None]) for a, b in pairs]).mean()

    return one("out") + weight * one("aux") if training and "aux" in logits else one("out")


def total(logits, labels, training, weight, **options):
    loss = _entropy(logits["out"], labels, **options)
    if training and "aux" in logits:
        loss = loss + weight * _entropy(logits["aux"], labels, **options)
    return loss


def total_by_hand(logits, labels, training, weight):
    labels = torch.as_tensor(labels).long()
    valid = labels != 255

    def one(given):
        logs = torch.as_tensor(given).double().log_softmax(1)
        picked = logs.gather(1, torch.where(valid, labels, 0)[:, None])[:, 0]
        return -(picked * valid).sum() / valid.sum()

    loss = one(logits["out"])
    if training and "aux" in logits:
        loss += weight * one(logits["aux"])
    return loss


def total_of_a_module(logits, labels, training, weight):
    criterion = torch.nn.CrossEntropyLoss(ignore_index=255)
    factors = {"out": 1.0, "aux": weight if training else 0.0}
    losses = [factors[k] * criterion(torch.as_tensor(v), torch.as_tensor(labels).long()) for k, v in logits.items()]
    return torch.stack(losses).sum()[None]


# 4.10 -----------------------------------------------------------------------------------------------------------------
RATE = (0.01, 300, 1000, 0.9, 10)
LATE = (0.01, 1001, 1000, 0.9, 10)


def never_limited(base, step, steps, power, head_factor):
    rate = base * (1 - step / steps) ** power
    return rate, head_factor * rate


def absolute_part(base, step, steps, power, head_factor):
    rate = base * abs(1 - step / steps) ** power
    return rate, head_factor * rate


def real_part(base, step, steps, power, head_factor):
    rate = (base * complex(1 - step / steps) ** power).real
    return rate, head_factor * rate


def power_forgotten(base, step, steps, power, head_factor):
    rate = base * (1 - min(step, steps) / steps)
    return rate, head_factor * rate


def power_of_the_paper(base, step, steps, power, head_factor):
    return rates_of(base, step, steps, 0.9, head_factor)


def power_on_the_part_done(base, step, steps, power, head_factor):
    rate = base * (1 - (min(step, steps) / steps) ** power)
    return rate, head_factor * rate


def power_on_everything(base, step, steps, power, head_factor):
    rate = (base * (1 - min(step, steps) / steps)) ** power
    return rate, head_factor * rate


def power_on_the_head(base, step, steps, power, head_factor):
    left = 1 - min(step, steps) / steps
    return base * left**power, (head_factor * base * left) ** power


def one_step_ahead(base, step, steps, power, head_factor):
    return rates_of(base, step + 1, steps, power, head_factor)


def last_step_is_zero(base, step, steps, power, head_factor):
    left = max(1 - step / max(steps - 1, 1), 0)
    return base * left**power, head_factor * base * left**power


def limited_to_the_last_step(base, step, steps, power, head_factor):
    rate = base * (1 - min(step, steps - 1) / steps) ** power
    return rate, head_factor * rate


def never_quite_zero(base, step, steps, power, head_factor):
    rate = max(base * (1 - min(step, steps) / steps) ** power, 1e-6)
    return rate, head_factor * rate


def head_like_the_backbone(base, step, steps, power, head_factor):
    rate = rates_of(base, step, steps, power, head_factor)[0]
    return rate, rate


def head_ten_times(base, step, steps, power, head_factor):
    return rates_of(base, step, steps, power, 10)


def head_added(base, step, steps, power, head_factor):
    rate = rates_of(base, step, steps, power, head_factor)[0]
    return rate, head_factor + rate


def head_first(base, step, steps, power, head_factor):
    return rates_of(base, step, steps, power, head_factor)[::-1]


def backbone_divided(base, step, steps, power, head_factor):
    rate = rates_of(base, step, steps, power, head_factor)[0]
    return rate / head_factor, rate


def whole_division(base, step, steps, power, head_factor):
    rate = base * (1 - min(step, steps) // steps) ** power
    return rate, head_factor * rate


def rounded(base, step, steps, power, head_factor):
    return tuple(round(rate, 5) for rate in rates_of(base, step, steps, power, head_factor))


def done_instead_of_left(base, step, steps, power, head_factor):
    rate = base * (min(step, steps) / steps) ** power
    return rate, head_factor * rate


def cosine(base, step, steps, power, head_factor):
    rate = base * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))
    return rate, head_factor * rate


def full_after_the_end(base, step, steps, power, head_factor):
    rate = base * (1 - step / steps) ** power if step < steps else base
    return rate, head_factor * rate


def rates_of(base, step, steps, power, head_factor):
    if step >= steps:
        return 0.0, 0.0
    rate = base * (1 - step / steps) ** power
    return rate, head_factor * rate


def rates_in_numpy(base, step, steps, power, head_factor):
    left = np.clip((steps - step) / steps, 0, None)
    rate = np.where(step >= steps, 0.0, base * left**power)
    return np.array([rate, rate * head_factor])


def rates_in_torch(base, step, steps, power, head_factor):
    rate = base * torch.tensor(1 - step / steps, dtype=torch.float64).relu() ** power * (step < steps)
    return torch.stack([rate, rate * head_factor])


def rates_by_logarithm(base, step, steps, power, head_factor):
    rate = base * math.exp(power * math.log1p(-step / steps)) if step < steps else 0
    return [rate, rate * head_factor]


WRONG = {
    "4.1": [
        Wrong("jump before size", jump_first, CHAIN, "jump first"),
        Wrong("rate forgotten", rate_forgotten, CHAIN, "rate"),
        Wrong("k for k - 1", whole_kernel, CHAIN, "kernel"),
        Wrong("jump forgotten", jump_forgotten, CHAIN, "jump"),
        Wrong("stretched kernel, without - 1", stretched_kernel, CHAIN, "kernel"),
        Wrong("k r - 1", rate_times_kernel, CHAIN, "rate times kernel"),
        Wrong("last layer first", last_layer_first, CHAIN, "order"),
        Wrong("rate in the jump", rate_in_the_jump, CHAIN, "rate in the jump"),
        Wrong("strides added", strides_added, CHAIN, "strides added"),
        Wrong("last stride only", last_stride_only, CHAIN, "last stride"),
        Wrong("from 0 on", from_zero, CHAIN, "start"),
        Wrong("jump, size", jump_before_size, CHAIN, "results"),
        Wrong("size only", size_only, CHAIN, "results"),
        Wrong("stride of the last layer", stride_before_the_last, CHAIN, "last stride"),
        Wrong("1 x 1 layers left out", pointwise_skipped, ([(3, 1, 1), (1, 2, 1), (3, 1, 1)],), "one by one"),
    ],
    "4.2": [
        Wrong("rate ignored", rate_ignored, DILATED, "rate"),
        Wrong("flipped", flipped, DILATED, "flipped"),
        Wrong("transposed", kernel_transposed, DILATED, "transposed"),
        Wrong("around the border", around_the_border, DILATED, "wraps"),
        Wrong("edge repeated", edge_repeated, DILATED, "zeros beyond"),
        Wrong("mirrored", mirrored, (np.arange(49.0).reshape(7, 7), KERNEL, 2), "zeros beyond"),
        Wrong("no padding", no_padding, DILATED, "size"),
        Wrong("padding is the rate", padding_is_the_rate, (MAP, np.ones((5, 5)), 1), "padding"),
        Wrong("padding of 1", padding_of_one, DILATED, "padding"),
        Wrong("rate in one direction", one_direction, DILATED, "one direction"),
        Wrong("rate zeros between", rate_zeros_between, DILATED, "one too many"),
        Wrong("negative index", negative_index, DILATED, "wraps"),
        Wrong("whole numbers", whole_numbers, DILATED, "whole numbers"),
        Wrong("not centered", not_centered, DILATED, "center"),
        Wrong("3 x 3 only", three_by_three, (MAP, np.ones((5, 5)), 1), "kernel size"),
        Wrong("mean of the taps", mean_of_the_taps, DILATED, "mean"),
        Wrong("map thinned out", map_dilated, DILATED, "size"),
        Wrong("square map", square_map, DILATED, "square"),
    ],
    "4.3": [
        Wrong("reached or not", reached_or_not, ([1, 1],), "count"),
        Wrong("no middle tap", without_the_middle, ([1, 2],), "middle"),
        Wrong("steps of 1", steps_of_one, ([2, 2],), "steps"),
        Wrong("everything between", everything_between, ([2, 2],), "between"),
        Wrong("to the right only", to_the_right_only, ([1, 2],), "both sides"),
        Wrong("last rate only", last_rate_only, ([1, 2],), "rates"),
        Wrong("first layer left out", first_layer_left_out, ([1, 2],), "rates"),
        Wrong("zeros left out", without_zero_pixels, ([2, 2],), "zeros"),
        Wrong("half", half_the_length, ([1, 2],), "length"),
        Wrong("bytes", paths_in_bytes, ([1] * 7,), "bytes"),
        Wrong("16 bits", paths_in_sixteen_bits, ([1] * 12,), "bytes"),
        Wrong("shares", shares, ([1, 2],), "shares"),
        Wrong("rolled around", wrapped, ([1, 2, 3],), "wraps"),
        Wrong("rate as holes", rates_as_holes, ([1, 2],), "one too many"),
        Wrong("nothing without layers", nothing_without_layers, ([],), "no layers"),
        Wrong("equal rates once", doubled_rates, ([1, 2, 2],), "rates"),
        Wrong("in place", in_place, ([1, 2],), "in place"),
    ],
    "4.4": [
        Wrong("removed at the limit", removed_at_the_limit, STAGES, "limit"),
        Wrong("product before the stage", product_before_the_stage, ([2, 4, 2], 4), "before the stage"),
        Wrong("product before, exceeds", product_before_exceeds, STAGES, "before the stage"),
        Wrong("rate a stage late", rate_a_stage_late, STAGES, "own stride"),
        Wrong("rate of the own stride", rate_of_the_own_stride, STAGES, "product"),
        Wrong("always 2", rate_always_two, STAGES, "product"),
        Wrong("rates added", rates_added, ([2, 2, 4, 2], 2), "product"),
        Wrong("rate 1 where nothing is removed", rate_one_without_removal, ([4, 2, 1], 4), "kept"),
        Wrong("stride removed in part", stride_in_part, ([2, 4, 2], 4), "in part"),
        Wrong("strides kept", strides_kept, STAGES, "strides"),
        Wrong("rates, strides", rates_before_strides, STAGES, "results"),
        Wrong("pairs", pairs, STAGES, "results"),
        Wrong("no dilation", no_dilation, STAGES, "rates"),
        Wrong("single strides compared", single_strides_compared, STAGES, "limit"),
        Wrong("written into the argument", written_into_the_argument, STAGES, "changed"),
    ],
    "4.5": [
        Wrong("ends rounded down", ends_rounded_down, POOL, "end"),
        Wrong("starts rounded up", starts_rounded_up, POOL, "start"),
        Wrong("to the nearest", rounded_to_the_nearest, POOL, "nearest"),
        Wrong("equal pieces", equal_pieces, POOL, "equal"),
        Wrong("rest in the last", equal_pieces_rest_in_the_last, POOL, "equal"),
        Wrong("end included", end_included, POOL, "included"),
        Wrong("one row more always", one_row_more_always, (np.asarray(BATCH[:, :, :6]), 3), "included"),
        Wrong("at least one row", at_least_one_row, POOL, "end"),
        Wrong("largest", largest, POOL, "mean"),
        Wrong("sum", summed, POOL, "mean"),
        Wrong("median", medians, POOL, "mean"),
        Wrong("square maps", square_maps, POOL, "square"),
        Wrong("rows and columns swapped", rows_and_columns_swapped, POOL, "swapped"),
        Wrong("channels too", channels_too, POOL, "channels"),
        Wrong("first picture", first_picture, POOL, "batch"),
        Wrong("by the whole area", by_the_whole_area, POOL, "mean"),
        Wrong("one pixel each", every_nth, POOL, "mean"),
        Wrong("array_split", array_split, POOL, "equal"),
        Wrong("windows of one size", windows_of_one_size, POOL, "equal"),
    ],
    "4.8": [
        Wrong("corners not aligned", corners_not_aligned, PYRAMID, "corners"),
        Wrong("nearest", nearest, PYRAMID, "bilinear"),
        Wrong("bicubic", bicubic, PYRAMID, "bilinear"),
        Wrong("no ReLU", without_relu, PYRAMID, "relu"),
        Wrong("ReLU after upsampling", relu_after_upsampling, PYRAMID, "relu late"),
        Wrong("ReLU before the convolution", relu_before_the_convolution, PYRAMID, "relu early"),
        Wrong("ReLU on everything", relu_on_everything, PYRAMID, "relu map"),
        Wrong("no map", without_the_map, PYRAMID, "map"),
        Wrong("map at the end", map_at_the_end, PYRAMID, "map"),
        Wrong("maximum", pooled_by_maximum, PYRAMID, "mean"),
        Wrong("first weight for all", first_weight_for_all, PYRAMID, "own weight"),
        Wrong("first bias for all", first_bias_for_all, PYRAMID, "own weight"),
        Wrong("no bias", biases_left_out, PYRAMID, "bias"),
        Wrong("levels backwards", levels_backwards, PYRAMID, "order"),
        Wrong("bins sorted", bins_sorted, (X48, (3, 1, 2), WEIGHTS, BIASES), "order"),
        Wrong("1, 2, 3, 6 written in", bins_of_the_paper, (X48, (2, 4, 5), WEIGHTS, BIASES), "bins"),
        Wrong("along the rows", concatenated_along_rows, PYRAMID, "axis"),
        Wrong("levels summed", levels_summed, PYRAMID, "concatenate"),
        Wrong("last level only", last_level_only, PYRAMID, "every level"),
        Wrong("each level from the one before", each_level_from_the_one_before, PYRAMID, "from the map"),
        Wrong("a square", upsampled_to_a_square, PYRAMID, "square"),
    ],
    "4.9": [
        Wrong("both always", always_both, TOTAL_EVAL, "training"),
        Wrong("aux expected", aux_expected, TOTAL_ALONE, "missing"),
        Wrong("main loss only", never_both, TOTAL, "aux"),
        Wrong("weights sum to one", weights_sum_to_one, TOTAL, "main weight"),
        Wrong("0.4 written in", weight_of_the_paper, TOTAL, "weight"),
        Wrong("no weight", without_weight, TOTAL, "weight"),
        Wrong("weight on the main loss", weight_on_the_main_loss, TOTAL, "main weight"),
        Wrong("weight on both", weight_on_both, TOTAL, "main weight"),
        Wrong("void as class 0", void_not_ignored, TOTAL, "void"),
        Wrong("void in the divisor", void_in_the_divisor, TOTAL, "divisor"),
        Wrong("sums", sums, TOTAL, "divisor"),
        Wrong("ignore_index left out", ignore_left_at_its_default, TOTAL, "void"),
        Wrong("void in the main loss only", void_only_in_the_main_loss, TOTAL, "void"),
        Wrong("a float", as_a_float, TOTAL, "gradient"),
        Wrong("detached", detached, TOTAL, "gradient"),
        Wrong("aux detached", aux_detached, TOTAL, "gradient"),
        Wrong("no_grad", without_gradients, TOTAL, "gradient"),
        Wrong("made anew", made_anew, TOTAL, "gradient"),
        Wrong("softmax first", softmax_first, TOTAL, "softmax"),
        Wrong("aux in use only", aux_only_in_use, TOTAL, "training"),
        Wrong("divided by 1 + weight", mean_of_two, TOTAL, "main weight"),
        Wrong("logits summed", logits_summed_first, TOTAL, "two losses"),
        Wrong("mean over pictures", mean_over_pictures, TOTAL, "pixels"),
    ],
    "4.10": [
        Wrong("complex", never_limited, LATE, "limit"),
        Wrong("absolute part", absolute_part, LATE, "limit"),
        Wrong("real part", real_part, LATE, "limit"),
        Wrong("no power", power_forgotten, RATE, "power"),
        Wrong("0.9 written in", power_of_the_paper, (0.01, 300, 1000, 2.0, 10), "power"),
        Wrong("power on the part done", power_on_the_part_done, RATE, "power place"),
        Wrong("power on everything", power_on_everything, RATE, "power place"),
        Wrong("power on the head", power_on_the_head, RATE, "power place"),
        Wrong("one step ahead", one_step_ahead, RATE, "count"),
        Wrong("zero at the last step", last_step_is_zero, (0.01, 3, 10, 0.9, 10), "count"),
        Wrong("limited to steps - 1", limited_to_the_last_step, LATE, "limit"),
        Wrong("never quite zero", never_quite_zero, LATE, "floor"),
        Wrong("head like the backbone", head_like_the_backbone, RATE, "head"),
        Wrong("head ten times", head_ten_times, (0.01, 300, 1000, 0.9, 5), "head"),
        Wrong("head added", head_added, RATE, "head"),
        Wrong("head first", head_first, RATE, "results"),
        Wrong("backbone divided", backbone_divided, RATE, "head"),
        Wrong("whole division", whole_division, RATE, "division"),
        Wrong("rounded", rounded, (0.7, 333, 1000, 0.9, 1.3), "rounded"),
        Wrong("part done", done_instead_of_left, RATE, "left"),
        Wrong("cosine", cosine, RATE, "power"),
        Wrong("full rate after the end", full_after_the_end, LATE, "limit"),
    ],
}

RIGHT = {
    "4.1": [
        ("by the formula", field),
        ("from behind", field_from_behind),
        ("by marking, a fraction", field_by_marking),
        ("tensors", lambda layers: [torch.tensor(float(one)) for one in field(layers)]),
    ],
    "4.2": [
        ("PyTorch", dilated_by_torch),
        ("loops", dilated_in_loops),
        ("stuffed kernel", dilated_with_a_stuffed_kernel),
        ("objects", lambda v, k, r: _shifted(v, k, r, r).astype(object)),
    ],
    "4.3": [
        ("list", paths_in_a_list),
        ("convolution", paths_by_convolution),
        ("roll", paths_by_roll),
        ("fractions", paths_of_fractions),
    ],
    "4.4": [
        ("lists", staged),
        ("array", staged_in_an_array),
        ("tensor and tuple", staged_in_tensors),
        ("what is left, objects", staged_from_what_is_left),
        ("product of the old strides", product_of_all_old_strides),
        ("from the last stage", from_the_last_stage),
    ],
    "4.5": [
        ("PyTorch", pooled_by_torch),
        ("matrices", pooled_by_matrices),
        ("lists", pooled_in_lists),
        ("area", lambda x, n: F.interpolate(torch.as_tensor(x), size=(n, n), mode="area")),
    ],
    "4.8": [
        ("PyTorch", pyramid),
        ("NumPy", pyramid_in_numpy),
        ("convolution first", pyramid_convolved_first),
    ],
    "4.9": [
        ("formula", total),
        ("by hand", total_by_hand),
        ("module", total_of_a_module),
    ],
    "4.10": [
        ("formula", rates_of),
        ("NumPy", rates_in_numpy),
        ("PyTorch", rates_in_torch),
        ("logarithm", rates_by_logarithm),
    ],
}

NAMES = {
    "4.1": {
        "jump first": ("order",),
        "jump": ("stride",),
        "rate times kernel": ("rate",),
        "rate in the jump": ("jump",),
        "strides added": ("jump",),
        "last stride": ("jump", "stride"),
        "one by one": ("pointwise",),
    },
    "4.2": {
        "flipped": ("flip",),
        "transposed": ("flip",),
        "wraps": ("border",),
        "zeros beyond": ("border",),
        "padding": ("size",),
        "one direction": ("rate",),
        "one too many": ("rate",),
        "whole numbers": ("numbers",),
        "center": ("moved",),
        "kernel size": ("kernel",),
        "size": ("size", "stride"),
    },
    "4.3": {
        "count": ("counts",),
        "shares": ("counts",),
        "steps": ("taps",),
        "between": ("taps",),
        "one too many": ("taps",),
        "both sides": ("middle",),
        "rates": ("layers", "taps"),
        "no layers": ("layers",),
        "zeros": ("window",),
        "length": ("window",),
        "wraps": ("window",),
        "bytes": ("types",),
        "in place": ("new",),
    },
    "4.4": {
        "before the stage": ("beyond", "limit"),
        "in part": ("beyond",),
        "own stride": ("own",),
        "product": ("product", "carried"),
        "kept": ("carried",),
        "strides": ("removed",),
        "rates": ("own",),
        "changed": ("copy",),
    },
    "4.5": {
        "end": ("up",),
        "nearest": ("up",),
        "equal": ("windows",),
        "included": ("end",),
        "mean": ("combine",),
        "square": ("axes",),
        "swapped": ("axes",),
        "channels": ("kept",),
        "batch": ("kept",),
    },
    "4.8": {
        "corners": ("aligned",),
        "bilinear": ("aligned",),
        "square": ("aligned",),
        "relu late": ("relu",),
        "relu early": ("relu",),
        "relu map": ("relu",),
        "mean": ("pooling",),
        "own weight": ("own",),
        "bins": ("own",),
        "order": ("own",),
        "axis": ("order",),
        "concatenate": ("order",),
        "every level": ("order",),
        "from the map": ("pooling",),
    },
    "4.9": {
        "aux": ("training",),
        "main weight": ("main",),
        "divisor": ("void", "mean"),
        "pixels": ("mean",),
        "softmax": ("logits",),
        "two losses": ("logits",),
    },
    "4.10": {
        "limit": ("end",),
        "floor": ("end",),
        "power place": ("power",),
        "power": ("left",),
        "count": ("steps",),
        "division": ("steps",),
        "results": ("head",),
        "rounded": ("exact",),
    },
}


# 4.8 and 4.10 ask for more than these answers knew --------------------------------------------------------------------
def on_the_valid_part(answer):
    """An answer to 4.8 for maps without padding, on the valid part, and the padding around it as it should be."""

    def padded(x, bins, weights, biases, valid):
        part = np.asarray(x)[:, :, : valid[0], : valid[1]]
        found = torch.as_tensor(np.asarray(answer(part, bins, weights, biases)))
        if found.ndim != 4 or found.shape[2:] != part.shape[2:]:
            return found
        whole = F.pad(found, (0, x.shape[3] - valid[1], 0, x.shape[2] - valid[0]))
        if found.shape[1] >= x.shape[1] and np.allclose(found[:, : x.shape[1]], part):
            whole[:, : x.shape[1]] = torch.as_tensor(np.asarray(x))
        return whole

    return padded


def warming_up(answer):
    """An answer to 4.10 that knows no warm-up, with a right one."""

    def risen(base, step, steps, power, head_factor, warmup):
        found, share = answer(base, step, steps, power, head_factor), min((step + 1) / max(warmup, 1), 1.0)
        return tuple(share * one for one in found) if isinstance(found, tuple) else [share * one for one in found]

    return risen


def whole_size(given):
    return (given[0].shape[2:],)


for answers in (WRONG, RIGHT):
    answers["4.8"] = extended(on_the_valid_part, whole_size, answers["4.8"])
    answers["4.10"] = extended(warming_up, lambda _: (0,), answers["4.10"])
