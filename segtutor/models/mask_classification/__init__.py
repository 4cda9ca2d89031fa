"""Mask classification: a set of masks, each with one class; semantic, instance and panoptic from the same output."""

from segtutor.models.mask_classification.variants import mask2former_resnet50, mask2former_tiny

__all__ = ["mask2former_resnet50", "mask2former_tiny"]
