"""Exercise 1.1: IoU of two masks, of whatever kind their numbers are."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import mask, random_mask

STUB = '''
def iou(a, b):
    """Intersection over union of two masks H x W, in which 0 is outside; NaN if both are empty."""
    raise NotImplementedError("Write iou() here, then run this cell again.")
'''


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks H x W, in which 0 is outside; NaN if both are empty."""
    intersection = np.logical_and(a, b).sum()
    union = np.logical_or(a, b).sum()
    return intersection / union if union > 0 else np.nan


def _with_sets(a, b):  # type: ignore[no-untyped-def]
    first, second = set(np.flatnonzero(a).tolist()), set(np.flatnonzero(b).tolist())
    return len(first & second) / len(first | second) if first | second else float("nan")


def _with_loops(a, b):  # type: ignore[no-untyped-def]
    both = either = 0
    for row_a, row_b in zip(a, b, strict=True):
        for one, other in zip(row_a, row_b, strict=True):
            both += bool(one and other)
            either += bool(one or other)
    return float("nan") if either == 0 else both / either


def _with_torch(a, b):  # type: ignore[no-untyped-def]
    import torch

    a, b = (torch.from_numpy(one).bool().float() for one in (a, b))
    both = (a * b).sum()
    return both / (a.sum() + b.sum() - both)  # 0/0 is NaN in torch


def _union_by_hand(a, b, empty=np.nan):  # type: ignore[no-untyped-def]
    both = ((a > 0) & (b > 0)).sum()
    union = (a > 0).sum() + (b > 0).sum() - both
    return both / union if union else empty


def _of_booleans(answer):  # type: ignore[no-untyped-def]
    """An answer that is wrong for other reasons than the kind of the numbers."""
    return lambda a, b: answer(a != 0, b != 0)


def _product_and_sum(a, b):  # type: ignore[no-untyped-def]
    """Right for booleans, whose product is and, whose sum is or."""
    return (a * b).sum() / (a + b).sum()


def _bit_by_bit(a, b):  # type: ignore[no-untyped-def]
    return (a & b).sum() / (a | b).sum()


def _inside_is(test):  # type: ignore[no-untyped-def]
    return lambda a, b: _union_by_hand(test(a), test(b))


def _of_rows(a, b):  # type: ignore[no-untyped-def]
    return np.nanmean((a & b).sum(axis=1) / (a | b).sum(axis=1))


def _counted_in(dtype):  # type: ignore[no-untyped-def]
    def wrong(a, b):  # type: ignore[no-untyped-def]
        both, either = (a & b).sum(dtype=dtype), (a | b).sum(dtype=dtype)
        return both / either if (a | b).any() else np.nan

    return wrong


def _missing_if(empty):  # type: ignore[no-untyped-def]
    return lambda a, b: np.nan if empty(a, b) else (a & b).sum() / (a | b).sum()


def _python_division(a, b):  # type: ignore[no-untyped-def]
    return int((a & b).sum()) / int((a | b).sum())


