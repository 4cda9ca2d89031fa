"""The rows of a table of classes, from CSV, text and JSON files as people and annotation tools write them.

A row is what the file says of a class: its name, and its number, its color or both. What is not understood is refused:
classes are numbered by their lines only where every line is a name and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segtutor.datasets.table_columns import (
    ALLOWED,
    CHANNELS,
    COLORS,
    IGNORE,
    NAMES,
    NUMBERS,
    Row,
    from_columns,
    from_records,
    parse_color,
    plain,
    separator,
    whole,
)
from segtutor.texts import read_text

_CONTAINERS = ("classes", "labels", "categories", "names")
_HUGGING_FACE = ("id2label", "label2id")


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
    return from_columns(lines) if path.suffix.lower() == ".csv" else _from_lines(lines)


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
    quoted = [re.fullmatch(r'(["\'])([^"\']*)\1', text) for _, text in numbered]
    if all(quoted):  # as programs write texts
        numbered = [(number, match[2].strip()) for (number, _), match in zip(numbered, quoted, strict=True) if match]
    texts = [text for _, text in numbered if text]
    titles = [plain(part) for part in texts[0].split(separator(texts[0]))]
    if len(titles) > 1 and set(titles) & set(NAMES) and set(titles) & {*NUMBERS, *COLORS, *CHANNELS[0], *CHANNELS[1]}:
        return from_columns(texts)
    for form in _FORMS:
        matches = [form.fullmatch(text) for text in texts]
        found = [match.groupdict() for match in matches if match]
        if len(found) == len(texts) and not (form is _FORMS[-1] and len({row["name"] for row in found}) < len(found)):
            indices = [whole(row["index"]) if row.get("index") else None for row in found]
            colors = [parse_color(row["color"]) if row.get("color") else None for row in found]
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
            or re.match(r"#|[-*\u2022]\s", text)
            or re.search(r"::|[:;,=|]$", text)
            or (position == 0 and plain(text) in {*NAMES, *_CONTAINERS})
            or (len(numbered) == 1 and re.search(r"[,;]", text))
            or whole(text) is not None
        )
        if is_wrong:
            raise ValueError(f"line {number}, {text!r}, is no name: {only}")


# --- JSON ------------------------------------------------------------------------------------------------------------


def _from_json(text: str) -> list[Row]:
    """A list of names or of objects; an object {name: number}, {name: color} or {"0": name}; or one inside."""
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(content, dict) and any(isinstance(content.get(key), dict) for key in _HUGGING_FACE):
        content = _of_hugging_face(content)
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
    return from_records(records, list(dict.fromkeys(key for item in records for key in item)))


def _of_hugging_face(content: dict[str, Any]) -> dict[str, Any]:
    """The classes in a model's config.json, {"id2label": {"0": name}, "label2id": {name: 0}, ...}, either of them."""
    names, numbers = (content.get(key) for key in _HUGGING_FACE)
    if isinstance(names, dict) and isinstance(numbers, dict):
        swapped = {(str(name), whole(number)) for number, name in names.items()}
        differ = swapped ^ {(name, whole(number)) for name, number in numbers.items()}
        if differ:
            name = min(name for name, _ in differ)
            raise ValueError(f"its id2label and label2id contradict each other about {name!r}: correct one of the two")
    return dict(names if isinstance(names, dict) else numbers or {})


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
    if content and all(whole(key) is not None for key in content):
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
    return whole(value) is not None or isinstance(value, bool | float)
