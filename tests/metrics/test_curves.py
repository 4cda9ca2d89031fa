"""Precision-recall and AP: a published list of detections in every definition, float traps, ties, and refusals."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import (
    average_precision,
    match_detections,
    mean_average_precision,
    precision_envelope,
    precision_recall_curve,
)

# 24 detections, 7 hits, 15 objects: the worked example of Padilla et al., "A survey on performance metrics for
# object-detection algorithms", 2020.
SCORES = [0.95, 0.95, 0.91, 0.88, 0.84, 0.80, 0.78, 0.74, 0.71, 0.70, 0.67, 0.62]
SCORES += [0.54, 0.48, 0.45, 0.45, 0.44, 0.44, 0.43, 0.38, 0.35, 0.23, 0.18, 0.14]
HITS = [rank in (0, 2, 9, 11, 12, 13, 22) for rank in range(24)]
OBJECTS = 15


def ap(method, scores=SCORES, hits=HITS, objects=OBJECTS, ties="order", exact=False):
    curve = precision_recall_curve(scores, hits, objects, ties)
    return average_precision(curve.precision, curve.recall, method, objects if exact else None)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("area", 0.245687),
        ("11point", 0.268398),
        ("101point", 0.248160),
        ("5point", 0.285714),
        ("1001point", 0.245936),
        ("step", 0.227836),
        ("trapezoid", 0.213439),
    ],
)
def test_every_definition_on_one_list(method, value, exact):
    assert ap(method, exact=exact) == pytest.approx(value, abs=5e-7)


def test_curve_by_hand():
    precision, recall, thresholds = precision_recall_curve([0.7, 0.9, 0.8, 0.1], [1, 1, 0, 0], num_positives=4)
    assert precision.tolist() == [1, 1 / 2, 2 / 3, 2 / 4]
    assert recall.tolist() == [0.25, 0.25, 0.5, 0.5]
    assert thresholds.tolist() == [0.9, 0.8, 0.7, 0.1]
    assert precision_envelope(precision).tolist() == [1, 2 / 3, 2 / 3, 1 / 2]
    assert average_precision(precision, recall, "area") == pytest.approx(0.25 + 0.25 * 2 / 3)
    assert average_precision(precision, recall, "5point") == pytest.approx((1 + 1 + 2 / 3) / 5)


def test_recall_levels_in_float64_as_the_evaluators_and_exactly_on_demand():
    # 3 of 10 objects reach level 3 of 11 (0.3) exactly, but float64 makes that level 0.30000000000000004.
    scores, hits = np.linspace(1, 0.1, 10), [True] * 3 + [False] * 7
    assert ap("11point", scores, hits, 10) == pytest.approx(3 / 11)
    assert ap("11point", scores, hits, 10, exact=True) == pytest.approx(4 / 11)


@pytest.mark.parametrize(("levels", "hit", "missed"), [(101, 5200, 290), (11, 2700, 400)])
def test_levels_that_float64_misses_are_counted_right_exactly(levels, hit, missed):
    """Of all levels hit exactly with 1 to 1000 objects, float64 misses some; whole numbers miss none."""
    exact_hits = lost = 0
    grid = np.linspace(0, 1, levels)
    for objects in range(1, 1001):
        found = np.arange(1, objects + 1)
        level, rest = np.divmod(found * (levels - 1), objects)
        found, level = found[rest == 0], level[rest == 0]
        exact_hits += len(found)
        late = found / objects < grid[level]
        lost += int(late.sum())
        for number in found[late][:1]:
            hits = np.arange(objects) < number
            share = Fraction(int(number) * (levels - 1), objects) + 1
            value = ap(f"{levels}point", np.arange(objects)[::-1], hits, objects, exact=True)
            assert value == pytest.approx(float(share) / levels)
            assert ap(f"{levels}point", np.arange(objects)[::-1], hits, objects) < value - 0.5 / levels
    assert (exact_hits, lost) == (hit, missed)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 40), extra=st.integers(0, 20), levels=st.integers(2, 120))
def test_brute_force(seed, count, extra, levels):
    random = np.random.default_rng(seed)
    scores, hits = random.integers(0, 20, count) / 20, random.random(count) < 0.5
    objects = int(hits.sum()) + extra
    if not objects:
        assert np.isnan(ap("area", scores, hits, 0))
        return
    order = sorted(range(count), key=lambda i: -scores[i])
    points, found = [], 0
    for rank, index in enumerate(order, start=1):
        found += int(hits[index])
        points.append((Fraction(found, objects), Fraction(found, rank)))
    best = [max([p for r, p in points if r >= Fraction(k, levels - 1)], default=0) for k in range(levels)]
    assert ap(f"{levels}point", scores, hits, objects, exact=True) == pytest.approx(
        float(sum(best) / levels), abs=1e-12
    )
    area, reached = Fraction(0), Fraction(0)
    for recall, _ in points:
        area += (recall - reached) * max(p for r, p in points if r >= recall)
        reached = recall
    assert ap("area", scores, hits, objects) == pytest.approx(float(area), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_ties_together_and_step_agree_with_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    scores, hits = random.integers(0, 8, 60) / 8, random.random(60) < 0.4
    expected = metrics.average_precision_score(hits, scores)
    assert ap("step", scores, hits, int(hits.sum()), ties="together") == pytest.approx(expected, abs=1e-12)
    precision, recall, thresholds = metrics.precision_recall_curve(hits, scores)
    ours = precision_recall_curve(scores, hits, int(hits.sum()), ties="together")
    np.testing.assert_allclose(ours.precision, precision[:-1][::-1])
    np.testing.assert_allclose(ours.recall, recall[:-1][::-1])
    np.testing.assert_allclose(ours.thresholds, thresholds[::-1])


def test_one_hundred_and_one_points_agree_with_pycocotools():
    """COCO's own curve code on detections that hit or miss perfectly, with an awkward number of objects."""
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    random = np.random.default_rng(3)
    objects, hits = 70, random.random(60) < 0.6
    scores = random.permutation(60) / 60 + 0.01
    truth, found, next_object = [], [], 1
    for index, is_hit in enumerate(hits):
        box = [0, 0, 50, 50] if is_hit else [200, 200, 50, 50]
        image = next_object if is_hit else 71
        next_object += is_hit
        found.append({"image_id": int(image), "category_id": 1, "bbox": box, "score": float(scores[index])})
    for image in range(1, objects + 1):
        truth.append({"id": image, "image_id": image, "category_id": 1, "bbox": [0, 0, 50, 50], "area": 2500,
                      "iscrowd": 0})  # fmt: skip
    coco = COCO()
    coco.dataset = {"images": [{"id": i, "height": 300, "width": 300} for i in range(1, 72)], "annotations": truth,
                    "categories": [{"id": 1}]}  # fmt: skip
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert ap("101point", scores, hits, objects) == pytest.approx(evaluation.stats[1], abs=1e-15)


