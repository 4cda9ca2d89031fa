import json
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO as PyCoco

from segtutor.datasets import (
    Cityscapes,
    CocoInstances,
    CocoPanoptic,
    CocoSegmentation,
    PascalContext,
    Scenes,
    VOCSegmentation,
    export,
    read_mapping,
)
from segtutor.datasets.exporting.outlines import outlines
from segtutor.labels import SCENES, LabelSet

VOID = 255


def expected(scene_labels: np.ndarray, mapping: dict, labels: LabelSet, missing: int) -> np.ndarray:
    """Labels of a scene in another label set, by the written mapping of names."""
    result = np.full(scene_labels.shape, VOID, dtype=np.int64)
    for number, name in enumerate(SCENES.names):
        entry = mapping[name]
        known = entry is not None and entry[0] in labels.names
        result[scene_labels == number] = labels.index(entry[0]) if known else missing
    return result


class TestLabelsComeBack:
    @pytest.mark.parametrize("split", ["train", "val"])
    def test_voc(self, exported, scenes, split):
        data = VOCSegmentation(exported["voc"], image_set=split)
        mapping = read_mapping(exported["voc"])
        assert len(data) == len(scenes[split])
        for index in range(len(data)):
            labels = scenes[split].scene(index).labels
            wanted = expected(labels, mapping, data.labels, missing=0)
            assert np.array_equal(data[index][1].numpy(), wanted)
            # Scenes bear VOC's numbers, so the mapping is also this:
            assert np.array_equal(wanted, np.where((labels > 20) & (labels != VOID), 0, labels))

    @pytest.mark.parametrize("split", ["train", "val"])
    def test_coco_panoptic_classes(self, exported, scenes, split):
        data = CocoSegmentation(exported["coco"], split=f"{split}2017")
        mapping = read_mapping(exported["coco"])
        for index in range(len(data)):
            wanted = expected(scenes[split].scene(index).labels, mapping, data.labels, missing=VOID)
            assert np.array_equal(data[index][1].numpy(), wanted)

    def test_coco_stuff_forms_agree(self, exported, scenes):
        forms = [CocoSegmentation(exported["coco"], source=source) for source in ("stuff", "stuff_png", "stuff_things")]
        stuff, things = forms[0].labels, forms[2].labels
        for index in range(len(forms[0])):
            from_json, from_png, both = (form[index][1].numpy() for form in forms)
            assert np.array_equal(from_json, from_png)
            labels = scenes["train"].scene(index).labels
            assert (from_png[np.isin(labels, range(1, 21))] == stuff.index("other")).all()
            assert (both[labels == SCENES.index("person")] == things.index("person")).all()
            for ours, theirs in (("sky", "sky-other"), ("pavement", "pavement"), ("water", "water-other")):
                assert np.array_equal(labels == SCENES.index(ours), from_png == stuff.index(theirs))
                assert np.array_equal(labels == SCENES.index(ours), both == things.index(theirs))

    @pytest.mark.parametrize("split", ["train", "val"])
    def test_cityscapes(self, exported, scenes, split):
        data = Cityscapes(exported["cityscapes"], split=split)
        all_ids = Cityscapes(exported["cityscapes"], split=split, ids="all")
        mapping = read_mapping(exported["cityscapes"])
        for index, path in enumerate(data.images):
            number = int(Path(path).name.split("_")[1]) - 1 - (5 if split == "val" else 0)
            labels = scenes[split].scene(number).labels
            assert Path(path).parent.name == scenes[split].scene(number).kind
            assert np.array_equal(data[index][1].numpy(), expected(labels, mapping, data.labels, missing=VOID))
            ids = all_ids[index][1].numpy()
            assert np.array_equal(
                ids, np.where(labels == VOID, 0, expected(labels, mapping, all_ids.labels, missing=99))
            )

    @pytest.mark.parametrize(("classes", "source"), [(59, "png"), (59, "mat"), (60, "png"), (60, "mat"), (459, "mat")])
    def test_pascal_context(self, exported, scenes, classes, source):
        data = PascalContext(exported["pascal_context"], num_classes=classes, source=source)
        mapping = {
            name: entry and (("diningtable" if entry[0] == "table" and classes < 459 else entry[0]), entry[1])
            for name, entry in read_mapping(exported["pascal_context"]).items()
        }
        missing = {59: VOID, 60: 0, 459: data.labels.names.index("unknown") if classes == 459 else None}[classes]
        for index in range(len(data)):
            labels = scenes["train"].scene(index).labels
            wanted = expected(labels, mapping, data.labels, missing)
            wanted[labels == VOID] = {59: VOID, 60: 0, 459: 459}[classes]
            assert np.array_equal(data[index][1].numpy(), wanted)

    def test_lossless_pictures_come_back_too(self, exported, scenes):
        data = Cityscapes(exported["cityscapes"], split="val")
        number = int(Path(data.images[0]).name.split("_")[1]) - 1 - 5
        image, _ = data[0]
        assert np.array_equal(image.numpy(), scenes["val"].scene(number).image.transpose(2, 0, 1))

    def test_a_jpeg_stays_close(self, exported, scenes):
        image, _ = VOCSegmentation(exported["voc"])[0]
        difference = image.float() - torch.from_numpy(scenes["train"].scene(0).image.transpose(2, 0, 1)).float()
        assert difference.abs().mean() < 5


