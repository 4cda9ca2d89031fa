"""A run that is scored on its way: going on is the same as not having stopped, and the average is what is scored."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segtutor.claims import lengths
from segtutor.claims.lengths import KEPT, Lengths, pretrained
from segtutor.claims.networks import network
from segtutor.claims.training import Recipe, build


def small(scored: tuple[int, ...]) -> Lengths:
    recipe = Recipe("pspnet_tiny", start="backbone", steps=scored[-1], train_count=10, val_count=3, precision="float32")
    return Lengths(recipe, scored, (48, 64))


def test_a_run_that_goes_on_from_its_checkpoint_is_the_run_without_a_stop(tmp_path):
    small((2,)).run(0, tmp_path / "run.pt")
    on = small((2, 4)).run(0, tmp_path / "run.pt")
    at_once = small((2, 4))(0, short=False)
    for name in (f"{name}_{steps}" for name in KEPT for steps in (2, 4)):
        assert on[name] == pytest.approx(at_once[name], nan_ok=True)
    assert on["losses"] == at_once["losses"]
    assert [steps for steps, _ in on["curve"]] == [2, 4]
    assert on["mean_iou"] == on["mean_iou_4"] == pytest.approx(on["curve"][1][1], abs=1e-5)
    assert on["loss"] == pytest.approx(on["losses"][1][1], abs=1e-5)


def test_the_rate_is_constant_after_its_rise_so_that_the_length_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr(lengths, "WARMUP", 4)
    small((6,)).run(0, tmp_path / "run.pt")
    rates = torch.load(tmp_path / "run.pt", weights_only=False)["result"]["learning_rates"]
    assert np.allclose(rates, [0.5e-3, 1e-3, 1.5e-3, 2e-3, 2e-3, 2e-3])


def test_lengths_at_which_it_is_not_scored_have_no_number(tmp_path):
    values = small((2,)).run(0, tmp_path / "run.pt")
    assert np.isnan(values[f"mean_iou_{lengths.LENGTHS[0]}"])
    assert values["mean_iou_2"] == values["mean_iou"]


def test_a_row_of_the_table_from_the_backbone():
    experiment = pretrained(network("DeepLab v3"), rates=(1, 1, 1))
    assert experiment.recipe.start == "backbone"
    assert experiment.recipe.steps == lengths.LENGTHS[-1]
    assert dict(experiment.recipe.options)["rates"] == (1, 1, 1)
    model = build(experiment.recipe, 0)
    fresh = build(replace(experiment.recipe, start="random"), 0)
    assert not torch.equal(model.backbone.stem[0].weight, fresh.backbone.stem[0].weight)
    assert torch.equal(model.classifier[-1].weight, fresh.classifier[-1].weight)


def test_the_short_version_is_scored_on_its_way_too():
    short = pretrained(network("backbone alone")).shortened()
    assert short.lengths == (30, 60, 120)
    assert short.recipe.steps == 120
    assert short.in_precision("float32").recipe.precision == "float32"
