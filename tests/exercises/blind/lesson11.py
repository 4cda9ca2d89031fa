"""Answers to 11.1 to 11.8, each way of thinking in code of its own: what a learner writes, and what else they write."""

from __future__ import annotations

import copy
import math
import statistics

import numpy as np
import torch
from scipy import ndimage, optimize, special
from torch import nn

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(111)


# 11.1 reestimate(network, batches, prior)
def _layer(kind, channels=2):
    if kind == "norm":
        return {
            "kind": "norm",
            "weight": _RNG.uniform(0.5, 2, channels),
            "bias": _RNG.normal(size=channels),
            "mean": _RNG.normal(size=channels),
            "variance": _RNG.uniform(1, 2, channels),
            "momentum": 0.2,
            "training": False,
        }
    if kind == "convolution":
        return {
            "kind": kind,
            "weight": _RNG.normal(size=(channels, channels, 1, 1)),
            "bias": _RNG.normal(size=channels),
        }
    return {"kind": kind}


def _batch(count):
    return _RNG.normal(1, 2, (count, 2, 3, 3))


ONE = ([_layer("norm")], [_batch(3)], 0)
MIXED = ([_layer("norm")], [_batch(3), _batch(1)], 4)
DEEP = ([_layer("convolution"), _layer("norm"), _layer("relu"), _layer("norm")], [_batch(2), _batch(5)], 3)
DROPS = ([_layer("norm"), _layer("dropout"), _layer("norm")], [_batch(4)], 1)
LEARNING = ([{**_layer("norm"), "training": True}, _layer("relu")], [_batch(2), _batch(2)], 2)


def norms_of(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]


def mixed(network, batches, prior, *, share=None, start=None, on=None, after=None, seen=None):
    """Momentum by momentum; a switch for each way to go wrong."""
    state = [(layer, layer.training, getattr(layer, "momentum", None)) for layer in network.modules()]
    network.eval()
    for layer in norms_of(network):
        layer.train()
    if on is not None:
        on(network)
    if start is not None:
        for layer in norms_of(network):
            start(layer)
    total = prior
    for batch in batches if seen is None else seen(batches):
        total += len(batch)
        for layer in norms_of(network):
            layer.momentum = len(batch) / total if share is None else share(len(batch), total, prior, layer)
        with torch.no_grad():
            network(batch)
    for layer, training, momentum in state:
        layer.training = training
        if momentum is not None:
            layer.momentum = momentum
    if after is not None:
        after(network)


def _mixed(name, shown_by, about, **change):
    return Wrong(name, lambda *given: mixed(*given, **change), shown_by, about)


def as_pytorch_does(network, batches, prior):
    """The lesson's way: a plain average, and the network left in evaluation mode."""
    for layer in norms_of(network):
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    network.eval()


def with_an_optimizer(network, batches, prior):
    optimizer = torch.optim.Adam(network.parameters(), 0.1)
    for batch in batches:
        optimizer.zero_grad()
        network(batch).mean().backward()
        optimizer.step()
    mixed(network, batches, prior)


def from_all_pictures(network, batches, prior):
    """One mean and variance over everything, as textbooks define them."""
    mixed(network, [torch.cat(batches)], prior)


def nothing_is_recorded(network, batches, prior):
    with torch.no_grad():
        for batch in batches:
            network.eval()(batch)


W111 = [
    _mixed("0.1", ONE, "momentum", share=lambda n, t, prior, layer: 0.1),
    _mixed("the share of the old ones", MIXED, "momentum", share=lambda n, t, prior, layer: 1 - n / t),
    _mixed("the prior forgotten", MIXED, "prior", share=lambda n, t, prior, layer: n / (t - prior)),
    _mixed("reset before", MIXED, "prior", start=lambda layer: layer.reset_running_stats()),
    _mixed("each batch replaces", MIXED, "batches", share=lambda n, t, prior, layer: 1.0),
    Wrong("one large batch", from_all_pictures, MIXED, "batches"),
    _mixed("one picture at a time", MIXED, "batches", seen=lambda batches: torch.cat(batches).split(1)),
    _mixed("all in training mode", DROPS, "dropout", on=lambda network: network.train()),
    _mixed("evaluation mode afterwards", LEARNING, "restore", after=lambda network: network.eval()),
    _mixed("training mode afterwards", DROPS, "restore", after=lambda network: network.train()),
    Wrong("evaluation mode all along", nothing_is_recorded, ONE, "mode"),
    _mixed("weights begin anew", DEEP, "affine", start=lambda layer: layer.reset_parameters()),
    Wrong("trained", with_an_optimizer, ONE, "weights"),
    Wrong("as the lesson does", as_pytorch_does, DEEP, "batches"),
]


