"""What is done to the pictures that the CRF gets: as much as it says, and the same for the same seed."""

import pytest
import torch

from segtutor.claims.experiments.deeplab.disturbances import DISTURBED, Disturbance, with_noise, with_shadows

GRAY = torch.full((3, 60, 80), 128, dtype=torch.uint8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_has_the_deviation_that_was_asked_for():
    noisy = with_noise(GRAY, 10, generator())
    assert noisy.dtype == torch.uint8
    assert float(noisy.float().std()) == pytest.approx(10, rel=0.03)
    assert float(noisy.float().mean()) == pytest.approx(128, abs=0.5)
    assert with_noise(torch.zeros_like(GRAY), 50, generator()).min() == 0  # and no value wraps around
    assert with_noise(torch.full_like(GRAY, 255), 50, generator()).max() == 255


def test_shadows_take_away_at_most_their_depth_and_leave_light():
    shaded = with_shadows(GRAY, 0.5, generator()).float()
    assert 64 <= shaded.min() < 70
    assert 122 < shaded.max() <= 128
    assert torch.equal(shaded[0], shaded[2])  # gray stays gray
    dark = float((shaded[0] < 96).float().mean())
    assert 0.15 < dark < 0.85


def test_blur_leaves_a_flat_picture_and_widens_an_edge():
    assert torch.equal(Disturbance(blur=1).apply(GRAY, generator()), GRAY)
    edge = GRAY.clone()
    edge[:, :, 40:] = 0
    row = Disturbance(blur=2).apply(edge, generator())[0, 30].float()
    assert row[30] == 128
    assert row[50] == 0
    assert 50 < row[39] < 90


def test_nothing_is_done_where_all_is_zero_and_the_same_seed_does_the_same():
    assert Disturbance().apply(GRAY, generator()) is GRAY
    both = Disturbance(shadow=0.3, blur=1, noise=20)
    assert torch.equal(both.apply(GRAY, generator(3)), both.apply(GRAY, generator(3)))
    assert not torch.equal(both.apply(GRAY, generator(3)), both.apply(GRAY, generator(4)))


def test_the_undisturbed_network_and_crf_are_those_of_the_other_columns():
    values = Disturbance()(0, short=True)
    assert values["mean_iou"] == values["seen_iou"]
    assert values["mean_iou_gain"] == values["seen_mean_iou_gain"] > 0
    assert set(values) >= {measure.key for measure in DISTURBED.measures}
