"""The type LabelSet: names, colors, things and void of a data set, and the color map most label PNGs are saved with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

Color = tuple[int, int, int]


@dataclass(frozen=True)
class LabelSet:
    """The classes of a data set, in the order of their numbers.

    Attributes:
        title: What people call the data set, "PASCAL VOC 2012".
        names: One name per class; the position is the class number.
        colors: One RGB color (0-255) per class.
        things: Numbers of the classes that can be counted. The others are stuff, or background.
        ignore_index: The value that marks void in a label map.
    """

    title: str
    names: tuple[str, ...]
    colors: tuple[Color, ...]
    things: frozenset[int] = field(default_factory=frozenset)
    ignore_index: int = 255

    def __post_init__(self) -> None:
        if len(self.names) != len(self.colors):
            raise ValueError(
                f"{self.title}: {len(self.names)} names but {len(self.colors)} colors; give one color per name"
            )
        if len(set(self.names)) != len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(f"{self.title}: names must differ, but {', '.join(twice)} stand more than once")
        outside = sorted(number for number in self.things if not 0 <= number < len(self.names))
        if outside:
            raise ValueError(f"{self.title}: things {outside} are outside the class numbers 0...{len(self.names) - 1}")
        if 0 <= self.ignore_index < len(self.names):
            taken_by = self.names[self.ignore_index]
            raise ValueError(f"{self.title}: ignore_index {self.ignore_index} is also the number of {taken_by!r}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def stuff(self) -> frozenset[int]:
        """Numbers of the classes that are not things and not the background."""
        background = {0} if self.names and self.names[0] == "background" else set()
        return frozenset(range(len(self.names))) - self.things - background

    @property
    def palette(self) -> np.ndarray:
        """At least 256 x 3 uint8: the color of every value of a label map; void and unused values are white."""
        palette = np.full((max(256, len(self.colors) + 1, self.ignore_index + 1), 3), 255, dtype=np.uint8)
        palette[: len(self.colors)] = self.colors
        return palette

    def index(self, name: str) -> int:
        """Number of a class.

        Raises:
            ValueError: If there is no such class; the message lists those that exist.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(f"{self.title} has no class {name!r}; it has {', '.join(self.names)}") from None

    def select(self, names: Iterable[str]) -> list[int]:
        """Numbers of several classes, in the order given."""
        return [self.index(name) for name in names]


def voc_colormap(count: int = 256) -> np.ndarray:
    """The color map of the VOC development kit, ``count`` x 3 uint8.

    Color i takes bits 0, 3, 6, ... of i for red, 1, 4, 7, ... for green, 2, 5, 8, ... for blue, highest bit first, so
    that neighboring numbers get colors far apart.

    >>> voc_colormap(4).tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    number = np.arange(count)
    colormap = np.zeros((count, 3), dtype=np.int64)
    for bit in range(8):
        for channel in range(3):
            colormap[:, channel] |= ((number >> (3 * bit + channel)) & 1) << (7 - bit)
    return colormap.astype(np.uint8)


@lru_cache(maxsize=8)
def voc_colors(count: int) -> tuple[Color, ...]:
    """The first colors of that map, as a LabelSet wants them."""
    return tuple((int(r), int(g), int(b)) for r, g, b in voc_colormap(count))
