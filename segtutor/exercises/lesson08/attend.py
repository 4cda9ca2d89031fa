"""Exercise 8.1: attention, with a list of those that a token may ask."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.later import torch
from segtutor.exercises.lesson04.inputs import random_map
from segtutor.exercises.lesson08.attend_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def attend(query, key, value, allowed):
    """N x d, M x d, M x v and N x M of True and False -> N x v: what each token takes from those it may ask."""
    raise NotImplementedError("Write attend() here, then run this cell again.")
'''


def attend(query: Any, key: Any, value: Any, allowed: Any) -> Any:
    """N x d, M x d, M x v and N x M of True and False -> N x v: what each token takes from those it may ask."""
    query, key, value, allowed = (torch.as_tensor(one) for one in (query, key, value, allowed))
    answers = query @ key.T / query.shape[1] ** 0.5
    weights = answers.masked_fill(~allowed, -torch.inf).softmax(dim=1)
    return weights.nan_to_num() @ value  # whoever may ask nobody takes nothing


def _with_pytorch(query, key, value, allowed):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    tensors = [torch.as_tensor(one) for one in (query, key, value)]
    return F.scaled_dot_product_attention(*tensors, attn_mask=torch.as_tensor(allowed)).nan_to_num()


def _with_numpy(query, key, value, allowed):  # type: ignore[no-untyped-def]
    answers = query @ key.T / np.sqrt(query.shape[1])
    powers = np.exp(answers - answers.max(axis=1, initial=-np.inf, where=allowed, keepdims=True), where=allowed,
                    out=np.zeros_like(answers))  # fmt: skip
    sums = powers.sum(axis=1, keepdims=True)
    return np.divide(powers, sums, where=sums > 0, out=np.zeros_like(powers)) @ value


def _token_by_token(query, key, value, allowed):  # type: ignore[no-untyped-def]
    result = np.zeros((len(query), value.shape[1]))
    for number, asks in enumerate(query):
        asked = np.flatnonzero(allowed[number])
        if len(asked):
            answers = key[asked] @ asks / np.sqrt(len(asks))
            powers = np.exp(answers - answers.max())
            result[number] = powers / powers.sum() @ value[asked]
    return result


def _numbers(*rows: object) -> np.ndarray:
    return np.array(rows, dtype=np.float64)


def _may(*rows: object) -> np.ndarray:
    return np.array(rows, dtype=bool)


_LN2, _LN3 = float(np.log(2)), float(np.log(3))
# d = 4, so that answers are halved
_ASKS = _numbers([2, 0, 0, 0])
_KEYS = _numbers([_LN2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 5, 0])
_VALUES = _numbers([4, 0], [0, 8], [8, 4])


def _random(seed: int, tokens: int, others: int, width: int, taken: int, share: float) -> tuple[np.ndarray, ...]:
    allowed = seeded(seed).random((tokens, others)) < share
    allowed[:, 0] = True
    return (
        random_map(seed, tokens, width), random_map(seed + 1, others, width), random_map(seed + 2, others, taken),
        allowed,
    )  # fmt: skip


EXERCISE = Exercise(
    id="8.1",
    title="Attention",
    name="attend",
    statement="""
In the lesson every token asked all others. Often it must not: in a batch of pictures of different sizes some tokens are
padding, in some networks a token asks only the window around it, and lesson 9 will let a query look at its own mask
alone. So here a table says who may ask whom. For token $n$, with $\\mathcal A_n$ the tokens that it may ask,

$$\\mathrm{result}_n = \\sum_{m \\in \\mathcal A_n} w_{nm}\\, v_m, \\qquad
w_{nm} = \\frac{\\exp(q_n \\cdot k_m / \\sqrt d)}{\\sum_{j \\in \\mathcal A_n} \\exp(q_n \\cdot k_j / \\sqrt d)}.$$

