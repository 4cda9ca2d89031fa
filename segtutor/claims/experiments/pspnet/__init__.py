"""The claims of lesson 4: the field of view, pyramid pooling and its parts, the auxiliary loss, dilation."""

from segtutor.claims.experiments.pspnet.dilated import AUXILIARY, DILATION
from segtutor.claims.experiments.pspnet.fields import FIELDS
from segtutor.claims.experiments.pspnet.pyramids import PYRAMID, REDUCTION

CLAIMS = (FIELDS, PYRAMID, REDUCTION, AUXILIARY, DILATION)
