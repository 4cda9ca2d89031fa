"""What the text above a task promises must stand in the *displayed* outputs of the executed notebook.

A cell shows its last expression and what is displayed or printed on the way, nothing else: a report that a check
returns in the middle of a cell would be seen by no learner. So the executed cells are read, not what functions return.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat import NotebookNode

PROMISE = re.compile(r"\*\*Expected:\*\* `(.+?)`")
CHECK = re.compile(r"segtutor\.check\(\s*[\"'](\d+\.\d+)[\"']")


@dataclass(frozen=True)
class Promise:
    """A line that the text above a task promises for a right answer.

    Attributes:
        task: The exercise, "3.1".
        line: "3.1 A fully connected layer as a convolution: ✓ passed (4 of 4 cases)".
        cell: Position of the task's code cell.
    """

    task: str
    line: str
    cell: int

    @property
    def title(self) -> str:
        """The part of the line that stands in the report of any answer, "3.1 A fully connected ...:"."""
        return self.line.partition(": ✓")[0] + ":"


def promises(notebook: NotebookNode) -> list[Promise]:
    """The promised line of each task, with the first cell after the text that checks it."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for line in PROMISE.findall(cell.source) if cell.cell_type == "markdown" else ():
            task = line.split()[0]
            checking = (
                later
                for later, other in enumerate(notebook.cells[number + 1 :], start=number + 1)
                if other.cell_type == "code" and task in CHECK.findall(other.source)
            )
            found.append(Promise(task, line, next(checking, number)))
    return found


def displayed(cell: NotebookNode) -> str:
    """All text that a reader sees below a cell."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", "") if output.output_type == "stream" else "")
        texts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def broken_promises(notebook: NotebookNode, solved: bool) -> list[str]:
    """Tasks whose report is not seen exactly once: in a solution as promised, in an assignment as still empty."""
    troubles = []
    for promise in promises(notebook):
        wanted = promise.line if solved else f"{promise.title} still empty"
        times = displayed(notebook.cells[promise.cell]).count(wanted)
        if times != 1:
            troubles.append(f"the cell of task {promise.task} shows {wanted!r} {times} times instead of once")
    return troubles
