"""Typical wrong answers to exercise 4.6, the 1 x 1 convolution."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _mapped(x, weight, bias=None):  # type: ignore[no-untyped-def]
    result = np.einsum("kc,bchw->bkhw", weight, x)
    return result if bias is None else result + bias[:, None, None]


def _transposed_weight(x, weight, bias):  # type: ignore[no-untyped-def]
    """The numbers of the matrix read in the wrong order."""
    return _mapped(x, weight.ravel().reshape(weight.shape[::-1]).T, bias)


def _channels_last(x, weight, bias):  # type: ignore[no-untyped-def]
    return np.moveaxis(_mapped(x, weight, bias), 1, -1)


def _folded_wrongly(x, weight, bias):  # type: ignore[no-untyped-def]
    """B x C x H x W is flattened to positions x C without moving the channels to the end."""
    batch, channels, height, width = x.shape
    result = x.reshape(-1, channels) @ weight.T + bias
    return result.reshape(batch, len(weight), height, width)


def _refolded_wrongly(x, weight, bias):  # type: ignore[no-untyped-def]
    result = np.moveaxis(x, 1, -1) @ weight.T + bias
    return result.reshape(len(x), len(weight), *x.shape[2:])


def _over_the_map(x, weight, bias):  # type: ignore[no-untyped-def]
    result = _mapped(x, weight, bias)
    return np.broadcast_to(result.mean(axis=(2, 3), keepdims=True), result.shape)


def _over_the_batch(x, weight, bias):  # type: ignore[no-untyped-def]
    return _mapped(x, weight, bias).sum(axis=0, keepdims=True)


def _transposed_if_square(x, weight, bias):  # type: ignore[no-untyped-def]
    return _mapped(x, weight.T if weight.shape[0] == weight.shape[1] else weight, bias)


def _one_each(x, weight, bias):  # type: ignore[no-untyped-def]
    """Output channel k from input channel k alone, as far as there is one."""
    count = min(weight.shape)
    alone = np.zeros_like(weight)
    alone[np.arange(count), np.arange(count)] = weight[np.arange(count), np.arange(count)]
    return _mapped(x, alone, bias)


def _read_by_reshape(x, weight, bias):  # type: ignore[no-untyped-def]
    batch, channels, height, width = x.shape
    return np.moveaxis(x.reshape(batch, height, width, channels) @ weight.T + bias, -1, 1)


def _columns(x, weight, bias):  # type: ignore[no-untyped-def]
    """The positions of all pictures in one row, cut up in the wrong order."""
    columns = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    return (weight @ columns + bias[:, None]).reshape(len(x), len(weight), *x.shape[2:])


def _softmax(values):  # type: ignore[no-untyped-def]
    shares = np.exp(values - values.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def _of_neighbors(x, weight, bias):  # type: ignore[no-untyped-def]
    padded, (height, width) = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), x.shape[2:]
    around = sum(padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9
    return _mapped(around, weight, bias)


def _normalized(x, weight, bias):  # type: ignore[no-untyped-def]
    result = _mapped(x, weight, bias)
    return (result - result.mean((0, 2, 3), keepdims=True)) / result.std((0, 2, 3), keepdims=True)


def _one_channel_each(x, weight, bias):  # type: ignore[no-untyped-def]
    picked = np.stack([x[:, min(k, x.shape[1] - 1)] for k in range(len(weight))], 1)
    return picked * weight[:, :1, None] + bias[:, None, None]


MISTAKES = (
    Mistake("no bias", lambda x, w, b: _mapped(x, w), "bias"),
    Mistake("bias subtracted", lambda x, w, b: _mapped(x, w, -b), "bias"),
    Mistake("first bias for all", lambda x, w, b: _mapped(x, w) + b[0], "bias"),
    Mistake("bias per input channel", lambda x, w, b: _mapped(x + b.mean(), w), "bias"),
    Mistake("matrix transposed", _transposed_weight, "weight"),
    Mistake("rows backwards", lambda x, w, b: _mapped(x, w[::-1], b), "weight"),
    Mistake("absolute weights", lambda x, w, b: _mapped(x, abs(w), b), "weight"),
    Mistake("positions folded wrongly", _folded_wrongly, "folding"),
    Mistake("result folded wrongly", _refolded_wrongly, "folding"),
    Mistake("channels last", _channels_last, "shape"),
    Mistake("mean over the map", _over_the_map, "position"),
    Mistake("sum over the batch", _over_the_batch, "position"),
    Mistake("with ReLU", lambda x, w, b: np.maximum(_mapped(x, w, b), 0), "activation"),
    Mistake("sum of the biases", lambda x, w, b: _mapped(x, w) + b.sum(), "bias"),
    Mistake("mean of the biases", lambda x, w, b: _mapped(x, w) + b.mean(), "bias"),
    Mistake("last bias for all", lambda x, w, b: _mapped(x, w) + b[-1], "bias"),
    Mistake("biases backwards", lambda x, w, b: _mapped(x, w, b[::-1]), "bias"),
    Mistake("bias times channels", lambda x, w, b: _mapped(x, w, x.shape[1] * b), "bias"),
    Mistake("bias times pictures", lambda x, w, b: _mapped(x, w, len(x) * b), "bias"),
    Mistake("bias twice", lambda x, w, b: _mapped(x, w, 2 * b), "bias"),
    Mistake("bias multiplied", lambda x, w, b: _mapped(x, w) * b[:, None, None], "bias"),
    Mistake("bias before the weights", lambda x, w, b: _mapped(x, w, w.sum(1) * b), "bias"),
    Mistake("bias added to the weights", lambda x, w, b: _mapped(x, w + b[:, None]), "bias"),
    Mistake("bias along the columns", lambda x, w, b: _mapped(x, w) + b, "bias"),
    Mistake("bias along the rows", lambda x, w, b: _mapped(x, w) + b[:, None], "bias"),
    Mistake("bias along the pictures", lambda x, w, b: _mapped(x, w) + b[:, None, None, None], "bias"),
    Mistake("bias rounded", lambda x, w, b: _mapped(x, w, b.astype(int)), "numbers"),
    Mistake("matrix transposed, else kept", _transposed_if_square, "weight"),
    Mistake("matrix transposed and cut", lambda x, w, b: np.einsum("ck,bchw->bkhw", w, x) + b[:, None, None], "weight"),
    Mistake("columns backwards", lambda x, w, b: _mapped(x, w[:, ::-1], b), "weight"),
    Mistake("mean over channels", lambda x, w, b: _mapped(x, w / x.shape[1], b), "weight"),
    Mistake("weights made 1", lambda x, w, b: _mapped(x, w / w.sum(1, keepdims=True), b), "weight"),
    Mistake(
        "softmax of the weights", lambda x, w, b: _mapped(x, np.exp(w) / np.exp(w).sum(1, keepdims=True), b), "weight"
    ),
    Mistake("first input channel alone", lambda x, w, b: _mapped(x[:, :1], w[:, :1], b), "weight"),
    Mistake("last input channel alone", lambda x, w, b: _mapped(x[:, -1:], w[:, -1:], b), "weight"),
    Mistake("first row for all", lambda x, w, b: _mapped(x, w[:1].repeat(len(w), 0), b), "weight"),
    Mistake("one weight per channel", lambda x, w, b: _one_each(x, w, b), "weight"),
    Mistake(
        "largest product", lambda x, w, b: (w[None, :, :, None, None] * x[:, None]).max(2) + b[:, None, None], "weight"
    ),
    Mistake("weights squared", lambda x, w, b: _mapped(x, w**2, b), "weight"),
    Mistake("all weights alike", lambda x, w, b: _mapped(x, np.ones_like(w), b), "weight"),
    Mistake(
        "products not summed", lambda x, w, b: w[None, :, :, None, None] * x[:, None] + b[:, None, None, None], "weight"
    ),
    Mistake("B x H x W x C read by reshape", _read_by_reshape, "folding"),
    Mistake("flat maps times the wrong side", lambda x, w, b: _columns(x, w, b), "folding"),
    Mistake("rows and columns exchanged", lambda x, w, b: _mapped(x, w, b).swapaxes(2, 3), "shape"),
    Mistake("channels first", lambda x, w, b: _mapped(x, w, b).swapaxes(0, 1), "shape"),
    Mistake("without the batch", lambda x, w, b: _mapped(x, w, b)[0], "shape"),
    Mistake("positions in a row", lambda x, w, b: _mapped(x, w, b).reshape(len(x), len(w), -1), "shape"),
    Mistake(
        "positions before channels",
        lambda x, w, b: np.moveaxis(_mapped(x, w, b), 1, -1).reshape(len(x), -1, len(w)),
        "shape",
    ),
    Mistake("first picture", lambda x, w, b: _mapped(x[:1], w, b), "position"),
    Mistake("first picture for all", lambda x, w, b: _mapped(x[:1].repeat(len(x), 0), w, b), "position"),
    Mistake("last picture for all", lambda x, w, b: _mapped(x[-1:].repeat(len(x), 0), w, b), "position"),
    Mistake(
        "mean over the batch", lambda x, w, b: _mapped(x.mean(0, keepdims=True), w, b).repeat(len(x), 0), "position"
    ),
    Mistake("one position", lambda x, w, b: _mapped(x[:, :, :1, :1], w, b), "position"),
    Mistake(
        "first position for all",
        lambda x, w, b: _mapped(x[:, :, :1, :1], w, b) + np.zeros((1, 1, *x.shape[2:])),
        "position",
    ),
    Mistake("sum over the map", lambda x, w, b: _mapped(x.sum((2, 3), keepdims=True), w, b), "position"),
    Mistake("channels added to those of x", lambda x, w, b: np.concatenate([x, _mapped(x, w, b)], 1), "position"),
    Mistake("sigmoid", lambda x, w, b: 1 / (1 + np.exp(-_mapped(x, w, b))), "activation"),
    Mistake("softmax", lambda x, w, b: _softmax(_mapped(x, w, b)), "activation"),
    Mistake("ReLU before the bias", lambda x, w, b: np.maximum(_mapped(x, w), 0) + b[:, None, None], "activation"),
    Mistake("ReLU of the map", lambda x, w, b: _mapped(np.maximum(x, 0), w, b), "activation"),
    Mistake("absolute result", lambda x, w, b: abs(_mapped(x, w, b)), "activation"),
    Mistake("decimals cut off", lambda x, w, b: _mapped(x, w, b).astype(int), "numbers"),
    Mistake("rounded", lambda x, w, b: _mapped(x, w, b).round(), "numbers"),
    Mistake("mean over the map, two axes", lambda x, w, b: x.mean((2, 3)) @ w.T + b, "position"),
    Mistake("mean of the neighbors", _of_neighbors, "position"),
    Mistake("bias of channel 0 alone", lambda x, w, b: _mapped(x, w, b * (np.arange(len(b)) == 0)), "bias"),
    Mistake("normalized", _normalized, "activation"),
    Mistake("channel k from channel k, cut off", lambda x, w, b: _one_channel_each(x, w, b), "weight"),
)
