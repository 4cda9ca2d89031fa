"""Exercise 9.2: the assignment with the least sum."""

from __future__ import annotations

import itertools

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson09.assignment_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def best_assignment(costs):
    """T numbers: the query of each object, so that the sum of the Q x T `costs` is the smallest; Q >= T."""
    raise NotImplementedError("Write best_assignment() here, then run this cell again.")
'''


def best_assignment(costs: np.ndarray) -> np.ndarray:
    """T numbers: the query of each object, so that the sum of the Q x T `costs` is the smallest; Q >= T."""
    count, objects = costs.shape
    ways = itertools.permutations(range(count), objects)
    best = min(ways, key=lambda way: sum(costs[query, number] for number, query in enumerate(way)))
    return np.array(best, dtype=int)


def _with_scipy(costs):  # type: ignore[no-untyped-def]
    from scipy.optimize import linear_sum_assignment

    queries, numbers = linear_sum_assignment(costs)
    taken = np.zeros(costs.shape[1], dtype=int)
    taken[numbers] = queries
    return taken


def _with_recursion(costs):  # type: ignore[no-untyped-def]
    def cheapest(number, free):  # type: ignore[no-untyped-def]
        if number == costs.shape[1]:
            return 0.0, ()
        found = []
        for query in free:
            rest, way = cheapest(number + 1, free - {query})
            found.append((costs[query, number] + rest, (query, *way)))
        return min(found)

    return list(cheapest(0, frozenset(range(costs.shape[0])))[1])


def _with_exchanges(costs):  # type: ignore[no-untyped-def]
    """Bellman-Ford on the assignment so far: objects are added one by one, each along a cheapest chain of exchanges."""
    count, objects = costs.shape
    owner = [-1] * count  # the object of each query
    for start in range(objects):
        price, came = [float("inf")] * count, [-1] * count
        for query in range(count):
            price[query] = costs[query, start]
        for _ in range(count):
            for query in range(count):
                if owner[query] < 0:
                    continue
                for other in range(count):
                    through = price[query] + costs[other, owner[query]] - costs[query, owner[query]]
                    if through < price[other] - 1e-12:
                        price[other], came[other] = through, query
        query = min((one for one in range(count) if owner[one] < 0), key=lambda one: price[one])
        while came[query] >= 0:
            owner[query] = owner[came[query]]
            query = came[query]
        owner[query] = start
    return [owner.index(number) for number in range(objects)]


def _random(seed: int, queries: int, objects: int) -> np.ndarray:
    return np.round(seeded(seed).random((queries, objects)) * 20 - 5, 3)


EXERCISE = Exercise(
    id="9.2",
    title="The best assignment",
    name="best_assignment",
    statement="""
Write `best_assignment(costs)`. `costs` is a Q x T table, one row per query and one column per object, with Q >= T and
at most seven queries. Give each object a query of its own, so that the **sum** of the T chosen costs is as small as
possible. Return T whole numbers: the query of the first object, of the second, and so on.

Do this table on paper first. Which queries get the three objects?

| | object 0 | object 1 | object 2 |
|---|---|---|---|
| **query 0** | 4 | 1 | 3 |
| **query 1** | 2 | 0 | 5 |
| **query 2** | 3 | 2 | 2 |

No two assignments of a table in the check have the same smallest sum. Costs may be negative.
""",
    stub=STUB,
    reference=best_assignment,
    cases=(
        Case("the table above", (np.array([[4, 1, 3], [2, 0, 5], [3, 2, 2]]),), np.array([1, 0, 2]), "sum"),
        Case(
            "the cheapest cell of all is not taken",
            (np.array([[1, 2, 6], [2, 7, 9], [5, 6, 8]]),),
            np.array([1, 0, 2]),
            "sum",
        ),
        Case("two queries, one object", (np.array([[3.0], [-1.0]]),), np.array([1]), "queries left over"),
        Case(
            "four queries, two objects that want the same one",
            (np.array([[1.0, 1.5], [9.0, 9.0], [8.0, 2.5], [7.0, 9.5]]),),
            np.array([0, 2]),
            "once",
        ),
        Case("no object", (np.zeros((3, 0)),), np.zeros(0), "no object"),
        Case(
            "negative costs",
            (np.array([[-3.0, -9.0, -5.0], [-2.0, -8.0, -1.0], [-1.0, -6.0, -2.0]]),),
            np.array([2, 1, 0]),
            "sum",
        ),
        Case(
            "no exchange of two objects' queries helps any more, and still there is a better way",
            (np.array([[7, 7, 9, 7], [4, 1, 6, 1], [1, 1, 6, 8], [1, 3, 4, 9]]),),
            np.array([3, 2, 0, 1]),
            "sum",
        ),
        Case("3 x 3", (_random(0, 3, 3),)),
        Case("5 x 3", (_random(1, 5, 3),)),
        Case("5 x 5", (_random(2, 5, 5),)),
        Case("6 x 4", (_random(3, 6, 4),)),
        Case("7 x 2", (_random(4, 7, 2),)),
        Case("6 x 6", (_random(5, 6, 6),)),
    ),
    hints={
        "general": Hint(
            "With seven queries there are few enough ways to try all of them.",
            "Every way is an ordered choice of T different queries; itertools has a function that lists such choices. "
            "Keep the way with the smallest sum.",
        ),
        "sum": Hint(
            "The sum decides. Whoever takes the cheapest cell first may pay for it with the last one.",
            "Compare whole assignments, not single cells.",
        ),
        "once": Hint("No query may answer for two objects.", "Each way must consist of T *different* queries."),
        "largest": Hint("The smallest sum is wanted, not the largest.", "min, or SciPy without maximize."),
        "queries left over": Hint(
            "There are more queries than objects. The result has one entry per *object*: the number of its query.",
            "T entries, none for queries that are left over.",
        ),
        "direction": Hint(
            "The result answers *which query has this object?*, not the other way round.",
            "Entry t is the row that was chosen in column t.",
        ),
        "shape": Hint(
            "T whole numbers are wanted, one for each object, and queries are counted from 0.",
            "Not the pairs, and not their sum: the row of each column.",
        ),
        "no object": Hint("Without objects there is nothing to assign.", "An empty result, of no entries."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_scipy, _with_recursion, _with_exchanges),
    points=4,
    minutes=15,
    difficulty=2,
)
