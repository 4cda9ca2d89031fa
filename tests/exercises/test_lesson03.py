"""The references of lesson 3 against PyTorch and the package's own layers."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.exercises.catalog import exercises
from segtutor.models.upsampling import BilinearUpsampling, add_where_they_overlap
from segtutor.training.losses import cross_entropy


def reference(number):
    return exercises()[f"3.{number}"].reference


@pytest.mark.parametrize(("outputs", "channels", "side"), [(5, 3, 7), (1, 4, 1), (6, 1, 2)])
def test_as_convolution_is_the_linear_layer(outputs, channels, side):
    torch.manual_seed(0)
    linear = torch.nn.Linear(channels * side * side, outputs).double()
    maps = torch.randn(2, channels, side, side, dtype=torch.float64)
    kernel = torch.as_tensor(reference(1)(linear.weight.detach().numpy(), channels, side))
    assert torch.allclose(F.conv2d(maps, kernel, linear.bias).flatten(1), linear(maps.flatten(1)))


def test_size_is_that_of_pytorch():
    checked = 0
    for size, kernel, stride, padding in itertools.product(range(1, 6), range(1, 6), range(1, 5), range(3)):
        wanted = reference(2)(size, kernel, stride, padding)
        if wanted > 0:
            layer = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding)
            assert layer(torch.zeros(1, 1, size)).shape[-1] == wanted
            checked += 1
    assert checked > 200


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (4, 2), (2, 3), (5, 1), (1, 2)])
def test_transposed_convolution_is_that_of_pytorch_and_of_the_stuffed_input(kernel_size, stride):
    generator = np.random.default_rng(0)
    values, kernel = generator.normal(size=(4, 6)), generator.normal(size=(kernel_size, kernel_size))
    found = reference(4)(values, kernel, stride)
    theirs = F.conv_transpose2d(torch.tensor(values)[None, None], torch.tensor(kernel)[None, None], stride=stride)
    np.testing.assert_allclose(found, theirs[0, 0].numpy(), atol=1e-12)
    padded = torch.tensor(reference(3)(values, stride, kernel_size - 1))
    turned = torch.tensor(kernel[::-1, ::-1].copy())
    np.testing.assert_allclose(found, F.conv2d(padded[None, None], turned[None, None])[0, 0].numpy(), atol=1e-12)
    assert found.shape == tuple(reference(2)(side, kernel_size, stride, 0) for side in values.shape)


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
