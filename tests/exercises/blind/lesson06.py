"""Lesson 6: the answers written before the cases were seen, and those written later."""

import numpy as np

from tests.exercises.blind import answers06, extended, later06

WRONG = {key: answers + later06.WRONG[key] for key, answers in answers06.WRONG.items()}
RIGHT = {**answers06.RIGHT}


def silenced(answer):
    """An answer to 6.5 that knows no silent branches, with weights and biases of 0 for them."""

    def heard(features, rates, weights, biases, project_weight, project_bias, without):
        layers = ([0 * one if n in without else one for n, one in enumerate(given)] for given in (weights, biases))
        return answer(features, rates, *layers, project_weight, project_bias)

    return heard


def for_repeated_channels(answer):
    """An answer to 6.6 for one kernel per channel."""
    return lambda features, depthwise, *rest: answer(
        np.repeat(np.asarray(features), len(depthwise) // features.shape[1], axis=1), depthwise, *rest
    )


def with_costs(answer):
    """An answer to 6.12 for the Potts model; elsewhere it takes minus the costs for probabilities."""

    def step(probabilities, unary, kernels, weights, compatibility):
        potts = np.array_equal(compatibility, 1 - np.eye(len(compatibility)))
        return answer(probabilities if potts else -probabilities @ compatibility, unary, kernels, weights)

    return step


def potts(given):
    return (1 - np.eye(np.shape(given[1])[1]),)


for _answers in (WRONG, RIGHT):
    _answers["6.5"] = extended(silenced, lambda _: ((),), _answers["6.5"])
    _answers["6.6"] = extended(for_repeated_channels, lambda _: (), _answers["6.6"])
    _answers["6.12"] = extended(with_costs, potts, _answers["6.12"])

NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "6.1": {
        "rate - 1 zeros": ("rate",),
        "rows and columns": ("flip", "rate"),
        "zeros between the taps": ("smeared",),
        "not mirrored": ("flip",),
        "every kernel": ("channels",),
        "weights as they are": ("as it is",),
        "padding": ("behind", "size"),
        "padding with zeros": ("border",),
        "every picture": ("all pictures",),
        "all channels": ("channels",),
        "sum of channels": ("channels",),
        "no ReLU": ("as it is",),
        "size": ("as it is",),
    },
    "6.3": {
        "both directions": ("rate",),
        "distance is the rate": ("rate",),
        "height and width": ("sides",),
        "on the map": ("border", "share"),
        "product of both sides": ("sides",),
        "nine taps": ("share", "sides"),
        "share of nine": ("share",),
        "only the middle": ("middle", "middle only"),
        "0 to 1": ("share",),
        "share of the positions": ("share",),
        "do not round": ("rounded",),
        "large counts": ("share",),
    },
    "6.4": {
        "ReLU last": ("relu", "relu last"),
        "each picture by itself": ("own mean",),
        "each channel by itself": ("own mean",),
        "whole map": ("mean",),
        "mean": ("relu last",),
        "mean first": ("relu last",),
        "ReLU": ("relu",),
        "every position": ("spread",),
        "height and width": ("spread",),
        "copy": ("spread",),
    },
    "6.5": {
        "order of the rates": ("rates",),
        "rates as given": ("rates",),
        "ReLU in each branch": ("relu",),
        "biases": ("bias",),
        "from the same map": ("pooling", "rates"),
        "each picture by itself": ("own picture",),
        "image pooling": ("pooling",),
        "order of the branches": ("order",),
        "1 x 1 branch": ("one by one",),
        "concatenate": ("order", "projection"),
        "projection": ("bias",),
        "ReLU after the projection": ("relu",),
    },
    "6.6": {
        "padding": ("size",),
        "depthwise bias": ("bias",),
        "pointwise bias": ("bias",),
        "a kernel per channel": ("channels",),
        "not mirrored": ("flip",),
        "rows and columns": ("flip",),
        "ReLU after each": ("sequence",),
        "rate of the depthwise": ("rate",),
        "bias before ReLU": ("bias",),
        "ReLU, not ReLU6": ("bias",),
        "ReLU between": ("between",),
        "ReLU": ("between",),
        "nothing added": ("sequence",),
        "ReLU at the end": ("end",),
        "bias": ("between",),
    },
    "6.8": {
        "ReLU after the convolution": ("relu",),
        "ReLU after the bias": ("bias",),
        "ReLU, not ReLU6": ("relu",),
        "ReLU": ("relu",),
        "reduce the low-level map": ("reduce",),
        "encoder without ReLU": ("relu", "wider"),
        "size of the low-level map": ("size",),
        "aligned corners": ("aligned",),
        "bilinear": ("aligned",),
        "height and width": ("size",),
        "in one step": ("aligned",),
        "encoder first": ("order",),
        "concatenate": ("added",),
        "along the channels": ("pictures",),
        "each picture by itself": ("pictures",),
        "aligned": ("corners",),
    },
    "6.9": {
        "size of the first": ("size",),
        "aligned corners": ("aligned",),
        "bilinear": ("aligned",),
        "all scales": ("all of them", "scales"),
        "sum first, then the largest": ("sum first",),
        "sum of the branches": ("branches",),
        "each picture by itself": ("branches",),
        "largest of the scales": ("scales",),
        "negative scores": ("below zero",),
        "each class by itself": ("scales",),
        "each pixel by itself": ("scales",),
        "scores, not labels": ("scores",),
        "all branches": ("all of them",),
        "scales": ("two scales",),
    },
    "6.10": {
        "one row per pixel": ("pixels",),
        "row by row": ("pixels",),
        "order of the classes": ("pixels",),
        "precision": ("rounded",),
        "floor as given": ("floor",),
        "not normalized": ("again",),
        "no upper limit": ("floor",),
        "probabilities already": ("again",),
        "floor of p": ("floor", "sign"),
        "log p": ("sign",),
        "natural logarithm": ("sign",),
        "all classes": ("pixels",),
        "do not round": ("rounded",),
        "floor": ("as given",),
    },
    "6.11": {
        "row by row": ("pixels",),
        "row and column": ("pixels",),
        "places in pixels": ("pixels",),
        "three channels": ("color",),
        "uint8": ("bytes",),
        "squared distance": ("exponent",),
        "sum over the channels": ("color",),
        "0 to 255": ("color",),
        "2 sigma^2": ("exponent",),
        "place": ("color",),
        "minus both": ("color",),
        "product of both": ("color",),
        "the pixel itself": ("itself",),
        "normalize": ("normalized",),
        "symmetrically": ("normalized",),
        "root": ("normalized",),
        "root of the product": ("normalized",),
        "row sums": ("normalized",),
        "both pixels": ("normalized",),
        "None": ("none",),
        "exponent": ("two pixels",),
        "normalized": ("three",),
    },
    "6.12": {
        "probabilities, not logarithms": ("message",),
        "all kernels": ("kernels",),
        "weights": ("kernels",),
        "each kernel its weight": ("kernels",),
        "kernel @ Q": ("message",),
        "kernel as it is": ("message",),
        "the pixel itself": ("message",),
        "minus unary": ("sign",),
        "sum of the kernels": ("kernels",),
        "plus the messages": ("sign",),
        "equal classes are rewarded": ("sign",),
        "all at once from the old Q": ("at once",),
        "no product with the old Q": ("unary",),
        "over the classes": ("softmax",),
        "exp": ("softmax",),
        "probabilities": ("one step",),
    },
}
