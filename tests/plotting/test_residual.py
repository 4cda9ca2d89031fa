"""The drawings of ResNets: strides and rates are those of the network, and a block names its layers."""

import matplotlib.pyplot as plt
import pytest
import torch
import torchvision

from segtutor import models
from segtutor.plotting import resnet_layout, show_architecture, show_residual_block, trace_shapes


def drawn(model):
    axis = show_architecture(trace_shapes(model, (473, 473)), resnet_layout(model))
    texts = [text.get_text() for text in axis.texts]
    plt.close(axis.figure)
    return texts


def test_a_classifier_ends_at_stride_32():
    with torch.device("meta"):
        texts = drawn(torchvision.models.resnet50().eval())
    labels = [text for text in texts if text.startswith("stage")]
    assert labels == [
        "stage 1\n3 blocks\nstride 4", "stage 2\n4 blocks\nstride 8", "stage 3\n6 blocks\nstride 16",
        "stage 4\n3 blocks\nstride 32",
    ]  # fmt: skip
    assert "2048 ×\n15 × 15" in texts


def test_a_dilated_backbone_tells_its_rates():
    with torch.device("meta"):
        texts = drawn(models.create("pspnet_resnet50").backbone.eval())
    assert "stage 3\n6 blocks\nstride 8, rate 2" in texts
    assert "stage 4\n3 blocks\nstride 8, rate 4" in texts
    assert "2048 ×\n60 × 60" in texts


def test_a_network_without_stages_is_refused():
    with pytest.raises(ValueError, match="has no module 'maxpool'"):
        resnet_layout(models.create("pspnet_tiny").backbone)


def test_a_block_has_its_layers_and_widths():
    axis = show_residual_block(512, 128)
    texts = [text.get_text() for text in axis.texts]
    assert texts.count("1×1 convolution") == 2
    assert {"512 → 128", "128 → 128", "128 → 512", "shortcut", "+"} <= set(texts)
    plt.close(axis.figure)
