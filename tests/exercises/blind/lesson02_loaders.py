"""Answers to parts C and D of lesson 2 (the tests of a loader), written from their statements alone."""

from collections import Counter

import numpy as np
import torch

from tests.exercises.blind import Wrong

N = np.array
U8 = np.uint8


# 2.8 invented_labels(stored, loaded, void=255)
def own(stored, loaded, void=255):
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        found |= set(np.unique(after).tolist()) - set(np.unique(before).tolist()) - {void}
    return sorted(found)


def all_files_together(stored, loaded, void=255):
    known = {x for one in stored for x in np.unique(one).tolist()}
    return sorted({x for one in loaded for x in np.unique(one).tolist()} - known - {void})


def per_pixel(stored, loaded, void=255):
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        found |= set(after[after != before].tolist())
    return sorted(found - {void})


def with_repeats(stored, loaded, void=255):
    found = []
    for before, after in zip(stored, loaded, strict=True):
        found += sorted(set(np.unique(after).tolist()) - set(np.unique(before).tolist()) - {void})
    return sorted(found)


def as_they_come(stored, loaded, void=255):
    found = []
    for before, after in zip(stored, loaded, strict=True):
        for x in after.ravel().tolist():
            if x not in before and x != void and x not in found:
                found.append(x)
    return found


def both_ways(stored, loaded, void=255):
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        found |= set(np.unique(after).tolist()) ^ set(np.unique(before).tolist())
    return sorted(found - {void})


def the_missing(stored, loaded, void=255):
    return own(loaded, stored, void)


def in_range(stored, loaded, void=255):
    found = set()
    for before, after in zip(stored, loaded, strict=True):
        values = set(np.unique(after).tolist())
        found |= {x for x in values if not before.min() <= x <= before.max() and x != void}
    return sorted(found)


def in_8_bit(stored, loaded, void=255):
    return own([x.astype(np.int8) for x in stored], [x.astype(np.int8) for x in loaded], int(N(void).astype(np.int8)))


def of_each(stored, loaded, void=255):
    return [own([a], [b], void) for a, b in zip(stored, loaded, strict=True)]


def invented_array(stored, loaded, void=255):
    parts = [np.setdiff1d(b, np.append(a.ravel(), void)) for a, b in zip(stored, loaded, strict=True)]
    return np.unique(np.concatenate([N([], dtype=int), *parts]))


def invented_torch(stored, loaded, void=255):
    return torch.tensor(own(stored, loaded, void), dtype=torch.float32)


def invented_loops(stored, loaded, void=255):
    found = []
    for number in range(len(stored)):
        known = [v for row in stored[number].tolist() for v in row]
        for row in loaded[number].tolist():
            for v in row:
                if v != void and v not in known and v not in found:
                    found.append(v)
    found.sort()
    return tuple(found)


A8 = [N([[0, 1], [4, 4]]), N([[2, 2, 200]])]
B8 = [N([[0, 2, 3]]), N([[255, 3], [1, 200]])]
D8 = (A8, B8, 255)
W28 = [
    Wrong("all files together", all_files_together, D8, "own file"),
    Wrong("the first picture", lambda a, b, void=255: own(a[:1], b[:1], void), D8, "all pictures"),
    Wrong("the last picture", lambda a, b, void=255: own(a[-1:], b[-1:], void), D8, "all pictures"),
    Wrong("pixel by pixel", per_pixel, ([N([[0, 1]])], [N([[1, 0]])], 255), "pixels moved"),
    Wrong("void reported", lambda a, b, void=255: own(a, b, -1), D8, "void"),
    Wrong("always 255", lambda a, b, void=255: own(a, b, 255), ([N([[1]])], [N([[0, 1]])], 0), "void"),
    Wrong(
        "255 too",
        lambda a, b, void=255: [x for x in own(a, b, void) if x != 255],
        ([N([[1]])], [N([[255, 1]])], 0),
        "void",
    ),
    Wrong("with repeats", with_repeats, D8, "each once"),
    Wrong("as they come", as_they_come, D8, "rising"),
    Wrong("falling", lambda *a: own(*a)[::-1], D8, "rising"),
    Wrong("both ways", both_ways, D8, "missing"),
    Wrong("the missing ones", the_missing, D8, "missing"),
    Wrong("outside the range", in_range, D8, "between"),
    Wrong("8 bits", in_8_bit, ([N([[0, 1]])], [N([[200, 1]])], 255), "8 bits"),
    Wrong("True or False", lambda *a: bool(own(*a)), D8, "list"),
    Wrong("how many", lambda *a: len(own(*a)), D8, "list"),
    Wrong("one list per picture", of_each, D8, "one list"),
    Wrong("0 never", lambda *a: [x for x in own(*a) if x], ([N([[1]])], [N([[0, 1]])], 255), "class 0"),
    Wrong(
        "below void",
        lambda a, b, void=255: [x for x in own(a, b, void) if x < void],
        ([N([[1]])], [N([[3, 1]])], 2),
        "void",
    ),
]
R28 = [("array", invented_array), ("torch", invented_torch), ("tuple by loops", invented_loops)]


