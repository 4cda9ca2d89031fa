"""Exercise 6.10: what the network contributes to the conditional random field."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.seeds import seeded

STUB = '''
def unary_energies(probabilities, floor):
    """K x H x W probabilities -> N x K energies -log p, one row per pixel, row by row; p is at least `floor`."""
    raise NotImplementedError("Write unary_energies() here, then run this cell again.")
'''


def unary_energies(probabilities: np.ndarray, floor: float) -> np.ndarray:
    """K x H x W probabilities -> N x K energies -log p, one row per pixel, row by row; p is at least `floor`."""
    per_pixel = probabilities.reshape(len(probabilities), -1).T
    return -np.log(np.maximum(per_pixel, floor))


def _with_torch(probabilities, floor):  # type: ignore[no-untyped-def]
    import torch

    flat = torch.as_tensor(probabilities).permute(1, 2, 0).flatten(0, 1)
    return -flat.clamp(min=floor).log()


def _with_loops(probabilities, floor):  # type: ignore[no-untyped-def]
    import math

    classes, height, width = probabilities.shape
    return [
        [math.log(1 / max(float(probabilities[k, i, j]), floor)) for k in range(classes)]
        for i in range(height)
        for j in range(width)
    ]


def _limited_afterwards(probabilities, floor):  # type: ignore[no-untyped-def]
    """The floor as a ceiling of the energy."""
    energies = np.minimum(-np.log(probabilities), -np.log(floor))
    return np.stack([one.ravel() for one in energies], axis=1)


def _rows(values):  # type: ignore[no-untyped-def]
    """K x H x W as one row per pixel."""
    return values.reshape(len(values), -1).T


def _normalized_again(probabilities, floor):  # type: ignore[no-untyped-def]
    kept = np.maximum(probabilities, floor)
    return -np.log(_rows(kept / kept.sum(axis=0)))


def _softmax_again(probabilities, floor):  # type: ignore[no-untyped-def]
    powers = np.exp(probabilities)
    return -np.log(_rows(powers / powers.sum(axis=0)))


_TWO = np.array([[[0.5, 1.0]], [[0.5, 0.0]]])  # two classes, 1 x 2 pixels
_THREE = np.array([[[0.25, 0.5], [0.125, 1.0]], [[0.75, 0.5], [0.875, 0.0]]])
_LOG2 = float(np.log(2))


def _probabilities(seed: int, classes: int, height: int, width: int) -> np.ndarray:
    """Random probabilities, some of them zero."""
    scores = seeded(seed).normal(scale=8, size=(classes, height, width))
    powers = np.exp(scores - scores.max(axis=0))
    values: np.ndarray = np.round(powers / powers.sum(axis=0), 6)
    return values


EXERCISE = Exercise(
    id="6.10",
    title="Unary energies",
    name="unary_energies",
    statement="""
The dense CRF of DeepLab v1 and v2 begins with what the network says about each pixel by itself. An improbable class
costs energy: $U_{ik} = -\\log p_{ik}$ for pixel $i$ and class $k$. A probability of 0 would cost infinitely much and
could never be corrected, so every probability below a floor counts as the floor.

