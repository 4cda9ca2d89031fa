"""Typical wrong answers to exercise 10.4, the IoU of logits."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _iou(  # type: ignore[no-untyped-def]
    logits, target, known, inside="right", file="right", void="right", empty=1.0, measure="IoU", each="answer"
):
    """The IoU with the switches of the mistakes; as it stands, the right one."""
    found = {
        "right": logits > 0, "half": logits > 0.5, "at least 0": logits >= 0, "sigmoid above 0": logits > -np.inf,
        "sigmoid twice": 1 / (1 + np.exp(-1 / (1 + np.exp(-logits)))) > 0.5, "sign": logits < 0, "one": logits > 1,
    }[inside]  # fmt: skip
    wanted = {"right": target > 0, "is 1": target == 1, "outside": target == 0}.get(file, target > 0)
    counts = np.ones_like(known) if void == "counts" else known
    above = (found & wanted & (np.ones_like(known) if void == "above" else counts)).sum(axis=(1, 2)).astype(float)
    below = (found | wanted) & counts
    if void == "below":
        below = found | wanted
    if void == "found only":
        below = (found & known) | wanted
    if void == "wanted only":
        below = found | (wanted & known)
    union = below.sum(axis=(1, 2)).astype(float)
    if file == "product":
        above = (found * target * known).sum(axis=(1, 2)).astype(float)
    if measure == "Dice":
        above, union = 2 * above, (found & counts).sum(axis=(1, 2)) + float((wanted & counts).sum())
    if measure == "sum":
        union = (found & counts).sum(axis=(1, 2)) + float((wanted & counts).sum())
    if measure == "recall":
        union = np.full(len(logits), float((wanted & counts).sum()))
    if measure == "precision":
        union = (found & counts).sum(axis=(1, 2)).astype(float)
    if measure == "share":
        union = np.full(len(logits), float(counts.sum()))
    if measure == "accuracy":
        above = ((found == wanted) & counts).sum(axis=(1, 2)).astype(float)
        union = np.full(len(logits), float(counts.sum()))
    values = np.where(union > 0, above / np.where(union > 0, union, 1), empty)
    if each == "mean":
        return values.mean()
    if each == "together":
        return above.sum() / union.sum() if union.sum() else 1.0
    if each == "best":
        return values.max()
    return values


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _iou(*given, **switches), hint)


MISTAKES = (
    _mistake("cut at 0.5", "threshold", inside="half"),
    _mistake("cut at 1", "threshold", inside="one"),
    _mistake("0 is inside", "threshold", inside="at least 0"),
    _mistake("sigmoid above 0", "threshold", inside="sigmoid above 0"),
    _mistake("sigmoid twice", "threshold", inside="sigmoid twice"),
    _mistake("below 0", "threshold", inside="sign"),
    _mistake("inside is 1", "file", file="is 1"),
    _mistake("multiplied by 255", "file", file="product"),
    _mistake("inside is 0", "file", file="outside"),
    _mistake("void counts", "void", void="counts"),
    _mistake("void counts above", "void", void="above"),
    _mistake("void counts below", "void", void="below"),
    _mistake("void left out of what was found", "void", void="found only"),
    _mistake("void left out of what is wanted", "void", void="wanted only"),
    _mistake("nothing is 0", "empty", empty=0.0),
    _mistake("nothing is NaN", "empty", empty=np.nan),
    _mistake("Dice", "measure", measure="Dice"),
    _mistake("intersection by the sum", "measure", measure="sum"),
    _mistake("recall", "measure", measure="recall"),
    _mistake("precision", "measure", measure="precision"),
    _mistake("accuracy", "measure", measure="accuracy"),
    _mistake("share of the known pixels", "measure", measure="share"),
    _mistake("mean of the answers", "each", each="mean"),
    _mistake("all answers together", "each", each="together"),
    _mistake("the best answer", "each", each="best"),
)
