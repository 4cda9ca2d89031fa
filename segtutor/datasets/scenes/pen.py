"""A pen that draws one object, in meters, on a small oversampled sheet, and hands back its color and its coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]
Color = tuple[int, int, int]

CIRCLE = [(math.cos(k * math.pi / 12), math.sin(k * math.pi / 12)) for k in range(24)]


def shade(color: Color, factor: float) -> Color:
    """The color, darker (factor < 1) or lighter (> 1)."""
    return tuple(max(0, min(255, round(value * factor))) for value in color)  # type: ignore[return-value]


class Pen:
    """Draws polygons, ellipses and strokes; x runs to the right and y upwards from the point where the object stands.

    Args:
        corner: Left and top of the sheet, in pixels of the picture.
        size: Width and height of the sheet, in pixels.
        origin: Where the object stands, in pixels of the picture.
        unit: Pixels per meter.
        mirror: Whether the object looks to the left.
        tilt: Turns the object around its origin, radians, counterclockwise.
        oversample: The sheet is this many times finer than the picture, in both directions.
    """

    def __init__(
        self,
        corner: tuple[int, int],
        size: tuple[int, int],
        origin: Point,
        unit: float,
        mirror: bool = False,
        tilt: float = 0.0,
        oversample: int = 4,
    ) -> None:
        # Four plain bytes per pixel. Pillow would undo the coverage in RGBA; in CMYK it leaves the numbers alone, and
        # shrinking the sheet then yields color already multiplied by coverage.
        self.sheet = Image.new("CMYK", (size[0] * oversample, size[1] * oversample), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.sheet)
        self.oversample = oversample
        self.unit = unit * oversample
        self.x = (origin[0] - corner[0]) * oversample
        self.y = (origin[1] - corner[1]) * oversample
        self.detail = unit  # pixels per meter: a figure leaves out what could not be seen
        self.sign = -1.0 if mirror else 1.0
        self.cosine, self.sine = math.cos(tilt), math.sin(tilt)

    def _place(self, points: Sequence[Point]) -> list[Point]:
        across = self.sign * self.unit * self.cosine, -self.sign * self.unit * self.sine
        down = -self.unit * self.sine, -self.unit * self.cosine
        return [(self.x + px * across[0] + py * across[1], self.y + px * down[0] + py * down[1]) for px, py in points]

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """A filled polygon."""
        self.draw.polygon(self._place(points), fill=(*color, 255))

    def rectangle(self, left: float, bottom: float, right: float, top: float, color: Color) -> None:
        """An upright rectangle."""
        self.polygon([(left, bottom), (right, bottom), (right, top), (left, top)], color)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color, angle: float = 0.0) -> None:
        """A filled ellipse, turned by ``angle`` radians."""
        if not angle and not self.sine:
            (left, top), (right, bottom) = self._place([(x - self.sign * rx, y + ry), (x + self.sign * rx, y - ry)])
            self.draw.ellipse((left, top, right, bottom), fill=(*color, 255))
            return
        c, s = math.cos(angle), math.sin(angle)
        self.polygon([(x + c * rx * u - s * ry * v, y + s * rx * u + c * ry * v) for u, v in CIRCLE], color)

    def stroke(self, points: Sequence[Point], width: float, color: Color) -> None:
        """A line with round ends; never thinner than one pixel, so that far thin things stay in the picture."""
        pixels = max(width * self.unit, 1.1 * self.oversample)
        placed = self._place(points)
        self.draw.line(placed, fill=(*color, 255), width=max(1, round(pixels)), joint="curve" if pixels > 5 else None)
        if pixels >= 4:
            radius = pixels / 2 - 0.5
            for x, y in (placed[0], placed[-1]):
                self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 255))

    def ring(self, x: float, y: float, radius: float, width: float, color: Color) -> None:
        """A circle's outline."""
        if not self.sine:
            ((cx, cy),) = self._place([(x, y)])
            line = max(width * self.unit, 1.1 * self.oversample)
            outer = radius * self.unit + line / 2
            self.draw.ellipse(
                (cx - outer, cy - outer, cx + outer, cy + outer), outline=(*color, 255), width=round(line)
            )
            return
        self.stroke([(x + radius * u, y + radius * v) for u, v in [*CIRCLE, CIRCLE[0]]], width, color)

    def finish(self, blur: int) -> tuple[np.ndarray, int, int]:
        """What was drawn, cropped to it.

        Returns:
            h x w x 5 float32: color times coverage (0...255), coverage, and coverage smoothed by ``blur`` pixels
            (both 0...1); and the left and top of the crop, in pixels of the sheet.
        """
        sheet = self.sheet.reduce(self.oversample)
        coverage = sheet.getchannel("K")
        box = coverage.getbbox()
        if box is None:
            return np.zeros((0, 0, 5), dtype=np.float32), 0, 0
        soft = coverage.filter(ImageFilter.BoxBlur(blur)).crop(box)
        pixels = np.empty((box[3] - box[1], box[2] - box[0], 5), dtype=np.float32)
        pixels[..., :4] = np.asarray(sheet.crop(box))
        pixels[..., 4] = np.asarray(soft)
        pixels[..., 3:] *= np.float32(1 / 255)
        return pixels, box[0], box[1]
