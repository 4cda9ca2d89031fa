"""What is written down about the course's trained SAM."""

import torch

from segtutor import models
from segtutor.claims.masks import SegmentPictures
from segtutor.claims.sam_checkpoint import TRIES, limits, score
from segtutor.datasets import Scenes
from segtutor.inference.clicks import ambiguous_clicks, clear_clicks


def test_scores_are_of_all_clicks():
    torch.manual_seed(0)
    pictures = SegmentPictures(Scenes("val", size=(64, 80), count=6, target="panoptic", scale_range=1.5))
    scores = score(models.create("sam_tiny"), pictures)
    assert scores["clear"]["clicks"] == len(clear_clicks(pictures)) > 0
    assert scores["ambiguous"]["clicks"] == len(ambiguous_clicks(pictures)) > 0
    assert 0 <= scores["clear"]["chosen_iou"] <= scores["clear"]["oracle_iou"] <= 1
    # The first click's answer is the one that the network thinks best of, in both columns.
    assert scores["more_clicks"]["iou_after_1"] == scores["clear"]["chosen_iou"]
    assert 1 <= scores["more_clicks"]["clicks_to_85"] <= TRIES


def test_limits_are_of_the_pictures_that_are_meant():
    torch.manual_seed(0)
    learned, unseen = (
        SegmentPictures(Scenes(split, size=(64, 80), count=6, target="panoptic", scale_range=1.5))
        for split in ("train", "val")
    )
    found = limits(models.create("sam_tiny"), learned, unseen)
    assert found["scenes_of_the_training"]["clicks"] == len(clear_clicks(learned)) > 0
    assert 0.3 < found["true_masks_told_by_4_x_4_pixels"]["iou"] < 0.98  # coarse, but of what is really there
