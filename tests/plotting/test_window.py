"""Pictures behind a window: every picture once in the page, clipped to the pixels that the step says."""

import base64
import html
import io
import re

import numpy as np
import pytest
from PIL import Image

from segtutor.plotting import movable_window


def gray(value):
    return np.full((60, 80, 3), value, dtype=np.uint8)


def test_the_window_by_hand():
    figure = movable_window({"A": gray(10), "B": gray(200)}, (45, 20), (10, 30, 80), "the <dot>")
    assert figure.count == 3
    # rows 35 to 55 of 60, columns 10 to 30 of 80: cut 35/60 above, 50/80 right, 5/60 below, 10/80 left
    cuts = re.findall(r"inset\(([^)]+)\)", figure.html)
    assert cuts[:2] == ["58.33% 62.50% 8.33% 12.50%"] * 2
    assert cuts[2:4] == ["25.00% 37.50% 0.00% 0.00%"] * 2
    assert cuts[4:] == ["0.00% 0.00% 0.00% 0.00%"] * 2
    assert "You see 10 pixels to every side of the &lt;dot&gt;." in html.unescape(figure.html)  # an attribute holds it
    assert "The pictures as a whole." in figure.html
    names = re.findall(r'data-name="([^"]+)"', figure.html)
    assert names == ["10 pixels", "30 pixels", "everything"]


def test_every_picture_is_in_the_page_once():
    figure = movable_window({"A": gray(10), "B": gray(200)}, (30, 40), (5, 9))
    encoded = re.findall(r"base64,([^)]+)\)", figure.html)
    assert len(encoded) == 2
    for data, value in zip(encoded, (10, 200), strict=True):
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        assert picture.size == (80, 60)
        assert np.abs(np.asarray(picture).astype(int) - value).max() <= 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="pictures of one size and a step at least"):
        movable_window({"A": gray(0), "B": gray(0)[:50]}, (1, 1), (3,))
    with pytest.raises(ValueError, match="pictures of one size and a step at least"):
        movable_window({"A": gray(0)}, (1, 1), ())
