"""Training a detector: the same run as for semantic networks, with objects for label maps and five losses for one.

One step: B pictures and their objects from the stream -> the network, which normalizes them itself -> its losses, added
with weight 1 each (Mask R-CNN §3) -> gradient -> optimizer. The network's random choices, which anchors and regions
enter the losses, are seeded per step.

Under torchrun each process takes its part of the batch, and the losses are the mean of the processes': as on one
process but for this, that a process with fewer objects counts as much as one with more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from segtutor.inference.detect import check_classes
from segtutor.inference.detect_scores import CocoScores
from segtutor.inference.devices import dtype_of
from segtutor.inference.samples import label_set, place_of
from segtutor.training.around import prepared
from segtutor.training.config import TrainingConfig
from segtutor.training.detection_stream import DetectionStream, collate
from segtutor.training.loop import check_same_classes
from segtutor.training.parts import PartsRecord, PartsRun, refuse_settings
from segtutor.training.precision import autocast
from segtutor.training.processes import Processes
from segtutor.training.stream import batches

MEANINGLESS = {
    "loss": "a detector has the losses of its branches",
    "auxiliary_weight": "a detector has no auxiliary head",
    "class_weights": "a detector's classes are balanced by the choice of regions, see settings.roi_positive_fraction",
    "crop": "a detector is trained on whole pictures of any size",
    "scale": "a detector resizes its pictures itself, see settings.short_side",
    "rotate": "turned boxes are no boxes",
    "jitter": "the colors of a detector's pictures are left alone",
}
"""Settings that only semantic networks have, and why."""


@dataclass(frozen=True)
class DetectorValidation:
    """One evaluation during training: after how many steps, and COCO's scores on the validation set.

    Attributes:
        step: Steps done.
        boxes: Scores by boxes, see ``DetectorEvaluation``.
        masks: Scores by masks; None without a mask branch.
    """

    step: int
    boxes: dict[str, float]
    masks: dict[str, float] | None


@dataclass
class DetectionResult(PartsRecord[DetectorValidation]):
    """The record of a run, with the loss of each branch."""


def fit_detector(
    model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, *, resume: bool = False
) -> DetectionResult:
    """Train a detector.

    What holds for ``fit`` holds here: the model ends in the mode in which it came, the caller's random generators are
    not touched, an interrupted run writes its checkpoint, on a CPU a resumed one ends with the same bits, and under
    torchrun or accelerate each process calls ``fit_detector`` in the same way.

    Args:
        model: Detector with as many classes as the data set, background included.
        train: Training set: ``train[i]`` is (image 3 x H x W uint8 or float 0-1, dict of boxes G x 4, labels G and
            masks G x H x W), ``train.labels`` a LabelSet. Pictures may differ in size and have no object.
        val: Validation set, or None.
        config: The settings; loss, auxiliary_weight, class_weights and crop must be left as they are.
        resume: Go on from ``config.checkpoint``. If there is no such file yet, start; so the same call serves both.

    Raises:
        ValueError: If data, network and settings do not fit together, if the checkpoint belongs to another run, or if
            a loss is no longer a number.
    """
    refuse_settings(config, MEANINGLESS)
    check_classes(model, train)
    if val is not None:
        check_classes(model, val)
        check_same_classes(label_set(train), val)
    with prepared(model, config, resume) as team:
        return _DetectorRun(model, train, val, config, team).go(resume)


class _DetectorRun(PartsRun[DetectionResult]):
    """A run with objects."""

    def __init__(self, model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, team: Processes) -> None:
        self.stream = DetectionStream(train, config.seed, config.flip)
        super().__init__(model, val, config, team, label_set(train), len(train), DetectionResult())
        self.dtype = dtype_of(model)
        self.looked_at = (-1, 0)  # a step, and how many of its pictures went through the network

    def loader(self, steps: range) -> Iterable[Any]:
        config, team = self.config, self.team
        return batches(self.stream, config.batch_size, steps, config.num_workers, team.rank, team.count, collate)

    def losses(self, batch: tuple[list[Tensor], list[dict[str, Tensor]]]) -> dict[str, Tensor]:
        images, targets = batch
        images = [image.to(self.dtype) if image.is_floating_point() else image for image in images]
        with autocast(self.team.device, self.result.precision):
            try:
                losses: dict[str, Tensor] = self.parallel(images, targets)
            except ValueError as error:
                raise self._named(error) from error
        self.looked_at = (self.result.steps, self._before() + len(images))
        return {name: loss.float() / (self.team.count * self.config.accumulate) for name, loss in losses.items()}

    def _before(self) -> int:
        """How many pictures of this step went through the network in earlier parts of the batch."""
        step, pictures = self.looked_at
        return pictures if step == self.result.steps else 0

    def _named(self, error: ValueError) -> ValueError:
        """What the network says of the n-th picture of a batch, said of the item that it is in the data set."""
        place, _, rest = str(error).partition(" ")
        number, _, reason = rest.partition(" ")
        digits = number.rstrip(":,")
        if place != "image" or not digits.isdigit():
            return error
        share = self.config.batch_size // self.team.count
        position = self.result.steps * self.config.batch_size + self.team.rank * share + self._before() + int(digits)
        named = place_of(self.stream.dataset, self.stream.index_at(position))
        return ValueError(f"{named}{number.removeprefix(digits)} {reason}")

    def validate(self, val: Any, step: int) -> None:
        # Each process detects on its share; COCO's scores need all detections in one place, and take seconds there.
        scores = CocoScores(self.model, val)
        scores.look_at(range(self.team.rank, len(val), self.team.count))
        score = scores.joined(self.team.all_of(scores.found))
        self.result.validations.append(DetectorValidation(step, score.boxes, score.masks))

    def try_one(self, val: Any) -> None:
        CocoScores(self.model, val).look_at(range(1))

    def scores(self) -> list[dict[str, float]]:
        return [
            {"step": one.step, "mask AP": one.masks["AP"], "box AP": one.boxes["AP"]}
            if one.masks is not None
            else {"step": one.step, "box AP": one.boxes["AP"]}
            for one in self.result.validations
        ]

    def recent(self) -> dict[str, str]:
        facts = {"loss": self.recent_loss()}
        if self.result.validations:
            last = self.result.validations[-1]
            kind, scores = ("box", last.boxes) if last.masks is None else ("mask", last.masks)
            facts[f"val {kind} AP50"] = f"{scores['AP50']:.3f}"
        return facts

    def read_record(self, record: dict[str, Any]) -> DetectionResult:
        validations = [DetectorValidation(**validation) for validation in record["validations"]]
        return DetectionResult(**{**record, "validations": validations})
