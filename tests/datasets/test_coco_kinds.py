"""COCO files as tools really write them: read rightly, or refused with the record, what came and what is allowed.

Loader, evaluator and ``check_folder`` read with the same functions, so each kind is tried on all three.
"""

import gzip
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from segtutor.datasets import CocoInstances, CocoPanoptic, CocoSegmentation, check_folder
from segtutor.datasets.targets import segment_colors
from segtutor.metrics import evaluate_coco

HEIGHT, WIDTH = 20, 30
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
RING = [3, 4, 11, 4, 11, 10, 3, 10]  # x 3...11, y 4...10
NAN = float("nan")


def item(**fields):
    """An annotation; a field that is ... is left out."""
    whole = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 4, 8, 6], "area": 48, "iscrowd": 0} | {
        "segmentation": [RING]
    }
    return {key: value for key, value in (whole | fields).items() if value is not ...}


def content(**fields):
    images = [{"id": 1, "file_name": "a.png", "height": HEIGHT, "width": WIDTH}]
    return {"images": images, "annotations": [item()], "categories": [{"id": 1, "name": "cat"}]} | fields


FOUND = [{"image_id": 1, "category_id": 1, "score": 0.9, "bbox": [3, 4, 8, 6], "segmentation": [RING]}]


@pytest.fixture
def write(tmp_path):
    """Writes a folder with one picture and one file, and gives its root."""

    def written(data, name="instances_train2017", encoding="utf-8", png=None):
        (tmp_path / "train2017").mkdir(exist_ok=True)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        PICTURE.save(tmp_path / "train2017/a.png")
        (tmp_path / f"annotations/{name}.json").write_bytes(json.dumps(data).encode(encoding))
        if png is not None:
            (tmp_path / f"annotations/{name}").mkdir(exist_ok=True)
            png.save(tmp_path / f"annotations/{name}/a.png")
        return tmp_path

    return written


def refused(root, message, data=None):
    """Loader and check name the file and say the message; so does the evaluator for ``data``."""
    path = root / "annotations/instances_train2017.json"
    with pytest.raises(ValueError, match=message) as error:
        CocoInstances(root)[0]
    assert path.name in str(error.value)
    report = check_folder(root)
    assert not report.ok
    assert any(row.is_error and row.path == path for row in report.rows)
    if data is not None:
        with pytest.raises(ValueError, match=message) as error:
            evaluate_coco(path, FOUND)
        assert path.name in str(error.value)


class TestCrowd:
    @pytest.mark.parametrize("value", [0, False, None, ..., 0.0])
    def test_none(self, write, value):
        data = content(annotations=[item(iscrowd=value)])
        target = CocoInstances(root := write(data), crowd=True)[0][1]
        assert target["iscrowd"].tolist() == [0]
        assert check_folder(root).rows == ()
        assert evaluate_coco(data, FOUND)["AP"] == pytest.approx(1)

    @pytest.mark.parametrize("value", [1, True, 1.0])
    def test_crowd(self, write, value):
        data = content(annotations=[item(iscrowd=value)])
        root = write(data)
        assert CocoInstances(root, crowd=True)[0][1]["iscrowd"].tolist() == [1]
        assert len(CocoInstances(root)[0][1]["labels"]) == 0
        assert check_folder(root).ok
        assert evaluate_coco(data, FOUND)["AP"] == -1

    @pytest.mark.parametrize("value", ["0", "1", "False", "", NAN, 2, -1, 0.5, [], [0], {}])
    def test_anything_else_is_named(self, write, value):
        data = content(annotations=[item(iscrowd=value)])
        refused(write(data), r"annotation .*1.* has the iscrowd .*must be 0 or 1", data)


