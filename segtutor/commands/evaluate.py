"""``segtutor evaluate``: the score of a network on a data set, class by class, and its worst pictures on a page."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segtutor.commands.detectors import SEMANTIC_VIEWS, add_scene_options, is_detector, refuse, scene_options
from segtutor.commands.options import (
    SCENE_SIZE,
    add_class_count,
    add_network,
    add_views,
    create_network,
    positive,
    size,
    views,
)
from segtutor.commands.own_data import add_data, open_data
from segtutor.files import replacing

NOTE = (
    "By the mean IoU of each picture alone, over the classes that it shows or that were found in it. Void, which "
    "counts nowhere, is white."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_network(parser, "course (comes with segtutor, the default) or a file")
    add_class_count(parser)
    add_data(parser)
    parser.add_argument(
        "--split",
        choices=("train", "val", "test"),
        default="val",
        help="part of the data; test of a folder of one's own, of CamVid or of scenes (default: %(default)s)",
    )
    parser.add_argument("--count", type=positive, help="number of pictures (default: all of a folder, 200 scenes)")
    parser.add_argument("--size", type=size, default=SCENE_SIZE, metavar="HxW", help="of the scenes (default: 128x160)")
    add_scene_options(parser)
    add_views(parser)
    parser.add_argument("--boundary", action="store_true", help="also score the outlines of the classes")
    parser.add_argument(
        "--errors",
        action="store_true",
        help="also tell apart errors at boundaries, in the extent of regions and of whole regions, and what was most "
        "often taken for what (takes longer)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write there pictures.csv and worst.html as they come, classes.csv and scores.json at the end",
    )
    parser.add_argument("--worst", type=positive, default=12, help="pictures on worst.html (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    from segtutor.inference import evaluate, evaluate_detector
    from segtutor.inference.predict import as_views

    detector = is_detector(arguments.model)
    if detector:
        refuse(arguments, {**SEMANTIC_VIEWS, "boundary": False, "errors": False})
    as_views(**views(arguments))
    if arguments.data == "scenes":
        from segtutor.datasets import Scenes

        target, options = "instances" if detector else "semantic", scene_options(arguments)
        dataset: Any = Scenes(arguments.split, arguments.size, arguments.count or 200, target=target, **options)
        named = f"{len(dataset)} scenes ({arguments.split})"
    else:
        arguments.train_count = arguments.val_count = arguments.count
        found = open_data(arguments, test=arguments.split == "test")
        dataset = found.train if arguments.split == "train" else found.val
        named = f"{len(dataset)} pictures of {arguments.data} ({arguments.split})"
    weights = arguments.weights or "course"
    model = create_network(arguments, arguments.num_classes, weights)
    title = f"{arguments.model}, weights {weights}, on {named}"
    print(f"{title}, at their own size{_told(arguments)}", flush=True)
    report: Any = None
    if arguments.out is not None and detector:
        from segtutor.commands.detector_page import DetectorReport

        report = DetectorReport(arguments.out, title, dataset, arguments.worst)
    elif arguments.out is not None:
        report = _Report(arguments, title, dataset)
    split: Any = None
    if arguments.errors:
        from segtutor.analysis import ErrorSplit
        from segtutor.inference.samples import label_set

        split = ErrorSplit(len(label_set(dataset)), ignore_index=label_set(dataset).ignore_index)

    def each(scored: Any) -> None:
        if split is not None:
            split.update(scored.target.numpy(), scored.prediction.numpy())
        if report is not None:
            report(scored)

    try:
        if detector:
            score: Any = evaluate_detector(model, dataset, each=report)
        else:
            score = evaluate(model, dataset, boundary=arguments.boundary, each=each, **views(arguments))
    except Exception as error:
        if report is not None and report.rows:
            error.add_note(f"{report.rows} pictures were scored before: {arguments.out / 'pictures.csv'}")
        raise
    if detector:
        print(score)
    else:
        print(_table(score))
        print(str(score).rpartition("\n")[2] + _outlines(score))
    if split is not None:
        print(_errors(split, score.names))
    if report is not None:
        report.finish(score, *([] if detector else [split]))
        print(f"written  {', '.join(str(path) for path in report.paths.values())}")
    return 0


def _told(arguments: argparse.Namespace) -> str:
    """The views, in words."""
    parts = []
    if arguments.scales != (1.0,):
        parts.append(f"shown at scales {', '.join(f'{scale:g}' for scale in arguments.scales)}")
    if arguments.flip:
        parts.append("and mirrored" if parts else "shown as they are and mirrored")
    if arguments.window is not None:
        parts.append("through windows of {} x {}".format(*arguments.window))
    return "".join(f", {part}" for part in parts)


def columns_of(score: Any) -> dict[str, np.ndarray]:
    """What is told of each class: K numbers of each kind, from 0 to 1."""
    confusion = score.confusion
    columns = {"IoU": confusion.iou(), "precision": confusion.precision(), "recall": confusion.recall()}
    if score.outlines is not None:
        columns["boundary IoU"] = score.outlines.boundary_iou()
    return {**columns, "pixels": confusion.matrix.sum(axis=1) / max(1, confusion.matrix.sum())}


def _table(score: Any) -> str:
    """Scores class by class, in percent; classes that are nowhere are left out."""
    columns = columns_of(score)
    width = max(len(name) for name in (*score.names, "class"))
    lines = ["  ".join([f"{'class':{width}}", *(f"{name:>6}" for name in columns)])]
    for number, name in enumerate(score.names):
        if np.isfinite(columns["IoU"][number]):
            values = [f"{_percent(kind[number]):>{max(6, len(title))}}" for title, kind in columns.items()]
            lines.append("  ".join([f"{name:{width}}", *values]))
    return "\n".join(lines)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}" if np.isfinite(value) else "-"


def _outlines(score: Any) -> str:
    if score.outlines is None:
        return ""
    band = score.outlines.band
    return (
        f"\nmean boundary IoU {100 * score.outlines.mean_boundary_iou():.2f} %; in the band around label changes, of 2 "
        f"% of the diagonal on either side: mean IoU {100 * band.mean_iou():.2f} %, pixel accuracy "
        f"{100 * band.pixel_accuracy():.2f} %"
    )


def _errors(split: Any, names: Sequence[str]) -> str:
    """In which ways pixels are wrong, and the five largest confusions."""
    from segtutor.analysis import confusion_flow

    flows = confusion_flow(split.confusion.matrix, names, 5)
    return "\n".join(["", str(split), "", *map(str, flows)]) if split.wrong else "\nno pixel is wrong"


class _Report:
    """What is written of an evaluation, picture by picture."""

    def __init__(self, arguments: argparse.Namespace, title: str, dataset: Any) -> None:
        from segtutor.commands.worst_page import WorstPage, report_files
        from segtutor.inference.samples import label_set

        self.paths = report_files(arguments.out)
        self.dataset, self.labels, self.rows = dataset, label_set(dataset), 0
        self.page = WorstPage(self.paths["worst.html"], title, arguments.worst, "mean IoU", NOTE)
        with self.paths["pictures.csv"].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(["picture", "mean IoU", "pixel accuracy", *self.labels.names])

    def __call__(self, scored: Any) -> None:
        """Adds a picture that was just scored."""
        from segtutor.commands.worst_page import Entry, describe, label_views
        from segtutor.inference import load_image
        from segtutor.inference.samples import place_of

        name, iou = place_of(self.dataset, scored.index), scored.confusion.iou()
        mean, accuracy = scored.confusion.mean_iou(), scored.confusion.pixel_accuracy()
        row = [name, *("" if np.isnan(value) else f"{value:.4f}" for value in (mean, accuracy, *iou))]
        with self.paths["pictures.csv"].open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(row)
        self.rows += 1
        if np.isfinite(mean) and self.page.wants(mean):
            pixels = (load_image(scored.image) * 255).round().byte().permute(1, 2, 0).numpy()
            target, found = scored.target.numpy(), scored.prediction.numpy()
            sentence = describe(scored.confusion.matrix, self.labels)
            self.page.add(Entry(mean, name, sentence, label_views(name, sentence, pixels, target, found, self.labels)))

    def finish(self, score: Any, split: Any = None) -> None:
        """Writes what holds for the whole; ``split`` tells errors apart."""
        from segtutor.commands.worst_page import class_table, write_classes

        columns = columns_of(score)
        present = [number for number in range(len(score.names)) if np.isfinite(columns["IoU"][number])]
        rows = [(score.names[number], [_percent(kind[number]) for kind in columns.values()]) for number in present]
        write_classes(self.paths["classes.csv"], [f"{name} in %" for name in columns], rows)
        scores = {
            "mean_iou": score.mean_iou,
            "classes_counted": score.classes_counted,
            "pixel_accuracy": score.pixel_accuracy,
            "pictures": score.images,
            "iou": {score.names[number]: float(columns["IoU"][number]) for number in present},
        }
        if score.outlines is not None:
            scores["mean_boundary_iou"] = score.outlines.mean_boundary_iou()
            scores["mean_iou_in_the_band"] = score.outlines.band.mean_iou()
        if split is not None and split.wrong:
            scores["errors"] = {
                kind: {"missed": missed, "invented": invented} for kind, (missed, invented) in split.shares().items()
            }
        with replacing(self.paths["scores.json"]) as temporary:
            temporary.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        table = class_table([f"{name}, %" for name in columns], rows, self.labels)
        self.page.write(table, (str(score).rpartition("\n")[2] + _outlines(score)).replace("\n", "; "))
