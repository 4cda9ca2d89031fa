"""Writes Cityscapes: leftImg8bit, gtFine with ids, train ids, instances, colors and polygons, and panoptic files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.exporting.names import match_names
from segtutor.datasets.exporting.outlines import outlines
from segtutor.datasets.exporting.sample import Sample
from segtutor.datasets.exporting.write import write_json, write_png
from segtutor.datasets.targets import segment_colors, tight_box
from segtutor.labels import CITYSCAPES_IDS, CITYSCAPES_TRAIN_IDS, LabelSet

UNLABELED, STATIC, DYNAMIC = (CITYSCAPES_IDS.index(name) for name in ("unlabeled", "static", "dynamic"))
SCORED = CITYSCAPES_TRAIN_IDS != 255


class CityscapesWriter:
    """One picture, one set of files.

    Cityscapes has no ships and no sheep: other things become "dynamic" (its definition names animals), the rest
    "static". Both are void to the score.
    """

    def __init__(self, root: Path, source: LabelSet) -> None:
        self.root = root
        named = match_names(source, CITYSCAPES_IDS.names)
        self.id_of = np.full(max(256, source.ignore_index + 1), UNLABELED, dtype=np.uint8)
        for number in range(len(source)):
            other = DYNAMIC if number in source.things else STATIC
            self.id_of[number] = CITYSCAPES_IDS.index(named[number]) if number in named else other
        self.source = source
        self.panoptic: dict[str, dict[str, Any]] = {}

    def add(self, split: str, sample: Sample) -> None:
        """Write one picture."""
        name = f"{sample.place}_{sample.number:06d}_{19:06d}"
        ids = self.id_of[sample.labels]
        instances = ids.astype(np.int64)
        objects: list[dict[str, Any]] = []
        count: dict[int, int] = {}
        for position, label in enumerate(sample.classes, start=1):
            number = int(self.id_of[label])
            if number in CITYSCAPES_IDS.things:
                order = count.get(number, 0)
                if order > 999:
                    raise ValueError(f"picture {sample.number} has more than 1000 objects of one class")
                instances[sample.objects == position] = number * 1000 + order
                count[number] = order + 1
        for value in np.unique(instances).tolist():
            label = CITYSCAPES_IDS.names[value // 1000 if value >= 1000 else value]
            if value in CITYSCAPES_IDS.things:  # things that are no single object
                label += "group"
            for ring in outlines(instances == value):
                objects.append({"label": label, "polygon": [list(point) for point in ring]})
        folder = self.root / "gtFine" / split / sample.place
        write_png(self.root / "leftImg8bit" / split / sample.place / f"{name}_leftImg8bit.png", sample.image)
        write_png(folder / f"{name}_gtFine_labelIds.png", ids)
        write_png(folder / f"{name}_gtFine_labelTrainIds.png", CITYSCAPES_TRAIN_IDS[ids])
        write_png(folder / f"{name}_gtFine_instanceIds.png", instances.astype(np.uint16))
        write_png(folder / f"{name}_gtFine_color.png", CITYSCAPES_IDS.palette[ids])
        height, width = ids.shape
        write_json(
            folder / f"{name}_gtFine_polygons.json", {"imgHeight": height, "imgWidth": width, "objects": objects}
        )
        self._add_panoptic(split, name, instances)

    def _add_panoptic(self, split: str, name: str, instances: np.ndarray) -> None:
        file = self.panoptic.setdefault(split, _empty())
        height, width = instances.shape
        file["images"].append(
            {"id": name, "width": width, "height": height, "file_name": f"{name}_gtFine_leftImg8bit.png"}
        )
        info = []
        ids = np.zeros_like(instances)
        for value in np.unique(instances).tolist():
            category = value // 1000 if value >= 1000 else value
            if not SCORED[category]:
                continue
            mask = instances == value
            ids[mask] = value
            x0, y0, x1, y1 = tight_box(mask)
            crowd = int(value < 1000 and category in CITYSCAPES_IDS.things)
            info.append({
                "id": value,
                "category_id": category,
                "area": int(mask.sum()),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "iscrowd": crowd,
            })  # fmt: skip
        path = self.root / "gtFine" / f"cityscapes_panoptic_{split}" / f"{name}_gtFine_panoptic.png"
        write_png(path, segment_colors(ids))
        file["annotations"].append({"image_id": name, "file_name": path.name, "segments_info": info})

    def finish(self) -> None:
        """Write the panoptic annotation files."""
        for split, content in self.panoptic.items():
            write_json(self.root / "gtFine" / f"cityscapes_panoptic_{split}.json", content)

    def rows(self) -> dict[int, tuple[str, int]]:
        """Source class: name and id."""
        return {n: (CITYSCAPES_IDS.names[self.id_of[n]], int(self.id_of[n])) for n in range(len(self.source))}


def _empty() -> dict[str, Any]:
    categories = [
        {
            "id": number,
            "name": CITYSCAPES_IDS.names[number],
            "color": list(CITYSCAPES_IDS.colors[number]),
            "isthing": int(number in CITYSCAPES_IDS.things),
        }
        for number in np.flatnonzero(SCORED).tolist()
    ]
    return {"images": [], "annotations": [], "categories": categories}
