"""Semantic, instance and panoptic from one output: classes and masks of Q queries.

Cheng, Schwing, Kirillov: Per-Pixel Classification is Not All You Need for Semantic Segmentation, 2021 (arXiv
2107.06278), §3.4.

Shapes: B images, Q queries, K classes, H W picture.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segment:
    """One segment of a panoptic map.

    Attributes:
        id: Its number in the map, from 1.
        label: Class, 0 to K - 1.
        score: Of the query that made it; of stuff, of the first one.
    """

    id: int
    label: int
    score: float


def semantic_scores(classes: Tensor, masks: Tensor) -> Tensor:
    """How much each pixel belongs to each class: the sum over the queries of class times mask.

    "No object" is left out after the softmax, so a query that sees nothing adds little to any class.

    Args:
        classes: Logits B x Q x (K + 1), the last column "no object".
        masks: Logits B x Q x H x W.

    Returns:
        B x K x H x W, from 0 to Q.
    """
    probabilities = classes.softmax(dim=-1)[..., :-1]
    return torch.einsum("bqk,bqhw->bkhw", probabilities, masks.sigmoid())


def instances(
    classes: Tensor, masks: Tensor, things: Collection[int] | None = None, count: int = 100
) -> dict[str, Tensor]:
    """The best pairs of query and class of one picture; a query may come with several classes.

    A pair's score is the class's probability times the mean probability of the mask's own pixels.

    Args:
        classes: Logits Q x (K + 1).
        masks: Logits Q x H x W.
        things: Classes that have instances; None for all.
        count: How many pairs.

    Returns:
        "labels" (R), "scores" (R, falling), "masks" (R x H x W, True or False).
    """
    probabilities = classes.softmax(dim=-1)[:, :-1]
    K = probabilities.shape[1]
    best = probabilities.flatten().topk(min(count, probabilities.numel()))
    labels, queries = best.indices % K, best.indices // K
    if things is not None:
        kept = torch.isin(labels, torch.tensor(sorted(things), device=labels.device))
        labels, queries, values = labels[kept], queries[kept], best.values[kept]
    else:
        values = best.values
    inside = masks[queries] > 0
    mean = (masks[queries].sigmoid() * inside).flatten(1).sum(1) / (inside.flatten(1).sum(1) + 1e-6)
    scores, order = (values * mean).sort(descending=True)
    return {"labels": labels[order], "scores": scores, "masks": inside[order]}


def panoptic(
    classes: Tensor, masks: Tensor, stuff: Collection[int] = (), threshold: float = 0.8, overlap: float = 0.8
) -> tuple[Tensor, list[Segment]]:
    """Each pixel of one picture to one segment.

    Sure queries compete for each pixel with probability of class times mask. What a query wins must be most of what its
    mask covers; segments of the same class of stuff become one.

    Args:
        classes: Logits Q x (K + 1).
        masks: Logits Q x H x W.
        stuff: Classes without instances.
        threshold: Least probability of a query's class.
        overlap: Least share of its mask that a query must win.

    Returns:
        The map H x W int64, 0 where there is no segment, and its segments.
    """
    scores, labels = classes.softmax(dim=-1).max(dim=-1)
    sure = (labels != classes.shape[-1] - 1) & (scores > threshold)
    scores, labels, probabilities = scores[sure], labels[sure], masks[sure].sigmoid()
    result = torch.zeros(masks.shape[-2:], dtype=torch.int64, device=masks.device)
    segments: list[Segment] = []
    if not len(scores):
        return result, segments
    winner = (scores[:, None, None] * probabilities).argmax(dim=0)
    merged: dict[int, int] = {}
    for query, (score, label) in enumerate(zip(scores.tolist(), labels.tolist(), strict=True)):
        covered = probabilities[query] >= 0.5
        won = (winner == query) & covered
        if not won.any() or (winner == query).sum() / covered.sum() < overlap:
            continue
        if label in merged:
            result[won] = merged[label]
            continue
        segments.append(Segment(len(segments) + 1, label, score))
        result[won] = segments[-1].id
        if label in stuff:
            merged[label] = segments[-1].id
    return result, segments
