"""Exercise 2.2: COCO's run-length code, decoded by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import mask

STUB = '''
def decode_rle(counts, height, width):
    """Boolean mask of a run-length code: runs of 0 and 1 in turn, beginning with 0, down the columns."""
    raise NotImplementedError("Write decode_rle() here, then run this cell again.")
'''


def decode_rle(counts: list[int], height: int, width: int) -> np.ndarray:
    """Boolean mask of a run-length code: runs of 0 and 1 in turn, beginning with 0, down the columns."""
    pixels, value = [], False
    for run in counts:
        pixels += [value] * run
        value = not value
    return np.array(pixels, dtype=bool).reshape(width, height).T


def _repeat(counts, height, width):  # type: ignore[no-untyped-def]
    return np.repeat(np.arange(len(counts)) % 2, counts).reshape((height, width), order="F").astype(bool)


def _ends(counts, height, width):  # type: ignore[no-untyped-def]
    flat, ends = np.zeros(height * width, dtype=bool), np.cumsum(counts)
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        flat[start:end] = True
    return flat.reshape((height, width), order="F")


def _pixel_by_pixel(counts, height, width):  # type: ignore[no-untyped-def]
    ends = np.cumsum(counts)
    number = [[int(np.searchsorted(ends, x * height + y, side="right")) for x in range(width)] for y in range(height)]
    return [[bool(run % 2) for run in row] for row in number]


def _rows(counts, height, width):  # type: ignore[no-untyped-def]
    return np.repeat(np.arange(len(counts)) % 2, counts).reshape(height, width).astype(bool)


def _starts_and_lengths(counts, height, width):  # type: ignore[no-untyped-def]
    flat = np.zeros(height * width, dtype=bool)
    for start, length in zip(counts[::2], counts[1::2], strict=False):
        flat[start : start + length] = True
    return flat.reshape((height, width), order="F")


def _transposed(counts, height, width):  # type: ignore[no-untyped-def]
    return _repeat(counts, height, width).T


def _empty_runs_lost(counts, height, width):  # type: ignore[no-untyped-def]
    return _repeat([run for run in counts if run], height, width)


def _shifted_by_one(counts, height, width):  # type: ignore[no-untyped-def]
    flat, ends = np.zeros(height * width, dtype=bool), np.cumsum(counts)
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        flat[max(start - 1, 0) : end - 1] = True
    return flat.reshape((height, width), order="F")


def _last_run_missing(counts, height, width):  # type: ignore[no-untyped-def]
    return _ends(list(counts) if len(counts) % 2 else [*counts[:-1], 0], height, width)


def _one_pixel_runs(counts, height, width):  # type: ignore[no-untyped-def]
    flat, ends = np.zeros(height * width, dtype=bool), np.cumsum(counts)
    flat[ends[:-1]] = True
    return flat.reshape((height, width), order="F")


def _ends_included(counts, height, width):  # type: ignore[no-untyped-def]
    flat, ends = np.zeros(height * width, dtype=bool), np.cumsum(counts)
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        flat[start : end + 1] = True
    return flat.reshape((height, width), order="F")


def _starts_and_ends(counts, height, width):  # type: ignore[no-untyped-def]
    flat, start = np.zeros(height * width, dtype=bool), 0
    for number, end in enumerate(counts):
        flat[start:end] = number % 2 == 1
        start = end
    return flat.reshape((height, width), order="F")


def _in_type(dtype):  # type: ignore[no-untyped-def]
    def wrong(counts, height, width):  # type: ignore[no-untyped-def]
        flat, start = np.zeros(height * width, dtype=bool), 0
        for number, run in enumerate(np.asarray(counts).astype(dtype).tolist()):
            flat[start : start + max(run, 0)] = number % 2 == 1
            start += max(run, 0)
        return flat.reshape((height, width), order="F")

    return wrong


def _coded(drawn: np.ndarray) -> tuple[list[int], int, int]:
    """The run-length code of a mask."""
    flat = np.concatenate([[False], drawn.T.ravel(), [not drawn.T.ravel()[-1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(ends, prepend=0).tolist(), *drawn.shape


def _disc(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.asarray((y / height - 0.4) ** 2 + (x / width - 0.6) ** 2 < 0.1)


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    height, width = generator.integers(3, 16, 2).tolist()
    return _coded(generator.random((height, width)) < generator.uniform(0.2, 0.8))


EXERCISE = Exercise(
    id="2.2",
    title="Decode a run-length code",
    name="decode_rle",
    statement="""
COCO writes a crowd as `{"counts": [...], "size": [height, width]}`. The numbers are lengths of runs, in turn of 0
(outside) and of 1 (inside); the first run is of 0 and may be empty. The pixels are numbered **down the columns**: the
left column from top to bottom, then the next.

