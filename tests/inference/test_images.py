from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from segtutor.inference import load_image


@pytest.fixture
def rgb() -> np.ndarray:
    return np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


def test_every_holder_of_the_same_picture_gives_the_same_numbers(rgb, tmp_path):
    Image.fromarray(rgb).save(tmp_path / "a.png")
    expected = torch.from_numpy(rgb).permute(2, 0, 1).float() / 255
    for source in (
        rgb,
        rgb.astype(np.float32) / 255,
        rgb.astype(np.float64) / 255,
        rgb.astype(np.uint16) * 257,
        np.dstack([rgb, np.full((2, 3), 7, np.uint8)]),
        Image.fromarray(rgb),
        Image.fromarray(rgb).convert("RGBA"),
        torch.from_numpy(rgb).permute(2, 0, 1),
        torch.from_numpy(rgb).permute(2, 0, 1).double() / 255,
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
    ):
        torch.testing.assert_close(load_image(source), expected)


def test_gray_is_repeated_and_a_palette_looked_up(tmp_path):
    gray = np.array([[0, 51], [102, 255]], dtype=np.uint8)
    expected = torch.tensor([[0, 0.2], [0.4, 1]]).expand(3, 2, 2)
    for source in (gray, gray[..., None], Image.fromarray(gray), torch.from_numpy(gray), torch.from_numpy(gray)[None]):
        torch.testing.assert_close(load_image(source), expected)
    torch.testing.assert_close(load_image(gray > 60), torch.tensor([[0.0, 0], [1, 1]]).expand(3, 2, 2))
    palette = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode="P")
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.save(tmp_path / "p.png")
    expected = torch.tensor([[[1.0, 0]], [[0, 0]], [[0, 1]]])
    torch.testing.assert_close(load_image(tmp_path / "p.png"), expected)


def test_sixteen_bit_files_are_scaled_not_cut_off(tmp_path):
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "deep.png")
    image = load_image(tmp_path / "deep.png")
    torch.testing.assert_close(image[0, 0], torch.tensor([0, 32768 / 65535, 1]))


def test_a_file_is_turned_as_its_exif_says(rgb, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn the stored picture clockwise
    Image.fromarray(rgb).save(tmp_path / "turned.png", exif=exif)
    expected = load_image(np.rot90(rgb, -1))
    torch.testing.assert_close(load_image(tmp_path / "turned.png"), expected)
    with Image.open(tmp_path / "turned.png") as image:  # an image that somebody opened is taken as it is
        assert load_image(image).shape == (3, 2, 3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.full((2, 2, 3), 200.0), "divide by 255"),
        (np.full((2, 2, 3), np.nan), "from nan"),
        (np.full((2, 2, 3), -1.5), "do not normalize"),
        (np.zeros((2, 2, 3), np.int64), "not torch.int64"),
        (np.zeros((3, 2, 2), np.uint8), r"\(3, 2, 2\)"),
        (np.zeros((2, 2, 5), np.uint8), r"\(2, 2, 5\)"),
        (np.zeros((0, 2, 3), np.uint8), "empty"),
        (torch.zeros(2, 3, 4, 4), r"\(2, 3, 4, 4\)"),
        (7, "not int"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(source, message):
    with pytest.raises(ValueError, match=message):
        load_image(source)


def test_what_is_no_image_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        load_image(tmp_path / "missing.png")
    with pytest.raises(ValueError, match=r"notes\.jpg is not an image"):
        load_image(tmp_path / "notes.jpg")
    with pytest.raises(ValueError, match=r"half\.png cannot be decoded"):
        load_image(tmp_path / "half.png")
    with pytest.raises(ValueError, match="is a folder"):
        load_image(tmp_path)


def test_a_float_file_is_scaled_and_another_range_refused(tmp_path):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "unit.tif")
    torch.testing.assert_close(load_image(tmp_path / "unit.tif")[1], torch.from_numpy(values))
    for top in (200, 60000):
        Image.fromarray(values * top).save(tmp_path / "other.tif")
        with pytest.raises(ValueError, match=rf"other\.tif holds values from 0 to {top} \(float32\)"):
            load_image(tmp_path / "other.tif")


@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_bytes_in_deeper_numbers_would_be_black(tmp_path, dtype):
    values = np.arange(256, dtype=dtype).reshape(16, 16)
    with pytest.raises(ValueError, match=r"from 0 to 255 .*as good as black"):
        load_image(Image.fromarray(values))
    Image.fromarray(values).save(tmp_path / "deep.tif")
    with pytest.raises(ValueError, match=r"deep\.tif holds values from 0 to 255"):
        load_image(tmp_path / "deep.tif")
    if dtype is np.uint16:
        with pytest.raises(ValueError, match="from 0 to 255"):
            load_image(values)
        with pytest.raises(ValueError, match="from 0 to 255"):
            load_image(torch.from_numpy(values))
    Image.fromarray(values * np.asarray(257, dtype)).save(tmp_path / "deep.tif")
    torch.testing.assert_close(load_image(tmp_path / "deep.tif")[0], torch.arange(256.0).reshape(16, 16) / 255)


def test_all_black_is_black():
    assert load_image(np.zeros((2, 2), np.uint16)).max() == 0
