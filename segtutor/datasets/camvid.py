"""CamVid: driving through Cambridge, consecutive video frames, 11 classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from segtutor.datasets.files import as_image, as_mask, check_choice, describe, read_pair, unknown_values
from segtutor.datasets.lists import read_pairs
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, open_file
from segtutor.datasets.palettes import known_colors
from segtutor.labels import CAMVID, LabelSet

VOID_IN_FILES = 11
_COLORS = known_colors(CAMVID)


class CamVid(Dataset):
    """CamVid in SegNet's form: 367 / 101 / 233 frames of 480 x 360, label PNGs with 0...10 and 11 for void.

    The frames of val are every second frame of one sequence that train has other frames of, so a score on val says
    little about new streets; report test.

    Args:
        root: The folder that holds ``train.txt``, ``val.txt``, ``test.txt``: picture and mask on a line, relative to
            the folder, or with SegNet's own absolute paths, of which the last two parts are taken.
        split: "train", "val" or "test".
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a list or file is missing.
        ValueError: If a list is empty or a line of it is no pair, or when an item is read, if a file is damaged or
            holds another value than 0...11.
    """

    labels: LabelSet = CAMVID

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("split", split, ("train", "val", "test"))
        self.root, self.split, self.transforms = Path(root), split, transforms
        self.pairs = read_pairs(self.root, self.root / f"{split}.txt")

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"CamVid({str(self.root)!r}, split={self.split!r}, {len(self)} frames)"

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, labels = read_pair(*self.pairs[index], read_classes)
        image, target = as_image(pixels), as_mask(labels)
        return transformed(self.transforms, image, target)


def read_classes(path: Path) -> np.ndarray:
    """The label file of a frame, H x W: 0...10, and 255 for void."""
    labels = _COLORS.read(open_file(path), path)
    wrong = unknown_values(labels, range(VOID_IN_FILES + 1))
    if wrong.size:
        raise FileError(f"{path} holds {describe(wrong)}, but CamVid has 0...10, and 11 for void", path)
    labels[labels == VOID_IN_FILES] = CAMVID.ignore_index
    return labels
