"""Answers to parts A and B of lesson 2 (formats, classes, splits), written from their statements alone."""

import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import torch

from tests.exercises.blind import Wrong

N = np.array
U8 = np.uint8


# 2.1 colors_to_labels(colors, palette, void=255)
def by_color(colors, palette, void=255, same=lambda c, p: (c == p).all(-1), dtype=int):
    labels = np.full(colors.shape[:2], void, dtype=dtype)
    for k, color in enumerate(palette):
        labels[same(colors, color)] = k
    return labels


def nearest(colors, palette, void=255):
    distance = np.abs(colors[:, :, None].astype(int) - palette.astype(int)).sum(-1)
    return distance.argmin(-1)


def near(allowed):
    return lambda c, p: (np.abs(c.astype(int) - p.astype(int)) <= allowed).all(-1)


def keyed(weights):
    def answer(colors, palette, void=255):
        key = [sum(int(c) * w for c, w in zip(color, weights, strict=True)) for color in palette.tolist()]
        table = {k: number for number, k in enumerate(key)}
        codes = (colors.astype(int) * N(weights)).sum(-1)
        return N([[table.get(int(code), void) for code in row] for row in codes])

    return answer


def table_of_tuples(colors, palette, void=255):
    table = {tuple(color): k for k, color in enumerate(palette.tolist())}
    return [[table.get(tuple(pixel), void) for pixel in row] for row in colors.tolist()]


def colors_torch(colors, palette, void=255):
    same = (torch.as_tensor(colors)[:, :, None] == torch.as_tensor(palette)).all(-1)
    return torch.where(same.any(-1), same.int().argmax(-1), void)


def sum_of_squares_8_bit(colors, palette, void=255):
    return by_color(colors, palette, void, lambda c, p: ((c - p) ** 2).sum(-1, dtype=U8) == 0)


PALETTE = N([[0, 0, 0], [128, 0, 0], [0, 128, 0], [0, 0, 128], [128, 128, 0]], dtype=U8)
COLORS = PALETTE[N([[0, 1, 2], [3, 4, 0]])]
OTHER = N([[[224, 224, 192], [1, 0, 0], [128, 0, 1]]], dtype=U8)
LONG = np.stack([np.arange(300) % 256, np.arange(300) // 256, np.zeros(300)], axis=1).astype(U8)
W21 = [
    Wrong(
        "any channel",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: (a == b).any(-1)),
        (COLORS, PALETTE, 255),
        "all channels",
    ),
    Wrong(
        "sum of the channels",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: a.sum(-1) == int(b.sum())),
        (COLORS, PALETTE, 255),
        "sum",
    ),
    Wrong(
        "mean gray",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: a.mean(-1) == b.mean()),
        (COLORS, PALETTE, 255),
        "sum",
    ),
    Wrong(
        "red only",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: a[..., 0] == b[0]),
        (COLORS, PALETTE, 255),
        "all channels",
    ),
    Wrong(
        "red and green",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: (a[..., :2] == b[:2]).all(-1)),
        (COLORS, PALETTE, 255),
        "all channels",
    ),
    Wrong("BGR", lambda c, p, void=255: by_color(c[..., ::-1], p, void), (COLORS, PALETTE, 255), "bgr"),
    Wrong("nearest", nearest, (OTHER, PALETTE, 255), "exactly"),
    Wrong("within 1", lambda c, p, void=255: by_color(c, p, void, near(1)), (OTHER, PALETTE, 255), "exactly"),
    Wrong("within 8", lambda c, p, void=255: by_color(c, p, void, near(8)), (OTHER, PALETTE, 255), "exactly"),
    Wrong(
        "allclose",
        lambda c, p, void=255: by_color(c, p, void, lambda a, b: np.isclose(a, b, rtol=0.01).all(-1)),
        (N([[[129, 0, 0]]], U8), PALETTE, 255),
        "exactly",
    ),
    Wrong("always 255", lambda c, p, void=255: by_color(c, p, 255), (OTHER, PALETTE, 0), "void"),
    Wrong("others are 0", lambda c, p, void=255: by_color(c, p, 0), (OTHER, PALETTE, 255), "void"),
    Wrong("others are -1", lambda c, p, void=255: by_color(c, p, -1), (OTHER, PALETTE, 255), "void"),
    Wrong("8-bit labels", lambda c, p, void=255: by_color(c, p, void, dtype=U8), (LONG[None], LONG, 65535), "8 bits"),
    Wrong("counted from 1", lambda c, p, void=255: by_color(c, p, void - 1) + 1, (COLORS, PALETTE, 255), "from 0"),
    Wrong("key of base 10", keyed((100, 10, 1)), (N([[[0, 10, 0]]], U8), N([[0, 0, 100]], U8), 255), "key"),
    Wrong("width x height", lambda c, p, void=255: by_color(c, p, void).T, (COLORS, PALETTE, 255), "height and width"),
    Wrong("H x W x 1", lambda c, p, void=255: by_color(c, p, void)[..., None], (COLORS, PALETTE, 255), "shape"),
    Wrong("8-bit squares", sum_of_squares_8_bit, (N([[[16, 0, 0]]], U8), PALETTE, 255), "8 bits"),
    Wrong(
        "void above the palette",
        lambda c, p, void=255: by_color(c, p[: len(p) - 1], void),
        (COLORS, PALETTE, 255),
        "last",
    ),
]
R21 = [
    ("lists", table_of_tuples),
    ("torch", colors_torch),
    ("key", keyed((65536, 256, 1))),
    ("float32", lambda *a: by_color(*a).astype(np.float32)),
    ("object", lambda *a: by_color(*a).astype(object)),
]


