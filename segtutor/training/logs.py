"""The record of a run for other programs: a CSV table, and TensorBoard's files where TensorBoard is installed."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segtutor.files import replacing


def write_log(path: str | Path, columns: dict[str, list[float]], scores: Iterable[dict[str, float]]) -> None:
    """The record of a run as a CSV table: one line per step, with scores where there was an evaluation.

    Args:
        path: The file; replaced.
        columns: Name to its values, one per step.
        scores: Of each evaluation, its ``step`` and its scores.
    """
    by_step = {int(one["step"]): one for one in scores}
    names = list(dict.fromkeys(name for one in by_step.values() for name in one if name != "step"))
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *columns, *names])
        for step, values in enumerate(zip(*columns.values(), strict=True), start=1):
            score = by_step.get(step, {})
            writer.writerow([step, *values, *(score.get(name, "") for name in names)])


class Board:
    """Losses, rates and scores for TensorBoard, in a folder named after the CSV file; nothing if it is not installed.

    Args:
        log: The CSV file: ``runs/net.csv`` has its events in ``runs/net``.
        begun: Steps that were there before, and are not told again.
    """

    def __init__(self, log: str | Path, begun: int) -> None:
        self.told, self.scored = begun, begun
        self.writer: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(Path(log).with_suffix("")))

    def tell(self, columns: dict[str, list[float]], scores: list[dict[str, float]]) -> None:
        """What is new since the last call; arguments as ``write_log``."""
        if self.writer is None:
            return
        count = len(next(iter(columns.values())))
        for name, values in columns.items():
            for step in range(self.told, count):
                self.writer.add_scalar(f"train/{name}", values[step], step + 1)
        for one in scores:
            if one["step"] > self.scored:
                for name, value in one.items():
                    if name != "step":
                        self.writer.add_scalar(f"val/{name}", value, int(one["step"]))
        self.told = count
        self.scored = max([self.scored, *(int(one["step"]) for one in scores)])
        self.writer.flush()
