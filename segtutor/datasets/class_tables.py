"""Tables of classes that a learner writes down: names, the numbers or colors they have in mask files.

As JSON: a list of names, or of objects with "name" and "index" or "color"; or one object {name: index} or {name:
[r, g, b]}. As CSV: a header with name and any of index, color ("255 0 0" or "#ff0000"), r, g, b. As text: one name a
line, numbered from 0. A class called void, ignore, unlabeled or unlabelled marks pixels that count nowhere.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segtutor.datasets.files import describe, to_indices
from segtutor.labels import Color, LabelSet, voc_colors

VOID_NAMES = frozenset({"void", "ignore", "unlabeled", "unlabelled"})
FILE_NAMES = tuple(f"{stem}.{ending}" for stem in ("classes", "labels", "mapping") for ending in ("json", "csv", "txt"))


@dataclass(frozen=True)
class ClassTable:
    """A label set, and what its classes look like in mask files.

    Attributes:
        labels: Names and colors, numbered without gaps.
        number_of_value: Class number of each number in index masks; void is labels.ignore_index.
        number_of_color: Class number of each color in color masks; empty if the table has no colors.
        by_color: Whether palette masks are read by their colors too, because the table has no numbers.
    """

    labels: LabelSet
    number_of_value: dict[int, int]
    number_of_color: dict[Color, int] = field(default_factory=dict)
    by_color: bool = False

    def decode(self, mask: Image.Image, path: Path | str) -> np.ndarray:
        """Class numbers of a mask file, H x W int64.

        Raises:
            ValueError: If it holds a number or color that the table has not, or colors where the table has numbers.
        """
        if mask.mode in ("RGB", "RGBA") or (mask.mode == "P" and self.by_color):
            if not self.number_of_color:
                raise ValueError(
                    f"{path} holds colors (mode {mask.mode}), not class numbers, and no color of a class is known: "
                    f"write a classes.csv with name,color; it has {_describe_colors(_colors(mask)[0])}"
                )
            return self._from_colors(mask, path)
        values = to_indices(mask, path)
        found, inverse = np.unique(values, return_inverse=True)
        known = {self.labels.ignore_index: self.labels.ignore_index, **self.number_of_value}
        wrong = np.array([value for value in found if int(value) not in known])
        if wrong.size:
            allowed = ", ".join(str(value) for value in sorted(known))
            raise ValueError(f"{path} holds {describe(wrong)}, but {self.labels.title} has the values {allowed}")
        return np.array([known[int(value)] for value in found], dtype=np.int64)[inverse.reshape(values.shape)]

    def _from_colors(self, mask: Image.Image, path: Path | str) -> np.ndarray:
        colors, inverse = _colors(mask)
        wrong = [color for color in colors if color not in self.number_of_color]
        if wrong:
            raise ValueError(
                f"{path} holds {_describe_colors(wrong)} that {self.labels.title} does not name; colors between two "
                "classes come from JPEG or from smoothed edges: save the mask as PNG, without smoothing"
            )
        numbers = np.array([self.number_of_color[color] for color in colors], dtype=np.int64)
        return numbers[inverse].reshape(mask.height, mask.width)


def _colors(mask: Image.Image) -> tuple[list[Color], np.ndarray]:
    """The colors in an image, rising, and the position of each pixel's color among them."""
    pixels = np.asarray(mask.convert("RGB")).reshape(-1, 3).astype(np.int64)
    packed, inverse = np.unique(pixels @ np.array([65536, 256, 1]), return_inverse=True)
    return [(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in packed], inverse


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
        raise FileNotFoundError(f"the table of classes {path} is missing")
    text = path.read_text(encoding="utf-8-sig")
    try:
        return _build(path, _parse(path, text))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a table of classes: {error}") from error


def _parse(path: Path, text: str) -> list[dict[str, Any]]:
    if path.suffix.lower() == ".csv":
        reader = csv.DictReader(io.StringIO(text))
        rows = [{str(k).strip().lower(): (v or "").strip() for k, v in row.items() if k} for row in reader]
        for row in rows:
            if {"r", "g", "b"} <= row.keys():
                row["color"] = f"{row['r']} {row['g']} {row['b']}"
        return [{key: value for key, value in row.items() if value != ""} for row in rows]
    if path.suffix.lower() == ".txt":
        return [{"name": line.strip()} for line in text.splitlines() if line.strip()]
    content = json.loads(text)
    if isinstance(content, Mapping):
        content = [
            {"name": name, ("index" if isinstance(value, int) else "color"): value} for name, value in content.items()
        ]
    return [{"name": item} if isinstance(item, str) else dict(item) for item in content]


def _color(value: Any) -> Color:
    if isinstance(value, str):
        text = value.strip().lstrip("#")
        parts = [int(text[i : i + 2], 16) for i in (0, 2, 4)] if len(text) == 6 and " " not in text else None
        value = parts or [int(part) for part in text.replace(",", " ").split()]
    red, green, blue = (int(part) for part in value)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"the color {value} is outside 0...255")
    return red, green, blue


def _build(path: Path, rows: list[dict[str, Any]]) -> ClassTable:
    without = [number for number, row in enumerate(rows) if not row.get("name")]
    if without or not rows:
        raise ValueError(f"row {without[0]} has no name" if without else "it is empty")
    has_index = all("index" in row for row in rows)
    has_color = all("color" in row for row in rows)
    if any("index" in row for row in rows) and not has_index:
        raise ValueError("some classes have an index and some have none")
    if any("color" in row for row in rows) and not has_color:
        raise ValueError("some classes have a color and some have none")
    values = [int(row["index"]) if has_index else number for number, row in enumerate(rows)]
    for name, items in (("index", values), ("color", [_color(row["color"]) for row in rows] if has_color else [])):
        if len(set(items)) != len(items):
            raise ValueError(f"two classes have one {name}")
    order = sorted(range(len(rows)), key=lambda number: values[number])
    is_void = [str(row["name"]).strip().lower() in VOID_NAMES for row in rows]
    classes = [number for number in order if not is_void[number]]
    void = max(255, len(classes))
    number_of = {number: position for position, number in enumerate(classes)} | {
        number: void for number in order if is_void[number]
    }
    drawn = voc_colors(len(classes) + 1)
    colors = [_color(rows[n]["color"]) if has_color else drawn[position] for position, n in enumerate(classes)]
    names = tuple(str(rows[number]["name"]).strip() for number in classes)
    labels = LabelSet(path.parent.name or path.stem, names, tuple(colors), ignore_index=void)
    number_of_color = {_color(rows[n]["color"]): number_of[n] for n in number_of} if has_color else {}
    return ClassTable(
        labels, {values[n]: number_of[n] for n in number_of}, number_of_color, has_color and not has_index
    )
