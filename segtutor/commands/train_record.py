"""What stands beside trained weights: who wants to make them again, or to know what they are, finds all of it there."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segtutor import __version__
from segtutor.commands.detectors import detector_scores, is_detector
from segtutor.commands.options import notes_of
from segtutor.commands.own_data import Data, longest_side
from segtutor.compute import processor

FILES = ("weights", "out", "data")  # recorded by their names alone, since folders belong to one machine
# The weights do not depend on them; a recipe's settings are recorded one by one.
NOT_RECORDED = (
    "command", "run", "device", "num_workers", "checkpoint", "checkpoint_every", "resume", "recipe", "log", "compile",
    "channels_last",
)  # fmt: skip


def record_of(arguments: argparse.Namespace, rate: float, data: Data, score: Any, result: Any) -> dict[str, Any]:
    """The record of a training.

    Args:
        arguments: Of the command, with the precision in which it was trained.
        rate: The base learning rate.
        data: What it learned from and was scored on.
        score: On the validation set.
        result: Of the run.
    """
    import torch

    from segtutor.inference.samples import label_set

    started_from = arguments.weights
    if started_from is not None and Path(started_from).is_file():
        started_from = notes_of(Path(started_from)) or Path(started_from).name
    return {
        "command": _command(arguments),
        "started_from": started_from,  # the whole record, if this command wrote that file
        "data": data.title,
        "labels": list(label_set(data.val).names),
        "longest_side": longest_side(data.train),  # at which segment shows large photographs to the network
        "steps": result.steps,
        "batch_size": arguments.batch_size,
        "learning_rate": rate,
        "seed": arguments.seed,
        **(detector_scores(score) if is_detector(arguments.model) else _semantic_scores(score)),
        "scored_on": data.scored_on,
        "seconds": round(result.seconds),
        "processor": str(processor()),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
        "git": _git_state(),
    }


def _git_state() -> dict[str, Any] | None:
    """Commit of the folder that the command runs in, and whether something was changed since; None outside of git."""
    try:
        commit, changes = (
            subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(changes)}


def _semantic_scores(score: Any) -> dict[str, Any]:
    return {
        "mean_iou": round(score.mean_iou, 4),
        "classes_counted": score.classes_counted,
        "pixel_accuracy": round(score.pixel_accuracy, 4),
        "iou": {name: round(value, 4) for name, value in score.iou.items() if value == value},
    }


def _command(arguments: argparse.Namespace) -> str:
    """The command line that gives these arguments, all of them spelled out."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    words = ["segtutor train" if processes == 1 else f"torchrun --nproc-per-node {processes} -m segtutor.cli train"]
    for name, value in vars(arguments).items():
        if name in NOT_RECORDED or value is None or value is False:
            continue
        for one in value if isinstance(value, list) else [value]:
            joint = "," if name == "scale" else "x"
            text = (
                joint.join(map(str, one)) if isinstance(one, tuple) else Path(one).name if name in FILES else str(one)
            )
            words.append(f"--{name.replace('_', '-')}" + ("" if one is True else f" {text}"))
    return " ".join(words)
