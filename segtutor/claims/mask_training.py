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
from segtutor.claims.contact import Contact
from segtutor.claims.masks import BORDER, SegmentPictures, components, label_map, score_masks, segments
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


def scenes(split: str, count: int, border: float = BORDER) -> SegmentPictures:
    """What is learned from and scored on."""
    return segments(split, count, CROWD, SIZE, kinds=KINDS, border=border)


@dataclass(frozen=True)
class MaskRecipe:
    """What a run depends on beside its seed.

    Attributes:
        masked: Whether a query sees its last mask only.
        fixed: Whether query k answers for class k, without matching.
        lengths: Steps at which it is scored, ascending.
        train_count: Scenes to learn from.
        val_count: Scenes to score on.
        border: Width of the void around things in the truth.
        precision: Of the training, see ``Recipe``.
    """

    masked: bool = True
    fixed: bool = False
    lengths: tuple[int, ...] = LENGTHS
    train_count: int = 900
    val_count: int = 100
    border: float = BORDER
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Of each length PQ, PQ of things and mean IoU, as "PQ_100"; without number, those of the last."""
        recipe = self.shortened() if short else self
        model = recipe.build(seed)
        values: dict[str, float] = {}
        pictures, held_out = recipe.scenes()
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

    def scenes(self) -> tuple[SegmentPictures, SegmentPictures]:
        """Those to learn from, and those to score on."""
        return scenes("train", self.train_count, self.border), scenes("val", self.val_count, self.border)

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
LONG = replace(BASE, lengths=(LENGTHS[1], 3000), train_count=3000, border=0.0)
"""Nearly seven times as many steps, on more scenes: each is seen eight times. Things that touch do so in the truth."""


@dataclass(frozen=True)
class PerfectClasses:
    """What a perfect label map could reach, all things of a class being one, or each region. Nothing is trained.

    A label map that is predicted has no void, so this one has none, either: it is that of the scenes without borders.

    Attributes:
        val_count: Scenes to score on.
        border: Width of the void around things in the truth, not in the label map.
    """

    val_count: int = BASE.val_count
    border: float = BORDER

    def __call__(self, seed: int, short: bool) -> Values:
        """The scores of the last length; seeds do not matter."""
        by_class, by_regions, contact = PanopticQuality(SCENES), PanopticQuality(SCENES), Contact()
        count = BASE.shortened().val_count if short else self.val_count
        complete, pictures = scenes("val", count, 0.0), scenes("val", count, self.border)
        for index in range(count):
            target = pictures[index][1]
            truth = target["segments"].numpy(), target["segments_info"]
            labels = label_map(complete[index][1]).numpy()
            by_class.update(truth, one_mask_per_class(labels))
            regions = components(labels)
            by_regions.update(truth, regions)
            contact.update(truth, regions)
        scores = by_class.scores()
        return {
            "early_PQ": float("nan"),
            "late_mean_iou": 1.0,
            "late_PQ_things": scores.things.PQ,
            "late_PQ_stuff": scores.stuff.PQ,
            "late_components_PQ_things": by_regions.scores().things.PQ,
            **{f"late_{name}": share for name, share in contact.shares().items()},
        }


def one_mask_per_class(labels: np.ndarray) -> tuple[np.ndarray, list[dict[str, int]]]:
    """A label map as a panoptic one without instances, H x W, and its list."""
    classes = np.unique(labels)
    numbers = np.searchsorted(classes, labels) + 1
    return numbers, [{"id": number, "category_id": int(label)} for number, label in enumerate(classes, start=1)]
