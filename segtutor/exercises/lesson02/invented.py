"""Exercise 2.8: labels that a loader invented."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map
from segtutor.exercises.lesson02.inputs import labels_of, painted_files
from segtutor.exercises.loaders import Loader

STUB = '''
def invented_labels(stored, loaded, void=255):
    """Labels that came out of the loader for a picture in whose file they are not, rising; void may be new."""
    raise NotImplementedError("Write invented_labels() here, then run this cell again.")
'''


def invented_labels(stored: list[np.ndarray], loaded: list[np.ndarray], void: int = 255) -> list[int]:
    """Labels that came out of the loader for a picture in whose file they are not, rising; void may be new."""
    invented: set[int] = set()
    for in_file, from_loader in zip(stored, loaded, strict=True):
        invented |= set(np.unique(from_loader).tolist()) - set(np.unique(in_file).tolist()) - {void}
    return sorted(invented)


def _setdiff(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    parts = [np.setdiff1d(after, [*np.unique(before), void]) for before, after in zip(stored, loaded, strict=True)]
    return np.unique(np.concatenate(parts)).astype(int)


def _once_per_picture(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    pairs = zip(stored, loaded, strict=True)
    return sorted(number for before, after in pairs for number in invented_labels([before], [after], void))


def _isin(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    found = []
    for before, after in zip(stored, loaded, strict=True):
        strange = after[~np.isin(after, before) & (after != void)]
        found += [int(value) for value in np.unique(strange) if int(value) not in found]
    return sorted(found)


def _pixel_by_pixel(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        known = {int(value) for value in before.ravel()} | {void}
        found |= {int(value) for value in after.ravel() if int(value) not in known}
    return np.array(sorted(found))


def _pooled(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    before = {int(value) for one in stored for value in np.unique(one)}
    after = {int(value) for one in loaded for value in np.unique(one)}
    return sorted(after - before - {void})


def _outside_of_classes(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    highest = max(int(one[one != void].max(initial=0)) for one in stored)
    values = {int(value) for one in loaded for value in np.unique(one)}
    return sorted(value for value in values if value > highest and value != void)


def _with_void(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return invented_labels(stored, loaded, void=-1)


def _first_only(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return invented_labels(stored[:1], loaded[:1], void)


def _lost(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return invented_labels(loaded, stored, void)


def _either(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return sorted({*invented_labels(stored, loaded, void), *invented_labels(loaded, stored, void)})


def _with_repeats(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    parts = [invented_labels([before], [after], void) for before, after in zip(stored, loaded, strict=True)]
    return [value for part in parts for value in part]


def _whether(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return bool(invented_labels(stored, loaded, void))


def _pixels(stored, loaded, void):  # type: ignore[no-untyped-def]
    pairs = zip(stored, loaded, strict=True)
    return sum(int((~np.isin(after, before) & (after != void)).sum()) for before, after in pairs)


def _as_they_come(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    new = invented_labels(stored, loaded, void)
    return list(dict.fromkeys(int(value) for one in loaded for value in one.ravel() if int(value) in new))


def _more_than_one(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    pairs = list(zip(stored, loaded, strict=True))
    return sorted({x for a, b in pairs for x in invented_labels([a], [b], void) if (b == x).sum() > 1})


def _moved(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        found |= set(after[after != before].tolist())
    return sorted(found - {void})


def _out_of_range(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        found |= {v for v in np.unique(after).tolist() if not before.min() <= v <= before.max()}
    return sorted(found - {void})


def _in_signed_8_bit(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    stored, loaded = ([one.astype(np.int8) for one in maps] for maps in (stored, loaded))
    return invented_labels(stored, loaded, int(np.int64(void).astype(np.int8)))


_FILES = painted_files(1, count=4)
_STORED = [file.labels for file in _FILES]


def _from(fault: str | None, train: bool = True) -> list[np.ndarray]:
    return labels_of(Loader(_FILES, train=train, fault=fault, crop=(28, 36), scale=(0.75, 1.5), seed=3))


EXERCISE = Exercise(
    id="2.8",
    title="Test: no label is invented",
    name="invented_labels",
    statement="""
Halfway between sky (1) and building (4) lies ground... if somebody blends labels. Write
`invented_labels(stored, loaded, void)`: two lists of label maps, one as they lie in the files, one as a loader gave
them (scaled, cropped, flipped; so the sizes may differ). Return the labels that came out for a picture whose *own*
file does not hold them, each once, rising. `void` may be new: cropping pads with it. A right loader gives `[]`.

