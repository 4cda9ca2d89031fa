"""A variant as a class meets it: the notebook with other numbers, and the tasks whose numbers are the same for all."""

from __future__ import annotations

import json

from segtutor.exercises.exercise import Exercise
from segtutor.exercises.variants import SAME_FOR_ALL, drawn_for, name_of

LINE = "import segtutor"


def notebook_of(content: bytes, secret: str, lesson: str) -> bytes:
    """The notebook of a variant: it takes the class's numbers in its first cell, and says what they are.

    Args:
        content: The notebook of the course, as JSON.
        secret: Whose name is the variant's.
        lesson: Number of the assignment.

    Raises:
        ValueError: If no cell of the notebook imports the course.
    """
    name = name_of(secret)
    with drawn_for("") as own, drawn_for(name) as others:
        changes = [
            change
            for one in own.values()
            if one.lesson == lesson
            for change in zip(_texts(one), _texts(others[one.id]), strict=True)
        ]
    notebook = json.loads(content)
    taken = False
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not taken and LINE in source.splitlines():
            lines = source.splitlines()
            at = lines.index(LINE) + 1
            source = "\n".join(
                [*lines[:at], "", f'segtutor.variant("{name}")  # the numbers of your class', *lines[at:]]
            )
            taken = True
        for old, new in changes:
            source = source.replace(old, new)
        cell["source"] = source.splitlines(keepends=True)
    if not taken:
        raise ValueError(f"no cell of the notebook has the line {LINE!r}, after which a variant begins")
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _texts(exercise: Exercise) -> tuple[str, str, str]:
    """What a notebook holds of an exercise and a variant may change: the statement, the stub, the count of cases."""
    count = len(exercise.cases)
    passed = f"{exercise.id} {exercise.title}: ✓ passed ({count} of {count} cases)"
    return exercise.statement.strip(), exercise.stub.strip(), passed


def same_for_all(lesson: str) -> list[tuple[str, str]]:
    """The tasks that no variant changes, each with the reason.

    Args:
        lesson: Number of the assignment.
    """
    with drawn_for("") as own:
        return [
            (f"{one.id} {one.title}", SAME_FOR_ALL[one.id])
            for one in own.values()
            if one.lesson == lesson and one.id in SAME_FOR_ALL
        ]
