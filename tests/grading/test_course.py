"""The course that a submission runs with holds what notebooks import, and no answer."""

import ast
import subprocess
import sys

import pytest

from segtutor.exercises.catalog import exercises
from segtutor.grading.course import build_course, given_modules
from segtutor.grading.folder import given_to


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return build_course(tmp_path_factory.mktemp("house") / "course")


def run(course, code):
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(course)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_answer_is_in_it():
    functions = {
        (module, node.name)
        for module, source in given_modules().items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    for exercise in exercises().values():
        for answer in (exercise.reference, *exercise.alternatives, *(one.answer for one in exercise.mistakes)):
            assert (answer.__module__, getattr(answer, "__name__", "")) not in functions
    for source in given_modules().values():
        assert "Exercise(" not in source
        assert "Mistake(" not in source
        assert "wanted=" not in source


def test_what_notebooks_import_is_there(course):
    lines = [
        f"from {module} import {name}"
        for lesson in {one.lesson for one in exercises().values()}
        for module, name in given_to(lesson)
    ]
    around = [one.around for one in exercises().values() if one.around is not None and not one.asks_for_values]
    lines += [f"from {one.__module__} import {one.__qualname__}" for one in around]
    ended = run(course, "\n".join([*lines, "import segtutor; assert repr(segtutor.check('1.1', len))"]))
    assert ended.returncode == 0, ended.stderr
    assert len(lines) >= 8


@pytest.mark.parametrize(
    "code",
    [
        "from segtutor.exercises.catalog import find",
        "from segtutor.exercises.lesson01 import iou",
        "from segtutor.exercises.lesson01.iou import EXERCISE",
        "from segtutor.exercises.solutions import solution",
    ],
)
def test_the_rest_is_not(course, code):
    ended = run(course, code)
    assert ended.returncode == 1
    assert "Error" in ended.stderr


def test_the_files_of_the_course_are_there_but_for_what_a_solution_has_learned(course):
    data = course / "data" / "checkpoints"
    assert (data / "deeplabv3_tiny.pt").is_file()
    assert not list(data.glob("assignment_*"))
    ended = run(course, "from segtutor import resources; print(resources.data('checkpoints', 'deeplabv3_tiny.pt'))")
    assert str(course) in ended.stdout
