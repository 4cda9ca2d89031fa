"""Which class of an official data set a class of ours becomes: by its name, or by what that data set calls it."""

from __future__ import annotations

from collections.abc import Sequence

from segtutor.labels import LabelSet

# What other data sets call a class, the best name first. VOC, COCO, Cityscapes and PASCAL-Context name one thing in
# different words; COCO's panoptic stuff is merged from finer classes.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "aeroplane": ("airplane",),
    "diningtable": ("dining table", "table"),
    "motorbike": ("motorcycle",),
    "pottedplant": ("potted plant",),
    "sofa": ("couch",),
    "tvmonitor": ("tv",),
    "sky": ("sky-other-merged", "sky-other"),
    "water": ("water-other",),
    "pavement": ("sidewalk", "pavement-merged"),
    "grass": ("grass-merged", "terrain"),
    "sand": ("terrain",),
    "building": ("building-other-merged", "building-other"),
    "tree": ("tree-merged", "vegetation"),
    "mountain": ("mountain-merged",),
}


def match_names(source: LabelSet, names: Sequence[str]) -> dict[int, str]:
    """Class number of ``source``: the name among ``names`` that it has there; classes without one are left out.

    >>> from segtutor.labels import CITYSCAPES, VOC2012
    >>> match_names(VOC2012, CITYSCAPES.names)[14]
    'motorcycle'
    """
    # Another data set's words lead back too: COCO's "couch" is VOC's "sofa".
    words = {other: {key, *others} for key, others in OTHER_NAMES.items() for other in (key, *others)}
    found = {}
    for number, name in enumerate(source.names):
        candidates = (name, *OTHER_NAMES.get(name, ()), *sorted(words.get(name, ())))
        match = next((candidate for candidate in candidates if candidate in names), None)
        if match is not None:
            found[number] = match
    return found
