import copy

import pytest
import torch

from segtutor import models
from segtutor.models import Preprocessing


@pytest.fixture(scope="module")
def network():
    return models.create("deeplabv3_tiny", num_classes=3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 32, 32), "must have 3 channels, but 1 came"),
        (torch.zeros(2, 4, 32, 32), "convert the pictures to RGB"),
        (torch.zeros(2, 32, 32, 3), r"images\.permute\(0, 3, 1, 2\)"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), r"torch\.uint8 came; model\.preprocessing\.normalize"),
        (torch.zeros(3, 32, 32), r"images\[None\]"),
        (torch.zeros(32, 32), "B x 3 x H x W, but 2 dimensions"),
        (torch.zeros(2, 3, 7, 32), "at least 8 x 8 pixels, but 7 x 32 came"),
        (torch.zeros(0, 3, 32, 32), "at least one image"),
        (torch.zeros(1, 3, 32, 32), "a batch of one image cannot train this network"),
        ([[1.0]], "a list came"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(network, images, message):
    network.train()
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ValueError, match=message):
        network(images)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_one_image_is_enough_to_predict_and_with_frozen_batch_norm_to_train(network):
    image = torch.zeros(1, 3, 32, 32)
    assert network.eval()(image)["out"].shape == (1, 3, 32, 32)
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    network(image)["out"].sum().backward()


def test_normalize_by_hand():
    preprocessing = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.25))
    image = torch.tensor([0, 255, 51], dtype=torch.uint8)[:, None, None]
    expected = torch.tensor([-1.0, 1.0, -1.2])[:, None, None]
    torch.testing.assert_close(preprocessing.normalize(image), expected)
    torch.testing.assert_close(preprocessing.normalize(image[None]), expected[None])
    torch.testing.assert_close(preprocessing.normalize(image / 255), expected)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(8, 8, 3), "channels first"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "uint8"),
        (torch.full((3, 8, 8), 127.0), "divide by 255"),
        (torch.full((3, 8, 8), -1.0), "normalize twice"),
        (torch.full((3, 8, 8), float("nan")), "must lie in 0-1"),
    ],
)
def test_normalize_refuses_what_is_not_an_image(image, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing().normalize(image)


@pytest.mark.parametrize(
    ("rule", "size", "expected"),
    [
        ((1, 0, 1), (37, 500), (37, 500)),
        ((32, 1, 513), (375, 500), (513, 513)),
        ((32, 1, 513), (513, 514), (513, 545)),
        ((32, 0, 1), (32, 33), (32, 64)),
    ],
)
def test_padding_goes_right_and_below_in_the_mean_color(rule, size, expected):
    preprocessing = Preprocessing(multiple=rule[0], remainder=rule[1], smallest=rule[2])
    assert preprocessing.padded_size(*size) == expected
    picture = torch.rand(1, 3, *size) + 1
    padded = preprocessing.pad(picture)
    assert padded.shape[-2:] == expected
    assert torch.equal(padded[..., : size[0], : size[1]], picture)
    assert padded.sum() == pytest.approx(picture.sum().item(), rel=1e-5)


def test_every_network_says_what_it_expects():
    for name in models.available():
        with torch.device("meta"):
            preprocessing = models.create(name).preprocessing
        mobile = name == "deeplabv3_mobilenet_v2"
        scaled = mobile or name == "deeplabv3plus_xception65"  # to -1 ... 1
        expected = (0.5, 0.5, 0.5) if scaled else (0.485, 0.456, 0.406)
        assert preprocessing.mean == ((127 / 255,) * 3 if name == "efficientnet_lite0" else expected)
        assert preprocessing.padded_size(375, 500) == ((513, 513) if mobile else (375, 500))


@pytest.mark.parametrize("option", ["in_channels", "in_chans", "input_channels"])
def test_other_channels_get_a_sentence_on_the_first_layer(option):
    with pytest.raises(ValueError, match=rf"{option}=4 came, but all networks read three channels.*first layer"):
        models.create("deeplabv3_tiny", **{option: 4})
