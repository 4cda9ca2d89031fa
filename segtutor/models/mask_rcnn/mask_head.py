"""The mask branch: which pixels of a region belong to its object? One small FCN, applied to every region.

Mask R-CNN §3, figure 4 (right).

    boxes --> RoIAlign 14x14 --> 4 x (3x3, ReLU) --> 2x2 deconvolution, ReLU --> 1x1 --> 28x28, one mask per class

The class is decided by the box branch. The masks do not compete for a pixel: each has its own sigmoid.

Shapes: C channels, K classes with background 0, R regions of all images, M side of the mask, G objects of an image.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import roi_align

from segtutor.models.mask_rcnn.fpn import Norm, convolution
from segtutor.models.mask_rcnn.settings import Settings
from segtutor.models.upsampling import TransposedConvolution

MASK_BINS = 14


class MaskHead(nn.Sequential):
    """3 x 3 convolutions.

    Args:
        channels: C.
        layers: How many.
        norm: Norm behind each, or none as in the paper.
    """

    def __init__(self, channels: int = 256, layers: int = 4, norm: Norm | None = None) -> None:
        super().__init__(*[convolution(channels, channels, 3, norm, relu=True) for _ in range(layers)])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class MaskPredictor(nn.Sequential):
    """Deconvolution to twice the size, 1 x 1 to the masks.

    Args:
        channels: C.
        num_masks: K, or 1 for one mask that serves all classes.
    """

    def __init__(self, channels: int, num_masks: int) -> None:
        # In float32 always: in bfloat16 it is the slowest layer of the head on every processor that was tried.
        deconvolution = TransposedConvolution(channels, channels, 2, stride=2)
        logits = nn.Conv2d(channels, num_masks, 1)
        super().__init__(OrderedDict(conv5_mask=deconvolution, relu=nn.ReLU(), mask_fcn_logits=logits))
        for layer in (deconvolution, logits):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def mask_targets(masks: Tensor, boxes: Tensor, objects: Tensor, size: int, settings: Settings) -> Tensor:
    """What the mask branch should answer: the object's mask as seen through the *proposal*, which may cut it off.

    Args:
        masks: G x H x W, 0 and 1.
        boxes: R x 4, the proposals.
        objects: R, index of the object of each.
        size: M.
        settings: Whether the target is thresholded.

    Returns:
        R x M x M in 0...1, float32.
    """
    regions = torch.cat([objects[:, None].to(boxes.dtype), boxes], dim=1)
    targets = roi_align(masks[:, None].to(boxes.dtype), regions, size, aligned=settings.half_pixel)[:, 0]
    return (targets >= 0.5).to(boxes.dtype) if settings.binary_mask_targets else targets


def mask_loss(logits: Tensor, targets: Tensor, labels: Tensor, settings: Settings) -> Tensor:
    """Loss of the mask branch, the mean over all pixels of all regions (§3).

    Args:
        logits: R x K x M x M, or R x 1 x M x M if one mask serves all classes.
        targets: R x M x M.
        labels: R, the classes: only the mask of this class is asked, and gets a gradient.
        settings: "sigmoid", or "softmax": one of K classes per pixel, outside of the object the background.

    Returns:
        A number; 0 if there is no region.
    """
    if len(labels) == 0:
        return logits.sum()
    if settings.mask_activation == "softmax":
        inside = targets >= 0.5
        return F.cross_entropy(logits, torch.where(inside, labels[:, None, None], 0))
    return F.binary_cross_entropy_with_logits(masks_of_classes(logits, labels), targets.to(logits.dtype))


def mask_probabilities(logits: Tensor, labels: Tensor, settings: Settings) -> Tensor:
    """R x M x M: probability of each pixel of belonging to the object, in the mask of its class."""
    if settings.mask_activation == "softmax":
        return masks_of_classes(logits.softmax(dim=1), labels)
    return masks_of_classes(logits, labels).sigmoid()


def masks_of_classes(masks: Tensor, labels: Tensor) -> Tensor:
    """R x K x M x M to R x M x M; of a single mask, that one."""
    if masks.shape[1] == 1:
        return masks[:, 0]
    return masks[torch.arange(len(labels), device=labels.device), labels]


def split_by_image(values: Tensor, boxes: Sequence[Tensor]) -> list[Tensor]:
    """Rows of all images to the rows of each."""
    return list(values.split([len(of_image) for of_image in boxes]))
