"""The references of lesson 6 against the package's own DeepLabs, its dense CRF, and PyTorch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor.exercises.lesson06 import EXERCISES
from segtutor.exercises.lesson06.aspp import aspp
from segtutor.exercises.lesson06.atrous import atrous_convolution
from segtutor.exercises.lesson06.cost import layers_to_replace
from segtutor.exercises.lesson06.decoder import fuse_with_low_level
from segtutor.exercises.lesson06.image_pooling import image_pooling
from segtutor.exercises.lesson06.map_rates import choose_rates
from segtutor.exercises.lesson06.mean_field import mean_field_step
from segtutor.exercises.lesson06.pair_kernel import pair_kernel
from segtutor.exercises.lesson06.rates import deeplab_rates
from segtutor.exercises.lesson06.score_fusion import fuse_scores
from segtutor.exercises.lesson06.separable import separable_convolution
from segtutor.exercises.lesson06.unary import unary_energies
from segtutor.exercises.lesson06.valid_taps import valid_taps
from segtutor.grading.transfer import decode, encode
from segtutor.models import create, dense_crf
from segtutor.models.aspp import ASPP, ASPPPooling, atrous_rates
from segtutor.models.backbones import resnet50_backbone
from segtutor.models.crf import NormalizedFilter, pixel_features, unary
from segtutor.models.crf_exact import ExactFilter
from segtutor.models.separable import AtrousSeparableConv

SEEDS = range(6)


def test_arguments_survive_the_way_to_the_grader():
    for exercise in EXERCISES:
        for case in exercise.cases:
            assert repr(decode(encode(case.arguments))) == repr(case.arguments), (exercise.id, case.name)


def settled(module):
    """The module in evaluation, its batch norms as if it had been trained."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for values in (layer.weight, layer.running_var):
                    values.uniform_(0.5, 2)
                for values in (layer.bias, layer.running_mean):
                    values.normal_()
    return module.eval()


def folded(convolution, norm):
    """Weight and bias of a convolution and the batch norm behind it."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight, bias = scale[:, None, None, None] * convolution.weight, norm.bias - scale * norm.running_mean
    return weight.detach(), bias.detach()


@pytest.mark.parametrize("seed", SEEDS)
def test_atrous_convolution_agrees_with_torch(seed):
    generator = np.random.default_rng(seed)
    rate, side = int(generator.integers(1, 7)), int(generator.choice([1, 3, 5]))
    x, weight, bias = (
        torch.from_numpy(generator.normal(size=size)) for size in ((2, 3, 9, 12), (4, 3, side, side), (4,))
    )
    peer = F.conv2d(x, weight, bias, padding=rate * (side // 2), dilation=rate)
    torch.testing.assert_close(atrous_convolution(x, weight, bias, rate), peer)


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("multi_grid", [(1, 1, 1), (1, 2, 4), (1, 2, 1)])
def test_rates_are_those_of_the_packages_networks(output_stride, multi_grid):
    branches, blocks = deeplab_rates((6, 12, 18), 2, multi_grid, 16, output_stride)
    assert tuple(branches) == atrous_rates(output_stride)
    with torch.device("meta"):
        backbone = resnet50_backbone(output_stride=output_stride, multi_grid=multi_grid)
    assert [block.conv2.dilation[0] for block in backbone.layer4] == blocks


@pytest.mark.parametrize("output_stride", [4, 8])
def test_scaled_rates_read_the_same_places(output_stride):
    """Every other value of the finer map is the coarse map's, if rates are scaled as 6.2 says."""
    torch.manual_seed(3)
    coarse, kernel = torch.randn(1, 1, 13, 15), torch.randn(1, 1, 3, 3)
    (rate,), _ = deeplab_rates((2,), 1, (), 16, output_stride)
    step = 16 // output_stride
    fine = torch.randn(1, 1, 13 * step, 15 * step)
    fine[..., ::step, ::step] = coarse
    found = F.conv2d(fine, kernel, padding=rate, dilation=rate)[..., ::step, ::step]
    torch.testing.assert_close(found, F.conv2d(coarse, kernel, padding=2, dilation=2))


@pytest.mark.parametrize("rate", [1, 2, 5, 8, 9, 12, 20])
def test_valid_taps_are_what_a_convolution_of_ones_counts(rate):
    counts = F.conv2d(torch.ones(1, 1, 9, 16), torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)
    mean, complete, lonely = valid_taps(9, 16, rate)
    assert mean == pytest.approx(float(counts.mean()) / 9, rel=1e-6)
    assert complete == pytest.approx(float((counts == 9).float().mean()), rel=1e-6)
    assert lonely == pytest.approx(float((counts == 1).float().mean()), rel=1e-6)


