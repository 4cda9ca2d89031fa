"""``segtutor grade``: rows are on the disk as they come, an interrupted run goes on, what is wrong is said before."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import pytest

from segtutor.cli import main
from segtutor.grading import folder as grading
from tests.grading.handing_in import CHECKS, IOU, hand_in


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_interrupted_run_goes_on_where_it_was(here, monkeypatch, capsys):
    for name in ("anna", "ben", "张伟"):
        hand_in(here / "subs" / f"{name}.ipynb", IOU, CHECKS, f"# {name}")
    real, ran = grading.grade_one, []

    def interrupted(one, *rest):
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(one.student)
        return real(one, *rest)

    monkeypatch.setattr(grading, "grade_one", interrupted)
    assert main(["grade", "subs"]) == 130
    recorded = [json.loads(line) for line in (here / "grades" / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["student"] for row in recorded] == ["anna", "ben"]
    with (here / "grades" / "rows.jsonl").open("a") as file:
        file.write('{"student": "cut o')  # as a power failure leaves it
    ran.clear()
    assert main(["grade", "subs"]) == 0
    assert ran == ["张伟"]
    rows = rows_of(here / "grades" / "grades.csv")
    assert [row["student"] for row in rows] == ["anna", "ben", "张伟"]
    assert {row["1.1"] for row in rows} == {"2.0"}
    assert (here / "grades" / "moodle_01.csv").is_file()
    assert (here / "grades" / "canvas_01.csv").is_file()
    said = capsys.readouterr().out
    assert "3 submissions; each runs with" in said
    assert "3 submissions graded, 0 files left out" in said


def test_changed_work_is_graded_anew_and_the_same_work_is_not(here, monkeypatch):
    hand_in(here / "subs" / "anna.ipynb", IOU, CHECKS)
    assert main(["grade", "subs"]) == 0
    real, ran = grading.grade_one, []
    monkeypatch.setattr(grading, "grade_one", lambda one, *rest: (ran.append(one.student), real(one, *rest))[1])
    assert main(["grade", "subs"]) == 0
    assert ran == []
    hand_in(here / "subs" / "anna.ipynb", "def iou(a, b):\n    return 0", CHECKS)
    assert main(["grade", "subs"]) == 0
    assert ran == ["anna"]
    assert rows_of(here / "grades" / "grades.csv")[0]["1.1"] == "0.0"
    assert main(["grade", "subs", "--again"]) == 0
    assert ran == ["anna", "anna"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["empty"], "holds no notebook"),
        (["in", "--hidden", "empty"], "holds no Python file"),
        (["in", "--hidden", "bad"], "must define CASES"),
        (["in", "--hidden", "crash"], "ZeroDivisionError"),
        (["in", "--hidden", "unknown"], "there is no exercise '7.7'"),
        (["in", "--assignment", "77"], "there is no assignment 77; there are 1, 2"),
        (["in", "--timeout", "0"], "--timeout must be positive"),
        (["in", "--jobs", "0"], "--jobs must be positive"),
        (["in", "--out", "in/one.ipynb"], "is a file; name a folder"),
        (["in", "--out", "in/grades"], "lies in in, whose notebooks are graded"),
        (["in", "--roster", "bad/cases.py"], "one must be called id or student"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_notebook(here, capsys, arguments, says):
    hand_in(here / "in" / "one.ipynb", IOU, CHECKS)
    (here / "empty").mkdir()
    for name, text in {
        "bad": "CASES = [1]",
        "crash": "1 / 0",
        "unknown": "from segtutor.exercises.exercise import Case\nCASES = {'7.7': [Case('x')]}",
    }.items():
        (here / name).mkdir()
        (here / name / "cases.py").write_text(text)
    assert main(["grade", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (here / "grades" / "grades.csv").exists()


@pytest.mark.slow
def test_names_beyond_the_console_do_not_end_it(here):
    for name, cells in {"plain": [IOU], "张伟": [IOU, "exit()"], "quit": [IOU, "quit()"]}.items():
        hand_in(here / "subs" / f"{name}.ipynb", *cells, CHECKS)
    environment = {
        **os.environ,
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "cp1252",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "segtutor.cli", "grade", "subs", "--assignment", "01", "--jobs", "2"]
    ended = subprocess.run(command, cwd=here, env=environment, capture_output=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    rows = {row["student"]: row["points"] for row in rows_of(here / "grades" / "grades.csv")}
    assert rows == {"plain": "2.0", "张伟": "2.0", "quit": "2.0"}