class TestBoxes:
    @pytest.mark.parametrize("box", [..., None, [], [0, 0, 0, 0], [5, 5, 0, 3], [5.5, 5, 3, 0.0]])
    def test_without_area_is_drawn_around_the_mask(self, write, box):
        root = write(content(annotations=[item(bbox=box)]))
        assert CocoInstances(root)[0][1]["boxes"].tolist() == [[3, 4, 11, 10]]
        report = check_folder(root)
        assert [(row.kind, row.is_error) for row in report.rows] == [("box", False)]
        assert "the loader draws one around the mask" in report.rows[0].message

    @pytest.mark.parametrize("box", [..., None, []])
    def test_the_evaluator_draws_what_is_missing(self, box):
        assert evaluate_coco(content(annotations=[item(bbox=box)]), FOUND, "bbox")["AP"] == pytest.approx(1)

    @pytest.mark.parametrize(
        "box",
        [[3, 4, NAN, 6], [3, 4, float("inf"), 6], ["3", "4", "8", "6"], [3, 4, None, None], [3, 4, 8], [3, 4, 8, 6, 1],
         {"x": 3, "y": 4, "width": 8, "height": 6}, "3 4 8 6", 5, True, [[3, 4, 8, 6]], [3, 4, "8", 6]],
    )  # fmt: skip
    def test_no_numbers(self, write, box):
        data = content(annotations=[item(bbox=box)])
        root = write(data)
        refused(root, "bbox must be four finite numbers")
        with pytest.raises(ValueError, match=r"annotation 0 \(id 1\) \(image 1\): bbox must be four finite numbers"):
            evaluate_coco(data, FOUND, "bbox")

    @pytest.mark.parametrize(
        ("box", "cut"),
        [([-2, 3, 14, 8], [0, 3, 12, 11]), ([3, 4, 40, 6], [3, 4, 30, 10]), ([3, 4, 8, 16.5], [3, 4, 11, 20]),
         ([20, 12, 28, 18], [20, 12, 30, 20])],
    )  # fmt: skip
    def test_that_leave_the_picture_are_cut_and_reported(self, write, box, cut):
        root = write(content(annotations=[item(bbox=box)]))
        assert CocoInstances(root)[0][1]["boxes"].tolist() == [cut]
        report = check_folder(root)
        assert [row.kind for row in report.rows] == ["box"]
        assert report.ok == (box != [20, 12, 28, 18])  # which does not even touch its mask

    def test_rounding_at_the_border_is_no_news(self, write):
        ring = [20, 4, 30, 4, 30, 10, 20, 10]
        root = write(content(annotations=[item(bbox=[20, 4, 10.01, 6], segmentation=[ring])]))
        assert check_folder(root).rows == ()
        assert CocoInstances(root)[0][1]["boxes"].tolist() == [[20, 4, 30, 10]]

    @pytest.mark.parametrize(
        ("box", "message"),
        [([40, 4, 8, 6], "lies outside its picture"), ([3, 4, 11, 10], "the two corners of its mask"),
         ([11, 10, -8, -6], "negative width or height")],
    )  # fmt: skip
    def test_that_cannot_be_meant(self, write, box, message):
        refused(write(content(annotations=[item(bbox=box)])), message)

    def test_neither_box_nor_mask(self, write):
        root = write(content(annotations=[item(bbox=[0, 0, 0, 0], segmentation={"size": [20, 30], "counts": [600]})]))
        assert len(CocoInstances(root)[0][1]["labels"]) == 0
        assert "the loader leaves it out" in str(check_folder(root))


class TestSections:
    def test_an_object_of_annotations(self, write):
        data = content(annotations={"1": item(), "2": item(id=2)}, categories={"a": {"id": 1, "name": "cat"}})
        root = write(data)
        assert len(CocoInstances(root)[0][1]["labels"]) == 2
        assert check_folder(root).ok
        assert evaluate_coco(data, [*FOUND, *FOUND])["AP"] == pytest.approx(1)

    @pytest.mark.parametrize("key", ["images", "annotations", "categories"])
    @pytest.mark.parametrize("value", [..., None, "x", 5, {"1": 2}])
    def test_something_else(self, write, key, value):
        data = {k: v for k, v in (content() | {key: value}).items() if v is not ...}
        refused(write(data), key, data)

    @pytest.mark.parametrize("key", ["images", "annotations", "categories"])
    @pytest.mark.parametrize("value", ["a.png", [1, 2], None, 7])
    def test_a_record_that_is_none(self, write, key, value):
        data = content()
        data[key] = [*data[key], value]
        root = write(data)
        with pytest.raises(ValueError, match=rf"entry 1 of {key} must be an object, but is"):
            CocoInstances(root)
        assert not check_folder(root).ok
        with pytest.raises(ValueError, match="1 must be a dict"):
            evaluate_coco(data, FOUND)

    def test_a_list_of_results(self, write):
        with pytest.raises(ValueError, match="not a list; a list holds results"):
            CocoInstances(write(FOUND))

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    def test_encodings(self, write, encoding):
        root = write(content(), encoding=encoding)
        path = root / "annotations/instances_train2017.json"
        assert len(CocoInstances(root)) == 1
        assert evaluate_coco(path, FOUND)["AP"] == pytest.approx(1)
        assert check_folder(root).ok

    @pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000, b"\x80abc"])
    def test_no_json(self, write, text):
        root = write(content())
        (root / "annotations/instances_train2017.json").write_bytes(text)
        refused(root, "is not valid JSON", text)


