"""DeepLabV3: atrous convolution at several rates, beside one look at the whole image.

Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic Image Segmentation, 2017 ("v3").

                          +- 1x1 ----------------+
                          +- 3x3, rate r1 -------+
    images --> backbone --+- 3x3, rate r2 -------+-- concat --> 1x1 --> (3x3) --> 1x1 --> upsample --> logits
               (dilated)  +- 3x3, rate r3 -------+
                          +- image pooling, 1x1 -+

Shapes: B images, C channels, K classes, H W input, h w feature map at the output stride OS.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segtutor.models.backbones import (
    FirstBlockRate,
    ResNetBackbone,
    TinyResNet,
    mobilenet_v2_backbone,
    mobilenet_v3_large_backbone,
    resnet50_backbone,
    resnet101_backbone,
)
from segtutor.models.inputs import PooledBatchNorm2d, Preprocessing
from segtutor.models.semantic import FCNHead, SemanticNetwork


def atrous_rates(output_stride: int) -> tuple[int, int, int]:
    """Rates of the three atrous branches: the same reach in the image at any output stride (v3 §3.3).

    >>> atrous_rates(16)
    (6, 12, 18)
    """
    rates = {8: (12, 24, 36), 16: (6, 12, 18)}
    if output_stride not in rates:
        raise ValueError(f"output_stride must be 8 or 16, but {output_stride} came")
    return rates[output_stride]


class ASPPConv(nn.Sequential):
    """3 x 3 convolution with holes: it reads every ``rate``-th pixel."""

    def __init__(self, in_channels: int, channels: int, rate: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, channels, 3, padding=rate, dilation=rate, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )


class ASPPPooling(nn.Sequential):
    """Image-level features: the mean over the whole map, the same at every position."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, channels, 1, bias=False),
            PooledBatchNorm2d(channels),
            nn.ReLU(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Global mean, convolved and spread over the map."""
        h, w = features.shape[-2:]
        pooled = super().forward(features)  # B x C x 1 x 1
        # differs: the paper upsamples bilinearly; from one pixel that is a copy.
        return pooled.expand(-1, -1, h, w)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: parallel branches with different fields of view, fused by a 1 x 1 (v3 §3.3).

    Args:
        in_channels: Width of the feature map.
        rates: Of the atrous branches; none leaves the 1 x 1 branch and image pooling.
        channels: Width of each branch and of the result.
        dropout: Share of values dropped after the projection.
    """

    def __init__(self, in_channels: int, rates: Sequence[int], channels: int = 256, dropout: float = 0.5) -> None:
        super().__init__()
        pointwise = nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        atrous = [ASPPConv(in_channels, channels, rate) for rate in rates]
        self.convs = nn.ModuleList([pointwise, *atrous, ASPPPooling(in_channels, channels)])
        self.project = nn.Sequential(
            nn.Conv2d(len(self.convs) * channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to B x ``channels`` x h x w."""
        return self.project(torch.cat([branch(features) for branch in self.convs], dim=1))


class DeepLabHead(nn.Sequential):
    """ASPP, a 3 x 3 convolution and the 1 x 1 to the classes.

    differs: the paper has no 3 x 3 after the ASPP; torchvision's published networks have.
    """

    def __init__(
        self, in_channels: int, num_classes: int, rates: Sequence[int], channels: int = 256, dropout: float = 0.5
    ) -> None:
        super().__init__(
            ASPP(in_channels, rates, channels, dropout),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, num_classes, 1),
        )


class DeepLabV3(SemanticNetwork):
    """Backbone, DeepLab head, upsampling: see `SemanticNetwork`."""


def _deeplabv3_resnet(backbone: ResNetBackbone, num_classes: int, output_stride: int, aux: bool) -> DeepLabV3:
    return DeepLabV3(
        backbone,
        DeepLabHead(backbone.channels["out"], num_classes, atrous_rates(output_stride)),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=output_stride,
    )


def deeplabv3_resnet50(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    aux: bool = False,
    multi_grid: Sequence[int] = (),
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 on ResNet-50; the defaults are torchvision's network.

    Args:
        num_classes: K.
        output_stride: 8 or 16; it sets the rates of the backbone and of the ASPP.
        aux: Build the auxiliary head on layer3.
        multi_grid: Unit rates of the last stage, (1, 2, 4) in the paper. differs: torchvision has none.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    backbone = resnet50_backbone(output_stride=output_stride, multi_grid=multi_grid, first_block_rate=first_block_rate)
    return _deeplabv3_resnet(backbone, num_classes, output_stride, aux)


def deeplabv3_resnet101(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    aux: bool = False,
    multi_grid: Sequence[int] = (),
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 on ResNet-101; arguments as `deeplabv3_resnet50`."""
    backbone = resnet101_backbone(output_stride=output_stride, multi_grid=multi_grid, first_block_rate=first_block_rate)
    return _deeplabv3_resnet(backbone, num_classes, output_stride, aux)


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
    """The mobile DeepLabV3 of the MobileNetV2 paper (Sandler et al. 2018, §6.4): output stride 16, no atrous branches.

    Made as TensorFlow's published weights need it: logits are upsampled with aligned corners, pixels are scaled to
    -1...1, and pictures are padded to 513, 545, ... (32 k + 1), where strided layers sample as they do in TensorFlow.

    Args:
        num_classes: K.
    """
    backbone = mobilenet_v2_backbone()
    channels = 256
    head = nn.Sequential(
        ASPP(backbone.channels["out"], rates=(), channels=channels, dropout=0.1), nn.Conv2d(channels, num_classes, 1)
    )
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
    output_stride: int = 8,
    rates: Sequence[int] = (2, 4, 6),
    aux: bool = False,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3:
    """DeepLabV3 with every part of the large ones, for small pictures: trains on a processor in minutes.

    differs: the ASPP's rates are small. On 128 x 160 pixels the map is 16 x 20, where a rate of 12 would read padding.

    Args:
        num_classes: K.
        output_stride: 4, 8 or 16.
        rates: Of the three atrous branches.
        aux: Build the auxiliary head on layer2.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    backbone = TinyResNet(output_stride, first_block_rate)
    return DeepLabV3(
        backbone,
        DeepLabHead(backbone.channels["out"], num_classes, rates, channels=64, dropout=0.1),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=output_stride,
    )
