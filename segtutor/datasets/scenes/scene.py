"""A rendered scene as plain NumPy arrays: the picture, and everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segtutor.datasets.scenes.canvas import Canvas
from segtutor.datasets.scenes.compose import make_layout
from segtutor.datasets.scenes.render import render
from segtutor.datasets.scenes.settings import Settings
from segtutor.labels import SCENES


@dataclass(frozen=True, eq=False)
class Instance:
    """One thing that can be seen.

    Attributes:
        number: Its value in ``Scene.things``; nearer things have larger numbers within one surface.
        label: Class number.
        box: Tight box of the visible pixels, x0 y0 x1 y1, x1 and y1 exclusive.
        mask: H x W bool, what is visible.
        full_mask: H x W bool, including what others hide; full masks overlap.
    """

    number: int
    label: int
    box: tuple[int, int, int, int]
    mask: np.ndarray
    full_mask: np.ndarray


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with its annotation.

    Attributes:
        image: H x W x 3 uint8.
        labels: H x W uint8, numbers of ``segtutor.labels.SCENES``, 255 on the void border around things.
        things: H x W int16, the number of the thing at every pixel, 0 where there is none. No void here.
        thin: H x W bool, poles, lamp posts, masts and leashes.
        instances: The things that can be seen.
        kind: "street", "harbor", "park", "beach" or "lake".
    """

    image: np.ndarray
    labels: np.ndarray
    things: np.ndarray
    thin: np.ndarray
    instances: tuple[Instance, ...]
    kind: str


def draw_void(canvas: Canvas, width: int) -> np.ndarray:
    """Labels with void where a thing ends: ``width`` pixels, on the edge's far side, so that thin things survive."""
    nearest = canvas.things.copy()
    for _ in range(width):
        grown = nearest.copy()
        np.maximum(grown[1:], nearest[:-1], out=grown[1:])
        np.maximum(grown[:-1], nearest[1:], out=grown[:-1])
        np.maximum(grown[:, 1:], nearest[:, :-1], out=grown[:, 1:])
        np.maximum(grown[:, :-1], nearest[:, 1:], out=grown[:, :-1])
        nearest = grown
    labels = canvas.labels.copy()
    labels[nearest > canvas.things] = SCENES.ignore_index
    return labels


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 around the true pixels, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def collect_instances(canvas: Canvas) -> tuple[Instance, ...]:
    """The things of which at least one pixel is visible, in the order of their numbers."""
    found = []
    for number in np.flatnonzero(np.bincount(canvas.things.ravel())):
        if number == 0:
            continue
        mask = canvas.things == number
        full = np.zeros_like(mask)
        for top, left, patch in canvas.outlines[int(number)]:
            full[top : top + patch.shape[0], left : left + patch.shape[1]] |= patch
        label = int(canvas.labels[mask][0])
        found.append(Instance(int(number), label, tight_box(mask), mask, full))
    return tuple(found)


def draw_labels(stream: str, height: int, width: int, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Picture and labels only: what semantic segmentation needs, without collecting instances."""
    image, canvas = render(make_layout(stream, width / height, settings), height, width)
    return image, draw_void(canvas, border_width(height, settings))


def draw_scene(stream: str, height: int, width: int, settings: Settings) -> Scene:
    """The whole scene that the name ``stream`` stands for."""
    layout = make_layout(stream, width / height, settings)
    image, canvas = render(layout, height, width)
    labels = draw_void(canvas, border_width(height, settings))
    return Scene(image, labels, canvas.things, canvas.thin, collect_instances(canvas), layout.kind)


def border_width(height: int, settings: Settings) -> int:
    """Pixels of void: none for 0, at least one for anything above."""
    return max(1, round(settings.void_border * height)) if settings.void_border else 0
