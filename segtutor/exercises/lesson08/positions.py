"""Exercise 8.3: a table of positions for pictures of another size."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map
from segtutor.exercises.lesson08.positions_mistakes import MISTAKES

STUB = '''
def resize_positions(table, old, new):
    """(1 + h w) x C for a map of `old` = (h, w) -> (1 + H W) x C for one of `new` = (H, W)."""
    raise NotImplementedError("Write resize_positions() here, then run this cell again.")
'''


def resize_positions(table: Any, old: tuple[int, int], new: tuple[int, int]) -> Any:
    """(1 + h w) x C for a map of `old` = (h, w) -> (1 + H W) x C for one of `new` = (H, W)."""
    table = torch.as_tensor(table)
    grid = table[1:].T.reshape(1, -1, *old)
    grid = F.interpolate(grid, new, mode="bilinear")
    return torch.cat([table[:1], grid[0].flatten(1).T])


def _matrix(old, new):  # type: ignore[no-untyped-def]
    """How much each new place takes from each old one, new x old."""
    matrix = np.zeros((new, old))
    for number in range(new):
        place = np.clip((number + 0.5) * old / new - 0.5, 0, old - 1)
        low = int(np.floor(place))
        high = min(low + 1, old - 1)
        matrix[number, low] += 1 - (place - low)
        matrix[number, high] += place - low
    return matrix


def _with_matrices(table, old, new):  # type: ignore[no-untyped-def]
    grid = table[1:].reshape(*old, -1)
    grid = np.einsum("ih,jw,hwc->ijc", _matrix(old[0], new[0]), _matrix(old[1], new[1]), grid)
    return np.concatenate([table[:1], grid.reshape(-1, table.shape[1])])


def _sides_one_by_one(table, old, new):  # type: ignore[no-untyped-def]
    grid = table[1:].reshape(*old, -1)
    grid = np.stack([_matrix(old[0], new[0]) @ grid[:, column] for column in range(old[1])], axis=1)
    grid = np.stack([_matrix(old[1], new[1]) @ grid[row] for row in range(new[0])])
    return np.vstack([table[:1], grid.reshape(new[0] * new[1], -1)])


def _channel_by_channel(table, old, new):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    columns = []
    for values in torch.as_tensor(table).T:
        grid = F.interpolate(values[1:].reshape(1, 1, *old), new, mode="bilinear", align_corners=False)
        columns.append(torch.cat([values[:1], grid.flatten()]))
    return torch.stack(columns, dim=1)


def _column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]


EXERCISE = Exercise(
    id="8.3",
    title="Positions for a larger picture",
    name="resize_positions",
    statement="""
A ViT has learned one vector for each place of its map, and one more for the class token, which has no place. For a
picture of another size the places' vectors are enlarged (or shrunk) like a picture, bilinearly, with corners *not*
aligned, as the logits of this course are; the class token's vector stays.

Write `resize_positions(table, old, new)`: `table` is (1 + h w) x C, the class token's vector first, then the places
row by row; `old` is (h, w) and `new` the (H, W) that is wanted. The result is (1 + H W) x C in the same order. Maps
need not be square. (Published networks are resized bicubically; the way there is the same.)
""",
    stub=STUB,
    reference=resize_positions,
    cases=(
        Case("1 x 2 places to 1 x 4", (_column(9, 0, 4), (1, 2), (1, 4)), _column(9, 0, 1, 3, 4)),
        Case("2 x 1 places to 4 x 1", (_column(7, 0, 8), (2, 1), (4, 1)), _column(7, 0, 2, 6, 8)),
        Case("the same size", (_column(5, 1, 2, 3, 4, 5, 6), (2, 3), (2, 3)), _column(5, 1, 2, 3, 4, 5, 6)),
        Case("one place for all", (np.array([[1, 2], [3, 4]], np.float32), (1, 1), (1, 3)),
             np.array([[1, 2], [3, 4], [3, 4], [3, 4]])),
        Case("2 x 2 places to 1 x 2: smaller", (_column(0, 0, 2, 4, 6), (2, 2), (1, 2)), _column(0, 2, 4)),
        Case("2 x 3 places to 4 x 3", (random_map(0, 7, 2), (2, 3), (4, 3))),
        Case("3 x 2 places to 3 x 5", (random_map(1, 7, 4), (3, 2), (3, 5))),
        Case("8 x 8 places to 12 x 16, 6 channels", (random_map(2, 65, 6), (8, 8), (12, 16))),
        Case("4 x 6 places to 3 x 4", (random_map(3, 25, 3), (4, 6), (3, 4))),
        Case("as many channels as places", (random_map(4, 10, 9), (3, 3), (5, 4))),
    ),
    hints={
        "general": Hint(
            "Set the class token's vector aside. The rest is a map of h x w with C channels, written row by row.",
            "An interpolation wants the channels before rows and columns, and a batch: make 1 x C x h x w of the rest, "
            "resize it, write it row by row again, and put the class token's vector in front.",
        ),
        "class": Hint(
            "The first row belongs to the class token. It has no place, is not resized, and stays first.",
            "Resize table[1:] and put table[:1] in front.",
        ),
        "order": Hint(
            "The places lie row by row, and each has C numbers side by side: a reshape to C x h x w mixes them.",
            "Transpose first: table[1:].T is C x (h w), and its reshape to C x h x w is right.",
        ),
        "corners": Hint(
            "Corners are not aligned: half a new place lies outside of the outermost middles.",
            "F.interpolate(..., mode='bilinear') does that by default; no align_corners=True.",
        ),
        "mode": Hint(
            "Between the places the vectors are averaged bilinearly.", "mode='bilinear', not 'nearest' or 'bicubic'."
        ),
        "smoothed": Hint(
            "A table that becomes smaller is not smoothed first.", "F.interpolate without antialias=True."
        ),
        "size": Hint(
            "The first number of a size is the height, the second the width, and the new size is what is asked for.",
            "new is (H, W), in this order; no scale factor.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_matrices, _sides_one_by_one, _channel_by_channel),
    points=4,
    minutes=15,
    difficulty=2,
)  # fmt: skip
