"""Lite R-ASPP against torchvision's network with the same weights."""

import pytest
import torch
import torchvision

from segtutor import models
from segtutor.models import lraspp
from tests.models.networks import on_meta, randomize_norms

NAME = "lraspp_mobilenet_v3_large"


def torchvisions(num_classes=21):
    torch.manual_seed(0)
    network = torchvision.models.segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=num_classes
    )
    randomize_norms(network)
    return network.eval()


def test_logits_agree_with_torchvision():
    theirs, ours = torchvisions(), models.create(NAME)
    report = models.load_weights(ours, theirs.state_dict())
    assert report.layout == "torchvision"
    assert set(report.loaded) == set(theirs.state_dict())
    assert not report.untouched
    ours.eval()
    for shape in [(1, 3, 65, 97), (2, 3, 128, 160)]:
        images = torch.randn(shape)
        with torch.inference_mode():
            expected, got = theirs(images)["out"], ours(images)["out"]
        assert expected.std() > 0.01
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_parameter_count():
    assert sum(parameter.numel() for parameter in on_meta(NAME).parameters()) == 3_221_538


def test_the_head_can_be_replaced():
    network = models.create(NAME, num_classes=5)
    assert network.num_classes == 5
    report = models.load_weights(network, torchvisions().state_dict(), replace_head=True)
    assert set(report.dropped) == {
        f"classifier.{branch}_classifier.{array}" for branch in ("low", "high") for array in ("weight", "bias")
    }
    with pytest.raises(ValueError, match="replace_head=True"):
        models.load_weights(models.create(NAME, num_classes=5), torchvisions().state_dict())


def test_one_step_of_training_reaches_every_parameter():
    network = models.create(NAME, num_classes=3)
    network(torch.randn(2, 3, 64, 64))["out"].square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_table_of_differences_is_that_of_the_code():
    ours = {row.detail: row.ours for row in lraspp.DIFFERENCES}
    head = on_meta(NAME).classifier
    assert head.cbr[0].out_channels == int(ours["width of the branch at stride 16"])
    assert ours["pooling of the gate"] == "whole map"
    assert head.scale[0].output_size == 1
    assert ours["last stage"] == "all channels, dilated"
    assert on_meta(NAME).backbone[-2].block[1][0].dilation == (2, 2)
    assert head.cbr[0].in_channels == 960
