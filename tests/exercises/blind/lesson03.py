"""Answers to the tasks of lesson 3, as students write them."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(7)


# 3.1 ------------------------------------------------------------------------------------------------------------------
WEIGHT = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(12, 2)  # 2 x 3 places of two channels, two outputs
WEIGHT_ARGS = (WEIGHT, 2, 3)


def _right_kernel(weight, height, width):
    return np.moveaxis(weight.T.reshape(weight.shape[1], height, width, -1), -1, 1)


def as_in_the_lesson(weight, height, width):
    return weight.T.reshape(weight.shape[1], -1, height, width)


def as_in_the_lesson_untransposed(weight, height, width):
    return weight.reshape(weight.shape[1], -1, height, width)


def outputs_not_moved(weight, height, width):
    return weight.reshape(height, width, -1, weight.shape[1])


def channels_stay_last(weight, height, width):
    return weight.T.reshape(weight.shape[1], height, width, -1)


def tensorflows_order(weight, height, width):
    return np.moveaxis(_right_kernel(weight, height, width), 0, -1)


def height_and_width_swapped(weight, height, width):
    return weight.T.reshape(weight.shape[1], width, height, -1).transpose(0, 3, 2, 1)


def width_first(weight, height, width):
    return weight.T.reshape(weight.shape[1], width, height, -1).transpose(0, 3, 1, 2)


def kernel_turned(weight, height, width):
    return _right_kernel(weight, height, width)[:, :, ::-1, ::-1]


def kernel_mirrored(weight, height, width):
    return np.flip(_right_kernel(weight, height, width), -1)


def outputs_second(weight, height, width):
    return _right_kernel(weight, height, width).swapaxes(0, 1)


def reshaped_without_a_transpose(weight, height, width):
    return weight.reshape(weight.shape[1], height, width, -1).transpose(0, 3, 1, 2)


def mean_instead_of_sum(weight, height, width):
    return _right_kernel(weight, height, width) / (height * width)


def whole_numbers(weight, height, width):
    return _right_kernel(weight, height, width).astype(int)


def half_precision(weight, height, width):
    return _right_kernel(weight.astype(np.float16), height, width)


def left_flat(weight, height, width):
    return _right_kernel(weight, height, width).reshape(weight.shape[1], -1, height * width)


def no_outputs(weight, height, width):
    return _right_kernel(weight, height, width)[0]


def as_one_by_one(weight, height, width):
    return weight.T[:, :, None, None]


def only_transposed(weight, height, width):
    return weight.T.copy()


def loops_for_the_kernel(weight, height, width):
    channels = len(weight) // (height * width)
    kernel = [[[[0.0] * width for _ in range(height)] for _ in range(channels)] for _ in range(weight.shape[1])]
    n = 0
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                for k in range(weight.shape[1]):
                    kernel[k][c][i][j] = float(weight[n, k])
                n += 1
    return kernel


def unflattened(weight, height, width):
    return torch.as_tensor(weight).unflatten(0, (height, width, -1)).permute(3, 2, 0, 1)


# 3.2 ------------------------------------------------------------------------------------------------------------------
def _down(n, k, s, p):
    return math.floor((n + 2 * p - k) / s) + 1


def _up(m, k, s, p):
    return (m - 1) * s - 2 * p + k


def until_the_next_window(size, kernel, stride, padding):
    return stride * math.ceil((size + 2 * padding - kernel) / stride) - (size + 2 * padding - kernel)


def what_the_stride_leaves(size, kernel, stride, padding):
    return size % stride


def padding_not_seen(size, kernel, stride, padding):
    return (size - kernel) % stride


def padding_seen_once(size, kernel, stride, padding):
    return (size + padding - kernel) % stride


def padding_only_down(size, kernel, stride, padding):
    return size - _up(_down(size, kernel, stride, padding), kernel, stride, 0)


def kernel_not_seen(size, kernel, stride, padding):
    return (size + 2 * padding) % stride


def one_more_place(size, kernel, stride, padding):
    return (size + 2 * padding - kernel + 1) % stride


def back_minus_size(size, kernel, stride, padding):
    return _up(_down(size, kernel, stride, padding), kernel, stride, padding) - size


def always_one_less_than_the_stride(size, kernel, stride, padding):
    return stride - 1


def one_for_strides_above_one(size, kernel, stride, padding):
    return 1 if (size + 2 * padding - kernel) % stride else 0


def nothing_missing(size, kernel, stride, padding):
    return 0


def size_that_comes_back(size, kernel, stride, padding):
    return _up(_down(size, kernel, stride, padding), kernel, stride, padding)


def size_on_the_way(size, kernel, stride, padding):
    return _down(size, kernel, stride, padding)


def rounded_up_on_the_way(size, kernel, stride, padding):
    return size - _up(math.ceil((size + 2 * padding - kernel) / stride) + 1, kernel, stride, padding)


def times_the_stride(size, kernel, stride, padding):
    return size - stride * _down(size, kernel, stride, padding)


def down_and_up(size, kernel, stride, padding):
    return size - _up(_down(size, kernel, stride, padding), kernel, stride, padding)


def asked_of_torch(size, kernel, stride, padding):
    x = torch.zeros(1, 1, size)
    reduced = F.conv1d(x, torch.zeros(1, 1, kernel), stride=stride, padding=padding)
    return size - F.conv_transpose1d(reduced, torch.zeros(1, 1, kernel), stride=stride, padding=padding).shape[-1]


# 3.3 ------------------------------------------------------------------------------------------------------------------
MAP = np.array([[1.5, -2.0, 3.0], [4.0, 5.0, 6.5]])
STUFFED = (MAP, 4, 2, 2)


def _bordered(answer):
    """From an answer that is told the border: right about its width, and cutting where it is negative."""

    def stuffed(values, kernel, stride, padding):
        border = kernel - 1 - padding
        if border >= 0:
            return answer(values, stride, border)
        return np.asarray(answer(values, stride, 0))[-border:border, -border:border]

    return stuffed


def padding_ignored(values, kernel, stride, padding):
    return no_border(values, stride, 0) if kernel == 1 else np.pad(no_border(values, stride, 0), kernel - 1)


def padding_is_the_border(values, kernel, stride, padding):
    return np.pad(no_border(values, stride, 0), padding)


def padding_widens(values, kernel, stride, padding):
    return np.pad(no_border(values, stride, 0), kernel - 1 + padding)


def never_below_zero(values, kernel, stride, padding):
    return np.pad(no_border(values, stride, 0), max(0, kernel - 1 - padding))


def padded_with_a_negative_number(values, kernel, stride, padding):
    return np.pad(no_border(values, stride, 0), kernel - padding - 1)


def kernel_minus_padding(values, kernel, stride, padding):
    border = kernel - padding
    spread = no_border(values, stride, 0)
    return np.pad(spread, border) if border >= 0 else spread[-border:border, -border:border]


def larger_then_cut(values, kernel, stride, padding):
    large = np.pad(no_border(values, stride, 0), kernel)
    cut = padding + 1
    return large[cut:-cut, cut:-cut]


def zeros_after_the_last(values, stride, border):
    out = np.zeros((len(values) * stride, values.shape[1] * stride))
    out[::stride, ::stride] = values
    return np.pad(out, border)


def stride_zeros_between(values, stride, border):
    h, w = values.shape
    out = np.zeros(((h - 1) * (stride + 1) + 1, (w - 1) * (stride + 1) + 1))
    out[:: stride + 1, :: stride + 1] = values
    return np.pad(out, border)


def no_border(values, stride, border):
    h, w = values.shape
    out = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    out[::stride, ::stride] = values
    return out


def border_before_only(values, stride, border):
    return np.pad(no_border(values, stride, 0), ((border, 0), (border, 0)))


def rows_only(values, stride, border):
    h, w = values.shape
    out = np.zeros(((h - 1) * stride + 1, w))
    out[::stride] = values
    return np.pad(out, border)


def border_stuffed_too(values, stride, border):
    return no_border(np.pad(values, border), stride, 0)


def whole_number_zeros(values, stride, border):
    return np.pad(no_border(values, stride, 0).astype(int), border)


def repeated(values, stride, border):
    h, w = values.shape
    big = np.repeat(np.repeat(values, stride, 0), stride, 1)[: (h - 1) * stride + 1, : (w - 1) * stride + 1]
    return np.pad(big, border)


def border_of_the_edge(values, stride, border):
    return np.pad(no_border(values, stride, 0), border, mode="edge")


def sides_swapped(values, stride, border):
    h, w = values.shape
    out = np.zeros(((w - 1) * stride + 1, (h - 1) * stride + 1))
    out[::stride, ::stride] = values
    return np.pad(out, border)


def border_times_stride(values, stride, border):
    return np.pad(no_border(values, stride, 0), border * stride)


def no_stuffing(values, stride, border):
    return np.pad(values, border)


def border_of_ones(values, stride, border):
    return np.pad(no_border(values, stride, 0), border, constant_values=1)


def stuffed_in_a_list(values, stride, border):
    values = np.asarray(values).tolist()
    h, w = len(values), len(values[0])
    height, width = (h - 1) * stride + 1 + 2 * border, (w - 1) * stride + 1 + 2 * border
    out = [[0] * width for _ in range(height)]
    for i in range(h):
        for j in range(w):
            out[border + stride * i][border + stride * j] = values[i][j]
    return out


def stuffed_by_torch(values, stride, border):
    one = torch.zeros(1, 1, 1, 1, dtype=torch.float64) + 1
    given = torch.as_tensor(np.asarray(values, dtype=np.float64))[None, None]
    return F.pad(F.conv_transpose2d(given, one, stride=stride)[0, 0], (border,) * 4).float()


# 3.4 ------------------------------------------------------------------------------------------------------------------
KERNEL = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0], [4.0, 2.0, 1.0]])
SCATTER = (np.stack([MAP, MAP[::-1]]), np.stack([[KERNEL, KERNEL.T, -KERNEL], [KERNEL + 1, KERNEL[::-1], KERNEL]]), 2)


def _summed(one):
    """From an answer about one channel: each pair of channels by itself, summed over the inputs."""

    def layer(values, kernel, stride):
        channels, outputs = kernel.shape[:2]
        pairs = [[np.asarray(one(values[c], kernel[c, d], stride)) for c in range(channels)] for d in range(outputs)]
        return [sum(row) for row in pairs]

    return layer


def kernel_read_as_an_ordinary_one(values, kernel, stride):
    return _summed(scattered)(values, np.swapaxes(kernel, 0, 1), stride)


def no_mixing(values, kernel, stride):
    return np.stack([scattered(values[c], kernel[c, 0], stride) for c in range(len(values))])


def inputs_averaged(values, kernel, stride):
    return np.array(_summed(scattered)(values, kernel, stride)) / len(values)


def only_the_first_input(values, kernel, stride):
    return _summed(scattered)(values[:1], kernel[:1], stride)


def all_outputs_in_one(values, kernel, stride):
    return sum(_summed(scattered)(values, kernel, stride))


def last_channel_overwrites(values, kernel, stride):
    return _summed(scattered)(values[-1:], kernel[-1:], stride)


def layer_of_torch(values, kernel, stride):
    layer = torch.nn.ConvTranspose2d(*kernel.shape[:2], kernel.shape[-1], stride, bias=False).double()
    layer.weight.data = torch.tensor(kernel)
    return layer(torch.tensor(values)[None])[0]


def _scatter(values, kernel, stride, put, dtype=float, extra=0):
    h, w = values.shape
    k = len(kernel)
    out = np.zeros((stride * (h - 1) + k + extra, stride * (w - 1) + k + extra), dtype=dtype)
    for i in range(h):
        for j in range(w):
            put(out, i, j, stride * i, stride * j, k)
    return out


def assigned(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y : y + k, x : x + k] = values[i, j] * kernel

    return _scatter(values, kernel, stride, put)


def turned(values, kernel, stride):
    return scattered(values, kernel[::-1, ::-1], stride)


def kernel_transposed(values, kernel, stride):
    return scattered(values, kernel.T, stride)


def written_without_stride(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[i : i + k, j : j + k] += values[i, j] * kernel

    return _scatter(values, kernel, stride, put)


def one_stride_too_large(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y : y + k, x : x + k] += values[i, j] * kernel

    return _scatter(values, kernel, stride, put, extra=stride)


def in_whole_numbers(values, kernel, stride):
    return scattered(values, kernel, stride).astype(int)


def product_only_at_the_center(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y, x] += values[i, j] * kernel.sum()

    return _scatter(values, kernel, stride, put)


def the_kernel_alone(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y : y + k, x : x + k] += kernel

    return _scatter(values, kernel, stride, put)


def rows_and_columns_swapped(values, kernel, stride):
    return scattered(values.T, kernel, stride)


def cropped_like_the_input(values, kernel, stride):
    out = scattered(values, kernel, stride)
    margin = len(kernel) // 2
    return out[margin : len(out) - margin, margin : out.shape[1] - margin]


def as_a_square(values, kernel, stride):
    side = stride * (len(values) - 1) + len(kernel)
    out = np.zeros((side, side))
    for i in range(len(values)):
        for j in range(len(values)):
            y, x = stride * i, stride * j
            out[y : y + len(kernel), x : x + len(kernel)] += values[i, j] * kernel
    return out


def largest_wins(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y : y + k, x : x + k] = np.maximum(out[y : y + k, x : x + k], values[i, j] * kernel)

    return _scatter(values, kernel, stride, put)


def stride_one_convolution(values, kernel, stride):
    given = torch.as_tensor(np.asarray(values, dtype=float))[None, None]
    return F.conv2d(given, torch.as_tensor(np.array(kernel, dtype=float))[None, None], stride=stride, padding=1)[0, 0]


def scattered(values, kernel, stride):
    def put(out, i, j, y, x, k):
        out[y : y + k, x : x + k] += values[i, j] * kernel

    return _scatter(values, kernel, stride, put)


def gathered(values, kernel, stride):
    (h, w), k = values.shape, len(kernel)
    rows = []
    for y in range(stride * (h - 1) + k):
        row = []
        for x in range(stride * (w - 1) + k):
            total = 0
            for a in range(k):
                for b in range(k):
                    if (y - a) % stride == 0 and (x - b) % stride == 0:
                        i, j = (y - a) // stride, (x - b) // stride
                        if 0 <= i < h and 0 <= j < w:
                            total += float(values[i, j]) * float(kernel[a, b])
            row.append(total)
        rows.append(row)
    return rows


def transposed_by_torch(values, kernel, stride):
    given = torch.tensor(values, dtype=torch.float32)[None, None]
    return F.conv_transpose2d(given, torch.tensor(kernel, dtype=torch.float32)[None, None], stride=stride).squeeze(0)[0]


# 3.5 ------------------------------------------------------------------------------------------------------------------
def _diagonal(num_classes, kernel):
    weight = np.zeros((num_classes, num_classes, len(kernel), len(kernel)))
    for k in range(num_classes):
        weight[k, k] = kernel
    return weight


def _triangle(size, f=None, c=None):
    f = (size + 1) // 2 if f is None else f
    c = (size - 1) / 2 if c is None else c
    return 1 - np.abs(np.arange(size) - c) / f


def every_class_pair(num_classes, size):
    t = _triangle(size)
    return np.broadcast_to(np.outer(t, t), (num_classes, num_classes, size, size))


def factor_is_half_the_size(num_classes, size):
    t = _triangle(size, f=size / 2)
    return _diagonal(num_classes, np.outer(t, t))


def factor_rounded_down(num_classes, size):
    t = _triangle(size, f=max(size // 2, 1))
    return _diagonal(num_classes, np.outer(t, t))


def factor_not_rounded(num_classes, size):
    t = _triangle(size, f=(size + 1) / 2)
    return _diagonal(num_classes, np.outer(t, t))


def center_is_half_the_size(num_classes, size):
    t = _triangle(size, c=size / 2)
    return _diagonal(num_classes, np.outer(t, t))


def center_rounded_down(num_classes, size):
    t = _triangle(size, c=(size - 1) // 2)
    return _diagonal(num_classes, np.outer(t, t))


def summed_triangles(num_classes, size):
    t = _triangle(size)
    return _diagonal(num_classes, (t[:, None] + t) / 2)


def smaller_of_both(num_classes, size):
    t = _triangle(size)
    return _diagonal(num_classes, np.minimum(t[:, None], t))


def sum_of_one(num_classes, size):
    t = _triangle(size)
    kernel = np.outer(t, t)
    return _diagonal(num_classes, kernel / kernel.sum())


def largest_is_one(num_classes, size):
    t = _triangle(size)
    kernel = np.outer(t, t)
    return _diagonal(num_classes, kernel / kernel.max())


def one_per_class(num_classes, size):
    t = _triangle(size)
    return np.stack([np.outer(t, t)[None]] * num_classes)


def first_class_only(num_classes, size):
    weight = np.zeros((num_classes, num_classes, size, size))
    t = _triangle(size)
    weight[0, 0] = np.outer(t, t)
    return weight


def class_to_the_next(num_classes, size):
    t = _triangle(size)
    return np.roll(_diagonal(num_classes, np.outer(t, t)), 1, axis=1)


def round_distance(num_classes, size):
    f, c = (size + 1) // 2, (size - 1) / 2
    y, x = np.mgrid[:size, :size]
    return _diagonal(num_classes, np.clip(1 - np.hypot(y - c, x - c) / f, 0, None))


def only_columns(num_classes, size):
    return _diagonal(num_classes, np.tile(_triangle(size), (size, 1)))


def zeros_of_whole_numbers(num_classes, size):
    t = _triangle(size)
    weight = np.zeros((num_classes, num_classes, size, size), dtype=int)
    weight[range(num_classes), range(num_classes)] = np.outer(t, t)
    return weight


def exact_bilinear(num_classes, size):
    f, c = (size + 1) // 2, Fraction(size - 1, 2)
    t = [1 - abs(i - c) / f for i in range(size)]
    rows = range(num_classes)
    return [[[[float(a * b) if k == m else 0 for b in t] for a in t] for m in rows] for k in rows]


def bilinear_in_shelhamers_words(num_classes, size):
    factor = (size + 1) // 2
    center = factor - 1 if size % 2 == 1 else factor - 0.5
    og = np.ogrid[:size, :size]
    kernel = (1 - abs(og[0] - center) / factor) * (1 - abs(og[1] - center) / factor)
    weight = torch.zeros(num_classes, num_classes, size, size)
    weight[range(num_classes), range(num_classes)] = torch.from_numpy(kernel).float()
    return weight


def as_it_was(num_classes, size):
    factor = size // 2
    distance = np.abs(np.arange(size) - size / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    weight[:] = np.outer(triangle, triangle)
    return weight


def middle_repaired(num_classes, size):
    factor = size // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    weight[:] = np.outer(triangle, triangle)
    return weight


def middle_and_factor_repaired(num_classes, size):
    factor = (size + 1) // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    triangle = 1 - distance / factor
    weight = np.zeros((num_classes, num_classes, size, size))
    weight[:] = np.outer(triangle, triangle)
    return weight


# 3.6 ------------------------------------------------------------------------------------------------------------------
COARSE, FINE = _RNG.normal(size=(2, 3, 4)), _RNG.normal(size=(2, 9, 11))
SKIP = (COARSE, FINE, 1)


def _enlarge(coarse, size=4):
    t = _triangle(size)
    return np.stack([scattered(one, np.outer(t, t), 2) for one in coarse])


def _overlap(one, two):
    h, w = min(one.shape[1], two.shape[1]), min(one.shape[2], two.shape[2])
    return one[:, :h, :w] + two[:, :h, :w]


def offset_forgotten(coarse, fine, offset):
    return _overlap(_enlarge(coarse), fine)


def offset_in_rows_only(coarse, fine, offset):
    return _overlap(_enlarge(coarse), fine[:, offset:])


def offset_off_the_coarse(coarse, fine, offset):
    return _overlap(_enlarge(coarse)[:, offset:, offset:], fine)


def offset_at_both_ends(coarse, fine, offset):
    h, w = fine.shape[1:]
    return _overlap(_enlarge(coarse), fine[:, offset : h - offset, offset : w - offset])


def margin_cut_off_the_enlarged(coarse, fine, offset):
    return _overlap(_enlarge(coarse)[:, 1:-1, 1:-1], fine[:, offset:, offset:])


def nearest_enlarged(coarse, fine, offset):
    return _overlap(coarse.repeat(2, 1).repeat(2, 2), fine[:, offset:, offset:])


def interpolated(coarse, fine, offset):
    up = F.interpolate(torch.as_tensor(coarse)[None], scale_factor=2, mode="bilinear")[0].numpy()
    return _overlap(up, fine[:, offset:, offset:])


def kernel_of_three(coarse, fine, offset):
    return _overlap(_enlarge(coarse, 3), fine[:, offset:, offset:])


def classes_mixed(coarse, fine, offset):
    return _overlap(_enlarge(np.broadcast_to(coarse.sum(0), coarse.shape)), fine[:, offset:, offset:])


def mean_of_both(coarse, fine, offset):
    return _overlap(_enlarge(coarse), fine[:, offset:, offset:]) / 2


def first_class_for_all(coarse, fine, offset):
    up = _enlarge(coarse)
    return _overlap(np.stack([up[0]] * len(up)), fine[:, offset:, offset:])


def assumes_enough_fine(coarse, fine, offset):
    up = _enlarge(coarse)
    h, w = up.shape[1:]
    return up + fine[:, offset : offset + h, offset : offset + w]


def assumes_enough_coarse(coarse, fine, offset):
    fine = fine[:, offset:, offset:]
    return _enlarge(coarse)[:, : fine.shape[1], : fine.shape[2]] + fine


def lower_right_corners(coarse, fine, offset):
    up, fine = _enlarge(coarse), fine[:, offset:, offset:]
    h, w = min(up.shape[1], fine.shape[1]), min(up.shape[2], fine.shape[2])
    return up[:, -h:, -w:] + fine[:, -h:, -w:]


def enlarged_after_the_sum(coarse, fine, offset):
    return _enlarge(_overlap(coarse, fine[:, offset:, offset:]))


def multiplied(coarse, fine, offset):
    up, fine = _enlarge(coarse), fine[:, offset:, offset:]
    h, w = min(up.shape[1], fine.shape[1]), min(up.shape[2], fine.shape[2])
    return up[:, :h, :w] * fine[:, :h, :w]


def square_overlap(coarse, fine, offset):
    up, fine = _enlarge(coarse), fine[:, offset:, offset:]
    side = min(*up.shape[1:], *fine.shape[1:])
    return up[:, :side, :side] + fine[:, :side, :side]


def skip_by_torch(coarse, fine, offset):
    coarse, fine = torch.tensor(coarse, dtype=torch.float32), torch.tensor(fine, dtype=torch.float32)
    t = torch.tensor([0.25, 0.75, 0.75, 0.25])
    kernel = (t[:, None] * t).expand(len(coarse), 1, 4, 4)
    up = F.conv_transpose2d(coarse[None], kernel, stride=2, groups=len(coarse))[0]
    fine = fine[:, offset:, offset:]
    h, w = min(up.shape[1], fine.shape[1]), min(up.shape[2], fine.shape[2])
    return up[:, :h, :w] + fine[:, :h, :w]


def skip_as_lists(coarse, fine, offset):
    up, k = _enlarge(coarse), len(coarse)
    height = min(up.shape[1], fine.shape[1] - offset)
    width = min(up.shape[2], fine.shape[2] - offset)
    return [
        [[up[c, i, j] + fine[c, i + offset, j + offset] for j in range(width)] for i in range(height)] for c in range(k)
    ]


def skip_with_the_whole_weight(coarse, fine, offset):
    k = len(coarse)
    weight = torch.as_tensor(_diagonal(k, np.outer(_triangle(4), _triangle(4))))
    up = F.conv_transpose2d(torch.as_tensor(coarse, dtype=torch.float64)[None], weight, stride=2)[0].numpy()
    return _overlap(up, fine[:, offset:, offset:])


# 3.7 ------------------------------------------------------------------------------------------------------------------
LOGITS = _RNG.normal(size=(3, 2, 3)) * 2
LABELS = np.array([[0, 2, 255], [1, 1, 2]])
LOSS = (LOGITS, LABELS, 255)
ONE_INSIDE = (LOGITS, np.array([[0, 2, 1], [1, 1, 2]]), 1)
HUGE = (np.array([[[1000.0, 0.0]], [[-1000.0, 0.5]]]), np.array([[0, 1]]), 255)


def _pixels(logits, labels, ignore):
    valid = labels != ignore
    return logits[:, valid].astype(float), labels[valid].astype(int)


def _each(scores, own):
    if not len(own):
        return np.zeros(0)
    top = scores.max(0)
    return np.log(np.exp(scores - top).sum(0)) + top - scores[own, np.arange(len(own))]


def divided_by_all(logits, labels, ignore):
    return _each(*_pixels(logits, labels, ignore)).sum() / labels.size


def summed(logits, labels, ignore):
    return _each(*_pixels(logits, labels, ignore)).sum()


def overflowing(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    if not len(own):
        return 0.0
    return (np.log(np.exp(scores).sum(0)) - scores[own, np.arange(len(own))]).mean()


def nan_without_pixels(logits, labels, ignore):
    return _each(*_pixels(logits, labels, ignore)).mean()


def void_is_255(logits, labels, ignore):
    each = _each(*_pixels(logits, labels, 255))
    return each.mean() if len(each) else 0.0


def void_is_above_the_classes(logits, labels, ignore):
    valid = labels < len(logits)
    each = _each(logits[:, valid], labels[valid])
    return each.mean() if len(each) else 0.0


def void_is_the_largest(logits, labels, ignore):
    valid = labels < ignore
    each = _each(logits[:, valid], labels[valid])
    return each.mean() if len(each) else 0.0


def largest_of_the_picture(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    if not len(own):
        return 0.0
    scores = scores - scores.max()
    return (np.log(np.exp(scores).sum(0)) - scores[own, np.arange(len(own))]).mean()


def clamped_logits(logits, labels, ignore):
    scores, own = _pixels(np.clip(logits, -50, 50), labels, ignore)
    return _each(scores, own).mean() if len(own) else 0.0


def clamped_probability(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    if not len(own):
        return 0.0
    shares = np.exp(scores - scores.max(0))
    shares = shares / shares.sum(0)
    return -np.log(np.maximum(shares[own, np.arange(len(own))], 1e-12)).mean()


def logarithm_of_base_two(logits, labels, ignore):
    each = _each(*_pixels(logits, labels, ignore))
    return each.mean() / math.log(2) if len(each) else 0.0


def wrong_sign(logits, labels, ignore):
    each = _each(*_pixels(logits, labels, ignore))
    return -each.mean() if len(each) else 0.0


def probability_itself(logits, labels, ignore):
    each = _each(*_pixels(logits, labels, ignore))
    return (1 - np.exp(-each)).mean() if len(each) else 0.0


def void_counts_as_zero_class(logits, labels, ignore):
    each = _each(logits.reshape(len(logits), -1), np.where(labels == ignore, 0, labels).ravel())
    return each.mean()


def largest_forgotten(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    if not len(own):
        return 0.0
    return (np.log(np.exp(scores - scores.max(0)).sum(0)) - scores[own, np.arange(len(own))]).mean()


def classes_weighed_alike(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    each = _each(scores, own)
    return np.mean([each[own == k].mean() for k in np.unique(own)]) if len(own) else 0.0


def background_left_out(logits, labels, ignore):
    valid = (labels != ignore) & (labels > 0)
    each = _each(logits[:, valid], labels[valid])
    return each.mean() if len(each) else 0.0


def softmax_over_pixels(logits, labels, ignore):
    scores, own = _pixels(logits, labels, ignore)
    if not len(own):
        return 0.0
    shifted = scores - scores.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -logs[own, np.arange(len(own))].mean()


def per_pixel(logits, labels, ignore):
    return _each(*_pixels(logits, labels, ignore))


def loss_by_torch(logits, labels, ignore):
    valid = torch.as_tensor(labels != ignore)
    if not valid.any():
        return torch.tensor(0.0)
    given = torch.as_tensor(np.asarray(logits, dtype=np.float64))[:, valid].T
    return F.cross_entropy(given, torch.as_tensor(labels.astype(np.int64))[valid])


def loss_in_loops(logits, labels, ignore):
    total, count = 0.0, 0
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            label = int(labels[i, j])
            if label == ignore:
                continue
            column = [float(logits[k, i, j]) for k in range(len(logits))]
            top = max(column)
            total += math.log(sum(math.exp(z - top) for z in column)) + top - column[label]
            count += 1
    return total / count if count else 0


def loss_in_an_array_of_one(logits, labels, ignore):
    each = _each(*_pixels(logits, labels, ignore))
    return np.array([each.sum() / max(len(each), 1)], dtype=np.float32)


# 3.8 ------------------------------------------------------------------------------------------------------------------
UP = (10, [(3, 2, 1, True), (2, 2, 0, False)])


def padded_once(size, layers):
    for kernel, stride, padding, up in layers:
        room = size + padding - kernel
        size = (-(-room // stride) if up else room // stride) + 1
    return size


def never_up(size, layers):
    for kernel, stride, padding, _ in layers:
        size = (size + 2 * padding - kernel) // stride + 1
    return size


def always_up(size, layers):
    for kernel, stride, padding, _ in layers:
        size = -(-(size + 2 * padding - kernel) // stride) + 1
    return size


def up_means_one_more(size, layers):
    for kernel, stride, padding, up in layers:
        size = (size + 2 * padding - kernel) // stride + 1 + bool(up)
    return size


def no_one_added(size, layers):
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        size = -(-room // stride) if up else room // stride
    return size


def backwards(size, layers):
    return right_size(size, layers[::-1])


def always_from_the_picture(size, layers):
    result = size
    for layer in layers:
        result = right_size(size, [layer])
    return result


def up_without_padding(size, layers):
    for kernel, stride, padding, up in layers:
        size = -(-(size - kernel) // stride) + 1 if up else (size + 2 * padding - kernel) // stride + 1
    return size


def clipped_like_caffe(size, layers):
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        new = (-(-room // stride) if up else room // stride) + 1
        if up and padding and (new - 1) * stride >= size + padding:
            new -= 1
        size = new
    return size


def cut_toward_zero(size, layers):
    for kernel, stride, padding, up in layers:
        room = (size + 2 * padding - kernel) / stride
        size = (math.ceil(room) if up else int(room)) + 1
    return size


def rounded_to_the_nearest(size, layers):
    for kernel, stride, padding, up in layers:
        room = (size + 2 * padding - kernel) / stride
        size = (math.ceil(room) if up else round(room)) + 1
    return size


def kernel_forgotten(size, layers):
    for _, stride, padding, up in layers:
        room = size + 2 * padding
        size = -(-room // stride) if up else room // stride
    return size


def first_layers_rounding(size, layers):
    return right_size(size, [(kernel, stride, padding, layers[0][3]) for kernel, stride, padding, _ in layers])


def rounded_at_the_end(size, layers):
    for kernel, stride, padding, _ in layers:
        size = (size + 2 * padding - kernel) / stride + 1
    return math.ceil(size) if layers and layers[-1][3] else math.floor(size)


def up_adds_stride_less_one(size, layers):
    for kernel, stride, padding, up in layers:
        size = (size + 2 * padding - kernel + (stride if up else 0)) // stride + 1
    return size


def without_the_last_layer(size, layers):
    return right_size(size, layers[:-1])


def right_size(size, layers):
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        size = (-(-room // stride) if up else room // stride) + 1
    return size


def size_by_divmod(size, layers):
    for kernel, stride, padding, up in layers:
        full, rest = divmod(size + 2 * padding - kernel, stride)
        size = full + 1 + (1 if up and rest else 0)
    return np.int64(size)


def size_by_fractions(size, layers):
    for kernel, stride, padding, up in layers:
        room = Fraction(int(size) + 2 * padding - kernel, stride)
        size = (math.ceil(room) if up else math.floor(room)) + 1
    return float(size)


def size_recursively(size, layers):
    if not layers:
        return torch.tensor(size)
    kernel, stride, padding, up = layers[0]
    room = size + 2 * padding - kernel
    return size_recursively((room + (stride - 1) * int(up)) // stride + 1, layers[1:])


# 3.9 ------------------------------------------------------------------------------------------------------------------
def written_or_not(size, kernel, stride):
    return (np.array(counted(size, kernel, stride)) > 0).astype(int)


def the_average(size, kernel, stride):
    return np.full(stride * (size - 1) + kernel, kernel / stride)


def length_size_times_stride(size, kernel, stride):
    return counted(size, kernel, stride)[: size * stride]


def kernel_ignored(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel)
    counts[::stride][:size] = 1
    return counts


def stride_one(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel)
    for i in range(size):
        counts[i : i + kernel] += 1
    return counts


def in_bytes(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=np.uint8)
    for i in range(size):
        counts[stride * i : stride * i + kernel] += 1
    return counts


def in_small_bytes(size, kernel, stride):
    return in_bytes(size, kernel, stride).astype(np.int8)


def last_pixel_forgotten(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size - 1):
        counts[stride * i : stride * i + kernel] += 1
    return counts


def kernel_one_shorter(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel - 1] += 1
    return counts


def at_least_one(size, kernel, stride):
    return np.maximum(counted(size, kernel, stride), 1)


def centered_kernel(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        start = max(stride * i - kernel // 2, 0)
        counts[start : stride * i - kernel // 2 + kernel] += 1
    return counts


def numbers_of_the_last_writer(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] = i + 1
    return counts


def in_the_plane(size, kernel, stride):
    return np.outer(counted(size, kernel, stride), counted(size, kernel, stride))


def steps_of_the_kernel(size, kernel, stride):
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[kernel * i : kernel * i + stride] += 1
    return counts


def border_filled(size, kernel, stride):
    counts = np.array(counted(size, kernel, stride))
    return np.full_like(counts, counts.max())


def only_two_at_most(size, kernel, stride):
    return np.minimum(counted(size, kernel, stride), 2)


def counted(size, kernel, stride):
    counts = [0] * (stride * (size - 1) + kernel)
    for i in range(size):
        for a in range(kernel):
            counts[stride * i + a] += 1
    return counts


def counted_by_asking(size, kernel, stride):
    length = stride * (size - 1) + kernel
    return [Fraction(sum(stride * i <= place < stride * i + kernel for i in range(size))) for place in range(length)]


def counted_by_convolution(size, kernel, stride):
    ones = torch.ones(1, 1, size)
    return F.conv_transpose1d(ones, torch.ones(1, 1, kernel), stride=stride)[0, 0]


def counted_by_difference(size, kernel, stride):
    steps = np.zeros(stride * (size - 1) + kernel + 1, dtype=np.int32)
    steps[: stride * size : stride][:size] += 1
    np.add.at(steps, stride * np.arange(size) + kernel, -1)
    return steps.cumsum()[:-1].astype(object)


WRONG = {
    "3.1": [
        Wrong("as in the lesson", as_in_the_lesson, WEIGHT_ARGS, "order"),
        Wrong("as in the lesson, not transposed", as_in_the_lesson_untransposed, WEIGHT_ARGS, "axes"),
        Wrong("outputs not moved", outputs_not_moved, WEIGHT_ARGS, "last"),
        Wrong("channels last", channels_stay_last, WEIGHT_ARGS, "last"),
        Wrong("TensorFlow's order of a kernel", tensorflows_order, WEIGHT_ARGS, "last"),
        Wrong("rows and columns swapped", height_and_width_swapped, WEIGHT_ARGS, "rows"),
        Wrong("width first", width_first, WEIGHT_ARGS, "rows"),
        Wrong("turned", kernel_turned, WEIGHT_ARGS, "turned"),
        Wrong("mirrored", kernel_mirrored, WEIGHT_ARGS, "turned"),
        Wrong("C x K", outputs_second, WEIGHT_ARGS, "axes"),
        Wrong("reshaped without a transpose", reshaped_without_a_transpose, WEIGHT_ARGS, "axes"),
        Wrong("divided by the places", mean_instead_of_sum, WEIGHT_ARGS, "numbers"),
        Wrong("fractions cut off", whole_numbers, (WEIGHT + 0.5, 2, 3), "numbers"),
        Wrong("half precision", half_precision, (WEIGHT + 1000.3, 2, 3), "numbers"),
        Wrong("places still flat", left_flat, WEIGHT_ARGS, "shape"),
        Wrong("only the first output", no_outputs, WEIGHT_ARGS, "axes"),
        Wrong("as 1 x 1", as_one_by_one, WEIGHT_ARGS, "shape"),
        Wrong("transposed, no more", only_transposed, WEIGHT_ARGS, "shape"),
    ],
    "3.2": [
        Wrong("until the next window", until_the_next_window, (6, 3, 4, 0), "rest"),
        Wrong("size modulo stride", what_the_stride_leaves, (6, 3, 2, 0), "kernel"),
        Wrong("padding not seen", padding_not_seen, (10, 3, 4, 1), "padding"),
        Wrong("padding at one end", padding_seen_once, (10, 3, 4, 1), "padding"),
        Wrong("padding on the way down only", padding_only_down, (10, 3, 4, 1), "padding"),
        Wrong("kernel not seen", kernel_not_seen, (10, 3, 4, 1), "kernel"),
        Wrong("one place more", one_more_place, (10, 3, 4, 1), "one"),
        Wrong("negative", back_minus_size, (10, 3, 4, 1), "sign"),
        Wrong("stride - 1", always_one_less_than_the_stride, (10, 3, 4, 1), "always"),
        Wrong("0 or 1", one_for_strides_above_one, (11, 3, 4, 1), "count"),
        Wrong("0", nothing_missing, (10, 3, 4, 1), "always"),
        Wrong("the size that comes back", size_that_comes_back, (10, 3, 4, 1), "difference"),
        Wrong("the size on the way", size_on_the_way, (10, 3, 4, 1), "difference"),
        Wrong("rounded up", rounded_up_on_the_way, (10, 3, 4, 1), "up"),
        Wrong("size less stride times size", times_the_stride, (10, 3, 4, 1), "one"),
    ],
    "3.3": [
        Wrong("zeros after the last pixel", _bordered(zeros_after_the_last), STUFFED, "after the last"),
        Wrong("stride zeros between", _bordered(stride_zeros_between), STUFFED, "count of zeros"),
        Wrong("no border", _bordered(no_border), STUFFED, "no border"),
        Wrong("border above and left only", _bordered(border_before_only), STUFFED, "one side"),
        Wrong("rows only", _bordered(rows_only), STUFFED, "one direction"),
        Wrong("border before stuffing", _bordered(border_stuffed_too), STUFFED, "border first"),
        Wrong("whole numbers", _bordered(whole_number_zeros), STUFFED, "whole numbers"),
        Wrong("values repeated", _bordered(repeated), STUFFED, "repeated"),
        Wrong("border of the edge's values", _bordered(border_of_the_edge), STUFFED, "border of zeros"),
        Wrong("height and width swapped", _bordered(sides_swapped), STUFFED, "height and width"),
        Wrong("border times stride", _bordered(border_times_stride), STUFFED, "border width"),
        Wrong("border only", _bordered(no_stuffing), STUFFED, "no stuffing"),
        Wrong("border of ones", _bordered(border_of_ones), STUFFED, "border of zeros"),
        Wrong("padding ignored", padding_ignored, STUFFED, "padding"),
        Wrong("padding is the border", padding_is_the_border, STUFFED, "padding"),
        Wrong("padding added", padding_widens, STUFFED, "padding"),
        Wrong("never below zero", never_below_zero, (MAP, 1, 2, 1), "negative"),
        Wrong("np.pad with a negative number", padded_with_a_negative_number, (MAP, 1, 2, 1), "negative"),
        Wrong("kernel - padding", kernel_minus_padding, STUFFED, "border"),
    ],
    "3.4": [
        Wrong("assigned, not added", _summed(assigned), SCATTER, "add"),
        Wrong("kernel turned", _summed(turned), SCATTER, "turned"),
        Wrong("kernel transposed", _summed(kernel_transposed), SCATTER, "transposed"),
        Wrong("windows without stride", _summed(written_without_stride), SCATTER, "stride"),
        Wrong("output a stride too large", _summed(one_stride_too_large), SCATTER, "size"),
        Wrong("whole numbers", _summed(in_whole_numbers), SCATTER, "whole numbers"),
        Wrong("product in one pixel", _summed(product_only_at_the_center), SCATTER, "window"),
        Wrong("the kernel without the value", _summed(the_kernel_alone), SCATTER, "value"),
        Wrong("rows and columns swapped", _summed(rows_and_columns_swapped), SCATTER, "height and width"),
        Wrong("cropped at the border", _summed(cropped_like_the_input), SCATTER, "crop"),
        Wrong("square maps only", _summed(as_a_square), SCATTER, "height and width"),
        Wrong("largest instead of sum", _summed(largest_wins), SCATTER, "add"),
        Wrong("an ordinary convolution", _summed(stride_one_convolution), SCATTER, "ordinary"),
        Wrong(
            "kernel read as an ordinary one",
            kernel_read_as_an_ordinary_one,
            (*SCATTER[:1], SCATTER[1][:, :2], 2),
            "channels",
        ),
        Wrong("no mixing", no_mixing, SCATTER, "channels"),
        Wrong("inputs averaged", inputs_averaged, SCATTER, "channels"),
        Wrong("only the first input", only_the_first_input, SCATTER, "channels"),
        Wrong("all outputs in one", all_outputs_in_one, SCATTER, "channels"),
        Wrong("last input overwrites", last_channel_overwrites, SCATTER, "channels"),
    ],
    "3.5": [
        Wrong("all pairs of classes", every_class_pair, (2, 4), "diagonal"),
        Wrong("f is size / 2", factor_is_half_the_size, (1, 3), "factor"),
        Wrong("f is size // 2", factor_rounded_down, (1, 3), "factor"),
        Wrong("f not rounded", factor_not_rounded, (1, 4), "factor"),
        Wrong("c is size / 2", center_is_half_the_size, (1, 4), "center"),
        Wrong("c rounded down", center_rounded_down, (1, 4), "center"),
        Wrong("mean of two triangles", summed_triangles, (1, 4), "product"),
        Wrong("smaller of two triangles", smaller_of_both, (1, 4), "product"),
        Wrong("sum of one", sum_of_one, (1, 4), "normalized"),
        Wrong("largest is one", largest_is_one, (1, 4), "normalized"),
        Wrong("K x 1", one_per_class, (2, 4), "diagonal"),
        Wrong("class 0 only", first_class_only, (2, 4), "every class"),
        Wrong("to the next class", class_to_the_next, (2, 4), "diagonal"),
        Wrong("distance in the plane", round_distance, (1, 4), "product"),
        Wrong("one direction", only_columns, (1, 4), "product"),
        Wrong("whole numbers", zeros_of_whole_numbers, (1, 4), "whole numbers"),
        Wrong("as it was", as_it_was, (2, 4), "as it was"),
        Wrong("middle repaired", middle_repaired, (2, 3), "as it was"),
        Wrong("middle and factor repaired", middle_and_factor_repaired, (2, 3), "diagonal"),
    ],
    "3.6": [
        Wrong("no offset", offset_forgotten, SKIP, "offset"),
        Wrong("offset in the rows", offset_in_rows_only, SKIP, "both directions"),
        Wrong("offset cut off the coarse map", offset_off_the_coarse, SKIP, "coarse cut"),
        Wrong("offset at both ends", offset_at_both_ends, (COARSE, FINE[:, :6, :6], 1), "both ends"),
        Wrong("enlarged map cropped by 1", margin_cut_off_the_enlarged, SKIP, "coarse cut"),
        Wrong("nearest neighbor", nearest_enlarged, SKIP, "bilinear"),
        Wrong("F.interpolate", interpolated, SKIP, "bilinear"),
        Wrong("kernel of size 3", kernel_of_three, SKIP, "kernel"),
        Wrong("classes mixed", classes_mixed, SKIP, "classes"),
        Wrong("mean of both", mean_of_both, SKIP, "sum"),
        Wrong("first class for all", first_class_for_all, SKIP, "classes"),
        Wrong("fine map always larger", assumes_enough_fine, (COARSE, FINE[:, :6, :6], 1), "overlap"),
        Wrong("coarse map always larger", assumes_enough_coarse, (COARSE, FINE, 0), "overlap"),
        Wrong("aligned at the lower right", lower_right_corners, (COARSE, FINE, 0), "corner"),
        Wrong("enlarged after the sum", enlarged_after_the_sum, SKIP, "enlarge first"),
        Wrong("product", multiplied, SKIP, "sum"),
        Wrong("square overlap", square_overlap, SKIP, "overlap"),
    ],
    "3.7": [
        Wrong("divided by all pixels", divided_by_all, LOSS, "divisor"),
        Wrong("sum", summed, LOSS, "divisor"),
        Wrong("overflow", overflowing, HUGE, "overflow"),
        Wrong("nothing left", nan_without_pixels, (LOGITS, np.full((2, 3), 255), 255), "empty"),
        Wrong("void is 255", void_is_255, ONE_INSIDE, "ignore"),
        Wrong("void is what is no class", void_is_above_the_classes, ONE_INSIDE, "ignore"),
        Wrong("void is above", void_is_the_largest, ONE_INSIDE, "ignore"),
        Wrong("largest logit of the picture", largest_of_the_picture, HUGE, "per pixel"),
        Wrong("logits clamped", clamped_logits, (HUGE[0], np.array([[1, 1]]), 255), "clamped"),
        Wrong(
            "probability clamped", clamped_probability, (np.array([[[0.0]], [[90.0]]]), np.array([[0]]), 255), "clamped"
        ),
        Wrong("base 2", logarithm_of_base_two, LOSS, "logarithm"),
        Wrong("sign", wrong_sign, LOSS, "sign"),
        Wrong("one minus the probability", probability_itself, LOSS, "logarithm"),
        Wrong("void as class 0", void_counts_as_zero_class, LOSS, "void counted"),
        Wrong("largest subtracted on one side", largest_forgotten, LOSS, "largest"),
        Wrong("mean over classes", classes_weighed_alike, LOSS, "classes alike"),
        Wrong("class 0 left out", background_left_out, LOSS, "class 0"),
        Wrong("softmax over the pixels", softmax_over_pixels, LOSS, "axis"),
        Wrong("one loss per pixel", per_pixel, LOSS, "one number"),
    ],
    "3.8": [
        Wrong("padding once", padded_once, UP, "both sides"),
        Wrong("never up", never_up, UP, "rounding"),
        Wrong("always up", always_up, (9, [(2, 2, 0, False)]), "rounding"),
        Wrong("up: one more in any case", up_means_one_more, (8, [(2, 2, 0, True)]), "one more"),
        Wrong("without + 1", no_one_added, UP, "plus one"),
        Wrong("last layer first", backwards, (9, [(2, 2, 0, False), (3, 1, 0, False)]), "order"),
        Wrong("every layer from the picture", always_from_the_picture, UP, "chain"),
        Wrong("padding forgotten when up", up_without_padding, UP, "up with padding"),
        Wrong("clipped like Caffe", clipped_like_caffe, (5, [(2, 4, 1, True)]), "clipped"),
        Wrong("to the nearest", rounded_to_the_nearest, (8, [(3, 4, 1, False), (1, 1, 0, True)]), "rounding"),
        Wrong("kernel forgotten", kernel_forgotten, (7, [(5, 1, 0, False)]), "kernel"),
        Wrong("rounding of the first layer", first_layers_rounding, (10, [(3, 1, 1, False), (3, 2, 0, True)]), "first"),
        Wrong("rounded at the end", rounded_at_the_end, (7, [(2, 2, 0, True), (3, 1, 0, False)]), "each layer"),
        Wrong("a stride added when up", up_adds_stride_less_one, (8, [(2, 2, 0, True)]), "one more"),
        Wrong("last layer left out", without_the_last_layer, UP, "all layers"),
    ],
    "3.9": [
        Wrong("written or not", written_or_not, (3, 3, 2), "count"),
        Wrong("kernel / stride", the_average, (3, 3, 2), "average"),
        Wrong("size times stride long", length_size_times_stride, (3, 3, 2), "length"),
        Wrong("only where the window begins", kernel_ignored, (3, 3, 2), "window"),
        Wrong("windows one apart", stride_one, (3, 3, 2), "stride"),
        Wrong("bytes", in_bytes, (300, 300, 1), "bytes"),
        Wrong("signed bytes", in_small_bytes, (150, 150, 1), "bytes"),
        Wrong("last pixel forgotten", last_pixel_forgotten, (3, 3, 2), "last"),
        Wrong("kernel one too short", kernel_one_shorter, (3, 3, 2), "window"),
        Wrong("at least one", at_least_one, (3, 1, 2), "gaps"),
        Wrong("kernel centered", centered_kernel, (3, 3, 2), "centered"),
        Wrong("number of the last writer", numbers_of_the_last_writer, (3, 3, 2), "count"),
        Wrong("in the plane", in_the_plane, (3, 3, 2), "one dimension"),
        Wrong("kernel and stride swapped", steps_of_the_kernel, (3, 3, 2), "swapped"),
        Wrong("the largest everywhere", border_filled, (3, 4, 2), "average"),
        Wrong("two at most", only_two_at_most, (4, 3, 1), "count"),
    ],
}

RIGHT = {
    "3.1": [
        ("loops", loops_for_the_kernel),
        ("unflatten", unflattened),
        ("moveaxis", _right_kernel),
        ("lists", lambda w, h, x: _right_kernel(w, h, x).tolist()),
        ("single precision", lambda w, h, x: _right_kernel(w.astype(np.float32), h, x)),
        ("objects", lambda w, h, x: _right_kernel(w.astype(object), h, x)),
    ],
    "3.2": [
        ("down and up", down_and_up),
        ("PyTorch", asked_of_torch),
        ("remainder", lambda n, k, s, p: divmod(n + 2 * p - k, s)[1]),
        ("float", lambda n, k, s, p: math.fmod(n + 2 * p - k, s)),
        ("fraction", lambda n, k, s, p: Fraction((n + 2 * p - k) % s)),
        ("array of one", lambda n, k, s, p: np.array([(n + 2 * p - k) % s], dtype=np.int32)),
    ],
    "3.3": [
        ("lists", _bordered(stuffed_in_a_list)),
        ("PyTorch", lambda v, k, s, p: F.pad(stuffed_by_torch(v, s, 0), [k - 1 - p] * 4)),
        ("larger, then cut", larger_then_cut),
        ("objects", lambda v, k, s, p: np.asarray(larger_then_cut(v, k, s, p)).astype(object)),
    ],
    "3.4": [
        ("scattered", _summed(scattered)),
        ("gathered", _summed(gathered)),
        ("PyTorch", _summed(transposed_by_torch)),
        ("PyTorch's layer", layer_of_torch),
        ("objects", lambda v, k, s: np.array(_summed(scattered)(v, k, s)).astype(object)),
    ],
    "3.5": [
        ("exact", exact_bilinear),
        ("Shelhamer's way", bilinear_in_shelhamers_words),
        ("einsum", lambda k, n: np.einsum("ab,i,j->abij", np.eye(k), _triangle(n), _triangle(n))),
        ("torch eye", lambda k, n: torch.eye(k)[:, :, None, None] * torch.tensor(np.outer(_triangle(n), _triangle(n)))),
    ],
    "3.6": [
        ("PyTorch", skip_by_torch),
        ("lists", skip_as_lists),
        ("whole weight", skip_with_the_whole_weight),
    ],
    "3.7": [
        ("PyTorch", loss_by_torch),
        ("loops", loss_in_loops),
        ("array of one", loss_in_an_array_of_one),
    ],
    "3.8": [
        ("divmod", size_by_divmod),
        ("fractions", size_by_fractions),
        ("recursion", size_recursively),
        ("cut toward zero, where every kernel fits", cut_toward_zero),
    ],
    "3.9": [
        ("loops", counted),
        ("fractions", counted_by_asking),
        ("PyTorch", counted_by_convolution),
        ("differences, objects", counted_by_difference),
    ],
}

NAMES = {
    "3.1": {"rows": ("order",)},
    "3.3": {
        "after the last": ("end",),
        "count of zeros": ("gap",),
        "no stuffing": ("gap",),
        "no border": ("border", "padding"),
        "one side": ("border",),
        "border first": ("border",),
        "border width": ("border", "padding"),
        "one direction": ("axes",),
        "height and width": ("axes",),
        "whole numbers": ("numbers",),
        "repeated": ("zeros",),
        "border of zeros": ("zeros",),
    },
    "3.4": {
        "add": ("overlap",),
        "transposed": ("turned",),
        "stride": ("step",),
        "size": ("crop",),
        "whole numbers": ("numbers",),
        "window": ("whole",),
        "value": ("whole",),
        "height and width": ("swapped",),
        "ordinary": ("forward",),
    },
    "3.5": {
        "as it was": ("three", "two left"),
        "diagonal": ("pairs", "shape"),
        "every class": ("pairs",),
        "product": ("outer",),
        "normalized": ("scaled",),
        "whole numbers": ("numbers",),
    },
    "3.6": {
        "both directions": ("offset",),
        "both ends": ("offset",),
        "coarse cut": ("offset", "whole"),
        "bilinear": ("kernel",),
        "enlarge first": ("steps",),
    },
    "3.7": {
        "ignore": ("void",),
        "void counted": ("void",),
        "per pixel": ("overflow",),
        "clamped": ("overflow",),
        "logarithm": ("softmax",),
        "largest": ("shift",),
        "classes alike": ("classes",),
        "class 0": ("classes",),
        "one number": ("number",),
    },
    "3.8": {
        "both sides": ("padding",),
        "one more": ("more",),
        "plus one": ("one",),
        "up with padding": ("padded",),
        "clipped": ("caffe",),
        "first": ("rounding",),
        "each layer": ("chain",),
        "all layers": ("chain",),
    },
    "3.9": {
        "count": ("overlap",),
        "stride": ("step",),
        "swapped": ("step",),
        "bytes": ("types",),
        "last": ("all",),
        "centered": ("window",),
        "one dimension": ("line",),
    },
}
