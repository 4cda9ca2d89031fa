import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO as PyCoco
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from segtutor.datasets import CocoInstances, CocoPanoptic, CocoSegmentation
from segtutor.datasets.coco_json import problems, read_coco
from segtutor.datasets.targets import segment_colors, segment_ids
from segtutor.labels import COCO, COCO_91, COCO_IDS, COCO_PANOPTIC, COCO_PANOPTIC_IDS
from tests.shared import shared_data

INSTANCES = "annotations/instances_train2017.json"
PANOPTIC = "annotations/panoptic_train2017.json"


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


class TestPanopticIds:
    def test_by_hand(self):
        """R + 256 G + 65536 B."""
        colors = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [4, 3, 2]]], dtype=np.uint8)
        assert segment_ids(colors).tolist() == [[0, 1, 256, 65536, 4 + 3 * 256 + 2 * 65536]]

    def test_there_and_back(self):
        ids = np.random.default_rng(0).integers(0, 1 << 24, (9, 7))
        assert np.array_equal(segment_ids(segment_colors(ids)), ids)

    @pytest.mark.parametrize("wrong", [-1, 1 << 24])
    def test_an_id_that_does_not_fit(self, wrong):
        with pytest.raises(ValueError, match="16777215"):
            segment_colors(np.array([[0, wrong]]))


class TestItems:
    def test_types(self, exported):
        data = CocoInstances(exported["coco"])
        image, target = next(item for item in (data[i] for i in range(len(data))) if len(item[1]["labels"]))
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(target["boxes"], tv_tensors.BoundingBoxes)
        assert isinstance(target["masks"], tv_tensors.Mask)
        assert target["masks"].shape[1:] == image.shape[1:]
        assert set(target) == {"boxes", "labels", "masks", "image_id", "area", "iscrowd"}
        segments = CocoPanoptic(exported["coco"])[0][1]
        assert set(segments) == {"segments", "segments_info", "image_id"}
        assert isinstance(CocoSegmentation(exported["coco"])[0][1], tv_tensors.Mask)

    def test_the_two_ways_to_number_classes(self, exported):
        contiguous, own = CocoInstances(exported["coco"]), CocoInstances(exported["coco"], ids="coco")
        assert contiguous.labels is COCO
        assert own.labels is COCO_91
        for index in range(len(own)):
            first, second = contiguous[index][1]["labels"].tolist(), own[index][1]["labels"].tolist()
            assert [COCO_IDS[number] for number in first] == second
            assert [COCO.names[number] for number in first] == [COCO_91.names[number] for number in second]

    def test_a_picture_without_objects(self, copy_of):
        root = copy_of("coco")
        change(root / INSTANCES, lambda content: content.update(annotations=[]))
        target = CocoInstances(root)[0][1]
        assert target["boxes"].shape == (0, 4)
        assert target["masks"].shape == (0, 64, 80)
        assert target["labels"].dtype == torch.int64

    def test_a_box_without_area_is_drawn_from_the_mask(self, copy_of):
        root = copy_of("coco")
        index, count = max(
            enumerate(len(item[1]["labels"]) for item in (CocoInstances(root)[i] for i in range(5))), key=lambda x: x[1]
        )
        image_id, boxes = CocoInstances(root).file.images[index]["id"], CocoInstances(root)[index][1]["boxes"]

        def edit(content):
            items = [a for a in content["annotations"] if a["image_id"] == image_id and not a["iscrowd"]]
            items[0]["bbox"] = [0, 0, 0, 0]
            del items[1]["bbox"]

        change(root / INSTANCES, edit)
        assert count > 1
        assert torch.equal(CocoInstances(root)[index][1]["boxes"], boxes)  # those of the export are tight, too

    def test_someones_own_categories(self, copy_of):
        root = copy_of("coco")

        def edit(content):
            content["categories"] = [{"id": 7, "name": "weed"}, {"id": 3, "name": "crop"}]
            for item in content["annotations"]:
                item["category_id"] = 7

        change(root / INSTANCES, edit)
        data = CocoInstances(root)
        assert data.labels.names == ("background", "crop", "weed")
        assert {label for i in range(len(data)) for label in data[i][1]["labels"].tolist()} == {2}

    def test_pickles_and_works_in_workers(self, exported):
        data = CocoPanoptic(exported["coco"])
        assert torch.equal(pickle.loads(pickle.dumps(data))[0][1]["segments"], data[0][1]["segments"])
        for index, batch in enumerate(DataLoader(data, batch_size=1, num_workers=2, collate_fn=list)):
            assert torch.equal(batch[0][1]["segments"], data[index][1]["segments"])

    def test_the_annotation_decides_about_exif(self, copy_of):
        """COCO's annotations were drawn on some pictures turned, on some not: their width and height tell."""
        root = copy_of("coco")
        data = CocoInstances(root)
        path = data.folder / data.file.images[0]["file_name"]
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.open(path).save(path, exif=exif)
        assert CocoInstances(root)[0][0].shape == (3, 64, 80)
        change(root / INSTANCES, lambda c: c["images"][0].update(width=64, height=80) or c.update(annotations=[]))
        assert CocoInstances(root)[0][0].shape == (3, 80, 64)