This test catches the bilinear mask and the palette that was read as gray.
""",
    stub=STUB,
    reference=invented_labels,
    cases=(
        Case("the same map", ([label_map("0011")], [label_map("0011")], 255), np.array([], dtype=int)),
        Case("a blended border", ([label_map("0044")], [np.array([[0, 1, 3, 4]])], 255), np.array([1, 3])),
        Case("the right loader", (_STORED, _from(None), 255), np.array([], dtype=int)),
        Case("a loader with a bilinear mask", (_STORED, _from("bilinear mask"), 255)),
        Case("a loader that reads gray", (_STORED, _from("palette as gray"), 255)),
        Case(
            "mirrored, cropped and padded",
            ([label_map("0123 0123")], [label_map("321 vvv")], 255),
            np.array([], dtype=int),
            "void",
        ),
        Case(
            "a label from another file",
            ([label_map("00"), label_map("12")], [label_map("02"), label_map("12")], 255),
            np.array([2]),
            "own file",
        ),
        Case(
            "twice the same",
            ([label_map("00"), label_map("11")], [label_map("05"), label_map("53")], 255),
            np.array([3, 5]),
            "once",
        ),
        Case("void is 9 here", ([label_map("01")], [np.array([[0, 9, 255]])], 9), np.array([255]), "void"),
        Case("class 0 is new", ([label_map("11")], [label_map("01")], 255), np.array([0]), "zero"),
        Case("labels 200 and 130", ([np.array([[0, 200]])], [np.array([[130, 200]])], 255), np.array([130]), "large"),
        Case("class 0 is void here", ([label_map("12")], [np.array([[0, 1, 255]])], 0), np.array([255]), "void"),
        Case(
            "three pictures, the second is spoiled",
            ([label_map("01")] * 3, [label_map("01"), label_map("42"), label_map("10")], 255),
            np.array([2, 4]),
            "all",
        ),
    ),
    hints={
        "general": Hint(
            "Compare sets: labels that came out, minus those in the file, minus void.",
            "Stay with one picture and its own file at a time: a label may be at home in another file. Sets can be "
            "subtracted; collect what remains in one set and sort it at the end.",
        ),
        "own file": Hint(
            "Look at a label that is in another file: each picture is compared with its own file only.",
            "for before, after in zip(stored, loaded): one difference of sets per picture.",
        ),
        "range": Hint(
            "Only labels beyond the last class are found. The blended ones are mostly valid class numbers: that is "
            "why nobody sees them.",
            "Compare with the labels in the file, not with the number of classes.",
        ),
        "void": Hint(
            "Look at void: it may appear, since padding adds it. Which number it is, is an argument; 255 may be none.",
            "Take {void} away from the difference.",
        ),
        "all": Hint(
            "Look at several pictures: all of them count, the first, the last and those between.",
            "Loop over all pairs, and collect.",
        ),
        "direction": Hint(
            "These are labels that went lost, which any crop does. Asked for are those that are new.",
            "after - before, not before - after, and not both.",
        ),
        "once": Hint(
            "Look at the list: each label once, in rising order, over all pictures together.",
            "Collect in a set, return sorted(...).",
        ),
        "few": Hint(
            "Look at all new labels: one pixel is enough, and every one of them is reported.",
            "Collect them all in a set; return sorted(...).",
        ),
        "zero": Hint(
            "Look at class 0: it is a label like any other, and may be invented, too.",
            "Do not ask whether a label is true; take away {void} only.",
        ),
        "large": Hint(
            "Look at labels above 127: they do not fit into signed 8 bits.",
            "Leave the type of the maps as it is.",
        ),
        "places": Hint(
            "This compares pixel by pixel. A right loader moves pixels: only which labels occur is asked.",
            "set(np.unique(after).tolist()), whatever the places.",
        ),
        "which": Hint(
            "Return the labels themselves. An empty list means that all is well.",
            "return sorted(invented).",
        ),
    },
    mistakes=(
        Mistake("compared with all files", _pooled, "own file"),
        Mistake("only beyond the last class", _outside_of_classes, "range"),
        Mistake("void reported", _with_void, "void"),
        Mistake("void always 255", lambda s, n, v=255: invented_labels(s, n, 255), "void"),
        Mistake("first picture only", _first_only, "all"),
        Mistake("last picture only", lambda s, n, v=255: invented_labels(s[-1:], n[-1:], v), "all"),
        Mistake("lost labels", _lost, "direction"),
        Mistake("lost or new", _either, "direction"),
        Mistake("repeated", _with_repeats, "once"),
        Mistake("once per picture", _once_per_picture, "once"),
        Mistake("falling", lambda s, n, v=255: invented_labels(s, n, v)[::-1], "once"),
        Mistake("yes or no", _whether, "which"),
        Mistake("how many", lambda *inputs: len(invented_labels(*inputs)), "which"),
        Mistake("pixels", lambda s, n, v=255: _pixels(s, n, v), "which"),
        Mistake(
            "one list per picture",
            lambda s, n, v=255: [invented_labels([a], [b], v) for a, b in zip(s, n, strict=True)],
            "once",
        ),
        Mistake("as they come", _as_they_come, "once"),
        Mistake("pixel by pixel", _moved, "places"),
        Mistake("outside the range of its file", _out_of_range, "range"),
        Mistake("more than one pixel", _more_than_one, "few"),
        Mistake("texts", lambda *inputs: [str(one) for one in invented_labels(*inputs)], "which"),
        Mistake("the first only", lambda *inputs: invented_labels(*inputs)[:1], "few"),
        Mistake("never 0", lambda *inputs: [one for one in invented_labels(*inputs) if one], "zero"),
        Mistake("signed 8 bits", _in_signed_8_bit, "large"),
        Mistake(
            "255 is never new", lambda s, n, v=255: [one for one in invented_labels(s, n, v) if one != 255], "void"
        ),
        Mistake("only below void", lambda s, n, v=255: [one for one in invented_labels(s, n, v) if one < v], "void"),
        Mistake("compared with the first file", lambda s, n, v=255: invented_labels(s[:1] * len(n), n, v), "own file"),
        Mistake(
            "compared with the file before", lambda s, n, v=255: invented_labels(s[-1:] + s[:-1], n, v), "own file"
        ),
    ),
    alternatives=(_setdiff, _isin, _pixel_by_pixel),
    points=4,
    minutes=15,
    difficulty=2,
)
