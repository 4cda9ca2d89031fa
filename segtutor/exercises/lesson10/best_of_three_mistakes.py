"""Typical wrong answers to exercise 10.3, the loss of the best mask."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _best(  # type: ignore[no-untyped-def]
    logits, targets, weights=(20, 1), choose="least", focal="right", dice="right", results="both",
):  # fmt: skip
    """The loss with the switches of the mistakes; as it stands, the right one."""
    wanted = targets[:, None]
    entropy = np.logaddexp(0, logits) - logits * wanted
    true, inside = np.exp(-entropy), 1 / (1 + np.exp(-logits))
    missing = 1 - true
    per_pixel = {
        "right": missing**2 * entropy,
        "entropy": entropy,
        "power one": missing * entropy,
        "turned": true**2 * entropy,
        "inside": missing**2 * entropy * wanted,
        "of p": (1 - inside) ** 2 * entropy,
        "quarter": 0.25 * missing**2 * entropy,
    }
    F = per_pixel["right"].sum(axis=2) if focal == "sum" else per_pixel[focal].mean(axis=2)
    p = (logits > 0).astype(float) if dice == "cut" else inside
    common, both = (p * wanted).sum(axis=2), p.sum(axis=2) + wanted.sum(axis=2)
    D = {
        "right": 1 - (2 * common + 1) / (both + 1), "cut": 1 - (2 * common + 1) / (both + 1),
        "without one": 1 - 2 * common / np.maximum(both, 1e-9), "similarity": (2 * common + 1) / (both + 1),
        "IoU": 1 - (common + 1) / (both - common + 1), "once": 1 - (common + 1) / (both + 1),
    }[dice]  # fmt: skip
    losses = weights[0] * F + weights[1] * D
    best, loss = losses.argmin(axis=1), losses.min(axis=1).mean()
    if choose == "worst":
        best, loss = losses.argmax(axis=1), losses.max(axis=1).mean()
    if choose == "all":
        loss = losses.mean()
    if choose == "sum":
        loss = losses.min(axis=1).sum()
    if choose == "after the mean":
        best = np.full(len(losses), losses.mean(axis=0).argmin())
        loss = losses.mean(axis=0).min()
    if choose == "by term":
        loss = (weights[0] * F.min(axis=1) + weights[1] * D.min(axis=1)).mean()
    if choose == "by dice":
        best = D.argmin(axis=1)
        loss = np.take_along_axis(losses, best[:, None], axis=1).mean()
    if choose == "by focal":
        best = F.argmin(axis=1)
        loss = np.take_along_axis(losses, best[:, None], axis=1).mean()
    if choose == "first":
        best, loss = np.zeros(len(losses), dtype=int), losses[:, 0].mean()
    if results == "loss":
        return loss
    if results == "turned":
        return loss, best
    return (best + 1 if results == "from one" else best), loss


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _best(*given, **switches), hint)


MISTAKES = (
    _mistake("the least of the means", "prompt", choose="after the mean"),
    _mistake("the worst learns", "best", choose="worst"),
    _mistake("all learn", "best", choose="all"),
    _mistake("the first learns", "best", choose="first"),
    _mistake("each term has its own best", "best", choose="by term"),
    _mistake("chosen by Dice", "best", choose="by dice"),
    _mistake("chosen by focal loss", "best", choose="by focal"),
    _mistake("sum over the prompts", "prompt", choose="sum"),
    _mistake("weights forgotten", "weights", weights=(1, 1)),
    _mistake("weights swapped", "weights", weights=(1, 20)),
    _mistake("cross entropy", "focal", focal="entropy"),
    _mistake("not squared", "focal", focal="power one"),
    _mistake("easy pixels count", "focal", focal="turned"),
    _mistake("pixels inside alone", "focal", focal="inside"),
    _mistake("1 - p everywhere", "focal", focal="of p"),
    _mistake("sum over the pixels", "focal", focal="sum"),
    _mistake("times a quarter", "focal", focal="quarter"),
    _mistake("cut masks", "dice", dice="cut"),
    _mistake("without the 1", "dice", dice="without one"),
    _mistake("similarity", "dice", dice="similarity"),
    _mistake("IoU for Dice", "dice", dice="IoU"),
    _mistake("the shared once", "dice", dice="once"),
    _mistake("the loss alone", "results", results="loss"),
    _mistake("the loss first", "results", results="turned"),
    _mistake("masks from one", "results", results="from one"),
)
