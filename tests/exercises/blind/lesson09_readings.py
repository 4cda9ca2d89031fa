"""Answers to 9.5 and 9.6: a label map and a panoptic map from a set of masks, read rightly and wrongly."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(95)

# 9.5 semantic_scores(classes, masks)
ANSWER = (_RNG.normal(0, 2, (5, 4)) + [[0, 0, 0, 5]] * np.eye(5)[:, :1], _RNG.normal(0, 3, (5, 3, 4)))
AS_WIDE = (ANSWER[0], ANSWER[1][:, :, :3])


def scored(classes, masks, *, chance=None, share=special.expit, join=None, column=slice(None, -1)):
    chances = special.softmax(classes, axis=1) if chance is None else chance(classes)
    products = chances[:, column, None, None] * share(masks)[:, None]
    return products.sum(0) if join is None else join(products)


def _scored(name, shown_by, about, **change):
    return Wrong(name, lambda *given: scored(*given, **change), shown_by, about)


def each_pixel_to_one_query(classes, masks):
    chances = special.softmax(classes, axis=1)[:, :-1]
    return np.moveaxis(chances[masks.argmax(axis=0)], -1, 0)


def each_query_its_best_class(classes, masks):
    chances = special.softmax(classes, axis=1)
    only = np.where(chances == chances.max(axis=1, keepdims=True), chances, 0)
    return np.einsum("qk,qhw->khw", only[:, :-1], special.expit(masks))


def those_without_an_object_left_out(classes, masks):
    seen = classes.argmax(axis=1) < classes.shape[1] - 1
    return scored(classes[seen], masks[seen])


def normalized_again(chances):
    return chances / chances.sum(axis=1, keepdims=True)


def masks_compete(masks):
    return special.softmax(masks, axis=0)


W95 = [
    _scored("no object left out first", ANSWER, "no object",
            chance=lambda c: np.pad(special.softmax(c[:, :-1], axis=1), ((0, 0), (0, 1)))),
    _scored("normalized again without it", ANSWER, "no object",
            chance=lambda c: np.pad(normalized_again(special.softmax(c, axis=1)[:, :-1]), ((0, 0), (0, 1)))),
    _scored("the first column left out", ANSWER, "no object", column=slice(1, None)),
    _scored("queries without an object dropped", ANSWER, "no object", chance=lambda c: np.where(
        (c.argmax(1) < c.shape[1] - 1)[:, None], special.softmax(c, axis=1), 0)),
    _scored("no object scored, too", ANSWER, "last", column=slice(None)),
    _scored("largest of the queries", ANSWER, "sum", join=lambda p: p.max(0)),
    _scored("mean of the queries", ANSWER, "sum", join=lambda p: p.mean(0)),
    _scored("shares of the sum", ANSWER, "sum", join=lambda p: p.sum(0) / p.sum((0, 1))),
    Wrong("each pixel to one query", each_pixel_to_one_query, ANSWER, "one query"),
    Wrong("each query its best class", each_query_its_best_class, ANSWER, "sum"),
    _scored("logits of the masks", ANSWER, "masks", share=lambda m: m),
    _scored("masks above 0", ANSWER, "masks", share=lambda m: (m > 0).astype(float)),
    _scored("masks compete", ANSWER, "masks", share=masks_compete),
    _scored("sigmoid twice", ANSWER, "masks", share=lambda m: special.expit(special.expit(m))),
    _scored("each class by itself", ANSWER, "classes", chance=special.expit),
    _scored("logits of the classes", ANSWER, "classes", chance=lambda c: c),
    _scored("queries compete for a class", ANSWER, "classes", chance=lambda c: special.softmax(c, axis=0)),
    _scored("logarithms of the classes", ANSWER, "classes", chance=lambda c: special.log_softmax(c, axis=1)),
    Wrong("classes at the end", lambda c, m: np.moveaxis(scored(c, m), 0, -1), ANSWER, "axes"),
    Wrong("columns before rows", lambda c, m: scored(c, m).swapaxes(1, 2), AS_WIDE, "axes"),
    Wrong("the label map", lambda c, m: scored(c, m).argmax(0), ANSWER, "axes"),
    Wrong("a batch of one", lambda c, m: scored(c, m)[None], ANSWER, "axes"),
]  # fmt: skip


def with_a_flat_product(classes, masks):
    chances = torch.tensor(classes).softmax(-1)[..., :-1]
    return (chances.mT @ torch.tensor(masks).sigmoid().flatten(1)).unflatten(1, masks.shape[1:])


def query_by_query(classes, masks):
    total = [[[0.0] * masks.shape[2] for _ in range(masks.shape[1])] for _ in range(classes.shape[1] - 1)]
    for logits, mask in zip(classes.tolist(), masks.tolist(), strict=True):
        best = max(logits)
        powers = [math.exp(one - best) for one in logits]
        for k, power in enumerate(powers[:-1]):
            for y, row in enumerate(mask):
                for x, value in enumerate(row):
                    share = 1 / (1 + math.exp(-value)) if value > -700 else 0.0
                    total[k][y][x] += power / sum(powers) * share
    return total


def with_tensordot(classes, masks):
    logs = classes - np.logaddexp.reduce(classes, axis=1)[:, None]
    return np.tensordot(np.exp(logs).T[:-1], (1 + np.tanh(masks / 2)) / 2, axes=1)


R95 = [
    ("broadcasting", scored),
    ("a flat product", with_a_flat_product),
    ("query by query", query_by_query),
    ("tensordot", with_tensordot),
]


# 9.6 panoptic(probabilities, masks, stuff, threshold, overlap)
A, B, NONE = [0.92, 0.05, 0.03], [0.05, 0.92, 0.03], [0.05, 0.03, 0.92]


def _case(rows, masks, stuff=(), threshold=0.8, overlap=0.8):
    return np.array(rows), np.array(masks, dtype=float)[:, None], stuff, threshold, overlap


LEFT, RIGHT_HALF = [0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]
TWINS = _case([A, A], [LEFT, RIGHT_HALF])
SKY = _case([A, B, A], [[0.9, 0, 0, 0], [0, 0.9, 0, 0], [0, 0, 0.9, 0.9]], stuff=(0,))
EMPTY = _case([NONE, B], [[0.95] * 4, RIGHT_HALF])
BELOW = _case([[0.6, 0.1, 0.3], B], [LEFT, RIGHT_HALF])
EQUAL = _case([[0.8, 0.1, 0.1], B], [LEFT, RIGHT_HALF])
LIMITS = _case([[0.6, 0.3, 0.1], B], [LEFT, RIGHT_HALF], threshold=0.5)
SURER = _case([[0.82, 0.1, 0.08], B], [[0.75] * 4, [0.7] * 4])
TIE = _case([A, [0.05, 0.92, 0.03]], [[0.7] * 4, [0.7] * 4])
FAINT = _case([A], [[0.9, 0.9, 0.3, 0.1]])
HIDDEN = _case([A, B], [[0.7] * 4, RIGHT_HALF])
WON_BESIDE = _case([A, B], [[0.9, 0.9, 0.6, 0.3, 0.3], [0, 0, 0.9, 0, 0]])
SECOND = _case([NONE, B, A], [[0.1] * 4, RIGHT_HALF, LEFT])
NOBODY = _case([[0.4, 0.4, 0.2]], [[0.7] * 4])
JUST = _case([A, B], [[0.7] * 4, RIGHT_HALF], overlap=0.5)


def merged(
    probabilities, masks, stuff, threshold, overlap, *, take=None, least=np.greater, drop=None, strength=None,
    last=False, cover=0.5, keep=None, join=None, number=None,
):  # fmt: skip
    none = probabilities.shape[1] - 1
    best, label = probabilities.max(1), probabilities.argmax(1)
    sure = [q for q in range(len(masks)) if least(best[q], threshold) and (label[q] != none or take == "all")]
    numbers, classes, named = np.zeros(masks.shape[1:], int), [], {}
    if not sure:
        return numbers, classes
    values = np.array([masks[q] * best[q] if strength is None else strength(masks[q], best[q]) for q in sure])
    winner = len(sure) - 1 - values[::-1].argmax(0) if last else values.argmax(0)
    for place, q in enumerate(sure):
        won, own = winner == place, masks[q] >= cover
        if drop is None:
            dropped = not (won & own).any() or won.sum() < overlap * own.sum()
        else:
            dropped = drop(won, own, overlap, masks[q])
        if dropped or label[q] == none:
            continue
        kind = int(label[q])
        joins = kind in stuff if join is None else join(kind, stuff)
        if not joins or kind not in named:
            classes.append(kind)
            named[kind] = len(classes) if number is None else number(q, len(classes), kind)
        numbers[won & own if keep is None else keep(won, own)] = named[kind]
    return numbers, classes


def _merged(name, shown_by, about, **change):
    return Wrong(name, lambda *given: merged(*given, **change), shown_by, about)


def best_class_that_is_one(probabilities, masks, stuff, threshold, overlap):
    kept = np.pad(probabilities[:, :-1], ((0, 0), (0, 1)))
    return merged(kept, masks, stuff, threshold, overlap)


def renormalized(probabilities, masks, stuff, threshold, overlap):
    kept = probabilities[:, :-1] / probabilities[:, :-1].sum(1, keepdims=True)
    return merged(np.pad(kept, ((0, 0), (0, 1))), masks, stuff, threshold, overlap)


def stuff_forgets_its_number(probabilities, masks, stuff, threshold, overlap):
    """The last segment's number for whatever is stuff already."""
    numbers, classes = merged(probabilities, masks, stuff, threshold, overlap)
    again, _ = merged(probabilities, masks, (), threshold, overlap)
    seen, last = {}, 0
    for n in range(1, again.max() + 1):
        kind = next((classes[k - 1] for k in np.unique(numbers[again == n]) if k), None)
        if kind in stuff and kind in seen:
            numbers[again == n] = last
        elif kind is not None:
            seen[kind] = last = numbers[again == n].max()
    return numbers, classes


