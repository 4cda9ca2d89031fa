"""The pixel decoder of Mask2Former: maps that see each other, and one fine map that masks are read from.

Cheng, Misra, Schwing, Kirillov, Girdhar: Masked-attention Mask Transformer for Universal Image Segmentation, 2021
(arXiv 2112.01527), §4.1.

    C5 (stride 32) --1x1--+                               +--> map of stride 32 --+
    C4 (stride 16) --1x1--+--> deformable layers, 6 times +--> map of stride 16 --+--> the query decoder reads these
    C3 (stride 8)  --1x1--+                               +--> map of stride 8  --+
                                                                    | upsample
    C2 (stride 4)  --1x1------------------------------------------> + --3x3--> 1x1 --> pixel embeddings

Shapes: B images, D channels, h w map, N tokens of the three coarse maps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import as_map, as_tokens, size_of
from segtutor.models.mask_classification.deformable import DeformableLayer
from segtutor.models.mask_classification.positions import sine_positions


class PixelDecoder(nn.Module):
    """Deformable layers on the coarse maps, and the finest map added.

    Args:
        in_channels: Widths of the backbone's maps, finest first.
        channels: D.
        layers: Deformable layers.
        heads: Of their attention.
        hidden: Width between their two linear layers.
    """

    def __init__(self, in_channels: Sequence[int], channels: int, layers: int, heads: int, hidden: int) -> None:
        super().__init__()
        coarse = in_channels[:0:-1]  # coarsest first
        self.projections = nn.ModuleList(normed(width, channels, 1, bias=True) for width in coarse)
        self.level_codes = nn.Parameter(torch.randn(len(coarse), channels))
        self.layers = nn.ModuleList(DeformableLayer(channels, heads, hidden, len(coarse)) for _ in range(layers))
        self.lateral = normed(in_channels[0], channels, 1)
        self.output = nn.Sequential(*normed(channels, channels, 3), nn.ReLU())
        self.embed = nn.Conv2d(channels, channels, 1)
        begin(self)

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """The backbone's maps, finest first, to the coarse maps, coarsest first, and pixel embeddings at the finest."""
        tokens, positions, sizes = self.tokens(maps)
        for layer in self.layers:
            tokens = layer(tokens, positions, sizes)
        parts = tokens.split([h * w for h, w in sizes], dim=1)
        coarse = [as_map(part, size) for part, size in zip(parts, sizes, strict=True)]

        fine = self.lateral(maps[0])
        fine = fine + F.interpolate(coarse[-1], fine.shape[-2:], mode="bilinear", align_corners=False)
        return coarse, self.embed(self.output(fine))

    def tokens(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
        """What the first layer is given: tokens of all coarse maps B x N x D, positions 1 x N x D, (h, w) of each."""
        coarse = [project(features) for project, features in zip(self.projections, maps[:0:-1], strict=True)]
        sizes = [size_of(features) for features in coarse]
        D = coarse[0].shape[1]
        codes = zip(sizes, self.level_codes, strict=True)
        positions = torch.cat([sine_positions(size, D, coarse[0]) + code for size, code in codes], dim=1)
        return torch.cat([as_tokens(features) for features in coarse], dim=1), positions, sizes


def begin(decoder: nn.Module) -> None:
    """Weights of a fresh decoder's convolutions as the authors draw them, biases 0."""
    for module in decoder.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, a=1)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def normed(in_channels: int, channels: int, kernel: int, bias: bool = False) -> nn.Sequential:
    """A convolution that keeps the size, and a norm over groups of channels, which does not mind small batches."""
    convolution = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=bias)
    return nn.Sequential(convolution, nn.GroupNorm(32, channels))
