"""Masks and pictures as tools write them, each read right or refused with the reason: none is silently wrong."""

import io
import json
import struct
import unicodedata
import zlib

import numpy as np
import pytest
from PIL import Image

from segtutor.datasets import CamVid, Cityscapes, ImageFolder, VOCSegmentation, check_folder
from segtutor.datasets.files import as_image, read_image, read_indices, to_rgb, values_in
from segtutor.datasets.opening import open_file
from segtutor.labels import VOC2012, LabelSet, voc_colormap

LABELS = np.repeat(np.array([[0, 0, 1, 1, 2, 2]], np.uint8), 4, axis=0)
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8))
MASK = Image.fromarray(LABELS)
COLORS = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)


@pytest.fixture
def make(tmp_path):
    """Write files, images or texts, and give their folder."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Image.Image):
                content.save(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def own(mask, **files):
    return {"images/a.png": PICTURE, "masks/a.png": mask} | {name.replace("__", "."): v for name, v in files.items()}


def gray(*values):
    """A mask of these values where the labels are 0, 1, 2."""
    return Image.fromarray(np.array(values)[LABELS].astype(np.uint8))


class TestBlackAndWhite:
    """255 is the object in most programs, and void in this one: who has not said which is asked."""

    @pytest.mark.parametrize(
        "files",
        [
            {},
            {"classes__txt": "background\nroad\n"},
            {"classes__csv": "name,index\nbackground,0\nroad,1\n"},
            {"labels__json": json.dumps(["background", "road"])},
        ],
    )
    @pytest.mark.parametrize("values", [(0, 0, 255), (255, 255, 255)])
    def test_is_refused_with_both_ways_out(self, make, files, values):
        root = make(own(gray(*values), **files))
        with pytest.raises(ValueError, match=r"a\.png holds only .*255.* object,255 .* void,255"):
            ImageFolder(root)[0]
        assert [(row.path.name, row.kind) for row in check_folder(root).rows] == [("a.png", "0 and 255")]

    @pytest.mark.parametrize("labels", [VOC2012, LabelSet("two", ("background", "road"), ((0, 0, 0), (9, 9, 9)))])
    def test_with_a_label_set(self, make, labels):
        with pytest.raises(ValueError, match="holds only 0 and 255"):
            ImageFolder(make(own(gray(0, 255, 0))), labels=labels)[0]

    @pytest.mark.parametrize(
        ("table", "names", "expected"),
        [
            ("name,index\nbackground,0\nroad,255\n", ("background", "road"), 1),
            ("name,index\nbackground,0\nvoid,255\n", ("background",), 255),
            ("name,color\nbackground,0 0 0\nroad,255 255 255\n", ("background", "road"), 1),
            ("name,color\nroad,#ffffff\nbackground,#000000\n", ("road", "background"), 0),
            ("name,color\nbackground,0 0 0\nvoid,255 255 255\n", ("background",), 255),
        ],
    )
    @pytest.mark.parametrize("mode", ["L", "LA", "1"])
    def test_a_table_says_which(self, make, table, names, expected, mode):
        if mode == "1" and "index" in table:
            table = table.replace("255", "1")  # the numbers in a mask of one bit are 0 and 1
        data = ImageFolder(make(own(gray(0, 0, 255).convert(mode), classes__csv=table)))
        black = {"road": 1, "background": 0}.get(names[0], 0)
        assert data.labels.names == names
        assert np.array_equal(data[0][1], np.array([black, black, expected])[LABELS])
        assert check_folder(data.root).ok

    def test_void_beside_classes_is_void(self, make):
        data = ImageFolder(make(own(gray(0, 1, 255), classes__txt="background\nroad\n")))
        assert np.array_equal(data[0][1], np.array([0, 1, 255])[LABELS])

    def test_one_bit_is_two_classes(self, make):
        data = ImageFolder(make(own(gray(0, 255, 255).convert("1"))))
        assert np.array_equal(data[0][1], np.array([0, 1, 1])[LABELS])

    def test_in_other_layouts(self, make):
        black_and_white = gray(0, 255, 0)
        root = make(voc("x\n", black_and_white))
        with pytest.raises(ValueError, match=r"x\.png holds only 0 and 255"):
            VOCSegmentation(root)[0]
        black_and_white.putpalette(voc_colormap().tobytes())  # VOC's own void
        make(voc("x\n", black_and_white))
        assert np.array_equal(VOCSegmentation(root)[0][1], np.array([0, 255, 0])[LABELS])

    def test_in_cityscapes(self, make):
        root = make(cityscapes(gray(0, 255, 0)))
        with pytest.raises(ValueError, match="holds only 0 and 255"):
            Cityscapes(root)[0]


def voc(names, mask, picture=PICTURE, ending="jpg"):
    base = "VOCdevkit/VOC2012/"
    return {
        base + f"JPEGImages/x.{ending}": picture,
        base + "SegmentationClass/x.png": mask,
        base + "ImageSets/Segmentation/train.txt": names,
    }


def cityscapes(ids):
    name = "aachen/aachen_000000_000019"
    return {
        f"leftImg8bit/train/{name}_leftImg8bit.png": PICTURE,
        f"gtFine/train/{name}_gtFine_labelIds.png": ids,
        f"gtFine/train/{name}_gtFine_instanceIds.png": Image.fromarray(LABELS.astype(np.uint16)),
    }


class TestGrays:
    """A table of colors alone, and masks of one channel."""

    def test_numbers_where_no_gray_is_a_class(self, make):
        data = ImageFolder(make(own(MASK, classes__csv="name,color\na,0 0 0\nb,128 0 0\nc,0 128 0\n")))
        assert np.array_equal(data[0][1], LABELS)

    def test_grays_that_are_classes(self, make):
        table = "name,color\na,0 0 0\nb,200 200 200\nc,100 100 100\n"
        data = ImageFolder(make(own(gray(0, 100, 200), classes__csv=table)))
        assert np.array_equal(data[0][1], np.array([0, 2, 1])[LABELS])

    def test_either_is_asked(self, make):
        table = "name,color\na,0 0 0\nb,2 2 2\nc,1 1 1\n"
        with pytest.raises(ValueError, match="as grays, or the places of its lines"):
            ImageFolder(make(own(MASK, classes__csv=table)))[0]

    def test_neither_is_refused(self, make):
        table = "name,color\na,0 0 0\nb,200 200 200\n"
        with pytest.raises(ValueError, match=r"holds the value 2, but .*0, 1, 255, and the grays 0, 200"):
            ImageFolder(make(own(MASK, classes__csv=table)))[0]


class TestPalettes:
    def renumbered(self, numbers, colormap=None):
        mask = Image.fromarray(np.array(numbers, np.uint8)[LABELS])
        mask.putpalette((voc_colormap() if colormap is None else colormap).tobytes())
        saved = mask.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
        assert np.array_equal(saved.convert("RGB"), mask.convert("RGB"))
        assert not np.array_equal(saved, mask)
        return saved

    def test_voc_is_read_by_its_colors(self, make):
        root = make(voc("x\n", self.renumbered([0, 15, 255])))
        assert np.array_equal(VOCSegmentation(root)[0][1], np.array([0, 15, 255])[LABELS])
        assert check_folder(root).ok

    def test_voc_objects_too(self, make):
        base = "VOCdevkit/VOC2012/SegmentationObject/x.png"
        root = make(voc("x\n", self.renumbered([0, 15, 15])) | {base: self.renumbered([0, 9, 4])})
        target = VOCSegmentation(root, target="instances")[0][1]
        assert target["labels"].tolist() == [15, 15]
        assert np.array_equal(target["masks"][0], LABELS == 2)
        assert check_folder(root).ok

    def test_colors_of_no_class_are_refused(self, make):
        colors = voc_colormap()
        colors[3] = (1, 2, 3)
        mask = self.renumbered([0, 15, 3], colors)
        root = make(voc("x\n", mask))
        with pytest.raises(ValueError, match=r"x\.png has a palette that contradicts its numbers"):
            VOCSegmentation(root)[0]
        assert {row.kind for row in check_folder(root).rows} == {"palette"}

    def test_a_palette_of_its_own_says_nothing(self, make):
        mask = MASK.copy()
        mask.putpalette([255 - value // 3 for value in range(768)])
        assert np.array_equal(VOCSegmentation(make(voc("x\n", mask)))[0][1], LABELS)

    def test_a_table_with_numbers_and_colors(self, make):
        mask = MASK.copy()
        mask.putpalette(COLORS[[0, 2, 1]].tobytes())
        root = make(own(mask, classes__csv="name,index,color\na,0,0 0 0\nb,1,128 0 0\nc,2,0 128 0\n"))
        with pytest.raises(ValueError, match=r"a\.png has a palette that contradicts .*the value 1 .*\(0 128 0\)"):
            ImageFolder(root)[0]
        assert {row.kind for row in check_folder(root).rows} == {"palette"}
        mask.putpalette(COLORS.tobytes())
        assert np.array_equal(ImageFolder(make(own(mask)))[0][1], LABELS)

    @pytest.mark.parametrize("files", [{}, {"classes__txt": "sky\nroad\ncar\n"}])
    def test_two_palettes_without_a_table(self, make, files):
        """Of three drawings an editor keeps the colors that occur: 1 is red in one mask and green in the other."""
        first, second = MASK.copy(), MASK.copy()
        first.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        second.putpalette([0, 0, 0, 0, 255, 0, 255, 0, 0])
        root = make(own(first, **files) | {"images/b.png": PICTURE.rotate(180), "masks/b.png": second})
        with pytest.raises(ValueError, match=r"b\.png has another palette than a\.png: .*name,color"):
            ImageFolder(root)[0]
        with pytest.raises(ValueError, match=r"b\.png has another palette than a\.png"):
            ImageFolder(root).report()
        assert {(row.path.name, row.kind) for row in check_folder(root).rows if row.is_error} == {("b.png", "palette")}
        make({"classes.csv": "name,color\nsky,0 0 0\nroad,255 0 0\ncar,0 255 0\n"})
        (root / "classes.txt").unlink(missing_ok=True)
        data = ImageFolder(root)
        assert np.array_equal(data[0][1], LABELS)
        assert np.array_equal(data[1][1], np.array([0, 2, 1])[LABELS])


class TestModes:
    def test_gray_with_alpha(self, make):
        opaque = Image.merge("LA", [MASK, Image.new("L", MASK.size, 255)])
        assert np.array_equal(ImageFolder(make(own(opaque)))[0][1], LABELS)
        half = Image.merge("LA", [MASK, Image.new("L", MASK.size, 128)])
        with pytest.raises(ValueError, match=r"a\.png has transparent pixels \(mode LA, alpha down to 128\)"):
            ImageFolder(make(own(half)))

    def test_transparent_colors(self, make):
        colors = np.dstack([COLORS[LABELS], np.where(LABELS == 0, 0, 255)]).astype(np.uint8)
        table = "name,color\na,0 0 0\nb,128 0 0\nc,0 128 0\n"
        with pytest.raises(ValueError, match=r"a\.png has transparent pixels \(mode RGBA"):
            ImageFolder(make(own(Image.fromarray(colors), classes__csv=table)))[0]
        colors[..., 3] = 255
        assert np.array_equal(ImageFolder(make(own(Image.fromarray(colors), classes__csv=table)))[0][1], LABELS)

    def test_floats(self, make):
        mask = io.BytesIO()
        Image.fromarray(LABELS.astype(np.float32)).save(mask, "TIFF")
        with pytest.raises(ValueError, match=r"a\.tif holds floats from 0 to 2, not class numbers"):
            ImageFolder(make({"images/a.png": PICTURE, "masks/a.tif": mask.getvalue()}))

    def test_a_turned_mask_is_turned_in_colors_too(self, make):
        exif = Image.Exif()
        exif[0x0112] = 3
        stored = io.BytesIO()
        Image.fromarray(COLORS[LABELS]).save(stored, "PNG", exif=exif)
        table = "name,color\na,0 0 0\nb,128 0 0\nc,0 128 0\n"
        data = ImageFolder(make(own(stored.getvalue(), classes__csv=table)))
        assert np.array_equal(data[0][1], LABELS[::-1, ::-1])

    def test_a_mask_that_was_turned_says_so(self, make):
        with pytest.raises(ValueError, match="height and width are exchanged"):
            ImageFolder(make(own(MASK.transpose(Image.Transpose.ROTATE_90))))[0]

    def test_orientation_nine_is_none(self, make):
        exif = Image.Exif()
        exif[0x0112] = 9
        stored = io.BytesIO()
        PICTURE.save(stored, "PNG", exif=exif)
        root = make({"images/a.png": stored.getvalue(), "masks/a.png": MASK})
        assert np.array_equal(ImageFolder(root)[0][0], np.asarray(PICTURE).transpose(2, 0, 1))
        assert check_folder(root).rows == ()

    @pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
    def test_pages(self, tmp_path, kind):
        path = tmp_path / f"a.{kind.lower()}"
        MASK.save(path, kind, save_all=True, append_images=[gray(200, 100, 0), gray(0, 0, 250)])
        for read in (read_image, read_indices):
            with pytest.raises(ValueError, match=rf"a\.{kind.lower()} holds 3 pages or frames"):
                read(path)

    def test_a_smaller_copy_is_no_page(self, tmp_path):
        copy = MASK.resize((3, 2))
        copy.encoderinfo = {"tiffinfo": {254: 1}}
        MASK.save(tmp_path / "a.tif", save_all=True, append_images=[copy])
        assert Image.open(tmp_path / "a.tif").n_frames == 2
        assert np.array_equal(read_indices(tmp_path / "a.tif"), LABELS)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("compression", [None, "tiff_lzw"])
    def test_turned_tiffs(self, tmp_path, orientation, compression):
        """Pillow reads uncompressed ones with height and width exchanged, if it may map them into memory."""
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"compression": compression} if compression else {}
        MASK.save(tmp_path / "a.tif", exif=exif, **options)
        MASK.save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(read_indices(tmp_path / "a.tif"), read_indices(tmp_path / "a.png"))

    def test_inverted_tiffs(self, tmp_path):
        stored = io.BytesIO()
        MASK.save(stored, "TIFF")
        tag = struct.pack("<HHII", 262, 3, 1, 1)  # PhotometricInterpretation: 1, 0 is black
        assert stored.getvalue().count(tag) == 1
        (tmp_path / "a.tif").write_bytes(stored.getvalue().replace(tag, struct.pack("<HHII", 262, 3, 1, 0)))
        with pytest.raises(ValueError, match=r"a\.tif is a TIFF in which 0 is white"):
            read_indices(tmp_path / "a.tif")


class TestRanges:
    """Pictures of 16 bits and floats; ``test_images`` has the same for single ones."""

    def test_floats_from_0_to_1(self, tmp_path):
        values = np.array([[0, 0.25, 0.5, 1]], np.float32)
        Image.fromarray(values).save(tmp_path / "a.tif")
        assert read_image(tmp_path / "a.tif")[1].tolist() == [[0, 64, 128, 255]]

    @pytest.mark.parametrize("values", [[0, 200], [0, 60000], [-1, 1], [0, np.nan]])
    def test_other_floats(self, make, values):
        stored = io.BytesIO()
        Image.fromarray(np.array(values, np.float32)[np.minimum(LABELS, 1)]).save(stored, "TIFF")
        root = make({"images/a.tif": stored.getvalue(), "masks/a.png": MASK})
        with pytest.raises(ValueError, match=r"a\.tif holds values from .* but float pictures run from 0"):
            ImageFolder(root)[0]
        assert [(row.path.name, row.kind, row.is_error) for row in check_folder(root).rows if row.is_error] == [
            ("a.tif", "range", True)
        ]

    @pytest.mark.parametrize("top", [255, 1023, 4095])
    def test_fewer_bits_in_16(self, tmp_path, top):
        Image.fromarray(np.array([0, top // 2, top], np.uint16)[LABELS]).save(tmp_path / "a.png")
        with pytest.raises(ValueError, match=rf"a\.png holds values from 0 to {top} .*as good as black"):
            read_image(tmp_path / "a.png")

    def test_fewer_bits_in_16_of_color(self, tmp_path):
        pixels = np.arange(72).reshape(4, 18).astype(">u2")
        (tmp_path / "a.png").write_bytes(color_png(pixels * 57))
        with pytest.raises(ValueError, match=r"a\.png has 16 bits a channel, but all values lie below 4096"):
            read_image(tmp_path / "a.png")
        (tmp_path / "a.png").write_bytes(color_png(pixels * 800))
        assert np.array_equal(
            read_image(tmp_path / "a.png").numpy().transpose(1, 2, 0).reshape(4, 18), pixels * 800 // 256
        )

    def test_masks_of_16_bits_a_channel(self, make):
        table = "name,color\na,0 0 0\nb,128 0 0\nc,0 128 0\n"
        deep = COLORS[LABELS].astype(">u2").reshape(4, 18)  # the upper halves are all 0, which would be one class
        with pytest.raises(ValueError, match=r"a\.png has 16 bits a channel"):
            ImageFolder(make(own(color_png(deep), classes__csv=table)))[0]


def color_png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", rows.shape[1] // 3, rows.shape[0], 16, 2, 0, 0, 0)
    body = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


class TestNames:
    def test_beyond_pillows_limit(self, make, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
        root = make({"images/a.png": PICTURE})
        with pytest.raises(ValueError, match=r"a\.png is too large a picture .*MAX_IMAGE_PIXELS = None"):
            open_file(root / "images/a.png")

    @pytest.mark.parametrize(
        ("image", "mask"),
        [
            ("21_training.tif", "21_manual1.gif"), ("ISIC_1.jpg", "ISIC_1_segmentation.png"), ("f.png", "f_P.png"),
            ("a.jpg", "a.jpg.png"), ("1_sat.jpg", "1_mask.png"), ("a.JPG", "a.PNG"), ("a.jfif", "a.png"),
            ("a.b.jpg", "a.b_gt.png"),
        ],
    )  # fmt: skip
    def test_additions(self, make, image, mask):
        stored = {}
        for name, content in ((f"images/{image}", PICTURE), (f"masks/{mask}", MASK)):
            data = io.BytesIO()
            ending = name.rpartition(".")[2].lower()
            content.save(data, {"tif": "TIFF", "gif": "GIF", "png": "PNG"}.get(ending, "JPEG"))
            stored[name] = data.getvalue()
        root = make(stored)
        (pair,) = ImageFolder(root).pairs
        assert [path.name for path in pair] == [image, mask]
        assert check_folder(root).ok

    def test_a_mask_of_another_picture_is_not_taken(self, make):
        root = make({f"images/{n}.png": PICTURE for n in ("a", "a_L")} | {"masks/a_L.png": MASK})
        data = ImageFolder(root)
        assert [(p.name, m.name) for p, m in data.pairs] == [("a_L.png", "a_L.png")]
        assert [path.name for path in data.images_without_mask] == ["a.png"]

    def test_two_masks_that_fit(self, make):
        root = make({"images/a.png": PICTURE, "masks/a_gt.png": MASK, "masks/a_mask.png": gray(0, 0, 1)})
        with pytest.raises(ValueError, match=r"a\.png could belong to a_mask\.png and a_gt\.png"):
            ImageFolder(root)
        assert ("a.png", "twice") in {(row.path.name, row.kind) for row in check_folder(root).rows}

    def test_composed_and_decomposed_letters(self, make):
        composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
        data = ImageFolder(make({f"images/{composed}.png": PICTURE, f"masks/{decomposed}.png": MASK}))
        assert len(data) == 1
        root = make({f"VOC/{name}": v for name, v in voc(f"{composed}\n", MASK).items()}) / "VOC"
        for path in root.rglob("x.*"):
            path.rename(path.with_name(path.name.replace("x", decomposed)))
        assert np.array_equal(VOCSegmentation(root)[0][1], LABELS)

    @pytest.mark.parametrize("ending", ["JPG", "jpeg", "jfif", "png", "PNG"])
    def test_endings_in_voc(self, make, ending):
        root = make(voc("x\n", MASK, ending="png"))
        old = root / "VOCdevkit/VOC2012/JPEGImages/x.png"
        old.rename(old.with_name(f"x.{ending}"))
        assert np.array_equal(VOCSegmentation(root)[0][0], np.asarray(PICTURE).transpose(2, 0, 1))
        assert check_folder(root).ok

    @pytest.mark.parametrize(
        "line",
        [
            "x",
            "x.jpg",
            "JPEGImages/x.jpg",
            "/VOC/JPEGImages/x.jpg /VOC/SegmentationClass/x.png",
            "x 1",
            ".\\JPEGImages\\x.jpg",
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_lists(self, make, line, encoding):
        root = make(voc(f"{line}\r\n".encode(encoding), MASK, ending="png"))
        assert VOCSegmentation(root).names == ["x"]
        assert check_folder(root).ok

    def test_spaces_in_lists(self, make):
        root = make(voc("my photo 1\nmy photo\n", MASK, ending="png"))
        base = root / "VOCdevkit/VOC2012"
        for name in ("my photo", "my photo 1"):
            PICTURE.save(base / f"JPEGImages/{name}.png")
            MASK.save(base / f"SegmentationClass/{name}.png")
        data = VOCSegmentation(root)
        assert data.names == ["my photo 1", "my photo"]
        assert np.array_equal(data[0][1], LABELS)

    def test_lists_of_frames(self, make):
        lines = "train\\a.png trainannot\\a.png\r\nC:\\SegNet\\train\\b.png C:\\SegNet\\trainannot\\b.png\r\n"
        files = {f"{folder}/{n}.png": i for n in "ab" for folder, i in (("train", PICTURE), ("trainannot", MASK))}
        root = make(files | {f"{split}.txt": lines.encode("utf-16") for split in ("train", "val", "test")})
        assert np.array_equal(CamVid(root)[1][1], LABELS)

    @pytest.mark.parametrize(
        "stray", [".DS_Store", "aachen/._aachen_000000_000019_leftImg8bit.png", "aachen/.DS_Store", "__MACOSX/x"]
    )
    def test_stray_files_in_cityscapes(self, make, stray):
        root = make(cityscapes(gray(7, 8, 11)) | {f"leftImg8bit/train/{stray}": b"x", "gtFine/train/.DS_Store": b"x"})
        data = Cityscapes(root, ids="all")
        assert len(data) == 1
        assert np.array_equal(data[0][1], np.array([7, 8, 11])[LABELS])
        assert check_folder(root).rows == ()

    def test_stray_files_elsewhere(self, make):
        files = own(MASK) | {
            "images/._a.png": b"x", "images/.ipynb_checkpoints/a.png": PICTURE, ".DS_Store": b"x",
            "masks/Thumbs.db": b"x",
        }  # fmt: skip
        root = make(files)
        assert len(ImageFolder(root)) == 1
        assert check_folder(root).rows == ()
        root = make({f"VOC/{name}": content for name, content in voc("x\n", MASK).items()}) / "VOC"
        (root / "VOCdevkit/VOC2012/ImageSets/Segmentation/._train.txt").write_bytes(b"\0\xff")
        (root / "VOCdevkit/VOC2012/SegmentationClass/._x.png").write_bytes(b"x")
        assert check_folder(root).rows == ()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_channels_are_those_of_pillow_and_lie_as_tensors_want_them(mode):
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).convert(mode)
    pixels = to_rgb(picture)
    assert np.array_equal(pixels, np.asarray(picture.convert("RGB")))
    assert as_image(pixels).is_contiguous()
    assert np.array_equal(as_image(pixels).permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (40, 30), (30, 40)])
def test_values_of_a_map_are_all_of_them_however_they_lie(kind, shape):
    rng = np.random.default_rng(0)
    for labels in (rng.integers(0, 256, shape), rng.integers(0, 3, shape), np.full(shape, 255)):
        labels = labels.astype(kind)
        for map_ in (labels, np.sort(labels, axis=None).reshape(shape), labels.T):
            assert values_in(map_).tolist() == sorted(set(map_.ravel().tolist()))