def test_constant_scores():
    hits = [True, False, False, True]
    assert ap("step", [0.5] * 4, hits, 2, ties="together") == 0.5  # the share of positives, whatever the order
    assert ap("step", [0.5] * 4, hits[::-1], 2, ties="together") == 0.5
    assert ap("area", [0.5] * 4, hits, 2) == 0.75  # in the order of the file
    assert len(precision_recall_curve([0.5] * 4, hits, 2, ties="together").recall) == 1


def test_no_positives_all_positives_no_detections():
    assert np.isnan(ap("area", [0.9, 0.8], [0, 0], 0))
    assert np.isnan(ap("101point", [], [], 0, exact=True))
    for method in ("area", "step", "trapezoid", "5point", "11point", "101point"):
        assert ap(method, [0.9, 0.8], [1, 1], 2) == pytest.approx(1)
        assert ap(method, [], [], 3) == 0
        assert ap(method, [0.9, 0.8], [0, 0], 2) == 0


def test_precision_one_up_to_a_recall_scores_the_share_of_levels():
    assert ap("101point", [0.9, 0.8], [1, 1], 3) == pytest.approx(67 / 101)


def test_tensors_are_taken_and_inputs_stay():
    scores, hits = np.array(SCORES, dtype=np.float32)[::-1], np.array(HITS)[::-1]
    before = scores.copy(), hits.copy()
    expected = precision_recall_curve(scores, hits, 15)
    got = precision_recall_curve(torch.tensor(scores.copy()), torch.tensor(hits.copy()), 15)
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_array_equal(a, b)
    assert average_precision(torch.tensor(got.precision), torch.tensor(got.recall)) == average_precision(*expected[:2])
    np.testing.assert_array_equal((scores, hits), before)


