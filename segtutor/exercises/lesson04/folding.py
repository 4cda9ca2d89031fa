"""Exercise 4.6: a convolution and the batch norm behind it are one convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.folding_mistakes import MISTAKES
from segtutor.exercises.lesson04.inputs import random_map

STUB = '''
def fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon):
    """Weight (K x C x k x k) and bias (K) of the one convolution that does what a convolution and its batch norm do."""
    raise NotImplementedError("Write fold_batch_norm() here, then run this cell again.")
'''


def fold_batch_norm(
    weight: np.ndarray,
    bias: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight (K x C x k x k) and bias (K) of the one convolution that does what a convolution and its batch norm do."""
    scale = gamma / np.sqrt(variance + epsilon)
    shift = -mean if bias is None else bias - mean
    return scale[:, None, None, None] * weight, scale * shift + beta


def _channel_by_channel(weight, bias, gamma, beta, mean, variance, epsilon):  # type: ignore[no-untyped-def]
    kernels, biases = [], []
    for k in range(len(weight)):
        deviation = (variance[k] + epsilon) ** 0.5
        before = 0.0 if bias is None else bias[k]
        kernels.append(weight[k] * gamma[k] / deviation)
        biases.append(beta[k] + (before - mean[k]) * gamma[k] / deviation)
    return kernels, biases


def _with_einsum(weight, bias, gamma, beta, mean, variance, epsilon):  # type: ignore[no-untyped-def]
    import torch

    weight, gamma, beta, mean, variance = (torch.as_tensor(one) for one in (weight, gamma, beta, mean, variance))
    root = torch.rsqrt(variance + epsilon)
    old = torch.zeros_like(mean) if bias is None else torch.as_tensor(bias)
    return torch.einsum("k,kcab->kcab", gamma * root, weight), torch.addcmul(beta, gamma * root, old - mean)


def _asked_of_the_layers(weight, bias, gamma, beta, mean, variance, epsilon):  # type: ignore[no-untyped-def]
    """What the norm makes of 0 is the bias; what it adds for 1 more is the scale."""
    import torch
    from torch.nn import functional as F

    statistics = [torch.as_tensor(one).double() for one in (mean, variance, gamma, beta)]

    def norm(values):  # type: ignore[no-untyped-def]
        return F.batch_norm(torch.as_tensor(values).double()[None], *statistics, eps=epsilon)[0].numpy()

    before = np.zeros(len(weight)) if bias is None else bias
    zero = norm(np.zeros(len(weight)))
    scale = norm(np.ones(len(weight))) - zero
    return (weight.transpose(1, 2, 3, 0) * scale).transpose(3, 0, 1, 2), norm(before)


def _numbers(*values: object) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def _layer(seed: int, *shape: int, bias: bool = True, epsilon: float = 1e-5) -> tuple[Any, ...]:
    """A random layer with random statistics."""
    gamma, beta, mean, old = (random_map(seed + number, shape[0]) for number in range(1, 5))
    variance = np.abs(random_map(seed + 5, shape[0])) + np.float32(0.1)
    return random_map(seed, *shape), old if bias else None, gamma, beta, mean, variance, epsilon


_ONE = np.full((1, 1, 1, 1), 2, dtype=np.float32)
_STATISTICS = (_numbers(6), _numbers(1), _numbers(4), _numbers(8), 1.0)  # sqrt(8 + 1) = 3, so the scale is 2


