"""The claims about the dilated backbone: dilation instead of stride, and the auxiliary loss in its middle."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation, Measure
from segtutor.claims.measures import BAND_IOU, COSTS, MEAN_IOU, THIN
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import Recipe

EVERY = BUDGET.steps // 5


def _watched(**options: object) -> Recipe:
    """PSPNet, scored during its training, too."""
    return replace(network("PSPNet").recipe(**options), curve_every=EVERY)


DILATION = Claim(
    name="pspnet.dilation",
    title="Dilation instead of stride",
    sentence="Replacing the last strides by dilation keeps the map fine with the same weights and the same field of "
    "view, and that makes the label map better.",
    source="Zhao et al. 2017, §3.3; Yu and Koltun 2016; Chen et al. 2018 (DeepLab v2), §3.1",
    paper="DeepLab v3 (Table 1), VOC 2012 val, ResNet-50 with block7: 20.29 % at output stride 256, 75.18 at 8",
    changes="the output stride of the same backbone: 16 (strides), 8 (last stage dilated), 4 (last two stages dilated)",
    same=f"{BUDGET}; pspnet_tiny, the same parameters",
    variants={
        "stride 16": network("PSPNet, stride 16").recipe(),
        "stride 8": network("PSPNet").recipe(),
        "stride 4": network("PSPNet, stride 4").recipe(),
    },
    measures=(
        MEAN_IOU,
        BAND_IOU,
        THIN,
        *COSTS,
    ),
    expectations=(
        Expectation("stride 8 is better than 16", "mean_iou", "stride 8", "stride 16"),
        Expectation("stride 4 is better than 8", "mean_iou", "stride 4", "stride 8"),
        Expectation("and near boundaries", "band_iou", "stride 4", "stride 16"),
        Expectation("the finer map costs memory", "megabytes", "stride 16", "stride 8", False),
        Expectation("and operations", "gflops", "stride 16", "stride 8", False),
    ),
)

AUXILIARY = Claim(
    name="pspnet.auxiliary",
    title="The auxiliary loss",
    sentence="A second loss in the middle of the network makes learning faster and the result better.",
    source="Zhao et al. 2017, §4 and Table 2",
    paper="ADE20K val, dilated ResNet-50, mean IoU 35.82 % without, 37.23 with the auxiliary loss at weight 0.4",
    changes="an auxiliary head after the second stage, whose loss counts 0.4 in training",
    same=f"{BUDGET}; pspnet_tiny",
    variants={
        "without": _watched(),
        "with": _watched(aux=True),
    },
    measures=(
        Measure("early_mean_iou", f"mean IoU after {2 * EVERY} steps, %", 100.0),
        Measure("mean_iou", f"mean IoU after {BUDGET.steps} steps, %", 100.0),
        BAND_IOU,
    ),
    expectations=(
        Expectation("learning is faster", "early_mean_iou", "with", "without"),
        Expectation("the result is better", "mean_iou", "with", "without"),
    ),
)