Write `unary_energies(probabilities, floor)`: `probabilities` is K x H x W, the result N x K with N = H W, one row per
pixel, the pixels row by row (first the upper row of the picture from left to right).
""",
    stub=STUB,
    reference=unary_energies,
    cases=(
        Case("halves, one and zero", (_TWO, 0.25), np.array([[_LOG2, _LOG2], [0, 2 * _LOG2]])),
        Case("floor 1/8", (_TWO, 0.125), np.array([[_LOG2, _LOG2], [0, 3 * _LOG2]]), "as given"),
        Case(
            "between 0 and the floor, and just above it",
            (np.array([[[0.05, 0.1001]], [[0.95, 0.8999]]]), 0.1),
            -np.log(np.array([[0.1, 0.95], [0.1001, 0.8999]])),
            "floor",
        ),
        Case(
            "2 x 2 pixels, row by row",
            (_THREE[:1], 0.0625),
            np.array([[2 * _LOG2], [_LOG2], [3 * _LOG2], [0]]),
            "two by two",
        ),
        Case(
            "a small floor changes only the zero",
            (_THREE, 1e-5),
            -np.log(np.array([[0.25, 0.75], [0.5, 0.5], [0.125, 0.875], [1, 1e-5]])),
        ),
        Case("four classes, 3 x 5", (_probabilities(0, 4, 3, 5), 1e-5)),
        Case("as many classes as pixels", (_probabilities(1, 6, 2, 3), 1e-3), hint="two by two"),
    ),
    hints={
        "general": Hint(
            "First one row per pixel, then the floor, then the logarithm.",
            "Fold the two axes of the picture into one, which keeps the order of the pixels, and bring the axis of "
            "the classes to the end. The floor comes before the logarithm, which never meets a 0 then.",
        ),
        "floor": Hint(
            "A probability below the floor counts as the floor, all others stay as they are, 1 as well; then comes the "
            "logarithm.",
            "np.maximum(probabilities, floor), before the logarithm.",
        ),
        "sign": Hint(
            "The energy of a probability is minus its natural logarithm: small where the probability is large.",
            "-np.log(...), the natural logarithm.",
        ),
        "pixels": Hint(
            "There is one row for each pixel, first those of the picture's upper row, from left to right; each row "
            "holds "
            "the energies of all K classes, in their order.",
            "probabilities.reshape(K, -1).T; without .T, reshape(N, K) would mix pixels and classes.",
        ),
        "again": Hint(
            "These are probabilities already. They are neither normalized nor put through a softmax again.",
            "Only the floor, then the logarithm.",
        ),
        "as given": Hint(
            "The floor is an argument, here 1/8: the energy of 0 is 3 log 2.", "np.maximum(probabilities, floor)."
        ),
        "two by two": Hint(
            "The pixels come row by row: upper left, upper right, lower left, lower right, each with all its classes.",
            "probabilities.reshape(K, -1).T; without .T, reshape(N, K) would mix pixels and classes.",
        ),
        "rounded": Hint("Nothing is rounded, neither probabilities nor energies.", "Keep the type of the numbers."),
    },
    mistakes=(
        Mistake("no floor", lambda p, f: -np.log(_rows(p)), "floor"),
        Mistake("floor added", lambda p, f: -np.log(_rows(p) + f), "floor"),
        Mistake("floor always 1e-5", lambda p, f: unary_energies(p, 1e-5), "floor"),
        Mistake("floor on the energy", lambda p, f: np.maximum(-np.log(np.maximum(_rows(p), 1e-30)), f), "floor"),
        Mistake("infinite becomes zero", lambda p, f: -np.log(np.where(_rows(p) < f, 1, _rows(p))), "floor"),
        Mistake("sign", lambda p, f: -unary_energies(p, f), "sign"),
        Mistake("logarithm to base 2", lambda p, f: unary_energies(p, f) / np.log(2), "sign"),
        Mistake("1 - p", lambda p, f: 1 - np.maximum(_rows(p), f), "sign"),
        Mistake("down the columns", lambda p, f: unary_energies(p.swapaxes(1, 2), f), "pixels"),
        Mistake("classes as rows", lambda p, f: unary_energies(p, f).T, "pixels"),
        Mistake("reshaped without turning", lambda p, f: unary_energies(p, f).T.reshape(-1, len(p)), "pixels"),
        Mistake("still a map", lambda p, f: -np.log(np.maximum(p, f)), "pixels"),
        Mistake("normalized again", _normalized_again, "again"),
        Mistake("softmax again", _softmax_again, "again"),
        Mistake("only zeros replaced", lambda p, f: -np.log(np.where(_rows(p) == 0, f, _rows(p))), "floor"),
        Mistake("floor added to zeros", lambda p, f: -np.log(_rows(p) + f * (_rows(p) < f)), "floor"),
        Mistake("limited from above, too", lambda p, f: -np.log(_rows(p).clip(f, 1 - f)), "floor"),
        Mistake("the smaller of both", lambda p, f: -np.log(np.minimum(_rows(p), f)), "floor"),
        Mistake("energy limited to the floor", lambda p, f: np.minimum(-np.log(_rows(p)), f), "floor"),
        Mistake("energy limited to 1 / floor", lambda p, f: np.minimum(-np.log(_rows(p)), 1 / f), "floor"),
        Mistake("infinite becomes 0", lambda p, f: np.where(_rows(p) > 0, -np.log(_rows(p)), 0.0), "floor"),
        Mistake("infinite becomes the floor", lambda p, f: np.where(_rows(p) > 0, -np.log(_rows(p)), f), "floor"),
        Mistake("infinite becomes large", lambda p, f: np.nan_to_num(-np.log(_rows(p))), "floor"),
        Mistake("smaller ones are 0", lambda p, f: np.where(_rows(p) < f, 0.0, unary_energies(p, f)), "floor"),
        Mistake("floor below the floor", lambda p, f: unary_energies(p, f / 2), "floor"),
        Mistake("floor 1e-8", lambda p, f: unary_energies(p, 1e-8), "as given"),
        Mistake("floor 1e-10", lambda p, f: unary_energies(p, 1e-10), "as given"),
        Mistake("floor 1e-3", lambda p, f: unary_energies(p, 1e-3), "as given"),
        Mistake("base 10", lambda p, f: unary_energies(p, f) / np.log(10), "sign"),
        Mistake("logarithm of one more", lambda p, f: -np.log1p(np.maximum(_rows(p), f)), "sign"),
        Mistake("minus p", lambda p, f: -np.maximum(_rows(p), f), "sign"),
        Mistake("one by p", lambda p, f: 1 / np.maximum(_rows(p), f), "sign"),
        Mistake("log of 1 - p", lambda p, f: -np.log(np.maximum(1 - _rows(p), f)), "sign"),
        Mistake("p log p", lambda p, f: unary_energies(p, f) * np.maximum(_rows(p), f), "sign"),
        Mistake("exp", lambda p, f: np.exp(-np.maximum(_rows(p), f)), "sign"),
        Mistake("pixels backwards", lambda p, f: unary_energies(p, f)[::-1], "pixels"),
        Mistake("rows from below", lambda p, f: unary_energies(p[:, ::-1], f), "pixels"),
        Mistake("columns from the right", lambda p, f: unary_energies(p[:, :, ::-1], f), "pixels"),
        Mistake("classes backwards", lambda p, f: unary_energies(p[::-1], f), "pixels"),
        Mistake("H x W x K", lambda p, f: unary_energies(p, f).reshape(*p.shape[1:], len(p)), "pixels"),
        Mistake("the best class only", lambda p, f: unary_energies(p, f).min(axis=1), "pixels"),
        Mistake("one list", lambda p, f: unary_energies(p, f).ravel(), "pixels"),
        Mistake("softmax of the floored", lambda p, f: _softmax_again(np.maximum(p, f), f), "again"),
        Mistake("half precision", lambda p, f: unary_energies(p.astype(np.float16).astype(float), f), "rounded"),
        Mistake("two decimals", lambda p, f: unary_energies(p, f).round(2), "rounded"),
        Mistake("whole energies", lambda p, f: unary_energies(p, f).round(), "rounded"),
        Mistake("blended with the floor", lambda p, f: unary_energies((1 - f) * p + f, f), "floor"),
        Mistake(
            "above the smallest",
            lambda p, f: unary_energies(p, f) - unary_energies(p, f).min(axis=1, keepdims=True),
            "again",
        ),
    ),
    alternatives=(_with_torch, _with_loops, _limited_afterwards),
    points=2,
    minutes=8,
    difficulty=1,
)
