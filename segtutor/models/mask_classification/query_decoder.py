"""The query decoder of Mask2Former: each query looks where its last mask was, and says a class and a mask again.

Cheng, Misra, Schwing, Kirillov, Girdhar, 2021 (arXiv 2112.01527), §3.2 and Fig. 2.

    queries --> masked attention to a map --> attention among the queries --> two linear layers --> queries ...
                      ^ only where the mask says so                                                   |
                      +---------------------------- mask = query . pixel embedding <------------------+--> class

Shapes: B images, Q queries, D channels, K classes, h w a map of the pixel decoder, H' W' the pixel embeddings' size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import Attention, as_tokens, size_of
from segtutor.models.mask_classification.positions import sine_positions

Prediction = tuple[Tensor, Tensor]  # class logits B x Q x (K + 1), mask logits B x Q x H' x W'


class QueryLayer(nn.Module):
    """Masked attention first, then attention among the queries, then two linear layers (§3.2.2)."""

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.cross = Attention(channels, heads)
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, hidden)
        self.contract = nn.Linear(hidden, channels)
        self.norm3 = nn.LayerNorm(channels)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, queries: Tensor, places: Tensor, tokens: Tensor, positions: Tensor, allowed: Tensor | None
    ) -> Tensor:
        """One round.

        Args:
            queries: B x Q x D.
            places: What tells queries apart, 1 x Q x D; added where they ask and answer.
            tokens: Of the map, B x hw x D.
            positions: Of the map, 1 x hw x D; added where it answers.
            allowed: Where each query may look, B x Q x hw.

        Returns:
            B x Q x D.
        """
        queries = self.norm1(queries + self.cross(queries + places, tokens + positions, tokens, allowed))
        asking = queries + places
        queries = self.norm2(queries + self.attention(asking, asking, queries))
        return self.norm3(queries + self.contract(self.expand(queries).relu()))


class MaskHeads(nn.Module):
    """What makes a class and a mask of a query (MaskFormer §3.3).

    Args:
        num_classes: K, without "no object".
        channels: D.
    """

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.classes = nn.Linear(channels, num_classes + 1)  # the last one is "no object"
        self.mask = nn.Sequential(
            nn.Linear(channels, channels),
            nn.ReLU(),
            nn.Linear(channels, channels),
            nn.ReLU(),
            nn.Linear(channels, channels),
        )

    def predict(self, queries: Tensor, pixels: Tensor) -> Prediction:
        """A query's class, and its mask: the product of its vector with each pixel's."""
        queries = self.norm(queries)
        return self.classes(queries), torch.einsum("bqd,bdhw->bqhw", self.mask(queries), pixels)


class QueryDecoder(MaskHeads):
    """Q queries, refined layer by layer; each layer reads the next of the maps, coarsest first, round and round.

    Args:
        num_classes: K, without "no object".
        channels: D.
        queries: Q.
        layers: Their number.
        heads: Of all attention.
        hidden: Width between the two linear layers.
        levels: Maps.
        masked: Whether a query sees its last mask only (the paper's masked attention) or the whole map.
    """

    def __init__(
        self,
        num_classes: int,
        channels: int,
        queries: int,
        layers: int,
        heads: int,
        hidden: int,
        levels: int,
        masked: bool,
    ) -> None:
        super().__init__(num_classes, channels)
        self.masked = masked
        self.features = nn.Parameter(torch.randn(queries, channels))
        self.places = nn.Parameter(torch.randn(queries, channels))
        self.level_codes = nn.Parameter(torch.randn(levels, channels))
        self.layers = nn.ModuleList(QueryLayer(channels, heads, hidden) for _ in range(layers))

    def forward(self, maps: Sequence[Tensor], pixels: Tensor) -> list[Prediction]:
        """What the queries say before the first layer and after each.

        Args:
            maps: B x D x h x w each, coarsest first.
            pixels: Pixel embeddings, B x D x H' x W'.

        Returns:
            One prediction per layer, and one before; the last is the network's.
        """
        queries = self.features.expand(pixels.shape[0], -1, -1)
        context = [
            (as_tokens(features) + code, sine_positions(size_of(features), features.shape[1], features))
            for features, code in zip(maps, self.level_codes, strict=True)
        ]
        predictions = [self.predict(queries, pixels)]
        for number, layer in enumerate(self.layers):
            level = number % len(maps)
            allowed = where_to_look(predictions[-1][1], size_of(maps[level])) if self.masked else None
            queries = layer(queries, self.places[None], *context[level], allowed)
            predictions.append(self.predict(queries, pixels))
        return predictions


def where_to_look(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Where masked attention may look: at the pixels of the last mask, or everywhere if it is empty.

    Without the second rule, which the paper does not tell, the softmax of an empty row would be NaN, or, where it is
    computed so that it is 0, the query would never see anything again.

    Args:
        masks: Logits B x Q x H' x W'.
        size: (h, w) of the map that will be read.

    Returns:
        B x Q x hw, True where a query may look.
    """
    inside = F.interpolate(masks.detach(), size, mode="bilinear", align_corners=False).flatten(2) >= 0
    return inside | ~inside.any(dim=-1, keepdim=True)
