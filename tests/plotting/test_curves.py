"""What the drawn precision-recall curve holds: the points, the envelope, and an area that is the AP."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from segtutor.metrics import average_precision, precision_recall_curve
from segtutor.plotting.curves import show_precision_recall


@pytest.fixture
def curve():
    hits = [1, 0, 1, 1, 0, 0, 1, 0]
    return precision_recall_curve(np.linspace(0.9, 0.2, 8), hits, num_positives=5)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def shaded_area(axes):
    """Area of the drawn polygon, by the shoelace formula."""
    (collection,) = [c for c in axes.collections if isinstance(c, PolyCollection)]
    (path,) = collection.get_paths()
    x, y = path.vertices.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


@pytest.mark.parametrize("method", ["area", "step", "trapezoid"])
def test_shaded_area_is_the_ap(curve, method):
    axes = show_precision_recall(curve.precision, curve.recall, method)
    value = average_precision(curve.precision, curve.recall, method)
    assert shaded_area(axes) == pytest.approx(value, abs=1e-9)
    assert axes.get_title() == f"AP ({method}) = {value:.4f}"


@pytest.mark.parametrize("method", ["5point", "11point"])
def test_mean_bar_is_the_ap(curve, method):
    axes = show_precision_recall(curve.precision, curve.recall, method, num_positives=5)
    heights = [bar.get_height() for bar in axes.patches]
    assert len(heights) == int(method[:-5])
    assert np.mean(heights) == pytest.approx(average_precision(curve.precision, curve.recall, method, 5), abs=1e-12)


def test_a_hundred_levels_are_dots_and_their_mean_is_the_ap(curve):
    axes = show_precision_recall(curve.precision, curve.recall, "101point")
    assert not axes.patches, "a bar per level would be narrower than a pixel"
    dots = axes.get_lines()[0]
    np.testing.assert_allclose(dots.get_xdata(), np.linspace(0, 1, 101))
    assert np.mean(dots.get_ydata()) == pytest.approx(average_precision(curve.precision, curve.recall, "101point"))


def test_points_and_envelope_are_drawn_on_the_given_axes(curve):
    _, axes = plt.subplots()
    assert show_precision_recall(curve.precision, curve.recall, axes=axes, title="cat") is axes
    envelope, points = axes.get_lines()
    np.testing.assert_array_equal(points.get_xdata(), curve.recall)
    np.testing.assert_array_equal(points.get_ydata(), curve.precision)
    assert (np.diff(envelope.get_ydata()) <= 0).all()
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("cat", "recall", "precision")


def test_nothing_detected_and_nothing_to_detect():
    assert show_precision_recall([], []).get_title() == "AP (area) = 0.0000"
    nothing = precision_recall_curve([0.5], [0], 0)
    assert "nan" in show_precision_recall(nothing.precision, nothing.recall).get_title()


def test_refuses_what_average_precision_refuses(curve):
    with pytest.raises(ValueError, match="method must be"):
        show_precision_recall(curve.precision, curve.recall, "voc")
