"""Boundary, extent and segment errors: by hand, against a slow reading of the definition, and their sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.analysis import ErrorSplit, error_types
from segtutor.analysis.errors import BOUNDARY, EXTENT, NO_ERROR, SEGMENT
from tests.analysis.maps import VOID, random_maps


def test_an_outline_one_pixel_too_far_is_a_boundary_error():
    target = np.zeros((9, 9), dtype=int)
    target[2:7, 2:7] = 1
    prediction = np.zeros((9, 9), dtype=int)
    prediction[1:8, 1:8] = 1
    missed, invented = error_types(target, prediction, width=1)
    ring = (target == 0) & (prediction == 1)
    # Each pixel of the ring touches the square found and the background left over, at its corners across a corner.
    assert (invented[ring] == BOUNDARY).all()
    assert (missed[ring] == BOUNDARY).all()
    assert (missed[~ring] == NO_ERROR).all()


def test_hand_worked_row():
    #          found  cut    far side of a long gap, and a region that is nowhere
    target = [[1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2]]
    found = [[1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0]]
    missed, invented = error_types(target, found, width=1)
    # Class 1 loses five pixels: none lies within 1 of a TP and of a TN at once, since the gap is wide: the region was
    # found, so its extent is wrong. Class 2 is nowhere: a segment. Of background two are gone, the rest is there.
    assert missed[0].tolist() == [-1] * 3 + [EXTENT] * 5 + [-1] * 4 + [EXTENT] * 2 + [-1, SEGMENT]
    # Background takes the five as a part of a region that is right elsewhere, and the place of class 2 at an end of it;
    # class 3 is invented as a whole.
    assert invented[0].tolist() == [-1] * 3 + [EXTENT] * 5 + [-1] * 4 + [SEGMENT] * 2 + [-1, EXTENT]


def test_a_narrow_gap_is_a_boundary_and_what_lies_within_its_width_of_it():
    target = [[1, 1, 1, 1, 0, 0, 0, 0]]
    found = [[1, 1, 0, 0, 0, 0, 0, 0]]
    missed, _ = error_types(target, found, width=2)
    assert missed[0].tolist() == [-1, -1, BOUNDARY, BOUNDARY, -1, -1, -1, -1]
    missed, _ = error_types(target, found, width=1)
    assert missed[0].tolist() == [-1, -1, EXTENT, EXTENT, -1, -1, -1, -1]  # no pixel has both within 1


def test_width_is_one_percent_of_the_diagonal_and_at_least_one():
    target, prediction = random_maps(3)
    for one, other in zip(error_types(target, prediction), error_types(target, prediction, width=1), strict=True):
        np.testing.assert_array_equal(one, other)


def slowly(target, prediction, width):
    """The definition pixel by pixel; for each class, FP and FN for themselves."""
    height, columns = target.shape
    places = [(y, x) for y in range(height) for x in range(columns)]

    def near(place, mask, distance):
        return any(mask[p] and round(np.hypot(p[0] - place[0], p[1] - place[1])) <= distance for p in places)

    def touches(place, mask):
        y, x = place
        return bool(mask[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].any())

    def regions(mask):
        left, found = {p for p in places if mask[p]}, []
        while left:
            todo, part = [left.pop()], set()
            while todo:
                y, x = todo.pop()
                part.add((y, x))
                for other in [(y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]:
                    if other in left:
                        left.remove(other)
                        todo.append(other)
            found.append(part)
        return found

    results = [np.full(target.shape, NO_ERROR) for _ in range(2)]
    valid = target != VOID
    for label in np.unique(np.concatenate([target[valid], prediction[valid]])):
        true, given_ = valid & (target == label), valid & (prediction == label)
        hit, absent = true & given_, valid & ~true & ~given_
        for false, region, result in ((true & ~given_, true, results[0]), (given_ & ~true, given_, results[1])):
            core = np.zeros_like(false)
            for place in places:
                core[place] = false[place] and near(place, hit, width) and near(place, absent, width)
            band = np.zeros_like(false)
            for place in places:
                band[place] = false[place] and near(place, core, width)
            for part in regions(region):
                found = any(hit[p] for p in part)
                for p in part:
                    if false[p]:
                        result[p] = EXTENT if found else SEGMENT
            for part in regions(band):
                if any(touches(p, hit) for p in part) and any(touches(p, absent) for p in part):
                    for p in part:
                        result[p] = BOUNDARY
    return results


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_against_the_definition_pixel_by_pixel(seed, width):
    target, prediction = random_maps(seed, num_classes=3, size=(10, 12))
    for one, other in zip(error_types(target, prediction, width), slowly(target, prediction, width), strict=True):
        np.testing.assert_array_equal(one, other)


@given(seed=st.integers(0, 10**6), width=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_wrong_pixel_has_one_way_as_missed_and_one_as_invented(seed, width):
    target, prediction = random_maps(seed)
    wrong = (target != VOID) & (target != prediction)
    for kinds in error_types(target, prediction, width):
        np.testing.assert_array_equal(kinds != NO_ERROR, wrong)
    split = ErrorSplit(4, width)
    split.update(target, prediction)
    assert split.wrong == split.invented.sum() == wrong.sum()
    matrix = split.confusion.matrix
    np.testing.assert_array_equal(split.missed.sum(axis=1), matrix.sum(axis=1) - np.diag(matrix))
    np.testing.assert_array_equal(split.invented.sum(axis=1), matrix.sum(axis=0) - np.diag(matrix))
    if wrong.any():
        assert sum(one for one, _ in split.shares().values()) == pytest.approx(1)
        assert sum(other for _, other in split.shares().values()) == pytest.approx(1)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_turned_pictures_have_turned_errors(seed):
    target, prediction = random_maps(seed)
    for one, other in zip(error_types(target, prediction, 2), error_types(target.T, prediction.T, 2), strict=True):
        np.testing.assert_array_equal(one.T, other)


def test_what_is_predicted_at_void_changes_nothing():
    target, prediction = random_maps(11, void=0.3)
    other = np.where(target == VOID, 3, prediction)
    for one, two in zip(error_types(target, prediction, 1), error_types(target, other, 1), strict=True):
        np.testing.assert_array_equal(one, two)


def test_nothing_wrong_and_bad_input():
    split = ErrorSplit(2)
    split.update([[0, 1]], [[0, 1]])
    assert split.wrong == 0
    assert all(np.isnan(value) for pair in split.shares().values() for value in pair)
    assert "boundary" in str(split)
    with pytest.raises(ValueError, match="width is 0"):
        error_types([[0]], [[1]], width=0)
    with pytest.raises(ValueError, match="one of the batch"):
        error_types([[[0]]], [[[1]]])
    with pytest.raises(ValueError, match="same shape"):
        error_types([[0]], [[1, 1]])
