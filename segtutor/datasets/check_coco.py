"""Every annotation file of a COCO folder, the pictures and PNGs it names, and its masks: the loaders' own reading."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.checker import Checker
from segtutor.datasets.coco_json import CocoFile, parse
from segtutor.datasets.coco_labels import label_set_of
from segtutor.datasets.coco_layouts import annotation_files, folder_of, split_of
from segtutor.datasets.coco_maps import MAPS, Maps
from segtutor.datasets.coco_pictures import decode_segments, find_picture, read_box, segmentation_of
from segtutor.datasets.opening import ENDINGS, FileError, is_hidden, locate
from segtutor.labels import COCO, COCO_IDS, COCO_PANOPTIC, COCO_PANOPTIC_IDS, COCO_STUFF, COCO_STUFF_IDS
from segtutor.metrics.arrays import shorten
from segtutor.metrics.coco_fields import has_box
from segtutor.metrics.coco_file import read_json, uncollected
from segtutor.metrics.coco_masks import draw
from segtutor.metrics.runs import Runs

# Masks drawn at a time: enough to make a single one cheap, few enough to find the broken ones among them soon.
_MASKS_AT_ONCE = 4096
# Findings of one kind that are listed for a file; of the others there is the number.
_LISTED = 20
# Boxes are written with two digits, so that much beyond the border is rounding.
_ROUNDING = 0.05


def check_coco(checker: Checker) -> str:
    """All annotation files of a folder."""
    named: dict[Path, set[Path]] = {}  # pictures of each folder that some annotation file names
    files = annotation_files(checker.root)
    if not files:
        checker.add(checker.root, "empty", "no annotation file of masks is here, only captions or lists of pictures")
    for path in files:
        file, panoptic = check_annotations(checker, path)
        if file is not None:
            folder = folder_of(file, checker.root)
            _check_pictures(checker, file, folder, named.setdefault(folder, set()))
            if panoptic:
                _check_panoptic(checker, file)
            _check_maps(checker, file)
    for folder, pictures in named.items():
        for picture in sorted(folder.iterdir()) if folder.is_dir() else []:
            is_picture = picture.suffix.lower() in ENDINGS and not is_hidden(picture)
            if is_picture and picture not in pictures and picture.is_file():
                checker.add(picture, "alone", "no annotation file names this picture", is_error=False)
    return "COCO"


def check_annotations(checker: Checker, path: Path) -> tuple[CocoFile | None, bool]:
    """The records of an annotation file, its classes and masks: all that needs no picture.

    Returns:
        The file, None if it cannot be read; and whether the loader of panoptic files will read it.
    """
    try:
        with uncollected():
            file, problems = parse(read_json(path), path)
    except (OSError, ValueError) as error:
        checker.add(path, "unreadable", str(error))
        return None, False
    notes, panoptic = _Notes(checker, path), False
    for problem in problems:
        notes.add(problem.kind, problem.message)
    if file is not None:
        panoptic = _is_panoptic(file, notes)
        _check_classes(file, panoptic, notes)
        if not panoptic:
            _check_masks(checker, file, notes)
    notes.finish()
    return file, panoptic


class _Notes:
    """Findings about one annotation file; a trouble that its every annotation has fills no more than a page."""

    def __init__(self, checker: Checker, path: Path) -> None:
        self.checker, self.path = checker, path
        self.count: Counter[tuple[str, bool]] = Counter()

    def add(self, kind: str, message: str, is_error: bool = True) -> None:
        self.count[kind, is_error] += 1
        if self.count[kind, is_error] <= _LISTED:
            self.checker.add(self.path, kind, message, is_error)

    def finish(self) -> None:
        for (kind, is_error), count in self.count.items():
            if count > _LISTED:
                self.checker.add(self.path, kind, f"and {count - _LISTED} more of this kind", is_error)


def _is_panoptic(file: CocoFile, notes: _Notes) -> bool:
    """Whether the loader of panoptic files will read it, which goes by the name where there is no annotation."""
    named = file.path.stem.startswith("panoptic_")
    if named and file.is_panoptic is False:
        notes.add("json", "its annotations have no 'segments_info', but by its name it is a panoptic file")
    return named if file.is_panoptic is None else file.is_panoptic


def _check_classes(file: CocoFile, panoptic: bool, notes: _Notes) -> None:
    """The label set that the loader would make."""
    try:
        if panoptic:
            label_set_of(file, COCO_PANOPTIC, COCO_PANOPTIC_IDS, background=False)
        elif file.path.stem.startswith("stuff_"):
            own = [category for category in file.categories if category not in COCO_STUFF_IDS]
            if own:
                notes.add("category", f"category id {own[0]!r} is not one of {COCO_STUFF.title}")
        else:
            label_set_of(file, COCO, COCO_IDS, background=True)
    except ValueError as error:
        notes.add("category", str(error).removeprefix(f"{file.path}: "))


def _check_pictures(checker: Checker, file: CocoFile, folder: Path, named: set[Path]) -> None:
    for entry in checker.each(file.images, f"pictures of {file.path.name}"):
        picture = find_picture(folder, entry["file_name"])
        named.add(picture if ".." not in picture.parts else Path(os.path.normpath(picture)))
        if locate(picture) is None:
            checker.add(picture, "missing", f"is missing; {file.path.name} names it {entry['file_name']!r}")
            continue
        found = checker.picture(picture)
        if found is None:
            continue
        size, (upright, turned) = (entry["height"], entry["width"]), found
        if size != upright and not (turned >= 5 and size == upright[::-1]):
            message = (
                f"is {upright[0]} x {upright[1]} pixels (height x width), but {file.path.name} says "
                f"{size[0]!r} x {size[1]!r}"
            )
            checker.add(picture, "size", message)


def _check_masks(checker: Checker, file: CocoFile, notes: _Notes) -> None:
    """Draw all masks of a file, many at once, and compare them with the boxes."""
    of_images = [file.annotations[entry["id"]] for entry in file.images]
    items = list(chain.from_iterable(of_images))
    entries = np.repeat(np.arange(len(of_images)), [len(of_image) for of_image in of_images])
    sizes = np.array([(entry["height"], entry["width"]) for entry in file.images], np.int64).reshape(-1, 2)[entries]

    def name(index: int) -> str:
        return f"annotation {items[index].get('id', '(without id)')} of {file.images[entries[index]]['file_name']}"

    for begin in checker.each(
        range(0, len(items), _MASKS_AT_ONCE), f"masks of {file.path.name}, {_MASKS_AT_ONCE} at a time"
    ):
        numbers = np.arange(begin, min(begin + _MASKS_AT_ONCE, len(items)))
        for drawn, runs in _draw_right_ones(items, sizes, numbers, name, notes):
            tight, covered = runs.boxes(), runs.areas()
            given, plain = _plain_boxes(items, drawn)
            for place in np.flatnonzero(_odd_areas(items, drawn, covered, sizes[drawn])).tolist():
                number = int(drawn[place])
                notes.add(
                    "area",
                    f"{name(number)} has the area {shorten(items[number]['area'])}, but its mask covers "
                    f"{covered[place]} pixels; the evaluator goes by it, small, medium or large",
                    is_error=False,
                )
            for place in np.flatnonzero(~plain | (covered == 0) | _odd(given, tight, sizes[drawn])).tolist():
                number = int(drawn[place])
                _check_box(items[number], tight[place].tolist(), sizes[number].tolist(), name(number), notes)


def _draw_right_ones(
    items: Sequence[dict[str, Any]], sizes: np.ndarray, numbers: np.ndarray, name: Callable[[int], str], notes: _Notes
) -> Iterator[tuple[np.ndarray, Runs]]:
    """Masks of the annotations ``numbers`` in as few pieces as the broken ones allow, which are noted."""

    def name_in(place: int) -> str:
        return name(int(numbers[place]))

    try:
        parts = [segmentation_of(items[number], name_in, place) for place, number in enumerate(numbers.tolist())]
        yield numbers, draw(parts, sizes[numbers], name_in)
    except ValueError as error:
        if len(numbers) == 1:
            notes.add("mask", str(error))
            return
        for half in np.array_split(numbers, 2):
            yield from _draw_right_ones(items, sizes, half, name, notes)


def _odd_areas(
    items: Sequence[dict[str, Any]], numbers: np.ndarray, drawn: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Which of the areas are larger than the picture, or 0 where the mask has pixels."""
    values = [items[number].get("area") for number in numbers.tolist()]
    given = np.array(values, np.float64)  # None becomes NaN
    return np.asarray((given > sizes.prod(axis=1)) | ((given == 0) & (drawn > 0)))


