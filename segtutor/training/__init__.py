"""Training semantic networks: ``fit``, its settings, and the pieces it is made of."""

from segtutor.training.config import TrainingConfig, default_learning_rate
from segtutor.training.loop import TrainingResult, Validation, fit
from segtutor.training.losses import balanced_class_weights, cross_entropy, focal, ohem
from segtutor.training.optimizers import parameter_groups
from segtutor.training.region_losses import dice, lovasz_softmax
from segtutor.training.schedules import polynomial

__all__ = [
    "TrainingConfig",
    "TrainingResult",
    "Validation",
    "balanced_class_weights",
    "cross_entropy",
    "default_learning_rate",
    "dice",
    "fit",
    "focal",
    "lovasz_softmax",
    "ohem",
    "parameter_groups",
    "polynomial",
]
