from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.labels import LabelSet
from segtutor.models import deeplabv2
from segtutor.models.backbones import ResNetBackbone
from segtutor.models.differences import as_markdown
from segtutor.models.weights import find_weights
from segtutor.training import loop
from tests.models.geometry import center_of_gradient, make_linear
from tests.models.networks import on_meta, randomize_norms

TINY = "deeplabv2_tiny"
TOLERANCE = {"rtol": 0, "atol": 2e-5}


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("deeplabv2_vgg16", {}, 20_505_429),  # the paper says 20.5 million
        ("deeplabv2_vgg16", {"head": "aspp_s"}, 37_877_652),  # 37.88 million
        ("deeplabv2_vgg16", {"head": "aspp_l"}, 37_877_652),
        ("deeplabv2_resnet101", {}, 44_048_532),
        ("deeplabv2_resnet101", {"multi_scale": True}, 44_048_532),  # the scales share their weights
    ],
)
def test_parameter_counts(name, options, count):
    assert sum(parameter.numel() for parameter in on_meta(name, **options).parameters()) == count


def test_vgg16_gives_up_two_strides():
    backbone = on_meta("deeplabv2_vgg16").backbone
    convolutions = [layer for layer in backbone if isinstance(layer, nn.Conv2d)]
    assert [layer.dilation[0] for layer in convolutions] == [1] * 10 + [2] * 3
    assert all(layer.padding == layer.dilation and layer.stride == (1, 1) for layer in convolutions)
    pools = [layer for layer in backbone if isinstance(layer, nn.MaxPool2d)]
    assert [pool.stride for pool in pools] == [2, 2, 2, 1, 1]
    assert {(pool.kernel_size, pool.padding, pool.ceil_mode) for pool in pools} == {(3, 1, True)}
    with torch.device("meta"):
        theirs = torchvision.models.vgg16(weights=None).features
    assert {key: value.shape for key, value in backbone.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }


