"""Exercise 4.4: from strides to dilation, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.dilated_stages_mistakes import MISTAKES

STUB = '''
def dilated_stages(strides, output_stride):
    """New strides and dilation rates of the stages, so that the network keeps to `output_stride`; rates start at 1."""
    raise NotImplementedError("Write dilated_stages() here, then run this cell again.")
'''

Stages = tuple[list[int], list[int]]


def dilated_stages(strides: Sequence[int], output_stride: int) -> Stages:
    """New strides and dilation rates of the stages, so that the network keeps to `output_stride`; rates start at 1."""
    kept, rates = [], []
    total, rate = 1, 1
    for stride in strides:
        if total * stride > output_stride:
            rate *= stride
            stride = 1
        total *= stride
        kept.append(stride)
        rates.append(rate)
    return kept, rates


def _with_cumulated_strides(strides, output_stride):  # type: ignore[no-untyped-def]
    fits = np.cumprod(strides) <= output_stride
    return np.where(fits, strides, 1), np.cumprod(np.where(fits, 1, strides))


def _recursive(strides, output_stride):  # type: ignore[no-untyped-def]
    if not len(strides):
        return [], []
    kept, rates = _recursive(strides[:-1], output_stride)
    last, before = strides[-1], rates[-1] if rates else 1
    if int(np.prod(kept)) * last <= output_stride:
        return [*kept, last], [*rates, before]
    return [*kept, 1], [*rates, before * last]


def _at_the_first_that_is_too_much(strides, output_stride):  # type: ignore[no-untyped-def]
    cut = 0
    while cut < len(strides) and int(np.prod(strides[: cut + 1])) <= output_stride:
        cut += 1
    rates = [1] * cut + [int(np.prod(strides[cut : number + 1])) for number in range(cut, len(strides))]
    return list(strides[:cut]) + [1] * (len(strides) - cut), rates


_RESNET = (4, 1, 2, 2, 2)
_VGG = (1, 2, 2, 2, 2)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    strides = generator.integers(1, 3, generator.integers(4, 9)).tolist()
    return (int(generator.choice([1, 2, 4])), *strides), int(generator.choice([4, 8, 16]))


EXERCISE = Exercise(
    id="4.4",
    title="From strides to dilation",
    name="dilated_stages",
    statement="""
A ResNet-50 shrinks the picture by 32: its stem by 4, its four stages by 1, 2, 2, 2. PSPNet wants a map that is finer,
with the *same* pretrained weights. So the stages that would go beyond the wanted output stride give up their stride.
Their kernels then meet a map that is denser than the one they were trained on, and their taps must move apart by the
factor that is no longer there: by their own stride and by all that were removed before.

Write `dilated_stages(strides, output_stride)`: `strides` holds the strides of the stages, powers of 2. From the first
stage on, a stage keeps its stride as long as the product of the strides does not exceed `output_stride`; else its
stride becomes 1, as a whole. (After the first stage that is too much, no stage fits in again: that holds for all lists
here.) Return two lists, the new strides and the rate of each stage. A stage reads at the rate that results from its own
removed stride, too; a later stage without a stride keeps that rate.

(That is how the authors of PSPNet do it: the rate holds for all blocks of a stage, `first_block_rate="same"`.
torchvision lets the first block keep the rate of the stage before.)
""",
    stub=STUB,
    reference=dilated_stages,
    drawn=_drawn,
    cases=(
        Case("a ResNet at output stride 8", (_RESNET, 8), ([4, 1, 2, 1, 1], [1, 1, 1, 2, 4])),
        Case("at 16", (_RESNET, 16), ([4, 1, 2, 2, 1], [1, 1, 1, 1, 2])),
        Case("at 32: nothing changes", (_RESNET, 32), ([4, 1, 2, 2, 2], [1] * 5)),
        Case("at 4: three stages dilated", (_RESNET, 4), ([4, 1, 1, 1, 1], [1, 1, 2, 4, 8])),
        Case("a stage without a stride after a dilated one", ((2, 2, 1, 2), 2), ([2, 1, 1, 1], [1, 2, 2, 4])),
        Case("a stage with stride 4", ((2, 4, 2), 2), ([2, 1, 1], [1, 4, 8])),
        Case("VGG's poolings at 8", (_VGG, 8)),
        Case("strides 2, 1, 4, 1, 2, 2 at 8", ((2, 1, 4, 1, 2, 2), 8)),
        Case("no stride at all", ((1, 1, 1), 1)),
        Case("a stride of 4 goes beyond 4", ((2, 4, 4, 1), 4), ([2, 1, 1, 1], [1, 4, 16, 16]), "beyond"),
        Case("4 and 4 at 8", ((4, 4), 8), ([4, 1], [1, 4]), "beyond"),
        Case("the first stage is too much", ((8, 8, 1), 4), ([1, 1, 1], [8, 64, 64]), "beyond"),
        Case("rates above 255", ((8, 8, 8, 8), 4), ([1, 1, 1, 1], [8, 64, 512, 4096])),
        Case("three stages of 4 at 32", ((1, 4, 4, 4, 4), 32), ([1, 4, 4, 1, 1], [1, 1, 1, 4, 16]), "beyond"),
    ),
    hints={
        "general": Hint(
            "Go through the stages with two numbers: the stride so far, and the rate so far. Each stride multiplies "
            "one of them.",
            "Ask at each stage whether its stride still fits: what would the product be? If it is too much, the stage "
            "gives its stride to the rate, for itself and for all that follow. Note both numbers after each stage.",
        ),
        "limit": Hint(
            "The product of the strides, that of the stage included, may reach the output stride, but not exceed it.",
            "if total * stride > output_stride.",
        ),
        "product": Hint(
            "The rate is the product of the removed strides: 2, 4, 8, and after a stride of 4 at once 4.",
            "rate *= stride, with the stride that the stage had.",
        ),
        "own": Hint(
            "A stage that loses its stride is dilated itself, by that stride: it already reads the denser map.",
            "First change the rate, then append it.",
        ),
        "carried": Hint(
            "Once a map is denser, all later stages must be dilated, at the same rate if they have no own stride.",
            "Append the rate so far for every stage, and change it only where a stride is removed.",
        ),
        "removed": Hint(
            "A stage that keeps its stride needs no dilation, and one that is dilated must lose its stride.",
            "stride = 1 and rate *= stride belong together.",
        ),
        "end": Hint(
            "The strides of the *last* stages are removed. The first ones keep theirs.",
            "Go from the first stage to the last.",
        ),
        "results": Hint(
            "The result is two lists with a number for each stage: the strides first, then the rates.",
            "return kept, rates.",
        ),
        "beyond": Hint(
            "A stage that would lead beyond the output stride loses its stride as a whole: what counts is the product "
            "with its own stride, and nothing of that stride stays.",
            "if total * stride > output_stride: rate *= stride; stride = 1.",
        ),
        "copy": Hint(
            "The list of strides belongs to the caller.", "Append to new lists instead of writing into strides."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_cumulated_strides, _recursive, _at_the_first_that_is_too_much),
    points=4,
    minutes=25,
    difficulty=2,
)
