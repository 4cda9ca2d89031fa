"""DeepLabV3 as the paper has it, with an ASPP and cascaded. Torchvision's network is in test_deeplabv3.py."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models.segmentation import deeplabv3 as peer

from segtutor import models
from segtutor.models import deeplabv3, deeplabv3_cascaded
from segtutor.models.aspp import ASPP, ASPPConv
from segtutor.models.differences import as_markdown
from segtutor.models.weights import find_weights
from tests.models.geometry import center_of_gradient, make_linear
from tests.models.networks import dilations, on_meta, randomize_norms

TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("deeplabv3_resnet50", {"variant": "paper"}, 39_048_533),
        ("deeplabv3_resnet50", {"variant": "paper", "output_stride": 8}, 39_048_533),  # rates cost nothing
        ("deeplabv3_resnet101", {"variant": "paper"}, 58_040_661),
        ("deeplabv3_resnet50", {"variant": "torchvision"}, 39_638_869),
        # Backbone, nine bottlenecks of 1 x 1, 3 x 3 and 1 x 1 with batch norm, and the 1 x 1 to 21 classes.
        ("deeplabv3_cascaded_resnet50", {}, 23_508_032 + 9 * 4_462_592 + 43_029),
        ("deeplabv3_cascaded_resnet50", {"last_block": 4}, 23_508_032 + 43_029),
        ("deeplabv3_cascaded_resnet101", {}, 42_500_160 + 9 * 4_462_592 + 43_029),
    ],
)
def test_parameter_counts(name, options, count):
    assert sum(parameter.numel() for parameter in on_meta(name, **options).parameters()) == count


@pytest.mark.parametrize(
    ("options", "layer3", "layer4", "aspp"),
    [
        ({}, [1] * 6, [2, 4, 8], [6, 12, 18]),
        ({"output_stride": 8}, [1, 2, 2, 2, 2, 2], [4, 8, 16], [12, 24, 36]),
        ({"multi_grid": (1, 2, 1)}, [1] * 6, [2, 4, 2], [6, 12, 18]),
        ({"multi_grid": ()}, [1] * 6, [1, 2, 2], [6, 12, 18]),
    ],
)
def test_multi_grid_is_times_the_stage_rate_and_on_the_3x3_only(options, layer3, layer4, aspp):
    network = on_meta("deeplabv3_resnet50", variant="paper", **options)
    backbone = network.backbone
    assert dilations(backbone.layer3) == layer3
    assert dilations(backbone.layer4) == layer4
    assert dilations(backbone.layer1) + dilations(backbone.layer2) == [1] * 7
    for block in backbone.layer4:
        assert block.conv1.dilation == block.conv3.dilation == (1, 1)
        assert block.conv2.padding == block.conv2.dilation
        assert block.conv1.stride == block.conv2.stride == block.conv3.stride == (1, 1)
    assert backbone.layer4[0].downsample[0].stride == (1, 1)
    assert [branch[0].dilation[0] for branch in network.classifier[0].convs[1:4]] == aspp


def test_the_two_variants_differ_in_what_the_table_says():
    paper, theirs = (on_meta("deeplabv3_resnet50", variant=variant) for variant in ("paper", "torchvision"))

    def measure(network):
        aspp = network.classifier[0]
        return {
            "rates of layer4": ", ".join(map(str, dilations(network.backbone.layer4))),
            "rates of the ASPP": ", ".join(str(branch[0].dilation[0]) for branch in aspp.convs[1:4]),
            "output stride in training": str(network.output_stride),
            "between ASPP and classes": "nothing"
            if len(network.classifier) == 2
            else "{0} x {0} of {1}".format(network.classifier[1].kernel_size[0], network.classifier[1].out_channels),
            "dropout after the ASPP": str(aspp.project[3].p),
            "upsampling": "bilinear, aligned corners" if network.align_corners else "bilinear",
            "stem": "7 x 7" if network.backbone.conv1.kernel_size == (7, 7) else "",
            "batch norm momentum": str({m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)}.pop()),
        }

    ours = {row.detail: row.ours for row in deeplabv3.DIFFERENCES}
    torchvisions = {row.detail: row.torchvision for row in deeplabv3.DIFFERENCES}
    assert measure(paper).items() <= ours.items()
    assert measure(theirs).items() <= torchvisions.items()
    assert set(ours) - set(measure(paper)) == {"multi-grid", "auxiliary head"}
    assert ours["multi-grid"] == ", ".join(map(str, deeplabv3.MULTI_GRID))  # and see the rates of layer4
    assert paper.aux_classifier is None
    assert on_meta("deeplabv3_resnet50", variant="paper", aux=True).aux_classifier is not None
    with torch.device("meta"):
        measured = measure_peer(peer.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=True))
    assert measured == {key: torchvisions[key] for key in measured}
    assert as_markdown(deeplabv3.DIFFERENCES).startswith("| detail | paper |")


def measure_peer(network):
    """The same of torchvision's own network."""
    return {
        "rates of layer4": ", ".join(map(str, dilations(network.backbone.layer4))),
        "rates of the ASPP": ", ".join(str(branch[0].dilation[0]) for branch in network.classifier[0].convs[1:4]),
        "dropout after the ASPP": str(network.classifier[0].project[3].p),
        "auxiliary head": "after layer3, in training" if network.aux_classifier[0].in_channels == 1024 else "",
    }