def test_a_rate_as_large_as_the_map_leaves_a_1_x_1():
    """v3 section 3.3; 65 x 65 is the map of its figure 4."""
    assert valid_taps(65, 65, 65) == (1 / 9, 0, 1)
    means = [valid_taps(65, 65, rate)[0] for rate in range(1, 66)]
    assert means == sorted(means, reverse=True)
    assert choose_rates(65, 65, [means[11] - 1e-9, means[23] - 1e-9]) == [12, 24]


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (12, 3)])
def test_image_pooling_agrees_with_the_packages_branch(size):
    torch.manual_seed(0)
    branch = settled(ASPPPooling(6, 4))
    x = torch.randn(2, 6, *size)
    with torch.no_grad():
        torch.testing.assert_close(image_pooling(x, *folded(branch[1], branch[2])), branch(x))


def parts_of(module):
    """Rates, weights, biases and projection of the package's ASPP."""
    *convolutions, pooling = module.convs
    layers = [folded(branch[0], branch[1]) for branch in convolutions] + [folded(pooling[1], pooling[2])]
    rates = [branch[0].dilation[0] for branch in convolutions[1:]]
    return rates, [one for one, _ in layers], [one for _, one in layers], *folded(*module.project[:2])


@pytest.mark.parametrize("rates", [(2, 4, 6), (6, 12, 18), (3,), ()])
def test_aspp_agrees_with_the_packages_module(rates):
    torch.manual_seed(1)
    module = settled(ASPP(8, rates, channels=5))
    x = torch.randn(2, 8, 9, 11)
    with torch.no_grad():
        torch.testing.assert_close(aspp(x, *parts_of(module), ()), module(x))
        branches = [branch(x) for branch in module.convs]
        for silent in range(len(branches)):
            heard = [0 * one if number == silent else one for number, one in enumerate(branches)]
            peer = module.project(torch.cat(heard, 1))
            torch.testing.assert_close(aspp(x, *parts_of(module), (silent,)), peer)


@pytest.mark.parametrize(("channels", "rate"), [(5, 1), (3, 2), (8, 6)])
def test_separable_convolution_agrees_with_the_packages_layer(channels, rate):
    torch.manual_seed(2)
    layer = settled(AtrousSeparableConv(6, channels, rate))
    x = torch.randn(2, 6, 8, 10)
    parts = (*folded(layer.depthwise, layer.depthwise_norm), *folded(layer.pointwise, layer.pointwise_norm))
    with torch.no_grad():
        torch.testing.assert_close(separable_convolution(x, *parts, rate), layer(x))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_separable_convolution_with_a_multiplier_agrees_with_pytorchs_groups(times):
    torch.manual_seed(times)
    first, second = nn.Conv2d(4, 4 * times, 3, padding=2, dilation=2, groups=4), nn.Conv2d(4 * times, 5, 1)
    x = torch.randn(2, 4, 7, 8)
    with torch.no_grad():
        peer = second(first(x).relu()).relu()
        own = separable_convolution(x, first.weight, first.bias, second.weight, second.bias, 2)
    torch.testing.assert_close(own, peer)


def test_a_layer_is_replaced_just_where_a_counter_of_operations_says_that_it_must():
    with FlopCounterMode(display=False) as counter:
        nn.Conv2d(6, 4, 3, padding=1)(torch.zeros(1, 6, 7, 9))
    full = counter.get_total_flops() // 2
    separable = AtrousSeparableConv(6, 4, relu=False)
    with FlopCounterMode(display=False) as counter:
        nn.Sequential(separable.depthwise, separable.pointwise)(torch.zeros(1, 6, 7, 9))
    cheaper = counter.get_total_flops() // 2
    layers = [(6, 4, 3, 7, 9)]
    assert [layers_to_replace(layers, budget) for budget in (full, full - 1, cheaper, cheaper - 1)] == [
        [], [0], [0], "error",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(33, 41), (64, 80), (50, 71)])
