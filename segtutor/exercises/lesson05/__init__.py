"""The exercises of lesson 5: the geometry of Mask R-CNN by hand, from anchors to pasted masks."""

from __future__ import annotations

from segtutor.exercises.lesson05.box_iou import EXERCISE as BOX_IOU
from segtutor.exercises.lesson05.cell_anchors import EXERCISE as CELL_ANCHORS
from segtutor.exercises.lesson05.decoding import EXERCISE as DECODING
from segtutor.exercises.lesson05.encoding import EXERCISE as ENCODING
from segtutor.exercises.lesson05.experiment import EXERCISE as EXPERIMENT
from segtutor.exercises.lesson05.experiment import LABORATORY, experiment_with_mask_rcnn
from segtutor.exercises.lesson05.grid_anchors import EXERCISE as GRID_ANCHORS
from segtutor.exercises.lesson05.levels import EXERCISE as LEVELS
from segtutor.exercises.lesson05.lost import EXERCISE as LOST
from segtutor.exercises.lesson05.mask_loss import EXERCISE as MASK_LOSS
from segtutor.exercises.lesson05.matching import EXERCISE as MATCHING
from segtutor.exercises.lesson05.panoptic import EXERCISE as PANOPTIC
from segtutor.exercises.lesson05.paste import EXERCISE as PASTE
from segtutor.exercises.lesson05.roi_align import EXERCISE as ROI_ALIGN
from segtutor.exercises.lesson05.rpn_loss import EXERCISE as RPN_LOSS
from segtutor.exercises.lesson05.suppression import EXERCISE as SUPPRESSION

__all__ = ["EXERCISES", "LABORATORY", "experiment_with_mask_rcnn"]

EXERCISES = (
    CELL_ANCHORS,
    GRID_ANCHORS,
    BOX_IOU,
    MATCHING,
    ENCODING,
    DECODING,
    SUPPRESSION,
    LEVELS,
    ROI_ALIGN,
    PASTE,
    MASK_LOSS,
    RPN_LOSS,
    LOST,
    PANOPTIC,
    EXPERIMENT,
)
