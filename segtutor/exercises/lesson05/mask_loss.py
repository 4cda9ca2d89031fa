"""Exercise 5.11: the loss of the mask branch."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.mask_loss_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def mask_loss(logits, targets, labels):
    """Mean sigmoid cross entropy of R x M x M targets with the R x K x M x M logits, in the channel of labels (R)."""
    raise NotImplementedError("Write mask_loss() here, then run this cell again.")
'''


def mask_loss(logits: np.ndarray, targets: np.ndarray, labels: np.ndarray) -> float:
    """Mean sigmoid cross entropy of R x M x M targets with the R x K x M x M logits, in the channel of labels (R)."""
    if len(labels) == 0:
        return 0.0
    chosen = logits[np.arange(len(labels)), labels]
    return float(np.mean(np.maximum(chosen, 0) - chosen * targets + np.log1p(np.exp(-np.abs(chosen)))))


def _with_torch(logits, targets, labels):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    logits, targets, labels = (torch.from_numpy(value) for value in (logits, targets, labels))
    chosen = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(chosen, targets, reduction="sum") / max(1, targets.numel())


def _with_loops(logits, targets, labels):  # type: ignore[no-untyped-def]
    import math

    total, count = 0.0, 0
    for number, label in enumerate(labels.tolist()):
        for x, t in zip(logits[number, label].ravel().tolist(), targets[number].ravel().tolist(), strict=True):
            toward = x if t >= 0.5 else -x  # targets are 0 or 1
            total += math.log1p(math.exp(-toward)) if toward > 0 else math.log1p(math.exp(toward)) - toward
            count += 1
    return total / max(1, count)


def _with_logaddexp(logits, targets, labels):  # type: ignore[no-untyped-def]
    chosen = np.array([of_region[label] for of_region, label in zip(logits, labels, strict=True)])
    loss = targets * np.logaddexp(0, -chosen) + (1 - targets) * np.logaddexp(0, chosen) if len(labels) else np.zeros(1)
    return loss.mean()


def _region(seed: int, regions: int, classes: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = seeded(seed)
    logits = generator.normal(0, 3, (regions, classes, side, side)).round(2)
    return (
        logits,
        (generator.random((regions, side, side)) < 0.4).astype(float),
        generator.integers(1, classes, regions),
    )


def _logits(*channels: float) -> np.ndarray:
    """One region of 1 x 1, a channel for each number."""
    return np.array(channels, dtype=float).reshape(1, -1, 1, 1)


_ONE = np.ones((1, 1, 1))
_ZERO = np.zeros((1, 1, 1))


EXERCISE = Exercise(
    id="5.11",
    title="The mask loss",
    name="mask_loss",
    statement="""
The mask branch has a channel for every class (K channels with the background, number 0), and the classes do not
compete for a pixel: each channel has its own sigmoid. **Only the channel of the true class is asked**; the others get
no gradient. Write `mask_loss(logits, targets, labels)` with R x K x M x M logits, R x M x M targets of 0 and 1 and R
class numbers (1 ... K - 1):

$$L = \\frac{1}{R M^2} \\sum_{r, i, j} -t \\log \\sigma(x) - (1 - t) \\log(1 - \\sigma(x)),
\\qquad x = \\mathrm{logits}[r, \\mathrm{label}_r, i, j]$$

