"""The networks by name: which body, which heads, which settings.

torchvision's two, whose weights fit key for key; a larger body of the paper; and one that trains on a processor.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import torchvision
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from segtutor.models.differences import Difference
from segtutor.models.mask_rcnn.fpn import Norm, PyramidBackbone, ResNetBody, SingleLevelBackbone, TinyBody
from segtutor.models.mask_rcnn.mask_head import MaskHead, MaskPredictor
from segtutor.models.mask_rcnn.network import MaskRCNN
from segtutor.models.mask_rcnn.roi_heads import BoxPredictor, ConvolutionalHead, RoIHeads, TwoLayerHead
from segtutor.models.mask_rcnn.rpn import RegionProposalNetwork, RPNHead
from segtutor.models.mask_rcnn.settings import Compat, MaskActivation, RoIPooling, Settings, settings_for

BodyNorm = Literal["batch", "frozen"]


def _norm_layer(norm: BodyNorm, eps: float) -> Any:
    if norm == "batch":
        return partial(nn.BatchNorm2d, eps=eps)
    if norm == "frozen":
        return partial(FrozenBatchNorm2d, eps=eps)
    raise ValueError(f"norm must be 'batch' or 'frozen', but {norm!r} came")


def _resnet_fpn(
    constructor: Any, num_classes: int, compat: Compat, norm: BodyNorm, norm_eps: float, frozen_stages: int, sides: Any
) -> MaskRCNN:
    """The paper's network: figure 4, right, on a pyramid."""
    settings = settings_for(compat, Settings(short_side=sides[0], long_side=sides[1]))
    body = ResNetBody(constructor(weights=None, norm_layer=_norm_layer(norm, norm_eps)), frozen_stages)
    backbone = PyramidBackbone(body)
    C = backbone.channels
    box_head = TwoLayerHead(C)
    heads = RoIHeads(
        box_head, BoxPredictor(box_head.out_features, num_classes), MaskHead(C), MaskPredictor(C, num_classes)
    )
    rpn = RegionProposalNetwork(RPNHead(C, settings.anchors_per_cell))
    return MaskRCNN(backbone, rpn, heads, settings)


def maskrcnn_resnet50_fpn(
    num_classes: int = 91,
    *,
    compat: Compat = "paper",
    norm: BodyNorm = "batch",
    norm_eps: float = 1e-5,
    frozen_stages: int = 0,
    short_side: int | None = 800,
    long_side: int = 1333,
) -> MaskRCNN:
    """Mask R-CNN with ResNet-50 and FPN (He et al. 2017), layer by layer torchvision's.

    Args:
        num_classes: K with background; COCO's numbers reach 90.
        compat: "paper", or "torchvision" to give exactly what torchvision's network gives: its weights were trained
            with rounded anchors and a RoIAlign shifted by half a pixel. ``weights="torchvision"`` sets this, and the
            three options below, as the published weights need them.
        norm: Batch norm of the body: "batch" learns, "frozen" keeps the statistics of its weights, as is usual with two
            images per device. Frozen without weights it does nothing at all.
        norm_eps: Summand below the root of the variance; 0 for torchvision's weights of 2019.
        frozen_stages: The first stages of the body that do not learn: 2 (stem and layer1) from ImageNet's weights.
        short_side: Images are resized to this; None keeps their size.
        long_side: At most this.
    """
    sides = (short_side, long_side)
    return _resnet_fpn(torchvision.models.resnet50, num_classes, compat, norm, norm_eps, frozen_stages, sides)


def maskrcnn_resnext101_fpn(
    num_classes: int = 91,
    *,
    compat: Compat = "paper",
    norm: BodyNorm = "batch",
    norm_eps: float = 1e-5,
    frozen_stages: int = 0,
    short_side: int | None = 800,
    long_side: int = 1333,
) -> MaskRCNN:
    """Mask R-CNN with ResNeXt-101 (Xie et al. 2017); arguments as `maskrcnn_resnet50_fpn`.

    The 32 groups of 8 channels are those of one of Detectron's models; the other has 64 of 4.
    """
    sides = (short_side, long_side)
    return _resnet_fpn(torchvision.models.resnext101_32x8d, num_classes, compat, norm, norm_eps, frozen_stages, sides)


def maskrcnn_resnet50_fpn_v2(
    num_classes: int = 91,
    *,
    compat: Compat = "paper",
    frozen_stages: int = 0,
    short_side: int | None = 800,
    long_side: int = 1333,
) -> MaskRCNN:
    """The improved one of torchvision: batch norm in pyramid and heads, a deeper RPN, convolutions in the box head.

    After Li et al.: Benchmarking Detection Transfer Learning with Vision Transformers, 2021. Arguments as
    `maskrcnn_resnet50_fpn`; batch norm learns everywhere.
    """
    settings = settings_for(compat, Settings(short_side=short_side, long_side=long_side))
    norm: Norm = nn.BatchNorm2d
    backbone = PyramidBackbone(ResNetBody(torchvision.models.resnet50(weights=None), frozen_stages), norm=norm)
    C = backbone.channels
    box_head = ConvolutionalHead(C, norm=norm)
    heads = RoIHeads(
        box_head,
        BoxPredictor(box_head.out_features, num_classes),
        MaskHead(C, norm=norm),
        MaskPredictor(C, num_classes),
    )
    rpn = RegionProposalNetwork(RPNHead(C, settings.anchors_per_cell, convolutions=2))
    return MaskRCNN(backbone, rpn, heads, settings)


