"""The experiments of the world outside: what changes and what stays, without their trainings."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.claims import find
from segtutor.claims.experiments.world import shift
from segtutor.claims.experiments.world.shift import Shifted, in_weather
from segtutor.labels import SCENES


@pytest.fixture
def network(monkeypatch):
    """The course's network in the place of one that is trained for minutes."""
    model = models.create("fcn8s_tiny", weights="course").eval()
    monkeypatch.setattr(shift, "trained", lambda recipe, seed: model)
    monkeypatch.setattr(shift, "UNLABELED", 8)
    monkeypatch.setattr(shift, "LABELED", 4)
    return model


def variant(statistics):
    claim = find("world.batch_norm")
    recipe = next(iter(claim.variants.values())).recipe
    return Shifted(replace(recipe, val_count=4), statistics)


def test_all_variants_are_one_network_that_is_not_changed(network):
    claim = find("world.batch_norm")
    assert len({one.recipe for one in claim.variants.values()}) == 1
    before = {name: value.clone() for name, value in network.state_dict().items()}
    values = {name: variant(one.statistics)(0, False) for name, one in claim.variants.items()}
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(set(one) == {measure.key for measure in claim.measures} for one in values.values())
    plain, scaled = values["of the training"], values["the same, and a temperature"]
    assert scaled["night_mean_iou"] == plain["night_mean_iou"]
    assert scaled["night_ece"] < plain["night_ece"]
    assert values["64 pictures"]["night_mean_iou"] > values["of the training"]["night_mean_iou"] + 0.1


def test_new_statistics_change_no_weight(network):
    changed = variant("64 pictures").prepared(network, "night", 0)
    for name, value in network.named_parameters():
        assert torch.equal(value, dict(changed.named_parameters())[name])
    norms = [one for one in changed.modules() if isinstance(one, nn.BatchNorm2d)]
    old = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert all(not torch.equal(a.running_mean, b.running_mean) for a, b in zip(norms, old, strict=True))


def test_each_picture_by_itself_is_batch_norm_in_training_mode(network):
    images = torch.rand(1, 3, 96, 128)
    alone = variant("each picture").prepared(network, "clean", 0).eval()
    with torch.no_grad():
        ours = alone(images)["out"]
        for module in (copied := variant("training").prepared(network, "clean", 0)).modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train()
        theirs = copied(images)["out"]
    torch.testing.assert_close(ours, theirs)
    assert ours.shape[1] == len(SCENES)


def test_weather_is_the_same_on_every_run_and_clean_is_untouched():
    images = (torch.rand(2, 3, 8, 8) * 255).to(torch.uint8)
    assert in_weather(images, "clean", 0) is images
    assert torch.equal(in_weather(images, "night", 0), in_weather(images, "night", 0))
    assert not torch.equal(in_weather(images, "night", 0), in_weather(images, "night", 1))
