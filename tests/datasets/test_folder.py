import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from segtutor.datasets import ImageFolder, check_folder
from segtutor.datasets.class_tables import read_class_table
from segtutor.labels import VOC2012
from tests.shared import shared_data

NUMBERS = np.array([[0, 0, 7, 7], [0, 11, 11, 255], [0, 0, 0, 7]], dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Two pictures with masks of the numbers 0, 7, 11 and 255."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / "images" / f"{name}.jpg")
        Image.fromarray(NUMBERS).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def save_colors(path, colors_of):
    table = np.zeros((256, 3), dtype=np.uint8)
    for value, color in colors_of.items():
        table[value] = color
    Image.fromarray(table[NUMBERS]).save(path)


class TestWithoutATable:
    def test_the_numbers_found_are_the_classes(self, folder):
        data = ImageFolder(folder)
        assert data.labels.names == ("class 0", "class 7", "class 11")
        image, target = data[0]
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(target, tv_tensors.Mask)
        assert target.tolist() == [[0, 0, 1, 1], [0, 2, 2, 255], [0, 0, 0, 1]]

    def test_a_palette_lends_its_colors(self, folder):
        for path in (folder / "masks").iterdir():
            mask = Image.fromarray(NUMBERS)
            mask.putpalette([value for i in range(256) for value in (i, 0, 255 - i)])
            mask.save(path)
        assert ImageFolder(folder).labels.colors == ((0, 0, 255), (7, 0, 248), (11, 0, 244))

    def test_colors_need_a_table(self, folder):
        path = folder / "masks/a.png"
        save_colors(path, {0: (0, 0, 0), 7: (255, 0, 0), 11: (0, 255, 0), 255: (9, 9, 9)})
        with pytest.raises(ValueError, match=r"a\.png holds colors .*write a classes\.csv .*\(0 0 0\), \(0 255 0\)"):
            ImageFolder(folder)

    def test_16_bits(self, folder):
        values = NUMBERS.astype(np.uint16)
        values[0, 0] = 1000
        Image.fromarray(values).save(folder / "masks/a.png")
        data = ImageFolder(folder)
        assert data.labels.names == ("class 0", "class 7", "class 11", "class 1000")
        assert data[0][1][0, 0] == 3

    @pytest.mark.parametrize("shades", [(0, 128, 255), (0, 127, 255), (0, 85, 170, 255), (0, 7, 249, 255), (128, 255)])
    def test_shades_of_gray_are_no_class_numbers(self, folder, shades):
        """Among them 255 is white, the object, and not void: trimaps, drawings, smoothed edges."""
        for path in (folder / "masks").iterdir():
            Image.fromarray(np.resize(np.array(shades, np.uint8), (3, 4))).save(path)
        message = rf"hold {', '.join(map(str, shades))}: these look like shades of gray"
        with pytest.raises(ValueError, match=message):
            ImageFolder(folder)
        report = check_folder(folder)
        assert not report.ok
        assert "shades of gray" in str(report)
        rows = "".join(f"class {value},{value}\n" for value in shades)
        (folder / "classes.csv").write_text(f"name,index\n{rows}")
        data = ImageFolder(folder)
        assert len(data.labels) == len(shades)
        assert data[0][1].unique().tolist() == list(range(len(shades)))

    @pytest.mark.parametrize("values", [(0, 15, 255), (0, 1, 255), (3, 182, 255), (0, 128), (0, 128, 254)])
    def test_numbers_that_are_no_shades(self, folder, values):
        for path in (folder / "masks").iterdir():
            Image.fromarray(np.resize(np.array(values, np.uint8), (3, 4))).save(path)
        assert ImageFolder(folder).labels.names == tuple(f"class {value}" for value in values if value != 255)

    def test_ids_of_objects_or_depth_are_no_classes(self, folder):
        Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20)).save(folder / "masks/a.png")
        with pytest.raises(ValueError, match="too many for classes"):
            ImageFolder(folder)


TABLES = {
    "classes.csv": "name,index\nsky,7\nfloor,0\nwall,11\n",
    "labels.csv": "name,index,color\nsky,7,#ff0000\nfloor,0,0 0 0\nwall,11,0 0 255\nvoid,255,9 9 9\n",
    "mapping.csv": "\ufeffName,Index,R,G,B\nsky,7,255,0,0\nfloor,0,0,0,0\nwall,11,0,0,255\n",
    "classes.json": json.dumps(
        [{"name": "floor", "index": 0}, {"name": "sky", "index": 7}, {"name": "wall", "index": 11}]
    ),
    "labels.json": json.dumps({"floor": 0, "sky": 7, "wall": 11}),
}


