"""How long a lesson takes to read and a task to solve: estimates that headers and tasks are held to.

A lesson's header may not fall below its estimate. A task's minutes *are* its estimate: they follow from what can be
counted, the words of its statement, and the lines and tries of somebody who wrote the solution from the statement alone
(``notebooks/source/written.toml``; for assignments 4 to 6 the course's own solutions were counted, too, and of both
counts the larger stands). How many minutes a person takes for a word, a line, a try is a convention, below.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notebooks.tools.masters import Master

WORDS_A_MINUTE = 130
LINES_A_MINUTE = 8
LONGEST = 100
WRITTEN_LINES_A_MINUTE = 1.0
"""Of code that one writes oneself: an eighth of what one reads."""
THINKING = {1: 2, 2: 5, 3: 10}
"""Minutes before the first line, by difficulty."""
A_TRY = 2
"""Minutes for a check, its report, and what follows from it."""
_TASK = re.compile(
    r"^### (?P<task>\d+\.\d+) [^\n]*\n+"
    r"\*\d+ points · about (?P<minutes>\d+) minutes · difficulty (?P<difficulty>\d)[^\n]*\n"
    r"(?P<statement>.*?)<details>",
    re.MULTILINE | re.DOTALL,
)


def estimate(master: Master) -> int:
    """Minutes for the prose, the visible code and the runs; "Going deeper" is left for a second reading."""
    words = lines = 0
    for cell in master.cells:
        if cell.cell_type == "markdown":
            if re.search(r"^## .*going deeper", cell.source, re.MULTILINE | re.IGNORECASE):
                words += len(
                    re.split(r"^## .*going deeper", cell.source, flags=re.MULTILINE | re.IGNORECASE)[0].split()
                )
                break
            words += len(cell.source.split())
        elif "fold" not in cell.metadata:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return round(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE + float(master.front["minutes_cpu"]))


def check_minutes(master: Master) -> list[str]:
    """What is wrong with a lesson's ``minutes_work``."""
    told, least = master.front.get("minutes_work"), estimate(master)
    if told is None:
        return [f"the front matter lacks minutes_work; a first estimate is {least}"]
    if told < least:
        return [f"minutes_work is {told}, but a first reading takes about {least} minutes"]
    return [f"{told} minutes are more than the {LONGEST} a lesson may take: split it"] if told > LONGEST else []


@dataclass(frozen=True)
class Task:
    """A task as its master has it.

    Attributes:
        number: "1.2".
        told: The minutes that it says it takes.
        difficulty: 1 to 3.
        words: Of its statement.
    """

    number: str
    told: int
    difficulty: int
    words: int


def tasks(master: Master) -> Iterator[Task]:
    """The tasks of an assignment."""
    for cell in master.cells:
        if cell.cell_type == "markdown" and (found := _TASK.search(cell.source)):
            words = len(found["statement"].split())
            yield Task(found["task"], int(found["minutes"]), int(found["difficulty"]), words)


def written(folder: Path) -> dict[str, dict[str, float]]:
    """What ``written.toml`` says: "lines", and where they differ from the usual "tries" (1) and "run" (0 minutes)."""
    content = tomllib.loads((folder / "written.toml").read_text(encoding="utf-8"))
    return {kind: content.get(kind, {}) for kind in ("lines", "tries", "run")}


def task_minutes(task: Task, lines: float, tries: float = 1, run: float = 0) -> int:
    """Minutes for a task: reading, thinking, writing, checking, and waiting for what it trains.

    Whole up to ten, then in steps of five, always rounded up.
    """
    minutes = task.words / WORDS_A_MINUTE + THINKING[task.difficulty] + lines / WRITTEN_LINES_A_MINUTE
    minutes += A_TRY * tries + run
    return math.ceil(minutes) if minutes <= 10 else 5 * math.ceil(minutes / 5)


def check_task_minutes(master: Master) -> list[str]:
    """What is wrong with the minutes of an assignment's tasks, and with those of its header."""
    table, findings, total = written(master.path.parent), [], 0
    for task in tasks(master):
        if task.number not in table["lines"]:
            findings.append(f"written.toml has no lines for task {task.number}")
            continue
        least = task_minutes(
            task, table["lines"][task.number], table["tries"].get(task.number, 1), table["run"].get(task.number, 0)
        )
        total += least
        if task.told != least:
            findings.append(f"task {task.number} says {task.told} minutes; by words, lines and tries it is {least}")
    told = master.front.get("minutes_work", 0)
    if told < total:
        findings.append(f"minutes_work is {told}, but its tasks take {total} minutes together")
    return findings
