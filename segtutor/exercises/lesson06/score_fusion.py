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


def _fused(  # type: ignore[no-untyped-def]
    scores, *, branches="sum", scales="amax", aligned: bool | None = True, number=0, change=None, mode="", rest=None
):
    """The fusion with the switches of the mistakes; as it stands, the right one."""
    import torch
    from torch.nn import functional as F

    joined = [getattr(torch.as_tensor(one), branches)(0) for one in scores]
    joined = [change(one) for one in joined] if change else joined
    mode = mode or ("nearest" if aligned is None else "bilinear")
    size = joined[number].shape[-2:]
    resized = torch.stack([F.interpolate(one, size=size, mode=mode, align_corners=aligned) for one in joined])
    resized = resized if rest is None else rest(resized)
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


def _chosen(resized, rank):  # type: ignore[no-untyped-def]
    """The scale with the largest rank, for a whole class, pixel or picture."""
    return resized.gather(0, rank.argmax(0, keepdim=True).expand(1, *resized.shape[1:]))


def _by_size(resized):  # type: ignore[no-untyped-def]
    return _chosen(resized, resized.abs())


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
        Mistake("first branch only", lambda s: _fused([one[:1] for one in s]), "branches"),
        Mistake("branches multiplied", lambda s: _fused(s, branches="prod"), "branches"),
        Mistake(
            "branch after branch averaged and scales added",
            lambda s: _fused(s, branches="mean", scales="sum"),
            "branches",
        ),
        Mistake("four branches", lambda s: _fused([one[:4] for one in s]), "all of them"),
        Mistake("three branches", lambda s: _fused([one[:3] for one in s]), "all of them"),
        Mistake("two branches", lambda s: _fused([one[:2] for one in s]), "all of them"),
        Mistake("three scales", lambda s: _fused(s[:3]), "all of them"),
        Mistake("two scales", lambda s: _fused(s[:2]), "all of them"),
        Mistake("last scale only", lambda s: _fused([s[0], s[-1]]), "all of them"),
        Mistake("without the first scale", lambda s: _fused(s, rest=lambda r: r[1:] if len(r) > 1 else r), "scales"),
        Mistake("median", lambda s: _fused(s, rest=lambda r: r.median(0, keepdim=True).values), "scales"),
        Mistake("largest by its size", lambda s: _fused(s, rest=_by_size), "scales"),
        Mistake("absolute scores", lambda s: _fused(s, rest=lambda r: r.abs()), "scales"),
        Mistake(
            "scale of the best class", lambda s: _fused(s, rest=lambda r: _chosen(r, r.amax(2, keepdim=True))), "scales"
        ),
        Mistake(
            "scale of the best pixel",
            lambda s: _fused(s, rest=lambda r: _chosen(r, r.amax((3, 4), keepdim=True))),
            "scales",
        ),
        Mistake(
            "scale of the best picture",
            lambda s: _fused(s, rest=lambda r: _chosen(r, r.amax((2, 3, 4), keepdim=True))),
            "scales",
        ),
        Mistake(
            "scale of the best score",
            lambda s: _fused(s, rest=lambda r: _chosen(r, r.amax((1, 2, 3, 4), keepdim=True))),
            "scales",
        ),
        Mistake(
            "scale with the best mean class",
            lambda s: _fused(s, rest=lambda r: _chosen(r, r.mean((3, 4), keepdim=True))),
            "scales",
        ),
        Mistake("bicubic", lambda s: _fused(s, mode="bicubic"), "aligned"),
        Mistake("area", lambda s: _fused(s, aligned=None, mode="area"), "aligned"),
        Mistake(
            "size of the largest",
            lambda s: _fused(s, number=max(range(len(s)), key=lambda n: s[n][0, 0, 0].size)),
            "size",
        ),
        Mistake(
            "size of the smallest",
            lambda s: _fused(s, number=min(range(len(s)), key=lambda n: s[n][0, 0, 0].size)),
            "size",
        ),
        Mistake("from zero", lambda s: _fused(s).clamp(min=0), "below zero"),
        Mistake("ReLU of every branch", lambda s: _fused([np.maximum(one, 0) for one in s]), "no softmax"),
        Mistake(
            "softmax of the branches",
            lambda s: _fused([np.exp(one) / np.exp(one).sum(2, keepdims=True) for one in s]),
            "no softmax",
        ),
        Mistake("softmax at the end", lambda s: _fused(s).softmax(1), "no softmax"),
        Mistake("labels", lambda s: _fused(s).argmax(1), "scores"),
        Mistake("largest class", lambda s: _fused(s).amax(1), "scores"),
        Mistake("number of the scale", lambda s: _fused(s, scales="argmax"), "scores"),
        Mistake("stacked, not fused", lambda s: _fused(s, scales="clone"), "scores"),
        Mistake("the first picture", lambda s: _fused([one[:, :1] for one in s]), "pictures"),
        Mistake("sum over the pictures", lambda s: _fused([one.swapaxes(0, 1) for one in s]), "pictures"),
    ),
    alternatives=(_one_after_the_other, _resized_first, _with_matrices),
    points=2,
    minutes=10,
    difficulty=2,
)
