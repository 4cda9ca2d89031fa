"""Lesson 5's references against the package and torchvision, the classic errors by their numbers, the project."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import ops

from segtutor import models
from segtutor.claims.detection import SCENE, SIZE
from segtutor.exercises.lesson05 import EXERCISES, candidates
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.cell_anchors import cell_anchors
from segtutor.exercises.lesson05.decoding import decode_boxes
from segtutor.exercises.lesson05.encoding import encode_boxes
from segtutor.exercises.lesson05.grid_anchors import grid_anchors
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.lesson05.levels import assign_levels
from segtutor.exercises.lesson05.lost import stage_of_loss
from segtutor.exercises.lesson05.mask_loss import mask_loss
from segtutor.exercises.lesson05.matching import match_anchors
from segtutor.exercises.lesson05.panoptic import panoptic_map
from segtutor.exercises.lesson05.paste import paste_mask
from segtutor.exercises.lesson05.roi_align import roi_align
from segtutor.exercises.lesson05.rpn_loss import rpn_losses
from segtutor.exercises.lesson05.suppression import nms
from segtutor.inference import detect
from segtutor.metrics import evaluate_coco
from segtutor.models.mask_rcnn import Settings, anchors, box_coding, mask_head, matching, paste, roi_pooling

SEEDS = range(5)
MASTER = Path(__file__).parents[2] / "notebooks" / "source" / "assignment_05_mask_rcnn.py"


def mistake(exercise_id, name):
    (exercise,) = [one for one in EXERCISES if one.id == exercise_id]
    (found,) = [one for one in exercise.mistakes if one.name == name]
    return found.answer


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


@pytest.mark.parametrize(("sizes", "ratios"), [((32,), (0.5, 1.0, 2.0)), ((12, 24, 48, 96), (0.5, 1.0, 2.0, 3.0))])
def test_anchors_are_the_packages(sizes, ratios):
    cell = cell_anchors(sizes, ratios)
    np.testing.assert_allclose(cell, anchors.cell_anchors(sizes, ratios), rtol=1e-6)
    for stride in (4, 32):
        of_package = anchors.grid_anchors(torch.from_numpy(cell), (5, 7), (stride, stride))
        np.testing.assert_allclose(grid_anchors(cell, (5, 7), stride), of_package, rtol=1e-12)


def test_anchors_have_the_area_and_the_ratio_that_were_asked_for():
    sides = cell_anchors((16, 48), (0.3, 1.7))[:, 2:] * 2
    np.testing.assert_allclose(sides.prod(axis=1), [16**2, 48**2] * 2)
    np.testing.assert_allclose(sides[:, 1] / sides[:, 0], [0.3, 0.3, 1.7, 1.7])


@pytest.mark.parametrize("seed", SEEDS)
def test_iou_is_torchvisions(seed):
    first, second = random_boxes(seed, 9), random_boxes(100 + seed, 12)
    np.testing.assert_allclose(box_iou(first, second), ops.box_iou(*tensors(first, second)), rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(box_iou(first, first)), 1)


def test_iou_of_boxes_without_area_is_zero_without_a_warning():
    flat = np.array([[3.0, 3, 3, 3], [1, 1, 5, 1]])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(box_iou(flat, flat), 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [1, 6])  # 1: many equal IoUs, also equal to the thresholds
def test_matching_is_the_packages(seed, decimals):
    every_anchor = grid_anchors(cell_anchors((12, 24), (0.5, 1, 2)), (8, 10), 8)
    objects = np.concatenate([random_boxes(seed, 7), [[500.0, 500, 520, 530]]])  # the last one is touched by none
    iou = box_iou(objects, every_anchor).round(decimals)
    ours = match_anchors(iou, 0.7, 0.3)
    np.testing.assert_array_equal(ours, matching.match(torch.from_numpy(iou), 0.7, 0.3, force_best=True))
    assert set(ours) >= {-2, -1, 0}
    assert 7 not in ours


def test_matching_without_objects_is_the_packages():
    none = np.zeros((0, 5))
    wanted = matching.match(torch.from_numpy(none), 0.7, 0.3, force_best=True)
    np.testing.assert_array_equal(match_anchors(none, 0.7, 0.3), wanted)


@pytest.mark.parametrize("weights", [box_coding.RPN_WEIGHTS, box_coding.BOX_HEAD_WEIGHTS])
@pytest.mark.parametrize("seed", SEEDS)
def test_box_coding_is_the_packages_and_its_own_inverse(seed, weights):
    boxes, references = random_boxes(seed, 20), random_boxes(50 + seed, 20)
    offsets = encode_boxes(boxes, references, weights)
    np.testing.assert_allclose(offsets, box_coding.encode_boxes(*tensors(boxes, references), weights), atol=1e-9)
    np.testing.assert_allclose(decode_boxes(offsets, references, weights), boxes, atol=1e-9)
    wild = np.random.default_rng(seed).normal(0, 8, (20, 4)) * weights  # far beyond the limit
    of_package = box_coding.decode_boxes(*tensors(wild, references), weights)
    np.testing.assert_allclose(decode_boxes(wild, references, weights), of_package, rtol=1e-9)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", SEEDS)
def test_suppression_is_the_packages_and_torchvisions(seed, threshold):
    generator = np.random.default_rng(seed)
    boxes = random_boxes(seed, 8)[generator.integers(0, 8, 60)] + generator.normal(0, 2, (60, 4))
    scores, labels = generator.permutation(60) / 60, generator.integers(1, 4, 60)
    kept = nms(boxes, scores, labels, threshold)
    np.testing.assert_array_equal(kept, matching.suppress(*tensors(boxes, scores, labels), threshold))
    np.testing.assert_array_equal(kept, ops.batched_nms(*tensors(boxes, scores, labels), threshold))
    assert 3 <= len(kept) < 60


def test_levels_are_the_packages():
    generator = np.random.default_rng(0)
    sides = 2 ** generator.uniform(3, 11, (500, 2))
    boxes = np.concatenate([np.zeros((500, 2)), sides], axis=1)
    boxes = np.concatenate([boxes, [[0.0, 0, side, side] for side in (56, 112, 224, 448, 896)]])
    of_package = roi_pooling.assign_levels(torch.from_numpy(boxes), (4, 8, 16, 32)) + 2
    np.testing.assert_array_equal(assign_levels(boxes, (800, 1000), 800, 1333), of_package)
    assert set(assign_levels(boxes, (800, 1000), 800, 1333)) == {2, 3, 4, 5}


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("seed", SEEDS)
def test_roi_align_is_torchvisions(seed, size):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(11, 14))
    low = generator.uniform(0, (9, 7))
    box = np.concatenate([low, generator.uniform(low + 0.2, (14, 11))])
    if seed == 0:
        box = np.array([0.0, 0.0, 14.0, 11.0])  # the whole map: points beyond the outermost centers
    regions = torch.tensor([[0.0, *box]], dtype=torch.float64)
    channel = torch.from_numpy(values)[None, None]
    wanted = ops.roi_align(channel, regions, size, sampling_ratio=2, aligned=True)[0, 0]
    np.testing.assert_allclose(roi_align(values, box, size), wanted, atol=1e-12)
    (of_package,), _ = roi_pooling.pool_regions([channel], [1], [regions[:, 1:]], size, Settings())
    np.testing.assert_allclose(roi_align(values, box, size), of_package[0], atol=1e-12)


def test_roi_align_on_a_ramp_and_its_classic_error():
    ramp, box = np.arange(25.0).reshape(5, 5), np.array([1.0, 1, 3, 3])
    np.testing.assert_allclose(roi_align(ramp, box, 2), [[6, 7], [11, 12]])
    legacy = mistake("5.9", "half a position too far (legacy)")
    np.testing.assert_allclose(legacy(ramp, box, 2), [[9, 10], [14, 15]])
    of_torchvision = ops.roi_align(torch.from_numpy(ramp)[None, None], [torch.from_numpy(box)[None]], 2, 1.0, 2)
    np.testing.assert_allclose(legacy(ramp, box, 2), of_torchvision[0, 0])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", [7, 28])
def test_pasting_is_the_packages(seed, side):
    generator = np.random.default_rng(seed)
    mask = generator.random((side, side))
    corner = generator.uniform(-10, 20, 2)
    box = np.concatenate([corner, corner + generator.uniform(5, 30, 2)])
    for threshold in (0.3, 0.5):
        ours = paste_mask(mask, box, 32, 40, threshold)
        (of_package,) = paste.paste_masks(
            torch.from_numpy(mask)[None], torch.from_numpy(box)[None], (32, 40), threshold
        )
        np.testing.assert_array_equal(ours, of_package)


def test_pasted_ones_and_the_classic_error():
    ones, box = np.ones((28, 28)), np.array([10.0, 10, 20, 20])
    assert paste_mask(ones, box, 30, 30, 0.5).sum() == 100
    legacy = mistake("5.10", "a border and whole pixels (144 pixels)")
    assert legacy(ones, box, 30, 30, 0.5).sum() == 144
    given = torch.from_numpy(ones)[None], torch.from_numpy(box)[None], (30, 30)
    np.testing.assert_array_equal(legacy(ones, box, 30, 30, 0.5), paste.paste_masks(*given, legacy=True)[0])


@pytest.mark.parametrize("regions", [0, 1, 6])
def test_mask_loss_is_the_packages(regions):
    generator = np.random.default_rng(regions)
    logits = generator.normal(0, 5, (regions, 5, 7, 7))
    targets = (generator.random((regions, 7, 7)) < 0.5).astype(float)
    labels = generator.integers(1, 5, regions)
    of_package = mask_head.mask_loss(*tensors(logits, targets, labels), Settings())
    assert mask_loss(logits, targets, labels) == pytest.approx(of_package.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("beta", [1 / 9, 1.0])
def test_the_losses_of_the_proposals_are_pytorchs(beta):
    generator = np.random.default_rng(7)
    logits, offsets, targets = generator.normal(size=50), *generator.normal(size=(2, 50, 4))
    matches = generator.choice([-2, -1, 0, 2], 50)
    counted, positive = matches > -2, matches >= 0
    wanted = torch.from_numpy(positive[counted].astype(float))
    objectness, boxes = rpn_losses(logits, offsets, targets, matches, beta)
    peer = torch.nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(logits[counted]), wanted)
    assert objectness == pytest.approx(peer.item(), rel=1e-12)
    distances = tensors(offsets[positive], targets[positive])
    summed = torch.nn.functional.smooth_l1_loss(*distances, reduction="sum", beta=beta)
    assert boxes == pytest.approx(summed.item() / counted.sum(), rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_panoptic_map_keeps_every_pixel_in_one_segment(seed):
    generator = np.random.default_rng(seed)
    masks, labels, scores = generator.random((6, 8, 9)) < 0.4, generator.integers(5, 8, 6), generator.random(6)
    semantic = generator.integers(0, 8, (8, 9))
    classes, segments = panoptic_map(masks, labels, scores, semantic, range(5), 0.3, 0.2)
    assert sorted(set(segments.ravel()) - {0}) == list(range(1, segments.max() + 1))
    for number in range(1, segments.max() + 1):
        own = segments == number
        assert len(set(classes[own])) == 1
        assert any((own <= mask).all() for mask in masks)
    stuff = (segments == 0) & (semantic < 5)
    np.testing.assert_array_equal(classes[stuff], semantic[stuff])
    assert set(classes[(segments == 0) & (semantic >= 5)]) <= {255}


@pytest.fixture(scope="module")
def pictures():
    return candidates.candidate_pictures(count=60)


def test_candidates_are_those_of_the_network_before_suppression(pictures):
    picture = pictures[0]
    model = models.create("maskrcnn_tiny", weights="course")
    found = detect(model, torch.from_numpy(picture.image))
    kept = nms(picture.boxes, picture.scores, picture.labels, 0.5)[: len(found["scores"])]
    np.testing.assert_allclose(picture.boxes[kept], found["boxes"].numpy(), rtol=1e-5)
    np.testing.assert_array_equal(picture.labels[kept], found["labels"].numpy())
    assert len(picture.boxes) > len(kept)


def test_candidates_are_well_formed(pictures):
    for picture in pictures[:6]:
        count = len(picture.boxes)
        assert picture.masks.shape == (count, 28, 28)
        assert picture.labels.shape == picture.scores.shape == (count,)
        assert (np.diff(picture.scores) <= 0).all()
        assert picture.scores.min() >= 0.05
        assert (picture.boxes >= 0).all()
        assert (picture.boxes <= [240, 192, 240, 192]).all()
        assert (picture.boxes[:, 2:] > picture.boxes[:, :2]).all()


def test_the_scenes_are_those_that_the_checkpoint_was_trained_on():
    assert tuple(candidates.NEAR.items()) == SCENE
    assert candidates.SIZE == SIZE


def test_ground_truth_scored_against_itself_is_perfect(pictures):
    truth = candidates.ground_truth(pictures)
    perfect = [
        {**{key: item[key] for key in ("image_id", "category_id", "segmentation")}, "score": 1.0}
        for item in truth["annotations"]
    ]
    assert evaluate_coco(truth, perfect)["AP"] == pytest.approx(1.0)
    assert len(truth["annotations"]) == sum(len(picture.true_labels) for picture in pictures) > 0


def test_the_default_settings_beat_none_at_all(pictures):
    def score(chosen):
        found = [result for one in pictures for result in candidates.coco_results(one, chosen(one))]
        return evaluate_coco(candidates.ground_truth(pictures), found)["AP"]

    suppressed = score(lambda one: nms(one.boxes, one.scores, one.labels, 0.5))
    everything = score(lambda one: np.argsort(-one.scores))
    alarms_only = score(lambda one: np.argsort(one.scores)[:3])
    assert suppressed > everything + 0.02 > alarms_only + 0.04


def test_the_report_in_the_solution_is_true(pictures):
    """The numbers of the model answer to the project are those that its cells give."""
    parts = [pictures[start::3] for start in range(3)]

    def ap(mask_threshold):
        found = []
        for part in parts:
            of_part = []
            for one in part:
                certain = np.flatnonzero(one.scores > 0.05)
                kept = certain[nms(one.boxes[certain], one.scores[certain], one.labels[certain], 0.5)][:100]
                of_part += candidates.coco_results(one, kept, mask_threshold)
            found.append(evaluate_coco(candidates.ground_truth(part), of_part)["AP"])
        return np.array(found)

    report = re.sub(r"\s*\n# ", " ", MASTER.read_text(encoding="utf-8").split("*One possible report.*")[1])
    default, better = ap(0.5), ap(0.4)
    numbers = [f"{values.mean():.3f} ± {np.ptp(values) / 2:.3f}" for values in (better, default)]
    assert re.findall(r"0\.\d{3} ± 0\.\d{3}", report) == numbers
    assert (better > default).all()
    assert sorted(better - default)[1] < 0.001
    assert better.mean() - default.mean() < np.ptp(default) / 4
    assert (ap(0.3) < default).all()
    assert (ap(0.6) < default).all()


def test_the_stages_told_below_5_13_are_those_of_the_network(pictures):
    """The numbers of the folded answer, and an object is found just where a detection of the network is it."""
    stages = ("proposals", "classification", "threshold", "suppression", "mask", "found")
    counts = {least: dict.fromkeys(stages, 0) for least in (0.5, 0.05)}
    for one in pictures:
        made = {"proposals": one.proposals, "boxes": one.boxes, "labels": one.labels, "scores": one.scores}
        for number, (box, label) in enumerate(zip(one.true_boxes, one.true_labels, strict=True)):
            made["mask_iou"] = candidates.mask_overlaps(one, number)
            for least, of_least in counts.items():
                word = stage_of_loss({"box": box, "label": int(label)}, made, least, 0.5)
                of_least[word] += 1
                sure = np.flatnonzero(one.scores >= least)
                kept = sure[
                    matching.suppress(*tensors(one.boxes[sure], one.scores[sure], one.labels[sure]), 0.5).numpy()
                ]
                good = (one.labels[kept] == label) & (made["mask_iou"][kept] >= 0.5)
                good &= box_iou(box[None], one.boxes[kept])[0] >= 0.5
                assert word != "found" or good.any()
                assert word in ("found", "proposals") or not good.any()
    text = MASTER.read_text(encoding="utf-8").replace("\n# ", " ")
    strict, generous = counts[0.5], counts[0.05]
    assert f"Of the {sum(strict.values())} objects {strict['found']} are found with 0.5" in text
    assert f"{strict['proposals']} have no proposal, {strict['classification']} are taken for something else" in text
    assert f"{strict['threshold']} are seen and not sure enough, and of {strict['mask']} the mask covers" in text
    assert (strict["suppression"], generous["threshold"]) == (1, 0)
    gained = {stage: generous[stage] - strict[stage] for stage in stages}
    assert f"only {gained['found']} of them are found in the end: of {gained['mask']} the mask" in text
    assert gained["suppression"] == 2
