"""A small data engine: a network that answers clicks labels pictures, and another one learns from these labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.experiments.prompts.clicks import network
from segtutor.claims.masks import USUAL, SegmentPictures, segments
from segtutor.claims.sam_checkpoint import SIZE
from segtutor.claims.training import Recipe, build
from segtutor.inference import Prompter, predict
from segtutor.inference.clicks import iou_of, middle, next_click
from segtutor.labels import SCENES, LabelSet
from segtutor.metrics import ConfusionMatrix
from segtutor.training import TrainingConfig, balanced_class_weights, fit

PICTURES, VAL = 50, 50
SMALLEST = 30
"""Segments of fewer pixels are not clicked on, and stay without a label."""
GOOD = 0.85
"""IoU at which the person is content with a mask."""
VOID = SCENES.ignore_index

Labels = Literal["drawn", "clicks"]
MOST = 5
"""Clicks on a segment after which its mask is taken as it is."""


class LabeledPictures:
    """Pictures and label maps in memory.

    Attributes:
        labels: The LabelSet.
        clicks: How many clicks made the label maps; none where they were drawn.
    """

    labels: LabelSet = SCENES

    def __init__(self, images: list[Tensor], maps: list[Tensor], clicks: int = 0) -> None:
        self.images, self.maps, self.clicks = images, maps, clicks

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.maps[index]


def true_labels(target: Mapping[str, Any]) -> Tensor:
    """The label map of segments, H x W, void where there is none."""
    labels = torch.full_like(target["segments"], VOID)
    for one in target["segments_info"]:
        labels[target["segments"] == one["id"]] = one["category_id"]
    return labels


def clicked_labels(prompter: Prompter, target: Mapping[str, Any], most: int) -> tuple[Tensor, int]:
    """What a person makes who clicks on every segment, says its class, and clicks again where the mask is wrong.

    Larger masks are painted first, so that a thing stays visible on its ground; what no mask covers stays void.

    Args:
        prompter: The picture.
        target: Its segments, which the person sees.
        most: Clicks on a segment.

    Returns:
        H x W labels, and how many clicks they took.
    """
    numbers = target["segments"].numpy()
    known, clicks = numbers != 0, 0
    found: list[tuple[np.ndarray, int]] = []
    for one in target["segments_info"]:
        own = numbers == one["id"]
        if own.sum() < SMALLEST:
            continue
        points, labels = [middle(own)], [1]
        while True:
            answer = prompter.ask(points, labels)
            # A person takes that of the three masks which is meant; the network's own choice may be all of the class.
            masks = answer.masks.numpy()
            mask = max(masks, key=lambda mask, own=own: iou_of(mask, own, known))  # type: ignore[misc]
            further = next_click(mask, own, known)
            if len(points) == most or further is None or iou_of(mask, own, known) >= GOOD:
                break
            points.append(further[0])
            labels.append(further[1])
        clicks += len(points)
        found.append((mask, one["category_id"]))
    painted = np.full(numbers.shape, VOID)
    for mask, label in sorted(found, key=lambda one: -int(one[0].sum())):
        painted[mask] = label
    return torch.from_numpy(painted), clicks


@lru_cache(maxsize=4)
def labeled(labels: Labels, world: int, count: int) -> LabeledPictures:
    """Pictures of a world that nobody has trained on, labeled in one of the ways."""
    pictures: SegmentPictures = segments("train", count, USUAL, SIZE, world=10 + world)
    if labels == "drawn":
        return LabeledPictures(pictures.images, [true_labels(pictures[index][1]) for index in range(count)])
    maps, clicks = [], 0
    for index in range(count):
        image, target = pictures[index]
        found, used = clicked_labels(Prompter(network(), image), target, MOST)
        maps.append(found)
        clicks += used
    return LabeledPictures(pictures.images, maps, clicks)


@dataclass(frozen=True)
class Engine:
    """A DeepLab v3+ that learns from a few labeled pictures.

    Attributes:
        labels: How they were labeled.
        pictures: How many.
        val_count: Scenes to score on.
        steps: Optimizer steps.
        precision: Of the training, see ``Recipe``.
    """

    labels: Labels
    pictures: int = PICTURES
    val_count: int = VAL
    steps: int = 80
    precision: str = "auto"

    @property
    def train_count(self) -> int:
        """As in a ``Recipe``, for the card."""
        return self.pictures

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU on new scenes; how right the labels were that it learned from, and what they cost."""
        engine = self.shortened() if short else self
        train = labeled(engine.labels, seed, engine.pictures)
        truth = labeled("drawn", seed, engine.pictures)
        labels = ConfusionMatrix(len(SCENES))
        for index in range(len(train)):
            unpainted = train[index][1] == VOID
            labels.update(truth[index][1].masked_fill(unpainted, VOID), train[index][1].masked_fill(unpainted, 0))
        painted = [float((one != VOID).float().mean()) for one in train.maps]
        model = build(Recipe("deeplabv3plus_tiny", start="backbone"), seed)
        weights = balanced_class_weights(truth)
        fit(model, train, None, engine.config(seed, weights))
        matrix, val = ConfusionMatrix(len(SCENES)), segments("val", engine.val_count, USUAL, SIZE)
        for index in range(len(val)):
            image, target = val[index]
            matrix.update(true_labels(target), predict(model, image))
        return {
            "mean_iou": matrix.mean_iou(),
            "labels": labels.mean_iou(),
            "painted": float(np.mean(painted)),
            "clicks": train.clicks / len(train) if train.clicks else float("nan"),
        }

    def config(self, seed: int, weights: tuple[float, ...] | None) -> TrainingConfig:
        """The settings of a training."""
        return TrainingConfig(
            steps=self.steps,
            batch_size=8,
            learning_rate=2e-3,
            warmup_steps=self.steps // 10,
            weight_decay=0.01,
            class_weights=weights,
            precision=self.precision,
            measure_precision=False,
            seed=seed,
            device="cpu",
            progress=False,
        )

    def in_precision(self, precision: str) -> Engine:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> Engine:
        """The version of a minute."""
        return replace(self, pictures=8, val_count=12, steps=24)


