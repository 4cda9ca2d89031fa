"""Answers to the tasks of lesson 3, as students write them."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(7)


# 3.1 ------------------------------------------------------------------------------------------------------------------
WEIGHT = np.arange(2 * 3 * 4, dtype=float).reshape(2, 12)
WEIGHT_ARGS = (WEIGHT, 3, 2)


def channels_last(weight, channels, side):
    return weight.reshape(len(weight), side, side, channels).transpose(0, 3, 1, 2)


def channels_last_not_moved(weight, channels, side):
    return weight.reshape(len(weight), side, side, channels)


def columns_first(weight, channels, side):
    return weight.reshape(len(weight), channels, side, side).swapaxes(2, 3)


def kernel_turned(weight, channels, side):
    return weight.reshape(len(weight), channels, side, side)[:, :, ::-1, ::-1]


def outputs_second(weight, channels, side):
    return weight.reshape(channels, len(weight), side, side)


def outputs_second_moved(weight, channels, side):
    return weight.reshape(len(weight), channels, side, side).swapaxes(0, 1)


def transposed_before(weight, channels, side):
    return weight.T.reshape(len(weight), channels, side, side)


def like_fortran(weight, channels, side):
    return weight.reshape((len(weight), channels, side, side), order="F")


def mean_instead_of_sum(weight, channels, side):
    return weight.reshape(len(weight), channels, side, side) / side**2


def whole_numbers(weight, channels, side):
    return weight.reshape(len(weight), channels, side, side).astype(int)


def left_flat(weight, channels, side):
    return weight.reshape(len(weight), channels, side * side)


def no_outputs(weight, channels, side):
    return weight[0].reshape(channels, side, side)


def as_one_by_one(weight, channels, side):
    return weight[:, :, None, None]


def half_precision(weight, channels, side):
    return weight.astype(np.float16).reshape(len(weight), channels, side, side)


def side_of_seven(weight, channels, side):
    return weight.reshape(len(weight), channels, 7, 7)


def loops_for_the_kernel(weight, channels, side):
    kernel = np.zeros((len(weight), channels, side, side))
    for k in range(len(weight)):
        n = 0
        for c in range(channels):
            for i in range(side):
                for j in range(side):
                    kernel[k, c, i, j] = weight[k, n]
                    n += 1
    return kernel


# 3.2 ------------------------------------------------------------------------------------------------------------------
def one_side_cropped(size, kernel, stride, padding):
    return stride * (size - 1) + kernel - padding


def never_cropped(size, kernel, stride, padding):
    return stride * (size - 1) + kernel


def padding_added(size, kernel, stride, padding):
    return stride * (size - 1) + kernel + 2 * padding


def ordinary_size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def size_times_stride(size, kernel, stride, padding):
    return size * stride


def one_gap_too_many(size, kernel, stride, padding):
    return stride * size + kernel - 2 * padding


def size_times_stride_cropped(size, kernel, stride, padding):
    return stride * size - 2 * padding


def last_pixel_alone(size, kernel, stride, padding):
    return stride * (size - 1) + 1 - 2 * padding


def kernel_less_one(size, kernel, stride, padding):
    return stride * (size - 1) + kernel - 1 - 2 * padding


def kernel_and_stride_swapped(size, kernel, stride, padding):
    return kernel * (size - 1) + stride - 2 * padding


def at_least_a_stride(size, kernel, stride, padding):
    return stride * (size - 1) + max(kernel, stride) - 2 * padding


def crop_in_input_pixels(size, kernel, stride, padding):
    return stride * (size - 1) + kernel - 2 * padding * stride


def half_the_crop(size, kernel, stride, padding):
    return stride * (size - 1) + kernel - padding // 2


def stuffed_size(size, kernel, stride, padding):
    return stride * (size - 1) + 1 + 2 * (kernel - 1 - padding)


def size_by_writing(size, kernel, stride, padding):
    places = {stride * i + a for i in range(size) for a in range(kernel)}
    return max(places) + 1 - padding - padding


# 3.3 ------------------------------------------------------------------------------------------------------------------
MAP = np.array([[1.5, -2.0, 3.0], [4.0, 5.0, 6.5]])


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
SCATTER = (MAP, KERNEL, 2)


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
        Wrong("channels come last in the flat map", channels_last, WEIGHT_ARGS, "channels last"),
        Wrong("channels last and left there", channels_last_not_moved, WEIGHT_ARGS, "channels last"),
        Wrong("columns before rows", columns_first, WEIGHT_ARGS, "columns first"),
        Wrong("kernel turned by 180 degrees", kernel_turned, WEIGHT_ARGS, "turned"),
        Wrong("C x K instead of K x C", outputs_second, WEIGHT_ARGS, "outputs first"),
        Wrong("right numbers, C x K", outputs_second_moved, WEIGHT_ARGS, "outputs first"),
        Wrong("transposed, then cut up", transposed_before, WEIGHT_ARGS, "transposed"),
        Wrong("first index fastest", like_fortran, WEIGHT_ARGS, "columns first"),
        Wrong("divided by the positions", mean_instead_of_sum, WEIGHT_ARGS, "numbers"),
        Wrong("fractions cut off", whole_numbers, (WEIGHT + 0.5, 3, 2), "numbers"),
        Wrong("rows still flat", left_flat, WEIGHT_ARGS, "flat"),
        Wrong("only the first output", no_outputs, WEIGHT_ARGS, "outputs first"),
        Wrong("the flat weights as 1 x 1 kernel", as_one_by_one, WEIGHT_ARGS, "flat"),
        Wrong("half precision", half_precision, (WEIGHT * 1001.5, 3, 2), "numbers"),
        Wrong("VGG's 7 written in", side_of_seven, WEIGHT_ARGS, "side"),
    ],
    "3.2": [
        Wrong("border at one side", one_side_cropped, (4, 3, 2, 1), "both sides"),
        Wrong("no border", never_cropped, (4, 3, 2, 1), "no padding"),
        Wrong("border added", padding_added, (4, 3, 2, 1), "padding added"),
        Wrong("ordinary convolution", ordinary_size, (4, 3, 2, 1), "ordinary"),
        Wrong("size times stride", size_times_stride, (4, 3, 2, 0), "gaps"),
        Wrong("stride after the last pixel", one_gap_too_many, (4, 3, 2, 1), "gaps"),
        Wrong("size times stride, cropped", size_times_stride_cropped, (4, 3, 2, 1), "gaps"),
        Wrong("kernel of the last pixel forgotten", last_pixel_alone, (4, 3, 2, 1), "kernel"),
        Wrong("kernel - 1", kernel_less_one, (4, 3, 2, 1), "kernel"),
        Wrong("kernel and stride swapped", kernel_and_stride_swapped, (4, 3, 2, 1), "swapped"),
        Wrong("kernel at least as long as the stride", at_least_a_stride, (4, 1, 3, 0), "short kernel"),
        Wrong("border in input pixels", crop_in_input_pixels, (4, 6, 2, 1), "border in output pixels"),
        Wrong("half the border", half_the_crop, (4, 6, 2, 2), "both sides"),
        Wrong("size of the stuffed input", stuffed_size, (4, 3, 2, 1), "stuffed"),
    ],
    "3.3": [
        Wrong("zeros after the last pixel", zeros_after_the_last, (MAP, 2, 1), "after the last"),
        Wrong("stride zeros between", stride_zeros_between, (MAP, 2, 1), "count of zeros"),
        Wrong("no border", no_border, (MAP, 2, 1), "no border"),
        Wrong("border above and left only", border_before_only, (MAP, 2, 1), "one side"),
        Wrong("rows only", rows_only, (MAP, 2, 1), "one direction"),
        Wrong("border before stuffing", border_stuffed_too, (MAP, 2, 1), "border first"),
        Wrong("whole numbers", whole_number_zeros, (MAP, 2, 1), "whole numbers"),
        Wrong("values repeated", repeated, (MAP, 2, 1), "repeated"),
        Wrong("border of the edge's values", border_of_the_edge, (MAP, 2, 1), "border of zeros"),
        Wrong("height and width swapped", sides_swapped, (MAP, 2, 1), "height and width"),
        Wrong("border times stride", border_times_stride, (MAP, 2, 1), "border width"),
        Wrong("border only", no_stuffing, (MAP, 2, 1), "no stuffing"),
        Wrong("border of ones", border_of_ones, (MAP, 2, 1), "border of zeros"),
    ],
    "3.4": [
        Wrong("assigned, not added", assigned, SCATTER, "add"),
        Wrong("kernel turned", turned, SCATTER, "turned"),
        Wrong("kernel transposed", kernel_transposed, SCATTER, "transposed"),
        Wrong("windows without stride", written_without_stride, SCATTER, "stride"),
        Wrong("output a stride too large", one_stride_too_large, SCATTER, "size"),
        Wrong("whole numbers", in_whole_numbers, SCATTER, "whole numbers"),
        Wrong("product in one pixel", product_only_at_the_center, SCATTER, "window"),
        Wrong("the kernel without the value", the_kernel_alone, SCATTER, "value"),
        Wrong("rows and columns swapped", rows_and_columns_swapped, SCATTER, "height and width"),
        Wrong("cropped at the border", cropped_like_the_input, SCATTER, "crop"),
        Wrong("square maps only", as_a_square, SCATTER, "height and width"),
        Wrong("largest instead of sum", largest_wins, SCATTER, "add"),
        Wrong("an ordinary convolution", stride_one_convolution, SCATTER, "ordinary"),
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
        ("transposed twice", lambda w, c, s: w.T.reshape(c, s, s, len(w)).transpose(3, 0, 1, 2)),
        ("torch unflatten", lambda w, c, s: torch.as_tensor(w).unflatten(1, (c, s, s))),
        ("lists", lambda w, c, s: np.asarray(w).reshape(-1, c, s, s).tolist()),
        ("single precision", lambda w, c, s: np.asarray(w, dtype=np.float32).reshape(-1, c, s, s)),
        ("objects", lambda w, c, s: w.astype(object).reshape(-1, c, s, s)),
    ],
    "3.2": [
        ("written places", size_by_writing),
        ("float", lambda n, k, s, p: float(s * n - s + k - 2 * p)),
        ("tensor", lambda n, k, s, p: torch.tensor(s * (n - 1) + k - 2 * p)),
        ("fraction", lambda n, k, s, p: Fraction(s * (n - 1) + k - 2 * p)),
        ("array of one", lambda n, k, s, p: np.array([s * (n - 1) + k - 2 * p], dtype=np.int32)),
    ],
    "3.3": [
        ("lists", stuffed_in_a_list),
        ("PyTorch", stuffed_by_torch),
        (
            "kron",
            lambda v, s, b: np.pad(
                np.kron(v, np.eye(s)[:1].T @ np.eye(s)[:1])[: len(v) * s - s + 1, : v.shape[1] * s - s + 1], b
            ),
        ),
        ("objects", lambda v, s, b: np.array(stuffed_in_a_list(v, s, b), dtype=object)),
    ],
    "3.4": [
        ("scattered", scattered),
        ("gathered", gathered),
        ("PyTorch", transposed_by_torch),
        ("objects", lambda v, k, s: scattered(v, k, s).astype(object)),
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
    "3.1": {
        "channels last": ("order", "shape"),
        "columns first": ("order", "rows"),
        "outputs first": ("axes",),
        "transposed": ("axes",),
        "flat": ("shape",),
    },
    "3.2": {
        "both sides": ("padding",),
        "no padding": ("padding",),
        "padding added": ("padding",),
        "border in output pixels": ("padding",),
        "ordinary": ("forward",),
        "swapped": ("exchanged",),
        "short kernel": ("short",),
        "stuffed": ("kernel",),
    },
    "3.3": {
        "after the last": ("end",),
        "count of zeros": ("gap",),
        "no stuffing": ("gap",),
        "no border": ("border",),
        "one side": ("border",),
        "border first": ("border",),
        "border width": ("border",),
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
