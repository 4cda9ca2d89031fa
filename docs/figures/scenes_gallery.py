"""Draws docs/figures/scenes_gallery.jpg: pictures of the Scenes data set, two of them with their annotation.

python docs/figures/scenes_gallery.py
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image

from segtutor.datasets import Scenes
from segtutor.plotting import show_instances, show_overlay

TARGET = Path(__file__).with_suffix(".jpg")
PICTURES = (16, 53, 42, 10, 5, 28, 57, 59)  # of the val split: every kind of scene, all that is typical
LIMIT = 400_000


def main() -> None:
    """Draw, then choose the quality that keeps the file small."""
    dataset = Scenes("val", size=(256, 320), count=64)
    figure, grid = plt.subplots(
        3, 4, figsize=(12.8, 7.9), dpi=135
    )  # 1,728 pixels: twice the width of the page's column
    for axes, index in zip(grid[:2].flat, PICTURES, strict=True):
        axes.imshow(dataset.scene(index).image)
        axes.set_axis_off()
    for column, index in enumerate(PICTURES[:2]):
        scene = dataset.scene(index)
        show_overlay(scene.image, scene.labels, dataset.labels, ax=grid[2, 2 * column], alpha=0.75, legend=False)
        show_instances(
            scene.image,
            dataset.labels,
            masks=[item.mask for item in scene.instances],
            boxes=[item.box for item in scene.instances],
            ax=grid[2, 2 * column + 1],
        )
    figure.subplots_adjust(0, 0, 1, 1, 0.012, 0.012)
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
