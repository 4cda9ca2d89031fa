"""COCO annotation files read without pycocotools: pictures, annotations and categories, checked when they are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.files import open_file, orientation, to_rgb
from segtutor.labels import Color, LabelSet, voc_colors
from segtutor.metrics.polygons import rasterize
from segtutor.metrics.rle_codec import read


@dataclass(frozen=True)
class CocoFile:
    """One annotation file.

    Attributes:
        path: Where it lies.
        images: The pictures by rising id, each a dict of id, file_name, height, width.
        annotations: For each picture id, its annotations in the order of the file.
        categories: Category id: its dict (name, and isthing and color in panoptic files), by rising id.
    """

    path: Path
    images: tuple[dict[str, Any], ...]
    annotations: dict[Any, list[dict[str, Any]]]
    categories: dict[int, dict[str, Any]]


def read_json(path: Path | str) -> Any:
    """Parse a JSON file.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is not JSON, for one because a download broke off.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"the annotation file {path} is missing")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}): it may be a broken download") from error


def read_coco(path: Path | str) -> CocoFile:
    """Read an annotation file of any COCO task.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If `problems` finds one.
    """
    content = read_json(path)
    found = problems(content)
    if found:
        raise ValueError(f"{path}: {found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))
    annotations: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in content["images"]}
    for item in content["annotations"]:
        annotations[item["image_id"]].append(item)
    images = tuple(sorted(content["images"], key=lambda image: image["id"]))
    categories = {item["id"]: item for item in sorted(content["categories"], key=lambda item: item["id"])}
    return CocoFile(Path(path), images, annotations, categories)


def problems(content: Any) -> list[str]:
    """What contradicts itself in an annotation file, in words; an empty list if nothing does."""
    if not isinstance(content, dict):
        return [
            f"an annotation file is an object with images, annotations and categories, not a {type(content).__name__}"
        ]
    missing = [key for key in ("images", "annotations", "categories") if not isinstance(content.get(key), list)]
    if missing:
        return [f"the list {', '.join(missing)} is missing; is it an annotation file of COCO?"]
    found = []
    for kind, keys in (("images", ("id", "file_name", "height", "width")), ("categories", ("id", "name"))):
        for number, item in enumerate(content[kind]):
            absent = [key for key in keys if key not in item]
            if absent:
                return [f"entry {number} of {kind} has no {', '.join(absent)}"]
        found += [f"{kind} id {which} stands {count} times" for which, count in _twice(i["id"] for i in content[kind])]
    file_names = _twice(image["file_name"] for image in content["images"])
    found += [f"file_name {which} stands {count} times" for which, count in file_names]
    if not content["images"]:
        found.append("it lists no image")
    images = {image["id"] for image in content["images"]}
    categories = {category["id"] for category in content["categories"]}
    found += [f"annotation id {which} stands {count} times" for which, count in _twice(
        item["id"] for item in content["annotations"] if "id" in item
    )]  # fmt: skip
    for number, item in enumerate(content["annotations"]):
        name = f"annotation {item.get('id', number)}"
        if item.get("image_id") not in images:
            found.append(f"{name} belongs to image id {item.get('image_id')}, which is not in images")
        for part in item.get("segments_info", [item]):
            if part.get("category_id") not in categories:
                found.append(f"{name} has category id {part.get('category_id')}, which is not in categories")
    return found


def _twice(values: Iterable[Any]) -> list[tuple[Any, int]]:
    return [(value, count) for value, count in Counter(values).items() if count > 1]


def label_set_of(
    file: CocoFile, official: LabelSet, ids: Sequence[int], background: bool
) -> tuple[LabelSet, dict[int, int]]:
    """Label set of a file, and the class number of each category id.

    The official label set where every category of the file has its id and name; for someone's own categories one made
    from the file, with "background" first if ``background``.
    """
    known = {category: official.names[number] for number, category in enumerate(ids)}
    if all(known.get(category) == item["name"] for category, item in file.categories.items()):
        return official, {category: number for number, category in enumerate(ids) if category in file.categories}
    first = int(background)
    numbers = {category: number for number, category in enumerate(file.categories, start=first)}
    drawn = voc_colors(len(numbers) + 1)[1:]
    colors: list[Color] = [(0, 0, 0)] * first
    for color, item in zip(drawn, file.categories.values(), strict=True):
        red, green, blue = item.get("color", color)
        colors.append((int(red), int(green), int(blue)))
    return (
        LabelSet(
            title=file.path.stem,
            names=(*(["background"] * first), *(item["name"] for item in file.categories.values())),
            colors=tuple(colors),
            things=frozenset(numbers[c] for c, item in file.categories.items() if item.get("isthing", int(background))),
            ignore_index=max(255, len(numbers) + first),
        ),
        numbers,
    )


def read_picture(path: Path, entry: dict[str, Any]) -> np.ndarray:
    """A picture as H x W x 3 uint8, turned as the annotation's height and width say.

    Raises:
        ValueError: If it has that size neither turned by its EXIF orientation nor as it is stored.
    """
    picture, size = open_file(path), (entry["height"], entry["width"])
    pixels = to_rgb(picture)
    if pixels.shape[:2] != size and orientation(picture) != 1:
        pixels = to_rgb(picture, turn=False)
    if pixels.shape[:2] != size:
        raise ValueError(
            f"{path} is {pixels.shape[0]} x {pixels.shape[1]} pixels (height x width), but its annotation says "
            f"{size[0]} x {size[1]}"
        )
    return pixels


def read_mask(annotation: dict[str, Any], size: tuple[int, int], where: str) -> np.ndarray:
    """Mask of an annotation, H x W bool, from its polygons or run lengths, pixel for pixel as pycocotools draws it.

    Raises:
        ValueError: If the segmentation is broken or of another size; ``where`` names it.
    """
    return read_masks([annotation], size, lambda _: where)[0]


def read_masks(
    annotations: Sequence[dict[str, Any]], size: tuple[int, int], where: Callable[[int], str]
) -> list[np.ndarray]:
    """The masks of several annotations of one picture, drawn together, which costs half of one by one.

    Raises:
        ValueError: If a segmentation is broken or of another size; ``where(position)`` names it.
    """
    parts = [item.get("segmentation") for item in annotations]
    for position, part in enumerate(parts):
        if not part:
            raise ValueError(f"{where(position)}: it has no segmentation; only annotations with masks can be read")
        if isinstance(part, dict) and tuple(part.get("size", ())) != size:
            raise ValueError(
                f"{where(position)}: its run lengths are for a picture of {part.get('size')}, not {list(size)}"
            )
    masks: dict[int, np.ndarray] = {}
    polygons = [position for position, part in enumerate(parts) if not isinstance(part, dict)]
    encoded = [position for position, part in enumerate(parts) if isinstance(part, dict)]
    if polygons:
        sizes = np.tile(np.array(size, dtype=np.int64), (len(polygons), 1))
        runs = rasterize([parts[p] for p in polygons], sizes, lambda index: f"{where(polygons[index])}:")  # type: ignore[misc]
        masks |= {position: runs.mask(index) for index, position in enumerate(polygons)}
    if encoded:
        runs = read([parts[p] for p in encoded], lambda index: where(encoded[index]))  # type: ignore[misc]
        masks |= {position: runs.mask(index) for index, position in enumerate(encoded)}
    return [masks[position] for position in range(len(parts))]
