"""What a COCO file says about one picture: its pixels, the masks and boxes of its objects, its panoptic segments."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtutor.datasets.coco_json import CocoFile
from segtutor.datasets.files import LOSSY, check_same_size, open_file, orientation, to_rgb
from segtutor.datasets.opening import FileError, MissingFile
from segtutor.datasets.targets import check_segments, describe_segments, segment_ids_of
from segtutor.metrics.arrays import shorten
from segtutor.metrics.coco_fields import has_box
from segtutor.metrics.coco_masks import draw
from segtutor.metrics.runs import Runs

Box = tuple[float, float, float, float]


def find_picture(folder: Path, name: str) -> Path:
    """Where a file lies, whose name may have been written with backslashes, accents in another form or its folder."""
    path = folder / name
    if (name.isascii() and "\\" not in name and "/" not in name) or path.is_file():
        return path
    for written in (name, name.replace("\\", "/")):
        for form in ("NFC", "NFD"):
            normal = unicodedata.normalize(form, written)
            for other in (folder / normal, folder / normal.removeprefix(f"{folder.name}/")):
                if other.is_file():
                    return other
    return path


def read_picture(path: Path, entry: dict[str, Any], file: Path) -> np.ndarray:
    """A picture as H x W x 3 uint8, turned as height and width in its entry of the annotation file say.

    Raises:
        ValueError: If it has that size neither turned by its EXIF orientation nor as it is stored.
    """
    picture, size = _open_named(path, file, entry["file_name"]), (entry["height"], entry["width"])
    pixels = to_rgb(picture)
    if pixels.shape[:2] != size and orientation(picture) != 1:
        pixels = to_rgb(picture, turn=False)
    if pixels.shape[:2] != size:
        raise ValueError(
            f"{path} is {pixels.shape[0]} x {pixels.shape[1]} pixels (height x width), but its annotation says "
            f"{size[0]!r} x {size[1]!r}, in {file}"
        )
    return pixels


def _open_named(path: Path, file: Path, name: str) -> Image.Image:
    """`open_file`, whose error says where the name of a missing file comes from."""
    try:
        return open_file(path)
    except MissingFile as error:
        raise MissingFile(f"{error}; {file} names it {name!r}", path) from None


def draw_items(annotations: Sequence[dict[str, Any]], size: tuple[int, int], where: Callable[[int], str]) -> Runs:
    """The masks of the annotations of one picture, pixel for pixel as pycocotools draws them.

    Raises:
        ValueError: If a segmentation is missing, broken or of another size; ``where(position)`` names it.
    """
    parts = [segmentation_of(item, where, position) for position, item in enumerate(annotations)]
    return draw(parts, np.tile(np.array(size, np.int64), (len(parts), 1)), where)


def segmentation_of(annotation: dict[str, Any], where: Callable[[int], str], position: int) -> Any:
    """The segmentation of an annotation; ValueError if it has none."""
    part = annotation.get("segmentation")
    if part is None or part == [] or part == {}:
        raise ValueError(f"{where(position)}: it has no segmentation; only annotations with masks can be read")
    return part


def boxes_of(
    annotations: Sequence[dict[str, Any]], masks: Runs, size: tuple[int, int], where: Callable[[int], str]
) -> list[Box | None]:
    """The boxes x0 y0 x1 y1 of the annotations of one picture, within it; None for an object without any area.

    Raises:
        ValueError: If a box lies outside the picture, or gives two corners; ``where(position)`` names it.
    """
    boxes: list[Box | None] = []
    for position, (item, tight) in enumerate(zip(annotations, masks.boxes().tolist(), strict=True)):
        box, problem = read_box(item, tight, size)
        if problem:
            raise ValueError(f"{where(position)} {problem}")
        boxes.append(box)
    return boxes


def read_box(annotation: dict[str, Any], tight: Sequence[float], size: tuple[int, int]) -> tuple[Box | None, str]:
    """The box x0 y0 x1 y1 of an annotation, and what is wrong with it, in words.

    Args:
        annotation: With a ``bbox`` of four finite numbers, or none.
        tight: x, y, width, height around its mask; zeros if the mask is empty.
        size: Height and width of the picture.
    """
    if not tight[2] and _is_relative(annotation.get("segmentation")):
        return None, (
            "has polygons of numbers from 0 to 1 alone: coordinates are pixels, so multiply them by width and height; "
            "a mask written as rows of 0 and 1 must become run lengths (segtutor.metrics.rle.encode)"
        )
    x, y, width, height = annotation["bbox"] if has_box(annotation) else (0, 0, 0, 0)
    if not _has_area(x, y, x + width, y + height):
        x, y, width, height = tight
        return ((x, y, x + width, y + height) if width else None), ""
    given = shorten(annotation["bbox"])
    left, top, right, bottom = tight[0], tight[1], tight[0] + tight[2], tight[1] + tight[3]
    if (
        tight[2]
        and _near((x, y, width, height), (left, top, right, bottom))
        and not _near((x, y, width, height), tight)
    ):
        return None, (
            f"has the box {given}, the two corners of its mask; COCO boxes are [x, y, width, height], here {tight}"
        )
    box = max(x, 0), max(y, 0), min(x + width, size[1]), min(y + height, size[0])
    if not _has_area(*box):
        return None, f"has the box {given}, which lies outside its picture of {size[0]} x {size[1]} (height x width)"
    return box, ""


def _is_relative(segmentation: Any) -> bool:
    """Whether polygons lie within the first pixel, whose mask is empty."""
    return isinstance(segmentation, list) and all(0 <= value <= 1 for ring in segmentation for value in ring)


def _has_area(x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a box has an area in float32, as targets are given: 1e-9 pixels more than 8 are 8 there."""
    return bool(np.float32(x1) > np.float32(x0) and np.float32(y1) > np.float32(y0))


def _near(first: Sequence[float], second: Sequence[float]) -> bool:
    return all(abs(a - b) <= 1 for a, b in zip(first, second, strict=True))


def read_segments(file: CocoFile, entry: dict[str, Any]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Segment ids of a picture, H x W int64, and its ``segments_info``, with the areas and boxes of the PNG.

    Raises:
        ValueError: If there is not exactly one annotation, or ids or sizes of PNG and JSON differ.
    """
    found = file.annotations[entry["id"]]
    if len(found) != 1:
        raise ValueError(
            f"{file.path}: image {entry['file_name']} has {len(found)} panoptic annotations instead of one"
        )
    path = find_picture(file.path.with_suffix(""), found[0]["file_name"])
    return decode_segments(_open_named(path, file.path, found[0]["file_name"]), path, file, entry, found[0])


def decode_segments(
    colors: Image.Image, path: Path, file: CocoFile, entry: dict[str, Any], annotation: dict[str, Any]
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The same from an opened PNG."""
    if colors.mode not in ("RGB", "RGBA"):
        raise FileError(
            f"{path} must be an RGB image of segment ids R + 256 G + 65536 B, but its mode is {colors.mode}",
            path,
            "colors",
        )
    if colors.format in LOSSY:
        raise FileError(f"{path} was saved as {colors.format}, which blends ids: save it as PNG", path, "JPEG mask")
    ids = segment_ids_of(colors)
    check_same_size(
        f"{entry['file_name']} of {file.path.name}", (entry["height"], entry["width"]), path, ids.shape, turned=1
    )
    segments = annotation["segments_info"]
    drawn = describe_segments(ids)
    check_segments(drawn, [item["id"] for item in segments], path, str(file.path))
    return ids, [{**item, **drawn[item["id"]]} for item in segments]
