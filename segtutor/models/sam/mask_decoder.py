"""SAM's mask decoder: a prompt and an embedding become masks, and a guess of how good each is.

SAM §3 and §A, "Lightweight mask decoder", "Making the model ambiguity-aware".

    [IoU token, mask tokens, prompt] --+--> two-way transformer --+--> tokens --> linear layers --> one vector per mask
    embedding ------------------------+                          |                                       |
                                                                 +--> map --> x 4 --> pixel vectors --> product: masks
                                                                 +--> IoU token --> linear layers --> predicted IoU

A small network may see more: the embedding then has E further channels, a map of E / 4 at twice its size, folded as
``pixel_unshuffle`` folds it, which is added behind the first enlargement (SAM 2, Ravi et al. 2024, §C.1).

One prompt may mean several things, so three masks answer it, and a fourth, the first in order, where there is no doubt.

Shapes: B images, T prompts of each, N tokens of a prompt, E channels of the embedding h x w, m + 1 masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.attention import as_map, as_tokens
from segtutor.models.channel_norm import ChannelNorm
from segtutor.models.sam.two_way import TwoWayTransformer
from segtutor.models.upsampling import TransposedConvolution

SINGLE = slice(0, 1)
"""The mask that answers several prompts, or one that leaves no doubt."""
SEVERAL = slice(1, None)
"""The masks that answer one point."""


@dataclass(frozen=True)
class DecoderSizes:
    """What the decoder, and the prompt encoder before it, are made of.

    Attributes:
        channels: E.
        depth: Blocks of the two-way transformer.
        heads: Of each attention.
        hidden: Channels between two linear layers.
        inner: Channels of the attentions between tokens and map.
        masks: m, how many masks answer one point.
        mask_channels: Of a mask that is a prompt, on its way to the embedding.
    """

    channels: int = 256
    depth: int = 2
    heads: int = 8
    hidden: int = 2048
    inner: int = 128
    masks: int = 3
    mask_channels: int = 16


class MaskDecoder(nn.Module):
    """The decoder.

    Args:
        sizes: Its sizes.
    """

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        E = sizes.channels
        self.iou_token = nn.Parameter(torch.randn(1, E))
        self.mask_tokens = nn.Parameter(torch.randn(1 + sizes.masks, E))
        self.transformer = TwoWayTransformer(E, sizes.depth, sizes.heads, sizes.hidden, sizes.inner)
        self.upscale = nn.Sequential(
            TransposedConvolution(E, E // 4, 2, stride=2),
            ChannelNorm(E // 4, eps=1e-6),
            nn.GELU(),
            TransposedConvolution(E // 4, E // 8, 2, stride=2),
            nn.GELU(),
        )
        self.vectors = nn.ModuleList(linear_layers(E, E, E, E // 8) for _ in range(1 + sizes.masks))
        self.iou = linear_layers(E, E, E, 1 + sizes.masks)

    def forward(self, embedding: Tensor, codes: Tensor, tokens: Tensor | None, dense: Tensor) -> tuple[Tensor, Tensor]:
        """All masks.

        Args:
            embedding: Of the images, B x E x h x w, or B x 2E x h x w with a finer map.
            codes: Of its places, 1 x E x h x w.
            tokens: Of points and boxes, B x T x N x E; None without any, then T is that of ``dense``.
            dense: Of masks that are prompts, B x T x E x h x w, or broadcast to it.

        Returns:
            Logits B x T x (m + 1) x 4h x 4w, and predicted IoU B x T x (m + 1). The first of the m + 1 is the single
            answer.
        """
        B, T = embedding.shape[0], dense.shape[1] if tokens is None else tokens.shape[1]
        own = torch.cat([self.iou_token, self.mask_tokens]).expand(B * T, -1, -1)
        prompt = own if tokens is None else torch.cat([own, tokens.flatten(0, 1)], dim=1)
        size = (embedding.shape[-2], embedding.shape[-1])
        coarse, fine = embedding[:, : own.shape[-1]], embedding[:, own.shape[-1] :]
        places = (coarse[:, None] + dense).expand(B, T, -1, -1, -1).flatten(0, 1)
        found, features = self.transformer(prompt, as_tokens(places), as_tokens(codes))
        pixels = self.upscale[0](as_map(features, size))  # BT x E / 4 x 2h x 2w
        if fine.shape[1]:
            finer = F.pixel_shuffle(fine, 2)[:, None]  # B x 1 x E / 4 x 2h x 2w, the same for all prompts
            pixels = (pixels.unflatten(0, (B, T)) + finer).flatten(0, 1)
        pixels = self.upscale[1:](pixels)  # BT x E / 8 x 4h x 4w
        vectors = torch.stack([layers(found[:, 1 + number]) for number, layers in enumerate(self.vectors)], dim=1)
        masks = torch.einsum("bmc,bchw->bmhw", vectors, pixels)
        return masks.unflatten(0, (B, T)), self.iou(found[:, 0]).unflatten(0, (B, T))


def linear_layers(*channels: int) -> nn.Sequential:
    """Linear layers from each number of channels to the next, ReLU between them."""
    layers: list[nn.Module] = []
    for one, other in pairwise(channels):
        layers += [nn.Linear(one, other), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
