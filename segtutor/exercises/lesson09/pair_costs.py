"""Exercise 9.1: what it would cost to give an object to a query."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson09.inputs import answers, objects
from segtutor.exercises.lesson09.pair_costs_mistakes import MISTAKES

STUB = '''
def pair_costs(classes, masks, labels, objects):
    """Q x T costs: logits `classes` Q x (K + 1) and `masks` Q x P; `labels` T, `objects` T x P of 0 and 1."""
    raise NotImplementedError("Write pair_costs() here, then run this cell again.")
'''


def pair_costs(classes: np.ndarray, masks: np.ndarray, labels: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Q x T costs: logits `classes` Q x (K + 1) and `masks` Q x P; `labels` T, `objects` T x P of 0 and 1."""
    chances = np.exp(classes - classes.max(axis=1, keepdims=True))
    chances = chances / chances.sum(axis=1, keepdims=True)
    probability = 1 / (1 + np.exp(-masks))
    inside, outside = np.logaddexp(0, -masks), np.logaddexp(0, masks)  # -log p and -log(1 - p)
    entropy = (inside @ objects.T + outside @ (1 - objects).T) / masks.shape[1]
    dice = 1 - (2 * probability @ objects.T + 1) / (probability.sum(axis=1)[:, None] + objects.sum(axis=1) + 1)
    return 5 * entropy + 5 * dice - 2 * chances[:, labels]


def _with_loops(classes, masks, labels, objects):  # type: ignore[no-untyped-def]
    import math

    table = np.zeros((len(classes), len(labels)))
    for q in range(len(classes)):
        total = sum(math.exp(value) for value in classes[q])
        p = [1 / (1 + math.exp(-value)) for value in masks[q]]
        for t, label in enumerate(labels):
            entropy = -np.mean([math.log(a) if b else math.log(1 - a) for a, b in zip(p, objects[t], strict=True)])
            both = sum(a * b for a, b in zip(p, objects[t], strict=True))
            dice = 1 - (2 * both + 1) / (sum(p) + sum(objects[t]) + 1)
            table[q, t] = 5 * entropy + 5 * dice - 2 * math.exp(classes[q, label]) / total
    return table


def _with_torch(classes, masks, labels, objects):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    logits, wanted = torch.from_numpy(masks), torch.from_numpy(objects).double()
    Q, T = len(logits), len(wanted)
    pairs = logits[:, None].expand(Q, T, -1), wanted[None].expand(Q, T, -1)
    entropy = F.binary_cross_entropy_with_logits(*pairs, reduction="none").mean(-1)
    p = pairs[0].sigmoid()
    dice = 1 - (2 * (p * pairs[1]).sum(-1) + 1) / (p.sum(-1) + pairs[1].sum(-1) + 1)
    chances = torch.from_numpy(classes).softmax(-1)
    return 5 * (entropy + dice) - 2 * chances[:, torch.as_tensor(labels, dtype=torch.long)]


def _with_broadcasting(classes, masks, labels, objects):  # type: ignore[no-untyped-def]
    p = (1 / (1 + np.exp(-masks)))[:, None]
    o = objects[None]
    right = np.where(o > 0, p, 1 - p)
    dice = (2 * (p * o).sum(-1) + 1) / (p.sum(-1) + o.sum(-1) + 1)
    chances = np.exp(classes) / np.exp(classes).sum(1, keepdims=True)
    return 5 * -np.log(right).mean(-1) + 5 - 5 * dice - 2 * np.take(chances, labels, axis=1)


def _case(name: str, seed: int, queries: int, count: int, points: int, hint: str = "general") -> Any:
    classes, masks = answers(seed, queries, 4, (points,))
    return Case(name, (classes, masks, *objects(seed, count, 4, points)), hint=hint)


