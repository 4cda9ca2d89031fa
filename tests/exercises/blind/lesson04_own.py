"""Answers to 4.6, 4.7 and 4.11, and to what 4.8 and 4.10 ask beyond lesson 4, written from the statements alone."""

import copy
import math
import statistics

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.exercises.blind import Wrong
from tests.exercises.blind.lesson04 import pyramid

_RNG = np.random.default_rng(46)


# 4.6 fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon)
def _statistics(k):
    gamma, beta, mean, bias = _RNG.normal(size=(4, k)).astype(np.float32)
    return bias, gamma, beta, mean, _RNG.uniform(0.5, 2, k).astype(np.float32), 1e-3


LAYER = (_RNG.normal(size=(3, 2, 3, 3)).astype(np.float32), *_statistics(3))
SQUARE = (_RNG.normal(size=(3, 3, 1, 1)).astype(np.float32), *_statistics(3))
UNBIASED = (LAYER[0], None, *LAYER[2:])
COARSE = (*LAYER[:6], 0.7)


def folded(weight, bias, gamma, beta, mean, variance, epsilon):
    factor = gamma / np.sqrt(variance + epsilon)
    old = 0 if bias is None else bias
    return weight * factor.reshape(-1, 1, 1, 1), beta + factor * (old - mean)


def by_variance(weight, bias, gamma, beta, mean, variance, epsilon):
    return folded(weight, bias, gamma, beta, mean, (variance + epsilon) ** 2, 0)


def epsilon_beside_the_root(weight, bias, gamma, beta, mean, variance, epsilon):
    return folded(weight, bias, gamma, beta, mean, (np.sqrt(variance) + epsilon) ** 2, 0)


def bias_kept_apart(weight, bias, gamma, beta, mean, variance, epsilon):
    kernel, new = folded(weight, None, gamma, beta, mean, variance, epsilon)
    return kernel, new if bias is None else new + bias


def mean_taken_last(weight, bias, gamma, beta, mean, variance, epsilon):
    kernel, new = folded(weight, bias, gamma, beta, 0 * mean, variance, epsilon)
    return kernel, new - mean


def only_the_weight(*given):
    kernel, _ = folded(*given)
    return kernel, np.zeros(len(kernel)) if given[1] is None else given[1]


def only_the_bias(*given):
    return given[0], folded(*given)[1]


def factor_by_broadcasting(weight, bias, gamma, beta, mean, variance, epsilon):
    factor = gamma / np.sqrt(variance + epsilon)
    return weight * np.resize(factor, weight.shape[1])[:, None, None], folded(
        weight, bias, gamma, beta, mean, variance, epsilon
    )[1]


def a_bias_is_there(weight, bias, gamma, beta, mean, variance, epsilon):
    return folded(weight, bias + 0, gamma, beta, mean, variance, epsilon)


def beta_first(weight, bias, gamma, beta, mean, variance, epsilon):
    kernel, new = folded(weight, bias, gamma, 0 * beta, mean, variance, epsilon)
    return kernel, new + beta * gamma / np.sqrt(variance + epsilon)


def without_gamma(weight, bias, gamma, beta, mean, variance, epsilon):
    return folded(weight, bias, np.ones_like(gamma), beta, mean, variance, epsilon)


W46 = [
    Wrong("by the variance", by_variance, LAYER, "root"),
    Wrong("epsilon beside the root", epsilon_beside_the_root, COARSE, "epsilon"),
    Wrong("old bias as it is", bias_kept_apart, LAYER, "bias"),
    Wrong("mean taken off last", mean_taken_last, LAYER, "mean"),
    Wrong("only the weight", only_the_weight, LAYER, "whole bias"),
    Wrong("only the bias", only_the_bias, LAYER, "weight"),
    Wrong("broadcast along the inputs", factor_by_broadcasting, SQUARE, "axis"),
    Wrong("no bias: an error", a_bias_is_there, UNBIASED, "bias"),
    Wrong("beta with the factor", beta_first, LAYER, "beta"),
    Wrong("no gamma", without_gamma, LAYER, "gamma"),
]


def with_a_matrix(weight, bias, gamma, beta, mean, variance, epsilon):
    weight = torch.as_tensor(weight).double()
    factor = torch.diag(torch.as_tensor(gamma / np.sqrt(variance.astype(float) + epsilon)))
    old = torch.zeros(len(weight)) if bias is None else torch.as_tensor(bias)
    new = factor @ (old - torch.as_tensor(mean)).double() + torch.as_tensor(beta)
    return (factor @ weight.flatten(1)).view_as(weight), new