class TestIds:
    def test_whole_floats(self, write):
        data = content(annotations=[item(image_id=1.0, category_id=1.0)])
        root = write(data | {"images": [{"id": 1.0, "file_name": "a.png", "height": 20.0, "width": 30.0}]})
        target = CocoInstances(root)[0][1]
        assert type(target["image_id"]) is int
        assert target["labels"].tolist() == [1]
        assert check_folder(root).rows == ()
        assert evaluate_coco(data, FOUND)["AP"] == pytest.approx(1)

    def test_texts(self, write):
        data = content(annotations=[item(image_id="x", category_id="c")], categories=[{"id": "c", "name": "cat"}])
        data["images"][0]["id"] = "x"
        assert CocoInstances(write(data))[0][1]["labels"].tolist() == [1]
        found = [{**FOUND[0], "image_id": "x", "category_id": "c"}]
        assert evaluate_coco(data, found)["AP"] == pytest.approx(1)

    @pytest.mark.parametrize("field", ["image_id", "category_id"])
    def test_of_two_types(self, write, field):
        data = content(annotations=[item(**{field: "1"})])
        refused(write(data), r"'1'.* it has 1, a number, and this is a text", data)

    @pytest.mark.parametrize("value", [None, True, 1.5, NAN, [1], {}])
    @pytest.mark.parametrize("field", ["image_id", "category_id"])
    def test_no_ids(self, write, field, value):
        data = content(annotations=[item(**{field: value})])
        refused(write(data), rf"has the {field} .*an id is a whole number or a text", data)

    def test_mixed_in_one_list(self, write):
        data = content(categories=[{"id": 1, "name": "cat"}, {"id": "2", "name": "dog"}])
        refused(write(data), "has the id '2', but another record has 1", data)

    def test_label_id(self, write):
        data = content(annotations=[item(category_id=..., label_id=1)])
        refused(write(data), "has no 'category_id'; its fields are .*label_id.*: rename 'label_id'", data)

    def test_an_annotation_may_lack_its_id(self, write):
        root = write(content(annotations=[item(id=...), item(id=None)]))
        assert len(CocoInstances(root)[0][1]["labels"]) == 2
        assert check_folder(root).ok


class TestImages:
    @pytest.mark.parametrize("height", ["20", None, NAN, 20.5, 0, -3, True, [20], ...])
    def test_height(self, write, height):
        data = content()
        data["images"][0]["height"] = height
        if height is ...:
            del data["images"][0]["height"]
        refused(write(data), r"must have a height and a width in pixels, whole numbers, got", data)

    def test_a_text_is_shown_as_one(self, write):
        """Never "is 20 x 30, the file says 20 x 30"."""
        data = content()
        data["images"][0] |= {"height": "20", "width": "30"}
        refused(write(data), "got '20' and '30'", data)

    def test_more_pixels_than_can_be_counted(self, write):
        data = content()
        data["images"][0] |= {"height": 1 << 20, "width": 1 << 20}
        refused(write(data), "more pixels than 32 bits count", data)

    @pytest.mark.parametrize("name", [None, 5, "", ["a.png"], ...])
    def test_file_name(self, write, name):
        data = content()
        data["images"][0]["file_name"] = name
        if name is ...:
            del data["images"][0]["file_name"]
        refused(write(data), "file_name")

    def test_backslashes_and_forms_of_accents(self, write):
        data = content()
        root = write(data)
        (root / "train2017/sub").mkdir()
        PICTURE.save(root / "train2017/sub/e\u0301.png")
        data["images"][0]["file_name"] = "sub\\\u00e9.png"
        (root / "annotations/instances_train2017.json").write_text(json.dumps(data))
        assert CocoInstances(root)[0][0].shape == (3, HEIGHT, WIDTH)


