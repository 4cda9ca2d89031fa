"""The claims of lesson 10: three answers, the IoU head, own errors, clicks by GrabCut, a data engine, video memory."""

from segtutor.claims.experiments.prompts.clicks import CLICKS, IOU_HEAD
from segtutor.claims.experiments.prompts.engine import ENGINE
from segtutor.claims.experiments.prompts.training import OWN_ERRORS, THREE_MASKS
from segtutor.claims.experiments.prompts.video import MEMORY

CLAIMS = (THREE_MASKS, IOU_HEAD, OWN_ERRORS, CLICKS, ENGINE, MEMORY)
