"""Typical wrong answers to exercise 9.4, the loss of the masks."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _losses(  # type: ignore[no-untyped-def]
    logits, wanted, known, count, void="out", over="known", per="count", entropy="right", dice="right", least=1,
):  # fmt: skip
    """Both losses with the switches of the mistakes; as it stands, the right ones."""
    with np.errstate(all="ignore"):
        k = np.ones_like(known) if void in ("in", "only dice") else known
        p = 1 / (1 + np.exp(-logits))
        losses = {
            "right": np.logaddexp(0, logits) - logits * wanted,
            "inside": np.logaddexp(0, -logits) * wanted,
            "swapped": np.logaddexp(0, logits) - logits * (1 - wanted),
            "of logits": (logits - wanted) ** 2,
            "twice": np.logaddexp(0, p) - p * wanted,
        }[entropy]
        number = {"all": k.shape[1], "sum": 1.0, "masks": 1.0}.get(over, np.maximum(k.sum(1), least))
        per_mask = (losses * k).sum(1) / number
        if void == "nan":
            per_mask = (losses * k).sum(1) / k.sum(1)
        k = np.ones_like(known) if void in ("in", "only entropy") else known
        seen = wanted if void == "objects" else wanted * k
        p = p * k if void != "masks" else p
        if dice == "logits":
            p = logits * k
        if dice == "hard":
            p = (logits > 0) * k
        if over == "points":
            per_mask = np.atleast_1d((losses * k).sum() / max(k.sum(), 1) * len(k))
        shared, both = (p * seen).sum(1), p.sum(1) + seen.sum(1)
        of_dice = {
            "no ones": 1 - 2 * shared / both,
            "once": 1 - (shared + 1) / (both + 1),
            "IoU": 1 - (shared + 1) / (both - shared + 1),
            "squares": 1 - (2 * shared + 1) / ((p**2).sum(1) + (seen**2).sum(1) + 1),
            "similar": (2 * shared + 1) / (both + 1),
            "all at once": np.atleast_1d(1 - (2 * shared.sum() + 1) / (both.sum() + 1)),
        }.get(dice, 1 - (2 * shared + 1) / (both + 1))
        divisor = {
            "count": max(count, 1),
            "one more": count + 1,
            "masks": max(len(logits), 1),
            "raw": count,
            "none": 1,
        }[per]
        return np.float64(per_mask.sum()) / np.float64(divisor), np.float64(of_dice.sum()) / np.float64(divisor)


def _mask_by_mask(logits, wanted, known, count):  # type: ignore[no-untyped-def]
    rows = [slice(number, number + 1) for number in range(len(logits))]
    return np.array([_losses(logits[row], wanted[row], known[row], count) for row in rows])


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda z, o, k, n: _losses(z, o, k, n, **switches), hint)


MISTAKES = (
    _mistake("void counts", "void", void="in"),
    _mistake("void counts in the cross entropy", "void", void="only dice"),
    _mistake("void counts in Dice", "void", void="only entropy"),
    _mistake("objects under void count in Dice", "void", void="objects"),
    _mistake("masks over void count in Dice", "void", void="masks"),
    _mistake("mean over all points", "void", over="all"),
    _mistake("0 / 0", "all void", void="nan"),
    _mistake("divided by the masks", "count", per="masks"),
    _mistake("one more", "count", per="one more"),
    _mistake("not divided", "count", per="none"),
    _mistake("divided by no objects", "count", per="raw"),
    _mistake("sum over the points", "entropy", over="sum"),
    _mistake("mean over the points of all masks", "entropy", over="points"),
    _mistake("sigmoid twice", "entropy", entropy="twice"),
    _mistake("inside only", "entropy", entropy="inside"),
    _mistake("exchanged", "entropy", entropy="swapped"),
    _mistake("squares of logits", "entropy", entropy="of logits"),
    _mistake("Dice without ones", "dice", dice="no ones"),
    _mistake("shared once", "dice", dice="once"),
    _mistake("IoU", "dice", dice="IoU"),
    _mistake("squares below", "dice", dice="squares"),
    _mistake("Dice itself", "dice", dice="similar"),
    _mistake("one fraction for all masks", "dice", dice="all at once"),
    _mistake("Dice of logits", "dice", dice="logits"),
    _mistake("Dice of masks above 0", "dice", dice="hard"),
    Mistake("Dice first", lambda z, o, k, n: _losses(z, o, k, n)[::-1], "two"),
    Mistake("the mean of both", lambda z, o, k, n: sum(_losses(z, o, k, n)) / 2, "two"),
    Mistake("two for each mask", _mask_by_mask, "two"),
    Mistake("the sum of both", lambda z, o, k, n: sum(_losses(z, o, k, n)), "two"),
)
