"""Training a promptable network: it is asked, answers, is told where it was wrong, and answers again (SAM §3, §A).

    picture, segments --> T targets: an object, or all of its class --> click or box --> masks --> losses
                                                                           ^               |
                                                                           +--- a click ---+  rounds - 1 times,
                                                                                              into the error

What is asked, and where, stands in ``asking``. Shapes: B pictures H x W, T prompts of each.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.inference.clicks import clear_clicks, score_clicks
from segtutor.inference.devices import dtype_of
from segtutor.inference.predict import preprocessing_of
from segtutor.inference.prompts import check_promptable
from segtutor.inference.samples import label_set
from segtutor.models.wrappers import inner
from segtutor.training.around import prepared
from segtutor.training.asking import Prompts, PromptSettings, draw_prompts, losses_of_prompts
from segtutor.training.config import TrainingConfig
from segtutor.training.panoptic import MEANINGLESS as MEANINGLESS_FOR_SEGMENTS
from segtutor.training.parts import PartsRecord, PartsRun, refuse_settings
from segtutor.training.precision import autocast
from segtutor.training.processes import Processes
from segtutor.training.stream import Shuffled, batches, pictures_and_targets

MEANINGLESS = {
    **MEANINGLESS_FOR_SEGMENTS,
    "loss": "the losses of a prompt are part of the network",
    "auxiliary_weight": "there is no auxiliary head",
    "class_weights": "a promptable network knows no classes",
}
"""Settings that only networks with a class per pixel have, and why."""


@dataclass(frozen=True)
class PromptValidation:
    """One evaluation during training: after how many steps, and the mean IoU on clear clicks of the validation set.

    Attributes:
        step: Steps done.
        oracle: IoU of the best of the masks.
        chosen: IoU of the mask that the network thinks best of.
    """

    step: int
    oracle: float
    chosen: float


@dataclass
class PromptResult(PartsRecord[PromptValidation]):
    """The record of a run, with the losses "focal", "dice" and "iou", means over the rounds."""


def fit_prompts(
    model: nn.Module,
    train: Any,
    val: Any | None,
    config: TrainingConfig,
    settings: PromptSettings | None = None,
    *,
    resume: bool = False,
) -> PromptResult:
    """Train a promptable network.

    What holds for ``fit`` holds here.

    Args:
        model: A promptable network.
        train: Training set: ``train[i]`` is (image 3 x H x W uint8 or float 0-1, dict of segments H x W and
            segments_info), as ``Scenes(target="panoptic")`` gives them; ``train.labels`` a LabelSet. All pictures have
            one size, a multiple of the network's stride.
        val: Validation set, or None.
        config: The settings; those of label maps must be left as they are.
        settings: How it is asked.
        resume: Go on from ``config.checkpoint``. If there is no such file yet, start; so the same call serves both.

    Raises:
        ValueError: If data, network and settings do not fit together, if the checkpoint belongs to another run, or if
            a loss is no longer a number.
    """
    refuse_settings(config, MEANINGLESS)
    check_promptable(model)
    with prepared(model, config, resume) as team:
        return _PromptRun(model, train, val, config, settings or PromptSettings(), team).go(resume)


class PromptStream(Shuffled):
    """Pictures and what is asked about them, by their position in the run.

    Args:
        dataset: The training set.
        seed: See `Shuffled`.
        flip: Mirror half of the samples.
        settings: What is asked.
    """

    def __init__(self, dataset: Any, seed: int, flip: bool, settings: PromptSettings) -> None:
        super().__init__(dataset, seed)
        self.flip, self.settings = flip, settings

    def _augment(self, image: Tensor, target: Any) -> tuple[Tensor, Prompts]:
        if not isinstance(target, Mapping) or "segments" not in target:
            raise ValueError(
                "the target must be a dict of segments and segments_info, but this data set gives a "
                f'{type(target).__name__}: ask it for them, as Scenes(target="panoptic") does'
            )
        image, segments = image.as_subclass(Tensor), target["segments"].as_subclass(Tensor)
        if self.flip and random.random() < 0.5:
            image, segments = image.flip(-1), segments.flip(-1)
        return image, draw_prompts(segments, target["segments_info"], self.settings)


class _PromptRun(PartsRun[PromptResult]):
    """A run with prompts."""

    def __init__(
        self,
        model: nn.Module,
        train: Any,
        val: Any | None,
        config: TrainingConfig,
        settings: PromptSettings,
        team: Processes,
    ) -> None:
        self.settings = settings
        self.stream = PromptStream(train, config.seed, config.flip, settings)
        super().__init__(model, val, config, team, label_set(train), len(train), PromptResult())
        self.course = {**self.course, **{f"prompts: {name}": value for name, value in asdict(settings).items()}}
        self.preprocessing = preprocessing_of(model)
        self.dtype = dtype_of(model)
        self.clicks = [] if val is None else clear_clicks(val)

    def loader(self, steps: range) -> Iterable[Any]:
        config, team = self.config, self.team
        return batches(
            self.stream, config.batch_size, steps, config.num_workers, team.rank, team.count, pictures_and_targets
        )

    def losses(self, batch: tuple[Tensor, list[Prompts]]) -> dict[str, Tensor]:
        device = self.team.device
        images = self.preprocessing.normalize(batch[0].to(device, non_blocking=True)).to(self.dtype)
        parts = ("targets", "known", "points", "boxes")
        prompts = Prompts(*(torch.stack([getattr(one, name) for one in batch[1]]).to(device) for name in parts))
        with autocast(device, self.result.precision):
            losses = losses_of_prompts(inner(self.model), images, prompts, self.settings)  # type: ignore[arg-type]
        return {name: loss / (self.team.count * self.config.accumulate) for name, loss in losses.items()}

    def validate(self, val: Any, step: int) -> None:
        scores = score_clicks(self.model, val, self.clicks)
        self.result.validations.append(PromptValidation(step, scores.oracle, scores.chosen))

    def try_one(self, val: Any) -> None:
        score_clicks(self.model, val, self.clicks[:1])

    def scores(self) -> list[dict[str, float]]:
        return [asdict(one) for one in self.result.validations]

    def recent(self) -> dict[str, str]:
        facts = {"loss": self.recent_loss()}
        if self.result.validations:
            facts["val IoU"] = f"{self.result.validations[-1].oracle:.3f}"
        return facts

    def read_record(self, record: dict[str, Any]) -> PromptResult:
        validations = [PromptValidation(**validation) for validation in record["validations"]]
        return PromptResult(**{**record, "validations": validations})
