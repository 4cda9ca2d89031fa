"""Answers to 9.1 to 9.4, each way of thinking in code of its own: what a learner writes, and what else they write."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from scipy import ndimage, special
from scipy.optimize import linear_sum_assignment
from torch.nn import functional as F

from tests.exercises.blind import Wrong

_RNG = np.random.default_rng(91)


# 9.1 pair_costs(classes, masks, labels, objects)
def _pairs(queries, count, points, classes=3):
    objects = (_RNG.random((count, points)) < 0.5).astype(float)
    objects[:, 0] = 1
    logits = _RNG.normal(0, 2, (queries, classes + 1)), _RNG.normal(0, 3, (queries, points))
    return (*logits, _RNG.integers(0, classes, count), objects)


PAIRS, AS_MANY = _pairs(4, 2, 7), _pairs(3, 3, 6)
SURE = (np.array([[4.0, 0, 0]]), np.array([[30.0, -30.0]]), np.array([0]), np.array([[0.0, 1.0]]))


def priced(classes, masks, labels, objects, *, chance=None, entropy=None, dice=None, weights=(2, 5, 5)):
    probability, wanted = special.expit(masks)[:, None], objects[None]
    losses = np.where(wanted > 0, -special.log_expit(masks)[:, None], -special.log_expit(-masks)[:, None])
    chances = special.softmax(classes, axis=1) if chance is None else chance(classes)
    first = losses.mean(-1) if entropy is None else entropy(losses, masks[:, None], wanted)
    if dice is None:
        second = 1 - (2 * (probability * wanted).sum(-1) + 1) / (probability.sum(-1) + wanted.sum(-1) + 1)
    else:
        second = dice(probability, masks[:, None], wanted)
    return -weights[0] * chances[:, labels] + weights[1] * first + weights[2] * second


def _priced(name, shown_by, about, **change):
    return Wrong(name, lambda *given: priced(*given, **change), shown_by, about)


def one_class_further(classes, masks, labels, objects):
    """As if column 0 were no object."""
    return priced(classes, masks, labels + 1, objects)


def squares_below(p, z, o):
    return 1 - (2 * (p * o).sum(-1) + 1) / ((p**2).sum(-1) + (o**2).sum(-1) + 1)


def per_point(p, z, o):
    return (1 - (2 * p * o + 1) / (p + o + 1)).mean(-1)


def halves_alike(losses, z, o):
    """Inside and outside each by its own mean."""
    inside = (losses * o).sum(-1) / np.maximum(o.sum(-1), 1)
    outside = (losses * (1 - o)).sum(-1) / np.maximum((1 - o).sum(-1), 1)
    return (inside + outside) / 2


def cut_logarithms(losses, z, o):
    return np.minimum(losses, -math.log(1e-6)).mean(-1)


def focal(losses, z, o):
    """MaskFormer's own."""
    right = np.exp(-losses)
    return ((1 - right) ** 2 * losses).mean(-1)


W91 = [
    _priced("no column for no object", PAIRS, "no object", chance=lambda c: special.softmax(c[:, :-1], axis=1)),
    Wrong("one class further", one_class_further, PAIRS, "which column"),
    _priced("probability turned around", PAIRS, "class", chance=lambda c: special.softmax(c, axis=1) - 1),
    _priced("cross entropy of the class", PAIRS, "class", chance=lambda c: special.log_softmax(c, axis=1)),
    _priced("each class by itself", PAIRS, "class", chance=special.expit),
    _priced("queries compete", PAIRS, "class", chance=lambda c: special.softmax(c, axis=0)),
    _priced("unsure is cheap", PAIRS, "class", weights=(-2, 5, 5)),
    _priced("classes by 5, masks by 2", PAIRS, "weights", weights=(5, 2, 2)),
    _priced("weights forgotten", PAIRS, "weights", weights=(1, 1, 1)),
    _priced("sum over the points", PAIRS, "entropy", entropy=lambda e, z, o: e.sum(-1)),
    _priced("inside and outside alike", PAIRS, "entropy", entropy=halves_alike),
    _priced("logarithms cut", SURE, "entropy", entropy=cut_logarithms),
    _priced("focal", PAIRS, "entropy", entropy=focal),
    _priced("squared distance", PAIRS, "entropy", entropy=lambda e, z, o: ((special.expit(z) - o) ** 2).mean(-1)),
    _priced("points inside alone", PAIRS, "entropy", entropy=lambda e, z, o: (e * o).sum(-1) / o.shape[-1]),
    _priced("base two", PAIRS, "entropy", entropy=lambda e, z, o: e.mean(-1) / math.log(2)),
    _priced("squares below", PAIRS, "dice", dice=squares_below),
    _priced("Dice point by point", PAIRS, "dice", dice=per_point),
    _priced("Dice of cut masks", PAIRS, "dice", dice=lambda p, z, o: squares_below((z > 0).astype(float), z, o)),
    _priced("the shared once", PAIRS, "dice",
            dice=lambda p, z, o: 1 - ((p * o).sum(-1) + 1) / (p.sum(-1) + o.sum(-1) + 1)),
    _priced("one only below", PAIRS, "dice",
            dice=lambda p, z, o: 1 - 2 * (p * o).sum(-1) / (p.sum(-1) + o.sum(-1) + 1)),
    _priced("similarity", PAIRS, "dice",
            dice=lambda p, z, o: (2 * (p * o).sum(-1) + 1) / (p.sum(-1) + o.sum(-1) + 1)),
    Wrong("objects before queries", lambda *given: priced(*given).T, AS_MANY, "axes"),
    Wrong("pair by pair only", lambda *given: np.diag(priced(*given)), AS_MANY, "axes"),
]  # fmt: skip


