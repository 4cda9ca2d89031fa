"""COCO's files where tools put them: what belongs together is found, and nothing else is blamed."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from segtutor.datasets import CocoInstances, CocoSegmentation, check_folder
from segtutor.datasets.coco_json import read_coco
from segtutor.datasets.coco_layouts import annotation_files, folder_of, split_of

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
RING = [2, 2, 10, 2, 10, 8, 2, 8]


def content(name="a.png", **fields):
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 8, 6], "segmentation": [RING]}
    return {
        "images": [{"id": 1, "file_name": name, "height": 20, "width": 30}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "cat"}],
    } | fields


@pytest.fixture
def write(tmp_path):
    def written(files):
        for name, data in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(data, Image.Image):
                data.save(path)
            else:
                path.write_text(data if isinstance(data, str) else json.dumps(data))
        return tmp_path

    return written


def test_the_archives_of_coco(write):
    captions = {"images": content()["images"], "annotations": [{"id": 1, "image_id": 1, "caption": "a cat"}]}
    pictures = {key: value for key, value in content("t.png").items() if key != "annotations"}
    files = {"captions_train2017": captions, "image_info_test2017": pictures, "person_keypoints_train2017": content()}
    files = {f"annotations/{name}.json": data for name, data in {**files, "instances_train2017": content()}.items()}
    root = write({"train2017/a.png": PICTURE, "test2017/t.png": PICTURE, **files})
    report = check_folder(root)
    assert (report.layout, report.rows) == ("COCO", ())
    assert [path.name for path in annotation_files(root)] == [
        "instances_train2017.json", "person_keypoints_train2017.json"
    ]  # fmt: skip
    for path in annotation_files(root):
        assert split_of(path) == "train2017"
        assert folder_of(read_coco(path), root) == root / "train2017"


def test_captions_alone_say_nothing_about_masks(write):
    report = check_folder(write({"train2017/a.png": PICTURE, "annotations/captions_train2017.json": {"images": []}}))
    assert [row.kind for row in report.rows] == ["empty"]
    assert "only captions" in report.rows[0].message


@pytest.mark.parametrize(
    ("annotations", "picture", "name"),
    [
        ("annotations.json", "JPEGImages/a.png", "JPEGImages/a.png"),  # labelme2coco
        ("result.json", "images/a.png", "images/a.png"),  # Label Studio
        ("result.json", "images/a.png", "images\\a.png"),  # the same under Windows
        ("train.json", "train/a.png", "a.png"),
        ("annotations/train.json", "images/train/a.png", "a.png"),
        ("annotations/instances_default.json", "images/default/a.png", "a.png"),  # CVAT
        ("annotations/instances_default.json", "images/a.png", "images\\a.png"),
        ("annotations/instances_train.json", "JPEGImages/a.png", "a.png"),
        ("annotations/instances_train2017.json", "train2017/a.png", "train2017/a.png"),
        ("train/_annotations.coco.json", "train/a.png", "a.png"),  # Roboflow
    ],
)
def test_layouts_of_tools(write, annotations, picture, name):
    root = write({picture: PICTURE, annotations: content(name)})
    report = check_folder(root)
    assert (report.layout, report.checked, report.rows) == ("COCO", 1, ())
    data = CocoInstances(root, picture.rpartition("/")[0], root / annotations)
    assert data[0][1]["masks"].sum() == 48


def test_a_broken_mask_beside_the_folder_of_pictures_is_found(write):
    broken = content(annotations=[{**content()["annotations"][0], "segmentation": [RING[:4]]}])
    report = check_folder(write({"images/a.png": PICTURE, "annotations.json": broken}))
    assert [(row.path.name, row.kind) for row in report.rows] == [("annotations.json", "mask")]


def test_masks_go_before_annotations_beside_them(write):
    mask = Image.fromarray(np.eye(20, 30, dtype=np.uint8))
    root = write({"images/a.png": PICTURE, "masks/a.png": mask, "result.json": content()})
    assert check_folder(root).layout == "images and masks"


def test_only_pictures_are_told_to_be_alone(write):
    files = {f"train2017/{name}": "x" for name in ("Thumbs.db", "desktop.ini", "._a.png", "README.txt")}
    root = write({"train2017/a.png": PICTURE, "annotations/instances_train2017.json": content(), **files})
    assert check_folder(root).rows == ()
    PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "train2017/b.png")
    assert [(row.path.name, row.kind) for row in check_folder(root).rows] == [("b.png", "alone")]


class TestMaps:
    """The PNGs of CocoSegmentation are checked as it reads them."""

    @pytest.fixture
    def maps(self, write):
        def written(mask, folder="stuffthingmaps/train2017", task="instances"):
            name = f"annotations/{task}_train2017.json"
            return write({"train2017/a.png": PICTURE, name: content(), f"{folder}/a.png": mask})

        return written

    def test_right_ones(self, maps):
        values = np.full((20, 30), 255, np.uint8)
        values[:4], values[4:8] = 0, 181  # ids 1 and 182: the first of the things, the last of the stuff
        root = maps(Image.fromarray(values))
        labels = CocoSegmentation(root, source="stuff_things")[0][1]
        assert labels.unique().tolist() == [0, 170, 255]
        assert (labels[0, 0], labels[4, 0], labels[8, 0]) == (0, 170, 255)
        assert check_folder(root).rows == ()
        assert check_folder(root).checked == 2

    @pytest.mark.parametrize(
        ("mask", "message"),
        [
            (np.full((20, 30), 240, np.uint8), r"holds the value 240, no category .*0...181.* and 255 for void"),
            (np.full((20, 30), 300, np.uint16), "holds the value 300, no category"),
            (np.zeros((20, 31), np.uint8), "is 20 x 31 .* its picture a.png of instances_train2017.json is 20 x 30"),
            (np.zeros((20, 30, 3), np.uint8), "holds colors"),
        ],
    )
    def test_broken_ones(self, maps, mask, message):
        root = maps(Image.fromarray(mask))
        with pytest.raises(ValueError, match=message):
            CocoSegmentation(root, source="stuff_things")[0]
        rows = [row for row in check_folder(root).rows if row.is_error]
        assert [row.path for row in rows] == [root / "stuffthingmaps/train2017/a.png"]
        assert re.search(message, rows[0].message)

    def test_one_that_is_missing(self, maps):
        root = maps(Image.fromarray(np.zeros((20, 30), np.uint8)))
        (root / "stuffthingmaps/train2017/a.png").rename(root / "stuffthingmaps/train2017/b.png")
        assert [(row.path.name, row.kind) for row in check_folder(root).rows] == [("a.png", "missing")]
