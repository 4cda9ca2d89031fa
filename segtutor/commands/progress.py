"""``segtutor progress``: how far you are; with ``--certificate NAME``, a page that says so and can be verified."""

from __future__ import annotations

import argparse
from pathlib import Path

from segtutor.files import prove_writable, write_or_rescue


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("lesson", nargs="?", help='a lesson\'s number lists its tasks, "all" those of all lessons')
    parser.add_argument(
        "--certificate", metavar="NAME", help="run your answers and write a page for this name that says what they earn"
    )
    parser.add_argument(
        "--notebooks", type=Path, default=Path(), metavar="DIR", help="your assignments; default: this folder"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("certificate.html"), metavar="FILE", help="default: %(default)s"
    )
    parser.epilog = (
        "The page holds your answers, and everybody who has it can read them: segtutor verify runs them again. It "
        "proves that these answers pass, and not who wrote them."
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the board, or write a certificate."""
    from segtutor.exercises.record import progress

    if arguments.certificate is None:
        print(progress(arguments.lesson or ""))
        return 0
    from segtutor.grading import certificate

    if not arguments.certificate.strip():
        raise ValueError("--certificate needs a name, as 'Ada Lovelace'")
    prove_writable(arguments.out)  # before the answers run, not after
    answers = certificate.collect(arguments.notebooks)
    print(f"{len(answers)} assignments run from top to bottom, which takes a while", flush=True)
    rows = certificate.run_answers(answers)
    for row in rows:
        note = f"  ({row.note})" if row.note else ""
        print(f"{row.points:>7g} of {row.out_of}  assignment {int(row.lesson):02d}{note}")
    page = certificate.write(arguments.certificate, answers, rows, progress("all").seen)
    write_or_rescue(arguments.out, lambda place: place.write_text(page, encoding="utf-8"))
    print(f"written to {arguments.out}. {certificate.PROVES} It does not prove: {certificate.PROVES_NOT}")
    return 0
