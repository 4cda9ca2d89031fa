"""Exercise 1.4: Dice from IoU."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def mean_dice(iou):
    """Mean Dice, from the IoU of each class; NaN marks an absent class, which is left out."""
    raise NotImplementedError("Write mean_dice() here, then run this cell again.")
'''


def mean_dice(iou: np.ndarray) -> float:
    """Mean Dice, from the IoU of each class; NaN marks an absent class, which is left out."""
    dice = 2 * iou / (1 + iou)
    return np.nanmean(dice)


def _with_loops(iou):  # type: ignore[no-untyped-def]
    values = [2 * value / (1 + value) for value in iou if value == value]
    return sum(values) / len(values) if values else float("nan")


def _with_torch(iou):  # type: ignore[no-untyped-def]
    import torch

    seen = torch.from_numpy(iou)
    seen = seen[~seen.isnan()]
    return (2 * seen / (1 + seen)).mean()


def _other_form(iou):  # type: ignore[no-untyped-def]
    return np.nanmean(2 - 2 / (1 + iou))


def _in_place(iou):  # type: ignore[no-untyped-def]
    iou *= 2 / (1 + iou)
    return np.nanmean(iou)


def _zeros_in_place(iou):  # type: ignore[no-untyped-def]
    iou[np.isnan(iou)] = 0
    return np.mean(2 * iou / (1 + iou))


def _by_hand(iou):  # type: ignore[no-untyped-def]
    known = [float(value) for value in iou if value == value]
    return sum(2 * value / (1 + value) for value in known) / len(known)


EXERCISE = Exercise(
    id="1.4",
    title="Mean Dice from IoU",
    name="mean_dice",
    statement=r"""
Dice and IoU of the same two masks are tied together. With $J$ the IoU and $D$ the Dice coefficient
$2|a \cap b| / (|a| + |b|)$, express $D$ by $J$ (paper and pencil: write both with $|a \cap b|$ and $|a \cup b|$).

