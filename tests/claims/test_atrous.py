"""Stuffed kernels, weights in use and the changes of DeepLab's networks, against loops and shapes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from segtutor.claims.experiments.deeplab.atrous import stuffed, taps_in_use
from segtutor.claims.experiments.deeplab.refinement import Refined
from segtutor.claims.experiments.deeplab.v3 import NoBatchNorm, replace_batch_norm_by_bias
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.scoring import score
from segtutor.claims.training import SIZE, Recipe, build, train


def test_a_stuffed_kernel_has_zeros_between_its_weights():
    kernel = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    assert torch.equal(stuffed(kernel, 1), kernel)
    wide = stuffed(kernel, 2)[0, 0]
    assert wide.tolist() == [[1, 0, 2, 0, 3], [0] * 5, [4, 0, 5, 0, 6], [0] * 5, [7, 0, 8, 0, 9]]


def test_weights_in_use_are_counted_position_by_position():
    side, rate = 11, 4
    counted = [0] * 10
    for y in range(side):
        for x in range(side):
            taps = sum(
                0 <= y + dy * rate < side and 0 <= x + dx * rate < side for dy in (-1, 0, 1) for dx in (-1, 0, 1)
            )
            counted[taps] += 1
    assert taps_in_use(side, rate) == pytest.approx([count / side**2 for count in counted[1:]])
    assert sum(taps_in_use(side, rate)) == pytest.approx(1)


def parts(model, kind):
    return [module for module in model.classifier.modules() if isinstance(module, kind)]


def test_without_batch_norm_the_convolutions_have_biases():
    paper = (("variant", "paper"),)
    plain = build(Recipe("deeplabv3_tiny", paper), 0)
    model = build(Recipe("deeplabv3_tiny", paper, NoBatchNorm()), 0)
    assert len(parts(plain, nn.BatchNorm2d)) == 6  # five branches and the projection
    assert not parts(model, nn.BatchNorm2d)
    assert all(layer.bias is not None for layer in parts(model, nn.Conv2d))
    for ours, theirs in zip(parts(model, nn.Conv2d), parts(plain, nn.Conv2d), strict=True):
        assert torch.equal(ours.weight, theirs.weight)
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.backbone.modules())


def test_replacing_batch_norm_leaves_other_layers_alone():
    head = nn.Sequential(nn.Conv2d(2, 3, 1, bias=False), nn.ReLU(), nn.BatchNorm2d(3))
    replace_batch_norm_by_bias(head)
    assert head[0].bias is None
    assert isinstance(head[2], nn.BatchNorm2d)


def test_the_crf_is_scored_on_the_same_network_before_and_after():
    recipe = replace(Recipe("deeplabv3_tiny", (("variant", "paper"),)), steps=2, train_count=8)
    values = Refined(recipe, count=3)(0, False)
    model, _ = train(recipe, 0)
    assert values["mean_iou"] == score(model, draw(EVERYTHING, "val", 3, SIZE))["mean_iou"]
    course = Refined(None, count=3)(0, False)
    assert course == Refined(None, count=3)(1, False)
    assert course["band_iou_gain"] > 0
    assert Refined(recipe).shortened() == Refined(recipe.shortened(), count=20)
