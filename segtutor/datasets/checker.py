"""Collects what is wrong with files, one by one, and makes a table of it. Files are read as the loaders read them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from segtutor.bars import tqdm
from segtutor.datasets.files import read_indices, read_pair, to_rgb
from segtutor.datasets.opening import FileError, MissingFile, locate, open_file, orientation
from segtutor.datasets.palettes import stored_palette

# What reads a mask file: class numbers, or an error that says what is wrong in it.
ReadLabels = Callable[[Path], np.ndarray]
T = TypeVar("T")


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
        layout: What it was taken for: "VOC", "PASCAL-Context", "COCO", "Cityscapes", "CamVid", "Penn-Fudan",
            "images and masks", "VOC folders with classes of your own".
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
    """Collects findings; the layouts call it file by file.

    Args:
        root: The folder that is checked.
        progress: Whether to show a bar where it takes longer.
    """

    def __init__(self, root: Path, progress: bool = False) -> None:
        self.root, self.progress = root, progress
        self.rows: dict[Finding, None] = {}  # in order, each once
        self.checked = 0
        self._opened: set[Path] = set()
        self._seen: dict[Path, tuple[tuple[int, int], int] | None] = {}
        self._last: tuple[Path, tuple[np.ndarray, int]] | None = None
        self._pictures: dict[bytes, Path] = {}
        self._palettes: Counter[bytes] = Counter()
        self._palette_of: dict[bytes, Path] = {}

    def each(self, items: Collection[T], what: str) -> Iterator[T]:
        """The items, with a bar that says how far it is."""
        yield from tqdm(items, what, unit="file", leave=False, delay=1, disable=not self.progress)

    def add(self, path: Path, kind: str, message: str, is_error: bool = True) -> None:
        """Note something."""
        self.rows[Finding(path, kind, _without_path(message, path), is_error)] = None

    def note(self, error: Exception, path: Path) -> None:
        """Note what a reader raised, whatever it is; ``path`` is to blame if the error names no file."""
        if isinstance(error, FileError | MissingFile):
            self.add(error.path if str(error.path) != "." else path, error.kind, str(error))
            for other in error.also:
                self.note(other, path)
        elif isinstance(error, ImportError):
            self.add(path.parent, "not read", str(error), is_error=False)
        elif isinstance(error, OSError):
            self.add(Path(error.filename or path), "unreadable", f"{error.strerror or error}: it cannot be opened")
        elif isinstance(error, ValueError):
            self.add(path, "value", str(error))
        else:
            message = f"reading it failed with {type(error).__name__} ({error}): it is damaged, or of no known form"
            self.add(path, "unreadable", message)

    def attempt(self, path: Path, action: Callable[[], T]) -> T | None:
        """What an action returns, or None with a finding."""
        try:
            return action()
        except Exception as error:  # a check that stops at the first surprise is none
            self.note(error, path)
            return None

    def open(self, path: Path) -> Image.Image | None:
        """An opened file, or None with a finding that says why not."""
        self._look_at_name(path)
        image = self.attempt(path, lambda: open_file(path))
        self._count(path, image is not None)
        return image

    def _look_at_name(self, path: Path) -> None:
        if not str(path.relative_to(self.root) if path.is_relative_to(self.root) else path.name).isascii():
            self.add(path, "name", "the name has letters beyond ASCII; some programs cannot open it", is_error=False)

    def _count(self, path: Path, is_open: bool) -> None:
        self.checked += is_open and path not in self._opened
        self._opened.add(path)

    def picture(self, path: Path) -> tuple[tuple[int, int], int] | None:
        """Height and width as seen upright, and the EXIF orientation; None if it cannot be read."""
        if path not in self._seen:
            found = self.attempt(path, lambda: self.read_picture(path))
            self._seen[path] = None if found is None else ((found[0].shape[0], found[0].shape[1]), found[1])
        return self._seen[path]

    def read_picture(self, path: Path) -> tuple[np.ndarray, int]:
        """`read_upright`, with remarks; a picture that several masks belong to is decoded once."""
        if self._last is not None and self._last[0] == path:
            return self._last[1]
        self._look_at_name(path)
        image = open_file(path)
        turned = orientation(image)
        if path not in self._opened:
            self._remark(path, image, turned)
        self._count(path, True)
        self._last = path, (to_rgb(image), turned)
        return self._last[1]

    def _remark(self, path: Path, image: Image.Image, turned: int) -> None:
        if turned != 1:
            message = f"EXIF orientation {turned}: programs that ignore it see the picture turned against its mask"
            self.add(path, "EXIF", message, is_error=False)
        if image.mode.startswith(("I", "F")):
            self.add(path, "16 bits", f"the picture has mode {image.mode}; it is read as 8 bits", is_error=False)
        digest = hashlib.sha1((locate(path) or path).read_bytes(), usedforsecurity=False).digest()
        first = self._pictures.setdefault(digest, path)
        if first != path:
            self.add(
                path, "copy", f"the same picture as {_below(first, self.root)}: a leak, if their splits differ", False
            )

    def mask(self, path: Path, read: Callable[[Path], Any] = read_indices, may_be_16_bits: bool = False) -> None:
        """A mask alone, without its picture."""
        self._look_at_mask(path, may_be_16_bits)
        self.attempt(path, lambda: read(path))

    def pair(
        self,
        image_path: Path,
        mask_path: Path,
        read_labels: ReadLabels = read_indices,
        may_be_16_bits: bool = False,
    ) -> np.ndarray | None:
        """A picture and its mask, and whether they fit; the labels, if all is right."""
        self._look_at_mask(mask_path, may_be_16_bits)
        found = self.attempt(mask_path, lambda: read_pair(image_path, mask_path, read_labels, self.read_picture))
        return None if found is None else found[1]

    def _look_at_mask(self, path: Path, may_be_16_bits: bool) -> None:
        """What only is a remark, from the beginning of the file; reading it tells the rest."""
        if path in self._opened:
            return
        self._look_at_name(path)
        if path.suffix == ".mat":
            return self._count(path, path.is_file())
        try:
            with Image.open(locate(path) or path) as image:
                mode, palette = image.mode, stored_palette(image)
        except Exception:  # reading the mask says what is wrong
            return
        self._count(path, True)
        if palette:
            self._palettes[palette] += 1
            self._palette_of.setdefault(palette, path)
        if mode.startswith("I") and not may_be_16_bits:
            self.add(path, "16 bits", "the mask has 16 bits; opened as 8 bits, its values change", is_error=False)

    def finish(self, layout: str) -> CheckReport:
        """The report; says at last what only shows over all files."""
        if len(self._palettes) > 1:
            usual = self._palettes.most_common(1)[0][0]
            told = any(row.kind == "palette" for row in self.rows)
            for palette, path in self._palette_of.items():
                if palette != usual and not told:
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
