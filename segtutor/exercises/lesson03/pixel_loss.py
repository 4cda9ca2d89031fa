"""Exercise 3.7: the loss of every pixel that has a label."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

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


def _losses(logits, labels, ignore):  # type: ignore[no-untyped-def]
    """The loss of every pixel, 0 where there is no label, and where there is one."""
    valid = labels != ignore
    safe = np.where(valid, labels, 0)
    log_sum = np.logaddexp.reduce(logits, axis=0)
    return (log_sum - np.take_along_axis(logits, safe[None], axis=0)[0]) * valid, valid


def _overflowing(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=0)
    return -np.log(probabilities[:, valid][labels[valid], np.arange(valid.sum())]).mean()


def _void_as_class_0(logits, labels, ignore):  # type: ignore[no-untyped-def]
    return pixel_loss(logits, np.where(labels == ignore, 0, labels), -1)


def _nan_without_labels(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return losses.sum() / valid.sum() if valid.any() else float("nan")


def _not_logarithm(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return ((1 - np.exp(-losses)) * valid).sum() / max(valid.sum(), 1)


def _without_normalization(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    return -logits[:, valid][labels[valid], np.arange(valid.sum())].mean()


def _mean(logits, labels, ignore, change):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return change(losses, valid)


def _random(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, (5, 6))
    labels[generator.random((5, 6)) < 0.3] = 255
    return generator.normal(0, 3, (4, 5, 6)), labels, 255


_ZERO = np.zeros((3, 2, 2))
_LN3 = np.log(3.0)
_HALF = np.array([[[0.0, _LN3]], [[0.0, 0.0]]])
_LARGE = np.array([[[1000.0, 1000.0]], [[0.0, 0.0]]])

EXERCISE = Exercise(
    id="3.7",
    title="The pixel-wise loss",
    name="pixel_loss",
    statement="""
Write `pixel_loss(logits, labels, ignore)` for one picture, `logits` K x H x W and `labels` H x W:

$$ L = \\frac{1}{|V|} \\sum_{p \\in V} \\Big( \\log \\sum_k e^{z_k(p)} - z_{y(p)}(p) \\Big), \\qquad
V = \\{p : y(p) \\ne \\text{ignore}\\}. $$

Void pixels count in neither the sum nor its divisor. Without any valid pixel the loss is 0. Logits may be large: a
thousand must not overflow.
""",
    stub=STUB,
    reference=pixel_loss,
    cases=(
        Case("three classes, no idea: ln 3", (_ZERO, np.array([[0, 1], [2, 0]]), 255), _LN3),
        Case("one valid pixel of four: still ln 3", (_ZERO, np.array([[255, 1], [255, 255]]), 255), _LN3, "divisor"),
        Case(
            "probabilities 1/2 and 3/4",
            (_HALF, np.array([[0, 0]]), 255),
            (np.log(2) + np.log(4 / 3)) / 2,
        ),
        Case("nothing but void", (_ZERO, np.full((2, 2), 255), 255), 0.0, "empty"),
        Case("logits of a thousand", (_LARGE, np.array([[0, 1]]), 255), 500.0, "overflow"),
        Case("ignore is 11", (_HALF, np.array([[11, 0]]), 11), np.log(4 / 3), "void"),
        Case("random", _random(0)),
    ),
    hints={
        "general": Hint(
            "Take the valid pixels out first: K x N scores and N labels. Then log-sum-exp over K, less the own score.",
            "scores = logits[:, valid]; subtract their largest; own = scores[labels[valid], np.arange(N)].",
        ),
        "divisor": Hint(
            "The sum is divided by something else than the number of valid pixels.",
            "Take .mean() over the valid pixels alone.",
        ),
        "void": Hint(
            "Void pixels get a loss as if they had a label, or pixels with a label are left out.",
            "valid = labels != ignore, with the argument, whatever its value.",
        ),
        "empty": Hint(
            "Without a valid pixel the mean is 0/0. A batch of such crops happens, and would end the training.",
            "if not valid.any(): return 0.0",
        ),
        "overflow": Hint(
            "exp of a large score overflows. Subtract the largest score of the pixel first; the loss does not change.",
            "scores = scores - scores.max(axis=0), before exp.",
        ),
        "softmax": Hint(
            "The loss is the negative logarithm of the softmax probability of the right class, natural logarithm.",
            "log(sum(exp(scores))) - own score.",
        ),
        "sign": Hint("A loss is positive: the logarithm of a probability is not.", "log-sum-exp minus the own score."),
    },
    mistakes=(
        Mistake("sum", lambda z, y, v: _mean(z, y, v, lambda a, b: a.sum()), "divisor"),
        Mistake("mean over all pixels", lambda z, y, v: _mean(z, y, v, lambda a, b: a.mean()), "divisor"),
        Mistake("divided by the classes, too", lambda z, y, v: pixel_loss(z, y, v) / len(z), "divisor"),
        Mistake("void as class 0", _void_as_class_0, "void"),
        Mistake("void is always 255", lambda z, y, v: pixel_loss(z, y, 255), "void"),
        Mistake("NaN without labels", _nan_without_labels, "empty"),
        Mistake("one without labels", lambda z, y, v: pixel_loss(z, y, v) if (y != v).any() else 1.0, "empty"),
        Mistake("exp without shift", _overflowing, "overflow"),
        Mistake("clipped scores", lambda z, y, v: pixel_loss(np.clip(z, -50, 50), y, v), "overflow"),
        Mistake("one minus probability", _not_logarithm, "softmax"),
        Mistake("score alone", _without_normalization, "softmax"),
        Mistake("logarithm to base 2", lambda z, y, v: pixel_loss(z, y, v) / np.log(2), "softmax"),
        Mistake("wrong sign", lambda z, y, v: -pixel_loss(z, y, v), "sign"),
    ),
    alternatives=(_with_loops, _with_logaddexp, _with_one_hot),
    points=5,
    minutes=30,
    difficulty=2,
)
