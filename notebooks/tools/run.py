"""Execute every notebook as a learner would, twice in the same kernel, without a network, and prove that it ran.

nbmake executes; this module decides what it gets and believes only what the executed notebook shows: each code cell
must have run, once in the first pass and once in the second, and each task's report must stand below its cell. A
notebook stands alone in its folder, in random order.
"""

from __future__ import annotations

import copy
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.tools.execute import CELL_SECONDS, environment, has_error
from notebooks.tools.masters import Course, Master
from notebooks.tools.promises import broken_promises
from segtutor import compute

CELL_BUDGET, LESSON_BUDGET = 60, 180
"""Seconds that a cell and a lesson should take, all cells once; more is worth a remark, and no failure."""
AGAIN = "-again"


@dataclass(frozen=True)
class Result:
    """What one notebook did.

    Attributes:
        name: Of the notebook.
        executed: Cells that ran, both passes.
        cells: Cells that it has, both passes.
        seconds: Both passes, the start of the kernel included.
        trouble: What went wrong; empty if all is well.
        once: Seconds of each cell in the first pass.
        promised: Minutes that the course says it takes; None if it says nothing.
    """

    name: str
    executed: int
    cells: int
    seconds: float
    trouble: str
    once: dict[str, float] = field(default_factory=dict)
    promised: float | None = None

    @property
    def remarks(self) -> list[str]:
        """What took longer than it should."""
        slow = [f"{self.name}, cell {cell}: {seconds:.0f} s, the budget of a cell is {CELL_BUDGET} s"
                for cell, seconds in self.once.items() if seconds > CELL_BUDGET]  # fmt: skip
        total = sum(self.once.values())
        if total > LESSON_BUDGET:
            slow.append(f"{self.name}: {total:.0f} s, the budget of a lesson is {LESSON_BUDGET} s")
        return slow


def run(course: Course, masters: list[Master], workers: int = 1, seed: int | None = None) -> list[Result]:
    """Execute all notebooks of ``masters``, print a table and return one result per notebook."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    folder = course.root / "build" / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    copies: dict[str, Path] = {}
    minutes: dict[str, float | None] = {}
    for master in masters:
        for path in master.products(course):
            name = path.relative_to(course.notebooks).with_suffix("").as_posix()
            copies[name] = folder / name.replace("/", "-") / path.name
            copies[name].parent.mkdir(parents=True)
            minutes[name] = promised(course, master, path)
            nbformat.write(doubled(nbformat.read(path, as_version=4)), copies[name])
    order = list(copies)
    random.Random(seed).shuffle(order)
    print(f"{len(order)} notebooks, each with all its cells twice, order by --seed {seed}", flush=True)
    report = folder / "report.xml"
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", folder / "pytest.ini", "--rootdir", folder, "-q", "--tb=short",
               "-p", "no:cacheprovider", "--nbmake", "--overwrite", "--nbmake-kernel=python3",
               f"--nbmake-timeout={CELL_SECONDS}", f"--junitxml={report}", *([f"-n{workers}"] if workers > 1 else []),
               *[copies[name] for name in order]]  # fmt: skip
    log = folder / "pytest.log"
    with log.open("w", encoding="utf-8") as stream:
        subprocess.run([*map(str, command)], cwd=folder, env=kernel_environment(folder, workers), stdout=stream,
                       stderr=subprocess.STDOUT, check=False)  # fmt: skip
    seconds = durations(report)
    results = [
        judge(name, copies[name], seconds.get(copies[name].parent.name, 0.0), minutes[name]) for name in sorted(copies)
    ]
    print(table(results))
    print(f"{workers} at a time on {compute.summary()}")
    if any(result.trouble for result in results):
        print(f"the whole output is in {log.relative_to(course.root)}")
    return results


def doubled(notebook: NotebookNode) -> NotebookNode:
    """The notebook without outputs, all its cells twice: “Run all” and “Run all” again in the same kernel."""
    second = copy.deepcopy(notebook.cells)
    for cell in second:
        cell.id += AGAIN
    result = copy.deepcopy(notebook)
    result.cells += second
    for cell in result.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return result


def kernel_environment(folder: Path, workers: int) -> dict[str, str]:
    """As for the committed outputs, and one thread each if kernels share the machine."""
    shared = {"OMP_NUM_THREADS": "1"} if workers > 1 else {}
    return {**environment(folder), "PYTEST_ADDOPTS": "", **shared}


def durations(report: Path) -> dict[str, float]:
    """Seconds per notebook folder, as pytest's report has them."""
    if not report.exists():
        return {}
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return {re.split(r"[./]", case.get("classname", ""))[0]: float(case.get("time", 0)) for case in cases}


def promised(course: Course, master: Master, path: Path) -> float | None:
    """Minutes on a CPU that the table of ``docs/start.md`` gives the notebook, else its own header."""
    page = course.root / "docs" / "start.md"
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    link = f"({path.relative_to(course.root).as_posix()})"
    row = next((line for line in lines if line.startswith("|") and link in line), "")
    numbers = [cell for cell in row.split("|") if re.fullmatch(r"\d+(\.\d+)?", cell.strip())]
    try:
        return float(numbers[0] if numbers else master.front["minutes_cpu"])
    except (TypeError, ValueError):  # words
        return None


def cell_seconds(cell: NotebookNode) -> float:
    """How long a cell ran, from the times that nbmake notes in it; 0 if it notes none."""
    times = cell.metadata.get("execution", {})
    begun, ended = (times.get(name) for name in ("iopub.execute_input", "shell.execute_reply"))
    if not begun or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()


def judge(name: str, path: Path, seconds: float, minutes: float | None = None) -> Result:
    """Read the executed notebook: which code cells ran, and what stopped the rest."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    executed = [cell for cell in code if cell.execution_count is not None]
    trouble = ""
    for cell in code:
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        if cell.execution_count is None or (has_error(cell) and not allowed):
            which = "second" if cell.id.endswith(AGAIN) else "first"
            errors = [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]
            trouble = f"{which} pass, cell {cell.id.removesuffix(AGAIN)}: {(errors or ['was not executed'])[0]}"
            break
    if not trouble and name.startswith(("assignments/", "solutions/")):
        trouble = "; ".join(broken_promises(notebook, solved=name.startswith("solutions/")))
    if not executed:
        trouble = "executed nothing" + (f"; {trouble}" if code else ": it has no code")
    once = {cell.id: cell_seconds(cell) for cell in code if not cell.id.endswith(AGAIN)}
    return Result(name, len(executed), len(code), seconds, trouble, once, minutes)


def table(results: list[Result]) -> str:
    """The results as text, slowest notebook first, each with its seconds for all cells once and those promised."""
    width = max(len(result.name) for result in results) if results else 0
    slowest_first = sorted(results, key=lambda result: -result.seconds)
    rows = [f"{'ok  ' if not r.trouble else 'FAIL'} {r.name:{width}} {r.executed:4d} of {r.cells:3d} cells "
            f"{r.seconds:7.1f} s, once {sum(r.once.values()):6.1f} s"
            f"{'' if r.promised is None else f' ({60 * r.promised:.0f} s promised)'}  {r.trouble}".rstrip()
            for r in slowest_first]  # fmt: skip
    remarks = [f"remark: {remark}" for result in slowest_first for remark in result.remarks]
    total = sum(result.seconds for result in results)
    return "\n".join([*rows, *remarks, f"{len(results)} notebooks, {total:.0f} s of kernel time"])
