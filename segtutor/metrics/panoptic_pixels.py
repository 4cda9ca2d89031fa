"""Pixels that the segments of two panoptic maps share: runs of equal pixels, looked up and added up pair by pair."""

from __future__ import annotations

import numpy as np

from segtutor.metrics.arrays import describe_values

# A table of all pairs of segments up to this size is filled faster than the pairs that occur are sorted.
_MOST_CELLS = 1 << 16


def common_runs(truth: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of pixels that are equal in both maps: their two ids and their lengths.

    A map has far fewer runs than pixels, and all that follows works on runs.
    """
    changed = truth[1:] != truth[:-1]
    changed |= prediction[1:] != prediction[:-1]
    changes = np.flatnonzero(changed)
    starts = np.zeros(len(changes) + min(1, truth.size), dtype=np.int64)
    np.add(changes, 1, out=starts[1:])
    lengths = np.diff(starts, append=truth.size)
    return truth[starts].astype(np.int64), prediction[starts].astype(np.int64), lengths


def add_up(
    rows: np.ndarray, columns: np.ndarray, pixels: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of positions that occur, in order, and the pixels of each."""
    codes = rows * size[1] + columns
    if size[0] * size[1] <= _MOST_CELLS:
        table = np.bincount(codes, weights=pixels, minlength=size[0] * size[1])
        pairs = np.flatnonzero(table)
        shared = table[pairs]
    else:
        pairs, inverse = np.unique(codes, return_inverse=True)
        shared = np.bincount(inverse, weights=pixels, minlength=len(pairs))
    return *np.divmod(pairs, size[1]), shared


def places_in(ids: np.ndarray, listed: np.ndarray, pixels: np.ndarray, side: str) -> np.ndarray:
    """Where each id stands in the sorted list of those that may occur."""
    positions = _look_up(ids, listed)
    wrong = listed[positions] != ids
    if wrong.any():
        values, inverse = np.unique(ids[wrong], return_inverse=True)
        counts = np.bincount(inverse, weights=pixels[wrong])
        raise ValueError(f"the map of {side} has {describe_values(values, counts)} that its segments_info does not "
                         f"list; list the segment, or paint it 0 (void)")  # fmt: skip
    return positions


def _look_up(ids: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """Where each id stands in the sorted list; anywhere, if it is not in it."""
    for bits in (8, 12, 16):
        low = listed & ((1 << bits) - 1)
        if np.bincount(low).max() == 1:  # the last bits tell the listed ids apart: a table takes less than a search
            table = np.zeros(1 << bits, np.int64)
            table[low] = np.arange(len(listed))
            return table[ids & ((1 << bits) - 1)]
    return np.minimum(np.searchsorted(listed, ids), len(listed) - 1)
