"""Exercise 6.2: the rates of a DeepLab v3, which follow from its output stride."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def deeplab_rates(output_stride, multi_grid):
    """Rates of the three ASPP branches, and of the blocks of the last stage; "error" if the stride is not 8 or 16."""
    raise NotImplementedError("Write deeplab_rates() here, then run this cell again.")
'''


def deeplab_rates(output_stride: int, multi_grid: Sequence[int]) -> Any:
    """Rates of the three ASPP branches, and of the blocks of the last stage; "error" if the stride is not 8 or 16."""
    if output_stride == 16:
        branches, stage = [6, 12, 18], 2
    elif output_stride == 8:
        branches, stage = [12, 24, 36], 4
    else:
        return "error"
    return branches, [unit * stage for unit in multi_grid]


def _with_tables(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    table = {16: ((6, 12, 18), 2), 8: ((12, 24, 36), 4)}
    if output_stride not in table:
        return "error"
    branches, stage = table[output_stride]
    return branches, tuple(stage * unit for unit in multi_grid)


def _with_divisions(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    """Both kinds of rates keep their reach in the picture: 96 pixels for the first branch, 32 for the stage."""
    if output_stride not in (8, 16):
        return "Error"
    first = 96 // output_stride
    return [first * number for number in (1, 2, 3)], [32 // output_stride * unit for unit in multi_grid]


def _with_arrays(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    import numpy as np

    if output_stride not in (8, 16):
        return "error"
    factor = 16 // output_stride
    return factor * np.array([6, 12, 18]), 2 * factor * np.array(multi_grid)


def _right_for(  # type: ignore[no-untyped-def]
    output_stride,
    multi_grid,
    branches: Callable[[int], Any] = lambda stride: [96 // stride, 192 // stride, 288 // stride],
    stage: Callable[[int], int] = lambda stride: 32 // stride,
    grid: Callable[[int, int], int] = lambda unit, rate: unit * rate,
):
    """The rates with the switches of the mistakes; as it stands, the right ones."""
    if output_stride not in (8, 16):
        return "error"
    return branches(output_stride), [grid(unit, stage(output_stride)) for unit in multi_grid]


def _for_any_stride(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    return [96 * number // output_stride for number in (1, 2, 3)], [32 * unit // output_stride for unit in multi_grid]


def _eight_or_else_sixteen(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    return deeplab_rates(8 if output_stride == 8 else 16, multi_grid)


def _raises(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride must be 8 or 16, but {output_stride} came")
    return deeplab_rates(output_stride, multi_grid)


def _exchanged(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    found = deeplab_rates(output_stride, multi_grid)
    return found if found == "error" else found[::-1]


def _multi_grid_on_all(output_stride, multi_grid):  # type: ignore[no-untyped-def]
    found = deeplab_rates(output_stride, multi_grid)
    if found == "error" or len(multi_grid) != 3:
        return found
    return [rate * unit for rate, unit in zip(found[0], multi_grid, strict=True)], found[1]


def _joined(output_stride, multi_grid, join):  # type: ignore[no-untyped-def]
    found = deeplab_rates(output_stride, multi_grid)
    return found if found == "error" else join(*found)


def _error(output_stride, multi_grid, instead):  # type: ignore[no-untyped-def]
    found = deeplab_rates(output_stride, multi_grid)
    return instead if found == "error" else found


def _allowed(output_stride, multi_grid, allowed):  # type: ignore[no-untyped-def]
    """Other strides pass, with whole rates for them."""
    factor = max(1, 16 // output_stride)
    return ([6 * factor, 12 * factor, 18 * factor], [2 * factor * unit for unit in multi_grid]) if allowed else "error"


EXERCISE = Exercise(
    id="6.2",
    title="Rates that follow from the output stride",
    name="deeplab_rates",
    statement="""
The same weights at a finer output stride see a denser map. To keep their reach *in the picture*, all rates must grow by
the same factor. DeepLab v3 (section 3.3) says which they are: the three branches of the ASPP have the rates 6, 12, 18
at output stride 16, and twice as many at output stride 8. The last stage of the ResNet has the rate 2 at output stride
16 and 4 at 8, and its three blocks multiply it by the *multi-grid*, for instance (1, 2, 4).