class TestObjectsComeBack:
    def test_voc(self, exported, scenes):
        data = VOCSegmentation(exported["voc"], target="instances")
        for index in range(len(data)):
            scene = scenes["train"].scene(index)
            visible = scene.labels != VOID
            wanted = [i for i in scene.instances if i.label <= 20 and (i.mask & visible).any()]
            target = data[index][1]
            assert target["labels"].tolist() == [item.label for item in wanted]
            for item, mask, area in zip(wanted, target["masks"], target["area"], strict=True):
                assert np.array_equal(mask.numpy(), item.mask & visible)
                assert area == (item.mask & visible).sum()

    def test_cityscapes(self, exported, scenes):
        data = Cityscapes(exported["cityscapes"], target="instances")
        total = 0
        for index, path in enumerate(data.images):
            scene = scenes["train"].scene(int(Path(path).name.split("_")[1]) - 1)
            wanted = {
                ((item.mask & (scene.labels != VOID)).tobytes(), SCENES.names[item.label])
                for item in scene.instances
                if SCENES.names[item.label] in ("person", "car", "bus", "bicycle", "train")
                and (item.mask & (scene.labels != VOID)).any()
            }
            target = data[index][1]
            found = {
                (mask.numpy().tobytes(), data.labels.names[label])
                for mask, label in zip(target["masks"], target["labels"].tolist(), strict=True)
            }
            assert found == wanted
            total += len(found)
        assert total > 0

    def test_coco_singles_and_crowds(self, exported, scenes):
        data = CocoInstances(exported["coco"], crowd=True)
        without = CocoInstances(exported["coco"])
        crowds = 0
        for index in range(len(data)):
            scene = scenes["train"].scene(index)
            target = data[index][1]
            crowds += int(target["iscrowd"].sum())
            assert len(without[index][1]["labels"]) == int((target["iscrowd"] == 0).sum())
            for label in set(target["labels"].tolist()):
                name = {"airplane": "aeroplane", "motorcycle": "motorbike"}.get(
                    data.labels.names[label], data.labels.names[label]
                )
                of_class = (scene.labels == SCENES.index(name)) & (scene.things > 0)
                assert np.array_equal(target["masks"][target["labels"] == label].numpy().any(axis=0), of_class)
            for mask, box in zip(target["masks"], target["boxes"], strict=True):
                rows, columns = np.nonzero(mask.numpy())
                assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert crowds > 0, "the scenes of this test must hold a crowd"


