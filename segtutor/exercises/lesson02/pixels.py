"""Exercise 2.11: what happened to the pixels of the image."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson02.inputs import painted_files
from segtutor.exercises.loaders import MEAN, STD, Loader

STUB = '''
def pixels_verdict(pixels, image, mean, std):
    """What a validation loader made of the pixels: "right", "BGR", "normalized twice", "not normalized", "other"."""
    raise NotImplementedError("Write pixels_verdict() here, then run this cell again.")
'''


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
        if image.shape == wanted.shape and np.allclose(image, wanted, atol=1e-3):
            return verdict
    return "other"


def _undone(pixels, image, mean, std):  # type: ignore[no-untyped-def]
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


def _channel_by_channel(pixels, image, mean, std):  # type: ignore[no-untyped-def]
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


def _with_torch(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    import torch

    mean, std = (torch.from_numpy(np.asarray(one, dtype=np.float64))[:, None, None] for one in (mean, std))
    unit, image = torch.from_numpy(pixels.copy()).permute(2, 0, 1) / 255, torch.from_numpy(image).double()
    once = (unit - mean) / std
    wanted = {"right": once, "BGR": (unit.flip(0) - mean) / std, "normalized twice": (once - mean) / std}
    wanted["not normalized"] = unit.double()
    if image.shape != unit.shape:
        return "other"
    return next((word for word, one in wanted.items() if torch.allclose(image, one, atol=1e-3)), "other")


def _tolerating(check, skip=(), bgr_normalized_first=False):  # type: ignore[no-untyped-def]
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


def _close(image, wanted):  # type: ignore[no-untyped-def]
    return image.shape == wanted.shape and np.allclose(image, wanted, atol=1e-3)


def _without_255(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    return _tolerating(_close)(pixels.astype(float) * 255, image, mean, std)


def _sums(image, wanted):  # type: ignore[no-untyped-def]
    return abs(float(image.mean()) - float(wanted.mean())) < 1e-3


def _any_size(image, wanted):  # type: ignore[no-untyped-def]
    return np.allclose(image, wanted, atol=1e-3)  # arrays of different size raise an error


def _loose(image, wanted):  # type: ignore[no-untyped-def]
    return image.shape == wanted.shape and np.allclose(image, wanted, atol=0.75)


def _by_range(pixels, image, mean, std):  # type: ignore[no-untyped-def]
    if image.min() >= 0 and image.max() <= 1:
        return "not normalized"
    return (
        "normalized twice"
        if image.min() < -3.5
        else _tolerating(_close, skip=("normalized twice",))(pixels, image, mean, std)
    )


_FILE = painted_files(5, count=1)[0].pixels[:10, :12].copy()
_GRAY = np.stack([_FILE[..., 0]] * 3, axis=2)
_HALF = (np.full(3, 0.5), np.full(3, 0.5))


def _from(fault: str | None, pixels: np.ndarray = _FILE) -> tuple[np.ndarray, ...]:
    from segtutor.exercises.loaders import File

    image, _ = Loader([File("scene_8", pixels, np.zeros(pixels.shape[:2], dtype=np.uint8))], fault=fault)[0]
    return pixels, image, MEAN, STD


_RED = np.array([[[255, 0, 0]]], dtype=np.uint8)

EXERCISE = Exercise(
    id="2.11",
    title="Test: the pixels arrive as the network expects them",
    name="pixels_verdict",
    statement=r"""
A network wants RGB, normalized once: $(x / 255 - \mathrm{mean}) / \mathrm{std}$, channel by channel. Write
`pixels_verdict(pixels, image, mean, std)`: `pixels` is H x W x 3 `uint8` RGB as in the file, `image` the 3 x H x W
floats that a validation loader made of it, `mean` and `std` have three numbers. Return the **first** that explains
every value up to 0.001:

