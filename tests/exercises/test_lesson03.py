"""The references of lesson 3 against PyTorch and the package's own layers."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.exercises.catalog import exercises
from segtutor.models.upsampling import BilinearUpsampling, add_where_they_overlap
from segtutor.models.vgg import VGG16_WIDTHS, VGGBackbone
from segtutor.training.losses import cross_entropy


def reference(number):
    return exercises()[f"3.{number}"].reference


@pytest.mark.parametrize(("outputs", "channels", "size"), [(5, 3, (7, 4)), (1, 4, (1, 1)), (6, 1, (2, 3))])
def test_as_convolution_is_the_layer_on_maps_with_channels_last(outputs, channels, size):
    torch.manual_seed(0)
    maps = torch.randn(2, channels, *size, dtype=torch.float64)
    flattened = maps.permute(0, 2, 3, 1).flatten(1)  # as TensorFlow keeps and flattens a map
    weight = torch.randn(flattened.shape[1], outputs, dtype=torch.float64)
    kernel = torch.as_tensor(reference(1)(weight.numpy(), *size).copy())
    assert torch.allclose(F.conv2d(maps, kernel).flatten(1), flattened @ weight)


def test_output_padding_brings_every_size_back_in_pytorch():
    checked = 0
    for size, kernel, stride, padding in itertools.product(range(1, 9), range(1, 6), range(1, 5), range(3)):
        if kernel <= size + 2 * padding:
            x = torch.zeros(1, 1, size)
            reduced = F.conv1d(x, torch.zeros(1, 1, kernel), stride=stride, padding=padding)
            wanted = reference(2)(size, kernel, stride, padding)
            layer = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding, output_padding=wanted)
            assert layer(reduced).shape[-1] == size
            checked += 1
    assert checked > 300


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (4, 2), (2, 3), (5, 1), (1, 2)])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_stuffed_input_gives_pytorchs_transposed_convolution(kernel_size, stride, padding):
    generator = np.random.default_rng(0)
    values, kernel = generator.normal(size=(4, 6)), generator.normal(size=(kernel_size, kernel_size))
    tensors = (torch.tensor(one)[None, None] for one in (values, kernel))
    theirs = F.conv_transpose2d(*tensors, stride=stride, padding=padding)[0, 0]
    padded = torch.tensor(reference(3)(values, kernel_size, stride, padding))
    turned = torch.tensor(kernel[::-1, ::-1].copy())
    np.testing.assert_allclose(F.conv2d(padded[None, None], turned[None, None])[0, 0], theirs, atol=1e-12)


@pytest.mark.parametrize(("channels", "outputs"), [(1, 1), (2, 3), (3, 2), (4, 1)])
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (4, 2), (2, 3), (5, 1), (1, 2)])
def test_transposed_convolution_is_that_of_pytorch(channels, outputs, kernel_size, stride):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(channels, 4, 6))
    kernel = generator.normal(size=(channels, outputs, kernel_size, kernel_size))
    theirs = F.conv_transpose2d(torch.tensor(values)[None], torch.tensor(kernel), stride=stride)[0]
    np.testing.assert_allclose(reference(4)(values, kernel, stride), theirs, atol=1e-12)


def test_the_version_with_three_mistakes_does_what_the_statement_says():
    statement = exercises()["3.5"].statement
    names = {"np": np}
    exec(statement.partition("```python\n")[2].partition("```")[0], names)
    wrong = names["bilinear_weight"]
    right = reference(5)
    line = wrong(1, 4)[0, 0].sum(0)
    place = np.arange(4)
    shift = (line * place).sum() / line.sum() - (right(1, 4)[0, 0].sum(0) * place).sum() / right(1, 4).sum()
    assert shift == pytest.approx(0.5), "half a pixel with size 4"
    ones = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    inside = F.conv_transpose2d(ones, torch.tensor(wrong(1, 3)), stride=2)[0, 0, 3:-3, 3:-3]
    assert inside.max() - inside.min() > 0.2, "a constant comes out uneven with size 3"
    assert wrong(2, 4)[0, 1].any(), "classes mix"


@pytest.mark.parametrize(("num_classes", "size"), [(3, 4), (2, 3), (1, 64), (4, 15)])
def test_bilinear_weight_is_the_packages(num_classes, size):
    layer = BilinearUpsampling(num_classes, (size + 1) // 2, size)
    np.testing.assert_allclose(reference(5)(num_classes, size), layer.weight.detach().numpy(), atol=1e-7)


@pytest.mark.parametrize(
    ("coarse", "fine", "offset"), [((16, 16), (44, 44), 5), ((3, 5), (9, 7), 2), ((4, 4), (10, 11), 0)]
)
def test_fusion_is_the_packages(coarse, fine, offset):
    generator = np.random.default_rng(0)
    scores, finer = generator.normal(size=(2, *coarse)), generator.normal(size=(2, *fine))
    enlarged = BilinearUpsampling(2, 2, 4).double()(torch.tensor(scores)[None])
    wanted = add_where_they_overlap(enlarged, torch.tensor(finer)[None], offset)[0]
    np.testing.assert_allclose(reference(6)(scores, finer, offset), wanted.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("ignore", [255, 2])
def test_pixel_loss_is_pytorchs_and_the_packages(ignore):
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(0, 5, (4, 6, 7)), generator.integers(0, 4, (6, 7))
    labels[:2] = ignore
    found = reference(7)(logits, labels, ignore)
    arguments = torch.tensor(logits)[None], torch.tensor(labels)[None]
    assert found == pytest.approx(F.cross_entropy(*arguments, ignore_index=ignore).item(), rel=1e-12)
    assert found == pytest.approx(cross_entropy(*arguments, ignore).item(), rel=1e-12)
    assert reference(7)(logits, np.full_like(labels, ignore), ignore) == 0


@pytest.mark.parametrize("up", [False, True])
def test_map_size_is_that_of_pytorch(up):
    """PyTorch drops a last window that would begin in the padding on the right, so rounding up is tried without."""
    checked = 0
    for size, kernel, stride, padding in itertools.product(range(5, 12), range(1, 6), range(1, 5), range(3)):
        if 2 * padding <= kernel and not (up and (padding or stride > kernel)):
            layer = torch.nn.MaxPool1d(kernel, stride, padding, ceil_mode=up)
            wanted = layer(torch.zeros(1, 1, size)).shape[-1]
            assert reference(8)(size, [(kernel, stride, padding, up)]) == wanted
            checked += 1
    assert checked > 90


@pytest.mark.parametrize("size", [32, 57, 75])
def test_map_size_is_that_of_every_map_of_the_packages_backbone(size):
    backbone = VGGBackbone([[1] * len(group) for group in VGG16_WIDTHS])
    with torch.no_grad():
        found = {name: made.shape[-1] for name, made in backbone(torch.zeros(1, 3, size, size)).items()}
    layers, wanted = [], {}
    for layer in backbone:
        if isinstance(layer, torch.nn.Conv2d):
            layers.append((layer.kernel_size[0], layer.stride[0], layer.padding[0], False))
        elif isinstance(layer, torch.nn.MaxPool2d):
            layers.append((layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode))
            wanted[f"pool{len(wanted) + 1}"] = reference(8)(size, layers)
    assert found == wanted


@pytest.mark.parametrize(("size", "kernel", "stride"), [(5, 3, 2), (4, 4, 2), (3, 2, 3), (7, 9, 4), (1, 1, 1)])
def test_writers_are_what_ones_scattered_by_pytorch_add_up_to(size, kernel, stride):
    ones = F.conv_transpose1d(torch.ones(1, 1, size), torch.ones(1, 1, kernel), stride=stride)[0, 0]
    np.testing.assert_array_equal(reference(9)(size, kernel, stride), ones.numpy())
    board = reference(4)(np.ones((1, size, size)), np.ones((1, 1, kernel, kernel)), stride)[0]
    np.testing.assert_array_equal(np.outer(ones, ones), board)


def test_the_sizes_say_which_pictures_fcn_32s_cannot_take():
    """459 is what models/vgg.py and lesson 3 say of poolings that round down."""
    for up, wanted in ((True, 0), (False, 459)):
        layers = [(3, 1, 100, False), *[(2, 2, 0, up)] * 5, (7, 1, 0, False)]
        scores = {side: reference(8)(side, layers) for side in range(1, 1200)}
        assert sum(n < 1 or 32 * (n - 1) + 64 < side + 19 for side, n in scores.items()) == wanted
