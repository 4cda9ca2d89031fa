"""Typical wrong answers to exercise 8.1, attention."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _softmax(answers, axis=1):  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"):
        high = answers.max(axis=axis, keepdims=True)
        powers = np.exp(answers - np.where(np.isfinite(high), high, 0))
        return powers / powers.sum(axis=axis, keepdims=True)


def _masked(answers, allowed):  # type: ignore[no-untyped-def]
    return np.where(allowed, answers, -np.inf)


def _taken(q, k, v, allowed, scale=None):  # type: ignore[no-untyped-def]
    scale = np.sqrt(q.shape[1]) if scale is None else scale
    return np.nan_to_num(_softmax(_masked(q @ k.T / scale, allowed))) @ v


def _plain_exponentials(q, k, v, allowed):  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"):
        powers = np.where(allowed, np.exp(q @ k.T / np.sqrt(q.shape[1])), 0)
        sums = powers.sum(axis=1, keepdims=True)
        return np.where(sums > 0, powers / sums, 0) @ v


def _zero_answers(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _softmax(np.where(allowed, q @ k.T / np.sqrt(q.shape[1]), 0)) @ v


def _afterward(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return (_softmax(q @ k.T / np.sqrt(q.shape[1])) * allowed) @ v


def _upside_down(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return np.nan_to_num(_softmax(_masked(q @ k.T / np.sqrt(q.shape[1]), ~allowed))) @ v


def _unmasked(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _softmax(q @ k.T / np.sqrt(q.shape[1])) @ v


def _columns(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return np.nan_to_num(_softmax(_masked(q @ k.T / np.sqrt(q.shape[1]), allowed), 0)) @ v


def _over_everything(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return np.nan_to_num(_softmax(_masked(q @ k.T / np.sqrt(q.shape[1]), allowed), None)) @ v


def _nan(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _softmax(_masked(q @ k.T / np.sqrt(q.shape[1]), allowed)) @ v


def _mean_for_nobody(q, k, v, allowed):  # type: ignore[no-untyped-def]
    found = _taken(q, k, v, allowed)
    found[~allowed.any(axis=1)] = v.mean(axis=0)
    return found


def _a_large_number(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _softmax(np.where(allowed, q @ k.T / np.sqrt(q.shape[1]), -1e9)) @ v


def _hardest(q, k, v, allowed):  # type: ignore[no-untyped-def]
    answers = _masked(q @ k.T, allowed)
    return v[answers.argmax(axis=1)] * allowed.any(axis=1, keepdims=True)


def _sigmoid(q, k, v, allowed):  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"):
        return (allowed / (1 + np.exp(-(q @ k.T) / np.sqrt(q.shape[1])))) @ v


def _no_softmax(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return (allowed * (q @ k.T) / np.sqrt(q.shape[1])) @ v


def _plain_mean(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1) @ v


def _keys_taken(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _taken(q, k, k, allowed)


def _absolute(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return np.nan_to_num(_softmax(_masked(abs(q @ k.T) / np.sqrt(q.shape[1]), allowed))) @ v


def _cosines(q, k, v, allowed):  # type: ignore[no-untyped-def]
    with np.errstate(all="ignore"):
        unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (q, k)]
        return _taken(*unit, v, allowed)


def _turned(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _taken(q, k, v, allowed.T)


def _powers_of_two(q, k, v, allowed):  # type: ignore[no-untyped-def]
    return _taken(q, k, v, allowed, np.sqrt(q.shape[1]) / np.log(2))


def _positive(q, k, v, allowed):  # type: ignore[no-untyped-def]
    answers = np.maximum(q @ k.T, 0) * allowed
    return answers / np.maximum(answers.sum(axis=1, keepdims=True), 1e-9) @ v


MISTAKES = (
    Mistake("not scaled", lambda q, k, v, a: _taken(q, k, v, a, 1.0), "scale"),
    Mistake("divided by d", lambda q, k, v, a: _taken(q, k, v, a, q.shape[1]), "scale"),
    Mistake("root of the tokens", lambda q, k, v, a: _taken(q, k, v, a, np.sqrt(len(k))), "scale"),
    Mistake("root of the values", lambda q, k, v, a: _taken(q, k, v, a, np.sqrt(v.shape[1])), "scale"),
    Mistake("cosines", _cosines, "scale"),
    Mistake("multiplied by the root", lambda q, k, v, a: _taken(q, k, v, a, q.shape[1] ** -0.5), "scale"),
    Mistake("scaled after the softmax", lambda q, k, v, a: _taken(q, k, v, a, 1.0) / np.sqrt(q.shape[1]), "scale"),
    Mistake("softmax along the columns", _columns, "axis"),
    Mistake("softmax over all", _over_everything, "axis"),
    Mistake("nobody forbidden", _unmasked, "allowed"),
    Mistake("answers set to 0", _zero_answers, "allowed"),
    Mistake("weights set to 0", _afterward, "allowed"),
    Mistake("table upside down", _upside_down, "allowed"),
    Mistake("table turned", _turned, "allowed"),
    Mistake("NaN for nobody", _nan, "nobody"),
    Mistake("mean for nobody", _mean_for_nobody, "nobody"),
    Mistake("minus a large number", _a_large_number, "nobody"),
    Mistake("exponentials as they are", _plain_exponentials, "large"),
    Mistake("keys taken", _keys_taken, "roles"),
    Mistake("keys ask", lambda q, k, v, a: _taken(k, q, v, a), "roles"),
    Mistake("powers of two", _powers_of_two, "softmax"),
    Mistake("positive answers as weights", _positive, "softmax"),
    Mistake("values by one minus", lambda q, k, v, a: v.sum(0) - _taken(q, k, v, a), "softmax"),
    Mistake("the best alone", _hardest, "softmax"),
    Mistake("sigmoid", _sigmoid, "softmax"),
    Mistake("no softmax", _no_softmax, "softmax"),
    Mistake("plain mean", _plain_mean, "softmax"),
    Mistake("absolute answers", _absolute, "roles"),
)
