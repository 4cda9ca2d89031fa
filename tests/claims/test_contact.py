"""Things that touch another one of their class, and how many of them are found: by hand, and against a slow search."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segtutor.claims.contact import Contact, touching
from segtutor.labels import SCENES

SHEEP, COW, SKY = (SCENES.index(name) for name in ("sheep", "cow", "sky"))


def listed(*labels):
    """The list of segments 1, 2, ... of these classes."""
    return [{"id": number, "category_id": label} for number, label in enumerate(labels, start=1)]


def test_who_touches_by_hand():
    numbers = np.array([[1, 1, 2, 0, 3], [4, 4, 5, 5, 5]])
    assert touching((numbers, listed(SHEEP, SHEEP, SHEEP, COW, SKY))) == {1: True, 2: True, 3: False, 4: False}


def test_a_corner_is_no_contact_but_one_part_of_a_thing_is_enough():
    assert touching((np.array([[1, 0], [0, 2]]), listed(SHEEP, SHEEP))) == {1: False, 2: False}
    parts = np.array([[1, 0, 1, 2]])  # something once stood between the parts of the first
    assert touching((parts, listed(SHEEP, SHEEP))) == {1: True, 2: True}


def test_a_thing_without_pixels_is_not_there():
    assert touching((np.array([[2, 2]]), listed(SHEEP, SHEEP))) == {2: False}


@given(arrays(np.int64, (5, 6), elements=st.integers(0, 4)))
def test_it_is_what_a_walk_over_neighbors_finds(numbers):
    info = listed(SHEEP, SHEEP, COW, COW)
    label = {0: None, **{one["id"]: one["category_id"] for one in info}}
    expected = {number: False for number in (1, 2, 3, 4) if (numbers == number).any()}
    for row, column in itertools.product(range(5), range(6)):
        for other in ((row + 1, column), (row, column + 1)):
            if other[0] < 5 and other[1] < 6:
                a, b = int(numbers[row, column]), int(numbers[other])
                if a != b and label[a] == label[b] is not None:
                    expected |= {a: True, b: True}
    assert touching((numbers, info)) == expected


def test_the_found_are_counted_by_hand():
    truth = np.array([[1, 1, 1, 2, 2, 2, 3, 3, 0]]), listed(SHEEP, SHEEP, COW)
    contact = Contact()
    contact.update(truth, (np.array([[1, 1, 0, 0, 2, 0, 3, 3, 3]]), listed(SHEEP, SHEEP, COW)))
    assert contact.shares() == {"touching": 0.5, "alone": 1.0}  # void takes nothing off the third
    contact.update(truth, (np.array([[1, 1, 1, 1, 1, 1, 3, 3, 0]]), [*listed(SHEEP), {"id": 3, "category_id": SHEEP}]))
    assert contact.shares() == {"touching": 0.25, "alone": 0.5}  # one half is no match, nor is another class


def test_nothing_there_has_no_share():
    assert np.isnan(list(Contact().shares().values())).all()
