"""Using a network: a picture in, and out its labels, its objects, what stands out; a data set in, its score out."""

from segtutor.inference.classify import class_heat_map, classify
from segtutor.inference.detect import detect
from segtutor.inference.detect_scores import DetectorEvaluation, evaluate_detector
from segtutor.inference.evaluate import Evaluation, evaluate
from segtutor.inference.images import load_image
from segtutor.inference.labelling import Labelling
from segtutor.inference.masks import FoundMasks, PanopticEvaluation, evaluate_panoptic, find_masks
from segtutor.inference.predict import evaluating, predict
from segtutor.inference.prompts import Answer, Prompter
from segtutor.inference.salient import salient

__all__ = [
    "Answer",
    "DetectorEvaluation",
    "Evaluation",
    "FoundMasks",
    "Labelling",
    "PanopticEvaluation",
    "Prompter",
    "class_heat_map",
    "classify",
    "detect",
    "evaluate",
    "evaluate_detector",
    "evaluate_panoptic",
    "evaluating",
    "find_masks",
    "load_image",
    "predict",
    "salient",
]
