"""Lesson 6 again: other mistakes, written after the cases had been repaired, to measure them honestly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.exercises.blind import Wrong
from tests.exercises.blind.answers06 import (
    FIELD,
    FUSE,
    HIGH,
    LAYER,
    PICTURE,
    POOL,
    SCALES,
    SEPARABLE,
    UNARY,
    aspp,
    aspp_given,
    atrous_convolution,
    fuse_scores,
    fuse_with_low_level,
    image_pooling,
    mean_field_step,
    pair_kernel,
    separable_convolution,
    small,
    tensor,
    unary_energies,
    valid_taps,
)


def subsampled(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    """Convolves every rate-th position and repeats the result."""
    small_map = atrous_convolution(tensor(features)[:, :, ::rate, ::rate], weight, bias, 1)
    return F.interpolate(small_map, size=tensor(features).shape[-2:], mode="nearest")


def shifted_taps(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    return torch.roll(atrous_convolution(features, weight, bias, rate), 1, dims=3)


def transposed_weights(features: Any, weight: Any, bias: Any, rate: int) -> Any:
    return F.conv_transpose2d(
        tensor(features),
        tensor(weight).transpose(0, 1),
        tensor(bias),
        padding=rate * (tensor(weight).shape[-1] // 2),
        dilation=rate,
    )


def geometric(height: int, width: int, rate: int) -> Any:
    share, every, only = valid_taps(height, width, rate)
    return np.sqrt(share), every, only


def area_based(height: int, width: int, rate: int) -> Any:
    side = 2 * rate + 1
    _, every, only = valid_taps(height, width, rate)
    return min(1, height / side) * min(1, width / side), every, only


def border_counted(height: int, width: int, rate: int) -> Any:
    share, _, only = valid_taps(height, width, rate)
    border = 2 * rate * (height + width) - 4 * rate**2
    return share, max(0.0, 1 - border / (height * width)), only


def trimmed_mean(features: Any, weight: Any, bias: Any) -> Any:
    inner = tensor(features)[:, :, 1:-1, 1:-1] if min(tensor(features).shape[-2:]) > 2 else tensor(features)
    pooled = image_pooling(inner, weight, bias)[:, :, :1, :1]
    return pooled.expand(-1, -1, *tensor(features).shape[-2:])


def root_mean_square(features: Any, weight: Any, bias: Any) -> Any:
    x = tensor(features)
    return image_pooling(x.square().mean((2, 3), keepdim=True).sqrt().expand_as(x), weight, bias)


def softmax_weights(features: Any, weight: Any, bias: Any) -> Any:
    return image_pooling(features, tensor(weight).softmax(dim=1), bias)


def mean_of_branches(
    features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any
) -> Any:
    return aspp(features, rates, weights, biases, tensor(project_weight) / len(weights), project_bias)


def first_bias_only(
    features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any
) -> Any:
    return aspp(
        features, rates, weights, [biases[0][:1].repeat(len(one)) for one in biases], project_weight, project_bias
    )


def pooling_smoothed(
    features: Any, rates: Any, weights: Any, biases: Any, project_weight: Any, project_bias: Any
) -> Any:
    x = tensor(features)
    every = [
        F.conv2d(x, tensor(w), tensor(b), padding=r * (tensor(w).shape[-1] // 2), dilation=r).relu()
        for w, b, r in zip(weights[:-1], biases[:-1], (1, *rates), strict=True)
    ]
    pooled = F.conv2d(F.avg_pool2d(x, 3, 1, 1), tensor(weights[-1]), tensor(biases[-1])).relu()
    return F.conv2d(torch.cat([*every, pooled], 1), tensor(project_weight), tensor(project_bias)).relu()


def pointwise_of_input(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    found = separable_convolution(features, depthwise, depthwise_bias, pointwise, pointwise_bias, rate)
    return found + F.conv2d(tensor(features), tensor(pointwise))


def full_with_mean(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    mean = tensor(features).mean(1, keepdim=True).expand(-1, tensor(features).shape[1], -1, -1)
    return separable_convolution(mean, depthwise, depthwise_bias, pointwise, pointwise_bias, rate)


def biases_exchanged(
    features: Any, depthwise: Any, depthwise_bias: Any, pointwise: Any, pointwise_bias: Any, rate: int
) -> Any:
    if len(depthwise_bias) != len(pointwise_bias):
        raise RuntimeError("biases do not fit")
    return separable_convolution(features, depthwise, pointwise_bias, pointwise, depthwise_bias, rate)


def upsampled_twice(encoded: Any, low: Any, weight: Any, bias: Any) -> Any:
    grown = F.interpolate(tensor(encoded), scale_factor=2, mode="bilinear", align_corners=False)
    return fuse_with_low_level(grown, low, weight, bias)


def reduced_later(encoded: Any, low: Any, weight: Any, bias: Any) -> Any:
    found = fuse_with_low_level(encoded, low, weight, bias)
    return torch.cat([found[:, : tensor(encoded).shape[1]], found[:, tensor(encoded).shape[1] :].flip(1)], dim=1)


def normalized_low(encoded: Any, low: Any, weight: Any, bias: Any) -> Any:
    x = tensor(low)
    return fuse_with_low_level(encoded, x / x.abs().amax().clamp(min=1), weight, bias)


def log_sum(scores: Any) -> Any:
    every = torch.stack([fuse_scores([scores[0] * 0 - 1e4, one]) for one in scores])
    return every.logsumexp(dim=0)


def largest_branch_then_sum(scores: Any) -> Any:
    return sum(fuse_scores([one]) if n == 0 else fuse_scores([scores[0] * 0, one]) for n, one in enumerate(scores))


def weighted_scales(scores: Any) -> Any:
    return fuse_scores([np.asarray(one) * (1, 0.75, 0.5, 0.25)[n] for n, one in enumerate(scores)])


def floor_after_normalizing(probabilities: Any, floor: float) -> Any:
    return np.asarray(unary_energies(probabilities, floor)) - np.asarray(unary_energies(probabilities, floor)).min(
        1, keepdims=True
    )


def blended_floor(probabilities: Any, floor: float) -> Any:
    return unary_energies((1 - floor) * np.asarray(probabilities) + floor, floor)


def floor_squared(probabilities: Any, floor: float) -> Any:
    return unary_energies(probabilities, floor**2)


def laplacian(image: Any, sigma_xy: float, sigma_rgb: Any) -> Any:
    h, w = image.shape[:2]
    places = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij"), -1).reshape(-1, 2)
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) / sigma_xy
    if sigma_rgb is not None:
        colors = image.reshape(-1, 3).astype(float)
        apart = apart + np.sqrt(((colors[:, None] - colors[None]) ** 2).sum(-1)) / sigma_rgb
    k = np.exp(-apart)
    return k / np.sqrt(np.outer(k.sum(1), k.sum(1)))


def cauchy(image: Any, sigma_xy: float, sigma_rgb: Any) -> Any:
    raw = np.asarray(pair_kernel(image, sigma_xy, sigma_rgb, slip="not_normalized"))
    k = 1 / (1 - 2 * np.log(np.maximum(raw, 1e-300)))
    return k / np.sqrt(np.outer(k.sum(1), k.sum(1)))


def sinkhorn(image: Any, sigma_xy: float, sigma_rgb: Any) -> Any:
    k = np.asarray(pair_kernel(image, sigma_xy, sigma_rgb))
    return k / np.sqrt(np.outer(k.sum(1), k.sum(1)))


def damped(probabilities: Any, unary: Any, kernels: Any, weights: Any) -> Any:
    new = np.asarray(mean_field_step(probabilities, unary, kernels, weights))
    mixed = np.sqrt(new * np.asarray(probabilities))
    return mixed / mixed.sum(axis=1, keepdims=True)


def message_normalized(probabilities: Any, unary: Any, kernels: Any, weights: Any) -> Any:
    q = np.asarray(probabilities)
    total = -np.asarray(unary, float)
    for kernel, weight in zip(kernels, weights, strict=True):
        message = np.asarray(kernel) @ q
        total = total + weight * message / np.maximum(message.sum(axis=1, keepdims=True), 1e-12)
    return mean_field_step(q, -total, [], [])


def kernel_squared(probabilities: Any, unary: Any, kernels: Any, weights: Any) -> Any:
    return mean_field_step(probabilities, unary, [np.asarray(one) ** 2 for one in kernels], weights)


WRONG = {
    "6.1": [
        Wrong("subsampled and repeated", subsampled, LAYER, "rate"),
        Wrong("moved by one", shifted_taps, LAYER, "behind"),
        Wrong("transposed convolution", transposed_weights, LAYER, "flip"),
    ],
    "6.3": [
        Wrong("root of the share", geometric, (5, 6, 2), "share"),
        Wrong("area of the kernel", area_based, (5, 6, 2), "share"),
        Wrong("border counted", border_counted, (3, 2, 2), "all nine"),
    ],
    "6.4": [
        Wrong("mean without the border", trimmed_mean, POOL, "mean"),
        Wrong("root of the mean square", root_mean_square, HIGH, "mean"),
        Wrong("weights add up to 1", softmax_weights, POOL, "channels"),
    ],
    "6.5": [
        Wrong("branches averaged", mean_of_branches, aspp_given(), "projection"),
        Wrong("one bias for all", first_bias_only, aspp_given(), "bias"),
        Wrong("pooled in windows", pooling_smoothed, aspp_given(), "pooling"),
    ],
    "6.6": [
        Wrong("pointwise of the input added", pointwise_of_input, SEPARABLE, "sequence"),
        Wrong("mean of the channels first", full_with_mean, SEPARABLE, "channels"),
        Wrong("biases exchanged", biases_exchanged, SEPARABLE, "bias"),
    ],
    "6.8": [
        Wrong("first by 2, not aligned", upsampled_twice, FUSE, "aligned"),
        Wrong("low-level channels backwards", reduced_later, FUSE, "order"),
        Wrong("low-level map normalized", normalized_low, FUSE, "reduce"),
    ],
    "6.9": [
        Wrong("soft maximum", log_sum, SCALES, "scales"),
        Wrong("sum with zeros", largest_branch_then_sum, SCALES, "scales"),
        Wrong("scales weighted", weighted_scales, SCALES, "scales"),
    ],
    "6.10": [
        Wrong("above the smallest", floor_after_normalizing, UNARY, "again"),
        Wrong("blended with the floor", blended_floor, UNARY, "floor"),
        Wrong("floor squared", floor_squared, UNARY, "floor"),
    ],
    "6.11": [
        Wrong("exponential of the distance", laplacian, (PICTURE, 1.5, 90.0), "exponent"),
        Wrong("Cauchy", cauchy, (PICTURE, 1.5, 90.0), "exponent"),
        Wrong("normalized twice", sinkhorn, (PICTURE, 1.5, 90.0), "normalized"),
    ],
    "6.12": [
        Wrong("damped", damped, FIELD, "one step"),
        Wrong("messages add up to 1", message_normalized, FIELD, "message"),
        Wrong("kernel squared", kernel_squared, FIELD, "message"),
    ],
}
RIGHT: dict[str, list[Any]] = {key: [] for key in WRONG}
__all__ = ["RIGHT", "WRONG", "small"]
