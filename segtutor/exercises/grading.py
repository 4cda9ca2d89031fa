"""Grades a folder of submissions: each notebook in a fresh kernel of its own, points per exercise with reasons.

A submission runs with the rights of whoever grades: grade strangers' notebooks in a container without a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import re
import runpy
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.comparison import difference
from segtutor.exercises.exercise import GRADING, Case, Exercise
from segtutor.exercises.running import Outcome
from segtutor.exercises.transfer import decode_outcome, encode

SECONDS_PER_CELL = 60
SECONDS_PER_SUBMISSION = 600
MOST_BYTES = 64 * 2**20
"""A larger file is not handed over to a notebook."""
_ASKED = re.compile(r"\b(?:check|use)\(\s*[\"'](\d+)\.\d+[\"']")


@dataclass(frozen=True)
class Grade:
    """Points of one exercise, and why some are missing."""

    exercise: str
    points: float
    out_of: int
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One submission: its grades, and what happened to its notebook as a whole."""

    submission: str
    grades: tuple[Grade, ...]
    note: str = ""

    @property
    def points(self) -> float:
        """Sum over the exercises."""
        return round(sum(grade.points for grade in self.grades), 2)

    @property
    def out_of(self) -> int:
        """Points that can be reached."""
        return sum(grade.out_of for grade in self.grades)


