"""The exercises of lesson 3: the parts of FCN, from the fully connected layer to a network of one's own."""

from __future__ import annotations

from segtutor.exercises.lesson03.as_convolution import EXERCISE as AS_CONVOLUTION
from segtutor.exercises.lesson03.bilinear import EXERCISE as BILINEAR
from segtutor.exercises.lesson03.chain import EXERCISE as CHAIN
from segtutor.exercises.lesson03.fcn8s import EXERCISE as FCN8S
from segtutor.exercises.lesson03.fusion import EXERCISE as FUSION
from segtutor.exercises.lesson03.pixel_loss import EXERCISE as PIXEL_LOSS
from segtutor.exercises.lesson03.published import EXERCISE as PUBLISHED
from segtutor.exercises.lesson03.reach import EXERCISE as REACH
from segtutor.exercises.lesson03.size import EXERCISE as SIZE
from segtutor.exercises.lesson03.stuffing import EXERCISE as STUFFING
from segtutor.exercises.lesson03.transposed import EXERCISE as TRANSPOSED

__all__ = ["EXERCISES"]

EXERCISES = (AS_CONVOLUTION, SIZE, STUFFING, TRANSPOSED, BILINEAR, FUSION, PIXEL_LOSS, CHAIN, REACH, FCN8S, PUBLISHED)
