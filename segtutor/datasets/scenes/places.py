"""The five kinds of scene: which surfaces lie behind each other, and what stands on them."""

from __future__ import annotations

from collections.abc import Callable

from segtutor.datasets.scenes.layout import Composer, Layer, poisson

NEAREST_BOLLARD = 0.97  # y at which the nearest one stands
BOLLARD_HEIGHT = 0.78  # meters


def row_of_buildings(c: Composer, base: float, tallest: float, gap: float) -> None:
    """Houses side by side with their feet at ``base``, up to ``tallest`` meters; ``gap``: share left out."""
    unit = c.frame.unit(base)
    x = -0.2 * c.random.random()
    while x < c.frame.aspect:
        width, height = c.random.uniform(5, 12), c.random.uniform(0.4, 1.0) * tallest
        if c.random.random() > gap:
            c.put(
                "building", x + width / 2 * unit, unit, y=base + c.random.uniform(0, 0.004), reach=(width, height),
                shadow="none",
            )  # fmt: skip
        x += width * unit * c.random.uniform(0.96, 1.03)


def trees(c: Composer, mean: float, near: float, far: float) -> None:
    """Single trees."""
    for _ in range(poisson(c.random, mean)):
        kind = c.random.choice(("round", "round", "tall", "fir"))
        c.put("tree", c.random.random() * c.frame.aspect, c.stand(near, far), variant=kind)


def furniture(c: Composer, mean: float, near: float, far: float, choices: tuple[str, ...]) -> None:
    """Things without a class of their own: background."""
    for _ in range(poisson(c.random, mean)):
        c.put(c.random.choice(choices), c.random.random() * c.frame.aspect, c.stand(near, far, 0.7), "background")


def animals(c: Composer, near: float, far: float, table: dict[str, tuple[float, float, float]]) -> None:
    """Groups of animals; the table says how many groups, meters between members, companions."""
    for figure, (groups, spacing, companions) in table.items():
        for _ in range(poisson(c.random, groups)):
            c.group(figure, spacing, near, far, companions, lean=0.4 if figure in ("cat", "bird") else 0.7)


def promenade(c: Composer, kind: str) -> Layer:
    """The near pavement of streets and harbors with all that is on it; only a bollard's name depends on the kind."""
    begin = c.frame.promenade
    assert begin is not None
    near, far = 1.04, begin + 0.03
    bollard = "street bollard" if kind == "street" else "mooring bollard"
    for _ in range(poisson(c.random, 1.7 * c.settings.context)):
        # The head, too, keeps its distance from where the pavement ends.
        room = begin + c.settings.context_distance + 0.01 - c.frame.horizon
        largest = c.frame.unit(NEAREST_BOLLARD)
        smallest = max(room / (c.frame.camera_height - BOLLARD_HEIGHT), 0.7 * largest)
        unit = c.random.uniform(min(smallest, largest), largest)
        c.put("bollard", c.random.random() * c.frame.aspect, unit, bollard)
    for _ in range(poisson(c.random, 0.9)):
        c.group("person", 0.55, near, far, 0.8)
    if c.random.random() < 0.3:
        c.walk_dog(near, far)
    animals(c, near, far, {"cat": (0.3, 0.7, 0.3), "dog": (0.12, 0.8, 0.4), "bird": (0.4, 0.5, 1.5)})
    for _ in range(poisson(c.random, 0.4)):
        c.group("bicycle", 0.9, near, far, 0.5)
    furniture(c, 0.5, near, far, ("bin", "bench", "crate"))
    c.poles(0.7, near, far)
    return c.layer(c.surface("pavement", begin))


def street(c: Composer) -> list[Layer]:
    """Houses, a far pavement, a road; then the near pavement, or the road up to the camera."""
    f = c.frame
    base = f.horizon + c.random.uniform(0.085, 0.12)
    kerb = base + c.random.uniform(0.025, 0.045)
    near = f.promenade if f.promenade is not None else 1.04
    row_of_buildings(c, base, c.random.uniform(4, 9), c.random.choice((0.05, 0.3)))
    c.sky_traffic(0.25, 0.2)
    houses = c.layer(c.surface("treeline", f.horizon - 0.02, base + 0.02, 0.02))
    trees(c, 1.0, kerb, base)
    c.poles(0.9, kerb, base)
    for _ in range(poisson(c.random, 0.7)):
        c.group("person", 0.55, kerb, base, 0.7)
    far_side = c.layer(c.surface("pavement", base, kerb + 0.02))
    for _ in range(1 + poisson(c.random, 0.8)):
        c.group("car", 3.8, near, kerb + 0.02, 0.5)
    if c.random.random() < 0.5:
        c.put("bus", c.random.random() * f.aspect, c.stand(near, kerb + 0.02))
    for _ in range(poisson(c.random, 0.35)):
        c.group("bicycle", 1.3, near, kerb + 0.02, 0.4)
    return [houses, far_side, c.layer(c.surface("road", kerb))]


def harbor(c: Composer) -> list[Layer]:
    """A far shore, water full of boats; then the quay."""
    f = c.frame
    shore = f.horizon + c.random.uniform(0.015, 0.035)
    surfaces = []
    if c.random.random() < 0.5:
        surfaces.append(c.surface("mountain", f.horizon, shore + 0.01, c.random.uniform(0.06, 0.16)))
    surfaces.append(c.surface("treeline", f.horizon - 0.01, shore + 0.01, c.random.uniform(0.01, 0.03)))
    if c.random.random() < 0.75:
        row_of_buildings(c, shore, c.random.uniform(5, 9), 0.35)
    c.sky_traffic(0.2, 0.5)
    back = c.layer(*surfaces)
    near = f.promenade if f.promenade is not None else c.random.uniform(0.78, 0.9)
    c.boats(1.4, near, shore + 0.012)
    water = c.layer(c.surface("water", shore))
    layers = [back, water]
    if f.promenade is None:
        furniture(c, 0.5, 1.02, near + 0.03, ("crate",))
        animals(c, 1.0, near + 0.03, {"bird": (0.7, 0.5, 1.0), "cat": (0.3, 0.7, 0.0)})
        layers.append(c.layer(c.surface("pavement", near)))
    return layers


