"""Receptive fields: stacks counted by hand, networks against the formula, and the width of known fields."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle
from torch import nn

from segtutor import models
from segtutor.plotting import (
    effective_receptive_field,
    field_width,
    receptive_box,
    show_receptive_field,
    theoretical_receptive_field,
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


VGG16 = [layer for convolutions in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * convolutions + [(2, 2, 1)]]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], (1, 1, 0)),
        ([(3, 1, 1)] * 3, (7, 1, 3)),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)], (15, 1, 7)),
        ([(3, 2, 1, 1), (3, 2, 1, 1)], (7, 4, 0)),
        ([(2, 2, 1)] * 5, (32, 32, 15.5)),
        (VGG16, (212, 32, 105.5)),
        ([*VGG16, (7, 1, 1)], (404, 32, 201.5)),  # fc6 of FCN-32s
    ],
)
def test_stacks_by_hand(layers, expected):
    assert theoretical_receptive_field(layers) == expected


def stack(layers):
    return nn.Sequential(
        *[nn.Conv2d(3 if not i else 4, 4, k, s, padding=p, dilation=d) for i, (k, s, d, p) in enumerate(layers)]
    )


@pytest.mark.parametrize(
    "layers", [[(3, 1, 1, 1)] * 2, [(3, 2, 1, 1), (3, 1, 2, 2)], [(5, 2, 1, 0), (3, 2, 3, 1), (1, 1, 1, 0)]]
)
def test_box_found_by_trying_is_that_of_the_formula(layers):
    field = theoretical_receptive_field(layers)
    x0, y0, x1, y1 = receptive_box(stack(layers), (61, 73), pixel=(8, 9))
    assert (x1 - x0, y1 - y0) == (field.size, field.size)
    center = ((y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2)
    assert center == (field.start + 8 * field.jump, field.start + 9 * field.jump)


def test_box_of_vgg16_pool3():
    model = nn.Sequential(*list(models.create("fcn32s_vgg16").backbone)[:17])
    field = theoretical_receptive_field([(3, 1, 1, 100), *[(*layer, (layer[0] - 1) // 2) for layer in VGG16[1:10]]])
    assert field == (44, 8, 3.5 - 99)  # 1 of the 100 is what keeps the size
    # Row 16 looks at the 44 pixels around -95.5 + 8 · 16 = 32.5, which are 11 to 54; column 17 is 8 further.
    assert receptive_box(model, (64, 80), pixel=(16, 17)) == (19, 11, 63, 55)


def test_box_knows_pooling_and_residual_blocks_and_is_cut_at_the_border():
    model = models.create("pspnet_tiny")
    # The stem, then two 3 x 3 convolutions in each residual block; layer3 gave up its stride and has rate 2.
    layers = [(3, 2, 1)] + [(3, 2, 1), (3, 1, 1)] + [(3, 2, 1)] + [(3, 1, 1)] * 3 + [(3, 1, 2)] * 4
    size = theoretical_receptive_field(layers).size
    assert size == 199  # 1 + 2 + 2·2 + 2·4 + 2·4 + 3·2·8 + 4·4·8, where layer2's first convolution reads at jump 4
    x0, y0, x1, y1 = receptive_box(model, (size + 40, size + 50), layer="backbone[out]")
    assert (x1 - x0, y1 - y0) == (size, size)
    assert receptive_box(model, (40, 50), layer="backbone[out]") == (0, 0, 50, 40)
    assert receptive_box(model, (size + 40, size + 50)) == (0, 0, size + 50, size + 40)  # one bin sees everything


def test_network_is_left_as_it_was():
    model = models.create("fcn8s_tiny").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    receptive_box(model, (64, 64), layer="backbone[pool3]")
    effective_receptive_field(model, torch.rand(2, 3, 64, 64), layer="backbone[pool3]")
    assert model.training
    assert model.backbone.pool.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_effective_field_of_one_convolution_is_its_kernel():
    model = nn.Conv2d(3, 2, 3, padding=1)
    field = effective_receptive_field(model, torch.rand(4, 3, 7, 9), pixel=(2, 5))
    expected = np.zeros((7, 9))
    expected[1:4, 4:7] = model.weight.detach().sum(dim=0).abs().sum(dim=0)
    np.testing.assert_allclose(field, expected / expected.sum(), atol=1e-7)


def test_random_weights_of_the_channels():
    model = nn.Conv2d(3, 2, 3, padding=1)
    factors = torch.randn(2, generator=torch.Generator().manual_seed(3))
    field = effective_receptive_field(model, torch.rand(1, 3, 3, 3), weights="random", seed=3)
    expected = (model.weight.detach() * factors[:, None, None, None]).sum(dim=0).abs().sum(dim=0)
    np.testing.assert_allclose(field, expected / expected.sum(), atol=1e-6)


def test_mean_over_images_is_that_of_their_gradients():
    class Square(nn.Module):
        def forward(self, images):
            return images**2

    images = torch.zeros(2, 3, 3, 3)
    images[0, :, 1, 1], images[1, 0, 1, 1] = 1, -5
    assert effective_receptive_field(Square(), images)[1, 1] == 1
    images.zero_()
    with pytest.raises(ValueError, match="gradient of the output is zero everywhere"):
        effective_receptive_field(Square(), images)


def test_gradient_lies_in_the_box_and_dilation_widens_it():
    torch.manual_seed(0)
    widths = []
    for rate in (1, 2):
        model = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=rate, dilation=rate) for _ in range(6)])
        field = effective_receptive_field(model, torch.rand(1, 3, 41, 41))
        x0, y0, x1, y1 = receptive_box(model, (41, 41))
        assert x1 - x0 == 1 + 12 * rate
        assert field[y0:y1, x0:x1].sum() == pytest.approx(1)
        widths.append(field_width(field, 0.95))
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)


def test_width_of_a_box():
    field = np.zeros((21, 31))
    field[6:13, 10:17] = 1  # 7 x 7 around row 9, column 13
    assert field_width(field, 1.0) == 7
    assert field_width(field, 25 / 49) == 5
    assert field_width(field, 25.5 / 49) == 7
    assert field_width(field, 1 / 49) == 1
    assert field_width(field[6:12, 10:16], 1.0) == 6  # an even side: the center lies between the pixels
    assert field_width(field, 1.0, center=(9, 10)) == 13


def test_width_of_a_gaussian():
    # P(|x| < a)² = 0.95 at a = 2.2365 deviations; a square of odd side s reaches s / 2.
    x = np.arange(101) - 50.0
    line = np.exp(-(x**2) / (2 * 8.0**2))
    assert field_width(np.outer(line, line), 0.95) == 37  # 2 · 2.2365 · 8 = 35.8
    wide = np.exp(-(x**2) / (2 * 16.0**2))
    assert field_width(np.outer(wide, wide), 0.6827**2) == pytest.approx(32, abs=1)


def test_drawn_frames_and_legend():
    layers = [(3, 2, 1, 1), (3, 1, 1, 1)]
    torch.manual_seed(1)
    model, images = stack(layers), torch.rand(2, 3, 31, 41)
    axes = show_receptive_field(model, images, share=0.5, picture=np.zeros((31, 41, 3), dtype=np.uint8))
    field = effective_receptive_field(model, images)
    np.testing.assert_allclose(axes.get_images()[1].get_array()[..., 3], np.sqrt(field / field.max()))
    share, box = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert share.get_width() == share.get_height() == field_width(field, 0.5)
    # Center of a 16 x 21 map: position (8, 10), at pixel (16, 20), 7 pixels wide.
    assert box.get_bbox().bounds == (20 - 3.5, 16 - 3.5, 7, 7)
    lines = [text.get_text() for text in axes.get_legend().get_texts()]
    assert lines == ["gradient", f"50% of it: {share.get_width():.0f} pixels wide", "can see: 7 × 7 pixels"]
    axes = show_receptive_field(model, images, pixel=(0, 0), box=True, title="corner")
    assert axes.get_title() == "corner"
    assert axes.get_legend().get_texts()[2].get_text() == "can see: 4 × 4 pixels (cut by the image)"
    assert len(show_receptive_field(model, images, box=False).patches) == 1
    axes.figure.canvas.draw()
    title = axes.title.get_window_extent()
    assert title.y1 <= axes.figure.bbox.y1


def test_a_picture_drawn_larger_lies_below_the_same_places():
    model, images = models.create("fcn8s_tiny"), torch.rand(1, 3, 64, 80)
    picture = np.zeros((192, 240, 3), dtype=np.uint8)
    axes = show_receptive_field(model, images, layer="backbone[pool3]", box=False, picture=picture)
    below, heat = axes.images
    assert below.get_array().shape[:2] == (192, 240)
    assert below.get_extent() == heat.get_extent() == [-0.5, 79.5, 63.5, -0.5]


def test_refusals():
    model, images = models.create("fcn8s_tiny"), torch.rand(1, 3, 64, 64)
    with pytest.raises(ValueError, match="begin at zero"):
        effective_receptive_field(model, images)
    with pytest.raises(ValueError, match=r"image\[None\]"):
        effective_receptive_field(model, images[0])
    with pytest.raises(ValueError, match=r"no map 'pool5'; close ones are backbone\[pool5\]"):
        effective_receptive_field(model, images, layer="pool5")
    with pytest.raises(ValueError, match=r"row in 0...8 and a column in 0...8, but \(9, 0\) came"):
        receptive_box(model, (64, 64), (9, 0), layer="backbone[pool3]")
    with pytest.raises(ValueError, match="weights must be"):
        effective_receptive_field(model, images, weights="mean")
    with pytest.raises(ValueError, match=r"as large as the images, \(64, 64\)"):
        show_receptive_field(model, images, layer="backbone[pool3]", picture=np.zeros((9, 9, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="whole number of times"):
        show_receptive_field(model, images, layer="backbone[pool3]", picture=np.zeros((128, 192, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="a layer must be"):
        theoretical_receptive_field([(3, 0, 1)])
    with pytest.raises(ValueError, match="share must be"):
        field_width(np.ones((3, 3)), 0)
    with pytest.raises(ValueError, match="magnitude"):
        field_width(-np.ones((3, 3)))
