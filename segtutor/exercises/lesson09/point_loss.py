"""Exercise 9.4: the loss of matched masks at their points."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson09.point_loss_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def point_loss(logits, wanted, known, count):
    """Cross entropy and Dice loss of R matched masks at P points each, over `count` objects: two numbers."""
    raise NotImplementedError("Write point_loss() here, then run this cell again.")
'''


def point_loss(logits: np.ndarray, wanted: np.ndarray, known: np.ndarray, count: int) -> tuple[float, float]:
    """Cross entropy and Dice loss of R matched masks at P points each, over `count` objects: two numbers."""
    entropy = np.logaddexp(0, logits) - logits * wanted
    entropy = (entropy * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    probability, wanted = known / (1 + np.exp(-logits)), wanted * known
    dice = 1 - (2 * (probability * wanted).sum(axis=1) + 1) / (probability.sum(axis=1) + wanted.sum(axis=1) + 1)
    return float(entropy.sum() / max(count, 1)), float(dice.sum() / max(count, 1))


def _with_loops(logits, wanted, known, count):  # type: ignore[no-untyped-def]
    import math

    entropies, dices = 0.0, 0.0
    for row, truth, seen in zip(logits, wanted, known, strict=True):
        kept = [(1 / (1 + math.exp(-a)), b) for a, b, c in zip(row, truth, seen, strict=True) if c]
        if kept:
            entropies -= sum(math.log(p if b else 1 - p) for p, b in kept) / len(kept)
        shared, both = sum(p * b for p, b in kept), sum(p + b for p, b in kept)
        dices += 1 - (2 * shared + 1) / (both + 1)
    return entropies / max(count, 1), dices / max(count, 1)


def _with_torch(logits, wanted, known, count):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    logits, wanted, known = (torch.as_tensor(np.asarray(one, dtype=float)) for one in (logits, wanted, known))
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, weight=known, reduction="none").sum(1)
    p, t = logits.sigmoid() * known, wanted * known
    dice = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    number = max(count, 1)
    return (entropy / known.sum(1).clamp_min(1)).sum() / number, dice.sum() / number


def _row_by_row(logits, wanted, known, count):  # type: ignore[no-untyped-def]
    results = []
    for row in range(len(logits)):
        seen = np.asarray(known[row]) > 0
        z, t = logits[row][seen], wanted[row][seen]
        p = 1 / (1 + np.exp(-z))
        entropy = -np.where(t > 0, np.log(p), np.log1p(-p)).mean() if seen.any() else 0.0
        results.append((entropy, 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)))
    total = np.sum(results, axis=0) if results else np.zeros(2)
    return tuple(total / max(count, 1))


def _random(seed: int, masks: int, points: int, count: int):  # type: ignore[no-untyped-def]
    generator = seeded(seed)
    return (
        np.round(generator.normal(0, 2, (masks, points)), 2),
        (generator.random((masks, points)) < 0.4).astype(float),
        (generator.random((masks, points)) < 0.8).astype(float),
        count,
    )


_ONES = np.ones((1, 2))
EXERCISE = Exercise(
    id="9.4",
    title="The loss of the masks",
    name="point_loss",
    statement="""
Queries are matched, and each matched mask was read at P points. Write `point_loss(logits, wanted, known, count)`.
`logits` are the mask logits of R pairs, R x P; `wanted` the objects at the same points, R x P of 0 and 1; `known` is 1
where a point may count and 0 where it lies in void. Return two numbers:

- **cross entropy**: per mask the mean over its known points (0 if it has none),
- **Dice loss**: per mask $1 - \\frac{2 \\sum m o + 1}{\\sum m + \\sum o + 1}$ with sums over its known points, m the
  sigmoid of the logits and o what is wanted,

each added up over the R masks and divided by `count`. This is the number of objects in the *whole batch*, of which
these masks may be a part. So a mask counts the same wherever it stands. If `count` is 0, divide by 1.
""",
    stub=STUB,
    reference=point_loss,
    cases=(
        Case(
            "two points that know nothing", (np.zeros((1, 2)), np.array([[1.0, 0.0]]), _ONES, 1), (np.log(2), 1 - 2 / 3)
        ),
        Case(
            "the second point is void",
            (np.array([[0.0, 50.0]]), np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]), 1),
            (np.log(2), 1 - 2 / 2.5),
            "void",
        ),
        Case("everything is void", (np.array([[3.0, -3.0]]), _ONES, np.zeros((1, 2)), 1), (0.0, 0.0), "all void"),
        Case(
            "two masks of a batch with four objects",
            (np.zeros((2, 2)), np.array([[1.0, 0.0], [1.0, 1.0]]), np.ones((2, 2)), 4),
            (2 * np.log(2) / 4, (1 / 3 + 1 / 4) / 4),
            "count",
        ),
        Case("no objects in the batch", (np.zeros((0, 5)), np.zeros((0, 5)), np.zeros((0, 5)), 0), (0.0, 0.0), "count"),
        Case(
            "a mask without a single wanted point",
            (np.full((1, 4), -20.0), np.zeros((1, 4)), np.ones((1, 4)), 1),
            (np.log1p(np.exp(-20)), 1 - 1 / (4 / (1 + np.exp(20)) + 1)),
            "dice",
        ),
        Case(
            "void under the object",
            (np.array([[0.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0]]), 1),
            (np.log(2), 1 - 2 / 3),
            "void",
        ),
        Case("3 masks, 10 points", _random(0, 3, 10, 3)),
        Case("5 masks, 40 points, 12 objects", _random(1, 5, 40, 12)),
        Case("1 mask, 1 point", _random(2, 1, 1, 2)),
    ),
    hints={
        "general": Hint(
            "Everything per mask first, R numbers for each loss; then one sum and one division.",
            "Multiply by what is known before you add over points. The cross entropy is divided by the number of known "
            "points of its mask. The Dice loss is a fraction of sums already.",
        ),
        "void": Hint(
            "Void points count neither in the sums nor in the number of points, and neither for masks nor for objects.",
            "Multiply the cross entropy, the probabilities and the wanted values by known; divide by the known points.",
        ),
        "all void": Hint("A mask without a known point has a loss of 0, not 0 / 0.", "Divide by at least 1."),
        "count": Hint(
            "The sums are divided by `count`, the objects of the whole batch, and not by R. If that is 0, by 1.",
            "Sum over the masks, then divide by the larger of count and 1.",
        ),
        "entropy": Hint(
            "Cross entropy: -log m where 1 is wanted, -log(1 - m) where 0 is; per mask the mean over the known points.",
            "The sigmoid turns a logit into m. Both kinds of points count.",
        ),
        "dice": Hint(
            "Dice loss: one minus twice the shared sum, plus 1, over the sum of both, plus 1; per mask.",
            "The ones stand in numerator and denominator, and m is a probability.",
        ),
        "two": Hint("Two numbers are wanted: cross entropy first, then Dice.", "Return both, in this order."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _row_by_row),
    points=4,
    minutes=15,
    difficulty=2,
)
