"""The claims of lesson 6: atrous convolution, the ASPP and its parts, cascades, the decoder, separable convolutions."""

from __future__ import annotations

from segtutor.claims.atrous import MAP, NoBatchNorm, equal_to_stuffing, weights_in_use
from segtutor.claims.claim import Claim, Expectation, Measure, percent
from segtutor.claims.fcn import BAND_IOU, MEAN_IOU, SAME, STEPS
from segtutor.claims.refinement import Refined
from segtutor.claims.training import Recipe

PARAMETERS = Measure("parameters", "parameters, thousands", 1e-3, 0)
GFLOPS = Measure("gflops", "operations, billions", digits=2)
MILLISECONDS = Measure("milliseconds", "time per picture, ms")
COSTS = (PARAMETERS, GFLOPS, Measure("megabytes", "kept for the gradient, MB per picture"), MILLISECONDS)
SMALL = percent("small", "pixels of small things right")
LARGE = percent("large", "pixels of large things right")


def _v3(**options: object) -> Recipe:
    """The paper's parallel network on the small backbone, with options of it."""
    return Recipe("deeplabv3_tiny", (("variant", "paper"), *options.items()), steps=STEPS)


def plus(**options: object) -> Recipe:
    """DeepLabV3+ at output stride 16, with the rates that belong to it."""
    return Recipe("deeplabv3plus_tiny", (("output_stride", 16), ("rates", (1, 2, 3)), *options.items()), steps=STEPS)


V3 = _v3()
V3_STRIDE_16 = _v3(output_stride=16, rates=(1, 2, 3))
V3_STRIDE_4 = _v3(output_stride=4, rates=(4, 8, 12))
WITHOUT_POOLING = _v3(image_pooling=False)
PLUS_STRIDE_8 = Recipe("deeplabv3plus_tiny", (("low_channels", 48),), steps=STEPS)

ATROUS = Claim(
    name="deeplab.atrous",
    title="Atrous convolution is convolution with a stuffed kernel",
    sentence="Convolution at rate r is ordinary convolution with r - 1 zeros between the kernel's weights: a larger "
    "field of view with the same parameters and the same number of operations.",
    source="Chen et al. 2018 (DeepLab v2), §3.1, equation 1",
    paper="follows from the definition; rate 1 is ordinary convolution",
    changes="the rate of a 3 x 3 convolution",
    same="features, weights, output size; computed in double precision",
    variants={f"rate {rate}": equal_to_stuffing(rate) for rate in (1, 2, 6, 12)},
    measures=(
        Measure("difference", "largest difference to the stuffed kernel, 1e-12", 1e12, 3),
        Measure("field", "field, px", digits=0),
        Measure("weights", "parameters", digits=0),
        Measure("operations", "operations, millions", 1e-6, 1),
        Measure("stuffed_operations", "with zeros multiplied, millions", 1e-6, 1),
    ),
    expectations=(
        Expectation("rate 1 is the ordinary convolution", "difference", "rate 1", 1e-10, False),
        Expectation("rate 12 is the one with a stuffed kernel", "difference", "rate 12", 1e-10, False),
        Expectation("the field grows", "field", "rate 12", "rate 1"),
        Expectation("the operations do not", "operations", "rate 12", "rate 1", False, -1e-9),
    ),
)

OUTPUT_STRIDE = Claim(
    name="deeplab.output_stride",
    title="Denser output from the same weights",
    sentence="With atrous convolution in place of strides, the same weights see the same field on a finer map, and the "
    "label map gets better; time and memory pay for it.",
    source="Chen et al. 2018 (DeepLab v2), §3.1; Chen et al. 2017 (DeepLab v3), §3.1, §4.3",
    paper="v3, VOC 2012 val, ResNet-101, trained at output stride 16, mean IoU 77.21 % there, 78.51 at 8",
    changes="the output stride of backbone and ASPP: 16, 8, 4; the rates of the ASPP are 1, 2, 3 times 16 over it",
    same=SAME + "; deeplabv3_tiny, the same parameters",
    variants={"stride 16": V3_STRIDE_16, "stride 8": V3, "stride 4": V3_STRIDE_4},
    measures=(MEAN_IOU, BAND_IOU, percent("thin", "thin pixels right"), *COSTS),
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
    same=SAME + "; deeplabv3_tiny without image pooling; sizes of things from 1 to 20",
    variants={
        "rates 2, 2, 2": _v3(image_pooling=False, rates=(2, 2, 2)),
        "rates 6, 6, 6": _v3(image_pooling=False, rates=(6, 6, 6)),
        "rates 2, 4, 6": WITHOUT_POOLING,
    },
    measures=(MEAN_IOU, BAND_IOU, SMALL, LARGE, PARAMETERS),
    expectations=(
        Expectation("several rates beat the small one", "mean_iou", "rates 2, 4, 6", "rates 2, 2, 2"),
        Expectation("several rates beat the large one", "mean_iou", "rates 2, 4, 6", "rates 6, 6, 6"),
        Expectation("a small rate alone is worse on large things", "large", "rates 2, 4, 6", "rates 2, 2, 2"),
        Expectation("a large rate alone is worse on small things", "small", "rates 2, 4, 6", "rates 6, 6, 6"),
    ),
)  # fmt: skip

