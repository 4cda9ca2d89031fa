"""The exercises of lesson 11: statistics, calibration, bootstrap, U-Net's sizes and gaps, diagnosis, an experiment."""

from __future__ import annotations

from segtutor.exercises.lesson11.bootstrap import EXERCISE as BOOTSTRAP
from segtutor.exercises.lesson11.diagnosis import EXERCISE as DIAGNOSIS
from segtutor.exercises.lesson11.ece import EXERCISE as ECE
from segtutor.exercises.lesson11.experiment import EXERCISE as EXPERIMENT
from segtutor.exercises.lesson11.experiment import LABORATORY, experiment_at_night
from segtutor.exercises.lesson11.gaps import EXERCISE as GAPS
from segtutor.exercises.lesson11.reestimate import EXERCISE as REESTIMATE
from segtutor.exercises.lesson11.reports import six_reports
from segtutor.exercises.lesson11.temperature import EXERCISE as TEMPERATURE
from segtutor.exercises.lesson11.unet_sizes import EXERCISE as UNET_SIZES

__all__ = ["EXERCISES", "LABORATORY", "experiment_at_night", "six_reports"]

EXERCISES = (REESTIMATE, ECE, TEMPERATURE, BOOTSTRAP, UNET_SIZES, GAPS, DIAGNOSIS, EXPERIMENT)
