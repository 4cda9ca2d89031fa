"""Half a photograph of nuclei is learned, the other half scored: U-Net beside a threshold, which learns nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from segtutor.claims.cells import CellRecipe, find_cells, regions, score
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.datasets.nuclei import COUNT, nuclei


@dataclass(frozen=True)
class HalfAPhotograph(CellRecipe):
    """A small U-Net that learns on the left half of the photograph, and is scored on the right half."""

    train_count: int = 1
    val_count: int = 1
    steps: int = 150
    batch_size: int = 4
    crop: int = 96
    sigma: float = 5.0

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores on the right half, see ``cells.score``.

        Raises:
            DownloadError: If the photograph is neither on this machine nor to be had.
        """
        left, right = nuclei().halves()
        recipe = replace(self, steps=60) if short else self
        return score([right.things], [find_cells(recipe.train([left], seed), right.picture)])


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
        return score([right.things], [regions(right.picture > otsu(right.picture))])


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
