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


def two_pictures():
    """Noise with a rectangle of one class in both and a strip of another in the second: what a few steps can learn."""
    images, labels = torch.randn(2, 3, 64, 64), torch.zeros(2, 64, 64, dtype=torch.long)
    labels[:, 16:40, 20:52], labels[1, 44:, :] = 1, 2
    return images, labels


def share_right(network, images, labels):
    """Of the pixels; norms take their statistics from the pictures, of which two are too few for running ones."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats, module.running_mean, module.running_var = False, None, None
    with torch.inference_mode():
        return float((network.eval()(images)["out"].argmax(1) == labels).float().mean())


def train_on(network, images, labels, steps, learning_rate, silent=()):
    """Some steps of cross entropy; the first gradient reaches every parameter, but for names that end in ``silent``."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    for step in range(steps):
        loss = nn.functional.cross_entropy(network(images)["out"], labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            for name, parameter in network.named_parameters():
                assert name.endswith(tuple(silent)) or parameter.grad.abs().sum() > 0, name
        optimizer.step()
