"""Exercise 11.8: an experiment of one's own with a network that learns by day and is asked at night, too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from segtutor.claims.claim import percent
from segtutor.claims.own import Laboratory
from segtutor.exercises.experiment_run import run_experiment
from segtutor.exercises.experiments import example, exercise

MOST_PICTURES, SCORED, MOST_STEPS, MOST_UNLABELED, LABELED = 400, 40, 120, 64, 16
MODELS = ("fcn8s_tiny", "pspnet_tiny", "deeplabv3_tiny")
OPTIONS = {
    "model": "fcn8s_tiny",
    "pictures": 160,
    "start": "backbone",
    "class_weights": "root",
    "steps": 60,
    "unlabeled": 0,
    "temperature": False,
}


def _run(options: Mapping[str, Any], seed: int) -> dict[str, float]:
    from segtutor.claims.experiments.world.shift import in_weather, score
    from segtutor.claims.pictures import EVERYTHING, draw
    from segtutor.claims.training import SIZE, Recipe, train
    from segtutor.inference.predict import evaluating, preprocessing_of
    from segtutor.metrics.calibration import fit_temperature
    from segtutor.training.statistics import reestimate_statistics

    if options["model"] not in MODELS:
        raise ValueError(f"model is {options['model']!r}, but must be one of {', '.join(MODELS)}")
    for key, least, most in (
        ("pictures", 8, MOST_PICTURES),
        ("steps", 1, MOST_STEPS),
        ("unlabeled", 0, MOST_UNLABELED),
    ):
        if isinstance(options[key], bool) or not isinstance(options[key], int) or not least <= options[key] <= most:
            raise ValueError(f"{key} is {options[key]!r}, but must be a whole number from {least} to {most}")
    if options["unlabeled"] == 1:
        raise ValueError("unlabeled is 1, but a variance needs at least 2 pictures; 0 keeps the statistics")
    recipe = Recipe(
        options["model"], start=options["start"], class_weights=options["class_weights"], steps=options["steps"],
        train_count=options["pictures"], val_count=SCORED, precision="float32",
    )  # fmt: skip
    model = train(recipe, seed)[0].eval()
    temperature = 1.0
    if options["temperature"]:
        labeled = draw(EVERYTHING, "test", LABELED, SIZE)
        with evaluating(model):
            logits = model(preprocessing_of(model).normalize(labeled.images))["out"].float()
        temperature = fit_temperature(labeled.maps[:, ::4, ::4].long(), logits[..., ::4, ::4].transpose(0, 1))
    pictures = draw(EVERYTHING, "val", SCORED, SIZE)
    found: dict[str, float] = {}
    for prefix, weather in (("", "clean"), ("night_", "night")):
        if weather == "night" and options["unlabeled"]:
            reestimate_statistics(
                model, in_weather(draw(EVERYTHING, "test", options["unlabeled"], SIZE).images, weather, seed + 1)
            )
        matrix, calibration = score(
            model, in_weather(pictures.images, weather, 0), pictures.maps.long(), 20, temperature
        )
        found |= {f"{prefix}mean_iou": matrix.mean_iou(), f"{prefix}ece": calibration.ece()}
    return found


LABORATORY = Laboratory(
    name="world",
    options=OPTIONS,
    measures=(
        percent("mean_iou", "mean IoU by day"),
        percent("ece", "ECE by day"),
        percent("night_mean_iou", "mean IoU at night"),
        percent("night_ece", "ECE at night"),
    ),
    run=_run,
    same=f"{SCORED} scenes of 96 x 128 to score on, the same by day and at night; batch 8, AdamW, one thread",
    file="experiment_11.json",
)

EXAMPLE = example(
    (0.02, 0.05, 0.02),
    (0.20, 0.24, 0.22),
    changes="unlabeled",
    values=(0, 32),
    measure="night_mean_iou",
    margin=0.05,
)
"""By hand: gains .18, .19, .20 with mean .19 and s = .01, so the doubt is 4.303 · .01 / 1.732 = .0248."""

experiment_at_night = partial(run_experiment, LABORATORY)
"""Run a declared experiment with a network that learns by day, six short trainings, and show its card."""

EXERCISE = exercise(
    id="11.8",
    laboratory=LABORATORY,
    statement="""
The last experiment of the course is yours again. A small network learns by day and is scored twice, by day and at
night. Declare **one** thing that changes, and say beforehand what you expect and by how much at least. Perhaps you
want to know how few labeled pictures are enough, what unlabeled ones bring at night, or whether a temperature that was
fitted by day still holds in the dark. The cell below lists the options and the measures. The run trains two networks
with three seeds each, takes one to three minutes of a core, shows the card, and keeps the record in
`experiment_11.json`. **Hand this file in with the notebook**, as `NAME.experiment_11.json` where many notebooks
`NAME.ipynb` lie in one folder.
""",
    example=EXAMPLE,
    points=5,
    minutes=35,
)
