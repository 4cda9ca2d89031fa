"""Exercise 11.4: how sure the difference of two networks is, by drawing the pictures anew."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson11.bootstrap_answers import at_once, with_loops, with_torch
from segtutor.exercises.lesson11.bootstrap_mistakes import MISTAKES
from segtutor.exercises.lesson11.inputs import two_networks

STUB = '''
def bootstrap_difference(first, second, drawn, confidence):
    """Difference of two mean IoUs, first less second, and both ends of its interval over the `drawn` data sets."""
    raise NotImplementedError("Write bootstrap_difference() here, then run this cell again.")
'''


def bootstrap_difference(
    first: np.ndarray, second: np.ndarray, drawn: np.ndarray, confidence: float
) -> tuple[float, float, float]:
    """Difference of two mean IoUs, first less second, and both ends of its interval over the `drawn` data sets."""

    def mean_iou(matrices: np.ndarray) -> float:
        matrix = matrices.sum(axis=0)
        hits = matrix.diagonal()
        union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
        return float((hits[union > 0] / union[union > 0]).mean())

    differences = [mean_iou(first[pictures]) - mean_iou(second[pictures]) for pictures in drawn]
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    return mean_iou(first) - mean_iou(second), float(low), float(high)


def _counted(*matrices: list[list[int]]) -> np.ndarray:
    return np.array(matrices)


# Two pictures. By hand: .775 less .5833 on both, 7/12 less 1/4 on the first alone, nothing on the second.
_ONE = _counted([[2, 0], [1, 1]], [[2, 0], [0, 2]])
_OTHER = _counted([[2, 0], [2, 0]], [[2, 0], [0, 2]])
# Each picture lacks a class, and one class has a single pixel. By hand: 11/14 less 7/12, nothing, 7/12 less 1/4.
_RARE = _counted([[4, 0, 0], [0, 0, 0], [0, 0, 1]], [[2, 0, 0], [1, 1, 0], [0, 0, 0]])
_WORSE = _counted([[4, 0, 0], [0, 0, 0], [0, 0, 1]], [[2, 0, 0], [2, 0, 0], [0, 0, 0]])

EXERCISE = Exercise(
    id="11.4",
    title="Better, or lucky with the pictures?",
    name="bootstrap_difference",
    statement="""
Two networks were scored on the same N pictures. Had other pictures been chosen, would the same one have been better?
Write `bootstrap_difference(first, second, drawn, confidence)`. `first` and `second` are N x K x K, a confusion matrix
for each picture, rows the true class. `drawn` is S x N: each row is a data set of N pictures, drawn with replacement;
a number may occur several times, and then its picture counts as often.

The score is the **mean IoU of a data set**: the matrices of its pictures are added up, and then the IoU of each class
is taken; classes with neither labels nor predictions in it are left out of the mean.

Return three numbers: the difference of the scores on all N pictures, first less second, and the lower and upper end of
its interval. For each drawn data set take the difference, with the **same pictures for both networks**. The interval
holds the share `confidence` of the S differences, with equal tails on both sides; `np.quantile` finds the ends.
""",
    stub=STUB,
    reference=bootstrap_difference,
    cases=(
        Case(
            "the middle of two draws",
            (_ONE, _OTHER, np.array([[0, 0], [1, 1]]), 0.5),
            (23 / 120, 1 / 12, 1 / 4),
            "interval",
        ),
        Case(
            "the ends of two draws",
            (_ONE, _OTHER, np.array([[0, 0], [1, 0]]), 1.0),
            (23 / 120, 23 / 120, 1 / 3),
            "interval",
        ),
        Case(
            "a class that is not always there",
            (_RARE, _WORSE, np.array([[0, 0], [1, 1]]), 1.0),
            (17 / 84, 0.0, 1 / 3),
            "absent",
        ),
        Case(
            "a class that is only predicted",
            (_counted([[3, 1], [0, 0]]), _counted([[4, 0], [0, 0]]), np.array([[0], [0]]), 0.5),
            (-0.625, -0.625, -0.625),
            "absent",
        ),
        Case("6 pictures, 3 classes", (*two_networks(1, 6, 3, 40), 0.9), hint="paired"),
        Case("9 pictures, 4 classes", (*two_networks(2, 9, 4, 60), 0.95), hint="interval"),
        Case("12 pictures, 5 classes", (*two_networks(3, 12, 5, 50), 0.8), hint="data set"),
        Case("4 pictures, 6 classes", (*two_networks(4, 4, 6, 60), 0.9), hint="absent"),
    ),
    hints={
        "general": Hint(
            "One function is enough: the mean IoU of the pictures with these numbers. All else is calling it.",
            "For each row of `drawn` select both networks' matrices with the same numbers, score both, subtract. The "
            "interval comes from the sorted differences.",
        ),
        "paired": Hint(
            "Both networks must be scored on the same drawn pictures: what is hard for both then drops out.",
            "One row of `drawn` selects from `first` and from `second`.",
        ),
        "data set": Hint(
            "The mean IoU is that of the data set: matrices are added before any quotient is taken.",
            "Sum over the drawn pictures, then hits by union, then the mean over classes; not a mean over pictures.",
        ),
        "absent": Hint(
            "A class that no drawn picture has, in labels or predictions, says nothing about the networks.",
            "Leave out classes whose union is 0; they count neither as 0 nor as 1.",
        ),
        "interval": Hint(
            "On each side lies half of what the interval leaves out.",
            "The ends are the quantiles (1 − confidence) / 2 and (1 + confidence) / 2 of the differences.",
        ),
        "drawn": Hint(
            "A picture that is drawn twice counts twice, and each draw has its N pictures as they are.",
            "Index with the whole row, repetitions included; pixels are not drawn.",
        ),
        "value": Hint(
            "The first number is the difference on all N pictures, as measured; the draws are for the interval.",
            "Score all N pictures once for each network; first less second.",
        ),
        "measure": Hint("The score is the mean IoU.", "Hits by labels + predictions − hits, for each class."),
    },
    mistakes=MISTAKES,
    alternatives=(at_once, with_loops, with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
