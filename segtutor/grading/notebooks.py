"""The cells of a submitted notebook, whatever editor, learning platform or accident wrote the file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from segtutor.resources import folder

MOST_BYTES = 200 * 2**20
"""A larger file is not read: pictures of a whole term do not belong into one notebook."""
ASKED = re.compile(r"\b(?:check|use)\(\s*[\"'](\d+)\.\d+[\"']")


class NotReadable(ValueError):
    """Why a file is no notebook that can be graded."""


@dataclass(frozen=True)
class Handed:
    """A notebook as it was handed in.

    Attributes:
        cells: Source of each code cell, in order.
        texts: Source of each other cell, for questions that a person grades.
        lessons: Numbers of the lessons whose exercises it checks, most often the one that it belongs to.
    """

    cells: tuple[str, ...]
    texts: tuple[str, ...]
    lessons: tuple[str, ...]


def read_notebook(path: Path) -> Handed:
    """Read a notebook of any version from 3 on, in UTF-8 with or without a mark, or in UTF-16.

    Raises:
        NotReadable: If it is none; the message says what it is.
        OSError: If the file cannot be read.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise NotReadable(f"{size / 1e6:.0f} MB are more than the {MOST_BYTES >> 20} MB that are read")
    content = parse(path.read_bytes())
    if not isinstance(content, dict):
        raise NotReadable(f"a notebook is a JSON object, this is a {type(content).__name__}")
    cells = content.get("cells")
    if cells is None and isinstance(content.get("worksheets"), list):  # format 3
        cells = [cell for sheet in content["worksheets"] if isinstance(sheet, dict) for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise NotReadable("it has no list of cells")
    code: list[str] = []
    texts: list[str] = []
    for cell in cells:
        if isinstance(cell, dict):
            source = _source(cell)
            (code if cell.get("cell_type") == "code" else texts).append(source)
    lessons: dict[str, int] = {}
    for source in code:
        for number in ASKED.findall(source):
            lessons[number] = lessons.get(number, 0) + 1
    return Handed(tuple(code), tuple(texts), tuple(sorted(lessons, key=lambda number: -lessons[number])))


def parse(raw: bytes) -> Any:
    """What a file of JSON holds, in any of the encodings that editors write.

    Raises:
        NotReadable: If it is no JSON.

    >>> parse('{"cells": []}'.encode("utf-16"))
    {'cells': []}
    """
    if not raw.strip():
        raise NotReadable("the file is empty")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif raw[:1] == b"\0" or raw[1:2] == b"\0":
        encodings = ["utf-16-be" if raw[:1] == b"\0" else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    problem = ""
    for encoding in encodings:
        try:
            return json.loads(raw.decode(encoding))
        except UnicodeDecodeError:
            problem = f"its text is not {encoding}"
        except RecursionError:
            raise NotReadable("its JSON is nested too deeply") from None
        except ValueError as error:
            raise NotReadable(f"not a notebook: {str(error)[:100]}") from None
    raise NotReadable(f"not a notebook: {problem}")


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


@cache
def titles() -> str:
    """What follows the number in the assignments' file names, as a pattern: "fcn|metrics|..."."""
    found = (path.stem.partition("_")[2] for path in (folder("notebooks") / "assignments").glob("*.ipynb"))
    return "|".join(sorted(found))


def lesson_by_name(name: str) -> str | None:
    """The lesson that a file's name tells, for a notebook that checks nothing.

    Its number stands before its title; before another word only where the name begins: "anna09_12" is no 9.

    >>> lesson_by_name("Copy of 03_fcn (1).ipynb"), lesson_by_name("3_mine.ipynb"), lesson_by_name("anna09_12_a.ipynb")
    ('3', '3', None)
    >>> lesson_by_name("anna_10_promptable.ipynb")
    '10'
    """
    found = re.search(rf"(?:^|[^\d.])0?(\d{{1,2}})_(?:{titles()})|^0?(\d{{1,2}})_[^\W\d]", name, re.IGNORECASE)
    return (found[1] or found[2]) if found else None
