"""Exercise 5.9: RoIAlign of one box on one channel."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.roi_align_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def roi_align(values, box, size):
    """The size x size bins of a box x1, y1, x2, y2: means of 2 x 2 points, interpolated in the H x W map `values`."""
    raise NotImplementedError("Write roi_align() here, then run this cell again.")
'''


def roi_align(values: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """The size x size bins of a box x1, y1, x2, y2: means of 2 x 2 points, interpolated in the H x W map `values`."""
    x1, y1, x2, y2 = box
    height, width = values.shape
    pooled = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            for down, across in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)):
                y = min(max(y1 + (row + down) * (y2 - y1) / size - 0.5, 0), height - 1)
                x = min(max(x1 + (column + across) * (x2 - x1) / size - 0.5, 0), width - 1)
                top, left = int(y), int(x)
                bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
                above = values[top, left] * (left + 1 - x) + values[top, right] * (x - left)
                below = values[bottom, left] * (left + 1 - x) + values[bottom, right] * (x - left)
                pooled[row, column] += (above * (top + 1 - y) + below * (y - top)) / 4
    return pooled


def _weights(start, end, size, length):  # type: ignore[no-untyped-def]
    """How much each position of the map counts for each bin along one axis, size x length."""
    points = start + (np.arange(2 * size) + 0.5) * (end - start) / (2 * size) - 0.5
    distance = np.abs(np.clip(points, 0, length - 1)[:, None] - np.arange(length))
    return np.maximum(1 - distance, 0).reshape(size, 2, length).mean(axis=1)


def _as_two_matrices(values, box, size):  # type: ignore[no-untyped-def]
    down, across = _weights(box[1], box[3], size, values.shape[0]), _weights(box[0], box[2], size, values.shape[1])
    return down @ values @ across.T


def _interpolated_at_once(values, box, size):  # type: ignore[no-untyped-def]
    points = (np.arange(2 * size) + 0.5) / (2 * size)
    y = np.clip(box[1] + points * (box[3] - box[1]) - 0.5, 0, values.shape[0] - 1)[:, None]
    x = np.clip(box[0] + points * (box[2] - box[0]) - 0.5, 0, values.shape[1] - 1)[None]
    padded = np.pad(values, ((0, 1), (0, 1)), mode="edge")
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    v, u = y - i, x - j
    at = (1 - v) * ((1 - u) * padded[i, j] + u * padded[i, j + 1])
    at = at + v * ((1 - u) * padded[i + 1, j] + u * padded[i + 1, j + 1])
    return at.reshape(size, 2, size, 2).mean(axis=(1, 3))


def _with_torch(values, box, size):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    height, width = values.shape
    points = (torch.arange(2 * size, dtype=torch.float64) + 0.5) / (2 * size)
    x = 2 * (box[0] + points * (box[2] - box[0])) / width - 1
    y = 2 * (box[1] + points * (box[3] - box[1])) / height - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]
    channel = torch.from_numpy(values)[None, None]
    sampled = F.grid_sample(channel, grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(sampled, 2)[0, 0]


_RAMP = np.arange(25.0).reshape(5, 5)
_FOUR = np.array([[0.0, 1.0], [2.0, 3.0]])
_SPIKE = np.array([[0.0, 0.0, 0.0], [0.0, 16.0, 0.0], [0.0, 0.0, 0.0]])


def _map(seed: int, height: int, width: int) -> np.ndarray:
    return np.round(seeded(seed).normal(size=(height, width)), 2)


EXERCISE = Exercise(
    id="5.9",
    title="RoIAlign",
    name="roi_align",
    statement="""
The heads need a map of one size from a box of any size, and the mask branch needs it without any rounding. Write
`roi_align(values, box, size)` for one channel `values` (H x W) and one `box` (x1, y1, x2, y2), given in positions of
this map:

1. Divide the box into size x size bins of equal size. They may be smaller than a position.
2. In each bin take 2 x 2 points, at 1/4 and 3/4 of its height and width.
3. At each point, interpolate bilinearly between the four positions around it. The position in row i and column j is a
   square from (j, i) to (j + 1, i + 1), and **its value stands at its center**, (j + 0.5, i + 0.5). So subtract 0.5
   from a point's coordinates before you ask between which rows and columns it lies. What lies outside of the outermost
   centers takes the value at the border.
4. A bin is the mean of its four points.

