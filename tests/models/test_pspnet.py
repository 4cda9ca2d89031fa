import copy
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.models import pspnet
from segtutor.models.layout_rules import rename
from segtutor.models.layouts import LAYOUTS
from segtutor.models.pspnet import PSPNet, PyramidPooling, RegionPooling
from tests.models.geometry import center_of_gradient, make_linear
from tests.models.networks import on_meta

GOLDEN = Path(__file__).parent / "golden"
TINY = "pspnet_tiny"


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("pspnet_resnet50", {"aux": True}, 49_081_578),
        ("pspnet_resnet50", {}, 46_716_373),
        ("pspnet_resnet101", {"aux": True}, 68_073_706),
        ("pspnet_resnet101", {}, 65_708_501),
        ("pspnet_resnet50", {"stem": "7x7"}, 46_592_597),
        ("pspnet_resnet101", {"stem": "7x7"}, 65_584_725),
        ("pspnet_resnet50", {"stem": "7x7", "aux": True}, 46_592_597 + 2_365_205),
    ],
)
def test_parameter_counts(name, options, parameters):
    assert count(on_meta(name, **options)) == parameters


@pytest.mark.parametrize(
    ("rate", "layer3", "layer4"), [("same", [2] * 6, [4, 4, 4]), ("previous", [1, 2, 2, 2, 2, 2], [2, 4, 4])]
)
def test_dilations(rate, layer3, layer4):
    backbone = on_meta("pspnet_resnet50", first_block_rate=rate).backbone
    assert [block.conv2.dilation[0] for block in backbone.layer3] == layer3
    assert [block.conv2.dilation[0] for block in backbone.layer4] == layer4
    default = on_meta("pspnet_resnet50").backbone
    assert default.layer3[0].conv2.dilation == (2, 2)
    assert default.layer4[0].conv2.dilation == (4, 4)
    assert all(stage[0].downsample[0].stride == (1, 1) for stage in (default.layer3, default.layer4))


# --- pyramid pooling ---


def test_levels_are_means_over_regions():
    """One channel, levels that pass their input on: the second channel is the mean, the others means of regions."""
    pyramid = PyramidPooling(4, (1, 2, 3, 6)).eval()
    for level in pyramid.levels:
        nn.init.zeros_(level[1].weight)
        level[1].weight.data[0, 0] = 1
        level[2].eps = 0
    features = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    out = pyramid(features)
    assert out.shape == (1, 8, 6, 6)
    assert torch.equal(out[:, :4], features)  # the map itself comes first
    torch.testing.assert_close(out[0, 4], features[0, 0].mean().expand(6, 6))
    for channel, side in ((5, 3), (6, 2)):  # regions of 3 x 3 and 2 x 2 pixels; corners are aligned
        for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            rows, columns = (slice(None, side) if i == 0 else slice(-side, None) for i in (row, column))
            torch.testing.assert_close(out[0, channel, row, column], features[0, 0, rows, columns].mean())
    torch.testing.assert_close(out[0, 7], features[0, 0])  # six regions of six pixels


@pytest.mark.parametrize(("image", "windows"), [(473, (60, 30, 20, 10)), (713, (90, 45, 30, 15))])
def test_adaptive_pooling_is_that_of_the_papers_windows(image, windows):
    side = (image - 1) // 8 + 1
    assert side == windows[0]
    features = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(0))
    pyramid = PyramidPooling(4, (1, 2, 3, 6))
    for level, window in zip(pyramid.levels, windows, strict=True):
        torch.testing.assert_close(level[0](features), F.avg_pool2d(features, window, stride=window))


def test_bin_1_has_its_batch_norm():
    keys = on_meta("pspnet_resnet50").state_dict()
    for level in range(4):
        assert keys[f"classifier.0.levels.{level}.2.running_var"].shape == (512,)
        assert f"classifier.0.levels.{level}.1.bias" not in keys


@pytest.mark.parametrize("bins", [(), (1,), (1, 2), (6,), (1, 2, 3, 6)])
def test_any_pyramid_doubles_the_channels_and_none_leaves_them(bins):
    network = models.create(TINY, num_classes=3, bins=bins)
    width = network.backbone.channels["out"]
    assert network.classifier[1].in_channels == (2 * width if bins else width)
    assert network(torch.randn(2, 3, 40, 56))["out"].shape == (2, 3, 40, 56)


def test_bins_and_stems_are_checked():
    for bins in ((0,), (1, -2), (1.5,), (True,)):
        with pytest.raises(ValueError, match="bins must be whole numbers of at least 1"):
            models.create(TINY, bins=bins)
    with pytest.raises(ValueError, match="stem must be '7x7' or 'deep', but '3x3' came"):
        models.create("pspnet_resnet50", stem="3x3")


