"""SAM's image encoder: a vision transformer that looks through windows most of the time, and a neck.

Kirillov, Mintun, Ravi, Mao, Rolland, Gustafson, Xiao, Whitehead, Berg, Lo, Dollár, Girshick: Segment Anything, 2023
(arXiv 2304.02643), "SAM", §A.

    images --> patches + positions --> block, ..., block --> 1x1 --> norm --> 3x3 --> norm --> embedding

It runs once for a picture; every prompt after that costs the decoder alone.

Shapes: B images, C channels of the transformer, E of the embedding, P pixels along a patch, h w patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.channel_norm import ChannelNorm
from segtutor.models.sam.window_attention import RelativeAttention, from_windows, into_windows


@dataclass(frozen=True)
class EncoderSizes:
    """One of the three image encoders.

    Attributes:
        channels: C.
        depth: Blocks.
        heads: Of each attention.
        whole: Numbers of the blocks, from 0, that see the whole map; the others see windows.
        patch: P.
        window: Side of a window in patches.
        grid: Patches along a side of the pictures that it was trained on.
    """

    channels: int
    depth: int
    heads: int
    whole: tuple[int, ...]
    patch: int = 16
    window: int = 14
    grid: int = 64


class Block(nn.Module):
    """Attention over the map or inside windows, then two linear layers, each added, each after a norm.

    Args:
        sizes: Of the transformer.
        window: Side of a window, 0 for the whole map.
    """

    def __init__(self, sizes: EncoderSizes, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1 = ChannelNorm(sizes.channels, eps=1e-6)
        self.attention = RelativeAttention(sizes.channels, sizes.heads, window or sizes.grid)
        self.norm2 = nn.LayerNorm(sizes.channels, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(sizes.channels, 4 * sizes.channels), nn.GELU(), nn.Linear(4 * sizes.channels, sizes.channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to the same."""
        normed = self.norm1(features)
        if self.window:
            # The zeros that fill up the last windows come after the norm, and take part in the attention.
            size = (features.shape[-2], features.shape[-1])
            features = features + from_windows(self.attention(into_windows(normed, self.window)), size)
        else:
            features = features + self.attention(normed)
        return features + self.mlp(self.norm2(features.movedim(1, -1))).movedim(-1, 1)


class ImageTransformer(nn.Module):
    """The transformer (SAM §A, "Image encoder").

    Args:
        sizes: Its sizes.
    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.stride = sizes.patch
        self.patches = nn.Conv2d(3, sizes.channels, sizes.patch, stride=sizes.patch)
        self.positions = nn.Parameter(torch.zeros(1, sizes.grid, sizes.grid, sizes.channels))
        self.blocks = nn.ModuleList(
            Block(sizes, 0 if number in sizes.whole else sizes.window) for number in range(sizes.depth)
        )

    def forward(self, images: Tensor) -> Tensor:
        """B x 3 x H x W, whole patches, to B x C x h x w."""
        features = self.patches(images)
        positions = self.positions.movedim(-1, 1)
        if positions.shape[-2:] != features.shape[-2:]:
            # differs: the authors' code takes pictures of one size only.
            positions = F.interpolate(positions, features.shape[-2:], mode="bicubic", antialias=True)
        features = features + positions
        for block in self.blocks:
            features = block(features)
        return features


class Neck(nn.Sequential):
    """From the transformer's channels to the embedding's.

    Args:
        channels: C.
        embedding: E.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__(
            nn.Conv2d(channels, embedding, 1, bias=False),
            ChannelNorm(embedding, eps=1e-6),
            nn.Conv2d(embedding, embedding, 3, padding=1, bias=False),
            ChannelNorm(embedding, eps=1e-6),
        )


class PyramidNeck(nn.Module):
    """The neck on a residual network's maps at strides 4, 8 and more, which are brought to stride 8 and added.

    SAM 2 (Ravi et al. 2024, arXiv 2408.00714, §C.1) adds the maps of its hierarchical encoder in this way.

    Args:
        channels: Of each map, the finest first.
        inner: Channels of their sum.
        embedding: E, divisible by 4.
        finer: The finest map is told, too, as `FineMap` reads it, in E further channels, which `MaskDecoder` unfolds:
            what is smaller than two places of the embedding would be lost in it.
    """

    def __init__(self, channels: Sequence[int], inner: int, embedding: int, finer: bool = False) -> None:
        super().__init__()
        self.fine: FineMap | None = None
        if finer:  # without it all else begins as it would
            with torch.random.fork_rng(devices=[]):
                self.fine = FineMap(channels[0], embedding, embedding // 4)
        finest, *others = channels
        self.lateral = nn.ModuleList([
            nn.Conv2d(finest, inner, 2, stride=2), *(nn.Conv2d(width, inner, 1) for width in others)
        ])  # fmt: skip
        self.mix = nn.Sequential(
            ChannelNorm(inner, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(inner, inner, 3, padding=1, bias=False),
            ChannelNorm(inner, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(inner, embedding, 3, padding=1, bias=False),
            ChannelNorm(embedding, eps=1e-6),
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps, the finest B x C x 2h x 2w first, to B x E x h x w; with the finer one to B x 2E x h x w."""
        laterals = [layer(features) for layer, features in zip(self.lateral, maps, strict=True)]
        total, *others = laterals
        for one in others:
            total = total + F.interpolate(one, total.shape[-2:], mode="bilinear", align_corners=False)
        embedding: Tensor = self.mix(total)
        if self.fine is None:
            return embedding
        return torch.cat([embedding, F.pixel_unshuffle(self.fine(maps[0], embedding), 2)], dim=1)


class FineMap(nn.Module):
    """What the finest map shows, read by one who knows the embedding, which has half its height and width.

    SAM 2 takes its finer maps as they are. Here the backbone does not learn, so a look at the neighbors and at what the
    embedding says of a place has to find the edges of small things.

    Args:
        channels: Of the finest map.
        embedding: E.
        out: Of the map that is told.
        inner: Of the maps between.
    """

    def __init__(self, channels: int, embedding: int, out: int, inner: int = 20) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(channels, inner, 1)
        self.above = nn.Conv2d(embedding, inner, 1, bias=False)
        self.look = nn.Conv2d(inner, inner, 3, padding=1)
        self.tell = nn.Conv2d(inner, out, 1)
        nn.init.zeros_(self.tell.weight)  # it begins with nothing
        nn.init.zeros_(self.tell.bias)  # type: ignore[arg-type]

    def forward(self, finest: Tensor, embedding: Tensor) -> Tensor:
        """B x C x 2h x 2w and B x E x h x w to B x out x 2h x 2w."""
        above = F.interpolate(self.above(embedding), finest.shape[-2:], mode="bilinear", align_corners=False)
        told: Tensor = self.tell(F.gelu(self.look(F.gelu(self.lateral(finest) + above))))
        return told
