"""Atrous spatial pyramid pooling: one map seen by convolutions at several rates, and by its mean over the whole image.

Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic Image Segmentation, 2017 ("v3"), §3.3. The
sum of scores that DeepLab v2 calls by the same name is in ``deeplabv2.py``.

Shapes: B images, C channels, h w feature map at the output stride.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segtutor.models.inputs import PooledBatchNorm2d
from segtutor.models.separable import AtrousSeparableConv


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
        separable: Atrous separable convolutions instead of full ones (v3+ §3.1).
        image_pooling: Whether one branch looks at the whole image.
    """

    def __init__(
        self,
        in_channels: int,
        rates: Sequence[int],
        channels: int = 256,
        dropout: float = 0.5,
        separable: bool = False,
        image_pooling: bool = True,
    ) -> None:
        super().__init__()
        pointwise = nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        convolution = AtrousSeparableConv if separable else ASPPConv
        branches = [pointwise, *[convolution(in_channels, channels, rate) for rate in rates]]
        if image_pooling:
            branches.append(ASPPPooling(in_channels, channels))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(
            nn.Conv2d(len(self.convs) * channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout(dropout),
        )

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to B x ``channels`` x h x w."""
        return self.project(torch.cat([branch(features) for branch in self.convs], dim=1))
