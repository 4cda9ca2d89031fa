"""Training: ``fit`` for label maps, ``fit_detector`` and ``fit_panoptic`` for objects, and the pieces of all."""

from segtutor.training.asking import PromptSettings
from segtutor.training.config import TrainingConfig, default_learning_rate
from segtutor.training.detection import DetectionResult, DetectorValidation, fit_detector
from segtutor.training.detection_stream import InMemory
from segtutor.training.loop import TrainingResult, Validation, fit
from segtutor.training.losses import balanced_class_weights, cross_entropy, focal, median_frequency_weights, ohem
from segtutor.training.optimizers import parameter_groups
from segtutor.training.panoptic import PanopticResult, PanopticValidation, fit_panoptic
from segtutor.training.prompts import PromptResult, PromptValidation, fit_prompts
from segtutor.training.region_losses import dice, lovasz_softmax
from segtutor.training.schedules import polynomial
from segtutor.training.statistics import reestimate_statistics

__all__ = [
    "DetectionResult",
    "DetectorValidation",
    "InMemory",
    "PanopticResult",
    "PanopticValidation",
    "PromptResult",
    "PromptSettings",
    "PromptValidation",
    "TrainingConfig",
    "TrainingResult",
    "Validation",
    "balanced_class_weights",
    "cross_entropy",
    "default_learning_rate",
    "dice",
    "fit",
    "fit_detector",
    "fit_panoptic",
    "fit_prompts",
    "focal",
    "lovasz_softmax",
    "median_frequency_weights",
    "ohem",
    "parameter_groups",
    "polynomial",
    "reestimate_statistics",
]
