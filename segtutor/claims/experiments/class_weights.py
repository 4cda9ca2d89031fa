"""The claim of lesson 2: what happens when the pixels of rare classes count more in the loss."""

from __future__ import annotations

from dataclasses import replace

from segtutor.claims.claim import Claim, Expectation, percent
from segtutor.claims.measures import MEAN_IOU
from segtutor.claims.networks import Budget, network
from segtutor.claims.training import SIZE

BUDGET = Budget(steps=300, pictures=1000)
FCN8S = replace(network("FCN-8s"), budget=BUDGET).recipe()

CLASS_WEIGHTS = Claim(
    name="data.class_weights",
    title="Class weights",
    sentence=(
        "Weighting the classes of the loss by median frequency raises the mean accuracy of the classes and the mean "
        "IoU; the share of right pixels is highest without weights."
    ),
    source="Badrinarayanan, Kendall and Cipolla, SegNet, TPAMI 2017, analysis of the decoder variants, Table 1",
    paper="CamVid, SegNet and its variants, each with and without the weights; another network than here",
    changes="the weights of the classes in the loss",
    same=(
        f"data ({BUDGET.pictures:,} scenes of {SIZE[0]} x {SIZE[1]}), FCN-8s on the small backbone, random weights, "
        f"order, batch 8, AdamW, poly schedule, {BUDGET.steps} steps"
    ),
    variants={
        "all pixels alike": replace(FCN8S, class_weights="none"),
        "median frequency": replace(FCN8S, class_weights="median frequency"),
    },
    measures=(
        percent("pixel_accuracy", "pixel accuracy"),
        percent("class_accuracy", "mean class accuracy"),
        MEAN_IOU,
        percent("frequent_accuracy", "accuracy, frequent classes"),
        percent("rare_accuracy", "accuracy, rare classes"),
    ),
    expectations=(
        Expectation(
            "median frequency raises the mean class accuracy", "class_accuracy", "median frequency", "all pixels alike"
        ),
        Expectation("median frequency raises the mean IoU", "mean_iou", "median frequency", "all pixels alike"),
        Expectation(
            "the pixel accuracy is higher without weights", "pixel_accuracy", "all pixels alike", "median frequency"
        ),
    ),
)

CLAIMS = (CLASS_WEIGHTS,)
