"""Makes what exercise 11.7 diagnoses: trains small networks with one fault each, and writes what they get wrong.

python -m segtutor.exercises.lesson11.make_networks --out data/results --memory build/diagnosis

A network is that of the broken loaders in lesson 2, five convolutions. Two faults are planted where it is used, three
where it learns; everything else is the same, the seed included.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F

from segtutor import compute
from segtutor.analysis import ErrorSplit
from segtutor.datasets.weather import Night
from segtutor.exercises.lesson11.faults import (
    ANOTHER_DOMAIN,
    HEALTHY,
    IN_ORDER,
    MERGED,
    SHIFTED,
    TRAINED_ON_VAL,
    TWICE,
)
from segtutor.exercises.lesson11.reports import MOVES, NAME
from segtutor.exercises.loaders import EIGHT, MEAN, STD, VOID, File, Loader, normalized, scene_files
from segtutor.exercises.seeds import seeded as numbers_of
from segtutor.exercises.symptoms import BATCH, CROP, train
from segtutor.metrics import ConfusionMatrix
from segtutor.training.statistics import reestimate_statistics
from segtutor.training.stream import seeded

PICTURES, VAL, NEW, DARK = 240, 24, 80, 64
STEPS = 500
SEEDS = (0, 1, 2)
Segment = Callable[[np.ndarray], np.ndarray]


class ShiftedLoader(Loader):
    """Labels that lie some pixels off their pictures, also in mirrored ones; what moves in from outside is void."""

    off = (0, 0)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, labels = super().__getitem__(index)
        return image, ndimage.shift(labels, self.off, order=0, mode="constant", cval=VOID)


def merged(files: Sequence[File], lost: int, into: int) -> list[File]:
    """Labels in which one class has the number of another."""
    return [replace(file, labels=np.where(file.labels == lost, np.uint8(into), file.labels)) for file in files]


def at_night(files: Sequence[File], seed: int) -> list[File]:
    """The same scenes with little light."""
    night, found = Night(), []
    for index, file in enumerate(files):
        with seeded(seed, 11, index):
            dark = night(torch.from_numpy(file.pixels.transpose(2, 0, 1).copy()))
        found.append(replace(file, pixels=dark.numpy().transpose(1, 2, 0)))
    return found


def with_statistics_of(model: nn.Module, files: Sequence[File]) -> nn.Module:
    """A copy whose batch norms have the means and variances of these pictures."""
    changed = copy.deepcopy(model)
    reestimate_statistics(changed, [torch.from_numpy(file.pixels.transpose(2, 0, 1).copy()) for file in files])
    return changed


@torch.no_grad()
def answer(model: nn.Module, image: np.ndarray) -> np.ndarray:
    """The label map of a normalized image 3 x H x W."""
    logits: Tensor = F.interpolate(model.eval()(torch.from_numpy(image)[None]), image.shape[1:], mode="bilinear")
    return logits[0].argmax(dim=0).numpy()


def networks(seed: int) -> dict[str, tuple[Segment, str]]:
    """For each fault a network's answer to the pixels of a picture, and in words what was planted."""
    generator = numbers_of(117 + seed)
    files, val = scene_files("train", PICTURES), scene_files("val", VAL)
    right, down = (int(one) for one in generator.permutation([int(generator.choice([-3, 3])), 0]))
    lost, into = (int(one) for one in generator.permutation([1, 3, 4, 5])[:2])  # classes with many pixels

    def taught(pictures: Sequence[File], off: tuple[int, int] = (0, 0)) -> nn.Module:
        loader = ShiftedLoader(pictures, train=True, crop=CROP, seed=seed)
        loader.off = off
        return train(loader, STEPS, seed)[0]

    def by_day(model: nn.Module) -> Segment:
        return lambda pixels: answer(model, normalized(pixels))

    def twice(pixels: np.ndarray) -> np.ndarray:
        image = (normalized(pixels) - MEAN[:, None, None]) / STD[:, None, None]
        return answer(healthy, np.ascontiguousarray(image, dtype=np.float32))

    healthy = taught(files)
    dark = with_statistics_of(healthy, at_night(files[:DARK], seed))
    return {
        HEALTHY: (by_day(healthy), "nothing"),
        SHIFTED: (by_day(taught(files, (down, right))), f"{right} pixels to the right, {down} down"),
        ANOTHER_DOMAIN: (by_day(dark), f"of {DARK} pictures at night"),
        TWICE: (twice, "where it is used"),
        MERGED: (by_day(taught(merged(files, lost, into))), f"{EIGHT.names[lost]} is {EIGHT.names[into]}"),
        TRAINED_ON_VAL: (by_day(taught(val)), f"on its {VAL} pictures"),
    }