_EVEN = np.zeros((1, 3))
EXERCISE = Exercise(
    id="9.1",
    title="What a pair costs",
    name="pair_costs",
    statement="""
Before queries can be matched with objects, every pair needs a cost. Write
`pair_costs(classes, masks, labels, objects)`. `classes` are the Q x (K + 1) class logits of the queries, the last
column being *no object*; `masks` are their mask logits at P points, Q x P. `labels` are the classes of the T objects,
and `objects` their masks at the same points, T x P of 0 and 1. The cost of query q and object o is

$$ C(q, o) = -2\\, p_q(c_o) + 5\\, \\mathrm{CE}(q, o) + 5\\, D(q, o), \\qquad
D = 1 - \\frac{2 \\sum_i m_i o_i + 1}{\\sum_i m_i + \\sum_i o_i + 1}. $$

Here p is the softmax of all K + 1 class logits, m the sigmoid of the mask logits, and CE the *mean* cross entropy of
the P points. Return Q x T numbers.
""",
    stub=STUB,
    reference=pair_costs,
    cases=(
        Case(
            "one query that knows nothing, one object over both points",
            (_EVEN, np.zeros((1, 2)), np.array([0]), np.ones((1, 2))),
            np.array([[5 * np.log(2) + 5 * (1 - 3 / 4) - 2 / 3]]),
        ),
        Case(
            "the mask of the object, and its opposite",
            (np.zeros((2, 2)), np.array([[9.0, -9.0], [-9.0, 9.0]]), np.array([0]), np.array([[1.0, 0.0]])),
            np.array(
                [
                    [5 * np.log1p(np.exp(-9)) + 5 * (1 - (2 / (1 + np.exp(-9)) + 1) / 3) - 1],
                    [5 * (9 + np.log1p(np.exp(-9))) + 5 * (1 - (2 / (1 + np.exp(9)) + 1) / 3) - 1],
                ]
            ),
            "entropy",
        ),
        Case(
            "a query that is sure of no object",
            (np.array([[0.0, 0.0, np.log(6)]]), np.zeros((1, 2)), np.array([1]), np.ones((1, 2))),
            np.array([[5 * np.log(2) + 5 / 4 - 2 / 8]]),
            "no object",
        ),
        Case(
            "two objects of one class",
            (
                np.array([[0.0, np.log(2), 0.0]]),
                np.zeros((1, 4)),
                np.array([1, 1]),
                np.array([[1.0, 0, 0, 0], [1, 1, 1, 0]]),
            ),
            np.array([[5 * np.log(2) + 5 * (1 - 2 / 4) - 1, 5 * np.log(2) + 5 * (1 - 4 / 6) - 1]]),
            "dice",
        ),
        _case("4 queries, 3 objects, 20 points", 0, 4, 3, 20),
        _case("6 queries, 6 objects, 50 points", 1, 6, 6, 50),
        _case("5 queries, 1 object, 1 point", 2, 5, 1, 1),
        _case("3 queries, 5 objects, 9 points", 3, 3, 5, 9, "axes"),
        _case("4 queries, no object", 4, 4, 0, 7, "axes"),
        Case(
            "far from 0",
            (np.array([[30.0, -20.0, 5.0]]), np.array([[25.0, -25.0]]), np.array([0]), np.array([[0.0, 1.0]])),
            np.array([[125 + 5 * (1 - 1 / 3) - 2]]),
            "entropy",
        ),
    ),
    hints={
        "general": Hint(
            "Three tables of Q x T, one for each term; then their weighted sum.",
            "The class term picks columns of the softmax, one for each object. The sums over points of products of a "
            "query and an object are a matrix product with the transposed objects. For the cross entropy do the points "
            "inside the objects and those outside with one product each.",
        ),
        "no object": Hint(
            "The softmax goes over all K + 1 columns. No object is one of them, and takes its share.",
            "Exponentials of a whole row, divided by their sum over the whole row; only then choose columns.",
        ),
        "class": Hint(
            "The class term is the *probability* of the object's class, with -2 in front: sure queries are cheap.",
            "Two times the softmax's column of the label is subtracted.",
        ),
        "entropy": Hint(
            "Cross entropy looks at all points: inside the object it asks for a large probability, outside for a small "
            "one, and the *mean* over the points is taken.",
            "-log m where the object is 1, -log(1 - m) where it is 0, added and divided by P.",
        ),
        "dice": Hint(
            "The Dice term: twice the shared sum, plus 1, over the sum of both, plus 1; that is subtracted from 1.",
            "Sums over points of *probabilities*, not of logits; the two ones belong to numerator and denominator.",
        ),
        "weights": Hint("The weights are 2 for the class, 5 for cross entropy and 5 for Dice.", "-2, 5 and 5."),
        "axes": Hint(
            "One row per query, one column per object: Q x T.", "Products with the transposed objects have this shape."
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _with_broadcasting),
    points=4,
    minutes=15,
    difficulty=2,
)
