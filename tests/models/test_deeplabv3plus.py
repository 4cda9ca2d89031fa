import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models.segmentation.deeplabv3 import ASPP as PeerASPP

from segtutor import models
from segtutor.models import deeplabv3plus
from segtutor.models.differences import as_markdown
from segtutor.models.separable import AtrousSeparableConv
from segtutor.models.weights import find_weights
from tests.models.geometry import center_of_gradient, make_linear
from tests.models.networks import dilations, on_meta, randomize_norms

TINY = "deeplabv3plus_tiny"
TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("deeplabv3plus_resnet50", {}, 40_352_181),
        ("deeplabv3plus_resnet101", {}, 59_344_309),
        ("deeplabv3plus_resnet50", {"variant": "port"}, 39_761_845),
        ("deeplabv3plus_resnet101", {"variant": "port"}, 58_753_973),
        ("deeplabv3plus_resnet101", {"separable": True}, 45_688_261),
        ("deeplabv3plus_xception65", {}, 41_055_413),
    ],
)
def test_parameter_counts(name, options, count):
    assert sum(parameter.numel() for parameter in on_meta(name, **options).parameters()) == count


@pytest.mark.parametrize(
    ("options", "layer3", "layer4", "aspp"),
    [
        ({}, [1] * 6, [2, 4, 8], [6, 12, 18]),
        ({"output_stride": 8}, [1, 2, 2, 2, 2, 2], [4, 8, 16], [12, 24, 36]),
        ({"variant": "port"}, [1] * 6, [1, 2, 2], [6, 12, 18]),
    ],
)
def test_rates_are_tied_to_the_output_stride(options, layer3, layer4, aspp):
    network = on_meta("deeplabv3plus_resnet50", **options)
    assert dilations(network.backbone.layer3) == layer3
    assert dilations(network.backbone.layer4) == layer4
    assert [branch[0].dilation[0] for branch in network.aspp.convs[1:4]] == aspp


def test_the_decoder_is_that_of_the_paper():
    network = on_meta("deeplabv3plus_resnet50")
    assert tuple(network.reduce[0].weight.shape) == (48, 256, 1, 1)
    convolutions = [layer for layer in network.classifier if isinstance(layer, nn.Conv2d)]
    assert [tuple(layer.weight.shape) for layer in convolutions] == [
        (256, 304, 3, 3), (256, 256, 3, 3), (21, 256, 1, 1),
    ]  # fmt: skip
    assert [type(layer) for layer in network.classifier] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2 + [nn.Conv2d]
    assert network.aspp.project[3].p == 0.1
    assert network.final_layers() == ("classifier.6",)


def test_a_separable_convolution_has_batch_norm_and_relu_between_its_halves():
    full, separable = on_meta("deeplabv3plus_resnet50"), on_meta("deeplabv3plus_resnet50", separable=True)
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2
    branches = separable.aspp.convs[1:4]
    assert [[type(layer) for layer in branch] for branch in branches] == [kinds] * 3
    assert [type(layer) for layer in separable.classifier] == kinds * 2 + [nn.Conv2d]
    assert [branch.depthwise.dilation for branch in branches] == [(6, 6), (12, 12), (18, 18)]
    assert all(branch.depthwise.groups == 2048 and branch.depthwise.padding == branch.depthwise.dilation
               for branch in branches)  # fmt: skip
    assert all(layer.bias is None for branch in branches for layer in branch if isinstance(layer, nn.Conv2d))
    # 3 x 3 from C to C': 9 C C' weights; separable 9 C + C C', and a batch norm of C more.
    count = sum(p.numel() for p in full.parameters()) - sum(p.numel() for p in separable.parameters())
    expected = 0
    for C, channels in ((2048, 256), (2048, 256), (2048, 256), (304, 256), (256, 256)):
        expected += 9 * C * channels - (9 * C + C * channels + 2 * C)
    assert count == expected


