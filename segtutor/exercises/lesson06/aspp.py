"""Exercise 6.5: atrous spatial pyramid pooling, as in DeepLab v3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson06.aspp_cases import CASES
from segtutor.exercises.lesson06.aspp_mistakes import MISTAKES
from segtutor.exercises.lesson06.atrous import atrous_convolution
from segtutor.exercises.lesson06.image_pooling import image_pooling

STUB = '''
def aspp(features, rates, weights, biases, project_weight, project_bias, without):
    """1 x 1, a 3 x 3 for each of `rates`, image pooling, without some of them; concatenated; 1 x 1 projection."""
    raise NotImplementedError("Write aspp() here, then run this cell again.")
'''


def aspp(
    features: Any,
    rates: Sequence[int],
    weights: Sequence[Any],
    biases: Sequence[Any],
    project_weight: Any,
    project_bias: Any,
    without: Sequence[int],
) -> Any:
    """1 x 1, a 3 x 3 for each of `rates`, image pooling, without some of them; concatenated; 1 x 1 projection."""
    branches = []
    for weight, bias, rate in zip(weights[:-1], biases[:-1], (1, *rates), strict=True):
        branches.append(torch.relu(torch.as_tensor(atrous_convolution(features, weight, bias, rate))))
    branches.append(torch.as_tensor(image_pooling(features, weights[-1], biases[-1])))
    for number in without:
        branches[number] = torch.zeros_like(branches[number])
    fused = atrous_convolution(torch.cat(branches, dim=1), project_weight, project_bias, 1)
    return torch.relu(torch.as_tensor(fused))


def _with_modules(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    def filled(weight, bias, rate=1):  # type: ignore[no-untyped-def]
        channels, in_channels, side, _ = weight.shape
        layer = nn.Conv2d(in_channels, channels, side, padding=rate * (side // 2), dilation=rate)
        layer.weight.data, layer.bias.data = torch.as_tensor(weight), torch.as_tensor(bias)
        return nn.Sequential(layer, nn.ReLU())

    features = torch.as_tensor(features)
    layers = [filled(*parts) for parts in zip(weights[:-1], biases[:-1], [1, *rates], strict=True)]
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), filled(weights[-1], biases[-1]))(features)
    results = [layer(features) for layer in layers] + [nn.Upsample(size=features.shape[-2:])(pooled)]
    results = [0 * one if number in without else one for number, one in enumerate(results)]
    return filled(project_weight, project_bias)(torch.cat(results, 1))


def _projected_piece_by_piece(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
    """A projection of a concatenation is the sum of the projections of its parts."""
    from torch.nn import functional as F

    total = torch.as_tensor(project_bias)[:, None, None]
    first = 0
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if number == len(weights) - 1:
            branch = torch.as_tensor(image_pooling(features, weight, bias))
        else:
            branch = torch.relu(torch.as_tensor(atrous_convolution(features, weight, bias, (1, *rates)[number])))
        part = torch.as_tensor(project_weight[:, first : first + len(bias)])
        total = total + F.conv2d(branch, part) * (number not in without)
        first += len(bias)
    return total.clamp(min=0)


def _with_numpy(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
    weights = [0 * one if number in without else one for number, one in enumerate(weights)]
    biases = [0 * one if number in without else one for number, one in enumerate(biases)]
    height, width = features.shape[-2:]
    branches = []
    for weight, bias, rate in zip(weights[:-1], biases[:-1], (1, *rates), strict=True):
        margin = rate * (weight.shape[-1] // 2)
        padded = np.pad(features, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
        branch = np.zeros((len(features), len(weight), height, width)) + bias[:, None, None]
        for a, b in np.ndindex(weight.shape[2:]):
            part = padded[:, :, a * rate : a * rate + height, b * rate : b * rate + width]
            branch += np.einsum("kc,bchw->bkhw", weight[:, :, a, b], part)
        branches.append(np.maximum(branch, 0))
    pooled = np.maximum(features.mean(axis=(2, 3)) @ weights[-1][:, :, 0, 0].T + biases[-1], 0)
    branches.append(np.tile(pooled[:, :, None, None], (1, 1, height, width)))
    concatenated = np.concatenate(branches, axis=1)
    fused = np.einsum("kc,bchw->bkhw", project_weight[:, :, 0, 0], concatenated) + project_bias[:, None, None]
    return np.maximum(fused, 0)


EXERCISE = Exercise(
    id="6.5",
    title="Atrous spatial pyramid pooling, branch by branch",
    name="aspp",
    statement="""
