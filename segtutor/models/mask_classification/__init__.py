"""Mask classification: a set of masks, each with one class; semantic, instance and panoptic from the same output."""

from segtutor.models.mask_classification.eomt import eomt_base, eomt_large, eomt_small, eomt_tiny
from segtutor.models.mask_classification.variants import (
    mask2former_resnet50,
    mask2former_tiny,
    maskformer_resnet50,
    maskformer_tiny,
)

__all__ = [
    "eomt_base",
    "eomt_large",
    "eomt_small",
    "eomt_tiny",
    "mask2former_resnet50",
    "mask2former_tiny",
    "maskformer_resnet50",
    "maskformer_tiny",
]
