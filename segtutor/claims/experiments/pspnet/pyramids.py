"""The claims about pyramid pooling: PSPNet with other bins, no pooling, no reduction, a near-sighted backbone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.measures import BAND_IOU, COSTS, MEAN_IOU, PARAMETERS
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.pictures import BOLLARDS
from segtutor.claims.training import Recipe
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


def _on_bollards(**change: Any) -> Recipe:
    return replace(network("PSPNet").recipe(), change=Pyramid(**change), scenes=BOLLARDS)


PYRAMID = Claim(
    name="pspnet.pyramid",
    title="Pyramid pooling and far context",
    sentence="Averages over large regions tell each pixel what the whole scene holds, so that things which look "
    "alike are told apart by where they are.",
    source="Zhao et al. 2017, §3.1, §3.2 and Table 1",
    paper="ADE20K val, ResNet-50, mean IoU: 37.23 % without, 40.07 with bin 1 alone, 41.68 with bins 1, 2, 3, 6 "
    "(average pooling, channels reduced)",
    changes="what is concatenated to the feature map; for a near-sighted backbone, whose field is 71 pixels, and for a "
    "far-sighted one, whose field is larger than the 96 x 128 picture",
    same=str(BUDGET).replace("scenes of", "streets and harbors with many bollards, of"),
    variants={
        "near-sighted, no levels": _on_bollards(bins=(), near_sighted=True),
        "near-sighted, levels not pooled": _on_bollards(pooled=False, near_sighted=True),
        "near-sighted, bin 1": _on_bollards(bins=(1,), near_sighted=True),
        "near-sighted, bin 6": _on_bollards(bins=(6,), near_sighted=True),
        "near-sighted, bins 1, 2, 3, 6": _on_bollards(near_sighted=True),
        "far-sighted, no levels": _on_bollards(bins=()),
        "far-sighted, bins 1, 2, 3, 6": _on_bollards(),
    },
    measures=(
        percent("bollard_iou", "IoU of the two bollards"),
        MEAN_IOU,
        BAND_IOU,
        PARAMETERS,
    ),
    expectations=(
        Expectation(
            "pooling helps the near-sighted network with what only context tells", "bollard_iou",
            "near-sighted, bins 1, 2, 3, 6", "near-sighted, no levels",
        ),
        Expectation(
            "it is the pooling, not the added parameters", "bollard_iou",
            "near-sighted, bins 1, 2, 3, 6", "near-sighted, levels not pooled",
        ),
        Expectation("bin 1, the whole picture, is enough for that", "bollard_iou", "near-sighted, bin 1",
                    "near-sighted, bins 1, 2, 3, 6", margin=-0.03),
        Expectation("bin 1 tells more than bin 6", "bollard_iou", "near-sighted, bin 1", "near-sighted, bin 6"),
        Expectation("it helps over all classes", "mean_iou", "near-sighted, bins 1, 2, 3, 6",
                    "near-sighted, no levels"),
        Expectation(
            "it still helps where the backbone's field covers the picture", "bollard_iou",
            "far-sighted, bins 1, 2, 3, 6", "far-sighted, no levels",
        ),
    ),
)  # fmt: skip

REDUCTION = Claim(
    name="pspnet.reduction",
    title="1 x 1 convolutions that cut channels",
    sentence="A 1 x 1 convolution at each level cuts its channels to a quarter, so that the levels together weigh as "
    "much as the map; that costs little or even helps.",
    source="Zhao et al. 2017, §3.2 and Table 1",
    paper="ADE20K val, ResNet-50, mean IoU 41.07 % without, 41.68 with the reduction (average pooling)",
    changes="output channels of each level's 1 x 1 convolution: all 128, or 32",
    same=f"{BUDGET}; pspnet_tiny",
    variants={
        "cut to a quarter": network("PSPNet").recipe(),
        "all channels": replace(network("PSPNet").recipe(), change=Pyramid(reduced=False)),
    },
    measures=(MEAN_IOU, BAND_IOU, *COSTS),
    expectations=(
        Expectation("a quarter of the channels costs less than one point", "mean_iou", "cut to a quarter",
                    "all channels", margin=-0.01),
        Expectation("it saves parameters", "parameters", "cut to a quarter", "all channels", False),
        Expectation("and operations", "gflops", "cut to a quarter", "all channels", False),
    ),
)  # fmt: skip
