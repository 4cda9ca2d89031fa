"""What ``segtutor segment`` does with one picture: shown to the network at a suitable size, drawn over, written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segtutor.commands.choice import CUTTERS
from segtutor.commands.detectors import SEMANTIC_VIEWS, is_detector, refuse
from segtutor.commands.options import label_set_for, notes_of, views
from segtutor.commands.pictures import Picture
from segtutor.labels import LabelSet

if TYPE_CHECKING:
    from torch import Tensor, nn

    from segtutor.commands.results import Results

OPAQUE = (".jpg", ".jpeg", ".bmp")  # formats without transparency: the cut-out lies on white there
LEAST_SHARE = 0.001  # classes on fewer pixels are summed up in one line
# Longest side at which a network sees a photograph, unless its weights know what they were trained on. Objects must
# appear about as large as in training.
PUBLISHED_SIDE = 520
COURSE_SIDE = 160
USUAL_SIDE = 1024
DETECTOR_SIDE = 1333
LARGEST_SIDE = 2048  # beyond it, nothing but --size makes a picture larger: the memory


class Work:
    """What is done with each picture."""

    def __init__(
        self, arguments: argparse.Namespace, model: nn.Module, weights: str | Path, out: Results, maps: Results | None
    ) -> None:
        self.arguments, self.model, self.out, self.maps = arguments, model, out, maps
        self.longest = arguments.size or _longest_side(arguments, weights)
        self.labels = None if arguments.model in CUTTERS else label_set_for(model)
        if is_detector(arguments.model):
            refuse(arguments, SEMANTIC_VIEWS)
            self.draw: Any = self._objects
        else:
            self.draw = self._cut_out if arguments.model in CUTTERS else self._classes

    def do(self, picture: Picture) -> None:
        """Segments one picture and writes what comes of it."""
        from segtutor.inference import load_image

        image = load_image(picture.image)
        height, width = image.shape[-2:]
        scale = min(1.0, self.longest / max(height, width))
        text = f"picture  {picture}, {width} x {height} pixels"
        if scale < 1 and self.arguments.model not in CUTTERS:
            text += f"; the network sees it at {round(width * scale)} x {round(height * scale)} (--size says otherwise)"
        print(text)
        self.draw(picture, image, scale)
        sys.stdout.flush()

    def _classes(self, picture: Picture, image: Tensor, scale: float) -> None:
        """An overlay of the classes."""
        from PIL import Image

        from segtutor.commands.drawing import tint_classes
        from segtutor.inference import predict

        assert self.labels is not None
        seen = {**views(self.arguments), "scales": [scale * one for one in self.arguments.scales]}
        labels = predict(self.model, image, **seen).numpy().astype(np.uint8)
        for line in _shares(labels, self.labels):
            print(line)
        self._save(Image.fromarray(tint_classes(_bytes(image), labels, self.labels, self.arguments.opacity)), picture)
        self._save_labels(labels, self.labels.palette.flatten().tolist(), picture)

    def _objects(self, picture: Picture, image: Tensor, scale: float) -> None:
        """The objects with their boxes, names and masks."""
        from segtutor.commands.drawing import draw_instances
        from segtutor.inference import detect
        from segtutor.inference.bands import resize
        from segtutor.labels import voc_colormap

        assert self.labels is not None
        size = (round(image.shape[-2] * scale), round(image.shape[-1] * scale))
        found = detect(self.model, resize(image[None], size)[0].clamp(0, 1), score_threshold=self.arguments.score)
        factors = np.array([image.shape[-1] / size[1], image.shape[-2] / size[0]] * 2)
        boxes = found["boxes"].numpy() * factors
        names = [self.labels.names[number] for number in found["labels"].tolist()]
        scores = found["scores"].tolist()
        width = max(map(len, names), default=0)
        for name, score, box in zip(names, scores, boxes, strict=True):
            x0, y0, x1, y1 = (round(float(side)) for side in box)
            print(f"  {name:{width}}  {score:.2f}  from ({x0}, {y0}) to ({x1}, {y1})")
        if not names:
            print(f"  no object with a score of at least {self.arguments.score:g} (--score asks for less)")
        captions = [f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True)]
        masks = found["masks"].numpy() if "masks" in found else None
        drawing, numbers = draw_instances(_bytes(image), boxes, captions, masks, self.arguments.opacity)
        self._save(drawing, picture)
        if masks is not None:
            palette = voc_colormap(min(256, len(names) + 1)).flatten().tolist()
            self._save_labels(numbers.clip(max=255).astype(np.uint8), palette, picture, " (the objects' numbers)")

    def _cut_out(self, picture: Picture, image: Tensor, scale: float) -> None:
        """What stands out, on a transparent ground; the network always sees the whole picture at one size."""
        from PIL import Image

        from segtutor.inference import salient

        map_ = salient(self.model, image).numpy()  # H x W
        print(f"  stands out  {100 * (map_ > 0.5).mean():5.1f} %")
        named = ("scales", "flip", "window", "size")
        given = [f"--{name}" for name in named if getattr(self.arguments, name) not in ((1.0,), False, None)]
        if given:
            print(f"  {', '.join(given)} left aside: it sees the whole picture once, at 320 x 320")
        alpha = (map_ * 255).round().astype(np.uint8)
        cut_out = Image.fromarray(np.dstack([_bytes(image), alpha]))
        if self.out.file is not None and self.out.file.suffix.lower() in OPAQUE:
            cut_out = Image.alpha_composite(Image.new("RGBA", cut_out.size, "white"), cut_out).convert("RGB")
        self._save(cut_out, picture, "cutout", "cut-out")
        self._save_labels((map_ > 0.5).astype(np.uint8), [0, 0, 0, 255, 255, 255], picture, " (1 where it stands out)")

    def _save(self, drawing: Any, picture: Picture, kind: str = "overlay", called: str = "overlay") -> None:
        from segtutor.commands.results import save

        path = self.out.place(picture, kind)
        save(drawing, path, picture)
        print(f"{called:7}  {path}")

    def _save_labels(self, labels: np.ndarray, palette: list[int], picture: Picture, remark: str = "") -> None:
        """Writes the label map, if it is wanted."""
        from PIL import Image

        from segtutor.commands.results import save

        if self.maps is None:
            return
        label_map = Image.fromarray(labels)
        label_map.putpalette(palette)
        path = self.maps.place(picture, "labels")
        save(label_map, path, picture)
        print(f"labels   {path}{remark}")


def _longest_side(arguments: argparse.Namespace, weights: str | Path) -> float:
    """Longest side at which the network shall see a picture: about as in training."""
    if arguments.window is not None:
        return float("inf")  # windows are for pictures that are not to be shrunk
    if weights == "course":
        return COURSE_SIDE
    if weights == "torchvision":
        return DETECTOR_SIDE if is_detector(arguments.model) else PUBLISHED_SIDE
    trained_on = None if isinstance(weights, str) else notes_of(weights).get("longest_side")
    return min(LARGEST_SIDE, trained_on) if isinstance(trained_on, int) and trained_on > 0 else USUAL_SIDE


def _bytes(image: Tensor) -> np.ndarray:
    """3 x H x W from 0 to 1 as H x W x 3 uint8."""
    return np.asarray((image * 255).round_().byte().permute(1, 2, 0).contiguous())


def _shares(labels: np.ndarray, label_set: LabelSet) -> list[str]:
    counts = np.bincount(labels.ravel(), minlength=len(label_set)) / labels.size
    order = np.argsort(-counts)
    width = max(len(label_set.names[number]) for number in order if counts[number])
    lines = [
        f"  {label_set.names[number]:{width}}  {100 * counts[number]:5.1f} %"
        for number in order
        if counts[number] >= LEAST_SHARE
    ]
    rest = [label_set.names[number] for number in order if 0 < counts[number] < LEAST_SHARE]
    if rest:
        lines.append(f"  less than {100 * LEAST_SHARE:.1f} % each: {', '.join(rest)}")
    return lines