def with_pytorchs_losses(classes, masks, labels, objects):
    chances = torch.tensor(classes).softmax(dim=1)
    table = torch.zeros(len(classes), len(labels), dtype=torch.float64)
    for q, logits in enumerate(torch.tensor(masks)):
        for t, (label, wanted) in enumerate(
            zip(labels.tolist(), torch.tensor(objects, dtype=torch.float64), strict=True)
        ):
            p = logits.sigmoid()
            dice = 1 - (2 * torch.dot(p, wanted) + 1) / (p.sum() + wanted.sum() + 1)
            entropy = F.binary_cross_entropy_with_logits(logits, wanted)
            table[q, t] = -2 * chances[q, label] + 5 * (entropy + dice)
    return table


def with_matrix_products(classes, masks, labels, objects):
    """As Mask2Former's code: softplus of both signs, once inside and once outside."""
    p, o = special.expit(masks), objects.T
    entropy = (np.logaddexp(0, -masks) @ o + np.logaddexp(0, masks) @ (1 - o)) / masks.shape[1]
    dice = 1 - (2 * p @ o + 1) / (np.add.outer(p.sum(1), objects.sum(1)) + 1)
    return (5 * entropy + 5 * dice - 2 * special.softmax(classes, axis=-1)[:, labels]).tolist()


def through_the_logits(classes, masks, labels, objects):
    """Cross entropy as softplus(z) - z o, which needs no case for inside and outside."""
    entropy = np.logaddexp(0, masks).mean(1)[:, None] - masks @ objects.T / masks.shape[1]
    p = np.tanh(masks / 2) / 2 + 0.5
    shared = np.einsum("qp,tp->qt", p, objects)
    dice = (p.sum(1)[:, None] + objects.sum(1) - 2 * shared) / (p.sum(1)[:, None] + objects.sum(1) + 1)
    logs = classes - np.logaddexp.reduce(classes, axis=1, keepdims=True)
    return 5 * (entropy + dice) - 2 * np.exp(logs)[:, labels]


R91 = [
    ("SciPy's functions", priced),
    ("PyTorch, pair by pair", with_pytorchs_losses),
    ("matrix products", with_matrix_products),
    ("through the logits", through_the_logits),
]


# 9.2 best_assignment(costs)
WANTED_BY_BOTH = np.array([[1.0, 1.5, 9.0], [6.0, 7.5, 2.0], [8.0, 2.5, 9.5]])
CYCLE = np.array([[2.0, 1.0, 9.0], [9.5, 2.0, 1.25], [1.0, 9.0, 2.0]])
STUCK = np.array([[7.0, 7, 9, 7], [4, 1, 6, 1], [1, 1, 6, 8], [1, 3, 4, 9]])
MORE = np.array([[5.0, 4.0], [1.0, 3.5], [2.0, 1.25], [0.5, 6.0]])
NOTHING = np.zeros((3, 0))
BELOW = np.array([[-3.0, -9.0, -5.0], [-2.0, -8.0, -1.0], [-1.0, -6.0, -2.0]])


