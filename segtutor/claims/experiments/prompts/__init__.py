"""The claims of lesson 10: three answers to a click, the IoU head, clicks beside GrabCut, a memory for video."""

from segtutor.claims.experiments.prompts.clicks import CLICKS, IOU_HEAD
from segtutor.claims.experiments.prompts.training import THREE_MASKS
from segtutor.claims.experiments.prompts.video import MEMORY

CLAIMS = (THREE_MASKS, IOU_HEAD, CLICKS, MEMORY)
