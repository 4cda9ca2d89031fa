"""The claim about the dense CRF: label maps of a network before and after it, above all near boundaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.networks import BUDGET, network
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


REFINEMENT = Claim(
    name="deeplab.crf",
    title="The dense CRF, and why v3 dropped it",
    sentence="A dense CRF behind the network sharpens the boundaries that the coarse map blurs; the better the "
    "network, the less there is left to gain.",
    source="Chen et al. 2018 (DeepLab v2), §3.3, §4.1; Chen et al. 2017 (DeepLab v3), §1",
    paper="v2, mean IoU before and after the CRF: VOC 2012 val, ResNet-101 76.35 % and 77.69, VGG16 68.96 and 71.57; "
    "Cityscapes val +0.4; v3 reaches more without",
    changes="the network in front of the CRF, from coarse to fine; the CRF is the same",
    same=f"{BUDGET}; deeplabv3_tiny; the checkpoint of the course was trained for longer, on larger pictures",
    variants={
        "stride 16": Refined(network("DeepLab v3, stride 16").recipe()),
        "stride 8": Refined(network("DeepLab v3").recipe()),
        "stride 4": Refined(network("DeepLab v3, stride 4").recipe()),
        "stride 8 and decoder": Refined(network("DeepLab v3+, stride 8").recipe()),
        "course checkpoint": Refined(None),
    },
    measures=(
        percent("mean_iou", "mean IoU before"),
        percent("mean_iou_gain", "gain by the CRF"),
        percent("band_iou_gain", "gain within 2 px of a label change"),
        percent("inner_iou_gain", "gain elsewhere"),
        percent("boundary_iou_gain", "gain in boundary IoU"),
        percent("thin_gain", "gain in thin pixels right"),
    ),
    expectations=(
        Expectation("it helps the coarsest network", "mean_iou_gain", "stride 16", 0.0),
        Expectation("and near boundaries", "band_iou_gain", "stride 16", 0.0, margin=0.01),
        Expectation("the finer map gains less", "mean_iou_gain", "stride 16", "stride 4"),
        Expectation("near boundaries, too", "band_iou_gain", "stride 16", "stride 4"),
        Expectation("the network with a decoder gains less than the one without", "band_iou_gain", "stride 8",
                    "stride 8 and decoder"),
    ),
)  # fmt: skip
