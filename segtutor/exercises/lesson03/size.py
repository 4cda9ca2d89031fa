"""Exercise 3.2: the output size of a transposed convolution."""

from __future__ import annotations

import itertools

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def transposed_size(size, kernel, stride, padding):
    """Side of the output of a transposed convolution."""
    raise NotImplementedError("Write transposed_size() here, then run this cell again.")
'''


def transposed_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """Side of the output of a transposed convolution."""
    return stride * (size - 1) + kernel - 2 * padding


def _by_reach(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    reached = {stride * i + j for i in range(size) for j in range(kernel)}
    return max(reached) + 1 - 2 * padding


def _by_stuffing(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    stuffed = size + (size - 1) * (stride - 1)
    return stuffed + 2 * (kernel - 1 - padding) - kernel + 1


def _by_search(size, kernel, stride, padding):  # type: ignore[no-untyped-def]
    return next(n for n in itertools.count() if n + 2 * padding - kernel == stride * (size - 1))


EXERCISE = Exercise(
    id="3.2",
    title="The size of a transposed convolution",
    name="transposed_size",
    statement="""
Input pixel $i$ writes its kernel to the output from position $s\\,i$ on. Of what comes out, a border of `padding`
pixels is cut off at *each* side. Write `transposed_size(size, kernel, stride, padding)`: the number of output pixels
along one side.
""",
    stub=STUB,
    reference=transposed_size,
    cases=(
        Case("2 pixels, kernel 3, stride 2", (2, 3, 2, 0), 5),
        Case("kernel 4, stride 2, padding 1: doubled", (3, 4, 2, 1), 6),
        Case("the last layer of FCN-32s", (16, 64, 32, 0), 544),
        Case("a single pixel", (1, 7, 3, 0), 7),
        Case("stride 1, padding 1: size kept", (5, 3, 1, 1), 5),
        Case("kernel smaller than the stride", (4, 2, 3, 0), 11, "short"),
        Case("kernel 5, stride 3, padding 2", (7, 5, 3, 2), 19),
        Case("stride 1, padding 2: smaller than the input", (5, 3, 1, 2), 3),
        Case("one pixel, one weight", (1, 1, 3, 0), 1),
        Case("a kernel of one pixel", (4, 1, 3, 0), 10, "short"),
        Case("kernel 9, stride 4, padding 3", (6, 9, 4, 3), 23),
        Case("all different and large", (101, 16, 8, 5), 806),
    ),
    hints={
        "general": Hint(
            "Where does the last input pixel write? From s (size - 1) on, and its kernel is k long.",
            "Where does the kernel of the last pixel end? That is the length of all that comes out. Then take the "
            "border off, and mind how many sides it has.",
        ),
        "forward": Hint(
            "The ordinary convolution makes maps smaller, and its size has a division. The inverse of that is wanted.",
            "Solve size = (n + 2 p - k) / s + 1 for n.",
        ),
        "gaps": Hint(
            "Between n pixels there are n - 1 steps. A single pixel gives an output as large as the kernel.",
            "stride * (size - 1), not stride * size.",
        ),
        "kernel": Hint(
            "The last pixel writes a whole kernel, neither one pixel nor one less.",
            "Add kernel to stride * (size - 1).",
        ),
        "padding": Hint(
            "Padding cuts pixels off the output, and at both sides.",
            "Subtract 2 * padding.",
        ),
        "stride": Hint(
            "The stride is the distance in the output from one kernel to the next.",
            "stride * (size - 1) + ...",
        ),
        "short": Hint(
            "The kernel may be shorter than the stride. Then some pixels in between get nothing, but they count; after "
            "the last kernel nothing follows.",
            "stride * (size - 1) + kernel, for every kernel, without max or a condition.",
        ),
        "exchanged": Hint(
            "Each argument has its place: the stride goes with the steps between pixels, the kernel stands alone.",
            "stride * (size - 1) + kernel - 2 * padding.",
        ),
    },
    mistakes=(
        Mistake("size of a convolution", lambda n, k, s, p: (n + 2 * p - k) // s + 1, "forward"),
        Mistake("factor times size", lambda n, k, s, p: s * n, "gaps"),
        Mistake("as many steps as pixels", lambda n, k, s, p: s * n + k - 2 * p, "gaps"),
        Mistake("one step too few", lambda n, k, s, p: s * (n - 2) + k - 2 * p, "gaps"),
        Mistake("one pixel at the end", lambda n, k, s, p: s * (n - 1) + 1 - 2 * p, "kernel"),
        Mistake("kernel less one", lambda n, k, s, p: s * (n - 1) + k - 1 - 2 * p, "kernel"),
        Mistake("padding forgotten", lambda n, k, s, p: s * (n - 1) + k, "padding"),
        Mistake("padding at one side", lambda n, k, s, p: s * (n - 1) + k - p, "padding"),
        Mistake("padding added", lambda n, k, s, p: s * (n - 1) + k + 2 * p, "padding"),
        Mistake("stride 1", lambda n, k, s, p: n - 1 + k - 2 * p, "stride"),
        Mistake("step of a kernel", lambda n, k, s, p: k * (n - 1) + k - 2 * p, "stride"),
        Mistake("factor times size, cropped", lambda n, k, s, p: s * n - 2 * p, "gaps"),
        Mistake("factor times size, one side cropped", lambda n, k, s, p: s * n - p, "gaps"),
        Mistake("as many steps as pixels, no crop", lambda n, k, s, p: s * n + k, "gaps"),
        Mistake("as many steps as pixels, less one", lambda n, k, s, p: s * n + k - 1 - 2 * p, "gaps"),
        Mistake("a step less one", lambda n, k, s, p: (s - 1) * (n - 1) + k - 2 * p, "stride"),
        Mistake("stuffed pixels less one", lambda n, k, s, p: n + (n - 1) * (s - 1) - 2 * p, "kernel"),
        Mistake("stuffed pixels plus the kernel", lambda n, k, s, p: n + (n - 1) * (s - 1) + k - 2 * p, "kernel"),
        Mistake("kernel plus one", lambda n, k, s, p: s * (n - 1) + k + 1 - 2 * p, "kernel"),
        Mistake("kernel twice", lambda n, k, s, p: s * (n - 1) + 2 * k - 2 * p, "kernel"),
        Mistake("half a kernel", lambda n, k, s, p: s * (n - 1) + k // 2 - 2 * p, "kernel"),
        Mistake("no kernel", lambda n, k, s, p: s * (n - 1) - 2 * p, "kernel"),
        Mistake("kernel of a convolution", lambda n, k, s, p: s * (n - 1) + 1 + 2 * (k - 1 - p), "kernel"),
        Mistake("half the padding", lambda n, k, s, p: s * (n - 1) + k - p // 2, "padding"),
        Mistake("padding added at one side", lambda n, k, s, p: s * (n - 1) + k + p, "padding"),
        Mistake("padding times stride", lambda n, k, s, p: s * (n - 1) + k - 2 * p * s, "padding"),
        Mistake("padding off the input", lambda n, k, s, p: s * (n - 2 * p - 1) + k, "padding"),
        Mistake("padding before the steps", lambda n, k, s, p: s * (n - 1 - p) + k, "padding"),
        Mistake("padding added to the input", lambda n, k, s, p: s * (n + 2 * p - 1) + k, "padding"),
        Mistake("padding at four sides", lambda n, k, s, p: s * (n - 1) + k - 4 * p, "padding"),
        Mistake("padding plus one", lambda n, k, s, p: s * (n - 1) + k - 2 * p + 1, "kernel"),
        Mistake("never shorter than the stride", lambda n, k, s, p: s * (n - 1) + max(k, s) - 2 * p, "short"),
        Mistake("steps not wider than the kernel", lambda n, k, s, p: min(k, s) * (n - 1) + k - 2 * p, "short"),
        Mistake("kernel and stride exchanged", lambda n, k, s, p: k * (n - 1) + s - 2 * p, "exchanged"),
        Mistake("size and stride exchanged", lambda n, k, s, p: n * (s - 1) + k - 2 * p, "exchanged"),
        Mistake("size and kernel exchanged", lambda n, k, s, p: s * (k - 1) + n - 2 * p, "exchanged"),
        Mistake("padding and stride exchanged", lambda n, k, s, p: p * (n - 1) + k - 2 * s, "exchanged"),
        Mistake("an ordinary convolution, rounded up", lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1, "forward"),
        Mistake("an ordinary convolution, not rounded", lambda n, k, s, p: (n + 2 * p - k) / s + 1, "forward"),
        Mistake("an ordinary convolution of stride 1", lambda n, k, s, p: n + 2 * p - k + 1, "forward"),
        Mistake("factor times size less the kernel", lambda n, k, s, p: s * n + 2 * p - k, "gaps"),
        Mistake("factor times size plus padding", lambda n, k, s, p: s * n + 2 * p, "gaps"),
        Mistake("kernel dilated", lambda n, k, s, p: s * (n - 1) + (k - 1) * s + 1 - 2 * p, "kernel"),
        Mistake("kernel times stride", lambda n, k, s, p: s * (n - 1) + k * s - 2 * p, "kernel"),
        Mistake("kernel subtracted", lambda n, k, s, p: s * (n - 1) - k + 2 * p, "kernel"),
        Mistake("stride - 1 more", lambda n, k, s, p: s * n + k - 1 - 2 * p, "gaps"),
        Mistake("stride too much subtracted", lambda n, k, s, p: s * (n - 1) + k + 2 * p - 2 * s, "padding"),
        Mistake("not below the input", lambda n, k, s, p: max(s * (n - 1) + k - 2 * p, n), "padding"),
        Mistake("size less padding, times stride", lambda n, k, s, p: s * (n - 2 * p), "gaps"),
        Mistake(
            "kernel and stride in place of each other's sum", lambda n, k, s, p: (s + k) * (n - 1) + 1 - 2 * p, "stride"
        ),
        Mistake("kernels side by side", lambda n, k, s, p: n * k - 2 * p, "stride"),
        Mistake("overlap subtracted", lambda n, k, s, p: n * k - (n - 1) * s - 2 * p, "stride"),
    ),
    alternatives=(_by_reach, _by_stuffing, _by_search),
    points=2,
    minutes=10,
    difficulty=1,
)
