"""Tables of classes as tools write them: understood with the right numbers, or refused with what was found."""

import json

import numpy as np
import pytest
from PIL import Image

from segtutor.datasets import ImageFolder
from segtutor.datasets.class_tables import read_class_table
from segtutor.datasets.folder import table_file

CLASSES = ("background", "cat", "dog")
NUMBERS = {0: 0, 1: 1, 2: 2}
COLORS = {(0, 0, 0): 0, (128, 0, 0): 1, (0, 128, 0): 2}


@pytest.fixture
def read(tmp_path):
    def from_text(name, text):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_class_table(tmp_path / name)

    return from_text


class TestNumbers:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("_classes.csv", "Pixel Value, Class\n0, background\n1, cat\n2, dog\n"),  # Roboflow
            ("classes.csv", "name;index\ndog;2\nbackground;0\ncat;1\n"),
            ("classes.csv", "name\tindex\r\ncat\t1\r\nbackground\t0\r\ndog\t2\r\n"),
            ("classes.csv", "Idx,Name\n0,background\n1,cat\n2,dog\n"),
            ("classes.csv", "name,index\nbackground,0.0\ncat,1.0\ndog,2.0\n"),
            ("classes.csv", "id,name,supercategory\n2,dog,animal\n1,cat,animal\n0,background,none\n"),
            ("classes.csv", "label,name\n0,background\n1,cat\n2,dog\n"),
            ("classes.csv", "name,trainId\nbackground,0\ncat,1\ndog,2\nroof,255\npole,255\nplate,-1\n"),
            ("classes.csv", "sep=;\nname;value\nbackground;0\ncat;1\ndog;2\n"),
            ("classes.csv", '"name","index"\n"background","0"\n"cat","1"\n"dog","2"\n\n'),
            ("classes.csv", "name,id,value\ncat,1,1\ndog,2,2\nbackground,0,0\n"),
            ("labels.txt", "Idx\tRatio\tName\n0\t0.3\tbackground\n1\t0.2\tcat\n2\t0.1\tdog\n"),  # ADE20K
            ("labels.txt", "2: dog\n0: background\n1: cat\n"),
            ("labels.txt", "0 background\n1 cat\n2 dog\n"),
            ("labels.txt", "cat,1\ndog,2\nbackground,0\n"),
            ("classes.json", '{"0": "background", "1": "cat", "2": "dog"}'),
            ("classes.json", '{"names": {"2": "dog", "1": "cat", "0": "background"}, "nc": 3}'),
            ("classes.json", '{"cat": 1, "dog": "2", "background": 0.0}'),
            ("id2label.json", '{"0": "background", "1": "cat", "2": "dog"}'),
            (
                "config.json",
                '{"model_type": "segformer", "id2label": {"0": "background", "1": "cat", "2": "dog"}, '
                '"label2id": {"background": 0, "cat": 1, "dog": 2}}',
            ),  # Hugging Face
            ("config.json", '{"label2id": {"background": 0, "cat": 1, "dog": 2}}'),
            ("classes.json", json.dumps({"categories": [{"id": i, "name": n} for i, n in enumerate(CLASSES)]})),
            ("classes.json", json.dumps([{"value": i, "label": n} for i, n in enumerate(CLASSES)])),
        ],
    )
    def test_are_those_of_the_table(self, read, name, text):
        table = read(name, text)
        assert table.labels.names == CLASSES
        assert {value: n for value, n in table.number_of_value.items() if n != 255} == NUMBERS
        assert table.is_numbered

    def test_labelme(self, read):
        """Its first line is -1, saved as 255; the second is 0."""
        table = read("labels.txt", "__ignore__\n_background_\ncat\ndog\n")
        assert table.labels.names == ("_background_", "cat", "dog")
        assert table.number_of_value == NUMBERS | {255: 255}
        assert read("class_names.txt", "_background_\ncat\ndog\n").number_of_value == NUMBERS

    def test_gaps(self, read):
        table = read("classes.json", '[{"png_index": 1, "class_name": "cat"}, {"png_index": 7, "class_name": "dog"}]')
        assert (table.labels.names, table.number_of_value) == (("cat", "dog"), {1: 0, 7: 1})


