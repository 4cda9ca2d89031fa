"""U²-Net: a U-Net whose every stage is a U-Net. It tells what stands out in a picture (salient objects), in one map.

Qin, Zhang, Huang, Dehghan, Zaiane, Jagersand: U²-Net: Going Deeper with Nested U-Structure for Salient Object
Detection, Pattern Recognition 2020 (arXiv 2005.09007).

    images --> En_1 --> En_2 --> En_3 --> En_4 --> En_5 --> En_6 --+--> side 6 --+
                |        |        |        |        |              |             |
                +-> De_1 <- De_2 <- De_3 <- De_4 <- De_5 <---------+             +--> concat --> 1x1 --> logits
                     |       |       |       |       |                           |
                   side 1  side 2  side 3  side 4  side 5 -----------------------+

Shapes: B images, C channels, K maps (one for saliency), H W input; stage n works at stride 2^(n-1).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.differences import Difference
from segtutor.models.inputs import Preprocessing, check_images
from segtutor.models.sizes import RoundingUpMaxPool2d, exporting

Norm = Literal["batch", "folded"]

STRIDE = 32  # of the deepest maps: five poolings between the stages, or inside the first


class ConvBlock(nn.Sequential):
    """3 x 3 convolution, batch norm, ReLU.

    The authors keep the bias in front of the batch norm, where it changes nothing. "folded" leaves the batch norm out:
    for weights into which it was multiplied.
    """

    def __init__(self, in_channels: int, channels: int, rate: int = 1, norm: Norm = "batch") -> None:
        norms = [nn.BatchNorm2d(channels)] if norm == "batch" else []
        super().__init__(nn.Conv2d(in_channels, channels, 3, padding=rate, dilation=rate), *norms, nn.ReLU())


class RSU(nn.Module):
    """Residual U-block RSU-L (§3.1, Fig. 2e): a U-Net of L levels whose output is added to its input's features.

    Its last level has no pooling but rate 2. RSU-4F ("dilated") has no pooling at all: rates 1, 2, 4, 8 and back.

    Args:
        levels: L.
        in_channels: C_in.
        mid_channels: M, of the levels inside.
        out_channels: C_out.
        dilated: Whether rates take the place of pooling.
        norm: See `ConvBlock`.
    """

    def __init__(
        self,
        levels: int,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        dilated: bool = False,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        down = [2**level for level in range(levels)] if dilated else [*[1] * (levels - 1), 2]
        up = down[-2::-1]
        self.pooled = not dilated
        self.pool = RoundingUpMaxPool2d(2, stride=2)
        self.inlet = ConvBlock(in_channels, out_channels, norm=norm)
        self.encoder = nn.ModuleList(
            ConvBlock(mid_channels if level else out_channels, mid_channels, rate, norm)
            for level, rate in enumerate(down)
        )
        self.decoder = nn.ModuleList(
            ConvBlock(2 * mid_channels, mid_channels if step < levels - 2 else out_channels, rate, norm)
            for step, rate in enumerate(up)
        )

    def forward(self, features: Tensor) -> Tensor:
        """B x C_in x h x w -> B x C_out x h x w."""
        inlet = self.inlet(features)
        maps, deepest = [inlet], len(self.encoder) - 1
        for level, block in enumerate(self.encoder):
            maps.append(block(self.pool(maps[-1]) if self.pooled and 0 < level < deepest else maps[-1]))
        features = maps.pop()
        for block in self.decoder:
            features = block(_join(features, maps.pop()))
        return features + inlet


class U2Net(nn.Module):
    """Six encoder stages, five decoder stages, and the fusion of a map from each depth (§3.2, Fig. 5).

    Args:
        num_classes: K; 1 for saliency, which a sigmoid reads.
        mid_channels: M of the stages' inner levels.
        out_channels: C_out of every stage.
        norm: See `ConvBlock`.
    """

    def __init__(self, num_classes: int, mid_channels: int, out_channels: int, norm: Norm = "batch") -> None:
        super().__init__()
        if norm not in ("batch", "folded"):
            raise ValueError(f"norm must be 'batch' or 'folded', but {norm!r} came")
        shapes = [(7, False), (6, False), (5, False), (4, False), (4, True), (4, True)]  # (L, dilated) of En_1 ... En_6
        sizes = (mid_channels, out_channels)
        self.num_classes = num_classes
        self.encoder = nn.ModuleList(
            RSU(levels, out_channels if stage else 3, *sizes, dilated, norm)
            for stage, (levels, dilated) in enumerate(shapes)
        )
        self.decoder = nn.ModuleList(
            RSU(levels, 2 * out_channels, *sizes, dilated, norm) for levels, dilated in shapes[-2::-1]
        )
        self.sides = nn.ModuleList(nn.Conv2d(out_channels, num_classes, 3, padding=1) for _ in shapes)
        self.fuse = nn.Conv2d(len(shapes) * num_classes, num_classes, 1)
        self.pool = RoundingUpMaxPool2d(2, stride=2)
        self.preprocessing = Preprocessing()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits.

        Args:
            images: B x 3 x H x W, as ``preprocessing`` makes them.

        Returns:
            "out": B x K x H x W; in training mode also "side1" ... "side6" of the same shape, whose losses are added to
            that of "out" (deep supervision, §3.3).

        Raises:
            ValueError: If the images do not fit.
        """
        check_images(self, images, smallest=STRIDE, stride=STRIDE)
        maps, features = [], images
        for number, stage in enumerate(self.encoder):
            features = stage(self.pool(features) if number else features)
            maps.append(features)
        sources = [maps.pop()]
        for stage in self.decoder:
            sources.insert(0, stage(_join(sources[0], maps.pop())))
        size = (images.shape[-2], images.shape[-1])
        sides = [_resize(side(source), size) for side, source in zip(self.sides, sources, strict=True)]  # B x K x H x W
        logits = {"out": self.fuse(torch.cat(sides, dim=1))}
        if self.training:
            logits.update({f"side{number}": side for number, side in enumerate(sides, start=1)})
        return logits

    def final_layers(self) -> tuple[str, ...]:
        """Names of the layers whose output is one channel per map."""
        return (*(f"sides.{number}" for number in range(len(self.sides))), "fuse")


