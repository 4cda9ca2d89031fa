"""``segtutor train``: train a network on Scenes, and write its weights with all that is needed to make them again."""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segtutor import __version__
from segtutor.commands.detectors import (
    SEMANTIC_TRAINING,
    add_scene_options,
    detector_scores,
    is_detector,
    refuse,
    scene_options,
)
from segtutor.commands.options import SCENE_SIZE, add_network, create_network, notes_of, positive, size
from segtutor.compute import PRECISIONS, processor
from segtutor.files import replacing

FILES = ("weights", "out")  # recorded by their names alone, since folders belong to one machine
NOT_RECORDED = ("command", "run", "device", "num_workers", "checkpoint", "resume")  # the weights do not depend on them


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_network(
        parser, "start from these: imagenet or backbone (the backbone alone), course, or a file (default: random ones)"
    )
    parser.add_argument(
        "--layout",
        help="how a file of --weights names its arrays; segtutor_tiny_body takes the backbone of one of the course's "
        "small semantic networks for maskrcnn_tiny (default: found from the names)",
    )
    parser.add_argument("--data", choices=("scenes",), default="scenes", help="data set (default: %(default)s)")
    parser.add_argument("--size", type=size, default=SCENE_SIZE, metavar="HxW", help="of the scenes (default: 128x160)")
    add_scene_options(parser)
    parser.add_argument(
        "--train-count", type=positive, default=4000, help="scenes to learn from (default: %(default)s)"
    )
    parser.add_argument("--val-count", type=positive, default=200, help="scenes to score on (default: %(default)s)")
    parser.add_argument("--steps", type=positive, default=2000, help="optimizer steps (default: %(default)s)")
    parser.add_argument("--batch-size", type=positive, default=16, help="images per step (default: %(default)s)")
    parser.add_argument("--optimizer", choices=("adamw", "sgd"), default="adamw", help="default: %(default)s")
    parser.add_argument("--learning-rate", type=float, help="default: made for the optimizer and the batch size")
    parser.add_argument("--weight-decay", type=float, default=1e-4, help="default: %(default)s")
    parser.add_argument("--head-factor", type=float, default=1.0, help="rate of head / backbone (default: %(default)s)")
    parser.add_argument(
        "--bias-factor", type=float, default=1.0, help="rate of biases / weights (default: %(default)s)"
    )
    parser.add_argument("--warmup-steps", type=int, default=0, help="steps of rising rate (default: %(default)s)")
    parser.add_argument("--gradient-clip", type=float, help="largest norm of the gradient (default: no limit)")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="auto takes what suits the device, see segtutor doctor (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-precision",
        action="store_true",
        help="train in bfloat16 even where a step in float32 is quicker on this processor, to repeat a recorded run",
    )
    parser.add_argument(
        "--loss",
        type=lambda text: text.replace(" ", ""),  # one word in the recorded command
        default="cross_entropy",
        help="cross_entropy, ohem, dice, focal, lovasz, or a sum as cross_entropy+dice (default: %(default)s)",
    )
    parser.add_argument("--balance", action="store_true", help="let rare classes count more in the loss")
    parser.add_argument("--crop", type=size, metavar="HxW", help="train on random crops of this size")
    parser.add_argument("--no-flip", action="store_true", help="do not mirror half of the images")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the initial weights and the order (default: %(default)s)"
    )
    parser.add_argument("--evaluate-every", type=positive, help="steps between scores (default: only at the end)")
    parser.add_argument(
        "--num-workers", type=int, default=0, help="processes that draw the scenes (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="file of weights to write, .pt; a .json goes beside it")
    parser.add_argument("--half", action="store_true", help="round the weights to 16 bits: a file of half the size")
    parser.add_argument("--checkpoint", type=Path, help="file of the run's state, to go on from after an interruption")
    parser.add_argument("--resume", action="store_true", help="go on from --checkpoint if it is there")


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, write."""
    import torch

    from segtutor.datasets import Scenes
    from segtutor.inference import evaluate, evaluate_detector
    from segtutor.models import load_weights, save_weights
    from segtutor.models.weight_files import round_to_half
    from segtutor.training import InMemory, TrainingConfig, balanced_class_weights, fit, fit_detector

    detector = is_detector(arguments.model)
    if detector:
        refuse(arguments, SEMANTIC_TRAINING)
    if arguments.out.suffix != ".pt":
        raise ValueError(f"--out must end in .pt, not {arguments.out.name}")
    if not arguments.out.resolve().parent.is_dir():
        raise FileNotFoundError(f"there is no folder {arguments.out.resolve().parent} to write {arguments.out.name} in")
    kind: dict[str, Any] = {"size": arguments.size, **scene_options(arguments)}
    if detector:
        kind["target"] = "instances"
    train: Any = Scenes("train", count=arguments.train_count, **kind)
    val: Any = Scenes("val", count=arguments.val_count, **kind)
    config = TrainingConfig(
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        optimizer=arguments.optimizer,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
        head_factor=arguments.head_factor,
        bias_factor=arguments.bias_factor,
        warmup_steps=arguments.warmup_steps,
        gradient_clip=arguments.gradient_clip,
        precision=arguments.precision,
        measure_precision=not arguments.keep_precision,
        crop=arguments.crop,
        loss=arguments.loss,
        class_weights=balanced_class_weights(train) if arguments.balance else None,
        flip=not arguments.no_flip,
        seed=arguments.seed,
        evaluate_every=arguments.evaluate_every,
        checkpoint=arguments.checkpoint,
        checkpoint_every=100 if arguments.checkpoint else None,
        num_workers=arguments.num_workers,
        device=arguments.device,
    )
    torch.manual_seed(arguments.seed)  # of the initial weights
    model = create_network(arguments, len(train.labels), None if arguments.layout else arguments.weights)
    if arguments.layout:
        if arguments.weights is None:
            raise ValueError(
                f"--layout {arguments.layout} says how a file names its arrays: give it with --weights FILE"
            )
        load_weights(model, arguments.weights, arguments.layout)
    watched = None if config.evaluate_every is None else val
    result: Any
    if detector:
        # Without workers to draw ahead, each scene is drawn only once.
        kept = InMemory(train) if config.num_workers == 0 else train
        result = fit_detector(model, kept, watched, config, resume=arguments.resume)
    else:
        result = fit(model, train, watched, config, resume=arguments.resume)
    if int(os.environ.get("RANK", "0")) > 0:
        return 0  # torchrun's other processes: the first one scores and writes
    if arguments.half:
        round_to_half(model)  # before the scores: they are of what is written
    score: Any = evaluate_detector(model, val) if detector else evaluate(model, val)
    # The command that trains in just this precision again, on any machine.
    arguments.precision, arguments.keep_precision = result.precision, result.precision != "float32"
    notes = _notes(arguments, config.base_learning_rate, val, score, result.seconds)
    save_weights(model, arguments.out, half=arguments.half, **notes)
    record = arguments.out.with_suffix(".json")
    with replacing(record) as temporary:
        temporary.write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    print(score)
    print(f"weights  {arguments.out}\nrecord   {record}")
    return 0


def _notes(arguments: argparse.Namespace, rate: float, val: Any, score: Any, seconds: float) -> dict[str, Any]:
    """What somebody needs who wants to make the weights again, or to know what they are."""
    import torch

    started_from = arguments.weights
    if started_from is not None and Path(started_from).is_file():
        started_from = notes_of(Path(started_from)) or Path(started_from).name
    height, width = arguments.size
    special = "".join(f", {name} {value:g}" for name, value in scene_options(arguments).items())
    return {
        "command": _command(arguments),
        "started_from": started_from,  # the whole record, if this command wrote that file
        "data": f"Scenes{special} ({arguments.train_count} drawn pictures of {height} x {width} pixels)",
        "labels": list(val.labels.names),
        "steps": arguments.steps,
        "batch_size": arguments.batch_size,
        "learning_rate": rate,
        "seed": arguments.seed,
        **(detector_scores(score) if is_detector(arguments.model) else _semantic_scores(score)),
        "scored_on": f"Scenes val{special}, {len(val)} pictures, whole, one view",
        "seconds": round(seconds),
        "processor": str(processor()),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
    }


def _semantic_scores(score: Any) -> dict[str, Any]:
    return {
        "mean_iou": round(score.mean_iou, 4),
        "classes_counted": score.classes_counted,
        "pixel_accuracy": round(score.pixel_accuracy, 4),
        "iou": {name: round(value, 4) for name, value in score.iou.items() if value == value},
    }


def _command(arguments: argparse.Namespace) -> str:
    """The command line that gives these arguments, all of them spelled out."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    words = ["segtutor train" if processes == 1 else f"torchrun --nproc-per-node {processes} -m segtutor.cli train"]
    for name, value in vars(arguments).items():
        if name in NOT_RECORDED or value is None or value is False:
            continue
        for one in value if isinstance(value, list) else [value]:
            text = "x".join(map(str, one)) if isinstance(one, tuple) else Path(one).name if name in FILES else str(one)
            words.append(f"--{name.replace('_', '-')}" + ("" if one is True else f" {text}"))
    return " ".join(words)
