"""A second set of wrong answers to the tasks of lesson 3, written when the checks were done."""

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong
from tests.exercises.blind.lesson03 import (
    COARSE,
    FINE,
    LABELS,
    LOGITS,
    MAP,
    SCATTER,
    SKIP,
    _bordered,
    _summed,
    scattered,
)


def inserted_by_numpy(values, stride, border):
    out = values
    for i in range(values.shape[0] - 1, 0, -1):
        out = np.insert(out, [i] * (stride - 1), 0, axis=0)
    return np.pad(out, border)


def stuffed_by_interpolation(values, stride, border):
    h, w = values.shape
    size = ((h - 1) * stride + 1, (w - 1) * stride + 1)
    given = torch.tensor(values)[None, None]
    return F.pad(F.interpolate(given, size, mode="bilinear", align_corners=True)[0, 0], (border,) * 4)


def border_in_one_axis_by_torch(values, stride, border):
    h, w = values.shape
    out = torch.zeros((h - 1) * stride + 1, (w - 1) * stride + 1, dtype=torch.float64)
    out[::stride, ::stride] = torch.tensor(values)
    return F.pad(out, (border, border))


def places_moved(values, stride, border):
    h, w = values.shape
    out = np.zeros(((h - 1) * stride + 1 + 2 * border, (w - 1) * stride + 1 + 2 * border))
    out[: h * stride : stride, : w * stride : stride] = values
    return out


def zeros_of_the_border_too_few(values, stride, border):
    h, w = values.shape
    out = np.zeros(((h - 1) * stride + 1, (w - 1) * stride + 1))
    out[::stride, ::stride] = values
    return np.pad(out, max(border - (stride - 1), 0))


def fold_of_the_wrong_axis(values, kernel, stride):
    k = len(kernel)
    h, w = values.shape
    out = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for a in range(k):
        for b in range(k):
            out[a : a + stride * (h - 1) + 1 : stride, b : b + stride * (w - 1) + 1 : stride] += kernel[b, a] * values
    return out


def padded_transposed(values, kernel, stride):
    given = torch.tensor(values)[None, None]
    return F.conv_transpose2d(given, torch.tensor(kernel)[None, None], stride=stride, padding=1)[0, 0]


def upsampled_then_convolved(values, kernel, stride):
    big = np.kron(values, np.ones((stride, stride)))
    given = torch.tensor(big)[None, None]
    return F.conv2d(given, torch.tensor(kernel)[None, None], padding=len(kernel) - 1)[0, 0]


def diagonal_only(values, kernel, stride):
    out = np.zeros_like(scattered(values, kernel, stride))
    k = len(kernel)
    for i in range(min(values.shape)):
        out[stride * i : stride * i + k, stride * i : stride * i + k] += values[i, i] * kernel
    return out


def last_column_forgotten(values, kernel, stride):
    kept = values.copy()
    kept[:, -1] = 0
    return scattered(kept, kernel, stride)


def hat_by_interp(num_classes, size):
    t = np.interp(np.arange(size), [0, (size - 1) / 2, size - 1], [0, 1, 0])
    return np.einsum("ab,i,j->abij", np.eye(num_classes), t, t)


def bartlett(num_classes, size):
    t = np.bartlett(size)
    return np.einsum("ab,i,j->abij", np.eye(num_classes), t, t)


def gaussian(num_classes, size):
    t = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 4)) ** 2)
    return np.einsum("ab,i,j->abij", np.eye(num_classes), t, t)


def grouped_weight(num_classes, size):
    f, c = (size + 1) // 2, (size - 1) / 2
    t = 1 - np.abs(np.arange(size) - c) / f
    return np.broadcast_to(np.outer(t, t), (num_classes, 1, size, size))


