"""Exercise 3.6: a skip: coarse scores enlarged, finer scores cropped, the two added."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson03.bilinear import bilinear_weight
from segtutor.exercises.lesson03.transposed import scatter, transposed_convolution
from segtutor.exercises.seeds import seeded

STUB = '''
def fuse(coarse, fine, offset):
    """K x h x w scores enlarged by 2, plus K x H x W finer scores from row and column `offset` on."""
    raise NotImplementedError("Write fuse() here, then run this cell again.")
'''


def fuse(coarse: np.ndarray, fine: np.ndarray, offset: int) -> np.ndarray:
    """K x h x w scores enlarged by 2, plus K x H x W finer scores from row and column `offset` on."""
    enlarged = transposed_convolution(coarse, bilinear_weight(len(coarse), 4), 2)
    cropped = fine[:, offset:, offset:]
    height = min(enlarged.shape[1], cropped.shape[1])
    width = min(enlarged.shape[2], cropped.shape[2])
    return enlarged[:, :height, :width] + cropped[:, :height, :width]


def _enlarged(coarse, kernel=None, stride=2):  # type: ignore[no-untyped-def]
    kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel
    return np.stack([scatter(scores, kernel, stride) for scores in coarse])


def _added(a, b):  # type: ignore[no-untyped-def]
    height, width = min(a.shape[1], b.shape[1]), min(a.shape[2], b.shape[2])
    return a[:, :height, :width] + b[:, :height, :width]


def _by_products(coarse, fine, offset):  # type: ignore[no-untyped-def]
    def rows(count):  # type: ignore[no-untyped-def]
        matrix = np.zeros((2 * count + 2, count))
        for i in range(count):
            matrix[2 * i : 2 * i + 4, i] = (0.25, 0.75, 0.75, 0.25)
        return matrix

    enlarged = np.einsum("ai,kij,bj->kab", rows(coarse.shape[1]), coarse, rows(coarse.shape[2]))
    return _added(enlarged, fine[:, offset:, offset:])


def _class_by_class(coarse, fine, offset):  # type: ignore[no-untyped-def]
    kernel = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])
    result = []
    for one, other in zip(coarse, fine, strict=True):
        large = scatter(one, kernel, 2)
        part = other[offset : offset + large.shape[0], offset : offset + large.shape[1]]
        result.append(large[: part.shape[0], : part.shape[1]] + part)
    return np.stack(result)


def _pixel_by_pixel(coarse, fine, offset):  # type: ignore[no-untyped-def]
    large = _enlarged(coarse)
    height, width = (min(large.shape[1 + a], fine.shape[1 + a] - offset) for a in (0, 1))
    result = np.zeros((len(coarse), height, width))
    for k, i, j in np.ndindex(result.shape):
        result[k, i, j] = large[k, i, j] + fine[k, offset + i, offset + j]
    return result


def _centered(coarse, fine, offset):  # type: ignore[no-untyped-def]
    large = _enlarged(coarse)
    top, left = ((fine.shape[a] - large.shape[a]) // 2 for a in (1, 2))
    return _added(large, fine[:, max(top, 0) :, max(left, 0) :])


def _mixed(coarse, fine, offset):  # type: ignore[no-untyped-def]
    large = _enlarged(coarse)
    return _added(np.broadcast_to(large.sum(0), large.shape), fine[:, offset:, offset:])


def _as_large_as_the_enlarged(coarse, fine, offset):  # type: ignore[no-untyped-def]
    large = _enlarged(coarse)
    return large + fine[:, offset : offset + large.shape[1], offset : offset + large.shape[2]]


def _with_kernel_3(coarse, fine, offset):  # type: ignore[no-untyped-def]
    return _added(_enlarged(coarse, bilinear_weight(1, 3)[0, 0]), fine[:, offset:, offset:])


def _random(seed: int, *shape: int) -> np.ndarray:
    return seeded(seed).normal(size=shape)


_NUMBERED = np.arange(36.0).reshape(1, 6, 6)
_KERNEL_16 = np.array([[1, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]])

_ROWS = np.tile([0.25, 0.75, 0.75, 0.25], (4, 1))


def _margin(maps, margin):  # type: ignore[no-untyped-def]
    return maps[:, margin : maps.shape[1] - margin, margin : maps.shape[2] - margin]


def _doubled(coarse):  # type: ignore[no-untyped-def]
    return _enlarged(coarse)[:, : 2 * coarse.shape[1], : 2 * coarse.shape[2]]


def _interpolated(coarse):  # type: ignore[no-untyped-def]
    """As F.interpolate does it: the border goes on beyond itself, and the result is twice as large."""
    return _margin(_enlarged(np.pad(coarse, ((0, 0), (1, 1), (1, 1)), mode="edge")), 3)


def _corners_aligned(coarse):  # type: ignore[no-untyped-def]
    def rows(count):  # type: ignore[no-untyped-def]
        return np.maximum(1 - abs(np.linspace(0, count - 1, 2 * count)[:, None] - np.arange(count)), 0)

    return np.einsum("ai,kij,bj->kab", rows(coarse.shape[1]), coarse, rows(coarse.shape[2]))


def _offset_in_coarse(coarse, fine, offset):  # type: ignore[no-untyped-def]
    return _added(_enlarged(coarse[:, offset:, offset:]), fine) if min(coarse.shape[1:]) > offset else coarse[:, :0]


def _combined(coarse, fine, offset, combine):  # type: ignore[no-untyped-def]
    large, fine = _enlarged(coarse), fine[:, offset:, offset:]
    height, width = (min(large.shape[axis], fine.shape[axis]) for axis in (1, 2))
    return combine(large[:, :height, :width], fine[:, :height, :width])


def _as_fine(coarse, fine, offset):  # type: ignore[no-untyped-def]
    fine = fine[:, offset:, offset:]
    return _enlarged(coarse)[:, : fine.shape[1], : fine.shape[2]] + fine


def _square_overlap(coarse, fine, offset):  # type: ignore[no-untyped-def]
    whole = fuse(coarse, fine, offset)
    side = min(whole.shape[1:])
    return whole[:, :side, :side]


def _filled_up(coarse, fine, offset, to_fine=False):  # type: ignore[no-untyped-def]
    large, fine = _enlarged(coarse), fine[:, offset:, offset:]
    height, width = (
        fine.shape[1:] if to_fine else (max(a, b) for a, b in zip(large.shape[1:], fine.shape[1:], strict=True))
    )
    result = np.zeros((len(coarse), height, width))
    for part in (large[:, :height, :width], fine[:, :height, :width]):
        result[:, : part.shape[1], : part.shape[2]] += part
    return result


def _lower_right(coarse, fine, offset):  # type: ignore[no-untyped-def]
    return fuse(
        _flipped(coarse), np.pad(_flipped(fine[:, offset:, offset:]), ((0, 0), (offset, 0), (offset, 0))), offset
    )[:, ::-1, ::-1]


def _flipped(maps):  # type: ignore[no-untyped-def]
    return maps[:, ::-1, ::-1]


def _middle_of_enlarged(coarse, fine, offset):  # type: ignore[no-untyped-def]
    large, fine = _enlarged(coarse), fine[:, offset:, offset:]
    top, left = (max((large.shape[axis] - fine.shape[axis]) // 2, 0) for axis in (1, 2))
    return _added(large[:, top:, left:], fine)


def _resized(coarse, shape):  # type: ignore[no-untyped-def]
    """As F.interpolate does it for any size, bilinear and with corners that are not aligned."""

    def rows(count, wanted):  # type: ignore[no-untyped-def]
        places = np.clip((np.arange(wanted) + 0.5) * count / wanted - 0.5, 0, count - 1)
        return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)

    return np.einsum("ai,kij,bj->kab", rows(coarse.shape[1], shape[1]), coarse, rows(coarse.shape[2], shape[2]))


EXERCISE = Exercise(
    id="3.6",
    title="A skip",
    name="fuse",
    statement="""
