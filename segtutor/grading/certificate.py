"""A page that says what somebody's answers earn, and holds the answers, so that anybody can run them again.

No server and no secret: a seal over all of it shows an accident or a careless change, and whoever changes the points as
well as the seal is found out by running the answers. Whose answers they are, nothing of this can tell.

    notebooks --> their code cells --> the grader's room --> points --> page with the answers inside
    page --> answers --> the grader's room --> the same points?
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import platform
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segtutor import __version__
from segtutor.exercises.catalog import exercises
from segtutor.grading.class_report import document
from segtutor.grading.folder import Prepared, Row, Settings
from segtutor.grading.notebooks import NotReadable, read_notebook

FORMAT = 1
MOST_BYTES = 100 * 2**20
_BEGIN, _END = '<script type="application/json" id="segtutor-certificate">', "</script>"
PROVES = (
    "Run from top to bottom by the course's grader, these answers pass the tasks that are listed, with these points. "
    "The answers lie in this file, so everybody can run them again: segtutor verify FILE."
)
PROVES_NOT = (
    "Who wrote the answers, when, and with what help. The name is what was typed. The seal has no secret: it shows "
    "that the file is whole, and not who made it. The public cases and the solutions of all tasks can be "
    "read by everybody."
)


@dataclass(frozen=True)
class Answers:
    """What a notebook answers.

    Attributes:
        lesson: Number of the assignment.
        cells: Source of its code cells.
        files: Files that belong to its tasks, by their names.
    """

    lesson: str
    cells: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        files = {name: base64.b64encode(content).decode() for name, content in sorted(self.files.items())}
        return {"lesson": self.lesson, "cells": list(self.cells), "files": files}


def collect(folder: Path) -> list[Answers]:
    """The answers in a folder: of each assignment the notebook that was changed last.

    Raises:
        ValueError: If the folder holds no notebook that checks a task.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; name the one that holds your notebooks")
    wanted: dict[str, set[str]] = {}
    for exercise in exercises().values():
        wanted.setdefault(exercise.lesson, set()).update(exercise.files)
    newest: dict[str, tuple[float, str, Answers]] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        if any(part.startswith(".") or part == "solutions" for part in path.relative_to(folder).parts):
            continue
        try:
            handed = read_notebook(path)
        except (NotReadable, OSError):
            continue
        lesson = next((one for one in handed.lessons if one in wanted), None)
        if lesson is None:
            continue
        files = {name: file.read_bytes() for name in sorted(wanted[lesson]) if (file := path.parent / name).is_file()}
        found = path.stat().st_mtime, path.name, Answers(lesson, handed.cells, files)
        if lesson not in newest or found[:2] > newest[lesson][:2]:
            newest[lesson] = found
    if not newest:
        raise ValueError(
            f'{folder} holds no notebook that checks a task, as segtutor.check("1.1", iou) does; name the folder of '
            "your assignments with --notebooks"
        )
    return [newest[lesson][2] for lesson in sorted(newest, key=int)]


