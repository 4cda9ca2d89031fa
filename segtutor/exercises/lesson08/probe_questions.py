"""The data of exercise 8.5, and its judge: what a linear layer finds in scenes that nobody has learned from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from segtutor.exercises.comparison import kind, plain
from segtutor.exercises.later import F, models, torch
from segtutor.exercises.lesson03.fcn8s_questions import CLASSES, SIZE, VOID, draw
from segtutor.exercises.seeds import seeded
from segtutor.metrics import ConfusionMatrix

SCENES, CHANNELS, LARGEST = 16, 128, 100.0


@cache
def frozen_features(split: str) -> Any:
    """What the course's small backbone makes of the first scenes of a split, 16 x 128 x 12 x 16."""
    model = models.create("pspnet_tiny", num_classes=CLASSES, weights="backbone").eval()
    with torch.no_grad():
        return model.backbone(models.Preprocessing().normalize(draw(split, SCENES).images))["out"]


@cache
def factors() -> Any:
    """A factor for each channel, from 0.01 to 100, in an order that tells nothing."""
    spread = np.geomspace(1 / LARGEST, LARGEST, CHANNELS)
    return torch.tensor(seeded(0).permutation(spread), dtype=torch.float32)[:, None, None]


def given() -> tuple[Any, Any, Any]:
    """Features, label maps, and the same features with channels of very different size."""
    features = frozen_features("train")
    return features.clone(), draw("train", SCENES).maps.clone(), features * factors()


def as_layer(layer: Any) -> tuple[Any, Any]:
    """A weight K x C and K biases as tensors, from whatever holds them.

    Raises:
        ValueError: If it is no such layer; the message says what came.
    """
    try:
        weight, bias = (torch.as_tensor(np.asarray(plain(one), dtype=np.float32)) for one in layer)
    except (TypeError, ValueError):
        raise ValueError(
            f"{CLASSES} x {CHANNELS} weights and {CLASSES} biases are wanted, {kind(layer)} came"
        ) from None
    if weight.shape != (CLASSES, CHANNELS) or bias.shape != (CLASSES,):
        came = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
        raise ValueError(f"{CLASSES} x {CHANNELS} weights and {CLASSES} biases are wanted, {came} came")
    return weight, bias


def label_maps(layer: Any, scaled: bool) -> np.ndarray:
    """What a layer, a weight K x C and K biases, finds in the test scenes: N x H x W uint8.

    Raises:
        ValueError: If it is no such layer; the message says what came.
    """
    weight, bias = as_layer(layer)
    features = frozen_features("test") * (factors() if scaled else 1)
    logits = torch.einsum("kc,nchw->nkhw", weight, features) + bias[:, None, None]
    found: np.ndarray = F.interpolate(logits, SIZE, mode="bilinear").argmax(1).to(torch.uint8).numpy()
    return found


def mean_iou(layer: Any, scaled: bool) -> float:
    """Mean IoU of a layer on the test scenes, all of them together."""
    matrix = ConfusionMatrix(CLASSES, ignore_index=VOID)
    matrix.update(draw("test", SCENES).maps.numpy(), label_maps(layer, scaled))
    return float(matrix.mean_iou())


def wrongly_folded(layer: Any, scaled: bool) -> Iterator[tuple[Any, Any]]:
    """The layers that it may have been before a norm was folded into it wrongly, or not at all; now folded rightly.

    A layer for normalized features with weight W and bias b is W / s and b - (W / s) m for features of mean m and
    deviation s. Here W is taken for what came, or for what came times 1 / s or s², and b as it is or with m put back.
    """
    weight, bias = as_layer(layer)
    features = frozen_features("train") * (factors() if scaled else 1)
    places = features.transpose(0, 1).flatten(1)
    mean, deviation = places.mean(dim=1), places.std(dim=1) + 1e-5
    for before, power in itertools.product((bias, bias + weight @ mean), (0, 1, -1, 2)):
        if power == 1 and before is not bias:
            continue  # this is the layer as it came
        made = weight * deviation**power / deviation
        yield made, before - made @ mean


class Reached(tuple[Any, Any]):
    """A wanted result of which many are right: a layer that reaches a score. It is such a layer itself.

    Attributes:
        scaled: Whether it reads channels of very different size.
        least: Mean IoU that a layer must reach, 0 to 1.
    """

    scaled: bool
    least: float

    @classmethod
    def by(cls, layer: tuple[Any, Any], scaled: bool, least: float) -> Reached:
        """The layer of the course, and what others must reach."""
        made = cls(layer)
        made.scaled, made.least = scaled, least
        return made

    def missed_by(self, got: Any) -> str | None:
        """By how much a layer misses the score, in words; None if it reaches it."""
        try:
            reached = mean_iou(got, self.scaled)
        except ValueError as error:
            return str(error)
        if reached >= self.least:
            return None
        return f"mean IoU {100 * reached:.1f} % on {SCENES} scenes, at least {100 * self.least:.0f} % is wanted"

    def hint_for(self, got: Any) -> str | None:
        """The hint that fits a layer which misses the score, if one can be told: its shape, or a norm not folded."""
        try:
            as_layer(got)
        except ValueError:
            return "sizes"
        found = any(mean_iou(layer, self.scaled) >= self.least for layer in wrongly_folded(got, self.scaled))
        return "folded" if found else None

    def __repr__(self) -> str:
        return f"a layer with a mean IoU of at least {100 * self.least:.0f} %"
