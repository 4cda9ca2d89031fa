"""Tables of classes that a learner writes down: names, the numbers or colors they have in mask files.

As JSON: a list of names, or of objects with "name" and "index" or "color"; or one object {name: index}, {name:
[r, g, b]} or {"0": name}, or Hugging Face's config.json with "id2label" in it. As CSV: a header with name and any of
index, color ("255 0 0" or "#ff0000"), r, g, b, under the titles that annotation tools use. As text: one name a line,
numbered from 0, or CVAT's and labelme's forms; see `segtutor.datasets.table_files`. A class called void, ignore,
unlabeled or unlabelled marks pixels that count nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtutor.datasets.files import describe, opaque, refuse_black_and_white, to_indices
from segtutor.datasets.opening import RAW_MODE, FileError, MissingFile, upright
from segtutor.datasets.palettes import WHITE, KnownColors, colors_of, tell, white_is_void
from segtutor.datasets.table_columns import IGNORE, Row
from segtutor.datasets.table_files import read_rows
from segtutor.labels import Color, LabelSet, voc_colors

VOID_NAMES = frozenset({"void", "ignore", "unlabeled", "unlabelled", IGNORE})
FILE_NAMES = (
    *(f"{stem}.{ending}" for stem in ("classes", "labels", "mapping") for ending in ("json", "csv", "txt")),
    "id2label.json",  # Hugging Face
    "labelmap.txt",  # CVAT
    "class_names.txt",  # labelme
    "class_dict.csv",
    "_classes.csv",  # Roboflow
)


@dataclass(frozen=True)
class ClassTable:
    """A label set, and what its classes look like in mask files.

    Attributes:
        labels: Names and colors, numbered without gaps.
        number_of_value: Class number of each number in index masks; void is labels.ignore_index.
        number_of_color: Class number of each color in color masks; empty if the table has no colors.
        by_color: Whether palette and gray masks are read by their colors too, because the table has no numbers.
        is_numbered: Whether the numbers stand in the table, and are not the places of its lines.
    """

    labels: LabelSet
    number_of_value: dict[int, int]
    number_of_color: dict[Color, int] = field(default_factory=dict)
    by_color: bool = False
    is_numbered: bool = False

    def decode(self, mask: Image.Image, path: Path | str) -> np.ndarray:
        """Class numbers of a mask file, H x W int64.

        Raises:
            ValueError: If it holds a number or color that the table has not, or colors where the table has numbers; or
                if nobody can know which is meant: 255 in a black-and-white mask, transparent pixels, a palette that
                contradicts the numbers.
        """
        if mask.mode in ("RGB", "RGBA") or (mask.mode == "P" and self.by_color):
            if not self.number_of_color:
                raise FileError(
                    f"{path} holds colors (mode {mask.mode}), not class numbers, and no color of a class is known: "
                    f"write a classes.csv with name,color; it has {_describe_colors(_colors(mask)[0])}",
                    path,
                    "colors",
                )
            return self._from_colors(mask, path)
        values = to_indices(mask, path)
        found, inverse = np.unique(values, return_inverse=True)
        known = self._numbers(mask, found, path)
        wrong = np.array([value for value in found if int(value) not in known])
        if wrong.size:
            allowed = ", ".join(str(value) for value in sorted({self.labels.ignore_index, *self.number_of_value}))
            grays = sorted(red for red, green, blue in self.number_of_color if red == green == blue)
            also = f", and the grays {', '.join(map(str, grays))}" if self.by_color and grays else ""
            raise FileError(
                f"{path} holds {describe(wrong)}, but {self.labels.title} has the values {allowed}{also}", path
            )
        if self.number_of_color and not self.by_color:
            self._check_palette(mask, values, path)
        return np.array([known[int(value)] for value in found], dtype=np.int64)[inverse.reshape(values.shape)]

    def _numbers(self, mask: Image.Image, found: np.ndarray, path: Path | str) -> dict[int, int]:
        """Class number of each value that a gray or palette mask may hold."""
        void = self.labels.ignore_index
        if self.by_color and mask.mode != "P":
            white = 255 if mask.mode == "1" else 1
            grays = {
                red // white: number for (red, green, blue), number in self.number_of_color.items()
                if red == green == blue and red % white == 0
            }  # fmt: skip
            rows = self.number_of_value if WHITE in self.number_of_color else {void: void, **self.number_of_value}
            values = [int(value) for value in found]
            if all(value in grays for value in values):
                differ = [value for value in values if rows.get(value, grays[value]) != grays[value]]
                if differ and all(value in rows for value in values) and mask.mode != "1":
                    raise FileError(
                        f"{path} holds {describe(found)}: are these the colors of {self.labels.title} as grays, or the "
                        "places of its lines, counted from 0? Add a column index to the table",
                        path,
                    )
                return grays
        if 255 not in self.number_of_value and void == 255 and not white_is_void(mask):
            refuse_black_and_white(found, path)
        return {void: void, **self.number_of_value}

    @cached_property
    def _known_colors(self) -> KnownColors:
        """The value in index masks that each color stands for."""
        value_of = {number: value for value, number in self.number_of_value.items()}
        return KnownColors({color: value_of.get(number, number) for color, number in self.number_of_color.items()})

    def _check_palette(self, mask: Image.Image, values: np.ndarray, path: Path | str) -> None:
        elsewhere = self._known_colors.elsewhere(mask, values)
        if elsewhere:
            raise FileError(
                f"{path} has a palette that contradicts {self.labels.title}: {tell(colors_of(mask), elsewhere)}; if a "
                "program has renumbered the palette, leave the numbers out of the table, else its colors",
                path,
                "palette",
            )

    def _from_colors(self, mask: Image.Image, path: Path | str) -> np.ndarray:
        if ";16" in str(mask.info.get(RAW_MODE, "")):
            raise FileError(f"{path} has 16 bits a channel: save the mask with 8", path, "16 bits")
        colors, inverse = _colors(upright(opaque(mask, path) if mask.mode == "RGBA" else mask))
        wrong = [color for color in colors if color not in self.number_of_color]
        if wrong:
            raise FileError(
                f"{path} holds {_describe_colors(wrong)} that {self.labels.title} does not name; colors between two "
                "classes come from JPEG or from smoothed edges: save the mask as PNG, without smoothing",
                path,
                "value",
            )
        numbers = np.array([self.number_of_color[color] for color in colors], dtype=np.int64)
        return numbers[inverse]


def _colors(mask: Image.Image) -> tuple[list[Color], np.ndarray]:
    """The colors in an image, rising, and the position of each pixel's color among them, H x W."""
    pixels = np.asarray(mask.convert("RGB")).astype(np.int64)
    packed, inverse = np.unique(pixels @ np.array([65536, 256, 1]), return_inverse=True)
    return [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in packed], inverse.reshape(pixels.shape[:2])


