"""A run between its steps: what training a detector and training a semantic network have in common.

Step s depends on the weights, the optimizer's state, and (seed, s), and the stream knows its place. So a checkpoint
holds no generator's state, and a run that was interrupted and resumed ends, on a CPU, with the same bits as one that
was not.
"""

from __future__ import annotations

import math
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from segtutor.bars import tqdm
from segtutor.inference.samples import in_one_sentence
from segtutor.models.containers import without_wrappers
from segtutor.models.wrappers import attribute_of, inner
from segtutor.training.around import stop_after_the_step
from segtutor.training.checkpoints import FORMAT, load_run
from segtutor.training.config import TrainingConfig
from segtutor.training.places import Places
from segtutor.training.processes import Processes
from segtutor.training.step import Diverged, RecordType, Stepper
from segtutor.training.stream import seeded


class Run(Stepper[RecordType]):
    """The state of a run between its steps.

    Args:
        model: The network, on its device.
        val: Validation set, or None.
        config: The settings.
        team: The processes of the run.
        labels: The classes, a LabelSet.
        samples: Length of the training set.
        result: The record, still empty.
    """

    def __init__(
        self,
        model: nn.Module,
        val: Any | None,
        config: TrainingConfig,
        team: Processes,
        labels: Any,
        samples: int,
        result: RecordType,
    ) -> None:
        super().__init__(model, config, team, config.total_steps(samples), result)
        self.val, self.labels = val, labels
        self.course = {**config.course(), "steps": self.steps, "samples": samples, "classes": list(labels.names)}
        self.places = Places(config, writes=team.rank == 0)
        self.begun = 0  # steps before this process

    @abstractmethod
    def loader(self, steps: range) -> Iterable[Any]:
        """One batch for each of these steps."""

    @abstractmethod
    def validate(self, val: Any, step: int) -> None:
        """Scores the network and writes the scores into the record."""

    @abstractmethod
    def try_one(self, val: Any) -> None:
        """Scores the network on one item of the validation set, and forgets the score."""

    @abstractmethod
    def scores(self) -> list[dict[str, float]]:
        """Of each evaluation, its step and its scores; the second one is what ``best`` and ``patience`` look at."""

    @abstractmethod
    def columns(self) -> dict[str, list[float]]:
        """Of each step, the losses by their names."""

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
        first, begun, before = self.result.steps, time.perf_counter(), self.result.seconds
        self.begun = first
        if not self._finished():
            self._prove()
        setattr(inner(self.model), "class_names", tuple(self.labels.names))  # noqa: B010
        self.wrap()
        hidden = not self.config.progress or self.team.rank > 0
        bar = tqdm(total=self.steps, initial=first, desc="train", unit="step", disable=hidden)
        with bar, stop_after_the_step(enabled=self.team.count == 1) as stop:
            try:
                if first and self._validation_due() and first not in {int(one["step"]) for one in self.scores()}:
                    self._validate()  # the run ended in this validation
                for batch in () if self._finished() else self.loader(range(first, self.steps)):
                    if not self.result.precision:
                        self.settle_precision(batch)
                    self.step(batch)
                    self.result.seconds = before + time.perf_counter() - begun
                    self._between_steps(bar)
                    if stop.is_set():
                        raise KeyboardInterrupt
                    if self._finished():
                        break
            except KeyboardInterrupt:
                self._save_after(None)
                raise
            except Diverged:
                raise  # the last good checkpoint stays
            except Exception as error:
                told = in_one_sentence(error)
                self._save_after(told)
                if told is error:
                    raise
                raise told from error
        if self.average is not None:
            self.average.give_to(self.model)
        self.result.seconds = before + time.perf_counter() - begun
        self._log()
        return self.result

    def _prove(self) -> None:
        """What would fail only after the work is tried before it: the places to write, and an item to validate on."""
        trained = sum(one.numel() * one.element_size() for one in self.model.parameters() if one.requires_grad)
        moments = {"adamw": 2, "sgd": 1}[self.config.optimizer]  # of each weight, from the first step on
        self.places.prove(self._state, room=0 if self.optimizer.state else moments * trained)
        if self.config.best is not None and self.val is None:
            raise ValueError("best needs a validation set: the best weights are those that score best on it")
        if self.val is not None:
            if len(self.val) == 0:
                raise ValueError("the validation set is empty")
            with seeded(self.config.seed, 3):
                self.try_one(self.val)

    def _validation_due(self) -> bool:
        step = self.result.steps
        return self.val is not None and (step == self.steps or _due(step, self.config.evaluate_every))

    def _finished(self) -> bool:
        """Whether all steps are done, or the last evaluations were no better than one before them."""
        if self.result.steps >= self.steps:
            return True
        patience, values = self.config.patience, [_second(one) for one in self.scores()]
        return patience is not None and len(values) > patience and max(values[-patience:]) <= max(values[:-patience])

    def _between_steps(self, bar: tqdm) -> None:
        step, validates = self.result.steps, self._validation_due()
        if validates or step == self.steps or _due(step, self.config.checkpoint_every):
            self._save()  # before the validation, which may find a broken picture
        if validates:
            self._validate()
        bar.set_postfix({**self.recent(), "lr": f"{self.result.learning_rates[-1]:.1e}"}, refresh=False)
        bar.update()

    def _validate(self) -> None:
        """Scores the network, or the running average of its weights, and keeps the best."""
        assert self.val is not None
        if self.average is None:
            self.validate(self.val, self.result.steps)
        else:
            with self.average.in_place_of(self.model):
                self.validate(self.val, self.result.steps)
        values = [_second(one) for one in self.scores()]
        if values[-1] >= max(values):
            self.places.save_best(self._best, last=self._finished())
        if self._finished():
            self._save()  # with the score
        self._log()

    def _save(self) -> None:
        self.places.save(self._state, self.result.steps, last=self._finished())
        self._log()

    def _save_after(self, error: Exception | None) -> None:
        self.places.save_after(error, self._state, self.result.steps)
        self._log()

    def _log(self) -> None:
        columns = {**self.columns(), "learning_rate": self.result.learning_rates}
        self.places.log(columns, self.scores(), self.begun)

    def _about(self) -> dict[str, Any]:
        """What is needed to build the network again from its weights."""
        network, preprocessing = inner(self.model), attribute_of(self.model, "preprocessing")
        config = getattr(network, "config", None)
        return {
            "config": asdict(config) if is_dataclass(config) and not isinstance(config, type) else None,
            "preprocessing": asdict(preprocessing) if is_dataclass(preprocessing) else None,  # type: ignore[arg-type]
            "classes": list(self.labels.names),
        }

    def _best(self) -> dict[str, Any]:
        """The weights that were just scored."""
        weights: dict[str, Tensor] = inner(self.model).state_dict() if self.average is None else self.average.state
        return {**self._about(), "model": weights, "notes": self.scores()[-1]}

    def _state(self) -> dict[str, Any]:
        """Everything that a run needs to go on."""
        return {
            "format": FORMAT,
            "model": inner(self.model).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "result": asdict(self.result),  # type: ignore[call-overload]
            "course": self.course,
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state,
            **self._about(),
        }

    def _restore(self) -> None:
        path = str(self.config.checkpoint)
        run = load_run(path, self.course)
        network = inner(self.model)
        state, _ = without_wrappers(run["model"])
        expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
        if expected != {name: tensor.shape for name, tensor in state.items()}:
            raise ValueError(f"{path} holds the weights of another network than the one given")
        try:
            self.result = self.read_record(run["result"])
            self.optimizer.load_state_dict(run["optimizer"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is the checkpoint of a run of this network, but does not fit ({type(error).__name__}: "
                f"{error}): are other parts of it frozen now?"
            ) from error
        network.load_state_dict(state)
        self.scaler = self.new_scaler()
        if run.get("scaler"):
            self.scaler.load_state_dict(run["scaler"])
        if self.average is not None and run.get("average"):
            self.average.go_on(run["average"], self.result.steps, self.team.device)
        self.places.saved_step = self.result.steps
        begun = run["course"]["steps"]
        if begun != self.steps:
            warnings.warn(
                f"the run was to have {begun} steps and shall now have {self.steps}: it goes on after step "
                f"{self.result.steps} with the learning rates of the new length, so that it ends otherwise than one of "
                f"{self.steps} steps from its beginning",
                stacklevel=4,
            )


def mean_of_last(losses: list[float], count: int = 20) -> str:
    """The mean of the last losses, for the progress bar."""
    last = losses[-count:]
    return f"{sum(last) / len(last):.3f}"


def _second(scores: dict[str, float]) -> float:
    """The score that counts; one that is no number counts least."""
    value = list(scores.values())[1]
    return value if math.isfinite(value) else -math.inf


def _due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0
