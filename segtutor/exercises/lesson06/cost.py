"""Exercise 6.7: which layers to make separable, so that a network fits into a budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson06.cost_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def layers_to_replace(layers, budget):
    """Numbers of the fewest layers that must become separable to stay in the budget, rising; "error" if all do not."""
    raise NotImplementedError("Write layers_to_replace() here, then run this cell again.")
'''


def layers_to_replace(layers: Sequence[tuple[int, int, int, int, int]], budget: int) -> Any:
    """Numbers of the fewest layers that must become separable to stay in the budget, rising; "error" if all do not."""
    total, savings = 0, []
    for inputs, outputs, kernel, height, width in layers:
        full = inputs * outputs * kernel**2
        total += full * height * width
        savings.append((full - inputs * kernel**2 - inputs * outputs) * height * width)
    chosen = []
    for number in sorted(range(len(layers)), key=lambda number: -savings[number]):
        if total <= budget:
            break
        total -= savings[number]
        chosen.append(number)
    return sorted(chosen) if total <= budget else "error"


def _adds(layer, separable):  # type: ignore[no-untyped-def]
    inputs, outputs, kernel, height, width = layer
    weights = inputs * (kernel * kernel + outputs) if separable else inputs * outputs * kernel * kernel
    return weights * height * width


def _with_subsets(layers, budget):  # type: ignore[no-untyped-def]
    """All choices of 0, 1, 2, ... layers; of those of the same size the cheapest one."""
    from itertools import combinations

    everything = range(len(layers))
    for count in range(len(layers) + 1):
        totals = {
            chosen: sum(_adds(layer, number in chosen) for number, layer in enumerate(layers))
            for chosen in combinations(everything, count)
        }
        best = min(totals, key=lambda chosen: totals[chosen])
        if totals[best] <= budget:
            return best
    return "Error"


def _one_by_one(layers, budget):  # type: ignore[no-untyped-def]
    separable: set[int] = set()
    while True:
        costs = [_adds(layer, number in separable) for number, layer in enumerate(layers)]
        if sum(costs) <= budget:
            return sorted(separable)
        gains = [cost - _adds(layer, True) for cost, layer in zip(costs, layers, strict=True)]
        if not gains or max(gains) <= 0:
            return "error"
        separable.add(gains.index(max(gains)))


def _with_arrays(layers, budget):  # type: ignore[no-untyped-def]
    import numpy as np

    table = np.array(layers, dtype=object).reshape(-1, 5)
    inputs, outputs, kernel, height, width = table.T
    full = inputs * outputs * kernel * kernel * height * width
    saved = full - inputs * (kernel * kernel + outputs) * height * width
    order = sorted(range(len(layers)), key=lambda number: saved[number], reverse=True)
    totals = full.sum() - np.cumsum([0, *(max(saved[number], 0) for number in order)])
    fits = [count for count, total in enumerate(totals) if total <= budget]
    return sorted(order[: fits[0]]) if fits else "error"


# Full and separable: 4 * 4 * 9 = 144 and 4 * 13 = 52, saved 92; 8 * 2 * 9 = 144 and 8 * 11 = 88, saved 56;
# 2 * 8 * 9 = 144 and 2 * 17 = 34, saved 110; a 1 x 1 with 6 * 6 = 36 and 6 * 7 = 42, saved -6. One position each.
_FOUR = ((4, 4, 3, 1, 1), (8, 2, 3, 1, 1), (2, 8, 3, 1, 1), (6, 6, 1, 1, 1))
_DEEPLAB = (
    (2048, 256, 1, 33, 33), (2048, 256, 3, 33, 33), (2048, 256, 3, 33, 33), (2048, 256, 3, 33, 33),
    (304, 256, 3, 129, 129), (256, 256, 3, 129, 129),
)  # fmt: skip
_HUGE = ((2**20 + 1, 2**20 + 3, 3, 4001, 5003), (2**20 + 5, 2**20 + 7, 5, 4001, 5003), (2**19, 2**19, 3, 999, 1001))


def _random(seed: int, count: int, share: float) -> tuple[Any, ...]:
    """Layers of all kinds whose savings all differ, and a share of their cost as budget."""
    generator = seeded(seed)
    layers = tuple(
        (int(generator.integers(1, 40)), int(generator.integers(1, 40)), int(generator.choice([1, 3, 5])),
         int(generator.integers(1, 9)), int(generator.integers(1, 9)))
        for _ in range(count)
    )  # fmt: skip
    return layers, int(share * sum(_adds(layer, False) for layer in layers))


EXERCISE = Exercise(
    id="6.7",
    title="Which layers to make separable",
    name="layers_to_replace",
    statement="""
