"""Lesson 08 was executed with features learned from photographs, and says so where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks" / "08_transformers.ipynb"


@pytest.fixture(scope="module")
def cells():
    return [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


def test_the_committed_lesson_has_imagenets_features(cells):
    said = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert "1,811,712 weights, none of which will change" in said
    assert "cannot be fetched" not in said


def test_without_weights_and_network_the_lesson_goes_on_and_says_so(cells, tmp_path):
    """The import and the cell that fetches; what follows does not ask where the weights came from."""
    (fetching,) = [cell.source for cell in cells if 'frozen.body("ImageNet")' in cell.source]
    (tmp_path / "lesson.py").write_text(fetching, "utf-8")
    guard = str(ROOT / "notebooks" / "tools" / "offline")
    paths = os.pathsep.join([guard, str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "lesson.py"], capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "SEGTUTOR_CACHE": str(tmp_path / "empty"), "PYTHONUTF8": "1",
             "PIP_NO_INDEX": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "ImageNet's weights cannot be fetched now." in ran.stdout
    assert "1,811,712 weights" in ran.stdout
