"""The columns of a table of classes: which title means what, and values as people write them.

A column is found by its title, in whichever of the usual words; what is not understood is refused, with the titles that
were found and those that are allowed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segtutor.labels import Color

NAMES = ("name", "classname", "labelname", "categoryname", "objectname", "class", "label", "category", "title")
NUMBERS = (
    "index", "idx", "id", "value", "number", "pixelvalue", "pixel", "maskvalue", "gray", "grey", "grayvalue",
    "greyvalue", "pngindex", "classid", "classindex", "classidx", "classnumber", "labelid", "labelindex", "labelvalue",
    "categoryid", "trainid", "class", "label", "category",
)  # fmt: skip
COLORS = ("color", "colour", "rgb", "hex", "colorrgb", "rgbcolor", "hexcolor", "colorhex", "colorcode", "hexcode")
CHANNELS = (("r", "g", "b"), ("red", "green", "blue"))
_TITLES = frozenset({*NAMES, *NUMBERS, *COLORS, *CHANNELS[0], *CHANNELS[1]})
ALLOWED = "name; index, id, value or trainId; color (255 0 0 or #ff0000), or r, g and b"
IGNORE = "__ignore__"  # labelme's first line, for pixels of value 255; the next line is number 0


@dataclass(frozen=True)
class Row:
    """A class in a table: its name, and the number and color of it in mask files where the table has them."""

    name: str
    index: int | None = None
    color: Color | None = None


def plain(title: Any) -> str:
    """A column's title without capitals, spaces and signs: "Pixel Value" and "pixel_value" are one."""
    return re.sub(r"[^a-z0-9]+", "", str(title).lower()) or str(title).strip()


def separator(header: str) -> str:
    """The sign that divides a header into the most titles that are known."""

    def score(sign: str) -> tuple[int, int]:
        titles = [plain(part) for part in header.split(sign)]
        return sum(title in _TITLES for title in titles), len(titles)

    return max(",;\t|", key=score)


def from_columns(lines: Sequence[str]) -> list[Row]:
    """Rows from lines of cells, the first of which are titles.

    Raises:
        ValueError: If they are not understood.
    """
    lines = [line for line in lines if line.strip() and not re.fullmatch(r"sep=.", line.strip())]
    if not lines:
        raise ValueError("it is empty")
    sign = separator(lines[0])
    try:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=sign, strict=True)]
    except csv.Error as error:
        raise ValueError(f"it is not a table of cells divided by {sign!r} ({error})") from None
    if len({title for title in header if title}) < len([title for title in header if title]):
        raise ValueError(f"a title stands twice in its header {sign.join(header)!r}")
    records = []
    for number, row in enumerate(rows, start=2):
        if any(row[len(header) :]) or (any(row) and len(row) < len(header)):
            raise ValueError(
                f"row {number} has {len(row)} cells ({sign.join(row)!r}), but the header {len(header)} "
                f"({sign.join(header)!r}); a color with commas needs quotation marks"
            )
        if any(row):
            records.append({title: cell for title, cell in zip(header, row, strict=False) if cell != ""})
    return from_records(records, header)


