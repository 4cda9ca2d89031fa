"""Exercise 3.9: how many input pixels write to each output pixel, the cause of checkerboards."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def count_writers(size, kernel, stride):
    """How many of `size` input pixels write to each of the stride (size - 1) + kernel output pixels."""
    raise NotImplementedError("Write count_writers() here, then run this cell again.")
'''


def count_writers(size: int, kernel: int, stride: int) -> np.ndarray:
    """How many of `size` input pixels write to each of the stride (size - 1) + kernel output pixels."""
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] += 1
    return counts


def _by_asking_each_output(size, kernel, stride):  # type: ignore[no-untyped-def]
    outputs = range(stride * (size - 1) + kernel)
    return [sum(0 <= place - stride * i < kernel for i in range(size)) for place in outputs]


def _by_convolution(size, kernel, stride):  # type: ignore[no-untyped-def]
    stuffed = np.zeros(stride * (size - 1) + 1, dtype=int)
    stuffed[::stride] = 1
    return np.convolve(stuffed, np.ones(kernel, dtype=int))


def _by_bincount(size, kernel, stride):  # type: ignore[no-untyped-def]
    return np.bincount((stride * np.arange(size)[:, None] + np.arange(kernel)).ravel())


def _with_torch(size, kernel, stride):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    return F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), stride=stride)[0, 0]


def _read_by_a_convolution(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(size, dtype=int)
    for begin in range(0, size - kernel + 1, stride):
        counts[begin : begin + kernel] += 1
    return counts


def _ends_as_the_middle(size, kernel, stride):  # type: ignore[no-untyped-def]
    """The period of the middle, repeated up to both ends."""
    places = np.arange(stride * (size - 1) + kernel)
    return (kernel - 1 - places % stride) // stride + 1


EXERCISE = Exercise(
    id="3.9",
    title="Who writes where",
    name="count_writers",
    statement="""
A transposed convolution does not write everywhere equally often. In one dimension, input pixel $i$ writes to the
`kernel` output pixels from $s\\,i$ on. Write `count_writers(size, kernel, stride)`: for each of the
$s\\,(\\text{size} - 1) + \\text{kernel}$ output pixels, how many input pixels write to it. Where the kernel is shorter
than the stride, some get nothing: 0.
""",
    stub=STUB,
    reference=count_writers,
    cases=(
        Case("2 pixels, kernel 3, stride 2", (2, 3, 2), np.array([1, 1, 2, 1, 1])),
        Case("3 pixels, kernel 4, stride 2", (3, 4, 2), np.array([1, 1, 2, 2, 2, 2, 1, 1])),
        Case("4 pixels, kernel 3, stride 2", (4, 3, 2), np.array([1, 1, 2, 1, 2, 1, 2, 1, 1])),
        Case("a single pixel", (1, 5, 3), np.ones(5, dtype=int), "length"),
        Case("kernel shorter than the stride", (2, 2, 3), np.array([1, 1, 0, 1, 1]), "step"),
        Case("three writers", (3, 5, 2), np.array([1, 1, 2, 2, 3, 2, 2, 1, 1]), "overlap"),
        Case("stride 1", (3, 2, 1), np.array([1, 2, 2, 1]), "ends"),
        Case("6 pixels, kernel 7, stride 3", (6, 7, 3)),
    ),
    hints={
        "general": Hint(
            "Zeros as long as the output; each input pixel adds 1 to its window.",
            "counts[stride * i : stride * i + kernel] += 1, for i in range(size).",
        ),
        "overlap": Hint(
            "Where windows overlap, count every writer: a pixel with three writers gets 3.",
            "+= 1 in the loop, and nothing that limits or divides the counts afterwards.",
        ),
        "step": Hint(
            "From one window to the next it is one stride, whatever the kernel.",
            "Window i begins at stride * i.",
        ),
        "window": Hint(
            "Each window is as long as the kernel, and begins at the place of its pixel; it is not centered on it.",
            "From stride * i up to, not including, stride * i + kernel.",
        ),
        "length": Hint(
            "The output reaches from the first place of the first window to the last place of the last one.",
            "np.zeros(stride * (size - 1) + kernel).",
        ),
        "ends": Hint(
            "Near both ends there are fewer writers, as there are no input pixels beyond.",
            "Count the windows of the pixels 0 ... size - 1 alone.",
        ),
        "forward": Hint(
            "This counts how often an ordinary convolution *reads* each pixel. Here the question is who *writes* it.",
            "The result is as long as the output: stride * (size - 1) + kernel.",
        ),
    },
    mistakes=(
        Mistake("written or not", lambda n, k, s: np.minimum(count_writers(n, k, s), 1), "overlap"),
        Mistake("two at most", lambda n, k, s: np.minimum(count_writers(n, k, s), 2), "overlap"),
        Mistake("shares of the sum", lambda n, k, s: count_writers(n, k, s) / (n * k), "overlap"),
        Mistake("further writers only", lambda n, k, s: np.maximum(count_writers(n, k, s) - 1, 0), "overlap"),
        Mistake("stride 1", lambda n, k, s: count_writers(n, k, 1), "step"),
        Mistake("step of a kernel", lambda n, k, s: count_writers(n, k, k), "step"),
        Mistake("stride and kernel exchanged", lambda n, k, s: count_writers(n, s, k), "step"),
        Mistake("window one short", lambda n, k, s: np.append(count_writers(n, k - 1, s), 0), "window"),
        Mistake("window one long", lambda n, k, s: count_writers(n, k + 1, s)[:-1], "window"),
        Mistake("window centered", lambda n, k, s: np.pad(count_writers(n, k, s)[k // 2 :], (0, k // 2)), "window"),
        Mistake("cut to stride times size", lambda n, k, s: count_writers(n, k, s)[: s * n], "length"),
        Mistake("one pixel too many", lambda n, k, s: np.append(count_writers(n, k, s), 0), "length"),
        Mistake("ends as the middle", _ends_as_the_middle, "ends"),
        Mistake("ends cut off", lambda n, k, s: count_writers(n, k, s)[s:-s], "ends"),
        Mistake("reads of a convolution", _read_by_a_convolution, "forward"),
    ),
    alternatives=(_by_asking_each_output, _by_convolution, _by_bincount, _with_torch),
    points=2,
    minutes=10,
    difficulty=1,
)
