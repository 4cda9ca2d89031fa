"""What U-Net's loss knows of touching things: the narrow gaps between them, which a mean over pixels overlooks.

Ronneberger et al. 2015, §3, eq. 2: the loss of a pixel is multiplied by w_c(x) + w0 exp(-(d1 + d2)^2 / (2 sigma^2)), d1
and d2 the distances to the nearest and the second nearest thing. w_c balances the classes; here it is 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from segtutor.metrics.arrays import integer_map

W0, SIGMA = 10.0, 5.0
"""Of the paper, whose pictures have 512 pixels."""
_FAR = 4.0  # beyond so many sigmas less than 0.0004 of w0 is left
_CORNERS = np.ones((3, 3), dtype=bool)


def apart(things: Any) -> np.ndarray:
    """What U-Net learns of touching things: a mask in which a gap of background parts them.

    Args:
        things: H x W, the number of the thing at each pixel, 0 where there is none.

    Returns:
        H x W booleans: pixels of things that have no pixel of another thing among their eight neighbors.

    >>> apart([[1, 1, 2, 2, 0]]).astype(int).tolist()
    [[1, 0, 0, 1, 0]]
    """
    numbers = _things(things)
    largest = ndimage.maximum_filter(numbers, footprint=_CORNERS)
    none = np.where(numbers == 0, numbers.max(initial=0) + 1, numbers)
    smallest = ndimage.minimum_filter(none, footprint=_CORNERS)
    result: np.ndarray = (numbers > 0) & (largest == numbers) & (smallest == numbers)
    return result


def gap_weights(things: Any, w0: float = W0, sigma: float = SIGMA) -> np.ndarray:
    """How much each pixel counts in the loss: 1, and more between things that are close.

    Args:
        things: H x W, the number of the thing at each pixel, 0 where there is none.
        w0: Largest addition.
        sigma: In pixels; a gap of 2 sigma adds 0.14 w0.

    Returns:
        H x W float32. Pixels that stay a thing when things are parted (`apart`) weigh 1.

    Raises:
        ValueError: If things are no map H x W of whole numbers, or a number makes no sense.

    >>> gap_weights([[1, 1, 0, 2, 2]], w0=10, sigma=2).round(1)  # 1 + 10 exp(-(1 + 1)^2 / 8)
    array([[1. , 1. , 7.1, 1. , 1. ]], dtype=float32)
    """
    numbers = _things(things)
    if not w0 >= 0 or not sigma > 0:
        raise ValueError(f"w0 is {w0!r} and sigma {sigma!r}, but they must be at least 0 and above 0")
    reach = int(np.ceil(_FAR * sigma))
    first, second = (np.full(numbers.shape, np.inf) for _ in range(2))
    for number, box in enumerate(ndimage.find_objects(numbers), start=1):
        if box is None:
            continue
        near = tuple(
            slice(max(0, side.start - reach), min(size, side.stop + reach))
            for side, size in zip(box, numbers.shape, strict=True)
        )
        distance = ndimage.distance_transform_edt(numbers[near] != number)
        second[near] = np.minimum(second[near], np.maximum(first[near], distance))
        first[near] = np.minimum(first[near], distance)
    extra = np.exp(-((first + second) ** 2) / (2 * sigma**2))
    result: np.ndarray = (1 + np.where(apart(numbers), 0, w0 * extra)).astype(np.float32)
    return result


def _things(things: Any) -> np.ndarray:
    numbers = integer_map(things, "things").astype(np.int64)
    if numbers.ndim != 2 or numbers.min(initial=0) < 0:
        raise ValueError(
            f"things must be a map H x W of numbers from 0 on, but the shape is {numbers.shape} and the least number "
            f"{numbers.min(initial=0)}"
        )
    return numbers