The box lies inside the map. Return size x size numbers.
""",
    stub=STUB,
    reference=roi_align,
    cases=(
        Case(
            "a ramp from 0 to 24, box (1, 1, 3, 3)",
            (_RAMP, np.array([1.0, 1, 3, 3]), 2),
            np.array([[6.0, 7], [11, 12]]),
        ),
        Case("all of a 2 x 2 map, one bin", (_FOUR, np.array([0.0, 0, 2, 2]), 1), np.array([[1.5]])),
        Case(
            "all of a 2 x 2 map, four bins: points beyond the centers",
            (_FOUR, np.array([0.0, 0, 2, 2]), 2),
            np.array([[0.375, 1.125], [1.875, 2.625]]),
            "border",
        ),
        Case(
            "the point with the value 16, one bin of its size",
            (_SPIKE, np.array([1.0, 1, 2, 2]), 1),
            np.array([[9.0]]),
            "peak",
        ),
        Case(
            "a box higher than wide, on a ramp",
            (_RAMP, np.array([1.0, 0.5, 2, 4.5]), 2),
            np.array([[5.75, 6.25], [15.75, 16.25]]),
            "high",
        ),
        Case(
            "half a position, four bins: smaller than a position",
            (_RAMP, np.array([2.0, 1.0, 2.5, 1.5]), 2),
            np.array([[4.25, 4.5], [5.5, 5.75]]) + 0.5,
            "small",
        ),
        Case(
            "a wide map and its lower right corner",
            (np.arange(21.0).reshape(3, 7), np.array([5.0, 1, 7, 3]), 2),
            np.array([[12.0, 12.875], [18.125, 19.0]]),
            "corner",
        ),
        Case("a box of 0.3 x 0.4 positions", (_map(0, 5, 6), np.array([2.6, 1.3, 2.9, 1.7]), 2), hint="small"),
        Case("7 x 7 bins", (_map(1, 9, 12), np.array([1.37, 0.81, 10.6, 7.2]), 7)),
        Case("3 x 3 bins at the lower right border", (_map(2, 6, 8), np.array([4.2, 3.3, 8.0, 6.0]), 3)),
        Case("the lower right corner of a high map", (_map(3, 8, 3), np.array([0.9, 5.2, 3, 8]), 3), hint="corner"),
        Case("the end of a map of 2 x 300", (_map(4, 2, 300), np.array([280.3, 0.2, 300, 1.9]), 2), hint="corner"),
        Case("the end of a map of 300 x 2", (_map(5, 300, 2), np.array([0.2, 280.3, 1.9, 300]), 2), hint="corner"),
    ),
    hints={
        "general": Hint(
            "Four loops: bins down, bins across, and the two points in each direction; then one interpolation.",
            "A quarter and three quarters of a bin's side, counted from the bin's first edge, give the coordinates. "
            "Shift them by half a position and limit them to the outermost centers; only then split each into a whole "
            "part, the position before it, and a rest, the weight of the position behind. The last position has none "
            "behind it.",
        ),
        "half": Hint(
            "All is moved by a part of a position. The value of position (0, 0) stands at (0.5, 0.5), its center. "
            "(This "
            "was the error of the first RoIAlign.)",
            "Subtract 0.5 from y and x before you interpolate.",
        ),
        "half added": Hint(
            "Half a position is added where it must be subtracted.",
            "The center of row i lies at i + 0.5, so the row of y is y - 0.5.",
        ),
        "points": Hint(
            "The points in a bin are not those at 1/4 and 3/4 of its sides, 2 x 2 of them.",
            "(row + 0.25) and (row + 0.75) times the height of a bin; so across.",
        ),
        "combine": Hint("A bin is the *mean* of its four points.", "Add up the four and divide by 4."),
        "nearest": Hint(
            "Between positions the value changes gradually, in both directions. Taking the value of one is rounding "
            "again.",
            "Weight the four positions around the point by (1 - distance) in x times (1 - distance) in y.",
        ),
        "rounded": Hint(
            "The box or the bins are rounded to whole positions. That is RoIPool; RoIAlign rounds nothing.",
            "Keep x1, y1, x2, y2 and the sides of the bins as they are.",
        ),
        "axes": Hint(
            "x and y are exchanged: x chooses the column, y the row, and the box is x1, y1, x2, y2.",
            "values[row, column], with the row from y; pooled[row, column], too.",
        ),
        "corners": Hint(
            "The last two numbers of a box are its second corner, not its width and height.", "width = x2 - x1."
        ),
        "border": Hint(
            "Points between a border and the outermost centers take the value at the border: in four bins of a 2 x 2 "
            "map "
            "of 0, 1, 2, 3 the first becomes 0.375.",
            "Limit y to 0 ... H - 1 and x to 0 ... W - 1.",
        ),
        "peak": Hint(
            "The bin is one position with the value 16, all others are 0. Each of its four points, at 1/4 and 3/4, is"
            " 1/4 "
            "away from the center in x and y: 16 * 3/4 * 3/4 = 9.",
            "(row + 0.25) and (row + 0.75) times the height of a bin; weights of (1 - distance) in x times (1 - "
            "distance) in y.",
        ),
        "high": Hint(
            "The box is 1 wide and 4 high: y1 and y2 belong to the rows, and a bin is as high as the box is, divided "
            "by size.",
            "bin height = (y2 - y1) / size, bin width = (x2 - x1) / size.",
        ),
        "small": Hint(
            "Bins may be smaller than a position; nothing is rounded or enlarged to one.",
            "Keep x1, y1, x2, y2 and the sides of the bins as they are.",
        ),
        "corner": Hint(
            "This box ends at the lower right corner of the map, beyond the last centers. y is limited by H - 1, x by "
            "W - 1, and the box is not.",
            "min(max(y, 0), H - 1) and min(max(x, 0), W - 1), after 0.5 was subtracted.",
        ),
        "weights": Hint(
            "The weights of the four neighbors: the nearer one counts more, the share in y is for the rows, that in x"
            " for "
            "the columns.",
            "(1 - v) * upper + v * lower with v = y - top; so in x.",
        ),
        "bins": Hint(
            "The result is size x size bins, of the size that is asked for, unrounded.", "np.zeros((size, size))."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_as_two_matrices, _interpolated_at_once, _with_torch),
    points=6,
    minutes=30,
    difficulty=3,
)
