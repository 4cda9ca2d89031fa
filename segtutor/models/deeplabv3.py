"""DeepLabV3: atrous convolution at several rates, beside one look at the whole image.

Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic Image Segmentation, 2017 ("v3").

                          +- 1x1 ----------------+
                          +- 3x3, rate r1 -------+
    images --> backbone --+- 3x3, rate r2 -------+-- concat --> 1x1 --> (3x3) --> 1x1 --> upsample --> logits
               (dilated)  +- 3x3, rate r3 -------+
                          +- image pooling, 1x1 -+

The 3x3 in parentheses is torchvision's, not the paper's: ``variant="paper"`` builds it without, and with the paper's
multi-grid. The other network of the paper, which goes deeper instead, is in ``deeplabv3_cascaded.py``.

Shapes: B images, C channels, K classes, H W input, h w feature map at the output stride OS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from torch import nn

from segtutor.models.aspp import ASPP, atrous_rates
from segtutor.models.backbones import (
    FirstBlockRate,
    ResNetBackbone,
    TinyResNet,
    mobilenet_v2_backbone,
    mobilenet_v3_large_backbone,
    resnet50_backbone,
    resnet101_backbone,
)
from segtutor.models.differences import Difference
from segtutor.models.inputs import Preprocessing
from segtutor.models.semantic import FCNHead, SemanticNetwork

Variant = Literal["torchvision", "paper"]

MULTI_GRID = (1, 2, 4)  # v3 §4.3, beside the ASPP


class DeepLabHead(nn.Sequential):
    """ASPP, a 3 x 3 convolution and the 1 x 1 to the classes.

    differs: the paper has no 3 x 3 after the ASPP; torchvision's published networks have.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        rates: Sequence[int],
        channels: int = 256,
        dropout: float = 0.5,
        image_pooling: bool = True,
    ) -> None:
        super().__init__(
            ASPP(in_channels, rates, channels, dropout, image_pooling=image_pooling),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, num_classes, 1),
        )


class PaperHead(nn.Sequential):
    """ASPP and the 1 x 1 to the classes (v3 §3.3); the dropout is that of the authors' code."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        rates: Sequence[int],
        channels: int = 256,
        dropout: float = 0.1,
        image_pooling: bool = True,
    ) -> None:
        super().__init__(
            ASPP(in_channels, rates, channels, dropout, image_pooling=image_pooling),
            nn.Conv2d(channels, num_classes, 1),
        )


class DeepLabV3(SemanticNetwork):
    """Backbone, DeepLab head, upsampling: see `SemanticNetwork`."""


def _deeplabv3_resnet(
    build: Callable[..., ResNetBackbone],
    num_classes: int,
    variant: Variant,
    output_stride: int | None,
    aux: bool,
    multi_grid: Sequence[int] | None,
    first_block_rate: FirstBlockRate,
) -> DeepLabV3:
    paper = is_paper(variant)
    if output_stride is None:
        output_stride = 16 if paper else 8
    if multi_grid is None:
        multi_grid = MULTI_GRID if paper else ()
    rates = atrous_rates(output_stride)
    backbone = build(output_stride=output_stride, multi_grid=multi_grid, first_block_rate=first_block_rate)
    return DeepLabV3(
        backbone,
        (PaperHead if paper else DeepLabHead)(backbone.channels["out"], num_classes, rates),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=output_stride,
        align_corners=paper,
    )


def is_paper(variant: Variant) -> bool:
    """Whether the paper's network is asked for, rather than torchvision's."""
    if variant not in ("torchvision", "paper"):
        raise ValueError(f"variant must be 'torchvision' or 'paper', but {variant!r} came")
    return variant == "paper"


def deeplabv3_resnet50(
    num_classes: int = 21,
    *,
    variant: Variant = "torchvision",
    output_stride: int | None = None,
    aux: bool = False,
    multi_grid: Sequence[int] | None = None,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 on ResNet-50.

    Args:
        num_classes: K.
        variant: "torchvision", whose published weights fit, or "paper": multi-grid, no 3 x 3 behind the ASPP, aligned
            corners. `DIFFERENCES` has the whole list.
        output_stride: 8 or 16; it sets the rates of the backbone and of the ASPP. 8 for torchvision's network; 16 for
            the paper's, which is trained there and may predict at 8 with the same weights.
        aux: Build the auxiliary head on layer3.
        multi_grid: Unit rates of the last stage's three blocks; (1, 2, 4) in the paper, none in torchvision.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    return _deeplabv3_resnet(resnet50_backbone, num_classes, variant, output_stride, aux, multi_grid, first_block_rate)


def deeplabv3_resnet101(
    num_classes: int = 21,
    *,
    variant: Variant = "torchvision",
    output_stride: int | None = None,
    aux: bool = False,
    multi_grid: Sequence[int] | None = None,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 on ResNet-101; arguments as `deeplabv3_resnet50`."""
    return _deeplabv3_resnet(resnet101_backbone, num_classes, variant, output_stride, aux, multi_grid, first_block_rate)


