"""Atrous convolution along a line: by hand, against PyTorch; what the drawing marks is what the sum reads."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.plotting import atrous_line, show_atrous_line, show_taps


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_by_hand():
    """At rate 2 the middle of 1, 2, 4, 8, 16 is 1 - 2 * 4 + 3 * 16 for the weights 1, -2, 3."""
    assert atrous_line([1, 2, 4, 8, 16], [1, -2, 3], 2)[2] == 1 - 8 + 48
    assert atrous_line([1, 2, 4, 8, 16], [1, -2, 3], 2)[0] == -2 + 12  # beyond the line are zeros


@pytest.mark.parametrize("rate", [1, 2, 3, 5])
@pytest.mark.parametrize("taps", [1, 3, 5])
def test_as_pytorch(rate, taps):
    generator = torch.Generator().manual_seed(rate)
    signal = torch.randn(1, 1, 13, generator=generator, dtype=torch.float64)
    kernel = torch.randn(1, 1, taps, generator=generator, dtype=torch.float64)
    theirs = F.conv1d(signal, kernel, padding=rate * (taps // 2), dilation=rate)
    assert np.allclose(atrous_line(signal[0, 0], kernel[0, 0], rate), theirs[0, 0])


def test_the_drawing_shows_the_numbers_and_the_zeros_between_the_weights():
    axis = show_atrous_line([0, 1, 3, 2, 5, 4, 4], [1, 2, -1], rate=2, position=3)
    rows = {row: [] for row in (0, 1, 2)}
    for text in axis.texts:
        if text.get_ha() == "center":
            rows[round(text.get_position()[1] / 1.7 - 0.3)].append(text.get_text().replace("\u2212", "-"))
    assert rows[0] == ["0", "1", "3", "2", "5", "4", "4"]
    assert rows[1] == ["1", "0", "2", "0", "-1"]
    assert [float(value) for value in rows[2]] == atrous_line([0, 1, 3, 2, 5, 4, 4], [1, 2, -1], 2).tolist()


def test_taps_lie_a_stride_times_a_rate_apart():
    axis = show_taps(np.zeros((65, 65, 3), np.uint8), (32, 30), (1, 3), stride=8)
    for line, step in zip(axis.lines[:2], (8, 24), strict=True):
        assert sorted(set(line.get_xdata())) == [30 - step, 30, 30 + step]
        assert sorted(set(line.get_ydata())) == [32 - step, 32, 32 + step]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["rate 1", "rate 3"]


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="rate at least 1"):
        atrous_line([1, 2, 3], [1, 2, 1], 0)
    with pytest.raises(ValueError, match="kernel odd"):
        atrous_line([1, 2, 3], [1, 2], 1)
    with pytest.raises(ValueError, match="reads from -1 to 3"):
        show_atrous_line([1, 2, 3, 4], [1, 1, 1], 2, 1)
    with pytest.raises(ValueError, match="one to 4 rates"):
        show_taps(np.zeros((8, 8, 3), np.uint8), (4, 4), (), 8)
