"""The arguments of ``segtutor train``, and the settings of a run that they make."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segtutor.commands.detectors import add_scene_options
from segtutor.commands.options import SCENE_SIZE, add_network, positive, size
from segtutor.commands.own_data import add_data
from segtutor.commands.recipes import available

if TYPE_CHECKING:
    from segtutor.training import TrainingConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be two numbers, as 0.5,2, not {text!r}") from None
    return low, high


def settings(arguments: argparse.Namespace, train: Any, checkpoint: Path, best: Path | None) -> TrainingConfig:
    """The settings of the run.

    Args:
        arguments: Of the command.
        train: The training set, whose classes ``--balance`` counts.
        checkpoint: Where the run's state goes.
        best: Where the best weights go, if they are to be kept.
    """
    from segtutor.training import TrainingConfig, balanced_class_weights

    return TrainingConfig(
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
