"""Claims about what happens outside of the data set: other weather, and few labels."""

from segtutor.claims.experiments.world.dusk import DUSK_CLAIM
from segtutor.claims.experiments.world.ensemble import ENSEMBLE
from segtutor.claims.experiments.world.labels import ACTIVE, NOISE, OWN
from segtutor.claims.experiments.world.nuclei import NUCLEI
from segtutor.claims.experiments.world.shift import BATCH_NORM
from segtutor.claims.experiments.world.u_net import ELASTIC, GAPS, SKIPS

CLAIMS = (BATCH_NORM, DUSK_CLAIM, ENSEMBLE, SKIPS, GAPS, ELASTIC, NUCLEI, NOISE, ACTIVE, OWN)
