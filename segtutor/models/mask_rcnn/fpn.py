"""Feature pyramid: maps at several strides that all know what the deepest one knows.

Lin et al.: Feature Pyramid Networks for Object Detection, 2017 ("FPN").

    C5 --1x1--> + ---------- 3x3 --> P5 --every second--> P6
                | nearest, x 2
    C4 --1x1--> + ---------- 3x3 --> P4
                | nearest, x 2
    C3 --1x1--> + ---------- 3x3 --> P3
                | nearest, x 2
    C2 --1x1--> + ---------- 3x3 --> P2

Shapes: B images, C channels, H W input, h w feature map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import ResNet

from segtutor.models.backbones import TinyResNet

Norm = Callable[[int], nn.Module]


def convolution(
    in_channels: int, out_channels: int, kernel: int, norm: Norm | None = None, relu: bool = False, stride: int = 1
) -> nn.Sequential:
    """Padded convolution, then a norm (which makes the bias superfluous), then ReLU, where asked for."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=norm is None),
    ]
    if norm is not None:
        layers.append(norm(out_channels))
    if relu:
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class FeaturePyramid(nn.Module):
    """Lateral 1 x 1, top-down sums, 3 x 3 against the blocks of nearest upsampling (FPN §3, figure 3).

    Args:
        in_channels: Widths of the body's maps, finest first.
        channels: C, the same on all levels, because one head reads them all.
        norm: Norm behind each convolution, or none as in the paper.
    """

    def __init__(self, in_channels: Sequence[int], channels: int = 256, norm: Norm | None = None) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(convolution(width, channels, 1, norm) for width in in_channels)
        self.layer_blocks = nn.ModuleList(convolution(channels, channels, 3, norm) for _ in in_channels)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps of the body, finest first, to as many levels and a last one of half the size, B x C x h x w."""
        laterals = [block(features) for block, features in zip(self.inner_blocks, maps, strict=True)]
        for level in range(len(laterals) - 2, -1, -1):
            size = laterals[level].shape[-2:]  # to a size, not by 2: a map of odd size was rounded up
            laterals[level] = laterals[level] + F.interpolate(laterals[level + 1], size=size, mode="nearest")
        levels = [block(lateral) for block, lateral in zip(self.layer_blocks, laterals, strict=True)]
        # FPN §4.1: P6 only carries the largest anchors, so every second position of P5 is enough.
        return [*levels, F.max_pool2d(levels[-1], kernel_size=1, stride=2)]


def freeze(parts: Sequence[Sequence[nn.Module]], count: int) -> None:
    """The first ``count`` parts of a body do not learn."""
    if count not in range(len(parts) + 1):
        raise ValueError(f"frozen_stages must be from 0 to {len(parts)}, but {count!r} came")
    for part in parts[:count]:
        for module in part:
            module.requires_grad_(False)


class ResNetBody(nn.Module):
    """A residual network without pooling and classifier, whose four stages are all of use.

    Args:
        resnet: torchvision's network of bottleneck blocks.
        frozen_stages: The stem and the first stages do not learn: 0 none, 1 the stem, 2 the stem and layer1, to 5.
    """

    channels = (256, 512, 1024, 2048)
    strides = (4, 8, 16, 32)

    def __init__(self, resnet: ResNet, frozen_stages: int = 0) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu, self.maxpool = resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        stem: list[nn.Module] = [self.conv1, self.bn1]
        freeze([stem, [self.layer1], [self.layer2], [self.layer3], [self.layer4]], frozen_stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        """The maps C2 to C5 at strides 4, 8, 16, 32."""
        c1 = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        c2 = self.layer1(c1)
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return [c2, c3, c4, self.layer4(c4)]


class TinyBody(TinyResNet):
    """The course's small residual network, its three stages at strides 4, 8 and 16.

    Args:
        frozen_stages: The stem and the first stages do not learn: 0 none, 1 the stem, 2 the stem and layer1, to 4.
    """

    channels = (48, 96, 128)  # type: ignore[assignment]
    strides = (4, 8, 16)

    def __init__(self, frozen_stages: int = 0) -> None:
        super().__init__(output_stride=16)
        freeze([[self.stem], [self.layer1], [self.layer2], [self.layer3]], frozen_stages)

    def forward(self, images: Tensor) -> list[Tensor]:  # type: ignore[override]
        """The maps at strides 4, 8 and 16."""
        return list(super().forward(images).values())


class PyramidBackbone(nn.Module):
    """Body and pyramid.

    Args:
        body: Maps images to a list of maps; ``channels`` and ``strides`` tell their widths and strides.
        channels: C.
        norm: Norm behind each convolution of the pyramid.

    Attributes:
        strides: Of all levels, the last one included, which serves the anchors only.
        pooled_levels: How many levels, the finest first, the heads pool from.
    """

    def __init__(self, body: Any, channels: int = 256, norm: Norm | None = None) -> None:
        super().__init__()
        self.body = body
        self.fpn = FeaturePyramid(body.channels, channels, norm)
        self.channels = channels
        self.strides: tuple[int, ...] = (*body.strides, 2 * body.strides[-1])
        self.pooled_levels = len(body.strides)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Levels "P2", "P3", ..., finest first: the number is the logarithm of the stride."""
        levels = self.fpn(self.body(images))
        return {f"P{stride.bit_length() - 1}": level for stride, level in zip(self.strides, levels, strict=True)}


class SingleLevelBackbone(nn.Module):
    """Body and one map, its deepest: what a detector had before FPN, for comparison. Objects of all sizes share it.

    Args:
        body: As in `PyramidBackbone`.
        channels: C.
        norm: Norm behind each convolution.
        stride: Of the map: the body's last, or twice that, by a stride of 2 in the 3 x 3 convolution.

    Raises:
        ValueError: If the stride is neither.
    """

    def __init__(self, body: Any, channels: int = 256, norm: Norm | None = None, stride: int | None = None) -> None:
        super().__init__()
        self.body = body
        width, deepest = body.channels[-1], body.strides[-1]
        stride = deepest if stride is None else stride
        if stride not in (deepest, 2 * deepest):
            raise ValueError(f"the single map has stride {deepest} or {2 * deepest}, but {stride!r} came")
        self.reduce = nn.Sequential(
            convolution(width, channels, 1, norm), convolution(channels, channels, 3, norm, stride=stride // deepest)
        )
        self.channels = channels
        self.strides: tuple[int, ...] = (stride,)
        self.pooled_levels = 1

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The one level, "C4" at stride 16, "C5" at stride 32."""
        return {f"C{self.strides[0].bit_length() - 1}": self.reduce(self.body(images)[-1])}
