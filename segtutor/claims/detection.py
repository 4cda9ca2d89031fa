"""A controlled training run of the small Mask R-CNN, and everything that the claims ask about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torchvision.ops import box_iou

from segtutor import models, resources
from segtutor.claims.claim import Values
from segtutor.datasets import Scenes
from segtutor.inference import evaluate_detector
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES
from segtutor.training import InMemory, TrainingConfig, fit_detector

SIZE = (192, 240)
SCENE = (("scale_range", 1.5), ("crowd", 0.3), ("thin", 0.5))
"""Scenes whose things are near: half of them have a side above 30 pixels."""
ALONE = (("scale_range", 1.5), ("crowd", 0.0), ("thin", 0.0), ("context", 0.0))
"""Scenes with fewer, single things, which are learned sooner."""
AREAS = {"all": (0.0, 1e10), "s": (0.0, 16.0**2), "m": (16.0**2, 40.0**2), "l": (40.0**2, 1e10)}
"""Limits of small, medium and large things, in pixels; COCO's are 32 and 96 on pictures three times as wide."""
RECALL_IOU = 0.5


@lru_cache(maxsize=4)
def objects(
    split: str, count: int, size: tuple[int, int] = SIZE, scene: tuple[tuple[str, Any], ...] = SCENE
) -> InMemory:
    """The first pictures of a split with their objects, drawn once per process."""
    return InMemory(Scenes(split, size=size, count=count, target="instances", **dict(scene)))


@dataclass(frozen=True)
class DetectorRecipe:
    """What a run depends on beside its seed.

    Attributes:
        options: Of ``maskrcnn_tiny``.
        test: Settings that are changed after the training; runs that differ only in them share one training.
        steps: Optimizer steps.
        train_count: Pictures to learn from.
        val_count: Pictures to score on.
        size: Height and width of the pictures.
        scene: What is drawn in them.
        proposals: Score the proposals, too.
        precision: Of the training, see ``Recipe``.
    """

    options: tuple[tuple[str, Any], ...] = ()
    test: tuple[tuple[str, Any], ...] = ()
    steps: int = 300
    train_count: int = 900
    val_count: int = 200
    size: tuple[int, int] = SIZE
    scene: tuple[tuple[str, Any], ...] = SCENE
    proposals: bool = False
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """COCO's scores by boxes and by masks, and the recall of the proposals."""
        recipe = self.shortened() if short else self
        model = trained(replace(recipe, test=(), proposals=False), seed)
        settings: Any = model.settings
        model.settings = replace(settings, **dict(recipe.test))
        try:
            pictures = objects("val", recipe.val_count, recipe.size, recipe.scene)
            return score_detector(model, pictures, recipe.proposals)
        finally:
            model.settings = settings

    def in_precision(self, precision: str) -> DetectorRecipe:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> DetectorRecipe:
        """The version that a lesson runs while the reader waits."""
        return replace(self, steps=min(self.steps, 60), train_count=100, val_count=20)


@lru_cache(maxsize=8)
def trained(recipe: DetectorRecipe, seed: int) -> Any:
    """A network trained as the recipe says, from the backbone of the course's DeepLab v3, which knows label maps."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.create("maskrcnn_tiny", num_classes=len(SCENES), **dict(recipe.options))
        models.load_weights(model, resources.data("checkpoints", "deeplabv3_tiny.pt"), "segtutor_tiny_body")
    config = TrainingConfig(
        steps=recipe.steps,
        batch_size=6,
        learning_rate=2e-3,
        weight_decay=0.01,
        warmup_steps=recipe.steps // 15,
        precision=recipe.precision,
        measure_precision=False,
        seed=seed,
        device="cpu",
        progress=False,
    )
    fit_detector(model, objects("train", recipe.train_count, recipe.size, recipe.scene), None, config)
    return model


def score_detector(model: nn.Module, pictures: InMemory, proposals: bool = False) -> dict[str, float]:
    """Scores of a detector.

    Returns:
        "box_AP", "box_AP50", "box_AP75" and the same by masks, "mask_AP"... NaN without a mask branch; "APs", "APm",
        "APl" by masks, else by boxes; with ``proposals`` "recall_10", "recall_100", "recall_1000": the share of objects
        that one of so many proposals meets with an IoU of 0.5.
    """
    found = evaluate_detector(model, pictures, area_ranges=AREAS, progress=False)
    values = {f"box_{key}": found.boxes[key] for key in ("AP", "AP50", "AP75")}
    masks = found.masks or dict.fromkeys(found.boxes, float("nan"))
    values |= {f"mask_{key}": masks[key] for key in ("AP", "AP50", "AP75")}
    values |= {key: (found.masks or found.boxes)[key] for key in ("APs", "APm", "APl")}
    values |= {f"box_{key}": found.boxes[key] for key in ("APs", "APm", "APl")}
    if proposals:
        values |= {f"recall_{count}": recall for count, recall in recalls(model, pictures, (10, 100, 1000)).items()}
    return values


def recalls(model: Any, pictures: InMemory, counts: tuple[int, ...]) -> dict[int, float]:
    """Share of the objects that one of the best 10, 100, ... proposals meets with an IoU of at least 0.5."""
    hits, total = dict.fromkeys(counts, 0), 0
    settings = model.settings
    model.settings = replace(settings, pre_nms_test=max(counts), post_nms_test=max(counts))
    try:
        with evaluating(model):
            for index in range(len(pictures)):
                image, target = pictures[index]
                total += len(target["boxes"])
                proposals = model.trace([image]).proposals[0]
                order = proposals.scores.argsort(descending=True)
                iou = box_iou(target["boxes"], proposals.boxes[order].cpu())
                for count in counts:
                    hits[count] += int((iou[:, :count] >= RECALL_IOU).any(1).sum())
    finally:
        model.settings = settings
    return {count: hit / total for count, hit in hits.items()}