def with_pytorchs_own(weight, bias, gamma, beta, mean, variance, epsilon):
    outputs, inputs, side, _ = weight.shape
    convolution, norm = nn.Conv2d(inputs, outputs, side, bias=bias is not None), nn.BatchNorm2d(outputs, epsilon)
    convolution.weight.data, norm.weight.data = torch.as_tensor(weight), torch.as_tensor(gamma)
    if bias is not None:
        convolution.bias.data = torch.as_tensor(bias)
    norm.bias.data, norm.running_mean, norm.running_var = (torch.as_tensor(one) for one in (beta, mean, variance))
    fused = nn.utils.fuse_conv_bn_eval(convolution.eval(), norm.eval())
    return fused.weight, fused.bias


R46 = [("reshape", folded), ("diagonal matrix", with_a_matrix), ("fuse_conv_bn_eval", with_pytorchs_own)]


# 4.7 widest_levels(channels, bins, out_channels, height, width, budget)
def spent(c, bins, out, h, w, k):
    return sum(n * n * c * k for n in bins) + (c + len(bins) * k) * 9 * out * h * w


SMALL = (4, (1, 2, 3, 6), 8, 12, 15, 500_000)
EXACT = (2**21 + 1, (1, 7), 2**20 + 3, 5001, 4003)
HUGE = (*EXACT, spent(*EXACT, 12345679) - 1)
TIGHT = (4, (1, 2), 8, 3, 5, 9 * 4 * 8 * 15 - 1)


def searched(c, bins, out, h, w, budget):
    low, high = -1, 1 + budget // (9 * out * h * w)
    while low < high:
        k = (low + high + 1) // 2
        if spent(c, bins, out, h, w, k) <= budget:
            low = k
        else:
            high = k - 1
    return low if low >= 0 and spent(c, bins, out, h, w, 0) <= budget else -1