_OF_BOOLEANS = (
    Mistake("union without minus", lambda a, b: np.divide((a & b).sum(), a.sum() + b.sum()), "union"),
    Mistake("Dice", lambda a, b: np.divide(2 * (a & b).sum(), a.sum() + b.sum()), "dice"),
    Mistake("divided by the first mask", lambda a, b: (a & b).sum() / a.sum(), "one mask"),
    Mistake("divided by the second mask", lambda a, b: (a & b).sum() / b.sum(), "one mask"),
    Mistake("divided by the smaller mask", lambda a, b: (a & b).sum() / min(a.sum(), b.sum()), "one mask"),
    Mistake("divided by the larger mask", lambda a, b: (a & b).sum() / max(a.sum(), b.sum()), "one mask"),
    Mistake("NaN if one is empty", _missing_if(lambda a, b: not (a.any() and b.any())), "one empty"),
    Mistake("NaN if nothing is common", _missing_if(lambda a, b: not (a & b).any()), "one empty"),
    Mistake("NaN if the first is empty", _missing_if(lambda a, b: not a.any()), "one empty"),
    Mistake("NaN if the second is empty", _missing_if(lambda a, b: not b.any()), "one empty"),
    Mistake("one added above and below", lambda a, b: ((a & b).sum() + 1) / ((a | b).sum() + 1), "constant"),
    Mistake("counts in 8 bits", _counted_in(np.uint8), "large"),
    Mistake("counts in signed 8 bits", _counted_in(np.int8), "large"),
    Mistake("counts in 16 bits", _counted_in(np.int16), "large"),
    Mistake("both empty gives 0", lambda a, b: _union_by_hand(a, b, empty=0.0), "empty"),
    Mistake("both empty gives 1", lambda a, b: _union_by_hand(a, b, empty=1.0), "empty"),
    Mistake("both empty divides by zero", _python_division, "empty"),
    Mistake("epsilon below", lambda a, b: (a & b).sum() / ((a | b).sum() + 1e-7), "empty"),
    Mistake("pixel accuracy", lambda a, b: (a == b).mean(), "accuracy"),
    Mistake("exclusive or as union", lambda a, b: (a & b).sum() / (a ^ b).sum(), "xor"),
    Mistake("pixel accuracy, NaN", lambda a, b: (a == b).mean() if (a | b).any() else np.nan, "accuracy"),
    Mistake("mean over rows", _of_rows, "rows"),
    Mistake("share of the picture", lambda a, b: (a & b).mean() if (a | b).any() else np.nan, "picture"),
    Mistake("two decimals", lambda a, b: np.round(_union_by_hand(a, b), 2), "scale"),
    Mistake("three decimals", lambda a, b: np.round(_union_by_hand(a, b), 3), "scale"),
    Mistake("whether they touch", lambda a, b: float((a & b).any()) if (a | b).any() else np.nan, "scale"),
    Mistake("percent", lambda a, b: 100 * (a & b).sum() / (a | b).sum(), "scale"),
    Mistake("integer division", lambda a, b: (a & b).sum() // (a | b).sum() if (a | b).any() else np.nan, "scale"),
)

EXERCISE = Exercise(
    id="1.1",
    title="IoU of two masks",
    name="iou",
    statement=r"""
Write `iou(a, b)` for two masks of the same size:

$$\mathrm{IoU}(a, b) = \frac{|a \cap b|}{|a \cup b|}$$

Masks come as files and libraries give them: as booleans, as 0 and 1, or as 0 and 255, and `a` need not be of the same
kind as `b`. What is not 0 belongs to the mask. If both masks are empty there is nothing to score: return `np.nan`. If
only one is empty, the IoU is 0.
""",
    stub=STUB,
    reference=iou,
    cases=(
        Case("two pixels in common, six in all", (mask("##.. ##.. ...."), mask(".##. .##. ....")), 1 / 3),
        Case("the same mask twice", (mask("#.# .#."), mask("#.# .#.")), 1.0),
        Case("nothing in common", (mask("##.. ...."), mask("..## ....")), 0.0),
        Case("one pixel", (mask(".#"), mask(".#")), 1.0),
        Case("one mask inside the other", (mask("#... ...."), mask("##.. ##..")), 0.25),
        Case("random masks 40 x 50", (random_mask(0, (40, 50), 0.3), random_mask(1, (40, 50), 0.6))),
        Case("random masks 33 x 7", (random_mask(2, (33, 7), 0.8), random_mask(3, (33, 7), 0.4))),
        Case("only the second mask is empty", (mask("##. #.."), mask("... ...")), 0.0, "one empty"),
        Case("only the first mask is empty", (mask("... ..."), mask("##. #..")), 0.0, "one empty"),
        Case("both masks empty", (mask("... ..."), mask("... ...")), np.nan, "empty"),
        Case(
            "0 and 255 beside booleans", (255 * mask("##.. ##..").astype(np.uint8), mask("#... ####")), 3 / 6, "kinds"
        ),
        Case(
            "0 and 1 beside 0 and 255",
            (mask("###. ....").astype(np.int64), 255 * mask(".##. ##..").astype(np.uint8)),
            2 / 5,
            "kinds",
        ),
        Case("0 and 255 twice", tuple(255 * mask(rows).astype(np.uint8) for rows in ("##.. #...", ".##. #...")), 0.5),
        Case("36,100 pixels", (random_mask(4, (190, 190), 0.95), np.ones((190, 190), dtype=bool)), hint="large"),
    ),
    hints={
        "general": Hint(
            "Count the pixels that are in both masks, and those that are in at least one. IoU is their ratio.",
            "Two boolean arrays combine pixel by pixel, with and, with or; count the pixels of each result. Before "
            "you divide, ask whether there is anything to divide by.",
        ),
        "kinds": Hint(
            "Look at masks that are not booleans: their numbers may be 0 and 1 in one and 0 and 255 in the other. What "
            "is not 0 belongs to the mask.",
            "Turn both masks into booleans first. A comparison with 0 does it for every kind.",
        ),
        "union": Hint(
            "The denominator is |a| + |b|, which counts the common pixels twice. That is not the union.",
            "|a ∪ b| = |a| + |b| - |a ∩ b|, or directly np.logical_or(a, b).sum().",
        ),
        "dice": Hint(
            "This is Dice, 2|a ∩ b| / (|a| + |b|): a relative of IoU, but a larger number.",
            "Divide |a ∩ b| by |a ∪ b|, without the factor 2.",
        ),
        "one mask": Hint(
            "The denominator is the size of one mask alone: of the first, the second, the smaller or the larger one. A "
            "pixel that is only in the other mask then costs nothing.",
            "Divide by the pixels that are in a or in b: np.logical_or(a, b).sum().",
        ),
        "empty": Hint(
            "Look at two empty masks: 0/0 is undefined, neither a perfect score nor a bad one, and no error.",
            "if union == 0: return np.nan. Leave out any small epsilon: it turns NaN into a number.",
        ),
        "one empty": Hint(
            "Look at one empty mask beside one that is not: nothing is in common, but there is a union. The IoU is 0.",
            "Only union == 0, both masks empty, gives np.nan; ask for nothing else.",
        ),
        "constant": Hint(
            "A constant is added above and below. It moves every score, most of all those of small masks.",
            "Divide the bare counts, and treat an empty union by itself.",
        ),
        "large": Hint(
            "Look at large masks: the counts exceed what 8 or 16 bits can hold, 255 and 32,767.",
            "Count booleans with .sum() alone, or .sum(dtype=np.int64); do not convert to a small type.",
        ),
        "accuracy": Hint(
            "This is pixel accuracy: pixels that are outside both masks count as right. IoU does not count them.",
            "Only pixels inside at least one mask may enter: the intersection above, the union below.",
        ),
        "picture": Hint(
            "The denominator is the whole picture. Pixels that are in neither mask do not enter.",
            "Divide by np.logical_or(a, b).sum().",
        ),
        "xor": Hint(
            "The denominator holds the pixels that are in exactly one mask. The common ones belong to the union too.",
            "Use | (or), not ^ (exclusive or).",
        ),
        "rows": Hint(
            "This is a mean over rows. IoU is one ratio of two counts over the whole mask.",
            "Call .sum() without an axis, and divide once.",
        ),
        "scale": Hint(
            "The ratio is right up to its scale: IoU lies between 0 and 1, with all decimals.",
            "Return intersection / union: no factor 100, no //, no rounding.",
        ),
    },
    mistakes=(
        *(Mistake(one.name, _of_booleans(one.answer), one.hint) for one in _OF_BOOLEANS),
        Mistake("product and sum", _product_and_sum, "kinds"),
        Mistake("bit by bit", _bit_by_bit, "kinds"),
        Mistake("inside is 1", _inside_is(lambda one: one == 1), "kinds"),
        Mistake("inside is above 127", _inside_is(lambda one: one > 127), "kinds"),
        Mistake("the largest number is inside", _inside_is(lambda one: one == one.max()), "kinds"),
    ),
    alternatives=(_union_by_hand, _with_sets, _with_loops, _with_torch),
    points=2,
    minutes=15,
    difficulty=1,
)
