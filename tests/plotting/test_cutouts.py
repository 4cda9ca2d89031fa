"""A cut-out keeps the pixels of the mask, fades the others, and draws truth and box where they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor import plotting


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_kept_pixels_stay_and_others_fade_to_pale_blue():
    image = np.zeros((2, 3, 3), dtype=np.uint8)
    image[..., 0] = 200
    mask = np.array([[True, False, False], [False, False, True]])
    shown = plotting.show_cutout(image, mask, faint=0.5).images[0].get_array()
    assert shown[mask].tolist() == [[200, 0, 0]] * 2
    assert np.abs(shown[~mask].astype(int) - [211, 114.5, 119]).max() <= 1, "half picture, half paper"
    blank = plotting.show_cutout(image, mask, faint=0).images[0].get_array()
    assert (blank[~mask] == [222, 229, 238]).all()


def test_truth_is_outlined_and_the_box_lies_on_its_pixels():
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    truth = np.zeros((8, 8), dtype=bool)
    truth[2:5, 3:7] = True
    axes = plotting.show_cutout(image, ~truth, truth=truth, box=(3, 2, 7, 5))
    (box,) = axes.patches
    assert box.get_bbox().extents.tolist() == [2.5, 1.5, 6.5, 4.5], "pixel 3 reaches from 2.5 to 3.5 on the axes"
    (outline,) = axes.collections
    points = np.concatenate([path.vertices for path in outline.get_paths()])
    assert points.min(axis=0).tolist() == [2.5, 1.5]
    assert points.max(axis=0).tolist() == [6.5, 4.5]


def test_an_empty_truth_draws_no_outline():
    nothing = np.zeros((4, 4), dtype=bool)
    assert not plotting.show_cutout(np.zeros((4, 4, 3), np.uint8), ~nothing, truth=nothing).collections


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mask": np.full((4, 4), 0.7)}, "as probability > 0.5"),
        ({"mask": np.ones((3, 4), bool)}, "4 x 4 as the picture"),
        ({"truth": np.ones((4, 4))}, "truth must be bool"),
        ({"faint": 1.5}, "faint must be from 0"),
    ],
)
def test_bad_arguments_say_what_to_do(change, words):
    arguments = {"image": np.zeros((4, 4, 3), np.uint8), "mask": np.ones((4, 4), bool), **change}
    with pytest.raises(ValueError, match=words):
        plotting.show_cutout(**arguments)
