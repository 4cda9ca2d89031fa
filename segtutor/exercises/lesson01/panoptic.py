"""Exercise 1.13: panoptic quality of one small drawing, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

GRASS, VOID = ".", "v"
TRUTH = """
............
.AAA..BBBB..
.AAA..BBBB..
.AAA........
.AAA........
.CC.........
.CC......vvv
.........vvv
"""
PREDICTION = """
............
.PPPP.QQ....
.PPPP.QQ....
.PPPP.......
.PPPP.......
...RR.SS....
...RR.SS..TT
..........TT
"""
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
    truth, prediction = (np.array([list(row) for row in text.split()]) for text in (TRUTH, PREDICTION))
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
            "There is one pair: A and P.",
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
            "Two pairs match now. SQ is the mean of two IoU, and there is one FP and one FN less.",
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
        Mistake("the segment on void is invented, in FP alone", _but(lambda right: {"fp": 4}), "dropped"),
        Mistake("void in the union of grass", _changed(void=False), "grass void"),
        Mistake("void not known", _changed(void=False, drop=False), "dropped"),
        Mistake("SQ over all cows", _changed(over="truth"), "sq"),
        Mistake("SQ over all segments", _changed(over="all"), "sq"),
        Mistake("whole costs in RQ", _changed(half=1.0), "rq"),
        Mistake("recall as RQ", _other_rq(lambda tp, fp, fn: tp / (tp + fn)), "rq"),
        Mistake("precision as RQ", _other_rq(lambda tp, fp, fn: tp / (tp + fp)), "rq"),
        Mistake("FP and FN not halved, in RQ alone", _but(lambda right: {"rq": 1 / 6}), "rq"),
        Mistake("grass of the truth", _but(lambda right: {"pq_grass": 54 / 66}), "grass"),
        Mistake("Dice of the grass", _but(lambda right: {"pq_grass": 108 / 128}), "grass"),
        Mistake("the sum of two PQ", _but(lambda right: {"pq": 2 * right["pq"]}), "mean"),
        Mistake("all segments in one list", _but(_pooled), "mean"),
        Mistake("the product of two PQ", _but(lambda right: {"pq": right["pq_cow"] * right["pq_grass"]}), "mean"),
        Mistake("no jump", _but(lambda right: {"pq_cow_one_more": right["pq_cow"]}), "one more"),
        Mistake(
            "Q is still invented", _but(lambda right: {"pq_cow_one_more": 1.375 / (2 + 3 / 2 + 1 / 2)}), "one more"
        ),
        Mistake("both still counted", _but(lambda right: {"pq_cow_one_more": 1.375 / (2 + 3 / 2 + 2 / 2)}), "one more"),
        Mistake("the sum of the IoU as SQ", _but(lambda right: {"pq_cow_one_more": 1.375 * 4 / 7}), "one more"),
        Mistake("only the new pair", _but(lambda right: {"pq_cow_one_more": 5 / 8 * 4 / 7}), "one more"),
        Mistake("FP and FN exchanged", _but(lambda right: {"fp": 2, "fn": 3}), "exchanged"),
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
    solution=SOLUTION,
    given=drawn_segments,
)
