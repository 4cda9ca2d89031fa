"""Training a semantic network.

Shapes: B images, K classes, H W input. One step: B pictures from the stream, normalized by the network's own
preprocessing -> logits B x K x H x W -> loss at label resolution -> gradient -> optimizer. The steps are made by `Run`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.inference.devices import dtype_of
from segtutor.inference.evaluate import count, tell_of_one_class
from segtutor.inference.predict import check_semantic, preprocessing_of
from segtutor.inference.samples import difference_of_classes, label_set
from segtutor.models.wrappers import class_names_of, inner
from segtutor.training.around import prepared
from segtutor.training.config import TrainingConfig
from segtutor.training.losses import valid_weight
from segtutor.training.objectives import objective
from segtutor.training.precision import autocast
from segtutor.training.processes import Processes
from segtutor.training.run import Run, mean_of_last
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
    on; a second Ctrl-C stops at once. After an error the checkpoint is written, too, and the error says where it is.
    Before the first step the places to write are tried, and one item of the validation set. Under torchrun or
    accelerate each process calls ``fit`` in the same way, and ``batch_size`` is the sum over the processes.

    Args:
        model: Semantic network with as many classes as the data set.
        train: Training set: ``train[i]`` is (image 3 x H x W uint8 or float 0-1, label map H x W), ``train.labels`` a
            LabelSet; or a Subset, a ConcatDataset or a part of a random_split of such sets. Random transforms in it are
            seeded, and resumed, too.
        val: Validation set with the same classes, or None.
        config: The settings.
        resume: Go on from ``config.checkpoint``. If there is no such file yet, start; so the same call serves both.
            The run may be longer than it was to be.

    Raises:
        ValueError: If data, network and settings do not fit together, if the checkpoint belongs to another run, or if
            the loss is no longer a number.
    """
    check_semantic(model)
    labels = label_set(train)
    check_same_classes(labels, val)
    names = class_names_of(model)
    if names is not None and len(names) == len(labels) and difference_of_classes(names, labels.names):
        warnings.warn(
            f"the network's weights know as many classes by other names or in another order "
            f"({difference_of_classes(names, labels.names)}): they are now trained for {labels.title}",
            stacklevel=2,
        )
    with prepared(model, config, resume) as team:
        return _Run(model, train, val, config, team).go(resume)


def check_same_classes(labels: Any, val: Any | None) -> None:
    """Refuses a validation set whose numbers mean something else than those of the training set.

    Raises:
        ValueError: If number, names or order of the classes differ.
    """
    if val is None:
        return
    others = label_set(val)
    if len(others) != len(labels):
        raise ValueError(f"the training set has {len(labels)} classes, but the validation set {len(others)}")
    difference = difference_of_classes(labels.names, others.names)
    if difference:
        raise ValueError(
            f"the training set {labels.title} and the validation set {others.title} do not number the same classes "
            f"alike ({difference}): give both one table of classes"
        )


class _Run(Run[TrainingResult]):
    """A run with label maps: a score for each pixel."""

    def __init__(self, model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, team: Processes) -> None:
        labels = label_set(train)
        self.preprocessing = preprocessing_of(model)
        self.stream = SampleStream(
            train,
            config.seed,
            config.flip,
            config.crop,
            labels.ignore_index,
            self.preprocessing.mean,
            num_classes=len(labels),
            scale=config.scale,
            rotate=config.rotate,
            jitter=config.jitter,
        )
        super().__init__(model, val, config, team, labels, len(train), TrainingResult())
        self.class_weights = self._class_weights()
        self.dtype = dtype_of(model)
        self.seen: set[int] | None = set()  # classes met so far; None once there are two, or it has been told

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

    def parts(self, batch: Any, count: int) -> list[Any]:
        # Each part knows the weight of the whole, by which its sum over pixels is divided.
        whole = valid_weight(batch[1].to(self.team.device), self.labels.ignore_index, self.class_weights)
        return [(*part, whole) for part in super().parts(batch, count)]

    def losses(self, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = (part.to(self.team.device, non_blocking=True) for part in batch[:2])
        self._watch(batch[1])
        # B x 3 x H x W and B x H x W
        images = self.preprocessing.normalize(images).to(self.dtype)
        if self.config.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return {"loss": self._loss(images, labels, batch[2])}

    def _watch(self, labels: Tensor) -> None:
        """Tells, once, if the first pictures hold one class only: the loss then falls to 0 and means nothing."""
        if self.seen is None:
            return
        self.seen |= set(torch.unique(labels).tolist()) - {self.labels.ignore_index}
        done = (self.result.steps + 1) * self.config.batch_size
        if len(self.seen) > 1:
            self.seen = None
        elif done >= min(len(self.stream.dataset), 200) or self.result.steps + 1 == self.steps:
            there = f"is {self.labels.names[next(iter(self.seen))]!r}" if self.seen else "is void"
            warnings.warn(
                f"every labeled pixel of the first {done} training pictures {there}: the loss falls to 0 without "
                "anything being learned. Look at the masks: were they read as the numbers that the table of classes "
                "names?",
                stacklevel=2,
            )
            self.seen = None

    def _loss(self, images: Tensor, labels: Tensor, whole: Tensor) -> Tensor:
        """This process's part of the batch's loss: its pixels' sum, divided by the whole batch's valid pixels.

        For losses that are no sums over pixels, see ``objective``.
        """
        with autocast(images.device, self.result.precision):
            output = self.parallel(images)
        own = getattr(inner(self.model), "loss_of_labels", None)
        if own is not None:  # A network of mask classification: its masks are matched, not compared pixel by pixel.
            return own(output, labels, self.labels.ignore_index) / (self.team.count * self.config.accumulate)
        logits = output if isinstance(output, dict) else {"out": output}
        if logits["out"].shape[1] != len(self.labels):
            raise ValueError(
                f"the network has {logits['out'].shape[1]} classes, but {self.labels.title} has {len(self.labels)}: "
                f"create it with num_classes={len(self.labels)}"
            )
        ignore_index = self.labels.ignore_index
        weights = self.class_weights
        valid, shares = self.team.total(whole), self.team.count * self.config.accumulate

        def loss_of(scores: Tensor) -> Tensor:
            return objective(self.config.loss, scores, labels, ignore_index, weights, valid, shares)

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
        if self.team.rank == 0:
            tell_of_one_class(confusion, self.labels)
        self.result.validations.append(Validation(step, confusion.mean_iou(), confusion.pixel_accuracy()))

    def try_one(self, val: Any) -> None:
        count(self.model, val, range(1), {}, num_workers=0, progress=False)

    def scores(self) -> list[dict[str, float]]:
        return [asdict(one) for one in self.result.validations]

    def columns(self) -> dict[str, list[float]]:
        return {"loss": self.result.losses}

    def recent(self) -> dict[str, str]:
        facts = {"loss": mean_of_last(self.result.losses)}
        if self.result.validations:
            facts["val mIoU"] = f"{self.result.validations[-1].mean_iou:.3f}"
        return facts

    def read_record(self, record: dict[str, Any]) -> TrainingResult:
        validations = [Validation(**validation) for validation in record["validations"]]
        return TrainingResult(**{**record, "validations": validations})
