"""The classes of the six photographs that the course has labeled itself."""

from __future__ import annotations

from segtutor.labels.label_set import LabelSet
from segtutor.labels.voc import VOC2012

# VOC's names and numbers first, so that a network for VOC can be scored; what VOC has no name for follows behind.
PHOTOGRAPHS = LabelSet(
    title="Photographs",
    names=(
        *VOC2012.names,
        "sky", "grass", "building", "tower", "cup", "saucer", "spoon", "flag", "space shuttle", "helmet", "rocket",
        "tripod", "camera", "coin",
    ),
    colors=(
        *VOC2012.colors,
        (150, 205, 245), (135, 200, 90), (226, 150, 100), (150, 130, 180), (240, 228, 66), (213, 94, 0),
        (0, 114, 178), (204, 121, 167), (86, 180, 233), (0, 158, 115), (230, 159, 0), (90, 85, 105), (255, 95, 0),
        (255, 225, 40),
    ),
    things=frozenset({*VOC2012.things, *range(24, 35)}),
)  # fmt: skip
