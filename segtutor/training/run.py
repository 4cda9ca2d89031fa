"""A run between its steps: what training a detector and training a semantic network have in common.

Step s depends on the weights, the optimizer's state, and (seed, s): the stream knows its place, the learning rate is a
function of s, and dropout and every other choice of the network is seeded per step. So a checkpoint holds no
generator's state, and a run that was interrupted and resumed ends, on a CPU, with the same bits as one that was not.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from segtutor.bars import tqdm
from segtutor.files import prove_writable, write_or_rescue
from segtutor.inference.samples import in_one_sentence
from segtutor.models.containers import without_wrappers
from segtutor.models.torch_files import save_torch
from segtutor.models.wrappers import attribute_of, inner
from segtutor.training.checkpoints import FORMAT, load_run, save_run
from segtutor.training.config import TrainingConfig
from segtutor.training.logs import Board, write_log
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


class Diverged(ValueError):
    """A loss is no longer a number: the weights are not worth keeping."""


class Run(ABC, Generic[RecordType]):
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
        self.model, self.val, self.config, self.team, self.result = model, val, config, team, result
        self.labels = labels
        self.steps = config.total_steps(samples)
        self.course = {**config.course(), "steps": self.steps, "samples": samples, "classes": list(labels.names)}
        self.optimizer = build_optimizer(model, config)
        self.scaler = self._scaler()
        self.average = Average(model, config.average) if config.average is not None else None
        self.saved_step = -1  # of the last checkpoint
        self.begun = 0  # steps before this process
        self.board: Board | None = None
        self.rescued: Path | None = None  # where checkpoints go if their own place fails

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
        self.parallel = self.team.wrap(self.model)
        if self.config.compile:
            self.parallel = torch.compile(self.parallel)  # type: ignore[assignment]
        hidden = not self.config.progress or self.team.rank > 0
        bar = tqdm(total=self.steps, initial=first, desc="train", unit="step", disable=hidden)
        with bar, _stop_after_the_step(enabled=self.team.count == 1) as stop:
            try:
                if first and self._validation_due() and first not in self._validated():
                    self._validate()  # the run ended in this validation
                for batch in () if self._finished() else self.loader(range(first, self.steps)):
                    if not self.result.precision:
                        self._settle_precision(batch)
                    self._step(batch)
                    self.result.seconds = before + time.perf_counter() - begun
                    self._between_steps(bar)
                    if stop.is_set():
                        raise KeyboardInterrupt
                    if self._finished():
                        break
            except KeyboardInterrupt:
                self._save_after(None)
                raise
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

    def _settle_precision(self, batch: Any) -> None:
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
        self.scaler = self._scaler()

    def _scaler(self) -> torch.amp.GradScaler:
        """Scales the loss in float16, whose small numbers would be 0; does nothing in other precisions."""
        precision = self.result.precision or self.config.precision
        return torch.amp.GradScaler(self.team.device.type, enabled=precision == "float16")

    def _forward(self, batch: Any, part: int) -> dict[str, Tensor]:
        """The losses of a part of the step that is due, the network in training mode."""
        self.model.train()
        if self.config.freeze_batch_norm:
            freeze_batch_norm(self.model)
        where = (self.config.seed, 2, self.result.steps, self.team.rank, *([part] if part else []))
        with seeded(*where, device=self.team.device):
            return self.losses(batch)

    def _prove(self) -> None:
        """What would fail only after the work is tried before it: the places to write, and an item to validate on."""
        config = self.config
        if self.team.rank == 0:
            if config.checkpoint is not None:
                Path(config.checkpoint).absolute().parent.mkdir(parents=True, exist_ok=True)
                prove_writable(config.checkpoint, lambda path: save_torch(self._state(), path))
            for other in (config.best, config.log):
                if other is not None:
                    prove_writable(other)
        if config.best is not None and self.val is None:
            raise ValueError("best needs a validation set: the best weights are those that score best on it")
        if self.val is not None:
            if len(self.val) == 0:
                raise ValueError("the validation set is empty")
            with seeded(config.seed, 3):
                self.try_one(self.val)

    def _validated(self) -> set[int]:
        return {int(one["step"]) for one in self.scores()}

    def _validation_due(self) -> bool:
        step = self.result.steps
        return self.val is not None and (step == self.steps or _due(step, self.config.evaluate_every))

    def _finished(self) -> bool:
        """Whether all steps are done, or the last evaluations were no better than one before them."""
        if self.result.steps >= self.steps:
            return True
        patience, values = self.config.patience, [_second(one) for one in self.scores()]
        return patience is not None and len(values) > patience and max(values[-patience:]) <= max(values[:-patience])

    def _step(self, batch: Any) -> None:
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

    def parts(self, batch: Any, count: int) -> list[Any]:
        """A batch in parts whose gradients are added up."""
        if count == 1:
            return [batch]
        images, targets = batch
        size = -(-len(images) // count)
        return [(images[i : i + size], targets[i : i + size]) for i in range(0, len(images), size)]

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
        if self.config.best is not None and self.team.rank == 0 and values[-1] >= max(values):
            self._write(self.config.best, {**self._about(), "model": self._best_weights(), "notes": self.scores()[-1]})
        if self._finished():
            self._save()  # with the score
        self._log()

    def _best_weights(self) -> dict[str, Tensor]:
        return inner(self.model).state_dict() if self.average is None else self.average.state

    def _log(self) -> None:
        if self.config.log is not None and self.team.rank == 0:
            columns = {**self.columns(), "learning_rate": self.result.learning_rates}
            try:
                write_log(self.config.log, columns, self.scores())
                self.board = self.board or Board(self.config.log, self.begun)
                self.board.tell(columns, self.scores())
            except OSError as error:
                print(f"the log {self.config.log} cannot be written: {error}", file=sys.stderr)

    def _about(self) -> dict[str, Any]:
        """What is needed to build the network again from its weights."""
        network, preprocessing = inner(self.model), attribute_of(self.model, "preprocessing")
        config = getattr(network, "config", None)
        return {
            "config": asdict(config) if is_dataclass(config) and not isinstance(config, type) else None,
            "preprocessing": asdict(preprocessing) if is_dataclass(preprocessing) else None,  # type: ignore[arg-type]
            "classes": list(self.labels.names),
        }

    def _state(self) -> dict[str, Any]:
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

    def _save(self) -> None:
        if self.config.checkpoint is None or self.team.rank > 0:
            return
        self._write(self.config.checkpoint, self._state())
        self.saved_step = self.result.steps
        self._log()

    def _write(self, path: str | Path, content: dict[str, Any]) -> None:
        """Writes a file of the run. A place that fails in the middle of a run does not end it; at its end, it does."""
        try:
            save_run(path, content)
        except OSError as error:
            try:
                if self.rescued is None:
                    self.rescued = write_or_rescue(path, lambda other: save_torch(content, other))
                else:
                    save_run(self.rescued, content)
            except OSError:
                if self._finished():
                    raise error from None
                print(f"{path} cannot be written ({error}); the run goes on and tries again later", file=sys.stderr)

    def _save_after(self, error: Exception | None) -> None:
        """Keeps what was done before an interruption (None) or an error, and adds to the error where it is."""
        checkpoint, step = self.config.checkpoint, self.result.steps
        if checkpoint is None or self.team.rank > 0 or isinstance(error, Diverged) or (error is not None and step == 0):
            return
        if self.saved_step != step:
            try:
                self._save()
            except Exception as trouble:  # the first error is the one to be told
                print(f"{checkpoint} cannot be written: {trouble}", file=sys.stderr)
                return
        if error is not None and self.saved_step == step:
            error.add_note(
                f"the run's {step} steps are in {self.rescued or checkpoint}; once this is repaired, go on from there "
                "with resume"
            )

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
        self.scaler = self._scaler()
        if run.get("scaler"):
            self.scaler.load_state_dict(run["scaler"])
        if self.average is not None and run.get("average"):
            self.average.state = {key: value.to(self.team.device) for key, value in run["average"].items()}
            self.average.updates = self.result.steps
        self.saved_step = self.result.steps
        begun = run["course"]["steps"]
        if begun != self.steps:
            warnings.warn(
                f"the run was to have {begun} steps and shall now have {self.steps}: it goes on after step "
                f"{self.result.steps} with the learning rates of the new length, so that it ends otherwise than one of "
                f"{self.steps} steps from its beginning",
                stacklevel=4,
            )


class Average:
    """A running average of a network's weights (Polyak and Juditsky 1992), smoother than the weights themselves.

    In its first steps it follows more closely, with the decay (1 + n) / (10 + n), so that the random beginning is
    forgotten. Running statistics of batch norm are averaged like weights; counters are taken as they are.

    Args:
        model: The network.
        decay: Share of the average that remains after a step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.state = {key: value.detach().clone() for key, value in inner(model).state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """After a step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in inner(model).state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value, 1 - decay)
            else:
                self.state[key].copy_(value)

    def give_to(self, model: nn.Module) -> None:
        """The network has the average from now on."""
        inner(model).load_state_dict(self.state)

    @contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """Inside, the network has the average; after, its own weights again."""
        own = {key: value.detach().clone() for key, value in inner(model).state_dict().items()}
        self.give_to(model)
        try:
            yield
        finally:
            inner(model).load_state_dict(own)


@contextmanager
def prepared(model: nn.Module, config: TrainingConfig, resume: bool) -> Iterator[Processes]:
    """The processes of a run; inside, the model is on its device; after, it is in the mode in which it came."""
    if resume and config.checkpoint is None:
        raise ValueError("resume needs config.checkpoint, the file to go on from")
    with processes(config.device) as team:
        if config.batch_size % (team.count * config.accumulate):
            parts = f" in {config.accumulate} parts each" if config.accumulate > 1 else ""
            raise ValueError(f"batch_size {config.batch_size} cannot be divided among {team.count} processes{parts}")
        kinds = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.is_floating_point()}
        if kinds & {"float16", "bfloat16"}:
            raise ValueError(
                f"the network's weights are {', '.join(sorted(kinds))}, in which small steps are lost: train "
                "model.float(), with precision='bfloat16' if the computation shall be in 16 bits"
            )
        model.to(team.device)
        if config.channels_last:
            model.to(memory_format=torch.channels_last)
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


def _second(scores: dict[str, float]) -> float:
    """The score that counts; one that is no number counts least."""
    value = list(scores.values())[1]
    return value if math.isfinite(value) else -math.inf


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
