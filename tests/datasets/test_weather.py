"""Night and fog: pictures change as the formulas say, labels stay."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from segtutor.datasets import Fog, Night, Scenes


def test_fog_by_hand():
    picture = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]).expand(3, 2, 2)
    foggy = Fog(far=0.25, near=0.5)(picture)
    # Above a quarter of the color is left, below a half; the rest is 0.78.
    torch.testing.assert_close(foggy[0], torch.tensor([[0.585, 0.835], [0.39, 0.89]]))


def test_night_without_noise_by_hand():
    night = Night(light=0.1, noise=0)(torch.full((3, 1, 1), 0.5))
    expected = [(0.5**2.2 * color * 0.1) ** (1 / 2.2) for color in Night.COLOR]
    np.testing.assert_allclose(night.flatten().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("weather", [Night(), Fog()])
def test_scenes_keep_their_labels_and_types(weather):
    clear, changed = (Scenes("val", size=(48, 64), count=1, transforms=one)[0] for one in (None, weather))
    assert torch.equal(clear[1], changed[1])
    assert isinstance(changed[0], tv_tensors.Image)
    assert changed[0].dtype == torch.uint8
    assert not torch.equal(clear[0], changed[0])
    as_float = weather(clear[0].as_subclass(torch.Tensor).float() / 255)
    assert as_float.is_floating_point()
    assert 0 <= as_float.min() <= as_float.max() <= 1


def test_the_noise_of_night_comes_from_pytorchs_generator():
    picture = torch.full((3, 20, 20), 128, dtype=torch.uint8)
    torch.manual_seed(0)
    first, second = Night()(picture), Night()(picture)
    torch.manual_seed(0)
    assert torch.equal(Night()(picture), first)
    assert not torch.equal(first, second)


def test_fog_takes_contrast_and_night_takes_light():
    image = Scenes("val", size=(64, 80), count=1)[0][0].float()
    assert Fog()(image / 255).std() < 0.7 * (image / 255).std()
    assert Night()(image / 255).mean() < 0.5 * (image / 255).mean()


def test_bad_input():
    with pytest.raises(ValueError, match="light is 0"):
        Night(light=0)
    with pytest.raises(ValueError, match="noise is -1"):
        Night(noise=-1)
    with pytest.raises(ValueError, match="far <= near"):
        Fog(far=0.7, near=0.2)
    with pytest.raises(ValueError, match="RGB"):
        Fog()(torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="Pillow"):
        Fog()(Image.new("RGB", (4, 4)))
