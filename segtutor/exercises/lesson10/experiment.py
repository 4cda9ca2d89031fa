"""Exercise 10.6: an experiment of one's own with the small SAM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import example, exercise

PICTURES, SCORED, MOST_STEPS, CLICKS = 160, 30, 120, 5
OPTIONS = {
    "several": True,
    "rounds": 2,
    "own_errors": True,
    "region": 0.5,
    "box": 0.2,
    "start": "course",
    "steps": 40,
}


def _run(options: Mapping[str, Any], seed: int) -> dict[str, float]:
    import numpy as np
    import torch

    from segtutor import models, resources
    from segtutor.claims.masks import USUAL, segments
    from segtutor.claims.sam_checkpoint import NAME, SIZE
    from segtutor.inference import Prompter
    from segtutor.inference.clicks import ambiguous_clicks, clear_clicks, ious_by_clicks, score_clicks
    from segtutor.training import PromptSettings, TrainingConfig, fit_prompts

    if not isinstance(options["steps"], int) or not 1 <= options["steps"] <= MOST_STEPS:
        raise ValueError(f"steps is {options['steps']!r}, but must be a whole number from 1 to {MOST_STEPS}")
    if options["start"] not in ("course", "backbone"):
        raise ValueError(f"start is {options['start']!r}, but must be 'course' or 'backbone'")
    torch.manual_seed(seed)
    if options["start"] == "course":
        model = models.create(NAME, weights="course")
    else:
        model = models.create(NAME)
        models.load_weights(model, resources.data("checkpoints", "deeplabv3_tiny.pt"), "course_stages")
    config = TrainingConfig(
        steps=options["steps"], batch_size=8, learning_rate=1e-3, optimizer="adamw", weight_decay=0.01,
        warmup_steps=5, gradient_clip=1.0, precision="float32", measure_precision=False, seed=seed, device="cpu",
        progress=False,
    )  # fmt: skip
    asked = {key: options[key] for key in ("several", "rounds", "own_errors", "region", "box")}
    fit_prompts(model, segments("train", PICTURES, USUAL, SIZE), None, config, PromptSettings(**asked))
    pictures = segments("val", SCORED, USUAL, SIZE)
    clear = clear_clicks(pictures)
    once, doubtful = score_clicks(model, pictures, clear), score_clicks(model, pictures, ambiguous_clicks(pictures))
    later = []
    for click in clear:
        image, target = pictures[click.index]
        numbers = target["segments"].numpy()
        values = ious_by_clicks(Prompter(model, image), numbers == click.number, numbers != 0, CLICKS)
        later.append(values[-1])
    return {
        "oracle_iou": once.oracle,
        "chosen_iou": once.chosen,
        "object_iou": doubtful.oracle,
        "region_iou": doubtful.region,
        "later_iou": float(np.mean(later)),
    }


LABORATORY = Laboratory(
    name="sam",
    options=OPTIONS,
    measures=(
        percent("oracle_iou", "clear clicks: IoU of the best of three"),
        percent("chosen_iou", "clear clicks: IoU of the mask that the network chooses"),
        percent("object_iou", "ambiguous clicks: best IoU with the object"),
        percent("region_iou", "ambiguous clicks: best IoU with all of its class"),
        percent("later_iou", f"clear clicks: IoU after {CLICKS} clicks"),
    ),
    run=_run,
    same=f"sam_tiny, {PICTURES} scenes of 128 x 160 to learn from, {SCORED} others to score, batch 8, AdamW",
    file="experiment_10.json",
)

EXAMPLE = example(
    (0.20, 0.22, 0.18),
    (0.49, 0.52, 0.49),
    changes="start",
    values=("backbone", "course"),
    measure="oracle_iou",
    margin=0.1,
)
"""By hand: gains .29, .30, .31 with mean .30 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""

experiment_with_sam = partial(run_experiment, LABORATORY)
"""Run a declared experiment with the small SAM, six short trainings, and show its card."""

EXERCISE = exercise(
    id="10.6",
    laboratory=LABORATORY,
    statement="""
Now an experiment of your own. Declare what changes in the training of the small SAM: **one** thing, and say beforehand
what you expect and by how much at least. Perhaps you want to know what the three masks are worth, or clicks into the
network's own errors, or how often a whole class should be meant. The cell below lists the options and the measures. The
run trains two networks with three seeds each for 40 steps, which go on from the course's checkpoint; it takes a few
minutes of one core, shows the card, and keeps the record in `experiment_10.json`. **Hand this file in with the
notebook**, as `NAME.experiment_10.json` where many notebooks `NAME.ipynb` lie in one folder.
""",
    example=EXAMPLE,
    points=5,
    minutes=40,
)
