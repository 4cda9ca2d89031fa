"""Calibration: by hand, against brute force, torchmetrics and scikit-learn, and what it refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import (
    Calibration,
    area_under_risk,
    entropy,
    fit_temperature,
    risk_coverage,
    with_temperature,
)

VOID = 255


def random_answers(seed, num_classes=4, pixels=400, void=0.1):
    random = np.random.default_rng(seed)
    logits = 2 * random.standard_normal((num_classes, pixels))
    labels = np.where(random.random(pixels) < 0.5, logits.argmax(axis=0), random.integers(0, num_classes, pixels))
    labels[random.random(pixels) < void] = VOID
    powers = np.exp(logits - logits.max(axis=0))
    return labels, powers / powers.sum(axis=0), logits


def counted(labels, probabilities, bins=15):
    calibration = Calibration(len(probabilities), bins)
    calibration.update(labels, probabilities)
    return calibration


def brute_force(labels, probabilities, bins):
    """ECE and ECE of each class, pixel by pixel and bin by bin."""
    valid = [pixel for pixel in range(len(labels)) if labels[pixel] != VOID]

    def gap(pairs):
        total = 0.0
        for number in range(bins):
            inside = [(p, hit) for p, hit in pairs if number / bins < p <= (number + 1) / bins or (p == number == 0)]
            total += abs(sum(p for p, _ in inside) - sum(hit for _, hit in inside))
        return total / len(valid)

    ece = gap([(probabilities[:, i].max(), probabilities[:, i].argmax() == labels[i]) for i in valid])
    classes = range(len(probabilities))
    return ece, [gap([(probabilities[k, i], labels[i] == k) for i in valid]) for k in classes]


def test_hand_worked():
    # Confidences 0.9 0.9 0.8 0.6, hits 1 0 1 0; in two bins all lie in the upper one; in five, 0.9 0.9 lie in the last,
    # 0.8 and 0.6 at the upper ends of theirs, to which they belong.
    probabilities = np.array([[0.9, 0.9, 0.8, 0.4, 0.5], [0.1, 0.1, 0.2, 0.6, 0.5]])
    labels = [0, 1, 0, 0, VOID]
    assert counted(labels, probabilities, 2).ece() == pytest.approx(abs(0.9 + 0.9 + 0.8 + 0.6 - 2) / 4)
    assert counted(labels, probabilities, 5).ece() == pytest.approx((abs(1.8 - 1) + abs(0.8 - 1) + 0.6) / 4)
    calibration = counted(labels, probabilities, 5)
    assert calibration.counts.tolist() == [0, 0, 1, 1, 2]
    np.testing.assert_allclose(calibration.reliability()[0], [np.nan, np.nan, 0.6, 0.8, 0.9])
    np.testing.assert_allclose(calibration.reliability()[1], [np.nan, np.nan, 0.0, 1.0, 0.5])
    assert calibration.overconfidence() == pytest.approx(0.8 - 0.5)
    assert calibration.nll() == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.4]).mean())


@given(seed=st.integers(0, 10**6), bins=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_against_brute_force(seed, bins):
    labels, probabilities, _ = random_answers(seed, pixels=60)
    ece, of_classes = brute_force(labels, probabilities, bins)
    calibration = counted(labels, probabilities, bins)
    assert calibration.ece() == pytest.approx(ece, abs=1e-9)
    np.testing.assert_allclose(calibration.class_ece(), of_classes, atol=1e-9)
    assert abs(calibration.overconfidence()) <= calibration.ece() + 1e-12


def test_against_torchmetrics():
    from torchmetrics.classification import MulticlassCalibrationError

    labels, probabilities, _ = random_answers(3, pixels=5000)
    peer = MulticlassCalibrationError(4, n_bins=15, norm="l1", ignore_index=VOID)
    theirs = peer(torch.from_numpy(probabilities.T.copy()).float(), torch.from_numpy(labels))
    assert counted(labels, probabilities).ece() == pytest.approx(float(theirs), abs=1e-5)


def test_pictures_one_by_one_are_all_at_once_and_void_counts_nowhere():
    labels, probabilities, _ = random_answers(5)
    whole = counted(labels.reshape(20, 20), torch.from_numpy(probabilities.reshape(4, 20, 20)))
    parts = Calibration(4)
    for rows in (slice(0, 150), slice(150, 400)):
        parts.update(labels[rows], probabilities[:, rows])
    assert parts.ece() == pytest.approx(whole.ece())
    np.testing.assert_array_equal(parts.class_counts, whole.class_counts)
    kept = labels != VOID
    without = counted(labels[kept], probabilities[:, kept])
    assert without.ece() == pytest.approx(whole.ece())
    assert whole.pixels == kept.sum()


def test_a_network_that_is_right_as_often_as_it_says_has_no_error():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 1], 200_000).T
    labels = (random.random(200_000) > probabilities.cumsum(axis=0)).sum(axis=0)
    calibration = counted(labels, probabilities)
    assert calibration.ece() < 0.01
    assert calibration.class_ece().max() < 0.01
    assert fit_temperature(labels, np.log(probabilities)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_comes_back_and_keeps_every_answer(temperature):
    random = np.random.default_rng(1)
    probabilities = random.dirichlet([0.5, 0.5, 0.5], 100_000).T
    labels = (random.random(100_000) > probabilities.cumsum(axis=0)).sum(axis=0)
    logits = temperature * np.log(probabilities)  # too sure of itself where it is above 1
    fitted = fit_temperature(labels, logits)
    assert fitted == pytest.approx(temperature, rel=0.03)
    given_ = with_temperature(np.exp(logits) / np.exp(logits).sum(axis=0), fitted)
    np.testing.assert_array_equal(given_.argmax(axis=0), logits.argmax(axis=0))
    assert counted(labels, given_).ece() < 0.01


def test_no_other_temperature_is_better():
    labels, probabilities, logits = random_answers(8)
    best = fit_temperature(labels, logits)
    assert best == pytest.approx(fit_temperature(labels, np.log(probabilities)))  # a softmax forgets a constant
    nll = {factor: counted(labels, with_temperature(probabilities, best * factor)).nll() for factor in (0.97, 1, 1.03)}
    assert nll[1] < min(nll[0.97], nll[1.03])


def test_where_everything_is_right_no_temperature_is_low_enough():
    assert fit_temperature([0, 1], [[3.0, 0.0], [0.0, 2.0]]) == pytest.approx(0.01)


def test_risk_and_coverage():
    random = np.random.default_rng(4)
    probabilities = random.dirichlet([0.5, 0.5, 0.5], 400).T
    labels = (random.random(400) > probabilities.cumsum(axis=0)).sum(axis=0)
    sure, right = probabilities.max(axis=0), probabilities.argmax(axis=0) == labels
    coverage, risk = risk_coverage(sure, right)
    for share, wrong in zip(coverage[::37], risk[::37], strict=True):
        kept = np.argsort(-sure)[: round(share * len(sure))]
        assert wrong == pytest.approx(1 - right[kept].mean())
    assert (coverage[-1], risk[-1]) == (1, pytest.approx(1 - right.mean()))
    chance = area_under_risk(*risk_coverage(random.random(len(sure)), right))
    assert area_under_risk(*risk_coverage(right, right)) < area_under_risk(coverage, risk) < chance


def test_entropy_lies_between_sure_and_undecided():
    _, probabilities, _ = random_answers(6)
    values = entropy(probabilities)
    assert 0 <= values.min() <= values.max() <= 1
    assert entropy(np.full((5, 2, 2), 0.2)) == pytest.approx(np.ones((2, 2)))
    assert entropy([[1.0], [0.0]]).tolist() == [0.0]


def test_without_pixels_there_is_no_score():
    calibration = counted([VOID], [[0.5], [0.5]])
    assert calibration.pixels == 0
    assert np.isnan(
        [calibration.ece(), calibration.nll(), calibration.overconfidence(), *calibration.class_ece()]
    ).all()


def test_bad_input():
    with pytest.raises(ValueError, match="softmax"):
        counted([0], [[3.0], [1.0]])
    with pytest.raises(ValueError, match="classes first"):
        counted([0, 1, 0], np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="must hold classes 0"):
        counted([2], [[0.5], [0.5]])
    with pytest.raises(ValueError, match="NaN"):
        counted([0], [[np.nan], [0.5]])
    with pytest.raises(ValueError, match="bins is 0"):
        Calibration(2, bins=0)
    with pytest.raises(ValueError, match="every pixel is void"):
        fit_temperature([VOID], [[0.0], [1.0]])
    with pytest.raises(ValueError, match="temperature is 0"):
        with_temperature([[0.5], [0.5]], 0)
    with pytest.raises(ValueError, match="as many confidences"):
        risk_coverage([0.5], [])
    with pytest.raises(ValueError, match="at least 2 classes"):
        entropy([[0.5]])