RATES = Claim(
    name="deeplab.rates",
    title="Rates that are too large",
    sentence="As the rate approaches the map's size, fewer of the nine weights lie on the map; in the end only the "
    "middle one does, and the 3 x 3 has become a 1 x 1.",
    source="Chen et al. 2017 (DeepLab v3), §3.3 and Figure 4",
    paper="a curve over rates on a 65 x 65 map",
    changes="the rate of a 3 x 3 convolution",
    same=f"a map of {MAP} x {MAP} positions, padding with zeros",
    variants={f"rate {rate}": weights_in_use(rate) for rate in (1, 6, 12, 24, 36, 48, 65)},
    measures=(
        percent("all_nine", "positions with all nine weights"),
        percent("only_one", "positions with one weight"),
        Measure("mean_taps", "weights in use, mean", digits=2),
        percent("rest", "of the output comes from other weights than the middle one"),
    ),
    expectations=(
        Expectation("at rate 36 no position has all nine weights", "all_nine", "rate 36", 1e-9, False),
        Expectation("at rate 65 a 1 x 1 is left", "rest", "rate 65", 1e-9, False),
        Expectation("small rates use nearly all", "all_nine", "rate 1", 0.9),
    ),
)

IMAGE_POOLING = Claim(
    name="deeplab.image_pooling",
    title="The whole image in one branch",
    sentence="A branch that averages over the whole image brings back the context that too large rates lose.",
    source="Chen et al. 2017 (DeepLab v3), §3.3, §4.3",
    paper="v3, VOC 2012 val, ResNet-101, multi-grid 1, 2, 4: mean IoU 76.58 % without, 77.21 with",
    changes="the image pooling branch",
    same=SAME + "; deeplabv3_tiny, whose three rates alone reach across the picture",
    variants={"without": WITHOUT_POOLING, "with": V3},
    measures=(MEAN_IOU, BAND_IOU, LARGE, PARAMETERS),
    expectations=(Expectation("it helps", "mean_iou", "with", "without"),),
)

BATCH_NORM = Claim(
    name="deeplab.batch_norm",
    title="Batch norm in the ASPP",
    sentence="Batch norm in the added layers is important for their training.",
    source="Chen et al. 2017 (DeepLab v3), §3.3 and §4.1",
    paper="v3, VOC 2012 val, ResNet-101: 75.95 % with batch norm left as it was, 77.21 with batch norm trained",
    changes="batch norm behind the convolutions of the ASPP, or biases in them",
    same=SAME + "; deeplabv3_tiny",
    variants={"without": Recipe("deeplabv3_tiny", (("variant", "paper"),), NoBatchNorm(), steps=STEPS),
              "with": V3},
    measures=(MEAN_IOU, BAND_IOU, PARAMETERS),
    expectations=(Expectation("it helps", "mean_iou", "with", "without"),),
)  # fmt: skip


def cascade(last_block: int) -> Recipe:
    """The cascaded network up to this block."""
    return Recipe("deeplabv3_cascaded_tiny", (("last_block", last_block),), steps=STEPS)


CASCADED = Claim(
    name="deeplab.cascaded",
    title="Going deeper or going parallel",
    sentence="Copies of the last stage at doubling rates help, each less than the one before; parallel branches with "
    "image pooling are better and cheaper.",
    source="Chen et al. 2017 (DeepLab v3), §3.2, §4.2, §4.3",
    paper="VOC 2012 val, ResNet-101, the best of each: cascaded 76.66 %, parallel 77.21; at output stride 8 with "
    "several scales and mirrored 79.35 and 79.77",
    changes="what follows the backbone: nothing, one copy of its last stage, two copies, or the ASPP",
    same=SAME + "; the small backbone at output stride 8",
    variants={"block4": cascade(4), "block5": cascade(5), "block6": cascade(6), "parallel": V3},
    measures=(MEAN_IOU, BAND_IOU, *COSTS),
    expectations=(
        Expectation("one more block helps", "mean_iou", "block5", "block4"),
        Expectation("a second one helps, too", "mean_iou", "block6", "block5"),
        Expectation("parallel is better than cascaded", "mean_iou", "parallel", "block6"),
        Expectation("and has fewer parameters", "parameters", "parallel", "block6", False),
        Expectation("and fewer operations", "gflops", "parallel", "block6", False),
    ),
)