def _describe_colors(colors: list[Color]) -> str:
    shown = ", ".join("({} {} {})".format(*color) for color in colors[:4])
    more = f" and {len(colors) - 4} more" if len(colors) > 4 else ""
    return f"the color{'s' if len(colors) > 1 else ''} {shown}{more}"


def table_of(labels: LabelSet) -> ClassTable:
    """The table of a label set: its own numbers, and its colors where no two classes share one."""
    colors = dict(zip(labels.colors, range(len(labels)), strict=True))
    return ClassTable(labels, {i: i for i in range(len(labels))}, colors if len(colors) == len(labels) else {})


def read_class_table(path: Path | str) -> ClassTable:
    """Read a table of classes from a JSON, CSV or text file.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it cannot be understood, or two classes share a name, number or color.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"the table of classes {path} is missing", path)
    try:
        return _build(path, read_rows(path))
    except ValueError as error:
        text = str(error).removeprefix(f"{path} ")
        raise FileError(f"{path} is not a table of classes: {text}", path, "table") from error


def _build(path: Path, rows: list[Row]) -> ClassTable:
    has_index, has_color = (any(getattr(row, name) is not None for row in rows) for name in ("index", "color"))
    if has_index and any(row.index is None for row in rows):
        raise ValueError("some classes have an index and some have none")
    if has_color and any(row.color is None for row in rows):
        raise ValueError("some classes have a color and some have none")
    values = [number if row.index is None else row.index for number, row in enumerate(rows)]
    is_void = [row.name.lower() in VOID_NAMES for row in rows]
    lost = [row.name for row, value, void in zip(rows, values, is_void, strict=True) if value < 0 and not void]
    if lost:
        raise ValueError(f"the class {lost[0]!r} has the number -1, which no mask can hold")
    values = [255 if value < 0 else value for value in values]
    for name, items in (("index", values), ("color", [row.color for row in rows] if has_color else [])):
        _check_once(name, items, rows, is_void)
    order = sorted(range(len(rows)), key=lambda number: values[number])
    classes = [number for number in order if not is_void[number]]
    if not classes:
        raise ValueError("it names no class but void")
    void = max(255, len(classes))
    number_of = {number: position for position, number in enumerate(classes)} | {
        number: void for number in order if is_void[number]
    }
    drawn = voc_colors(len(classes) + 1)
    colors = [rows[n].color or drawn[position] for position, n in enumerate(classes)]
    labels = LabelSet(
        path.parent.name or path.stem, tuple(rows[n].name for n in classes), tuple(colors), ignore_index=void
    )
    number_of_color = {color: number_of[n] for n in number_of if (color := rows[n].color) is not None}
    return ClassTable(
        labels, {values[n]: number_of[n] for n in number_of}, number_of_color, has_color and not has_index, has_index
    )


def _check_once(name: str, items: list[Any], rows: list[Row], is_void: list[bool]) -> None:
    """Raise ValueError if two rows share a number or color, unless both are void."""
    first: dict[Any, int] = {}
    for position, item in enumerate(items):
        other = first.setdefault(item, position)
        if other != position and not (is_void[other] and is_void[position]):
            raise ValueError(f"two classes have one {name}, {item!r}: {rows[other].name!r} and {rows[position].name!r}")
