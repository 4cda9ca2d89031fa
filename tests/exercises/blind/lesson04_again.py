"""A second set of wrong answers to the tasks of lesson 4, written when the checks were done."""

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong, extended
from tests.exercises.blind.lesson04 import (
    AUX3,
    BATCH,
    CHAIN,
    DILATED,
    LABELS,
    OUT3,
    PYRAMID,
    STAGES,
    TOTAL,
    field,
    on_the_valid_part,
    paths_in_a_list,
    pyramid,
    rates_of,
    staged,
    total,
    warming_up,
    whole_size,
)


def jump_with_rate_first(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size = size + (kernel - 1) * rate * jump + (stride - 1)
        jump *= stride
    return size, jump


def from_behind_without_one(layers):
    size = 1
    for kernel, stride, rate in reversed(layers):
        size = size * stride + (kernel - 1) * rate
    return size, field(layers)[1]


def two_sides(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size += 2 * (kernel - 1) * rate * jump
        jump *= stride
    return size, jump


def strings(layers):
    return "size", "jump"


def largest_layer(layers):
    size, jump = 1, 1
    for kernel, stride, rate in layers:
        size = max(size, 1 + (kernel - 1) * rate * jump)
        jump *= stride
    return size, jump


def padded_like_a_normal_one(values, kernel, rate):
    given = torch.tensor(np.asarray(values, float))[None, None]
    weight = torch.tensor(np.asarray(kernel, float))[None, None]
    return F.conv2d(given, weight, padding="same", stride=1)[0, 0]


def scipy_like(values, kernel, rate):
    values, kernel = np.asarray(values, float), np.asarray(kernel, float)
    k = len(kernel)
    big = np.zeros((k + (k - 1) * rate, k + (k - 1) * rate))
    big[:: rate + 1, :: rate + 1] = kernel
    given = torch.tensor(values)[None, None]
    return F.conv2d(given, torch.tensor(big)[None, None], padding=len(big) // 2)[0, 0]


def zeros_after_each_tap(values, kernel, rate):
    values, kernel = np.asarray(values, float), np.asarray(kernel, float)
    big = np.zeros((len(kernel) * rate, len(kernel) * rate))
    big[::rate, ::rate] = kernel
    given = F.pad(torch.tensor(values)[None, None], (len(big) // 2, (len(big) - 1) // 2) * 2)
    return F.conv2d(given, torch.tensor(big)[None, None])[0, 0]


def transposed_dilated(values, kernel, rate):
    given = torch.tensor(np.asarray(values, float))[None, None]
    weight = torch.tensor(np.asarray(kernel, float))[None, None]
    margin = rate * (len(kernel) // 2)
    return F.conv_transpose2d(given, weight, dilation=rate, padding=margin)[0, 0]


def rows_then_columns(values, kernel, rate):
    values, kernel = np.asarray(values, float), np.asarray(kernel, float)
    m = len(kernel) // 2
    row, column = kernel[m], kernel[:, m]
    out = sum(w * np.roll(values, (m - a) * rate, 1) for a, w in enumerate(row))
    return out + sum(w * np.roll(values, (m - a) * rate, 0) for a, w in enumerate(column))


def pascal(rates):
    paths = [1]
    for rate in rates:
        new = [0] * (len(paths) + 2 * rate)
        for i, ways in enumerate(paths):
            new[i] += ways
            new[i + 2 * rate] += ways
        paths = new
    return paths


def sum_of_boxes(rates):
    total_reach = sum(rates)
    out = np.zeros(2 * total_reach + 1, dtype=int)
    for rate in rates:
        out[total_reach - rate : total_reach + rate + 1] += 1
    return out if len(rates) else np.array([1])


def squared_layers(rates):
    return [ways**2 for ways in paths_in_a_list(rates)]


def sorted_counts(rates):
    return sorted(paths_in_a_list(rates))


def product_of_the_layers(rates):
    return [ways * len(rates) for ways in paths_in_a_list(rates)]


def output_stride_as_budget(strides, output_stride):
    left, new, rates, rate = output_stride, [], [], 1
    for stride in strides:
        if stride < left:
            new.append(stride)
            left //= stride
        else:
            new.append(1)
            rate *= stride
        rates.append(rate)
    return new, rates


def rate_from_the_ratio(strides, output_stride):
    kept, _ = staged(strides, output_stride)
    return kept, [max(int(np.prod(strides[: i + 1])) // output_stride, 1) for i in range(len(strides))]


def rate_doubles_after_the_first(strides, output_stride):
    kept, rates = staged(strides, output_stride)
    return kept, [rate if i < 2 else min(rate, 2) for i, rate in enumerate(rates)]


def strides_as_strings(strides, output_stride):
    kept, rates = staged(strides, output_stride)
    return {"strides": kept, "rates": rates}


def dilation_only_from_the_next(strides, output_stride):
    kept, rates = staged(strides, output_stride)
    return kept, rates[1:] + rates[-1:]


def strided_and_padded(x, bins):
    return F.avg_pool2d(torch.as_tensor(x), 2, ceil_mode=True)[:, :, :bins, :bins]


def linspace_edges(x, bins):
    x = np.asarray(x, float)
    rows, columns = (np.linspace(0, side, bins + 1).astype(int) for side in x.shape[2:])
    out = np.zeros((*x.shape[:2], bins, bins))
    for i in range(bins):
        for j in range(bins):
            part = x[:, :, rows[i] : max(rows[i + 1], rows[i] + 1), columns[j] : max(columns[j + 1], columns[j] + 1)]
            out[:, :, i, j] = part.mean((2, 3))
    return out


def max_then_mean(x, bins):
    given = torch.as_tensor(x)
    return (F.adaptive_avg_pool2d(given, bins) + F.adaptive_max_pool2d(given, bins)) / 2


def mean_of_row_means(x, bins):
    given = torch.as_tensor(x)
    rows = F.adaptive_avg_pool2d(given, (bins, 1))
    return rows.expand(-1, -1, -1, bins)


def global_mean_for_all(x, bins):
    given = torch.as_tensor(x)
    return given.mean((2, 3), keepdim=True).expand(-1, -1, bins, bins)


def relu_on_pooled_map(x, bins, weights, biases):
    return pyramid(np.abs(x), bins, weights, biases)


def map_last_and_backwards(x, bins, weights, biases):
    whole = torch.as_tensor(pyramid(x, bins, weights, biases))
    return whole.flip(1)


def half_the_channels(x, bins, weights, biases):
    whole = torch.as_tensor(pyramid(x, bins, weights, biases))
    return whole[:, : whole.shape[1] // 2]


def upsampled_by_a_factor(x, bins, weights, biases):
    parts = [torch.as_tensor(np.asarray(x)).float()]
    for n, weight, bias in zip(bins, weights, biases, strict=True):
        weight = torch.as_tensor(weight).float()[:, :, None, None]
        level = F.conv2d(F.adaptive_avg_pool2d(parts[0], n), weight, torch.as_tensor(bias).float()).relu()
        level = F.interpolate(level, scale_factor=8, mode="bilinear", align_corners=True)
        parts.append(F.interpolate(level, parts[0].shape[-2:], mode="bilinear", align_corners=True))
    return torch.cat(parts, 1)


def bias_on_the_map(x, bins, weights, biases):
    whole = torch.as_tensor(pyramid(x, bins, weights, biases)).clone()
    if len(biases):
        whole[:, : x.shape[1]] += float(np.asarray(biases[0])[0])
    return whole


def training_as_a_number(logits, labels, training, weight):
    return total(logits, labels, training, weight * 2 if training else weight)


def only_void(logits, labels, training, weight):
    return total(logits, np.where(np.asarray(labels) == 255, 255, 0), training, weight)


def clamped_loss(logits, labels, training, weight):
    return total(logits, labels, training, weight).clamp(max=1.0)


def both_heads_averaged_in_probability(logits, labels, training, weight):
    out = torch.as_tensor(logits["out"]).softmax(1)
    if training and "aux" in logits:
        out = (out + weight * torch.as_tensor(logits["aux"]).softmax(1)) / (1 + weight)
    return F.nll_loss(out.log(), torch.as_tensor(labels), ignore_index=255)


def detached_main(logits, labels, training, weight):
    parts = {name: torch.as_tensor(value) for name, value in logits.items()}
    parts["out"] = parts["out"].detach()
    return total(parts, labels, training, weight)


def warmed_up(base, step, steps, power, head_factor):
    rate, head = rates_of(base, step, steps, power, head_factor)
    factor = min(1.0, (step + 1) / max(0.1 * steps, 1))
    return rate * factor, head * factor


def stepwise(base, step, steps, power, head_factor):
    rate = base * 0.1 ** (3 * step // steps) if step < steps else 0.0
    return rate, head_factor * rate


def head_with_base_added(base, step, steps, power, head_factor):
    rate, _ = rates_of(base, step, steps, power, head_factor)
    return rate, rate + (head_factor - 1) * base


def power_on_the_step(base, step, steps, power, head_factor):
    rate = base * max(1 - step**power / steps**power, 0)
    return rate, head_factor * rate


def in_percent(base, step, steps, power, head_factor):
    rate = base * max(100 - 100 * step / steps, 0) ** power
    return rate, head_factor * rate


WRONG = {
    "4.1": [
        Wrong("stride - 1 added", jump_with_rate_first, CHAIN, "order"),
        Wrong("from behind, without - 1", from_behind_without_one, CHAIN, "stride"),
        Wrong("both sides", two_sides, CHAIN, "kernel"),
        Wrong("words", strings, CHAIN, "results"),
        Wrong("largest layer", largest_layer, CHAIN, "product"),
    ],
    "4.2": [
        Wrong("padding same, no dilation", padded_like_a_normal_one, DILATED, "rate"),
        Wrong("rate zeros between", scipy_like, DILATED, "rate"),
        Wrong("zeros after the last tap, too", zeros_after_each_tap, DILATED, "moved"),
        Wrong("transposed convolution", transposed_dilated, DILATED, "flip"),
        Wrong("rows plus columns", rows_then_columns, DILATED, "kernel"),
    ],
    "4.3": [
        Wrong("two taps", pascal, ([1, 2],), "middle"),
        Wrong("boxes beside each other", sum_of_boxes, ([2, 2],), "chain"),
        Wrong("squared", squared_layers, ([1, 1],), "counts"),
        Wrong("sorted", sorted_counts, ([1, 1],), "window"),
        Wrong("times the layers", product_of_the_layers, ([1, 1],), "counts"),
    ],
    "4.4": [
        Wrong("budget, less than", output_stride_as_budget, STAGES, "limit"),
        Wrong("rate from the ratio", rate_from_the_ratio, ([2, 4, 4], 4), "product"),
        Wrong("rate at most 2 later", rate_doubles_after_the_first, STAGES, "product"),
        Wrong("dictionary", strides_as_strings, STAGES, "results"),
        Wrong("rate a stage early", dilation_only_from_the_next, STAGES, "own"),
    ],
    "4.5": [
        Wrong("2 x 2 windows", strided_and_padded, (BATCH, 3), "windows"),
        Wrong("linspace", linspace_edges, (BATCH, 3), "up"),
        Wrong("mean of mean and maximum", max_then_mean, (BATCH, 3), "combine"),
        Wrong("row means", mean_of_row_means, (BATCH, 3), "axes"),
        Wrong("one mean", global_mean_for_all, (BATCH, 3), "windows"),
    ],
    "4.8": [
        Wrong("absolute map", relu_on_pooled_map, PYRAMID, "map"),
        Wrong("channels backwards", map_last_and_backwards, PYRAMID, "order"),
        Wrong("first half of the channels", half_the_channels, PYRAMID, "order"),
        Wrong("upsampled twice", upsampled_by_a_factor, PYRAMID, "aligned"),
        Wrong("bias on the map", bias_on_the_map, PYRAMID, "map"),
    ],
    "4.9": [
        Wrong("weight doubled in training", training_as_a_number, TOTAL, "weight"),
        Wrong("all labels 0", only_void, TOTAL, "void"),
        Wrong("at most 1", clamped_loss, TOTAL, "general"),
        Wrong("mean of the probabilities", both_heads_averaged_in_probability, TOTAL, "logits"),
        Wrong("main logits detached", detached_main, ({"out": OUT3, "aux": AUX3}, LABELS, True, 0.3), "gradient"),
    ],
    "4.10": [
        Wrong("warm-up", warmed_up, (0.01, 0, 1000, 0.9, 10), "left"),
        Wrong("steps of a tenth", stepwise, (0.01, 500, 1000, 0.9, 10), "left"),
        Wrong("head with the base added", head_with_base_added, (0.01, 500, 1000, 0.9, 10), "head"),
        Wrong("power on the step", power_on_the_step, (0.01, 500, 1000, 0.9, 10), "power"),
        Wrong("in percent", in_percent, (0.01, 500, 1000, 0.9, 10), "left"),
    ],
}
RIGHT: dict = {}
WRONG["4.8"] = extended(on_the_valid_part, whole_size, WRONG["4.8"])
WRONG["4.10"] = extended(warming_up, lambda _: (0,), WRONG["4.10"])
