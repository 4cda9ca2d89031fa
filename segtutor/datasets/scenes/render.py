"""From a layout to pixels: paints far to near, lights every object, casts shadows, then adds what a camera adds."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from segtutor.datasets.scenes.canvas import Canvas
from segtutor.datasets.scenes.layout import LABEL, Layout, Look, Placed
from segtutor.datasets.scenes.noise import TILE, tile
from segtutor.datasets.scenes.pen import Pen
from segtutor.datasets.scenes.standing import FIGURES
from segtutor.datasets.scenes.surfaces import paint_sky, paint_surface, vector

GROUND_LABELS = np.isin(
    np.arange(256), [LABEL[name] for name in ("road", "pavement", "grass", "sand", "water")]
)  # where a shadow can fall


class Sprite:
    """One object, drawn and lit: a patch of the picture at ``top``, ``left``, color times coverage, and coverage."""

    def __init__(self, canvas: Canvas, look: Look, placed: Placed) -> None:
        figure = FIGURES[placed.figure]
        h = canvas.height
        unit = placed.unit * h
        left, right, bottom, top = figure.left, figure.right, figure.bottom, figure.top
        if placed.figure == "building":
            left, right, top = -placed.reach[0] / 2 - 0.3, placed.reach[0] / 2 + 0.3, placed.reach[1] + 1.0
        if placed.figure == "leash":
            right = placed.reach[0] + 0.1
        if placed.mirror:
            left, right = -right, -left
        swell = abs(math.sin(placed.tilt)) * max(right - left, top - bottom) / 2
        x0 = max(-2, math.floor(placed.x * h + (left - swell) * unit) - 1)
        x1 = min(canvas.width + 2, math.ceil(placed.x * h + (right + swell) * unit) + 1)
        y0 = max(-2, math.floor(placed.y * h - (top + swell) * unit) - 1)
        y1 = min(h + 2, math.ceil(placed.y * h - (bottom - swell) * unit) + 1)
        self.visible = x1 > 0 and y1 > 0 and x0 < canvas.width and y0 < h and x1 - x0 > 0 and y1 - y0 > 0
        if not self.visible:
            return
        oversample = 4 if (x1 - x0) * (y1 - y0) < 1500 else 3 if (x1 - x0) * (y1 - y0) < 8000 else 2
        pen = Pen(
            (x0, y0), (x1 - x0, y1 - y0), (placed.x * h, placed.y * h), unit, placed.mirror, placed.tilt, oversample
        )
        figure.draw(pen, Random(placed.seed), placed)
        radius = max(1, min(int((0.2 if figure.ragged else 0.09) * unit), min(x1 - x0, y1 - y0) // 3, 48))
        pixels, left_blank, top_blank = pen.finish(radius)
        x0, y0 = x0 + left_blank, y0 + top_blank
        x1, y1 = x0 + pixels.shape[1], y0 + pixels.shape[0]
        self.visible = x1 > max(x0, 0) and y1 > max(y0, 0) and x0 < canvas.width and y0 < h
        if not self.visible:
            return
        color, alpha, soft = pixels[..., :3], pixels[..., 3], pixels[..., 4]
        light = relief(soft, look, radius)
        if figure.grain:
            # Texture sticks to the object, in its own meters, so that it is the same at every size.
            step = 80 / unit
            u = ((np.arange(x0, x1) - placed.x * h) * step + placed.seed % 509 + 2**16).astype(np.int32) & (TILE - 1)
            v = ((np.arange(y0, y1) - placed.y * h) * step + placed.seed % 503 + 2**16).astype(np.int32) & (TILE - 1)
            texture = tile(1.1)[v[:, None], u[None]]
            light += figure.grain * min(1.0, unit / 10) * texture
            if figure.ragged and unit > 2:
                edge = np.clip(2.2 * (1 - soft), 0, 1)  # leaves let the background through near the outline only
                keep = np.clip(1 + figure.ragged * (2.0 * texture - 0.6) * edge, 0, 1)
                color *= keep[..., None]
                alpha = alpha * keep
        distance = 1 / max(placed.unit, 1e-3)
        haze = min(1 - math.exp(-0.4 * look.haze * distance), 0.7)
        light *= 1 - haze
        color *= light[..., None]
        if haze > 0.02:
            color += alpha[..., None] * (vector(*look.skyline) * np.float32(haze))
        # The sheet reaches beyond the picture so that light at its edge is right; what lies outside is cut off here.
        a, b = max(0, -y0), max(0, -x0)
        c, d = min(y1, h) - y0, min(x1, canvas.width) - x0
        self.top, self.left = y0 + a, x0 + b
        self.color, self.alpha = color[a:c, b:d], alpha[a:c, b:d]


def relief(soft: np.ndarray, look: Look, radius: int) -> np.ndarray:
    """Light on a rounded body: the side that looks to the sun, and the top, are brighter."""
    light = np.empty(soft.shape, dtype=np.float32)
    light[:] = np.linspace(1.05, 0.92, soft.shape[0], dtype=np.float32)[:, None]
    if min(soft.shape) < 5:
        return light
    sideways = (0.17 + 0.30 * look.sun) * look.light * radius
    light[:, 1:-1] += sideways * (soft[:, :-2] - soft[:, 2:])
    light[1:-1] += (0.28 * radius) * (soft[2:] - soft[:-2])
    return light


def cast_shadow(canvas: Canvas, look: Look, placed: Placed, sprite: Sprite) -> None:
    """The outline, flattened onto the ground and pushed away from the sun; on water, its mirror image."""
    h = canvas.height
    foot = min(round(placed.y * h) - sprite.top, sprite.alpha.shape[0])
    if foot < 6:
        return
    alpha = sprite.alpha[:foot][::-1]
    reflecting = placed.shadow == "reflect"
    flatten = 0.7 if reflecting else 0.22
    length = max(2, int(foot * flatten))
    source = np.minimum((np.arange(length) / flatten).astype(np.int32), foot - 1)
    shear = 0.0 if reflecting else -look.light * 1.1
    reach = math.ceil(abs(shear) * foot) + 1 if shear else 0
    width = alpha.shape[1]
    first = sprite.top + foot - max(1, round(0.012 * placed.unit * h))
    left = max(0, sprite.left - reach)
    right = min(canvas.width, sprite.left + width + reach)
    rows = np.arange(length)
    keep = (first + rows < h) & (first + rows >= 0)
    rows, source = rows[keep], source[keep]
    if not len(rows):
        return
    column = np.arange(left, right)[None] - sprite.left - np.round(shear * source)[:, None].astype(np.int32)
    inside = (column >= 0) & (column < width)
    shade = alpha[source[:, None], np.clip(column, 0, width - 1)] * inside
    target = slice(first + rows[0], first + rows[-1] + 1), slice(left, right)
    shade *= GROUND_LABELS[canvas.labels[target]]
    if reflecting:
        flipped = sprite.color[:foot][::-1][source[:, None], np.clip(column, 0, width - 1)]
        fade = (0.55 * np.linspace(1, 0.3, len(rows), dtype=np.float32))[:, None]
        canvas.color[target] += fade[..., None] * inside[..., None] * (
            flipped * 0.8 - canvas.color[target] * shade[..., None]
        ) * (shade > 0)[..., None]  # fmt: skip
    else:
        dark = (0.18 + 0.34 * look.sun) * np.linspace(1, 0.6, len(rows), dtype=np.float32)[:, None]
        tint = vector(1.0, 0.96, 0.86)  # the sky still lights a shadow, so it is bluish
        canvas.color[target] *= 1 - (shade * dark)[..., None] * tint


def develop(canvas: Canvas, look: Look) -> np.ndarray:
    """What the camera adds: light color, a little blur, vignette, noise; H x W x 3 uint8."""
    color = canvas.color
    blurred = color.copy()
    blurred[1:-1] += 0.10 * (color[:-2] + color[2:] - 2 * color[1:-1])
    blurred[:, 1:-1] += 0.10 * (color[:, :-2] + color[:, 2:] - 2 * color[:, 1:-1])
    aspect = canvas.width / canvas.height
    distance = ((canvas.x - aspect / 2) ** 2)[None] + ((canvas.y - 0.5) ** 2)[:, None]
    blurred *= (1.03 - 0.14 * distance / (0.25 + aspect**2 / 4))[..., None] * vector(*look.gain)
    count, grain = color.size, tile(0.0).ravel()
    start = look.seed % max(1, grain.size - count)
    noise = (grain[start : start + count] if count <= grain.size else np.resize(grain, count)).reshape(color.shape)
    return np.clip(blurred + look.noise * noise + 0.5, 0, 255).astype(np.uint8)


def render(layout: Layout, height: int, width: int) -> tuple[np.ndarray, Canvas]:
    """The picture, H x W x 3 uint8, and the canvas with everything known about its pixels."""
    canvas = Canvas(height, width)
    paint_sky(canvas, layout.frame, layout.look)
    for layer in layout.layers:
        for surface in layer.surfaces:
            paint_surface(canvas, layout.frame, layout.look, surface)
        sprites = [(placed, Sprite(canvas, layout.look, placed)) for placed in layer.objects]
        sprites = [(placed, sprite) for placed, sprite in sprites if sprite.visible]
        for placed, sprite in sprites:
            if placed.shadow != "none":
                cast_shadow(canvas, layout.look, placed, sprite)
        for placed, sprite in sprites:
            canvas.cover(
                sprite.top, sprite.left, sprite.color, sprite.alpha, placed.label, placed.instance, placed.thin
            )  # fmt: skip
    return develop(canvas, layout.look), canvas