def test_a_separable_convolution_is_a_full_one_with_a_kernel_of_rank_one():
    """Without the batch norm between, the product of the two kernels is one full kernel."""
    torch.manual_seed(0)
    layer = AtrousSeparableConv(3, 4, rate=2, relu=False, eps=0.0).eval()
    features = torch.randn(2, 3, 9, 10)
    kernel = layer.pointwise.weight * layer.depthwise.weight.transpose(0, 1)  # 4 x 3 x 3 x 3
    with torch.inference_mode():
        torch.testing.assert_close(layer(features), F.conv2d(features, kernel, padding=2, dilation=2), **TOLERANCE)
    strided = AtrousSeparableConv(3, 4, stride=2)
    assert strided(features).shape == (2, 4, 5, 5)


def port_state(resnet, aspp, low, decoder):
    """The arrays under the port's names."""
    state = {f"backbone.{key}": value for key, value in resnet.state_dict().items() if not key.startswith("fc.")}
    state |= {f"classifier.project.{key}": value for key, value in low.state_dict().items()}
    state |= {f"classifier.aspp.{key}": value for key, value in aspp.state_dict().items()}
    return state | {f"classifier.classifier.{key}": value for key, value in decoder.state_dict().items()}


def test_the_ports_weights_load_and_give_its_logits():
    torch.manual_seed(0)
    resnet = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, False, True])
    aspp = PeerASPP(2048, [6, 12, 18])
    low = nn.Sequential(nn.Conv2d(256, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
    decoder = nn.Sequential(
        nn.Conv2d(304, 256, 3, padding=1, bias=False), nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, 21, 1)
    )
    for module in (resnet, aspp, low, decoder):
        randomize_norms(module)
        module.eval()
    state = port_state(resnet, aspp, low, decoder)
    ours = models.create("deeplabv3plus_resnet50", variant="port").eval()
    report = models.load_weights(ours, {"model_state": {f"module.{key}": value for key, value in state.items()}})
    assert report.layout == "vainf_deeplabv3plus"
    assert len(report.loaded) == len(state)
    assert not report.dropped
    assert not report.untouched
    images = torch.randn(1, 3, 70, 97)
    with torch.inference_mode():
        r = resnet
        fine = r.layer1(r.maxpool(r.relu(r.bn1(r.conv1(images)))))
        deep = aspp(r.layer4(r.layer3(r.layer2(fine))))
        deep = F.interpolate(deep, fine.shape[-2:], mode="bilinear", align_corners=False)
        logits = decoder(torch.cat([low(fine), deep], dim=1))
        expected = F.interpolate(logits, (70, 97), mode="bilinear", align_corners=False)
        got = ours(images)["out"]
    assert expected.std() > 0.01
    torch.testing.assert_close(got, expected, **TOLERANCE)
    with pytest.raises(ValueError, match=r"create the network with variant='port'"):
        models.load_weights(on_meta("deeplabv3plus_resnet50"), state)


def test_the_ports_deeplabv3_loads_into_torchvisions():
    theirs = on_meta("deeplabv3_resnet50").state_dict()
    state = {
        key.replace("classifier.", "classifier.classifier.", 1): torch.ones(value.shape)
        for key, value in theirs.items()
    }
    ours = models.create("deeplabv3_resnet50", output_stride=16)
    report = models.load_weights(ours, state)
    assert report.layout == "vainf_deeplabv3"
    assert set(report.loaded) == set(theirs)
    # Names that torchvision's own table would take as well.
    assert models.load_weights(ours, {key: torch.ones(value.shape) for key, value in theirs.items()}).layout == (
        "torchvision"
    )


def test_the_papers_network_concatenates_the_encoder_first():
    """Worked out piece by piece, with functions instead of the network's own forward pass."""
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=5, output_stride=16)
    randomize_norms(network)
    network.eval()
    images = torch.randn(1, 3, 65, 81)
    with torch.inference_mode():
        features = network.backbone(images)
        assert features["low"].shape == (1, 48, 17, 21)
        encoded = F.interpolate(network.aspp(features["out"]), (17, 21), mode="bilinear", align_corners=True)
        low = network.reduce(features["low"])
        assert (encoded.shape[1], low.shape[1]) == (64, 16)
        logits = network.classifier(torch.cat([encoded, low], dim=1))
        expected = F.interpolate(logits, (65, 81), mode="bilinear", align_corners=True)
        torch.testing.assert_close(network(images)["out"], expected, **TOLERANCE)
        assert (network.classifier[0].weight[:, 64:].abs() > 0).any()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (TINY, {}),
        (TINY, {"output_stride": 16, "separable": True}),
        ("deeplabv3plus_resnet50", {}),
        ("deeplabv3plus_resnet50", {"variant": "port"}),
        ("deeplabv3plus_xception65", {}),
    ],
)
def test_logits_have_the_size_of_the_input(name, options):
    network = on_meta(name, num_classes=5, **options)
    for height, width in [(65, 97), (100, 131), (33, 64), (16, 17)] if name == TINY else [(65, 97), (98, 131)]:
        logits = network(torch.empty(1, 3, height, width, device="meta"))
        assert set(logits) == {"out"}
        assert logits["out"].shape == (1, 5, height, width)


