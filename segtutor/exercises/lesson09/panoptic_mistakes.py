"""Typical wrong answers to exercise 9.6, a panoptic map from masks."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _merged(  # type: ignore[no-untyped-def]
    probabilities, masks, stuff, threshold, overlap, none="out", strict=True, strength="product", kept="both",
    least=0.5, drop=True, join="stuff", number="next", area="won", given=(None, None),
):  # fmt: skip
    """The merging with the switches of the mistakes; as it stands, the right one."""
    threshold, overlap = (threshold if given[0] is None else given[0]), (overlap if given[1] is None else given[1])
    if none == "column":
        probabilities = np.concatenate([probabilities[:, :-1], np.zeros_like(probabilities[:, :1])], axis=1)
    best, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
    sure = best > threshold if strict else best >= threshold
    if none == "out":
        sure &= labels < probabilities.shape[1] - 1
    sure = np.flatnonzero(sure)
    result, classes = np.zeros(masks.shape[1:], dtype=int), []
    if len(sure) == 0:
        return result, np.array(classes, dtype=int)
    if strength == "product":
        winner = sure[(best[sure, None, None] * masks[sure]).argmax(axis=0)]
    elif strength == "last":
        winner = sure[::-1][(best[sure[::-1], None, None] * masks[sure[::-1]]).argmax(axis=0)]
    elif strength == "covers":
        winner = sure[(best[sure, None, None] * (masks[sure] >= 0.5)).argmax(axis=0)]
    elif strength == "all":
        winner = (best[:, None, None] * masks).argmax(axis=0)
    else:
        winner = sure[masks[sure].argmax(axis=0)]
    seen = {}
    for query in sure:
        own, won = masks[query] >= least, winner == query
        if strength == "painted":
            won = own
        counted = won & own if area == "both" else won
        too_few = counted.sum() <= overlap * own.sum() if drop == "equal" else counted.sum() < overlap * own.sum()
        if drop and (not (own & won).any() or too_few):
            continue
        if none == "late" and labels[query] == probabilities.shape[1] - 1:
            continue
        label = int(labels[query])
        joined = {"stuff": label in stuff, "things": label not in stuff, "all": True, "none": False}[join]
        if not (joined and label in seen):
            classes.append(label)
            seen[label] = {"next": len(classes), "query": int(query) + 1, "zero": len(classes) - 1}[number]
            mine = seen[label]
        else:
            mine = seen[label]
            if join == "twice":
                classes.append(label)
        result[{"both": won & own, "won": won, "own": own}[kept]] = mine
    return result, np.array(classes, dtype=int)


def _first_of_all(probabilities, masks, stuff, threshold, overlap):  # type: ignore[no-untyped-def]
    """Where nobody is sure, the first query gets what it covers."""
    if (probabilities.max(axis=1) > threshold).any():
        return _merged(probabilities, masks, stuff, threshold, overlap)
    return (masks[0] >= 0.5).astype(int), probabilities[:1].argmax(axis=1)


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda p, m, s, t, o: _merged(p, m, s, t, o, **switches), hint)


MISTAKES = (
    _mistake("no object is a class", "no object", none="in"),
    _mistake("no object wins pixels", "no object", none="late"),
    _mistake("best of the other columns", "no object", none="column"),
    _mistake("everybody wins pixels", "no object", strength="all"),
    _mistake("at least the threshold", "threshold", strict=False),
    _mistake("threshold 0.8 and overlap 0.8", "threshold", given=(0.8, 0.8)),
    _mistake("no threshold", "threshold", given=(0.0, 0.8)),
    _mistake("always 0.8", "threshold", given=(0.8, None)),
    _mistake("mask alone", "product", strength="mask"),
    _mistake("later queries paint over", "product", strength="painted"),
    _mistake("the surest that covers", "product", strength="covers"),
    _mistake("the last of equals", "equals", strength="last"),
    _mistake("nobody is dropped", "overlap", drop=False),
    _mistake("dropped if equal", "overlap", drop="equal"),
    _mistake("an overlap of 0.8", "overlap", given=(None, 0.8)),
    _mistake("only what is covered is won", "overlap", area="both"),
    _mistake("all that is won", "half", kept="won"),
    _mistake("all that is covered", "half", kept="own"),
    _mistake("covered from 0.8 on", "half", least=0.8),
    _mistake("stuff in pieces", "stuff", join="none"),
    _mistake("all of a class is one", "things", join="all"),
    _mistake("things joined, stuff not", "things", join="things"),
    _mistake("numbers of the queries", "numbers", number="query"),
    _mistake("numbers from 0", "numbers", number="zero"),
    Mistake("classes first", lambda *given: _merged(*given)[::-1], "results"),
    Mistake("the map alone", lambda *given: _merged(*given)[0], "results"),
    Mistake("nobody: the first query", _first_of_all, "nobody"),
)
