"""Deformable attention: each token looks at a few places of each map, and learns where to look.

Zhu, Su, Lu, Li, Wang, Dai: Deformable DETR, 2020 (arXiv 2010.04159), §4.1.

    token + position --+-- offsets --> S places on each of the L maps --> values there --+
                       |                                                                 +--> sum --> project
                       +-- weights --> softmax over the L S places ----------------------+

Shapes: B images, N tokens of all maps together, C channels, h heads, d = C / h, L maps, S places per map and head.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]


class DeformableAttention(nn.Module):
    """Multi-scale deformable attention (§4.1, Eq. 3).

    Args:
        channels: C.
        heads: h.
        levels: L.
        places: S.
    """

    def __init__(self, channels: int, heads: int, levels: int, places: int) -> None:
        super().__init__()
        self.heads, self.levels, self.places = heads, levels, places
        self.offsets = nn.Linear(channels, heads * levels * places * 2)
        self.weights = nn.Linear(channels, heads * levels * places)
        self.value = nn.Linear(channels, channels)
        self.project = nn.Linear(channels, channels)
        self._begin_with_a_ring()

    def forward(self, tokens: Tensor, positions: Tensor, sizes: Sequence[Size]) -> Tensor:
        """What each token finds at its places.

        Args:
            tokens: B x N x C, the maps one after the other, each row by row.
            positions: Added to the tokens where they choose places and weights, 1 x N x C.
            sizes: (h, w) of each map.

        Returns:
            B x N x C.
        """
        B = tokens.shape[0]  # not its length, which an exported graph would take for a constant
        places, weights = self.look(tokens + positions, sizes)
        values = self.value(tokens).unflatten(2, (self.heads, -1))  # B x N x h x d

        found = []
        for level, (own, (h, w)) in enumerate(zip(values.split([h * w for h, w in sizes], dim=1), sizes, strict=True)):
            map_ = own.permute(0, 2, 3, 1).reshape(B * self.heads, -1, h, w)
            where = places[:, :, :, level].transpose(1, 2).flatten(0, 1)  # B h x N x S x 2
            found.append(F.grid_sample(map_, 2 * where - 1, align_corners=False))  # B h x d x N x S
        weights = weights.flatten(3).transpose(1, 2).flatten(0, 1)[:, None]  # B h x 1 x N x L S
        mixed = (torch.cat(found, dim=-1) * weights).sum(-1)  # B h x d x N
        return self.project(mixed.unflatten(0, (B, self.heads)).flatten(1, 2).transpose(1, 2))

    def look(self, asking: Tensor, sizes: Sequence[Size]) -> tuple[Tensor, Tensor]:
        """Where each token looks, and how much each place counts.

        Args:
            asking: Tokens and positions, B x N x C.
            sizes: (h, w) of each map.

        Returns:
            Places (x, y) from 0 to 1 over the picture, B x N x h x L x S x 2; weights, B x N x h x L x S.
        """
        shape = (*asking.shape[:2], self.heads, self.levels, self.places)
        offsets = self.offsets(asking).view(*shape, 2)  # in pixels of each map
        scales = torch.tensor([(w, h) for h, w in sizes], device=asking.device, dtype=asking.dtype)
        places = centers(sizes, asking)[None, :, None, None, None] + offsets / scales[:, None]
        return places, self.weights(asking).view(*shape[:3], -1).softmax(dim=-1).view(shape)

    def _begin_with_a_ring(self) -> None:
        """Fresh heads look in as many directions, place by place one pixel further, all with the same weight."""
        angles = torch.arange(self.heads) * (2 * math.pi / self.heads)
        ring = torch.stack([angles.cos(), angles.sin()], dim=-1)
        ring = ring / ring.abs().amax(dim=-1, keepdim=True)
        steps = torch.arange(1, self.places + 1.0)
        begin = ring[:, None, None] * steps[:, None].expand(self.levels, self.places, 1)
        nn.init.zeros_(self.offsets.weight)
        with torch.no_grad():
            self.offsets.bias.copy_(begin.flatten())
        for layer in (self.weights, self.value, self.project):
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.weights.weight)
        nn.init.xavier_uniform_(self.value.weight)
        nn.init.xavier_uniform_(self.project.weight)


class DeformableLayer(nn.Module):
    """Deformable attention, then two linear layers, each added to what it was given and then normed."""

    def __init__(self, channels: int, heads: int, hidden: int, levels: int = 3, places: int = 4) -> None:
        super().__init__()
        self.attention = DeformableAttention(channels, heads, levels, places)
        self.norm1 = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, hidden)
        self.contract = nn.Linear(hidden, channels)
        self.norm2 = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor, positions: Tensor, sizes: Sequence[Size]) -> Tensor:
        """B x N x C to B x N x C."""
        tokens = self.norm1(tokens + self.attention(tokens, positions, sizes))
        return self.norm2(tokens + self.contract(self.expand(tokens).relu()))


def centers(sizes: Sequence[Size], like: Tensor) -> Tensor:
    """(x, y) of each token's place in its picture, from 0 to 1: N x 2."""
    points = []
    for h, w in sizes:
        y = (torch.arange(h, device=like.device, dtype=like.dtype) + 0.5) / h
        x = (torch.arange(w, device=like.device, dtype=like.dtype) + 0.5) / w
        points.append(torch.stack([x.expand(h, w), y[:, None].expand(h, w)], dim=-1).flatten(0, 1))
    return torch.cat(points)
