from dataclasses import replace

import numpy as np
import pytest
import torch

from segtutor import models
from segtutor.claims import available, find
from segtutor.claims.experiments.deeplab.refinement import Refined
from segtutor.claims.experiments.pspnet.pyramids import Pyramid
from segtutor.claims.pictures import BOLLARDS, EVERYTHING, draw
from segtutor.claims.training import Recipe, build, class_weights_of, train
from segtutor.datasets import Scenes
from segtutor.training import balanced_class_weights, median_frequency_weights
from tests.models.geometry import make_linear

TRAINED = [name for name in available() if all(hasattr(one, "in_precision") for one in find(name).variants.values())]
SHORT = {"steps": 2, "train_count": 8, "val_count": 4}


def test_pictures_are_the_scenes():
    for kind, options in (
        (EVERYTHING, {}),
        (BOLLARDS, {"kinds": ("street", "harbor"), "context": 4.0, "context_distance": 0.3}),
    ):
        pictures, scenes = draw(kind, "val", 3, (48, 64)), Scenes("val", (48, 64), 3, **options)
        assert len(pictures) == 3
        for index in range(3):
            image, labels = scenes[index]
            assert torch.equal(pictures[index][0], image)
            assert torch.equal(pictures[index][1], labels)
            assert np.array_equal(pictures.thin[index], scenes.scene(index).thin)


def test_variants_start_from_the_same_backbone_and_see_the_same_pictures():
    recipe = Recipe("pspnet_tiny", **SHORT)
    one, other = build(recipe, 3), build(replace(recipe, options=(("output_stride", 16),)), 3)
    for key, value in one.backbone.state_dict().items():
        assert torch.equal(value, other.backbone.state_dict()[key]), key
    third = build(recipe, 4)
    assert not torch.equal(one.backbone.stem[0].weight, third.backbone.stem[0].weight)
    (_, first), (_, again) = train(recipe, 3), train(recipe, 3)
    assert first.losses == again.losses


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_recipe_trains_in_its_precision_without_timing_it(precision, monkeypatch):
    monkeypatch.setattr("segtutor.training.precision.seconds_per_step", lambda attempt: pytest.fail("timed"))
    _, result = train(Recipe("pspnet_tiny", **SHORT).in_precision(precision), 0)
    assert result.precision == precision
    refined = Refined(Recipe("pspnet_tiny", **SHORT), 1).in_precision(precision)
    assert refined.recipe.precision == precision
    assert Refined(None).in_precision(precision) == Refined(None)


def test_frozen_backbone_keeps_weights_and_statistics():
    recipe = Recipe("fcn8s_tiny", frozen=True, **SHORT)
    before = {key: value.clone() for key, value in build(recipe, 0).backbone.state_dict().items()}
    model, result = train(recipe, 0)
    assert result.steps == 2
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert any(module.training for module in model.classifier.modules())
    fresh = build(recipe, 0)
    assert not torch.equal(model.classifier[0].weight, fresh.classifier[0].weight)


def test_pretrained_start_is_the_shipped_backbone_whatever_the_seed():
    first, second = (build(Recipe("pspnet_tiny", start="backbone"), seed) for seed in (0, 1))
    for key, value in first.backbone.state_dict().items():
        assert torch.equal(value, second.backbone.state_dict()[key]), key
    assert not torch.equal(first.classifier[1].weight, second.classifier[1].weight)
    with pytest.raises(ValueError, match="start must be 'random' or 'backbone', but it is 'imagenet'"):
        build(Recipe("pspnet_tiny", start="imagenet"), 0)


OWN_ENCODERS = {"eomt_tiny", "segformer_tiny", "unet_tiny", "vit_tiny"}


@pytest.mark.parametrize("name", [n for n in models.available() if n.endswith("_tiny") and n not in OWN_ENCODERS])
def test_backbone_fits_every_small_network_that_has_it(name):
    classes = 1 if name.startswith("sam") else 5  # SAM knows none
    model = models.create(name, num_classes=classes)
    report = models.load_weights(model, "backbone")
    part = "backbone.body." if name.startswith("maskrcnn") else "backbone."  # beside the body lies the detector's FPN
    assert all(key.startswith(part) for key in report.loaded)
    assert not any(key.startswith(part) for key in report.untouched)
    assert models.create(name, num_classes=classes, weights="backbone").config.num_classes == classes


