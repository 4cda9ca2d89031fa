"""The experiment on the dense CRF: label maps of a network before and after it, above all near boundaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch

from segtutor import models
from segtutor.claims.claim import Values
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.scoring import LabelMapScore
from segtutor.claims.training import SIZE, Recipe, train
from segtutor.inference import predict
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES

crf = partial(
    models.dense_crf,
    iterations=5,
    bilateral_weight=5,
    bilateral_sigma_xy=24,
    bilateral_sigma_rgb=6,
    gaussian_weight=1,
    gaussian_sigma=1,
)
"""The CRF of the experiment: of 18 settings the best on 30 training scenes, behind a network of stride 16."""


@dataclass(frozen=True)
class Refined:
    """Scores of a network before and after the CRF.

    Attributes:
        recipe: How the network is trained; None takes the course checkpoint of deeplabv3_tiny, the same for all seeds.
        count: Pictures to score on.
    """

    recipe: Recipe | None
    count: int = 100

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores before the CRF, and what it adds to them."""
        if short:
            return self.shortened()(seed, False)
        if self.recipe is None:
            model = models.create("deeplabv3_tiny", num_classes=len(SCENES), weights="course")
        else:
            model, _ = train(self.recipe, seed)
        pictures = draw(EVERYTHING, "val", self.count, SIZE)
        plain, refined = LabelMapScore(), LabelMapScore()
        with evaluating(model), torch.no_grad():
            for index in range(self.count):
                image, target = pictures[index]
                labels, probabilities = predict(model, image, return_probabilities=True)
                known = target, pictures.thin[index], pictures.sides[index]
                plain.update(labels, *known)
                refined.update(crf(probabilities, image).argmax(0), *known)
        before, after = plain.values(), refined.values()
        names = ("mean_iou", "band_iou", "inner_iou", "boundary_iou", "thin")
        return {
            **{name: before[name] for name in names},
            **{f"{name}_gain": after[name] - before[name] for name in names},
        }

    def in_precision(self, precision: str) -> Refined:
        """The same of a network trained in this precision."""
        return self if self.recipe is None else replace(self, recipe=self.recipe.in_precision(precision))

    def shortened(self) -> Refined:
        """The version that a lesson runs while the reader waits."""
        return Refined(None if self.recipe is None else self.recipe.shortened(), count=20)
