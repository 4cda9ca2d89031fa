"""A controlled training of the small promptable network, and what its answers to clicks are worth.

The networks of a claim learn from the same few scenes and differ in one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from segtutor import models, resources
from segtutor.claims.claim import Values
from segtutor.claims.masks import USUAL, SegmentPictures, segments
from segtutor.inference import Prompter
from segtutor.inference.clicks import Click, ambiguous_clicks, clear_clicks, iou_of, ious_by_clicks
from segtutor.training import PromptSettings, TrainingConfig, fit_prompts

SIZE = (96, 128)
CLICKS = 5
"""Clicks on one thing, where more than one are scored."""
APART = 100
"""Between the seeds of networks that answer together, so that they share none with another run."""


@dataclass(frozen=True)
class PromptRecipe:
    """What a run depends on beside its seed.

    Attributes:
        several: One click is answered by three masks, of which the best learns; else by one.
        networks: How many are trained, from other weights, to answer together.
        rounds: Answers to each prompt in training.
        own_errors: Further clicks in training go where the answer was wrong; else anywhere.
        more_clicks: Score further clicks, too.
        steps: Optimizer steps of each network.
        train_count: Scenes to learn from.
        val_count: Scenes to score on.
        precision: Of the training, see ``Recipe``.
    """

    several: bool = True
    networks: int = 1
    rounds: int = 1
    own_errors: bool = True
    more_clicks: bool = False
    steps: int = 250
    train_count: int = 300
    val_count: int = 60
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """IoU after one click, and after more if they are asked for."""
        recipe = self.shortened() if short else self
        one = replace(recipe, networks=1, more_clicks=False)
        networks = [trained(one, seed + APART * number) for number in range(recipe.networks)]
        pictures = segments("val", recipe.val_count, USUAL, SIZE)
        values = first_clicks(networks, pictures, recipe.several)
        if recipe.more_clicks:
            values |= further_clicks(networks[0], pictures)
        return values

    def train(self, seed: int) -> Any:
        """A trained network; the backbone is that of the course's DeepLab v3, which does not learn."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = models.create("sam_tiny", finer=False, weights="backbone")
        models.load_weights(model, resources.data("checkpoints", "deeplabv3_tiny.pt"), "course_stages")
        settings = PromptSettings(
            rounds=self.rounds, own_errors=self.own_errors, several=self.several, box=0.0, focal_weight=2.0
        )
        fit_prompts(model, segments("train", self.train_count, USUAL, SIZE), None, self.config(seed), settings)
        return model.eval()

    def config(self, seed: int) -> TrainingConfig:
        """The settings of a training."""
        return TrainingConfig(
            steps=self.steps,
            batch_size=8,
            learning_rate=3e-3,
            optimizer="adamw",
            weight_decay=0.01,
            warmup_steps=20,
            gradient_clip=1.0,
            precision=self.precision,
            measure_precision=False,
            seed=seed,
            device="cpu",
            progress=False,
        )

    def in_precision(self, precision: str) -> PromptRecipe:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> PromptRecipe:
        """The version of a minute."""
        return replace(self, steps=min(self.steps, 60), train_count=60, val_count=12)


@lru_cache(maxsize=2)
def trained(recipe: PromptRecipe, seed: int) -> Any:
    """What ``recipe.train`` gives, kept for the next variant: the first of three networks is the one that is alone."""
    return recipe.train(seed)


def first_clicks(networks: Sequence[Any], pictures: SegmentPictures, several: bool) -> dict[str, float]:
    """What one click finds; of all masks of all networks the best counts, for each meaning.

    Returns:
        "clear": IoU where a click means one thing; "object" and "region" where it may mean the thing alone or all of
        its class; "both", the mean of the two; "worse", the mean over the clicks of the meaning that is met worse.
    """
    clear, doubtful = clear_clicks(pictures), ambiguous_clicks(pictures)
    meant: dict[str, list[float]] = {name: [] for name in ("clear", "object", "region", "worse")}
    for index in range(len(pictures)):
        prompters = [Prompter(network, pictures[index][0]) for network in networks]
        for click in (one for one in (*clear, *doubtful) if one.index == index):
            masks = [mask for one in prompters for mask in one.ask([click.point], several=several).masks.numpy()]
            own, region = (max(iou_of(mask, *one) for mask in masks) for one in meanings(pictures, click))
            if click.others:
                for name, value in (("object", own), ("region", region), ("worse", min(own, region))):
                    meant[name].append(value)
            else:
                meant["clear"].append(own)
    means = {name: float(np.mean(values)) for name, values in meant.items()}
    return {**means, "both": (means["object"] + means["region"]) / 2}


def meanings(pictures: SegmentPictures, click: Click) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The thing under a click, and all of its class, each with the pixels that count."""
    numbers = pictures[click.index][1]["segments"].numpy()
    known = numbers != 0
    return (numbers == click.number, known), (np.isin(numbers, [click.number, *click.others]), known)


def further_clicks(model: Any, pictures: SegmentPictures, count: int = CLICKS) -> dict[str, float]:
    """IoU after 1, 2, ... clicks on each clear thing, "after_1", "after_2", ..., and what all but the first bring."""
    values = []
    for click in clear_clicks(pictures):
        own = meanings(pictures, click)[0]
        values.append(ious_by_clicks(Prompter(model, pictures[click.index][0]), *own, count))
    means = np.mean(values, axis=0)
    return {
        **{f"after_{number}": float(value) for number, value in enumerate(means, start=1)},
        "gain": float(means[-1] - means[0]),
    }
