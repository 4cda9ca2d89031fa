"""Bollards: drawn alike in streets and harbors; only what is far away tells which of the two they are."""

import numpy as np
import pytest

from segtutor.datasets import Scenes
from segtutor.labels import SCENES

STREET, MOORING = SCENES.select(["street bollard", "mooring bollard"])
COUNT = 40


@pytest.mark.parametrize("distance", [0.1, 0.2, 0.3])
def test_surroundings_are_pixel_for_pixel_the_same(distance):
    street = Scenes("train", (96, 120), COUNT, kinds=("street",), context=2.0, context_distance=distance)
    harbor = Scenes("train", (96, 120), COUNT, kinds=("harbor",), context=2.0, context_distance=distance)
    found = far_differences = 0
    for index in range(COUNT):
        here, there = street.scene(index), harbor.scene(index)
        markers = [item for item in here.instances if item.label == STREET]
        others = [item for item in there.instances if item.label == MOORING]
        assert [item.box for item in markers] == [item.box for item in others]
        assert not (there.labels == STREET).any()
        assert not (here.labels == MOORING).any()
        # Two pixels less than the distance: one for the lens's blur, one for rounding.
        reach = int(distance * 96) - 2
        for item, other in zip(markers, others, strict=True):
            assert np.array_equal(item.mask, other.mask)
            x0, y0, x1, y1 = item.box
            crop = slice(max(0, y0 - reach), y1 + reach), slice(max(0, x0 - reach), x1 + reach)
            assert np.array_equal(here.image[crop], there.image[crop])
            found += 1
        far_differences += bool((here.image[:30] != there.image[:30]).mean() > 0.3) and bool(markers)
    assert found >= 20
    assert far_differences >= 10


def test_both_settings_are_equally_likely_to_hold_a_bollard():
    shares = []
    for kind, label in (("street", STREET), ("harbor", MOORING)):
        dataset = Scenes("val", (48, 60), 60, kinds=(kind,))
        shares.append(np.mean([(dataset[index][1] == label).any().item() for index in range(60)]))
    assert shares[0] == shares[1] > 0.3


def test_context_zero_leaves_bollards_out():
    dataset = Scenes("train", (48, 60), 20, kinds=("street", "harbor"), context=0)
    assert all(not np.isin(dataset[index][1].numpy(), (STREET, MOORING)).any() for index in range(20))