class TestCategories:
    @pytest.mark.parametrize(
        ("color", "expected"),
        [("#7b01ce", (123, 1, 206)), ("7b01ce", (123, 1, 206)), ("#7b01ceff", (123, 1, 206)), ("red", (255, 0, 0)),
         ([123, 1, 206, 255], (123, 1, 206)), ([123.0, 1, 206], (123, 1, 206)), (None, (128, 0, 0)), ([], (128, 0, 0)),
         ("", (128, 0, 0))],
    )  # fmt: skip
    def test_colors(self, write, color, expected):
        root = write(content(categories=[{"id": 1, "name": "cat", "color": color}]))
        assert CocoInstances(root).labels.colors == ((0, 0, 0), expected)
        assert check_folder(root).ok

    @pytest.mark.parametrize("color", ["reddish", [1, 2], [1, 2, 300], [0.5, 0.5, 0.5], 7, {"r": 1}, [True, 1, 2]])
    def test_no_colors(self, write, color):
        root = write(content(categories=[{"id": 1, "name": "cat", "color": color}]))
        refused(root, r"category 'cat' \(id 1\) has the color .*a color is \[red, green, blue\]")

    def test_names_that_are_shared(self, write):
        def names(*given):
            root = write(content(categories=[{"id": number, "name": name} for number, name in enumerate(given)]))
            assert check_folder(root).ok
            return CocoInstances(root).labels.names

        assert names("cat", "cat") == ("background", "cat (0)", "cat (1)")
        assert names("background", "cat") == ("background", "background (0)", "cat")
        assert names("cat", "cat", "cat (1)") == ("background", "cat (0)", "cat (1)'", "cat (1)")

    @pytest.mark.parametrize("name", [None, 5, "", [], ...])
    def test_no_name(self, write, name):
        category = {"id": 1, "name": name}
        root = write(content(categories=[{k: v for k, v in category.items() if v is not ...}]))
        refused(root, r"entry 0 of categories \(id 1\) has (no 'name'|the name)")


class TestMasks:
    @pytest.mark.parametrize(
        ("segmentation", "message"),
        [
            (NAN, "no run-length encoding"), ("[[3, 4]]", "no run-length encoding"), (5, "no run-length encoding"),
            ([3, 4, 11, 4, 11, 10], "a polygon must be a list"), ([[3, 4, 11, 4, 11, None]], "not a finite number"),
            ([[3, 4, 11, 4, 11, 1e300]], "further out than any picture"),
            ({"size": None, "counts": [600]}, "'size' must be"), ({"size": [20, 30], "counts": None}, "no run-length"),
            ({"size": ["20", "30"], "counts": [600]}, "'size' must be"),
            ({"size": [20, 30], "counts": "é" * 4}, "which no run-length string has"),
            ({"size": [20, 30], "counts": [1 << 63, 1 << 63, 600]}, "overrun|whole numbers"),
            ({"size": [20, 30], "counts": [(1 << 63) - 1, (1 << 63) - 1, 602]}, "overrun"),
            ({"size": [20, 30], "counts": [600.0]}, "whole numbers"),
            ({"size": [20, 30], "counts": [[1], [2, 3]]}, "whole numbers"),
            ({"size": [1 << 40, 1 << 40], "counts": [5]}, "more pixels than 32 bits count"),
            ({"size": [30, 20], "counts": [600]}, "for a picture of"),
        ],
    )  # fmt: skip
    def test_broken(self, write, segmentation, message):
        data = content(annotations=[item(segmentation=segmentation)])
        refused(write(data), message, data)

    @pytest.mark.parametrize("segmentation", [..., None, [], {}])
    def test_none(self, write, segmentation):
        refused(write(content(annotations=[item(segmentation=segmentation)])), "it has no segmentation")

    def test_check_finds_every_broken_one_among_many(self, write):
        broken = {7, 600, 601, 1999}
        items = [item(id=n, segmentation=[[1, 2]] if n in broken else [RING]) for n in range(2000)]
        rows = check_folder(write(content(annotations=items))).rows
        assert {int(row.message.split()[1]) for row in rows} == broken

    def test_check_lists_a_page_of_a_kind_and_counts_the_rest(self, write):
        items = [item(id=n, bbox=[3, 4, NAN, 6]) for n in range(500)]
        rows = check_folder(write(content(annotations=items))).rows
        assert len(rows) == 21
        assert any("and 480 more" in row.message for row in rows)


