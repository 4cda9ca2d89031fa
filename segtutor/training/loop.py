"""The training loop.

Shapes: B images, K classes, H W input. One step: B pictures from the stream, normalized by the network's own
preprocessing -> logits B x K x H x W -> loss at label resolution -> gradient -> optimizer.

Step s depends on the weights, the optimizer's state, and (seed, s): the stream knows its place, the learning rate is a
function of s, and dropout is seeded per step. So a checkpoint holds no generator's state, and a run that was
interrupted and resumed ends, on a CPU, with the same bits as one that was not.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from segtutor.inference.evaluate import count, label_set
from segtutor.inference.predict import preprocessing_of
from segtutor.training.checkpoints import load_run, save_run
from segtutor.training.config import TrainingConfig
from segtutor.training.losses import valid_weight
from segtutor.training.objectives import objective
from segtutor.training.optimizers import build_optimizer, freeze_batch_norm, set_learning_rate
from segtutor.training.processes import Processes, processes
from segtutor.training.schedules import polynomial
from segtutor.training.stream import SampleStream, batches, seeded


@dataclass(frozen=True)
class Validation:
    """One evaluation during training: after how many steps, and the scores on the validation set."""

    step: int
    mean_iou: float
    pixel_accuracy: float


@dataclass
class TrainingResult:
    """The record of a run.

    Attributes:
        losses: Loss of each step.
        learning_rates: Learning rate of each step, before the factors of head and biases.
        validations: Scores on the validation set, in the order in which they were taken.
        seconds: Time in the loop, evaluations included, interruptions not.
    """

    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.losses)


def fit(
    model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, *, resume: bool = False
) -> TrainingResult:
    """Train a semantic network.

    The model ends on the training device, in the mode in which it came. The caller's random generators are not touched.
    Interrupted (Ctrl-C, the stop button), the step is finished and the checkpoint written before KeyboardInterrupt goes
    on; a second Ctrl-C stops at once. Under torchrun or accelerate each process calls ``fit`` in the same way, and
    ``batch_size`` is the sum over the processes.

    Args:
        model: Semantic network with as many classes as the data set.
        train: Training set: ``train[i]`` is (image 3 x H x W uint8 or float 0-1, label map H x W), ``train.labels`` a
            LabelSet. Random transforms in it are seeded, and resumed, too.
        val: Validation set, or None.
        config: The settings.
        resume: Go on from ``config.checkpoint``. If there is no such file yet, start; so the same call serves both.

    Raises:
        ValueError: If data, network and settings do not fit together, if the checkpoint belongs to another run, or if
            the loss is no longer a number.
    """
    labels = label_set(train)
    if val is not None and len(label_set(val)) != len(labels):
        raise ValueError(f"the training set has {len(labels)} classes, but the validation set {len(val.labels)}")
    if resume and config.checkpoint is None:
        raise ValueError("resume needs config.checkpoint, the file to go on from")
    with processes(config.device) as team:
        if config.batch_size % team.count:
            raise ValueError(f"batch_size {config.batch_size} cannot be divided among {team.count} processes")
        model.to(team.device)
        modes = {module: module.training for module in model.modules()}
        frozen = freeze_batch_norm(model) if config.freeze_batch_norm else []
        try:
            return _Run(model, train, val, config, team, resume).go()
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)
            for module, training in modes.items():
                module.training = training


class _Run:
    """The state of a run between its steps."""

    def __init__(
        self,
        model: nn.Module,
        train: Any,
        val: Any | None,
        config: TrainingConfig,
        team: Processes,
        resume: bool,
    ) -> None:
        self.model, self.val, self.config, self.team = model, val, config, team
        self.labels = train.labels
        self.preprocessing = preprocessing_of(model)
        self.stream = SampleStream(
            train, config.seed, config.flip, config.crop, self.labels.ignore_index, self.preprocessing.mean
        )
        self.class_weights = self._class_weights()
        self.steps = config.total_steps(len(train))
        self.course = {**config.course(), "steps": self.steps, "samples": len(train)}
        self.optimizer = build_optimizer(model, config)
        self.result = TrainingResult()
        if resume and Path(str(config.checkpoint)).exists():
            self._restore()
        team.wait()  # nobody writes the checkpoint before all have read it
        self.parallel = team.wrap(model)

    def _class_weights(self) -> Tensor | None:
        weights = self.config.class_weights
        if weights is None:
            return None
        if len(weights) != len(self.labels):
            raise ValueError(f"there are {len(weights)} class_weights, but {self.labels.title} has {len(self.labels)}")
        return torch.tensor(weights, dtype=torch.float32, device=self.team.device)

    def go(self) -> TrainingResult:
        """All the steps that are left."""
        first, begun, before = self.result.steps, time.perf_counter(), self.result.seconds
        loader = batches(
            self.stream, self.config.batch_size, range(first, self.steps),
            self.config.num_workers, self.team.rank, self.team.count,
        )  # fmt: skip
        hidden = not self.config.progress or self.team.rank > 0
        bar = tqdm(total=self.steps, initial=first, desc="train", unit="step", disable=hidden)
        with bar, _stop_after_the_step(enabled=self.team.count == 1) as stop:
            try:
                for images, labels in loader:
                    self._step(images, labels)
                    self.result.seconds = before + time.perf_counter() - begun
                    self._between_steps(bar)
                    if stop.is_set():
                        raise KeyboardInterrupt
            except KeyboardInterrupt:
                self._save()
                raise
        self.result.seconds = before + time.perf_counter() - begun
        return self.result

    def _step(self, images: Tensor, labels: Tensor) -> None:
        step, device = self.result.steps, self.team.device
        rate = self.config.base_learning_rate * polynomial(
            step, self.steps, self.config.power, self.config.warmup_steps
        )
        set_learning_rate(self.optimizer, rate)
        self.model.train()
        if self.config.freeze_batch_norm:
            freeze_batch_norm(self.model)
        images = self.preprocessing.normalize(images.to(device, non_blocking=True))  # B x 3 x H x W
        labels = labels.to(device, non_blocking=True)  # B x H x W
        with seeded(self.config.seed, 2, step, self.team.rank, device=device):
            loss = self._loss(images, labels)
        # The gradients are averaged over the processes, the loss is a sum of parts: hence the factor.
        value = float(self.team.total(loss.detach()))
        if not math.isfinite(value):
            raise ValueError(
                f"the loss is {value} at step {step}, learning rate {rate:.3g}: lower the rate, add warmup_steps "
                "or gradient_clip, and make sure that the images hold no NaN"
            )
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.team.count).backward()
        if self.config.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        self.result.losses.append(value)
        self.result.learning_rates.append(rate)

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """This process's part of the batch's loss: its pixels' sum, divided by the whole batch's valid pixels.

        For losses that are no sums over pixels, see ``objective``.
        """
        reduced = self.config.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=reduced):
            output = self.parallel(images)
        logits = output if isinstance(output, dict) else {"out": output}
        if logits["out"].shape[1] != len(self.labels):
            raise ValueError(
                f"the network has {logits['out'].shape[1]} classes, but {self.labels.title} has {len(self.labels)}: "
                f"create it with num_classes={len(self.labels)}"
            )
        ignore_index = self.labels.ignore_index
        weights = self.class_weights
        valid = self.team.total(valid_weight(labels, ignore_index, weights))

        def loss_of(scores: Tensor) -> Tensor:
            return objective(self.config.loss, scores, labels, ignore_index, weights, valid, self.team.count)

        loss = loss_of(logits["out"])
        if "aux" in logits:
            loss = loss + self.config.auxiliary_weight * loss_of(logits["aux"])
        for name, scores in logits.items():
            if name.startswith("scale "):  # DeepLab v2 is supervised at each scale of the picture, too.
                loss = loss + loss_of(scores)
        return loss

    def _between_steps(self, bar: tqdm[Any]) -> None:
        step, last = self.result.steps, self.result.steps == self.steps
        if self.val is not None and (last or _due(step, self.config.evaluate_every)):
            self._validate(self.val, step)
        if last or _due(step, self.config.checkpoint_every):
            self._save()
        recent = self.result.losses[-20:]
        facts = {"loss": f"{sum(recent) / len(recent):.3f}", "lr": f"{self.result.learning_rates[-1]:.1e}"}
        if self.result.validations:
            facts["val mIoU"] = f"{self.result.validations[-1].mean_iou:.3f}"
        bar.set_postfix(facts, refresh=False)
        bar.update()

    def _validate(self, val: Any, step: int) -> None:
        share = range(self.team.rank, len(val), self.team.count)
        confusion = self.team.merge(count(self.model, val, share, {}, num_workers=0, progress=False))
        self.result.validations.append(Validation(step, confusion.mean_iou(), confusion.pixel_accuracy()))

    def _save(self) -> None:
        if self.config.checkpoint is not None and self.team.rank == 0:
            save_run(
                self.config.checkpoint,
                {
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "result": asdict(self.result),
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
        record = run["result"]
        record["validations"] = [Validation(**validation) for validation in record["validations"]]
        self.result = TrainingResult(**record)


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
