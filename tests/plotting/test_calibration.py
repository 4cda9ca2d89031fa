"""The figures of confidence and of the kinds of errors show the numbers that the metrics give."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor.metrics import Calibration, area_under_risk, risk_coverage
from segtutor.plotting import show_error_kinds, show_reliability, show_risk


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def counted():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([0.4, 0.4, 0.4], 2000).T
    labels = np.where(random.random(2000) < 0.6, probabilities.argmax(axis=0), 0)
    calibration = Calibration(3)
    calibration.update(labels, probabilities)
    return calibration, probabilities.max(axis=0), probabilities.argmax(axis=0) == labels


def test_reliability_is_drawn_where_the_bins_are():
    calibration, _, _ = counted()
    axes = show_reliability(calibration)
    line = next(one for one in axes.lines if one.get_label() == "is right")
    confidence, accuracy = calibration.reliability()
    there = calibration.counts > 0
    np.testing.assert_allclose(line.get_xdata(), confidence[there])
    np.testing.assert_allclose(line.get_ydata(), accuracy[there])
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(calibration.counts / calibration.pixels)
    assert f"ECE {100 * calibration.ece():.1f} %" in axes.get_title()


def test_risk_has_a_line_and_an_area_for_each_curve():
    _, sure, right = counted()
    curves = {"confidence": risk_coverage(sure, right), "chance": risk_coverage(np.arange(2000), right)}
    axes = show_risk(curves)
    for line, (coverage, risk) in zip(axes.lines, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), risk)
        assert f"{100 * area_under_risk(coverage, risk):.1f} %" in line.get_label()
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 2


def test_kinds_have_their_colors_and_shares():
    target = np.array([[1, 1, 1, 0, 0, 0, 0, 0, 255]])
    prediction = np.array([[1, 1, 0, 0, 0, 0, 2, 2, 0]])
    missed, invented = show_error_kinds(target, prediction), show_error_kinds(target, prediction, invented=True)
    pixels = [axes.images[0].get_array()[0] for axes in (missed, invented)]
    assert len(np.unique(pixels[0], axis=0)) == 4  # right, boundary, extent, void
    np.testing.assert_array_equal(pixels[0][2], pixels[1][2])  # a boundary both ways
    assert not np.array_equal(pixels[0][6], pixels[1][6])  # class 0 misses a part, class 2 is invented as a whole
    words = [text.get_text() for text in missed.get_legend().get_texts()]
    assert words == ["right", "boundary 33%", "extent 67%", "segment 0%", "void"]
    assert "37.5% of the pixels are wrong" in missed.get_title()
    nothing = show_error_kinds(target, np.where(target == 255, 0, target))
    assert "0.0% of the pixels are wrong" in nothing.get_title()


def test_bad_input():
    with pytest.raises(ValueError, match="no pixel was counted"):
        show_reliability(Calibration(2))
    with pytest.raises(ValueError, match="0 curves came"):
        show_risk({})
