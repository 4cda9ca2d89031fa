"""The rows of a table of classes, from CSV, text and JSON files as people and annotation tools write them.

A row is what the file says of a class: its name, and its number, its color or both. What is not understood is refused:
classes are numbered by their lines only where every line is a name and nothing else.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segtutor.labels import Color
from segtutor.texts import read_text

NAMES = ("name", "classname", "labelname", "categoryname", "objectname", "class", "label", "category", "title")
NUMBERS = (
    "index", "idx", "id", "value", "number", "pixelvalue", "pixel", "maskvalue", "gray", "grey", "grayvalue",
    "greyvalue", "pngindex", "classid", "classindex", "classidx", "classnumber", "labelid", "labelindex", "labelvalue",
    "categoryid", "trainid", "class", "label", "category",
)  # fmt: skip
COLORS = ("color", "colour", "rgb", "hex", "colorrgb", "rgbcolor", "hexcolor", "colorhex", "colorcode", "hexcode")
CHANNELS = (("r", "g", "b"), ("red", "green", "blue"))
ALLOWED = "name; index, id, value or trainId; color (255 0 0 or #ff0000), or r, g and b"
_CONTAINERS = ("classes", "labels", "categories", "names")
IGNORE = "__ignore__"  # labelme's first line, for pixels of value 255; the next line is number 0


@dataclass(frozen=True)
class Row:
    """A class in a table: its name, and the number and color of it in mask files where the table has them."""

    name: str
    index: int | None = None
    color: Color | None = None


def read_rows(path: Path) -> list[Row]:
    """The rows of a table.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is not understood; the message does not name the file.
    """
    text = read_text(path)
    if path.suffix.lower() == ".json":
        return _from_json(text)
    lines = text.split("\n")
    return _from_columns(lines) if path.suffix.lower() == ".csv" else _from_lines(lines)


# --- columns ---------------------------------------------------------------------------------------------------------


def _plain(title: Any) -> str:
    """A column's title without capitals, spaces and signs: "Pixel Value" and "pixel_value" are one."""
    return re.sub(r"[^a-z0-9]+", "", str(title).lower()) or str(title).strip()


def _separator(header: str) -> str:
    """The sign that divides a header into the most titles that are known."""
    known = {*NAMES, *NUMBERS, *COLORS, *CHANNELS[0], *CHANNELS[1]}

    def score(sign: str) -> tuple[int, int]:
        titles = [_plain(part) for part in header.split(sign)]
        return sum(title in known for title in titles), len(titles)

    return max(",;\t|", key=score)


def _from_columns(lines: Sequence[str]) -> list[Row]:
    lines = [line for line in lines if line.strip() and not re.fullmatch(r"sep=.", line.strip())]
    if not lines:
        raise ValueError("it is empty")
    sign = _separator(lines[0])
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
    return _from_records(records, header)


def _from_records(records: Sequence[Mapping[str, Any]], header: Sequence[str]) -> list[Row]:
    """Rows from cells under titles, whichever of the usual titles they are."""
    titles: dict[str, str] = {}
    for title in header:
        used = any(title in record for record in records)
        if used and titles.setdefault(_plain(title), title) != title:
            raise ValueError(f"the columns {titles[_plain(title)]!r} and {title!r} are one")
    found = f"its columns are {', '.join(repr(title) for title in header)}; those that are understood: {ALLOWED}"
    if not records:
        raise ValueError("it is empty")

    def cells(title: str) -> list[Any]:
        return [record.get(titles[title]) for record in records]

    def is_numbers(title: str) -> bool:
        return all(value is None or _whole(value) is not None for value in cells(title))

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


def _whole(value: Any) -> int | None:
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
    number = _whole(value)
    if number is None or not -1 <= number < 1 << 31:
        raise ValueError(f"row {position}: the number of a class is a whole number from 0 on, not {value!r}")
    return number


def _colors(values: Sequence[Any]) -> list[Color | None]:
    parsed = [None if value is None else _color(value) for value in values]
    # 1.0 is white to some programs; 255.0 is what a table of numbers with gaps becomes in others.
    floats = any("." in str(value) for value in values if value is not None)
    if floats and max((max(color) for color in parsed if color), default=2) <= 1:
        raise ValueError("its colors run from 0 to 1: write them from 0 to 255")
    return parsed


def _color(value: Any) -> Color:
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
    numbers = [_whole(part) for part in parts]
    if len(numbers) == 4 and numbers[3] == 255:
        numbers = numbers[:3]
    if len(numbers) != 3 or any(part is None for part in numbers):
        raise ValueError(f"the color {value!r} is none: write it as 255 0 0 or #ff0000")
    red, green, blue = (int(part) for part in numbers if part is not None)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"the color {value!r} is outside 0...255")
    return red, green, blue


# --- lines -----------------------------------------------------------------------------------------------------------

