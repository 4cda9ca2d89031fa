"""PSPNet: the map is pooled over regions of several sizes, so that each pixel knows what the whole scene holds.

Zhao, Shi, Qi, Wang, Jia: Pyramid Scene Parsing Network, 2017 ("PSP").

                         +---------------------------------------+
                         +- pool 1 x 1, 1x1 conv, upsample ------+
    images --> ResNet ---+- pool 2 x 2, 1x1 conv, upsample ------+-- concat --> 3x3 --> 1x1 --> upsample --> logits
              (dilated)  +- pool 3 x 3, 1x1 conv, upsample ------+
                         +- pool 6 x 6, 1x1 conv, upsample ------+

Shapes: B images, C channels, K classes, H W input, h w feature map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.backbones import (
    FirstBlockRate,
    ResNetBackbone,
    Stem,
    TinyResNet,
    resnet50_backbone,
    resnet101_backbone,
)
from segtutor.models.differences import Difference
from segtutor.models.inputs import PooledBatchNorm2d
from segtutor.models.semantic import FCNHead, SemanticNetwork
from segtutor.models.sizes import exporting

BINS = (1, 2, 3, 6)


class RegionPooling(nn.AdaptiveAvgPool2d):
    """The mean of each of n x n regions that cover the map; where n does not divide a side, they overlap by a pixel."""

    output_size: int

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to B x C x n x n."""
        if not exporting() or self.output_size == 1:
            return super().forward(features)
        # ONNX has no pooling whose windows depend on the map's size: the same means as two products of matrices.
        rows, columns = (self._shares(side, features) for side in features.shape[-2:])
        return rows @ features @ columns.T

    def _shares(self, side: int, like: Tensor) -> Tensor:
        """What each pixel of a row or column gives to each region: n x side."""
        n, pixel = self.output_size, torch.arange(side, device=like.device)
        region = torch.arange(n, device=like.device)[:, None]
        first, end = region * side // n, ((region + 1) * side + n - 1) // n
        return ((first <= pixel) & (pixel < end)).to(like.dtype) / (end - first)


