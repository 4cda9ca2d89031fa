"""PASCAL-Context: the trainval pictures of VOC 2010 with every pixel labeled, in 459 classes, 59 of them scored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from segtutor.datasets.files import (
    as_image,
    as_mask,
    check_choice,
    check_values,
    describe,
    read_pair,
    unknown_values,
)
from segtutor.datasets.lists import naming, read_list
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, MissingFile, locate, open_file, picture_of
from segtutor.datasets.palettes import known_colors, white_is_void
from segtutor.labels import PASCAL_CONTEXT_59, PASCAL_CONTEXT_60, PASCAL_CONTEXT_459, LabelSet
from segtutor.labels.pascal_context import SCORED_NAME_IN_ALL

LABEL_SETS = {59: PASCAL_CONTEXT_59, 60: PASCAL_CONTEXT_60, 459: PASCAL_CONTEXT_459}
_COLORS = known_colors(PASCAL_CONTEXT_60)
LISTS = ("SegmentationContext", "Main")
_WITHOUT_BACKGROUND = np.full(256, PASCAL_CONTEXT_59.ignore_index, np.int64)
_WITHOUT_BACKGROUND[1 : len(PASCAL_CONTEXT_60)] = np.arange(len(PASCAL_CONTEXT_59))


class PascalContext(Dataset):
    """PASCAL-Context, 4,998 pictures for training and 5,105 for validation.

    Args:
        root: The folder that holds ``VOCdevkit/VOC2010``.
        image_set: "train", "val" or "trainval": a list in ``ImageSets/SegmentationContext``, or VOC's own in
            ``ImageSets/Main``.
        num_classes: 59; 60, with background (what none of the 59 names) as class 0; or 459.
        source: "mat": the authors' files ``trainval/NAME.mat``, read with SciPy. "png": ``SegmentationClassContext/``
            ``NAME.png``, 0 for background, 1...59, for 59 or 60 classes. "auto": PNGs if they are there and do.
        transforms: Called with image and target, returns both.

    Raises:
        FileNotFoundError: If a folder, list or file is missing.
        ImportError: If .mat files are to be read without SciPy.
        ValueError: If an argument is outside its limits, or when an item is read, if a file is damaged, of another
            size, or holds a value that PASCAL-Context has not.
    """

    def __init__(
        self,
        root: str | Path,
        image_set: str = "train",
        num_classes: int = 59,
        source: str = "auto",
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        check_choice("image_set", image_set, ("train", "val", "trainval"))
        check_choice("source", source, ("auto", "mat", "png"))
        if num_classes not in LABEL_SETS:
            raise ValueError(f"num_classes must be 59, 60 (with background) or 459, but it is {num_classes!r}")
        if num_classes == 459 and source == "png":
            raise ValueError("the PNGs hold 59 classes and background; the 459 classes are in the .mat files")
        self.base = Path(root, "VOCdevkit", "VOC2010")
        if not self.base.is_dir():
            raise FileNotFoundError(f"no PASCAL-Context in {root}: the folder {self.base} is missing")
        self.image_set, self.transforms = image_set, transforms
        self.labels: LabelSet = LABEL_SETS[num_classes]
        self.png_folder = self.base / "SegmentationClassContext"
        # The authors' archive has the folder trainval alone; people unpack it into either place.
        self.mat_folder = (
            next((p for p in (self.base, Path(root)) if (p / "trainval").is_dir()), self.base) / "trainval"
        )
        if source == "auto":
            source = "png" if num_classes != 459 and self.png_folder.is_dir() else "mat"
        self.source = source
        lists = [self.base / "ImageSets" / folder / f"{image_set}.txt" for folder in LISTS]
        self.list = next((path for path in lists if path.is_file()), lists[0])
        self.names = read_list(self.list, self.base / "JPEGImages")

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        what = f"{len(self.labels)} classes, {len(self)} images"
        return f"PascalContext({str(self.base)!r}, image_set={self.image_set!r}, {what})"

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        name = self.names[index]
        path = self.png_folder / f"{name}.png" if self.source == "png" else self.mat_folder / f"{name}.mat"
        read = read_png if self.source == "png" else read_label_map
        try:
            pixels, values = read_pair(picture_of(self.base / "JPEGImages", name), path, read)
        except MissingFile as error:
            raise naming(error, self.list, name) from None
        labels = self._from_png(values) if self.source == "png" else self._from_mat(values)
        image, target = as_image(pixels), as_mask(labels)
        return transformed(self.transforms, image, target)

    def _from_png(self, values: np.ndarray) -> np.ndarray:
        return values if self.labels is PASCAL_CONTEXT_60 else without_background(values)

    def _from_mat(self, values: np.ndarray) -> np.ndarray:
        if self.labels is PASCAL_CONTEXT_459:
            return np.where(values == 0, PASCAL_CONTEXT_459.ignore_index, values - 1)
        scored = scored_numbers()[values]
        return scored if self.labels is PASCAL_CONTEXT_60 else without_background(scored)


def without_background(labels: np.ndarray) -> np.ndarray:
    """0 (background) and 255 -> void, 1...59 -> 0...58."""
    return _WITHOUT_BACKGROUND[labels]


def scored_numbers() -> np.ndarray:
    """For each value of a .mat file, 0...459, its number among the 59 classes and background, 0."""
    numbers = np.zeros(len(PASCAL_CONTEXT_459) + 1, dtype=np.int64)
    for number, name in enumerate(PASCAL_CONTEXT_59.names, start=1):
        numbers[PASCAL_CONTEXT_459.index(SCORED_NAME_IN_ALL.get(name, name)) + 1] = number
    return numbers


def read_png(path: Path) -> np.ndarray:
    """A PNG of 59 classes and background, H x W: 0...59, and 255 for void."""
    image = open_file(path)
    values = _COLORS.read(image, path)
    check_values(values, PASCAL_CONTEXT_60, path, white_is_void(image))
    return values


def read_label_map(path: Path) -> np.ndarray:
    """The array ``LabelMap`` of a .mat file, H x W int64: 1...459, and 0 where nobody labeled.

    Raises:
        FileNotFoundError: If it is missing.
        ImportError: If SciPy is.
        ValueError: If it is damaged, has no such array, or other values.
    """
    found = locate(path)
    if found is None:
        raise MissingFile(f"{path} is missing", path)
    try:
        from scipy.io import loadmat
    except ImportError:
        raise ImportError(
            f"{path} needs SciPy to be read: pip install scipy, or read the PNGs (source='png')"
        ) from None
    try:
        content = loadmat(found)
    except Exception as error:  # SciPy raises half a dozen types for a broken file
        raise FileError(
            f"{path} cannot be read as a MATLAB file ({error}): it is damaged, get it again", path, "unreadable"
        ) from error
    if "LabelMap" not in content:
        there = ", ".join(sorted(key for key in content if not key.startswith("_")))
        raise FileError(
            f"{path} has no array LabelMap, only {there or 'nothing'}: is it a file of PASCAL-Context?",
            path,
            "unreadable",
        )
    stored = np.asarray(content["LabelMap"])
    if stored.ndim != 2 or stored.dtype.kind not in "uif" or not np.array_equal(stored, np.floor(stored)):
        raise FileError(
            f"{path}: its LabelMap should be whole numbers, height x width, but it is {stored.dtype} of the shape "
            f"{stored.shape}",
            path,
        )
    values = stored.astype(np.int64)
    wrong = unknown_values(values, range(len(PASCAL_CONTEXT_459) + 1))
    if wrong.size:
        raise FileError(
            f"{path} holds {describe(wrong)}, but PASCAL-Context has 1...459, and 0 for unlabeled pixels", path
        )
    return values
