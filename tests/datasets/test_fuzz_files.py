"""Generated class tables, lists and images: each is read right, or refused by an error that names the file.

About a thousand inputs by default; ``SEGTUTOR_FUZZ=10000`` makes it 10,000 of each of the eleven kinds.
"""

import io
import json
import os
import struct
import unicodedata
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from segtutor.datasets.class_tables import VOID_NAMES, read_class_table
from segtutor.datasets.files import read_image, read_indices
from segtutor.datasets.lists import read_list
from segtutor.labels import LabelSet

COUNT = int(os.environ.get("SEGTUTOR_FUZZ", "100"))
fuzz = settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))

LETTERS = st.characters(categories=("Lu", "Ll"), include_characters="äßé")
words = st.text(LETTERS, min_size=1, max_size=8)
names = (
    st.lists(words, min_size=1, max_size=3)
    .map(" ".join)
    .filter(
        lambda name: (
            name.lower()
            not in {*VOID_NAMES, "classes", "labels", "names", "name", "class", "label", "category", "title"}
        )
    )
)
color = st.tuples(*[st.integers(0, 255)] * 3)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
endings = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def classes(draw):
    """Rows of name, number and color, which all differ, in any order."""
    found = draw(st.lists(names, min_size=1, max_size=6, unique_by=lambda name: name))
    numbers = draw(st.lists(st.integers(0, 254), min_size=len(found), max_size=len(found), unique=True))
    colors = draw(st.lists(color, min_size=len(found), max_size=len(found), unique=True))
    return list(zip(found, numbers, colors, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def read_or_refuse(read, path):
    """What a reader gives, or None if it refuses and says which file."""
    try:
        return read(path)
    except (ValueError, OSError) as error:
        refusal = error
    assert path.name in str(refusal), f"{type(refusal).__name__} without the file's name: {refusal}"
    return None


HEX = "#{:02x}{:02x}{:02x}".format
WRITTEN = (HEX, "#{:02X}{:02X}{:02X}ff".format, "{} {} {}".format, "rgb({}, {}, {})".format, "[{}, {}, {}]".format)
NAME_TITLES = ("name", "Name", "class_name", "Class", "label", "Category Name")
NUMBER_TITLES = ("index", "Idx", "id", "Pixel Value", "trainId", "value", "ID")
COLOR_TITLES = ("color", "Colour", "RGB", "hex", "color_rgb")


class TestTables:
    @fuzz
    @given(rows=classes(), data=st.data(), encoding=encodings, ending=endings)
    def test_columns_are_read_right(self, folder, rows, data, encoding, ending):
        sign = data.draw(st.sampled_from(",;\t|"))
        has_number, has_color = data.draw(st.sampled_from([(True, False), (False, True), (True, True)]))
        written = data.draw(st.sampled_from(WRITTEN))
        columns = [(data.draw(st.sampled_from(NAME_TITLES)), [name for name, _, _ in rows])]
        if has_number:
            text = data.draw(st.sampled_from(["{}", "{}.0", " {} "]))
            columns.append((data.draw(st.sampled_from(NUMBER_TITLES)), [text.format(n) for _, n, _ in rows]))
        if has_color:
            columns.append((data.draw(st.sampled_from(COLOR_TITLES)), [f'"{written(*c)}"' for _, _, c in rows]))
        columns = data.draw(st.permutations(columns))
        lines = [sign.join(title for title, _ in columns)]
        lines += [sign.join(cells[row] for _, cells in columns) for row in range(len(rows))]
        path = folder / "classes.csv"
        path.write_bytes(ending.join([*lines, ""]).encode(encoding))
        self._compare(path, rows, has_number, has_color)

    @fuzz
    @given(rows=classes(), data=st.data(), encoding=encodings)
    def test_json_is_read_right(self, folder, rows, data, encoding):
        shape = data.draw(st.sampled_from(["objects", "numbers", "colors", "names of numbers", "inside"]))
        content = {
            "objects": [{"class_name": n, "png_index": i, "color": HEX(*c)} for n, i, c in rows],
            "numbers": {n: i for n, i, _ in rows},
            "colors": {n: list(c) for n, _, c in rows},
            "names of numbers": {str(i): n for n, i, _ in rows},
            "inside": {"version": 2, "classes": [{"title": n, "id": i} for n, i, _ in rows]},
        }[shape]
        path = folder / "classes.json"
        path.write_bytes(json.dumps(content, ensure_ascii=data.draw(st.booleans())).encode(encoding))
        self._compare(path, rows, shape != "colors", shape in ("objects", "colors"))

    @fuzz
    @given(rows=classes(), data=st.data(), encoding=encodings, ending=endings)
    def test_texts_are_read_right(self, folder, rows, data, encoding, ending):
        form, has_number, has_color = data.draw(
            st.sampled_from([
                ("{n}", False, False), ("{i} {n}", True, False), ("{i}: {n}", True, False), ("{n}:{i}", True, False),
                ("{n}:{r},{g},{b}::", False, True), ("{r} {g} {b}\t{n}", False, True), ("{n} {r} {g} {b}", False, True),
            ])
        )  # fmt: skip
        lines = [form.format(n=n, i=i, r=r, g=g, b=b) for n, i, (r, g, b) in rows]
        path = folder / "classes.txt"
        path.write_bytes(ending.join([*lines, ""]).encode(encoding))
        self._compare(path, rows, has_number, has_color)

    def _compare(self, path, rows, has_number, has_color):
        table = read_class_table(path)
        values = [number if has_number else place for place, (_, number, _) in enumerate(rows)]
        order = sorted(range(len(rows)), key=lambda place: values[place])
        assert table.labels.names == tuple(rows[place][0] for place in order)
        assert table.number_of_value == {values[place]: number for number, place in enumerate(order)}
        assert table.number_of_color == (
            {rows[place][2]: number for number, place in enumerate(order)} if has_color else {}
        )
        assert (table.is_numbered, table.by_color) == (has_number, has_color and not has_number)

    @fuzz
    @given(
        text=st.one_of(
            st.text(max_size=60),
            st.lists(
                st.lists(st.one_of(st.sampled_from(
                    ["name", "id", "color", "index", "trainId", "r", "__ignore__", "void", "#ff0000", "-1", "1.5",
                     "255", "0 0 0", "cat", "NaN", "{", "]", ":", '"', "sky", "\t", ";", "#"]), words), max_size=4)
                .map(",".join), max_size=5).map("\n".join),
        ),
        ending=st.sampled_from(["csv", "txt", "json"]),
        data=st.data(),
    )  # fmt: skip
    def test_whatever_stands_there(self, folder, text, ending, data):
        path = folder / f"labels.{ending}"
        content = text.encode("utf-8", errors="surrogatepass")
        if data.draw(st.booleans()):
            place = data.draw(st.integers(0, len(content)))
            content = content[:place] + data.draw(st.binary(max_size=2)) + content[place:]
        path.write_bytes(content)
        table = read_or_refuse(read_class_table, path)
        if table is None:
            return
        assert isinstance(table.labels, LabelSet)
        assert len(table.labels) >= 1
        # As which a text is read that begins with its mark, or has a zero byte in each pair.
        is_utf16 = b"\0" in content or content[:2] in (b"\xfe\xff", b"\xff\xfe")
        if ending == "txt" and not table.is_numbered and not table.number_of_color and not is_utf16:
            text = content.decode("utf-8-sig").removesuffix("\x1a").replace("\r", "\n")
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            assert all(name in lines for name in table.labels.names), "a place was counted that is no name"


class TestJson:
    values = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-3, 300), st.floats(), words, st.just("#ff0000")),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["name", "id", "index", "color", "classes", "0", "1", "x"]), inner, max_size=3
            ),
        ),
        max_leaves=8,
    )

    @fuzz
    @given(content=values)
    def test_whatever_stands_there(self, folder, content):
        path = folder / "mapping.json"
        path.write_text(json.dumps(content))
        read_or_refuse(read_class_table, path)


