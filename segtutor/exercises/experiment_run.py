"""Runs a declared experiment of one's own and shows its card; it judges nothing, so a graded notebook has it, too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segtutor.claims.own import Laboratory, plain, read
from segtutor.exercises.exercise import GRADING


def run_experiment(laboratory: Laboratory, declaration: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of a declared experiment, with its card shown; None where a grader finds no file for it.

    It is run once, and then read from the laboratory's file in the working directory, as long as the declaration is
    the same. The file is handed in with the notebook, so that a grade runs no experiment.
    """
    kept = read(Path(laboratory.file))
    if os.environ.get(GRADING) and (kept is None or kept["declaration"] != plain(declaration)):
        print(f"There is no {laboratory.file} that belongs to this declaration, and a grade runs no experiment.")
        return None
    record = laboratory.measured(declaration)
    with_display(laboratory.card(record))
    return record


def with_display(card: Any) -> None:
    """Show a card in a notebook, and as text elsewhere."""
    try:
        from IPython.display import display

        display(card)
    except ImportError:
        print(card)
