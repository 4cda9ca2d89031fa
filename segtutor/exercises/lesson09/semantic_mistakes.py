"""Typical wrong answers to exercise 9.5, a label map from masks."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _scores(classes, masks, chance="right", mask="sigmoid", join="sum", last=False, first=False):  # type: ignore[no-untyped-def]
    """The scores with the switches of the mistakes; as it stands, the right ones."""
    with np.errstate(all="ignore"):
        columns = classes[:, :-1] if chance == "before" else classes
        weights = np.exp(columns - columns.max(axis=1, keepdims=True))
        weights = weights / weights.sum(axis=1, keepdims=True)
        if chance == "sigmoid":
            weights = 1 / (1 + np.exp(-classes))
        if chance == "log":
            weights = np.log(weights)
        if chance == "logits":
            weights = classes
        if chance == "over queries":
            weights = np.exp(classes - classes.max(axis=0)) / np.exp(classes - classes.max(axis=0)).sum(axis=0)
        if chance == "best":
            weights = weights * (weights == weights.max(axis=1, keepdims=True))
        if chance == "sure":
            weights = weights * (weights.argmax(axis=1) < classes.shape[1] - 1)[:, None]
        if first:
            weights = weights[:, 1:]
        elif chance != "before" and not last:
            weights = weights[:, :-1]
        maps = {
            "sigmoid": 1 / (1 + np.exp(-np.clip(masks, -700, 700))),
            "logits": masks,
            "twice": 1 / (1 + np.exp(-1 / (1 + np.exp(-np.clip(masks, -700, 700))))),
            "cut": (masks > 0).astype(float),
            "softmax": np.exp(masks - masks.max(0)) / np.exp(masks - masks.max(0)).sum(0),
            "softmax of pixels": np.exp(masks - masks.max((1, 2), keepdims=True))
            / np.exp(masks - masks.max((1, 2), keepdims=True)).sum((1, 2), keepdims=True),
        }[mask]
        products = weights[:, :, None, None] * maps[:, None]
        if join == "normed":
            summed = products.sum(axis=0)
            return summed / summed.sum(axis=0)
        return {"sum": products.sum, "mean": products.mean, "max": products.max}[join](axis=0)


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda classes, masks: _scores(classes, masks, **switches), hint)


MISTAKES = (
    _mistake("left out before the softmax", "no object", chance="before"),
    _mistake("queries that say no object are dropped", "no object", chance="sure"),
    _mistake("the first column is no object", "no object", first=True),
    _mistake("no object has a score", "last", last=True),
    _mistake("the largest of the queries", "sum", join="max"),
    _mistake("the mean of the queries", "sum", join="mean"),
    _mistake("scores add up to 1", "sum", join="normed"),
    _mistake("best class only", "sum", chance="best"),
    _mistake("logits of the masks", "masks", mask="logits"),
    _mistake("sigmoid twice", "masks", mask="twice"),
    _mistake("masks above 0", "masks", mask="cut"),
    _mistake("softmax of the masks", "masks", mask="softmax"),
    _mistake("softmax over the pixels", "masks", mask="softmax of pixels"),
    _mistake("sigmoid of the classes", "classes", chance="sigmoid"),
    _mistake("logits of the classes", "classes", chance="logits"),
    _mistake("logarithm of the softmax", "classes", chance="log"),
    _mistake("softmax over the queries", "classes", chance="over queries"),
    Mistake("columns before rows", lambda c, m: _scores(c, m).swapaxes(1, 2), "axes"),
    Mistake("classes last", lambda c, m: np.moveaxis(_scores(c, m), 0, -1), "axes"),
    Mistake("a batch of one", lambda c, m: _scores(c, m)[None], "axes"),
    Mistake("the label map", lambda c, m: _scores(c, m).argmax(axis=0), "axes"),
)
