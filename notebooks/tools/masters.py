"""From one py:percent master to the notebooks that learners open.

A master (``notebooks/source/NN_name.py`` for a lesson, ``assignment_NN_name.py`` for graded work; NN may have a letter,
00b) starts with a front matter in YAML. The header cell (title, Colab badge, table of costs) and the setup cell are
made from it, so that no address, version or table is repeated by hand. The same master always gives the same bytes: a
cell's id is the notebook's number, the section that the cell stands in and the position in it, so that an insertion
renames nothing outside its own section.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import os
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

KEYS = {"title", "minutes_cpu", "minutes_t4", "download", "peak_ram", "prerequisites"}
OPTIONAL_KEYS = {"gpu", "minutes_work"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
BEGIN, END, STUB = "# BEGIN SOLUTION", "# END SOLUTION", "# STUB:"
FOLDED = '<details style="margin-bottom: 1em">'
"""In JupyterLab the paragraph behind a folded answer would stick to its title."""
SETUP = """\
# Installs the course on Google Colab; anywhere else, and the second time, it installs nothing.
import importlib.util

on_colab = importlib.util.find_spec("google") and importlib.util.find_spec("google.colab")
course = importlib.util.find_spec("segtutor")  # a mere folder of that name, as after git clone, has no origin
if on_colab and (course is None or course.origin is None):
    %pip install -q "segtutor @ git+{repository}@v{version}"

from segtutor import compute

