"""ViT: the picture as a row of patches, each a token; and what DINOv2 made of it: features that one linear layer reads.

Dosovitskiy et al.: An Image is Worth 16x16 Words, 2020 (arXiv 2010.11929), "ViT"; Oquab et al.: DINOv2: Learning Robust
Visual Features without Supervision, 2023 (arXiv 2304.07193), "DINOv2"; Darcet, Oquab, Mairal, Bojanowski: Vision
Transformers Need Registers, 2023 (arXiv 2309.16588), "registers".

    images --> patches --> linear --> [class, registers, patches] + positions --> block, ..., block --> norm
                                                                                                         |
                 logits <-- upsample <-- 1x1 <-- batch norm <-- map of the patches' tokens <-------------+

Shapes: B images, C channels, K classes, P pixels along a patch, h w patches (h = H / P), N = 1 + registers + h w
tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from segtutor.models.attention import Attention, as_map, as_tokens
from segtutor.models.differences import Difference
from segtutor.models.inputs import check_images
from segtutor.models.semantic import SemanticNetwork
from segtutor.models.sizes import bicubic, crop, exporting, pad_to_whole


@dataclass(frozen=True)
class Sizes:
    """One of the networks of ViT Table 1 or DINOv2 Table 17.

    Attributes:
        channels: C.
        depth: Blocks.
        heads: Of each attention.
        patch: P.
        grid: Patches along a side of the pictures that it was trained on: the table of positions.
        layer_scale: Where each block's contribution begins, per channel; None without this factor (ViT).
        registers: Tokens that belong to no patch.
        mask_token: Whether there is a token for patches that training hides: it is only read from files and kept.
    """

    channels: int
    depth: int
    heads: int
    patch: int
    grid: int
    layer_scale: float | None = None
    registers: int = 0
    mask_token: bool = False


class Block(nn.Module):
    """Attention, then two linear layers, each added to what it was given, each after a norm (ViT Fig. 1)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        channels = sizes.channels
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attention = Attention(channels, sizes.heads)
        self.scale1 = _scale(sizes)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))
        self.scale2 = _scale(sizes)

    def forward(self, tokens: Tensor, allowed: Tensor | None = None) -> Tensor:
        """B x N x C to B x N x C; ``allowed``, B x N x N, says where each token may look, everywhere if left out."""
        tokens = tokens + self.scale1(self.attention(self.norm1(tokens), allowed=allowed))
        return tokens + self.scale2(self.mlp(self.norm2(tokens)))


