"""The interval of a difference: exact where all draws can be listed, and right as often as it says."""

import itertools

import numpy as np
import pytest

from segtutor.analysis import compare, image_matrices
from segtutor.metrics import ConfusionMatrix
from tests.analysis.maps import random_maps


def mean_iou(matrix):
    confusion = ConfusionMatrix(len(matrix))
    confusion.matrix += matrix
    return confusion.mean_iou()


def two_networks(seed, count):
    targets, first = zip(*(random_maps(100 * seed + number) for number in range(count)), strict=True)
    random = np.random.default_rng(seed)
    second = [np.where(random.random(target.shape) < 0.1, 1, one) for target, one in zip(targets, first, strict=True)]
    return image_matrices(targets, first, 4), image_matrices(targets, second, 4)


def test_against_all_draws_of_four_pictures():
    one, other = two_networks(1, 4)
    all_draws = [
        mean_iou(one[list(drawn)].sum(axis=0)) - mean_iou(other[list(drawn)].sum(axis=0))
        for drawn in itertools.product(range(4), repeat=4)
    ]
    result = compare(one, other, samples=20000)
    for confidence in (0.5, 0.9):
        result = compare(one, other, samples=20000, confidence=confidence)
        exact = np.quantile(all_draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        spread = np.ptp(all_draws)
        assert abs(result.low - exact[0]) < 0.05 * spread
        assert abs(result.high - exact[1]) < 0.05 * spread
    assert result.ahead == pytest.approx(np.mean(np.array(all_draws) > 0), abs=0.02)
    assert result.value == pytest.approx(mean_iou(one.sum(axis=0)) - mean_iou(other.sum(axis=0)))


def test_a_network_against_itself_is_undecided_and_the_other_way_round_is_the_negative():
    one, other = two_networks(2, 12)
    same = compare(one, one)
    assert (same.value, same.low, same.high, same.ahead, same.decided) == (0, 0, 0, 0.5, False)
    forth, back = compare(one, other), compare(other, one)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert forth.decided
    assert "decided" in str(forth)


def test_the_same_seed_gives_the_same_interval_and_pairing_makes_it_narrower():
    one, other = two_networks(3, 20)
    assert compare(one, other, seed=4) == compare(one, other, seed=4)
    assert compare(one, other, seed=4) != compare(one, other, seed=5)
    paired = compare(one, other)
    random = np.random.default_rng(0)
    draws = [random.integers(0, 20, (2, 20)) for _ in range(500)]
    unpaired = [mean_iou(one[a].sum(axis=0)) - mean_iou(other[b].sum(axis=0)) for a, b in draws]
    assert paired.high - paired.low < np.ptp(np.quantile(unpaired, [0.025, 0.975]))


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    # One class of two, in pictures of 100 pixels: the networks get them right with chances 0.7 and 0.65.
    random, held = np.random.default_rng(7), 0
    truth = (0.7 - 0.65) / 2  # mean over two classes of IoU: class 0 right p of 100, class 1 never there but as errors
    for _ in range(200):
        rights = random.binomial(100, [[0.7], [0.65]], size=(2, 40))
        matrices = [[[[right, 100 - right], [0, 0]] for right in row] for row in rights]
        result = compare(*matrices, samples=300, confidence=0.9)
        held += result.low <= truth <= result.high
    assert 0.8 < held / 200 < 0.97


def test_bad_input():
    one, other = two_networks(4, 3)
    with pytest.raises(ValueError, match="the same pictures in the same order"):
        compare(one, other[::-1])
    with pytest.raises(ValueError, match="at least 2"):
        compare(one[:1], other[:1])
    with pytest.raises(ValueError, match="confidence is 95"):
        compare(one, other, confidence=95)
    with pytest.raises(ValueError, match="samples is 0"):
        compare(one, other, samples=0)
    nothing = np.zeros((3, 2, 2), dtype=int)
    with pytest.raises(ValueError, match="void"):
        compare(nothing, nothing)
