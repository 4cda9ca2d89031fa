"""Sky, mountains, water and the kinds of ground: everything that reaches across the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segtutor.datasets.scenes.canvas import Canvas
from segtutor.datasets.scenes.layout import LABEL, Frame, Look, Surface
from segtutor.datasets.scenes.noise import profile, sample


def vector(*color: float) -> np.ndarray:
    """A color as float32."""
    return np.asarray(color, dtype=np.float32)


def paint_sky(canvas: Canvas, frame: Frame, look: Look) -> None:
    """A gradient from the zenith to the skyline, and clouds that crowd together towards the horizon."""
    rows = min(canvas.height, int((frame.horizon + 0.06) * canvas.height) + 2)
    y = canvas.y[:rows]
    height = np.clip((frame.horizon - y) / frame.horizon, 0, 1)[:, None, None]
    color = vector(*look.skyline) + (vector(*look.zenith) - vector(*look.skyline)) * np.sqrt(height)
    depth = 0.10 / (np.maximum(frame.horizon - y, 0) + 0.12)
    shift = look.seed % 977 / 977
    u = (canvas.x[None] - frame.aspect / 2) * depth[:, None] * 0.55 + shift + 1
    density = sample(1.7, u, (depth * 1.1 + shift * 3)[:, None])
    density += 0.35 * sample(1.2, u * 3.1, (depth * 3.5)[:, None])
    alpha = np.clip((density - look.clouds) * 0.9, 0, 0.92) * np.clip(height[..., 0] * 6, 0.25, 1)
    lit = np.clip(1.0 - 0.12 * (density - look.clouds), 0.68, 1.0)[..., None]
    cloud = (vector(*look.skyline) * 0.25 + vector(252, 250, 248) * 0.75) * lit
    canvas.color[:rows] = color + alpha[..., None] * (cloud - color)
    canvas.color[rows:] = vector(*look.skyline)
    canvas.labels[:] = LABEL["sky"]


class Ground:
    """A strip of rows seen as ground: per row the distance, per pixel the texture coordinates."""

    def __init__(self, canvas: Canvas, frame: Frame, surface: Surface, rows: slice) -> None:
        self.y, self.x = canvas.y[rows], canvas.x
        self.depth = 1.0 / np.maximum(self.y - frame.horizon, 0.006)  # 1 is a picture's height below the horizon
        self.across = (self.x[None] - frame.aspect / 2) * self.depth[:, None]
        self.sharp = np.clip(4.5 / self.depth, 0.12, 1.0)[:, None]  # far texture averages out
        self.offset = surface.seed % 1009 / 1009

    def noise(self, roughness: float, u: float, v: float) -> np.ndarray:
        """Texture with ``u`` tiles per unit across and ``v`` tiles per unit of distance."""
        return sample(roughness, self.across * u + (self.offset + 8), (self.depth * v + self.offset)[:, None])


def grass(ground: Ground, surface: Surface) -> np.ndarray:
    """Greens in patches, blades, dry spots and a few flowers."""
    dry = 0.5 + 0.5 * np.sin(surface.seed % 100)
    base = vector(98, 136, 62) * (1 - dry) + vector(132, 144, 76) * dry
    patches, blades = ground.noise(1.3, 0.05, 0.06), ground.noise(0.5, 0.23, 0.11)
    value = 1 + 0.09 * patches + 0.13 * blades * ground.sharp
    color = value[..., None] * base
    color[..., 0] += 9 * patches
    if surface.seed % 3 == 0:
        flowers = (blades > 2.5) & (patches > 0.2) & (ground.sharp > 0.3)
        color[flowers] = ((236, 226, 120), (240, 236, 240), (214, 110, 150))[surface.seed % 7 % 3]
    return color


def sand(ground: Ground, surface: Surface) -> np.ndarray:
    """Ripples, footprints, a dark wet band along the water."""
    base = vector(222, 198, 150) if surface.seed % 2 else vector(206, 180, 138)
    value = 1 + 0.05 * ground.noise(1.2, 0.04, 0.15) + 0.06 * ground.noise(0.6, 0.2, 0.2) * ground.sharp
    wet = 1 - 0.22 * np.clip(1 - (ground.y - surface.top) / 0.05, 0, 1)[:, None] if surface.relief > 0.025 else 1.0
    return (value * wet)[..., None] * base


def pavement(ground: Ground, surface: Surface) -> np.ndarray:
    """Flagstones with dark joints and stains."""
    base = (vector(176, 170, 162), vector(190, 176, 158), vector(150, 150, 152))[surface.seed % 3]
    size = 0.30 + 0.25 * ground.offset
    row = ground.depth / (size * 0.75)
    stone_row = np.floor(row).astype(np.int32)
    column = ground.across / size + (stone_row % 2 * 0.5)[:, None] + 64
    stone = np.floor(column).astype(np.int32)
    tone = ((stone * 7919 + (stone_row * 104729)[:, None]) % 13) / 12 - 0.5
    joint = np.minimum((column - stone), (row - stone_row)[:, None] * 1.6) < 0.07
    fade = np.clip(ground.sharp * 1.5 - 0.35, 0, 1)
    stains = ground.noise(1.2, 0.06, 0.06)
    value = 1 + 0.05 * stains + 0.06 * ground.noise(0.4, 0.3, 0.3) * ground.sharp + fade * (0.10 * tone - 0.24 * joint)
    return value[..., None] * base


def road(ground: Ground, surface: Surface) -> np.ndarray:
    """Asphalt with wear, a dashed line along the middle and a kerb line."""
    base = vector(92, 92, 96) if surface.seed % 2 else vector(112, 108, 106)
    value = 1 + 0.06 * ground.noise(1.2, 0.05, 0.09) + 0.08 * ground.noise(0.2, 0.4, 0.4) * ground.sharp
    color = value[..., None] * base
    middle = surface.top + 0.10 + 0.05 * ground.offset
    y = ground.y[:, None]
    line = np.clip(1.5 - np.abs(y - middle) / 0.006, 0, 1) * ((ground.across + 40) % 0.9 < 0.5)
    line = np.maximum(line, np.clip(1.4 - np.abs(y - surface.top - 0.012) / 0.004, 0, 1))
    return color + (line * 0.8)[..., None] * (vector(224, 222, 210) - color)


def water(ground: Ground, surface: Surface, canvas: Canvas, frame: Frame, look: Look, rows: slice) -> np.ndarray:
    """The mirror image of what lies beyond, broken by waves; the body's own color nearby; glitter under the sun."""
    waves = ground.noise(0.9, 0.035, 0.28) * (0.35 + 0.65 * ground.sharp) + 0.5 * ground.noise(1.3, 0.01, 0.08)
    h = canvas.height
    near = np.clip((ground.y - surface.top) / 0.5, 0, 1)[:, None]
    mirrored = (2 * surface.top - ground.y[:, None] + 0.02 * waves * (0.4 + near)) * h
    source = np.clip(mirrored, 0, max(int(surface.top * h) - 1, 0)).astype(np.int32)
    sideways = np.arange(canvas.width)[None] + (0.008 * h * waves).astype(np.int32)
    mirror = canvas.color[source, np.clip(sideways, 0, canvas.width - 1)]
    body = (vector(34, 88, 112), vector(44, 100, 104), vector(40, 76, 116))[surface.seed % 3]
    strength = (0.66 - 0.38 * near)[..., None]
    color = mirror * strength + body * (1 - strength)
    color *= (1 + 0.10 * waves)[..., None]
    column = np.abs(ground.x[None] - frame.aspect * (0.5 + 0.42 * look.light)) / (0.08 + 0.3 * near)
    glitter = np.clip(waves - 1.05, 0, 1) * np.clip(1.3 - column, 0, 1) * look.sun
    return color + glitter[..., None] * vector(190, 180, 150) + np.clip(waves - 1.5, 0, 0.5)[..., None] * 60


