"""Lesson 1's tasks beside the package: void answers, pictures left out, difficult objects, outlines, segments."""

import numpy as np
import pytest

from segtutor import metrics
from segtutor.exercises.catalog import find
from segtutor.exercises.lesson01 import drawn_segments, panoptic
from segtutor.exercises.lesson01.inputs import random_label_maps

iou, class_iou, dataset_mean_iou, pr_curve, boundary_iou = (
    find(number).reference for number in ("1.1", "1.3", "1.5", "1.7", "1.12")
)


def disc(row, column, radius, shape=(40, 57)):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_every_kind_are_scored_alike(kind):
    a, b = disc(20, 20, 12), disc(22, 25, 11)
    largest = 1 if kind is bool else 255
    assert iou((a * largest).astype(kind), b) == pytest.approx(metrics.mask_iou(a, b), rel=1e-12)


def test_a_pixel_without_an_answer_is_missed_and_blamed_on_nobody():
    """It scores as if every such pixel had been taken for a class of its own, which is then left out."""
    target, prediction = random_label_maps(3, (30, 40), 5)
    prediction = np.where(np.random.default_rng(4).random(prediction.shape) < 0.2, 5, prediction)
    counted = metrics.ConfusionMatrix(6)
    counted.update(target, prediction)
    found, mean = class_iou(np.asarray(counted.matrix)[:5])
    wanted = np.asarray(counted.iou())[:5]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert mean == pytest.approx(np.nanmean(wanted))


def test_a_picture_left_out_is_a_data_set_without_it():
    pairs = [random_label_maps(seed, (9 + seed, 12), 4, 0.3 + 0.2 * seed) for seed in range(4)]
    targets, predictions = ([pair[side] for pair in pairs] for side in (0, 1))
    mean, without = dataset_mean_iou(targets, predictions, 4, 255)
    for left_out in (None, *range(4)):
        counted = metrics.ConfusionMatrix(4)
        for number, pair in enumerate(pairs):
            if number != left_out:
                counted.update(*pair)
        found = mean if left_out is None else without[left_out]
        assert found == pytest.approx(counted.mean_iou(), rel=1e-12)


def test_detections_of_difficult_objects_are_taken_out_as_the_package_does():
    generator = np.random.default_rng(5)
    scores, kind = generator.random(60), generator.integers(-1, 2, 60)
    precision, recall = pr_curve(scores, kind, 30)
    curve = metrics.precision_recall_curve(scores[kind >= 0], kind[kind >= 0] > 0, 30, ties="order")
    np.testing.assert_allclose(precision, curve.precision, rtol=1e-12)
    np.testing.assert_allclose(recall, curve.recall, rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.01, 0.03, 0.08])
def test_boundary_iou_agrees_with_the_package(ratio):
    ring = disc(18, 28, 15) & ~disc(18, 28, 5)
    for a, b in ((disc(20, 20, 12), disc(22, 25, 11)), (ring, disc(18, 28, 14)), (disc(2, 50, 13), disc(0, 50, 14))):
        distance = metrics.boundary_distance(*a.shape, ratio)
        assert boundary_iou(a, b, distance) == pytest.approx(metrics.boundary_iou(a, b, ratio), rel=1e-12)


def quality(truth, prediction):
    """The drawing as the package scores it: 1 is grass, 2 cow."""
    sides = []
    for letters in (truth, prediction):
        names = [name for name in np.unique(letters).tolist() if name != "v"]
        ids = sum((letters == name) * number for number, name in enumerate(names, start=1))
        info = [{"id": number, "category_id": 1 + (name != ".")} for number, name in enumerate(names, start=1)]
        sides.append((ids, info))
    categories = [{"id": 1, "isthing": False}, {"id": 2, "isthing": True}]
    return metrics.panoptic_quality(*sides, categories)


def test_the_drawing_by_hand_is_what_the_package_says():
    truth, prediction = drawn_segments()
    answers = panoptic.answers(truth, prediction)
    found = quality(truth, prediction)
    assert answers["pq_grass"] == pytest.approx(found.per_class[1].PQ)
    cow = found.per_class[2]
    assert (answers["pq_cow"], answers["sq"], answers["rq"]) == pytest.approx((cow.PQ, cow.SQ, cow.RQ))
    assert answers["pq"] == pytest.approx(found.overall.PQ)
    prediction[panoptic.ONE_MORE] = "Q"
    assert answers["pq_cow_one_more"] == pytest.approx(quality(truth, prediction).per_class[2].PQ)


def test_the_solution_shown_has_the_right_values():
    names = {}
    exec(panoptic.SOLUTION, names)
    assert names["answers"] == pytest.approx(panoptic.answers(*drawn_segments()))


def test_the_drawing_has_one_answer_to_each_question():
    """No two of the numbers that are easily taken for each other are equal."""
    answers = panoptic.answers(*drawn_segments())
    assert answers["fp"] != answers["fn"], "else RQ is precision and recall as well"
    assert len({round(value, 3) for value in answers.values()}) == len(answers)
