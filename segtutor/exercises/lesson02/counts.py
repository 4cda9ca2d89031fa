"""Exercise 2.9: what the numbers of pixels say about a validation loader."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map
from segtutor.exercises.lesson02.counts_answers import counts_verdict, with_counter, with_histogram, with_unique
from segtutor.exercises.lesson02.inputs import labels_of, painted_files, tally
from segtutor.exercises.loaders import Loader

STUB = '''
def counts_verdict(stored, loaded, void=255):
    """What a validation loader did to the labels, from counts alone: "ok", "pixels dropped", ..."""
    raise NotImplementedError("Write counts_verdict() here, then run this cell again.")
'''


def _first_only(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return counts_verdict(stored[:1], loaded[:1], void)


def _only_valid(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    return counts_verdict([one[one != void] for one in stored], [one[one != void] for one in loaded], void)


def _void_before_dropped(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    if any((one == void).any() for one in stored) and not any((one == void).any() for one in loaded):
        return "void lost"
    return counts_verdict(stored, loaded, void)


def _void_not_needed(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    none_left = not any((one == void).any() for one in loaded)
    return "void lost" if none_left and verdict in ("shifted by one", "changed") else verdict


def _sets_of_labels(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    same = {int(v) for one in stored for v in one.ravel()} == {int(v) for one in loaded for v in one.ravel()}
    return "ok" if same else counts_verdict(stored, loaded, void)


def _any_shift(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    return "shifted by one" if verdict == "changed" else verdict


def _shift_upwards(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    if verdict not in ("shifted by one", "changed"):
        return verdict
    return "shifted by one" if counts_verdict(loaded, stored, void) == "shifted by one" else "changed"


def _any_size(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    sizes = [one.size for one in stored] != [one.size for one in loaded]
    return "pixels dropped" if sizes else counts_verdict(stored, loaded, void)


def _exact_maps(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    same = all(np.array_equal(a, b) for a, b in zip(stored, loaded, strict=True))
    verdict = counts_verdict(stored, loaded, void)
    return "changed" if verdict == "ok" and not same else verdict


def _number_of_pixels(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    same = tally(stored).sum() == tally(loaded).sum()
    return "ok" if same else counts_verdict(stored, loaded, void)


def _more_is_dropped(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    same = tally(stored).sum() == tally(loaded).sum()
    return counts_verdict(stored, loaded, void) if same else "pixels dropped"


def _void_not_compared(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    same = np.delete(tally(stored), void).tolist() == np.delete(tally(loaded), void).tolist()
    return "ok" if same else counts_verdict(stored, loaded, void)


def _fewer_valid(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    fewer = np.delete(tally(loaded), void).sum() < np.delete(tally(stored), void).sum()
    return "pixels dropped" if fewer else counts_verdict(stored, loaded, void)


def _fewer_of_one(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    fewer = (tally(loaded) < tally(stored)).any()
    return "pixels dropped" if fewer else counts_verdict(stored, loaded, void)


def _never_dropped(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    more = [*loaded, np.full(int(tally(stored).sum()), 254)]
    return counts_verdict(stored, more, void) if verdict == "pixels dropped" else verdict


def _less_void(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    less = tally(loaded)[void] < tally(stored)[void]
    return "void lost" if less and verdict in ("shifted by one", "changed") else verdict


def _shift_first(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    before, after = tally(stored), tally(loaded)
    before[void] = after[void] = 0
    verdict = counts_verdict(stored, loaded, void)
    return "shifted by one" if verdict != "ok" and (after[:-1] == before[1:]).all() else verdict


def _shift_with_void(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    verdict = counts_verdict(stored, loaded, void)
    shifted = (tally(loaded)[:-1] == tally(stored)[1:]).all()
    return "changed" if verdict == "shifted by one" and not shifted else verdict


def _map_by_map(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    words = [counts_verdict([a], [b], void) for a, b in zip(stored, loaded, strict=False)]
    return next((word for word in words if word != "ok"), "ok")


def _in_8_bits(stored, loaded, void=255):  # type: ignore[no-untyped-def]
    stored, loaded = ([np.repeat(np.arange(257), tally(maps) % 256)] for maps in (stored, loaded))
    return counts_verdict(stored, loaded, void)


_FILES = painted_files(2, count=4)
_STORED = [file.labels for file in _FILES]


def _from(fault: str | None) -> list[np.ndarray]:
    return labels_of(Loader(_FILES, fault=fault))


EXERCISE = Exercise(
    id="2.9",
    title="Test: what the numbers of pixels tell",
    name="counts_verdict",
    statement="""
