"""Atrous separable convolution: a spatial filter with holes for each channel, then a 1 x 1 across the channels.

Chen, Zhu, Papandreou, Schroff, Adam: Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation, 2018 ("v3+"), §3.1.

    B x C x h x w --> 3 x 3 per channel, rate r --> batch norm (ReLU) --> 1 x 1, C to C' --> batch norm (ReLU)

One position costs 9 C + C C' multiplications, where a full 3 x 3 convolution costs 9 C C'.

Shapes: B images, C channels, h w feature map.
"""

from __future__ import annotations

from torch import nn


class AtrousSeparableConv(nn.Sequential):
    """Depthwise 3 x 3 convolution at a rate, pointwise 1 x 1 convolution, a batch norm after each.

    Args:
        in_channels: C.
        channels: C'.
        rate: Distance between the pixels that the 3 x 3 reads; 1 is an ordinary one.
        stride: Of the 3 x 3.
        relu: Whether a ReLU follows each batch norm.
        eps: Of the batch norms.

    >>> layer = AtrousSeparableConv(256, 256, rate=6)
    >>> layer.depthwise
    Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(6, 6), dilation=(6, 6), groups=256, bias=False)
    """

    def __init__(
        self, in_channels: int, channels: int, rate: int = 1, *, stride: int = 1, relu: bool = True, eps: float = 1e-5
    ) -> None:
        super().__init__()
        depthwise = nn.Conv2d(
            in_channels, in_channels, 3, stride=stride, padding=rate, dilation=rate, groups=in_channels, bias=False
        )
        self.add_module("depthwise", depthwise)
        self.add_module("depthwise_norm", nn.BatchNorm2d(in_channels, eps=eps))
        if relu:
            self.add_module("depthwise_relu", nn.ReLU())
        self.add_module("pointwise", nn.Conv2d(in_channels, channels, 1, bias=False))
        self.add_module("pointwise_norm", nn.BatchNorm2d(channels, eps=eps))
        if relu:
            self.add_module("pointwise_relu", nn.ReLU())