def u2netp(num_classes: int = 1, *, norm: Norm = "batch") -> U2Net:
    """U²-Net†, the paper's small network (Table 1: M = 16 and C_out = 64 in every stage).

    Args:
        num_classes: K; 1 for saliency.
        norm: "batch" as published, 1,131,181 parameters; "folded" without batch norm, 1,125,485, as ``weights="pip"``
            needs it: there, batch norm was multiplied into the convolutions, which leaves out a factor and a shift for
            each of the 2,848 channels.
    """
    return U2Net(num_classes, mid_channels=16, out_channels=64, norm=norm)


def _join(deep: Tensor, skip: Tensor) -> Tensor:
    """The deeper map, brought to the size of the other, in front of it: B x 2C x h x w."""
    return torch.cat([_resize(deep, (skip.shape[-2], skip.shape[-1])), skip], dim=1)


def _resize(features: Tensor, size: tuple[int, int]) -> Tensor:
    if not exporting() and features.shape[-2:] == size:
        return features
    return F.interpolate(features, size, mode="bilinear", align_corners=False)


# Reference: the authors' PyTorch code. torchvision has no U²-Net. Ours: u2netp, and inference.salient.
DIFFERENCES = (
    Difference("bias in front of a batch norm", "none told", "yes", "-", "yes"),
    Difference("pooling", "none told", "rounds up", "-", "rounds up"),
    Difference("a side's map", "sigmoid of the upsampled logit", "the same", "-", "the logit; a sigmoid where read"),
    Difference("input in use", "320 x 320, bilinear", "320 x 320, divided by its maximum", "-", "as the authors' code"),
    Difference("output in use", "sigmoid", "stretched to 0 ... 1 per picture", "-", "sigmoid: may be empty"),
)
