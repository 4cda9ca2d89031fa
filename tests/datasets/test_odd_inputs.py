"""Inputs that nobody had reported yet, tried as people would hand them in: read rightly, or refused with a reason."""

import gc
import json
import unicodedata
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from segtutor.datasets import (
    CocoInstances,
    CocoPanoptic,
    ImageFolder,
    PascalContext,
    VOCSegmentation,
    check_folder,
    coco_json,
)
from segtutor.datasets.class_tables import read_class_table
from segtutor.datasets.coco_columns import annotations_are_right
from segtutor.datasets.palettes import palette_in
from segtutor.datasets.targets import segment_colors
from segtutor.metrics import ConfusionMatrix, panoptic_quality
from segtutor.models.crf import dense_crf
from segtutor.texts import read_text

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
NUMBERS = np.repeat(np.arange(3, dtype=np.uint8), 10)[None].repeat(20, axis=0)
MASK = Image.fromarray(NUMBERS)
IDS = np.array([0, 300, 70000])[NUMBERS]
RING = [3, 4, 11, 4, 11, 10, 3, 10]


@pytest.fixture
def make(tmp_path):
    def folder(files):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Image.Image):
                content.save(tmp_path / name)
            else:
                (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return folder


def coco(**fields):
    """A file of one object; a field that is ... is left out."""
    item = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 4, 8, 6], "area": 48, "iscrowd": 0}
    item = {key: value for key, value in (item | {"segmentation": [RING]} | fields).items() if value is not ...}
    images = [{"id": 1, "file_name": "a.png", "height": 20, "width": 30}]
    return {"images": images, "annotations": [item], "categories": [{"id": 1, "name": "cat"}]}


def panoptic():
    segments = [{"id": 300, "category_id": 1}, {"id": 70000, "category_id": 2}]
    names = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}]
    return coco() | {
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": names,
    }


class TestCocoFiles:
    @pytest.mark.parametrize(
        "segmentation", [[[0.1, 0.1, 0.5, 0.1, 0.5, 0.4]], np.zeros((20, 30), int).tolist()], ids=["relative", "rows"]
    )
    def test_polygons_that_are_none(self, make, segmentation):
        root = make(
            {"train2017/a.png": PICTURE, "annotations/instances_train2017.json": coco(segmentation=segmentation)}
        )
        with pytest.raises(ValueError, match=r"instances_train2017.json, annotation 1 .* from 0 to 1 alone.*multiply"):
            CocoInstances(root)[0]
        assert ["from 0 to 1 alone" in row.message for row in check_folder(root).rows if row.is_error] == [True]

    def test_a_polygon_without_its_list(self, make):
        root = make({"train2017/a.png": PICTURE, "annotations/instances_train2017.json": coco(segmentation=RING)})
        with pytest.raises(ValueError, match=r"got 3; a segmentation is a list of polygons, so one alone is \[\["):
            CocoInstances(root)[0]

    @pytest.mark.parametrize("name", ["/", "/data/a.png", "C:\\data\\a.png", "http://x.org/a.png", "a.png "])
    def test_a_picture_that_is_not_there_is_named_as_the_file_has_it(self, make, name):
        data = coco()
        data["images"][0]["file_name"] = name
        root = make({"train2017/a.png": PICTURE, "annotations/instances_train2017.json": data})
        with pytest.raises(FileNotFoundError) as error:
            CocoInstances(root)[0]
        assert str(error.value).endswith(f"instances_train2017.json names it {name!r}")
        assert f"is missing; instances_train2017.json names it {name!r}" in str(check_folder(root))

    def test_a_picture_named_by_a_detour_is_not_alone(self, make):
        data = coco()
        data["images"][0]["file_name"] = "../train2017/a.png"
        root = make({"train2017/a.png": PICTURE, "annotations/instances_train2017.json": data})
        assert len(CocoInstances(root)[0][1]["labels"]) == 1
        assert check_folder(root).rows == ()

    def test_panoptic_pngs(self, make):
        name = "annotations/panoptic_train2017"
        png = Image.fromarray(segment_colors(IDS))
        root = make({"train2017/a.png": PICTURE, f"{name}.json": panoptic(), f"{name}/a.png": png.transpose(2)})
        with pytest.raises(ValueError, match=r"but its picture a.png of panoptic_train2017.json is 20 x 30"):
            CocoPanoptic(root)[0]
        png.save(root / name / "b.jpg")
        (root / name / "b.jpg").replace(root / name / "a.png")
        with pytest.raises(ValueError, match=r"a.png was saved as JPEG, which blends ids: save it as PNG"):
            CocoPanoptic(root)[0]
        assert [row.kind for row in check_folder(root).rows] == ["JPEG mask"]
        (root / name / "a.png").unlink()
        with pytest.raises(FileNotFoundError, match=r"a.png is missing; \S*panoptic_train2017.json names it 'a.png'"):
            CocoPanoptic(root)[0]
        assert "is missing; panoptic_train2017.json names it" in str(check_folder(root))

    @pytest.mark.parametrize("content", [coco(), coco(area=...), coco(iscrowd=1), coco(bbox=[0.5, 1, 2.25, 3])])
    def test_what_is_right_as_it_stands_is_read_as_if_record_by_record(self, content):
        assert annotations_are_right(content["annotations"], {1}, {1})
        file, found = coco_json.parse(content, "a.json")
        names = [name for name in vars(coco_json) if name.endswith("_are_right")]
        assert len(names) == 4
        with mock.patch.multiple(coco_json, **dict.fromkeys(names, lambda *_: False)):
            assert coco_json.parse(content, "a.json") == (file, found)

    @pytest.mark.parametrize(
        "fields",
        [{"iscrowd": True}, {"iscrowd": None}, {"iscrowd": 2}, {"area": True}, {"area": -1}, {"area": float("nan")},
         {"bbox": [3, 4, True, 6]}, {"bbox": [3, 4, -8, 6]}, {"bbox": [3, 4, 8, 10**400]}, {"bbox": "3486"},
         {"bbox": ...}, {"image_id": True}, {"image_id": 1.0}, {"category_id": 2}, {"id": None}, {"segments_info": []}],
    )  # fmt: skip
    def test_what_must_be_looked_at(self, fields):
        assert not annotations_are_right(coco(**fields)["annotations"], {1}, {1})

    def test_the_collector_of_garbage_is_as_it_was(self, make):
        path = make({"a.json": coco()}) / "a.json"
        for was_enabled in (True, False):
            (gc.enable if was_enabled else gc.disable)()
            try:
                coco_json.read_coco(path)
                assert gc.isenabled() == was_enabled
                assert gc.get_freeze_count() == 0
            finally:
                gc.enable()


