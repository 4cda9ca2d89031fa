"""What the network made of an object, drawn with boxes 10 pixels high: the cases of exercise 5.13."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Case
from segtutor.exercises.lesson05.inputs import random_boxes
from segtutor.exercises.seeds import seeded

CAT, DOG = 3, 7
OBJECT = (0.0, 0.0, 10.0, 10.0)


def _at(overlap: float) -> tuple[float, float, float, float]:
    """A box whose IoU with the object is `overlap`: as high, and moved to the right by 10 (1 - o) / (1 + o)."""
    moved = 10 * (1 - overlap) / (1 + overlap)
    return moved, 0.0, 10 + moved, 10.0


def _found(
    proposals: Sequence[Sequence[float]], *candidates: tuple[Sequence[float], int, float, float]
) -> dict[str, np.ndarray]:
    """Proposals, and candidates as (box, label, score, IoU of the mask)."""
    boxes, labels, scores, masks = zip(*candidates, strict=True) if candidates else ((), (), (), ())
    return {
        "proposals": np.array(proposals, dtype=float).reshape(-1, 4),
        "boxes": np.array(boxes, dtype=float).reshape(-1, 4),
        "labels": np.array(labels, dtype=int),
        "scores": np.array(scores, dtype=float),
        "mask_iou": np.array(masks, dtype=float),
    }


def _case(
    name: str, wanted: str, found: dict[str, np.ndarray], hint: str = "general", least: float = 0.5, nms: float = 0.5
) -> Case:
    return Case(name, ({"box": np.array(OBJECT), "label": CAT}, found, least, nms), wanted, hint)


def _random(seed: int, least: float, nms: float) -> tuple[Any, ...]:
    """A crowd: the object is one of the boxes, and the candidates lie near it, for two classes."""
    generator = seeded(seed)
    box = random_boxes(seed, 1)[0]
    size = np.tile(box[2:] - box[:2], 2)
    count = int(generator.integers(3, 12))
    near = box + generator.normal(0, 0.12, (count, 4)) * size
    found = {
        "proposals": box + generator.normal(0, 0.2, (4, 4)) * size,
        "boxes": near,
        "labels": generator.choice([CAT, DOG], count),
        "scores": (generator.permutation(count) + 1) / (count + 1),
        "mask_iou": generator.uniform(0.2, 0.8, count),
    }
    return {"box": box, "label": CAT}, found, least, nms


_HERE = [_at(0.8)]
_FAR = (50.0, 50.0, 60.0, 60.0)
_HALF = (0.0, 0.0, 10.0, 5.0)
_LESS = (0.0, 0.0, 10.0, 4.9)
_NARROW = (0.0, 0.0, 10.0, 20.0)


CASES = (
    _case("one candidate, all in order", "found", _found(_HERE, (_at(0.9), CAT, 0.9, 0.8))),
    _case("no proposal at the object", "proposals", _found([_FAR], (_FAR, CAT, 0.9, 0.0)), "proposals"),
    _case("a dog is seen in its place", "classification", _found(_HERE, (_at(0.9), DOG, 0.9, 0.8)), "class"),
    _case("a cat, but elsewhere", "classification", _found(_HERE, (_FAR, CAT, 0.9, 0.0)), "class"),
    _case("seen, and not sure enough", "threshold", _found(_HERE, (_at(0.9), CAT, 0.3, 0.8)), "score"),
    _case("the mask covers too little", "mask", _found(_HERE, (_at(0.9), CAT, 0.9, 0.4)), "own mask"),
    _case("a better cat beside it removes it", "suppression",
          _found(_HERE, (_at(0.6), CAT, 0.6, 0.8), (_at(0.42), CAT, 0.9, 0.1)), "rivals"),
    _case("a better dog beside it removes nothing", "found",
          _found(_HERE, (_at(0.6), CAT, 0.6, 0.8), (_at(0.42), DOG, 0.9, 0.1))),
    _case("one beside it that is not sure enough removes nothing", "found",
          _found(_HERE, (_at(0.6), CAT, 0.4, 0.8), (_at(0.42), CAT, 0.5, 0.1)), "score", least=0.4, nms=0.8),
    _case("the rival is below the threshold", "found",
          _found(_HERE, (_at(0.42), CAT, 0.45, 0.1), (_at(0.6), CAT, 0.6, 0.8)), "score"),
    _case("no proposals, but a candidate", "proposals", _found([], (_at(0.9), CAT, 0.9, 0.8)), "nothing"),
    _case("no candidates", "classification", _found(_HERE), "nothing"),
    _case("nothing at all", "proposals", _found([]), "nothing"),
    _case("no proposal, and everything else fails, too", "proposals", _found([_FAR], (_FAR, DOG, 0.1, 0.0)), "order"),
    _case("not sure enough, and a bad mask", "threshold", _found(_HERE, (_at(0.9), CAT, 0.3, 0.1)), "order"),
    _case("IoU of one half, of proposal and candidate", "found", _found([_HALF], (_HALF, CAT, 0.9, 0.5)), "half"),
    _case("a little less, of the proposal", "proposals", _found([_LESS], (_at(0.9), CAT, 0.9, 0.8)), "half"),
    _case("a little less, of the candidate", "classification", _found(_HERE, (_LESS, CAT, 0.9, 0.8)), "half"),
    _case("a score equal to the threshold", "found", _found(_HERE, (_at(0.9), CAT, 0.7, 0.8)), "score", least=0.7),
    _case("a low threshold", "found", _found(_HERE, (_at(0.9), CAT, 0.1, 0.8)), "score", least=0.05),
    _case("the second survivor has the good mask", "found",
          _found(_HERE, (_at(0.55), CAT, 0.9, 0.1), (_NARROW, CAT, 0.8, 0.6)), "own mask"),
    _case("a good mask, but of one that was removed", "mask",
          _found(_HERE, (_at(0.7), CAT, 0.8, 0.9), (_at(0.9), CAT, 0.9, 0.3)), "own mask"),
    _case("a good mask, but of a dog", "mask",
          _found(_HERE, (_at(0.7), DOG, 0.8, 0.9), (_at(0.9), CAT, 0.9, 0.3)), "own mask"),
    _case("the good one stands behind two that are not sure", "found",
          _found(_HERE, (_FAR, CAT, 0.1, 0.0), (_FAR, CAT, 0.2, 0.0), (_at(0.9), CAT, 0.9, 0.8)), "numbers"),
    _case("suppressed only at a lower threshold", "found",
          _found(_HERE, (_at(0.6), CAT, 0.6, 0.8), (_at(0.42), CAT, 0.9, 0.1)), "rivals", nms=0.8),
    _case("a cat elsewhere survives", "suppression",
          _found(_HERE, (_at(0.6), CAT, 0.6, 0.8), (_at(0.42), CAT, 0.9, 0.1), (_FAR, CAT, 0.8, 0.9)), "rivals"),
    *(Case(f"a crowd, number {seed}", _random(seed, 0.35, 0.5)) for seed in range(1, 7)),
)  # fmt: skip