def without_absolute_value(num_classes, size):
    t = 1 - (np.arange(size) - (size - 1) / 2) / ((size + 1) // 2)
    return np.einsum("ab,i,j->abij", np.eye(num_classes), t, t)


def _up(coarse, **options):
    t = torch.tensor([0.25, 0.75, 0.75, 0.25], dtype=torch.float64)
    weight = (t[:, None] * t).expand(len(coarse), 1, 4, 4)
    return F.conv_transpose2d(torch.tensor(coarse)[None], weight, stride=2, groups=len(coarse), **options)[0].numpy()


def _both(one, two):
    h, w = min(one.shape[1], two.shape[1]), min(one.shape[2], two.shape[2])
    return one[:, :h, :w] + two[:, :h, :w]


def with_padding_one(coarse, fine, offset):
    return _both(_up(coarse, padding=1), fine[:, offset:, offset:])


def fine_window_of_the_coarse_size(coarse, fine, offset):
    h, w = coarse.shape[1:]
    return _both(_up(coarse), fine[:, offset : offset + 2 * h, offset : offset + 2 * w])


def all_classes_to_all(coarse, fine, offset):
    t = torch.tensor([0.25, 0.75, 0.75, 0.25], dtype=torch.float64)
    weight = (t[:, None] * t).expand(len(coarse), len(coarse), 4, 4)
    up = F.conv_transpose2d(torch.tensor(coarse)[None], weight, stride=2)[0].numpy()
    return _both(up, fine[:, offset:, offset:])


def resized_to_the_fine_map(coarse, fine, offset):
    cut = fine[:, offset:, offset:]
    up = F.interpolate(torch.tensor(coarse)[None], cut.shape[1:], mode="bilinear")[0].numpy()
    return up + cut


def offset_in_the_result(coarse, fine, offset):
    return _both(_up(coarse), fine)[:, offset:, offset:]


def one_pixel(logits, labels, ignore):
    kept = labels != ignore
    if not kept.any():
        return 0.0
    z = logits[:, kept].astype(float)
    top = z.max()
    return (np.log(np.exp(z - top).sum(0) + 1e-12) + top - z[labels[kept], np.arange(kept.sum())]).mean()


def rounded_loss(logits, labels, ignore):
    kept = labels != ignore
    if not kept.any():
        return 0.0
    z = torch.tensor(logits)[:, kept].T.double()
    return round(F.cross_entropy(z, torch.tensor(labels)[kept].long()).item(), 2)


def void_only_from_the_divisor(logits, labels, ignore):
    kept = labels != ignore
    z = torch.tensor(logits).double()
    y = torch.tensor(np.where(kept, labels, 0)).long()
    each = F.cross_entropy(z[None], y[None], reduction="none")
    return each.sum() / max(kept.sum(), 1)


def smoothed(logits, labels, ignore):
    kept = labels != ignore
    if not kept.any():
        return 0.0
    z = torch.tensor(logits)[:, kept].T.double()
    return F.cross_entropy(z, torch.tensor(labels)[kept].long(), label_smoothing=0.1)


def weighted_by_rarity(logits, labels, ignore):
    kept = labels != ignore
    if not kept.any():
        return 0.0
    y = torch.tensor(labels)[kept].long()
    count = torch.bincount(y, minlength=len(logits)).clamp(min=1)
    return F.cross_entropy(torch.tensor(logits)[:, kept].T.double(), y, weight=1.0 / count.double())


def padded_by_hand(size, layers):
    for kernel, stride, padding, up in layers:
        positions = range(0, size + 2 * padding, stride)
        size = sum(p + kernel <= size + 2 * padding or up for p in positions)
    return size


def same_padding(size, layers):
    for _, stride, _, up in layers:
        size = -(-size // stride) if up else size // stride
    return size


def ceil_with_plus_one_inside(size, layers):
    for kernel, stride, padding, up in layers:
        room = (size + 2 * padding - kernel + 1) / stride
        size = int(np.ceil(room)) if up else int(np.floor(room)) + 1
    return size


def padding_doubled_once_more(size, layers):
    for kernel, stride, padding, up in layers:
        size = size + 2 * padding
        room = size + 2 * padding - kernel
        size = (-(-room // stride) if up else room // stride) + 1
    return size


def stops_at_the_first_pooling(size, layers):
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        size = (-(-room // stride) if up else room // stride) + 1
        if up:
            return size
    return size


def histogram(size, kernel, stride):
    return np.histogram([stride * i + a for i in range(size) for a in range(kernel)], bins=stride * size)[0]


def convolved_same(size, kernel, stride):
    out = np.zeros(stride * (size - 1) + kernel)
    out[::stride][:size] = 1
    return np.convolve(out, np.ones(kernel), mode="same")


def triangle(size, kernel, stride):
    place = np.arange(stride * (size - 1) + kernel)
    return np.minimum(np.minimum(place + 1, place[::-1] + 1), kernel)


def unstrided_ends(size, kernel, stride):
    place = np.arange(stride * (size - 1) + kernel)
    return np.minimum(place // stride + 1, size)


def first_writer(size, kernel, stride):
    out = [0] * (stride * (size - 1) + kernel)
    for i in range(size):
        for a in range(kernel):
            if out[stride * i + a] == 0:
                out[stride * i + a] = i + 1
    return out


UPC = (10, [(3, 2, 1, True), (2, 2, 0, False)])
WRONG = {
    "3.3": [
        Wrong("np.insert in rows", _bordered(inserted_by_numpy), (MAP, 4, 3, 2), "axes"),
        Wrong("interpolated", _bordered(stuffed_by_interpolation), (MAP, 4, 3, 2), "zeros"),
        Wrong("F.pad of two numbers", _bordered(border_in_one_axis_by_torch), (MAP, 4, 3, 2), "border"),
        Wrong("at the upper left", _bordered(places_moved), (MAP, 4, 3, 2), "border"),
        Wrong("border less the gap", _bordered(zeros_of_the_border_too_few), (MAP, 4, 3, 2), "border width"),
    ],
    "3.4": [
        Wrong("kernel[b, a]", _summed(fold_of_the_wrong_axis), SCATTER, "turned"),
        Wrong("padding 1", _summed(padded_transposed), SCATTER, "crop"),
        Wrong("repeated, then convolved", _summed(upsampled_then_convolved), SCATTER, "forward"),
        Wrong("diagonal only", _summed(diagonal_only), SCATTER, "whole"),
        Wrong("last column forgotten", _summed(last_column_forgotten), SCATTER, "whole"),
    ],
    "3.5": [
        Wrong("0 at the ends", hat_by_interp, (1, 5), "factor"),
        Wrong("Bartlett window", bartlett, (1, 5), "factor"),
        Wrong("Gaussian", gaussian, (1, 4), "triangle"),
        Wrong("weight for groups", grouped_weight, (2, 4), "shape"),
        Wrong("no absolute value", without_absolute_value, (1, 4), "triangle"),
    ],
    "3.6": [
        Wrong("padding 1", with_padding_one, SKIP, "whole"),
        Wrong("fine window of twice the coarse size", fine_window_of_the_coarse_size, (COARSE, FINE, 0), "overlap"),
        Wrong("all classes to all", all_classes_to_all, SKIP, "classes"),
        Wrong("resized to the fine map", resized_to_the_fine_map, SKIP, "kernel"),
        Wrong("offset in the result", offset_in_the_result, SKIP, "offset"),
    ],
    "3.7": [
        Wrong(
            "one largest, 1e-12",
            one_pixel,
            (np.array([[[1e3, 0.0]], [[-1e3, 0.5]]]), np.array([[0, 1]]), 255),
            "overflow",
        ),
        Wrong("two digits", rounded_loss, (LOGITS, LABELS, 255), "exact"),
        Wrong("void leaves the divisor only", void_only_from_the_divisor, (LOGITS, LABELS, 255), "void"),
        Wrong("label smoothing", smoothed, (LOGITS, LABELS, 255), "softmax"),
        Wrong("weighted by rarity", weighted_by_rarity, (LOGITS, LABELS, 255), "classes"),
    ],
    "3.8": [
        Wrong("every stride-th place where up", padded_by_hand, (11, [(3, 2, 0, True)]), "more"),
        Wrong("padding as 'same'", same_padding, (7, [(5, 1, 0, False)]), "kernel"),
        Wrong("+ 1 before the division where up", ceil_with_plus_one_inside, (8, [(3, 2, 0, True)]), "one"),
        Wrong("padding twice", padding_doubled_once_more, (5, [(3, 1, 1, False)]), "padding"),
        Wrong("stops at a layer that rounds up", stops_at_the_first_pooling, UPC, "chain"),
    ],
    "3.9": [
        Wrong("histogram", histogram, (3, 5, 2), "length"),
        Wrong("mode same", convolved_same, (3, 5, 2), "window"),
        Wrong("triangle", triangle, (4, 5, 2), "step"),
        Wrong("only the left end", unstrided_ends, (4, 5, 2), "ends"),
        Wrong("number of the first writer", first_writer, (3, 5, 2), "overlap"),
    ],
}
RIGHT: dict = {}
