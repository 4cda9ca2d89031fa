"""Exercise 5.10: from the mask of a box to the mask in the picture."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.paste_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def paste_mask(mask, box, height, width, threshold):
    """Mask of a picture: where the M x M probabilities `mask`, stretched over the box, are at least `threshold`."""
    raise NotImplementedError("Write paste_mask() here, then run this cell again.")
'''


def paste_mask(mask: np.ndarray, box: np.ndarray, height: int, width: int, threshold: float) -> np.ndarray:
    """Mask of a picture: where the M x M probabilities `mask`, stretched over the box, are at least `threshold`."""
    x1, y1, x2, y2 = box
    side = len(mask)
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    row = np.clip((y - y1) / (y2 - y1) * side - 0.5, 0, side - 1)
    column = np.clip((x - x1) / (x2 - x1) * side - 0.5, 0, side - 1)
    top, left = row.astype(int), column.astype(int)
    bottom, right = np.minimum(top + 1, side - 1), np.minimum(left + 1, side - 1)
    down, across = (row - top)[:, None], column - left
    above = mask[top][:, left] * (1 - across) + mask[top][:, right] * across
    below = mask[bottom][:, left] * (1 - across) + mask[bottom][:, right] * across
    inside = ((y > y1) & (y < y2))[:, None] & ((x > x1) & (x < x2))
    return inside & (above * (1 - down) + below * down >= threshold)


def _as_two_matrices(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    def weights(start, end, count):  # type: ignore[no-untyped-def]
        center = np.arange(count) + 0.5
        place = np.clip((center - start) / (end - start) * len(mask) - 0.5, 0, len(mask) - 1)
        return np.maximum(1 - np.abs(place[:, None] - np.arange(len(mask))), 0), (center > start) & (center < end)

    (down, rows), (across, columns) = weights(box[1], box[3], height), weights(box[0], box[2], width)
    return (down @ mask @ across.T >= threshold) & np.outer(rows, columns)


def _pixel_by_pixel(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    x1, y1, x2, y2 = map(float, box)
    side, values = len(mask), mask.tolist()
    picture = [[False] * width for _ in range(height)]
    for i in range(height):
        for j in range(width):
            if not (y1 < i + 0.5 < y2 and x1 < j + 0.5 < x2):
                continue
            v = min(max((i + 0.5 - y1) / (y2 - y1) * side - 0.5, 0.0), side - 1.0)
            u = min(max((j + 0.5 - x1) / (x2 - x1) * side - 0.5, 0.0), side - 1.0)
            top, left = min(int(v), side - 2), min(int(u), side - 2)
            v, u = v - top, u - left
            value = (1 - v) * ((1 - u) * values[top][left] + u * values[top][left + 1])
            value += v * ((1 - u) * values[top + 1][left] + u * values[top + 1][left + 1])
            picture[i][j] = value >= threshold
    return picture


def _with_torch(mask, box, height, width, threshold):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    x1, y1, x2, y2 = map(float, box)
    v = (torch.from_numpy(np.arange(height) + 0.5) - y1) / (y2 - y1) * 2 - 1
    u = (torch.from_numpy(np.arange(width) + 0.5) - x1) / (x2 - x1) * 2 - 1
    grid = torch.stack([u.expand(height, width), v[:, None].expand(height, width)], dim=-1)
    sampled = F.grid_sample(torch.from_numpy(mask)[None, None], grid[None], padding_mode="border", align_corners=False)
    return (sampled[0, 0] >= threshold) & (v.abs() < 1)[:, None] & (u.abs() < 1)


def _blob(seed: int, side: int) -> np.ndarray:
    """Probabilities of a smooth, lopsided shape."""
    generator = seeded(seed)
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    slope = generator.uniform(-0.3, 0.3, 2)
    wave = 0.25 * np.sin(7 * x + generator.uniform(0, 6)) * np.cos(5 * y + generator.uniform(0, 6))
    return np.round(
        np.clip(0.9 - 2.2 * ((x - 0.45) ** 2 + (y - 0.55) ** 2) + slope[0] * x + slope[1] * y + wave, 0, 1), 3
    )


_ONES = np.ones((28, 28))
_LEFT = np.array([[1.0, 0.0], [1.0, 0.0]])
_CROSS = np.array([[0.9, 0.2], [0.4, 0.5]])


def _columns(first: int, last: int, height: int, width: int, rows: slice = slice(None)) -> np.ndarray:
    picture = np.zeros((height, width), dtype=bool)
    picture[rows, first:last] = True
    return picture


EXERCISE = Exercise(
    id="5.10",
    title="Paste a mask",
    name="paste_mask",
    statement="""
