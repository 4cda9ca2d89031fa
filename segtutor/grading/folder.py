"""Grades a folder: each submission in a room of its own, a row as soon as it is known, several at a time if wanted."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from segtutor import __version__
from segtutor.exercises.catalog import exercises, find
from segtutor.exercises.exercise import Case, Exercise
from segtutor.exercises.variants import drawn_for, hidden_cases, name_of, variant
from segtutor.grading.conduct import Pair, alike, answers, forbidden, is_the_solution
from segtutor.grading.course import imports_of_exercises
from segtutor.grading.hidden import load_hidden_cases
from segtutor.grading.leftovers import temporary_folder
from segtutor.grading.points import OWN_SOLUTION, Grade, grade, without_points
from segtutor.grading.pool import done_by_processes
from segtutor.grading.room import House, Limits, open_house, open_room
from segtutor.grading.runs import Run
from segtutor.grading.session import Session
from segtutor.grading.submissions import LeftOut, Student, Submission, find_submissions
from segtutor.resources import folder as course_folder

VARIANT = re.compile(r"^[^#]*\bvariant\(\s*[\"'](\w+)[\"']", re.MULTILINE)
"""The line by which a notebook takes the numbers of its class."""


@dataclass(frozen=True)
class Row:
    """One submission: its grades, and what happened to its notebook as a whole.

    Attributes:
        student: Who handed it in.
        submission: The notebook's path below the folder.
        lesson: Number of the assignment.
        grades: Of its exercises.
        note: What was remarkable in the run.
        late: Whether the platform marked it as late.
        key: Of what the grade depends on; the same key, the same grade.
    """

    student: str
    submission: str
    lesson: str
    grades: tuple[Grade, ...]
    note: str = ""
    late: bool = False
    key: str = ""

    @property
    def points(self) -> float:
        """Sum over the exercises."""
        return round(sum(one.points for one in self.grades), 2)

    @property
    def out_of(self) -> int:
        """Points that can be reached."""
        return sum(one.out_of for one in self.grades)


@dataclass(frozen=True)
class Settings:
    """How to grade.

    Attributes:
        lessons: Numbers of the assignments; empty for each notebook's own.
        hidden: Folder of hidden cases.
        limits: What a submission may use.
        jobs: Submissions at a time.
        jailed: Whether each is put into namespaces of its own; None where the system makes them.
        variant: The secret of the class's variant; empty for the course's own numbers.
        private: What else no submission may see: the grades of others, the list of the class.
    """

    lessons: tuple[str, ...] = ()
    hidden: Path | None = None
    limits: Limits = field(default_factory=Limits)
    jobs: int = 1
    jailed: bool | None = None
    variant: str = ""
    private: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The variant's name, as it stands in the notebooks that were handed out."""
        return name_of(self.variant) if self.variant else ""


@dataclass(frozen=True)
class Grading:
    """A folder that is ready to be graded: `rows` yields each row when it is known.

    Attributes:
        submissions: One for each person and assignment.
        left_out: Every other file, with its reason.
        house: Where they run.
        settings: How.
        known: Rows of an earlier run by their keys.
    """

    submissions: tuple[Submission, ...]
    left_out: tuple[LeftOut, ...]
    house: House
    settings: Settings
    known: Mapping[str, Row]

    def rows(self) -> Iterator[Row]:
        """Each submission's row: those of an earlier run first, then the others as they are done."""
        keys = [key_of(one, self.settings) for one in self.submissions]
        todo = []
        for number, (one, key) in enumerate(zip(self.submissions, keys, strict=True), start=1):
            if key in self.known:
                yield replace(
                    self.known[key], student=one.student, submission=one.name, late=one.late
                )  # the same work under another name
            else:
                todo.append((number, one, key))
        if self.settings.jobs == 1 and self.house.jailed:
            for number, one, key in todo:
                yield grade_one(one, number, key, self.house, self.settings)
            return
        jobs = [(grade_one, (one, number, key, self.house, self.settings)) for number, one, key in todo]
        for place, row, why in done_by_processes(jobs, self.settings.jobs):
            yield _not_graded(todo[place][1], f"the grader stopped: {why}") if row is None else row


class Prepared:
    """A context in which a folder's `Grading` can be used; what it needs on the disk is gone afterwards.

    Raises:
        ValueError: If there is nothing to grade, or the hidden cases are not as they must be.
    """

    def __init__(
        self, folder: Path, settings: Settings, roster: Sequence[Student] = (), known: Mapping[str, Row] | None = None
    ) -> None:
        self._folder, self._settings, self._roster, self._known = folder, settings, roster, known or {}
        self._unpacked = temporary_folder("unpacked")
        self._opened = ExitStack()

    def __enter__(self) -> Grading:
        if self._settings.variant:
            self._opened.enter_context(drawn_for(self._settings.name))
        try:
            return self._ready()
        except BaseException:
            self.__exit__()
            raise

    def _ready(self) -> Grading:
        asked = [
            one for one in exercises().values() if not self._settings.lessons or one.lesson in self._settings.lessons
        ]
        if not asked:
            known = ", ".join(dict.fromkeys(one.lesson for one in exercises().values()))
            raise ValueError(f"there is no assignment {', '.join(self._settings.lessons)}; there are {known}")
        if self._settings.hidden is not None:
            load_hidden_cases(self._settings.hidden)  # before the first notebook, not in the middle of the class
        files = tuple({name for one in asked for name in one.files})
        unpacked = Path(self._unpacked.name)
        found, left_out = find_submissions(self._folder, unpacked, self._roster, self._settings.lessons, files)
        if not found:
            why = "".join(f"\n  {one.name}: {one.reason}" for one in left_out[:20])
            raise ValueError(f"{self._folder} holds no notebook (.ipynb) that can be graded{why}")
        hidden = [self._folder, unpacked, *self._settings.private]
        hidden += [self._settings.hidden] if self._settings.hidden else []
        house = self._opened.enter_context(open_house(hidden, self._settings.jailed))
        return Grading(tuple(found), tuple(left_out), house, self._settings, self._known)

    def __exit__(self, *error: object) -> None:
        self._opened.close()
        self._unpacked.cleanup()


