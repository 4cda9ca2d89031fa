"""Typical wrong answers to exercise 3.7, the pixel-wise loss."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _right(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return losses.sum() / max(valid.sum(), 1)


def _losses(logits, labels, ignore):  # type: ignore[no-untyped-def]
    """The loss of every pixel, 0 where there is no label, and where there is one."""
    valid = labels != ignore
    safe = np.where(valid, labels, 0)
    log_sum = np.logaddexp.reduce(logits, axis=0)
    return (log_sum - np.take_along_axis(logits, safe[None], axis=0)[0]) * valid, valid


def _overflowing(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=0)
    return -np.log(probabilities[:, valid][labels[valid], np.arange(valid.sum())]).mean()


def _void_as_class_0(logits, labels, ignore):  # type: ignore[no-untyped-def]
    return _right(logits, np.where(labels == ignore, 0, labels), -1)


def _nan_without_labels(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return losses.sum() / valid.sum() if valid.any() else float("nan")


def _not_logarithm(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return ((1 - np.exp(-losses)) * valid).sum() / max(valid.sum(), 1)


def _without_normalization(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    return -logits[:, valid][labels[valid], np.arange(valid.sum())].mean()


def _mean(logits, labels, ignore, change):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    return change(losses, valid)


def _valid_where(logits, labels, valid):  # type: ignore[no-untyped-def]
    return _right(logits, np.where(valid, labels, 1000), 1000)


def _mean_of_rows(losses, valid):  # type: ignore[no-untyped-def]
    rows = [row[where].mean() for row, where in zip(losses, valid, strict=True) if where.any()]
    return np.mean(rows) if rows else 0.0


def _own(logits, labels, valid):  # type: ignore[no-untyped-def]
    return logits[:, valid][labels[valid], np.arange(valid.sum())]


def _overflowing_sum(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return (np.log(np.exp(logits[:, valid]).sum(0)) - _own(logits, labels, valid)).mean() if valid.any() else 0.0


def _shifted_by_all(logits, labels, ignore, axis=None):  # type: ignore[no-untyped-def]
    return _overflowing_sum(logits - logits.max(axis, keepdims=True), labels, ignore)


def _softmax(logits, axis=0):  # type: ignore[no-untyped-def]
    shares = np.exp(logits - logits.max(axis, keepdims=True))
    return shares / shares.sum(axis, keepdims=True)


def _floored(logits, labels, ignore, floor):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return -np.log(floor(_own(_softmax(logits), labels, valid))).mean() if valid.any() else 0.0


def _probability(losses, valid):  # type: ignore[no-untyped-def]
    return np.exp(-losses)[valid].mean() if valid.any() else 0.0


def _log_sum_alone(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return np.logaddexp.reduce(logits, axis=0)[valid].mean() if valid.any() else 0.0


def _sum_without_log(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return (np.exp(logits[:, valid]).sum(0) - _own(logits, labels, valid)).mean() if valid.any() else 0.0


def _hinge(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return (logits.max(0)[valid] - _own(logits, labels, valid)).mean() if valid.any() else 0.0


def _hot(logits, labels):  # type: ignore[no-untyped-def]
    return np.arange(len(logits))[:, None, None] == labels


def _sigmoids(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    each = np.logaddexp(0, np.where(_hot(logits, labels), -logits, logits))
    return each[:, valid].sum(0).mean() if valid.any() else 0.0


def _squared(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    each = (_softmax(logits) - _hot(logits, labels)) ** 2
    return each[:, valid].sum(0).mean() if valid.any() else 0.0


def _by_class(logits, labels, ignore):  # type: ignore[no-untyped-def]
    losses, valid = _losses(logits, labels, ignore)
    means = [losses[labels == k].mean() for k in np.unique(labels[valid])]
    return np.mean(means) if means else 0.0


def _over_pixels(logits, labels, ignore, axis):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    return -np.log(_own(_softmax(logits, axis), labels, valid)).mean() if valid.any() else 0.0


def _over_valid_pixels(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    scores = _softmax(logits[:, valid], 1)
    return -np.log(scores[labels[valid], np.arange(valid.sum())]).mean()


def _unshifted(logits, losses, valid):  # type: ignore[no-untyped-def]
    return (losses - logits.max(0))[valid].mean() if valid.any() else 0.0


def _void_in_the_sum(logits, labels, ignore, label):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    losses, _ = _losses(logits, np.where(valid, labels, label % len(logits)), -9)
    return losses.sum() / max(valid.sum(), 1)


def _mean_of_all(logits, labels, ignore):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    each = np.logaddexp.reduce(logits, axis=0) - logits.mean(0)
    return each[valid].mean() if valid.any() else 0.0


def _shifted_and_floored(logits, labels, ignore, floor):  # type: ignore[no-untyped-def]
    valid = labels != ignore
    if not valid.any():
        return 0.0
    top = logits[:, valid].max()
    sums = np.exp(logits[:, valid] - top).sum(0)
    return (np.log(sums + floor) + top - _own(logits, labels, valid)).mean()


MISTAKES = (
    Mistake("sum", lambda z, y, v: _mean(z, y, v, lambda a, b: a.sum()), "divisor"),
    Mistake("mean over all pixels", lambda z, y, v: _mean(z, y, v, lambda a, b: a.mean()), "divisor"),
    Mistake("divided by the classes, too", lambda z, y, v: _right(z, y, v) / len(z), "divisor"),
    Mistake("void as class 0", _void_as_class_0, "void"),
    Mistake("void is always 255", lambda z, y, v: _right(z, y, 255), "void"),
    Mistake("NaN without labels", _nan_without_labels, "empty"),
    Mistake("one without labels", lambda z, y, v: _right(z, y, v) if (y != v).any() else 1.0, "empty"),
    Mistake("exp without shift", _overflowing, "overflow"),
    Mistake("clipped scores", lambda z, y, v: _right(np.clip(z, -50, 50), y, v), "overflow"),
    Mistake("one minus probability", _not_logarithm, "softmax"),
    Mistake("score alone", _without_normalization, "softmax"),
    Mistake("logarithm to base 2", lambda z, y, v: _right(z, y, v) / np.log(2), "softmax"),
    Mistake("wrong sign", lambda z, y, v: -_right(z, y, v), "sign"),
    Mistake("void divides, too, at least 1", lambda z, y, v: _mean(z, y, v, lambda a, b: a.sum() / b.size), "divisor"),
    Mistake(
        "divided by the pixels plus one",
        lambda z, y, v: _mean(z, y, v, lambda a, b: a.sum() / (b.sum() + 1)),
        "divisor",
    ),
    Mistake("divided by the height", lambda z, y, v: _mean(z, y, v, lambda a, b: a.sum() / len(b)), "divisor"),
    Mistake("mean of the rows", lambda z, y, v: _mean(z, y, v, _mean_of_rows), "divisor"),
    Mistake("median", lambda z, y, v: _mean(z, y, v, lambda a, b: np.median(a[b]) if b.any() else 0.0), "divisor"),
    Mistake("largest", lambda z, y, v: _mean(z, y, v, lambda a, b: a.max()), "divisor"),
    Mistake("void is no class", lambda z, y, v: _valid_where(z, y, (y >= 0) & (y < len(z))), "void"),
    Mistake("void is above ignore", lambda z, y, v: _valid_where(z, y, (y < v) & (y >= 0)), "void"),
    Mistake("void is above the classes", lambda z, y, v: _valid_where(z, y, y < len(z)), "void"),
    Mistake(
        "void is negative or 255", lambda z, y, v: _valid_where(z, y, (y >= 0) & (y != 255) & (y < len(z))), "void"
    ),
    Mistake("void and class 0", lambda z, y, v: _valid_where(z, y, (y != v) & (y != 0)), "classes"),
    Mistake("void alone", lambda z, y, v: _valid_where(z, y, y == v), "void"),
    Mistake("void as the last class", lambda z, y, v: _right(z, np.where(y == v, len(z) - 1, y), -9), "void"),
    Mistake("void nowhere", lambda z, y, v: _right(z, y % len(z), -9), "void"),
    Mistake("void with logits 0", lambda z, y, v: _right(np.where(y == v, 0, z), np.where(y == v, 0, y), -9), "void"),
    Mistake("None without labels", lambda z, y, v: _right(z, y, v) if (y != v).any() else "none", "empty"),
    Mistake("infinite without labels", lambda z, y, v: _right(z, y, v) if (y != v).any() else np.inf, "empty"),
    Mistake("log sum exp without shift", _overflowing_sum, "overflow"),
    Mistake("largest of the picture", _shifted_by_all, "overflow"),
    Mistake("largest of the class", lambda z, y, v: _shifted_by_all(z, y, v, axis=(1, 2)), "overflow"),
    Mistake("1e-12 added", lambda z, y, v: _floored(z, y, v, lambda p: p + 1e-12), "overflow"),
    Mistake("1e-8 added", lambda z, y, v: _floored(z, y, v, lambda p: p + 1e-8), "overflow"),
    Mistake("at least 1e-12", lambda z, y, v: _floored(z, y, v, lambda p: np.maximum(p, 1e-12)), "overflow"),
    Mistake("at least 1e-7", lambda z, y, v: _floored(z, y, v, lambda p: np.maximum(p, 1e-7)), "overflow"),
    Mistake(
        "at most 100",
        lambda z, y, v: _mean(z, y, v, lambda a, b: np.minimum(a, 100).sum() / max(b.sum(), 1)),
        "overflow",
    ),
    Mistake("clipped at 100", lambda z, y, v: _right(np.clip(z, -100, 100), y, v), "overflow"),
    Mistake("clipped at 500", lambda z, y, v: _right(np.clip(z, -500, 500), y, v), "overflow"),
    Mistake("divided by the largest", lambda z, y, v: _right(z / max(abs(z).max(), 1e-9), y, v), "overflow"),
    Mistake("NaN made 0", lambda z, y, v: float(np.nan_to_num(_overflowing(z, y, v))), "overflow"),
    Mistake("logarithm to base 10", lambda z, y, v: _right(z, y, v) / np.log(10), "softmax"),
    Mistake("probability", lambda z, y, v: -_mean(z, y, v, _probability), "softmax"),
    Mistake("positive probability", lambda z, y, v: _mean(z, y, v, _probability), "softmax"),
    Mistake("log-sum-exp alone", _log_sum_alone, "softmax"),
    Mistake("softmax twice", lambda z, y, v: _right(_softmax(z), y, v), "softmax"),
    Mistake("sum without log", _sum_without_log, "softmax"),
    Mistake(
        "log(1 + exp)", lambda z, y, v: _mean(z, y, v, lambda a, b: np.log1p(a).sum() / max(b.sum(), 1)), "softmax"
    ),
    Mistake("largest score instead of log-sum-exp", _hinge, "softmax"),
    Mistake("every class a sigmoid", _sigmoids, "softmax"),
    Mistake("squared error", _squared, "softmax"),
    Mistake("mean over classes", _by_class, "classes"),
    Mistake("softmax over the pixels", lambda z, y, v: _over_pixels(z, y, v, (1, 2)), "axis"),
    Mistake("softmax over the valid pixels", _over_valid_pixels, "axis"),
    Mistake("softmax over the rows", lambda z, y, v: _over_pixels(z, y, v, 1), "axis"),
    Mistake("softmax over the columns", lambda z, y, v: _over_pixels(z, y, v, 2), "axis"),
    Mistake("shift forgotten", lambda z, y, v: _mean(z, y, v, lambda a, b: _unshifted(z, a, b)), "shift"),
    Mistake("shift twice", lambda z, y, v: _mean(z, y, v, lambda a, b: _unshifted(-z, a, b)), "shift"),
    Mistake("loss per pixel", lambda z, y, v: _mean(z, y, v, lambda a, b: a[b]), "number"),
    Mistake("map of losses", lambda z, y, v: _mean(z, y, v, lambda a, b: a), "number"),
    Mistake("two digits", lambda z, y, v: round(float(_right(z, y, v)), 2), "exact"),
    Mistake("four digits", lambda z, y, v: round(float(_right(z, y, v)), 4), "exact"),
    Mistake("whole number", lambda z, y, v: int(_right(z, y, v)), "exact"),
    Mistake("void leaves the divisor alone", lambda z, y, v: _void_in_the_sum(z, y, v, 0), "void"),
    Mistake("void as last class in the sum alone", lambda z, y, v: _void_in_the_sum(z, y, v, -1), "void"),
    Mistake(
        "labels smoothed by a tenth", lambda z, y, v: 0.9 * _right(z, y, v) + 0.1 * _mean_of_all(z, y, v), "softmax"
    ),
    Mistake("mean of all classes' losses", lambda z, y, v: _mean_of_all(z, y, v), "softmax"),
    Mistake("shift of the picture and 1e-12", lambda z, y, v: _shifted_and_floored(z, y, v, 1e-12), "overflow"),
    Mistake("shift of the picture and 1e-8", lambda z, y, v: _shifted_and_floored(z, y, v, 1e-8), "overflow"),
)
