"""Mask R-CNN, one idea per file, in the order in which data flows.

`resizing` > `fpn` > `anchors`, `rpn` > `matching`, `box_coding` > `roi_pooling` > `roi_heads` > `mask_head` > `paste`;
`network` puts them together, `variants` names the networks, `settings` holds every number, `stages` what is in between.
"""

from segtutor.models.mask_rcnn.network import MaskRCNN
from segtutor.models.mask_rcnn.settings import Settings
from segtutor.models.mask_rcnn.stages import Proposals, Stages
from segtutor.models.mask_rcnn.variants import (
    DIFFERENCES,
    maskrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn_v2,
    maskrcnn_resnext101_fpn,
    maskrcnn_tiny,
)

__all__ = [
    "DIFFERENCES",
    "MaskRCNN",
    "Proposals",
    "Settings",
    "Stages",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnext101_fpn",
    "maskrcnn_tiny",
]
