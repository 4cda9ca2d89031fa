"""The course's terms: a page that explains each, and a check that no lesson uses one before it was introduced.

``notebooks/source/glossary.toml`` lists them, ``[[term]]`` with ``name``, other spellings (``also``), the lesson that
introduces it and a text. In each lesson the first use of a term links to its entry, ``[IoU](glossary.ipynb#IoU)``: in
the lesson that introduces it, this is the introduction.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.tools.masters import METADATA, Course, Master, to_text


@dataclass(frozen=True)
class Term:
    """An entry of the glossary.

    Attributes:
        name: The term; the entry's heading.
        also: Other spellings that mean the same.
        lesson: Number of the lesson that introduces it, "03".
        text: One to three sentences.
    """

    name: str
    also: tuple[str, ...]
    lesson: str
    text: str

    @property
    def anchor(self) -> str:
        """The entry's address behind the #, as JupyterLab makes it from the heading."""
        return self.name.replace(" ", "-")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds the term in prose, in any spelling, singular or plural; short forms only as written."""
        words = [re.escape(word).replace("\\ ", r"\s+") for word in (self.name, *self.also)]
        spelled = [word if word.isupper() or not word.islower() else f"(?i:{word})" for word in words]
        return re.compile(rf"(?<![\w-])(?:{'|'.join(spelled)})(?:s|es)?(?![\w-])")


def glossary_path(course: Course) -> Path:
    """Where the generated page lies."""
    return course.notebooks / "glossary.ipynb"


def terms(course: Course) -> list[Term]:
    """All entries, by name. A course without the file has none."""
    file = course.notebooks / "source" / "glossary.toml"
    if not file.exists():
        return []
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("term", [])
    found = [
        Term(one["name"], tuple(one.get("also", ())), one["lesson"], " ".join(one["text"].split())) for one in entries
    ]
    return sorted(found, key=lambda term: term.name.lower())


def glossary_notebook(course: Course) -> NotebookNode:
    """The page: an entry per term, with the lesson that introduces it."""
    stems = {master.number: master.stem for master in course.masters() if not master.is_assignment}
    cells = [nbformat.v4.new_markdown_cell(
        "# Glossary\n\nThe terms of the course, each with the lesson that introduces it. Every lesson links a term "
        "here where it uses it first."
    )]  # fmt: skip
    cells[0].id = "glossary-header"
    for number, term in enumerate(terms(course)):
        also = f" (also: {', '.join(term.also)})" if term.also else ""
        where = (
            f"[Lesson {term.lesson}]({stems[term.lesson]}.ipynb)" if term.lesson in stems else f"Lesson {term.lesson}"
        )
        cells.append(nbformat.v4.new_markdown_cell(f"## {term.name}\n\n{term.text}{also} {where}."))
        cells[-1].id = f"glossary-{number:03d}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=dict(METADATA))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def check_glossary(course: Course) -> list[str]:
    """Whether the committed page is what the list gives, and no spelling belongs to two entries."""
    path, findings = glossary_path(course), []
    if not terms(course):
        return []
    if not path.exists() or path.read_text(encoding="utf-8") != to_text(glossary_notebook(course)):
        findings.append("notebooks/glossary.ipynb differs from glossary.toml; run python notebooks/build.py")
    seen: dict[str, str] = {}
    for term in terms(course):
        for spelling in (term.name, *term.also):
            if seen.setdefault(spelling.lower(), term.name) != term.name:
                findings.append(f"glossary.toml: {spelling!r} belongs to {seen[spelling.lower()]!r} and {term.name!r}")
    return findings


def check_terms(course: Course, lessons: list[Master]) -> list[str]:
    """Terms that a lesson uses before they were introduced, or without a link at the first use."""
    findings = []
    for master in lessons:
        prose = prose_of(master)
        name = master.path.relative_to(course.root).as_posix()
        for term in terms(course):
            used = term.pattern.search(prose)
            if not used:
                continue
            if term.lesson > master.number:
                findings.append(f"{name}: uses {used.group()!r}, which lesson {term.lesson} introduces")
            elif not prose[used.end() :].lstrip("*_").startswith(f"](glossary.ipynb#{term.anchor})"):
                around = " ".join(prose[max(0, used.start() - 40) : used.end() + 30].split())
                findings.append(
                    f"{name}: the first {used.group()!r} has no link (glossary.ipynb#{term.anchor}): {around}"
                )
    return findings


def prose_of(master: Master) -> str:
    """The text of a lesson without code, formulas, headings and addresses other than the glossary's."""
    text = "\n\n".join(cell.source for cell in master.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\]\((?!glossary\.ipynb)[^)]*\)", "]", text)
