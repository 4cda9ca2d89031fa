"""Cityscapes: 34 ids as they stand in the files, and the 19 train ids that are scored (Cordts et al., CVPR 2016)."""

from __future__ import annotations

import numpy as np

from segtutor.labels.label_set import LabelSet

# Id, train id (255 is not scored), whether its objects are told apart, name, red, green, blue.
_TABLE = """
    0 255 0 unlabeled 0 0 0, 1 255 0 ego vehicle 0 0 0, 2 255 0 rectification border 0 0 0,
    3 255 0 out of roi 0 0 0, 4 255 0 static 0 0 0, 5 255 0 dynamic 111 74 0, 6 255 0 ground 81 0 81,
    7 0 0 road 128 64 128, 8 1 0 sidewalk 244 35 232, 9 255 0 parking 250 170 160, 10 255 0 rail track 230 150 140,
    11 2 0 building 70 70 70, 12 3 0 wall 102 102 156, 13 4 0 fence 190 153 153, 14 255 0 guard rail 180 165 180,
    15 255 0 bridge 150 100 100, 16 255 0 tunnel 150 120 90, 17 5 0 pole 153 153 153,
    18 255 0 polegroup 153 153 153, 19 6 0 traffic light 250 170 30, 20 7 0 traffic sign 220 220 0,
    21 8 0 vegetation 107 142 35, 22 9 0 terrain 152 251 152, 23 10 0 sky 70 130 180, 24 11 1 person 220 20 60,
    25 12 1 rider 255 0 0, 26 13 1 car 0 0 142, 27 14 1 truck 0 0 70, 28 15 1 bus 0 60 100, 29 255 1 caravan 0 0 90,
    30 255 1 trailer 0 0 110, 31 16 1 train 0 80 100, 32 17 1 motorcycle 0 0 230, 33 18 1 bicycle 119 11 32
"""

_rows = [row.split() for row in _TABLE.split(",")]
_names = tuple(" ".join(row[3:-3]) for row in _rows)
_colors = tuple((int(row[-3]), int(row[-2]), int(row[-1])) for row in _rows)
_scored = [int(row[0]) for row in _rows if row[1] != "255"]

# Things are the classes whose objects are told apart.
CITYSCAPES_IDS = LabelSet(
    title="Cityscapes, ids",
    names=_names,
    colors=_colors,
    things=frozenset(number for number, row in enumerate(_rows) if row[2] == "1"),
)

CITYSCAPES = LabelSet(
    title="Cityscapes",
    names=tuple(_names[number] for number in _scored),
    colors=tuple(_colors[number] for number in _scored),
    things=frozenset(number for number, label in enumerate(_scored) if label in CITYSCAPES_IDS.things),
)

# 256 uint8: the train id of each id.
CITYSCAPES_TRAIN_IDS = np.full(256, CITYSCAPES.ignore_index, dtype=np.uint8)
CITYSCAPES_TRAIN_IDS[_scored] = np.arange(len(_scored))
CITYSCAPES_TRAIN_IDS.flags.writeable = False
