"""Typical wrong answers to exercise 8.2, patches as tokens."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _tokens(image, weight, bias, step=None, by_columns=False):  # type: ignore[no-untyped-def]
    """The right answer with the switches of the mistakes."""
    side = weight.shape[-1]
    step = side if step is None else step
    spots = [
        (top, left)
        for top in range(0, image.shape[1] - side + 1, step)
        for left in range(0, image.shape[2] - side + 1, step)
    ]
    spots = sorted(spots, key=lambda spot: spot[::-1]) if by_columns else spots
    patches = [image[:, top : top + side, left : left + side] for top, left in spots]
    return np.array([(weight * patch).sum(axis=(1, 2, 3)) + bias for patch in patches])


def _padded(image, weight, bias):  # type: ignore[no-untyped-def]
    side = weight.shape[-1]
    return _tokens(np.pad(image, ((0, 0), (0, -image.shape[1] % side), (0, -image.shape[2] % side))), weight, bias)


def _from_the_end(image, weight, bias):  # type: ignore[no-untyped-def]
    side = weight.shape[-1]
    return _tokens(image[:, image.shape[1] % side :, image.shape[2] % side :], weight, bias)


def _reshaped(image, weight, bias):  # type: ignore[no-untyped-def]
    """The numbers as they lie, cut into rows."""
    side = weight.shape[-1]
    rows, columns = image.shape[1] // side, image.shape[2] // side
    cut = image[:, : rows * side, : columns * side]
    return cut.reshape(rows * columns, -1) @ weight.reshape(len(weight), -1).T + bias


def _channels_last(image, weight, bias):  # type: ignore[no-untyped-def]
    side = weight.shape[-1]
    rows, columns = image.shape[1] // side, image.shape[2] // side
    cut = image[:, : rows * side, : columns * side].reshape(len(image), rows, side, columns, side)
    patches = cut.transpose(1, 3, 2, 4, 0).reshape(rows * columns, -1)
    return patches @ weight.reshape(len(weight), -1).T + bias


def _flipped(image, weight, bias):  # type: ignore[no-untyped-def]
    return _tokens(image, weight[:, :, ::-1, ::-1], bias)


def _transposed_patches(image, weight, bias):  # type: ignore[no-untyped-def]
    return _tokens(image, weight.swapaxes(2, 3), bias)


def _means(image, weight, bias):  # type: ignore[no-untyped-def]
    return _tokens(image, weight / weight[0].size, bias)


def _normalized(image, weight, bias):  # type: ignore[no-untyped-def]
    found = _tokens(image, weight, bias)
    return found - found.mean(axis=1, keepdims=True)


def _as_wide_as_high(image, weight, bias):  # type: ignore[no-untyped-def]
    return _tokens(image[:, :, : image.shape[1]], weight, bias)


def _linear_weight(image, weight, bias):  # type: ignore[no-untyped-def]
    """The weight read as (C P P) x K."""
    side = weight.shape[-1]
    rows, columns = image.shape[1] // side, image.shape[2] // side
    cut = image[:, : rows * side, : columns * side].reshape(len(image), rows, side, columns, side)
    return cut.transpose(1, 3, 0, 2, 4).reshape(rows * columns, -1) @ weight.reshape(-1, len(weight)) + bias


def _as_rows_and_columns(image, weight, bias):  # type: ignore[no-untyped-def]
    return _tokens(image, weight, bias).reshape(image.shape[1] // weight.shape[2], -1, len(weight))


def _layer_norm(image, weight, bias):  # type: ignore[no-untyped-def]
    found = _tokens(image, weight, bias)
    found = found - found.mean(axis=1, keepdims=True)
    return found / np.sqrt(found.var(axis=1, keepdims=True) + 1e-5)


MISTAKES = (
    Mistake("column by column", lambda i, w, b: _tokens(i, w, b, by_columns=True), "order"),
    Mistake("backwards", lambda i, w, b: _tokens(i, w, b)[::-1], "order"),
    Mistake("reshape alone", _reshaped, "inside"),
    Mistake("channels last within a patch", _channels_last, "inside"),
    Mistake("rows and columns within a patch exchanged", _transposed_patches, "inside"),
    Mistake("kernel flipped", _flipped, "inside"),
    Mistake("channels reversed", lambda i, w, b: _tokens(i[::-1], w, b), "inside"),
    Mistake("no bias", lambda i, w, b: _tokens(i, w, 0 * b), "bias"),
    Mistake("bias subtracted", lambda i, w, b: _tokens(i, w, -b), "bias"),
    Mistake("sum of the biases", lambda i, w, b: _tokens(i, w, b.sum() + 0 * b), "bias"),
    Mistake("padded", _padded, "rest"),
    Mistake("left out at the top", _from_the_end, "rest"),
    Mistake("as many columns as rows", _as_wide_as_high, "rest"),
    Mistake("K x N", lambda i, w, b: _tokens(i, w, b).T, "shape"),
    Mistake("as a map", lambda i, w, b: _tokens(i, w, b).T.reshape(len(w), i.shape[1] // w.shape[2], -1), "shape"),
    Mistake("rows and columns of tokens", _as_rows_and_columns, "shape"),
    Mistake("a batch of one", lambda i, w, b: _tokens(i, w, b)[None], "shape"),
    Mistake("weight as a linear layer has it", _linear_weight, "weight"),
    Mistake("mean over the channels", lambda i, w, b: _tokens(i, w / len(i), b), "weight"),
    Mistake("normalized", _layer_norm, "weight"),
    Mistake("mean in place of the sum", _means, "weight"),
    Mistake("first channel alone", lambda i, w, b: _tokens(i[:1], w[:, :1], b), "weight"),
    Mistake("centered", _normalized, "weight"),
    Mistake("stride of one", lambda i, w, b: _tokens(i, w, b, 1), "overlap"),
    Mistake("stride of half a patch", lambda i, w, b: _tokens(i, w, b, max(w.shape[-1] // 2, 1)), "overlap"),
)
