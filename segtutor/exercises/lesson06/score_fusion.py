"""Exercise 6.9: how DeepLab v2 joins its branches and its scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map
from segtutor.exercises.lesson06.score_fusion_mistakes import MISTAKES

STUB = '''
def fuse_scores(scores):
    """Scores per scale, each R x B x K x h x w: the sum over the R branches, the largest over the scales."""
    raise NotImplementedError("Write fuse_scores() here, then run this cell again.")
'''


def fuse_scores(scores: Sequence[Any]) -> Any:
    """Scores per scale, each R x B x K x h x w: the sum over the R branches, the largest over the scales."""
    summed = [torch.as_tensor(branches).sum(dim=0) for branches in scores]
    size = summed[0].shape[-2:]
    resized = [F.interpolate(one, size=size, mode="bilinear", align_corners=True) for one in summed]
    return torch.stack(resized).amax(dim=0)


def _one_after_the_other(scores):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    best = None
    for branches in scores:
        total = torch.zeros(branches[0].shape)
        for branch in branches:
            total = total + torch.as_tensor(branch)
        if best is None:
            best, upsample = total, nn.Upsample(size=total.shape[-2:], mode="bilinear", align_corners=True)
        else:
            best = torch.maximum(best, upsample(total))
    return best


def _resized_first(scores):  # type: ignore[no-untyped-def]
    """Interpolation is linear: each branch may be resized before the sum."""
    import torch
    from torch.nn import functional as F

    size = scores[0].shape[-2:]
    totals = []
    for branches in scores:
        large = [F.interpolate(torch.as_tensor(one), size, mode="bilinear", align_corners=True) for one in branches]
        totals.append(sum(large).numpy())
    return np.max(totals, axis=0)


def _with_matrices(scores):  # type: ignore[no-untyped-def]
    def along(count, length):  # type: ignore[no-untyped-def]
        places = np.linspace(0, count - 1, length)
        return np.maximum(1 - abs(places[:, None] - np.arange(count)), 0)

    height, width = scores[0].shape[-2:]
    resized = [
        np.einsum("hi,rbkij,wj->bkhw", along(one.shape[-2], height), one, along(one.shape[-1], width)) for one in scores
    ]
    return np.maximum.reduce(resized)


def _scores(*values: Any) -> list[np.ndarray]:
    return [np.array(one, dtype=np.float32)[:, None] for one in values]


EXERCISE = Exercise(
    id="6.9",
    title="Sums and maxima: the fusion of DeepLab v2",
    name="fuse_scores",
    statement="""
The older ASPP, of DeepLab v2, does not concatenate: each branch scores the K classes by itself, and the scores of the
branches are **added** (figure 7). In addition, the network may look at the picture at several scales (1, 0.75, 0.5);
of their scores the **largest** counts, for each pixel and each class by itself (section 4.1.2).

