"""Exercise 3.7: the loss of every pixel that has a label."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson03.pixel_loss_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def pixel_loss(logits, labels, ignore):
    """Mean cross entropy of K x H x W logits over the pixels whose label, H x W, is not `ignore`; 0 if none is left."""
    raise NotImplementedError("Write pixel_loss() here, then run this cell again.")
'''


def pixel_loss(logits: np.ndarray, labels: np.ndarray, ignore: int) -> float:
    """Mean cross entropy of K x H x W logits over the pixels whose label, H x W, is not `ignore`; 0 if none is left."""
    valid = labels != ignore
    if not valid.any():
        return 0.0
    scores = logits[:, valid]
    scores = scores - scores.max(axis=0)
    own = scores[labels[valid], np.arange(scores.shape[1])]
    return float((np.log(np.exp(scores).sum(axis=0)) - own).mean())


def _with_loops(logits, labels, ignore):  # type: ignore[no-untyped-def]
    total, count = 0.0, 0
    for (i, j), label in np.ndenumerate(labels):
        if label != ignore:
            top = max(logits[:, i, j])
            total += top + np.log(sum(np.exp(score - top) for score in logits[:, i, j])) - logits[label, i, j]
            count += 1
    return total / count if count else 0.0


def _with_logaddexp(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    safe = np.where(valid, labels, 0)
    losses = np.logaddexp.reduce(logits, axis=0) - np.take_along_axis(logits, safe[None], axis=0)[0]
    return (losses * valid).sum() / max(valid.sum(), 1)


def _with_one_hot(logits, labels, ignore):  # type: ignore[no-untyped-def]
    wanted = np.arange(len(logits))[:, None, None] == np.where(labels == ignore, -1, labels)
    shifted = logits - logits.max(axis=0)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=0))
    return -(log_probabilities * wanted).sum() / max(wanted.sum(), 1)


def _random(seed: int, ignore: int = 255) -> tuple[np.ndarray, np.ndarray, int]:
    generator = seeded(seed)
    labels = generator.integers(0, 4, (5, 6))
    labels[generator.random((5, 6)) < 0.3] = ignore
    return generator.normal(0, 3, (4, 5, 6)), labels, ignore


_ZERO = np.zeros((3, 2, 2))
_LN3 = np.log(3.0)
_HALF = np.array([[[0.0, _LN3]], [[0.0, 0.0]]])
_LARGE = np.array([[[1000.0, 1000.0]], [[0.0, 0.0]]])
_BESIDE = np.array([[[1000.0, 1000.0, 0.0]], [[-1000.0, -1000.0, 0.0]]])
_UNEVEN = np.array([[[0.0, _LN3, 0.0]], [[0.0, 0.0, 0.0]]])

EXERCISE = Exercise(
    id="3.7",
    title="The pixel-wise loss",
    name="pixel_loss",
    statement="""
Write `pixel_loss(logits, labels, ignore)` for one picture, `logits` K x H x W and `labels` H x W:

$$ L = \\frac{1}{|V|} \\sum_{p \\in V} \\Big( \\log \\sum_k e^{z_k(p)} - z_{y(p)}(p) \\Big), \\qquad
V = \\{p : y(p) \\ne \\text{ignore}\\}. $$

Void pixels count in neither the sum nor its divisor. `ignore` may be any whole number: 255, -1, or one of the classes.
Without any valid pixel the loss is 0. Logits may be large: 1000 and -1000 must not overflow, beside pixels whose logits
are around 0.
""",
    stub=STUB,
    reference=pixel_loss,
    cases=(
        Case("three classes, no idea: ln 3", (_ZERO, np.array([[0, 1], [2, 0]]), 255), _LN3),
        Case("one valid pixel of four: still ln 3", (_ZERO, np.array([[255, 1], [255, 255]]), 255), _LN3),
        Case(
            "probabilities 1/2 and 3/4",
            (_HALF, np.array([[0, 0]]), 255),
            (np.log(2) + np.log(4 / 3)) / 2,
        ),
        Case("nothing but void", (_ZERO, np.full((2, 2), 255), 255), 0.0, "empty"),
        Case("logits of a thousand", (_LARGE, np.array([[0, 1]]), 255), 500.0, "overflow"),
        Case(
            "the same beside logits around 0", (_BESIDE, np.array([[0, 1, 0]]), 255), (2000 + np.log(2)) / 3, "overflow"
        ),
        Case("ignore is 11", (_HALF, np.array([[11, 0]]), 11), np.log(4 / 3), "void"),
        Case("ignore is class 0", (_UNEVEN, np.array([[0, 1, 1]]), 0), (np.log(4) + np.log(2)) / 2, "void"),
        Case("ignore is class 1, of three", _random(1, ignore=1), hint="void"),
        Case("ignore is -1", _random(2, ignore=-1), hint="void"),
        Case("random", _random(0)),
    ),
    hints={
        "general": Hint(
            "Take the valid pixels out first: K x N scores and N labels. Then log-sum-exp over K, less the own score.",
            "Subtract from the scores of each pixel their own largest, not that of the whole map: the loss stays the "
            "same and nothing overflows. The own score is picked by two arrays of numbers, one class and one place "
            "per pixel.",
        ),
        "divisor": Hint(
            "The sum goes over the valid pixels and is divided by their number, and by nothing else.",
            "Take .mean() over the valid pixels alone.",
        ),
        "void": Hint(
            "A pixel is void if its label equals `ignore`, whatever number that is, and no other pixel is.",
            "valid = labels != ignore, with the argument, whatever its value.",
        ),
        "empty": Hint(
            "Without a valid pixel the mean is 0/0. A batch of such crops happens, and would end the training.",
            "if not valid.any(): return 0.0",
        ),
        "overflow": Hint(
            "exp of a large score overflows, and log of 0 is infinite. Subtract each pixel's own largest score first: "
            "the loss does not change, and nothing has to be clipped.",
            "scores = scores - scores.max(axis=0), before exp.",
        ),
        "softmax": Hint(
            "The loss is the negative logarithm of the softmax probability of the right class, natural logarithm.",
            "log(sum(exp(scores))) - own score.",
        ),
        "sign": Hint(
            "A loss is positive, while the logarithm of a probability is not.", "log-sum-exp minus the own score."
        ),
        "classes": Hint(
            "All valid pixels count alike, of whatever class, 0 among them.", "One mean over all valid pixels."
        ),
        "axis": Hint(
            "The exponentials are summed over the classes, the first axis, for each pixel by itself.",
            "np.exp(scores).sum(axis=0), with scores K x N.",
        ),
        "shift": Hint(
            "What is subtracted from the scores must be subtracted from the own score, too, or added again at the end.",
            "scores = scores - scores.max(axis=0) first; then both terms come from the new scores.",
        ),
        "number": Hint("The result is one number, the mean of all losses.", "... .mean(), without an axis."),
        "exact": Hint("The loss has as many digits as it needs, and is not limited.", "No round(...), no clip."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_logaddexp, _with_one_hot),
    points=5,
    minutes=20,
    difficulty=2,
)