def cheapest(costs, ways=None, rank=sum, choose=min):
    if ways is None:
        ways = itertools.permutations(range(len(costs)), costs.shape[1])
    return list(choose(ways, key=lambda way: rank([costs[q, t] for t, q in enumerate(way)])))


def favorites(costs):
    return [int(np.argmin(column)) for column in costs.T]


def first_come(costs):
    """Objects choose one after the other."""
    taken = []
    for column in costs.T:
        taken.append(next(int(q) for q in np.argsort(column) if q not in taken))
    return taken


def cheapest_cells(costs):
    taken, owned = {}, set()
    for q, t in sorted(np.ndindex(*costs.shape), key=lambda cell: costs[cell]):
        if t not in taken and q not in owned:
            taken[t] = q
            owned.add(q)
    return [taken[t] for t in range(costs.shape[1])]


def better_by_exchanges(costs, start):
    """Two objects exchange their queries, or one takes a free one, as long as that helps."""
    taken = list(start(costs))
    while True:
        tries = []
        for one, other in itertools.combinations(range(len(taken)), 2):
            way = taken.copy()
            way[one], way[other] = way[other], way[one]
            tries.append(way)
        for place, q in itertools.product(range(len(taken)), range(len(costs))):
            if q not in taken:
                tries.append([*taken[:place], q, *taken[place + 1 :]])
        found = cheapest(costs, [taken, *tries])
        if found == taken:
            return taken
        taken = found


def zeros_of_the_reduced_table(costs):
    """The first two steps of the Hungarian algorithm by hand, and then greedily."""
    if not costs.size:
        return []
    reduced = costs - costs.min(axis=0)
    reduced = reduced - reduced.min(axis=1, keepdims=True) if len(costs) == costs.shape[1] else reduced
    return cheapest_cells(reduced)


def worst_pair_as_cheap_as_possible(costs):
    return cheapest(costs, rank=lambda values: max(values, default=0))


def product_of_costs(costs):
    return cheapest(costs, rank=math.prod)


def squares(costs):
    return cheapest(costs, rank=lambda values: sum(v * v for v in values))


def first_queries(costs):
    return cheapest(costs, itertools.permutations(range(costs.shape[1])))


def rising_queries(costs):
    """Combinations in the place of permutations."""
    return cheapest(costs, itertools.combinations(range(len(costs)), costs.shape[1]))


def may_repeat(costs):
    return cheapest(costs, itertools.product(range(len(costs)), repeat=costs.shape[1]))


def scipys_rows(costs):
    return linear_sum_assignment(costs)[0]


def scipys_columns(costs):
    return linear_sum_assignment(costs)[1]


def an_object_for_each_query(costs):
    found = [-1] * len(costs)
    for t, q in enumerate(cheapest(costs)):
        found[q] = t
    return found


def the_pairs(costs):
    return np.stack(linear_sum_assignment(costs), axis=1)


def the_smallest_sum(costs):
    return sum(costs[q, t] for t, q in enumerate(cheapest(costs)))


def from_one(costs):
    return [q + 1 for q in cheapest(costs)]


def nothing_is_an_error(costs):
    return linear_sum_assignment(costs.T)[1] if costs.argmin() >= 0 else []


W92 = [
    Wrong("favorites", favorites, (WANTED_BY_BOTH[:, :2],), "once"),
    Wrong("queries may repeat", may_repeat, (WANTED_BY_BOTH[:, :2],), "once"),
    Wrong("first come, first served", first_come, (WANTED_BY_BOTH[:, 1::-1],), "sum"),
    Wrong("cheapest cells", cheapest_cells, (np.array([[1.0, 2.0], [1.5, 9.0]]),), "sum"),
    Wrong("exchanges from the first queries", lambda c: better_by_exchanges(c, lambda c: range(c.shape[1])), (CYCLE,),
          "sum"),
    Wrong("exchanges from first come", lambda c: better_by_exchanges(c, first_come), (STUCK,), "sum"),
    Wrong("exchanges from the cheapest cells", lambda c: better_by_exchanges(c, cheapest_cells), (STUCK,), "sum"),
    Wrong("worst pair", worst_pair_as_cheap_as_possible, (np.array([[1.0, 5.0], [5.5, 8.0]]),), "sum"),
    Wrong("product", product_of_costs, (BELOW,), "sum"),
    Wrong("squares", squares, (BELOW,), "sum"),
    Wrong("first queries", first_queries, (MORE,), "queries left over"),
    Wrong("rising queries", rising_queries, (WANTED_BY_BOTH,), "rising"),
    Wrong("largest", lambda c: cheapest(c, choose=max), (MORE,), "largest"),
    Wrong("SciPy's rows", scipys_rows, (WANTED_BY_BOTH,), "direction"),
    Wrong("SciPy's columns", scipys_columns, (CYCLE,), "direction"),
    Wrong("an object for each query", an_object_for_each_query, (MORE,), "direction"),
    Wrong("pairs", the_pairs, (MORE,), "shape"),
    Wrong("the sum", the_smallest_sum, (MORE,), "shape"),
    Wrong("numbered from one", from_one, (MORE,), "numbers"),
    Wrong("no object: an error", nothing_is_an_error, (NOTHING,), "no object"),
]  # fmt: skip


