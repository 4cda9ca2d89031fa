"""Exercise 6.14: published figures of DeepLab, and what may be concluded from two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import combinations
from typing import Any

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake


@dataclass(frozen=True)
class Row:
    """A published mean IoU with all that it depends on."""

    row: str
    network: str
    backbone: str
    started_from: str
    scored_on: str
    stride: str
    scales: str
    percent: float
    source: str


_V3, _PLUS, _RESNET, _XCEPTION = "DeepLab v3", "DeepLab v3+", "ResNet-101", "Xception-65"
_IMAGENET, _COCO = "ImageNet", "ImageNet, COCO"
_VAL, _TEST, _CITY = "VOC 2012 val", "VOC 2012 test", "Cityscapes val"
_ONE, _MANY = "one", "0.5 to 1.75, mirrored"
_OF_V3, _ZOO = "DeepLab v3's paper", "the authors' model zoo"

TABLE = (
    Row("A", _V3, _RESNET, _IMAGENET, _VAL, "16", _ONE, 77.21, _OF_V3),
    Row("B", _V3, _RESNET, _IMAGENET, _VAL, "8", _ONE, 78.51, _OF_V3),
    Row("C", _V3, _RESNET, _IMAGENET, _VAL, "8", _MANY, 79.77, _OF_V3),
    Row("D", _V3, _RESNET, _COCO, _VAL, "8", _MANY, 82.70, _OF_V3),
    Row("E", _V3, _RESNET, _COCO, _TEST, "8", _MANY, 85.70, _OF_V3),
    Row("F", _PLUS, _XCEPTION, _COCO, _VAL, "16", _ONE, 82.20, _ZOO),
    Row("G", _PLUS, _XCEPTION, _COCO, _VAL, "8", _MANY, 83.58, _ZOO),
    Row("H", _PLUS, _XCEPTION, _COCO, _TEST, "8", _MANY, 87.80, _ZOO),
    Row("I", _V3, _RESNET, _IMAGENET, _CITY, "16", _ONE, 77.23, _OF_V3),
    Row("J", _V3, _RESNET, _IMAGENET, _CITY, "8", _ONE, 77.82, _OF_V3),
)
TITLES = (" ", "network", "backbone", "started from", "scored on", "test stride", "scales", "mean IoU, %", "source")

STUB = """
answers = {
    "stride on VOC": None,  # two letters in the order of the table, or "none"
    "stride on Cityscapes": None,  # two letters, or "none"
    "scales": None,  # two letters, or "none"
    "COCO": None,  # two letters, or "none"
    "decoder": None,  # two letters, or "none"
    "points of the stride, VOC": None,  # a number
    "points of the stride, Cityscapes": None,  # a number
    "differences of E and H": None,  # a number: in how many columns they differ, but for figure and source
    "82.7 and 85.7": None,  # "a", "b", "c" or "d"
    "to believe": None,  # "a", "b", "c" or "d"
}
"""

SOLUTION = """
answers = {
    "stride on VOC": "AB",
    "stride on Cityscapes": "IJ",
    "scales": "BC",
    "COCO": "CD",
    "decoder": "none",  # E and H, or D and G, differ in the backbone as well
    "points of the stride, VOC": 78.51 - 77.21,
    "points of the stride, Cityscapes": 77.82 - 77.23,
    "differences of E and H": 2,  # network and backbone
    "82.7 and 85.7": "c",
    "to believe": "b",
}
"""


def _pair(table: Sequence[Row], column: str, **wanted: Any) -> str:
    """The rows that differ in this column and in no other one, of those that have what is wanted; or "none"."""
    others = [one.name for one in fields(Row) if one.name not in ("row", "percent", "source", column)]
    for first, second in combinations(table, 2):
        alike = all(getattr(first, name) == getattr(second, name) for name in others)
        chosen = all(getattr(one, name) == value for one in (first, second) for name, value in wanted.items())
        if alike and chosen and getattr(first, column) != getattr(second, column):
            return first.row + second.row
    return "none"


def answers(table: Sequence[Row]) -> dict[str, Any]:
    """The right answers, as far as they can be read off a table."""
    percent = {one.row: one.percent for one in table}
    by_letter = {one.row: one for one in table}
    on_voc, on_city = _pair(table, "stride", scored_on=_VAL, scales=_ONE), _pair(table, "stride", scored_on=_CITY)
    columns = [one.name for one in fields(Row) if one.name not in ("row", "percent", "source")]
    return {
        "stride on VOC": on_voc,
        "stride on Cityscapes": on_city,
        "scales": _pair(table, "scales"),
        "COCO": _pair(table, "started_from"),
        "decoder": _pair(table, "network"),
        "points of the stride, VOC": percent[on_voc[1]] - percent[on_voc[0]],
        "points of the stride, Cityscapes": percent[on_city[1]] - percent[on_city[0]],
        "differences of E and H": sum(getattr(by_letter["E"], c) != getattr(by_letter["H"], c) for c in columns),
        "82.7 and 85.7": "c",
        "to believe": "b",
    }


def published_rows() -> tuple[tuple[Row, ...]]:
    """The table, as the arguments of `answers`."""
    return (TABLE,)


def _but(**change: Any) -> Callable[[Sequence[Row]], dict[str, Any]]:
    """The right answers, but for some; keys with underscores for spaces."""
    keys = {key.replace(" ", "_").replace(".", "_").replace(",", ""): key for key in answers(TABLE)}
    return lambda table: answers(table) | {keys[name]: value for name, value in change.items()}


def _markdown() -> str:
    lines = ["| " + " | ".join(TITLES) + " |", "|" + " --- |" * len(TITLES)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, astuple(row))) + " |" for row in TABLE)])


EXERCISE = Exercise(
    id="6.14",
    title="When to believe a result",
    name="answers",
    statement=f"""
