"""Scenes: determinism, size independence, annotation that agrees with itself, knobs that do what they say."""

import hashlib
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from segtutor import resources
from segtutor.datasets import Scenes
from segtutor.datasets.scenes import CLASSES
from segtutor.labels import SCENES, VOC2012


@pytest.fixture(scope="module")
def scenes():
    dataset = Scenes("train", count=60)
    return [dataset.scene(index) for index in range(len(dataset))]


def test_item_is_image_and_label_map():
    image, target = Scenes("val", size=(48, 64), count=2)[1]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(target, tv_tensors.Mask)
    assert image.shape == (3, 48, 64)
    assert image.dtype == torch.uint8
    assert target.shape == (48, 64)
    assert target.dtype == torch.int64
    assert set(target.unique().tolist()) <= {*CLASSES, 255}


def test_label_set_extends_voc():
    assert SCENES.names[:21] == VOC2012.names
    assert SCENES.things & set(CLASSES) == {number for number in CLASSES if number in SCENES.things}
    assert len(SCENES.things & set(CLASSES)) >= 10
    assert len(SCENES.stuff & set(CLASSES)) >= 8
    assert len(set(SCENES.colors)) == len(SCENES.colors)


def test_same_picture_in_any_order_count_and_process():
    first, second = Scenes("train", count=5), Scenes("train", count=5000)
    images = [second[index][0] for index in (4, 0, 2)]
    assert all(torch.equal(image, first[index][0]) for image, index in zip(images, (4, 0, 2), strict=True))
    program = (
        "import hashlib; from segtutor.datasets import Scenes; i, t = Scenes('train', count=9)[4];"
        "print(hashlib.sha256(i.numpy().tobytes() + t.numpy().tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=900)
    image, target = first[4]
    assert there.stdout.strip() == hashlib.sha256(image.numpy().tobytes() + target.numpy().tobytes()).hexdigest()


def test_splits_seeds_and_indices_differ():
    images = [
        Scenes(split, (48, 64), 3, seed=seed)[index][0].numpy().tobytes()
        for split in ("train", "val", "test")
        for seed in (0, 1)
        for index in (0, 1)
    ]
    assert len(set(images)) == len(images)


def test_pickles_and_works_in_workers():
    dataset = pickle.loads(pickle.dumps(Scenes("train", (48, 64), 6)))
    loaded = torch.cat([image for image, _ in DataLoader(dataset, batch_size=2, num_workers=1)])
    assert torch.equal(loaded, torch.stack([dataset[index][0] for index in range(6)]))


def test_size_changes_only_the_resolution():
    small, large = Scenes("val", (128, 160), 8, void_border=0), Scenes("val", (256, 320), 8, void_border=0)
    agree = [np.mean(small.scene(i).labels == large.scene(i).labels[::2, ::2]) for i in range(8)]
    assert np.mean(agree) > 0.95
    assert min(agree) > 0.9
    assert Scenes("val", (67, 201), 1)[0][0].shape == (3, 67, 201)


def test_boxes_and_masks_agree_with_the_labels(scenes):
    for scene in scenes:
        for item in scene.instances:
            assert item.label in SCENES.things
            assert set(np.unique(scene.labels[item.mask])) <= {item.label, 255}
            rows, columns = np.nonzero(item.mask)
            assert item.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert not (item.mask & ~item.full_mask).any()
        seen = sum((item.mask.astype(int) for item in scene.instances), np.zeros(scene.labels.shape, int))
        assert seen.max(initial=0) <= 1
        assert np.array_equal(seen > 0, scene.things > 0)
        thing_pixels = np.isin(scene.labels, list(SCENES.things))
        assert not (thing_pixels & (scene.things == 0)).any()


def test_some_full_masks_overlap(scenes):
    assert any((item.full_mask & ~item.mask).sum() > 20 for scene in scenes for item in scene.instances)


def test_void_is_a_thin_line_beside_things(scenes):
    for scene in scenes:
        void = scene.labels == 255
        changes = np.zeros_like(void)
        for axis in (0, 1):
            edge = np.diff(scene.things, axis=axis) != 0
            low = [slice(None)] * 2
            high = [slice(None)] * 2
            low[axis], high[axis] = slice(None, -1), slice(1, None)
            changes[tuple(low)] |= edge
            changes[tuple(high)] |= edge
        assert not (void & ~changes).any()  # one pixel wide, at the edge of a thing
    share = np.mean([np.mean(scene.labels == 255) for scene in scenes])
    assert 0.005 < share < 0.08
    assert not (Scenes("train", count=1, void_border=0).scene(0).labels == 255).any()


def test_instance_target():
    dataset = Scenes("train", count=4, target="instances")
    _, target = dataset[3]
    scene = dataset.scene(3)
    count = len(scene.instances)
    assert target["boxes"].format is tv_tensors.BoundingBoxFormat.XYXY
    assert target["boxes"].shape == (count, 4)
    assert target["masks"].shape == (count, 128, 160)
    assert target["labels"].tolist() == [item.label for item in scene.instances]
    assert target["area"].tolist() == [item.mask.sum() for item in scene.instances]
    assert target["image_id"] == 3


def test_panoptic_target_tells_the_same_as_the_labels():
    for index in range(6):
        _, target = Scenes("val", count=6, target="panoptic")[index]
        _, labels = Scenes("val", count=6)[index]
        segments = target["segments"].numpy()
        rebuilt = np.full(segments.shape, 255)
        for info in target["segments_info"]:
            mask = segments == info["id"]
            assert mask.sum() == info["area"] > 0
            assert bool(info["isthing"]) == (info["category_id"] in SCENES.things)
            rows, columns = np.nonzero(mask)
            x, y, width, height = info["bbox"]
            assert (x, y, x + width, y + height) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            rebuilt[mask] = info["category_id"]
        assert np.array_equal(rebuilt, labels.numpy())


def test_every_class_appears():
    dataset = Scenes("train", (64, 80), 200)
    seen = np.zeros(256, dtype=int)
    for index in range(200):
        seen[np.unique(dataset[index][1].numpy())] += 1
    for number in CLASSES:
        assert seen[number] >= 14, f"{SCENES.names[number]} is in only {seen[number]} of 200 scenes"
    assert set(np.flatnonzero(seen)) == {*CLASSES, 255}


def test_color_alone_does_not_tell_the_class():
    """The best class per coarse color, learned on half of the scenes, is wrong for most things on the other half."""
    dataset = Scenes("train", (64, 80), 80)
    votes = np.zeros((2, 8**3, 256), dtype=int)
    for index in range(80):
        image, labels = dataset[index]
        color = (image.numpy() // 32).astype(int)
        np.add.at(votes[index % 2], ((color[0] * 64 + color[1] * 8 + color[2]).ravel(), labels.numpy().ravel()), 1)
    best = votes[0, :, :255].argmax(axis=1)
    hits = votes[1][np.arange(8**3), best].sum() / votes[1, :, :255].sum()
    assert hits < 0.65
    things = sorted(SCENES.things)
    right = sum(votes[1][best == number, number].sum() for number in things)
    assert right / votes[1][:, things].sum() < 0.25


def test_thin_turns_poles_masts_and_leashes_up_and_down():
    def thin_share(amount):
        dataset = Scenes("train", (96, 120), 25, thin=amount)
        return np.mean([dataset.scene(index).thin.mean() for index in range(25)])

    none, usual, many = thin_share(0), thin_share(1), thin_share(3)
    assert none == 0
    assert 0 < usual < many
    labels = {int(v) for i in range(10) for v in np.unique(Scenes("train", (96, 120), 10, thin=0)[i][1])}
    assert SCENES.index("pole") not in labels


def unit_range(scale_range):
    from segtutor.datasets.scenes.compose import make_layout
    from segtutor.datasets.scenes.settings import Settings

    ratios = []
    for index in range(150):
        layout = make_layout(f"train/0/{index}", 1.25, Settings(scale_range=scale_range))
        units = [p.unit for layer in layout.layers for p in layer.objects if p.figure == "person"]
        ratios += [unit / layout.frame.largest_unit for unit in units]
    return max(ratios) / min(ratios)


def test_scale_range():
    assert unit_range(20) >= 16
    assert unit_range(4) <= 4.001
    dataset = Scenes("train", (256, 320), 60, kinds=("park", "beach"))
    heights = [
        item.box[3] - item.box[1]
        for index in range(60)
        for item in dataset.scene(index).instances
        if item.label == SCENES.index("person") and item.mask.sum() > 0.95 * item.full_mask.sum()
    ]
    assert max(heights) / min(heights) >= 16


def test_crowd_makes_things_touch():
    def touching(amount):
        dataset, pairs = Scenes("train", (96, 120), 25, crowd=amount), 0
        for index in range(25):
            things = dataset.scene(index).things
            for a, b in ((things[1:], things[:-1]), (things[:, 1:], things[:, :-1])):
                meet = (a != b) & (a > 0) & (b > 0)
                pairs += len({tuple(sorted(pair)) for pair in zip(a[meet].tolist(), b[meet].tolist(), strict=True)})
        return pairs

    assert touching(0) < touching(1) < touching(3)


def test_wrong_arguments_are_explained():
    wrong = [
        ({"split": "trainval"}, "split must be one of train, val, test"),
        ({"size": 128}, "size must be"),
        ({"size": (8, 8)}, "size must be"),
        ({"count": -1}, "count must be"),
        ({"seed": 0.5}, "seed must be"),
        ({"target": "boxes"}, "target must be one of"),
        ({"kinds": ("moon",)}, "kinds must be"),
        ({"kinds": "street"}, "kinds must be"),
        ({"thin": -1}, "thin must be"),
        ({"scale_range": 0.5}, "scale_range must be"),
        ({"crowd": float("nan")}, "crowd must be"),
        ({"context_distance": 0.9}, "context_distance must be"),
        ({"void_border": 1}, "void_border must be"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            Scenes(**arguments)
    with pytest.raises(IndexError, match="3 pictures"):
        Scenes(count=3)[3]


def test_transforms_get_image_and_target():
    dataset = Scenes(size=(48, 64), count=1, transforms=lambda image, target: (image.flip(-1), target.flip(-1)))
    plain = Scenes(size=(48, 64), count=1)[0]
    assert torch.equal(dataset[0][0], plain[0].flip(-1))
    assert torch.equal(dataset[0][1], plain[1].flip(-1))


def test_documented_statistics_are_those_of_a_fresh_sample():
    documented = json.loads(resources.data("scenes_statistics.json").read_text())
    count = 150
    dataset = Scenes("train", (64, 80), count, seed=7)
    pixels, shown = np.zeros(256), np.zeros(256)
    for index in range(count):
        found = np.bincount(dataset[index][1].numpy().ravel(), minlength=256)
        pixels, shown = pixels + found, shown + (found > 0)
    assert set(documented["classes"]) == {SCENES.names[number] for number in CLASSES}
    for name, shares in documented["classes"].items():
        number = SCENES.index(name)
        spread = 4 * np.sqrt(shares["scene_share"] * (1 - shares["scene_share"]) / count)
        assert shown[number] / count == pytest.approx(shares["scene_share"], abs=spread + 0.08), name
        assert pixels[number] / pixels[:255].sum() == pytest.approx(shares["pixel_share"], rel=0.5, abs=0.004), name
