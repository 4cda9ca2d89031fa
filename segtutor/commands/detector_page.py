"""What ``segtutor evaluate`` writes of a detector: what it found, missed and made up in each picture; the worst.

A detection counts here from a score of .5 on, and finds an object by COCO's rule from an IoU of .5 on: by its mask if
the network draws masks, else by its box. COCO's own scores need neither number; a single picture needs one.

G objects, D detections.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from segtutor.commands.detectors import detector_scores
from segtutor.commands.worst_page import Entry, WorstPage, class_table, data_address, report_files, write_classes
from segtutor.files import replacing
from segtutor.labels import LabelSet

if TYPE_CHECKING:
    from segtutor.inference.detect_scores import DetectedPicture

LEAST_SCORE = 0.5
LEAST_IOU = 0.5
COLORS = {"found": (31, 119, 180), "missed": (255, 127, 14), "false": (214, 39, 40), "crowd": (120, 120, 120)}
NOTE = (
    "By the F1 of each picture alone, 2 found / (2 found + missed + false), of detections with a score of "
    f"{LEAST_SCORE} or more; one finds an object if their IoU is {LEAST_IOU} or more. Objects that were found are blue "
    "and missed ones orange; crowds, which count nowhere, are gray; detections that found something are blue, "
    "false ones red."
)


@dataclass(frozen=True)
class Matches:
    """What became of the objects and the detections of a picture.

    Attributes:
        objects: G words: found, missed or crowd.
        detections: D words: found, false, or crowd for one that counts nowhere, as it lies in a crowd.
    """

    objects: tuple[str, ...]
    detections: tuple[str, ...]

    def count(self, word: str) -> int:
        """How many were found, missed or false."""
        return (self.detections if word == "false" else self.objects).count(word)

    def f1(self) -> float:
        """Share of what is right, 0 to 1; NaN for a picture without objects and detections."""
        found, wrong = self.count("found"), self.count("missed") + self.count("false")
        return 2 * found / (2 * found + wrong) if found + wrong else math.nan


def compare(truth: Mapping[str, Any], results: Sequence[Mapping[str, Any]], with_masks: bool) -> Matches:
    """Match the detections of one picture with its objects, both as COCO writes them."""
    from segtutor.metrics import coco_curves

    crowds = [bool(annotation["iscrowd"]) for annotation in truth["annotations"]]
    results = [{key: value for key, value in one.items() if key != "bbox" or not with_masks} for one in results]
    curves = coco_curves(truth, results, "segm" if with_masks else "bbox", iou_thresholds=[LEAST_IOU])
    matched, ignored = curves.matched[0], curves.ignored[0]
    found = set(matched[matched >= 0].tolist())
    objects = ("crowd" if crowd else "found" if at in found else "missed" for at, crowd in enumerate(crowds))
    words = ("crowd" if skip else "found" if at >= 0 else "false" for at, skip in zip(matched, ignored, strict=True))
    return Matches(tuple(objects), tuple(words))


class DetectorReport:
    """The files of an evaluation, which grow with every picture.

    Args:
        folder: Where they lie; made if it is not there.
        title: Heading of the page.
        dataset: What is evaluated on.
        worst: How many pictures are on the page.
    """

    def __init__(self, folder: Path, title: str, dataset: Any, worst: int) -> None:
        from segtutor.inference.samples import label_set

        self.paths, self.dataset, self.labels, self.rows = report_files(folder), dataset, label_set(dataset), 0
        self.page = WorstPage(self.paths["worst.html"], title, worst, "F1", NOTE)
        with self.paths["pictures.csv"].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(["picture", "F1", "found", "missed", "false"])

    def __call__(self, seen: DetectedPicture) -> None:
        """Adds a picture that was just looked at."""
        from segtutor.inference import load_image
        from segtutor.inference.samples import place_of

        sure = [number for number, one in enumerate(seen.results) if one["score"] >= LEAST_SCORE]
        matches = compare(seen.truth, [seen.results[number] for number in sure], "masks" in seen.found)
        name, f1 = place_of(self.dataset, seen.index), matches.f1()
        counts = [matches.count(word) for word in ("found", "missed", "false")]
        with self.paths["pictures.csv"].open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow([name, "" if math.isnan(f1) else f"{f1:.4f}", *counts])
        self.rows += 1
        if math.isnan(f1) or not self.page.wants(f1):
            return
        pixels = (load_image(seen.image) * 255).round().byte().permute(1, 2, 0).numpy()
        parts = {"objects": (matches.objects, seen.target), "detections": (matches.detections, seen.found)}
        views = [("picture", f"The picture {name}.", data_address(pixels, smooth=True))]
        told = []
        for title, (words, shown) in parts.items():
            places = sure if title == "detections" else list(range(len(words)))
            sentence = describe(title, words, [int(shown["labels"][place]) for place in places], self.labels)
            views.append((title, sentence, data_address(draw(pixels, words, shown, places))))
            told.append(sentence)
        self.page.add(Entry(f1, name, " ".join(told), tuple(views)))

    def finish(self, score: Any) -> None:
        """Writes what holds for the whole."""
        kind = "mask" if score.masks is not None else "box"
        columns = ("AP", "AP50", "AP75")
        rows = [
            (name, [f"{100 * scores[key]:.2f}" if scores[key] >= 0 else "-" for key in columns])
            for name, scores in score.per_class.items()
        ]
        write_classes(self.paths["classes.csv"], [f"{kind} {name} in %" for name in columns], rows)
        scores = {**detector_scores(score), "pictures": score.images}
        with replacing(self.paths["scores.json"]) as temporary:
            temporary.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        table = class_table([f"{kind} {name}, %" for name in columns], rows, self.labels)
        whole = score.boxes if score.masks is None else score.masks
        summary = f"{kind} AP {100 * whole['AP']:.2f} %, {kind} AP50 {100 * whole['AP50']:.2f} %; "
        self.page.write(table, f"{summary}{score.images} pictures, {score.objects} objects")


def describe(title: str, words: Sequence[str], classes: Sequence[int], labels: LabelSet) -> str:
    """What became of the objects or of the detections, as ``Detections: 2 found (2 cat), 1 false (1 dog)``."""
    parts = []
    for word in COLORS:
        names = Counter(labels.names[number] for number, what in zip(classes, words, strict=True) if what == word)
        if names:
            listed = ", ".join(f"{count} {name}" for name, count in names.items())
            parts.append(f"{sum(names.values())} {word} ({listed})")
    return f"{title.capitalize()}: {', '.join(parts) or 'none'}."


def draw(pixels: np.ndarray, words: Sequence[str], shown: Mapping[str, Any], places: Sequence[int]) -> np.ndarray:
    """Boxes, and masks if there are any, over a gray picture.

    Args:
        pixels: H x W x 3 uint8.
        words: N keys of `COLORS`, one for each box drawn.
        shown: ``boxes`` XYXY, and maybe ``masks``.
        places: N rows of ``shown``.
    """
    canvas = np.repeat(pixels.mean(axis=2, keepdims=True) / 2 + 96, 3, axis=2)
    for word, place in zip(words, places, strict=True):
        if "masks" in shown:
            mask = np.asarray(shown["masks"][place]) > 0
            canvas[mask] = 0.5 * canvas[mask] + 0.5 * np.array(COLORS[word])
    image = Image.fromarray(canvas.astype(np.uint8))
    pen, width = ImageDraw.Draw(image), max(1, round(max(image.size) / 240))
    for word, place in zip(words, places, strict=True):
        x0, y0, x1, y1 = (round(side) for side in shown["boxes"][place].tolist())
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=COLORS[word], width=width)
    return np.asarray(image)
