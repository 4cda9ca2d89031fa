"""``segtutor evaluate``: the score of a network on a data set, class by class."""

from __future__ import annotations

import argparse
from typing import Any

from segtutor.commands.detectors import SEMANTIC_VIEWS, add_scene_options, is_detector, refuse, scene_options
from segtutor.commands.options import (
    SCENE_SIZE,
    add_network,
    add_views,
    create_network,
    positive,
    size,
    views,
)
from segtutor.commands.own_data import add_data, open_data


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_network(parser, "course (comes with segtutor, the default) or a file")
    add_data(parser)
    parser.add_argument(
        "--split", choices=("train", "val", "test"), default="val", help="test of scenes only (default: %(default)s)"
    )
    parser.add_argument("--count", type=positive, help="number of pictures (default: all of a folder, 200 scenes)")
    parser.add_argument("--size", type=size, default=SCENE_SIZE, metavar="HxW", help="of the scenes (default: 128x160)")
    add_scene_options(parser)
    add_views(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    from segtutor.inference import evaluate, evaluate_detector

    detector = is_detector(arguments.model)
    if detector:
        refuse(arguments, SEMANTIC_VIEWS)
    if arguments.data == "scenes":
        from segtutor.datasets import Scenes

        target, options = "instances" if detector else "semantic", scene_options(arguments)
        dataset: Any = Scenes(arguments.split, arguments.size, arguments.count or 200, target=target, **options)
        named = f"{len(dataset)} scenes ({arguments.split})"
    else:
        if arguments.split == "test":
            raise ValueError("of a folder there are train and val: name another folder to score on other pictures")
        arguments.train_count = arguments.val_count = arguments.count
        found = open_data(arguments)
        dataset = found.train if arguments.split == "train" else found.val
        named = f"{len(dataset)} pictures of {arguments.data} ({arguments.split})"
    weights = arguments.weights or "course"
    model = create_network(arguments, None, weights)
    print(f"{arguments.model}, weights {weights}, on {named}")
    print(evaluate_detector(model, dataset) if detector else evaluate(model, dataset, **views(arguments)))
    return 0