def grade_one(one: Submission, number: int, key: str, house: House, settings: Settings) -> Row:
    """Run a submission and judge it. Whatever goes wrong becomes a note of this row.

    Args:
        one: The submission.
        number: Of its room.
        key: Of what its grade depends on.
        house: Where the rooms are.
        settings: How to grade.
    """
    variant(settings.name)  # this may be a process of its own
    asked = tuple(exercise for exercise in exercises().values() if exercise.lesson == one.lesson)
    further = _further(settings, one.lesson)
    try:
        against = forbidden(one.handed.cells, given_to(one.lesson))
        if against:
            grades = tuple(without_points(exercise, against) for exercise in asked)
            return Row(one.student, one.name, one.lesson, grades, against, one.late, key)
        with open_room(house, number, settings.limits, one.files) as room:
            run = Session(one.handed.cells, asked, further, room, settings.limits).finish()
        written = answers(one.handed.cells, asked)
        grades = tuple(_judged(exercise, further.get(exercise.id, ()), run, written) for exercise in asked)
        notes = (other_variant(one.handed.cells, settings.name), run.note(settings.limits), _lent(run, grades))
        note = "; ".join(filter(None, notes))
        return Row(one.student, one.name, one.lesson, grades, note, one.late, key)
    except Exception as error:
        return _not_graded(one, f"could not be graded: {type(error).__name__}: {str(error)[:200]}")


def _judged(exercise: Exercise, further: tuple[Case, ...], run: Run, written: Mapping[str, ast.AST]) -> Grade:
    copied = exercise.id in written and is_the_solution(written[exercise.id], exercise)
    if exercise.id in run.borrowed or copied:
        return without_points(exercise, OWN_SOLUTION)
    return grade(exercise, further, run.outcomes.get(exercise.id))


def _lent(run: Run, grades: Sequence[Grade]) -> str:
    """Answers that are right in the end, though cells called the course's own before: most often a second try."""
    found = [one.exercise for one in grades if one.points == one.out_of and run.lent[one.exercise]]
    return "; ".join(f"right in {one} after {run.lent[one]} calls of the course's answer" for one in found)


def other_variant(cells: Sequence[str], wanted: str) -> str:
    """That a notebook was handed out with other numbers than it is graded with; empty if it was not."""
    found = [name for source in cells for name in VARIANT.findall(source)]
    has = found[-1] if found else ""
    if has == wanted:
        return ""
    told = f"the variant {has!r}" if has else "the course's own numbers"
    return f"handed in with {told}, graded with {wanted or 'the own numbers of the course'}"


def similar(submissions: Sequence[Submission]) -> list[Pair]:
    """Pairs of submissions to the same assignment that have much in common."""
    found: list[Pair] = []
    for lesson in sorted({one.lesson for one in submissions}):
        asked = [exercise for exercise in exercises().values() if exercise.lesson == lesson]
        found += alike({one.student: answers(one.handed.cells, asked) for one in submissions if one.lesson == lesson})
    return found


def _not_graded(one: Submission, note: str) -> Row:
    """A row without a key: the next run tries again."""
    asked = (exercise for exercise in exercises().values() if exercise.lesson == one.lesson)
    return Row(one.student, one.name, one.lesson, tuple(without_points(each, note) for each in asked), note, one.late)


@cache
def _hidden(folder: Path | None) -> Mapping[str, tuple[Case, ...]]:
    return {} if folder is None else load_hidden_cases(folder)


def _further(settings: Settings, lesson: str) -> Mapping[str, tuple[Case, ...]]:
    """The hidden cases of an assignment: those of the private folder, and those that the variant draws."""
    written, drawn = _hidden(settings.hidden), _drawn(settings.variant, lesson)
    return {name: (*written.get(name, ()), *drawn.get(name, ())) for name in {*written, *drawn}}


@cache
def _drawn(secret: str, lesson: str) -> Mapping[str, tuple[Case, ...]]:
    return hidden_cases(secret, lesson) if secret else {}


@cache
def given_to(lesson: str) -> frozenset[tuple[str, str]]:
    """What an assignment's own notebook imports of ``segtutor.exercises``."""
    import nbformat

    found: set[tuple[str, str]] = set()
    for path in (course_folder("notebooks") / "assignments").glob(f"{int(lesson):02d}_*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            found.update(imports_of_exercises(cell.source))
    return frozenset(found)


def key_of(one: Submission, settings: Settings) -> str:
    """What a grade depends on, as a digest: the cells, the files, the hidden cases, the limits, the course."""
    digest = hashlib.sha256()
    digest.update(json.dumps([__version__, one.lesson, one.handed.cells, str(settings.limits), settings.name]).encode())
    for name, path in sorted(one.files.items()):
        digest.update(name.encode() + path.read_bytes())
    if settings.hidden is not None and any(find(name).lesson == one.lesson for name in _hidden(settings.hidden)):
        for path in sorted(settings.hidden.glob("*.py")):
            digest.update(path.read_bytes())
    for exercise in exercises().values():
        if exercise.lesson == one.lesson:
            digest.update(f"{exercise.id} {exercise.points} {[case.name for case in exercise.cases]}".encode())
    return digest.hexdigest()