Write `attend(query, key, value, allowed)`: `query` is N x d, `key` M x d, `value` M x v, and `allowed` N x M of True
and False. The result is N x v. **A token that may ask nobody takes zeros.** Answers may be as large as 1,000, whose
exponential no floating-point number holds.
""",
    stub=STUB,
    reference=attend,
    cases=(
        Case("weights 1/2, 1/4, 1/4", (_ASKS, _KEYS, _VALUES, _may([1, 1, 1])), np.array([[4.0, 3.0]])),
        Case("the first two alone: 2/3, 1/3", (_ASKS, _KEYS, _VALUES, _may([1, 1, 0])), np.array([[8 / 3, 8 / 3]]),
             "allowed"),
        Case("one alone", (_ASKS, _KEYS, _VALUES, _may([0, 0, 1])), np.array([[8.0, 4.0]]), "allowed"),
        Case("nobody", (_ASKS, _KEYS, _VALUES, _may([0, 0, 0])), np.array([[0.0, 0.0]]), "nobody"),
        Case("d = 1: weights 3/4 and 1/4", (_numbers([1]), _numbers([_LN3], [0]), _numbers([4, 8], [0, 4]),
                                          _may([1, 1])), np.array([[3.0, 7.0]])),
        Case("answers of 1,000", (_numbers([1000]), _numbers([1], [1], [0]), _numbers([2], [4], [9]), _may([1, 1, 1])),
             np.array([[3.0]]), "large"),
        Case(
            "one token has large answers, the other small ones",
            (_numbers([1000], [1]), _numbers([1], [0]), _numbers([2], [6]), _may([1, 1], [1, 1])), hint="large",
        ),
        # exp(-1) = 0.3679: shares of 0.7311 and 0.2689, whatever both answers have in common
        Case("answers of 1,000 and 999, of -1,000 and -999",
             (_numbers([1000], [-1000]), _numbers([1], [0.999]), _numbers([2], [4]), _may([1, 1], [1, 1])),
             (np.array([[2], [4]]) + np.array([[4], [2]]) * np.exp(-1)) / (1 + np.exp(-1)), "large"),
        Case("six tokens ask nine", _random(0, 6, 9, 4, 3, 2.0)),
        Case("as many tokens as channels", _random(3, 5, 5, 5, 5, 2.0)),
        Case("some may not be asked", _random(6, 7, 8, 9, 2, 0.5), hint="allowed"),
        Case("the largest answer may not count", (_numbers([1000], [1]), _numbers([1], [0], [0]),
             _numbers([5], [1], [3]), _may([0, 1, 1], [1, 1, 1])), hint="allowed"),
        Case("one of three may ask nobody", (random_map(9, 3, 4), random_map(10, 4, 4), random_map(11, 4, 2),
             _may([1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0])), hint="nobody"),
    ),
    hints={
        "general": Hint(
            "All scalar products at once are one matrix product, N x M. The softmax goes along each of its rows, and a "
            "second matrix product takes the values.",
            "Divide by the root of d. Before the softmax, set the answers of those who may not be asked to minus "
            "infinity: their exponentials are 0. A row of nothing but minus infinity gives 0 / 0; repair it afterward.",
        ),
        "scale": Hint(
            "The scalar products are divided by the root of d, the length of a query.",
            "d is query.shape[1], not the number of tokens; take its root, before the softmax.",
        ),
        "axis": Hint(
            "The weights of *one* asking token sum to 1: a softmax for each row of the N x M answers.",
            "softmax(dim=1): along the M tokens that are asked.",
        ),
        "allowed": Hint(
            "Tokens that may not be asked do not count in the sum below the fraction either.",
            "Set their answers to minus infinity *before* the softmax. Zero is an answer like any other, and setting "
            "weights to 0 afterward leaves rows that no longer sum to 1.",
        ),
        "nobody": Hint(
            "A token that may ask nobody takes zeros, and no NaN.",
            "The softmax of a row of minus infinities is 0 / 0. Replace NaN by 0 afterward.",
        ),
        "large": Hint(
            "exp(1000) is infinity, and infinity by infinity is NaN.",
            "Subtract the largest answer of each row before the exponential; PyTorch's softmax does so by itself.",
        ),
        "roles": Hint(
            "The query asks, the keys answer, the values are taken: each has its own part.",
            "answers = query @ key.T; the weights then multiply value.",
        ),
        "softmax": Hint(
            "The weights are exponentials that were divided by their sum.",
            "No maximum, no sigmoid, and no division by M.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_pytorch, _with_numpy, _token_by_token),
    points=4,
    minutes=15,
    difficulty=2,
)  # fmt: skip
