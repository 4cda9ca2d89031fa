"""Typical wrong answers to exercise 5.12, the losses of the proposals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake


def _entropy(x, t):  # type: ignore[no-untyped-def]
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def _smooth(d, beta):  # type: ignore[no-untyped-def]
    return np.where(d < beta, d**2 / (2 * beta), d - beta / 2)


def _losses(
    *,
    counted: Callable[[Any], Any] = lambda matches: matches != -2,
    positive: Callable[[Any], Any] = lambda matches: matches >= 0,
    boxed: Callable[[Any], Any] | None = None,
    entropy: Callable[[Any, Any], Any] = _entropy,
    smooth: Callable[[Any, Any], Any] = _smooth,
    distance: Callable[[Any, Any], Any] = lambda offsets, targets: np.abs(offsets - targets),
    object_divisor: Callable[[int, int, int], Any] = lambda counted, positive, all_of_them: counted,
    box_divisor: Callable[[int, int, int], Any] = lambda counted, positive, all_of_them: counted,
    none: float | None = 0.0,
) -> Callable[..., Any]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(logits, offsets, targets, matches, beta):  # type: ignore[no-untyped-def]
        asked, objects = counted(matches), positive(matches)
        if not (matches != -2).any() and none is not None:
            return none, none
        with np.errstate(all="ignore"):
            numbers = int(asked.sum()), int(objects.sum()), len(matches)
            first = entropy(logits[asked], objects[asked].astype(float)).sum() / np.float64(object_divisor(*numbers))
            rows = objects if boxed is None else boxed(matches)
            second = smooth(distance(offsets[rows], targets[rows]), beta).sum() / np.float64(box_divisor(*numbers))
        return float(first), float(second)

    return wrong


def _naive(x, t):  # type: ignore[no-untyped-def]
    probability = 1 / (1 + np.exp(-x))
    return -t * np.log(probability) - (1 - t) * np.log(1 - probability)


def _with_epsilon(x, t):  # type: ignore[no-untyped-def]
    probability = 1 / (1 + np.exp(-x))
    return -t * np.log(probability + 1e-7) - (1 - t) * np.log(1 - probability + 1e-7)


def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def _clipped(x, t):  # type: ignore[no-untyped-def]
    return _entropy(np.clip(x, -50, 50), t)


MISTAKES = (
    Mistake("divided by the positive ones", _losses(box_divisor=lambda c, p, n: max(p, 1)), "divisor"),
    Mistake("mean over four numbers", _losses(box_divisor=lambda c, p, n: 4 * c), "divisor"),
    Mistake("mean over the positive numbers", _losses(box_divisor=lambda c, p, n: max(4 * p, 1)), "divisor"),
    Mistake("divided by all anchors", _losses(box_divisor=lambda c, p, n: n, object_divisor=lambda c, p, n: n),
            "ignored"),
    Mistake("boxes divided by all anchors", _losses(box_divisor=lambda c, p, n: n), "ignored"),
    Mistake("sums", _losses(box_divisor=lambda c, p, n: 1, object_divisor=lambda c, p, n: 1), "divisor"),
    Mistake("box loss as a sum", _losses(box_divisor=lambda c, p, n: 1), "divisor"),
    Mistake("ignored as background", _losses(counted=lambda m: m > -9), "ignored"),
    Mistake("ignored as positive", _losses(counted=lambda m: m > -9, positive=lambda m: m != -1), "ignored"),
    Mistake("positive ones alone asked", _losses(counted=lambda m: m >= 0), "entropy"),
    Mistake("boxes of background, too", _losses(boxed=lambda m: m != -2), "positive"),
    Mistake("boxes of all anchors", _losses(boxed=lambda m: m > -9), "positive"),
    Mistake("object 0 as background", _losses(positive=lambda m: m > 0), "zero"),
    Mistake("object 0 without a box", _losses(boxed=lambda m: m > 0), "zero"),
    Mistake("object 1 alone", _losses(positive=lambda m: m == 1), "zero"),
    Mistake("plain L1", _losses(smooth=lambda d, beta: d), "smooth"),
    Mistake("squares", _losses(smooth=lambda d, beta: d**2 / 2), "smooth"),
    Mistake("squares, whole", _losses(smooth=lambda d, beta: d**2), "smooth"),
    Mistake("line not set off", _losses(smooth=lambda d, beta: np.where(d < beta, d**2 / (2 * beta), d)), "smooth"),
    Mistake("parabola not halved", _losses(smooth=lambda d, b: np.where(d < b, d**2 / b, d - b / 2)), "smooth"),
    Mistake("halves exchanged", _losses(smooth=lambda d, b: np.where(d >= b, d**2 / (2 * b), d - b / 2)), "smooth"),
    Mistake("Huber", _losses(smooth=lambda d, b: np.where(d < b, d**2 / 2, b * (d - b / 2))), "beta"),
    Mistake("beta always 1", _losses(smooth=lambda d, beta: _smooth(d, 1.0)), "beta"),
    Mistake("beta always 1/9", _losses(smooth=lambda d, beta: _smooth(d, 1 / 9)), "beta"),
    Mistake("0.5 d²", _losses(smooth=lambda d, b: np.where(d < b, d**2 / 2, d - b / 2)), "beta"),
    Mistake("d - 0.5", _losses(smooth=lambda d, b: np.where(d < b, d**2 / (2 * b), d - 0.5)), "beta"),
    Mistake("signed difference", _losses(distance=lambda o, t: o - t), "distance"),
    Mistake("target minus offset", _losses(distance=lambda o, t: t - o), "distance"),
    Mistake("log of a sigmoid", _losses(entropy=_naive), "large"),
    Mistake("a small number added", _losses(entropy=_with_epsilon), "large"),
    Mistake("limited logits", _losses(entropy=_clipped), "large"),
    Mistake("not a number for none", _losses(none=None), "none"),
    Mistake("1 for none", _losses(none=1.0), "none"),
    Mistake("exchanged labels", _losses(entropy=lambda x, t: _entropy(x, 1 - t)), "entropy"),
    Mistake("only the positive term", _losses(entropy=lambda x, t: t * _entropy(x, t)), "entropy"),
    Mistake("squared error of the sigmoid", _losses(entropy=lambda x, t: (_sigmoid(x) - t) ** 2), "entropy"),
    Mistake("exchanged", lambda *a: _losses()(*a)[::-1], "results"),
    Mistake("the sum of both", lambda *a: sum(_losses()(*a)), "results"),
)  # fmt: skip
