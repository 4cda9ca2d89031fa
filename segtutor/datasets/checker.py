"""Collects what is wrong with files, one by one, and makes a table of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.datasets.files import check_same_size, open_file, orientation, to_indices

# What reads a mask file: class numbers from an opened image, or a ValueError that says what is wrong in it.
Decode = Callable[[Image.Image, Path], np.ndarray]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        path: The file or folder.
        kind: One or two words, the same for the same trouble: "missing", "unreadable", "size", "value", ...
        message: What is wrong and what to do.
        is_error: False for what the loaders of this course read, but others may not.
    """

    path: Path
    kind: str
    message: str
    is_error: bool = True


@dataclass(frozen=True)
class CheckReport:
    """What `check_folder` found.

    Attributes:
        root: The folder.
        layout: What it was taken for: "VOC", "PASCAL-Context", "COCO", "Cityscapes", "CamVid", "images and masks".
        checked: How many files were opened.
        rows: The findings, errors first.
    """

    root: Path
    layout: str
    checked: int
    rows: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be remarks."""
        return not any(row.is_error for row in self.rows)

    def __str__(self) -> str:
        errors = sum(row.is_error for row in self.rows)
        head = (
            f"{self.root}: {self.layout}, {self.checked} files read, {errors} errors, {len(self.rows) - errors} remarks"
        )
        if not self.rows:
            return head
        cells = [
            ("error" if row.is_error else "remark", row.kind, _below(row.path, self.root), row.message)
            for row in self.rows
        ]
        widths = [max(len(line[column]) for line in cells) for column in range(3)]
        lines = [
            "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]])
            for line in cells
        ]
        return "\n".join([head, *lines])


def _below(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


class Checker:
    """Collects findings; the layouts below call it file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: dict[Finding, None] = {}  # in order, each once
        self.checked = 0
        self._seen: dict[Path, tuple[tuple[int, int], int] | None] = {}
        self._pictures: dict[bytes, Path] = {}
        self._palettes: Counter[bytes] = Counter()
        self._palette_of: dict[bytes, Path] = {}

    def add(self, path: Path, kind: str, message: str, is_error: bool = True) -> None:
        """Note something."""
        self.rows[Finding(path, kind, _without_path(message, path), is_error)] = None

    def open(self, path: Path) -> Image.Image | None:
        """An opened file, or None with a finding that says why not."""
        if not str(path.relative_to(self.root) if path.is_relative_to(self.root) else path.name).isascii():
            self.add(path, "name", "the name has letters beyond ASCII; some programs cannot open it", is_error=False)
        try:
            image = open_file(path)
        except FileNotFoundError as error:
            self.add(path, "missing", str(error))
            return None
        except ValueError as error:
            self.add(path, "unreadable", str(error))
            return None
        self.checked += 1
        return image

    def picture(self, path: Path) -> tuple[tuple[int, int], int] | None:
        """Height and width as seen upright, and the EXIF orientation; None if it cannot be read."""
        if path not in self._seen:
            self._seen[path] = self._look_at(path)
        return self._seen[path]

    def _look_at(self, path: Path) -> tuple[tuple[int, int], int] | None:
        image = self.open(path)
        if image is None:
            return None
        turned = orientation(image)
        if turned != 1:
            message = f"EXIF orientation {turned}: programs that ignore it see the picture turned against its mask"
            self.add(path, "EXIF", message, is_error=False)
        if image.mode.startswith("I"):
            self.add(path, "16 bits", f"the picture has mode {image.mode}; it is read as 8 bits", is_error=False)
        digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).digest()
        first = self._pictures.setdefault(digest, path)
        if first != path:
            self.add(
                path, "copy", f"the same picture as {_below(first, self.root)}: a leak, if their splits differ", False
            )
        size = (image.width, image.height) if turned >= 5 else (image.height, image.width)
        return size, turned

    def mask(self, path: Path, decode: Decode, may_be_16_bits: bool = False) -> tuple[int, int] | None:
        """Height and width of a mask whose values were looked at."""
        image = self.open(path)
        if image is None:
            return None
        if image.mode == "P":
            palette = bytes(image.getpalette() or [])
            self._palettes[palette] += 1
            self._palette_of.setdefault(palette, path)
        try:
            decode(image, path)
        except ValueError as error:
            is_jpeg = image.format == "JPEG"
            kind = "JPEG mask" if is_jpeg else "colors" if "holds colors" in str(error) else "value"
            self.add(path, kind, str(error))
        if image.mode.startswith("I") and not may_be_16_bits:
            self.add(path, "16 bits", "the mask has 16 bits; opened as 8 bits, its values change", is_error=False)
        return image.height, image.width

    def pair(self, image_path: Path, mask_path: Path, decode: Decode, may_be_16_bits: bool = False) -> None:
        """A picture, its mask, and whether they fit."""
        picture, size = self.picture(image_path), self.mask(mask_path, decode, may_be_16_bits)
        if picture is None or size is None:
            return
        try:
            check_same_size(image_path, picture[0], mask_path, size, picture[1])
        except ValueError as error:
            self.add(mask_path, "size", str(error))

    def finish(self, layout: str) -> CheckReport:
        """The report; says at last what only shows over all files."""
        if len(self._palettes) > 1:
            usual = self._palettes.most_common(1)[0][0]
            for palette, path in self._palette_of.items():
                if palette != usual:
                    message = (
                        f"{self._palettes[palette]} masks from this one on have another palette than the other "
                        f"{self._palettes[usual]}: the same color may be another number"
                    )
                    self.add(path, "palette", message, is_error=False)
        rows = sorted(self.rows, key=lambda row: (not row.is_error, str(row.path), row.kind))
        return CheckReport(self.root, layout, self.checked, tuple(rows))


def _without_path(message: str, path: Path) -> str:
    """The row names the file already."""
    return message.removeprefix(f"{path} ").removeprefix(f"{path}: ")


def indices_only(image: Image.Image, path: Path) -> np.ndarray:
    """Numbers in a mask of which nothing else is known."""
    return to_indices(image, path)
