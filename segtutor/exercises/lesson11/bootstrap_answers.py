"""Right answers to exercise 11.4, the bootstrap of a difference, written differently."""

from __future__ import annotations

import numpy as np


def at_once(first, second, drawn, confidence):  # type: ignore[no-untyped-def]
    """All drawn sets together: how often each picture was drawn, times what it counts."""
    counts = np.stack([np.bincount(row, minlength=len(first)) for row in drawn])
    counts = np.concatenate([np.ones((1, len(first)), dtype=int), counts])

    def scores(matrices):  # type: ignore[no-untyped-def]
        sums = np.tensordot(counts, matrices, axes=1)
        hits = np.einsum("skk->sk", sums)
        with np.errstate(invalid="ignore"):
            return np.nanmean(hits / (sums.sum(axis=1) + sums.sum(axis=2) - hits), axis=1)

    differences = scores(first) - scores(second)
    tail = 50 * (1 - confidence)
    return differences[0], *np.percentile(differences[1:], [tail, 100 - tail])


def with_loops(first, second, drawn, confidence):  # type: ignore[no-untyped-def]
    """Class by class, and quantiles by hand."""

    def score(matrices, pictures):  # type: ignore[no-untyped-def]
        values = []
        for k in range(matrices.shape[1]):
            hit = sum(int(matrices[p][k, k]) for p in pictures)
            union = sum(int(matrices[p][k].sum() + matrices[p][:, k].sum()) for p in pictures) - hit
            if union:
                values.append(hit / union)
        return sum(values) / len(values)

    found = sorted(score(first, row) - score(second, row) for row in drawn)

    def quantile(share):  # type: ignore[no-untyped-def]
        place = share * (len(found) - 1)
        below = int(place)
        above = min(below + 1, len(found) - 1)
        return found[below] + (place - below) * (found[above] - found[below])

    every = range(len(first))
    tail = (1 - confidence) / 2
    return score(first, every) - score(second, every), quantile(tail), quantile(1 - tail)


def with_torch(first, second, drawn, confidence):  # type: ignore[no-untyped-def]
    """All drawn sets in one tensor."""
    import torch

    def scores(matrices, rows):  # type: ignore[no-untyped-def]
        sums = torch.as_tensor(matrices).double()[torch.as_tensor(rows)].sum(1)
        hits = sums.diagonal(dim1=1, dim2=2)
        return (hits / (sums.sum(1) + sums.sum(2) - hits)).nanmean(1)

    differences = scores(first, drawn) - scores(second, drawn)
    every = np.arange(len(first))[None]
    tail = (1 - confidence) / 2
    ends = torch.quantile(differences, torch.tensor([tail, 1 - tail], dtype=torch.float64))
    return (scores(first, every) - scores(second, every))[0], ends[0], ends[1]
