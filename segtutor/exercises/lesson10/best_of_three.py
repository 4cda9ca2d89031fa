"""Exercise 10.3: of several answers only the best one learns."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson10.best_of_three_mistakes import MISTAKES
from segtutor.exercises.lesson10.inputs import answers

STUB = '''
def best_of_three(logits, targets):
    """R numbers of the best masks, and the mean of their losses; logits R x m x P, targets R x P of 0 and 1."""
    raise NotImplementedError("Write best_of_three() here, then run this cell again.")
'''


def best_of_three(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, float]:
    """R numbers of the best masks, and the mean of their losses; logits R x m x P, targets R x P of 0 and 1."""
    wanted = targets[:, None]
    entropy = np.logaddexp(0, logits) - logits * wanted  # -log of the probability of what is true
    focal = ((1 - np.exp(-entropy)) ** 2 * entropy).mean(axis=2)
    inside = 1 / (1 + np.exp(-logits))
    dice = 1 - (2 * (inside * wanted).sum(axis=2) + 1) / (inside.sum(axis=2) + wanted.sum(axis=2) + 1)
    losses = 20 * focal + dice
    return losses.argmin(axis=1), float(losses.min(axis=1).mean())


def _prompt_by_prompt(logits, targets):  # type: ignore[no-untyped-def]
    best, total = [], 0.0
    for masks, target in zip(logits, targets, strict=True):
        losses = []
        for mask in masks:
            p = 1 / (1 + np.exp(-mask))
            toward = np.where(target > 0, mask, -mask)  # how far on the right side
            focal = np.mean((1 / (1 + np.exp(toward))) ** 2 * np.logaddexp(0, -toward))
            dice = 1 - (2 * np.sum(p * target) + 1) / (np.sum(p) + np.sum(target) + 1)
            losses.append(20 * focal + dice)
        best.append(int(np.argmin(losses)))
        total += min(losses)
    return best, total / len(logits)


def _with_the_package(logits, targets):  # type: ignore[no-untyped-def]
    import torch

    from segtutor.models.sam.losses import mask_terms

    masks, wanted = torch.as_tensor(logits)[..., None, :], torch.as_tensor(targets)[:, None]
    focal, dice = mask_terms(masks, wanted, torch.ones_like(wanted))
    least = (20 * focal + dice).min(dim=1)
    return least.indices, least.values.mean()


def _with_torch(logits, targets):  # type: ignore[no-untyped-def]
    import torch

    z = torch.as_tensor(logits, dtype=torch.float64)
    y = torch.as_tensor(targets, dtype=torch.float64)[:, None].expand_as(z)
    p = z.sigmoid()
    wrong = torch.where(y > 0, 1 - p, p)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    dice = 1 - (2 * torch.einsum("rmp,rmp->rm", p, y) + 1) / (p.sum(-1) + y.sum(-1) + 1)
    losses = 20 * (wrong.square() * entropy).mean(-1) + dice
    order = losses.argsort(dim=1)[:, :1]
    return order[:, 0], losses.gather(1, order).mean()


def _even(logits: list[list[list[float]]], targets: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(logits, dtype=float), np.array(targets, dtype=float)


# All logits 0: p = 1/2, entropy log 2, focal log 2 / 4; of two pixels one inside: Dice 1 - (2 / 2 + 1) / (1 + 1 + 1)
_ZERO = 5 * np.log(2) + 1 / 3
EXERCISE = Exercise(
    id="10.3",
    title="The best of three learns",
    name="best_of_three",
    statement="""
A click may mean several things, and SAM answers with m masks. In training only **one** thing was meant, and only the
mask that comes closest to it shall learn. Write `best_of_three(logits, targets)`. `logits` are R x m x P: R prompts,
m masks each, P pixels. `targets` are R x P of 0 and 1. The loss of a mask is

