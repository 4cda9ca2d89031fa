"""Typical wrong answers to exercise 9.2, the assignment."""

from __future__ import annotations

import itertools

import numpy as np

from segtutor.exercises.exercise import Mistake


def _best(costs, ways, choose=min):  # type: ignore[no-untyped-def]
    return np.array(choose(ways, key=lambda way: sum(costs[query, t] for t, query in enumerate(way))), dtype=int)


def _right(costs):  # type: ignore[no-untyped-def]
    return _best(costs, itertools.permutations(range(costs.shape[0]), costs.shape[1]))


def _each_for_itself(costs):  # type: ignore[no-untyped-def]
    return costs.argmin(axis=0)


def _object_by_object(costs):  # type: ignore[no-untyped-def]
    left, taken = costs.astype(float).copy(), []
    for number in range(costs.shape[1]):
        taken.append(int(left[:, number].argmin()))
        left[taken[-1]] = np.inf
    return np.array(taken, dtype=int)


def _cheapest_cell_first(costs):  # type: ignore[no-untyped-def]
    left, taken = costs.astype(float).copy(), np.zeros(costs.shape[1], dtype=int)
    for _ in range(costs.shape[1]):
        query, number = np.unravel_index(left.argmin(), left.shape)
        taken[number] = query
        left[query], left[:, number] = np.inf, np.inf
    return taken


def _query_by_query(costs):  # type: ignore[no-untyped-def]
    left, taken = costs.astype(float).copy(), np.zeros(costs.shape[1], dtype=int)
    for query in range(costs.shape[1]):
        number = int(left[query].argmin())
        taken[number] = query
        left[:, number] = np.inf
    return taken


def _first_queries_only(costs):  # type: ignore[no-untyped-def]
    return _best(costs, itertools.permutations(range(costs.shape[1])))


def _objects_of_queries(costs):  # type: ignore[no-untyped-def]
    taken = np.full(costs.shape[0], -1)
    taken[_right(costs)] = np.arange(costs.shape[1])
    return taken


def _rows_in_order(costs):  # type: ignore[no-untyped-def]
    """What SciPy returns first: the chosen rows, rising."""
    return np.sort(_right(costs))


def _columns_in_order_of_rows(costs):  # type: ignore[no-untyped-def]
    return np.argsort(_right(costs))


def _worst_cell_smallest(costs):  # type: ignore[no-untyped-def]
    ways = itertools.permutations(range(costs.shape[0]), costs.shape[1])
    return np.array(min(ways, key=lambda w: max([costs[q, t] for t, q in enumerate(w)], default=0)), dtype=int)


def _absolute(costs):  # type: ignore[no-untyped-def]
    return _right(abs(costs))


def _with_repeats(costs):  # type: ignore[no-untyped-def]
    return _best(costs, itertools.product(range(costs.shape[0]), repeat=costs.shape[1]))


def _by_exchanges(costs):  # type: ignore[no-untyped-def]
    """From the first queries on: two objects exchange theirs, or one takes a free one, while that helps."""
    taken = list(range(costs.shape[1]))
    while True:
        ways = [taken]
        for one, other in itertools.combinations(range(len(taken)), 2):
            way = taken.copy()
            way[one], way[other] = way[other], way[one]
            ways.append(way)
        free = [query for query in range(costs.shape[0]) if query not in taken]
        ways += [[*taken[:t], query, *taken[t + 1 :]] for t in range(len(taken)) for query in free]
        found = _best(costs, ways).tolist()
        if found == taken:
            return np.array(taken, dtype=int)
        taken = found


def _pairs(costs):  # type: ignore[no-untyped-def]
    taken = _right(costs)
    order = np.argsort(taken)
    return np.stack([taken[order], order], axis=1)


def _sum(costs):  # type: ignore[no-untyped-def]
    return costs[_right(costs), range(costs.shape[1])].sum()


MISTAKES = (
    Mistake("each object its cheapest query", _each_for_itself, "once"),
    Mistake("queries may repeat", _with_repeats, "once"),
    Mistake("object by object", _object_by_object, "sum"),
    Mistake("cheapest cell first", _cheapest_cell_first, "sum"),
    Mistake("worst cell smallest", _worst_cell_smallest, "sum"),
    Mistake("exchanges of two", _by_exchanges, "sum"),
    Mistake("absolute costs", _absolute, "sum"),
    Mistake("query by query", _query_by_query, "queries left over"),
    Mistake("only the first queries", _first_queries_only, "queries left over"),
    Mistake("largest sum", lambda costs: _right(-costs), "largest"),
    Mistake("an entry per query", _objects_of_queries, "direction"),
    Mistake("rows in order", _rows_in_order, "direction"),
    Mistake("objects in the order of the queries", _columns_in_order_of_rows, "direction"),
    Mistake("pairs", _pairs, "shape"),
    Mistake("the sum", _sum, "shape"),
    Mistake("counted from one", lambda costs: _right(costs) + 1, "shape"),
    Mistake("no object: an error", lambda costs: _right(costs) if costs.size else costs.argmin(axis=0)[0], "no object"),
    Mistake("no object: -1", lambda costs: _right(costs) if costs.size else np.array([-1]), "no object"),
)
