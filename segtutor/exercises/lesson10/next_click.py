"""Exercise 10.5: where the next click goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import ndimage
from segtutor.exercises.lesson10.inputs import errors
from segtutor.exercises.lesson10.next_click_mistakes import MISTAKES

STUB = '''
def next_click(logits, target, known):
    """(x, y, label) of a click in the middle of the largest error, or None where nothing is wrong."""
    raise NotImplementedError("Write next_click() here, then run this cell again.")
'''


def next_click(logits: np.ndarray, target: np.ndarray, known: np.ndarray) -> tuple[int, int, int] | None:
    """(x, y, label) of a click in the middle of the largest error, or None where nothing is wrong."""
    found = logits > 0
    best = None
    for label, wrong in ((1, target & ~found & known), (0, found & ~target & known)):
        regions, count = ndimage.label(wrong)
        for number in range(1, count + 1):
            region = regions == number
            if best is None or region.sum() > best[0].sum():
                best = region, label
    if best is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(best[0], 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y), best[1]


def _with_the_package(logits, target, known):  # type: ignore[no-untyped-def]
    from segtutor.inference import clicks

    found = clicks.next_click(logits > 0, target, known)
    return None if found is None else (*found[0], found[1])


def _with_all_distances(logits, target, known):  # type: ignore[no-untyped-def]
    """Distances from every pixel of the largest region to every one outside."""
    state = np.where(known & (target != (logits > 0)), 1 + target, 0)  # 1 too much, 2 missed
    numbers = [ndimage.label(state == kind)[0] for kind in (1, 2)]
    regions = [one == number for one in numbers for number in range(1, one.max() + 1)]
    if not regions:
        return None
    largest = np.pad(max(regions, key=np.sum), 1)
    inside, outside = np.argwhere(largest), np.argwhere(~largest)
    depths = ((inside[:, None] - outside) ** 2).sum(axis=2).min(axis=1)
    y, x = inside[depths.argmax()] - 1
    return x, y, target[y, x]


def _with_all_regions_at_once(logits, target, known):  # type: ignore[no-untyped-def]
    wrong = np.stack([(logits > 0) & ~target, target & (logits <= 0)]) & known
    if not wrong.any():
        return None
    apart = np.zeros((3, 3, 3), dtype=bool)
    apart[1] = ndimage.generate_binary_structure(2, 1)
    regions, _ = ndimage.label(wrong, structure=apart)
    sizes = np.bincount(regions.ravel())
    largest = regions == 1 + sizes[1:].argmax()
    label = int(largest[1].any())
    depth = ndimage.distance_transform_edt(np.pad(largest[label], 1, constant_values=False))[1:-1, 1:-1]
    place = int(depth.argmax())
    return place % depth.shape[1], place // depth.shape[1], label


def _drawing(rows: list[str]) -> tuple[Any, ...]:
    """A picture of letters: # inside and found, - missed, + too much, ? void that was found, _ void that was missed."""
    letters = np.array([list(row) for row in rows])
    found = np.isin(letters, ["#", "+", "?"])
    target = np.isin(letters, ["#", "-", "_"])
    return np.where(found, 0.4, -0.4), target, ~np.isin(letters, ["?", "_"])


