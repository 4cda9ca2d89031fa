"""Worst pictures and the flow of confusion, by hand and against the scores of the metrics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.analysis import confusion_flow, harm, image_matrices, worst_images
from segtutor.metrics import ConfusionMatrix
from tests.analysis.maps import random_maps


def data_set(seed, count=6):
    pairs = [random_maps(1000 * seed + number) for number in range(count)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def mean_iou(matrix):
    confusion = ConfusionMatrix(len(matrix))
    confusion.matrix += matrix
    return confusion.mean_iou()


@given(seed=st.integers(0, 10**5))
@settings(max_examples=25, deadline=None)
def test_scores_are_those_of_the_metrics(seed):
    matrices = image_matrices(*data_set(seed), 4)
    by_iou = dict(worst_images(matrices))
    by_accuracy = dict(worst_images(matrices, by="accuracy"))
    for index, matrix in enumerate(matrices):
        assert by_iou[index] == pytest.approx(mean_iou(matrix))
        assert by_accuracy[index] == pytest.approx(np.trace(matrix) / matrix.sum())
    assert list(by_iou.values()) == sorted(by_iou.values())
    without = [mean_iou(np.delete(matrices, index, axis=0).sum(axis=0)) for index in range(len(matrices))]
    np.testing.assert_allclose(harm(matrices), np.array(without) - mean_iou(matrices.sum(axis=0)), atol=1e-12)
    worst = worst_images(matrices, 1, by="harm")
    assert worst[0][1] == pytest.approx(max(harm(matrices)))


def test_the_only_bus_harms_most_though_another_picture_has_more_wrong_pixels():
    street, bus = [[90, 10, 0], [10, 90, 0], [0, 0, 0]], [[99, 0, 0], [0, 99, 0], [0, 2, 0]]
    assert worst_images([street, bus], by="accuracy")[0][0] == 0
    assert worst_images([street, bus], by="harm")[0][0] == 1


def test_a_picture_of_void_has_no_score():
    matrices = image_matrices([[[255, 255]], [[0, 1]]], [[[0, 0]], [[0, 0]]], 2)
    assert worst_images(matrices) == [(1, 0.25)]


def test_flow_adds_up():
    matrix = image_matrices(*data_set(5), 4).sum(axis=0)
    flows = confusion_flow(matrix, ["a", "b", "c", "d"])
    assert sum(flow.pixels for flow in flows) == matrix.sum() - np.trace(matrix)
    assert sum(flow.of_errors for flow in flows) == pytest.approx(1)
    assert [flow.pixels for flow in flows] == sorted((flow.pixels for flow in flows), reverse=True)
    assert confusion_flow([[3, 0], [0, 1]], ["a", "b"]) == []


def test_bad_input():
    with pytest.raises(ValueError, match="by is 'iou'"):
        worst_images([[[1]]], by="iou")
    with pytest.raises(ValueError, match="one K x K matrix for each"):
        worst_images([[1, 2]])
    with pytest.raises(ValueError, match="one name for each class"):
        confusion_flow([[1, 0], [0, 1]], ["a"])
    with pytest.raises(ValueError, match="one prediction for each target"):
        image_matrices([[[0]]], [], 2)
    with pytest.raises(ValueError, match="must hold counts"):
        worst_images([[[0.5]]])
