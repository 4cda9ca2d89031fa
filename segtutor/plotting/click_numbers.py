"""The numbers that the figure of ``clicks.py`` carries, rounded and written as letters: weights and embeddings.

Its script, ``mask_decoder.js``, reads them. What they are rounded to is told by the masks: those of the rounded network
and those of the other one must be nearly the same, which a test holds.

Shapes: E channels of an embedding h x w, with a finer map 2E.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping

import numpy as np

_LARGE = 400
"""Entries from which a weight is kept in levels."""
EMBEDDING_STEP, FINE_STEP = 0.08, 0.15
"""One level, in standard deviations of a channel of an embedding, or of its finer map: what the masks bear."""
WEIGHT_STEP, PIXEL_STEP = 0.1, 0.03
"""The same of a row of a weight, and of one whose error reaches every pixel, not only what is asked of them."""
_OF_PIXELS = ("ask_tokens", "upscale")
_LETTERS = str.maketrans("&<>$`~", ",./:[]")
"""Python's 85 letters without those that mean something in a page."""


def as_text(content: bytes) -> str:
    """Bytes made small and written as letters, five for four bytes."""
    # Numbers that do not repeat are smaller without a search for what repeats.
    ways = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY)
    coders = [zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, way) for way in ways]
    small = min((coder.compress(content) + coder.flush() for coder in coders), key=len)
    return base64.b85encode(small).decode("ascii").translate(_LETTERS)


def levels_of(rows: np.ndarray, share: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as whole multiples of a step that each row has for itself.

    The rarer large levels are, the smaller ``as_text`` makes them; so a step follows how much a row varies, and only
    where 8 bits would not do, its largest number.

    Args:
        rows: R x n.
        share: Of a row's standard deviation, the step.
        name: Of what is told, for the error.

    Returns:
        Levels R x n from -127 to 127, and R steps in 16 bits.

    Raises:
        ValueError: If a step is larger than 16 bits hold.
    """
    rows = np.asarray(rows, dtype=np.float32)
    smallest = np.abs(rows).max(axis=1) / 127
    steps = in_half(name, np.maximum(np.maximum(share * rows.std(axis=1), smallest), 1e-6))
    levels = np.rint(rows / steps[:, None].astype(np.float32))
    return np.clip(levels, -127, 127).astype(np.int8), steps


def quantized(embedding: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """An embedding in levels, and the step of each channel; see `levels_of`.

    Args:
        embedding: E x h x w, or 2E x h x w with a finer map.
        channels: E.

    Returns:
        Levels as the embedding, and steps.
    """
    rows = embedding.reshape(len(embedding), -1)
    coarse = levels_of(rows[:channels], EMBEDDING_STEP, "an embedding")
    fine = levels_of(rows[channels:], FINE_STEP, "a finer map") if len(rows) > channels else (rows[:0], coarse[1][:0])
    levels, steps = (np.concatenate(both) for both in zip(coarse, fine, strict=True))
    return levels.astype(np.int8).reshape(embedding.shape), steps


def dequantized(embedding: np.ndarray, channels: int) -> np.ndarray:
    """What the figure reads: the embedding after `quantized`."""
    levels, steps = quantized(embedding, channels)
    return levels * steps[:, None, None].astype(np.float32)


def packed_embedding(embedding: np.ndarray, channels: int) -> bytes:
    """Steps of the channels, then what is surprising in the levels of the embedding and of the unfolded finer map."""
    levels, steps = quantized(embedding, channels)
    coarse, fine = levels[:channels], levels[channels:]
    height, width = embedding.shape[1:]
    unfolded = fine.reshape(-1, 2, 2, height, width).transpose(0, 3, 1, 4, 2).reshape(-1, 2 * height, 2 * width)
    return steps.tobytes() + surprises(coarse).tobytes() + surprises(unfolded).tobytes()


def surprises(levels: np.ndarray) -> np.ndarray:
    """What neighbors do not foretell, which is small where a map is smooth.

    A level is foretold as the middle one of three: its neighbor to the left, the one above, and their sum without the
    one between them (the predictor of JPEG-LS; Weinberger, Seroussi, Sapiro 2000). Outside the map all is 0.

    Args:
        levels: N x H x W, 8 bits.

    Returns:
        Level minus what was foretold, in 8 bits, beyond which it begins again at the other end.

    >>> surprises(np.array([[[5, 6], [7, 8]]], dtype=np.int8))
    array([[[5, 1],
            [2, 1]]], dtype=int8)
    """
    padded = np.pad(levels.astype(np.int16), ((0, 0), (1, 0), (1, 0)))
    left, above, between = padded[:, 1:, :-1], padded[:, :-1, 1:], padded[:, :-1, :-1]
    foretold = np.clip(left + above - between, np.minimum(left, above), np.maximum(left, above))
    return (padded[:, 1:, 1:] - foretold).astype(np.int8)


def packed(decoder: Mapping[str, np.ndarray]) -> bytes:
    """Weights, large ones as levels with a step for each row, others in 16 bits.

    Returns:
        A line of JSON, which tells of each array its name, its length and how many rows have a step, 0 for an array in
        16 bits; then one after the other all that has 16 bits, steps and arrays; then all levels.

    Raises:
        ValueError: If a weight is larger than 16 bits hold.
    """
    halves, levels, arrays = [], [], []
    for name, array in decoder.items():
        if name.startswith("prompt_encoder.mask."):
            continue
        rows = rows_of(array)
        if rows:
            own, steps = levels_of(array.reshape(rows, -1), share_of(name), name)
            halves.append(steps.tobytes())
            levels.append(own.tobytes())
        else:
            halves.append(in_half(name, array).tobytes())
        arrays.append((name, int(array.size), rows))
    return json.dumps(arrays, separators=(",", ":")).encode() + b"\n" + b"".join(halves + levels)


def rows_of(array: np.ndarray) -> int:
    """How many rows of a weight are kept as levels, each with a step; 0 where 16 bits are worth their place."""
    return len(array) if array.ndim > 1 and array.size >= _LARGE else 0


def share_of(name: str) -> float:
    """The step of a weight's rows, in their standard deviations."""
    return PIXEL_STEP if any(part in name for part in _OF_PIXELS) else WEIGHT_STEP


def in_half(name: str, array: np.ndarray) -> np.ndarray:
    """Numbers in 16 bits.

    Raises:
        ValueError: If one is larger than they hold.
    """
    with np.errstate(over="ignore"):
        half = np.asarray(array, dtype=np.float32).astype("<f2")
    if not np.isfinite(half).all():
        raise ValueError(f"{name} holds numbers that 16 bits do not: round the weights or scale them")
    return half


def as_read(decoder: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The decoder's arrays as the page reads them, as levels and in 16 bits."""
    read = {}
    for name, array in decoder.items():
        rows = 0 if name.startswith("prompt_encoder.mask.") else rows_of(array)
        if rows:
            levels, steps = levels_of(array.reshape(rows, -1), share_of(name), name)
            read[name] = (levels * steps[:, None].astype(np.float32)).reshape(array.shape)
        else:
            read[name] = in_half(name, array).astype(np.float32)
    return read
