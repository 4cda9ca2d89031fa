"""Exercise 3.11: a table of published figures, and which two of its rows may be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import combinations
from typing import Any

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake


@dataclass(frozen=True)
class Row:
    """A published mean IoU and what it depends on."""

    row: str
    backbone: str
    network: str
    training: str
    pictures: str
    test_time: str
    percent: float
    source: str


_FIRST = "20 pictures a step, momentum 0.9"
_HEAVY = "“heavy”: 1 picture a step, momentum 0.99"
_VAL, _TEST, _ALL = "VOC 2011 val, the 736 outside SBD's training set", "VOC 2012 test", "VOC 2012 val, all 1,449"
_PAPER, _RELEASE = "Long et al. 2015, Table 2", "the authors' release of 2016"
_VGG, _RESNET, _ONE = "VGG16", "ResNet-101, dilated", "one scale"

TABLE = (
    Row("A", _VGG, "FCN-32s", _FIRST, _VAL, _ONE, 59.4, _PAPER),
    Row("B", _VGG, "FCN-16s", _FIRST, _VAL, _ONE, 62.4, _PAPER),
    Row("C", _VGG, "FCN-8s", _FIRST, _VAL, _ONE, 62.7, _PAPER),
    Row("D", _VGG, "FCN-8s", _FIRST, _TEST, _ONE, 62.2, "Long et al. 2015, abstract"),
    Row("E", _VGG, "FCN-32s", _HEAVY, _VAL, _ONE, 63.6, _RELEASE),
    Row("F", _VGG, "FCN-8s", _HEAVY, _VAL, _ONE, 65.5, _RELEASE),
    Row("G", _VGG, "FCN-8s", _HEAVY, _TEST, _ONE, 67.2, "Shelhamer et al. 2017"),
    Row("H", _RESNET, "FCN, no skips", "mmsegmentation's", _ALL, _ONE, 71.16, "mmsegmentation, model zoo"),
    Row(
        "I", _RESNET, "FCN, no skips", "mmsegmentation's", _ALL, "several scales, mirrored", 73.57,
        "mmsegmentation, model zoo",
    ),
)  # fmt: skip

STUB = """
answers = {
    "skips": None,  # two letters in the order of the table, or "none"
    "heavy training": None,  # two letters, or "none"
    "several scales": None,  # two letters, or "none"
    "backbone": None,  # two letters, or "none"
    "points of the skips": None,  # a number
    "points after heavy training": None,  # a number
    "62.7 and 62.2": None,  # "a", "b", "c" or "d"
}
"""

SOLUTION = """
answers = {
    "skips": "AC",
    "heavy training": "CF",
    "several scales": "HI",
    "backbone": "none",
    "points of the skips": 62.7 - 59.4,
    "points after heavy training": 65.5 - 63.6,
    "62.7 and 62.2": "b",
}
"""


def _pair(table: Sequence[Row], column: str, **wanted: Any) -> str:
    """The rows that differ in this column and in no other one, of those that have what is wanted; or "none"."""
    others = [one.name for one in fields(Row) if one.name not in ("row", "percent", "source", column)]
    for first, second in combinations(table, 2):
        alike = all(getattr(first, name) == getattr(second, name) for name in others)
        chosen = all(getattr(one, name) in values for one in (first, second) for name, values in wanted.items())
        if alike and chosen and getattr(first, column) != getattr(second, column):
            return first.row + second.row
    return "none"


def answers(table: Sequence[Row]) -> dict[str, Any]:
    """The right answers, read off the table by the rule: all but one column must be the same."""
    percent = {one.row: one.percent for one in table}
    ends = ("FCN-32s", "FCN-8s")
    short = _pair(table, "network", network=ends, training=(_FIRST,))
    heavy = _pair(table, "network", network=ends, training=(_HEAVY,))
    return {
        "skips": short,
        "heavy training": _pair(table, "training", network=("FCN-8s",), pictures=(_VAL,)),
        "several scales": _pair(table, "test_time"),
        "backbone": _pair(table, "backbone"),
        "points of the skips": round(percent[short[1]] - percent[short[0]], 2),
        "points after heavy training": round(percent[heavy[1]] - percent[heavy[0]], 2),
        "62.7 and 62.2": "b",
    }


def _by_hand(table: Sequence[Row]) -> dict[str, Any]:
    return {
        "skips": "ac",
        "heavy training": "CF",
        "several scales": " HI ",
        "backbone": "None",
        "points of the skips": 62.7 - 59.4,
        "points after heavy training": 65.5 - 63.6,
        "62.7 and 62.2": "B",
    }


def _with_one_decimal(table: Sequence[Row]) -> dict[str, Any]:
    return answers(table) | {"points of the skips": 3.3, "points after heavy training": 1.9}


def _with_further_notes(table: Sequence[Row]) -> dict[str, Any]:
    return answers(table) | {"remark": "H and C differ in backbone, skips, training and pictures"}


def _but(**changed: Any) -> Callable[[Sequence[Row]], dict[str, Any]]:
    """The right answers with some wrong ones; underscores stand for blanks."""
    return lambda table: answers(table) | {name.replace("_", " "): value for name, value in changed.items()}


def _either(name: str, value: Any) -> Callable[[Sequence[Row]], dict[str, Any]]:
    return lambda table: answers(table) | {name: value}


def _pairs(change: Callable[[str], Any]) -> Callable[[Sequence[Row]], dict[str, Any]]:
    """The right answers with every pair of letters written in another way."""

    def wrong(table: Sequence[Row]) -> dict[str, Any]:
        right = answers(table)
        return {name: change(one) if isinstance(one, str) and len(one) == 2 else one for name, one in right.items()}

    return wrong


def markdown(table: Sequence[Row]) -> str:
    """The table as the statement shows it."""
    head = ("", "backbone", "network", "training", "scored on", "at test time", "mean IoU, %", "source")
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, astuple(one))) + " |" for one in table)])


EXERCISE = Exercise(
    id="3.11",
    title="Which two rows may be compared?",
    name="answers",
    statement=f"""
