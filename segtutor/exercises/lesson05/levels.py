"""Exercise 5.8: the level of the pyramid from which a box is pooled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.seeds import seeded

STUB = '''
def assign_levels(boxes, size, shorter, longer):
    """R levels, 2 to 5, of R x 4 boxes in a picture of `size`, after the picture is resized to the two limits."""
    raise NotImplementedError("Write assign_levels() here, then run this cell again.")
'''


def assign_levels(boxes: np.ndarray, size: tuple[int, int], shorter: int, longer: int) -> np.ndarray:
    """R levels, 2 to 5, of R x 4 boxes in a picture of `size`, after the picture is resized to the two limits."""
    scale = min(shorter / min(size), longer / max(size))
    width, height = scale * (boxes[:, 2:] - boxes[:, :2]).T
    level = np.floor(4 + np.log2(np.sqrt(width * height) / 224))
    return np.clip(level, 2, 5).astype(int)


def _by_thresholds(boxes, size, shorter, longer):  # type: ignore[no-untyped-def]
    scale = shorter / min(size) if shorter * max(size) <= longer * min(size) else longer / max(size)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * scale**2
    return 2 + (area >= 112**2).astype(int) + (area >= 224**2) + (area >= 448**2)


def _with_loops(boxes, size, shorter, longer):  # type: ignore[no-untyped-def]
    levels, (small, large) = [], sorted(size)
    for x1, y1, x2, y2 in boxes.tolist():
        side, level = min(shorter / small, longer / large) * ((x2 - x1) * (y2 - y1)) ** 0.5, 2
        while level < 5 and side >= 224 * 2 ** (level - 3):
            level += 1
        levels.append(level)
    return np.array(levels, dtype=int)


def _with_torch(boxes, size, shorter, longer):  # type: ignore[no-untyped-def]
    import torch

    limits = torch.tensor([shorter, longer], dtype=torch.float64) / torch.tensor(size).sort().values
    enlarged = torch.from_numpy(boxes) * limits.min()
    sides = enlarged[:, 2:] - enlarged[:, :2]
    return (4 + (sides.prod(dim=1).sqrt() / 224).log2()).floor().clamp(2, 5).long()


def _levels(  # type: ignore[no-untyped-def]
    boxes, whole=np.floor, log=np.log2, side=None, canonical=224, at=4, limits=(2, 5)
):
    """Levels with the switches of the mistakes; as it stands, the right ones."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    measure = np.sqrt(width * height) if side is None else side(width, height)
    return np.clip(whole(at + log(measure / canonical)), *limits).astype(int)


def _unequal_sides(seed: int, count: int) -> np.ndarray:
    """Boxes of a large picture, of all sizes on a logarithmic scale."""
    generator = seeded(seed)
    sides = np.round(2 ** generator.uniform(4, 10, (count, 2)), 1)
    corners = np.round(generator.uniform(0, 300, (count, 2)), 1)
    return np.concatenate([corners, corners + sides], axis=1)


def _box(width: float, height: float) -> list[float]:
    return [10.0, 30.0, 10.0 + width, 30.0 + height]


_AS_IT_IS = (800, 1000), 800, 1333
"""Size and limits of a picture that is not resized."""


def _as_it_is(wrong):  # type: ignore[no-untyped-def]
    """An answer for boxes of the picture that the network sees."""

    def answer(boxes, size, shorter, longer):  # type: ignore[no-untyped-def]
        return wrong(boxes * min(shorter / min(size), longer / max(size)))

    return answer


def _scaled(factor):  # type: ignore[no-untyped-def]
    """The right levels of boxes that were resized by another factor."""
    return lambda boxes, size, shorter, longer: _levels(boxes * factor(size, shorter, longer))


def _stretched(boxes, size, shorter, longer):  # type: ignore[no-untyped-def]
    return _levels(boxes * np.tile([longer / size[1], shorter / size[0]], 2))


