"""Exercise 3.4: the transposed convolution of many channels, by scattering."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson03.stuffing import stuff
from segtutor.exercises.seeds import seeded

STUB = '''
def transposed_convolution(values, kernel, stride):
    """C x h x w values times the C x D x k x k kernel: D x (stride (h - 1) + k) x (stride (w - 1) + k)."""
    raise NotImplementedError("Write transposed_convolution() here, then run this cell again.")
'''


def transposed_convolution(values: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """C x h x w values times the C x D x k x k kernel: D x (stride (h - 1) + k) x (stride (w - 1) + k)."""
    (_, h, w), k = values.shape, kernel.shape[-1]
    output = np.zeros((kernel.shape[1], stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            window = np.tensordot(values[:, i, j], kernel, axes=1)
            output[:, stride * i : stride * i + k, stride * j : stride * j + k] += window
    return output


def scatter(values: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """The same for one channel, h x w values and a k x k kernel."""
    return transposed_convolution(values[None], kernel[None, None], stride)[0]


def _pair_by_pair(values, kernel, stride):  # type: ignore[no-untyped-def]
    channels, outputs = kernel.shape[:2]
    return np.stack([sum(_by_taps(values[c], kernel[c, d], stride) for c in range(channels)) for d in range(outputs)])


def _in_one_product(values, kernel, stride):  # type: ignore[no-untyped-def]
    products = np.einsum("cij,cdab->dijab", values, kernel)
    (_, h, w), k = values.shape, kernel.shape[-1]
    output = np.zeros((len(products), stride * (h - 1) + k, stride * (w - 1) + k))
    for a in range(k):
        for b in range(k):
            rows, columns = slice(a, a + stride * (h - 1) + 1, stride), slice(b, b + stride * (w - 1) + 1, stride)
            output[:, rows, columns] += products[..., a, b]
    return output


def _by_torch(values, kernel, stride):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    return F.conv_transpose2d(torch.as_tensor(values)[None], torch.as_tensor(kernel), stride=stride)[0]


def _by_taps(values, kernel, stride):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for a in range(k):
        for b in range(k):
            output[a : a + stride * (h - 1) + 1 : stride, b : b + stride * (w - 1) + 1 : stride] += (
                kernel[a, b] * values
            )
    return output


def _convolved(padded, kernel):  # type: ignore[no-untyped-def]
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel).sum((2, 3))


def _placed(values, kernel, stride, combine):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (h - 1) + k, stride * (w - 1) + k))
    for i in range(h):
        for j in range(w):
            window = slice(stride * i, stride * i + k), slice(stride * j, stride * j + k)
            output[window] = combine(output[window], values[i, j] * kernel)
    return output


def _averaged(values, kernel, stride):  # type: ignore[no-untyped-def]
    reach = scatter(np.ones_like(values), np.ones_like(kernel), stride)
    return scatter(values, kernel, stride) / np.maximum(reach, 1)


def _cropped(values, kernel, stride):  # type: ignore[no-untyped-def]
    h, w = values.shape
    return scatter(values, kernel, stride)[: stride * h, : stride * w]


_TWO = np.array([[1.0, 2.0], [3.0, 4.0]])
_SLANTED = np.array([[1.0, 2.0], [3.0, 4.0]])


def _random(seed: int, *shape: int) -> np.ndarray:
    return seeded(seed).normal(size=shape)


def _strided(values, kernel, down, across):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((down * (h - 1) + k, across * (w - 1) + k))
    for i, j in np.ndindex(h, w):
        output[down * i : down * i + k, across * j : across * j + k] += values[i, j] * kernel
    return output


def _windows_one_apart(values, kernel, stride):  # type: ignore[no-untyped-def]
    output = np.zeros_like(scatter(values, kernel, stride))
    dense = scatter(values, kernel, 1)
    output[: len(dense), : dense.shape[1]] = dense
    return output


def _margin(output, margin):  # type: ignore[no-untyped-def]
    return output[margin : len(output) - margin, margin : output.shape[1] - margin]


def _valid(values, kernel, stride):  # type: ignore[no-untyped-def]
    if min(values.shape) < len(kernel):
        return np.zeros((0, 0))
    return _convolved(values, kernel)[::stride, ::stride]


def _square(values, kernel, stride):  # type: ignore[no-untyped-def]
    side = min(values.shape)
    return scatter(values[:side, :side], kernel, stride)


def _exchanged(values, kernel, stride):  # type: ignore[no-untyped-def]
    (h, w), k = values.shape, len(kernel)
    output = np.zeros((stride * (w - 1) + k, stride * (h - 1) + k))
    for i, j in np.ndindex(h, w):
        output[stride * i : stride * i + k, stride * j : stride * j + k] += values[i, j] * kernel
    return output


def _first(kernel, value):  # type: ignore[no-untyped-def]
    single = np.zeros_like(kernel)
    single[0, 0] = value
    return single


def _plus(values, kernel, stride):  # type: ignore[no-untyped-def]
    ones = scatter(np.ones_like(values), kernel, stride)
    return ones + scatter(values, np.ones_like(kernel), stride)


def _repeated(values, kernel, stride):  # type: ignore[no-untyped-def]
    return _convolved(np.pad(values.repeat(stride, 0).repeat(stride, 1), len(kernel) - 1), kernel)


def _last_as_0(values):  # type: ignore[no-untyped-def]
    return values * (np.arange(len(values)) < len(values) - 1)[:, None]


def _each(one):  # type: ignore[no-untyped-def]
    """An answer that is right about channels, from ``one(values, kernel, stride)`` for a single pair of them."""

    def wrong(values, kernel, stride):  # type: ignore[no-untyped-def]
        return np.stack(
            [
                sum(np.asarray(one(values[c], kernel[c, d], stride)) for c in range(len(values)))
                for d in range(kernel.shape[1])
            ]
        )

    return wrong


def _depthwise(values, kernel, stride):  # type: ignore[no-untyped-def]
    return np.stack([scatter(one, weight, stride) for one, weight in zip(values, kernel[:, 0], strict=True)])


EXERCISE = Exercise(
    id="3.4",
    title="Transposed convolution of many channels",
    name="transposed_convolution",
    statement="""
