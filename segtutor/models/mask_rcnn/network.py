"""Mask R-CNN: Faster R-CNN with a third branch that draws each object's mask.

He, Gkioxari, Dollár, Girshick: Mask R-CNN, 2017.

    images --> body --> pyramid --+--> RPN --> proposals
                                  |               |
                                  +--> RoIAlign --+--> box branch  --> classes, refined boxes --> NMS
                                  |                                                                |
                                  +--> RoIAlign ---------------------> mask branch <---------------+
                                                                            |
                                                                          paste --> detections

In training the mask branch sees the proposals of objects; in evaluation the refined boxes, which are better.

Shapes: B images, C channels, K classes with background 0, H W the padded batch, R regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.models.inputs import Preprocessing
from segtutor.models.mask_rcnn.box_coding import resize_boxes
from segtutor.models.mask_rcnn.fpn import PyramidBackbone, SingleLevelBackbone
from segtutor.models.mask_rcnn.mask_head import (
    MASK_BINS,
    mask_loss,
    mask_probabilities,
    mask_targets,
    split_by_image,
)
from segtutor.models.mask_rcnn.paste import paste_masks
from segtutor.models.mask_rcnn.resizing import make_batch, resize_target
from segtutor.models.mask_rcnn.roi_heads import (
    BOX_BINS,
    RoIHeads,
    Samples,
    box_head_losses,
    choose_detections,
    refine_boxes,
    sample_regions,
)
from segtutor.models.mask_rcnn.roi_pooling import pool_regions
from segtutor.models.mask_rcnn.rpn import RegionProposalNetwork, rpn_losses
from segtutor.models.mask_rcnn.settings import Settings
from segtutor.models.mask_rcnn.stages import Stages
from segtutor.models.mask_rcnn.targets import Target, check_images, check_targets


class MaskRCNN(nn.Module):
    """The network and its stages.

    Args:
        backbone: Images to levels.
        rpn: Levels to proposals.
        roi_heads: Regions to classes, boxes and masks.
        settings: Everything that is no weight.

    Attributes:
        preprocessing: Mean and standard deviation; the network normalizes, resizes and pads by itself.
    """

    def __init__(
        self,
        backbone: PyramidBackbone | SingleLevelBackbone,
        rpn: RegionProposalNetwork,
        roi_heads: RoIHeads,
        settings: Settings,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads
        self.settings = settings
        self.preprocessing = Preprocessing()

    @property
    def num_classes(self) -> int:
        """Number of classes K, background included."""
        return self.roi_heads.box_predictor.cls_score.out_features

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers with outputs per class: what fine-tuning to other classes replaces."""
        layers = ["roi_heads.box_predictor.cls_score", "roi_heads.box_predictor.bbox_pred"]
        if self.roi_heads.mask_predictor is not None:
            layers.append("roi_heads.mask_predictor.mask_fcn_logits")
        return tuple(layers)

    def forward(
        self, images: Sequence[Tensor] | Tensor, targets: Sequence[dict[str, Any]] | None = None
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Losses in training, detections in evaluation.

        Args:
            images: List of 3 x H x W, of any sizes, or B x 3 x H x W; uint8, or floating point in 0-1. Not normalized:
                the network does that itself.
            targets: In training, for each image a dict of boxes (G x 4), labels (G, from 1) and masks (G x H x W); an
                image without objects has G = 0.

        Returns:
            In training a dict of losses: loss_objectness, loss_rpn_box_reg, loss_classifier, loss_box_reg, loss_mask;
            their sum is minimized, all with weight 1. In evaluation for each image a dict of boxes R x 4, labels R,
            scores R, best first, and masks R x H x W bool, at the size of the image as it came.

        Raises:
            ValueError: If images or targets do not fit, naming the image and the box; nothing has changed then.
        """
        images = check_images(images)
        device = self.roi_heads.box_predictor.cls_score.weight.device
        checked: list[Target] = []
        if self.training:
            with_masks = self.roi_heads.mask_head is not None
            checked = check_targets(targets, images, self.num_classes, with_masks, device)
        stages = self._extract(images, device)
        self.rpn(stages, self.settings)
        if not self.training:
            return self._detect(stages, images).detections
        resized = [
            resize_target(target, (image.shape[-2], image.shape[-1]), size)
            for target, image, size in zip(checked, images, stages.image_sizes, strict=True)
        ]
        return self._losses(stages, resized)

    def trace(self, images: Sequence[Tensor] | Tensor) -> Stages:
        """Every stage of one evaluation, to be looked at. The mode of the network stays as it was.

        Args:
            images: As for `forward`.
        """
        images = check_images(images)
        training = [module for module in self.modules() if module.training]
        self.eval()
        try:
            with torch.no_grad():
                stages = self._extract(images, self.roi_heads.box_predictor.cls_score.weight.device)
                self.rpn(stages, self.settings)
                return self._detect(stages, images)
        finally:
            for module in training:
                module.training = True

    def _extract(self, images: list[Tensor], device: torch.device) -> Stages:
        """Resized, normalized, padded; then the levels."""
        normalized = [self.preprocessing.normalize(image.as_subclass(Tensor).to(device)) for image in images]
        batch, sizes = make_batch(normalized, self.settings)
        return Stages(batch, sizes, self.backbone(batch), self.backbone.strides)

    def _pool(self, stages: Stages, boxes: Sequence[Tensor], bins: int) -> tuple[Tensor, list[Tensor]]:
        pooled = self.backbone.pooled_levels
        maps = list(stages.features.values())[:pooled]
        return pool_regions(maps, stages.strides[:pooled], boxes, bins, self.settings)

    def _losses(self, stages: Stages, targets: list[Target]) -> dict[str, Tensor]:
        boxes = [target.boxes for target in targets]
        losses = rpn_losses(stages, boxes, self.settings)

        samples = [
            sample_regions(proposals.boxes, target.boxes, target.labels, self.settings)
            for proposals, target in zip(stages.proposals, targets, strict=True)
        ]
        regions, _ = self._pool(stages, [of_image.boxes for of_image in samples], BOX_BINS)
        logits, offsets = self.roi_heads.box_predictor(self.roi_heads.box_head(regions))
        losses |= box_head_losses(logits, offsets, samples, boxes, self.settings)
        if self.roi_heads.mask_head is not None:
            losses["loss_mask"] = self._mask_loss(stages, samples, targets)
        return losses

    def _mask_loss(self, stages: Stages, samples: list[Samples], targets: list[Target]) -> Tensor:
        """Only regions of objects have a mask to learn."""
        positive = [torch.where(of_image.labels > 0)[0] for of_image in samples]
        boxes = [of_image.boxes[chosen] for of_image, chosen in zip(samples, positive, strict=True)]
        logits = self._mask_logits(stages, boxes)[0]
        labels = torch.cat([of_image.labels[chosen] for of_image, chosen in zip(samples, positive, strict=True)])
        wanted = [
            mask_targets(target.masks, inside, of_image.objects[chosen], logits.shape[-1], self.settings)
            for target, inside, of_image, chosen in zip(targets, boxes, samples, positive, strict=True)
            if target.masks is not None
        ]
        return mask_loss(logits, torch.cat(wanted), labels, self.settings)

    def _mask_logits(self, stages: Stages, boxes: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """R x K x 28 x 28, and the level from which each was pooled."""
        assert self.roi_heads.mask_head is not None
        assert self.roi_heads.mask_predictor is not None
        regions, levels = self._pool(stages, boxes, MASK_BINS)
        return self.roi_heads.mask_predictor(self.roi_heads.mask_head(regions)), levels

    def _detect(self, stages: Stages, images: list[Tensor]) -> Stages:
        """From the proposals to the detections; every step is kept."""
        proposals = [of_image.boxes for of_image in stages.proposals]
        regions, stages.roi_levels = self._pool(stages, proposals, BOX_BINS)
        logits, offsets = self.roi_heads.box_predictor(self.roi_heads.box_head(regions))
        stages.class_scores = split_by_image(logits.float().softmax(dim=1), proposals)
        moves = split_by_image(offsets, proposals)
        for move, scores, boxes, size in zip(moves, stages.class_scores, proposals, stages.image_sizes, strict=True):
            stages.refined_boxes.append(refine_boxes(move, boxes, size))
            found = choose_detections(stages.refined_boxes[-1], scores, self.settings)
            stages.detected_boxes.append(found[0])
            stages.detected_labels.append(found[1])
            stages.detected_scores.append(found[2])
        if self.roi_heads.mask_head is not None:
            mask_logits, stages.mask_levels = self._mask_logits(stages, stages.detected_boxes)
            probabilities = mask_probabilities(mask_logits.float(), torch.cat(stages.detected_labels), self.settings)
            stages.mask_probabilities = split_by_image(probabilities, stages.detected_boxes)

        for index, image in enumerate(images):
            original = image.shape[-2], image.shape[-1]
            boxes = resize_boxes(stages.detected_boxes[index], stages.image_sizes[index], original)
            detection = {
                "boxes": boxes,
                "labels": stages.detected_labels[index],
                "scores": stages.detected_scores[index],
            }
            if self.roi_heads.mask_head is not None:
                detection["masks"] = paste_masks(
                    stages.mask_probabilities[index],
                    boxes,
                    original,
                    self.settings.mask_threshold,
                    self.settings.legacy_paste,
                )
            stages.detections.append(detection)
        return stages