_OF_THE_PICTURE_SEEN = (
    Mistake("rounded", lambda b: _levels(b, whole=np.round), "floor"),
    Mistake("rounded up", lambda b: _levels(b, whole=np.ceil), "floor"),
    Mistake("natural logarithm", lambda b: _levels(b, log=np.log), "log"),
    Mistake("logarithm of base 10", lambda b: _levels(b, log=np.log10), "log"),
    Mistake("no root", lambda b: _levels(b, side=lambda w, h: w * h), "area"),
    Mistake("the longer side", lambda b: _levels(b, side=np.maximum), "area"),
    Mistake("mean of the sides", lambda b: _levels(b, side=lambda w, h: (w + h) / 2), "area"),
    Mistake("x, y, width, height", lambda b: _levels(np.concatenate([0 * b[:, :2], b[:, 2:]], axis=1)), "corners"),
    Mistake("no limits", lambda b: _levels(b, limits=(-99, 99)), "limits"),
    Mistake("limits 2 to 6", lambda b: _levels(b, limits=(2, 6)), "limits"),
    Mistake("index from 0", lambda b: _levels(b) - 2, "offset"),
    Mistake("224 on level 5", lambda b: _levels(b, at=5), "offset"),
    Mistake("upside down", lambda b: _levels(b, log=lambda q: -np.log2(q)), "sign"),
    Mistake(
        "not rounded",
        lambda b: np.clip(_levels(b, whole=lambda k: 1000 * k, limits=(-9e9, 9e9)) / 1000, 2, 5),
        "floor",
    ),
    Mistake("the shorter side", lambda b: _levels(b, side=np.minimum), "area"),
    Mistake("the width", lambda b: _levels(b, side=lambda w, h: w), "area"),
    Mistake("the height", lambda b: _levels(b, side=lambda w, h: h), "area"),
    Mistake("the diagonal", lambda b: _levels(b, side=np.hypot), "area"),
    Mistake("sum of the sides", lambda b: _levels(b, side=np.add), "area"),
    Mistake("half of the logarithm", lambda b: _levels(b, side=lambda w, h: (w * h) ** 0.25), "area"),
    Mistake("limits 3 to 5", lambda b: _levels(b, limits=(3, 5)), "limits"),
    Mistake("limits 2 to 4", lambda b: _levels(b, limits=(2, 4)), "limits"),
    Mistake("limits 1 to 5", lambda b: _levels(b, limits=(1, 5)), "limits"),
    Mistake("limits 0 to 5", lambda b: _levels(b, limits=(0, 5)), "limits"),
    Mistake("limits 0 to 3", lambda b: _levels(b, limits=(0, 3)), "limits"),
    Mistake("limited from below only", lambda b: _levels(b, limits=(2, 99)), "limits"),
    Mistake("limited from above only", lambda b: _levels(b, limits=(-99, 5)), "limits"),
    Mistake("224 on level 3", lambda b: _levels(b, at=3), "offset"),
    Mistake("224 on level 2", lambda b: _levels(b, at=2), "offset"),
    Mistake("index from 1", lambda b: _levels(b) - 1, "offset"),
    Mistake("256 for 224", lambda b: _levels(b, canonical=256), "canonical"),
    Mistake("800 for 224", lambda b: _levels(b, canonical=800), "canonical"),
    Mistake("a pixel more", lambda b: _levels(b + np.array([0, 0, 1, 1])), "pixel"),
    Mistake("divided down", lambda b: _levels(b, side=lambda w, h: np.sqrt(w * h) // 224, canonical=1), "divided"),
    Mistake("one for all", lambda b: np.full(len(b), (*_levels(b), 0)[0]), "every box"),
    Mistake("of the mean box", lambda b: np.full(len(b), (*_levels(b.mean(axis=0)[None]), 0)[0]), "every box"),
    Mistake("strides", lambda b: 2 ** _levels(b), "every box"),
    Mistake("limited before 4 is added", lambda b: _levels(b, at=0) + 4, "limits"),
    Mistake(
        "sizes of COCO",
        lambda b: np.digitize(np.sqrt((b[:, 2:] - b[:, :2]).prod(axis=1)), [32, 96, 448]) + 2,
        "canonical",
    ),
)
MISTAKES = (
    *(replace(one, answer=_as_it_is(one.answer)) for one in _OF_THE_PICTURE_SEEN),
    Mistake("not resized", _scaled(lambda size, shorter, longer: 1.0), "scale"),
    Mistake("the other way round", _scaled(lambda size, s, n: 1 / min(s / min(size), n / max(size))), "scale"),
    Mistake("factor squared", _scaled(lambda size, s, n: min(s / min(size), n / max(size)) ** 2), "scale"),
    Mistake("root of the factor", _scaled(lambda size, s, n: min(s / min(size), n / max(size)) ** 0.5), "scale"),
    Mistake("never enlarged", _scaled(lambda size, s, n: min(s / min(size), n / max(size), 1.0)), "scale"),
    Mistake("never made smaller", _scaled(lambda size, s, n: max(min(s / min(size), n / max(size)), 1.0)), "scale"),
    Mistake("whole factor", _scaled(lambda size, s, n: max(int(min(s / min(size), n / max(size))), 1)), "scale"),
    Mistake("800 always", _scaled(lambda size, s, n: min(800 / min(size), 1333 / max(size))), "longer"),
    Mistake("no limit for the longer side", _scaled(lambda size, s, n: s / min(size)), "longer"),
    Mistake("the longer side alone", _scaled(lambda size, s, n: n / max(size)), "longer"),
    Mistake("the larger factor", _scaled(lambda size, s, n: max(s / min(size), n / max(size))), "longer"),
    Mistake("height is the shorter side", _scaled(lambda size, s, n: min(s / size[0], n / size[1])), "longer"),
    Mistake("width is the shorter side", _scaled(lambda size, s, n: min(s / size[1], n / size[0])), "longer"),
    Mistake(
        "shorter side to the longer limit", _scaled(lambda size, s, n: min(n / min(size), s / max(size))), "longer"
    ),
)


EXERCISE = Exercise(
    id="5.8",
    title="The level of a box in a picture of any size",
    name="assign_levels",
    statement="""
A pyramid has maps P2 to P5 at the strides 4, 8, 16, 32. Small boxes are pooled from the fine maps, large ones from
the coarse ones, so that every box covers about the same number of positions (FPN, Eq. 1):

$$k = \\left\\lfloor 4 + \\log_2 \\frac{\\sqrt{w\\,h}}{224} \\right\\rfloor$$

limited to 2 ... 5. In the lesson the boxes were those of the picture that the network saw. In a program they are those
of the file, and before the network looks the picture is **resized**, by one factor for both sides: its shorter side is
to have `shorter` pixels, but if the longer side would then have more than `longer`, it gets `longer` and the shorter
one less. (In the paper: 800 and 1333.) What counts in the formula are the sizes *after* that.

Write `assign_levels(boxes, size, shorter, longer)`: R x 4 corners in the picture as it lies in the file, `size` =
(height, width) of this picture, to R whole numbers k. The factor may be above or below 1; it is not rounded.
""",
    stub=STUB,
    reference=assign_levels,
    cases=(
        Case("224 x 224 and a little less", (np.array([_box(224, 224), _box(223, 224)]), *_AS_IT_IS), np.array([4, 3])),
        Case(
            "112 and 448: half and double", (np.array([_box(112, 112), _box(448, 448)]), *_AS_IT_IS), np.array([3, 5])
        ),
        Case("112 x 448 has the area of 224 x 224", (np.array([_box(112, 448)]), *_AS_IT_IS), np.array([4]), "area"),
        Case(
            "8 x 8 and 1500 x 1200", (np.array([_box(8, 8), _box(1500, 1200)]), *_AS_IT_IS), np.array([2, 5]), "limits"
        ),
        Case("200 x 200 is rounded down", (np.array([_box(200, 200)]), *_AS_IT_IS), np.array([3]), "floor"),
        Case("no box", (np.zeros((0, 4)), *_AS_IT_IS), np.zeros(0, dtype=int)),
        Case("30 boxes of all sizes", (_unequal_sides(0, 30), *_AS_IT_IS)),
        Case("10 boxes of a small picture", (random_boxes(0, 10, 300, 200), *_AS_IT_IS)),
        Case(
            "a little below each step",
            (np.array([_box(111.9, 112), _box(224, 223.9), _box(447.9, 448)]), *_AS_IT_IS),
            np.array([2, 3, 4]),
            "floor",
        ),
        Case(
            "wide and high",
            (np.array([_box(60, 500), _box(500, 60), _box(30, 1800), _box(700, 40)]), *_AS_IT_IS),
            np.array([3, 3, 4, 3]),
            "area",
        ),
        Case(
            "far from the origin",
            (np.array([[900.0, 700, 1012, 812], [2000, 3000, 2020, 3020]]), *_AS_IT_IS),
            np.array([3, 2]),
            "corners",
        ),
        Case(
            "enlarged 6.25 times: sides of 36 and 35.8 become 225 and 223.75",
            (np.array([_box(36, 36), _box(35.8, 35.8)]), (128, 160), 800, 1333),
            np.array([4, 3]),
            "scale",
        ),
        Case(
            "halved", (np.array([_box(448, 448), _box(440, 440)]), (1600, 1600), 800, 1333), np.array([4, 3]), "scale"
        ),
        Case(
            "a panorama: the longer side decides, 1600 to 1200",
            (np.array([_box(300, 300), _box(297, 297)]), (400, 1600), 800, 1200),
            np.array([4, 3]),
            "longer",
        ),
        Case(
            "a tall picture, the longer side decides",
            (np.array([_box(300, 300), _box(297, 297)]), (1600, 400), 800, 1200),
            np.array([4, 3]),
            "longer",
        ),
        Case(
            "a tall picture, the shorter side decides",
            (np.array([_box(56, 56), _box(55, 56)]), (300, 200), 800, 1333),
            np.array([4, 3]),
            "longer",
        ),
        Case(
            "other limits: the shorter side to 100, the longer one to 110",
            (np.array([_box(1000, 1000), _box(512, 512), _box(500, 500)]), (400, 500), 100, 110),
            np.array([3, 3, 2]),
            "longer",
        ),
        Case("odd limits", (np.array([_box(55.99, 55.99)]), (1000, 1000), 4001, 9999), np.array([4]), "longer"),
        Case("no box in a small picture", (np.zeros((0, 4)), (128, 160), 800, 1333), np.zeros(0, dtype=int)),
        Case("30 boxes of a small picture", (_unequal_sides(1, 30) / 6, (128, 170), 800, 1333)),
        Case("30 boxes of a panorama", (_unequal_sides(2, 30), (700, 2500), 800, 1333)),
    ),
    hints={
        "general": Hint(
            "First the factor by which the picture is resized, then the formula with the sizes after that.",
            "Each of the two sides allows a factor, and the smaller one holds. Then go for all boxes at once from the "
            "inside of the formula to the outside: round down first, limit afterwards, and return whole numbers.",
        ),
        "scale": Hint(
            "The picture is resized before the network sees it, and the boxes with it: the formula wants sizes after "
            "that.",
            "Multiply width and height by one factor, new side over old side.",
        ),
        "longer": Hint(
            "Two wishes for one factor: the shorter side to `shorter`, and the longer side to no more than `longer`. "
            "The smaller of the two factors fulfills both. Which side is the longer one depends on the picture.",
            "min(shorter / min(size), longer / max(size)).",
        ),
        "floor": Hint(
            "The level is rounded down, however little is missing: a box of side 223 is still on level 3.",
            "np.floor, before the limits.",
        ),
        "log": Hint("The logarithm has the base 2: a box twice as large goes one level up.", "np.log2."),
        "area": Hint(
            "The size of a box is the root of its area here.", "np.sqrt(width * height), with width = x2 - x1."
        ),
        "corners": Hint(
            "The last two numbers of a box are its second corner, not its width and height.", "width = x2 - x1."
        ),
        "limits": Hint(
            "There are the levels 2, 3, 4 and 5 only: what is lower becomes 2, what is higher 5.",
            "np.clip(level, 2, 5).",
        ),
        "canonical": Hint("The number below the side is 224: a box of 224 x 224 is on level 4.", "side / 224."),
        "pixel": Hint("Corners are continuous here: the width is x2 - x1, and no pixel is added.", "width = x2 - x1."),
        "divided": Hint(
            "The side is divided exactly, and the level is rounded down at the end.", "side / 224, not //."
        ),
        "every box": Hint("Every box has its own level, a whole number k, not a stride.", "R levels for R boxes."),
        "offset": Hint(
            "Level 4 begins at a box of side 224 (neither 112 nor 448), and levels are numbers from 2 to 5, not "
            "positions in a list.",
            "Begin with 4 + np.log2(side / 224), and subtract nothing at the end.",
        ),
        "sign": Hint("Large boxes get the fine maps. It is the other way round.", "side / 224, not 224 / side."),
    },
    mistakes=MISTAKES,
    alternatives=(_by_thresholds, _with_loops, _with_torch),
    points=2,
    minutes=15,
    difficulty=1,
)
