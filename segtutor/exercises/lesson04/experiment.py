"""Exercise 4.11: an experiment of one's own with the small PSPNet."""

from __future__ import annotations

from functools import partial

from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import example, exercise
from segtutor.exercises.trained import laboratory

OPTIONS = {"bins": (1, 2, 3, 6), "output_stride": 8, "aux": False}
LABORATORY = laboratory("pspnet", "pspnet_tiny", OPTIONS, "experiment_04.json")

EXAMPLE = example(
    (0.30, 0.32, 0.31),
    (0.36, 0.40, 0.38),
    changes="output_stride",
    values=(16, 8),
    measure="mean_iou",
    margin=0.02,
)
"""By hand: gains .06, .08, .07 with mean .07 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""

experiment_with_pspnet = partial(run_experiment, LABORATORY)
"""Run a declared experiment with the small PSPNet, six short trainings, and show its card."""

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
