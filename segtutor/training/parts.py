"""A run whose loss has parts with names: what detectors and networks of mask classification record alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from segtutor.training.config import TrainingConfig
from segtutor.training.run import Run, mean_of_last

ValidationType = TypeVar("ValidationType")


@dataclass
class PartsRecord(Generic[ValidationType]):
    """The record of such a run.

    Attributes:
        losses: For each part of the loss, by its name, its value in each step.
        learning_rates: Learning rate of each step, before the factors of head and biases.
        validations: Scores on the validation set, in the order in which they were taken.
        seconds: Time in the loop, evaluations included, interruptions not.
        precision: In which the steps were made.
    """

    losses: dict[str, list[float]] = field(default_factory=dict)
    learning_rates: list[float] = field(default_factory=list)
    validations: list[ValidationType] = field(default_factory=list)
    seconds: float = 0.0
    precision: str = ""

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.learning_rates)

    @property
    def total_losses(self) -> list[float]:
        """The sum of the parts in each step."""
        return [sum(parts) for parts in zip(*self.losses.values(), strict=True)]


PartsRecordType = TypeVar("PartsRecordType", bound=PartsRecord[Any])


class PartsRun(Run[PartsRecordType]):
    """A run with such a record."""

    def note_losses(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.result.losses.setdefault(name, []).append(value)

    def columns(self) -> dict[str, list[float]]:
        return self.result.losses

    def recent_loss(self) -> str:
        """The mean of the last steps' sums, as the progress bar shows it."""
        last = zip(*(values[-20:] for values in self.result.losses.values()), strict=True)
        return mean_of_last([sum(parts) for parts in last])


def refuse_settings(config: TrainingConfig, meaningless: Mapping[str, str]) -> None:
    """Refuses settings that a kind of network has no use for.

    Args:
        config: The settings.
        meaningless: Why, by the setting's name.

    Raises:
        ValueError: If one of them is not left as it is.
    """
    for name, reason in meaningless.items():
        if getattr(config, name) != getattr(TrainingConfig, name):
            raise ValueError(f"{name} is {getattr(config, name)!r}, but {reason}: leave it out")
