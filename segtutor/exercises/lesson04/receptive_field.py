"""Exercise 4.1: how much of the picture one position of a map can see."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def receptive_field(layers):
    """Receptive field in input pixels and distance of two neighbors; layers are (kernel, stride, rate), first first."""
    raise NotImplementedError("Write receptive_field() here, then run this cell again.")
'''

Layers = list[tuple[int, int, int]]


def receptive_field(layers: Layers) -> tuple[int, int]:
    """Receptive field in input pixels and distance of two neighbors; layers are (kernel, stride, rate), first first."""
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * jump
        jump *= stride
    return size, jump


def _from_the_last_layer(layers):  # type: ignore[no-untyped-def]
    size, jump = 1, 1
    for kernel, stride, rate in reversed(layers):
        size = (size - 1) * stride + (kernel - 1) * rate + 1
        jump *= stride
    return size, jump


def _with_cumulated_strides(layers):  # type: ignore[no-untyped-def]
    numbers = np.array(layers, dtype=int).reshape(-1, 3)
    jumps = np.cumprod([1, *numbers[:, 1]])
    return 1 + ((numbers[:, 0] - 1) * numbers[:, 2] * jumps[:-1]).sum(), jumps[-1]


def _with_sets_of_pixels(layers):  # type: ignore[no-untyped-def]
    def seen(position):  # type: ignore[no-untyped-def]
        low = high = position
        for kernel, stride, rate in layers[::-1]:
            low, high = low * stride, high * stride + (kernel - 1) * rate
        return low, high

    (low, high), (next_low, _) = seen(0), seen(1)
    return high - low + 1, next_low - low


def _recursive(layers):  # type: ignore[no-untyped-def]
    if not layers:
        return [1, 1]
    size, jump = _recursive(layers[:-1])
    kernel, stride, rate = layers[-1]
    return [size + rate * (kernel - 1) * jump, jump * stride]


def _field(  # type: ignore[no-untyped-def]
    layers, reach=lambda kernel, rate: (kernel - 1) * rate, start=1, stride_first=False, step=lambda j, s, r: j * s
):
    """The receptive field with the switches of the mistakes; as it stands, the right one."""
    size, jump = start, 1
    for kernel, stride, rate in layers:
        if stride_first:
            jump = step(jump, stride, rate)
        size += reach(kernel, rate) * jump
        if not stride_first:
            jump = step(jump, stride, rate)
    return size, jump


def _stride_ignored(layers):  # type: ignore[no-untyped-def]
    return receptive_field([(kernel, 1, rate) for kernel, _, rate in layers])[0], receptive_field(layers)[1]


def _multiplied(layers):  # type: ignore[no-untyped-def]
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size *= (kernel - 1) * rate + 1
        jump *= stride
    return size, jump


_STEM = [(7, 2, 1), (3, 2, 1)]
_VGG16 = [
    layer for convolutions in (2, 2, 3, 3, 3) for layer in [*[(3, 1, 1)] * convolutions, (2, 2, 1)]
]  # to the last pooling


def _own_stride_alone(layers):  # type: ignore[no-untyped-def]
    return 1 + sum((kernel - 1) * rate * stride for kernel, stride, rate in layers), receptive_field(layers)[1]


def _stride_before_alone(layers):  # type: ignore[no-untyped-def]
    size, before = 1, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate * before
        before = stride
    return size, receptive_field(layers)[1]


def _divided_by_the_jump(layers):  # type: ignore[no-untyped-def]
    size, jump = 1.0, 1
    for kernel, stride, rate in layers:
        size += (kernel - 1) * rate / jump
        jump *= stride
    return size, jump


def _last_jump_for_all(layers):  # type: ignore[no-untyped-def]
    jump = receptive_field(layers)[1]
    return 1 + sum((kernel - 1) * rate for kernel, _, rate in layers) * jump, jump


def _first_kernel_as_start(layers):  # type: ignore[no-untyped-def]
    size, jump = receptive_field(layers)
    return size + (layers[0][0] - 1 if layers else 0), jump


def _stride_added(layers):  # type: ignore[no-untyped-def]
    size, jump = receptive_field(layers)
    return size + sum(stride - 1 for _, stride, _ in layers), jump


def _largest(layers):  # type: ignore[no-untyped-def]
    jumps = [receptive_field(layers[:number])[1] for number in range(len(layers))]
    fields = [1 + (kernel - 1) * rate * jump for (kernel, _, rate), jump in zip(layers, jumps, strict=True)]
    return max(fields, default=1), receptive_field(layers)[1]


def _from_behind(layers):  # type: ignore[no-untyped-def]
    size = 1
    for kernel, stride, rate in reversed(layers):
        size = size * stride + (kernel - 1) * rate
    return size, receptive_field(layers)[1]


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    layers = [tuple(int(generator.integers(1, most)) for most in (8, 4, 6)) for _ in range(generator.integers(2, 7))]
    return (layers,)


EXERCISE = Exercise(
    id="4.1",
    title="The receptive field",
    name="receptive_field",
    statement="""
