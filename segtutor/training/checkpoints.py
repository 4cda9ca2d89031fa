"""Files of a training run. A file is written under a temporary name and renamed: it is there whole, or not at all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from segtutor.files import replacing
from segtutor.training.config import TrainingConfig

FORMAT = "segtutor training run, version 1"


def save_atomically(content: Any, path: str | Path) -> None:
    """``torch.save``, but an interruption leaves the old file as it was."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())


def save_run(path: str | Path, run: dict[str, Any]) -> None:
    """Everything that a run needs to go on."""
    save_atomically({"format": FORMAT, **run}, path)


def load_run(path: str | Path, course: dict[str, object]) -> dict[str, Any]:
    """Reads what ``save_run`` wrote.

    Args:
        path: The checkpoint.
        course: The settings that must be the same as at the run's beginning.

    Raises:
        ValueError: If the file is something else or damaged, or belongs to a run with other settings.
    """
    try:
        run = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} is no readable checkpoint ({str(error).splitlines()[0] if str(error) else type(error).__name__}): "
            "delete it, or train without resume"
        ) from error
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ValueError(f"{path} is not the checkpoint of a training run, so that it cannot be resumed")
    # A setting that the checkpoint does not know is newer than it; the run began with what is its default.
    begun = {name: run["course"].get(name, getattr(TrainingConfig, name, None)) for name in course}
    differences = [
        f"{name} was {begun[name]!r} and is now {value!r}" for name, value in course.items() if begun[name] != value
    ]
    if differences:
        raise ValueError(
            f"{path} belongs to a run with other settings ({'; '.join(differences)}): use the old ones, or another file"
        )
    return run
