"""Exercise 5.2: the anchors of a whole feature map."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson05.cell_anchors import cell_anchors

STUB = '''
def grid_anchors(cell, map_size, stride):
    """(h w A) x 4: the anchors `cell` (A x 4) at every position of an h x w map, row by row, `stride` pixels apart."""
    raise NotImplementedError("Write grid_anchors() here, then run this cell again.")
'''


def grid_anchors(cell: np.ndarray, map_size: tuple[int, int], stride: int) -> np.ndarray:
    """(h w A) x 4: the anchors `cell` (A x 4) at every position of an h x w map, row by row, `stride` pixels apart."""
    height, width = map_size
    anchors = []
    for row in range(height):
        for column in range(width):
            anchors.append(cell + np.array([column, row, column, row]) * stride)
    return np.concatenate(anchors)


def _with_meshgrid(cell, map_size, stride):  # type: ignore[no-untyped-def]
    y, x = np.meshgrid(np.arange(map_size[0]) * stride, np.arange(map_size[1]) * stride, indexing="ij")
    shifts = np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4)
    return (shifts + cell).reshape(-1, 4)


def _with_lists(cell, map_size, stride):  # type: ignore[no-untyped-def]
    return [
        [x1 + stride * column, y1 + stride * row, x2 + stride * column, y2 + stride * row]
        for row in range(map_size[0])
        for column in range(map_size[1])
        for x1, y1, x2, y2 in cell.tolist()
    ]


def _with_torch(cell, map_size, stride):  # type: ignore[no-untyped-def]
    import torch

    rows, columns = torch.arange(map_size[0]) * stride, torch.arange(map_size[1]) * stride
    centers = torch.cartesian_prod(rows, columns).flip(1)  # row by row, x first
    return (centers.repeat(1, 2)[:, None] + torch.from_numpy(cell)).flatten(0, 1)


def _grid(cell, map_size, stride, shift):  # type: ignore[no-untyped-def]
    """Anchors with a mistake's rule for the shift of a position."""
    rows, columns = map_size
    return np.concatenate([cell + np.array(shift(r, c, stride)) for r in range(rows) for c in range(columns)])


def _to_the_border(cell, map_size, stride):  # type: ignore[no-untyped-def]
    rows, columns = (np.linspace(0, count * stride, count) for count in map_size)
    return np.concatenate([cell + np.array([x, y, x, y]) for y in rows for x in columns])


def _blocks(cell, map_size, stride):  # type: ignore[no-untyped-def]
    """All positions of the first anchor, then all of the second."""
    return np.concatenate([grid_anchors(anchor[None], map_size, stride) for anchor in cell])


def _columns(cell, map_size, stride):  # type: ignore[no-untyped-def]
    ordered = grid_anchors(cell, map_size, stride).reshape(*map_size, -1, 4)
    return ordered.swapaxes(0, 1).reshape(-1, 4)


_SQUARE = np.array([[-1.0, -2.0, 1.0, 2.0]])
_PAIR = np.array([[-1.0, -1.0, 1.0, 1.0], [-3.0, -1.0, 3.0, 1.0]])


def _inside(cell, map_size, stride, farthest=None):  # type: ignore[no-untyped-def]
    """Anchors that do not reach beyond the picture."""
    every, ends = grid_anchors(cell, map_size, stride), stride * np.array(map_size[::-1])
    return every[(every[:, :2] >= 0).all(axis=1) & (every[:, 2:] <= (farthest or ends)).all(axis=1)]


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    half = generator.uniform(1, 40, (generator.integers(1, 4), 2)).round(2)
    height, width = generator.integers(1, 7, 2).tolist()
    return np.hstack([-half, half]), (height, width), int(generator.integers(2, 40))


