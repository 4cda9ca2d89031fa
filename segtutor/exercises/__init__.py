"""Exercises: declared once, checked with hints, replaced by the course's solution where unsolved, and graded.

A lesson's exercises are declared in ``segtutor/exercises/lessonNN``; all else derives from the declarations.
"""

from __future__ import annotations

from segtutor.exercises.checking import check, use
from segtutor.exercises.record import progress
from segtutor.exercises.solutions import solution
from segtutor.exercises.variants import variant

__all__ = ["check", "progress", "solution", "use", "variant"]
