"""Facts about the data sets of the course, each number with its source, and the table that lesson 02 shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from segtutor import resources
from segtutor.datasets.files import check_choice
from segtutor.tables import render

COLUMNS = ("data set", "year", "pictures", "classes", "size (width x height)", "metric", "void", "license")


@cache
def _all() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads(resources.data("datasets.json").read_text(encoding="utf-8"))
    return content


def facts(name: str | None = None) -> dict[str, Any]:
    """Facts about one data set, or the facts of all of them by name.

    Args:
        name: "voc2012", "pascal_context", "coco", "coco_stuff", "coco_panoptic", "cityscapes", "camvid" or "ade20k".

    Returns:
        title, year, paper, address, license, classes, splits, size, metric, void, loader (its name in
        `segtutor.datasets`), torchvision (its name there), corrections (what the seed of this course said, and what
        is right). Every number stands beside its ``source``.

    Raises:
        ValueError: If there is no such data set.

    Example:
        >>> {split["name"]: split["images"] for split in facts("pascal_context")["splits"]}
        {'train': 4998, 'val': 5105}
    """
    if name is None:
        return json.loads(json.dumps(_all()))  # a copy: what a reader changes stays with the reader
    check_choice("name", name, _all())
    copied: dict[str, Any] = json.loads(json.dumps(_all()[name]))
    return copied


def facts_table(names: Sequence[str] | None = None, format: str = "markdown") -> str:
    """A table with a row for each data set.

    Args:
        names: Which data sets, in this order; all if None.
        format: "markdown" or "html".
    """
    check_choice("format", format, ("markdown", "html"))
    rows = [_row(facts(name)) for name in (names or _all())]
    return render(COLUMNS, rows, format)


def sources_table(name: str, format: str = "markdown") -> str:
    """Every number of one data set with the place where it stands."""
    check_choice("format", format, ("markdown", "html"))
    item = facts(name)
    rows = [
        (f"{split['name']}: {split['labels']}", f"{split['images']:,}", split["source"]) for split in item["splits"]
    ]
    rows += [(f"classes, {part['what']}", str(part["count"]), part["source"]) for part in item["classes"]]
    rows += [(key, item[key]["value"], item[key]["source"]) for key in ("size", "metric", "license")]
    return render(("what", "value", "source"), rows, format)


def corrections_table(format: str = "markdown") -> str:
    """What the tutorial that this course grew from says about the data sets, and what is right."""
    check_choice("format", format, ("markdown", "html"))
    rows = [
        (item["title"], entry["said"], entry["right"], entry["source"])
        for item in facts().values()
        for entry in item["corrections"]
    ]
    return render(("data set", "said", "right", "source"), rows, format)


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    return (
        item["title"],
        str(item["year"]),
        "; ".join(f"{split['name']} {split['images']:,}" for split in item["splits"]),
        "; ".join(f"{part['count']} {part['what']}" for part in item["classes"]),
        item["size"]["value"],
        item["metric"]["value"],
        item["void"],
        item["license"]["value"],
    )
