"""Writes COCO: instances, stuff and panoptic, as JSON and PNG, in the folders and under the names of 2017."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.exporting.names import match_names
from segtutor.datasets.exporting.outlines import outlines
from segtutor.datasets.exporting.sample import Sample
from segtutor.datasets.exporting.write import write_jpeg, write_json, write_png
from segtutor.datasets.targets import segment_colors, tight_box
from segtutor.labels import (
    COCO,
    COCO_IDS,
    COCO_PANOPTIC,
    COCO_PANOPTIC_IDS,
    COCO_STUFF,
    COCO_STUFF_IDS,
    COCO_STUFF_THINGS,
    COCO_STUFF_THINGS_IDS,
    LabelSet,
    voc_colormap,
)
from segtutor.metrics import rle

OTHER = 183  # the stuff task's name for all things
# First category id of each group of things; stuff has finer groups in COCO's files, here it is one.
GROUPS = {
    1: "person", 2: "vehicle", 10: "outdoor", 16: "animal", 26: "accessory", 34: "sports", 44: "kitchen", 52: "food",
    62: "furniture", 72: "electronic", 78: "appliance", 84: "indoor", 92: "stuff",
}  # fmt: skip


def _ids(source: LabelSet, labels: LabelSet, ids: tuple[int, ...]) -> dict[int, int]:
    """Category id of each class of the source that the task has."""
    return {
        number: ids[labels.index(name)]
        for number, name in match_names(source, labels.names).items()
        if name != "background"
    }


def _categories(labels: LabelSet, ids: Iterable[int], panoptic: bool = False) -> list[dict[str, Any]]:
    entries = []
    for number, category in enumerate(ids):
        if labels.names[number] == "background":
            continue
        group = GROUPS[max(first for first in GROUPS if first <= category)]
        entry: dict[str, Any] = {"supercategory": group, "id": category, "name": labels.names[number]}
        if panoptic:
            entry |= {"isthing": int(number in labels.things), "color": list(labels.colors[number])}
        entries.append(entry)
    return entries


class CocoWriter:
    """A class that a task does not have is void there; in the instances it is no object.

    The annotators of COCO drew 10 to 15 objects of a class one by one and the others together as a crowd. Here the
    largest ``singles`` objects of a class stay single.
    """

    def __init__(self, root: Path, source: LabelSet, singles: int) -> None:
        if singles < 0:
            raise ValueError(f"singles must be 0 or more, but it is {singles}")
        self.root, self.source, self.singles = root, source, singles
        self.things = _ids(source, COCO, COCO_IDS)
        self.panoptic = _ids(source, COCO_PANOPTIC, COCO_PANOPTIC_IDS)
        self.stuff = {n: c for n, c in _ids(source, COCO_STUFF, COCO_STUFF_IDS).items() if n not in source.things}
        self.maps = self.stuff | self.things
        self.files: dict[str, dict[str, dict[str, Any]]] = {}
        self.next_id = 1

    def _number(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def add(self, split: str, sample: Sample) -> None:
        """Write one picture, and keep its annotations."""
        split = f"{split}2017"
        files = self.files.setdefault(split, {task: _empty(task) for task in ("instances", "stuff", "panoptic")})
        name, (height, width) = f"{sample.number:012d}", sample.labels.shape
        entry = {"id": sample.number, "file_name": f"{name}.jpg", "height": height, "width": width, "license": 1}
        for file in files.values():
            file["images"].append(entry)
        write_jpeg(self.root / split / f"{name}.jpg", sample.image)
        groups = self._groups(sample)
        files["instances"]["annotations"] += [
            self._instance(sample, category, mask, crowd) for category, mask, crowd in groups
        ]
        self._add_stuff(split, files["stuff"], sample, name)
        self._add_panoptic(split, files["panoptic"], sample, name)
        values = np.full((height, width), 255, dtype=np.uint8)
        for label, category in self.maps.items():
            values[sample.labels == label] = category - 1
        write_png(self.root / "stuffthingmaps" / split / f"{name}.png", values)

    def _groups(self, sample: Sample) -> list[tuple[int, np.ndarray, int]]:
        """Category id, mask and crowd flag of every object, and of every crowd after them."""
        areas = np.bincount(sample.objects.ravel(), minlength=len(sample.classes) + 1)
        found: list[tuple[int, np.ndarray, int]] = []
        crowds: list[tuple[int, np.ndarray, int]] = []
        for label in sorted({label for label in sample.classes if label in self.things}):
            members = [n for n, other in enumerate(sample.classes, start=1) if other == label]
            members.sort(key=lambda number: (-areas[number], number))
            singles = members[: self.singles] if len(members) > self.singles + 1 else members
            found += [(self.things[label], sample.objects == number, 0) for number in singles]
            rest = members[len(singles) :]
            if rest:
                crowds.append((self.things[label], np.isin(sample.objects, rest), 1))
        return found + crowds

    def _instance(self, sample: Sample, category: int, mask: np.ndarray, crowd: int) -> dict[str, Any]:
        x0, y0, x1, y1 = tight_box(mask)
        rings = [] if crowd else outlines(mask)
        polygons = [[float(value) for point in ring for value in point] for ring in rings]
        return {
            "segmentation": rle.encode(mask, compressed=False) if crowd else polygons,
            "area": float(mask.sum()),
            "iscrowd": crowd,
            "image_id": sample.number,
            "bbox": [float(x0), float(y0), float(x1 - x0), float(y1 - y0)],
            "category_id": category,
            "id": self._number(),
        }

    def _add_stuff(self, split: str, file: dict[str, Any], sample: Sample, name: str) -> None:
        values = np.zeros(sample.labels.shape, dtype=np.uint8)
        for label, category in self.stuff.items():
            values[sample.labels == label] = category
        values[np.isin(sample.labels, list(self.things))] = OTHER
        for category in np.unique(values[values > 0]).tolist():
            mask = values == category
            file["annotations"].append({
                "segmentation": rle.encode(mask),
                "area": float(mask.sum()),
                "iscrowd": 0,
                "image_id": sample.number,
                "bbox": rle.to_box(rle.encode(mask)).tolist(),
                "category_id": category,
                "id": self._number(),
            })  # fmt: skip
        write_png(self.root / "annotations" / f"stuff_{split}_pixelmaps" / f"{name}.png", values, voc_colormap())

    def _add_panoptic(self, split: str, file: dict[str, Any], sample: Sample, name: str) -> None:
        segments: list[tuple[int, np.ndarray, int]] = [(c, mask, crowd) for c, mask, crowd in self._groups(sample)]
        for label, category in self.panoptic.items():
            mask = (sample.labels == label) & (sample.objects == 0)
            # What is left of a class of things belongs to no object: COCO counts it as a crowd.
            if mask.any():
                segments.append((category, mask, int(label in self.source.things)))
        ids, info = np.zeros(sample.labels.shape, dtype=np.int64), []
        for position, (category, mask, crowd) in enumerate(segments):
            # Ids only need to differ within a picture; spread out, they use all three channels, as COCO's do.
            number = 1 + (position * 104729 + sample.number * 7919) % ((1 << 24) - 2)
            ids[mask] = number
            x0, y0, x1, y1 = tight_box(mask)
            box = [x0, y0, x1 - x0, y1 - y0]
            info.append({"id": number, "category_id": category, "iscrowd": crowd, "bbox": box, "area": int(mask.sum())})
        folder = self.root / "annotations" / f"panoptic_{split}"
        write_png(folder / f"{name}.png", segment_colors(ids))
        file["annotations"].append({"image_id": sample.number, "file_name": f"{name}.png", "segments_info": info})

    def finish(self) -> None:
        """Write the annotation files."""
        for split, files in self.files.items():
            for task, content in files.items():
                write_json(self.root / "annotations" / f"{task}_{split}.json", content)

    def rows(self) -> dict[int, tuple[str, int]]:
        """Source class: name and category id in the instances, panoptic file and stuff maps."""
        names = dict(zip(COCO_STUFF_THINGS_IDS, COCO_STUFF_THINGS.names, strict=True))
        names |= dict(zip(COCO_PANOPTIC_IDS, COCO_PANOPTIC.names, strict=True))
        return {number: (names[category], category) for number, category in (self.maps | self.panoptic).items()}


def _empty(task: str) -> dict[str, Any]:
    categories = {
        "instances": lambda: _categories(COCO, COCO_IDS),
        "stuff": lambda: _categories(COCO_STUFF, COCO_STUFF_IDS),
        "panoptic": lambda: _categories(COCO_PANOPTIC, COCO_PANOPTIC_IDS, panoptic=True),
    }
    return {
        "info": {"description": "drawn pictures in the format of COCO 2017", "version": "1.0"},
        "licenses": [{"id": 1, "name": "drawn by a program", "url": ""}],
        "images": [],
        "annotations": [],
        "categories": categories[task](),
    }
