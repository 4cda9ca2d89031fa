"""Training a network of mask classification on objects: things and stuff, as a panoptic data set tells them.

One step: B pictures and their segments from the stream -> the network -> queries matched with segments, three losses
-> gradient -> optimizer. ``fit`` trains the same networks on label maps, where a class is one object.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from segtutor.inference.devices import dtype_of
from segtutor.inference.masks import check_mask_classifier, count_panoptic
from segtutor.inference.predict import preprocessing_of
from segtutor.inference.samples import label_set
from segtutor.models.mask_classification.matching import Objects, objects_of_segments
from segtutor.models.wrappers import inner
from segtutor.training.around import prepared
from segtutor.training.config import TrainingConfig
from segtutor.training.loop import check_same_classes
from segtutor.training.parts import PartsRecord, PartsRun, refuse_settings
from segtutor.training.precision import autocast
from segtutor.training.processes import Processes
from segtutor.training.stream import Shuffled, batches, pictures_and_targets

MEANINGLESS = {
    "loss": "the losses of matched masks are part of the network",
    "auxiliary_weight": "every layer has its own losses, all with the same weight",
    "class_weights": "classes are weighted per object, not per pixel",
    "crop": "it is trained on whole pictures of one size",
    "scale": "it is trained on whole pictures of one size",
    "rotate": "pictures are only mirrored",
    "jitter": "colors are left alone",
}
"""Settings that only networks with a class per pixel have, and why."""


@dataclass(frozen=True)
class PanopticValidation:
    """One evaluation during training: after how many steps, and PQ on the validation set, of all, things, stuff."""

    step: int
    PQ: float
    things: float
    stuff: float


@dataclass
class PanopticResult(PartsRecord[PanopticValidation]):
    """The record of a run, with the losses "classes", "mask" and "dice", weighted and summed over the layers."""


def fit_panoptic(
    model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, *, resume: bool = False
) -> PanopticResult:
    """Train a network of mask classification to tell things from each other, too.

    What holds for ``fit`` holds here.

    Args:
        model: Network of mask classification with as many classes as the data set.
        train: Training set: ``train[i]`` is (image 3 x H x W uint8 or float 0-1, dict of segments H x W and
            segments_info), as ``Scenes(target="panoptic")`` gives them; ``train.labels`` a LabelSet. Category ids are
            the LabelSet's numbers. All pictures have one size.
        val: Validation set, or None.
        config: The settings; those of label maps must be left as they are.
        resume: Go on from ``config.checkpoint``. If there is no such file yet, start; so the same call serves both.

    Raises:
        ValueError: If data, network and settings do not fit together, if the checkpoint belongs to another run, or if
            a loss is no longer a number.
    """
    refuse_settings(config, MEANINGLESS)
    check_mask_classifier(model, train)
    check_same_classes(label_set(train), val)
    with prepared(model, config, resume) as team:
        return _PanopticRun(model, train, val, config, team).go(resume)


class SegmentStream(Shuffled):
    """Pictures and their objects by their position in the run.

    Args:
        dataset: The training set.
        seed: See `Shuffled`.
        flip: Mirror half of the samples.
    """

    def __init__(self, dataset: Any, seed: int, flip: bool) -> None:
        super().__init__(dataset, seed)
        self.flip = flip

    def _augment(self, image: Tensor, target: Any) -> tuple[Tensor, Objects]:
        if not isinstance(target, Mapping) or "segments" not in target:
            raise ValueError(
                "the target must be a dict of segments and segments_info, but this data set gives a "
                f'{type(target).__name__}: ask it for them, as Scenes(target="panoptic") does'
            )
        image, segments = image.as_subclass(Tensor), target["segments"].as_subclass(Tensor)
        if self.flip and random.random() < 0.5:
            image, segments = image.flip(-1), segments.flip(-1)
        return image, objects_of_segments(segments, target["segments_info"])


class _PanopticRun(PartsRun[PanopticResult]):
    """A run with segments."""

    def __init__(self, model: nn.Module, train: Any, val: Any | None, config: TrainingConfig, team: Processes) -> None:
        self.stream = SegmentStream(train, config.seed, config.flip)
        super().__init__(model, val, config, team, label_set(train), len(train), PanopticResult())
        self.preprocessing = preprocessing_of(model)
        self.dtype = dtype_of(model)

    def loader(self, steps: range) -> Iterable[Any]:
        config, team = self.config, self.team
        return batches(
            self.stream, config.batch_size, steps, config.num_workers, team.rank, team.count, pictures_and_targets
        )

    def losses(self, batch: tuple[Tensor, list[Objects]]) -> dict[str, Tensor]:
        images = batch[0].to(self.team.device, non_blocking=True)
        objects = [one.to(self.team.device) for one in batch[1]]
        images = self.preprocessing.normalize(images).to(self.dtype)
        with autocast(images.device, self.result.precision):
            output = self.parallel(images)
        losses: dict[str, Tensor] = inner(self.model).loss_of_objects(output, objects)  # type: ignore[operator]
        # Each process has divided by its share of the objects of all: the run wants parts of a sum.
        return {name: loss / (self.team.count * self.config.accumulate) for name, loss in losses.items()}

    def validate(self, val: Any, step: int) -> None:
        quality, _ = count_panoptic(self.model, val, range(self.team.rank, len(val), self.team.count))
        whole, *others = self.team.all_of(quality)
        for other in others:
            whole.merge(other)
        scores = whole.scores()
        self.result.validations.append(PanopticValidation(step, scores.overall.PQ, scores.things.PQ, scores.stuff.PQ))

    def try_one(self, val: Any) -> None:
        count_panoptic(self.model, val, range(1))

    def scores(self) -> list[dict[str, float]]:
        return [{"step": one.step, "PQ": one.PQ, "PQ of things": one.things} for one in self.result.validations]

    def recent(self) -> dict[str, str]:
        facts = {"loss": self.recent_loss()}
        if self.result.validations:
            facts["val PQ"] = f"{self.result.validations[-1].PQ:.3f}"
        return facts

    def read_record(self, record: dict[str, Any]) -> PanopticResult:
        validations = [PanopticValidation(**validation) for validation in record["validations"]]
        return PanopticResult(**{**record, "validations": validations})
