"""The picture while it is painted: color, class, thing and thinness of every pixel, and every thing's full outline."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Canvas:
    """H x W arrays that the painters write into, far to near.

    Attributes:
        color: H x W x 3 float32, 0...255.
        labels: H x W uint8.
        things: H x W int16, the number of the thing that is seen there, 0 for none; nearer things have larger numbers.
        thin: H x W bool, poles, masts and leashes.
        outlines: For every thing, the patches it is made of: top, left, and what it would cover were it in front.
        x: W, y: H; pixel centers in image heights.
    """

    height: int
    width: int
    color: np.ndarray = field(init=False)
    labels: np.ndarray = field(init=False)
    things: np.ndarray = field(init=False)
    thin: np.ndarray = field(init=False)
    outlines: dict[int, list[tuple[int, int, np.ndarray]]] = field(default_factory=dict)
    x: np.ndarray = field(init=False)
    y: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape = self.height, self.width
        self.color = np.empty((*shape, 3), dtype=np.float32)
        self.labels = np.zeros(shape, dtype=np.uint8)
        self.things = np.zeros(shape, dtype=np.int16)
        self.thin = np.zeros(shape, dtype=bool)
        self.x = (np.arange(self.width, dtype=np.float32) + 0.5) / self.height
        self.y = (np.arange(self.height, dtype=np.float32) + 0.5) / self.height

    def cover(
        self, top: int, left: int, color: np.ndarray, alpha: np.ndarray, label: int, thing: int, thin: bool
    ) -> None:
        """Lay a patch over the picture; ``color`` is already multiplied by ``alpha``. Half covered is owned."""
        rows, columns = slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1])
        region = self.color[rows, columns]
        region *= 1 - alpha[..., None]
        region += color
        owned = alpha >= 0.5
        self.labels[rows, columns][owned] = label
        self.things[rows, columns][owned] = thing
        self.thin[rows, columns][owned] = thin
        if thing:
            self.outlines.setdefault(thing, []).append((top, left, owned))
