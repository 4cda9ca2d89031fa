"""``segtutor evaluate``: the score of a network on a data set, class by class."""

from __future__ import annotations

import argparse
from pathlib import Path

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


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_network(parser, "course (comes with segtutor, the default) or a file")
    parser.add_argument("--data", choices=("scenes",), default="scenes", help="data set (default: %(default)s)")
    parser.add_argument("--split", choices=("train", "val", "test"), default="val", help="default: %(default)s")
    parser.add_argument("--count", type=positive, default=200, help="number of scenes (default: %(default)s)")
    parser.add_argument("--size", type=size, default=SCENE_SIZE, metavar="HxW", help="of the scenes (default: 128x160)")
    add_scene_options(parser)
    add_views(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    from segtutor.datasets import Scenes
    from segtutor.inference import evaluate, evaluate_detector

    detector = is_detector(arguments.model)
    if detector:
        refuse(arguments, SEMANTIC_VIEWS)
    target = "instances" if detector else "semantic"
    dataset = Scenes(
        arguments.split,
        arguments.size,
        arguments.count,
        target=target,
        **scene_options(arguments),
    )
    weights = arguments.weights or "course"
    model = create_network(arguments, None, weights if weights == "course" else Path(weights))
    print(f"{arguments.model}, weights {weights}, on {len(dataset)} scenes ({arguments.split})")
    print(evaluate_detector(model, dataset) if detector else evaluate(model, dataset, **views(arguments)))
    return 0
