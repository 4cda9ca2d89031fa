"""Half a photograph of nuclei is learned, the other half scored: U-Net beside a threshold, which learns nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import tv_tensors

from segtutor import compute, models
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.datasets.elastic import ElasticDeformation
from segtutor.datasets.nuclei import COUNT, Nuclei, nuclei
from segtutor.inference.predict import evaluating
from segtutor.metrics.panoptic import PanopticQuality
from segtutor.training.gaps import apart, gap_weights
from segtutor.training.precision import autocast
from segtutor.training.schedules import polynomial
from segtutor.training.stream import seeded

SMALLEST = 12
"""Regions of fewer pixels are no nuclei."""


@dataclass(frozen=True)
class HalfAPhotograph:
    """A small U-Net that learns on the left half of the photograph, and is scored on the right half.

    Attributes:
        steps: Optimizer steps.
        batch_size: Crops of a step.
        crop: Height and width of a crop.
        sigma: Of the gaps' weight, see ``gap_weights``.
        precision: Of the training, see ``Recipe``.
    """

    steps: int = 150
    batch_size: int = 4
    crop: int = 96
    sigma: float = 5.0
    precision: str = "auto"

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores on the right half, see ``score``.

        Raises:
            DownloadError: If the photograph is neither on this machine nor to be had.
        """
        left, right = nuclei().halves()
        recipe = replace(self, steps=60) if short else self
        return score(right.things, find(recipe.train(left, seed), right.picture))

    def in_precision(self, precision: str) -> HalfAPhotograph:
        """The same, trained in this precision."""
        return replace(self, precision=precision)

    def train(self, photograph: Nuclei, seed: int) -> nn.Module:
        """The network after its training."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model: Any = models.create("unet_tiny", num_classes=2)
        precision = compute.choose_precision("cpu").name if self.precision == "auto" else self.precision
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
        model.train()
        for step in range(self.steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * polynomial(step, self.steps, warmup_steps=self.steps // 10)
            with seeded(seed, 1, step):
                images, labels, weights = self.batch(photograph)
                with autocast(images.device, precision):
                    logits = model(model.preprocessing.normalize(images))["out"]
            loss = (F.cross_entropy(logits.float(), labels, reduction="none") * weights).sum() / weights.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        trained: nn.Module = model.eval()
        return trained

    def batch(self, photograph: Nuclei) -> tuple[Tensor, Tensor, Tensor]:
        """Crops B x 3 x h x w, their labels B x h x w, and the weight of each pixel in the loss."""
        bend = ElasticDeformation(deviation=self.crop / 32)
        images, labels, weights = [], [], []
        for _ in range(self.batch_size):
            image, things = torch.from_numpy(photograph.picture), torch.from_numpy(photograph.things)
            top, left = (int(torch.randint(side - self.crop + 1, ())) for side in image.shape)
            image, things = (part[top : top + self.crop, left : left + self.crop] for part in (image, things))
            image, things = bend(tv_tensors.Image(image[None]), tv_tensors.Mask(things))
            image, things = image[0].as_subclass(Tensor), things.as_subclass(Tensor)
            turns, mirror = int(torch.randint(4, ())), bool(torch.randint(2, ()))
            image, things = (torch.rot90(part, turns) for part in (image, things))
            image, things = (part.flip(0) if mirror else part for part in (image, things))
            numbers = things.numpy()
            images.append(image.expand(3, -1, -1))
            labels.append(torch.from_numpy(apart(numbers)))
            weights.append(torch.from_numpy(gap_weights(numbers, sigma=self.sigma)))
        return torch.stack(images), torch.stack(labels).long(), torch.stack(weights)


def find(model: Any, picture: np.ndarray) -> np.ndarray:
    """The nuclei that a network finds, H x W numbers."""
    with evaluating(model):
        images = model.preprocessing.normalize(torch.from_numpy(picture).expand(1, 3, -1, -1))
        inside = model(images)["out"][0].argmax(dim=0).numpy() == 1
    return regions(inside)


def regions(inside: np.ndarray) -> np.ndarray:
    """The connected regions of a mask, at corners not, without those that are too small."""
    numbers, _ = ndimage.label(inside)
    small = np.bincount(numbers.ravel()) < SMALLEST
    numbers[small[numbers]] = 0
    return np.asarray(numbers)


def score(things: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """How well nuclei are found.

    Args:
        things: H x W, the true ones' numbers, 0 for none.
        found: H x W, the found ones'.

    Returns:
        "f1": share of nuclei that are found with IoU above 0.5, both ways (RQ of panoptic quality); "pq": the same
        times the mean IoU of those; "merged": share of true nuclei that lie, by more than half, in a region with
        another one; "iou": of the foreground with its gaps, which is what is learned.
    """
    quality = PanopticQuality([{"id": 1, "isthing": True}])
    sides = [(numbers, _listed(numbers)) for numbers in (things, found)]
    quality.update(*sides)
    parted = apart(things)
    homes = [_home(things == record["id"], found) for record in sides[0][1]]
    merged = sum(homes.count(home) > 1 for home in homes if home)
    scores = quality.scores().things
    either = int((parted | (found > 0)).sum())
    return {
        "f1": scores.RQ,
        "pq": scores.PQ,
        "merged": merged / max(1, len(homes)),
        "iou": int((parted & (found > 0)).sum()) / max(1, either),
    }


def _listed(numbers: np.ndarray) -> list[dict[str, int]]:
    return [{"id": int(number), "category_id": 1} for number in np.unique(numbers[numbers > 0])]


def _home(nucleus: np.ndarray, found: np.ndarray) -> int:
    """The region that holds more than half of a nucleus; 0 if none does."""
    counts = np.bincount(found[nucleus])
    best = int(counts.argmax())
    return best if 2 * counts[best] > nucleus.sum() else 0


def otsu(picture: np.ndarray, bins: int = 256) -> float:
    """The threshold that parts light and dark best (Otsu 1979): the largest variance between the two classes."""
    counts, edges = np.histogram(picture, bins)
    below, middles = counts.cumsum(), (edges[1:] + edges[:-1]) / 2
    sums = (counts * middles).cumsum()
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (sums[-1] * below / below[-1] - sums) ** 2 / (below * (below[-1] - below))
    return float(edges[1:][np.nanargmax(between[:-1])])


class Thresholded:
    """No network: what is lighter than Otsu's threshold of the right half is nucleus. Nothing is learned."""

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores on the right half; seeds do not matter."""
        right = nuclei().halves()[1]
        return score(right.things, regions(right.picture > otsu(right.picture)))


_NUCLEI = HalfAPhotograph()

NUCLEI = Claim(
    name="world.nuclei",
    title="Half a photograph is enough",
    sentence="U-Net learns from very few labeled pictures.",
    source="Ronneberger et al. 2015 (U-Net), §1",
    paper="EM segmentation challenge: 30 labeled pictures, warping error 0.000353",
    changes="who finds the nuclei: a threshold between light and dark (Otsu 1979), which learns nothing, or U-Net",
    same=f"one photograph through a microscope with {COUNT} nuclei, its right half; connected regions are nuclei. "
    f"U-Net (unet_tiny) learned on the left half: crops of {_NUCLEI.crop} x {_NUCLEI.crop}, bent, turned by quarters "
    f"and mirrored, with gap weights; batch {_NUCLEI.batch_size}, AdamW, poly schedule, {_NUCLEI.steps} steps",
    variants={"threshold": Thresholded(), "U-Net": _NUCLEI},
    measures=(
        percent("f1", "nuclei found, F1"),
        percent("merged", "nuclei merged with another"),
        percent("iou", "foreground IoU"),
    ),
    expectations=(
        Expectation("on the right half U-Net finds the nuclei, F1 at least 80 %", "f1", "U-Net", 0.8),
        Expectation("it finds more than a threshold does", "f1", "U-Net", "threshold"),
    ),
)