# 2.2 decode_rle(counts, height, width)
def runs(counts, first=0):
    pixels = []
    for number, run in enumerate(counts):
        pixels += [(number + first) % 2] * int(run)
    return pixels


def rle(counts, height, width, first=0, order="F"):
    return N(runs(counts, first), dtype=bool).reshape((height, width), order=order)


def rle_cast(dtype):
    return lambda counts, h, w: rle(np.asarray(counts).astype(dtype).astype(int) % 2**31, h, w)


def rle_loops(counts, height, width):
    mask, place = [[False] * width for _ in range(height)], 0
    for number, run in enumerate(counts):
        for pixel in range(place, place + run):
            mask[pixel % height][pixel // height] = number % 2 == 1
        place += run
    return mask


def rle_pairs(counts, height, width):
    """Start and length of each run of 1."""
    flat = np.zeros(height * width, dtype=bool)
    for start, length in zip(counts[0::2], counts[1::2], strict=False):
        flat[start : start + length] = True
    return flat.reshape((height, width), order="F")


def rle_skips_empty(counts, height, width):
    return rle([run for run in counts if run], height, width)


def rle_by_ends(counts, height, width):
    flat = np.zeros(height * width, dtype=bool)
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))
    for start, end in zip(ends[0::2], ends[1::2], strict=False):
        flat[start:end] = True
    return flat.reshape(width, height).T


def rle_inclusive(counts, height, width):
    flat = np.zeros(height * width + 1, dtype=bool)
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))
    for start, end in zip(ends[0::2], ends[1::2], strict=False):
        flat[start : end + 1] = True
    return flat[:-1].reshape(width, height).T


def rle_last_missing(counts, height, width):
    flat = np.zeros(height * width, dtype=bool)
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))
    for number in range(1, len(counts) - 1, 2):
        flat[ends[number - 1] : ends[number]] = True
    return flat.reshape(width, height).T


RUNS = ([2, 1, 3], 2, 3)
W22 = [
    Wrong("along the rows", lambda c, h, w: rle(c, h, w, order="C"), RUNS, "columns"),
    Wrong("W x H", lambda c, h, w: N(runs(c)).reshape(w, h), RUNS, "columns"),
    Wrong("W x H down the columns", lambda c, h, w: rle(c, w, h), RUNS, "columns"),
    Wrong("transposed rows", lambda c, h, w: rle(c, h, w, order="C").T, RUNS, "columns"),
    Wrong("begins with 1", lambda c, h, w: rle(c, h, w, first=1), RUNS, "first run"),
    Wrong("empty first run skipped", rle_skips_empty, ([0, 2, 4], 2, 3), "empty run"),
    Wrong("starts and lengths", rle_pairs, ([1, 1, 1, 3], 2, 3), "runs"),
    Wrong("ends included", rle_inclusive, RUNS, "runs"),
    Wrong("last run of 1 missing", rle_last_missing, ([2, 4], 2, 3), "last run"),
    Wrong("flat", lambda c, h, w: runs(c), RUNS, "shape"),
    Wrong("8-bit runs", rle_cast(np.uint8), ([300, 100], 20, 20), "long runs"),
    Wrong("16-bit runs", rle_cast(np.uint16), ([70000, 10000], 400, 200), "long runs"),
    Wrong("upside down", lambda c, h, w: rle(c, h, w)[::-1], RUNS, "columns"),
    Wrong("from the right", lambda c, h, w: rle(c, h, w)[:, ::-1], ([0, 1, 5], 2, 3), "columns"),
    Wrong(
        "the runs' numbers", lambda c, h, w: np.repeat(np.arange(len(c)), c).reshape((h, w), order="F"), RUNS, "boolean"
    ),
    Wrong("255 inside", lambda c, h, w: rle(c, h, w) * 255, RUNS, "boolean"),
    Wrong("square", lambda c, h, w: rle(c, h, h), RUNS, "height and width"),
]
R22 = [
    ("loops", rle_loops),
    ("ends", rle_by_ends),
    ("torch ints", lambda c, h, w: torch.tensor(runs(c), dtype=torch.uint8).reshape(w, h).T),
    ("object", lambda c, h, w: rle(c, h, w).astype(object)),
]


