"""Promptable segmentation: a click, a box or a rough mask in, masks of what may be meant out."""

from segtutor.models.sam.network import SegmentAnything
from segtutor.models.sam.variants import DIFFERENCES, sam_tiny, sam_vit_b, sam_vit_h, sam_vit_l

__all__ = ["DIFFERENCES", "SegmentAnything", "sam_tiny", "sam_vit_b", "sam_vit_h", "sam_vit_l"]
