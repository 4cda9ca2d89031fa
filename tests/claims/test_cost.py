import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.claims.cost import cost, kept_for_backward
from segtutor.models.mix_transformer import EfficientAttention


def test_costs_of_one_convolution_by_hand():
    found = cost(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False)), (10, 12), repeats=1)
    assert found["parameters"] == 3 * 8 * 9
    assert found["gflops"] == 2 * 3 * 8 * 9 * 10 * 12 / 1e9
    assert found["megabytes"] == 3 * 10 * 12 * 4 / 1e6  # its input, for the gradient of the weights
    assert found["milliseconds"] > 0


def test_what_two_layers_share_is_counted_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(3, 4, 1, bias=False)

        def forward(self, images):
            return self.first(images) + self.second(images)

    assert kept_for_backward(Twice(), torch.zeros(1, 3, 5, 5)) == 3 * 25 * 4


def test_frozen_parameters_are_not_counted_and_nothing_changes():
    model = models.create("fcn8s_tiny", num_classes=4)
    model.backbone.requires_grad_(False)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = cost(model, (40, 48), repeats=1)
    assert found["parameters"] == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert model.training
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_dilation_costs_operations_and_memory_but_no_parameters():
    coarse, fine = (
        cost(models.create("pspnet_tiny", num_classes=4, output_stride=stride), (64, 64), repeats=1)
        for stride in (16, 8)
    )
    assert coarse["parameters"] == fine["parameters"]
    assert coarse["gflops"] < fine["gflops"]
    assert coarse["megabytes"] < fine["megabytes"]


@pytest.mark.parametrize("reduction", [1, 2])
def test_fused_attention_is_counted_on_a_processor_too(reduction):
    """6 x 8 tokens of 32 channels: queries and the end N C², keys and values M C², two products N M C."""

    class Attending(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = EfficientAttention(32, 2, reduction)

        def forward(self, images):
            tokens = images.flatten(2).transpose(1, 2).repeat(1, 1, 11)[..., :32]
            return self.layer(tokens, self.layer.context(tokens, (6, 8)))

    N, M = 48, 48 // reduction**2
    linear = 2 * (2 * N + 2 * M) * 32**2
    reducing = 2 * M * reduction**2 * 32**2 if reduction > 1 else 0
    assert cost(Attending(), (6, 8), repeats=1)["gflops"] == (linear + reducing + 2 * 2 * N * M * 32) / 1e9


@pytest.mark.parametrize("name", ["maskformer_tiny", "mask2former_tiny", "eomt_tiny"])
def test_networks_of_masks_have_costs_too(name):
    """Their parameters are arguments of modules, which the counter only knows with gradients."""
    model = models.create(name, num_classes=4)
    found = cost(model, (64, 64), repeats=1)
    assert 0.05 < found["gflops"] < 1
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
