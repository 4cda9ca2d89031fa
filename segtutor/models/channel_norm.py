"""A LayerNorm for maps.

Shapes: B images, C channels, h w map.
"""

from __future__ import annotations

from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """A LayerNorm of each pixel's channels."""

    def forward(self, features: Tensor) -> Tensor:
        """B x C x h x w to the same."""
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)