def a_class_for_each_query(probabilities, masks, stuff, threshold, overlap):
    numbers, classes = merged(probabilities, masks, stuff, threshold, overlap)
    _, every = merged(probabilities, masks, (), threshold, overlap)
    return numbers, every if len(every) > len(classes) else classes


def largest_of_nothing(probabilities, masks, stuff, threshold, overlap):
    sure = (probabilities.max(1) > threshold) & (probabilities.argmax(1) < probabilities.shape[1] - 1)
    (probabilities.max(1)[sure, None, None] * masks[sure]).max(axis=0)
    return merged(probabilities, masks, stuff, threshold, overlap)


W96 = [
    _merged("no object wins pixels", EMPTY, "no object", take="all"),
    Wrong("best class that is one", best_class_that_is_one, _case([[0.42, 0.08, 0.5], B], [LEFT, RIGHT_HALF],
          threshold=0.4), "no object"),
    Wrong("renormalized without it", renormalized, _case([[0.6, 0.1, 0.3], B], [LEFT, RIGHT_HALF]), "renormalized"),
    _merged("the threshold itself", EQUAL, "threshold", least=np.greater_equal),
    _merged("no threshold", BELOW, "threshold", least=lambda b, t: True),
    _merged("always 0.8", LIMITS, "threshold", least=lambda b, t: b > 0.8),
    _merged("mask alone", SURER, "product", strength=lambda m, b: m),
    _merged("surest query, wherever it covers", _case([[0.82, 0.1, 0.08], B], [[0.9] * 4, [0.6] * 4]), "product",
            strength=lambda m, b: b * (m >= 0.5)),
    _merged("last of equals", TIE, "equals", last=True),
    _merged("nobody dropped", HIDDEN, "overlap", drop=lambda won, own, share, m: not (won & own).any()),
    _merged("always 0.8 of the mask", JUST, "overlap",
            drop=lambda won, own, share, m: not (won & own).any() or won.sum() < 0.8 * own.sum()),
    _merged("dropped if equal", JUST, "overlap",
            drop=lambda won, own, share, m: not (won & own).any() or won.sum() <= share * own.sum()),
    _merged("only what is covered counts as won", WON_BESIDE, "overlap",
            drop=lambda won, own, share, m: not (won & own).any() or (won & own).sum() < share * own.sum()),
    _merged("share of the picture", HIDDEN, "overlap",
            drop=lambda won, own, share, m: not (won & own).any() or won.mean() < 1 - share),
    _merged("all that is won", FAINT, "half", keep=lambda won, own: won),
    _merged("all that is covered", _case([B, A], [RIGHT_HALF, [0.7] * 4], overlap=0.5), "half",
            keep=lambda won, own: own),
    _merged("covered from 0.8 on", _case([A], [[0.9, 0.6, 0.6, 0.1]], overlap=0.3), "half", cover=0.8),
    _merged("stuff in pieces", SKY, "stuff", join=lambda kind, stuff: False),
    Wrong("the last number for stuff", stuff_forgets_its_number, SKY, "stuff"),
    Wrong("a class for each query", a_class_for_each_query, SKY, "stuff"),
    _merged("things joined", TWINS, "things", join=lambda kind, stuff: True),
    _merged("stuff and things exchanged", TWINS, "things", join=lambda kind, stuff: kind not in stuff),
    _merged("numbers of the queries", SECOND, "numbers", number=lambda q, n, kind: q + 1),
    _merged("classes as numbers", SECOND, "numbers", number=lambda q, n, kind: kind + 1),
    _merged("counted from 0", TWINS, "numbers", number=lambda q, n, kind: n - 1),
    Wrong("largest of nothing", largest_of_nothing, NOBODY, "nobody"),
    Wrong("classes first", lambda *given: merged(*given)[::-1], TWINS, "results"),
    Wrong("the map alone", lambda *given: merged(*given)[0], TWINS, "results"),
]  # fmt: skip


