"""Typical wrong answers to exercise 6.9, the fusion of scores."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


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
    return sum(np.asarray(_fused([one[number : number + 1] for one in scores])) for number in range(len(scores[0])))


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


def _chosen(resized, rank):  # type: ignore[no-untyped-def]
    """The scale with the largest rank, for a whole class, pixel or picture."""
    return resized.gather(0, rank.argmax(0, keepdim=True).expand(1, *resized.shape[1:]))


def _by_size(resized):  # type: ignore[no-untyped-def]
    return _chosen(resized, resized.abs())


MISTAKES = (
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
)
