"""The scores of the claims, worked out by hand on one small picture."""

import numpy as np
import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.claims.pictures import Pictures
from segtutor.claims.scoring import score
from segtutor.labels import SCENES
from segtutor.metrics.boundary import mask_boundary

POLE, SKY, CAR = SCENES.select(["pole", "sky", "car"])


class Answers(nn.Module):
    """Gives a fixed label map for every picture."""

    preprocessing = models.Preprocessing()

    def __init__(self, labels):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.labels = labels

    def forward(self, images):
        return {"out": nn.functional.one_hot(self.labels, len(SCENES)).permute(2, 0, 1)[None].float()}


def scores_of(found, target, thin=None, sides=None):
    shape = (1, *target.shape)
    pictures = Pictures(
        np.zeros((1, 3, *target.shape), np.uint8),
        target.numpy()[None].astype(np.uint8),
        np.zeros(shape, bool) if thin is None else thin[None],
        np.zeros(shape, np.float32) if sides is None else sides[None],
    )
    return score(Answers(found), pictures)


def pole_and_sky():
    target = torch.full((40, 40), SKY)
    target[10:30, 20] = POLE
    target[0, 0] = 255
    found = target.clone()
    found[0, 0] = SKY
    found[10:20, 20] = SKY  # half of the pole is missed
    return found, target


def test_overlaps_by_hand():
    found, target = pole_and_sky()
    scores = scores_of(found, target, thin=(target == POLE).numpy())
    sky_iou = (1599 - 20) / (1599 - 20 + 10)
    assert scores["thin"] == 0.5
    assert scores["pole_iou"] == 0.5
    assert scores["mean_iou"] == pytest.approx((0.5 + sky_iou) / 2)
    assert scores["pixel_accuracy"] == pytest.approx(1 - 10 / 1599)
    # the pole is 20 of 1599 pixels, more than 1 %: no class is rare
    assert scores["class_accuracy"] == scores["frequent_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert np.isnan(scores["rare_accuracy"])
    # the band is 2 pixels around the pole: 24 x 5 of which 20 are pole; and the corner pixel's 3 x 3 without itself
    band_sky = 100 + 8
    assert scores["band_iou"] == pytest.approx((0.5 + band_sky / (band_sky + 10)) / 2)
    assert scores["inner_iou"] == 1.0
    assert np.isnan(scores["bollard_iou"])
    assert np.isnan(scores["small"])


def test_right_by_distance_to_the_next_change_of_label():
    target = torch.full((20, 40), SKY)
    target[:, 20:] = CAR
    found = target.clone()
    found[:10, 19] = CAR  # one pixel from the change: 2 columns, 40 pixels
    found[0, 17:19] = CAR  # 2 and 3 pixels: 4 columns, 80 pixels
    found[:, 0] = CAR  # 20 pixels away: 26 columns lie beyond 7
    scores = scores_of(found, target)
    assert scores["within_1"] == pytest.approx(1 - 10 / 40)
    assert scores["within_3"] == pytest.approx(1 - 2 / 80)
    assert scores["within_7"] == 1.0
    assert scores["beyond"] == pytest.approx(1 - 20 / (26 * 20))


def test_small_and_large_things_are_told_apart_by_their_side():
    target = torch.full((40, 40), SKY)
    target[:4, :4] = target[10:35, 10:35] = CAR
    target[38, 38] = 255
    sides = np.zeros((40, 40), np.float32)
    sides[:4, :4], sides[10:35, 10:35], sides[38, 38] = 4, 25, 1
    found = target.clone()
    found[38, 38] = SKY
    found[0, :4] = SKY
    found[10, 10:35] = SKY
    scores = scores_of(found, target, sides=sides)
    assert scores["small"] == 0.75  # void is not asked
    assert scores["large"] == pytest.approx(24 / 25)


def test_boundary_iou_is_that_of_the_classes_boundaries():
    found, target = pole_and_sky()
    target[0, 0] = SKY
    distance = 1  # 2 % of the diagonal of 40 x 40
    expected = []
    for label in (POLE, SKY):
        mine = mask_boundary((found == label).numpy(), distance)
        true = mask_boundary((target == label).numpy(), distance)
        expected.append((mine & true).sum() / (mine | true).sum())
    assert scores_of(found, target)["boundary_iou"] == pytest.approx(np.mean(expected))
    assert scores_of(target, target)["boundary_iou"] == 1.0


def test_rare_classes_are_those_below_one_percent():
    target = torch.full((40, 40), SKY)
    target[0, :15] = POLE  # 15 of 1600
    target[1, :16] = CAR  # 16 of 1600
    found = target.clone()
    found[0, :5] = SKY
    scores = scores_of(found, target)
    assert scores["rare_accuracy"] == pytest.approx(10 / 15)
    assert scores["frequent_accuracy"] == 1.0
    assert scores["class_accuracy"] == pytest.approx((10 / 15 + 2) / 3)
