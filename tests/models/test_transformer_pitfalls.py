"""What goes wrong with transformers without a message, and what the package does about it.

| pitfall | test |
|---|---|
| keys and values in one matrix, the keys first | here; test_segformer: every source's names |
| the decoder's order: stage 4, 3, 2, 1 | here; test_segformer: every source's names, OpenMMLab's head |
| corners aligned; no bias before the head's batch norm | test_segformer: every source's names |
| the norms' epsilon | test_segformer: differences hold |
| sides that 32 does not divide; pictures smaller than the reduction | here |
| height and width exchanged in the labels' size | here: sides that no stride divides |
| the last block without the final norm; registers as places | here |
| no batch norm before the linear layer | here; test_vit: a frozen encoder |
| masks shrunk before they are compared; labels enlarged, not logits | here |
| positions of another size, smoothed or not | test_vit: DINOv2 gives the peer's features, at another size |
| sides that the patch does not divide | test_vit: logits at the picture's size |
| a mask through ToTensor | here |
| ADE20K's 0 means no label, and only one setting of the transformers library says so | here |
| a published rate, made for sixteen pictures, with a batch of eight | here |
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import evaluate, predict
from segtutor.inference.samples import read_labeled
from segtutor.labels import SCENES, LabelSet
from segtutor.training import TrainingConfig


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


def test_another_order_of_the_stages_fits_and_is_wrong():
    """What stands side by side in the decoder is as wide for each stage."""
    torch.manual_seed(0)
    network, images = models.create("segformer_tiny", num_classes=3).eval(), torch.randn(1, 3, 64, 80)
    fuse = network.classifier.fuse[0]
    with torch.inference_mode():
        before = network(images)["out"]
        stages = len(network.backbone.stages)
        fuse.weight.copy_(torch.cat(fuse.weight.chunk(stages, dim=1)[::-1], dim=1))
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


def test_the_batch_norm_makes_channels_of_any_size_alike():
    """Features a thousand times as large in one channel than in another: in training the head sees no difference."""
    torch.manual_seed(0)
    head = models.create("vit_tiny", num_classes=3).classifier.train()
    features = torch.randn(4, 128, 6, 8)
    factors = torch.logspace(-1.5, 1.5, 128)[:, None, None]
    torch.testing.assert_close(head(features), head(features * factors), atol=1e-2, rtol=1e-2)
    assert not torch.allclose(head[1](features), head[1](features * factors), atol=1.0)


class Stripe:
    """A bright line, one pixel wide, in a picture of 40 x 40; in the labels it is two pixels wide."""

    labels = LabelSet("Two", ("dark", "bright"), ((0, 0, 0), (255, 255, 255)))

    def __len__(self):
        return 1

    def __getitem__(self, index):
        labels = torch.zeros(40, 40, dtype=torch.int64)
        labels[:, 20:22] = 1
        picture = torch.zeros(3, 40, 40, dtype=torch.uint8)
        picture[:, :, 20] = 255
        return picture, labels


class Brightness(torch.nn.Module):
    preprocessing = models.Preprocessing()

    def forward(self, images):
        brightness = images.mean(1, keepdim=True)
        return torch.cat([-brightness, brightness], dim=1)


def test_masks_are_compared_as_large_as_they_are():
    """At a quarter of the side the line is found completely: 100 % for the same answer that has half of it."""
    data = Stripe()
    result = evaluate(Brightness(), data, progress=False)
    assert result.confusion.matrix.sum() == 40 * 40
    assert result.iou["bright"] == pytest.approx(1 / 2)
    found = predict(Brightness(), data[0][0])
    small = [F.interpolate(one[None, None].float(), (10, 10))[0, 0] for one in (found, data[0][1])]
    assert torch.equal(*small)


def test_logits_are_enlarged_and_not_labels():
    """Between two places a third class may be the best; enlarged labels have none but the two."""
    scores = torch.tensor([[[9.0, 0.0]], [[0.0, 9.0]], [[5.5, 5.5]]])[None]  # 3 classes, 1 x 2 places

    class Coarse(torch.nn.Module):
        preprocessing = models.Preprocessing()

        def forward(self, images):
            return scores.expand(len(images), -1, 1, 2)

    found = predict(Coarse(), torch.zeros(3, 4, 16, dtype=torch.uint8))
    assert found.unique().tolist() == [0, 1, 2]
    assert scores.argmax(1).unique().tolist() == [0, 1]


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


def test_ade20ks_zero_is_no_label_only_with_do_reduce_labels():
    """Without the setting all classes are one too high: the last fits no network, and "no label" is learned as wall."""
    transformers = pytest.importorskip("transformers")
    picture, labels = np.zeros((32, 32, 3), dtype=np.uint8), np.zeros((32, 32), dtype=np.uint8)
    labels[0, 1:3] = 1, 150
    read = {}
    for reduce in (False, True):
        processor = transformers.SegformerImageProcessor(do_reduce_labels=reduce, do_resize=False)
        whole = processor(picture, segmentation_maps=labels, return_tensors="pt")["labels"]
        read[reduce] = whole[0, 0, :3].tolist()
    assert read == {False: [0, 1, 150], True: [255, 0, 149]}


@pytest.mark.parametrize(("optimizer", "sixteen", "eight"), [("adamw", 0.001, 0.0007), ("sgd", 0.01, 0.005)])
def test_the_default_rate_is_smaller_for_a_batch_of_eight(optimizer, sixteen, eight):
    """What was published for sixteen pictures is too much for eight; a run that is told no rate knows its batch."""
    for size, rate in ((16, sixteen), (8, eight)):
        config = TrainingConfig(steps=1, batch_size=size, optimizer=optimizer)
        assert config.base_learning_rate == pytest.approx(rate, rel=0.02)
