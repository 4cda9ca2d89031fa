"""The claim about parts of DeepLab at equal operations, each against what the same operations buy otherwise."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation, Measure
from segtutor.claims.measures import BOUNDARY_IOU, GFLOPS, MEAN_IOU, PARAMETERS
from segtutor.claims.networks import BUDGET, network

LOSS = Measure("loss", "training loss", digits=2)
ROWS = (
    "DeepLab v3, stride 16", "DeepLab v3+, separable",
    "backbone alone", "DeepLab v2", "DeepLab v3+, stride 16", "DeepLab v3",
    "DeepLab v3, cascaded", "backbone alone, stride 4", "DeepLab v3, stride 4",
)  # fmt: skip
"""Rows of the table of networks, by their operations: 0.30, about 0.5, and 1.0 to 1.9 billion per picture."""

EQUAL = Claim(
    name="deeplab.equal_operations",
    title="What else the same operations buy",
    sentence="At equal operations, an ASPP at stride 16 with decoder and separable convolutions is a better use of "
    "them than a finer map without these parts.",
    source="the papers compare at equal stride; v3+ (Chen et al. 2018), §4.1 and Table 3, counts operations, too",
    paper="VOC 2012 val, ResNet-101, billions of operations and mean IoU: stride 16, no decoder 81.02 and 77.21 %, "
    "with decoder 101.28 and 78.85; stride 8, no decoder 276.18 and 78.51",
    changes="what the operations are spent on: pyramid, decoder, a finer map of the bare backbone, more blocks",
    same=f"{BUDGET}; the small backbone, from random weights; at 0.3 and 0.5 billion the networks differ by at most "
    "a fifth in their operations, above that as the sentences say",
    variants={name: network(name).recipe() for name in ROWS},
    measures=(MEAN_IOU, BOUNDARY_IOU, GFLOPS, PARAMETERS, LOSS),
    expectations=(
        Expectation("0.3 billion: decoder and separable convolutions beat v3 at stride 16", "mean_iou",
                    "DeepLab v3+, separable", "DeepLab v3, stride 16"),
        Expectation("0.5 billion: ASPP at stride 16 and decoder beat the ASPP at stride 8", "mean_iou",
                    "DeepLab v3+, stride 16", "DeepLab v3"),
        Expectation("and the atrous branches of v2", "mean_iou", "DeepLab v3+, stride 16", "DeepLab v2"),
        Expectation("and the bare backbone at stride 8", "mean_iou", "DeepLab v3+, stride 16", "backbone alone"),
        Expectation("1 to 1.9 billion: the ASPP at stride 4 beats the bare backbone there, with more operations",
                    "mean_iou", "DeepLab v3, stride 4", "backbone alone, stride 4"),
        Expectation("the bare backbone with a finer map beats more blocks, with half as many operations again",
                    "mean_iou", "backbone alone, stride 4", "DeepLab v3, cascaded"),
    ),
)  # fmt: skip
