"""Classification networks turned into feature extractors: strides become dilation, the classifier is left out.

Each backbone maps images B x 3 x H x W to a dict of feature maps: "low" at stride 4 (fine detail, for decoders), "aux"
(for an auxiliary loss) and "out" (the deepest, at the output stride). ``channels`` has their widths. The layers are
torchvision's own modules, so that its weights fit key for key; only `TinyResNet` is ours.

Shapes: B images, C channels, H W input, h w feature map at the output stride OS: h = ceil(H / OS).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

FirstBlockRate = Literal["previous", "same"]
Stem = Literal["7x7", "deep"]


def stage_rates(
    blocks: int, previous: int, rate: int, first_block_rate: FirstBlockRate = "previous", multi_grid: Sequence[int] = ()
) -> tuple[int, ...]:
    """Dilation of the 3 x 3 convolution of each block of a stage that gave up its stride.

    Without the stride, the first block still reads a map at the previous stage's sampling. torchvision therefore keeps
    the previous rate there; Caffe's PSPNet and others use the new rate in every block. Weights fit both, but the
    outputs differ.

    Args:
        blocks: Blocks in the stage.
        previous: Rate of the stage before.
        rate: Rate of this stage.
        first_block_rate: "previous" or "same" as the other blocks.
        multi_grid: Unit rates of the blocks, multiplied by ``rate`` (v3 §3.2.1); with them there is no choice for the
            first block.

    >>> stage_rates(3, previous=2, rate=4)
    (2, 4, 4)
    >>> stage_rates(3, previous=1, rate=2, multi_grid=(1, 2, 4))
    (2, 4, 8)
    """
    if first_block_rate not in ("previous", "same"):
        raise ValueError(f"first_block_rate must be 'previous' or 'same', but {first_block_rate!r} came")
    if multi_grid:
        if len(multi_grid) != blocks or any(unit < 1 for unit in multi_grid):
            raise ValueError(
                f"multi_grid must hold one unit rate of at least 1 for each of the {blocks} blocks, as (1, 2, 4); "
                f"{tuple(multi_grid)} came"
            )
        return tuple(unit * rate for unit in multi_grid)
    first = previous if first_block_rate == "previous" else rate
    return (first, *[rate] * (blocks - 1))


def replace_stride_by_dilation(stage: nn.Sequential, rates: Sequence[int]) -> None:
    """Keeps a stage of residual blocks at the resolution of its input, in place.

    The stride goes from the 3 x 3 convolution *and* from the 1 x 1 of the shortcut; the weights stay as they are.

    Args:
        stage: Residual blocks of torchvision.
        rates: Dilation of each block's 3 x 3 convolutions.
    """
    blocks: list[Any] = list(stage)
    for block, rate in zip(blocks, rates, strict=True):
        # A bottleneck has one 3 x 3 convolution, between two 1 x 1; a basic block has two.
        convolutions = (block.conv2,) if isinstance(block, Bottleneck) else (block.conv1, block.conv2)
        for convolution in convolutions:
            convolution.stride = (1, 1)
            convolution.dilation = convolution.padding = (rate, rate)
        if block.downsample is not None:
            block.downsample[0].stride = (1, 1)


def deepen_stem(resnet: ResNet) -> None:
    """Replaces the 7 x 7 convolution by three 3 x 3 of 64, 64 and 128 channels, in place, as PSPNet's ResNets have."""
    resnet.conv1 = nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 128, 3, padding=1, bias=False),
    )
    resnet.bn1 = nn.BatchNorm2d(128)
    first = resnet.layer1[0]
    first.conv1 = nn.Conv2d(128, 64, 1, bias=False)
    first.downsample[0] = nn.Conv2d(128, 256, 1, bias=False)
    for layer in (*resnet.conv1, first.conv1, first.downsample[0]):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


