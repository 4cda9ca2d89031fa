"""Which mask belongs to which picture: folders by the names in use, files by their names without ending.

A mask may have the picture's name, the picture's name with its ending ("a.jpg.png"), or one with an addition
("a_mask"); a picture may have an addition, too ("21_training" and "21_manual1"). Where two files could be meant, none
is taken.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from segtutor.datasets.opening import ENDINGS, FileError, MissingFile, is_hidden

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "Images", "JPEGImages", "PNGImages")
# Older labelme keeps arrays in SegmentationClass and the PNGs in a folder beside it.
MASK_FOLDERS = (
    "masks", "mask", "labels", "annotations", "gt", "SegmentationClassPNG", "SegmentationClass", "PedMasks",
    "1st_manual",
)  # fmt: skip
MASK_ADDITIONS = (
    "_mask", "_masks", "_label", "_labels", "_gt", "_GT", "_L", "_P", "_segmentation", "_Segmentation", "_seg",
    "_manual1", "-mask", "-label", "-gt",
)  # fmt: skip
IMAGE_ADDITIONS = ("_training", "_test", "_image", "_img", "_sat", "-image")


def find_folder(root: Path, split: str | None, names: tuple[str, ...], what: str) -> Path:
    """The first of several folders, below ``root/split`` or with ``split`` below it, that holds an image file.

    If none does, the first that exists.
    """

    def places() -> Iterator[Path]:
        for name in names:
            yield from (root / split / name, root / name / split) if split else (root / name,)

    first = None
    for place in places():
        found = _in_any_case(place, root)
        if found is not None and has_images(found):
            return found
        first = first or found
    if first is not None:
        return first
    there = (
        ", ".join(sorted(item.name for item in root.iterdir() if item.is_dir() and not is_hidden(item)))
        if root.is_dir()
        else "not even it"
    )
    raise MissingFile(
        f"no folder of {what} in {root}: looked for {', '.join(str(p.relative_to(root)) for p in places())}; there is "
        f"{there or 'no folder in it'}",
        root,
        "empty",
    )


def _in_any_case(place: Path, root: Path) -> Path | None:
    """A folder below ``root``, whose name may be written with other capitals: Masks, LABELS; None if there is none."""
    if place.is_dir():
        return place
    found = root
    for part in place.relative_to(root).parts:
        if not found.is_dir():
            return None
        inside = [item for item in found.iterdir() if item.name.lower() == part.lower() and item.is_dir()]
        if len(inside) != 1:
            return None
        found = inside[0]
    return found


def has_images(folder: Path) -> bool:
    """Whether an image file lies in a folder, by its ending."""
    with os.scandir(folder) as entries:
        return any(os.path.splitext(entry.name)[1].lower() in ENDINGS for entry in entries)


def pair_files(images: Path, masks: Path) -> tuple[list[tuple[Path, Path]], list[Path], list[Path]]:
    """Pairs of picture and mask by file name without ending, and what is left of either.

    Raises:
        ValueError: If two files of a folder have one name and different endings, or two masks fit a picture.
    """
    pictures = files_by_stem(images)
    candidates = pictures if images == masks else files_by_stem(masks)
    clashes = same_names(pictures, candidates) if images != masks else []
    pairs, alone, left, several = match_stems(pictures, candidates)
    if clashes or several:
        raise (clashes + several)[0]
    return pairs, alone, left


def same_names(*folders: dict[str, list[Path]]) -> list[FileError]:
    """An error for each file that has the name of another one in its folder."""
    return [
        FileError(f"{other} and {same[0].name} have one name: which of the two belongs to its partner?", other, "twice")
        for found in folders
        for same in found.values()
        for other in same[1:]
    ]


def match_stems(
    pictures: dict[str, list[Path]], masks: dict[str, list[Path]]
) -> tuple[list[tuple[Path, Path]], list[Path], list[Path], list[FileError]]:
    """Pairs, pictures without a mask, masks without a picture, and an error for each picture that two masks fit.

    Where names clash, the first file of each is taken; the caller knows. For files of one folder, give the same object
    twice.
    """
    mask_of: dict[str, str] = {}
    used: set[str] = set()
    errors: list[FileError] = []
    # Names that are equal come first: beside a picture "a" and a mask "a_L" there may be a picture "a_L" with its own.
    if masks is not pictures:
        mask_of = {stem: stem for stem in pictures if stem in masks}
        used = set(mask_of)
    for stem, (picture, *_) in pictures.items():
        if stem in mask_of or stem in used:
            continue
        bare = [stem.removesuffix(end) for end in IMAGE_ADDITIONS if stem.endswith(end) and stem != end]
        names = [stem + picture.suffix, *(start + end for start in (stem, *bare) for end in MASK_ADDITIONS), *bare]
        fitting = [name for name in dict.fromkeys(names) if name in masks and name not in used]
        if len(fitting) > 1:
            found = " and ".join(masks[name][0].name for name in fitting)
            errors.append(FileError(f"{picture} could belong to {found}: rename or move the other", picture, "twice"))
        elif fitting:
            mask_of[stem] = fitting[0]
            used.add(fitting[0])
    pairs = [(pictures[stem][0], masks[mask_of[stem]][0]) for stem in pictures if stem in mask_of]
    together = mask_of.keys() | used if masks is pictures else set()
    alone = [files[0] for stem, files in pictures.items() if stem not in mask_of and stem not in together]
    return (
        pairs,
        alone,
        [files[0] for stem, files in masks.items() if stem not in used and stem not in together],
        errors,
    )


def files_by_stem(folder: Path) -> dict[str, list[Path]]:
    """Image files of a folder by their name without ending; more than one path where names clash."""
    found: dict[str, list[Path]] = {}
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.is_dir())  # links that lead nowhere, too
    for name in names:
        stem, ending = os.path.splitext(name)
        if ending.lower() in ENDINGS and not name.startswith("."):
            found.setdefault(unicodedata.normalize("NFC", stem), []).append(folder / name)
    return found
