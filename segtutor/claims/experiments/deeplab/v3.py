"""The claims of DeepLab v3: the whole image in one branch, batch norm, deeper or parallel, multi-grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from segtutor.claims.claim import Claim, Expectation
from segtutor.claims.measures import BAND_IOU, COSTS, GFLOPS, LARGE, MEAN_IOU, PARAMETERS, POLE_IOU
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import Recipe


@dataclass(frozen=True)
class NoBatchNorm:
    """A change of a network: called with it, takes the batch norms out of its head."""

    def __call__(self, model: Any) -> None:
        replace_batch_norm_by_bias(model.classifier)


def replace_batch_norm_by_bias(head: nn.Module) -> None:
    """Takes each batch norm that follows a convolution out, in place, and gives the convolution a bias."""
    for parent in list(head.modules()):
        children = list(parent.named_children())
        for (_, layer), (name, following) in itertools.pairwise(children):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
                setattr(parent, name, nn.Identity())


def _v3(**options: object) -> Recipe:
    """The paper's parallel network, with options of it."""
    return network("DeepLab v3").recipe(**options)


def _cascade(last_block: int) -> Recipe:
    """The cascaded network up to this block."""
    return network("DeepLab v3, cascaded").recipe(last_block=last_block)


IMAGE_POOLING = Claim(
    name="deeplab.image_pooling",
    title="The whole image in one branch",
    sentence="A branch that averages over the whole image brings back the context that too large rates lose.",
    source="Chen et al. 2017 (DeepLab v3), §3.3, §4.3",
    paper="v3, VOC 2012 val, ResNet-101, multi-grid 1, 2, 4: mean IoU 76.58 % without, 77.21 with",
    changes="the image pooling branch",
    same=f"{BUDGET}; deeplabv3_tiny, whose three rates alone reach across the picture",
    variants={"without": _v3(image_pooling=False), "with": _v3()},
    measures=(MEAN_IOU, BAND_IOU, LARGE, PARAMETERS),
    expectations=(Expectation("it helps", "mean_iou", "with", "without"),),
)

BATCH_NORM = Claim(
    name="deeplab.batch_norm",
    title="Batch norm in the ASPP",
    sentence="Batch norm in the added layers is important for their training.",
    source="Chen et al. 2017 (DeepLab v3), §3.3; appendix A, Table 8",
    paper="v3, VOC 2012 val, ResNet-101: 75.95 % with batch norm left as it was, 77.21 with batch norm trained",
    changes="batch norm behind the convolutions of the ASPP, or biases in them",
    same=f"{BUDGET}; deeplabv3_tiny",
    variants={"without": replace(_v3(), change=NoBatchNorm()),
              "with": _v3()},
    measures=(MEAN_IOU, BAND_IOU, PARAMETERS),
    expectations=(Expectation("it helps", "mean_iou", "with", "without"),),
)  # fmt: skip

CASCADED = Claim(
    name="deeplab.cascaded",
    title="Going deeper or going parallel",
    sentence="Copies of the last stage at doubling rates help, each less than the one before; parallel branches with "
    "image pooling are better and cheaper.",
    source="Chen et al. 2017 (DeepLab v3), §3.2, §4.2, §4.3",
    paper="VOC 2012 val, ResNet-101, the best of each: cascaded 76.66 %, parallel 77.21; at output stride 8 with "
    "several scales and mirrored 79.35 and 79.77",
    changes="what follows the backbone: nothing, one copy of its last stage, two copies, or the ASPP",
    same=f"{BUDGET}; the small backbone at output stride 8",
    variants={"block4": _cascade(4), "block5": _cascade(5), "block6": _cascade(6), "parallel": _v3()},
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
    same=f"{BUDGET}; deeplabv3_tiny",
    variants={
        "1, 1": _v3(multi_grid=(1, 1)),
        "1, 2": _v3(multi_grid=(1, 2)),
    },
    measures=(MEAN_IOU, BAND_IOU, LARGE, POLE_IOU, GFLOPS),
    expectations=(
        Expectation("1, 2 is better than 1, 1", "mean_iou", "1, 2", "1, 1"),
        Expectation("also for poles, which are thin", "pole_iou", "1, 2", "1, 1"),
    ),
)