def maskrcnn_tiny(
    num_classes: int = 21,
    *,
    fpn: bool = True,
    map_stride: int = 16,
    mask_branch: bool = True,
    class_agnostic_masks: bool = False,
    mask_activation: MaskActivation = "sigmoid",
    roi_pooling: RoIPooling = "align",
    frozen_stages: int = 0,
    mask_threshold: float = 0.5,
    short_side: int | None = None,
    long_side: int = 1333,
) -> MaskRCNN:
    """Every part of the large ones at a size that trains on a processor in minutes, on pictures of about 200 pixels.

    The pictures are not resized, if ``short_side`` is left as it is. Their things are small: the finest level has
    anchors of 12 pixels, not 32 as the paper's at the same stride, and the canonical size is half of the paper's. The
    mask branch has two convolutions with batch norm where the paper's has four without.

    Args:
        num_classes: K with background.
        fpn: Pyramid of strides 4 to 32; without, one map.
        map_stride: Stride of the one map, 16 or 32; of no meaning with a pyramid.
        mask_branch: Without it, this is Faster R-CNN.
        class_agnostic_masks: One mask for all classes.
        mask_activation: "sigmoid" or "softmax".
        roi_pooling: "align", "pool" or "round".
        frozen_stages: The first parts of the body that do not learn: 2 (stem and layer1) from a trained backbone.
        mask_threshold: Least probability of a pixel of the mask. Thin things, of which a network is less sure, gain by
            less than 0.5.
        short_side: Pictures are resized so that their shorter side has so many pixels, or None.
        long_side: Unless the longer one would then have more than these.
    """
    if not (isinstance(mask_threshold, (int, float)) and 0 < mask_threshold < 1):
        raise ValueError(f"mask_threshold must lie between 0 and 1, but {mask_threshold!r} came")
    if class_agnostic_masks and mask_activation == "softmax":
        raise ValueError("a softmax needs a mask per class: leave class_agnostic_masks or mask_activation as it is")
    channels, sizes = 64, (12, 24, 48, 96)
    settings = Settings(
        short_side=short_side,
        long_side=long_side,
        anchor_sizes=tuple((size,) for size in sizes) if fpn else (sizes,),
        rpn_samples=128,
        pre_nms_train=100,
        pre_nms_test=200,
        post_nms_train=100,
        post_nms_test=100,
        roi_pooling=roi_pooling,
        roi_samples=32,
        roi_positive_fraction=0.4,
        canonical_size=112,
        mask_activation=mask_activation,
        mask_threshold=mask_threshold,
    )
    body, norm = TinyBody(frozen_stages), nn.BatchNorm2d
    backbone = PyramidBackbone(body, channels, norm) if fpn else SingleLevelBackbone(body, channels, norm, map_stride)
    box_head = TwoLayerHead(channels, hidden=192)
    heads = RoIHeads(
        box_head,
        BoxPredictor(box_head.out_features, num_classes),
        MaskHead(channels, layers=2, norm=nn.BatchNorm2d) if mask_branch else None,
        MaskPredictor(channels, 1 if class_agnostic_masks else num_classes) if mask_branch else None,
    )
    return MaskRCNN(backbone, RegionProposalNetwork(RPNHead(channels, settings.anchors_per_cell)), heads, settings)


# Paper: Mask R-CNN 2017 and FPN 2017. Reference: Detectron and Detectron2. Ours: maskrcnn_resnet50_fpn, compat="paper".
DIFFERENCES = (
    Difference("anchors", "real numbers", "not rounded (Detectron2)", "rounded to pixels", "real numbers"),
    Difference("distance of anchors", "stride", "stride", "padded size // map size", "stride"),
    Difference(
        "RoIAlign", "2 x 2 samples, no rounding", "half-pixel shift, adaptive", "2 x 2, no shift", "2 x 2, shift"
    ),
    Difference("an object that no anchor touches", "-", "-", "best with every such anchor", "best with none"),
    Difference("box loss linear from", "1", "0 (Detectron2), 1 (Detectron)", "1/9", "1"),
    Difference("mask targets", "-", "thresholded at 0.5", "soft", "thresholded at 0.5"),
    Difference("pasting", "resized to the box", "at pixel centers", "box widened by a pixel", "at pixel centers"),
    Difference("proposals in training", "2000", "1000 (Detectron2)", "2000", "2000"),
    Difference(
        "RPN and heads", "trained one after the other; together in appendix B", "together", "together", "together"
    ),
    Difference("suppression of detections", "0.3; 0.5 in appendix B", "0.5", "0.5", "0.5"),
    Difference("masks returned", "thresholded at 0.5", "thresholded at 0.5", "probabilities", "thresholded at 0.5"),
)
