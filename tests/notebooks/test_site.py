"""What the site takes from the notebooks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import nbformat

from notebooks import build
from tests.notebooks.course import make_course


def test_the_site_has_lessons_and_assignments_and_asks_no_server_for_a_badge(tmp_path):
    root = make_course(tmp_path)
    assert build.main([], root) == 0
    spec = importlib.util.spec_from_file_location("site_build", Path(__file__).parents[2] / "docs" / "build.py")
    site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(site)
    site.copy_notebooks(root / "notebooks", tmp_path / "site")
    copies = sorted((tmp_path / "site").rglob("*.ipynb"))
    names = [path.relative_to(tmp_path / "site").as_posix() for path in copies]
    assert names == ["01_count.ipynb", "assignments/01_count.ipynb"]
    for path in copies:
        header = nbformat.read(path, as_version=4).cells[0].source
        assert "[Open in Colab](https://colab.research.google.com/github/segtutor/segtutor/blob/" in header
        assert "badge.svg" not in header
