"""IoU by distance and by size: by hand, and as a split of the confusion matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.analysis import IouByDistance, IouBySize
from tests.analysis.maps import random_maps


def test_distance_by_hand():
    scores = IouByDistance(2, distances=(1, 2))
    scores.update([[0, 0, 0, 0, 1, 1, 1, 1]], [[0, 0, 1, 0, 0, 1, 1, 1]])
    assert scores.names == ["1", "2", "3 and more"]
    # Distance 1: pixels 3 and 4, one right; 2: pixels 2 and 5, one right; the other four are right.
    assert [int(ring.matrix.sum()) for ring in scores.rings] == [2, 2, 4]
    assert scores.mean_iou() == {"1": pytest.approx(0.25), "2": pytest.approx(0.25), "3 and more": 1.0}


def test_size_by_hand():
    target = np.zeros((6, 10), dtype=int)
    target[:2, :2] = 1  # side 2
    target[2:6, 5:9] = 1  # side 4
    prediction = target.copy()
    prediction[0, 0] = 0  # one of four missed
    prediction[5, 0] = 1  # a region of one pixel, side 1, invented
    scores = IouBySize(2, sides=(2, 4))
    scores.update(target, prediction)
    assert scores.names == ["below 2", "2-4", "from 4"]
    assert scores.hits[:, 1].tolist() == [0, 3, 16]
    assert scores.missed[:, 1].tolist() == [0, 1, 0]
    assert scores.invented[:, 1].tolist() == [1, 0, 0]
    np.testing.assert_allclose(scores.iou()[:, 1], [0, 3 / 4, 1])


def test_things_that_touch_are_as_large_as_each_of_them():
    target = np.ones((2, 4), dtype=int)
    things = np.array([[1, 1, 2, 2], [1, 1, 2, 2]])
    scores = IouBySize(2, sides=(2.5,))
    scores.update(target, target, things)
    assert scores.hits[:, 1].tolist() == [8, 0]  # two of side 2
    scores = IouBySize(2, sides=(2.5,))
    scores.update(target, target)
    assert scores.hits[:, 1].tolist() == [0, 8]  # one region of eight pixels


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_sums_over_sizes_and_rings_are_the_confusion_matrix(seed):
    target, prediction = random_maps(seed)
    sizes, rings = IouBySize(4, sides=(2, 5, 11)), IouByDistance(4)
    sizes.update(target, prediction)
    rings.update(target, prediction)
    matrix = sizes.checked.matrix
    np.testing.assert_array_equal(sum(ring.matrix for ring in rings.rings), matrix)
    np.testing.assert_array_equal(sizes.hits.sum(axis=0), np.diag(matrix))
    np.testing.assert_array_equal(sizes.missed.sum(axis=0), matrix.sum(axis=1) - np.diag(matrix))
    np.testing.assert_array_equal(sizes.invented.sum(axis=0), matrix.sum(axis=0) - np.diag(matrix))


def test_bad_limits():
    with pytest.raises(ValueError, match="rising numbers"):
        IouBySize(2, sides=(4, 2))
    with pytest.raises(ValueError, match="rising numbers"):
        IouByDistance(2, distances=())