@pytest.mark.parametrize("low_channels", [8, 48])
@pytest.mark.parametrize("decoder_convolutions", [1, 3])
def test_the_ablations_of_the_decoder_are_options(low_channels, decoder_convolutions):
    network = on_meta(TINY, low_channels=low_channels, decoder_convolutions=decoder_convolutions)
    shapes = [tuple(layer.weight.shape) for layer in network.classifier if isinstance(layer, nn.Conv2d)]
    assert shapes[0] == (64, 64 + low_channels, 3, 3)
    assert shapes[1:-1] == [(64, 64, 3, 3)] * (decoder_convolutions - 1)
    assert network.reduce[0].out_channels == low_channels
    assert network(torch.empty(1, 3, 40, 48, device="meta"))["out"].shape == (1, 21, 40, 48)


@pytest.mark.parametrize("options", [{}, {"separable": True, "multi_grid": (1, 2)}])
def test_one_step_of_training_reaches_every_parameter(options):
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=4, **options)
    labels = torch.randint(0, 4, (2, 33, 41))
    F.cross_entropy(network(torch.randn(2, 3, 33, 41))["out"], labels).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_prediction_is_centered_on_its_pixel():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=1, rates=(1, 1, 1))
    network.aspp.convs[4] = nn.Conv2d(128, 64, 1)  # image pooling looks everywhere
    row, column = center_of_gradient(make_linear(network), (330, 330), (161, 170))
    assert row == pytest.approx(161, abs=0.01)
    assert column == pytest.approx(170, abs=0.01)


def test_batch_norms_average_slowly_enough():
    for name in ("deeplabv3plus_resnet50", "deeplabv3plus_xception65", TINY):
        norms = [module for module in on_meta(name).modules() if isinstance(module, nn.BatchNorm2d)]
        assert {module.momentum for module in norms} == {0.1}  # PyTorch's momentum is one minus TensorFlow's decay


def test_what_does_not_fit_is_said():
    for name, options, message in [
        ("deeplabv3plus_resnet50", {"variant": "vainf"}, "variant must be 'paper' or 'port', but 'vainf' came"),
        ("deeplabv3plus_resnet50", {"output_stride": 4}, "output_stride must be 8 or 16, but 4 came"),
        ("deeplabv3plus_xception65", {"output_stride": 32}, "output_stride must be 8 or 16, but 32 came"),
        ("deeplabv3plus_xception65", {"relu": "both"}, "relu must be 'before' or 'after', but 'both' came"),
        (TINY, {"output_stride": 4}, "output_stride must be 8 or 16, but 4 came"),
        (TINY, {"decoder_convolutions": 0}, "deeplabv3 is the network without a decoder"),
        (TINY, {"low_channels": 0}, "low_channels and decoder_convolutions must be"),
    ]:
        with torch.device("meta"), pytest.raises(ValueError, match=message):
            models.create(name, **options)
    network = models.create(TINY)
    with pytest.raises(ValueError, match="a batch of one image cannot train"):
        network(torch.zeros(1, 3, 33, 33))
    with pytest.raises(ValueError, match="at least 8 x 8 pixels, but 7 x 40 came"):
        network(torch.zeros(2, 3, 7, 40))
    assert network.eval()(torch.zeros(1, 3, 33, 33))["out"].shape == (1, 21, 33, 33)