def test_the_papers_network_agrees_with_one_put_together_from_torchvisions_parts():
    torch.manual_seed(0)
    resnet = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, False, True])
    for block, rate in zip(resnet.layer4, (2, 4, 8), strict=True):
        block.conv2.dilation = block.conv2.padding = (rate, rate)
    aspp, score = peer.ASPP(2048, [6, 12, 18]), nn.Conv2d(256, 21, 1)
    for module in (resnet, aspp):
        randomize_norms(module)
        module.eval()
    ours = models.create("deeplabv3_resnet50", variant="paper").eval()
    state = {f"backbone.{key}": value for key, value in resnet.state_dict().items() if not key.startswith("fc.")}
    state |= {f"classifier.0.{key}": value for key, value in aspp.state_dict().items()}
    state |= {f"classifier.1.{key}": value for key, value in score.state_dict().items()}
    report = models.load_weights(ours, state)
    assert len(report.loaded) == len(state)
    assert not report.untouched
    images = torch.randn(1, 3, 80, 97)
    with torch.inference_mode():
        # 80 is not on the grid of stride 16: the picture grows to 81, and the prediction is cut.
        r, padded = resnet, F.pad(images, (0, 0, 0, 1))
        features = r.layer1(r.maxpool(r.relu(r.bn1(r.conv1(padded)))))
        features = r.layer4(r.layer3(r.layer2(features)))
        expected = F.interpolate(score(aspp(features)), (81, 97), mode="bilinear", align_corners=True)[:, :, :80]
        got = ours(images)["out"]
    assert features.shape == (1, 2048, 6, 7)
    assert expected.std() > 0.05
    torch.testing.assert_close(got, expected, **TOLERANCE)


def test_torchvisions_weights_do_not_fit_the_papers_head():
    network = on_meta("deeplabv3_resnet50", variant="paper")
    theirs = on_meta("deeplabv3_resnet50").state_dict()
    with pytest.raises(ValueError, match=r"the network has no classifier\.2\.bias.*variant='torchvision'"):
        models.load_weights(network, dict(theirs))


def test_weights_trained_at_stride_16_fit_at_stride_8():
    coarse = on_meta("deeplabv3_resnet50", variant="paper").state_dict()
    fine = on_meta("deeplabv3_resnet50", variant="paper", output_stride=8).state_dict()
    assert {key: value.shape for key, value in coarse.items()} == {key: value.shape for key, value in fine.items()}


def test_an_atrous_convolution_is_one_with_a_stuffed_kernel():
    torch.manual_seed(0)
    layer = ASPPConv(3, 4, rate=3).eval()
    stuffed = torch.zeros(4, 3, 7, 7)
    stuffed[:, :, ::3, ::3] = layer[0].weight.data
    features = torch.randn(1, 3, 11, 13)
    with torch.inference_mode():
        torch.testing.assert_close(layer[0](features), F.conv2d(features, stuffed, padding=3), **TOLERANCE)


def test_image_pooling_and_separable_branches_are_options_of_the_aspp():
    with torch.device("meta"):
        full, without = ASPP(2048, (6, 12, 18)), ASPP(2048, (6, 12, 18), image_pooling=False)
        separable = ASPP(2048, (6, 12, 18), separable=True)
    count = {name: sum(p.numel() for p in m.parameters()) for name, m in [("full", full), ("without", without)]}
    assert count["full"] == 15_535_104
    # The branch (2048 x 256 and its batch norm) and its share of the projection.
    assert count["full"] - count["without"] == 2048 * 256 + 2 * 256 + 256 * 256
    assert len(without.convs) == 4
    assert sum(p.numel() for p in separable.parameters()) == 3_019_776
    assert [branch.depthwise.dilation[0] for branch in separable.convs[1:4]] == [6, 12, 18]
    assert all(isinstance(module, nn.BatchNorm2d) for module in (full.convs[4][2], separable.convs[4][2]))
    tiny = on_meta("deeplabv3_tiny", image_pooling=False)
    assert not [module for module in tiny.modules() if isinstance(module, nn.AdaptiveAvgPool2d)]


