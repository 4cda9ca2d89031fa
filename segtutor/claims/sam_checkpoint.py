"""The course's trained SAM: what the small promptable network can do after an hour of one core.

Its backbone is that of the course's DeepLab v3 and does not learn, so the file holds the rest: neck, prompt encoder and
mask decoder, in 16 bits. ``create("sam_tiny", weights="course")`` puts the two together again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from segtutor import models, resources
from segtutor.claims.checkpoints import BELOW, arguments_of, write, write_record
from segtutor.claims.masks import USUAL, SegmentPictures, segments
from segtutor.inference import Prompter
from segtutor.inference.clicks import ambiguous_clicks, clear_clicks, clicks_until, ious_by_clicks, score_clicks
from segtutor.training import PromptSettings, TrainingConfig, fit_prompts

NAME = "sam_tiny"
MODULE = "segtutor.claims.sam_checkpoint"
SIZE = (128, 160)
JOINS = 1700
"""Step at which the finer map joins. Until then the network learns where to look; after it, what is small, too."""
TRIES = 10
"""Clicks after which an object is given up."""


def train(steps: int, count: int, seed: int, precision: str, memory: Path | None) -> tuple[Any, Any]:
    """The network and the record of the second part of its training, in which the finer map of its embedding joins."""
    torch.manual_seed(seed)
    model: Any = models.create(NAME)
    models.load_weights(model, resources.data("checkpoints", f"{BELOW}.pt"), "course_stages")
    pictures, val = segments("train", count, USUAL, SIZE), segments("val", 60, USUAL, SIZE)
    result: Any = None
    seconds = 0.0
    for finer, length in ((False, min(steps, JOINS)), (True, steps - JOINS)):
        if length > 0:
            model.neck.fine.requires_grad_(finer)
            kept = memory if memory is None or not finer else memory.with_name(f"{memory.stem}_finer{memory.suffix}")
            config = settings(length, seed + finer, precision, kept)
            result = fit_prompts(
                model, pictures, val, config, PromptSettings(focal_weight=2.0), resume=kept is not None
            )
            seconds += result.seconds
    result.seconds = seconds
    return model, result


def settings(steps: int, seed: int, precision: str, memory: Path | None) -> TrainingConfig:
    """Of either part: the learning rate stays, and a running average of the weights is what is kept."""
    return TrainingConfig(
        steps=steps,
        batch_size=8,
        learning_rate=3e-3,
        power=0,
        average=0.995,
        optimizer="adamw",
        weight_decay=0.01,
        warmup_steps=50,
        gradient_clip=1.0,
        checkpoint=memory,
        checkpoint_every=50 if memory else None,
        log=None if memory is None else memory.with_suffix(".csv"),
        evaluate_every=250,
        precision=precision,
        measure_precision=False,
        seed=seed,
        device="cpu",
        progress=False,
    )


def score(model: Any, pictures: SegmentPictures) -> dict[str, Any]:
    """What one click finds, and how many it takes, on things of which at least 100 pixels are seen."""
    clear, ambiguous = clear_clicks(pictures), ambiguous_clicks(pictures)
    once, doubtful = score_clicks(model, pictures, clear), score_clicks(model, pictures, ambiguous)
    needed, first, tenth = [], [], []
    for click in clear:
        image, target = pictures[click.index]
        numbers = target["segments"].numpy()
        values = ious_by_clicks(Prompter(model, image), numbers == click.number, numbers != 0, TRIES)
        needed.append(clicks_until(values) or TRIES)
        first.append(values[0])
        tenth.append(values[-1])
    return {
        "clear": {"clicks": once.clicks, "oracle_iou": round(once.oracle, 4), "chosen_iou": round(once.chosen, 4)},
        "ambiguous": {
            "clicks": doubtful.clicks,
            "oracle_iou_of_the_object": round(doubtful.oracle, 4),
            "chosen_iou_of_the_object": round(doubtful.chosen, 4),
            "oracle_iou_of_its_class": round(doubtful.region, 4),
        },
        "more_clicks": {
            "clicks_to_85": round(float(np.mean(needed)), 2),
            "given_up_counts_as": TRIES,
            "iou_after_1": round(float(np.mean(first)), 4),
            f"iou_after_{TRIES}": round(float(np.mean(tenth)), 4),
        },
    }


def main() -> None:
    """The command line: train, score, write the weights and a JSON file that says how they came about."""
    arguments = arguments_of(MODULE, __doc__, steps=3200, count=1500)
    model, result = train(arguments.steps, arguments.count, arguments.seed, arguments.precision, arguments.memory)
    write(model, arguments.out / f"{NAME}.safetensors", (model.neck, model.prompt_encoder, model.mask_decoder))
    scores = score(model, segments("val", 200, USUAL, SIZE))
    what = "neck, prompt encoder and mask decoder"
    write_record(arguments.out / f"{NAME}.json", MODULE, what, arguments, result, scores_of_200_pictures=scores)


if __name__ == "__main__":
    main()
