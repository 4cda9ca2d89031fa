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
from segtutor.exercises.exercise import Exercise
from segtutor.files import replacing

PASSED_MARK, TRIED_MARK, OPEN_MARK = "\u2713", "\u2026", "\u00b7"
SEEN = "solution seen"


class Entry(TypedDict):
    """State of one exercise: whether it was ever passed, how often it failed, the most cases passed at once.

    ``seen`` says whether the course's solution was looked at before the exercise was passed.
    """

    passed: bool
    tries: int
    best: int
    cases: int
    when: str
    seen: bool


_in_memory: dict[str, Entry] = {}
_last_lesson = ""


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
        seen=bool(value.get("seen", False)),  # records of version 0.1 have no such entry
    )


def note(exercise_id: str, passed_cases: int, cases: int) -> int:
    """Record a check; returns how often this exercise has failed so far. Without a place to write, memory serves."""
    global _last_lesson
    _last_lesson = exercise_id.split(".")[0]
    state = load()
    before = state.get(exercise_id) or _untried(cases)
    passed = passed_cases == cases
    state[exercise_id] = Entry(
        passed=before["passed"] or passed,
        tries=before["tries"] + (not passed),
        best=max(before["best"], passed_cases),
        cases=cases,
        when=time.strftime("%Y-%m-%d %H:%M"),
        seen=before["seen"],
    )
    _keep(state)
    return state[exercise_id]["tries"]


def note_seen(exercise_id: str, cases: int) -> None:
    """Record that the course's solution of an exercise was looked at."""
    state = load()
    state[exercise_id] = {**(state.get(exercise_id) or _untried(cases)), "seen": True}
    _keep(state)


def _untried(cases: int) -> Entry:
    return Entry(passed=False, tries=0, best=0, cases=cases, when="", seen=False)


def _keep(state: dict[str, Entry]) -> None:
    _in_memory.update(state)
    _save(state)


def _save(state: dict[str, Entry]) -> None:
    file = path()
    if file is None:
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            temporary.write_text(json.dumps({"version": 1, "exercises": state}, indent=1), encoding="utf-8")


class Board:
    """The state of some exercises, or of each lesson; a notebook shows it as a table, a terminal as text.

    Attributes:
        lesson: Number of the lesson whose tasks are listed, "all", or "" for one line per lesson.
        passed: Exercises passed, of all lessons or of the one.
        points: Points reached.
        all_points: Points that can be reached.
        seen: Exercises whose solution was looked at before they were passed.
    """

    def __init__(self, state: dict[str, Entry], lesson: str = "all") -> None:
        known = exercises().values()
        self.lesson = lesson
        self._rows = [
            (exercise, *_standing(state.get(exercise.id)))
            for exercise in known
            if lesson in ("", "all", exercise.lesson)
        ]
        self.points = sum(exercise.points for exercise, mark, _ in self._rows if mark == PASSED_MARK)
        self.all_points = sum(exercise.points for exercise, _, _ in self._rows)
        self.passed = sum(mark == PASSED_MARK for _, mark, _ in self._rows)
        self.seen = sum(SEEN in words for _, _, words in self._rows)

    @property
    def summary(self) -> str:
        """One line: exercises and points."""
        where = f"Assignment {int(self.lesson):02d}: " if self.lesson.isdigit() else ""
        counted = f"{self.passed} of {len(self._rows)} tasks passed, {self.points} of {self.all_points} points"
        return where + counted + (f"; {SEEN} for {self.seen}" if self.seen else "")

    @property
    def lines(self) -> list[tuple[str, str, str, str, str]]:
        """Mark, number, title, points and state of each task, or of each lesson as a whole."""
        if self.lesson:
            return [(mark, one.id, one.title, str(one.points), words) for one, mark, words in self._rows]
        lessons: dict[str, list[tuple[Exercise, str, str]]] = {}
        for row in self._rows:
            lessons.setdefault(row[0].lesson, []).append(row)
        return [_line_of_a_lesson(lesson, rows) for lesson, rows in lessons.items()]

    def __repr__(self) -> str:
        lines = [
            f"{mark} {number:<5}{title:<58}{points:>7}  {words}" for mark, number, title, points, words in self.lines
        ]
        return "\n".join([self.summary, *lines])

    def _repr_html_(self) -> str:
        share = 100 * self.points // max(self.all_points, 1)
        cell = "style='text-align:left;padding:1px 10px'"
        rows = "".join(
            "<tr>" + "".join(f"<td {cell}>{html.escape(text)}</td>" for text in line) + "</tr>" for line in self.lines
        )
        return (
            f"<div><b>{self.summary}</b>"
            "<div style='width:24em;max-width:100%;height:8px;border:1px solid currentColor;border-radius:4px'>"
            f"<div style='width:{share}%;height:100%;background:#2a9d5c;border-radius:3px'></div></div>"
            f"<table><thead><tr><th></th><th {cell}>No.</th><th {cell}>{'Task' if self.lesson else 'Assignment'}</th>"
            f"<th {cell}>Points</th><th {cell}>State</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _line_of_a_lesson(lesson: str, rows: list[tuple[Exercise, str, str]]) -> tuple[str, str, str, str, str]:
    passed = sum(mark == PASSED_MARK for _, mark, _ in rows)
    tried = any(mark != OPEN_MARK for _, mark, _ in rows)
    seen = sum(SEEN in words for _, _, words in rows)
    mark = PASSED_MARK if passed == len(rows) else TRIED_MARK if tried else OPEN_MARK
    points = sum(one.points for one, mark_of_one, _ in rows if mark_of_one == PASSED_MARK)
    title = f"{len(rows)} tasks, {rows[0][0].id} {rows[0][0].title} ..."
    words = f"{passed} passed" + (f", {SEEN} for {seen}" if seen else "")
    return mark, f"{int(lesson):02d}", title, f"{points}/{sum(one.points for one, _, _ in rows)}", words


def _standing(entry: Entry | None) -> tuple[str, str]:
    if entry is None:
        return OPEN_MARK, "not tried"
    seen = f", {SEEN}" if entry["seen"] else ""
    if entry["passed"]:
        return PASSED_MARK, f"passed, {entry['when']}{seen}"
    if not entry["tries"]:
        return OPEN_MARK, f"not tried{seen}"
    times = "once" if entry["tries"] == 1 else f"{entry['tries']} times"
    return TRIED_MARK, f"best {entry['best']} of {entry['cases']} cases, tried {times}{seen}"


def progress(lesson: int | str | None = None) -> Board:
    """Show how far you are.

    Args:
        lesson: A lesson's number lists its tasks, "all" lists the tasks of all lessons. Without it: the tasks of the
            lesson whose exercise was checked last in this session; before any check, one line per lesson.

    Raises:
        ValueError: If the lesson has no exercises.
    """
    known = list(dict.fromkeys(exercise.lesson for exercise in exercises().values()))
    asked = _last_lesson if lesson is None else str(lesson).strip().lower()
    if asked not in ("", "all"):
        asked = asked.lstrip("0") or "0"
    if asked not in ("", "all", *known):
        raise ValueError(f'there are no exercises of lesson {lesson!r}; there are {", ".join(known)}, and "all"')
    return Board(load(), asked)