@pytest.mark.parametrize(
    ("options", "layer4", "blocks"),
    [
        ({"multi_grid": (1, 1, 1)}, [2, 2, 2], [[4, 4, 4], [8, 8, 8], [16, 16, 16]]),
        ({}, [2, 4, 2], [[4, 8, 4], [8, 16, 8], [16, 32, 16]]),
        ({"output_stride": 8}, [4, 8, 4], [[8, 16, 8], [16, 32, 16], [32, 64, 32]]),
        ({"last_block": 5, "multi_grid": (1, 2, 4)}, [2, 4, 8], [[4, 8, 16]]),
        ({"last_block": 4}, [2, 4, 2], []),
    ],
)
def test_rates_of_the_cascade(options, layer4, blocks):
    network = on_meta("deeplabv3_cascaded_resnet50", **options)
    assert dilations(network.backbone.layer4) == layer4
    assert [dilations(block) for block in network.classifier[:-1]] == blocks
    for block in network.classifier[:-1]:
        for unit in block:
            assert unit.downsample is None  # the shortcut is the identity: the widths agree
            assert unit.conv2.padding == unit.conv2.dilation
            assert unit.conv1.stride == unit.conv2.stride == unit.conv3.stride == (1, 1)
            assert unit.conv1.dilation == unit.conv3.dilation == (1, 1)
            assert [tuple(layer.weight.shape) for layer in (unit.conv1, unit.conv2, unit.conv3)] == [
                (512, 2048, 1, 1), (512, 512, 3, 3), (2048, 512, 1, 1),
            ]  # fmt: skip
    assert network.output_stride == options.get("output_stride", 16)


