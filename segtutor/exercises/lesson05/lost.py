"""Exercise 5.13: the stage of Mask R-CNN at which an object got lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from segtutor.exercises.exercise import Exercise, Hint
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.lost_cases import CASES
from segtutor.exercises.lesson05.lost_mistakes import MISTAKES
from segtutor.exercises.lesson05.suppression import nms

STUB = '''
def stage_of_loss(truth, found, least_score, nms_iou):
    """The first stage behind which nothing is left of an object: "proposals", "classification", ... or "found"."""
    raise NotImplementedError("Write stage_of_loss() here, then run this cell again.")
'''


def stage_of_loss(truth: dict[str, Any], found: dict[str, np.ndarray], least_score: float, nms_iou: float) -> str:
    """The first stage behind which nothing is left of an object: "proposals", "classification", ... or "found"."""
    here = box_iou(truth["box"][None], found["boxes"])[0] >= 0.5
    right = here & (found["labels"] == truth["label"])
    sure = np.flatnonzero(found["scores"] >= least_score)
    if not (box_iou(truth["box"][None], found["proposals"]) >= 0.5).any():
        return "proposals"
    if not right.any():
        return "classification"
    if not right[sure].any():
        return "threshold"
    survivors = sure[nms(found["boxes"][sure], found["scores"][sure], found["labels"][sure], nms_iou)]
    survivors = survivors[right[survivors]]
    if not len(survivors):
        return "suppression"
    return "found" if found["mask_iou"][survivors].max() >= 0.5 else "mask"


def _stage_by_stage(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
    """Numbers of the candidates that are left, with a name for each time that they become fewer."""
    if not len(found["proposals"]) or box_iou(found["proposals"], truth["box"][None]).max() < 0.5:
        return "proposals"
    left = [
        number
        for number, (box, label) in enumerate(zip(found["boxes"], found["labels"], strict=True))
        if label == truth["label"] and box_iou(box[None], truth["box"][None])[0, 0] >= 0.5
    ]
    kept = [number for number, score in enumerate(found["scores"]) if score >= least_score]
    chosen = nms(found["boxes"][kept], found["scores"][kept], found["labels"][kept], nms_iou)
    alive = {kept[number] for number in chosen}
    stages = {
        "classification": lambda number: True,
        "threshold": lambda number: number in kept,
        "suppression": lambda number: number in alive,
        "mask": lambda number: found["mask_iou"][number] >= 0.5,
    }
    for name, passes in stages.items():
        left = [number for number in left if passes(number)]
        if not left:
            return name
    return "found"


def _counting(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
    """One truth value per stage, each of what is left behind it; the first False names the stage."""
    overlap = box_iou(truth["box"][None], np.concatenate([found["proposals"], found["boxes"]]))[0] >= 0.5
    count = len(found["proposals"])
    right = overlap[count:] & (found["labels"] == truth["label"])
    sure = right & (found["scores"] >= least_score)
    rest = found["scores"] >= least_score
    order = np.arange(len(rest))[rest]
    kept = np.zeros(len(rest), dtype=bool)
    kept[order[nms(found["boxes"][rest], found["scores"][rest], found["labels"][rest], nms_iou)]] = True
    alive = sure & kept
    left = [overlap[:count], right, sure, alive, alive & (found["mask_iou"] >= 0.5)]
    names = ("proposals", "classification", "threshold", "suppression", "mask")
    return next((name for name, one in zip(names, left, strict=True) if not one.any()), "found")


def _from_behind(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
    """The stages in reverse: each answer holds unless an earlier stage is to blame."""
    own = found["labels"] == truth["label"]
    sure = np.flatnonzero(own & (found["scores"] >= least_score))  # other classes suppress nothing
    kept = sure[nms(found["boxes"][sure], found["scores"][sure], found["labels"][sure], nms_iou)]
    near = box_iou(found["boxes"], truth["box"][None])[:, 0] >= 0.5
    answer = "found" if (found["mask_iou"][kept[near[kept]]] >= 0.5).any() else "mask"
    answer = answer if near[kept].any() else "suppression"
    answer = answer if near[sure].any() else "threshold"
    answer = answer if (near & own).any() else "classification"
    return answer if (box_iou(found["proposals"], truth["box"][None]) >= 0.5).any() else "proposals"


EXERCISE = Exercise(
    id="5.13",
    title="Where did it get lost?",
    name="stage_of_loss",
    statement="""
