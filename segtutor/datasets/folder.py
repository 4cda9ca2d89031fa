"""Your own pictures and masks: a folder of images, a folder of masks, and a table that says what the masks mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from segtutor.datasets.class_tables import FILE_NAMES, ClassTable, read_class_table, table_of
from segtutor.datasets.files import as_image, as_mask, check_same_size, open_file, orientation, to_indices, to_rgb
from segtutor.labels import LabelSet, voc_colors

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "Images", "JPEGImages", "PNGImages")
MASK_FOLDERS = ("masks", "mask", "labels", "annotations", "gt", "SegmentationClass", "PedMasks")
IMAGE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MASK_ADDITIONS = ("", "_mask", "_masks", "_label", "_labels", "_gt", "_L")


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
    folder. Numbers with gaps are counted anew from 0. Without a table, the numbers that the masks hold are the classes.

    Args:
        root: A folder with ``images`` and ``masks`` (or labels, annotations, ...) in it.
        split: A part of it: ``root/split/images`` or ``root/images/split``.
        images: Name of the folder of pictures, if it is an unusual one.
        masks: Name of the folder of masks.
        labels: Path of the table of classes; or a LabelSet.
        transforms: Called with image and target, returns both.

    Attributes:
        labels: The LabelSet.
        pairs: Paths (picture, mask), by name.
        images_without_mask: Pictures that were left out.
        masks_without_image: Masks that were left out.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If there is no pair, two pictures have one name, the table is wrong, or when an item is read, if a
            file is damaged, of another size, or holds what the table does not name.
    """

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        images: str | None = None,
        masks: str | None = None,
        labels: str | Path | LabelSet | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        self.root, self.split, self.transforms = Path(root), split, transforms
        self.image_folder = find_folder(self.root, split, (images,) if images else IMAGE_FOLDERS, "pictures")
        self.mask_folder = find_folder(self.root, split, (masks,) if masks else MASK_FOLDERS, "masks")
        found = pair_files(self.image_folder, self.mask_folder)
        self.pairs, self.images_without_mask, self.masks_without_image = found
        if not self.pairs:
            inner = sorted(item.name for item in self.image_folder.iterdir() if item.is_dir())
            raise ValueError(
                f"no picture of {self.image_folder} ({len(self.images_without_mask)} pictures) has a mask of its name "
                f"in {self.mask_folder} ({len(self.masks_without_image)} masks)"
                + (f"; for the pictures in {', '.join(inner)} give split='{inner[0]}'" if inner else "")
            )
        self.table = labels if isinstance(labels, ClassTable) else self._find_table(labels)
        self.labels = self.table.labels

    def _find_table(self, labels: str | Path | LabelSet | None) -> ClassTable:
        if isinstance(labels, LabelSet):
            return table_of(labels)
        if labels is not None:
            return read_class_table(labels)
        for path in (self.root / name for name in FILE_NAMES):
            if path.is_file():
                return read_class_table(path)
        return table_from_masks(self.root.name, [mask for _, mask in self.pairs])

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return (
            f"ImageFolder({str(self.root)!r}, split={self.split!r}, {len(self)} pictures, {len(self.labels)} classes)"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image_path, mask_path = self.pairs[index]
        picture, mask = open_file(image_path), open_file(mask_path)
        pixels, labels = to_rgb(picture), self.table.decode(mask, mask_path)
        check_same_size(image_path, pixels.shape[:2], mask_path, labels.shape, orientation(picture))
        image, target = as_image(pixels), as_mask(labels)
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def report(self) -> FolderReport:
        """Read every mask and say what there is: pairs, sizes, classes, files left over."""
        sizes: Counter[tuple[int, int]] = Counter()
        modes: Counter[str] = Counter()
        void = self.labels.ignore_index
        counts = np.zeros(void + 1, dtype=np.int64)
        for _, path in self.pairs:
            mask = open_file(path)
            numbers = self.table.decode(mask, path)
            sizes[(mask.height, mask.width)] += 1
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


def find_folder(root: Path, split: str | None, names: tuple[str, ...], what: str) -> Path:
    """The first of several folders that exists, below ``root/split`` or with ``split`` below it."""
    places = [
        place for name in names for place in ([root / split / name, root / name / split] if split else [root / name])
    ]
    for place in places:
        if place.is_dir():
            return place
    there = ", ".join(sorted(item.name for item in root.iterdir() if item.is_dir())) if root.is_dir() else "not even it"
    raise FileNotFoundError(
        f"no folder of {what} in {root}: looked for {', '.join(str(p.relative_to(root)) for p in places)}; there is "
        f"{there or 'no folder in it'}"
    )


def pair_files(images: Path, masks: Path) -> tuple[list[tuple[Path, Path]], list[Path], list[Path]]:
    """Pairs of picture and mask by file name without ending, and what is left of either.

    Raises:
        ValueError: If two files of a folder have one name and different endings.
    """
    pictures, candidates = files_by_stem(images), files_by_stem(masks)
    for same in (*pictures.values(), *candidates.values()):
        if len(same) > 1:
            raise ValueError(f"{same[1]} and {same[0].name} have one name: which of the two belongs to its partner?")
    return match_stems(pictures, candidates)


def match_stems(
    pictures: dict[str, list[Path]], masks: dict[str, list[Path]]
) -> tuple[list[tuple[Path, Path]], list[Path], list[Path]]:
    """Pairs of the first file of each name, pictures without a mask, masks without a picture."""
    pairs, alone, used = [], [], set()
    for stem, (picture, *_) in pictures.items():
        name = next((stem + end for end in MASK_ADDITIONS if stem + end in masks), None)
        if name is None:
            alone.append(picture)
        else:
            pairs.append((picture, masks[name][0]))
            used.add(name)
    return pairs, alone, [same[0] for name, same in masks.items() if name not in used]


def files_by_stem(folder: Path) -> dict[str, list[Path]]:
    """Image files of a folder by their name without ending; more than one path where names clash."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    return found


def table_from_masks(title: str, masks: list[Path]) -> ClassTable:
    """A table without names: the numbers found in the masks are the classes, 255 is void.

    Raises:
        ValueError: If a mask holds colors, or more than 255 different numbers.
    """
    values: set[int] = set()
    palette: Image.Image | None = None
    without_colors = ClassTable(LabelSet(title, (), ()), {})
    for path in masks:
        mask = open_file(path)
        palette = palette or (mask if mask.mode == "P" else None)
        numbers = without_colors.decode(mask, path) if mask.mode in ("RGB", "RGBA") else to_indices(mask, path)
        values |= set(np.unique(numbers).tolist())
    found = sorted(values - {255})
    if len(found) > 255:
        raise ValueError(
            f"the masks of {title} hold {len(found)} different numbers, too many for classes: are they ids of "
            "objects, or depth? A table of classes says what they mean"
        )
    drawn = voc_colors(max(found, default=0) + 1)
    if palette is not None:
        flat = palette.getpalette() or []
        drawn = tuple((flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]) if 3 * i + 2 < len(flat) else c
                      for i, c in enumerate(drawn))  # fmt: skip
    labels = LabelSet(title, tuple(f"class {number}" for number in found), tuple(drawn[number] for number in found))
    return ClassTable(labels, {value: number for number, value in enumerate(found)})
