"""Training a promptable network: what is asked, where the next click goes, and that a few steps learn it."""

import random

import pytest
import torch

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.models.sam.network import at_input_size
from segtutor.training import PromptSettings, TrainingConfig, fit_prompts
from segtutor.training.asking import (
    Prompts,
    draw_prompts,
    every_second,
    losses_of_prompts,
    next_clicks,
    shaken_box,
)
from segtutor.training.prompts import PromptStream


def scenes(count=4, target="panoptic"):
    return Scenes("train", size=(64, 80), count=count, target=target, scale_range=1.5, thin=0.0, context=0.0)


def segments():
    """Two of class 7, numbers 1 and 2, ground, number 3, and a column of void."""
    numbers = torch.full((20, 30), 3)
    numbers[2:10, 2:12], numbers[2:10, 15:25], numbers[:, 29] = 1, 2, 0
    info = [
        {"id": 1, "category_id": 7, "isthing": 1}, {"id": 2, "category_id": 7, "isthing": 1},
        {"id": 3, "category_id": 0, "isthing": 0},
    ]  # fmt: skip
    return numbers, info


def test_targets_are_objects_or_all_of_their_class():
    numbers, info = segments()
    random.seed(0)
    for region in (0.0, 1.0):
        asked = draw_prompts(numbers, info, PromptSettings(prompts=40, region=region))
        assert torch.equal(asked.known, numbers != 0)
        things = 0
        for target, (x, y) in zip(asked.targets, asked.points.long().tolist(), strict=True):
            number = int(numbers[y, x])  # x first
            own = numbers == number
            wanted = torch.isin(numbers, torch.tensor([1, 2])) if region and number in (1, 2) else own
            assert torch.equal(target, wanted)
            things += number in (1, 2)
        assert 25 < things < 40  # 6 of 7 are meant to be


def test_small_objects_are_no_targets():
    numbers, info = segments()
    random.seed(0)
    asked = draw_prompts(numbers, info, PromptSettings(prompts=20, smallest=100))
    assert {int(numbers[int(y), int(x)]) for x, y in asked.points} == {3}


def test_boxes_are_shaken_and_stay_inside():
    mask = torch.zeros(20, 30, dtype=torch.bool)
    mask[2:10, 2:12] = True
    random.seed(0)
    boxes = torch.tensor([shaken_box(mask.numpy()) for _ in range(2000)])
    torch.testing.assert_close(boxes.mean(0), torch.tensor([2.0, 2.0, 12.0, 10.0]), atol=0.1, rtol=0)
    assert boxes[:, 2].std() == pytest.approx(1.0, abs=0.1)  # a tenth of 10
    assert boxes[:, 3].std() == pytest.approx(0.8, abs=0.1)
    assert boxes.min() >= 0
    assert boxes[:, 2].max() <= 30


def test_the_next_click_is_where_it_is_wrong():
    torch.manual_seed(0)
    target = torch.zeros(3, 6, 8, dtype=torch.bool)
    target[:, 1:3, 1:4] = True
    known = torch.ones_like(target)
    known[:, :, 7] = False
    masks = torch.where(target, 1.0, -1.0)
    masks[0, 2, 3] = -1.0  # missing
    masks[1, 5, 6], masks[1, 0, 7] = 1.0, 1.0  # too much, and void
    points, labels = next_clicks(masks, target, known)
    assert points[:2].tolist() == [[3, 2], [6, 5]]
    assert labels[:2].tolist() == [1, 0]
    for _ in range(20):  # nothing is wrong with the third: anywhere but void
        points, labels = next_clicks(masks, target, known)
        x, y = points[2].long().tolist()
        assert known[2, y, x]
        assert labels[2] == target[2, y, x]
    places = {tuple(next_clicks(masks, target, known, anywhere=True)[0][0].tolist()) for _ in range(30)}
    assert len(places) > 5


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_every_second_pixel_of_the_enlarged_masks(factor):
    torch.manual_seed(0)
    masks = torch.randn(1, 2, 3, 6, 8)
    whole = at_input_size(masks, 4 * factor)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        torch.testing.assert_close(every_second(masks, factor, row, column), whole[..., row::2, column::2])


