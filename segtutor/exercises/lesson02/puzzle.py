"""Exercise 2.13: eleven loaders without a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.loaders import FAULTS, File, Loader
from segtutor.exercises.seeds import seeded

LETTERS = "ABCDEFGHIJK"
RIGHT = "none"

STUB = """
answers = {
    "A": None, "B": None, "C": None, "D": None,
    "E": None, "F": None, "G": None, "H": None,
    "I": None, "J": None, "K": None,
}
"""

SOLUTION = """
def explain(letter):
    val = open_loader(letter, painted)
    first, second = all_of(val), all_of(val)
    pixels = pixels_verdict(painted[0].pixels, first[0][0], MEAN, STD)
    if not is_repeatable(first, second):
        return "train transforms on val"
    if pixels in ("BGR", "normalized twice"):
        return {"BGR": "BGR", "normalized twice": "normalization twice"}[pixels]
    counts = counts_verdict(stored, [labels for _, labels in first])
    if counts == "pixels dropped":
        return "crop drop"
    if counts == "shifted by one":
        return "off-by-one class"
    if counts == "void lost":
        return "palette as gray" if invented_labels(stored, [one for _, one in first]) else "void as background"
    flipping = all_of(open_loader(letter, probes, train=True, scale=(1, 1)))
    gray = [np.round(255 * (image[0] * STD[0] + MEAN[0])).astype(int) for image, _ in flipping]
    moved = moved_together(gray, [labels for _, labels in flipping])
    if "another picture" in moved:
        return "shuffled pairs"
    if "mirrored" in moved:
        return "unsynchronized flip"
    scaled = [labels for _, labels in all_of(open_loader(letter, painted, train=True))]
    return "bilinear mask" if invented_labels(stored, scaled) else "none"


answers = {letter: explain(letter) for letter in "ABCDEFGHIJK"}
"""


def faults_in_order() -> tuple[str, ...]:
    """The fault behind each letter."""
    names = [*FAULTS, RIGHT]
    return tuple(names[index] for index in seeded(2).permutation(len(names)))


def open_loader(letter: str, files: Sequence[File], train: bool = False, **options: Any) -> Loader:
    """One of the eleven loaders, by its letter.

    Args:
        letter: "A" to "K".
        files: Pictures with label maps.
        train: Whether to augment.
        options: Of ``Loader``: crop, scale, seed.

    Raises:
        ValueError: If there is no such letter.
    """
    if len(letter) != 1 or letter not in LETTERS:
        raise ValueError(f"there is no loader {letter!r}; there are {', '.join(LETTERS)}")
    fault = faults_in_order()[LETTERS.index(letter)]
    return Loader(files, train=train, fault=None if fault == RIGHT else fault, **options)


class FaultName(str):
    """The name of a fault, or "none"; says of what came whether it is such a name at all."""

    def hint_for(self, got: Any) -> str | None:
        """The hint for a word that the statement does not have, as "bilinear masks"; None for one that it has."""
        known = isinstance(got, str) and got.strip().lower() in {name.lower() for name in (*FAULTS, RIGHT)}
        return None if known else "words"


def answers(faults: Sequence[str]) -> dict[str, str]:
    """The fault of each loader."""
    return dict(zip(LETTERS, map(FaultName, faults), strict=True))


def _exchanged(one: str, other: str):  # type: ignore[no-untyped-def]
    def wrong(faults: Sequence[str]) -> dict[str, str]:
        taken = {one: other, other: one}
        return {letter: taken.get(fault, fault) for letter, fault in answers(faults).items()}

    return wrong


def _taken_for(one: str, other: str):  # type: ignore[no-untyped-def]
    def wrong(faults: Sequence[str]) -> dict[str, str]:
        return {letter: other if fault == one else fault for letter, fault in answers(faults).items()}

    return wrong


def _in_the_plural(faults: Sequence[str]) -> dict[str, str]:
    return {letter: f"{fault}s" for letter, fault in answers(faults).items()}


EXERCISE = Exercise(
    id="2.13",
    title="Ten broken loaders and a right one",
    name="answers",
    statement=f"""
