"""SegFormer: a transformer that narrows the map stage by stage, and a decoder that is one layer per stage.

Xie, Wang, Yu, Anandkumar, Alvarez, Luo: SegFormer: Simple and Efficient Design for Semantic Segmentation with
Transformers, 2021 (arXiv 2105.15203).

    images --> stage 1 --> stage 2 --> stage 3 --> stage 4          Mix Transformer
              stride 4    stride 8    stride 16   stride 32
                 |           |           |           |
               linear      linear      linear      linear           to D channels
                 |           |           |           |
                 |        upsample    upsample    upsample
                 +-----------+-----+-----+-----------+
                                concat --> 1x1 --> 1x1 --> upsample --> logits

Shapes: B images, C channels of a stage, D of the decoder, K classes, H W input, h w a stage's map.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.differences import Difference
from segtutor.models.mix_transformer import MixTransformer, Position, Sizes
from segtutor.models.semantic import SemanticNetwork

Decoder = Literal["paper", "mmseg"]

WIDE = (64, 128, 320, 512)
B0 = Sizes((32, 64, 160, 256), (2, 2, 2, 2), decoder=256)
B1 = Sizes(WIDE, (2, 2, 2, 2), decoder=256)
B2 = Sizes(WIDE, (3, 4, 6, 3))
B3 = Sizes(WIDE, (3, 4, 18, 3))
B4 = Sizes(WIDE, (3, 8, 27, 3))
B5 = Sizes(WIDE, (3, 6, 40, 3))
TINY = Sizes((32, 64, 128), (2, 2, 2), heads=(1, 2, 4), reductions=(4, 2, 1), decoder=128)


class MLPHead(nn.Module):
    """All stages to D channels, to the first one's size, side by side, through two 1 x 1 convolutions (§3.2, Eq. 4).

    Args:
        widths: C of each stage.
        num_classes: K.
        channels: D.
        decoder: "paper": each stage's layer is linear. "mmseg": batch norm and ReLU follow it.
    """

    def __init__(self, widths: tuple[int, ...], num_classes: int, channels: int, decoder: Decoder) -> None:
        super().__init__()
        if decoder not in ("paper", "mmseg"):
            raise ValueError(f"decoder must be 'paper' or 'mmseg', but {decoder!r} came")
        if decoder == "paper":
            levels: list[nn.Module] = [nn.Conv2d(width, channels, 1) for width in widths]
        else:
            levels = [_normed(width, channels) for width in widths]
        self.projections = nn.ModuleList(levels)
        self.fuse = _normed(len(widths) * channels, channels)
        self.dropout = nn.Dropout2d(0.1)
        self.predict = nn.Conv2d(channels, num_classes, 1)

    def forward(self, maps: dict[str, Tensor]) -> Tensor:
        """Maps of the stages to logits B x K x h x w at the first one's size."""
        size = next(iter(maps.values())).shape[-2:]
        levels = [project(features) for project, features in zip(self.projections, maps.values(), strict=True)]
        levels = [F.interpolate(level, size, mode="bilinear", align_corners=False) for level in levels]
        return self.predict(self.dropout(self.fuse(torch.cat(levels[::-1], dim=1))))  # the deepest stage first


class SegFormer(SemanticNetwork):
    """Mix Transformer and head; logits at stride 4 are upsampled to the input's size: see `SemanticNetwork`."""

    def __init__(
        self, sizes: Sizes, num_classes: int, decoder: Decoder, train_size: tuple[int, int] | None = None
    ) -> None:
        # The first stage's map must hold one window of its reduction.
        super().__init__(
            MixTransformer(sizes, train_size),
            MLPHead(sizes.widths, num_classes, sizes.decoder, decoder),
            output_stride=4 * sizes.reductions[0],
        )

    def _score(self, features: dict[str, Tensor]) -> Tensor:
        scores: Tensor = self.classifier(features)
        return scores

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return int(self.classifier.predict.out_channels)  # type: ignore[union-attr, arg-type]

    def final_layers(self) -> tuple[str, ...]:
        """Name of the layer whose output is one channel per class."""
        return ("classifier.predict",)


def segformer_b0(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B0.

    Args:
        num_classes: K.
        decoder: "paper", or "mmseg" as OpenMMLab's library has it and its weights need it.
    """
    return SegFormer(B0, num_classes, decoder)


def segformer_b1(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B1; arguments as `segformer_b0`."""
    return SegFormer(B1, num_classes, decoder)


def segformer_b2(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B2; arguments as `segformer_b0`."""
    return SegFormer(B2, num_classes, decoder)


def segformer_b3(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B3; arguments as `segformer_b0`."""
    return SegFormer(B3, num_classes, decoder)


def segformer_b4(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B4; arguments as `segformer_b0`."""
    return SegFormer(B4, num_classes, decoder)


def segformer_b5(num_classes: int = 21, *, decoder: Decoder = "paper") -> SegFormer:
    """SegFormer-B5; arguments as `segformer_b0`."""
    return SegFormer(B5, num_classes, decoder)


def segformer_tiny(
    num_classes: int = 21, *, position: Position = "mix-ffn", train_size: tuple[int, int] = (64, 80)
) -> SegFormer:
    """SegFormer with three stages (strides 4, 8, 16) and every part of the large ones: trains on a processor.

    Args:
        num_classes: K.
        position: "mix-ffn", or "table" for a learned table of positions per stage in place of the depthwise
            convolutions; at the default ``train_size`` both have the same number of parameters.
        train_size: (H, W) of the training pictures, for which the tables are made; "mix-ffn" does not need it.
    """
    if position not in ("mix-ffn", "table"):
        raise ValueError(f"position must be 'mix-ffn' or 'table', but {position!r} came")
    return SegFormer(TINY, num_classes, "paper", train_size if position == "table" else None)


def _normed(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())


# Paper: arXiv 2105.15203. Reference: the authors' PyTorch code. torchvision has no SegFormer. Ours: segformer_b0.
DIFFERENCES = (
    Difference("epsilon of the norms in blocks and stages", "none told", "1e-6", "-", "1e-6"),
    Difference("epsilon of the patches' and reductions' norms", "none told", "1e-5", "-", "1e-5"),
    Difference("the same in the transformers library", "-", "1e-5 everywhere", "-", "as the authors' code"),
    Difference("order of the concatenation", "none told", "stage 4, 3, 2, 1", "-", "stage 4, 3, 2, 1"),
    Difference("a stage's layer in the head", "linear", "linear", "-", 'linear; batch norm and ReLU by "mmseg"'),
    Difference("dropout in the head", "none told", "0.1, channels", "-", "0.1, channels"),
    Difference("stochastic depth", "none told", "0 to 0.1", "-", "0 to 0.1"),
    Difference("upsampling", "bilinear", "bilinear, corners not aligned", "-", "bilinear, corners not aligned"),
    Difference("input size in a test", "2048 x 1024, 512 short", "resized to a multiple of 32", "-", "as it is"),
)
