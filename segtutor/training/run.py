"""A run between its steps: what training a detector and training a semantic network have in common.

Step s depends on the weights, the optimizer's state, and (seed, s): the stream knows its place, the learning rate is a
function of s, and dropout and every other choice of the network is seeded per step. So a checkpoint holds no
generator's state, and a run that was interrupted and resumed ends, on a CPU, with the same bits as one that was not.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from segtutor.training.checkpoints import load_run, save_run
from segtutor.training.config import TrainingConfig
from segtutor.training.optimizers import build_optimizer, freeze_batch_norm, set_learning_rate
from segtutor.training.precision import settle, untouched
from segtutor.training.processes import Processes, processes
from segtutor.training.schedules import polynomial
from segtutor.training.stream import seeded


class Record(Protocol):
    """What every record of a run, a dataclass, has."""

    learning_rates: list[float]
    validations: list[Any]
    seconds: float
    precision: str

    @property
    def steps(self) -> int:
        """Steps done."""


RecordType = TypeVar("RecordType", bound=Record)


class Run(ABC, Generic[RecordType]):
    """The state of a run between its steps.

    Args:
        model: The network, on its device.
        val: Validation set, or None.
        config: The settings.
        team: The processes of the run.
        samples: Length of the training set.
        result: The record, still empty.
    """

    def __init__(
        self,
        model: nn.Module,
        val: Any | None,
        config: TrainingConfig,
        team: Processes,
        samples: int,
        result: RecordType,
    ) -> None:
        self.model, self.val, self.config, self.team, self.result = model, val, config, team, result
        self.steps = config.total_steps(samples)
        self.course = {**config.course(), "steps": self.steps, "samples": samples}
        self.optimizer = build_optimizer(model, config)

    @abstractmethod
    def loader(self, steps: range) -> Iterable[Any]:
        """One batch for each of these steps."""

    @abstractmethod
    def losses(self, batch: Any) -> dict[str, Tensor]:
        """This process's part of the losses of a batch; their sum is minimized."""

    @abstractmethod
    def note_losses(self, values: dict[str, float]) -> None:
        """Writes the losses of a step, summed over the processes, into the record."""

    @abstractmethod
    def validate(self, val: Any, step: int) -> None:
        """Scores the network and writes the scores into the record."""

    @abstractmethod
    def recent(self) -> dict[str, str]:
        """Facts for the progress bar."""

    @abstractmethod
    def read_record(self, record: dict[str, Any]) -> RecordType:
        """The record from the dict that ``dataclasses.asdict`` made of it."""

    def go(self, resume: bool) -> RecordType:
        """All the steps that are left."""
        if resume and Path(str(self.config.checkpoint)).exists():
            self._restore()
        self.team.wait()  # nobody writes the checkpoint before all have read it
        self.parallel = self.team.wrap(self.model)
        first, begun, before = self.result.steps, time.perf_counter(), self.result.seconds
        hidden = not self.config.progress or self.team.rank > 0
        bar = tqdm(total=self.steps, initial=first, desc="train", unit="step", disable=hidden)
        with bar, _stop_after_the_step(enabled=self.team.count == 1) as stop:
            try:
                for batch in self.loader(range(first, self.steps)):
                    if not self.result.precision:
                        self._settle_precision(batch)
                    self._step(batch)
                    self.result.seconds = before + time.perf_counter() - begun
                    self._between_steps(bar)
                    if stop.is_set():
                        raise KeyboardInterrupt
            except KeyboardInterrupt:
                self._save()
                raise
        self.result.seconds = before + time.perf_counter() - begun
        return self.result

    def _settle_precision(self, batch: Any) -> None:
        """Chooses the precision of all steps; a run that goes on has chosen already."""

        def attempt(precision: str) -> None:
            self.result.precision = precision
            with untouched(self.model):
                torch.stack(list(self._forward(batch).values())).sum().backward()

        # An older checkpoint does not tell the precision of its steps: it was the one asked for.
        measured = self.config.measure_precision and self.result.steps == 0
        chosen = settle(self.config.precision, self.team.device, attempt if measured else None, self.team.rank == 0)
        self.result.precision = self.team.from_first(chosen)

    def _forward(self, batch: Any) -> dict[str, Tensor]:
        """The losses of the step that is due, the network in training mode."""
        self.model.train()
        if self.config.freeze_batch_norm:
            freeze_batch_norm(self.model)
        with seeded(self.config.seed, 2, self.result.steps, self.team.rank, device=self.team.device):
            return self.losses(batch)

    def _step(self, batch: Any) -> None:
        step, config = self.result.steps, self.config
        rate = config.base_learning_rate * polynomial(step, self.steps, config.power, config.warmup_steps)
        set_learning_rate(self.optimizer, rate)
        losses = self._forward(batch)
        loss = torch.stack(list(losses.values())).sum()
        # The gradients are averaged over the processes, the loss is a sum of parts: hence the factor.
        values = {name: float(self.team.total(part.detach())) for name, part in losses.items()}
        broken = [f"the {name} is {value}" for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise ValueError(
                f"{', '.join(broken)} at step {step}, learning rate {rate:.3g}: lower the rate, add warmup_steps "
                "or gradient_clip, and make sure that the images hold no NaN"
            )
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.team.count).backward()
        if config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.note_losses(values)
        self.result.learning_rates.append(rate)

    def _between_steps(self, bar: tqdm[Any]) -> None:
        step, last = self.result.steps, self.result.steps == self.steps
        if self.val is not None and (last or _due(step, self.config.evaluate_every)):
            self.validate(self.val, step)
        if last or _due(step, self.config.checkpoint_every):
            self._save()
        bar.set_postfix({**self.recent(), "lr": f"{self.result.learning_rates[-1]:.1e}"}, refresh=False)
        bar.update()

    def _save(self) -> None:
        if self.config.checkpoint is not None and self.team.rank == 0:
            save_run(
                self.config.checkpoint,
                {
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "result": asdict(self.result),  # type: ignore[call-overload]
                    "course": self.course,
                },
            )

    def _restore(self) -> None:
        path = str(self.config.checkpoint)
        run = load_run(path, self.course)
        expected = {name: tensor.shape for name, tensor in self.model.state_dict().items()}
        if expected != {name: tensor.shape for name, tensor in run["model"].items()}:
            raise ValueError(f"{path} holds the weights of another network than the one given")
        self.model.load_state_dict(run["model"])
        self.optimizer.load_state_dict(run["optimizer"])
        self.result = self.read_record(run["result"])


@contextmanager
def prepared(model: nn.Module, config: TrainingConfig, resume: bool) -> Iterator[Processes]:
    """The processes of a run; inside, the model is on its device; after, it is in the mode in which it came."""
    if resume and config.checkpoint is None:
        raise ValueError("resume needs config.checkpoint, the file to go on from")
    with processes(config.device) as team:
        if config.batch_size % team.count:
            raise ValueError(f"batch_size {config.batch_size} cannot be divided among {team.count} processes")
        model.to(team.device)
        modes = {module: module.training for module in model.modules()}
        frozen = freeze_batch_norm(model) if config.freeze_batch_norm else []
        try:
            yield team
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
            for module, training in modes.items():
                module.training = training


def mean_of_last(losses: list[float], count: int = 20) -> str:
    """The mean of the last losses, for the progress bar."""
    last = losses[-count:]
    return f"{sum(last) / len(last):.3f}"


def _due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


@contextmanager
def _stop_after_the_step(enabled: bool) -> Iterator[threading.Event]:
    """Inside, the first interrupt sets the event, so that no step is cut in half; the second one raises."""
    stop = threading.Event()
    # Only the main thread may set a handler; and one process of several must not stop while the others go on.
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