class TestMasksAndTables:
    def test_a_tiff_of_jpeg_pixels(self, make):
        root = make({"images/a.png": PICTURE, "masks/a.tif": MASK})
        MASK.save(root / "masks/a.tif", compression="jpeg")
        with pytest.raises(ValueError, match=r"a.tif is a TIFF whose pixels are compressed as 'jpeg'"):
            ImageFolder(root)
        assert [row.kind for row in check_folder(root).rows] == ["JPEG mask"]

    @pytest.mark.parametrize("line", ["- cat", "* cat", "cat:::", "cat:0:0:0::", "cat:", "cat |"])
    def test_lines_that_are_more_than_names_are_not_numbered(self, make, line):
        path = make({"classes.txt": f"sky\n{line}\n"}) / "classes.txt"
        with pytest.raises(ValueError, match=r"classes.txt is not a table of classes: line 2, .* is no name"):
            read_class_table(path)

    def test_no_partner_at_all(self, make):
        root = make({"images/image_1.png": PICTURE, "masks/mask_1.png": MASK})
        with pytest.raises(ValueError, match=r"the first is 'image_1.png'\) .*the first is 'mask_1.png'"):
            ImageFolder(root)

    def test_palettes_are_read_without_decoding(self, make):
        mask = MASK.convert("P")
        mask.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        root = make({"a.png": mask, "b.png": MASK, "c.gif": mask, "d.png": ""})
        mask.save(root / "e.png", compress_level=0)
        stored = (root / "e.png").read_bytes()
        (root / "e.png").write_bytes(stored[: stored.index(b"IDAT") + 20])  # no pixels, but a palette
        assert palette_in(root / "a.png") == palette_in(root / "e.png") != b""
        assert palette_in(root / "c.gif")
        assert palette_in(root / "b.png") == palette_in(root / "d.png") == palette_in(root / "none.png") == b""