class TestPanoptic:
    IDS = np.where(np.arange(WIDTH) < 10, 300, 70000) * np.ones((HEIGHT, 1), np.int64)

    def data(self, categories=None, **fields):
        info = [{"id": 300, "category_id": 1, "area": 200, "iscrowd": 0}, {"id": 70000, "category_id": 1, "area": 400}]
        annotation = {"image_id": 1, "file_name": "a.png", "segments_info": info} | fields
        annotation = {key: value for key, value in annotation.items() if value is not ...}
        categories = categories or [{"id": 1, "name": "zebra crossing", "isthing": 1}]
        return content(annotations=[annotation], categories=categories)

    def write(self, write, data):
        return write(data, "panoptic_train2017", png=Image.fromarray(segment_colors(self.IDS)))

    def test_areas_and_boxes_are_those_of_the_map(self, write):
        target = CocoPanoptic(self.write(write, self.data()))[0][1]
        assert [(s["area"], s["bbox"]) for s in target["segments_info"]] == [
            (200, [0, 0, 10, 20]),
            (400, [10, 0, 20, 20]),
        ]

    @pytest.mark.parametrize("value", [0, False, None])
    def test_flags(self, write, value):
        data = self.data()
        data["annotations"][0]["segments_info"][0]["iscrowd"] = value
        assert CocoPanoptic(self.write(write, data))[0][1]["segments_info"][0]["iscrowd"] == 0

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"file_name": ...}, "has no 'file_name'"), ({"file_name": None}, "file_name None"),
            ({"segments_info": None}, "segments_info"), ({"segments_info": [5]}, "list of objects as 'segments_info'"),
            ({"segments_info": [{"category_id": 1}]}, "segment 0 in segments_info: it has no 'id'"),
            ({"segments_info": [{"id": 300, "label_id": 1}]}, "rename 'label_id' to 'category_id'"),
            ({"segments_info": [{"id": "300", "category_id": 1}]}, "has the id '300', but ids lie in"),
            ({"segments_info": [{"id": 0, "category_id": 1}]}, "has the id 0, but ids lie in 1"),
            ({"segments_info": [{"id": 1 << 24, "category_id": 1}]}, "ids lie in 1"),
            ({"segments_info": [{"id": 300, "category_id": 1, "iscrowd": "0"}]}, "iscrowd '0'"),
            ({"segments_info": [{"id": 300, "category_id": "1"}]}, "category id '1'"),
            ({"image_id": "1"}, "belongs to image id '1'"),
        ],
    )  # fmt: skip
    def test_broken(self, write, fields, message):
        root = self.write(write, self.data(**fields))
        with pytest.raises(ValueError, match=message) as error:
            CocoPanoptic(root)[0]
        assert "panoptic_train2017.json" in str(error.value)
        assert message.split(" it ")[0].split(",")[0][:5] in str(check_folder(root))
        assert not check_folder(root).ok

    def test_categories_must_say_what_is_a_thing(self, write):
        root = self.write(write, self.data([{"id": 1, "name": "zebra crossing"}]))
        for loader in (CocoPanoptic, CocoSegmentation):
            with pytest.raises(ValueError, match=r"category 'zebra crossing' \(id 1\) has no 'isthing'"):
                loader(root)
        assert "has no 'isthing'" in str(check_folder(root))
        for value in ("0", "true", 2, NAN):
            root = self.write(write, self.data([{"id": 1, "name": "zebra crossing", "isthing": value}]))
            with pytest.raises(ValueError, match=r"has the isthing .*must be 0 or 1"):
                CocoPanoptic(root)

    def test_each_loader_names_the_other(self, write):
        root = self.write(write, self.data())
        path = root / "annotations/panoptic_train2017.json"
        with pytest.raises(
            ValueError, match=r"lists segments of panoptic PNGs, so CocoInstances cannot .* CocoPanoptic"
        ):
            CocoInstances(root, annotations=path)
        path = write(content()) / "annotations/instances_train2017.json"
        with pytest.raises(
            ValueError, match="has no 'segments_info', so CocoPanoptic cannot read it; use CocoInstances"
        ):
            CocoPanoptic(root, annotations=path)

    def test_a_panoptic_file_without_annotations(self, write):
        root = self.write(write, self.data() | {"annotations": []})
        with pytest.raises(ValueError, match="has 0 panoptic annotations instead of one"):
            CocoPanoptic(root)[0]
        assert "has 0 panoptic annotations instead of one" in str(check_folder(root))
        assert "by its name it is a panoptic file" in str(check_folder(self.write(write, content())))

    def test_own_categories_in_the_file_of_stuff(self, write):
        root = write(content(), "stuff_train2017")
        with pytest.raises(ValueError, match="category id 1 is not one of"):
            CocoSegmentation(root, source="stuff")


