"""The references of lesson 4 against the package's own PSPNet, its training, and PyTorch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segtutor.exercises.checking import judge
from segtutor.exercises.comparison import difference
from segtutor.exercises.lesson04 import EXERCISES
from segtutor.exercises.lesson04.adaptive_pooling import adaptive_average_pool
from segtutor.exercises.lesson04.auxiliary_loss import total_loss
from segtutor.exercises.lesson04.cost import widest_levels
from segtutor.exercises.lesson04.dilated_convolution import dilated_convolution
from segtutor.exercises.lesson04.dilated_stages import dilated_stages
from segtutor.exercises.lesson04.folding import fold_batch_norm
from segtutor.exercises.lesson04.gridding import count_paths
from segtutor.exercises.lesson04.learning_rates import learning_rates
from segtutor.exercises.lesson04.pyramid import pyramid_pooling
from segtutor.exercises.lesson04.receptive_field import receptive_field
from segtutor.grading.transfer import decode, decode_outcome, encode
from segtutor.grading.trying import tried
from segtutor.models import create
from segtutor.models.backbones import TinyResNet, resnet50_backbone, stage_rates
from segtutor.models.pspnet import PyramidPooling
from segtutor.training.losses import cross_entropy
from segtutor.training.optimizers import parameter_groups, set_learning_rate
from segtutor.training.schedules import polynomial

SEEDS = range(8)
BY_ID = {one.id: one for one in EXERCISES}


def test_arguments_survive_the_way_to_the_grader():
    """A tensor would come to a submission as an array: a check and a grade must hand over the same."""
    for exercise in EXERCISES:
        for case in exercise.cases:
            assert repr(decode(encode(case.arguments))) == repr(case.arguments), (exercise.id, case.name)


def pixels_seen(layers, length, position):
    """First and last pixel whose change a position of the last map feels: the gradient of a chain of ones."""
    pixels = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    values = pixels
    for kernel, stride, rate in layers:
        ones = torch.ones(1, 1, kernel, dtype=torch.float64)
        values = F.conv1d(values, ones, stride=stride, dilation=rate)
    values[0, 0, position].backward()
    seen = pixels.grad[0, 0].nonzero().flatten()
    return int(seen[0]), int(seen[-1])


@pytest.mark.parametrize("seed", SEEDS)
def test_receptive_field_is_what_a_gradient_reaches(seed):
    generator = np.random.default_rng(seed)
    layers = [tuple(int(n) for n in generator.integers((1, 1, 1), (5, 4, 4))) for _ in range(4)]
    size, jump = receptive_field(layers)
    (first, last), (next_first, _) = (pixels_seen(layers, size + jump, position) for position in (0, 1))
    assert (last - first + 1, next_first - first) == (size, jump)


def test_receptive_field_of_vgg16():
    layers = [step for count in (2, 2, 3, 3, 3) for step in [*[(3, 1, 1)] * count, (2, 2, 1)]]
    assert receptive_field(layers) == (212, 32)
    assert receptive_field([*layers, (7, 1, 1)]) == (404, 32)


@pytest.mark.parametrize("seed", SEEDS)
def test_dilated_convolution_agrees_with_torch(seed):
    generator = np.random.default_rng(seed)
    rate, side = int(generator.integers(1, 5)), int(generator.choice([1, 3, 5]))
    values, kernel = generator.normal(size=(7, 10)), generator.normal(size=(side, side))
    tensors = (torch.from_numpy(one)[None, None] for one in (values, kernel))
    peer = F.conv2d(*tensors, padding=rate * (side // 2), dilation=rate)[0, 0]
    np.testing.assert_allclose(dilated_convolution(values, kernel, rate), peer, atol=1e-12)


@pytest.mark.parametrize("rates", [(1,), (2, 2, 2), (1, 2, 3), (3, 1, 4, 1), (2, 4, 8)])
def test_paths_are_the_gradient_of_a_stack_of_ones(rates):
    reach = sum(rates)
    pixels = torch.zeros(1, 1, 2 * reach + 1, dtype=torch.float64, requires_grad=True)
    values = pixels
    for rate in rates:
        values = F.conv1d(values, torch.ones(1, 1, 3, dtype=torch.float64), dilation=rate)
    assert values.shape == (1, 1, 1)
    values.sum().backward()
    np.testing.assert_array_equal(count_paths(rates), pixels.grad[0, 0])
    assert count_paths(rates).sum() == 3 ** len(rates)


def test_equal_rates_leave_holes_and_rising_rates_do_not():
    assert (count_paths((2, 2, 2)) == 0).sum() == 6
    assert (count_paths((1, 2, 3)) > 0).all()
    assert receptive_field([(3, 1, rate) for rate in (2, 2, 2)])[0] == len(count_paths((2, 2, 2)))


@pytest.mark.parametrize("bins", [1, 2, 3, 6, 7])
def test_adaptive_pooling_agrees_with_torch_on_every_size(bins):
    for height in range(1, 14):
        x = torch.randn(2, 3, height, 1 + (5 * height) % 13, generator=torch.Generator().manual_seed(height))
        torch.testing.assert_close(adaptive_average_pool(x, bins), F.adaptive_avg_pool2d(x, bins))


@pytest.mark.parametrize(("side", "with_bias"), [(1, False), (3, True), (3, False)])
def test_folding_agrees_with_pytorchs_own(side, with_bias):
    torch.manual_seed(side)
    convolution, norm = nn.Conv2d(5, 3, side, bias=with_bias).eval(), nn.BatchNorm2d(3, eps=0.1).eval()
    with torch.no_grad():
        for values in (norm.weight, norm.bias, norm.running_mean):
            values.normal_()
        norm.running_var.uniform_(0.5, 2)
        fused = nn.utils.fuse_conv_bn_eval(convolution, norm)
    statistics = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    weight, bias = fold_batch_norm(
        convolution.weight.detach().numpy(),
        convolution.bias.detach().numpy() if with_bias else None,
        *(one.detach().numpy() for one in statistics),
        norm.eps,
    )
    np.testing.assert_allclose(weight, fused.weight.detach(), rtol=1e-5)
    np.testing.assert_allclose(bias, fused.bias.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width", [1, 4, 7])
def test_the_widest_levels_are_those_that_a_counter_of_operations_finds(width):
    def counted(channels_of_a_level):
        with FlopCounterMode(display=False) as counter:
            for bins in (1, 3):
                nn.Conv2d(6, channels_of_a_level, 1)(torch.zeros(1, 6, bins, bins))
            nn.Conv2d(6 + 2 * channels_of_a_level, 4, 3, padding=1)(torch.zeros(1, 6 + 2 * channels_of_a_level, 9, 11))
        return counter.get_total_flops() // 2  # a multiplication and an addition each

    assert widest_levels(6, (1, 3), 4, 9, 11, counted(width)) == width
    assert widest_levels(6, (1, 3), 4, 9, 11, counted(width) - 1) == width - 1


def folded(level):
    """Weight and bias of a level's 1 x 1 convolution and the batch norm behind it."""
    _, convolution, norm, _ = level
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale[:, None] * convolution.weight[:, :, 0, 0], norm.bias - scale * norm.running_mean