def by_formula(network, batches, prior):
    """Hooks on what goes in; the network's own statistics are not asked while the pictures pass."""
    layers = norms_of(network)
    before = {layer: (layer.running_mean.clone(), layer.running_var.clone(), layer.momentum) for layer in layers}
    modes = {layer: layer.training for layer in network.modules()}
    sums = {layer: [prior * one for one in before[layer][:2]] for layer in layers}

    def look(layer, given):
        x = given[0]
        n = x.numel() / x.shape[1]
        mean = x.mean((0, 2, 3))
        variance = ((x - mean[:, None, None]) ** 2).sum((0, 2, 3)) / (n - 1)
        sums[layer] = [sums[layer][0] + len(x) * mean, sums[layer][1] + len(x) * variance]

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    network.eval()
    for layer in layers:
        layer.training = True
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for hook in hooks:
        hook.remove()
    count = prior + sum(len(batch) for batch in batches)
    for layer in layers:
        layer.running_mean.copy_(sums[layer][0] / count)
        layer.running_var.copy_(sums[layer][1] / count)
    for layer, training in modes.items():
        layer.training = training


R111 = [("by momentum", mixed), ("by formula", by_formula)]


# 11.2 calibration_error(probabilities, target, bins, ignore)
def _pixels(classes, count, void):
    logits = _RNG.normal(0, 2, (classes, 1, count))
    labels = np.where(_RNG.random((1, count)) < 0.6, logits.argmax(0), _RNG.integers(0, classes, (1, count)))
    labels[0, ::5] = void
    return special.softmax(logits, 0), labels


CLEAR = (*_pixels(3, 40, 255), 10, 255)
ON_EDGES = (np.array([[[0.5, 0.75, 0.75, 1.0]], [[0.5, 0.25, 0.25, 0.0]]]), np.array([[0, 1, 0, 0]]), 4, 255)


def reliability(
    probabilities, target, bins, ignore, *, keep=None, sure=None, hit=None, bin_of=None, total=None, gap=None
):
    known = target.ravel() != ignore if keep is None else keep(target.ravel(), ignore)
    scores = probabilities.reshape(len(probabilities), -1)[:, known]
    labels = target.ravel()[known]
    confidence = scores.max(0) if sure is None else sure(scores, labels)
    right = (scores.argmax(0) == labels) * 1.0 if hit is None else hit(scores, labels)
    number = np.ceil(confidence * bins).astype(int) - 1 if bin_of is None else bin_of(confidence, bins)
    rows = [(confidence[number == m], right[number == m]) for m in range(bins)]
    gaps = [(c.mean() - r.mean() if gap is None else gap(c, r)) if len(c) else math.nan for c, r in rows]
    pairs = [(len(c), g) for (c, _), g in zip(rows, gaps, strict=True) if len(c)]
    if total is not None:
        return total(pairs, bins, target), gaps
    return sum(n * abs(g) for n, g in pairs) / sum(n for n, _ in pairs), gaps


def _reliability(name, shown_by, about, **change):
    return Wrong(name, lambda *given: reliability(*given, **change), shown_by, about)


def void_is_wrong(probabilities, target, bins, ignore):
    return reliability(probabilities, target, bins, ignore, keep=lambda labels, ignore: np.ones(len(labels), bool))


