"""U-Net's weights of the gaps: by hand, against the formula pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.training.gaps import apart, gap_weights


def random_things(seed, size=(15, 18)):
    random = np.random.default_rng(seed)
    things = np.zeros(size, dtype=int)
    for number in range(1, random.integers(1, 6)):
        top, left = (int(random.integers(0, side)) for side in size)
        things[top : top + 5, left : left + 4] = number
    return things


def slowly(things, w0, sigma):
    numbers = [number for number in np.unique(things) if number]
    weights = np.ones(things.shape)
    kept = apart(things)
    for place in np.ndindex(things.shape):
        distances = sorted(
            min(np.hypot(place[0] - y, place[1] - x) for y, x in np.argwhere(things == number)) for number in numbers
        )
        if len(distances) > 1 and not kept[place]:
            weights[place] += w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return weights


@given(seed=st.integers(0, 10**6), sigma=st.floats(0.5, 6))
@settings(max_examples=20, deadline=None)
def test_against_the_formula_pixel_by_pixel(seed, sigma):
    things = random_things(seed)
    # Beyond four sigmas of a thing's box less than 0.0004 of w0 is left out.
    np.testing.assert_allclose(gap_weights(things, 10, sigma), slowly(things, 10, sigma), atol=0.004)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_parted_things_do_not_touch_and_lose_only_where_they_did(seed):
    things = random_things(seed)
    mask = apart(things)
    assert not (mask & (things == 0)).any()
    for y, x in np.argwhere(things > 0):
        around = things[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        assert mask[y, x] == set(np.unique(around)).issubset({0, things[y, x]})


def test_one_thing_alone_has_no_gap():
    things = np.zeros((9, 9), dtype=int)
    things[2:6, 3:7] = 4
    assert (gap_weights(things) == 1).all()
    assert (apart(things) == (things == 4)).all()
    assert (gap_weights(np.zeros((3, 3), dtype=int)) == 1).all()


def test_bad_input():
    with pytest.raises(ValueError, match="sigma 0"):
        gap_weights([[0, 1]], sigma=0)
    with pytest.raises(ValueError, match="map H x W"):
        gap_weights([0, 1])
    with pytest.raises(ValueError, match="whole numbers"):
        gap_weights([[0.5]])
