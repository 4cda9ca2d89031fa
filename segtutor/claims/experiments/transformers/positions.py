"""The claim about places: Mix-FFN against a table of positions, on pictures larger than those of the training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import nn

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.claims.measures import PARAMETERS
from segtutor.claims.pictures import EVERYTHING, Pictures, draw
from segtutor.claims.training import class_weights_of
from segtutor.inference import predict
from segtutor.inference.predict import evaluating
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.training import TrainingConfig, fit

CROP = (64, 80)
"""Height and width of what the networks learn from."""
WHOLE = (192, 240)
"""Of the scenes, three times as high and as wide."""

Places = Literal["mix-ffn", "table", "none"]


@dataclass(frozen=True)
class Crops:
    """A small SegFormer that learns from crops and is tested on crops and on whole scenes.

    Attributes:
        places: How it knows places: "mix-ffn", a "table" of positions for each stage, or "none" of both.
        steps: Optimizer steps, of batches of eight crops.
        train_count: Scenes to learn from.
        val_count: Scenes to score on.
        precision: Of the training.
    """

    places: Places
    steps: int = 400
    train_count: int = 300
    val_count: int = 40
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU by windows of the crops' size and of whole scenes."""
        recipe = self.shortened() if short else self
        model = recipe.train(seed)
        scenes = draw(EVERYTHING, "val", recipe.val_count, WHOLE)
        windows, whole = (mean_iou(model, scenes, window) for window in (CROP, None))
        return {
            "windows": windows,
            "whole": whole,
            "gain": whole - windows,
            "parameters": float(sum(parameter.numel() for parameter in model.parameters())),
        }

    def in_precision(self, precision: str) -> Crops:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def shortened(self) -> Crops:
        """The version that a lesson runs."""
        return replace(self, steps=100, train_count=60, val_count=16)

    def build(self) -> nn.Module:
        """The network before its training."""
        position = "mix-ffn" if self.places == "mix-ffn" else "table"
        model = models.create("segformer_tiny", num_classes=len(SCENES), position=position, train_size=CROP)
        if self.places == "none":
            for stage in model.backbone.stages:  # type: ignore[union-attr]
                stage.positions = None
        return model

    def train(self, seed: int) -> nn.Module:
        """The network after it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.build()
        config = TrainingConfig(
            steps=self.steps,
            batch_size=8,
            crop=CROP,
            learning_rate=1e-3,
            warmup_steps=self.steps // 10,
            weight_decay=0.01,
            class_weights=class_weights_of("root", EVERYTHING, self.train_count, WHOLE),
            precision=self.precision,
            measure_precision=False,
            seed=seed,
            device="cpu",
            progress=False,
        )
        fit(model, draw(EVERYTHING, "train", self.train_count, WHOLE), None, config)
        return model


def mean_iou(model: nn.Module, pictures: Pictures, window: tuple[int, int] | None) -> float:
    """Mean IoU on whole pictures, or put together from windows."""
    matrix = ConfusionMatrix(len(SCENES))
    with evaluating(model):
        for index in range(len(pictures)):
            image, target = pictures[index]
            matrix.update(target, predict(model, image, window=window))
    return float(matrix.mean_iou())


_VARIANTS: dict[str, Any] = {
    "Mix-FFN": Crops("mix-ffn"),
    "table of positions": Crops("table"),
    "neither": Crops("none"),
}

POSITIONS = Claim(
    name="transformers.positions",
    title="Mix-FFN or a table of positions",
    sentence="A network with a table of positions loses when it is tested on pictures of another size than in "
    "training, because the table must be interpolated; with Mix-FFN it loses less, and it is better on both.",
    source="Xie et al. 2021 (SegFormer), §3.1 and Table 1c",
    paper="Cityscapes, from windows of 768 x 768 to whole pictures of 1024 x 2048: the table loses 3.3 points of mean "
    "IoU, Mix-FFN 0.7",
    changes="how tokens know where they are: 3 x 3 depthwise convolutions in the feed-forward layers, or a learned "
    "table for each stage; the control has neither",
    same=f"segformer_tiny, data (crops of {CROP[0]} x {CROP[1]} from 300 scenes of {WHOLE[0]} x {WHOLE[1]}), order, "
    "batch 8, AdamW, poly schedule, 400 steps, class weights",
    variants=_VARIANTS,
    measures=(
        percent("windows", f"mean IoU by windows of {CROP[0]} x {CROP[1]}"),
        percent("whole", f"of whole scenes of {WHOLE[0]} x {WHOLE[1]}"),
        percent("gain", "difference"),
        PARAMETERS,
    ),
    expectations=(
        Expectation("the table loses on whole scenes", "gain", "table of positions", 0.0, higher=False),
        Expectation("from windows to whole scenes, Mix-FFN loses less, or gains more", "gain", "Mix-FFN",
                    "table of positions"),
        Expectation("Mix-FFN is better by windows", "windows", "Mix-FFN", "table of positions"),
        Expectation("Mix-FFN is better on whole scenes", "whole", "Mix-FFN", "table of positions"),
        Expectation("Mix-FFN is better than neither", "windows", "Mix-FFN", "neither"),
        Expectation("a table is better than nothing", "windows", "table of positions", "neither"),
    ),
)  # fmt: skip
