"""The exercises of lesson 10: tokens of prompts, shapes, the loss of the best, IoU of logits, clicks, an experiment."""

from __future__ import annotations

from segtutor.exercises.lesson10.best_of_three import EXERCISE as BEST_OF_THREE
from segtutor.exercises.lesson10.experiment import EXERCISE as EXPERIMENT
from segtutor.exercises.lesson10.experiment import LABORATORY, experiment_with_sam
from segtutor.exercises.lesson10.logit_iou import EXERCISE as LOGIT_IOU
from segtutor.exercises.lesson10.next_click import EXERCISE as NEXT_CLICK
from segtutor.exercises.lesson10.prompt_tokens import EXERCISE as PROMPT_TOKENS
from segtutor.exercises.lesson10.two_way_shapes import EXERCISE as TWO_WAY_SHAPES

__all__ = ["EXERCISES", "LABORATORY", "experiment_with_sam"]

EXERCISES = (PROMPT_TOKENS, TWO_WAY_SHAPES, BEST_OF_THREE, LOGIT_IOU, NEXT_CLICK, EXPERIMENT)
