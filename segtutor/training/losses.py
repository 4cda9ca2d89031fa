"""Losses of semantic segmentation that are sums over pixels: cross entropy, of all pixels or hard ones; focal loss.

Shapes: B images, K classes, H W label map, h w feature map, N valid pixels. ``logits`` B x K x h x w, ``labels``
B x H x W int64.

Logits of another size than the labels are resized to the labels, never the labels to the logits: that keeps thin
structures and costs nothing (DeepLab v3, appendix A: +1.2 % mean IoU).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor.inference.samples import checked_labels, label_set


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
    check_values(labels, logits.shape[1], ignore_index)
    total = F.cross_entropy(logits, labels, class_weights, ignore_index=ignore_index, reduction="sum")
    if normalizer is None:
        normalizer = valid_weight(labels, ignore_index, class_weights)
    # The largest of the weight and a tiny number: an all-void batch gives 0 / tiny = 0.
    return total / normalizer.clamp(min=torch.finfo(torch.float32).tiny)


def ohem(
    logits: Tensor,
    labels: Tensor,
    ignore_index: int = 255,
    class_weights: Tensor | None = None,
    keep: float = 0.25,
) -> Tensor:
    """Cross entropy of the hard pixels only (online hard example mining: Shrivastava et al. 2016, Wu et al. 2016).

    Of the pixels that are not void, the share ``keep`` with the largest loss counts, rounded up to a whole pixel. The
    rest, mostly inside of large regions, is already right and would only dilute the mean. Void pixels are not counted
    before the share is taken: among a quarter of *all* pixels, they would be zeros in the mean.

    Args:
        logits: As in ``cross_entropy``.
        labels: As in ``cross_entropy``.
        ignore_index: Value that marks void.
        class_weights: K factors of the classes' pixels. They multiply a pixel's loss before the hardest are chosen, and
            the mean is weighted by them.
        keep: Share of the valid pixels, above 0; 1 is ``cross_entropy``.

    Returns:
        A scalar, float32 at least; 0 with gradient 0 where every pixel is void.

    Raises:
        ValueError: As ``cross_entropy``, or if ``keep`` is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep is {keep}, but must be above 0 and at most 1, the share of the pixels that counts")
    scores, targets = valid_pixels(logits, labels, ignore_index)
    weights = weights_of_classes(class_weights, scores)
    losses = F.cross_entropy(scores, targets, weights, reduction="none")
    hardest = losses.topk(math.ceil(keep * len(losses)), sorted=False)
    return hardest.values.sum() / weights[targets[hardest.indices]].sum().clamp(min=torch.finfo(torch.float32).tiny)


def focal(
    logits: Tensor,
    labels: Tensor,
    ignore_index: int = 255,
    class_weights: Tensor | None = None,
    normalizer: Tensor | None = None,
    gamma: float = 2.0,
) -> Tensor:
    """Mean of (1 - p)^gamma times the cross entropy, p the probability of a pixel's true class (Lin et al. 2017, §3.2).

    Where the network is right and sure, the factor is near 0; so the many easy pixels do not outweigh the few hard
    ones. p comes from the logits alone: taken as exp(-loss) of a *weighted* cross entropy, it is not a probability.

    Args:
        logits: As in ``cross_entropy``.
        labels: As in ``cross_entropy``.
        ignore_index: Value that marks void.
        class_weights: K factors of the classes' pixels (the paper's alpha); the mean is then weighted by them.
        normalizer: As in ``cross_entropy``.
        gamma: At least 0, which is cross entropy; the larger, the less do easy pixels count.

    Returns:
        A scalar, float32 at least; 0 with gradient 0 where every pixel is void.

    Raises:
        ValueError: As ``cross_entropy``, or if ``gamma`` is negative.
    """
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma is {gamma}, but must be at least 0")
    scores, targets = valid_pixels(logits, labels, ignore_index)
    weights = weights_of_classes(class_weights, scores)[targets]
    tiny = torch.finfo(torch.float32).tiny
    log_p = -F.cross_entropy(scores, targets, reduction="none")
    # Not 1 - exp(log p), which has lost its digits where p is near 1; and above 0, where a root's slope is infinite.
    wrong = -torch.expm1(log_p)
    total = (weights * wrong.clamp(min=tiny) ** gamma * -log_p).sum()
    return total / (weights.sum() if normalizer is None else normalizer).clamp(min=tiny)


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
    counts = _pixels_of_classes(dataset, samples).sum(0).double()
    shares = counts / counts.sum()
    weights = torch.where(shares > 0, shares.clamp(min=1e-4).rsqrt(), 0)
    return tuple((weights / (weights * shares).sum()).tolist())