@pytest.mark.parametrize(
    ("head", "rates"), [("largefov", [12]), ("aspp_s", [2, 4, 8, 12]), ("aspp_l", [6, 12, 18, 24])]
)
def test_every_branch_of_vgg16_has_its_own_fc6_fc7_and_fc8(head, rates):
    branches = on_meta("deeplabv2_vgg16", head=head).classifier
    assert [branch[0].dilation[0] for branch in branches] == rates
    for branch in branches:
        assert [tuple(layer.weight.shape) for layer in branch if isinstance(layer, nn.Conv2d)] == [
            (1024, 512, 3, 3), (1024, 1024, 1, 1), (21, 1024, 1, 1),
        ]  # fmt: skip
        assert branch[0].padding == branch[0].dilation
        assert [layer.p for layer in branch if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


def test_the_resnet_strides_in_the_first_1x1_and_has_one_rate_per_stage():
    backbone = on_meta("deeplabv2_resnet101").backbone
    stages = [backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4]
    assert [len(stage) for stage in stages] == [3, 4, 23, 3]
    assert [{block.conv2.dilation[0] for block in stage} for stage in stages] == [{1}, {1}, {2}, {4}]
    assert [[block.conv1.stride[0] for block in stage] for stage in stages] == [
        [1] * 3,
        [2, 1, 1, 1],
        [1] * 23,
        [1] * 3,
    ]
    assert [stage[0].downsample[0].stride[0] for stage in stages] == [1, 2, 1, 1]
    for stage in stages:
        for block in stage:
            assert block.conv2.stride == block.conv3.stride == (1, 1)
            assert block.conv1.dilation == block.conv3.dilation == (1, 1)
            assert block.conv2.padding == block.conv2.dilation
    assert backbone.maxpool.ceil_mode
    assert (backbone.maxpool.kernel_size, backbone.maxpool.stride, backbone.maxpool.padding) == (3, 2, 1)


@pytest.mark.parametrize("name", ["deeplabv2_vgg16", "deeplabv2_resnet101", TINY])
def test_maps_have_stride_8(name):
    backbone = on_meta(name).backbone
    for side, expected in ((321, 41),) if name == "deeplabv2_resnet101" else ((321, 41), (513, 65), (9, 2)):
        features = backbone(torch.empty(1, 3, side, 33, device="meta"))
        assert features["out"].shape == (1, backbone.channels["out"], expected, 5)


def test_with_ceil_pooling_an_even_size_leaves_one_pixel_more_than_torchvision_has():
    with torch.device("meta"):
        ours = deeplabv2.MSRAResNet(torchvision.models.resnet50(weights=None))
        theirs = ResNetBackbone(torchvision.models.resnet50(weights=None))
    images = torch.empty(1, 3, 64, 66, device="meta")
    assert ours(images)["out"].shape[-2:] == (9, 9)
    assert theirs(images)["out"].shape[-2:] == (8, 9)


@pytest.mark.parametrize("name", ["deeplabv2_vgg16", TINY])
@pytest.mark.parametrize("options", [{}, {"multi_scale": True}, {"align_corners": False, "multi_scale": True}])
def test_logits_have_the_size_of_the_input(name, options):
    network = on_meta(name, num_classes=5, **options)
    for height, width in [(65, 97), (100, 131), (33, 64), (16, 17)]:
        logits = network(torch.empty(1, 3, height, width, device="meta"))
        assert set(logits) == {"out"}
        assert logits["out"].shape == (1, 5, height, width)


def test_score_layers_begin_small_and_without_bias():
    torch.manual_seed(0)
    layer = deeplabv2.score_layer(512, 21, kernel_size=3, rate=6)
    assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert layer.bias.abs().max() == 0
    assert layer.padding == layer.dilation == (6, 6)
    for name, options in (("deeplabv2_vgg16", {"head": "aspp_s"}), (TINY, {})):
        network = models.create(name, **options)
        for final in network.final_layers():
            module = network.get_submodule(final)
            assert module.weight.std().item() == pytest.approx(0.01, rel=0.1)
            assert module.bias.abs().max() == 0


def test_scores_of_the_branches_are_added():
    """Worked by hand: on a map with a single 1, a branch of rate r and weights w answers w at distance r around it."""
    head = deeplabv2.SummedScores(deeplabv2.score_layer(1, 1, kernel_size=3, rate=rate) for rate in (1, 2))
    for weight, branch in zip((1.0, 10.0), head, strict=True):
        nn.init.constant_(branch.weight, weight)
        nn.init.constant_(branch.bias, weight / 10)
    features = torch.zeros(1, 1, 5, 5)
    features[0, 0, 2, 2] = 1
    expected = torch.tensor(
        [
            [10.0, 0, 10, 0, 10],
            [0, 1, 1, 1, 0],
            [10, 1, 11, 1, 10],
            [0, 1, 1, 1, 0],
            [10, 0, 10, 0, 10],
        ]
    )
    torch.testing.assert_close(head(features)[0, 0], expected + 1.1)


class Port(nn.Module):
    """The port's network, put together from torchvision's parts as its source and the paper describe it."""

    def __init__(self, network):
        super().__init__()
        self.resnet = network
        for stage, stride, rate in ((network.layer2, 2, 1), (network.layer3, 1, 2), (network.layer4, 1, 4)):
            stage[0].conv1.stride = stage[0].downsample[0].stride = (stride, stride)
            for block in stage:
                block.conv2.stride, block.conv2.dilation, block.conv2.padding = (1, 1), (rate, rate), (rate, rate)
        self.weights = [0.05 * torch.randn(21, 2048, 3, 3) for _ in range(4)]
        self.biases = [torch.randn(21) for _ in range(4)]

    def score(self, images):
        r = self.resnet
        features = F.max_pool2d(r.relu(r.bn1(r.conv1(images))), 3, 2, 1, ceil_mode=True)
        features = r.layer4(r.layer3(r.layer2(r.layer1(features))))
        return sum(
            F.conv2d(features, weight, bias, padding=rate, dilation=rate)
            for weight, bias, rate in zip(self.weights, self.biases, (6, 12, 18, 24), strict=True)
        )

    def forward(self, images, scales):
        """BGR 0-255 minus the mean in, logits at stride 8 out."""
        first = self.score(images)
        scores = [first]
        for scale in scales:
            # As PyTorch did when the port was written: rounded down, and sampled at the ratio of the two sizes.
            small = F.interpolate(
                images, scale_factor=scale, mode="bilinear", align_corners=False, recompute_scale_factor=True
            )
            scores.append(F.interpolate(self.score(small), first.shape[-2:], mode="bilinear", align_corners=False))
        return torch.stack(scores).max(dim=0).values

    def state(self, shortcut, aspp):
        """The arrays under the port's names, by plain replacement: independent of the rename table."""
        state = {}
        for key, value in self.resnet.state_dict().items():
            if key.startswith("fc."):
                continue
            parts = key.split(".")
            kind = {"conv": "conv", "bn": "bn", "downsample": "conv" if parts[-2] == "0" else "bn"}
            if parts[0] in ("conv1", "bn1"):
                new = ["layer1", "conv1", kind[parts[0][:-1]]]
            else:
                block = [f"layer{int(parts[0][-1]) + 1}", f"block{int(parts[1]) + 1}"]
                if parts[2] == "downsample":
                    new = [*block, shortcut, kind["downsample"]]
                else:
                    new = [*block, ["reduce", "conv3x3", "increase"][int(parts[2][-1]) - 1], kind[parts[2][:-1]]]
            state[".".join(["base", *new, parts[-1]])] = value
        for index in range(4):
            state[f"base.{aspp}c{index}.weight"] = self.weights[index]
            state[f"base.{aspp}c{index}.bias"] = self.biases[index]
        return state


def test_the_ports_weights_load_and_give_its_scores():
    torch.manual_seed(0)
    resnet = torchvision.models.resnet101(weights=None).eval()
    randomize_norms(resnet)
    port = Port(resnet)
    state = port.state("shortcut", "aspp.")
    assert "base.layer5.block3.conv3x3.bn.running_var" in state
    assert "base.layer2.block1.shortcut.conv.weight" in state
    network = models.create("deeplabv2_resnet101", align_corners=False, multi_scale=True).eval()
    report = models.load_weights(network, state)
    assert report.layout == "kazuto_deeplabv2"
    assert len(report.loaded) == len(state)
    assert not report.dropped
    assert not report.untouched

    picture = torch.randint(0, 256, (1, 3, 70, 81), dtype=torch.uint8)
    mean = torch.tensor([104.008, 116.669, 122.675])[:, None, None]
    theirs = picture.flip(1).float() - mean  # BGR
    ours = network.preprocessing.normalize(picture)
    with torch.inference_mode():
        for scales, own_scales in (((), (1.0,)), ((0.75, 0.5), (1.0, 0.75, 0.5))):
            network.scales = own_scales
            expected = F.interpolate(port(theirs, scales), (70, 81), mode="bilinear", align_corners=False)
            got = network(ours)["out"]
            assert expected.std() > 1  # the comparison is not one of zeros
            torch.testing.assert_close(got / expected.std(), expected / expected.std(), **TOLERANCE)

    older = port.state("proj", "aspp.stages.")
    assert set(models.load_weights(network, older).loaded) == set(report.loaded)


def test_torchvisions_resnet_has_the_same_keys_and_another_output():
    torch.manual_seed(0)
    plain = torchvision.models.resnet50(weights=None)
    ours = deeplabv2.MSRAResNet(plain, first_block_rate="same").eval()
    other = torchvision.models.resnet50(weights=None)
    other.load_state_dict(plain.state_dict())
    theirs = ResNetBackbone(other, first_block_rate="same").eval()
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    images = torch.randn(1, 3, 33, 33)
    with torch.inference_mode():
        difference = (ours(images)["out"] - theirs(images)["out"]).abs().max()
    assert difference > 1e-3


def test_imagenet_weights_of_vgg16_fill_its_convolutions():
    network = models.create("deeplabv2_vgg16", num_classes=2)
    theirs = {
        "features." + key.removeprefix("backbone."): torch.randn_like(value)
        for key, value in network.state_dict().items()
        if key.startswith("backbone.")
    }
    theirs.update({f"classifier.{index}.{part}": torch.zeros(1) for index in (0, 3, 6) for part in ("weight", "bias")})
    report = models.load_weights(network, theirs, layout="torchvision_vgg16_convolutions")
    assert len(report.loaded) == 26
    assert all(key.startswith("classifier.") for key in (*report.untouched, *report.dropped))
    for key in report.loaded:
        assert torch.equal(network.state_dict()[key], theirs["features." + key.removeprefix("backbone.")])
    source = find_weights("deeplabv2_vgg16", "imagenet")
    assert source.layout == "torchvision_vgg16_convolutions"


def test_of_several_scales_the_largest_score_counts():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3, multi_scale=True)
    randomize_norms(network)
    network.eval()
    images = torch.randn(2, 3, 65, 97)
    sizes = [(65, 97), (49, 73), (33, 49)]  # 8 and 12 steps of 8 pixels, times 1, 0.75, 0.5
    with torch.inference_mode():
        seen = []
        for size in sizes:
            small = F.interpolate(images, size, mode="bilinear", align_corners=True)
            score = network.classifier(network.backbone(small)["out"])
            seen.append(F.interpolate(score, (9, 13), mode="bilinear", align_corners=True))
        largest = torch.maximum(torch.maximum(seen[0], seen[1]), seen[2])
        expected = F.interpolate(largest, (65, 97), mode="bilinear", align_corners=True)
        out = network(images)["out"]
    torch.testing.assert_close(out, expected, **TOLERANCE)
    assert any((score == largest).float().mean() < 0.9 for score in seen)  # no scale wins everywhere


