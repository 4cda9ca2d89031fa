"""Joint transforms: no label is invented, and what moves the image moves everything with it."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import masks_to_boxes
from torchvision.transforms import v2

from segtutor.datasets.transforms import (
    RandomRotation,
    RandomScaledCrop,
    TightBoxes,
    Transformed,
    resize_nearest,
    train_transforms,
)

FEW = settings(max_examples=30, deadline=None)


class Pair:
    """The smallest data set: two black pictures of class 0."""

    labels = "labels"

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tv_tensors.Image(torch.zeros(3, 9, 9)), tv_tensors.Mask(torch.zeros(9, 9, dtype=torch.int64))


def coordinate_sample(height, width):
    """An image whose first two channels are row and column (0-1), and labels that say the same in thousandths."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    image = torch.stack([(rows + 0.5) / height, (columns + 0.5) / width, torch.zeros(height, width)])
    labels = torch.stack([(rows + 0.5) / height * 1000, (columns + 0.5) / width * 1000]).round().long()
    return image, labels


def detection_sample(seed, height=40, width=50, count=4):
    random = np.random.default_rng(seed)
    masks = torch.zeros(count, height, width, dtype=torch.uint8)
    for mask in masks:
        top, left = random.integers(0, height - 4), random.integers(0, width - 4)
        mask[top : top + random.integers(1, 12), left : left + random.integers(1, 12)] = 1
    boxes = masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0])
    target = {
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width)),
        "labels": torch.arange(1, count + 1),
        "masks": tv_tensors.Mask(masks),
        "area": masks.flatten(1).sum(1).float(),
        "iscrowd": torch.zeros(count, dtype=torch.int64),
        "image_id": torch.tensor([7]),
    }
    return tv_tensors.Image(torch.zeros(3, height, width, dtype=torch.uint8)), target


@pytest.mark.parametrize(
    ("source", "size", "wanted"),
    [(5, 5, [0, 1, 2, 3, 4]), (5, 3, [0, 2, 4]), (5, 10, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), (4, 2, [1, 3]), (3, 1, [1])],
)
def test_nearest_picks_these_pixels(source, size, wanted):
    row = torch.arange(source)[None]
    assert resize_nearest(row, (1, size))[0].tolist() == wanted
    peer = torch.nn.functional.interpolate(row[None, None].float(), (1, size), mode="nearest-exact")
    assert peer[0, 0, 0].tolist() == wanted


def test_labels_are_never_blended():
    labels = torch.tensor([[0, 255, 7, 0]])
    assert set(resize_nearest(labels, (9, 31)).unique().tolist()) == {0, 7, 255}


@FEW
@given(
    st.integers(8, 60),
    st.integers(8, 60),
    st.integers(4, 70),
    st.integers(4, 70),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 10.0, 90.0]),
)
def test_no_label_is_invented(height, width, crop_height, crop_width, seed, degrees):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0, 3, 12, 255])[torch.randint(0, 4, (height, width), generator=generator)]
    image = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    torch.manual_seed(seed)
    transform = train_transforms((crop_height, crop_width), degrees=degrees, jitter=0.2)
    new_image, new_labels = transform(tv_tensors.Image(image), tv_tensors.Mask(labels))
    assert new_image.shape == (3, crop_height, crop_width)
    assert new_image.dtype == torch.uint8
    assert new_labels.shape == (crop_height, crop_width)
    assert new_labels.dtype == torch.int64
    assert set(new_labels.unique().tolist()) <= {0, 3, 12, 255}


@FEW
@given(st.integers(20, 60), st.integers(20, 60), st.integers(0, 10**6))
def test_image_and_labels_move_together(height, width, seed):
    image, coordinates = coordinate_sample(height, width)
    moved = []
    for channel in (0, 1):
        torch.manual_seed(seed)
        transform = train_transforms((24, 28), scale=(0.7, 2.0), degrees=15)
        moved.append(transform(tv_tensors.Image(image), tv_tensors.Mask(coordinates[channel] + 1000)))
    # At the rim of the picture the image is blended with the padding; the labels, which are picked, are not.
    told = torch.stack([(labels - 1000) / 1000 for _, labels in moved])
    rim = torch.tensor([3 / height, 3 / width])[:, None, None]
    inside = ((told > rim) & (told < 1 - rim)).all(0)
    # Two source pixels of slack: the image is blended over its footprint, the label is one of the pixels in it.
    for channel, side in ((0, height), (1, width)):
        difference = (moved[channel][0][channel] - told[channel]).abs()[inside]
        assert difference.numel() == 0 or difference.max() <= 2.0 / side + 1e-3


