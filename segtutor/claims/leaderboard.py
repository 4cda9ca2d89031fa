"""The course's own leaderboard: every semantic network on the same small backbone, with the same budget."""

from __future__ import annotations

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.deeplab import GFLOPS, MILLISECONDS, PARAMETERS, PLUS_STRIDE_8, V3, cascade, plus
from segtutor.claims.fcn import MEAN_IOU, SAME, STEPS
from segtutor.claims.training import Recipe

LEADERBOARD = Claim(
    name="results.leaderboard",
    title="Every network of the course side by side",
    sentence="On equal terms the networks rank as their papers say: each is better than the one before.",
    source="FCN 2015, PSPNet 2017, DeepLab v2 2018, v3 2017, v3+ 2018; each paper compares with those before",
    paper="with different backbones, pretraining and test-time tricks: see the table of published results",
    changes="the network",
    same=SAME + "; the small backbone from random weights",
    variants={
        "FCN-32s": Recipe("fcn32s_tiny", steps=STEPS),
        "FCN-16s": Recipe("fcn16s_tiny", steps=STEPS),
        "FCN-8s": Recipe("fcn8s_tiny", steps=STEPS),
        "DeepLab v2": Recipe("deeplabv2_tiny", steps=STEPS),
        "PSPNet": Recipe("pspnet_tiny", steps=STEPS),
        "DeepLab v3, cascaded": cascade(6),
        "DeepLab v3": V3,
        "DeepLab v3+, stride 16": plus(low_channels=48),
        "DeepLab v3+, separable": plus(low_channels=48, separable=True),
        "DeepLab v3+, stride 8": PLUS_STRIDE_8,
    },
    measures=(MEAN_IOU, percent("boundary_iou", "boundary IoU"), PARAMETERS, GFLOPS, MILLISECONDS),
    expectations=(
        Expectation("FCN-8s beats FCN-32s", "mean_iou", "FCN-8s", "FCN-32s"),
        Expectation("PSPNet beats FCN-8s", "mean_iou", "PSPNet", "FCN-8s"),
        Expectation("DeepLab v3 beats v2", "mean_iou", "DeepLab v3", "DeepLab v2"),
        Expectation("DeepLab v3+ beats v3", "mean_iou", "DeepLab v3+, stride 8", "DeepLab v3"),
        Expectation("above all at boundaries", "boundary_iou", "DeepLab v3+, stride 8", "DeepLab v3"),
    ),
)

CLAIMS = (LEADERBOARD,)