class TestOthersReadThem:
    def test_torchvision_voc(self, exported):
        theirs = torchvision.datasets.VOCSegmentation(str(exported["voc"]), image_set="val")
        ours = VOCSegmentation(exported["voc"], image_set="val")
        for index in range(len(ours)):
            image, mask = theirs[index]
            assert mask.mode == "P"
            assert mask.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
            assert mask.getpalette()[765:] == [224, 224, 192]
            assert np.array_equal(np.asarray(mask), ours[index][1].numpy())
            assert np.array_equal(np.asarray(image), ours[index][0].numpy().transpose(1, 2, 0))

    def test_voc_boxes_count_from_one(self, exported, scenes):
        data = VOCSegmentation(exported["voc"], target="instances")
        for index, name in enumerate(data.names):
            tree = ElementTree.parse(exported["voc"] / "VOCdevkit/VOC2012/Annotations" / f"{name}.xml")
            boxes = [
                [int(item.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")]
                for item in tree.iter("object")
            ]
            wanted = data[index][1]["boxes"].numpy() + np.array([1, 1, 0, 0])
            assert boxes == wanted.astype(int).tolist()
            assert [item.findtext("name") for item in tree.iter("object")] == [
                data.labels.names[label] for label in data[index][1]["labels"]
            ]

    def test_pycocotools_draws_the_same_masks(self, exported):
        data = CocoInstances(exported["coco"], crowd=True)
        theirs = PyCoco(str(exported["coco"] / "annotations/instances_train2017.json"))
        kinds = set()
        for index, entry in enumerate(data.file.images):
            items = theirs.loadAnns(theirs.getAnnIds(imgIds=[entry["id"]]))
            kinds |= {type(item["segmentation"]) for item in items}
            masks = data[index][1]["masks"].numpy()
            assert len(masks) == len(items)
            for item, mask in zip(items, masks, strict=True):
                assert np.array_equal(theirs.annToMask(item).astype(bool), mask)
                assert item["area"] == mask.sum() == coco_mask.area(theirs.annToRLE(item))
                assert coco_mask.toBbox(theirs.annToRLE(item)).tolist() == item["bbox"]
        assert kinds == {list, dict}, "both polygons and run lengths must occur"

    def test_torchvision_coco(self, exported):
        theirs = torchvision.datasets.CocoDetection(
            str(exported["coco"] / "val2017"), str(exported["coco"] / "annotations/instances_val2017.json")
        )
        wrapped = torchvision.datasets.wrap_dataset_for_transforms_v2(
            theirs, target_keys=("boxes", "labels", "masks", "image_id")
        )
        ours = CocoInstances(exported["coco"], split="val2017", ids="coco", crowd=True)
        assert len(ours) == len(wrapped)
        for index in range(len(ours)):
            target, other = ours[index][1], wrapped[index][1]
            assert target["image_id"] == other["image_id"]
            if len(target["labels"]):
                assert torch.equal(target["labels"], other["labels"])
                assert torch.equal(target["masks"], other["masks"].bool())
                assert torch.equal(target["boxes"], other["boxes"])

    def test_stuff_json_in_pycocotools(self, exported):
        theirs = PyCoco(str(exported["coco"] / "annotations/stuff_train2017.json"))
        for entry in theirs.loadImgs(theirs.getImgIds()):
            drawn = np.zeros((entry["height"], entry["width"]), dtype=np.uint8)
            for item in theirs.loadAnns(theirs.getAnnIds(imgIds=[entry["id"]])):
                drawn[theirs.annToMask(item) == 1] = item["category_id"]
                assert coco_mask.toBbox(theirs.annToRLE(item)).tolist() == item["bbox"]
            path = exported["coco"] / "annotations/stuff_train2017_pixelmaps" / f"{entry['id']:012d}.png"
            assert np.array_equal(drawn, np.asarray(Image.open(path)))

    @pytest.mark.parametrize(
        ("layout", "json_file"),
        [("coco", "annotations/panoptic_train2017.json"), ("cityscapes", "gtFine/cityscapes_panoptic_train.json")],
    )
    def test_rules_of_panopticapi(self, exported, layout, json_file):
        """Its evaluator demands: ids of PNG and JSON equal, known categories, true areas; boxes are tight."""
        path = exported[layout] / json_file
        content = json.loads(path.read_text())
        categories = {item["id"] for item in content["categories"]}
        images = {item["id"]: item for item in content["images"]}
        assert content["annotations"]
        for item in content["annotations"]:
            colors = np.array(Image.open(path.with_suffix("") / item["file_name"]), dtype=np.uint32)
            ids = colors[..., 0] + 256 * colors[..., 1] + 256 * 256 * colors[..., 2]
            assert ids.shape == (images[item["image_id"]]["height"], images[item["image_id"]]["width"])
            listed = [segment["id"] for segment in item["segments_info"]]
            assert len(set(listed)) == len(listed)
            assert set(np.unique(ids).tolist()) - {0} == set(listed)
            for segment in item["segments_info"]:
                rows, columns = np.nonzero(ids == segment["id"])
                assert segment["area"] == len(rows)
                x, y = int(columns.min()), int(rows.min())
                assert segment["bbox"] == [x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y]
                assert segment["category_id"] in categories

    def test_torchvision_cityscapes(self, exported):
        kinds = ["instance", "semantic", "polygon", "color"]
        theirs = torchvision.datasets.Cityscapes(str(exported["cityscapes"]), split="train", target_type=kinds)
        order = np.argsort(theirs.images)
        ours = Cityscapes(exported["cityscapes"], ids="all")
        for index, other in enumerate(order):
            image, (instances, ids, polygons, color) = theirs[int(other)]
            assert np.array_equal(np.asarray(image), ours[index][0].numpy().transpose(1, 2, 0))
            ids, instances = np.asarray(ids), np.asarray(instances).astype(int)
            assert np.array_equal(ids, ours[index][1].numpy())
            assert np.array_equal(np.where(instances >= 1000, instances // 1000, instances), ids)
            palette = np.array([item.color for item in theirs.classes if item.id >= 0])
            assert np.array_equal(np.asarray(color), palette[ids])
            assert (polygons["imgHeight"], polygons["imgWidth"]) == ids.shape
            names = {item.name for item in theirs.classes} | {f"{item.name}group" for item in theirs.classes}
            assert {item["label"] for item in polygons["objects"]} <= names

    def test_cityscapes_panoptic_files_are_what_the_loader_derives(self, exported):
        data = Cityscapes(exported["cityscapes"], target="panoptic", ids="all")
        content = json.loads((exported["cityscapes"] / "gtFine/cityscapes_panoptic_train.json").read_text())
        info_of = {item["image_id"]: item for item in content["annotations"]}
        for index, path in enumerate(data.images):
            item = info_of[Path(path).name.removesuffix("_leftImg8bit.png")]
            target = data[index][1]
            keys = ("id", "category_id", "area", "bbox", "iscrowd")
            assert [{key: s[key] for key in keys} for s in target["segments_info"]] == [
                {key: s[key] for key in keys} for s in item["segments_info"]
            ]


class TestOutlines:
    def test_a_ring_with_an_island(self):
        mask = np.zeros((7, 7), dtype=bool)
        mask[1:6, 1:6] = True
        mask[2:5, 2:5] = False
        mask[3, 3] = True
        rings = outlines(mask)
        assert len(rings) == 2
        assert sorted(len(ring) for ring in rings) == [4, 4 + 1 + 4 + 1]

    @settings(max_examples=60, deadline=None)
    @given(st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 1), st.integers(0, 2**31))
    def test_pycocotools_draws_exactly_the_mask(self, height, width, share, seed):
        mask = np.random.default_rng(seed).random((height, width)) < share
        polygons = [[float(value) for point in ring for value in point] for ring in outlines(mask)]
        if not mask.any():
            assert polygons == []
            return
        drawn = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, height, width)))
        assert np.array_equal(drawn.astype(bool), mask)

    def test_corners_only(self):
        for ring in outlines(np.ones((3, 5), dtype=bool)):
            directions = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise([*ring, ring[0]])]
            assert len(ring) == 4
            assert all(0 in direction for direction in directions)


