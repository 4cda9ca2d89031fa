"""Pictures that are not 8 bits deep: which value is white, by one rule, and a refusal where nobody can know.

16 bits are 0...65535, floats 0...1, as image files define them. Scanners and microscopes also write 10 or 12 bits into
16, programs write bytes into 32 or floats: scaled by the rule, those would be black without a word.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segtutor.datasets.opening import FileError

DEEPEST = 65535
DARKEST = 4096  # a picture without one value from here on holds 12 bits or fewer, or is as good as black
TOLERANCE = 1e-4  # of floats, for what interpolation adds


def white_of(values: np.ndarray, name: Path | str) -> float:
    """The value that stands for white: 1 for floats, 65535 for integers of more than 8 bits.

    Raises:
        ValueError: If the values have another range, which the message gives.
    """
    low, high = values.min(initial=0), values.max(initial=0)
    if values.dtype.kind == "f":
        if low >= -TOLERANCE and high <= 1 + TOLERANCE:  # also false for NaN
            return 1.0
        allowed = "float pictures run from 0 (black) to 1 (white)"
    else:
        if low >= 0 and (high == 0 or DARKEST <= high <= DEEPEST):
            return float(DEEPEST)
        allowed = f"pictures of more than 8 bits run from 0 (black) to {DEEPEST} (white)"
        if low >= 0 and high < DARKEST:
            allowed += f", and without a value from {DARKEST} on this one would be as good as black"
    raise FileError(
        f"{name} holds values from {low:.6g} to {high:.6g} ({values.dtype}), but {allowed}: scale them, or save the "
        "picture with 8 bits",
        name,
        "range",
    )


def to_bytes(values: np.ndarray, name: Path | str) -> np.ndarray:
    """Gray values of 16 or 32 bits or floats as uint8: 16 bits divided by 257, floats times 255 and rounded."""
    if white_of(values, name) == 1:
        return np.rint(values.clip(0, 1) * np.float64(255)).astype(np.uint8)
    return (values.astype(np.int64) // 257).astype(np.uint8)