def _plain_boxes(items: Sequence[dict[str, Any]], numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The boxes, N x 4, and which of them have an area."""
    values = [items[number]["bbox"] if has_box(items[number]) else (0, 0, 0, 0) for number in numbers.tolist()]
    boxes = np.fromiter(chain.from_iterable(values), np.float64, 4 * len(values)).reshape(-1, 4)
    corners = _corners(boxes).astype(np.float32)  # as targets are given
    return boxes, np.asarray((corners[:, 2:] > corners[:, :2]).all(axis=1))


def _odd(given: np.ndarray, tight: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Boxes that leave the picture, or do not meet their mask, or look like two corners of it."""
    corners, tight_corners = _corners(given), _corners(tight)
    leaves = (corners[:, :2] < 0).any(axis=1) | (corners[:, 2:] > sizes[:, ::-1]).any(axis=1)
    apart = (corners[:, :2] > tight_corners[:, 2:]).any(axis=1) | (corners[:, 2:] < tight_corners[:, :2]).any(axis=1)
    return leaves | apart | (np.abs(given - tight_corners) <= 1).all(axis=1)


def _corners(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _check_box(item: dict[str, Any], tight: list[float], size: list[int], name: str, notes: _Notes) -> None:
    """Note what is odd about one box, beside its mask."""
    given = shorten(item.get("bbox"))
    what = f"the box {given} without an area" if has_box(item) else "no box"
    box, problem = read_box(item, tight, (size[0], size[1]))
    if problem:
        notes.add("box", f"{name} {problem}")
    elif box is None:
        message = f"{name} has {what}, and its mask covers no pixel: the loader leaves it out"
        notes.add("box", message)
    elif not tight[2]:
        notes.add("mask", f"{name} covers no pixel", is_error=False)
    elif not has_box(item) or not _plain_boxes([item], np.zeros(1, np.int64))[1][0]:
        notes.add("box", f"{name} has {what}; the loader draws one around the mask", is_error=False)
    else:
        x, y, width, height = item["bbox"]
        outside = max(-x, -y, x + width - size[1], y + height - size[0])
        apart = max(x - tight[0] - tight[2], y - tight[1] - tight[3], tight[0] - x - width, tight[1] - y - height)
        if apart > 1:
            notes.add("box", f"{name} has the box {given}, but its mask lies in {tight} (x, y, width, height)")
        elif outside > _ROUNDING:
            message = f"{name} has the box {given}, which leaves its picture of {size[0]} x {size[1]} (height x width)"
            notes.add("box", f"{message} by {outside:.4g} pixels; it is cut at the border", is_error=False)


def _check_panoptic(checker: Checker, file: CocoFile) -> None:
    for entry in checker.each(file.images, f"maps of {file.path.name}"):
        found = file.annotations[entry["id"]]
        if len(found) != 1:
            message = f"image {entry['file_name']} has {len(found)} panoptic annotations instead of one"
            checker.add(file.path, "segments", message)
            continue
        png = find_picture(file.path.with_suffix(""), found[0]["file_name"])
        if locate(png) is None:
            checker.add(png, "missing", f"is missing; {file.path.name} names it {found[0]['file_name']!r}")
            continue
        image = checker.open(png)
        if image is None:
            continue
        try:
            _, segments = decode_segments(image, png, file, entry, found[0])
        except ValueError as error:
            kind = error.kind if isinstance(error, FileError) else "segments"
            checker.add(png, kind, str(error).replace(f"{file.path}", file.path.name))
            continue
        for given, drawn in zip(found[0]["segments_info"], segments, strict=True):
            if "area" in given and given["area"] != drawn["area"]:
                message = (
                    f"segment {drawn['id']} has {drawn['area']} pixels, but {file.path.name} says "
                    f"{shorten(given['area'])}"
                )
                checker.add(png, "segments", message)


def _check_maps(checker: Checker, file: CocoFile) -> None:
    """The semantic maps that belong to a file, where there are any."""
    split = split_of(file.path)
    for maps in MAPS.values():
        folder = checker.root / maps.folder.format(split=split)
        if file.path.name == f"{maps.task}_{split}.json" and folder.is_dir():
            for entry in checker.each(file.images, f"maps in {folder.name}"):

                def read(path: Path, maps: Maps = maps, entry: dict[str, Any] = entry) -> np.ndarray:
                    return maps.read(path, entry, file.path)

                checker.mask(maps.path(checker.root, split, entry), read)
