"""One step of a run, whatever is trained: losses in its precision, gradients of all parts and processes, optimizer.

Step s depends on the weights, the optimizer's state, and (seed, s): the learning rate is a function of s, and dropout
and every other choice of the network is seeded per step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from segtutor.training.average import Average
from segtutor.training.config import TrainingConfig
from segtutor.training.optimizers import build_optimizer, freeze_batch_norm, set_learning_rate
from segtutor.training.precision import settle, untouched
from segtutor.training.processes import Processes
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


class Diverged(ValueError):
    """A loss is no longer a number: the weights are not worth keeping."""


class Stepper(ABC, Generic[RecordType]):
    """What a step needs.

    Args:
        model: The network, on its device.
        config: The settings.
        team: The processes of the run.
        steps: Of the whole run.
        result: The record, still empty.
    """

    parallel: nn.Module  # the network as the processes share it, compiled or not

    def __init__(
        self, model: nn.Module, config: TrainingConfig, team: Processes, steps: int, result: RecordType
    ) -> None:
        self.model, self.config, self.team, self.steps, self.result = model, config, team, steps, result
        self.optimizer = build_optimizer(model, config)
        self.scaler = self.new_scaler()
        self.average = Average(model, config.average) if config.average is not None else None

    @abstractmethod
    def losses(self, batch: Any) -> dict[str, Tensor]:
        """This process's part of the losses of a batch; their sum is minimized."""

    @abstractmethod
    def note_losses(self, values: dict[str, float]) -> None:
        """Writes the losses of a step, summed over the processes, into the record."""

    def parts(self, batch: Any, count: int) -> list[Any]:
        """A batch in parts whose gradients are added up."""
        if count == 1:
            return [batch]
        images, targets = batch
        size = -(-len(images) // count)
        return [(images[i : i + size], targets[i : i + size]) for i in range(0, len(images), size)]

    def wrap(self) -> None:
        """The network as the processes share it, compiled if so wished."""
        self.parallel = self.team.wrap(self.model)
        if self.config.compile:
            self.parallel = torch.compile(self.parallel)  # type: ignore[assignment]

    def settle_precision(self, batch: Any) -> None:
        """Chooses the precision of all steps; a run that goes on has chosen already."""

        def attempt(precision: str) -> None:
            self.result.precision = precision
            with untouched(self.model):
                torch.stack(
                    list(self._forward(self.parts(batch, self.config.accumulate)[0], 0).values())
                ).sum().backward()

        # An older checkpoint does not tell the precision of its steps: it was the one asked for.
        measured = self.config.measure_precision and self.result.steps == 0
        chosen = settle(self.config.precision, self.team.device, attempt if measured else None, self.team.rank == 0)
        self.result.precision = self.team.from_first(chosen)
        self.scaler = self.new_scaler()

    def new_scaler(self) -> torch.amp.GradScaler:
        """Scales the loss in float16, whose small numbers would be 0; does nothing in other precisions."""
        precision = self.result.precision or self.config.precision
        return torch.amp.GradScaler(self.team.device.type, enabled=precision == "float16")

    def step(self, batch: Any) -> None:
        """Makes one step, and writes it into the record.

        Raises:
            Diverged: If a loss is no number; the weights are as before then.
        """
        step, config = self.result.steps, self.config
        rate = config.base_learning_rate * polynomial(step, self.steps, config.power, config.warmup_steps)
        set_learning_rate(self.optimizer, rate)
        self.optimizer.zero_grad(set_to_none=True)
        values: dict[str, float] = {}
        parts = self.parts(batch, config.accumulate)
        for number, part in enumerate(parts):
            losses = self._forward(part, number)
            for name, one in losses.items():
                values[name] = values.get(name, 0.0) + float(self.team.total(one.detach()))
            broken = [f"the {name} is {value}" for name, value in values.items() if not math.isfinite(value)]
            if broken:
                raise Diverged(
                    f"{', '.join(broken)} at step {step}, learning rate {rate:.3g}: lower the rate, add warmup_steps "
                    "or gradient_clip, and make sure that the images hold no NaN"
                )
            # The gradients are averaged over the processes, the loss is a sum of parts: hence the factor.
            loss = torch.stack(list(losses.values())).sum() * self.team.count
            with self.team.without_exchange(self.parallel, number + 1 < len(parts)):
                self.scaler.scale(loss).backward()
        if config.gradient_clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), config.gradient_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update(self.model)
        self.note_losses(values)
        self.result.learning_rates.append(rate)

    def _forward(self, batch: Any, part: int) -> dict[str, Tensor]:
        """The losses of a part of the step that is due, the network in training mode."""
        self.model.train()
        if self.config.freeze_batch_norm:
            freeze_batch_norm(self.model)
        where = (self.config.seed, 2, self.result.steps, self.team.rank, *([part] if part else []))
        with seeded(*where, device=self.team.device):
            return self.losses(batch)
