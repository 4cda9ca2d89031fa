"""Typical wrong answers to exercise 5.14, a panoptic map."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from segtutor.exercises.exercise import Mistake


def _map(
    *,
    order: Callable[[Any], Any] = lambda scores: np.argsort(-scores),
    low: Callable[[Any, Any], Any] = operator.lt,
    hidden: Callable[[Any, Any], Any] = operator.lt,
    of: str = "own",
    takes: str = "placed",
    ground: Callable[[Any, Any], Any] = lambda semantic, stuff: np.where(np.isin(semantic, stuff), semantic, 255),
    over: bool = False,
    start: int = 1,
    counted: str = "placed",
    label: Callable[[Any, int, int], Any] = lambda labels, number, place: labels[number],
) -> Callable[..., Any]:
    """The answer with the switches of the mistakes; as it stands, the right one."""

    def wrong(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
        classes = ground(semantic, stuff)
        segments = np.zeros(semantic.shape, dtype=int)
        taken = np.zeros(semantic.shape, dtype=bool)
        count = 0
        for place, number in enumerate(order(scores)):
            visible = masks[number] & ~taken
            area = {"own": masks[number].sum(), "picture": masks[number].size, "one": 1}[of]
            empty = not masks[number].any()
            if low(scores[number], least_score) or empty or hidden(visible.sum(), least_visible * area):
                if takes == "always":
                    taken |= masks[number]
                if counted == "always":
                    count += 1
                continue
            count += 1
            drawn = masks[number] if over else visible
            taken |= drawn
            segments[drawn] = number + 1 if counted == "by input" else count - 1 + start
            classes[drawn] = label(labels, number, place)
        return classes, segments

    return wrong


def _all_of_the_label_map(semantic, stuff):  # type: ignore[no-untyped-def]
    return semantic.astype(int)


def _zero_for_things(semantic, stuff):  # type: ignore[no-untyped-def]
    return np.where(np.isin(semantic, stuff), semantic, 0)


def _every_mask_a_number(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
    """Empty masks take a number, too."""
    found = [*np.flatnonzero(~masks.any(axis=(1, 2)))]
    classes, segments = _map()(masks, labels, scores, semantic, stuff, least_score, least_visible)
    before = sum(scores[number] > 0.5 for number in found)
    return classes, np.where(segments > 0, segments + before, 0)


def _stuff_numbered(*arguments):  # type: ignore[no-untyped-def]
    """Each class of stuff is a segment of its own, with the next numbers."""
    classes, segments = _map()(*arguments)
    for label in np.unique(classes[(segments == 0) & (classes != 255)]):
        segments[(classes == label) & (segments == 0) & np.isin(classes, arguments[4])] = segments.max() + 1
    return classes, segments


def _void_in_both(*arguments):  # type: ignore[no-untyped-def]
    classes, segments = _map()(*arguments)
    return classes, np.where(classes == 255, 255, segments)


def _only_over_its_class(*arguments):  # type: ignore[no-untyped-def]
    """An instance counts only where the label map has its class."""
    masks, labels, scores, semantic, *rest = arguments
    return _map()(masks & (semantic[None] == labels[:, None, None]), labels, scores, semantic, *rest)


def _writes(masks, labels, scores, semantic, stuff, least_score, least_visible):  # type: ignore[no-untyped-def]
    semantic[~np.isin(semantic, stuff)] = 255
    return _map()(masks, labels, scores, semantic, stuff, least_score, least_visible)


MISTAKES = (
    Mistake("as they come", _map(order=lambda scores: np.arange(len(scores))), "order"),
    Mistake("worst first", _map(order=np.argsort), "order"),
    Mistake("the last one covers", _map(over=True), "order"),
    Mistake("nothing left out for being hidden", _map(hidden=lambda visible, least: visible == 0), "visible"),
    Mistake("share of the picture", _map(of="picture"), "visible"),
    Mistake("a number of pixels", _map(of="one"), "visible"),
    Mistake("hidden part, not the visible one", _map(hidden=operator.gt), "visible"),
    Mistake("at most the share", _map(hidden=operator.le), "equal"),
    Mistake("at most the least score", _map(low=operator.le), "equal"),
    Mistake("takes its pixels all the same", _map(takes="always"), "takes nothing"),
    Mistake("takes a number all the same", _map(counted="always"), "numbers"),
    Mistake("no least score", _map(low=lambda score, least: False), "score"),
    Mistake("things of the label map stay", _map(ground=_all_of_the_label_map), "void"),
    Mistake("0 for void", _map(ground=_zero_for_things), "void"),
    Mistake("void where no mask is", _map(ground=lambda semantic, stuff: np.full(semantic.shape, 255)), "void"),
    Mistake("things kept, stuff void", _map(ground=lambda s, stuff: np.where(np.isin(s, stuff), 255, s)), "void"),
    Mistake("255 in both maps", _void_in_both, "void"),
    Mistake("from 0", _map(start=0), "numbers"),
    Mistake("number in the input", _map(counted="by input"), "numbers"),
    Mistake("empty masks numbered", _every_mask_a_number, "numbers"),
    Mistake("stuff numbered, too", _stuff_numbered, "numbers"),
    Mistake("labels by place", _map(label=lambda labels, number, place: labels[place]), "labels"),
    Mistake("the best one's label", _map(label=lambda labels, number, place: labels[0]), "labels"),
    Mistake("only where the label map agrees", _only_over_its_class, "labels"),
    Mistake("exchanged", lambda *a: _map()(*a)[::-1], "results"),
    Mistake("the classes alone", lambda *a: _map()(*a)[0], "results"),
    Mistake("writes into the label map", _writes, "in place"),
)
