"""``segtutor verify FILE``: whether a certificate is whole, and its answers earn what it says when they run again."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a page that segtutor progress --certificate wrote")
    parser.epilog = (
        "The answers are a stranger's programs. They run as those of a class do, see segtutor grade: in a room of "
        "their own, with limits, and without network where the system can take it away."
    )


def run(arguments: argparse.Namespace) -> int:
    """Read, run again, compare; status 1 if the page promises too much."""
    from segtutor import __version__
    from segtutor.grading import certificate

    found = certificate.read(arguments.file)
    print(f"the file is whole; it says: {found.name}, {found.date}", flush=True)
    written = found.versions.get("segtutor", "?")
    if written != __version__:
        print(f"it was written by segtutor {written}, and is checked by {__version__}, whose tasks may differ")
    rows = certificate.run_answers(found.answers)
    problems = certificate.compare(found, rows)
    for problem in problems:
        print(f"  {problem}")
    if problems:
        print(f"NOT verified: {len(problems)} of {len(found.points)} tasks earn less than it says")
        return 1
    points, out_of = (sum(pair[side] for pair in found.points.values()) for side in (0, 1))
    print(f"verified: run again, its answers earn the {points:g} of {out_of} points that it says")
    print(f"It does not prove: {certificate.PROVES_NOT}")
    return 0
