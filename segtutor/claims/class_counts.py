"""One network trained twice, to give masks with classes and to give a class per pixel, on few classes and on many.

The few are made of the many: kinds of things that have much in common become one class. The network is MaskFormer's.

Shapes: K classes and queries, H W input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segtutor import models
from segtutor.claims.claim import Values
from segtutor.claims.per_pixel import PerPixel
from segtutor.claims.pictures import EVERYTHING, Pictures, draw
from segtutor.inference import predict
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES, LabelSet
from segtutor.metrics import ConfusionMatrix
from segtutor.training import TrainingConfig, fit

SIZE = (64, 96)

GROUPS = {
    "background": ("background",),
    "sky": ("sky",),
    "water": ("water",),
    "paved": ("road", "pavement"),
    "open ground": ("grass", "sand"),
    "building": ("building",),
    "post": ("pole", "mooring bollard", "street bollard"),
    "plant": ("tree", "pottedplant"),
    "mountain": ("mountain",),
    "person": ("person",),
    "small animal": ("bird", "cat", "dog"),
    "large animal": ("cow", "horse", "sheep"),
    "two wheels": ("bicycle", "motorbike"),
    "on the road": ("bus", "car", "train"),
    "craft": ("aeroplane", "boat"),
    "indoors": ("bottle", "chair", "diningtable", "sofa", "tvmonitor"),
}
"""Sixteen classes, and the classes of Scenes of which they are made."""
_BROAD = {
    "background": ("background",),
    "sky": ("sky",),
    "ground": ("water", "paved", "open ground"),
    "built": ("building", "post"),
    "nature": ("plant", "mountain"),
    "living": ("person", "small animal", "large animal"),
    "vehicle": ("two wheels", "on the road", "craft"),
    "indoors": ("indoors",),
}
BROAD_GROUPS = {name: tuple(one for part in parts for one in GROUPS[part]) for name, parts in _BROAD.items()}
"""Eight, made of the sixteen."""
_OF_COUNT: dict[int, Mapping[str, tuple[str, ...]]] = {
    8: BROAD_GROUPS, 16: GROUPS, len(SCENES): {name: (name,) for name in SCENES.names},
}  # fmt: skip
COUNTS = tuple(_OF_COUNT)


class MergedPictures:
    """Pictures whose label maps have fewer classes: ``pictures[i]`` is (image 3 x H x W uint8, label map H x W int64).

    Args:
        pictures: With the classes of Scenes.
        count: How many classes there shall be, one of ``COUNTS``.

    Attributes:
        labels: The LabelSet.

    Raises:
        ValueError: If there is no such grouping.
    """

    def __init__(self, pictures: Pictures, count: int) -> None:
        if count not in _OF_COUNT:
            raise ValueError(f"Scenes can have {', '.join(map(str, COUNTS))} classes, but count is {count!r}")
        groups = _OF_COUNT[count]
        self.pictures = pictures
        colors = tuple(SCENES.colors[SCENES.index(names[0])] for names in groups.values())
        self.labels = LabelSet(f"Scenes, {count} classes", tuple(groups), colors, ignore_index=SCENES.ignore_index)
        self.numbers = torch.arange(256)
        for number, names in enumerate(groups.values()):
            self.numbers[SCENES.select(names)] = number

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, labels = self.pictures[index]
        return image, self.numbers[labels]


@dataclass(frozen=True)
class ClassCount:
    """Both trainings on so many classes.

    Attributes:
        classes: How many, one of ``COUNTS``.
        steps: Optimizer steps of each.
        fixed: The masks' query k answers for class k, without matching.
        train_count: Scenes to learn from.
        val_count: Scenes to score on.
        precision: Of the training, see ``Recipe``.
    """

    classes: int
    steps: int = 200
    fixed: bool = False
    train_count: int = 1000
    val_count: int = 150
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU of a class per pixel and of masks, what masks gain, and both training losses."""
        recipe = self.shortened() if short else self
        found: dict[str, float] = {}
        for name, model in (("pixels", PerPixel(recipe.build(seed))), ("masks", recipe.build(seed))):
            losses = fit(model, recipe.pictures("train"), None, recipe.config(seed)).losses
            found |= {name: recipe.mean_iou(model), f"{name}_loss": float(np.mean(losses[-20:]))}
        return {**found, "gain": found["masks"] - found["pixels"]}

    def pictures(self, split: str) -> MergedPictures:
        """What is learned from, or scored on."""
        count = self.train_count if split == "train" else self.val_count
        return MergedPictures(draw(EVERYTHING, split, count, SIZE), self.classes)

    def build(self, seed: int) -> Any:
        """The network before either training, on the course's backbone: a query for each class."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model: Any = models.create(
                "maskformer_tiny", num_classes=self.classes, queries=self.classes, weights="backbone"
            )  # fmt: skip
        model.settings = replace(model.settings, fixed=self.fixed)
        return model

    def config(self, seed: int) -> TrainingConfig:
        """The settings of both trainings."""
        return TrainingConfig(
            steps=self.steps,
            batch_size=8,
            learning_rate=1e-3,
            warmup_steps=self.steps // 10,
            weight_decay=0.01,
            gradient_clip=1.0,
            precision=self.precision,
            measure_precision=False,
            seed=seed,
            device="cpu",
            progress=False,
        )

    def mean_iou(self, model: nn.Module) -> float:
        """On scenes that were not learned from."""
        matrix, pictures = ConfusionMatrix(self.classes), self.pictures("val")
        with evaluating(model):
            for index in range(len(pictures)):
                image, target = pictures[index]
                matrix.update(target, predict(model, image))
        return float(matrix.mean_iou())

    def in_precision(self, precision: str) -> ClassCount:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> ClassCount:
        """The version of a minute."""
        return replace(self, steps=min(self.steps // 5, 80), train_count=100, val_count=20)
