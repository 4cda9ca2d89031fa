"""Typical wrong answers to exercise 5.13, the stage at which an object got lost."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.lesson05.box_iou import box_iou
from segtutor.exercises.lesson05.suppression import nms

WORDS = ("proposals", "classification", "threshold", "suppression", "mask")


def _stage(
    *,
    at: Callable[[Any], Any] = lambda overlap: overlap >= 0.5,
    fits: Callable[[Any, Any], Any] = operator.eq,
    enough: Callable[[Any, Any], Any] = operator.ge,
    rivals: str = "sure",
    places: bool = True,
    mask: Callable[[Any], Any] = lambda iou: iou >= 0.5,
    masks_of: str = "survivors",
    order: tuple[int, ...] = (0, 1, 2, 3, 4),
    proposals: Callable[[Any], Any] = np.any,
    fixed: float | None = None,
    nms_fixed: float | None = None,
) -> Callable[..., str]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
        least = least_score if fixed is None else fixed
        overlap = nms_iou if nms_fixed is None else nms_fixed
        here = at(box_iou(truth["box"][None], found["boxes"])[0])
        right = here & fits(found["labels"], truth["label"])
        sure = enough(found["scores"], least)
        entering = {"sure": sure, "right": right & sure, "here": here & sure, "none": sure}[rivals]
        numbers = np.flatnonzero(entering)
        kept = nms(*(found[key][numbers] for key in ("boxes", "scores", "labels")), overlap)
        survives = np.zeros_like(sure)
        survives[numbers[kept] if places else kept] = True
        if rivals == "none":
            survives = sure
        alive = right & sure & survives
        scored = {
            "survivors": alive,
            "candidates": right,
            "sure": right & sure,
            "here": here & survives,
            "all survivors": survives & sure,
            "best": alive,
        }[masks_of]
        ious = found["mask_iou"][scored]
        if masks_of == "best" and len(ious):
            ious = ious[[found["scores"][scored].argmax()]]
        left = [
            proposals(at(box_iou(truth["box"][None], found["proposals"])[0])),
            right.any(),
            (right & sure).any(),
            alive.any(),
            mask(ious).any(),
        ]
        return next((WORDS[stage] for stage in order if not left[stage]), "found")

    return wrong


def _maxima(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
    if box_iou(truth["box"][None], found["proposals"]).max() < 0.5:
        return "proposals"
    return _stage()(truth, found, least_score, nms_iou)


def _best_candidate(truth, found, least_score, nms_iou):  # type: ignore[no-untyped-def]
    """Only the candidate with the largest IoU is followed."""
    if not len(found["boxes"]):
        return _stage()(truth, found, least_score, nms_iou)
    overlaps = box_iou(truth["box"][None], found["boxes"])[0] - 2 * (found["labels"] != truth["label"])
    best = int(overlaps.argmax())
    alone = {key: one if key == "proposals" else one.copy() for key, one in found.items()}
    right = (overlaps >= 0.5) & (np.arange(len(overlaps)) != best)
    alone["mask_iou"][right] = 0.0
    return _stage()(truth, alone, least_score, nms_iou)


def _with_words(words):  # type: ignore[no-untyped-def]
    return lambda *arguments: words.get(_stage()(*arguments), _stage()(*arguments))


MISTAKES = (
    Mistake("from behind", _stage(order=(4, 3, 2, 1, 0)), "order"),
    Mistake("threshold before classification", _stage(order=(0, 2, 1, 3, 4)), "order"),
    Mistake("mask before suppression", _stage(order=(0, 1, 2, 4, 3)), "order"),
    Mistake("proposals not asked", _stage(order=(1, 2, 3, 4)), "proposals"),
    Mistake("all proposals at it", _stage(proposals=lambda at: len(at) and at.all()), "proposals"),
    Mistake("any proposal at all", _stage(proposals=lambda at: len(at) > 0), "proposals"),
    Mistake("class not asked", _stage(fits=lambda labels, label: np.ones_like(labels, dtype=bool)), "class"),
    Mistake("any other class", _stage(fits=operator.ne), "class"),
    Mistake("boxes not asked", _stage(at=lambda overlap: overlap >= 0), "class"),
    Mistake("above one half", _stage(at=lambda overlap: overlap > 0.5), "half"),
    Mistake("at least 0.7", _stage(at=lambda overlap: overlap >= 0.7), "half"),
    Mistake("at least 0.3", _stage(at=lambda overlap: overlap >= 0.3), "half"),
    Mistake("any overlap", _stage(at=lambda overlap: overlap > 0), "half"),
    Mistake("mask above one half", _stage(mask=lambda iou: iou > 0.5), "half"),
    Mistake("score above the threshold", _stage(enough=operator.gt), "score"),
    Mistake("always 0.5", _stage(fixed=0.5), "score"),
    Mistake("always 0.05", _stage(fixed=0.05), "score"),
    Mistake("no threshold", _stage(enough=lambda scores, least: np.ones_like(scores, dtype=bool)), "score"),
    Mistake("suppression among the right ones", _stage(rivals="right"), "rivals"),
    Mistake("suppression among those at the object", _stage(rivals="here"), "rivals"),
    Mistake("suppression left out", _stage(rivals="none"), "rivals"),
    Mistake("suppression always 0.5", _stage(nms_fixed=0.5), "rivals"),
    Mistake("places for numbers", _stage(places=False), "numbers"),
    Mistake("masks of all candidates", _stage(masks_of="candidates"), "own mask"),
    Mistake("masks of those that were removed, too", _stage(masks_of="sure"), "own mask"),
    Mistake("masks of dogs, too", _stage(masks_of="here"), "own mask"),
    Mistake("mask of the best alone", _stage(masks_of="best"), "own mask"),
    Mistake("best candidate alone", _best_candidate, "own mask"),
    Mistake("masks not asked", _stage(mask=lambda iou: iou >= 0), "own mask"),
    Mistake("all masks", _stage(mask=lambda iou: np.array([len(iou) > 0 and (iou >= 0.5).all()])), "own mask"),
    Mistake("largest of nothing", _maxima, "nothing"),
    Mistake("numbers of the stages", lambda *a: (*WORDS, "found").index(_stage()(*a)), "words"),
    Mistake("other words", _with_words({"classification": "class", "threshold": "score", "suppression": "nms"}),
            "words"),
)  # fmt: skip
