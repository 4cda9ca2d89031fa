"""The exercises of lesson 8: attention, patches, positions, what attention costs, and a linear probe."""

from __future__ import annotations

from segtutor.exercises.lesson08.attend import EXERCISE as ATTEND
from segtutor.exercises.lesson08.attention_cost import EXERCISE as ATTENTION_COST
from segtutor.exercises.lesson08.patches import EXERCISE as PATCHES
from segtutor.exercises.lesson08.positions import EXERCISE as POSITIONS
from segtutor.exercises.lesson08.probe import EXERCISE as PROBE

__all__ = ["EXERCISES"]

EXERCISES = (ATTEND, PATCHES, POSITIONS, ATTENTION_COST, PROBE)
