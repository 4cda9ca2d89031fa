"""``segtutor release``: the notebook of an assignment as a class gets it, tried unsolved from top to bottom."""

from __future__ import annotations

import argparse
import os
import shlex
import tempfile
from pathlib import Path

from segtutor import resources
from segtutor.files import prove_writable, write_or_rescue
from segtutor.notebook_files import without_outputs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--assignment", required=True, metavar="NN", help="number of the assignment, 03")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write the notebook to")
    parser.add_argument(
        "--variant",
        default="",
        metavar="SECRET",
        help="words that only you know: other numbers and cases, for a class that could find the course's answers",
    )
    parser.add_argument("--untried", action="store_true", help="do not run it unsolved first")


def run(arguments: argparse.Namespace) -> int:
    """Run the notebook unsolved, then write it."""
    folder = resources.folder("notebooks") / "assignments"
    found = sorted(folder.glob(f"{arguments.assignment.zfill(2)}_*.ipynb"))
    if len(found) != 1:
        having = ", ".join(sorted({path.name.split("_")[0] for path in folder.glob("*.ipynb")}))
        raise ValueError(f"there is no assignment {arguments.assignment!r}; there are {having}")
    (path,) = found
    arguments.to.mkdir(parents=True, exist_ok=True)
    target = arguments.to / path.name
    prove_writable(target)
    secret, told = arguments.variant.strip(), ""
    content = without_outputs(path)
    if secret:
        content = _with_other_numbers(content, secret, str(int(arguments.assignment)))
        told = f" --variant {shlex.quote(secret)}"
    if not arguments.untried:
        _try_unsolved(content, path.name)
    written = write_or_rescue(target, lambda place: place.write_bytes(content))
    command = f"segtutor grade FOLDER --assignment {arguments.assignment}{told}"
    print(f"{written}: hand it out; {command} grades what comes back")
    return 0


def _with_other_numbers(content: bytes, secret: str, lesson: str) -> bytes:
    """The notebook of a variant; says which tasks are as before, and why.

    Raises:
        ValueError: If the variant is no good: a right answer fails in it, or a wrong one passes.
    """
    from segtutor.exercises.variants import faults, name_of
    from segtutor.exercises.varied import notebook_of, same_for_all

    print("drawing other numbers and trying them on every answer that is known ...", flush=True)
    wrong = faults(secret, lesson)
    if wrong:
        raise ValueError("these words make no good variant, take others: " + "; ".join(wrong[:3]))
    print(f"variant {name_of(secret)}")
    for task, why in same_for_all(lesson):
        print(f"  {task} is the same for every class: {why}")
    return notebook_of(content, secret, lesson)


def _try_unsolved(content: bytes, name: str) -> None:
    """Run the notebook as a class that has written nothing runs it.

    Raises:
        ValueError: If a cell fails for another reason than that nothing is written yet.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError:
        raise ValueError(
            "running a notebook needs nbclient, which comes with JupyterLab: pip install nbclient ipykernel"
        ) from None
    print(f"running {name} unsolved ...", flush=True)
    notebook = nbformat.reads(content.decode(), as_version=4)
    environment = os.environ | {"SEGTUTOR_PROGRESS": "off", "MPLBACKEND": "agg"}
    with tempfile.TemporaryDirectory(prefix="segtutor-release-", ignore_cleanup_errors=True) as folder:
        client = NotebookClient(
            notebook,
            timeout=900,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise ValueError(f"{name} does not run unsolved: {error.ename}: {error.evalue}") from None
