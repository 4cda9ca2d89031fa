"""Exercise 6.15: an experiment of one's own with the small DeepLab v3."""

from __future__ import annotations

from functools import partial

from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import example, exercise
from segtutor.exercises.trained import laboratory

OPTIONS = {"rates": (2, 4, 6), "image_pooling": True, "multi_grid": (), "output_stride": 8}
LABORATORY = laboratory("deeplab", "deeplabv3_tiny", OPTIONS, "experiment_06.json", fixed=(("variant", "paper"),))

EXAMPLE = example(
    (0.20, 0.22, 0.18),
    (0.39, 0.42, 0.39),
    changes="start",
    values=("random", "backbone"),
    measure="mean_iou",
    margin=0.05,
)
"""By hand: gains .19, .20, .21 with mean .20 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""

experiment_with_deeplab = partial(run_experiment, LABORATORY)
"""Run a declared experiment with the small DeepLab v3, six short trainings, and show its card."""

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