@pytest.mark.parametrize("name", sorted(OWN_ENCODERS))
def test_backbone_is_refused_by_those_that_do_not(name):
    with pytest.raises(ValueError, match=f"is a residual network, which {name} does not have; start random"):
        models.create(name, weights="backbone")


def test_backbone_is_refused_by_other_networks():
    with pytest.raises(ValueError, match="networks whose name ends in _tiny, not for pspnet_resnet50"):
        models.create("pspnet_resnet50", weights="backbone")


def test_levels_that_are_not_pooled_have_as_many_parameters_and_see_nothing_from_afar():
    def network(**change):
        return build(Recipe("pspnet_tiny", change=Pyramid(near_sighted=True, **change)), 0)

    pooled, flat = network(), network(pooled=False)
    assert sum(p.numel() for p in pooled.parameters()) == sum(p.numel() for p in flat.parameters())

    def reach(model):
        images = torch.ones(1, 3, 161, 161, dtype=torch.double, requires_grad=True)
        scores = make_linear(model)(images)["out"]
        scores[0, :, 80, 80].sum().backward()
        rows = (images.grad.abs().sum((0, 1, 3)) > 0).nonzero()
        return int(rows[-1] - rows[0] + 1)

    assert reach(pooled) == 161
    assert reach(flat) == 71 + 2 * 8  # the backbone's field, and the head's 3 x 3 at stride 8


def test_unreduced_levels_keep_all_channels():
    model = build(Recipe("pspnet_tiny", change=Pyramid(reduced=False)), 0)
    assert model.classifier[0](torch.zeros(2, 128, 9, 9)).shape == (2, 128 * 5, 9, 9)
    plain = build(Recipe("pspnet_tiny"), 0)
    difference = 4 * (128 * 128 - 128 * 32) + 4 * 2 * (128 - 32) + 9 * 128 * (128 * 5 - 256)
    count = [sum(p.numel() for p in one.parameters()) for one in (model, plain)]
    assert count[0] - count[1] == difference


def test_a_changed_network_starts_from_the_shipped_backbone_too():
    changed = build(Recipe("pspnet_tiny", change=Pyramid(near_sighted=True), start="backbone"), 0)
    whole = build(Recipe("pspnet_tiny", start="backbone"), 0)
    assert torch.equal(changed.backbone.stem[0].weight, whole.backbone.stem[0].weight)


def test_short_version_is_short():
    short = Recipe("pspnet_tiny", steps=400, curve_every=80).shortened()
    assert (short.steps, short.train_count, short.val_count, short.curve_every, short.start) == (
        120,
        200,
        40,
        30,
        "backbone",
    )
    values = Recipe("pspnet_tiny", curve_every=1, **SHORT)(0, False)
    assert [step for step, _ in values["curve"]] == [1, 2]
    assert values["early_mean_iou"] == pytest.approx(values["curve"][1][1], abs=1e-4)
    assert values["parameters"] > 1e5


@pytest.mark.parametrize("name", TRAINED)
def test_the_short_version_still_compares_what_the_claim_compares(name):
    """No two rows fall together."""
    claim = find(name)
    short = {variant: recipe.shortened() for variant, recipe in claim.variants.items()}
    assert len({*short.values()}) == len(claim.variants)


def test_class_weights_follow_the_recipe():
    pictures = draw(EVERYTHING, "train", 8, (96, 128))
    rules = {"root": balanced_class_weights, "median frequency": median_frequency_weights}
    for rule, weights in rules.items():
        assert class_weights_of(rule, EVERYTHING, 8) == weights(pictures)
    assert class_weights_of("none", EVERYTHING, 8) is None
    with pytest.raises(ValueError, match="one of root, median frequency, none, but it is 'median'"):
        train(Recipe("fcn8s_tiny", class_weights="median", **SHORT), 0)
    alike, weighted = (train(Recipe("fcn8s_tiny", class_weights=rule, **SHORT), 0)[1] for rule in ("none", "root"))
    assert alike.losses != weighted.losses