_SIGNS = r"[\s:;,=|.)-]+"
_RGB = r"(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})"
# What all lines of a text may be, beside names: the groups name, index, color.
_FORMS = (
    re.compile(rf"(?P<name>[^:]+):(?P<color>{_RGB})(?::.*)?"),  # CVAT's labelmap.txt, name:r,g,b:parts:actions
    re.compile(rf"(?P<color>{_RGB}){_SIGNS}(?P<name>[^\d\s].*)"),
    re.compile(rf"(?P<index>\d+){_SIGNS}(?P<name>[^\d\s#].*)"),
    re.compile(rf"(?P<name>\D.*?)[\s:;,=|]+(?P<color>{_RGB})"),
    re.compile(r"(?P<name>.*\S)[\s:;,=|]+(?P<color>#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?)"),
    re.compile(r"(?P<name>.*[^\s:;,=|])\s*[:;,=|\t]\s*(?P<index>\d+)"),
)
_LAST_NUMBER = re.compile(r"(.*\S)\s+\d+")


def _from_lines(lines: Sequence[str]) -> list[Row]:
    """A text: one name a line; or on every line a name with its number or color; or columns with a header."""
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    while numbered and not numbered[-1][1]:
        numbered.pop()
    while numbered and (not numbered[0][1] or re.match(r"#\s|#\w+:", numbered[0][1])):
        numbered.pop(0)
    if not numbered:
        raise ValueError("it is empty")
    texts = [text for _, text in numbered if text]
    titles = [_plain(part) for part in texts[0].split(_separator(texts[0]))]
    if len(titles) > 1 and set(titles) & set(NAMES) and set(titles) & {*NUMBERS, *COLORS, *CHANNELS[0], *CHANNELS[1]}:
        return _from_columns(texts)
    for form in _FORMS:
        matches = [form.fullmatch(text) for text in texts]
        found = [match.groupdict() for match in matches if match]
        if len(found) == len(texts) and not (form is _FORMS[-1] and len({row["name"] for row in found}) < len(found)):
            indices = [_whole(row["index"]) if row.get("index") else None for row in found]
            colors = [_color(row["color"]) if row.get("color") else None for row in found]
            return [Row(r["name"].strip(), i, c) for r, i, c in zip(found, indices, colors, strict=True)]
    _check_names(numbered)
    return _by_row(texts)


def _by_row(names: Sequence[str]) -> list[Row]:
    """Names alone: their places are their numbers, from -1 on where the first is labelme's."""
    if names[0] == IGNORE:
        return [Row(name, number) for number, name in enumerate(names, start=-1)]
    if IGNORE in names:
        raise ValueError(f"{IGNORE} is understood in the first line only, as labelme has it")
    return [Row(name) for name in names]


def _check_names(numbered: Sequence[tuple[int, str]]) -> None:
    """Raise ValueError unless every line is a name: its place is its number, so none may be something else."""
    only = (
        "a text has one name a line, numbered from 0, or on every line also its number or color (0 sky, sky:0, "
        "sky:128,64,0); a classes.csv with name,index says it best"
    )
    ends = [_LAST_NUMBER.fullmatch(text) for _, text in numbered]
    all_end = len(numbered) > 1 and all(ends) and len({end[1] for end in ends if end}) == len(numbered)
    for position, (number, text) in enumerate(numbered):
        is_wrong = (
            not text
            or all_end
            or any(form.fullmatch(text) for form in _FORMS)
            or re.match(r"\d+\s*[\s:;,=|]", text)
            or re.search(r"[\t|]", text)
            or text.startswith("#")
            or (position == 0 and _plain(text) in {*NAMES, *_CONTAINERS})
            or (len(numbered) == 1 and re.search(r"[,;]", text))
            or _whole(text) is not None
        )
        if is_wrong:
            raise ValueError(f"line {number}, {text!r}, is no name: {only}")


# --- JSON ------------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> list[Row]:
    """A list of names or of objects; an object {name: number}, {name: color} or {"0": name}; or one of these inside."""
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    inner = [key for key in _CONTAINERS if isinstance(content, dict) and _is_table(content.get(key))]
    if len(inner) == 1:
        content = content[inner[0]]
    if isinstance(content, dict):
        content = _entries(content)
    if not isinstance(content, list):
        raise ValueError(f"a table is a list or an object, not {content!r:.40}")
    if all(isinstance(item, str) for item in content):
        blank = [position for position, item in enumerate(content) if not item.strip()]
        if blank or not content:
            raise ValueError(f"row {blank[0]} has no name" if blank else "it is empty")
        return _by_row([item.strip() for item in content])
    for position, item in enumerate(content):
        if not isinstance(item, dict):
            raise ValueError(f"entry {position} is {item!r:.40}: all are names, or all objects with {ALLOWED}")
    records = [{key: value for key, value in item.items() if value is not None} for item in content]
    return _from_records(records, list(dict.fromkeys(key for item in records for key in item)))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands more than once")
    return found


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, str | dict) for item in value)
    )


def _entries(content: dict[str, Any]) -> list[dict[str, Any]]:
    """An object's keys and values as rows."""
    if content and all(_whole(key) is not None for key in content):
        if all(isinstance(value, str) for value in content.values()):
            return [{"name": value, "index": key} for key, value in content.items()]
        if all(isinstance(value, dict) for value in content.values()):
            return [{"index": key, **value} for key, value in content.items()]
    entries: list[dict[str, Any]] = []
    for key, value in content.items():
        if isinstance(value, dict):
            entries.append({"name": key, **value})
        else:
            entries.append({"name": key, ("index" if _is_number(value) else "color"): value})
    return entries


def _is_number(value: Any) -> bool:
    return _whole(value) is not None or isinstance(value, bool | float)