def with_a_table_of_sets(costs):
    """Object by object, the cheapest way for every set of queries that are taken."""
    queries, objects = costs.shape
    ways = {0: (0.0, [])}
    for t in range(objects):
        following = {}
        for taken, (price, way) in ways.items():
            for q in range(queries):
                if not taken >> q & 1:
                    new = price + costs[q, t], [*way, q]
                    following[taken | 1 << q] = min(following.get(taken | 1 << q, (math.inf, [])), new)
        ways = following
    return min(ways.values())[1]


def with_a_bound(costs):
    best = (math.inf, [])

    def go(way, price):
        nonlocal best
        rest = costs[:, len(way) :].min(axis=0).sum() if len(way) < costs.shape[1] else 0.0
        if price + rest >= best[0]:
            return
        if len(way) == costs.shape[1]:
            best = price, way
            return
        for q in np.argsort(costs[:, len(way)]):
            if q not in way:
                go([*way, int(q)], price + costs[q, len(way)])

    go([], 0.0)
    return np.array(best[1])


def with_all_at_once(costs):
    ways = np.array(list(itertools.permutations(range(len(costs)), costs.shape[1])), dtype=int)
    return ways[costs[ways, np.arange(costs.shape[1])].sum(axis=1).argmin()]


def with_scipy_turned(costs):
    return torch.as_tensor(linear_sum_assignment(np.asarray(costs).T)[1])


R92 = [
    ("permutations", cheapest),
    ("sets of queries", with_a_table_of_sets),
    ("branch and bound", with_a_bound),
    ("all at once", with_all_at_once),
    ("SciPy, turned", with_scipy_turned),
]


# 9.3 at_points(mask, points)
MASK = _RNG.normal(size=(3, 5))
INSIDE = (MASK, np.array([[0.4, 0.5], [0.63, 0.3], [0.2, 0.7], [0.71, 0.44]]))
BORDER = (MASK, np.array([[0.02, 0.5], [0.99, 0.4], [0.5, 0.05], [0.3, 0.97]]))


def hats(mask, points, *, x=None, y=None, kernel=None):
    """A sum over all pixels; each counts by its nearness along both sides."""
    kernel = kernel or (lambda distance: np.maximum(1 - distance, 0))
    height, width = mask.shape
    columns = points[:, 0] * width - 0.5 if x is None else x(points, width)
    rows = points[:, 1] * height - 0.5 if y is None else y(points, height)
    near = [kernel(abs(at[:, None] - np.arange(size))) for at, size in ((rows, height), (columns, width))]
    return np.einsum("ph,hw,pw->p", near[0], mask, near[1])


def _sampled(mask, points, **options):
    grid = torch.as_tensor(points, dtype=torch.float64)[None, None] * 2 - 1
    values = torch.as_tensor(np.asarray(mask, dtype=float))[None, None]
    return F.grid_sample(values, grid, **{"align_corners": False, **options})[0, 0, 0]


def _mapped(mask, points, **options):
    places = points[:, 1] * mask.shape[0] - 0.5, points[:, 0] * mask.shape[1] - 0.5
    return ndimage.map_coordinates(np.asarray(mask, float), places, **{"order": 1, "mode": "grid-constant", **options})