Ten published figures, with what each of them depends on: the weights that training started from, the pictures that were
scored, the output stride **at test time**, and the scales at which each picture was shown. As in 3.11, two rows tell
what **one thing** is worth only if they differ in that thing and in no other column; the source may differ.

{_markdown()}

Fill in `answers`. A pair is two letters in the order of the table, `"AB"`; where there is no such pair, `"none"`.

- `"stride on VOC"` and `"stride on Cityscapes"`: which pair tells what the finer output stride brings, at one scale?
- `"scales"`: which pair tells what it brings to show each picture at several scales?
- `"COCO"`: which pair tells what it brings to start from COCO, too?
- `"decoder"`: which pair tells what the decoder is worth, in which v3+ goes beyond v3?
- `"points of the stride, VOC"` and `"points of the stride, Cityscapes"`: how many points is the finer stride worth?
- `"differences of E and H"`: in how many columns do E and H differ, figure and source left out?
- `"82.7 and 85.7"`: D and E are by the same authors and in the same paper. What explains the three points? **a**: the
  network of E is better. **b**: three points are what chance makes. **c**: nothing is known of the network, since other
  pictures were scored. **d**: the test pictures are easier for every network by three points.
- `"to believe"`: somebody has trained your network once with and once without a new module, and writes: "It brings 0.4
  points." Trained three times with other seeds, your network alone reached 71.6, 72.3 and 72.1 %. What do you write?
  **a**: the module helps, since 0.4 is above 0. **b**: nothing can be said; chance alone makes differences as large,
  and each of the two should be trained with several seeds. **c**: the module does harm. **d**: the module helps, since
  the authors would not have published it else.
