"""Exercise 9.5: a label map from a set of masks."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson09.inputs import answers, blobs
from segtutor.exercises.lesson09.semantic_mistakes import MISTAKES

STUB = '''
def semantic_scores(classes, masks):
    """K x H x W scores from class logits Q x (K + 1) and mask logits Q x H x W; the last class is no object."""
    raise NotImplementedError("Write semantic_scores() here, then run this cell again.")
'''


def semantic_scores(classes: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """K x H x W scores from class logits Q x (K + 1) and mask logits Q x H x W; the last class is no object."""
    chances = np.exp(classes - classes.max(axis=1, keepdims=True))
    chances = chances / chances.sum(axis=1, keepdims=True)
    return np.einsum("qk,qhw->khw", chances[:, :-1], 1 / (1 + np.exp(-masks)))


def _with_loops(classes, masks):  # type: ignore[no-untyped-def]
    queries, columns = classes.shape
    scores = np.zeros((columns - 1, *masks.shape[1:]))
    for q in range(queries):
        weights = np.exp(classes[q]) / np.exp(classes[q]).sum()
        for k in range(columns - 1):
            scores[k] += weights[k] / (1 + np.exp(-masks[q]))
    return scores


def _with_torch(classes, masks):  # type: ignore[no-untyped-def]
    import torch

    chances = torch.from_numpy(classes).softmax(dim=-1)[:, :-1]
    return torch.tensordot(chances, torch.from_numpy(masks).sigmoid(), dims=([0], [0]))


def _as_a_product(classes, masks):  # type: ignore[no-untyped-def]
    weights = np.exp(classes)
    weights = (weights / weights.sum(1)[:, None])[:, : classes.shape[1] - 1]
    flat = 1 / (1 + np.exp(-masks.reshape(len(masks), int(np.prod(masks.shape[1:])))))
    return (weights.T @ flat).reshape(-1, *masks.shape[1:])


EXERCISE = Exercise(
    id="9.5",
    title="A label map from masks",
    name="semantic_scores",
    statement="""
Write `semantic_scores(classes, masks)`, which turns the answer of Q queries into a score for every class at every
pixel. `classes` are logits Q x (K + 1), the last column *no object*; `masks` are logits Q x H x W. The score of class c
is

$$ s_c(x, y) = \\sum_{q} p_q(c)\\, m_q(x, y), \\qquad c = 0, \\dots, K - 1. $$

p is the softmax of a query's K + 1 logits, m the sigmoid of its mask. *No object* takes its share of the probability
and then gets no score. Return K x H x W; `.argmax(0)` of it is the label map.
""",
    stub=STUB,
    reference=semantic_scores,
    cases=(
        Case(
            "one query, one pixel",
            (np.log(np.array([[0.5, 0.2, 0.3]])), np.zeros((1, 1, 1))),
            np.array([[[0.25]], [[0.1]]]),
        ),
        Case(
            "two queries of one class add up",
            (np.log(np.array([[0.6, 0.1, 0.3], [0.4, 0.4, 0.2]])), np.array([[[0.0, 0.0]], [[0.0, np.log(3)]]])),
            np.array([[[0.5, 0.6]], [[0.25, 0.35]]]),
            "sum",
        ),
        Case(
            "a query that says no object wins all the same",
            (np.log(np.array([[0.1, 0.05, 0.85]])), np.full((1, 1, 2), np.log(9))),
            np.array([[[0.09, 0.09]], [[0.045, 0.045]]]),
            "no object",
        ),
        Case("5 queries, 3 classes, 4 x 6", answers(0, 5, 3, (4, 6))),
        Case("1 query, 1 class, 2 x 3", answers(1, 1, 1, (2, 3))),
        Case("12 queries, 7 classes, 5 x 5", blobs(2, 12, 7, (5, 5))),
        Case("4 queries, 4 classes, 4 x 4", answers(3, 4, 4, (4, 4)), hint="axes"),
        Case(
            "large logits",
            (np.array([[60.0, 0.0, -60.0]]), np.array([[[40.0, -40.0]]])),
            np.array([[[1.0, 0.0]], [[0.0, 0.0]]]),
        ),
    ),
    hints={
        "general": Hint(
            "Probabilities of the classes, probabilities of the masks, and a sum over the queries.",
            "Softmax over the columns of each query, sigmoid of each mask. For each class the weighted sum of all "
            "masks: a matrix product of K x Q with Q x (H W).",
        ),
        "no object": Hint(
            "The softmax is taken over K + 1 columns, and only *then* the last one is left out.",
            "Exponentials divided by their sum over all columns; the last column goes after that.",
        ),
        "last": Hint("No object has no score: K maps are wanted, not K + 1.", "Leave out the last column."),
        "sum": Hint(
            "All queries count, with all of their classes; the scores are sums, not the largest and not means.",
            "Add class times mask over the queries.",
        ),
        "masks": Hint("m is the sigmoid of the mask's logit: between 0 and 1, not cut.", "1 / (1 + exp(-logit))."),
        "classes": Hint(
            "p is the softmax of the class logits of one query.", "Each row of probabilities adds up to 1."
        ),
        "axes": Hint("The result is K x H x W, rows before columns.", "Class, row, column."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _as_a_product),
    points=3,
    minutes=8,
    difficulty=1,
)
