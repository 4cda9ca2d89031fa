"""Polygons around a mask that give back exactly this mask when COCO's rule draws them.

The rings run along pixel edges, so their corners are whole numbers. A ring cannot have a hole; one is cut open by a
bridge that runs to the hole and back, where the even-odd rule cancels it.
"""

from __future__ import annotations

import numpy as np

Point = tuple[int, int]


def outlines(mask: np.ndarray) -> list[list[Point]]:
    """Rings of corners (x, y) around the parts of an H x W bool mask, holes cut out by bridges.

    Parts that touch only at a corner are rings of their own.

    >>> outlines(np.array([[True, True, False]]))
    [[(0, 0), (2, 0), (2, 1), (0, 1)]]
    """
    loops = _trace(mask)
    outer = [loop for loop in loops if _area(loop) > 0]
    sizes = [_area(loop) for loop in outer]
    rings = [list(loop) for loop in outer]
    for hole in (loop for loop in loops if _area(loop) < 0):
        around = [number for number, loop in enumerate(outer) if _contains(loop, _pixel_beside(hole))]
        ring = rings[min(around, key=lambda number: sizes[number])]
        ring += [ring[0], *hole, hole[0]]
    return rings


def _trace(mask: np.ndarray) -> list[list[Point]]:
    """Loops of corners along the pixel edges, the mask to their right: around a part clockwise, around a hole not."""
    padded = np.pad(mask.astype(bool), 1)
    inside = padded[1:-1, 1:-1]
    # Direction of an edge: the pixels that have it, and where it begins as seen from the pixel's upper left corner.
    edges: dict[tuple[Point, Point], None] = {}
    for direction, neighbor, (dx, dy) in (
        ((1, 0), padded[:-2, 1:-1], (0, 0)),
        ((0, 1), padded[1:-1, 2:], (1, 0)),
        ((-1, 0), padded[2:, 1:-1], (1, 1)),
        ((0, -1), padded[1:-1, :-2], (0, 1)),
    ):
        rows, columns = np.nonzero(inside & ~neighbor)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            edges[((x + dx, y + dy), direction)] = None
    loops = []
    while edges:
        first = edge = next(iter(edges))
        corners = []
        while True:
            del edges[edge]
            (x, y), (dx, dy) = edge
            end = (x + dx, y + dy)
            # To the right first: where two pixels touch at a corner, the loop stays with its own pixel.
            turns = ((end, (-dy, dx)), (end, (dx, dy)), (end, (dy, -dx)))
            following = next((turn for turn in turns if turn in edges or turn == first), first)
            if following[1] != (dx, dy):
                corners.append(end)
            edge = following
            if edge == first:
                break
        loops.append(corners[-1:] + corners[:-1])
    return loops


def _area(loop: list[Point]) -> float:
    """Positive for a loop that runs clockwise on a screen, where y points down."""
    x, y = np.array(loop, dtype=np.int64).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def _pixel_beside(loop: list[Point]) -> tuple[float, float]:
    """Center of a pixel of the mask that has the loop's first edge."""
    (x0, y0), (x1, y1) = loop[0], loop[1]
    dx, dy = np.sign(x1 - x0), np.sign(y1 - y0)
    return float(x0 + 0.5 * dx - 0.5 * dy), float(y0 + 0.5 * dy + 0.5 * dx)


def _contains(loop: list[Point], point: tuple[float, float]) -> bool:
    """Whether a pixel center lies inside a loop: a ray to the right crosses an odd number of its upright edges."""
    x, y = np.array(loop, dtype=np.float64).T
    following_y = np.roll(y, -1)
    crosses = ((y > point[1]) != (following_y > point[1])) & (x > point[0])
    return bool(crosses.sum() % 2)
