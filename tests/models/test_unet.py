"""U-Net: the published count and sizes, a re-telling with functions, tiles that agree inside."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.models import unet as module
from segtutor.models.differences import as_markdown
from segtutor.models.unet import mirrored
from tests.models.networks import on_meta, randomize_norms, train_on, two_pictures


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_published_count_by_formula():
    """One channel in, two classes out: 31,030,658, with biases, 2 x 2 transposed convolutions, no batch norm."""

    def double(C_in, C):
        return (9 * C_in + 1) * C + (9 * C + 1) * C

    widths = [64, 128, 256, 512, 1024]
    down = sum(double(C_in, C) for C_in, C in zip([1, *widths], widths, strict=False))
    up = sum((4 * 2 * C + 1) * C + double(2 * C, C) for C in widths[:-1])
    assert down + up + 2 * 65 == 31_030_658
    color = 2 * 9 * 64  # two more channels into 64 filters of 3 x 3
    assert count(on_meta("unet", num_classes=2)) == 31_030_658 + color


def test_the_sizes_of_figure_1():
    network = on_meta("unet", num_classes=2)
    images = torch.zeros(1, 3, 572, 572, device="meta")
    sizes = []
    for block in [*network.down, *network.rise, *network.up]:
        block.register_forward_hook(lambda _, __, output: sizes.append(output.shape[-1]))
    assert network.valid(images).shape == (1, 2, 388, 388)
    assert sizes == [568, 280, 136, 64, 28, 56, 52, 104, 100, 200, 196, 392, 388]
    assert (network.margin, network.input_size(388, 388), network.input_size(1, 388)) == (92, (572, 572), (188, 572))


@pytest.mark.parametrize(("padded", "levels"), [(False, 4), (True, 4)])
def test_every_size_of_input_can_be_halved(padded, levels):
    network = on_meta("unet_tiny", padded=padded)
    sides = []
    for block in network.down[: levels - 1]:
        block.register_forward_hook(lambda _, __, output: sides.extend(output.shape[-2:]))
    for side in range(8, 60):
        height, width = network.valid(torch.zeros(1, 3, *network.input_size(side, side + 5), device="meta")).shape[-2:]
        assert height >= side
        assert width >= side + 5
        assert height - side < 8  # no larger than it must be
    assert not any(one % 2 for one in sides)


def retold(network, images):
    """An unpadded U-Net of four levels in functions."""
    state = network.state_dict()

    def double(name, x):
        for layer in (0, 3):
            x = F.conv2d(x, state[f"{name}.{layer}.weight"], state[f"{name}.{layer}.bias"])
            norm = [state[f"{name}.{layer + 1}.{array}"] for array in ("running_mean", "running_var", "weight", "bias")]
            x = F.batch_norm(x, *norm).relu()
        return x

    maps = [double("down.0", images)]
    for level in (1, 2, 3):
        maps.append(double(f"down.{level}", F.max_pool2d(maps[-1], 2)))
    x = maps.pop()
    for step in range(3):
        x = F.conv_transpose2d(x, state[f"rise.{step}.weight"], state[f"rise.{step}.bias"], stride=2)
        skip = maps.pop()
        edge = (skip.shape[-1] - x.shape[-1]) // 2
        x = double(f"up.{step}", torch.cat([skip[..., edge:-edge, edge:-edge], x], dim=1))
    return F.conv2d(x, state["classifier.weight"], state["classifier.bias"])


def test_agrees_with_a_re_telling():
    torch.manual_seed(0)
    network = models.create("unet_tiny", padded=False).eval()
    randomize_norms(network)
    images = torch.randn(2, 3, 116, 116)
    with torch.inference_mode():
        expected = retold(network, images)
        assert expected.shape[-1] == 28
        assert expected.std() > 0.01
        torch.testing.assert_close(network.valid(images), expected, atol=1e-5, rtol=1e-4)


def test_a_tile_is_equal_to_the_whole_picture_inside():
    """Overlap-tile: unpadded logits depend on nothing outside their 44 pixels of margin."""
    torch.manual_seed(0)
    network = models.create("unet_tiny", padded=False).eval()
    randomize_norms(network)
    picture = torch.randn(1, 3, 180, 180)  # of which the logits cover 92 x 92
    with torch.inference_mode():
        whole = network.valid(picture)
        for top, left in [(0, 0), (16, 40), (56, 56)]:
            tile = network.valid(picture[..., top : top + 124, left : left + 124])
            torch.testing.assert_close(tile, whole[..., top : top + 36, left : left + 36], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("skip", ["concat", "sum", "none"])
def test_logits_at_the_pictures_size_whatever_it_is(padded, skip):
    network = models.create("unet_tiny", num_classes=3, padded=padded, skip=skip).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 3, 37, 61))["out"].shape == (2, 3, 37, 61)


def test_a_whole_picture_is_mirrored_beyond_its_borders():
    torch.manual_seed(0)
    network = models.create("unet_tiny", padded=False).eval()
    randomize_norms(network)
    picture = torch.randn(1, 3, 60, 60)
    with torch.inference_mode():
        around = F.pad(picture, (44, 44, 44, 44), mode="reflect")
        torch.testing.assert_close(network(picture)["out"], network.valid(around), atol=1e-5, rtol=1e-4)


def test_mirrored_again_where_the_picture_is_small():
    row = torch.tensor([[[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]]])
    assert mirrored(row, (4, 3, 0, 0))[0, 0, 0].tolist() == [1, 2, 3, 2, 1, 2, 3, 2, 1, 2]
    assert torch.equal(mirrored(row, (0, 0, 0, 0)), row)


def test_skips_that_are_summed_or_left_out_have_fewer_parameters():
    concat, add, none = (count(on_meta("unet_tiny", skip=skip)) for skip in ("concat", "sum", "none"))
    assert add == none == concat - sum(9 * C * C for C in (16, 32, 64))


@pytest.mark.parametrize("padded", [True, False])
def test_training_reaches_every_parameter_and_learns_a_picture(padded):
    torch.manual_seed(0)
    network = models.create("unet_tiny", num_classes=3, padded=padded)
    images, labels = two_pictures()
    train_on(network, images, labels, 60, 3e-3, silent=(".0.bias", ".3.bias"))  # batch norm undoes a bias before it
    with torch.inference_mode():
        found = network(images)["out"].argmax(1)  # with the batch's own statistics
    assert (found == labels).float().mean() > 0.95


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="skip must be 'concat', 'sum' or 'none', but 'mean' came"):
        models.create("unet", skip="mean")
    with pytest.raises(ValueError, match="at least 16 x 16 pixels, but 15 x 64 came"):
        on_meta("unet")(torch.zeros(1, 3, 15, 64, device="meta"))


def test_differences_hold():
    ours = {row.detail: row.ours for row in module.DIFFERENCES}
    network = on_meta("unet")
    assert ours["padding of the 3 x 3"] == ours["batch norm"] == "none"
    assert {layer.padding for layer in network.modules() if isinstance(layer, nn.Conv2d)} == {(0, 0)}
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    assert as_markdown(module.DIFFERENCES).startswith("| detail | paper |")
