"""Writes a VOCdevkit: JPEG pictures, palette PNGs of classes and objects, lists, XML boxes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from segtutor.datasets.exporting.names import match_names
from segtutor.datasets.exporting.sample import Sample
from segtutor.datasets.exporting.write import write_jpeg, write_lines, write_png
from segtutor.datasets.targets import tight_box
from segtutor.labels import VOC2012, LabelSet, voc_colormap

VOID = VOC2012.ignore_index


class VOCWriter:
    """VOC labels 20 kinds of things; whatever else there is becomes background, as in VOC itself."""

    def __init__(self, root: Path, source: LabelSet) -> None:
        self.base = root / "VOCdevkit" / "VOC2012"
        self.target_of = match_names(source, VOC2012.names)
        # Number in the file for each class of the source, and for its void as the last entry.
        self.number_of = np.zeros(max(256, source.ignore_index + 1), dtype=np.uint8)
        for number, name in self.target_of.items():
            self.number_of[number] = VOC2012.index(name)
        self.number_of[source.ignore_index] = VOID
        self.names: dict[str, list[str]] = {}

    def add(self, split: str, sample: Sample) -> None:
        """Write one picture."""
        name = f"2012_{sample.number:06d}"
        self.names.setdefault(split, []).append(name)
        labels = self.number_of[sample.labels]
        objects = np.zeros(labels.shape, dtype=np.uint8)
        boxes: list[tuple[str, tuple[int, int, int, int]]] = []
        for position, label in enumerate(sample.classes, start=1):
            if label in self.target_of and self.number_of[label] != 0:
                if len(boxes) == VOID - 1:
                    raise ValueError(
                        f"picture {sample.number} has more than {VOID - 1} objects; VOC's PNGs hold no more"
                    )
                mask = sample.objects == position
                boxes.append((self.target_of[label], tight_box(mask)))
                objects[mask] = len(boxes)
        objects[labels == VOID] = VOID
        write_jpeg(self.base / "JPEGImages" / f"{name}.jpg", sample.image)
        write_png(self.base / "SegmentationClass" / f"{name}.png", labels, voc_colormap())
        write_png(self.base / "SegmentationObject" / f"{name}.png", objects, voc_colormap())
        write_boxes(self.base / "Annotations" / f"{name}.xml", name, labels.shape, boxes)

    def finish(self) -> None:
        """Write the lists."""
        lists = self.base / "ImageSets" / "Segmentation"
        for split, names in self.names.items():
            write_lines(lists / f"{split}.txt", names)
        if {"train", "val"} <= self.names.keys():
            write_lines(lists / "trainval.txt", sorted(self.names["train"] + self.names["val"]))

    def rows(self) -> dict[int, tuple[str, int]]:
        """Source class: name and number in the files."""
        return {number: (name, int(self.number_of[number])) for number, name in self.target_of.items()}


def write_boxes(
    path: Path, name: str, size: tuple[int, ...], boxes: list[tuple[str, tuple[int, int, int, int]]]
) -> None:
    """VOC's XML of boxes, which counts pixels from 1 and includes the last one."""
    top = ElementTree.Element("annotation")

    def add(parent: ElementTree.Element, **entries: object) -> None:
        for key, value in entries.items():
            ElementTree.SubElement(parent, key).text = str(value)

    add(top, folder="VOC2012", filename=f"{name}.jpg")
    add(ElementTree.SubElement(top, "source"), database="segtutor Scenes", annotation="PASCAL VOC2012", image="drawn")
    add(ElementTree.SubElement(top, "size"), width=size[1], height=size[0], depth=3)
    add(top, segmented=1)
    for label, (x0, y0, x1, y1) in boxes:
        item = ElementTree.SubElement(top, "object")
        add(item, name=label, pose="Unspecified", truncated=0, difficult=0)
        add(ElementTree.SubElement(item, "bndbox"), xmin=x0 + 1, ymin=y0 + 1, xmax=x1, ymax=y1)
    ElementTree.indent(top, "\t")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ElementTree.tostring(top, encoding="unicode") + "\n", encoding="utf-8")
