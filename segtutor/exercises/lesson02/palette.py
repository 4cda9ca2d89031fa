"""Exercise 2.1: from the colors of a mask to class numbers."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded
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


def _within(apart):  # type: ignore[no-untyped-def]
    def wrong(colors, palette, void=255):  # type: ignore[no-untyped-def]
        labels = np.full(colors.shape[:2], void)
        for number, color in enumerate(palette.astype(int)):
            labels[(np.abs(colors - color) <= apart).all(axis=2)] = number
        return labels

    return wrong


def _square(colors, palette, void=255):  # type: ignore[no-untyped-def]
    labels = colors_to_labels(colors, palette, void)
    labels[:, len(labels) :] = void
    return labels


def _most_channels(colors, palette, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette):
        labels[(colors == color).sum(axis=2) >= 2] = number
    return labels


def _packed_by(*factors):  # type: ignore[no-untyped-def]
    def wrong(colors, palette, void=255):  # type: ignore[no-untyped-def]
        keys, known = (colors * np.array(factors)).sum(axis=2), (palette * np.array(factors)).sum(axis=1)
        return colors_to_labels(keys[..., None], known[:, None], void)

    return wrong


def _squares_in_8_bits(colors, palette, void=255):  # type: ignore[no-untyped-def]
    labels = np.full(colors.shape[:2], void)
    for number, color in enumerate(palette):
        labels[((colors - color) ** 2).sum(axis=2) == 0] = number
    return labels


_VOC = voc_colormap(21)
_SMALL = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]], dtype=np.uint8)


def _painted(seed: int, palette: np.ndarray) -> np.ndarray:
    """A random mask in the colors of the palette, with VOC's void color and one color that nobody knows."""
    generator = seeded(seed)
    every = np.concatenate([palette, [[224, 224, 192], [3, 64, 129]]]).astype(np.uint8)
    return every[generator.integers(len(every), size=(9, 13))]