def run_answers(answers: Iterable[Answers]) -> list[Row]:
    """What the grader says of answers, one row for each assignment."""
    with tempfile.TemporaryDirectory(prefix="segtutor-certificate-") as place:
        for one in answers:
            room = Path(place) / one.lesson
            room.mkdir()
            cells: list[dict[str, Any]] = [
                {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
                for source in one.cells
            ]
            notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
            (room / f"{int(one.lesson):02d}_answers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
            for name, content in one.files.items():
                (room / Path(name).name).write_bytes(content)
        with Prepared(Path(place), Settings()) as grading:
            return sorted(grading.rows(), key=lambda row: int(row.lesson))


def digest_of(content: Any) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(name: str, answers: Sequence[Answers], rows: Sequence[Row], seen: int) -> str:
    """The page of a certificate.

    Args:
        name: Of the learner, as it was typed.
        answers: What was run.
        rows: What came out, see ``run_answers``.
        seen: Of how many tasks the learner's record says that the solution was looked at before they were passed.

    Raises:
        ValueError: If there is no name.
    """
    if not name.strip():
        raise ValueError("a certificate needs a name: segtutor progress --certificate 'Ada Lovelace'")
    plain = [one.as_plain() for one in answers]
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": " ".join(name.split()),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": _versions(),
        "solutions_seen": seen,
        "points": {one.exercise: [one.points, one.out_of] for row in rows for one in row.grades},
        "answers": plain,
        "answers_sha256": digest_of(plain),
    }
    content["seal"] = digest_of(content)
    held = json.dumps(content, ensure_ascii=True).replace("<", "\\u003c")
    return document(f"Certificate: {content['name']}", f"{_body(content, rows)}{_BEGIN}{held}{_END}")


def _versions() -> dict[str, str]:
    import torch

    return {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


def _body(content: Mapping[str, Any], rows: Sequence[Row]) -> str:
    points, out_of = (sum(pair[side] for pair in content["points"].values()) for side in (0, 1))
    table = "".join(
        f"<tr><th scope='row'>Assignment {int(row.lesson):02d}</th><td class='number'>{_full(row)} of {len(row.grades)}"
        f"</td><td class='number'>{row.points:g} of {row.out_of}</td><td>{html.escape(row.note)}</td></tr>"
        for row in rows
    )
    seen = content["solutions_seen"]
    looked = f"<p>By the learner's own record, the solution of {seen} tasks was seen before.</p>" if seen else ""
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    return (
        f"<p><b>{html.escape(content['name'])}</b>: <b>{points:g} of {out_of} points</b> of the course segtutor, in "
        f"the assignments below; {content['date']}.</p>"
        "<table><thead><tr><th>Assignment</th><th>Tasks with all points</th><th>Points</th><th>About the run</th></tr>"
        f"</thead><tbody>{table}</tbody></table>{looked}"
        f"<h2>What this proves</h2><p>{html.escape(PROVES)}</p>"
        f"<h2>What it does not</h2><p>{html.escape(PROVES_NOT)}</p>"
        f"<p>Versions: {html.escape(versions)}.<br>SHA-256 of the answers: <code>{content['answers_sha256']}</code><br>"
        f"Seal: <code>{content['seal']}</code></p>"
    )


def _full(row: Row) -> int:
    return sum(one.points == one.out_of for one in row.grades)


@dataclass(frozen=True)
class Certificate:
    """A certificate that was read, and is whole.

    Attributes:
        name: Whose it says it is.
        date: When it was written, as it says.
        versions: Of what it was run with.
        points: Of each task, what was earned and what can be.
        answers: What it holds.
    """

    name: str
    date: str
    versions: Mapping[str, str]
    points: Mapping[str, tuple[float, int]]
    answers: tuple[Answers, ...]


def read(path: Path) -> Certificate:
    """A certificate from its page.

    Raises:
        ValueError: If it is none, or not as it was sealed.
        OSError: If it cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has more than {MOST_BYTES >> 20} MB: no certificate is so large")
    text = path.read_text(encoding="utf-8", errors="replace")
    held = text.rpartition(_BEGIN)[2].partition(_END)[0] if _BEGIN in text else ""
    try:
        content = json.loads(held)
        seal = content.pop("seal")
        if content["format"] != FORMAT:
            raise ValueError(f"{path} has the format {content['format']!r}, but this version reads {FORMAT}")
        sealed = seal == digest_of(content) and content["answers_sha256"] == digest_of(content["answers"])
        answers = tuple(
            Answers(
                str(int(one["lesson"])),
                tuple(map(str, one["cells"])),
                {str(name): base64.b64decode(data, validate=True) for name, data in one["files"].items()},
            )
            for one in content["answers"]
        )
        points = {str(task): (float(pair[0]), int(pair[1])) for task, pair in content["points"].items()}
        result = Certificate(str(content["name"]), str(content["date"]), dict(content["versions"]), points, answers)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError, binascii.Error):
        raise ValueError(
            f"{path} is no certificate of segtutor; segtutor progress --certificate NAME writes one"
        ) from None
    if not sealed:
        raise ValueError(f"{path} is not as it was written: its seal does not fit what it holds")
    return result


def compare(certificate: Certificate, rows: Sequence[Row]) -> list[str]:
    """What running the answers again did not bear out, as sentences; empty if it did."""
    again = {one.exercise: one for row in rows for one in row.grades}
    problems = []
    for task, (points, out_of) in certificate.points.items():
        found = again.get(task)
        if found is None:
            problems.append(f"{task}: {points:g} of {out_of} points are stated, but no answer holds this task")
        elif found.points < points or found.out_of != out_of:
            reason = f" ({found.reason})" if found.reason else ""
            problems.append(f"{task}: {points:g} of {out_of} points are stated, {found.points:g} came out{reason}")
    return problems
