"""Overlap of binary masks, all pairs at once.

Eight pixels go into a byte, and the processor counts the common ones of many bytes in one instruction: exact whole
numbers, an order of magnitude faster than a matrix product of floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.metrics.arrays import boolean_masks, num_axes, squeeze_hint


def mask_iou(a: Any, b: Any) -> Any:
    """Intersection over union of each mask in ``a`` with each in ``b``.

    Args:
        a: Masks N x H x W, boolean or 0 and 1; NumPy array or torch tensor. Or a single mask H x W.
        b: Masks M x H x W, or a single mask.

    Returns:
        N x M float64; a single mask takes its axis away, so that two of them give a number. An empty mask overlaps
        nothing, not even another empty one: 0, as in COCO.

    Raises:
        ValueError: If the masks are not binary or if their sizes differ.

    >>> mask_iou([[1, 1, 0]], [[0, 1, 1]])
    0.3333333333333333
    """
    first, second = as_masks(a, "a"), as_masks(b, "b")
    same_size(first, second)
    iou = pairwise_iou(first, second)
    return without_single_axes(iou, num_axes(a) == 2, num_axes(b) == 2)


def pairwise_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """N x M IoU of boolean masks N x H x W and M x H x W."""
    rows, columns = _packed(first), _packed(second)
    row_areas, column_areas = (np.bitwise_count(bits).sum(axis=1, dtype=np.int64) for bits in (rows, columns))
    iou = np.zeros((len(rows), len(columns)))
    for row, bits in enumerate(rows):
        intersection = np.bitwise_count(bits & columns).sum(axis=1, dtype=np.int64)
        union = row_areas[row] + column_areas - intersection
        iou[row] = intersection / np.maximum(union, 1)
    return iou


def as_masks(value: Any, name: str) -> np.ndarray:
    """Boolean masks R x H x W of R masks or of a single one."""
    masks = boolean_masks(value, name)
    if masks.ndim not in (2, 3):
        raise ValueError(
            f"{name} must be masks R x H x W or one mask H x W, but has shape {masks.shape}{squeeze_hint(masks.shape)}"
        )
    return masks if masks.ndim == 3 else masks[None]


def same_size(first: np.ndarray, second: np.ndarray) -> None:
    """Raises ValueError with both sizes if H x W differ."""
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"the masks must have one size, but a has {first.shape[1:]} and b has {second.shape[1:]}")


def without_single_axes(iou: np.ndarray, single_row: bool, single_column: bool) -> Any:
    """N x M less the axes of single masks; a float if both were."""
    if single_row and single_column:
        return float(iou[0, 0])
    return iou[0] if single_row else iou[:, 0] if single_column else iou


def _packed(masks: np.ndarray) -> np.ndarray:
    """R x words: 64 pixels in a word."""
    count, height, width = masks.shape
    bits = np.packbits(masks.reshape(count, height * width), axis=1)
    words = -(-bits.shape[1] // 8)
    padded = np.zeros((count, 8 * words), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)
