"""Exercise 2.1: from the colors of a mask to class numbers."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.labels import voc_colormap

STUB = '''
def colors_to_labels(colors, palette, void=255):
    """H x W x 3 colors -> H x W class numbers; row k of the palette is the color of class k, other colors are void."""
    raise NotImplementedError("Write colors_to_labels() here, then run this cell again.")
'''


def colors_to_labels(colors: np.ndarray, palette: np.ndarray, void: int = 255) -> np.ndarray:
    """H x W x 3 colors -> H x W class numbers; row k of the palette is the color of class k, other colors are void."""
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette):
        labels[(colors == color).all(axis=2)] = number
    return labels


def _packed(colors, palette, void=255):  # type: ignore[no-untyped-def]
    shifts = np.array([1, 256, 65536])
    known = {int(key): number for number, key in enumerate((palette.astype(int) * shifts).sum(axis=1))}
    keys = (colors.astype(int) * shifts).sum(axis=2)
    return np.vectorize(lambda key: known.get(int(key), void), otypes=[int])(keys)


def _with_loops(colors, palette, void=255):  # type: ignore[no-untyped-def]
    known = [tuple(color) for color in palette.tolist()]
    return [[known.index(tuple(c)) if tuple(c) in known else void for c in row] for row in colors.tolist()]


def _compared(colors, palette, void=255):  # type: ignore[no-untyped-def]
    same = (colors[:, :, None, :] == palette).all(axis=3)
    return np.where(same.any(axis=2), same.argmax(axis=2), void)


def _any_channel(colors, palette, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette):
        labels[(colors == color).any(axis=2)] = number
    return labels


def _nearest(colors, palette, void=255):  # type: ignore[no-untyped-def]
    apart = ((colors[:, :, None, :].astype(int) - palette.astype(int)) ** 2).sum(axis=3)
    return apart.argmin(axis=2)


def _unknown_as(number):  # type: ignore[no-untyped-def]
    def wrong(colors, palette, void=255):  # type: ignore[no-untyped-def]
        same = (colors[:, :, None, :] == palette).all(axis=3)
        return np.where(same.any(axis=2), same.argmax(axis=2), number)

    return wrong


def _overflowing(colors, palette, void=255):  # type: ignore[no-untyped-def]
    def keys(values):  # type: ignore[no-untyped-def]
        return values[..., 0] + values[..., 1] * 2 + values[..., 2] * 4  # uint8 wraps

    labels = np.full(colors.shape[:2], void)
    for number, key in enumerate(keys(palette)):
        labels[keys(colors) == key] = number
    return labels


def _sum_of_channels(colors, palette, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette.astype(int)):
        labels[colors.astype(int).sum(axis=2) == color.sum()] = number
    return labels


def _gray(colors, palette, void=255):  # type: ignore[no-untyped-def]
    return np.round(colors @ np.array([0.299, 0.587, 0.114])).astype(int)


_VOC = voc_colormap(21)
_SMALL = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]], dtype=np.uint8)


def _painted(seed: int, palette: np.ndarray) -> np.ndarray:
    """A random mask in the colors of the palette, with VOC's void color and one color that nobody knows."""
    generator = np.random.default_rng(seed)
    every = np.concatenate([palette, [[224, 224, 192], [3, 64, 129]]]).astype(np.uint8)
    return every[generator.integers(len(every), size=(9, 13))]


EXERCISE = Exercise(
    id="2.1",
    title="From colors to class numbers",
    name="colors_to_labels",
    statement="""
A mask that was opened as an RGB picture shows colors instead of class numbers. Write
`colors_to_labels(colors, palette, void)`: `colors` is H x W x 3 `uint8`, row k of `palette` (K x 3 `uint8`) is the
color of class k. The result is H x W: the number of the class whose color the pixel has, *exactly*. A color that is
not in the palette, as VOC's border color (224, 224, 192), is void.
""",
    stub=STUB,
    reference=colors_to_labels,
    cases=(
        Case("each color once", (_SMALL[None], _SMALL, 255), np.array([[0, 1, 2, 3]])),
        Case(
            "a border pixel",
            (np.array([[[128, 0, 0], [224, 224, 192]]], dtype=np.uint8), _SMALL, 255),
            np.array([[1, 255]]),
            "void",
        ),
        Case(
            "void is 250 here",
            (np.array([[[0, 128, 0]], [[1, 1, 1]]], dtype=np.uint8), _SMALL, 250),
            np.array([[2], [250]]),
            "void",
        ),
        Case(
            "red is 128, but green is 64",
            (np.array([[[128, 64, 0], [128, 128, 0]]], dtype=np.uint8), _SMALL, 255),
            np.array([[255, 3]]),
            "exact",
        ),
        Case("VOC's palette, random mask", (_painted(0, _VOC), _VOC, 255)),
        Case(
            "a palette in another order",
            (_painted(1, _VOC[::-1]), np.ascontiguousarray(_VOC[::-1]), 255),
            hint="position",
        ),
    ),
    hints={
        "general": Hint(
            "For each class, find the pixels whose three channels are those of its color, and write its number there.",
            "Begin with np.full(H x W, void); then labels[(colors == color).all(axis=2)] = number in a loop over the "
            "palette.",
        ),
        "exact": Hint(
            "A color fits only if red, green and blue all fit. Two colors may share a channel, or their sum.",
            "(colors == color).all(axis=2): all, over the channels.",
        ),
        "void": Hint(
            "A color that is not in the palette is void: neither class 0 nor always 255.",
            "Start from np.full(colors.shape[:2], void), the argument.",
        ),
        "nearest": Hint(
            "This takes the nearest color. A border pixel then becomes an object, which is just what void is for.",
            "Ask for equality, not for the smallest distance.",
        ),
        "gray": Hint(
            "These are gray values. That is what Image.convert('L') makes of a palette PNG, and it means nothing.",
            "The class number is the *row* of the palette that holds the pixel's color.",
        ),
        "position": Hint(
            "The number of a class is the position of its color in the palette that was given, whatever the order.",
            "for number, color in enumerate(palette), and do not sort it.",
        ),
        "overflow": Hint(
            "Colors were packed into one number, and it does not tell all colors apart: uint8 wraps around at 256.",
            "Convert to int first, and use the factors 1, 256 and 65536.",
        ),
        "channels": Hint(
            "The channels are read in another order than the palette's: red and blue are exchanged.",
            "Both are RGB. Compare channel 0 with channel 0.",
        ),
    },
    mistakes=(
        Mistake("any channel fits", _any_channel, "exact"),
        Mistake("sum of the channels", _sum_of_channels, "exact"),
        Mistake("red only", lambda c, p, v=255: colors_to_labels(c[..., :1], p[:, :1], v), "exact"),
        Mistake("unknown is class 0", _unknown_as(0), "void"),
        Mistake("unknown is always 255", _unknown_as(255), "void"),
        Mistake("nearest color", _nearest, "nearest"),
        Mistake("gray values", _gray, "gray"),
        Mistake("numbered from 1", lambda c, p, v=255: colors_to_labels(c, p, v - 1) + 1, "position"),
        Mistake("palette sorted", lambda c, p, v=255: colors_to_labels(c, np.unique(p, axis=0), v), "position"),
        Mistake("packed in uint8", _overflowing, "overflow"),
        Mistake("BGR", lambda c, p, v=255: colors_to_labels(c[..., ::-1], p, v), "channels"),
    ),
    alternatives=(_packed, _with_loops, _compared),
    points=2,
    minutes=10,
    difficulty=1,
)
