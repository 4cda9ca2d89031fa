"""The box branch: which class has each proposal, and where exactly is its box?

Girshick: Fast R-CNN, 2015, §2; on a pyramid FPN §4.2; Mask R-CNN §3.

    proposals --> RoIAlign 7x7 --> fc --> fc --+--> classes, K scores ---------+--> NMS per class --> detections
                                               +--> offsets, 4 for each class -+

Shapes: C channels, K classes with background 0, R regions of all images, G objects of an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import box_iou

from segtutor.models.mask_rcnn.box_coding import BOX_HEAD_WEIGHTS, clip_boxes, decode_boxes, encode_boxes, has_area
from segtutor.models.mask_rcnn.fpn import Norm, convolution
from segtutor.models.mask_rcnn.mask_head import MaskHead, MaskPredictor
from segtutor.models.mask_rcnn.matching import BACKGROUND, match, sample, suppress
from segtutor.models.mask_rcnn.settings import Settings

BOX_BINS = 7


class TwoLayerHead(nn.Module):
    """Two fully connected layers (FPN §4.2).

    Args:
        channels: C.
        hidden: Width of both layers.
    """

    def __init__(self, channels: int, hidden: int = 1024) -> None:
        super().__init__()
        self.fc6 = nn.Linear(channels * BOX_BINS**2, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.out_features = hidden

    def forward(self, regions: Tensor) -> Tensor:
        """R x C x 7 x 7 to R x hidden."""
        return F.relu(self.fc7(F.relu(self.fc6(regions.flatten(1)))))


class ConvolutionalHead(nn.Sequential):
    """Four 3 x 3 convolutions and one fully connected layer (Wu and He: Group Normalization, 2018, §4.2).

    Args:
        channels: C.
        hidden: Width of the fully connected layer.
        norm: Norm behind each convolution.
    """

    def __init__(self, channels: int, hidden: int = 1024, norm: Norm | None = None) -> None:
        super().__init__(
            *[convolution(channels, channels, 3, norm, relu=True) for _ in range(4)],
            nn.Flatten(),
            nn.Linear(channels * BOX_BINS**2, hidden),
            nn.ReLU(),
        )
        self.out_features = hidden
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class BoxPredictor(nn.Module):
    """Scores of the classes, and offsets of the box as each class would have it.

    Args:
        in_features: Width of the head.
        num_classes: K.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_features, num_classes)
        self.bbox_pred = nn.Linear(in_features, 4 * num_classes)
        nn.init.normal_(self.cls_score.weight, std=0.01)  # Fast R-CNN §2.3
        nn.init.normal_(self.bbox_pred.weight, std=0.001)
        nn.init.zeros_(self.cls_score.bias)
        nn.init.zeros_(self.bbox_pred.bias)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """R x hidden to logits R x K and offsets R x K x 4."""
        return self.cls_score(hidden), self.bbox_pred(hidden).unflatten(1, (-1, 4))


class RoIHeads(nn.Module):
    """The heads that look at regions.

    Args:
        box_head: R x C x 7 x 7 to R x hidden.
        box_predictor: A `BoxPredictor`.
        mask_head: A `MaskHead`; None leaves the mask branch out, which makes it Faster R-CNN.
        mask_predictor: A `MaskPredictor`, or None.
    """

    def __init__(
        self,
        box_head: nn.Module,
        box_predictor: BoxPredictor,
        mask_head: MaskHead | None = None,
        mask_predictor: MaskPredictor | None = None,
    ) -> None:
        super().__init__()
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor


@dataclass(frozen=True)
class Samples:
    """Regions of one image that train the heads.

    Attributes:
        boxes: R x 4, those of objects among them.
        labels: R, the class each should get, 0 for background.
        objects: R, index of the object of each; meaningless for background.
    """

    boxes: Tensor
    labels: Tensor
    objects: Tensor


def sample_regions(proposals: Tensor, boxes: Tensor, labels: Tensor, settings: Settings) -> Samples:
    """Chooses the regions of one image for the losses of the heads (Fast R-CNN §2.3).

    Args:
        proposals: R x 4.
        boxes: G x 4, the objects. They are proposals too: early in training there are no other good ones.
        labels: G.
        settings: Threshold and number of samples.
    """
    candidates = torch.cat([proposals, boxes]).detach()
    matches = match(box_iou(boxes, candidates), settings.roi_positive_iou, settings.roi_positive_iou)
    positive, negative = sample(matches, settings.roi_samples, settings.roi_positive_fraction)
    chosen = torch.cat([positive, negative]).sort().values
    objects = matches[chosen].clamp(min=0)
    classes = torch.zeros_like(objects)
    found = matches[chosen] != BACKGROUND
    classes[found] = labels[objects[found]]
    return Samples(candidates[chosen], classes, objects)


def box_head_losses(
    logits: Tensor, offsets: Tensor, samples: Sequence[Samples], boxes: Sequence[Tensor], settings: Settings
) -> dict[str, Tensor]:
    """Losses of the box branch (Fast R-CNN Eq. 1).

    Args:
        logits: R x K.
        offsets: R x K x 4.
        samples: For each image; R in all.
        boxes: For each image G x 4.
        settings: Where the box loss turns linear.

    Returns:
        "loss_classifier", cross entropy over all regions; "loss_box_reg", over those of objects and only for their
        class, divided by the number of all regions, so that a region counts the same however many are objects.
    """
    labels = torch.cat([of_image.labels for of_image in samples])
    if len(labels) == 0:  # nothing proposed and no object: the mean over nothing would not be a number
        return {"loss_classifier": logits.sum(), "loss_box_reg": offsets.sum()}
    wanted = []
    for of_image, objects in zip(samples, boxes, strict=True):
        positive = of_image.labels > 0
        wanted.append(
            encode_boxes(objects[of_image.objects[positive]], of_image.boxes[positive], BOX_HEAD_WEIGHTS),
        )
    positive = torch.where(labels > 0)[0]
    predicted = offsets[positive, labels[positive]]  # R+ x 4
    box_loss = F.smooth_l1_loss(predicted, torch.cat(wanted), beta=settings.box_loss_beta, reduction="sum")
    return {"loss_classifier": F.cross_entropy(logits, labels), "loss_box_reg": box_loss / len(labels)}


def refine_boxes(offsets: Tensor, proposals: Tensor, size: tuple[int, int]) -> Tensor:
    """Offsets R x K x 4 applied to the proposals R x 4 of an image of this size: R x K x 4."""
    return clip_boxes(decode_boxes(offsets, proposals[:, None], BOX_HEAD_WEIGHTS), size)


def choose_detections(boxes: Tensor, scores: Tensor, settings: Settings) -> tuple[Tensor, Tensor, Tensor]:
    """The detections of one image (Faster R-CNN; thresholds Mask R-CNN appendix B).

    Every class of every region is a candidate of its own: one region may be reported as two classes.

    Args:
        boxes: R x K x 4, from `refine_boxes`.
        scores: R x K probabilities.
        settings: Thresholds.

    Returns:
        Boxes D x 4, labels D in 1...K-1 and scores D, best first.
    """
    region, label = torch.where(scores[:, 1:] > settings.score_threshold)  # 0 is the background
    label = label + 1
    boxes, scores = boxes[region, label], scores[region, label]
    kept = has_area(boxes, least_side=1e-2)
    boxes, scores, label = boxes[kept], scores[kept], label[kept]
    best = suppress(boxes, scores, label, settings.nms_iou)[: settings.detections_per_image]
    return boxes[best], label[best], scores[best]
