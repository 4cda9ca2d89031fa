"""The energies of a small random field: by hand, in order, as the bars show them."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor.plotting import labelings, show_labelings, show_random_field

COSTS = [[0.1, 2.3], [0.9, 0.5], [2.3, 0.1]]
WEIGHTS = [[0, 2.0, 0.1], [2.0, 0, 0.2], [0.1, 0.2, 0]]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_by_hand():
    """0, 0, 1: the pixels pay .1 + .9 + .1, the pairs (1, 3) and (2, 3) .1 + .2."""
    found = {labels: (alone, together) for labels, alone, together in labelings(COSTS, WEIGHTS)}
    assert len(found) == 8
    assert found[0, 0, 1] == pytest.approx((1.1, 0.3))
    assert found[0, 1, 1] == pytest.approx((0.7, 2.1))
    assert found[0, 0, 0][1] == found[1, 1, 1][1] == 0


def test_the_cheapest_comes_first_and_each_comes_once():
    generator = np.random.default_rng(0)
    costs, weights = generator.random((4, 3)), generator.random((4, 4))
    found = labelings(costs, weights + weights.T)
    energies = [alone + together for _, alone, together in found]
    assert energies == sorted(energies)
    assert {labels for labels, _, _ in found} == set(itertools.product(range(3), repeat=4))


def test_the_bars_are_the_energies():
    axis = show_labelings(COSTS, WEIGHTS, ("P", "m"))
    widths = [bar.get_width() for bar in axis.patches]
    flat = [part for _, alone, together in labelings(COSTS, WEIGHTS) for part in (alone, together)]
    assert widths == pytest.approx(flat)
    assert axis.get_yticklabels()[0].get_text() == "P  P  m"


def test_the_field_shows_costs_and_weights():
    _, axis = plt.subplots()
    show_random_field(["black", "gray", "green"], COSTS, WEIGHTS, ("P", "m"), axis)
    texts = {text.get_text() for text in axis.texts}
    assert {"P: 0.10", "m: 2.30", "2", "0.1", "0.2"} <= texts


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="weights N x N"):
        labelings(COSTS, [[0, 1], [1, 0]])