_FEW = np.array([[0, 0, 0], [100, 100, 100], [0, 1, 0], [1, 255, 0], [255, 255, 0]], dtype=np.uint8)
# Each of these has something in common with a color of the palette: sum, gray, product, exclusive or, squares in uint8,
# red and green exchanged, or a number packed with other factors than 1, 256, 65536.
_CLOSE = np.array(
    [
        *(
            [100, 100, 100],
            [101, 99, 100],
            [102, 99, 100],
            [101, 100, 100],
            [99, 101, 101],
            [101, 101, 99],
            [50, 200, 100],
        ),
        *(
            [116, 100, 100],
            [100, 132, 100],
            [99, 110, 100],
            [110, 99, 100],
            [99, 102, 100],
            [200, 99, 100],
            [100, 99, 200],
        ),
        *([255, 0, 0], [0, 0, 255], [0, 2, 0], [0, 1, 1], [100, 100, 101], [1, 0, 0], [0, 0, 1], [108, 100, 100]),
    ],
    dtype=np.uint8,
)
_MANY = np.stack([np.arange(300) % 256, np.arange(300) // 256, np.full(300, 7)], axis=1).astype(np.uint8)

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
        Case("VOC's palette, random mask", (_painted(0, _VOC), _VOC, 255)),
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
        Case(
            "void is 0 here",
            (np.array([[[1, 1, 1], [128, 0, 0], [0, 0, 0]]], dtype=np.uint8), _SMALL, 0),
            np.array([[0, 1, 0]]),
            "void",
        ),
        Case(
            "colors close to one of the palette",
            (_CLOSE[None], _FEW, 255),
            np.array([[1] + [255] * (len(_CLOSE) - 1)]),
            "close",
        ),
        Case(
            "a palette of 300 colors",
            (_MANY[[[299, 256, 255], [3, 128, 0]]], _MANY, 1000),
            np.array([[299, 256, 255], [3, 128, 0]]),
            "many",
        ),
        Case(
            "a palette in another order",
            (_painted(1, _VOC[::-1]), np.ascontiguousarray(_VOC[::-1]), 255),
            hint="position",
        ),
    ),
    hints={
        "general": Hint(
            "For each class, find the pixels whose three channels are those of its color, and write its number there.",
            "Begin with a map that is void everywhere, then go through the palette. Comparing the picture with one "
            "color gives three answers per pixel, and all three must be yes.",
        ),
        "exact": Hint(
            "A color fits only if red, green and blue all fit, each by itself. Two colors may share a channel, or "
            "their sum.",
            "(colors == color).all(axis=2): all, over the channels.",
        ),
        "void": Hint(
            "Look at colors that are not in the palette: they are void, the argument, neither 0 nor always 255.",
            "Start from np.full(colors.shape[:2], void), the argument.",
        ),
        "nearest": Hint(
            "A color that is only near one of the palette is taken for it. A border pixel then becomes an object.",
            "Ask for equality, not for a small distance.",
        ),
        "close": Hint(
            "Look at colors that have much in common with one of the palette. Only the color itself is the class.",
            "(colors == color).all(axis=2); a single number per color must use the factors 1, 256 and 65536, in int.",
        ),
        "many": Hint(
            "Look at a palette of 300 colors: class numbers may exceed 255, more than uint8 holds.",
            "np.full(colors.shape[:2], void), without a small dtype.",
        ),
        "black": Hint(
            "The first color of the palette, often black, is class 0, a class like any other.",
            "Void is only what is not in the palette.",
        ),
        "shape": Hint(
            "Height and width: the result is H x W, one number per pixel, row by row as in the picture.",
            "np.full(colors.shape[:2], void).",
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
        Mistake("within 1", _within(1), "nearest"),
        Mistake("within 8", _within(8), "nearest"),
        Mistake("within 30", _within(30), "nearest"),
        Mistake("red and green", lambda c, p, v=255: colors_to_labels(c[..., :2], p[:, :2], v), "exact"),
        Mistake("two of three channels", _most_channels, "exact"),
        Mistake("channels in any order", lambda c, p, v=255: colors_to_labels(np.sort(c), np.sort(p), v), "exact"),
        Mistake("packed in base 10", _packed_by(100, 10, 1), "overflow"),
        Mistake("packed in base 100", _packed_by(10_000, 100, 1), "overflow"),
        Mistake("packed in base 255", _packed_by(255**2, 255, 1), "overflow"),
        Mistake("packed in base 255, red first", _packed_by(1, 255, 255**2), "overflow"),
        Mistake("packed in 16 bits", lambda c, p, v=255: colors_to_labels(c[..., 1:], p[:, 1:], v), "overflow"),
        Mistake("squares in uint8", _squares_in_8_bits, "overflow"),
        Mistake("labels in 8 bits", lambda c, p, v=255: colors_to_labels(c, p, v).astype(np.uint8), "many"),
        Mistake("void 0 is 255", lambda c, p, v=255: colors_to_labels(c, p, v or 255), "void"),
        Mistake("unknown is -1", _unknown_as(-1), "void"),
        Mistake("unknown is the number of classes", lambda c, p, v=255: colors_to_labels(c, p, len(p)), "void"),
        Mistake("last class forgotten", lambda c, p, v=255: colors_to_labels(c, p[:-1], v), "position"),
        Mistake("palette from its end", lambda c, p, v=255: colors_to_labels(c, p[::-1], v), "position"),
        Mistake(
            "class 0 is void",
            lambda c, p, v=255: np.where((c == p[0]).all(axis=2), v, colors_to_labels(c, p, v)),
            "black",
        ),
        Mistake("only a square", _square, "shape"),
        Mistake("transposed", lambda c, p, v=255: colors_to_labels(c, p, v).T, "shape"),
        Mistake("a third axis", lambda c, p, v=255: colors_to_labels(c, p, v)[..., None], "shape"),
        Mistake("flat", lambda c, p, v=255: colors_to_labels(c, p, v).ravel(), "shape"),
        Mistake("packed in uint8", _overflowing, "overflow"),
        Mistake("BGR", lambda c, p, v=255: colors_to_labels(c[..., ::-1], p, v), "channels"),
    ),
    alternatives=(_packed, _with_loops, _compared),
    points=2,
    minutes=10,
    difficulty=1,
)
