"""Exercise 2.11: what happened to the pixels of the image."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson02 import pixels_variants as wrong
from segtutor.exercises.lesson02.inputs import painted_files
from segtutor.exercises.lesson02.pixels_answers import channel_by_channel, pixels_verdict, undone, with_torch
from segtutor.exercises.loaders import MEAN, STD, Loader

STUB = '''
def pixels_verdict(pixels, image, mean, std):
    """What a validation loader made of the pixels: "right", "BGR", "normalized twice", "not normalized", "other"."""
    raise NotImplementedError("Write pixels_verdict() here, then run this cell again.")
'''


_FILE = painted_files(5, count=1)[0].pixels[:10, :12].copy()
_GRAY = np.stack([_FILE[..., 0]] * 3, axis=2)
_HALF = (np.full(3, 0.5), np.full(3, 0.5))


def _from(fault: str | None, pixels: np.ndarray = _FILE) -> tuple[np.ndarray, ...]:
    from segtutor.exercises.loaders import File

    image, _ = Loader([File("scene_8", pixels, np.zeros(pixels.shape[:2], dtype=np.uint8))], fault=fault)[0]
    return pixels, image, MEAN, STD


_ONE = np.zeros((3, 10, 12))
_ONE[1, 4, 7] = 0.05
_OTHER = (np.array([0.5, 0.1, 0.2]), np.full(3, 0.5))
_BGR_OR_TWICE = np.array([[[204, 51, 153]]], dtype=np.uint8)
_THREE = (np.array([0, 0.5, 0.25]), np.array([1, 0.5, 0.25]))
_CYAN = np.array([[[0, 255, 255]]], dtype=np.uint8)
_WHITE = np.full((1, 1, 3), 255, dtype=np.uint8)
_RED = np.array([[[255, 0, 0]]], dtype=np.uint8)

EXERCISE = Exercise(
    id="2.11",
    title="Test: the pixels arrive as the network expects them",
    name="pixels_verdict",
    statement=r"""
