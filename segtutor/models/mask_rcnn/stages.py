"""What passes from one stage to the next, kept so that it can be looked at: ``model.trace(images)``.

Shapes: B images, C channels, K classes, H W the padded batch, h w feature map, A anchors of a level, R regions of an
image. Boxes are in pixels of the resized image, where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Proposals:
    """Regions of one image that may hold an object.

    Attributes:
        boxes: R x 4, cut at the image's borders.
        scores: R, probability of an object.
        levels: R, index of the level of the pyramid whose anchors they come from.
    """

    boxes: Tensor
    scores: Tensor
    levels: Tensor


@dataclass
class Stages:
    """Intermediate results of one pass, in the order in which they arise.

    Attributes:
        images: B x 3 x H x W, resized, normalized and padded.
        image_sizes: Height and width of each, without the padding.
        features: Level name to map B x C x h x w.
        strides: Stride of each level.
        anchors: For each level A x 4, the same for all images.
        objectness: For each level logits B x A.
        anchor_offsets: For each level B x A x 4, encoded by `encode_boxes`.
        proposals_before_nms: The best of each level, for each image.
        proposals: What suppression left, for each image.
        roi_levels: For each image, the index of the level from which each proposal is pooled.
        class_scores: For each image R x K probabilities; column 0 is the background.
        refined_boxes: For each image R x K x 4: each proposal moved as each class would have it.
        detected_boxes: For each image, the boxes of the detections.
        detected_labels: Their classes.
        detected_scores: Their probabilities.
        mask_levels: For each image, the index of the level from which each detection's mask is pooled.
        mask_probabilities: For each image R x 28 x 28, the mask of the detected class in the box's own frame.
        detections: What the network returns: boxes, labels, scores and masks in the image as it came.
    """

    images: Tensor
    image_sizes: list[tuple[int, int]]
    features: dict[str, Tensor] = field(default_factory=dict)
    strides: tuple[int, ...] = ()
    anchors: list[Tensor] = field(default_factory=list)
    objectness: list[Tensor] = field(default_factory=list)
    anchor_offsets: list[Tensor] = field(default_factory=list)
    proposals_before_nms: list[Proposals] = field(default_factory=list)
    proposals: list[Proposals] = field(default_factory=list)
    roi_levels: list[Tensor] = field(default_factory=list)
    class_scores: list[Tensor] = field(default_factory=list)
    refined_boxes: list[Tensor] = field(default_factory=list)
    detected_boxes: list[Tensor] = field(default_factory=list)
    detected_labels: list[Tensor] = field(default_factory=list)
    detected_scores: list[Tensor] = field(default_factory=list)
    mask_levels: list[Tensor] = field(default_factory=list)
    mask_probabilities: list[Tensor] = field(default_factory=list)
    detections: list[dict[str, Tensor]] = field(default_factory=list)

    @property
    def padded_size(self) -> tuple[int, int]:
        """H and W of the batch."""
        return self.images.shape[-2], self.images.shape[-1]
