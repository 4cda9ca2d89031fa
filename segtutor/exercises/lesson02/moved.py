"""Exercise 2.10: whether image and labels move together."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01.inputs import label_map
from segtutor.exercises.lesson02.inputs import GRAY_STEP, gray_values, labels_of, probe_files
from segtutor.exercises.loaders import Loader

STUB = '''
def moved_together(images, labels):
    """One word per probe: "together", "mirrored" or "another picture"."""
    raise NotImplementedError("Write moved_together() here, then run this cell again.")
'''


def moved_together(images: list[np.ndarray], labels: list[np.ndarray]) -> list[str]:
    """One word per probe: "together", "mirrored" or "another picture"."""
    words = []
    for image, own in zip(images, labels, strict=True):
        if (image == 30 * own).all():
            words.append("together")
        elif (image == 30 * own[:, ::-1]).all():
            words.append("mirrored")
        else:
            words.append("another picture")
    return words


def _one(image, own):  # type: ignore[no-untyped-def]
    wanted = image / 30
    return "together" if np.array_equal(wanted, own) else "mirrored" if np.array_equal(wanted, np.fliplr(own)) else None


def _by_division(images, labels):  # type: ignore[no-untyped-def]
    return [_one(image, own) or "another picture" for image, own in zip(images, labels, strict=True)]


def _as_array(images, labels):  # type: ignore[no-untyped-def]
    words = np.full(len(images), "another picture", dtype=object)
    for number, (image, own) in enumerate(zip(images, labels, strict=True)):
        apart = [np.abs(image.astype(int) - 30 * view.astype(int)).max() for view in (own, np.flip(own, 1))]
        if min(apart) == 0:
            words[number] = ("together", "mirrored")[int(np.argmin(apart))]
    return words.tolist()


def _row_by_row(images, labels):  # type: ignore[no-untyped-def]
    words = []
    for image, own in zip(images, labels, strict=True):
        rows = list(zip(image.tolist(), own.tolist(), strict=True))
        straight = all(row == [30 * value for value in values] for row, values in rows)
        back = all(row == [30 * value for value in values[::-1]] for row, values in rows)
        words.append("together" if straight else "mirrored" if back else "another picture")
    return tuple(words)


def _said(together, mirrored):  # type: ignore[no-untyped-def]
    """The words by two tests of (image, labels), in turn."""

    def wrong(images, labels):  # type: ignore[no-untyped-def]
        words = []
        for image, own in zip(images, labels, strict=True):
            word = "together" if together(image, own) else "mirrored" if mirrored(image, own) else "another picture"
            words.append(word)
        return words

    return wrong


def _same(image, own):  # type: ignore[no-untyped-def]
    return bool((image == 30 * own).all())


def _flipped(image, own):  # type: ignore[no-untyped-def]
    return _same(image, own[:, ::-1])


def _both(test):  # type: ignore[no-untyped-def]
    return test, lambda image, own: test(image, own[:, ::-1])


_WORDS = ["together", "mirrored", "another picture"]


def _mirrored_first(images, labels):  # type: ignore[no-untyped-def]
    pairs = zip(images, labels, strict=True)
    return ["mirrored" if _flipped(*p) else "together" if _same(*p) else "another picture" for p in pairs]


def _one_word_for_all(images, labels):  # type: ignore[no-untyped-def]
    words = moved_together(images, labels)
    worst = next((word for word in ("another picture", "mirrored") if word in words), "together")
    return [worst] * len(words)


def _any_other_is_mirrored(images, labels):  # type: ignore[no-untyped-def]
    return ["together" if _same(image, own) else "mirrored" for image, own in zip(images, labels, strict=True)]


def _case(fault: str | None, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Probes that came out of a training loader which only flips."""
    files = probe_files(seed)
    loaders = [Loader(files, train=True, fault=fault, scale=(1.0, 1.0), seed=seed) for _ in range(2)]
    return gray_values(loaders[0]), labels_of(loaders[1])


_STEPS = label_map("0123 4567")
_SYMMETRIC = label_map("0110 2332")
_LARGE = np.arange(24 * 32).reshape(24, 32) % 9
_ONE_OF_MANY = 30 * _LARGE
_ONE_OF_MANY[11, 20] += 30

