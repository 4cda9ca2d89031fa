"""Exercise 5.14: one panoptic map from instances and a label map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint
from segtutor.exercises.lesson05.panoptic_mistakes import MISTAKES
from segtutor.exercises.seeds import seeded

STUB = '''
def panoptic_map(masks, labels, scores, semantic, stuff, least_score, least_visible):
    """Class and segment of every pixel, two H x W maps: instances by falling score, then the label map's stuff."""
    raise NotImplementedError("Write panoptic_map() here, then run this cell again.")
'''


def panoptic_map(
    masks: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
    semantic: np.ndarray,
    stuff: Sequence[int],
    least_score: float,
    least_visible: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Class and segment of every pixel, two H x W maps: instances by falling score, then the label map's stuff."""
    classes = np.where(np.isin(semantic, stuff), semantic, 255)
    segments = np.zeros(semantic.shape, dtype=int)
    for number in np.argsort(-scores):
        visible = masks[number] & (segments == 0)
        if scores[number] < least_score or visible.sum() < least_visible * masks[number].sum():
            continue
        segments[visible] = segments.max() + 1
        classes[visible] = labels[number]
    return classes, segments


def _pixel_by_pixel(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
    owner = np.full(semantic.shape, -1)
    accepted = []
    for number in sorted(range(len(scores)), key=lambda one: scores[one], reverse=True):
        if scores[number] < least_score:
            break
        own = [place for place in np.ndindex(*semantic.shape) if masks[number][place]]
        free = [place for place in own if owner[place] < 0]
        if own and len(free) >= least_visible * len(own):
            accepted.append(number)
            for place in free:
                owner[place] = number
    classes, segments = np.full(semantic.shape, 255), np.zeros(semantic.shape, dtype=int)
    for place in np.ndindex(*semantic.shape):
        if owner[place] >= 0:
            classes[place], segments[place] = labels[owner[place]], accepted.index(owner[place]) + 1
        elif int(semantic[place]) in [int(one) for one in stuff]:
            classes[place] = semantic[place]
    return [classes, segments]


def _painted_backwards(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
    """Decides first who is in, then paints the worst first, so that the better ones cover it."""
    taken, accepted = np.zeros(semantic.shape, dtype=bool), []
    for number in np.argsort(scores)[::-1]:
        area = masks[number].sum()
        seen = (masks[number] & ~taken).sum()
        if scores[number] >= least_score and area and seen >= least_visible * area:
            accepted.append(number)
            taken = taken | masks[number]
    classes = semantic.astype(int)
    classes[~np.isin(semantic, stuff)] = 255
    segments = np.zeros_like(classes)
    for place, number in reversed(list(enumerate(accepted, start=1))):
        classes[masks[number]], segments[masks[number]] = labels[number], place
    return classes, segments


def _with_torch(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
    import torch

    masks, semantic = torch.as_tensor(masks), torch.as_tensor(semantic).long()
    known = torch.isin(semantic, torch.tensor(list(stuff), dtype=torch.long))
    classes = torch.where(known, semantic, torch.tensor(255))
    segments, count = torch.zeros_like(semantic), 0
    for number in torch.as_tensor(scores).argsort(descending=True).tolist():
        free = masks[number] & segments.eq(0)
        area = int(masks[number].sum())
        if float(scores[number]) >= least_score and area and int(free.sum()) >= least_visible * area:
            count += 1
            segments[free], classes[free] = count, int(labels[number])
    return classes, segments


def _row(*masks: str) -> np.ndarray:
    """Masks of one row, "##.." each."""
    return np.array([[[letter == "#" for letter in mask]] for mask in masks], dtype=bool).reshape(len(masks), 1, -1)


def _map(*numbers: int) -> np.ndarray:
    return np.array([numbers])


def _random(seed: int, count: int, least_score: float, least_visible: float) -> tuple[Any, ...]:
    """Rectangles of things over three classes of stuff and two of things."""
    generator = seeded(seed)
    height, width = 9, 12
    masks = np.zeros((count, height, width), dtype=bool)
    for mask in masks:
        top, left = generator.integers(0, height - 3), generator.integers(0, width - 3)
        mask[top : top + generator.integers(2, 6), left : left + generator.integers(2, 7)] = True
    semantic = np.repeat(generator.choice([0, 1, 2, 11, 12], (3, 4)), 3, axis=0).repeat(3, axis=1).astype(np.uint8)
    scores = (generator.permutation(count) + 1) / (count + 1)
    return masks, generator.choice([11, 12], count), scores, semantic, (0, 1, 2), least_score, least_visible


def _crowd() -> tuple[Any, ...]:
    """257 masks of one pixel, in a map of 16 x 17, and a last one that has all 272 pixels."""
    masks = np.zeros((258, 16, 17), dtype=bool)
    masks[np.arange(257), np.arange(257) // 17, np.arange(257) % 17] = True
    masks[257] = True
    scores = np.linspace(0.9, 0.6, 258)
    return masks, np.full(258, 11), scores, np.zeros((16, 17), dtype=np.uint8), (0, 1), 0.5, 0.9


def _large() -> tuple[Any, ...]:
    """A mask of 300 pixels on 20 x 20, of class 400, over stuff of class 300; 44 is 300 cut to eight bits."""
    masks = np.zeros((1, 20, 20), dtype=bool)
    masks[0, :15] = True
    semantic = np.full((20, 20), 300)
    semantic[:, 10:] = 44
    return masks, np.array([400]), np.array([0.9]), semantic, (300,), 0.5, 0.5


_SKY, _ROAD, _CAR, _CAT, _VOID = 0, 1, 11, 12, 255
_STUFF = (_SKY, _ROAD)
_GROUND = _map(0, 0, 1, 1, 1, 1)


EXERCISE = Exercise(
    id="5.14",
    title="A panoptic map",
    name="panoptic_map",
    statement="""
Mask R-CNN gives masks that may overlap, and says nothing about sky and road. A network such as PSPNet gives one class
to each pixel, and cannot tell two cars apart. A **panoptic** map has both: for every pixel a class and, on things, the
number of the segment, with no pixel in two segments. Kirillov et al. (2019) join the two by a simple rule. You write
it.

`masks` are R boolean masks (R x H x W) with `labels` and `scores`. `semantic` is H x W class numbers of another
network, and `stuff` the class numbers that have no instances.

1. Go through the masks by falling score. Leave out those whose score is below `least_score`.
2. A mask gets those of its pixels that no better mask has taken. If they are **less** than the share `least_visible` of
   *its own area*, it is left out altogether and takes nothing; the same holds for a mask without any pixel.
3. Those that stay are numbered 1, 2, 3, ... in the order in which they were placed.
4. What no mask has taken gets its class from `semantic` if that is stuff, and is void, 255, if it is a thing: nobody
   knows which one.

Write `panoptic_map(masks, labels, scores, semantic, stuff, least_score, least_visible)`, which returns two H x W maps:
the classes, and the numbers of the segments, 0 on stuff and void. No two scores are equal; there may be no
masks at all, or more than 255.
""",
    stub=STUB,
    reference=panoptic_map,
    cases=(
        Case(
            "one car on the road",
            (_row("..##.."), np.array([_CAR]), np.array([0.9]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(0, 0, 11, 11, 1, 1), _map(0, 0, 1, 1, 0, 0)),
        ),
        Case(
            "two cars overlap: the better one has the pixel",
            (_row(".###..", "..###."), np.array([_CAR, _CAR]), np.array([0.7, 0.9]), _GROUND, _STUFF, 0.5, 0.3),
            (_map(0, 11, 11, 11, 11, 1), _map(0, 2, 1, 1, 1, 0)),
            "order",
        ),
        Case(
            "a cat in front of a car",
            (_row("######", "..##.."), np.array([_CAR, _CAT]), np.array([0.6, 0.8]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(11, 11, 12, 12, 11, 11), _map(2, 2, 1, 1, 2, 2)),
            "order",
        ),
        Case(
            "too little is visible: left out, and the road is seen",
            (_row("####..", "..###."), np.array([_CAR, _CAT]), np.array([0.9, 0.8]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(11, 11, 11, 11, 1, 1), _map(1, 1, 1, 1, 0, 0)),
            "visible",
        ),
        Case(
            "just half is visible",
            (_row("####..", "..####"), np.array([_CAR, _CAT]), np.array([0.9, 0.8]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(11, 11, 11, 11, 12, 12), _map(1, 1, 1, 1, 2, 2)),
            "equal",
        ),
        Case(
            "one that was left out takes nothing from the third",
            (
                _row("####..", "..###.", "....##"), np.array([_CAR, _CAT, _CAR]), np.array([0.9, 0.8, 0.7]), _GROUND,
                _STUFF, 0.5, 0.6,
            ),
            (_map(11, 11, 11, 11, 11, 11), _map(1, 1, 1, 1, 2, 2)),
            "takes nothing",
        ),
        Case(
            "a score below the least",
            (_row("##....", "....##"), np.array([_CAR, _CAT]), np.array([0.4, 0.8]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(0, 0, 1, 1, 12, 12), _map(0, 0, 0, 0, 1, 1)),
            "score",
        ),
        Case(
            "a score that is just enough",
            (_row("##...."), np.array([_CAR]), np.array([0.5]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(11, 11, 1, 1, 1, 1), _map(1, 1, 0, 0, 0, 0)),
            "equal",
        ),
        Case(
            "things of the label map without a mask are void",
            (_row("##...."), np.array([_CAR]), np.array([0.9]), _map(11, 11, 11, 1, 12, 255), _STUFF, 0.5, 0.5),
            (_map(11, 11, 255, 1, 255, 255), _map(1, 1, 0, 0, 0, 0)),
            "void",
        ),
        Case(
            "no masks",
            (np.zeros((0, 1, 6), dtype=bool), np.zeros(0, dtype=int), np.zeros(0), _map(0, 1, 11, 1, 0, 0), _STUFF, 0.5,
             0.5),
            (_map(0, 1, 255, 1, 0, 0), _map(0, 0, 0, 0, 0, 0)),
            "void",
        ),
        Case(
            "a mask without pixels takes no number",
            (_row("......", "..##.."), np.array([_CAT, _CAR]), np.array([0.9, 0.8]), _GROUND, _STUFF, 0.5, 0.5),
            (_map(0, 0, 11, 11, 1, 1), _map(0, 0, 1, 1, 0, 0)),
            "numbers",
        ),
        Case("a wholly hidden mask, where anything visible is enough",
             (_row("####..", ".##..."), np.array([_CAR, _CAT]), np.array([0.9, 0.8]), _GROUND, _STUFF, 0.5, 0.1),
             (_map(11, 11, 11, 11, 1, 1), _map(1, 1, 1, 1, 0, 0)), "visible"),
        Case("many instances of one pixel, and one behind all of them", _crowd(), hint="visible"),
        Case("a large mask, and classes beyond 255", _large()),
        Case(
            "a score that is a little too low",
            (_row("##...."), np.array([_CAR]), np.array([0.70018]), _GROUND, _STUFF, 0.70019, 0.5),
            hint="score",
        ),
        Case("six rectangles", _random(0, 6, 0.0, 0.5)),
        Case("twelve, half of them sure enough", _random(1, 12, 0.5, 0.3)),
        Case("twelve, most of it must be visible", _random(2, 12, 0.2, 0.8)),
        Case("ten, a third of them not sure enough", _random(3, 10, 0.3, 0.5)),
    ),
    hints={
        "general": Hint(
            "A map of segments, at first all 0, knows which pixels are taken. The masks come by falling score.",
            "Begin with the classes of the stuff, and void elsewhere. For each mask find its free pixels, decide "
            "whether it stays, and only then write its class and its number there.",
        ),
        "order": Hint(
            "Better scores come first, and a pixel that is taken stays with its owner.",
            "for number in np.argsort(-scores), and write only where the segment is still 0.",
        ),
        "visible": Hint(
            "A mask of which too little is visible is left out as a whole: what counts is the visible part of its own "
            "area.",
            "visible.sum() < least_visible * masks[number].sum(): go on with the next one.",
        ),
        "equal": Hint(
            "Below is below: a score equal to the least, and a visible part equal to the share, are enough.",
            "Leave out with <, not with <=.",
        ),
        "takes nothing": Hint(
            "A mask that is left out takes no pixels and no number: who comes later finds them free.",
            "Mark pixels as taken only after the decision.",
        ),
        "score": Hint("Masks with a score below `least_score` are left out.", "scores[number] < least_score."),
        "void": Hint(
            "Where no mask is, only stuff of the label map counts. A thing without an instance is void, 255, in the "
            "classes, and 0 in the segments.",
            "np.where(np.isin(semantic, stuff), semantic, 255).",
        ),
        "numbers": Hint(
            "Segments are numbered 1, 2, 3, ... in the order in which they are placed; stuff and void have 0.",
            "A counter that rises only where a mask stays.",
        ),
        "labels": Hint("Each segment has the class of its own mask.", "labels[number], with the number of the mask."),
        "results": Hint("Two maps: the classes first, then the segments.", "return classes, segments."),
        "in place": Hint("The argument is changed: the label map is still needed.", "Work on a copy."),
    },
    mistakes=MISTAKES,
    alternatives=(_pixel_by_pixel, _painted_backwards, _with_torch),
    points=4,
    minutes=30,
    difficulty=2,
)  # fmt: skip
