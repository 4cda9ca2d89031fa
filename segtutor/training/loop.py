"""Training a semantic network.

Shapes: B images, K classes, H W input. One step: B pictures from the stream, normalized by the network's own
preprocessing -> logits B x K x H x W -> loss at label resolution -> gradient -> optimizer. The steps are made by `Run`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.inference.evaluate import count, label_set
from segtutor.inference.predict import preprocessing_of
from segtutor.training.config import TrainingConfig
from segtutor.training.losses import valid_weight
from segtutor.training.objectives import objective
from segtutor.training.precision import autocast
from segtutor.training.processes import Processes
from segtutor.training.run import Run, mean_of_last, prepared
from segtutor.training.stream import SampleStream, batches


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
        precision: In which the steps were made.
    """

    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    seconds: float = 0.0
    precision: str = ""

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
    with prepared(model, config, resume) as team:
        return _Run(model, train, val, config, team).go(resume)


class _Run(Run[TrainingResult]):
    """A run with label maps: a score for each pixel."""

    def __init__(self, model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, team: Processes) -> None:
        self.labels = train.labels
        self.preprocessing = preprocessing_of(model)
        self.stream = SampleStream(
            train, config.seed, config.flip, config.crop, self.labels.ignore_index, self.preprocessing.mean
        )
        super().__init__(model, val, config, team, len(train), TrainingResult())
        self.class_weights = self._class_weights()

    def _class_weights(self) -> Tensor | None:
        weights = self.config.class_weights
        if weights is None:
            return None
        if len(weights) != len(self.labels):
            raise ValueError(f"there are {len(weights)} class_weights, but {self.labels.title} has {len(self.labels)}")
        return torch.tensor(weights, dtype=torch.float32, device=self.team.device)

    def loader(self, steps: range) -> Iterable[Any]:
        config = self.config
        return batches(self.stream, config.batch_size, steps, config.num_workers, self.team.rank, self.team.count)

    def losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = (part.to(self.team.device, non_blocking=True) for part in batch)
        # B x 3 x H x W and B x H x W
        return {"loss": self._loss(self.preprocessing.normalize(images), labels)}

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """This process's part of the batch's loss: its pixels' sum, divided by the whole batch's valid pixels.

        For losses that are no sums over pixels, see ``objective``.
        """
        with autocast(images.device, self.result.precision):
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

    def note_losses(self, values: dict[str, float]) -> None:
        self.result.losses.append(values["loss"])

    def validate(self, val: Any, step: int) -> None:
        share = range(self.team.rank, len(val), self.team.count)
        confusion = self.team.merge(count(self.model, val, share, {}, num_workers=0, progress=False))
        self.result.validations.append(Validation(step, confusion.mean_iou(), confusion.pixel_accuracy()))

    def recent(self) -> dict[str, str]:
        facts = {"loss": mean_of_last(self.result.losses)}
        if self.result.validations:
            facts["val mIoU"] = f"{self.result.validations[-1].mean_iou:.3f}"
        return facts

    def read_record(self, record: dict[str, Any]) -> TrainingResult:
        validations = [Validation(**validation) for validation in record["validations"]]
        return TrainingResult(**{**record, "validations": validations})
