"""What night and fog do to a trained network, and how much of it comes back with batch norm's statistics alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn

from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.networks import BUDGET, network
from segtutor.claims.pictures import EVERYTHING, SceneKind, draw
from segtutor.claims.training import SIZE, Recipe, train
from segtutor.datasets.weather import Fog, Night
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.calibration import Calibration, fit_temperature
from segtutor.training.statistics import reestimate_statistics
from segtutor.training.stream import seeded

Statistics = Literal["training", "temperature", "64 pictures", "4 pictures", "64 beaches", "each picture"]
UNLABELED = 64
LABELED = 32
"""Pictures with labels that a temperature is fitted to."""
WEATHERS = {"clean": None, "night": Night(), "fog": Fog()}
BEACHES = SceneKind("Scenes: beaches", (("kinds", ("beach",)),))


def in_weather(images: Tensor, weather: str, seed: int) -> Tensor:
    """Pictures N x 3 x H x W uint8 in a weather, the noise of each drawn from numbers of its own."""
    change = WEATHERS[weather]
    if change is None:
        return images
    changed = []
    for index, image in enumerate(images):
        with seeded(seed, 7, index):
            changed.append(change(image))
    return torch.stack(changed)


@lru_cache(maxsize=1)
def trained(recipe: Recipe, seed: int) -> nn.Module:
    """The network of a seed, trained by day; all variants of the claim are this one."""
    return train(recipe, seed)[0].eval()


@dataclass(frozen=True)
class Shifted:
    """A network, trained by day, on clean pictures, at night and in fog.

    Attributes:
        recipe: Of its training.
        statistics: Whose means and variances batch norm uses: those of the "training" pictures, of so many unlabeled
            pictures of the weather at hand, or of "each picture" by itself. "temperature" keeps those of the training,
            and divides the logits by a number that is fitted to labeled pictures of the weather.
    """

    recipe: Recipe
    statistics: Statistics

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU and calibration error by weather."""
        recipe = self.recipe.shortened() if short else self.recipe
        network = trained(recipe, seed)
        pictures = draw(recipe.scenes, "val", recipe.val_count, SIZE)
        values: dict[str, float] = {}
        for weather in WEATHERS:
            model = self.prepared(network, weather, seed)
            temperature = self.temperature(model, weather, seed)
            matrix, calibration = score(model, in_weather(pictures.images, weather, 0), pictures.maps.long(),
                                        1 if self.statistics == "each picture" else 20, temperature)  # fmt: skip
            values |= {f"{weather}_mean_iou": matrix.mean_iou(), f"{weather}_ece": calibration.ece()}
        return values

    def prepared(self, network: nn.Module, weather: str, seed: int) -> nn.Module:
        """A copy of the network with the statistics of this variant."""
        model = copy.deepcopy(network)
        if self.statistics in ("training", "temperature"):
            return model
        if self.statistics == "each picture":
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.track_running_stats, module.running_mean, module.running_var = False, None, None
            return model
        count = 4 if self.statistics == "4 pictures" else UNLABELED
        kind = BEACHES if self.statistics == "64 beaches" else EVERYTHING
        reestimate_statistics(model, in_weather(draw(kind, "test", count, SIZE).images, weather, seed + 1))
        return model

    def temperature(self, model: nn.Module, weather: str, seed: int) -> float:
        """The number that the logits are divided by: 1, but for the variant that fits it."""
        if self.statistics != "temperature":
            return 1.0
        pictures = draw(EVERYTHING, "test", LABELED, SIZE)
        images = in_weather(pictures.images, weather, seed + 1)
        with evaluating(model):
            logits = model(preprocessing_of(model).normalize(images))["out"].float()
        # Every fourth pixel along each side is enough for one number.
        return fit_temperature(pictures.maps[:, ::4, ::4].long(), logits[..., ::4, ::4].transpose(0, 1))

    def shortened(self) -> Shifted:
        """The version that a lesson runs while the reader waits."""
        return replace(self, recipe=self.recipe.shortened())

    def in_precision(self, precision: str) -> Shifted:
        """The same, trained in this precision."""
        return replace(self, recipe=self.recipe.in_precision(precision))


