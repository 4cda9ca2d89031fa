"""Pixels that masks share, counted on tables of runs: the heart of every IoU between masks.

P pairs of masks, R masks of a table. A pair costs a few array elements, not a call.
"""

from __future__ import annotations

import numpy as np

from segtutor.metrics.runs import Runs

# Runs of all pairs that are looked at together: the temporary arrays stay small and in the cache.
_RUNS_AT_ONCE = 1 << 16


def intersections(masks: Runs, first: np.ndarray, second: np.ndarray, other: Runs | None = None) -> np.ndarray:
    """Pixels that mask ``first[p]`` shares with mask ``second[p]``, for P pairs of masks of one size.

    Args:
        masks: A table.
        first: P masks of it.
        second: P masks of ``other``, or of the same table if it is None.
        other: the other table.

    Returns:
        P exact counts, int64.
    """
    other = masks if other is None else other
    shared = np.zeros(len(first), np.int64)
    # Some pairs at a time, whose runs fit into the cache: fresh memory for all costs more time than the sums.
    runs = np.diff(masks.offsets)[first] + np.diff(other.offsets)[second]
    for pairs in np.split(np.arange(len(first)), np.flatnonzero(np.diff(np.cumsum(runs) // _RUNS_AT_ONCE)) + 1):
        mine, of_first = np.unique(first[pairs], return_inverse=True)
        theirs, of_second = np.unique(second[pairs], return_inverse=True)
        table = Runs.concatenate([masks.select(mine), other.select(theirs)])
        shared[pairs] = _within(table, of_first, of_second + len(mine))
    return shared


def _within(masks: Runs, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The same for masks of one table, and arrays that are as long as all runs together.

    The pixels of one run that lie in another mask are a difference of two values of that mask's running pixel
    count, so a pair costs two look-ups for each run of the mask that has fewer of them where both can be.
    """
    shared = np.zeros(len(first), np.int64)
    if not len(masks.starts):
        return shared
    stride = int((masks.sizes[:, 0] * masks.sizes[:, 1]).max()) + 1
    kind = np.dtype(np.int32 if stride * len(masks) < 2**31 else np.int64)  # 32 bits are searched faster
    bases = (np.arange(len(masks)) * stride).astype(kind)
    shift = np.repeat(bases, np.diff(masks.offsets))
    start_keys, end_keys = masks.starts + shift, masks.ends + shift
    begin, stop = (positions.astype(kind) for positions in masks.extent())

    def runs_within(mask: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low = np.searchsorted(end_keys, bases[mask] + begin[other], "right")
        high = np.searchsorted(start_keys, bases[mask] + stop[other], "left")
        return low, np.maximum(high - low, 0)

    low, number = runs_within(first, second)
    other_low, other_number = runs_within(second, first)
    swap = other_number < number
    low, number = np.where(swap, other_low, low), np.where(swap, other_number, number)
    pairs = np.flatnonzero(number)
    if not pairs.size:
        return shared
    lengths = number[pairs]
    offsets = np.cumsum(lengths) - lengths
    asked, table = np.where(swap, second, first)[pairs], np.where(swap, first, second)[pairs]
    runs = np.repeat(low[pairs] - offsets, lengths) + np.arange(lengths.sum())
    to_table = np.repeat(bases[table] - bases[asked], lengths)
    inside = _pixels_between(start_keys[runs] + to_table, end_keys[runs] + to_table, start_keys, end_keys)
    shared[pairs] = np.add.reduceat(inside, offsets)
    return shared


def _pixels_between(begin: np.ndarray, stop: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Foreground pixels from each ``begin`` up to its ``stop``, where the foreground is sorted runs."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    nearest = np.maximum(np.searchsorted(starts, begin, "right") - 1, 0)
    pixels = before[nearest] + np.clip(begin - starts[nearest], 0, lengths[nearest])
    next_start = np.append(starts[1:], np.iinfo(starts.dtype).max)
    # Most runs end before the next run of the table begins: only the others need a second search.
    further = np.flatnonzero(stop > next_start[nearest])
    nearest[further] = np.searchsorted(starts, stop[further], "right") - 1
    return before[nearest] + np.clip(stop - starts[nearest], 0, lengths[nearest]) - pixels
