"""Masks against a class per pixel: classes merged by hand, one start, and a loss that is the sum of known ones."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.claims.class_counts import BROAD_GROUPS, COUNTS, GROUPS, ClassCount, MergedPictures
from segtutor.claims.per_pixel import PerPixel
from segtutor.claims.pictures import Pictures
from segtutor.labels import SCENES

TINY = {"steps": 2, "train_count": 8, "val_count": 3}


@pytest.mark.parametrize("groups", [GROUPS, BROAD_GROUPS], ids=["16", "8"])
def test_every_class_of_scenes_is_in_one_group(groups):
    assert sorted(chain.from_iterable(groups.values())) == sorted(SCENES.names)
    assert len(groups) in COUNTS


def test_the_few_are_made_of_the_many():
    """Nobody is parted again: classes that are one of sixteen are one of eight."""
    broad = {name: group for group, names in BROAD_GROUPS.items() for name in names}
    for names in GROUPS.values():
        assert len({broad[name] for name in names}) == 1


def test_merged_by_hand():
    numbers = SCENES.select(["sky", "cow", "sheep", "cat"])
    maps = np.array([[[*numbers, SCENES.ignore_index]]], dtype=np.uint8)
    pictures = Pictures(np.zeros((1, 3, 1, 5), np.uint8), maps, np.zeros(maps.shape, bool), np.zeros(maps.shape))
    sixteen, eight, all_of_them = (MergedPictures(pictures, count) for count in (16, 8, 33))
    sky, large, small = sixteen.labels.select(["sky", "large animal", "small animal"])
    assert sixteen[0][1].tolist() == [[sky, large, large, small, 255]]
    sky, living = eight.labels.select(["sky", "living"])
    assert eight[0][1].tolist() == [[sky, living, living, living, 255]]
    assert all_of_them[0][1].tolist() == [[*numbers, 255]]
    assert all_of_them.labels.names == SCENES.names
    with pytest.raises(ValueError, match="Scenes can have 8, 16, 33 classes, but count is 24"):
        MergedPictures(pictures, 24)


def test_both_trainings_start_alike_and_a_query_is_a_class():
    recipe = ClassCount(8)
    one, other = recipe.build(3), recipe.build(3)
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    pixels, images = PerPixel(one).eval(), torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        scores, masks = pixels(images)["out"], other.eval()(images)["masks"]
    assert scores.shape == (2, 8, 64, 96)
    assert torch.allclose(scores, F.interpolate(masks, (64, 96), mode="bilinear"), atol=1e-5)


def test_every_layer_has_its_cross_entropy():
    model = PerPixel(ClassCount(8).build(0)).train()
    labels = torch.randint(8, (2, 64, 96))
    labels[:, :10] = 255
    output = model(torch.randn(2, 3, 64, 96))
    known = labels != 255
    by_hand = sum(
        -layer.log_softmax(1).movedim(1, -1)[known].gather(1, labels[known][:, None]).mean()
        for layer in output["layers"]
    )
    assert len(output["layers"]) == 4
    assert torch.allclose(model.loss_of_labels(output, labels, 255), by_hand, rtol=1e-4)


def test_a_run_has_both_scores_and_comes_out_again():
    recipe = replace(ClassCount(8), **TINY).in_precision("float32")
    values = recipe(0, False)
    assert values == recipe(0, False)
    assert values["gain"] == values["masks"] - values["pixels"]
    assert 0 <= values["pixels"] <= 1
    assert ClassCount(33).shortened().steps < ClassCount(33).steps


def test_fixed_queries_are_an_option_of_the_loss_alone():
    matched, fixed = ClassCount(8).build(3), ClassCount(8, fixed=True).build(3)
    assert (matched.settings.fixed, fixed.settings.fixed) == (False, True)
    for key, value in matched.state_dict().items():
        assert torch.equal(value, fixed.state_dict()[key]), key
