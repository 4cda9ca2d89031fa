"""Exercise 5.12: the two losses of the region proposal network."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.rpn_loss_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def rpn_losses(logits, offsets, targets, matches, beta):
    """Objectness loss and box loss of R anchors: sigmoid cross entropy, smooth L1; both over all that are counted."""
    raise NotImplementedError("Write rpn_losses() here, then run this cell again.")
'''


def rpn_losses(
    logits: np.ndarray, offsets: np.ndarray, targets: np.ndarray, matches: np.ndarray, beta: float
) -> tuple[float, float]:
    """Objectness loss and box loss of R anchors: sigmoid cross entropy, smooth L1; both over all that are counted."""
    counted, positive = matches != -2, matches >= 0
    if not counted.any():
        return 0.0, 0.0
    x, wanted = logits[counted], positive[counted]
    objectness = np.maximum(x, 0) - x * wanted + np.log1p(np.exp(-np.abs(x)))
    distance = np.abs(offsets[positive] - targets[positive])
    smooth = np.where(distance < beta, distance**2 / (2 * beta), distance - beta / 2)
    return float(objectness.mean()), float(smooth.sum() / counted.sum())


def _with_loops(logits, offsets, targets, matches, beta):  # type: ignore[no-untyped-def]
    import math

    objectness, boxes, count = 0.0, 0.0, 0
    for x, own, wanted, match in zip(logits.tolist(), offsets, targets, matches, strict=True):
        if match == -2:
            continue
        count += 1
        if match >= 0:
            objectness += max(-x, 0.0) + math.log1p(math.exp(-abs(x)))
            for difference in abs(own - wanted):
                boxes += difference**2 / (2 * beta) if difference <= beta else difference - beta / 2
        else:
            objectness += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    return [objectness / max(count, 1), boxes / max(count, 1)]


def _with_torch(logits, offsets, targets, matches, beta):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    logits, offsets, targets, matches = (torch.from_numpy(one) for one in (logits, offsets, targets, matches))
    counted, positive = matches >= -1, matches >= 0
    if not counted.any():
        return 0, 0
    wanted = positive.to(logits.dtype)
    objectness = F.binary_cross_entropy_with_logits(logits, wanted, weight=counted.to(logits.dtype), reduction="sum")
    boxes = F.smooth_l1_loss(offsets[positive], targets[positive], reduction="sum", beta=beta)
    return objectness / counted.sum(), boxes / counted.sum()


def _by_clipping(logits, offsets, targets, matches, beta):  # type: ignore[no-untyped-def]
    """Smooth L1 as the integral of a clipped slope; the cross entropy with logaddexp."""
    keep = matches > -2
    count = max(int(keep.sum()), 1)
    sign = np.where(matches >= 0, -1.0, 1.0)
    objectness = np.logaddexp(0, sign * logits)[keep].sum() / count
    distance = abs(offsets - targets)[matches >= 0]
    near = np.clip(distance, None, beta)
    return objectness, (near * (distance - near / 2)).sum() / beta / count


def _given(seed: int, count: int, beta: float, scale: float = 1.0) -> tuple[Any, ...]:
    generator = seeded(seed)
    targets = generator.normal(0, 0.3, (count, 4))
    return (
        generator.normal(0, 3 * scale, count),
        targets + generator.normal(0, 0.3, (count, 4)),
        targets,
        generator.choice([-2, -1, -1, 0, 1], count),
        beta,
    )


def _anchors(*anchors: tuple[float, tuple[float, ...], tuple[float, ...], int], beta: float = 1.0) -> tuple[Any, ...]:
    """Anchors as (logit, offsets, targets, match)."""
    logits, offsets, targets, matches = zip(*anchors, strict=True)
    return np.array(logits, float), np.array(offsets, float), np.array(targets, float), np.array(matches), beta


_ZERO, _LOG2 = (0.0, 0, 0, 0), float(np.log(2))
_STEPS = (0.5, 0, 0, 3)
"""Differences of 0.5 and 3: with beta 1 they cost 0.125 and 2.5."""


EXERCISE = Exercise(
    id="5.12",
    title="The losses of the proposals",
    name="rpn_losses",
    statement=r"""
The region proposal network learns two things at once: which anchors are at an object, and how to get from the anchor to
its box. You have the matches (5.4) and the offsets (5.5); what is missing are the two losses.

`logits` holds one number x per anchor (R), whose sigmoid is the probability of an object. `offsets` and `targets` are
R x 4: what the network predicts, and what `encode_boxes` wants (only the rows of positive anchors mean anything).
`matches` holds R numbers as `match_anchors` gives them: an object's number from 0 on, -1 for background, -2 for
ignored. Let $N$ be the number of all anchors that are **not ignored**, and $t$ be 1 on positive ones and 0 on
background.

$$L_\mathrm{object} = \frac1N \sum_{\text{not ignored}} -t \log \sigma(x) - (1 - t) \log(1 - \sigma(x)), \qquad
L_\mathrm{anchor} = \frac1N \sum_{\text{positive}} \; \sum_{i=1}^{4}
\mathrm{smooth}(|\mathrm{offset}_i - \mathrm{target}_i|)$$

