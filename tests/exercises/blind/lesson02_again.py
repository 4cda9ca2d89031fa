"""Further wrong answers to lesson 2, unlike the first, written after the checks were repaired for those."""

from collections import Counter

import numpy as np

from tests.exercises.blind import Wrong
from tests.exercises.blind.lesson02 import (
    COLORS,
    D23,
    D25,
    D26,
    I24,
    PALETTE,
    RUNS,
    Q,
    by_color,
    chosen,
    digits,
    ids_of,
    median_weights,
    panoptic,
    rle,
    train,
)  # fmt: skip
from tests.exercises.blind.lesson02_loaders import (
    BGR_IMAGE,
    D8,
    D10,
    F9,
    MEAN,
    PX,
    RIGHT_IMAGE,
    STD,
    X1,
    Y1,
    explain,
    moved,
    own,
    repeatable,
    tally,
    verdict,
)  # fmt: skip

N = np.array
COLOR = (COLORS, PALETTE, 255)


def square_only(c, p, void=255):
    labels = np.full(c.shape[:2], void)
    labels[:, : len(c)] = by_color(c, p, void)[:, : len(c)]
    return labels


def ends_for_lengths(c, h, w):
    flat, start = np.zeros(h * w, dtype=bool), 0
    for number, end in enumerate(c):
        flat[start:end] = number % 2 == 1
        start = end
    return flat.reshape((h, w), order="F")


def closest(s, share):
    counts, picked, frames = Counter(s), set(), 0
    for name in sorted(counts, key=lambda n: (counts[n], n)):
        if abs(frames + counts[name] - share * len(s)) <= abs(frames - share * len(s)):
            picked.add(name)
            frames += counts[name]
    return [n in picked for n in s]


def alternate(s, share):
    names = sorted(set(s))
    step = max(1, round(1 / share)) if share else len(s) + 1
    return [names.index(n) % step == 0 and share > 0 for n in s]


def frequent_only(stored, loaded, void=255):
    found = set()
    for a, b in zip(stored, loaded, strict=True):
        found |= {x for x in own([a], [b], void) if (b == x).sum() > 1}
    return sorted(found)


def sorted_counts(a, b, void=255):
    return "ok" if sorted(tally(a).values()) == sorted(tally(b).values()) else verdict(a, b, void)


def any_constant(a, b, void=255):
    word = verdict(a, b, void)
    if word != "changed":
        return word
    return (
        "shifted by one"
        if any(verdict(a, [np.where(x == void, x, x + s) for x in b], void) == "ok" for s in (2, 3, -1, -2))
        else word
    )


def ranks(image, own_labels):
    return np.array_equal(np.unique(image, return_inverse=True)[1], np.unique(own_labels, return_inverse=True)[1])


def by_statistics(p, i, m, s):
    x = (p / 255 - m) / s
    return (
        "right" if i.size == p.size and np.allclose(i.mean((1, 2)), x.mean((0, 1)), atol=1e-3) else explain(p, i, m, s)
    )


def mirrored_is_right(p, i, m, s):
    word = explain(p, i, m, s)
    return explain(p, i[:, :, ::-1], m, s) if word == "other" else word


def as_text(a, b):
    return str(a) == str(b)


def rotated(faults):
    letters = "ABCDEFGHIJK"
    return {letters[n]: faults[(n + 1) % len(faults)] for n in range(len(faults))}


def exchanged(one, other):
    def answer(faults):
        swap = {one: other, other: one}
        return {letter: swap.get(f, f) for letter, f in zip("ABCDEFGHIJK", faults, strict=True)}

    return answer