Now the module of DeepLab v3 (section 3.3), with a switch that lesson 6b's has not: which of its branches do the work?
To find out, one takes a *trained* network, silences one branch, and sees what is lost. From the same map `features`
(B x C x H x W) the module makes, in this order:

1. a 1 x 1 convolution,
2. for each rate of `rates` a 3 x 3 convolution at that rate, with padding so that H x W stays,
3. image pooling,

each followed by ReLU. `without` lists the numbers of the branches that are silent, counted from 0 in this order: after
ReLU such a branch gives **0 at every position**, and keeps its channels, because the projection expects them. The
branches are concatenated along the channels, and a last 1 x 1 convolution, the *projection*, again with ReLU, makes one
map of them.

Write `aspp(features, rates, weights, biases, project_weight, project_bias, without)` with your `atrous_convolution` and
`image_pooling`. `weights` and `biases` hold one entry per branch in the order above, so there are two more than rates.
All weights are as `nn.Conv2d` holds them. (The network has a batch normalization between convolution and ReLU; in a
trained network it can be folded into weight and bias, as the project below does.)
""",
    stub=STUB,
    reference=aspp,
    cases=CASES,
    hints={
        "silent": Hint(
            "A silent branch gives 0 behind its ReLU, at every position and in all its channels; they keep their place "
            "in the concatenation. The projection and its bias stay.",
            "branches[number] = torch.zeros_like(branches[number]) for each number of `without`.",
        ),
        "general": Hint(
            "Collect the branches in a list, all from the same map. The first is an atrous convolution at rate 1 with "
            "a 1 x 1 kernel.",
            "All branches but the last are the same step with another rate, so one loop serves them; which rate has "
            "the first? Image pooling brings its own ReLU, your atrous convolution does not. The projection is a 1 x "
            "1 convolution again.",
        ),
        "rates": Hint(
            "Each 3 x 3 branch reads at its own rate, in the order of `rates`, and all read the same map.",
            "zip(weights[:-1], biases[:-1], (1, *rates)): rate 1 for the 1 x 1, then one rate for each 3 x 3.",
        ),
        "order": Hint(
            "The branches stand in this order along the channels: 1 x 1, then the rates, then image pooling.",
            "Append image_pooling last, and concatenate along dim=1 without turning the list.",
        ),
        "pooling": Hint(
            "The last branch is image pooling, of the map itself: the mean over it, convolution, ReLU, at every "
            "position.",
            "branches.append(image_pooling(features, weights[-1], biases[-1])).",
        ),
        "relu": Hint(
            "Each branch has a ReLU of its own, and the projection has one, too.",
            "torch.relu around each atrous_convolution, also around the last one.",
        ),
        "bias": Hint(
            "Every branch has its own bias, and the projection has one.", "Hand over biases[number] and project_bias."
        ),
        "projection": Hint(
            "The branches are concatenated along the channels, and a 1 x 1 convolution, the projection, fuses them.",
            "atrous_convolution(torch.cat(branches, dim=1), project_weight, project_bias, 1).",
        ),
        "one by one": Hint(
            "Only the 1 x 1 branch is not 0 here: 2 x + 1 is 3, 5, 7, 13, and the projection subtracts 5, then ReLU.",
            "torch.relu(atrous_convolution(features, weights[0], biases[0], 1)); the projection in the same way.",
        ),
        "two rates": Hint(
            "The 3 x 3 branches read one and two positions to the left; the 1 x 1 and pooling are 0 here.",
            "zip(weights[:-1], biases[:-1], (1, *rates)): rate 1 for the 1 x 1, then one rate for each 3 x 3.",
        ),
        "own picture": Hint(
            "Every picture of the batch is worked out by itself; its mean, too.",
            "Average over the last two dimensions only.",
        ),
        "same map": Hint(
            "All branches read the same map, `features`; none reads the result of another.",
            "features in each call of atrous_convolution and image_pooling.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_modules, _projected_piece_by_piece, _with_numpy),
    points=5,
    minutes=25,
    difficulty=3,
)
