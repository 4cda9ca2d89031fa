"""Execute lessons in a fresh kernel and commit what a reader should see: small outputs, the same from run to run."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from notebooks.tools.masters import Course, Master, code_hash, to_text, write_text
from notebooks.tools.outputs import clean

CELL_SECONDS = 900
"""Finds cells that hang; no budget, which a slow or busy machine would miss."""


def environment(folder: Path) -> dict[str, str]:
    """The environment of the kernels: a newcomer's machine without a network, whoever runs this and wherever.

    Weights for photographs, and the photograph of nuclei, are there if the caller's cache has them (``segtutor data
    weights``; another cache, or an empty one: ``SEGTUTOR_CACHE``), because lessons show what they do and go on without.
    Nothing else of the caller's cache is seen.
    """
    guard = str(Path(__file__).parent / "offline")
    lend_weights(folder / "cache")
    lend_nuclei(folder / "cache")
    return {
        **os.environ,
        # A backend that the caller has chosen for itself (tests choose one without a screen) would lose the figures.
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": os.pathsep.join(filter(None, [guard, os.environ.get("PYTHONPATH")])),
        "IPYTHONDIR": str(folder / "ipython"),
        "SEGTUTOR_PROGRESS": "off",
        "SEGTUTOR_CACHE": str(folder / "cache"),
        "SEGTUTOR_DATA": str(folder / "datasets"),
    }


def lend_weights(cache: Path) -> list[str]:
    """Copy weights for photographs from the caller's cache to another one; returns the names of those it had.

    These are what pip brings, published networks of classes, and files of one's own in ``weights/own``.
    """
    # Imported here: they bring torch, which a mere check of the notebooks does not need.
    from segtutor.fetch import cache_folder
    from segtutor.models.package_weights import is_kept, kept_file
    from segtutor.models.photograph_choice import own_weights, with_classes
    from segtutor.models.weight_catalog import package_table

    lent = {entry["name"]: kept_file(entry) for entry in package_table() if is_kept(entry)}
    lent |= {one.network: one.path for one in with_classes() if one.on_disk}
    lent |= {Path(one.weights).name: Path(one.weights) for one in own_weights()}
    for path in lent.values():
        place = cache / path.relative_to(cache_folder())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return list(lent)


def lend_nuclei(cache: Path) -> bool:
    """Copy the photograph of nuclei from the caller's cache to another one; returns whether it was there."""
    from segtutor.datasets.nuclei import kept_folder, on_disk

    if not on_disk():
        return False
    shutil.copytree(kept_folder(), cache / kept_folder().name, dirs_exist_ok=True)
    return True


def execute(masters: list[Master], course: Course) -> list[str]:
    """Run the lessons among ``masters`` and write them with outputs; returns the troubles, one text each.

    A lesson with a trouble keeps its committed file.
    """
    troubles = []
    for master in masters:
        if master.is_assignment:
            continue
        ((path, notebook),) = master.products(course).items()
        start = time.perf_counter()
        try:
            metadata = copy.deepcopy(notebook.metadata)
            run_in_empty_folder(notebook)
            notebook.metadata = metadata  # the kernel has added its exact version
            clean(notebook)
        except CellExecutionError as error:
            failed = next(cell.id for cell in notebook.cells if has_error(cell))
            troubles.append(f"{path.name}: cell {failed} failed\n{error}")
            continue
        except Exception as error:  # a dead kernel, a cell over time: the other lessons still get their turn
            troubles.append(f"{path.name}: {type(error).__name__}: {error}")
            continue
        notebook.metadata["segtutor"] = {"executed": code_hash(notebook), "outputs": count_outputs(notebook)}
        nbformat.validate(notebook)
        write_text(path, to_text(notebook))
        print(f"{path.name}: {time.perf_counter() - start:.1f} s, {path.stat().st_size / 1000:.0f} kB", flush=True)
    return troubles


def run_in_empty_folder(notebook: NotebookNode) -> None:
    """Execute all cells in a fresh kernel whose current folder holds nothing."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work = Path(folder) / "work"
        work.mkdir()
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(work)}},
        )
        client.execute(env=environment(Path(folder)))


def has_error(cell: NotebookNode) -> bool:
    """Whether a cell ended in an exception."""
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def count_outputs(notebook: NotebookNode) -> int:
    """The outputs of all cells together; kept in the metadata, so that a lost one is seen."""
    return sum(len(cell.get("outputs", [])) for cell in notebook.cells)
