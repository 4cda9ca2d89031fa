"""Exercise 3.8: the size of a map after a chain of convolutions and poolings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson03.chain_mistakes import MISTAKES

STUB = '''
def map_size(size, layers):
    """Side of the last map; layers are (kernel, stride, padding, up), the first one first."""
    raise NotImplementedError("Write map_size() here, then run this cell again.")
'''

Layers = list[tuple[int, int, int, bool]]


def map_size(size: int, layers: Layers) -> int:
    """Side of the last map; layers are (kernel, stride, padding, up), the first one first."""
    for kernel, stride, padding, up in layers:
        room = size + 2 * padding - kernel
        steps = -(-room // stride) if up else room // stride
        size = steps + 1
    return size


def _with_math(size, layers):  # type: ignore[no-untyped-def]
    for kernel, stride, padding, up in layers:
        size = (math.ceil if up else math.floor)((size + 2 * padding - kernel) / stride + 1)
    return size


def _counting_windows(size, layers):  # type: ignore[no-untyped-def]
    for kernel, stride, padding, up in layers:
        padded, count, begin = size + 2 * padding, 1, 0
        while begin + kernel < padded if up else begin + stride + kernel <= padded:
            begin += stride
            count += 1
        size = count
    return size


def _recursive(size, layers):  # type: ignore[no-untyped-def]
    if not layers:
        return size
    (kernel, stride, padding, up), *others = layers
    return _recursive((size + 2 * padding - kernel + (stride - 1 if up else 0)) // stride + 1, others)


# FCN on VGG16: groups of 3 x 3 convolutions, each with a pooling at its end; the first pads by 100, fc6 is 7 x 7.
def _vgg16(up: bool) -> Layers:
    layers = [
        layer for convolutions in (2, 2, 3, 3, 3) for layer in [*[(3, 1, 1, False)] * convolutions, (2, 2, 0, up)]
    ]
    return [(3, 1, 100, False), *layers[1:], (7, 1, 0, False)]


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    layers = []
    for _ in range(generator.integers(1, 4)):
        kernel = int(generator.integers(1, 6))
        stride, padding = int(generator.integers(1, 4)), int(generator.integers(0, kernel // 2 + 1))
        layers.append((kernel, stride, padding, bool(generator.integers(0, 2))))
    return int(generator.integers(200, 700)), layers


EXERCISE = Exercise(
    id="3.8",
    title="The size of a map",
    name="map_size",
    statement="""
How large is the map at the end of a network? A layer puts `padding` pixels on *each* side and then moves its kernel by
`stride` pixels as often as it fits:

$$n' = \\left\\lfloor \\frac{n + 2p - k}{s} \\right\\rfloor + 1.$$

If the division leaves a remainder, the last pixels are not read. Pooling in Caffe, and so in FCN, rounds **up**
instead: one more window, part of which lies outside. (If all of it lies in the padding, Caffe drops it; here it
counts.) Write `map_size(size, layers)`: `layers` is a list of (kernel, stride, padding, up), the first layer first;
`up` is True where the layer rounds up. Each layer takes what the one before it gives. In the check every kernel fits
into its map; where one does not, the formula gives 0 or less, which means that there is no map.
""",
    stub=STUB,
    reference=map_size,
    drawn=_drawn,
    cases=(
        Case("no layer", (7, []), 7),
        Case("a 3 x 3 convolution with padding 1 keeps the size", (7, [(3, 1, 1, False)]), 7),
        Case("a 5 x 5 convolution without padding", (7, [(5, 1, 0, False)]), 3),
        Case("2 x 2 pooling of 7 pixels, rounded down", (7, [(2, 2, 0, False)]), 3),
        Case("2 x 2 pooling of 7 pixels, rounded up", (7, [(2, 2, 0, True)]), 4),
        Case("2 x 2 pooling of 8 pixels, rounded up", (8, [(2, 2, 0, True)]), 4),
        Case("7 x 7, stride 2, padding 3", (224, [(7, 2, 3, False)]), 112),
        Case("pooling, then 3 x 3 without padding", (9, [(2, 2, 0, False), (3, 1, 0, False)]), 2),
        Case("two poolings of 11 pixels, down, then up", (11, [(2, 2, 0, False), (2, 2, 0, True)]), 3),
        Case("FCN on VGG16, a picture of 500 pixels", (500, _vgg16(up=True)), 16),
        Case("the same, rounded down, 501 pixels", (501, _vgg16(up=False)), 15),
        Case("strides 3 and 2", (40, [(5, 3, 2, False), (3, 2, 0, True), (1, 1, 1, False)])),
        Case("rounded up with padding", (8, [(3, 2, 1, True), (5, 3, 2, True)]), 3, "padded"),
        Case("rounded up with padding, nothing left over", (9, [(3, 2, 1, True)]), 5, "padded"),
        Case("the last window lies in the padding", (5, [(2, 2, 1, True)]), 4, "caffe"),
        Case("stride 4, a remainder of 3, rounded down", (8, [(3, 4, 1, False)]), 2),
        Case("stride 4, a remainder of 2, rounded up", (9, [(3, 4, 0, True)]), 3),
        Case("down, up, down", (30, [(4, 3, 0, False), (4, 4, 1, True), (2, 2, 0, False)])),
    ),
    hints={
        "general": Hint(
            "A loop over the layers that puts the new size in the place of the old one, with a division that rounds.",
            "How much room does the kernel have to move, once the padding is there? Whole-number division rounds "
            "down. To round up with it, divide the negative number and turn the sign again.",
        ),
        "rounding": Hint(
            "Each layer rounds as its own `up` says: down where it is False, up where it is True, never otherwise.",
            "a // b rounds down, -(-a // b) rounds up; the 1 is added afterwards.",
        ),
        "one": Hint(
            "The kernel stands at its first place before it moves: there is one place more than there are steps.",
            "After the first place of the window come as many more as there are whole steps: add one to them.",
        ),
        "padding": Hint(
            "Padding makes the map longer, and at both ends.",
            "size + 2 * padding - kernel.",
        ),
        "kernel": Hint(
            "A kernel of k pixels needs k pixels: from its first place it can move n + 2 p - k pixels further.",
            "Subtract the kernel, all of it and once, before the division.",
        ),
        "order": Hint(
            "The first layer of the list is the first that the picture meets.",
            "for kernel, stride, padding, up in layers, and not from the end.",
        ),
        "chain": Hint(
            "Each layer takes the whole number of pixels that the one before it gives, and every layer counts.",
            "size = ... inside the loop, rounded there, and return size after it.",
        ),
        "direction": Hint(
            "A transposed convolution makes maps larger. These layers make them smaller: there is a division.",
            "The steps that fit are the room for the kernel, divided by the stride.",
        ),
        "more": Hint(
            "Rounding up adds a window only where the division leaves a remainder, whatever the remainder is.",
            "-(-room // stride) + 1, or one more if room % stride.",
        ),
        "padded": Hint(
            "Padding counts where a layer rounds up, too: both ways of rounding divide the same number.",
            "room = size + 2 * padding - kernel, for both.",
        ),
        "caffe": Hint(
            "Here the window that rounding up adds always counts, even if all of it lies in the padding.",
            "-(-room // stride) + 1, without a condition.",
        ),
        "stride": Hint(
            "The stride, and it alone, divides: the kernel moves by `stride` pixels at a time.",
            "Divide the room for the kernel by the stride, then add one for the first place.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_math, _counting_windows, _recursive),
    points=3,
    minutes=15,
    difficulty=1,
)
