"""Exercise 10.4: how good a map of logits is, beside a mask from a file."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson10.inputs import file_of_a_mask
from segtutor.exercises.lesson10.logit_iou_mistakes import MISTAKES

STUB = '''
def logit_iou(logits, target, known):
    """IoU, m numbers, of maps of logits m x H x W with the `target` of 0 and 255, where pixels are `known`."""
    raise NotImplementedError("Write logit_iou() here, then run this cell again.")
'''


def logit_iou(logits: np.ndarray, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """IoU, m numbers, of maps of logits m x H x W with the `target` of 0 and 255, where pixels are `known`."""
    found, wanted = (logits > 0) & known, (target > 0) & known
    common = (found & wanted).sum(axis=(1, 2))
    either = (found | wanted).sum(axis=(1, 2))
    return np.where(either > 0, common / np.maximum(either, 1), 1.0)


def _mask_by_mask(logits, target, known):  # type: ignore[no-untyped-def]
    values = []
    for one in logits:
        found, wanted = (one > 0)[known], (target == 255)[known]
        either = (found | wanted).sum()
        values.append((found & wanted).sum() / either if either else 1)
    return np.array(values, dtype=float)


def _with_torch(logits, target, known):  # type: ignore[no-untyped-def]
    import torch

    flat = torch.as_tensor(known).flatten()
    found = torch.as_tensor(logits).sigmoid().flatten(1)[:, flat] > 0.5
    wanted = torch.as_tensor(target).flatten()[flat] // 255
    common = found.double() @ wanted.double()
    either = found.sum(1) + wanted.sum() - common
    return torch.where(either == 0, torch.ones_like(either), common / either)


def _with_counts(logits, target, known):  # type: ignore[no-untyped-def]
    pairs = 2 * (target[known] > 127) + (logits[:, known] > 0)
    counts = np.array([np.bincount(row, minlength=4) for row in pairs]).reshape(-1, 4)
    errors = counts[:, 1] + counts[:, 2]
    return [
        1.0 if hits + wrong == 0 else hits / (hits + wrong) for hits, wrong in zip(counts[:, 3], errors, strict=True)
    ]


_ALL = np.ones((1, 4), dtype=bool)
EXERCISE = Exercise(
    id="10.4",
    title="IoU of a map of logits",
    name="logit_iou",
    statement="""
Write `logit_iou(logits, target, known)`, which scores m answers to a click at once. `logits` are m x H x W, as the
network gives them. `target` is a mask as it comes out of a PNG: H x W whole numbers, 0 outside and 255 inside. `known`
is H x W, True where a pixel counts; void counts nowhere.

A pixel is inside an answer if its logit is **above 0**. Return m numbers, the IoU of each answer with the target. If
neither holds a known pixel, they agree, and the IoU is 1.
""",
    stub=STUB,
    reference=logit_iou,
    cases=(
        # found 2 (0.3, 2.0), wanted 3 (first three), common 2
        Case(
            "logits between 0 and 1 are inside",
            (np.array([[[0.3, 2.0, -0.1, -5.0]]]), np.array([[255, 255, 255, 0]]), _ALL),
            np.array([2 / 3]),
            "threshold",
        ),
        Case(
            "a logit of 0 is outside",
            (np.array([[[0.0, 1.0, -1.0, -1.0]]]), np.array([[0, 255, 0, 0]]), _ALL),
            np.array([1.0]),
            "threshold",
        ),
        Case(
            "void counts nowhere",
            (
                np.array([[[1.0, 1.0, 1.0, -1.0]], [[1.0, -1.0, -1.0, -1.0]]]),
                np.array([[255, 0, 255, 255]]),
                np.array([[True, True, False, False]]),
            ),
            np.array([0.5, 1.0]),
            "void",
        ),
        Case(
            "neither holds a pixel",
            (np.array([[[-1.0, -2.0, -1.0, -3.0]], [[-1.0, 2.0, -1.0, -3.0]]]), np.zeros((1, 4), dtype=int), _ALL),
            np.array([1.0, 0.0]),
            "empty",
        ),
        Case("3 answers, 4 x 6", file_of_a_mask(0, 3, (4, 6))),
        Case("1 answer, 7 x 5", file_of_a_mask(1, 1, (7, 5))),
        Case("4 answers, 10 x 10", file_of_a_mask(2, 4, (10, 10))),
        Case("3 answers, 2 x 30", file_of_a_mask(3, 3, (2, 30))),
    ),
    hints={
        "general": Hint(
            "Three masks of True and False: found, wanted, known. The rest is counting.",
            "Inside both and known, divided by inside either and known; one quotient for each answer.",
        ),
        "threshold": Hint(
            "These are logits, not probabilities: a probability of one half is a logit of 0.",
            "Inside is logit > 0; at 0.5 the masks would be too small, at >= 0 a doubtful pixel would be in.",
        ),
        "file": Hint(
            "A mask in a file says 255 where it is True.",
            "Compare the target with 0 before you count or multiply.",
        ),
        "void": Hint(
            "Void must be left out above and below, of what was found and of what is wanted.",
            "Combine both masks with known before you count.",
        ),
        "empty": Hint("Nothing found where nothing is: that is right.", "1 where the union is empty."),
        "measure": Hint(
            "The IoU is the intersection by the *union*.", "A pixel in both masks counts once in the union."
        ),
        "each": Hint("One number for each answer is wanted.", "Sum over rows and columns, not over the answers."),
    },
    mistakes=MISTAKES,
    alternatives=(_mask_by_mask, _with_torch, _with_counts),
    points=3,
    minutes=15,
    difficulty=1,
)