Then write `mean_dice(iou)`: given the IoU of each class (NaN for an absent one), the mean Dice over the classes
that exist; `np.nan` if none does. Leave the array `iou` as it is. One of the cases shows that the mean Dice does *not*
follow from the mean IoU.
""",
    stub=STUB,
    reference=mean_dice,
    cases=(
        Case("one class, IoU 1/3", (np.array([1 / 3]),), 0.5),
        Case("IoU 1 and 0: mean IoU 1/2, mean Dice 1/2, not 2/3", (np.array([1.0, 0.0]),), 0.5),
        Case("IoU 1/3 and 1/7", (np.array([1 / 3, 1 / 7]),), (0.5 + 0.25) / 2),
        Case("all perfect", (np.ones(4),), 1.0),
        Case("twenty random values", (seeded(0).random(20),)),
        Case("one class absent", (np.array([1 / 3, np.nan, 1.0]),), 0.75, "absent"),
        Case(
            "a third of the classes absent",
            (np.where(seeded(1).random(15) < 0.3, np.nan, seeded(2).random(15)),),
            hint="absent",
        ),
        Case("two classes missed", (np.array([1 / 3, 0.0, 0.0, 1 / 7]),), 0.75 / 4, "zero"),
        Case("all absent", (np.array([np.nan, np.nan]),), np.nan, "nothing"),
    ),
    hints={
        "general": Hint(
            "With I and U for intersection and union, |a| + |b| is U + I. Divide numerator and denominator of "
            "Dice by U.",
            "What is left is a formula in J alone. Apply it class by class, and only then take the mean over the "
            "classes that exist.",
        ),
        "order": Hint(
            "You convert the mean (or the sum). The relation bends, so it holds for each class but not for means.",
            "Convert each class first, then take the mean.",
        ),
        "half": Hint(
            "The factor 2 is missing: a perfect IoU of 1 must give a Dice of 1.",
            "2J / (1 + J).",
        ),
        "inverse": Hint(
            "This is the way back, from Dice to IoU. Dice is never smaller than IoU.",
            "2J / (1 + J), not J / (2 - J).",
        ),
        "denominator": Hint(
            "The formula is another one: test yours with J = 1 (D = 1) and with J = 1/3 (D = 1/2).",
            "2J / (1 + J).",
        ),
        "absent": Hint(
            "Look at absent classes (NaN): they have no Dice either, and count neither as 0 nor as 1.",
            "np.nanmean over the converted values, no nan_to_num.",
        ),
        "zero": Hint(
            "Look at classes that are missed, IoU 0: they exist, and their Dice of 0 enters the mean.",
            "Leave out NaN only: np.nanmean.",
        ),
        "nothing": Hint(
            "Look at a list of nothing but NaN: no class exists. The mean is NaN, not 0 and not an error.",
            "np.nanmean gives NaN by itself; len(...) may be 0.",
        ),
        "one number": Hint("One number is wanted: the mean of the Dice of all classes.", "np.nanmean(dice)."),
        "median": Hint("This is the median. The mean is wanted.", "np.nanmean(dice)."),
        "rounded": Hint("The number is rounded. Return it with all its digits.", "Leave out round()."),
        "nan mean": Hint("One NaN makes .mean() NaN.", "Use np.nanmean."),
        "unconverted": Hint(
            "This is the mean IoU; it still has to be converted.",
            "Put each class's IoU through the formula first; the mean comes last.",
        ),
        "weighted": Hint(
            "Each class counts the same in the mean, also those with a small or an equal IoU.",
            "np.nanmean(dice), without weights.",
        ),
        "sum": Hint("This is a sum over the classes, not a mean.", "np.nanmean, not np.nansum."),
        "in place": Hint(
            "The function writes into the array that it was given; the caller's IoU values are gone.",
            "Compute the Dice into a new array: an assignment to parts of iou, or one with an operator, writes into "
            "the caller's.",
        ),
    },
    mistakes=(
        Mistake("Dice of the mean", lambda iou: mean_dice(np.array(np.nanmean(iou))), "order"),
        Mistake("factor 2 missing", lambda iou: np.nanmean(iou / (1 + iou)), "half"),
        Mistake("IoU from Dice", lambda iou: np.nanmean(iou / (2 - iou)), "inverse"),
        Mistake("factor 2 below too", lambda iou: np.nanmean(2 * iou / (1 + 2 * iou)), "denominator"),
        Mistake("denominator J", lambda iou: np.nanmean(2 * iou / (1 - iou)), "denominator"),
        Mistake("denominator 2 + J", lambda iou: np.nanmean(2 * iou / (2 + iou)), "denominator"),
        Mistake("denominator 2 - J", lambda iou: np.nanmean(2 * iou / (2 - iou)), "denominator"),
        Mistake("doubled", lambda iou: np.nanmean(2 * iou), "denominator"),
        Mistake("doubled, at most 1", lambda iou: np.nanmean(np.minimum(2 * iou, 1)), "denominator"),
        Mistake("half of one more", lambda iou: np.nanmean((1 + iou) / 2), "denominator"),
        Mistake("squared", lambda iou: np.nanmean(iou**2), "denominator"),
        Mistake("Dice of the sum", lambda iou: 2 * np.nansum(iou) / (1 + np.nansum(iou)), "order"),
        Mistake("weighted by IoU", lambda iou: np.nansum(2 * iou * iou / (1 + iou)) / np.nansum(iou), "weighted"),
        Mistake("each value once", lambda iou: mean_dice(np.unique(iou)), "weighted"),
        Mistake("of all classes", lambda iou: 2 * iou / (1 + iou), "one number"),
        Mistake("median", lambda iou: np.nanmedian(2 * iou / (1 + iou)), "median"),
        Mistake("two decimals", lambda iou: np.round(mean_dice(iou), 2), "rounded"),
        Mistake("three decimals", lambda iou: np.round(mean_dice(iou), 3), "rounded"),
        Mistake("zeros left out", lambda iou: mean_dice(iou[~(iou == 0)]), "zero"),
        Mistake("nothing gives 0", lambda iou: np.nan_to_num(mean_dice(iou)), "nothing"),
        Mistake("nothing divides by zero", _by_hand, "nothing"),
        Mistake("square root", lambda iou: np.nanmean(np.sqrt(iou)), "denominator"),
        Mistake("absent class as 0", lambda iou: mean_dice(np.nan_to_num(iou)), "absent"),
        Mistake("absent class as 1", lambda iou: mean_dice(np.nan_to_num(iou, nan=1.0)), "absent"),
        Mistake("plain mean", lambda iou: np.mean(2 * iou / (1 + iou)), "nan mean"),
        Mistake("mean IoU", lambda iou: np.nanmean(iou), "unconverted"),
        Mistake("sum over K classes", lambda iou: np.nansum(2 * iou / (1 + iou)) / len(iou), "absent"),
        Mistake("sum", lambda iou: np.nansum(2 * iou / (1 + iou)), "sum"),
        Mistake("writes into its input", _in_place, "in place"),
        Mistake("writes zeros into its input", _zeros_in_place, "in place"),
    ),
    alternatives=(_with_loops, _with_torch, _other_form),
    points=2,
    minutes=15,
    difficulty=1,
)
