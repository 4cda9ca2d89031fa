"""Lesson 11's references against the package, the recorded networks of the diagnosis, and what a laboratory refuses."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from segtutor import analysis, models, resources
from segtutor.exercises.lesson11 import LABORATORY, make_networks, six_reports
from segtutor.exercises.lesson11.bootstrap import bootstrap_difference
from segtutor.exercises.lesson11.diagnosis import EXERCISE as DIAGNOSIS
from segtutor.exercises.lesson11.ece import calibration_error
from segtutor.exercises.lesson11.experiment import EXAMPLE
from segtutor.exercises.lesson11.faults import FAULTS, HEALTHY, IN_ORDER
from segtutor.exercises.lesson11.gaps import gap_weights
from segtutor.exercises.lesson11.inputs import answers, cells, softmax, two_networks
from segtutor.exercises.lesson11.reestimate import reestimate
from segtutor.exercises.lesson11.reports import LETTERS, NAME, recorded, report
from segtutor.exercises.lesson11.temperature import best_temperature
from segtutor.exercises.lesson11.unet_sizes import unet_sizes
from segtutor.exercises.loaders import EIGHT, VOID, File
from segtutor.metrics.calibration import Calibration, fit_temperature
from segtutor.training import gaps
from segtutor.training.statistics import reestimate_statistics

SEEDS = range(4)


def test_without_a_prior_the_statistics_are_the_packages():
    torch.manual_seed(0)
    first = models.create("unet_tiny", num_classes=2).train()
    second = copy.deepcopy(first)
    pictures = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8)
    reestimate_statistics(first, pictures, 4)
    reestimate(second, second.preprocessing.normalize(pictures).split(4), 0)
    for (name, one), other in zip(first.named_buffers(), second.buffers(), strict=True):
        if "running" in name:
            torch.testing.assert_close(one, other)


def test_with_a_large_prior_the_statistics_stay():
    network = nn.Sequential(nn.BatchNorm2d(3))
    reestimate(network, [torch.randn(4, 3, 8, 8) + 5], 4_000_000)
    torch.testing.assert_close(network[0].running_mean, torch.zeros(3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bins", [1, 7, 15])
def test_the_calibration_error_is_the_packages(seed, bins):
    logits, labels = answers(seed, 4, (9, 11))
    counted = Calibration(4, bins)
    counted.update(labels, softmax(logits))
    error, gap = calibration_error(softmax(logits), labels, bins, 255)
    confidence, accuracy = counted.reliability()
    assert error == pytest.approx(counted.ece())
    np.testing.assert_allclose(gap, confidence - accuracy, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("strength", [0.3, 1.0, 6.0])
def test_the_temperature_is_the_packages(seed, strength):
    logits, labels = answers(seed, 4, (10, 12), strength)
    assert best_temperature(logits, labels, 255)[0] == pytest.approx(fit_temperature(labels, logits), rel=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_difference_is_the_packages_and_pairs_narrow_its_interval(seed):
    first, second, drawn = two_networks(seed, 30, 4, 400)
    of_package = analysis.compare(first, second, samples=400)
    value, low, high = bootstrap_difference(first, second, drawn, 0.95)
    assert value == pytest.approx(of_package.value)
    assert (low, high) == pytest.approx((of_package.low, of_package.high), abs=0.02)


@pytest.mark.parametrize("least", [1, 100, 189, 237, 572])
def test_the_sizes_are_those_that_the_published_network_takes(least):
    side, output, crops = unet_sizes(least, 5, 2)
    with torch.device("meta"):
        network = models.create("unet", num_classes=2).eval()
        assert network.valid(torch.zeros(1, 3, side, side)).shape[2:] == (output, output)
    assert side - output == 2 * network.margin
    assert crops == [4, 16, 40, 88]
    assert side >= least
    assert side - 16 < max(least, 188)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_weights_of_gaps_are_the_packages_in_the_background(seed):
    drawn = cells(seed, 6, (14, 16))
    of_package = gaps.gap_weights(drawn, 10.0, 3.0) - 1
    np.testing.assert_allclose(gap_weights(drawn, 10.0, 3.0)[drawn == 0], of_package[drawn == 0], atol=0.005)


@pytest.mark.parametrize("rule", [DIAGNOSIS.reference, *DIAGNOSIS.alternatives])
def test_every_recorded_network_is_diagnosed_by_every_rule(rule):
    generator = np.random.default_rng(0)
    for seed, faults in IN_ORDER.items():
        assert sorted(faults) == sorted((HEALTHY, *FAULTS))
        for number, fault in enumerate(faults):
            one = report(seed, number, generator.permutation(len(EIGHT)))
            assert rule(one).strip().lower() == fault, (seed, number)


def test_the_record_says_how_it_was_made_and_not_what_is_asked():
    path = resources.data("results", NAME)
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)
    assert path.stat().st_size < 14_000
    assert not [fault for fault in FAULTS if fault in text]
    assert content["settings"]["steps"] == make_networks.STEPS
    assert content["command"].startswith("python -m segtutor.exercises.lesson11.make_networks --out data/results")
    assert set(recorded()) == set(IN_ORDER) == set(make_networks.SEEDS)


def test_six_reports_are_of_one_seed_and_their_numbers_agree():
    reports = six_reports()
    assert "".join(reports) == LETTERS
    for one in reports.values():
        matrix = one["confusion"]
        assert 9_950 <= matrix.sum() <= 10_050
        assert len(one["classes"]) == len(one["val"]) == len(one["night"]) == len(matrix) == len(EIGHT)
        with np.errstate(invalid="ignore"):
            iou = matrix.diagonal() / (matrix.sum(0) + matrix.sum(1) - matrix.diagonal())
        assert np.nanmean(iou) == pytest.approx(one["right"][4], abs=0.005)
        assert one["right"][4] == one["down"][4]
        assert sum(one["kinds"]) == pytest.approx(1, abs=0.002)


def test_what_is_planted_is_what_it_is_called():
    labels = np.array([[1, 1, 3, VOID]], dtype=np.uint8)
    files = [File("scene_1", np.zeros((1, 4, 3), np.uint8), labels)]
    assert make_networks.merged(files, 1, 4)[0].labels.tolist() == [[4, 4, 3, VOID]]
    loader = make_networks.ShiftedLoader(files)
    loader.off = (0, 1)
    assert loader[0][1].tolist() == [[VOID, 1, 1, 3]]
    found = [np.array([[1, 3, 5, 5]])]
    assert make_networks.moved_iou(files, found, 1, 1) == 1.0
    assert make_networks.moved_iou(files, found, 1, 0) < 1
    upright = [File("scene_1", np.zeros((4, 1, 3), np.uint8), labels.T)]
    assert make_networks.moved_iou(upright, [found[0].T], 0, 1) == 1.0
    assert make_networks.moved_iou(upright, [np.array([[5], [1], [1], [3]])], 0, -1) == 1.0


def test_the_laboratory_takes_its_example_and_refuses_what_it_cannot_run():
    assert LABORATORY.trouble(EXAMPLE["declaration"]) is None
    for key, value, sentence in (
        ("model", "unet_tiny", "model is 'unet_tiny', but must be one of fcn8s_tiny, pspnet_tiny"),
        ("steps", 1000, "steps is 1000, but must be a whole number from 1 to 120"),
        ("pictures", 4, "pictures is 4, but must be a whole number from 8 to 400"),
        ("unlabeled", 1, "a variance needs at least 2 pictures"),
    ):
        with pytest.raises(ValueError, match=sentence):
            LABORATORY.run({**LABORATORY.options, key: value}, 0)