class TestWholeOrAbsent:
    def test_a_failure_leaves_nothing(self, tmp_path):
        class Breaking(Scenes):
            def scene(self, index):
                if index == 2:
                    raise RuntimeError("the disk is full")
                return super().scene(index)

        with pytest.raises(RuntimeError, match="disk is full"):
            export(Breaking("train", size=(48, 64), count=4), tmp_path / "out")
        assert list(tmp_path.iterdir()) == []

    def test_what_is_there_is_not_replaced(self, tmp_path):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "photo.jpg").write_bytes(b"precious")
        for overwrite in (False, True):
            with pytest.raises(FileExistsError, match="mine"):
                export(Scenes("train", size=(48, 64), count=1), tmp_path / "mine", overwrite=overwrite)
        assert (tmp_path / "mine" / "photo.jpg").read_bytes() == b"precious"

    def test_an_earlier_export_is_replaced_on_request(self, tmp_path):
        data = Scenes("train", size=(48, 64), count=3)
        export(data, tmp_path / "out", count=3)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            export(data, tmp_path / "out", count=1)
        assert len(VOCSegmentation(tmp_path / "out")) == 3
        export(data, tmp_path / "out", count=1, overwrite=True)
        assert len(VOCSegmentation(tmp_path / "out")) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"layout": "ade20k"}, "layout must be one of voc, coco, cityscapes, pascal_context"),
            ({"count": 9}, "count is 9, but split 'train' has 2 pictures"),
            ({"count": 0}, "count is 0"),
        ],
    )
    def test_wrong_arguments(self, tmp_path, arguments, message):
        with pytest.raises(ValueError, match=message):
            export(Scenes("train", size=(48, 64), count=2), tmp_path / "out", **arguments)
        assert not (tmp_path / "out").exists()


