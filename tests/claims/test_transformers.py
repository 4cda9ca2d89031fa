"""The experiments of lesson 8: what changes and what stays, without their trainings."""

from dataclasses import replace

import pytest
import torch

from segtutor.claims import find
from segtutor.claims.experiments.transformers import frozen
from segtutor.claims.experiments.transformers.decoder import Encoder
from segtutor.claims.experiments.transformers.frozen import Probe
from segtutor.claims.experiments.transformers.positions import CROP, WHOLE, Crops
from segtutor.claims.training import build


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_table_and_convolutions_have_the_same_number_of_parameters_and_the_control_neither():
    convolutions, table, neither = (Crops(places).build() for places in ("mix-ffn", "table", "none"))
    assert count(convolutions) == count(table)
    assert count(table) - count(neither) == 17_920
    assert not any("depthwise" in name or "positions" in name for name, _ in neither.named_parameters())


def test_the_scenes_are_three_times_as_large_as_the_crops():
    assert tuple(3 * side for side in CROP) == WHOLE


def test_crops_are_run_and_scored():
    values = replace(Crops("table"), steps=1, train_count=8, val_count=2).in_precision("float32")(0, False)
    assert values["gain"] == pytest.approx(values["whole"] - values["windows"])
    assert values["parameters"] == count(Crops("table").build())


@pytest.mark.parametrize(("encoder", "strides"), [(Encoder(2, True), (4, 8)), (Encoder(2), (4, 8)),
                                                  (Encoder(3, True), (4, 8, 16))])  # fmt: skip
def test_both_encoders_give_the_decoder_maps_of_the_same_strides(encoder, strides):
    recipe = find("transformers.decoder").variants["ResNet, 2 stages"]
    model = build(replace(recipe, change=encoder), seed=0)
    maps = model.backbone(torch.zeros(2, 3, 96, 128))
    assert [96 // one.shape[-2] for one in maps.values()] == list(strides)
    assert model(torch.zeros(2, 3, 96, 128))["out"].shape == (2, 33, 96, 128)


def test_a_random_body_has_seen_the_scenes_and_stays_as_it_is():
    body = frozen.body("random")
    norms = [module for module in body.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert all(norm.num_batches_tracked == 1 for norm in norms)
    assert not body.training
    assert not any(parameter.requires_grad for parameter in body.parameters())
    maps = frozen.maps_of(body, torch.zeros(1, 3, 128, 160))
    assert {number: tuple(one.shape[1:]) for number, one in maps.items()} == {
        3: (24, 32, 40), 6: (32, 16, 20), 13: (96, 8, 10), 17: (320, 8, 10),
    }  # fmt: skip


def test_a_probe_reads_the_layers_that_it_is_told():
    values = replace(Probe("random", 16), steps=2)(0, True)
    assert 0 <= values["mean_iou"] <= 1
    assert replace(Probe("random", 16), layers=(13, 17), norm=False, steps=2)(0, True) != values
