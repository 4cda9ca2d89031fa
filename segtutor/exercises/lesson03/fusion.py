"""Exercise 3.6: a skip: coarse scores enlarged, finer scores cropped, the two added."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson03.bilinear import bilinear_weight
from segtutor.exercises.lesson03.transposed import transposed_convolution

STUB = '''
def fuse(coarse, fine, offset):
    """K x h x w scores enlarged by 2, plus K x H x W finer scores from row and column `offset` on."""
    raise NotImplementedError("Write fuse() here, then run this cell again.")
'''


def fuse(coarse: np.ndarray, fine: np.ndarray, offset: int) -> np.ndarray:
    """K x h x w scores enlarged by 2, plus K x H x W finer scores from row and column `offset` on."""
    kernel = bilinear_weight(1, 4)[0, 0]
    enlarged = np.stack([transposed_convolution(scores, kernel, 2) for scores in coarse])
    cropped = fine[:, offset:, offset:]
    height = min(enlarged.shape[1], cropped.shape[1])
    width = min(enlarged.shape[2], cropped.shape[2])
    return enlarged[:, :height, :width] + cropped[:, :height, :width]


def _enlarged(coarse, kernel=None):  # type: ignore[no-untyped-def]
    kernel = bilinear_weight(1, 4)[0, 0] if kernel is None else kernel
    return np.stack([transposed_convolution(scores, kernel, 2) for scores in coarse])


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
        large = transposed_convolution(one, kernel, 2)
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
    return np.random.default_rng(seed).normal(size=shape)


_NUMBERED = np.arange(36.0).reshape(1, 6, 6)
_KERNEL_16 = np.array([[1, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]])

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
        Case("no fine scores", (np.full((1, 1, 1), 16.0), np.zeros((1, 4, 4)), 0), _KERNEL_16[None], "kernel"),
        Case("no coarse scores", (np.zeros((1, 1, 1)), _NUMBERED, 1), _NUMBERED[:, 1:5, 1:5], "offset"),
        Case(
            "two classes",
            (np.array([[[16.0]], [[32.0]]]), np.ones((2, 6, 6)), 2),
            np.stack([_KERNEL_16 + 1, 2 * _KERNEL_16 + 1]),
            "classes",
        ),
        Case("the coarse map ends first", (_random(0, 2, 3, 4), _random(1, 2, 13, 14), 3)),
        Case("the fine map ends first", (_random(2, 1, 4, 4), _random(3, 1, 9, 8), 1), hint="overlap"),
    ),
    hints={
        "general": Hint(
            "Three steps: enlarge each class, cut `offset` rows and columns off the fine map, add the overlap.",
            "np.stack([transposed_convolution(one, kernel, 2) for one in coarse]) and fine[:, offset:, offset:].",
        ),
        "kernel": Hint(
            "The enlarged map is not bilinear: kernel of size 4, stride 2, values .25 .75 .75 .25 in each direction.",
            "kernel = bilinear_weight(1, 4)[0, 0].",
        ),
        "offset": Hint(
            "The offset is where the *fine* map begins to count, in rows and in columns.",
            "fine[:, offset:, offset:].",
        ),
        "classes": Hint(
            "Each class is enlarged by itself and added to the fine scores of the same class.",
            "Loop over the first axis of coarse.",
        ),
        "sum": Hint(
            "The two maps are added: not averaged, not multiplied, not put side by side.",
            "return enlarged[...] + cropped[...].",
        ),
        "overlap": Hint(
            "Either map may end first. The result is as large as what they have in common.",
            "height = min(enlarged.shape[1], cropped.shape[1]), and the width likewise.",
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
    ),
    alternatives=(_by_products, _class_by_class, _pixel_by_pixel),
    points=5,
    minutes=30,
    difficulty=3,
)  # fmt: skip
