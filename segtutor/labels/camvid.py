"""CamVid in the 11 classes of SegNet (Badrinarayanan et al., 2017), with its colors; void is 255 here, 11 in files."""

from __future__ import annotations

from segtutor.labels.label_set import LabelSet

CAMVID = LabelSet(
    title="CamVid",
    names=(
        "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist",
    ),
    colors=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0), (192, 128, 128),
        (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    things=frozenset({8, 9, 10}),
)  # fmt: skip
