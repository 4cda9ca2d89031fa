"""What segment draws: classes as a tint, instances as tints with boxes and names.

Pictures are worked on in strips of rows, since one of a telephone has 36 million values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segtutor.labels import LabelSet, voc_colormap

STRIP = 256  # rows


def tint_classes(pixels: np.ndarray, labels: np.ndarray, label_set: LabelSet, opacity: float) -> np.ndarray:
    """The picture in the colors of its classes; background stays as it is, since its black would only darken it.

    Args:
        pixels: H x W x 3 uint8.
        labels: H x W.
        label_set: Of the labels.
        opacity: 0 leaves the picture, 1 only the colors.
    """
    from segtutor.plotting import colorize

    tinted = np.empty_like(pixels)
    background = label_set.names.index("background") if "background" in label_set.names else -1
    for top in range(0, len(pixels), STRIP):
        rows = slice(top, top + STRIP)
        share = opacity * (labels[rows] != background)[..., None]
        blended = pixels[rows] + share * (colorize(labels[rows], label_set).astype(float) - pixels[rows])
        tinted[rows] = blended.round()
    return tinted


def draw_instances(
    pixels: np.ndarray, boxes: np.ndarray, captions: Sequence[str], masks: Any, opacity: float
) -> tuple[Image.Image, np.ndarray]:
    """Objects in a color each, with their boxes and captions; those that come first lie on top.

    Args:
        pixels: H x W x 3 uint8.
        boxes: R x 4 xyxy in pixels.
        captions: R texts.
        masks: R x h x w bool, brought to the picture's size; None draws boxes only.
        opacity: Of the tint.

    Returns:
        The drawing, and H x W uint16: 0, or the number of the object from 1.
    """
    height, width = pixels.shape[:2]
    colors, numbers = voc_colormap(len(boxes) + 1), np.zeros((height, width), dtype=np.uint16)
    for index in reversed(range(len(boxes) if masks is not None else 0)):
        mask = Image.fromarray(np.asarray(masks[index])).resize((width, height), Image.Resampling.NEAREST)
        numbers[np.asarray(mask)] = index + 1
    drawn = np.empty_like(pixels)
    for top in range(0, height, STRIP):
        rows = slice(top, top + STRIP)
        share = opacity * (numbers[rows] > 0)[..., None]
        drawn[rows] = (pixels[rows] + share * (colors[numbers[rows]].astype(float) - pixels[rows])).round()
    picture = Image.fromarray(drawn)
    pen, line = ImageDraw.Draw(picture), max(1, round(max(height, width) / 500))
    font = ImageFont.load_default(max(10, round(max(height, width) / 60)))
    for index in reversed(range(len(boxes))):
        color = tuple(int(part) for part in colors[index + 1])
        x0, y0, x1, y1 = (float(value) for value in boxes[index])
        pen.rectangle((x0, y0, x1, y1), outline=color, width=line)
        _, _, right, bottom = pen.textbbox((0, 0), captions[index], font=font)
        x, y = min(max(0.0, x0), max(0.0, width - right)), max(0.0, y0 - (bottom + 2 * line))
        pen.rectangle((x, y, x + right + 2 * line, y + bottom + 2 * line), fill=color)
        dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140
        pen.text((x + line, y + line), captions[index], fill="white" if dark else "black", font=font)
    return picture, numbers
