"""Scores that look at outlines only.

Plain IoU hardly notices a sloppy outline of a large object. Boundary IoU (Cheng et al., CVPR 2021, §4) compares the
pixels within a distance d of each mask's own outline; the boundary band, or trimap, scores a label map where the
target's labels change (Kraehenbuehl and Koltun, NIPS 2011, §5; DeepLab v2 §4.1.2, Fig. 10).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segtutor.metrics.arrays import integer_map, num_axes, same_shape, squeeze_hint
from segtutor.metrics.confusion import ConfusionMatrix
from segtutor.metrics.masks import as_masks, pairwise_iou, same_size, without_single_axes


def boundary_distance(height: int, width: int, dilation_ratio: float = 0.02) -> int:
    """Distance d in pixels for an image: a share of its diagonal, at least 1, halves rounded to the even number.

    >>> boundary_distance(480, 640), boundary_distance(375, 500), boundary_distance(2, 2)
    (16, 12, 1)
    """
    if not 0 < dilation_ratio < 1:
        raise ValueError(f"dilation_ratio is a share of the diagonal between 0 and 1, but is {dilation_ratio}")
    return max(1, round(dilation_ratio * math.sqrt(height**2 + width**2)))


def mask_boundary(masks: Any, distance: int) -> np.ndarray:
    """The pixels of each mask that are at most ``distance`` from its outline.

    That is the mask less its erosion by a square of 2 distance + 1 pixels. The world outside the image is background:
    where a mask touches the border, the border is its outline.

    Args:
        masks: Masks R x H x W, or one mask H x W, boolean or 0 and 1.
        distance: Thickness in pixels, at least 1.

    Returns:
        Booleans of the same shape.

    Raises:
        ValueError: If the masks are not binary, or the distance is less than 1.

    >>> mask_boundary(np.ones((4, 5), bool), distance=1).astype(int)
    array([[1, 1, 1, 1, 1],
           [1, 0, 0, 0, 1],
           [1, 0, 0, 0, 1],
           [1, 1, 1, 1, 1]])
    """
    if distance < 1:
        raise ValueError(f"distance must be at least 1 pixel, but is {distance}")
    stack = as_masks(masks, "masks")
    words = _pack_rows(stack)
    for mask in words:
        _cut_out_erosion(mask, int(distance))
    boundary = np.unpackbits(words.view(np.uint8), axis=2, count=stack.shape[2], bitorder="little").view(bool)
    return boundary if num_axes(masks) == 3 else boundary[0]


def boundary_iou(a: Any, b: Any, dilation_ratio: float = 0.02) -> Any:
    """IoU of the boundaries of each mask in ``a`` with those of each in ``b``.

    The distance depends on the whole image, so pad or crop neither. COCO's boundary AP uses the smaller one of this and
    ``mask_iou``.

    Args:
        a: Masks N x H x W, boolean or 0 and 1; NumPy array or torch tensor. Or a single mask H x W.
        b: Masks M x H x W, or a single mask.
        dilation_ratio: Distance as a share of the image's diagonal (``boundary_distance``).

    Returns:
        N x M float64, less the axes of single masks; an empty mask scores 0 with everything, as in ``mask_iou``.

    Raises:
        ValueError: If the masks are not binary or if their sizes differ.
    """
    first, second = as_masks(a, "a"), as_masks(b, "b")
    same_size(first, second)
    distance = boundary_distance(first.shape[1], first.shape[2], dilation_ratio)
    iou = pairwise_iou(mask_boundary(first, distance), mask_boundary(second, distance))
    return without_single_axes(iou, num_axes(a) == 2, num_axes(b) == 2)


def boundary_band(labels: Any, width: int) -> np.ndarray:
    """Pixels from which a differently labeled one is at most ``width`` pixels away (rows or columns, the larger).

    Void is a label here, since many data sets draw object outlines in void. The border of the image is no change.

    Args:
        labels: Label map H x W, or maps B x H x W.
        width: Half the thickness of the band in pixels, at least 1.

    Returns:
        Booleans of the same shape.

    >>> boundary_band([[0, 0, 0, 1, 1, 1]], width=1).astype(int).tolist()
    [[0, 0, 1, 1, 0, 0]]
    """
    if width < 1:
        raise ValueError(f"width must be at least 1 pixel, but is {width}")
    array = integer_map(labels, "labels")
    if array.ndim not in (2, 3):
        raise ValueError(
            f"labels must be a map H x W or maps B x H x W, but have shape {array.shape}{squeeze_hint(array.shape)}"
        )
    lowest = highest = array
    for axis in (-2, -1):
        lowest = _window_extreme(np.minimum, lowest, int(width), axis)
        highest = _window_extreme(np.maximum, highest, int(width), axis)
    return lowest != highest


def boundary_band_iou(
    target: Any, prediction: Any, num_classes: int, width: int, ignore_index: int | None = 255
) -> np.ndarray:
    """IoU of each class in the band around the target's label changes, the trimap.

    Args:
        target: Label map H x W or maps B x H x W, scored as one data set.
        prediction: Label map of the same shape.
        num_classes: Number of classes K.
        width: Half the thickness of the band in pixels (``boundary_band``).
        ignore_index: Value in the target that marks void.

    Returns:
        K float64; NaN where a class is in neither map within the band. To stream a data set, update a
        ``ConfusionMatrix`` with ``target[band]`` and ``prediction[band]``.

    Raises:
        ValueError: If the shapes differ, or for what ``ConfusionMatrix.update`` refuses.
    """
    target, prediction = integer_map(target, "target"), integer_map(prediction, "prediction")
    same_shape(target, prediction, "target", "prediction")
    band = boundary_band(target, width)
    confusion = ConfusionMatrix(num_classes, ignore_index)
    confusion.update(target[band], prediction[band])
    return confusion.iou()


def _pack_rows(masks: np.ndarray) -> np.ndarray:
    """Boolean masks R x H x W in words of 64 pixels, R x H x words; at least one 0 separates a row from the next."""
    count, height, width = masks.shape
    packed = np.zeros((count, height, 8 * (width // 64 + 1)), dtype=np.uint8)
    packed[:, :, : -(-width // 8)] = np.packbits(masks, axis=2, bitorder="little")
    return packed.view(np.uint64)


def _cut_out_erosion(mask: np.ndarray, distance: int) -> None:
    """Clears in a mask of packed rows what is left of it after its erosion by ``distance``.

    A window of 2 d + 1 pixels is ANDed together from two windows half as long, those from quarters, and so on:
    log2(2 d + 1) steps along each axis, each of them on 64 pixels at once. All rows are one long string of bits: a
    window that runs over the end of a row meets the 0 there, and does not survive.
    """
    row = mask.shape[1]
    string = mask.reshape(-1)
    filled = string != 0
    window = 2 * distance + 1
    top, bottom = int(filled.argmax()) // row, len(mask) - int(filled[::-1].argmax()) // row
    if bottom - top < window or not filled[top * row : bottom * row].any():
        return  # too thin for anything to survive, or empty (argmax of nothing is 0)
    eroded = _sliding(np.bitwise_and, string[top * row : bottom * row].reshape(-1, row), window, axis=0).reshape(-1)
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        eroded = _and_ahead(eroded, step)
        covered += step
    # Pixel p of what is left stands for the window that begins there; its middle is d later. Survivors are in the mask.
    skipped, bits = divmod(distance, 8)
    if bits:
        carried = eroded[:-1] >> np.uint64(64 - bits)
        eroded = eroded << np.uint64(bits)
        eroded[1:] |= carried
    part = string[(top + distance) * row : (bottom - distance) * row].view(np.uint8)[skipped:]
    part ^= eroded.view(np.uint8)[: len(part)]


def _and_ahead(words: np.ndarray, pixels: int) -> np.ndarray:
    """A string of bits ANDed with itself so many pixels ahead; what runs over the end is 0."""
    skipped, bits = divmod(pixels, 8)
    ahead = words
    if skipped:  # whole bytes are only read from another place
        result = np.empty_like(words)
        moved, left = result.view(np.uint8), max(0, words.nbytes - skipped)
        moved[left:] = 0
        if not bits:
            np.bitwise_and(words.view(np.uint8)[:left], words.view(np.uint8)[skipped:], out=moved[:left])
            return result
        moved[:left] = words.view(np.uint8)[skipped:]
        ahead = result
    shifted = ahead >> np.uint64(bits)
    shifted[:-1] |= ahead[1:] << np.uint64(64 - bits)
    shifted &= words
    return shifted


def _sliding(combine: Any, values: np.ndarray, window: int, axis: int) -> np.ndarray:
    """``combine`` over all windows that lie within ``values``; the axis gets shorter by window - 1."""
    values = values.swapaxes(0, axis)
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        values = combine(values[:-step], values[step:])
        covered += step
    return values.swapaxes(0, axis)


def _window_extreme(extreme: Any, values: np.ndarray, width: int, axis: int) -> np.ndarray:
    """Minimum or maximum over 2 width + 1 pixels, cut off at the border."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (width, width)
    return _sliding(extreme, np.pad(values, padding, mode="edge"), 2 * width + 1, axis)
