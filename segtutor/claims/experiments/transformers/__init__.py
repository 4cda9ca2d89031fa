"""Claims about transformers and frozen features: how tokens know places, and what frozen features are worth."""

from segtutor.claims.experiments.transformers.frozen import FROZEN
from segtutor.claims.experiments.transformers.positions import POSITIONS

CLAIMS = (POSITIONS, FROZEN)