@pytest.mark.parametrize(
    ("bins", "size"), [((1, 2, 3, 6), (12, 16)), ((1, 2, 3, 6), (7, 5)), ((6, 1), (9, 9)), ((), (4, 4))]
)
def test_pyramid_agrees_with_the_packages_module(bins, size):
    torch.manual_seed(0)
    module = PyramidPooling(16, bins)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for values in (layer.weight, layer.running_var):
                    values.uniform_(0.5, 2)
                for values in (layer.bias, layer.running_mean):
                    values.normal_()
        module.eval()
        x = torch.randn(2, 16, *size)
        parts = [folded(level) for level in module.levels]
        weights, biases = [weight for weight, _ in parts], [bias for _, bias in parts]
        torch.testing.assert_close(pyramid_pooling(x, bins, weights, biases, size), module(x))
        padded = F.pad(x, (0, 3, 0, 2), value=9.0)
        own = pyramid_pooling(padded, bins, weights, biases, size)
        torch.testing.assert_close(own[:, :, : size[0], : size[1]], module(x))
        assert torch.equal(own[:, :16], padded)
        assert not own[:, 16:, size[0] :].any()
        assert not own[:, 16:, :, size[1] :].any()


def strides_and_rates(stages):
    """Of each stage of residual blocks: its stride, and the rate of the last 3 x 3 convolution of every block."""
    strides = [int(np.prod([block.conv1.stride[0] * block.conv2.stride[0] for block in stage])) for stage in stages]
    return strides, [[block.conv2.dilation[0] for block in stage] for stage in stages]


@pytest.mark.parametrize("output_stride", [8, 16])
def test_dilated_stages_are_those_of_the_packages_resnet(output_stride):
    new, rates = dilated_stages((4, 1, 2, 2, 2), output_stride)
    with torch.device("meta"):
        backbone = resnet50_backbone(output_stride=output_stride, first_block_rate="same")
    found, of_blocks = strides_and_rates([backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4])
    assert found == new[1:]
    assert of_blocks == [[rate] * len(blocks) for rate, blocks in zip(rates[1:], of_blocks, strict=True)]


