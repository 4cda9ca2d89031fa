"""Polygons drawn to masks exactly as COCO's own tools draw them, all of a data set at once.

The official rule: scale the ring by five and round, walk each edge in whole steps along its longer axis, and let the
mask change wherever the walk crosses the middle line of a pixel column, at the row above which it crosses. Only those
crossings are computed here, not the walk. E edges, X crossings, R objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from segtutor.metrics.arrays import boolean_at, is_tensor, shorten, to_numpy
from segtutor.metrics.runs import Runs

_SCALE = 5
# Rings drawn at a time: the temporary arrays stay small and in the cache.
_RINGS_AT_ONCE = 512
# Further out than any picture reaches; beyond, whole numbers of fifths of a pixel would run over.
_FURTHEST = 1e9


def rasterize(
    objects: Sequence[Sequence[Sequence[float]]],
    sizes: np.ndarray,
    name: Callable[[int], str] = lambda index: f"object {index}",
) -> Runs:
    """Draw R objects, each a list of rings ``[x0, y0, x1, y1, ...]``, on canvases of their own size.

    Inside a ring the even-odd rule holds; the rings of an object are united.

    Args:
        objects: rings of each object, in pixels.
        sizes: R x 2, height and width.
        name: says in an error which object is wrong.

    Raises:
        ValueError: if an object has no ring, or a ring fewer than three points, half a point, or a value that is not
            a finite number.
    """
    return read_rings(objects, name).draw(sizes)


@dataclass(frozen=True, eq=False)
class Rings:
    """The rings of R objects, checked and not yet drawn.

    Attributes:
        points: P x 2, x and y of all rings.
        offsets: the points of ring n are ``offsets[n]:offsets[n + 1]``.
        owners: the object of each ring, not falling.
        count: R.
    """

    points: np.ndarray
    offsets: np.ndarray
    owners: np.ndarray
    count: int

    def bounds(self) -> np.ndarray:
        """R x 4: least x and y, greatest x and y that a pixel of an object can have, or a little beyond."""
        bounds = np.zeros((self.count, 4))
        if self.count:
            first = self.offsets[np.searchsorted(self.owners, np.arange(self.count))]
            bounds[:, :2] = np.minimum.reduceat(self.points, first) - 1
            bounds[:, 2:] = np.maximum.reduceat(self.points, first) + 1
        return bounds

    def draw(self, sizes: np.ndarray, wanted: np.ndarray | None = None) -> Runs:
        """The masks of R objects on canvases of the given sizes, R x 2; of those not ``wanted`` (R), empty ones."""
        points, offsets, owners = self.points, self.offsets, self.owners
        if wanted is not None:
            rings = wanted[owners]
            points, owners = points[np.repeat(rings, np.diff(offsets))], owners[rings]
            offsets = np.concatenate([[0], np.cumsum(np.diff(offsets)[rings])])
        pieces = []
        for begin in range(0, len(owners), _RINGS_AT_ONCE):
            stop = min(begin + _RINGS_AT_ONCE, len(owners))
            here = offsets[begin : stop + 1]
            pieces.append(_draw_rings(points[here[0] : here[-1]], here - here[0], sizes[owners[begin:stop]]))
        if not pieces:
            return Runs.empty(sizes)
        runs = Runs.concatenate(pieces)
        number = np.bincount(owners, minlength=self.count)
        drawn = np.flatnonzero(number)
        several = number[owners] > 1
        if several.any():
            _, group = np.unique(owners[several], return_inverse=True)
            parts = runs.select(np.flatnonzero(several))
            united = parts.combine(group, np.ones(int((number > 1).sum()), np.int64))
            together = Runs.concatenate([runs.select(np.flatnonzero(~several)), united])
            order = np.argsort(np.concatenate([np.flatnonzero(number == 1), np.flatnonzero(number > 1)]))
            runs = together.select(order)
        return runs if len(drawn) == self.count else runs.placed(drawn, sizes)


def read_rings(objects: Sequence[Sequence[Sequence[float]]], name: Callable[[int], str]) -> Rings:
    """The rings of R objects; the arguments and errors of `rasterize`."""
    if not len(objects):
        return Rings(np.empty((0, 2)), np.zeros(1, np.int64), np.empty(0, np.int64), 0)
    rings = [ring for polygons in objects for ring in polygons]
    owners = np.repeat(np.arange(len(objects)), [len(polygons) for polygons in objects])
    empty = np.flatnonzero(np.bincount(owners, minlength=len(objects)) == 0)
    if empty.size:
        raise ValueError(f"{name(int(empty[0]))} has an empty list of polygons; give at least one ring")
    numbers = array("d")  # refuses texts, which NumPy would read as numbers
    try:
        for ring in rings:
            if type(ring) is list:
                numbers.fromlist(ring)
            else:
                numbers.extend(_row(ring))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        numbers = array("d", _numbers_or_nan(rings, lambda at: name(int(owners[at]))))
    lengths = np.array([len(ring) for ring in rings])
    wrong = np.flatnonzero((lengths < 6) | (lengths % 2 == 1))
    if wrong.size:
        raise ValueError(
            f"{name(int(owners[wrong[0]]))} has a polygon of {lengths[wrong[0]]} numbers; "
            "it needs x and y of at least three points"
        )
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.frombuffer(numbers)

    def given(places: np.ndarray) -> Iterator[Any]:
        """What stood in the rings at these places of the values."""
        numbers = np.searchsorted(offsets, places, "right") - 1
        return (rings[n][at] for n, at in zip(numbers.tolist(), (places - offsets[numbers]).tolist(), strict=True))

    def report(at: int, text: str) -> NoReturn:
        raise ValueError(f"{name(int(owners[np.searchsorted(offsets, at, 'right') - 1]))}: {text}")

    flag = boolean_at(values, given)
    if flag is not None:
        report(flag, _no_number(next(given(np.array([flag])))))
    is_wrong = ~(np.abs(values) <= _FURTHEST)  # NaN is wrong, too
    if is_wrong.any():
        at = int(np.argmax(is_wrong))
        reason = (
            "which lies further out than any picture" if np.isfinite(values[at]) else "which is not a finite number"
        )
        report(at, f"a polygon holds {shorten(next(given(np.array([at]))))}, {reason}")
    return Rings(values.reshape(-1, 2), offsets // 2, owners, len(objects))


def _row(ring: Any) -> Any:
    """A ring that is no list, if it is a row of values; TypeError otherwise."""
    values = to_numpy(ring) if is_tensor(ring) else ring
    if isinstance(values, tuple) or (isinstance(values, np.ndarray) and values.ndim == 1):
        return values
    raise TypeError


def _numbers_or_nan(rings: Sequence[Any], name: Callable[[int], str]) -> list[float]:
    """The values of all rings one by one, NaN for what is no finite number; ValueError for what is none at all."""
    values = []
    for number, ring in enumerate(rings):
        # A text would pass for a list of digits.
        if not (isinstance(ring, (list, tuple, np.ndarray)) or is_tensor(ring)):
            raise ValueError(
                f"{name(number)}: a polygon must be a list [x0, y0, x1, y1, ...], got {shorten(ring)}; a segmentation "
                "is a list of polygons, so one alone is [[x0, y0, x1, y1, ...]]"
            )
        for value in ring:
            if isinstance(value, (str, bytes, list, tuple, dict)) or getattr(value, "ndim", None):
                raise ValueError(f"{name(number)}: {_no_number(value)}")
            try:
                values.append(float(value))
            except (TypeError, ValueError, OverflowError, RuntimeError):
                values.append(float("nan"))
    return values


def _no_number(value: Any) -> str:
    """What to do about something that tools write for a coordinate or for a point."""
    advice = "write x and y in turns, [x0, y0, x1, y1, ...], without further brackets"
    if isinstance(value, (str, bytes)):
        advice = "write numbers without quotation marks"
    elif isinstance(value, (bool, np.bool_)):
        advice = "true and false are no coordinates; a mask of booleans is encoded with segtutor.metrics.rle.encode"
    return f"a polygon holds {shorten(value)}, no number; {advice}"


def _draw_rings(points: np.ndarray, offsets: np.ndarray, sizes: np.ndarray) -> Runs:
    """One mask for each ring."""
    height, width = sizes[:, 0], sizes[:, 1]
    ring = np.repeat(np.arange(len(sizes)), np.diff(offsets))
    x, y = (_SCALE * points + 0.5).astype(np.int64).T  # rounds toward zero after the half, as a C cast does
    following = np.arange(1, len(points) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    x_start, y_start, x_end, y_end = x, y, x[following], y[following]

    # Walk in the direction of the rising longer axis.
    across = np.abs(x_end - x_start) >= np.abs(y_end - y_start)
    backward = np.where(across, x_start > x_end, y_start > y_end)
    x_start, x_end = np.where(backward, x_end, x_start), np.where(backward, x_start, x_end)
    y_start, y_end = np.where(backward, y_end, y_start), np.where(backward, y_start, y_end)
    x_step, y_step = x_end - x_start, y_end - y_start
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(across, y_step / x_step, x_step / y_step)

    # The middle of pixel column c lies between 5c + 2 and 5c + 3.
    first = np.maximum((np.minimum(x_start, x_end) + 2) // _SCALE, 0)
    last = np.minimum((np.maximum(x_start, x_end) - 3) // _SCALE, width[ring] - 1)
    keys, stride = [], int((height * width).max()) + 1
    kind = np.int32 if stride * len(sizes) < 2**31 else np.int64  # 32 bits sort in half the time
    for edges, row_of in ((across, _rows_of_flat_edges), (~across, _rows_of_steep_edges)):
        crossed = np.flatnonzero(edges & (first <= last))
        number = (last - first + 1)[crossed]
        shift = first[crossed] - (np.cumsum(number) - number)
        edge = np.repeat(crossed, number)
        column = np.repeat(shift, number) + np.arange(len(edge))
        row = row_of(column, x_start[edge], y_start[edge], slope[edge], y_step[edge])
        tall = height[ring[edge]]
        row = np.ceil(np.clip((row + 0.5) / _SCALE - 0.5, 0, tall)).astype(np.int64)
        keys.append((ring[edge] * stride + column * tall + row).astype(kind))
    return Runs.from_toggles(np.concatenate(keys), sizes, stride)


def _rows_of_flat_edges(
    column: np.ndarray, x_start: np.ndarray, y_start: np.ndarray, slope: np.ndarray, y_step: np.ndarray
) -> np.ndarray:
    """Upper row, in fifths of a pixel, of the two steps on either side of the column's middle. X values each."""
    step = _SCALE * column + 2 - x_start
    before = (y_start + slope * step + 0.5).astype(np.int64)
    after = (y_start + slope * (step + 1) + 0.5).astype(np.int64)
    return np.minimum(before, after)


def _rows_of_steep_edges(
    column: np.ndarray, x_start: np.ndarray, y_start: np.ndarray, slope: np.ndarray, y_step: np.ndarray
) -> np.ndarray:
    """Row, in fifths of a pixel, of the last step before the walk crosses the column's middle. X values each."""
    bound = _SCALE * column + 3
    rising = slope > 0

    def not_yet_crossed(step: np.ndarray) -> np.ndarray:
        reached = x_start + slope * step + 0.5 >= bound
        return reached != rising

    # The division may miss the exact step of the rounded walk by one either way.
    step = np.clip(np.floor((bound - 0.5 - x_start) / slope), 0, y_step - 1)
    step -= ~not_yet_crossed(step)
    step += not_yet_crossed(step + 1)
    return y_start + step