""",
    stub=STUB,
    reference=answers,
    cases=tuple(
        Case(name, hint=hint)
        for name, hint in (
            ("stride on VOC", "stride"),
            ("stride on Cityscapes", "stride"),
            ("scales", "scales"),
            ("COCO", "coco"),
            ("decoder", "decoder"),
            ("points of the stride, VOC", "points"),
            ("points of the stride, Cityscapes", "points"),
            ("differences of E and H", "count"),
            ("82.7 and 85.7", "pictures"),
            ("to believe", "seeds"),
        )
    ),
    hints={
        "general": Hint(
            "Go through the columns, not through the figures: a pair is fair if exactly one column differs.",
            "For each question find the column that may differ, and cover it with a finger: all others must be equal. "
            "If no two rows are left, nobody has measured it.",
        ),
        "stride": Hint(
            "The test stride alone may differ: same network, start, pictures, and one scale in both.",
            "Look at the rows with one scale, those of VOC val and those of Cityscapes val.",
        ),
        "scales": Hint(
            "The scales alone may differ; the test stride must be the same. F and G differ in both.",
            "Both rows have stride 8.",
        ),
        "coco": Hint(
            "What training started from alone may differ, at the same stride and scales, on the same pictures.",
            "Both rows are of VOC val, with several scales.",
        ),
        "decoder": Hint(
            "v3 and v3+ stand on different backbones here. Whatever pair you take, the backbone differs as well.",
            "There is no such pair: none.",
        ),
        "points": Hint(
            "A gain in points is the difference of the two figures of the pair, the finer stride minus the coarser "
            "one.",
            "Subtract; the result is positive in both cases.",
        ),
        "count": Hint(
            "E and H are of the same pictures, start, stride and scales. What is left?",
            "Two columns: say to yourself which.",
        ),
        "pictures": Hint(
            "D is scored on VOC val and E on VOC test. Before a difference is explained, the pictures must be the "
            "same.",
            "Neither the network nor chance nor other networks enter this comparison: all that is known is that other "
            "pictures were scored.",
        ),
        "seeds": Hint(
            "The three trainings of one and the same network differ by up to 0.7 points.",
            "A difference of single trainings that is smaller than that may be chance alone.",
        ),
    },
    mistakes=(
        Mistake("the stride with scales", _but(stride_on_VOC="AC"), "stride"),
        Mistake("the stride of v3+", _but(stride_on_VOC="FG"), "stride"),
        Mistake("Cityscapes against VOC", _but(stride_on_Cityscapes="AI"), "stride"),
        Mistake("nobody measured Cityscapes", _but(stride_on_Cityscapes="none"), "stride"),
        Mistake("scales of v3+", _but(scales="FG"), "scales"),
        Mistake("scales and stride", _but(scales="AC"), "scales"),
        Mistake("COCO and scales", _but(COCO="BD"), "coco"),
        Mistake("COCO on test", _but(COCO="CE"), "coco"),
        Mistake("no pair for COCO", _but(COCO="none"), "coco"),
        Mistake("decoder on test", _but(decoder="EH"), "decoder"),
        Mistake("decoder on val", _but(decoder="DG"), "decoder"),
        Mistake("decoder at stride 16", _but(decoder="AF"), "decoder"),
        Mistake("points with scales", _but(points_of_the_stride_VOC=79.77 - 77.21), "points"),
        Mistake("coarser minus finer", _but(points_of_the_stride_VOC=77.21 - 78.51), "points"),
        Mistake("points in percent of the figure", _but(points_of_the_stride_Cityscapes=100 * 0.59 / 77.23), "points"),
        Mistake("Cityscapes minus VOC", _but(points_of_the_stride_Cityscapes=77.23 - 77.21), "points"),
        Mistake("one difference", _but(differences_of_E_and_H=1), "count"),
        Mistake("three differences", _but(differences_of_E_and_H=3), "count"),
        Mistake("E is the better network", _but(**{"82_7_and_85_7": "a"}), "pictures"),
        Mistake("chance", _but(**{"82_7_and_85_7": "b"}), "pictures"),
        Mistake("test is easier", _but(**{"82_7_and_85_7": "d"}), "pictures"),
        Mistake("above 0", _but(to_believe="a"), "seeds"),
        Mistake("does harm", _but(to_believe="c"), "seeds"),
        Mistake("published", _but(to_believe="d"), "seeds"),
    ),
    alternatives=(
        lambda table: {key: round(one, 2) if isinstance(one, float) else one for key, one in answers(table).items()},
        lambda table: dict(reversed(answers(table).items())),
        lambda table: {key: one.lower() if isinstance(one, str) else one for key, one in answers(table).items()},
    ),
    points=3,
    minutes=25,
    difficulty=2,
    tolerance=1e-2,
    solution=SOLUTION,
    given=published_rows,
)
