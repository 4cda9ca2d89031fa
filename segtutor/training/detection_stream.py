"""Pictures and their objects on the way into a detector: mirrored, collected, kept in memory.

Shapes: H W the picture, G objects of it. Boxes are G x 4, xyxy in continuous coordinates: the picture's right border
is W.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segtutor.inference.samples import label_set
from segtutor.training.stream import Shuffled

KEPT = ("boxes", "labels", "masks", "iscrowd")
"""What the losses may need of a target; everything else stays behind."""


class DetectionStream(Shuffled):
    """Pictures and targets by their position in the run.

    Args:
        dataset: The training set: ``dataset[i]`` is an image 3 x H x W and a dict of boxes, labels and masks.
        seed: See `Shuffled`.
        flip: Mirror half of the samples.
    """

    def __init__(self, dataset: Any, seed: int, flip: bool) -> None:
        super().__init__(dataset, seed)
        self.flip = flip

    def _augment(self, image: Tensor, target: Any) -> tuple[Tensor, dict[str, Tensor]]:
        if not isinstance(target, Mapping):
            raise ValueError(
                "the target of a detector is a dict of boxes, labels and masks, but this data set gives a "
                f'{type(target).__name__}: ask it for objects, as Scenes(target="instances") does'
            )
        image = image.as_subclass(Tensor)
        plain = {key: target[key].as_subclass(Tensor) for key in KEPT if key in target}
        return mirror(image, plain) if self.flip and random.random() < 0.5 else (image, plain)


def mirror(image: Tensor, target: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Picture, boxes and masks together, left and right exchanged.

    A box from x1 to x2 becomes one from W - x2 to W - x1.
    """
    mirrored = dict(target)
    boxes = target["boxes"].reshape(-1, 4)
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    width = image.shape[-1]
    mirrored["boxes"] = torch.stack([width - x2, y1, width - x1, y2], dim=1)
    if "masks" in target:
        mirrored["masks"] = target["masks"].flip(-1)
    return image.flip(-1), mirrored


def collate(samples: list[tuple[Tensor, dict[str, Tensor]]]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """A list of images, which may differ in size, and one of targets; the network makes the batch."""
    images, targets = zip(*samples, strict=True)
    return list(images), list(targets)


class InMemory:
    """A data set whose samples are made once and then kept, for those that take longer to make than to learn from.

    What is random in the data set stays as it was the first time. The masks are kept as bits: 3 kB for an object in a
    picture of 128 x 160 pixels.

    Args:
        dataset: Of pictures and objects, as `DetectionStream` takes it.

    Attributes:
        labels: Its LabelSet.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.labels = dataset, label_set(dataset)
        self._kept: dict[int, tuple[Tensor, dict[str, Tensor], Tensor, torch.Size]] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        if index not in self._kept:
            image, target = self.dataset[index]
            masks = target["masks"].as_subclass(Tensor) > 0
            rest = {key: target[key].as_subclass(Tensor) for key in KEPT if key in target and key != "masks"}
            self._kept[index] = image.as_subclass(Tensor), rest, pack_bits(masks), masks.shape
        image, rest, bits, shape = self._kept[index]
        return image, {**rest, "masks": unpack_bits(bits, shape)}


def pack_bits(masks: Tensor) -> Tensor:
    """Booleans as bits, eight to a byte."""
    return torch.from_numpy(np.packbits(masks.numpy()))


def unpack_bits(bits: Tensor, shape: torch.Size) -> Tensor:
    """The booleans that `pack_bits` packed."""
    return torch.from_numpy(np.unpackbits(bits.numpy(), count=shape.numel())).bool().reshape(shape)
