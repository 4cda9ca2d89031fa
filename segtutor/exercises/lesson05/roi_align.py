"""Exercise 5.9: RoIAlign of one box on one channel."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

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


def _pooled(  # type: ignore[no-untyped-def]
    values, box, size, half=0.5, points=(0.25, 0.75), combine=np.mean, read=None, box_of=None, outside="clip",
    shares=lambda v, u: (v, u), sides=lambda high, wide: (high, wide), limits=lambda high, wide: (high, wide),
    pick=None,
):  # fmt: skip
    """RoIAlign with the switches of the mistakes; as it stands, the right one."""
    x1, y1, x2, y2 = box if box_of is None else box_of(np.asarray(box))
    height, width = values.shape
    places = (np.arange(size)[:, None] + np.array(points)).ravel()
    high, wide = sides((y2 - y1) / size, (x2 - x1) / size)
    y, x = y1 + places * high - half, x1 + places * wide - half
    if outside in ("zero", "fade"):
        values, y, x, height, width = np.pad(values, 1), y + 1, x + 1, height + 2, width + 2
    inside = ((y >= 1) & (y <= height - 2))[:, None] & ((x >= 1) & (x <= width - 2))
    if outside != "straight on":
        rows, columns = limits(height, width)
        y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
    if read is not None:
        y, x = read(y), read(x)
    top, left = np.clip(np.floor(y), 0, height - 2).astype(int), np.clip(np.floor(x), 0, width - 2).astype(int)
    v, u = shares((y - top)[:, None] + 0 * x, (x - left) + 0 * y[:, None])
    above = values[top][:, left] * (1 - u) + values[top][:, left + 1] * u
    sampled = above * (1 - v) + (values[top + 1][:, left] * (1 - u) + values[top + 1][:, left + 1] * u) * v
    if outside == "zero":
        sampled = sampled * inside
    sampled = sampled.reshape(size, len(points), size, len(points))
    return combine(sampled, axis=(1, 3)) if pick is None else pick(sampled.transpose(0, 2, 1, 3))


def _rounded_box(box):  # type: ignore[no-untyped-def]
    return np.round(box)


def _cropped(values, box, size):  # type: ignore[no-untyped-def]
    """RoIPool with a mean: whole positions for the box, and for the bins."""
    x1, y1, x2, y2 = (round(float(side)) for side in box)
    crop = values[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    rows, columns = (np.linspace(0, count, size + 1) for count in crop.shape)
    return np.array(
        [
            [
                crop[int(rows[r]) : int(np.ceil(rows[r + 1])), int(columns[c]) : int(np.ceil(columns[c + 1]))].mean()
                for c in range(size)
            ]
            for r in range(size)
        ]
    )


def _from_sizes(box):  # type: ignore[no-untyped-def]
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


_RAMP = np.arange(25.0).reshape(5, 5)
_FOUR = np.array([[0.0, 1.0], [2.0, 3.0]])
_SPIKE = np.array([[0.0, 0.0, 0.0], [0.0, 16.0, 0.0], [0.0, 0.0, 0.0]])


def _map(seed: int, height: int, width: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=(height, width)), 2)


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
            "y = y1 + (row + 0.25) * (y2 - y1) / size - 0.5, limited to 0 ... H - 1; top = int(y); weight y - top for "
            "the row below.",
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
    mistakes=(
        Mistake("half a position too far (legacy)", lambda v, b, s: _pooled(v, b, s, half=0.0), "half"),
        Mistake("half a position added", lambda v, b, s: _pooled(v, b, s, half=-0.5), "half added"),
        Mistake("one point per bin", lambda v, b, s: _pooled(v, b, s, points=(0.5,)), "points"),
        Mistake("points at 0 and 1/2", lambda v, b, s: _pooled(v, b, s, points=(0.0, 0.5)), "points"),
        Mistake("points at the corners of the bins", lambda v, b, s: _pooled(v, b, s, points=(0.0, 1.0)), "points"),
        Mistake("points at thirds", lambda v, b, s: _pooled(v, b, s, points=(1 / 3, 2 / 3)), "points"),
        Mistake("maximum", lambda v, b, s: _pooled(v, b, s, combine=np.max), "combine"),
        Mistake("sum", lambda v, b, s: _pooled(v, b, s, combine=np.sum), "combine"),
        Mistake("nearest position", lambda v, b, s: _pooled(v, b, s, read=np.rint), "nearest"),
        Mistake("position to the upper left", lambda v, b, s: _pooled(v, b, s, read=np.floor), "nearest"),
        Mistake("box rounded", lambda v, b, s: _pooled(v, b, s, box_of=_rounded_box), "rounded"),
        Mistake("RoIPool with a mean", _cropped, "rounded"),
        Mistake("y before x", lambda v, b, s: _pooled(v, b[[1, 0, 3, 2]], s), "axes"),
        Mistake("transposed", lambda v, b, s: _pooled(v, b, s).T, "axes"),
        Mistake("box is x, y, width, height", lambda v, b, s: _pooled(v, b, s, box_of=_from_sizes), "corners"),
        Mistake("0 beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="zero"), "border"),
        Mistake("a whole position subtracted", lambda v, b, s: _pooled(v, b, s, half=1.0), "half"),
        Mistake("half of a bin subtracted", lambda v, b, s: _pooled(v, b, s, half=(b[2] - b[0]) / s / 2), "half"),
        Mistake("upper left point", lambda v, b, s: _pooled(v, b, s, points=(0.25,)), "points"),
        Mistake("lower right point", lambda v, b, s: _pooled(v, b, s, points=(0.75,)), "points"),
        Mistake("4 x 4 points", lambda v, b, s: _pooled(v, b, s, points=(1 / 8, 3 / 8, 5 / 8, 7 / 8)), "points"),
        Mistake("3 x 3 points", lambda v, b, s: _pooled(v, b, s, points=(1 / 6, 1 / 2, 5 / 6)), "points"),
        Mistake("points at 1/2 and 1", lambda v, b, s: _pooled(v, b, s, points=(0.5, 1.0)), "points"),
        Mistake(
            "the diagonal points",
            lambda v, b, s: _pooled(v, b, s, pick=lambda at: np.trace(at, axis1=2, axis2=3) / 2),
            "points",
        ),
        Mistake("minimum", lambda v, b, s: _pooled(v, b, s, combine=np.min), "combine"),
        Mistake("median", lambda v, b, s: _pooled(v, b, s, combine=np.median), "combine"),
        Mistake("position to the lower right", lambda v, b, s: _pooled(v, b, s, read=np.ceil), "nearest"),
        Mistake("position of the point", lambda v, b, s: _pooled(v, b, s, half=0.0, read=np.floor), "nearest"),
        Mistake("interpolated in x only", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (0 * v, u)), "nearest"),
        Mistake("interpolated in y only", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (v, 0 * u)), "nearest"),
        Mistake(
            "mean of the four neighbors",
            lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (0 * v + 0.5, 0 * u + 0.5)),
            "nearest",
        ),
        Mistake("weights exchanged", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (1 - v, 1 - u)), "weights"),
        Mistake("share of x for the rows", lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (u, v)), "weights"),
        Mistake(
            "box rounded outwards",
            lambda v, b, s: _pooled(v, b, s, box_of=lambda b: np.array([*np.floor(b[:2]), *np.ceil(b[2:])])),
            "rounded",
        ),
        Mistake("box cut to whole positions", lambda v, b, s: _pooled(v, b, s, box_of=np.trunc), "rounded"),
        Mistake(
            "bins of whole positions",
            lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1, round(h)), max(1, round(w)))),
            "rounded",
        ),
        Mistake(
            "bins of at least a position",
            lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1, h), max(1, w))),
            "small",
        ),
        Mistake(
            "box of at least a position",
            lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (max(1 / s, h), max(1 / s, w))),
            "small",
        ),
        Mistake("bins as high as wide", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (w, w)), "high"),
        Mistake("bins as wide as high", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (h, h)), "high"),
        Mistake("sides of the bins exchanged", lambda v, b, s: _pooled(v, b, s, sides=lambda h, w: (w, h)), "high"),
        Mistake(
            "a pixel more", lambda v, b, s: _pooled(v, b, s, box_of=lambda b: b + np.array([0, 0, 1, 1])), "corners"
        ),
        Mistake("fades beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="fade"), "border"),
        Mistake("straight on beyond the centers", lambda v, b, s: _pooled(v, b, s, outside="straight on"), "border"),
        Mistake(
            "limits exchanged", lambda v, b, s: _pooled(v, b, s, limits=lambda h, w: (min(w, h), min(w, h))), "corner"
        ),
        Mistake("limited to H - 2", lambda v, b, s: _pooled(v, b, s, limits=lambda h, w: (h - 1, w - 1)), "corner"),
        Mistake(
            "box limited to the last centers",
            lambda v, b, s: _pooled(v, b, s, box_of=lambda b: np.minimum(b, [v.shape[1] - 1, v.shape[0] - 1] * 2)),
            "corner",
        ),
        Mistake("7 x 7", lambda v, b, s: _pooled(v, b, 7), "bins"),
        Mistake("flat", lambda v, b, s: _pooled(v, b, s).ravel(), "bins"),
        Mistake("rounded result", lambda v, b, s: _pooled(v, b, s).round(1), "bins"),
        Mistake(
            "smooth weights",
            lambda v, b, s: _pooled(v, b, s, shares=lambda v, u: (v * v * (3 - 2 * v), u * u * (3 - 2 * u))),
            "weights",
        ),
    ),
    alternatives=(_as_two_matrices, _interpolated_at_once, _with_torch),
    points=6,
    minutes=30,
    difficulty=3,
)
