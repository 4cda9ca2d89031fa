"""The permutohedral lattice: a Gaussian filter of high dimension in time linear in the number of points.

N points with d features each are lifted onto the plane of d + 1 coordinates that add up to 0, which simplices tile
evenly. *Splat*: each point shares its value among the d + 1 corners of its simplex. *Blur*: each corner mixes with its
two neighbors along each of the d + 1 directions. *Slice*: each point reads its simplex's corners, with the weights with
which it splatted (Adams, Baek, Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", 2010).

Shapes: N points, d features, S simplices, M lattice vertices, K values per point.

Nothing here is compiled: vertices are numbered by sorting integer keys, and splat, blur and slice are weighted sums of
rows, PyTorch's ``embedding_bag``.
"""

from __future__ import annotations

import copy
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

KEY_BITS = 62
# Where a point lies within its simplex is to be known to this part of a lattice unit, in float32's 24 bits.
EXACT_FRACTIONS = 64

_TOO_WIDE = (
    "the features of the filter are spread too wide ({what}): a sigma is far too small for this image; for "
    "bilateral_sigma_rgb and the sigmas in pixels, 1 is small"
)


class LatticeFilter:
    """An approximate Gaussian filter, ``exp(-|f_i - f_j|^2 / 2)`` summed over all points, for one set of features.

    Args:
        features: N x d.
        fine: Blur twice on a lattice that is finer to match, with a ring of empty vertices around those that points
            touch: nearer to a true Gaussian, for some 1.5 times the time.

    Raises:
        ValueError: If the features are spread so wide that the vertices cannot be numbered in 62 bits.
    """

    def __init__(self, features: Tensor, fine: bool = False) -> None:
        dimension = features.shape[1]
        self.dimension, self.blurs = dimension, 2 if fine else 1
        base, rank, weights = _enclosing_simplices(features, self.blurs)  # (d+1) x N each, weights N x (d+1)
        simplex, corner_keys, steps = _corner_keys(base, rank, ring=fine)  # N, S x (d+1), d+1
        keys, corners = torch.unique(corner_keys, return_inverse=True)  # M; S x (d+1)
        if fine:
            keys, corners = _with_ring(keys, corners, steps)
        self.vertices = len(keys)
        self.corners = corners.int().index_select(0, simplex)  # N x (d+1)
        self.blur_rows, self.blur_weights = _blur_tables(keys, steps)
        # Splatting goes vertex by vertex, so it wants the (point, corner) pairs in the order of their vertices.
        self.splat_order = _stable_order(self.corners.flatten(), self.vertices)
        self.splat_rows = torch.div(self.splat_order, dimension + 1, rounding_mode="floor").int()
        counts = torch.bincount(self.corners.flatten(), minlength=self.vertices)
        self.splat_starts = (counts.cumsum(0) - counts).int()
        self._weigh(given=weights, taken=weights * self._slice_scale())

    def _weigh(self, given: Tensor, taken: Tensor) -> None:
        """With which weights the points splat (given) and slice (taken), N x (d+1)."""
        self.given, self.taken = given, taken
        self.splat_weights = given.flatten().index_select(0, self.splat_order)

    def scaled(self, before: Tensor, after: Tensor) -> LatticeFilter:
        """The filter between two diagonal matrices, after * K * before (N each), at no cost when it is called."""
        result = copy.copy(self)
        result._weigh(self.given * before[:, None], self.taken * after[:, None])
        return result

    def __call__(self, values: Tensor) -> Tensor:
        """The filtered values, N x K; differentiable with respect to the values."""
        return _Filter.apply(values, self)

    def splat_blur_slice(self, values: Tensor) -> Tensor:
        """The filter itself."""
        return self._filter(values, self.splat_weights, range(self.dimension + 1), self.taken)

    def adjoint(self, values: Tensor) -> Tensor:
        """Its transpose: the roles of splat and slice change, and the directions are blurred in the opposite order."""
        splat_weights = self.taken.flatten().index_select(0, self.splat_order)
        return self._filter(values, splat_weights, range(self.dimension, -1, -1), self.given)

    def _filter(self, values: Tensor, splat_weights: Tensor, directions: range, slice_weights: Tensor) -> Tensor:
        kind = values.dtype
        lattice = F.embedding_bag(
            self.splat_rows, values, self.splat_starts, mode="sum", per_sample_weights=splat_weights.to(kind)
        )  # M x K
        for direction in list(directions) * self.blurs:
            rows, weights = self.blur_rows[direction], self.blur_weights[direction].to(kind)
            lattice = F.embedding_bag(rows, lattice, mode="sum", per_sample_weights=weights)
        return F.embedding_bag(self.corners, lattice, mode="sum", per_sample_weights=slice_weights.to(kind))  # N x K

    def ones(self) -> Tensor:
        """A 1 for each of the N points."""
        return torch.ones_like(self.given[:, 0])

    def diagonal(self) -> Tensor:
        """What a point gives to itself, N: the filter's response to an impulse, at the impulse.

        From corner r to corner s of a simplex leads one step along ``|r - s|`` of the directions; and a step along all
        directions leads nowhere, since they add up to 0. Taken as if all neighbors existed.
        """
        taps = _taps(self.blurs)
        reach, directions = self.blurs, self.dimension + 1

        def path(moved: int) -> float:
            return sum(
                taps.get(shift + 1, 0.0) ** moved * taps.get(shift, 0.0) ** (directions - moved)
                for shift in range(-reach - 1, reach + 1)
            )

        distance = (torch.arange(directions)[:, None] - torch.arange(directions)[None, :]).abs()
        paths = torch.tensor([path(moved) for moved in range(directions)])[distance].to(self.given)
        return ((self.given @ paths) * self.taken) @ torch.ones_like(paths[0])  # a sum over few columns, at full speed

    def _slice_scale(self) -> float:
        """Makes the response at a vertex to an impulse there 1, if all its neighbors exist."""
        taps, directions = _taps(self.blurs), self.dimension + 1
        return 1 / sum(tap**directions for tap in taps.values())