GROUNDS: dict[str, Callable[[Ground, Surface], np.ndarray]] = {
    "grass": grass,
    "sand": sand,
    "pavement": pavement,
    "road": road,
}


def outline(canvas: Canvas, frame: Frame, surface: Surface) -> np.ndarray:
    """Height of the surface's upper edge in every column."""
    x = canvas.x
    if surface.kind == "mountain":
        low = profile(1.8, x * 0.11 + surface.seed % 97 / 97, surface.seed)
        ridge = profile(1.6, x * 0.22 + surface.seed % 89 / 89, surface.seed // 7)
        return surface.top - surface.relief * np.clip(0.52 + 0.24 * low + 0.13 * ridge, 0.06, 1.15)
    if surface.kind in ("treeline", "hill"):
        bumps = profile(1.2, x * 0.5 + surface.seed % 97 / 97, surface.seed)
        return surface.top - surface.relief * (0.5 + 0.3 * bumps)
    wobble = profile(1.8, x * 0.12 + surface.seed % 97 / 97, surface.seed)
    return surface.top + surface.slope * (x - frame.aspect / 2) + 0.4 * surface.relief * wobble


def ridge(canvas: Canvas, surface: Surface, look: Look, top: np.ndarray, rows: slice) -> np.ndarray:
    """Mountains with snow and lit flanks, or a line of trees; both pale with distance."""
    y, x = canvas.y[rows][:, None], canvas.x[None]
    shift = surface.seed % 991 / 991
    if surface.kind == "mountain":
        flank = np.gradient(top)[None] * canvas.height * look.light
        rock = sample(1.0, x * 0.35 + shift + (y - surface.top) * 0.2 * look.light, y * 0.5 + shift)
        value = 1 + 0.16 * rock - np.clip(0.22 * flank, -0.28, 0.28) * look.sun
        color = value[..., None] * vector(112, 108, 116)
        rise = (surface.top - y) / max(surface.relief, 1e-6)
        green = np.clip(1.4 - rise * 4 + 0.3 * rock, 0, 1)[..., None]
        color += green * (vector(84, 104, 74) * value[..., None] - color)
        snow = np.clip((rise - 0.55 + 0.16 * rock) * 7, 0, 1)[..., None] * (surface.relief > 0.12)
        color += snow * (vector(238, 240, 248) * np.clip(value, 0.75, 1.08)[..., None] - color)
        haze = 0.20 + 18 * look.haze + 0.25 * np.clip(1 - rise, 0, 1)[..., None]
    else:
        leaves = sample(0.9, x * 0.55 + shift, y * 0.55 + shift)
        base = vector(62, 96, 56) if surface.seed % 2 else vector(84, 104, 56)
        color = (1 + 0.20 * leaves - 0.25 * np.clip((y - top[None]) * 12, 0, 1))[..., None] * base
        haze = np.full((1, 1, 1), 0.10 + 14 * look.haze, dtype=np.float32)
    return color + np.clip(haze, 0, 0.6) * (vector(*look.skyline) - color)


def paint_surface(canvas: Canvas, frame: Frame, look: Look, surface: Surface) -> None:
    """Fill the picture from the surface's outline down to its bottom."""
    h = canvas.height
    top = outline(canvas, frame, surface)
    first = max(0, int(float(top.min()) * h) - 1)
    last = min(h, int(surface.bottom * h) + 1)
    if first >= last:
        return
    rows = slice(first, last)
    if surface.kind in ("mountain", "treeline", "hill"):
        color = ridge(canvas, surface, look, top, rows)
    else:
        ground = Ground(canvas, frame, surface, rows)
        if surface.kind == "water":
            color = water(ground, surface, canvas, frame, look, rows)
        else:
            color = GROUNDS[surface.kind](ground, surface)
        # 1 / unit is the distance in meters over the focal length.
        haze = np.clip(1 - np.exp(-look.haze * 0.4 * frame.camera_height * ground.depth), 0, 0.75)[:, None, None]
        color += haze * (vector(*look.skyline) - color)
    # Only the rows that the outline crosses need blending.
    solid = min(last, max(first, int(float(top.max()) * h) + 2))
    alpha = np.clip((canvas.y[first:solid][:, None] - top[None]) * h + 0.5, 0, 1)
    canvas.cover(first, 0, color[: solid - first] * alpha[..., None], alpha, surface.label, 0, False)
    canvas.color[solid:last] = color[solid - first :]
    canvas.labels[solid:last] = surface.label
    canvas.things[solid:last] = 0
    canvas.thin[solid:last] = False
