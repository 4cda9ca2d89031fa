"""The claim about the decoder: single layers are enough if the encoder looks far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from segtutor.claims.claim import Claim, Expectation, Measure, percent
from segtutor.claims.measures import MEAN_IOU, PARAMETERS
from segtutor.claims.networks import Budget
from segtutor.claims.pictures import BOLLARDS, draw
from segtutor.claims.scoring import score
from segtutor.claims.training import SIZE, Recipe, train
from segtutor.labels import SCENES
from segtutor.models.backbones import TinyResNet
from segtutor.models.inputs import Preprocessing
from segtutor.models.segformer import TINY, MLPHead
from segtutor.plotting import effective_receptive_field, field_width

BUDGET = Budget(steps=300, pictures=500)
SHARE = 0.5
"""Of the gradient, in the square that counts as the effective field."""


class Levels(nn.Module):
    """The maps of the small ResNet as the decoder takes them, the finest first.

    Args:
        backbone: The small ResNet at output stride 16.
        stages: How many of its three stages are kept.
    """

    def __init__(self, backbone: Any, stages: int) -> None:
        super().__init__()
        self.stem = backbone.stem
        self.layers = nn.ModuleList([backbone.layer1, backbone.layer2, backbone.layer3][:stages])

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """B x 3 x H x W to a map per stage, at strides 4, 8 and 16."""
        features, maps = self.stem(images), {}
        for number, layer in enumerate(self.layers, start=1):
            features = maps[f"stage{number}"] = layer(features)
        return maps


@dataclass(frozen=True)
class Encoder:
    """A change of ``segformer_tiny``: called with the network, gives it fewer stages, or the small ResNet as encoder.

    Attributes:
        stages: How many of three.
        resnet: The course's small ResNet in place of the transformer.
    """

    stages: int = 3
    resnet: bool = False

    def __call__(self, model: Any) -> None:
        widths = TINY.widths
        if self.resnet:
            backbone = TinyResNet(output_stride=16)
            widths = tuple(backbone.channels.values())
            model.backbone = Levels(backbone, self.stages)
        else:
            model.backbone.stages = model.backbone.stages[: self.stages]
        model.classifier = MLPHead(widths[: self.stages], len(SCENES), TINY.decoder, "paper")


@dataclass(frozen=True)
class Seen(Recipe):
    """A run that is also asked how far its trained network sees."""

    def __call__(self, seed: int, short: bool) -> dict[str, Any]:
        """The scores of a recipe, and the side of the square that holds half of the gradient."""
        recipe = self.shortened() if short else self
        model, _ = train(recipe, seed)
        pictures = draw(recipe.scenes, "val", recipe.val_count, SIZE)
        images = Preprocessing().normalize(torch.stack([pictures[index][0] for index in range(8)]))
        field = effective_receptive_field(model, images, (SIZE[0] // 2, SIZE[1] // 2))
        scores = score(model, pictures)
        return {
            **{key: scores[key] for key in ("mean_iou", "bollard_iou", "band_iou", "pixel_accuracy")},
            "effective": field_width(field, SHARE, (SIZE[0] // 2, SIZE[1] // 2)),
            "parameters": float(sum(parameter.numel() for parameter in model.parameters())),
        }

    def shortened(self) -> Seen:
        """The version that a lesson runs; there is no pretrained transformer to start from."""
        return replace(self, steps=min(self.steps, 80), train_count=200, val_count=40)


def _on_bollards(**encoder: Any) -> Seen:
    change = Encoder(**encoder)
    return Seen(
        "segformer_tiny", change=change, scenes=BOLLARDS, steps=BUDGET.steps, train_count=BUDGET.pictures,
        val_count=100,
    )  # fmt: skip


_VARIANTS: dict[str, Any] = {
    "ResNet, 2 stages": _on_bollards(stages=2, resnet=True),
    "transformer, 2 stages": _on_bollards(stages=2),
    "ResNet, 3 stages": _on_bollards(resnet=True),
}

DECODER = Claim(
    name="transformers.decoder",
    title="A decoder of single layers",
    sentence="A decoder that mixes the stages by 1 x 1 convolutions is enough behind a transformer, whose effective "
    "field is wide; behind a convolutional network it is not.",
    source="Xie et al. 2021 (SegFormer), §3.2, Figure 3 and Table 1d",
    paper="ADE20K val: with the same decoder, encoders of convolutions stay behind the transformer (Table 1d)",
    changes="the encoder: two stages (stride 8) of the small Mix Transformer, or of the course's small ResNet; and the "
    "ResNet with its third stage (stride 16)",
    same=str(BUDGET).replace("scenes of", "streets and harbors with many bollards, of") + "; the decoder",
    variants=_VARIANTS,
    measures=(
        percent("bollard_iou", "IoU of the two bollards"),
        MEAN_IOU,
        Measure("effective", "square with half of the gradient, px", digits=0),
        PARAMETERS,
    ),
    expectations=(
        Expectation("the transformer's field is wider", "effective", "transformer, 2 stages", "ResNet, 2 stages"),
        Expectation(
            "so it tells the bollards apart, which the ResNet cannot", "bollard_iou", "transformer, 2 stages",
            "ResNet, 2 stages",
        ),
        Expectation("it is better over all classes, too", "mean_iou", "transformer, 2 stages", "ResNet, 2 stages"),
        Expectation(
            "with a third stage, which sees farther, the ResNet tells them apart, too", "bollard_iou",
            "ResNet, 3 stages", "ResNet, 2 stages",
        ),
    ),
)  # fmt: skip
