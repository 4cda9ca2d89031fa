"""A learner sees the answer of every check: right and wrong answers of all tasks, typed into real kernels."""

import copy
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from notebooks.tools.masters import Course
from notebooks.tools.promises import broken_promises, displayed, promises
from segtutor.exercises.catalog import find
from segtutor.exercises.markup import as_text

ROOT = Path(__file__).parents[2]

ASSIGNMENTS = {
    master.number: dict(zip(("open", "solved"), master.products(Course(ROOT)).values(), strict=True))
    for master in Course(ROOT).masters()
    if master.is_assignment
}
WRONG = """\
from segtutor.exercises.catalog import find as _find
_task = _find("{task}")
{name} = _task.mistakes[0].answer(*_task.given()) if _task.asks_for_values else _task.mistakes[0].answer
"""
RIGHT = WRONG.replace("_task.mistakes[0].answer", "_task.reference")


def only_tasks(notebook, answer):
    """The cells that check a task, each with another answer in place of the learner's."""
    cells, texts = [], [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    setup = nbformat.v4.new_code_cell("import segtutor")
    for promise in promises(notebook):
        cell = copy.deepcopy(notebook.cells[promise.cell])
        start = re.search(r"^segtutor\.check\(", cell.source, re.MULTILINE).start()
        cell.source = answer.format(task=promise.task, name=find(promise.task).name) + cell.source[start:]
        cells += [text for text in texts if promise.line in text.source] + [cell]
    return nbformat.v4.new_notebook(cells=[setup, *cells], metadata=notebook.metadata)


def executed(notebook, folder):
    environment = {**os.environ, "SEGTUTOR_PROGRESS": "off", "IPYTHONDIR": str(folder), "OMP_NUM_THREADS": "1"}
    client = NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    return notebook


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_every_task_promises_a_line_and_the_masters_agree_with_the_checks(number):
    for notebook in ASSIGNMENTS[number].values():
        found = promises(notebook)
        tasks = re.findall(r"^### (\d+\.\d+) ", "\n".join(cell.source for cell in notebook.cells), re.MULTILINE)
        assert [promise.task for promise in found] == tasks
        for promise in found:
            exercise = find(promise.task)
            passed = f"{exercise.id} {exercise.title}: ✓ passed ({len(exercise.cases)} of {len(exercise.cases)} cases)"
            assert promise.line == passed
            assert notebook.cells[promise.cell].cell_type == "code"


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_a_right_answer_is_seen_to_pass(number, tmp_path):
    notebook = executed(only_tasks(ASSIGNMENTS[number]["open"], RIGHT), tmp_path)
    assert broken_promises(notebook, solved=True) == []


@pytest.mark.parametrize("number", ASSIGNMENTS)
def test_a_wrong_answer_is_seen_to_fail_with_its_hint(number, tmp_path):
    notebook = executed(only_tasks(ASSIGNMENTS[number]["open"], WRONG), tmp_path)
    for promise in promises(notebook):
        exercise, text = find(promise.task), displayed(notebook.cells[promise.cell])
        assert text.count(f"{promise.title} not yet") == 1, text
        if "changes its argument" not in text:
            assert as_text(exercise.hints[exercise.mistakes[0].hint].first).split("\n")[0][:40] in text


def test_a_report_that_is_only_returned_is_no_answer():
    """The committed assignments of version 0.1 looked like this: check, then use, and nothing to be seen."""
    text = nbformat.v4.new_markdown_cell("**Expected:** `3.1 A title: ✓ passed (4 of 4 cases)`")
    cell = nbformat.v4.new_code_cell('segtutor.check("3.1", f)\nf = segtutor.use("3.1", f)')
    notebook = nbformat.v4.new_notebook(cells=[text, cell])
    assert broken_promises(notebook, solved=True)
    cell.outputs = [nbformat.v4.new_output("stream", text="3.1 A title: ✓ passed (4 of 4 cases)\n")]
    assert broken_promises(notebook, solved=True) == []
    assert broken_promises(notebook, solved=False)
    cell.outputs *= 2
    assert broken_promises(notebook, solved=True), "shown twice"