class _Filter(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, lattice: LatticeFilter) -> Tensor:
        ctx.lattice = lattice
        return lattice.splat_blur_slice(values.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.lattice.adjoint(gradients[0].contiguous()), None


def _taps(blurs: int) -> dict[int, float]:
    """Weight by number of steps of the blur along one direction: 1/2, 1, 1/2; with itself if blurred twice."""
    taps = once = np.array([0.5, 1.0, 0.5])
    for _ in range(blurs - 1):
        taps = np.convolve(taps, once)
    return {index - len(taps) // 2: float(tap) for index, tap in enumerate(taps)}


def _enclosing_simplices(features: Tensor, blurs: int) -> tuple[Tensor, Tensor, Tensor]:
    """The simplex around each point: its corner 0, the order of its coordinates, the barycentric weights."""
    count, dimension = features.shape
    directions = dimension + 1
    # A blur adds 1/2 to the variance along each direction, splat and slice together 1/6, in units of (d+1)^2.
    stretch = directions * sqrt(blurs / 2 + 1 / 6)
    elevated = features.new_empty(directions, count)
    running = features.new_zeros(count)
    for j in range(dimension, 0, -1):
        scaled = features[:, j - 1] * (stretch / sqrt(j * (j + 1)))
        elevated[j] = running - j * scaled
        running = running + scaled
    elevated[0] = running
    if elevated.abs().max() * EXACT_FRACTIONS > 2**24:
        raise ValueError(_TOO_WIDE.format(what=f"up to {float(elevated.abs().max()):.1e} lattice units"))

    rounded = torch.round(elevated / directions)
    remainder = elevated - rounded * directions
    # How many coordinates come before each: in bytes, of which there are four times as many in a register.
    places = torch.arange(directions, dtype=torch.int8, device=features.device)[:, None].repeat(1, count)
    for i in range(directions):
        for j in range(i + 1, directions):
            smaller = (remainder[i] < remainder[j]).view(torch.int8)
            places[i] += smaller
            places[j] -= smaller
    # Rounding may leave the plane: go back by the coordinates that were rounded the farthest.
    rank = places.int() + rounded.sum(0).int()
    wrap = (rank < 0).int() - (rank >= directions).int()
    rank += wrap * directions
    base = rounded.int() + wrap

    fraction = (elevated - base * directions) / directions
    by_rank = torch.empty_like(fraction).scatter_(0, rank.long(), fraction)  # descending remainders
    weights = by_rank.new_empty(directions, count)
    weights[0] = 1 + by_rank[dimension] - by_rank[0]
    weights[1:] = (by_rank[:-1] - by_rank[1:]).flip(0)
    return base, rank, weights.T.contiguous()


def _corner_keys(base: Tensor, rank: Tensor, ring: bool) -> tuple[Tensor, Tensor, list[int]]:
    """Numbers the distinct simplices; one integer key for each of their corners; the key's change along a direction.

    A key packs the first d coordinates of a vertex (the last one follows from them), each with enough room on either
    side for its neighbors.
    """
    directions, dimension = len(base), len(base) - 1
    margin = 2 if ring else 1
    low = base[:dimension].amin(1) - margin - 1
    spans = [int(span) for span in (base[:dimension].amax(1) + margin + 1 - low + 1) * directions]
    strides = [1]
    for span in spans:
        strides.append(strides[-1] * span)
    if strides[-1] * directions**dimension >= 2**KEY_BITS:
        raise ValueError(_TOO_WIDE.format(what=f"{strides[-1]:.1e} lattice cells"))
    simplex_code = torch.zeros_like(base[0], dtype=torch.int64)
    for axis in range(dimension):
        simplex_code = simplex_code * (spans[axis] // directions) + (base[axis] - low[axis])
    for axis in range(dimension):
        simplex_code = simplex_code * directions + rank[axis]
    codes, simplex = torch.unique(simplex_code, return_inverse=True)
    example = torch.empty_like(codes).scatter_(0, simplex, torch.arange(len(simplex), device=simplex.device))

    first = (base[:dimension].index_select(1, example) - low[:, None]).long() * directions  # d x S, corner 0
    place = rank[:dimension].index_select(1, example).long()
    weighted = torch.tensor(strides[:dimension], device=base.device)[:, None]
    every = -sum(strides[:dimension])
    # From one corner to the next each coordinate grows by 1, but the one of the highest place left falls by d.
    falling = torch.zeros(directions, len(codes), dtype=torch.int64, device=base.device)
    falling.scatter_(0, place, (directions * weighted).expand_as(place))
    keys = [(first * weighted).sum(0)]
    for corner in range(1, directions):
        keys.append(keys[-1] - every - falling[directions - corner])
    steps = [every + directions * strides[axis] for axis in range(dimension)] + [every]
    return simplex, torch.stack(keys, 1), steps


def _with_ring(keys: Tensor, corners: Tensor, steps: list[int]) -> tuple[Tensor, Tensor]:
    around = torch.cat([keys, *(keys + step for step in steps), *(keys - step for step in steps)])
    everything = torch.unique(around)
    return everything, torch.searchsorted(everything, keys)[corners]


def _blur_tables(keys: Tensor, steps: list[int]) -> tuple[list[Tensor], list[Tensor]]:
    """For each direction the rows that a vertex mixes, M x 3, and their weights; a missing neighbor weighs 0."""
    count = len(keys)
    itself = torch.arange(count, device=keys.device)
    rows, weights = [], []
    for step in steps:
        found = torch.searchsorted(keys, keys + step).clamp_(max=count - 1)
        exists = keys[found] == keys + step
        ahead = torch.where(exists, found, 0)
        behind = torch.zeros_like(ahead)
        has_behind = torch.zeros_like(exists)
        behind[found[exists]] = itself[exists]  # whoever has me ahead lies behind me
        has_behind[found[exists]] = True
        rows.append(torch.stack([itself, ahead, behind], 1).int())
        weights.append(torch.stack([torch.ones(count, device=keys.device), exists * 0.5, has_behind * 0.5], 1))
    return rows, weights


def _stable_order(numbers: Tensor, count: int) -> Tensor:
    """Stable argsort of small integers; on the CPU by NumPy, whose 16-bit sort is a radix sort."""
    if numbers.device.type != "cpu":
        return torch.argsort(numbers, stable=True)
    array = numbers.numpy()
    order = np.argsort(array.astype(np.uint16), kind="stable")
    if count > 2**16:
        order = order[np.argsort((array >> 16).astype(np.uint16)[order], kind="stable")]
    return torch.from_numpy(order)