def score(
    model: nn.Module, images: Tensor, labels: Tensor | Sequence[Tensor], batch: int, temperature: float
) -> tuple[ConfusionMatrix, Calibration]:
    """Counts of a network's label maps, and of its confidence.

    Args:
        model: The network.
        images: N x 3 x H x W uint8.
        labels: N x H x W.
        batch: Pictures at once.
        temperature: The logits are divided by it.
    """
    matrix, calibration = ConfusionMatrix(len(SCENES)), Calibration(len(SCENES))
    with evaluating(model):
        for start in range(0, len(images), batch):
            part = preprocessing_of(model).normalize(images[start : start + batch])
            probabilities = (model(part)["out"].float() / temperature).softmax(dim=1)
            for one, target in zip(probabilities, labels[start : start + batch], strict=True):
                matrix.update(target, one.argmax(dim=0))
                calibration.update(target, one)
    return matrix, calibration


_RECIPE = replace(network("FCN-8s, pretrained").recipe(), val_count=100)
_VARIANTS: dict[str, Statistics] = {
    "of the training": "training",
    "the same, and a temperature": "temperature",
    "64 pictures": "64 pictures",
    "4 pictures": "4 pictures",
    "64 beaches only": "64 beaches",
    "each picture its own": "each picture",
}

BATCH_NORM = Claim(
    name="world.batch_norm",
    title="Night, fog and batch norm's statistics",
    sentence="Much of what a network loses when the pictures change comes back if batch norm takes its means and "
    "variances from unlabeled pictures of the new kind; no weight changes.",
    source="Schneider et al. 2020 (Improving robustness against common corruptions by covariate shift adaptation); "
    "Li et al. 2016 (AdaBN)",
    paper="ImageNet-C, ResNet-50, classification: mean corruption error 76.7 % with the statistics of the training, "
    "62.2 with adapted ones",
    changes="whose means and variances batch norm uses: those of the training, or those of unlabeled pictures in the "
    f"same weather; beside them, a number that divides the logits, fitted to {LABELED} labeled pictures in it",
    same=f"FCN-8s, trained by day from the course's backbone ({BUDGET}), and all its weights; {_RECIPE.val_count} "
    "scenes, the same by day, at night and in fog",
    variants={name: Shifted(_RECIPE, statistics) for name, statistics in _VARIANTS.items()},
    measures=tuple(
        percent(f"{weather}_{key}", f"{title}{where}")
        for weather, where in (("clean", " by day"), ("night", " at night"), ("fog", " in fog"))
        for key, title in (("mean_iou", "mean IoU"), ("ece", "ECE"))
    ),
    expectations=(
        Expectation("at night, new statistics bring 20 points back", "night_mean_iou", "64 pictures", "of the training",
                    margin=0.2),
        Expectation("in fog, 10", "fog_mean_iou", "64 pictures", "of the training", margin=0.1),
        Expectation("the network says again how sure it may be", "night_ece", "64 pictures", "of the training", False),
        Expectation("a temperature makes it honest, too, from labels", "night_ece", "the same, and a temperature",
                    "of the training", False),
        Expectation("but it is no better for it", "night_mean_iou", "of the training", "the same, and a temperature",
                    margin=-1e-9),
        Expectation("by day they cost less than two points", "clean_mean_iou", "64 pictures", "of the training",
                    margin=-0.02),
        Expectation("pictures of one kind of place harm where nothing had changed", "clean_mean_iou",
                    "of the training", "64 beaches only"),
        Expectation("and four pictures are worse than 64", "night_mean_iou", "64 pictures", "4 pictures"),
    ),
)  # fmt: skip
