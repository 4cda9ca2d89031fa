"""The loss of mask classification: objects are matched with queries, then classes and masks are compared.

Cheng, Misra, Schwing, Kirillov, Girdhar, 2021 (arXiv 2112.01527), §3.3 and §4.2; points: Kirillov et al. 2019
(PointRend).

Shapes: B images, Q queries, T objects, K classes, H' W' masks, P points, R pairs of all images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor.models.mask_classification.matching import (
    LossSettings,
    Objects,
    at_points,
    entropy_inside,
    entropy_outside,
    known,
    match,
    merged_by_class,
)


def mask_classification_loss(
    output: Mapping[str, Any], objects: Sequence[Objects], settings: LossSettings | None = None
) -> dict[str, Tensor]:
    """The three terms, weighted and summed over all layers; their sum is what training lowers.

    Every layer is matched anew. Sums over masks are divided by the number of objects of the whole batch, and of all
    processes where there are several, so that a mask counts the same wherever it stands.

    Args:
        output: Of a network in training mode.
        objects: What there is in each picture.
        settings: Weights and number of points; the paper's if left out.

    Returns:
        "classes", "mask", "dice".
    """
    settings = settings or LossSettings()
    if len(objects) != len(output["classes"]):
        raise ValueError(f"the batch has {len(output['classes'])} pictures, but objects of {len(objects)} came")
    if settings.fixed:
        objects = [merged_by_class(one) for one in objects]
    count = _objects_per_process(objects, output["classes"].device)
    total: dict[str, Tensor] = {}
    for classes, masks in [*output["layers"], (output["classes"], output["masks"])]:
        classes, masks = classes.float(), masks.float()  # mixed precision ends here
        for name, value in _layer(classes, masks, objects, settings, count).items():
            total[name] = total.get(name, 0) + value
    return total


def _layer(
    classes: Tensor, masks: Tensor, objects: Sequence[Objects], settings: LossSettings, count: Tensor
) -> dict[str, Tensor]:
    no_object = classes.shape[-1] - 1
    wanted = torch.full(classes.shape[:2], no_object, dtype=torch.int64, device=classes.device)
    entropy, dice = masks.sum() * 0, masks.sum() * 0
    # Taken apart once: each index into the whole batch would make a gradient as large as the batch.
    for number, (one, own) in enumerate(zip(objects, masks.unbind(0), strict=True)):
        queries, found = match(classes[number], own, one, settings)
        wanted[number, queries] = one.labels[found]
        if len(queries):
            chosen = Objects(one.labels[found], one.masks[found], one.void)
            terms = mask_terms(own[queries], chosen, settings)
            entropy, dice = entropy + terms[0], dice + terms[1]
    weights = classes.new_ones(classes.shape[-1])
    weights[-1] = settings.no_object
    return {
        # A weighted mean: twice the weights for all classes would change nothing.
        "classes": settings.classes * F.cross_entropy(classes.transpose(1, 2), wanted, weights),
        "mask": settings.mask * entropy / count,
        "dice": settings.dice * dice / count,
    }


def mask_terms(masks: Tensor, objects: Objects, settings: LossSettings) -> tuple[Tensor, Tensor]:
    """Cross entropy and Dice loss of matched masks at chosen points or all pixels, each summed over the masks.

    Args:
        masks: Logits R x H' x W'.
        objects: As many, in the same order.
        settings: Number of points.
    """
    if settings.points is None:
        size = objects.masks.shape[-2:]
        logits = F.interpolate(masks[None], size, mode="bilinear", align_corners=False)[0].flatten(1)
        wanted = objects.masks.flatten(1).float()
        weight = (
            torch.ones_like(wanted) if objects.void is None else (~objects.void).flatten().expand_as(wanted).float()
        )
    else:
        points = uncertain_points(masks, objects, settings.points, settings)
        weight = known(objects, points)
        logits, wanted = at_points(masks, points), at_points(objects.masks, points)
    entropy = entropy_inside(logits, settings) * wanted + entropy_outside(logits, settings) * (1 - wanted)
    entropy = (entropy * weight).sum(1) / weight.sum(1).clamp_min(1)
    probabilities = logits.sigmoid() * weight
    dice = 1 - (2 * (probabilities * wanted).sum(1) + 1) / (probabilities.sum(1) + (wanted * weight).sum(1) + 1)
    return entropy.sum(), dice.sum()


@torch.no_grad()
def uncertain_points(masks: Tensor, objects: Objects, count: int, settings: LossSettings) -> Tensor:
    """Points where the masks are undecided, near logit 0, and some anywhere: R x P x 2.

    Args:
        masks: Logits R x H' x W'.
        objects: For their void, which no uncertain point is taken from while there are others.
        count: P.
        settings: How many of which.
    """
    R, important = len(masks), int(settings.important * count)
    drawn = torch.rand(R, settings.oversampling * count, 2, device=masks.device)
    doubt = -at_points(masks, drawn).abs()
    doubt = doubt.masked_fill(known(objects, drawn) == 0, -torch.inf)
    best = doubt.topk(important, dim=1, sorted=False).indices  # R x important
    chosen = drawn.gather(1, best[..., None].expand(-1, -1, 2))
    anywhere = torch.rand(R, count - important, 2, device=masks.device)
    return torch.cat([chosen, anywhere], dim=1)


def _objects_per_process(objects: Sequence[Objects], device: torch.device) -> Tensor:
    """Objects of the batch, averaged over the processes, at least 1."""
    count = torch.tensor(float(sum(len(one.labels) for one in objects)), device=device)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(count)
        count /= torch.distributed.get_world_size()
    return count.clamp_min(1)