def median_frequency_weights(dataset: Any, samples: int = 500) -> tuple[float, ...]:
    """Weights of Eigen and Fergus (ICCV 2015) and SegNet: the median of all classes' frequencies over the class's own.

    The frequency of a class is its share of the labeled pixels of those pictures that show it. So a class that is rare
    because few pictures show it is not weighted up for that, as it is by the inverse of its share of all pixels.

    Args:
        dataset: Training set; ``dataset[i]`` is (image, label map), ``dataset.labels`` a LabelSet.
        samples: The first so many samples are counted.

    Returns:
        One weight per class: 1 for the median, 0 for a class that does not occur.

    Raises:
        ValueError: If no pixel is labeled.
    """
    counts = _pixels_of_classes(dataset, samples).double()
    around = (counts.sum(1, keepdim=True) * (counts > 0)).sum(0)  # K: labeled pixels of the pictures that show it
    frequency = counts.sum(0) / around  # NaN where no picture does
    return tuple((torch.nanquantile(frequency, 0.5) / frequency).nan_to_num(0).tolist())


def _pixels_of_classes(dataset: Any, samples: int) -> Tensor:
    """Pixels of each class in each of the first label maps, N x K."""
    table = label_set(dataset)
    num_classes, ignore_index = len(table), table.ignore_index
    counts = torch.zeros(min(samples, len(dataset)), num_classes, dtype=torch.int64)
    for index in range(len(counts)):
        labels = checked_labels(dataset[index][1], dataset, index, None, num_classes, ignore_index).flatten()
        counts[index] = torch.bincount(labels[labels != ignore_index], minlength=num_classes)
    if counts.sum() == 0:
        raise ValueError(f"none of the first {samples} label maps has a labeled pixel")
    return counts


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


def valid_pixels(logits: Tensor, labels: Tensor, ignore_index: int = 255) -> tuple[Tensor, Tensor]:
    """Logits N x K and labels N of the pixels that are not void.

    What is left out here has no influence on any loss, and gradient 0, whatever the logits are there.

    Raises:
        ValueError: As ``cross_entropy``.
    """
    logits = at_label_resolution(logits, labels)
    check_values(labels, logits.shape[1], ignore_index)
    valid = labels != ignore_index
    return logits.movedim(1, -1)[valid], labels[valid]


def weights_of_classes(class_weights: Tensor | None, scores: Tensor) -> Tensor:
    """K factors of the type and device of ``scores`` (N x K); ones, if none are given.

    Raises:
        ValueError: If they are not K.
    """
    if class_weights is None:
        return scores.new_ones(scores.shape[1])
    if class_weights.shape != scores.shape[1:]:
        raise ValueError(f"class_weights are {tuple(class_weights.shape)}, but there are {scores.shape[1]} classes")
    return class_weights.to(scores)


def check_values(labels: Tensor, num_classes: int, ignore_index: int) -> None:
    """A label out of range would be read outside the array, and abort a GPU's context without a name; say it here.

    Raises:
        ValueError: If a label is neither a class nor void.
    """
    wrong = (labels != ignore_index) & ((labels < 0) | (labels >= num_classes))
    if wrong.any():
        values = torch.unique(labels[wrong])[:8].tolist()
        raise ValueError(
            f"labels hold {values}, but the network has {num_classes} classes (0 to {num_classes - 1}) and void is "
            f"{ignore_index}: create it with num_classes=len(dataset.labels), or map these values to {ignore_index}"
        )