class TestBadInput:
    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda c: c.pop("images"), "images is missing"),
            (lambda c: c["images"].clear(), "belongs to image id|lists no image"),
            (lambda c: c["images"].append(c["images"][0]), "images id 1 stands 2 times"),
            (lambda c: c["annotations"].append(c["annotations"][0]), "annotation id 1 stands 2 times"),
            (lambda c: c["categories"].append(c["categories"][0]), "categories id 1 stands 2 times"),
            (
                lambda c: c["annotations"][0].update(category_id=12),
                "annotation 1 has category id 12, which is not in cat",
            ),
            (lambda c: c["annotations"][0].update(image_id=999), "annotation 1 belongs to image id 999"),
            (
                lambda c: c["images"][0].pop("height"),
                r"entry 0 of images \(id 1\) must have a height and a width .* got None and 80",
            ),
        ],
    )
    def test_annotations_that_contradict_themselves(self, copy_of, edit, message):
        root = copy_of("coco")
        change(root / INSTANCES, edit)
        with pytest.raises(ValueError, match=message) as error:
            CocoInstances(root)
        assert "instances_train2017.json" in str(error.value)

    def test_broken_and_missing_json(self, copy_of):
        path = (root := copy_of("coco")) / INSTANCES
        path.write_text(path.read_text()[:-40])
        with pytest.raises(ValueError, match=r"instances_train2017\.json is not valid JSON"):
            CocoInstances(root)
        path.unlink()
        with pytest.raises(FileNotFoundError, match=r"instances_train2017\.json is missing"):
            CocoInstances(root)

    def test_every_contradiction_is_listed(self, exported):
        content = json.loads((exported["coco"] / INSTANCES).read_text())
        assert problems(content) == []
        content["images"].append(content["images"][0])
        content["annotations"][1]["category_id"] = 0
        assert len(problems(content)) == 3  # the id and the file name stand twice

    @pytest.mark.parametrize(
        ("segmentation", "message"),
        [
            ({"size": [3, 3], "counts": [9]}, r"for a picture of \[3, 3\], not \[64, 80\]"),
            ([[1.0, 2.0, 3.0]], "three points"),
            ([], "no segmentation"),
            ({"size": [64, 80], "counts": [3]}, "underrun"),
        ],
    )
    def test_broken_segmentation(self, copy_of, segmentation, message):
        root = copy_of("coco")
        change(root / INSTANCES, lambda content: content["annotations"][0].update(segmentation=segmentation, iscrowd=0))
        data = CocoInstances(root)
        index = [entry["id"] for entry in data.file.images].index(
            next(iter(json.loads((root / INSTANCES).read_text())["annotations"]))["image_id"]
        )
        with pytest.raises(ValueError, match=message) as error:
            data[index]
        assert "annotation 1 of " in str(error.value)

    def test_picture_of_another_size(self, copy_of):
        root = copy_of("coco")
        change(root / INSTANCES, lambda content: content["images"][0].update(width=81))
        with pytest.raises(ValueError, match=r"\.jpg is 64 x 80 .* annotation says 64 x 81"):
            CocoInstances(root)[0]

    def test_segment_in_png_only_and_in_json_only(self, copy_of):
        root = copy_of("coco")
        gone = []
        change(root / PANOPTIC, lambda content: gone.append(content["annotations"][0]["segments_info"].pop()))
        with pytest.raises(ValueError, match=rf"\.png: segment id {gone[0]['id']} is drawn in the file"):
            CocoPanoptic(root)[0]
        change(
            root / PANOPTIC,
            lambda content: content["annotations"][0]["segments_info"].extend([*gone, {**gone[0], "id": 77}]),
        )
        with pytest.raises(ValueError, match=r"segment id 77 is listed in .*not a pixel"):
            CocoPanoptic(root)[0]

    def test_a_gray_panoptic_png(self, copy_of):
        path = sorted((root := copy_of("coco")).glob("annotations/panoptic_train2017/*.png"))[0]
        Image.open(path).convert("L").save(path)
        with pytest.raises(ValueError, match=rf"{path.name} must be an RGB image of segment ids"):
            CocoPanoptic(root)[0]

    def test_a_value_that_is_no_category(self, copy_of):
        path = sorted((root := copy_of("coco")).glob("stuffthingmaps/train2017/*.png"))[0]
        values = np.array(Image.open(path))
        values[0, 0] = 182  # 183 - 1: only the stuff task has "other"
        Image.fromarray(values).save(path)
        with pytest.raises(ValueError, match=rf"{path.name} holds the value 182"):
            CocoSegmentation(root, source="stuff_things")[0]

    def test_source(self, exported):
        with pytest.raises(ValueError, match="source must be one of panoptic"):
            CocoSegmentation(exported["coco"], source="things")


