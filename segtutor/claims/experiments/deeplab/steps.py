"""The claim that new layers need time: heads on the course's backbone, scored at several lengths of one training."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation, Measure, percent
from segtutor.claims.lengths import DECAY, LENGTHS, SMALL_SIZE, WARMUP, pretrained
from segtutor.claims.measures import GFLOPS, PARAMETERS
from segtutor.claims.networks import BUDGET, network

FIRST, THIRD, LAST = LENGTHS[0], LENGTHS[-2], LENGTHS[-1]
ALONE, ASPP, DECODER = "backbone alone", "ASPP", "ASPP at stride 16 and decoder"

STEPS = Claim(
    name="deeplab.steps",
    title="What a new head is worth, and when",
    sentence="A head that is new must be learned before it helps: behind a pretrained backbone, an ASPP and a decoder "
    "fall behind the bare backbone at first, and overtake it as training goes on.",
    source="a reason that this course gave for cards that came out reversed, put to the test; the gains themselves: "
    "Chen et al. 2017 (DeepLab v3), §4.3; 2018 (v3+), §4.1",
    paper="VOC 2012 val, ResNet-101, after 30,000 steps from ImageNet's weights: mean IoU 77.21 % with ASPP, 78.85 "
    "with ASPP and decoder",
    changes="what stands behind the backbone: a 1 x 1 alone or an ASPP, both at output stride 8; or, for as many "
    "operations as the bare backbone, an ASPP at stride 16 and the decoder",
    same=f"start (the course's pretrained backbone), data ({BUDGET.pictures:,} scenes of "
    f"{SMALL_SIZE[0]} x {SMALL_SIZE[1]}), order, batch 8, AdamW, class weights; one training, whose rate stays "
    f"constant after {WARMUP} steps; scored is the running average of the weights (decay {DECAY})",
    variants={
        ALONE: pretrained(network("backbone alone")),
        ASPP: pretrained(network("DeepLab v3")),
        DECODER: pretrained(network("DeepLab v3+, stride 16")),
    },
    measures=(
        *(percent(f"mean_iou_{steps}", f"mean IoU after {steps:,} steps") for steps in LENGTHS),
        *(Measure(f"loss_{steps}", f"training loss after {steps:,} steps", digits=2) for steps in LENGTHS),
        percent(f"boundary_iou_{THIRD}", f"boundary IoU after {THIRD:,} steps"),
        PARAMETERS,
        GFLOPS,
    ),
    expectations=(
        Expectation(f"after {FIRST} steps the ASPP is behind the bare backbone", f"mean_iou_{FIRST}", ALONE, ASPP),
        Expectation(f"after {LAST:,} it is ahead", f"mean_iou_{LAST}", ASPP, ALONE),
        Expectation(f"at equal operations, the decoder is ahead after {THIRD:,} steps", f"mean_iou_{THIRD}", DECODER,
                    ALONE),
        Expectation("and at boundaries", f"boundary_iou_{THIRD}", DECODER, ALONE),
        Expectation(f"and still after {LAST:,} steps", f"mean_iou_{LAST}", DECODER, ALONE),
    ),
)  # fmt: skip
