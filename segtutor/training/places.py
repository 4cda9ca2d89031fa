"""The files of a run, checkpoint, best weights, log: tried before the work; where one fails, no work is lost.

A place that fails in the middle of a run does not end it: the file is rescued to another place, which standard error
names, or written later.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segtutor.files import prove_writable, write_or_rescue
from segtutor.models.torch_files import save_torch
from segtutor.training.checkpoints import save_run
from segtutor.training.config import TrainingConfig
from segtutor.training.logs import Board, write_log

BLOCK = 1 << 20  # bytes written at once


class Places:
    """What a run writes, by its first process alone.

    Args:
        config: The settings, which name the files.
        writes: Whether this is that process.

    Attributes:
        saved_step: Steps of the last checkpoint, -1 before there is one.
    """

    def __init__(self, config: TrainingConfig, writes: bool) -> None:
        self.config, self.writes = config, writes
        self.saved_step = -1
        self.rescued: dict[str, Path] = {}  # where the files are whose own places have failed
        self.board: Board | None = None

    @property
    def checkpoint(self) -> Path | None:
        """Where the last checkpoint is, or will be; None if there shall be none."""
        path = self.config.checkpoint
        return None if path is None else self.rescued.get(str(path), Path(path))

    def prove(self, state: Callable[[], dict[str, Any]], room: int = 0) -> None:
        """Tries each place before the first step, the checkpoint's with as much as will be written.

        Args:
            state: Makes the checkpoint.
            room: Bytes by which later checkpoints are larger.

        Raises:
            ValueError: If one is a folder or a device.
            OSError: If one cannot be written.
        """
        if not self.writes:
            return
        config = self.config
        if config.checkpoint is not None:
            Path(config.checkpoint).absolute().parent.mkdir(parents=True, exist_ok=True)

            def trial(path: Path) -> None:
                save_torch(state(), path)
                with path.open("ab") as file:
                    for begun in range(0, room, BLOCK):
                        file.write(bytes(min(BLOCK, room - begun)))

            prove_writable(config.checkpoint, trial)
        for other in (config.best, config.log):
            if other is not None:
                prove_writable(other)

    def save(self, state: Callable[[], dict[str, Any]], step: int, last: bool) -> None:
        """Writes the checkpoint.

        Args:
            state: Makes it.
            step: Steps done.
            last: Whether the run ends with it: only then an error is one.
        """
        if self.config.checkpoint is None or not self.writes:
            return
        self._write(self.config.checkpoint, state(), last)
        self.saved_step = step

    def save_best(self, content: Callable[[], dict[str, Any]], last: bool) -> None:
        """Writes the weights that have scored best so far."""
        if self.config.best is not None and self.writes:
            self._write(self.config.best, content(), last)

    def _write(self, path: str | Path, content: dict[str, Any], last: bool) -> None:
        try:
            save_run(path, content)
        except OSError as error:
            key = str(path)
            try:
                if key in self.rescued:
                    save_run(self.rescued[key], content)
                else:
                    self.rescued[key] = write_or_rescue(path, lambda other: save_torch(content, other))
            except OSError:
                if last:
                    raise error from None
                print(f"{path} cannot be written ({error}); the run goes on and tries again later", file=sys.stderr)

    def save_after(self, error: Exception | None, state: Callable[[], dict[str, Any]], step: int) -> None:
        """Keeps what was done before an interruption (None) or an error, and adds to the error where it is."""
        if self.config.checkpoint is None or not self.writes or (error is not None and step == 0):
            return
        if self.saved_step != step:
            try:
                self.save(state, step, last=True)
            except Exception as trouble:  # the first error is the one to be told
                print(f"{self.config.checkpoint} cannot be written: {trouble}", file=sys.stderr)
                return
        if error is not None:
            error.add_note(
                f"the run's {step} steps are in {self.checkpoint}; once this is repaired, go on from there with resume"
            )

    def log(self, columns: dict[str, list[float]], scores: list[dict[str, float]], begun: int) -> None:
        """Writes the log anew, and tells TensorBoard what is new since step ``begun``, where this process began."""
        if self.config.log is None or not self.writes:
            return
        try:
            write_log(self.config.log, columns, scores)
            self.board = self.board or Board(self.config.log, begun)
            self.board.tell(columns, scores)
        except OSError as error:
            print(f"the log {self.config.log} cannot be written: {error}", file=sys.stderr)
