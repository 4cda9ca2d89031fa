"""Exercise 6.2: rates for another output stride than the one that the weights were trained at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def deeplab_rates(branches, stage, multi_grid, trained_stride, output_stride):
    """Rates of the ASPP branches and of the last stage's blocks at another output stride; "error" if none fit."""
    raise NotImplementedError("Write deeplab_rates() here, then run this cell again.")
'''


def deeplab_rates(
    branches: Sequence[int], stage: int, multi_grid: Sequence[int], trained_stride: int, output_stride: int
) -> Any:
    """Rates of the ASPP branches and of the last stage's blocks at another output stride; "error" if none fit."""
    reaches = [rate * trained_stride for rate in (*branches, *(stage * unit for unit in multi_grid))]
    if any(reach % output_stride for reach in reaches):
        return "error"
    rates = [reach // output_stride for reach in reaches]
    return rates[: len(branches)], rates[len(branches) :]


def _with_fractions(branches, stage, multi_grid, trained_stride, output_stride):  # type: ignore[no-untyped-def]
    factor = Fraction(trained_stride, output_stride)
    found = [factor * rate for rate in branches], [factor * stage * unit for unit in multi_grid]
    if any(rate.denominator > 1 for rates in found for rate in rates):
        return "Error"
    return [[int(rate) for rate in rates] for rates in found]


def _with_arrays(branches, stage, multi_grid, trained_stride, output_stride):  # type: ignore[no-untyped-def]
    import numpy as np

    first = np.array(branches, dtype=int) * trained_stride
    second = np.array(multi_grid, dtype=int) * stage * trained_stride
    rest = np.concatenate([first, second]) % output_stride
    return "error" if rest.any() else (first // output_stride, second // output_stride)


def _step_by_step(branches, stage, multi_grid, trained_stride, output_stride):  # type: ignore[no-untyped-def]
    """Doubles or halves until the stride is the wanted one; half of an odd rate is an error."""
    first, second, stride = list(branches), [stage * unit for unit in multi_grid], trained_stride
    while stride != output_stride:
        if stride > output_stride:
            first, second, stride = [2 * rate for rate in first], [2 * rate for rate in second], stride // 2
        elif any(rate % 2 for rate in first + second):
            return "error"
        else:
            first, second, stride = [rate // 2 for rate in first], [rate // 2 for rate in second], 2 * stride
    return first, second


def _right_for(  # type: ignore[no-untyped-def]
    branches, stage, multi_grid, trained_stride, output_stride, *,
    factor: Callable[[int, int], Any] = lambda trained, output: Fraction(trained, output),
    blocks: Callable[[Any, Any, Any], Any] = lambda unit, stage, factor: factor * stage * unit,
    of_branch: Callable[[Any, Any], Any] = lambda rate, factor: factor * rate,
    whole: str = "error",
):  # fmt: skip
    """The rates with the switches of the mistakes; as it stands, the right ones."""
    times = factor(trained_stride, output_stride)
    first = [of_branch(rate, times) for rate in branches]
    second = [blocks(unit, stage, times) for unit in multi_grid]
    broken = any(float(rate) % 1 for rate in first + second)
    if broken and whole == "error":
        return "error"
    turns: dict[str, Callable[[float], Any]] = {
        "down": np.floor,
        "nearest": np.round,
        "up": np.ceil,
        "least 1": lambda rate: max(np.floor(rate), 1),
    }
    turn = turns.get(whole, lambda rate: rate)
    found = [[float(turn(float(rate))) for rate in rates] for rates in (first, second)]
    return found[0], found[1]


def _changed(**rules):  # type: ignore[no-untyped-def]
    return lambda *arguments: _right_for(*arguments, **rules)


def _raises(*arguments):  # type: ignore[no-untyped-def]
    found = deeplab_rates(*arguments)
    if found == "error":
        raise ValueError("the rates are not whole")
    return found


def _joined(join):  # type: ignore[no-untyped-def]
    def wrong(*arguments):  # type: ignore[no-untyped-def]
        found = deeplab_rates(*arguments)
        return found if found == "error" else join(*found)

    return wrong


def _only(which):  # type: ignore[no-untyped-def]
    """Only one of the two lists is looked at for remainders; the other one is rounded down."""

    def wrong(branches, stage, multi_grid, trained_stride, output_stride):  # type: ignore[no-untyped-def]
        right = (branches, stage, multi_grid, trained_stride, output_stride)
        alone = (*right[:2], (), *right[3:]) if which == "branches" else ((), *right[1:])
        return "error" if deeplab_rates(*alone) == "error" else _right_for(*right, whole="down")

    return wrong


MISTAKES = (
    Mistake("as they were trained", _changed(factor=lambda t, o: Fraction(1)), "factor"),
    Mistake("the other way round", _changed(factor=lambda t, o: Fraction(o, t)), "factor"),
    Mistake("always doubled", _changed(factor=lambda t, o: Fraction(2 if o < t else 1)), "factor"),
    Mistake("factor squared", _changed(factor=lambda t, o: Fraction(t, o) ** 2), "factor"),
    Mistake("difference of the strides", _changed(factor=lambda t, o: Fraction(abs(t - o) or 1)), "factor"),
    Mistake("as if trained at 16", _changed(factor=lambda t, o: Fraction(16, o)), "trained"),
    Mistake("blocks not scaled", _changed(blocks=lambda unit, stage, times: Fraction(unit * stage)), "blocks"),
    Mistake("branches not scaled", _changed(of_branch=lambda rate, times: Fraction(rate)), "branches"),
    Mistake("units alone", _changed(blocks=lambda unit, stage, times: times * unit), "blocks"),
    Mistake("units added", _changed(blocks=lambda unit, stage, times: times * (stage + unit)), "blocks"),
    Mistake("the stage alone", _changed(blocks=lambda unit, stage, times: times * stage), "blocks"),
    Mistake("multi-grid on the branches", _changed(of_branch=lambda rate, times: times * rate * 2), "branches"),
    Mistake("rounded down", _changed(whole="down"), "whole"),
    Mistake("to the nearest", _changed(whole="nearest"), "whole"),
    Mistake("rounded up", _changed(whole="up"), "whole"),
    Mistake("at least 1", _changed(whole="least 1"), "whole"),
    Mistake("left with decimals", _changed(whole="as they are"), "whole"),
    Mistake("branches alone must be whole", _only("branches"), "both"),
    Mistake("blocks alone must be whole", _only("blocks"), "both"),
    Mistake("raises", _raises, "text"),
    Mistake("nothing for an error", lambda *a: (lambda f: ([], []) if f == "error" else f)(deeplab_rates(*a)), "text"),
    Mistake("exchanged", _joined(lambda first, second: (second, first)), "results"),
    Mistake("one list", _joined(lambda first, second: first + second), "results"),
    Mistake("the branches alone", _joined(lambda first, second: first), "results"),
)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    trained, used = (int(2 ** generator.integers(2, 6)) for _ in range(2))
    branches = (generator.integers(1, 10, generator.integers(1, 5)) * generator.choice([2, 4, 6])).tolist()
    blocks = tuple(generator.integers(1, 5, generator.integers(1, 4)).tolist())
    return tuple(branches), int(generator.choice([2, 4, 8])), blocks, trained, used


EXERCISE = Exercise(
    id="6.2",
    title="Rates for another output stride",
    name="deeplab_rates",
    statement="""
You have weights that were trained at one output stride, and want to use them at another: at a finer one for better
outlines, or at a coarser one for speed. The same kernels then meet a map that is denser or thinner. To read the same
places *in the picture*, all rates must be multiplied by one factor. (So DeepLab v3, section 3.3, was trained at stride
16 with the rates 6, 12 and 18 and tested at stride 8.)

Write `deeplab_rates(branches, stage, multi_grid, trained_stride, output_stride)`. `branches` are the rates of the
ASPP's 3 x 3 branches at `trained_stride`; `stage` is the rate of the ResNet's last stage there, and each of its blocks
multiplies it by its unit of `multi_grid`. Return two lists, the rates at `output_stride`: of the branches, and of the
blocks. Strides are powers of 2.

If a single one of these rates is not a whole number, the weights cannot be used at that stride. In a package you would
raise a `ValueError`; the check compares results, so return the text `"error"` here.
""",
    stub=STUB,
    reference=deeplab_rates,
    drawn=_drawn,
    cases=(
        Case("DeepLab v3 as it was trained", ((6, 12, 18), 2, (1, 2, 4), 16, 16), ([6, 12, 18], [2, 4, 8])),
        Case("tested at stride 8", ((6, 12, 18), 2, (1, 2, 4), 16, 8), ([12, 24, 36], [4, 8, 16])),
        Case("tested at stride 32", ((6, 12, 18), 2, (1, 2, 4), 16, 32), ([3, 6, 9], [1, 2, 4])),
        Case("at stride 4", ((6, 12, 18), 2, (1, 2, 1), 16, 4), ([24, 48, 72], [8, 16, 8])),
        Case("trained at stride 8, used at 16", ((2, 4, 6), 2, (1, 2), 8, 16), ([1, 2, 3], [1, 2]), "trained"),
        Case("trained at stride 8, used at 4", ((2, 4, 6), 2, (1, 2), 8, 4), ([4, 8, 12], [4, 8]), "trained"),
        Case("half of 3 is no rate", ((3, 6, 9), 2, (1, 2), 8, 16), "error", "whole"),
        Case("the branches fit, the blocks do not", ((4, 8), 1, (1, 2), 8, 16), "error", "both"),
        Case("the blocks fit, the branches do not", ((2, 3), 2, (1, 2), 8, 16), "error", "both"),
        Case("odd units, and a stage that makes them even", ((4, 8, 12, 24), 4, (1, 3, 5), 8, 32),
             ([1, 2, 3, 6], [1, 3, 5])),
        Case("no rate is left", ((1, 2), 1, (1,), 4, 32), "error", "whole"),
        Case("large rates", ((72, 144), 4, (64, 1), 32, 8), ([288, 576], [1024, 16])),
        Case("no multi-grid", ((6, 12, 18, 24), 2, (), 8, 4), ([12, 24, 36, 48], [])),
        Case("no branches", ((), 2, (1, 1, 1), 16, 8), ([], [4, 4, 4])),
    ),
    hints={
        "general": Hint(
            "A rate times the stride is a distance in pixels of the picture, and this distance is to stay.",
            "One factor for all rates, from the two strides. Work with the distances themselves: dividing them by the "
            "new stride shows at once whether a rate is whole.",
        ),
        "factor": Hint(
            "A map that is twice as fine needs rates twice as large, and one that is coarser smaller ones.",
            "rate * trained_stride / output_stride.",
        ),
        "trained": Hint(
            "The weights need not come from stride 16: `trained_stride` is an argument.",
            "rate * trained_stride / output_stride.",
        ),
        "blocks": Hint(
            "A block's rate is the stage's rate times the block's unit, and it is scaled like all others.",
            "stage * unit * trained_stride / output_stride for each unit.",
        ),
        "branches": Hint(
            "The branches are scaled by the factor, and the multi-grid is not theirs.",
            "rate * trained_stride / output_stride.",
        ),
        "whole": Hint(
            "A rate of 1.5 does not exist, and rounding makes another network of it: the answer is `error`.",
            "rate * trained_stride % output_stride must be 0.",
        ),
        "both": Hint("Both lists must be whole, the branches and the blocks.", "One test for all rates together."),
        "text": Hint(
            "For rates that are not whole, return the text `error`; nothing is raised.", "The text, in quotation marks."
        ),
        "results": Hint("Two lists: first the branches, then the blocks.", "return of_branches, of_blocks."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_fractions, _with_arrays, _step_by_step),
    points=2,
    minutes=15,
    difficulty=1,
)  # fmt: skip
