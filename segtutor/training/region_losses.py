"""Losses that look at a class's region as a whole: Dice and Lovász-softmax.

Cross entropy asks every pixel alike, so that a class of few pixels hardly counts. These compare, class by class, the
region that is predicted with the region that is true, as the metrics do. Both are taken over all valid pixels of a
batch together, and averaged over the classes that occur in its labels: of a class that does not, there is no region to
be compared with, and pixels wrongly given to it already miss in their own class.

Shapes: B images, K classes, H W label map, h w feature map, N valid pixels. ``logits`` B x K x h x w, ``labels``
B x H x W int64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segtutor.training.losses import valid_pixels, weights_of_classes


def dice(logits: Tensor, labels: Tensor, ignore_index: int = 255, class_weights: Tensor | None = None) -> Tensor:
    """1 - the Dice coefficient of probabilities and labels, the mean over the classes that occur.

    For a class with probabilities p and labels g (1 in its region, else 0), Dice is 2 sum(p g) / (sum(p) + sum(g)):
    the F1 score, with probabilities in place of decisions. As only classes that occur are counted, sum(g) is at least
    1, and no smoothing constant is needed.

    Args:
        logits: B x K x h x w; resized bilinearly to the labels if the sizes differ. Half precision is widened.
        labels: B x H x W int64, values below K or ``ignore_index``.
        ignore_index: Value that marks void.
        class_weights: K factors of the classes in the mean.

    Returns:
        A scalar, float32 at least; 0 with gradient 0 where every pixel is void.

    Raises:
        ValueError: If the shapes do not fit, or a label is neither a class nor void.
    """
    scores, targets = valid_pixels(logits, labels, ignore_index)
    weights = weights_of_classes(class_weights, scores)
    probabilities = scores.softmax(dim=1)  # N x K
    counts = targets.bincount(minlength=len(weights))
    present = counts > 0
    regions = targets[:, None] == torch.arange(len(weights), device=targets.device)  # N x K
    common = probabilities.where(regions, 0).sum(dim=0)[present]
    # differs: V-Net (Milletari et al. 2016, §3) squares p and g in the denominator.
    losses = 1 - 2 * common / (probabilities.sum(dim=0) + counts)[present]
    return _mean(losses, weights[present])


def lovasz_softmax(
    logits: Tensor, labels: Tensor, ignore_index: int = 255, class_weights: Tensor | None = None
) -> Tensor:
    """A convex stand-in for 1 - IoU, the mean over the classes that occur (Berman, Triki, Blaschko 2018).

    If a class is wrong in a set of pixels M, 1 - IoU is f(M): the size of M over that of M united with the class's
    region, a function of sets. The loss is its Lovász extension to errors m between 0 and 1 (m = 1 - p in the
    region, p outside): sort the errors, largest first, let M grow pixel by pixel in this order, and multiply each
    error with what f gains by it. Where the errors are 0 and 1, it is 1 - IoU itself.

    Args:
        logits: B x K x h x w; resized bilinearly to the labels if the sizes differ. Half precision is widened.
        labels: B x H x W int64, values below K or ``ignore_index``.
        ignore_index: Value that marks void.
        class_weights: K factors of the classes in the mean.

    Returns:
        A scalar, float32 at least; 0 with gradient 0 where every pixel is void.

    Raises:
        ValueError: If the shapes do not fit, or a label is neither a class nor void.
    """
    scores, targets = valid_pixels(logits, labels, ignore_index)
    weights = weights_of_classes(class_weights, scores)
    probabilities = scores.softmax(dim=1)  # N x K
    present = targets.unique()
    losses = [_lovasz_extension(probabilities[:, kind], targets == kind) for kind in present.tolist()]
    return _mean(torch.stack(losses) if losses else probabilities.sum(dim=1), weights[present])


def _lovasz_extension(probabilities: Tensor, region: Tensor) -> Tensor:
    """Of 1 - IoU of one class, at the errors of its probabilities (N) in and outside of its region (N, bool)."""
    errors = torch.where(region, 1 - probabilities, probabilities)
    errors, order = errors.sort(descending=True)
    return errors @ _gains(region[order], errors.dtype)


def _gains(region: Tensor, dtype: torch.dtype) -> Tensor:
    """What 1 - IoU gains by each further wrong pixel (N). ``region`` (N, bool): which of the pixels are the class's.

    A pixel of the region leaves the intersection I, and the union U stays: 1 / U more. Any other one enters the union:
    I / (U - 1) - I / U = I / (U (U - 1)) more.
    """
    # differs: the paper's algorithm 1 subtracts neighboring values of 1 - IoU, which in float32 loses most digits of
    # the gains when there are many pixels.
    intersection = (region.sum() - region.cumsum(0)).to(dtype)
    union = region.sum() + (~region).cumsum(0)
    before = (union - 1).clamp(min=1)  # 0 only where a region of one pixel is wrong first, and then it is not used
    return torch.where(region, 1, intersection / before) / union


def _mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Mean weighted by the classes' factors; 0 of no class."""
    return (weights * losses).sum() / weights.sum().clamp(min=torch.finfo(torch.float32).tiny)