Lesson 3 let *one* channel write into one output. A layer has many: `values` is C x h x w, and `kernel` is
C x D x k x k, **inputs first**, as PyTorch keeps the weights of a transposed convolution (an ordinary one has its
outputs first). Every input pixel now writes into each of the D outputs; what it writes into output d is the sum over
its channels c, each times the kernel from c to d. The products are *added* from row $s\\,i$ and column $s\\,j$ on, and
no kernel is turned.

Write `transposed_convolution(values, kernel, stride)`, D x (s (h - 1) + k) x (s (w - 1) + k), with NumPy.
""",
    stub=STUB,
    reference=transposed_convolution,
    cases=(
        Case(
            "2 x 2, a kernel of ones 3 x 3, stride 2",
            (_TWO[None], np.ones((1, 1, 3, 3)), 2),
            np.array([[[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]]),
        ),
        Case("one value", (np.array([[[2.0]]]), _SLANTED[None, None], 1), np.array([[[2, 4], [6, 8]]])),
        Case(
            "no overlap",
            (np.array([[[1.0, 10.0]]]), _SLANTED[None, None], 2),
            np.array([[[1, 2, 10, 20], [3, 4, 30, 40]]]),
        ),
        Case(
            "one pixel of two channels, three outputs",
            (np.array([[[1.0]], [[10.0]]]), np.array([[1.0, 2, 3], [4, 5, 6]])[:, :, None, None], 1),
            np.array([[[41]], [[52]], [[63]]]),
            "channels",
        ),
        Case("3 x 4, kernel 3, stride 2", (_random(0, 1, 3, 4), _random(1, 1, 1, 3, 3), 2)),
        Case("2 x 3, kernel 4, stride 3", (_random(2, 1, 2, 3), _random(3, 1, 1, 4, 4), 3)),
        Case("a kernel smaller than the stride", (_random(4, 1, 2, 2), _random(5, 1, 1, 2, 2), 3)),
        Case("4 x 2, kernel 5, stride 1", (_random(6, 1, 4, 2), _random(7, 1, 1, 5, 5), 1)),
        Case("two channels, two outputs", (_random(8, 2, 2, 3), _random(9, 2, 2, 3, 3), 2), hint="channels"),
        Case("three channels, one output", (_random(10, 3, 2, 2), _random(11, 3, 1, 4, 4), 2), hint="channels"),
        Case("two channels, four outputs", (_random(12, 2, 3, 2), _random(13, 2, 4, 2, 2), 1), hint="channels"),
    ),
    hints={
        "general": Hint(
            "Each input pixel is a vector of C numbers. Together with the kernel it makes D small pictures, which are "
            "added to the output.",
            "Two loops over the pixels. Sum over the channels first, by a product of the vector with the first axis of "
            "the kernel; what is left has an output axis and the two of the window. Windows overlap, so add.",
        ),
        "channels": Hint(
            "Every channel writes into every output: the sum goes over the first axis of the kernel, the inputs, and "
            "its second axis, the outputs, becomes the first of the result.",
            "np.tensordot(values[:, i, j], kernel, axes=1) is D x k x k.",
        ),
        "overlap": Hint(
            "Where windows overlap, their products are added: none replaces another, and nothing is divided.",
            "+= instead of =, and no division at the end.",
        ),
        "turned": Hint(
            "In the scattering view the kernel is written as it is: not turned, not mirrored, not transposed.",
            "No [::-1] and no .T on the kernel.",
        ),
        "step": Hint(
            "From one window to the next it is one stride, whatever the size of the kernel.",
            "Windows begin at stride * i and stride * j.",
        ),
        "forward": Hint(
            "An ordinary convolution gathers, and its output is smaller or as large. Here every pixel scatters.",
            "The output is larger than the input: stride * (h - 1) + k rows.",
        ),
        "crop": Hint(
            "The output ends with the last kernel, which is written whole: nothing is cropped, and nothing follows.",
            "Its size is stride * (h - 1) + k by stride * (w - 1) + k.",
        ),
        "swapped": Hint(
            "A map need not be square: i counts the h rows and belongs to the first index, j the w columns.",
            "output[stride * i : ..., stride * j : ...].",
        ),
        "whole": Hint(
            "Every value writes k x k numbers: the whole kernel, each number of it times the value.",
            "output[:, window] += the product of pixel and kernel, all k x k numbers of it.",
        ),
        "numbers": Hint(
            "The products keep their decimals and their sign.", "np.zeros(...) holds floats; no astype(int)."
        ),
    },
    mistakes=(
        Mistake("outputs before inputs", lambda v, k, s: transposed_convolution(v, k.swapaxes(0, 1), s), "channels"),
        Mistake("each channel by itself", _depthwise, "channels"),
        Mistake("first input alone", lambda v, k, s: transposed_convolution(v[:1], k[:1], s), "channels"),
        Mistake("first output alone", lambda v, k, s: transposed_convolution(v, k[:, :1], s), "channels"),
        Mistake(
            "first output for all",
            lambda v, k, s: np.stack([transposed_convolution(v, k, s)[0]] * k.shape[1]),
            "channels",
        ),
        Mistake("last input alone", lambda v, k, s: transposed_convolution(v[-1:], k[-1:], s), "channels"),
        Mistake("mean over the inputs", lambda v, k, s: transposed_convolution(v, k, s) / len(v), "channels"),
        Mistake("outputs summed", lambda v, k, s: transposed_convolution(v, k, s).sum(0), "channels"),
        Mistake("outputs last", lambda v, k, s: transposed_convolution(v, k, s).transpose(1, 2, 0), "channels"),
        Mistake(
            "inputs summed first",
            lambda v, k, s: transposed_convolution(np.broadcast_to(v.sum(0), v.shape), k, s),
            "channels",
        ),
        Mistake(
            "inputs left apart",
            lambda v, k, s: np.stack([transposed_convolution(v[c : c + 1], k[c : c + 1], s) for c in range(len(v))]),
            "channels",
        ),
        Mistake(
            "kernels of all inputs for each",
            lambda v, k, s: transposed_convolution(v, np.broadcast_to(k.sum(0), k.shape), s),
            "channels",
        ),
        Mistake("a batch of one", lambda v, k, s: transposed_convolution(v, k, s)[None], "channels"),
        Mistake("replaces", _each(lambda v, k, s: _placed(v, k, s, lambda old, new: new)), "overlap"),
        Mistake("largest wins", _each(lambda v, k, s: _placed(v, k, s, np.maximum)), "overlap"),
        Mistake("averages", _each(_averaged), "overlap"),
        Mistake("kernel turned", _each(lambda v, k, s: scatter(v, k[::-1, ::-1], s)), "turned"),
        Mistake("kernel transposed", _each(lambda v, k, s: scatter(v, k.T, s)), "turned"),
        Mistake("stride 1", _each(lambda v, k, s: scatter(v, k, 1)), "step"),
        Mistake("step of a kernel", _each(lambda v, k, s: scatter(v, k, len(k))), "step"),
        Mistake(
            "ordinary convolution", _each(lambda v, k, s: _convolved(np.pad(v, len(k) - 1), k)[::s, ::s]), "forward"
        ),
        Mistake("cropped to stride x size", _each(_cropped), "crop"),
        Mistake("rows and columns exchanged", _each(lambda v, k, s: scatter(v, k, s).T), "swapped"),
        Mistake("input read transposed", _each(lambda v, k, s: scatter(v.T, k, s)), "swapped"),
        Mistake(
            "first wins",
            _each(lambda v, k, s: _placed(v, k, s, lambda old, new: np.where(old == 0, new, old))),
            "overlap",
        ),
        Mistake("smallest wins", _each(lambda v, k, s: _placed(v, k, s, np.minimum)), "overlap"),
        Mistake(
            "averaged pairwise", _each(lambda v, k, s: _placed(v, k, s, lambda old, new: (old + new) / 2)), "overlap"
        ),
        Mistake(
            "multiplied",
            _each(lambda v, k, s: _placed(v, k, s, lambda old, new: np.where(old, old, 1) * new)),
            "overlap",
        ),
        Mistake("upside down", _each(lambda v, k, s: scatter(v, k[::-1], s)), "turned"),
        Mistake("mirrored", _each(lambda v, k, s: scatter(v, k[:, ::-1], s)), "turned"),
        Mistake("turned by 90 degrees", _each(lambda v, k, s: scatter(v, np.rot90(k), s)), "turned"),
        Mistake("windows one apart in the right size", _each(_windows_one_apart), "step"),
        Mistake("stride in rows only", _each(lambda v, k, s: _strided(v, k, s, 1)), "step"),
        Mistake("stride in columns only", _each(lambda v, k, s: _strided(v, k, 1, s)), "step"),
        Mistake("one stride too far", _each(lambda v, k, s: scatter(v, k, s + 1)), "step"),
        Mistake("a stride too large", _each(lambda v, k, s: np.pad(scatter(v, k, s), (0, s))), "crop"),
        Mistake("a pixel too large", _each(lambda v, k, s: np.pad(scatter(v, k, s), (0, 1))), "crop"),
        Mistake("stride - 1 too large", _each(lambda v, k, s: np.pad(scatter(v, k, s), (0, s - 1))), "crop"),
        Mistake("a pixel cropped", _each(lambda v, k, s: scatter(v, k, s)[:-1, :-1]), "crop"),
        Mistake("a margin of 1 cropped", _each(lambda v, k, s: scatter(v, k, s)[1:-1, 1:-1]), "crop"),
        Mistake("half a kernel cropped", _each(lambda v, k, s: _margin(scatter(v, k, s), len(k) // 2)), "crop"),
        Mistake("kernel - 1 cropped", _each(lambda v, k, s: _margin(scatter(v, k, s), len(k) - 1)), "crop"),
        Mistake("convolution without a border", _each(_valid), "forward"),
        Mistake(
            "convolution with a border",
            _each(lambda v, k, s: _convolved(np.pad(v, len(k) // 2), k)[::s, ::s]),
            "forward",
        ),
        Mistake("convolution with a border of 1", _each(lambda v, k, s: _valid(np.pad(v, 1), k, s)), "forward"),
        Mistake("stuffed, not turned", _each(lambda v, k, s: _convolved(stuff(v, len(k), s, 0), k)), "turned"),
        Mistake("stuffed without a border", _each(lambda v, k, s: _valid(stuff(v, 1, s, 0), k[::-1, ::-1], 1)), "crop"),
        Mistake("first rows and columns as a square", _each(_square), "swapped"),
        Mistake("size exchanged", _each(lambda v, k, s: _exchanged(v, k, s)), "swapped"),
        Mistake("kernel without the value", _each(lambda v, k, s: scatter(np.ones_like(v), k, s)), "whole"),
        Mistake("value without the kernel", _each(lambda v, k, s: scatter(v, np.ones_like(k), s)), "whole"),
        Mistake("sum in the first pixel", _each(lambda v, k, s: scatter(v, _first(k, k.sum()), s)), "whole"),
        Mistake("first weight alone", _each(lambda v, k, s: scatter(v, _first(k, k[0, 0]), s)), "whole"),
        Mistake("kernel divided by its sum", _each(lambda v, k, s: scatter(v, k / k.sum(), s)), "whole"),
        Mistake("kernel added", _each(lambda v, k, s: _plus(v, k, s)), "whole"),
        Mistake("decimals cut off", _each(lambda v, k, s: scatter(v, k, s).astype(int)), "numbers"),
        Mistake("negative products left out", _each(lambda v, k, s: np.maximum(scatter(v, k, s), 0)), "numbers"),
        Mistake("pixels repeated, then convolved", _each(_repeated), "forward"),
        Mistake("last column left out", _each(lambda v, k, s: scatter(_last_as_0(v.T).T, k, s)), "whole"),
        Mistake("last row left out", _each(lambda v, k, s: scatter(_last_as_0(v), k, s)), "whole"),
        Mistake("diagonal alone", _each(lambda v, k, s: scatter(v * np.eye(*v.shape), k, s)), "whole"),
        Mistake("sum of the values", _each(lambda v, k, s: scatter(np.full_like(v, v.sum()), k, s)), "whole"),
    ),
    alternatives=(_pair_by_pair, _in_one_product, _by_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
