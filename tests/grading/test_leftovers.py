"""A grader that was killed leaves what was handed in; the next one removes it, and hides what others work on."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from segtutor.grading.leftovers import of_other_graders, temporary_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="asks a process whether it runs")


def test_folders_of_the_dead_are_removed_and_those_of_the_living_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    with temporary_folder("grade") as own:
        here = Path(own).name.split("-")[2]
        alive, elsewhere = f"segtutor-unpacked-{here}-{os.getppid()}-y", f"segtutor-grade-01234567-{gone.pid}-x"
        for name in (f"segtutor-grade-{here}-{gone.pid}-x", alive, elsewhere, "segtutor-notes", "other"):
            (tmp_path / name / "work").mkdir(parents=True)
        assert of_other_graders() == [tmp_path / elsewhere, tmp_path / alive], "who counts processes anew is not judged"
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {Path(own).name, alive, elsewhere, "segtutor-notes", "other"}
