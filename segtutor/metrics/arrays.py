"""What the metrics accept: NumPy arrays, anything that converts to one, and torch tensors on any device."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor, without importing torch: where torch was never imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def to_numpy(value: Any) -> np.ndarray:
    """``value`` as an array; a CPU tensor shares its memory, one on another device is copied."""
    if is_tensor(value):
        return value.detach().cpu().numpy()
    return np.asarray(value)


def integer_map(value: Any, name: str) -> np.ndarray:
    """``value`` as an array of whole numbers; booleans become 0 and 1.

    Raises:
        ValueError: If it holds anything but integers or booleans.
    """
    array = to_numpy(value)
    if array.dtype == bool:
        return array.view(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must hold whole numbers (integers or booleans), but its dtype is {array.dtype}; "
                         "take the argmax of scores, or convert the labels to integers")  # fmt: skip
    return array


def boolean_masks(value: Any, name: str) -> np.ndarray:
    """``value`` as booleans. Integers are taken if they are all 0 or 1.

    Raises:
        ValueError: If it holds floats, or a number that is neither 0 nor 1.
    """
    array = to_numpy(value)
    if array.dtype == bool:
        return array
    array = integer_map(array, name)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{name} must be a mask of 0 and 1, but holds values from {array.min()} to {array.max()}; "
            "compare it with the label or the threshold that you mean"
        )
    return array.astype(bool)


def same_shape(first: Any, second: Any, first_name: str, second_name: str) -> None:
    """Raises ValueError with both shapes if they differ."""
    if tuple(first.shape) != tuple(second.shape):
        raise ValueError(
            f"{first_name} and {second_name} must have the same shape, but they have {tuple(first.shape)} and "
            f"{tuple(second.shape)}; scale the prediction to the target's size"
        )


def describe_values(values: np.ndarray, counts: np.ndarray) -> str:
    """``value 7 (2 pixels), value 9 (1 pixel)``, the first five of them."""
    parts = [
        f"value {int(value)} ({int(count)} pixel{'s' if count != 1 else ''})"
        for value, count in zip(values[:5], counts[:5], strict=True)
    ]
    return ", ".join(parts) + (f" and {len(values) - 5} other values" if len(values) > 5 else "")
