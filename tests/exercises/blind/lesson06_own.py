"""Answers to 6.2, 6.7, 6.13 to 6.15, and to what 6.5, 6.6, 6.11, 6.12 ask beyond the lessons, from the statements."""

import copy
import itertools
import math
import statistics

import numpy as np
import torch
from scipy.special import softmax
from torch import nn
from torch.nn import functional as F

from segtutor.exercises.lesson06.protocols import SOLUTION
from tests.exercises.blind import Wrong
from tests.exercises.blind.answers06 import aspp, valid_taps

_RNG = np.random.default_rng(66)


# 6.2 deeplab_rates(branches, stage, multi_grid, trained_stride, output_stride)
def rates(branches, stage, multi_grid, trained, output, *, factor=None, whole=True, grid=lambda s, u: s * u):
    times = trained / output if factor is None else factor(trained, output)
    first, second = [times * rate for rate in branches], [times * grid(stage, unit) for unit in multi_grid]
    if whole and any(rate != int(rate) for rate in first + second):
        return "error"
    return [int(rate) for rate in first], [int(rate) for rate in second]


FINER, COARSER = ((6, 12, 18), 2, (1, 2, 4), 16, 8), ((2, 4, 6), 2, (1, 2), 8, 16)
ODD = ((3, 6, 9), 2, (1, 2), 8, 16)


def with_an_exception(*given):
    found = rates(*given)
    if found == "error":
        raise ValueError("no whole rates")
    return found


W62 = [
    Wrong("upside down", lambda *a: rates(*a, factor=lambda t, o: o / t), FINER, "factor"),
    Wrong("as they are", lambda *a: rates(*a, factor=lambda t, o: 1), FINER, "factor"),
    Wrong("16 over the stride", lambda *a: rates(*a, factor=lambda t, o: 16 / o), COARSER, "trained"),
    Wrong("cut to whole numbers", lambda *a: rates(*a, whole=False), ODD, "whole"),
    Wrong("multi-grid added", lambda *a: rates(*a, grid=lambda s, u: s + u), FINER, "blocks"),
    Wrong("units without the stage", lambda *a: rates(*a, grid=lambda s, u: u), FINER, "blocks"),
    Wrong("an exception", with_an_exception, ODD, "text"),
    Wrong(
        "one long list",
        lambda *a: rates(*a) if rates(*a) == "error" else [*rates(*a)[0], *rates(*a)[1]],
        FINER,
        "results",
    ),
]


