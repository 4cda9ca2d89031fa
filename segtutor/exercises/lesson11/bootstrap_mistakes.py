"""Typical wrong answers to exercise 11.4, the bootstrap of a difference."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.seeds import seeded


def _difference(  # type: ignore[no-untyped-def]
    first, second, drawn, confidence,
    pairs="same", score="data set", absent="left out", ends="both", rows="all", value="measured", sign=1,
):  # fmt: skip
    """The difference with the switches of the mistakes; as it stands, the right one."""

    def of_matrices(matrices):  # type: ignore[no-untyped-def]
        hits = np.einsum("skk->sk", matrices).astype(float)
        below = matrices.sum(axis=1) + matrices.sum(axis=2) - hits
        if score == "Dice":
            hits, below = 2 * hits, matrices.sum(axis=1) + matrices.sum(axis=2)
        if score == "recall":
            below = matrices.sum(axis=2)
        if score == "accuracy":
            hits, below = hits.sum(axis=1, keepdims=True), matrices.sum(axis=(1, 2))[:, None]
        values = hits / np.where(below > 0, below, np.nan)
        if absent in ("0", "1"):
            values = np.nan_to_num(values, nan=float(absent))
        if absent == "those with labels":
            values = np.where(matrices.sum(axis=2) > 0, values, np.nan)
        return np.nanmean(values, axis=1)

    def mean_iou(matrices):  # type: ignore[no-untyped-def]
        if score == "pictures":
            return float(of_matrices(matrices).mean())
        return float(of_matrices(matrices.sum(axis=0)[None])[0])

    others = {
        "same": drawn,
        "turned": drawn[::-1],
        "next": np.roll(drawn, 1, axis=0),
        "mirrored": len(first) - 1 - drawn,
    }[pairs]
    generator = seeded(0)
    differences = []
    for one, other in zip(drawn, others, strict=True):
        if rows == "once":
            one, other = np.unique(one), np.unique(other)
        if rows == "half":
            one, other = one[: len(one) // 2], other[: len(other) // 2]
        mine, its = first[one], second[other]
        if rows == "pixels":
            mine, its = (
                generator.multinomial(m.sum(), m.sum(axis=0).ravel() / m.sum()).reshape(1, *m.shape[1:])
                for m in (first, second)
            )
        differences.append(mean_iou(mine) - mean_iou(its))
    differences = sign * np.array(differences)
    measured = sign * (mean_iou(first) - mean_iou(second))
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    if ends == "whole tails":
        low, high = np.quantile(differences, [1 - confidence, confidence])
    if ends == "one side":
        low, high = np.quantile(differences, [0, confidence])
    if ends == "1.96":
        low, high = measured - 1.96 * differences.std(), measured + 1.96 * differences.std()
    if ends == "standard error":
        spread = 1.96 * differences.std() / np.sqrt(len(differences))
        low, high = measured - spread, measured + spread
    if ends == "all":
        low, high = differences.min(), differences.max()
    if ends == "separate":
        scores = [[mean_iou(which[row]) for row in drawn] for which in (first, second)]
        low = np.quantile(scores[0], tail) - np.quantile(scores[1], 1 - tail)
        high = np.quantile(scores[0], 1 - tail) - np.quantile(scores[1], tail)
    if ends == "turned":
        low, high = high, low
    if value == "mean":
        measured = differences.mean()
    if value == "median":
        measured = np.median(differences)
    if value == "amount":
        measured = abs(measured)
    return measured, low, high


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _difference(*given, **switches), hint)


MISTAKES = (
    _mistake("other pictures for the second", "paired", pairs="turned"),
    _mistake("the next draw for the second", "paired", pairs="next"),
    _mistake("two intervals subtracted", "paired", ends="separate"),
    _mistake("mean over the pictures", "data set", score="pictures"),
    _mistake("absent is 0", "absent", absent="0"),
    _mistake("absent is 1", "absent", absent="1"),
    _mistake("only classes with labels", "absent", absent="those with labels"),
    _mistake("all of the rest on each side", "interval", ends="whole tails"),
    _mistake("one side", "interval", ends="one side"),
    _mistake("1.96 deviations", "interval", ends="1.96"),
    _mistake("1.96 standard errors of the draws", "interval", ends="standard error"),
    _mistake("least and largest", "interval", ends="all"),
    _mistake("ends exchanged", "interval", ends="turned"),
    _mistake("each picture once", "drawn", rows="once"),
    _mistake("half of each draw", "drawn", rows="half"),
    _mistake("pixels drawn", "drawn", rows="pixels"),
    _mistake("mean of the draws", "value", value="mean"),
    _mistake("median of the draws", "value", value="median"),
    _mistake("second less first", "value", sign=-1),
    _mistake("Dice", "measure", score="Dice"),
    _mistake("recall", "measure", score="recall"),
    _mistake("accuracy", "measure", score="accuracy"),
)