def test_in_training_every_scale_has_its_logits_and_its_loss():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=2, multi_scale=True)
    images, labels = torch.randn(2, 3, 40, 48), torch.randint(0, 2, (2, 40, 48))
    logits = network(images)
    assert set(logits) == {"out", "scale 1", "scale 0.75", "scale 0.5"}
    assert {value.shape for value in logits.values()} == {(2, 2, 40, 48)}
    expected = sum(F.cross_entropy(value, labels) for value in logits.values())  # v2 §4.1.2
    run = SimpleNamespace(
        config=SimpleNamespace(precision="float32", loss="cross_entropy", auxiliary_weight=0.4, accumulate=1),
        result=SimpleNamespace(precision="float32"),
        model=nn.Identity(),
        parallel=lambda images: logits,
        labels=LabelSet("Two", ("ground", "thing"), ((0, 0, 0), (255, 0, 0))),
        class_weights=None,
        team=SimpleNamespace(total=lambda value: value, count=1),
    )
    torch.testing.assert_close(loop._Run._loss(run, images, labels, torch.tensor(float(labels.numel()))), expected)


def test_one_step_of_training_reaches_every_parameter():
    torch.manual_seed(0)
    for options in ({}, {"multi_scale": True}):
        network = models.create(TINY, num_classes=4, **options)
        labels = torch.randint(0, 4, (2, 33, 41))
        logits = network(torch.randn(2, 3, 33, 41))
        sum(F.cross_entropy(value, labels) for value in logits.values()).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_prediction_is_centered_on_its_pixel():
    torch.manual_seed(0)
    for align_corners, side, offset in ((True, 321, 0.0), (True, 316, 0.0), (False, 320, 3.5)):
        network = make_linear(models.create(TINY, num_classes=1, rates=(1,), align_corners=align_corners))
        row, column = center_of_gradient(network, (side, side), (160, 163))
        # Without aligned corners, map pixel i answers for image pixel 8 i + 3.5, but saw 8 i.
        assert row == pytest.approx(160 - offset, abs=0.01)
        assert column == pytest.approx(163 - offset, abs=0.01)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="head must be one of largefov, aspp_s, aspp_l, but 'aspp' came"):
        models.create("deeplabv2_vgg16", head="aspp")
    for rates in ((), (0, 6)):
        with pytest.raises(ValueError, match="rates must be one or more whole numbers of at least 1"):
            models.create(TINY, rates=rates)
    network = models.create(TINY, multi_scale=True)
    with pytest.raises(ValueError, match="at least 16 x 16 pixels, but 15 x 40 came"):
        network(torch.zeros(2, 3, 15, 40))
    with pytest.raises(ValueError, match="a batch of one image of 16 x 16 pixels cannot train"):
        models.create(TINY, multi_scale=True, align_corners=False)(torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match="must have 3 channels"):
        network(torch.zeros(2, 1, 33, 33))
    network(torch.zeros(1, 3, 16, 16))  # grows to 17 x 17, of which half is 9 x 9, a map of 2 x 2


