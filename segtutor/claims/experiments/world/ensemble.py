"""Several networks together, or one with dropout left on: which of the two knows better when it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn

from segtutor.claims.claim import Claim, Expectation, Measure, Values, percent
from segtutor.claims.experiments.world.shift import LABELED, WEATHERS, in_weather
from segtutor.claims.networks import Budget, network
from segtutor.claims.pictures import draw
from segtutor.claims.training import SIZE, Recipe, train
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.calibration import Calibration, fit_temperature, with_temperature
from segtutor.training.stream import seeded

Asked = Literal["one", "dropout", "several"]
MEMBERS = 3
_AT_ONCE = 20  # pictures


@dataclass(frozen=True)
class DropoutRate:
    """Sets the rate of a network's dropout layers, as a ``change`` of a recipe that tells its settings.

    Attributes:
        rate: Share of the values that are dropped.
    """

    rate: float

    def __call__(self, model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = self.rate


@lru_cache(maxsize=MEMBERS)
def member(recipe: Recipe, seed: int) -> nn.Module:
    """One trained network; all variants of a seed share theirs."""
    return train(recipe, seed)[0].eval()


@dataclass(frozen=True)
class Together:
    """The mean of several answers, each a softmax: of one network, or of several.

    Attributes:
        recipe: Of a network's training.
        asked: "one" network as it is, one whose "dropout" stays on, other values in each pass, or "several" networks.
        passes: Answers of which the mean is taken.
    """

    recipe: Recipe
    asked: Asked
    passes: int

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU, negative log likelihood and calibration error by weather."""
        recipe = self.recipe.shortened() if short else self.recipe
        members, dropout = self.members(recipe, seed), self.asked == "dropout"
        pictures, others = (draw(recipe.scenes, split, count, SIZE)
                            for split, count in (("val", recipe.val_count), ("test", LABELED)))  # fmt: skip
        # Every fourth pixel along each side is enough for one number.
        labeled = mean_of(members, others.images, dropout, seed)[..., ::4, ::4]
        temperature = fit_temperature(others.maps[:, ::4, ::4].long(), labeled.transpose(0, 1).clamp_min(1e-30).log())
        values: dict[str, float] = {}
        for weather in WEATHERS:
            given = mean_of(members, in_weather(pictures.images, weather, 0), dropout, seed)
            matrix, counted, cooled = ConfusionMatrix(len(SCENES)), Calibration(len(SCENES)), Calibration(len(SCENES))
            for one, target in zip(given, pictures.maps.long(), strict=True):
                matrix.update(target, one.argmax(dim=0))
                counted.update(target, one)
                if weather == "clean":
                    cooled.update(target, with_temperature(one, temperature))
            values |= {f"{weather}_mean_iou": matrix.mean_iou(), f"{weather}_nll": counted.nll(),
                       f"{weather}_ece": counted.ece(), f"{weather}_over": counted.overconfidence()}  # fmt: skip
            if weather == "clean":
                values |= {"cooled_nll": cooled.nll()}
        return values

    def members(self, recipe: Recipe, seed: int) -> list[nn.Module]:
        """Who is asked, one after the other; the first of several is the network of the other variants."""
        if self.asked == "several":
            return [member(recipe, seed + len(_SEEDS) * number) for number in range(self.passes)]
        return [member(recipe, seed)] * self.passes

    def shortened(self) -> Together:
        """The version that a lesson runs while the reader waits."""
        return replace(self, recipe=self.recipe.shortened())

    def in_precision(self, precision: str) -> Together:
        """The same, trained in this precision."""
        return replace(self, recipe=self.recipe.in_precision(precision))


def answer(model: nn.Module, images: Tensor, dropout: bool) -> Tensor:
    """Probabilities B x K x H x W; with dropout on, nothing else is as in training: batch norm keeps its statistics."""
    with evaluating(model):
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.training = dropout
        given: Tensor = model(preprocessing_of(model).normalize(images))["out"].float().softmax(dim=1)
        model.eval()
    return given


def mean_of(members: Sequence[nn.Module], images: Tensor, dropout: bool, seed: int) -> Tensor:
    """The mean of all answers, N x K x H x W; what is dropped in a pass comes from numbers of the pass's own."""
    means = []
    for start in range(0, len(images), _AT_ONCE):
        answers = []
        for number, model in enumerate(members):
            with seeded(seed, 8, start, number):
                answers.append(answer(model, images[start : start + _AT_ONCE], dropout))
        means.append(torch.stack(answers).mean(dim=0))
    return torch.cat(means)


_SEEDS = (0, 1, 2)
_RATE = 0.5
_BUDGET = Budget(steps=120, pictures=1000)
_RECIPE = replace(network("FCN-8s, pretrained").recipe(), change=DropoutRate(_RATE), val_count=80,
                  steps=_BUDGET.steps, train_count=_BUDGET.pictures)  # fmt: skip

ENSEMBLE = Claim(
    name="world.ensemble",
    title="Several networks, or dropout",
    sentence="Several networks, trained from different random numbers, know better how sure they may be than one "
    "network whose dropout stays on, also when the pictures change.",
    source="Lakshminarayanan et al. 2017 (Deep ensembles), §3; Ovadia et al. 2019 (Can you trust your model's "
    "uncertainty?), §4",
    paper="curves for CIFAR-10 and ImageNet in 16 corruptions and no single number: deep ensembles are best in most",
    changes=f"of whose answers the mean is taken: one network; the same in {MEMBERS} passes with dropout on; or "
    f"{MEMBERS} networks, one pass each",
    same=f"FCN-8s, trained by day from the course's backbone ({_BUDGET}), with the paper's dropout of {_RATE}; "
    f"{_RECIPE.val_count} scenes, the same by day, at night and in fog. A temperature is fitted to {LABELED} labeled "
    "scenes by day",
    variants={
        "one network": Together(_RECIPE, "one", 1),
        f"dropout, {MEMBERS} passes": Together(_RECIPE, "dropout", MEMBERS),
        f"{MEMBERS} networks": Together(_RECIPE, "several", MEMBERS),
    },
    measures=(
        percent("clean_mean_iou", "mean IoU by day"),
        Measure("clean_nll", "cross entropy by day", digits=3),
        Measure("cooled_nll", "cross entropy by day with a temperature", digits=3),
        percent("clean_ece", "ECE by day"),
        Measure("night_nll", "cross entropy at night", digits=2),
        percent("night_ece", "ECE at night"),
        Measure("fog_nll", "cross entropy in fog", digits=2),
        percent("fog_ece", "ECE in fog"),
    ),
    expectations=(
        Expectation("by day, three networks give the true class more than three passes with dropout do", "clean_nll",
                    "3 networks", "dropout, 3 passes", False),
        Expectation("their ECE is lower, too", "clean_ece", "3 networks", "dropout, 3 passes", False),
        Expectation("the first holds also if each has a temperature of its own", "cooled_nll", "3 networks",
                    "dropout, 3 passes", False),
        Expectation("at night they are more honest", "night_ece", "3 networks", "dropout, 3 passes", False),
        Expectation("and in fog", "fog_ece", "3 networks", "dropout, 3 passes", False),
    ),
    seeds=_SEEDS,
)  # fmt: skip
