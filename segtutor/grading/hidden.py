"""Further cases that only the grader knows, from Python files in a private folder."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path

from segtutor.exercises.catalog import find
from segtutor.exercises.exercise import Case


def load_hidden_cases(folder: Path) -> dict[str, tuple[Case, ...]]:
    """Further cases by exercise, from every ``*.py`` of a folder.

    A file defines ``CASES``, a dictionary from exercise id to a list of ``segtutor.exercises.exercise.Case``. A case
    without a wanted result takes the reference's.

    Raises:
        ValueError: If the folder is missing or empty, or a file is not as described.
    """
    files = sorted(folder.glob("*.py")) if folder.is_dir() else []
    if not files:
        raise ValueError(f"{folder} holds no Python file with hidden cases")
    found: dict[str, tuple[Case, ...]] = {}
    for file in files:
        try:
            declared = runpy.run_path(str(file)).get("CASES")
        except Exception as error:
            raise ValueError(f"{file.name} cannot be run: {type(error).__name__}: {error}") from error
        if not isinstance(declared, Mapping) or not all(
            isinstance(case, Case) for cases in declared.values() for case in cases
        ):
            raise ValueError(f"{file.name} must define CASES, a dictionary from exercise id to a list of Case")
        for exercise_id, cases in declared.items():
            exercise = find(exercise_id)
            if exercise.asks_for_values:
                raise ValueError(f"{file.name}: exercise {exercise.id} asks for values and takes no further cases")
            for case in cases:
                if len(case.arguments) != len(exercise.parameters) and exercise.around is None:
                    raise ValueError(
                        f"{file.name}: case {case.name!r} of {exercise.id} has {len(case.arguments)} arguments; "
                        f"{exercise.name} takes {len(exercise.parameters)}: {', '.join(exercise.parameters)}"
                    )
                try:
                    exercise.wanted_for(case)
                except Exception as error:
                    raise ValueError(
                        f"{file.name}: the reference cannot answer case {case.name!r} of {exercise.id}: "
                        f"{type(error).__name__}: {error}"
                    ) from error
            found[exercise.id] = (*found.get(exercise.id, ()), *cases)
    return found