# 2.3 panoptic_labels(colors, segments, void=255)
def ids_of(colors, dtype=np.int64, weights=(1, 256, 65536)):
    colors = colors.astype(dtype)
    with np.errstate(all="ignore"):
        return sum(colors[..., c] * N(weights[c]).astype(dtype) for c in range(3))


def panoptic(colors, segments, void=255, dtype=np.int64, weights=(1, 256, 65536), result=int):
    ids = ids_of(colors, dtype, weights)
    labels = np.full(ids.shape, void, dtype=result)
    for segment in segments:
        labels[ids == segment["id"]] = segment["category_id"]
    return labels


def in_the_ids(colors, segments, void=255):
    ids = ids_of(colors)
    for segment in segments:
        ids[ids == segment["id"]] = segment["category_id"]
    return np.where(np.isin(ids_of(colors), [s["id"] for s in segments]), ids, void)


def unlisted_keep(colors, segments, void=255):
    ids = ids_of(colors)
    found = panoptic(colors, segments, -1)
    return np.where(ids == 0, void, np.where(found < 0, ids, found))


def unlisted_raise(colors, segments, void=255):
    table = {s["id"]: s["category_id"] for s in segments} | {0: void}
    return N([[table[int(x)] for x in row] for row in ids_of(colors)])


def without(test):
    return lambda c, s, void=255: panoptic(c, [one for one in s if not test(one)], void)


def by_position(colors, segments, void=255):
    return panoptic(colors, [s | {"category_id": k} for k, s in enumerate(segments)], void)


def panoptic_lists(colors, segments, void=255):
    table = {s["id"]: s["category_id"] for s in segments}
    return [[table.get(r + 256 * g + 256**2 * b, void) for r, g, b in row] for row in colors.tolist()]


def panoptic_torch(colors, segments, void=255):
    ids = (torch.as_tensor(colors).long() * torch.tensor([1, 256, 65536])).sum(-1)
    labels = torch.full_like(ids, void)
    for s in segments:
        labels[ids == s["id"]] = s["category_id"]
    return labels


