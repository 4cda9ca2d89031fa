"""Typical wrong answers to exercise 6.5, atrous spatial pyramid pooling."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _pyramid(  # type: ignore[no-untyped-def]
    features, rates, weights, biases, project_weight, project_bias, *,
    relu=True, last_relu=True, biased=True, arrange=list, pool="mean", project=True, chained=False,
):  # fmt: skip
    """The module with the switches of the mistakes; as it stands, the right one."""
    import torch
    from torch.nn import functional as F

    features = torch.as_tensor(features)
    branches = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        source, rate = features, 1
        if number == len(weights) - 1:
            mean = features.mean((2, 3), keepdim=True)
            source = {
                "none": features,
                "maximum": features.amax((2, 3), keepdim=True),
                "sum": features.sum((2, 3), keepdim=True),
                "batch": mean.mean(0, keepdim=True).expand_as(mean),
                "last": branches[-1].mean((2, 3), keepdim=True) if branches else mean,
            }.get(pool, mean)
        elif number > 0:
            rate = rates[number - 1]
            source = branches[-1] if chained else features
        margin = rate * (weight.shape[-1] // 2)
        bias = torch.as_tensor(bias) if biased else None
        branch = F.conv2d(source, torch.as_tensor(weight), bias, padding=margin, dilation=rate)
        if pool == "mean only" and number == len(weights) - 1:
            branch = source[:, : len(weight)]
        cut = relu(number, len(weights) - 1) if callable(relu) else relu
        branch = branch.relu() if cut else branch
        branches.append(branch.expand(-1, -1, *features.shape[-2:]))
    concatenated = torch.cat(arrange(branches), dim=1)
    if not project:
        return concatenated
    fused = F.conv2d(concatenated, torch.as_tensor(project_weight), torch.as_tensor(project_bias) if biased else None)
    return fused.relu() if last_relu else fused


def _other_rates(change):  # type: ignore[no-untyped-def]
    return lambda features, rates, *layers: _pyramid(features, change(rates), *layers)


def _turned(layers):  # type: ignore[no-untyped-def]
    """The 3 x 3 layers in the opposite order."""
    return [layers[0], *layers[-2:0:-1], layers[-1]]


def _interleaved(*arguments):  # type: ignore[no-untyped-def]
    """The first channels of all branches, then the second ones."""

    def arrange(branches):  # type: ignore[no-untyped-def]
        most = max(one.shape[1] for one in branches)
        return [one[:, at : at + 1] for at in range(most) for one in branches if at < one.shape[1]]

    return _pyramid(*arguments, arrange=arrange)


def _sum_of_branches(branches):  # type: ignore[no-untyped-def]
    """Added instead of concatenated; the projection then has weights to spare."""
    total = sum(branches)
    return [total, *(0 * one for one in branches[1:])]


def _without_pooling(branches):  # type: ignore[no-untyped-def]
    return [*branches[:-1], 0 * branches[-1]]


MISTAKES = (
    Mistake("rates ignored", _other_rates(lambda rates: [1] * len(rates)), "rates"),
    Mistake("rates turned", _other_rates(lambda rates: rates[::-1]), "rates"),
    Mistake("the first rate for all", _other_rates(lambda rates: [rates[0]] * len(rates) if rates else ()), "rates"),
    Mistake("rates plus one", _other_rates(lambda rates: [rate + 1 for rate in rates]), "rates"),
    Mistake("pooling first", lambda *a: _pyramid(*a, arrange=lambda b: [b[-1], *b[:-1]]), "order"),
    Mistake("branches turned", lambda *a: _pyramid(*a, arrange=lambda b: b[::-1]), "order"),
    Mistake("1 x 1 behind the rates", lambda *a: _pyramid(*a, arrange=lambda b: [*b[1:-1], b[0], b[-1]]), "order"),
    Mistake("pooling left out", lambda *a: _pyramid(*a, arrange=_without_pooling), "pooling"),
    Mistake("last branch not pooled", lambda *a: _pyramid(*a, pool="none"), "pooling"),
    Mistake("maximum", lambda *a: _pyramid(*a, pool="maximum"), "pooling"),
    Mistake("no ReLU in the branches", lambda *a: _pyramid(*a, relu=False), "relu"),
    Mistake("no ReLU at the end", lambda *a: _pyramid(*a, last_relu=False), "relu"),
    Mistake("no ReLU at all", lambda *a: _pyramid(*a, relu=False, last_relu=False), "relu"),
    Mistake("no biases", lambda *a: _pyramid(*a, biased=False), "bias"),
    Mistake("not projected", lambda *a: _pyramid(*a, project=False), "projection"),
    Mistake("6, 12, 18", _other_rates(lambda rates: (6, 12, 18)[: len(rates)]), "rates"),
    Mistake("rates doubled", _other_rates(lambda rates: [2 * rate for rate in rates]), "rates"),
    Mistake("1, 2, 3", _other_rates(lambda rates: list(range(1, len(rates) + 1))), "rates"),
    Mistake("the last rate for all", _other_rates(lambda rates: [rates[-1]] * len(rates) if rates else ()), "rates"),
    Mistake("sorted rates", _other_rates(sorted), "rates"),
    Mistake("1 x 1 at the end", lambda *a: _pyramid(*a, arrange=lambda b: [*b[1:], b[0]]), "order"),
    Mistake("pooling behind the 1 x 1", lambda *a: _pyramid(*a, arrange=lambda b: [b[0], b[-1], *b[1:-1]]), "order"),
    Mistake("rates backwards", lambda *a: _pyramid(*a, arrange=lambda b: [b[0], *b[-2:0:-1], b[-1]]), "order"),
    Mistake(
        "weights of the branches turned", lambda f, r, w, b, *p: _pyramid(f, r, _turned(w), _turned(b), *p), "order"
    ),
    Mistake("channels interleaved", _interleaved, "order"),
    Mistake("1 x 1 left out", lambda *a: _pyramid(*a, arrange=lambda b: [0 * b[0], *b[1:]]), "one by one"),
    Mistake("1 x 1 without ReLU", lambda *a: _pyramid(*a, relu=lambda n, last: n > 0), "relu"),
    Mistake("pooling without ReLU", lambda *a: _pyramid(*a, relu=lambda n, last: n < last), "relu"),
    Mistake("3 x 3 without ReLU", lambda *a: _pyramid(*a, relu=lambda n, last: n in (0, last)), "relu"),
    Mistake("ReLU of the map", lambda f, *a: _pyramid(np.maximum(f, 0), *a), "relu"),
    Mistake("ReLU6", lambda *a: _pyramid(*a).clamp(max=6), "relu"),
    Mistake("no biases in the branches", lambda f, r, w, b, *p: _pyramid(f, r, w, [0 * one for one in b], *p), "bias"),
    Mistake("no bias in the projection", lambda f, r, w, b, p, q: _pyramid(f, r, w, b, p, 0 * q), "bias"),
    Mistake("no bias in the pooling", lambda f, r, w, b, *p: _pyramid(f, r, w, [*b[:-1], 0 * b[-1]], *p), "bias"),
    Mistake("mean over the batch", lambda *a: _pyramid(*a, pool="batch"), "own picture"),
    Mistake("the first picture for all", lambda f, *a: _pyramid(f[:1].repeat(len(f), 0), *a), "own picture"),
    Mistake("pooled, not convolved", lambda *a: _pyramid(*a, pool="mean only"), "pooling"),
    Mistake("sum for the mean", lambda *a: _pyramid(*a, pool="sum"), "pooling"),
    Mistake("one after the other", lambda *a: _pyramid(*a, chained=True), "same map"),
    Mistake("pooling of the last branch", lambda *a: _pyramid(*a, pool="last"), "same map"),
    Mistake("branches added", lambda *a: _pyramid(*a, arrange=_sum_of_branches), "projection"),
)