A separable convolution is cheaper, but something may be lost with it. So you make separable as few layers as possible:
just as many as it takes to stay in a budget of multiply-adds.

`layers` is a list of (inputs C, outputs K, kernel k, height, width), where height x width are the positions of the
layer's result. A full convolution has C · K · k² weights; the separable one has k² for each input channel (depthwise),
and one for each pair of channels (pointwise). Biases do not count. Each weight is used once at every position, in both
forms, and the zeros of the padding count like other values: that is the number of multiply-adds.

Write `layers_to_replace(layers, budget)`, which returns the numbers of the layers (from 0, rising) that become
separable, so that all layers together cost **at most** `budget` and **as few layers as possible** are replaced; of
several choices of the same size take the one with the lowest cost. If the budget holds already, nothing is replaced:
return `[]`. If it cannot be held, return the text `"error"`. Mind layers for which the separable form is not cheaper at
all. No two layers save the same; the numbers are whole, and may be very large.
""",
    stub=STUB,
    reference=layers_to_replace,
    cases=(
        Case("it fits as it is", (_FOUR, 468), [], "equal"),
        Case("one too much: the one that saves most", (_FOUR, 467), [2]),
        Case("the best one is just enough", (_FOUR, 358), [2], "equal"),
        Case("two are needed", (_FOUR, 357), [0, 2]),
        Case("three are needed", (_FOUR, 265), [0, 1, 2]),
        Case("the least that is possible", (_FOUR, 210), [0, 1, 2], "cheaper"),
        Case("not possible, whatever is replaced", (_FOUR, 209), "error", "error"),
        Case("a 1 x 1 is not made cheaper", (((6, 6, 1, 1, 1),), 35), "error", "cheaper"),
        Case("positions count: a small layer on a large map", (((8, 8, 3, 1, 1), (4, 4, 3, 9, 9)), 11664), [1],
             "positions"),
        Case("a 1 x 1 that would cost 200 more", ((*_FOUR, (200, 1, 1, 1, 1)), 667), [2], "cheaper"),
        Case("no layers", ((), 0), []),
        Case("DeepLab v3+ at two fifths", (_DEEPLAB, 2 * sum(_adds(layer, False) for layer in _DEEPLAB[4:]))),
        Case("very large numbers", (_HUGE, sum(_adds(layer, number == 1) for number, layer in enumerate(_HUGE))), [1],
             "exact"),
        Case("one less", (_HUGE, sum(_adds(layer, number == 1) for number, layer in enumerate(_HUGE)) - 1), [0, 1],
             "exact"),
        Case("nine layers, six tenths", _random(1, 9, 0.6)),
        Case("ten layers, four tenths", _random(2, 10, 0.4)),
        Case("eight layers, three tenths", _random(3, 8, 0.3)),
    ),
    hints={
        "general": Hint(
            "Fewest layers: begin with the one whose replacement saves most, and stop as soon as the budget holds.",
            "Two numbers for each layer: what the full form costs, and what is saved. Go through the layers by falling "
            "savings; a saving that is 0 or negative helps nobody. Only at the end put the numbers into order.",
        ),
        "order": Hint(
            "The layers with the largest *savings* come first: not the first in the list, not the largest share.",
            "Sort by full cost less separable cost, the largest first.",
        ),
        "positions": Hint(
            "Multiply-adds are weights times positions: height * width of each layer.",
            "weights * height * width, for the full and for the separable form.",
        ),
        "separable": Hint(
            "The separable form has k² weights for each input channel, and one for each pair of channels.",
            "C * k**2 + C * K.",
        ),
        "equal": Hint("A budget that is just used up is kept.", "total <= budget."),
        "cheaper": Hint(
            "For a 1 x 1, and for very few outputs, the separable form costs more: such a layer is never replaced.",
            "Leave out layers whose saving is not above 0.",
        ),
        "enough": Hint(
            "Stop as soon as the budget holds: as few layers as possible.", "Ask before each further layer."
        ),
        "error": Hint("If even all savings together are too little, the answer is the text error.", "Ask at the end."),
        "rising": Hint("The numbers come from 0 and rising, as places in the list.", "sorted(chosen)."),
        "exact": Hint("The numbers do not fit into 64 bits or a float.", "Python's own whole numbers are exact."),
    },
    mistakes=MISTAKES,
    alternatives=(_with_subsets, _one_by_one, _with_arrays),
    points=3,
    minutes=25,
    difficulty=2,
)  # fmt: skip
