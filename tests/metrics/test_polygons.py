"""Polygons are drawn as pycocotools draws them, byte for byte."""

import numpy as np
import pycocotools.mask as official
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segtutor.metrics import rle
from segtutor.metrics.polygons import rasterize, read_rings

# pycocotools, not we, asks NumPy for this.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

whole = st.integers(-8, 40).map(float)
anywhere = st.floats(-20, 60, allow_nan=False, width=32)
ring = st.one_of(
    st.lists(whole, min_size=6, max_size=20),
    st.lists(whole.map(lambda value: value / 2), min_size=6, max_size=20),
    st.lists(anywhere, min_size=6, max_size=20),
).map(lambda values: values[: len(values) // 2 * 2])


def official_drawing(rings, height, width):
    return official.merge(official.frPyObjects(rings, height, width))


def test_a_rectangle_by_hand():
    # Corners at pixel corners: columns 1 and 2, rows 1 to 3.
    drawn = rle.decode(rle.from_polygons([[1, 1, 3, 1, 3, 4, 1, 4]], 5, 4))
    expected = np.zeros((5, 4), bool)
    expected[1:4, 1:3] = True
    assert (drawn == expected).all()


def test_ring_in_a_ring_is_a_hole_and_two_rings_are_united():
    outer, inner = [0, 0, 9, 0, 9, 9, 0, 9], [3, 3, 6, 3, 6, 6, 3, 6]
    assert rle.area(rle.from_polygons([outer, inner], 9, 9)) == 81
    # One ring that runs around the outside, then around the inside: even-odd.
    hollow = [*outer, 0, 0, *inner, 3, 3]
    assert rle.area(rle.from_polygons([hollow], 9, 9)) == 81 - 9


@settings(max_examples=150, deadline=None)
@given(st.lists(ring, min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 40))
def test_any_rings(rings, height, width):
    assert (
        rle.from_polygons(rings, height, width)["counts"].encode() == official_drawing(rings, height, width)["counts"]
    )


def test_many_objects_on_many_canvases_at_once():
    rng = np.random.default_rng(0)
    objects, sizes = [], rng.integers(1, 300, (700, 2))
    for height, width in sizes:
        rings = rng.integers(1, 3)
        objects.append(
            [(rng.uniform(-0.2, 1.2, (12, 2)) * [width, height]).round(2).ravel().tolist() for _ in range(rings)]
        )
    drawn = rasterize(objects, sizes)
    expected = [official_drawing(o, int(h), int(w)) for o, (h, w) in zip(objects, sizes, strict=True)]
    counts, offsets = drawn.counts()
    for number, theirs in enumerate(expected):
        assert (drawn.mask(number) == official.decode(theirs)).all()
    assert drawn.areas().tolist() == [official.area(e) for e in expected]
    assert len(offsets) == 701
    assert counts.sum() == sizes.prod(axis=1).sum()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.lists(ring, min_size=1, max_size=3), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_objects_are_drawn_if_wanted_and_lie_within_their_bounds(objects, height, width):
    sizes = np.tile([height, width], (len(objects), 1))
    read = read_rings([rings for rings, _ in objects], str)
    wanted = np.array([flag for _, flag in objects])
    drawn, chosen = read.draw(sizes), read.draw(sizes, wanted)
    assert len(chosen) == len(drawn) == len(objects)
    for number, (x0, y0, x1, y1) in enumerate(read.bounds().tolist()):
        mask = drawn.mask(number)
        assert np.array_equal(chosen.mask(number), mask & wanted[number])
        rows, columns = np.nonzero(mask)
        assert ((x0 <= columns) & (columns + 1 <= x1) & (y0 <= rows) & (rows + 1 <= y1)).all()


def test_canvas_beyond_the_short_sort_keys():
    big = [[100.5, 100.25, 4900.75, 50.0, 4000.0, 4900.5]]
    assert rle.from_polygons(big, 5000, 5000)["counts"].encode() == official_drawing(big, 5000, 5000)["counts"]
    sizes = np.tile([5000, 5000], (100, 1))
    assert set(rasterize([big] * 100, sizes).areas().tolist()) == {
        int(official.area(official_drawing(big, 5000, 5000)))
    }


@pytest.mark.parametrize(
    ("rings", "message"),
    [
        ([], "object 0 has an empty list of polygons"),
        ([[0, 0, 1, 1]], "object 0 has a polygon of 4 numbers"),
        ([[0, 0, 1, 1, 2, 2, 3]], "object 0 has a polygon of 7 numbers"),
        ([[0, 0, 1, float("nan"), 2, 2]], "object 0: a polygon holds nan"),
        ([[0, 0, 1, float("inf"), 2, 2]], "object 0: a polygon holds inf"),
        ([[0, 0, 1, "a", 2, 2]], "object 0: a polygon holds 'a'"),
        ([0, 0, 1, 1, 2, 2], "object 0: a polygon must be a list"),
        ([["0", "0", "5", "0", "5", "5"]], "object 0: a polygon holds '0', no number; write numbers without quotation"),
        ([[[0, 0], [5, 0], [5, 5]]], r"object 0: a polygon holds \[0, 0\], no number; write x and y in turns"),
        ([np.array([[0, 0], [5, 0], [5, 5], [4, 9], [2, 7], [0, 3]])], "object 0: a polygon holds .*, no number"),
    ],
)
def test_broken_polygons_are_named(rings, message):
    with pytest.raises(ValueError, match=message):
        rle.from_polygons(rings, 10, 10)
