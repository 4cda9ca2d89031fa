from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from segtutor.training import dice, lovasz_softmax
from segtutor.training.region_losses import _gains, _lovasz_extension

# One row: probabilities of class 1 are .8, .6, .3, .1; the last pixel is void.
ROW = torch.tensor([0.8, 0.6, 0.3, 0.1])
ROW_LOGITS = torch.stack([1 - ROW, ROW]).log()[None, :, None]  # 1 x 2 x 1 x 4
ROW_LABELS = torch.tensor([[[1, 1, 0, 255]]])
WEIGHTS = torch.tensor([3.0, 1.0])


def test_dice_by_hand():
    kinds = [1 - 2 * 0.7 / (1.3 + 1), 1 - 2 * 1.4 / (1.7 + 2)]
    assert dice(ROW_LOGITS, ROW_LABELS).item() == pytest.approx(sum(kinds) / 2)
    weighted = dice(ROW_LOGITS, ROW_LABELS, class_weights=WEIGHTS)
    assert weighted.item() == pytest.approx((3 * kinds[0] + kinds[1]) / 4)


def test_lovasz_by_hand():
    """Errors of both classes: .2, .4, .3. Largest first, 1 - IoU grows 0, 1/2, 1, 1 and 0, 1/2, 2/3, 1."""
    kinds = [0.4 * 1 / 2 + 0.3 * 1 / 2 + 0.2 * 0, 0.4 * 1 / 2 + 0.3 * 1 / 6 + 0.2 * 1 / 3]
    assert lovasz_softmax(ROW_LOGITS, ROW_LABELS).item() == pytest.approx(sum(kinds) / 2)
    weighted = lovasz_softmax(ROW_LOGITS, ROW_LABELS, class_weights=WEIGHTS)
    assert weighted.item() == pytest.approx((3 * kinds[0] + kinds[1]) / 4)


@pytest.mark.parametrize("loss", [dice, lovasz_softmax])
def test_classes_that_do_not_occur_are_not_in_the_mean(loss):
    logits = torch.cat([ROW_LOGITS, torch.full((1, 3, 1, 4), -1000.0)], dim=1)  # three classes more, of probability 0
    torch.testing.assert_close(loss(logits, ROW_LABELS), loss(ROW_LOGITS, ROW_LABELS))
    only_absent = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0])
    assert loss(logits, ROW_LABELS, class_weights=only_absent).item() == 0


@pytest.mark.parametrize(("loss", "peer"), [(dice, f1_score), (lovasz_softmax, jaccard_score)])
def test_of_decisions_they_are_sklearns_f1_and_iou(loss, peer):
    generator = np.random.default_rng(0)
    labels, decisions = generator.integers(0, 4, (2, 2, 9, 7))
    labels[decisions == 2] = 2  # one class is easy
    logits = 200.0 * torch.nn.functional.one_hot(torch.from_numpy(decisions), 6).movedim(-1, 1)
    score = peer(labels.ravel(), decisions.ravel(), average="macro", labels=np.unique(labels))
    assert loss(logits, torch.from_numpy(labels)).item() == pytest.approx(1 - score, abs=1e-6)


def one_minus_iou(wrong: frozenset[int], region: frozenset[int]) -> float:
    """The set function: of a class that is wrong in these pixels."""
    union = len(wrong | region)
    return len(wrong) / union if union else 0.0


pixels = st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(pixels.filter(lambda row: any(inside for _, inside in row)))  # of classes that occur
def test_lovasz_extension_is_what_its_definitions_say(row):
    probabilities = torch.tensor([p for p, _ in row], dtype=torch.float64)
    region = torch.tensor([inside for _, inside in row])
    inside = frozenset(i for i, (_, is_in) in enumerate(row) if is_in)
    errors = [1 - p if is_in else p for p, is_in in row]
    ours = _lovasz_extension(probabilities, region).item()
    # The integral over all thresholds of the set function of the pixels above the threshold ...
    levels = sorted({0.0, *errors})
    integral = sum(
        (high - low) * one_minus_iou(frozenset(i for i, error in enumerate(errors) if error >= high), inside)
        for low, high in pairwise(levels)
    )
    assert ours == pytest.approx(integral, abs=1e-9)
    # ... and, as the set function is submodular, the largest sum over all orders in which pixels can turn wrong.
    chains = []
    for order in permutations(range(len(row))):
        values = [one_minus_iou(frozenset(order[:size]), inside) for size in range(len(row) + 1)]
        chains.append(sum(errors[pixel] * (values[k + 1] - values[k]) for k, pixel in enumerate(order)))
    assert ours == pytest.approx(max(chains), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=8))
def test_lovasz_extension_is_convex(row):
    one, other = (torch.tensor([pixel[k] for pixel in row], dtype=torch.float64) for k in (0, 1))
    region = torch.tensor([True] + [pixel[2] for pixel in row[1:]])
    middle = _lovasz_extension((one + other) / 2, region)
    assert middle <= (_lovasz_extension(one, region) + _lovasz_extension(other, region)) / 2 + 1e-9


def test_gains_keep_their_digits_among_many_pixels():
    region = torch.rand(200_000, generator=torch.Generator().manual_seed(0)) < 0.1
    inside = region.numpy()
    jaccard = 1 - (inside.sum() - inside.cumsum()) / (inside.sum() + (~inside).cumsum())  # float64
    exact = np.diff(jaccard, prepend=0.0)
    gains = _gains(region, torch.float32).numpy()
    np.testing.assert_allclose(gains[:150_000], exact[:150_000], rtol=1e-6)
    by_differences = np.diff(jaccard.astype(np.float32), prepend=np.float32(0))
    late = slice(140_000, 150_000)
    assert np.median(abs(by_differences[late] / exact[late] - 1)) > 0.05  # what they are for
