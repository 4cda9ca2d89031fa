"""Exercise 1.13: panoptic quality of one small drawing, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import chosen, seeded

GRASS, VOID = ".", "v"
ROWS, COLUMNS = 8, 12


@dataclass(frozen=True)
class Sizes:
    """How large the segments of the drawing are; the traps are the same whatever they are.

    Attributes:
        cow: Rows and columns of A.
        predicted: Rows and columns of P, which begins where A does.
        rows: Of B and of Q, which is the left half of B.
        third: Rows of C, which has two columns.
        found: Whether R lies on C, and not beside it.
        other: Columns of S.
    """

    cow: tuple[int, int] = (4, 3)
    predicted: tuple[int, int] = (4, 4)
    rows: int = 2
    third: int = 2
    found: bool = False
    other: int = 2


def sizes() -> Sizes:
    """Those of the course, or in a variant others that have the same traps."""
    if not chosen():
        return Sizes()
    generator = seeded(0)
    while True:
        down, across, wider, higher = generator.integers((2, 2, 2, 2), 5).tolist()
        both = min(down, wider) * min(across, higher)
        if both < down * across + wider * higher - both < 2 * both:  # P matches A and is another rectangle
            rows, third, found, other = generator.integers((2, 1, 0, 1), (5, 3, 2, 3)).tolist()
            return Sizes((down, across), (wider, higher), rows, third, bool(found), other)


SIZES = sizes()
ONE_MORE = 1, 8
"""The pixel, row and column, that segment Q gets in the last question: it belongs to cow B."""

STUB = """
answers = {
    "tp": None,  # cows: matched pairs
    "fp": None,  # cows: predicted segments without a partner
    "fn": None,  # cows: true segments without a partner
    "sq": None,  # cows
    "rq": None,  # cows
    "pq_cow": None,
    "pq_grass": None,
    "pq": None,
    "pq_cow_one_more": None,
}
"""

SOLUTION = """
answers = {
    "tp": 1,  # A and P
    "fp": 3,  # Q, R and S; T lies on void
    "fn": 2,  # B, whose IoU with Q is 4 / 8 and not above it, and C
    "sq": 12 / 16,
    "rq": 1 / (1 + 3 / 2 + 2 / 2),
    "pq_cow": 12 / 16 * 2 / 7,
    "pq_grass": 54 / (66 + 62 - 54),  # one matched pair, so PQ is its IoU; two more predicted squares lie on void
    "pq": (12 / 16 * 2 / 7 + 54 / 74) / 2,
    "pq_cow_one_more": (12 / 16 + 5 / 8) / (2 + 2 / 2 + 1 / 2),  # B and Q match: one FP and one FN less
}
"""


def drawn_segments() -> tuple[np.ndarray, np.ndarray]:
    """True and predicted segments, 8 x 12 letters: ``.`` is grass, ``v`` void, each other letter a cow."""
    truth, prediction = (np.full((ROWS, COLUMNS), GRASS) for _ in range(2))
    truth[1 : 1 + SIZES.cow[0], 1 : 1 + SIZES.cow[1]] = "A"
    truth[1 : 1 + SIZES.rows, 6:10] = "B"
    truth[5 : 5 + SIZES.third, 1:3] = "C"
    truth[6:, 9:] = VOID
    prediction[1 : 1 + SIZES.predicted[0], 1 : 1 + SIZES.predicted[1]] = "P"
    prediction[1 : 1 + SIZES.rows, 6:8] = "Q"
    if SIZES.found:
        prediction[5 : 5 + SIZES.third, 1:4] = "R"
    else:
        prediction[5:7, 3:5] = "R"
    prediction[5:7, 6 : 6 + SIZES.other] = "S"
    prediction[6:, 10:] = "T"
    return truth, prediction


def answers(truth: np.ndarray, prediction: np.ndarray) -> dict[str, Any]:
    """The right answers for any drawing in which no predicted segment is void."""
    return _answers(truth, prediction)


def _answers(  # type: ignore[no-untyped-def]
    truth, prediction, matches=lambda overlap: overlap > 0.5, void=True, drop=True, half=0.5, over="TP"
):
    """With other rules.

    What matches, whether void is left out of unions, whether its segments are dropped, what a miss costs in RQ, and
    what SQ is divided by.
    """
    more = prediction.copy()
    more[ONE_MORE] = "Q"
    tp, fp, fn, sum_of_iou = _counts(truth, prediction, _cows(truth), _cows(prediction), matches, void, drop)
    grass = _counts(truth, prediction, [GRASS], [GRASS], matches, void, drop)
    later = _counts(truth, more, _cows(truth), _cows(more), matches, void, drop)
    sq = _ratio(sum_of_iou, {"TP": tp, "truth": tp + fn, "all": tp + fp + fn}[over])
    rq = _ratio(tp, tp + half * fp + half * fn)
    pq_cow, pq_grass = sq * rq, _ratio(grass[3], grass[0] + half * (grass[1] + grass[2]))
    after = _ratio(later[3], later[0] + half * (later[1] + later[2]))
    if over != "TP":
        after *= later[0] / {"truth": later[0] + later[2], "all": sum(later[:3])}[over]
    values = {"tp": tp, "fp": fp, "fn": fn, "sq": sq, "rq": rq, "pq_cow": pq_cow, "pq_grass": pq_grass}
    return {**values, "pq": (pq_cow + pq_grass) / 2, "pq_cow_one_more": after}


def _cows(letters):  # type: ignore[no-untyped-def]
    return sorted(set(letters.ravel().tolist()) - {GRASS, VOID})


def _ratio(above, below):  # type: ignore[no-untyped-def]
    return float(above / below) if below else 0.0


def _counts(truth, prediction, true_segments, predicted_segments, matches, void, drop):  # type: ignore[no-untyped-def]
    """TP, FP, FN and the sum of the IoU of the matched pairs, of one class."""
    on_void = truth == VOID
    found, sum_of_iou = set(), 0.0
    for one in true_segments:
        for other in predicted_segments:
            both = ((truth == one) & (prediction == other)).sum()
            either = (truth == one) | ((prediction == other) & ~(on_void & void))
            if matches(both / either.sum()):
                found.add((one, other))
                sum_of_iou += both / either.sum()
    partners = {other for _, other in found}
    invented = [
        other
        for other in predicted_segments
        if other not in partners and not (drop and on_void[prediction == other].mean() > 0.5)
    ]
    return len(found), len(invented), len(true_segments) - len(found), sum_of_iou


def _changed(**rules):  # type: ignore[no-untyped-def]
    return lambda truth, prediction: _answers(truth, prediction, **rules)


def _but(change):  # type: ignore[no-untyped-def]
    """The right answers, some of them replaced by what `change` makes of all."""

    def wrong(truth, prediction):  # type: ignore[no-untyped-def]
        right = answers(truth, prediction)
        return right | change(right)

    return wrong


def _other_rq(rq):  # type: ignore[no-untyped-def]
    """The right answers, but for RQ of the cows and what follows from it."""

    def change(right):  # type: ignore[no-untyped-def]
        found = rq(right["tp"], right["fp"], right["fn"])
        pq_cow = right["sq"] * found
        return {"rq": found, "pq_cow": pq_cow, "pq": (pq_cow + right["pq_grass"]) / 2}

    return _but(change)


def _solution() -> str:
    """The code of the solved notebook; in a variant the bare numbers."""
    if not chosen():
        return SOLUTION
    lines = "".join(f'    "{name}": {value!r},\n' for name, value in answers(*drawn_segments()).items())
    return f"\nanswers = {{\n{lines}}}\n"


def _areas() -> tuple[int, int, int]:
    """Squares of the true and of the predicted grass without void, and those that both have."""
    truth, prediction = drawn_segments()
    known = truth != VOID
    first, second = (truth == GRASS) & known, (prediction == GRASS) & known
    return int(first.sum()), int(second.sum()), int((first & second).sum())


def _after(pairs: float, misses: float):  # type: ignore[no-untyped-def]
    """The last question with another count: the sum of the IoU over TP and so many more, half of these misses added."""

    def change(right):  # type: ignore[no-untyped-def]
        total = right["sq"] * right["tp"] + (2 * SIZES.rows + 1) / (4 * SIZES.rows)
        return {"pq_cow_one_more": total / (right["tp"] + pairs + (right["fp"] + right["fn"] + misses) / 2)}

    return _but(change)


def _only_the_new_pair(right):  # type: ignore[no-untyped-def]
    tp, misses = right["tp"] + 1, right["fp"] + right["fn"] - 2
    return {"pq_cow_one_more": (2 * SIZES.rows + 1) / (4 * SIZES.rows) * tp / (tp + misses / 2)}


def _sum_for_mean(right):  # type: ignore[no-untyped-def]
    tp, misses = right["tp"] + 1, right["fp"] + right["fn"] - 2
    total = right["sq"] * right["tp"] + (2 * SIZES.rows + 1) / (4 * SIZES.rows)
    return {"pq_cow_one_more": total * tp / (tp + misses / 2)}


def _pooled(right):  # type: ignore[no-untyped-def]
    """Cows and grass in one list of segments."""
    tp, fp, fn = right["tp"] + 1, right["fp"], right["fn"]
    return {"pq": (right["sq"] * right["tp"] + right["pq_grass"]) / (tp + fp / 2 + fn / 2)}


EXERCISE = Exercise(
    id="1.13",
    title="Panoptic quality by hand",
    name="answers",
    statement=r"""