def park(c: Composer) -> list[Layer]:
    """A meadow with a path, trees, people and their dogs."""
    f = c.frame
    surfaces = [c.surface("treeline", f.horizon - 0.03, f.horizon + 0.04, c.random.uniform(0.03, 0.07))]
    if c.random.random() < 0.35:
        row_of_buildings(c, f.horizon + 0.02, 9.0, 0.6)
    c.sky_traffic(0.3, 0.3)
    back = c.layer(*surfaces)
    ground = [c.surface("grass", f.horizon + 0.012, relief=0.008)]
    if c.random.random() < 0.7:
        top = c.random.uniform(f.horizon + 0.08, 0.7)
        bottom = top + c.random.uniform(0.3, 0.5) * (top - f.horizon)
        slope = c.random.uniform(-0.1, 0.1)
        paving = c.random.choice(("pavement", "sand"))
        ground += [c.surface(paving, top, 1.0, 0.02, slope), c.surface("grass", bottom, 1.0, 0.02, slope)]
    near, far = 1.04, f.horizon + 0.03
    trees(c, 3.0, 0.85, far)
    c.walk_dog(near, far + 0.05)
    for _ in range(poisson(c.random, 1.0)):
        c.group("person", 0.55, near, far, 0.7)
    table = {
        "dog": (0.35, 0.9, 0.7), "cat": (0.45, 0.7, 0.4), "bird": (0.4, 0.6, 1.5), "horse": (0.45, 1.9, 0.7),
        "sheep": (0.35, 1.0, 2.0), "bicycle": (0.5, 1.1, 0.5),
    }  # fmt: skip
    animals(c, near, far, table)
    furniture(c, 0.7, near, far, ("bench", "bin"))
    c.poles(1.0, 0.95, far)
    return [back, c.layer(*ground)]


def beach(c: Composer) -> list[Layer]:
    """The sea, sand, parasols."""
    f = c.frame
    surfaces = []
    if c.random.random() < 0.4:
        surfaces.append(c.surface("mountain", f.horizon - 0.01, f.horizon + 0.02, c.random.uniform(0.03, 0.1)))
    c.sky_traffic(0.4, 0.6)
    back = c.layer(*surfaces)
    shore = f.horizon + c.random.uniform(0.12, 0.3)
    c.boats(0.8, shore - 0.03, f.horizon + 0.02)
    water = c.layer(c.surface("water", f.horizon))
    near, far = 1.04, shore + 0.05
    for _ in range(1 + poisson(c.random, 0.8)):
        c.group("person", 0.6, near, far, 0.8)
    if c.random.random() < 0.4:
        c.walk_dog(near, far)
    table = {"bird": (0.7, 0.5, 1.5), "dog": (0.35, 0.9, 0.6), "horse": (0.35, 1.9, 0.7), "cat": (0.2, 0.7, 0.3)}
    animals(c, near, far, table)
    furniture(c, 1.4, near, far, ("parasol", "parasol", "crate"))
    c.poles(0.6, near, far)
    slope = c.random.uniform(-0.08, 0.08)
    return [back, water, c.layer(c.surface("sand", shore, 1.0, 0.03, slope))]


def lake(c: Composer) -> list[Layer]:
    """Mountains, mirrored in a lake; a pasture in front."""
    f = c.frame
    far_shore = f.horizon + c.random.uniform(0.015, 0.04)
    surfaces = [
        c.surface("mountain", f.horizon, far_shore + 0.01, c.random.uniform(0.14, 0.26)),
        c.surface("hill", f.horizon, far_shore + 0.01, c.random.uniform(0.02, 0.06)),
    ]
    if c.random.random() < 0.3:
        row_of_buildings(c, far_shore, 4.0, 0.85)
    c.sky_traffic(0.35, 0.4)
    back = c.layer(*surfaces)
    shore = f.horizon + c.random.uniform(0.14, 0.34)
    c.boats(0.4, shore - 0.03, far_shore + 0.01)
    water = c.layer(c.surface("water", far_shore))
    near, far = 1.04, shore + 0.05
    trees(c, 0.9, 0.95, far)
    table = {
        "sheep": (0.9, 1.0, 2.2), "horse": (0.7, 1.9, 0.8), "bird": (0.3, 0.6, 1.0), "cat": (0.2, 0.7, 0.2),
        "bicycle": (0.25, 1.1, 0.4),
    }  # fmt: skip
    animals(c, near, far, table)
    if c.random.random() < 0.35:
        c.walk_dog(near, far)
    for _ in range(poisson(c.random, 0.5)):
        c.group("person", 0.6, near, far, 0.6)
    furniture(c, 0.3, near, far, ("bench",))
    c.poles(0.4, near, far)
    return [back, water, c.layer(c.surface("grass", shore, 1.0, 0.02, c.random.uniform(-0.06, 0.06)))]


PLACES: dict[str, Callable[[Composer], list[Layer]]] = {
    "street": street,
    "harbor": harbor,
    "park": park,
    "beach": beach,
    "lake": lake,
}