EXERCISE = Exercise(
    id="4.6",
    title="A convolution and its batch norm in one",
    name="fold_batch_norm",
    statement=r"""
In PSPNet a batch norm stands behind every convolution. When the network is used, it computes nothing but

$$y_k = \gamma_k\,\frac{x_k - \mu_k}{\sqrt{\sigma_k^2 + \varepsilon}} + \beta_k$$

for each channel $k$ of the convolution's result, with stored numbers. A convolution and its batch norm are therefore
*one* convolution, with another weight and another bias. Work them out, on paper first: put into $x_k$ what the
convolution gives. Runtimes for phones do this to every network, and you do it to the pyramid in the project below.

Write `fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon)`. `weight` is K x C x k x k, as `nn.Conv2d`
holds it; `bias` holds K numbers, or is `None` where the convolution has none. `gamma`, `beta`, `mean` and `variance`
($\sigma^2$) hold K numbers each. Return the new weight, K x C x k x k, and the new bias, K numbers.
""",
    stub=STUB,
    reference=fold_batch_norm,
    cases=(
        Case("one weight, no bias", (_ONE, None, *_STATISTICS), (4 * np.ones((1, 1, 1, 1)), np.array([-7.0]))),
        Case("the same with a bias of 5", (_ONE, _numbers(5), *_STATISTICS), (4 * np.ones((1, 1, 1, 1)), [3.0])),
        Case(
            "two channels out of one",
            (
                np.array([[[[4]]], [[[8]]]], dtype=np.float32), None, _numbers(2, 1), _numbers(0, 10), _numbers(1, 2),
                _numbers(3, 15), 1.0,
            ),
            (np.array([[[[4.0]]], [[[2.0]]]]), np.array([-1.0, 9.5])),
        ),
        Case(
            "a channel that was switched off: gamma is 0",
            (_ONE, _numbers(5), _numbers(0), _numbers(7), _numbers(4), _numbers(8), 1.0),
            (np.zeros((1, 1, 1, 1)), np.array([7.0])),
        ),
        Case("3 x 3 kernels, three channels to two", _layer(1, 2, 3, 3, 3, bias=False)),
        Case("3 x 3 kernels, with a bias", _layer(2, 5, 2, 3, 3)),
        Case("as many channels in as out, as wide as the kernel", _layer(3, 3, 3, 3, 3), hint="axis"),
        Case("a large epsilon", _layer(4, 4, 3, 1, 1, epsilon=0.5), hint="epsilon"),
        Case("a small variance", (*_layer(5, 2, 2, 1, 1)[:5], _numbers(1e-6, 4e-6), 1e-5), hint="epsilon"),
        Case("a level of the pyramid", _layer(6, 32, 128, 1, 1, bias=False)),
    ),
    hints={
        "general": Hint(
            "Batch norm is a factor and a shift for each channel of the result. A factor can move into the weights.",
            "First one factor per output channel. All weights of that channel get it, and so does whatever is added "
            "before the norm: the old bias less the mean. What is added after the norm stays.",
        ),
        "root": Hint(
            "The norm divides by the standard deviation, the root of the variance, once.",
            "gamma / np.sqrt(variance + epsilon).",
        ),
        "epsilon": Hint(
            "Epsilon stands under the root, beside the variance, and it is an argument.",
            "np.sqrt(variance + epsilon).",
        ),
        "mean": Hint(
            "The mean is subtracted before the factor, so it reaches the bias with the factor and a minus.",
            "scale * (bias - mean) + beta.",
        ),
        "bias": Hint(
            "The old bias goes through the norm as everything that the convolution gives: less the mean, times the "
            "factor. Without one it counts as 0.",
            "scale * (bias - mean) + beta.",
        ),
        "beta": Hint("Beta is added last: nothing multiplies it.", "scale * (bias - mean) + beta."),
        "gamma": Hint("Each channel has its own factor, gamma over the deviation.", "scale = gamma / np.sqrt(...)."),
        "weight": Hint(
            "The weights change, too: what the norm does to the result of the convolution, the new weights must do.",
            "Multiply all weights of an output channel by its factor.",
        ),
        "axis": Hint(
            "The factors belong to the output channels, the *first* axis of the weight.",
            "scale[:, None, None, None] * weight.",
        ),
        "results": Hint(
            "Two results: first the weight, in its old shape, then K biases.", "return weight_times_scale, new_bias."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_channel_by_channel, _with_einsum, _asked_of_the_layers),
    points=3,
    minutes=15,
    difficulty=2,
)  # fmt: skip
