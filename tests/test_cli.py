"""The command ``segtutor``: its frame, and ``segtutor lab``."""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from segtutor import cli
from segtutor.commands import lab


class TestFrame:
    def test_help_names_every_command(self, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main(["--help"])
        assert stop.value.code == 0
        said = capsys.readouterr().out
        assert all(name in said for name in cli.COMMANDS)

    def test_version(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["--version"])
        assert capsys.readouterr().out.startswith("segtutor 0.")

    @pytest.mark.parametrize("name", cli.COMMANDS)
    def test_every_command_has_help(self, name, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main([name, "--help"])
        assert stop.value.code == 0
        assert f"segtutor {name}" in capsys.readouterr().out

    @pytest.mark.parametrize("arguments", [[], ["nonsense"], ["lab", "--nonsense"]])
    def test_wrong_arguments(self, arguments, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 2
        assert "usage: segtutor" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("error", "status"), [(ValueError("seen"), 2), (FileNotFoundError("seen"), 2), (KeyboardInterrupt(), 130)]
    )
    def test_errors_become_a_sentence(self, error, status, monkeypatch, capsys):
        def fail(arguments: argparse.Namespace) -> int:
            raise error

        monkeypatch.setattr(lab, "run", fail)
        assert cli.main(["lab"]) == status
        said = capsys.readouterr().err
        assert ("seen" in said) or ("stopped" in said)
        assert "Traceback" not in said

    def test_other_errors_are_not_hidden(self, monkeypatch):
        def fail(arguments: argparse.Namespace) -> int:
            raise KeyError("a mistake of ours")

        monkeypatch.setattr(lab, "run", fail)
        with pytest.raises(KeyError):
            cli.main(["lab"])

    def test_as_a_program(self):
        answer = subprocess.run(
            [sys.executable, "-m", "segtutor.cli", "--version"], capture_output=True, text=True, check=True
        )
        assert answer.stdout.startswith("segtutor ")

    @pytest.mark.parametrize("name", cli.COMMANDS)
    def test_every_command_has_a_module(self, name):
        module = importlib.import_module(f"segtutor.commands.{name}")
        assert callable(module.configure)
        assert callable(module.run)


@pytest.fixture
def lessons(tmp_path) -> Path:
    folder = tmp_path / "notebooks"
    for name in (
        "00_start_here.ipynb",
        "assignments/a.ipynb",
        "source/00.py",
        "tools/x.json",
        "build.py",
        "figure.png",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_lesson(f"first {name}"))
    return folder


def as_lesson(text, output=True):
    """A notebook with this text in its cell, and an output below it; the way copies are written."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": ["the answer\n"]}] if output else []
    cell = {"cell_type": "code", "source": [text], "outputs": outputs, "execution_count": 3 if output else None}
    return json.dumps({"cells": [cell], "nbformat": 4}, indent=1, ensure_ascii=False) + "\n"


LEARNERS = ["00_start_here.ipynb", "assignments/a.ipynb", "figure.png"]


class TestLab:
    def test_copies_what_learners_open(self, lessons, tmp_path):
        copies = lab.copy_lessons(lessons, tmp_path / "mine")
        assert copies.written == LEARNERS
        there = [path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*")]
        assert sorted(there) == sorted([*LEARNERS, "assignments", ".segtutor", ".segtutor/copied.json"])

    def test_a_class_that_is_graded_gets_no_solutions(self, lessons, tmp_path):
        (lessons / "solutions").mkdir()
        (lessons / "solutions" / "a.ipynb").write_text(as_lesson("solved"))
        assert lab.copy_lessons(lessons, tmp_path / "class", solutions=False).written == LEARNERS
        assert lab.copy_lessons(lessons, tmp_path / "mine").written == [*LEARNERS, "solutions/a.ipynb"]

    def test_who_predicts_does_not_see_the_answer_below(self, lessons, tmp_path):
        lab.copy_lessons(lessons, tmp_path / "mine")
        assert "the answer" in (lessons / "00_start_here.ipynb").read_text()
        assert "the answer" not in (tmp_path / "mine" / "00_start_here.ipynb").read_text()
        assert "the answer" in (tmp_path / "mine" / "figure.png").read_text()  # no notebook: as it is

    def test_twice_changes_nothing(self, lessons, tmp_path):
        lab.copy_lessons(lessons, tmp_path / "mine")
        copies = lab.copy_lessons(lessons, tmp_path / "mine")
        assert (copies.written, copies.kept, copies.unchanged) == ([], [], LEARNERS)

    def test_work_is_kept_and_the_rest_renewed(self, lessons, tmp_path, capsys):
        mine = tmp_path / "mine"
        lab.copy_lessons(lessons, mine)
        (mine / "assignments/a.ipynb").write_text("my solution")
        (mine / "figure.png").unlink()
        for name in LEARNERS:
            (lessons / name).write_text(as_lesson(f"second {name}"))
        copies = lab.copy_lessons(lessons, mine)
        assert copies.kept == ["assignments/a.ipynb"]
        assert copies.written == ["00_start_here.ipynb", "figure.png"]
        assert (mine / "assignments/a.ipynb").read_text() == "my solution"
        assert (mine / "00_start_here.ipynb").read_text() == as_lesson("second 00_start_here.ipynb", output=False)
        lab.report(copies, mine)
        assert "kept, because you changed it: assignments/a.ipynb" in capsys.readouterr().out
        # Still the learner's at the third time, although the manifest was written again.
        assert lab.copy_lessons(lessons, mine).kept == ["assignments/a.ipynb"]

    def test_a_file_that_was_there_before_is_kept(self, lessons, tmp_path):
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "00_start_here.ipynb").write_text("something else")
        assert lab.copy_lessons(lessons, mine).kept == ["00_start_here.ipynb"]
        assert (mine / "00_start_here.ipynb").read_text() == "something else"

    def test_damaged_manifest_keeps_rather_than_overwrites(self, lessons, tmp_path):
        mine = tmp_path / "mine"
        lab.copy_lessons(lessons, mine)
        (mine / ".segtutor/copied.json").write_text("{")
        (lessons / "figure.png").write_text("second")
        assert lab.copy_lessons(lessons, mine).kept == ["figure.png"]

    def test_a_file_is_no_folder(self, lessons, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match="name a folder"):
            lab.copy_lessons(lessons, tmp_path / "file")

    def test_copy_only_starts_nothing(self, lessons, tmp_path, monkeypatch):
        monkeypatch.setattr(lab.resources, "folder", lambda name: lessons)
        monkeypatch.setattr(lab.subprocess, "Popen", lambda *_, **__: pytest.fail("JupyterLab was started"))
        assert cli.main(["lab", str(tmp_path / "mine"), "--copy-only"]) == 0
        assert (tmp_path / "mine" / lab.FIRST_LESSON).is_file()

    def test_without_jupyterlab(self, lessons, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(lab.resources, "folder", lambda name: lessons)
        monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
        assert cli.main(["lab", str(tmp_path / "mine")]) == 2
        assert "pip install jupyterlab" in capsys.readouterr().err

    def test_it_opens_the_first_lesson_where_the_lessons_are(self, lessons, tmp_path, monkeypatch):
        started = []

        class Process:
            def __init__(self, command, cwd):
                started.append((command, cwd))

            def wait(self):
                return 0

        monkeypatch.setattr(lab.resources, "folder", lambda name: lessons)
        monkeypatch.setattr(lab.subprocess, "Popen", Process)
        assert cli.main(["lab", str(tmp_path / "mine"), "--no-browser", "--port", "9000"]) == 0
        command, folder = started[0]
        assert folder == tmp_path / "mine"
        assert command[1:4] == ["-m", "jupyterlab", "00_start_here.ipynb"]
        assert "--ServerApp.port=9000" in command
        assert "--no-browser" in command

    def test_in_a_checkout_the_lessons_stay_as_they_are_and_copies_are_opened(self, lessons, monkeypatch):
        monkeypatch.setattr(lab.resources, "folder", lambda name: lessons)
        started = []
        monkeypatch.setattr(lab.subprocess, "Popen", lambda command, cwd: started.append(cwd))
        monkeypatch.setattr(lab, "wait", lambda process: 0)
        assert cli.main(["lab"]) == 0
        (folder,) = started
        assert folder == lessons.parent / "segtutor-course"
        assert "the answer" in (lessons / "00_start_here.ipynb").read_text()
        assert "the answer" not in (folder / "00_start_here.ipynb").read_text()
