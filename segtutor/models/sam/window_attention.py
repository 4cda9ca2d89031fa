"""Attention that knows how far apart two places are, over the whole map or inside windows.

Li, Mao, Girshick, He: Exploring Plain Vision Transformer Backbones for Object Detection, 2022 (arXiv 2203.16527),
"ViTDet": windows; Li, Wu, Fan, Mangalam, Xiong, Malik, Feichtenhofer: MViTv2, 2021 (arXiv 2112.01526), §4.1: the
distance taken apart into rows and columns.

    logit of (query i, key j) = q_i k_j / sqrt(d) + q_i R_rows[row i - row j] + q_i R_columns[column i - column j]

Shapes: B images, C channels, h w map, g heads, d = C / g, s side of a window.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import Attention, as_map, as_tokens


class RelativeAttention(Attention):
    """Attention of a map to itself, with learned vectors for distances in rows and in columns.

    Args:
        channels: C.
        heads: g.
        side: Of the maps that it was trained on; the tables then hold 2 side - 1 distances.
    """

    def __init__(self, channels: int, heads: int, side: int) -> None:
        super().__init__(channels, heads)
        self.rows = nn.Parameter(torch.zeros(2 * side - 1, channels // heads))
        self.columns = nn.Parameter(torch.zeros(2 * side - 1, channels // heads))

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """B x C x h x w to the same."""
        size = (features.shape[-2], features.shape[-1])
        tokens = as_tokens(features)
        query, key, value = (self._split(layer(tokens)) for layer in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=self.bias(query, size))
        return as_map(self.project(mixed.transpose(1, 2).flatten(2)), size)

    def bias(self, query: Tensor, size: tuple[int, int]) -> Tensor:
        """What distance adds to the logits: B x g x hw x d and (h, w) to B x g x hw x hw."""
        query = query.unflatten(2, size)  # B x g x h x w x d
        rows = torch.einsum("bgyxd,yzd->bgyxz", query, distances(self.rows, size[0]))
        columns = torch.einsum("bgyxd,xzd->bgyxz", query, distances(self.columns, size[1]))
        return (rows[..., :, None] + columns[..., None, :]).flatten(4, 5).flatten(2, 3)


def distances(table: Tensor, side: int) -> Tensor:
    """The vector of each pair of places on a line.

    Args:
        table: (2 s - 1) x d, for distances from 1 - s to s - 1. For a line of another length than s it is interpolated.
        side: Length of the line.

    Returns:
        side x side x d; the first axis is the place that asks.

    >>> distances(torch.tensor([[-1.0], [0.0], [1.0]]), 2)[..., 0].tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    wanted = 2 * side - 1
    if len(table) != wanted:
        table = F.interpolate(table.T[None], wanted, mode="linear")[0].T
    places = torch.arange(side, device=table.device)
    return table[places[:, None] - places[None, :] + side - 1]


def into_windows(features: Tensor, side: int) -> Tensor:
    """Cuts a map into windows, after zeros on the right and below have made it a multiple of them.

    Args:
        features: B x C x h x w.
        side: s.

    Returns:
        (B times number of windows) x C x s x s, row by row.
    """
    height, width = features.shape[-2:]
    features = F.pad(features, (0, -width % side, 0, -height % side))
    windows = features.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # B x C x rows x s x columns x s
    return windows.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def from_windows(windows: Tensor, size: tuple[int, int]) -> Tensor:
    """Puts the windows together and cuts off what `into_windows` added.

    Args:
        windows: (B times number of windows) x C x s x s.
        size: (h, w).

    Returns:
        B x C x h x w.
    """
    side = windows.shape[-1]
    rows, columns = -(-size[0] // side), -(-size[1] // side)
    features = windows.unflatten(0, (-1, rows, columns)).permute(0, 3, 1, 4, 2, 5)
    return features.flatten(4, 5).flatten(2, 3)[..., : size[0], : size[1]]
