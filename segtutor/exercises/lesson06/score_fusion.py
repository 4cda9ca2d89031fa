"""Exercise 6.9: how DeepLab v2 joins its branches and its scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.later import F, torch
from segtutor.exercises.lesson04.inputs import random_map

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


def _fused(scores, *, branches="sum", scales="amax", aligned: bool | None = True, number=0, change=None):  # type: ignore[no-untyped-def]
    """The fusion with the switches of the mistakes; as it stands, the right one."""
    import torch
    from torch.nn import functional as F

    joined = [getattr(torch.as_tensor(one), branches)(0) for one in scores]
    joined = [change(one) for one in joined] if change else joined
    mode = "nearest" if aligned is None else "bilinear"
    size = joined[number].shape[-2:]
    resized = torch.stack([F.interpolate(one, size=size, mode=mode, align_corners=aligned) for one in joined])
    return getattr(resized, scales)(0)


def _largest_branch_by_branch(scores):  # type: ignore[no-untyped-def]
    """First the largest over the scales for each branch, then the sum."""
    return sum(
        np.asarray(fuse_scores([one[number : number + 1] for one in scores])) for number in range(len(scores[0]))
    )


def _one_scale_wins(scores):  # type: ignore[no-untyped-def]
    """The scale with the largest mean score is taken as a whole."""
    import torch
    from torch.nn import functional as F

    size = scores[0].shape[-2:]
    resized = [
        F.interpolate(torch.as_tensor(one.sum(axis=0)), size=size, mode="bilinear", align_corners=True)
        for one in scores
    ]
    return max(resized, key=lambda one: float(one.mean()))


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
        Case("one scale, two branches", (_scores([[[[1, -2]]], [[[3, -4]]]]),), np.array([[[[4.0, -6]]]]), "branches"),
        Case(
            "two scales of one size, one branch",
            (_scores([[[[1, -2]], [[0, 5]]]], [[[[3, -4]], [[-1, 6]]]]),),
            np.array([[[[3.0, -2]], [[0, 6]]]]),
            "scales",
        ),
        Case(
            "a small scale is enlarged, corner to corner",
            (_scores([[[[1, 1, 1]]]], [[[[0, 4]]]]),),
            np.array([[[[1.0, 2, 4]]]]),
            "aligned",
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
        Case("scores below zero everywhere", ([random_map(5, 3, 1, 2, 5, 5) - 4, random_map(6, 3, 1, 2, 3, 3) - 4],)),
    ),
    hints={
        "general": Hint(
            "Per scale: the sum over the first dimension, then F.interpolate to the size of the first scale. Then "
            "stack the scales and take the maximum.",
            "F.interpolate(one, size=size, mode='bilinear', align_corners=True); torch.stack(resized).amax(dim=0).",
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
            "The smaller scores are enlarged in another way: corners on corners.",
            "mode='bilinear', align_corners=True.",
        ),
        "size": Hint("The result has the size of the first scale, the full picture.", "size = summed[0].shape[-2:]."),
        "no softmax": Hint(
            "Scores are fused as they are, without softmax or ReLU.", "Leave the sums as they are before the maximum."
        ),
    },
    mistakes=(
        Mistake("branches averaged", lambda s: _fused(s, branches="mean"), "branches"),
        Mistake("largest branch", lambda s: _fused(s, branches="amax"), "branches"),
        Mistake("scales averaged", lambda s: _fused(s, scales="mean"), "scales"),
        Mistake("scales added", lambda s: _fused(s, scales="sum"), "scales"),
        Mistake("smallest", lambda s: _fused(s, scales="amin"), "scales"),
        Mistake("first scale only", lambda s: _fused(s[:1]), "scales"),
        Mistake("one scale as a whole", _one_scale_wins, "scales"),
        Mistake("maximum before the sum", _largest_branch_by_branch, "sum first"),
        Mistake("corners not aligned", lambda s: _fused(s, aligned=False), "aligned"),
        Mistake("nearest", lambda s: _fused(s, aligned=None), "aligned"),
        Mistake("size of the last scale", lambda s: _fused(s, number=-1), "size"),
        Mistake("softmax first", lambda s: _fused(s, change=lambda one: one.softmax(1)), "no softmax"),
        Mistake("ReLU first", lambda s: _fused(s, change=lambda one: one.relu()), "no softmax"),
    ),
    alternatives=(_one_after_the_other, _resized_first, _with_matrices),
    points=2,
    minutes=10,
    difficulty=2,
)
