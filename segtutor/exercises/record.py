"""What the learner has done so far: a small file that survives a restart, and the board that shows it."""

from __future__ import annotations

import contextlib
import html
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

from segtutor.exercises.catalog import exercises
from segtutor.files import replacing

PASSED_MARK, TRIED_MARK, OPEN_MARK = "\u2713", "\u2026", "\u00b7"


class Entry(TypedDict):
    """State of one exercise: whether it was ever passed, how often it failed, and the most cases passed at once."""

    passed: bool
    tries: int
    best: int
    cases: int
    when: str


_in_memory: dict[str, Entry] = {}


def path() -> Path | None:
    """The file that keeps the progress; None for nowhere.

    ``SEGTUTOR_PROGRESS`` names it, or is "off"; else it lies in the session's folder on Colab, and in the user's folder
    for application data elsewhere.
    """
    told = os.environ.get("SEGTUTOR_PROGRESS", "")
    if told:
        return None if told.lower() == "off" else Path(told).expanduser()
    if "google.colab" in sys.modules:
        return Path("/content/.segtutor/progress.json")
    with contextlib.suppress(RuntimeError):  # no home folder
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        return base / "segtutor" / "progress.json"
    return None


def load() -> dict[str, Entry]:
    """The recorded state by exercise. A file that cannot be read is set aside under another name, never lost."""
    file = path()
    try:
        if file is None or not file.exists():
            return dict(_in_memory)
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): _entry(value) for name, value in content["exercises"].items()}
    except OSError:
        return dict(_in_memory)
    except (ValueError, KeyError, TypeError, AttributeError):
        with contextlib.suppress(OSError):
            assert file is not None
            file.replace(file.with_name(f"{file.name}.unreadable-{time.time_ns()}"))
        return {}


def _entry(value: Any) -> Entry:
    return Entry(
        passed=bool(value["passed"]),
        tries=int(value["tries"]),
        best=int(value["best"]),
        cases=int(value["cases"]),
        when=str(value["when"]),
    )


def note(exercise_id: str, passed_cases: int, cases: int) -> int:
    """Record a check; returns how often this exercise has failed so far. Without a place to write, memory serves."""
    state = load()
    before = state.get(exercise_id) or Entry(passed=False, tries=0, best=0, cases=cases, when="")
    passed = passed_cases == cases
    state[exercise_id] = Entry(
        passed=before["passed"] or passed,
        tries=before["tries"] + (not passed),
        best=max(before["best"], passed_cases),
        cases=cases,
        when=time.strftime("%Y-%m-%d %H:%M"),
    )
    _in_memory.update(state)
    _save(state)
    return state[exercise_id]["tries"]


def _save(state: dict[str, Entry]) -> None:
    file = path()
    if file is None:
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            temporary.write_text(json.dumps({"version": 1, "exercises": state}, indent=1), encoding="utf-8")


class Board:
    """The state of all exercises; a notebook shows it as a table, a terminal as text."""

    def __init__(self, state: dict[str, Entry]) -> None:
        self.rows = [(exercise, *_standing(state.get(exercise.id))) for exercise in exercises().values()]
        self.points = sum(exercise.points for exercise, mark, _ in self.rows if mark == PASSED_MARK)
        self.all_points = sum(exercise.points for exercise, _, _ in self.rows)
        self.passed = sum(mark == PASSED_MARK for _, mark, _ in self.rows)

    @property
    def summary(self) -> str:
        """One line: exercises and points."""
        return f"{self.passed} of {len(self.rows)} exercises passed, {self.points} of {self.all_points} points"

    def __repr__(self) -> str:
        lines = [f"{mark} {one.id:<5}{one.title:<48}{one.points:>3} points  {words}" for one, mark, words in self.rows]
        return "\n".join([self.summary, *lines])

    def _repr_html_(self) -> str:
        share = 100 * self.points // max(self.all_points, 1)
        cell = "style='text-align:left;padding:1px 10px'"
        rows = "".join(
            f"<tr><td {cell}>{mark}</td><td {cell}>{one.id}</td><td {cell}>{html.escape(one.title)}</td>"
            f"<td {cell}>{one.points}</td><td {cell}>{html.escape(words)}</td></tr>"
            for one, mark, words in self.rows
        )
        return (
            f"<div><b>{self.summary}</b>"
            "<div style='width:24em;max-width:100%;height:8px;border:1px solid currentColor;border-radius:4px'>"
            f"<div style='width:{share}%;height:100%;background:#2a9d5c;border-radius:3px'></div></div>"
            f"<table><thead><tr><th></th><th {cell}>No.</th><th {cell}>Exercise</th><th {cell}>Points</th>"
            f"<th {cell}>State</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _standing(entry: Entry | None) -> tuple[str, str]:
    if entry is None:
        return OPEN_MARK, "not tried"
    if entry["passed"]:
        return PASSED_MARK, f"passed, {entry['when']}"
    return TRIED_MARK, f"best {entry['best']} of {entry['cases']} cases, tried {entry['tries']} times"


def progress() -> Board:
    """Show the state of all exercises."""
    return Board(load())