def deeplabv3_mobilenet_v3_large(num_classes: int = 21, *, aux: bool = False) -> DeepLabV3:
    """DeepLabV3 on MobileNetV3-Large, output stride 16, exactly torchvision's network.

    differs: the paper pairs output stride 16 with the rates 6, 12, 18. torchvision trained this one with those of
    output stride 8, and its weights need them.

    Args:
        num_classes: K.
        aux: Build the auxiliary head, on a map of stride 8.
    """
    backbone = mobilenet_v3_large_backbone()
    return DeepLabV3(
        backbone,
        DeepLabHead(backbone.channels["out"], num_classes, rates=atrous_rates(8)),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=16,
    )


def deeplabv3_mobilenet_v2(num_classes: int = 21) -> DeepLabV3:
    """The mobile DeepLabV3 of the MobileNetV2 paper (Sandler et al. 2018, §6.3): output stride 16, no atrous branches.

    Made as TensorFlow's published weights need it: logits are upsampled with aligned corners, pixels are scaled to
    -1...1, and pictures are padded to 513, 545, ... (32 k + 1), where strided layers sample as they do in TensorFlow.
    ``weights="imagenet"`` and ``"pip"`` bring a body that was trained in PyTorch: it needs none of this padding.

    Args:
        num_classes: K.
    """
    backbone = mobilenet_v2_backbone()
    head = PaperHead(backbone.channels["out"], num_classes, rates=())
    half = (0.5, 0.5, 0.5)
    return DeepLabV3(
        backbone,
        head,
        output_stride=16,
        preprocessing=Preprocessing(mean=half, std=half, multiple=32, remainder=1, smallest=513),
        align_corners=True,
    )


def deeplabv3_tiny(
    num_classes: int = 21,
    *,
    variant: Variant = "torchvision",
    output_stride: int = 8,
    rates: Sequence[int] = (2, 4, 6),
    aux: bool = False,
    multi_grid: Sequence[int] = (),
    image_pooling: bool = True,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 with every part of the large ones, for small pictures: trains on a processor in minutes.

    differs: the ASPP's rates are small. On 128 x 160 pixels the map is 16 x 20, where a rate of 12 would read padding.

    Args:
        num_classes: K.
        variant: "torchvision" or "paper": the head and the upsampling, see `deeplabv3_resnet50`.
        output_stride: 4, 8 or 16.
        rates: Of the atrous branches.
        aux: Build the auxiliary head on layer2.
        multi_grid: Unit rates of the last stage's two blocks.
        image_pooling: Whether one branch of the ASPP looks at the whole image.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    paper = is_paper(variant)
    backbone = TinyResNet(output_stride, first_block_rate, multi_grid)
    head = (PaperHead if paper else DeepLabHead)(
        backbone.channels["out"], num_classes, rates, channels=64, dropout=0.1, image_pooling=image_pooling
    )
    return DeepLabV3(
        backbone,
        head,
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=output_stride,
        align_corners=paper,
    )


# Paper: arXiv 1706.05587, §3.3, its best network with an ASPP. Reference: the authors' TensorFlow code.
# Ours: deeplabv3_resnet101, variant="paper".
DIFFERENCES = (
    Difference("multi-grid", "1, 2, 4", "1, 2, 4", "none", "1, 2, 4"),
    Difference("output stride in training", "16", "16", "8", "16"),
    Difference("rates of layer4", "2, 4, 8", "2, 4, 8", "2, 4, 4", "2, 4, 8"),
    Difference("rates of the ASPP", "6, 12, 18", "6, 12, 18", "12, 24, 36", "6, 12, 18"),
    Difference("between ASPP and classes", "nothing", "nothing", "3 x 3 of 256", "nothing"),
    Difference("dropout after the ASPP", "none told", "0.1", "0.5", "0.1"),
    Difference("stem", "7 x 7", "three 3 x 3: 64, 64, 128", "7 x 7", "7 x 7"),
    Difference("upsampling", "bilinear", "bilinear, aligned corners", "bilinear", "bilinear, aligned corners"),
    Difference("batch norm momentum", "0.0003", "0.0003", "0.1", "0.1"),
    Difference("auxiliary head", "no", "no", "after layer3, in training", "option aux=True"),
)
