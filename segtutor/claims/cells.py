"""Drawn cells that touch, and a U-Net that learns to tell them apart from a few pictures of them.

Shapes: N pictures, H W; ``things`` hold the number of the cell at each pixel, 0 for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors

from segtutor import compute, models
from segtutor.claims.claim import Values
from segtutor.datasets.elastic import ElasticDeformation
from segtutor.inference.predict import evaluating
from segtutor.metrics.panoptic import PanopticQuality
from segtutor.training.gaps import apart, gap_weights
from segtutor.training.precision import autocast
from segtutor.training.schedules import polynomial
from segtutor.training.stream import seeded

SIZE = 64
SMALLEST = 12
"""Regions of fewer pixels are no cells."""
_CELL, _GROUND = 1, 2  # categories
SIGMA = 2.0
"""Of the gaps' weight: the paper's 5, at these smaller cells."""


@dataclass(frozen=True, eq=False)
class Pictured:
    """A picture of cells.

    Attributes:
        picture: H x W float32 from 0 to 1.
        things: H x W int64.
    """

    picture: np.ndarray
    things: np.ndarray


@lru_cache(maxsize=4)
def draw_cells(split: str, count: int, size: int = SIZE) -> tuple[Pictured, ...]:
    """The first pictures of a split, each drawn from numbers of its own.

    Args:
        split: "train" or "val".
        count: N.
        size: H and W.
    """
    return tuple(_draw(np.random.default_rng([("train", "val").index(split), size, index]), size)
                 for index in range(count))  # fmt: skip


def _draw(random: np.random.Generator, size: int) -> Pictured:
    """Chains of wavy discs, each at the edge of one before it."""
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    things = np.zeros((size, size), dtype=np.int64)
    light = np.full((size, size), 0.25)
    placed: list[tuple[float, float, float]] = []
    for _ in range(60):
        radius = random.uniform(4.5, 7.5)
        if placed and random.random() < 0.75:
            y, x, other = placed[random.integers(len(placed))]
            angle = random.uniform(0, 2 * np.pi)
            y, x = y + (other + radius) * np.sin(angle), x + (other + radius) * np.cos(angle)
        else:
            y, x = random.uniform(0, size, 2)
        crowded = any(np.hypot(y - a, x - b) < 0.93 * (radius + c) for a, b, c in placed)
        if crowded or not (0 <= y < size and 0 <= x < size) or len(placed) == 16:
            continue
        direction = np.arctan2(rows - y, columns - x)
        wave = 1 + 0.09 * np.sin(3 * direction + random.uniform(0, 6)) + 0.07 * np.sin(2 * direction)
        depth = 1 - np.hypot(rows - y, columns - x) / (radius * wave)
        inside = (depth > 0) & (things == 0)
        placed.append((y, x, radius))
        things[inside] = len(placed)
        light[inside] = random.uniform(0.5, 0.75) * (0.8 + 0.2 * np.minimum(1, 3 * depth[inside]))
    blurred = ndimage.gaussian_filter(light, 0.8) + 0.05 * random.standard_normal((size, size))
    return Pictured(np.clip(blurred, 0, 1).astype(np.float32), things)


@dataclass(frozen=True)
class CellRecipe:
    """What a run depends on beside its seed.

    Attributes:
        shows: What is learned from, for the card.
        gaps: Whether the loss knows the gaps between touching cells.
        elastic: Whether pictures are bent.
        train_count: Pictures to learn from.
        val_count: Pictures to score on.
        steps: Optimizer steps.
        skip: How U-Net joins its two ways.
        batch_size: Pictures of a step.
        crop: Height and width that a step sees.
        sigma: Of the gaps' weight.
        precision: Of the training, see ``Recipe``.
    """

    shows: ClassVar[str] = "pictures"
    gaps: bool = True
    elastic: bool = True
    train_count: int = 8
    val_count: int = 60
    steps: int = 200
    skip: str = "concat"
    batch_size: int = 8
    crop: int = SIZE
    sigma: float = SIGMA
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores on new pictures, see ``score``."""
        recipe = self.shortened() if short else self
        model = recipe.train(draw_cells("train", recipe.train_count), seed)
        unseen = draw_cells("val", recipe.val_count)
        return score([one.things for one in unseen], [find_cells(model, one.picture) for one in unseen])

    def shortened(self) -> CellRecipe:
        """The version of a minute."""
        return replace(self, steps=60, val_count=10)

    def in_precision(self, precision: str) -> CellRecipe:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def train(self, pictures: Sequence[Any], seed: int) -> nn.Module:
        """A small U-Net after its training on pictures with ``picture`` and ``things``.

        They are turned by quarters and mirrored, which costs nothing and adds no knowledge of cells, in all variants.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model: Any = models.create("unet_tiny", num_classes=2, skip=self.skip)
        precision = compute.choose_precision("cpu").name if self.precision == "auto" else self.precision
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
        model.train()
        for step in range(self.steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * polynomial(step, self.steps, warmup_steps=self.steps // 10)
            with seeded(seed, 1, step):
                images, labels, weights = self.batch(pictures)
                with autocast(images.device, precision):
                    logits = model(model.preprocessing.normalize(images))["out"]
            loss = (F.cross_entropy(logits.float(), labels, reduction="none") * weights).sum() / weights.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        trained: nn.Module = model.eval()
        return trained

    def batch(self, pictures: Sequence[Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Images B x 3 x h x w, labels B x h x w and the weight of each pixel."""
        bend = ElasticDeformation(deviation=self.crop / 32) if self.elastic else None
        images, labels, weights = [], [], []
        for _ in range(self.batch_size):
            one = pictures[int(torch.randint(len(pictures), ())) if len(pictures) > 1 else 0]
            image, things = torch.from_numpy(one.picture), torch.from_numpy(one.things)
            top, left = (int(torch.randint(side - self.crop + 1, ())) for side in image.shape)
            image, things = (part[top : top + self.crop, left : left + self.crop] for part in (image, things))
            if bend is not None:
                image, things = bend(tv_tensors.Image(image[None]), tv_tensors.Mask(things))
                image, things = image[0].as_subclass(Tensor), things.as_subclass(Tensor)
            turns, mirror = int(torch.randint(4, ())), bool(torch.randint(2, ()))
            image, things = (torch.rot90(part, turns) for part in (image, things))
            image, things = (part.flip(0) if mirror else part for part in (image, things))
            numbers = things.numpy()
            images.append(image.expand(3, -1, -1))
            labels.append(torch.from_numpy(apart(numbers)))
            weight = gap_weights(numbers, sigma=self.sigma) if self.gaps else np.ones(numbers.shape, np.float32)
            weights.append(torch.from_numpy(weight))
        return torch.stack(images), torch.stack(labels).long(), torch.stack(weights)


