"""Ground truth that nothing can be learned from is refused by image and box; what is legal but odd trains finitely."""

import pytest
import torch

from segtutor import models
from tests.models.mask_rcnn.peers import pictures, rectangles

SIZE = (64, 96)
BOXES = [(20, 10, 60, 50), (70, 20, 90, 60)]
NONE = rectangles(SIZE, [], [])


def two_objects(**changes):
    return {**rectangles(SIZE, BOXES, [1, 2]), **changes}


def second_box(*corners):
    return two_objects(boxes=torch.tensor([BOXES[0], corners], dtype=torch.float32))


def network():
    torch.manual_seed(0)
    return models.create("maskrcnn_tiny", num_classes=4)


@pytest.mark.parametrize(
    ("corners", "reason"),
    [
        ((70, 20, 70, 60), "leave such boxes out"),
        ((70, 20, 90, 20), "leave such boxes out"),
        ((70, 20, 70, 20), "leave such boxes out"),
        ((90, 20, 70, 60), "corners swapped"),
        ((70, 60, 90, 20), "corners swapped"),
        ((70, 20, 20, 40), "or is it x, y, width, height"),
        ((-40, 20, -5, 60), "outside of its image of 96 x 64"),
        ((100, 20, 140, 60), "outside of its image of 96 x 64"),
        ((70, -40, 90, -10), "outside of its image of 96 x 64"),
        ((70, 70, 90, 90), "outside of its image of 96 x 64"),
        ((70, 20, float("inf"), 60), "must be finite"),
    ],
)
def test_boxes_without_area_swapped_or_outside_are_named(corners, reason):
    with pytest.raises(ValueError, match=rf"image 1, box 1 .*{reason}"):
        network()(pictures(SIZE, SIZE), [two_objects(), second_box(*corners)])


@pytest.mark.parametrize("label", [0, -1, 4])
def test_labels_of_no_class_are_named(label):
    with pytest.raises(ValueError, match=rf"image 0, box 1 .*must be from 1 to 3, but {label} came"):
        network()(pictures(SIZE), [two_objects(labels=torch.tensor([1, label]))])
    with pytest.raises(ValueError, match=rf"image 0, box 0 .*but {label} came"):
        network()(pictures(SIZE), [two_objects(labels=torch.tensor([label, label]))])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda masks: masks.flip(0), r"image 0, box 0 .*does not match it, 0 of the mask's 800 pixels"),
        (lambda masks: masks * torch.tensor([1, 0])[:, None, None], r"image 0, box 1 .*0 of the mask's 0 pixels"),
        (lambda masks: masks.roll(25, dims=2), r"image 0, box 0 .*does not match it"),
        (lambda masks: masks.transpose(1, 2), r"image 0: masks must be 2 x 64 x 96"),
        (lambda masks: masks[:, None], r"image 0: masks must be 2 x 64 x 96"),
        (lambda masks: masks * 0.5, r"image 0: masks must hold 0 and 1, but values from 0.0 to 0.5"),
        (lambda masks: masks * float("nan"), r"image 0: masks must hold 0 and 1"),
    ],
)
def test_masks_that_do_not_match_their_boxes_are_named(change, reason):
    with pytest.raises(ValueError, match=reason):
        network()(pictures(SIZE), [two_objects(masks=change(two_objects()["masks"]))])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": torch.zeros(0, dtype=torch.int64)}, r"image 1: boxes must be 0 x 4 for its 0 labels"),
        ({"boxes": torch.zeros(0, 4)}, r"image 1: boxes must be 2 x 4 for its 2 labels"),
        ({**NONE, "masks": torch.ones(1, *SIZE)}, r"image 1: masks must be 0 x 64 x 96"),
        ({"iscrowd": torch.tensor([1])}, r"image 1: iscrowd must be 2 numbers, one per box"),
    ],
)
def test_numbers_of_objects_that_contradict_each_other_are_named(changes, reason):
    with pytest.raises(ValueError, match=reason):
        network()(pictures(SIZE, SIZE), [two_objects(), two_objects(**changes)])


@pytest.mark.parametrize(
    "target",
    [
        NONE,
        two_objects(iscrowd=torch.tensor([1, 1])),
        two_objects(iscrowd=[1, 1]),
        two_objects(boxes=torch.tensor([BOXES[0], BOXES[0]]), masks=two_objects()["masks"][[0, 0]]),
        second_box(69, 19.5, 96.9, 64.9),
        rectangles(SIZE, [(95, 63, 96, 64)], [3]),
        rectangles(SIZE, [(0, 0, 96, 64)], [3]),
    ],
    ids=["empty", "crowds", "crowds as a list", "the same twice", "beyond by a pixel", "one pixel", "whole image"],
)
def test_what_is_odd_but_legal_trains_finitely(target):
    learner = network()
    optimizer = torch.optim.SGD(learner.parameters(), lr=0.01)
    for _ in range(2):  # the second with weights that the first has changed
        loss = sum(learner(pictures(SIZE, SIZE), [target, NONE]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.isfinite()
        assert all(weight.isfinite().all() for weight in learner.parameters())


def test_crowds_leave_an_image_without_objects():
    losses = []
    for target in (NONE, two_objects(iscrowd=[1, 1])):
        learner = network()
        torch.manual_seed(1)
        losses.append(learner(pictures(SIZE), [target]))
    assert losses[0]["loss_objectness"] > 0
    for name, expected in losses[0].items():
        torch.testing.assert_close(losses[1][name], expected)
