"""The exercises of lesson 9: costs, matching, the loss at points, and two ways to read a set of masks."""

from __future__ import annotations

from segtutor.exercises.lesson09.assignment import EXERCISE as ASSIGNMENT
from segtutor.exercises.lesson09.at_points import EXERCISE as AT_POINTS
from segtutor.exercises.lesson09.pair_costs import EXERCISE as PAIR_COSTS
from segtutor.exercises.lesson09.panoptic import EXERCISE as PANOPTIC
from segtutor.exercises.lesson09.point_loss import EXERCISE as POINT_LOSS
from segtutor.exercises.lesson09.semantic import EXERCISE as SEMANTIC

__all__ = ["EXERCISES"]

EXERCISES = (PAIR_COSTS, ASSIGNMENT, AT_POINTS, POINT_LOSS, SEMANTIC, PANOPTIC)
