"""COCO's semantic maps: PNGs of one channel, whose values are category ids or follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.datasets.files import check_same_size, describe, read_indices, unknown_values
from segtutor.datasets.opening import FileError
from segtutor.labels import (
    COCO_PANOPTIC,
    COCO_PANOPTIC_IDS,
    COCO_STUFF,
    COCO_STUFF_IDS,
    COCO_STUFF_THINGS,
    COCO_STUFF_THINGS_IDS,
    LabelSet,
)


@dataclass(frozen=True)
class Maps:
    """One kind of maps.

    Attributes:
        folder: Where they lie below the root; ``{split}`` stands for the split.
        task: Begins the name of the annotation file that lists their pictures.
        labels: The classes.
        ids: The category id of each class.
        shift: Value in the PNG minus category id.
        void: The value of pixels that nobody labeled.
    """

    folder: str
    task: str
    labels: LabelSet
    ids: tuple[int, ...]
    shift: int
    void: int

    @cached_property
    def _number_of(self) -> np.ndarray:
        """Class number of each value, void where it stands for none."""
        numbers = np.full(256, self.labels.ignore_index, dtype=np.int64)
        numbers[np.array(self.ids) + self.shift] = np.arange(len(self.ids))
        return numbers

    @cached_property
    def _known(self) -> list[int]:
        return [*(category + self.shift for category in self.ids), self.void]

    def path(self, root: Path, split: str, entry: dict[str, Any]) -> Path:
        """The PNG of a picture, given as an entry of ``images``."""
        return (root / self.folder.format(split=split) / entry["file_name"]).with_suffix(".png")

    def read(self, path: Path, entry: dict[str, Any], listed: Path) -> np.ndarray:
        """Class numbers, H x W int64; ``listed`` is the annotation file that the entry comes from.

        Raises:
            ValueError: If the map has another size than its picture, holds colors or a value that is no category.
        """
        values = read_indices(path)
        check_same_size(
            f"{entry['file_name']} of {listed.name}", (entry["height"], entry["width"]), path, values.shape, turned=1
        )
        wrong = unknown_values(values, self._known)
        if wrong.size:
            shifted = f"; the values are the category ids less {-self.shift}" if self.shift else ""
            raise FileError(
                f"{path} holds {describe(wrong)}, no category of {self.labels.title}, which has "
                f"{min(self.ids) + self.shift}...{max(self.ids) + self.shift}, some of them unused, and {self.void} "
                f"for void{shifted}",
                path,
            )
        return self._number_of[values]


MAPS = {
    "panoptic_png": Maps(
        "annotations/semantic_category_ids_{split}", "panoptic", COCO_PANOPTIC, COCO_PANOPTIC_IDS, 0, 0
    ),
    "stuff_png": Maps("annotations/stuff_{split}_pixelmaps", "stuff", COCO_STUFF, COCO_STUFF_IDS, 0, 0),
    "stuff_things": Maps("stuffthingmaps/{split}", "instances", COCO_STUFF_THINGS, COCO_STUFF_THINGS_IDS, -1, 255),
}