EXERCISE = Exercise(
    id="10.5",
    title="The next click",
    name="next_click",
    statement="""
Clicks are simulated to measure how many an object takes: each goes where a person would put it, into the middle of the
largest error. Write `next_click(logits, target, known)`. All three are H x W: logits of the last answer (above 0 is
inside), the target of True and False, and where pixels count.

- An error is a known pixel that is missed (in the target, not found) or too much (found, not in the target). Errors of
  one kind that touch by their *sides* form a region; missed and too much never join.
- Take the region with the most pixels. In the check no two largest ones are of the same size.
- Its middle is the pixel with the largest distance to the nearest pixel outside the region, measured as the crow
  flies from center to center. What lies beyond the picture is outside. Of several, take the first in reading order.

Return (x, y, label): whole numbers, with label 1 if the click says *this, too* and 0 if it says *not this*. Return
None where nothing is wrong. `ndimage` is SciPy's.
""",
    stub=STUB,
    reference=next_click,
    cases=(
        Case("one pixel is missed", _drawing(["....", ".##-", "...."]), np.array([3, 1, 1]), "order"),
        Case("two are too much", _drawing([".....", "##.++", "....-"]), np.array([3, 1, 0]), "largest"),
        Case("nothing is wrong", _drawing(["..", "##"]), None, "none"),
        Case(
            "the middle of a square",
            _drawing([".......", ".-----.", ".-----.", ".-----.", ".-----.", ".-----.", "......."]),
            np.array([3, 3, 1]),
            "middle",
        ),
        Case(
            "at the picture's border",
            _drawing(["+++++", "+++++", "+++++", "....."]),
            np.array([1, 1, 0]),
            "border",
        ),
        Case(
            "missed and too much side by side",
            _drawing(["--++.", "--++.", ".....", "-----"]),
            np.array([0, 3, 1]),
            "kinds",
        ),
        Case(
            "regions that touch by a corner",
            _drawing(["--...", "--...", "..--.", "..--.", ".....", "+++++"]),
            np.array([0, 5, 0]),
            "sides",
        ),
        Case(
            "void is no error",
            _drawing(["????", "????", "...-", "____"]),
            np.array([3, 2, 1]),
            "void",
        ),
        Case(
            "logits of 0 are outside",
            (np.array([[0.0, 0.0, 0.0, -1.0, 0.0]]), np.arange(5)[None] == 4, np.ones((1, 5), dtype=bool)),
            np.array([4, 0, 1]),
            "threshold",
        ),
        Case(
            "a ring, whose center of gravity is not in it",
            _drawing(["+++++++", "+++++++", "++...++", "++...++", "++...++", "+++++++", "+++++++"]),
            hint="middle",
        ),
        Case(
            "the largest region is not the deepest",
            _drawing(["+++......", "+++......", "+++......", ".........", "----------"[:9], "---......"]),
            hint="largest",
        ),
        Case(
            "a corner is cut off",
            _drawing(["-----..", "-----..", "------.", "-------", "-------", "-----.."]),
            hint="middle",
        ),
        Case(
            "distances are straight lines, and no steps along rows and columns",
            _drawing([".-----", "------", "------", ".-----", "..---."]),
            np.array([3, 2, 1]),
            "middle",
        ),
        Case("a rectangle of 16 x 24", errors(0, (16, 24))),
        Case("one of 20 x 12", errors(1, (20, 12))),
        Case("one of 14 x 14", errors(2, (14, 14))),
        Case("one of 12 x 30", errors(3, (12, 30))),
    ),
    hints={
        "general": Hint(
            "Three steps: two masks of errors, their connected regions, and the deepest pixel of the largest one.",
            "Two functions of ndimage do the geometry: label numbers the regions of one kind, and "
            "distance_transform_edt gives every pixel's distance to the nearest False; a frame of False makes the "
            "border count as outside.",
        ),
        "order": Hint(
            "A click is (x, y): the column comes first.", "np.unravel_index gives the row first; turn it round."
        ),
        "label": Hint(
            "The label says what is *meant* there: 1 for what was missed, 0 for what is too much.",
            "It is the target at that pixel.",
        ),
        "largest": Hint(
            "The region with the most pixels is wanted, of either kind.",
            "Compare all regions of both kinds by their number of pixels, not by their depth or their order.",
        ),
        "kinds": Hint(
            "Missed pixels and pixels that are too much are two kinds, and never one region.",
            "Number the regions of each kind by itself.",
        ),
        "sides": Hint("A corner does not connect.", "ndimage.label's own structure joins by sides."),
        "middle": Hint(
            "The middle is the pixel farthest from all that is outside; a center of gravity may lie outside itself.",
            "The largest value of ndimage.distance_transform_edt of this region alone; the first of equals.",
        ),
        "border": Hint(
            "Beyond the picture is outside, too.",
            "Put a frame of False around the region before you measure distances, and cut it off afterwards.",
        ),
        "void": Hint("Where pixels are not known, nothing is wrong.", "Combine both kinds of errors with known."),
        "none": Hint("Where nothing is wrong, no click is needed: return None.", "Ask for it before the maximum."),
        "threshold": Hint("Logits above 0 are inside.", "logits > 0, not 0.5."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_the_package, _with_all_distances, _with_all_regions_at_once),
    points=5,
    minutes=30,
    difficulty=3,
)  # fmt: skip
