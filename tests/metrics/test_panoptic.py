"""Panoptic quality: by hand, against the authors' rules written out in plain loops, and what it refuses."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.labels import LabelSet
from segtutor.metrics import PanopticQuality, panoptic_quality

THING, STUFF = 1, 2
CATEGORIES = [{"id": THING, "isthing": 1}, {"id": STUFF, "isthing": 0}]


def segment(identity, category_id=THING, iscrowd=0):
    return {"id": identity, "category_id": category_id, "iscrowd": iscrowd}


def row(*runs):
    """A map of one row: pairs (segment id, pixels)."""
    return np.array([[identity for identity, pixels in runs for _ in range(pixels)]], dtype=np.int64)


def counts(truth, prediction, categories=CATEGORIES):
    quality = PanopticQuality(categories)
    quality.update(truth, prediction)
    return tuple(
        values.tolist() for values in (quality.true_positives, quality.false_positives, quality.false_negatives)
    )


def authors_rules(images, categories):
    """The evaluation of Kirillov et al. in plain Python: dictionaries of pixels, one rule after the other."""
    stat = {category["id"]: {"tp": 0, "fp": 0, "fn": 0, "iou": 0.0} for category in categories}
    for (truth_map, truth_info), (predicted_map, predicted_info) in images:
        shared, truth_area, predicted_area = {}, {}, {}
        for t, p in zip(truth_map.ravel().tolist(), predicted_map.ravel().tolist(), strict=True):
            shared[t, p] = shared.get((t, p), 0) + 1
            truth_area[t] = truth_area.get(t, 0) + 1
            predicted_area[p] = predicted_area.get(p, 0) + 1
        truth = {info["id"]: info for info in truth_info}
        predicted = {info["id"]: info for info in predicted_info}
        taken_truth, taken_prediction = set(), set()
        for (t, p), intersection in shared.items():
            if t == 0 or p == 0 or truth[t]["iscrowd"] or truth[t]["category_id"] != predicted[p]["category_id"]:
                continue
            union = truth_area[t] + predicted_area[p] - intersection - shared.get((0, p), 0)
            if intersection / union > 0.5:
                entry = stat[truth[t]["category_id"]]
                entry["tp"] += 1
                entry["iou"] += intersection / union
                taken_truth.add(t)
                taken_prediction.add(p)
        crowd_of = {}
        for t, info in truth.items():
            if t in taken_truth:
                continue
            if info["iscrowd"]:
                crowd_of[info["category_id"]] = t
            else:
                stat[info["category_id"]]["fn"] += 1
        for p, info in predicted.items():
            if p in taken_prediction:
                continue
            excused = shared.get((0, p), 0)
            if info["category_id"] in crowd_of:
                excused += shared.get((crowd_of[info["category_id"]], p), 0)
            if excused / predicted_area[p] <= 0.5:
                stat[info["category_id"]]["fp"] += 1
    scores = {}
    for category, entry in stat.items():
        weight = entry["tp"] + entry["fp"] / 2 + entry["fn"] / 2
        if weight:
            scores[category] = (
                entry["iou"] / weight,
                entry["iou"] / entry["tp"] if entry["tp"] else 0.0,
                entry["tp"] / weight,
            )
    return stat, scores


def random_image(random, categories, height=12, width=15):
    """Truth of overlapping rectangles, and a prediction that is a disturbed copy; ids are far apart and unsorted."""

    def labeled(canvas, base):
        numbers = [n for n in np.unique(canvas).tolist() if n]
        ids = {n: int(i) for n, i in zip(numbers, base + random.permutation(len(numbers)) * 2**25, strict=True)}
        out = np.zeros(canvas.shape, dtype=np.int64)
        for n, identity in ids.items():
            out[canvas == n] = identity
        return out, ids

    def paint(canvas, first, count):
        for n in range(first, first + count):
            y, x = random.integers(0, height - 2), random.integers(0, width - 2)
            canvas[y : y + random.integers(2, 8), x : x + random.integers(2, 9)] = n * random.integers(0, 5, 1).clip(
                0, 1
            )
        return canvas

    canvas = paint(np.zeros((height, width), dtype=np.int64), 1, 7)
    disturbed = np.roll(canvas, random.integers(-1, 2, 2), axis=(0, 1))
    disturbed = paint(disturbed, 50, int(random.integers(0, 3)))
    names = [category["id"] for category in categories]
    category_of = {n: names[random.integers(len(names))] for n in range(100)}
    truth, truth_ids = labeled(canvas, 1)
    predicted, predicted_ids = labeled(disturbed, 3)
    truth_info = [segment(i, category_of[n], int(random.random() < 0.25)) for n, i in truth_ids.items()]
    predicted_info = [
        segment(i, category_of[n] if random.random() < 0.85 else names[0]) for n, i in predicted_ids.items()
    ]
    random.shuffle(truth_info)
    random.shuffle(predicted_info)
    return (truth, truth_info), (predicted, predicted_info)


def test_hand_worked():
    truth = row((1, 7), (2, 6), (3, 7)), [segment(1), segment(2), segment(3, STUFF)]
    prediction = row((10, 6), (30, 1), (20, 4), (30, 9)), [segment(10), segment(20), segment(30, STUFF)]
    scores = panoptic_quality(truth, prediction, CATEGORIES)
    # Thing 10: 6 / 7. Thing 20: 4 / 6 > 1/2. Stuff: 7 / (7 + 10 - 7).
    assert counts(truth, prediction) == ([2, 1], [0, 0], [0, 0])
    things = (6 / 7 + 4 / 6) / 2
    assert scores.things.PQ == scores.things.SQ == pytest.approx(things)
    assert scores.things.RQ == scores.stuff.RQ == 1
    assert pytest.approx(0.7) == scores.stuff.PQ
    assert pytest.approx((things + 0.7) / 2) == scores.overall.PQ
    assert (scores.overall.classes, scores.things.classes, scores.stuff.classes) == (2, 1, 1)
    assert pytest.approx(0.7) == scores.per_class[STUFF].PQ


def test_overlap_of_exactly_a_half_is_no_match():
    truth, prediction = (row((1, 6), (0, 2)), [segment(1)]), (row((0, 2), (5, 4), (0, 2)), [segment(5)])
    assert counts(truth, prediction) == ([1, 0], [0, 0], [0, 0])
    half = row((1, 4), (2, 4)), [segment(1), segment(2, STUFF)]
    prediction = row((5, 2), (0, 6)), [segment(5)]
    assert counts(half, prediction) == ([0, 0], [1, 0], [1, 1])
    scores = panoptic_quality(half, prediction, CATEGORIES)
    assert (scores.things.PQ, scores.things.SQ, scores.things.RQ) == (0, 0, 0)


def test_void_of_the_truth_is_taken_off_the_union():
    truth = row((1, 5), (0, 5)), [segment(1)]
    prediction = row((9, 10)), [segment(9)]
    scores = panoptic_quality(truth, prediction, CATEGORIES)
    assert scores.overall.PQ == 1


def test_prediction_mostly_on_void_is_excused():
    assert counts((row((0, 3), (1, 2), (2, 5)), [segment(1, STUFF), segment(2)]),
                  (row((7, 5), (0, 5)), [segment(7)])) == ([0, 0], [0, 0], [1, 1])  # fmt: skip
    # Exactly half of it is not more than half.
    assert counts((row((0, 2), (1, 2), (2, 5)), [segment(1, STUFF), segment(2)]),
                  (row((7, 4), (0, 5)), [segment(7)])) == ([0, 0], [1, 0], [1, 1])  # fmt: skip


def test_void_in_the_prediction_excuses_nothing():
    truth = row((1, 100)), [segment(1)]
    assert counts(truth, (row((5, 40), (0, 60)), [segment(5)])) == ([0, 0], [1, 0], [1, 0])
    assert panoptic_quality(truth, (row((5, 40), (0, 60)), [segment(5)]), CATEGORIES).overall.PQ == 0
    assert counts(truth, (row((0, 100)), [])) == ([0, 0], [0, 0], [1, 0])


def test_pq_is_not_symmetric_because_of_void():
    image, other = (row((1, 6), (0, 4)), [segment(1)]), (row((1, 10)), [segment(1)])
    assert panoptic_quality(image, other, CATEGORIES).overall.PQ == 1
    assert pytest.approx(0.6) == panoptic_quality(other, image, CATEGORIES).overall.PQ


def test_crowds_are_neither_hit_nor_missed_and_excuse_their_own_class_only():
    truth = row((1, 10), (2, 10)), [segment(1, THING, iscrowd=1), segment(2, STUFF)]
    same = row((5, 4), (6, 6), (7, 10)), [segment(5), segment(6), segment(7, STUFF)]
    assert counts(truth, same) == ([0, 1], [0, 0], [0, 0])
    other = row((5, 10), (7, 10)), [segment(5, STUFF), segment(7)]
    assert counts(truth, other) == ([0, 0], [1, 1], [0, 1])


def test_crowd_and_void_excuse_together():
    truth = row((0, 3), (1, 3), (2, 4)), [segment(1, THING, iscrowd=1), segment(2, STUFF)]
    assert counts(truth, (row((5, 10)), [segment(5)])) == ([0, 0], [0, 0], [0, 1])


def test_last_listed_crowd_of_a_class_excuses():
    ids = row((1, 6), (2, 4), (3, 2))
    crowds = [segment(1, iscrowd=1), segment(2, iscrowd=1), segment(3, STUFF)]
    prediction = row((5, 6), (6, 4), (0, 2)), [segment(5), segment(6)]
    assert counts((ids, crowds), prediction) == ([0, 0], [1, 0], [0, 1])
    assert counts((ids, crowds[1::-1] + crowds[2:]), prediction) == ([0, 0], [1, 0], [0, 1])
    first = authors_rules([((ids, crowds[1::-1] + crowds[2:]), prediction)], CATEGORIES)[0]
    assert first[THING]["fp"] == 1


def test_only_things_only_stuff_and_nothing_are_nan_not_a_crash():
    thing, stuff = (row((1, 4)), [segment(1)]), (row((2, 4)), [segment(2, STUFF)])
    scores = panoptic_quality(thing, thing, CATEGORIES)
    assert scores.overall.PQ == scores.things.PQ == 1
    assert math.isnan(scores.stuff.PQ)
    assert scores.stuff.classes == 0
    assert math.isnan(scores.per_class[STUFF].RQ)
    assert math.isnan(panoptic_quality(stuff, stuff, CATEGORIES).things.SQ)
    for nothing in ((row((0, 4)), []), (np.zeros((0, 5), int), [])):
        assert math.isnan(panoptic_quality(nothing, nothing, CATEGORIES).overall.PQ)
    assert math.isnan(panoptic_quality([], [], CATEGORIES).overall.PQ)


def test_object_without_pixels_in_the_truth_is_missed():
    assert counts((row((1, 4)), [segment(1), segment(2)]), (row((1, 4)), [segment(1)])) == ([1, 0], [0, 0], [1, 0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_authors_rules_on_random_images(seed):
    random = np.random.default_rng(seed)
    categories = [{"id": i, "isthing": i % 2} for i in (17, 3, 200)]
    images = [random_image(random, categories) for _ in range(3)]
    before = copy.deepcopy(images)
    quality = PanopticQuality(categories)
    for truth, prediction in images:
        quality.update(truth, prediction)
    stat, expected = authors_rules(images, categories)
    assert quality.true_positives.tolist() == [stat[c["id"]]["tp"] for c in categories]
    assert quality.false_positives.tolist() == [stat[c["id"]]["fp"] for c in categories]
    assert quality.false_negatives.tolist() == [stat[c["id"]]["fn"] for c in categories]
    scores = quality.scores()
    for category in categories:
        got = scores.per_class[category["id"]]
        if category["id"] in expected:
            np.testing.assert_allclose((got.PQ, got.SQ, got.RQ), expected[category["id"]], rtol=0, atol=1e-12)
        else:
            assert math.isnan(got.PQ)
    for group, chosen in ((scores.things, (17, 3)), (scores.stuff, (200,)), (scores.overall, (17, 3, 200))):
        rows = [expected[i] for i in chosen if i in expected]
        assert group.classes == len(rows)
        if rows:
            np.testing.assert_allclose((group.PQ, group.SQ, group.RQ), np.mean(rows, axis=0), rtol=0, atol=1e-12)
    truths, predictions = zip(*images, strict=True)
    again = panoptic_quality(list(truths), (prediction for prediction in predictions), categories)
    assert repr(again) == repr(scores)  # as text, since NaN differs from itself
    for (truth, prediction), (old_truth, old_prediction) in zip(images, before, strict=True):
        np.testing.assert_array_equal(truth[0], old_truth[0])
        np.testing.assert_array_equal(prediction[0], old_prediction[0])
        assert (truth[1], prediction[1]) == (old_truth[1], old_prediction[1])


def test_order_of_categories_and_size_of_ids_do_not_matter():
    random = np.random.default_rng(4)
    truth, prediction = random_image(random, CATEGORIES)
    scores = panoptic_quality(truth, prediction, CATEGORIES)
    swapped = panoptic_quality(truth, prediction, CATEGORIES[::-1])
    assert repr(swapped.per_class[THING]) == repr(scores.per_class[THING])
    assert repr(swapped.stuff) == repr(scores.stuff)
    huge = row((2**40, 5), (2**40 + 1, 5)), [segment(2**40), segment(2**40 + 1)]
    assert panoptic_quality(huge, huge, CATEGORIES).overall.PQ == 1


def test_tensors_small_integers_and_a_label_set():
    labels = LabelSet("two", ("background", "cat", "grass"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), frozenset({1}))
    ids, info = row((1, 4), (2, 4)), [{"id": 1, "category_id": 1}, {"id": 2, "category_id": 2}]
    scores = panoptic_quality((torch.from_numpy(ids), info), (ids.astype(np.uint8), info), labels)
    assert scores.things.PQ == scores.stuff.PQ == 1
    assert math.isnan(scores.per_class[0].PQ)


def test_merging_parts_equals_the_whole():
    random = np.random.default_rng(7)
    images = [random_image(random, CATEGORIES) for _ in range(6)]
    whole, total = PanopticQuality(CATEGORIES), PanopticQuality(CATEGORIES)
    for image in images:
        whole.update(*image)
    for part in range(2):
        worker = PanopticQuality(CATEGORIES)
        for image in images[part::2]:
            worker.update(*image)
        total.merge(pickle.loads(pickle.dumps(worker)))
    assert (total.true_positives == whole.true_positives).all()
    assert pytest.approx(whole.scores().overall.PQ, abs=1e-14) == total.scores().overall.PQ
    with pytest.raises(ValueError, match="only equal categories"):
        total.merge(PanopticQuality(CATEGORIES[:1]))


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ((row((1, 4)), [segment(1)]), (row((1, 5)), [segment(1)]), r"same shape.*\(1, 4\) and \(1, 5\)"),
        ((row((1, 4)), []), (row((0, 4)), []), r"ground_truth has value 1 \(4 pixels\).*does not list"),
        ((row((0, 4)), []), (row((0, 3), (6, 1)), []), r"map of prediction has value 6 \(1 pixel\)"),
        ((row((0, 4)), []), (row((0, 4)), [segment(3)]), "prediction lists segment 3, but no pixel"),
        ((row((1, 4)), [segment(1), segment(1)]), (row((0, 4)), []), "lists 1 more than once"),
        ((row((1, 4)), [segment(1, 99)]), (row((0, 4)), []), "segment 1 has the unknown category 99"),
        ((row((0, 4)), [segment(0)]), (row((0, 4)), []), "must be positive"),
        ((row((1, 4)) / 1.0, [segment(1)]), (row((0, 4)), []), "ground_truth must hold whole numbers"),
        ((np.zeros((2, 2, 3), np.uint8), []), (row((0, 4)), []), r"H x W, but has shape \(2, 2, 3\)"),
        ((row((0, 4)),), (row((0, 4)), []), "must be a tuple"),
        ([(row((0, 4)), [])], (row((0, 4)), []), "must both be one image"),
        ([(row((0, 4)), [])], [], "one prediction per image, but after 0 of both there are only images left"),
    ],
)
def test_refusals(truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        panoptic_quality(truth, prediction, CATEGORIES)


def test_state_is_unchanged_after_an_error():
    quality = PanopticQuality(CATEGORIES)
    quality.update((row((1, 4)), [segment(1)]), (row((1, 4)), [segment(1)]))
    with pytest.raises(ValueError, match="no pixel of its map"):
        quality.update((row((1, 4)), [segment(1)]), (row((1, 4)), [segment(1), segment(2)]))
    assert quality.true_positives.tolist() == [1, 0]
    assert quality.scores().overall.PQ == 1
    with pytest.raises(ValueError, match="category ids must differ, but 1"):
        PanopticQuality([*CATEGORIES, CATEGORIES[0]])


def test_memory_does_not_grow_with_the_images():
    random = np.random.default_rng(11)
    quality, sizes = PanopticQuality(CATEGORIES), []
    for _ in range(10):
        quality.update(*random_image(random, CATEGORIES))
        sizes.append(len(pickle.dumps(quality)))
    assert len(set(sizes)) == 1
