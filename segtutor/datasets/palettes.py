"""Palettes: the colors of a label PNG tell when a program has given its classes other numbers.

An image editor that saves a palette PNG again keeps the colors and drops those that are not used, so that what was 15
becomes 1. Read as numbers, such a mask is wrong without a word.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from segtutor.datasets.files import describe, open_file, to_indices, values_in
from segtutor.datasets.opening import FileError
from segtutor.labels import VOC2012, Color, LabelSet, voc_colors

WHITE = (255, 255, 255)
_PNG = b"\x89PNG\r\n\x1a\n"


def colors_of(image: Image.Image) -> list[Color]:
    """The colors in the palette of a palette image, by index."""
    flat = image.getpalette() or []
    return list(zip(flat[0::3], flat[1::3], flat[2::3], strict=False))


def white_is_void(image: Image.Image) -> bool:
    """Whether 255 was given a color of its own, as VOC's void has it: then it is no object in a white mask."""
    colors = colors_of(image) if image.mode == "P" else []
    return len(colors) > 255 and colors[255] != WHITE


class KnownColors:
    """The number that each color stands for, where a data set fixes both.

    Args:
        numbers: Number of each color.
    """

    def __init__(self, numbers: Mapping[Color, int]) -> None:
        self.numbers = dict(numbers)
        self._seen: dict[bytes, dict[int, int]] = {}  # palettes are few, and comparing one costs as much as a mask

    def read(self, image: Image.Image, path: Path | str) -> np.ndarray:
        """The numbers in a label image, H x W; by its colors, if its palette has them all, but in another order.

        Raises:
            ValueError: If it holds no numbers, or some of its colors stand for other numbers and some are unknown.
        """
        values = to_indices(image, path)
        elsewhere = self.elsewhere(image, values)
        if not elsewhere:
            return values
        colors, used = colors_of(image), values_in(values)
        unknown = np.array([i for i in used if i >= len(colors) or colors[i] not in self.numbers])
        if unknown.size:
            raise FileError(
                f"{path} has a palette that contradicts its numbers: {tell(colors, elsewhere)}, and "
                f"{describe(unknown)} of it have colors of no class: a program has renumbered it; save it with "
                "the palette of the data set",
                path,
                "palette",
            )
        table = np.zeros(256, dtype=np.int32)
        for value in used:
            table[value] = self.numbers[colors[value]]
        return table[values]

    def elsewhere(self, image: Image.Image, values: np.ndarray) -> dict[int, int]:
        """Each value whose palette color stands for another number, and that number; empty if there is no palette."""
        if image.mode != "P":
            return {}
        palette = bytes(image.getpalette() or [])
        if palette not in self._seen:
            if len(self._seen) > 999:
                self._seen.clear()
            numbered = enumerate(colors_of(image))
            self._seen[palette] = {i: self.numbers[c] for i, c in numbered if self.numbers.get(c, i) != i}
        wrong = self._seen[palette]
        if not wrong:
            return {}
        used = set(values_in(values).tolist())
        return {value: number for value, number in wrong.items() if value in used}


def tell(colors: list[Color], elsewhere: Mapping[int, int]) -> str:
    """The first contradiction in words."""
    value, number = next(iter(elsewhere.items()))
    return "the value {} has the color ({} {} {}), which is that of {}".format(value, *colors[value], number)


def known_colors(labels: LabelSet) -> KnownColors:
    """The colors of a label set's numbers; VOC's has one for void, too."""
    void = {voc_colors(256)[255]: 255} if labels is VOC2012 else {}
    return KnownColors({color: number for number, color in enumerate(labels.colors)} | void)


class Palettes:
    """The palettes of many masks whose numbers no table fixes: one number must have one color in all of them."""

    def __init__(self) -> None:
        self._color_of: dict[int, tuple[Color, Path]] = {}
        self._number_of: dict[Color, tuple[int, Path]] = {}

    def add(self, mask: Image.Image, path: Path, values: np.ndarray) -> None:
        """Take in a mask that holds these values.

        Raises:
            ValueError: If a number of it had another color in a mask before, or a color another number.
        """
        colors = colors_of(mask) if mask.mode == "P" else []
        for value in values.tolist():
            if value >= len(colors):
                continue
            color = colors[value]
            was_color, where = self._color_of.setdefault(value, (color, path))
            was_number, there = self._number_of.setdefault(color, (value, path))
            if was_color != color or was_number != value:
                first = where if was_color != color else there
                before = (
                    "has the color ({} {} {})".format(*was_color)
                    if was_color != color
                    else f"is the value {was_number}"
                )
                subject = f"the value {value}" if was_color != color else "the color ({} {} {})".format(*color)
                now = "({} {} {})".format(*color) if was_color != color else f"the value {value}"
                raise FileError(
                    f"{path} has another palette than {first.name}: {subject} {before} there and is {now} here, so the "
                    "same number may be two classes. Say what they mean in a classes.csv: with the columns name,color "
                    "colors decide, with name,index numbers do",
                    path,
                    "palette",
                )


def check_palettes(paths: list[Path]) -> None:
    """Raise ValueError if masks whose numbers no table fixes disagree in the colors of a number that both use.

    Palettes stand at the beginning of a file: only where they differ are the masks read.
    """
    if not paths:
        return
    different: dict[bytes, list[Path]] = {}
    for path in paths:
        palette = palette_in(path)
        if palette:
            different.setdefault(palette, []).append(path)
    if len(different) < 2:
        return
    seen = Palettes()
    for path in (path for group in different.values() for path in group):
        mask = open_file(path)
        seen.add(mask, path, values_in(to_indices(mask, path)))


def palette_in(path: Path) -> bytes:
    """The palette of a file that is not decoded for it; empty if it has none or cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            start = os.read(file, 26)
        finally:
            os.close(file)
        if start.startswith(_PNG) and start[25] != 3:  # its kind of colors, where 3 is a palette
            return b""
        with Image.open(path) as mask:
            return stored_palette(mask)
    except Exception:  # reading the mask says what is wrong with it
        return b""


def stored_palette(mask: Image.Image) -> bytes:
    """The palette as a file that was opened, but not decoded, has it; empty if there is none."""
    if mask.mode != "P" or mask.palette is None:
        return b""
    order, data = mask.palette.getdata()
    return order.encode() + bytes(data)
