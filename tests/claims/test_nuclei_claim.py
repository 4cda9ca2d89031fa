"""Half a photograph of nuclei: what is learned and how it is scored, without the training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segtutor.claims.cells import regions, score
from segtutor.claims.experiments.world import nuclei as experiment
from segtutor.claims.experiments.world.nuclei import HalfAPhotograph, otsu
from segtutor.datasets.nuclei import Nuclei
from segtutor.training.gaps import apart


def photograph(size=64):
    """Two pairs of squares that touch, and one alone."""
    things = np.zeros((size, size), dtype=np.int64)
    for number, (top, left) in enumerate([(4, 4), (4, 14), (30, 8), (40, 8), (50, 50)], start=1):
        things[top : top + 10, left : left + 10] = number
    light = np.where(things > 0, 0.8, 0.2) + 0.05 * np.random.default_rng(0).standard_normal(things.shape)
    return Nuclei(np.clip(light, 0, 1).astype(np.float32), things)


def test_scores_of_perfect_and_of_merged_nuclei():
    things = photograph().things
    perfect, merged = (score([things], [regions(mask)]) for mask in (apart(things), things > 0))
    assert perfect["f1"] == 1
    assert (perfect["merged"], perfect["iou"]) == (0, 1)
    assert merged["merged"] == 4 / 5
    # Of a pair's region half is the one nucleus and half the other: IoU 0.5 is not above 0.5.
    assert merged["f1"] == pytest.approx(1 / (1 + 2 / 2 + 4 / 2))
    nothing = score([things], [np.zeros_like(things)])
    assert (nothing["f1"], nothing["merged"], nothing["iou"]) == (0, 0, 0)


def test_a_region_that_spills_over_the_ground_has_not_found_its_nucleus():
    things = np.zeros((20, 20), dtype=np.int64)
    things[5:10, 5:10] = 3
    spilled = {side: np.zeros_like(things) for side in (7, 8)}  # of 49 and 64 pixels, around the 25
    for side, found in spilled.items():
        found[4 : 4 + side, 4 : 4 + side] = 1
    assert [score([things], [one])["f1"] for one in spilled.values()] == [1, 0]  # IoU 25 / 49 and 25 / 64
    assert score([things], [things])["pq"] == 1


def test_regions_that_are_too_small_are_none():
    mask = np.zeros((8, 8), dtype=bool)
    mask[:3, :4] = mask[6:, 6:] = True  # 12 and 4 pixels
    assert sorted(np.unique(regions(mask)).tolist()) == [0, 1]


def test_otsu_is_scikit_images():
    from skimage.filters import threshold_otsu

    picture = photograph().picture
    width = float(np.ptp(picture)) / 256
    assert otsu(picture) == pytest.approx(float(threshold_otsu(picture)), abs=1.01 * width)
    assert 0.3 < otsu(picture) < 0.7


def test_a_batch_has_gaps_that_weigh_more_and_the_seed_decides():
    recipe = HalfAPhotograph(crop=48)
    torch.manual_seed(3)
    images, labels, weights = recipe.batch([photograph()])
    assert images.shape == (4, 3, 48, 48)
    assert labels.shape == weights.shape == (4, 48, 48)
    assert set(labels.unique().tolist()) == {0, 1}
    assert (weights[labels == 1] == 1).all()
    assert weights.max() > 4
    torch.manual_seed(3)
    assert torch.equal(recipe.batch([photograph()])[0], images)


def test_the_left_half_is_learned_and_the_right_one_scored(monkeypatch):
    whole = photograph(128)
    monkeypatch.setattr(experiment, "nuclei", lambda: whole)
    learned = []
    monkeypatch.setattr(
        HalfAPhotograph, "batch", lambda self, one, real=HalfAPhotograph.batch: learned.append(one) or real(self, one)
    )
    values = replace(HalfAPhotograph(), steps=2, crop=32).in_precision("float32")(0, False)
    assert set(values) == {"f1", "pq", "merged", "iou"}
    assert all(np.array_equal(one.things, whole.things[:, :64]) for (one,) in learned)
    assert len(learned) == 2