def test_weights_survive_a_file_and_the_head_can_be_replaced(tmp_path):
    network = models.create(TINY, num_classes=3, rates=(2, 4))
    models.save_weights(network, tmp_path / "w.pt")
    again = models.create(TINY, weights=tmp_path / "w.pt")
    assert again.config == network.config
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
    tuned = models.create(TINY, num_classes=5, rates=(2, 4))
    report = models.load_weights(tuned, tmp_path / "w.pt", replace_head=True)
    assert set(report.untouched) == {f"classifier.{i}.{part}" for i in (0, 1) for part in ("weight", "bias")}


def test_the_table_of_differences_is_that_of_the_code():
    network = on_meta("deeplabv2_resnet101")
    scales = deeplabv2.MULTI_SCALE
    backbone = network.backbone
    blocks = sum(len(stage) for stage in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4))
    norms = [module for module in network.classifier.modules() if isinstance(module, nn.BatchNorm2d)]
    pools = [module for module in network.classifier.modules() if isinstance(module, nn.AdaptiveAvgPool2d)]
    every = {2: "2 in every block", 4: "4 in every block"}
    measured = {
        "backbone": f"ResNet-{3 * blocks + 2}",
        "stride of a stage is in": {(2, 1): "first 1 x 1", (1, 2): "3 x 3"}[
            backbone.layer2[0].conv1.stride[0], backbone.layer2[0].conv2.stride[0]
        ],
        "max-pooling rounds sizes": "up" if backbone.maxpool.ceil_mode else "down",
        "rates of layer3": every[{block.conv2.dilation[0] for block in backbone.layer3}.pop()],
        "rates of layer4": every[{block.conv2.dilation[0] for block in backbone.layer4}.pop()],
        "rates of the ASPP": ", ".join(str(branch.dilation[0]) for branch in network.classifier),
        "branches": "3 x 3 to the classes, summed"
        if all(branch.kernel_size == (3, 3) and branch.out_channels == 21 for branch in network.classifier)
        else "",
        "batch norm or image pooling in the ASPP": "yes" if norms or pools else "no",
        "scales of the picture": f"{network.scales[0]:g}; {', '.join(f'{s:g}' for s in scales)} with multi_scale=True",
        "upsampling": "bilinear, aligned corners" if network.align_corners else "bilinear",
        "input": "RGB, mean and std" if network.preprocessing == models.Preprocessing() else "",
        "fusion of the scales": "maximum",  # test_of_several_scales_the_largest_score_counts
    }
    assert {row.detail: row.ours for row in deeplabv2.DIFFERENCES} == measured
    assert as_markdown(deeplabv2.DIFFERENCES).count("\n") == len(deeplabv2.DIFFERENCES) + 1