def test_decoder_fusion_is_that_of_the_packages_network(size):
    """What the first layer of the classifier sees, caught on its way."""
    torch.manual_seed(3)
    model = settled(create("deeplabv3plus_tiny", num_classes=4))
    seen = {}
    model.classifier.register_forward_pre_hook(lambda _, inputs: seen.update(fused=inputs[0]))
    model.aspp.register_forward_hook(lambda _, inputs, output: seen.update(encoded=output))
    model.reduce.register_forward_pre_hook(lambda _, inputs: seen.update(low=inputs[0]))
    with torch.no_grad():
        model(torch.randn(2, 3, *size))
        own = fuse_with_low_level(seen["encoded"], seen["low"], *folded(model.reduce[0], model.reduce[1]))
        torch.testing.assert_close(own, seen["fused"])


def test_score_fusion_is_that_of_the_packages_network():
    torch.manual_seed(4)
    model = settled(create("deeplabv2_tiny", num_classes=5, multi_scale=True))
    images = torch.randn(2, 3, 129, 161)
    scores = []
    with torch.no_grad():
        for size in ((129, 161), (97, 121), (65, 81)):  # 128 x 160 at the scales 1, 3/4 and 1/2, plus 1
            scaled = F.interpolate(images, size=size, mode="bilinear", align_corners=True)
            features = model.backbone(scaled)["out"]
            scores.append(torch.stack([branch(features) for branch in model.classifier]))
        own = F.interpolate(fuse_scores(scores), size=(129, 161), mode="bilinear", align_corners=True)
        torch.testing.assert_close(own, model(images)["out"])


def picture_and_probabilities(seed, height=6, width=7, classes=4):
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, size=(height, width, 3)).astype(np.uint8)
    probabilities = torch.from_numpy(generator.normal(scale=6, size=(classes, height, width))).softmax(0).numpy()
    return image, probabilities


@pytest.mark.parametrize("seed", SEEDS)
def test_unary_energies_are_those_of_the_package(seed):
    _, probabilities = picture_and_probabilities(seed)
    assert probabilities.min() < 1e-5
    np.testing.assert_allclose(unary_energies(probabilities, 1e-5), unary(torch.from_numpy(probabilities)), rtol=1e-12)


@pytest.mark.parametrize("sigmas", [(3, None), (67, 3), (5, 80), (1.5, None)])
def test_pair_kernel_is_the_packages_normalized_filter(sigmas):
    image, _ = picture_and_probabilities(0)
    features = pixel_features(torch.from_numpy(image).permute(2, 0, 1), *sigmas)
    peer = NormalizedFilter(ExactFilter(features), "symmetric", include_self=True)
    own = pair_kernel(image, *sigmas)
    np.testing.assert_allclose(own, peer(torch.eye(len(own))), atol=1e-5)
    np.testing.assert_allclose(own, own.T, rtol=1e-12)


@pytest.mark.parametrize("iterations", [0, 1, 2, 10])
def test_mean_field_steps_are_those_of_the_packages_crf(iterations):
    image, probabilities = picture_and_probabilities(1)
    energies = unary_energies(probabilities, 1e-5)
    kernels = [pair_kernel(image, 3, None), pair_kernel(image, 20, 60)]
    current = np.exp(-energies) / np.exp(-energies).sum(axis=1, keepdims=True)
    for _ in range(iterations):
        current = mean_field_step(current, energies, kernels, [3, 4], 1 - np.eye(len(probabilities)))
    peer = dense_crf(probabilities, image, iterations, bilateral_sigma_xy=20, bilateral_sigma_rgb=60, method="exact")
    np.testing.assert_allclose(current.T.reshape(probabilities.shape), peer, atol=1e-4)
    if iterations:
        assert abs(peer - probabilities).max() > 0.1, "else the steps do nothing here"


def test_the_projects_aspp_leaves_the_labels_of_the_trained_network():
    from segtutor import datasets

    scenes = datasets.Scenes("val", size=(64, 80), count=2)
    try:
        model = create("deeplabv3_tiny", num_classes=len(scenes.labels), weights="course").eval()
    except (ValueError, OSError) as error:  # a checkout whose checkpoint was not made yet
        pytest.skip(str(error))
    images = torch.stack([model.preprocessing.normalize(torch.as_tensor(image)) for image, _ in scenes])
    with torch.no_grad():
        features = model.backbone(images)["out"]
        theirs = model.classifier(features)
        mine = nn.Sequential(*list(model.classifier)[1:])(aspp(features, *parts_of(model.classifier[0]), ()))
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    assert torch.equal(mine.argmax(1), theirs.argmax(1))
