"""Exercise 4.3: which pixels a stack of dilated convolutions reads, and how often."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake

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


def _paths(rates, taps=(-1, 0, 1), spacing=lambda rate: rate):  # type: ignore[no-untyped-def]
    """Paths with the switches of the mistakes; as it stands, the right ones."""
    reach = sum(rates)
    found = {0: 1}
    for rate in rates:
        further = {}
        for place, ways in found.items():
            for tap in taps:
                to = place + tap * spacing(rate)
                further[to] = further.get(to, 0) + ways
        found = further
    return np.array([found.get(place, 0) for place in range(-reach, reach + 1)])


def _layers_added(rates):  # type: ignore[no-untyped-def]
    """The taps of the layers beside each other, as in ASPP, not one after the other."""
    reach = sum(rates)
    paths = np.zeros(2 * reach + 1, dtype=int)
    for rate in rates:
        paths[[reach - rate, reach, reach + rate]] += 1
    return paths


def _filled(rates):  # type: ignore[no-untyped-def]
    """Every pixel under a kernel counts, also those between its taps."""
    paths = np.ones(1, dtype=int)
    for rate in rates:
        paths = np.convolve(paths, np.ones(2 * rate + 1, dtype=int))
    return paths


def _rates_multiplied(rates):  # type: ignore[no-untyped-def]
    """Rates build up like strides."""
    reach, jump, places = sum(rates), 1, {0: 1}
    for rate in rates:
        jump *= rate
        places = {p: sum(places.get(p + s, 0) for s in (-jump, 0, jump)) for p in range(-9 * reach, 9 * reach + 1)}
    return np.array([places.get(place, 0) for place in range(-reach, reach + 1)])


def _trimmed(rates):  # type: ignore[no-untyped-def]
    paths, longest = count_paths(rates), max(rates, default=0)
    middle = len(paths) // 2
    return paths[middle - longest : middle + longest + 1]


def _half(rates):  # type: ignore[no-untyped-def]
    paths = count_paths(rates)
    return paths[len(paths) // 2 :]


def _shares(rates):  # type: ignore[no-untyped-def]
    paths = count_paths(rates)
    return paths / paths.sum()


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
right. Pixels that no path reaches get 0.
""",
    stub=STUB,
    reference=count_paths,
    cases=(
        Case("no layer: the pixel itself", ((),), np.array([1])),
        Case("one ordinary layer", ((1,),), np.array([1, 1, 1])),
        Case("one layer of rate 2", ((2,),), np.array([1, 0, 1, 0, 1])),
        Case("two ordinary layers", ((1, 1),), np.array([1, 2, 3, 2, 1]), "counts"),
        Case("rates 2, 2: every other pixel", ((2, 2),), np.array([1, 0, 2, 0, 3, 0, 2, 0, 1]), "taps"),
        Case("rates 1, 2: no hole", ((1, 2),), np.array([1, 1, 2, 1, 2, 1, 1]), "chain"),
        Case("rates 1, 3: every pixel once", ((1, 3),), np.ones(9, dtype=int), "chain"),
        Case("rates 2, 2, 2", ((2, 2, 2),)),
        Case("rates 1, 2, 3", ((1, 2, 3),)),
        Case("rates 5, 2, 1", ((5, 2, 1),)),
        Case("rates 1, 2, 9: holes again", ((1, 2, 9),)),
        Case("rates 2, 4, 8", ((2, 4, 8),)),
    ),
    hints={
        "general": Hint(
            "Begin with one path at the output position itself. Each layer sends every path to three places.",
            "paths = np.roll(paths, -rate) + paths + np.roll(paths, rate), once per layer; the array is long enough "
            "that nothing comes in at the other end.",
        ),
        "counts": Hint(
            "Count the paths. That a pixel is reached at all, or its share, is not the number of paths.",
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
    },
    mistakes=(
        Mistake("reached or not", lambda rates: count_paths(rates) > 0, "counts"),
        Mistake("shares", _shares, "counts"),
        Mistake("rates ignored", lambda rates: _paths(rates, spacing=lambda rate: 1), "taps"),
        Mistake("one step too far", lambda rates: _paths(rates, spacing=lambda rate: rate + 1), "taps"),
        Mistake("filled kernels", _filled, "taps"),
        Mistake("center tap missing", lambda rates: _paths(rates, taps=(-1, 1)), "middle"),
        Mistake("only to the right", lambda rates: _paths(rates, taps=(0, 1)), "middle"),
        Mistake("layers beside each other", _layers_added, "chain"),
        Mistake("last layer only", lambda rates: _layers_added(rates[-1:]), "chain"),
        Mistake("rates multiplied", _rates_multiplied, "stride"),
        Mistake("window of the largest rate", _trimmed, "window"),
        Mistake("right half", _half, "window"),
    ),
    alternatives=(_with_convolve, _path_by_path, _with_gradient, _with_dictionary),
    points=3,
    minutes=15,
    difficulty=2,
)