Write `deeplab_rates(output_stride, multi_grid)`. Return two lists: the rates of the three branches, and the rates of
the blocks of the last stage, as many as `multi_grid` has units. Other output strides are an error, because no weights
were trained for them: a network that takes them silently computes nonsense. In a package you would raise a
`ValueError`; the check compares results, so return the text `"error"` here.
""",
    stub=STUB,
    reference=deeplab_rates,
    cases=(
        Case("output stride 16, multi-grid 1, 2, 4", (16, (1, 2, 4)), ([6, 12, 18], [2, 4, 8])),
        Case("output stride 8, multi-grid 1, 2, 4", (8, (1, 2, 4)), ([12, 24, 36], [4, 8, 16])),
        Case("output stride 16 without multi-grid", (16, (1, 1, 1)), ([6, 12, 18], [2, 2, 2]), "multi-grid"),
        Case("output stride 8, multi-grid 1, 2, 1, as in the best cascade", (8, (1, 2, 1)), ([12, 24, 36], [4, 8, 4])),
        Case("two blocks, as in the course's small network", (8, (1, 2)), ([12, 24, 36], [4, 8]), "units"),
        Case("four units, not rising", (16, (3, 1, 5, 2)), ([6, 12, 18], [6, 2, 10, 4]), "units"),
        Case("output stride 32", (32, (1, 2, 4)), "error", "text"),
        Case("output stride 4", (4, (1, 2, 4)), "error", "text"),
        Case("output stride 12", (12, (1, 1, 1)), "error", "text"),
        Case("output stride 24", (24, (1, 2)), "error", "text"),
        Case("output stride 2", (2, (1, 2)), "error", "text"),
        Case("output stride 1", (1, (1, 2, 4)), "error", "text"),
        Case("output stride 64", (64, (1, 2, 4)), "error", "text"),
    ),
    hints={
        "general": Hint(
            "Two output strides, two rates of the stage, two triples for the branches: an `if` is enough.",
            "From 16 to 8 all rates double, those of the branches and that of the stage. Each block has the rate of "
            "the stage, times its own unit of the multi-grid.",
        ),
        "branches": Hint(
            "There are three branches, and the finer map has the larger rates: twice as many at 8 as at 16.",
            "[6, 12, 18] at 16 and [12, 24, 36] at 8.",
        ),
        "stage": Hint(
            "The rate of the last stage is 2 at output stride 16, where one stride was removed, and 4 at 8, where two "
            "were.",
            "stage = 32 // output_stride.",
        ),
        "multi-grid": Hint(
            "The multi-grid holds *unit* rates. The rate of a block is its unit times the rate of the stage.",
            "[unit * stage for unit in multi_grid].",
        ),
        "only the stage": Hint(
            "The multi-grid is for the last stage of the backbone. The branches of the ASPP do not know it.",
            "Leave the branches at [6, 12, 18] or [12, 24, 36].",
        ),
        "error": Hint(
            "Strides other than 8 and 16 are an error, every one of them: their rates were never trained.",
            'if output_stride not in (8, 16): return "error".',
        ),
        "raised": Hint(
            "Raising an error is what a package should do. This check compares results, so the text is wanted here.",
            'return "error" in place of raise ValueError(...).',
        ),
        "results": Hint(
            "Two lists are wanted: first the rates of the three branches, then those of the blocks.",
            "return [6, 12, 18], [2 * unit for unit in multi_grid].",
        ),
        "units": Hint(
            "The last stage has as many blocks as `multi_grid` has units, in their order, each with its own unit.",
            "[unit * stage for unit in multi_grid].",
        ),
        "strides": Hint(
            "8 and 16 both have their rates; 8 is the finer map with the larger ones.",
            "6, 12, 18 at 16; 12, 24, 36 at 8.",
        ),
        "text": Hint(
            'For every stride but 8 and 16 the result is the text "error" alone: no lists, and nothing is raised.',
            'if output_stride not in (8, 16): return "error".',
        ),
    },
    mistakes=(
        Mistake("always 6, 12, 18", lambda s, g: _right_for(s, g, branches=lambda _: [6, 12, 18]), "branches"),
        Mistake(
            "branches exchanged",
            lambda s, g: _right_for(s, g, branches=lambda stride: [3 * stride // 4 * n for n in (1, 2, 3)]),
            "branches",
        ),
        Mistake(
            "four branches as in v2",
            lambda s, g: _right_for(s, g, branches=lambda stride: [96 * n // stride for n in (1, 2, 3, 4)]),
            "branches",
        ),
        Mistake("stage always 2", lambda s, g: _right_for(s, g, stage=lambda _: 2), "stage"),
        Mistake("stage exchanged", lambda s, g: _right_for(s, g, stage=lambda stride: stride // 4), "stage"),
        Mistake("rate of the stage before", lambda s, g: _right_for(s, g, stage=lambda x: 16 // x), "stage"),
        Mistake("units as they are", lambda s, g: _right_for(s, g, grid=lambda unit, _: unit), "multi-grid"),
        Mistake("no multi-grid", lambda s, g: _right_for(s, g, grid=lambda _, rate: rate), "multi-grid"),
        Mistake("units added", lambda s, g: _right_for(s, g, grid=lambda unit, rate: unit + rate), "multi-grid"),
        Mistake("power", lambda s, g: _right_for(s, g, grid=lambda unit, rate: rate**unit), "multi-grid"),
        Mistake("multi-grid on the branches too", _multi_grid_on_all, "only the stage"),
        Mistake("any stride", _for_any_stride, "error"),
        Mistake("8, or else 16", _eight_or_else_sixteen, "error"),
        Mistake("raises", _raises, "raised"),
        Mistake("exchanged", _exchanged, "results"),
        Mistake(
            "1 for the 1 x 1, too",
            lambda s, g: _right_for(s, g, branches=lambda x: [1, *(96 * n // x for n in (1, 2, 3))]),
            "branches",
        ),
        Mistake(
            "halved at 8",
            lambda s, g: _right_for(s, g, branches=lambda x: [6 * n * x // 16 for n in (1, 2, 3)]),
            "branches",
        ),
        Mistake(
            "6, 12, 24", lambda s, g: _right_for(s, g, branches=lambda x: [96 // x, 192 // x, 384 // x]), "branches"
        ),
        Mistake(
            "three times the first at 8",
            lambda s, g: _right_for(s, g, branches=lambda x: [6, 12, 18] if x == 16 else [18, 36, 54]),
            "branches",
        ),
        Mistake("stage always 4", lambda s, g: _right_for(s, g, stage=lambda _: 4), "stage"),
        Mistake(
            "stage 2 at 8, 4 at 16, branches, too",
            lambda s, g: deeplab_rates(24 - s, g) if s in (8, 16) else "error",
            "strides",
        ),
        Mistake("8 is an error", lambda s, g: "error" if s == 8 else deeplab_rates(s, g), "strides"),
        Mistake("16 is an error", lambda s, g: "error" if s == 16 else deeplab_rates(s, g), "strides"),
        Mistake("always 1, 2, 4", lambda s, g: deeplab_rates(s, (1, 2, 4)), "units"),
        Mistake("three units", lambda s, g: deeplab_rates(s, (tuple(g) * 3)[:3]), "units"),
        Mistake("the first three units", lambda s, g: deeplab_rates(s, g[:3]), "units"),
        Mistake("sorted units", lambda s, g: deeplab_rates(s, sorted(g)), "units"),
        Mistake("running product", lambda s, g: deeplab_rates(s, [int(n) for n in np.cumprod(g)]), "multi-grid"),
        Mistake("running sum", lambda s, g: deeplab_rates(s, [int(n) for n in np.cumsum(g)]), "multi-grid"),
        Mistake(
            "doubled from block to block", lambda s, g: deeplab_rates(s, [2**n for n in range(len(g))]), "multi-grid"
        ),
        Mistake("one rate for the stage", lambda s, g: _joined(s, g, lambda b, k: (b, k[0])), "units"),
        Mistake("one list", lambda s, g: _joined(s, g, lambda b, k: [*b, *k]), "results"),
        Mistake("branches only", lambda s, g: _joined(s, g, lambda b, k: b), "results"),
        Mistake("blocks only", lambda s, g: _joined(s, g, lambda b, k: k), "results"),
        Mistake("error twice", lambda s, g: _error(s, g, ("error", "error")), "text"),
        Mistake("empty lists", lambda s, g: _error(s, g, ([], [])), "text"),
        Mistake("None", lambda s, g: _error(s, g, ""), "text"),
        Mistake("another text", lambda s, g: _error(s, g, "ValueError"), "text"),
        Mistake("minus one", lambda s, g: _error(s, g, -1), "text"),
        Mistake("multiples of 8", lambda s, g: _allowed(s, g, s % 8 == 0), "error"),
        Mistake("powers of 2", lambda s, g: _allowed(s, g, s in (4, 8, 16, 32)), "error"),
        Mistake("divisors of 16", lambda s, g: _allowed(s, g, 16 % s == 0), "error"),
        Mistake("at least 8", lambda s, g: _allowed(s, g, s >= 8), "error"),
        Mistake("at most 16", lambda s, g: _allowed(s, g, s <= 16), "error"),
        Mistake("8 to 16", lambda s, g: _allowed(s, g, 8 <= s <= 16), "error"),
        Mistake("16 or more", lambda s, g: deeplab_rates(16 if s >= 16 else s, g), "error"),
        Mistake("16, or else 8", lambda s, g: deeplab_rates(16 if s == 16 else 8, g), "error"),
        Mistake("below 16 is 8", lambda s, g: deeplab_rates(8 if s < 16 else s, g), "error"),
        Mistake("4 as well", lambda s, g: _allowed(s, g, s in (4, 8, 16)), "error"),
        Mistake("32 as well", lambda s, g: _allowed(s, g, s in (8, 16, 32)), "error"),
        Mistake("units backwards", lambda s, g: deeplab_rates(s, g[::-1]), "units"),
        Mistake(
            "6 more at 8",
            lambda s, g: _right_for(s, g, branches=lambda x: [rate + 6 * (x == 8) for rate in (6, 12, 18)]),
            "branches",
        ),
    ),
    alternatives=(_with_tables, _with_divisions, _with_arrays),
    points=2,
    minutes=10,
    difficulty=1,
)