Eleven loaders, A to K. Ten have one fault each, one is right. Find out with the five tests that you wrote, and fill in
`answers`: letter → one of {", ".join(f'"{name}"' for name in FAULTS)}, "{RIGHT}".

`open_loader(letter, files, train)` opens a loader on files of your choice: `painted` (small pictures with all classes
and void) or `probes` (gray value = 30 x label). With `train=True` it scales, crops and flips; `scale=(1, 1)` leaves
only the flip. For two passes go twice over the *same* opened loader: one that is opened anew begins with the same
random numbers again.

The images that a loader gives are **normalized**, 3 x H x W floats, as `pixels_verdict` expects them with `MEAN` and
`STD` from the cell above. `moved_together` wants gray values: take one channel, undo the normalization with that
channel's mean and deviation, and round to whole numbers.
""",
    stub=STUB,
    reference=answers,
    cases=tuple(Case(letter) for letter in LETTERS),
    hints={
        "general": Hint(
            "Let each of the five tests run on all eleven loaders and print a table. Most tests speak for themselves.",
            "Begin with what shows without training: pixels and repeatability, then the counts. What still looks "
            "right is tested in training, first for labels that were invented, then, on the probes, for labels that "
            "moved.",
        ),
        "labels": Hint(
            "Two loaders invent labels. One does it only where it scales, in training; the other always.",
            "Ask invented_labels with train=False, too: a bilinear mask is harmless there, a palette read as gray is "
            "not.",
        ),
        "pairs": Hint(
            "Two loaders have labels that do not fit the image. One only ever mirrors them; and it does so only in "
            "training.",
            'moved_together says "mirrored" for the flip, "another picture" for shuffled pairs, even with train=False.',
        ),
        "counts": Hint(
            "Look at what counts_verdict says with train=False: pixels gone, void gone, or classes one lower.",
            '"pixels dropped" is the crop, "void lost" is void as background, "shifted by one" the off-by-one.',
        ),
        "pixels": Hint(
            "Two loaders spoil the pixels: their order or their scale. pixels_verdict tells them apart.",
            "Call it with the file's pixels and the loader's image, train=False.",
        ),
        "repeat": Hint(
            "One loader gives other items in a second pass, even with train=False. It is the only one.",
            "is_repeatable on two passes with train=False.",
        ),
        "words": Hint(
            "This is none of the eleven words that the statement lists.",
            'Copy the word from there, letter by letter: "bilinear mask", "crop drop", "none".',
        ),
        "right": Hint(
            "One loader has no fault at all, and a faulty one was taken for it (or the other way round).",
            "Nothing shows with train=False? Then test with train=True as well.",
        ),
    },
    mistakes=(
        Mistake("bilinear and palette", _exchanged("bilinear mask", "palette as gray"), "labels"),
        Mistake("flip and shuffled", _exchanged("unsynchronized flip", "shuffled pairs"), "pairs"),
        Mistake("void and off-by-one", _exchanged("void as background", "off-by-one class"), "counts"),
        Mistake("crop and void", _exchanged("crop drop", "void as background"), "counts"),
        Mistake("BGR and twice", _exchanged("BGR", "normalization twice"), "pixels"),
        Mistake("train transforms and crop", _exchanged("train transforms on val", "crop drop"), "repeat"),
        Mistake("train transforms and flip", _exchanged("train transforms on val", "unsynchronized flip"), "repeat"),
        Mistake("flip taken for right", _taken_for("unsynchronized flip", RIGHT), "right"),
        Mistake("bilinear taken for right", _taken_for("bilinear mask", RIGHT), "right"),
        Mistake(
            "in the plural", lambda faults: {letter: f"{one}s" for letter, one in answers(faults).items()}, "words"
        ),
        Mistake("all right", lambda faults: dict.fromkeys(LETTERS, RIGHT), "general"),
    ),
    alternatives=(
        lambda faults: {letter: fault.upper() for letter, fault in answers(faults).items()},
        lambda faults: {letter: f" {fault}" for letter, fault in answers(faults).items()},
        lambda faults: dict(reversed(answers(faults).items())),
    ),
    points=6,
    minutes=55,
    difficulty=3,
    solution=SOLUTION,
    given=lambda: (faults_in_order(),),
)
