"""Typical wrong answers to exercise 11.6, the weights of gaps."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import ndimage


def _weights(  # type: ignore[no-untyped-def]
    cells, w0, sigma,
    terms="both", divisor="right", inside=0.0, few="zero", kind="number", metric="euclidean", plus=0.0, absent=False,
):  # fmt: skip
    """The weights with the switches of the mistakes; as it stands, the right ones."""
    parts = cells
    if kind != "number":
        structure = np.ones((3, 3)) if kind == "corners" else None
        parts = ndimage.label(cells > 0, structure)[0]
    if kind == "parts":
        parts, count = np.zeros_like(cells), 0
        for number in np.unique(cells[cells > 0]):
            regions, found = ndimage.label(cells == number)
            parts = np.where(regions > 0, regions + count, parts)
            count += found
    numbers = np.arange(1, parts.max() + 1) if absent else np.unique(parts[parts > 0])
    maps = []
    for number in numbers:
        mask = parts == number
        if metric in ("chessboard", "taxicab"):
            maps.append(ndimage.distance_transform_cdt(~mask, metric).astype(float))
        elif metric == "middle":
            middle = np.argwhere(mask).mean(axis=0)
            maps.append(np.hypot(*(np.indices(cells.shape) - middle[:, None, None])))
        else:
            maps.append(ndimage.distance_transform_edt(~mask))
        if metric == "edge":
            maps[-1] = np.maximum(maps[-1] - 0.5, 0)
    if not maps:
        return np.full(cells.shape, 0.0 if few != "w0" else w0) + plus
    if len(maps) < 2:
        if few == "zero":
            return np.zeros(cells.shape) + plus
        maps.append(np.zeros(cells.shape) if few == "alone" else maps[0])
    first, second = np.sort(maps, axis=0)[:2]
    if terms == "the farthest":
        second = np.sort(maps, axis=0)[-1]
    exponent = {
        "both": (first + second) ** 2, "nearest": first**2, "second": second**2, "squares": first**2 + second**2,
        "product": first * second, "not squared": first + second, "difference": (second - first) ** 2,
        "the farthest": (first + second) ** 2, "mean": ((first + second) / 2) ** 2,
    }[terms]  # fmt: skip
    below = {"right": 2 * sigma**2, "no 2": sigma**2, "not squared": 2 * sigma, "square of both": (2 * sigma) ** 2}
    weights = w0 * np.exp(-exponent / below.get(divisor, 2 * sigma**2))
    if divisor == "rising":
        weights = w0 * (1 - np.exp(-exponent / (2 * sigma**2)))
    if divisor == "without w0":
        weights = weights / w0
    return np.where(cells == 0, weights, weights if inside == "weights" else inside) + plus


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _weights(*given, **switches), hint)


MISTAKES = (
    _mistake("the nearest alone", "one", terms="nearest"),
    _mistake("the second alone", "one", terms="second"),
    _mistake("nearest and farthest", "one", terms="the farthest"),
    _mistake("squares added", "squares", terms="squares"),
    _mistake("the product", "squares", terms="product"),
    _mistake("the difference", "squares", terms="difference"),
    _mistake("not squared", "squares", terms="not squared"),
    _mistake("half the sum", "squares", terms="mean"),
    _mistake("without the 2", "sigma", divisor="no 2"),
    _mistake("sigma not squared", "sigma", divisor="not squared"),
    _mistake("2 sigma squared", "sigma", divisor="square of both"),
    _mistake("rising with the distance", "sigma", divisor="rising"),
    _mistake("without w0", "sigma", divisor="without w0"),
    _mistake("inside cells, too", "inside", inside="weights"),
    _mistake("1 inside", "inside", inside=1.0),
    _mistake("1 added everywhere", "inside", plus=1.0),
    _mistake("one cell is enough", "few", few="alone"),
    _mistake("one cell twice", "few", few="twice"),
    _mistake("connected regions", "cells", kind="regions"),
    _mistake("regions connected at corners", "cells", kind="corners"),
    _mistake("parts of a cell are cells", "cells", kind="parts"),
    _mistake("chessboard distance", "distance", metric="chessboard"),
    _mistake("city-block distance", "distance", metric="taxicab"),
    _mistake("to the middle of the cell", "distance", metric="middle"),
    _mistake("to the edge of the pixel", "distance", metric="edge"),
)
