"""Exercise 2.12: whether a validation loader is repeatable."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map
from segtutor.exercises.lesson02.inputs import painted_files
from segtutor.exercises.loaders import Loader

STUB = '''
def is_repeatable(first, second):
    """Whether two passes over a loader gave the same images and labels, in the same order, to the last value."""
    raise NotImplementedError("Write is_repeatable() here, then run this cell again.")
'''

Pass = list[tuple[np.ndarray, np.ndarray]]


def is_repeatable(first: Pass, second: Pass) -> bool:
    """Whether two passes over a loader gave the same images and labels, in the same order, to the last value."""
    if len(first) != len(second):
        return False
    for (image, labels), (image_again, labels_again) in zip(first, second, strict=True):
        if not np.array_equal(image, image_again) or not np.array_equal(labels, labels_again):
            return False
    return True


def _all(first, second):  # type: ignore[no-untyped-def]
    return len(first) == len(second) and all(
        np.array_equal(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


def _as_text(first, second):  # type: ignore[no-untyped-def]
    def lists(items):  # type: ignore[no-untyped-def]
        return [[part.tolist() for part in item] for item in items]

    return lists(first) == lists(second)


def _with_bytes(first, second):  # type: ignore[no-untyped-def]
    import hashlib

    def print_of(items):  # type: ignore[no-untyped-def]
        digest = hashlib.sha256()
        for item in items:
            for part in item:
                digest.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    return print_of(first) == print_of(second)


def _part(number):  # type: ignore[no-untyped-def]
    def wrong(first, second):  # type: ignore[no-untyped-def]
        return _all([item[number : number + 1] for item in first], [item[number : number + 1] for item in second])

    return wrong


def _by(measure):  # type: ignore[no-untyped-def]
    def wrong(first, second):  # type: ignore[no-untyped-def]
        return [[measure(part) for part in item] for item in first] == [
            [measure(part) for part in item] for item in second
        ]

    return wrong


def _shortest(first, second):  # type: ignore[no-untyped-def]
    count = min(len(first), len(second))
    return _all(first[:count], second[:count])


def _any_order(first, second):  # type: ignore[no-untyped-def]
    return len(first) == len(second) and all(any(_all([one], [other]) for other in second) for one in first)


def _broadcast(first, second):  # type: ignore[no-untyped-def]
    if len(first) != len(second):
        return False
    return any(_all([one], [other]) for one, other in zip(first, second, strict=True)) or not first


def _with(same):  # type: ignore[no-untyped-def]
    def wrong(first, second):  # type: ignore[no-untyped-def]
        if len(first) != len(second):
            return False
        return all(same(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True))

    return wrong


def _broadcasting(a, b):  # type: ignore[no-untyped-def]
    try:
        return bool((a == b).all())
    except ValueError:
        return False


def _nearly(a, b):  # type: ignore[no-untyped-def]
    try:
        return np.allclose(a, b)
    except ValueError:
        return False


def _sorted_items(first, second):  # type: ignore[no-untyped-def]
    first, second = (sorted([[part.tolist() for part in item] for item in items]) for items in (first, second))
    return first == second


_A = np.arange(6.0).reshape(1, 2, 3)
_B = _A[:, :, ::-1].copy()
_L, _M = label_map("012 012"), label_map("210 210")


_THREE, _WIDE = np.ones((3, 2, 3)), np.zeros((1, 40, 40))
_FLOAT = np.linspace(0, 1, 6, dtype=np.float32).reshape(1, 2, 3)
_NEXT = _FLOAT.copy()
_NEXT[-1, -1, -1] = np.nextafter(np.float32(1), np.float32(2))


def _passes(fault: str | None, train: bool = False) -> tuple[Pass, Pass]:
    loader = Loader(painted_files(3, count=3), train=train, fault=fault, seed=5)
    first, second = ([loader[index] for index in range(len(loader))] for _ in range(2))
    return first, second


EXERCISE = Exercise(
    id="2.12",
    title="Test: validation is repeatable",
    name="is_repeatable",
    statement="""
A validation set that comes out otherwise each time makes every score a lottery ticket. Write
`is_repeatable(first, second)`: two lists of `(image, labels)`, the items of a loader in two passes. Return True if
both passes gave the same number of items and the items are equal, images and labels, in order, to the last value.

