"""--run believes only executed cells: a notebook that fails, fails the second time, or runs nothing is found."""

from __future__ import annotations

import contextlib
import io

import nbformat
import pytest

from notebooks import build
from notebooks.tools.execute import CELL_SECONDS
from notebooks.tools.masters import Course
from notebooks.tools.run import Result, doubled, promised, run, table
from segtutor import compute
from tests.notebooks.course import FRONT, make_course

CASES = {
    "01_good": "x = [1]\n\n# %% tags=['raises-exception']\n1 / 0",
    "02_name_error": "x = missing",
    "03_only_once": "try:\n    opened\n    raise RuntimeError('opened before')\nexcept NameError:\n    opened = True",
    "04_skipped": "x = 1",
    "05_network": "import urllib.request\nurllib.request.urlopen('http://192.0.2.1', timeout=5)",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Results and printed text of --run of five notebooks, all run in one go."""
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
    course, said = Course(root), io.StringIO()
    with contextlib.redirect_stdout(said):
        return {result.name: result for result in run(course, course.masters(), workers=2, seed=7)}, said.getvalue()


@pytest.fixture(scope="module")
def results(ran):
    """What --run says about five notebooks, all run in one go."""
    return ran[0]


@pytest.fixture(scope="module")
def said(ran):
    """What it prints."""
    return ran[1]


def test_a_cell_over_its_budget_is_a_remark_and_no_failure(monkeypatch, capsys):
    assert CELL_SECONDS == 900  # a guard against hangs
    cells = {"a": 61.0, "b": 59.0, "c": 59.0, "d": 20.0}
    slow = Result("03_slow", 8, 8, 400.0, "", cells, 0.9)
    quick = Result("04_quick", 2, 2, 4.0, "", {"a": 1.5})
    assert slow.remarks == [
        "03_slow, cell a: 61 s, the budget of a cell is 60 s", "03_slow: 199 s, the budget of a lesson is 180 s"
    ]  # fmt: skip
    assert quick.remarks == []
    lines = table([quick, slow]).splitlines()
    assert lines[0] == "ok   03_slow     8 of   8 cells   400.0 s, once  199.0 s (54 s promised)"
    assert lines[1] == "ok   04_quick    2 of   2 cells     4.0 s, once    1.5 s"
    assert lines[2:4] == [f"remark: {one}" for one in slow.remarks]


def test_seconds_are_those_of_the_cells(results):
    good = results["01_good"]
    assert set(good.once) == {cell for cell in good.once if not cell.endswith("-again")}
    assert len(good.once) == good.cells / 2
    assert 0 < sum(good.once.values()) < good.seconds
    assert good.promised == 0.1  # of its header


def test_minutes_are_those_of_the_table_where_it_has_them(tmp_path):
    root = make_course(tmp_path, assignment=None)
    course = Course(root)
    (master,) = course.masters()
    path = root / "notebooks" / "01_count.ipynb"
    assert promised(course, master, path) == 0.1
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "start.md").write_text(
        "| [01 Count](notebooks/01_count.ipynb) | site | count 3 things | 0.7 | 945 |\n| 9 (notebooks/02.ipynb) | 5 |\n"
    )
    assert promised(course, master, path) == 0.7
    master.front["minutes_cpu"] = "a few"
    (root / "docs" / "start.md").unlink()
    assert promised(course, master, path) is None


def test_the_summary_names_the_kind_of_machine(results, said):
    assert f"2 at a time on {compute.summary()}" in said


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
