"""Matching and losses by hand, against the transformers library's functions, and the mistakes that others made."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from segtutor import models
from segtutor.datasets import Scenes
from segtutor.models.mask_classification import matching
from segtutor.models.mask_classification.losses import mask_classification_loss, mask_terms, uncertain_points
from segtutor.models.mask_classification.matching import LossSettings, Objects, at_points, costs, match, objects_of
from segtutor.training import TrainingConfig, fit
from tests.models.networks import share_right, two_pictures

FEW = LossSettings(points=64)


def scene(seed=0, queries=5, objects=3, classes=4, size=(12, 16), void=False):
    """Random logits and objects of one picture."""
    generator = torch.Generator().manual_seed(seed)
    masks = torch.rand(objects, *size, generator=generator) > 0.6
    nowhere = torch.zeros(size, dtype=torch.bool)
    nowhere[:, :5] = void
    found = Objects(torch.randint(0, classes, (objects,), generator=generator), masks, nowhere if void else None)
    return (
        torch.randn(queries, classes + 1, generator=generator),
        3 * torch.randn(queries, *size, generator=generator),
        found,
    )


def test_points_are_x_then_y_between_pixel_centers():
    values = torch.arange(6.0).reshape(1, 2, 3)
    points = torch.tensor([[[1 / 6, 0.25], [5 / 6, 0.25], [0.5, 0.75], [1 / 3, 0.25]]])
    torch.testing.assert_close(at_points(values, points), torch.tensor([[0, 2, 4, 0.5]]))


def test_the_assignment_is_the_best_of_all():
    """Against brute force: every way to give three objects to five queries."""
    for seed in range(5):
        classes, masks, objects = scene(seed)
        torch.manual_seed(seed)
        table = costs(classes, masks, objects, FEW)
        torch.manual_seed(seed)
        queries, found = match(classes, masks, objects, FEW)
        best = min(
            sum(table[query, number] for number, query in enumerate(chosen))
            for chosen in itertools.permutations(range(5), 3)
        )
        assert table[queries, found].sum() == pytest.approx(float(best))
        assert len(set(queries.tolist())) == 3


def test_costs_by_hand():
    """Two queries, one object over the whole picture, masks of one value: all points are alike."""
    masks = torch.stack([torch.full((2, 2), 2.0), torch.full((2, 2), -2.0)])
    classes = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    objects = Objects(torch.tensor([0]), torch.ones(1, 2, 2, dtype=torch.bool))
    # Points near the border reach beyond it, where there is 0; those in the middle do not.
    settings = LossSettings(points=1)
    middle = torch.tensor([[[0.5, 0.5]]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching.torch, "rand", lambda *size, **_: middle)
        table = costs(classes, masks, objects, settings)
    for row, logit in zip(table, (2.0, -2.0), strict=True):
        probability = torch.tensor(logit).sigmoid()
        dice = 1 - (2 * probability + 1) / (probability + 1 + 1)
        assert float(row) == pytest.approx(float(5 * -probability.log() + 5 * dice - 2 * 0.5), abs=1e-5)


def test_costs_agree_with_the_transformers_library():
    hub = pytest.importorskip("transformers.models.mask2former.modeling_mask2former")
    classes, masks, objects = scene(3)
    torch.manual_seed(0)
    ours = costs(classes, masks, objects, FEW)
    torch.manual_seed(0)
    points = torch.rand(1, 64, 2)
    logits, wanted = at_points(masks, points), at_points(objects.masks, points)
    theirs = 5 * hub.pair_wise_sigmoid_cross_entropy_loss(logits, wanted)
    theirs += 5 * hub.pair_wise_dice_loss(logits, wanted)
    theirs -= 2 * classes.softmax(-1)[:, objects.labels]
    torch.testing.assert_close(ours, theirs)


def test_terms_agree_with_the_transformers_library():
    hub = pytest.importorskip("transformers.models.mask2former.modeling_mask2former")
    _, masks, objects = scene(4, queries=3)
    torch.manual_seed(0)
    points = uncertain_points(masks, objects, FEW.points, FEW)
    torch.manual_seed(0)
    entropy, dice = mask_terms(masks, objects, FEW)
    logits, wanted = at_points(masks, points), at_points(objects.masks, points)
    torch.testing.assert_close(entropy, hub.sigmoid_cross_entropy_loss(logits, wanted, 1))
    torch.testing.assert_close(dice, hub.dice_loss(logits, wanted, 1))


def test_most_points_are_where_the_mask_is_undecided():
    masks = torch.linspace(-8, 8, 40).expand(1, 10, 40)
    objects = Objects(torch.tensor([0]), torch.ones(1, 10, 40, dtype=torch.bool))
    torch.manual_seed(0)
    points = uncertain_points(masks, objects, 400, LossSettings())
    distance = (points[0, :, 0] - 0.5).abs()
    assert points.shape == (1, 400, 2)
    assert distance[:300].max() < 0.25  # 300 of 1,200 drawn: the quarter nearest to logit 0, an eighth on either side
    assert distance[300:].max() > 0.4


def output_of(scenes, layers=1):
    classes, masks = (torch.stack([one[part] for one in scenes]) for part in (0, 1))
    return {"classes": classes, "masks": masks, "layers": [(classes, masks)] * layers}


def total(output, objects, settings=FEW, seed=0):
    torch.manual_seed(seed)
    return mask_classification_loss(output, objects, settings)


def test_what_stands_under_void_changes_nothing():
    classes, masks, objects = scene(1, void=True)
    changed = masks.clone()
    changed[:, :, :4] = 50 * torch.randn(5, 12, 4)  # of five columns of void: the fifth has a part in known points
    ours = [total({"classes": classes[None], "masks": one[None], "layers": []}, [objects]) for one in (masks, changed)]
    assert {name: float(value) for name, value in ours[0].items()} == pytest.approx(
        {name: float(value) for name, value in ours[1].items()}, rel=1e-5
    )
    seen = Objects(objects.labels, objects.masks)
    one, other = (total({"classes": classes[None], "masks": m[None], "layers": []}, [seen]) for m in (masks, changed))
    assert float(one["mask"]) != pytest.approx(float(other["mask"]), rel=0.1)


def test_a_mask_counts_the_same_whatever_else_is_in_the_batch():
    """Divided by the objects of the whole batch: one picture of one object beside one of three weighs a quarter."""
    one, three = scene(0, objects=1), scene(1, objects=3)
    both = total(output_of([one, three], 0), [one[2], three[2]], LossSettings(points=4096))
    alone = [total(output_of([s], 0), [s[2]], LossSettings(points=4096), seed) for seed, s in enumerate((one, three))]
    expected = (1 * float(alone[0]["mask"]) + 3 * float(alone[1]["mask"])) / 4
    assert float(both["mask"]) == pytest.approx(expected, rel=0.05)  # other random points


def test_the_class_loss_is_a_weighted_mean():
    classes, masks, objects = scene(2)
    got = total({"classes": classes[None], "masks": masks[None], "layers": []}, [objects])["classes"]
    torch.manual_seed(0)
    queries, found = match(classes, masks, objects, FEW)
    wanted = torch.full((5,), 4)
    wanted[queries] = objects.labels[found]
    weights = torch.tensor([1, 1, 1, 1, 0.1])
    each = F.cross_entropy(classes, wanted, reduction="none")
    expected = 2 * (each * weights[wanted]).sum() / weights[wanted].sum()
    assert float(got) == pytest.approx(float(expected))
    assert float(2 * F.cross_entropy(classes, wanted, 2 * weights)) == pytest.approx(float(expected))


def test_every_layer_adds_its_terms():
    scenes = [scene(0), scene(1)]
    objects = [one[2] for one in scenes]
    one, three = (total(output_of(scenes, layers), objects, LossSettings(points=4096)) for layers in (0, 2))
    for name in ("classes", "mask", "dice"):
        assert float(three[name]) == pytest.approx(3 * float(one[name]), rel=0.05)


def test_a_picture_without_objects_has_a_class_loss_alone():
    classes, masks, _ = scene(0)
    nothing = Objects(torch.zeros(0, dtype=torch.int64), torch.zeros(0, 12, 16, dtype=torch.bool))
    loss = total({"classes": classes[None], "masks": masks[None].requires_grad_(), "layers": []}, [nothing])
    assert loss["mask"].item() == loss["dice"].item() == 0
    assert float(loss["classes"]) > 0
    loss["mask"].backward()  # nothing to learn, but a graph: other processes may wait for its gradients


def test_a_label_map_is_one_object_per_class():
    labels = torch.tensor([[2, 2, 255], [0, 2, 255]])
    objects = objects_of(labels)
    assert objects.labels.tolist() == [0, 2]
    assert objects.masks[1].tolist() == [[True, True, False], [False, True, False]]
    assert objects.void.sum() == 2
    assert len(objects_of(torch.full((2, 2), 255)).masks) == 0


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="masks of 0 and 255 would make the loss negative"):
        Objects(torch.tensor([0]), torch.full((1, 4, 4), 255))
    with pytest.raises(ValueError, match=r"there are 1 masks, but labels \(2,\) came"):
        Objects(torch.tensor([0, 1]), torch.zeros(1, 4, 4, dtype=torch.bool))
    classes, masks, objects = scene(0)
    with pytest.raises(ValueError, match="the network has diverged"):
        match(classes * torch.nan, masks, objects, FEW)
    with pytest.raises(ValueError, match="the batch has 1 pictures, but objects of 2 came"):
        total({"classes": classes[None], "masks": masks[None], "layers": []}, [objects, objects])


@pytest.mark.parametrize("name", ["mask2former_tiny", "maskformer_tiny", "eomt_tiny"])
def test_fit_trains_each_of_them_on_any_label_maps(name):
    """The course's own loop, with accumulation; the loss is the paper's, and falls."""
    torch.manual_seed(0)
    data = Scenes("train", size=(48, 64), count=8)
    start = {} if name == "eomt_tiny" else {"weights": "backbone"}
    network = models.create(name, num_classes=len(data.labels), queries=12, **start)
    config = TrainingConfig(steps=24, batch_size=4, accumulate=2, learning_rate=1e-3, optimizer="adamw")
    result = fit(network, data, data, config)
    assert sum(result.losses[-6:]) < 0.9 * sum(result.losses[:6])
    assert 0 <= result.validations[-1].mean_iou <= 1


def test_fit_refuses_labels_that_the_network_does_not_know():
    data, few = Scenes("train", size=(48, 64), count=8), models.create("mask2former_tiny", num_classes=3)
    with pytest.raises(ValueError, match=r"labels must be 0 to 2 or 255, but there are some from \d+ to \d+"):
        fit(few, data, None, TrainingConfig(steps=1, batch_size=2))


def test_a_few_steps_learn_a_picture():
    torch.manual_seed(0)
    network = models.create("mask2former_tiny", num_classes=3, queries=6)
    images, labels = two_pictures()
    objects = [objects_of(one) for one in labels]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for step in range(60):
        loss = sum(mask_classification_loss(network(images), objects, LossSettings(points=256)).values())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            silent = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.abs().sum()]
            # Fresh layers choose the same places for every token; only then can the codes begin to matter.
            assert silent == ["pixel_decoder.level_codes"]
        optimizer.step()
    assert share_right(network, images, labels) > 0.95
