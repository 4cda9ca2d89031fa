"""The grades as tables: for a spreadsheet, for Moodle, for Canvas, as JSON; and the record that a run goes on from."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from segtutor.grading.folder import Row
from segtutor.grading.points import Grade
from segtutor.grading.submissions import CANVAS, LeftOut


def as_csv(rows: Sequence[Row]) -> str:
    """The grades as a table for a spreadsheet: points per exercise, blank where another assignment was handed in."""
    ids = sorted({one.exercise for row in rows for one in row.grades}, key=_order)
    header = ["student", "submission", "assignment", "points", "out_of", "late", *ids, "note", "reasons"]
    lines = []
    for row in in_order(rows):
        points = {one.exercise: one.points for one in row.grades}
        reasons = " | ".join(f"{one.exercise}: {one.reason}" for one in row.grades if one.reason)
        lines.append(
            [
                row.student, row.submission, row.lesson, row.points, row.out_of, "late" if row.late else "",
                *(points.get(one, "") for one in ids), row.note, reasons,
            ]
        )  # fmt: skip
    return _table(header, lines)


def for_moodle(rows: Sequence[Row], lesson: str) -> str:
    """Moodle's import of grades: a column that identifies, one with the points, one with feedback."""
    lines = [
        [row.student, row.points, "; ".join(f"{one.exercise}: {one.reason}" for one in row.grades if one.reason)]
        for row in in_order(rows)
        if row.lesson == lesson
    ]
    return _table(["Identifier", f"Assignment {lesson}", "Feedback"], lines)


def for_canvas(rows: Sequence[Row], lesson: str) -> str:
    """Canvas's gradebook: its five columns that identify, and the points under one title.

    Canvas puts its own number of a person into the names of the files that it packs; where it is there, it is the ID.
    Else a student's id that is a number is taken for it, and another one for the id of the university (SIS).
    """
    out_of = next((row.out_of for row in rows if row.lesson == lesson), 0)
    lines: list[list[object]] = [["    Points Possible", "", "", "", "", out_of]]
    for row in in_order(rows):
        if row.lesson == lesson:
            file = CANVAS.match(PurePosixPath(row.submission).name)
            number = file["id"] if file else row.student if row.student.isdigit() else ""
            lines.append([row.student, number, "" if number else row.student, "", "", row.points])
    return _table(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"Assignment {lesson}"], lines)


def of_left_out(left_out: Sequence[LeftOut]) -> str:
    """Every file that was not graded, with its reason."""
    return _table(["file", "reason"], [[one.name, one.reason] for one in left_out])


def as_json(rows: Sequence[Row]) -> str:
    """The grades with all reasons."""
    content = [
        {
            "student": row.student,
            "submission": row.submission,
            "assignment": row.lesson,
            "points": row.points,
            "out_of": row.out_of,
            "late": row.late,
            "note": row.note,
            "exercises": [asdict(one) for one in row.grades],
        }
        for row in in_order(rows)
    ]
    return json.dumps(content, indent=1)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """By assignment, then by student, whatever was done first."""
    return sorted(rows, key=lambda row: (_order(row.lesson), row.student, row.submission))


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in number.split("."))


def _table(header: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_no_formula(cell) for cell in line] for line in lines)
    return stream.getvalue()


def _no_formula(cell: object) -> object:
    """A text that a spreadsheet shows as it is: what begins like a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") and cell[1:] else cell


def append(path: Path, row: Row) -> None:
    """Add a row to the record of a run; it is on the disk when this returns.

    It begins a line of its own, also after one that was cut off.
    """
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
        broken = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * broken + json.dumps(asdict(row)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_record(path: Path) -> dict[str, Row]:
    """The rows of an earlier run by their keys; a last line that was cut off is left out."""
    found: dict[str, Row] = {}
    if not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            content = json.loads(line)
            grades = tuple(Grade(**one) for one in content.pop("grades"))
            row = Row(grades=grades, **content)
        except (ValueError, TypeError, KeyError):
            continue
        if row.key:
            found[row.key] = row
    return found
