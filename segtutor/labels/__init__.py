"""Label sets: what each number in a label map means, and the color it is drawn in.

A label map is an H x W array of class numbers. One value, the ignore index (255 unless said otherwise), marks *void*:
pixels that count nowhere, neither in a loss nor in a metric.
"""

from segtutor.labels.camvid import CAMVID
from segtutor.labels.cityscapes import CITYSCAPES, CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS
from segtutor.labels.coco import (
    COCO,
    COCO_91,
    COCO_IDS,
    COCO_PANOPTIC,
    COCO_PANOPTIC_IDS,
    COCO_STUFF,
    COCO_STUFF_IDS,
    COCO_STUFF_THINGS,
    COCO_STUFF_THINGS_IDS,
)
from segtutor.labels.imagenet import imagenet_class, imagenet_classes
from segtutor.labels.label_set import Color, LabelSet, voc_colormap, voc_colors
from segtutor.labels.pascal_context import PASCAL_CONTEXT_59, PASCAL_CONTEXT_60, PASCAL_CONTEXT_459
from segtutor.labels.photographs import PHOTOGRAPHS
from segtutor.labels.voc import SCENES, VOC2012

__all__ = [
    "CAMVID",
    "CITYSCAPES",
    "CITYSCAPES_IDS",
    "CITYSCAPES_TRAIN_IDS",
    "COCO",
    "COCO_91",
    "COCO_IDS",
    "COCO_PANOPTIC",
    "COCO_PANOPTIC_IDS",
    "COCO_STUFF",
    "COCO_STUFF_IDS",
    "COCO_STUFF_THINGS",
    "COCO_STUFF_THINGS_IDS",
    "PASCAL_CONTEXT_59",
    "PASCAL_CONTEXT_60",
    "PASCAL_CONTEXT_459",
    "PHOTOGRAPHS",
    "SCENES",
    "VOC2012",
    "Color",
    "LabelSet",
    "imagenet_class",
    "imagenet_classes",
    "voc_colormap",
    "voc_colors",
]