_ENGINE: dict[str, Any] = {
    "drawn by hand": Engine("drawn"),
    "five clicks": Engine("clicks"),
}

ENGINE = Claim(
    name="prompts.engine",
    title="A data engine of fifty pictures",
    sentence="Masks that a promptable network makes of a few clicks are good enough to train another network on.",
    source="Kirillov et al. 2023 (SAM), §4 and §5",
    paper="SA-1B: of 500 pictures whose masks were corrected by hand, 94 % of the pairs agree by more than 90 % IoU; a "
    "mask takes 14 s in the first stage, where polygons for COCO take 6.5 times as long",
    changes="how the fifty pictures were labeled: as drawn, or by clicks on sam_tiny, at most five on each segment, "
    "whose class the person says",
    same=f"a DeepLab v3+ from the course's backbone, {PICTURES} scenes of {SIZE[0]} x {SIZE[1]} of another world for "
    f"each seed, {_ENGINE['drawn by hand'].steps} steps of 8, AdamW, class weights; clicks go into the middle of the "
    f"largest error until {GOOD:.0%} IoU; scored on {VAL} scenes. sam_tiny's backbone has learned from label maps of "
    "other scenes, which an engine that starts from nothing has not",
    variants=_ENGINE,
    measures=(
        percent("mean_iou", "mean IoU on new scenes"),
        percent("labels", "mean IoU of the labels learned from, where there are any"),
        percent("painted", "pixels with a label"),
        Measure("clicks", "clicks a picture", digits=0),
    ),
    expectations=(
        Expectation("labels from five clicks lose less than five points", "mean_iou", "five clicks", "drawn by hand",
                    margin=-0.05),
        Expectation("the labels themselves are right to 80 %", "labels", "five clicks", 0.8),
    ),
)  # fmt: skip
