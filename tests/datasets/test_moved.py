"""Items after transforms of torchvision and of people: whole targets, or a sentence that says what to do."""

import pytest
import torch
import torchvision.transforms as first
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor.datasets.moved import transformed
from segtutor.datasets.transforms import Transformed


def item():
    """A picture of 6 x 8 with two objects, in columns 0...2 and 5...7."""
    masks = torch.zeros(2, 6, 8, dtype=torch.bool)
    masks[0, 1:5, 0:3] = True
    masks[1, 2:4, 5:8] = True
    boxes = torch.tensor([[0.0, 1, 3, 5], [5, 2, 8, 4]])
    target = {
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(6, 8)),
        "labels": torch.tensor([3, 7]),
        "masks": tv_tensors.Mask(masks),
        "area": torch.tensor([12.0, 6.0]),
        "iscrowd": torch.tensor([0, 0]),
        "image_id": 5,
    }
    return tv_tensors.Image(torch.zeros(3, 6, 8, dtype=torch.uint8)), target


def cut(top, left, height, width):
    return lambda image, target: tuple(
        v2.Lambda(lambda part: v2.functional.crop(part, top, left, height, width), tv_tensors.TVTensor)(image, target)
    )


class TestObjects:
    def test_those_of_which_nothing_is_left_are_dropped(self):
        _, target = transformed(cut(0, 0, 6, 4), *item())
        assert target["labels"].tolist() == [3]
        assert target["boxes"].tolist() == [[0, 1, 3, 5]]
        assert target["boxes"].canvas_size == (6, 4)
        assert target["masks"].shape == (1, 6, 4)
        assert target["area"].tolist() == [12]
        assert target["iscrowd"].tolist() == [0]
        assert target["image_id"] == 5
        assert isinstance(target["boxes"], tv_tensors.BoundingBoxes)
        assert isinstance(target["masks"], tv_tensors.Mask)

    def test_areas_are_of_what_is_left(self):
        _, target = transformed(cut(0, 1, 3, 7), *item())
        assert target["area"].tolist() == [4, 3]  # 2 rows of 2 columns; 1 row of 3

    def test_nothing_is_left_at_all(self):
        _, target = transformed(cut(5, 3, 1, 2), *item())
        assert target["boxes"].shape == (0, 4)
        assert target["masks"].shape == (0, 1, 2)
        assert len(target["labels"]) == len(target["area"]) == len(target["iscrowd"]) == 0

    def test_a_box_without_an_area_is_drawn_anew(self):
        def squeeze(image, target):
            boxes = tv_tensors.wrap(target["boxes"].as_subclass(torch.Tensor) * 0, like=target["boxes"])
            return image, {**target, "boxes": boxes, "masks": target["masks"].clone()}

        assert transformed(squeeze, *item())[1]["boxes"].tolist() == [[0, 1, 3, 5], [5, 2, 8, 4]]

    @pytest.mark.parametrize("seed", range(20))
    def test_after_any_crop_of_torchvision_every_object_has_pixels_and_a_box(self, seed):
        torch.manual_seed(seed)
        moves = v2.Compose([v2.RandomCrop((3, 3)), v2.RandomHorizontalFlip(0.5), v2.RandomResizedCrop((4, 4))])
        _, target = transformed(moves, *item())
        boxes = target["boxes"].as_subclass(torch.Tensor)
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert target["masks"].flatten(1).any(1).all()
        assert target["area"].tolist() == target["masks"].flatten(1).sum(1).tolist()
        assert len({len(target[key]) for key in ("boxes", "labels", "masks", "area", "iscrowd")}) == 1

    def test_torchvision_drops_boxes_and_masks_and_forgets_the_rest(self):
        moves = v2.Compose([v2.Lambda(lambda part: v2.functional.crop(part, 0, 0, 6, 4), tv_tensors.TVTensor),
                            v2.SanitizeBoundingBoxes()])  # fmt: skip
        _, target = transformed(moves, *item())
        assert len(target["masks"]) == len(target["labels"]) == len(target["area"]) == len(target["iscrowd"]) == 1
        image, target = item()
        target["iscrowd"] = torch.tensor([0, 1])
        with pytest.raises(ValueError, match=r"left 1 masks, .*Leave v2\.SanitizeBoundingBoxes away"):
            transformed(moves, image, target)

    def test_what_did_not_move_stays_as_it_is(self):
        image, target = item()
        assert transformed(lambda image, target: (image, target), image, target) == (image, target)


@pytest.mark.parametrize(
    "transforms",
    [
        first.ToTensor(),
        first.Compose([first.ToTensor()]),
        first.Normalize([0.5] * 3, [0.5] * 3),
        v2.Compose([v2.RandomHorizontalFlip(), first.ToTensor()]),
        lambda image: image,
        lambda image, target: (first.ToTensor()(image), target),
        lambda image, target: (image, first.ToTensor()(target["masks"])),
        lambda image, target: image,
        lambda image, target: None,
        lambda image, target: (image, target, 5),
    ],
)
def test_transforms_that_know_no_targets(transforms):
    with pytest.raises(ValueError, match=r"transforms are called with the picture and its target.*v2"):
        Transformed([item()], transforms)[0]


def test_an_error_of_ones_own_stays_what_it_is():
    def broken(image, target):
        return image + "a", target

    with pytest.raises(TypeError, match="unsupported operand"):
        transformed(broken, *item())