class LayerScale(nn.Module):
    """One learned factor per channel, which lets a deep network begin almost as the identity."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), start))

    def forward(self, tokens: Tensor) -> Tensor:
        """B x N x C to B x N x C."""
        return tokens * self.gamma


class VisionTransformer(nn.Module):
    """The encoder (ViT §3.1).

    Args:
        sizes: Its sizes.
        layers: Numbers of the blocks whose tokens are returned, from 1; None for the last.
    """

    def __init__(self, sizes: Sizes, layers: Sequence[int] | None = None) -> None:
        super().__init__()
        self.layers = tuple(layers or (sizes.depth,))
        if not self.layers or any(layer not in range(1, sizes.depth + 1) for layer in self.layers):
            raise ValueError(f"layers must be numbers of blocks from 1 to {sizes.depth}, but {layers!r} came")
        channels, self.registers = sizes.channels, sizes.registers
        self.patches = nn.Conv2d(3, channels, sizes.patch, stride=sizes.patch)
        self.class_token = _tokens(1, channels)
        self.register_tokens = _tokens(sizes.registers, channels) if sizes.registers else None
        self.mask_token = nn.Parameter(torch.zeros(1, channels)) if sizes.mask_token else None
        self.positions = _tokens(1 + sizes.grid**2, channels)  # of the class token and of the patches, not of registers
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.depth))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.channels = {"out": channels * len(self.layers)}
        self.apply(_initialize)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The patches' tokens as a map, after the final norm.

        Args:
            images: B x 3 x H x W; H and W are multiples of P.

        Returns:
            "out": B x C x h x w, the layers' maps side by side; "class": B x C, the class token of the last of them.
        """
        tokens, size = self.embed(images)
        maps = []
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens)
            if number in self.layers:
                maps.append(self.norm(tokens))
        patches = torch.cat([one[:, 1 + self.registers :] for one in maps], dim=-1)
        return {"out": as_map(patches, size), "class": maps[-1][:, 0]}

    def embed(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """What the first block is given: B x N x C, and (h, w)."""
        features = self.patches(images)
        size = (features.shape[-2], features.shape[-1])
        batch = images.shape[0]
        tokens = torch.cat([self.class_token.expand(batch, -1, -1), as_tokens(features)], dim=1)
        tokens = tokens + self._positions(size)
        if self.register_tokens is not None:
            registers = self.register_tokens.expand(batch, -1, -1)
            tokens = torch.cat([tokens[:, :1], registers, tokens[:, 1:]], dim=1)
        return tokens, size

    def attention_maps(self, images: Tensor, layer: int) -> Tensor:
        """How much each token takes from each, in the block of this number from 1: B x heads x N x N."""
        tokens, _ = self.embed(images)
        for block in self.blocks[: layer - 1]:
            tokens = block(tokens)
        block = self.blocks[layer - 1]
        assert isinstance(block, Block)
        return block.attention.weights(block.norm1(tokens))

    def _positions(self, size: tuple[int, int]) -> Tensor:
        """1 x (1 + h w) x C: the table, resized where the map has another size than in training."""
        side = round((self.positions.shape[1] - 1) ** 0.5)
        if not exporting() and size == (side, side):
            return self.positions
        table = as_map(self.positions[:, 1:], (side, side))
        # differs: the networks with registers were trained with antialias=True, the others without.
        table = bicubic(table, size, antialias=self.registers > 0)
        return torch.cat([self.positions[:, :1], as_tokens(table)], dim=1)


class LinearHead(nn.Sequential):
    """Batch norm and a 1 x 1 convolution: all that DINOv2's linear evaluation trains (§7.4)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__(nn.BatchNorm2d(channels), nn.Conv2d(channels, num_classes, 1))


class LinearSegmenter(SemanticNetwork):
    """A transformer and one linear layer on its patches' tokens: see `SemanticNetwork`.

    Images are padded on the right and below to a multiple of the patch, and the logits cropped.
    """

    def __init__(self, sizes: Sizes, num_classes: int, layers: Sequence[int] | None, frozen: bool) -> None:
        backbone = VisionTransformer(sizes, layers)
        head = LinearHead(backbone.channels["out"], num_classes)
        super().__init__(backbone, head, output_stride=sizes.patch)
        self.frozen = frozen
        backbone.requires_grad_(not frozen)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """See `SemanticNetwork.forward`."""
        check_images(self, images, smallest=self.output_stride, stride=self.output_stride)
        size = (images.shape[-2], images.shape[-1])
        logits = super().forward(pad_to_whole(images, self.output_stride))
        return {name: crop(one, size) for name, one in logits.items()}


def _linear(
    sizes: Sizes, num_classes: int, layers: Sequence[int] | None, frozen: bool, registers: int = 0
) -> LinearSegmenter:
    if registers not in (0, 4):
        raise ValueError(f"registers must be 0 or 4, as in the published weights, but {registers!r} came")
    return LinearSegmenter(replace(sizes, registers=registers), num_classes, layers, frozen)


def vit_small_16(
    num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = False
) -> LinearSegmenter:
    """ViT-S/16 and a linear layer.

    Args:
        num_classes: K.
        layers: Numbers of the blocks, from 1, whose tokens the linear layer reads side by side; None for the last.
        frozen: Train the linear layer alone.
    """
    return _linear(Sizes(384, 12, 6, 16, 14), num_classes, layers, frozen)


def vit_base_16(num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = False) -> LinearSegmenter:
    """ViT-B/16 and a linear layer; arguments as `vit_small_16`."""
    return _linear(Sizes(768, 12, 12, 16, 14), num_classes, layers, frozen)


def vit_large_16(
    num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = False
) -> LinearSegmenter:
    """ViT-L/16 and a linear layer; arguments as `vit_small_16`."""
    return _linear(Sizes(1024, 24, 16, 16, 14), num_classes, layers, frozen)


def dinov2_vits14(
    num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = True, registers: int = 0
) -> LinearSegmenter:
    """DINOv2's ViT-S/14 and a linear layer.

    Args:
        num_classes: K.
        layers: Numbers of the blocks, from 1, whose tokens the linear layer reads side by side; None for the last.
        frozen: Train the linear layer alone, as the paper does.
        registers: 0, or 4 for the weights that were trained with them.
    """
    return _linear(Sizes(384, 12, 6, 14, 37, 1e-5, 0, True), num_classes, layers, frozen, registers)


def dinov2_vitb14(
    num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = True, registers: int = 0
) -> LinearSegmenter:
    """DINOv2's ViT-B/14 and a linear layer; arguments as `dinov2_vits14`."""
    return _linear(Sizes(768, 12, 12, 14, 37, 1e-5, 0, True), num_classes, layers, frozen, registers)


def dinov2_vitl14(
    num_classes: int = 21, *, layers: Sequence[int] | None = None, frozen: bool = True, registers: int = 0
) -> LinearSegmenter:
    """DINOv2's ViT-L/14 and a linear layer; arguments as `dinov2_vits14`."""
    return _linear(Sizes(1024, 24, 16, 14, 37, 1e-5, 0, True), num_classes, layers, frozen, registers)


def vit_tiny(num_classes: int = 21, *, layers: Sequence[int] | None = None) -> LinearSegmenter:
    """A ViT for pictures of about 64 x 64 pixels, patches of 8, and a linear layer: trains on a processor in minutes.

    Args:
        num_classes: K.
        layers: Numbers of the blocks, from 1, whose tokens the linear layer reads side by side; None for the last.
    """
    return _linear(Sizes(128, 6, 4, 8, 8), num_classes, layers, frozen=False)


def _scale(sizes: Sizes) -> nn.Module:
    return nn.Identity() if sizes.layer_scale is None else LayerScale(sizes.channels, sizes.layer_scale)


def _tokens(count: int, channels: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, count, channels), std=0.02))


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


# Paper: ViT and DINOv2. Reference: DINOv2's PyTorch code. torchvision: its ViT. Ours: dinov2_vits14.
DIFFERENCES = (
    Difference("positions for other sizes", "bicubic", "bicubic, by a factor with 0.1 added", "bicubic", "by the size"),
    Difference("antialiasing of the positions", "none told", "with registers", "no", "with registers"),
    Difference("epsilon of the norms", "none told", "1e-6", "1e-6", "1e-6"),
    Difference(
        "the linear layer reads", "last block's patches", "them after the final norm", "-", "as the authors' code"
    ),
    Difference("in front of the linear layer", "batch norm", "batch norm", "-", "batch norm"),
    Difference("sizes that are no multiple of P", "none told", "padded on all sides", "-", "padded right and below"),
)
