"""The claims of lesson 3: what makes a classifier a network for label maps, and what each part of FCN is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.measures import BAND_IOU, MEAN_IOU, PARAMETERS, THIN
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.training import SIZE
from segtutor.labels import SCENES
from segtutor.models.backbones import TinyResNet
from segtutor.plotting import transposed_convolution


class WithFullyConnected(nn.Module):
    """A classifier as it was before FCN: the map is flattened, so the linear layer knows one size of picture only."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.backbone = TinyResNet(output_stride=16)
        height, width = (-(-side // 16) for side in size)
        self.classifier = nn.Linear(self.backbone.channels["out"] * height * width, len(SCENES))

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.backbone(images)["out"].flatten(1))
        return scores


def any_size(convolutional: bool, seed: int, short: bool) -> Values:
    """Share of random picture sizes that a network takes, and how many of its answers are one per pixel."""
    generator = np.random.default_rng(seed)
    model = models.create("fcn8s_tiny", len(SCENES)) if convolutional else WithFullyConnected(SIZE)
    model.eval()
    sizes = generator.integers(33, 131, (10 if short else 60, 2)).tolist()
    taken = dense = 0
    with torch.no_grad():
        for height, width in sizes:
            try:
                output = model(torch.zeros(1, 3, height, width))
            except RuntimeError:  # the linear layer: "mat1 and mat2 shapes cannot be multiplied"
                continue
            taken += 1
            dense += isinstance(output, dict) and output["out"].shape[-2:] == (height, width)
    return {"taken": taken / len(sizes), "dense": dense / len(sizes)}


ANY_SIZE = Claim(
    name="fcn.any_size",
    title="Pictures of any size",
    sentence="A network of convolutions only takes pictures of any size and answers with a map of the same size.",
    source="Long et al. 2015, §3",
    paper="no number; a fully connected layer is a convolution whose kernel covers its whole input (§3.1)",
    changes="the last layers: convolutions (FCN-8s), or one fully connected layer, made for pictures of 96 x 128",
    same="the backbone; 60 random sizes from 33 to 130 pixels per seed",
    variants={
        "convolutions only": lambda seed, short: any_size(True, seed, short),
        "with a fully connected layer": lambda seed, short: any_size(False, seed, short),
    },
    measures=(percent("taken", "sizes taken"), percent("dense", "answers of the picture's size")),
    expectations=(
        Expectation("convolutions take every size", "dense", "convolutions only", 0.9999),
        Expectation(
            "a fully connected layer does not", "taken", "convolutions only", "with a fully connected layer", margin=0.5
        ),
    ),
)


def convolution_matrix(kernel: Tensor, stride: int, height: int, width: int) -> Tensor:
    """The matrix of the strided convolution whose transpose maps h x w to ``height`` x ``width``."""
    unit = torch.eye(height * width, dtype=kernel.dtype).reshape(-1, 1, height, width)
    return F.conv2d(unit, kernel[None, None], stride=stride).reshape(height * width, -1).T


def transposed(kernel_size: int, stride: int, seed: int, short: bool) -> Values:
    """Three ways to the same numbers, and how unevenly the output's pixels are reached."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(1, 1, 4, 5, generator=generator, dtype=torch.float64)
    kernel = torch.randn(kernel_size, kernel_size, generator=generator, dtype=torch.float64)
    ours = F.conv_transpose2d(values, kernel[None, None], stride=stride)
    by_stuffing = torch.from_numpy(transposed_convolution(values[0, 0], kernel, stride).output)
    matrix = convolution_matrix(kernel, stride, *ours.shape[-2:])
    by_matrix = (matrix.T @ values.flatten()).reshape(ours.shape)
    sizes = tuple(stride * (side - 1) + kernel_size for side in (4, 5))
    ones = F.conv_transpose2d(torch.ones(1, 1, 12, 12), torch.ones(1, 1, kernel_size, kernel_size), stride=stride)
    side = (ones.shape[-1] - 2 * kernel_size) // stride * stride  # whole periods, or the mean would lean to one side
    inside = ones[..., kernel_size : kernel_size + side, kernel_size : kernel_size + side]
    return {
        "stuffing": float((by_stuffing - ours).abs().max()),
        "matrix": float((by_matrix - ours).abs().max()),
        "size_error": float(max(abs(a - b) for a, b in zip(sizes, ours.shape[-2:], strict=True))),
        "uneven": float((inside.max() - inside.min()) / inside.mean()),
    }


def _transposed_variant(kernel_size: int, stride: int):  # type: ignore[no-untyped-def]
    return lambda seed, short: transposed(kernel_size, stride, seed, short)


PAIRS = ((3, 2), (4, 2), (5, 2), (4, 3), (6, 3))

TRANSPOSED = Claim(
    name="fcn.transposed",
    title="Transposed convolution, three ways",
    sentence="Upsampling by f is a convolution with the fractional stride 1/f: the backward pass of a convolution.",
    source="Long et al. 2015, §3.3; Odena, Dumoulin and Olah 2016 for the checkerboard",
    paper="no number",
    changes="kernel size and stride",
    same="random 4 x 5 inputs and kernels in double precision",
    variants={f"kernel {kernel}, stride {stride}": _transposed_variant(kernel, stride) for kernel, stride in PAIRS},
    measures=(
        Measure("stuffing", "largest difference to the convolution of the stuffed input", 1e15, 2),
        Measure("matrix", "to the transposed matrix (both in 10⁻¹⁵)", 1e15, 2),
        Measure("size_error", "size off the formula by, px", digits=0),
        percent("uneven", "uneven reach, of the mean"),
    ),
    expectations=(
        *[
            Expectation(
                f"{way} gives the same numbers (kernel {k}, stride {s})", key, f"kernel {k}, stride {s}", limit, False
            )
            for k, s in ((3, 2), (4, 3))
            for key, way, limit in (("stuffing", "stuffing", 1e-12), ("matrix", "the transposed matrix", 1e-12))
        ],
        Expectation(
            "a kernel that the stride does not divide: checkerboard",
            "uneven",
            "kernel 4, stride 2",
            "kernel 3, stride 2",
            False,
        ),
        Expectation("the same at stride 3", "uneven", "kernel 6, stride 3", "kernel 4, stride 3", False),
        Expectation("none where the stride divides the kernel", "uneven", "kernel 4, stride 2", 1e-6, False),
    ),
)

SKIPS = Claim(
    name="fcn.skips",
    title="Skips from finer maps",
    sentence="Adding the scores of finer layers makes the label map better, and above all finer.",
    source="Long et al. 2015, §4.2, Table 2",
    paper="mean IoU 59.4, 62.4, 62.7 % (32s, 16s, 8s) on 736 pictures of VOC 2011 val; VGG16, trained skip by skip",
    changes="which of the maps pool4 (stride 16) and pool3 (stride 8) are scored and added",
    same=f"{BUDGET}; backbone, random start",
    variants={name: network(name).recipe() for name in ("FCN-32s", "FCN-16s", "FCN-8s")},
    measures=(
        MEAN_IOU,
        BAND_IOU,
        percent("inner_iou", "elsewhere"),
        THIN,
        percent("pole_iou", "IoU of poles"),
        PARAMETERS,
    ),
    expectations=(
        Expectation("the skip from stride 16 helps", "mean_iou", "FCN-16s", "FCN-32s"),
        Expectation("the skip from stride 8 helps further", "mean_iou", "FCN-8s", "FCN-16s"),
        Expectation("it helps near boundaries", "band_iou", "FCN-8s", "FCN-32s"),
        Expectation("and on thin structures", "thin", "FCN-8s", "FCN-32s"),
    ),
)

PRETRAINED = network("FCN-8s, pretrained").recipe()

END_TO_END = Claim(
    name="fcn.end_to_end",
    title="Training all layers",
    sentence="Training all layers end to end beats training only the new last layer.",
    source="Long et al. 2015, §4.3",
    paper="FCN-32s on VOC 2011 val, the last layer alone: the text says 70 % of the full score, but Table 2 has 45.4 % "
    "against 59.4 %, which is 76 %",
    changes="whether the backbone learns, too; the head (fc6, fc7 and the score layers) always does",
    same=f"{BUDGET}; FCN-8s, the course's pretrained backbone as the start",
    variants={
        "all layers": PRETRAINED,
        "backbone frozen": replace(PRETRAINED, frozen=True),
    },
    measures=(
        MEAN_IOU,
        BAND_IOU,
        percent("pixel_accuracy", "pixel accuracy"),
        Measure("parameters", "parameters that learn, thousands", 1e-3, 0),
    ),
    expectations=(Expectation("training all layers is better", "mean_iou", "all layers", "backbone frozen"),),
)

PRETRAINING = Claim(
    name="fcn.pretraining",
    title="A pretrained backbone",
    sentence="A network that has learned to classify pictures is a better start than random weights.",
    source="Long et al. 2015, §4.3",
    paper="no number: the authors call training from scratch not feasible, given the time that the classifier took",
    changes="the backbone's first weights: random, or of a classifier that learned which classes a scene shows",
    same=f"{BUDGET}; FCN-8s",
    variants={"pretrained": PRETRAINED, "random": replace(network("FCN-8s").recipe(), keeps_start=True)},
    measures=(
        MEAN_IOU,
        BAND_IOU,
        percent("pixel_accuracy", "pixel accuracy"),
        Measure("loss", "training loss at the end", digits=3),
    ),
    expectations=(Expectation("the pretrained start is better", "mean_iou", "pretrained", "random"),),
)

CLAIMS = (ANY_SIZE, TRANSPOSED, SKIPS, END_TO_END, PRETRAINING)
