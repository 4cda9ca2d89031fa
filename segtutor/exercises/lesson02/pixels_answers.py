"""Exercise 2.11: the solution and other right answers."""

from __future__ import annotations

import numpy as np


def pixels_verdict(pixels: np.ndarray, image: np.ndarray, mean: np.ndarray, std: np.ndarray) -> str:
    """What a validation loader made of the pixels: "right", "BGR", "normalized twice", "not normalized", "other"."""
    unit = pixels / 255
    right = (unit - mean) / std
    expected = {
        "right": right,
        "BGR": (unit[..., ::-1] - mean) / std,
        "normalized twice": (right - mean) / std,
        "not normalized": unit,
    }
    for verdict, values in expected.items():
        wanted = values.transpose(2, 0, 1)
        if image.shape == wanted.shape and np.abs(image - wanted).max() <= 1e-3:
            return verdict
    return "other"


def undone(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    """Undoes each explanation, and compares with the file."""

    def undo(values):  # type: ignore[no-untyped-def]
        return values * std + mean

    seen = np.moveaxis(image, 0, 2).astype(float)
    if seen.shape != pixels.shape:
        return "other"
    for verdict, values in (
        ("right", undo(seen)),
        ("BGR", undo(seen)[..., ::-1]),
        ("normalized twice", undo(undo(seen))),
        ("not normalized", seen),
    ):
        if np.abs(values - pixels / 255).max() < 2e-4:
            return verdict
    return "other"


def channel_by_channel(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    """One channel after the other."""

    def fits(make):  # type: ignore[no-untyped-def]
        return all(np.allclose(image[c], make(c), atol=1e-3) for c in range(3))

    def once(c, source):  # type: ignore[no-untyped-def]
        return (pixels[..., source] / 255 - mean[c]) / std[c]

    if image.shape[1:] != pixels.shape[:2]:
        return "other"
    if fits(lambda c: once(c, c)):
        return "right"
    if fits(lambda c: once(c, 2 - c)):
        return "BGR"
    if fits(lambda c: (once(c, c) - mean[c]) / std[c]):
        return "normalized twice"
    return "not normalized" if fits(lambda c: pixels[..., c] / 255) else "other"


def with_torch(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    """In PyTorch."""
    import torch

    mean, std = (torch.from_numpy(np.asarray(one, dtype=np.float64))[:, None, None] for one in (mean, std))
    unit, image = torch.from_numpy(pixels.copy()).permute(2, 0, 1) / 255, torch.from_numpy(image).double()
    once = (unit - mean) / std
    wanted = {"right": once, "BGR": (unit.flip(0) - mean) / std, "normalized twice": (once - mean) / std}
    wanted["not normalized"] = unit.double()
    if image.shape != unit.shape:
        return "other"
    return next((word for word, one in wanted.items() if torch.allclose(image, one, atol=1e-3)), "other")
