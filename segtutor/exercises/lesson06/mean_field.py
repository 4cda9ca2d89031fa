"""Exercise 6.12: one step of mean-field inference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson06.pair_kernel import pair_kernel

STUB = '''
def mean_field_step(probabilities, unary, kernels, weights):
    """New N x K probabilities: softmax of the weighted messages kernel @ probabilities minus the unary energies."""
    raise NotImplementedError("Write mean_field_step() here, then run this cell again.")
'''


def mean_field_step(
    probabilities: np.ndarray, unary: np.ndarray, kernels: Sequence[np.ndarray], weights: Sequence[float]
) -> np.ndarray:
    """New N x K probabilities: softmax of the weighted messages kernel @ probabilities minus the unary energies."""
    total = -unary
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total + weight * (kernel @ probabilities)
    powers = np.exp(total - total.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _with_torch(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    import torch

    probabilities, total = torch.as_tensor(probabilities), -torch.as_tensor(unary)
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total + weight * torch.as_tensor(kernel) @ probabilities
    return total.softmax(dim=1)


def _with_the_potts_matrix(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Unequal labels are punished, instead of equal ones rewarded: the difference is the same for all labels."""
    labels = unary.shape[1]
    unequal = 1 - np.eye(labels)
    penalty = unary.astype(float)
    for kernel, weight in zip(kernels, weights, strict=True):
        penalty = penalty + weight * kernel @ probabilities @ unequal
    powers = np.exp(penalty.min(axis=1, keepdims=True) - penalty)
    return powers / powers.sum(axis=1, keepdims=True)


