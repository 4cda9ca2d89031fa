"""The teaching page is made from lessons and tasks: no objective without a task, true sums, answers withheld."""

import importlib.util
import sys
from pathlib import Path

import pytest

from segtutor.exercises.catalog import exercises, find

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("teaching", ROOT / "docs" / "teaching.py")
teaching = importlib.util.module_from_spec(SPEC)
sys.modules["teaching"] = teaching
SPEC.loader.exec_module(teaching)
KNOWN = teaching.lessons()
DECLARED = teaching.table()["lessons"]


@pytest.mark.parametrize("number", [one for one in DECLARED if one in KNOWN])
def test_every_objective_has_a_task_that_exists(number):
    for _, tasks in teaching.tasks_of(KNOWN[number], DECLARED[number]):
        for task in tasks:
            assert find(task).id == task


def test_every_lesson_with_an_assignment_is_in_the_table_and_every_task_is_used():
    assert {str(int(number[:2])) for number in DECLARED} == {one.lesson for one in exercises().values()}
    used = {task for lesson in DECLARED.values() for tasks in lesson.values() for task in tasks}
    assert set(exercises()) == used


def test_an_objective_without_a_task_and_a_line_without_an_objective_are_found():
    lesson = teaching.Lesson("09", "x", 10, ("draw a map", "read it"))
    assert teaching.tasks_of(lesson, {"draw": ["1.1"], "read": ["1.2"]})[1] == ("read it", ("1.2",))
    for wrong in ({"draw": ["1.1"]}, {"draw": ["1.1"], "read": []}):
        with pytest.raises(ValueError, match="no task tests the objective of lesson 09: 'read it'"):
            teaching.tasks_of(lesson, wrong)
    with pytest.raises(ValueError, match=r"no objective that begins with \['write'\]"):
        teaching.tasks_of(lesson, {"draw": ["1.1"], "read": ["1.2"], "write": ["1.3"]})


def test_minutes_are_those_of_headers_and_tasks():
    minutes, tasks = teaching.part_minutes(["00", "01"], [["1", ["1.1", "1.6"]]])
    assert minutes == KNOWN["00"].minutes + KNOWN["01"].minutes + find("1.1").minutes + find("1.6").minutes
    assert tasks == ["1.1", "1.6"]
    whole, every = teaching.part_minutes([], [["3", []]])
    assert every == [one.id for one in exercises().values() if one.lesson == "3"]
    assert whole == sum(find(one).minutes for one in every)


def test_sums_are_those_of_their_rows():
    """The project's minutes, too, which a plan grants and nobody has measured."""
    tables = teaching.plans().split("### ")[1:]
    assert len(tables) == len(teaching.table()["plans"])
    for table in tables:
        *rows, last = [line.split("|")[-2] for line in table.splitlines() if line.startswith("| ")][1:]
        rows = [int(row) for row in rows if row.strip().isdigit()]
        assert f"**{sum(rows)}, {sum(rows) / 60:.1f} hours**" == last.strip()
    assert "| 600 |" in tables[-1]


def test_a_term_holds_the_whole_course():
    term = teaching.table()["plans"][-1]["parts"]
    assert [number for _, read, _ in term for number in read] == sorted(KNOWN, key=lambda one: (one == "07", one))
    assert {lesson for _, _, written in term for lesson, _ in written} == {one.lesson for one in exercises().values()}


def test_pages_are_filled():
    for name in ("instructors", "mistakes", "exam"):
        page = teaching.fill((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
        assert "<!--" not in page
    with pytest.raises(ValueError, match="asks for 'grades'"):
        teaching.fill("<!-- grades -->")
    assert find("1.1").hints[find("1.1").mistakes[0].hint].first in teaching.mistakes()


def test_every_question_has_an_answer_and_the_answers_stay_at_home():
    import re

    numbers = [
        re.findall(r"^(\d+)\. ", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in ("exam.md", "answers/exam.md")
    ]
    assert numbers[0] == numbers[1]
    assert '"answers"' in (ROOT / "docs" / "build.py").read_text(encoding="utf-8")
