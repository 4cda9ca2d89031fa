"""Exercise 4.11: an experiment of one's own with the small PSPNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import exercise
from segtutor.exercises.trained import same_for_all, trained

OPTIONS = {
    "bins": (1, 2, 3, 6),
    "output_stride": 8,
    "aux": False,
    "scenes": "all",
    "start": "backbone",
    "class_weights": "root",
    "steps": 60,
}


def _run(options: Mapping[str, Any], seed: int) -> dict[str, float]:
    return trained("pspnet_tiny", {key: options[key] for key in ("bins", "output_stride", "aux")}, options, seed)


LABORATORY = Laboratory(
    name="pspnet",
    options=OPTIONS,
    measures=(
        percent("mean_iou", "mean IoU"),
        percent("band_iou", "mean IoU within 2 pixels of a label change"),
        percent("thin", "thin pixels right"),
        percent("bollard_iou", "IoU of the two bollards"),
    ),
    run=_run,
    same=same_for_all("pspnet_tiny"),
    file="experiment_04.json",
)

EXAMPLE = {
    "declaration": {"changes": "output_stride", "first": 16, "second": 8, "measure": "mean_iou", "expects": "higher",
                    "margin": 0.02},
    "seeds": [0, 1, 2],
    "first": [{"mean_iou": 0.30}, {"mean_iou": 0.32}, {"mean_iou": 0.31}],
    "second": [{"mean_iou": 0.36}, {"mean_iou": 0.40}, {"mean_iou": 0.38}],
}  # fmt: skip
"""By hand: gains .06, .08, .07 with mean .07 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""


def experiment_with_pspnet(declaration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Run a declared experiment with the small PSPNet, six short trainings, and show its card."""
    return run_experiment(LABORATORY, declaration)


EXERCISE = exercise(
    id="4.11",
    laboratory=LABORATORY,
    statement="""
You have read claim cards; now make one. Declare an experiment with the small PSPNet: **one** thing changes, and you say
beforehand what you expect and by how much at least. The cell below lists the options, with their usual values, and the
measures. Write your declaration into the cell after it and run that: it trains two networks with three seeds each,
shows the card, and keeps the record in `experiment_04.json`. **Hand this file in with the notebook**, as
`NAME.experiment_04.json` where many notebooks `NAME.ipynb` lie in one folder. Stay below four minutes on one core: the
usual 60 steps take between one and two. (If you change the declaration, it is run anew.)
""",
    example=EXAMPLE,
    points=5,
    minutes=35,
)
