"""--run believes only executed cells: a notebook that fails, fails the second time, or runs nothing is found."""

from __future__ import annotations

import nbformat
import pytest

from notebooks import build
from notebooks.tools.masters import Course
from notebooks.tools.run import doubled, run
from tests.notebooks.course import FRONT, make_course

CASES = {
    "01_good": "x = [1]\n\n# %% tags=['raises-exception']\n1 / 0",
    "02_name_error": "x = missing",
    "03_only_once": "try:\n    opened\n    raise RuntimeError('opened before')\nexcept NameError:\n    opened = True",
    "04_skipped": "x = 1",
    "05_network": "import urllib.request\nurllib.request.urlopen('http://192.0.2.1', timeout=5)",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What --run says about five notebooks, all run in one go."""
    root = make_course(tmp_path_factory.mktemp("course"), assignment=None)
    (root / "notebooks/source/01_count.py").unlink()
    for name, code in CASES.items():
        (root / f"notebooks/source/{name}.py").write_text(f"{FRONT}# %%\n{code}\n")
    assert build.main([], root) == 0
    path = root / "notebooks/04_skipped.ipynb"
    skipped = nbformat.read(path, as_version=4)
    for cell in skipped.cells:
        cell.metadata["tags"] = ["skip-execution"]
    nbformat.write(skipped, path)
    course = Course(root)
    return {result.name: result for result in run(course, course.masters(), workers=2, seed=7)}


def test_a_good_notebook_ran_every_cell_twice(results):
    good = results["01_good"]
    assert (good.executed, good.cells, good.trouble) == (6, 6, "")
    assert good.seconds > 0


def test_an_error_names_pass_cell_and_reason(results):
    assert results["02_name_error"].trouble == "first pass, cell 02-start-00: NameError: name 'missing' is not defined"


def test_a_notebook_that_works_only_once_is_found(results):
    assert results["03_only_once"].trouble == "second pass, cell 03-start-00: RuntimeError: opened before"


def test_a_notebook_that_executed_nothing_fails(results):
    assert results["04_skipped"].executed == 0
    assert results["04_skipped"].trouble.startswith("executed nothing")


def test_the_network_is_blocked(results):
    assert "the network is blocked while notebooks are tested: 192.0.2.1" in results["05_network"].trouble


def test_doubling_starts_without_outputs():
    cell = nbformat.v4.new_code_cell(
        "1", outputs=[nbformat.v4.new_output("stream", text="1")], execution_count=3, id="a"
    )
    twice = doubled(nbformat.v4.new_notebook(cells=[cell]))
    nbformat.validate(twice)
    assert [(c.id, c.outputs, c.execution_count) for c in twice.cells] == [("a", [], None), ("a-again", [], None)]
