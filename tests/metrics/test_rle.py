"""Run-length encoding: by hand, letter for letter as pycocotools, and what broken input is told."""

import re

import numpy as np
import pycocotools.mask as official
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segtutor.metrics import rle, run_overlaps, runs

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))
pairs = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20).flatmap(
    lambda shape: st.lists(arrays(bool, shape), min_size=1, max_size=4)
)


def official_encode(mask):
    return official.encode(np.asfortranarray(mask.astype(np.uint8)))


def test_counts_by_hand():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)
    # Down the columns: 0 0 | 1 1 | 1 0
    assert rle.encode(mask, compressed=False) == {"size": [2, 3], "counts": [2, 3, 1]}
    assert rle.encode(mask) == {"size": [2, 3], "counts": "231"}
    assert rle.encode(~mask, compressed=False)["counts"] == [0, 2, 3, 1]
    assert rle.area(rle.encode(mask)) == 3
    assert rle.to_box(rle.encode(mask)).tolist() == [1, 0, 2, 2]


def test_letters_by_hand():
    # 100 = 3 * 32 + 4: "4 with more", "3"; the fourth count is stored as 20 - 100 = -80 = -3 * 32 + 16.
    text = "".join(chr(48 + piece) for piece in (0, 4 | 32, 3, 5, 16 | 32, 29))
    assert rle.decode({"size": [1, 125], "counts": text}).sum() == 120
    assert rle.encode(rle.decode({"size": [1, 125], "counts": text}))["counts"] == text


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (480, 640)])
def test_empty_and_full(shape):
    height, width = shape
    empty, full = rle.encode(np.zeros(shape, bool), False), rle.encode(np.ones(shape, bool), False)
    assert empty["counts"] == [height * width]
    assert full["counts"] == [0, height * width]
    assert rle.area([empty, full]).tolist() == [0, height * width]
    assert rle.to_box([empty, full]).tolist() == [[0, 0, 0, 0], [0, 0, width, height]]
    assert not rle.decode(empty).any()
    assert rle.decode(full).all()


def test_runs_of_length_zero_anywhere():
    plain = rle.decode({"size": [2, 4], "counts": [2, 3, 3]})
    for counts in ([2, 1, 0, 2, 3], [0, 0, 2, 3, 3, 0], [2, 3, 1, 0, 2], [1, 0, 0, 0, 1, 3, 3, 0, 0]):
        broken_up = {"size": [2, 4], "counts": counts}
        assert (rle.decode(broken_up) == plain).all()
        assert rle.area(broken_up) == 3
        assert rle.to_box(broken_up).tolist() == [1, 0, 2, 2]
        assert rle.iou([broken_up], [rle.encode(plain)]) == 1
        assert rle.merge([broken_up])["counts"] == rle.encode(plain)["counts"]


@settings(max_examples=60, deadline=None)
@given(masks)
def test_one_mask_is_that_of_pycocotools(mask):
    ours, theirs = rle.encode(mask), official_encode(mask)
    assert ours["counts"].encode() == theirs["counts"]
    assert ours["size"] == theirs["size"]
    assert (rle.decode(theirs) == mask).all()
    assert (rle.decode(rle.encode(mask, compressed=False)) == mask).all()
    assert official.frPyObjects(rle.encode(mask, compressed=False), *mask.shape)["counts"] == theirs["counts"]
    assert rle.area(ours) == official.area(theirs) == mask.sum()
    assert (rle.to_box(ours) == official.toBbox(theirs)).all()


@settings(max_examples=60, deadline=None)
@given(pairs, st.data())
def test_sets_of_masks_are_those_of_pycocotools(stack, data):
    theirs = [official_encode(mask) for mask in stack]
    ours = rle.encode(np.stack(stack))
    assert [r["counts"].encode() for r in ours] == [r["counts"] for r in theirs]
    assert (rle.decode(ours) == np.stack(stack)).all()
    crowd = data.draw(st.lists(st.integers(0, 1), min_size=len(stack), max_size=len(stack)))
    assert np.array_equal(rle.iou(ours, ours, crowd), official.iou(theirs, theirs, crowd))
    for intersect in (False, True):
        together = np.logical_and if intersect else np.logical_or
        assert rle.merge(ours, intersect)["counts"].encode() == official.merge(theirs, intersect)["counts"]
        assert (rle.decode(rle.merge(ours, intersect)) == together.reduce(stack)).all()


def test_large_canvas_takes_several_pieces_and_many_strings_are_read_in_parts():
    rng = np.random.default_rng(0)
    stack = [rng.random((300, 700)) < density for density in (0, 1e-5, 0.001, 0.5)] * 5
    theirs = [official_encode(mask) for mask in stack]
    assert [r["counts"].encode() for r in rle.encode(np.stack(stack))] == [r["counts"] for r in theirs]
    assert sum(len(r["counts"]) for r in theirs) > 1 << 19
    assert (rle.decode(theirs) == np.stack(stack)).all()


