"""U-Net's claims, with eight drawn pictures: its skips, the weight of the gaps, pictures on a rubber sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from segtutor.claims.cells import CellRecipe, regions, score, score_found
from segtutor.claims.claim import Claim, Expectation, Values, percent
from segtutor.datasets.nuclei import COUNT, nuclei

BASE = CellRecipe()
_SAME = (
    f"unet_tiny, {BASE.train_count} pictures of {BASE.crop} x {BASE.crop} with 16 cells each, turned by quarters and "
    f"mirrored, order, batch {BASE.batch_size}, AdamW, poly schedule, {BASE.steps} steps; scored on {BASE.val_count} "
    "new pictures"
)
_MEASURES = (
    percent("f1", "cells found, F1"),
    percent("merged", "cells merged with another"),
    percent("iou", "foreground IoU"),
)
_SOURCE = "Ronneberger et al. 2015 (U-Net)"

SKIPS = Claim(
    name="world.unet_skips",
    title="What joins the two ways of U-Net",
    sentence="The way up needs the maps of the way down to say where things end.",
    source=f"{_SOURCE}, §2 and Fig. 1",
    paper="no ablation: the network is shown with its skips only",
    changes="how the map of the way down joins that of the way up",
    same=f"{_SAME}; bent pictures, gap weights",
    variants={
        "no skips": replace(BASE, skip="none"),
        "summed": replace(BASE, skip="sum"),
        "concatenated": BASE,
    },
    measures=_MEASURES,
    expectations=(
        Expectation("skips help to tell cells apart", "f1", "concatenated", "no skips"),
        Expectation("and to outline them", "iou", "concatenated", "no skips"),
        Expectation("summed maps do nearly as well: less than two points are lost", "f1", "summed", "concatenated",
                    margin=-0.02),
    ),
)  # fmt: skip

GAPS = Claim(
    name="world.gap_weights",
    title="A loss that knows the gaps",
    sentence="Pixels of the narrow gaps between touching cells must weigh more in the loss, so that the network learns "
    "to part them.",
    source=f"{_SOURCE}, §3, eq. 2",
    paper="no ablation; cell tracking challenge, IoU: PhC-U373 92.0 % (second 83), DIC-HeLa 77.6 % (second 46)",
    changes="whether pixels between close cells count up to eleven times as much",
    same=f"{_SAME}; bent pictures, concatenated skips",
    variants={"all alike": replace(BASE, gaps=False), "gaps weigh more": BASE},
    measures=_MEASURES,
    expectations=(
        Expectation("fewer cells are merged", "merged", "gaps weigh more", "all alike", False),
        Expectation("more are found", "f1", "gaps weigh more", "all alike"),
    ),
)

ELASTIC = Claim(
    name="world.elastic",
    title="Pictures on a rubber sheet",
    sentence="Elastic deformation is what makes it possible to learn from very few labeled pictures.",
    source=f"{_SOURCE}, §3.1",
    paper="no ablation; 30 labeled pictures of 512 x 512",
    changes="whether the pictures are bent",
    same=f"{_SAME}; gap weights, concatenated skips",
    variants={"as they are": replace(BASE, elastic=False), "bent": BASE},
    measures=_MEASURES,
    expectations=(
        Expectation("with eight pictures, bending finds more cells", "f1", "bent", "as they are"),
        Expectation("and outlines them better", "iou", "bent", "as they are"),
    ),
)


@dataclass(frozen=True)
class NucleiRecipe(CellRecipe):
    """Learns on the left half of the one photograph of nuclei, and is scored on the right half."""

    train_count: int = 1
    val_count: int = 1
    batch_size: int = 4
    steps: int = 150
    crop: int = 96
    sigma: float = 5.0

    def __call__(self, seed: int, short: bool) -> Values:
        """Scores on the right half, see ``cells.score``.

        Raises:
            DownloadError: If the photograph is neither on this machine nor to be had.
        """
        left, right = nuclei().halves()
        recipe = replace(self, steps=60) if short else self
        return score(recipe.train([left], seed), [right])


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
        return score_found([right], [regions(right.picture > otsu(right.picture))])


_NUCLEI = NucleiRecipe()

NUCLEI = Claim(
    name="world.nuclei",
    title="Half a photograph is enough",
    sentence="U-Net learns from very few labeled pictures.",
    source=f"{_SOURCE}, §1",
    paper="EM segmentation challenge: 30 labeled pictures, warping error 0.000353",
    changes="who finds the nuclei: a threshold between light and dark (Otsu 1979), which learns nothing, or U-Net",
    same=f"one photograph through a microscope with {COUNT} nuclei, its right half; connected regions are nuclei. U-Net "
    f"(unet_tiny) learned on the left half, by crops of {_NUCLEI.crop} x {_NUCLEI.crop} that are bent, turned by quarters "
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
