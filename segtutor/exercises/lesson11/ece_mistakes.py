"""Typical wrong answers to exercise 11.2, the expected calibration error."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _error(  # type: ignore[no-untyped-def]
    probabilities, target, bins, ignore,
    void="right", weights="shares", confidence="answer", correct="answer", edges="right", amount="abs", gap="right",
    empty=np.nan,
):  # fmt: skip
    """The error with the switches of the mistakes; as it stands, the right one."""
    valid = np.ones_like(target, dtype=bool) if void == "counts" else target != ignore
    known = np.where((target >= 0) & (target < len(probabilities)), target, 0)
    own = np.take_along_axis(probabilities, known[None], 0)[0]
    sure = {"answer": probabilities.max(axis=0), "label": own, "first": probabilities[0]}[confidence][valid]
    hits = (probabilities.argmax(axis=0) == target)[valid].astype(float)
    if correct == "probability":
        hits = own[valid]
    if correct == "half":
        hits = (own > 0.5)[valid].astype(float)
    place = np.ceil(sure * bins) - 1
    if edges == "left":
        place = np.minimum(np.floor(sure * bins), bins - 1)
    if edges == "lost":
        place = np.floor(sure * bins)
    if edges == "rounded":
        place = np.minimum(np.round(sure * bins), bins - 1)
    if edges == "from 1 / K":
        low = 1 / len(probabilities)
        place = np.maximum(np.ceil((sure - low) / (1 - low) * bins) - 1, 0)
    place = np.maximum(place, 0)
    count = len(target.ravel()) if void == "divisor" else valid.sum()
    gaps, parts = np.full(bins, empty), []
    for number in range(bins):
        inside = place == number
        if inside.any():
            mean = (number + 0.5) / bins if gap == "middle" else sure[inside].mean()
            gaps[number] = mean - hits[inside].mean()
            share = {"shares": inside.sum() / count, "none": 1 / bins, "filled": 1.0}[weights]
            parts.append((share, gaps[number]))
    shares, values = np.array(parts).T
    if weights == "filled":
        shares = shares / len(shares)
    error = {
        "abs": (shares * np.abs(values)).sum(), "signed": (shares * values).sum(),
        "square": np.sqrt((shares * values**2).sum()), "largest": np.abs(values).max(),
        "percent": 100 * (shares * np.abs(values)).sum(), "mean": abs(sure.mean() - hits.mean()),
    }[amount]  # fmt: skip
    return error, {"turned": -gaps, "amounts": np.abs(gaps)}.get(gap, gaps)


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _error(*given, **switches), hint)


MISTAKES = (
    _mistake("void counts", "void", void="counts"),
    _mistake("void counts below", "void", void="divisor"),
    _mistake("all bins alike", "weights", weights="none"),
    _mistake("all filled bins alike", "weights", weights="filled"),
    _mistake("probability of the label", "answer", confidence="label"),
    _mistake("probability of class 0", "answer", confidence="first"),
    _mistake("its probability for right", "answer", correct="probability"),
    _mistake("right above one half", "answer", correct="half"),
    _mistake("the left edge", "edges", edges="left"),
    _mistake("1 is in no bin", "edges", edges="lost"),
    _mistake("rounded to a bin", "edges", edges="rounded"),
    _mistake("bins from 1 / K on", "edges", edges="from 1 / K"),
    _mistake("gaps cancel", "amount", amount="signed"),
    _mistake("root of squares", "amount", amount="square"),
    _mistake("the largest gap", "amount", amount="largest"),
    _mistake("in percent", "amount", amount="percent"),
    _mistake("one gap over all", "amount", amount="mean"),
    _mistake("accuracy less confidence", "gap", gap="turned"),
    _mistake("gaps without a sign", "gap", gap="amounts"),
    _mistake("the middle of the bin", "gap", gap="middle"),
    _mistake("0 for an empty bin", "gap", empty=0.0),
)
