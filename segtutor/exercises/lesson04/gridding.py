"""Exercise 4.3: which pixels a stack of dilated convolutions reads, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson04.gridding_mistakes import MISTAKES

STUB = '''
def count_paths(rates):
    """Ways from an output position to each pixel, -sum(rates) to sum(rates), through 3-tap layers of these rates."""
    raise NotImplementedError("Write count_paths() here, then run this cell again.")
'''


def count_paths(rates: tuple[int, ...]) -> np.ndarray:
    """Ways from an output position to each pixel, -sum(rates) to sum(rates), through 3-tap layers of these rates."""
    reach = sum(rates)
    paths = np.zeros(2 * reach + 1, dtype=int)
    paths[reach] = 1
    for rate in rates:
        paths = np.roll(paths, -rate) + paths + np.roll(paths, rate)
    return paths


def _with_convolve(rates):  # type: ignore[no-untyped-def]
    paths = np.ones(1, dtype=int)
    for rate in rates:
        taps = np.zeros(2 * rate + 1, dtype=int)
        taps[::rate] = 1
        paths = np.convolve(paths, taps)
    return paths


def _path_by_path(rates):  # type: ignore[no-untyped-def]
    from itertools import product

    paths = [0] * (2 * sum(rates) + 1)
    for steps in product(*[(-rate, 0, rate) for rate in rates]):
        paths[sum(steps) + sum(rates)] += 1
    return paths


def _with_gradient(rates):  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional as F

    pixels = torch.ones(1, 1, 2 * sum(rates) + 1, dtype=torch.float64, requires_grad=True)
    values = pixels
    for rate in rates:
        values = F.conv1d(values, torch.ones(1, 1, 3, dtype=torch.float64), dilation=rate)
    values.sum().backward()
    return pixels.grad[0, 0].round().long()


def _with_dictionary(rates):  # type: ignore[no-untyped-def]
    found = {0: 1}
    for rate in rates:
        further = {}
        for place, ways in found.items():
            for step in (-rate, 0, rate):
                further[place + step] = further.get(place + step, 0) + ways
        found = further
    return np.array([found.get(place, 0) for place in range(-sum(rates), sum(rates) + 1)])


def _drawn(generator: np.random.Generator) -> tuple[Any, ...]:
    """Further inputs for the variants of the course."""
    return (tuple(generator.integers(1, 7, generator.integers(2, 6)).tolist()),)


EXERCISE = Exercise(
    id="4.3",
    title="Gridding: the pixels that nobody reads",
    name="count_paths",
    statement="""
A position of the last map reads three positions of the map before, each of those reads three, and so on down to the
picture. With dilation these paths can miss pixels that lie well inside the receptive field. That is *gridding*.

Look at one dimension: each layer is a 3-tap convolution, and `rates` holds the layers' rates. From a position a path
goes, in each layer, one of three steps: −rate, 0 or +rate. Write `count_paths(rates)`, which returns the number of
paths from one output position to each of the 2 · sum(rates) + 1 pixels from −sum(rates) to +sum(rates), from left to
right. Pixels that no path reaches get 0. Without layers there is one path, to the position itself. There are up to a
dozen layers, and the paths must be counted exactly.
""",
    stub=STUB,
    reference=count_paths,
    drawn=_drawn,
    cases=(
        Case("no layer: the pixel itself", ((),), np.array([1])),
        Case("one ordinary layer", ((1,),), np.array([1, 1, 1])),
        Case("one layer of rate 2", ((2,),), np.array([1, 0, 1, 0, 1])),
        Case("two ordinary layers", ((1, 1),), np.array([1, 2, 3, 2, 1])),
        Case("rates 2, 2: every other pixel", ((2, 2),), np.array([1, 0, 2, 0, 3, 0, 2, 0, 1])),
        Case("rates 1, 2: no hole", ((1, 2),), np.array([1, 1, 2, 1, 2, 1, 1])),
        Case("rates 1, 3: every pixel once", ((1, 3),), np.ones(9, dtype=int)),
        Case("rates 2, 2, 2", ((2, 2, 2),)),
        Case("rates 1, 2, 3", ((1, 2, 3),)),
        Case("rates 5, 2, 1", ((5, 2, 1),)),
        Case("rates 1, 2, 9: holes again", ((1, 2, 9),)),
        Case("rates 2, 4, 8", ((2, 4, 8),)),
        Case("rates 2, 1, 3, 1", ((2, 1, 3, 1),)),
        Case("seven ordinary layers", ((1,) * 7,), hint="types"),
        Case("twelve ordinary layers", ((1,) * 12,), hint="types"),
    ),
    hints={
        "general": Hint(
            "Begin with one path at the output position itself. Each layer sends every path to three places.",
            "Keep one number per pixel, in an array that is long enough from the start. After a layer, each pixel has "
            "the paths of three old pixels: its own, and those one rate to the left and to the right. np.roll moves "
            "an array, and whole numbers stay exact.",
        ),
        "counts": Hint(
            "The result counts paths: neither whether a pixel is reached at all, nor its share of all paths.",
            "Add up whole numbers; do not take the union, and do not divide.",
        ),
        "taps": Hint(
            "A layer has exactly three taps: −rate, 0 and +rate from the position, and nothing in between.",
            "for step in (-rate, 0, rate).",
        ),
        "middle": Hint(
            "A 3-tap kernel also reads the position itself, and it reads to both sides.",
            "Three terms per layer: paths moved by −rate, paths, paths moved by +rate.",
        ),
        "chain": Hint(
            "The layers stand one after the other: the second one goes on from every place that the first one reaches.",
            "Use the result of one layer as the start of the next.",
        ),
        "stride": Hint(
            "Rates do not build up like strides: without a stride, each map is as fine as the one before.",
            "Each layer steps by its own rate only.",
        ),
        "window": Hint(
            "The result has 2 · sum(rates) + 1 numbers, with the output position in the middle.",
            "paths = np.zeros(2 * sum(rates) + 1, dtype=int); paths[sum(rates)] = 1.",
        ),
        "types": Hint(
            "With more layers there are many paths, soon too many for a small number type: 73 789 after twelve layers.",
            "np.zeros(..., dtype=int), or Python's own integers.",
        ),
        "layers": Hint(
            "Every layer counts, also one with the rate of another, and without layers there is the position itself.",
            "for rate in rates, starting from one path at the position.",
        ),
        "new": Hint(
            "A layer reads the counts that the layer before it left, not those that it has just written itself.",
            "Write into a new array, and replace the old one when the layer is done.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_convolve, _path_by_path, _with_gradient, _with_dictionary),
    points=3,
    minutes=20,
    difficulty=2,
)
