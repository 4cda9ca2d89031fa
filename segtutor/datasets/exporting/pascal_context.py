"""Writes PASCAL-Context: pictures of VOC 2010, .mat files of 459 classes, palette PNGs of 59 classes and background."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segtutor.datasets.exporting.names import match_names
from segtutor.datasets.exporting.sample import Sample
from segtutor.datasets.exporting.write import write_jpeg, write_lines, write_png
from segtutor.labels import PASCAL_CONTEXT_60, PASCAL_CONTEXT_459, LabelSet, voc_colormap

UNKNOWN = PASCAL_CONTEXT_459.index("unknown") + 1


class PascalContextWriter:
    """A class without a name among the 459 becomes "unknown" there, one without a name among the 59 background.

    The .mat files need SciPy; without it only the PNGs are written.
    """

    def __init__(self, root: Path, source: LabelSet) -> None:
        self.base = root / "VOCdevkit" / "VOC2010"
        self.all_names = match_names(source, PASCAL_CONTEXT_459.names)
        self.scored_names = match_names(source, PASCAL_CONTEXT_60.names)
        size = max(256, source.ignore_index + 1)
        self.number_of_scored = np.zeros(size, dtype=np.uint8)
        self.number_of_all = np.full(size, UNKNOWN, dtype=np.uint16)
        for number, name in self.scored_names.items():
            self.number_of_scored[number] = PASCAL_CONTEXT_60.index(name)
        for number, name in self.all_names.items():
            self.number_of_all[number] = PASCAL_CONTEXT_459.index(name) + 1
        # Neither form has a void: 0 is what nobody labeled in the one, background in the other.
        self.number_of_scored[source.ignore_index] = self.number_of_all[source.ignore_index] = 0
        self.names: dict[str, list[str]] = {}

    def add(self, split: str, sample: Sample) -> None:
        """Write one picture."""
        name = f"2010_{sample.number:06d}"
        self.names.setdefault(split, []).append(name)
        write_jpeg(self.base / "JPEGImages" / f"{name}.jpg", sample.image)
        labels = self.number_of_scored[sample.labels]
        write_png(self.base / "SegmentationClassContext" / f"{name}.png", labels, voc_colormap())
        try:
            from scipy.io import savemat
        except ImportError:
            return
        path = self.base / "trainval" / f"{name}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        savemat(path, {"LabelMap": self.number_of_all[sample.labels]}, do_compression=True)

    def finish(self) -> None:
        """Write the lists."""
        for split, names in self.names.items():
            write_lines(self.base / "ImageSets" / "SegmentationContext" / f"{split}.txt", names)

    def rows(self) -> dict[int, tuple[str, int]]:
        """Source class: name and number among the 459, as the .mat files have it."""
        return {number: (name, int(self.number_of_all[number])) for number, name in self.all_names.items()}