C23 = N([[[1, 0, 0], [44, 1, 0], [0, 0, 1]], [[0, 0, 0], [7, 7, 7], [0, 1, 0]]], dtype=U8)
S23 = [
    {"id": 1, "category_id": 300, "iscrowd": 0, "isthing": 1},
    {"id": 300, "category_id": 7, "iscrowd": 1},
    {"id": 65536, "category_id": 256, "iscrowd": 0},
    {"id": 256, "category_id": 9, "iscrowd": 0},
]
D23 = (C23, S23, 255)
W23 = [
    Wrong("8 bits", lambda c, s, void=255: panoptic(c, s, void, dtype=U8), D23, "overflow"),
    Wrong("16 bits", lambda c, s, void=255: panoptic(c, s, void, dtype=np.int16), D23, "overflow"),
    Wrong("16 bits, unsigned", lambda c, s, void=255: panoptic(c, s, void, dtype=np.uint16), D23, "overflow"),
    Wrong(
        "half precision",
        lambda c, s, void=255: panoptic(c, s, void, dtype=np.float16),
        (N([[[1, 16, 0]]], U8), [{"id": 4097, "category_id": 3}], 255),
        "overflow",
    ),
    Wrong("BGR", lambda c, s, void=255: panoptic(c[..., ::-1], s, void), D23, "bgr"),
    Wrong("no blue", lambda c, s, void=255: panoptic(c[..., :] * N([1, 1, 0], U8), s, void), D23, "blue"),
    Wrong("255 for 256", lambda c, s, void=255: panoptic(c, s, void, weights=(1, 255, 255**2)), D23, "256"),
    Wrong("256 for blue", lambda c, s, void=255: panoptic(c, s, void, weights=(1, 256, 512)), D23, "blue"),
    Wrong("written into the ids", in_the_ids, D23, "in place"),
    Wrong("unlisted keep their id", unlisted_keep, D23, "unlisted"),
    Wrong("unlisted raise", unlisted_raise, D23, "unlisted"),
    Wrong("unlisted are 0", lambda c, s, void=255: panoptic(c, s, 0), D23, "void"),
    Wrong("always 255", lambda c, s, void=255: panoptic(c, s, 255), (C23, S23, 0), "void"),
    Wrong("crowds left out", without(lambda s: s.get("iscrowd")), D23, "crowd"),
    Wrong("stuff left out", without(lambda s: not s.get("isthing", 0)), D23, "crowd"),
    Wrong("position in the list", by_position, D23, "category_id"),
    Wrong("8-bit labels", lambda c, s, void=255: panoptic(c, s, void).astype(U8), D23, "8-bit labels"),
    Wrong("the ids", lambda c, s, void=255: np.where(ids_of(c) == 0, void, ids_of(c)), D23, "category_id"),
    Wrong("first segment only", lambda c, s, void=255: panoptic(c, s[:1], void), D23, "all segments"),
]
R23 = [
    ("lists", panoptic_lists),
    ("torch", panoptic_torch),
    ("uint32 and float32", lambda c, s, void=255: panoptic(c, s, void, dtype=np.uint32).astype(np.float32)),
    ("object", lambda *a: panoptic(*a).astype(object)),
]


# 2.4 panoptic_colors(ids)
def digits(ids):
    ids = np.asarray(ids).astype(int)
    return np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1)


def digits_lists(ids):
    return [[[i & 255, i >> 8 & 255, i >> 16] for i in row] for row in np.asarray(ids).tolist()]


def digits_torch(ids):
    ids = torch.as_tensor(np.asarray(ids).astype(np.int64))
    return torch.stack([(ids >> shift) & 255 for shift in (0, 8, 16)], dim=2).to(torch.uint8)


def digits_bytes(ids):
    ids = np.ascontiguousarray(np.asarray(ids).astype("<u4"))
    return ids.view(U8).reshape(*ids.shape, 4)[..., :3]


