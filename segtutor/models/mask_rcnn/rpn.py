"""Region proposal network: where is an object, whatever it is?

Ren, He, Girshick, Sun: Faster R-CNN, 2015, §3.1; on a pyramid FPN §4.1.

    each level --> 3x3, ReLU --+-- 1x1 --> objectness, 1 per anchor --+--> best per level --> NMS --> proposals
                               +-- 1x1 --> offsets, 4 per anchor -----+

Shapes: B images, C channels, h w feature map, A anchors of a level, R proposals of an image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import box_iou

from segtutor.models.mask_rcnn.anchors import pyramid_anchors
from segtutor.models.mask_rcnn.box_coding import clip_boxes, decode_boxes, encode_boxes, has_area
from segtutor.models.mask_rcnn.fpn import convolution
from segtutor.models.mask_rcnn.matching import match, sample, suppress
from segtutor.models.mask_rcnn.settings import Settings
from segtutor.models.mask_rcnn.stages import Proposals, Stages


class RPNHead(nn.Module):
    """One small network that slides over all levels.

    Args:
        channels: C.
        anchors_per_cell: Anchors at each position.
        convolutions: 3 x 3 convolutions before the two predictions.
    """

    def __init__(self, channels: int, anchors_per_cell: int, convolutions: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(*[convolution(channels, channels, 3, relu=True) for _ in range(convolutions)])
        self.cls_logits = nn.Conv2d(channels, anchors_per_cell, 1)
        self.bbox_pred = nn.Conv2d(channels, 4 * anchors_per_cell, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)  # Faster R-CNN §3.1.3
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Level B x C x h x w to logits B x A and offsets B x A x 4, in the order of `grid_anchors`."""
        B = features.shape[0]
        hidden = self.conv(features)
        logits = self.cls_logits(hidden).permute(0, 2, 3, 1).reshape(B, -1)
        offsets = self.bbox_pred(hidden).permute(0, 2, 3, 1).reshape(B, -1, 4)  # 4 numbers of an anchor side by side
        return logits, offsets


class RegionProposalNetwork(nn.Module):
    """Head, choice of proposals, losses.

    Args:
        head: An `RPNHead`.
    """

    def __init__(self, head: RPNHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, stages: Stages, settings: Settings) -> None:
        """Fills anchors, objectness, offsets and proposals of the stages, from their features."""
        maps = list(stages.features.values())
        stages.anchors = pyramid_anchors(maps, stages.strides, stages.padded_size, settings)
        outputs = [self.head(features) for features in maps]
        stages.objectness = [logits for logits, _ in outputs]
        stages.anchor_offsets = [offsets for _, offsets in outputs]

        before, after = settings.pre_nms_test, settings.post_nms_test
        if self.training:
            before, after = settings.pre_nms_train, settings.post_nms_train
        for image, size in enumerate(stages.image_sizes):
            candidates = best_of_each_level(stages, image, size, before)
            kept = suppress(candidates.boxes, candidates.scores, candidates.levels, settings.proposal_nms_iou)[:after]
            stages.proposals_before_nms.append(candidates)
            stages.proposals.append(
                Proposals(candidates.boxes[kept], candidates.scores[kept], candidates.levels[kept]),
            )


def best_of_each_level(stages: Stages, image: int, size: tuple[int, int], count: int) -> Proposals:
    """The ``count`` anchors of each level with the highest objectness, moved to where the offsets lead.

    Per level *and* per image: with a choice over the batch, one image's proposals would depend on the others.
    """
    boxes, scores, levels = [], [], []
    for level, anchors in enumerate(stages.anchors):
        # Detached: no gradient flows through the coordinates of a proposal (Faster R-CNN §3.2, approximate training).
        logits = stages.objectness[level][image].detach().float()
        offsets = stages.anchor_offsets[level][image].detach()
        best, index = logits.topk(min(count, len(logits)))
        moved = clip_boxes(decode_boxes(offsets[index], anchors[index]), size)
        kept = has_area(moved, least_side=1e-3)
        boxes.append(moved[kept])
        scores.append(best[kept].sigmoid())
        levels.append(torch.full_like(index[kept], level))
    return Proposals(torch.cat(boxes), torch.cat(scores), torch.cat(levels))


def rpn_losses(stages: Stages, boxes: Sequence[Tensor], settings: Settings) -> dict[str, Tensor]:
    """Losses of the region proposal network (Faster R-CNN Eq. 1).

    Args:
        stages: With anchors, objectness and offsets.
        boxes: For each image G x 4, the objects; G may be 0, then all anchors are background.
        settings: Thresholds and numbers of samples.

    Returns:
        "loss_objectness", mean over the sampled anchors; "loss_rpn_box_reg", sum over those of objects, divided by the
        number of all sampled.
    """
    anchors = torch.cat(stages.anchors)
    objectness = torch.cat(stages.objectness, dim=1)  # B x (anchors of all levels)
    offsets = torch.cat(stages.anchor_offsets, dim=1)
    logits, is_object, predicted, wanted = [], [], [], []
    for image, objects in enumerate(boxes):
        matches = match(
            box_iou(objects, anchors), settings.rpn_positive_iou, settings.rpn_negative_iou, force_best=True
        )
        positive, negative = sample(matches, settings.rpn_samples, settings.rpn_positive_fraction)
        logits += [objectness[image, positive], objectness[image, negative]]
        is_object += [torch.ones_like(logits[-2]), torch.zeros_like(logits[-1])]
        predicted.append(offsets[image, positive])
        wanted.append(encode_boxes(objects[matches[positive]], anchors[positive]))
    sampled = torch.cat(logits)
    box_loss = F.smooth_l1_loss(torch.cat(predicted), torch.cat(wanted), beta=1 / 9, reduction="sum")
    return {
        "loss_objectness": F.binary_cross_entropy_with_logits(sampled, torch.cat(is_object)),
        "loss_rpn_box_reg": box_loss / max(1, len(sampled)),
    }