A *validation* loader must give every labeled pixel of the files, once, as it is. Count how often each label occurs in
all of `stored` together and in all of `loaded` together (the number of maps may differ), and return the **first** of
these verdicts that holds:

| verdict | if |
| --- | --- |
| `"ok"` | every label occurs as often as in the files (where, does not matter) |
| `"pixels dropped"` | there are fewer pixels in all |
| `"void lost"` | the files have void pixels, and not one came out |
| `"shifted by one"` | void set to 0 times on both sides, each label k came out as often as k + 1 is in the files |
| `"changed"` | else |

This test catches the crop in validation, void as background, and the off-by-one class. (In a shift by one, class 0
becomes void; so there may be more void than before.)
""",
    stub=STUB,
    reference=counts_verdict,
    cases=(
        Case("the same", ([label_map("001 12v")], [label_map("001 12v")], 255), "ok"),
        Case("void became 0", ([label_map("001 12v")], [label_map("001 120")], 255), "void lost"),
        Case("the right loader", (_STORED, _from(None), 255), "ok"),
        Case("a loader that crops in validation", (_STORED, _from("crop drop"), 255), "pixels dropped"),
        Case("a loader that takes void for background", (_STORED, _from("void as background"), 255), "void lost"),
        Case("a loader that is off by one", (_STORED, _from("off-by-one class"), 255), "shifted by one"),
        Case("mirrored", ([label_map("001 12v")], [label_map("100 v21")], 255), "ok", "place"),
        Case("a column is missing", ([label_map("001 12v")], [label_map("00 12")], 255), "pixels dropped", "order"),
        Case("every class one lower", ([label_map("001 12v")], [label_map("vv0 01v")], 255), "shifted by one", "shift"),
        Case("every class one higher", ([label_map("001 12v")], [label_map("112 23v")], 255), "changed", "shift"),
        Case("another class", ([label_map("001 12v")], [label_map("003 12v")], 255), "changed", "shift"),
        Case(
            "no void in the files, one pixel changed",
            ([label_map("0011")], [label_map("0111")], 255),
            "changed",
            "void",
        ),
        Case(
            "no void in the files, shifted", ([label_map("1122")], [label_map("0011")], 255), "shifted by one", "void"
        ),
        Case(
            "only the second picture is cut",
            ([label_map("01"), label_map("0011")], [label_map("01"), label_map("011")], 255),
            "pixels dropped",
            "all",
        ),
        Case(
            "only the first picture is cut",
            ([label_map("0011"), label_map("01")], [label_map("001"), label_map("01")], 255),
            "pixels dropped",
            "all",
        ),
        Case(
            "the pictures changed places",
            ([label_map("01"), label_map("0022")], [label_map("0022"), label_map("01")], 255),
            "ok",
            "place",
        ),
        Case("void is 9 here", ([np.array([[0, 1, 9]])], [np.array([[0, 1, 0]])], 9), "void lost", "void"),
        Case("one map came out as two", ([label_map("0011")], [label_map("00"), label_map("11")], 255), "ok", "place"),
        Case("two maps came out as one", ([label_map("00"), label_map("11")], [label_map("0011")], 255), "ok", "place"),
        Case("one more void pixel", ([label_map("01v")], [label_map("01vv")], 255), "changed", "more"),
        Case("one pixel more", ([label_map("01v")], [label_map("011v")], 255), "changed", "more"),
        Case("half of the void became 0", ([label_map("01vv")], [label_map("010v")], 255), "changed", "some void"),
        Case(
            "shifted, and one pixel less",
            ([label_map("111"), label_map("v")], [label_map("000")], 255),
            "pixels dropped",
            "order",
        ),
        Case(
            "other classes, one pixel less", ([label_map("0123")], [label_map("300")], 255), "pixels dropped", "order"
        ),
        Case("shifted by two", ([label_map("2233")], [label_map("0011")], 255), "changed", "shift"),
        Case("void is class 0 here", ([label_map("0122")], [label_map("1122")], 0), "void lost", "void"),
        Case(
            "as often by chance in 8 bits",
            ([np.zeros((16, 16), dtype=int)], [np.zeros((16, 32), dtype=int)], 255),
            "changed",
            "large",
        ),
    ),
    hints={
        "general": Hint(
            "Two histograms over all pictures, one of the files and one of the loader; then the questions in turn.",
            "Give both histograms the same fixed length, so that they can be compared entry by entry. Ask in the "
            "order of the table and return at the first yes. For the shift, empty the place of void in both and "
            "compare one histogram with the other, moved by one place.",
        ),
        "all": Hint(
            "Look at several pictures: all count together, and none is left out.",
            "Concatenate the flattened maps of all pictures before counting.",
        ),
        "place": Hint(
            "Look at what is compared: numbers of pixels only. Where they lie, and in which map, is for another test.",
            "Compare the two histograms, not the maps or their sizes.",
        ),
        "order": Hint(
            "Look at two verdicts that hold: the first in the table counts. When pixels are missing, void may be "
            "missing too, and the rest may look shifted.",
            "Ask in the order of the table: ok, fewer pixels in all, void, shift.",
        ),
        "void": Hint(
            'Look at void: "void lost" needs void in the files, and which number is void is an argument.',
            "if before[void] > 0 and after[void] == 0.",
        ),
        "dropped": Hint(
            'Look at "pixels dropped": it needs fewer pixels in all, void among them. Single labels may become fewer.',
            "after.sum() < before.sum().",
        ),
        "void counted": Hint(
            "Void pixels are left out of the counting, so their loss is never seen.",
            "Count all values; leave void aside only when you look for the shift.",
        ),
        "more": Hint(
            'Look at more pixels than before: that is neither "ok" nor "pixels dropped". Void pixels count here, too.',
            'if after.sum() < before.sum(): "pixels dropped"; "ok" needs every count equal, void among them.',
        ),
        "some void": Hint(
            'Look at void that is partly gone: "void lost" is said only if not one void pixel came out.',
            "if before[void] > 0 and after[void] == 0.",
        ),
        "large": Hint(
            "Look at counts above 255: they do not fit into 8 bits.",
            "np.bincount counts in 64 bits; leave its type as it is.",
        ),
        "words": Hint("One of the five words is wanted.", 'return "ok", and so on, exactly as in the table.'),
        "counts": Hint(
            "It is not enough that the same labels occur: each must occur as often.",
            "Compare the counts of every label, (before == after).all().",
        ),
        "shift": Hint(
            'Look at the shift: one lower for every class, what was k + 1 is k. All else is "changed".',
            "Set void aside in both histograms, then compare after[:-1] with before[1:].",
        ),
    },
    mistakes=(
        Mistake("first picture only", _first_only, "all"),
        Mistake("last picture only", lambda s, n, v=255: counts_verdict(s[-1:], n[-1:], v), "all"),
        Mistake("void not counted", _only_valid, "void counted"),
        Mistake("void asked first", _void_before_dropped, "order"),
        Mistake("void lost without void", _void_not_needed, "void"),
        Mistake("void always 255", lambda s, n, v=255: counts_verdict(s, n, 255), "void"),
        Mistake("sets of labels", _sets_of_labels, "counts"),
        Mistake("number of pixels", _number_of_pixels, "counts"),
        Mistake("more is dropped, too", _more_is_dropped, "more"),
        Mistake("void not compared", _void_not_compared, "more"),
        Mistake("fewer valid pixels", _fewer_valid, "dropped"),
        Mistake("fewer of one label", _fewer_of_one, "dropped"),
        Mistake(
            "fewer maps",
            lambda s, n, v=255: "pixels dropped" if len(n) < len(s) else counts_verdict(s, n, v),
            "dropped",
        ),
        Mistake("never dropped", _never_dropped, "dropped"),
        Mistake("less void is lost", _less_void, "some void"),
        Mistake("shift asked first", _shift_first, "order"),
        Mistake("shift with void", _shift_with_void, "shift"),
        Mistake("never shifted", lambda *inputs: counts_verdict(*inputs).replace("shifted by one", "changed"), "shift"),
        Mistake("map by map", _map_by_map, "place"),
        Mistake("counts in 8 bits", _in_8_bits, "large"),
        Mistake("yes or no", lambda *inputs: counts_verdict(*inputs) == "ok", "words"),
        Mistake("any change is a shift", _any_shift, "shift"),
        Mistake("shift upwards", _shift_upwards, "shift"),
        Mistake("sizes of the pictures compared", _any_size, "place"),
        Mistake("maps compared pixel by pixel", _exact_maps, "place"),
    ),
    alternatives=(with_counter, with_histogram, with_unique),
    points=5,
    minutes=35,
    difficulty=3,
)