class TestColors:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("labelmap.txt", "# label:color_rgb:parts:actions\n"  # CVAT
                             "background:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n"),
            ("label_colors.txt", "0 0 0\tbackground\n128 0 0\tcat\n0 128 0\tdog\n"),  # CamVid
            ("classes.txt", "background 0 0 0\ncat 128 0 0\ndog 0 128 0\n"),
            ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\ncat,128,0,0\ndog,0,128,0\n"),
            ("classes.csv", 'name,rgb\nbackground,"0,0,0"\ncat,"(128, 0, 0)"\ndog,"rgb(0,128,0)"\n'),
            ("classes.csv", "name,Color Hex\nbackground,#000000\ncat,#800000ff\ndog,008000\n"),
            ("classes.csv", "name,red,green,blue\nbackground,0.0,0.0,0.0\ncat,128.0,0.0,0.0\ndog,0.0,128.0,0.0\n"),
            ("classes.json", '{"background": [0, 0, 0], "cat": "#800000FF", "dog": [0, 128, 0, 255]}'),
            ("classes.json", '{"classes": [{"title": "background", "color": "#000000"}, {"title": "cat", "color": '
                             '"#800000"}, {"title": "dog", "color": "#008000", "shape": "polygon"}]}'),
        ],
    )  # fmt: skip
    def test_are_those_of_the_table(self, read, name, text):
        table = read(name, text)
        assert (table.labels.names, table.number_of_color) == (CLASSES, COLORS)
        assert table.by_color

    def test_with_numbers(self, read):
        table = read("classes.json", '[{"png_index": 3, "class_name": "cat", "color": "#4df3ceff"}]')
        assert table.number_of_value == {3: 0}
        assert table.number_of_color == {(77, 243, 206): 0}
        assert not table.by_color


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("classes.csv", "name,gt\na,3\nb,4\n", "its columns are 'name', 'gt'; those that are understood: name;"),
            ("classes.csv", "name,color,gt\na,0 0 0,3\nb,9 9 9,4\n", "is 'gt' the number of a class"),
            ("classes.csv", "name,id,trainId\na,7,0\nb,8,1\n", "the columns 'id' and 'trainId' are different numbers"),
            ("classes.csv", "a,0\nb,1\n", "no column has names: its columns are 'a', '0'"),
            ("classes.csv", "name,color\na,128,0,0\nb,0,128,0\n", r"row 2 has 4 cells .*quotation marks"),
            ("classes.csv", "name,index\na,1.5\nb,2\n", "whole number from 0 on, not '1.5'"),
            ("classes.csv", "name,index\na,-1\nb,2\n", "'a' has the number -1, which no mask can hold"),
            ("classes.csv", "name,id\ncat,n02\ndog,n03\n", "whole number from 0 on, not 'n02'"),
            ("classes.csv", "name,color\na,#ffff0000\nb,#ff00ff00\n", "transparent, or its alpha stands first"),
            ("classes.csv", "name,color\na,0.0 0.0 0.0\nb,1.0 0.0 0.0\n", "run from 0 to 1: write them from 0 to 255"),
            ("classes.csv", "name,color\na,red\nb,blue\n", "the color 'red' is none"),
            ("classes.csv", "name,r,g,b\na,0,0,0\nb,0,0,0\n", r"one color, \(0, 0, 0\): 'a' and 'b'"),
            ("classes.csv", "name,name\na,b\n", "a title stands twice"),
            ("classes.csv", "name,index\nStra\xdfe,0\n".encode("cp1252"), "not a text in UTF-8"),
            ("classes.csv", "void,index\n", "no column|it is empty"),
            ("classes.csv", "name\nvoid\n", "no class but void"),
            ("classes.txt", "sky\n1 road\ncar\n", "line 2, '1 road', is no name"),
            ("classes.txt", "sky\n\ncar\n", "line 2, '', is no name"),
            ("classes.txt", "name\nsky\ncar\n", "line 1, 'name', is no name"),
            ("classes.txt", "sky 1\nroad 2\n", "is no name: a text has one name a line"),
            ("classes.txt", "background,cat,dog\n", "is no name"),
            ("classes.txt", "cat\n__ignore__\ndog\n", "in the first line only"),
            ("classes.txt", "cat\n# animals\ndog\n", "line 2, '# animals'"),
            ("classes.txt", "a:0,0,0::\nb:::\n", "line 1"),
            ("classes.json", '{"a": 0, "a": 1}', "the key 'a' stands more than once"),
            ("classes.json", '{"a": true, "b": false}', "whole number from 0 on, not True"),
            ("classes.json", '[["a", 0], ["b", 1]]', r"entry 0 is \['a', 0\]"),
            ("classes.json", '["a", {"name": "b"}]', "entry 0 is 'a': all are names, or all objects"),
            ("classes.json", "[" * 100000, "nested too deeply|not a table"),
            ("classes.json", '{"a": [0.5, 0.2, 0.1]}', r"the color \[0.5, 0.2, 0.1\] is none"),
            ("config.json", '{"id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 1, "dog": 0}}',
             "id2label and label2id contradict each other about 'cat'"),
            ("classes.json", "3", "a table is a list or an object, not 3"),
        ],
    )  # fmt: skip
    def test_with_the_reason(self, read, name, text, message):
        with pytest.raises(ValueError, match=message) as error:
            read(name, text)
        assert name in str(error.value)

    @pytest.mark.parametrize("sign", ['"', "'"])
    def test_names_in_quotation_marks(self, read, sign):
        text = "".join(f"{sign}{name}{sign}\n" for name in ("sky", "grass, dry", "3D printer"))
        assert read("classes.txt", text).labels.names == ("sky", "grass, dry", "3D printer")
        assert read("classes.txt", "sky\n'n' sync\n").labels.names == ("sky", "'n' sync")

    def test_plain_names_stay_names(self, read):
        """What looks odd and is a name: an English comma, digits inside, a number at the end of some."""
        text = "wall, brick\n3D printer\nzone 1\nzone 2\ntraffic-light\n"
        assert read("classes.txt", text).labels.names == tuple(text.strip().split("\n"))


def test_tables_are_found_in_the_folder_or_its_split(tmp_path):
    assert table_file(tmp_path, "train") is None
    (tmp_path / "train").mkdir()
    (tmp_path / "train/_classes.csv").touch()
    assert table_file(tmp_path, "train") == tmp_path / "train/_classes.csv"
    (tmp_path / "labelmap.txt").touch()
    assert table_file(tmp_path, "train") == tmp_path / "labelmap.txt"


def test_the_table_among_the_masks_is_found(tmp_path):
    (tmp_path / "train").mkdir()
    numbers = np.array([[0, 1], [2, 1]], np.uint8)
    Image.fromarray(np.stack([numbers] * 3, axis=-1)).save(tmp_path / "train/a.jpg")
    Image.fromarray(numbers).save(tmp_path / "train/a_mask.png")
    (tmp_path / "train/_classes.csv").write_text("Pixel Value, Class\n0, background\n1, cat\n2, dog\n")
    data = ImageFolder(tmp_path, images="train", masks="train")
    assert data.labels.names == ("background", "cat", "dog")
    assert data[0][1].tolist() == numbers.tolist()
