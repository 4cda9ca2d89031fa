"""Exercise 11.2: the expected calibration error."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson11.ece_answers import with_bincount, with_loops, with_torch
from segtutor.exercises.lesson11.ece_mistakes import MISTAKES
from segtutor.exercises.lesson11.inputs import answers, softmax

STUB = '''
def calibration_error(probabilities, target, bins, ignore):
    """ECE, and the gap of each bin: mean confidence less share that is right, NaN where the bin is empty."""
    raise NotImplementedError("Write calibration_error() here, then run this cell again.")
'''


def calibration_error(
    probabilities: np.ndarray, target: np.ndarray, bins: int, ignore: int
) -> tuple[float, np.ndarray]:
    """ECE, and the gap of each bin: mean confidence less share that is right, NaN where the bin is empty."""
    valid = target != ignore
    confidence = probabilities.max(axis=0)[valid]
    right = (probabilities.argmax(axis=0) == target)[valid]
    place = np.ceil(confidence * bins) - 1
    error, gaps = 0.0, np.full(bins, np.nan)
    for number in range(bins):
        inside = place == number
        if inside.any():
            gaps[number] = confidence[inside].mean() - right[inside].mean()
            error += inside.mean() * abs(gaps[number])
    return error, gaps


def _random(seed: int, classes: int, bins: int, ignore: int = 255) -> tuple[np.ndarray, np.ndarray, int, int]:
    logits, labels = answers(seed, classes, (9, 12), 1.6, ignore)
    return softmax(logits), labels, bins, ignore


def _two(*first: float) -> np.ndarray:
    """Probabilities of two classes for a row of pixels."""
    return np.array([[first], [[1 - one for one in first]]])


_NAN = float("nan")
_THREE = np.array([[[0.375, 0.5]], [[0.25, 0.375]], [[0.375, 0.125]]])

EXERCISE = Exercise(
    id="11.2",
    title="The expected calibration error",
    name="calibration_error",
    statement="""
Write `calibration_error(probabilities, target, bins, ignore)` for one picture: `probabilities` are K x H x W with the
sum 1 at each pixel, `target` H x W. Pixels whose label is `ignore` count nowhere; others hold classes 0 to K − 1.

The *confidence* of a pixel is the largest of its probabilities, its *answer* the class that has it (the first of
equals). M = `bins` bins divide the confidence evenly: bin m, from 0, holds those above m / M and up to (m + 1) / M, the
right edge included.

Return the **ECE** and M gaps. The gap of a bin is the mean confidence of its pixels less the share of them whose answer
is right; it is NaN where the bin is empty. The ECE is the mean of the gaps' amounts, each weighted with its bin's share
of the pixels that count. Some pixel always counts.
""",
    stub=STUB,
    reference=calibration_error,
    cases=(
        Case(
            "two pixels and void",
            (_two(0.9, 0.85, 0.6), np.array([[0, 1, 255]]), 2, 255),
            (0.375, [_NAN, 0.375]),
            "void",
        ),
        Case(
            "two bins",
            (_two(0.7, 0.9, 0.1, 0.6, 0.8), np.array([[1, 0, 1, 0, 0]]), 4, 255),
            (0.14, [_NAN, _NAN, 0.15, -2 / 15]),
            "weights",
        ),
        Case(
            "on the edges",
            (_two(0.5, 0.75, 1.0), np.array([[1, 0, 0]]), 4, 255),
            (1 / 4, [_NAN, 0.5, -0.25, 0.0]),
            "edges",
        ),
        Case(
            "three classes",
            (_THREE, np.array([[2, 0]]), 8, 255),
            (0.4375, [_NAN, _NAN, 0.375, -0.5, _NAN, _NAN, _NAN, _NAN]),
            "answer",
        ),
        Case("4 classes, 10 bins", _random(1, 4, 10), hint="weights"),
        Case("3 classes, 15 bins, void is -1", _random(2, 3, 15, -1), hint="void"),
        Case("void is one of the classes", _random(3, 3, 5, 1), hint="void"),
        Case("one bin", _random(4, 5, 1)),
    ),
    hints={
        "general": Hint(
            "Three numbers for each pixel that counts: its confidence, whether its answer is right, and its bin.",
            "Select the pixels that count first. Then, bin by bin, the mean of the confidences less the mean of the "
            "rights, and the bin's share of all those pixels.",
        ),
        "void": Hint(
            "Void counts nowhere: neither in a bin nor in the number of pixels.",
            "Select by target != ignore before anything is counted or divided.",
        ),
        "weights": Hint(
            "A bin counts by its share of the pixels; a bin with one pixel must not count as much as one with a "
            "thousand.",
            "Multiply the amount of each gap by pixels of the bin / pixels that count, and add up.",
        ),
        "answer": Hint(
            "The confidence is that of the *answer*, right or wrong, and right means that the answer is the label.",
            "The largest probability and its class; the label's own probability does not occur.",
        ),
        "edges": Hint(
            "A confidence of just 0.5 lies in the bin that ends there, and 1 in the last one.",
            "ceil(confidence x M) − 1 is the number of the bin.",
        ),
        "amount": Hint(
            "Overconfidence in one bin and modesty in another must not cancel: the ECE adds amounts, as they are.",
            "abs(gap), not gap and not its square; neither the largest, nor in percent.",
        ),
        "gap": Hint(
            "The gap is confidence less accuracy, above 0 where the network is too sure, and of the pixels' own mean "
            "confidence.",
            "Mean of the confidences in the bin less the share of right answers; NaN for an empty bin.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(with_loops, with_bincount, with_torch),
    points=3,
    minutes=20,
    difficulty=2,
)