# 2.9 counts_verdict(stored, loaded, void=255)
def tally(maps):
    return Counter(x for one in maps for x in np.asarray(one).ravel().tolist())


def verdict(
    stored,
    loaded,
    void=255,
    order=("ok", "pixels dropped", "void lost", "shifted by one", "changed"),
    fewer=lambda a, b, void: sum(b.values()) < sum(a.values()),
    lost=lambda a, b, void: a[void] > 0 and b[void] == 0,
    by=1,
    with_void=False,
    ok=None,
):
    a, b = tally(stored), tally(loaded)
    labels = {x for x in {*a, *b} if with_void or x != void}
    around = {x + d for x in labels for d in (-by, 0)} - (set() if with_void else {void})

    def is_shifted():
        source = {k: a[k + by] if k + by != void or with_void else 0 for k in around if k >= 0}
        return all(b[k] == source[k] for k in source)

    tests = {
        "ok": lambda: ok(stored, loaded, void) if ok else all(a[k] == b[k] for k in {*a, *b}),
        "pixels dropped": lambda: fewer(a, b, void),
        "void lost": lambda: lost(a, b, void),
        "shifted by one": is_shifted,
        "changed": lambda: True,
    }
    return next(word for word in order if tests[word]())


def verdict_variant(**changes):
    return lambda stored, loaded, void=255: verdict(stored, loaded, void, **changes)


def per_picture(stored, loaded, void=255):
    words = [verdict([a], [b], void) for a, b in zip(stored, loaded, strict=True)]
    return next((w for w in words if w != "ok"), "ok")


def histograms_8_bit(stored, loaded, void=255):
    def small(maps):
        counts = np.zeros(256, dtype=U8)
        for one in maps:
            counts += np.bincount(one.ravel(), minlength=256).astype(U8)
        return counts

    a, b = small(stored), small(loaded)
    return verdict([np.repeat(np.arange(256), a)], [np.repeat(np.arange(256), b)], void)


def verdict_arrays(stored, loaded, void=255):
    size = 1 + max(int(np.max(x, initial=0)) for x in [*stored, *loaded, N([void])]) + 1
    a, b = (
        sum((np.bincount(np.ravel(x).astype(int), minlength=size) for x in m), np.zeros(size, int))
        for m in (stored, loaded)
    )
    if (a == b).all():
        return "ok"
    if b.sum() < a.sum():
        return "pixels dropped"
    if a[void] and not b[void]:
        return "void lost"
    a[void] = b[void] = 0
    keep = np.arange(size - 1) != void
    return "Shifted by one" if (a[1:][keep] == b[:-1][keep]).all() else "changed"


