"""Wrong answers to exercise 2.11, made from parts."""

from __future__ import annotations

import numpy as np


def tolerating(check, skip=(), bgr_normalized_first=False):  # type: ignore[no-untyped-def]
    """The verdicts by another comparison; some may never be given."""

    def wrong(pixels, image, mean, std):  # type: ignore[no-untyped-def]
        unit = pixels / 255
        right = (unit - mean) / std
        expected = {
            "right": right,
            "BGR": right[..., ::-1] if bgr_normalized_first else (unit[..., ::-1] - mean) / std,
            "normalized twice": (right - mean) / std,
            "not normalized": unit,
        }
        for word, values in expected.items():
            if word not in skip and check(image, values.transpose(2, 0, 1)):
                return word
        return "other"

    return wrong


def close(image, wanted):  # type: ignore[no-untyped-def]
    """The right comparison."""
    return image.shape == wanted.shape and np.allclose(image, wanted, atol=1e-3)


def reshaped(image, wanted):  # type: ignore[no-untyped-def]
    """H x W x 3 poured into 3 x H x W instead of moving the axes."""
    return close(image, wanted.transpose(1, 2, 0).reshape(wanted.shape))


def reversed_axes(image, wanted):  # type: ignore[no-untyped-def]
    """``.T`` of H x W x 3, which is 3 x W x H."""
    return close(image, wanted.transpose(0, 2, 1))


def near(allowed, relative=0.0):  # type: ignore[no-untyped-def]
    """Another tolerance."""

    def near(image, wanted):  # type: ignore[no-untyped-def]
        return image.shape == wanted.shape and np.allclose(image, wanted, atol=allowed, rtol=relative)

    return near


def broadcasting(image, wanted):  # type: ignore[no-untyped-def]
    """Broadcasts instead of comparing shapes."""
    try:
        return bool((abs(image - wanted) <= 1e-3).all())
    except ValueError:
        return False


def explained(BGR=None, twice=None, plain=None):  # type: ignore[no-untyped-def]
    """With another explanation in the place of a right one."""
    others = {"BGR": BGR, "normalized twice": twice, "not normalized": plain}

    def wrong(pixels, image, mean, std):  # type: ignore[no-untyped-def]
        skip = [word for word, other in others.items() if other]
        word = tolerating(close, skip=skip)(pixels, image, mean, std)
        found = others[skip[0]](pixels / 255, mean, std).transpose(2, 0, 1)
        return skip[0] if word == "other" and close(image, found) else word

    return wrong


def in_order(*order):  # type: ignore[no-untyped-def]
    """The questions in another order."""

    def wrong(*inputs):  # type: ignore[no-untyped-def]
        for word in order:
            if tolerating(close, skip=[one for one in order if one != word])(*inputs) == word:
                return word
        return "other"

    return wrong


def without_255(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    """Bytes are taken for numbers from 0 to 1."""
    return tolerating(close)(pixels.astype(float) * 255, image, mean, std)


def sums(image, wanted):  # type: ignore[no-untyped-def]
    """Compares the means."""
    return abs(float(image.mean()) - float(wanted.mean())) < 1e-3


def any_size(image, wanted):  # type: ignore[no-untyped-def]
    """Raises an error for arrays of different size."""
    return np.allclose(image, wanted, atol=1e-3)  # arrays of different size raise an error


def loose(image, wanted):  # type: ignore[no-untyped-def]
    """Much too wide."""
    return image.shape == wanted.shape and np.allclose(image, wanted, atol=0.75)


def by_range(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    """Looks at minimum and maximum only."""
    if image.min() >= 0 and image.max() <= 1:
        return "not normalized"
    return (
        "normalized twice"
        if image.min() < -3.5
        else tolerating(close, skip=("normalized twice",))(pixels, image, mean, std)
    )
