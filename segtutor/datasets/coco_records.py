"""Lists of COCO records as they come out of JSON: what is said about which, fields replaced by what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from segtutor.metrics.arrays import shorten
from segtutor.metrics.coco_fields import Report, field_of

Record = dict[str, Any]


class Problem(NamedTuple):
    """Something that is wrong with a file; ``kind`` is a word for tables."""

    kind: str
    message: str


class Collect:
    """A report that keeps what it is told, and which records it was about."""

    def __init__(self, found: list[Problem], kind: str, name: Callable[[int], str]) -> None:
        self.found, self.kind, self.name = found, kind, name
        self.wrong: set[int] = set()

    def __call__(self, index: int, text: str) -> None:
        self.found.append(Problem(self.kind, f"{self.name(index)}{'' if text.startswith(':') else ' '}{text}"))
        self.wrong.add(index)

    def of_kind(self, kind: str) -> Report:
        """The same for another kind of trouble."""
        other = Collect(self.found, kind, self.name)
        other.wrong = self.wrong
        return other

    def right(self, records: list[Record]) -> list[Record]:
        """The records that nothing was said about."""
        return [record for index, record in enumerate(records) if index not in self.wrong] if self.wrong else records


def dicts(records: list[Any], key: str, found: list[Problem]) -> list[Record]:
    """The records that are objects; the others are told."""
    if set(map(type, records)) <= {dict}:
        return records
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            text = f"entry {number} of {key} must be an object, but is {shorten(record)} ({type(record).__name__})"
            found.append(Problem("json", text))
    return [record for record in records if isinstance(record, dict)]


def with_field(records: list[Record], key: str, values: Sequence[Any]) -> list[Record]:
    """The records with a field as it was read; those that have it so already stay the same objects."""
    there = field_of(records, key)
    if len({*map(type, there), *map(type, values)}) <= 1 and there == list(values):
        return records
    return [
        record if was is value or (type(was) is type(value) and was == value) else {**record, key: value}
        for record, was, value in zip(records, there, values, strict=True)
    ]  # fmt: skip


def check_texts(records: list[Record], key: str, report: Report) -> None:
    """Report a field that is missing, or no text, or an empty one."""
    texts = field_of(records, key)
    if set(map(type, texts)) <= {str} and all(texts):
        return
    for index, record in enumerate(records):
        value = record.get(key)
        if type(value) is not str or not value:
            is_no_text = "an empty text" if value == "" else "which is not a text"
            was = f"the {key} {value!r}, {is_no_text}" if key in record else f"no {key!r}"
            report(index, f"has {shorten(was, quote=False)}")


def with_crowd(records: list[Record], crowds: list[int]) -> list[Record]:
    """The records with ``iscrowd`` as 0 or 1; those that have none keep none."""
    if set(map(type, field_of(records, "iscrowd", missing=0))) <= {int}:
        return records
    return [
        record if type(record.get("iscrowd", 0)) is int else {**record, "iscrowd": crowd}
        for record, crowd in zip(records, crowds, strict=True)
    ]


def by_id(records: list[Record], kind: str, found: list[Problem]) -> dict[Any, Record]:
    """The records by rising id; the first one, of those that share an id."""
    table: dict[Any, Record] = {}
    for record in records:
        table.setdefault(record["id"], record)
    if len(table) < len(records):
        count = Counter(record["id"] for record in records)
        found += [Problem("twice", f"{kind} id {which!r} stands {n} times") for which, n in count.items() if n > 1]
    return {which: table[which] for which in sorted(table)}
