"""Modified aligned Xception: separable convolutions only, and strides in them instead of max-pooling.

v3+ §3.2 and Fig. 4, after Chollet 2017 and the network of Qi, Dai et al. for the COCO challenge of 2017.

    images --> 3x3 s2, 3x3 --> block 128 --> block 256 --> block 728   entry flow: stride 2 each, 1 x 1 in the shortcut
                                               |
                                              low
    --> 16 blocks of 728 -->                                           middle flow: the shortcut is the identity
    --> block 728, 1024, 1024 --> 1536, 1536, 2048 --> out             exit flow: the last has no shortcut

Shapes: B images, C channels, H W input, h w feature map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.differences import Difference
from segtutor.models.separable import AtrousSeparableConv

Shortcut = Literal["convolution", "identity", "none"]
ReLUPlace = Literal["before", "after"]

EPS = 1e-3  # of every batch norm, as in the authors' code


class XceptionBlock(nn.Module):
    """Three separable convolutions and a shortcut around them.

    Args:
        in_channels: C.
        widths: Channels of the three.
        stride: Of the third one and of the shortcut's 1 x 1 convolution.
        rate: Of all three.
        shortcut: "convolution" (1 x 1), "identity" or "none".
        relu: "before" each separable convolution, or "after" each of its two halves.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int],
        *,
        stride: int = 1,
        rate: int = 1,
        shortcut: Shortcut = "identity",
        relu: ReLUPlace = "before",
    ) -> None:
        super().__init__()
        self.relu_before = relu == "before"
        layers, channels = [], in_channels
        for width, layer_stride in zip(widths, (1, 1, stride), strict=True):
            layers.append(
                AtrousSeparableConv(channels, width, rate, stride=layer_stride, relu=not self.relu_before, eps=EPS)
            )
            channels = width
        self.layers = nn.ModuleList(layers)
        self.shortcut: nn.Module | None = None
        if shortcut == "convolution":
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels, eps=EPS)
            )
        elif shortcut == "identity":
            self.shortcut = nn.Identity()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The block's map, and that of its second convolution, which the stride has not yet reached."""
        maps = [features]
        for layer in self.layers:
            maps.append(layer(F.relu(maps[-1]) if self.relu_before else maps[-1]))
        _, _, second, last = maps
        return (last if self.shortcut is None else last + self.shortcut(features)), second


class XceptionBackbone(nn.Module):
    """The modified Xception without pooling and classifier.

    Args:
        output_stride: 8 or 16. There is no multi-grid: v3+ §4.3 found no gain with Xception.
        relu: "before" each separable convolution, as in the authors' published networks, whose last block alone has it
            after; "after" each depthwise and pointwise convolution everywhere, as the paper says.
        middle_blocks: 16 make Xception-65, 8 make Xception-41.
    """

    channels = {"low": 256, "aux": 728, "out": 2048}  # noqa: RUF012

    def __init__(self, output_stride: int = 16, relu: ReLUPlace = "before", middle_blocks: int = 16) -> None:
        super().__init__()
        if output_stride not in (8, 16):
            raise ValueError(f"output_stride must be 8 or 16, but {output_stride} came")
        if relu not in ("before", "after"):
            raise ValueError(f"relu must be 'before' or 'after', but {relu!r} came")
        # A stage that gives up its stride keeps the rate of the one before; the rate doubles behind it.
        stride, rate = (2, 1) if output_stride == 16 else (1, 2)
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32, eps=EPS),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64, eps=EPS),
            nn.ReLU(),
        )
        self.entry = nn.ModuleList(
            [
                XceptionBlock(64, (128, 128, 128), stride=2, shortcut="convolution", relu=relu),
                XceptionBlock(128, (256, 256, 256), stride=2, shortcut="convolution", relu=relu),
                XceptionBlock(256, (728, 728, 728), stride=stride, shortcut="convolution", relu=relu),
            ]
        )
        self.middle = nn.ModuleList(
            [XceptionBlock(728, (728, 728, 728), rate=rate, relu=relu) for _ in range(middle_blocks)]
        )
        self.exit = nn.ModuleList(
            [
                XceptionBlock(728, (728, 1024, 1024), rate=rate, shortcut="convolution", relu=relu),
                XceptionBlock(1024, (1536, 1536, 2048), rate=2 * rate, shortcut="none", relu="after"),
            ]
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "low" (stride 4, inside the second entry block), "aux" (after the middle flow) and "out"."""
        features, _ = self.entry[0](self.stem(images))
        features, low = self.entry[1](features)
        features, _ = self.entry[2](features)
        for block in self.middle:
            features, _ = block(features)
        aux = features
        for block in self.exit:
            features, _ = block(features)
        return {"low": low, "aux": aux, "out": features}


# Paper: v3+ Fig. 4. Reference: the authors' TensorFlow code. Ours: XceptionBackbone().
DIFFERENCES = (
    Difference("ReLU inside a separable convolution", "everywhere", "in the last block", "-", "in the last block"),
    Difference("ReLU before a separable convolution", "no", "all but the last block", "-", "all but the last block"),
    Difference("middle blocks", "16", "16", "-", "16"),
    Difference("max-pooling", "no", "no", "-", "no"),
    Difference("multi-grid", "no", "no", "-", "no"),
    Difference("batch norm epsilon", "not told", "0.001", "-", "0.001"),
    Difference("batch norm momentum", "0.0003", "0.0003", "-", "0.1"),
)
