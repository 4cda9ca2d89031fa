"""Exercise 5.1: the anchors of one position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

STUB = '''
def cell_anchors(sizes, ratios):
    """A x 4 corners x1, y1, x2, y2 around (0, 0): area = size², ratio = height / width; first ratio first."""
    raise NotImplementedError("Write cell_anchors() here, then run this cell again.")
'''


def cell_anchors(sizes: Sequence[float], ratios: Sequence[float]) -> np.ndarray:
    """A x 4 corners x1, y1, x2, y2 around (0, 0): area = size², ratio = height / width; first ratio first."""
    anchors = []
    for ratio in ratios:
        for size in sizes:
            width, height = size / np.sqrt(ratio), size * np.sqrt(ratio)
            anchors.append([-width / 2, -height / 2, width / 2, height / 2])
    return np.array(anchors)


def _with_arrays(sizes, ratios):  # type: ignore[no-untyped-def]
    ratio, size = np.meshgrid(ratios, sizes, indexing="ij")
    width = (size / ratio**0.5).ravel()
    height = width * ratio.ravel()
    return 0.5 * np.stack([-width, -height, width, height], axis=1)


def _from_the_area(sizes, ratios):  # type: ignore[no-untyped-def]
    found = []
    for ratio in ratios:
        for size in sizes:
            width = (size * size / ratio) ** 0.5
            found.append((-width / 2, -ratio * width / 2, width / 2, ratio * width / 2))
    return found


def _with_torch(sizes, ratios):  # type: ignore[no-untyped-def]
    import torch

    root = torch.tensor(ratios, dtype=torch.float32).sqrt()[:, None]
    side = torch.tensor(sizes, dtype=torch.float32)[None]
    width, height = (side / root).flatten() / 2, (side * root).flatten() / 2
    return torch.stack([-width, -height, width, height], dim=1)


def _anchors(sizes, ratios, width, height, corners=None):  # type: ignore[no-untyped-def]
    """Anchors with the rules of a mistake for width and height, and for the corners."""
    corners = corners or (lambda w, h: [-w / 2, -h / 2, w / 2, h / 2])
    return np.array([corners(width(s, r), height(s, r)) for r in ratios for s in sizes])


def _narrow(size, ratio):  # type: ignore[no-untyped-def]
    return size / np.sqrt(ratio)


def _tall(size, ratio):  # type: ignore[no-untyped-def]
    return size * np.sqrt(ratio)


def _sizes_first(sizes, ratios):  # type: ignore[no-untyped-def]
    return np.concatenate([cell_anchors([size], ratios) for size in sizes])


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    counts = generator.integers(1, 4, 2)
    sizes = generator.uniform(4, 200, counts[0]).round(1).tolist()
    return tuple(sizes), tuple(generator.uniform(0.2, 4, counts[1]).round(2).tolist())


EXERCISE = Exercise(
    id="5.1",
    title="The anchors of one position, with three mistakes",
    name="cell_anchors",
    statement="""
Proposals start from anchors: boxes of a few sizes and shapes. `cell_anchors(sizes, ratios)` returns the anchors of one
position as an A x 4 array of corners (x1, y1, x2, y2), centered on (0, 0). `sizes` are square roots of areas in pixels,
`ratios` are **height over width**, so that $w\\,h = s^2$ and $h / w = r$. Order: all sizes of the first ratio, then all
sizes of the second. Corners are continuous.

Somebody has written this:

```python
def cell_anchors(sizes, ratios):
    anchors = []
    for size in sizes:
        for ratio in ratios:
            width, height = size, size * ratio
            anchors.append([-width // 2, -height // 2, width // 2, height // 2])
    return np.array(anchors)
```