def cut_instead_of_rounded_down(mask, points):
    """int(-0.25) is 0: at the border the weights are wrong."""
    height, width = mask.shape
    found = []
    for x, y in points:
        column, row = x * width - 0.5, y * height - 0.5
        left, top = int(column), int(row)
        total = 0.0
        for r, c in itertools.product((top, top + 1), (left, left + 1)):
            if r < height and c < width:
                total += (1 - abs(row - r)) * (1 - abs(column - c)) * mask[r, c]
        found.append(total)
    return np.array(found)


def negative_numbers_count_from_the_end(mask, points):
    height, width = mask.shape
    found = []
    for x, y in points:
        column, row = x * width - 0.5, y * height - 0.5
        left, top = math.floor(column), math.floor(row)
        total = 0.0
        for r, c in itertools.product((top, top + 1), (left, left + 1)):
            total += (1 - abs(row - r)) * (1 - abs(column - c)) * mask[r % height, c % width]
        found.append(total)
    return np.array(found)


def nothing_outside_at_all(mask, points):
    """0 as soon as one of the four neighbors is missing."""
    found = _mapped(mask, points).copy()
    column, row = points[:, 0] * mask.shape[1] - 0.5, points[:, 1] * mask.shape[0] - 0.5
    out = (column < 0) | (row < 0) | (column > mask.shape[1] - 1) | (row > mask.shape[0] - 1)
    found[out] = 0
    return found


def distance_weighted(mask, points):
    """One minus the distance as the crow flies."""
    height, width = mask.shape
    rows, columns = points[:, 1] * height - 0.5, points[:, 0] * width - 0.5
    distance = np.hypot(rows[:, None, None] - np.arange(height)[:, None], columns[:, None, None] - np.arange(width))
    return (np.maximum(1 - distance, 0) * mask).sum((1, 2))


W93 = [
    Wrong("rows from x", lambda m, p: hats(m, p[:, ::-1]), INSIDE, "order"),
    Wrong("x times the height", lambda m, p: hats(m, p, x=lambda q, w: q[:, 0] * len(m) - 0.5,
          y=lambda q, h: q[:, 1] * m.shape[1] - 0.5), INSIDE, "order"),
    Wrong("y from below", lambda m, p: hats(m[::-1], p), INSIDE, "order"),
    Wrong("the half forgotten", lambda m, p: hats(m, p, x=lambda q, w: q[:, 0] * w, y=lambda q, h: q[:, 1] * h),
          INSIDE, "half"),
    Wrong("the half forgotten in the rows", lambda m, p: hats(m, p, y=lambda q, h: q[:, 1] * h), INSIDE, "half"),
    Wrong("corners aligned", lambda m, p: _sampled(m, p, align_corners=True), INSIDE, "corners"),
    Wrong("width less one, and the half", lambda m, p: hats(m, p, x=lambda q, w: q[:, 0] * (w - 1) - 0.5,
          y=lambda q, h: q[:, 1] * (h - 1) - 0.5), INSIDE, "less one"),
    Wrong("the border goes on", lambda m, p: _sampled(m, p, padding_mode="border"), BORDER, "outside"),
    Wrong("mirrored at the border", lambda m, p: _mapped(m, p, mode="reflect"), BORDER, "outside"),
    Wrong("from the other end", negative_numbers_count_from_the_end, BORDER, "outside"),
    Wrong("cut instead of rounded down", cut_instead_of_rounded_down, BORDER, "outside"),
    Wrong("0 as soon as a neighbor is missing", nothing_outside_at_all, BORDER, "outside"),
    Wrong("nearest", lambda m, p: _sampled(m, p, mode="nearest"), INSIDE, "nearest"),
    Wrong("cubic", lambda m, p: _mapped(m, p, order=3), INSIDE, "nearest"),
    Wrong("the upper left one", lambda m, p: hats(m, p, kernel=lambda d: (d < 1) * 0.5), INSIDE, "nearest"),
    Wrong("as the crow flies", distance_weighted, INSIDE, "nearest"),
    Wrong("farther counts more", lambda m, p: hats(m, p, kernel=lambda d: np.where(d < 1, d, 0)), INSIDE, "weights"),
]  # fmt: skip


def with_unequal_steps(mask, points):
    """Interpolation along the rows first, then down the column that comes out, in a mask with a frame of zeros."""
    framed = np.pad(np.asarray(mask, dtype=float), 1)
    found = []
    for x, y in np.asarray(points):
        column = [np.interp(x * mask.shape[1] + 0.5, np.arange(framed.shape[1]), row) for row in framed]
        found.append(float(np.interp(y * mask.shape[0] + 0.5, np.arange(len(framed)), column)))
    return found


