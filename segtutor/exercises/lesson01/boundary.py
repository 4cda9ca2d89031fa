"""Exercise 1.12: IoU of the boundaries of two masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import mask
from segtutor.exercises.lesson01.iou import iou

STUB = '''
def boundary_iou(a, b, distance):
    """IoU of the boundaries of two masks: their own pixels at most `distance` rows and columns from the outside."""
    raise NotImplementedError("Write boundary_iou() here, then run this cell again.")
'''


def boundary_iou(a: np.ndarray, b: np.ndarray, distance: int) -> float:
    """IoU of the boundaries of two masks: their own pixels at most `distance` rows and columns from the outside."""
    boundaries = []
    for own in (a, b):
        height, width = own.shape
        padded = np.pad(own, distance)
        inner = own.copy()
        for down in range(2 * distance + 1):
            for right in range(2 * distance + 1):
                inner &= padded[down : down + height, right : right + width]
        boundaries.append(own & ~inner)
    return iou(boundaries[0], boundaries[1])


def _pixel_by_pixel(a, b, distance):  # type: ignore[no-untyped-def]
    def near_the_outside(picture, row, column):  # type: ignore[no-untyped-def]
        height, width = picture.shape
        for y in range(row - distance, row + distance + 1):
            for x in range(column - distance, column + distance + 1):
                if not (0 <= y < height and 0 <= x < width and picture[y, x]):
                    return True
        return False

    first, second = (
        {(row, column) for row, column in np.argwhere(picture).tolist() if near_the_outside(picture, row, column)}
        for picture in (a, b)
    )
    return len(first & second) / len(first | second) if first | second else float("nan")


def _step_by_step(a, b, distance):  # type: ignore[no-untyped-def]
    both = []
    for picture in (a, b):
        left = picture
        for _ in range(distance):
            rows = np.pad(left, ((1, 1), (0, 0)))
            left = rows[:-2] & rows[1:-1] & rows[2:]
            columns = np.pad(left, ((0, 0), (1, 1)))
            left = columns[:, :-2] & columns[:, 1:-1] & columns[:, 2:]
        both.append(picture & ~left)
    either = (both[0] | both[1]).sum()
    return (both[0] & both[1]).sum() / either if either else np.nan


def _with_torch(a, b, distance):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    pictures = torch.from_numpy(np.stack([a, b])).float()[:, None]
    outside = F.pad(1 - pictures, [distance] * 4, value=1.0)
    near = F.max_pool2d(outside, 2 * distance + 1, stride=1)
    first, second = (pictures * near)[:, 0]
    return (first * second).sum() / torch.maximum(first, second).sum()


def _boundary(picture, distance, pad=0, window=None):  # type: ignore[no-untyped-def]
    """The pixels less the erosion; `window` says whether a step down and right belongs to the neighborhood."""
    height, width = picture.shape
    padded = np.pad(picture, distance, constant_values=pad)
    inner = picture.copy()
    for down in range(-distance, distance + 1):
        for right in range(-distance, distance + 1):
            if window is None or window(down, right, distance):
                top, left = distance + down, distance + right
                inner &= padded[top : top + height, left : left + width]
    return picture & ~inner


def _scored(boundary, score=iou):  # type: ignore[no-untyped-def]
    return lambda a, b, distance: score(boundary(a, distance), boundary(b, distance))


def _windowed(window):  # type: ignore[no-untyped-def]
    return _scored(lambda picture, distance: _boundary(picture, distance, window=window))


def _if_empty(value):  # type: ignore[no-untyped-def]
    return lambda a, b, distance: boundary_iou(a, b, distance) if a.any() or b.any() else value


def _raises_if_empty(a, b, distance):  # type: ignore[no-untyped-def]
    first, second = _boundary(a, distance), _boundary(b, distance)
    return int((first & second).sum()) / int((first | second).sum())


def _rolled(picture, distance):  # type: ignore[no-untyped-def]
    steps = range(-distance, distance + 1)
    moved = [np.roll(picture, (down, right), (0, 1)) for down in steps for right in steps]
    return picture & ~np.all(moved, axis=0)


def _both_sides(picture, distance):  # type: ignore[no-untyped-def]
    return _boundary(picture, distance) | _boundary(~picture, distance, pad=1)


def _outer_side(picture, distance):  # type: ignore[no-untyped-def]
    return _boundary(~picture, distance, pad=1)


def _ends_of_rows(picture, distance):  # type: ignore[no-untyped-def]
    """The first and last pixels of each row and column only: the outline of a hole is forgotten."""
    found = np.zeros_like(picture)
    for mine, its in ((found, picture), (found.T, picture.T)):
        for line, row in zip(mine, its, strict=True):
            places = np.flatnonzero(row)
            line[places[:distance]] = line[places[-distance:]] = True
    return found


def _in_the_band_of_the_first(a, b, distance):  # type: ignore[no-untyped-def]
    band = _boundary(a, distance)
    return iou(a & band, b & band)


def _in_the_bands_of_both(a, b, distance):  # type: ignore[no-untyped-def]
    band = _boundary(a, distance) | _boundary(b, distance)
    return iou(a & band, b & band)


def _dice(first, second):  # type: ignore[no-untyped-def]
    total = first.sum() + second.sum()
    return 2 * (first & second).sum() / total if total else np.nan


def _writes(a, b, distance):  # type: ignore[no-untyped-def]
    result = boundary_iou(a, b, distance)
    a &= _boundary(a, distance)
    return result


_SQUARE = mask("......... .#####... .#####... .#####... .#####... .#####... .........")
_MOVED = mask("......... ..#####.. ..#####.. ..#####.. ..#####.. ..#####.. .........")
_HOLLOW = mask("......... .#####... .#...#... .#...#... .#...#... .#####... .........")
_NOTCH = mask("......... .####.... .#####... .#####... .#####... .#####... .........")
_SMALL = mask("..... .##.. .###. .....")
_SMALL_MOVED = mask("..... ..##. .###. .....")
_LARGE = mask("......... " + ".#######. " * 7 + ".........")
_SHRUNK = mask("......... " * 2 + "..#####.. " * 5 + "......... " * 2)
_WALL, _WALL_SHORT = np.ones((4, 5), dtype=bool), mask("####. ####. ####. ####.")
_NONE = np.zeros((3, 4), dtype=bool)
_ROWS, _COLUMNS = np.mgrid[:24, :31]
_DISC = (_ROWS - 11) ** 2 + (_COLUMNS - 14) ** 2 < 85
_RING = ((_ROWS - 12) ** 2 + (_COLUMNS - 16) ** 2 < 95) & ((_ROWS - 12) ** 2 + (_COLUMNS - 16) ** 2 > 9)
_CUT = (_ROWS - 3) ** 2 + (_COLUMNS - 20) ** 2 < 120


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    height, width = generator.integers(9, 26, 2).tolist()
    rows, columns = np.mgrid[:height, :width]
    middle, radius = (
        generator.uniform(0.35, 0.65, 2) * (height, width),
        generator.uniform(0.25, 0.5) * min(height, width),
    )
    moved, other = middle + generator.integers(-2, 3, 2), radius * generator.uniform(0.7, 1.2)
    masks = [np.hypot(rows - at[0], columns - at[1]) < side for at, side in ((middle, radius), (moved, other))]
    return *masks, int(generator.integers(1, 4))


EXERCISE = Exercise(
    id="1.12",
    title="Boundary IoU",
    name="boundary_iou",
    statement=r"""
