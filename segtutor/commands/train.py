"""``segtutor train``: train a network, and write its weights with all that is needed to make them again.

places proved --> data, classes printed --> network --> run --> weights --> score --> weights with score, record
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from segtutor.commands.detectors import SEMANTIC_TRAINING, is_detector, refuse
from segtutor.commands.options import create_network
from segtutor.commands.own_data import Data, open_data, print_classes, suitable_crop
from segtutor.commands.recipes import apply_recipe
from segtutor.commands.train_options import add_arguments, settings
from segtutor.commands.train_record import record_of
from segtutor.files import prove_writable, write_or_rescue


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_arguments(parser)


def prepare(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Takes the settings of ``--recipe`` as defaults."""
    apply_recipe(parser, words)


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, write."""
    import torch

    from segtutor.inference.samples import label_set
    from segtutor.models.weight_files import check_ending, contents_of, round_to_half, write_contents
    from segtutor.training import InMemory, fit, fit_detector

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
    config = settings(arguments, train, checkpoint, best)
    if arguments.layout and arguments.weights is None:
        raise ValueError(f"--layout {arguments.layout} says how a file names its arrays: give it with --weights FILE")
    torch.manual_seed(arguments.seed)  # of the initial weights
    names = tuple(label_set(train).names)
    loading = {"layout": arguments.layout or "auto", "replace_head": arguments.replace_head, "classes": names}
    model = create_network(arguments, len(names), arguments.weights, **loading)
    if first and arguments.replace_head and arguments.weights is not None:
        print(f"{arguments.weights}: {model.load_report}")
    if first:
        prove_writable(arguments.out, lambda path: write_contents(contents_of(model, half=arguments.half), path))
        try_scoring(model, val)
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
    with suppress(OSError):  # what is not needed any more does no harm where it cannot be taken away
        if arguments.checkpoint is None:
            checkpoint.unlink(missing_ok=True)
        if best is not None:
            best.unlink(missing_ok=True)
    return 0


def try_scoring(model: Any, val: Any) -> None:
    """Scores the network on one item, so that a validation set that cannot be scored shows before the training."""
    from segtutor.inference.detect_scores import CocoScores
    from segtutor.inference.evaluate import count

    if hasattr(model, "roi_heads"):
        CocoScores(model, val).look_at(range(1))
    else:
        count(model, val, range(1), {}, num_workers=0, progress=False)


def _finish(
    arguments: argparse.Namespace, model: Any, data: Data, rate: float, result: Any, best: Path | None, halve: Any
) -> None:
    """Writes the weights, scores them, and writes them again with their score and a record beside them."""
    from segtutor.inference import evaluate, evaluate_detector
    from segtutor.inference.samples import label_set
    from segtutor.models import load_weights
    from segtutor.models.weight_files import contents_of, write_contents

    if best is not None and best.is_file():
        load_weights(model, best)
    elif best is not None:
        print(f"{best} is gone: the weights are those of the last step, not the best ones", file=sys.stderr)
    if arguments.half:
        halve(model)  # before the scores: they are of what is written
    labels = list(label_set(data.val).names)

    def write(place: Path, **notes: Any) -> Path:
        contents = contents_of(model, half=arguments.half, **{"labels": labels, **notes})
        return write_or_rescue(place, lambda path: write_contents(contents, path))

    out = write(arguments.out)  # before the scores, for which a broken picture is enough to fail
    detector = is_detector(arguments.model)
    try:
        score: Any = evaluate_detector(model, data.val) if detector else evaluate(model, data.val)
    except Exception as error:
        error.add_note(f"the trained weights are in {out}; they could only not be scored")
        raise
    # The command that trains in just this precision again, on any machine.
    arguments.precision, arguments.keep_precision = result.precision, result.precision != "float32"
    notes = record_of(arguments, rate, data, score, result)
    out = write(out, **notes)
    text = json.dumps(notes, indent=2) + "\n"
    record = write_or_rescue(out.with_suffix(".json"), lambda path: path.write_text(text, encoding="utf-8"))
    print(score)
    print(f"weights  {out}\nrecord   {record}")
