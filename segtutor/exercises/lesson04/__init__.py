"""The exercises of lesson 4: dilation, pyramid pooling and the training of PSPNet by hand."""

from __future__ import annotations

from segtutor.exercises.lesson04.adaptive_pooling import EXERCISE as ADAPTIVE_POOLING
from segtutor.exercises.lesson04.auxiliary_loss import EXERCISE as AUXILIARY_LOSS
from segtutor.exercises.lesson04.cost import EXERCISE as COST
from segtutor.exercises.lesson04.dilated_convolution import EXERCISE as DILATED_CONVOLUTION
from segtutor.exercises.lesson04.dilated_stages import EXERCISE as DILATED_STAGES
from segtutor.exercises.lesson04.experiment import EXERCISE as EXPERIMENT
from segtutor.exercises.lesson04.experiment import LABORATORY, experiment_with_pspnet
from segtutor.exercises.lesson04.folding import EXERCISE as FOLDING
from segtutor.exercises.lesson04.gridding import EXERCISE as GRIDDING
from segtutor.exercises.lesson04.learning_rates import EXERCISE as LEARNING_RATES
from segtutor.exercises.lesson04.pyramid import EXERCISE as PYRAMID
from segtutor.exercises.lesson04.receptive_field import EXERCISE as RECEPTIVE_FIELD

__all__ = ["EXERCISES", "LABORATORY", "experiment_with_pspnet"]

EXERCISES = (
    RECEPTIVE_FIELD,
    DILATED_CONVOLUTION,
    GRIDDING,
    DILATED_STAGES,
    ADAPTIVE_POOLING,
    FOLDING,
    COST,
    PYRAMID,
    AUXILIARY_LOSS,
    LEARNING_RATES,
    EXPERIMENT,
)