def with_one_hot_winners(probabilities, masks, stuff, threshold, overlap):
    p, m = torch.tensor(probabilities), torch.tensor(masks)
    score, label = p.max(1)
    takes_part = (score > threshold) & (label != p.shape[1] - 1)
    values = torch.where(takes_part[:, None, None], score[:, None, None] * m, -1.0)
    won = torch.nn.functional.one_hot(values.argmax(0), len(m)).movedim(-1, 0).bool() & takes_part[:, None, None]
    own = m >= 0.5
    enough = won.flatten(1).sum(1) >= overlap * own.flatten(1).sum(1)
    kept = takes_part & enough & (won & own).flatten(1).any(1)
    result, names = torch.zeros(m.shape[1:], dtype=torch.int32), []
    for q in kept.nonzero().flatten().tolist():
        kind = label[q].item()
        if kind in stuff and kind in names:
            result[won[q] & own[q]] = names.index(kind) + 1
        else:
            names.append(kind)
            result[won[q] & own[q]] = len(names)
    return result, names


def pixel_by_pixel(probabilities, masks, stuff, threshold, overlap):
    queries, height, width = masks.shape
    none = probabilities.shape[1] - 1
    label = [max(range(none + 1), key=lambda k, row=row: row[k]) for row in probabilities.tolist()]
    score = [max(row) for row in probabilities.tolist()]
    owner = {}
    for y in range(height):
        for x in range(width):
            best = None
            for q in range(queries):
                if label[q] == none or score[q] <= threshold:
                    continue
                if best is None or score[q] * masks[q, y, x] > score[best] * masks[best, y, x]:
                    best = q
            owner[y, x] = best
    result, classes, first = np.zeros((height, width), dtype=np.uint16), [], {}
    for q in range(queries):
        won = [place for place, one in owner.items() if one == q]
        inside = [place for place in won if masks[q][place] >= 0.5]
        if not inside or len(won) < overlap * sum(value >= 0.5 for value in masks[q].flat):
            continue
        number = first.get(label[q]) if label[q] in stuff else None
        if number is None:
            classes.append(label[q])
            number = first[label[q]] = len(classes)
        for place in inside:
            result[place] = number
    return result.tolist(), tuple(classes)


R96 = [
    ("places of the sure", merged),
    ("one-hot winners", with_one_hot_winners),
    ("pixel by pixel", pixel_by_pixel),
]

WRONG = {"9.5": W95, "9.6": W96}
RIGHT = {"9.5": R95, "9.6": R96}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "9.5": {"one query": ("sum", "masks")},
    "9.6": {
        "renormalized": ("no object", "threshold"),
        "equals": ("product",),
        "results": ("numbers",),
    },
}