A network wants RGB, normalized once: $(x / 255 - \mathrm{mean}) / \mathrm{std}$, channel by channel. Write
`pixels_verdict(pixels, image, mean, std)`: `pixels` is H x W x 3 `uint8` RGB as in the file, `image` the 3 x H x W
floats that a validation loader made of it, `mean` and `std` have three numbers. Return the **first** that explains
every value up to 0.001 (so no value is more than that off):

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
        Case("a red pixel, only divided", (_RED, np.array([[[1.0]], [[0.0]], [[0.0]]]), *_HALF), "not normalized"),
        Case("the right loader", _from(None), "right"),
        Case("a gray picture", _from(None, _GRAY), "right"),
        Case(
            "a red pixel, twice", (_RED, np.array([[[1.0]], [[-3.0]], [[-3.0]]]), *_HALF), "normalized twice", "twice"
        ),
        Case("a red pixel, 0 to 255", (_RED, np.array([[[255.0]], [[0.0]], [[0.0]]]), *_HALF), "other", "other"),
        Case(
            "a white pixel with 1/2 and 1/2",
            (np.full((1, 1, 3), 255, dtype=np.uint8), np.ones((3, 1, 1)), *_HALF),
            "right",
            "first",
        ),
        Case("a loader that reads BGR", _from("BGR"), "BGR", "BGR"),
        Case("a loader that normalizes twice", _from("normalization twice"), "normalized twice", "twice"),
        Case("a loader that crops", _from("crop drop"), "other", "size"),
        Case("every value 0.0008 too high", (_FILE, _from(None)[1] + 0.0008, MEAN, STD), "right", "inside"),
        Case("every value 0.0015 too high", (_FILE, _from(None)[1] + 0.0015, MEAN, STD), "other", "close"),
        Case("every value 0.0015 too low", (_FILE, _from(None)[1] - 0.0015, MEAN, STD), "other", "close"),
        Case("one value 0.05 too high", (_FILE, _from(None)[1] + _ONE, MEAN, STD), "other", "one value"),
        Case("every value 0.2 too low", (_FILE, _from(None)[1] - 0.2, MEAN, STD), "other", "close"),
        Case(
            "a picture cropped to one pixel",
            (_FILE[:1, :1].repeat(4, 0), _from(None, _FILE[:1, :1])[1], MEAN, STD),
            "other",
            "size",
        ),
        Case(
            "a picture on its side",
            (_FILE[:2, :1].repeat(3, 1) * 0, _from(None, _FILE[:3, :2] * 0)[1], MEAN, STD),
            "other",
            "size",
        ),
        Case(
            "BGR and twice explain it", (_BGR_OR_TWICE, np.array([[[0.2]], [[0.2]], [[1.2]]]), *_OTHER), "BGR", "first"
        ),
        Case(
            "BGR and not normalized explain it",
            (_BGR_OR_TWICE[..., ::-1], np.array([[[0.6]], [[0.2]], [[0.8]]]), *_OTHER),
            "BGR",
            "first",
        ),
        Case(
            "three means and three deviations",
            (_CYAN, np.array([[[0.0]], [[1.0]], [[3.0]]]), *_THREE),
            "right",
            "channels",
        ),
        Case(
            "a large value, 0.0015 off",
            (_WHITE, ((1 - MEAN) / STD)[:, None, None] + 0.0015, MEAN, STD),
            "other",
            "close",
        ),
        Case(
            "a loader that only divides", (_FILE, _FILE.transpose(2, 0, 1) / 255, MEAN, STD), "not normalized", "plain"
        ),
        Case(
            "only blue is too bright",
            (_FILE, _from(None)[1] + np.array([0, 0, 0.1])[:, None, None], MEAN, STD),
            "other",
            "every value",
        ),
        Case(
            "mean 0 and deviation 1", (_FILE, _FILE.transpose(2, 0, 1) / 255, np.zeros(3), np.ones(3)), "right", "first"
        ),
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
            "Make one expected image per verdict, in the order of the list, and bring its axes into the order of "
            "`image`. Compare the shapes first; then the largest absolute difference decides.",
        ),
        "BGR": Hint(
            "Look at BGR: the loader exchanged red and blue of the *file* and then normalized, blue with red's mean.",
            "(pixels[..., ::-1] / 255 - mean) / std.",
        ),
        "twice": Hint(
            "Look at normalized twice: the normalized numbers, minus the mean, divided by the deviation, again.",
            "(right - mean) / std, without another division by 255.",
        ),
        "other": Hint(
            'One of the verdicts is never given. Go through all of them, and end with "other".',
            "Keep a dictionary verdict -> expected values, and return the first that fits.",
        ),
        "size": Hint(
            "Look at images of another size: comparing them may raise an error, or broadcast silently. They are other.",
            'Compare the shapes first: image.shape == (3, H, W), else "other".',
        ),
        "every value": Hint(
            "Look at a mirrored picture: sums, means and sets of values are those of the right one. Compare by place.",
            "np.allclose(image, expected, atol=1e-3).",
        ),
        "close": Hint(
            "Look at values 0.0015 off, up or down: that is more than 0.001. Too bright or too dark is other.",
            "np.abs(image - expected).max() <= 1e-3.",
        ),
        "inside": Hint(
            "Look at values 0.0008 off: that is within 0.001, wherever the value lies, so it counts as equal.",
            "np.abs(image - expected).max() <= 1e-3: an absolute tolerance, not a relative one, and no exact equality.",
        ),
        "one value": Hint(
            "Look at a single value that is off: every value must fit, not most of them and not their mean.",
            "np.abs(image - expected).max(), over all channels and pixels.",
        ),
        "plain": Hint(
            'Look at "not normalized": the bytes divided by 255, and nothing else.',
            "pixels / 255, in the axes 3 x H x W.",
        ),
        "axes": Hint(
            "The image has the axes 3 x H x W, the file H x W x 3. They never fit as they are.",
            "expected.transpose(2, 0, 1), or np.moveaxis(expected, 2, 0).",
        ),
        "channels": Hint(
            "Look at mean and std: each channel has its own.",
            "(pixels / 255 - mean) / std with the channels on the last axis.",
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
            "Look at images that several verdicts explain: the first in the list counts.",
            'Ask in the order "right", "BGR", "normalized twice", "not normalized".',
        ),
    },
    mistakes=(
        Mistake("BGR after normalization", wrong.tolerating(wrong.close, bgr_normalized_first=True), "BGR"),
        Mistake("size not looked at", wrong.tolerating(wrong.any_size), "size"),
        Mistake("means compared", wrong.tolerating(wrong.sums), "every value"),
        Mistake("never twice", wrong.tolerating(wrong.close, skip=("normalized twice",)), "twice"),
        Mistake("never BGR", wrong.tolerating(wrong.close, skip=("BGR",)), "BGR"),
        Mistake("never not normalized", wrong.tolerating(wrong.close, skip=("not normalized",)), "plain"),
        Mistake("wide tolerance", wrong.tolerating(wrong.loose), "close"),
        Mistake("not divided by 255", wrong.without_255, "255"),
        Mistake("by the range", wrong.by_range, "range"),
        Mistake("exactly", wrong.tolerating(wrong.near(1e-9)), "inside"),
        Mistake("equal", wrong.tolerating(lambda i, w: i.shape == w.shape and (i == w).all()), "inside"),
        Mistake("up to 0.0001", wrong.tolerating(wrong.near(1e-4)), "inside"),
        Mistake("relative tolerance", wrong.tolerating(wrong.near(1e-9, relative=1e-3)), "inside"),
        Mistake("allclose as it is", wrong.tolerating(wrong.near(1e-8, relative=1e-5)), "inside"),
        Mistake("up to 0.002", wrong.tolerating(wrong.near(2e-3)), "close"),
        Mistake("up to 0.01", wrong.tolerating(wrong.near(1e-2)), "close"),
        Mistake("up to 0.1", wrong.tolerating(wrong.near(1e-1)), "close"),
        Mistake("relative tolerance too", wrong.tolerating(wrong.near(1e-3, relative=1e-2)), "close"),
        Mistake(
            "mean error", wrong.tolerating(lambda i, w: i.shape == w.shape and abs(i - w).mean() <= 1e-3), "one value"
        ),
        Mistake(
            "most values",
            wrong.tolerating(lambda i, w: i.shape == w.shape and (abs(i - w) <= 1e-3).mean() > 0.9),
            "one value",
        ),
        Mistake(
            "any value", wrong.tolerating(lambda i, w: i.shape == w.shape and (abs(i - w) <= 1e-3).any()), "one value"
        ),
        Mistake(
            "first pixel",
            wrong.tolerating(lambda i, w: i.shape == w.shape and abs(i - w)[:, 0, 0].max() <= 1e-3),
            "one value",
        ),
        Mistake(
            "error of one sign", wrong.tolerating(lambda i, w: i.shape == w.shape and (i - w).max() <= 1e-3), "close"
        ),
        Mistake("broadcasting", wrong.tolerating(wrong.broadcasting), "size"),
        Mistake(
            "number of values",
            wrong.tolerating(lambda i, w: i.size == w.size and abs(i.ravel() - w.ravel()).max() <= 1e-3),
            "size",
        ),
        Mistake("BGR not normalized", wrong.explained(BGR=lambda u, m, s: u[..., ::-1]), "BGR"),
        Mistake("red and green exchanged", wrong.explained(BGR=lambda u, m, s: (u[..., [1, 0, 2]] - m) / s), "BGR"),
        Mistake("green and blue exchanged", wrong.explained(BGR=lambda u, m, s: (u[..., [0, 2, 1]] - m) / s), "BGR"),
        Mistake("twice divided by 255", wrong.explained(twice=lambda u, m, s: ((u - m) / s / 255 - m) / s), "twice"),
        Mistake("doubled", wrong.explained(twice=lambda u, m, s: 2 * (u - m) / s), "twice"),
        Mistake("mean taken off twice", wrong.explained(twice=lambda u, m, s: (u - m) / s - m), "twice"),
        Mistake("deviation divided twice", wrong.explained(twice=lambda u, m, s: (u - m) / s / s), "twice"),
        Mistake("not divided", wrong.explained(plain=lambda u, m, s: 255 * u), "plain"),
        Mistake("divided by 256", wrong.explained(plain=lambda u, m, s: u * 255 / 256), "plain"),
        Mistake("mean taken off", wrong.explained(plain=lambda u, m, s: u - m), "plain"),
        Mistake(
            "one mean for all", lambda p, i, m, s: pixels_verdict(p, i, np.full(3, m[0]), np.full(3, s[0])), "channels"
        ),
        Mistake(
            "mean of the means",
            lambda p, i, m, s: pixels_verdict(p, i, np.full(3, np.mean(m)), np.full(3, np.mean(s))),
            "channels",
        ),
        Mistake("multiplied by std", lambda p, i, m, s: pixels_verdict(p, i, m, 1 / s), "channels"),
        Mistake("H x W x 3", lambda p, i, m, s: pixels_verdict(p, i, m, s) if i.shape == p.shape else "other", "axes"),
        Mistake("reshaped, not transposed", wrong.tolerating(wrong.reshaped), "axes"),
        Mistake("axes in reverse", wrong.tolerating(wrong.reversed_axes), "axes"),
        Mistake("right for BGR", lambda *inputs: pixels_verdict(*inputs).replace("BGR", "right"), "BGR"),
        Mistake("never other", lambda *inputs: pixels_verdict(*inputs).replace("other", "not normalized"), "other"),
        Mistake("never right", wrong.tolerating(wrong.close, skip=("right",)), "other"),
        Mistake("BGR asked first", wrong.in_order("BGR", "right", "normalized twice", "not normalized"), "first"),
        Mistake(
            "twice asked before BGR", wrong.in_order("right", "normalized twice", "BGR", "not normalized"), "first"
        ),
        Mistake("plain before BGR", wrong.in_order("right", "not normalized", "BGR", "normalized twice"), "first"),
        Mistake(
            "not normalized asked first",
            lambda p, i, m, s: (
                "not normalized" if wrong.close(i, p.transpose(2, 0, 1) / 255) else pixels_verdict(p, i, m, s)
            ),
            "first",
        ),
    ),
    alternatives=(undone, channel_by_channel, with_torch),
    points=4,
    minutes=25,
    difficulty=2,
)