I24 = N([[0, 1, 255], [256, 65536, 70000], [16777215, 255 * 256, 511]])
W24 = [
    Wrong("BGR", lambda i: digits(i)[..., ::-1], (I24,), "order"),
    Wrong("green not cut", lambda i: np.stack([i % 256, i // 256, i // 65536], -1), (I24,), "green"),
    Wrong("green cut by the cast only", lambda i: np.stack([i, i // 256, i // 65536], -1), (I24,), "red"),
    Wrong("base 255", lambda i: np.stack([i % 255, i // 255 % 255, i // 255**2], -1), (I24,), "base"),
    Wrong("true division", lambda i: np.stack([i % 256, i / 256 % 256, i / 65536], -1), (I24,), "whole"),
    Wrong(
        "rounded division",
        lambda i: np.stack([i % 256, np.round(i / 256) % 256, np.round(i / 65536)], -1),
        (I24,),
        "whole",
    ),
    Wrong("3 x H x W", lambda i: np.moveaxis(digits(i), -1, 0), (I24[:2],), "shape"),
    Wrong("no blue", lambda i: digits(i) * N([1, 1, 0]), (I24,), "blue"),
    Wrong("blue by 512", lambda i: np.stack([i % 256, i // 256 % 256, i // 512 % 256], -1), (I24,), "blue"),
    Wrong("ids in 16 bits", lambda i: digits(i.astype(np.uint16)), (I24,), "16 bits"),
    Wrong("ids in 8 bits", lambda i: digits(i.astype(U8)), (I24,), "16 bits"),
    Wrong("gray", lambda i: np.stack([i % 256] * 3, -1), (I24,), "blue"),
    Wrong("W x H x 3", lambda i: digits(i).swapaxes(0, 1), (I24,), "shape"),
    Wrong("signed 8-bit colors", lambda i: digits(i).astype(np.int8), (I24,), "0 to 255"),
    Wrong(
        "half precision", lambda i: digits(i.astype(np.float32).astype(np.float16).clip(0, 60000)), (I24,), "16 bits"
    ),
]
R24 = [
    ("lists", digits_lists),
    ("torch uint8", digits_torch),
    ("bytes", digits_bytes),
    ("object", lambda i: digits(i).astype(object)),
]


# 2.5 to_train_ids(ids, train_id_of, void=255)
def train(ids, train_id_of, void=255, dtype=int):
    labels = np.full(ids.shape, void, dtype=dtype)
    for number, train_id in train_id_of.items():
        labels[ids == number] = train_id
    return labels


def train_in_place(ids, train_id_of, void=255):
    labels = np.where(np.isin(ids, list(train_id_of)), ids, void).astype(int)
    for number, train_id in train_id_of.items():
        labels[labels == number] = train_id
    return labels


def train_writes(ids, train_id_of, void=255):
    keep = np.isin(ids, list(train_id_of))
    for number, train_id in train_id_of.items():
        ids[ids == number] = train_id
    ids[~keep] = void
    return ids


def table34(ids, train_id_of, void=255):
    table = np.full(34, void)
    for number, train_id in train_id_of.items():
        table[number] = train_id
    return table[ids]


def table_long(ids, train_id_of, void=255):
    table = np.full(max(int(ids.max()), *train_id_of) + 1, void)
    for number, train_id in train_id_of.items():
        table[number] = train_id
    return table[ids]


def falsy(ids, train_id_of, void=255):
    return N([[train_id_of.get(int(i)) or void for i in row] for row in ids])


def keeps(ids, train_id_of, void=255):
    return N([[train_id_of.get(int(i), int(i)) for i in row] for row in ids])


def inverted(ids, train_id_of, void=255):
    return train(ids, {b: a for a, b in train_id_of.items()}, void)


def by_key_error(ids, train_id_of, void=255):
    return N([[train_id_of[int(i)] for i in row] for row in ids])


def train_loops(ids, train_id_of, void=255):
    return [[train_id_of.get(i, void) for i in row] for row in ids.tolist()]


def train_torch(ids, train_id_of, void=255):
    labels = torch.full(ids.shape, void)
    for number, train_id in train_id_of.items():
        labels[torch.as_tensor(ids.astype(np.int64)) == number] = train_id
    return labels


T25 = {7: 0, 8: 1, 0: 7, 33: 18, 12: 8}
I25 = N([[7, 8, 0], [-1, 33, 5], [12, 0, 7]], dtype=np.int16)
D25 = (I25, T25, 255)
W25 = [
    Wrong("one after the other", train_in_place, D25, "in place"),
    Wrong("writes", train_writes, D25, "in place"),
    Wrong("table of 34", table34, (N([[-1, 33]]), T25, 255), "negative"),
    Wrong("table of 34, large id", table34, (N([[300, 7]]), T25, 255), "unknown"),
    Wrong("long table", table_long, (N([[-1, 33]]), T25, 255), "negative"),
    Wrong("0 is falsy", falsy, D25, "training id 0"),
    Wrong("others keep their id", keeps, D25, "others"),
    Wrong("others are 0", lambda i, t, void=255: train(i, t, 0), D25, "others"),
    Wrong("others are -1", lambda i, t, void=255: train(i, t, -1), D25, "others"),
    Wrong("always 255", lambda i, t, void=255: train(i, t, 255), (I25, T25, 19), "void"),
    Wrong("the other way", inverted, D25, "direction"),
    Wrong("KeyError", by_key_error, D25, "others"),
    Wrong(
        "8-bit ids",
        lambda i, t, void=255: train(i.astype(U8), t, void),
        (N([[263, -1]]), T25 | {255: 3}, 255),
        "unknown",
    ),
    Wrong("absolute ids", lambda i, t, void=255: train(np.abs(i), t, void), (N([[-7]]), T25, 255), "negative"),
    Wrong("-1 is 0", lambda i, t, void=255: train(np.maximum(i, 0), t, void), D25, "negative"),
    Wrong("8-bit result", lambda i, t, void=255: train(i, t, void).astype(U8), (I25, T25, 256), "8 bits"),
    Wrong("void 0 is void 255", lambda i, t, void=255: train(i, t, void or 255), (I25, T25, 0), "void"),
    Wrong(
        "position in the dictionary",
        lambda i, t, void=255: train(i, {k: n for n, k in enumerate(t)}, void),
        D25,
        "direction",
    ),
    Wrong("id 0 is void", lambda i, t, void=255: np.where(i == 0, void, train(i, t, void)), D25, "id 0"),
]
R25 = [
    ("lists", train_loops),
    ("torch", train_torch),
    ("vectorize", lambda i, t, void=255: np.vectorize(lambda x: t.get(int(x), void), otypes=[object])(i)),
    ("float32", lambda *a: train(*a).astype(np.float32)),
]


# 2.6 median_frequency_weights(label_maps, num_classes, void=255)
def median_weights(
    label_maps,
    k,
    void=255,
    around="valid",
    absent_in_median=False,
    absent=0.0,
    middle=np.median,
    invert=True,
    per_picture=False,
    dtype=np.int64,
):
    pixels, near, shares = np.zeros(k, dtype=dtype), np.zeros(k, dtype=dtype), [[] for _ in range(k)]
    for one in label_maps:
        one = np.asarray(one).astype(np.int64)
        valid = one[one != void]
        counts = np.bincount(valid, minlength=k)[:k].astype(dtype)
        size = {"valid": valid.size, "all": one.size}.get(around, valid.size)
        pixels += counts
        near += ((counts > 0) | (around == "everywhere")).astype(dtype) * np.asarray(size).astype(dtype)
        for c in range(k):
            if counts[c]:
                shares[c].append(counts[c] / size)
    with np.errstate(all="ignore"):
        f = pixels / near
    if per_picture:
        f = N([np.mean(s) if s else np.nan for s in shares])
    f[pixels == 0] = np.nan
    m = middle(np.nan_to_num(f)) if absent_in_median else middle(f[~np.isnan(f)])
    return np.where(np.isnan(f), absent, m / f if invert else f / m)


def median_variant(**changes):
    return lambda maps, k, void=255: median_weights(maps, k, void, **changes)


def median_fractions(label_maps, num_classes, void=255):
    counted = [Counter(v for v in np.asarray(one).ravel().tolist() if v != void) for one in label_maps]
    f = {}
    for c in range(num_classes):
        inside = [one for one in counted if one[c]]
        if inside:
            f[c] = Fraction(sum(one[c] for one in inside), sum(sum(one.values()) for one in inside))
    return [statistics.median(f.values()) / f[c] if c in f else 0 for c in range(num_classes)]


def median_torch(label_maps, num_classes, void=255):
    pixels, around = torch.zeros(num_classes, dtype=torch.float64), torch.zeros(num_classes, dtype=torch.float64)
    for one in label_maps:
        one = torch.as_tensor(np.asarray(one).astype(np.int64))
        for c in range(num_classes):
            if c != void and (one == c).any():
                pixels[c] += (one == c).sum()
                around[c] += (one != void).sum()
    f = pixels / around
    return torch.where(pixels > 0, f[pixels > 0].quantile(0.5) / f, 0.0).float()


def lower_median(values):
    return sorted(values)[(len(values) - 1) // 2]


M26 = [N([[0, 0, 0, 1], [0, 0, 2, 255]]), N([[0, 0, 0, 0]]), N([[1, 1], [0, 255]]), N([[3, 0, 0, 0, 0, 0]])]
D26 = (M26, 6, 255)
W26 = [
    Wrong("over all pictures", median_variant(around="everywhere"), D26, "pictures that show it"),
    Wrong("void in the size", median_variant(around="all"), D26, "void"),
    Wrong("absent in the median", median_variant(absent_in_median=True), D26, "absent"),
    Wrong("absent infinite", median_variant(absent=np.inf), D26, "absent"),
    Wrong("absent NaN", median_variant(absent=np.nan), D26, "absent"),
    Wrong("absent 1", median_variant(absent=1.0), D26, "absent"),
    Wrong("mean", median_variant(middle=np.mean), D26, "median"),
    Wrong("lower median", median_variant(middle=lower_median), D26, "even"),
    Wrong("upper median", median_variant(middle=lambda v: sorted(v)[len(v) // 2]), D26, "even"),
    Wrong("largest", median_variant(middle=np.max), D26, "median"),
    Wrong("only 1 / f", median_variant(middle=lambda v: 1.0), D26, "median"),
    Wrong("upside down", median_variant(invert=False), D26, "inverted"),
    Wrong("mean of the pictures' shares", median_variant(per_picture=True), D26, "per picture"),
    Wrong("always 255", lambda m, k, void=255: median_weights(m, k, 255), ([N([[0, 0, 1, 1, 1, 2]])], 3, 0), "void"),
    Wrong(
        "void as class 0",
        lambda m, k, void=255: median_weights([np.where(x == void, 0, x) for x in m], k, -1),
        D26,
        "void",
    ),
    Wrong("8-bit counts", median_variant(dtype=U8), ([np.arange(400) % 3, np.arange(300) % 2], 3, 255), "overflow"),
    Wrong(
        "16-bit counts", median_variant(dtype=np.int16), ([np.repeat([0, 1, 2], [40000, 100, 50])], 3, 255), "overflow"
    ),
    Wrong(
        "only the classes that exist",
        lambda m, k, void=255: (lambda w: w[w > 0])(median_weights(m, k, void)),
        D26,
        "absent",
    ),
    Wrong("weights sum to 1", lambda *a: median_weights(*a) / median_weights(*a).sum(), D26, "scaled"),
    Wrong("weights of mean 1", lambda *a: median_weights(*a) / median_weights(*a).mean(), D26, "scaled"),
    Wrong("only the first picture", lambda m, k, void=255: median_weights(m[:1], k, void), D26, "all pictures"),
]
R26 = [("fractions", median_fractions), ("torch", median_torch), ("list", lambda *a: list(median_weights(*a)))]


# 2.7 validation_frames(sequences, share)
def chosen(sequences, share, key=None, enough=None, together=None):
    counts = Counter(sequences)
    names = sorted(counts, key=key(counts, sequences) if key else lambda name: (counts[name], name))
    enough = enough or (lambda frames, n: frames >= share * n - 1e-9)
    picked, frames = set(), 0
    for name in names:
        if enough(frames, len(sequences)):
            break
        picked.add(name)
        frames += counts[name]
    return [name in picked for name in sequences]


def never_more(sequences, share):
    counts, picked, frames = Counter(sequences), set(), 0
    for name in sorted(counts, key=lambda one: (counts[one], one)):
        if frames + counts[name] <= share * len(sequences) + 1e-9:
            picked.add(name)
            frames += counts[name]
    return [name in picked for name in sequences]


def share_of_videos(sequences, share):
    counts = Counter(sequences)
    names = sorted(counts, key=lambda one: (counts[one], one))
    picked = set(names[: int(np.ceil(share * len(names) - 1e-9))])
    return [name in picked for name in sequences]


def runs_as_videos(sequences, share):
    numbered, number = [], -1
    for place, name in enumerate(sequences):
        number += place == 0 or name != sequences[place - 1]
        numbered.append((name, number))
    return chosen(numbered, share)


def frames_from_the_start(sequences, share):
    need = int(np.ceil(share * len(sequences) - 1e-9))
    return [place < need for place in range(len(sequences))]


def whole_videos_in_order(sequences, share):
    return chosen(sequences, share, key=lambda counts, s: s.index)


Q = ["b", "a", "c", "b", "d", "c", "a", "b", "e", "e", "e", "e"]
W27 = [
    Wrong("longest first", lambda s, p: chosen(s, p, key=lambda c, _: lambda n: (-c[n], n)), (Q, 0.3), "shortest"),
    Wrong("by name", lambda s, p: chosen(s, p, key=lambda c, _: lambda n: n), (Q, 0.3), "shortest"),
    Wrong("as they come", whole_videos_in_order, (Q, 0.3), "shortest"),
    Wrong(
        "ties as they come",
        lambda s, p: chosen(s, p, key=lambda c, q: lambda n: (c[n], q.index(n))),
        (["b", "a"], 0.5),
        "ties",
    ),
    Wrong(
        "ties: last name",
        lambda s, p: chosen(s, p, key=lambda c, q: lambda n: (c[n], [-ord(x) for x in n])),
        (["b", "a"], 0.5),
        "ties",
    ),
    Wrong("never more than the share", never_more, (Q, 0.3), "at least"),
    Wrong(
        "more than the share", lambda s, p: chosen(s, p, enough=lambda f, n: f > p * n), (["a", "b"], 0.5), "at least"
    ),
    Wrong("share of the videos", share_of_videos, (Q, 0.3), "frames"),
    Wrong("single frames", frames_from_the_start, (Q, 0.3), "whole videos"),
    Wrong("runs as videos", runs_as_videos, (Q, 0.3), "not together"),
    Wrong("rounded down", lambda s, p: chosen(s, p, enough=lambda f, n: f >= int(p * n)), (Q, 0.3), "rounded"),
    Wrong(
        "rounded", lambda s, p: chosen(s, p, enough=lambda f, n: f >= round(p * n)), (["a", "b", "c"], 0.4), "rounded"
    ),
    Wrong("the other way", lambda s, p: [not x for x in chosen(s, p)], (Q, 0.3), "inverted"),
    Wrong("names", lambda s, p: [n for n, x in zip(s, chosen(s, p), strict=True) if x], (Q, 0.3), "one per frame"),
    Wrong("one per video", lambda s, p: chosen(s, p)[: len(set(s))], (Q, 0.3), "one per frame"),
    Wrong("words", lambda s, p: ["val" if x else "train" for x in chosen(s, p)], (Q, 0.3), "true or false"),
    Wrong("one at least", lambda s, p: chosen(s, max(p, 1e-6)), (Q, 0.0), "share 0"),
    Wrong("percent", lambda s, p: chosen(s, p / 100), (Q, 0.3), "percent"),
    Wrong("never all", lambda s, p: chosen(s, min(p, 0.5)), (Q, 1.0), "all"),
    Wrong(
        "shortest name first",
        lambda s, p: chosen(s, p, key=lambda c, q: lambda n: (len(n), n)),
        (["a", "a", "bb"], 0.3),
        "shortest",
    ),
    Wrong("one video", lambda s, p: chosen(s, p, enough=lambda f, n: f > 0), (Q, 0.5), "at least"),
]


def chosen_loops(sequences, share):
    names = sorted(set(sequences), key=lambda one: (list(sequences).count(one), one))
    inside, flags = 0, np.zeros(len(sequences), dtype=int)
    for name in names:
        if Fraction(inside) >= Fraction(share).limit_denominator(10**6) * len(sequences):
            break
        for place, other in enumerate(sequences):
            if other == name:
                flags[place], inside = 1, inside + 1
    return flags


R27 = [("loops", chosen_loops), ("array", lambda *a: N(chosen(*a))), ("torch", lambda *a: torch.tensor(chosen(*a)))]

# Which hints name a mistake whose hint has another name, judged by reading them.
NAMES = {
    "2.1": {
        "all channels": ("exact",),
        "sum": ("exact",),
        "bgr": ("channels",),
        "exactly": (
            "close",
            "nearest",
        ),
        "8 bits": (
            "many",
            "overflow",
        ),
        "from 0": ("position",),
        "key": ("overflow",),
        "height and width": ("shape",),
        "last": ("position",),
    },
    "2.2": {
        "columns": (
            "shape",
            "side",
        ),
        "first run": ("inverse",),
        "empty run": ("first",),
        "runs": (
            "pairs",
            "shifted",
        ),
        "last run": ("run",),
        "shape": ("flat",),
        "long runs": ("long",),
        "boolean": ("numbers",),
        "height and width": ("flat",),
    },
    "2.3": {
        "overflow": ("blue",),
        "bgr": ("order",),
        "256": ("order",),
        "in place": ("in turn",),
        "crowd": ("all segments",),
        "category_id": ("category",),
        "8-bit labels": ("classes",),
    },
    "2.4": {
        "green": ("range",),
        "red": ("range",),
        "whole": ("division",),
        "shape": ("axis",),
        "16 bits": (
            "blue",
            "digits",
        ),
        "blue": ("digits",),
        "0 to 255": ("range",),
    },
    "2.5": {
        "in place": (
            "changed",
            "in turn",
        ),
        "negative": (
            "nobody",
            "zero",
        ),
        "unknown": ("nobody",),
        "training id 0": ("zero",),
        "others": (
            "raises",
            "unknown",
        ),
        "direction": (
            "inverse",
            "order",
        ),
        "8 bits": ("void",),
        "id 0": ("zero",),
    },
    "2.6": {
        "pictures that show it": ("occurs",),
        "inverted": ("upside down",),
        "per picture": ("pictures",),
        "overflow": ("large",),
        "all pictures": ("one picture",),
    },
    "2.7": {
        "shortest": (
            "names",
            "order",
        ),
        "at least": ("exactly",),
        "whole videos": ("whole",),
        "not together": ("whole",),
        "inverted": ("inverse",),
        "one per frame": ("per frame",),
        "share 0": ("nothing",),
        "all": ("everything",),
    },
}
WRONG = {"2.1": W21, "2.2": W22, "2.3": W23, "2.4": W24, "2.5": W25, "2.6": W26, "2.7": W27}
RIGHT = {"2.1": R21, "2.2": R22, "2.3": R23, "2.4": R24, "2.5": R25, "2.6": R26, "2.7": R27}
