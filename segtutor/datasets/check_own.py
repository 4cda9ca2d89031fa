"""Someone's own pictures and masks, in one folder, in one for each split, or side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segtutor.datasets.checker import Checker, ReadLabels
from segtutor.datasets.class_tables import ClassTable, read_class_table
from segtutor.datasets.files import read_indices, to_indices, values_in
from segtutor.datasets.folder import FoundNumbers, table_file
from segtutor.datasets.opening import OTHER_ENDINGS, is_hidden, open_file
from segtutor.datasets.pairing import (
    IMAGE_FOLDERS,
    MASK_FOLDERS,
    files_by_stem,
    find_folder,
    match_stems,
    same_names,
)
from segtutor.datasets.palettes import Palettes


def check_images_and_masks(checker: Checker) -> str:
    """All pairs of folders that `ImageFolder` would find under the root and its splits."""
    root = checker.root
    places: dict[tuple[Path, Path], str | None] = {}
    for split in [None, *_splits(root)]:
        try:
            pictures = find_folder(root, split, IMAGE_FOLDERS, "pictures")
            masks = find_folder(root, split, MASK_FOLDERS, "masks")
        except FileNotFoundError:
            beside = root / (split or "")
            if beside.is_dir() and _is_side_by_side(beside):
                places.setdefault((beside, beside), split)
            continue
        if not (split is None and _only_folders(pictures)):
            places.setdefault((pictures, masks), split)
    for (pictures, masks), split in places.items():
        _check_pairs(checker, pictures, masks, table_file(root, split) or table_file(masks, None))
    if not places:
        checker.add(
            root, "empty", "no layout is recognized: there is no VOCdevkit, no COCO file, no leftImg8bit, and "
            f"not a folder of pictures ({', '.join(IMAGE_FOLDERS)}) with one of masks ({', '.join(MASK_FOLDERS)})",
        )  # fmt: skip
    return "images and masks" if places else "unknown"


def _splits(root: Path) -> list[str]:
    """Folders that may be splits: those of the root, and those in a folder of pictures."""
    above = [root, *(root / place for place in IMAGE_FOLDERS if (root / place).is_dir())]
    found = [
        path.name for folder in above for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path)
    ]
    return list(dict.fromkeys(found))


def _only_folders(folder: Path) -> bool:
    items = [item for item in folder.iterdir() if not is_hidden(item)]
    return bool(items) and all(item.is_dir() for item in items)


def _is_side_by_side(folder: Path) -> bool:
    """Roboflow's masks lie beside the pictures."""
    if folder.name in (*IMAGE_FOLDERS, *MASK_FOLDERS):
        return False
    is_mask = [stem.endswith("_mask") for stem in files_by_stem(folder)]
    return any(is_mask) and not all(is_mask)


def table_reader(checker: Checker, path: Path) -> ReadLabels:
    """What reads masks by a table; if the table is broken, which is noted, what reads numbers alone."""
    table = checker.attempt(path, lambda: read_class_table(path))
    return read_indices if table is None else _reader(table)


def _reader(table: ClassTable) -> ReadLabels:
    palettes = None if table.is_numbered or table.number_of_color else Palettes()

    def read(path: Path) -> np.ndarray:
        mask = open_file(path)
        labels = table.decode(mask, path)
        if palettes is not None:
            palettes.add(mask, path, values_in(to_indices(mask, path)))
        return labels

    return read


def _check_pairs(checker: Checker, images: Path, masks: Path, table: Path | None) -> None:
    found = FoundNumbers(checker.root.name)
    check_pairs(checker, images, masks, found.read if table is None else table_reader(checker, table))
    if table is None and (numbered := checker.attempt(masks, found.table)) is not None:
        _tell_of_numbers(checker, masks, numbered)


def _tell_of_numbers(checker: Checker, masks: Path, table: ClassTable) -> None:
    """What nobody may have meant, where numbers in masks are all there is to know of the classes."""
    numbers = sorted(table.number_of_value)
    if len(numbers) == 1:
        message = f"the masks hold {numbers[0]} alone beside void, so that there is nothing to learn: is that all?"
        checker.add(masks, "one class", message, is_error=False)
    elif numbers != list(range(len(numbers))):
        listed = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
        message = (
            f"no table names the classes, and the numbers {listed} are taken for {len(numbers)} of them: if they are, "
            "name them in a classes.csv with the line name,index and one for each class"
        )
        checker.add(masks, "no names", message, is_error=False)


def check_pairs(checker: Checker, images: Path, masks: Path, read: ReadLabels) -> None:
    """Every picture of a folder with its mask in another one, and what is left of either."""
    pictures = files_by_stem(images)
    candidates = pictures if images == masks else files_by_stem(masks)
    for folder, files in ((images, pictures), (masks, candidates)):
        if not files:
            checker.add(folder, "empty", "there is no image file in it")
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in OTHER_ENDINGS and not is_hidden(path):
                message = f"files {path.suffix} are not read: save it as PNG, or a photograph as JPEG"
                checker.add(path, "not read", message, is_error=False)
    pairs, without_mask, without_picture, several = match_stems(pictures, candidates)
    for error in [*(same_names(pictures, candidates) if images != masks else same_names(pictures)), *several]:
        checker.note(error, error.path)
    for path in without_mask:
        checker.add(path, "alone", f"the picture has no mask in {masks.name}")
        checker.picture(path)
    for path in without_picture if images != masks else []:
        checker.add(path, "alone", f"the mask has no picture in {images.name}")
        checker.mask(path, read)
    for image, mask in checker.each(pairs, images.name):
        checker.pair(image, mask, read)