$\\sigma$ is the sigmoid. Logits may be as large as 1000, and the loss must still be right: do not take the logarithm of
a sigmoid that has become 0. Without any region the loss is 0.
""",
    stub=STUB,
    reference=mask_loss,
    cases=(
        Case("logit 0: probability one half", (_logits(5, 0, -5), _ONE, np.array([1])), float(np.log(2))),
        Case(
            "only class 2 counts",
            (np.array([[[[9.0]], [[-9.0]], [[0.0]]]]), _ZERO, np.array([2])),
            float(np.log(2)),
            "class two",
        ),
        Case(
            "two regions of different classes",
            (np.array([[9.0, 0, -9], [7, -7, 0]]).reshape(2, 3, 1, 1), np.array([[[1.0]], [[0.0]]]), np.array([1, 2])),
            float(np.log(2)),
            "own class",
        ),
        Case(
            "sigmoid 0.8, inside and outside",
            (
                np.log(4) * np.array([[[[0.0, 0.0]], [[1.0, 1.0]]]]).repeat(2, axis=2),
                np.array([[[1.0, 0.0], [1.0, 0.0]]]),
                np.array([1]),
            ),
            float(-(np.log(0.8) + np.log(0.2)) / 2),
            "both terms",
        ),
        Case(
            "logits of 1000 beside one of 1.5",
            (
                np.array([[[[0.0, 0, 0, 0]], [[1000.0, 1.5, -1000.0, 60.0]]]]).repeat(4, axis=2),
                np.array([[[1.0, 1, 0, 0]]]).repeat(4, axis=1),
                np.array([1]),
            ),
            float((np.log1p(np.exp(-1.5)) + 60) / 4),
            "overflow",
        ),
        Case("a logit of 1000 where 0 is right", (_logits(0, 1000), _ZERO, np.array([1])), 1000.0, "overflow"),
        Case("a logit of -1000 where 1 is right", (_logits(0, -1000), _ONE, np.array([1])), 1000.0, "overflow"),
        Case(
            "no region",
            (np.zeros((0, 3, 2, 2)), np.zeros((0, 2, 2)), np.zeros(0, dtype=np.int64)),
            0.0,
            "no region",
        ),
        Case("5 regions, 4 classes", _region(0, 5, 4, 6)),
        Case("3 regions, 7 classes", _region(1, 3, 7, 8)),
    ),
    hints={
        "general": Hint(
            "First choose for each region the channel of its class: R x M x M; then one formula for all pixels.",
            "Two arrays of numbers choose one channel for each region. Rewrite the loss of a pixel so that exp never "
            "meets a large number: for large x, log(1 + exp(x)) is x and something small. What is this something?",
        ),
        "channel": Hint(
            "Only the channel of the true class is asked; the labels are numbers of channels as they are.",
            "logits[np.arange(R), labels].",
        ),
        "other channels": Hint(
            "The channels of the other classes enter the loss. They should learn nothing here.",
            "Choose the channel of the label first, then compute the loss of that one.",
        ),
        "softmax": Hint(
            "The classes compete in a softmax. In Mask R-CNN each has its own sigmoid.",
            "Use the sigmoid of a single channel.",
        ),
        "formula": Hint(
            "The loss of a pixel is the cross entropy of sigmoid and target, with the natural logarithm and both "
            "terms.",
            "max(x, 0) - x t + log(1 + exp(-|x|)) is -t log s - (1 - t) log(1 - s).",
        ),
        "target": Hint("Inside and outside are exchanged.", "-t log s: where t is 1, s should be large."),
        "overflow": Hint(
            "With large logits the sigmoid is exactly 0 or 1, and its logarithm infinite; nothing may be cut off "
            "either.",
            "max(x, 0) - x t + np.log1p(np.exp(-np.abs(x))) never takes the logarithm of 0.",
        ),
        "mean": Hint("The loss is one number, the mean over all pixels of all regions.", "Divide by R * M * M."),
        "class two": Hint(
            "The true class is 2, and its logit is 0. The logits 9 and -9 of the other channels must not matter.",
            "logits[np.arange(R), labels].",
        ),
        "own class": Hint(
            "Each region has a class of its own: here 1 for the first and 2 for the second.",
            "logits[np.arange(R), labels] takes one channel for each region; logits[:, labels] takes all for all.",
        ),
        "both terms": Hint(
            "The sigmoid is 0.8 at all four pixels; two targets are 1 and two are 0, which cost -log 0.8 and -log 0.2.",
            "-t log s - (1 - t) log(1 - s), averaged.",
        ),
        "sign": Hint("A loss is not negative: minus the logarithms.", "-t log s - (1 - t) log(1 - s)."),
        "rounded": Hint("The loss is not rounded.", "Return the mean as it is."),
        "no region": Hint(
            "Without regions the loss is 0. The mean of nothing is NaN, and it would spoil all weights.",
            "If len(labels) == 0, return 0.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_torch, _with_loops, _with_logaddexp),
    points=3,
    minutes=15,
    difficulty=2,
)
