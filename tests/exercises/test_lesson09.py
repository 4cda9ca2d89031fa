"""Lesson 9's references against the package and SciPy, and properties of what they return."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from segtutor.exercises.lesson09.assignment import best_assignment
from segtutor.exercises.lesson09.at_points import at_points
from segtutor.exercises.lesson09.inputs import answers, blobs, objects
from segtutor.exercises.lesson09.pair_costs import pair_costs
from segtutor.exercises.lesson09.panoptic import panoptic
from segtutor.exercises.lesson09.point_loss import point_loss
from segtutor.exercises.lesson09.semantic import semantic_scores
from segtutor.models.mask_classification import losses, matching, outputs

SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_are_the_packages_where_all_points_are_pixels(seed):
    """Compared at all pixels: the package then reads masks of the objects' size as they are."""
    classes, masks = answers(seed, 6, 4, (4, 6))
    labels, wanted = objects(seed, 3, 4, 24)
    found = pair_costs(classes, masks.reshape(6, -1), labels, wanted)
    settings = matching.LossSettings(points=None)
    of_package = matching.costs(
        torch.from_numpy(classes).float(),
        torch.from_numpy(masks).float(),
        matching.Objects(torch.from_numpy(labels), torch.from_numpy(wanted.reshape(3, 4, 6) > 0)),
        settings,
    )
    np.testing.assert_allclose(found, of_package, rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_assignment_is_scipys(seed):
    costs = np.random.default_rng(seed).normal(size=(6, 4))
    queries, numbers = linear_sum_assignment(costs)
    taken = best_assignment(costs)
    assert taken[numbers].tolist() == queries.tolist()
    assert len(set(taken.tolist())) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_values_at_points_are_the_packages(seed):
    generator = np.random.default_rng(seed)
    mask, points = generator.normal(size=(5, 7)), generator.random((30, 2))
    of_package = matching.at_points(torch.from_numpy(mask)[None], torch.from_numpy(points).float()[None])[0]
    np.testing.assert_allclose(at_points(mask, points), of_package, atol=1e-5)


def test_loss_is_the_packages_at_all_pixels():
    generator = np.random.default_rng(0)
    masks, wanted = generator.normal(size=(3, 4, 6)), generator.random((3, 4, 6)) < 0.5
    void = generator.random((4, 6)) < 0.2
    of_package = losses.mask_terms(
        torch.from_numpy(masks).float(),
        matching.Objects(torch.zeros(3, dtype=torch.int64), torch.from_numpy(wanted), torch.from_numpy(void)),
        matching.LossSettings(points=None),
    )
    known = np.broadcast_to(~void, (3, 4, 6)).reshape(3, -1).astype(float)
    found = point_loss(masks.reshape(3, -1), wanted.reshape(3, -1).astype(float), known, 1)
    np.testing.assert_allclose(found, [float(one) for one in of_package], rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_readings_are_the_packages(seed):
    logits, masks = blobs(seed, 9, 4, (8, 10))
    of_package = outputs.semantic_scores(torch.from_numpy(logits)[None], torch.from_numpy(masks)[None])[0]
    np.testing.assert_allclose(semantic_scores(logits, masks), of_package, rtol=1e-10)
    chances = torch.from_numpy(logits).softmax(-1).numpy()
    numbers, classes = panoptic(chances, 1 / (1 + np.exp(-masks)), (0, 2), 0.8, 0.7)
    result, segments = outputs.panoptic(torch.from_numpy(logits), torch.from_numpy(masks), (0, 2), 0.8, 0.7)
    np.testing.assert_array_equal(numbers, result)
    assert classes.tolist() == [one.label for one in segments]
