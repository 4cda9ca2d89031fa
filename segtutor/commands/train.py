"""``segtutor train``: train a network, and write its weights with all that is needed to make them again."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segtutor import __version__
from segtutor.commands.detectors import SEMANTIC_TRAINING, add_scene_options, detector_scores, is_detector, refuse
from segtutor.commands.options import SCENE_SIZE, add_network, create_network, notes_of, positive, size
from segtutor.commands.own_data import Data, add_data, longest_side, open_data, print_classes, suitable_crop
from segtutor.commands.recipes import apply_recipe, available
from segtutor.compute import processor
from segtutor.files import prove_writable, write_or_rescue

FILES = ("weights", "out", "data")  # recorded by their names alone, since folders belong to one machine
# The weights do not depend on them; a recipe's settings are recorded one by one.
NOT_RECORDED = (
    "command", "run", "device", "num_workers", "checkpoint", "checkpoint_every", "resume", "recipe", "log", "compile",
    "channels_last",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    from segtutor.training.config import PRECISIONS

    add_network(
        parser, "start from these: imagenet or backbone (the backbone alone), course, or a file (default: random ones)"
    )
    parser.add_argument(
        "--layout",
        help="how a file of --weights names its arrays; segtutor_tiny_body takes the backbone of one of the course's "
        "small semantic networks for maskrcnn_tiny (default: found from the names)",
    )
    parser.add_argument(
        "--replace-head",
        action="store_true",
        help="train the last layers anew where those of --weights have another number of classes; classes that both "
        "know by the same name keep theirs",
    )
    add_data(parser)
    parser.add_argument(
        "--recipe", metavar="NAME", help=f"take the settings of a file: {', '.join(available())}, or a .toml"
    )
    parser.add_argument("--size", type=size, default=SCENE_SIZE, metavar="HxW", help="of the scenes (default: 128x160)")
    add_scene_options(parser)
    parser.add_argument("--train-count", type=positive, help="pictures to learn from (default: all; 4000 scenes)")
    parser.add_argument("--val-count", type=positive, help="pictures to score on (default: all; 200 scenes)")
    parser.add_argument("--steps", type=positive, help="optimizer steps (default: 2000, unless --epochs says it)")
    parser.add_argument("--epochs", type=float, help="passes over the training set, instead of --steps")
    parser.add_argument("--batch-size", type=positive, default=16, help="images per step (default: %(default)s)")
    parser.add_argument("--accumulate", type=positive, default=1, help="parts of a batch (default: %(default)s)")
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
    parser.add_argument("--freeze-batch-norm", action="store_true", help="keep batch norm as it is, for small batches")
    parser.add_argument(
        "--auxiliary-weight", type=float, default=0.4, help="of an auxiliary head (default: %(default)s)"
    )
    parser.add_argument("--average", type=float, metavar="DECAY", help="average the weights over the steps, as 0.999")
    parser.add_argument(
        "--loss",
        type=lambda text: text.replace(" ", ""),  # one word in the recorded command
        default="cross_entropy",
        help="cross_entropy, ohem, dice, focal, lovasz, or a sum as cross_entropy+dice (default: %(default)s)",
    )
    parser.add_argument("--balance", action="store_true", help="let rare classes count more in the loss")
    parser.add_argument(
        "--crop", type=size, metavar="HxW", help="train on random crops of this size (default: what suits the pictures)"
    )
    parser.add_argument("--scale", type=_range, metavar="MIN,MAX", help="random size before the crop, as 0.5,2")
    parser.add_argument("--rotate", type=float, default=0.0, help="largest random turn, in degrees (default: 0)")
    parser.add_argument("--jitter", type=float, default=0.0, help="strength of random colors (default: 0)")
    parser.add_argument("--no-flip", action="store_true", help="do not mirror half of the images")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the initial weights and the order (default: %(default)s)"
    )
    parser.add_argument("--evaluate-every", type=positive, help="steps between scores (default: only at the end)")
    parser.add_argument("--keep-best", action="store_true", help="write the weights of the best of these scores")
    parser.add_argument("--patience", type=positive, help="stop after so many scores without a better one")
    parser.add_argument(
        "--num-workers", type=int, default=0, help="processes that load or draw pictures (default: %(default)s)"
    )
    parser.add_argument("--channels-last", action="store_true", help="memory format for GPUs with tensor cores")
    parser.add_argument("--compile", action="store_true", help="let torch.compile make faster code first")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file of weights to write, .pt, .pth, .safetensors or .npz; a .json goes beside it",
    )
    parser.add_argument("--log", type=Path, help="CSV file of losses and scores")
    parser.add_argument("--half", action="store_true", help="round the weights to 16 bits: a file of half the size")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="file of the run's state, to go on from after an interruption (default: OUT.run.pt, removed at the end)",
    )
    parser.add_argument("--checkpoint-every", type=positive, default=100, help="steps (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="go on from the run's state if it is there")


def prepare(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Takes the settings of ``--recipe`` as defaults."""
    apply_recipe(parser, words)


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be two numbers, as 0.5,2, not {text!r}") from None
    return low, high


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, write."""
    import torch

    from segtutor.models.weight_files import check_ending, contents_of, round_to_half, write_contents
    from segtutor.training import InMemory, TrainingConfig, balanced_class_weights, fit, fit_detector

    detector = is_detector(arguments.model)
    if detector:
        refuse(arguments, SEMANTIC_TRAINING)
    check_ending(arguments.out)
    record = arguments.out.with_suffix(".json")
    for path in (arguments.out, record):
        prove_writable(path)
    data, first = open_data(arguments), int(os.environ.get("RANK", "0")) == 0
    train, val = data.train, data.val
    if arguments.data != "scenes" and not detector:
        if first:
            print_classes(train)
        arguments.crop = arguments.crop or suitable_crop(train)
    checkpoint = arguments.checkpoint or arguments.out.with_name(f"{arguments.out.stem}.run.pt")
    best = arguments.out.with_name(f"{arguments.out.stem}.best.pt") if arguments.keep_best else None
    if best is not None and arguments.evaluate_every is None:
        raise ValueError("--keep-best chooses among the scores of --evaluate-every: give it, too")
    config = TrainingConfig(
        steps=arguments.steps if arguments.steps or arguments.epochs else 2000,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        accumulate=arguments.accumulate,
        optimizer=arguments.optimizer,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
        head_factor=arguments.head_factor,
        bias_factor=arguments.bias_factor,
        warmup_steps=arguments.warmup_steps,
        gradient_clip=arguments.gradient_clip,
        freeze_batch_norm=arguments.freeze_batch_norm,
        auxiliary_weight=arguments.auxiliary_weight,
        average=arguments.average,
        precision=arguments.precision,
        measure_precision=not arguments.keep_precision,
        crop=arguments.crop,
        scale=arguments.scale,
        rotate=arguments.rotate,
        jitter=arguments.jitter,
        loss=arguments.loss,
        class_weights=balanced_class_weights(train) if arguments.balance else None,
        flip=not arguments.no_flip,
        seed=arguments.seed,
        evaluate_every=arguments.evaluate_every,
        patience=arguments.patience,
        checkpoint=checkpoint,
        checkpoint_every=arguments.checkpoint_every,
        best=best,
        log=arguments.log,
        num_workers=arguments.num_workers,
        channels_last=arguments.channels_last,
        compile=arguments.compile,
        device=arguments.device,
    )
    if arguments.layout and arguments.weights is None:
        raise ValueError(f"--layout {arguments.layout} says how a file names its arrays: give it with --weights FILE")
    torch.manual_seed(arguments.seed)  # of the initial weights
    names = tuple(_labels(train).names)
    loading = {"layout": arguments.layout or "auto", "replace_head": arguments.replace_head, "classes": names}
    model = create_network(arguments, len(names), arguments.weights, **loading)
    if first and arguments.replace_head and arguments.weights is not None:
        print(f"{arguments.weights}: {model.load_report}")
    if first:
        prove_writable(arguments.out, lambda path: write_contents(contents_of(model, half=arguments.half), path))
    watched = None if config.evaluate_every is None else val
    result: Any
    try:
        if detector:
            # Without workers to draw ahead, each scene is drawn only once.
            kept = InMemory(train) if config.num_workers == 0 and arguments.data == "scenes" else train
            result = fit_detector(model, kept, watched, config, resume=arguments.resume)
        else:
            result = fit(model, train, watched, config, resume=arguments.resume)
    except KeyboardInterrupt:
        if first and checkpoint.exists():
            print(f"\nthe run so far is in {checkpoint}: the same command with --resume goes on", file=sys.stderr)
        raise
    if not first:
        return 0  # torchrun's other processes: the first one scores and writes
    _finish(arguments, model, data, config.base_learning_rate, result, best, round_to_half)
    if arguments.checkpoint is None:
        checkpoint.unlink(missing_ok=True)
    return 0


def _finish(
    arguments: argparse.Namespace, model: Any, data: Data, rate: float, result: Any, best: Path | None, halve: Any
) -> None:
    """Writes the weights, scores them, and writes them again with their score and a record beside them."""
    from segtutor.inference import evaluate, evaluate_detector
    from segtutor.models import load_weights
    from segtutor.models.weight_files import contents_of, write_contents

    if best is not None and best.is_file():
        load_weights(model, best)
    if arguments.half:
        halve(model)  # before the scores: they are of what is written
    labels = list(_labels(data.val).names)

    def write(**notes: Any) -> Path:
        contents = contents_of(model, half=arguments.half, **{"labels": labels, **notes})
        return write_or_rescue(arguments.out, lambda path: write_contents(contents, path))

    out = write()  # before the scores, for which a broken picture is enough to fail
    detector = is_detector(arguments.model)
    try:
        score: Any = evaluate_detector(model, data.val) if detector else evaluate(model, data.val)
    except Exception as error:
        error.add_note(f"the trained weights are in {out}; they could only not be scored")
        raise
    # The command that trains in just this precision again, on any machine.
    arguments.precision, arguments.keep_precision = result.precision, result.precision != "float32"
    notes = _notes(arguments, rate, data, score, result)
    out = write(**notes)
    text = json.dumps(notes, indent=2) + "\n"
    record = write_or_rescue(arguments.out.with_suffix(".json"), lambda path: path.write_text(text, encoding="utf-8"))
    print(score)
    print(f"weights  {out}\nrecord   {record}")
    if best is not None:
        best.unlink(missing_ok=True)


def _labels(dataset: Any) -> Any:
    from segtutor.inference.samples import label_set

    return label_set(dataset)


def _notes(arguments: argparse.Namespace, rate: float, data: Data, score: Any, result: Any) -> dict[str, Any]:
    """What somebody needs who wants to make the weights again, or to know what they are."""
    import torch

    started_from = arguments.weights
    if started_from is not None and Path(started_from).is_file():
        started_from = notes_of(Path(started_from)) or Path(started_from).name
    return {
        "command": _command(arguments),
        "started_from": started_from,  # the whole record, if this command wrote that file
        "data": data.title,
        "labels": list(_labels(data.val).names),
        "longest_side": longest_side(data.train),  # at which segment shows large photographs to the network
        "steps": result.steps,
        "batch_size": arguments.batch_size,
        "learning_rate": rate,
        "seed": arguments.seed,
        **(detector_scores(score) if is_detector(arguments.model) else _semantic_scores(score)),
        "scored_on": data.scored_on,
        "seconds": round(result.seconds),
        "processor": str(processor()),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
        "git": _git_state(),
    }


def _git_state() -> dict[str, Any] | None:
    """Commit of the folder that the command runs in, and whether something was changed since; None outside of git."""
    try:
        commit, changes = (
            subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(changes)}


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
            joint = "," if name == "scale" else "x"
            text = (
                joint.join(map(str, one)) if isinstance(one, tuple) else Path(one).name if name in FILES else str(one)
            )
            words.append(f"--{name.replace('_', '-')}" + ("" if one is True else f" {text}"))
    return " ".join(words)
