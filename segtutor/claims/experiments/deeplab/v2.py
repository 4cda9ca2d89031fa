"""The claims of DeepLab v2 that need training: denser output from the same weights, several rates side by side."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation
from segtutor.claims.measures import BAND_IOU, COSTS, LARGE, MEAN_IOU, PARAMETERS, SMALL, THIN
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import Recipe


def _v3(**options: object) -> Recipe:
    """The paper's parallel network, with options of it."""
    return network("DeepLab v3").recipe(**options)


OUTPUT_STRIDE = Claim(
    name="deeplab.output_stride",
    title="Denser output from the same weights",
    sentence="With atrous convolution in place of strides, the same weights see the same field on a finer map, and the "
    "label map gets better; time and memory pay for it.",
    source="Chen et al. 2018 (DeepLab v2), §3.1; Chen et al. 2017 (DeepLab v3), §3.1, §4.3",
    paper="v3, VOC 2012 val, ResNet-101, trained at output stride 16, mean IoU 77.21 % there, 78.51 at 8",
    changes="the output stride of backbone and ASPP: 16, 8, 4; the rates of the ASPP are 1, 2, 3 times 16 over it",
    same=f"{BUDGET}; deeplabv3_tiny, the same parameters",
    variants={
        "stride 16": network("DeepLab v3, stride 16").recipe(),
        "stride 8": _v3(),
        "stride 4": network("DeepLab v3, stride 4").recipe(),
    },
    measures=(MEAN_IOU, BAND_IOU, THIN, *COSTS),
    expectations=(
        Expectation("stride 8 is better than 16", "mean_iou", "stride 8", "stride 16"),
        Expectation("stride 4 is better than 8", "mean_iou", "stride 4", "stride 8"),
        Expectation("the parameters stay the same", "parameters", "stride 4", "stride 16", False, -1),
        Expectation("the finer map costs memory", "megabytes", "stride 16", "stride 8", False),
        Expectation("and time", "milliseconds", "stride 16", "stride 4", False),
    ),
)

PYRAMID = Claim(
    name="deeplab.aspp",
    title="Several rates side by side",
    sentence="Objects come in all sizes; branches with several rates serve them all better than as many branches with "
    "one rate.",
    source="Chen et al. 2018 (DeepLab v2), §3.2; Chen et al. 2017 (DeepLab v3), §3.3",
    paper="v2, VOC 2012 val, ResNet-101 with MSC, COCO and augmentation: 75.54 % with LargeFOV, one rate, 76.35 with "
    "ASPP 6, 12, 18, 24",
    changes="the rates of the three atrous branches",
    same=f"{BUDGET}; deeplabv3_tiny without image pooling; sizes of things from 1 to 20",
    variants={
        "rates 2, 2, 2": _v3(image_pooling=False, rates=(2, 2, 2)),
        "rates 6, 6, 6": _v3(image_pooling=False, rates=(6, 6, 6)),
        "rates 2, 4, 6": _v3(image_pooling=False),
    },
    measures=(MEAN_IOU, BAND_IOU, SMALL, LARGE, PARAMETERS),
    expectations=(
        Expectation("several rates beat the small one", "mean_iou", "rates 2, 4, 6", "rates 2, 2, 2"),
        Expectation("several rates beat the large one", "mean_iou", "rates 2, 4, 6", "rates 6, 6, 6"),
        Expectation("a small rate alone is worse on large things", "large", "rates 2, 4, 6", "rates 2, 2, 2"),
        Expectation("a large rate alone is worse on small things", "small", "rates 2, 4, 6", "rates 6, 6, 6"),
    ),
)  # fmt: skip
