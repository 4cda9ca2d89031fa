"""Which object does a box belong to, which boxes enter the loss, and which of several near copies stays.

Shapes: G objects of the ground truth, R boxes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms

BACKGROUND = -1
IGNORED = -2


def match(iou: Tensor, positive_iou: float, negative_iou: float, force_best: bool = False) -> Tensor:
    """The object to which each box belongs.

    Args:
        iou: G x R, of objects and boxes.
        positive_iou: A box belongs to the object with which it has the largest IoU, if that is at least this.
        negative_iou: With less than this it is background; in between it is ignored.
        force_best: Also give each object the boxes that overlap it most, all of them if several do, however little
            (Faster R-CNN §3.1.2). A small object may have none with ``positive_iou``. Such a box belongs to the object
            with which *it* has the largest IoU, which may be a third one's.

    Returns:
        R int64: index of the object, `BACKGROUND` or `IGNORED`.

    >>> match(torch.tensor([[0.8, 0.5, 0.1], [0.2, 0.0, 0.2]]), 0.7, 0.3)
    tensor([ 0, -2, -1])
    >>> match(torch.tensor([[0.8, 0.5, 0.1], [0.2, 0.0, 0.2]]), 0.7, 0.3, force_best=True)
    tensor([ 0, -2,  1])
    """
    if not 0 <= negative_iou <= positive_iou <= 1:
        raise ValueError(
            f"thresholds must be 0 <= negative_iou <= positive_iou <= 1, but {negative_iou} and {positive_iou} came"
        )
    objects, boxes = iou.shape
    if objects == 0 or boxes == 0:
        return torch.full((boxes,), BACKGROUND, dtype=torch.int64, device=iou.device)
    best_iou, best_object = iou.max(dim=0)
    matches = best_object.clone()
    matches[best_iou < positive_iou] = IGNORED
    matches[best_iou < negative_iou] = BACKGROUND
    if force_best:
        largest = iou.max(dim=1, keepdim=True).values  # G x 1
        # differs: an object that no box touches would be "best" with all of them, and is in torchvision, where it turns
        # the background positive. Here it is best with none, in compat="torchvision" too.
        forced = ((iou == largest) & (largest > 0)).any(dim=0)
        matches[forced] = best_object[forced]
    return matches


def sample(matches: Tensor, count: int, positive_fraction: float) -> tuple[Tensor, Tensor]:
    """A random choice of boxes for the loss, so that the background, far more frequent, does not drown the objects.

    Args:
        matches: R, from `match`; ignored ones are never chosen.
        count: How many; fewer if there are not so many.
        positive_fraction: At most this part of ``count`` are objects; missing ones are replaced by background.

    Returns:
        Indices of the chosen objects' boxes, and of the background's.
    """
    positive = torch.where(matches >= 0)[0]
    negative = torch.where(matches == BACKGROUND)[0]
    positives = min(len(positive), int(count * positive_fraction))
    negatives = min(len(negative), count - positives)
    chosen_positive = torch.randperm(len(positive), device=matches.device)[:positives]
    chosen_negative = torch.randperm(len(negative), device=matches.device)[:negatives]
    return positive[chosen_positive], negative[chosen_negative]


def suppress(boxes: Tensor, scores: Tensor, groups: Tensor, iou: float) -> Tensor:
    """Non-maximum suppression within each group; boxes of different groups do not see each other.

    Args:
        boxes: R x 4.
        scores: R.
        groups: R, a class or a level of the pyramid.
        iou: Of two boxes with more than this IoU, the one with the higher score stays.

    Returns:
        Indices of those that stay, best score first.
    """
    kept = [torch.empty(0, dtype=torch.int64, device=boxes.device)]
    for group in groups.unique():
        members = torch.where(groups == group)[0]
        kept.append(members[nms(boxes[members], scores[members], iou)])
    survivors = torch.cat(kept)
    order: Tensor = scores[survivors].argsort(descending=True, stable=True)
    return survivors[order]