class TestTexts:
    @pytest.mark.parametrize(
        ("data", "message"),
        [(b"\xff\xfea", "not a text in UTF-16-LE .byte 2"), (b"a\0\n", "holds zero bytes"), (b"a\x1ab", "x1a")],
    )
    def test_that_are_none(self, tmp_path, data, message):
        (tmp_path / "a.txt").write_bytes(data)
        with pytest.raises(ValueError, match=rf"a.txt .*{message}"):
            read_text(tmp_path / "a.txt")

    @pytest.mark.parametrize("text", ["a\u0085b", "a\x1a", "a\tb\f\v", "\u00e9\n"])
    def test_that_are_some(self, tmp_path, text):
        (tmp_path / "a.txt").write_bytes(text.encode())
        assert read_text(tmp_path / "a.txt") == text.removesuffix("\x1a")

    def test_a_list_is_named_where_it_names_nothing(self, make):
        base, context = "VOCdevkit/VOC2012", "VOCdevkit/VOC2010"
        lists = {f"{base}/ImageSets/Segmentation/train.txt": "a\n# end\n"}
        lists[f"{context}/ImageSets/SegmentationContext/train.txt"] = "a\n# end\n"
        files = {f"{place}/a.{kind}": PICTURE if kind == "jpg" else MASK for place, kind in (
            (f"{base}/JPEGImages", "jpg"), (f"{base}/SegmentationClass", "png"), (f"{context}/JPEGImages", "jpg"),
            (f"{context}/SegmentationClassContext", "png"))}  # fmt: skip
        root = make(files | lists)
        for loader in (VOCSegmentation(root), PascalContext(root)):
            assert loader[0][0].shape == (3, 20, 30)
            with pytest.raises(FileNotFoundError, match=r"# end.jpg is missing; the list \S*train.txt names '# end'"):
                loader[1]

    def test_masks_in_the_other_form_of_a_name_are_not_alone(self, make):
        decomposed, base = unicodedata.normalize("NFD", "caf\u00e9"), "VOCdevkit/VOC2012"
        root = make({f"{base}/ImageSets/Segmentation/train.txt": "caf\u00e9\n"})
        make({f"{base}/JPEGImages/{decomposed}.jpg": PICTURE, f"{base}/SegmentationClass/{decomposed}.png": MASK})
        assert {row.kind for row in check_folder(root).rows} == {"name"}


class TestTransforms:
    def test_maps_that_can_no_longer_hold_their_ids(self, make):
        name = "annotations/panoptic_train2017"
        files = {"train2017/a.png": PICTURE, f"{name}/a.png": Image.fromarray(segment_colors(IDS))}
        root = make(files | {f"{name}.json": panoptic()})
        narrow = v2.ToDtype({tv_tensors.Mask: torch.uint8, "others": None})
        with pytest.raises(ValueError, match="has become uint8, which cannot hold the segment id 70000"):
            CocoPanoptic(root, transforms=narrow)[0]

    def test_boxes_of_fewer_objects_beside_untouched_masks(self, make):
        root = make({"train2017/a.png": PICTURE, "annotations/instances_train2017.json": coco()})
        fewer = CocoInstances(root, transforms=lambda image, target: (image, target | {"boxes": target["boxes"][:0]}))
        with pytest.raises(ValueError, match="the transforms left 1 masks"):
            fewer[0]


class TestTensors:
    def test_sparse(self):
        matrix, whole = ConfusionMatrix(3), ConfusionMatrix(3)
        labels = torch.from_numpy(NUMBERS.astype(np.int64))
        matrix.update(labels, labels.to_sparse().float().round().to(torch.int64))
        whole.update(labels, labels)
        assert np.array_equal(matrix.matrix, whole.matrix)

    def test_without_values(self):
        with pytest.raises(ValueError, match=r"of the shape \(20, 30\) lies on the device 'meta'"):
            ConfusionMatrix(3).update(NUMBERS, torch.empty(20, 30, dtype=torch.int64, device="meta"))

    @pytest.mark.parametrize("change", [lambda p: p.to_sparse(), lambda p: p.to("meta")])
    def test_in_a_crf(self, change):
        with pytest.raises(ValueError, match="a dense one with values is needed"):
            dense_crf(change(torch.full((2, 4, 5), 0.5)), np.zeros((3, 4, 5), np.uint8))

    def test_masked_arrays(self):
        hidden = np.ma.array(NUMBERS, mask=NUMBERS > 1)
        with pytest.raises(ValueError, match=r"hides 200 of its 600 values.*filled\(255\)"):
            ConfusionMatrix(3).update(hidden, NUMBERS)
        ConfusionMatrix(3).update(hidden.filled(255), NUMBERS)
        ConfusionMatrix(3).update(np.ma.array(NUMBERS), NUMBERS)

    def test_ids_of_64_bits_are_shown_as_they_are(self):
        ids = np.full((2, 2), (1 << 63) + 5, np.uint64)
        with pytest.raises(ValueError, match=f"63 bits, but its map holds {(1 << 63) + 5}"):
            panoptic_quality((ids, []), (ids, []), [{"id": 1, "isthing": 1}])
