"""SAM's losses: of three answers only the best one is told how to be better, and all learn to say how good they are.

SAM §3, "Losses and training", and §A.

Shapes: R prompts of all images, m masks of each, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FOCAL_WEIGHT = 20.0
"""Focal loss counts so much against Dice loss (SAM §A)."""


def prompt_losses(
    masks: Tensor, iou: Tensor, targets: Tensor, known: Tensor, focal_weight: float = FOCAL_WEIGHT
) -> dict[str, Tensor]:
    """The three terms, each a mean over the prompts; their sum is what training lowers.

    Args:
        masks: Logits R x m x H x W.
        iou: Predicted IoU, R x m.
        targets: What was meant, R x H x W, False and True or 0 and 1.
        known: Pixels that count, R x H x W; void does not.
        focal_weight: What focal loss counts against Dice loss.

    Returns:
        "focal" and "dice" of the best of the m masks, "iou" of all.

    Raises:
        ValueError: If the targets are other numbers than 0 and 1.
    """
    targets = check_targets(targets)
    masks, iou = masks.float(), iou.float()  # mixed precision ends here
    focal, dice = mask_terms(masks, targets, known)
    best = (focal_weight * focal + dice).argmin(dim=1, keepdim=True)  # R x 1
    real = mask_iou(masks.detach(), targets, known)
    return {
        "focal": focal_weight * focal.gather(1, best).mean(),
        "dice": dice.gather(1, best).mean(),
        "iou": F.mse_loss(iou, real),
    }


def mask_terms(masks: Tensor, targets: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Focal and Dice loss of each mask.

    Args:
        masks: Logits R x m x H x W.
        targets: R x H x W.
        known: R x H x W.

    Returns:
        R x m each.
    """
    logits, wanted = masks.flatten(2), targets.float().flatten(1)[:, None].expand(-1, masks.shape[1], -1)
    weight = known.float().flatten(1)[:, None]
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    focal = (1 - torch.exp(-entropy)) ** 2 * entropy  # exp(-entropy) is the probability of what is true
    inside = logits.sigmoid() * weight
    wanted = wanted * weight
    dice = 1 - (2 * (inside * wanted).sum(2) + 1) / (inside.sum(2) + wanted.sum(2) + 1)
    return (focal * weight).sum(2) / weight.sum(2).clamp_min(1), dice


def mask_iou(masks: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """IoU of each mask, logits above 0, with what was meant: R x m x H x W to R x m.

    >>> logits = torch.tensor([[[[0.4, -3.0, 2.0]]]])  # 0.4 is inside: a probability of 0.6
    >>> mask_iou(logits, torch.tensor([[[1, 0, 0]]]), torch.ones(1, 1, 3))
    tensor([[0.5000]])
    """
    known = known[:, None].bool()
    inside, wanted = (masks > 0) & known, targets[:, None].bool() & known
    common = (inside & wanted).flatten(2).sum(2)
    return common / (inside | wanted).flatten(2).sum(2).clamp_min(1)


def check_targets(targets: Tensor) -> Tensor:
    """Targets as they are.

    Raises:
        ValueError: If they are other numbers than 0 and 1.
    """
    if targets.dtype != torch.bool and not ((targets == 0) | (targets == 1)).all():
        raise ValueError(
            f"masks must be False and True, or 0 and 1, but there are values from {targets.min().item():g} to "
            f"{targets.max().item():g}: a file whose masks are 0 and 255 needs masks > 0, or the loss falls below "
            "minus 100,000 and nothing is learned"
        )
    return targets