class ResNetBackbone(nn.Module):
    """A residual network without pooling and classifier.

    Args:
        resnet: torchvision's network of bottleneck blocks.
        output_stride: 8 or 16.
        first_block_rate: See `stage_rates`.
        multi_grid: Unit rates of the last stage's three blocks, or none.
        stem: "7x7", or "deep" with three 3 x 3 convolutions instead.
    """

    channels = {"low": 256, "aux": 1024, "out": 2048}  # noqa: RUF012

    def __init__(
        self,
        resnet: ResNet,
        output_stride: int = 8,
        first_block_rate: FirstBlockRate = "previous",
        multi_grid: Sequence[int] = (),
        stem: Stem = "7x7",
    ) -> None:
        super().__init__()
        if output_stride not in (8, 16):
            raise ValueError(f"output_stride must be 8 or 16, but {output_stride} came")
        if stem not in ("7x7", "deep"):
            raise ValueError(f"stem must be '7x7' or 'deep', but {stem!r} came")
        if stem == "deep":
            deepen_stem(resnet)
        self.conv1, self.bn1, self.relu, self.maxpool = resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        rate = 1
        if output_stride == 8:
            replace_stride_by_dilation(self.layer3, stage_rates(len(self.layer3), rate, 2 * rate, first_block_rate))
            rate = 2
        replace_stride_by_dilation(
            self.layer4, stage_rates(len(self.layer4), rate, 2 * rate, first_block_rate, multi_grid)
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "low" (stride 4, after layer1), "aux" (after layer3) and "out" (after layer4)."""
        low = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(images)))))
        aux = self.layer3(self.layer2(low))
        return {"low": low, "aux": aux, "out": self.layer4(aux)}


def resnet50_backbone(**options: Any) -> ResNetBackbone:
    """ResNet-50 (He et al. 2016) with torchvision's stride in the 3 x 3; options as `ResNetBackbone`."""
    return ResNetBackbone(torchvision.models.resnet50(weights=None), **options)


def resnet101_backbone(**options: Any) -> ResNetBackbone:
    """ResNet-101, as `resnet50_backbone`."""
    return ResNetBackbone(torchvision.models.resnet101(weights=None), **options)


class MobileNetBackbone(nn.Sequential):
    """The feature layers of a MobileNet, numbered as torchvision numbers them.

    Args:
        layers: The feature layers.
        taps: Which layers' outputs are returned as "low", "aux" and "out".
        channels: Their widths.
    """

    def __init__(self, layers: Sequence[nn.Module], taps: dict[str, int], channels: dict[str, int]) -> None:
        super().__init__(*layers)
        self.taps = taps
        self.channels = channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "low", "aux" and "out"."""
        outputs, features = [], images
        for layer in self:
            features = layer(features)
            outputs.append(features)
        return {name: outputs[index] for name, index in self.taps.items()}


def mobilenet_v3_large_backbone() -> MobileNetBackbone:
    """MobileNetV3-Large (Howard et al. 2019) at output stride 16: the last three blocks have rate 2, no stride."""
    features = torchvision.models.mobilenet_v3_large(weights=None, dilated=True).features
    return MobileNetBackbone(list(features), {"low": 3, "aux": 4, "out": 16}, {"low": 24, "aux": 40, "out": 960})


def mobilenet_v2_backbone() -> MobileNetBackbone:
    """MobileNetV2 (Sandler et al. 2018) at output stride 16, without its last 1 x 1 convolution."""
    features = torchvision.models.mobilenet_v2(weights=None).features[:-1]
    features[14].conv[1][0].stride = (1, 1)
    for block in features[15:18]:
        depthwise = block.conv[1][0]
        depthwise.dilation = depthwise.padding = (2, 2)
    return MobileNetBackbone(list(features), {"low": 3, "aux": 13, "out": 17}, {"low": 24, "aux": 96, "out": 320})


class TinyResNet(nn.Module):
    """A residual network small enough to train on a laptop's processor in minutes, with the parts of the large ones.

    Stem and layer1 are narrow, because they see the most pixels; the dilated stages carry most of the weights.

    Args:
        output_stride: 4, 8 or 16.
        first_block_rate: See `stage_rates`.
        multi_grid: Unit rates of the last stage's two blocks, or none; not at output stride 16, where it keeps its
            stride.
    """

    channels = {"low": 48, "aux": 96, "out": 128}  # noqa: RUF012

    def __init__(
        self,
        output_stride: int = 8,
        first_block_rate: FirstBlockRate = "previous",
        multi_grid: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if output_stride not in (4, 8, 16):
            raise ValueError(f"output_stride must be 4, 8 or 16, but {output_stride} came")
        if multi_grid and output_stride == 16:
            raise ValueError("multi_grid needs output_stride 4 or 8 here: at 16 the last stage is not dilated")
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.layer1 = _basic_stage(32, 48, blocks=1)
        self.layer2 = _basic_stage(48, 96, blocks=2)
        self.layer3 = _basic_stage(96, 128, blocks=2)
        stride, rate = 4, 1
        for stage in (self.layer2, self.layer3):
            if stride == output_stride:
                units = multi_grid if stage is self.layer3 else ()
                replace_stride_by_dilation(stage, stage_rates(len(stage), rate, 2 * rate, first_block_rate, units))
                rate *= 2
            else:
                stride *= 2

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "low" (stride 4), "aux" (after layer2) and "out" (after layer3)."""
        low = self.layer1(self.stem(images))
        aux = self.layer2(low)
        return {"low": low, "aux": aux, "out": self.layer3(aux)}


def _basic_stage(in_channels: int, channels: int, blocks: int) -> nn.Sequential:
    """Residual blocks, the first with stride 2 and a 1 x 1 convolution in the shortcut."""
    shortcut = nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride=2, bias=False), nn.BatchNorm2d(channels))
    first = BasicBlock(in_channels, channels, stride=2, downsample=shortcut)
    return nn.Sequential(first, *[BasicBlock(channels, channels) for _ in range(blocks - 1)])