class TestWithATable:
    @pytest.mark.parametrize("name", TABLES)
    def test_numbers(self, folder, name):
        (folder / name).write_text(TABLES[name], encoding="utf-8")
        data = ImageFolder(folder)
        assert data.labels.names == ("floor", "sky", "wall")
        assert data[1][1].tolist() == [[0, 0, 1, 1], [0, 2, 2, 255], [0, 0, 0, 1]]
        if "255" in TABLES[name]:
            assert data.labels.colors == ((0, 0, 0), (255, 0, 0), (0, 0, 255))

    def test_a_table_elsewhere(self, folder, tmp_path):
        (tmp_path / "table.txt").write_text("\n".join(f"c{i}" for i in range(12)))
        assert ImageFolder(folder, labels=tmp_path / "table.txt")[0][1].tolist() == NUMBERS.tolist()

    def test_a_label_set(self, folder):
        data = ImageFolder(folder, labels=VOC2012)
        assert data.labels is VOC2012
        assert data[0][1].tolist() == NUMBERS.tolist()

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
    def test_colors(self, folder, mode):
        """The order of a palette is the drawing program's: without numbers in the table, its colors decide."""
        (folder / "classes.json").write_text(
            json.dumps({"floor": [0, 0, 0], "sky": [255, 0, 0], "wall": [0, 0, 255], "void": [9, 9, 9]})
        )
        for path in (folder / "masks").iterdir():
            save_colors(path, {0: (0, 0, 0), 7: (255, 0, 0), 11: (0, 0, 255), 255: (9, 9, 9)})
            mask = Image.open(path)
            (mask.quantize(4) if mode == "P" else mask.convert(mode)).save(path)
        data = ImageFolder(folder)
        assert data.labels.names == ("floor", "sky", "wall")
        assert data[0][1].tolist() == [[0, 0, 1, 1], [0, 2, 2, 255], [0, 0, 0, 1]]

    def test_smoothed_edges(self, folder):
        (folder / "classes.json").write_text(json.dumps({"floor": [0, 0, 0], "sky": [255, 0, 0], "wall": [0, 0, 255]}))
        save_colors(folder / "masks/b.png", {0: (0, 0, 0), 7: (255, 0, 0), 11: (127, 0, 127), 255: (0, 0, 255)})
        with pytest.raises(ValueError, match=r"b\.png holds the color \(127 0 127\) .*smoothed edges"):
            ImageFolder(folder)[1]

    def test_a_number_that_the_table_has_not(self, folder):
        (folder / "classes.json").write_text(json.dumps({"floor": 0, "wall": 11}))
        with pytest.raises(ValueError, match=r"a\.png holds the value 7, but .* has the values 0, 11, 255"):
            ImageFolder(folder)[0]

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("classes.json", "{", "classes.json is not a table"),
            ("classes.json", "[]", "it is empty"),
            ("classes.csv", "name,index\na,1\nb,1\n", "two classes have one index"),
            ("classes.csv", "name,color\na,#ff0000\nb,255 0 0\n", "two classes have one color"),
            ("classes.csv", "name,index\na,1\nb,\n", "some have none"),
            ("classes.csv", "index,color\n1,0 0 0\n", "no column has names: its columns are 'index', 'color'"),
            ("classes.csv", "name,color\na,0 0 300\n", "outside 0...255"),
            ("classes.txt", "a\na\n", "more than once"),
        ],
    )
    def test_wrong_tables(self, tmp_path, name, text, message):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message) as error:
            read_class_table(tmp_path / name)
        assert name in str(error.value)


class TestPairs:
    def test_left_over_files_are_told(self, folder):
        Image.new("RGB", (4, 3)).save(folder / "images/only.png")
        Image.new("L", (4, 3)).save(folder / "masks/lonely.png")
        (folder / "images/notes.txt").write_text("not a picture")
        data = ImageFolder(folder)
        assert len(data) == 2
        assert [path.name for path in data.images_without_mask] == ["only.png"]
        assert [path.name for path in data.masks_without_image] == ["lonely.png"]

    def test_names_with_an_addition(self, folder):
        for path in (folder / "masks").iterdir():
            path.rename(path.with_stem(f"{path.stem}_mask"))
        assert len(ImageFolder(folder)) == 2

    @pytest.mark.parametrize("places", [("val/images", "val/masks"), ("images/val", "masks/val")])
    def test_splits(self, folder, tmp_path, places):
        for name, place in zip(("images", "masks"), places, strict=True):
            moved = (folder / name).rename(tmp_path / f"old_{name}")
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            moved.rename(folder / place)
        assert len(ImageFolder(folder, split="val")) == 2
        if places[0] == "images/val":
            with pytest.raises(ValueError, match=r"\(0 pictures\).* give split='val'"):
                ImageFolder(folder)
        with pytest.raises(FileNotFoundError, match="no folder of pictures"):
            ImageFolder(folder, split="train")

    def test_folders_in_other_capitals(self, folder):
        (folder / "images").rename(folder / "IMAGES")
        (folder / "masks").rename(folder / "Masks")
        assert len(ImageFolder(folder)) == 2
        assert check_folder(folder).ok

    def test_nothing_fits(self, folder):
        for path in (folder / "masks").iterdir():
            path.rename(path.with_stem(f"x{path.stem}"))
        message = r"no picture of .*\(2 pictures, .* has a mask .*\(2 masks, the first is .xa"
        with pytest.raises(ValueError, match=message):
            ImageFolder(folder)

    def test_empty_and_missing_folders(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="not even it"):
            ImageFolder(tmp_path / "nowhere")
        (tmp_path / "images").mkdir()
        with pytest.raises(FileNotFoundError, match=r"no folder of masks .* there is images"):
            ImageFolder(tmp_path)
        (tmp_path / "masks").mkdir()
        with pytest.raises(ValueError, match=r"\(0 pictures\)"):
            ImageFolder(tmp_path)

    def test_two_pictures_of_one_name(self, folder):
        Image.new("RGB", (4, 3)).save(folder / "images/a.png")
        with pytest.raises(ValueError, match=r"a\.png and a\.jpg have one name"):
            ImageFolder(folder)


