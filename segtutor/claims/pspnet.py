"""The claims of lesson 4: dilation, the field of view, pyramid pooling and its parts, the auxiliary loss."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation, Measure, percent
from segtutor.claims.fcn import BAND_IOU, MEAN_IOU, SAME, STEPS
from segtutor.claims.fields import FIELDS
from segtutor.claims.pictures import BOLLARDS
from segtutor.claims.pyramids import Pyramid
from segtutor.claims.training import Recipe

EVERY = STEPS // 5
BASE = Recipe("pspnet_tiny", steps=STEPS, curve_every=EVERY)
COSTS = (
    Measure("parameters", "parameters, thousands", 1e-3, 0),
    Measure("gflops", "operations, billions", digits=2),
    Measure("megabytes", "kept for the gradient, MB per picture"),
    Measure("milliseconds", "time per picture, ms"),
)


def _on_bollards(**change: object) -> Recipe:
    return Recipe("pspnet_tiny", change=Pyramid(**change), scenes=BOLLARDS, steps=STEPS)  # type: ignore[arg-type]


PYRAMID = Claim(
    name="pspnet.pyramid",
    title="Pyramid pooling and far context",
    sentence="Averages over large regions tell each pixel what the whole scene holds, so that things which look "
    "alike are told apart by where they are.",
    source="Zhao et al. 2017, §3.1, §3.2 and Table 1",
    paper="ADE20K val, ResNet-50, mean IoU: 37.23 % without, 40.07 with bin 1 alone, 41.68 with bins 1, 2, 3, 6 "
    "(average pooling, channels reduced)",
    changes="what is concatenated to the feature map; for a near-sighted backbone, whose field is 71 pixels, and for a "
    "far-sighted one, whose field is larger than the 96 x 128 picture",
    same=SAME.replace("scenes of", "streets and harbors with many bollards, of"),
    variants={
        "near-sighted, no levels": _on_bollards(bins=(), near_sighted=True),
        "near-sighted, levels not pooled": _on_bollards(pooled=False, near_sighted=True),
        "near-sighted, bin 1": _on_bollards(bins=(1,), near_sighted=True),
        "near-sighted, bin 6": _on_bollards(bins=(6,), near_sighted=True),
        "near-sighted, bins 1, 2, 3, 6": _on_bollards(near_sighted=True),
        "far-sighted, no levels": _on_bollards(bins=()),
        "far-sighted, bins 1, 2, 3, 6": _on_bollards(),
    },
    measures=(
        percent("bollard_iou", "IoU of the two bollards"),
        MEAN_IOU,
        BAND_IOU,
        Measure("parameters", "parameters, thousands", 1e-3, 0),
    ),
    expectations=(
        Expectation(
            "pooling helps the near-sighted network with what only context tells", "bollard_iou",
            "near-sighted, bins 1, 2, 3, 6", "near-sighted, no levels",
        ),
        Expectation(
            "it is the pooling, not the added parameters", "bollard_iou",
            "near-sighted, bins 1, 2, 3, 6", "near-sighted, levels not pooled",
        ),
        Expectation("bin 1, the whole picture, is enough for that", "bollard_iou", "near-sighted, bin 1",
                    "near-sighted, bins 1, 2, 3, 6", margin=-0.03),
        Expectation("bin 1 tells more than bin 6", "bollard_iou", "near-sighted, bin 1", "near-sighted, bin 6"),
        Expectation("it helps over all classes", "mean_iou", "near-sighted, bins 1, 2, 3, 6",
                    "near-sighted, no levels"),
        Expectation(
            "it still helps where the backbone's field covers the picture", "bollard_iou",
            "far-sighted, bins 1, 2, 3, 6", "far-sighted, no levels",
        ),
    ),
)  # fmt: skip

REDUCTION = Claim(
    name="pspnet.reduction",
    title="1 x 1 convolutions that cut channels",
    sentence="A 1 x 1 convolution at each level cuts its channels to a quarter, so that the levels together weigh as "
    "much as the map; that costs little or even helps.",
    source="Zhao et al. 2017, §3.2 and Table 1",
    paper="ADE20K val, ResNet-50, mean IoU 41.07 % without, 41.68 with the reduction (average pooling)",
    changes="output channels of each level's 1 x 1 convolution: all 128, or 32",
    same=SAME + "; pspnet_tiny",
    variants={
        "cut to a quarter": BASE,
        "all channels": Recipe("pspnet_tiny", change=Pyramid(reduced=False), steps=STEPS),
    },
    measures=(MEAN_IOU, BAND_IOU, *COSTS),
    expectations=(
        Expectation("a quarter of the channels costs less than one point", "mean_iou", "cut to a quarter",
                    "all channels", margin=-0.01),
        Expectation("it saves parameters", "parameters", "cut to a quarter", "all channels", False),
        Expectation("and operations", "gflops", "cut to a quarter", "all channels", False),
    ),
)  # fmt: skip

AUXILIARY = Claim(
    name="pspnet.auxiliary",
    title="The auxiliary loss",
    sentence="A second loss in the middle of the network makes learning faster and the result better.",
    source="Zhao et al. 2017, §3.3 and Table 2",
    paper="ADE20K val, dilated ResNet-50, mean IoU 35.82 % without, 37.23 with the auxiliary loss at weight 0.4",
    changes="an auxiliary head after the second stage, whose loss counts 0.4 in training",
    same=SAME + "; pspnet_tiny",
    variants={
        "without": BASE,
        "with": Recipe("pspnet_tiny", (("aux", True),), steps=STEPS, curve_every=EVERY),
    },
    measures=(
        Measure("early_mean_iou", f"mean IoU after {2 * EVERY} steps, %", 100.0),
        Measure("mean_iou", f"after {STEPS} steps, %", 100.0),
        BAND_IOU,
    ),
    expectations=(
        Expectation("learning is faster", "early_mean_iou", "with", "without"),
        Expectation("the result is better", "mean_iou", "with", "without"),
    ),
)

DILATION = Claim(
    name="pspnet.dilation",
    title="Dilation instead of stride",
    sentence="Replacing the last strides by dilation keeps the map fine with the same weights and the same field of "
    "view, and that makes the label map better.",
    source="Zhao et al. 2017, §3.3; Yu and Koltun 2016; Chen et al. 2018 (DeepLab v2), §3.1",
    paper="DeepLab v3 (Table 1), VOC 2012 val, ResNet-50 with block7: 20.29 % at output stride 256, 75.18 at 8",
    changes="the output stride of the same backbone: 16 (strides), 8 (last stage dilated), 4 (last two stages dilated)",
    same=SAME + "; pspnet_tiny, the same parameters",
    variants={
        "stride 16": Recipe("pspnet_tiny", (("output_stride", 16),), steps=STEPS),
        "stride 8": BASE,
        "stride 4": Recipe("pspnet_tiny", (("output_stride", 4),), steps=STEPS),
    },
    measures=(
        MEAN_IOU,
        BAND_IOU,
        percent("thin", "thin pixels right"),
        *COSTS,
    ),
    expectations=(
        Expectation("stride 8 is better than 16", "mean_iou", "stride 8", "stride 16"),
        Expectation("stride 4 is better than 8", "mean_iou", "stride 4", "stride 8"),
        Expectation("above all near boundaries", "band_iou", "stride 4", "stride 16"),
        Expectation("the finer map costs memory", "megabytes", "stride 16", "stride 8", False),
        Expectation("and operations", "gflops", "stride 16", "stride 8", False),
    ),
)

CLAIMS = (FIELDS, PYRAMID, REDUCTION, AUXILIARY, DILATION)
