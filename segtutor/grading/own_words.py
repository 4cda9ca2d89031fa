"""What learners wrote in words, where no check can judge it: on one page for a person, whose points are merged back."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from segtutor.exercises.varied import notebook_of
from segtutor.grading.class_report import document
from segtutor.grading.folder import Row
from segtutor.grading.points import Grade
from segtutor.grading.submissions import Submission
from segtutor.notebook_files import without_outputs
from segtutor.resources import folder

HOW = (
    "<p><small>Write your points into a table with the columns <code>student,assignment,points,out_of,comment</code>, "
    "save it as CSV, and give the same command again with <code>--words FILE</code>.</small></p>"
)
BY_HAND = "words"
"""Under this name the points that a person gave stand in the tables."""
NOTHING_GIVEN = "no points were given"


def written(one: Submission, variant: str = "") -> list[str]:
    """The text cells of a submission that are not in the notebook as it was handed out.

    Args:
        one: The submission.
        variant: The secret of the class's variant, whose tasks have other numbers in their texts.
    """
    given = _given(one.lesson, variant)
    return [text.strip() for text in one.handed.texts if text.strip() and text.strip() not in given]


@cache
def _given(lesson: str, variant: str = "") -> frozenset[str]:
    texts: set[str] = set()
    for path in (folder("notebooks") / "assignments").glob(f"{int(lesson):02d}_*.ipynb"):
        own = without_outputs(path)
        for content in (own, *([notebook_of(own, variant, lesson)] if variant else [])):
            cells = json.loads(content)["cells"]
            texts |= {"".join(cell["source"]).strip() for cell in cells if cell["cell_type"] != "code"}
    return frozenset(texts)


def page(submissions: Sequence[Submission], variant: str = "") -> str:
    """All that was written, by assignment and student; empty if nobody wrote anything."""
    parts = []
    for one in sorted(submissions, key=lambda each: (int(each.lesson), each.student)):
        own = written(one, variant)
        if own:
            texts = "".join(f"<pre>{html.escape(text)}</pre>" for text in own)
            parts.append(f"<h2>{html.escape(one.student)}, assignment {html.escape(one.lesson)}</h2>{texts}")
    return document("In their own words", HOW + "".join(parts)) if parts else ""


def read_points(path: Path) -> dict[tuple[str, str], tuple[float, float, str]]:
    """Points that a person gave: a table with the columns student, assignment, points, out_of and, if wanted, comment.

    Returns:
        Points, the most there are and the comment, by student and number of the assignment.

    Raises:
        ValueError: If a column is missing, or a number is none; the message names the line.
    """
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=text.split("\n")[0].count)))
    needed = ("student", "assignment", "points", "out_of")
    found: dict[tuple[str, str], tuple[float, float, str]] = {}
    for number, row in enumerate(rows, start=2):
        missing = [name for name in needed if not (row.get(name) or "").strip()]
        if missing:
            raise ValueError(f"{path}, line {number}: {missing[0]} is missing; the columns are {', '.join(needed)}")
        try:
            points, out_of = float(row["points"]), float(row["out_of"])
            lesson = str(int(row["assignment"]))
        except ValueError:
            raise ValueError(f"{path}, line {number}: no number in {row!r}") from None
        if not 0 <= points <= out_of:
            raise ValueError(f"{path}, line {number}: {points:g} points are not between 0 and {out_of:g}")
        key = row["student"].strip(), lesson
        if key in found:
            raise ValueError(f"{path}, line {number}: {key[0]!r} stands twice for assignment {lesson}")
        found[key] = points, out_of, (row.get("comment") or "").strip()
    return found


def merged(rows: Iterable[Row], given: Mapping[tuple[str, str], tuple[float, float, str]]) -> list[Row]:
    """The rows with the points that a person gave; who has none for an assignment in which others have, has 0.

    Raises:
        ValueError: If somebody got points who handed in nothing.
    """
    rows, left, found = list(rows), dict(given), []
    most = {lesson: max(out_of for (_, one), (_, out_of, _) in given.items() if one == lesson) for _, lesson in given}
    for row in rows:
        mine = left.pop((row.student, row.lesson), None)
        if row.lesson in most:
            points, out_of, comment = mine or (0.0, most[row.lesson], NOTHING_GIVEN)
            row = replace(row, grades=(*row.grades, Grade(BY_HAND, points, int(out_of), comment)))
        found.append(row)
    if left:
        (student, lesson), *_ = left
        known = ", ".join(sorted({row.student for row in rows})[:20])
        raise ValueError(f"{student!r} has points for assignment {lesson} and handed in nothing; known are {known}")
    return found