NAMES = {
    "2.1": {"background": ("black",)},
    "2.8": {"all pixels": ("few",), "all": ("few",)},
    "2.12": {"values": ("text",)},
}
WRONG = {
    "2.1": [
        Wrong("square part only", square_only, (np.concatenate([COLORS, COLORS], 1), PALETTE, 255), "shape"),
        Wrong("palette backwards", lambda c, p, void=255: by_color(c, p[::-1], void), COLOR, "position"),
        Wrong(
            "void first",
            lambda c, p, void=255: np.where(by_color(c, p, -9) <= 0, void, by_color(c, p, -9)),
            COLOR,
            "background",
        ),
    ],
    "2.2": [
        Wrong("ends for lengths", ends_for_lengths, RUNS, "pairs"),
        Wrong("parity from the end", lambda c, h, w: rle(c, h, w, first=(len(c) + 1) % 2), ([2, 4], 2, 3), "inverse"),
        Wrong("the runs sorted", lambda c, h, w: rle(sorted(c), h, w), ([2, 1, 3], 2, 3), "run"),
    ],
    "2.3": [
        Wrong(
            "categories from 0",
            lambda c, s, void=255: panoptic(c, [x | {"category_id": x["category_id"] - 1} for x in s], void),
            D23,
            "category",
        ),
        Wrong("red and green exchanged", lambda c, s, void=255: panoptic(c[..., [1, 0, 2]], s, void), D23, "order"),
        Wrong(
            "the number of the id",
            lambda c, s, void=255: np.unique(ids_of(c), return_inverse=True)[1].reshape(c.shape[:2]),
            D23,
            "category",
        ),
    ],
    "2.4": [
        Wrong("from 1", lambda i: digits(np.maximum(i - 1, 0)), (I24,), "from 0"),
        Wrong("red and green exchanged", lambda i: digits(i)[..., [1, 0, 2]], (I24,), "order"),
        Wrong(
            "a fourth channel", lambda i: np.concatenate([digits(i), 0 * digits(i)[..., :1] + 255], -1), (I24,), "axis"
        ),
    ],
    "2.5": [
        Wrong(
            "one higher", lambda i, t, void=255: np.where(train(i, t, -9) < 0, void, train(i, t, -9) + 1), D25, "order"
        ),
        Wrong("void where trained", lambda i, t, void=255: np.where(np.isin(i, list(t)), void, i), D25, "inverse"),
        Wrong("first id only", lambda i, t, void=255: train(i, dict(list(t.items())[:1]), void), D25, "all ids"),
    ],
    "2.6": [
        Wrong(
            "ENet",
            lambda m, k, void=255: np.where(
                median_weights(m, k, void) > 0, 1 / np.log(1.02 + 1 / np.maximum(median_weights(m, k, void), 1e-9)), 0
            ),
            D26,
            "median",
        ),
        Wrong("square root", lambda *a: np.sqrt(median_weights(*a)), D26, "scaled"),
        Wrong("at most 1", lambda *a: np.minimum(median_weights(*a), 1), D26, "scaled"),
    ],
    "2.7": [
        Wrong("closest to the share", closest, (Q, 0.3), "at least"),
        Wrong("every n-th video", alternate, (Q, 0.3), "order"),
        Wrong("share of the rest", lambda s, p: chosen(s, p / (1 + p)), (Q, 0.5), "at least"),
    ],
    "2.8": [
        Wrong("more than one pixel", frequent_only, D8, "all pixels"),
        Wrong("texts", lambda *a: [str(x) for x in own(*a)], D8, "which"),
        Wrong("the smallest", lambda *a: own(*a)[:1], D8, "all"),
    ],
    "2.9": [
        Wrong("counts sorted", sorted_counts, ([N([[0, 1]])], [N([[5, 9]])], 255), "counts"),
        Wrong("shifted by any number", any_constant, ([N([[2, 3]])], [N([[0, 1]])], 255), "shift"),
        Wrong(
            "changed for dropped",
            lambda *a: verdict(*a).replace("pixels dropped", "changed"),
            (F9, [F9[0][:1]], 255),
            "dropped",
        ),
    ],
    "2.10": [
        Wrong("ranks", lambda i, o: moved(i, o, same=ranks), ([N([[0, 1]])], [N([[0, 1]])]), "factor"),
        Wrong(
            "first column",
            lambda i, o: moved(i, o, same=lambda x, y: (x[:, 0] == 30 * y[:, 0]).all()),
            ([30 * N([[1, 2]])], [N([[1, 3]])]),
            "every pixel",
        ),
        Wrong("backwards", lambda i, o: moved(i, o)[::-1], D10, "each"),
    ],
    "2.11": [
        Wrong("statistics", by_statistics, (PX, RIGHT_IMAGE[:, :, ::-1], MEAN, STD), "every value"),
        Wrong("mirrored is right", mirrored_is_right, (PX, RIGHT_IMAGE[:, :, ::-1], MEAN, STD), "every value"),
        Wrong("RGB for BGR", lambda *a: explain(*a).replace("BGR", "right"), (PX, BGR_IMAGE, MEAN, STD), "BGR"),
    ],
    "2.12": [
        Wrong(
            "as text",
            as_text,
            ([(np.zeros((3, 40, 40)), Y1)], [(np.pad(np.ones((3, 1, 1)), ((0, 0), (20, 19), (20, 19))), Y1)]),
            "values",
        ),
        Wrong(
            "difference sums to 0",
            lambda a, b: repeatable(a, b, same=lambda x, y: x.shape == y.shape and (x * 1.0 - y).sum() == 0),
            ([(N([[[1, 2]]]), Y1)], [(N([[[2, 1]]]), Y1)]),
            "values",
        ),
        Wrong(
            "first channel",
            lambda a, b: repeatable([(x[:1], y) for x, y in a], [(x[:1], y) for x, y in b]),
            ([(X1, Y1)], [(np.concatenate([X1[:1], X1[1:] + 1]), Y1)]),
            "values",
        ),
    ],
    "2.13": [
        Wrong("each one further", rotated, (), "general"),
        Wrong("twice and BGR", exchanged("normalization twice", "BGR"), (), "pixels"),
        Wrong("crop and off-by-one", exchanged("crop drop", "off-by-one class"), (), "counts"),
        Wrong(
            "shuffled taken for right",
            lambda f: {k: v.replace("shuffled pairs", "none") for k, v in exchanged("", "")(f).items()},
            (),
            "right",
        ),
        Wrong("twice and right", exchanged("normalization twice", "none"), (), "pixels"),
    ],
}
RIGHT = {"2.13": [("letters in order", lambda f: dict(zip("ABCDEFGHIJK", f, strict=True)))]}