def test_the_stream_mirrors_picture_and_questions_together():
    stream = PromptStream(scenes(), 0, True, PromptSettings())
    plain = PromptStream(scenes(), 0, False, PromptSettings())
    mirrored = 0
    for position in range(8):
        (image, asked), (other, _) = stream[position], plain[position]
        assert torch.equal(image, other) or torch.equal(image.flip(-1), other)
        mirrored += not torch.equal(image, other)
        for target, (x, y) in zip(asked.targets, asked.points.long().tolist(), strict=True):
            assert target[y, x]
    assert 0 < mirrored < 8


def config(**change):
    settings = {"steps": 3, "batch_size": 2, "learning_rate": 2e-3, "device": "cpu", "progress": False}
    return TrainingConfig(**{**settings, **change})


def fresh():
    torch.manual_seed(0)
    return models.create("sam_tiny", weights="backbone")


class Stopping(Scenes):
    """Someone presses the stop button when the sixth picture is read."""

    read = 0

    def __getitem__(self, index):
        self.read += 1
        if self.read == 6:
            raise KeyboardInterrupt
        return super().__getitem__(index)


def test_a_run_goes_on_where_it_was(tmp_path):
    settings, file = PromptSettings(prompts=2), tmp_path / "run.pt"
    whole, stopped, again = fresh(), fresh(), fresh()
    result = fit_prompts(whole, scenes(), None, config(steps=4), settings)
    assert set(result.losses) == {"focal", "dice", "iou"}
    pictures = Stopping("train", size=(64, 80), count=4, target="panoptic", scale_range=1.5, thin=0.0, context=0.0)
    with pytest.raises(KeyboardInterrupt):
        fit_prompts(stopped, pictures, None, config(steps=4, checkpoint=file), settings)
    other = PromptSettings(prompts=2, rounds=1)
    with pytest.raises(ValueError, match=r"prompts: rounds was 2 and is now 1"):
        fit_prompts(again, scenes(), None, config(steps=4, checkpoint=file), other, resume=True)
    resumed = fit_prompts(again, scenes(), None, config(steps=4, checkpoint=file), settings, resume=True)
    assert resumed.losses == result.losses
    for key, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_the_backbone_stays_and_the_rest_learns():
    network = fresh()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    result = fit_prompts(network, scenes(), scenes(8), config(), PromptSettings(prompts=2, box=0.5, rounds=3))
    after = network.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in after if key.startswith("backbone."))
    assert not torch.equal(after["mask_decoder.mask_tokens"], before["mask_decoder.mask_tokens"])
    assert not torch.equal(after["neck.mix.2.weight"], before["neck.mix.2.weight"])
    assert result.validations[-1].step == 3
    assert 0 <= result.validations[-1].chosen <= result.validations[-1].oracle <= 1


def test_some_steps_learn_six_clicks():
    torch.manual_seed(0)
    random.seed(0)
    settings = PromptSettings(prompts=6, rounds=1, region=0.0, box=0.0)
    image, one = PromptStream(scenes(1), 0, False, settings)[0]
    asked = Prompts(*(getattr(one, name)[None] for name in ("targets", "known", "points", "boxes")))
    network = fresh()
    images = network.preprocessing.normalize(image[None])
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=2e-3)
    values = []
    for _ in range(100):
        losses = losses_of_prompts(network, images, asked, settings)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        values.append(float(losses["dice"].detach()))
    assert values[0] > 0.7
    assert values[-1] < 0.3


def test_what_does_not_fit_is_named():
    with pytest.raises(
        ValueError, match=r"class_weights is .* but a promptable network knows no classes: leave it out"
    ):
        fit_prompts(fresh(), scenes(), None, config(class_weights=(1.0,) * len(scenes().labels)))
    with pytest.raises(ValueError, match="takes no clicks: create a promptable network"):
        fit_prompts(models.create("fcn8s_tiny"), scenes(), None, config())
    with pytest.raises(ValueError, match=r'gives a Mask: ask it for them, as Scenes\(target="panoptic"\) does'):
        fit_prompts(fresh(), scenes(target="semantic"), None, config())