class TestFiles:
    def test_a_jpeg_mask(self, folder):
        (folder / "masks/a.png").unlink()
        Image.fromarray(NUMBERS).save(folder / "masks/a.jpg")
        with pytest.raises(ValueError, match=r"a\.jpg is a label map saved as JPEG"):
            ImageFolder(folder)

    def test_another_size_and_exif(self, folder):
        exif = Image.Exif()
        exif[0x0112] = 8
        Image.new("RGB", (4, 3)).save(folder / "images/a.jpg", exif=exif)
        with pytest.raises(ValueError, match=r"a\.png is 3 x 4 .*EXIF orientation 8"):
            ImageFolder(folder)[0]

    @pytest.mark.parametrize(
        ("start", "message"),
        [(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS, .*git lfs pull"),
         (b"\n<!DOCTYPE html><html>404</html>", "a web page, so the download failed"),
         (b"\0\0\0\x18ftypheic", "a photograph in HEIC, save it as JPEG"), (b"", r"\(0 bytes\)")],
    )  # fmt: skip
    def test_what_is_no_image_is_called_by_its_name(self, folder, start, message):
        (folder / "images/a.jpg").write_bytes(start)
        with pytest.raises(ValueError, match=rf"a\.jpg is not an image that Pillow can read .*{message}"):
            ImageFolder(folder)[0]

    def test_links_that_lead_nowhere_are_told(self, folder):
        for place in (folder / "images/c.jpg", folder / "masks/c.png"):
            place.symlink_to("/nowhere/at/all")
        report = check_folder(folder)
        assert not report.ok
        wrong = [row for row in report.rows if row.is_error]
        assert {row.path.name for row in wrong} == {"c.jpg", "c.png"}
        assert all("a link to a file that is not there" in row.message for row in wrong)
        (folder / "masks/c.png").unlink()
        assert [path.name for path in ImageFolder(folder).images_without_mask] == ["c.jpg"]

    def test_pictures_that_are_not_read_are_told(self, folder):
        (folder / "images/c.HEIC").touch()
        rows = [row for row in check_folder(folder).rows if row.kind not in ("copy", "no names")]
        assert [(row.path.name, row.kind, row.is_error) for row in rows] == [("c.HEIC", "not read", False)]

    def test_truncated(self, folder):
        path = folder / "images/b.jpg"
        path.write_bytes(path.read_bytes()[:-30])
        data = ImageFolder(folder)
        assert data[0][0].shape == (3, 3, 4)
        with pytest.raises(ValueError, match=r"b\.jpg cannot be decoded"):
            data[1]

    def test_beyond_ascii_and_pickled(self, folder, tmp_path):
        root = tmp_path / "Äpfel 苹果"
        root.mkdir()
        for name in ("images", "masks"):
            (folder / name).rename(root / name)
        (root / "images/a.jpg").rename(root / "images/ß.jpg")
        (root / "masks/a.png").rename(root / "masks/ß.png")
        data = ImageFolder(root)
        assert data.labels.title == "Äpfel 苹果"
        assert torch.equal(pickle.loads(pickle.dumps(data))[1][1], data[1][1])


class TestReport:
    def test_counts(self, folder):
        Image.new("RGB", (4, 3)).save(folder / "images/only.png")
        (folder / "classes.json").write_text(json.dumps({"floor": 0, "sky": 7, "wall": 11, "roof": 12}))
        report = ImageFolder(folder).report()
        assert (report.pairs, report.void) == (2, 2)
        assert report.pixels == {"floor": 12, "sky": 6, "wall": 4, "roof": 0}
        assert report.sizes == {(3, 4): 2}
        assert report.mask_modes == {"L": 2}
        text = str(report)
        assert "2 pictures with a mask; 1 pictures without" in text
        assert "50.00 %" in text
        assert "3 x 4 (2)" in text


@pytest.mark.shared_data
class TestRealFiles:
    def test_penn_fudan(self):
        """Its masks hold ids of pedestrians, which are no classes."""
        with pytest.raises(ValueError, match=r"whose numbers are people and not classes: .*PennFudan"):
            ImageFolder(shared_data("penn_fudan"))

    def test_voc_as_a_folder(self):
        root = shared_data("voc2012_animals", "VOCdevkit", "VOC2012")
        data = ImageFolder(root, labels=VOC2012)
        assert len(data) == 821
        assert set(data[5][1].unique().tolist()) <= {*range(21), 255}