@pytest.mark.parametrize("output_stride", [4, 8, 16])
@pytest.mark.parametrize("first_block_rate", ["same", "previous"])
def test_dilated_stages_are_those_of_the_tiny_backbone(output_stride, first_block_rate):
    new, rates = dilated_stages((2, 2, 2, 2), output_stride)
    backbone = TinyResNet(output_stride, first_block_rate)
    found, of_blocks = strides_and_rates([backbone.layer1, backbone.layer2, backbone.layer3])
    assert found == new[1:]
    expected = zip(rates, rates[1:], of_blocks, strict=False)
    for previous, rate, blocks in expected:
        assert tuple(blocks) == stage_rates(len(blocks), previous, rate, first_block_rate)


@pytest.mark.parametrize("seed", SEEDS)
def test_total_loss_is_that_of_the_training(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = {name: torch.randn(2, 5, 6, 7, generator=generator) for name in ("out", "aux")}
    labels = torch.randint(0, 5, (2, 6, 7), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = 255
    main, auxiliary = (cross_entropy(logits[name], labels) for name in ("out", "aux"))
    torch.testing.assert_close(total_loss(logits, labels, True, 0.4), main + 0.4 * auxiliary)
    torch.testing.assert_close(total_loss(logits, labels, False, 0.4), main)
    torch.testing.assert_close(total_loss({"out": logits["out"]}, labels, True, 0.4), main)


def test_networks_return_aux_in_training_only():
    """The statement of 4.9 says so."""
    model = create("pspnet_tiny", num_classes=3, aux=True)
    images = torch.zeros(2, 3, 33, 41)
    assert set(model.train()(images)) == {"out", "aux"}
    assert set(model.eval()(images)) == {"out"}


@pytest.mark.parametrize("step", [0, 1, 7, 9, 10, 11, 25])
def test_learning_rates_are_those_of_the_training(step):
    model = create("pspnet_tiny", num_classes=3)
    optimizer = torch.optim.SGD(parameter_groups(model, 1e-4, head_factor=10), lr=0.01)
    set_learning_rate(optimizer, 0.01 * polynomial(step, 10))
    found = sorted({group["lr"] for group in optimizer.param_groups})
    wanted = learning_rates(0.01, step, 10, 0.9, 10, 0)
    assert found == pytest.approx(sorted(set(wanted)), abs=1e-15)


def test_a_complex_learning_rate_gets_the_hint_about_the_end():
    def not_limited(base, step, steps, power, head_factor, warmup):
        rate = base * (1 - step / steps) ** power * (min((step + 1) / warmup, 1) if warmup else 1)
        return rate, head_factor * rate

    assert isinstance(not_limited(0.01, 11, 10, 0.9, 10, 0)[0], complex)
    report = judge(EXERCISES[9], not_limited, 0)
    assert (report.state, report.hint) == ("not yet", "end")


@pytest.mark.parametrize(("change", "right"), [(lambda loss: loss, True), (lambda loss: loss.detach(), False)])
def test_the_grader_sees_gradients_too(change, right):
    """Arguments and results go through JSON, which holds no gradient: the loss is differentiated before."""
    exercise = BY_ID["4.9"]
    case, wanted = exercise.cases[-1], exercise.wanted[-1]
    around = [exercise.around.__module__, exercise.around.__qualname__]
    task = {"keys": [], "arguments": [encode(case.arguments)], "seconds": exercise.seconds, "around": around}
    (found,) = tried(task, lambda *arguments: change(exercise.reference(*arguments)))
    assert (difference(decode_outcome(found).value, wanted, exercise.tolerance) is None) is right


def test_the_gradients_are_those_of_pytorch():
    exercise = BY_ID["4.9"]
    logits, labels, training, weight = exercise.cases[-2].arguments
    tensors = {name: torch.tensor(one, requires_grad=True) for name, one in logits.items()}
    losses = {name: F.cross_entropy(one, torch.tensor(labels), ignore_index=255) for name, one in tensors.items()}
    (losses["out"] + weight * losses["aux"]).backward()
    assert training
    for name, one in tensors.items():
        np.testing.assert_allclose(exercise.wanted[-2][f"gradient of {name}"], one.grad, atol=1e-7)


def test_a_stage_that_jumps_over_the_output_stride_is_dilated_as_a_whole():
    assert BY_ID["4.4"].reference((2, 4, 4), 4) == ([2, 1, 1], [1, 4, 16])