def test_mean_average_precision():
    scores = {"cat": [0.9, 0.8], "dog": [0.7]}
    hits = {"cat": [1, 0], "dog": [0]}
    objects = {"cat": 2, "dog": 1, "cow": 3, "sheep": 0}
    result = mean_average_precision(scores, hits, objects)
    assert result.per_class["cat"] == 0.5
    assert result.per_class["dog"] == result.per_class["cow"] == 0
    assert np.isnan(result.per_class["sheep"])
    assert result.mean == pytest.approx(0.5 / 3)
    assert np.isnan(mean_average_precision({}, {}, {"cat": 0}).mean)
    assert mean_average_precision({7: [0.5]}, {7: [True]}, {7: 1}, method="101point").mean == 1
    with pytest.raises(ValueError, match=r"class 'horse' has detections but is not in num_positives"):
        mean_average_precision({"horse": [0.5]}, {"horse": [1]}, objects)


def test_matching_rules():
    overlaps = [[0.6, 0.6, 0.0], [0.9, 0.2, 0.5], [0.9, 0.6, 0.0]]
    # COCO: the last of equal objects, and the best one that is free. VOC: the best, taken or not.
    assert match_detections([0.9, 0.8, 0.7], overlaps, 0.5, "coco").tolist() == [True, True, False]
    assert match_detections([0.9, 0.8, 0.7], overlaps, 0.5, "voc").tolist() == [True, False, False]
    assert match_detections([0.7, 0.8, 0.9], overlaps, 0.5, "coco").tolist() == [True, True, True]
    assert match_detections([0.9, 0.8], [[0.5], [0.5]], 0.5).tolist() == [True, False]
    assert match_detections([0.9], [[0.49]], 0.5).tolist() == [False]
    assert match_detections([0.9, 0.8], np.zeros((2, 0))).tolist() == [False, False]
    assert match_detections([], np.zeros((0, 2))).tolist() == []
    with pytest.raises(ValueError, match=r"one row per detection \(2\).*\(1, 1\)"):
        match_detections([0.9, 0.8], [[0.5]])
    with pytest.raises(ValueError, match='"coco" or "voc"'):
        match_detections([0.9], [[0.5]], rule="kitti")


def test_refusals():
    with pytest.raises(ValueError, match="2 of them are NaN, the first at position 1"):
        precision_recall_curve([0.9, np.nan, np.nan], [1, 0, 0], 1)
    with pytest.raises(ValueError, match=r"one match per score.*\(1,\) and \(2,\)"):
        precision_recall_curve([0.9, 0.8], [1], 1)
    with pytest.raises(ValueError, match="2 detections hit an object, but there are only 1 objects"):
        precision_recall_curve([0.9, 0.8], [1, 1], 1)
    with pytest.raises(ValueError, match="is_match must be a mask of 0 and 1"):
        precision_recall_curve([0.9, 0.8], [0.5, 1.0], 1)
    with pytest.raises(ValueError, match="dtype is <U1"):
        precision_recall_curve(["a"], [1], 1)
    with pytest.raises(ValueError, match="one list, but have shape"):
        precision_recall_curve([[0.9]], [[1]], 1)
    with pytest.raises(ValueError, match='"order" or "together"'):
        precision_recall_curve([0.9], [1], 1, ties="random")
    for method in ("12points", "1point", "voc", ""):
        with pytest.raises(ValueError, match="method must be"):
            average_precision([1.0], [1.0], method)
    with pytest.raises(ValueError, match=r"one length.*\(2,\) and \(1,\)"):
        average_precision([1.0, 0.5], [1.0])
    for recall in ([0.5, 0.4], [-0.1, 0.4], [0.5, 1.5]):
        with pytest.raises(ValueError, match="recall must rise"):
            average_precision([1.0, 1.0], recall)
