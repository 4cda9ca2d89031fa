"""Typical wrong answers to exercise 4.6, a convolution and its batch norm in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake


def _folded(
    *,
    deviation: Callable[[Any, float], Any] = lambda variance, epsilon: np.sqrt(variance + epsilon),
    factor: Callable[[Any, Any], Any] = lambda gamma, deviation: gamma / deviation,
    kernel: Callable[[Any, Any], Any] = lambda weight, scale: scale[:, None, None, None] * weight,
    shift: Callable[..., Any] = lambda scale, bias, mean, beta: scale * (bias - mean) + beta,
) -> Callable[..., Any]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(weight, bias, gamma, beta, mean, variance, epsilon):  # type: ignore[no-untyped-def]
        scale = factor(gamma, deviation(variance, epsilon))
        return kernel(weight, scale), shift(scale, 0 * mean if bias is None else bias, mean, beta)

    return wrong


def _along_the_inputs(weight, scale):  # type: ignore[no-untyped-def]
    """The factors on the second axis, as far as they reach."""
    wide = np.resize(scale, weight.shape[1])
    return wide[None, :, None, None] * weight


def _along_the_columns(weight, scale):  # type: ignore[no-untyped-def]
    """As NumPy does it without further axes: on the last axis."""
    return (
        weight * scale
        if weight.shape[-1] in (len(scale), 1) and len(scale) == 1
        else weight * np.resize(scale, weight.shape[-1])
    )


def _bias_is_none(weight, bias, gamma, beta, mean, variance, epsilon):  # type: ignore[no-untyped-def]
    scale = gamma / np.sqrt(variance + epsilon)
    return scale[:, None, None, None] * weight, scale * (bias - mean) + beta


def _exchanged(*arguments):  # type: ignore[no-untyped-def]
    return _folded()(*arguments)[::-1]


MISTAKES = (
    Mistake("variance as deviation", _folded(deviation=lambda v, e: v + e), "root"),
    Mistake("times the deviation", _folded(factor=lambda gamma, d: gamma * d), "root"),
    Mistake("divided by the square of all", _folded(deviation=lambda v, e: (v + e) ** 2), "root"),
    Mistake("not divided", _folded(factor=lambda gamma, d: gamma), "root"),
    Mistake("epsilon outside the root", _folded(deviation=lambda v, e: np.sqrt(v) + e), "epsilon"),
    Mistake("no epsilon", _folded(deviation=lambda v, e: np.sqrt(v)), "epsilon"),
    Mistake("epsilon always 1e-5", _folded(deviation=lambda v, e: np.sqrt(v + 1e-5)), "epsilon"),
    Mistake("mean added", _folded(shift=lambda s, bias, mean, beta: s * (bias + mean) + beta), "mean"),
    Mistake("mean forgotten", _folded(shift=lambda s, bias, mean, beta: s * bias + beta), "mean"),
    Mistake("mean without the factor", _folded(shift=lambda s, bias, mean, beta: s * bias - mean + beta), "mean"),
    Mistake("old bias forgotten", _folded(shift=lambda s, bias, mean, beta: beta - s * mean), "bias"),
    Mistake("old bias without the factor", _folded(shift=lambda s, bias, mean, beta: bias + beta - s * mean), "bias"),
    Mistake("bias as it was", _folded(shift=lambda s, bias, mean, beta: bias), "bias"),
    Mistake("None is no number", _bias_is_none, "bias"),
    Mistake("beta times the factor", _folded(shift=lambda s, bias, mean, beta: s * (bias - mean + beta)), "beta"),
    Mistake("beta forgotten", _folded(shift=lambda s, bias, mean, beta: s * (bias - mean)), "beta"),
    Mistake("beta subtracted", _folded(shift=lambda s, bias, mean, beta: s * (bias - mean) - beta), "beta"),
    Mistake("gamma forgotten", _folded(factor=lambda gamma, d: 1 / d), "gamma"),
    Mistake("divided by gamma", _folded(factor=lambda gamma, d: d / np.where(gamma == 0, 1, gamma)), "gamma"),
    Mistake("1 + gamma", _folded(factor=lambda gamma, d: (1 + gamma) / d), "gamma"),
    Mistake("weight as it was", _folded(kernel=lambda weight, scale: weight), "weight"),
    Mistake("weight divided by the factor", _folded(kernel=lambda weight, scale: weight / scale[:, None, None, None]),
            "weight"),
    Mistake("weight and 1", _folded(kernel=lambda w, scale: (w * scale[:, None, None, None]) + 1), "weight"),
    Mistake("along the inputs", _folded(kernel=_along_the_inputs), "axis"),
    Mistake("along the columns", _folded(kernel=_along_the_columns), "axis"),
    Mistake("one factor for all", _folded(kernel=lambda weight, scale: weight * scale.mean()), "axis"),
    Mistake("exchanged", _exchanged, "results"),
    Mistake("the weight alone", lambda *arguments: _folded()(*arguments)[0], "results"),
)  # fmt: skip