R93 = [
    ("hats", hats),
    ("grid_sample", _sampled),
    ("map_coordinates", _mapped),
    ("np.interp", with_unequal_steps),
]


# 9.4 point_loss(logits, wanted, known, count)
def _points(masks, points, count):
    known = (_RNG.random((masks, points)) < 0.7).astype(float)
    known[:, 0] = 1
    return _RNG.normal(0, 2, (masks, points)), (_RNG.random((masks, points)) < 0.5).astype(float), known, count


LOSSES = _points(3, 8, 5)
IN_THE_DARK = (LOSSES[0], LOSSES[1], LOSSES[2] * [[1], [0], [1]], 5)
NO_OBJECT = (*(np.zeros((0, 4)),) * 3, 0)


def lost(logits, wanted, known, count, *, entropy=None, dice=None, divisor=None):
    p = special.expit(logits)
    losses = np.logaddexp(0, -logits) * wanted + np.logaddexp(0, logits) * (1 - wanted)
    if entropy is None:
        first = (losses * known).sum(1) / np.maximum(known.sum(1), 1)
    else:
        first = entropy(losses, known, logits, wanted)
    if dice is None:
        second = 1 - (2 * (p * wanted * known).sum(1) + 1) / ((p * known).sum(1) + (wanted * known).sum(1) + 1)
    else:
        second = dice(p, wanted, known)
    by = max(count, 1) if divisor is None else divisor(logits, count)
    return float(np.sum(first) / by), float(np.sum(second) / by)


def _lost(name, shown_by, about, **change):
    return Wrong(name, lambda *given: lost(*given, **change), shown_by, about)


def similar(p, o, plus=1.0):
    return (2 * (p * o).sum(1) + plus) / (p.sum(1) + o.sum(1) + plus)


def unknown_as_background(logits, wanted, known, count):
    return lost(logits, wanted * known, np.ones_like(known), count)


def unknown_left_out_of_the_loss_alone(logits, wanted, known, count):
    first, _ = lost(logits, wanted, known, count)
    return first, lost(logits, wanted, np.ones_like(known), count)[1]


def logits_of_void_at_zero(logits, wanted, known, count):
    """A logit of 0 has a probability of one half."""
    return lost(logits * known, wanted * known, np.ones_like(known), count)


def without_dark_masks(logits, wanted, known, count):
    """Masks without a known point are left out; the mean is then of what is left."""
    with np.errstate(all="ignore"):
        losses = np.logaddexp(0, logits) - logits * wanted
        first = (losses * known).sum(1) / known.sum(1)
    return float(first.sum() / max(count, 1)), lost(logits, wanted, known, count)[1]


def batch_without_objects_is_an_error(logits, wanted, known, count):
    return tuple(one * max(count, 1) / count for one in lost(logits, wanted, known, count))