def _pixel_by_pixel(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    import math

    result = []
    for i in range(len(unary)):
        scores = []
        for k in range(unary.shape[1]):
            votes = 0.0
            for kernel, weight in zip(kernels, weights, strict=True):
                for j in range(len(unary)):
                    votes += weight * kernel[i, j] * probabilities[j, k]
            scores.append(math.exp(votes - unary[i, k]))
        result.append([score / sum(scores) for score in scores])
    return result


def _softmax(total, axis=1):  # type: ignore[no-untyped-def]
    powers = np.exp(total - total.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _message(probabilities, kernels, weights):  # type: ignore[no-untyped-def]
    return sum(
        (weight * kernel @ probabilities for kernel, weight in zip(kernels, weights, strict=True)),
        start=np.zeros(probabilities.shape),
    )


def _from_before(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """The old probabilities stand where the unary energies should."""
    return _softmax(np.log(np.maximum(probabilities, 1e-30)) + _message(probabilities, kernels, weights))


def _one_after_the_other(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Each pixel already sees the new probabilities of those before it."""
    current = np.array(probabilities, dtype=float)
    for i in range(len(unary)):
        current[i] = _softmax(-unary + _message(current, kernels, weights))[i]
    return current


def _chained(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    message = probabilities
    for kernel, weight in zip(kernels, weights, strict=True):
        message = weight * kernel @ message
    return _softmax(-unary + (message if len(kernels) else 0))


def _labels_first(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Messages from the most probable labels instead of the probabilities."""
    hard = np.eye(unary.shape[1])[probabilities.argmax(axis=1)]
    return _softmax(-unary + _message(hard, kernels, weights))


def _without_own_vote(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    others = [kernel * (1 - np.eye(len(kernel))) for kernel in kernels]
    return mean_field_step(probabilities, unary, others, weights)


def _messages_of_the_unary(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    return _softmax(-unary + _message(-unary, kernels, weights))


def _random(seed: int, pixels: int, classes: int, weights: tuple[float, ...]) -> tuple[object, ...]:
    generator = np.random.default_rng(seed)
    unary = np.round(generator.exponential(2, size=(pixels, classes)), 2)
    probabilities = _softmax(np.round(generator.normal(size=(pixels, classes)), 2))
    image = generator.integers(0, 60, size=(1, pixels, 3)).astype(np.uint8)
    kernels = [pair_kernel(image, 2.0, None), pair_kernel(image, 4.0, 30.0)][: len(weights)]
    return probabilities, unary, kernels, list(weights)


def _three_kernels() -> list[np.ndarray]:
    """Kernels of four pixels that are not symmetric."""
    return list(np.random.default_rng(9).uniform(0, 0.6, (3, 4, 4)).round(2))


_LOG2, _LOG3, _LOG4 = (float(np.log(number)) for number in (2, 3, 4))
_UNARY = np.array([[0.0, _LOG3], [_LOG2, 0.0]])
_SHARES = np.array([[0.75, 0.25], [1 / 3, 2 / 3]])  # softmax of minus the unary energies
_SURE = np.array([[1.0, 0.0], [1.0, 0.0]])
_EVEN = np.full((2, 2), 0.5)
_ALL = np.ones((2, 2))


def _rows_to_one(values):  # type: ignore[no-untyped-def]
    return values / values.sum(axis=1, keepdims=True)


def _with_epsilon(total, epsilon):  # type: ignore[no-untyped-def]
    powers = np.exp(total)
    return powers / (powers.sum(axis=1, keepdims=True) + epsilon)


def _elementwise(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Kernel times Q without a matrix product, which only works with as many classes as pixels."""
    total = -unary
    for kernel, weight in zip(kernels, weights, strict=True):
        total = total + weight * kernel * probabilities
    return _softmax(total)


def _kernel_after_kernel(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """A full step for each kernel."""
    for kernel, weight in zip(kernels, weights, strict=True):
        probabilities = mean_field_step(probabilities, unary, [kernel], [weight])
    return probabilities


def _product(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    messages = [weight * (kernel @ probabilities) for kernel, weight in zip(kernels, weights, strict=True)]
    return _softmax(-unary + (np.prod(messages, axis=0) if messages else 0))


EXERCISE = Exercise(
    id="6.12",
    title="One mean-field step",
    name="mean_field_step",
    statement="""
Mean-field inference replaces the CRF by independent pixels with the probabilities $Q$ (N x K) and improves all of
them at once, again and again. In one step every pixel $i$ hears from all pixels $j$ how probable they find class $k$,
weighted by the kernels $\\tilde K_m$ of 6.11. With the Potts model, equal classes are rewarded and all unequal ones are
alike, so

$$Q_{ik} \\leftarrow \\frac{1}{Z_i} \\exp\\Big(-U_{ik} + \\sum_m w_m \\sum_j \\tilde k^{(m)}_{ij}\\, Q_{jk}\\Big),$$

and $Z_i$ makes the K numbers of pixel $i$ add up to 1: that is a softmax over the classes. The sum over $j$ is one
matrix product, and the pixel itself is in it.

Write `mean_field_step(probabilities, unary, kernels, weights)`: `probabilities` is the present $Q$ and `unary` is $U$,
both N x K; `kernels` is a list of N x N matrices (any number of them; without a kernel there is no message, and $Q$ is
the softmax of $-U$), `weights` has one number for each. Return the new $Q$. All pixels change at once: each message
comes from the old $Q$.
""",
    stub=STUB,
    reference=mean_field_step,
    cases=(
        Case("no kernel: the network's own probabilities", (_EVEN, _UNARY, [], []), _SHARES, "no kernel"),
        Case("even messages change nothing", (_EVEN, _UNARY, [_ALL], [5.0]), _SHARES, "even"),
        # exp(2 * log 2) = 4 times as much for the first class: 3 * 4 : 1 and 1 * 4 : 2
        Case(
            "two sure neighbors, weight log 2",
            (_SURE, _UNARY, [_ALL], [_LOG2]),
            np.array([[12 / 13, 1 / 13], [2 / 3, 1 / 3]]),
            "sure",
        ),
        # pixel 0 hears pixel 1, which hears nobody
        Case(
            "a kernel that is not symmetric",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), 0 * _UNARY, [np.array([[0.0, 1], [0, 0]])], [_LOG4]),
            np.array([[0.2, 0.8], [0.5, 0.5]]),
            "hears",
        ),
        Case(
            "a kernel that only knows the neighbor",
            (np.array([[1.0, 0.0], [0.0, 1.0]]), 0 * _UNARY, [1 - np.eye(2)], [_LOG4]),
            np.array([[0.2, 0.8], [0.8, 0.2]]),
            "hears",
        ),
        # weights log 2 and log 3 on kernels that only know the pixel itself
        Case(
            "two kernels add up",
            (_SURE, 0 * _UNARY, [np.eye(2), np.eye(2)], [_LOG2, _LOG3]),
            np.array([[6 / 7, 1 / 7], [6 / 7, 1 / 7]]),
            "two kernels",
        ),
        Case(
            "three kernels, weights 0.5, 2.5 and 0.25",
            (_random(3, 4, 3, (1.0,))[0], _random(3, 4, 3, (1.0,))[1], _three_kernels(), [0.5, 2.5, 0.25]),
            hint="three",
        ),
        Case("five pixels, three classes, Gaussian", _random(0, 5, 3, (3.0,))),
        Case("six pixels, four classes, both kernels", _random(1, 6, 4, (3.0, 4.0))),
        Case("as many classes as pixels", _random(2, 4, 4, (1.0, 10.0))),
    ),
    hints={
        "general": Hint(
            "Begin with minus the unary energies, add weight * (kernel @ probabilities) for each kernel, and end with "
            "a softmax over the classes.",
            "total = -unary; total = total + weight * (kernel @ probabilities); powers = np.exp(total); powers / "
            "powers.sum(axis=1, keepdims=True).",
        ),
        "unary": Hint(
            "Every step begins with minus the unary energies; the old probabilities only send messages.",
            "total = -unary at the start of each step.",
        ),
        "sign": Hint(
            "Energies are subtracted, and messages of the same class are added: they reward.",
            "-unary + weight * (kernel @ probabilities).",
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
            "total = total + weight * (kernel @ probabilities), in a loop over zip(kernels, weights).",
        ),
        "no kernel": Hint(
            "Without kernels nothing is heard: the result is the softmax of -U over the classes, here 3/4 : 1/4 and "
            "1/3 : 2/3.",
            "Begin with total = -unary, and loop over no kernel.",
        ),
        "even": Hint(
            "All pixels find both classes equally probable: both get the same message, and the softmax of -U stays.",
            "-unary + weight * (kernel @ probabilities), then the softmax over the classes.",
        ),
        "sure": Hint(
            "Both pixels are sure of the first class, so each hears 2 log 2 for it (itself included): four times as "
            "probable as before, then normalized.",
            "-unary + weight * (kernel @ probabilities).",
        ),
        "hears": Hint(
            "Pixel i hears pixel j with the strength k[i, j], and k[i, i] may be 0. Row i belongs to pixel i.",
            "kernel @ probabilities, with the kernel as it is.",
        ),
        "two kernels": Hint(
            "Two kernels with the weights log 2 and log 3: the messages add up to log 6.",
            "total = total + weight * (kernel @ probabilities), in a loop over zip(kernels, weights).",
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
    mistakes=(
        Mistake("begins with the old probabilities", _from_before, "unary"),
        Mistake("no unary", lambda q, u, k, w: _softmax(_message(q, k, w)), "unary"),
        Mistake("unary added", lambda q, u, k, w: _softmax(u + _message(q, k, w)), "sign"),
        Mistake("messages subtracted", lambda q, u, k, w: _softmax(-u - _message(q, k, w)), "sign"),
        Mistake("both signs", lambda q, u, k, w: _softmax(u - _message(q, k, w)), "sign"),
        Mistake("messages of the unary", _messages_of_the_unary, "message"),
        Mistake("messages of labels", _labels_first, "message"),
        Mistake("own vote left out", _without_own_vote, "message"),
        Mistake("no message", lambda q, u, k, w: _softmax(-u), "message"),
        Mistake("one pixel after the other", _one_after_the_other, "at once"),
        Mistake("softmax over the pixels", lambda q, u, k, w: _softmax(-u + _message(q, k, w), axis=0), "softmax"),
        Mistake("no softmax", lambda q, u, k, w: -u + _message(q, k, w), "softmax"),
        Mistake("not normalized", lambda q, u, k, w: np.exp(-u + _message(q, k, w)), "softmax"),
        Mistake("weights ignored", lambda q, u, k, w: mean_field_step(q, u, k, [1.0] * len(k)), "kernels"),
        Mistake("kernels one behind the other", _chained, "kernels"),
        Mistake("first kernel only", lambda q, u, k, w: mean_field_step(q, u, k[:1], w[:1]), "kernels"),
        Mistake(
            "kernels averaged", lambda q, u, k, w: mean_field_step(q, u, k, [one / len(w) for one in w]), "kernels"
        ),
        Mistake(
            "unary of the old probabilities",
            lambda q, u, k, w: mean_field_step(q, -np.log(np.maximum(q, 1e-30)), k, w),
            "unary",
        ),
        Mistake(
            "times the old probabilities",
            lambda q, u, k, w: _softmax(-u + np.log(np.maximum(q, 1e-300)) + _message(q, k, w)),
            "unary",
        ),
        Mistake("unary twice", lambda q, u, k, w: mean_field_step(q, 2 * u, k, w), "unary"),
        Mistake("unary weighted by kernel", lambda q, u, k, w: mean_field_step(q, max(len(k), 1) * u, k, w), "unary"),
        Mistake("log of the unary", lambda q, u, k, w: _softmax(-np.exp(-u) + _message(q, k, w)), "unary"),
        Mistake(
            "unequal classes rewarded",
            lambda q, u, k, w: _softmax(-u + _message(q.sum(1, keepdims=True) - q, k, w)),
            "sign",
        ),
        Mistake("kernel transposed", lambda q, u, k, w: mean_field_step(q, u, [one.T for one in k], w), "message"),
        Mistake(
            "kernel rows normalized",
            lambda q, u, k, w: mean_field_step(q, u, [_rows_to_one(one) for one in k], w),
            "message",
        ),
        Mistake(
            "logarithms as messages",
            lambda q, u, k, w: _softmax(-u + _message(np.log(np.maximum(q, 1e-30)), k, w)),
            "message",
        ),
        Mistake("elementwise", _elementwise, "message"),
        Mistake(
            "row sums of the kernel", lambda q, u, k, w: _softmax(-u + _message(np.ones_like(q), k, w) * q), "message"
        ),
        Mistake("softmax before", lambda q, u, k, w: mean_field_step(_softmax(q), u, k, w), "message"),
        Mistake("kernel after kernel", _kernel_after_kernel, "at once"),
        Mistake(
            "from the last pixel on",
            lambda q, u, k, w: _one_after_the_other(q[::-1], u[::-1], [one[::-1, ::-1] for one in k], w)[::-1],
            "at once",
        ),
        Mistake(
            "softmax over everything",
            lambda q, u, k, w: _softmax((-u + _message(q, k, w)).reshape(1, -1)).reshape(u.shape),
            "softmax",
        ),
        Mistake("base 2", lambda q, u, k, w: _softmax(np.log(2) * (-u + _message(q, k, w))), "softmax"),
        Mistake("positive part", lambda q, u, k, w: _rows_to_one(np.maximum(-u + _message(q, k, w), 0)), "softmax"),
        Mistake("total normalized", lambda q, u, k, w: _rows_to_one(-u + _message(q, k, w)), "softmax"),
        Mistake("epsilon in the softmax", lambda q, u, k, w: _with_epsilon(-u + _message(q, k, w), 1e-3), "softmax"),
        Mistake("sigmoid", lambda q, u, k, w: 1 / (1 + np.exp(u - _message(q, k, w))), "softmax"),
        Mistake("logarithm of the softmax", lambda q, u, k, w: np.log(mean_field_step(q, u, k, w)), "softmax"),
        Mistake("two kernels only", lambda q, u, k, w: mean_field_step(q, u, k[:2], w[:2]), "kernels"),
        Mistake("last kernel only", lambda q, u, k, w: mean_field_step(q, u, k[-1:], w[-1:]), "kernels"),
        Mistake("first weight for all", lambda q, u, k, w: mean_field_step(q, u, k, w[:1] * len(w)), "kernels"),
        Mistake("weights backwards", lambda q, u, k, w: mean_field_step(q, u, k, w[::-1]), "kernels"),
        Mistake("sum of the weights", lambda q, u, k, w: mean_field_step(q, u, k, [sum(w)] * len(w)), "kernels"),
        Mistake(
            "weights add up to 1", lambda q, u, k, w: mean_field_step(q, u, k, [one / sum(w) for one in w]), "kernels"
        ),
        Mistake("whole weights", lambda q, u, k, w: mean_field_step(q, u, k, np.trunc(w)), "kernels"),
        Mistake("messages multiplied", _product, "kernels"),
        Mistake(
            "the best class", lambda q, u, k, w: np.eye(u.shape[1])[(-u + _message(q, k, w)).argmax(axis=1)], "one step"
        ),
        Mistake("numbers of the classes", lambda q, u, k, w: (-u + _message(q, k, w)).argmax(axis=1), "one step"),
        Mistake("two steps", lambda q, u, k, w: mean_field_step(mean_field_step(q, u, k, w), u, k, w), "one step"),
        Mistake("half a step", lambda q, u, k, w: (q + mean_field_step(q, u, k, w)) / 2, "one step"),
        Mistake("the old probabilities", lambda q, u, k, w: q, "one step"),
        Mistake(
            "geometric mean with the old",
            lambda q, u, k, w: _rows_to_one(np.sqrt(q * mean_field_step(q, u, k, w))),
            "one step",
        ),
        Mistake("kernel squared", lambda q, u, k, w: mean_field_step(q, u, [one**2 for one in k], w), "message"),
        Mistake(
            "message normalized",
            lambda q, u, k, w: _softmax(
                -u + sum((n * _rows_to_one(one @ q) for one, n in zip(k, w, strict=True)), 0 * u)
            ),
            "message",
        ),
    ),
    alternatives=(_with_torch, _with_the_potts_matrix, _pixel_by_pixel),
    points=4,
    minutes=15,
    difficulty=2,
)
