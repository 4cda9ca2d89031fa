"""Every annotation file of a COCO folder, the pictures and PNGs it names, and its masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.checker import Checker
from segtutor.datasets.coco_json import problems, read_json, read_mask
from segtutor.datasets.targets import check_segments, segment_ids


def check_coco(checker: Checker) -> str:
    """All of ``annotations/*.json`` that is an annotation file."""
    named: dict[str, set[str]] = {}  # pictures of each split that some annotation file names
    for path in sorted(checker.root.glob("annotations/*.json")):
        split = path.stem.partition("_")[2]
        try:
            content = read_json(path)
        except ValueError as error:
            checker.add(path, "unreadable", str(error))
            continue
        found = problems(content)
        for text in found:
            checker.add(path, _kind(text), text)
        # Without pictures and annotations there is nothing to look up.
        if isinstance(content, dict) and isinstance(content.get("images"), list):
            _check_file(checker, path, split, content)
            named.setdefault(split, set()).update(str(item.get("file_name")) for item in content["images"])
    for split, names in named.items():
        folder = checker.root / split
        for file in sorted(folder.iterdir()) if folder.is_dir() else []:
            if file.name not in names:
                checker.add(file, "alone", "no annotation file names this picture", is_error=False)
    return "COCO"


def _kind(text: str) -> str:
    if "times" in text:
        return "twice"
    if "category" in text:
        return "category"
    return "empty" if "no image" in text else "json"


def _check_file(checker: Checker, path: Path, split: str, content: dict[str, Any]) -> None:
    images = {item["id"]: item for item in content["images"] if {"id", "file_name", "height", "width"} <= item.keys()}
    for entry in images.values():
        file = checker.root / split / entry["file_name"]
        found = checker.picture(file)
        if found is None:
            continue
        size, (upright, turned) = (entry["height"], entry["width"]), found
        if size != upright and not (turned >= 5 and size == upright[::-1]):
            message = (
                f"is {upright[0]} x {upright[1]} pixels (height x width), but {path.name} says {size[0]} x {size[1]}"
            )
            checker.add(file, "size", message)
    for number, item in enumerate(content.get("annotations") or []):
        entry = images.get(item.get("image_id"))
        if entry is None:
            continue
        if "segments_info" in item:
            _check_panoptic(checker, path, item, entry)
        else:
            _check_instance(checker, path, item, entry, f"annotation {item.get('id', number)}")


def _check_instance(checker: Checker, path: Path, item: dict[str, Any], entry: dict[str, Any], name: str) -> None:
    box = item.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        checker.add(path, "json", f"{name} has no bbox of four numbers, but {box!r}")
    elif box[2] <= 0 or box[3] <= 0:
        checker.add(path, "box", f"{name} has the box {box} without an area; a detector's loss becomes NaN on it")
    try:
        mask = read_mask(item, (entry["height"], entry["width"]), name)
    except ValueError as error:
        checker.add(path, "mask", f"{error}, in {entry['file_name']}")
        return
    if not mask.any():
        checker.add(path, "mask", f"{name} of {entry['file_name']} covers no pixel", is_error=False)


def _check_panoptic(checker: Checker, path: Path, item: dict[str, Any], entry: dict[str, Any]) -> None:
    png = path.with_suffix("") / item["file_name"]
    image = checker.open(png)
    if image is None:
        return
    if image.mode not in ("RGB", "RGBA"):
        checker.add(
            png, "colors", f"a panoptic PNG is RGB (R + 256 G + 65536 B is the id), but its mode is {image.mode}"
        )
        return
    ids = segment_ids(np.asarray(image.convert("RGB")))
    if ids.shape != (entry["height"], entry["width"]):
        checker.add(
            png,
            "size",
            f"is {ids.shape[0]} x {ids.shape[1]}, but {path.name} says {entry['height']} x {entry['width']}",
        )
        return
    try:
        check_segments(ids, [segment["id"] for segment in item["segments_info"]], png, path.name)
    except ValueError as error:
        checker.add(png, "segments", str(error))
    areas = dict(zip(*(array.tolist() for array in np.unique(ids, return_counts=True)), strict=True))
    for segment in item["segments_info"]:
        drawn = areas.get(segment["id"])
        if drawn is not None and "area" in segment and segment["area"] != drawn:
            message = f"segment {segment['id']} has {drawn} pixels, but {path.name} says {segment['area']}"
            checker.add(png, "segments", message)
