"""The experiments of lesson 10: what changes and what stays, by hand where possible, without their trainings."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segtutor import models
from segtutor.claims.experiments.prompts import clicks, training, video
from segtutor.claims.masks import USUAL, SegmentPictures, segments
from segtutor.claims.prompt_training import PromptRecipe, first_clicks, further_clicks, meanings, trained
from segtutor.datasets import Scenes
from segtutor.inference.clicks import ambiguous_clicks, clear_clicks


def test_variants_of_a_training_differ_in_one_thing():
    one, three, networks = training.THREE_MASKS.variants.values()
    assert replace(one, several=True) == three == PromptRecipe(steps=600)
    assert replace(one, networks=3) == networks
    anywhere, own = training.OWN_ERRORS.variants.values()
    assert replace(anywhere, own_errors=True) == own


def test_three_networks_begin_differently_and_the_first_is_the_one_that_is_alone():
    recipe = replace(PromptRecipe(several=False), steps=1, train_count=8, val_count=4, precision="float32")
    assert trained(recipe, 0) is trained(recipe, 0)
    first, other = (trained(recipe, seed).mask_decoder.iou_token for seed in (0, 100))
    assert not torch.equal(first, other)
    alone, together = recipe(0, False), replace(recipe, networks=3)(0, False)
    assert all(together[key] >= alone[key] for key in ("object", "region", "worse", "clear"))
    assert all(measure.key in alone for measure in training.THREE_MASKS.measures)


def test_the_short_version_keeps_what_is_compared():
    short = training.THREE_MASKS.variants["three networks with one"].shortened()
    assert not short.several
    assert short.networks == 3
    assert short.steps < PromptRecipe().steps


def few():
    return SegmentPictures(Scenes("val", size=(64, 80), count=6, target="panoptic", scale_range=1.5))


def test_what_one_click_and_more_find_on_scenes():
    torch.manual_seed(0)
    pictures, model = few(), models.create("sam_tiny").eval()
    one, three = (first_clicks([model], pictures, several) for several in (False, True))
    for values in (one, three):
        assert values["worse"] <= min(values["object"], values["region"])
        assert values["both"] == pytest.approx((values["object"] + values["region"]) / 2)
    further = further_clicks(model, pictures, 3)
    assert further["gain"] == pytest.approx(further["after_3"] - further["after_1"])
    click = ambiguous_clicks(pictures)[0]
    (own, known), (region, _) = meanings(pictures, click)
    x, y = click.point
    assert own[y, x]
    assert region[own].all()
    assert region.sum() > own.sum()
    assert known[own].all()


REAL = np.array([[0.2, 0.8, 0.5], [0.1, 0.6, 0.9], [0.7, 0.5, 0.3]])
PREDICTED = np.array([[0.1, 0.9, 0.2], [0.8, 0.1, 0.2], [0.9, 0.1, 0.1]])
DOUBTFUL = np.array([False, False, True])


@pytest.mark.parametrize(
    ("choice", "clear", "ambiguous", "best"),
    [
        ("head", 0.45, 0.7, 2 / 3),
        ("same", 0.7, 0.5, 1 / 3),
        ("oracle", 0.85, 0.7, 1.0),
        ("random", 3.1 / 6, 0.5, 1 / 3),
    ],
)
def test_a_mask_is_taken_as_told(monkeypatch, choice, clear, ambiguous, best):
    """By hand: always the same is the second, whose mean of 0.633 is the highest."""
    monkeypatch.setattr(clicks, "answers", lambda world, count: (REAL, PREDICTED, DOUBTFUL))
    values = clicks.Choosing(choice)(0, False)
    assert values == pytest.approx({"clear": clear, "ambiguous": ambiguous, "best": best})


def test_clicks_are_spots_for_grabcut():
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    image[5:15, 5:15], image[:, 20:] = (200, 30, 30), (30, 30, 200)
    square = np.zeros((20, 30), dtype=bool)
    square[5:15, 5:15] = True
    allowed = clicks.boxed(square)
    assert allowed.sum() == (10 + 2 * clicks.AROUND) ** 2
    assert (clicks.grabbed(image, allowed, [(9, 9)], [1]) == square).all()
    without = clicks.grabbed(image, clicks.inside_the_border((20, 30)), [(9, 9), (25, 9)], [1, 0])
    assert without[9, 9]
    assert not without[9, 25]
    whole = clicks.boxed(np.ones((20, 30), dtype=bool))  # no box may hold all of the picture
    assert whole.sum() == 18 * 28


@pytest.mark.parametrize("way", ["sam_tiny", "clicks", "box"])
def test_clicking_is_scored_and_timed(monkeypatch, way):
    torch.manual_seed(0)
    monkeypatch.setattr(clicks, "network", lambda: models.create("sam_tiny").eval())
    monkeypatch.setattr(clicks, "segments", lambda *_, **__: few())
    values = clicks.Clicking(way)(0, True)
    assert all(measure.key in values for measure in clicks.CLICKS.measures)
    assert values["ms_first"] > 0
    assert 1 <= values["clicks"] <= clicks.TRIES
    assert (values["after_1"] == 0) == (way == "box")  # one corner is no box yet


def test_things_move_and_are_hidden():
    sequence = video.sequences(0, video.SHORT)[0]
    assert len(sequence.frames) == len(sequence.masks) == video.FRAMES
    areas = [int(mask.sum()) for mask in sequence.masks]
    assert all(areas[number] < 0.5 * areas[0] for number in video.HIDDEN)
    middles = [np.argwhere(mask).mean(axis=0)[1] for mask in (sequence.masks[0], sequence.masks[3])]
    assert 3 * video.SPEED[0] - 2 < abs(middles[1] - middles[0]) < 3 * video.SPEED[1] + 2
    behind = ~(sequence.masks[0] | sequence.masks[1])
    assert torch.equal(sequence.frames[0][:, behind], sequence.frames[1][:, behind])  # all else stands still
    again = video.sequences.__wrapped__(0, video.SHORT)[0]
    assert torch.equal(again.frames[5], sequence.frames[5])


def test_a_thing_is_pasted_where_it_fits():
    frame, thing = torch.zeros(3, 6, 8, dtype=torch.uint8), torch.full((3, 3, 3), 9, dtype=torch.uint8)
    shape = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 1, 1]]).bool()
    seen = video.paste(frame, thing, shape, (6, -1))
    assert np.argwhere(seen).tolist() == [[0, 6], [1, 6], [1, 7]]
    assert (frame[0].numpy() == 9 * seen).all()


def test_the_place_most_like_what_is_remembered(monkeypatch):
    monkeypatch.setattr(video, "network", lambda: models.create("sam_tiny").eval())
    embedding = torch.zeros(44, 6, 8)
    embedding[0], embedding[:4, 1:4, 4:7] = 1.0, torch.tensor([0.0, 2, 0, 1])[:, None, None]
    embedding[40:, 1:4, 4:7] = torch.randn(4, 3, 3)  # of the finer map, which is not asked
    mask = np.zeros((48, 64), dtype=bool)
    mask[16:24, 40:48] = True
    remembered = video.mean_of(embedding, mask)
    assert remembered[:5].tolist() == [0, 2, 0, 1, 0]
    assert video.most_alike(embedding, remembered) == (44, 20)


@pytest.mark.parametrize("memory", ["none", "last mask", "first frame"])
def test_following_is_scored_in_all_three_parts(monkeypatch, memory):
    torch.manual_seed(0)
    monkeypatch.setattr(video, "network", lambda: models.create("sam_tiny").eval())
    values = video.Following(memory)(0, True)
    assert set(values) == {measure.key for measure in video.MEMORY.measures}
    assert all(0 <= value <= 1 for value in values.values())


def test_a_world_has_enough_to_click_on_and_to_move():
    pictures = segments("test", clicks.PICTURES, USUAL, clicks.SIZE)
    assert len(clear_clicks(pictures)) >= clicks.THINGS
    assert len(video.sequences(0, video.SEQUENCES)) == video.SEQUENCES
