"""Lesson 07 shows photographs with real weights, and works for somebody who has none and no network."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "notebooks" / "07_worked_example.ipynb"


@pytest.fixture(scope="module")
def cells():
    """The code cells behind the setup, up to the one that saves the files."""
    found = [cell for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"][1:]
    last = next(number for number, cell in enumerate(found) if ".save(" in cell.source)
    return found[: last + 1]


def test_the_committed_lesson_names_what_is_in_a_photograph(cells):
    """Executed with a network of VOC's classes, see CONTRIBUTING.md."""
    said = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert "gives:   a class for every pixel" in said
    assert "15 person" in said
    pictures = [output for cell in cells for output in cell.outputs if "image/jpeg" in output.get("data", {})]
    assert len(pictures) == 1


def test_the_idea_of_the_opening_is_visible(cells):
    seen = "\n".join(cell.source for cell in cells if "@title" not in cell.source)
    for part in ("models.for_photographs()", "PHOTO = None", "load_image(PHOTO)", 'save("photo_overlay.png")'):
        assert part in seen


def test_without_weights_and_network_nothing_is_downloaded_and_three_files_are_saved(cells, tmp_path):
    code = "\n\n".join(cell.source for cell in cells)
    (tmp_path / "lesson.py").write_text(f"import matplotlib\nmatplotlib.use('Agg')\n{code}\n", "utf-8")
    guard = str(ROOT / "notebooks" / "tools" / "offline")
    paths = os.pathsep.join([guard, str(ROOT), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "lesson.py"], capture_output=True, text=True, encoding="utf-8", check=False, cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths, "SEGTUTOR_CACHE": str(tmp_path / "empty"), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("There is nobody here to say yes: nothing is downloaded.") == 2
    assert "13 MB from download.pytorch.org" in ran.stdout
    assert "license" in ran.stdout
    assert "on a photograph, expect nonsense" in ran.stdout
    assert not (tmp_path / "empty").exists()
    overlay, cut_out, labels = (np.array(Image.open(tmp_path / f"photo_{name}.png")) for name in
                                ("overlay", "cutout", "labels"))  # fmt: skip
    assert overlay.shape == (160, 160, 3)
    assert cut_out.shape == (160, 160, 4)
    assert labels.shape == (160, 160)
    assert set(np.unique(cut_out[..., 3])) == {0, 255}
    assert "512 x 512 pixels, shown to the network at 160 x 160" in ran.stdout
