"""Exercise 3.9: how many input pixels write to each output pixel, the cause of checkerboards."""

from __future__ import annotations

from typing import Any

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


def _padded(counts, count):  # type: ignore[no-untyped-def]
    """Counts with so many zeros at the end, or that much shorter."""
    return np.pad(counts, (0, count)) if count >= 0 else counts[:count]


def _weighted(size, kernel, stride, weight):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] += weight(i)
    return counts


def _last(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] = i + 1
    return counts


def _weights_of_a_window(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[stride * i : stride * i + kernel] += np.arange(kernel) + 1
    return counts


def _one_apart(size, kernel, stride):  # type: ignore[no-untyped-def]
    return _padded(count_writers(size, kernel, 1), (stride - 1) * (size - 1))


def _exchanged(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[kernel * i : kernel * i + stride] += 1
    return counts


def _centered(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[max(stride * i - kernel // 2, 0) : stride * i - kernel // 2 + kernel] += 1
    return counts


def _before(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size):
        counts[max(stride * i - kernel + 1, 0) : stride * i + 1] += 1
    return counts


def _first_writer(size, kernel, stride):  # type: ignore[no-untyped-def]
    counts = np.zeros(stride * (size - 1) + kernel, dtype=int)
    for i in range(size)[::-1]:
        counts[stride * i : stride * i + kernel] = i + 1
    return counts


def _triangle(size, kernel, stride):  # type: ignore[no-untyped-def]
    place = np.arange(stride * (size - 1) + kernel)
    return np.minimum(np.minimum(place + 1, place[::-1] + 1), kernel)


def _histogram(size, kernel, stride):  # type: ignore[no-untyped-def]
    places = (stride * np.arange(size)[:, None] + np.arange(kernel)).ravel()
    return np.histogram(places, bins=stride * size)[0]


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    return tuple(int(generator.integers(1, most)) for most in (14, 11, 6))


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
    drawn=_drawn,
    cases=(
        Case("2 pixels, kernel 3, stride 2", (2, 3, 2), np.array([1, 1, 2, 1, 1])),
        Case("3 pixels, kernel 4, stride 2", (3, 4, 2), np.array([1, 1, 2, 2, 2, 2, 1, 1])),
        Case("4 pixels, kernel 3, stride 2", (4, 3, 2), np.array([1, 1, 2, 1, 2, 1, 2, 1, 1])),
        Case("a single pixel", (1, 5, 3), np.ones(5, dtype=int)),
        Case("kernel shorter than the stride", (2, 2, 3), np.array([1, 1, 0, 1, 1]), "gaps"),
        Case("three writers", (3, 5, 2), np.array([1, 1, 2, 2, 3, 2, 2, 1, 1])),
        Case("stride 1", (3, 2, 1), np.array([1, 2, 2, 1])),
        Case("6 pixels, kernel 7, stride 3", (6, 7, 3)),
        Case("kernel 1, stride 3", (4, 1, 3), np.array([1, 0, 0, 1, 0, 0, 1, 0, 0, 1]), "gaps"),
        Case("300 pixels, kernel 280, stride 1: many writers", (300, 280, 1), hint="types"),
    ),
    hints={
        "general": Hint(
            "Zeros as long as the output; each input pixel adds 1 to its window.",
            "Which stretch of the output belongs to input pixel i? A slice takes the whole stretch at once. Stretches "
            "may overlap, so add to what is there.",
        ),
        "overlap": Hint(
            "Where windows overlap, every writer counts, and nothing else: a pixel with three writers gets 3.",
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
            "How often an ordinary convolution *reads* each pixel is another question. Here it is who *writes* it.",
            "The result is as long as the output: stride * (size - 1) + kernel.",
        ),
        "gaps": Hint(
            "Where no window reaches there is no writer, so 0 stays there: between short kernels, and nowhere else.",
            "np.zeros at the beginning, and no value but the counts.",
        ),
        "types": Hint(
            "There can be hundreds of writers: more than a number of 8 bits holds.",
            "np.zeros(..., dtype=int).",
        ),
        "average": Hint(
            "kernel / stride is the mean number of writers in the middle. Each pixel has its own whole number.",
            "Count the windows pixel by pixel.",
        ),
        "all": Hint(
            "All input pixels write, from the first, 0, to the last, size - 1, each once.",
            "for i in range(size).",
        ),
        "line": Hint("One dimension: the result is a list of numbers, not a map.", "No np.outer here."),
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
        Mistake("replaced by a number", lambda n, k, s: _last(n, k, s), "overlap"),
        Mistake("numbers of the pixels added", lambda n, k, s: _weighted(n, k, s, lambda i: i), "overlap"),
        Mistake("numbers of the pixels from 1 added", lambda n, k, s: _weighted(n, k, s, lambda i: i + 1), "overlap"),
        Mistake("doubled at each writer", lambda n, k, s: 2 ** count_writers(n, k, s) - 1, "overlap"),
        Mistake("squared", lambda n, k, s: count_writers(n, k, s) ** 2, "overlap"),
        Mistake("weights of the pixels of a window", _weights_of_a_window, "overlap"),
        Mistake("half of it", lambda n, k, s: count_writers(n, k, s) / 2, "overlap"),
        Mistake(
            "shares of the largest", lambda n, k, s: count_writers(n, k, s) / count_writers(n, k, s).max(), "overlap"
        ),
        Mistake("one stride further", lambda n, k, s: count_writers(n, k, s + 1), "step"),
        Mistake("one apart in the right length", _one_apart, "step"),
        Mistake("kernel and stride exchanged, right length", lambda n, k, s: _exchanged(n, k, s), "step"),
        Mistake("begin of the window alone", lambda n, k, s: _padded(count_writers(n, 1, s), k - 1), "window"),
        Mistake("window of a stride", lambda n, k, s: _padded(count_writers(n, s, s), k - s), "window"),
        Mistake("window one short, right length", lambda n, k, s: _padded(count_writers(n, k - 1, s), 1), "window"),
        Mistake("window centered and cut off", _centered, "window"),
        Mistake("window before its place", lambda n, k, s: _before(n, k, s), "window"),
        Mistake("window moved by one", lambda n, k, s: np.append(0, count_writers(n, k, s)[:-1]), "window"),
        Mistake("as long as stride times size", lambda n, k, s: _padded(count_writers(n, k, s), s - k), "length"),
        Mistake(
            "as long as stride times size plus kernel", lambda n, k, s: _padded(count_writers(n, k, s), s), "length"
        ),
        Mistake("as long as size plus kernel", lambda n, k, s: count_writers(n, k, s)[: n + k], "length"),
        Mistake("as long as the input", lambda n, k, s: count_writers(n, k, s)[:n], "length"),
        Mistake("one pixel short", lambda n, k, s: count_writers(n, k, s)[:-1], "length"),
        Mistake("kernel / stride everywhere", lambda n, k, s: 0 * count_writers(n, k, s) + k / s, "average"),
        Mistake("kernel // stride everywhere", lambda n, k, s: 0 * count_writers(n, k, s) + k // s, "average"),
        Mistake("rounded up everywhere", lambda n, k, s: 0 * count_writers(n, k, s) - (-k // s), "average"),
        Mistake(
            "the largest everywhere",
            lambda n, k, s: 0 * count_writers(n, k, s) + count_writers(n, k, s).max(),
            "average",
        ),
        Mistake(
            "the mean everywhere", lambda n, k, s: 0 * count_writers(n, k, s) + count_writers(n, k, s).mean(), "average"
        ),
        Mistake("at least one", lambda n, k, s: np.maximum(count_writers(n, k, s), 1), "gaps"),
        Mistake("gaps left out", lambda n, k, s: count_writers(n, k, s)[count_writers(n, k, s) > 0], "gaps"),
        Mistake("kernel at least a stride", lambda n, k, s: count_writers(n, max(k, s), s)[: s * (n - 1) + k], "gaps"),
        Mistake("stride at most a kernel", lambda n, k, s: count_writers(n, k, min(k, s)), "gaps"),
        Mistake("one more everywhere", lambda n, k, s: count_writers(n, k, s) + 1, "gaps"),
        Mistake("8 bits", lambda n, k, s: count_writers(n, k, s).astype(np.uint8), "types"),
        Mistake("8 bits with a sign", lambda n, k, s: count_writers(n, k, s).astype(np.int8), "types"),
        Mistake("one digit", lambda n, k, s: np.minimum(count_writers(n, k, s), 9), "types"),
        Mistake("last pixel left out", lambda n, k, s: _padded(count_writers(n - 1, k, s), s if n > 1 else k), "all"),
        Mistake(
            "first pixel left out",
            lambda n, k, s: _padded(count_writers(n - 1, k, s)[::-1], s if n > 1 else k)[::-1],
            "all",
        ),
        Mistake("one input pixel too many", lambda n, k, s: count_writers(n + 1, k, s)[:-s], "all"),
        Mistake("in the plane", lambda n, k, s: np.outer(count_writers(n, k, s), count_writers(n, k, s)), "line"),
        Mistake("a row", lambda n, k, s: count_writers(n, k, s)[None], "line"),
        Mistake("the largest alone", lambda n, k, s: count_writers(n, k, s).max(), "line"),
        Mistake("the sum alone", lambda n, k, s: count_writers(n, k, s).sum(), "line"),
        Mistake("number of the first writer", _first_writer, "overlap"),
        Mistake("rising only", lambda n, k, s: np.minimum(np.arange(s * (n - 1) + k) // s + 1, n), "ends"),
        Mistake("a triangle", _triangle, "step"),
        Mistake("a histogram of other bins", _histogram, "length"),
    ),
    alternatives=(_by_asking_each_output, _by_convolution, _by_bincount, _with_torch),
    points=2,
    minutes=10,
    difficulty=1,
)
