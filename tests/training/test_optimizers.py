from __future__ import annotations

import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.training import TrainingConfig, parameter_groups
from segtutor.training.optimizers import NORMALIZATION, build_optimizer, set_learning_rate

V2 = {"head_factor": 10.0, "bias_factor": 2.0}


@pytest.mark.parametrize("name", ["pspnet_tiny", "fcn8s_tiny", "deeplabv2_tiny", "deeplabv3_tiny"])
@pytest.mark.parametrize("factors", [{}, {"head_factor": 10.0}, V2])
def test_groups_are_disjoint_and_complete(name, factors):
    model = models.create(name, num_classes=4)
    held = [id(parameter) for group in parameter_groups(model, 0.01, **factors) for parameter in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}


@pytest.mark.parametrize("name", ["pspnet_tiny", "deeplabv2_tiny"])
def test_each_parameter_has_the_rate_and_the_decay_of_deeplab_v2(name):
    model = models.create(name, num_classes=4)
    settings = {
        id(parameter): (group["factor"], group["weight_decay"])
        for group in parameter_groups(model, 0.01, **V2)
        for parameter in group["params"]
    }
    owners = dict(model.named_modules())
    found = set()
    for key, parameter in model.named_parameters():
        owner, _, kind = key.rpartition(".")
        head = 1.0 if key.startswith("backbone.") else 10.0
        if isinstance(owners[owner], NORMALIZATION):
            expected = (head, 0.0)
        elif kind == "bias":
            expected = (2 * head, 0.0)
        else:
            expected = (head, 0.01)
        assert settings[id(parameter)] == expected, key
        found.add(expected)
    assert {(1.0, 0.01), (1.0, 0.0), (10.0, 0.01), (20.0, 0.0)} <= found


def test_a_parameter_of_backbone_and_head_belongs_to_the_backbone():
    model = nn.Module()
    model.backbone = nn.Linear(3, 3, bias=False)
    model.classifier = nn.Linear(3, 3, bias=False)
    model.classifier.weight = model.backbone.weight
    groups = [group for group in parameter_groups(model, 0.0, head_factor=10) if group["params"]]
    assert [(group["factor"], len(group["params"])) for group in groups] == [(1.0, 1)]


def test_a_head_needs_a_backbone():
    with pytest.raises(ValueError, match="head_factor is 10, but Linear has no `backbone`"):
        parameter_groups(nn.Linear(2, 2), 0.0, head_factor=10)
    weights, biases = (group for group in parameter_groups(nn.Linear(2, 2), 0.0, bias_factor=2) if group["params"])
    assert (weights["factor"], biases["factor"]) == (1, 2)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_factors_multiply_the_rate_of_every_step(kind):
    model = models.create("pspnet_tiny", num_classes=3)
    optimizer = build_optimizer(model, TrainingConfig(steps=1, optimizer=kind, learning_rate=0.1, **V2))
    for rate in (0.1, 0.03):
        set_learning_rate(optimizer, rate)
        rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        assert rates[id(model.backbone.get_parameter("stem.0.weight"))] == rate
        assert rates[id(model.classifier[-1].weight)] == 10 * rate
        assert rates[id(model.classifier[-1].bias)] == pytest.approx(20 * rate)


def test_groups_written_before_there_were_factors_keep_the_base_rate():
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))]}], lr=1.0)
    set_learning_rate(optimizer, 0.25)
    assert optimizer.param_groups[0]["lr"] == 0.25
