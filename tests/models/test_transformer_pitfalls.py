"""What goes wrong with transformers without a message, and what the package does about it."""

import pytest
import torch

from segtutor import models
from segtutor.inference.samples import read_labeled
from segtutor.labels import SCENES


def test_keys_and_values_exchanged_fit_and_are_wrong():
    """The authors' file has both in one matrix, the keys first. The shapes are the same, so only the numbers tell."""
    torch.manual_seed(0)
    network, images = models.create("segformer_tiny", num_classes=3).eval(), torch.randn(1, 3, 64, 80)
    attention = network.backbone.stages[2].blocks[0].attention
    with torch.inference_mode():
        before = network(images)["out"]
        state = attention.state_dict()
        exchanged = {key.replace("key", "-").replace("value", "key").replace("-", "value"): state[key] for key in state}
        attention.load_state_dict({key: value.clone() for key, value in exchanged.items()})
        assert (network(images)["out"] - before).abs().max() > 1e-5


def test_registers_and_class_token_are_no_places():
    """A map begins behind both: with them in it, the picture would be moved by five patches."""
    torch.manual_seed(0)
    encoder = models.create("dinov2_vits14", registers=4, layers=(1,)).backbone.eval()
    images = torch.randn(1, 3, 28, 42)
    with torch.inference_mode():
        tokens, size = encoder.embed(images)
        made = encoder.norm(encoder.blocks[0](tokens))
        found = encoder(images)["out"]
    assert size == (2, 3)
    assert tokens.shape[1] == 1 + 4 + 2 * 3
    torch.testing.assert_close(found[0, :, 1, 2], made[0, 1 + 4 + 5])


def test_features_are_those_after_the_final_norm():
    torch.manual_seed(0)
    encoder = models.create("vit_tiny").backbone.eval()
    torch.nn.init.uniform_(encoder.norm.weight, 0.5, 1.5)
    with torch.inference_mode():
        tokens, _ = encoder.embed(images := torch.randn(1, 3, 64, 64))
        for block in encoder.blocks:
            tokens = block(tokens)
        found = encoder(images)["out"].flatten(2).transpose(1, 2)
        torch.testing.assert_close(found, encoder.norm(tokens)[:, 1:])
        assert (found - tokens[:, 1:]).abs().max() > 0.1


def test_a_mask_that_went_through_to_tensor_is_refused():
    """It was divided by 255: class 7 is 0.027, and as a whole number 0."""

    class Divided:
        labels = SCENES

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return torch.zeros(3, 8, 8, dtype=torch.uint8), torch.full((8, 8), 7.0) / 255

    with pytest.raises(ValueError, match="must not go through ToTensor"):
        read_labeled(Divided(), 0, len(SCENES), 255)


@pytest.mark.parametrize("size", [(30, 64), (64, 30)])
def test_a_picture_smaller_than_the_reduction_is_refused(size):
    with pytest.raises(ValueError, match=f"at least 32 x 32 pixels, but {size[0]} x {size[1]} came"):
        models.create("segformer_b0").eval()(torch.zeros(1, 3, *size))


@pytest.mark.parametrize("side", [33, 65, 100])
def test_sides_that_no_stride_divides(side):
    """Each stage rounds up; the logits have the picture's size."""
    with torch.inference_mode():
        out = models.create("segformer_tiny", num_classes=4).eval()(torch.zeros(1, 3, side, side + 7))["out"]
    assert out.shape == (1, 4, side, side + 7)