def counted(files: Sequence[File], answers: Sequence[np.ndarray]) -> ConfusionMatrix:
    """All pictures in one matrix."""
    matrix = ConfusionMatrix(len(EIGHT), VOID)
    for file, found in zip(files, answers, strict=True):
        matrix.update(file.labels, found)
    return matrix


def moved_iou(files: Sequence[File], answers: Sequence[np.ndarray], axis: int, by: int) -> float:
    """Mean IoU of the answers moved along an axis; where nothing moves in, nothing counts."""
    matrix = ConfusionMatrix(len(EIGHT), VOID)
    for file, found in zip(files, answers, strict=True):
        labels, maps = np.moveaxis(file.labels, axis, 0), np.moveaxis(found, axis, 0)
        matrix.update(labels[by:] if by > 0 else labels[: by or None], maps[:-by] if by > 0 else maps[-by:])
    return matrix.mean_iou()


def report(segment: Segment, val: Sequence[File], new: Sequence[File], dark: Sequence[File]) -> dict[str, Any]:
    """What is known of a network's errors, in shares; the matrix in pixels of 10,000."""
    answers = {name: [segment(file.pixels) for file in files] for name, files in
               (("val", val), ("new", new), ("night", dark))}  # fmt: skip
    matrix = np.asarray(counted(new, answers["new"]).matrix)
    split = ErrorSplit(len(EIGHT), ignore_index=VOID)
    for file, found in zip(new, answers["new"], strict=True):
        split.update(file.labels, found)

    def rounded(values: Any) -> list[float]:
        return [round(float(value), 3) for value in values]

    return {
        "confusion": np.round(10_000 * matrix / matrix.sum()).astype(int).tolist(),
        "val": rounded(np.asarray(counted(val, answers["val"]).iou())),
        "night": rounded(np.asarray(counted(dark, answers["night"]).iou())),
        "right": rounded(moved_iou(new, answers["new"], 1, by) for by in MOVES),
        "down": rounded(moved_iou(new, answers["new"], 0, by) for by in MOVES),
        "kinds": rounded(missed for missed, _ in split.shares().values()),
    }


def reports_of(seed: int) -> dict[str, dict[str, Any]]:
    """The reports of a seed's six networks, by their faults."""
    val, new = scene_files("val", VAL), scene_files("test", NEW)
    dark = at_night(new, seed + 1000)
    found = {}
    for fault, (segment, planted) in networks(seed).items():
        found[fault] = report(segment, val, new, dark)
        print(seed, fault, planted, found[fault], sep=" | ", flush=True)
    return found


def main() -> None:
    """Train, look, write."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the record")
    parser.add_argument("--memory", type=Path, required=True, help="folder that keeps the reports of each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    arguments.memory.mkdir(parents=True, exist_ok=True)
    compute.settle_threads()
    runs = []
    for seed in arguments.seeds:
        kept = arguments.memory / f"{seed}.json"
        if not kept.exists():
            kept.write_text(json.dumps(reports_of(seed)), encoding="utf-8")
        found = json.loads(kept.read_text(encoding="utf-8"))
        for fault in IN_ORDER.get(seed, found):
            runs.append({"seed": seed, **found[fault]})
    head = {
        "command": "python -m segtutor.exercises.lesson11.make_networks --out data/results --memory build/diagnosis",
        "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
        "settings": {"steps": STEPS, "batch": BATCH, "crop": CROP, "pictures": PICTURES, "val": VAL, "new": NEW},
    }
    rows = ",\n".join(json.dumps(run, separators=(",", ":")).replace("NaN", "null") for run in runs)
    text = json.dumps(head, separators=(",", ":"))[:-1] + ',"runs":[\n' + rows + "\n]}\n"
    (arguments.out / NAME).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
