"""Binary masks of a whole data set as one table of foreground runs, and exact set arithmetic on it.

R masks, N runs of all masks together. A position counts pixels down the columns, ``x * height + y``,
as COCO does. Nothing here loops over masks: a mask costs a few array elements, not a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# A canvas has fewer pixels than this: then positions in the canvases of millions of masks fit into 64 bits.
MOST_PIXELS = 1 << 32


def _mask_number(index: int) -> str:
    return f"mask {index}"


@dataclass(frozen=True, eq=False)
class Runs:
    """Foreground runs of R masks: sorted, not empty, and not touching within a mask.

    Attributes:
        starts: N first positions.
        ends: N positions, each one past the last of its run.
        offsets: R + 1; the runs of mask r are ``offsets[r]:offsets[r + 1]``.
        sizes: R x 2, height and width of the canvas.
    """

    starts: np.ndarray
    ends: np.ndarray
    offsets: np.ndarray
    sizes: np.ndarray

    @classmethod
    def from_counts(
        cls, counts: np.ndarray, offsets: np.ndarray, sizes: np.ndarray, name: Callable[[int], str] = _mask_number
    ) -> Runs:
        """Read run lengths that alternate between background and foreground, background first.

        Args:
            counts: lengths of all masks in a row; zeros may occur anywhere.
            offsets: R + 1; the counts of mask r are ``offsets[r]:offsets[r + 1]``.
            sizes: R x 2, height and width.
            name: says in an error which mask is wrong.

        Raises:
            ValueError: if a count is negative or the counts of a mask do not fill its canvas exactly.
        """
        counts = counts.astype(np.int64, copy=False)
        lengths = np.diff(offsets)
        if counts.size and counts.min() < 0:
            at = int(np.flatnonzero(counts < 0)[0])
            mask = int(np.searchsorted(offsets, at, "right")) - 1
            raise ValueError(f"{name(mask)} has a negative run length, {counts[at]}, as count {at - offsets[mask]}")
        if counts.size and counts.max() >= MOST_PIXELS:  # sums of such numbers would run over, and could come out right
            at = int(np.argmax(counts))
            mask = int(np.searchsorted(offsets, at, "right")) - 1
            raise ValueError(f"{name(mask)} has a run length of {counts[at]}: its run lengths overrun every canvas")
        before = np.concatenate([[0], np.cumsum(counts)])
        bases = before[offsets[:-1]]
        covered, pixels = before[offsets[1:]] - bases, sizes[:, 0] * sizes[:, 1]
        if (covered != pixels).any():
            mask = int(np.flatnonzero(covered != pixels)[0])
            height, width = sizes[mask]
            verb = "overrun" if covered[mask] > pixels[mask] else "underrun"
            raise ValueError(
                f"{name(mask)}: its run lengths {verb} the canvas: they cover {covered[mask]} pixels, "
                f"and its size {height} x {width} has {pixels[mask]}"
            )
        is_foreground = ((np.arange(len(counts)) ^ np.repeat(offsets[:-1], lengths)) & 1).astype(bool)
        foreground = np.flatnonzero(is_foreground & (counts > 0))
        owners = np.repeat(np.arange(len(lengths)), lengths)[foreground]
        base = bases[owners]
        return cls._from_sorted(before[foreground] - base, before[foreground + 1] - base, owners, sizes)

    @classmethod
    def _from_sorted(cls, starts: np.ndarray, ends: np.ndarray, owners: np.ndarray, sizes: np.ndarray) -> Runs:
        """Join the runs that touch, and build the table; ``owners`` is the mask of each run, not falling."""
        touching = (starts[1:] == ends[:-1]) & (owners[1:] == owners[:-1])
        if touching.any():
            starts = starts[np.concatenate([[True], ~touching])]
            ends = ends[np.concatenate([~touching, [True]])]
            owners = owners[np.concatenate([[True], ~touching])]
        kind = np.int32 if sizes.size == 0 or (sizes[:, 0] * sizes[:, 1]).max() < 2**31 else np.int64
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(sizes)))])
        return cls(starts.astype(kind), ends.astype(kind), offsets, sizes)

    @classmethod
    def from_toggles(cls, keys: np.ndarray, sizes: np.ndarray, stride: int) -> Runs:
        """Masks that change between background and foreground at each key ``mask * stride + position``, in any order.

        Two changes at the same place cancel. Each mask has an even number of them; ``stride`` exceeds every position.
        """
        keys = np.sort(keys)
        if (keys[1:] == keys[:-1]).any():
            first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
            repeats = np.diff(np.concatenate([first, [keys.size]]))
            keys = keys[first[repeats % 2 == 1]]
        owners = keys[::2] // stride
        base = owners * stride
        return cls._from_sorted(keys[::2] - base, keys[1::2] - base, owners, sizes)

    @classmethod
    def from_masks(cls, masks: Sequence[np.ndarray] | np.ndarray) -> Runs:
        """Runs of boolean masks H x W."""
        sizes = np.array([mask.shape for mask in masks], np.int64).reshape(-1, 2)
        stride = int((sizes[:, 0] * sizes[:, 1]).max(initial=0)) + 1
        keys = [np.empty(0, np.int64)]
        for number, mask in enumerate(masks):
            column_major = np.zeros(mask.size + 2, bool)
            column_major[1:-1] = mask.ravel(order="F")
            keys.append(np.flatnonzero(column_major[1:] != column_major[:-1]) + number * stride)
        return cls.from_toggles(np.concatenate(keys), sizes, stride)

    @classmethod
    def empty(cls, sizes: np.ndarray) -> Runs:
        """Masks of these sizes, R x 2, without a pixel."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.zeros(len(sizes) + 1, np.int64), sizes)

    def placed(self, places: np.ndarray, sizes: np.ndarray) -> Runs:
        """A table of masks of the given sizes, empty but for those at ``places``, rising, which are the ones here."""
        lengths = np.zeros(len(sizes), np.int64)
        lengths[places] = np.diff(self.offsets)
        return Runs(self.starts, self.ends, np.concatenate([[0], np.cumsum(lengths)]), sizes)

    @staticmethod
    def concatenate(tables: Sequence[Runs]) -> Runs:
        """The masks of several tables, one table after the other."""
        shifts = np.cumsum([0] + [len(table.starts) for table in tables])
        return Runs(
            np.concatenate([table.starts for table in tables]),
            np.concatenate([table.ends for table in tables]),
            np.concatenate([t.offsets[:-1] + s for t, s in zip(tables, shifts, strict=False)] + [shifts[-1:]]),
            np.concatenate([table.sizes for table in tables]),
        )

    def __len__(self) -> int:
        return len(self.sizes)

    def select(self, masks: np.ndarray) -> Runs:
        """The table of some masks, in the order of their numbers ``masks``."""
        masks = np.asarray(masks, np.int64)
        lengths = np.diff(self.offsets)[masks]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        source = np.repeat(self.offsets[:-1][masks] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Runs(self.starts[source], self.ends[source], offsets, self.sizes[masks])

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Run lengths of all masks, background first, and their R + 1 offsets: the inverse of `from_counts`."""
        pixels = self.sizes[:, 0] * self.sizes[:, 1]
        numbers = np.diff(self.offsets)
        _, last = self.extent()
        reaches_the_end = (last == pixels) & (numbers > 0)
        offsets = np.concatenate([[0], np.cumsum(2 * numbers + ~reaches_the_end)])
        owners = np.repeat(np.arange(len(self)), numbers)
        place = offsets[:-1][owners] + 2 * (np.arange(len(self.starts)) - self.offsets[:-1][owners])
        changes = np.empty(offsets[-1], np.int64)
        changes[offsets[1:] - 1] = pixels
        changes[place] = self.starts
        changes[place + 1] = self.ends
        counts = np.diff(changes, prepend=0)
        counts[offsets[:-1]] = changes[offsets[:-1]]
        return counts, offsets

    def mask(self, number: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """One mask as a boolean array H x W, or its columns from ``left`` up to ``right``, which hold all of it."""
        height, width = (int(side) for side in self.sizes[number])
        right = width if right is None else right
        here = slice(self.offsets[number], self.offsets[number + 1])
        changes = np.zeros(height * (right - left) + 1, np.int8)
        changes[self.starts[here] - left * height] = 1
        changes[self.ends[here] - left * height] = -1
        return np.cumsum(changes[:-1], dtype=np.int8).view(bool).reshape(right - left, height).T

    def areas(self) -> np.ndarray:
        """Foreground pixels of each mask, R int64."""
        areas = np.zeros(len(self), np.int64)
        filled = np.flatnonzero(np.diff(self.offsets))
        if filled.size:
            areas[filled] = np.add.reduceat(self.ends - self.starts, self.offsets[filled], dtype=np.int64)
        return areas

    def boxes(self) -> np.ndarray:
        """Tight boxes R x 4 of x, y, width, height in whole pixels; zeros for an empty mask."""
        boxes = np.zeros((len(self), 4))
        filled = np.flatnonzero(np.diff(self.offsets))
        if not filled.size:
            return boxes
        left, top, height = self._columns(self.starts)
        right, bottom, _ = self._columns(self.ends - 1)
        over_columns = left != right  # such a run holds the last row of a column and the first of the next
        top[over_columns], bottom[over_columns] = 0, (height if np.ndim(height) == 0 else height[over_columns]) - 1
        first = self.offsets[filled]
        boxes[filled, 0] = left[first]
        boxes[filled, 1] = np.minimum.reduceat(top, first)
        boxes[filled, 2] = right[self.offsets[filled + 1] - 1] - left[first] + 1
        boxes[filled, 3] = np.maximum.reduceat(bottom, first) - boxes[filled, 1] + 1
        return boxes

    def _columns(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
        """Column and row of one position in each run, and the height of the runs' canvases."""
        kind, heights = self.starts.dtype, self.sizes[:, 0]
        if (heights == heights[0]).all():  # a division by one number is several times as fast
            height = heights[0].astype(kind)
            column = positions // height
        else:  # so is one of floats, exact for whole numbers below 2 ** 32
            height = np.repeat(heights, np.diff(self.offsets)).astype(kind)
            column = (positions / height).astype(kind)
        return column, positions - column * height, height

    def combine(self, groups: np.ndarray, needed: np.ndarray) -> Runs:
        """Set together the masks of each group, which share one canvas: where at least ``needed`` of them lie.

        Args:
            groups: R group numbers 0, 1, ... without a gap.
            needed: masks of a group that must hold a pixel: 1 is the union, their number the intersection.
        """
        sizes = np.empty((len(needed), 2), np.int64)
        sizes[groups] = self.sizes
        stride = int((sizes[:, 0] * sizes[:, 1]).max(initial=0)) + 1
        shift = np.repeat(groups * stride, np.diff(self.offsets))
        keys = np.concatenate([shift + self.starts, shift + self.ends])
        order = np.argsort(keys)
        cover = np.cumsum(np.where(order < len(self.starts), 1, -1))
        keys = keys[order]
        last_of_place = np.concatenate([keys[1:] != keys[:-1], [True]])[: len(keys)]
        keys, cover = keys[last_of_place], cover[last_of_place]
        inside = np.concatenate([[False], cover >= needed[keys // stride]])
        return Runs.from_toggles(keys[inside[1:] != inside[:-1]], sizes, stride)

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """First position of each mask and one past its last; both 0 for an empty mask."""
        begin, stop = np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        filled = np.flatnonzero(np.diff(self.offsets))
        begin[filled] = self.starts[self.offsets[filled]]
        stop[filled] = self.ends[self.offsets[filled + 1] - 1]
        return begin, stop
