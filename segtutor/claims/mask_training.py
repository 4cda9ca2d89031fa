"""A controlled training of the small Mask2Former on a frozen backbone, scored on its way by masks and by label maps.

As in ``lengths``, the learning rate stays constant after its rise and a running average of the weights is scored, so
that one training tells what is known early and what late.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segtutor import models, resources
from segtutor.claims.claim import Values
from segtutor.claims.masks import SegmentPictures, components, score_masks, segments
from segtutor.labels import SCENES
from segtutor.metrics.panoptic import PanopticQuality
from segtutor.training import TrainingConfig, fit_panoptic

LENGTHS = (150, 450)
"""Steps at which a network is scored: a third of the training, and all of it."""
SIZE = (96, 128)
KINDS = ("street", "park")
CROWD = 1.0
DECAY = 0.98
"""Of the running average: it remembers the last fifty steps or so."""
WARMUP = 20


def scenes(split: str, count: int) -> SegmentPictures:
    """What is learned from and scored on."""
    return segments(split, count, CROWD, SIZE, kinds=KINDS)


@dataclass(frozen=True)
class MaskRecipe:
    """What a run depends on beside its seed.

    Attributes:
        masked: Whether a query sees its last mask only.
        fixed: Whether query k answers for class k, without matching.
        lengths: Steps at which it is scored, ascending.
        train_count: Scenes to learn from.
        val_count: Scenes to score on.
        precision: Of the training, see ``Recipe``.
    """

    masked: bool = True
    fixed: bool = False
    lengths: tuple[int, ...] = LENGTHS
    train_count: int = 900
    val_count: int = 100
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Of each length PQ, PQ of things and mean IoU, as "PQ_100"; without number, those of the last."""
        recipe = self.shortened() if short else self
        model = recipe.build(seed)
        values: dict[str, float] = {}
        pictures, held_out = (
            scenes(split, count) for split, count in (("train", recipe.train_count), ("val", recipe.val_count))
        )
        with tempfile.TemporaryDirectory() as folder:
            for number, steps in enumerate(recipe.lengths):
                with (
                    warnings.catch_warnings()
                ):  # another length is another schedule, but not where the rate is constant
                    warnings.filterwarnings("ignore", "the run was to have")
                    config = recipe.config(steps, seed, Path(folder) / "run.pt")
                    result = fit_panoptic(model, pictures, None, config, resume=True)
                losses = result.total_losses[-50:]
                scores = {**score_masks(model, held_out), "loss": sum(losses) / len(losses)}
                when = "early" if number == 0 else "late"
                values |= scores | {f"{when}_{name}": value for name, value in scores.items()}
        return values

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.lengths[-1]

    def build(self, seed: int) -> Any:
        """The network before its training: the backbone of the course's DeepLab v3, which does not learn."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = models.create(
                "mask2former_tiny", num_classes=len(SCENES), queries=len(SCENES), frozen_stages=4,
                masked=self.masked, fixed=self.fixed,
            )  # fmt: skip
        models.load_weights(model, resources.data("checkpoints", "deeplabv3_tiny.pt"), "course_stages")
        return model

    def config(self, steps: int, seed: int, checkpoint: Path) -> TrainingConfig:
        """The settings of a training to this step."""
        return TrainingConfig(
            steps=steps,
            batch_size=8,
            learning_rate=1e-3,
            power=0,
            warmup_steps=WARMUP,
            weight_decay=0.01,
            gradient_clip=1.0,
            head_factor=1.0,
            average=DECAY,
            freeze_batch_norm=True,
            precision=self.precision,
            measure_precision=False,
            checkpoint=checkpoint,
            seed=seed,
            device="cpu",
            progress=False,
        )

    def in_precision(self, precision: str) -> MaskRecipe:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> MaskRecipe:
        """The version of a minute."""
        return replace(self, lengths=(20, 60), train_count=120, val_count=20)


BASE = MaskRecipe()
VOID = SCENES.ignore_index


@dataclass(frozen=True)
class PerfectClasses:
    """What one mask for each class could reach: the truth, with all things of a class as one. Nothing is trained.

    Attributes:
        val_count: Scenes to score on.
    """

    val_count: int = BASE.val_count

    def __call__(self, seed: int, short: bool) -> Values:
        """The scores of the last length; seeds do not matter."""
        by_class, by_regions = PanopticQuality(SCENES), PanopticQuality(SCENES)
        pictures = scenes("val", BASE.shortened().val_count if short else self.val_count)
        for _, target in (pictures[index] for index in range(len(pictures))):
            truth = target["segments"].numpy(), target["segments_info"]
            labels = np.full(truth[0].shape, VOID)
            for one in truth[1]:
                labels[truth[0] == one["id"]] = one["category_id"]
            by_class.update(truth, one_mask_per_class(labels))
            numbers, info = components(labels)
            numbers[labels == VOID] = 0
            by_regions.update(truth, (numbers, [one for one in info if one["category_id"] != VOID]))
        scores = by_class.scores()
        return {
            "early_PQ": float("nan"),
            "late_mean_iou": 1.0,
            "late_PQ_things": scores.things.PQ,
            "late_PQ_stuff": scores.stuff.PQ,
            "late_components_PQ_things": by_regions.scores().things.PQ,
        }


def one_mask_per_class(labels: np.ndarray) -> tuple[np.ndarray, list[dict[str, int]]]:
    """A label map as a panoptic one without instances, H x W, and its list; void stays void."""
    numbers = np.zeros(labels.shape, dtype=np.int64)
    classes = [int(label) for label in np.unique(labels) if label != VOID]
    for number, label in enumerate(classes, start=1):
        numbers[labels == label] = number
    return numbers, [{"id": number, "category_id": label} for number, label in enumerate(classes, start=1)]
