"""The course's trained Mask2Former: what the small network can do after some minutes of one core.

Its backbone is that of the course's DeepLab v3 and does not learn, so the file holds the rest: pixel decoder and query
decoder, in 16 bits. ``create("mask2former_tiny", weights="course")`` puts the two together again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from segtutor import models, resources
from segtutor.claims.checkpoints import BELOW, arguments_of, write, write_record
from segtutor.claims.masks import APART, CROWDED, USUAL, score_masks, segments
from segtutor.labels import SCENES
from segtutor.training import TrainingConfig, fit_panoptic

NAME = "mask2former_tiny"
MODULE = "segtutor.claims.mask_checkpoint"
SIZE = (96, 128)
QUERIES = 32


def train(steps: int, count: int, seed: int, precision: str, checkpoint: Path | None) -> tuple[Any, Any]:
    """The network and the record of its training."""
    torch.manual_seed(seed)
    model = models.create(NAME, num_classes=len(SCENES), queries=QUERIES, frozen_stages=4)
    models.load_weights(model, resources.data("checkpoints", f"{BELOW}.pt"), "course_stages")
    config = TrainingConfig(
        steps=steps,
        batch_size=8,
        learning_rate=1e-3,
        optimizer="adamw",
        weight_decay=0.01,
        head_factor=1.0,
        warmup_steps=36,
        gradient_clip=1.0,
        freeze_batch_norm=True,
        checkpoint=checkpoint,
        checkpoint_every=50 if checkpoint else None,
        precision=precision,
        measure_precision=False,
        seed=seed,
        device="cpu",
        progress=False,
    )
    return model, fit_panoptic(
        model, segments("train", count, USUAL, SIZE), None, config, resume=checkpoint is not None
    )


def main() -> None:
    """The command line: train, score, write the weights and a JSON file that says how they came about."""
    arguments = arguments_of(MODULE, __doc__, steps=1500, count=2000)
    model, result = train(arguments.steps, arguments.count, arguments.seed, arguments.precision, arguments.memory)
    write(model, arguments.out / f"{NAME}.safetensors", (model.pixel_decoder, model.decoder))
    found = {
        name: score_masks(model, segments("val", 200, crowd, SIZE), threshold=0.8)
        for name, crowd in (("usual", USUAL), ("apart", APART), ("crowded", CROWDED))
    }
    scores = {name: {key: round(value, 4) for key, value in values.items()} for name, values in found.items()}
    what = "pixel decoder and query decoder"
    write_record(arguments.out / f"{NAME}.json", MODULE, what, arguments, result, scores_of_200=scores)


if __name__ == "__main__":
    main()
