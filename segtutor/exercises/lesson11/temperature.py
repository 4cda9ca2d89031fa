"""Exercise 11.3: the temperature that makes a network honest."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson11.inputs import answers
from segtutor.exercises.lesson11.temperature_answers import with_candidates, with_scipy, with_torch
from segtutor.exercises.lesson11.temperature_mistakes import MISTAKES

STUB = '''
def best_temperature(logits, target, ignore):
    """The T for which softmax(logits / T) gives the labels the least mean negative log likelihood, and that mean."""
    raise NotImplementedError("Write best_temperature() here, then run this cell again.")
'''


def best_temperature(logits: np.ndarray, target: np.ndarray, ignore: int) -> tuple[float, float]:
    """The T for which softmax(logits / T) gives the labels the least mean negative log likelihood, and that mean."""
    valid = target != ignore
    scores = logits[:, valid] - logits[:, valid].max(axis=0)
    own = scores[target[valid], np.arange(valid.sum())]
    low, high = 1 / 50, 1 / 0.05  # of b = 1 / T, in which the loss is convex
    for _ in range(60):
        b = (low + high) / 2
        weights = np.exp(b * scores)
        slope = ((weights * scores).sum(axis=0) / weights.sum(axis=0) - own).mean()
        low, high = (b, high) if slope < 0 else (low, b)
    return 1 / b, float((np.log(np.exp(b * scores).sum(axis=0)) - b * own).mean())


def _alike(*logits: float, labels: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The same logits at all pixels of a row."""
    return np.tile(np.array(logits)[:, None, None], (1, 1, len(labels))), np.array([labels])


def _beside_void(void: int) -> tuple[np.ndarray, np.ndarray, int]:
    logits, labels = _alike(2.0, 0.0, labels=[0, void, 0, 1, void, 0])
    logits[:, 0, [1, 4]] = [[-7.0, 9.0], [5.0, -9.0]]
    return logits, labels, void


_LN3 = float(np.log(3))
_QUARTER = float(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
_TENTH = float(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1)))
_TWENTIETH = float(-(0.95 * np.log(0.95) + 0.05 * np.log(0.05)))
_FIFTHS = float(-(0.6 * np.log(0.6) + 0.4 * np.log(0.2)))

EXERCISE = Exercise(
    id="11.3",
    title="A temperature",
    name="best_temperature",
    statement="""
A network that is too sure, or too modest, can be made honest by one number, without any change of its answers: its
logits are divided by a temperature T before the softmax. Write `best_temperature(logits, target, ignore)`: `logits`
are K x H x W, `target` H x W with classes from 0 to K − 1. Pixels whose label is `ignore` count nowhere. T minimizes
the mean negative log likelihood of the labels,

$$ L(T) = \\frac1N \\sum_i \\Big( \\log \\sum_k e^{z_{ki} / T} - z_{y_i i} / T \\Big). $$

Return T and L(T), each to three digits at least. The best T lies between 0.05 and 50, and there is only one minimum.
Logits reach from −60 to 60.
""",
    stub=STUB,
    reference=best_temperature,
    cases=(
        Case("too sure", (*_alike(2.0, 0.0, labels=[0, 0, 1, 0]), 255), (2 / _LN3, _QUARTER)),
        Case("too modest", (*_alike(0.5, 0.0, labels=[0] * 9 + [1]), 255), (0.5 / (2 * _LN3), _TENTH)),
        Case("three classes", (*_alike(0.0, 3.0, 0.0, labels=[1, 1, 0, 1, 2]), 255), (3 / _LN3, _FIFTHS), "loss"),
        Case("void between them", _beside_void(255), (2 / _LN3, _QUARTER), "void"),
        Case("void is -1", _beside_void(-1), (2 / _LN3, _QUARTER), "void"),
        Case(
            "large logits", (*_alike(60.0, -60.0, labels=[0] * 19 + [1]), 255), (120 / np.log(19), _TWENTIETH), "large"
        ),
        Case("3 classes, twice too sure", (*answers(1, 3, (10, 12)), 255)),
        Case("5 classes, too modest", (*answers(2, 5, (8, 15), 0.3), 255)),
        Case("4 classes, seven times too sure", (*answers(3, 4, (12, 12), 7.0, -1), -1), hint="void"),
    ),
    hints={
        "general": Hint(
            "L is a function of one number, so its least value can be searched for in any way that gets close enough.",
            "Write L(T) for the pixels that count. Try temperatures that grow by a factor, then closer ones around the "
            "best, again and again; or halve an interval by the sign of the slope.",
        ),
        "divide": Hint(
            "Logits are *divided* by T: a network that is too sure has a T above 1.",
            "If you searched for the factor b, T is 1 / b.",
        ),
        "void": Hint(
            "Void counts nowhere, neither in the sum nor in N.",
            "Select the pixels whose label is not `ignore`, of the logits and of the target.",
        ),
        "measure": Hint(
            "What is minimized is the negative log likelihood of the *label*. Accuracy does not change with T, and the "
            "network's own confidence would be best without end.",
            "For each pixel −log of the probability that the label gets.",
        ),
        "loss": Hint(
            "The second result is L at the T that was found: a mean over the pixels, with the natural logarithm.",
            "Divide the sum by the number of pixels that count.",
        ),
        "logits": Hint(
            "Probabilities were divided by T instead of logits, or a softmax came twice.",
            "z / T first, and then one softmax.",
        ),
        "precise": Hint(
            "Close, but not to three digits.",
            "Search again in a small interval around the best T, with finer steps.",
        ),
        "large": Hint(
            "60 / 0.05 is 1200, and e to that is beyond all numbers.",
            "Subtract the largest logit of each pixel before you take exponentials.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(with_scipy, with_candidates, with_torch),
    points=3,
    minutes=20,
    difficulty=2,
    tolerance=1e-3,
    seconds=3,
)
