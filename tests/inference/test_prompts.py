"""Asking a promptable network: sizes, points and padding on the way in and out, and clicks that are scored."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor import models
from segtutor.inference import Prompter
from segtutor.inference.clicks import (
    Click,
    ambiguous_clicks,
    clear_clicks,
    ious_by_clicks,
    middle,
    next_click,
    score_clicks,
)
from segtutor.inference.prompts import Answer, at_picture_size, pad, resized
from segtutor.models.sam.network import at_input_size
from tests.models.sam.peers import small


def picture(height=75, width=100):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_sizes_points_and_padding_by_hand():
    """A picture of 75 x 100 for a network of 160: 120 x 160, and 40 rows of padding below."""
    prompter = Prompter(small(), picture())
    assert prompter.inner_size == (120, 160)
    assert prompter.embedding.shape == (1, 64, 10, 10)
    moved = prompter._moved(torch.tensor([[50.0, 30.0], [100.0, 75.0]]), "points")
    assert moved.tolist() == [[80, 48], [160, 120]]
    images = pad(torch.ones(1, 3, 120, 160), 160, 16)
    assert images.shape == (1, 3, 160, 160)
    assert images[..., :120, :].min() == 1
    assert images[..., 120:, :].abs().max() == 0  # after normalizing: 0 is the mean color
    assert pad(torch.ones(1, 3, 75, 100), None, 8).shape == (1, 3, 80, 104)


def test_the_padding_is_cut_off_before_the_mask_is_resized():
    """The upper left 120 x 160 of the square is the picture; who resizes first, squeezes the padding in."""
    logits = torch.full((1, 160, 160), -1.0)
    logits[:, :120] = 1.0  # all of the picture
    assert (at_picture_size(logits, (120, 160), (75, 100)) > 0).all()
    squeezed = F.interpolate(logits[None], (75, 100), mode="bilinear", align_corners=False)[0] > 0
    assert squeezed.float().mean() < 0.8


def test_masks_come_out_as_the_transformers_library_makes_them():
    transformers = pytest.importorskip("transformers")
    processor = transformers.SamImageProcessor(pad_size={"height": 160, "width": 160})
    torch.manual_seed(0)
    low = torch.randn(1, 1, 3, 40, 40)
    theirs = processor.post_process_masks([low[0]], [(75, 100)], [(120, 160)], binarize=False)[0]
    ours = at_picture_size(at_input_size(low, 16)[0, 0], (120, 160), (75, 100))
    torch.testing.assert_close(ours, theirs[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(600, 800), (333, 500), (500, 333), (1024, 1024)])
def test_pictures_are_resized_as_the_transformers_library_does(size):
    transformers = pytest.importorskip("transformers")
    shape = transformers.SamImageProcessor()._get_preprocess_shape(size, 1024)
    assert resized(size, 1024) == tuple(shape)


def test_answers_are_those_of_the_network():
    torch.manual_seed(0)
    network, image = models.create("sam_tiny"), picture(48, 64)
    assert network.training
    prompter = Prompter(network, image)
    assert network.training  # left as it was
    answer = prompter.ask([(20, 30)])
    images = network.preprocessing.normalize(torch.from_numpy(image).permute(2, 0, 1)[None])
    with torch.inference_mode():
        expected = network.eval()(images, torch.tensor([[[[20.0, 30.0]]]]))
    torch.testing.assert_close(answer.small, expected["masks"][0, 0])
    torch.testing.assert_close(answer.iou, expected["iou"][0, 0])
    assert answer.logits.shape == (3, 48, 64)
    assert answer.best == int(expected["iou"][0, 0].argmax())
    # One point may mean several things, more prompts do not.
    assert len(prompter.ask([(20, 30), (5, 5)], [1, 0]).logits) == 1
    assert len(prompter.ask(box=(3, 4, 40, 30)).logits) == 1
    assert len(prompter.ask([(20, 30)], mask=answer.small[0]).logits) == 1
    assert len(prompter.ask([(20, 30)], several=False).logits) == 1


def test_pictures_of_any_size_are_answered_at_their_size():
    prompter = Prompter(models.create("sam_tiny"), picture(45, 61))
    assert prompter.ask([(60.5, 44.5)]).logits.shape == (3, 45, 61)
    assert Prompter(small(), picture()).ask(box=(0, 0, 100, 75)).logits.shape == (1, 75, 100)


def test_a_pixel_is_inside_above_logit_0():
    answer = Answer(torch.tensor([[[0.3, 0.0, -0.2]]]), torch.ones(1), torch.zeros(1, 1, 1))
    assert answer.masks.tolist() == [[[True, False, False]]]


def test_points_outside_and_other_networks_are_named():
    prompter = Prompter(models.create("sam_tiny"), picture(48, 64))
    with pytest.raises(ValueError, match=r"x from 0 to 64 and y from 0 to 48, but \[\[20.0, 60.0\]\] came: x"):
        prompter.ask([(20, 60)])  # row and column exchanged
    with pytest.raises(ValueError, match="FCN takes no clicks: create a promptable network, as sam_tiny"):
        Prompter(models.create("fcn8s_tiny"), picture())


# ------------------------------------------------------------------------------------------------------------- clicks


def test_the_middle_is_farthest_from_the_edge():
    mask = np.zeros((9, 12), dtype=bool)
    mask[2:7, 1:6] = True
    assert middle(mask) == (3, 4)
    assert middle(np.ones((5, 9), dtype=bool))[1] == 2  # the picture's border is an edge, too


def test_the_next_click_goes_into_the_largest_error():
    target, mask, known = np.zeros((10, 20), dtype=bool), np.zeros((10, 20), dtype=bool), np.ones((10, 20), dtype=bool)
    target[1:6, 1:6] = True
    mask[1:6, 1:3] = True  # 15 pixels are missing, of which three in a column are farthest from the edge
    mask[7:9, 10:14] = True  # and 8 are too many
    assert next_click(mask, target, known) == ((4, 2), 1)
    mask[7:10, 10:16] = True  # now 18 are
    assert next_click(mask, target, known) == ((11, 8), 0)
    known[7:10] = False  # void is no error
    assert next_click(mask, target, known) == ((4, 2), 1)
    assert next_click(target, target, known) is None


class Two:
    """One picture: a lone thing, two of a class, a small one, and ground."""

    labels = SimpleNamespace(title="two", names=("ground", "a", "b", "c"))

    def __len__(self):
        return 1

    def __getitem__(self, index):
        segments = torch.full((48, 64), 1)
        segments[4:20, 4:20] = 2
        segments[4:20, 30:40] = 3
        segments[30:46, 30:60] = 4
        segments[40:43, 4:7] = 5
        info = [
            {"id": 1, "category_id": 0, "isthing": 0}, {"id": 2, "category_id": 1, "isthing": 1},
            {"id": 3, "category_id": 2, "isthing": 1}, {"id": 4, "category_id": 2, "isthing": 1},
            {"id": 5, "category_id": 3, "isthing": 1},
        ]  # fmt: skip
        return torch.zeros(3, 48, 64, dtype=torch.uint8), {"segments": segments, "segments_info": info}


def test_clear_and_ambiguous_clicks():
    assert clear_clicks(Two()) == [Click(0, (11, 11), 2)]
    found = ambiguous_clicks(Two())
    assert [(one.number, one.others) for one in found] == [(3, (4,)), (4, (3,))]
    assert clear_clicks(Two(), smallest=9)[-1] == Click(0, (5, 41), 5)


class Told(models.create("sam_tiny").__class__):
    """A network that answers a click with three rectangles that it was told, and says which is best."""

    def __init__(self, masks, iou):
        torch.nn.Module.__init__(self)
        self.stride, self.side, self.preprocessing = 8, None, models.Preprocessing()
        self.told, self.iou, self.asked = masks, iou, []
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def embed(self, images):
        return torch.zeros(1, 1, images.shape[-2] // 8, images.shape[-1] // 8)

    def answer(self, embedding, points, labels, boxes, masks, several):
        self.asked.append((points[0, 0].tolist(), labels[0, 0].tolist()))
        found = self.told if several else self.told[:1]
        return {"masks": found[None, None, :, ::2, ::2] * 2 - 1, "iou": self.iou[None, None, : len(found)]}


def test_scores_by_hand():
    """Clicked is a square of 256 pixels, two of a class with 160 and 480."""
    masks = torch.zeros(3, 48, 64)
    masks[0, 4:20, 4:12] = 1  # half of the lone square
    masks[1, 4:20, 4:20] = 1  # all of it
    masks[2, 4:20, 30:40] = 1  # one of the two
    masks[2, 30:46, 30:60] = 1  # and the other
    network = Told(masks, torch.tensor([0.9, 0.8, 0.1]))
    scores = score_clicks(network, Two(), clear_clicks(Two()))
    assert (scores.oracle, scores.chosen, scores.region, scores.clicks) == (1, 0.5, 1, 1)
    scores = score_clicks(network, Two(), ambiguous_clicks(Two()))
    assert scores.oracle == pytest.approx((160 / 640 + 480 / 640) / 2)
    assert scores.chosen == 0
    assert scores.region == 1
    with pytest.raises(ValueError, match="no click to score"):
        score_clicks(network, Two(), [])


def test_clicks_one_after_the_other():
    masks = torch.zeros(3, 48, 64)
    masks[:, 4:20, 4:12] = 1
    network = Told(masks, torch.ones(3))
    image, target = Two()[0]
    own = (target["segments"] == 2).numpy()
    values = ious_by_clicks(Prompter(network, image), own, np.ones_like(own), count=3)
    assert values == [0.5, 0.5, 0.5]
    # The second click goes into the missing half, columns 12 to 19, and asks for more.
    assert network.asked[1][0][1][0] in (15, 16)
    assert [labels for _, labels in network.asked] == [[1], [1, 1], [1, 1, 1]]
    network.told = own_masks(own)
    assert ious_by_clicks(Prompter(network, image), own, np.ones_like(own), count=3) == [1.0, 1.0, 1.0]


def own_masks(own):
    return torch.from_numpy(own).float().expand(3, -1, -1)
