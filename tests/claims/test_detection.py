"""The detector's claims: what is shared, what is scored, and how proposals are counted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from segtutor.claims import find
from segtutor.claims.detection import ALONE, SCENE, DetectorRecipe, objects, recalls, trained
from segtutor.claims.experiments.mask_rcnn import CLAIMS
from segtutor.inference import detect

SHORT = {"steps": 1, "train_count": 6, "val_count": 2}


@pytest.mark.parametrize("claim", [one for one in CLAIMS if one.name != "maskrcnn.quantization"], ids=lambda c: c.name)
def test_every_variant_runs_and_gives_its_measures(claim):
    for variant, recipe in claim.variants.items():
        values = replace(recipe, **SHORT)(0, False)
        assert all(measure.key in values for measure in claim.measures), variant
        assert all(np.isfinite(values[measure.key]) for measure in claim.measures), variant


def test_settings_of_the_test_leave_the_trained_network_as_it_was():
    base = DetectorRecipe(**SHORT)
    model = trained(base, 0)
    before = model.settings
    replace(base, test=(("nms_iou", 1.0),))(0, False)
    assert trained(base, 0) is model
    assert model.settings == before


def test_a_detector_is_trained_in_its_precision():
    base = DetectorRecipe(**SHORT)
    full, reduced = (trained(base.in_precision(name), 0) for name in ("float32", "bfloat16"))
    weight = "rpn.head.cls_logits.weight"
    assert not torch.equal(full.state_dict()[weight], reduced.state_dict()[weight])


def test_variants_start_from_the_same_backbone():
    one, other = (
        trained(DetectorRecipe(**SHORT), 0),
        trained(DetectorRecipe((("fpn", False),), **SHORT), 0),
    )
    assert one.backbone.body.stem[0].weight.shape == other.backbone.body.stem[0].weight.shape


def test_recall_of_proposals_is_counted_object_by_object():
    model = trained(DetectorRecipe(**SHORT), 0)
    pictures = objects("val", SHORT["val_count"])
    settings = model.settings
    found = recalls(model, pictures, (5, 1000))
    assert model.settings == settings
    model.settings = replace(settings, pre_nms_test=1000, post_nms_test=1000)
    try:
        hits = total = 0
        for index in range(len(pictures)):
            image, target = pictures[index]
            proposals = model.trace([image]).proposals[0]
            best = proposals.boxes[proposals.scores.topk(5).indices]
            for box in target["boxes"]:
                total += 1
                hits += any(float(box_iou(box[None], one[None])) >= 0.5 for one in best)
    finally:
        model.settings = settings
    assert found[5] == pytest.approx(hits / total)
    assert found[5] <= found[1000] <= 1


def test_without_suppression_objects_are_reported_twice():
    model = trained(DetectorRecipe(**SHORT), 0)
    image, _ = objects("val", 2)[0]
    settings = model.settings
    try:
        counts = []
        for threshold in (0.5, 1.0):
            model.settings = replace(settings, nms_iou=threshold, score_threshold=0.0, detections_per_image=10**6)
            counts.append(len(detect(model, image)["scores"]))
    finally:
        model.settings = settings
    assert counts[0] < counts[1]


def test_pooling_on_a_ramp_has_the_right_answer():
    align, pool = (find("maskrcnn.quantization").variants[name](3, False) for name in ("RoIAlign", "RoIPool"))
    assert align["error"] == pytest.approx(0, abs=1e-4)
    assert pool["answers"] < align["answers"]


def test_a_recipe_says_what_is_drawn_in_its_pictures():
    single = DetectorRecipe(size=(64, 96), scene=ALONE, **SHORT)
    assert objects("val", 2, single.size, single.scene)[0][0].shape[-2:] == (64, 96)
    crowd, alone = (
        sum(len(objects("val", 8, (64, 96), scene)[index][1]["boxes"]) for index in range(8))
        for scene in (SCENE, ALONE)
    )
    assert alone < crowd
    values = single(0, False)
    assert np.isfinite(values["box_AP"])
