"""Exercise 9.6: a panoptic map from a set of masks."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from segtutor.exercises.exercise import Exercise, Hint
from segtutor.exercises.lesson09.panoptic_cases import CASES
from segtutor.exercises.lesson09.panoptic_mistakes import MISTAKES

STUB = '''
def panoptic(probabilities, masks, stuff, threshold, overlap):
    """Map H x W of segment numbers from 1, 0 for none, and the segments' classes, from Q queries."""
    raise NotImplementedError("Write panoptic() here, then run this cell again.")
'''


def panoptic(
    probabilities: np.ndarray, masks: np.ndarray, stuff: Collection[int], threshold: float, overlap: float
) -> tuple[np.ndarray, np.ndarray]:
    """Map H x W of segment numbers from 1, 0 for none, and the segments' classes, from Q queries."""
    best, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
    sure = np.flatnonzero((best > threshold) & (labels < probabilities.shape[1] - 1))
    result = np.zeros(masks.shape[1:], dtype=int)
    classes: list[int] = []
    if len(sure) == 0:
        return result, np.array(classes, dtype=int)
    winner = sure[(best[sure, None, None] * masks[sure]).argmax(axis=0)]
    for query in sure:
        covered, won = masks[query] >= 0.5, winner == query
        if not (covered & won).any() or won.sum() < overlap * covered.sum():
            continue
        label = int(labels[query])
        if label not in stuff or label not in classes:
            classes.append(label)
            number = len(classes)
        else:
            number = classes.index(label) + 1
        result[covered & won] = number
    return result, np.array(classes, dtype=int)


def _with_loops(probabilities, masks, stuff, threshold, overlap):  # type: ignore[no-untyped-def]
    queries, height, width = masks.shape
    none = probabilities.shape[1] - 1
    kept = []
    for q in range(queries):
        label = int(np.argmax(probabilities[q]))
        if label != none and probabilities[q, label] > threshold:
            kept.append((q, label, probabilities[q, label]))
    result = np.zeros((height, width), dtype=int)
    won = {q: [] for q, _, _ in kept}
    for y in range(height):
        for x in range(width):
            if kept:
                values = [score * masks[q, y, x] for q, _, score in kept]
                won[kept[int(np.argmax(values))][0]].append((y, x))
    classes, of_stuff = [], {}
    for q, label, _ in kept:
        area = int((masks[q] >= 0.5).sum())
        mine = [place for place in won[q] if masks[q][place] >= 0.5]
        if not mine or len(won[q]) < overlap * area:
            continue
        if label in of_stuff:
            number = of_stuff[label]
        else:
            classes.append(label)
            number = len(classes)
            if label in stuff:
                of_stuff[label] = number
        for place in mine:
            result[place] = number
    return result, classes


def _with_torch(probabilities, masks, stuff, threshold, overlap):  # type: ignore[no-untyped-def]
    import torch

    best, labels = torch.from_numpy(probabilities).max(dim=1)
    masks = torch.from_numpy(masks)
    sure = ((best > threshold) & (labels != probabilities.shape[1] - 1)).nonzero()[:, 0].tolist()
    result, classes, numbers = torch.zeros(masks.shape[1:], dtype=torch.long), [], {}
    if sure:
        winner = (best[sure][:, None, None] * masks[sure]).argmax(dim=0)
    for place, query in enumerate(sure):
        won = winner == place
        covered = masks[query] >= 0.5
        if (won & covered).sum() == 0 or won.sum() < overlap * covered.sum():
            continue
        label = int(labels[query])
        if label not in numbers:
            classes.append(label)
            if label in stuff:
                numbers[label] = len(classes)
        result[won & covered] = numbers.get(label, len(classes))
    return result, torch.tensor(classes, dtype=torch.long)


def _painted(probabilities, masks, stuff, threshold, overlap):  # type: ignore[no-untyped-def]
    """Numbers of queries first; then they are renamed."""
    scores = np.where(np.arange(probabilities.shape[1]) < probabilities.shape[1] - 1, probabilities, -1.0)
    top, label = probabilities.max(1), scores.argmax(1)
    taking_part = (probabilities.argmax(1) == label) & (top > threshold)
    strength = np.where(taking_part[:, None, None], top[:, None, None] * masks, -1.0)
    winner = np.where(taking_part.any(), strength.argmax(0), -1)
    names = {}
    classes = []
    for query in np.flatnonzero(taking_part):
        won = (winner == query).sum()
        own = ((winner == query) & (masks[query] >= 0.5)).any()
        if own and won >= overlap * (masks[query] >= 0.5).sum():
            if label[query] in stuff and int(label[query]) in classes:
                names[query] = classes.index(int(label[query])) + 1
            else:
                classes.append(int(label[query]))
                names[query] = len(classes)
    result = np.zeros(winner.shape, dtype=int)
    for query, number in names.items():
        result[(winner == query) & (masks[query] >= 0.5)] = number
    return result, classes


EXERCISE = Exercise(
    id="9.6",
    title="A panoptic map from masks",
    name="panoptic",
    statement="""
Write `panoptic(probabilities, masks, stuff, threshold, overlap)`. `probabilities` are Q x (K + 1), each row adds up to
1, and the last column is *no object*; `masks` are Q x H x W from 0 to 1; `stuff` are the classes that have no
instances. Proceed as the authors do:

1. A query's class is the most probable column. Only queries take part whose class is not *no object* and whose
   probability is **above** `threshold`.
2. Each pixel is won by the query for which probability times mask is the largest (the first of equals).
3. Go through the queries in order. A query *covers* the pixels at which its mask is at least 0.5. Drop it if it has won
   none of them, or if the number of pixels that it has won at all is **below** `overlap` times the number that it
   covers.
4. Otherwise the pixels that it has won *and* covers become a segment with the next number, from 1. If its class is
   stuff that has a segment already, they join that segment.

Return the map H x W, 0 where there is no segment, and the classes of the segments in the order of their numbers.
""",
    stub=STUB,
    reference=panoptic,
    cases=CASES,
    hints={
        "general": Hint(
            "First decide who takes part, then who wins each pixel, and only then build segments one query at a time.",
            "Keep the numbers of the sure queries. Their probabilities times their masks give one winner per pixel. "
            "For each of them compare two counts, what it has won and what it covers. For stuff remember which number "
            "the class has got.",
        ),
        "no object": Hint(
            "A query whose most probable column is the last one takes no part: it wins no pixel.",
            "Look at the largest of all K + 1 columns, and drop the query if that is the last.",
        ),
        "threshold": Hint(
            "The probability must be *above* the given threshold.", "Greater than, and with the argument."
        ),
        "product": Hint(
            "Pixels are won by the product of probability and mask, not by the mask alone.",
            "Multiply each sure query's mask by its probability before you look for the largest.",
        ),
        "equals": Hint(
            "Where two queries are equal, the first of them wins the pixel.",
            "argmax takes the first of equals; in a loop use > and not >=.",
        ),
        "results": Hint("Two results are wanted: the map, and then the classes.", "return the map, the classes."),
        "overlap": Hint(
            "A query that has won too little of what it covers is dropped; its pixels stay 0.",
            "Count the pixels that it has won, and those at which its mask is at least 0.5; compare by `overlap`.",
        ),
        "half": Hint(
            "Pixels that a query wins with a mask below 0.5 belong to nobody.",
            "A segment is what is won *and* covered.",
        ),
        "stuff": Hint(
            "All parts of one class of stuff are one segment, with the number of the first.",
            "Remember the number of each class of stuff; the list of classes grows only for a new one.",
        ),
        "things": Hint("Two things of one class are two segments.", "Only classes in `stuff` are joined."),
        "nobody": Hint(
            "If no query is sure, there is no segment: a map of zeros and no classes.",
            "Answer this case first: nothing has no largest value.",
        ),
        "numbers": Hint(
            "Segments are numbered 1, 2, 3, ... in the order of their queries; those that are dropped take no number.",
            "The next number is the length of the list of classes after the new one has joined it.",
        ),
    },
    mistakes=MISTAKES,
    alternatives=(_with_loops, _with_torch, _painted),
    points=5,
    minutes=35,
    difficulty=3,
)