class TestFoldersOfTools:
    def test_cvat_and_roboflow(self, tmp_path):
        for folder, file in (
            ("images", "annotations/instances_default.json"),
            ("train", "train/_annotations.coco.json"),
        ):
            root = tmp_path / folder / "root"
            for path in (root / folder / "a.png", root / file):
                path.parent.mkdir(parents=True, exist_ok=True)
            PICTURE.save(root / folder / "a.png")
            (root / folder / ".DS_Store").write_bytes(b"x")
            (root / file).write_text(json.dumps(content()))
            assert len(CocoInstances(root, folder, root / file)[0][1]["labels"]) == 1
            if folder == "images":
                assert check_folder(root).rows == ()


class TestTransformsOfTorchvision:
    @pytest.mark.parametrize(
        ("move", "area"), [(v2.Resize((10, 15)), 12), (v2.CenterCrop((12, 20)), 36), (v2.RandomHorizontalFlip(1), 48)]
    )
    def test_areas_are_those_of_the_moved_masks(self, write, move, area):
        target = CocoInstances(write(content()), transforms=move)[0][1]
        assert target["masks"].sum() == area
        assert target["area"].tolist() == [area]
        assert target["area"].dtype == CocoInstances(write(content()))[0][1]["area"].dtype


class TestUnreadableFiles:
    @pytest.mark.parametrize(
        ("data", "advice"),
        [
            (json.dumps(content()).replace("cat", "ch\xe4t").encode("cp1252"), "0xe4.*save it again as UTF-8"),
            (gzip.compress(b"{}", mtime=0), "unpack it first"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "git lfs pull"),
            (b" \n", "it is empty"),
            (b'{"images": [', "it may be a broken download"),
        ],
    )
    def test_the_advice_fits(self, write, data, advice):
        root = write(content())
        (root / "annotations/instances_train2017.json").write_bytes(data)
        refused(root, f"(?s)is not valid JSON.*{advice}", data)


class TestNumbersThatAreNone:
    """NumPy reads texts and booleans among numbers as numbers; a file that has them means something else."""

    @pytest.mark.parametrize("place", [0, 3, 7])
    @pytest.mark.parametrize(
        ("value", "message"),
        [(True, "a polygon holds True, no number; true and false are no coordinates"), ("4", "without quotation marks"),
         ([4], "without further brackets"), (None, "not a finite number"), ("", "without quotation marks"),
         (1e300, "further out than any picture")],
    )  # fmt: skip
    def test_in_a_polygon(self, write, place, value, message):
        ring = [*RING[:place], value, *RING[place + 1 :]]
        data = content(annotations=[item(), item(id=2, segmentation=[RING, ring])])
        refused(write(data), message)
        with pytest.raises(ValueError, match=message):
            evaluate_coco(data, FOUND)

    @pytest.mark.parametrize(
        "counts", [[True, 599], [0, False, 600], ["1", 599], [1, "599"], [1.5, 598.5], [None, 600]]
    )
    def test_in_run_lengths(self, write, counts):
        data = content(annotations=[item(segmentation={"size": [HEIGHT, WIDTH], "counts": counts})])
        refused(write(data), "its counts must be whole numbers in one list")

    @pytest.mark.parametrize("size", [[True, 600], [20, True], ["20", 30]])
    def test_in_the_size_of_run_lengths(self, write, size):
        data = content(annotations=[item(segmentation={"size": size, "counts": [600]})])
        refused(write(data), "'size' must be")

    @pytest.mark.parametrize("box", [[True, 4, 8, 6], [3, 4, 8, False], [3.5, True, 8, 6]])
    def test_in_a_box(self, write, box):
        data = content(annotations=[item(bbox=box)])
        refused(write(data), "bbox must be four finite numbers")
        with pytest.raises(ValueError, match="bbox must be four finite numbers"):
            evaluate_coco(data, FOUND, "bbox")
        with pytest.raises(ValueError, match="bbox must be four finite numbers"):
            evaluate_coco(content(), [FOUND[0] | {"bbox": box}], "bbox")

    @pytest.mark.parametrize("form", [tuple, np.array, torch.tensor])
    def test_rings_of_any_kind_of_row(self, form):
        row = form([float(value) for value in RING])
        for segmentation in ([row], (row,)):
            assert evaluate_coco(content(), [FOUND[0] | {"segmentation": segmentation}])["AP"] == pytest.approx(1)
        with pytest.raises(ValueError, match="without further brackets"):
            evaluate_coco(content(), [FOUND[0] | {"segmentation": [np.array(RING).reshape(4, 2)]}])

    @pytest.mark.parametrize("form", [np.asarray, torch.as_tensor])
    def test_a_mask_that_is_not_encoded(self, form):
        with pytest.raises(ValueError, match=r"(?s)is no run-length encoding.*by segtutor\.metrics\.rle\.encode"):
            evaluate_coco(content(), [FOUND[0] | {"segmentation": form(np.ones((HEIGHT, WIDTH), np.uint8))}])

    def test_in_a_score(self):
        with pytest.raises(ValueError, match="has the score True, which is not a number"):
            evaluate_coco(content(), [FOUND[0] | {"score": True}, FOUND[0]])