def test_weights_survive_a_file_and_the_head_can_be_replaced(tmp_path):
    network = models.create(TINY, num_classes=3, separable=True)
    models.save_weights(network, tmp_path / "w.pt")
    again = models.create(TINY, weights=tmp_path / "w.pt")
    assert again.config == network.config
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
    assert models.load_weights(again, dict(network.state_dict())).layout == "segtutor"
    tuned = models.create(TINY, num_classes=5, separable=True)
    report = models.load_weights(tuned, tmp_path / "w.pt", replace_head=True)
    assert report.untouched == ("classifier.12.bias", "classifier.12.weight")


def test_xception_expects_pixels_between_minus_one_and_one():
    preprocessing = on_meta("deeplabv3plus_xception65").preprocessing
    extremes = torch.tensor([0, 255], dtype=torch.uint8).expand(3, 1, 2)
    assert preprocessing.normalize(extremes)[0, 0].tolist() == [-1.0, 1.0]


def test_imagenet_weights_are_known_for_the_resnets():
    for depth in (50, 101):
        source = find_weights(f"deeplabv3plus_resnet{depth}", "imagenet")
        assert source.layout == "torchvision_resnet"
        assert f"resnet{depth}-" in str(source)


def test_the_table_of_differences_is_that_of_the_code():
    paper, port = on_meta("deeplabv3plus_resnet50"), on_meta("deeplabv3plus_resnet50", variant="port")
    separable = on_meta("deeplabv3plus_resnet50", separable=True)

    def measure(network):
        rates = dilations(network.backbone.layer4)
        return {
            "multi-grid": "1, 2, 4" if rates == [2, 4, 8] else "none",
            "rates of layer4 at output stride 16": ", ".join(map(str, rates)),
            "rates of the ASPP at output stride 16": ", ".join(
                str(branch[0].dilation[0]) for branch in network.aspp.convs[1:4]
            ),
            "low-level channels": str(network.reduce[0].out_channels),
            "3 x 3 in the decoder": str(sum(isinstance(layer, nn.Conv2d) for layer in network.classifier) - 1),
            "upsampling": "bilinear, aligned corners" if network.align_corners else "bilinear",
            "dropout after the ASPP": str(network.aspp.project[3].p),
        }

    ours = {row.detail: row.ours for row in deeplabv3plus.DIFFERENCES}
    reference = {row.detail: row.reference for row in deeplabv3plus.DIFFERENCES}
    assert measure(paper).items() <= ours.items()
    assert measure(port).items() <= reference.items()
    middle = separable.aspp.convs[1][1]
    assert ours["batch norm inside a separable convolution"] == ("yes" if isinstance(middle, nn.BatchNorm2d) else "no")
    momenta = {m.momentum for m in paper.modules() if isinstance(m, nn.BatchNorm2d)}
    assert momenta == {float(ours["batch norm momentum"])}
    assert set(ours) - set(measure(paper)) == {
        "batch norm inside a separable convolution",
        "batch norm momentum",
        "low-level map",  # test_the_papers_network_concatenates_the_encoder_first, and the port's parity
        "order of the concatenation",  # the same
    }
    assert as_markdown(deeplabv3plus.DIFFERENCES).startswith("| detail | paper |")