# --- geometry ---


class Strided(nn.Module):
    """Three 3 x 3 convolutions of stride 2: the sampling of a ResNet of output stride 8, at no cost."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*[nn.Conv2d(c, 4, 3, stride=2, padding=1) for c in (3, 4, 4)])

    def forward(self, images):
        return {"out": self.layers(images)}


@pytest.mark.parametrize("align_corners", [True, False])
def test_any_size_comes_back_as_it_was(align_corners):
    head = pspnet.PSPHead(4, 3, 4, (1, 2, 3, 6), align_corners)
    network = PSPNet(Strided(), head, output_stride=8, align_corners=align_corners).eval()
    with torch.inference_mode():
        for height in range(33, 131):  # each height with five widths; together they are all widths as well
            for width in {33 + height * step % 98 for step in (1, 5, 9, 11, 13)}:
                assert network(torch.zeros(1, 3, height, width))["out"].shape == (1, 3, height, width)


@pytest.mark.parametrize("options", [{}, {"align_corners": False}, {"output_stride": 16}])
def test_any_size_comes_back_from_the_small_network(options):
    network = models.create(TINY, num_classes=3, **options).eval()
    with torch.inference_mode():
        for height in range(33, 66):
            width = 98 - height
            assert network(torch.zeros(1, 3, height, width))["out"].shape == (1, 3, height, width)


@pytest.mark.parametrize("name", ["pspnet_resnet50", "pspnet_resnet101"])
def test_logits_of_the_large_networks_have_the_size_of_the_input(name):
    network = on_meta(name, num_classes=5)
    for height, width in [(33, 64), (65, 97), (100, 131), (473, 473)]:
        assert network(torch.empty(1, 3, height, width, device="meta"))["out"].shape == (1, 5, height, width)


@pytest.mark.parametrize("size", [(64, 96), (65, 97), (71, 90)])
def test_aligned_corners_center_the_gradient_of_a_pixel(size):
    pixel = (30, 45)
    centers = {}
    for align_corners in (True, False):
        head = nn.Sequential(nn.Conv2d(4, 2, 1))
        network = make_linear(PSPNet(Strided(), head, output_stride=8, align_corners=align_corners))
        centers[align_corners] = center_of_gradient(network, size, pixel)
    assert centers[True] == pytest.approx(pixel, abs=1e-6)
    # Without: pixel p of the image is at (p + 1/2) h / H - 1/2 of the map, and pixel i of the map sees pixel 8 i.
    maps = [-(-side // 8) for side in size]
    off = [8 * ((p + 0.5) * h / side - 0.5) for p, h, side in zip(pixel, maps, size, strict=True)]
    assert centers[False] == pytest.approx(off, abs=1e-6)
    if size == (64, 96):
        assert off == [30 - 3.5, 45 - 3.5]


def test_a_symmetric_network_turns_with_the_picture():
    """One constant for aligned corners: mirroring the features mirrors the logits, to the last pixel."""
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data + module.weight.data.flip(-1)
    images = torch.randn(1, 3, 65, 81)
    with torch.inference_mode():
        straight, mirrored = network(images)["out"], network(images.flip(-1))["out"].flip(-1)
    assert straight.std() > 1e-3
    torch.testing.assert_close(straight, mirrored, rtol=1e-4, atol=1e-4)


# --- training ---


def test_aux_is_there_in_training_only():
    network = models.create(TINY, num_classes=3, aux=True)
    images = torch.randn(2, 3, 36, 47)
    assert {name: logits.shape for name, logits in network(images).items()} == {
        "out": (2, 3, 36, 47),
        "aux": (2, 3, 36, 47),
    }
    assert set(network.eval()(images)) == {"out"}
    assert set(models.create(TINY, num_classes=3)(images)) == {"out"}
    without = models.create(TINY, num_classes=3)  # weights with the auxiliary head, a network without
    report = models.load_weights(without, network.state_dict())
    assert {key.split(".")[0] for key in report.dropped} == {"aux_classifier"}


def test_one_step_reaches_every_parameter():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3, aux=True)
    labels = torch.randint(0, 3, (2, 64, 70))
    logits = network(torch.randn(2, 3, 64, 70))
    (F.cross_entropy(logits["out"], labels) + 0.4 * F.cross_entropy(logits["aux"], labels)).backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key


def test_batch_norms_average_slowly_enough():
    for name in (TINY, "pspnet_resnet50"):
        assert {m.momentum for m in on_meta(name).modules() if isinstance(m, nn.BatchNorm2d)} == {0.1}


def test_tiny_is_small_and_learns():
    torch.manual_seed(0)
    network = models.create(TINY, num_classes=3)
    assert count(network) < 1_300_000
    labels = torch.zeros(2, 48, 64, dtype=torch.int64)
    labels[:, :24] = 1
    labels[:, :, 40:] = 2
    images = torch.randn(2, 3, 1, 1) + F.one_hot(labels, 3).permute(0, 3, 1, 2)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(network(images)["out"], labels).backward()
        optimizer.step()
    assert (network(images)["out"].argmax(1) == labels).float().mean() > 0.9


# --- weights of others ---


class Reference(nn.Module):
    """PSPNet written down a second time, on torchvision's layers, with the names that the authors' code gives them."""

    def __init__(self, resnet, num_classes=21):
        super().__init__()
        stem, widths = [], (3, 64, 64, 128)
        for i in range(3):
            convolution = nn.Conv2d(widths[i], widths[i + 1], 3, stride=2 if i == 0 else 1, padding=1, bias=False)
            stem += [convolution, nn.BatchNorm2d(widths[i + 1]), nn.ReLU()]
        self.layer0 = nn.Sequential(*stem, nn.MaxPool2d(3, 2, 1))
        self.layer1, self.layer2, self.layer3, self.layer4 = resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        self.layer1[0].conv1 = nn.Conv2d(128, 64, 1, bias=False)
        self.layer1[0].downsample[0] = nn.Conv2d(128, 256, 1, bias=False)
        for stage, rate in ((self.layer3, 2), (self.layer4, 4)):
            stage[0].downsample[0].stride = (1, 1)
            for block in stage:
                block.conv2.stride, block.conv2.dilation, block.conv2.padding = (1, 1), (rate, rate), (rate, rate)
        self.ppm = nn.Module()
        self.ppm.features = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(2048, 512, 1, bias=False), nn.BatchNorm2d(512), nn.ReLU())
            for b in (1, 2, 3, 6)
        )
        self.cls = self.head(4096, 512, num_classes)
        self.aux = self.head(1024, 256, num_classes)

    @staticmethod
    def head(width, hidden, num_classes):
        convolution = nn.Conv2d(width, hidden, 3, padding=1, bias=False)
        return nn.Sequential(
            convolution, nn.BatchNorm2d(hidden), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(hidden, num_classes, 1)
        )

    def forward(self, images):
        assert all(side % 8 == 1 for side in images.shape[2:])
        deep = self.layer3(self.layer2(self.layer1(self.layer0(images))))
        x = self.layer4(deep)
        up = {"size": x.shape[2:], "mode": "bilinear", "align_corners": True}
        x = torch.cat([x] + [F.interpolate(level(x), **up) for level in self.ppm.features], dim=1)
        up["size"] = images.shape[2:]
        return F.interpolate(self.cls(x), **up), F.interpolate(self.aux(deep), **up)


def test_logits_agree_with_the_reference_implementation():
    torch.manual_seed(0)
    theirs = Reference(torchvision.models.resnet50(weights=None)).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.0)
            module.bias.data.normal_(0, 0.1)
    # The published files: wrapped, from several GPUs, counters included.
    file = {"epoch": 50, "state_dict": {f"module.{key}": value for key, value in theirs.state_dict().items()}}
    ours = models.create("pspnet_resnet50", aux=True)
    report = models.load_weights(ours, file)
    assert report.layout == "semseg_pspnet"
    assert len(report.loaded) == len(theirs.state_dict())
    assert not report.dropped
    assert not report.untouched
    assert ours.preprocessing == models.Preprocessing()
    ours.train()
    for module in ours.modules():  # training mode of the network alone
        if isinstance(module, nn.BatchNorm2d | nn.Dropout):
            module.eval()
    for size in [(65, 97), (73, 49)]:
        images = torch.randn(1, 3, *size)
        with torch.inference_mode():
            expected, got = theirs(images), ours(images)
        assert min(logits.abs().max() for logits in expected) > 0.1
        torch.testing.assert_close(got["out"], expected[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(got["aux"], expected[1], rtol=0, atol=1e-5)
    # Any other choice loads as well, and gives other logits.
    other = models.create("pspnet_resnet50", first_block_rate="previous").eval()
    assert {key.split(".")[0] for key in models.load_weights(other, file).dropped} == {"aux_classifier"}
    with torch.inference_mode():
        assert (other(images)["out"] - expected[0]).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["pspnet_resnet50", "pspnet_resnet101"])
def test_keys_and_shapes_of_the_reference_implementation(name):
    state = {}
    for line in (GOLDEN / f"semseg_{name}.txt").read_text(encoding="utf-8").splitlines():
        key, *shape = line.split()
        state[key] = torch.empty([int(side) for side in shape], device="meta")
    renamed, dropped = rename(state, LAYOUTS["semseg_pspnet"], "semseg_pspnet")
    own = on_meta(name, aux=True).state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    assert not dropped
    assert {key: value.shape for key, value in renamed.items()} == {
        key: value.shape for key, value in own.items() if key not in counters
    }


def test_imagenet_weights_need_the_7x7_stem():
    theirs = torchvision.models.resnet50(weights=None).state_dict()
    network = models.create("pspnet_resnet50", num_classes=2, stem="7x7")
    report = models.load_weights(network, theirs, layout="torchvision_resnet")
    assert set(report.loaded) == {key for key in network.state_dict() if key.startswith("backbone.")}
    with torch.device("meta"):
        deep = models.create("pspnet_resnet50", num_classes=2)
    with pytest.raises(ValueError, match="create the network with stem='7x7'"):
        models.load_weights(deep, theirs, layout="torchvision_resnet")


# --- what does not fit ---


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 7, 64), "at least 8 x 8 pixels, but 7 x 64 came"),
        (torch.zeros(2, 4, 64, 64), "must have 3 channels, but 4 came"),
        (torch.zeros(2, 3, 64, 64, dtype=torch.uint8), r"preprocessing\.normalize"),
        (torch.zeros(1, 3, 64, 64), r"a batch of one image cannot train this network.*drop_last=True"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, message):
    network = models.create(TINY, num_classes=3).train()
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ValueError, match=message):
        network(images)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_one_image_is_enough_to_predict_and_without_bin_1_to_train():
    image = torch.zeros(1, 3, 8, 8)
    assert models.create(TINY, num_classes=3).eval()(image)["out"].shape == (1, 3, 8, 8)
    assert models.create(TINY, num_classes=3, bins=(2, 3)).train()(image)["out"].shape == (1, 3, 8, 8)


def test_another_number_of_classes_is_said_and_can_be_asked_for():
    source, network = (models.create(TINY, num_classes=k, aux=True) for k in (5, 3))
    with pytest.raises(ValueError, match=r"classifier\.5\.weight \(5, 128, 1, 1\) for \(3, 128, 1, 1\).*replace_head"):
        models.load_weights(network, source.state_dict())
    report = models.load_weights(network, source.state_dict(), replace_head=True)
    assert {key.rpartition(".")[0] for key in report.untouched} == {"classifier.5", "aux_classifier.4"}
    assert network.num_classes == 3


# --- the table of differences ---


def test_the_table_of_differences_tells_the_truth_about_our_network():
    network = on_meta("pspnet_resnet50")
    backbone, head = network.backbone, network.classifier
    stem = [layer for layer in backbone.conv1 if isinstance(layer, nn.Conv2d)]
    assert {layer.kernel_size for layer in stem} == {(3, 3)}
    bins = ", ".join(str(level[0].output_size) for level in head[0].levels)
    pooling = {type(level[0]) for level in head[0].levels}
    rates = {
        name: "{} in every block".format(*{block.conv2.dilation[0] for block in stage})
        for name, stage in (("layer3", backbone.layer3), ("layer4", backbone.layer4))
    }
    network(torch.empty(1, 3, network.output_stride, network.output_stride, device="meta"))
    sides = set()
    backbone.register_forward_pre_hook(lambda module, inputs: sides.add(inputs[0].shape[-1]))
    for side in (8, 9, 14, 47):
        network(torch.empty(1, 3, side, side, device="meta"))
    assert {side % 8 for side in sides} == {1}
    trained = on_meta("pspnet_resnet50", aux=True)
    assert trained.aux_classifier[0].in_channels == backbone.layer3[-1].conv3.out_channels
    assert {row.detail: row.ours for row in pspnet.DIFFERENCES} == {
        "stem": f"{ {3: 'three'}[len(stem)] } 3 x 3: {', '.join(str(layer.out_channels) for layer in stem)}",
        "rates of layer3": rates["layer3"],
        "rates of layer4": rates["layer4"],
        "bins": bins,
        "pooling windows": "adaptive" if pooling == {RegionPooling} else "fixed",
        "batch norm of bin 1": "yes" if isinstance(head[0].levels[0][2], nn.BatchNorm2d) else "no",
        "order of the concatenation": f"map, {bins}",  # the order itself: test_levels_are_means_over_regions
        "upsampling": f"bilinear, {'' if network.align_corners and head[0].align_corners else 'no '}aligned corners",
        "input sizes": f"any from {network.output_stride}, padded to 1 + a multiple of 8",
        "dropout": str(head[4].p),
        "dropout drops": {nn.Dropout: "values", nn.Dropout2d: "channels"}[type(head[4])],
        "auxiliary head": "option aux=True" if network.aux_classifier is None else "always",
    }
