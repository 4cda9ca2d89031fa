"""``segtutor release`` writes the learner's notebook, tried unsolved, without outputs."""

from __future__ import annotations

import json

import pytest

from segtutor import resources
from segtutor.cli import main
from segtutor.commands import release
from segtutor.notebook_files import without_outputs
from tests.grading.handing_in import hand_in


def test_the_notebook_is_written_without_outputs(tmp_path, capsys):
    assert main(["release", "--assignment", "03", "--to", str(tmp_path / "out"), "--untried"]) == 0
    (path,) = (tmp_path / "out").iterdir()
    source = resources.folder("notebooks") / "assignments" / path.name
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["source"] for cell in cells] == [cell["source"] for cell in json.loads(source.read_text())["cells"]]
    assert not any(cell.get("outputs") for cell in cells)
    assert "hand it out" in capsys.readouterr().out


def test_what_there_is_is_listed(tmp_path, capsys):
    assert main(["release", "--assignment", "77", "--to", str(tmp_path)]) == 2
    assert "there is no assignment '77'; there are 01, 02, 03" in capsys.readouterr().err


@pytest.mark.slow
def test_one_that_does_not_run_unsolved_is_not_handed_out(tmp_path):
    release._try_unsolved(hand_in(tmp_path / "fine.ipynb", "x = 1").read_bytes(), "fine.ipynb")
    with pytest.raises(ValueError, match=r"broken\.ipynb does not run unsolved: ZeroDivisionError"):
        release._try_unsolved(hand_in(tmp_path / "broken.ipynb", "1 / 0").read_bytes(), "broken.ipynb")


def test_what_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "a.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=r"a\.ipynb is not a notebook"):
        without_outputs(tmp_path / "a.ipynb")