def test_cascade_rates_double():
    assert deeplabv3_cascaded.cascade_rates(16, 7) == (4, 8, 16)
    assert deeplabv3_cascaded.cascade_rates(8, 7) == (8, 16, 32)
    assert deeplabv3_cascaded.cascade_rates(16, 4) == ()
    tiny = on_meta("deeplabv3_cascaded_tiny", multi_grid=(1, 2), last_block=7)
    rates = [
        [(unit.conv1.dilation[0], unit.conv2.dilation[0]) for unit in block]
        for block in (tiny.backbone.layer3, *tiny.classifier[:-1])
    ]
    assert rates == [[(2, 2), (4, 4)], [(4, 4), (8, 8)], [(8, 8), (16, 16)], [(16, 16), (32, 32)]]
    assert on_meta("deeplabv3_cascaded_tiny").classifier[0][0].conv1.dilation == (4, 4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deeplabv3_resnet50", {"variant": "paper"}),
        ("deeplabv3_resnet50", {"variant": "paper", "output_stride": 8}),
        ("deeplabv3_cascaded_resnet50", {}),
        ("deeplabv3_cascaded_tiny", {}),
        ("deeplabv3_cascaded_tiny", {"output_stride": 4, "align_corners": False}),
        ("deeplabv3_tiny", {"variant": "paper", "multi_grid": (1, 2)}),
    ],
)
def test_logits_have_the_size_of_the_input(name, options):
    network = on_meta(name, **options)
    maps = []
    handle = network.classifier.register_forward_hook(lambda module, inputs, output: maps.append(output.shape))
    stride = network.output_stride
    for height, width in [(65, 97), (100, 131)] if name.endswith("tiny") else [(100, 131)]:
        logits = network(torch.empty(1, 3, height, width, device="meta"))["out"]
        assert logits.shape == (1, 21, height, width)
        grown = height + (1 - height) % stride if network.align_corners else height
        assert maps.pop()[2] == -(-grown // stride)
    handle.remove()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deeplabv3_cascaded_tiny", {"multi_grid": (1, 2)}),
        ("deeplabv3_tiny", {"variant": "paper", "multi_grid": (1, 2), "aux": True}),
    ],
)
def test_one_step_of_training_reaches_every_parameter(name, options):
    torch.manual_seed(0)
    network = models.create(name, num_classes=4, **options)
    labels = torch.randint(0, 4, (2, 33, 41))
    logits = network(torch.randn(2, 3, 33, 41))
    assert set(logits) == ({"out", "aux"} if "aux" in options else {"out"})
    sum(F.cross_entropy(value, labels) for value in logits.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_prediction_of_the_papers_network_is_centered_on_its_pixel():
    torch.manual_seed(0)
    options = {"variant": "paper", "rates": (1, 1, 1), "image_pooling": False}
    network = make_linear(models.create("deeplabv3_tiny", num_classes=1, **options))
    row, column = center_of_gradient(network, (330, 330), (160, 171))
    assert row == pytest.approx(160, abs=0.01)
    assert column == pytest.approx(171, abs=0.01)


def test_what_does_not_fit_is_said():
    for name, options, message in [
        ("deeplabv3_resnet50", {"variant": "tf"}, "variant must be 'torchvision' or 'paper', but 'tf' came"),
        ("deeplabv3_resnet50", {"variant": "paper", "output_stride": 32}, "output_stride must be 8 or 16, but 32 came"),
        ("deeplabv3_resnet50", {"variant": "paper", "multi_grid": (1, 2)}, "one unit rate .* for each of the 3 blocks"),
        ("deeplabv3_cascaded_resnet50", {"last_block": 8}, "last_block must be 4, 5, 6 or 7, but 8 came"),
        ("deeplabv3_cascaded_resnet50", {"multi_grid": (1, 2)}, "one unit rate .* for each of the 3 blocks"),
        ("deeplabv3_cascaded_resnet50", {"output_stride": 4}, "output_stride must be 8 or 16, but 4 came"),
        ("deeplabv3_cascaded_tiny", {"output_stride": 16}, "output_stride must be 4 or 8, but 16 came"),
        ("deeplabv3_tiny", {"multi_grid": (1, 2), "output_stride": 16}, "multi_grid needs output_stride 4 or 8"),
    ]:
        with torch.device("meta"), pytest.raises(ValueError, match=message):
            models.create(name, **options)
    with pytest.raises(ValueError, match="a batch of one image cannot train"):
        models.create("deeplabv3_tiny", variant="paper")(torch.zeros(1, 3, 33, 33))
    with pytest.raises(ValueError, match="a batch of one image of 8 x 8 pixels cannot train"):
        models.create("deeplabv3_cascaded_tiny", align_corners=False)(torch.zeros(1, 3, 8, 8))
    models.create("deeplabv3_cascaded_tiny")(torch.zeros(1, 3, 8, 8))  # grows to 9 x 9, a map of 2 x 2


def test_imagenet_weights_fill_the_backbone_of_the_cascade():
    source = find_weights("deeplabv3_cascaded_resnet101", "imagenet")
    assert source.layout == "torchvision_resnet"
    network = models.create("deeplabv3_cascaded_resnet50", num_classes=2, last_block=5)
    theirs = {
        key.removeprefix("backbone."): torch.ones_like(value)
        for key, value in network.state_dict().items()
        if key.startswith("backbone.")
    }
    report = models.load_weights(network, theirs, layout="torchvision_resnet")
    assert len(report.loaded) == len(theirs) == 318
    assert all(key.startswith("classifier.") for key in report.untouched)


def test_the_table_of_the_cascade_is_that_of_the_code():
    network = on_meta("deeplabv3_cascaded_resnet50")
    blocks = [network.backbone.layer4, *network.classifier[:-1]]
    grids = {tuple(rate // block[0].conv2.dilation[0] for rate in dilations(block)) for block in blocks}
    assert grids == {deeplabv3_cascaded.MULTI_GRID}
    measured = {
        "last block": f"block{3 + len(blocks)}",
        "multi-grid of block4 to block7": ", ".join(map(str, grids.pop())),
        "rates of block4 to block7": ", ".join(str(block[0].conv2.dilation[0]) for block in blocks),
        "output stride in training": str(network.output_stride),
        "first shortcut of block5 to block7": "identity"
        if all(block[0].downsample is None for block in blocks[1:])
        else "convolution",
        "between block7 and classes": "nothing" if isinstance(network.classifier[len(blocks) - 1], nn.Conv2d) else "",
        "upsampling": "bilinear, aligned corners" if network.align_corners else "bilinear",
        "weights of block5 to block7 begin": "random",
    }
    assert {row.detail: row.ours for row in deeplabv3_cascaded.DIFFERENCES} == measured
    torch.manual_seed(0)
    tiny = models.create("deeplabv3_cascaded_tiny")
    last, copied = tiny.backbone.layer3[1].conv1.weight, tiny.classifier[0][1].conv1.weight
    assert not torch.equal(last, copied)
    assert copied.std() > 0