W112 = [
    Wrong("void is wrong", void_is_wrong, CLEAR, "void"),
    _reliability("over all pixels", CLEAR, "void", total=lambda p, m, t: sum(n * abs(g) for n, g in p) / t.size),
    _reliability("over the bins", CLEAR, "weights", total=lambda p, m, t: sum(abs(g) for _, g in p) / m),
    _reliability("over filled bins", CLEAR, "weights", total=lambda p, m, t: sum(abs(g) for _, g in p) / len(p)),
    _reliability("the label's probability", CLEAR, "answer", sure=lambda s, y: s[y, np.arange(len(y))]),
    _reliability("its probability as a hit", CLEAR, "answer", hit=lambda s, y: s[y, np.arange(len(y))]),
    _reliability("down", ON_EDGES, "edges", bin_of=lambda c, m: np.minimum((c * m).astype(int), m - 1)),
    _reliability("histogram", ON_EDGES, "edges",
                 bin_of=lambda c, m: np.clip(np.digitize(c, np.linspace(0, 1, m + 1)) - 1, 0, m - 1)),
    _reliability("signed", CLEAR, "amount", total=lambda p, m, t: sum(n * g for n, g in p) / sum(n for n, _ in p)),
    _reliability("worst bin", CLEAR, "amount", total=lambda p, m, t: max(abs(g) for _, g in p)),
    _reliability("percent", CLEAR, "amount",
                 total=lambda p, m, t: 100 * sum(n * abs(g) for n, g in p) / sum(n for n, _ in p)),
    _reliability("accuracy first", CLEAR, "gap", gap=lambda c, r: r.mean() - c.mean()),
    _reliability("amounts", CLEAR, "gap", gap=lambda c, r: abs(c.mean() - r.mean())),
]  # fmt: skip


def sorted_and_cut(probabilities, target, bins, ignore):
    flat = [
        (probabilities[:, i, j].max(), int(probabilities[:, i, j].argmax() == target[i, j]))
        for i, j in np.argwhere(target != ignore)
    ]
    flat.sort()
    gaps, error, at = np.full(bins, np.nan), 0.0, 0
    for m in range(bins):
        part = []
        while at < len(flat) and flat[at][0] * bins <= m + 1:
            part.append(flat[at])
            at += 1
        if part:
            gaps[m] = statistics.fmean(one for one, _ in part) - statistics.fmean(one for _, one in part)
            error += abs(gaps[m]) * len(part) / len(flat)
    return error, gaps


R112 = [("by bins", reliability), ("sorted", sorted_and_cut)]


# 11.3 best_temperature(logits, target, ignore)
def _given(classes, count, strength, void):
    honest = _RNG.normal(0, 1.5, (classes, 1, count))
    chances = special.softmax(honest, 0)[:, 0].T
    labels = np.array([[_RNG.choice(classes, p=row) for row in chances]])
    labels[0, ::7] = void
    labels[0, 1] = 0
    return strength * honest, labels, void


SURE, MODEST = _given(3, 150, 3.0, 255), _given(4, 120, 0.4, -1)
HUGE = (np.tile(np.array([55.0, -55.0])[:, None, None], (1, 1, 12)), np.array([[0] * 11 + [1]]), 255)


def cooled(logits, target, ignore, *, turn=None, keep=None, aim=None, before=None, told=None, span=(0.05, 50.0)):
    known = target != ignore if keep is None else np.ones(target.shape, bool)
    labels = target[known] if keep is None else keep(target, ignore, len(logits)).ravel()
    z = logits[:, known]
    z = z if before is None else before(z)

    def loss(t):
        logs = special.log_softmax(z / t, axis=0)
        return -logs[labels, np.arange(len(labels))].mean() if aim is None else aim(logs, labels)

    found = optimize.minimize_scalar(
        lambda u: loss(math.exp(u)), bounds=[math.log(one) for one in span], method="bounded", options={"xatol": 1e-8}
    )
    t, value = math.exp(found.x), found.fun
    return (t if turn is None else turn(t)), (value if told is None else told(value, loss, labels))


def _cooled(name, shown_by, about, **change):
    return Wrong(name, lambda *given: cooled(*given, **change), shown_by, about)


def best_of_a_few(logits, target, ignore):
    known = target != ignore
    z, labels = logits[:, known], target[known]
    losses = {
        t: -special.log_softmax(z / t, axis=0)[labels, np.arange(len(labels))].mean()
        for t in (0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 8, 10, 20, 40)
    }
    t = min(losses, key=losses.get)
    return t, losses[t]


def plain_exponentials(logits, target, ignore):
    known = target != ignore
    z, labels = logits[:, known], target[known]
    candidates = np.geomspace(0.05, 50, 20_000)
    losses = []
    for t in candidates:
        powers = np.exp(z / t)
        losses.append(-np.log(powers[labels, np.arange(len(labels))] / powers.sum(0)).mean())
    best = int(np.argmin(losses))
    return candidates[best], losses[best]


