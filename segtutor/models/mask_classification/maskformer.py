"""MaskFormer: a feature pyramid gives a vector to each pixel, a transformer on the deepest map one to each query.

Cheng, Schwing, Kirillov: Per-Pixel Classification is Not All You Need for Semantic Segmentation, 2021 (arXiv
2107.06278), §3.3 and Fig. 2.

    C5 --3x3--> + --3x3--> + --3x3--> + --3x3--> 3x3 --> pixel embeddings (stride 4)
    |      C4 --1x1   C3 --1x1   C2 --1x1                        |
    +--1x1--> attention among the queries, to the map, two linear layers, 6 times --> class; mask = query . pixel

Shapes: B images, Q queries, D channels, K classes, h w the deepest map, H' W' the pixel embeddings' size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import Attention, as_tokens, size_of
from segtutor.models.mask_classification.pixel_decoder import begin, normed
from segtutor.models.mask_classification.positions import sine_positions
from segtutor.models.mask_classification.query_decoder import MaskHeads, Prediction


class PyramidPixelDecoder(nn.Module):
    """A feature pyramid: from the deepest map to the finest, each step adds the next finer one.

    Args:
        in_channels: Widths of the backbone's maps, finest first.
        channels: D.
    """

    def __init__(self, in_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        *fine, deepest = in_channels
        self.stem = nn.Sequential(*normed(deepest, channels, 3), nn.ReLU())
        self.lateral = nn.ModuleList(normed(width, channels, 1) for width in reversed(fine))
        self.output = nn.ModuleList(nn.Sequential(*normed(channels, channels, 3), nn.ReLU()) for _ in fine)
        self.embed = nn.Conv2d(channels, channels, 3, padding=1)
        begin(self)

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """The backbone's maps, finest first, to the one map that the queries read, and pixel embeddings."""
        features = self.stem(maps[-1])
        for lateral, output, finer in zip(self.lateral, self.output, maps[-2::-1], strict=True):
            features = output(lateral(finer) + F.interpolate(features, size_of(finer), mode="nearest"))
        return [maps[-1]], self.embed(features)


class StandardQueryLayer(nn.Module):
    """Attention among the queries first, then to the whole map, then two linear layers (DETR, appendix A.3)."""

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(channels, heads)
        self.norm1 = nn.LayerNorm(channels)
        self.cross = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, hidden)
        self.contract = nn.Linear(hidden, channels)
        self.norm3 = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, queries: Tensor, places: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        """One round.

        Args:
            queries: B x Q x D.
            places: What tells queries apart, 1 x Q x D; added where they ask and answer.
            tokens: Of the map, B x hw x D.
            positions: Of the map, 1 x hw x D; added where it answers.

        Returns:
            B x Q x D.
        """
        asking = queries + places
        queries = self.norm1(queries + self.dropout(self.attention(asking, asking, queries)))
        found = self.cross(queries + places, tokens + positions, tokens)
        queries = self.norm2(queries + self.dropout(found))
        hidden = self.dropout(self.expand(queries).relu())
        return self.norm3(queries + self.dropout(self.contract(hidden)))


class StandardQueryDecoder(MaskHeads):
    """Q queries that begin as zeros and read one map, whole, in every layer.

    Args:
        num_classes: K, without "no object".
        in_channels: Width of the map.
        channels: D.
        queries: Q.
        layers: Their number.
        heads: Of all attention.
        hidden: Width between the two linear layers.
        dropout: Share of values left out in training.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        channels: int,
        queries: int,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(num_classes, channels)
        self.places = nn.Parameter(torch.randn(queries, channels))
        self.input = nn.Conv2d(in_channels, channels, 1)
        self.layers = nn.ModuleList(StandardQueryLayer(channels, heads, hidden, dropout) for _ in range(layers))

    def forward(self, maps: Sequence[Tensor], pixels: Tensor) -> list[Prediction]:
        """What the queries say after each layer.

        Args:
            maps: The one map, B x C x h x w.
            pixels: Pixel embeddings, B x D x H' x W'.
        """
        features = self.input(maps[0])
        tokens, positions = as_tokens(features), sine_positions(size_of(features), features.shape[1], features)
        queries = torch.zeros_like(self.places).expand(pixels.shape[0], -1, -1)
        predictions = []
        for layer in self.layers:
            queries = layer(queries, self.places[None], tokens, positions)
            predictions.append(self.predict(queries, pixels))
        return predictions
