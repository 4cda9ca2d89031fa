"""The claims about atrous convolution that need no training: what it is, and what too large a rate leaves of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent

MAP = 65
"""Height and width of the map on which v3 counts the weights that a rate leaves in use (§3.3, figure 4)."""


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


ATROUS = Claim(
    name="deeplab.atrous",
    title="Atrous convolution is convolution with a stuffed kernel",
    sentence="Convolution at rate r is ordinary convolution with r - 1 zeros between the kernel's weights: a larger "
    "field of view with the same parameters and the same number of operations.",
    source="Chen et al. 2018 (DeepLab v2), §3.1, equation 1",
    paper="follows from the definition; rate 1 is ordinary convolution",
    changes="the rate of a 3 x 3 convolution",
    same="features, weights, output size; computed in double precision",
    variants={f"rate {rate}": equal_to_stuffing(rate) for rate in (1, 2, 6, 12)},
    measures=(
        Measure("difference", "largest difference to the stuffed kernel, 1e-12", 1e12, 3),
        Measure("field", "field, px", digits=0),
        Measure("weights", "parameters", digits=0),
        Measure("operations", "operations, millions", 1e-6, 1),
        Measure("stuffed_operations", "with zeros multiplied, millions", 1e-6, 1),
    ),
    expectations=(
        Expectation("rate 1 is the ordinary convolution", "difference", "rate 1", 1e-10, False),
        Expectation("rate 12 is the one with a stuffed kernel", "difference", "rate 12", 1e-10, False),
        Expectation("the field grows", "field", "rate 12", "rate 1"),
        Expectation("the operations do not", "operations", "rate 12", "rate 1", False, -1e-9),
    ),
)

RATES = Claim(
    name="deeplab.rates",
    title="Rates that are too large",
    sentence="As the rate approaches the map's size, fewer of the nine weights lie on the map; in the end only the "
    "middle one does, and the 3 x 3 has become a 1 x 1.",
    source="Chen et al. 2017 (DeepLab v3), §3.3 and Figure 4",
    paper="a curve over rates on a 65 x 65 map",
    changes="the rate of a 3 x 3 convolution",
    same=f"a map of {MAP} x {MAP} positions, padding with zeros",
    variants={f"rate {rate}": weights_in_use(rate) for rate in (1, 6, 12, 24, 36, 48, 65)},
    measures=(
        percent("all_nine", "positions with all nine weights"),
        percent("only_one", "positions with one weight"),
        Measure("mean_taps", "weights in use, mean", digits=2),
        percent("rest", "of the output comes from other weights than the middle one"),
    ),
    expectations=(
        Expectation("at rate 36 no position has all nine weights", "all_nine", "rate 36", 1e-9, False),
        Expectation("at rate 65 a 1 x 1 is left", "rest", "rate 65", 1e-9, False),
        Expectation("small rates use nearly all", "all_nine", "rate 1", 0.9),
    ),
)