def from_accuracy(logits, target, ignore):
    t = max((0.5, 1.0, 2.0), key=lambda t: ((logits / t).argmax(0) == target)[target != ignore].mean())
    return 1.0, cooled(logits, target, ignore, span=(t * 0.9999999, t * 1.0000001))[1]


W113 = [
    _cooled("the factor", SURE, "divide", turn=lambda t: 1 / t),
    _cooled("not below 1", MODEST, "divide", span=(1.0, 50.0)),
    _cooled("void is class 0", SURE, "void", keep=lambda y, i, k: np.where(y == i, 0, y)),
    Wrong("the best accuracy", from_accuracy, SURE, "measure"),
    _cooled("Brier", SURE, "measure",
            aim=lambda logs, y: ((np.exp(logs) - np.eye(len(logs))[:, y]) ** 2).sum(0).mean()),
    _cooled("confidence meets accuracy", SURE, "measure",
            aim=lambda logs, y: abs(np.exp(logs).max(0).mean() - (logs.argmax(0) == y).mean())),
    _cooled("own answer", SURE, "measure", aim=lambda logs, y: -logs.max(0).mean()),
    _cooled("of probabilities", SURE, "logits", before=lambda z: special.softmax(z, 0)),
    Wrong("a dozen of temperatures", best_of_a_few, SURE, "precise"),
    _cooled("a sum", SURE, "loss", told=lambda v, loss, y: v * len(y)),
    _cooled("bits", SURE, "loss", told=lambda v, loss, y: v / math.log(2)),
    _cooled("before", SURE, "loss", told=lambda v, loss, y: loss(1.0)),
    Wrong("plain exponentials", plain_exponentials, HUGE, "large"),
]  # fmt: skip


def by_golden_section(logits, target, ignore):
    known = target.ravel() != ignore
    z = torch.as_tensor(logits.reshape(len(logits), -1)[:, known]).T
    y = torch.as_tensor(target.ravel()[known])

    def loss(u):
        return float(nn.functional.cross_entropy(z / math.exp(u), y))

    low, high, ratio = math.log(0.04), math.log(60), (math.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return math.exp((low + high) / 2), loss((low + high) / 2)


R113 = [("SciPy", cooled), ("golden section", by_golden_section)]


# 11.4 bootstrap_difference(first, second, drawn, confidence)
def _counts(pictures, classes, good):
    found = _RNG.integers(0, 4, (pictures, classes, classes))
    for matrix in found:
        matrix += np.diag(_RNG.integers(1, good, classes))
    return found


MANY = (_counts(8, 3, 30), _counts(8, 3, 20), _RNG.integers(0, 8, (50, 8)), 0.9)
SPARSE = (
    np.array(
        [np.diag([5, 0, 0]) + np.eye(3, k=1, dtype=int) * [[1], [0], [0]], np.diag([2, 4, 0]), np.diag([3, 0, 0])]
    ),
    np.array(
        [np.diag([6, 0, 0]), np.diag([2, 3, 0]) + np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]]), np.diag([3, 0, 0])]
    ),
    np.array([[0, 0, 2], [1, 1, 2], [2, 2, 2], [0, 1, 2]]),
    0.8,
)


def _mean_iou(matrices, *, empty=math.nan, quotient=None):
    total = np.sum(matrices, axis=0)
    values = []
    for k in range(len(total)):
        hit, label, found = total[k, k], total[k].sum(), total[:, k].sum()
        top, below = (hit, label + found - hit) if quotient is None else quotient(hit, label, found)
        values.append(top / below if below else empty)
    return float(np.nanmean(values))


def drawn_anew(first, second, drawn, confidence, *, other=None, score=_mean_iou, ends=None, rows=None, value=None):
    others = drawn if other is None else other(drawn)
    select = (lambda matrices, row: matrices[row]) if rows is None else rows
    differences = np.sort(
        [score(select(first, a)) - score(select(second, b)) for a, b in zip(drawn, others, strict=True)]
    )
    tails = ((1 - confidence) / 2, (1 + confidence) / 2) if ends is None else ends(confidence)
    low, high = (np.quantile(differences, tail) for tail in tails)
    measured = score(first) - score(second)
    return measured if value is None else value(measured, differences), low, high


