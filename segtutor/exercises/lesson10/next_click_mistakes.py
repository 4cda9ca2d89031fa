"""Typical wrong answers to exercise 10.5, the next click."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import ndimage


def _click(  # type: ignore[no-untyped-def]
    logits, target, known,
    cut=0.0, order="xy", label="right", choose="most", joined=False, corners=False, middle="deepest", border=True,
    void=True, none="None",
):  # fmt: skip
    """The click with the switches of the mistakes; as it stands, the right one."""
    found = logits > cut
    counts = known if void else np.ones_like(known)
    missed, too_much = target & ~found & counts, found & ~target & counts
    structure = np.ones((3, 3)) if corners else None
    if joined:
        kinds = [missed | too_much]
    elif choose == "missed only":
        kinds = [missed]
    else:
        kinds = [missed, too_much] if choose != "too much first" else [too_much, missed]
    regions = []
    for wrong in kinds:
        if choose == "no regions":
            regions += [wrong] if wrong.any() else []
            continue
        numbers, count = ndimage.label(wrong, structure=structure)
        regions += [numbers == number for number in range(1, count + 1)]

    def depth(region):  # type: ignore[no-untyped-def]
        padded = np.pad(region, 1) if border else region
        if padded.all():
            return np.ones_like(padded, dtype=float)
        if middle == "steps":
            found = ndimage.distance_transform_cdt(padded, metric="taxicab")
        else:
            found = ndimage.distance_transform_edt(padded)
        return found[1:-1, 1:-1] if border else found

    if not regions:
        return {
            "None": None,
            "middle of the object": (target.shape[1] // 2, target.shape[0] // 2, 1),
            "(0, 0)": (0, 0, 0),
        }[none]
    size = {"deepest": lambda one: depth(one).max(), "first": lambda one: 0, "least": lambda one: -one.sum()}
    region = max(regions, key=size.get(choose, lambda one: one.sum()))
    rows, columns = np.nonzero(region)
    if middle == "gravity":
        y, x = np.rint([rows.mean(), columns.mean()]).astype(int)
    elif middle == "first pixel":
        y, x = rows[0], columns[0]
    elif middle == "box":
        y, x = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    elif middle == "last":
        depths = depth(region)
        places = np.flatnonzero(depths.ravel() == depths.max())
        y, x = np.unravel_index(places[-1], depths.shape)
    else:
        depths = depth(region)
        y, x = np.unravel_index(depths.argmax(), depths.shape)
    kind = int(target[y, x])
    kind = {"right": kind, "turned": 1 - kind, "always this": 1}[label]
    if order == "pair":
        return (int(x), int(y)), kind
    return (int(y), int(x), kind) if order == "yx" else (int(x), int(y), kind)


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _click(*given, **switches), hint)


MISTAKES = (
    _mistake("row before column", "order", order="yx"),
    _mistake("label turned around", "label", label="turned"),
    _mistake("always this", "label", label="always this"),
    _mistake("missed pixels only", "largest", choose="missed only"),
    _mistake("the first region", "largest", choose="first"),
    _mistake("the deepest region", "largest", choose="deepest"),
    _mistake("the smallest region", "largest", choose="least"),
    _mistake("all errors of a kind at once", "largest", choose="no regions"),
    _mistake("both kinds joined", "kinds", joined=True),
    _mistake("corners connect", "sides", corners=True),
    _mistake("center of gravity", "middle", middle="gravity"),
    _mistake("middle of the box", "middle", middle="box"),
    _mistake("first pixel", "middle", middle="first pixel"),
    _mistake("last of equals", "middle", middle="last"),
    _mistake("distance in steps", "middle", middle="steps"),
    _mistake("the border is no outside", "border", border=False),
    _mistake("void is an error", "void", void=False),
    _mistake("a click where nothing is wrong", "none", none="middle of the object"),
    _mistake("(0, 0) where nothing is wrong", "none", none="(0, 0)"),
    _mistake("cut at 0.5", "threshold", cut=0.5),
)