Nine published figures, with what each of them depends on. All networks started from ImageNet; those on VGG16 learned
from SBD's 8,498 pictures. Two rows tell what **one thing** is worth only if they differ in that thing and in no other
column (the source may differ). Everything else that differs is mixed into the difference of their figures.

{markdown(TABLE)}

Fill in `answers`. A pair is two letters in the order of the table, `"AB"`; where there is no such pair, `"none"`.

- `"skips"`: which pair tells what **both** skips together are worth, with the training of 2015?
- `"heavy training"`: which pair tells what the heavy training is worth for FCN-8s, on the 736 pictures?
- `"several scales"`: which pair tells what it brings to show the picture at several scales?
- `"backbone"`: which pair tells what a ResNet-101 in the place of VGG16 is worth?
- `"points of the skips"` and `"points after heavy training"`: how many points are both skips worth on the 736
  pictures, with the training of 2015 and with the heavy one?
- `"62.7 and 62.2"`: the same authors give both figures for FCN-8s in the same year. What follows? **a**: the second
  training went a little worse. **b**: nothing about the network, since other pictures were scored. **c**: half a point
  is what chance makes between two trainings. **d**: the test server computes another mean IoU.
""",
    stub=STUB,
    reference=answers,
    cases=(
        Case("skips", hint="skips"),
        Case("heavy training", hint="heavy"),
        Case("several scales", hint="scales"),
        Case("backbone", hint="backbone"),
        Case("points of the skips", hint="points"),
        Case("points after heavy training", hint="points"),
        Case("62.7 and 62.2", hint="pictures"),
    ),
    hints={
        "general": Hint(
            "Take the column that the question is about, and look for two rows that agree in all the others.",
            "Go from column to column: backbone, network, training, pictures, test time. One difference is an answer, "
            "two are none.",
        ),
        "skips": Hint(
            "Both skips together are the step from FCN-32s to FCN-8s, with the same training and the same pictures.",
            "Among the three rows of Table 2 of 2015, the one without any skip and the one with both.",
        ),
        "one skip": Hint(
            "These two rows differ by one skip. FCN-16s already has one of the two.",
            "Both skips: from FCN-32s to FCN-8s.",
        ),
        "training too": Hint(
            "Between these two rows the training differs as well: it would be counted as if the skips had done it.",
            "Stay within one training, here that of 2015.",
        ),
        "pictures too": Hint(
            "These two rows were scored on different pictures, too. Some pictures are harder than others.",
            "Compare figures of the same pictures only: here the 736 of VOC 2011 val.",
        ),
        "heavy": Hint(
            "The network and the pictures stay, the training changes.",
            "Two rows of FCN-8s on the 736 pictures, one of each training.",
        ),
        "network too": Hint(
            "These two rows differ in the network, too: the skips are mixed into the difference.",
            "The question is about FCN-8s: it must stand in both rows.",
        ),
        "test set": Hint(
            "This pair answers the question for the test set. It was asked for the 736 pictures of VOC 2011 val.",
            "The same two trainings of FCN-8s, in the rows that were scored on the 736 pictures.",
        ),
        "scales": Hint(
            "Nothing was trained anew for this: one network, shown the pictures in another way.",
            "Two rows that differ in the column “at test time” alone.",
        ),
        "backbone": Hint(
            "The rows of ResNet-101 have no skips, another training and other pictures. Whose effect would their "
            "difference to a row of VGG16 be?",
            "No two rows differ in the backbone alone.",
        ),
        "points": Hint(
            "The difference of two figures in the same column, in points of percent.",
            "FCN-8s minus FCN-32s, once with each training, on the 736 pictures.",
        ),
        "sign": Hint(
            "What the skips are worth is the figure with them minus the figure without them: it is positive.",
            "FCN-8s minus FCN-32s.",
        ),
        "relative": Hint(
            "Points are differences of percentages. They are not divided by anything.",
            "For example 62.4 - 59.4 = 3.0 points, not 5 %, and not 0.03.",
        ),
        "pictures": Hint(
            "Look at the column that says what was scored. Must a network be worse to get another figure there?",
            "736 pictures of VOC 2011 val, and those of VOC 2012 test: two examinations, and nothing says which one is "
            "harder.",
        ),
        "form": Hint(
            "A pair is written as two letters in the order of the table, with nothing between them.",
            'As "AB": the upper row first.',
        ),
    },
    mistakes=(
        Mistake("one skip, pool4", _but(skips="AB"), "one skip"),
        Mistake("one skip, pool3", _but(skips="BC"), "one skip"),
        Mistake("32s of 2015, 8s of the release", _but(skips="AF"), "training too"),
        Mistake("both of the heavy training", _but(skips="EF"), "skips"),
        Mistake("8s on the test set", _but(skips="AD"), "pictures too"),
        Mistake("8s on the test set, heavy", _but(skips="AG"), "pictures too"),
        Mistake("no pair for the skips", _but(skips="none"), "skips"),
        Mistake("the test set's trainings", _but(heavy_training="DG"), "test set"),
        Mistake("val before, test after", _but(heavy_training="CG"), "pictures too"),
        Mistake("test before, val after", _but(heavy_training="DF"), "pictures too"),
        Mistake("32s before, 8s after", _but(heavy_training="AF"), "network too"),
        Mistake("16s before, 8s after", _but(heavy_training="BF"), "network too"),
        Mistake("32s before and after", _but(heavy_training="AE"), "heavy"),
        Mistake("no pair for the training", _but(heavy_training="none"), "heavy"),
        Mistake("no pair for the scales", _but(several_scales="none"), "scales"),
        Mistake("scales across networks", _but(several_scales="FI"), "scales"),
        Mistake("8s and ResNet-101", _but(backbone="CH"), "backbone"),
        Mistake("8s, heavy, and ResNet-101", _but(backbone="FH"), "backbone"),
        Mistake("32s and ResNet-101", _but(backbone="AH"), "backbone"),
        Mistake("32s, heavy, and ResNet-101", _but(backbone="EH"), "backbone"),
        Mistake("best of both backbones", _but(backbone="GI"), "backbone"),
        Mistake("percent of the figure", _but(points_of_the_skips=5.6, points_after_heavy_training=3.0), "relative"),
        Mistake("shares", _but(points_of_the_skips=0.033, points_after_heavy_training=0.019), "relative"),
        Mistake("negative", _but(points_of_the_skips=-3.3, points_after_heavy_training=-1.9), "sign"),
        Mistake("exchanged", _but(points_of_the_skips=1.9, points_after_heavy_training=3.3), "points"),
        Mistake("32s of 2015 for both", _but(points_after_heavy_training=6.1), "training too"),
        Mistake("the training's points", _but(points_after_heavy_training=2.8), "points"),
        Mistake("worse trained", _either("62.7 and 62.2", "a"), "pictures"),
        Mistake("chance", _either("62.7 and 62.2", "c"), "pictures"),
        Mistake("another mean IoU", _either("62.7 and 62.2", "d"), "pictures"),
        Mistake("lower row first", _pairs(lambda pair: pair[::-1]), "form"),
        Mistake("skips, lower row first", _but(skips="CA"), "form"),
        Mistake("training, lower row first", _but(heavy_training="FC"), "form"),
        Mistake("scales, lower row first", _but(several_scales="IH"), "form"),
        Mistake("with a comma", _pairs(lambda pair: ", ".join(pair)), "form"),
        Mistake("with a blank", _pairs(" ".join), "form"),
        Mistake("with a dash", _pairs("-".join), "form"),
        Mistake("with an and", _pairs(" and ".join), "form"),
        Mistake("as a tuple", _pairs(tuple), "form"),
        Mistake("as a list", _pairs(list), "form"),
    ),
    alternatives=(_by_hand, _with_one_decimal, _with_further_notes),
    points=4,
    minutes=25,
    difficulty=2,
    tolerance=1e-3,
    solution=SOLUTION,
    given=lambda: (TABLE,),
)
