"""Every number of Mask R-CNN that is not a weight, with the paper's value as its default.

A network carries its settings in ``model.settings``. They hold no shape of any weight, so they may be exchanged between
two calls: ``model.settings = dataclasses.replace(model.settings, nms_iou=0.3)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

RoIPooling = Literal["align", "pool", "round"]
MaskActivation = Literal["sigmoid", "softmax"]
Compat = Literal["paper", "torchvision"]


@dataclass(frozen=True)
class Settings:
    """Settings of the stages, in the order in which data flows.

    Attributes:
        short_side: Images are resized so that their shorter side has this many pixels (§3.1); None keeps their size.
        long_side: Unless the longer one then had more than this.
        size_divisor: Batches are padded to a multiple of this.
        anchor_sizes: Square root of the anchors' area in pixels, for each level of the pyramid (FPN §4.1).
        anchor_ratios: Height over width.
        round_anchors: Round the corners to whole pixels, which changes the area by up to 2 %.
        infer_anchor_strides: Take padded size // map size for the distance of anchors, not the map's true stride. The
            two differ where a map's size was rounded up.
        rpn_positive_iou: An anchor with at least this IoU is an object (FPN §4.1).
        rpn_negative_iou: One with less than this IoU with all objects is background.
        rpn_samples: Anchors per image in the loss.
        rpn_positive_fraction: At most this part of them objects.
        pre_nms_train: Proposals per level with the best scores that enter suppression, in training.
        pre_nms_test: The same in evaluation.
        post_nms_train: Proposals per image that leave it, in training.
        post_nms_test: The same in evaluation.
        proposal_nms_iou: Of two proposals of a level with more than this IoU, the better stays.
        roi_positive_iou: A proposal with at least this IoU is an object, all others are background (§3.1).
        roi_samples: Proposals per image in the loss of the heads.
        roi_positive_fraction: At most this part of them objects.
        roi_pooling: "align" samples between the pixels (§3); "pool" rounds the region and its bins to whole positions
            of the map and takes maxima; "round" rounds the region as "pool" does, then samples as "align" does.
        half_pixel: RoIAlign counts from the centers of pixels, as it should; without, it is shifted by half a pixel.
        canonical_size: A region of this side is pooled from the map of stride 16 (FPN Eq. 1).
        box_loss_beta: Where the smooth L1 loss of the box head turns linear; the RPN's is always 1/9.
        mask_activation: "sigmoid", one mask per class without competition (§3), or "softmax" over the classes.
        binary_mask_targets: Threshold the target of the mask loss at 0.5; otherwise it has soft borders.
        score_threshold: Least probability of a detection.
        nms_iou: Of two detections of a class with more than this IoU, the better stays.
        detections_per_image: The best this many get a mask.
        mask_threshold: Least probability of a pixel of the mask.
        legacy_paste: Paste masks as in torchvision, one pixel too far on the right and below.
    """

    short_side: int | None = 800
    long_side: int = 1333
    size_divisor: int = 32
    anchor_sizes: tuple[tuple[int, ...], ...] = ((32,), (64,), (128,), (256,), (512,))
    anchor_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    round_anchors: bool = False
    infer_anchor_strides: bool = False
    rpn_positive_iou: float = 0.7
    rpn_negative_iou: float = 0.3
    rpn_samples: int = 256
    rpn_positive_fraction: float = 0.5
    pre_nms_train: int = 2000
    pre_nms_test: int = 1000
    post_nms_train: int = 2000
    post_nms_test: int = 1000
    proposal_nms_iou: float = 0.7
    roi_positive_iou: float = 0.5
    roi_samples: int = 512
    roi_positive_fraction: float = 0.25
    roi_pooling: RoIPooling = "align"
    half_pixel: bool = True
    canonical_size: int = 224
    box_loss_beta: float = 1.0
    mask_activation: MaskActivation = "sigmoid"
    binary_mask_targets: bool = True
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    detections_per_image: int = 100
    mask_threshold: float = 0.5
    legacy_paste: bool = False

    def __post_init__(self) -> None:
        for name, allowed in (("roi_pooling", ("align", "pool", "round")), ("mask_activation", ("sigmoid", "softmax"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, but {getattr(self, name)!r} came")
        if self.short_side is not None and not 1 <= self.short_side <= self.long_side:
            raise ValueError(
                f"short_side must be from 1 to long_side, or None to keep the images' size, but short_side="
                f"{self.short_side} and long_side={self.long_side} came"
            )

    @property
    def anchors_per_cell(self) -> int:
        """Number of anchors at each position of a map; the same on all levels."""
        counts = {len(sizes) for sizes in self.anchor_sizes}
        if len(counts) != 1:
            raise ValueError(f"each level must have as many anchor sizes as the others, but {self.anchor_sizes} came")
        return counts.pop() * len(self.anchor_ratios)


def settings_for(compat: Compat, settings: Settings) -> Settings:
    """The settings as they are, or changed to what torchvision's weights were trained with.

    Args:
        compat: "paper", or "torchvision" to compute exactly what its network does.
        settings: The rest.
    """
    if compat == "paper":
        return settings
    if compat == "torchvision":
        return replace(
            settings,
            round_anchors=True,
            infer_anchor_strides=True,
            half_pixel=False,
            box_loss_beta=1 / 9,
            binary_mask_targets=False,
            legacy_paste=True,
        )
    raise ValueError(f"compat must be 'paper' or 'torchvision', but {compat!r} came")
