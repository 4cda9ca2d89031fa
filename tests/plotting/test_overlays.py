"""Overlays: the right colors at the right pixels, all forms of images, clear words for bad input."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from segtutor.labels import SCENES, VOC2012
from segtutor.plotting import colorize, legend, show_gallery, show_instances, show_overlay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def test_colorize_by_hand():
    labels = np.array([[0, 15], [255, 12]])
    expected = [[[0, 0, 0], [192, 128, 128]], [[255, 255, 255], [64, 0, 128]]]
    assert colorize(labels, VOC2012).tolist() == expected
    assert colorize(torch.tensor(labels), VOC2012).tolist() == expected
    assert np.array_equal(colorize(np.arange(33)[None], SCENES)[0], np.array(SCENES.colors))


def test_overlay_blends_by_alpha_and_names_what_occurs():
    image = np.full((4, 6, 3), 100, dtype=np.uint8)
    labels = np.full((4, 6), 15)
    labels[0, 0] = 255
    axes = show_overlay(image, labels, VOC2012, alpha=0.5)
    assert shown(axes)[2, 2].tolist() == [146, 114, 114]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["person", "void"]
    assert show_overlay(image, labels, VOC2012, legend=False).get_legend() is None
    assert np.array_equal(shown(show_overlay(image, labels, VOC2012, alpha=0)), image)


def test_an_untinted_class_keeps_the_picture_and_has_no_name():
    image = np.full((2, 2, 3), 100, dtype=np.uint8)
    axes = show_overlay(image, np.array([[0, 15], [12, 0]]), VOC2012, alpha=0.5, untinted=[0])
    assert shown(axes).tolist() == [[[100, 100, 100], [146, 114, 114]], [[82, 50, 114], [100, 100, 100]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["dog", "person"]


@pytest.mark.parametrize("form", ["hwc", "chw", "float", "torch", "gray"])
def test_images_of_every_form(form):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    if form == "gray":
        image[:] = image[..., :1]
    given = {
        "hwc": image,
        "chw": image.transpose(2, 0, 1),
        "float": (image / 255).astype(np.float32),
        "torch": torch.from_numpy(image.transpose(2, 0, 1).copy()),
        "gray": image[..., 0],
    }[form]
    assert np.array_equal(shown(show_overlay(given, np.zeros((5, 7), int), VOC2012, alpha=0)), image)


def test_instances_draw_masks_boxes_and_words():
    image = np.zeros((10, 12, 3), dtype=np.uint8)
    masks = np.zeros((2, 10, 12))
    masks[0, 2:5, 3:7] = 1
    masks[1, 6:9, 1:4] = 0.4
    axes = show_instances(
        image, VOC2012, torch.tensor(masks)[:, None], [[3, 2, 7, 5], [1, 6, 4, 9]], [15, 12], [0.9, 0.25], alpha=1.0
    )
    assert shown(axes)[3, 4].tolist() == [230, 159, 0]
    assert not shown(axes)[7, 2].any()  # probability below one half
    assert [text.get_text() for text in axes.texts] == ["person 0.90", "dog 0.25"]
    rectangle = axes.patches[0]
    assert (rectangle.get_x(), rectangle.get_y(), rectangle.get_width(), rectangle.get_height()) == (2.5, 1.5, 4, 3)
    show_instances(image, VOC2012, boxes=np.zeros((0, 4)), labels=np.zeros(0, int))


def test_gallery_is_a_grid():
    grid = show_gallery([np.zeros((4, 4, 3), np.uint8)] * 5, titles=list("abcde"), columns=3)
    assert grid.shape == (2, 3)
    assert grid[1, 1].get_title() == "e"
    assert not grid[1, 2].images


def test_legend_in_the_given_axes():
    _, axes = plt.subplots()
    assert legend(axes, [255, 12, 12], VOC2012).axes is axes


IMAGE, LABELS = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), int)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: colorize(np.zeros((2, 2)), VOC2012), "whole numbers"),
        (lambda: colorize(np.zeros((2, 3, 2), int), VOC2012), "argmax"),
        (lambda: colorize(np.array([[21]]), VOC2012), r"holds \[21\]"),
        (lambda: show_overlay(IMAGE, LABELS[:2], VOC2012), "one size"),
        (lambda: show_overlay(IMAGE, LABELS, VOC2012, alpha=2), "alpha"),
        (lambda: show_overlay(IMAGE[None], LABELS, VOC2012), "not a batch"),
        (lambda: show_overlay(IMAGE - 2.5, LABELS, VOC2012), "normalization"),
        (lambda: show_instances(IMAGE, VOC2012), "masks or boxes"),
        (lambda: show_instances(IMAGE, VOC2012, boxes=[[0, 0, 1, 1]], labels=[1, 2]), "same instances"),
        (lambda: show_instances(IMAGE, VOC2012, masks=np.zeros((1, 3, 3))), "masks must be"),
        (lambda: show_instances(IMAGE, VOC2012, boxes=[[0, 0, 1]]), "boxes must be"),
        (lambda: show_instances(IMAGE, VOC2012, boxes=[[0, 0, 1, 1]], labels=[40]), "not classes"),
        (lambda: show_gallery([]), "at least one"),
        (lambda: show_gallery([IMAGE], titles=[]), "one title"),
        (lambda: show_gallery([IMAGE], columns=0), "columns"),
        (lambda: legend(plt.subplots()[1], [77], VOC2012), "no class 77"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
