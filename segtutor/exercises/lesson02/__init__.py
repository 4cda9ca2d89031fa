"""The exercises of lesson 2: the formats of the data sets by hand, and the tests that catch ten broken loaders."""

from __future__ import annotations

from segtutor.exercises.lesson02.class_weights import EXERCISE as CLASS_WEIGHTS
from segtutor.exercises.lesson02.counts import EXERCISE as COUNTS
from segtutor.exercises.lesson02.invented import EXERCISE as INVENTED
from segtutor.exercises.lesson02.moved import EXERCISE as MOVED
from segtutor.exercises.lesson02.palette import EXERCISE as PALETTE
from segtutor.exercises.lesson02.panoptic_colors import EXERCISE as PANOPTIC_COLORS
from segtutor.exercises.lesson02.panoptic_labels import EXERCISE as PANOPTIC_LABELS
from segtutor.exercises.lesson02.pixels import EXERCISE as PIXELS
from segtutor.exercises.lesson02.puzzle import EXERCISE as PUZZLE
from segtutor.exercises.lesson02.puzzle import open_loader
from segtutor.exercises.lesson02.repeatable import EXERCISE as REPEATABLE
from segtutor.exercises.lesson02.rle import EXERCISE as RLE
from segtutor.exercises.lesson02.split import EXERCISE as SPLIT
from segtutor.exercises.lesson02.train_ids import EXERCISE as TRAIN_IDS

__all__ = ["EXERCISES", "open_loader"]

EXERCISES = (
    PALETTE,
    RLE,
    PANOPTIC_LABELS,
    PANOPTIC_COLORS,
    TRAIN_IDS,
    CLASS_WEIGHTS,
    SPLIT,
    INVENTED,
    COUNTS,
    MOVED,
    PIXELS,
    REPEATABLE,
    PUZZLE,
)
