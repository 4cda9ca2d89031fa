"""Anchors, matching, box coding, suppression: by hand, then properties. Each bug that others had is a test."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from segtutor.models.mask_rcnn import Settings
from segtutor.models.mask_rcnn.anchors import cell_anchors, grid_anchors, pyramid_anchors
from segtutor.models.mask_rcnn.box_coding import clip_boxes, decode_boxes, encode_boxes, resize_boxes
from segtutor.models.mask_rcnn.matching import BACKGROUND, IGNORED, match, sample, suppress
from segtutor.models.mask_rcnn.roi_pooling import assign_levels


def boxes_of(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def test_anchors_have_exactly_their_area_and_rounded_ones_do_not():
    anchors = cell_anchors([32], [0.5, 1, 2])
    size = anchors[:, 2:] - anchors[:, :2]
    torch.testing.assert_close(size.prod(dim=1), torch.full((3,), 1024.0))
    torch.testing.assert_close(size[:, 1] / size[:, 0], torch.tensor([0.5, 1.0, 2.0]))
    rounded = cell_anchors([32], [0.5, 1, 2], rounded=True)
    assert rounded.tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]
    assert (rounded[0, 2:] - rounded[0, :2]).prod() == 46 * 22 != 1024


def test_anchors_stand_on_the_grid_row_by_row():
    anchors = grid_anchors(cell_anchors([4], [1, 4]), (2, 3), (8, 16))
    assert anchors.shape == (12, 4)
    assert anchors[0].tolist() == [-2, -2, 2, 2]
    assert anchors[1].tolist() == [-1, -4, 1, 4]
    assert anchors[2].tolist() == [14, -2, 18, 2]  # one column to the right
    assert anchors[6].tolist() == [-2, 6, 2, 10]  # one row down


def test_the_stride_of_a_rounded_up_map_is_not_the_quotient_of_the_sizes():
    maps = [torch.zeros(1, 1, 7, 7), torch.zeros(1, 1, 4, 4)]
    numbers = {"anchor_sizes": ((32,), (64,)), "anchor_ratios": (1.0,)}
    right = pyramid_anchors(maps, (32, 64), (224, 224), Settings(**numbers))
    inferred = pyramid_anchors(maps, (32, 64), (224, 224), Settings(**numbers, infer_anchor_strides=True))
    assert right[1][1, 0] - right[1][0, 0] == 64
    assert inferred[1][1, 0] - inferred[1][0, 0] == 56
    with pytest.raises(ValueError, match="2 levels and 5 tuples"):
        pyramid_anchors(maps, (32, 64), (224, 224), Settings())


def test_box_coding_by_hand():
    reference = boxes_of([0, 0, 10, 20])
    offsets = encode_boxes(boxes_of([5, 0, 25, 10]), reference)
    torch.testing.assert_close(offsets, boxes_of([1.0, -0.25, math.log(2), math.log(0.5)]))
    weighted = encode_boxes(boxes_of([5, 0, 25, 10]), reference, (10, 10, 5, 5))
    torch.testing.assert_close(weighted, offsets * torch.tensor([10.0, 10, 5, 5]))
    far = decode_boxes(boxes_of([0, 0, 50, 50]), boxes_of([0, 0, 16, 16]))
    torch.testing.assert_close(far[0, 2:] - far[0, :2], torch.tensor([1000.0, 1000.0]))
    assert clip_boxes(boxes_of([-5, 2, 300, 90]), (80, 200)).tolist() == [[0, 2, 200, 80]]
    assert resize_boxes(boxes_of([2, 3, 4, 6]), (10, 20), (20, 10)).tolist() == [[1, 6, 2, 12]]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(0, 500), st.floats(0, 500), st.floats(1, 300), st.floats(1, 300)] * 2), min_size=1)
)
def test_decoding_is_the_inverse_of_encoding(rows):
    rows = torch.tensor(rows, dtype=torch.float64)
    boxes, references = (torch.cat([part[:, :2], part[:, :2] + part[:, 2:]], dim=1) for part in rows.split(4, dim=1))
    weights = (10.0, 10.0, 5.0, 5.0)
    ratio = (boxes[:, 2:] - boxes[:, :2]) / (references[:, 2:] - references[:, :2])
    kept = (ratio < 60).all(dim=1)
    back = decode_boxes(encode_boxes(boxes, references, weights), references, weights)
    torch.testing.assert_close(back[kept], boxes[kept], rtol=0, atol=1e-4)


def test_matching_by_hand():
    iou = boxes_of([0.7, 0.69, 0.3, 0.29, 0.0], [0.1, 0.2, 0.5, 0.1, 0.0])
    assert match(iou, 0.7, 0.3).tolist() == [0, IGNORED, IGNORED, BACKGROUND, BACKGROUND]
    assert match(iou, 0.7, 0.3, force_best=True).tolist() == [0, IGNORED, 1, BACKGROUND, BACKGROUND]
    # Ties: both anchors that overlap an object most are positive.
    assert match(boxes_of([0.2, 0.2, 0.1]), 0.7, 0.3, force_best=True).tolist() == [0, 0, BACKGROUND]
    # An object that no anchor touches turns no background positive; in torchvision it does, a stated difference.
    untouched = boxes_of([0.8, 0.2], [0.0, 0.0])
    assert match(untouched, 0.7, 0.3, force_best=True).tolist() == [0, BACKGROUND]
    assert Matcher(0.7, 0.3, allow_low_quality_matches=True)(untouched).tolist() == [0, 0]
    # Without objects everything is background.
    assert match(torch.zeros(0, 3), 0.7, 0.3, force_best=True).tolist() == [BACKGROUND] * 3
    assert match(torch.zeros(2, 0), 0.7, 0.3).tolist() == []
    with pytest.raises(ValueError, match="negative_iou <= positive_iou"):
        match(iou, 0.3, 0.7)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 110), st.floats(0, 110), st.floats(2, 60), st.floats(2, 60)), min_size=1))
def test_every_object_has_an_anchor_however_small_it_is(rows):
    rows = torch.tensor(rows, dtype=torch.float32)
    objects = torch.cat([rows[:, :2], rows[:, :2] + rows[:, 2:]], dim=1)
    anchors = grid_anchors(cell_anchors([32], [0.5, 1, 2]), (32, 32), (4, 4))
    iou = box_iou(objects, anchors)
    matches = match(iou, 0.7, 0.3, force_best=True)
    largest = iou.max(dim=1).values
    assert ((iou == largest[:, None]) & (matches >= 0)).any(dim=1).all()


def test_sampling_keeps_the_share_and_may_return_fewer():
    matches = torch.tensor([0] * 10 + [BACKGROUND] * 30 + [IGNORED] * 5)
    positive, negative = sample(matches, 16, 0.25)
    assert (len(positive), len(negative)) == (4, 12)
    assert len(set(positive.tolist())) == 4
    assert (matches[positive] == 0).all()
    assert (matches[negative] == BACKGROUND).all()
    positive, negative = sample(matches, 1000, 0.5)
    assert (len(positive), len(negative)) == (10, 30)
    positive, negative = sample(torch.full((50,), BACKGROUND), 16, 0.25)
    assert (len(positive), len(negative)) == (0, 16)  # missing objects are replaced by background


def test_suppression_is_within_a_group():
    boxes = boxes_of([0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60])
    scores = torch.tensor([0.8, 0.9, 0.1])
    assert suppress(boxes, scores, torch.tensor([1, 1, 1]), 0.5).tolist() == [1, 2]
    assert suppress(boxes, scores, torch.tensor([1, 2, 1]), 0.5).tolist() == [1, 0, 2]  # two classes, same place
    assert suppress(boxes[:0], scores[:0], torch.zeros(0, dtype=torch.int64), 0.5).tolist() == []


def test_levels_are_those_of_the_papers_equation():
    sides = torch.tensor([10.0, 111.9, 112.0, 223.9, 224.0, 448.0, 5000.0])
    boxes = torch.stack([torch.zeros(7), torch.zeros(7), sides, sides], dim=1)
    assert assign_levels(boxes, (4, 8, 16, 32)).tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert assign_levels(boxes, (16,)).tolist() == [0] * 7


def test_settings_say_what_is_allowed():
    with pytest.raises(ValueError, match="roi_pooling must be 'align' or 'pool' or 'round', but 'warp'"):
        Settings(roi_pooling="warp")
    with pytest.raises(ValueError, match="short_side must be from 1 to long_side"):
        Settings(short_side=900, long_side=800)
    with pytest.raises(ValueError, match="as many anchor sizes"):
        _ = Settings(anchor_sizes=((32,), (64, 128))).anchors_per_cell