def _anew(name, shown_by, about, **change):
    return Wrong(name, lambda *given: drawn_anew(*given, **change), shown_by, about)


def normal_interval(first, second, drawn, confidence):
    value, *_ = drawn_anew(first, second, drawn, confidence)
    spread = np.std([_mean_iou(first[row]) - _mean_iou(second[row]) for row in drawn])
    return value, value - 1.96 * spread, value + 1.96 * spread


W114 = [
    _anew("unpaired", MANY, "paired", other=lambda drawn: drawn[::-1]),
    _anew("other rows", MANY, "paired", other=lambda drawn: np.roll(drawn, 1, axis=0)),
    _anew("mean of pictures", MANY, "data set", score=lambda matrices: np.mean([_mean_iou([one]) for one in matrices])),
    _anew("absent classes are 0", SPARSE, "absent", score=lambda matrices: _mean_iou(matrices, empty=0.0)),
    _anew("absent classes are 1", SPARSE, "absent", score=lambda matrices: _mean_iou(matrices, empty=1.0)),
    _anew("both tails whole", MANY, "interval", ends=lambda c: (1 - c, c)),
    _anew("one tail", MANY, "interval", ends=lambda c: (0, c)),
    _anew("from least to largest", MANY, "interval", ends=lambda c: (0, 1)),
    Wrong("a normal distribution", normal_interval, MANY, "interval"),
    _anew("sets without repetition", MANY, "drawn", rows=lambda matrices, row: matrices[list(set(row.tolist()))]),
    _anew("mean of the draws", MANY, "value", value=lambda measured, differences: differences.mean()),
    _anew("Dice", MANY, "measure",
          score=lambda m: _mean_iou(m, quotient=lambda hit, label, found: (2 * hit, label + found))),
    _anew("recall", MANY, "measure", score=lambda m: _mean_iou(m, quotient=lambda hit, label, found: (hit, label))),
]  # fmt: skip


def with_weights(first, second, drawn, confidence):
    weights = np.vstack([np.ones(len(first)), *[[np.sum(row == n) for n in range(len(first))] for row in drawn]])
    scores = []
    for matrices in (np.asarray(first, float), np.asarray(second, float)):
        total = np.einsum("sn,nij->sij", weights, matrices)
        hits = np.diagonal(total, axis1=1, axis2=2)
        with np.errstate(invalid="ignore"):
            scores.append(np.nanmean(hits / (total.sum(1) + total.sum(2) - hits), axis=1))
    differences = scores[0] - scores[1]
    half = 100 * confidence / 2
    return differences[0], np.percentile(differences[1:], 50 - half), np.percentile(differences[1:], 50 + half)


R114 = [("row by row", drawn_anew), ("with weights", with_weights)]


# 11.5 unet_sizes(least, levels, convolutions)
BIG, ODD, SMALL, SINGLE = (300, 4, 2), (101, 3, 2), (1, 3, 1), (30, 3, 1)


