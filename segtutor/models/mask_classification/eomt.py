"""EoMT: a plain vision transformer whose last blocks hold the queries, too; no pixel decoder, no query decoder.

Kerssies, Cavagnero, Hermans, Norouzi, Averta, Leibe, Dubbelman, de Geus: Your ViT is Secretly an Image Segmentation
Model, 2025 (arXiv 2503.19108), §3.

    images --> patches --> block, ..., block --> + Q queries --> block, ..., block --+--> class, mask vector per query
                                                                                     +--> x 4 --> pixel embeddings

Shapes: B images, C channels, K classes, Q queries, P pixels along a patch, h w patches, N tokens: class token,
registers, patches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import as_map, as_tokens
from segtutor.models.channel_norm import ChannelNorm
from segtutor.models.differences import Difference
from segtutor.models.inputs import check_images
from segtutor.models.mask_classification.matching import LossSettings
from segtutor.models.mask_classification.network import MaskNetwork
from segtutor.models.mask_classification.query_decoder import Prediction
from segtutor.models.sizes import bicubic, crop, exporting, pad_to_whole
from segtutor.models.upsampling import TransposedConvolution
from segtutor.models.vit import Sizes, VisionTransformer


class PatchPositions(VisionTransformer):
    """The encoder with positions for the patches alone, as DINOv2 with registers has them in timm's files."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.positions = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, sizes.grid**2, sizes.channels), std=0.02))

    def embed(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """What the first block is given: B x N x C, and (h, w)."""
        features = self.patches(images)
        size = (features.shape[-2], features.shape[-1])
        side = round(self.positions.shape[1] ** 0.5)
        table: Tensor = self.positions
        if exporting() or size != (side, side):
            # differs: the authors' code and the transformers library take pictures of one size only.
            table = as_tokens(bicubic(as_map(table, (side, side)), size, antialias=True))
        front: Tensor = self.class_token
        if self.register_tokens is not None:
            front = torch.cat([front, self.register_tokens], dim=1)
        front = front.expand(images.shape[0], -1, -1)
        return torch.cat([front, as_tokens(features) + table], dim=1), size


class Upscale(nn.Sequential):
    """Twice the size: transposed convolution, GELU, a 3 x 3 convolution of each channel alone, norm (§3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            TransposedConvolution(channels, channels, 2, stride=2),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            ChannelNorm(channels, eps=1e-6),
        )


class EncoderMaskTransformer(MaskNetwork):
    """Encoder-only mask transformer (§3.2).

    Args:
        sizes: Of the transformer.
        num_classes: K, "no object" not counted.
        queries: Q.
        blocks: How many of the last blocks hold the queries.
        scales: How often the patches' map is doubled for the masks.
        settings: Of the loss.

    Attributes:
        mask_share: Per block, the share of the queries whose attention is masked: training lowers it from 1 to 0, block
            by block (`anneal`), so that in the end no mask has to be made between the blocks.
    """

    mask_share: Tensor

    def __init__(
        self, sizes: Sizes, num_classes: int, queries: int, blocks: int, scales: int, settings: LossSettings
    ) -> None:
        super().__init__(sizes.patch, settings)
        channels = sizes.channels
        self.backbone = PatchPositions(sizes)
        self.queries = nn.Parameter(torch.randn(queries, channels))
        self.classes = nn.Linear(channels, num_classes + 1)
        self.mask = nn.Sequential(
            nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels), nn.GELU(),
            nn.Linear(channels, channels),
        )  # fmt: skip
        self.upscale = nn.Sequential(*(Upscale(channels) for _ in range(scales)))
        self.register_buffer("mask_share", torch.ones(blocks))

    def train(self, mode: bool = True) -> EncoderMaskTransformer:
        """As of every module; also notes which blocks mask, since an exporter sees no numbers."""
        if not self.mask_share.is_meta:
            self.masking = [bool(share > 0) for share in self.mask_share]
        return super().train(mode)

    def forward(self, images: Tensor) -> dict[str, Any]:
        """See `MaskNetwork.forward`; to predict, images are padded on the right and below to whole patches.

        Raises:
            ValueError: If the images do not fit, or in training are no whole patches.
        """
        check_images(self, images, smallest=self.output_stride, stride=self.output_stride)
        size = (images.shape[-2], images.shape[-1])
        padded = pad_to_whole(images, self.output_stride)
        if self.training:
            if padded.shape != images.shape:
                raise ValueError(
                    f"to train, images must be whole patches of {self.output_stride} pixels high and wide, but "
                    f"{size[0]} x {size[1]} came: crop or resize them"
                )
            return super().forward(images)
        output = super().forward(padded)
        return {**output, "out": crop(output["out"], size)}

    def predictions(self, images: Tensor) -> list[Prediction]:
        """Classes and masks before each block that holds the queries, if it masks, and after the last."""
        tokens, size = self.backbone.embed(images)
        first = len(self.backbone.blocks) - len(self.mask_share)
        found: list[Prediction] = []
        for number, block in enumerate(self.backbone.blocks):
            allowed = None
            if number == first:
                tokens = torch.cat([self.queries.expand(images.shape[0], -1, -1), tokens], dim=1)
            if number >= first and (self.training or self._masks(number - first)):
                found.append(self.predict(tokens, size))
                allowed = self._allowed(found[-1][1], size, tokens.shape[1], self.mask_share[number - first])
            tokens = block(tokens, allowed)
        return [*found, self.predict(tokens, size)]

    def _masks(self, block: int) -> bool:
        """Whether a block that holds the queries still masks some of them."""
        return self.masking[block] if exporting() else bool(self.mask_share[block] > 0)

    def predict(self, tokens: Tensor, size: tuple[int, int]) -> Prediction:
        """Classes and masks from B x (Q + N) x C."""
        tokens = self.backbone.norm(tokens)
        queries, patches = tokens[:, : len(self.queries)], tokens[:, self._front() :]
        pixels = self.upscale(as_map(patches, size))
        return self.classes(queries), torch.einsum("bqc,bchw->bqhw", self.mask(queries), pixels)

    def _front(self) -> int:
        """How many tokens stand before those of the patches: queries, class token, registers."""
        return len(self.queries) + 1 + self.backbone.registers

    def anneal(self, progress: float) -> None:
        """Sets the share of masked queries for a moment of the training.

        The first block gives masks up first, then the next; each on a slope of its own share of the training.

        Args:
            progress: Of the training, 0 to 1.
        """
        if not 0 <= progress <= 1:
            raise ValueError(f"progress must be from 0 to 1, but {progress!r} came")
        blocks = len(self.mask_share)
        done = (progress * (blocks + 1) - 0.5 - torch.arange(blocks, dtype=torch.float32)).clamp(0, 1)
        self.mask_share.copy_((1 - done) ** 0.9)

    def _allowed(self, masks: Tensor, size: tuple[int, int], count: int, share: Tensor) -> Tensor:
        """B x (Q + N) x (Q + N): a query sees queries, class token, registers, and of the patches those of its mask."""
        Q = len(self.queries)
        inside = F.interpolate(masks.detach(), size, mode="bilinear", align_corners=False).flatten(2) > 0
        everywhere = torch.rand(inside.shape[:2], device=masks.device) > share
        allowed = torch.ones(masks.shape[0], count, count, dtype=torch.bool, device=masks.device)
        allowed[:, :Q, self._front() :] = inside | everywhere[..., None]
        return allowed

    def final_layers(self) -> tuple[str, ...]:
        """Name of the layer whose output is one number per class."""
        return ("classes",)


def _eomt(sizes: Sizes, num_classes: int, queries: int, blocks: int, registers: int = 4, grid: int = 40) -> Any:
    sizes = replace(sizes, registers=registers, grid=grid)
    return EncoderMaskTransformer(sizes, num_classes, queries, blocks, 2, LossSettings())


def eomt_small(num_classes: int = 21, *, queries: int = 200) -> EncoderMaskTransformer:
    """EoMT on DINOv2's ViT-S with patches of 16, for pictures of 640 x 640.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
    """
    return _eomt(Sizes(384, 12, 6, 16, 40, 1e-5), num_classes, queries, blocks=3)


def eomt_base(num_classes: int = 21, *, queries: int = 200) -> EncoderMaskTransformer:
    """EoMT on ViT-B; arguments as `eomt_small`."""
    return _eomt(Sizes(768, 12, 12, 16, 40, 1e-5), num_classes, queries, blocks=3)


def eomt_large(num_classes: int = 21, *, queries: int = 200) -> EncoderMaskTransformer:
    """EoMT on ViT-L; arguments as `eomt_small`."""
    return _eomt(Sizes(1024, 24, 16, 16, 40, 1e-5), num_classes, queries, blocks=4)


def eomt_tiny(num_classes: int = 21, *, queries: int = 20) -> EncoderMaskTransformer:
    """EoMT on the course's small transformer, patches of 8: trains on a processor in minutes.

    Args:
        num_classes: K, "no object" not counted.
        queries: Q.
    """
    sizes = Sizes(128, 6, 4, 8, 8)
    return EncoderMaskTransformer(sizes, num_classes, queries, 2, 1, LossSettings(points=512))


# Paper: arXiv 2503.19108. Reference: the authors' PyTorch code. torchvision has none. Ours: eomt_large.
DIFFERENCES = (
    Difference("blocks with queries in S, B, L", "3, 3, 4", "3, 3, 4", "-", "3, 3, 4"),
    Difference("annealing of the masks", "polynomial, block by block", "power 0.9, steps of each block given", "-",
               "power 0.9, equal shares"),
    Difference("pictures of another size", "none told", "one size per network", "-", "positions resized"),
    Difference("mask of attention", "none told", "True: may look", "-", "True: may look"),
)  # fmt: skip