The step from FCN-32s to 16s, and from 16s to 8s. Write `fuse(coarse, fine, offset)`: enlarge the coarse scores
(K x h x w) by 2, each class by itself, with the bilinear kernel of size 4 and stride 2; nothing is cut off them. Of
the finer scores (K x H x W) take what begins at row and column `offset`. Return the sum where the two overlap, from
the upper left corner on. Your `transposed_convolution` and `bilinear_weight` are at hand.
""",
    stub=STUB,
    reference=fuse,
    cases=(
        Case("no fine scores", (np.full((1, 1, 1), 16.0), np.zeros((1, 4, 4)), 0), _KERNEL_16[None]),
        Case("no coarse scores", (np.zeros((1, 1, 1)), _NUMBERED, 1), _NUMBERED[:, 1:5, 1:5]),
        Case(
            "two classes",
            (np.array([[[16.0]], [[32.0]]]), np.ones((2, 6, 6)), 2),
            np.stack([_KERNEL_16 + 1, 2 * _KERNEL_16 + 1]),
        ),
        Case("the coarse map ends first", (_random(0, 2, 3, 4), _random(1, 2, 13, 14), 3)),
        Case("the fine map ends first", (_random(2, 1, 4, 4), _random(3, 1, 9, 8), 1), hint="overlap"),
        Case("rows end first in one, columns in the other", (_random(4, 3, 5, 2), _random(5, 3, 8, 12), 0)),
        Case("offset 5, four classes", (_random(6, 4, 3, 3), _random(7, 4, 14, 15), 5)),
    ),
    hints={
        "general": Hint(
            "Three steps: enlarge each class, cut `offset` rows and columns off the fine map, add the overlap.",
            "Your two functions do the enlarging, all classes at once. After the cut the maps may differ in size: what "
            "they share is the smaller height and the smaller width, counted from the upper left corner.",
        ),
        "kernel": Hint(
            "Enlarging is bilinear: a kernel of size 4, .25 .75 .75 .25 in each direction, scattered with stride 2.",
            "kernel = bilinear_weight(len(coarse), 4).",
        ),
        "offset": Hint(
            "The offset is where the *fine* map begins to count, in rows and columns; nothing is cut off its end.",
            "fine[:, offset:, offset:].",
        ),
        "classes": Hint(
            "Each class is enlarged by itself and added to the fine scores of the same class.",
            "bilinear_weight(len(coarse), 4) has zeros from one class to another.",
        ),
        "sum": Hint(
            "The two maps are added: not averaged, not multiplied, not put side by side.",
            "return enlarged[...] + cropped[...].",
        ),
        "overlap": Hint(
            "Either map may end first. The result is as large as what they have in common.",
            "height = min(enlarged.shape[1], cropped.shape[1]), and the width likewise.",
        ),

        "whole": Hint(
            "Of the enlarged scores nothing is cut off at the upper left: they begin with the kernel's first row.",
            "transposed_convolution(coarse, kernel, 2) without a crop; only fine[:, offset:, offset:] is cut.",
        ),
        "corner": Hint(
            "The two maps lie on each other at the upper left corner; what is too long is cut off below and right.",
            "enlarged[:, :height, :width] + cropped[:, :height, :width].",
        ),
        "steps": Hint(
            "Enlarge first, then add: the fine scores are added at their own size and are not enlarged.",
            "enlarged from coarse alone, then + cropped.",
        ),
    },
    mistakes=(
        Mistake("pixels repeated", lambda c, f, o: _added(c.repeat(2, 1).repeat(2, 2), f[:, o:, o:]), "kernel"),
        Mistake("kernel of ones", lambda c, f, o: _added(_enlarged(c, np.ones((4, 4))), f[:, o:, o:]), "kernel"),
        Mistake("kernel of size 3", _with_kernel_3, "kernel"),
        Mistake("no offset", lambda c, f, o: _added(_enlarged(c), f), "offset"),
        Mistake("offset in rows only", lambda c, f, o: _added(_enlarged(c), f[:, o:]), "offset"),
        Mistake("coarse map cropped", lambda c, f, o: _added(_enlarged(c)[:, o:, o:], f), "offset"),
        Mistake("fine map cropped in the middle", _centered, "offset"),
        Mistake("classes mixed", _mixed, "classes"),
        Mistake("classes backward", lambda c, f, o: fuse(c[::-1], f, o), "classes"),
        Mistake("mean", lambda c, f, o: fuse(c, f, o) / 2, "sum"),
        Mistake("difference", lambda c, f, o: fuse(-c, f, o), "sum"),
        Mistake("only as large as the enlarged map", _as_large_as_the_enlarged, "overlap"),
        Mistake("one row and column short", lambda c, f, o: fuse(c, f, o)[:, :-1, :-1], "overlap"),
        Mistake("kernel of size 2", lambda c, f, o: _added(_enlarged(c, np.ones((2, 2)) / 4), f[:, o:, o:]), "kernel"),
        Mistake("kernel made 1", lambda c, f, o: _added(_enlarged(c) / 4, f[:, o:, o:]), "kernel"),
        Mistake("kernel in one direction", lambda c, f, o: _added(_enlarged(c, _ROWS), f[:, o:, o:]), "kernel"),
        Mistake("stride 4", lambda c, f, o: _added(_enlarged(c, stride=4), f[:, o:, o:]), "kernel"),
        Mistake("stride 1", lambda c, f, o: _added(_enlarged(c, stride=1), f[:, o:, o:]), "kernel"),
        Mistake("F.interpolate", lambda c, f, o: _added(_interpolated(c), f[:, o:, o:]), "kernel"),
        Mistake("corners aligned", lambda c, f, o: _added(_corners_aligned(c), f[:, o:, o:]), "kernel"),
        Mistake("not enlarged", lambda c, f, o: _added(c, f[:, o:, o:]), "kernel"),
        Mistake("offset in columns only", lambda c, f, o: _added(_enlarged(c), f[:, :, o:]), "offset"),
        Mistake("offset at the end", lambda c, f, o: _added(_enlarged(c), f[:, : -o or None, : -o or None]), "offset"),
        Mistake("offset at both ends", lambda c, f, o: _added(_enlarged(c), _margin(f, o)), "offset"),
        Mistake("offset twice", lambda c, f, o: _added(_enlarged(c), f[:, 2 * o :, 2 * o :]), "offset"),
        Mistake("offset halved", lambda c, f, o: _added(_enlarged(c), f[:, o // 2 :, o // 2 :]), "offset"),
        Mistake("offset plus one", lambda c, f, o: _added(_enlarged(c), f[:, o + 1 :, o + 1 :]), "offset"),
        Mistake("offset of both", lambda c, f, o: _added(_enlarged(c)[:, o:, o:], f[:, o:, o:]), "offset"),
        Mistake("offset of the coarse map", lambda c, f, o: _offset_in_coarse(c, f, o), "offset"),
        Mistake("less a margin", lambda c, f, o: _added(_margin(_enlarged(c), 1), f[:, o:, o:]), "whole"),
        Mistake("less the first row", lambda c, f, o: _added(_enlarged(c)[:, 1:, 1:], f[:, o:, o:]), "whole"),
        Mistake("twice as large", lambda c, f, o: _added(_doubled(c), f[:, o:, o:]), "overlap"),
        Mistake("first class for all", lambda c, f, o: fuse(np.stack([c[0]] * len(c)), f, o), "classes"),
        Mistake("first class only", lambda c, f, o: fuse(c[:1], f[:1], o), "classes"),
        Mistake("mean over the classes", lambda c, f, o: fuse(np.stack([c.mean(0)] * len(c)), f, o), "classes"),
        Mistake("first fine class for all", lambda c, f, o: fuse(c, np.stack([f[0]] * len(f)), o), "classes"),
        Mistake("product", lambda c, f, o: _combined(c, f, o, np.multiply), "sum"),
        Mistake("larger of both", lambda c, f, o: _combined(c, f, o, np.maximum), "sum"),
        Mistake("coarse minus fine", lambda c, f, o: _combined(c, f, o, np.subtract), "sum"),
        Mistake("coarse alone", lambda c, f, o: _combined(c, f, o, lambda a, b: a), "sum"),
        Mistake("fine alone", lambda c, f, o: _combined(c, f, o, lambda a, b: b), "sum"),
        Mistake("side by side", lambda c, f, o: np.concatenate(_combined(c, f, o, lambda a, b: (a, b))), "sum"),
        Mistake("as large as the fine map", lambda c, f, o: _as_fine(c, f, o), "overlap"),
        Mistake("a square", _square_overlap, "overlap"),
        Mistake("filled up with zeros", _filled_up, "overlap"),
        Mistake("filled up to the fine map", lambda c, f, o: _filled_up(c, f, o, to_fine=True), "overlap"),
        Mistake("lower right corners", _lower_right, "corner"),
        Mistake("enlarged map in the middle", _middle_of_enlarged, "corner"),
        Mistake("enlarged after the sum", lambda c, f, o: _enlarged(_added(c, f[:, o:, o:])), "steps"),
        Mistake("both enlarged", lambda c, f, o: _added(_enlarged(c), _enlarged(f)[:, o:, o:]), "steps"),
        Mistake("the fine map enlarged", lambda c, f, o: _added(c, _enlarged(f[:, o:, o:])), "steps"),

        Mistake("resized to the fine map", lambda c, f, o: _resized(c, f[:, o:, o:].shape) + f[:, o:, o:], "kernel"),
        Mistake("offset in the result", lambda c, f, o: _added(_enlarged(c), f)[:, o:, o:], "offset"),
    ),
    alternatives=(_by_products, _class_by_class, _pixel_by_pixel),
    points=5,
    minutes=20,
    difficulty=3,
)  # fmt: skip