The mask branch answers with M x M probabilities for a box, whatever its size. Write
`paste_mask(mask, box, height, width, threshold)`, which makes a boolean mask of the picture, height x width:

- Stretch the mask over the box (x1, y1, x2, y2), which need not lie on whole pixels and may reach beyond the picture.
- Ask it **at the center of each pixel**: pixel (row i, column j) at (j + 0.5, i + 0.5). As in 5.9, the value of an
  entry of the mask stands at *its* center; interpolate bilinearly, and beyond the outermost centers take the border's
  value.
- The pixel belongs to the object if the value is at least `threshold` and its center lies inside the box.

A mask of ones in the box (10, 10, 20, 20) thus gives 100 pixels. A widespread implementation gives 144.
""",
    stub=STUB,
    reference=paste_mask,
    cases=(
        Case(
            "28 x 28 ones in the box (10, 10, 20, 20): 100 pixels",
            (_ONES, np.array([10.0, 10, 20, 20]), 30, 30, 0.5),
            _columns(10, 20, 30, 30, slice(10, 20)),
            "ones",
        ),
        Case(
            "left half of the mask",
            (_LEFT, np.array([0.0, 0, 4, 4]), 4, 6, 0.5),
            _columns(0, 2, 4, 6),
            "half",
        ),
        Case(
            "the values 1, 0.75, 0.25, 0 and the threshold 0.8",
            (_LEFT, np.array([1.0, 0, 5, 4]), 4, 6, 0.8),
            _columns(1, 2, 4, 6),
            "gradual",
        ),
        Case(
            "beyond the outermost centers, threshold a little higher",
            (np.array([[0.6, 0.4], [0.4, 0.2]]), np.array([1.0, 0, 5, 4]), 4, 6, 0.62),
            _columns(0, 0, 4, 6),
            "border",
        ),
        Case(
            "beyond the outermost centers, threshold a little lower",
            (np.array([[0.6, 0.4], [0.4, 0.2]]), np.array([1.0, 0, 5, 4]), 4, 6, 0.18),
            _columns(1, 5, 4, 6),
            "border",
        ),
        Case(
            "threshold 0: all of the box, and nothing else",
            (np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([1.0, 1, 4, 3]), 4, 6, 0.0),
            _columns(1, 4, 4, 6, slice(1, 3)),
            "zero",
        ),
        Case(
            "a box between the pixels: two columns, three rows",
            (_ONES, np.array([0.6, 0.4, 3.4, 2.6]), 5, 5, 0.5),
            _columns(1, 3, 5, 5, slice(0, 3)),
            "rounded",
        ),
        Case(
            "a box that begins outside of the picture",
            (_ONES, np.array([-2.0, -3, 2, 3]), 5, 6, 0.5),
            _columns(0, 2, 5, 6, slice(0, 3)),
            "outside",
        ),
        Case(
            "one value equal to the threshold",
            (_CROSS, np.array([1.0, 1, 3, 3]), 4, 4, 0.5),
            np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=bool),
            "cross",
        ),
        Case("a shape in a wide box", (_blob(0, 14), np.array([3.3, 5.8, 27.1, 18.2]), 24, 32, 0.5)),
        Case("a shape in a high box, threshold 0.35", (_blob(1, 28), np.array([8.2, 1.7, 16.9, 22.4]), 24, 30, 0.35)),
        Case("a shape that leaves the picture", (_blob(2, 28), np.array([14.6, 9.2, 35.5, 30.1]), 24, 30, 0.5)),
        Case(
            "one entry of four, threshold just below a value",
            (np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, 0, 4, 4]), 4, 4, 0.5615),
            np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=bool),
            "gradual",
        ),
        Case(
            "one entry of four, threshold 0.99",
            (np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, 0, 4, 4]), 4, 4, 0.99),
            np.pad(np.ones((1, 1), dtype=bool), ((0, 3), (0, 3))),
            "border",
        ),
        Case(
            "a box whose edges lie near the centers of pixels",
            (_ONES, np.array([0.505, 0.495, 3.495, 3.505]), 5, 5, 0.5),
            _columns(1, 3, 5, 5, slice(0, 4)),
            "rounded",
        ),
        Case("a mask of 300 x 300", (_blob(3, 300), np.array([2.3, 1.2, 17.4, 13.6]), 16, 20, 0.5), hint="sides"),
    ),
    hints={
        "general": Hint(
            "For each pixel: where in the mask does its center lie? It is the inverse way of resizing.",
            "What share of the box's side lies before the center of the pixel? This share of M entries, less half an "
            "entry, is the place in the mask. Limit it to the outermost centers and interpolate as in 5.9. At the end "
            "two conditions must hold, one on the value and one on the center.",
        ),
        "one more": Hint(
            "The object does not have the size of its box: a border was added or the box widened, as the widespread "
            "implementation does.",
            "Do not pad, and do not round: ask the mask at the pixels' centers, and only inside the box.",
        ),
        "centers": Hint(
            "The pixels are not asked at their centers. Everything moves by half a pixel.",
            "np.arange(height) + 0.5.",
        ),
        "nearest": Hint(
            "Between two entries of the mask the value must change gradually; no pixel takes the value of one entry.",
            "Interpolate bilinearly between the four entries around it.",
        ),
        "threshold first": Hint(
            "The mask is made 0 and 1 before it is stretched, which throws away where exactly its border lies.",
            "Interpolate the probabilities, then compare with the threshold.",
        ),
        "equal": Hint("A value equal to the threshold belongs to the object.", "value >= threshold."),
        "rounded": Hint(
            "The box need not lie on whole pixels. It is not rounded; a pixel belongs to it if its center lies inside.",
            "Use x1, y1, x2, y2 as they are, and compare them with i + 0.5 and j + 0.5.",
        ),
        "stretched": Hint(
            "The centers of the outer entries lie on the edges of the box. They belong half an entry further inside.",
            "(y - y1) / (y2 - y1) * M - 0.5, not times (M - 1).",
        ),
        "fade": Hint(
            "Near the edges of the box the border's value holds up to the edge: no fading to 0, no going straight on.",
            "Limit row and column to 0 ... M - 1 before you interpolate.",
        ),
        "inside": Hint(
            "What counts is whether the *center* of the pixel lies inside the box, in x and in y; the border's value "
            "goes "
            "on outside, the object does not.",
            "Require y1 < i + 0.5 < y2 and x1 < j + 0.5 < x2.",
        ),
        "outside": Hint(
            "The box reaches beyond the picture. The mask is stretched over all of it, and the picture shows a part. "
            "(A "
            "negative number in a slice counts from the end.)",
            "Go over the pixels of the picture, not over those of the box, and do not cut the box off.",
        ),
        "axes": Hint("x and y are exchanged.", "The box is x1, y1, x2, y2; x goes with columns, y with rows."),
        "soft": Hint("These are probabilities. Wanted is a truth value for each pixel.", "Return values >= threshold."),
        "ones": Hint(
            "The mask is 1 everywhere, so the object is just the box: all pixels whose centers lie in it, 10 x 10, "
            "and no "
            "other; the result is height x width.",
            "value >= threshold, and y1 < i + 0.5 < y2 and x1 < j + 0.5 < x2.",
        ),
        "half": Hint(
            "The entries 1 and 0 have their centers at 1/4 and 3/4 of the box; the pixels at 0.5, 1.5, 2.5 and 3.5 "
            "get 1, "
            "0.75, 0.25 and 0.",
            "row = (i + 0.5 - y1) / (y2 - y1) * M - 0.5.",
        ),
        "gradual": Hint(
            "The values 1, 0.75, 0.25, 0 of one row are compared with 0.8: only the first pixel of the box is left.",
            "Interpolate bilinearly, then compare with the threshold as it is given.",
        ),
        "border": Hint(
            "The outer pixels of the box lie beyond the outermost centers of the mask. There the border's value holds.",
            "Limit row and column to 0 ... M - 1 before you interpolate.",
        ),
        "zero": Hint(
            "With the threshold 0 every value is large enough: the whole box belongs to the object, also where the "
            "mask "
            "is 0, and nothing outside.",
            "(values >= threshold) & inside, with threshold as it is.",
        ),
        "given": Hint("The threshold is an argument: others than 0.5 come, too.", "values >= threshold."),
        "picture": Hint(
            "The result is the whole picture: height rows and width columns of truth values.",
            "np.zeros((height, width), dtype=bool).",
        ),
        "weights": Hint("The nearer entry counts more.", "(1 - v) * upper + v * lower, with v = row - top."),
        "sides": Hint(
            "y is divided by the height of the box, x by its width, and M is the side of *this* mask.",
            "(y - y1) / (y2 - y1) * len(mask) and (x - x1) / (x2 - x1) * len(mask).",
        ),
        "cross": Hint(
            "Each pixel lies on the center of one entry: 0.9 and 0.2 above, 0.4 and 0.5 below; at least 0.5 are the "
            "first "
            "and the last.",
            "Rows of the mask go down the picture; value >= threshold.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_as_two_matrices, _pixel_by_pixel, _with_torch),
    points=5,
    minutes=30,
    difficulty=3,
)
