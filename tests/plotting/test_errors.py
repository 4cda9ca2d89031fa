"""Error maps: each outcome by hand, the drawn colors, and that color-blind readers can tell them apart."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from segtutor.metrics import ConfusionMatrix, boundary_band_iou
from segtutor.plotting.errors import (
    ERROR_COLORS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    TRUE_NEGATIVE,
    TRUE_POSITIVE,
    VOID,
    error_map,
    show_errors,
)

TARGET = np.array([[1, 1, 1, 0, 0], [2, 2, 0, 0, 255]])
PREDICTION = np.array([[1, 1, 2, 1, 0], [2, 0, 0, 0, 1]])

# Machado, Oliveira and Fernandes 2009: full protanopia, deuteranopia, tritanopia, on linear RGB.
COLOR_VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "gray print": [[0.2126, 0.7152, 0.0722]] * 3,
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_outcomes_of_one_class():
    tn, tp, fp, fn, void = TRUE_NEGATIVE, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, VOID
    expected = [[tp, tp, fn, fp, tn], [tn, tn, tn, tn, void]]
    assert error_map(TARGET, PREDICTION, class_index=1).tolist() == expected
    assert error_map(torch.from_numpy(TARGET), torch.from_numpy(PREDICTION), 1).tolist() == expected
    assert error_map(TARGET == 1, PREDICTION == 1, 1)[0].tolist() == expected[0]


def test_outcomes_of_all_classes():
    right, wrong = TRUE_POSITIVE, FALSE_NEGATIVE
    expected = [[right, right, wrong, wrong, right], [right, wrong, right, right, VOID]]
    assert error_map(TARGET, PREDICTION).tolist() == expected


def test_drawn_colors_title_and_legend_agree_with_the_metrics():
    confusion = ConfusionMatrix(3)
    confusion.update(TARGET, PREDICTION)
    axes = show_errors(TARGET, PREDICTION, class_index=1)
    drawn = axes.get_images()[0].get_array()
    np.testing.assert_array_equal(drawn, ERROR_COLORS[error_map(TARGET, PREDICTION, 1)])
    assert axes.get_title() == f"class 1: IoU {confusion.iou()[1]:.3f}"
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["found (TP) 22.2%", "invented (FP) 11.1%", "missed (FN) 11.1%", "void"]
    assert show_errors(TARGET, PREDICTION).get_title() == f"pixel accuracy {confusion.pixel_accuracy():.3f}"


def test_band_shows_what_boundary_band_iou_counts():
    target, prediction = np.zeros((2, 10, 20), dtype=np.int64)
    target[:, 10:], prediction[:, 12:] = 1, 1
    axes = show_errors(target, prediction, class_index=1, band_width=5)
    iou = boundary_band_iou(target, prediction, 2, width=5)[1]
    assert axes.get_title() == f"class 1: IoU {iou:.3f} within 5 px of a label change"
    drawn = axes.get_images()[0].get_array()
    assert (drawn[:, :5] == 255).all()
    assert (drawn[:, 15:] == 255).all()
    assert (drawn[:, 5:15] != 255).any(axis=-1).all()


def test_axes_title_and_nothing_to_score():
    _, axes = plt.subplots()
    assert show_errors(TARGET, PREDICTION, axes=axes, title="mine") is axes
    assert axes.get_title() == "mine"
    void = np.full((2, 2), 255)
    assert show_errors(void, np.zeros((2, 2), int)).get_title() == "nothing to score"
    assert show_errors(void, np.zeros((2, 2), int), class_index=3).get_title() == "class 3: absent"


@pytest.mark.parametrize("vision", COLOR_VISION)
def test_colors_stay_apart(vision):
    color = pytest.importorskip("skimage.color")
    srgb = ERROR_COLORS[[TRUE_NEGATIVE, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, VOID]] / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(COLOR_VISION[vision]).T).clip(0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = color.rgb2lab(seen[None])[0]
    distances = {(a, b): np.linalg.norm(lab[a] - lab[b]) for a, b in itertools.combinations(range(5), 2)}
    assert min(distances.values()) > (8 if vision == "gray print" else 20), distances


def test_refusals():
    with pytest.raises(ValueError, match=r"\(2, 5\) and \(5, 2\)"):
        show_errors(TARGET, PREDICTION.T)
    with pytest.raises(ValueError, match="prediction must hold whole numbers"):
        show_errors(TARGET, PREDICTION / 2)
    with pytest.raises(ValueError, match="choose one of the batch"):
        show_errors(TARGET[None], PREDICTION[None])
