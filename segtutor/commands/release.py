"""``segtutor release``: the notebook of an assignment as a class gets it, tried unsolved from top to bottom."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from segtutor import resources
from segtutor.files import prove_writable, write_or_rescue
from segtutor.notebook_files import without_outputs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--assignment", required=True, metavar="NN", help="number of the assignment, 03")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write the notebook to")
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
    if not arguments.untried:
        _try_unsolved(path)
    written = write_or_rescue(target, lambda place: place.write_bytes(without_outputs(path)))
    print(f"{written}: hand it out; segtutor grade FOLDER --assignment {arguments.assignment} grades what comes back")
    return 0


def _try_unsolved(path: Path) -> None:
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
    print(f"running {path.name} unsolved ...", flush=True)
    notebook = nbformat.read(path, as_version=4)
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
            raise ValueError(f"{path.name} does not run unsolved: {error.ename}: {error.evalue}") from None