Plain IoU hardly notices a sloppy outline: a large object is mostly inside. Boundary IoU scores the outlines alone.

The **boundary** of a mask holds those of *its own* pixels from which some pixel outside the mask is at most `distance`
rows **and** at most `distance` columns away, so that diagonal neighbors are one away. Beyond the edge of the picture
nothing belongs to a mask: where it touches the edge, the edge is its outline. Holes have an outline, too.

Write `boundary_iou(a, b, distance)` for two boolean masks of the same size: the IoU of the boundary of `a` with the
boundary of `b`, or `np.nan` if both masks are empty. Your `iou` is at hand.
""",
    stub=STUB,
    reference=boundary_iou,
    drawn=_drawn,
    cases=(
        Case("a square and the same moved by one", (_SQUARE, _MOVED, 1), 8 / 24),
        Case("a square and itself", (_SQUARE, _SQUARE, 1), 1.0),
        Case("a square and its outline alone", (_SQUARE, _HOLLOW, 1), 1.0),
        Case("a corner is missing", (_SQUARE, _NOTCH, 1), 15 / 17, "diagonal"),
        Case("a mask as large as the picture", (_WALL, _WALL_SHORT, 1), 10 / 16, "edge"),
        Case("distance 2", (_LARGE, _SHRUNK, 2), 16 / 48, "distance"),
        Case("distance 3, larger than the small square", (_LARGE, _SHRUNK, 3), 24 / 49, "distance"),
        Case("small masks are all boundary", (_SMALL, _SMALL_MOVED, 1), 4 / 6),
        Case("nothing in common", (_SMALL, mask("#...# ..... ..... #...#"), 1), 0.0),
        Case("a disc and a disc with a hole", (_DISC, _RING, 2)),
        Case("a hole and nothing else between them", (_RING, _CUT, 1)),
        Case("one cut off by the edge", (_DISC, _CUT, 3), hint="edge"),
        Case("both empty", (_NONE, _NONE, 1), np.nan, "empty"),
        Case("one empty", (_NONE, ~_NONE, 1), 0.0, "empty"),
    ),
    hints={
        "general": Hint(
            "First find the boundary of each mask, as a mask of its own. Then you know how to score two masks.",
            "A pixel is inside, and no boundary, if its whole neighborhood belongs to the mask. Move the mask by every "
            "step of the neighborhood and combine the moved ones with and: inside is what is set in all of them. A "
            "border of False around the mask takes care of the edge.",
        ),
        "plain": Hint(
            "This is the plain IoU of the masks. Only their boundaries are to be scored.",
            "Take off what lies deeper than `distance` from both masks first, then score what is left.",
        ),
        "inner": Hint(
            "You score what is left when the boundary is taken off. The boundary itself is wanted.",
            "The boundary is the mask, and not its inner part.",
        ),
        "diagonal": Hint(
            "Look at a missing corner: diagonal neighbors count. Pixels at most so many rows and so many columns away "
            "form a square, neither a cross nor a circle.",
            "Let the steps down and to the right both run from minus distance to distance, in all combinations.",
        ),
        "edge": Hint(
            "Look at a mask that touches the edge of the picture: beyond it nothing belongs to the mask, so the edge "
            "is its outline.",
            "Put a border of False around the mask, as wide as the distance, before you look at neighbors.",
        ),
        "around": Hint(
            "np.roll brings in at one edge what leaves at the other. Beyond the edge nothing belongs to a mask.",
            "Put a border of False around the mask before you move it, and cut it off afterwards.",
        ),
        "distance": Hint(
            "The boundary does not have the right thickness: it is `distance` pixels deep, along the rows as along the "
            "columns.",
            "At distance 1 the neighborhood is 3 x 3, at distance 2 it is 5 x 5; the third argument decides.",
        ),
        "outside": Hint(
            "Your boundary has pixels that do not belong to the mask. It is made of the mask's own pixels.",
            "Leave out what lies on the other side of the outline.",
        ),
        "band": Hint(
            "You compare the masks within one band. Each mask has a boundary of its own, and these two are compared.",
            "Compute the boundary of `a` from `a` alone and that of `b` from `b` alone.",
        ),
        "hole": Hint(
            "Look at a mask with a hole: the outline of the hole is a boundary, too.",
            "Ask every pixel of the mask about its neighborhood, not only the first and last ones of a row.",
        ),
        "dice": Hint(
            "You divide by something else than the union of the two boundaries.",
            "Your iou of 1.1, applied to the two boundaries, is all that is missing.",
        ),
        "smaller": Hint(
            "You take the smaller one of IoU and boundary IoU. COCO's evaluator does so; here boundary IoU is wanted "
            "as it is.",
            "Return the score of the boundaries alone. (A hollow square has 1 then, which is why COCO takes both.)",
        ),
        "empty": Hint(
            "Two empty masks have no boundaries, and there is nothing to score: NaN. If only one is empty, it is 0.",
            "Your iou of 1.1 does both by itself.",
        ),
        "in place": Hint(
            "The argument is changed: the caller's mask is gone afterwards.",
            "Work on a copy of the mask.",
        ),
    },
    mistakes=(
        Mistake("plain IoU", lambda a, b, _: iou(a, b), "plain"),
        Mistake("IoU of the inner parts", _scored(lambda m, d: m & ~_boundary(m, d)), "inner"),
        Mistake("a cross", _windowed(lambda down, right, _: down == 0 or right == 0), "diagonal"),
        Mistake("a diamond", _windowed(lambda down, right, d: abs(down) + abs(right) <= d), "diagonal"),
        Mistake("a circle", _windowed(lambda down, right, d: down**2 + right**2 <= d**2), "diagonal"),
        Mistake("beyond the edge belongs to it", _scored(lambda m, d: _boundary(m, d, pad=1)), "edge"),
        Mistake("rolled around", _scored(_rolled), "around"),
        Mistake("one too thick", lambda a, b, d: boundary_iou(a, b, d + 1), "distance"),
        Mistake("half as thick", lambda a, b, d: boundary_iou(a, b, d // 2) if d > 1 else np.nan, "distance"),
        Mistake("distance not used", lambda a, b, _: boundary_iou(a, b, 1), "distance"),
        Mistake("only along the rows", _windowed(lambda down, right, _: down == 0), "diagonal"),
        Mistake("to the upper left only", _windowed(lambda down, right, _: down <= 0 and right <= 0), "distance"),
        Mistake("both sides of the outline", _scored(_both_sides), "outside"),
        Mistake("the outer side", _scored(_outer_side), "outside"),
        Mistake("in the band of the first", _in_the_band_of_the_first, "band"),
        Mistake("in the band of the second", lambda a, b, d: _in_the_band_of_the_first(b, a, d), "band"),
        Mistake("in the bands of both", _in_the_bands_of_both, "band"),
        Mistake("ends of the rows and columns", _scored(_ends_of_rows), "hole"),
        Mistake("Dice", _scored(_boundary, _dice), "dice"),
        Mistake("over the first", _scored(_boundary, lambda a, b: (a & b).sum() / a.sum()), "dice"),
        Mistake("share of the picture", _scored(_boundary, lambda a, b: (a == b).mean()), "dice"),
        Mistake("the smaller of two", lambda a, b, d: np.minimum(iou(a, b), boundary_iou(a, b, d)), "smaller"),
        Mistake("both empty gives 0", _if_empty(0.0), "empty"),
        Mistake("both empty gives 1", _if_empty(1.0), "empty"),
        Mistake("both empty divides by zero", _raises_if_empty, "empty"),
        Mistake(
            "NaN if one is empty", lambda a, b, d: boundary_iou(a, b, d) if a.any() and b.any() else np.nan, "empty"
        ),
        Mistake("writes the boundary", _writes, "in place"),
    ),
    alternatives=(_pixel_by_pixel, _step_by_step, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
