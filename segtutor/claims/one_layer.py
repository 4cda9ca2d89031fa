"""One linear layer on the course's backbone, which stays as it is: a network that learns in seconds.

What labels are worth can be asked of it many times. Shapes: N pictures, C channels, K classes, H W of a picture, h w of
its map at stride 8.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.pictures import EVERYTHING, Pictures, draw
from segtutor.claims.training import SIZE
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.models.vit import LinearHead
from segtutor.training.schedules import polynomial

TRAIN, VAL = 300, 80
STEPS, BATCH, RATE = 150, 8, 5e-3
_EVERY = 2  # every second pixel along each side is enough to learn from


def pictures(split: str, count: int) -> Pictures:
    """The first scenes of a split."""
    return draw(EVERYTHING, split, count, SIZE)


def maps_of(images: Tensor) -> Tensor:
    """What the backbone sees: N x 3 x H x W uint8 to N x C x h x w float16, its three stages side by side."""
    network = _network()
    parts = []
    with torch.no_grad():
        for part in images.split(20):
            stages = network.backbone(network.preprocessing.normalize(part))
            size = stages["aux"].shape[-2:]
            one = [F.adaptive_avg_pool2d(stages["low"], size), stages["aux"],
                   F.interpolate(stages["out"], size, mode="bilinear")]  # fmt: skip
            parts.append(torch.cat(one, dim=1).half())
    return torch.cat(parts)


@lru_cache(maxsize=1)
def _network() -> Any:
    return models.create("pspnet_tiny", num_classes=len(SCENES), weights="backbone").eval()


@lru_cache(maxsize=2)
def maps(split: str, count: int) -> Tensor:
    """The maps of the first scenes of a split, computed once."""
    return maps_of(pictures(split, count).images)


def new_layer(channels: int) -> nn.Module:
    """Batch norm and a 1 x 1 convolution, random numbers from PyTorch's generator."""
    return LinearHead(channels, len(SCENES))


def logits_of(layer: nn.Module, features: Tensor, size: tuple[int, int] = SIZE) -> Tensor:
    """N x C x h x w to logits N x K x H x W."""
    return F.interpolate(layer(features.float()), size, mode="bilinear")


def loss_of(layer: nn.Module, features: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of some pictures, N x C x h x w and N x H x W."""
    targets = labels[:, ::_EVERY, ::_EVERY].long()
    logits = logits_of(layer, features, (targets.shape[-2], targets.shape[-1]))
    return F.cross_entropy(logits, targets, ignore_index=SCENES.ignore_index)


def learn(features: Tensor, labels: Tensor, seed: int, steps: int = STEPS) -> nn.Module:
    """The layer, trained on these pictures: N x C x h x w and labels N x H x W."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer = new_layer(features.shape[1])
        optimizer = torch.optim.AdamW(layer.parameters(), lr=RATE, weight_decay=1e-4)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * polynomial(step, steps)
            batch = torch.randint(len(features), (BATCH,))
            optimizer.zero_grad()
            loss_of(layer, features[batch], labels[batch]).backward()
            optimizer.step()
    return layer.eval()


def probabilities_of(layer: nn.Module, features: Tensor) -> Tensor:
    """Of one picture, C x h x w: K x H x W."""
    with torch.no_grad():
        return logits_of(layer, features[None])[0].softmax(dim=0)


def mean_iou(layer: nn.Module, count: int = VAL) -> float:
    """On scenes that nobody learned from."""
    matrix, scenes = ConfusionMatrix(len(SCENES)), pictures("val", count)
    for features, labels in zip(maps("val", count), scenes.maps, strict=True):
        matrix.update(labels.long(), probabilities_of(layer, features).argmax(dim=0))
    return float(matrix.mean_iou())