def from_records(records: Sequence[Mapping[str, Any]], header: Sequence[str]) -> list[Row]:
    """Rows from cells under titles, whichever of the usual titles they are."""
    titles: dict[str, str] = {}
    for title in header:
        used = any(title in record for record in records)
        if used and titles.setdefault(plain(title), title) != title:
            raise ValueError(f"the columns {titles[plain(title)]!r} and {title!r} are one")
    found = f"its columns are {', '.join(repr(title) for title in header)}; those that are understood: {ALLOWED}"
    if not records:
        raise ValueError("it is empty")

    def cells(title: str) -> list[Any]:
        return [record.get(titles[title]) for record in records]

    def is_numbers(title: str) -> bool:
        return all(value is None or whole(value) is not None for value in cells(title))

    name = next((t for t in NAMES if t in titles and (t == "name" or not is_numbers(t))), None)
    if name is None:
        raise ValueError(f"no column has names: {found}")
    numbers = [t for t in NUMBERS if t in titles and t != name and (t not in NAMES or is_numbers(t))]
    numbers = [t for t in numbers if any(value is not None for value in cells(t))]
    colors = [t for t in COLORS if t in titles and any(value is not None for value in cells(t))]
    channels = next((three for three in CHANNELS if all(c in titles for c in three)), ())
    others = [
        t for t in titles if t not in (name, *numbers, *colors, *channels) and any(v is not None for v in cells(t))
    ]
    if others and not numbers and not colors and not channels:
        raise ValueError(f"which column has the numbers or colors of the masks? {found}")
    maybe = [t for t in others if is_numbers(t)]
    if maybe and not numbers:
        raise ValueError(f"is {titles[maybe[0]]!r} the number of a class in the masks? {found}")
    indices = [_index(value, position) for position, value in enumerate(cells(numbers[0]))] if numbers else None
    for other in numbers[1:]:
        if indices != [_index(value, position) for position, value in enumerate(cells(other))]:
            raise ValueError(
                f"the columns {titles[numbers[0]]!r} and {titles[other]!r} are different numbers, and which of them is "
                "in the masks nobody says: leave one of them out"
            )
    written = [cells(t) for t in colors]
    if channels:
        written.append([None if None in rgb else list(rgb) for rgb in zip(*map(cells, channels), strict=True)])
    painted = [_colors(values) for values in written]
    if any(values != painted[0] for values in painted):
        raise ValueError(f"its columns of colors contradict each other: {found}")
    is_train_id = bool(numbers) and numbers[0] == "trainid"
    rows = []
    for position, record in enumerate(records):
        text = record.get(titles[name])
        is_text = isinstance(text, str) and text.strip() != ""
        if not is_text and type(text) is not int:
            raise ValueError(f"row {position} has no name" + ("" if text is None else f", but {text!r}"))
        index = indices[position] if indices else None
        # Cityscapes' convention: what has no train id counts nowhere.
        shown = IGNORE if is_train_id and index in (-1, 255) else str(text).strip()
        rows.append(Row(shown, index, painted[0][position] if painted else None))
    return rows


def whole(value: Any) -> int | None:
    """A whole number, of JSON or written out, 3 or 3.0; None if it is something else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = str(value).strip() if isinstance(value, str) else ""
    return int(text.partition(".")[0]) if re.fullmatch(r"[+-]?[0-9]{1,15}(\.0*)?", text) else None


def _index(value: Any, position: int) -> int | None:
    if value is None:
        return None
    number = whole(value)
    if number is None or not -1 <= number < 1 << 31:
        raise ValueError(f"row {position}: the number of a class is a whole number from 0 on, not {value!r}")
    return number


def _colors(values: Sequence[Any]) -> list[Color | None]:
    parsed = [None if value is None else parse_color(value) for value in values]
    # 1.0 is white to some programs; 255.0 is what a table of numbers with gaps becomes in others.
    floats = any("." in str(value) for value in values if value is not None)
    if floats and max((max(color) for color in parsed if color), default=2) <= 1:
        raise ValueError("its colors run from 0 to 1: write them from 0 to 255")
    return parsed


def parse_color(value: Any) -> Color:
    """A color: three numbers, "255 0 0", "rgb(255, 0, 0)", "#ff0000" or "#ff0000ff"."""
    parts: list[Any]
    if isinstance(value, str):
        text = re.sub(r"^(rgba?)?\s*[\[(](.*)[\])]$", r"\2", value.strip(), flags=re.IGNORECASE)
        digits = re.fullmatch(r"(?:#|0[xX])?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?", text)
        if digits:
            if (digits[2] or "ff").lower() != "ff":
                raise ValueError(f"the color {value!r} is transparent, or its alpha stands first: write #rrggbb")
            return int(digits[1][:2], 16), int(digits[1][2:4], 16), int(digits[1][4:], 16)
        parts = re.split(r"[\s,;/]+", text.strip())
    else:
        parts = list(value) if isinstance(value, list | tuple) else []
    numbers = [whole(part) for part in parts]
    if len(numbers) == 4 and numbers[3] == 255:
        numbers = numbers[:3]
    if len(numbers) != 3 or any(part is None for part in numbers):
        raise ValueError(f"the color {value!r} is none: write it as 255 0 0 or #ff0000")
    red, green, blue = (int(part) for part in numbers if part is not None)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"the color {value!r} is outside 0...255")
    return red, green, blue
