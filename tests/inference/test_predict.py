from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from segtutor.inference import evaluating, predict
from segtutor.inference.bands import window_starts
from segtutor.models.inputs import Preprocessing


class Pointwise(nn.Module):
    """Each pixel on its own: a 1 x 1 convolution. Whatever the views, the answer must be the same."""

    def __init__(self, num_classes: int = 5, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Conv2d(3, num_classes, 1)
        self.inputs: list[tuple[int, ...]] = []

    def forward(self, images):
        self.inputs.append(tuple(images.shape))
        return {"out": self.layer(images)}


class ColumnIndex(nn.Module):
    """Class 1 where the *column* is in the left half of its input, whatever the picture shows."""

    def forward(self, images):
        left = torch.linspace(10, -10, images.shape[-1]).expand(images.shape[0], 1, *images.shape[-2:])
        return torch.cat([-left, left], dim=1)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_hand(model: Pointwise, image: np.ndarray) -> torch.Tensor:
    inputs = Preprocessing().normalize(torch.from_numpy(image).permute(2, 0, 1))[None]
    return model.layer(inputs).softmax(1)[0].detach()


def test_labels_and_probabilities_of_the_pictures_size():
    model, image = Pointwise(), picture(6, 9)
    labels, probabilities = predict(model, image, return_probabilities=True)
    torch.testing.assert_close(probabilities, by_hand(model, image))
    assert labels.dtype == torch.int64
    assert torch.equal(labels, by_hand(model, image).argmax(0))
    assert torch.equal(predict(model, image), labels)


@settings(max_examples=30, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    window=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    overlap=st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.9]),
    flip=st.booleans(),
)
def test_windows_and_mirror_image_change_nothing_for_a_pointwise_network(size, window, overlap, flip):
    model, image = Pointwise(), picture(*size)
    _, probabilities = predict(model, image, window=window, overlap=overlap, flip=flip, return_probabilities=True)
    torch.testing.assert_close(probabilities, by_hand(model, image))


@settings(max_examples=50, deadline=None)
@given(length=st.integers(1, 300), window=st.integers(1, 80), overlap=st.floats(0, 0.95))
def test_windows_cover_the_picture_and_stay_inside(length, window, overlap):
    starts = window_starts(length, window, overlap)
    covered = {pixel for start in starts for pixel in range(start, start + min(window, length))}
    assert covered == set(range(length))
    assert starts == sorted(set(starts))


def test_every_window_has_the_full_size():
    model = Pointwise()
    predict(model, picture(20, 31), window=(8, 12), overlap=0.25)
    assert set(model.inputs) == {(1, 3, 8, 12)}
    assert len(model.inputs) == 3 * 4  # rows 0 6 12, columns 0 9 18 19


def test_the_mirror_image_is_mirrored_back():
    labels, probabilities = predict(ColumnIndex(), picture(2, 8), flip=True, return_probabilities=True)
    # Each column is seen once on the left and once on the right: the two views cancel out.
    torch.testing.assert_close(probabilities, torch.full((2, 2, 8), 0.5))
    assert predict(ColumnIndex(), picture(2, 8)).tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]] * 2
    assert labels.shape == (2, 8)


def test_probabilities_are_averaged_not_logits():
    class OnceVerySure(nn.Module):
        """First view: class 0 by a logit of 100. Second view: class 1 by 3; third view: class 1 by 3."""

        views = 0

        def forward(self, images):
            first = self.views == 0
            self.views += 1
            scores = torch.tensor([100.0, 0] if first else [0, 3.0])
            return scores.view(1, 2, 1, 1).expand(1, 2, *images.shape[-2:])

    _, probabilities = predict(OnceVerySure(), picture(3, 3), scales=(1, 1, 1), return_probabilities=True)
    sure = float(torch.tensor(3.0).sigmoid())
    torch.testing.assert_close(probabilities[1], torch.full((3, 3), 2 * sure / 3))
    assert probabilities.argmax(0).unique().tolist() == [1]


def test_scales_change_nothing_on_a_plain_picture():
    model, image = Pointwise(), np.full((7, 11, 3), 90, dtype=np.uint8)
    _, probabilities = predict(model, image, scales=(0.5, 1.0, 1.75), flip=True, return_probabilities=True)
    assert {shape[-2:] for shape in model.inputs} == {(4, 6), (7, 11), (12, 19)}
    torch.testing.assert_close(probabilities, by_hand(model, image))


def test_the_networks_own_preprocessing_is_used_and_its_padding_cropped():
    model, image = Pointwise(), picture(5, 40)
    model.preprocessing = Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3, multiple=32, remainder=1, smallest=33)
    _, probabilities = predict(model, image, return_probabilities=True)
    assert model.inputs == [(1, 3, 33, 65)]
    inputs = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
    torch.testing.assert_close(probabilities, model.layer(inputs).softmax(1)[0].detach())


def test_coarse_logits_are_brought_to_the_pictures_size():
    model = nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 6, 1))
    assert predict(model, picture(18, 21)).shape == (18, 21)


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5))
    model.train()
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = predict(model, picture(8, 8), return_probabilities=True)[1]
    second = predict(model, picture(8, 8), return_probabilities=True)[1]
    assert torch.equal(first, second)  # no dropout
    assert [module.training for module in model.modules()] == [True, True, False, True]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_modes_come_back_after_an_error():
    model = nn.Sequential(nn.Conv2d(3, 4, 1)).train()
    with pytest.raises(RuntimeError), evaluating(model):
        model(torch.zeros(1, 5, 2, 2))
    assert model.training
    assert model[0].training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": (0, 4)}, "window is"),
        ({"window": (4, 4), "overlap": 1.0}, "overlap is 1.0"),
        ({"overlap": -0.1}, "overlap is -0.1"),
        ({"scales": ()}, "scales are"),
        ({"scales": (1.0, 0.0)}, "scales are"),
    ],
)
def test_senseless_views_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        predict(Pointwise(), picture(4, 4), **options)


def test_one_number_stands_for_both_sides_and_one_scale_for_a_list():
    from segtutor import models

    torch.manual_seed(0)
    model, picture = models.create("deeplabv3_tiny", 3), torch.rand(3, 60, 80)
    pairs = [({"window": np.int64(32)}, {"window": (32, 32)}), ({"scales": np.float32(0.5)}, {"scales": (0.5,)})]
    for one, both in pairs:
        found = [predict(model, picture, return_probabilities=True, **views)[1] for views in (one, both)]
        assert torch.equal(*found)
    with pytest.raises(ValueError, match="scales are"):
        predict(model, picture, scales=(1.0, float("inf")))