How many input pixels along one side can one position of the last map see? Follow the chain of layers from the picture
on. Two numbers are enough: the **size** of the field, at first 1, and the **jump**, the distance in input pixels of two
neighbors in the map, at first 1. A layer with kernel $k$, stride $s$ and dilation rate $r$ reads taps that are $r$
positions apart, and a position is worth as many pixels as the jump *before* the layer:

$$\\mathrm{size} \\leftarrow \\mathrm{size} + (k - 1)\\, r \\cdot \\mathrm{jump}, \\qquad
\\mathrm{jump} \\leftarrow \\mathrm{jump} \\cdot s.$$

Write `receptive_field(layers)`: `layers` is a list of (kernel, stride, rate), the first layer first; pooling is a layer
like any other. Return size and jump.
""",
    stub=STUB,
    reference=receptive_field,
    drawn=_drawn,
    cases=(
        Case("no layer", ([],), (1, 1)),
        Case("one 3 x 3 convolution", ([(3, 1, 1)],), (3, 1)),
        Case("two 3 x 3 convolutions", ([(3, 1, 1), (3, 1, 1)],), (5, 1)),
        Case("one 3 x 3 convolution at rate 2", ([(3, 1, 2)],), (5, 1)),
        Case("one 3 x 3 convolution at rate 5", ([(3, 1, 5)],), (11, 1)),
        Case("stride 2, then an ordinary convolution", ([(3, 2, 1), (3, 1, 1)],), (7, 2)),
        Case("stride 2, then rate 2", ([(3, 2, 1), (3, 1, 2)],), (11, 2)),
        Case("the stem of a ResNet: 7 x 7 and pooling, stride 2 each", (_STEM,), (11, 4)),
        Case("1 x 1 convolutions, one with stride 2", ([(1, 1, 1), (1, 2, 1), (1, 1, 1)],), (1, 2)),
        Case("rate 2 before a stride of 3", ([(5, 1, 2), (3, 3, 1), (3, 1, 4)],)),
        Case("VGG-16 up to its last pooling", (_VGG16,)),
        Case("a pooling of 300 pixels", ([(3, 2, 1), (300, 300, 1)],), (601, 600)),
        Case("kernels of even length", ([(2, 2, 1), (4, 1, 3), (2, 4, 2), (6, 1, 1)],), (64, 8)),
        Case("a 1 x 1 with stride and rate among others", ([(3, 1, 1), (1, 2, 4), (3, 1, 1)],), (7, 2), "pointwise"),
    ),
    hints={
        "general": Hint(
            "Go through the layers once, and keep two numbers: the size and the jump.",
            "Both numbers begin at 1 and change in every layer. Mind the order: the taps of a layer are as far apart "
            "as the jump was before it.",
        ),
        "rate": Hint(
            "Between the first and the last tap of a kernel at rate r lie (k - 1) r steps, no more and no less.",
            "(kernel - 1) * rate, not kernel - 1 and not kernel * rate.",
        ),
        "kernel": Hint(
            "A kernel of k taps adds k - 1 steps to the field, not k: a 1 x 1 convolution adds nothing.",
            "size += (kernel - 1) * rate * jump.",
        ),
        "stride": Hint(
            "After a stride of 2, one step in the map is two pixels in the picture, for all layers that follow.",
            "Multiply what a layer adds by the jump, the product of all strides before it.",
        ),
        "order": Hint(
            "The stride of a layer moves its own taps no further apart: it counts for those after it in the list.",
            "First size += ..., then jump *= stride.",
        ),
        "jump": Hint(
            "The jump is the product of all strides so far. Rates do not change it, and strides are not added.",
            "jump *= stride.",
        ),
        "start": Hint("Without any layer, a position sees itself: one pixel.", "Begin with size = 1 and jump = 1."),
        "product": Hint(
            "Fields grow by adding: two 3 x 3 convolutions see 5 pixels, not 9.", "size += ..., not size *= ..."
        ),
        "results": Hint("There are two results, first the size of the field, then the jump.", "return size, jump."),
        "pointwise": Hint(
            "A 1 x 1 layer adds nothing to the field, but its stride counts, as the stride of every layer.",
            "No condition on the kernel: (kernel - 1) is 0 by itself.",
        ),
        "all": Hint(
            "Every layer counts, from the first to the last, whatever they have in common.", "for ... in layers."
        ),
    },
    mistakes=(
        Mistake("rate ignored", lambda la: _field(la, reach=lambda k, r: k - 1), "rate"),
        Mistake("rate added", lambda la: _field(la, reach=lambda k, r: k - 1 + r - 1), "rate"),
        Mistake("rate counts the gaps", lambda la: _field(la, reach=lambda k, r: (k - 1) * (r + 1)), "rate"),
        Mistake("kernel times rate", lambda la: _field(la, reach=lambda k, r: k * r - 1), "rate"),
        Mistake("k instead of k - 1", lambda la: _field(la, reach=lambda k, r: k * r), "kernel"),
        Mistake("half a kernel", lambda la: _field(la, reach=lambda k, r: (k - 1) // 2 * r), "kernel"),
        Mistake("strides do not widen", _stride_ignored, "stride"),
        Mistake("own stride counts", lambda la: _field(la, stride_first=True), "order"),
        Mistake("layers backwards", lambda la: receptive_field(la[::-1]), "order"),
        Mistake("strides added", lambda la: _field(la, step=lambda j, s, r: j + s - 1), "jump"),
        Mistake("rate is a stride", lambda la: _field(la, step=lambda j, s, r: j * s * r), "jump"),
        Mistake("last stride only", lambda la: _field(la, step=lambda j, s, r: s), "jump"),
        Mistake("starts at 0", lambda la: _field(la, start=0), "start"),
        Mistake("multiplied", _multiplied, "product"),
        Mistake("exchanged", lambda la: receptive_field(la)[::-1], "results"),
        Mistake("stretched kernel", lambda la: _field(la, reach=lambda k, r: (k - 1) * r + 1), "kernel"),
        Mistake("k instead of k - 1, no rate", lambda la: _field(la, reach=lambda k, r: k), "kernel"),
        Mistake("k - 2", lambda la: _field(la, reach=lambda k, r: (k - 2) * r), "kernel"),
        Mistake("k + 1", lambda la: _field(la, reach=lambda k, r: (k + 1) * r), "kernel"),
        Mistake("odd kernels", lambda la: _field(la, reach=lambda k, r: k // 2 * 2 * r), "kernel"),
        Mistake("one side of the kernel", lambda la: _field(la, reach=lambda k, r: k // 2 * r), "kernel"),
        Mistake("always 3", lambda la: _field(la, reach=lambda k, r: 2 * r), "kernel"),
        Mistake("rate less one", lambda la: _field(la, reach=lambda k, r: (k - 1) * max(r - 1, 1)), "rate"),
        Mistake("rate squared", lambda la: _field(la, reach=lambda k, r: (k - 1) * r * r), "rate"),
        Mistake("rate for the kernel", lambda la: _field(la, reach=lambda k, r: r), "rate"),
        Mistake("kernel times rate, added", lambda la: _field(la, reach=lambda k, r: k - 1 + r), "rate"),
        Mistake("rate to the power", lambda la: _field(la, reach=lambda k, r: (k - 1) ** r), "rate"),
        Mistake("one rate for all", lambda la: receptive_field([(k, s, la[-1][2]) for k, s, _ in la]), "rate"),
        Mistake("no jump at all", lambda la: (receptive_field([(k, 1, r) for k, _, r in la])[0], 1), "stride"),
        Mistake("own stride alone", _own_stride_alone, "stride"),
        Mistake("stride of the layer before alone", _stride_before_alone, "stride"),
        Mistake("divided by the jump", _divided_by_the_jump, "stride"),
        Mistake("the last jump for all", _last_jump_for_all, "order"),
        Mistake("own stride counts, backwards", lambda la: _field(la[::-1], stride_first=True), "order"),
        Mistake("strides added up", lambda la: _field(la, step=lambda j, s, r: j + s), "jump"),
        Mistake("strides added, from 0", lambda la: (receptive_field(la)[0], sum(s for _, s, _ in la)), "jump"),
        Mistake("largest stride", lambda la: _field(la, step=lambda j, s, r: max(j, s)), "jump"),
        Mistake("jump divided", lambda la: _field(la, step=lambda j, s, r: j / s), "jump"),
        Mistake("powers of two", lambda la: _field(la, step=lambda j, s, r: 2 * j if s > 1 else j), "jump"),
        Mistake("last stride as jump", lambda la: (receptive_field(la)[0], la[-1][1] if la else 1), "jump"),
        Mistake(
            "rate in the last jump",
            lambda la: (receptive_field(la)[0], _field(la, step=lambda j, s, r: j * s * r)[1]),
            "jump",
        ),
        Mistake("jump before the last layer", lambda la: (receptive_field(la)[0], receptive_field(la[:-1])[1]), "jump"),
        Mistake("starts at 2", lambda la: _field(la, start=2), "start"),
        Mistake("one less", lambda la: (receptive_field(la)[0] - 1, receptive_field(la)[1]), "start"),
        Mistake("first kernel as start", _first_kernel_as_start, "start"),
        Mistake("size alone", lambda la: receptive_field(la)[0], "results"),
        Mistake("jump alone", lambda la: receptive_field(la)[1], "results"),
        Mistake("one radius", lambda la: ((receptive_field(la)[0] - 1) // 2, receptive_field(la)[1]), "results"),
        Mistake("area", lambda la: (receptive_field(la)[0] ** 2, receptive_field(la)[1]), "results"),
        Mistake(
            "size in positions",
            lambda la: (receptive_field(la)[0] / receptive_field(la)[1], receptive_field(la)[1]),
            "results",
        ),
        Mistake("1 x 1 layers left out", lambda la: receptive_field([one for one in la if one[0] > 1]), "pointwise"),
        Mistake(
            "ends at a 1 x 1 layer", lambda la: _field(la, reach=lambda k, r: (k - 1) * r if k > 1 else 1), "pointwise"
        ),
        Mistake("first layer left out", lambda la: receptive_field(la[1:]), "all"),
        Mistake("last layer left out", lambda la: receptive_field(la[:-1]), "all"),
        Mistake("equal layers once", lambda la: receptive_field(list(dict.fromkeys(la))), "all"),
        Mistake("last layer alone", lambda la: receptive_field(la[-1:]), "all"),
        Mistake("both sides of the kernel", lambda la: _field(la, reach=lambda k, r: 2 * (k - 1) * r), "kernel"),
        Mistake("stride less one added", _stride_added, "order"),
        Mistake("largest layer", lambda la: _largest(la), "product"),
        Mistake("from behind, without - 1", _from_behind, "stride"),
    ),
    alternatives=(_from_the_last_layer, _with_cumulated_strides, _with_sets_of_pixels, _recursive),
    points=3,
    minutes=15,
    difficulty=1,
)