compute.settle_threads()  # as many as there are cores that no other program keeps busy
"""


class MasterError(ValueError):
    """A master that cannot be built; the message names the file and the cell."""


@dataclass(frozen=True)
class Course:
    """The folder of the project and what its pyproject.toml says about address and version."""

    root: Path

    @property
    def notebooks(self) -> Path:
        """The folder of the lessons."""
        return self.root / "notebooks"

    @property
    def project(self) -> dict:
        """The table ``[project]`` of pyproject.toml."""
        return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    @property
    def repository(self) -> str:
        """The public address of the repository, which stands nowhere else."""
        return self.project["urls"]["Repository"].rstrip("/")

    def masters(self) -> list[Master]:
        """All masters, lessons first, each read and split into cells."""
        paths = sorted(
            (self.notebooks / "source").glob("*.py"), key=lambda p: (p.name.startswith("assignment_"), p.name)
        )
        return [read_master(path) for path in paths]

    def select(self, names: list[str]) -> list[Master]:
        """The masters that any of ``names`` (number, stem or path) means; all of them for no name."""
        masters = self.masters()
        wanted = {Path(name).stem for name in names}
        chosen = [m for m in masters if not wanted or wanted & {m.path.stem, m.stem, m.number}]
        known = {alias for m in chosen for alias in (m.path.stem, m.stem, m.number)}
        if wanted - known:
            raise MasterError(f"no master is called {', '.join(sorted(wanted - known))}; there are "
                              f"{', '.join(m.path.stem for m in masters) or 'none'}")  # fmt: skip
        return chosen


@dataclass(frozen=True)
class Master:
    """One source file: its front matter and its cells, solutions included."""

    path: Path
    front: dict
    cells: list[NotebookNode] = field(repr=False)

    @property
    def is_assignment(self) -> bool:
        """Whether the master makes an assignment and its solution, and not a lesson."""
        return self.path.name.startswith("assignment_")

    @property
    def stem(self) -> str:
        """The name of the notebooks, for example ``01_metrics``."""
        return self.path.stem.removeprefix("assignment_")

    @property
    def number(self) -> str:
        """The two digits of the lesson, and the letter of a second part: "03", "00b"."""
        return self.stem.partition("_")[0]

    @property
    def spoken_number(self) -> str:
        """The number as a reader says it: "3", "0b"."""
        return self.number[1:] if self.number.startswith("0") else self.number

    def products(self, course: Course) -> dict[Path, NotebookNode]:
        """Where each notebook of this master belongs, and the notebook without outputs."""
        if not self.is_assignment:
            path = course.notebooks / f"{self.stem}.ipynb"
            return {path: build(self, course, path, solved=False)}
        paths = {False: course.notebooks / "assignments" / f"{self.stem}.ipynb",
                 True: course.notebooks / "solutions" / f"{self.stem}.ipynb"}  # fmt: skip
        return {path: build(self, course, path, solved) for solved, path in paths.items()}


def read_master(path: Path) -> Master:
    """Read a py:percent file whose first lines are the front matter.

    Raises:
        MasterError: The name, the front matter or a fence is not as it should be.
    """
    if not re.fullmatch(r"(assignment_)?\d\d[a-z]?_[a-z0-9_]+", path.stem):
        raise MasterError(f"{path.name}: a master is called NN_name.py or assignment_NN_name.py (lower case)")
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "raw" or not first.source.startswith("---"):
        raise MasterError(f"{path.name}: the file must start with a front matter, '# ---' to '# ---'")
    front = yaml.safe_load(first.source.strip().strip("-")) or {}
    missing, unknown = KEYS - front.keys(), front.keys() - KEYS - OPTIONAL_KEYS
    if missing or unknown:
        raise MasterError(f"{path.name}: front matter lacks {sorted(missing) or 'nothing'}, "
                          f"has unknown {sorted(unknown) or 'nothing'}")  # fmt: skip
    cells = [cell for cell in notebook.cells[1:] if cell.source.strip()]
    for position, cell in enumerate(cells):
        fences = [line.strip() for line in cell.source.splitlines() if line.strip() in (BEGIN, END)]
        if fences != [BEGIN, END] * (len(fences) // 2):
            raise MasterError(f"{path.name}, cell {position + 1}: {BEGIN!r} and {END!r} do not pair")
        if (fences or "solution" in tags(cell)) and not path.name.startswith("assignment_"):
            raise MasterError(f"{path.name}, cell {position + 1}: solutions belong in an assignment, not in a lesson")
    return Master(path, front, cells)


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def build(master: Master, course: Course, path: Path, solved: bool) -> NotebookNode:
    """The notebook at ``path`` without outputs: header, setup, then the cells of the master."""
    header = nbformat.v4.new_markdown_cell(header_text(master, course, path, solved))
    setup = SETUP.format(repository=course.repository, version=course.project["version"])
    cells = [header, nbformat.v4.new_code_cell(setup.strip())]
    cells[0].id, cells[1].id = f"{master.number}-header", f"{master.number}-setup"
    cells[1].metadata["tags"] = ["remove-cell"]  # from the page on the site, where nobody can run it
    for cell_id, cell in zip(cell_ids(master), master.cells, strict=True):
        if not solved and "solution" in tags(cell):
            continue
        new = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        text = cell.source.replace("<details>", FOLDED)
        source = text if cell.cell_type == "markdown" else fill(cell.source, solved)
        built, built_tags = new(source), tags(cell)
        if "fold" in cell.metadata:
            fold(built, built_tags, cell.metadata["fold"])
        built.id = cell_id
        if cell.cell_type == "code" and not solved and source != cell.source and raises_when_run(source):
            built_tags.append("raises-exception")
        if built_tags:
            built.metadata["tags"] = sorted(set(built_tags))
        if "alt" in cell.metadata:
            built.metadata.setdefault("mystnb", {})["image"] = {"alt": cell.metadata["alt"]}
        cells.append(built)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=copy.deepcopy(METADATA))
    if master.front.get("gpu"):
        notebook.metadata.update({"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def fold(cell: NotebookNode, cell_tags: list[str], title: str) -> None:
    """Show a code cell as one line that says what it does: in JupyterLab, in Colab (a form) and on the site."""
    cell.source = f"# @title {title}\n{cell.source}"
    cell.metadata["jupyter"] = {"source_hidden": True}
    cell.metadata["cellView"] = "form"
    cell.metadata["mystnb"] = {"code_prompt_show": title, "code_prompt_hide": title}
    cell_tags.append("hide-input")


def header_text(master: Master, course: Course, path: Path, solved: bool) -> str:
    """Title, Colab badge and the table of what the notebook costs, in Markdown."""
    front = master.front
    kind = "Lesson" if not master.is_assignment else "Solution of assignment" if solved else "Assignment"
    slug = course.repository.removeprefix("https://github.com/")
    address = f"{slug}/blob/v{course.project['version']}/{path.relative_to(course.root).as_posix()}"
    badge = (f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
             f"(https://colab.research.google.com/github/{address})")  # fmt: skip
    before = front["prerequisites"]
    columns = {
        "Minutes on a CPU (2 cores)": front["minutes_cpu"],
        "Minutes on a T4 GPU": front["minutes_t4"],
        "Download": front["download"],
        "Peak memory": front["peak_ram"],
        "Know before": "; ".join(map(str, before)) if isinstance(before, list) else before,
    }
    if "minutes_work" in front:
        columns = {"Minutes for you": front["minutes_work"], **columns}
    table = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns),
             "| " + " | ".join(map(str, columns.values())) + " |"]  # fmt: skip
    return "\n".join([f"# {kind} {master.spoken_number}: {front['title']}", "", badge, "", *table])


def cell_ids(master: Master) -> list[str]:
    """An id per cell: number of the lesson, section, position in the section."""
    sections, ids = Counter(), []
    section, position = "start", 0
    for cell in master.cells:
        heading = re.search(r"^#{1,4} +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            slug = re.sub(r"[^a-z0-9]+", "-", heading.group(1).lower()).strip("-")[:40].strip("-") or "section"
            sections[slug] += 1
            section, position = slug + (f"-{sections[slug]}" if sections[slug] > 1 else ""), 0
        ids.append(f"{master.number}-{section}-{position:02d}")
        position += 1
    # A heading that ends like another one's position ("part 2" beside the second "part") must not make a twin.
    seen: Counter[str] = Counter()
    for index, cell_id in enumerate(ids):
        seen[cell_id] += 1
        if seen[cell_id] > 1:
            ids[index] = f"{cell_id}-twin{seen[cell_id]}"
    return ids


def fill(source: str, solved: bool) -> str:
    r"""The code of a cell as the solution has it, or as the learner gets it.

    >>> print(fill("def f():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION", solved=False))
    def f():
        raise NotImplementedError("Write f() here, then run this cell again.")
    """
    lines, stubs, inside, name = [], [], False, ""
    for line in source.splitlines():
        text, indent = line.strip(), line[: len(line) - len(line.lstrip())]
        if text.startswith(STUB):
            stubs.append(indent + text.removeprefix(STUB).removeprefix(" ") if text != STUB else "")
        elif text == BEGIN:
            inside = True
            task = f"Write {name}() here" if name and indent else "Write this part"
            default = f'{indent}raise NotImplementedError("{task}, then run this cell again.")'
            lines += [] if solved else stubs or [default]
            stubs = []
        elif text == END:
            inside = False
        elif not inside or solved:
            lines.append(line)
            definition = re.match(r"\s*def (\w+)", line)
            name = definition.group(1) if definition else name
    return "\n".join(lines)


def raises_when_run(source: str) -> bool:
    """Whether a stub raises as soon as its cell runs, and not only when its function is called."""
    pending: list[ast.AST] = list(ast.parse(plain_python(source)).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def plain_python(source: str) -> str:
    """The code of a cell with its IPython lines (``%``, ``!``) made harmless, so that Python can parse it."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def code_hash(notebook: NotebookNode) -> str:
    """A fingerprint of all code but the setup cell: outputs made by other code are stale."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.id.endswith("-setup")]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def same_program(one: str, other: str) -> bool:
    r"""Whether two sources say the same to Python: they differ in line breaks, brackets and comments at most.

    >>> same_program('print(f"{a} and {b}")  # both', 'print(\n    f"{a} "\n    f"and {b}",\n)')
    True
    >>> same_program("a = 1", "a = 1.0")
    False
    """
    if one == other:
        return True
    magic = [re.findall(r"^\s*[%!].*$", source, re.MULTILINE) for source in (one, other)]
    try:
        trees = [ast.dump(ast.parse(plain_python(source))) for source in (one, other)]
    except SyntaxError:
        return False
    return magic[0] == magic[1] and trees[0] == trees[1]


def carry_outputs(notebook: NotebookNode, old: NotebookNode) -> None:
    """Keep in ``notebook`` the outputs of ``old`` for cells of the same id and program, under the alt text of today.

    A line that was only broken makes no output stale: where no program has changed, the fingerprint of what was
    executed becomes that of the lines as they stand now.
    """
    old_cells = {cell.id: cell for cell in old.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        before = old_cells.get(cell.id)
        if cell.cell_type == "code" and before is not None and (
            same_program(before.source, cell.source) or cell.id.endswith("-setup")
        ):  # fmt: skip
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
            for output in cell.outputs if alt else []:
                for kind in output.get("data", {}):
                    if kind.startswith("image/"):
                        output.metadata.setdefault(kind, {})["alt"] = alt
    if "segtutor" in old.metadata:
        executed = dict(old.metadata["segtutor"])
        if executed.get("executed") == code_hash(old) and same_programs(notebook, old):
            executed["executed"] = code_hash(notebook)
        notebook.metadata["segtutor"] = executed


def same_programs(one: NotebookNode, other: NotebookNode) -> bool:
    """Whether all code cells but the setup cell are the same programs, in the same order."""
    sources = [
        [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.id.endswith("-setup")]
        for notebook in (one, other)
    ]
    return len(sources[0]) == len(sources[1]) and all(map(same_program, *sources))


def to_text(notebook: NotebookNode) -> str:
    """The bytes of a notebook: sorted keys, one blank of indentation, a newline at the end."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write_text(path: Path, text: str) -> bool:
    """Write through a temporary name; False if the file held this text already."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)
    return True
