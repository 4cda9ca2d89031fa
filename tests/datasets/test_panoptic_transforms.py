"""What moves the image moves all three kinds of targets: label maps, instances, and panoptic maps with their lists."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor.datasets import Cityscapes, CocoPanoptic, Scenes, transforms
from segtutor.datasets.targets import describe_segments, segment_colors, segment_ids, segment_ids_of, tight_box
from segtutor.labels import SCENES
from segtutor.metrics import panoptic_quality
from tests.datasets.conftest import SIZE

IMAGE = tv_tensors.Image(torch.zeros(3, 20, 30, dtype=torch.uint8))


def target_of(ids):
    info = [
        {"id": number, "category_id": number % 3, "isthing": 1, "iscrowd": 0, **shape}
        for number, shape in describe_segments(ids).items()
    ]
    return {"segments": tv_tensors.Mask(torch.from_numpy(ids)), "segments_info": info, "image_id": 1}


def halves():
    """Id 300 in the left third of 20 x 30, 70000 in the rest."""
    return target_of(np.where(np.arange(30) < 10, 300, 70000) * np.ones((20, 1), np.int64))


def check(target):
    """Each id of the map is listed once, with the area and box that it has there; nothing else is listed."""
    ids = target["segments"].numpy()
    assert {item["id"] for item in target["segments_info"]} == set(np.unique(ids).tolist()) - {0}
    for item in target["segments_info"]:
        mask = ids == item["id"]
        x0, y0, x1, y1 = tight_box(mask)
        assert (item["area"], item["bbox"]) == (int(mask.sum()), [x0, y0, x1 - x0, y1 - y0])


class TestByHand:
    def test_padding_is_void(self):
        torch.manual_seed(0)
        _, target = transforms.train_transforms((40, 40), (1, 1), flip=0)(IMAGE, halves())
        assert target["segments"].unique().tolist() == [0, 300, 70000]
        assert [item["bbox"] for item in target["segments_info"]] == [[0, 0, 10, 20], [10, 0, 20, 20]]

    def test_flipping_moves_the_boxes(self):
        _, target = transforms.train_transforms((20, 30), (1, 1), flip=1)(IMAGE, halves())
        assert [item["bbox"] for item in target["segments_info"]] == [[20, 0, 10, 20], [0, 0, 20, 20]]

    def test_what_is_cut_away_is_not_listed(self):
        crop = transforms.RandomScaledCrop((5, 5), (1, 1))
        seen = set()
        for seed in range(30):
            torch.manual_seed(seed)
            _, target = crop(IMAGE, halves())
            check(target)
            seen.add(tuple(item["id"] for item in target["segments_info"]))
        assert seen == {(300,), (70000,), (300, 70000)}

    def test_the_target_that_came_stays_as_it_was(self):
        target = halves()
        before = [dict(item) for item in target["segments_info"]]
        transforms.RandomScaledCrop((5, 5), (1, 1))(IMAGE, target)
        assert target["segments_info"] == before

    def test_enlarged(self):
        _, target = transforms.RandomScaledCrop((40, 60), (2, 2))(IMAGE, halves())
        assert [item["area"] for item in target["segments_info"]] == [800, 1600]


class TestDescribeSegments:
    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=60, deadline=None)
    def test_equals_a_loop(self, seed):
        random = np.random.default_rng(seed)
        ids = random.integers(0, 5, random.integers(1, 9, 2)) * random.integers(1, 1 << 22)
        expected = {}
        for number in np.unique(ids[ids != 0]).tolist():
            x0, y0, x1, y1 = tight_box(ids == number)
            expected[number] = {"area": int((ids == number).sum()), "bbox": [x0, y0, x1 - x0, y1 - y0]}
        assert describe_segments(ids) == expected

    def test_nothing(self):
        assert describe_segments(np.zeros((3, 4), np.int64)) == describe_segments(np.zeros((0, 4), np.int64)) == {}

    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_ids_of_a_picture(self, mode):
        ids = np.random.default_rng(0).integers(0, 1 << 24, (7, 9))
        image = Image.fromarray(segment_colors(ids)).convert(mode)
        assert np.array_equal(segment_ids_of(image), ids)
        assert np.array_equal(segment_ids(np.asarray(image)), ids)
        with pytest.raises(ValueError, match="mode is L"):
            segment_ids_of(image.convert("L"))


@given(seed=st.integers(0, 10_000), index=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_quality_of_a_target_with_itself_is_one_after_random_transforms(seed, index):
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    steps = [
        transforms.RandomScaledCrop(tuple(random.integers(8, 130, 2).tolist()), (0.5, 2.0)),
        transforms.RandomRotation(float(random.uniform(0, 90)), probability=1),
        v2.RandomHorizontalFlip(1.0),
        v2.RandomVerticalFlip(1.0),
        v2.RandomCrop((20, 25), pad_if_needed=True),
    ]
    order = random.permutation(len(steps))[: random.integers(1, len(steps) + 1)]
    image, target = Scenes(
        "train", size=SIZE, count=4, target="panoptic", transforms=v2.Compose([steps[i] for i in order])
    )[index]
    assert image.shape[1:] == target["segments"].shape
    check(target)
    pair = target["segments"], target["segments_info"]
    if target["segments_info"]:
        assert panoptic_quality(pair, pair, SCENES).overall.PQ == 1
    else:  # the crop shows nothing but padding
        assert not target["segments"].any()


@pytest.mark.parametrize("kind", ["scenes", "cityscapes", "coco"])
def test_data_sets_keep_the_list_in_step_with_transforms_of_torchvision(kind, exported):
    flip = v2.RandomHorizontalFlip(1.0)

    def data(moved):
        if kind == "scenes":
            return Scenes("train", size=SIZE, count=2, target="panoptic", transforms=moved)
        if kind == "cityscapes":
            return Cityscapes(exported["cityscapes"], target="panoptic", transforms=moved)
        return CocoPanoptic(exported["coco"], transforms=moved)

    before, after = data(None)[0][1], data(flip)[0][1]
    check(after)
    width = before["segments"].shape[-1]
    for old, new in zip(before["segments_info"], after["segments_info"], strict=True):
        assert new["bbox"][0] == width - old["bbox"][0] - old["bbox"][2]
    if kind == "scenes":
        assert transforms.Transformed(data(None), flip)[0][1]["segments_info"] == after["segments_info"]


def test_an_id_that_is_not_listed_is_refused(exported):
    pad = v2.Pad(2, fill={tv_tensors.Image: 0, tv_tensors.Mask: 255})
    with pytest.raises(
        ValueError, match=r"segment id 255, which segments_info does not list .* pad panoptic maps with 0"
    ):
        CocoPanoptic(exported["coco"], transforms=pad)[0]


class TestOtherMasks:
    def pad(self, mask, **options):
        return transforms.RandomScaledCrop((40, 40), (1, 1), **options)(IMAGE, mask)[1]

    @pytest.mark.parametrize("ignore_index", [-100, 300, 256])
    def test_an_ignore_index_that_does_not_fit(self, ignore_index):
        labels = tv_tensors.Mask(torch.zeros(20, 30, dtype=torch.uint8))
        with pytest.raises(ValueError, match=rf"torch.uint8 cannot hold the ignore index {ignore_index} .*int64"):
            self.pad(labels, ignore_index=ignore_index)
        assert self.pad(tv_tensors.Mask(labels.long()), ignore_index=ignore_index).unique().tolist() == sorted(
            [0, ignore_index]
        )

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_floats_that_round_it(self, dtype):
        with pytest.raises(ValueError, match="cannot hold the ignore index 2049"):
            self.pad(tv_tensors.Mask(torch.zeros(20, 30, dtype=dtype)), ignore_index=2049)

    @pytest.mark.parametrize(
        "transform", [transforms.RandomScaledCrop((40, 40), (1, 1)), transforms.RandomRotation(9, 1)]
    )
    def test_booleans(self, transform):
        with pytest.raises(ValueError, match="booleans cannot hold the ignore index 255"):
            transform(IMAGE, tv_tensors.Mask(torch.zeros(20, 30, dtype=torch.bool)))
        masks = transform(IMAGE, {"masks": tv_tensors.Mask(torch.zeros(1, 20, 30, dtype=torch.bool))})[1]["masks"]
        assert not masks.any()

    def test_a_label_map_with_an_axis_of_its_own_is_padded_with_void(self):
        assert self.pad(tv_tensors.Mask(torch.zeros(1, 20, 30, dtype=torch.uint8))).unique().tolist() == [0, 255]
        one = {"masks": tv_tensors.Mask(torch.zeros(1, 20, 30, dtype=torch.uint8))}
        assert self.pad(one)["masks"].unique().tolist() == [0]

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            (torch.zeros(20, 30), r"a Tensor of shape \(20, 30\) would not move .*tv_tensors\.Mask"),
            (np.zeros((20, 30)), r"a ndarray of shape \(20, 30\) would not move"),
            ({"masks": torch.zeros(2, 20, 30)}, "would not move"),
            ({"boxes": torch.zeros(2, 4)}, r"a Tensor of boxes would not move .*BoundingBoxes"),
            ({"segments": torch.zeros(20, 30), "segments_info": []}, "would not move"),
            (Image.new("L", (30, 20)), "a picture of Pillow would not move"),
        ],
    )
    def test_what_would_stay_behind_is_refused(self, target, message):
        with pytest.raises(ValueError, match=message):
            self.pad(target)

    def test_ids_too_large_to_turn(self):
        labels = tv_tensors.Mask(torch.full((20, 30), 1 << 24, dtype=torch.int64))
        with pytest.raises(ValueError, match="number them anew"):
            transforms.RandomRotation(9, 1)(IMAGE, labels)
