"""Right answers to exercise 11.2, the calibration error, written differently."""

from __future__ import annotations

import numpy as np


def with_loops(probabilities, target, bins, ignore):  # type: ignore[no-untyped-def]
    """Pixel by pixel."""
    counts, sure, hits = [0] * bins, [0.0] * bins, [0] * bins
    for place in np.ndindex(target.shape):
        if target[place] == ignore:
            continue
        scores = [probabilities[(k, *place)] for k in range(len(probabilities))]
        top = max(scores)
        number = next(m for m in range(bins) if top <= (m + 1) / bins + 1e-12)
        counts[number] += 1
        sure[number] += top
        hits[number] += scores.index(top) == target[place]
    gaps = [(s - h) / n if n else float("nan") for s, h, n in zip(sure, hits, counts, strict=True)]
    return sum(n * abs(gap) for n, gap in zip(counts, gaps, strict=True) if n) / sum(counts), gaps


def with_bincount(probabilities, target, bins, ignore):  # type: ignore[no-untyped-def]
    """Sums of each bin at once."""
    flat = probabilities.reshape(len(probabilities), -1)[:, target.ravel() != ignore]
    labels = target.ravel()[target.ravel() != ignore]
    answer = flat.argmax(0)
    confidence = flat[answer, np.arange(flat.shape[1])]
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    counts = np.bincount(place, minlength=bins)
    excess = np.bincount(place, confidence - (answer == labels), minlength=bins)
    return np.abs(excess).sum() / len(labels), excess / counts


def with_torch(probabilities, target, bins, ignore):  # type: ignore[no-untyped-def]
    """A table of pixels by bins."""
    import torch

    labels = torch.as_tensor(target).flatten()
    confidence, answer = torch.as_tensor(probabilities).flatten(1).max(0)
    keep = labels != ignore
    excess = (confidence - (answer == labels).double())[keep]
    place = torch.bucketize(confidence[keep], torch.linspace(0, 1, bins + 1, dtype=torch.float64)[1:-1])
    table = torch.nn.functional.one_hot(place, bins).double()
    return (excess @ table).abs().sum() / len(excess), (excess @ table) / table.sum(0)
