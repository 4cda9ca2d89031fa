"""Found and true objects over a picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from segtutor import plotting
from segtutor.plotting.objects import NO_MATCH


def block(top, left, height=6, width=6):
    mask = np.zeros((20, 30), dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def test_what_matches_shares_a_color_and_nothing_else_has_one():
    truth = np.stack([block(0, 0), block(0, 10), block(10, 0)])
    found = np.stack([block(0, 11), block(1, 10), block(10, 20), block(0, 0)])
    ours, theirs = plotting.matched_colors(found, truth)
    assert ours[0] == theirs[1]  # 30 of 42 pixels
    assert ours[1] == NO_MATCH  # the second report of an object that is taken
    assert ours[2] == theirs[2] == NO_MATCH
    assert ours[3] == theirs[0]
    assert len({*ours}) == 3
    assert plotting.matched_colors(found[:0], truth) == ([], [NO_MATCH] * 3)


def test_masks_are_drawn_in_their_color_over_a_larger_picture():
    things = {"masks": block(4, 5)[None], "boxes": np.array([[5.0, 4, 11, 10]]), "labels": [1], "scores": [0.9]}
    figure, axis = plt.subplots(figsize=(3, 2), dpi=100)
    axis.set_position((0, 0, 1, 1))
    white = np.full((60, 90, 3), 255, dtype=np.uint8)
    plotting.show_objects(white, things, ("none", "dog"), colors=["#0000FF"], ax=axis)
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    row, column = (int(side) for side in axis.transData.transform((8, 7))[::-1])
    inside, outside = drawn[len(drawn) - row, column], drawn[-5, -5]
    assert inside.tolist() == pytest.approx([127, 127, 255], abs=3)
    assert outside.tolist() == [255, 255, 255]
    assert [text.get_text() for text in axis.texts] == ["dog 0.90"]


def test_a_view_shows_a_part_and_keeps_captions_in_it():
    boxes = np.array([[2.0, 2, 20, 18]])
    axis = plotting.show_boxes(
        np.zeros((20, 30, 3), dtype=np.uint8), boxes, labels=[0], names=["person"], view=(10, 6, 30, 20)
    )
    assert axis.get_xlim() == (10, 30)
    assert axis.get_ylim() == (20, 6)
    x, y = axis.texts[0].get_position()
    assert 10 <= x <= 30
    assert 6 <= y <= 20
    plt.close("all")


def test_pale_is_light_gray_in_few_shades():
    ramp = np.linspace(0, 255, 300).astype(np.uint8).reshape(10, 30)
    light = plotting.pale(np.stack([ramp] * 3, axis=2))
    assert light.shape == (10, 30, 3)
    assert (np.ptp(light, axis=2) == 0).all()
    assert light.min() >= 130
    assert len(np.unique(light)) <= 16
    assert light[0, 0, 0] < light[-1, -1, 0]
