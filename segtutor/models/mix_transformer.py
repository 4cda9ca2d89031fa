"""Mix Transformer: the map is narrowed stage by stage, and in every block each of its tokens can see all others.

Xie, Wang, Yu, Anandkumar, Alvarez, Luo: SegFormer, 2021 (arXiv 2105.15203), §3.1.

    stage:   features --> overlapping patches --> block, ..., block --> norm --> map
    block:   tokens --> norm --> attention to a smaller map --(+)--> norm --> Mix-FFN --(+)--> tokens
                 +----------------------------------------------+ +-----------------------------+

Shapes: B images, C channels of a stage, H W input, h w a stage's map, N = h w tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

from segtutor.models.attention import Attention, as_map, as_tokens

Position = Literal["mix-ffn", "table"]


@dataclass(frozen=True)
class Sizes:
    """One of the networks of Table 6.

    Attributes:
        widths: C of each stage.
        depths: Blocks of each stage.
        heads: Of each stage's attention.
        reductions: R of each stage: keys and values come from a map that is R times smaller in both directions.
        decoder: D.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...] = (1, 2, 5, 8)
    reductions: tuple[int, ...] = (8, 4, 2, 1)
    decoder: int = 768


class PatchEmbedding(nn.Module):
    """Overlapping patches as tokens (§3.1): a convolution whose windows are wider than its stride."""

    def __init__(self, in_channels: int, channels: int, window: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, window, stride, padding=window // 2)
        self.norm = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """B x C' x h' x w' to tokens B x N x C, and (h, w)."""
        features = self.conv(features)
        return self.norm(as_tokens(features)), (features.shape[-2], features.shape[-1])


class EfficientAttention(Attention):
    """Attention to a map that is R times smaller (§3.1): N x N/R² answers instead of N x N.

    Args:
        channels: C.
        heads: h.
        reduction: R; 1 attends to the map itself.
    """

    def __init__(self, channels: int, heads: int, reduction: int) -> None:
        super().__init__(channels, heads)
        # differs: the paper's Eq. 2 reshapes and applies a linear layer; both are this convolution.
        self.reduce = nn.Conv2d(channels, channels, reduction, stride=reduction) if reduction > 1 else None
        self.reduce_norm = nn.LayerNorm(channels) if reduction > 1 else None

    def context(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """What keys and values are made of: B x N x C to B x N/R² x C."""
        if self.reduce is None or self.reduce_norm is None:
            return tokens
        return self.reduce_norm(as_tokens(self.reduce(as_map(tokens, size))))


class MixFFN(nn.Module):
    """Two linear layers with a 3 x 3 depthwise convolution between them (§3.1, Eq. 3).

    The convolution's zero padding tells a token how far the border is, which is all that the network knows of places.
    Without it ("table"), a stage needs a table of positions.
    """

    def __init__(self, channels: int, position: Position) -> None:
        super().__init__()
        hidden = 4 * channels
        self.expand = nn.Linear(channels, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden) if position == "mix-ffn" else None
        self.contract = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """B x N x C to B x N x C."""
        tokens = self.expand(tokens)
        if self.depthwise is not None:
            tokens = as_tokens(self.depthwise(as_map(tokens, size)))
        return self.contract(F.gelu(tokens))


class Block(nn.Module):
    """Attention, then Mix-FFN, each added to what it was given, each after a norm (Fig. 2)."""

    def __init__(self, channels: int, heads: int, reduction: int, position: Position, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attention = EfficientAttention(channels, heads, reduction)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = MixFFN(channels, position)
        self.drop = StochasticDepth(drop, mode="row")

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """B x N x C to B x N x C."""
        asking = self.norm1(tokens)
        tokens = tokens + self.drop(self.attention(asking, self.attention.context(asking, size)))
        return tokens + self.drop(self.mlp(self.norm2(tokens), size))


class PositionTable(nn.Module):
    """One learned vector per place of a map, resized to a map of another size.

    Args:
        channels: C.
        size: (h, w) of the map that the network is trained on.
    """

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.table = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, channels, *size), std=0.02))

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """B x N x C to B x N x C."""
        table: Tensor = self.table
        if table.shape[-2:] != size:
            table = F.interpolate(table, size, mode="bilinear", align_corners=False)
        return tokens + as_tokens(table)


class Stage(nn.Module):
    """Patch embedding, blocks, norm."""

    def __init__(self, embed: PatchEmbedding, blocks: list[Block], channels: int, table: PositionTable | None) -> None:
        super().__init__()
        self.embed = embed
        self.positions = table
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, features: Tensor) -> Tensor:
        """B x C' x h' x w' to B x C x h x w."""
        tokens, size = self.embed(features)
        if self.positions is not None:
            tokens = self.positions(tokens, size)
        for block in self.blocks:
            tokens = block(tokens, size)
        return as_map(self.norm(tokens), size)


class MixTransformer(nn.Module):
    """The encoder (§3.1).

    Args:
        sizes: Its sizes.
        train_size: (H, W) of the training pictures, for tables of positions; None for Mix-FFN.
        drop_path: Probability that the last block is skipped in training; it grows linearly from 0.
    """

    def __init__(self, sizes: Sizes, train_size: tuple[int, int] | None = None, drop_path: float = 0.1) -> None:
        super().__init__()
        position: Position = "mix-ffn" if train_size is None else "table"
        count = sum(sizes.depths)
        drops = iter([drop_path * block / (count - 1) for block in range(count)])
        stages = []
        for number, width in enumerate(sizes.widths):
            in_channels = sizes.widths[number - 1] if number else 3
            embed = PatchEmbedding(in_channels, width, *((3, 2) if number else (7, 4)))
            heads, reduction = sizes.heads[number], sizes.reductions[number]
            blocks = [Block(width, heads, reduction, position, next(drops)) for _ in range(sizes.depths[number])]
            stride = 4 * 2**number
            table = None
            if train_size is not None:
                table = PositionTable(width, (-(-train_size[0] // stride), -(-train_size[1] // stride)))
            stages.append(Stage(embed, blocks, width, table))
        self.stages = nn.ModuleList(stages)
        self.channels = {f"stage{number}": width for number, width in enumerate(sizes.widths, start=1)}
        self.apply(_initialize)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """B x 3 x H x W to one map per stage, "stage1" at stride 4, each further one at twice the stride."""
        features, maps = images, {}
        for number, stage in enumerate(self.stages, start=1):
            features = maps[f"stage{number}"] = stage(features)
        return maps


def _initialize(module: nn.Module) -> None:
    """As the authors' code begins: linear layers small and normal, convolutions by their fan-out."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