- `"right"`,
- `"BGR"`: red and blue were exchanged, then all was normalized as if it were RGB,
- `"normalized twice"`: normalized, and the result once more,
- `"not normalized"`: only divided by 255,
- `"other"`, an image of another size among them.
""",
    stub=STUB,
    reference=pixels_verdict,
    cases=(
        Case("a red pixel, right", (_RED, np.array([[[1.0]], [[-1.0]], [[-1.0]]]), *_HALF), "right"),
        Case("a red pixel, BGR", (_RED, np.array([[[-1.0]], [[-1.0]], [[1.0]]]), *_HALF), "BGR"),
        Case(
            "a red pixel, twice", (_RED, np.array([[[1.0]], [[-3.0]], [[-3.0]]]), *_HALF), "normalized twice", "twice"
        ),
        Case("a red pixel, only divided", (_RED, np.array([[[1.0]], [[0.0]], [[0.0]]]), *_HALF), "not normalized"),
        Case("a red pixel, 0 to 255", (_RED, np.array([[[255.0]], [[0.0]], [[0.0]]]), *_HALF), "other", "other"),
        Case(
            "a white pixel with 1/2 and 1/2",
            (np.full((1, 1, 3), 255, dtype=np.uint8), np.ones((3, 1, 1)), *_HALF),
            "right",
            "first",
        ),
        Case("the right loader", _from(None), "right"),
        Case("a loader that reads BGR", _from("BGR"), "BGR", "BGR"),
        Case("a loader that normalizes twice", _from("normalization twice"), "normalized twice", "twice"),
        Case("a loader that crops", _from("crop drop"), "other", "size"),
        Case("a gray picture", _from(None, _GRAY), "right"),
        Case("a picture a little too bright", (_FILE, _from(None)[1] + 0.2, MEAN, STD), "other", "close"),
        Case(
            "a mirrored picture",
            (_FILE, np.ascontiguousarray(_from(None)[1][:, :, ::-1]), MEAN, STD),
            "other",
            "every value",
        ),
    ),
    hints={
        "general": Hint(
            "Compute what each explanation would give, and compare it with what came.",
            "right = (pixels / 255 - mean) / std has the shape H x W x 3; .transpose(2, 0, 1) makes it 3 x H x W; "
            "np.allclose(image, ..., atol=1e-3).",
        ),
        "BGR": Hint(
            "The loader exchanged the channels of the *file* and then normalized: the blue values got red's mean.",
            "(pixels[..., ::-1] / 255 - mean) / std.",
        ),
        "twice": Hint(
            "Normalized twice: the normalized numbers, minus the mean, divided by the standard deviation, again.",
            "(right - mean) / std, without another division by 255.",
        ),
        "other": Hint(
            'One of the verdicts is never given. Go through all of them, and end with "other".',
            "Keep a dictionary verdict -> expected values, and return the first that fits.",
        ),
        "size": Hint(
            "An image that was cropped has another size; comparing arrays of different sizes raises an error.",
            'Compare the shapes first: image.shape == (3, H, W), else "other".',
        ),
        "every value": Hint(
            "Sums and means are alike in many pictures, in a mirrored one for instance. Compare every value.",
            "np.allclose(image, expected, atol=1e-3).",
        ),
        "close": Hint(
            "The tolerance is too wide: the values must agree up to 0.001.",
            "np.allclose(..., atol=1e-3).",
        ),
        "255": Hint(
            "The pixels are bytes; mean and std belong to values from 0 to 1.",
            "Divide pixels by 255 first.",
        ),
        "range": Hint(
            "The range alone does not tell: bright pictures stay positive, and normalized ones may lie in 0 to 1.",
            "Compare with the expected values instead of looking at minimum and maximum.",
        ),
        "first": Hint(
            'Several explanations may fit (a white pixel): the first in the list counts, and "right" is the first.',
            'Ask for "right" first.',
        ),
    },
    mistakes=(
        Mistake("BGR after normalization", _tolerating(_close, bgr_normalized_first=True), "BGR"),
        Mistake("size not looked at", _tolerating(_any_size), "size"),
        Mistake("means compared", _tolerating(_sums), "every value"),
        Mistake("never twice", _tolerating(_close, skip=("normalized twice",)), "twice"),
        Mistake("never BGR", _tolerating(_close, skip=("BGR",)), "BGR"),
        Mistake("never not normalized", _tolerating(_close, skip=("not normalized",)), "other"),
        Mistake("wide tolerance", _tolerating(_loose), "close"),
        Mistake("not divided by 255", _without_255, "255"),
        Mistake("by the range", _by_range, "range"),
        Mistake(
            "not normalized asked first",
            lambda p, i, m, s: (
                "not normalized" if _close(i, p.transpose(2, 0, 1) / 255) else pixels_verdict(p, i, m, s)
            ),
            "first",
        ),
    ),
    alternatives=(_undone, _channel_by_channel, _with_torch),
    points=4,
    minutes=20,
    difficulty=2,
)