F9 = [N([[0, 1, 2], [3, 255, 1]])]
SHIFT = [N([[255, 0, 1], [2, 255, 0]])]
W29 = [
    Wrong(
        "places matter",
        verdict_variant(ok=lambda s, p, v: all(np.array_equal(x, y) for x, y in zip(s, p, strict=True))),
        (F9, [F9[0][::-1]], 255),
        "places",
    ),
    Wrong(
        "only which labels",
        verdict_variant(ok=lambda s, p, v: {*tally(s)} == {*tally(p)}),
        (F9, [N([[0, 1, 2], [3, 255, 2]])], 255),
        "counts",
    ),
    Wrong(
        "only how many pixels",
        verdict_variant(ok=lambda s, p, v: sum(tally(s).values()) == sum(tally(p).values())),
        (F9, SHIFT, 255),
        "counts",
    ),
    Wrong(
        "ok without void",
        verdict_variant(ok=lambda s, p, v: tally(s) - Counter({v: 10**6}) == tally(p) - Counter({v: 10**6})),
        (F9, [F9[0][:, :2], F9[0][:, 2:], N([[255]])], 255),
        "void counts",
    ),
    Wrong(
        "more is dropped",
        verdict_variant(fewer=lambda a, b, v: sum(a.values()) != sum(b.values())),
        (F9, [*F9, N([[7]])], 255),
        "dropped",
    ),
    Wrong(
        "valid pixels dropped",
        verdict_variant(fewer=lambda a, b, v: sum(b.values()) - b[v] < sum(a.values()) - a[v]),
        (F9, SHIFT, 255),
        "dropped",
    ),
    Wrong(
        "fewer of some label",
        verdict_variant(fewer=lambda a, b, v: any(b[k] < a[k] for k in a)),
        (F9, SHIFT, 255),
        "dropped",
    ),
    Wrong("number of maps", verdict_variant(fewer=lambda a, b, v: False), (F9, [F9[0][:1]], 255), "dropped"),
    Wrong(
        "less void is lost",
        verdict_variant(lost=lambda a, b, v: b[v] < a[v]),
        ([N([[255, 255, 1]])], [N([[255, 0, 1]])], 255),
        "void lost",
    ),
    Wrong(
        "no void is lost",
        verdict_variant(lost=lambda a, b, v: b[v] == 0),
        ([N([[1, 2]])], [N([[1, 1]])], 255),
        "void lost",
    ),
    Wrong("up by one", verdict_variant(by=-1), (F9, SHIFT, 255), "direction"),
    Wrong("shift with void", verdict_variant(with_void=True), (F9, SHIFT, 255), "leaving void aside"),
    Wrong(
        "shift first",
        verdict_variant(order=("ok", "shifted by one", "pixels dropped", "void lost", "changed")),
        ([N([[1, 1]]), N([[255]])], [N([[0, 0]])], 255),
        "order",
    ),
    Wrong(
        "void first",
        verdict_variant(order=("ok", "void lost", "pixels dropped", "shifted by one", "changed")),
        (F9, [N([[0]])], 255),
        "order",
    ),
    Wrong(
        "void before ok",
        verdict_variant(
            order=("void lost", "shifted by one", "ok", "pixels dropped", "changed"), lost=lambda a, b, v: not b[v]
        ),
        ([N([[1]])], [N([[1]])], 255),
        "order",
    ),
    Wrong("picture by picture", per_picture, ([N([[0, 1]]), N([[1]])], [N([[0]]), N([[1, 1]])], 255), "together"),
    Wrong(
        "first picture",
        lambda a, b, void=255: verdict(a[:1], b[:1], void),
        ([N([[0]]), N([[1]])], [N([[0]]), N([[3]])], 255),
        "together",
    ),
    Wrong("always 255", lambda a, b, void=255: verdict(a, b, 255), ([N([[0, 1]])], [N([[1, 1]])], 0), "void"),
    Wrong("8-bit counts", histograms_8_bit, ([np.zeros((16, 16), int)], [np.zeros((16, 32), int)], 255), "overflow"),
    Wrong(
        "never changed",
        verdict_variant(order=("ok", "pixels dropped", "void lost", "shifted by one")),
        (F9, F9, 255),
        "changed",
    ),
    Wrong("True or False", lambda *a: verdict(*a) == "ok", (F9, SHIFT, 255), "word"),
]
W29[-2] = Wrong(
    "else shifted", lambda *a: verdict(*a).replace("changed", "shifted by one"), (F9, [F9[0] * 0 + 255], 255), "changed"
)
R29 = [("arrays", verdict_arrays), ("counters", verdict), ("array of text", lambda *a: str(np.str_(verdict(*a))))]


# 2.10 moved_together(images, labels)
def moved(images, labels, flip=lambda own: own[:, ::-1], same=None, mirrored_first=False):
    same = same or (lambda image, own: np.array_equal(np.asarray(image, float), 30.0 * np.asarray(own)))
    words = []
    for image, own_labels in zip(images, labels, strict=True):
        tests = [("together", same(image, own_labels)), ("mirrored", same(image, flip(own_labels)))]
        words.append(
            next((word for word, holds in (tests[::-1] if mirrored_first else tests) if holds), "another picture")
        )
    return words


def moved_variant(**changes):
    return lambda images, labels: moved(images, labels, **changes)


def whole_word(images, labels):
    words = moved(images, labels)
    return next((w for w in words if w != "together"), "together")


