"""PSPNet with one part of its pyramid changed: other bins, no pooling, no reduction, a near-sighted backbone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from segtutor.labels import SCENES
from segtutor.models.backbones import TinyResNet
from segtutor.models.pspnet import PSPHead, PyramidPooling

HEAD_CHANNELS = 128


class NearSighted(nn.Module):
    """The small backbone without its last stage: each position sees 71 x 71 pixels, and pictures are larger."""

    channels = {"low": TinyResNet.channels["low"], "out": TinyResNet.channels["aux"]}  # noqa: RUF012

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.stem, self.layer1, self.layer2 = backbone.stem, backbone.layer1, backbone.layer2

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Feature maps "low" (stride 4) and "out" (stride 8)."""
        low = self.layer1(self.stem(images))
        return {"low": low, "out": self.layer2(low)}


class UnreducedPyramid(PyramidPooling):
    """Pyramid pooling whose 1 x 1 convolutions keep all channels."""

    def __init__(self, in_channels: int, bins: tuple[int, ...]) -> None:
        super().__init__(in_channels, bins)
        levels: Any = self.levels
        for level in levels:
            level[1] = nn.Conv2d(in_channels, in_channels, 1, bias=False)
            level[2] = nn.BatchNorm2d(in_channels)
        self.out_channels = in_channels * (1 + len(bins))


@dataclass(frozen=True)
class Pyramid:
    """A change of ``pspnet_tiny``: called with the network, gives it another head.

    Attributes:
        bins: Regions along each side, level by level.
        pooled: False keeps the levels' convolutions, on the map as it is: as many parameters, nothing from afar.
        reduced: False lets each level keep all channels.
        near_sighted: Leave out the backbone's last stage.
    """

    bins: tuple[int, ...] = (1, 2, 3, 6)
    pooled: bool = True
    reduced: bool = True
    near_sighted: bool = False

    def __call__(self, model: Any) -> None:
        if self.near_sighted:
            model.backbone = NearSighted(model.backbone)
        channels: int = model.backbone.channels["out"]
        head: Any = PSPHead(channels, len(SCENES), HEAD_CHANNELS, self.bins, align_corners=True)
        if not self.reduced:
            head[0] = UnreducedPyramid(channels, self.bins)
            head[1] = nn.Conv2d(head[0].out_channels, HEAD_CHANNELS, 3, padding=1, bias=False)
        if not self.pooled:
            for level in head[0].levels:
                level[0] = nn.Identity()
        model.classifier = head
