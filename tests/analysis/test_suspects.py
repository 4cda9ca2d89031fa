"""Suspect labels: bars by hand, and a planted wrong label is found."""

import numpy as np
import pytest

from segtutor.analysis import LabelModel


def test_bars_by_hand():
    model = LabelModel(3)
    probabilities = np.array([[[0.8, 0.6, 0.1, 0.5]], [[0.1, 0.3, 0.8, 0.2]], [[0.1, 0.1, 0.1, 0.3]]])
    target = [[0, 0, 1, 255]]
    model.update(target, probabilities)
    np.testing.assert_allclose(model.bars(), [0.7, 0.8, np.inf])
    # Labeled 1, the first pixel gives 0.8 to class 0, whose bar is 0.7; of the second, no class clears its bar.
    assert model.suggestion([[1, 1, 1, 255]], probabilities).tolist() == [[0, -1, -1, -1]]


def planted():
    """A square of class 1 on class 0, surely told; a second square is labeled 2 though it looks like 1."""
    truth = np.zeros((20, 40), dtype=int)
    truth[5:15, 5:15] = truth[5:15, 25:35] = 1
    truth[0:4, 36:40] = 2
    probabilities = np.full((3, 20, 40), 0.1)
    np.put_along_axis(probabilities, truth[None], 0.8, axis=0)
    labels = truth.copy()
    labels[5:15, 25:35] = 2
    labels[4, 5:15] = 1  # an outline a pixel too high: less than half of its region
    return labels, probabilities


def test_a_planted_label_is_found_and_an_outline_is_not():
    labels, probabilities = planted()
    model = LabelModel(3)
    model.update(labels, probabilities)
    found = model.suspects(labels, probabilities)
    assert [(one.label, one.suggested, one.pixels, one.share, one.box) for one in found] == [
        (2, 1, 100, 1.0, (25, 5, 35, 15))
    ]
    assert found[0].margin == pytest.approx(0.7)
    assert model.suspects(labels, probabilities, smallest=101) == []


def test_bad_share():
    labels, probabilities = planted()
    model = LabelModel(3)
    model.update(labels, probabilities)
    with pytest.raises(ValueError, match="share is 0"):
        model.suspects(labels, probabilities, share=0)