class TestArea:
    @pytest.mark.parametrize(
        ("area", "message"),
        [("48", "has the area '48'"), (NAN, "has the area nan"), (True, "has the area True"), (-1, "a negative area"),
         (float("inf"), "has the area inf"), ([48], "has the area")],
    )  # fmt: skip
    def test_is_a_number_in_all_readers(self, write, area, message):
        refused(write(content(annotations=[item(area=area)])), message, data=True)

    @pytest.mark.parametrize(
        ("area", "message"),
        [(0, "has the area 0, but its mask covers 48"),
         (601, "has the area 601, but its mask covers 48 pixels")],
    )  # fmt: skip
    def test_what_only_evaluators_mind_is_a_remark(self, write, area, message):
        root = write(content(annotations=[item(area=area)]))
        assert CocoInstances(root)[0][1]["area"].tolist() == [48]
        report = check_folder(root)
        assert report.ok
        assert [row.kind for row in report.rows] == ["area"]
        assert message in report.rows[0].message

    @pytest.mark.parametrize("area", [48, 47.5, 12.0, 600, None, ...])
    def test_what_is_usual(self, write, area):
        assert check_folder(write(content(annotations=[item(area=area)]))).rows == ()


@pytest.mark.parametrize(("key", "value"), [("image_id", 2), ("category_id", 9), ("image_id", "1")])
def test_results_of_another_file_name_the_file_that_does_not_fit(write, key, value):
    path = write(content()) / "annotations/instances_train2017.json"
    message = (
        rf"detection 0 .* names the (image|category) {value!r}, which the ground truth \S*{path.name} does not have"
    )
    with pytest.raises(ValueError, match=message):
        evaluate_coco(path, [FOUND[0] | {key: value}])
    with pytest.raises(ValueError, match="which the ground truth does not have"):
        evaluate_coco(content(), [FOUND[0] | {key: value}])


@pytest.mark.parametrize("box", [[3, 4, 3e-211, 6], [8, 4, 1e-9, 6], [3, 4, 8, 1e-30], [3, 4, 0, 6]])
def test_a_box_too_thin_for_float32_is_drawn_anew(write, box):
    """Its corners would be equal in the target, and a detector's loss NaN."""
    root = write(content(annotations=[item(bbox=box)]))
    assert CocoInstances(root)[0][1]["boxes"].tolist() == [[3, 4, 11, 10]]
    report = check_folder(root)
    assert report.ok
    assert [row.kind for row in report.rows] == ["box"]
    assert "without an area; the loader draws one around the mask" in report.rows[0].message


def test_a_box_that_only_touches_the_border_lies_outside(write):
    refused(write(content(annotations=[item(bbox=[29.99999999, 4, 8, 6])])), "lies outside its picture")