def straight(c, bins, out, h, w, budget):
    rest = budget - 9 * c * out * h * w
    return -1 if rest < 0 else int(rest // (c * sum(n**2 for n in bins) + 9 * out * h * w * len(bins)))


def upsampled_before_the_convolution(c, bins, out, h, w, budget):
    return (budget - 9 * c * out * h * w) // (len(bins) * (c * h * w + 9 * out * h * w))


def n_regions(c, bins, out, h, w, budget):
    return (budget - 9 * c * out * h * w) // (c * sum(bins) + 9 * len(bins) * out * h * w)


def only_levels_behind(c, bins, out, h, w, budget):
    return budget // (c * sum(n * n for n in bins) + 9 * len(bins) * out * h * w)


def levels_added_up(c, bins, out, h, w, budget):
    return (budget - 9 * c * out * h * w) // (c * sum(n * n for n in bins) + 9 * out * h * w)


def nothing_behind(c, bins, out, h, w, budget):
    return (budget - 9 * c * out * h * w) // (c * sum(n * n for n in bins))


def never_below_zero(*given):
    return max(straight(*given), 0)


def by_float_division(c, bins, out, h, w, budget):
    rest = budget - 9 * c * out * h * w
    return -1 if rest < 0 else int(rest / (c * sum(n**2 for n in bins) + 9 * out * h * w * len(bins)))


def one_by_one_behind(c, bins, out, h, w, budget):
    return (budget - c * out * h * w) // (c * sum(n * n for n in bins) + len(bins) * out * h * w)


def rounded_up(*given):
    c, bins, out, h, w, budget = given
    return straight(c, bins, out, h, w, budget) + 1


W47 = [
    Wrong("1 x 1 at full size", upsampled_before_the_convolution, (2, (1, 2), 2, 2, 2, 608), "regions"),
    Wrong("n regions", n_regions, (9, (7, 8), 1, 2, 2, 9000), "regions"),
    Wrong("map forgotten", only_levels_behind, SMALL, "map"),
    Wrong("levels added up", levels_added_up, SMALL, "levels"),
    Wrong("levels not read behind", nothing_behind, SMALL, "behind"),
    Wrong("0 if nothing fits", never_below_zero, TIGHT, "none"),
    Wrong("float division", by_float_division, HUGE, "exact"),
    Wrong("1 x 1 behind", one_by_one_behind, SMALL, "behind"),
    Wrong("one too many", rounded_up, SMALL, "rounded"),
]
R47 = [("straight line", straight), ("searched", searched)]


# 4.8 pyramid_pooling(x, bins, weights, biases, valid): what is new
X48 = _RNG.normal(size=(2, 3, 8, 9)).astype(np.float32)
GIVEN48 = (
    X48, (1, 2, 3), list(_RNG.normal(size=(3, 2, 3)).astype(np.float32)), list(_RNG.uniform(0, 1, (3, 2)).astype("f4")),
    (5, 7),
)  # fmt: skip


def padded_levels(x, bins, weights, biases, valid, *, mode="constant", at_end=True):
    rows, columns = valid
    levels = pyramid(x[:, :, :rows, :columns], bins, weights, biases)[:, x.shape[1] :]
    down, right = x.shape[2] - rows, x.shape[3] - columns
    return F.pad(levels, (0, right, 0, down) if at_end else (right, 0, down, 0), mode=mode)


def with_map(x, levels):
    return torch.cat([torch.as_tensor(x), torch.as_tensor(levels)], 1)


def padding_not_looked_at(x, bins, weights, biases, valid):
    return pyramid(x, bins, weights, biases)


def zeroed_first(x, bins, weights, biases, valid):
    """The padding is set to 0, but stays in the regions."""
    clean = np.zeros_like(x)
    clean[:, :, : valid[0], : valid[1]] = x[:, :, : valid[0], : valid[1]]
    return with_map(x, pyramid(clean, bins, weights, biases)[:, x.shape[1] :])


def cut_afterwards(x, bins, weights, biases, valid):
    levels = pyramid(x, bins, weights, biases)[:, x.shape[1] :].clone()
    levels[:, :, valid[0] :], levels[:, :, :, valid[1] :] = 0, 0
    return with_map(x, levels)


def levels_go_on(x, bins, weights, biases, valid):
    if not len(bins):
        return torch.as_tensor(x)
    return with_map(x, padded_levels(x, bins, weights, biases, valid, mode="replicate"))


def resized_to_the_map(x, bins, weights, biases, valid):
    if not len(bins):
        return torch.as_tensor(x)
    levels = pyramid(x[:, :, : valid[0], : valid[1]], bins, weights, biases)[:, x.shape[1] :]
    return with_map(x, F.interpolate(levels, x.shape[2:], mode="bilinear", align_corners=True))


def map_loses_its_padding(x, bins, weights, biases, valid):
    levels = padded_levels(x, bins, weights, biases, valid)
    clean = np.zeros_like(x)
    clean[:, :, : valid[0], : valid[1]] = x[:, :, : valid[0], : valid[1]]
    return with_map(clean, levels)


W48 = [
    Wrong("padding not looked at", padding_not_looked_at, GIVEN48, "padding"),
    Wrong("padding set to 0 first", zeroed_first, GIVEN48, "padding"),
    Wrong("levels cut afterwards", cut_afterwards, GIVEN48, "padding"),
    Wrong("levels go on", levels_go_on, GIVEN48, "padding"),
    Wrong("resized to the map", resized_to_the_map, GIVEN48, "padding"),
    Wrong("map without its padding", map_loses_its_padding, GIVEN48, "padding"),
]


def written_into_zeros(x, bins, weights, biases, valid):
    rows, columns = valid
    channels = x.shape[1]
    result = np.zeros((len(x), channels + sum(map(len, weights)), *x.shape[2:]))
    result[:, :channels] = x
    result[:, channels:, :rows, :columns] = pyramid(x[:, :, :rows, :columns], bins, weights, biases)[:, channels:]
    return result


def multiplied_by_a_mask(x, bins, weights, biases, valid):
    """Pooled by sums of the valid values over their number."""
    mask = torch.zeros(1, 1, *x.shape[2:])
    mask[:, :, : valid[0], : valid[1]] = 1
    levels = padded_levels(x, bins, weights, biases, valid)
    return torch.cat([torch.as_tensor(x), levels * mask], 1).tolist()


R48 = [("written into zeros", written_into_zeros), ("mask", multiplied_by_a_mask)]


# 4.10 learning_rates(base, step, steps, power, head_factor, warmup): what is new
RISING = (0.4, 3, 100, 0.9, 10, 8)
LATER = (0.4, 20, 100, 0.9, 10, 8)


def rates(share, start=lambda step, warmup: step):
    def answer(base, step, steps, power, head_factor, warmup):
        left = 1 - min(max(start(step, warmup), 0), steps) / steps
        rate = base * left**power * share(step, warmup) * (step < steps)
        return rate, head_factor * rate

    return answer


def only_the_head(base, step, steps, power, head_factor, warmup):
    rate, head = rates(lambda s, w: 1.0)(base, step, steps, power, head_factor, warmup)
    return rate, head * (min((step + 1) / warmup, 1.0) if warmup else 1.0)


def always_divided(base, step, steps, power, head_factor, warmup):
    return rates(lambda s, w: min((s + 1) / w, 1.0))(base, step, steps, power, head_factor, warmup)


def right_share(step, warmup):
    return min((step + 1) / warmup, 1.0) if warmup else 1.0


W410 = [
    Wrong("no warm-up", rates(lambda s, w: 1.0), RISING, "warm-up"),
    Wrong("starts at 0", rates(lambda s, w: min(s / w, 1.0) if w else 1.0), RISING, "warm-up"),
    Wrong("fall begins after it", rates(right_share, lambda s, w: s - w), LATER, "warm-up"),
    Wrong("the head alone", only_the_head, RISING, "warm-up"),
    Wrong("never 0 warm-up", always_divided, (0.4, 3, 100, 0.9, 10, 0), "warm-up"),
    Wrong("one part", rates(lambda s, w: 1 / w if s < w else 1.0), RISING, "warm-up"),
    Wrong("goes on rising", rates(lambda s, w: (s + 1) / w if w else 1.0), LATER, "warm-up"),
]
R410 = [
    ("a share", rates(right_share)),
    ("interpolated", rates(lambda s, w: float(np.interp(s, [-1, w - 1], [0, 1])) if w else 1.0)),
]

# 4.11 an experiment of one's own
FOUND = {
    "declaration": {
        "changes": "start", "first": "random", "second": "backbone", "stays": {"steps": 100}, "measure": "thin",
        "expects": "higher", "margin": 0.05,
    },
    "seeds": [0, 1, 2],
    "first": [{"thin": 0.10}, {"thin": 0.16}, {"thin": 0.13}],
    "second": [{"thin": 0.31}, {"thin": 0.33}, {"thin": 0.29}],
}  # fmt: skip
GAINS = [0.21, 0.17, 0.16]
GAIN, SPREAD = 0.18, statistics.stdev(GAINS)
DOUBT = 4.303 * SPREAD / math.sqrt(3)


def read_off(**change):
    right = {"declaration": FOUND["declaration"], "record": FOUND, "gain": GAIN, "doubt": DOUBT}
    return lambda: {**right, "verdict": "confirmed", "least": 0.05 + DOUBT, **change}


def declared(**change):
    def answer():
        found = copy.deepcopy(read_off()())
        found["declaration"] = {**found["declaration"], **change}
        found["record"]["declaration"] = found["declaration"]
        return found

    return answer


def after_the_run():
    return read_off(declaration={**FOUND["declaration"], "margin": 0.1}, least=0.1 + DOUBT)()


W411 = [
    Wrong("two things change", declared(stays={"steps": 100, "start": "random"}), (), "change"),
    Wrong("an option that is none", declared(changes="learning_rate", first=0.1, second=0.2), (), "change"),
    Wrong("the same twice", declared(first="backbone"), (), "change"),
    Wrong("no such measure", declared(measure="accuracy"), (), "measure"),
    Wrong("better", declared(expects="better"), (), "measure"),
    Wrong("five points as 5", declared(margin=5), (), "margin"),
    Wrong("no margin", declared(margin=0.0), (), "margin"),
    Wrong("margin changed after the run", after_the_run, (), "record"),
    Wrong("mean of the second", read_off(gain=0.31), (), "gain"),
    Wrong("points", read_off(gain=18.0), (), "gain"),
    Wrong("first minus second", read_off(gain=-GAIN), (), "gain"),
    Wrong("standard deviation", read_off(doubt=SPREAD), (), "doubt"),
    Wrong("np.std as it is", read_off(doubt=4.303 * float(np.std(GAINS)) / math.sqrt(3)), (), "doubt"),
    Wrong("of the first setting", read_off(doubt=4.303 * 0.03 / math.sqrt(3)), (), "doubt"),
    Wrong("not sure enough", read_off(verdict="undecided"), (), "verdict"),
    Wrong("true", read_off(verdict=True), (), "verdict"),
    Wrong("the margin", read_off(least=0.05), (), "least"),
    Wrong("gain less doubt", read_off(least=GAIN - DOUBT), (), "least"),
]
R411 = [
    ("as it is", read_off()),
    ("three decimals", read_off(gain=0.18, doubt=round(DOUBT, 3), least=round(0.05 + DOUBT, 3))),
    ("NumPy, capital letters", read_off(gain=np.float32(GAIN), verdict="Confirmed")),
    ("bins as a tuple", declared(stays={"bins": (1,), "steps": 100})),
]

WRONG = {"4.6": W46, "4.7": W47, "4.8": W48, "4.10": W410, "4.11": W411}
RIGHT = {"4.6": R46, "4.7": R47, "4.8": R48, "4.10": R410, "4.11": R411}
NAMES = {"4.6": {"whole bias": ("bias", "mean", "beta")}}
