"""Which pixels dilated convolutions read: counted by hand, against the rule of lesson 4, against gradients."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from segtutor.plotting import effective_receptive_field, show_reach
from segtutor.plotting.reach import paths_to_pixels


def read_along_a_line(rates):
    """Places that some path reaches, by trying all of them."""
    return {sum(steps) for steps in itertools.product(*[(-rate, 0, rate) for rate in rates])}


def rule_of_the_lesson(rates):
    """Each rate is at most 1 plus twice the sum of all smaller ones."""
    return all(rate <= 1 + 2 * sum(sorted(rates)[:index]) for index, rate in enumerate(sorted(rates)))


def test_paths_by_hand():
    """Rates 1 and 2 along a line: -3 … 3 by 1, 1, 2, 1, 2, 1, 1 paths; in two dimensions products of them."""
    line = np.array([0, 1, 1, 2, 1, 2, 1, 1, 0])
    assert paths_to_pixels((1, 2), side=9).tolist() == np.outer(line, line).tolist()
    assert paths_to_pixels((2, 3), side=11)[5].tolist() == [1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1]  # 4 away is missed


def test_the_rule_about_holes_is_exact():
    """All lists of up to four rates from 1 to 12."""
    for count in (1, 2, 3, 4):
        for rates in itertools.combinations_with_replacement(range(1, 13), count):
            whole = len(read_along_a_line(rates)) == 1 + 2 * sum(rates)
            assert whole == rule_of_the_lesson(rates), rates


@pytest.mark.parametrize("rates", [(1,), (1, 3), (1, 4), (2, 2, 3), (3, 1, 2)])
def test_what_is_read_is_where_the_gradient_is(rates):
    side = 1 + 2 * sum(rates)
    layers = [nn.Conv2d(3, 3, 3, padding=rate, dilation=rate, bias=False) for rate in rates]
    for layer in layers:
        nn.init.ones_(layer.weight)
    gradient = effective_receptive_field(nn.Sequential(*layers), torch.ones(1, 3, side, side))
    assert ((gradient > 0) == (paths_to_pixels(rates, side) > 0)).all()
    along = {place - side // 2 for place in np.flatnonzero(gradient[side // 2] > 0)}
    assert along == read_along_a_line(rates)


def test_the_title_says_field_and_share():
    axis = show_reach((1, 4), side=15)
    assert axis.get_title() == "rates 1, 4: field 11 × 11,\n67% of its pixels are read"  # 81 of 121
    frame = axis.patches[0]
    assert (frame.get_x(), frame.get_width()) == (15 // 2 - 5 - 0.5, 11)
    plt.close(axis.figure)


@pytest.mark.parametrize(("rates", "side"), [((), 5), ((1, 2), 8), ((1, 2), 5), ((0,), 5)])
def test_malformed_rates_and_sides_are_refused(rates, side):
    with pytest.raises(ValueError, match="rates must be whole numbers of at least 1, and side an odd number"):
        paths_to_pixels(rates, side)
