"""The semantic networks of the course as one table: a row says which network it is, what it starts from and its budget.

All stand on the same small backbone, but for those that have an encoder of their own. Experiments take their networks
from here and change one thing, so that a network is the same wherever it appears, and a run that two claims share is
made once. The leaderboard is this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segtutor.claims.training import SIZE, Recipe, Start
from segtutor.labels import SCENES


@dataclass(frozen=True)
class Budget:
    """What a network is given to learn with.

    Attributes:
        steps: Optimizer steps, of batches of eight.
        pictures: Scenes to learn from.
    """

    steps: int
    pictures: int

    def __str__(self) -> str:
        return (
            f"data ({self.pictures:,} scenes of {SIZE[0]} x {SIZE[1]}), order, batch 8, AdamW, poly schedule, "
            f"{self.steps:,} steps, class weights"
        )


BUDGET = Budget(steps=400, pictures=2000)
"""Of every row; some minutes on one core."""


@dataclass(frozen=True)
class Network:
    """A row of the table.

    Attributes:
        name: What figures and cards call it.
        family: The network of whose paper it is; figures have one color for each.
        model: Its name for ``models.create``.
        options: Its options.
        start: "random" weights, or those of the course's "backbone", which has learned to name what a picture shows.
        settings: Of its training, where they are its own, as ``Recipe`` has them.
        budget: What it learns with.
    """

    name: str
    family: str
    model: str
    options: tuple[tuple[str, Any], ...] = ()
    start: Start = "random"
    settings: tuple[tuple[str, Any], ...] = ()
    budget: Budget = BUDGET

    def recipe(self, **options: Any) -> Recipe:
        """The run of this row; ``options`` are added to its own, or take their place."""
        merged = tuple({**dict(self.options), **options}.items())
        return Recipe(
            self.model, merged, start=self.start, steps=self.budget.steps, train_count=self.budget.pictures,
            **dict(self.settings),
        )  # fmt: skip


_PAPER = ("variant", "paper")
_STRIDE_16 = (("output_stride", 16), ("rates", (1, 2, 3)))  # the rates that span on a map of stride 8 what 2, 4, 6 do
_QUERIES = (("queries", len(SCENES)),)  # as many as there could be classes in a picture
MASK_LOSS = (("class_weights", "none"), ("learning_rate", 1e-3), ("gradient_clip", 1.0))
"""Settings of mask classification: its loss is one per mask, not per pixel, and learns at half the rate, clipped."""

NETWORKS = (
    Network("FCN-32s", "FCN", "fcn32s_tiny"),
    Network("FCN-16s", "FCN", "fcn16s_tiny"),
    Network("FCN-8s", "FCN", "fcn8s_tiny"),
    Network("FCN-8s, pretrained", "FCN", "fcn8s_tiny", start="backbone"),
    Network("U-Net", "U-Net", "unet_tiny"),
    Network("backbone alone", "backbone", "deeplabv3_cascaded_tiny", (("last_block", 4),)),
    Network("backbone alone, stride 4", "backbone", "deeplabv3_cascaded_tiny",
            (("last_block", 4), ("output_stride", 4))),
    Network("PSPNet, stride 16", "PSPNet", "pspnet_tiny", (("output_stride", 16),)),
    Network("PSPNet", "PSPNet", "pspnet_tiny"),
    Network("PSPNet, stride 4", "PSPNet", "pspnet_tiny", (("output_stride", 4),)),
    Network("DeepLab v2", "DeepLab v2", "deeplabv2_tiny"),
    Network("DeepLab v3, cascaded", "DeepLab v3", "deeplabv3_cascaded_tiny", (("last_block", 6),)),
    Network("DeepLab v3, stride 16", "DeepLab v3", "deeplabv3_tiny", (_PAPER, *_STRIDE_16)),
    Network("DeepLab v3", "DeepLab v3", "deeplabv3_tiny", (_PAPER,)),
    Network("DeepLab v3, stride 4", "DeepLab v3", "deeplabv3_tiny",
            (_PAPER, ("output_stride", 4), ("rates", (4, 8, 12)))),
    Network("DeepLab v3+, stride 16", "DeepLab v3+", "deeplabv3plus_tiny", (*_STRIDE_16, ("low_channels", 48))),
    Network("DeepLab v3+, separable", "DeepLab v3+", "deeplabv3plus_tiny",
            (*_STRIDE_16, ("low_channels", 48), ("separable", True))),
    Network("DeepLab v3+, stride 8", "DeepLab v3+", "deeplabv3plus_tiny", (("low_channels", 48),)),
    Network("ViT", "transformer", "vit_tiny"),
    Network("SegFormer", "transformer", "segformer_tiny"),
    Network("MaskFormer", "mask classification", "maskformer_tiny", _QUERIES, settings=MASK_LOSS),
    Network("Mask2Former", "mask classification", "mask2former_tiny", _QUERIES, settings=MASK_LOSS),
    Network("EoMT", "mask classification", "eomt_tiny", _QUERIES, settings=MASK_LOSS),
)  # fmt: skip


def network(name: str) -> Network:
    """The row of that name.

    Raises:
        ValueError: If there is none; the message lists those there are.
    """
    for row in NETWORKS:
        if row.name == name:
            return row
    raise ValueError(f"there is no network {name!r} in the table; there are {'; '.join(row.name for row in NETWORKS)}")
