"""Claims about what happens outside of the data set: other weather, and few labels."""

from segtutor.claims.experiments.world.nuclei import NUCLEI
from segtutor.claims.experiments.world.shift import BATCH_NORM

CLAIMS = (BATCH_NORM, NUCLEI)
