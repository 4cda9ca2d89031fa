"""Where a token stands, as sines and cosines of its row and column (Carion et al. 2020, DETR, appendix A.4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sine_positions(size: tuple[int, int], channels: int, like: Tensor) -> Tensor:
    """A code of each place of a map: half of the channels tell its row, half its column, in waves from short to long.

    Rows and columns are counted from 1 and scaled to 0 ... 2 pi, so that maps of all sizes share their ends.

    Args:
        size: (h, w).
        channels: C, a multiple of 4.
        like: A tensor whose device and type the code gets.

    Returns:
        1 x hw x C.
    """
    half = channels // 2
    step = torch.arange(half, device=like.device, dtype=like.dtype)
    wavelengths = 10000 ** (2 * (step // 2) / half)  # each twice: for the sine and for the cosine
    codes = []
    for length in size:
        place = torch.arange(1, length + 1, device=like.device, dtype=like.dtype)
        angle = (place / (length + 1e-6) * 2 * math.pi)[:, None] / wavelengths  # length x half
        codes.append(torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], dim=2).flatten(1))
    rows, columns = codes
    h, w = size
    return torch.cat([rows[:, None].expand(h, w, half), columns[None].expand(h, w, half)], dim=2).reshape(1, h * w, -1)
