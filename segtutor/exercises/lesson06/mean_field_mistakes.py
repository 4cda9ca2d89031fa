"""Typical wrong answers to exercise 6.12, a mean-field step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segtutor.exercises.exercise import Mistake


def softmax(total, axis=1):  # type: ignore[no-untyped-def]
    """Softmax of N x K numbers along an axis."""
    powers = np.exp(total - total.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _message(probabilities, kernels, weights):  # type: ignore[no-untyped-def]
    return sum(
        (weight * kernel @ probabilities for kernel, weight in zip(kernels, weights, strict=True)),
        start=np.zeros(probabilities.shape),
    )


def _step(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """A right step; the mistakes below take it with other arguments, or change its result."""
    return softmax(-unary + _message(probabilities, kernels, weights))


def _from_before(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """The old probabilities stand where the unary energies should."""
    return softmax(np.log(np.maximum(probabilities, 1e-30)) + _message(probabilities, kernels, weights))


def _one_after_the_other(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Each pixel already sees the new probabilities of those before it."""
    current = np.array(probabilities, dtype=float)
    for i in range(len(unary)):
        current[i] = softmax(-unary + _message(current, kernels, weights))[i]
    return current


def _chained(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    message = probabilities
    for kernel, weight in zip(kernels, weights, strict=True):
        message = weight * kernel @ message
    return softmax(-unary + (message if len(kernels) else 0))


def _labels_first(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """Messages from the most probable labels instead of the probabilities."""
    hard = np.eye(unary.shape[1])[probabilities.argmax(axis=1)]
    return softmax(-unary + _message(hard, kernels, weights))


def _without_own_vote(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    others = [kernel * (1 - np.eye(len(kernel))) for kernel in kernels]
    return _step(probabilities, unary, others, weights)


def _messages_of_the_unary(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    return softmax(-unary + _message(-unary, kernels, weights))


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
    return softmax(total)


def _kernel_after_kernel(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    """A full step for each kernel."""
    for kernel, weight in zip(kernels, weights, strict=True):
        probabilities = _step(probabilities, unary, [kernel], [weight])
    return probabilities


def _product(probabilities, unary, kernels, weights):  # type: ignore[no-untyped-def]
    messages = [weight * (kernel @ probabilities) for kernel, weight in zip(kernels, weights, strict=True)]
    return softmax(-unary + (np.prod(messages, axis=0) if messages else 0))


def random_costs(seed, classes):  # type: ignore[no-untyped-def]
    """K x K costs, two decimals, some of them below 0 and on the diagonal."""
    return np.round(np.random.default_rng(seed).normal(0.5, 1, (classes, classes)), 2)


def _is_potts(compatibility):  # type: ignore[no-untyped-def]
    return np.array_equal(compatibility, 1 - np.eye(len(compatibility)))


def _with_costs(wrong):  # type: ignore[no-untyped-def]
    """An answer for the Potts model; what it takes for probabilities are minus the costs where others are given."""

    def answer(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
        heard = probabilities if _is_potts(compatibility) else -probabilities @ compatibility
        return wrong(heard, unary, kernels, weights)

    return answer


def _other_costs(change):  # type: ignore[no-untyped-def]
    """A right step with another matrix."""

    def wrong(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
        return _step(-probabilities @ change(compatibility), unary, kernels, weights)

    return wrong


def _costs_of_the_likeliest(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
    """Each neighbor's most probable class alone is asked, where costs are not those of the Potts model."""
    if _is_potts(compatibility):
        return _step(probabilities, unary, kernels, weights)
    return _step(-compatibility[probabilities.argmax(axis=1)], unary, kernels, weights)


def _own_class_times_its_cost(probabilities, unary, kernels, weights, compatibility):  # type: ignore[no-untyped-def]
    """Only the costs of a class beside the other ones in all, not of each beside each."""
    if _is_potts(compatibility):
        return _step(probabilities, unary, kernels, weights)
    return _step(-probabilities * compatibility.sum(axis=0), unary, kernels, weights)


_POTTS_MODEL = (
    Mistake("begins with the old probabilities", _from_before, "unary"),
    Mistake("no unary", lambda q, u, k, w: softmax(_message(q, k, w)), "unary"),
    Mistake("unary added", lambda q, u, k, w: softmax(u + _message(q, k, w)), "sign"),
    Mistake("messages subtracted", lambda q, u, k, w: softmax(-u - _message(q, k, w)), "sign"),
    Mistake("both signs", lambda q, u, k, w: softmax(u - _message(q, k, w)), "sign"),
    Mistake("messages of the unary", _messages_of_the_unary, "message"),
    Mistake("messages of labels", _labels_first, "message"),
    Mistake("own vote left out", _without_own_vote, "message"),
    Mistake("no message", lambda q, u, k, w: softmax(-u), "message"),
    Mistake("one pixel after the other", _one_after_the_other, "at once"),
    Mistake("softmax over the pixels", lambda q, u, k, w: softmax(-u + _message(q, k, w), axis=0), "softmax"),
    Mistake("no softmax", lambda q, u, k, w: -u + _message(q, k, w), "softmax"),
    Mistake("not normalized", lambda q, u, k, w: np.exp(-u + _message(q, k, w)), "softmax"),
    Mistake("weights ignored", lambda q, u, k, w: _step(q, u, k, [1.0] * len(k)), "kernels"),
    Mistake("kernels one behind the other", _chained, "kernels"),
    Mistake("first kernel only", lambda q, u, k, w: _step(q, u, k[:1], w[:1]), "kernels"),
    Mistake("kernels averaged", lambda q, u, k, w: _step(q, u, k, [one / len(w) for one in w]), "kernels"),
    Mistake(
        "unary of the old probabilities",
        lambda q, u, k, w: _step(q, -np.log(np.maximum(q, 1e-30)), k, w),
        "unary",
    ),
    Mistake(
        "times the old probabilities",
        lambda q, u, k, w: softmax(-u + np.log(np.maximum(q, 1e-300)) + _message(q, k, w)),
        "unary",
    ),
    Mistake("unary twice", lambda q, u, k, w: _step(q, 2 * u, k, w), "unary"),
    Mistake("unary weighted by kernel", lambda q, u, k, w: _step(q, max(len(k), 1) * u, k, w), "unary"),
    Mistake("log of the unary", lambda q, u, k, w: softmax(-np.exp(-u) + _message(q, k, w)), "unary"),
    Mistake(
        "unequal classes rewarded",
        lambda q, u, k, w: softmax(-u + _message(q.sum(1, keepdims=True) - q, k, w)),
        "sign",
    ),
    Mistake("kernel transposed", lambda q, u, k, w: _step(q, u, [one.T for one in k], w), "message"),
    Mistake(
        "kernel rows normalized",
        lambda q, u, k, w: _step(q, u, [_rows_to_one(one) for one in k], w),
        "message",
    ),
    Mistake(
        "logarithms as messages",
        lambda q, u, k, w: softmax(-u + _message(np.log(np.maximum(q, 1e-30)), k, w)),
        "message",
    ),
    Mistake("elementwise", _elementwise, "message"),
    Mistake("row sums of the kernel", lambda q, u, k, w: softmax(-u + _message(np.ones_like(q), k, w) * q), "message"),
    Mistake("softmax before", lambda q, u, k, w: _step(softmax(q), u, k, w), "message"),
    Mistake("kernel after kernel", _kernel_after_kernel, "at once"),
    Mistake(
        "from the last pixel on",
        lambda q, u, k, w: _one_after_the_other(q[::-1], u[::-1], [one[::-1, ::-1] for one in k], w)[::-1],
        "at once",
    ),
    Mistake(
        "softmax over everything",
        lambda q, u, k, w: softmax((-u + _message(q, k, w)).reshape(1, -1)).reshape(u.shape),
        "softmax",
    ),
    Mistake("base 2", lambda q, u, k, w: softmax(np.log(2) * (-u + _message(q, k, w))), "softmax"),
    Mistake("positive part", lambda q, u, k, w: _rows_to_one(np.maximum(-u + _message(q, k, w), 0)), "softmax"),
    Mistake("total normalized", lambda q, u, k, w: _rows_to_one(-u + _message(q, k, w)), "softmax"),
    Mistake("epsilon in the softmax", lambda q, u, k, w: _with_epsilon(-u + _message(q, k, w), 1e-3), "softmax"),
    Mistake("sigmoid", lambda q, u, k, w: 1 / (1 + np.exp(u - _message(q, k, w))), "softmax"),
    Mistake("logarithm of the softmax", lambda q, u, k, w: np.log(_step(q, u, k, w)), "softmax"),
    Mistake("two kernels only", lambda q, u, k, w: _step(q, u, k[:2], w[:2]), "kernels"),
    Mistake("last kernel only", lambda q, u, k, w: _step(q, u, k[-1:], w[-1:]), "kernels"),
    Mistake("first weight for all", lambda q, u, k, w: _step(q, u, k, w[:1] * len(w)), "kernels"),
    Mistake("weights backwards", lambda q, u, k, w: _step(q, u, k, w[::-1]), "kernels"),
    Mistake("sum of the weights", lambda q, u, k, w: _step(q, u, k, [sum(w)] * len(w)), "kernels"),
    Mistake("weights add up to 1", lambda q, u, k, w: _step(q, u, k, [one / sum(w) for one in w]), "kernels"),
    Mistake("whole weights", lambda q, u, k, w: _step(q, u, k, np.trunc(w)), "kernels"),
    Mistake("messages multiplied", _product, "kernels"),
    Mistake(
        "the best class", lambda q, u, k, w: np.eye(u.shape[1])[(-u + _message(q, k, w)).argmax(axis=1)], "one step"
    ),
    Mistake("numbers of the classes", lambda q, u, k, w: (-u + _message(q, k, w)).argmax(axis=1), "one step"),
    Mistake("two steps", lambda q, u, k, w: _step(_step(q, u, k, w), u, k, w), "one step"),
    Mistake("half a step", lambda q, u, k, w: (q + _step(q, u, k, w)) / 2, "one step"),
    Mistake("the old probabilities", lambda q, u, k, w: q, "one step"),
    Mistake(
        "geometric mean with the old",
        lambda q, u, k, w: _rows_to_one(np.sqrt(q * _step(q, u, k, w))),
        "one step",
    ),
    Mistake("kernel squared", lambda q, u, k, w: _step(q, u, [one**2 for one in k], w), "message"),
    Mistake(
        "message normalized",
        lambda q, u, k, w: softmax(-u + sum((n * _rows_to_one(one @ q) for one, n in zip(k, w, strict=True)), 0 * u)),
        "message",
    ),
)
MISTAKES = (
    *(replace(one, answer=_with_costs(one.answer)) for one in _POTTS_MODEL),
    Mistake("always the Potts model", lambda q, u, k, w, c: _step(q, u, k, w), "compatibility"),
    Mistake("transposed", _other_costs(np.transpose), "compatibility"),
    Mistake("without the diagonal", _other_costs(lambda c: c * (1 - np.eye(len(c)))), "compatibility"),
    Mistake("never below 0", _other_costs(lambda c: np.maximum(c, 0)), "compatibility"),
    Mistake("made symmetric", _other_costs(lambda c: (c + c.T) / 2), "compatibility"),
    Mistake("divided by its sums", _other_costs(lambda c: c / np.abs(c).sum(axis=1, keepdims=True).clip(1e-9)),
            "compatibility"),
    Mistake("costs of the likeliest class", _costs_of_the_likeliest, "compatibility"),
    Mistake("one cost for each class", _own_class_times_its_cost, "compatibility"),
    Mistake("costs added", lambda q, u, k, w, c: _step(q, u, k, w) if _is_potts(c) else _step(q @ c, u, k, w),
            "compatibility"),
)  # fmt: skip
