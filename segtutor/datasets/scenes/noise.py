"""Two tiles of random texture that everything drawn samples: cheap, seamless, and the same on every run."""

from __future__ import annotations

from functools import cache

import numpy as np

TILE = 512  # a power of two, so that wrapping around is one bitwise and


@cache
def tile(roughness: float) -> np.ndarray:
    """Seamless noise, TILE x TILE float32, mean 0, standard deviation 1.

    Args:
        roughness: The amplitude falls with frequency to this power, negated: 0 is white noise, 1 is leaves and gravel,
            1.8 is clouds.
    """
    white = np.random.default_rng(20240229).standard_normal((TILE, TILE))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    frequency[0, 0] = np.inf
    texture = np.fft.irfft2(np.fft.rfft2(white) * (frequency + 1.0 / TILE) ** -roughness, s=(TILE, TILE))
    return ((texture - texture.mean()) / texture.std()).astype(np.float32)


def sample(roughness: float, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Noise at texture coordinates (one unit is one tile); ``u`` and ``v`` broadcast."""
    columns = (u * TILE).astype(np.int32) & (TILE - 1)
    rows = (v * TILE).astype(np.int32) & (TILE - 1)
    return tile(roughness)[rows, columns]


def profile(roughness: float, x: np.ndarray, row: int) -> np.ndarray:
    """One line of the tile, interpolated: the outline of a ridge. ``x`` in tiles."""
    line = tile(roughness)[row % TILE]
    return np.interp(x * TILE % TILE, np.arange(TILE + 1), np.append(line, line[0])).astype(np.float32)
