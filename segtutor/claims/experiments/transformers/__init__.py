"""Claims about transformers and frozen features: places, the decoder, what frozen features are worth, what is read."""

from segtutor.claims.experiments.transformers.decoder import DECODER
from segtutor.claims.experiments.transformers.frozen import FROZEN, PROBE
from segtutor.claims.experiments.transformers.positions import POSITIONS

CLAIMS = (POSITIONS, DECODER, FROZEN, PROBE)