def fitted(least, levels, convolutions, *, lost=None, poolings=None, even=True, crop=None, turn=None, kept=1, out=None):
    lose = 2 * convolutions if lost is None else lost(convolutions)
    for side in range(least, least + 5000):
        here, skips = side - lose, []
        for _ in range(levels - 1 if poolings is None else poolings(levels)):
            skips.append(here)
            here = here // 2 - lose if here > 0 and (here % 2 == 0 or not even) else -10_000
        if here < 1:
            continue
        crops = []
        for skip in skips[::-1]:
            crops.append((skip - 2 * here) // 2 if crop is None else crop(skip, 2 * here, lose))
            here = 2 * here - lose
        if here >= kept:
            return side, here if out is None else out(here, lose), crops if turn is None else turn(crops)
    return None


def _fitted(name, shown_by, about, **change):
    return Wrong(name, lambda *given: fitted(*given, **change), shown_by, about)


W115 = [
    _fitted("padded", BIG, "convolutions", lost=lambda c: 0),
    _fitted("always two", SINGLE, "convolutions", lost=lambda c: 4),
    _fitted("a pixel a convolution", BIG, "convolutions", lost=lambda c: c),
    _fitted("odd sides are cut", ODD, "even", even=False),
    _fitted("a pooling a level", BIG, "levels", poolings=lambda levels: levels),
    _fitted("both sides", BIG, "crops", crop=lambda skip, here, lose: skip - here),
    _fitted("after the convolutions", BIG, "crops", crop=lambda skip, here, lose: (skip - here + lose) // 2),
    _fitted("from the finest", BIG, "order", turn=lambda crops: crops[::-1]),
    _fitted("nothing may be left", (1, 2, 2), "output", kept=0),
    _fitted("without the last block", BIG, "output", out=lambda here, lose: here + lose),
]


def with_real_layers(least, levels, convolutions):
    conv, pool = nn.Conv2d(1, 1, 3, bias=False), nn.MaxPool2d(2)
    up = nn.ConvTranspose2d(1, 1, 2, stride=2)
    side = least
    while True:
        x, skips = torch.zeros(1, 1, side, side), []
        try:
            with torch.no_grad():
                for level in range(levels):
                    for _ in range(convolutions):
                        x = conv(x)
                    if level < levels - 1:
                        if x.shape[-1] % 2:
                            raise RuntimeError("odd")
                        skips.append(x.shape[-1])
                        x = pool(x)
                crops = []
                while skips:
                    x = up(x)
                    crops.append((skips.pop() - x.shape[-1]) // 2)
                    for _ in range(convolutions):
                        x = conv(x)
            return side, x.shape[-1], crops
        except RuntimeError:
            side += 1


R115 = [("side by side", fitted), ("with real layers", with_real_layers)]


# 11.6 gap_weights(cells, w0, sigma)
THREE = np.zeros((12, 14), dtype=int)
THREE[2:6, 1:5], THREE[3:9, 7:9], THREE[9:, 2:6] = 1, 2, 5
TOUCHING = np.zeros((7, 9), dtype=int)
TOUCHING[1:4, 1:4], TOUCHING[1:4, 4:6], TOUCHING[5:, 6:] = 1, 2, 3
ALONE = np.zeros((5, 6), dtype=int)
ALONE[1:3, 2:4] = 4
APART = (THREE, 10.0, 3.0)


def between(cells, w0, sigma, *, formula=None, inside=None, numbers=None, distance=None, single=None, place=None):
    parts = cells if numbers is None else numbers(cells)
    names = [one for one in np.unique(parts) if one > 0]
    measure = ndimage.distance_transform_edt if distance is None else distance
    maps = [measure(parts != one) for one in names]
    if len(maps) == 1 and single is not None:
        maps.append(single(maps[0]))
    if len(maps) < 2:
        return np.zeros(cells.shape)
    ordered = np.sort(np.stack(maps).astype(float), axis=0)
    a, b = ordered[0], ordered[1]
    values = w0 * np.exp(-((a + b) ** 2) / (2 * sigma**2)) if formula is None else formula(a, b, w0, sigma)
    return np.where(cells > 0, 0, values) if inside is None else inside(cells, values)


def _between(name, shown_by, about, **change):
    return Wrong(name, lambda *given: between(*given, **change), shown_by, about)


W116 = [
    _between("the nearest", APART, "one", formula=lambda a, b, w, s: w * np.exp(-(a**2) / (2 * s**2))),
    _between("the second", APART, "one", formula=lambda a, b, w, s: w * np.exp(-(b**2) / (2 * s**2))),
    _between("squares", APART, "squares", formula=lambda a, b, w, s: w * np.exp(-(a**2 + b**2) / (2 * s**2))),
    _between("no square", APART, "squares", formula=lambda a, b, w, s: w * np.exp(-(a + b) / (2 * s**2))),
    _between("sigma squared alone", APART, "sigma", formula=lambda a, b, w, s: w * np.exp(-((a + b) ** 2) / s**2)),
    _between("2 sigma", APART, "sigma", formula=lambda a, b, w, s: w * np.exp(-((a + b) ** 2) / (2 * s))),
    _between("everywhere", APART, "inside", inside=lambda cells, values: values),
    _between("with the usual 1", APART, "inside", inside=lambda cells, values: 1 + np.where(cells > 0, 0, values)),
    _between("one is enough", (ALONE, 10.0, 3.0), "few", single=lambda one: 0 * one),
    _between("twice the same", (ALONE, 10.0, 3.0), "few", single=lambda one: one),
    _between("regions", (TOUCHING, 10.0, 3.0), "cells", numbers=lambda cells: ndimage.label(cells > 0)[0]),
    _between("chessboard", APART, "distance", distance=lambda m: ndimage.distance_transform_cdt(m, "chessboard")),
    _between("blocks", APART, "distance", distance=lambda m: ndimage.distance_transform_cdt(m, "taxicab")),
]


def pixel_against_pixel(cells, w0, sigma):
    y, x = np.indices(cells.shape)
    kinds = sorted(set(cells.ravel().tolist()) - {0})
    result = np.zeros(cells.shape)
    if len(kinds) < 2:
        return result
    for i, j in np.argwhere(cells == 0):
        far = np.hypot(y - i, x - j)
        d = sorted(far[cells == kind].min() for kind in kinds)
        result[i, j] = w0 * math.exp(-((d[0] + d[1]) ** 2) / 2 / sigma**2)
    return result


R116 = [("maps", between), ("pixel against pixel", pixel_against_pixel)]


# 11.7 diagnose(report)
CLASSES = ["sky", "road", "tree", "car"]


def _report(matrix, val=None, night=None, right=None, down=None):
    """A made-up network of four classes."""
    matrix = np.array(matrix)
    iou = matrix.diagonal() / (matrix.sum(0) + matrix.sum(1) - matrix.diagonal())
    middle = iou.mean() - 0.02 * np.abs(np.arange(-4, 5))
    return (
        {
            "classes": CLASSES,
            "confusion": matrix,
            "val": iou + 0.01 if val is None else np.array(val),
            "night": 0.05 * iou if night is None else np.array(night),
            "right": middle if right is None else np.array(right) + iou.mean(),
            "down": middle if down is None else np.array(down) + iou.mean(),
            "kinds": np.array([0.15, 0.65, 0.2]),
        },
    )


GOOD = [[2400, 60, 40, 20], [50, 2200, 80, 60], [60, 90, 2000, 100], [30, 60, 90, 2660]]
SPOILT = [[100, 0, 2300, 120], [80, 20, 2200, 90], [60, 0, 2100, 90], [70, 0, 2600, 170]]
NO_TREE = [[2400, 60, 0, 60], [50, 2200, 0, 140], [60, 1990, 0, 200], [30, 60, 0, 2750]]
FINE = _report(GOOD)
OFF = _report(GOOD, down=[-0.1, -0.08, -0.06, -0.03, 0, 0.04, 0.07, 0.09, 0.08])
OFF_RIGHT = _report(GOOD, right=[0.08, 0.09, 0.07, 0.04, 0, -0.03, -0.06, -0.08, -0.1])
SEEN = _report(GOOD, val=[0.97, 0.96, 0.95, 0.97])
DARK = _report(SPOILT, night=[0.6, 0.5, 0.7, 0.5])
DOUBLE = _report(SPOILT)
LOST = _report(NO_TREE)


def told(report, *, dark=None, low=None, lost=None, off=None, seen=None, order="dark low lost off seen"):
    matrix = report["confusion"]
    union = matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    day = float(np.mean(np.diag(matrix) / union))
    val, night = float(np.mean(report["val"])), float(np.mean(report["night"]))
    best = max(np.max(report["right"]), np.max(report["down"]))
    rules = {
        "dark": (night > day if dark is None else dark(day, night, report), "statistics of another domain"),
        "low": (day < 0.3 if low is None else low(day, val), "normalized twice"),
        "lost": (0 in matrix.sum(0) if lost is None else lost(matrix, report), "a class merged"),
        "off": (best > report["right"][4] + 0.02 if off is None else off(report), "shifted labels"),
        "seen": (val > day + 0.1 if seen is None else seen(day, val), "trained on val"),
    }
    return next((rules[key][1] for key in order.split() if rules[key][0]), "none")


def _told(name, shown_by, about, **change):
    return Wrong(name, lambda report: told(report, **change), shown_by, about)


W117 = [
    _told("dark is bad for all", FINE, "night", dark=lambda day, night, report: night < day / 3),
    _told("no second look at the night", DARK, "night", order="low lost off seen"),
    _told("a low IoU is fine", DOUBLE, "low", order="dark lost off seen"),
    _told("an empty column first", _report([[*row[:3], 0] for row in SPOILT]), "low", order="lost dark low off seen"),
    _told("no class is looked at", LOST, "merged", order="dark low off seen"),
    _told("rows, not columns", LOST, "merged", lost=lambda matrix, report: 0 in matrix.sum(1)),
    _told("only down", OFF_RIGHT, "moved", off=lambda r: max(r["down"]) > r["down"][4] + 0.02),
    _told("only right", OFF, "moved", off=lambda r: max(r["right"]) > r["right"][4] + 0.02),
    _told("not moved at all", OFF, "moved", order="dark low lost seen"),
    _told("val is not compared", SEEN, "val", order="dark low lost off"),
    _told("val is never quite the same", FINE, "none", seen=lambda day, val: val > day - 0.1),
    Wrong("all well", lambda report: "none", LOST, "general"),
]


def told_by_a_table(report):
    """As ratios to the day, rounded; what is far from 1 speaks."""
    matrix = np.asarray(report["confusion"], float)
    hits = np.diag(matrix)
    day = np.mean(hits / (matrix.sum(0) + matrix.sum(1) - hits))
    ratio = {"night": np.mean(report["night"]) / day, "val": np.mean(report["val"]) / day}
    if ratio["night"] > 1:
        return "Statistics of another domain"
    if hits.sum() < 0.6 * matrix.sum() and day < 0.3:
        return "Normalized twice"
    if np.any(matrix.sum(0) < 0.001 * matrix.sum(1)):
        return "A class merged"
    away = [abs(int(np.argmax(report[key])) - 4) for key in ("right", "down")]
    return "Shifted labels" if max(away) > 1 else "Trained on val" if ratio["val"] > 1.15 else "None"


R117 = [("rule by rule", told), ("by ratios", told_by_a_table)]


# 11.8 an experiment of one's own
FOUND = {
    "declaration": {
        "changes": "temperature", "first": False, "second": True,
        "measure": "ece", "expects": "lower", "margin": 0.01,
    },
    "seeds": [0, 1, 2],
    "first": [{"ece": 0.061}, {"ece": 0.05}, {"ece": 0.072}],
    "second": [{"ece": 0.021}, {"ece": 0.015}, {"ece": 0.026}],
}  # fmt: skip
GAINS = [0.04, 0.035, 0.046]
GAIN, SPREAD = statistics.fmean(GAINS), statistics.stdev(GAINS)
DOUBT = 4.303 * SPREAD / math.sqrt(3)


def read_off(**change):
    right = {"declaration": FOUND["declaration"], "record": FOUND, "gain": GAIN, "doubt": DOUBT}
    return lambda: {**right, "verdict": "confirmed", "least": 0.01 + DOUBT, **change}


def declared(**change):
    def answer():
        found = copy.deepcopy(read_off()())
        found["declaration"] = {**found["declaration"], **change}
        found["record"]["declaration"] = found["declaration"]
        return found

    return answer


W118 = [
    Wrong("no option", declared(changes="night"), (), "change"),
    Wrong("nothing changes", declared(second=False), (), "change"),
    Wrong("a measure that does not exist", declared(measure="honesty"), (), "measure"),
    Wrong("better", declared(expects="better"), (), "measure"),
    Wrong("margin in points", declared(margin=1), (), "margin"),
    Wrong("second minus first, though lower is expected", read_off(gain=-GAIN), (), "gain"),
    Wrong("in points", read_off(gain=100 * GAIN), (), "gain"),
    Wrong("two standard errors", read_off(doubt=1.96 * SPREAD / math.sqrt(3)), (), "doubt"),
    Wrong("undecided", read_off(verdict="undecided"), (), "verdict"),
    Wrong("the margin", read_off(least=0.01), (), "least"),
]
R118 = [("as the rule says", read_off()), ("rounded", read_off(gain=0.04, doubt=round(DOUBT, 3)))]

WRONG = {
    "11.1": W111, "11.2": W112, "11.3": W113, "11.4": W114, "11.5": W115, "11.6": W116, "11.7": W117, "11.8": W118,
}  # fmt: skip
RIGHT = {
    "11.1": R111, "11.2": R112, "11.3": R113, "11.4": R114, "11.5": R115, "11.6": R116, "11.7": R117, "11.8": R118,
}  # fmt: skip
