"""Lesson 6, from the statements alone: each function is right with `slip=""` and wrong in one way with a slip."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind.answers05 import numbers, slips


def tensor(values: Any) -> Any:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


def small(*shape: int, seed: int = 0) -> Any:
    return numbers(*shape, seed=seed).astype(np.float32)


WRONG = {}
RIGHT = {}

# 6.1


def atrous_convolution(features: Any, weight: Any, bias: Any, rate: int, slip: str = "") -> Any:
    features, weight, bias = tensor(features), tensor(weight), tensor(bias)
    k = weight.shape[-1]
    if slip == "no_rate":
        rate = 1
    if slip == "rate_holes":
        rate = rate + 1
    side = rate * (k - 1) + 1
    stuffed = torch.zeros(*weight.shape[:2], side, side)
    stuffed[:, :, ::rate, ::rate] = weight
    if slip == "rows_only":
        stuffed = torch.zeros(*weight.shape[:2], side, k)
        stuffed[:, :, ::rate] = weight
    if slip == "beside_each_other":
        stuffed = torch.zeros(*weight.shape[:2], side, side)
        stuffed[:, :, :k, :k] = weight
    if slip == "repeated":
        stuffed = F.interpolate(weight, size=(side, side), mode="nearest")
    if slip == "smooth":
        stuffed = F.interpolate(weight, size=(side, side), mode="bilinear", align_corners=True)
    if slip == "flipped":
        stuffed = stuffed.flip(2, 3)
    if slip == "turned":
        stuffed = stuffed.transpose(2, 3)
    if slip == "first_kernel":
        stuffed = stuffed[:1].expand(len(weight), -1, -1, -1)
    if slip == "first_input_kernel":
        stuffed = stuffed[:, :1].expand(-1, weight.shape[1], -1, -1)
    if slip == "normalized":
        stuffed = stuffed / rate
    up, across = stuffed.shape[2] // 2, stuffed.shape[3] // 2
    if slip == "padding_is_the_rate":
        up = across = rate
    if slip == "padding_is_one":
        up = across = 1
    if slip == "no_padding":
        up = across = 0
    if slip in ("reflect", "replicate"):
        features = F.pad(features, (across, across, up, up), mode=slip)
        up = across = 0
    if slip == "padding_at_one_side":
        features = F.pad(features, (2 * across, 0, 2 * up, 0))
        up = across = 0
    if slip == "first_picture":
        features = features[:1]
    if slip == "no_bias":
        bias = None
    if slip == "bias_along_the_width":
        return F.conv2d(features, stuffed, None, padding=(up, across)) + bias.resize_(features.shape[-1])
    if slip == "first_bias":
        bias = bias[:1].expand(len(weight)).contiguous()
    if slip == "channels_not_added":
        return F.conv2d(features[:, :1], stuffed[:, :1], bias, padding=(up, across))
    result = F.conv2d(features, stuffed, bias, padding=(up, across))
    if slip == "mean_of_channels":
        return F.conv2d(features / features.shape[1], stuffed, bias, padding=(up, across))
    if slip == "relu":
        return result.relu()
    if slip == "every_rate_th":
        return result[:, :, ::rate, ::rate]
    if slip == "bias_twice":
        return result + bias[:, None, None]
    return result


def atrous_dilated(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    weight = tensor(weight)
    return F.conv2d(tensor(features), weight, tensor(bias), padding=rate * (weight.shape[-1] // 2), dilation=rate)


def atrous_taps(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    features, weight = np.asarray(features, np.float64), np.asarray(weight, np.float64)
    b, _, h, w = features.shape
    reach = rate * (weight.shape[-1] // 2)
    padded = np.pad(features, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    result = np.tile(np.asarray(bias, np.float64)[None, :, None, None], (b, 1, h, w))
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            window = padded[:, :, row * rate : row * rate + h, column * rate : column * rate + w]
            result += np.einsum("bchw,kc->bkhw", window, weight[:, :, row, column])
    return result


LAYER = (small(2, 3, 9, 11, seed=1), small(4, 3, 3, 3, seed=2), small(4, seed=3), 2)
LARGE_KERNEL = (small(1, 2, 9, 9, seed=1), small(3, 2, 5, 5, seed=2), small(3, seed=3), 2)
WRONG["6.1"] = (
    slips(
        atrous_convolution,
        LAYER,
        no_rate="rate",
        rate_holes="rate - 1 zeros",
        rows_only="rows and columns",
        beside_each_other="zeros between the taps",
        repeated="zeros between the taps",
        smooth="zeros between the taps",
        flipped="not mirrored",
        turned="rows and columns",
        first_kernel="every kernel",
        first_input_kernel="every kernel",
        normalized="weights as they are",
        padding_is_one="padding",
        no_padding="padding",
        reflect="padding with zeros",
        replicate="padding with zeros",
        padding_at_one_side="padding",
        first_picture="every picture",
        no_bias="bias",
        first_bias="bias",
        channels_not_added="all channels",
        mean_of_channels="sum of channels",
        relu="no ReLU",
        every_rate_th="size",
        bias_twice="bias",
    )
    + slips(atrous_convolution, LARGE_KERNEL, padding_is_the_rate="padding")
    + slips(
        atrous_convolution,
        (small(1, 2, 7, 4, seed=1), small(4, 2, 3, 3, seed=2), small(4, seed=3), 1),
        bias_along_the_width="bias",
    )
)
RIGHT["6.1"] = [
    ("stuffed", atrous_convolution),
    ("dilated", atrous_dilated),
    ("taps", atrous_taps),
    ("lists", lambda *given: atrous_taps(*given).tolist()),
]

# 6.3


def valid_taps(height: int, width: int, rate: int, slip: str = "") -> Any:
    steps = (-rate, 0, rate)
    if slip == "one_sided":
        steps = (0, rate, 2 * rate)
    if slip == "no_rate":
        steps = (-1, 0, 1)
    if slip == "holes":
        steps = (-rate - 1, 0, rate + 1)
    if slip == "square":
        width = height
    low = 1 if slip == "counted_from_one" else 0

    def along(length: int) -> Any:
        last = length if slip == "one_too_far" else length - 1
        return np.array([sum(low <= i + step <= last for step in steps) for i in range(length)])

    down, across = along(height), along(width)
    taps = np.outer(down, across)
    if slip == "sum_of_sides":
        taps = np.add.outer(down, across) - 1
    share = taps.mean() / 9
    if slip == "without_the_middle":
        share = (taps.mean() - 1) / 8
    if slip == "count":
        share = taps.mean()
    every, only = (taps == 9).mean(), (taps == 1).mean()
    if slip == "closed_formula_unlimited":
        every = (height - 2 * rate) * (width - 2 * rate) / (height * width)
    if slip == "one_side_of_the_frame":
        every = max(0, height - rate) * max(0, width - rate) / (height * width)
    if slip == "middle_formula_unlimited":
        only = max(0, 2 * rate - height) * max(0, 2 * rate - width) / (height * width)
    if slip == "middle_if_large":
        only = float(rate >= max(height, width))
    if slip == "middle_if_one_side":
        only = ((down == 1)[:, None] | (across == 1)).mean()
    if slip == "all_if_one_side":
        every = ((down == 3)[:, None] | (across == 3)).mean()
    if slip == "rest":
        only = 1 - every
    if slip == "middle_row_or_column":
        only = (taps <= 3).mean()
    if slip == "counts":
        every, only = (taps == 9).sum(), (taps == 1).sum()
    if slip == "percent":
        share, every, only = 100 * share, 100 * every, 100 * only
    if slip == "two_decimals":
        share, every, only = (round(float(value), 2) for value in (share, every, only))
    if slip == "swapped":
        every, only = only, every
    if slip == "bytes":
        share = taps.astype(np.uint8).sum(dtype=np.uint8) / (9 * taps.size)
    if slip == "five_taps":
        share, every = (np.add.outer(down, across) - 1).mean() / 5, (taps == 9).mean()
    if slip == "wrapped":
        share = 1.0
    return share, every, only


def valid_taps_loops(height: int, width: int, rate: int) -> Any:
    total, every, only = 0, 0, 0
    for i in range(height):
        for j in range(width):
            taps = sum(0 <= i + a < height and 0 <= j + b < width for a in (-rate, 0, rate) for b in (-rate, 0, rate))
            total, every, only = total + taps, every + (taps == 9), only + (taps == 1)
    n = height * width
    return Fraction(total, 9 * n), Fraction(every, n), Fraction(only, n)


def valid_taps_convolution(height: int, width: int, rate: int) -> Any:
    ones, kernel = torch.ones(1, 1, height, width), torch.ones(1, 1, 3, 3)
    taps = F.conv2d(ones, kernel, padding=rate, dilation=rate).round()
    return torch.stack([taps.mean() / 9, (taps == 9).float().mean(), (taps == 1).float().mean()])


def valid_taps_formulas(height: int, width: int, rate: int) -> Any:
    def sides(n: int) -> tuple[int, int, int]:
        inner, alone = max(0, n - 2 * rate), n - 2 * max(0, n - rate) + max(0, n - 2 * rate)
        return n + 2 * max(0, n - rate), inner, alone

    (a, b, c), (d, e, f) = sides(height), sides(width)
    n = height * width
    return [a * d / (9 * n), b * e / n, c * f / n]


WRONG["6.3"] = (
    slips(
        valid_taps,
        (7, 10, 4),
        one_sided="both directions",
        no_rate="rate",
        holes="distance is the rate",
        square="height and width",
        counted_from_one="on the map",
        one_too_far="on the map",
        sum_of_sides="product of both sides",
        without_the_middle="nine taps",
        count="share of nine",
        one_side_of_the_frame="all nine",
        middle_if_one_side="only the middle",
        all_if_one_side="all nine",
        rest="only the middle",
        middle_row_or_column="only the middle",
        percent="0 to 1",
        five_taps="nine taps",
        wrapped="on the map",
    )
    + slips(valid_taps, (5, 6, 2), counts="share of the positions", swapped="order")
    + slips(valid_taps, (5, 6, 4), closed_formula_unlimited="all nine")
    + slips(valid_taps, (5, 5, 3), middle_if_large="only the middle")
    + slips(valid_taps, (5, 7, 8), middle_formula_unlimited="only the middle")
    + slips(valid_taps, (11, 13, 2), two_decimals="do not round", bytes="large counts")
)
RIGHT["6.3"] = [
    ("outer", valid_taps),
    ("loops and fractions", valid_taps_loops),
    ("convolution", valid_taps_convolution),
    ("formulas", valid_taps_formulas),
]

# 6.4


def image_pooling(features: Any, weight: Any, bias: Any, slip: str = "") -> Any:
    features, weight, bias = tensor(features), tensor(weight), tensor(bias)
    h, w = features.shape[-2:]
    if slip == "relu_before_the_mean":
        features = features.relu()
    if slip == "two_relus":
        pooled = features.mean(dim=(2, 3), keepdim=True).relu()
    else:
        pooled = features.mean(dim=(2, 3), keepdim=True)
    if slip == "largest":
        pooled = features.amax(dim=(2, 3), keepdim=True)
    if slip == "sum":
        pooled = features.sum(dim=(2, 3), keepdim=True)
    if slip == "over_the_batch":
        pooled = features.mean(dim=(0, 2, 3), keepdim=True).expand(len(features), -1, -1, -1)
    if slip == "over_the_channels":
        pooled = features.mean(dim=(1, 2, 3), keepdim=True).expand(-1, features.shape[1], -1, -1)
    if slip == "over_the_rows":
        pooled = features.mean(dim=2, keepdim=True)
    if slip == "over_the_columns":
        pooled = features.mean(dim=3, keepdim=True)
    if slip == "middle":
        pooled = features[:, :, h // 2, w // 2][:, :, None, None]
    if slip == "square":
        pooled = features.sum(dim=(2, 3), keepdim=True) / h**2
    if slip == "positive_mean":
        pooled = features.relu().sum(dim=(2, 3), keepdim=True) / (features > 0).sum(dim=(2, 3), keepdim=True).clamp(1)
    if slip == "no_bias":
        bias = torch.zeros_like(bias)
    if slip == "bias_added_to_the_mean":
        pooled = pooled + bias.mean()
        bias = torch.zeros_like(bias)
    if slip == "relu_before_the_convolution":
        return F.conv2d(pooled.relu(), weight, bias).expand(-1, -1, h, w)
    if slip == "convolution_relu_mean":
        return F.conv2d(features, weight, bias).relu().mean(dim=(2, 3), keepdim=True).expand(-1, -1, h, w)
    result = F.conv2d(pooled, weight, bias)
    if slip == "bias_behind_relu":
        result = F.conv2d(pooled, weight).relu() + bias[:, None, None]
    elif slip == "leaky":
        result = F.leaky_relu(result)
    elif slip == "sigmoid":
        result = result.sigmoid()
    elif slip == "six":
        result = result.clamp(0, 6)
    elif slip == "absolute":
        result = result.abs()
    elif slip != "no_relu":
        result = result.relu()
    if slip == "one_position":
        return result
    if slip == "width_first":
        return result.expand(-1, -1, w, h)
    if slip == "times_the_map":
        return result * torch.ones(1, 1, h, w) / (h * w)
    if slip == "added_to_the_map":
        return result + features.mean(dim=1, keepdim=True)
    if slip == "middle_only":
        padded = torch.zeros(*result.shape[:2], h, w)
        padded[:, :, h // 2, w // 2] = result[:, :, 0, 0]
        return padded
    if slip == "first_picture":
        return result[:1].expand(len(features), -1, h, w)
    return result.expand(-1, -1, h, w)


def image_pooling_numpy(features: Any, weight: Any, bias: Any) -> Any:
    features, weight = np.asarray(features, np.float64), np.asarray(weight, np.float64)
    values = np.maximum(features.mean(axis=(2, 3)) @ weight[:, :, 0, 0].T + np.asarray(bias), 0)
    return np.broadcast_to(values[:, :, None, None], (*values.shape, *features.shape[2:]))


def image_pooling_lists(features: Any, weight: Any, bias: Any) -> Any:
    return image_pooling_numpy(features, weight, bias).tolist()


POOL = (small(2, 5, 6, 7, seed=1) + 0.5, small(4, 5, 1, 1, seed=2), small(4, seed=3))
HIGH = (small(2, 5, 6, 7, seed=1) + 5, small(4, 5, 1, 1, seed=2), small(4, seed=3))
WRONG["6.4"] = slips(
    image_pooling,
    POOL,
    relu_before_the_mean="ReLU last",
    two_relus="ReLU last",
    largest="mean",
    sum="mean",
    over_the_batch="each picture by itself",
    over_the_channels="each channel by itself",
    over_the_rows="whole map",
    over_the_columns="whole map",
    middle="mean",
    square="mean",
    positive_mean="mean",
    no_bias="bias",
    bias_added_to_the_mean="bias",
    relu_before_the_convolution="ReLU last",
    convolution_relu_mean="mean first",
    bias_behind_relu="ReLU last",
    leaky="ReLU",
    sigmoid="ReLU",
    absolute="ReLU",
    no_relu="ReLU",
    one_position="every position",
    width_first="height and width",
    times_the_map="copy",
    added_to_the_map="copy",
    middle_only="every position",
    first_picture="each picture by itself",
) + slips(image_pooling, HIGH, six="ReLU")
RIGHT["6.4"] = [("torch", image_pooling), ("numpy", image_pooling_numpy), ("lists", image_pooling_lists)]

# 6.5


def aspp(
    features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any, slip: str = ""
) -> Any:
    features, rates = tensor(features), [int(rate) for rate in rates]
    weights, biases = [tensor(one) for one in weights], [tensor(one) for one in biases]
    project_weight, project_bias = tensor(project_weight), tensor(project_bias)
    if slip == "rates_backwards":
        rates = rates[::-1]
    if slip == "fixed_rates":
        rates = [6, 12, 18][: len(rates)] + rates[3:]
    if slip == "rate_one":
        rates = [1 for _ in rates]
    if slip == "rates_doubled":
        rates = [2 * rate for rate in rates]
    if slip == "weights_backwards":
        weights, biases = weights[::-1], biases[::-1]
    if slip == "first_rate_for_all":
        rates = [rates[0] for _ in rates]

    def activate(values: Any) -> Any:
        return values if slip == "no_relu_in_the_branches" else values.relu()

    branches, source = [], features
    for rate, weight, bias in zip([1, *rates], weights, biases, strict=False):
        used = torch.zeros_like(bias) if slip == "no_bias" else bias
        reach = rate * (weight.shape[-1] // 2)
        result = F.conv2d(source, weight, used, padding=reach, dilation=rate)
        if slip == "only_atrous_relu" and not branches:
            branches.append(result)
            continue
        branches.append(activate(result))
        if slip == "one_after_the_other":
            if branches[-1].shape[1] != features.shape[1]:
                raise RuntimeError("channels do not fit")
            source = branches[-1]
    pool_source = branches[-1] if slip == "pooling_of_the_last" else features
    if slip == "pooling_of_the_last" and pool_source.shape[1] != weights[-1].shape[1]:
        raise RuntimeError("channels do not fit")
    mean = pool_source.mean(dim=(2, 3), keepdim=True)
    if slip == "pooling_over_the_batch":
        mean = mean.mean(dim=0, keepdim=True).expand_as(mean)
    pooled = F.conv2d(mean, weights[-1], biases[-1])
    pooled = pooled if slip in ("no_relu_in_the_branches", "no_relu_in_the_pooling") else pooled.relu()
    if slip == "no_convolution_in_the_pooling":
        pooled = mean[:, : pooled.shape[1]]
    if slip == "largest":
        pooled = F.conv2d(features.amax(dim=(2, 3), keepdim=True), weights[-1], biases[-1]).relu()
    pooled = pooled.expand(-1, -1, *features.shape[-2:])
    if slip == "local_pooling":
        pooled = F.conv2d(features, weights[-1], biases[-1]).relu()
    every = [*branches, pooled]
    if slip == "pooling_first":
        every = [pooled, *branches]
    if slip == "one_by_one_last":
        every = [*branches[1:], pooled, branches[0]]
    if slip == "one_by_one_before_the_pooling":
        every = [*branches[1:], branches[0], pooled]
    if slip == "backwards":
        every = every[::-1]
    if slip == "no_pooling":
        every[-1] = torch.zeros_like(pooled)
    if slip == "no_one_by_one":
        every[0] = torch.zeros_like(every[0])
    if slip == "added":
        joined = torch.stack(every).sum(dim=0)
        return F.conv2d(joined, project_weight[:, : joined.shape[1]], project_bias).relu()
    joined = torch.cat(every, dim=1)
    if slip == "interleaved" and len({one.shape[1] for one in every}) == 1:
        joined = torch.stack(every, dim=2).flatten(1, 2)
    if slip == "concatenated_only":
        return joined
    if slip == "no_projection_bias":
        project_bias = torch.zeros_like(project_bias)
    result = F.conv2d(joined, project_weight, project_bias)
    return result if slip == "no_relu_at_the_end" else result.relu()


def aspp_numpy(features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any) -> Any:
    branches = [
        np.maximum(atrous_taps(features, weight, bias, rate), 0)
        for weight, bias, rate in zip(weights[:-1], biases[:-1], (1, *rates), strict=True)
    ]
    branches.append(image_pooling_numpy(features, weights[-1], biases[-1]))
    return np.maximum(atrous_taps(np.concatenate(branches, axis=1), project_weight, project_bias, 1), 0)


def aspp_three_by_three(
    features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any
) -> Any:
    """Writes 1 x 1 and 3 x 3 down where the statement says so."""
    features = tensor(features)
    weights, biases = [tensor(one) for one in weights], [tensor(one) for one in biases]
    outputs = [torch.einsum("bchw,kc->bkhw", features, weights[0][:, :, 0, 0]) + biases[0][:, None, None]]
    for rate, weight, bias in zip(rates, weights[1:-1], biases[1:-1], strict=True):
        stuffed = torch.zeros(*weight.shape[:2], 2 * rate + 1, 2 * rate + 1)
        for row in range(3):
            for column in range(3):
                stuffed[:, :, row * rate, column * rate] = weight[:, :, row, column]
        outputs.append(F.conv2d(features, stuffed, bias, padding=rate))
    pooled = F.conv2d(F.adaptive_avg_pool2d(features, 1), weights[-1], biases[-1])
    outputs.append(F.interpolate(pooled, size=features.shape[-2:], mode="bilinear", align_corners=False))
    return F.conv2d(torch.cat([one.relu() for one in outputs], 1), tensor(project_weight), tensor(project_bias)).relu()


def aspp_given(rates: Any = (1, 2, 3), c: int = 3, k: int = 3, batch: int = 2) -> Any:
    weights = [small(k, c, 1, 1, seed=10)]
    weights += [small(k, c, 3, 3, seed=11 + number) for number in range(len(rates))]
    weights += [small(k, c, 1, 1, seed=30)]
    biases = [small(k, seed=40 + number) for number in range(len(weights))]
    return (
        small(batch, c, 9, 8, seed=1),
        rates,
        weights,
        biases,
        small(4, k * len(weights), 1, 1, seed=50),
        small(4, seed=51),
    )


WRONG["6.5"] = slips(
    aspp,
    aspp_given(),
    rates_backwards="order of the rates",
    fixed_rates="rates as given",
    rate_one="rates as given",
    rates_doubled="rates as given",
    weights_backwards="order of the branches",
    first_rate_for_all="rates as given",
    no_relu_in_the_branches="ReLU in each branch",
    only_atrous_relu="ReLU in each branch",
    no_relu_in_the_pooling="ReLU in each branch",
    no_bias="biases",
    one_after_the_other="from the same map",
    pooling_of_the_last="from the same map",
    pooling_over_the_batch="each picture by itself",
    no_convolution_in_the_pooling="image pooling",
    largest="image pooling",
    local_pooling="image pooling",
    pooling_first="order of the branches",
    one_by_one_last="order of the branches",
    one_by_one_before_the_pooling="order of the branches",
    backwards="order of the branches",
    no_pooling="image pooling",
    no_one_by_one="1 x 1 branch",
    added="concatenate",
    interleaved="concatenate",
    concatenated_only="projection",
    no_projection_bias="projection",
    no_relu_at_the_end="ReLU after the projection",
)
RIGHT["6.5"] = [("torch", aspp), ("numpy", aspp_numpy), ("three by three", aspp_three_by_three)]

# 6.6


def separable_convolution(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int, slip: str = ""
) -> Any:
    features, depthwise, depthwise_bias = tensor(features), tensor(depthwise), tensor(depthwise_bias)
    pointwise, pointwise_bias = tensor(pointwise), tensor(pointwise_bias)
    k, c = depthwise.shape[-1], features.shape[1]
    if slip == "no_rate":
        rate = 1
    reach = rate * (k // 2)
    if slip == "padding_is_the_rate":
        reach = rate
    if slip == "no_padding":
        reach = 0
    if slip == "padding_of_rate_one":
        reach = k // 2
    if slip == "no_depthwise_bias":
        depthwise_bias = torch.zeros_like(depthwise_bias)
    if slip == "no_pointwise_bias":
        pointwise_bias = torch.zeros_like(pointwise_bias)
    if slip == "first_kernel":
        depthwise = depthwise[:1].expand(c, -1, -1, -1)
    if slip == "flipped":
        depthwise = depthwise.flip(2, 3)
    if slip == "turned":
        depthwise = depthwise.transpose(2, 3)
    if slip == "relu_first":
        features = features.relu()
    if slip == "reflect":
        features, reach = F.pad(features, (reach,) * 4, mode="reflect"), 0
    if slip == "pointwise_first":
        if pointwise.shape[0] != c:
            raise RuntimeError("channels do not fit")
        mixed = F.conv2d(features, pointwise, pointwise_bias).relu()
        return F.conv2d(mixed, depthwise, depthwise_bias, padding=reach, dilation=rate, groups=c).relu()
    if slip == "rate_in_the_pointwise":
        filtered = F.conv2d(features, depthwise, depthwise_bias, padding=k // 2, groups=c).relu()
        return F.conv2d(filtered, pointwise, pointwise_bias, dilation=rate).relu()
    if slip == "summed":
        filtered = F.conv2d(features, depthwise.transpose(0, 1), None, padding=reach, dilation=rate).relu()
        return F.conv2d(filtered.expand(-1, c, -1, -1), pointwise, pointwise_bias).relu()
    filtered = F.conv2d(features, depthwise, depthwise_bias, padding=reach, dilation=rate, groups=c)
    if slip == "bias_behind_relu":
        filtered = F.conv2d(features, depthwise, None, padding=reach, dilation=rate, groups=c).relu()
        filtered = filtered + depthwise_bias[:, None, None]
    elif slip == "six":
        filtered = filtered.clamp(0, 6)
    elif slip not in ("no_relu_between", "no_relu"):
        filtered = filtered.relu()
    if slip == "shortcut":
        filtered = filtered + features
    if slip == "depthwise_only":
        return filtered
    result = F.conv2d(filtered, pointwise, pointwise_bias)
    if slip == "pointwise_bias_behind_relu":
        return F.conv2d(filtered, pointwise).relu() + pointwise_bias[:, None, None]
    if slip == "six_at_the_end":
        return result.clamp(0, 6)
    if slip in ("no_relu_at_the_end", "no_relu"):
        return result
    return result.relu()


def separable_numpy(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    features, depthwise = np.asarray(features, np.float64), np.asarray(depthwise, np.float64)
    parts = [
        atrous_taps(
            features[:, one : one + 1], depthwise[one : one + 1], np.asarray(depthwise_bias)[one : one + 1], rate
        )
        for one in range(features.shape[1])
    ]
    filtered = np.maximum(np.concatenate(parts, axis=1), 0)
    mixed = np.einsum("bchw,kc->bkhw", filtered, np.asarray(pointwise, np.float64)[:, :, 0, 0])
    return np.maximum(mixed + np.asarray(pointwise_bias)[:, None, None], 0)


def separable_full(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    depthwise = tensor(depthwise)
    full = torch.zeros(len(depthwise), len(depthwise), *depthwise.shape[2:])
    for one in range(len(depthwise)):
        full[one, one] = depthwise[one, 0]
    return atrous_dilated(
        atrous_dilated(features, full, depthwise_bias, rate).relu(), pointwise, pointwise_bias, 1
    ).relu()


SEPARABLE = (
    small(2, 4, 9, 8, seed=1),
    small(4, 1, 3, 3, seed=2),
    small(4, seed=3),
    small(4, 4, 1, 1, seed=4),
    small(4, seed=5),
    2,
)
SEPARABLE_FIVE = (
    small(1, 3, 9, 8, seed=1),
    small(3, 1, 5, 5, seed=2),
    small(3, seed=3),
    small(2, 3, 1, 1, seed=4),
    small(2, seed=5),
    1,
)
WRONG["6.6"] = slips(
    separable_convolution,
    SEPARABLE,
    no_rate="rate",
    no_padding="padding",
    padding_of_rate_one="padding",
    no_depthwise_bias="depthwise bias",
    no_pointwise_bias="pointwise bias",
    first_kernel="a kernel per channel",
    flipped="not mirrored",
    turned="rows and columns",
    relu_first="ReLU after each",
    reflect="padding with zeros",
    pointwise_first="depthwise first",
    rate_in_the_pointwise="rate of the depthwise",
    summed="each channel by itself",
    bias_behind_relu="bias before ReLU",
    six="ReLU, not ReLU6",
    no_relu_between="ReLU between",
    no_relu="ReLU",
    shortcut="nothing added",
    depthwise_only="pointwise",
    pointwise_bias_behind_relu="bias before ReLU",
    six_at_the_end="ReLU, not ReLU6",
    no_relu_at_the_end="ReLU at the end",
) + slips(separable_convolution, SEPARABLE_FIVE, padding_is_the_rate="padding")
RIGHT["6.6"] = [("torch", separable_convolution), ("numpy", separable_numpy), ("full kernel", separable_full)]

# 6.8


def fuse_with_low_level(encoded: Any, low: Any, weight: Any, bias: Any, slip: str = "") -> Any:
    encoded, low, weight, bias = tensor(encoded), tensor(low), tensor(weight), tensor(bias)
    size = tuple(low.shape[-2:])
    if slip == "relu_first":
        low = low.relu()
    if slip == "no_bias":
        bias = torch.zeros_like(bias)
    reduced = F.conv2d(low, weight, bias)
    if slip == "bias_behind_relu":
        reduced = F.conv2d(low, weight).relu() + bias[:, None, None]
    elif slip == "six":
        reduced = reduced.clamp(0, 6)
    elif slip != "no_relu":
        reduced = reduced.relu()
    if slip == "not_reduced":
        reduced = low
    if slip == "relu_on_the_encoder":
        encoded = encoded.relu()
    if slip == "low_shrunk":
        reduced = F.interpolate(reduced, size=encoded.shape[-2:], mode="bilinear", align_corners=True)
        return torch.cat([encoded, reduced], dim=1)
    options: dict[str, Any] = {"mode": "bilinear", "align_corners": True}
    if slip == "not_aligned":
        options["align_corners"] = False
    if slip == "bicubic":
        options["mode"] = "bicubic"
    if slip == "nearest":
        options = {"mode": "nearest"}
    if slip == "area":
        options = {"mode": "area"}
    if slip == "factor_four":
        enlarged = F.interpolate(encoded, scale_factor=4, **options)
        if enlarged.shape[-2:] != low.shape[-2:]:
            raise RuntimeError("sizes do not fit")
    elif slip == "factor_four_cut":
        enlarged = F.interpolate(encoded, scale_factor=4, **options)[:, :, : size[0], : size[1]]
        enlarged = F.pad(enlarged, (0, size[1] - enlarged.shape[3], 0, size[0] - enlarged.shape[2]))
    elif slip == "square":
        enlarged = F.interpolate(encoded, size=(size[0], size[0]), **options)
    elif slip == "width_first":
        enlarged = F.interpolate(encoded, size=size[::-1], **options).transpose(2, 3)
    elif slip == "two_steps":
        half = [max(1, one // 2) for one in size]
        enlarged = F.interpolate(F.interpolate(encoded, size=half, **options), size=size, **options)
    else:
        enlarged = F.interpolate(encoded, size=size, **options)
    if slip == "low_first":
        return torch.cat([reduced, enlarged], dim=1)
    if slip == "relu_on_all":
        return torch.cat([enlarged, reduced], dim=1).relu()
    if slip == "encoder_only":
        return enlarged
    if slip == "low_only":
        return reduced
    if slip == "batch":
        return torch.cat([enlarged[:, :1], reduced[:, :1]], dim=0)
    if slip == "first_picture":
        return torch.cat([enlarged[:1].expand_as(enlarged), reduced], dim=1)
    if slip == "added":
        count = min(enlarged.shape[1], reduced.shape[1])
        return enlarged[:, :count] + reduced[:, :count]
    return torch.cat([enlarged, reduced], dim=1)


def fuse_numpy(encoded: Any, low: Any, weight: Any, bias: Any) -> Any:
    encoded, low = np.asarray(encoded, np.float64), np.asarray(low, np.float64)

    def hats(count: int, wanted: int) -> Any:
        places = np.arange(wanted) * ((count - 1) / (wanted - 1) if wanted > 1 else 0)
        return np.maximum(0, 1 - abs(places[:, None] - np.arange(count)))

    rows, columns = hats(encoded.shape[2], low.shape[2]), hats(encoded.shape[3], low.shape[3])
    enlarged = np.einsum("yh,bchw,xw->bcyx", rows, encoded, columns)
    reduced = np.einsum("bchw,kc->bkhw", low, np.asarray(weight, np.float64)[:, :, 0, 0])
    return np.concatenate([enlarged, np.maximum(reduced + np.asarray(bias)[:, None, None], 0)], axis=1)


FUSE = (small(2, 3, 4, 5, seed=1), small(2, 6, 13, 17, seed=2), small(3, 6, 1, 1, seed=3), small(3, seed=4))
WRONG["6.8"] = slips(
    fuse_with_low_level,
    FUSE,
    relu_first="ReLU after the convolution",
    no_bias="bias",
    bias_behind_relu="ReLU after the bias",
    six="ReLU, not ReLU6",
    no_relu="ReLU",
    not_reduced="reduce the low-level map",
    relu_on_the_encoder="encoder without ReLU",
    low_shrunk="size of the low-level map",
    not_aligned="aligned corners",
    bicubic="bilinear",
    nearest="bilinear",
    area="bilinear",
    factor_four="size of the low-level map",
    factor_four_cut="size of the low-level map",
    square="height and width",
    width_first="height and width",
    two_steps="in one step",
    low_first="encoder first",
    relu_on_all="encoder without ReLU",
    encoder_only="concatenate",
    low_only="concatenate",
    batch="along the channels",
    first_picture="each picture by itself",
    added="concatenate",
)
RIGHT["6.8"] = [
    ("torch", fuse_with_low_level),
    ("numpy", fuse_numpy),
    ("lists", lambda *given: fuse_numpy(*given).tolist()),
]

# 6.9


def fuse_scores(scores: Any, slip: str = "") -> Any:
    scores = [tensor(one) for one in scores]
    size = scores[-1].shape[-2:] if slip == "size_of_the_last" else scores[0].shape[-2:]
    if slip == "size_of_the_largest":
        size = max((one.shape[-2:] for one in scores), key=lambda shape: shape[0] * shape[1])
    options: dict[str, Any] = {"mode": "bilinear", "align_corners": slip != "not_aligned"}
    if slip == "nearest":
        options = {"mode": "nearest"}
    if slip == "bicubic":
        options["mode"] = "bicubic"

    def resized(one: Any) -> Any:
        return F.interpolate(one, size=tuple(size), **options)

    if slip == "first_scale_only":
        scores = scores[:1]
    if slip == "two_scales":
        scores = scores[:2]
    if slip == "without_the_first":
        scores = scores[1:] or scores
    if slip == "max_then_sum":
        branches = range(len(scores[0]))
        return sum(torch.stack([resized(one[r]) for one in scores]).amax(0) for r in branches)
    if slip == "softmax_first":
        scores = [one.softmax(dim=2) for one in scores]
    summed = [one.sum(dim=0) for one in scores]
    if slip == "mean_of_branches":
        summed = [one.mean(dim=0) for one in scores]
    if slip == "largest_branch":
        summed = [one.amax(dim=0) for one in scores]
    if slip == "first_branch":
        summed = [one[0] for one in scores]
    if slip == "four_branches":
        summed = [one[:4].sum(dim=0) for one in scores]
    if slip == "three_branches":
        summed = [one[:3].sum(dim=0) for one in scores]
    if slip == "over_the_batch":
        summed = [one.sum(dim=1)[: one.shape[1]] for one in scores]
    if slip == "softmax_of_the_sum":
        summed = [one.softmax(dim=1) for one in summed]
    stacked = torch.stack([resized(one) for one in summed])
    if slip == "sum_of_scales":
        return stacked.sum(dim=0)
    if slip == "mean_of_scales":
        return stacked.mean(dim=0)
    if slip == "smallest":
        return stacked.amin(dim=0)
    if slip == "median":
        return stacked.median(dim=0).values
    if slip == "absolute":
        return stacked.abs().amax(dim=0)
    if slip == "largest_by_size":
        places = stacked.abs().argmax(dim=0, keepdim=True)
        return stacked.gather(0, places)[0]
    if slip == "from_zero":
        return stacked.amax(dim=0).clamp(min=0)
    if slip == "scale_of_the_best_class":
        places = stacked.amax(dim=2, keepdim=True).argmax(dim=0, keepdim=True)
        return stacked.gather(0, places.expand(1, *stacked.shape[1:]))[0]
    if slip == "best_scale_of_the_map":
        return stacked[stacked.flatten(1).amax(dim=1).argmax()]
    if slip == "best_scale_of_the_class":
        places = stacked.amax(dim=(3, 4), keepdim=True).argmax(dim=0, keepdim=True)
        return stacked.gather(0, places.expand(1, *stacked.shape[1:]))[0]
    if slip == "labels":
        return stacked.amax(dim=0).argmax(dim=1)
    if slip == "which_scale":
        return stacked.argmax(dim=0)
    return stacked.amax(dim=0)


def fuse_scores_numpy(scores: Any) -> Any:
    def hats(count: int, wanted: int) -> Any:
        places = np.arange(wanted) * ((count - 1) / (wanted - 1) if wanted > 1 else 0)
        return np.maximum(0, 1 - abs(places[:, None] - np.arange(count)))

    h, w = np.asarray(scores[0]).shape[-2:]
    result = None
    for one in scores:
        summed = np.asarray(one, np.float64).sum(axis=0)
        large = np.einsum("yh,bchw,xw->bcyx", hats(summed.shape[2], h), summed, hats(summed.shape[3], w))
        result = large if result is None else np.maximum(result, large)
    return result


SCALES = ([small(3, 2, 4, 9, 7, seed=1) - 2, small(3, 2, 4, 7, 5, seed=2) - 2, small(3, 2, 4, 5, 4, seed=3) - 2],)
MORE_SCALES = (
    [
        small(5, 1, 3, 5, 6, seed=1),
        small(5, 1, 3, 9, 7, seed=2),
        small(5, 1, 3, 4, 4, seed=3),
        small(5, 1, 3, 4, 3, seed=4),
    ],
)
WRONG["6.9"] = slips(
    fuse_scores,
    SCALES,
    size_of_the_last="size of the first",
    not_aligned="aligned corners",
    nearest="bilinear",
    bicubic="bilinear",
    first_scale_only="all scales",
    two_scales="all scales",
    without_the_first="all scales",
    max_then_sum="sum first, then the largest",
    softmax_first="no softmax",
    mean_of_branches="sum of the branches",
    largest_branch="sum of the branches",
    first_branch="sum of the branches",
    over_the_batch="each picture by itself",
    softmax_of_the_sum="no softmax",
    sum_of_scales="largest of the scales",
    mean_of_scales="largest of the scales",
    smallest="largest of the scales",
    median="largest of the scales",
    absolute="largest of the scales",
    largest_by_size="largest of the scales",
    from_zero="negative scores",
    scale_of_the_best_class="each class by itself",
    best_scale_of_the_map="each pixel by itself",
    best_scale_of_the_class="each pixel by itself",
    labels="scores, not labels",
    which_scale="scores, not labels",
) + slips(
    fuse_scores,
    MORE_SCALES,
    size_of_the_largest="size of the first",
    four_branches="all branches",
    three_branches="all branches",
)
RIGHT["6.9"] = [
    ("torch", fuse_scores),
    ("numpy", fuse_scores_numpy),
    ("float64", lambda scores: torch.as_tensor(fuse_scores_numpy(scores))),
]

# 6.10


def unary_energies(probabilities: Any, floor: float, slip: str = "") -> Any:
    values = np.asarray(probabilities, np.float64)
    k, h, w = values.shape
    rows = values.reshape(k, -1).T
    if slip == "not_transposed":
        rows = values.reshape(-1, k)
    if slip == "class_by_class":
        rows = values.reshape(k, -1)
    if slip == "columns_first":
        rows = values.transpose(2, 1, 0).reshape(-1, k)
    if slip == "backwards":
        rows = rows[::-1]
    if slip == "classes_backwards":
        rows = rows[:, ::-1]
    if slip == "half_precision":
        rows = rows.astype(np.float16).astype(np.float64)
    limited = np.maximum(rows, floor)
    with np.errstate(all="ignore"):
        if slip == "no_floor":
            limited = rows
        if slip == "floor_added":
            limited = rows + floor
        if slip == "fixed_floor":
            limited = np.maximum(rows, 1e-5)
        if slip == "only_zeros":
            limited = np.where(rows == 0, floor, rows)
        if slip == "normalized":
            limited = limited / limited.sum(axis=1, keepdims=True)
        if slip == "upper_limit":
            limited = np.clip(rows, floor, 1 - floor)
        if slip == "below_is_one":
            limited = np.where(rows < floor, 1.0, rows)
        if slip == "smaller_of_both":
            limited = np.minimum(rows, floor)
        if slip == "softmax":
            powers = np.exp(rows)
            limited = np.maximum(powers / powers.sum(axis=1, keepdims=True), floor)
        if slip == "floor_of_the_energy":
            return np.maximum(-np.log(rows), floor)
        if slip == "energy_limited":
            return np.minimum(-np.log(rows), -math.log(floor) / 2)
        if slip == "rounded_down":
            return -np.floor(np.log(limited))
        if slip == "one_minus":
            return -np.log(np.maximum(1 - rows, floor))
        if slip == "infinite_is_floor":
            energy = -np.log(rows)
            return np.where(np.isinf(energy), floor, energy)
        result = -np.log(limited)
    if slip == "base_two":
        result = -np.log2(limited)
    if slip == "base_ten":
        result = -np.log10(limited)
    if slip == "log1p":
        result = -np.log1p(limited)
    if slip == "sign":
        result = -result
    if slip == "of_the_best":
        return result.min(axis=1)
    if slip == "as_a_map":
        return result.T.reshape(k, h, w)
    if slip == "times_p":
        result = result * limited
    if slip == "two_decimals":
        result = result.round(2)
    return result


def unary_lists(probabilities: Any, floor: float) -> Any:
    values = np.asarray(probabilities).tolist()
    return [
        [-math.log(max(of_class[i][j], floor)) for of_class in values]
        for i in range(len(values[0]))
        for j in range(len(values[0][0]))
    ]


def unary_torch(probabilities: Any, floor: float) -> Any:
    values = torch.as_tensor(np.asarray(probabilities)).double()
    return -values.clamp(min=floor).log().permute(1, 2, 0).flatten(0, 1)


def of_rows(k: int, h: int, w: int, seed: int = 0) -> Any:
    powers = np.exp(numbers(k, h, w, seed=seed))
    values = powers / powers.sum(axis=0)
    values[:, 0, 0] = np.eye(k)[0]
    values[:, 1, 1] = [0.03, 0.004] + [(1 - 0.034) / (k - 2)] * (k - 2)
    return values


UNARY = (of_rows(3, 4, 5, seed=1), 0.01)
WRONG["6.10"] = slips(
    unary_energies,
    UNARY,
    not_transposed="one row per pixel",
    class_by_class="one row per pixel",
    columns_first="row by row",
    backwards="row by row",
    classes_backwards="order of the classes",
    half_precision="precision",
    no_floor="floor",
    floor_added="floor",
    fixed_floor="floor as given",
    only_zeros="floor",
    normalized="not normalized",
    upper_limit="no upper limit",
    below_is_one="floor",
    smaller_of_both="floor",
    softmax="probabilities already",
    floor_of_the_energy="floor of p",
    energy_limited="floor of p",
    rounded_down="floor of p",
    one_minus="log p",
    infinite_is_floor="floor of p",
    base_two="natural logarithm",
    base_ten="natural logarithm",
    log1p="natural logarithm",
    sign="sign",
    of_the_best="all classes",
    as_a_map="one row per pixel",
    times_p="log p",
    two_decimals="do not round",
)
RIGHT["6.10"] = [
    ("numpy", unary_energies),
    ("lists", unary_lists),
    ("torch", unary_torch),
    ("float32", lambda *given: unary_energies(*given).astype(np.float32)),
]

# 6.11


def pair_kernel(image: Any, sigma_xy: float, sigma_rgb: Any, slip: str = "") -> Any:
    pixels = np.asarray(image)
    h, w = pixels.shape[:2]
    rows, columns = np.mgrid[:h, :w]
    if slip == "columns_first":
        rows, columns, pixels = rows.T, columns.T, pixels.transpose(1, 0, 2)
    places = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(float)
    if slip == "rows_only":
        places[:, 1] = 0
    if slip == "relative_places":
        places = places / [h, w]
    colors = pixels.reshape(-1, 3)
    if slip == "one_channel":
        colors = colors[:, :1]
    if slip == "two_channels":
        colors = colors[:, :2]
    if slip == "gray":
        colors = colors.mean(axis=1, keepdims=True)
    if slip == "wraps":
        differences = (colors[:, None] - colors[None]).astype(float)
    else:
        differences = colors[:, None].astype(float) - colors[None].astype(float)
    if slip == "squares_wrap":
        absolute = abs(colors[:, None].astype(int) - colors[None].astype(int)).astype(np.uint8)
        of_color = (absolute**2).astype(float).sum(axis=2)
    elif slip == "squares_wrap_at_16_bits":
        of_color = (differences.astype(np.int16) ** 2).astype(float).sum(axis=2)
    else:
        of_color = (differences**2).sum(axis=2)
    of_place = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    if slip == "city_block":
        of_place = abs(places[:, None] - places[None]).sum(axis=2) ** 2
    if slip == "chessboard":
        of_place = abs(places[:, None] - places[None]).max(axis=2) ** 2
    if slip == "not_squared":
        of_place, of_color = np.sqrt(of_place), np.sqrt(of_color)
    if slip == "mean_of_colors":
        of_color = of_color / 3
    if slip == "colors_to_one":
        of_color = of_color / 255**2
    sigma_xy, sigma_rgb = float(sigma_xy), None if sigma_rgb is None else float(sigma_rgb)
    if slip == "none_is_one":
        sigma_rgb = 1.0 if sigma_rgb is None else sigma_rgb
    if slip == "sigmas_swapped" and sigma_rgb is not None:
        sigma_xy, sigma_rgb = sigma_rgb, sigma_xy
    if slip == "one_sigma" and sigma_rgb is not None:
        sigma_rgb = sigma_xy
    half = 1.0 if slip == "no_two" else 2.0
    power = 1 if slip == "sigma_not_squared" else 2
    exponent = -of_place / (half * sigma_xy**power)
    if slip == "four":
        exponent = -of_place / (2 * sigma_xy) ** 2
    if sigma_rgb is not None and slip != "place_only":
        of_color = of_color / (half * sigma_rgb**power)
        exponent = -of_color if slip == "color_only" else exponent - of_color
        if slip == "color_added":
            exponent = exponent + 2 * of_color
    kernel = np.exp(exponent)
    if slip == "sum_of_two" and sigma_rgb is not None:
        kernel = np.exp(-of_place / (2 * sigma_xy**2)) + np.exp(-of_color)
    if slip == "near_only":
        kernel = np.where(of_place <= (3 * sigma_xy) ** 2, kernel, 0)
    if slip == "no_itself":
        np.fill_diagonal(kernel, 0)
    sums = kernel.sum(axis=1)
    if slip == "itself_not_in_the_sum":
        sums = sums - np.diag(kernel)
    if slip == "not_normalized":
        return kernel
    if slip == "by_rows":
        return kernel / sums[:, None]
    if slip == "by_columns":
        return kernel / sums[None]
    if slip == "no_root":
        return kernel / np.outer(sums, sums)
    if slip == "sum_of_sums":
        return kernel / np.sqrt(np.add.outer(sums, sums))
    if slip == "by_the_total":
        return kernel / kernel.sum()
    if slip == "by_the_largest":
        return kernel / kernel.max()
    if slip == "root_of_one":
        return kernel / np.sqrt(sums)[:, None]
    if slip == "by_norms":
        norms = np.sqrt((kernel**2).sum(axis=1))
        return kernel / np.outer(norms, norms)
    result = kernel / np.sqrt(np.outer(sums, sums))
    if slip == "diagonal_empty":
        np.fill_diagonal(result, 0)
    if slip == "diagonal_one":
        np.fill_diagonal(result, 1)
    if slip == "four_dimensions":
        return result.reshape(h, w, h, w)
    return result


def pair_kernel_torch(image: Any, sigma_xy: float, sigma_rgb: Any) -> Any:
    pixels = torch.as_tensor(np.asarray(image)).double()
    y, x = torch.meshgrid(*(torch.arange(n).double() for n in pixels.shape[:2]), indexing="ij")
    features = [torch.stack([y, x], dim=-1) / sigma_xy]
    if sigma_rgb is not None:
        features.append(pixels / sigma_rgb)
    flat = torch.cat(features, dim=-1).flatten(0, 1)
    kernel = torch.exp(-(flat[:, None] - flat[None]).square().sum(-1) / 2)
    root = kernel.sum(dim=1).rsqrt()
    return root[:, None] * kernel * root


def pair_kernel_loops(image: Any, sigma_xy: float, sigma_rgb: Any) -> Any:
    h, w = len(image), len(image[0])
    places = [(i, j) for i in range(h) for j in range(w)]
    kernel = []
    for a, b in places:
        row = []
        for c, d in places:
            exponent = ((a - c) ** 2 + (b - d) ** 2) / (2 * sigma_xy**2)
            if sigma_rgb is not None:
                exponent += sum((int(x) - int(y)) ** 2 for x, y in zip(image[a][b], image[c][d], strict=True)) / (
                    2 * sigma_rgb**2
                )
            row.append(math.exp(-exponent))
        kernel.append(row)
    sums = [sum(row) for row in kernel]
    return [[value / math.sqrt(sums[i] * sums[j]) for j, value in enumerate(row)] for i, row in enumerate(kernel)]


PICTURE = np.random.default_rng(3).integers(0, 256, (3, 4, 3)).astype(np.uint8)
WRONG["6.11"] = (
    slips(
        pair_kernel,
        (PICTURE, 1.5, 90.0),
        columns_first="row by row",
        rows_only="row and column",
        relative_places="places in pixels",
        one_channel="three channels",
        two_channels="three channels",
        gray="three channels",
        wraps="uint8",
        squares_wrap="uint8",
        city_block="squared distance",
        chessboard="squared distance",
        not_squared="squared distance",
        mean_of_colors="sum over the channels",
        colors_to_one="0 to 255",
        sigmas_swapped="two sigmas",
        one_sigma="two sigmas",
        no_two="2 sigma^2",
        sigma_not_squared="2 sigma^2",
        four="2 sigma^2",
        place_only="color",
        color_only="place",
        color_added="minus both",
        sum_of_two="product of both",
        no_itself="the pixel itself",
        itself_not_in_the_sum="the pixel itself",
        not_normalized="normalize",
        by_rows="symmetrically",
        by_columns="symmetrically",
        no_root="root",
        sum_of_sums="root of the product",
        by_the_total="row sums",
        by_the_largest="row sums",
        root_of_one="both pixels",
        by_norms="row sums",
        diagonal_empty="the pixel itself",
        diagonal_one="the pixel itself",
        four_dimensions="shape",
    )
    + slips(pair_kernel, (PICTURE, 1.5, None), none_is_one="None")
    + slips(pair_kernel, (np.tile(PICTURE, (3, 2, 1)), 0.8, None), near_only="all pairs")
    + slips(
        pair_kernel,
        (np.array([[[0, 0, 0], [255, 255, 255], [200, 10, 250]]], np.uint8), 3.0, 200.0),
        squares_wrap_at_16_bits="uint8",
    )
)
RIGHT["6.11"] = [("numpy", pair_kernel), ("torch", pair_kernel_torch), ("loops", pair_kernel_loops)]

# 6.12


def mean_field_step(probabilities: Any, unary: Any, kernels: Any, weights: Any, slip: str = "") -> Any:
    q, u = np.asarray(probabilities, float), np.asarray(unary, float)
    kernels, weights = [np.asarray(one, float) for one in kernels], [float(one) for one in weights]
    if slip == "probabilities_normalized":
        q = q / q.sum(axis=1, keepdims=True)
    if slip == "logarithms":
        q = np.log(q)
    if slip == "first_kernel":
        kernels = kernels[:1]
    if slip == "two_kernels":
        kernels = kernels[:2]
    if slip == "whole_weights":
        weights = [int(one) for one in weights]
    if slip == "no_weights":
        weights = [1.0 for _ in weights]
    if slip == "first_weight":
        weights = [weights[0] for _ in weights]
    if slip == "weights_normalized":
        weights = [one / sum(weights) for one in weights]
    if slip == "weights_backwards":
        weights = weights[::-1]
    if slip == "transposed":
        kernels = [one.T for one in kernels]
    if slip == "rows_normalized":
        kernels = [one / one.sum(axis=1, keepdims=True) for one in kernels]
    if slip == "without_itself":
        kernels = [one * (1 - np.eye(len(one))) for one in kernels]
    if slip == "no_unary":
        u = 0 * u
    if slip == "plus_unary":
        u = -u
    if slip == "unary_from_q":
        u = -np.log(q)
    messages = sum((weight * (one @ q) for one, weight in zip(kernels, weights, strict=False)), 0 * u)
    if slip == "elementwise" and len(q) == q.shape[1]:
        messages = sum(weight * (one * q) for one, weight in zip(kernels, weights, strict=True))
    if slip == "mean_of_the_messages":
        messages = messages / max(1, len(kernels))
    if slip == "product_of_the_messages":
        messages = np.prod([weight * (one @ q) for one, weight in zip(kernels, weights, strict=True)], axis=0)
    if slip == "sum_of_weights":
        messages = sum(weights) * sum((one @ q for one in kernels), 0 * u)
    if slip == "messages_subtracted":
        messages = -messages
    if slip == "other_classes":
        messages = messages.sum(axis=1, keepdims=True) - messages
    if slip == "one_after_the_other":
        q = q.copy()
        for i in range(len(q)):
            total = -u[i] + sum(weight * (one[i] @ q) for one, weight in zip(kernels, weights, strict=True))
            powers = np.exp(total - total.max())
            q[i] = powers / powers.sum()
        return q
    if slip == "kernel_by_kernel":
        for one, weight in zip(kernels, weights, strict=True):
            q = mean_field_step(q, u, [one], [weight])
        return q
    total = messages - u
    if slip == "times_q":
        total = total + np.log(q)
    if slip == "energies":
        return total
    with np.errstate(all="ignore"):
        if slip == "no_maximum":
            powers = np.exp(total)
            return powers / powers.sum(axis=1, keepdims=True)
        if slip == "over_the_pixels":
            powers = np.exp(total - total.max(axis=0))
            return powers / powers.sum(axis=0)
        if slip == "over_everything":
            powers = np.exp(total - total.max())
            return powers / powers.sum()
        powers = np.exp(total - total.max(axis=1, keepdims=True))
        if slip == "not_normalized":
            return powers
        if slip == "positive_part":
            powers = np.maximum(total, 0)
            return powers / powers.sum(axis=1, keepdims=True)
        if slip == "base_two":
            powers = 2 ** (total - total.max(axis=1, keepdims=True))
    if slip == "best_class":
        return np.eye(q.shape[1])[total.argmax(axis=1)]
    if slip == "two_steps":
        return mean_field_step(powers / powers.sum(axis=1, keepdims=True), u, kernels, weights)
    if slip == "half_a_step":
        return (q + powers / powers.sum(axis=1, keepdims=True)) / 2
    return powers / powers.sum(axis=1, keepdims=True)


def mean_field_torch(probabilities: Any, unary: Any, kernels: Any, weights: Any) -> Any:
    total = -torch.as_tensor(np.asarray(unary, float))
    for one, weight in zip(kernels, weights, strict=True):
        total = total + weight * (
            torch.as_tensor(np.asarray(one, float)) @ torch.as_tensor(np.asarray(probabilities, float))
        )
    return total.softmax(dim=1)


def mean_field_loops(probabilities: Any, unary: Any, kernels: Any, weights: Any) -> Any:
    n, classes = len(unary), len(unary[0])
    answer = []
    for i in range(n):
        total = [-float(unary[i][k]) for k in range(classes)]
        for one, weight in zip(kernels, weights, strict=True):
            for k in range(classes):
                total[k] += weight * sum(float(one[i][j]) * float(probabilities[j][k]) for j in range(n))
        powers = [math.exp(value - max(total)) for value in total]
        answer.append([value / sum(powers) for value in powers])
    return answer


def some_q(n: int, k: int, seed: int = 0) -> Any:
    powers = np.exp(numbers(n, k, seed=seed))
    return powers / powers.sum(axis=1, keepdims=True)


FIELD = (
    some_q(6, 3, 1),
    abs(numbers(6, 3, seed=2)),
    [abs(numbers(6, 6, seed=3)), abs(numbers(6, 6, seed=4)), abs(numbers(6, 6, seed=8))],
    [0.6, 1.7, 0.3],
)
WRONG["6.12"] = slips(
    mean_field_step,
    FIELD,
    logarithms="probabilities, not logarithms",
    first_kernel="all kernels",
    two_kernels="all kernels",
    whole_weights="weights",
    no_weights="weights",
    first_weight="each kernel its weight",
    weights_normalized="weights",
    weights_backwards="each kernel its weight",
    transposed="kernel @ Q",
    rows_normalized="kernel as it is",
    without_itself="the pixel itself",
    no_unary="unary",
    plus_unary="minus unary",
    unary_from_q="unary",
    mean_of_the_messages="sum of the kernels",
    product_of_the_messages="sum of the kernels",
    sum_of_weights="each kernel its weight",
    messages_subtracted="plus the messages",
    other_classes="equal classes are rewarded",
    one_after_the_other="all at once from the old Q",
    kernel_by_kernel="all at once from the old Q",
    times_q="no product with the old Q",
    energies="softmax",
    over_the_pixels="over the classes",
    over_everything="over the classes",
    not_normalized="normalize",
    positive_part="softmax",
    base_two="exp",
    best_class="probabilities",
    two_steps="one step",
    half_a_step="one step",
)
RIGHT["6.12"] = [
    ("numpy", mean_field_step),
    ("plain exp", partial(mean_field_step, slip="no_maximum")),
    ("torch", mean_field_torch),
    ("loops", mean_field_loops),
]
