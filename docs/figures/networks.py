"""Draws docs/figures/networks.jpg: one drawn scene and one photograph, as the networks of the course see them.

    python docs/figures/networks.py

The scene is shown to five networks. Three of them come trained with the course. PSPNet is trained here as FCN-8s was
(400 steps on 2,000 scenes, from the course's backbone), EoMT as the course's Mask2Former (3,600 steps on 6,000 scenes),
but from random weights. That takes half an hour once: their weights are kept in build/figures. The photograph, Eileen
Collins by NASA, in the public domain, is shown to the same networks, which know drawings only, but for DeepLab v3: it
has learned from photographs, and is a file of one's own in the cache's folder weights/own, as for lesson 7.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from skimage import data as examples

from segtutor import inference, models
from segtutor.claims.masks import STUFF, USUAL, segments
from segtutor.claims.networks import network
from segtutor.claims.training import train
from segtutor.datasets import Scenes
from segtutor.labels import SCENES, VOC2012, LabelSet
from segtutor.plotting import show_overlay
from segtutor.training import TrainingConfig, fit_panoptic

TARGET = Path(__file__).with_suffix(".jpg")
KEPT = Path(__file__).parents[2] / "build" / "figures"
WORLD: dict[str, Any] = {"count": 60, "scale_range": 1.5, "crowd": 1.0, "thin": 0.0, "context": 0.0}
NUMBER = 35
SHOWN, LIMIT = (480, 600), 400_000
"""Pixels of the scene as we see it; bytes of the file."""
LOW = 0.9
"""Part of the height that we see, for a short README: the scene's sky and the photograph's lower edge are cut off."""
WIDTH, TITLE, GAP = 1660, 34, 10
"""Pixels of the figure, of the line above each part, and between the parts."""
SURE = {"Mask R-CNN": 0.7, "EoMT": 0.8}
"""Least score of what is drawn."""
NAMED = 0.015
"""Part of the picture that a thing must fill to be named."""
COLORS = {"person": (0, 114, 178), "bottle": (230, 159, 0)}


@dataclass(frozen=True)
class Panel:
    """A part of the figure: its title, and how it is drawn."""

    title: str
    draw: Any


def scene(size: tuple[int, int]) -> np.ndarray:
    """The same scene at any size; each network gets it as large as the pictures from which it has learned."""
    return np.asarray(Scenes("val", size=size, **WORLD).scene(NUMBER).image)


def pspnet() -> Any:
    """PSPNet with the budget and the start of FCN-8s."""
    recipe = replace(network("PSPNet"), start="backbone").recipe()
    return kept("pspnet_tiny", {}, lambda: train(replace(recipe, precision="float32"), seed=0)[0])


def eomt() -> Any:
    """EoMT with the budget of the course's Mask2Former."""
    options: dict[str, Any] = {"queries": 32}

    def trained() -> Any:
        torch.manual_seed(0)
        model = models.create("eomt_tiny", num_classes=len(SCENES), **options)
        config = TrainingConfig(
            steps=3600, batch_size=8, learning_rate=1e-3, optimizer="adamw", weight_decay=0.01, head_factor=1.0,
            warmup_steps=100, gradient_clip=1.0, precision="bfloat16", measure_precision=False, seed=0, device="cpu",
        )  # fmt: skip
        fit_panoptic(model, segments("train", 6000, USUAL), None, config)
        return model

    return kept("eomt_tiny", options, trained)


def kept(name: str, options: dict[str, Any], trained: Callable[[], Any]) -> Any:
    """A network that is trained once."""
    path = KEPT / f"{name}.safetensors"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        models.save_weights(trained(), path, labels=SCENES.names)
    return models.create(name, num_classes=len(SCENES), weights=path, **options).eval()


