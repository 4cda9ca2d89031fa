"""DeepLabV3+: DeepLabV3 as an encoder, and a small decoder that takes sharp boundaries from a finer map.

Chen, Zhu, Papandreou, Schroff, Adam: Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation, 2018 ("v3+").

    images --> backbone --+--> ASPP (256 channels, stride 16) --> upsample to stride 4 --+
                          |                                                             concat --> 3x3 --> 3x3
                          +--> low-level map (stride 4) --> 1x1 to 48 channels ----------+           --> 1x1
                                                                                                --> upsample --> logits

Shapes: B images, C channels, K classes, H W input, h w feature map at the output stride.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from segtutor.models.aspp import ASPP, atrous_rates
from segtutor.models.backbones import FirstBlockRate, ResNetBackbone, TinyResNet, resnet50_backbone, resnet101_backbone
from segtutor.models.deeplabv3 import MULTI_GRID
from segtutor.models.differences import Difference
from segtutor.models.inputs import Preprocessing
from segtutor.models.semantic import SemanticNetwork
from segtutor.models.separable import AtrousSeparableConv
from segtutor.models.xception import ReLUPlace, XceptionBackbone

Variant = Literal["paper", "port"]


class DeepLabV3Plus(SemanticNetwork):
    """Encoder (backbone and ASPP) and decoder (v3+ §3.1).

    Args:
        backbone: Maps images to a dict with the feature maps "low" and "out"; has their ``channels``.
        num_classes: K.
        rates: Of the ASPP's atrous branches.
        channels: Width of the ASPP and of the decoder.
        low_channels: To which the low-level map is reduced, so that it does not outweigh the encoder (v3+ §4.1).
        decoder_convolutions: Number of 3 x 3 convolutions behind the concatenation.
        separable: Atrous separable convolutions in the ASPP and in the decoder, instead of full ones.
        output_stride: Of the encoder's map.
        align_corners: How maps and logits are upsampled.
        preprocessing: What the weights expect of an image.
    """

    def __init__(
        self,
        backbone: ResNetBackbone | XceptionBackbone | TinyResNet,
        num_classes: int,
        rates: Sequence[int],
        *,
        channels: int = 256,
        low_channels: int = 48,
        decoder_convolutions: int = 2,
        separable: bool = False,
        output_stride: int = 16,
        align_corners: bool = True,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        if low_channels < 1 or decoder_convolutions < 1:
            raise ValueError(
                "low_channels and decoder_convolutions must be whole numbers of at least 1, but "
                f"{low_channels} and {decoder_convolutions} came; deeplabv3 is the network without a decoder"
            )
        convolution = AtrousSeparableConv if separable else _full_convolution
        refine: list[nn.Module] = []
        in_channels = channels + low_channels
        for _ in range(decoder_convolutions):
            refine += [*convolution(in_channels, channels)]
            in_channels = channels
        super().__init__(
            backbone,
            nn.Sequential(*refine, nn.Conv2d(channels, num_classes, 1)),
            output_stride=output_stride,
            align_corners=align_corners,
            preprocessing=preprocessing,
        )
        self.aspp = ASPP(backbone.channels["out"], rates, channels, dropout=0.1, separable=separable)
        self.reduce = nn.Sequential(
            nn.Conv2d(backbone.channels["low"], low_channels, 1, bias=False), nn.BatchNorm2d(low_channels), nn.ReLU()
        )

    def _score(self, features: dict[str, Tensor]) -> Tensor:
        low = self.reduce(features["low"])  # B x 48 x H/4 x W/4
        encoded = self.aspp(features["out"])  # B x 256 x h x w
        # To a size, never by a factor: the low-level map may have a pixel less than four times the encoder's.
        encoded = self._upsample(encoded, (low.shape[-2], low.shape[-1]))
        logits: Tensor = self.classifier(torch.cat([encoded, low], dim=1))
        return logits


def _full_convolution(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
    )


def _deeplabv3plus_resnet(
    build: Callable[..., ResNetBackbone],
    num_classes: int,
    output_stride: int,
    variant: Variant,
    separable: bool,
    first_block_rate: FirstBlockRate,
) -> DeepLabV3Plus:
    if variant not in ("paper", "port"):
        raise ValueError(f"variant must be 'paper' or 'port', but {variant!r} came")
    paper = variant == "paper"
    rates = atrous_rates(output_stride)
    backbone = build(
        output_stride=output_stride, multi_grid=MULTI_GRID if paper else (), first_block_rate=first_block_rate
    )
    return DeepLabV3Plus(
        backbone,
        num_classes,
        rates,
        decoder_convolutions=2 if paper else 1,
        separable=separable,
        output_stride=output_stride,
        align_corners=paper,
    )


def deeplabv3plus_resnet50(
    num_classes: int = 21,
    *,
    output_stride: int = 16,
    variant: Variant = "paper",
    separable: bool = False,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3Plus:
    """DeepLabV3+ on ResNet-50.

    Args:
        num_classes: K.
        output_stride: 8 or 16; it sets the rates of the backbone and of the ASPP.
        variant: "paper", or "port": the PyTorch network whose weights load (layout "vainf_deeplabv3plus"). It has one
            3 x 3 in the decoder, no multi-grid, no aligned corners. `DIFFERENCES` has the whole list.
        separable: Atrous separable convolutions in the ASPP and in the decoder, instead of full ones.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    return _deeplabv3plus_resnet(resnet50_backbone, num_classes, output_stride, variant, separable, first_block_rate)


