"""Using a network: a picture in, labels of its size or its objects out; a data set in, its score out."""

from segtutor.inference.detect import DetectorEvaluation, detect, evaluate_detector
from segtutor.inference.evaluate import Evaluation, evaluate
from segtutor.inference.images import load_image
from segtutor.inference.predict import evaluating, predict

__all__ = [
    "DetectorEvaluation",
    "Evaluation",
    "detect",
    "evaluate",
    "evaluate_detector",
    "evaluating",
    "load_image",
    "predict",
]