def rates_in_pixels(branches, stage, multi_grid, trained, output):
    everything = np.array([*branches, *[stage * unit for unit in multi_grid]], dtype=int) * trained
    if (everything % output).any():
        return "error"
    return np.split(everything // output, [len(branches)])


R62 = [("factor", rates), ("in pixels", rates_in_pixels)]


# 6.5 aspp(..., without): what is new
LAYERS = [_RNG.normal(size=(2, 3, k, k)).astype(np.float32) for k in (1, 3, 3, 1)]
BIASES = list(_RNG.uniform(0.2, 1, (4, 2)).astype(np.float32))
GIVEN65 = (
    _RNG.normal(size=(2, 3, 6, 7)).astype(np.float32), (1, 2), LAYERS, BIASES,
    _RNG.normal(size=(3, 8, 1, 1)).astype(np.float32), _RNG.normal(size=3).astype(np.float32), (1, 3),
)  # fmt: skip


def zeros(layers, silent):
    return [0 * one if number in silent else one for number, one in enumerate(layers)]


def heard(features, rates, weights, biases, project_weight, project_bias, without):
    return aspp(features, rates, zeros(weights, without), zeros(biases, without), project_weight, project_bias)


def cut_from_the_projection(features, rates, weights, biases, project_weight, project_bias, without):
    """The projection's weights for silent channels are 0."""
    mask = np.repeat([number not in without for number in range(len(biases))], [len(bias) for bias in biases])
    return aspp(features, rates, weights, biases, project_weight * mask[:, None, None].astype("f4"), project_bias)


W65 = [
    Wrong("nobody is silent", lambda *a: aspp(*a[:-1]), GIVEN65, "silent"),
    Wrong("weights only", lambda f, r, w, b, p, q, n: aspp(f, r, zeros(w, n), b, p, q), GIVEN65, "silent"),
    Wrong("from 1", lambda *a: heard(*a[:-1], [one - 1 for one in a[-1]]), GIVEN65, "silent"),
    Wrong("the others", lambda *a: heard(*a[:-1], set(range(len(a[2]))) - set(a[-1]) if len(a[-1]) else ()), GIVEN65,
          "silent"),
    Wrong("the first of them", lambda *a: heard(*a[:-1], a[-1][:1]), GIVEN65, "silent"),
]  # fmt: skip
R65 = [("zero weights and biases", heard), ("zeros in the projection", cut_from_the_projection)]

# 6.6 separable_convolution with a multiplier: what is new
TWICE = (
    _RNG.normal(size=(2, 3, 6, 7)).astype(np.float32), _RNG.normal(size=(6, 1, 3, 3)).astype(np.float32),
    _RNG.normal(size=6).astype(np.float32), _RNG.normal(size=(4, 6, 1, 1)).astype(np.float32),
    _RNG.normal(size=4).astype(np.float32), 2,
)  # fmt: skip


def separable(features, depthwise, bias, pointwise, other, rate, *, read=None):
    x, k = torch.as_tensor(np.asarray(features)).double(), torch.as_tensor(depthwise).double()
    times = len(k) // x.shape[1]
    index = np.arange(len(k)) // times if read is None else read(np.arange(len(k)), x.shape[1], times)
    margin = rate * (k.shape[-1] // 2)
    first = F.conv2d(x[:, index], k, torch.as_tensor(bias).double(), padding=margin, dilation=rate, groups=len(k))
    return F.conv2d(first.relu(), torch.as_tensor(pointwise).double(), torch.as_tensor(other).double()).relu()


def groups_of_kernels(features, depthwise, bias, pointwise, other, rate):
    margin = rate * (depthwise.shape[-1] // 2)
    first = F.conv2d(torch.as_tensor(features), torch.as_tensor(depthwise), torch.as_tensor(bias), padding=margin,
                     dilation=rate, groups=len(depthwise))  # fmt: skip
    return F.conv2d(first.relu(), torch.as_tensor(pointwise), torch.as_tensor(other)).relu()


def first_kernels_only(features, depthwise, bias, pointwise, other, rate):
    c = features.shape[1]
    return separable(features, depthwise[:c], bias[:c], pointwise[:, :c], other, rate)


W66 = [
    Wrong("channels in turn", lambda *a: separable(*a, read=lambda k, c, m: k % c), TWICE, "multiplier"),
    Wrong("as many groups as kernels", groups_of_kernels, TWICE, "multiplier"),
    Wrong("the first C kernels", first_kernels_only, TWICE, "multiplier"),
    Wrong("backwards", lambda *a: separable(*a, read=lambda k, c, m: c - 1 - k // m if m > 1 else k), TWICE,
          "multiplier"),
]  # fmt: skip


def with_layers(features, depthwise, bias, pointwise, other, rate):
    c, (wide, _, side, _) = features.shape[1], depthwise.shape
    block = nn.Sequential(
        nn.Conv2d(c, wide, side, padding="same", dilation=rate, groups=c), nn.ReLU(), nn.Conv2d(wide, len(other), 1),
        nn.ReLU(),
    )  # fmt: skip
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    given = (depthwise, bias, pointwise, other)
    block.load_state_dict({name: torch.as_tensor(one) for name, one in zip(names, given, strict=True)})
    return block(torch.as_tensor(features))


R66 = [("repeated channels", separable), ("layers", with_layers)]


# 6.7 layers_to_replace(layers, budget)
def both(layer):
    c, k, n, h, w = layer
    return c * k * n * n * h * w, (c * n * n + c * k) * h * w


def greedy(layers, budget, *, key=lambda full, cheap: full - cheap, price=both, every=False, above=False):
    prices = [price(layer) for layer in layers]
    total = sum(full for full, _ in prices)
    order = sorted(range(len(layers)), key=lambda i: -key(*prices[i]))
    chosen = []
    fits = (lambda t: t < budget) if above else (lambda t: t <= budget)
    if fits(total):
        return []
    for i in order:
        if prices[i][1] >= prices[i][0]:
            continue
        total -= prices[i][0] - prices[i][1]
        chosen.append(i)
        if fits(total) and not every:
            break
    return sorted(chosen) if fits(total) else "error"


LAYERS67 = [(64, 64, 3, 16, 16), (32, 128, 3, 8, 8), (200, 10, 3, 12, 12), (16, 16, 5, 40, 40), (90, 4, 1, 30, 30)]
WHOLE = sum(both(layer)[0] for layer in LAYERS67)
CASE67 = (LAYERS67, int(0.6 * WHOLE))
AT = both(LAYERS67[3])
JUST = (LAYERS67, WHOLE)


def all_subsets(layers, budget):
    best = None
    for count in range(len(layers) + 1):
        for chosen in itertools.combinations(range(len(layers)), count):
            cost = sum(both(layer)[i in chosen] for i, layer in enumerate(layers))
            if cost <= budget and (best is None or (len(chosen), cost) < best[:2]):
                best = (len(chosen), cost, list(chosen))
        if best:
            return best[2]
    return "error"


W67 = [
    Wrong("in the order of the list", lambda ls, b: greedy(
        ls, b, key=lambda full, cheap: -[both(one)[0] for one in ls].index(full)), CASE67, "order"),
    Wrong("dearest first", lambda *a: greedy(*a, key=lambda full, cheap: full), (
        [(4, 4, 3, 1, 1), (8, 2, 3, 1, 1), (2, 8, 3, 1, 1), (6, 6, 1, 1, 1)], 467), "order"),
    Wrong("weights instead of multiply-adds", lambda ls, b: greedy(
        ls, b, price=lambda one: both((*one[:3], 1, 1))), CASE67, "positions"),
    Wrong("depthwise only", lambda ls, b: greedy(ls, b, price=lambda one: (
        both(one)[0], one[0] * one[2] ** 2 * one[3] * one[4])), (LAYERS67, int(0.2 * WHOLE)), "separable"),
    Wrong("all that save", lambda *a: greedy(*a, every=True), CASE67, "enough"),
    Wrong("below the budget", lambda *a: greedy(*a, above=True), JUST, "equal"),
    Wrong("nothing if it cannot be", lambda *a: [] if greedy(*a) == "error" else greedy(*a), (LAYERS67, 10), "error"),
    Wrong("numbers from 1", lambda *a: greedy(*a) if greedy(*a) == "error" else [i + 1 for i in greedy(*a)], CASE67,
          "rising"),
]  # fmt: skip
R67 = [("greedy", greedy), ("all subsets", all_subsets)]


# 6.11 pair_kernel: the three mistakes, repaired in part
def kernel(image, sigma_xy, sigma_rgb, *, manhattan=False, half=True, symmetric=True):
    h, w = image.shape[:2]
    places = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij"), -1).reshape(-1, 2) / sigma_xy
    f = places if sigma_rgb is None else np.hstack([places, image.reshape(-1, 3) / sigma_rgb])
    d = f[:, None] - f[None]
    squared = np.abs(d).sum(-1) ** 2 if manhattan else (d**2).sum(-1)
    k = np.exp(-squared / (2 if half else 1))
    return k / np.sqrt(np.outer(k.sum(1), k.sum(1))) if symmetric else k / k.sum(1, keepdims=True)


PICTURE = _RNG.integers(80, 140, (3, 4, 3)).astype(np.uint8)
W611 = [
    Wrong("distance left", lambda *a: kernel(*a, manhattan=True), (PICTURE, 2.0, None), "exponent"),
    Wrong("half left out", lambda *a: kernel(*a, half=False), (PICTURE, 2.0, 40.0), "exponent"),
    Wrong("rows add up to 1", lambda *a: kernel(*a, symmetric=False), (PICTURE, 2.0, 40.0), "normalized"),
    Wrong("nothing but the distance repaired", lambda *a: kernel(*a, half=False, symmetric=False),
          (PICTURE, 2.0, 40.0), "exponent"),
]  # fmt: skip
R611 = [("repaired", kernel), ("as a list", lambda *a: kernel(*a).tolist())]


# 6.12 mean_field_step(probabilities, unary, kernels, weights, compatibility): what is new
def step(q, u, ks, ws, c, *, sign=-1.0):
    total = -np.asarray(u, float)
    for k, w in zip(ks, ws, strict=True):
        total = total + sign * w * k @ q @ c
    return softmax(total, axis=1)


Q612 = softmax(_RNG.normal(size=(4, 3)), axis=1)
GIVEN612 = (Q612, _RNG.exponential(1, (4, 3)), [_RNG.uniform(0, 1, (4, 4))], [1.5], _RNG.normal(0.5, 1, (3, 3)))
W612 = [
    Wrong("Potts all the same", lambda q, u, k, w, c: step(q, u, k, w, 1 - np.eye(len(c))), GIVEN612, "compatibility"),
    Wrong("transposed", lambda q, u, k, w, c: step(q, u, k, w, c.T), GIVEN612, "compatibility"),
    Wrong("costs as rewards", lambda *a: step(*a, sign=1.0), GIVEN612, "sign or costs"),
    Wrong("diagonal ignored", lambda q, u, k, w, c: step(q, u, k, w, c - np.diag(np.diag(c))), GIVEN612,
          "compatibility"),
    Wrong("only what costs", lambda q, u, k, w, c: step(q, u, k, w, np.clip(c, 0, None)), GIVEN612, "compatibility"),
]  # fmt: skip


def with_tensors(q, u, ks, ws, c):
    q, u, c = (torch.as_tensor(np.asarray(one, float)) for one in (q, u, c))
    cost = sum(
        (w * torch.as_tensor(np.asarray(k, float)) for k, w in zip(ks, ws, strict=True)), torch.zeros(len(q), len(q))
    )
    return torch.softmax(-(u + torch.einsum("ij,jl,lk->ik", cost.double(), q, c)), dim=1)


R612 = [("scipy", step), ("einsum", with_tensors)]


# 6.13 choose_rates(height, width, shares)
def chosen_rates(h, w, shares, *, which=0, upto=max, strict=False):
    table = [valid_taps(h, w, r)[which] for r in range(1, upto(h, w) + 1)]
    return [sum(one > s if strict else one >= s for one in table) for s in shares]


W613 = [
    Wrong("all nine taps", lambda *a: chosen_rates(*a, which=1), (12, 16, (0.5, 0.7)), "mean"),
    Wrong("up to the shorter side", lambda *a: chosen_rates(*a, upto=min), (31, 6, (0.45, 0.2)), "sides"),
    Wrong("the first that leaves too little", lambda *a: [one + 1 for one in chosen_rates(*a)], (12, 16, (0.5,)),
          "largest"),
    Wrong("at least rate 1", lambda *a: [max(one, 1) for one in chosen_rates(*a)], (3, 3, (0.9,)), "none"),
    Wrong("one rate for all", lambda h, w, s: [min(chosen_rates(h, w, s))] * len(s) if len(s) else [],
          (12, 16, (0.5, 0.7)), "own"),
    Wrong("a square map", lambda h, w, s: chosen_rates(h, h, s), (9, 30, (0.5,)), "sides"),
]  # fmt: skip


def counted_upwards(h, w, shares):
    found = []
    for s in shares:
        r = 1
        while r <= h + w and valid_taps(h, w, r)[0] >= s:
            r += 1
        found.append(r - 1)
    return torch.tensor(found)


R613 = [("a table", chosen_rates), ("upwards", counted_upwards)]

# 6.14 When to believe a result
_space: dict = {}
exec(SOLUTION, _space)


def believed(**change):
    names = {key.replace(" ", "_").replace(",", "").replace(".", "_"): key for key in _space["answers"]}
    return lambda *_: _space["answers"] | {names[name]: value for name, value in change.items()}


W614 = [
    Wrong("scales as well", believed(stride_on_VOC="AC"), (), "stride"),
    Wrong("v3+, where scales differ", believed(stride_on_VOC="FG"), (), "stride"),
    Wrong("another data set", believed(stride_on_Cityscapes="AJ"), (), "stride"),
    Wrong("stride and scales", believed(scales="FG"), (), "scales"),
    Wrong("val against test", believed(COCO="CE"), (), "coco"),
    Wrong("E and H", believed(decoder="EH"), (), "decoder"),
    Wrong("three points", believed(points_of_the_stride_VOC=2.56), (), "points"),
    Wrong("one column", believed(differences_of_E_and_H=1), (), "count"),
    Wrong("a better network", believed(**{"82_7_and_85_7": "a"}), (), "pictures"),
    Wrong("it helps", believed(to_believe="a"), (), "seeds"),
]
R614 = [
    ("as it is", believed()),
    ("rounded", believed(points_of_the_stride_VOC=1.3, points_of_the_stride_Cityscapes=0.59)),
    ("capitals", believed(decoder="None", to_believe="B")),
]

# 6.15 an experiment of one's own
FOUND = {
    "declaration": {
        "changes": "rates", "first": [1, 2, 3], "second": [6, 12, 18], "measure": "mean_iou", "expects": "lower",
        "margin": 0.01,
    },
    "seeds": [0, 1, 2],
    "first": [{"mean_iou": 0.31}, {"mean_iou": 0.35}, {"mean_iou": 0.33}],
    "second": [{"mean_iou": 0.36}, {"mean_iou": 0.41}, {"mean_iou": 0.37}],
}  # fmt: skip
GAINS = [-0.05, -0.06, -0.04]
GAIN, SPREAD = statistics.fmean(GAINS), statistics.stdev(GAINS)
DOUBT = 4.303 * SPREAD / math.sqrt(3)


def read_off(**change):
    right = {"declaration": FOUND["declaration"], "record": FOUND, "gain": GAIN, "doubt": DOUBT}
    return lambda: {**right, "verdict": "reversed", "least": 0.01 + DOUBT, **change}


def declared(**change):
    def answer():
        found = copy.deepcopy(read_off()())
        found["declaration"] = {**found["declaration"], **change}
        found["record"]["declaration"] = found["declaration"]
        return found

    return answer


W615 = [
    Wrong("pooling and rates", declared(changes=["rates", "image_pooling"]), (), "change"),
    Wrong("the same rates", declared(second=(1, 2, 3)), (), "change"),
    Wrong("better", declared(expects="better"), (), "measure"),
    Wrong("nothing measured", declared(measure=None), (), "measure"),
    Wrong("no margin", declared(margin=None), (), "margin"),
    Wrong("positive, though higher came out", read_off(gain=-GAIN), (), "gain"),
    Wrong("the worst seed", read_off(gain=-0.06), (), "gain"),
    Wrong("s alone", read_off(doubt=SPREAD), (), "doubt"),
    Wrong("1.96", read_off(doubt=1.96 * SPREAD / math.sqrt(3)), (), "doubt"),
    Wrong("confirmed", read_off(verdict="confirmed"), (), "verdict"),
    Wrong("undecided", read_off(verdict="undecided"), (), "verdict"),
    Wrong("margin less doubt", read_off(least=0.01 - DOUBT), (), "least"),
]
R615 = [
    ("reversed is no failure", read_off()),
    ("tuples", declared(first=(1, 2, 3), second=(6, 12, 18))),
    ("rounded", read_off(gain=-0.05, doubt=0.025, least=0.035)),
]

WRONG = {
    "6.2": W62, "6.5": W65, "6.6": W66, "6.7": W67, "6.11": W611, "6.12": W612, "6.13": W613, "6.14": W614,
    "6.15": W615,
}  # fmt: skip
RIGHT = {
    "6.2": R62, "6.5": R65, "6.6": R66, "6.7": R67, "6.11": R611, "6.12": R612, "6.13": R613, "6.14": R614,
    "6.15": R615,
}  # fmt: skip
NAMES = {
    "6.2": {"text": ("whole",)},  # its hint says that the answer is the text
    "6.11": {"normalized": ("symmetric", "rows"), "exponent": ("color distance",)},
    "6.12": {
        "sign or costs": ("sign", "compatibility"),
        "normalize": ("no kernel",),
        "unary": ("no kernel",),
        "no product with the old Q": ("one step",),
    },
}
