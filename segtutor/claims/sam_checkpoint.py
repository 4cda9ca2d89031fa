"""The course's trained SAM: what the small promptable network can do after an hour of one core.

Its backbone is that of the course's DeepLab v3 and does not learn, so the file holds the rest: neck, prompt encoder and
mask decoder, in 16 bits. ``create("sam_tiny", weights="course")`` puts the two together again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from segtutor import models, resources
from segtutor.claims.checkpoints import BELOW, arguments_of, write, write_record
from segtutor.claims.masks import USUAL, SegmentPictures, segments
from segtutor.inference import Prompter
from segtutor.inference.clicks import (
    ambiguous_clicks,
    clear_clicks,
    clicks_until,
    iou_of,
    ious_by_clicks,
    score_clicks,
)
from segtutor.training import PromptSettings, TrainingConfig, fit_prompts

NAME = "sam_tiny"
MODULE = "segtutor.claims.sam_checkpoint"
SIZE = (128, 160)
FIRST = 1500
"""Pictures of the first part, in which the network learns where to look."""
JOINS = 1700
"""Step at which the finer map joins, and with it more pictures: what is small has to be learned, too."""
SETTLES = 1000
"""Steps before the end from which on the learning rate falls."""
PLACE = 4
"""Pixels along a place of the finer map."""
TRIES = 10
"""Clicks after which an object is given up."""


def train(steps: int, count: int, seed: int, precision: str, memory: Path | None) -> tuple[Any, Any]:
    """The network and the record of the last part of its training.

    There are three parts: without the finer map of the embedding, with it, and with a learning rate that falls.
    """
    torch.manual_seed(seed)
    model: Any = models.create(NAME)
    models.load_weights(model, resources.data("checkpoints", f"{BELOW}.pt"), "course_stages")
    val = segments("val", 60, USUAL, SIZE)
    result: Any = None
    seconds = 0.0
    ends = [min(steps, JOINS), max(steps - SETTLES, min(steps, JOINS)), steps]
    for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if end > begin:
            model.neck.fine.requires_grad_(number > 0)
            pictures = segments("train", count if number else min(count, FIRST), USUAL, SIZE)
            kept = None if memory is None else memory.with_name(f"{memory.stem}_{number + 1}{memory.suffix}")
            config = settings(end - begin, seed + number, precision, kept, falls=number == 2)
            asked = PromptSettings(focal_weight=2.0)
            result = fit_prompts(model, pictures, val, config, asked, resume=kept is not None)
            seconds += result.seconds
    result.seconds = seconds
    return model, result


def settings(steps: int, seed: int, precision: str, memory: Path | None, falls: bool) -> TrainingConfig:
    """Of a part: a running average of the weights is what is kept; the learning rate stays, or falls to 0."""
    return TrainingConfig(
        steps=steps,
        batch_size=8,
        learning_rate=3e-3,
        power=1 if falls else 0,
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


def limits(model: Any, learned: SegmentPictures, unseen: SegmentPictures) -> dict[str, Any]:
    """What holds one click back: how much better it is on scenes of the training, and what the finer map could tell.

    Args:
        model: The network.
        learned: Pictures it has learned from.
        unseen: Others, whose true masks are told by one number for each `PLACE` x `PLACE` pixels and enlarged again.
    """
    clicks = clear_clicks(learned)
    coarse = []
    for click in clear_clicks(unseen):
        numbers = unseen[click.index][1]["segments"]
        own = (numbers == click.number).float()[None, None]
        told = F.interpolate(F.avg_pool2d(own, PLACE), own.shape[-2:], mode="bilinear", align_corners=False)
        coarse.append(iou_of(told[0, 0].numpy() > 0.5, own[0, 0].numpy() > 0, numbers.numpy() != 0))
    return {
        "scenes_of_the_training": {
            "clicks": len(clicks), "oracle_iou": round(score_clicks(model, learned, clicks).oracle, 4)
        },
        f"true_masks_told_by_{PLACE}_x_{PLACE}_pixels": {"iou": round(float(np.mean(coarse)), 4)},
    }  # fmt: skip


def main() -> None:
    """The command line: train, score, write the weights and a JSON file that says how they came about."""
    arguments = arguments_of(MODULE, __doc__, steps=6700, count=5000)
    model, result = train(arguments.steps, arguments.count, arguments.seed, arguments.precision, arguments.memory)
    write(model, arguments.out / f"{NAME}.safetensors", (model.neck, model.prompt_encoder, model.mask_decoder))
    unseen = segments("val", 200, USUAL, SIZE)
    scores = score(model, unseen)
    limit = limits(model, segments("train", 200, USUAL, SIZE), unseen)
    what = "neck, prompt encoder and mask decoder"
    write_record(
        arguments.out / f"{NAME}.json", MODULE, what, arguments, result, scores_of_200_pictures=scores, limits=limit
    )


if __name__ == "__main__":
    main()
