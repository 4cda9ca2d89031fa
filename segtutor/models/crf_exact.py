"""The Gaussian filter by its definition: every pair of points, in tiles.

Shapes: N points, d features, K values per point.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

MAX_POINTS = 10_000
TILE = 1024
# Up to this many points the kernel is kept (64 MB in float32), beyond it each tile is computed when it is needed.
KEPT_POINTS = 4096


class ExactFilter:
    """Sums ``exp(-|f_i - f_j|^2 / 2)`` over all points j, for one set of features.

    Args:
        features: N x d with N at most 10 000: time grows with the square of N.

    Raises:
        ValueError: If there are more points.
    """

    def __init__(self, features: Tensor) -> None:
        if len(features) > MAX_POINTS:
            raise ValueError(
                f'method="exact" compares every pair of pixels, and {len(features)} pixels are too many (at most '
                f'{MAX_POINTS}): take method="lattice", or a smaller image'
            )
        self.features = features
        self.before = self.after = features.new_ones(len(features), 1)
        self.kernel = self._rows(0, len(features)) if len(features) <= KEPT_POINTS else None

    def __call__(self, values: Tensor) -> Tensor:
        """The filtered values, N x K; differentiable with respect to the values."""
        values = values * self.before
        if self.kernel is not None:
            return self.after * (self.kernel.to(values.dtype) @ values)
        starts = range(0, len(values), TILE)
        return self.after * torch.cat([self._rows(start, start + TILE).to(values.dtype) @ values for start in starts])

    def scaled(self, before: Tensor, after: Tensor) -> ExactFilter:
        """The filter between two diagonal matrices, after * K * before (N each)."""
        result = copy.copy(self)
        result.before, result.after = self.before * before[:, None], self.after * after[:, None]
        return result

    def ones(self) -> Tensor:
        """A 1 for each of the N points."""
        return self.features.new_ones(len(self.features))

    def diagonal(self) -> Tensor:
        """What a point gives to itself, N: 1."""
        return self.ones()

    def _rows(self, start: int, stop: int) -> Tensor:
        return torch.exp(-0.5 * torch.cdist(self.features[start:stop], self.features) ** 2)