@pytest.mark.shared_data
class TestRealFiles:
    def test_instances_equal_pycocotools(self):
        root = shared_data("coco")
        data = CocoInstances(root, crowd=True)
        assert len(data) == 50
        assert sum(len(items) for items in data.file.annotations.values()) == 470
        theirs = PyCoco(str(root / INSTANCES))
        crowds = 0
        for index in range(len(data)):
            image, target = data[index]
            assert image.shape[0] == 3
            items = theirs.loadAnns(theirs.getAnnIds(imgIds=[target["image_id"]]))
            assert [COCO_IDS[label] for label in target["labels"].tolist()] == [item["category_id"] for item in items]
            for mask, item in zip(target["masks"].numpy(), items, strict=True):
                assert np.array_equal(mask, theirs.annToMask(item).astype(bool))
            crowds += int(target["iscrowd"].sum())
        assert crowds == 5

    def test_panoptic_and_semantic_maps_agree(self):
        root = shared_data("coco")
        panoptic = CocoPanoptic(root)
        from_json, from_png = CocoSegmentation(root), CocoSegmentation(root, source="panoptic_png")
        assert len(panoptic) == 100
        assert panoptic.labels is COCO_PANOPTIC
        void = total = 0
        for index in range(0, 100, 5):
            labels = from_json[index][1]
            assert torch.equal(labels, from_png[index][1])
            target = panoptic[index][1]
            assert torch.equal(target["segments"] == 0, labels == 255)
            for segment in target["segments_info"]:
                assert int((target["segments"] == segment["id"]).sum()) == segment["area"]
                assert bool(segment["isthing"]) == (segment["category_id"] in COCO_PANOPTIC.things)
            void, total = void + int((labels == 255).sum()), total + labels.numel()
        assert 0.02 < void / total < 0.3

    def test_class_list_is_the_official_one(self):
        official = json.loads(shared_data("lists", "panoptic_coco_categories.json").read_text())
        assert tuple(item["id"] for item in official) == COCO_PANOPTIC_IDS
        assert tuple(item["name"] for item in official) == COCO_PANOPTIC.names
        assert tuple(tuple(item["color"]) for item in official) == COCO_PANOPTIC.colors
        assert {i for i, item in enumerate(official) if item["isthing"]} == COCO_PANOPTIC.things
        things = read_coco(shared_data("coco", INSTANCES)).categories
        assert [(0, "background"), *((i, item["name"]) for i, item in things.items())] == list(
            zip(COCO_IDS, COCO.names, strict=True)
        )