file_names = st.text(
    st.characters(categories=("Lu", "Ll", "Nd"), include_characters=" _-."), min_size=1, max_size=10
).filter(lambda name: name.strip(". ") == name and not name.lower().endswith((".jpg", ".png", ".gif", ".bmp", ".tif")))


class TestLists:
    @fuzz
    @given(
        found=st.lists(file_names, min_size=1, max_size=6, unique_by=lambda n: unicodedata.normalize("NFC", n)),
        data=st.data(), encoding=encodings, ending=endings,
    )  # fmt: skip
    def test_names_are_read_right(self, folder, found, data, encoding, ending):
        place = folder / "JPEGImages"
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        form = data.draw(st.sampled_from([
            "{}", " {} ", "{}.jpg", "{}.PNG", "JPEGImages/{}.jpg", "/data/VOC2012/JPEGImages/{}.jpg",
            ".\\JPEGImages\\{}.jpg",
            "/JPEGImages/{0}.jpg /SegmentationClassAug/{0}.png", "{}  1", "{} -1",
        ]))  # fmt: skip
        for name in found:
            written = unicodedata.normalize(data.draw(st.sampled_from(["NFC", "NFD"])), name)
            (place / f"{written}.jpg").touch()
        if form.endswith("1"):  # "a 1" may be the picture "a 1": the longer name goes first
            found = [name for name in found if not any(n.startswith(f"{name} ") for n in found)]
        path = folder / "train.txt"
        path.write_bytes(ending.join([form.format(name) for name in found] + [""]).encode(encoding))
        assert read_list(path, place) == [unicodedata.normalize("NFC", name) for name in found]

    @fuzz
    @given(content=st.one_of(st.binary(max_size=40), st.text(max_size=40).map(lambda t: t.encode("utf-8", "replace"))))
    def test_whatever_stands_there(self, folder, content):
        path = folder / "val.txt"
        path.write_bytes(content)
        found = read_or_refuse(read_list, path)
        assert found is None or (len(found) > 0 and all(found))


