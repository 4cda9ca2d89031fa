"""Losses of semantic segmentation.

Shapes: B images, K classes, H W label map, h w feature map. ``logits`` B x K x h x w, ``labels`` B x H x W int64.

Logits of another size than the labels are resized to the labels, never the labels to the logits: that keeps thin
structures and costs nothing (DeepLab v3, appendix A: +1.2 % mean IoU).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    ignore_index: int = 255,
    class_weights: Tensor | None = None,
    normalizer: Tensor | None = None,
) -> Tensor:
    """Mean cross entropy over the pixels that are not void.

    Void pixels are left out of the sum *and* of the number it is divided by. Where every pixel is void, the loss is 0
    with gradient 0 (PyTorch's own mean is 0/0 = NaN there, and one such batch ruins a network).

    Args:
        logits: B x K x h x w; resized bilinearly to the labels if the sizes differ. Half precision is widened.
        labels: B x H x W int64, values below K or ``ignore_index``.
        ignore_index: Value that marks void.
        class_weights: K factors of the classes' pixels; the mean is then weighted by them.
        normalizer: Divide by this instead of the weight of the valid pixels; for a batch that is spread over several
            processes, see ``valid_weight``.

    Returns:
        A scalar, float32 at least.

    Raises:
        ValueError: If the shapes do not fit, or a label is neither a class nor void.
    """
    logits = at_label_resolution(logits, labels)
    _check_values(labels, logits.shape[1], ignore_index)
    total = F.cross_entropy(logits, labels, class_weights, ignore_index=ignore_index, reduction="sum")
    if normalizer is None:
        normalizer = valid_weight(labels, ignore_index, class_weights)
    # The largest of the weight and a tiny number: an all-void batch gives 0 / tiny = 0.
    return total / normalizer.clamp(min=torch.finfo(torch.float32).tiny)


def valid_weight(labels: Tensor, ignore_index: int = 255, class_weights: Tensor | None = None) -> Tensor:
    """Number of pixels that are not void; with ``class_weights``, the sum of their weights. A float32 scalar."""
    valid = labels != ignore_index
    if class_weights is None:
        return valid.sum().float()
    return class_weights[labels[valid]].sum().float()


def balanced_class_weights(dataset: Any, samples: int = 500) -> tuple[float, ...]:
    """Weights with which rare classes count more: each the root of 1 / (the class's share of the pixels).

    The root is a compromise. Without weights, a short training never learns the rare classes; with the inverse itself,
    a bird weighs as much as the sky, and the network sees birds everywhere. The weights are scaled so that their mean
    over the pixels is 1; a class that does not occur has weight 0, and a share below 0.01 % counts as 0.01 %.

    Args:
        dataset: Training set; ``dataset[i]`` is (image, label map), ``dataset.labels`` a LabelSet.
        samples: The first so many samples are counted.

    Raises:
        ValueError: If no pixel is labeled.
    """
    num_classes, ignore_index = len(dataset.labels), dataset.labels.ignore_index
    counts = torch.zeros(num_classes, dtype=torch.float64)
    for index in range(min(samples, len(dataset))):
        labels = dataset[index][1].as_subclass(Tensor).flatten().long()
        counts += torch.bincount(labels[labels != ignore_index], minlength=num_classes)
    if counts.sum() == 0:
        raise ValueError(f"none of the first {samples} label maps has a labeled pixel")
    shares = counts / counts.sum()
    weights = torch.where(shares > 0, shares.clamp(min=1e-4).rsqrt(), 0)
    return tuple((weights / (weights * shares).sum()).tolist())


def at_label_resolution(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits B x K x H x W in float32 at least, H and W those of the labels.

    Raises:
        ValueError: If logits are not B x K x h x w, or labels not B x H x W with the same B.
    """
    if logits.ndim != 4 or labels.ndim != 3 or logits.shape[0] != labels.shape[0]:
        raise ValueError(
            f"logits are {tuple(logits.shape)} and labels {tuple(labels.shape)}, but a loss takes logits B x K x h x w "
            "and labels B x H x W with the same B"
        )
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    if logits.shape[-2:] != labels.shape[-2:]:
        logits = F.interpolate(logits, labels.shape[-2:], mode="bilinear", align_corners=False)
    return logits


def _check_values(labels: Tensor, num_classes: int, ignore_index: int) -> None:
    """A label out of range would be read outside the array, and abort a GPU's context without a name; say it here."""
    wrong = (labels != ignore_index) & ((labels < 0) | (labels >= num_classes))
    if wrong.any():
        values = torch.unique(labels[wrong])[:8].tolist()
        raise ValueError(
            f"labels hold {values}, but the network has {num_classes} classes (0 to {num_classes - 1}) and void is "
            f"{ignore_index}: create it with num_classes=len(dataset.labels), or map these values to {ignore_index}"
        )
