import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from segtutor import cli
from segtutor.datasets import ImageFolder
from segtutor.datasets.check import check_folder
from tests.shared import shared_data


def save_exif(path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.open(path).save(path, exif=exif)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def kinds(report):
    """(file name, kind) of every row."""
    return {(row.path.name, row.kind) for row in report.rows}


@pytest.fixture
def own(tmp_path):
    """Ten pictures and masks of one's own, with noise so that no two are the same."""
    root = tmp_path / "own"
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for name in "abcdefghij":
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(root / f"images/{name}.png")
        Image.fromarray(rng.integers(0, 3, (6, 8), dtype=np.uint8)).save(root / f"masks/{name}.png")
    (root / "classes.txt").write_text("sky\nroad\ncar\n")
    return root


class TestClean:
    @pytest.mark.parametrize(
        ("layout", "name", "files"),
        # VOC: picture, classes, objects; COCO: picture, panoptic, two semantic maps; Cityscapes: picture, two
        # label files; PASCAL-Context: picture, PNG, .mat
        [
            ("voc", "VOC", 24),
            ("coco", "COCO", 32),
            ("cityscapes", "Cityscapes", 24),
            ("pascal_context", "PASCAL-Context", 24),
        ],
    )
    def test_an_export(self, exported, layout, name, files):
        report = check_folder(exported[layout])
        assert report.rows == ()
        assert report.ok
        assert (report.layout, report.checked) == (name, files)

    def test_own(self, own):
        report = check_folder(own)
        assert report.ok
        assert (report.layout, report.checked, report.rows) == ("images and masks", 20, ())


class TestOwnFolder:
    def test_everything_in_one_pass(self, own):
        """Every trouble in a folder of its own file: none hides another."""
        images, masks = own / "images", own / "masks"
        cut(images / "a.png")
        cut(masks / "b.png")
        Image.open(masks / "c.png").resize((4, 3)).save(masks / "c.png")
        values = np.array(Image.open(masks / "d.png"))
        values[2, 3] = 3
        Image.fromarray(values).save(masks / "d.png")
        Image.open(masks / "e.png").convert("RGB").save(masks / "e.png")
        (masks / "f.png").unlink()
        (images / "g.png").unlink()
        Image.open(masks / "h.png").save(masks / "h.jpg")
        (masks / "h.png").unlink()
        save_exif(images / "i.png", 6)
        shutil.copy(images / "j.png", images / "j.jpeg")
        Image.fromarray(np.zeros((6, 8), np.uint16)).save(masks / "k.png")
        Image.fromarray(np.full((6, 8), 40000, np.uint16)).save(images / "k.png")
        Image.new("RGB", (8, 6), (1, 2, 3)).save(images / "größe.png")
        Image.new("L", (8, 6)).save(masks / "größe.png")
        (images / "l.png").write_text("not a picture")
        Image.new("L", (8, 6)).save(masks / "l.png")
        report = check_folder(own)
        assert kinds(report) == {
            ("a.png", "unreadable"), ("b.png", "unreadable"), ("c.png", "size"), ("d.png", "value"),
            ("e.png", "colors"), ("f.png", "alone"), ("g.png", "alone"), ("h.jpg", "JPEG mask"), ("i.png", "EXIF"),
            ("i.png", "size"), ("j.png", "twice"), ("k.png", "16 bits"), ("größe.png", "name"),
            ("l.png", "unreadable"),
        }  # fmt: skip
        assert not report.ok
        files = {(row.path.parent.name, row.path.name) for row in report.rows}
        assert ("images", "a.png") in files
        assert ("masks", "b.png") in files
        text = str(report)
        assert len(text.splitlines()) == 1 + len(report.rows)
        assert "masks/d.png" in text
        assert "3" in next(line for line in text.splitlines() if "d.png" in line)
        assert text.index("error") < text.index("remark  ")

    def test_remarks_do_not_make_it_fail(self, own):
        Image.new("RGB", (8, 6), (1, 2, 3)).save(own / "images/ñ.png")
        Image.new("L", (8, 6)).save(own / "masks/ñ.png")
        report = check_folder(own)
        assert [row.kind for row in report.rows] == ["name", "name"]
        assert report.ok

    def test_palettes_that_differ(self, own):
        for name, shift in (("a", 0), ("b", 0), ("c", 9)):
            mask = Image.open(own / f"masks/{name}.png")
            mask.putpalette([(value + shift) % 256 for value in range(768)])
            mask.save(own / f"masks/{name}.png")
        report = check_folder(own)
        assert kinds(report) == {("c.png", "palette")}
        assert not report.ok, "the places of lines are no numbers that masks of two palettes would agree on"
        (own / "classes.txt").unlink()
        (own / "classes.csv").write_text("name,index\nsky,0\nroad,1\ncar,2\n")
        report = check_folder(own)
        assert kinds(report) == {("c.png", "palette")}
        assert report.ok

    def test_numbers_that_nobody_named(self, tmp_path):
        for name, numbers in (("one", [0]), ("ids", [7, 26]), ("usual", [0, 1, 255])):
            for number in range(2):
                for kind in ("images", "masks"):
                    (tmp_path / name / kind).mkdir(parents=True, exist_ok=True)
                pixels = np.full((6, 8), numbers[number % len(numbers)], np.uint8)
                pixels[: 2 * len(numbers)] = np.resize(numbers, (2 * len(numbers), 8))
                Image.fromarray(pixels).save(tmp_path / name / "masks" / f"{number}.png")
                save(tmp_path / name / "images" / f"{number}.png", np.full((6, 8, 3), 40 * number, np.uint8))
        assert kinds(check_folder(tmp_path / "one")) == {("masks", "one class")}
        (row,) = check_folder(tmp_path / "ids").rows
        assert (row.kind, row.is_error) == ("no names", False)
        assert "the numbers 7, 26 are taken for 2 of them" in row.message
        assert not check_folder(tmp_path / "usual").rows

    def test_the_same_picture_in_two_splits(self, tmp_path, own):
        root = tmp_path / "split"
        for split in ("train", "val"):
            shutil.copytree(own, root / split)
        Image.new("RGB", (8, 6)).save(root / "val/images/a.png")
        report = check_folder(root)
        assert report.checked == 40
        copies = [row.path.name for row in report.rows if row.kind == "copy"]
        assert sorted(copies) == [f"{name}.png" for name in "bcdefghij"]

    def test_empty_and_unknown_folders(self, tmp_path):
        report = check_folder(tmp_path)
        assert [row.kind for row in report.rows] == ["empty"]
        assert report.layout == "unknown"
        (tmp_path / "images").mkdir()
        (tmp_path / "masks").mkdir()
        assert kinds(check_folder(tmp_path)) == {("images", "empty"), ("masks", "empty")}
        with pytest.raises(FileNotFoundError, match="nowhere"):
            check_folder(tmp_path / "nowhere")

    def test_a_broken_table(self, own):
        (own / "classes.txt").write_text("sky\nsky\n")
        assert ("classes.txt", "table") in kinds(check_folder(own))


class TestVOC:
    def test_everything_in_one_pass(self, copy_of):
        root = copy_of("voc")
        base = root / "VOCdevkit/VOC2012"
        cut(base / "JPEGImages/2012_000001.jpg")
        (base / "SegmentationClass/2012_000002.png").unlink()
        values = np.array(Image.open(base / "SegmentationClass/2012_000003.png"))
        values[0, 0] = 77
        Image.fromarray(values).save(base / "SegmentationClass/2012_000003.png")
        objects = base / "SegmentationObject/2012_000004.png"
        Image.open(objects).resize((8, 8)).save(objects)
        Image.open(base / "SegmentationClass/2012_000005.png").save(base / "SegmentationClass/2012_000099.png")
        lists = base / "ImageSets/Segmentation"
        (lists / "val.txt").write_text((lists / "val.txt").read_text() + "2012_000006\n2012_000001\n")
        report = check_folder(root)
        found = kinds(report)
        assert {
            ("2012_000001.jpg", "unreadable"), ("2012_000002.png", "missing"), ("2012_000003.png", "value"),
            ("2012_000004.png", "size"), ("2012_000099.png", "alone"), ("val.txt", "twice"), ("Segmentation", "split"),
        } == found  # fmt: skip
        by_kind = {row.kind: row for row in report.rows}
        assert "77" in by_kind["value"].message
        assert "2012_000001" in by_kind["split"].message
        assert by_kind["size"].path == objects

    def test_an_empty_list(self, copy_of):
        root = copy_of("voc")
        (root / "VOCdevkit/VOC2012/ImageSets/Segmentation/trainval.txt").write_text("")
        assert kinds(check_folder(root)) == {("trainval.txt", "empty")}

    def test_pascal_context_mats(self, copy_of):
        root = copy_of("pascal_context")
        first, second, third, fourth = sorted(root.glob("**/*.mat"))[:4]
        cut(first)
        savemat(second, {"LabelMap": np.full((64, 80), 999)})
        savemat(third, {"LabelMap": np.full((64, 90), 9)})
        fourth.unlink()
        assert kinds(check_folder(root)) == {
            (first.name, "unreadable"), (second.name, "value"), (third.name, "size"), (fourth.name, "missing"),
        }  # fmt: skip


class TestCoco:
    def test_everything_in_one_pass(self, copy_of):
        root = copy_of("coco")
        path = root / "annotations/instances_train2017.json"
        content = json.loads(path.read_text())
        content["annotations"][0]["category_id"] = 12
        content["annotations"][1]["image_id"] = 4242
        content["annotations"][2]["bbox"][3] = 0
        content["annotations"][3]["segmentation"] = [[1.0, 2.0]]
        content["annotations"].append(content["annotations"][4])
        content["images"].append(content["images"][0])
        path.write_text(json.dumps(content))
        cut(root / "train2017/000000000002.jpg")
        (root / "train2017/000000000003.jpg").unlink()
        Image.new("RGB", (10, 10)).save(root / "train2017/000000000004.jpg")
        Image.new("RGB", (10, 10), (9, 9, 9)).save(root / "train2017/extra.jpg")
        panoptic = root / "annotations/panoptic_train2017.json"
        content = json.loads(panoptic.read_text())
        content["annotations"][0]["segments_info"].pop()
        content["annotations"][1]["segments_info"][0]["area"] += 1
        panoptic.write_text(json.dumps(content))
        Image.open(root / "annotations/panoptic_train2017/000000000005.png").convert("L").save(
            root / "annotations/panoptic_train2017/000000000005.png"
        )
        stuff = root / "annotations/stuff_val2017.json"
        stuff.write_text(stuff.read_text()[:-9])
        report = check_folder(root)
        name = path.name
        assert kinds(report) == {
            (name, "category"), (name, "json"), (name, "box"), (name, "mask"), (name, "twice"),
            ("000000000002.jpg", "unreadable"), ("000000000003.jpg", "missing"), ("000000000004.jpg", "size"),
            ("extra.jpg", "alone"), ("000000000001.png", "segments"), ("000000000002.png", "segments"),
            ("000000000005.png", "colors"), ("stuff_val2017.json", "unreadable"),
        }  # fmt: skip
        assert not report.ok


class TestCityscapes:
    def test_everything_in_one_pass(self, copy_of):
        root = copy_of("cityscapes")
        ids = sorted(root.glob("gtFine/*/*/*_labelIds.png"))
        values = np.array(Image.open(ids[0]))
        values[0, 0] = 34
        Image.fromarray(values).save(ids[0])
        ids[1].unlink()
        picture = sorted(root.glob("leftImg8bit/*/*/*.png"))[2]
        picture.unlink()
        instances = sorted(root.glob("gtFine/*/*/*_instanceIds.png"))[3]
        Image.fromarray(np.full((64, 80), 35001, np.uint16)).save(instances)
        mask = next(path for path in ids if path.name.startswith(picture.name.removesuffix("_leftImg8bit.png")))
        assert kinds(check_folder(root)) == {
            (ids[0].name, "value"), (ids[1].name, "missing"), (mask.name, "alone"), (instances.name, "value"),
        }  # fmt: skip

    def test_without_labels(self, copy_of):
        root = copy_of("cityscapes")
        shutil.rmtree(root / "gtFine")
        assert kinds(check_folder(root)) == {(root.name, "missing")}


class TestCommand:
    def test_prints_the_table_and_tells_by_its_status(self, own, capsys):
        assert cli.main(["data", "check", str(own)]) == 0
        assert "20 files read, 0 errors" in capsys.readouterr().out
        cut(own / "images/a.png")
        assert cli.main(["data", "check", str(own)]) == 1
        assert "images/a.png" in capsys.readouterr().out


PIXELS = np.random.default_rng(1).integers(0, 256, (4, 6, 3), dtype=np.uint8)
NUMBERS = np.repeat(np.array([[0, 0, 1, 1, 2, 2]], np.uint8), 4, axis=0)
TABLE = "background:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n"


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


class TestFoldersOfTools:
    """What annotation tools export is read by a loader, and nothing in it is an alarm."""

    def test_cvat_masks(self, tmp_path):
        colors = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)[NUMBERS]
        save(tmp_path / "JPEGImages/sub/a.png", PIXELS)
        save(tmp_path / "JPEGImages/not annotated.png", PIXELS[::-1])
        save(tmp_path / "SegmentationClass/sub/a.png", colors)
        save(tmp_path / "SegmentationObject/sub/a.png", colors[:, ::-1])
        (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
        (tmp_path / "ImageSets/Segmentation/default.txt").write_text("sub/a\n")
        (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + TABLE)
        report = check_folder(tmp_path)
        assert (report.rows, report.checked) == ((), 2)
        data = ImageFolder(tmp_path / "JPEGImages" / "..", images="JPEGImages/sub", masks="SegmentationClass/sub")
        assert np.array_equal(data[0][1], NUMBERS)
        save(tmp_path / "SegmentationClass/sub/a.png", colors + 1)
        assert kinds(check_folder(tmp_path)) == {("a.png", "value")}

    @pytest.mark.parametrize("folder", ["SegmentationClass", "SegmentationClassPNG"])
    def test_labelme(self, tmp_path, folder):
        save(tmp_path / "JPEGImages/a.jpg", PIXELS)
        save(tmp_path / f"{folder}/a.png", NUMBERS)
        save(tmp_path / "SegmentationClassVisualization/a.jpg", PIXELS)
        (tmp_path / "SegmentationClass").mkdir(exist_ok=True)
        np.save(tmp_path / "SegmentationClass/a.npy", NUMBERS)
        (tmp_path / "class_names.txt").write_text("_background_\ncat\ndog")
        report = check_folder(tmp_path)
        assert (report.rows, report.checked) == ((), 2)
        assert np.array_equal(ImageFolder(tmp_path)[0][1], NUMBERS)

    def test_roboflow_masks(self, tmp_path):
        for split, pixels in (("train", PIXELS), ("valid", PIXELS[::-1])):
            save(tmp_path / split / "a.rf.123.jpg", pixels)
            save(tmp_path / split / "a.rf.123_mask.png", NUMBERS)
            (tmp_path / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, cat\n2, dog\n")
        (tmp_path / "README.roboflow.txt").write_text("exported")
        report = check_folder(tmp_path)
        assert (report.rows, report.checked) == ((), 4)
        data = ImageFolder(tmp_path, split="valid", images=".", masks=".")
        assert data.labels.names == ("background", "cat", "dog")
        assert np.array_equal(data[0][1], NUMBERS)
        save(tmp_path / "train/a.rf.123_mask.png", NUMBERS + 1)
        assert kinds(check_folder(tmp_path)) == {("a.rf.123_mask.png", "value")}

    def test_boxes_alone(self, tmp_path):
        save(tmp_path / "JPEGImages/a.jpg", PIXELS)
        (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
        (tmp_path / "ImageSets/Segmentation/train.txt").write_text("a\n")
        assert kinds(check_folder(tmp_path)) == {("SegmentationClass", "missing")}


class TestTheLoader:
    """check_folder says "ok" exactly where the loader reads every item."""

    def read_all(self, root):
        try:
            data = ImageFolder(root)
            for index in range(len(data)):
                data[index]
        except (ValueError, OSError):
            return False
        return True

    @pytest.mark.parametrize(
        "damage",
        [
            lambda root: None,
            lambda root: cut(root / "masks/c.png"),
            lambda root: (root / "masks/c.png").write_bytes(b""),
            lambda root: (root / "images/c.png").write_bytes(b"GIF89a"),
            lambda root: save(root / "masks/c.png", np.full((6, 8), 3, np.uint8)),
            lambda root: save(root / "masks/c.png", np.full((6, 8), 255, np.uint8)),
            lambda root: save(root / "masks/c.png", np.zeros((8, 6), np.uint8)),
            lambda root: save(root / "masks/c.png", np.zeros((6, 8, 3), np.uint8)),
            lambda root: save(root / "masks/c.png", np.zeros((6, 8, 2), np.uint8)),
            lambda root: save(root / "images/c.png", np.full((6, 8), 300, np.uint16)),
            lambda root: (root / "classes.txt").write_text("sky\n1 road\ncar\n"),
            lambda root: (root / "classes.txt").write_bytes(b"sky\nstra\xdfe\ncar\n"),
            lambda root: (root / "classes.txt").write_bytes("sky\nstraße\ncar\n".encode("utf-16")),
            lambda root: (root / "classes.txt").unlink(),
            lambda root: save_exif(root / "images/c.png", 9),
            lambda root: save_exif(root / "images/c.png", 6),
            lambda root: save_exif(root / "masks/c.png", 8),
            lambda root: shutil.copy(root / "masks/c.png", root / "masks/c.bmp"),
            lambda root: (root / "images/.DS_Store").write_bytes(b"x"),
        ],
    )
    def test_agrees_with_the_check(self, own, damage):
        damage(own)
        report = check_folder(own)
        assert report.ok == self.read_all(own), str(report)
        for row in report.rows:
            assert row.path.exists()
            assert len(row.message) > 10
            assert "Traceback" not in row.message

    def test_two_troubles_of_one_pair(self, own):
        cut(own / "images/c.png")
        save(own / "masks/c.png", np.full((6, 8), 77, np.uint8))
        found = {(row.path.parent.name, row.kind) for row in check_folder(own).rows}
        assert found == {("images", "unreadable"), ("masks", "value")}

    def test_a_surprise_is_a_finding(self, own, monkeypatch):
        """What no one has foreseen stops neither the check nor hides the rest."""
        cut(own / "images/a.png")
        from segtutor.datasets import files

        original = files.to_rgb

        def surprise(image, *arguments):
            if image.filename.endswith("c.png"):
                raise KeyError("unforeseen")
            return original(image, *arguments)

        monkeypatch.setattr("segtutor.datasets.checker.to_rgb", surprise)
        rows = {row.path.name: row for row in check_folder(own).rows}
        assert set(rows) == {"a.png", "c.png"}
        assert "KeyError ('unforeseen')" in rows["c.png"].message

    def test_lists_that_are_no_texts(self, copy_of):
        root = copy_of("voc")
        lists = root / "VOCdevkit/VOC2012/ImageSets/Segmentation"
        (lists / "train.txt").write_bytes(b"\xff\xfe\x00")
        (lists / "val.txt").write_bytes((lists / "val.txt").read_text().encode("utf-16"))
        (lists / "trainval.txt").unlink()
        report = check_folder(root)
        assert ("train.txt", "value") in kinds(report)
        assert report.checked >= 9


@pytest.mark.shared_data
class TestRealFiles:
    @pytest.mark.parametrize(
        ("name", "layout", "files"),
        [("penn_fudan", "Penn-Fudan", 316), ("coco", "COCO", 350)],
    )
    def test_nothing_is_wrong(self, name, layout, files):
        report = check_folder(shared_data(name))
        assert (report.layout, report.checked, report.rows) == (layout, files, ())
