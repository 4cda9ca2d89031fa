"""What labels are worth: what is spoiled, chosen and learned, without the trainings on scenes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from segtutor.claims import find, one_layer
from segtutor.claims.experiments.world import labels as experiment
from segtutor.claims.experiments.world.labels import SMALLEST, OwnAnswers, spoiled


def stripes():
    """Three classes in stripes of 8 rows, void between them, and a region that is too small."""
    labels = np.full((26, 12), 255, dtype=np.uint8)
    labels[:8], labels[9:17], labels[18:] = 3, 4, 5
    labels[:3, :3] = 6
    return labels


@pytest.mark.parametrize(("name", "changed"), [("label_noise", "share"), ("active", "by"), ("own_answers", "learned")])
def test_variants_differ_in_one_setting(name, changed):
    recipes = list(find(f"world.{name}").variants.values())[:3]  # the fourth is the second with another one
    for field in fields(recipes[0]):
        assert (len({getattr(recipe, field.name) for recipe in recipes}) > 1) == (field.name == changed)


def test_own_answers_can_be_learned_on_the_same_pictures():
    variants = find("world.own_answers").variants
    assert variants["sure answers, same pictures"] == replace(variants["sure answers, too"], changes=False)


def test_whole_regions_are_spoiled_and_their_masks_say_which():
    labels = stripes()
    same, none = spoiled(labels, 0.0, np.random.default_rng(0))
    assert np.array_equal(same, labels)
    assert none == []
    wrong, masks = spoiled(labels, 1.0, np.random.default_rng(0))
    assert len(masks) == 3
    assert np.array_equal(wrong != labels, np.any(masks, axis=0))
    assert (wrong[:3, :3] == 6).all()  # 9 pixels, fewer than SMALLEST
    assert (wrong[labels == 255] == 255).all()
    for mask in masks:
        assert len(np.unique(wrong[mask])) == 1
        assert ndimage.label(mask)[1] == 1
        assert mask.sum() >= SMALLEST
    half = [len(spoiled(labels, 0.5, np.random.default_rng(seed))[1]) for seed in range(40)]
    assert 1 < np.mean(half) < 2  # of three


def separable():
    """Six pictures of one class each, which their features tell, on maps of 3 x 4."""
    torch.manual_seed(0)
    classes = (torch.arange(6) % 3)[:, None, None].expand(6, 3, 4)
    features = torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float() + 0.05 * torch.randn(6, 3, 3, 4)
    labels = classes.repeat_interleave(32, 1).repeat_interleave(32, 2)
    return features.half(), labels.to(torch.uint8)


def test_one_layer_learns_what_can_be_told_apart():
    features, labels = separable()
    layer = one_layer.learn(features, labels, seed=0, steps=100)
    answer = one_layer.probabilities_of(layer, features[0]).argmax(dim=0)
    assert (answer == labels[0].long()).float().mean() > 0.9
    again = one_layer.learn(features, labels, seed=0, steps=100)
    assert torch.equal(layer[1].weight, again[1].weight)


def test_only_sure_answers_are_learned_and_only_the_right_ones_if_asked():
    features, labels = separable()
    layer = one_layer.learn(features, labels, seed=0, steps=300)
    wrong = ((labels + 1) % 3).to(torch.uint8)
    for learned, truth, something in (("sure", wrong, True), ("right", labels, True), ("right", wrong, False)):
        recipe = OwnAnswers(learned, bar=0.6)
        loss = recipe.own_loss(layer, features, features, truth)
        assert (float(loss.detach()) > 0) == something, learned
    nothing = OwnAnswers("sure", bar=1.1).own_loss(layer, features, features, labels)
    assert float(nothing) == 0
    assert layer.training


def test_the_least_sure_pictures_are_asked_for(monkeypatch):
    """Of eight pictures, those whose maps are noise are labeled next."""
    doubtful = {5, 6}
    monkeypatch.setattr(experiment, "TRAIN", 8)
    features = torch.zeros(8, 1, 1, 1)
    for index in doubtful:
        features[index] = 1
    chosen = []

    class Drawn:
        maps = torch.zeros(8, 4, 4, dtype=torch.uint8)

    monkeypatch.setattr(experiment, "maps", lambda split, count: features)
    monkeypatch.setattr(experiment, "pictures", lambda split, count: Drawn)
    monkeypatch.setattr(experiment, "learn", lambda some, labels, seed, steps: chosen.append(some) or len(some))
    monkeypatch.setattr(experiment, "mean_iou", lambda layer, val: 0.5)
    monkeypatch.setattr(
        experiment, "probabilities_of",
        lambda layer, one: torch.tensor([[[0.5]], [[0.5]]] if one.max() else [[[1.0]], [[0.0]]]),
    )  # fmt: skip
    values = experiment.Asking("entropy", each=2, rounds=2)(seed=3, short=False)
    assert values == {"mean_iou": 0.5, "classes": 1.0}
    first = set(np.random.default_rng([3, 12]).permutation(8).tolist()[:2])
    assert float(chosen[-1].sum()) == len(doubtful | (first & doubtful))
