"""Using a network: a picture in, labels of its size out; a data set in, its score out."""

from segtutor.inference.evaluate import Evaluation, evaluate
from segtutor.inference.images import load_image
from segtutor.inference.predict import evaluating, predict

__all__ = ["Evaluation", "evaluate", "evaluating", "load_image", "predict"]
