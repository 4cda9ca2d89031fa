"""Scenes drawn once and kept in memory: an experiment trains many networks on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtutor.datasets import Scenes
from segtutor.labels import SCENES, LabelSet


@dataclass(frozen=True)
class SceneKind:
    """Which scenes an experiment is made on.

    Attributes:
        title: What they are called in a table.
        options: Arguments of ``Scenes`` beside split, size and count.
    """

    title: str
    options: tuple[tuple[str, Any], ...] = ()


EVERYTHING = SceneKind("Scenes")
BOLLARDS = SceneKind(
    "Scenes: streets and harbors with many bollards",
    (("kinds", ("street", "harbor")), ("context", 4.0), ("context_distance", 0.3)),
)


class Pictures:
    """A data set of scenes in memory: ``pictures[i]`` is (image 3 x H x W uint8, label map H x W int64).

    Attributes:
        labels: The LabelSet.
        thin: N x H x W bool, where poles, masts and leashes are.
        sides: N x H x W, the side of the thing at each pixel, the root of its visible area; 0 where there is none.
    """

    labels: LabelSet = SCENES

    def __init__(self, images: np.ndarray, maps: np.ndarray, thin: np.ndarray, sides: np.ndarray) -> None:
        self.images, self.maps, self.thin, self.sides = torch.from_numpy(images), torch.from_numpy(maps), thin, sides

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.maps[index].long()


@lru_cache(maxsize=8)
def draw(kind: SceneKind, split: str, count: int, size: tuple[int, int]) -> Pictures:
    """The first pictures of a split, drawn once per process.

    Args:
        kind: Which scenes.
        split: "train", "val" or "test".
        count: N.
        size: Height and width.
    """
    scenes = Scenes(split, size=size, count=count, **dict(kind.options))
    images = np.empty((count, 3, *size), dtype=np.uint8)
    maps = np.empty((count, *size), dtype=np.uint8)
    thin, sides = np.zeros((count, *size), dtype=bool), np.zeros((count, *size), dtype=np.float32)
    for index in range(count):
        if split == "train":
            image, labels = scenes[index]
            images[index], maps[index] = image.numpy(), labels.numpy()
        else:  # only scoring asks where thin structures and things are, and collecting them takes time
            scene = scenes.scene(index)
            images[index], maps[index], thin[index] = scene.image.transpose(2, 0, 1), scene.labels, scene.thin
            for thing in scene.instances:
                sides[index][thing.mask] = np.sqrt(thing.mask.sum())
    return Pictures(images, maps, thin, sides)
