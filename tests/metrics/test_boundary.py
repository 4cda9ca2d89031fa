"""Boundaries: the authors' definition (d passes of a 3 x 3 erosion, zeros around the image) and the trimap band."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import (
    ConfusionMatrix,
    boundary_band,
    boundary_band_iou,
    boundary_distance,
    boundary_iou,
    mask_boundary,
    mask_iou,
)


def authors_boundary(mask, distance):
    """Cheng et al.: the mask minus its erosion by ``distance`` passes of a 3 x 3 square; outside the image is 0."""
    eroded = mask.copy()
    height, width = mask.shape
    for _ in range(distance):
        padded = np.pad(eroded, 1)
        neighbors = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
        eroded = np.logical_and.reduce(neighbors)
    return mask & ~eroded


def blobs(random, shape):
    mask = np.zeros(shape, dtype=bool)
    for _ in range(random.integers(1, 4)):
        y, x = random.integers(0, shape[0]), random.integers(0, shape[1])
        mask[y : y + random.integers(1, shape[0] + 1), x : x + random.integers(1, shape[1] + 1)] ^= True
    return mask ^ (random.random(shape) < 0.02)


@pytest.mark.parametrize(
    ("size", "distance"),
    [((480, 640), 16), ((375, 500), 12), ((300, 400), 10), ((1, 1), 1), ((2, 2), 1), ((1024, 2048), 46)],
)
def test_distance_rounds_halves_to_even(size, distance):
    assert boundary_distance(*size) == distance  # 375 x 500 has 12.5, which becomes 12


def test_by_hand():
    mask = np.zeros((7, 8), dtype=bool)
    mask[1:6, 2:8] = True  # touches the right border, which is its outline there
    expected = mask.copy()
    expected[2:5, 3:7] = False
    np.testing.assert_array_equal(mask_boundary(mask, 1), expected)
    expected[2:5, 3:7] = True
    expected[3, 4:6] = False
    np.testing.assert_array_equal(mask_boundary(mask, 2), expected)
    np.testing.assert_array_equal(mask_boundary(mask, 3), mask)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 30), width=st.integers(1, 30), distance=st.integers(1, 9))
def test_authors_definition(seed, height, width, distance):
    mask = blobs(np.random.default_rng(seed), (height, width))
    np.testing.assert_array_equal(mask_boundary(mask, distance), authors_boundary(mask, distance))


@pytest.mark.parametrize("distance", [1, 20, 31, 32, 33, 46, 63, 64, 65, 100])
@pytest.mark.parametrize("width", [63, 64, 65, 300])
def test_authors_definition_across_words(width, distance):
    """Rows are packed into words of 64 pixels; their seams must not show."""
    random = np.random.default_rng(distance)
    masks = np.stack(
        [blobs(random, (230, width)), np.ones((230, width), dtype=bool), random.random((230, width)) < 0.999]
    )
    masks[0, :, width // 3 :] = True
    expected = np.stack([authors_boundary(mask, distance) for mask in masks])
    np.testing.assert_array_equal(mask_boundary(masks, distance), expected)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 9), (9, 1), (40, 50)])
@pytest.mark.parametrize("distance", [1, 2, 16])
def test_empty_and_full_masks(shape, distance):
    for mask in (np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)):
        np.testing.assert_array_equal(mask_boundary(mask, distance), authors_boundary(mask, distance))


def test_boundary_iou_of_random_masks():
    random = np.random.default_rng(0)
    a, b = (np.stack([blobs(random, (60, 80)) for _ in range(count)]) for count in (4, 3))
    distance = 2  # 2 % of the diagonal, 100
    iou = boundary_iou(a, b)
    for i in range(4):
        for j in range(3):
            x, y = authors_boundary(a[i], distance), authors_boundary(b[j], distance)
            assert iou[i, j] == (x & y).sum() / (x | y).sum()
    np.testing.assert_array_equal(boundary_iou(torch.from_numpy(a), b), iou)
    assert boundary_iou(a[0], b[1]) == iou[0, 1]
    assert boundary_iou(a[0], a[0]) == 1
    assert (boundary_iou(a, b, dilation_ratio=0.9) == mask_iou(a, b)).all()


def test_it_sees_an_outline_that_plain_iou_hardly_notices():
    truth, sloppy = np.zeros((2, 300, 400), dtype=bool)
    truth[50:250, 50:350] = True
    sloppy[55:245, 55:345] = True
    assert mask_iou(truth, sloppy) > 0.9
    assert boundary_iou(truth, sloppy) < 0.5


def test_padding_the_image_changes_the_score():
    truth, sloppy = np.zeros((2, 100, 100), dtype=bool)
    truth[20:80, 20:80] = True
    sloppy[24:76, 24:76] = True
    padded = [np.pad(mask, 200) for mask in (truth, sloppy)]
    assert boundary_iou(*padded) > boundary_iou(truth, sloppy)
    assert mask_iou(*padded) == mask_iou(truth, sloppy)


def test_empty_masks_score_zero_without_a_warning(recwarn):
    empty, full = np.zeros((5, 5), dtype=bool), np.ones((5, 5), dtype=bool)
    assert boundary_iou(empty, empty) == boundary_iou(empty, full) == 0
    assert not recwarn.list


def test_inputs_stay_unchanged():
    mask = blobs(np.random.default_rng(1), (40, 40))
    before = mask.copy()
    mask_boundary(mask, 2)
    boundary_iou(mask, mask)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_band_by_brute_force(width):
    random = np.random.default_rng(width)
    labels = np.zeros((2, 17, 23), dtype=np.uint8)
    labels[0, 4:12, 5:20], labels[0, 8:, 10:13], labels[1, :, 20:] = 1, 255, 3
    labels[1, random.integers(17), random.integers(10)] = 2
    band = boundary_band(labels, width)
    for b, y, x in np.ndindex(labels.shape):
        window = labels[b, max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
        assert band[b, y, x] == (window != labels[b, y, x]).any()


def test_band_iou():
    target, prediction = np.zeros((2, 10, 20), dtype=np.int64)
    target[:, 10:], prediction[:, 12:] = 1, 1
    # Five columns on each side of the edge; two of class 1 are taken for class 0.
    np.testing.assert_allclose(boundary_band_iou(target, prediction, 3, width=5), [5 / 7, 3 / 5, np.nan])
    np.testing.assert_allclose(boundary_band_iou(target, prediction, 3, width=2), [2 / 4, 0, np.nan])
    whole = ConfusionMatrix(3)
    whole.update(target, prediction)
    np.testing.assert_allclose(boundary_band_iou(target, prediction, 3, width=20), whole.iou())
    assert np.isnan(boundary_band_iou(np.zeros((4, 4), int), np.zeros((4, 4), int), 2, width=3)).all()


def test_band_around_void_does_not_count_void():
    target = np.array([[0, 0, 0, 255, 1, 1, 1]])
    prediction = np.array([[0, 0, 1, 1, 1, 1, 0]])
    np.testing.assert_allclose(boundary_band_iou(target, prediction, 2, width=1), [0, 1 / 2])
    tensors = torch.from_numpy(target), torch.from_numpy(prediction)
    np.testing.assert_allclose(boundary_band_iou(*tensors, 2, width=1), [0, 1 / 2])


def test_refusals():
    mask = np.ones((4, 5), dtype=bool)
    for distance in (0, -1):
        with pytest.raises(ValueError, match="distance must be at least 1 pixel"):
            mask_boundary(mask, distance)
        with pytest.raises(ValueError, match="width must be at least 1 pixel"):
            boundary_band(mask, distance)
    for ratio in (0, 1, -0.1, 2):
        with pytest.raises(ValueError, match="dilation_ratio is a share"):
            boundary_iou(mask, mask, ratio)
    with pytest.raises(ValueError, match=r"\(4, 5\) and b has \(5, 4\)"):
        boundary_iou(mask, mask.T)
    with pytest.raises(ValueError, match="mask of 0 and 1, but holds values from 0 to 7"):
        boundary_iou(mask * 7 * np.arange(5).clip(0, 1), mask)
    with pytest.raises(ValueError, match=r"\(4, 5\) and \(5, 4\)"):
        boundary_band_iou(mask, mask.T, 2, width=1)
    with pytest.raises(ValueError, match="target must hold whole numbers"):
        boundary_band_iou(mask * 1.0, mask, 2, width=1)
    with pytest.raises(ValueError, match=r"map H x W or maps B x H x W, but have shape \(5,\)"):
        boundary_band(mask[0], 1)
