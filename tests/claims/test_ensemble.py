"""Several networks or dropout: who is asked and what is averaged, without the trainings."""

from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.claims import find
from segtutor.claims.experiments.world import ensemble
from segtutor.claims.experiments.world.ensemble import MEMBERS, DropoutRate, Together, answer, mean_of
from segtutor.claims.training import build
from segtutor.labels import SCENES


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = models.create("fcn8s_tiny", num_classes=len(SCENES), weights="course").eval()
    DropoutRate(0.5)(model)
    return model


IMAGES = (torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(1)) * 255).to(torch.uint8)


def test_all_variants_are_trained_alike_with_the_papers_dropout():
    variants = find("world.ensemble").variants
    assert len({one.recipe for one in variants.values()}) == 1
    assert {field.name for field in fields(Together)} == {"recipe", "asked", "passes"}
    recipe = variants["one network"].recipe
    assert [one.p for one in build(recipe, 0).modules() if isinstance(one, nn.Dropout)] == [0.5, 0.5]
    assert " at 0x" not in repr(recipe)  # or finished runs would not be kept


def test_dropout_alone_is_on(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plain, dropped = (answer(network, IMAGES, dropout) for dropout in (False, True))
    assert not torch.allclose(plain, dropped)
    assert torch.equal(plain, answer(network, IMAGES, False))  # the last call left nothing switched on
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module.training for module in network.modules())
    torch.testing.assert_close(plain.sum(dim=1), torch.ones(2, 96, 128))


def test_the_mean_is_of_probabilities_and_every_pass_drops_others(network):
    one = answer(network, IMAGES, False)
    torch.testing.assert_close(mean_of([network] * 3, IMAGES, False, 0), one)
    three = mean_of([network] * 3, IMAGES, True, 0)
    assert torch.equal(three, mean_of([network] * 3, IMAGES, True, 0))
    assert not torch.equal(three, mean_of([network], IMAGES, True, 0))
    assert not torch.equal(three, mean_of([network] * 3, IMAGES, True, 1))
    other = models.create("fcn8s_tiny", num_classes=len(SCENES)).eval()
    torch.testing.assert_close(
        mean_of([network, other], IMAGES, False, 0), (one + answer(other, IMAGES, False)) / 2
    )  # not of logits


def test_no_network_is_in_two_ensembles_and_the_first_is_the_one_that_stands_alone(monkeypatch):
    monkeypatch.setattr(ensemble, "member", lambda recipe, seed: seed)
    variants, seeds = find("world.ensemble").variants, find("world.ensemble").seeds
    together = [variants[f"{MEMBERS} networks"].members(None, seed) for seed in seeds]
    assert len({seed for one in together for seed in one}) == MEMBERS * len(seeds)
    assert [one[0] for one in together] == list(seeds)
    assert [variants["one network"].members(None, seed) for seed in seeds] == [[seed] for seed in seeds]
    assert variants["dropout, 3 passes"].members(None, 1) == [1, 1, 1]


def test_a_run_gives_what_the_claim_measures(network, monkeypatch):
    monkeypatch.setattr(ensemble, "member", lambda recipe, seed: network)
    monkeypatch.setattr(ensemble, "LABELED", 2)
    claim = find("world.ensemble")
    few = replace(
        claim.variants["dropout, 3 passes"], recipe=replace(claim.variants["one network"].recipe, val_count=2)
    )
    values = few(0, short=False)
    assert {measure.key for measure in claim.measures} <= set(values)
    assert values["night_mean_iou"] < values["clean_mean_iou"]
    assert values["clean_nll"] > 0
