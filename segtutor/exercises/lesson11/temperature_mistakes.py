"""Typical wrong answers to exercise 11.3, the temperature."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _best(  # type: ignore[no-untyped-def]
    logits, target, ignore,
    given="T", void="right", measure="likelihood", kind="logits", grid="fine", second="right", safe=True,
    limits=(0.05, 50),
):  # fmt: skip
    """The temperature with the switches of the mistakes; as it stands, the right one."""
    valid = np.ones_like(target, dtype=bool) if void in ("class 0", "the last") else target != ignore
    labels = np.where(target == ignore, 0 if void == "class 0" else len(logits) - 1, target)[valid]
    scores = logits[:, valid]
    if safe:
        scores = scores - scores.max(axis=0)
    if kind == "probabilities":
        powers = np.exp(scores)
        scores = powers / powers.sum(axis=0)
    places = np.arange(len(labels))

    def loss(t):  # type: ignore[no-untyped-def]
        z = scores / t
        logs = z - np.log(np.exp(z).sum(axis=0)) if safe else np.log(np.exp(z) / np.exp(z).sum(axis=0))
        own = logs[labels, places]
        squares = ((np.exp(logs) - np.eye(len(scores))[labels].T) ** 2).sum(axis=0)
        values = {"likelihood": -own, "confidence": -logs.max(axis=0), "square": squares}
        if measure == "classes":
            return np.mean([(-own)[labels == one].mean() for one in np.unique(labels)])
        if measure == "gap":
            return abs(np.exp(logs.max(axis=0)).mean() - (logs.argmax(axis=0) == labels).mean())
        return values[measure].mean()

    best = 1.0
    if measure != "accuracy":
        candidates = np.arange(0.5, 50.1, 0.5) if grid == "halves" else np.geomspace(*limits, 50)
        if grid == "tenths":
            candidates = np.arange(0.1, 50.1, 0.1)
        for _ in range(5 if grid == "fine" else 1):
            best = candidates[int((np.nanargmin if safe else np.argmin)([loss(one) for one in candidates]))]
            if grid == "fine":
                number = int(np.argmin(abs(candidates - best)))
                candidates = np.geomspace(candidates[max(number - 1, 0)], candidates[min(number + 1, 49)], 50)
    measure = "likelihood" if second == "right" else measure
    least = loss(best)
    value = {"right": least, "sum": least * len(labels), "bits": least / np.log(2), "at 1": 0.0, "pixels": 0.0}[second]
    if second == "at 1":
        value = loss(1.0)
    if second == "pixels":
        value = least * len(labels) / target.size
    return {"T": best, "factor": 1 / best, "root": np.sqrt(best), "logarithm": np.log(best)}[given], value


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _best(*given, **switches), hint)


MISTAKES = (
    _mistake("multiplied", "divide", given="factor"),
    _mistake("its logarithm", "divide", given="logarithm"),
    _mistake("void is class 0", "void", void="class 0"),
    _mistake("void is the last class", "void", void="the last"),
    _mistake("void counts in N", "void", second="pixels"),
    _mistake("by the accuracy", "measure", measure="accuracy"),
    _mistake("by the confidence", "measure", measure="confidence"),
    _mistake("by the Brier score", "measure", measure="square"),
    _mistake("by the gap of the confidence", "measure", measure="gap"),
    _mistake("all classes alike", "measure", measure="classes"),
    _mistake("probabilities divided", "logits", kind="probabilities"),
    _mistake("steps of one half", "precise", grid="halves"),
    _mistake("steps of one tenth", "precise", grid="tenths"),
    _mistake("fifty steps once", "precise", grid="coarse"),
    _mistake("never below 1", "divide", limits=(1.0, 50.0)),
    _mistake("the sum", "loss", second="sum"),
    _mistake("in bits", "loss", second="bits"),
    _mistake("the loss at 1", "loss", second="at 1"),
    _mistake("without the largest taken away", "large", safe=False),
)
