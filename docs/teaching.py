"""The tables of the page "Teaching with this course", from what the lessons and tasks themselves declare.

    teaching.toml + headers of the lessons + declarations of the tasks --> Markdown in place of <!-- NAME --> on a page

What is said of minutes, objectives and mistakes cannot differ from the lessons, since it is read from them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Lesson:
    """What the teaching page needs of a lesson or an assignment.

    Attributes:
        number: "01", "00b".
        title: Its title.
        minutes: For a person.
        objectives: What one can do after it, in plain words.
    """

    number: str
    title: str
    minutes: int
    objectives: tuple[str, ...]


def lessons(root: Path = ROOT) -> dict[str, Lesson]:
    """Every lesson, by its number."""
    found = {}
    for path in sorted((root / "notebooks" / "source").glob("[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        front = front_matter(text)
        section = re.search(r"^# ## Objectives\n(.*?)\n(?:# ## |# %%|\n)", text, re.MULTILINE | re.DOTALL)
        lines = "\n".join(line.removeprefix("#").strip() for line in section[1].splitlines()) if section else ""
        items = [plain(one) for one in re.findall(r"^- (.*?)(?=\n- |\n\n|\Z)", lines, re.MULTILINE | re.DOTALL)]
        number = path.name.split("_")[0]
        found[number] = Lesson(number, str(front["title"]), int(front["minutes_work"]), tuple(items))
    return found


def front_matter(text: str) -> dict[str, Any]:
    """The front matter of a master."""
    block = text.split("# ---")[1]
    loaded: dict[str, Any] = yaml.safe_load("\n".join(line.removeprefix("#")[1:] for line in block.splitlines()))
    return loaded


def plain(markdown: str) -> str:
    r"""Words without emphasis and links, on one line.

    >>> plain("**compute** [Dice](glossary.ipynb#Dice)\n  and IoU;")
    'compute Dice and IoU'
    """
    text = LINK.sub(r"\1", re.sub(r"\s+", " ", markdown)).replace("**", "").replace("*", "")
    return text.strip().rstrip(";.")


def table() -> dict[str, Any]:
    """What ``teaching.toml`` holds."""
    return tomllib.loads((ROOT / "docs" / "teaching.toml").read_text(encoding="utf-8"))


def tasks_of(lesson: Lesson, declared: dict[str, list[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Each objective of a lesson with the tasks that test it.

    Raises:
        ValueError: If an objective has no task, or a line of the table begins no objective.
    """
    found, used = [], set()
    for objective in lesson.objectives:
        begins = [words for words in declared if objective.startswith(words)]
        if len(begins) != 1 or not declared[begins[0]]:
            raise ValueError(f"teaching.toml: no task tests the objective of lesson {lesson.number}: {objective!r}")
        used.add(begins[0])
        found.append((objective, tuple(declared[begins[0]])))
    if unused := set(declared) - used:
        raise ValueError(f"teaching.toml: lesson {lesson.number} has no objective that begins with {sorted(unused)}")
    return found


def objectives() -> str:
    """A table for each lesson: objective and tasks."""
    from segtutor.exercises.catalog import find

    known, parts = lessons(), []
    for number, declared in table()["lessons"].items():
        lesson = known[number]
        parts += [
            f"\n**Lesson {number.lstrip('0')}, {lesson.title}**\n",
            "| after it one can | tested by |",
            "| --- | --- |",
        ]
        for objective, tasks in tasks_of(lesson, declared):
            named = ", ".join(f"{task} {find(task).title}" for task in tasks)
            parts.append(f"| {objective} | {named} |")
    return "\n".join(parts)


def plans() -> str:
    """A table for each plan, with the minutes of lessons and tasks and their sums."""
    parts = []
    for plan in table()["plans"]:
        parts += [
            f"\n### {plan['name']}\n",
            plan["text"],
            "",
            "| when | lessons | tasks | minutes |",
            "| --- | --- | --- | ---: |",
        ]
        total = 0
        for when, read, written in plan["parts"]:
            minutes, _ = part_minutes(read, written)
            total += minutes
            named = "; ".join(
                f"assignment {lesson}, all" if not chosen else ", ".join(chosen) for lesson, chosen in written
            )
            parts.append(f"| {when} | {', '.join(read) or ' '} | {named or ' '} | {minutes} |")
        if (project := plan.get("project")) is not None:
            total += project["minutes"]
            parts.append(f"| {project['when']} |   | {project['what']} | {project['minutes']} |")
        parts.append(f"| | | **together** | **{total}, {total / 60:.1f} hours** |")
    return "\n".join(parts)


def part_minutes(read: list[str], written: list[list[Any]]) -> tuple[int, list[str]]:
    """Minutes of a part of a plan, and the ids of its tasks."""
    from segtutor.exercises.catalog import exercises, find

    known = lessons()
    ids = [
        one
        for lesson, chosen in written
        for one in (chosen or [each.id for each in exercises().values() if each.lesson == lesson])
    ]
    return sum(known[number].minutes for number in read) + sum(find(one).minutes for one in ids), ids


def mistakes() -> str:
    """What students get wrong, task by task: the mistakes that the checks know by name, as learners read them."""
    from segtutor.exercises.catalog import exercises

    parts, lesson = [], ""
    for exercise in exercises().values():
        if exercise.lesson != lesson:
            lesson = exercise.lesson
            parts.append(f"\n## Assignment {lesson}\n")
        named = list(dict.fromkeys(one.hint for one in exercise.mistakes if one.hint != "general"))
        parts.append(f"\n**{exercise.id} {exercise.title}**\n")
        parts += [f"- {exercise.hints[name].first}" for name in named] or ["- no typical mistake is declared"]
    return "\n".join(parts)


def rubric() -> str:
    """The table by which a final project is judged, as its own page has it."""
    page = (ROOT / "docs" / "final_project.md").read_text(encoding="utf-8").split("## The rubric")[1]
    return "\n".join(row for row in page.splitlines() if row.startswith("|"))


MAKERS: dict[str, Callable[[], str]] = {
    "plans": plans, "objectives": objectives, "mistakes": mistakes, "rubric": rubric,
}  # fmt: skip


def fill(page: str, makers: dict[str, Callable[[], str]] = MAKERS) -> str:
    """A page with its tables in place of ``<!-- plans -->`` and the like.

    Raises:
        ValueError: If it asks for something else.
    """

    def made(mark: re.Match[str]) -> str:
        if mark[1] not in makers:
            raise ValueError(f"a page asks for {mark[1]!r}; there are {', '.join(makers)}")
        return makers[mark[1]]()

    return re.sub(r"<!-- (\w+) -->", made, page)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(fill("<!-- plans -->\n<!-- objectives -->"))
