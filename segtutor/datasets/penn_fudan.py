"""Penn-Fudan pedestrians: 170 pictures of streets, and for each a mask whose numbers are people, not classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from segtutor.datasets.files import as_image, as_mask, check_choice, describe, read_indices, read_pair, values_in
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, MissingFile
from segtutor.datasets.pairing import pair_files
from segtutor.datasets.targets import instance_target
from segtutor.labels import LabelSet

MASKS = "PedMasks"
PICTURES = ("PNGImages", "Images")
ARCHIVE = "PennFudanPed"
LABELS = LabelSet("Penn-Fudan", ("background", "person"), ((0, 0, 0), (220, 20, 60)))


def find_root(root: Path) -> Path | None:
    """The folder with pictures and ``PedMasks``: the one given, or ``PennFudanPed`` in it; None if neither is."""
    for place in (root, root / ARCHIVE):
        if (place / MASKS).is_dir() and any((place / name).is_dir() for name in PICTURES):
            return place
    return None


class PennFudan(Dataset):
    """The Penn-Fudan database for pedestrian detection and segmentation (Wang, Shi, Song, Shen, ACCV 2007).

    A mask has 0 for background and 1, 2, ... for one person each. There is no official split, and some people that are
    small or mostly covered have no mask.

    Args:
        root: The folder of the published archive, ``PennFudanPed`` with ``PNGImages`` and ``PedMasks``, or the one that
            it lies in.
        target: "instances": a dict as torchvision's detectors take it, one object for each number; labels are 1,
            person. "semantic": a Mask, H x W int64, 0 and 1.
        transforms: Called with image and target, returns both.

    Attributes:
        pairs: Paths (picture, mask), by name.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If no picture has a mask, or when an item is read, if a file is damaged or of another size.
    """

    labels: LabelSet = LABELS

    def __init__(
        self,
        root: str | Path,
        target: str = "instances",
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("target", target, ("instances", "semantic"))
        self.root, self.target, self.transforms = Path(root), target, transforms
        base = find_root(self.root)
        if base is None:
            raise MissingFile(
                f"there is no Penn-Fudan in {root}: it has neither folders {' or '.join(PICTURES)} and {MASKS} nor a "
                f"folder {ARCHIVE} with them",
                self.root,
            )
        folder = next(base / name for name in PICTURES if (base / name).is_dir())
        self.pairs, _, _ = pair_files(folder, base / MASKS)
        if not self.pairs:
            raise FileError(f"no picture of {folder} has a mask NAME_mask.png in {base / MASKS}", folder, "empty")

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"PennFudan({str(self.root)!r}, target={self.target!r}, {len(self)} pictures)"

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, people = read_pair(*self.pairs[index], read_people)
        target: Any = as_mask(people > 0)
        if self.target == "instances":
            masks = [people == number for number in values_in(people).tolist() if number > 0]
            target = instance_target(masks, [1] * len(masks), people.shape, index)
        return transformed(self.transforms, as_image(pixels), target)


def read_people(path: Path) -> np.ndarray:
    """The numbers of the people in a mask, H x W; 0 is background."""
    people = read_indices(path)
    if people.size and people.min() < 0:
        raise FileError(f"{path} holds {describe(values_in(people)[:1])}, but people are numbered from 1 on", path)
    return people