def test_padding_is_void_and_mean_color():
    image = tv_tensors.Image(torch.full((3, 10, 12), 200, dtype=torch.uint8))
    labels = tv_tensors.Mask(torch.full((10, 12), 5))
    new_image, new_labels = RandomScaledCrop((20, 20), scale=(1, 1))(image, labels)
    assert new_labels[:10, :12].unique().tolist() == [5]
    assert new_labels[10:].unique().tolist() == [255]
    assert new_labels[:, 12:].unique().tolist() == [255]
    assert new_image[:, 15, 15].tolist() == [124, 116, 104]
    floats, _ = RandomScaledCrop((20, 20), scale=(1, 1))(tv_tensors.Image(image / 255), labels)
    assert floats[:, 15, 15].tolist() == pytest.approx([0.485, 0.456, 0.406])


def test_factor_one_copies_pixels():
    image = tv_tensors.Image(torch.randint(0, 256, (3, 30, 40), dtype=torch.uint8))
    labels = tv_tensors.Mask(torch.arange(1200).reshape(30, 40))
    new_image, new_labels = RandomScaledCrop((8, 9), scale=(1, 1))(image, labels)
    top, left = divmod(int(new_labels[0, 0]), 40)
    assert torch.equal(new_labels, labels[top : top + 8, left : left + 9])
    assert torch.equal(new_image, image[:, top : top + 8, left : left + 9])


def test_every_offset_can_be_drawn():
    torch.manual_seed(0)
    labels = tv_tensors.Mask(torch.arange(6)[None].repeat(3, 1))
    image = tv_tensors.Image(torch.zeros(3, 3, 6))
    crop = RandomScaledCrop((3, 4), scale=(1, 1))
    assert {int(crop(image, labels)[1][0, 0]) for _ in range(60)} == {0, 1, 2}


def test_scale_range_is_used():
    torch.manual_seed(0)
    labels = tv_tensors.Mask(torch.arange(400)[None].repeat(400, 1))
    image = tv_tensors.Image(torch.zeros(3, 400, 400))
    factors = []
    for _ in range(200):
        row = RandomScaledCrop((100, 100), scale=(0.5, 2.0))(image, labels)[1][0]
        factors.append(100 / (int(row.max() - row.min()) + 1))
    assert 0.5 <= min(factors) < 0.55
    assert 1.8 < max(factors) <= 2.1


@FEW
@given(st.integers(0, 10**6), st.sampled_from([0.0, 20.0]))
def test_boxes_stay_tight_and_empty_objects_go(seed, degrees):
    torch.manual_seed(seed)
    _, target = train_transforms((24, 32), degrees=degrees)(*detection_sample(seed))
    masks, boxes = target["masks"].as_subclass(Tensor), target["boxes"]
    assert len(masks) == len(boxes) == len(target["labels"]) == len(target["area"]) == len(target["iscrowd"])
    assert boxes.canvas_size == (24, 32)
    assert target["image_id"].tolist() == [7]
    for mask, box, area in zip(masks, boxes.tolist(), target["area"].tolist(), strict=True):
        rows, columns = torch.where(mask)
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert area == mask.sum() > 0


def test_all_objects_cropped_away():
    image, target = detection_sample(0, count=1)
    target["masks"][:] = 0
    target["masks"][0, 39, 49] = 1
    torch.manual_seed(1)
    _, left_over = TightBoxes()(*RandomScaledCrop((8, 8), scale=(1, 1))(image, target))
    assert left_over["boxes"].shape == (0, 4)
    assert left_over["masks"].shape == (0, 8, 8)
    assert left_over["image_id"].tolist() == [7]
    assert target["labels"].tolist() == [1], "the sample handed in must stay as it was"


def test_boxes_without_masks_are_scaled():
    image = tv_tensors.Image(torch.zeros(3, 20, 20))
    boxes = tv_tensors.BoundingBoxes([[2.0, 2.0, 6.0, 6.0]], format="XYXY", canvas_size=(20, 20))
    target = {"boxes": boxes, "labels": torch.tensor([1])}
    _, moved = v2.Compose([RandomScaledCrop((40, 40), scale=(2, 2)), TightBoxes()])(image, target)
    assert moved["boxes"].tolist() == [[4.0, 4.0, 12.0, 12.0]]


def test_same_seed_same_crop():
    sample = detection_sample(3)
    transform = train_transforms((24, 24), degrees=10, jitter=0.3)
    results = []
    for _ in range(2):
        torch.manual_seed(5)
        results.append(transform(*sample))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1]["masks"], results[1][1]["masks"])


def test_transformed_data_set():
    seen = Transformed(Pair(), train_transforms((4, 4)))
    assert len(seen) == 2
    assert seen.labels == "labels"
    assert seen[0][0].shape == (3, 4, 4)
    assert pickle.loads(pickle.dumps(seen.transforms))(*Pair()[0])[1].shape == (4, 4)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: RandomScaledCrop((0, 4)), r"crop is \(0, 4\)"),
        (lambda: RandomScaledCrop((4, 4), scale=(2, 1)), "smallest <= largest"),
        (lambda: RandomRotation(200), "between 0 and 180"),
        (lambda: RandomScaledCrop((4, 4))(torch.zeros(3, 4, 4)), "tv_tensors.Image or Mask"),
    ],
)
def test_bad_arguments(build, told):
    with pytest.raises(ValueError, match=told):
        build()
