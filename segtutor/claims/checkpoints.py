"""How the trained networks behind the course's backbone are made and written: one command line, one kind of record.

The backbone is that of the course's DeepLab v3 and does not learn, so a file holds the rest, in 16 bits.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from segtutor import __version__, compute
from segtutor.labels import SCENES
from segtutor.models.weight_files import contents_of, round_to_half, write_contents

BELOW = "deeplabv3_tiny"
"""The network whose backbone the others stand on."""


def arguments_of(module: str, description: str | None, steps: int, count: int) -> argparse.Namespace:
    """Of the command line of a module that trains one; the threads are settled with it."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--count", type=int, default=count, help="pictures to learn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=compute.PRECISIONS, default="auto")
    parser.add_argument("--memory", type=Path, metavar="FILE", help="keep the run here, and go on from it")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)  # before the training: a folder that cannot be made costs nothing
    compute.settle_threads()
    return arguments


def write(model: Any, path: Path, parts: Sequence[nn.Module] = ()) -> None:
    """All but the backbone, in 16 bits; these parts compute with the rounded numbers from now on."""
    for part in parts:
        round_to_half(part)
    contents = contents_of(model, half=True, labels=SCENES)
    contents["model"] = {key: value for key, value in contents["model"].items() if not key.startswith("backbone.")}
    write_contents(contents, path)


def write_record(path: Path, module: str, what: str, arguments: argparse.Namespace, result: Any, **scores: Any) -> None:
    """Beside the weights, a JSON file that says how they came about; it is printed, too."""
    about = {
        "what": f"{what}; the backbone is that of {BELOW}, unchanged",
        "command": f"python -m {module} --steps {arguments.steps} --count {arguments.count} "
        f"--seed {arguments.seed} --precision {result.precision}",
        **scores,
        "seconds": round(result.seconds),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    text = json.dumps(about, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)
