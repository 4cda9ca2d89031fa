"""``segtutor grade FOLDER``: a class's submissions, each run apart; points, feedback and a report of the class."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from segtutor.files import prove_writable, write_or_rescue

if TYPE_CHECKING:
    from segtutor.grading.folder import Grading, Row


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="what was handed in: notebooks, folders, archives, at any depth")
    parser.add_argument(
        "--assignment",
        "--lesson",
        action="append",
        default=[],
        metavar="NN",
        help="grade this assignment; may be repeated. Without it, each notebook in its own",
    )
    parser.add_argument(
        "--hidden",
        type=Path,
        metavar="DIR",
        help="folder of Python files with hidden cases: each defines CASES = {'1.1': [Case('name', (inputs,)), ...]}",
    )
    parser.add_argument(
        "--variant",
        default="",
        metavar="SECRET",
        help="the words that segtutor release made the class's notebooks with; hidden cases are drawn from them, too",
    )
    parser.add_argument("--roster", type=Path, metavar="CSV", help="the class: a table with a column id or student")
    parser.add_argument(
        "--words",
        type=Path,
        metavar="CSV",
        help="points that a person gave for words: student,assignment,points,out_of",
    )
    parser.add_argument("--out", type=Path, default=Path("grades"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="submissions at a time; default: %(default)s")
    parser.add_argument("--again", action="store_true", help="grade all of them anew, also those in DIR's record")
    parser.add_argument("--cell-timeout", type=float, default=60, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument(
        "--timeout", type=float, default=600, metavar="SECONDS", help="per notebook; default: %(default)s"
    )
    parser.add_argument(
        "--memory", type=float, default=4, metavar="GB", help="that a process may ask for; default: %(default)s"
    )
    parser.epilog = (
        "A row is on the disk as soon as it is known; the same command goes on where it was interrupted. The first "
        "line says how far submissions are kept apart on this system. Grading again gives the same points."
    )


def run(arguments: argparse.Namespace) -> int:
    """Grade, print one line per submission, write the files."""
    from segtutor.grading.folder import Prepared, Settings
    from segtutor.grading.own_words import merged, read_points
    from segtutor.grading.room import Limits
    from segtutor.grading.submissions import read_roster
    from segtutor.grading.tables import append, read_record

    _refuse(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "rows.jsonl"
    prove_writable(record)  # before the first notebook, not after the last
    lessons = tuple(str(int(one)) if one.isdigit() else one for one in arguments.assignment)
    memory = int(arguments.memory * 2**30)
    limits = Limits(arguments.cell_timeout, arguments.timeout, memory)
    private = [path for path in (arguments.out, arguments.roster, arguments.words) if path is not None]
    variant = arguments.variant.strip()
    settings = Settings(lessons, arguments.hidden, limits, arguments.jobs, None, variant, tuple(private))
    roster = read_roster(arguments.roster) if arguments.roster is not None else ()
    given = read_points(arguments.words) if arguments.words is not None else {}
    known = {} if arguments.again else read_record(record)
    with Prepared(arguments.folder, settings, roster, known) as grading:
        print(f"{len(grading.submissions)} submissions; each runs with {grading.house.in_force}", flush=True)
        if arguments.hidden is None and not variant:
            print("no hidden cases: a table of the public ones earns all points; --hidden and --variant have some")
        rows: list[Row] = []
        try:
            for row in grading.rows():
                if row.key not in known or arguments.again:
                    append(record, row)
                rows.append(row)
                note = f"  ({row.note})" if row.note else ""
                print(f"{row.points:>7g} of {row.out_of}  {row.student}  {row.submission}{note}", flush=True)
        finally:  # an interruption leaves the tables of what was graded
            complete = len(rows) == len(grading.submissions)
            _write_all(arguments.out, merged(rows, given) if complete else rows, grading)
    print(f"{len(rows)} submissions graded, {len(grading.left_out)} files left out; all in {arguments.out}{os.sep}")
    return 0


def _refuse(arguments: argparse.Namespace) -> None:
    if not arguments.folder.is_dir():
        raise ValueError(f"{arguments.folder} is not a folder; name the folder that holds what was handed in")
    for name in ("cell_timeout", "timeout", "memory", "jobs"):
        if getattr(arguments, name) <= 0:
            raise ValueError(f"--{name.replace('_', '-')} must be positive, but it is {getattr(arguments, name):g}")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise ValueError(f"--out {arguments.out} is a file; name a folder: several files are written to it")
    inside = arguments.out.resolve().is_relative_to(arguments.folder.resolve())
    if inside:
        raise ValueError(f"--out {arguments.out} lies in {arguments.folder}, whose notebooks are graded: name another")


def _write_all(out: Path, rows: list[Row], grading: Grading) -> None:
    from segtutor.grading import class_report, feedback, own_words, tables
    from segtutor.grading.folder import similar

    texts = {
        "grades.csv": tables.as_csv(rows),
        "grades.json": tables.as_json(rows),
        "left_out.csv": tables.of_left_out(grading.left_out),
        "class.html": class_report.page(rows, grading.left_out, similar(grading.submissions), grading.house.in_force),
    }
    words = own_words.page(grading.submissions, grading.settings.variant)
    texts |= {"words.html": words} if words else {}
    texts |= {f"feedback/{feedback.file_name(row)}": feedback.page(row) for row in rows}
    (out / "feedback").mkdir(exist_ok=True)
    for lesson in sorted({row.lesson for row in rows}):
        texts[f"moodle_{int(lesson):02d}.csv"] = tables.for_moodle(rows, lesson)
        texts[f"canvas_{int(lesson):02d}.csv"] = tables.for_canvas(rows, lesson)
    for name, text in texts.items():
        write_or_rescue(out / name, lambda place, text=text: place.write_text(text, encoding="utf-8", newline=""))  # type: ignore[misc]