class PyramidPooling(nn.Module):
    """The map beside its averages over a few regions of several sizes (PSP §3.2).

    Each level is cut to C / (number of levels) channels, so that together they weigh as much as the map itself.

    Args:
        in_channels: C.
        bins: Regions along each side, level by level; none leaves the map as it is.
        align_corners: How the levels are upsampled.
    """

    def __init__(self, in_channels: int, bins: Sequence[int] = BINS, align_corners: bool = True) -> None:
        super().__init__()
        if any(isinstance(count, bool) or not isinstance(count, int) or count < 1 for count in bins):
            raise ValueError(f"bins must be whole numbers of at least 1, as {BINS}, but {tuple(bins)} came")
        self.align_corners = align_corners
        channels = in_channels // max(1, len(bins))
        self.levels = nn.ModuleList(
            nn.Sequential(
                RegionPooling(count),
                nn.Conv2d(in_channels, channels, 1, bias=False),
                PooledBatchNorm2d(channels) if count == 1 else nn.BatchNorm2d(channels),
                nn.ReLU(),
            )
            for count in bins
        )
        self.out_channels = in_channels + channels * len(bins)

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to B x ``out_channels`` x h x w: the map first, then the levels in the order of ``bins``."""
        size = features.shape[-2:]
        levels = [
            F.interpolate(level(features), size=size, mode="bilinear", align_corners=self.align_corners)
            for level in self.levels
        ]
        return torch.cat([features, *levels], dim=1)


class PSPHead(nn.Sequential):
    """Pyramid pooling, a 3 x 3 convolution, dropout, the 1 x 1 to the classes."""

    def __init__(
        self, in_channels: int, num_classes: int, channels: int, bins: Sequence[int], align_corners: bool
    ) -> None:
        pyramid = PyramidPooling(in_channels, bins, align_corners)
        super().__init__(
            pyramid,
            nn.Conv2d(pyramid.out_channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(channels, num_classes, 1),
        )


class PSPNet(SemanticNetwork):
    """Dilated backbone, pyramid pooling, upsampling: see `SemanticNetwork`.

    Aligned corners match the feature map's corners with the image's. They coincide where H and W are 1 plus a multiple
    of the output stride (473 and 713 in the paper); other images are padded to such a size, and the logits cropped.
    """


def _pspnet_resnet(
    backbone: ResNetBackbone, num_classes: int, aux: bool, bins: Sequence[int], align_corners: bool
) -> PSPNet:
    return PSPNet(
        backbone,
        PSPHead(backbone.channels["out"], num_classes, 512, bins, align_corners),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=8,
        align_corners=align_corners,
    )


def pspnet_resnet50(
    num_classes: int = 21,
    *,
    aux: bool = False,
    stem: Stem = "deep",
    bins: Sequence[int] = BINS,
    first_block_rate: FirstBlockRate = "same",
    align_corners: bool = True,
) -> PSPNet:
    """PSPNet on ResNet-50 at output stride 8; the defaults are the authors' network.

    Args:
        num_classes: K.
        aux: Build the auxiliary head on layer3 (PSP §4; its loss counts 0.4).
        stem: "deep" (three 3 x 3 convolutions, the authors' own ImageNet weights) or "7x7" (torchvision's).
        bins: Regions along each side, level by level; none leaves pyramid pooling out.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
        align_corners: How levels and logits are upsampled.
    """
    backbone = resnet50_backbone(output_stride=8, first_block_rate=first_block_rate, stem=stem)
    return _pspnet_resnet(backbone, num_classes, aux, bins, align_corners)


def pspnet_resnet101(
    num_classes: int = 21,
    *,
    aux: bool = False,
    stem: Stem = "deep",
    bins: Sequence[int] = BINS,
    first_block_rate: FirstBlockRate = "same",
    align_corners: bool = True,
) -> PSPNet:
    """PSPNet on ResNet-101; arguments as `pspnet_resnet50`."""
    backbone = resnet101_backbone(output_stride=8, first_block_rate=first_block_rate, stem=stem)
    return _pspnet_resnet(backbone, num_classes, aux, bins, align_corners)


def pspnet_tiny(
    num_classes: int = 21,
    *,
    output_stride: int = 8,
    aux: bool = False,
    bins: Sequence[int] = BINS,
    first_block_rate: FirstBlockRate = "same",
    align_corners: bool = True,
) -> PSPNet:
    """PSPNet with every part of the large ones on the course's small backbone: trains on a processor in minutes.

    Args:
        num_classes: K.
        output_stride: 4, 8 or 16.
        aux: Build the auxiliary head on layer2.
        bins: Regions along each side, level by level; none leaves pyramid pooling out.
        first_block_rate: Rate in the first block of a dilated stage, "previous" or "same".
        align_corners: How levels and logits are upsampled.
    """
    backbone = TinyResNet(output_stride, first_block_rate)
    return PSPNet(
        backbone,
        PSPHead(backbone.channels["out"], num_classes, 128, bins, align_corners),
        FCNHead(backbone.channels["aux"], num_classes) if aux else None,
        output_stride=output_stride,
        align_corners=align_corners,
    )


# Paper: PSP 2017 and its Caffe network. Reference: semseg, the authors' PyTorch code. Ours: pspnet_resnet50.
DIFFERENCES = (
    Difference("stem", "three 3 x 3: 64, 64, 128", "three 3 x 3: 64, 64, 128", "-", "three 3 x 3: 64, 64, 128"),
    Difference("rates of layer3", "2 in every block", "2 in every block", "-", "2 in every block"),
    Difference("rates of layer4", "4 in every block", "4 in every block", "-", "4 in every block"),
    Difference("bins", "1, 2, 3, 6", "1, 2, 3, 6", "-", "1, 2, 3, 6"),
    Difference("pooling windows", "fixed: 60, 30, 20, 10 at 473 pixels", "adaptive", "-", "adaptive"),
    Difference("batch norm of bin 1", "yes", "yes", "-", "yes"),
    Difference("order of the concatenation", "map, 1, 2, 3, 6", "map, 1, 2, 3, 6", "-", "map, 1, 2, 3, 6"),
    Difference(
        "upsampling", "bilinear, aligned corners", "bilinear, aligned corners", "-", "bilinear, aligned corners"
    ),
    Difference("input sizes", "473 or 713", "1 + a multiple of 8", "-", "any from 8, padded to 1 + a multiple of 8"),
    Difference("dropout", "0.1", "0.1", "-", "0.1"),
    Difference("dropout drops", "values", "channels", "-", "values"),
    Difference("auxiliary head", "after layer3, in training", "after layer3, in training", "-", "option aux=True"),
)
