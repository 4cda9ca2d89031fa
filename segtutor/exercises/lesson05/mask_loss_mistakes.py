"""Typical wrong answers to exercise 5.11, the loss of the mask branch."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _entropy(chosen, targets):  # type: ignore[no-untyped-def]
    return np.logaddexp(0, chosen) - chosen * targets


def _of_channel(choose, entropy=_entropy, combine=np.mean):  # type: ignore[no-untyped-def]
    """A wrong answer: another channel, another loss or another mean."""

    def wrong(logits, targets, labels):  # type: ignore[no-untyped-def]
        if len(labels) == 0:
            return 0.0
        return combine(entropy(choose(logits, targets, labels), targets))

    return wrong


def _right_channel(logits, targets, labels):  # type: ignore[no-untyped-def]
    return logits[np.arange(len(labels)), labels]


def _softmax(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Cross entropy over the classes, with background where the object is not."""
    if len(labels) == 0:
        return 0.0
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    wanted = np.where(targets >= 0.5, labels[:, None, None], 0)
    return -np.take_along_axis(log_probability, wanted[:, None], axis=1).mean()


def _all_channels(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Every channel is asked: zeros in those of other classes."""
    if len(labels) == 0:
        return 0.0
    wanted = np.zeros_like(logits)
    wanted[np.arange(len(labels)), labels] = targets
    return _entropy(logits, wanted).mean()


def _naive(logits, targets, labels):  # type: ignore[no-untyped-def]
    if len(labels) == 0:
        return 0.0
    probability = 1 / (1 + np.exp(-_right_channel(logits, targets, labels)))
    return -(targets * np.log(probability) + (1 - targets) * np.log(1 - probability)).mean()


def _with_epsilon(logits, targets, labels, epsilon=1e-7):  # type: ignore[no-untyped-def]
    if len(labels) == 0:
        return 0.0
    probability = 1 / (1 + np.exp(-_right_channel(logits, targets, labels)))
    return -(targets * np.log(probability + epsilon) + (1 - targets) * np.log(1 - probability + epsilon)).mean()


def _no_region(logits, targets, labels):  # type: ignore[no-untyped-def]
    return np.mean(_entropy(_right_channel(logits, targets, labels), targets))


def _squares(chosen, targets):  # type: ignore[no-untyped-def]
    return (1 / (1 + np.exp(-chosen)) - targets) ** 2


def _only_ones(chosen, targets):  # type: ignore[no-untyped-def]
    return targets * np.logaddexp(0, -chosen)


def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + np.exp(-x))


def _probabilities(logits):  # type: ignore[no-untyped-def]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax_of_channel(logits, targets, labels):  # type: ignore[no-untyped-def]
    """Binary cross entropy, but with a softmax over the classes in place of the sigmoid."""
    chosen = _right_channel(_probabilities(logits), targets, labels)
    loss = -targets * np.log(chosen) - (1 - targets) * np.log(1 - chosen)
    return loss.mean() if len(labels) else 0.0


def _softmax_of_object(logits, targets, labels):  # type: ignore[no-untyped-def]
    loss = -targets * np.log(_right_channel(_probabilities(logits), targets, labels))
    return loss.mean() if len(labels) else 0.0


def _limited(most):  # type: ignore[no-untyped-def]
    """Logarithms of at least -most, as PyTorch's loss of probabilities has them."""

    def entropy(x, t):  # type: ignore[no-untyped-def]
        s = _sigmoid(x)
        return -t * np.maximum(np.log(s), -most) - (1 - t) * np.maximum(np.log(1 - s), -most)

    return _of_channel(_right_channel, entropy)


def _balanced(x, t):  # type: ignore[no-untyped-def]
    """The mean over the ones and the mean over the zeros count the same."""
    return np.array([_entropy(x, t)[t == value].mean() for value in (0, 1) if (t == value).any()])


_right = _of_channel(_right_channel)


MISTAKES = (
    Mistake("largest channel", _of_channel(lambda x, t, c: x.max(axis=1)), "channel"),
    Mistake("labels from 0", _of_channel(lambda x, t, c: _right_channel(x, t, c - 1)), "channel"),
    Mistake("first channel", _of_channel(lambda x, t, c: x[:, 0]), "channel"),
    Mistake("mean of the channels", _of_channel(lambda x, t, c: x.mean(axis=1)), "other channels"),
    Mistake("all channels", _all_channels, "other channels"),
    Mistake("softmax", _softmax, "softmax"),
    Mistake("squared error", _of_channel(_right_channel, _squares), "formula"),
    Mistake("object pixels only", _of_channel(_right_channel, _only_ones), "formula"),
    Mistake("target inverted", _of_channel(_right_channel, lambda x, t: _entropy(x, 1 - t)), "target"),
    Mistake("logarithm of the sigmoid", _naive, "overflow"),
    Mistake("logarithm with an epsilon", _with_epsilon, "overflow"),
    Mistake("sum", _of_channel(_right_channel, combine=np.sum), "mean"),
    Mistake("divided by R only", _of_channel(_right_channel, combine=lambda v: v.sum() / len(v)), "mean"),
    Mistake("mean of nothing", _no_region, "no region"),
    Mistake("the first region's class for all", _of_channel(lambda x, t, c: x[:, c[0]]), "own class"),
    Mistake("the last region's class for all", _of_channel(lambda x, t, c: x[:, c[-1]]), "own class"),
    Mistake(
        "every class for every region",
        lambda x, t, c: _entropy(x[:, c], t[:, None]).mean() if len(c) else 0.0,
        "own class",
    ),
    Mistake(
        "classes and regions crossed",
        lambda x, t, c: _entropy(x[:, c], t[None]).mean() if len(c) else 0.0,
        "own class",
    ),
    Mistake("channel 1 always", _of_channel(lambda x, t, c: x[:, 1]), "channel"),
    Mistake("last channel always", _of_channel(lambda x, t, c: x[:, -1]), "channel"),
    Mistake(
        "all channels against the target",
        lambda x, t, c: _entropy(x, t[:, None]).mean() if len(c) else 0.0,
        "other channels",
    ),
    Mistake("sum of the channels", _of_channel(lambda x, t, c: x.sum(axis=1)), "other channels"),
    Mistake("divided by the channels, too", lambda x, t, c: _right(x, t, c) / x.shape[1], "mean"),
    Mistake("softmax, its own channel", _softmax_of_channel, "softmax"),
    Mistake("softmax, object pixels", _softmax_of_object, "softmax"),
    Mistake("base 2", lambda x, t, c: _right(x, t, c) / np.log(2), "formula"),
    Mistake("t for x t", _of_channel(_right_channel, lambda x, t: np.logaddexp(0, x) - t), "formula"),
    Mistake("other pixels only", _of_channel(_right_channel, lambda x, t: (1 - t) * np.logaddexp(0, x)), "formula"),
    Mistake("sigmoid twice", _of_channel(_right_channel, lambda x, t: _entropy(_sigmoid(x), t)), "formula"),
    Mistake("absolute error", _of_channel(_right_channel, lambda x, t: np.abs(_sigmoid(x) - t)), "formula"),
    Mistake(
        "logits for probabilities",
        _of_channel(_right_channel, lambda x, t: -t * np.log(x) - (1 - t) * np.log(1 - x)),
        "formula",
    ),
    Mistake("no sigmoid, mean of x", _of_channel(_right_channel, lambda x, t: np.maximum(x, 0) - x * t), "formula"),
    Mistake("negative", lambda x, t, c: -_right(x, t, c), "sign"),
    Mistake("limited to 100", _limited(100.0), "overflow"),
    Mistake("logits limited to 50", _of_channel(_right_channel, lambda x, t: _entropy(x.clip(-50, 50), t)), "overflow"),
    Mistake("logits limited to 20", _of_channel(_right_channel, lambda x, t: _entropy(x.clip(-20, 20), t)), "overflow"),
    Mistake("exp overflows", _of_channel(_right_channel, lambda x, t: np.log(1 + np.exp(x)) - x * t), "overflow"),
    Mistake(
        "exp(-x) overflows",
        _of_channel(_right_channel, lambda x, t: np.log(1 + np.exp(-x)) + x * (1 - t)),
        "overflow",
    ),
    Mistake("epsilon of 1e-12", lambda x, t, c: _with_epsilon(x, t, c, 1e-12), "overflow"),
    Mistake("epsilon of 1e-8", lambda x, t, c: _with_epsilon(x, t, c, 1e-8), "overflow"),
    Mistake("epsilon of 1e-6", lambda x, t, c: _with_epsilon(x, t, c, 1e-6), "overflow"),
    Mistake("NaN is 0", lambda x, t, c: np.nan_to_num(_naive(x, t, c), posinf=0), "overflow"),
    Mistake("divided by the pixels of a region", lambda x, t, c: _right(x, t, c) * len(c), "mean"),
    Mistake("divided by R M", lambda x, t, c: _right(x, t, c) * x.shape[-1], "mean"),
    Mistake("divided by the object pixels", lambda x, t, c: _right(x, t, c) * t.size / max(t.sum(), 1), "mean"),
    Mistake(
        "one number per region",
        lambda x, t, c: _entropy(_right_channel(x, t, c), t).mean(axis=(1, 2)) if len(c) else 0.0,
        "mean",
    ),
    Mistake("one number per pixel", lambda x, t, c: _entropy(_right_channel(x, t, c), t) if len(c) else 0.0, "mean"),
    Mistake("the last region only", lambda x, t, c: _right(x[-1:], t[-1:], c[-1:]), "mean"),
    Mistake("the first region only", lambda x, t, c: _right(x[:1], t[:1], c[:1]), "mean"),
    Mistake("two decimals", lambda x, t, c: round(_right(x, t, c), 2), "rounded"),
    Mistake("no region is 1", lambda x, t, c: _right(x, t, c) if len(c) else 1.0, "no region"),
    Mistake("no region is an error", lambda x, t, c: _right(x, t, c) if len(c) else 1 / len(c), "no region"),
    Mistake("hinge", _of_channel(_right_channel, lambda x, t: np.maximum(0, 1 - x * (2 * t - 1))), "formula"),
    Mistake(
        "Dice",
        _of_channel(_right_channel, lambda x, t: 1 - 2 * (_sigmoid(x) * t).sum() / (_sigmoid(x).sum() + t.sum())),
        "formula",
    ),
    Mistake("object and background alike", _of_channel(_right_channel, _balanced), "mean"),
)
