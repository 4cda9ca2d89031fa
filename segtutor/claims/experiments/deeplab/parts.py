"""Blocks, rates inside a stage and separable convolutions at several lengths of one training, each against its base."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation, Measure, percent
from segtutor.claims.experiments.deeplab.steps import ALONE, DECODER
from segtutor.claims.lengths import DECAY, LENGTHS, SMALL_SIZE, WARMUP, Lengths, pretrained
from segtutor.claims.measures import GFLOPS, PARAMETERS
from segtutor.claims.networks import BUDGET, network

SHORT = LENGTHS[:-1]
FIRST, LAST = SHORT[0], SHORT[-1]
DEEPER, EQUAL, GRID, SEPARABLE = "two more blocks", "unit rates 1, 1", "unit rates 1, 2", "decoder, separable"


def _short(name: str, **options: object) -> Lengths:
    """A row of the table from the course's backbone, whose training ends after the last of ``SHORT``."""
    whole = pretrained(network(name), **options)
    return replace(whole, recipe=replace(whole.recipe, steps=LAST), lengths=SHORT)


PARTS = Claim(
    name="deeplab.parts",
    title="More blocks, multi-grid and separable convolutions, and when",
    sentence="Two more blocks and rates that differ inside the last stage help once they have had time to learn, and "
    "separable convolutions cost little.",
    source="Chen et al. 2017 (DeepLab v3), §4.2, §4.3; 2018 (v3+), §4.3",
    paper="VOC 2012 val, after 30,000 steps from ImageNet's weights: the best network with three more blocks 76.66 %; "
    "ASPP with unit rates 1, 1, 1 75.36, with 1, 2, 4 76.58; Xception with full convolutions 79.93, with separable "
    "ones 79.79",
    changes="one part, against the network without it: two copies of the last stage behind the bare backbone; unit "
    "rates 1, 2 for 1, 1 in the last stage under an ASPP; separable convolutions for full ones in ASPP and decoder",
    same=f"within a pair: start (the course's pretrained backbone), data ({BUDGET.pictures:,} scenes of "
    f"{SMALL_SIZE[0]} x {SMALL_SIZE[1]}), order, batch 8, AdamW, class weights; one training, whose rate stays "
    f"constant after {WARMUP} steps; scored is the running average of the weights (decay {DECAY})",
    variants={
        ALONE: pretrained(network("backbone alone")),
        DEEPER: _short("DeepLab v3, cascaded"),
        EQUAL: _short("DeepLab v3", multi_grid=(1, 1)),
        GRID: _short("DeepLab v3", multi_grid=(1, 2)),
        DECODER: pretrained(network("DeepLab v3+, stride 16")),
        SEPARABLE: _short("DeepLab v3+, separable"),
    },
    measures=(
        *(percent(f"mean_iou_{steps}", f"mean IoU after {steps:,} steps") for steps in SHORT),
        *(Measure(f"loss_{steps}", f"training loss after {steps:,} steps", digits=2) for steps in SHORT),
        percent(f"pole_iou_{LAST}", f"IoU of poles after {LAST:,} steps"),
        PARAMETERS,
        GFLOPS,
    ),
    expectations=(
        Expectation(f"after {FIRST} steps two more blocks are behind", f"mean_iou_{FIRST}", ALONE, DEEPER),
        Expectation(f"after {LAST:,} they are ahead", f"mean_iou_{LAST}", DEEPER, ALONE),
        Expectation(f"unit rates 1, 2 are better than 1, 1 after {LAST:,} steps", f"mean_iou_{LAST}", GRID, EQUAL),
        Expectation("also for poles, which are thin", f"pole_iou_{LAST}", GRID, EQUAL),
        Expectation(f"separable convolutions lose less than two points after {LAST:,}", f"mean_iou_{LAST}", SEPARABLE,
                    DECODER, margin=-0.02),
    ),
)  # fmt: skip
