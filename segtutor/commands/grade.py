"""``segtutor grade FOLDER``: points per submission and exercise, as CSV."""

from __future__ import annotations

import argparse
from pathlib import Path

from segtutor.files import prove_writable, write_or_rescue


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="folder of submitted notebooks, at any depth")
    parser.add_argument(
        "--hidden",
        type=Path,
        metavar="DIR",
        help="folder of Python files with hidden cases: each defines CASES = {'1.1': [Case('name', (inputs,)), ...]}",
    )
    parser.add_argument("--lesson", action="append", default=[], help="grade this lesson's exercises; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("grades.csv"), help="CSV file to write (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the grades with all reasons as JSON, too")
    parser.add_argument("--cell-timeout", type=float, default=60, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument(
        "--timeout", type=float, default=600, metavar="SECONDS", help="per notebook; default: %(default)s"
    )
    parser.epilog = (
        "Submissions run with your rights: grade strangers' notebooks in a container without a network. "
        "Grading again gives the same points."
    )


def run(arguments: argparse.Namespace) -> int:
    """Grade, print one line per submission, write the files."""
    from segtutor.exercises.grading import as_csv, as_json, grade_folder

    if not arguments.folder.is_dir():
        raise ValueError(f"{arguments.folder} is not a folder; name the folder that holds the submitted notebooks")
    for name in ("cell_timeout", "timeout"):
        if getattr(arguments, name) <= 0:
            raise ValueError(f"--{name.replace('_', '-')} must be positive, but it is {getattr(arguments, name):g}")
    for path in filter(None, (arguments.out, arguments.json)):
        prove_writable(path)  # before the first notebook, not after the last
    lessons = [str(int(lesson)) if lesson.isdigit() else lesson for lesson in arguments.lesson]
    rows, out = [], arguments.out
    for row in grade_folder(arguments.folder, arguments.hidden, lessons, arguments.cell_timeout, arguments.timeout):
        print(
            f"{row.points:>7g} of {row.out_of}  {row.submission}" + (f"  ({row.note})" if row.note else ""), flush=True
        )
        rows.append(row)
        out = _write(arguments.out, as_csv(rows))  # each time, so that an interruption leaves what was graded
        if arguments.json is not None:
            _write(arguments.json, as_json(rows))
    print(f"{len(rows)} submissions graded, written to {out}")
    return 0


def _write(path: Path, text: str) -> Path:
    return write_or_rescue(path, lambda place: place.write_text(text, encoding="utf-8", newline=""))
