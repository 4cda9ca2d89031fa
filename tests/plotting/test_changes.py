"""What a second step repairs and breaks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor.plotting import change_map, change_patches, show_changes


def test_by_hand():
    """Right and right, wrong and repaired, right and broken, wrong and wrong (another wrong one, too), void."""
    target, before, after = [[3, 3, 3, 3, 3, 255]], [[3, 1, 3, 1, 1, 3]], [[3, 3, 1, 1, 2, 3]]
    assert change_map(target, before, after).tolist() == [[0, 2, 3, 1, 1, 4]]


def test_the_title_has_the_shares_of_both_steps():
    generator = np.random.default_rng(0)
    target, before, after = generator.integers(0, 3, (3, 20, 30))
    target[:4] = 255
    _, axis = plt.subplots()
    show_changes(target, before, after, axis)
    known = target != 255
    first, second = ((one == target)[known].mean() for one in (before, after))
    assert axis.get_title() == f"right: {first:.1%} → {second:.1%}"
    assert len(change_patches()) == 3
    plt.close("all")


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="after"):
        change_map(np.zeros((2, 2), int), np.zeros((2, 2), int), np.zeros((2, 3), int))