@dataclass
class _Run:
    """What came back from a submission's kernel."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    note: str = ""


def load_hidden_cases(folder: Path) -> dict[str, tuple[Case, ...]]:
    """Further cases by exercise, from every ``*.py`` of a folder.

    A file defines ``CASES``, a dictionary from exercise id to a list of ``segtutor.exercises.exercise.Case``. A case
    without a wanted result takes the reference's.

    Raises:
        ValueError: If the folder is missing or empty, or a file is not as described.
    """
    files = sorted(folder.glob("*.py")) if folder.is_dir() else []
    if not files:
        raise ValueError(f"{folder} holds no Python file with hidden cases")
    found: dict[str, tuple[Case, ...]] = {}
    for file in files:
        try:
            declared = runpy.run_path(str(file)).get("CASES")
        except Exception as error:
            raise ValueError(f"{file.name} cannot be run: {type(error).__name__}: {error}") from error
        if not isinstance(declared, Mapping) or not all(
            isinstance(case, Case) for cases in declared.values() for case in cases
        ):
            raise ValueError(f"{file.name} must define CASES, a dictionary from exercise id to a list of Case")
        for exercise_id, cases in declared.items():
            exercise = find(exercise_id)
            if exercise.asks_for_values:
                raise ValueError(f"{file.name}: exercise {exercise.id} asks for values and takes no further cases")
            found[exercise.id] = (*found.get(exercise.id, ()), *cases)
    return found


def grade_folder(
    folder: Path,
    hidden: Path | None = None,
    lessons: Sequence[str] = (),
    seconds_per_cell: float = SECONDS_PER_CELL,
    seconds_per_submission: float = SECONDS_PER_SUBMISSION,
) -> Iterator[Row]:
    """Grade every notebook below a folder, one after the other; a grade depends on nothing but the notebook.

    Args:
        folder: Holds the submissions, at any depth.
        hidden: Folder of hidden cases.
        lessons: Grade the exercises of these lessons, "1"; without, of those that any of the notebooks checks.
        seconds_per_cell: A cell that takes longer is interrupted; the next ones run.
        seconds_per_submission: After that the whole notebook is given up.

    Raises:
        ValueError: If there is no notebook, no exercise, or nbclient is not installed.
    """
    try:
        import nbclient  # noqa: F401
    except ImportError:
        raise ValueError(
            "grading needs nbclient, which comes with JupyterLab: pip install nbclient ipykernel"
        ) from None
    notebooks = sorted(
        path
        for path in folder.rglob("*.ipynb")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not notebooks:
        raise ValueError(f"{folder} holds no notebook (.ipynb)")
    further = load_hidden_cases(hidden) if hidden is not None else {}
    wanted_lessons = set(lessons) or _lessons_in(notebooks)
    asked = [one for one in exercises().values() if not wanted_lessons or one.lesson in wanted_lessons]
    if not asked:
        raise ValueError(f"there are no exercises of lesson {', '.join(sorted(wanted_lessons))}")
    for notebook in notebooks:
        run = asyncio.run(_run(notebook, asked, further, seconds_per_cell, seconds_per_submission))
        grades = tuple(_grade(one, further.get(one.id, ()), run.outcomes.get(one.id)) for one in asked)
        yield Row(notebook.relative_to(folder).as_posix(), grades, run.note)


def _lessons_in(notebooks: Sequence[Path]) -> set[str]:
    found: set[str] = set()
    for notebook in notebooks:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found.update(_ASKED.findall(notebook.read_text(encoding="utf-8").replace('\\"', '"')))
    return found


def handed_in(notebook: Path, asked: Sequence[Exercise]) -> dict[str, Path]:
    """The files that belong to a notebook, by the name that it gives them.

    What the notebook calls ``fcn8s.safetensors`` lies beside it, as ``NAME.fcn8s.safetensors`` where the notebook is
    ``NAME.ipynb``; or under its own name, if there is no other notebook in the folder.
    """
    alone = len(list(notebook.parent.glob("*.ipynb"))) == 1
    found: dict[str, Path] = {}
    for name in {name for exercise in asked for name in exercise.files}:
        places = [notebook.with_name(f"{notebook.stem}.{name}"), *([notebook.with_name(name)] if alone else [])]
        for place in places:
            if name not in found and place.is_file() and place.stat().st_size <= MOST_BYTES:
                found[name] = place
    return found


async def _run(
    path: Path,
    asked: Sequence[Exercise],
    further: Mapping[str, tuple[Case, ...]],
    seconds_per_cell: float,
    seconds_per_submission: float,
) -> _Run:
    """Run the cells, then the probe. Whatever goes wrong becomes a note."""
    import nbformat

    run = _Run()
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        return _Run(note=f"not a notebook: {type(error).__name__}")
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # exit() asks the kernel to end, which happens a moment later, after as many probes as it happens to answer.
    notebook.cells.insert(0, nbformat.v4.new_code_cell("get_ipython().ask_exit = lambda: None"))
    probes = {}
    for exercise in asked:
        nonce = secrets.token_hex(16)
        cell = nbformat.v4.new_code_cell(_probe_cell(exercise, further.get(exercise.id, ()), nonce))
        notebook.cells.append(cell)
        probes[exercise.id] = cell, nonce
    # A folder of its own: a submission that writes files leaves no trace beside the others.
    with tempfile.TemporaryDirectory(prefix="segtutor-grade-", ignore_cleanup_errors=True) as folder:
        for name, file in handed_in(path, asked).items():
            shutil.copyfile(file, Path(folder) / name)
        try:
            await asyncio.wait_for(_execute(notebook, run, folder, seconds_per_cell), seconds_per_submission)
        except TimeoutError:
            run.note = run.note or f"given up after {seconds_per_submission:g} seconds"
        except Exception as error:
            run.note = run.note or f"the kernel stopped: {type(error).__name__}"
    for exercise_id, (cell, nonce) in probes.items():
        outcomes = _outcomes(cell.get("outputs", []), nonce)
        if outcomes is not None:
            run.outcomes[exercise_id] = outcomes
    return run


async def _execute(notebook: Any, run: _Run, folder: str, seconds_per_cell: float) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError

    environment = os.environ | {"SEGTUTOR_PROGRESS": "off", "MPLBACKEND": "agg", GRADING: "on"}
    client = NotebookClient(
        notebook,
        timeout=seconds_per_cell,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": folder}},
    )
    async with client.async_setup_kernel(env=environment):
        failed = slow = 0
        for index, cell in enumerate(notebook.cells):
            cell.outputs = []
            try:
                await client.async_execute_cell(cell, index)
            except CellTimeoutError:
                slow += 1
                continue
            names = [output.get("ename") for output in cell.outputs if output.output_type == "error"]
            slow += "KeyboardInterrupt" in names
            failed += bool(names) and "KeyboardInterrupt" not in names
            run.note = "; ".join(
                text
                for count, text in (
                    (failed, f"{failed} cells failed"),
                    (slow, f"{slow} cells took longer than {seconds_per_cell:g} seconds"),
                )
                if count
            )


def _probe_cell(exercise: Exercise, further: tuple[Case, ...], nonce: str) -> str:
    """The cell that asks: it holds inputs, a name and the nonce, but no wanted result."""
    values = exercise.asks_for_values
    task = {
        "nonce": nonce,
        "id": exercise.id,
        "name": exercise.name,
        "keys": [case.name for case in exercise.cases] if values else [],
        "arguments": [] if values else [encode(case.arguments) for case in (*exercise.cases, *further)],
    }
    return f"from segtutor.exercises.probe import probe as _probe\n_probe(globals(), {json.dumps(task)!r})"


def _outcomes(outputs: Sequence[Any], nonce: str) -> list[Outcome] | None:
    """The probe's line: the one that begins with the nonce, which was made after the submission was written."""
    text = "".join(output.get("text", "") for output in outputs if output.get("output_type") == "stream")
    for line in text.splitlines():
        if line.startswith(nonce + " "):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                return [decode_outcome(one) for one in json.loads(line[len(nonce) + 1 :])]
    return None