$$\mathrm{smooth}(d) = \begin{cases} d^2 / (2\beta) & \text{if } d < \beta \\ d - \beta / 2 & \text{else} \end{cases}$$

Near 0 this *smooth L1* is a parabola, so that its slope fades out; far away it is a straight line, so that one wild box
does not outweigh all others. Mind the divisor: it is $N$ in both losses.

Write `rpn_losses(logits, offsets, targets, matches, beta)` with NumPy, PyTorch or loops, and return both numbers.
Logits may be as large as 1000. If all anchors are ignored, both losses are 0.
""",
    stub=STUB,
    reference=rpn_losses,
    cases=(
        Case("one background anchor, undecided", _anchors((0, _ZERO, _ZERO, -1)), (_LOG2, 0.0)),
        Case("one positive anchor, undecided, a perfect box", _anchors((0, _ZERO, _ZERO, 0)), (_LOG2, 0.0)),
        Case("differences of 0.5 and 3 with beta 1", _anchors((0, _STEPS, _ZERO, 4)), (_LOG2, 2.625), "smooth"),
        Case("with beta 0.5", _anchors((0, _STEPS, _ZERO, 4), beta=0.5), (_LOG2, 3.0), "beta"),
        Case(
            "a positive and three of background: the divisor is 4",
            _anchors((0, _STEPS, _ZERO, 0), *[(0, _STEPS, _ZERO, -1)] * 3),
            (_LOG2, 2.625 / 4),
            "divisor",
        ),
        Case(
            "an ignored one counts nowhere",
            _anchors((0, _STEPS, _ZERO, 0), (50, _STEPS, _ZERO, -2)),
            (_LOG2, 2.625),
            "ignored",
        ),
        Case("object 0 is an object", _anchors((0, _STEPS, _ZERO, 0), (0, _ZERO, _ZERO, 1)), (_LOG2, 1.3125), "zero"),
        Case("offsets less than their targets", _anchors((0, _ZERO, _STEPS, 0)), (_LOG2, 2.625), "distance"),
        Case("background alone: no box loss", _anchors((0, _STEPS, _ZERO, -1), (0, _STEPS, _ZERO, -1)), (_LOG2, 0.0)),
        Case("all ignored", _anchors((9, _STEPS, _ZERO, -2), (1, _ZERO, _ZERO, -2)), (0.0, 0.0), "none"),
        Case("logits of 1000, both right", _anchors((1000, _ZERO, _ZERO, 0), (-1000, _ZERO, _ZERO, -1)), (0.0, 0.0),
             "large"),
        Case("logits of 1000, both wrong", _anchors((-1000, _ZERO, _ZERO, 0), (1000, _ZERO, _ZERO, -1)), (1000.0, 0.0),
             "large"),
        Case("forty anchors, beta 1/9", _given(1, 40, 1 / 9)),
        Case("sixty anchors, beta 0.3", _given(2, 60, 0.3)),
        Case("four hundred anchors", _given(4, 400, 0.5)),
        Case("sure of itself, beta 2", _given(3, 30, 2.0, 4.0)),
    ),
    hints={
        "general": Hint(
            "Two losses over two sets of anchors: the first asks positive ones and background, the second positive "
            "ones alone. Both are divided by the number of those in the first set.",
            "Make one truth value per anchor for each set, and choose with it. The cross entropy is that of 5.11, with "
            "t from the matches. Decide each of the four distances by itself between parabola and line, and add up.",
        ),
        "divisor": Hint(
            "Both sums are divided by the number of anchors that are not ignored, the box loss, too; its four numbers "
            "are added up, not averaged.",
            "smooth.sum() / counted.sum().",
        ),
        "ignored": Hint(
            "An ignored anchor, -2, is in neither sum nor divisor.", "counted = matches != -2."
        ),
        "positive": Hint(
            "The box loss asks positive anchors alone: background has no box to go to.", "positive = matches >= 0."
        ),
        "zero": Hint("Objects are numbered from 0 on: 0 is positive, and so are 1, 2, 3.", "matches >= 0, not > 0."),
        "smooth": Hint(
            "The line is set off by beta / 2, so that it goes on where the parabola ends, without a step.",
            "np.where(d < beta, d**2 / (2 * beta), d - beta / 2).",
        ),
        "beta": Hint("Beta is an argument, and stands in both halves.", "d**2 / (2 * beta), and d - beta / 2."),
        "distance": Hint("What counts is the distance, without a sign.", "np.abs(offsets - targets)."),
        "large": Hint(
            "Logits of 1000 overflow exp, or make log(0). Rewrite the loss as in 5.11.",
            "np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))).",
        ),
        "none": Hint("If all anchors are ignored there is nothing to divide by: both losses are 0.", "Ask first."),
        "entropy": Hint(
            "The first loss is the sigmoid cross entropy of logits: t is 1 on positive anchors, 0 on background.",
            "max(x, 0) - x t + log(1 + exp(-|x|)), its mean.",
        ),
        "results": Hint("Two numbers: first the objectness, then the boxes.", "return objectness, boxes."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _by_clipping),
    points=4,
    minutes=20,
    difficulty=2,
)  # fmt: skip
