"""The course's own leaderboard: every semantic network on the same small backbone, with the same budget."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation
from segtutor.claims.measures import BOUNDARY_IOU, GFLOPS, MEAN_IOU, MILLISECONDS, PARAMETERS
from segtutor.claims.networks import BUDGET, NETWORKS

LEADERBOARD = Claim(
    name="results.leaderboard",
    title="Every network of the course side by side",
    sentence="On equal terms the networks rank as their papers say: each is better than the one that it improves on.",
    source="FCN 2015, PSPNet 2017, DeepLab v2 2018, v3 2017, v3+ 2018; each paper compares with those before. The "
    "networks of lessons 8, 9 and 11 run along",
    paper="with different backbones, pretraining and test-time tricks: see the table of published results",
    changes="the network",
    same=f"{BUDGET}; random weights where the name does not say otherwise; the small backbone, but for U-Net, ViT, "
    "SegFormer and EoMT, which have encoders of their own. The networks of masks (MaskFormer, Mask2Former, EoMT) learn "
    "by their own loss, which knows no class weights, at half the rate and with clipped gradients. All times were "
    "taken together, on one machine",
    # The short version keeps the start, or FCN-8s from random weights and from the backbone would be one row.
    variants={row.name: replace(row.recipe(), keeps_start=True) for row in NETWORKS},
    measures=(MEAN_IOU, BOUNDARY_IOU, PARAMETERS, GFLOPS, MILLISECONDS),
    expectations=(
        Expectation("FCN-8s beats FCN-32s", "mean_iou", "FCN-8s", "FCN-32s"),
        Expectation("PSPNet beats FCN-8s", "mean_iou", "PSPNet", "FCN-8s"),
        Expectation("DeepLab v3 beats v2", "mean_iou", "DeepLab v3", "DeepLab v2"),
        Expectation("DeepLab v3+ beats v3", "mean_iou", "DeepLab v3+, stride 8", "DeepLab v3"),
        Expectation("and at boundaries", "boundary_iou", "DeepLab v3+, stride 8", "DeepLab v3"),
    ),
)

CLAIMS = (LEADERBOARD,)