MULTI_GRID = Claim(
    name="deeplab.multi_grid",
    title="Multi-grid",
    sentence="Different rates inside the last stage are better than equal ones.",
    source="Chen et al. 2017 (DeepLab v3), §3.2.1, §4.3",
    paper="VOC 2012 val, ResNet-101 with ASPP: unit rates 1, 1, 1 75.36 %, 1, 2, 1 75.93, 1, 2, 4 76.58",
    changes="unit rates of the two blocks of the last stage (the paper's has three)",
    same=SAME + "; deeplabv3_tiny",
    variants={
        "1, 1": _v3(multi_grid=(1, 1)),
        "1, 2": _v3(multi_grid=(1, 2)),
    },
    measures=(MEAN_IOU, BAND_IOU, LARGE, GFLOPS),
    expectations=(Expectation("1, 2 is better than 1, 1", "mean_iou", "1, 2", "1, 1"),),
)

REFINEMENT = Claim(
    name="deeplab.crf",
    title="The dense CRF, and why v3 dropped it",
    sentence="A dense CRF behind the network sharpens the boundaries that the coarse map blurs; the better the "
    "network, the less there is left to gain.",
    source="Chen et al. 2018 (DeepLab v2), §3.3, §4.1; Chen et al. 2017 (DeepLab v3), §1",
    paper="v2, mean IoU before and after the CRF: VOC 2012 val, ResNet-101 76.35 % and 77.69, VGG16 68.96 and 71.57; "
    "Cityscapes val +0.4; v3 reaches more without",
    changes="the network in front of the CRF, from coarse to fine; the CRF is the same",
    same=SAME + "; deeplabv3_tiny; the checkpoint of the course was trained for longer, on larger pictures",
    variants={
        "stride 16": Refined(V3_STRIDE_16),
        "stride 8": Refined(V3),
        "stride 4": Refined(V3_STRIDE_4),
        "stride 8 and decoder": Refined(PLUS_STRIDE_8),
        "course checkpoint": Refined(None),
    },
    measures=(
        percent("mean_iou", "mean IoU before"),
        percent("mean_iou_gain", "gain by the CRF"),
        percent("band_iou_gain", "gain within 2 px of a label change"),
        percent("inner_iou_gain", "gain elsewhere"),
        percent("boundary_iou_gain", "gain in boundary IoU"),
        percent("thin_gain", "gain in thin pixels right"),
    ),
    expectations=(
        Expectation("it helps the coarsest network", "mean_iou_gain", "stride 16", 0.0),
        Expectation("above all near boundaries", "band_iou_gain", "stride 16", 0.0, margin=0.01),
        Expectation("the finer map gains less", "mean_iou_gain", "stride 16", "stride 4"),
        Expectation("near boundaries, too", "band_iou_gain", "stride 16", "stride 4"),
        Expectation("the network with a decoder gains less than the one without", "band_iou_gain", "stride 8",
                    "stride 8 and decoder"),
    ),
)  # fmt: skip

DECODER = Claim(
    name="deeplab.decoder",
    title="A decoder for the boundaries",
    sentence="A small decoder that adds a fine map to the coarse one sharpens boundaries; the fine map should be cut "
    "to few channels, so that it does not outweigh the coarse one.",
    source="Chen et al. 2018 (DeepLab v3+), §3.1, §4.1, §4.4",
    paper="VOC 2012 val, ResNet-101, output stride 16, mean IoU: 77.21 % for v3, without decoder; one 3 x 3 and 8, 16, "
    "32, 48, 64 channels: 77.61, 77.92, 78.16, 78.21, 77.94; two 3 x 3 and 48: 78.85",
    changes="the decoder: none, or with 16, 32, 48 channels of the map of stride 4",
    same=SAME + "; the small backbone and ASPP at output stride 16",
    variants={
        "no decoder": V3_STRIDE_16,
        "16 channels": plus(low_channels=16),
        "32 channels": plus(low_channels=32),
        "48 channels": plus(low_channels=48),
    },
    measures=(
        MEAN_IOU,
        percent("boundary_iou", "boundary IoU"),
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
    same=SAME + "; deeplabv3plus_tiny at output stride 16, 48 channels",
    variants={"full": plus(low_channels=48), "separable": plus(low_channels=48, separable=True)},
    measures=(MEAN_IOU, percent("boundary_iou", "boundary IoU"), *COSTS),
    expectations=(
        Expectation("separable ones lose less than two points", "mean_iou", "separable", "full", margin=-0.02),
        Expectation("they have fewer parameters", "parameters", "separable", "full", False),
        Expectation("they need fewer operations", "gflops", "separable", "full", False),
        Expectation("they take less time", "milliseconds", "separable", "full", False),
    ),
)

CLAIMS = (
    ATROUS, OUTPUT_STRIDE, PYRAMID, RATES, IMAGE_POOLING, BATCH_NORM, CASCADED, MULTI_GRID, REFINEMENT, DECODER,
    SEPARABLE,
)  # fmt: skip
