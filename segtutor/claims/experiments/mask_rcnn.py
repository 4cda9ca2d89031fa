"""The claims of lesson 5: RoIAlign, the mask branch, the pyramid, what the RPN proposes and what suppression does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.detection import ALONE, SIZE, DetectorRecipe
from segtutor.models.mask_rcnn.roi_pooling import pool_regions
from segtutor.models.mask_rcnn.settings import Settings

BASE = DetectorRecipe()
SAME = (
    f"data ({BASE.train_count} scenes of {SIZE[0]} x {SIZE[1]} with near things), order, batch 6, AdamW, poly "
    f"schedule, {BASE.steps} steps, the backbone of the course's DeepLab v3; "
    f"maskrcnn_tiny; scored on {BASE.val_count} unseen scenes"
)
BOX_AP = percent("box_AP", "box AP")
MASK_AP = percent("mask_AP", "mask AP")
MASK_AP50 = percent("mask_AP50", "mask AP50")
MASK_AP75 = percent("mask_AP75", "mask AP75")

STRIDE, SIDE, BINS = 4, 24, 7
"""Of the map on which pooling is tested, and the bins along each side."""
SHIFTS = 32
"""Steps in which the box moves from one position of the map to the next."""


def pooling_on_a_ramp(settings: Settings) -> Callable[[int, bool], Values]:
    """The experiment: a box moves by less than one position over a map that holds the pixels' own coordinates.

    On this map the right answer is known: the mean over a bin is the coordinate of the bin's middle.
    """

    def experiment(seed: int, short: bool) -> Values:
        columns = (torch.arange(SIDE, dtype=torch.float32) + 0.5) * STRIDE
        ramp = columns.expand(1, 1, SIDE, SIDE)
        random = torch.Generator().manual_seed(seed)
        x0, y0 = (20 + 8 * torch.rand(2, generator=random)).tolist()
        width, height = (31 + 12 * torch.rand(2, generator=random)).tolist()
        answers, errors = [], []
        for step in range(SHIFTS):
            left = x0 + step * STRIDE / SHIFTS
            box = torch.tensor([[left, y0, left + width, y0 + height]])
            pooled = _pool(ramp, box, settings)
            middles = left + (torch.arange(BINS) + 0.5) * width / BINS
            answers.append(tuple(round(value, 3) for value in pooled.flatten().tolist()))
            errors.append(float((pooled - middles).abs().max()))
        return {"answers": float(len(set(answers))), "error": max(errors), "mean_error": float(np.mean(errors))}

    return experiment


def _pool(features: Tensor, boxes: Tensor, settings: Settings) -> Tensor:
    pooled, _ = pool_regions([features], (STRIDE,), [boxes], BINS, settings)
    return pooled


QUANTIZATION = Claim(
    name="maskrcnn.quantization",
    title="What rounding does to a box",
    sentence="RoIPool rounds a region to whole positions of the map and loses where exactly it lies; RoIAlign rounds "
    "nothing.",
    source="He et al. 2017 (Mask R-CNN), §3",
    paper="follows from the definitions",
    changes="how a box of about 35 pixels is pooled from a map of stride 4, while it moves by one position in "
    f"{SHIFTS} steps",
    same="the map, which holds each position's own coordinate: the right answer is known; three random boxes. "
    "RoIPool takes the largest value of a bin, not the mean; that is part of its error",
    variants={
        "RoIPool": pooling_on_a_ramp(Settings(roi_pooling="pool")),
        "RoIAlign": pooling_on_a_ramp(Settings()),
        "RoIAlign, shifted by half a position": pooling_on_a_ramp(Settings(half_pixel=False)),
    },
    measures=(
        Measure("answers", f"different answers to {SHIFTS} boxes", digits=1),
        Measure("error", "largest error, px", digits=2),
        Measure("mean_error", "mean of the largest errors, px", digits=2),
    ),
    expectations=(
        Expectation("RoIAlign tells all boxes apart", "answers", "RoIAlign", SHIFTS - 0.5),
        Expectation("RoIPool does not", "answers", "RoIPool", SHIFTS - 0.5, False),
        Expectation("RoIAlign is exact", "error", "RoIAlign", 1e-3, False),
        Expectation("RoIPool is off by more than a pixel", "error", "RoIPool", 1.0),
        Expectation("the older RoIAlign is off by half a position", "error",
                    "RoIAlign, shifted by half a position", 1.9),
    ),
)  # fmt: skip

ROI_ALIGN = Claim(
    name="maskrcnn.roi_align",
    title="RoIAlign against RoIPool",
    sentence="Without rounding, masks get better, and the more so the stricter the IoU threshold.",
    source="He et al. 2017 (Mask R-CNN), §4.2, Table 2c and 2d",
    paper="COCO minival, ResNet-50-C4: mask AP 26.9 with RoIPool, 30.3 with RoIAlign; AP75 26.4 and 31.5",
    changes="how regions are pooled, in training and test",
    same=SAME,
    variants={"RoIPool": DetectorRecipe((("roi_pooling", "pool"),)), "RoIAlign": BASE},
    measures=(MASK_AP, MASK_AP50, MASK_AP75, BOX_AP),
    expectations=(
        Expectation("RoIAlign is better by masks", "mask_AP", "RoIAlign", "RoIPool"),
        Expectation("also at the strict threshold of 0.75", "mask_AP75", "RoIAlign", "RoIPool"),
        Expectation("and by boxes", "box_AP", "RoIAlign", "RoIPool"),
    ),
)

ONE_VAL, ONE_SIZE = 100, (160, 192)


def _one_map(pooling: str, stride: int) -> DetectorRecipe:
    """Regions cut from one map; the first layers do not learn, which saves a third of the time."""
    options = (("fpn", False), ("map_stride", stride), ("roi_pooling", pooling), ("frozen_stages", 2))
    return DetectorRecipe(options, val_count=ONE_VAL, size=ONE_SIZE, scene=ALONE)


ONE_MAP = Claim(
    name="maskrcnn.one_map",
    title="RoIAlign against RoIPool on one coarse map",
    sentence="Without rounding, masks and boxes get better, and the more so the coarser the map is.",
    source="He et al. 2017 (Mask R-CNN), §4.2, Table 2c and 2d",
    paper="COCO minival, mask AP: 26.9 with RoIPool and 30.3 with RoIAlign on one map of stride 16 (ResNet-50-C4), "
    "23.6 and 30.9 on one of stride 32 (ResNet-50-C5)",
    changes="how regions are pooled, in training and test, from one map of stride 16 or of stride 32. The control "
    "“rounded region” rounds as RoIPool does and then samples as RoIAlign does",
    same=f"data ({BASE.train_count} scenes of {ONE_SIZE[0]} x {ONE_SIZE[1]} with single, near things), order, batch 6, "
    f"AdamW, poly schedule, {BASE.steps} steps, the backbone of the course's DeepLab v3, its stem and first stage "
    f"frozen; maskrcnn_tiny without pyramid; scored on {ONE_VAL} unseen scenes",
    variants={
        **{f"{words}, stride {stride}": _one_map(pooling, stride)
           for stride in (16, 32) for words, pooling in (("RoIPool", "pool"), ("RoIAlign", "align"))},
        "rounded region, stride 32": _one_map("round", 32),
    },
    measures=(MASK_AP, MASK_AP50, MASK_AP75, BOX_AP),
    expectations=(
        Expectation("masks gain on the map of stride 16", "mask_AP", "RoIAlign, stride 16", "RoIPool, stride 16"),
        Expectation("and on the map of stride 32", "mask_AP", "RoIAlign, stride 32", "RoIPool, stride 32"),
        Expectation("boxes gain, too, at stride 32", "box_AP", "RoIAlign, stride 32", "RoIPool, stride 32"),
        Expectation("rounding alone, without RoIPool's maxima, costs as well", "mask_AP", "RoIAlign, stride 32",
                    "rounded region, stride 32"),
    ),
)  # fmt: skip

SIGMOID = Claim(
    name="maskrcnn.sigmoid",
    title="Masks without competition",
    sentence="The box branch says which class it is; the mask branch should not decide it again: a sigmoid per class "
    "is better than a softmax over the classes.",
    source="He et al. 2017 (Mask R-CNN), §3, §4.2 and Table 2b",
    paper="COCO minival, ResNet-50-C4: mask AP 24.8 with softmax, 30.3 with sigmoid",
    changes="the loss of the mask branch",
    same=SAME,
    variants={"softmax": DetectorRecipe((("mask_activation", "softmax"),)), "sigmoid": BASE},
    measures=(MASK_AP, MASK_AP50, MASK_AP75, BOX_AP),
    expectations=(Expectation("sigmoid is better", "mask_AP", "sigmoid", "softmax"),),
)

AGNOSTIC = Claim(
    name="maskrcnn.agnostic",
    title="One mask for all classes",
    sentence="A single mask, whatever the class, is nearly as good as one per class.",
    source="He et al. 2017 (Mask R-CNN), §4.2",
    paper="COCO minival, ResNet-50-C4: mask AP 29.7 with one mask, 30.3 with one per class",
    changes="the outputs of the mask branch: 1, or one per class",
    same=SAME,
    variants={"one mask": DetectorRecipe((("class_agnostic_masks", True),)), "one per class": BASE},
    measures=(MASK_AP, MASK_AP50, MASK_AP75, BOX_AP),
    expectations=(
        Expectation("one mask loses less than one point", "mask_AP", "one mask", "one per class", margin=-0.01),
    ),
)

MULTI_TASK = Claim(
    name="maskrcnn.multi_task",
    title="What masks do for boxes",
    sentence="Training the mask branch beside the box branch makes the boxes better, too.",
    source="He et al. 2017 (Mask R-CNN), §4.3 and Table 3",
    paper="COCO test-dev, ResNet-101-FPN: box AP 37.3 without the mask branch, 38.2 with it",
    changes="the mask branch, in training and test",
    same=SAME,
    variants={"boxes only": DetectorRecipe((("mask_branch", False),)), "boxes and masks": BASE},
    measures=(BOX_AP, percent("box_AP50", "box AP50"), percent("box_AP75", "box AP75")),
    expectations=(Expectation("masks help boxes", "box_AP", "boxes and masks", "boxes only"),),
)

PYRAMID = Claim(
    name="maskrcnn.fpn",
    title="A pyramid for objects of all sizes",
    sentence="A feature pyramid finds objects better than one map of stride 16, above all small ones.",
    source="Lin et al. 2017 (FPN), §5; He et al. 2017 (Mask R-CNN), §4.2 and Table 2a",
    paper="COCO minival, Mask R-CNN with ResNet-50: mask AP 30.3 with C4, 33.6 with FPN",
    changes="the maps that RPN and heads look at: strides 4 to 32, or only 16",
    same=SAME,
    variants={"one map": DetectorRecipe((("fpn", False),)), "pyramid": BASE},
    measures=(
        MASK_AP,
        BOX_AP,
        percent("APs", "mask AP below 16 px"),
        percent("APm", "16 to 40 px"),
        percent("APl", "above 40 px"),
    ),
    expectations=(
        Expectation("the pyramid is better", "mask_AP", "pyramid", "one map"),
        Expectation("for small objects", "APs", "pyramid", "one map"),
        Expectation("for large ones, too", "APl", "pyramid", "one map"),
    ),
)


def _proposing(threshold: float) -> DetectorRecipe:
    return DetectorRecipe(test=(("proposal_nms_iou", threshold),), proposals=True)


PROPOSALS = Claim(
    name="maskrcnn.proposals",
    title="What the RPN proposes",
    sentence="A few hundred proposals contain nearly every object, because suppression keeps them from being all of "
    "the same one.",
    source="Ren et al. 2015 (Faster R-CNN), §3.3, §4.1 and Figure 4",
    paper="VOC 2007 test: recall hardly falls from 2,000 proposals to 300; NMS at 0.7",
    changes="the threshold of the suppression among proposals; 1.0 is none",
    same=SAME + "; one training per seed; recall at IoU 0.5",
    variants={f"NMS at {threshold}": _proposing(threshold) for threshold in (0.5, 0.7, 0.9, 1.0)},
    measures=(
        percent("recall_10", "recall of 10 proposals"),
        percent("recall_100", "of 100"),
        percent("recall_1000", "of 1,000"),
        BOX_AP,
    ),
    expectations=(
        Expectation("100 proposals contain more than 80 %", "recall_100", "NMS at 0.7", 0.8),
        Expectation("without suppression 100 contain fewer", "recall_100", "NMS at 0.7", "NMS at 1.0"),
        Expectation("ten contain fewer still", "recall_10", "NMS at 0.7", "NMS at 1.0"),
    ),
)


def _suppressing(threshold: float) -> DetectorRecipe:
    return DetectorRecipe(test=(("nms_iou", threshold),))


SUPPRESSION = Claim(
    name="maskrcnn.nms",
    title="How much overlap is too much",
    sentence="Detections that overlap by more than half are taken for one object: a lower threshold loses neighbors, a "
    "higher one reports objects twice.",
    source="He et al. 2017 (Mask R-CNN), appendix B; Girshick 2015 (Fast R-CNN)",
    paper="NMS at 0.5 for detections in appendix B, at 0.3 in the main results",
    changes="the threshold of the suppression among detections; 1.0 is none",
    same=SAME + "; one training per seed",
    variants={f"NMS at {threshold}": _suppressing(threshold) for threshold in (0.3, 0.5, 0.7, 1.0)},
    measures=(MASK_AP, MASK_AP50, BOX_AP),
    expectations=(
        Expectation("0.5 is better than 0.3", "mask_AP", "NMS at 0.5", "NMS at 0.3"),
        Expectation("0.5 is better than 0.7", "mask_AP", "NMS at 0.5", "NMS at 0.7"),
        Expectation("none is bad", "mask_AP50", "NMS at 0.5", "NMS at 1.0"),
    ),
)

CLAIMS = (QUANTIZATION, ROI_ALIGN, ONE_MAP, SIGMOID, AGNOSTIC, MULTI_TASK, PYRAMID, PROPOSALS, SUPPRESSION)
