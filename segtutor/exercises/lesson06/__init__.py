"""The exercises of lesson 6: the parts of DeepLab v2, v3 and v3+ by hand, and a step of the dense CRF."""

from __future__ import annotations

from segtutor.exercises.lesson06.aspp import EXERCISE as ASPP
from segtutor.exercises.lesson06.atrous import EXERCISE as ATROUS
from segtutor.exercises.lesson06.cost import EXERCISE as COST
from segtutor.exercises.lesson06.decoder import EXERCISE as DECODER
from segtutor.exercises.lesson06.experiment import EXERCISE as EXPERIMENT
from segtutor.exercises.lesson06.experiment import LABORATORY, experiment_with_deeplab
from segtutor.exercises.lesson06.image_pooling import EXERCISE as IMAGE_POOLING
from segtutor.exercises.lesson06.map_rates import EXERCISE as MAP_RATES
from segtutor.exercises.lesson06.mean_field import EXERCISE as MEAN_FIELD
from segtutor.exercises.lesson06.pair_kernel import EXERCISE as PAIR_KERNEL
from segtutor.exercises.lesson06.protocols import EXERCISE as PROTOCOLS
from segtutor.exercises.lesson06.rates import EXERCISE as RATES
from segtutor.exercises.lesson06.score_fusion import EXERCISE as SCORE_FUSION
from segtutor.exercises.lesson06.separable import EXERCISE as SEPARABLE
from segtutor.exercises.lesson06.unary import EXERCISE as UNARY
from segtutor.exercises.lesson06.valid_taps import EXERCISE as VALID_TAPS

__all__ = ["EXERCISES", "LABORATORY", "experiment_with_deeplab"]

EXERCISES = (
    ATROUS,
    RATES,
    VALID_TAPS,
    IMAGE_POOLING,
    ASPP,
    SEPARABLE,
    COST,
    DECODER,
    SCORE_FUSION,
    UNARY,
    PAIR_KERNEL,
    MEAN_FIELD,
    MAP_RATES,
    PROTOCOLS,
    EXPERIMENT,
)