def _grade(exercise: Exercise, further: tuple[Case, ...], outcomes: list[Outcome] | None) -> Grade:
    """Points in proportion to the cases passed, beyond those that the best constant answer passes: guessing earns 0."""
    cases = (*exercise.cases, *further)
    if outcomes is None or len(outcomes) != len(cases):
        return Grade(exercise.id, 0.0, exercise.points, "no answer came back")
    if all(outcome.kind == "empty" for outcome in outcomes):
        return Grade(exercise.id, 0.0, exercise.points, f"{exercise.name} is missing or empty")
    with np.errstate(all="ignore"):
        wanted = [*exercise.wanted, *(exercise.wanted_for(case) for case in further)]
    right = [
        outcome.kind == "returned" and difference(outcome.value, result, exercise.tolerance) is None
        for outcome, result in zip(outcomes, wanted, strict=True)
    ]
    by_chance = 0 if exercise.asks_for_values else _passed_by_a_constant(wanted, exercise.tolerance)
    share = max(0.0, (sum(right) - by_chance) / (len(cases) - by_chance)) if len(cases) > by_chance else 0.0
    if all(right):
        return Grade(exercise.id, float(exercise.points), exercise.points)
    first = right.index(False)
    what = {"raised": outcomes[first].error, "slow": "took too long", "changed": "changes its input"}
    reason = what.get(outcomes[first].kind, "wrong result")
    hidden = "a hidden case" if first >= len(exercise.cases) else cases[first].name
    points = round(share * exercise.points, 2)
    return Grade(exercise.id, points, exercise.points, f"{sum(right)} of {len(cases)} cases; {reason}: {hidden}")


def _passed_by_a_constant(wanted: Sequence[Any], tolerance: float) -> int:
    return max(sum(difference(one, other, tolerance) is None for other in wanted) for one in wanted)


def as_csv(rows: Sequence[Row]) -> str:
    """The grades as a table for a spreadsheet: points per exercise, then the reasons."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    ids = [grade.exercise for grade in rows[0].grades] if rows else []
    writer.writerow(["submission", "points", "out_of", *ids, "note", "reasons"])
    for row in rows:
        reasons = " | ".join(f"{grade.exercise}: {grade.reason}" for grade in row.grades if grade.reason)
        name = f"'{row.submission}" if row.submission[:1] in "=+-@" else row.submission  # a name is no formula
        writer.writerow([name, row.points, row.out_of, *(one.points for one in row.grades), row.note, reasons])
    return stream.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """The grades with all reasons."""
    content = [
        {
            "submission": row.submission,
            "points": row.points,
            "out_of": row.out_of,
            "note": row.note,
            "exercises": [vars(grade) for grade in row.grades],
        }
        for row in rows
    ]
    return json.dumps(content, indent=1)
