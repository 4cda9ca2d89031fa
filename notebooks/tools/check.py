"""The committed notebooks must be what the masters give, with honest outputs: every finding is a line that says why."""

from __future__ import annotations

import difflib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.tools.execute import count_outputs, has_error
from notebooks.tools.glossary import check_glossary, check_terms, glossary_notebook, glossary_path, terms
from notebooks.tools.lint import lint
from notebooks.tools.masters import Course, Master, carry_outputs, code_hash, to_text, write_text
from notebooks.tools.outputs import ALL_LESSONS_LIMIT, LIMIT, MACHINE_PATH, blurred_figures, machine_paths
from notebooks.tools.palette import own_colors

DIFF_LINES = 30


def generate(course: Course, masters: list[Master]) -> list[Path]:
    """Write the notebooks of ``masters``; a lesson keeps outputs whose code is unchanged. Returns what changed."""
    changed = []
    for master in masters:
        for path, notebook in master.products(course).items():
            if path.exists() and not master.is_assignment:
                carry_outputs(notebook, nbformat.read(path, as_version=4))
            if write_text(path, to_text(notebook)):
                changed.append(path)
    if terms(course) and write_text(glossary_path(course), to_text(glossary_notebook(course))):
        changed.append(glossary_path(course))
    return changed


def strays(course: Course, masters: list[Master]) -> list[Path]:
    """Notebooks that no master makes."""
    made = {path for master in masters for path in master.products(course)} | {glossary_path(course)}
    folders = [course.notebooks, course.notebooks / "assignments", course.notebooks / "solutions"]
    return sorted(path for folder in folders for path in folder.glob("*.ipynb") if path not in made)


def check(course: Course) -> list[str]:
    """All findings about masters and committed notebooks; an empty list if everything is in order."""
    masters = course.masters()
    findings = [f"{path.relative_to(course.root)}: no master makes this notebook" for path in strays(course, masters)]
    for master in masters:
        findings += lint(master, course)
        for path, fresh in master.products(course).items():
            name = path.relative_to(course.root).as_posix()
            findings += [f"{name}: {text}" for text in check_notebook(path, fresh, master.is_assignment)]
            if not master.is_assignment and path.exists():
                findings += [f"{name}: {text}" for text in blurred(path)]
    findings += check_terms(course, [m for m in masters if not m.is_assignment])
    findings += check_glossary(course) + own_colors()
    return findings + check_sum(course)


def blurred(path: Path) -> list[str]:
    """Figures of a committed lesson that are not sharp."""
    cells = nbformat.read(path, as_version=4).cells
    return [f"cell {cell.id}: {text}" for cell in cells for text in blurred_figures(cell.get("outputs", []))]


def check_sum(course: Course) -> list[str]:
    """Whether all lessons together are too large."""
    total = sum(path.stat().st_size for path in course.notebooks.glob("*.ipynb"))
    too_large = f"all lessons together have {total / 1e6:.1f} MB, more than {ALL_LESSONS_LIMIT / 1e6:.0f} MB"
    return [too_large] if total > ALL_LESSONS_LIMIT else []


def check_notebook(path: Path, fresh: NotebookNode, is_assignment: bool) -> list[str]:
    """What is wrong with the committed notebook at ``path``, which should equal ``fresh`` but for outputs."""
    if not path.exists():
        return ["missing; run python notebooks/build.py"]
    text = path.read_bytes().decode("utf-8")
    try:
        committed = nbformat.reads(text, as_version=4)
        nbformat.validate(committed)
    except Exception as error:  # a file that is no notebook fails in as many ways as there are editors
        return [f"not a valid notebook: {error}"]
    findings = []
    executed = committed.metadata.get("segtutor", {})
    outputs = count_outputs(committed)
    if is_assignment and outputs:
        findings.append(f"an assignment is committed without outputs, found {outputs}")
    if not is_assignment:
        if executed.get("executed") != code_hash(fresh):
            findings.append(f"not executed since its code changed; run python notebooks/build.py --execute {path.stem}")
        elif executed.get("outputs") != outputs:
            findings.append(f"{executed.get('outputs')} outputs were made, {outputs} are left; execute it again")
        carry_outputs(fresh, committed)
    findings += [f"cell {cell.id} shows an error" for cell in committed.cells if has_error(cell)]
    for cell in committed.cells:
        paths = machine_paths(cell.get("outputs", [])) + MACHINE_PATH.findall(cell.source)
        findings += [f"cell {cell.id} shows a path of a machine: {found}" for found in paths]
        for output in cell.get("outputs", []):
            if any("widget" in kind for kind in output.get("data", {})):
                findings.append(f"cell {cell.id} holds the state of a widget")
    if len(text.encode()) > LIMIT:
        findings.append(f"{len(text.encode()) / 1000:.0f} kB are more than {LIMIT / 1000:.0f} kB")
    if not findings and to_text(fresh) != text:
        findings.append(f"differs from what its master gives; run python notebooks/build.py\n{difference(text, fresh)}")
    return findings


def difference(committed: str, fresh: NotebookNode) -> str:
    """The first lines of a diff from the committed text to what it should be."""
    lines = difflib.unified_diff(
        committed.splitlines(), to_text(fresh).splitlines(), "committed", "generated", "", "", 2, ""
    )
    shown = [line if len(line) < 160 else line[:157] + "..." for line in lines]
    return "\n".join(shown[:DIFF_LINES] + (["..."] if len(shown) > DIFF_LINES else []))