def deeplabv3plus_resnet101(
    num_classes: int = 21,
    *,
    output_stride: int = 16,
    variant: Variant = "paper",
    separable: bool = False,
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3Plus:
    """DeepLabV3+ on ResNet-101; arguments as `deeplabv3plus_resnet50`."""
    return _deeplabv3plus_resnet(resnet101_backbone, num_classes, output_stride, variant, separable, first_block_rate)


def deeplabv3plus_xception65(
    num_classes: int = 21, *, output_stride: int = 16, separable: bool = True, relu: ReLUPlace = "before"
) -> DeepLabV3Plus:
    """DeepLabV3+ on the modified Xception-65: the paper's best network. Pixels are scaled to -1...1.

    Args:
        num_classes: K.
        output_stride: 8 or 16; it sets the rates of the backbone and of the ASPP.
        separable: Atrous separable convolutions in the ASPP and in the decoder, instead of full ones.
        relu: "before" each separable convolution of the backbone, as in the authors' published networks, or "after"
            each of its halves, as the paper says.
    """
    half = (0.5, 0.5, 0.5)
    return DeepLabV3Plus(
        XceptionBackbone(output_stride, relu),
        num_classes,
        atrous_rates(output_stride),
        separable=separable,
        output_stride=output_stride,
        preprocessing=Preprocessing(mean=half, std=half),
    )


def deeplabv3plus_tiny(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    rates: Sequence[int] = (2, 4, 6),
    separable: bool = False,
    low_channels: int = 16,
    decoder_convolutions: int = 2,
    multi_grid: Sequence[int] = (),
    first_block_rate: FirstBlockRate = "previous",
) -> DeepLabV3Plus:
    """DeepLabV3+ with every part of the large ones, for small pictures: trains on a processor in minutes.

    differs: the ASPP's rates are small, as the pictures are, and all widths are a quarter or a third.

    Args:
        num_classes: K.
        output_stride: 8 or 16; the low-level map has stride 4.
        rates: Of the ASPP's atrous branches.
        separable: Atrous separable convolutions in the ASPP and in the decoder, instead of full ones.
        low_channels: To which the low-level map is reduced.
        decoder_convolutions: Number of 3 x 3 convolutions behind the concatenation.
        multi_grid: Unit rates of the last stage's two blocks.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
    """
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride must be 8 or 16, but {output_stride} came")
    return DeepLabV3Plus(
        TinyResNet(output_stride, first_block_rate, multi_grid),
        num_classes,
        rates,
        channels=64,
        low_channels=low_channels,
        decoder_convolutions=decoder_convolutions,
        separable=separable,
        output_stride=output_stride,
    )


# Paper: arXiv 1802.02611, on ResNet. Reference: the MIT-licensed PyTorch port, variant="port".
# Ours: deeplabv3plus_resnet50.
DIFFERENCES = (
    Difference("multi-grid", "1, 2, 4", "none", "-", "1, 2, 4"),
    Difference("rates of layer4 at output stride 16", "2, 4, 8", "1, 2, 2", "-", "2, 4, 8"),
    Difference("rates of the ASPP at output stride 16", "6, 12, 18", "6, 12, 18", "-", "6, 12, 18"),
    Difference("low-level map", "stride 4, inside layer1", "stride 4, after layer1", "-", "stride 4, after layer1"),
    Difference("low-level channels", "48", "48", "-", "48"),
    Difference("order of the concatenation", "encoder, low", "low, encoder", "-", "encoder, low"),
    Difference("3 x 3 in the decoder", "2", "1", "-", "2"),
    Difference("upsampling", "bilinear, aligned corners", "bilinear", "-", "bilinear, aligned corners"),
    Difference("batch norm inside a separable convolution", "yes", "no", "-", "yes"),
    Difference("dropout after the ASPP", "0.1", "0.1", "-", "0.1"),
    Difference("batch norm momentum", "0.0003", "0.01 in the backbone", "-", "0.1"),
)