It runs, and a network trained with it even finds something. But its high anchors are too large and its wide ones too
small, those of an odd size lie half a pixel off, and weights that were trained with right anchors find nothing at all.
**There are three mistakes in it.** Find them, and write `cell_anchors(sizes, ratios)` as it should be.
""",
    stub=STUB,
    reference=cell_anchors,
    drawn=_drawn,
    cases=(
        Case("one square", ((32,), (1.0,)), np.array([[-16.0, -16, 16, 16]])),
        Case("four times as high as wide", ((8,), (4.0,)), np.array([[-2.0, -8, 2, 8]]), "shape"),
        Case("four times as wide as high", ((8,), (0.25,)), np.array([[-8.0, -2, 8, 2]]), "shape"),
        Case("size 3: half pixels stay", ((3,), (1.0,)), np.array([[-1.5, -1.5, 1.5, 1.5]]), "rounded"),
        Case(
            "two sizes, two ratios",
            ((8, 16), (1.0, 4.0)),
            np.array([[-4.0, -4, 4, 4], [-8, -8, 8, 8], [-2, -8, 2, 8], [-4, -16, 4, 16]]),
            "all pairs",
        ),
        Case("the paper's three ratios", ((32,), (0.5, 1.0, 2.0))),
        Case("four sizes, three ratios", ((12, 24, 48, 96), (0.5, 1.0, 2.0))),
        Case("sizes and ratios as they come, one size twice", ((16, 8, 8), (2.0, 0.5)), hint="as given"),
        Case("sizes and ratios with decimals", ((10, 100.7), (1.7, 0.3)), hint="rounded"),
    ),
    hints={
        "general": Hint(
            "Each of the three complaints leads to one mistake: what has the area to do with the ratio, what does the "
            "division do with odd numbers, and who comes first in a list that a network reads by position?",
            "Solve the two equations for w and h: multiply them with each other, and the square of h is left. Then "
            "look at the kind of division, and at which of the two loops is the outer one.",
        ),
        "area": Hint(
            "The anchors of one size have different areas. A ratio changes the shape only.",
            "Use the square root of the ratio: width s / sqrt(r), height s * sqrt(r).",
        ),
        "ratio": Hint(
            "Wide and high are exchanged: a ratio is height over width, and x comes before y in the corners.",
            "A ratio of 4 is a high, narrow anchor: height s * sqrt(4), width s / sqrt(4).",
        ),
        "size": Hint(
            "`sizes` are square roots of areas: a square of size 32 is 32 pixels wide.",
            "Do not take the square root of the size.",
        ),
        "center": Hint(
            "The anchors are not centered on (0, 0).",
            "The corners lie at minus and plus one half of the width and height.",
        ),
        "half": Hint(
            "The anchors are twice as wide and high as they should be.",
            "From -w/2 to w/2 is w; from -w to w is 2 w.",
        ),
        "corners": Hint(
            "Wanted are the two corners, x1, y1, x2, y2, not a corner and the size.",
            "[-w / 2, -h / 2, w / 2, h / 2].",
        ),
        "rounded": Hint(
            "The corners are not rounded: size 3 reaches from -1.5 to 1.5. (torchvision rounds, and its areas are "
            "then wrong by up to 2 %.)",
            "Leave the corners as they are: no round (to decimals neither), no // and no int.",
        ),
        "order": Hint(
            "The right anchors in the wrong order: all sizes of the first ratio come first.",
            "The outer loop goes over the ratios, the inner one over the sizes.",
        ),
        "shape": Hint(
            "A ratio is height over width, and the area stays: size 8 and ratio 4 make 4 wide and 16 high.",
            "w = s / sqrt(r), h = s * sqrt(r).",
        ),
        "all pairs": Hint(
            "Every size goes with every ratio, two sizes and two ratios make four anchors: both sizes of the first "
            "ratio, then both of the second.",
            "Two loops: the outer one over the ratios, the inner one over the sizes.",
        ),
        "as given": Hint(
            "Sizes and ratios may stand in any order and may repeat; the anchors follow them as they are.",
            "Do not sort, and do not drop equal ones.",
        ),
        "pixel": Hint(
            "Corners are continuous here: from x1 to x2 it is exactly w, no pixel is taken off.",
            "-w / 2 and w / 2, without - 1.",
        ),
        "columns": Hint(
            "The four numbers of an anchor are x1, y1, x2, y2, and there is one row for each anchor: A x 4.",
            "[-w / 2, -h / 2, w / 2, h / 2] for each anchor, in one list.",
        ),
    },
    mistakes=(
        Mistake(
            "ratio scales the height only", lambda s, r: _anchors(s, r, lambda s, r: s, lambda s, r: s * r), "area"
        ),
        Mistake("no square root", lambda s, r: _anchors(s, r, lambda s, r: s / r, lambda s, r: s * r), "area"),
        Mistake("ratio is width over height", lambda s, r: _anchors(s, r, _tall, _narrow), "ratio"),
        Mistake("size taken for the area", lambda s, r: cell_anchors(np.sqrt(s), r), "size"),
        Mistake("corner at (0, 0)", lambda s, r: _anchors(s, r, _narrow, _tall, lambda w, h: [0, 0, w, h]), "center"),
        Mistake("not halved", lambda s, r: 2 * cell_anchors(s, r), "half"),
        Mistake(
            "left, top, width, height",
            lambda s, r: _anchors(s, r, _narrow, _tall, lambda w, h: [-w / 2, -h / 2, w, h]),
            "corners",
        ),
        Mistake("rounded to pixels", lambda s, r: cell_anchors(s, r).round(), "rounded"),
        Mistake("sizes in the outer loop", _sizes_first, "order"),
        Mistake("ratio scales the width only", lambda s, r: _anchors(s, r, lambda s, r: s / r, lambda s, r: s), "area"),
        Mistake(
            "the longer side shrinks",
            lambda s, r: _anchors(s, r, lambda s, r: s / max(r, 1), lambda s, r: s * min(r, 1)),
            "area",
        ),
        Mistake(
            "size is the longer side",
            lambda s, r: _anchors(s, r, lambda s, r: s / max(r, 1), lambda s, r: s / max(1 / r, 1)),
            "area",
        ),
        Mistake(
            "size is the shorter side",
            lambda s, r: _anchors(s, r, lambda s, r: s / min(r, 1), lambda s, r: s * max(r, 1)),
            "area",
        ),
        Mistake("cut to whole pixels", lambda s, r: np.trunc(cell_anchors(s, r)), "rounded"),
        Mistake("halved with //", lambda s, r: np.floor(np.abs(cell_anchors(s, r))) * [-1, -1, 1, 1], "rounded"),
        Mistake("rounded down", lambda s, r: np.floor(cell_anchors(s, r)), "rounded"),
        Mistake("two decimals", lambda s, r: cell_anchors(s, r).round(2), "rounded"),
        Mistake("one decimal", lambda s, r: cell_anchors(s, r).round(1), "rounded"),
        Mistake(
            "whole width and height",
            lambda s, r: _anchors(s, r, lambda s, r: round(_narrow(s, r)), lambda s, r: round(_tall(s, r))),
            "rounded",
        ),
        Mistake("zip", lambda s, r: np.concatenate([cell_anchors([a], [b]) for a, b in zip(s, r)]), "all pairs"),  # noqa: B905
        Mistake("one ratio only", lambda s, r: cell_anchors(s, r[:1]), "all pairs"),
        Mistake("one size only", lambda s, r: cell_anchors(s[:1], r), "all pairs"),
        Mistake("sorted", lambda s, r: cell_anchors(sorted(s), sorted(r)), "as given"),
        Mistake("equal ones once", lambda s, r: cell_anchors(dict.fromkeys(s), dict.fromkeys(r)), "as given"),  # type: ignore[arg-type]
        Mistake("a pixel taken off", lambda s, r: cell_anchors(s, r) + np.array([0.5, 0.5, -0.5, -0.5]), "pixel"),
        Mistake("a pixel taken off at the end", lambda s, r: cell_anchors(s, r) - [0, 0, 1, 1], "pixel"),
        Mistake("x1, x2, y1, y2", lambda s, r: cell_anchors(s, r)[:, [0, 2, 1, 3]], "columns"),
        Mistake("ratios x sizes x 4", lambda s, r: cell_anchors(s, r).reshape(len(r), len(s), 4), "columns"),
        Mistake("second corner first", lambda s, r: -cell_anchors(s, r), "columns"),
    ),
    alternatives=(_with_arrays, _from_the_area, _with_torch),
    points=2,
    minutes=15,
    difficulty=1,
)
