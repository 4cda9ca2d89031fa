from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segtutor.training import default_learning_rate, polynomial


def test_the_published_points():
    rates = [0.01 * polynomial(step, 10) for step in range(11)]
    assert rates[0] == 0.01
    assert rates[1] == pytest.approx(0.009095, abs=1e-6)
    assert rates[9] == pytest.approx(0.001259, abs=1e-6)
    assert rates[10] == 0


@given(step=st.integers(-5, 500), steps=st.integers(1, 100), power=st.floats(0.1, 3), warmup=st.integers(0, 20))
def test_real_between_0_and_1_and_never_rising_after_the_warm_up(step, steps, power, warmup):
    here, there = polynomial(step, steps, power, warmup), polynomial(step + 1, steps, power, warmup)
    assert isinstance(here, float)
    assert 0 <= here <= 1
    if step >= warmup:
        assert there <= here
    if step >= steps:
        assert here == 0


def test_equal_to_pytorchs_schedule():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    peer = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=17, power=0.9)
    for step in range(20):
        assert 0.3 * polynomial(step, 17) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-7)
        optimizer.step()
        peer.step()


def test_the_warm_up_is_a_ramp():
    assert [polynomial(step, 100, power=0, warmup_steps=4) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]


def test_senseless_arguments_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        polynomial(0, 0)
    with pytest.raises(ValueError, match="negative"):
        polynomial(0, 5, warmup_steps=-1)


def test_the_default_rate_falls_with_the_batch():
    assert default_learning_rate("sgd", 16) == 0.01
    assert default_learning_rate("sgd", 2) == 0.00125
    assert default_learning_rate("adamw", 4) == 0.0005
