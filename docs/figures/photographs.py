"""Draws docs/figures/photographs.jpg: the six labeled photographs of the course, each above its label map.

python docs/figures/photographs.py
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from segtutor.datasets import Photographs
from segtutor.plotting import colorize

TARGET = Path(__file__).with_suffix(".jpg")
WIDTH, GAP = 1740, 12
"""Pixels of the figure, twice those of the page's column, and between its parts."""


def main() -> None:
    """Draw; all photographs of a row are as high as each other."""
    dataset = Photographs()
    pairs = [(image.permute(1, 2, 0).numpy(), colorize(target, dataset.labels)) for image, target in dataset]
    shapes = [picture.shape[1] / picture.shape[0] for picture, _ in pairs]
    height = (WIDTH - GAP * (len(pairs) - 1)) / sum(shapes)
    total = 2 * height + GAP
    figure = plt.figure(figsize=(WIDTH / 100, total / 100), dpi=100)
    left = 0.0
    for pair, shape in zip(pairs, shapes, strict=True):
        for row, picture in enumerate(pair):
            bottom = (1 - row) * (height + GAP)
            axes = figure.add_axes((left / WIDTH, bottom / total, shape * height / WIDTH, height / total))
            axes.imshow(np.asarray(picture), interpolation="nearest" if row else None, aspect="auto")
            axes.set_axis_off()
        left += shape * height + GAP
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    scratch = TARGET.with_suffix(".tmp")
    Image.open(buffer).convert("RGB").save(scratch, format="jpeg", quality=88, optimize=True)
    os.replace(scratch, TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
