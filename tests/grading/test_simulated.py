"""A class for each assignment, of right and wrong answers written by people: every grade is what the answers earn.

The answers are those of tests/exercises/blind. What each earns is known in advance: a right one all points, a wrong one
what its outcomes earn when they are computed here, without a room, a worker and a wire between.
As a program it grades classes of any size: ``python -m tests.grading.test_simulated 60 3`` for assignment 3.
"""

from __future__ import annotations

import copy
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from segtutor.exercises.catalog import exercises
from segtutor.exercises.checking import outcomes_of
from segtutor.grading.class_report import tasks_of
from segtutor.grading.folder import Prepared, Settings
from segtutor.grading.points import grade
from tests.exercises.test_blind import RIGHT, WRONG
from tests.grading.handing_in import hand_in

BLIND = Path(__file__).parents[1] / "exercises" / "blind"
LOAD = """
import importlib.abc, importlib.util, sys
class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    texts = {sources!r}
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.texts else None
    def get_source(self, name):
        return self.texts[name]
    def is_package(self, name):
        return any(other.startswith(name + ".") for other in self.texts)
sys.meta_path.insert(0, Sources())
"""
PICK = """
from tests.exercises.blind import {module} as _blind
_found = _blind.{kind}["{exercise}"][{number}]
{name} = getattr(_found, "answer", None) or _found[1]
"""
LESSONS = [lesson for lesson in dict.fromkeys(one.lesson for one in exercises().values()) if int(lesson) <= 6]


def choices(lesson):
    """For each exercise that asks for a function, its answers: kind, module, number and the function itself."""
    import importlib

    found = {}
    for path in sorted(BLIND.glob("lesson*.py")):
        if "segtutor.exercises" in path.read_text(encoding="utf-8"):
            continue  # it borrows from the course, which a graded notebook cannot
        module = importlib.import_module(f"tests.exercises.blind.{path.stem}")
        for kind in ("RIGHT", "WRONG"):
            for exercise, answers in getattr(module, kind).items():
                if exercises()[exercise].lesson == lesson and not exercises()[exercise].asks_for_values:
                    for number, answer in enumerate(answers):
                        function = answer.answer if kind == "WRONG" else answer[1]
                        found.setdefault(exercise, []).append((kind, path.stem, number, function))
    return found


def sources():
    names = {"tests": "", "tests.exercises": ""}
    names["tests.exercises.blind"] = (BLIND / "__init__.py").read_text(encoding="utf-8")
    for path in sorted(BLIND.glob("*.py"), key=lambda one: (not one.stem.startswith(("answers", "later")), one.stem)):
        text = path.read_text(encoding="utf-8")
        if path.stem != "__init__" and "segtutor.exercises" not in text:
            names[f"tests.exercises.blind.{path.stem}"] = text
    return names


def hand_in_class(folder, lesson, size):
    """Notebooks of a class; what each student's answers earn, by student and exercise."""
    offered, earned = choices(lesson), {}
    for student in range(size):
        cells, mine = [LOAD.format(sources=sources())], {}
        for place, (exercise_id, answers) in enumerate(offered.items()):
            kind, module, number, function = answers[(student * 7 + place * 3) % len(answers)]
            exercise = exercises()[exercise_id]
            cells.append(PICK.format(module=module, kind=kind, exercise=exercise_id, number=number, name=exercise.name))
            mine[exercise_id] = what_it_earns(exercise, function)
        name = f"student{student:02d}"
        earned[name] = mine
        hand_in(folder / f"{name}.ipynb", *cells, f"import segtutor\nsegtutor.check('{lesson}.1', None)")
    return earned


def what_it_earns(exercise, answer):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        arguments = [copy.deepcopy(case.arguments) for case in exercise.cases]
        return grade(exercise, (), outcomes_of(exercise.prepared(answer), arguments, exercise.seconds))


def compare(folder, lesson, size, jobs):
    """Pairs of what was given and what was earned that differ, and the rows."""
    earned = hand_in_class(folder, lesson, size)
    with Prepared(folder, Settings((lesson,), jobs=jobs)) as prepared:
        rows = list(prepared.rows())
    assert {row.student for row in rows} == set(earned)
    differ = [
        (row.student, one.exercise, one.points, earned[row.student][one.exercise].points, one.reason)
        for row in rows
        for one in row.grades
        if one.exercise in earned[row.student] and one.points != earned[row.student][one.exercise].points
    ]
    return differ, rows, earned


def test_there_are_answers_for_most_tasks():
    assert len(RIGHT) > 100
    assert len(WRONG) > 500
    for lesson in LESSONS:
        asked = [one for one in exercises().values() if one.lesson == lesson and not one.asks_for_values]
        assert len(choices(lesson)) >= 0.6 * len(asked), lesson


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_grade_of_a_class_is_what_the_answers_earn(tmp_path, lesson):
    differ, rows, earned = compare(tmp_path / "in", lesson, 4, 1)
    assert differ == []
    for task in tasks_of(rows):
        if task.exercise in next(iter(earned.values())):
            mine = [one[task.exercise] for one in earned.values()]
            assert task.full == sum(one.points == one.out_of for one in mine)
            named = [one.mistake for one in mine if one.mistake and one.points < one.out_of]
            assert sum(count for _, count in task.mistakes) == len(named)


if __name__ == "__main__":
    import tempfile
    import time

    size, lessons = int(sys.argv[1]), sys.argv[2:] or LESSONS
    for lesson in lessons:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            differ, rows, _ = compare(Path(folder) / "in", lesson, size, 2)
            right = sum(one.points == one.out_of for row in rows for one in row.grades)
            given = sum(len(row.grades) for row in rows)
            print(f"assignment {lesson}: {size} students, {right} of {given} answers with all points, "
                  f"{len(differ)} other grades than earned, {time.monotonic() - started:.0f} s")  # fmt: skip
            print(*differ[:5], sep="\n")