@pytest.mark.parametrize("at_once", [1, 7, 1 << 16])
def test_pairs_of_two_tables_are_counted_however_many_at_a_time(at_once, monkeypatch):
    monkeypatch.setattr(run_overlaps, "_RUNS_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    here = [rng.random((9, 14)) < density for density in (0, 0.1, 0.5, 0.9, 1)]
    there = [rng.random((9, 14)) < density for density in (0.5, 0, 0.2)]
    first, second = np.divmod(rng.permutation(15), 3)
    counted = run_overlaps.intersections(runs.Runs.from_masks(here), first, second, runs.Runs.from_masks(there))
    assert counted.tolist() == [(here[a] & there[b]).sum() for a, b in zip(first, second, strict=True)]


def test_boxes_of_masks_of_several_sizes():
    rng = np.random.default_rng(0)
    stack = [rng.random(shape) < 0.05 for shape in ((9, 14), (14, 9), (1, 30), (30, 1), (200, 300))]
    theirs = [official_encode(mask) for mask in stack]
    assert np.array_equal(rle.to_box(theirs), official.toBbox(theirs))


def test_iou_by_hand():
    square, shifted = np.zeros((6, 6), bool), np.zeros((6, 6), bool)
    square[1:3, 1:3] = True
    shifted[1:3, 2:4] = True
    encoded = rle.encode(np.stack([square, shifted, np.zeros_like(square)]))
    # Two shared of six; a crowd counts the detection's four alone; nothing overlaps with nothing.
    assert rle.iou(encoded, encoded).tolist() == [[1, 2 / 6, 0], [2 / 6, 1, 0], [0, 0, 0]]
    assert rle.iou(encoded[:1], encoded[1:2], [True]).tolist() == [[0.5]]
    assert rle.iou([], encoded).shape == (0, 3)
    assert rle.iou(encoded, []).shape == (3, 0)


def test_compressed_and_plain_counts_mix():
    stack = np.random.default_rng(1).random((6, 9, 5)) < 0.4
    mixed = [rle.encode(mask, compressed=number % 2 == 0) for number, mask in enumerate(stack)]
    mixed[2] = {**mixed[2], "counts": mixed[2]["counts"].encode()}
    assert (rle.decode(mixed) == stack).all()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"size": [2, 3], "counts": [2, 3]}, "mask 1: its run lengths underrun the canvas: they cover 5 pixels"),
        ({"size": [2, 3], "counts": [2, 3, 2]}, "mask 1: its run lengths overrun the canvas: they cover 7 pixels"),
        ({"size": [3, 3], "counts": "231"}, "its size 3 x 3 has 9"),
        ({"size": [2, 3], "counts": [2, -1, 5]}, "mask 1 has a negative run length, -1, as count 1"),
        ({"size": [2, 3], "counts": "2M1"}, "mask 1 has a negative run length, -3"),
        ({"size": [2, 3], "counts": [2.0, 3.0, 1.0]}, "whole numbers"),
        ({"size": [2, 3], "counts": "2 1"}, "mask 1: its counts hold the letter ' '"),
        ({"size": [2, 3], "counts": "23Q"}, "mask 1: its counts string is cut off"),
        ({"size": [2, 3], "counts": "QQQQQQQ1"}, "beyond 32 bits"),
        ({"size": [2, 3], "counts": ""}, "underrun"),
        ({"size": [2], "counts": "231"}, "mask 1: 'size' must be [height, width]"),
        ({"size": [0, 3], "counts": "231"}, "two positive whole numbers"),
        ({"size": [2.0, 3.0], "counts": "231"}, "two positive whole numbers"),
        ({"size": [2, 3]}, "mask 1 is no run-length encoding"),
        ("231", "mask 1 is no run-length encoding"),
    ],
)
def test_broken_encodings_are_named(broken, message):
    good = {"size": [2, 3], "counts": [2, 3, 1]}
    with pytest.raises(ValueError, match=re.escape(message)):
        rle.area([good, broken, good])


def test_misuse_is_explained():
    good, other = {"size": [2, 3], "counts": [2, 3, 1]}, {"size": [3, 2], "counts": [2, 3, 1]}
    with pytest.raises(ValueError, match="mask 0 is 2 x 3, mask 1 3 x 2"):
        rle.merge([good, other])
    with pytest.raises(ValueError, match="mask 0 is 2 x 3, mask 1 3 x 2"):
        rle.iou([good], [other])
    with pytest.raises(ValueError, match="one flag for each object: got 2 flags for 1"):
        rle.iou([good], [good], [0, 1])
    with pytest.raises(ValueError, match="empty"):
        rle.merge([])
    with pytest.raises(ValueError, match="empty"):
        rle.decode([])
    with pytest.raises(ValueError, match="H x W"):
        rle.encode(np.zeros(4, bool))
    with pytest.raises(ValueError, match="0 and 1"):
        rle.encode(np.full((2, 2), 2))
    with pytest.raises(ValueError, match="float64"):
        rle.encode(np.zeros((2, 2)))


def test_torch_masks_are_taken_and_input_is_unchanged():
    torch = pytest.importorskip("torch")
    mask = torch.tensor([[0, 1], [1, 1]], dtype=torch.uint8)
    assert rle.encode(mask, compressed=False)["counts"] == [1, 3]
    assert rle.encode(mask.bool()[None], compressed=False)[0]["counts"] == [1, 3]
    record = {"size": [2, 2], "counts": [1, 3]}
    rle.decode(record)
    assert record == {"size": [2, 2], "counts": [1, 3]}
