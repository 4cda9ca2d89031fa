"""Where everything in a scene stands. All in relative units, so that one layout can be rendered at any size.

x and y are in image heights from the upper left corner. A pinhole camera looks at a flat ground: what stands at height
y has the scale ``unit = (y - horizon) / camera_height`` image heights per meter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from random import Random

from segtutor.datasets.scenes.settings import Settings
from segtutor.labels import SCENES

LABEL = {name: number for number, name in enumerate(SCENES.names)}


@dataclass(frozen=True)
class Look:
    """Light and air of a scene: what every pixel shares."""

    light: float  # where the sun stands, -1 left to 1 right
    sun: float  # how hard the shadows are, 0 overcast to 1
    gain: tuple[float, float, float]  # color of the light, per channel
    haze: float  # per meter of distance / camera height
    zenith: tuple[float, float, float]
    skyline: tuple[float, float, float]
    clouds: float  # threshold: lower is cloudier
    noise: float  # standard deviation of the sensor noise, gray levels
    seed: int


@dataclass(frozen=True)
class Frame:
    """The camera, and the near ground that streets and harbors have in common."""

    aspect: float
    horizon: float
    camera_height: float
    promenade: float | None  # y at which the near pavement begins; None where there is none

    def unit(self, y: float) -> float:
        """Image heights per meter at height y of the picture."""
        return (y - self.horizon) / self.camera_height

    def y(self, unit: float) -> float:
        """Where something of this scale stands."""
        return self.horizon + unit * self.camera_height

    @property
    def largest_unit(self) -> float:
        """The scale of the nearest things, which stand a little below the picture's lower edge."""
        return self.unit(1.04)


@dataclass(frozen=True)
class Surface:
    """A strip of ground, a range of mountains or a line of trees: fills the picture between two outlines."""

    kind: str
    label: int
    top: float
    bottom: float
    relief: float = 0.0  # amplitude of the upper outline
    slope: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Placed:
    """An object: which figure, where, how large. ``instance`` 0 is stuff; parts of one thing share the number."""

    figure: str
    label: int
    x: float
    y: float
    unit: float
    seed: int
    instance: int = 0
    mirror: bool = False
    variant: str = ""
    tilt: float = 0.0
    thin: bool = False
    shadow: str = "cast"
    reach: tuple[float, float] = (0.0, 0.0)  # far end of a leash, in meters from (x, y)


@dataclass(frozen=True)
class Layer:
    """Surfaces, then the objects on them, far to near."""

    surfaces: tuple[Surface, ...]
    objects: tuple[Placed, ...]


@dataclass(frozen=True)
class Layout:
    """A whole scene, far to near."""

    kind: str
    frame: Frame
    look: Look
    layers: tuple[Layer, ...]


def poisson(random: Random, mean: float) -> int:
    """A Poisson number, by Knuth's product of uniforms."""
    count, product, limit = 0, random.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= random.random()
    return count


