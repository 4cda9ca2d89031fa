"""Whose a file is, which assignment it belongs to, and which of several counts; every other file gets its reason.

Learning platforms pack what a class hands in into archives and rename it. A submission belongs, in this order, to

1. the line of the roster whose id, name or e-mail stands in its path; of the path's parts those that the platform or
   the instructor wrote come first, the folders and the head of a name of Moodle or Canvas, and the name that the
   learner gave last, so that nobody hands in as a classmate;
2. the person in a folder of Moodle, ``NAME_123456_assignsubmission_file_``, or in a file that begins so;
3. the person in a file name of Canvas, ``nameanna_123_4567_original.ipynb``, with ``LATE`` where it was late;
4. the folder it lies in, if every notebook has one of its own;
5. its own name, without "Copy of", "(1)" and the name of the assignment: ``Anna Smith - 03_fcn.ipynb`` of Google
   Classroom. A file whose name says nothing else than the assignment is nobody's, and counts by itself.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from segtutor.grading import archives
from segtutor.grading.notebooks import Handed, NotReadable, lesson_by_name, read_notebook, titles

MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?$")
CANVAS = re.compile(r"^(?P<name>[^\W_]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<file>\d+)_(?P<original>.+)$")
COPY = re.compile(r"^(?:copy of |kopie von )+|(?:[ _-]*\(\d+\)|-\d+|[ _-]copy\d*)+$", re.IGNORECASE)
IGNORED = re.compile(r"^(?:\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True)
class Submission:
    """One notebook of one person.

    Attributes:
        student: Who handed it in, by the rules above.
        name: The path of the file below the folder, printable whatever bytes it has.
        path: Where it can be read.
        lesson: Number of the assignment.
        handed: Its cells.
        files: Files that came with it, by the name that the notebook gives them.
        late: Whether the platform marked it as late.
        order: What decides which of several counts: the later one.
    """

    student: str
    name: str
    path: Path
    lesson: str
    handed: Handed
    files: dict[str, Path] = field(default_factory=dict)
    late: bool = False
    order: tuple[float, str] = (0.0, "")


@dataclass(frozen=True)
class LeftOut:
    """A file that was not graded, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Student:
    """A line of the roster: the id that tables show, and all that a path may hold of it."""

    id: str
    words: tuple[str, ...]


def read_roster(path: Path) -> tuple[Student, ...]:
    """The class, from a table with a column ``id`` or ``student``, and, as there are, ``name``, ``email`` and others.

    Raises:
        ValueError: If there is no such column, or an id stands twice.
    """
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    sample = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=sample.count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    columns = {(name or "").strip().lower(): name for name in (rows[0] if rows else {})}
    key = next((columns[name] for name in ("id", "student", "student id", "username") if name in columns), None)
    if key is None:
        raise ValueError(f"{path} has the columns {', '.join(columns) or 'none'}; one must be called id or student")
    students, seen = [], set()
    for row in rows:
        identity = (row[key] or "").strip()
        if not identity:
            continue
        if identity in seen:
            raise ValueError(f"{path}: the id {identity!r} stands twice")
        seen.add(identity)
        words = [str(value).strip() for value in row.values() if isinstance(value, str) and len(value.strip()) > 2]
        words += [word.split("@")[0] for word in words if "@" in word]
        students.append(Student(identity, tuple(dict.fromkeys([identity, *words]))))
    return tuple(students)


