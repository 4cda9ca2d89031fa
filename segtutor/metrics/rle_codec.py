"""COCO's run-length dicts parsed to `Runs` and written from them, all masks of a data set at once.

A compressed count is its difference from the count two before it (none for the first three), in pieces of five bits,
least first; a piece is a letter from "0" on, with bit 5 set if another follows, and the sign in bit 4 of the last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from segtutor.metrics.arrays import boolean_at, is_tensor, shorten, to_numpy
from segtutor.metrics.runs import MOST_PIXELS, Runs

Rle = Mapping[str, Any]

_FIRST_LETTER = 48
_MOST_PIECES = 7  # 35 bits hold every difference of two counts of a canvas below 2**32 pixels
# Letters decoded at a time, so that the temporary arrays stay small.
_LETTERS_AT_ONCE = 1 << 17


def read(rles: Sequence[Rle], name: Callable[[int], str] = lambda index: f"mask {index}") -> Runs:
    """Parse R run-length encoded masks, compressed or not; ``name`` says in an error which one is wrong.

    Raises:
        ValueError: if a mask is not a run-length encoding, or its counts do not fill its canvas exactly.
    """
    texts, lists, is_text = _counts_of(rles, name)
    sizes = _sizes(rles, name)
    where_text, where_list = np.flatnonzero(is_text), np.flatnonzero(~is_text)

    def name_in(numbers: np.ndarray) -> Callable[[int], str]:
        return lambda index: name(int(numbers[index]))

    tables = []
    letters = np.cumsum([0, *map(len, texts)])
    cuts = np.flatnonzero(np.diff(letters[1:] // _LETTERS_AT_ONCE)) + 1
    for begin, stop in pairwise([0, *cuts.tolist(), len(texts)]):
        numbers = where_text[begin:stop]
        limits = letters[begin : stop + 1] - letters[begin]
        counts, offsets = _read_text(b"".join(texts[begin:stop]), limits, name_in(numbers))
        tables.append(Runs.from_counts(counts, offsets, sizes[numbers], name_in(numbers)))
    counts, offsets = _read_lists(lists, name_in(where_list))
    tables.append(Runs.from_counts(counts, offsets, sizes[where_list], name_in(where_list)))
    runs = Runs.concatenate([table for table in tables if len(table)] or tables[:1])
    if not where_list.size or not where_text.size:
        return runs
    return runs.select(np.argsort(np.concatenate([where_text, where_list])))


def _counts_of(rles: Sequence[Rle], name: Callable[[int], str]) -> tuple[list[bytes], list[Any], np.ndarray]:
    """The counts that are texts, those that are lists, and for each of R masks whether its are a text."""
    if set(map(type, rles)) == {dict}:
        found: list[Any] = [rle.get("counts") for rle in rles]
        if set(map(type, found)) == {str} and all(map(str.isascii, found)):
            return list(map(str.encode, found)), [], np.ones(len(found), bool)
    texts: list[bytes] = []
    lists: list[Any] = []
    is_text = np.zeros(len(rles), bool)
    for index, rle in enumerate(rles):
        counts = rle.get("counts") if isinstance(rle, Mapping) else None
        if isinstance(counts, (str, bytes)):
            # 255 stands for a letter beyond ASCII, and is none of the letters either.
            texts.append(counts.encode() if isinstance(counts, str) and counts.isascii() else _bytes(counts))
            is_text[index] = True
        elif isinstance(counts, (list, tuple, np.ndarray)) or is_tensor(counts):
            lists.append(counts)
        else:
            is_mask = is_tensor(rle) or isinstance(rle, np.ndarray)
            raise ValueError(
                f"{name(index)} is no run-length encoding: it needs 'size' [height, width] and 'counts' (a string or "
                f"a list of lengths), or else must be a list of polygons [[x0, y0, x1, y1, ...]], got {shorten(rle)}"
                + ("; a mask is encoded by segtutor.metrics.rle.encode" if is_mask else "")
            )
    return texts, lists, is_text


def _bytes(counts: str | bytes) -> bytes:
    return bytes(min(ord(letter), 255) for letter in counts) if isinstance(counts, str) else counts


def write(runs: Runs, compressed: bool = True) -> list[dict[str, Any]]:
    """The dicts of R masks, with string or list counts."""
    counts, offsets = runs.counts()
    sizes = runs.sizes.tolist()
    if not compressed:
        return [
            {"size": size, "counts": counts[start:stop].tolist()}
            for size, start, stop in zip(sizes, offsets[:-1], offsets[1:], strict=True)
        ]
    text, letters = _write_text(counts, offsets)
    return [
        {"size": size, "counts": text[start:stop]}
        for size, start, stop in zip(sizes, letters[:-1], letters[1:], strict=True)
    ]


def _read_text(text: bytes, limits: np.ndarray, name: Callable[[int], str]) -> tuple[np.ndarray, np.ndarray]:
    """Counts of many compressed strings in a row, whose R + 1 offsets are ``limits``, and the offsets of the counts."""
    codes = np.frombuffer(text, np.uint8) - np.uint8(_FIRST_LETTER)
    is_last = (codes & 0x20) == 0

    def owner(letter: int) -> str:
        return name(int(np.searchsorted(limits, letter, "right")) - 1)

    if codes.size and codes.max() > 63:
        at = int(np.argmax(codes > 63))
        letter = chr((int(codes[at]) + _FIRST_LETTER) % 256)
        raise ValueError(f"{owner(at)}: its counts hold the letter {letter!r}, which no run-length string has")
    ends_open = (np.diff(limits) > 0) & ~is_last[np.maximum(limits[1:] - 1, 0)] if codes.size else np.zeros(0, bool)
    if ends_open.any():
        raise ValueError(f"{name(int(np.argmax(ends_open)))}: its counts string is cut off")
    last = np.flatnonzero(is_last)
    first = np.concatenate([[0], last[:-1] + 1]) if last.size else last
    pieces = last - first + 1
    if pieces.size and pieces.max() > _MOST_PIECES:
        raise ValueError(f"{owner(int(first[np.argmax(pieces)]))}: its counts string holds a number beyond 32 bits")

    values = (codes[first] & 0x1F).astype(np.int64)
    for piece in range(1, int(pieces.max(initial=0))):
        longer = np.flatnonzero(pieces > piece)
        values[longer] |= (codes[first[longer] + piece] & 0x1F).astype(np.int64) << (5 * piece)
    is_negative = np.flatnonzero(codes[last] & 0x10)
    values[is_negative] -= np.int64(1) << (5 * pieces[is_negative])

    # A value is a difference from the count two before it, but for the first three of each mask: running sums over
    # every other value, less what stood there before the mask (odd places) or at its first value (even places).
    offsets = np.searchsorted(last, limits)
    sums = np.zeros(len(values) + 2, np.int64)  # shifted by two
    for parity in (0, 1):
        np.cumsum(values[parity::2], out=sums[parity + 2 :: 2])
    lengths = np.diff(offsets)
    is_odd = ((np.arange(len(values)) ^ np.repeat(offsets[:-1], lengths)) & 1).astype(bool)
    before_odd, before_even = sums[offsets[:-1] + 1], sums[np.minimum(offsets[:-1] + 2, len(sums) - 1)]
    counts = sums[2:] - np.where(is_odd, np.repeat(before_odd, lengths), np.repeat(before_even, lengths))
    filled = offsets[:-1][lengths > 0]
    counts[filled] = values[filled]
    return counts, offsets


def _write_text(counts: np.ndarray, offsets: np.ndarray) -> tuple[str, np.ndarray]:
    """All compressed strings in a row, and their R + 1 offsets: the inverse of `_read_text`."""
    place = np.arange(len(counts)) - np.repeat(offsets[:-1], np.diff(offsets))
    values = counts.copy()
    later = np.flatnonzero(place > 2)
    values[later] -= counts[later - 2]
    pieces = np.ones(len(values), np.int64)
    for piece in range(1, _MOST_PIECES):
        bound = 1 << (5 * piece - 1)
        pieces += (values < -bound) | (values >= bound)
    ends = np.concatenate([[0], np.cumsum(pieces)])
    codes = np.empty(ends[-1], np.uint8)
    for piece in range(int(pieces.max(initial=0))):
        has = np.flatnonzero(pieces > piece)
        more = np.where(pieces[has] > piece + 1, 0x20, 0)
        codes[ends[has] + piece] = (((values[has] >> (5 * piece)) & 0x1F) | more) + _FIRST_LETTER
    return codes.tobytes().decode("ascii"), ends[offsets]


def _read_lists(lists: Sequence[Any], name: Callable[[int], str]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0] + [len(counts) for counts in lists])
    arrays = []
    for index, counts in enumerate(lists):
        try:
            array = to_numpy(counts)
        except ValueError:
            array = np.empty((1, 1), object)  # lists of several lengths in one another
        is_wrong = array.size and (array.ndim != 1 or array.dtype.kind not in "iu")
        if not is_wrong and isinstance(counts, (list, tuple)):  # in which a boolean would count as 0 or 1
            is_wrong = not {bool, np.bool_}.isdisjoint(map(type, counts))
        if is_wrong:
            raise ValueError(f"{name(index)}: its counts must be whole numbers in one list, got {shorten(counts)}")
        arrays.append(array.astype(np.int64))
    return np.concatenate([np.empty(0, np.int64), *arrays]), offsets


def _sizes(rles: Sequence[Rle], name: Callable[[int], str]) -> np.ndarray:
    """R x 2, height and width."""
    values = [rle.get("size") for rle in rles]
    with contextlib.suppress(TypeError, ValueError):
        sizes = np.array(values)
        if not len(values):
            return np.empty((0, 2), np.int64)
        if sizes.shape == (len(values), 2) and sizes.dtype.kind in "iu" and sizes.min() > 0 and sizes.max() < 1 << 31:
            sizes = sizes.astype(np.int64)
            has_flag = boolean_at(sizes.ravel(), lambda at: (values[p // 2][p % 2] for p in at.tolist())) is not None
            if not has_flag and (sizes[:, 0] * sizes[:, 1]).max() < MOST_PIXELS:
                return sizes
    return np.array([_size(size, name, index) for index, size in enumerate(values)], np.int64)


def _size(value: Any, name: Callable[[int], str], index: int) -> list[int]:
    sides = to_numpy(value).tolist() if is_tensor(value) or isinstance(value, np.ndarray) else value
    is_pair = isinstance(sides, (list, tuple)) and len(sides) == 2
    if not is_pair or any(type(side) is bool or not isinstance(side, (int, np.integer)) or side < 1 for side in sides):
        raise ValueError(
            f"{name(index)}: 'size' must be [height, width], two positive whole numbers, got {shorten(value)}"
        )
    if sides[0] * sides[1] >= MOST_PIXELS:
        raise ValueError(f"{name(index)}: 'size' is {shorten(value)}, more pixels than 32 bits count")
    return [int(side) for side in sides]
