"""A controlled training run: the recipe says all that the result depends on, the seed the rest.

Two variants of a claim are two recipes that differ in one attribute. With the same seed they see the same pictures in
the same order, and start from the same weights where their layers have the same shapes and come in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from segtutor import models
from segtutor.claims.cost import cost
from segtutor.claims.pictures import EVERYTHING, SceneKind, draw
from segtutor.claims.scoring import score
from segtutor.labels import SCENES
from segtutor.training import TrainingConfig, TrainingResult, balanced_class_weights, fit, median_frequency_weights

SIZE = (96, 128)
Start = Literal["random", "backbone"]


@dataclass(frozen=True)
class Recipe:
    """What a run depends on beside its seed.

    Attributes:
        model: Name of the network.
        options: Its options.
        change: Called with the new network, for variants that are no option of it.
        scenes: Which pictures.
        class_weights: How much the pixels of a class count in the loss: "root" of the inverse of its share, "median
            frequency", or "none", all alike.
        start: "random", or "backbone" for the course's backbone, which has learned to name what a picture shows.
        keeps_start: The short version starts so, too, and not from the course's backbone.
        frozen: Keep the backbone as it is; only the head learns.
        learning_rate: Of AdamW.
        gradient_clip: Largest norm of the gradient, or None for no limit.
        steps: Optimizer steps.
        train_count: Pictures to learn from.
        val_count: Pictures to score on.
        curve_every: Steps between two scores during training; 0 for none.
        precision: Of the training; never a matter of timing, since what is compared must be trained alike.
    """

    model: str
    options: tuple[tuple[str, Any], ...] = ()
    change: Callable[[nn.Module], None] | None = None
    scenes: SceneKind = EVERYTHING
    class_weights: str = "root"
    start: Start = "random"
    keeps_start: bool = field(default=False, repr=False)  # of the short version only: full runs are found without it
    frozen: bool = False
    learning_rate: float = 2e-3
    gradient_clip: float | None = None
    steps: int = 400
    train_count: int = 2000
    val_count: int = 200
    curve_every: int = 0
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> dict[str, Any]:
        """The run's scores and costs; the short version learns from few pictures, from the course's backbone."""
        recipe = self.shortened() if short else self
        model, result = train(recipe, seed)
        pictures = draw(recipe.scenes, "val", recipe.val_count, SIZE)
        values: dict[str, Any] = {**score(model, pictures), **cost(model, SIZE)}
        values["loss"] = float(np.mean(result.losses[-20:]))
        if recipe.curve_every:
            values["curve"] = [[one.step, round(one.mean_iou, 5)] for one in result.validations]
            values["early_mean_iou"] = result.validations[1].mean_iou  # the first tells mostly what luck the seed had
        return values

    def in_precision(self, precision: str) -> Recipe:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> Recipe:
        """The version that a lesson runs while the reader waits."""
        steps = min(self.steps, 120)
        every = steps // 4 if self.curve_every else 0
        start = self.start if self.keeps_start else "backbone"
        return replace(self, steps=steps, train_count=200, val_count=40, curve_every=every, start=start)


class Frozen(nn.Module):
    """A backbone that training leaves alone: no gradient, and batch norm keeps its statistics."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Frozen:
        """Stays in evaluation mode."""
        return super().train(False)

    def forward(self, images: Tensor) -> Any:
        return self.module(images)


def build(recipe: Recipe, seed: int) -> nn.Module:
    """The network of a recipe before its training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.create(recipe.model, num_classes=len(SCENES), **dict(recipe.options))
        if recipe.start not in get_args(Start):
            raise ValueError(f"start must be 'random' or 'backbone', but it is {recipe.start!r}")
        if recipe.start == "backbone":
            models.load_weights(model, "backbone")
        if recipe.change is not None:  # it may leave out a part of the backbone
            recipe.change(model)
    if recipe.frozen:
        model.backbone = Frozen(model.backbone)  # type: ignore[arg-type]
    return model


@lru_cache(maxsize=4)
def class_weights_of(
    rule: str, scenes: SceneKind, count: int, size: tuple[int, int] = SIZE
) -> tuple[float, ...] | None:
    """What a rule makes of the training pictures; None for no weights."""
    rules: dict[str, Callable[[Any], tuple[float, ...] | None]] = {
        "root": balanced_class_weights,
        "median frequency": median_frequency_weights,
        "none": lambda pictures: None,
    }
    if rule not in rules:
        raise ValueError(f"class_weights must be one of {', '.join(rules)}, but it is {rule!r}")
    return rules[rule](draw(scenes, "train", count, size))


def train(recipe: Recipe, seed: int) -> tuple[nn.Module, TrainingResult]:
    """A trained network and the record of its training."""
    pictures = draw(recipe.scenes, "train", recipe.train_count, SIZE)
    model = build(recipe, seed)
    config = TrainingConfig(
        steps=recipe.steps,
        batch_size=8,
        learning_rate=recipe.learning_rate,
        gradient_clip=recipe.gradient_clip,
        warmup_steps=recipe.steps // 10,
        weight_decay=0.01,
        class_weights=class_weights_of(recipe.class_weights, recipe.scenes, recipe.train_count),
        precision=recipe.precision,
        measure_precision=False,
        seed=seed,
        evaluate_every=recipe.curve_every or None,
        device="cpu",
        progress=False,
    )
    val = draw(recipe.scenes, "val", recipe.val_count, SIZE) if recipe.curve_every else None
    return model, fit(model, pictures, val, config)