def find_submissions(
    folder: Path,
    unpacked: Path,
    roster: Sequence[Student] = (),
    lessons: Sequence[str] = (),
    wanted_files: Sequence[str] = (),
) -> tuple[list[Submission], list[LeftOut]]:
    """All that was handed in, one notebook for each person and assignment.

    Args:
        folder: What the platform gave: notebooks, folders, archives, at any depth.
        unpacked: An empty folder for what archives hold.
        roster: The class, if known.
        lessons: The assignments that are asked for; without, each notebook's own.
        wanted_files: Names of files that belong to a notebook.
    """
    left_out: list[LeftOut] = []
    files = sorted(_files(folder, unpacked, left_out), key=lambda entry: entry[0].as_posix())
    alone = _one_notebook_for_each_folder([name for name, _, _ in files])
    found: list[Submission] = []
    for name, path, written in files:
        shown = printable(name.as_posix())
        if name.suffix.lower() != ".ipynb":
            if not _belongs(name, wanted_files):
                left_out.append(LeftOut(shown, f"not a notebook: its name ends in {name.suffix or 'nothing'!r}"))
            continue
        try:
            handed = read_notebook(path)
        except NotReadable as error:
            left_out.append(LeftOut(shown, str(error)))
            continue
        except OSError as error:
            left_out.append(LeftOut(shown, f"cannot be read: {error.strerror or error}"))
            continue
        lesson = (handed.lessons or (lesson_by_name(name.name),))[0] or (lessons[0] if len(lessons) == 1 else None)
        if lesson is None:
            left_out.append(LeftOut(shown, "it checks no exercise and its name tells no assignment: name one to grade"))
            continue
        if lessons and lesson not in lessons:
            left_out.append(LeftOut(shown, f"it belongs to assignment {lesson}; asked for: {', '.join(lessons)}"))
            continue
        student, late, version = whose(name, roster, alone)
        found.append(
            Submission(
                printable(student), shown, path, lesson, handed,
                _files_beside(name, path, files, wanted_files), late, (version or written, shown),
            )
        )  # fmt: skip
    return _newest(found, left_out), left_out


def whose(name: PurePosixPath, roster: Sequence[Student], alone: bool) -> tuple[str, bool, float]:
    """Whose a file is, whether it is marked as late, and a number that grows with its version, 0 if none tells.

    >>> whose(PurePosixPath("smithanna_LATE_12_345_03_fcn-1.ipynb"), (), False)
    ('smithanna', True, 345.0)
    """
    canvas = CANVAS.match(name.name)
    late, version = bool(canvas and canvas["late"]), float(canvas["file"]) if canvas else 0.0
    if (listed := _listed(name, canvas, roster)) is not None:
        return listed, late, version
    for part in name.parts:
        if moodle := MOODLE.match(part):
            return f"{moodle['name']} ({moodle['id']})", late, version
    if canvas:
        return canvas["name"], late, version
    if alone and len(name.parts) > 1:
        return name.parts[-2], late, version
    return _assignments().sub(" ", COPY.sub("", name.stem)).strip() or name.stem, late, version


@cache
def _assignments() -> re.Pattern[str]:
    """What tells an assignment and nobody in a file's name."""
    return re.compile(rf"(?:^|[\s_-]+)\d\d?_(?:{titles()})(?:[\s_-]+|$)", re.IGNORECASE)


def _listed(name: PurePosixPath, canvas: re.Match[str] | None, roster: Sequence[Student]) -> str | None:
    """The id in the roster that a path tells, most trustworthy part first; None if none does, or several do."""
    flat = MOODLE.match(name.name) or canvas  # the platform's part of the file's name, before what the learner wrote
    parts = [*name.parts[:-1], *([f"{flat['name']} {flat['id']}"] if flat else []), name.as_posix()]
    for text in map(_comparable, parts):
        matches = [one.id for one in roster if any(_stands_in(_comparable(word), text) for word in one.words)]
        if len(matches) == 1:
            return matches[0]
    return None


