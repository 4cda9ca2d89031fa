"""The drawing of attention over a picture, and that of SegFormer."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from segtutor import models
from segtutor.plotting import segformer_layout, show_architecture, show_attention, trace_shapes


def test_color_follows_the_weights_and_the_frame_marks_the_place():
    axis = show_attention([0.1, 0.2, 0.3, 0.4], (2, 2), (24, 8), np.zeros((32, 32, 3), np.uint8), title="head 1")
    heat = axis.images[-1].get_array()
    np.testing.assert_allclose(heat[..., 3], [[0.25, 0.5], [0.75, 1]])
    frame = axis.patches[-1]
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (0, 16, 16)
    assert axis.get_title() == "head 1"
    plt.close(axis.figure)


@pytest.mark.parametrize("weights", [[0.5, 0.5], [-0.1, 0.3, 0.4, 0.4], [0.0, 0, 0, 0]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 2 x 2 numbers of at least 0"):
        show_attention(weights, (2, 2), (0, 0), np.zeros((8, 8, 3), np.uint8))


def test_segformers_boxes_have_the_networks_sizes():
    with torch.device("meta"):
        network = models.create("segformer_b0", num_classes=19).eval()
    axis = show_architecture(trace_shapes(network, (512, 512)), segformer_layout(network))
    texts = [text.get_text() for text in axis.texts]
    assert texts.count("enlarge") == 4  # three of the four stages, and the logits
    for shape in ("32 ×\n128 × 128", "256 ×\n16 × 16", "1024 ×\n128 × 128", "19 ×\n512 × 512"):
        assert shape in texts, shape
    plt.close(axis.figure)


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="no module"):
        segformer_layout(models.create("pspnet_tiny"))
