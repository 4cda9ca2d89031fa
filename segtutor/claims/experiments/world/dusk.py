"""A shift that nobody made: a network that has driven by day only, at dusk, on CamVid's photographs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.datasets import CamVid
from segtutor.datasets.download import data_root
from segtutor.inference.predict import evaluating, preprocessing_of
from segtutor.labels import CAMVID, LabelSet
from segtutor.metrics import ConfusionMatrix
from segtutor.metrics.calibration import Calibration
from segtutor.training import TrainingConfig, balanced_class_weights, fit
from segtutor.training.statistics import reestimate_statistics

Statistics = Literal["training", "frames", "4 frames", "road"]
SIZE = (144, 192)
"""Height and width of a frame here, 0.4 of CamVid's."""
WINDOW = (32, 48)
"""Height and width of a window that shows one class."""
DUSK, OTHER_STREET = "0001TP", "Seq05VD"
"""Names of drives: the one at dusk, and the one by day through streets that training has not seen."""
_ROAD = CAMVID.names.index("Road")


class Frames:
    """Frames in memory: ``frames[i]`` is (image 3 x H x W uint8, label map H x W int64).

    Attributes:
        labels: The LabelSet.
        images: N x 3 x H x W uint8.
        maps: N x H x W int64.
    """

    labels: LabelSet = CAMVID

    def __init__(self, images: Tensor, maps: Tensor) -> None:
        self.images, self.maps = images, maps

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.maps[index]


@dataclass(frozen=True)
class Drives:
    """CamVid by light.

    Attributes:
        learned: Frames of the training by day.
        unlabeled: Earlier frames of each drive that is scored, "day" and "dusk"; their labels choose windows, no more.
        scored: Later frames of the same drives.
    """

    learned: Frames
    unlabeled: dict[str, Frames]
    scored: dict[str, Frames]


def read(dataset: CamVid, drives: tuple[str, ...] | None, size: tuple[int, int] = SIZE) -> Frames:
    """The frames of some drives, in their order and smaller; None for all but the one at dusk."""
    images, maps = [], []
    for index, (picture, _) in enumerate(dataset.pairs):
        drive = picture.name.partition("_")[0]
        if drive == DUSK if drives is None else drive not in drives:
            continue
        image, labels = (part.as_subclass(Tensor) for part in dataset[index])
        images.append(F.interpolate(image[None].float(), size, mode="area")[0].round().to(torch.uint8))
        maps.append(F.interpolate(labels[None, None].float(), size, mode="nearest-exact")[0, 0].long())
    return Frames(torch.stack(images), torch.stack(maps))


@lru_cache(maxsize=1)
def drives() -> Drives:
    """CamVid from the data root, parted by light.

    Raises:
        FileNotFoundError: If it is not there.
    """
    root = data_root() / "camvid"
    if not (root / "train.txt").is_file():
        raise FileNotFoundError(
            f"there is no CamVid at {root}, in SegNet's form with train.txt and test.txt: its license lets nobody pass "
            "it on with this course; put it there, or name the folder above it by SEGTUTOR_DATA"
        )
    train, test = CamVid(root, "train"), CamVid(root, "test")
    street = read(test, (OTHER_STREET,))
    half = len(street) // 2
    early, late = (Frames(street.images[part], street.maps[part]) for part in (slice(half), slice(half, None)))
    return Drives(read(train, None), {"day": early, "dusk": read(train, (DUSK,))},
                  {"day": late, "dusk": read(test, (DUSK,))})  # fmt: skip


def road_windows(frames: Frames) -> Tensor:
    """Of each frame the window with the most road, N x 3 x 32 x 48: what a batch of one class shows."""
    share = F.avg_pool2d((frames.maps == _ROAD)[:, None].float(), WINDOW, stride=4)[:, 0]
    windows = []
    for image, shares in zip(frames.images, share, strict=True):
        top, left = (4 * int(one) for one in np.unravel_index(int(shares.argmax()), tuple(shares.shape)))
        windows.append(image[:, top : top + WINDOW[0], left : left + WINDOW[1]])
    return torch.stack(windows)


@dataclass(frozen=True)
class DriveRecipe:
    """Of a training by day.

    Attributes:
        shows: What is learned from, for the card.
        steps: Optimizer steps, of batches of eight.
        train_count: Frames to learn from.
        val_count: Frames to score on, at dusk.
        precision: Of the training, see ``Recipe``.
    """

    shows: ClassVar[str] = "frames"
    steps: int = 150
    train_count: int = 305
    val_count: int = 62
    precision: str = "auto"

    def shortened(self) -> DriveRecipe:
        """The version of some minutes."""
        return replace(self, steps=60)


