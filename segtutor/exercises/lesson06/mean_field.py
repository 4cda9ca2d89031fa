"""Exercise 6.12: one step of mean-field inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson06.mean_field_mistakes import MISTAKES, random_costs, softmax
from segtutor.exercises.lesson06.pair_kernel import pair_kernel
from segtutor.exercises.seeds import seeded

STUB = '''
def mean_field_step(probabilities, unary, kernels, weights, compatibility):
    """New N x K probabilities: softmax of minus the unary energies and minus the weighted costs of the neighbors."""
    raise NotImplementedError("Write mean_field_step() here, then run this cell again.")
'''


def mean_field_step(
    probabilities: np.ndarray,
    unary: np.ndarray,
    kernels: Sequence[np.ndarray],
    weights: Sequence[float],
    compatibility: np.ndarray,
) -> np.ndarray:
    """New N x K probabilities: softmax of minus the unary energies and minus the weighted costs of the neighbors."""
    total = -unary
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total - weight * (kernel @ probabilities @ compatibility)
    powers = np.exp(total - total.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _with_torch(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
    import torch

    costs, total = torch.as_tensor(probabilities @ compatibility), -torch.as_tensor(unary)
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total - weight * torch.as_tensor(kernel) @ costs
    return total.softmax(dim=1)


def _with_einsum(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
    """What a neighbor costs, class by class, added up before anything is weighted."""
    penalty = unary.astype(float)
    for kernel, weight in zip(kernels, weights, strict=True):
        penalty = penalty + np.einsum("ij,jl,lk->ik", weight * kernel, probabilities, compatibility)
    powers = np.exp(penalty.min(axis=1, keepdims=True) - penalty)
    return powers / powers.sum(axis=1, keepdims=True)


def _pixel_by_pixel(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
    import math

    result = []
    for i in range(len(unary)):
        scores = []
        for k in range(unary.shape[1]):
            votes = 0.0
            for kernel, weight in zip(kernels, weights, strict=True):
                for j in range(len(unary)):
                    for other in range(unary.shape[1]):
                        votes -= weight * kernel[i, j] * probabilities[j, other] * compatibility[other, k]
            scores.append(math.exp(votes - unary[i, k]))
        result.append([score / sum(scores) for score in scores])
    return result


def _random(
    seed: int, pixels: int, classes: int, weights: tuple[float, ...], costs: int | None = None
) -> tuple[Any, ...]:
    """Pixels of a noisy row, with the Potts model or with random costs."""
    generator = seeded(seed)
    unary = np.round(generator.exponential(2, size=(pixels, classes)), 2)
    probabilities = softmax(np.round(generator.normal(size=(pixels, classes)), 2))
    image = generator.integers(0, 60, size=(1, pixels, 3)).astype(np.uint8)
    kernels = [pair_kernel(image, 2.0, None), pair_kernel(image, 4.0, 30.0)][: len(weights)]
    compatibility = 1 - np.eye(classes) if costs is None else random_costs(costs, classes)
    return probabilities, unary, kernels, list(weights), compatibility


def _three_kernels() -> list[np.ndarray]:
    """Kernels of four pixels that are not symmetric."""
    return list(seeded(9).uniform(0, 0.6, (3, 4, 4)).round(2))


_LOG2, _LOG3, _LOG4 = (float(np.log(number)) for number in (2, 3, 4))
_UNARY = np.array([[0.0, _LOG3], [_LOG2, 0.0]])
_SHARES = np.array([[0.75, 0.25], [1 / 3, 2 / 3]])  # softmax of minus the unary energies
_SURE = np.array([[1.0, 0.0], [1.0, 0.0]])
_EVEN = np.full((2, 2), 0.5)
_ALL = np.ones((2, 2))
_POTTS = 1 - np.eye(2)


EXERCISE = Exercise(
    id="6.12",
    title="One mean-field step, with classes that go together",
    name="mean_field_step",
    statement="""