EXERCISE = Exercise(
    id="2.10",
    title="Test: image and labels move together",
    name="moved_together",
    statement=f"""
To see whether a loader moves image and labels together, feed it a *probe*: a picture that is painted from its own
label map, gray value = {GRAY_STEP} x label. Whatever the loader does, gray = {GRAY_STEP} x label must still hold
afterwards.

Write `moved_together(images, labels)`: two lists of H x W arrays that came out of a loader which flips at random (but
does not scale). Both hold whole numbers, gray values 0 ... 240 and labels 0 ... 8. For each probe return `"together"`
if it holds at every pixel, exactly; else `"mirrored"` if it holds after the labels are flipped left to right; else
`"another picture"`. A probe that is its own mirror image is together.

This test catches the unsynchronized flip and the shuffled pairs.
""",
    stub=STUB,
    reference=moved_together,
    cases=(
        Case("as it was", ([30 * _STEPS], [_STEPS]), ("together",)),
        Case("only the image is mirrored", ([30 * _STEPS[:, ::-1]], [_STEPS]), ("mirrored",)),
        Case("the right loader", _case(None, 1), ("together",) * 6),
        Case(
            "a loader that flips image and labels apart",
            _case("unsynchronized flip", 2),
            ("mirrored", "together", "together", "mirrored", "mirrored", "together"),
        ),
        Case("both mirrored", ([30 * _STEPS[:, ::-1]], [_STEPS[:, ::-1]]), ("together",), "together"),
        Case("upside down", ([30 * _STEPS[::-1]], [_STEPS]), ("another picture",), "axis"),
        Case("turned by half", ([30 * _STEPS[::-1, ::-1]], [_STEPS]), ("another picture",), "axis"),
        Case("its own mirror image", ([30 * _SYMMETRIC], [_SYMMETRIC]), ("together",), "symmetric"),
        Case(
            "the labels of another picture",
            ([30 * _STEPS, 30 * _SYMMETRIC], [_SYMMETRIC, _STEPS]),
            ("another picture", "another picture"),
            "other",
        ),
        Case(
            "one pixel differs",
            ([30 * _STEPS, 30 * _STEPS], [_STEPS, label_map("0123 4566")]),
            ("together", "another picture"),
            "every pixel",
        ),
        Case(
            "one pixel of many differs, as it is and mirrored",
            ([_ONE_OF_MANY, _ONE_OF_MANY[:, ::-1].copy(), 30 * _LARGE], [_LARGE] * 3),
            ("another picture", "another picture", "together"),
            "every pixel",
        ),
        Case("one gray value too bright", ([30 * _STEPS + 1], [_STEPS]), ("another picture",), "exactly"),
        Case("every class one lower", ([30 * _STEPS], [np.maximum(_STEPS - 1, 0)]), ("another picture",), "exactly"),
        Case(
            "equal counts, other places",
            ([30 * label_map("0112 2110")], [label_map("1021 1201")]),
            ("another picture",),
            "every pixel",
        ),
        Case(
            "only the first row fits",
            ([30 * label_map("12 34")], [label_map("12 35")]),
            ("another picture",),
            "every pixel",
        ),
        Case(
            "three probes",
            ([30 * _STEPS] * 3, [_STEPS, _STEPS[:, ::-1], _STEPS]),
            ("together", "mirrored", "together"),
            "each",
        ),
        Case(
            "classes 5 to 8 in uint8",
            ([np.array([[150, 180], [210, 240]], dtype=np.uint8)], [np.array([[5, 6], [7, 8]], dtype=np.uint8)]),
            ("together",),
            "bytes",
        ),
        Case("a loader that shuffles pairs", _case("shuffled pairs", 3), ("another picture",) * 6, "other"),
    ),
    hints={
        "general": Hint(
            "For each pair ask whether gray is 30 x label everywhere. If not, ask the same of the mirrored labels.",
            "A comparison gives one truth value per pixel, and all must be true. Ask the plain question first, so "
            "that a probe that is its own mirror image is together; only then turn the labels around.",
        ),
        "every pixel": Hint(
            "Look at every pixel, in its place. That some fit, or most, or the mean or the counts, says little.",
            ".all(), over the whole map.",
        ),
        "axis": Hint(
            "Look at the axis: left to right is mirrored, and nothing else. Columns are the second axis.",
            "labels[:, ::-1], or np.fliplr(labels).",
        ),
        "symmetric": Hint(
            "Look at a picture that is its own mirror image: it is together, so ask for that first.",
            "First test the labels as they are, then the flipped ones.",
        ),
        "other": Hint(
            "Look at labels of another picture: they fit neither as they are nor mirrored.",
            "Check the mirrored labels as well before you say mirrored.",
        ),
        "each": Hint(
            "Look at several probes: one word for each of them, in a list.",
            "Decide inside the loop, and append to a list.",
        ),
        "together": Hint(
            "Look at image and labels that are both mirrored: all is well, they moved together.",
            "Compare image and labels with each other, pixel by pixel.",
        ),
        "exactly": Hint(
            "Look at gray values that are nearly 30 x label: only equality counts, for whole numbers.",
            "image == 30 * labels; neither image // 30 == labels nor a tolerance.",
        ),
        "bytes": Hint(
            "Look at labels in uint8: their products reach 240, more than signed 8 bits hold.",
            "Compare as int: 30 * labels.astype(int).",
        ),
        "words": Hint(
            "One of the three words is wanted for each probe.",
            '"together", "mirrored", "another picture".',
        ),
        "never": Hint(
            '"mirrored" is never said: does your function look at the flipped labels?',
            "elif (image == 30 * own[:, ::-1]).all(): mirrored.",
        ),
        "exchanged": Hint(
            "Together and mirrored are exchanged.",
            "labels as they are: together; labels[:, ::-1]: mirrored.",
        ),
        "factor": Hint(
            "A pixel of class k has the gray value 30 k; another factor, or none, never fits.",
            "image == 30 * labels.",
        ),
    },
    mistakes=(
        Mistake("any pixel", _said(lambda i, o: (i == 30 * o).any(), _flipped), "every pixel"),
        Mistake("most pixels", _said(lambda i, o: (i == 30 * o).mean() > 0.5, _flipped), "every pixel"),
        Mistake("means compared", _said(lambda i, o: i.mean() == 30 * o.mean(), _flipped), "every pixel"),
        Mistake("flipped top to bottom", _said(_same, lambda i, o: _same(i, o[::-1])), "axis"),
        Mistake("turned by half", _said(_same, lambda i, o: _same(i, o[::-1, ::-1])), "axis"),
        Mistake("mirrored asked first", _mirrored_first, "symmetric"),
        Mistake("everything else is mirrored", _any_other_is_mirrored, "other"),
        Mistake("never mirrored", _said(_same, lambda i, o: False), "never"),
        Mistake("whole division", _said(*_both(lambda i, o: (i // 30 == o).all())), "exactly"),
        Mistake("rounded", _said(*_both(lambda i, o: (np.round(i / 30) == o).all())), "exactly"),
        Mistake("less than a step apart", _said(*_both(lambda i, o: (abs(i - 30 * o) < 30).all())), "exactly"),
        Mistake("at most a step apart", _said(*_both(lambda i, o: (abs(i - 30 * o) <= 30).all())), "exactly"),
        Mistake("close", _said(*_both(lambda i, o: np.allclose(i, 30 * o, atol=1))), "exactly"),
        Mistake("means, flipped or not", _said(*_both(lambda i, o: i.mean() == 30 * o.mean())), "every pixel"),
        Mistake("most, flipped or not", _said(*_both(lambda i, o: (i == 30 * o).mean() > 0.5)), "every pixel"),
        Mistake("any, flipped or not", _said(*_both(lambda i, o: (i == 30 * o).any())), "every pixel"),
        Mistake(
            "sorted pixels",
            _said(*_both(lambda i, o: (np.sort(i, None) == np.sort(30 * o, None)).all())),
            "every pixel",
        ),
        Mistake("sets of labels", _said(*_both(lambda i, o: {*i.ravel()} == {*(30 * o).ravel()})), "every pixel"),
        Mistake("first row", _said(*_both(lambda i, o: (i[0] == 30 * o[0]).all())), "every pixel"),
        Mistake("first pixel", _said(*_both(lambda i, o: i[0, 0] == 30 * o[0, 0])), "every pixel"),
        Mistake("corners", _said(*_both(lambda i, o: (i[::9, ::9] == 30 * o[::9, ::9]).all())), "every pixel"),
        Mistake("signed 8 bits", _said(*_both(lambda i, o: (i == (30 * o).astype(np.int8)).all())), "bytes"),
        Mistake("either axis", _said(_same, lambda i, o: _flipped(i, o) or _same(i, o[::-1])), "axis"),
        Mistake(
            "any flip",
            _said(_same, lambda i, o: any(_same(i, x) for x in (o[:, ::-1], o[::-1], o[::-1, ::-1]))),
            "axis",
        ),
        Mistake("words from the last", lambda i, o: moved_together(i, o)[::-1], "each"),
        Mistake("first column", _said(*_both(lambda i, o: (i[:, 0] == 30 * o[:, 0]).all())), "every pixel"),
        Mistake("first probe only", lambda i, o: moved_together(i[:1], o[:1]), "each"),
        Mistake("the word of the first", lambda i, o: moved_together(i, o)[0], "each"),
        Mistake("yes or no", lambda i, o: [word == "together" for word in moved_together(i, o)], "words"),
        Mistake("numbers", lambda i, o: [_WORDS.index(word) for word in moved_together(i, o)], "words"),
        Mistake("equal gray, flipped or not", _said(*_both(lambda i, o: (i == o).all())), "factor"),
        Mistake("255 times", _said(*_both(lambda i, o: (i == 255 * o).all())), "factor"),
        Mistake("one word for all", _one_word_for_all, "each"),
        Mistake("exchanged", _said(_flipped, _same), "exchanged"),
        Mistake("gray compared with the label", _said(lambda i, o: (i == o).all(), lambda i, o: False), "factor"),
    ),
    alternatives=(_by_division, _as_array, _row_by_row),
    points=4,
    minutes=20,
    difficulty=2,
)