@lru_cache(maxsize=1)
def trained(recipe: DriveRecipe, seed: int) -> nn.Module:
    """The network of a seed, trained by day; all variants of the claim are this one."""
    learned = drives().learned
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.create("deeplabv3_mobilenet_v2", num_classes=len(CAMVID), weights="pip")
    config = TrainingConfig(
        steps=recipe.steps, batch_size=8, learning_rate=1e-3, head_factor=2.0, weight_decay=0.01,
        warmup_steps=recipe.steps // 10, class_weights=balanced_class_weights(learned), precision=recipe.precision,
        measure_precision=False, seed=seed, device="cpu", progress=False,
    )  # fmt: skip
    fit(model, learned, None, config)
    return model.eval()


@dataclass(frozen=True)
class AtDusk:
    """A network, trained by day, in another street by day and at dusk.

    Attributes:
        recipe: Of its training.
        statistics: Whose means and variances batch norm uses: those of the "training"; of earlier "frames" of the drive
            at hand; of "4 frames" of these; or of windows of the same frames that show "road".
    """

    recipe: DriveRecipe
    statistics: Statistics

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU and calibration error by light."""
        network = trained(self.recipe.shortened() if short else self.recipe, seed)
        values: dict[str, float] = {}
        for light, frames in drives().scored.items():
            matrix, counted = score(self.prepared(network, light), frames)
            values |= {f"{light}_mean_iou": matrix.mean_iou(), f"{light}_ece": counted.ece()}
        return values

    def prepared(self, network: nn.Module, light: str) -> nn.Module:
        """A copy of the network with the statistics of this variant."""
        model = copy.deepcopy(network)
        frames = drives().unlabeled[light]
        if self.statistics == "frames":
            reestimate_statistics(model, frames.images)
        elif self.statistics == "4 frames":  # far from each other in time
            reestimate_statistics(model, frames.images[:: max(1, len(frames) // 4)][:4])
        elif self.statistics == "road":
            reestimate_statistics(model, road_windows(frames))
        return model

    def shortened(self) -> AtDusk:
        """The version of some minutes."""
        return replace(self, recipe=self.recipe.shortened())

    def in_precision(self, precision: str) -> AtDusk:
        """The same, trained in this precision."""
        return replace(self, recipe=replace(self.recipe, precision=precision))


def score(model: nn.Module, frames: Frames) -> tuple[ConfusionMatrix, Calibration]:
    """Counts of a network's label maps, and of its confidence."""
    matrix, counted = ConfusionMatrix(len(CAMVID)), Calibration(len(CAMVID))
    with evaluating(model):
        for images, maps in zip(frames.images.split(10), frames.maps.split(10), strict=True):
            given = model(preprocessing_of(model).normalize(images))["out"].float().softmax(dim=1)
            for one, target in zip(given, maps, strict=True):
                matrix.update(target, one.argmax(dim=0))
                counted.update(target, one)
    return matrix, counted


_RECIPE = DriveRecipe()
_VARIANTS: dict[str, Statistics] = {
    "of the training": "training",
    "earlier frames of the drive": "frames",
    "4 of these frames": "4 frames",
    "windows of road only": "road",
}

DUSK_CLAIM = Claim(
    name="world.dusk",
    title="A real dusk",
    sentence="What a network loses when the light changes comes back if batch norm takes its means and variances from "
    "unlabeled photographs in the new light.",
    source="Schneider et al. 2020 (Improving robustness against common corruptions by covariate shift adaptation), "
    "whose shifts are made by programs",
    paper="ImageNet-C, ResNet-50, classification: mean corruption error 76.7 % with the statistics of the training, "
    "62.2 with adapted ones",
    changes="whose means and variances batch norm uses: those of the training by day, or those of earlier frames of "
    "the same drive (62 at dusk, 85 by day), of four of them, or of windows of them that show road and little else",
    same=f"DeepLab v3 on MobileNetV2 that knows ImageNet, trained on {_RECIPE.train_count} daylight frames of "
    f"CamVid of {SIZE[0]} x {SIZE[1]} (batch 8, AdamW, poly schedule, {_RECIPE.steps} steps, class weights, "
    f"mirrored, colors as they are), and all its weights; {_RECIPE.val_count} later frames of the drive at dusk, and "
    "86 of a street by day, neither of which training has seen",
    variants={name: AtDusk(_RECIPE, statistics) for name, statistics in _VARIANTS.items()},
    measures=(
        percent("day_mean_iou", "mean IoU by day"),
        percent("day_ece", "ECE by day"),
        percent("dusk_mean_iou", "mean IoU at dusk"),
        percent("dusk_ece", "ECE at dusk"),
    ),
    expectations=(
        Expectation("at dusk, new statistics help", "dusk_mean_iou", "earlier frames of the drive", "of the training"),
        Expectation("and make it more honest", "dusk_ece", "earlier frames of the drive", "of the training", False),
        Expectation("by day they cost less than two points", "day_mean_iou", "earlier frames of the drive",
                    "of the training", margin=-0.02),
        Expectation("pictures of one class harm", "dusk_mean_iou", "of the training", "windows of road only"),
    ),
)  # fmt: skip