def any_flip(images, labels):
    """The image is flipped, or the labels are turned, whatever fits."""
    words = []
    for image, own_labels in zip(images, labels, strict=True):
        if (image == 30 * own_labels).all():
            words.append("together")
        else:
            fits = any(
                np.array_equal(image, 30 * x) for x in (own_labels[:, ::-1], own_labels[::-1], own_labels[::-1, ::-1])
            )
            words.append("mirrored" if fits else "another picture")
    return words


def moved_loops(images, labels):
    words = []
    for image, own_labels in zip(images, labels, strict=True):
        rows, found = [r.tolist() for r in own_labels], [r.tolist() for r in image]
        if found == [[30 * x for x in row] for row in rows]:
            words.append("together")
        elif found == [[30 * x for x in reversed(row)] for row in rows]:
            words.append("mirrored")
        else:
            words.append("another picture")
    return tuple(words)


def moved_torch(images, labels):
    words = []
    for image, own_labels in zip(images, labels, strict=True):
        image, own_labels = (torch.as_tensor(np.ascontiguousarray(x)).double() for x in (image, own_labels))
        fits = [torch.equal(image, x * 30) for x in (own_labels, own_labels.flip(1))]
        words.append("together" if fits[0] else "mirrored" if fits[1] else "another picture")
    return words


