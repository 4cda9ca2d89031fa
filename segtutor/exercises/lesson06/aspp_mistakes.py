"""Typical wrong answers to exercise 6.5, atrous spatial pyramid pooling."""

from __future__ import annotations

from dataclasses import replace

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


def _silenced(wrong):  # type: ignore[no-untyped-def]
    """An answer that knows no silent branches, with weights and biases that make them so."""

    def answer(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
        layers = ([0 * one if number in without else one for number, one in enumerate(all_of)] for all_of in
                  (weights, biases))  # fmt: skip
        return wrong(features, rates, *layers, project_weight, project_bias)

    return answer


def _silent(weights_of, biases_of):  # type: ignore[no-untyped-def]
    """The right module with weights and biases that are changed in another way."""

    def wrong(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
        return _pyramid(
            features, rates, weights_of(weights, without), biases_of(biases, without), project_weight, project_bias
        )

    return wrong


def _zero(layers, numbers):  # type: ignore[no-untyped-def]
    return [0 * one if number in numbers else one for number, one in enumerate(layers)]


def _taken_out(features, rates, weights, biases, project_weight, project_bias, without):  # type: ignore[no-untyped-def]
    """The channels of silent branches are left out, and those of the projection are cut to the rest."""
    import torch
    from torch.nn import functional as F

    width = sum(len(bias) for number, bias in enumerate(biases) if number not in without)
    if width == sum(map(len, biases)):
        return _pyramid(features, rates, weights, biases, project_weight, project_bias)
    same = np.eye(sum(map(len, biases)), dtype=np.float32)[:, :, None, None]
    whole = _pyramid(features, rates, weights, biases, same, np.zeros(len(same), dtype=np.float32))
    limits = np.cumsum([0, *map(len, biases)])
    kept = [whole[:, limits[n] : limits[n + 1]] for n in range(len(biases)) if n not in without]
    rest = torch.cat([whole[:, :0], *kept], 1)
    return F.conv2d(rest, torch.as_tensor(project_weight)[:, :width], torch.as_tensor(project_bias)).relu()


_ALL_HEARD = (
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
MISTAKES = (
    *(replace(one, answer=_silenced(one.answer)) for one in _ALL_HEARD),
    Mistake("none is silent", _silent(lambda w, n: w, lambda b, n: b), "silent"),
    Mistake("weights alone", _silent(_zero, lambda b, n: b), "silent"),
    Mistake("biases alone", _silent(lambda w, n: w, _zero), "silent"),
    Mistake("counted from 1", _silent(lambda w, n: _zero(w, [one - 1 for one in n]),
                                      lambda b, n: _zero(b, [one - 1 for one in n])), "silent"),
    Mistake("all others", _silent(lambda w, n: _zero(w, set(range(len(w))) - set(n)) if len(n) else w,
                                  lambda b, n: _zero(b, set(range(len(b))) - set(n)) if len(n) else b), "silent"),
    Mistake("the first one alone", _silent(lambda w, n: _zero(w, n[:1]), lambda b, n: _zero(b, n[:1])), "silent"),
    Mistake("taken out", _taken_out, "silent"),
    Mistake("the projection's bias, too", lambda f, r, w, b, p, q, n: _pyramid(
        f, r, _zero(w, n), _zero(b, n), p, 0 * q if len(n) else q), "silent"),
)  # fmt: skip
