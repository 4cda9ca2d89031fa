"""SAM's prompt encoder: points, boxes and masks become tokens and a map that the decoder can read.

SAM §3 and §A; Tancik et al.: Fourier Features Let Networks Learn High Frequency Functions, 2020 (arXiv 2006.10739).

    point (x, y), label --> sines and cosines of random directions + code of its kind --> a token
    box                 --> its two corners as points of two further kinds            --> two tokens
    mask                --> convolutions to the embedding's size                      --> a map, added to the embedding

Shapes: B images, T prompts of each, N points of a prompt, E channels of the embedding h x w.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from segtutor.models.channel_norm import ChannelNorm

NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = 0, 1, 2, 3
"""Kinds of a point: not this, this, and the corners of a box."""
PADDING = -1
"""No point: where prompts of a batch have different numbers of points, and behind the points if there is no box."""


class PromptEncoder(nn.Module):
    """All prompts.

    Args:
        channels: E.
        mask_channels: Of a mask on its way to the embedding.
    """

    frequencies: Tensor

    def __init__(self, channels: int = 256, mask_channels: int = 16) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(2, channels // 2))  # drawn once, and never learned
        self.kinds = nn.ParameterList(torch.randn(1, channels) for _ in range(4))
        self.no_point = nn.Parameter(torch.randn(1, channels))
        self.mask = nn.Sequential(
            nn.Conv2d(1, mask_channels // 4, 2, stride=2),
            ChannelNorm(mask_channels // 4, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(mask_channels // 4, mask_channels, 2, stride=2),
            ChannelNorm(mask_channels, eps=1e-6),
            nn.GELU(),
            nn.Conv2d(mask_channels, channels, 1),
        )
        self.no_mask = nn.Parameter(torch.randn(1, channels))

    def forward(
        self, size: tuple[int, int], points: Tensor | None, labels: Tensor | None, boxes: Tensor | None
    ) -> Tensor | None:
        """Tokens of points and boxes.

        Args:
            size: Height and width of the network's input.
            points: B x T x N x 2, (x, y) in pixels of that input; pixel 0 reaches from 0 to 1, so its center is said 0.
            labels: B x T x N: `POSITIVE`, `NEGATIVE` or `PADDING`.
            boxes: B x T x 4, x0 y0 x1 y1.

        Returns:
            B x T x (N + 1) x E of points alone; B x T x 2 x E of boxes alone; B x T x (N + 2) x E of both. None without
            any.
        """
        tokens = []
        if points is not None and labels is not None:
            if boxes is None:  # a box takes this place
                points = torch.cat([points, points.new_zeros(*points.shape[:2], 1, 2)], dim=2)
                labels = torch.cat([labels, labels.new_full((*labels.shape[:2], 1), PADDING)], dim=2)
            tokens.append(self.points(size, points, labels))
        if boxes is not None:
            kinds = torch.tensor([TOP_LEFT, BOTTOM_RIGHT], device=boxes.device).expand(*boxes.shape[:2], 2)
            tokens.append(self.points(size, boxes.unflatten(-1, (2, 2)), kinds))
        return torch.cat(tokens, dim=2) if tokens else None

    def points(self, size: tuple[int, int], points: Tensor, kinds: Tensor) -> Tensor:
        """Points B x T x N x 2 of these kinds, B x T x N, to tokens B x T x N x E."""
        height, width = size
        # Half a pixel: (0, 0) means the pixel in the corner, whose center lies half a pixel from the border.
        tokens = self.code((points + 0.5) / points.new_tensor([width, height]))
        tokens = torch.where((kinds == PADDING)[..., None], self.no_point, tokens)
        for kind, code in enumerate(self.kinds):
            tokens = tokens + (kinds == kind)[..., None] * code
        return tokens

    def code(self, places: Tensor) -> Tensor:
        """Places ... x 2, (x, y) from 0 to 1, to sines and cosines ... x E."""
        angles = 2 * math.pi * (2 * places - 1).to(self.frequencies.dtype) @ self.frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def grid(self, size: tuple[int, int]) -> Tensor:
        """The code of each place of an embedding of h x w: 1 x E x h x w."""
        height, width = size
        device = self.frequencies.device
        y = (torch.arange(height, device=device) + 0.5) / height
        x = (torch.arange(width, device=device) + 0.5) / width
        places = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1)
        return self.code(places).movedim(-1, 0)[None]

    def dense(self, masks: Tensor | None) -> Tensor:
        """What is added to the embedding.

        Args:
            masks: Logits B x T x 4h x 4w, or none.

        Returns:
            B x T x E x h x w; of none, 1 x 1 x E x 1 x 1, the same everywhere.
        """
        if masks is None:
            return self.no_mask[None, :, :, None, None]
        return self.mask(masks.flatten(0, 1)[:, None]).unflatten(0, masks.shape[:2])
