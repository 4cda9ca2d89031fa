"""Your own pictures and masks: a folder of images, a folder of masks, and a table that says what the masks mean."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from segtutor.datasets.class_tables import FILE_NAMES, ClassTable, read_class_table, table_of
from segtutor.datasets.files import (
    as_image,
    as_mask,
    describe,
    read_pair,
    refuse_black_and_white,
    refuse_shades,
    to_indices,
    values_in,
)
from segtutor.datasets.moved import transformed
from segtutor.datasets.opening import FileError, is_hidden, open_file
from segtutor.datasets.pairing import IMAGE_FOLDERS, MASK_FOLDERS, find_folder, pair_files
from segtutor.datasets.palettes import Palettes, check_palettes, colors_of, white_is_void
from segtutor.datasets.penn_fudan import MASKS as PEOPLE
from segtutor.labels import LabelSet, voc_colors


@dataclass(frozen=True)
class FolderReport:
    """What an `ImageFolder` found.

    Attributes:
        pairs: How many pictures have a mask.
        images_without_mask: Their paths; they are left out.
        masks_without_image: Their paths.
        sizes: (height, width): how many pictures.
        mask_modes: Kind of mask file as Pillow calls it ("P" palette, "L" numbers, "RGB" colors): how many.
        pixels: Pixels of each class.
        void: Pixels that count nowhere.
        labels: The classes.
    """

    pairs: int
    images_without_mask: tuple[Path, ...]
    masks_without_image: tuple[Path, ...]
    sizes: dict[tuple[int, int], int]
    mask_modes: dict[str, int]
    pixels: dict[str, int]
    void: int
    labels: LabelSet

    def __str__(self) -> str:
        total = max(sum(self.pixels.values()) + self.void, 1)
        sizes = ", ".join(f"{height} x {width} ({count})" for (height, width), count in list(self.sizes.items())[:5])
        lines = [
            f"{self.pairs} pictures with a mask; {len(self.images_without_mask)} pictures without, "
            f"{len(self.masks_without_image)} masks without a picture",
            f"sizes (height x width): {sizes}" + (f" and {len(self.sizes) - 5} more" if len(self.sizes) > 5 else ""),
            "mask files: " + ", ".join(f"{count} of mode {mode}" for mode, count in self.mask_modes.items()),
            f"{len(self.labels)} classes and void, by pixels:",
        ]
        rows = [*self.pixels.items(), ("(void)", self.void)]
        width = max(len(name) for name, _ in rows)
        lines += [f"  {name:{width}}  {100 * count / total:6.2f} %" for name, count in rows]
        return "\n".join(lines)


class ImageFolder(Dataset):
    """Pictures and masks of your own, paired by file name.

    The masks may hold class numbers (one channel of 8 or 16 bits, or palette indices) or colors. What they mean stands
    in a table of classes, `read_class_table`: a file ``classes.json``, ``classes.csv`` or ``classes.txt`` in the
    folder, or one of the tables that CVAT, labelme and Roboflow write. Numbers with gaps are counted anew from 0.
    Without a table, the numbers that the masks hold are the classes. 255 is void unless the table says otherwise; a
    mask of nothing but 0 and 255, or masks of shades of gray such as 0, 128 and 255, are refused until it does, because
    in most of them 255 is the object.

    Args:
        root: A folder with ``images`` and ``masks`` (or labels, annotations, ...) in it.
        split: A part of it: ``root/split/images`` or ``root/images/split``.
        images: Name of the folder of pictures, if it is an unusual one; "." for both where they lie side by side.
        masks: Name of the folder of masks.
        labels: Path of the table of classes; or a LabelSet, or the ``table`` of another part of the folder.
        transforms: Called with image and target, returns both.

    Attributes:
        labels: The LabelSet.
        pairs: Paths (picture, mask), by name.
        images_without_mask: Pictures that were left out.
        masks_without_image: Masks that were left out.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If there is no pair, two pictures have one name, the table is wrong, or when an item is read, if a
            file is damaged, of another size, or holds what the table does not name or what can mean two things.
    """

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        images: str | None = None,
        masks: str | None = None,
        labels: str | Path | LabelSet | ClassTable | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        self.root, self.split, self.transforms = Path(root), split, transforms
        self.image_folder = find_folder(self.root, split, (images,) if images else IMAGE_FOLDERS, "pictures")
        self.mask_folder = find_folder(self.root, split, (masks,) if masks else MASK_FOLDERS, "masks")
        found = pair_files(self.image_folder, self.mask_folder)
        self.pairs, self.images_without_mask, self.masks_without_image = found
        if not self.pairs:
            inner = sorted(i.name for i in self.image_folder.iterdir() if i.is_dir() and not is_hidden(i))
            raise FileError(
                f"no picture of {self.image_folder} ({_counted(self.images_without_mask, 'pictures')}) has a mask of "
                f"its name in {self.mask_folder} ({_counted(self.masks_without_image, 'masks')})"
                + (f"; for the pictures in {', '.join(inner)} give split='{inner[0]}'" if inner else ""),
                self.image_folder,
                "empty",
            )
        self._may_contradict = False  # whether palettes must be compared before the first of them is trusted
        self.table = self._find_table(labels)
        self.labels = self.table.labels

    def _find_table(self, labels: str | Path | LabelSet | ClassTable | None) -> ClassTable:
        if isinstance(labels, LabelSet):
            return table_of(labels)
        if isinstance(labels, ClassTable):
            return labels
        path = labels if labels is not None else table_file(self.root, self.split)
        if path is None:  # Roboflow's lies among the masks
            path = table_file(self.mask_folder, None)
        if path is None and self.mask_folder.name == PEOPLE:
            raise FileError(
                f"{self.mask_folder} holds Penn-Fudan's masks, whose numbers are people and not classes: read them "
                "with segtutor.datasets.PennFudan, or write a classes.csv if these are others",
                self.mask_folder,
            )
        if path is None:
            return table_from_masks(self.root.name, [mask for _, mask in self.pairs])
        table = read_class_table(path)
        self._may_contradict = not table.is_numbered and not table.number_of_color
        return table

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return (
            f"ImageFolder({str(self.root)!r}, split={self.split!r}, {len(self)} pictures, {len(self.labels)} classes)"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, labels = read_pair(*self.pairs[index], self.read_labels)
        image, target = as_image(pixels), as_mask(labels)
        return transformed(self.transforms, image, target)

    def read_labels(self, path: Path) -> np.ndarray:
        """Class numbers of a mask, H x W int64."""
        return self._decode(open_file(path), path)

    def _decode(self, mask: Image.Image, path: Path) -> np.ndarray:
        if self._may_contradict and mask.mode == "P":
            check_palettes([mask for _, mask in self.pairs])
            self._may_contradict = False
        return self.table.decode(mask, path)

    def report(self) -> FolderReport:
        """Read every mask and say what there is: pairs, sizes, classes, files left over."""
        sizes: Counter[tuple[int, int]] = Counter()
        modes: Counter[str] = Counter()
        void = self.labels.ignore_index
        counts = np.zeros(void + 1, dtype=np.int64)
        for _, path in self.pairs:
            mask = open_file(path)
            numbers = self._decode(mask, path)
            sizes[(numbers.shape[0], numbers.shape[1])] += 1
            modes[mask.mode] += 1
            counts += np.bincount(numbers.ravel(), minlength=void + 1)
        return FolderReport(
            pairs=len(self),
            images_without_mask=tuple(self.images_without_mask),
            masks_without_image=tuple(self.masks_without_image),
            sizes=dict(sizes.most_common()),
            mask_modes=dict(modes.most_common()),
            pixels={name: int(counts[number]) for number, name in enumerate(self.labels.names)},
            void=int(counts[void]),
            labels=self.labels,
        )


def _counted(paths: list[Path], what: str) -> str:
    """How many files there are, and the name of the first."""
    return f"{len(paths)} {what}" + (f", the first is {paths[0].name!r}" if paths else "")


def table_file(root: Path, split: str | None) -> Path | None:
    """The table of classes in a folder, or in that of a split."""
    for folder in (root, *([root / split] if split else [])):
        for name in FILE_NAMES:
            if os.path.isfile(f"{folder}/{name}"):
                return folder / name
    return None


def table_from_masks(title: str, masks: list[Path]) -> ClassTable:
    """A table without names: the numbers found in the masks are the classes, 255 is void.

    Raises:
        ValueError: If a mask holds colors or nothing but 0 and 255, all hold shades of gray, palettes contradict each
            other, or there are more than 255 different numbers.
    """
    found = FoundNumbers(title)
    for path in masks:
        found.read(path)
    return found.table()


class FoundNumbers:
    """The numbers in masks that no table explains, taken in mask by mask."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.values: set[int] = set()
        self.palette: Image.Image | None = None
        self.palettes = Palettes()
        self._without_colors = ClassTable(LabelSet(title, (), ()), {})

    def read(self, path: Path) -> np.ndarray:
        """The numbers in a mask, H x W, which are taken in."""
        mask = open_file(path)
        is_colored = mask.mode in ("RGB", "RGBA")
        numbers = self._without_colors.decode(mask, path) if is_colored else to_indices(mask, path)
        values = values_in(numbers)
        refuse_black_and_white(values, path)
        if values.size and values[0] < 0:
            raise FileError(f"{path} holds {describe(values[:1])}, but the number of a class is 0 or more", path)
        self.palettes.add(mask, path, values)
        self.palette = self.palette or (mask if mask.mode == "P" else None)
        self.values |= set(values.tolist())
        return numbers

    def table(self) -> ClassTable:
        """The table of the numbers so far."""
        found = sorted(self.values - {255})
        if len(found) > 255:
            raise FileError(
                f"the masks of {self.title} hold {len(found)} different numbers, too many for classes: are they ids of "
                "objects, or depth? A table of classes says what they mean",
                self.title,
                "value",
            )
        if 255 in self.values and not (self.palette is not None and white_is_void(self.palette)):
            refuse_shades(found, self.title)
        drawn = voc_colors(min(max(found, default=0), 65535) + 1)
        colors = colors_of(self.palette) if self.palette is not None else []
        labels = LabelSet(
            self.title,
            tuple(f"class {number}" for number in found),
            tuple(colors[number] if number < len(colors) else drawn[number % 65536] for number in found),
        )
        return ClassTable(labels, {value: number for number, value in enumerate(found)})
