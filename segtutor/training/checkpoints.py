"""Files of a training run. A file is written under a temporary name, read once, and renamed: it is there whole, or not.

A checkpoint holds everything that a run needs to go on, and everything that ``create(name, weights=checkpoint)`` needs:
how the network was built, how it wants its pictures, and what its classes are called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segtutor.models.torch_files import read_torch, write_torch
from segtutor.training.config import TrainingConfig

FORMAT = "segtutor training run, version 1"


def save_run(path: str | Path, run: dict[str, Any]) -> None:
    """Everything that a run needs to go on."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_torch({"format": FORMAT, **run}, path)


def load_run(path: str | Path, course: dict[str, Any]) -> dict[str, Any]:
    """Reads what ``save_run`` wrote.

    Args:
        path: The checkpoint.
        course: The settings that must be the same as at the run's beginning; ``steps``, the length of the run, may be
            another one, but not less than was done.

    Raises:
        ValueError: If the file is something else or damaged, or belongs to a run with other settings.
    """
    try:
        run = read_torch(path)
    except ValueError as error:
        raise ValueError(
            f"{path} is no readable checkpoint ({error}). To go on, give checkpoint an earlier copy of it; to begin "
            "anew, train without resume, or to another file"
        ) from error
    needed = ("model", "optimizer", "result", "course")
    if (
        not isinstance(run, dict)
        or run.get("format") != FORMAT
        or not all(isinstance(run.get(k), dict) for k in needed)
    ):
        raise ValueError(f"{path} is not the checkpoint of a training run, so that it cannot be resumed")
    done = len(run["result"].get("learning_rates", ()))
    if course["steps"] < done:
        raise ValueError(
            f"{path} has done {done} steps, but the run shall have only {course['steps']}: ask for at least {done}, or "
            "name another checkpoint"
        )
    # A setting that the checkpoint does not know is newer than it; the run began with what is its default.
    begun = {name: run["course"].get(name, getattr(TrainingConfig, name, course[name])) for name in course}
    differences = [
        f"{name} was {_short(begun[name])} and is now {_short(value)}"
        for name, value in course.items()
        if name != "steps" and _listed(begun[name]) != _listed(value)
    ]
    if differences:
        raise ValueError(
            f"{path} belongs to a run with other settings ({'; '.join(differences)}): use the old ones, or another file"
        )
    return run


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