def png(numbers: np.ndarray, bits: int) -> bytes:
    """A gray PNG of 1, 2, 4, 8 or 16 bits, written by hand: Pillow writes no others than 1, 8 and 16."""
    height, width = numbers.shape
    rows = []
    for row in numbers.astype(int).tolist():
        digits = "".join(f"{value:0{bits}b}" for value in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big"))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


def turned(numbers: np.ndarray, orientation: int) -> np.ndarray:
    """What EXIF says, by NumPy."""
    return {
        2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1], 5: lambda a: a.T,
        6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].T, 8: lambda a: np.rot90(a),
    }.get(orientation, lambda a: a)(numbers)  # fmt: skip


@st.composite
def arrays(draw, highest=255):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    size = shape[0] * shape[1]
    return np.array(draw(st.lists(st.integers(0, highest), min_size=size, max_size=size))).reshape(shape)


class TestImages:
    @fuzz
    @given(data=st.data(), bits=st.sampled_from([1, 2, 4, 8, 16]))
    def test_gray_pngs_of_all_depths_give_the_files_numbers(self, folder, data, bits):
        numbers = data.draw(arrays(2**bits - 1))
        path = folder / "mask.png"
        path.write_bytes(png(numbers, bits))
        assert np.array_equal(read_indices(path), numbers)

    @fuzz
    @given(
        numbers=arrays(),
        mode=st.sampled_from(["1", "L", "P", "LA", "I;16", "I", "F", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"]),
        kind=st.sampled_from(["PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG"]),
        orientation=st.integers(0, 9),
        compression=st.sampled_from([None, "tiff_lzw", "tiff_adobe_deflate", "group4", "packbits"]),
    )
    def test_modes_and_formats(self, folder, numbers, mode, kind, orientation, compression):
        if mode == "1":
            numbers = numbers % 2
        dtype = {"I;16": np.uint16, "I": np.int32, "F": np.float32}.get(mode, np.uint8)
        gray = Image.fromarray(numbers.astype(dtype) * (255 if mode == "1" else 1))
        image = (
            gray
            if mode in ("L", "I;16", "I", "F")
            else gray.convert("1", dither=Image.Dither.NONE)
            if mode == "1"
            else gray
        )
        if mode == "P":
            image = gray.copy()
            image.putpalette([(7 * value) % 256 for value in range(768)])
        elif mode not in ("1", "L", "I;16", "I", "F"):
            image = gray.convert("RGB").convert(mode) if mode not in ("LA", "RGB") else gray.convert(mode)
        exif = Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        options = {"compression": compression} if kind == "TIFF" and compression else {}
        try:
            image.save(buffer, kind, exif=exif, **options)
        except (OSError, ValueError, KeyError, RuntimeError):
            return  # Pillow writes no such file
        path = folder / f"file.{kind.lower()}"
        path.write_bytes(buffer.getvalue())
        picture = read_or_refuse(read_image, path)
        if picture is not None:
            assert picture.shape[0] == 3
            if mode in ("L", "RGB") and kind in ("PNG", "BMP", "TIFF"):
                expected = turned(numbers, orientation) if kind != "BMP" else numbers
                assert all(np.array_equal(channel, expected) for channel in picture.numpy())
            if mode in ("I", "I;16", "F") and numbers.max() > 1 and kind in ("PNG", "TIFF"):
                pytest.fail("values of another range were taken for a picture")
        found = read_or_refuse(read_indices, path)
        if kind in ("JPEG", "WEBP"):
            assert found is None
        elif found is not None and kind == "GIF":  # has palettes alone, whose order is Pillow's
            assert found.shape == numbers.shape
        elif found is not None:
            assert mode in ("1", "L", "P", "LA", "I;16", "I")
            assert np.array_equal(found, numbers if kind == "BMP" else turned(numbers, orientation))

    @fuzz
    @given(numbers=arrays(), kind=st.sampled_from(["PNG", "TIFF", "GIF", "BMP", "JPEG", "WEBP"]), data=st.data())
    def test_damaged_files(self, folder, numbers, kind, data):
        buffer = io.BytesIO()
        Image.fromarray(numbers.astype(np.uint8)).save(buffer, kind)
        content = bytearray(buffer.getvalue())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = folder / f"damaged.{kind.lower()}"
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        read_or_refuse(read_image, path)
        read_or_refuse(read_indices, path)

    @fuzz
    @given(pages=st.integers(1, 3), kind=st.sampled_from(["TIFF", "GIF", "PNG", "WEBP"]), numbers=arrays())
    def test_pages(self, folder, pages, kind, numbers):
        frames = [Image.fromarray(((numbers + 50 * page) % 256).astype(np.uint8)) for page in range(pages)]
        path = folder / f"pages.{kind.lower()}"
        frames[0].save(path, kind, save_all=True, append_images=frames[1:])
        picture = read_or_refuse(read_image, path)
        assert (picture is None) == (pages > 1)
