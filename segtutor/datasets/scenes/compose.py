"""From a name to a whole scene: light, camera, kind, and then what the kind puts where."""

from __future__ import annotations

from random import Random

from segtutor.datasets.scenes.layout import Composer, Frame, Layout, Look
from segtutor.datasets.scenes.places import BOLLARD_HEIGHT, NEAREST_BOLLARD, PLACES, promenade
from segtutor.datasets.scenes.settings import KINDS, Settings


def make_look(random: Random) -> Look:
    """Daylight of some hour and weather."""
    hour = random.choices(("day", "golden", "overcast", "dusk"), (0.5, 0.2, 0.2, 0.1))[0]
    gain, zenith, skyline, sun = {
        "day": ((1.0, 0.99, 0.96), (74, 132, 204), (186, 212, 232), 1.0),
        "golden": ((1.08, 0.95, 0.80), (110, 140, 190), (250, 205, 160), 0.85),
        "overcast": ((0.92, 0.94, 0.97), (150, 160, 172), (205, 210, 214), 0.2),
        "dusk": ((0.93, 0.86, 0.92), (112, 122, 172), (246, 190, 172), 0.4),
    }[hour]
    jitter = random.uniform(0.88, 1.08)
    return Look(
        light=random.choice((-1, 1)) * random.uniform(0.35, 1.0),
        sun=sun,
        gain=(gain[0] * jitter, gain[1] * jitter * random.uniform(0.97, 1.02), gain[2] * jitter),
        haze=random.uniform(0.004, 0.022),
        zenith=(zenith[0] + random.uniform(-14, 14), zenith[1] + random.uniform(-12, 12), float(zenith[2])),
        skyline=(float(skyline[0]), skyline[1] + random.uniform(-10, 8), float(skyline[2])),
        clouds=random.uniform(-0.6, 1.4) - (1.0 if hour == "overcast" else 0.0),
        noise=random.uniform(1.5, 4.5),
        seed=random.getrandbits(30),
    )


def make_layout(stream: str, aspect: float, settings: Settings) -> Layout:
    """The scene that a name stands for: same name, same scene.

    What streets and harbors have in common (camera, light, near pavement and all on it, bollards included) has random
    numbers of its own, so that two scenes of one name but of different kind agree there pixel for pixel.
    """
    common = Random(f"{stream}/common")
    look = make_look(common)
    camera_height = common.uniform(1.9, 2.4)
    # A bollard at the lower edge of the picture has to keep its distance from the far end of the pavement, with room
    # for a street beyond that: where the distance is large, the camera looks down more.
    head = BOLLARD_HEIGHT / camera_height
    highest = NEAREST_BOLLARD * (1 - head) - settings.context_distance - 0.01
    horizon = min(common.uniform(0.22, 0.36), (highest - 0.19) / (1 - head))
    begin = min(horizon + common.uniform(0.2, 0.3), highest + head * horizon)
    wide = common.random() < 0.66
    frame = Frame(aspect, horizon, camera_height, begin if wide else None)

    kind_random = Random(f"{stream}/kind")
    kind = kind_random.choices(settings.kinds, [KINDS[kind] for kind in settings.kinds])[0]
    composer = Composer(settings, frame, Random(f"{stream}/place"))
    layers = PLACES[kind](composer)
    if kind in ("street", "harbor") and frame.promenade is not None:
        composer.random = common
        layers.append(promenade(composer, kind))
    return Layout(kind, frame, look, tuple(layers))
