"""Typical wrong answers to exercise 9.1, the costs of pairs."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _costs(  # type: ignore[no-untyped-def]
    classes, masks, labels, objects, weights=(-2, 5, 5), chance="softmax", entropy="mean", dice="right",
):  # fmt: skip
    """The costs with the switches of the mistakes; as it stands, the right one."""
    with np.errstate(all="ignore"):
        if chance == "without no object":
            classes = classes[:, :-1]
        chances = np.exp(classes) / np.exp(classes).sum(axis=1, keepdims=True)
        if chance == "sigmoid":
            chances = 1 / (1 + np.exp(-classes))
        if chance == "logits":
            chances = classes
        if chance == "minus one":
            chances = chances - 1
        if chance == "log":
            chances = np.log(chances)
        if chance == "axis":
            chances = np.exp(classes) / np.exp(classes).sum(axis=0, keepdims=True)
        p = 1 / (1 + np.exp(-masks))
        inside, outside = np.logaddexp(0, -masks), np.logaddexp(0, masks)
        left_out = 1 - objects
        table = {
            "mean": (inside @ objects.T + outside @ (1 - objects).T) / masks.shape[1],
            "sum": inside @ objects.T + outside @ (1 - objects).T,
            "inside": inside @ objects.T / masks.shape[1],
            "outside": outside @ (1 - objects).T / masks.shape[1],
            "swapped": (outside @ objects.T + inside @ (1 - objects).T) / masks.shape[1],
            "by area": (inside @ objects.T + outside @ (1 - objects).T) / objects.sum(axis=1),
            "alike": (
                inside @ objects.T / np.maximum(objects.sum(axis=1), 1)
                + outside @ left_out.T / np.maximum(left_out.sum(axis=1), 1)
            )
            / 2,
            "focal": (inside * (1 - p) ** 2 @ objects.T + outside * p**2 @ left_out.T) / masks.shape[1],
            "squares": ((1 - p) ** 2 @ objects.T + p**2 @ left_out.T) / masks.shape[1],
            "negative": -(inside @ objects.T + outside @ (1 - objects).T) / masks.shape[1],
        }[entropy]
        shared, both = p @ objects.T, p.sum(axis=1)[:, None] + objects.sum(axis=1)
        similar = {
            "right": 1 - (2 * shared + 1) / (both + 1),
            "no ones": 1 - 2 * shared / both,
            "similarity": (2 * shared + 1) / (both + 1),
            "once": 1 - (shared + 1) / (both + 1),
            "iou": 1 - (shared + 1) / (both - shared + 1),
            "hard": 1
            - (2 * (masks > 0) @ objects.T + 1) / ((masks > 0).sum(axis=1)[:, None] + objects.sum(axis=1) + 1),
            "logits": 1 - (2 * masks @ objects.T + 1) / (masks.sum(axis=1)[:, None] + objects.sum(axis=1) + 1),
            "two ones": 1 - (2 * shared + 2) / (both + 2),
            "one below": 1 - 2 * shared / (both + 1),
            "squares": 1 - (2 * shared + 1) / ((p**2).sum(axis=1)[:, None] + (objects**2).sum(axis=1) + 1),
            "points": (1 - (2 * p[:, None] * objects + 1) / (p[:, None] + objects + 1)).mean(axis=-1),
        }[dice]
        return weights[0] * chances[:, labels] + weights[1] * table + weights[2] * similar


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda c, m, t, o: _costs(c, m, t, o, **switches), hint)


MISTAKES = (
    _mistake("no object left out before the softmax", "no object", chance="without no object"),
    _mistake("sigmoid of the classes", "class", chance="sigmoid"),
    _mistake("logits of the classes", "class", chance="logits"),
    _mistake("logarithm of the probability", "class", chance="log"),
    _mistake("softmax over the queries", "class", chance="axis"),
    _mistake("one minus the probability", "class", chance="minus one"),
    _mistake("class term added", "class", weights=(2, 5, 5)),
    _mistake("all weights 1", "weights", weights=(-1, 1, 1)),
    _mistake("weights 5, 2, 2", "weights", weights=(-5, 2, 2)),
    _mistake("weights 2, 2, 5", "weights", weights=(-2, 2, 5)),
    _mistake("weights of MaskFormer", "weights", weights=(-1, 20, 1)),
    _mistake("sum over the points", "entropy", entropy="sum"),
    _mistake("inside only", "entropy", entropy="inside"),
    _mistake("outside only", "entropy", entropy="outside"),
    _mistake("inside and outside exchanged", "entropy", entropy="swapped"),
    _mistake("divided by the object's points", "entropy", entropy="by area"),
    _mistake("inside and outside alike", "entropy", entropy="alike"),
    _mistake("focal", "entropy", entropy="focal"),
    _mistake("squared distance", "entropy", entropy="squares"),
    Mistake("base two", lambda c, m, t, o: _costs(c, m, t, o, weights=(-2, 5 / np.log(2), 5)), "entropy"),
    _mistake("log likelihood", "entropy", entropy="negative"),
    _mistake("no ones", "dice", dice="no ones"),
    _mistake("one below alone", "dice", dice="one below"),
    _mistake("squares below", "dice", dice="squares"),
    _mistake("Dice of each point", "dice", dice="points"),
    _mistake("Dice itself", "dice", dice="similarity"),
    _mistake("shared once", "dice", dice="once"),
    _mistake("IoU", "dice", dice="iou"),
    _mistake("masks above 0", "dice", dice="hard"),
    _mistake("Dice of logits", "dice", dice="logits"),
    _mistake("twos", "dice", dice="two ones"),
    Mistake("first with first", lambda c, m, t, o: np.diag(_costs(c, m, t, o)), "axes"),
    Mistake("objects x queries", lambda c, m, t, o: _costs(c, m, t, o).T, "axes"),
)