EXERCISE = Exercise(
    id="5.2",
    title="Anchors of a whole map",
    name="grid_anchors",
    statement="""
Write `grid_anchors(cell, map_size, stride)`, which puts the anchors `cell` (A x 4, of `cell_anchors`) at every
position of a feature map of `map_size` = (h, w). The position in row i and column j lies at the pixel
**x = j · stride, y = i · stride**: convolutions with a stride begin at the first pixel.

The result is (h · w · A) x 4: row by row, in each row from left to right, and all A anchors of a position beside each
other. This is the order in which the network's output is read, so it matters.
""",
    stub=STUB,
    reference=grid_anchors,
    drawn=_drawn,
    cases=(
        Case(
            "a map of one row",
            (_SQUARE, (1, 3), 4),
            np.array([[-1.0, -2, 1, 2], [3, -2, 5, 2], [7, -2, 9, 2]]),
        ),
        Case("a map of one column", (_SQUARE, (2, 1), 8), np.array([[-1.0, -2, 1, 2], [-1, 6, 1, 10]]), "column"),
        Case(
            "two anchors at each position",
            (_PAIR, (1, 2), 16),
            np.array([[-1.0, -1, 1, 1], [-3, -1, 3, 1], [15, -1, 17, 1], [13, -1, 19, 1]]),
            "two anchors",
        ),
        Case(
            "two rows, two columns",
            (_SQUARE, (2, 2), 10),
            np.array([[-1.0, -2, 1, 2], [9, -2, 11, 2], [-1, 8, 1, 12], [9, 8, 11, 12]]),
            "two by two",
        ),
        Case("one position", (_PAIR, (1, 1), 32), _PAIR),
        Case("three anchors on 4 x 5 positions", (cell_anchors((24,), (0.5, 1, 2)), (4, 5), 8)),
        Case("twelve anchors on 3 x 2 positions", (cell_anchors((12, 24, 48, 96), (0.5, 1, 2)), (3, 2), 16)),
        Case(
            "half pixels",
            (np.array([[-1.5, -0.25, 1.5, 0.25]]), (1, 2), 3),
            np.array([[-1.5, -0.25, 1.5, 0.25], [1.5, -0.25, 4.5, 0.25]]),
            "rounded",
        ),
        Case("5 x 6 positions, 64 pixels apart", (_PAIR, (5, 6), 64), hint="large"),
    ),
    hints={
        "general": Hint(
            "Each position adds one shift to all anchors of the cell: the pixel at which it lies.",
            "Rows in the outer loop and columns in the inner one give the right order. Both x of an anchor move by "
            "the pixel of the column, both y by that of the row. Put the positions below each other at the end.",
        ),
        "axes": Hint(
            "Rows and columns are exchanged: the column moves x, the row moves y, and map_size is (h, w).",
            "shift = [column * stride, row * stride, column * stride, row * stride].",
        ),
        "middle": Hint(
            "The anchors are moved by half a stride or half a pixel. Here position (0, 0) lies at pixel (0, 0).",
            "x = column * stride, without + stride / 2 or + 0.5.",
        ),
        "first": Hint("The rows and columns count from 1. The first anchor is the cell itself.", "Count from 0."),
        "stride": Hint(
            "Neighboring positions are one pixel apart. They must be `stride` pixels apart.",
            "Multiply row and column by stride.",
        ),
        "second corner": Hint(
            "The shift must move both corners; now the anchors grow with their position.",
            "Add [x, y, x, y], not [x, y, 0, 0].",
        ),
        "border": Hint(
            "The positions are spread until the border of the picture. Their distance is the stride.",
            "np.arange(count) * stride, not np.linspace.",
        ),
        "blocks": Hint(
            "All positions of one anchor come first. All anchors of one *position* must stand beside each other.",
            "The innermost loop is the one over the anchors.",
        ),
        "columns": Hint(
            "The map is read down the columns. It is read row by row, as an array is stored.",
            "The outer loop goes over the rows.",
        ),
        "flat": Hint("The right anchors, but not in one list of (h w A) x 4.", "Put .reshape(-1, 4) at the end."),
        "column": Hint(
            "A map of two rows and one column: map_size is (h, w), and a row lower is `stride` further in y.",
            "shift = [column * stride, row * stride, column * stride, row * stride].",
        ),
        "two anchors": Hint(
            "Two anchors, two positions: both anchors at the first position, then both at the second.",
            "The innermost loop is the one over the anchors.",
        ),
        "two by two": Hint(
            "The rows and columns here are two each: first the upper row from left to right, then the lower one.",
            "The outer loop goes over the rows, the inner one over the columns.",
        ),
        "rounded": Hint("The numbers of the cell stay as they are: half pixels are not rounded.", "No int, no round."),
        "large": Hint(
            "The pixels here lie beyond 255. A number type of eight bits begins at 0 again.",
            "Let np.arange choose its type, or use float.",
        ),
        "clipped": Hint(
            "Anchors may reach beyond the picture. None is cut off, moved or left out here.",
            "Add the shift, and leave it at that.",
        ),
        "scaled": Hint(
            "The cell is in pixels already. Only the shift is a multiple of the stride.",
            "cell + [column, row, column, row] * stride, without brackets around cell and the list.",
        ),
        "minus": Hint("The anchors move the wrong way: x grows to the right, y downwards.", "Add the shift."),
        "count": Hint(
            "There are exactly h times w positions with all A anchors each.",
            "for row in range(h), for column in range(w), for each anchor of the cell.",
        ),
        "backwards": Hint("The rows or columns are read backwards.", "Begin with row 0 and column 0."),
        "pairs": Hint("x and y take turns in a box: x1, y1, x2, y2.", "Add [x, y, x, y]."),
    },
    mistakes=(
        Mistake("x and y exchanged", lambda a, m, s: _grid(a, m, s, lambda r, c, s: [r * s, c * s] * 2), "axes"),
        Mistake("map_size is w, h", lambda a, m, s: grid_anchors(a, m[::-1], s), "axes"),
        Mistake("centers of the cells", lambda a, m, s: grid_anchors(a, m, s) + s / 2, "middle"),
        Mistake("counted from 1", lambda a, m, s: grid_anchors(a, m, s) + s, "first"),
        Mistake("no stride", lambda a, m, s: grid_anchors(a, m, 1), "stride"),
        Mistake("stride divides", lambda a, m, s: grid_anchors(a, m, 1 / s), "stride"),
        Mistake(
            "only the first corner moves",
            lambda a, m, s: _grid(a, m, s, lambda r, c, s: [c * s, r * s, 0, 0]),
            "second corner",
        ),
        Mistake("spread to the border", _to_the_border, "border"),
        Mistake("anchor by anchor", _blocks, "blocks"),
        Mistake("down the columns", _columns, "columns"),
        Mistake("not flattened", lambda a, m, s: grid_anchors(a, m, s).reshape(*m, -1, 4), "flat"),
        Mistake("centers of the pixels", lambda a, m, s: grid_anchors(a, m, s) + 0.5, "middle"),
        Mistake("a square of h", lambda a, m, s: grid_anchors(a, (m[0], m[0]), s), "axes"),
        Mistake("a square of w", lambda a, m, s: grid_anchors(a, (m[1], m[1]), s), "axes"),
        Mistake("one position more", lambda a, m, s: grid_anchors(a, (m[0] + 1, m[1] + 1), s), "count"),
        Mistake("one position less", lambda a, m, s: grid_anchors(a, (max(m[0] - 1, 1), max(m[1] - 1, 1)), s), "count"),
        Mistake("the first anchor only", lambda a, m, s: grid_anchors(a[:1], m, s), "count"),
        Mistake("whole cell", lambda a, m, s: grid_anchors(np.trunc(a), m, s), "rounded"),
        Mistake("rounded cell", lambda a, m, s: grid_anchors(np.round(a), m, s), "rounded"),  # type: ignore[arg-type]
        Mistake("bytes", lambda a, m, s: _grid(a, m, s, lambda r, c, s: [c * s % 256, r * s % 256] * 2), "large"),
        Mistake("cell scaled", lambda a, m, s: grid_anchors(a * s, m, s), "scaled"),
        Mistake("cut at zero", lambda a, m, s: grid_anchors(a, m, s).clip(0), "clipped"),
        Mistake(
            "cut at the border", lambda a, m, s: grid_anchors(a, m, s).clip(0, s * np.array(m[::-1] * 2)), "clipped"
        ),
        Mistake("those inside only", _inside, "clipped"),
        Mistake("those beyond zero only", lambda a, m, s: _inside(a, m, s, 1e9), "clipped"),
        Mistake("shift subtracted", lambda a, m, s: grid_anchors(a, m, -s), "minus"),
        Mistake(
            "from below", lambda a, m, s: grid_anchors(a, m, s).reshape(*m, -1, 4)[::-1].reshape(-1, 4), "backwards"
        ),
        Mistake("x, x, y, y", lambda a, m, s: _grid(a, m, s, lambda r, c, s: [c * s] * 2 + [r * s] * 2), "pairs"),
        Mistake("x only", lambda a, m, s: _grid(a, m, s, lambda r, c, s: [c * s, 0] * 2), "column"),
        Mistake("middle of the whole pixels", lambda a, m, s: grid_anchors(a, m, s) + (s - 1) / 2, "middle"),
    ),
    alternatives=(_with_meshgrid, _with_lists, _with_torch),
    points=2,
    minutes=15,
    difficulty=1,
)