No program this time: count squares in the drawing above, and fill in `answers` with whole numbers and fractions
(`5 / 8` is fine) or three decimals. A, B and C are the true cows, P to T the predicted ones. All else is one segment of
grass, but for the six squares of void.

Two segments of one class **match** if their IoU is *above* 0.5. Void squares count in no union. A predicted segment
without a partner is a false positive, unless more than half of it lies on void: then it is dropped. With TP, FP and FN
counted for each class by itself,

$$\mathrm{SQ} = \frac{\sum_{TP} \mathrm{IoU}}{TP}, \qquad
\mathrm{RQ} = \frac{TP}{TP + \tfrac12 FP + \tfrac12 FN}, \qquad
\mathrm{PQ} = \mathrm{SQ} \cdot \mathrm{RQ}.$$

- `tp`, `fp`, `fn`, `sq`, `rq`, `pq_cow`: of the class cow.
- `pq_grass`: PQ of the class grass, which has one true and one predicted segment.
- `pq`: the number that is reported, the mean of PQ over the two classes.
- `pq_cow_one_more`: PQ of the class cow if segment Q had **one** square more, the next one of cow B to the right in the
  upper row.
""",
    stub=STUB,
    reference=answers,
    cases=tuple(Case(name) for name in ("tp", "fp", "fn", "sq", "rq", "pq_cow", "pq_grass", "pq", "pq_cow_one_more")),
    hints={
        "general": Hint(
            "Go through the true cows one after the other: which predicted segment shares squares with it, and is the "
            "IoU of the two above 0.5?",
            "Note for each pair that overlaps how many squares both have and how many at least one has. Who has no "
            "partner is missed or invented, if not dropped. For the grass, count the squares of both pictures and take "
            "off what one of them calls something else.",
        ),
        "half": Hint(
            "Look at B and Q: their IoU is exactly one half, and a match needs more than that.",
            "B has no partner and is missed; Q has none and is invented.",
        ),
        "dropped": Hint(
            "Look at T: it lies on void altogether. Nobody knows what is there, so it is dropped.",
            "T is neither a TP nor an FP.",
        ),
        "grass void": Hint(
            "Look at the predicted grass on void: these squares count in no union.",
            "Two squares of the predicted grass lie on void. Take them off.",
        ),
        "grass": Hint(
            "PQ of the grass is the IoU of its two segments, since they match and nothing else is grass.",
            "Count the squares that both pictures call grass, then those that at least one of them does.",
        ),
        "sq": Hint(
            "SQ is the mean IoU of the *matched* pairs alone. What was missed or invented is counted in RQ.",
            "There are two pairs: A with P and C with R." if SIZES.found else "There is one pair: A and P.",
        ),
        "rq": Hint(
            "In RQ a missed and an invented segment cost one half each.",
            "TP over TP plus half of FP plus half of FN: this is F1.",
        ),
        "mean": Hint(
            "The reported PQ is the mean over the classes: cow and grass count the same.",
            "Add PQ of the cows and PQ of the grass, and divide by two.",
        ),
        "one more": Hint(
            "With one square more, B and Q have an IoU above one half. What does this change in TP, in FP and in FN?",
            "One pair more matches now. SQ is the mean of one IoU more, and there is one FP and one FN less.",
        ),
        "exchanged": Hint(
            "What was predicted and has no partner is a false positive; what is true and has none is a false negative.",
            "FP are among P to T, FN among A to C.",
        ),
    },
    mistakes=(
        Mistake("one half matches", _changed(matches=lambda overlap: overlap >= 0.5), "half"),
        Mistake("any overlap matches", _changed(matches=lambda overlap: overlap > 0), "half"),
        Mistake("the segment on void is invented", _changed(drop=False), "dropped"),
        Mistake("the segment on void is invented, in FP alone", _but(lambda right: {"fp": right["fp"] + 1}), "dropped"),
        Mistake("void in the union of grass", _changed(void=False), "grass void"),
        Mistake("void not known", _changed(void=False, drop=False), "dropped"),
        Mistake("SQ over all cows", _changed(over="truth"), "sq"),
        Mistake("SQ over all segments", _changed(over="all"), "sq"),
        Mistake("whole costs in RQ", _changed(half=1.0), "rq"),
        Mistake("recall as RQ", _other_rq(lambda tp, fp, fn: tp / (tp + fn)), "rq"),
        Mistake("precision as RQ", _other_rq(lambda tp, fp, fn: tp / (tp + fp)), "rq"),
        Mistake(
            "FP and FN not halved, in RQ alone",
            _but(lambda right: {"rq": right["tp"] / (right["tp"] + right["fp"] + right["fn"])}),
            "rq",
        ),
        Mistake("grass of the truth", _but(lambda right: {"pq_grass": _areas()[2] / _areas()[0]}), "grass"),
        Mistake("Dice of the grass", _but(lambda right: {"pq_grass": 2 * _areas()[2] / sum(_areas()[:2])}), "grass"),
        Mistake("the sum of two PQ", _but(lambda right: {"pq": 2 * right["pq"]}), "mean"),
        Mistake("all segments in one list", _but(_pooled), "mean"),
        Mistake("the product of two PQ", _but(lambda right: {"pq": right["pq_cow"] * right["pq_grass"]}), "mean"),
        Mistake("no jump", _but(lambda right: {"pq_cow_one_more": right["pq_cow"]}), "one more"),
        Mistake("Q is still invented", _after(1, -1), "one more"),
        Mistake("both still counted", _after(1, 0), "one more"),
        Mistake("the sum of the IoU as SQ", _but(_sum_for_mean), "one more"),
        Mistake("only the new pair", _but(_only_the_new_pair), "one more"),
        Mistake("FP and FN exchanged", _but(lambda right: {"fp": right["fn"], "fn": right["fp"]}), "exchanged"),
    ),
    alternatives=(
        lambda truth, prediction: {name: round(value, 3) for name, value in answers(truth, prediction).items()},
        lambda truth, prediction: dict(reversed(answers(truth, prediction).items())),
        lambda truth, prediction: {name: np.float32(value) for name, value in answers(truth, prediction).items()},
    ),
    points=4,
    minutes=20,
    difficulty=2,
    tolerance=1e-3,
    solution=_solution(),
    given=drawn_segments,
)
