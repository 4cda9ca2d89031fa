"""What a scene may contain, and how much of it: the arguments that make a claim of the course measurable."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from segtutor.labels import SCENES

# kind of scene: how often it occurs
KINDS: dict[str, float] = {"street": 0.26, "harbor": 0.24, "park": 0.18, "beach": 0.16, "lake": 0.16}

SPLITS = ("train", "val", "test")

# The classes that scenes are made of, background (objects without a class of their own) first. The other numbers of
# the label set are VOC classes that no scene shows.
CLASSES: tuple[int, ...] = tuple(
    SCENES.select([
        "background", "aeroplane", "bicycle", "bird", "boat", "bus", "car", "cat", "dog", "horse", "person", "sheep",
        "sky", "water", "road", "pavement", "grass", "sand", "building", "tree", "mountain", "pole",
        "mooring bollard", "street bollard",
    ])
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """The knobs of the generator; 1 is the ordinary amount of thin, crowd and context.

    Attributes:
        kinds: The kinds of scene to draw from, "street", "harbor", "park", "beach", "lake".
        thin: How many poles, lamp posts, masts and leashes there are; 0 leaves them out.
        scale_range: Ratio of the largest to the smallest scale at which things are drawn, at least 1.
        crowd: How many companions a thing has, touching or overlapping it; 0 leaves every thing to itself.
        context: How many bollards there are, whose class only the far surroundings tell; 0 leaves them out.
        context_distance: Smallest distance from a bollard to anything that differs between a street and a harbor, as a
            fraction of the image height, 0 to 0.3.
        void_border: Width of the void border around things, as a fraction of the image height; 0 leaves it out.
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    thin: float = 1.0
    scale_range: float = 20.0
    crowd: float = 1.0
    context: float = 1.0
    context_distance: float = 0.2
    void_border: float = 0.008

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds or isinstance(self.kinds, str):
            raise ValueError(f"kinds must be a tuple of some of {', '.join(KINDS)}, but it is {self.kinds!r}")
        limits = {
            "thin": (0.0, 10.0),
            "scale_range": (1.0, 100.0),
            "crowd": (0.0, 10.0),
            "context": (0.0, 10.0),
            "context_distance": (0.0, 0.3),
            "void_border": (0.0, 0.1),
        }
        for item in fields(self):
            if item.name in limits:
                low, high = limits[item.name]
                value = getattr(self, item.name)
                if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high):
                    raise ValueError(f"{item.name} must be a number from {low:g} to {high:g}, but it is {value!r}")
