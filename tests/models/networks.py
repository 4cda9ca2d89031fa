"""Networks to look at and to compare: tools of the tests."""

import functools

import torch
from torch import nn

from segtutor import models


@functools.cache
def on_meta(name, **options):
    """A network without memory for its weights: for counts, strides and rates."""
    with torch.device("meta"):
        return models.create(name, **options).eval()


def dilations(stage):
    """Rates of the 3 x 3 convolutions of a ResNet's stage."""
    return [block.conv2.dilation[0] for block in stage]


def randomize_norms(network):
    """Batch norms that do something; fresh ones change nothing, and would hide that one is missing."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.0)
            module.bias.data.normal_(0, 0.1)