Write `decode_rle(counts, height, width)`, which returns the boolean mask H x W.
""",
    stub=STUB,
    reference=decode_rle,
    drawn=_drawn,
    cases=(
        Case("one column in the middle", ([2, 2, 2], 2, 3), mask(".#. .#.")),
        Case("a run over two columns", ([1, 2, 3], 3, 2), mask(".. #. #.")),
        Case("a disc of 14 x 22 pixels", _coded(_disc(14, 22))),
        Case("a disc of 30 x 9 pixels", _coded(_disc(30, 9))),
        Case("a run crosses the border of a column", ([1, 2, 1], 2, 2), mask(".# #."), "columns"),
        Case("the first pixel is inside", ([0, 3, 1], 2, 2), mask("## #."), "first"),
        Case("everything is inside", ([0, 6], 2, 3), mask("### ###"), "first"),
        Case("nothing is inside", ([6], 3, 2), mask(".. .. .."), "first"),
        Case("four runs", ([1, 1, 2, 2], 3, 2), mask(".. ## .#"), "columns"),
        Case("runs of 66,000 and 300 pixels", ([700, 66_000, 300, 500, 100], 260, 260), hint="long"),
    ),
    hints={
        "general": Hint(
            "Write the runs one after the other into a list of height x width pixels, then fold the list.",
            "The value alternates and begins with 0. Folding a list fills row by row, but your pixels run down the "
            "columns: fold it so that every column of the picture becomes a row, then exchange the two axes.",
        ),
        "columns": Hint(
            "Look at the order of the pixels: down the columns, as in Fortran and MATLAB, not along the rows.",
            "reshape((height, width), order='F'), or reshape(width, height).T.",
        ),
        "first": Hint(
            "Look at the first number: it is always a run of 0, even where that run is empty.",
            "Keep runs of length 0: they only switch the value.",
        ),
        "inverse": Hint(
            "Inside and outside are exchanged: the code begins with the pixels outside.",
            "Runs number 0, 2, 4, ... are 0; runs number 1, 3, 5, ... are 1.",
        ),
        "pairs": Hint(
            "Every number is a length: not a start (as in the pairs of some Kaggle competitions), and not an end.",
            "The start of a run is the sum of all runs before it, np.cumsum.",
        ),
        "shape": Hint(
            "Height and width are exchanged, the mask lies on its side.",
            "The result has `height` rows and `width` columns.",
        ),
        "shifted": Hint(
            "The runs begin or end one pixel off: pixels are counted from 0, and the end of a run is not in it.",
            "Run i covers the pixels from sum(counts[:i]) to sum(counts[:i + 1]), the last one not included.",
        ),
        "run": Hint(
            "Not all pixels of each run are set. Every second number is a run of that many pixels, the last one too.",
            "for start, end in zip(ends[::2], ends[1::2]): flat[start:end] = True, where ends = np.cumsum(counts).",
        ),
        "long": Hint(
            "Look at long runs: 300 does not fit into 8 bits, nor 66,000 into 16.",
            "Leave counts as they are (Python's integers), or np.asarray(counts, dtype=np.int64).",
        ),
        "side": Hint(
            "The mask is mirrored: the first pixel is the one at the top of the left column.",
            "reshape((height, width), order='F'), without a flip.",
        ),
        "flat": Hint(
            "A mask of `height` rows and `width` columns is wanted; this has another shape.",
            "reshape((height, width), order='F').",
        ),
        "numbers": Hint(
            "This is not a mask: it holds other values than 0 and 1.",
            "Run number i has the value i % 2.",
        ),
    },
    mistakes=(
        Mistake("along the rows", _rows, "columns"),
        Mistake("inverted", lambda *code: ~_repeat(*code), "inverse"),
        Mistake("starts and lengths", _starts_and_lengths, "pairs"),
        Mistake("transposed", _transposed, "shape"),
        Mistake("empty runs left out", _empty_runs_lost, "first"),
        Mistake("one pixel early", _shifted_by_one, "shifted"),
        Mistake("along the rows, then transposed", lambda c, h, w: _rows(c, h, w).T, "shape"),
        Mistake("columns into rows", lambda c, h, w: _rows(c, w, h), "shape"),
        Mistake("folded along the rows, W x H, transposed", lambda c, h, w: _repeat(c, w, h).T, "columns"),
        Mistake("ends for lengths", lambda c, h, w: _starts_and_ends(c, h, w), "pairs"),
        Mistake("runs sorted", lambda c, h, w: _repeat(sorted(c), h, w), "run"),
        Mistake("counted from the last run", lambda c, h, w: _repeat(c, h, w) ^ (len(c) % 2 == 0), "inverse"),
        Mistake("flat list", lambda c, h, w: np.repeat(np.arange(len(c)) % 2, c), "flat"),
        Mistake("square", lambda c, h, w: _repeat(c, h, h), "flat"),
        Mistake("upside down", lambda c, h, w: _repeat(c, h, w)[::-1], "side"),
        Mistake("from the right", lambda c, h, w: _repeat(c, h, w)[:, ::-1], "side"),
        Mistake("half a turn", lambda c, h, w: _repeat(c, h, w)[::-1, ::-1], "side"),
        Mistake("runs in 8 bits", _in_type(np.uint8), "long"),
        Mistake("runs in 16 bits", _in_type(np.uint16), "long"),
        Mistake("runs in signed 16 bits", _in_type(np.int16), "long"),
        Mistake("one pixel more", _ends_included, "shifted"),
        Mistake("one pixel late", lambda c, h, w: np.roll(_repeat(c, h, w).T.ravel(), 1).reshape(w, h).T, "shifted"),
        Mistake("only the first run", lambda c, h, w: _repeat([*c[:2], h * w - sum(c[:2])], h, w), "run"),
        Mistake("255 inside", lambda c, h, w: 255 * _repeat(c, h, w), "numbers"),
        Mistake("last run forgotten", _last_run_missing, "run"),
        Mistake("one pixel of each run", _one_pixel_runs, "run"),
        Mistake(
            "number of the run", lambda c, h, w: np.repeat(np.arange(len(c)), c).reshape((h, w), order="F"), "numbers"
        ),
    ),
    alternatives=(_repeat, _ends, _pixel_by_pixel),
    points=3,
    minutes=20,
    difficulty=2,
)