Write `fuse_scores(scores)`. `scores` is a list with one array per scale, the full picture first. Each array is
R x B x K x h x w, one B x K x h x w for each of R branches; h and w differ from scale to scale. Add up the branches,
resize each scale bilinearly with aligned corners to the h x w of the first, and take the largest: B x K x h x w.
""",
    stub=STUB,
    reference=fuse_scores,
    cases=(
        Case(
            "one scale, two branches", (_scores([[[[1, -2]]], [[[3, -4]]]]),), np.array([[[[4.0, -6]]]]), "two branches"
        ),
        Case(
            "two scales of one size, one branch",
            (_scores([[[[1, -2]], [[0, 5]]]], [[[[3, -4]], [[-1, 6]]]]),),
            np.array([[[[3.0, -2]], [[0, 6]]]]),
            "two scales",
        ),
        Case(
            "a small scale is enlarged, corner to corner",
            (_scores([[[[1, 1, 1]]]], [[[[0, 4]]]]),),
            np.array([[[[1.0, 2, 4]]]]),
            "corners",
        ),
        Case(
            "the second scale is larger",
            (_scores([[[[1, 5]]]], [[[[2, 3, 4]]]]),),
            np.array([[[[2.0, 5]]]]),
            "first size",
        ),
        Case(
            "five branches, four scales",
            (
                [
                    random_map(7, 5, 1, 2, 5, 6),
                    random_map(8, 5, 1, 2, 4, 4),
                    random_map(9, 5, 1, 2, 3, 4),
                    random_map(10, 5, 1, 2, 3, 3) + 1,
                ],
            ),
            hint="all of them",
        ),
        Case(
            "first the sum, then the maximum",
            (_scores([[[[9]]], [[[-8]]]], [[[[1]]], [[[2]]]]),),
            np.array([[[[3.0]]]]),
            "sum first",
        ),
        Case(
            "three scales, four branches, three classes",
            ([random_map(0, 4, 1, 3, 9, 13), random_map(1, 4, 1, 3, 7, 10), random_map(2, 4, 1, 3, 5, 7)],),
        ),
        Case("two pictures", ([random_map(3, 2, 2, 5, 6, 4), random_map(4, 2, 2, 5, 3, 2)],)),
        Case(
            "scores below zero everywhere",
            ([random_map(5, 3, 1, 2, 5, 5) - 4, random_map(6, 3, 1, 2, 3, 3) - 4],),
            hint="below zero",
        ),
    ),
    hints={
        "general": Hint(
            "Per scale first: add up the branches, then resize. Only then compare the scales.",
            "The branches are the first axis of each array. When all scales have the size of the first one, stack "
            "them along a new axis and take the largest along it.",
        ),
        "branches": Hint(
            "The scores of the branches are added, neither averaged nor compared.", "torch.as_tensor(one).sum(dim=0)."
        ),
        "scales": Hint(
            "Of the scales the largest score counts, for each pixel and class by itself.",
            "torch.stack(resized).amax(dim=0).",
        ),
        "sum first": Hint(
            "The maximum comes after the sum: within one scale, all branches belong together.",
            "Add up the branches of each scale, then compare the scales.",
        ),
        "aligned": Hint(
            "The other scales are resized bilinearly, corners on corners.",
            "mode='bilinear', align_corners=True.",
        ),
        "size": Hint("The result has the size of the first scale, the full picture.", "size = summed[0].shape[-2:]."),
        "no softmax": Hint(
            "Scores are fused as they are, without softmax or ReLU.", "Leave the sums as they are before the maximum."
        ),
        "two branches": Hint(
            "One scale, two branches: the scores of both are added, for each class and pixel.",
            "torch.as_tensor(one).sum(dim=0), over the first dimension.",
        ),
        "two scales": Hint(
            "Two scales: at each pixel and for each class by itself, the larger score of both is taken.",
            "torch.stack(resized).amax(dim=0).",
        ),
        "corners": Hint(
            "The small scale has the scores 0 and 4; enlarged to three columns, corner on corner, they are 0, 2, 4.",
            "F.interpolate(one, size=size, mode='bilinear', align_corners=True).",
        ),
        "first size": Hint(
            "The result has the size of the *first* scale, here the smaller one.", "size = summed[0].shape[-2:]."
        ),
        "all of them": Hint(
            "There may be any number of branches and scales; here there are five and four.",
            "Loop over all scales, and sum over the whole first dimension.",
        ),
        "below zero": Hint(
            "All scores are negative here; the largest is the one nearest to 0, and 0 itself is none of them.",
            "Begin with the first scale, not with zeros.",
        ),
        "scores": Hint("Scores are wanted, B x K x h x w: not labels, not the number of a scale.", "amax, not argmax."),
        "pictures": Hint("Every picture of the batch is fused by itself.", "The sum goes over the first dimension, R."),
    },
    mistakes=MISTAKES,
    alternatives=(_one_after_the_other, _resized_first, _with_matrices),
    points=2,
    minutes=15,
    difficulty=2,
)
