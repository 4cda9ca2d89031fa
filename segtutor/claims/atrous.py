"""What lesson 6 changes in DeepLab's networks, and the experiments about atrous convolution that need no training."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.claims.claim import Values

MAP = 65
"""Height and width of the map on which v3 counts the weights that a rate leaves in use (§3.3, figure 4)."""


@dataclass(frozen=True)
class NoBatchNorm:
    """A change of a network: called with it, takes the batch norms out of its head."""

    def __call__(self, model: Any) -> None:
        replace_batch_norm_by_bias(model.classifier)


def replace_batch_norm_by_bias(head: nn.Module) -> None:
    """Takes each batch norm that follows a convolution out, in place, and gives the convolution a bias."""
    for parent in list(head.modules()):
        children = list(parent.named_children())
        for (_, layer), (name, following) in itertools.pairwise(children):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
                setattr(parent, name, nn.Identity())


def stuffed(kernel: Tensor, rate: int) -> Tensor:
    """A kernel with ``rate - 1`` zeros between its weights.

    Args:
        kernel: C' x C x k x k.
        rate: At least 1, which leaves the kernel as it is.

    Returns:
        C' x C x s x s with s = rate * (k - 1) + 1.
    """
    side = rate * (kernel.shape[-1] - 1) + 1
    wide = kernel.new_zeros(*kernel.shape[:2], side, side)
    wide[..., ::rate, ::rate] = kernel
    return wide


def taps_in_use(side: int, rate: int) -> list[float]:
    """Shares of a map's positions at which 1, 2, ... 9 of the nine weights of a 3 x 3 lie on the map.

    >>> taps_in_use(65, 1)[8] > 0.9, taps_in_use(65, 65)[0]
    (True, 1.0)
    """
    counts = F.conv2d(torch.ones(1, 1, side, side), torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)
    return [float((counts == taps).float().mean()) for taps in range(1, 10)]


def equal_to_stuffing(rate: int) -> Callable[[int, bool], Values]:
    """The experiment: PyTorch's atrous convolution against an ordinary one whose kernel is stuffed with zeros."""

    def experiment(seed: int, short: bool) -> Values:
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(2, 8, 33, 41, generator=generator, dtype=torch.float64)
        kernel = torch.randn(8, 8, 3, 3, generator=generator, dtype=torch.float64)
        wide = stuffed(kernel, rate)
        atrous = F.conv2d(features, kernel, padding=rate, dilation=rate)
        difference = (atrous - F.conv2d(features, wide, padding=rate)).abs().max()
        positions = 33 * 41
        return {
            "difference": float(difference),
            "field": float(wide.shape[-1]),
            "weights": float(kernel.numel()),
            "stored": float(wide.numel()),
            "operations": 2.0 * kernel.numel() * positions,
            "stuffed_operations": 2.0 * wide.numel() * positions,
        }

    return experiment


def weights_in_use(rate: int) -> Callable[[int, bool], Values]:
    """The experiment: how many of a 3 x 3's weights are used on a map of 65 x 65, and what is left of it."""

    def experiment(seed: int, short: bool) -> Values:
        shares = taps_in_use(MAP, rate)
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(1, 4, MAP, MAP, generator=generator, dtype=torch.float64)
        kernel = torch.randn(4, 4, 3, 3, generator=generator, dtype=torch.float64)
        whole = F.conv2d(features, kernel, padding=rate, dilation=rate)
        center = F.conv2d(features, kernel[:, :, 1:2, 1:2])
        return {
            "all_nine": shares[8],
            "only_one": shares[0],
            "mean_taps": sum(taps * share for taps, share in enumerate(shares, start=1)),
            "rest": float((whole - center).norm() / whole.norm()),
        }

    return experiment
