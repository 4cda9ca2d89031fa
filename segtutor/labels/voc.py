"""PASCAL VOC, and the drawn Scenes, which bear its names and numbers."""

from __future__ import annotations

from segtutor.labels.label_set import LabelSet, voc_colors

VOC2012 = LabelSet(
    title="PASCAL VOC 2012",
    names=(
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ),
    colors=voc_colors(21),
    things=frozenset(range(1, 21)),
)  # fmt: skip

# The drawn data set. Its things bear VOC's names and numbers; what VOC has no name for follows behind. The two bollards
# are one and the same drawn object: only the far surroundings tell which of the two it is.
SCENES = LabelSet(
    title="Scenes",
    names=(
        *VOC2012.names,
        "sky", "water", "road", "pavement", "grass", "sand", "building", "tree", "mountain", "pole",
        "mooring bollard", "street bollard",
    ),
    colors=(
        *VOC2012.colors,
        (150, 205, 245), (45, 120, 200), (90, 85, 105), (208, 202, 192), (135, 200, 90), (242, 218, 150),
        (226, 150, 100), (25, 105, 60), (150, 130, 180), (255, 225, 40), (255, 95, 0), (235, 0, 200),
    ),
    things=frozenset({*VOC2012.things, 31, 32}),
)  # fmt: skip
