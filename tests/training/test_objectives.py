"""What holds for every loss."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from segtutor.training import cross_entropy, dice
from segtutor.training.config import LOSSES
from segtutor.training.losses import valid_weight
from segtutor.training.objectives import SUMS, WHOLES, objective

FUNCTIONS = {**SUMS, **WHOLES}
CLASS_WEIGHTS = torch.tensor([0.5, 1.0, 4.0])
every_loss = pytest.mark.parametrize("name", LOSSES)
weighted_or_not = pytest.mark.parametrize("weights", [None, CLASS_WEIGHTS])


def batch(seed=0, ignore_index=255, dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits 2 x 3 x 4 x 5 and labels, about a third void."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 3, 4, 5, generator=generator, dtype=dtype)
    labels = torch.randint(0, 3, (2, 4, 5), generator=generator)
    labels[torch.rand(2, 4, 5, generator=generator) < 0.3] = ignore_index
    return logits.requires_grad_(), labels


def value_and_gradient(name, logits, *arguments):
    logits = logits.detach().requires_grad_()
    loss = FUNCTIONS[name](logits, *arguments)
    return loss.detach(), torch.autograd.grad(loss, logits)[0]


def test_every_name_has_a_loss():
    assert set(FUNCTIONS) == set(LOSSES)


@every_loss
@weighted_or_not
def test_only_void_is_zero_with_zero_gradient(name, weights):
    logits, _ = batch()
    loss, gradient = value_and_gradient(name, logits, torch.full((2, 4, 5), 255), 255, weights)
    assert loss.item() == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


@every_loss
@weighted_or_not
@pytest.mark.parametrize("ignore_index", [255, 11, -1])
def test_logits_under_void_change_neither_loss_nor_gradient(name, weights, ignore_index):
    logits, labels = batch(ignore_index=ignore_index)
    void = (labels == ignore_index)[:, None]
    loss, gradient = value_and_gradient(name, logits, labels, ignore_index, weights)
    assert not gradient.masked_select(void).any()
    assert gradient.masked_select(~void).any()
    others = [3 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(1)), torch.full(logits.shape, 1e4)]
    if name != "cross_entropy":  # PyTorch's own multiplies NaN by 0
        others.append(torch.full(logits.shape, float("nan")))
    for other in others:
        again, gradient_again = value_and_gradient(
            name, torch.where(void, other, logits), labels, ignore_index, weights
        )
        assert torch.equal(loss, again)
        assert torch.equal(gradient, gradient_again)


@every_loss
@weighted_or_not
def test_gradients_are_those_of_finite_differences(name, weights):
    logits, labels = batch(dtype=torch.float64)
    weights = None if weights is None else weights.double()
    assert torch.autograd.gradcheck(lambda scores: FUNCTIONS[name](scores, labels, 255, weights), logits)


@every_loss
def test_logits_are_resized_to_the_labels(name):
    logits, _ = batch()
    labels = torch.randint(0, 3, (2, 13, 9), generator=torch.Generator().manual_seed(2))
    large = F.interpolate(logits, (13, 9), mode="bilinear", align_corners=False)
    torch.testing.assert_close(FUNCTIONS[name](logits, labels), FUNCTIONS[name](large, labels))


@every_loss
def test_half_precision_is_widened(name):
    logits, labels = batch()
    loss = FUNCTIONS[name](logits.bfloat16(), labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, FUNCTIONS[name](logits.bfloat16().float(), labels))


@every_loss
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pixels_have_no_order_and_logits_no_zero(name, seed):
    logits, labels = batch(seed, dtype=torch.float64)
    loss = FUNCTIONS[name](logits, labels)
    assert 0 <= loss.item() < 100
    order = torch.randperm(40, generator=torch.Generator().manual_seed(seed))
    shuffled = logits.movedim(1, -1).reshape(40, 3)[order].reshape(2, 4, 5, 3).movedim(-1, 1)
    torch.testing.assert_close(FUNCTIONS[name](shuffled, labels.flatten()[order].reshape(2, 4, 5)), loss)
    shift = torch.randn(2, 1, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(FUNCTIONS[name](logits + shift, labels), loss)


@every_loss
@pytest.mark.parametrize("right", [True, False])
def test_a_network_that_is_wholly_right_or_wrong_has_a_finite_gradient(name, right):
    _, labels = batch()
    answers = labels.where(labels != 255, 0) if right else (labels + 1) % 3
    logits = 1e4 * F.one_hot(answers, 3).movedim(-1, 1).float()
    loss, gradient = value_and_gradient(name, logits, labels)
    assert loss.item() == pytest.approx(0, abs=1e-6) if right else loss.item() > 0.9
    assert gradient.isfinite().all()


@every_loss
def test_what_does_not_fit_is_refused(name):
    loss, logits = FUNCTIONS[name], torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match=r"labels hold \[7\], but the network has 3 classes"):
        loss(logits, torch.tensor([[[0, 7], [255, 1]]]))
    with pytest.raises(ValueError, match=r"labels hold \[255\]"):
        loss(logits, torch.tensor([[[0, 2], [255, 1]]]), ignore_index=11)
    with pytest.raises(ValueError, match="the same B"):
        loss(logits, torch.zeros(2, 2, 2, dtype=torch.int64))
    if name != "cross_entropy":
        with pytest.raises(ValueError, match="but there are 3 classes"):
            loss(logits, torch.zeros(1, 2, 2, dtype=torch.int64), class_weights=torch.ones(2))


def test_a_sum_is_a_sum():
    logits, labels = batch()
    loss = objective(
        "cross_entropy + dice", logits, labels, 255, CLASS_WEIGHTS, valid_weight(labels, 255, CLASS_WEIGHTS)
    )
    expected = [function(logits, labels, class_weights=CLASS_WEIGHTS) for function in (cross_entropy, dice)]
    torch.testing.assert_close(loss, expected[0] + expected[1])


@every_loss
@weighted_or_not
def test_of_two_processes_the_parts_add_up_to_the_batch_or_to_the_mean_of_its_halves(name, weights):
    logits, labels = batch()
    labels[0, 1:] = 255  # very different numbers of valid pixels
    normalizer = valid_weight(labels, 255, weights)
    halves = [(logits[i : i + 1], labels[i : i + 1]) for i in range(2)]
    total = sum(objective(name, *half, 255, weights, normalizer, processes=2) for half in halves)
    if name in SUMS:
        expected = FUNCTIONS[name](logits, labels, 255, weights)
    else:
        expected = sum(FUNCTIONS[name](*half, 255, weights) for half in halves) / 2
    torch.testing.assert_close(total, expected)