This test catches train transforms on the validation set.
""",
    stub=STUB,
    reference=is_repeatable,
    cases=(
        Case("the same twice", ([(_A, _L)], [(_A.copy(), _L.copy())]), True),
        Case(
            "only the last channel differs", ([(_THREE, _L)], [(_THREE * [[[1]], [[1]], [[2]]], _L)]), False, "values"
        ),
        Case("a pixel amid 40 x 40 differs", ([(_WIDE, _L)], [(_WIDE + (np.arange(40) == 20), _L)]), False, "values"),
        Case("no item", ([], []), True),
        Case("the right loader", _passes(None), True),
        Case("a loader with train transforms", _passes("train transforms on val"), False),
        Case("another image", ([(_A, _L)], [(_A + 1, _L)]), False, "both"),
        Case("other labels", ([(_A, _L)], [(_A, _M)]), False, "both"),
        Case("mirrored", ([(_A, _L)], [(_B, _M)]), False, "values"),
        Case("the second item differs", ([(_A, _L), (_A, _L)], [(_A, _L), (_B, _M)]), False, "all"),
        Case("the first item differs", ([(_B, _M), (_A, _L)], [(_A, _L), (_A, _L)]), False, "all"),
        Case("another order", ([(_A, _L), (_B, _M)], [(_B, _M), (_A, _L)]), False, "order"),
        Case("one item is missing", ([(_A, _L), (_B, _M)], [(_A, _L)]), False, "number"),
        Case("another size", ([(_A, _L)], [(_A[:, :1], _L[:1])]), False, "values"),
        Case("the first pass has no item", ([], [(_A, _L)]), False, "number"),
        Case("one item more", ([(_A, _L)], [(_A, _L), (_B, _M)]), False, "number"),
        Case("the second of three items differs", ([(_A, _L)] * 3, [(_A, _L), (_A, _M), (_A, _L)]), False, "all"),
        Case("the last value differs a little", ([(_FLOAT, _L)], [(_NEXT, _L)]), False, "last value"),
        Case("one value for all", ([(_A[:, :1, :1], _L)], [(np.zeros_like(_A), _L)]), False, "shape"),
        Case("one label for all", ([(_A, _L[:1, :1])], [(_A, _L * 0)]), False, "shape"),
        Case("only the image is mirrored", ([(_A, _L), (_A, _L)], [(_A, _L), (_B, _L)]), False, "values"),
        Case("only the labels are mirrored", ([(_A, _L), (_A, _L)], [(_A, _L), (_A, _M)]), False, "values"),
    ),
    hints={
        "general": Hint(
            "Go through both passes side by side; the first difference decides.",
            "Two passes of different length differ, and zip alone would not notice. Two arrays are equal if their "
            "shapes and all values are; NumPy has one function that asks for both.",
        ),
        "both": Hint(
            "Look at image and labels: either may change alone, so both are compared.",
            "Compare item[0] and item[1].",
        ),
        "values": Hint(
            "Look at flipped pictures: shapes, sums and sets of values stay the same. Compare every value, by place.",
            "np.array_equal(image, image_again).",
        ),
        "all": Hint(
            "Look at all items: neither the first, nor the last, nor any one of them is enough.",
            "Return False inside the loop, True only after it.",
        ),
        "order": Hint(
            "Look at the order: item i is compared with item i.",
            "zip(first, second).",
        ),
        "number": Hint(
            "Look at passes of unequal length: they are not equal, and zip stops at the shorter one, silently.",
            "if len(first) != len(second): return False, before the loop (or zip(..., strict=True)).",
        ),
        "last value": Hint(
            "Look at a tiny difference, in the last digit: to the last value means that it counts.",
            "np.array_equal, not np.allclose, and no rounding.",
        ),
        "shape": Hint(
            "Look at shapes: NumPy broadcasts one value to a whole picture in ==, without an error.",
            "np.array_equal compares shapes first; or test a.shape == b.shape.",
        ),
        "arrays": Hint(
            "Lists and tuples of arrays cannot be compared with == or `is`: Python asks each array whether it is true.",
            "Go through the items, and compare their arrays with np.array_equal.",
        ),
        "text": Hint(
            "The text of a large array shows its edges only, and rounded numbers.",
            "Compare the arrays, not str or repr of them.",
        ),
        "one answer": Hint("One True or False is wanted for both passes together.", "return all(...)."),
        "inverse": Hint(
            "True and False are exchanged: True means repeatable.",
            "return True where nothing differs.",
        ),
    },
    mistakes=(
        Mistake("only images", _part(0), "both"),
        Mistake("only labels", _part(1), "both"),
        Mistake("shapes", _by(np.shape), "values"),
        Mistake("sums", _by(lambda part: float(part.sum())), "values"),
        Mistake("sets of values", _by(lambda part: set(part.ravel().tolist())), "values"),
        Mistake("first item", lambda a, b: _all(a[:1], b[:1]), "all"),
        Mistake("last item", lambda a, b: _all(a[-1:], b[-1:]), "all"),
        Mistake("any item", _broadcast, "all"),
        Mistake("any order", _any_order, "order"),
        Mistake("zip stops early", _shortest, "number"),
        Mistake("exchanged", lambda a, b: not _all(a, b), "inverse"),
        Mistake("nearly equal", _with(lambda a, b: a.shape == b.shape and np.allclose(a, b)), "last value"),
        Mistake("nearly equal or broadcast", _with(_nearly), "last value"),
        Mistake(
            "rounded to 3 decimals", _with(lambda a, b: np.array_equal(np.round(a, 3), np.round(b, 3))), "last value"
        ),
        Mistake(
            "up to 0.001", _with(lambda a, b: a.shape == b.shape and abs(a - b).max(initial=0) < 1e-3), "last value"
        ),
        Mistake(
            "bytes 0 to 255",
            _with(lambda a, b: np.array_equal((255 * a).astype(int), (255 * b).astype(int))),
            "last value",
        ),
        Mistake("broadcasting", _with(_broadcasting), "shape"),
        Mistake("sizes not compared", _with(lambda a, b: np.array_equal(a.ravel(), np.resize(b, a.size))), "shape"),
        Mistake("sums by array", _with(lambda a, b: a.shape == b.shape and a.sum() == b.sum()), "values"),
        Mistake("means by array", _with(lambda a, b: a.shape == b.shape and a.mean() == b.mean()), "values"),
        Mistake("sorted values", _with(lambda a, b: np.array_equal(np.sort(a, None), np.sort(b, None))), "values"),
        Mistake("labels as a set", _with(lambda a, b: {*a.ravel().tolist()} == {*b.ravel().tolist()}), "values"),
        Mistake("any value", _with(lambda a, b: a.shape == b.shape and bool((a == b).any())), "values"),
        Mistake(
            "first and last item", lambda a, b: len(a) == len(b) and _all(a[:1], b[:1]) and _all(a[-1:], b[-1:]), "all"
        ),
        Mistake("as text", lambda a, b: str(a) == str(b), "text"),
        Mistake("first channel", _with(lambda a, b: np.array_equal(a[:1], b[:1])), "values"),
        Mistake("first row of the labels", _with(lambda a, b: np.array_equal(a[..., :1], b[..., :1])), "values"),
        Mistake("number of items", lambda a, b: len(a) == len(b), "values"),
        Mistake("as many as the first", lambda a, b: len(a) <= len(b) and _all(a, b[: len(a)]), "number"),
        Mistake("as many as the second", lambda a, b: len(b) <= len(a) and _all(a[: len(b)], b), "number"),
        Mistake("last item decides", lambda a, b: len(a) == len(b) and _all(a[-1:], b[-1:]), "all"),
        Mistake("first item decides", lambda a, b: len(a) == len(b) and _all(a[:1], b[:1]), "all"),
        Mistake("set of images", lambda a, b: {x.tobytes() for x, _ in a} == {x.tobytes() for x, _ in b}, "order"),
        Mistake("sorted items", _sorted_items, "order"),
        Mistake("lists compared", lambda a, b: a == b, "arrays"),
        Mistake(
            "same images",
            lambda a, b: len(a) == len(b) and all(x[0] is y[0] for x, y in zip(a, b, strict=True)),
            "arrays",
        ),
        Mistake(
            "same objects", lambda a, b: len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True)), "arrays"
        ),
        Mistake("one answer per item", lambda a, b: [_all([x], [y]) for x, y in zip(a, b, strict=False)], "one answer"),
    ),
    alternatives=(_all, _as_text, _with_bytes),
    points=2,
    minutes=15,
    difficulty=1,
)
