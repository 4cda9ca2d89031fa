"""Finds everything that is broken in a folder of images and masks, in one pass, without stopping at the first."""

from __future__ import annotations

from pathlib import Path

from segtutor.datasets.check_layouts import check_layout
from segtutor.datasets.checker import Checker, CheckReport


def check_folder(root: str | Path, progress: bool = True) -> CheckReport:
    """Read every file of a data set in one of the layouts that the loaders know, or of images and masks of your own.

    The layouts are those of VOC, PASCAL-Context, COCO, Cityscapes, CamVid and Penn-Fudan.

    Files are read by the loaders' own code, item by item; whatever that raises becomes a row of the report. Finds
    truncated and foreign files, masks of another size or with values outside the label set, colors where numbers
    are expected, JPEG masks, missing partners, empty folders, names and ids that stand twice, categories that are not
    in a JSON file, panoptic PNGs that contradict it, pictures in two splits; and remarks on EXIF rotation, 16 bits,
    palettes that differ, names beyond ASCII, and pictures that are there twice.

    Args:
        root: The folder that the loader would be given.
        progress: Whether to show a bar where it takes longer than a second.

    Returns:
        A report; ``print`` shows its table, ``ok`` says whether there is no error.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    checker = Checker(root, progress)
    return checker.finish(check_layout(checker))
