"""Exercise 11.7: which of six networks has which fault, told from their errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson11.diagnosis_answers import by_points, by_the_kinds_first, class_by_class
from segtutor.exercises.lesson11.diagnosis_mistakes import MISTAKES
from segtutor.exercises.lesson11.faults import (
    ANOTHER_DOMAIN,
    HEALTHY,
    IN_ORDER,
    MERGED,
    SHIFTED,
    TRAINED_ON_VAL,
    TWICE,
)
from segtutor.exercises.lesson11.reports import LETTERS, in_letters, report
from segtutor.exercises.loaders import EIGHT
from segtutor.exercises.seeds import seeded

STUB = '''
def diagnose(report):
    """The fault of the network that a report is about, one of six words, from its errors alone."""
    raise NotImplementedError("Write diagnose() here, then run this cell again.")
'''


def diagnose(report: dict[str, Any]) -> str:
    """The fault of the network that a report is about, one of six words, from its errors alone."""
    matrix = report["confusion"]
    hits, given = matrix.diagonal(), matrix.sum(axis=0)
    new = (hits / (given + matrix.sum(axis=1) - hits)).mean()
    if report["night"].mean() > new:
        return "statistics of another domain"
    if new < 0.3:
        return "normalized twice"
    if (given == 0).any():
        return "a class merged"
    if max(report["right"].max(), report["down"].max()) > report["down"][4] + 0.02:
        return "shifted labels"
    if report["val"].mean() > new + 0.1:
        return "trained on val"
    return "none"


def _drawn(generator: np.random.Generator) -> tuple[dict[str, Any]]:
    """Further inputs for the variants of the course: one of all networks, its classes in another order."""
    seed = int(generator.choice(list(IN_ORDER)))
    return (report(seed, int(generator.integers(len(LETTERS))), generator.permutation(len(EIGHT))),)


_HINTS = {
    ANOTHER_DOMAIN: "night",
    TWICE: "low",
    MERGED: "merged",
    SHIFTED: "moved",
    TRAINED_ON_VAL: "val",
    HEALTHY: "none",
}
_SHOWN = [
    Case(f"network {letter}", (one,), IN_ORDER[0][number], _HINTS[IN_ORDER[0][number]])
    for letter, (number, one) in in_letters().items()
]
_OTHERS = [
    Case(
        f"network {letter}, trained with another seed",
        (report(1, number, seeded(1172 + number).permutation(len(EIGHT))),),
        fault,
        _HINTS[fault],
    )
    for letter, number, fault in zip("GHIJKL", range(6), IN_ORDER[1], strict=True)
]

EXERCISE = Exercise(
    id="11.7",
    title="Five faults and none",
    name="diagnose",
    statement="""
Six networks of one kind, five convolutions each, were trained on drawn scenes with eight classes. Five have one fault
each, planted where they learn or where they are used, and one has none. You get neither code nor weights nor pictures:
only a `report` on each network's errors, a dictionary with

- `classes`: the names of the K classes;
- `confusion`: K x K pixels of 10,000 on new pictures, which nobody trained or chose anything on; rows are the truth;
- `val`, `night`: K numbers each, the IoU of each class on the validation set, and on the new pictures **at night**,
  which no network has trained on;
- `right`, `down`: 9 numbers each, the mean IoU on the new pictures after all answers were moved by −4, −3, ..., 4
  pixels to the right, and by as many down;
- `kinds`: which shares of the wrong pixels are boundary, extent and segment errors.

Write `diagnose(report)`, which returns one of six texts: `"shifted labels"` (all labels of the training lay some pixels
off), `"statistics of another domain"` (its batch norms have means and variances of other pictures),
`"normalized twice"` (where it is used), `"a class merged"` (in the labels of its training one class had the number of
another), `"trained on val"`, or `"none"`. It is tried on networks that you have not seen, trained with other seeds;
their classes may come in another order. So ask for what a fault *must* do to a report.
""",
    stub=STUB,
    reference=diagnose,
    drawn=_drawn,
    cases=(*_SHOWN, *_OTHERS),
    hints={
        "general": Hint(
            "Say for each fault beforehand which numbers it must move, and which it cannot. Then look at the reports.",
            "Compare pairs: new pictures with the validation set, day with night, an answer where it lies with one "
            "that is moved, and what each class gets with what it should get. Ask first for what spoils everything.",
        ),
        "night": Hint(
            "Two faults spoil nearly every pixel by day. One of the two networks is good at something else.",
            "If its statistics are those of dark pictures, it is better at night than by day; no other network is.",
        ),
        "low": Hint(
            "A network that sees other numbers than in its training is bad on all pictures, by day and at night, and a "
            "class that it never names is then no sign of anything else.",
            "The mean IoU by day is a fraction of the others', on both sets; ask for that before you ask for single "
            "classes or moves.",
        ),
        "merged": Hint(
            "A class that the labels never showed is never given, though the rest of the network is as good as ever.",
            "Look for a column of the matrix that is empty, in a network that is good otherwise; its row is not.",
        ),
        "moved": Hint(
            "Who learned from labels that lay off answers off, and the answers fit better once they are moved back.",
            "Either direction may do: look for a maximum of `right` or `down` that lies clearly beside the middle and "
            "above it, in a network that is good otherwise.",
        ),
        "val": Hint(
            "Who has seen the validation set is good there, and no better than others on new pictures.",
            "Compare the mean IoU on `val` with that of the matrix; two sets always differ by a few points.",
        ),
        "none": Hint(
            "One network is well, and any network has small differences between sets, and is bad at night.",
            "Let each of your rules have a margin that the healthy network stays below.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(by_points, by_the_kinds_first, class_by_class),
    points=5,
    minutes=30,
    difficulty=3,
)
