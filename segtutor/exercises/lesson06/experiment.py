"""Exercise 6.15: an experiment of one's own with the small DeepLab v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import exercise
from segtutor.exercises.trained import same_for_all, trained

OPTIONS = {
    "rates": (2, 4, 6),
    "image_pooling": True,
    "multi_grid": (),
    "output_stride": 8,
    "scenes": "all",
    "start": "backbone",
    "class_weights": "root",
    "steps": 60,
}


def _run(options: Mapping[str, Any], seed: int) -> dict[str, float]:
    network = {key: options[key] for key in ("rates", "image_pooling", "multi_grid", "output_stride")}
    return trained("deeplabv3_tiny", {"variant": "paper", **network}, options, seed)


LABORATORY = Laboratory(
    name="deeplab",
    options=OPTIONS,
    measures=(
        percent("mean_iou", "mean IoU"),
        percent("band_iou", "mean IoU within 2 pixels of a label change"),
        percent("thin", "thin pixels right"),
        percent("bollard_iou", "IoU of the two bollards"),
    ),
    run=_run,
    same=same_for_all("deeplabv3_tiny"),
    file="experiment_06.json",
)

EXAMPLE = {
    "declaration": {"changes": "start", "first": "random", "second": "backbone", "measure": "mean_iou",
                    "expects": "higher", "margin": 0.05},
    "seeds": [0, 1, 2],
    "first": [{"mean_iou": 0.20}, {"mean_iou": 0.22}, {"mean_iou": 0.18}],
    "second": [{"mean_iou": 0.39}, {"mean_iou": 0.42}, {"mean_iou": 0.39}],
}  # fmt: skip
"""By hand: gains .19, .20, .21 with mean .20 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""


def experiment_with_deeplab(declaration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run a declared experiment with the small DeepLab v3, six short trainings, and show its card."""
    return run_experiment(LABORATORY, declaration)


EXERCISE = exercise(
    id="6.15",
    laboratory=LABORATORY,
    statement="""
After other people's figures, one of your own. Declare an experiment with the small DeepLab v3: **one** thing changes,
and you say beforehand what you expect and by how much at least. Perhaps you have a suspicion from 6.3 and 6.13, or from
a card of the lessons that said *undecided*. The cell below lists the options and the measures. The run trains two
networks with three seeds each, one or two minutes with the usual 60 steps and less than four on one core, shows the
card, and keeps the record in `experiment_06.json`. **Hand this file in with the notebook**, as
`NAME.experiment_06.json` where many notebooks `NAME.ipynb` lie in one folder.
""",
    example=EXAMPLE,
    points=5,
    minutes=35,
)
