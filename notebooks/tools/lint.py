"""The house style of masters, as far as a program can see it."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from notebooks.tools.masters import Course, Master, cell_ids
from notebooks.tools.minutes import check_minutes, check_task_minutes
from notebooks.tools.palette import check_palette
from segtutor.plotting.style import FULL_WIDTH

MAX_LINES = 40
VISIBLE_LINES = 15
VISIBLE_WIDTH = 107
"""Characters that fit in a window of 1280 pixels, on the site and in JupyterLab; tests in a browser measure both."""
# What each heading of the skeleton is recognized by, in the order in which they stand.
SKELETON = ("objectives", "summary", "self-test", "reading", "going deeper")


def lint(master: Master, course: Course) -> list[str]:
    """Findings about one master, each naming file and cell."""
    findings = check_task_minutes(master) if master.is_assignment else skeleton(master)
    findings += [*check_palette(master), *blurring(master)]
    if not master.is_assignment:
        findings += [*unanswered(master), *check_minutes(master)]
    before: NotebookNode | None = None
    for cell_id, cell in zip(cell_ids(master), master.cells, strict=True):
        found = code_findings(cell, before) if cell.cell_type == "code" else markdown_findings(cell.source, course)
        if not master.is_assignment and cell.cell_type == "code":
            found += visible_findings(cell) + wide_lines(cell)
        findings += [f"cell {cell_id} {text}" for text in found]
        before = cell
    return [f"{master.path.relative_to(course.root).as_posix()}: {text}" for text in findings]


def skeleton(master: Master) -> list[str]:
    """The fixed parts of a lesson: objectives, prediction, summary, self-test, reading, going deeper."""
    text = "\n\n".join(cell.source for cell in master.cells if cell.cell_type == "markdown")
    headings = [heading.lower() for heading in re.findall(r"^##+ +(.+)$", text, re.MULTILINE)]
    findings, position = [], -1
    for part in SKELETON:
        found = [index for index, heading in enumerate(headings) if part in heading]
        if not found:
            findings.append(f"no heading with “{part}”")
        elif found[-1] < position:
            findings.append(f"“{part}” stands too early; the order is {', '.join(SKELETON)}")
        else:
            position = found[0]
    if "predict" not in text.lower():
        findings.append("asks for no prediction (“Predict, then run”)")
    goals = re.search(r"^##+ [^\n]*objectives[^\n]*\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    if goals and not 3 <= len(re.findall(r"^(?:[-*]|\d+\.) ", goals.group(1), re.MULTILINE)) <= 5:
        findings.append("the objectives are not three to five list items")
    test = re.search(r"^##+ [^\n]*self-test[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    if test and "<details" not in test.group(1):
        findings.append("the answers of the self-test are not folded in <details>")
    return findings


def code_findings(cell: NotebookNode, before: NotebookNode | None) -> list[str]:
    """A code cell is short, shows one thing, and is announced by a sentence."""
    findings = []
    lines = len(cell.source.splitlines())
    if lines > MAX_LINES:
        findings.append(f"has {lines} lines of code, more than {MAX_LINES}")
    if before is None or before.cell_type != "markdown":
        findings.append("is code without a sentence before it")
    if cell.source.count("plt.show()") > 1:
        findings.append("shows several figures in a row; give each its own cell")
    return findings


def blurring(master: Master) -> list[str]:
    """What makes figures blurred or wider than the column; an assignment has no outputs that could be measured."""
    findings = []
    code = {i: c.source for i, c in zip(cell_ids(master), master.cells, strict=True) if c.cell_type == "code"}
    drawing = re.compile(r"\bplt\.(?:figure|subplots|plot|show)\(")
    if any(drawing.search(source) for source in code.values()) and not any(
        "use_course_style()" in source for source in code.values()
    ):
        findings.append("draws figures in matplotlib's style, blurred on the page: plotting.use_course_style()")
    for cell_id, source in code.items():
        if re.search(r"\b(?:figure|subplots)\([^\n]*\bdpi=", source):
            findings.append(f"cell {cell_id} sets the dpi of a figure; the style of the course draws sharply")
        widths = [float(width) for width in re.findall(r"figsize=\((\d+(?:\.\d+)?),", source)]
        if any(width > FULL_WIDTH for width in widths):
            findings.append(f"cell {cell_id} draws a figure of {max(widths):g} inches; the column has {FULL_WIDTH:g}")
    return findings


def visible_findings(cell: NotebookNode) -> list[str]:
    """The idea of a cell fits into a few lines; what only draws or prepares is folded, with a title that says what."""
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    if "fold" in cell.metadata:
        return [] if str(cell.metadata["fold"]).strip() else ["is folded without a title"]
    text = f"shows {lines} lines of code, more than {VISIBLE_LINES}: fold what only draws or prepares"
    return [text + ' (# %% fold="Draw the map")'] if lines > VISIBLE_LINES else []


def wide_lines(cell: NotebookNode) -> list[str]:
    """Lines of visible code that a window of 1280 pixels does not hold."""
    return [
        f"has a line of {len(line)} characters, more than the {VISIBLE_WIDTH} that fit: {line.strip()[:40]}"
        for line in cell.source.splitlines() if "fold" not in cell.metadata and len(line) > VISIBLE_WIDTH
    ]  # fmt: skip


def unanswered(master: Master) -> list[str]:
    """Predictions whose answer does not stand, folded, right behind the cell that is run."""
    findings = []
    for position, (cell_id, cell) in enumerate(zip(cell_ids(master), master.cells, strict=True)):
        if cell.cell_type == "markdown" and re.search(r"\*\*Predict", cell.source):
            later = master.cells[position + 1 :]
            ran = next((number for number, one in enumerate(later) if one.cell_type == "code"), len(later))
            answer = next((one.source for one in later[ran:] if one.cell_type == "markdown"), "")
            if not re.match(r"\s*<details><summary>Answer", answer):
                findings.append(f"cell {cell_id} asks for a prediction; the text behind the output does not begin with "
                                "<details><summary>Answer")  # fmt: skip
    return findings


def markdown_findings(source: str, course: Course) -> list[str]:
    """Formulas close, pictures have a text, links to files lead somewhere, details close."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", source, flags=re.DOTALL)
    findings = []
    if len(re.findall(r"(?<!\\)\$", prose)) % 2:
        findings.append("has a formula that does not close ($); write \\$ for a dollar")
    if re.search(r"\\text\{[^}\n]*\n", prose):
        findings.append("breaks a line between the words of a formula (\\text), and pages show them without a space")
    if prose.count("<details") != prose.count("</details>"):
        findings.append("has a <details> that does not close")
    if re.search(r"!\[\s*\]\(", prose) or re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", prose):
        findings.append("has a picture without an alternative text")
    targets = re.findall(r"\]\(([^)\s]+)", prose) + re.findall(r"(?:href|src)=\"([^\"]+)\"", prose)
    for target in targets:
        file = target.split("#")[0]
        if file and not re.match(r"[a-z]+:", file) and not leads_somewhere(file, course):
            findings.append(f"links to {file}, which is not there")
    return findings


def leads_somewhere(file: str, course: Course) -> bool:
    """Whether a relative link exists, seen from the lessons or from the assignments, or will be generated."""
    names = {path.stem for path in (course.notebooks / "source").glob("*.py")}
    names |= {name.removeprefix("assignment_") for name in names}
    folders = (course.notebooks, course.notebooks / "assignments")
    stem = file.rsplit("/", 1)[-1].removesuffix(".ipynb")
    return (stem in names and file.endswith(".ipynb")) or any((folder / file).exists() for folder in folders)
