"""Strips show every pixel of a case with its number and color, and every value beside its convention."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from segtutor.plotting import StripCase, show_strips


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_each_pixel_stands_at_its_place_with_its_number():
    case = StripCase("void", {"truth": [0, 1, 255], "prediction": [0, 1, 1]}, {"left out": 1.0, "background": 0.5})
    axes = show_strips([case])
    pixels = {patch.get_xy(): patch for patch in axes.patches}
    assert sorted(pixels) == [(0, 1.5), (0, 2.5), (1, 1.5), (1, 2.5), (2, 1.5), (2, 2.5)]
    assert pixels[2, 1.5].get_hatch() is not None, "void is hatched"
    assert pixels[1, 1.5].get_facecolor() == pixels[2, 2.5].get_facecolor(), "one class, one color"
    assert pixels[0, 1.5].get_facecolor()[:3] != to_rgb("white")
    words = [text.get_text() for text in axes.texts]
    assert words == ["void", "truth", "0", "1", "prediction", "0", "1", "1", "1.000", "left out", "0.500", "background"]


def test_cases_stand_below_each_other_and_gaps_stay_empty():
    first = StripCase("pictures", {"truth": [0, None, 1]}, {"a": "A", "b": "B"})
    second = StripCase("short", {"truth": [3]}, {"a": 0.25, "b": np.nan})
    axes = show_strips([first, second])
    assert sorted(patch.get_xy() for patch in axes.patches) == [(0, 1.5), (0, 6.0), (2, 1.5)]
    values = [text for text in axes.texts if text.get_text() in ("A", "B", "0.250", "NaN")]
    assert len({text.get_position()[0] for text in values}) == 1, "the values of all cases stand in one column"
    assert [text.get_weight() for text in values] == ["bold", "normal"] * 2, "the course's own value is bold"
    low, high = axes.get_ylim()
    assert low >= 7.0 > 0 > high, "the axis points down"


def test_a_given_axes_is_used():
    _, axes = plt.subplots()
    assert show_strips([StripCase("one", {"truth": [0]}, {"a": 1.0})], axes=axes) is axes


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "at least one case"),
        ([StripCase("odd", {"truth": [0, 1], "prediction": [0]}, {})], "equally long.*'truth': 2, 'prediction': 1"),
        ([StripCase("high", {"truth": [4]}, {})], "class 0...3 or void .255., but there is 4"),
        ([StripCase("low", {"truth": [-1]}, {})], "there is -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(cases, message):
    with pytest.raises(ValueError, match=message):
        show_strips(cases)