@dataclass
class Composer:
    """Puts objects into the scene; ``random`` is the stream of random numbers in use."""

    settings: Settings
    frame: Frame
    random: Random
    objects: list[Placed] = field(default_factory=list)
    instances: int = 0
    closed: int = 0

    def layer(self, *surfaces: Surface) -> Layer:
        """Close a layer: what was put since the last one stands on these surfaces."""
        objects = sorted(self.objects, key=lambda item: item.y)
        # Things are numbered far to near, so that of two numbers the larger one is in front.
        numbers: dict[int, int] = {0: 0}
        for item in objects:
            if item.instance not in numbers:
                self.closed += 1
                numbers[item.instance] = self.closed
        self.objects = []
        return Layer(surfaces, tuple(replace(item, instance=numbers[item.instance]) for item in objects))

    def surface(self, kind: str, top: float, bottom: float = 1.0, relief: float = 0.0, slope: float = 0.0) -> Surface:
        """A surface; its label is that of the class it shows."""
        label = {"hill": "tree", "treeline": "tree", "tarmac": "road"}.get(kind, kind)
        return Surface(kind, LABEL[label], top, bottom, relief, slope, self.random.getrandbits(30))

    def stand(self, near: float, far: float, lean: float = 1.0) -> float:
        """Scale of something between two heights of the picture: log-uniform; ``lean`` < 1 prefers the near."""
        smallest = self.frame.largest_unit / self.settings.scale_range
        low = max(self.frame.unit(far), smallest)
        high = max(min(self.frame.unit(near), self.frame.largest_unit), low)
        return float(low * (high / low) ** (self.random.random() ** lean))

    def put(
        self, figure: str, x: float, unit: float, label: str = "", y: float | None = None, **more: object
    ) -> Placed:
        """One object that stands on the ground (or at ``y``), at scale ``unit``."""
        number = LABEL[label or figure]
        if number in SCENES.things:
            self.instances += 1
        item = Placed(
            figure=figure,
            label=number,
            x=x,
            y=self.frame.y(unit) if y is None else y,
            unit=unit,
            seed=self.random.getrandbits(30),
            instance=self.instances if number in SCENES.things else 0,
            mirror=self.random.random() < 0.5,
        )
        item = replace(item, **more)  # type: ignore[arg-type]
        self.objects.append(item)
        return item

    def group(self, figure: str, spacing: float, near: float, far: float, mean: float, lean: float = 0.6) -> Placed:
        """A thing and, as the crowd setting says, companions that touch or overlap it; ``spacing`` in meters."""
        unit = self.stand(near, far, lean)
        first = self.put(figure, self.random.random() * self.frame.aspect, unit)
        x = first.x
        for _ in range(poisson(self.random, mean * self.settings.crowd)):
            x += self.random.choice((-1, 1)) * self.random.uniform(0.6, 1.1) * spacing * unit
            lowest = max(self.frame.unit(far), self.frame.largest_unit / self.settings.scale_range)
            other = min(max(unit * self.random.uniform(0.88, 1.08), lowest), max(unit, self.frame.unit(near)))
            self.put(figure, x, min(other, self.frame.largest_unit))
        return first

    def walk_dog(self, near: float, far: float) -> None:
        """A person with a dog, and between them a leash, which has no class of its own."""
        unit = self.stand(near, far, 0.5)
        person = self.put("person", self.random.random() * self.frame.aspect, unit, variant="leading")
        toward = -1 if person.mirror else 1
        ahead = self.random.uniform(0.95, 1.5)
        dog = self.put("dog", person.x + toward * ahead * unit, unit, mirror=person.mirror, variant="adult")
        if self.random.random() < self.settings.thin:
            # From the hand that is stretched forward to the collar; both points are fixed in the two figures.
            self.put(
                "leash", person.x + toward * 0.36 * unit, unit, "background",
                y=dog.y + 1e-4, mirror=person.mirror, thin=True, reach=(ahead - 0.36 + 0.24, 0.55), shadow="none",
            )  # fmt: skip

    def poles(self, mean: float, near: float, far: float) -> None:
        """Lamp posts, sign posts and flag poles."""
        for _ in range(poisson(self.random, mean * self.settings.thin)):
            unit = self.stand(near, far)
            self.put("post", self.random.random() * self.frame.aspect, unit, "pole", thin=True)

    def boats(self, mean: float, near: float, far: float) -> None:
        """Boats on the water; without thin structures all are motor boats, which have no mast."""
        for _ in range(1 + poisson(self.random, mean)):
            unit = self.stand(near, far, 0.7)
            x = self.random.random() * self.frame.aspect
            for _ in range(1 + poisson(self.random, 0.45 * self.settings.crowd)):
                sails = self.random.random() < min(0.65 * self.settings.thin, 0.9)
                variant = "sail" if sails else self.random.choice(("motor", "row"))
                boat = self.put("boat", x, unit, variant=variant, shadow="reflect")
                if sails:
                    self.objects.append(replace(boat, figure="mast", thin=True))
                x += self.random.choice((-1, 1)) * self.random.uniform(2.0, 4.5) * unit

    def sky_traffic(self, planes: float, birds: float) -> None:
        """Aeroplanes and flying birds."""
        r, range_ = self.random, self.settings.scale_range
        for _ in range(poisson(r, planes)):
            unit = max(r.uniform(0.15, 0.5) ** 1.3 * r.choice((1, 1, 0.3)), self.frame.largest_unit / range_ * 0.06)
            y = r.uniform(0.05, max(0.1, self.frame.horizon - 0.1))
            self.put(
                "aeroplane", r.random() * self.frame.aspect, unit / 10, y=y, tilt=r.uniform(-0.1, 0.3), shadow="none"
            )
        for _ in range(poisson(r, birds)):
            unit = self.stand(1.0, self.frame.horizon)
            x, y = r.random() * self.frame.aspect, r.uniform(0.05, self.frame.horizon)
            for _ in range(1 + poisson(r, self.settings.crowd)):
                self.put("bird", x, unit, y=y, variant="flying", tilt=r.uniform(-0.3, 0.3), shadow="none")
                x, y = x + r.uniform(-0.9, 0.9) * unit, y + r.uniform(-0.5, 0.5) * unit
