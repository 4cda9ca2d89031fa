"""The claims of lesson 6: atrous convolution, the ASPP and its parts, cascades, the CRF, decoder, separable ones."""

from segtutor.claims.experiments.deeplab.atrous import ATROUS, RATES
from segtutor.claims.experiments.deeplab.distances import DISTANCE
from segtutor.claims.experiments.deeplab.disturbances import DISTURBED
from segtutor.claims.experiments.deeplab.equal import EQUAL
from segtutor.claims.experiments.deeplab.grids import GRID_FIELD
from segtutor.claims.experiments.deeplab.parts import PARTS
from segtutor.claims.experiments.deeplab.refinement import REFINEMENT
from segtutor.claims.experiments.deeplab.steps import STEPS
from segtutor.claims.experiments.deeplab.three_blocks import THREE_BLOCKS
from segtutor.claims.experiments.deeplab.v2 import OUTPUT_STRIDE, PYRAMID
from segtutor.claims.experiments.deeplab.v3 import BATCH_NORM, CASCADED, IMAGE_POOLING, MULTI_GRID
from segtutor.claims.experiments.deeplab.v3plus import DECODER, SEPARABLE

CLAIMS = (
    ATROUS, OUTPUT_STRIDE, PYRAMID, DISTANCE, RATES, IMAGE_POOLING, BATCH_NORM, CASCADED, MULTI_GRID, GRID_FIELD,
    REFINEMENT, DISTURBED, DECODER, SEPARABLE, STEPS, PARTS, EQUAL, THREE_BLOCKS,
)  # fmt: skip
