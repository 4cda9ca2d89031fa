"""The claims of DeepLab v3+: a decoder for the boundaries, atrous separable convolution."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.measures import BOUNDARY_IOU, COSTS, MEAN_IOU
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import Recipe


def _plus(**options: object) -> Recipe:
    """DeepLabV3+ at output stride 16, with the rates that belong to it, and 48 channels of the fine map."""
    return network("DeepLab v3+, stride 16").recipe(**options)


DECODER = Claim(
    name="deeplab.decoder",
    title="A decoder for the boundaries",
    sentence="A small decoder that adds a fine map to the coarse one sharpens boundaries; the fine map should be cut "
    "to few channels, so that it does not outweigh the coarse one.",
    source="Chen et al. 2018 (DeepLab v3+), §3.1, §4.1, §4.4",
    paper="VOC 2012 val, ResNet-101, output stride 16, mean IoU: 77.21 % for v3, without decoder; one 3 x 3 and 8, 16, "
    "32, 48, 64 channels: 77.61, 77.92, 78.16, 78.21, 77.94; two 3 x 3 and 48: 78.85",
    changes="the decoder: none, or with 16, 32, 48 channels of the map of stride 4",
    same=f"{BUDGET}; the small backbone and ASPP at output stride 16",
    variants={
        "no decoder": network("DeepLab v3, stride 16").recipe(),
        "16 channels": _plus(low_channels=16),
        "32 channels": _plus(low_channels=32),
        "48 channels": _plus(),
    },
    measures=(
        MEAN_IOU,
        BOUNDARY_IOU,
        percent("within_1", "right within 1 px of a boundary"),
        percent("within_3", "at 2-3 px"),
        percent("within_7", "at 4-7 px"),
        percent("beyond", "farther"),
        *COSTS,
    ),
    expectations=(
        Expectation("the decoder helps", "mean_iou", "48 channels", "no decoder"),
        Expectation("it helps next to boundaries", "within_1", "48 channels", "no decoder"),
        Expectation("far from boundaries it gains less than 2 points", "beyond", "no decoder", "48 channels",
                    margin=-0.02),
        Expectation("48 channels are better than 16", "mean_iou", "48 channels", "16 channels"),
    ),
)  # fmt: skip

SEPARABLE = Claim(
    name="deeplab.separable",
    title="Atrous separable convolution",
    sentence="Separable convolutions in ASPP and decoder cut parameters and operations at nearly the same result.",
    source="Chen et al. 2018 (DeepLab v3+), §3.1, §4.3",
    paper="VOC 2012 val, Xception-65, output stride 16: 79.93 % with full convolutions, 79.79 with separable ones",
    changes="the 3 x 3 convolutions of ASPP and decoder: full, or per channel with a 1 x 1 behind",
    same=f"{BUDGET}; deeplabv3plus_tiny at output stride 16, 48 channels",
    variants={"full": _plus(), "separable": network("DeepLab v3+, separable").recipe()},
    measures=(MEAN_IOU, BOUNDARY_IOU, *COSTS),
    expectations=(
        Expectation("separable ones lose less than two points", "mean_iou", "separable", "full", margin=-0.02),
        Expectation("they have fewer parameters", "parameters", "separable", "full", False),
        Expectation("they need fewer operations", "gflops", "separable", "full", False),
        Expectation("they take less time", "milliseconds", "separable", "full", False),
    ),
)