class TestOtherSources:
    def test_from_voc_to_coco(self, exported, tmp_path):
        """A data set that is not Scenes: semantic labels only, and instances."""
        export(VOCSegmentation(exported["voc"]), tmp_path / "semantic", layout="coco")
        semantic = CocoSegmentation(tmp_path / "semantic")
        original = VOCSegmentation(exported["voc"])
        for index in range(len(original)):
            labels, found = original[index][1], semantic[index][1]
            assert torch.equal(labels == original.labels.index("person"), found == semantic.labels.index("person"))
            assert torch.equal((labels == 0) | (labels == 255), found == 255)
        export(VOCSegmentation(exported["voc"], target="instances"), tmp_path / "instances", layout="coco", singles=99)
        instances = CocoInstances(tmp_path / "instances")
        objects = VOCSegmentation(exported["voc"], target="instances")
        counts = [len(objects[index][1]["labels"]) for index in range(len(objects))]
        assert [len(instances[index][1]["labels"]) for index in range(len(instances))] == counts
        assert sum(counts) > 0

    def test_from_panoptic_to_panoptic(self, exported, tmp_path):
        original = CocoPanoptic(exported["coco"])
        export(original, tmp_path / "again", layout="coco", singles=2)
        again = CocoPanoptic(tmp_path / "again")
        for index in range(len(original)):
            first, second = original[index][1], again[index][1]
            pairs = {*zip(first["segments"].flatten().tolist(), second["segments"].flatten().tolist(), strict=True)}
            assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
            assert sorted(s["category_id"] for s in first["segments_info"]) == sorted(
                s["category_id"] for s in second["segments_info"]
            )

    def test_normalized_pictures_are_refused(self, tmp_path):
        data = Scenes("train", size=(48, 64), count=1)
        floats = [(image.float(), target) for image, target in data]

        class Floats:
            labels = SCENES

            def __len__(self):
                return 1

            def __getitem__(self, index):
                return floats[index]

        with pytest.raises(ValueError, match="uint8"):
            export(Floats(), tmp_path / "out")