Mean-field inference replaces the CRF by independent pixels with the probabilities $Q$ (N x K) and improves all of
them at once, again and again. In one step every pixel $i$ hears from all pixels $j$ how probable they find each class,
weighted by the kernels $\\tilde K_m$ of 6.11. In lesson 6a all pairs of unequal classes cost the same, the *Potts*
model. But a rider beside a horse is no accident, and a horse beside a sofa is. So here a matrix says what classes cost
beside each other: $\\mu_{lk}$ is the cost of class $k$ for a pixel whose neighbor has class $l$, and

$$Q_{ik} \\leftarrow \\frac{1}{Z_i} \\exp\\Big(-U_{ik} - \\sum_m w_m \\sum_j \\tilde k^{(m)}_{ij} \\sum_l Q_{jl}\\,
\\mu_{lk}\\Big),$$

where $Z_i$ makes the K numbers of pixel $i$ add up to 1: that is a softmax over the classes. The sums over $j$ and $l$
are matrix products, and the pixel itself is among the $j$. The matrix need not be symmetric, and may have numbers on
its diagonal and below 0. With 0 on the diagonal and 1 elsewhere it is the Potts model again.

Write `mean_field_step(probabilities, unary, kernels, weights, compatibility)`: `probabilities` is the present $Q$ and
`unary` is $U$, both N x K; `kernels` is a list of N x N matrices (any number of them; without a kernel nothing is
heard, and $Q$ is the softmax of $-U$), `weights` has one number for each, `compatibility` is $\\mu$, K x K. Return the
new $Q$. All pixels change at once: each hears the old $Q$.
""",
    stub=STUB,
    reference=mean_field_step,
    cases=(
        Case("no kernel: the network's own probabilities", (_EVEN, _UNARY, [], [], _POTTS), _SHARES, "no kernel"),
        Case("even messages change nothing", (_EVEN, _UNARY, [_ALL], [5.0], _POTTS), _SHARES, "even"),
        # exp(2 * log 2) = 4 times as much for the first class: 3 * 4 : 1 and 1 * 4 : 2
        Case(
            "two sure neighbors, weight log 2",
            (_SURE, _UNARY, [_ALL], [_LOG2], _POTTS),
            np.array([[12 / 13, 1 / 13], [2 / 3, 1 / 3]]),
            "sure",
        ),
        # pixel 0 hears pixel 1, which hears nobody
        Case(
            "a kernel that is not symmetric",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), 0 * _UNARY, [np.array([[0.0, 1], [0, 0]])], [_LOG4], _POTTS),
            np.array([[0.2, 0.8], [0.5, 0.5]]),
            "hears",
        ),
        Case(
            "a kernel that only knows the neighbor",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), 0 * _UNARY, [1 - np.eye(2)], [_LOG4], _POTTS),
            np.array([[0.2, 0.8], [0.8, 0.2]]),
            "hears",
        ),
        # weights log 2 and log 3 on kernels that only know the pixel itself
        Case(
            "two kernels add up",
            (_SURE, 0 * _UNARY, [np.eye(2), np.eye(2)], [_LOG2, _LOG3], _POTTS),
            np.array([[6 / 7, 1 / 7], [6 / 7, 1 / 7]]),
            "two kernels",
        ),
        Case(
            "three kernels, weights 0.5, 2.5 and 0.25",
            (*_random(3, 4, 3, (1.0,))[:2], _three_kernels(), [0.5, 2.5, 0.25], 1 - np.eye(3)),
            hint="three",
        ),
        Case("five pixels, three classes, Gaussian", _random(0, 5, 3, (3.0,))),
        Case("six pixels, four classes, both kernels", _random(1, 6, 4, (3.0, 4.0))),
        Case("as many classes as pixels", _random(2, 4, 4, (1.0, 10.0))),
        # both neighbors are of class 0, each costs class 1 log 2: a quarter is left
        Case(
            "class 1 beside class 0 costs log 2",
            (_SURE, 0 * _UNARY, [_ALL], [1.0], np.array([[0.0, _LOG2], [_LOG3, 0.0]])),
            np.array([[0.8, 0.2], [0.8, 0.2]]),
            "compatibility",
        ),
        # pixel 0 hears class 1, whose neighbor pays log 3 for class 0; pixel 1 hears class 0 and pays log 2 for class 1
        Case(
            "costs that are not symmetric",
            (np.eye(2), 0 * _UNARY, [1 - np.eye(2)], [1.0], np.array([[0.0, _LOG2], [_LOG3, 0.0]])),
            np.array([[0.25, 0.75], [2 / 3, 1 / 3]]),
            "compatibility",
        ),
        Case(
            "classes that like each other, and none that likes itself",
            (_SURE, 0 * _UNARY, [np.eye(2)], [1.0], np.array([[_LOG2, -_LOG2], [0.0, 0.0]])),
            np.array([[0.2, 0.8], [0.2, 0.8]]),
            "compatibility",
        ),
        Case("three classes, any costs", _random(4, 5, 3, (2.0, 1.0), 7), hint="compatibility"),
        Case("as many classes as pixels, any costs", _random(5, 4, 4, (1.5,), 8), hint="compatibility"),
    ),
    hints={
        "general": Hint(
            "Inside the exponential stands a sum: minus the unary energies, minus what is heard through each kernel. "
            "The rest is a softmax.",
            "Collect the sum first: what a pixel hears are probabilities of its neighbors' classes, and the matrix "
            "turns them into costs of its own; every message reads the old probabilities. The softmax goes over the "
            "classes, so each row adds up to 1, and to subtract a row's largest value before exp changes nothing but "
            "keeps it from overflowing.",
        ),
        "compatibility": Hint(
            "The matrix turns what is heard into costs: row l is what a neighbor of class l does to each class k. It "
            "need be neither symmetric nor 0 on its diagonal, and costs are subtracted.",
            "kernel @ probabilities @ compatibility, in this order and not transposed.",
        ),
        "unary": Hint(
            "Every step begins with minus the unary energies; the old probabilities only send messages.",
            "total = -unary at the start of each step.",
        ),
        "sign": Hint(
            "Energies and costs are subtracted: what costs much is improbable.",
            "-unary - weight * (kernel @ probabilities @ compatibility).",
        ),
        "message": Hint(
            "The message is the kernel times the old *probabilities*, for all pixels j, with the pixel itself.",
            "kernel @ probabilities, with the kernel and Q as they come.",
        ),
        "at once": Hint(
            "Pixels that come later see the new probabilities of those before. All change at once.",
            "Compute all of kernel @ probabilities from the old Q before anything is written.",
        ),
        "softmax": Hint(
            "The K numbers of each pixel must add up to 1: a softmax along the classes.",
            "powers / powers.sum(axis=1, keepdims=True).",
        ),
        "kernels": Hint(
            "Each kernel sends its own message, with its own weight, and the messages are added.",
            "total = total - weight * (kernel @ probabilities @ compatibility), in a loop over zip(kernels, weights).",
        ),
        "no kernel": Hint(
            "Without kernels nothing is heard: the result is the softmax of -U over the classes, here 3/4 : 1/4 and "
            "1/3 : 2/3.",
            "Begin with total = -unary, and loop over no kernel.",
        ),
        "even": Hint(
            "All pixels find both classes equally probable: both get the same message, and the softmax of -U stays.",
            "-unary - weight * (kernel @ probabilities @ compatibility), then the softmax over the classes.",
        ),
        "sure": Hint(
            "Both pixels are sure of the first class, so the second costs each of them 2 log 2 (itself included): a "
            "quarter as probable as before, then normalized.",
            "-unary - weight * (kernel @ probabilities @ compatibility).",
        ),
        "hears": Hint(
            "Pixel i hears pixel j with the strength k[i, j], and k[i, i] may be 0. Row i belongs to pixel i.",
            "kernel @ probabilities, with the kernel as it is.",
        ),
        "two kernels": Hint(
            "Two kernels with the weights log 2 and log 3: the messages add up to log 6.",
            "total = total - weight * (kernel @ probabilities @ compatibility), in a loop over zip(kernels, weights).",
        ),
        "three": Hint(
            "There may be any number of kernels, here three, and weights need not be whole.",
            "for kernel, weight in zip(kernels, weights).",
        ),
        "one step": Hint(
            "One full step is wanted, and its probabilities: nothing mixed with the old ones, no classes.",
            "Return the softmax of the total.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_torch, _with_einsum, _pixel_by_pixel),
    points=4,
    minutes=15,
    difficulty=2,
)
