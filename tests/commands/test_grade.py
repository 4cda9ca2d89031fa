"""Grades are written as they come, and are the same when a submission ends its kernel."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import pytest

from segtutor.cli import main
from segtutor.exercises import grading
from segtutor.exercises.grading import Grade, Row


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subs").mkdir()
    return tmp_path


def test_what_was_graded_is_there_when_the_next_submission_ends_it_all(folder, monkeypatch, capsys):
    def two_rows(*_):
        yield Row("anna.ipynb", (Grade("1.1", 2.0, 2),))
        assert rows_of(folder / "grades.csv")[0]["submission"] == "anna.ipynb"  # already, not at the end
        yield Row("张伟.ipynb", (Grade("1.1", 1.0, 2),))
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade_folder", two_rows)
    assert main(["grade", "subs", "--json", "grades.json"]) == 130
    assert [row["submission"] for row in rows_of(folder / "grades.csv")] == ["anna.ipynb", "张伟.ipynb"]
    assert len(json.loads((folder / "grades.json").read_text(encoding="utf-8"))) == 2


def test_a_place_that_vanishes_during_the_grading_is_replaced_by_another(folder, monkeypatch, capsys):
    (folder / "out").mkdir()

    def one_row(*_):
        (folder / "out").rmdir()
        yield Row("anna.ipynb", (Grade("1.1", 2.0, 2),))

    monkeypatch.setattr(grading, "grade_folder", one_row)
    assert main(["grade", "subs", "--out", "out/grades.csv"]) == 0
    said = capsys.readouterr()
    assert rows_of(folder / "rescued_grades.csv")[0]["points"] == "2.0"
    assert "rescued_grades.csv instead" in said.err
    assert "written to" in said.out
    assert "rescued_grades.csv" in said.out


def test_the_json_file_is_proved_before_the_first_submission_too(folder, capsys):
    assert main(["grade", "subs", "--json", "gone/grades.json"]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.slow
def test_exit_in_the_last_cell_changes_no_point_and_names_beyond_the_console_do_not_end_it(folder):
    iou = (
        "import numpy as np\ndef iou(a, b):\n    union = np.logical_or(a, b).sum()\n"
        "    return np.logical_and(a, b).sum() / union if union else np.nan\n"
    )
    for name, cells in {"plain.ipynb": [iou], "张伟.ipynb": [iou, "exit()"], "quit.ipynb": [iou, "quit()"]}.items():
        notebook = {
            "nbformat": 4, "nbformat_minor": 5, "metadata": {},
            "cells": [
                {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [],
                 "execution_count": None}
                for i, source in enumerate(cells)
            ],
        }  # fmt: skip
        (folder / "subs" / name).write_text(json.dumps(notebook), encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "cp1252",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "segtutor.cli", "grade", "subs", "--lesson", "1"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    rows = {row["submission"]: row["points"] for row in rows_of(folder / "grades.csv")}
    assert rows.keys() == {"plain.ipynb", "张伟.ipynb", "quit.ipynb"}
    assert len(set(rows.values())) == 1
    assert float(rows["plain.ipynb"]) > 0
