"""No progress bar of the course is pink: in a notebook nothing is written to standard error."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from segtutor.bars import tqdm

ROOT = Path(__file__).parents[1]
HIDDEN = "import sys; sys.modules['ipywidgets'] = None\n"  # a notebook without widgets


@pytest.mark.parametrize("before", ["", HIDDEN], ids=["widgets", "no widgets"])
def test_in_a_notebook_nothing_goes_to_standard_error(before, tmp_path):
    cell = nbformat.v4.new_code_cell(
        f"{before}from segtutor.bars import tqdm\nfor _ in tqdm(range(3), desc='train'):\n    pass"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert cell.outputs, "a bar is shown"
    assert all(output.get("name") != "stderr" for output in cell.outputs), cell.outputs


def test_in_a_terminal_it_stays_out_of_what_is_piped(capsys):
    for _ in tqdm(range(3), desc="train"):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "train" in captured.err


def test_nothing_uses_another_bar():
    sources = [*(ROOT / "segtutor").rglob("*.py"), *(ROOT / "notebooks" / "source").glob("*.py")]
    others = [path for path in sources if re.search(r"^\s*from tqdm", path.read_text(encoding="utf-8"), re.MULTILINE)]
    assert [path.name for path in others] == ["bars.py"]
