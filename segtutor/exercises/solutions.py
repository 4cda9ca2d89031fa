"""``solution`` shows the course's own answer to a task, and the record remembers that it was looked at."""

from __future__ import annotations

import ast
import html
import inspect
import textwrap
from dataclasses import dataclass

from segtutor.exercises import record
from segtutor.exercises.catalog import find
from segtutor.exercises.exercise import Exercise
from segtutor.exercises.report import Displayed, shown

WARNING = (
    "This would show a solution. It counts as used: your progress then says so. You learn more from the two hints that "
    "fold below the task, and a check of a first attempt names what is wrong with it. To see the solution all the same:"
)


@dataclass(frozen=True)
class Solution(Displayed):
    """The course's answer to a task, or the warning that comes before it.

    Attributes:
        exercise: Id and title, "1.1 IoU of two masks".
        code: The solution as it would stand in the notebook; empty for a warning.
        message: What its use means for the record.
    """

    exercise: str
    code: str
    message: str

    def __repr__(self) -> str:
        return f"{self.exercise}: {self.message}\n" + (f"\n{self.code}\n" if self.code else "")

    def _repr_html_(self) -> str:
        code = f"<pre style='margin:4px 0'>{html.escape(self.code)}</pre>" if self.code else ""
        return (
            "<div style='border-left:4px solid #7a7a7a;padding:4px 12px'>"
            f"<b>{html.escape(self.exercise)}</b><div>{html.escape(self.message)}</div>{code}</div>"
        )


def solution(exercise_id: str, sure: bool = False) -> Solution:
    """Show the course's own solution of a task, as readable as the course could make it.

    The first call only warns; with ``sure=True`` the solution comes, and the progress says "solution seen" from then
    on. Who has passed the task, or has seen the solution before, is not warned. After passing nothing is noted either:
    to compare one's own answer with another one is part of learning. The grade depends on the answer alone.

    Args:
        exercise_id: Number of the exercise, "1.2".
        sure: Whether to show the solution of a task that is still open.

    Raises:
        ValueError: If there is no such exercise.
    """
    exercise = find(exercise_id)
    title = f"{exercise.id} {exercise.title}"
    entry = record.load().get(exercise.id)
    passed, seen = (entry["passed"], entry["seen"]) if entry is not None else (False, False)
    if passed and not seen:
        return shown(Solution(title, code_of(exercise), "You have passed this task; compare."))
    if not seen and not sure:
        return shown(Solution(title, "", f'{WARNING} segtutor.solution("{exercise.id}", sure=True)'))
    record.note_seen(exercise.id, len(exercise.cases))
    return shown(Solution(title, code_of(exercise), 'A solution; your progress says "solution seen" for this task.'))


def code_of(exercise: Exercise) -> str:
    """The source of a solution: the stub's head with the body of the reference, or what finds the values asked for."""
    if exercise.solution:
        return exercise.solution.strip()
    source = textwrap.dedent(inspect.getsource(exercise.reference))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef), "a reference is a function with a docstring"
    *head, _ = exercise.stub.strip().splitlines()
    return "\n".join([*head, *source.splitlines()[function.body[0].end_lineno :]])