A cat is not among the detections. Which part of the network should you work on? Follow it through the stages, as lesson
5 does with one person, and name the **first** stage behind which nothing is left of it.

`truth` is a dictionary with the object's `"box"` (x1, y1, x2, y2) and its class number, `"label"`. `found` holds what
the network made of the picture: `"proposals"` (P x 4), and R candidates, each a box for one class, *before* anything is
removed: `"boxes"` (R x 4), `"labels"`, `"scores"`, and `"mask_iou"`, the IoU of its mask with the object's. The network
then removes candidates with a score below `least_score`, and of the others those that non-maximum suppression with
`nms_iou` removes within their class, as in 5.7.

A proposal or candidate **is at the object** if the IoU of the boxes is at least 0.5. Write
`stage_of_loss(truth, found, least_score, nms_iou)`, which returns the first of these words that fits:

| word | if |
| --- | --- |
| `"proposals"` | no proposal is at the object |
| `"classification"` | no candidate of its class is at the object |
| `"threshold"` | such candidates are there, but the score of each is below `least_score` |
| `"suppression"` | some of them have the score, but suppression leaves none |
| `"mask"` | some survive, but none of the survivors' masks has an IoU of at least 0.5 |
| `"found"` | one does |

No two scores are equal. There may be no proposals and no candidates. Your `box_iou` and `nms` are at hand.
""",
    stub=STUB,
    reference=stage_of_loss,
    cases=CASES,
    hints={
        "general": Hint(
            "Ask stage by stage what is left of the object, and stop at the first stage that leaves nothing.",
            "One truth value per candidate says whether it is at the object and of its class; it serves all later "
            "stages. Suppression runs on all candidates with a sufficient score, those that are elsewhere as well: a "
            "better one beside the object may remove the right one.",
        ),
        "order": Hint(
            "The first stage that leaves nothing is to blame, even if later ones would have failed, too.",
            "Ask in the order of the table, and return at once.",
        ),
        "proposals": Hint(
            "Proposals have no class. Only their boxes count, and one of them is enough.",
            "box_iou(truth['box'][None], found['proposals']) >= 0.5, any().",
        ),
        "class": Hint(
            "A candidate counts for the object only if its box *and* its class fit.",
            "Both conditions, joined with &, for each candidate.",
        ),
        "half": Hint(
            "At the object means a box IoU of at least 0.5: equal is enough, and so it is for the mask.", ">= 0.5."
        ),
        "score": Hint(
            "The threshold is an argument, and a score that is equal to it is sufficient.", "scores >= least_score."
        ),
        "rivals": Hint(
            "Suppression sees *all* candidates with a sufficient score. One that is not at the object, IoU 0.4, may "
            "still overlap the right one and remove it.",
            "Run nms on all of them, and only then look which survivors are at the object.",
        ),
        "numbers": Hint(
            "nms returns places in what you gave it. If you gave it a part, they are places in that part.",
            "numbers = np.flatnonzero(...); survivors = numbers[nms(...)].",
        ),
        "own mask": Hint(
            "The mask that counts is one of a survivor that is at the object: any of them will do.",
            "found['mask_iou'][survivors at the object], its largest value.",
        ),
        "nothing": Hint(
            "No proposals, or no candidates: nothing is at the object, and there is no error.",
            "any() of nothing is False; max() of nothing is an error.",
        ),
        "words": Hint("One of the six words is wanted.", "Return the word as it stands in the table."),
    },
    mistakes=MISTAKES,
    alternatives=(_stage_by_stage, _counting, _from_behind),
    points=4,
    minutes=30,
    difficulty=2,
)
