"""U-Net's claims, with eight drawn pictures: its skips, the weight of the gaps, pictures on a rubber sheet."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.cells import CellRecipe
from segtutor.claims.claim import Claim, Expectation, percent

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