def printable(text: str) -> str:
    r"""A file's name as text that every table and console can hold: a byte that is no text becomes its number.

    >>> printable("caf\udce9.ipynb")
    'caf\\xe9.ipynb'
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _files(
    folder: Path,
    unpacked: Path,
    left_out: list[LeftOut],
    inside: PurePosixPath | None = None,
    allowed: list[int] | None = None,
) -> Iterator[tuple[PurePosixPath, Path, float]]:
    """Every file below a folder, those in archives, too: its name there, where it can be read, when it was written.

    `allowed` are the bytes that the archive around it, if there is one, may still hold.
    """
    base = inside or PurePosixPath()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(IGNORED.match(part) for part in parts) or path.is_dir():
            continue
        name = base.joinpath(*parts)
        if path.is_symlink():
            left_out.append(LeftOut(printable(name.as_posix()), "a link: what it points to was not handed in"))
        elif path.suffix.lower() == ".zip":
            target = unpacked / f"{len(list(unpacked.iterdir())):05d}"
            target.mkdir()
            left = [archives.MOST_UNPACKED] if allowed is None else allowed
            if problem := archives.unpack(path, target, left):
                left_out.append(LeftOut(printable(name.as_posix()), problem))
            yield from _files(target, unpacked, left_out, name.with_suffix(""), left)
        else:
            yield name, path, path.stat().st_mtime


def _one_notebook_for_each_folder(names: Sequence[PurePosixPath]) -> bool:
    """Whether the folders tell whose a notebook is: several folders, and not one pile of notebooks."""
    folders = [name.parent for name in names if name.suffix.lower() == ".ipynb" and len(name.parts) > 1]
    return len(set(folders)) == len(folders)


def _belongs(name: PurePosixPath, wanted_files: Sequence[str]) -> bool:
    own = _without_version(name.name)
    return any(own == wanted or own.endswith((f".{wanted}", f"_{wanted}")) for wanted in wanted_files)


def _files_beside(
    name: PurePosixPath,
    path: Path,
    files: Sequence[tuple[PurePosixPath, Path, float]],
    wanted_files: Sequence[str],
) -> dict[str, Path]:
    """What the notebook calls ``w.safetensors``: ``STEM.w.safetensors`` beside it, Canvas's, or the only one there."""
    beside = [(other, at) for other, at, _ in files if other.parent == name.parent]
    alone = sum(other.suffix.lower() == ".ipynb" for other, _ in beside) == 1
    canvas = CANVAS.match(name.name)
    found: dict[str, Path] = {}
    for wanted in wanted_files:
        for other, at in beside:
            theirs = CANVAS.match(other.name)
            same = canvas and theirs and canvas["id"] == theirs["id"] and _without_version(theirs["original"]) == wanted
            if other.name == f"{name.stem}.{wanted}" or same or (alone and other.name == wanted):
                found.setdefault(wanted, at)
    return found


def _without_version(name: str) -> str:
    """A file name without the number that a platform gives to a second version: ``w-1.safetensors``."""
    stem, dot, ending = name.rpartition(".")
    return re.sub(r"-\d+$", "", stem) + dot + ending


def _newest(found: list[Submission], left_out: list[LeftOut]) -> list[Submission]:
    """Of several notebooks of one person for one assignment the newest."""
    best: dict[tuple[str, str], Submission] = {}
    for one in found:
        key = (unicodedata.normalize("NFC", one.student), one.lesson)
        other = best.get(key)
        if other is None or one.order > other.order:
            best[key] = one
            if other is not None:
                left_out.append(LeftOut(other.name, f"{one.student} handed in a newer one: {one.name}"))
        else:
            left_out.append(LeftOut(one.name, f"{one.student} handed in a newer one: {other.name}"))
    return sorted(best.values(), key=lambda one: (one.name, one.lesson))


def _comparable(text: str) -> str:
    """Lower case, without accents and with single spaces for all that is no letter or number."""
    plain = unicodedata.normalize("NFKD", printable(text)).casefold()
    return re.sub(r"[\W_]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def _stands_in(word: str, text: str) -> bool:
    """Whether all words of a name stand in a text, as whole words, in any order, or run together."""
    if not word:
        return False
    parts, words = word.split(), set(text.split())
    run_together = {"".join(parts), "".join(reversed(parts))} if len(parts) > 1 else set()
    return set(parts) <= words or bool(run_together & words)