def find_cells(model: Any, picture: np.ndarray) -> np.ndarray:
    """The cells that a network finds, H x W numbers."""
    with evaluating(model):
        images = model.preprocessing.normalize(torch.from_numpy(picture).expand(1, 3, -1, -1))
        inside = model(images)["out"][0].argmax(dim=0).numpy() == 1
    return regions(inside)


def regions(inside: np.ndarray) -> np.ndarray:
    """The connected regions of a mask, at corners not, without those that are too small for a cell."""
    numbers, _ = ndimage.label(inside)
    small = np.bincount(numbers.ravel()) < SMALLEST
    numbers[small[numbers]] = 0
    return np.asarray(numbers)


def score(truths: Sequence[np.ndarray], answers: Sequence[np.ndarray]) -> dict[str, float]:
    """How well cells are found, over all pictures together.

    Args:
        truths: H x W each, the true ones' numbers, 0 for none.
        answers: H x W each, the found ones'.

    Returns:
        "f1": share of cells that are found with IoU above 0.5, both ways (RQ of panoptic quality); "pq": the same times
        the mean IoU of those; "merged": share of true cells that lie, by more than half, in a region with another one;
        "iou": of the foreground with its gaps, which is what is learned.
    """
    quality = PanopticQuality([{"id": _CELL, "isthing": True}, {"id": _GROUND, "isthing": False}])
    merged = cells = both = either = 0
    for things, found in zip(truths, answers, strict=True):
        quality.update(_segments(things), _segments(found))
        parted = apart(things)
        both += int((parted & (found > 0)).sum())
        either += int((parted | (found > 0)).sum())
        homes = [_home(things == number, found) for number in np.unique(things[things > 0])]
        cells += len(homes)
        merged += sum(homes.count(home) > 1 for home in homes if home)
    scores = quality.scores().things
    return {"f1": scores.RQ, "pq": scores.PQ, "merged": merged / max(1, cells), "iou": both / max(1, either)}


def _segments(numbers: np.ndarray) -> tuple[np.ndarray, list[dict[str, int]]]:
    """As panoptic quality takes them. The ground is a segment, too: were it void, it would excuse what lies on it."""
    ground = int(numbers.max()) + 1
    filled = np.where(numbers > 0, numbers, ground)
    return filled, [{"id": int(number), "category_id": _GROUND if number == ground else _CELL}
                    for number in np.unique(filled)]  # fmt: skip


def _home(cell: np.ndarray, found: np.ndarray) -> int:
    """The region that holds more than half of a cell; 0 if none does."""
    counts = np.bincount(found[cell])
    best = int(counts.argmax())
    return best if 2 * counts[best] > cell.sum() else 0