def enlarged(labels: np.ndarray, size: tuple[int, ...] = SHOWN) -> np.ndarray:
    """A label map or mask at the size that we see."""
    rows, columns = (np.arange(s) * labels.shape[k] // s for k, s in enumerate(size))
    return labels[rows][:, columns]


def labels_of(model: Any, size: tuple[int, int]) -> np.ndarray:
    """The label map of a semantic network for the scene at this size."""
    return enlarged(inference.predict(model, scene(size)).numpy())


def semantic(model: Any, size: tuple[int, int]) -> Any:
    """Draws the label map over the scene."""
    labels = labels_of(model, size)
    return lambda ax: show_overlay(scene(SHOWN), labels, SCENES, ax=ax, alpha=0.72, legend=False)


def objects(model: Any, size: tuple[int, int]) -> Any:
    """Draws what a detector finds over the scene."""
    found = inference.detect(model, scene(size), score_threshold=SURE["Mask R-CNN"])
    masks = np.stack([enlarged(mask) for mask in found["masks"].numpy()])
    names = [SCENES.names[label] for label in found["labels"].tolist()]
    return lambda ax: outlined(ax, scene(SHOWN), masks, names, SCENES)


def panoptic(model: Any, size: tuple[int, int]) -> Any:
    """Draws the panoptic map: the colors of the classes, with a white line around every thing."""
    found, listed = inference.find_masks(model, scene(size), SHOWN).panoptic(STUFF, SURE["EoMT"])
    numbers = found.numpy()
    labels = np.zeros(SHOWN, dtype=int)  # what no segment has stays as it is in the picture
    for one in listed:
        labels[numbers == one.id] = one.label

    def draw(ax: Any) -> None:
        show_overlay(scene(SHOWN), labels, SCENES, ax=ax, alpha=0.72, legend=False, untinted=[0])
        for one in listed:
            if one.label not in STUFF:
                ax.contour(numbers == one.id, levels=[0.5], colors="white", linewidths=1.6)

    return draw


def outlined(ax: Any, picture: np.ndarray, masks: np.ndarray, names: list[str], labels: LabelSet) -> None:
    """Draws things over a picture: each in the color of its class, with a white line around it and its name."""
    drawn = np.zeros(picture.shape[:2], dtype=int)
    for mask, name in zip(masks, names, strict=True):
        drawn[mask] = labels.names.index(name)
    show_overlay(picture, drawn, labels, ax=ax, alpha=0.72, legend=False, untinted=[0])
    for mask, name in zip(masks, names, strict=True):
        ax.contour(mask, levels=[0.5], colors="white", linewidths=1.6)
        if mask.mean() > NAMED:
            row, column = ndimage.center_of_mass(mask)
            word(ax, column, row, name)


def photograph() -> np.ndarray:
    """The portrait, cut to the shape of the scene."""
    return np.asarray(examples.astronaut())[: 512 * SHOWN[0] // SHOWN[1]]


def small(size: tuple[int, int]) -> np.ndarray:
    """The photograph, as small as the drawings from which a network has learned."""
    return np.asarray(Image.fromarray(photograph()).resize(size[::-1], Image.Resampling.LANCZOS))


def of_drawings(labels: np.ndarray) -> Any:
    """Draws what a network that knows drawings only takes the photograph for."""
    labels = enlarged(labels, photograph().shape[:2])
    return lambda ax: show_overlay(photograph(), labels, SCENES, ax=ax, alpha=0.72, legend=False)


def objects_of_drawings(model: Any, learned: tuple[int, int]) -> Any:
    """Draws what a detector that knows drawings only finds in the photograph."""
    found = inference.detect(model, small(learned), score_threshold=SURE["Mask R-CNN"])
    size = photograph().shape[:2]
    masks = np.array([enlarged(mask, size) for mask in found["masks"].numpy()]).reshape(-1, *size)
    names = [SCENES.names[label] for label in found["labels"].tolist()]
    return lambda ax: outlined(ax, photograph(), masks, names, SCENES)


def word(ax: Any, column: float, row: float, text: str) -> None:
    """Writes on the photograph."""
    style = {"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 2}
    ax.text(column, row, text, ha="center", va="center", fontsize=15, bbox=style)


def named() -> Any:
    """Draws the classes that the network for photographs finds over the portrait, with their names."""
    choice = models.for_photographs(agree=lambda _: False)
    if choice.gives != "classes":
        raise SystemExit("no network for photographs with classes is there: lesson 7 says where such a file belongs")
    picture = photograph()
    found = inference.predict(models.create(choice.network, weights=choice.weights).eval(), picture).numpy()
    look = replace(VOC2012, colors=tuple(COLORS.get(name, (213, 94, 0)) for name in VOC2012.names))

    def draw(ax: Any) -> None:
        show_overlay(picture, found, look, ax=ax, alpha=0.55, legend=False, untinted=[0])
        for number in np.unique(found)[1:]:
            regions, count = ndimage.label(found == number)
            if count:
                ax.contour(found == number, levels=[0.5], colors="white", linewidths=1.6)
                row, column = ndimage.center_of_mass(regions == 1 + np.argmax(np.bincount(regions.ravel())[1:]))
                word(ax, column, row, VOC2012.names[number])

    return draw


def panels() -> tuple[list[Panel], list[Panel]]:
    """The parts of both rows."""
    fcn, deeplab, detector = (
        models.create(f"{name}_tiny", weights="course").eval() for name in ("fcn8s", "deeplabv3", "maskrcnn")
    )
    psp, newest = pspnet(), eomt()
    drawn = [
        Panel("a drawn scene", lambda ax: ax.imshow(scene(SHOWN))),
        Panel("FCN-8s, 2015", semantic(fcn, (96, 120))),
        Panel("PSPNet, 2017", semantic(psp, (96, 120))),
        Panel("DeepLab v3, 2017", semantic(deeplab, (128, 160))),
        Panel("Mask R-CNN, 2017", objects(detector, (192, 240))),
        Panel("EoMT, 2025", panoptic(newest, (96, 128))),
    ]
    taken = [
        Panel("a photograph", lambda ax: ax.imshow(photograph())),
        Panel("trained on drawings", of_drawings(inference.predict(fcn, small((96, 120))).numpy())),
        Panel("trained on drawings", of_drawings(inference.predict(psp, small((96, 120))).numpy())),
        Panel("… on photographs", named()),
        Panel("trained on drawings", objects_of_drawings(detector, (192, 240))),
        Panel("trained on drawings", of_drawings(inference.find_masks(newest, small((96, 128))).semantic().numpy())),
    ]
    return drawn, taken


def main() -> None:
    """Draw, then choose the quality that keeps the file small."""
    rows = panels()
    width = (WIDTH - GAP * (len(rows[0]) - 1)) / len(rows[0])
    height = LOW * width * SHOWN[0] / SHOWN[1]  # the photograph has the same shape
    rest = (1 - LOW) * SHOWN[0], 0.0
    total = len(rows) * (height + TITLE)
    figure = plt.figure(figsize=(WIDTH / 100, total / 100), dpi=100)
    top = total
    for row, begin in zip(rows, rest, strict=True):
        top -= TITLE + height
        for number, panel in enumerate(row):
            left = number * (width + GAP)
            axes = figure.add_axes((left / WIDTH, top / total, width / WIDTH, height / total))
            panel.draw(axes)
            bottom = axes.get_ylim()[0]
            axes.set_ylim(bottom if begin else LOW * bottom, begin - 0.5)
            axes.set_title(panel.title, fontsize=18, loc="left", pad=5)
            axes.set_axis_off()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = Image.open(buffer).convert("RGB")
    for quality in range(92, 50, -4):
        packed = io.BytesIO()
        picture.save(packed, format="jpeg", quality=quality, optimize=True)
        if packed.tell() <= LIMIT:
            break
    scratch = TARGET.with_suffix(".tmp")
    scratch.write_bytes(packed.getvalue())
    os.replace(scratch, TARGET)
    print(f"{TARGET.name}: {packed.tell() / 1000:.0f} kB, quality {quality}")


if __name__ == "__main__":
    main()