K = N([[0, 1, 2], [3, 3, 4]])
G10 = [30 * K, 30 * K[:, ::-1], 30 * K[::-1]]
D10 = (G10, [K, K, K])
W210 = [
    Wrong("upside down", moved_variant(flip=lambda x: x[::-1]), D10, "left to right"),
    Wrong("half turn", moved_variant(flip=lambda x: x[::-1, ::-1]), D10, "left to right"),
    Wrong("any flip", any_flip, D10, "left to right"),
    Wrong("mirrored first", moved_variant(mirrored_first=True), ([30 * N([[1, 2, 1]])], [N([[1, 2, 1]])]), "symmetric"),
    Wrong("some pixel", moved_variant(same=lambda i, o: (i == 30 * o).any()), D10, "every pixel"),
    Wrong(
        "most pixels",
        moved_variant(same=lambda i, o: (i == 30 * o).mean() > 0.5),
        ([30 * N([[0, 1, 5]])], [N([[0, 1, 2]])]),
        "every pixel",
    ),
    Wrong("the means", moved_variant(same=lambda i, o: i.mean() == (30 * o).mean()), D10, "every pixel"),
    Wrong(
        "within 30",
        moved_variant(same=lambda i, o: np.abs(i - 30 * o).max() <= 30),
        ([30 * K], [np.maximum(K - 1, 0)]),
        "every pixel",
    ),
    Wrong("one word for all", whole_word, D10, "one per probe"),
    Wrong("the first", lambda i, o: moved(i[:1], o[:1]), D10, "one per probe"),
    Wrong("True or False", lambda i, o: [w == "together" for w in moved(i, o)], D10, "words"),
    Wrong(
        "never another",
        lambda i, o: ["together" if w == "together" else "mirrored" for w in moved(i, o)],
        D10,
        "another picture",
    ),
    Wrong(
        "never mirrored", lambda i, o: [w.replace("mirrored", "another picture") for w in moved(i, o)], D10, "mirrored"
    ),
    Wrong("equal without 30", moved_variant(same=lambda i, o: np.array_equal(i, o)), D10, "gray"),
    Wrong("255 times", moved_variant(same=lambda i, o: np.array_equal(i, 255 * o)), D10, "gray"),
    Wrong(
        "sorted pixels",
        moved_variant(same=lambda i, o: np.array_equal(np.sort(i, None), np.sort(30 * o, None))),
        D10,
        "every pixel",
    ),
    Wrong(
        "first row",
        moved_variant(same=lambda i, o: np.array_equal(i[0], 30 * o[0])),
        ([30 * N([[1], [2]])], [N([[1], [3]])]),
        "every pixel",
    ),
    Wrong("same labels", moved_variant(same=lambda i, o: {*np.unique(i // 30)} == {*np.unique(o)}), D10, "every pixel"),
    Wrong("counts", lambda i, o: dict(Counter(moved(i, o))), D10, "one per probe"),
]
R210 = [("loops, tuple", moved_loops), ("torch", moved_torch), ("array", lambda *a: list(N(moved(*a), dtype=object)))]


# 2.11 pixels_verdict(pixels, image, mean, std)
def normalized(pixels, mean, std):
    return (np.asarray(pixels) / 255 - mean) / std


def explain(
    pixels,
    image,
    mean,
    std,
    order=("right", "BGR", "normalized twice", "not normalized"),
    near=lambda a, b: np.abs(a - b).max(initial=0) <= 1e-3 + 1e-9,
    bgr=None,
    twice=None,
    plain=None,
):
    mean, std, image = np.asarray(mean, float), np.asarray(std, float), np.asarray(image, float)
    first = normalized(pixels, mean, std)
    guesses = {
        "right": first,
        "BGR": bgr(pixels, mean, std) if bgr else normalized(pixels[..., ::-1], mean, std),
        "normalized twice": twice(first, mean, std) if twice else (first - mean) / std,
        "not normalized": plain(pixels) if plain else pixels / 255,
    }
    for word in order:
        guess = np.moveaxis(guesses[word], -1, 0)
        if guess.shape == image.shape and near(image, guess):
            return word
    return "other"


def explain_variant(**changes):
    return lambda pixels, image, mean, std: explain(pixels, image, mean, std, **changes)


def no_shape(pixels, image, mean, std):
    for word in ("right", "BGR", "normalized twice", "not normalized"):
        if explain(pixels, image, mean, std, order=(word,)) == word:
            return word
    np.abs(image - np.moveaxis(normalized(pixels, mean, std), -1, 0))
    return "other"


def no_moveaxis(pixels, image, mean, std):
    guess = normalized(pixels, mean, std)
    return explain(pixels, image, mean, std) if guess.shape == image.shape else "other"


def broadcasts(pixels, image, mean, std):
    full = np.broadcast_to(image, (3, *pixels.shape[:2])) if image.shape[1:] == (1, 1) else image
    return explain(pixels, full, mean, std)


def reshaped(pixels, image, mean, std):
    if image.size != pixels.size:
        return "other"
    return explain(pixels, image.reshape(3, *pixels.shape[:2]), mean, std)


def explain_loops(pixels, image, mean, std):
    height, width, _ = pixels.shape
    if tuple(image.shape) != (3, height, width):
        return "other"

    def fits(guess):
        return all(
            abs(float(image[c, y, x]) - guess(c, y, x)) <= 0.001 + 1e-9
            for c in range(3)
            for y in range(height)
            for x in range(width)
        )

    def first(c, y, x, source=None):
        return (int(pixels[y, x, c if source is None else source]) / 255 - mean[c]) / std[c]

    if fits(first):
        return "right"
    if fits(lambda c, y, x: first(c, y, x, 2 - c)):
        return "BGR"
    if fits(lambda c, y, x: (first(c, y, x) - mean[c]) / std[c]):
        return "normalized twice"
    return "not normalized" if fits(lambda c, y, x: int(pixels[y, x, c]) / 255) else "other"


def explain_torch(pixels, image, mean, std):
    image = torch.as_tensor(np.asarray(image)).double()
    x = torch.as_tensor(np.ascontiguousarray(pixels)).permute(2, 0, 1).double() / 255
    m, s = (torch.tensor(np.asarray(v, float)).reshape(3, 1, 1) for v in (mean, std))
    for word, guess in {
        "right": (x - m) / s,
        "BGR": (x.flip(0) - m) / s,
        "normalized twice": ((x - m) / s - m) / s,
        "not normalized": x,
    }.items():
        if guess.shape == image.shape and bool(((image - guess).abs() <= 0.001 + 1e-9).all()):
            return word
    return "other"


MEAN, STD = N([0.4, 0.45, 0.5]), N([0.2, 0.25, 0.3])
PX = N([[[10, 200, 90], [0, 255, 30]], [[60, 61, 62], [250, 3, 120]], [[9, 8, 70], [33, 44, 55]]], dtype=U8)


def chw(x):
    return np.moveaxis(x, -1, 0)


RIGHT_IMAGE = chw(normalized(PX, MEAN, STD))
BGR_IMAGE = chw(normalized(PX[..., ::-1], MEAN, STD))
TWICE = chw((normalized(PX, MEAN, STD) - MEAN) / STD)
OFF = RIGHT_IMAGE.copy()
OFF[1, 2, 1] += 0.0012
GRAY = np.repeat(PX[..., :1], 3, axis=-1)
ZERO, UNIT = np.zeros(3), np.ones(3)
W211 = [
    Wrong(
        "BGR with moved mean",
        explain_variant(bgr=lambda p, m, s: normalized(p, m, s)[..., ::-1]),
        (PX, BGR_IMAGE, MEAN, STD),
        "bgr",
    ),
    Wrong(
        "BGR not normalized", explain_variant(bgr=lambda p, m, s: p[..., ::-1] / 255), (PX, BGR_IMAGE, MEAN, STD), "bgr"
    ),
    Wrong(
        "green and blue",
        explain_variant(bgr=lambda p, m, s: normalized(p[..., [0, 2, 1]], m, s)),
        (PX, BGR_IMAGE, MEAN, STD),
        "bgr",
    ),
    Wrong("twice with 255", explain_variant(twice=lambda f, m, s: (f / 255 - m) / s), (PX, TWICE, MEAN, STD), "twice"),
    Wrong("twice doubled", explain_variant(twice=lambda f, m, s: 2 * f), (PX, TWICE, MEAN, STD), "twice"),
    Wrong("not divided", explain_variant(plain=lambda p: p * 1.0), (PX, chw(PX / 255), MEAN, STD), "plain"),
    Wrong("divided by 256", explain_variant(plain=lambda p: p / 256), (PX, chw(PX / 255), MEAN, STD), "plain"),
    Wrong(
        "BGR first",
        explain_variant(order=("BGR", "right", "normalized twice", "not normalized")),
        (GRAY, chw(normalized(GRAY, MEAN, STD)), MEAN, STD),
        "first",
    ),
    Wrong(
        "plain first",
        explain_variant(order=("not normalized", "right", "BGR", "normalized twice")),
        (PX, chw(PX / 255), ZERO, UNIT),
        "first",
    ),
    Wrong(
        "twice first",
        explain_variant(order=("normalized twice", "right", "BGR", "not normalized")),
        (PX, chw(PX / 255), ZERO, UNIT),
        "first",
    ),
    Wrong(
        "plain before BGR",
        explain_variant(order=("right", "not normalized", "BGR", "normalized twice")),
        (PX, chw(PX[..., ::-1] / 255)[::-1], ZERO, UNIT),
        "first",
    ),
    Wrong(
        "exactly", explain_variant(near=lambda a, b: (a == b).all()), (PX, RIGHT_IMAGE + 5e-4, MEAN, STD), "tolerance"
    ),
    Wrong(
        "up to 0.01",
        explain_variant(near=lambda a, b: np.abs(a - b).max(initial=0) <= 0.01),
        (PX, OFF, MEAN, STD),
        "tolerance",
    ),
    Wrong(
        "up to 0.0001",
        explain_variant(near=lambda a, b: np.abs(a - b).max(initial=0) <= 1e-4),
        (PX, RIGHT_IMAGE + 5e-4, MEAN, STD),
        "tolerance",
    ),
    Wrong(
        "mean error",
        explain_variant(near=lambda a, b: np.abs(a - b).mean() <= 1e-3),
        (PX, OFF, MEAN, STD),
        "every value",
    ),
    Wrong(
        "signed error",
        explain_variant(near=lambda a, b: (a - b).max(initial=0) <= 1e-3),
        (PX, RIGHT_IMAGE - 0.5, MEAN, STD),
        "every value",
    ),
    Wrong(
        "relative",
        explain_variant(near=lambda a, b: (np.abs(a - b) <= 1e-3 * np.abs(b) + 1e-9).all()),
        (PX, RIGHT_IMAGE + 8e-4, MEAN, STD),
        "tolerance",
    ),
    Wrong(
        "first pixel",
        explain_variant(near=lambda a, b: np.abs(a - b)[:, 0, 0].max() <= 1e-3),
        (PX, OFF, MEAN, STD),
        "every value",
    ),
    Wrong("other size fails", no_shape, (PX, RIGHT_IMAGE[:, :, :1].repeat(4, 2), MEAN, STD), "size"),
    Wrong("H x W x 3 compared", no_moveaxis, (PX, RIGHT_IMAGE, MEAN, STD), "axes"),
    Wrong(
        "broadcasting",
        broadcasts,
        (PX * 0, RIGHT_IMAGE[:, :1, :1] * 0 + chw(normalized(PX * 0, MEAN, STD))[:, :1, :1], MEAN, STD),
        "size",
    ),
    Wrong(
        "any shape",
        reshaped,
        (PX * 0 + 7, chw(normalized(PX * 0 + 7, MEAN, STD)).transpose(0, 2, 1), MEAN, STD),
        "size",
    ),
    Wrong("std not used", explain_variant(twice=lambda f, m, s: f - m), (PX, TWICE, MEAN, STD), "twice"),
    Wrong(
        "first channel's mean",
        lambda p, i, m, s: explain(p, i, [m[0]] * 3, [s[0]] * 3),
        (PX, RIGHT_IMAGE, MEAN, STD),
        "channel by channel",
    ),
]
W211[10] = Wrong(
    "no other", lambda *a: explain(*a).replace("other", "not normalized"), (PX, RIGHT_IMAGE * 3, MEAN, STD), "other"
)
R211 = [("loops", explain_loops), ("torch", explain_torch), ("guesses", explain)]


# 2.12 is_repeatable(first, second)
def repeatable(first, second, same=np.array_equal, items=lambda a, b: True, what=(0, 1)):
    if len(first) != len(second):
        return False
    return all(
        same(np.asarray(one[k]), np.asarray(two[k])) for one, two in zip(first, second, strict=True) for k in what
    )


def repeatable_variant(**changes):
    return lambda first, second: bool(repeatable(first, second, **changes))


def shortest(first, second):
    count = min(len(first), len(second))
    return repeatable(first[:count], second[:count])


def first_as_long(first, second):
    return len(second) >= len(first) and repeatable(first, second[: len(first)])


def any_order(first, second):
    left = list(second)
    for item in first:
        place = next((n for n, other in enumerate(left) if repeatable([item], [other])), None)
        if place is None:
            return False
        del left[place]
    return not left


def last_decides(first, second):
    if len(first) != len(second):
        return False
    result = True
    for one, two in zip(first, second, strict=True):
        result = repeatable([one], [two])
    return result


def some_equal(first, second):
    if len(first) != len(second):
        return False
    return not first or any(repeatable([a], [b]) for a, b in zip(first, second, strict=True))


def broadcast_equal(a, b):
    try:
        return bool((a == b).all())
    except ValueError:
        return False


def same_shapes_or_fail(a, b):
    return bool((a == b).all()) if a.shape == b.shape else bool(np.allclose(a, b))


def repeatable_loops(first, second):
    if len(first) - len(second):
        return 0
    for (image, labels), (other, others) in zip(first, second, strict=True):
        for a, b in ((image, other), (labels, others)):
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape or a.tolist() != b.tolist():
                return 0
    return 1


def repeatable_torch(first, second):
    if len(first) != len(second):
        return torch.tensor(False)
    pairs = [(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True)]
    return torch.tensor([torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in pairs]).all()


X1, Y1 = np.linspace(0, 1, 12).reshape(3, 2, 2), N([[0, 1], [2, 1]])
X2, Y2 = X1 + 1, Y1[::-1].copy()
ITEMS = [(X1, Y1), (X2, Y2), (X1 * 2, Y1)]
CLOSE = [(X1 * (1 + 1e-6), Y1), *ITEMS[1:]]
MIDDLE = [ITEMS[0], (X1, Y2), ITEMS[2]]
W212 = [
    Wrong("images only", repeatable_variant(what=(0,)), (ITEMS, [(X1, Y2), *ITEMS[1:]]), "labels"),
    Wrong("labels only", repeatable_variant(what=(1,)), (ITEMS, MIDDLE), "images"),
    Wrong(
        "nearly equal",
        repeatable_variant(same=lambda a, b: a.shape == b.shape and np.allclose(a, b)),
        (ITEMS, CLOSE),
        "last value",
    ),
    Wrong(
        "nearly equal, 1e-3",
        repeatable_variant(same=lambda a, b: a.shape == b.shape and np.allclose(a, b, atol=1e-3)),
        (ITEMS, [(X1 + 1e-4, Y1), *ITEMS[1:]]),
        "last value",
    ),
    Wrong("as many as the shorter", shortest, (ITEMS, ITEMS[:2]), "number"),
    Wrong("as many as the first", first_as_long, (ITEMS[:2], ITEMS), "number"),
    Wrong("shapes", repeatable_variant(same=lambda a, b: a.shape == b.shape), (ITEMS, MIDDLE), "values"),
    Wrong(
        "sums",
        repeatable_variant(same=lambda a, b: a.shape == b.shape and a.sum() == b.sum()),
        ([(12 * Y1, Y1)], [(12 * Y2, Y1)]),
        "values",
    ),
    Wrong(
        "sorted values",
        repeatable_variant(same=lambda a, b: np.array_equal(np.sort(a, None), np.sort(b, None))),
        (ITEMS, [(X1[:, ::-1], Y1), *ITEMS[1:]]),
        "values",
    ),
    Wrong("in any order", any_order, (ITEMS, ITEMS[::-1]), "order"),
    Wrong("only the last", last_decides, (ITEMS, MIDDLE), "every item"),
    Wrong("only the first", lambda a, b: len(a) == len(b) and repeatable(a[:1], b[:1]), (ITEMS, MIDDLE), "every item"),
    Wrong(
        "first and last",
        lambda a, b: len(a) == len(b) and repeatable(a[:1], b[:1]) and repeatable(a[-1:], b[-1:]),
        (ITEMS, MIDDLE),
        "every item",
    ),
    Wrong("some item", some_equal, (ITEMS, MIDDLE), "every item"),
    Wrong(
        "broadcasting",
        repeatable_variant(same=broadcast_equal),
        ([(np.ones((3, 1, 1)), N([[1]]))], [(np.ones((3, 2, 2)), N([[1]]))]),
        "shape",
    ),
    Wrong("only the count", lambda a, b: len(a) == len(b), (ITEMS, MIDDLE), "values"),
    Wrong("list equality", lambda a, b: a == b, (ITEMS, [(x.copy(), y.copy()) for x, y in ITEMS]), "arrays"),
    Wrong(
        "same objects",
        lambda a, b: len(a) == len(b) and all(x[0] is y[0] for x, y in zip(a, b, strict=True)),
        (ITEMS, [(x.copy(), y.copy()) for x, y in ITEMS]),
        "arrays",
    ),
    Wrong(
        "a list", lambda a, b: [repeatable([x], [y]) for x, y in zip(a, b, strict=False)], (ITEMS, MIDDLE), "one answer"
    ),
    Wrong("the other way", lambda a, b: not repeatable(a, b), (ITEMS, ITEMS), "inverted"),
    Wrong(
        "8-bit values",
        repeatable_variant(same=lambda a, b: np.array_equal((a * 255).astype(U8), (b * 255).astype(U8))),
        (ITEMS, CLOSE),
        "last value",
    ),
    Wrong(
        "set of images",
        lambda a, b: {x[0].tobytes() for x in a} == {x[0].tobytes() for x in b},
        (ITEMS, ITEMS[::-1]),
        "order",
    ),
]
R212 = [
    ("loops, 0 or 1", repeatable_loops),
    ("torch", repeatable_torch),
    ("numpy bool", lambda *a: np.bool_(repeatable(*a))),
]

# Which hints name a mistake whose hint has another name, judged by reading them.
NAMES = {
    "2.8": {
        "all pictures": ("all",),
        "pixels moved": ("places",),
        "each once": ("once",),
        "rising": ("once",),
        "missing": ("direction",),
        "between": ("range",),
        "8 bits": ("large",),
        "list": ("which",),
        "one list": ("once",),
        "class 0": ("zero",),
    },
    "2.9": {
        "places": ("place",),
        "void counts": ("more",),
        "dropped": ("more",),
        "void lost": (
            "some void",
            "void",
        ),
        "direction": ("shift",),
        "leaving void aside": ("shift",),
        "together": (
            "all",
            "place",
        ),
        "overflow": ("large",),
        "changed": ("shift",),
        "word": ("words",),
    },
    "2.10": {
        "left to right": ("axis",),
        "every pixel": ("exactly",),
        "one per probe": ("each",),
        "another picture": ("other",),
        "mirrored": ("never",),
        "gray": ("factor",),
    },
    "2.11": {
        "bgr": ("BGR",),
        "tolerance": (
            "close",
            "inside",
        ),
        "every value": (
            "close",
            "one value",
        ),
        "channel by channel": ("channels",),
    },
    "2.12": {
        "labels": ("both",),
        "images": ("both",),
        "every item": ("all",),
        "inverted": ("inverse",),
    },
}
WRONG = {"2.8": W28, "2.9": W29, "2.10": W210, "2.11": W211, "2.12": W212}
RIGHT = {"2.8": R28, "2.9": R29, "2.10": R210, "2.11": R211, "2.12": R212}
