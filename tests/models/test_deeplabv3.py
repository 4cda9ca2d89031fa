import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.models.deeplabv3 import ASPP, atrous_rates
from tests.models.networks import dilations

TINY = "deeplabv3_tiny"
FAMILY = [name for name in models.available() if name.startswith("deeplabv3_") and "cascaded" not in name]


def on_meta(name, **options):
    with torch.device("meta"):
        return models.create(name, **options)


@pytest.mark.parametrize(
    ("options", "layer3", "layer4"),
    [
        ({}, [1, 2, 2, 2, 2, 2], [2, 4, 4]),
        ({"output_stride": 16}, [1] * 6, [1, 2, 2]),
        ({"first_block_rate": "same"}, [2] * 6, [4, 4, 4]),
        ({"output_stride": 16, "first_block_rate": "same"}, [1] * 6, [2, 2, 2]),
        ({"output_stride": 16, "multi_grid": (1, 2, 4)}, [1] * 6, [2, 4, 8]),
        ({"output_stride": 8, "multi_grid": (1, 2, 4)}, [1, 2, 2, 2, 2, 2], [4, 8, 16]),
    ],
)
def test_dilations_of_resnet50(options, layer3, layer4):
    backbone = on_meta("deeplabv3_resnet50", **options).backbone
    assert dilations(backbone.layer1) == [1] * 3
    assert dilations(backbone.layer2) == [1] * 4
    assert dilations(backbone.layer3) == layer3
    assert dilations(backbone.layer4) == layer4
    for block in (*backbone.layer3, *backbone.layer4):
        assert block.conv2.padding == block.conv2.dilation  # the size stays
        assert block.conv1.dilation == block.conv3.dilation == (1, 1)  # only the 3 x 3 has holes


def test_rates_are_tied_to_the_output_stride():
    assert atrous_rates(8) == (12, 24, 36)
    assert atrous_rates(16) == (6, 12, 18)
    for stride, expected in ((8, [12, 24, 36]), (16, [6, 12, 18])):
        branches = on_meta("deeplabv3_resnet50", output_stride=stride).classifier[0].convs[1:4]
        assert [branch[0].dilation[0] for branch in branches] == expected
    with pytest.raises(ValueError, match="output_stride must be 8 or 16, but 32 came"):
        atrous_rates(32)
    # torchvision trained its mobile network at stride 16 with the rates of stride 8
    mobile = on_meta("deeplabv3_mobilenet_v3_large").classifier[0].convs[1:4]
    assert [branch[0].dilation[0] for branch in mobile] == [12, 24, 36]


def test_the_mobilenet_v2_head_has_no_atrous_branch():
    head = on_meta("deeplabv3_mobilenet_v2").classifier
    assert len(head[0].convs) == 2
    assert all(module.dilation == (1, 1) for module in head.modules() if isinstance(module, nn.Conv2d))


@pytest.mark.parametrize(
    ("name", "options", "stride"),
    [
        (TINY, {"output_stride": 4}, 4),
        (TINY, {}, 8),
        (TINY, {"output_stride": 16}, 16),
        ("deeplabv3_resnet50", {}, 8),
        ("deeplabv3_resnet50", {"output_stride": 16}, 16),
        ("deeplabv3_mobilenet_v2", {}, 16),
        ("deeplabv3_mobilenet_v3_large", {}, 16),
    ],
)
def test_feature_maps_have_the_size_that_the_output_stride_says(name, options, stride):
    backbone = on_meta(name, **options).backbone.eval()
    # Every side from 1 to 70 for the small network, for the others those where a rounding would show.
    for height in range(1, 36) if name == TINY else (1, 2, 3, 6, 7, 16, 24):
        width = 71 - height
        features = backbone(torch.empty(1, 3, height, width, device="meta"))
        assert features["out"].shape == (1, backbone.channels["out"], -(-height // stride), -(-width // stride))
        assert features["low"].shape == (1, backbone.channels["low"], -(-height // 4), -(-width // 4))
        assert features["aux"].shape[1] == backbone.channels["aux"]


@pytest.mark.parametrize("name", FAMILY)
def test_logits_have_the_size_of_the_input(name):
    network = on_meta(name, num_classes=5).eval()
    for height, width in [(65, 97), (100, 131), (33, 64)]:
        logits = network(torch.empty(1, 3, height, width, device="meta"))["out"]
        assert logits.shape == (1, 5, height, width)


@pytest.mark.parametrize("name", FAMILY)
def test_one_step_of_training_reaches_every_parameter(name):
    torch.manual_seed(0)
    options = {} if name == "deeplabv3_mobilenet_v2" else {"aux": True}
    network = models.create(name, num_classes=4, **options)
    logits = network(torch.randn(2, 3, 65, 65))
    assert set(logits) == ({"out", "aux"} if options else {"out"})
    labels = torch.randint(0, 4, (2, 65, 65))
    sum(nn.functional.cross_entropy(value, labels) for value in logits.values()).backward()
    without = [
        key for key, value in network.named_parameters() if value.grad is None or not value.grad.isfinite().all()
    ]
    assert not without


def test_aux_is_there_in_training_only():
    with_aux, without = models.create(TINY, aux=True), models.create(TINY)
    images = torch.randn(2, 3, 32, 40)
    assert set(with_aux(images)) == {"out", "aux"}
    assert set(without(images)) == {"out"}
    assert set(with_aux.eval()(images)) == {"out"}


def test_batch_norms_average_slowly_enough():
    for name in FAMILY:
        momenta = {m.momentum for m in on_meta(name).modules() if isinstance(m, nn.BatchNorm2d)}
        assert max(momenta) <= 0.1  # PyTorch's momentum is one minus TensorFlow's decay


def test_image_pooling_is_the_mean_at_every_position_and_has_a_batch_norm():
    torch.manual_seed(0)
    pooling = ASPP(6, rates=(2,), channels=4).convs[-1].eval()
    features = torch.randn(2, 6, 5, 7)
    out = pooling(features)
    expected = torch.relu(pooling[2](pooling[1](features.mean(dim=(2, 3), keepdim=True))))
    assert out.shape == (2, 4, 5, 7)
    torch.testing.assert_close(out, expected.expand_as(out))
    assert any(isinstance(module, nn.BatchNorm2d) for module in pooling)


def test_a_symmetric_head_turns_with_the_picture():
    """One constant for aligned corners: mirroring the features mirrors the logits, to the last pixel."""
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3).eval()
    for module in network.classifier.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data + module.weight.data.flip(-1)
    features = torch.randn(1, 128, 9, 11)
    with torch.inference_mode():
        straight = network._upsample(network.classifier(features), (65, 81))
        mirrored = network._upsample(network.classifier(features.flip(-1)), (65, 81)).flip(-1)
    torch.testing.assert_close(straight, mirrored, rtol=0, atol=1e-5)


def test_tiny_is_small_and_learns():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3)
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_300_000  # 8 MB hold 2 million
    images = torch.randn(2, 3, 1, 1).expand(-1, -1, 48, 64).clone()
    labels = torch.zeros(2, 48, 64, dtype=torch.int64)
    labels[:, :24] = 1
    labels[:, :, 40:] = 2
    images += torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(25):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images)["out"], labels).backward()
        optimizer.step()
    accuracy = (network(images)["out"].argmax(1) == labels).float().mean()
    assert accuracy > 0.9
