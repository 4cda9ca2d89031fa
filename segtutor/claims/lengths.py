"""One training run scored at several lengths: does the gap between two networks close, stay or grow with the steps?

A run whose learning rate falls to zero ends once. Here the rate stays constant, and what is scored is a running average
of the weights: it is about as good as a rate that falls, and can be asked for at any step, while the run goes on.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.claims.cost import cost
from segtutor.claims.networks import Network
from segtutor.claims.pictures import draw
from segtutor.claims.scoring import score
from segtutor.claims.training import Recipe, build, class_weights_of
from segtutor.training import TrainingConfig, fit

LENGTHS = (150, 400, 1200, 3600)
"""Steps at which a run is scored, each about three times the one before."""
SMALL_SIZE = (64, 96)
"""Height and width of the pictures: two thirds of the other experiments', so that the long runs fit into an hour."""
KEPT = ("mean_iou", "band_iou", "boundary_iou", "bollard_iou", "pole_iou", "thin", "small", "large", "loss")
"""The numbers of every length; of the last one there are all."""
WARMUP = 40
"""Steps in which the rate rises."""
DECAY = 0.99
"""Of the running average: it remembers the last hundred steps or so."""


@dataclass(frozen=True)
class Lengths:
    """The run of a recipe, scored on its way.

    Attributes:
        recipe: The run; its steps are those of the last length.
        lengths: Steps at which it is scored, ascending.
        size: Height and width of the pictures.
    """

    recipe: Recipe
    lengths: tuple[int, ...] = LENGTHS
    size: tuple[int, int] = SMALL_SIZE

    def __call__(self, seed: int, short: bool) -> dict[str, Any]:
        """Scores and costs; see ``run``."""
        with tempfile.TemporaryDirectory() as folder:
            return (self.shortened() if short else self).run(seed, Path(folder) / "run.pt")

    def run(self, seed: int, checkpoint: Path) -> dict[str, Any]:
        """The run, which goes on from the checkpoint if there is one.

        Returns:
            All scores and costs after the last length; "mean_iou_400" and the like after every length, NaN for those of
            ``LENGTHS`` at which it is not scored; "curve" and "losses", lists of (step, mean IoU) and of (step, mean
            loss of the last hundred steps).
        """
        recipe = self.recipe
        pictures, held_out = (
            draw(recipe.scenes, split, count, self.size)
            for split, count in (("train", recipe.train_count), ("val", recipe.val_count))
        )
        model = build(recipe, seed)
        values: dict[str, Any] = {}
        for steps in self.lengths:
            with warnings.catch_warnings():  # another length is another schedule, but not where the rate is constant
                warnings.filterwarnings("ignore", "the run was to have")
                result = fit(model, pictures, None, self._config(steps, seed, checkpoint), resume=True)
            values = {**values, **score(model, held_out), "loss": float(np.mean(result.losses[steps - 100 : steps]))}
            values |= {f"{name}_{steps}": values[name] for name in KEPT}
        curve, losses = (
            [[steps, round(values[f"{name}_{steps}"], 5)] for steps in self.lengths] for name in ("mean_iou", "loss")
        )
        later = {f"{name}_{steps}": float("nan") for steps in LENGTHS if steps not in self.lengths for name in KEPT}
        return {**later, **values, **cost(model, self.size), "curve": curve, "losses": losses}

    def _config(self, steps: int, seed: int, checkpoint: Path) -> TrainingConfig:
        recipe = self.recipe
        return TrainingConfig(
            steps=steps,
            batch_size=8,
            learning_rate=2e-3,
            power=0,
            warmup_steps=WARMUP,
            weight_decay=0.01,
            average=DECAY,
            class_weights=class_weights_of(recipe.class_weights, recipe.scenes, recipe.train_count, self.size),
            precision=recipe.precision,
            measure_precision=False,
            channels_last=True,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=200,
            device="cpu",
            progress=False,
        )

    def in_precision(self, precision: str) -> Lengths:
        """The same, trained in this precision."""
        return replace(self, recipe=self.recipe.in_precision(precision))

    def shortened(self) -> Lengths:
        """The version that a lesson runs while the reader waits: scored at a quarter, a half and the end of it."""
        recipe = self.recipe.shortened()
        return replace(self, recipe=recipe, lengths=(recipe.steps // 4, recipe.steps // 2, recipe.steps))


def pretrained(network: Network, **options: Any) -> Lengths:
    """A row of the table of networks from the course's backbone, with further options, scored at ``LENGTHS``."""
    return Lengths(replace(network.recipe(**options), start="backbone", steps=LENGTHS[-1]))
