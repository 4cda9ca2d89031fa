"""The course's trained Mask2Former: what the small network can do after some minutes of one core.

Its backbone is that of the course's DeepLab v3 and does not learn, so the file holds the rest: pixel decoder and query
decoder, in 16 bits. ``create("mask2former_tiny", weights="course")`` puts the two together again.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from segtutor import __version__, compute, models, resources
from segtutor.claims.masks import APART, CROWDED, USUAL, score_masks, segments
from segtutor.labels import SCENES
from segtutor.models.weight_files import contents_of, round_to_half, write_contents
from segtutor.training import TrainingConfig, fit_panoptic

NAME = "mask2former_tiny"
BELOW = "deeplabv3_tiny"
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
    return model, fit_panoptic(model, segments("train", count, USUAL, SIZE), None, config, resume=True)


def write(model: Any, path: Path) -> None:
    """All but the backbone, in 16 bits."""
    contents = contents_of(model, half=True, labels=SCENES)
    contents["model"] = {key: value for key, value in contents["model"].items() if not key.startswith("backbone.")}
    write_contents(contents, path)


def main() -> None:
    """The command line: train, score, write the weights and a JSON file that says how they came about."""
    parser = argparse.ArgumentParser(prog="python -m segtutor.claims.mask_checkpoint", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--count", type=int, default=2000, help="pictures to learn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=compute.PRECISIONS, default="auto")
    parser.add_argument("--memory", type=Path, metavar="FILE", help="keep the run here, and go on from it")
    arguments = parser.parse_args()
    compute.settle_threads()
    model, result = train(arguments.steps, arguments.count, arguments.seed, arguments.precision, arguments.memory)
    for part in (model.pixel_decoder, model.decoder):
        round_to_half(part)
    write(model, arguments.out / f"{NAME}.safetensors")
    scores = {
        name: score_masks(model, segments("val", 200, crowd, SIZE), threshold=0.8)
        for name, crowd in (("usual", USUAL), ("apart", APART), ("crowded", CROWDED))
    }
    about = {
        "what": f"pixel decoder and query decoder; the backbone is that of {BELOW}, unchanged",
        "command": f"python -m segtutor.claims.mask_checkpoint --steps {arguments.steps} --count {arguments.count} "
        f"--seed {arguments.seed} --precision {result.precision}",
        "scores_of_200": {
            name: {key: round(value, 4) for key, value in values.items()} for name, values in scores.items()
        },
        "seconds": round(result.seconds),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }
    text = json.dumps(about, indent=1)
    (arguments.out / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
