"""Trainings of the small Mask2Former that are compared: they differ in one thing, and are scored on their way."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segtutor.claims import find
from segtutor.claims.contact import touching
from segtutor.claims.experiments.mask_classification import MASKED, MATCHING, PIXELS
from segtutor.claims.mask_training import BASE, LONG, PerfectClasses, one_mask_per_class, scenes


def test_variants_differ_in_one_thing_and_share_a_run():
    assert MASKED.variants["last mask"] == MATCHING.variants["matched"] == BASE
    assert MASKED.variants["whole map"] == replace(BASE, masked=False)
    assert MATCHING.variants["fixed"] == replace(BASE, fixed=True)


def test_all_begin_with_the_same_weights_and_the_backbone_stays():
    networks = [recipe.build(3) for recipe in (*MASKED.variants.values(), MATCHING.variants["fixed"])]
    first = networks[0].state_dict()
    for network in networks[1:]:
        assert all(torch.equal(value, first[key]) for key, value in network.state_dict().items())
    assert not any(parameter.requires_grad for parameter in networks[0].backbone.parameters())
    assert [network.decoder.masked for network in networks] == [False, True, True]
    assert [network.settings.fixed for network in networks] == [False, False, True]


def test_a_run_is_scored_early_and_late():
    values = replace(BASE, lengths=(1, 2), train_count=8, val_count=2, precision="float32")(0, False)
    assert values["PQ"] == values["late_PQ"]
    assert values["early_loss"] != values["late_loss"]
    assert all(measure.key in values for claim in (MASKED, MATCHING) for measure in claim.measures)


def test_the_last_length_is_the_run_without_a_stop():
    short = replace(BASE, train_count=8, val_count=2, precision="float32")
    on, at_once = replace(short, lengths=(1, 2))(0, False), replace(short, lengths=(2,))(0, False)
    assert on["mean_iou"] == pytest.approx(at_once["mean_iou"])
    assert on["PQ"] == pytest.approx(at_once["PQ"])


def test_the_short_version_keeps_what_is_compared():
    short = find("masks.masked_attention").variants["whole map"].shortened()
    assert not short.masked
    assert short.lengths[-1] < BASE.lengths[-1]


def test_one_mask_for_each_class_by_hand():
    numbers, info = one_mask_per_class(np.array([[7, 3, 7], [0, 3, 7]]))
    assert numbers.tolist() == [[3, 2, 3], [1, 2, 3]]
    assert info == [{"id": 1, "category_id": 0}, {"id": 2, "category_id": 3}, {"id": 3, "category_id": 7}]


def test_perfect_masks_of_classes_lose_things_only():
    values = PerfectClasses(val_count=6)(0, False)
    assert values["late_PQ_stuff"] == 1
    assert 0 < values["late_PQ_things"] < 1
    assert {measure.key for measure in MATCHING.measures} <= set(values)


def test_without_a_border_things_touch_in_the_truth():
    """Void between two things parts them for good: no label map that is scored there would show what it cannot do."""
    bordered, touching = (PerfectClasses(6, border)(0, False) for border in (BASE.border, LONG.border))
    assert np.isnan(bordered["late_touching"])
    assert 0 <= touching["late_touching"] < touching["late_alone"] <= 1


def test_half_of_the_things_of_the_long_training_touch():
    """As the card says."""
    pictures = scenes("val", LONG.val_count, LONG.border)
    truths = [(one["segments"].numpy(), one["segments_info"]) for _, one in (pictures[k] for k in range(len(pictures)))]
    touches = [answer for truth in truths for answer in touching(truth).values()]
    assert 0.45 < sum(touches) / len(touches) < 0.55
    assert "half of them touch another one of their class" in PIXELS.same


def test_the_long_training_sees_each_scene_twice_as_often():
    assert LONG.lengths[0] == BASE.lengths[-1]
    assert LONG.lengths[1] / LONG.train_count == 2 * BASE.lengths[1] / BASE.train_count