W94 = [
    Wrong("void is background", unknown_as_background, LOSSES, "void"),
    Wrong("void left out of the first loss alone", unknown_left_out_of_the_loss_alone, LOSSES, "void"),
    Wrong("logits of void at 0", logits_of_void_at_zero, LOSSES, "void"),
    _lost("mean over all points", LOSSES, "void", entropy=lambda e, k, z, o: (e * k).mean(1)),
    _lost("masks of void count in Dice", LOSSES, "void", dice=lambda p, o, k: 1 - similar(p, o * k)),
    Wrong("nothing known: 0 / 0", without_dark_masks, IN_THE_DARK, "all void"),
    _lost("mean of the masks", LOSSES, "count", divisor=lambda z, n: max(len(z), 1)),
    _lost("sum of the masks", LOSSES, "count", divisor=lambda z, n: 1),
    _lost("objects and masks", LOSSES, "count", divisor=lambda z, n: max(n, 1) * max(len(z), 1)),
    _lost("one more than the objects", LOSSES, "count", divisor=lambda z, n: n + 1),
    Wrong("no objects: an error", batch_without_objects_is_an_error, NO_OBJECT, "count"),
    _lost("all points of all masks alike", LOSSES, "entropy",
          entropy=lambda e, k, z, o: (e * k).sum() / max(k.sum(), 1) * len(e)),
    _lost("sum over the points", LOSSES, "entropy", entropy=lambda e, k, z, o: (e * k).sum(1)),
    _lost("inside alone", LOSSES, "entropy",
          entropy=lambda e, k, z, o: (e * k * o).sum(1) / np.maximum(k.sum(1), 1)),
    _lost("sigmoid twice", LOSSES, "entropy", entropy=lambda e, k, z, o: (
        (np.logaddexp(0, special.expit(z)) - special.expit(z) * o) * k).sum(1) / np.maximum(k.sum(1), 1)),
    _lost("Dice of the whole batch", LOSSES, "dice",
          dice=lambda p, o, k: 1 - similar((p * k).reshape(1, -1), (o * k).reshape(1, -1))),
    _lost("no ones", LOSSES, "dice", dice=lambda p, o, k: 1 - similar(p * k, o * k, 0.0)),
    _lost("a small number for the one", LOSSES, "dice", dice=lambda p, o, k: 1 - similar(p * k, o * k, 1e-3)),
    _lost("Dice, not its loss", LOSSES, "dice", dice=lambda p, o, k: similar(p * k, o * k)),
    _lost("IoU", LOSSES, "dice",
          dice=lambda p, o, k: 1 - ((p * o * k).sum(1) + 1) / (((p + o - p * o) * k).sum(1) + 1)),
    _lost("squares below", LOSSES, "dice",
          dice=lambda p, o, k: 1 - (2 * (p * o * k).sum(1) + 1) / ((p * p * k).sum(1) + (o * k).sum(1) + 1)),
    Wrong("Dice first", lambda *given: lost(*given)[::-1], LOSSES, "two"),
    Wrong("mean of both", lambda *given: sum(lost(*given)) / 2, LOSSES, "two"),
    Wrong("a loss for every mask", lambda z, o, k, n: np.array(
        [lost(z[i : i + 1], o[i : i + 1], k[i : i + 1], n) for i in range(len(z))]), LOSSES, "two"),
]  # fmt: skip


def with_selected_points(logits, wanted, known, count):
    first, second = [], []
    for row, truth, seen in zip(
        torch.tensor(logits), torch.tensor(wanted).double(), torch.tensor(known).bool(), strict=True
    ):
        z, o = row[seen], truth[seen]
        first.append(F.binary_cross_entropy_with_logits(z, o) if len(z) else torch.zeros((), dtype=torch.float64))
        p = z.sigmoid()
        second.append(1 - (2 * (p @ o) + 1) / (p.sum() + o.sum() + 1))
    zero = torch.zeros(1, dtype=torch.float64)
    return tuple(torch.stack([*one]).sum() / max(count, 1) if one else zero for one in (first, second))


def with_nan_means(logits, wanted, known, count):
    """Void as NaN; NumPy's sums then leave it out."""
    z, o = np.where(known > 0, logits, np.nan), np.where(known > 0, wanted, np.nan)
    counts = (known > 0).sum(1)
    entropy = np.nansum(np.logaddexp(0, z) - z * o, axis=1) / np.where(counts, counts, 1)
    p = special.expit(z)
    dice = 1 - (2 * np.nansum(p * o, axis=1) + 1) / (np.nansum(p, axis=1) + np.nansum(o, axis=1) + 1)
    return [entropy.sum() / (count or 1), dice.sum() / (count or 1)]


def with_einsum(logits, wanted, known, count):
    signs = 2 * wanted - 1
    entropy = np.einsum("rp,rp->r", np.log1p(np.exp(-signs * logits)), known)
    p = 1 / (1 + np.exp(-logits))
    shared, both = np.einsum("rp,rp,rp->r", p, wanted, known), np.einsum("rp,rp->r", p + wanted, known)
    scale = 1 / max(count, 1)
    return scale * (entropy / known.sum(1).clip(1)).sum(), scale * ((both - 2 * shared) / (both + 1)).sum()


R94 = [
    ("mask by mask", lost),
    ("selected points", with_selected_points),
    ("void as NaN", with_nan_means),
    ("einsum", with_einsum),
]

WRONG = {"9.1": W91, "9.2": W92, "9.3": W93, "9.4": W94}
RIGHT = {"9.1": R91, "9.2": R92, "9.3": R93, "9.4": R94}
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "9.1": {"which column": ("class", "no object")},
    "9.2": {"rising": ("sum", "direction"), "numbers": ("shape",)},
    "9.3": {"less one": ("corners", "half")},
}