$$ L = 20\\, F + D, \\qquad F = \\frac1P \\sum_i (1 - t_i)^2 (-\\log t_i), \\qquad
D = 1 - \\frac{2 \\sum_i p_i y_i + 1}{\\sum_i p_i + \\sum_i y_i + 1}. $$

p is the sigmoid of the logits, y the target, and t the probability of what is true: p inside, 1 − p outside. F is the
*focal loss*: a pixel that is nearly right hardly counts.

Return R whole numbers, which mask has the least loss for each prompt (from 0; the first of equals), and the mean of
these R least losses. Logits reach from −60 to 60.
""",
    stub=STUB,
    reference=best_of_three,
    cases=(
        Case("one prompt, one mask, logits 0", _even([[[0, 0]]], [[1, 0]]), (np.array([0]), _ZERO)),
        Case(
            "three masks alike",
            _even([[[0, 0], [0, 0], [0, 0]]], [[1, 0]]),
            (np.array([0]), _ZERO),
        ),
        # the second mask is right, and nothing is left but Dice: 1 - (2 + 1) / (1 + 1 + 1) = 0
        Case("the second is right", _even([[[0, 0], [60, -60]]], [[1, 0]]), (np.array([1]), 0.0), "best"),
        # each prompt has another best mask; means over prompts would make all masks equal
        Case(
            "every prompt has a best of its own",
            _even([[[60, -60], [0, 0]], [[0, 0], [60, -60]]], [[1, 0], [1, 0]]),
            (np.array([0, 1]), 0.0),
            "prompt",
        ),
        Case(
            "each term alone would choose another",
            _even(
                [[[0, -2, 3, -3, -1, -3], [-2, -3, 0, 0, -1, -1], [0, 2, -1, -1, -2, 0]]],
                [[1, 0, 0, 0, 0, 0]],
            ),
            hint="best",
        ),
        Case("4 prompts, 3 masks, 12 pixels", answers(0, 4, 3, 12)),
        Case("1 prompt, 3 masks, 40 pixels", answers(1, 1, 3, 40)),
        Case("6 prompts, 2 masks, 5 pixels", answers(2, 6, 2, 5)),
        Case("9 prompts, 3 masks, 7 pixels", answers(3, 9, 3, 7)),
        Case("20 prompts, 4 masks, 30 pixels", answers(4, 20, 4, 30)),
        Case("a mask of nothing", _even([[[-5, -6, -4]]], [[0, 0, 0]])),
        Case(
            "sure and wrong",
            _even([[[60, 0, -60], [-60, 0, 0]]], [[0, 1, 0]]),
            hint="focal",
        ),
    ),
    hints={
        "general": Hint(
            "A table of R x m losses first; then one choice for each row.",
            "Focal loss: a mean over the pixels. Dice: sums over the pixels. Add them with their weights, take the "
            "least of each row, and only then the mean over the prompts.",
        ),
        "prompt": Hint(
            "Every prompt has a best mask of its own.",
            "First the minimum over the masks, then the mean over the prompts.",
        ),
        "best": Hint(
            "Only the best mask counts, and it is the same mask for both terms.",
            "Add both terms before you take the minimum over the masks.",
        ),
        "weights": Hint("The focal loss counts 20 times, the Dice loss once.", "20 F + D."),
        "focal": Hint(
            "Focal loss is the cross entropy of each pixel, times the square of the probability that was *missing*.",
            "(1 - t)² times -log t for each pixel, and the mean over all pixels; with large logits take the logarithm "
            "from the logits.",
        ),
        "dice": Hint(
            "The Dice loss adds 1 above and below, and is taken mask by mask.",
            "Three sums over the pixels of one mask: of p y, of p and of y.",
        ),
        "results": Hint("Two results are wanted: R numbers of masks, and one loss.", "The numbers first."),
    },
    mistakes=MISTAKES,
    alternatives=(_prompt_by_prompt, _with_the_package, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)  # fmt: skip
