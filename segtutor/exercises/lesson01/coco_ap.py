"""Exercise 1.10: AP as COCO reports it, for one class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segtutor.exercises.exercise import Case, Exercise, Hint, Mistake
from segtutor.exercises.lesson01 import coco_variants as variants
from segtutor.exercises.lesson01.average_precision import average_precision
from segtutor.exercises.lesson01.curve import pr_curve
from segtutor.exercises.lesson01.inputs import random_overlaps
from segtutor.exercises.lesson01.matching import match_detections
from segtutor.exercises.seeds import seeded

STUB = '''
def coco_ap(scores, overlaps):
    """AP of one class, mean over the IoU thresholds 0.5, 0.55, ... 0.95; per image D scores and D x G overlaps."""
    raise NotImplementedError("Write coco_ap() here, then run this cell again.")
'''


def coco_ap(scores: Sequence[np.ndarray], overlaps: Sequence[np.ndarray]) -> float:
    """AP of one class, mean over the IoU thresholds 0.5, 0.55, ... 0.95; per image D scores and D x G overlaps."""
    num_positives = sum(overlap.shape[1] for overlap in overlaps)
    if num_positives == 0:
        return np.nan
    orders = [np.argsort(-score, kind="stable") for score in scores]
    all_scores = np.concatenate([score[order] for score, order in zip(scores, orders, strict=True)])
    precisions = []
    for threshold in np.linspace(0.5, 0.95, 10):
        hits = [match_detections(overlap[order], threshold) for overlap, order in zip(overlaps, orders, strict=True)]
        precision, recall = pr_curve(all_scores, np.concatenate(hits) >= 0, num_positives)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        precisions.append(envelope[np.searchsorted(recall, np.linspace(0, 1, 101))].mean())
    return float(np.mean(precisions))


def _with_loops(scores, overlaps):  # type: ignore[no-untyped-def]
    objects = sum(overlap.shape[1] for overlap in overlaps)
    if not objects:
        return float("nan")
    total = 0.0
    for step in range(10):
        rows = []
        for score, overlap in zip(scores, overlaps, strict=True):
            taken = set()
            for number in sorted(range(len(score)), key=lambda number: -score[number]):
                free = [
                    g
                    for g in range(overlap.shape[1])
                    if g not in taken and overlap[number, g] >= variants.THRESHOLDS[step]
                ]
                best = max(free, key=lambda g: (overlap[number, g], g), default=None)
                taken.add(best)
                rows.append((score[number], best is not None))
        rows.sort(key=lambda row: -row[0])
        found, points = 0, []
        for place, (_, hit) in enumerate(rows, start=1):
            found += hit
            points.append((found / objects, found / place))
        total += sum(max((p for r, p in points if r >= level), default=0.0) for level in variants.LEVELS) / 101
    return total / 10


def _with_torch(scores, overlaps):  # type: ignore[no-untyped-def]
    import torch

    def ap(precision, recall):  # type: ignore[no-untyped-def]
        reached = torch.from_numpy(recall)[None] >= torch.from_numpy(variants.LEVELS)[:, None]
        heights = torch.from_numpy(precision).expand_as(reached) * reached
        return float(heights.amax(1).mean()) if heights.shape[1] else 0.0

    return variants.general(scores, overlaps, ap=ap)


def _with_pooled_helpers(scores, overlaps):  # type: ignore[no-untyped-def]
    return variants.general(scores, overlaps)


def _images(seed, sizes):  # type: ignore[no-untyped-def]
    generator = seeded(seed)
    overlaps = [random_overlaps(seed + number, *size) for number, size in enumerate(sizes)]
    return [np.round(generator.random(len(overlap)), 2) for overlap in overlaps], overlaps


_NONE = np.zeros((0, 0))
_CROWD = ([np.linspace(1, 0, 110)], [np.where(np.arange(110)[:, None] == [10, 104, 108], 0.98, 0.01)])

EXERCISE = Exercise(
    id="1.10",
    title="AP as COCO reports it",
    name="coco_ap",
    statement="""
The number that detection and instance segmentation papers report. Write `coco_ap(scores, overlaps)` for one class;
both arguments are lists with one entry per image: the scores of its D detections (in any order) and the D x G IoU
with its G objects. For each of the ten IoU thresholds 0.5, 0.55, ... 0.95:

1. in each image, sort the detections by falling score and match them (`match_detections`);
2. put the detections of all images together and draw one curve (`pr_curve`) for *all* objects;
3. take the mean of the envelope at the 101 recall levels `np.linspace(0, 1, 101)`, 0 where the curve does not reach.

AP is the mean over the thresholds, NaN if there is no object at all. Write the thresholds as
`np.linspace(0.5, 0.95, 10)`. (Crowds, object sizes and the limit of 100 detections are left out here; the package's
`segtutor.metrics.evaluate_coco` has them.)
""",
    stub=STUB,
    reference=coco_ap,
    cases=(
        Case("one perfect detection", ([np.array([0.9])], [np.array([[0.99]])]), 1.0),
        Case("one detection with IoU 0.72: five of ten thresholds", ([np.array([0.9])], [np.array([[0.72]])]), 0.5),
        Case(
            "two detections of one object", ([np.array([0.9, 0.8])], [np.array([[0.99, 0.0], [0.98, 0.0]])]), 51 / 101
        ),
        Case("five random images", _images(0, ((6, 4), (3, 5), (0, 2), (5, 0), (8, 6)))),
        Case("eight random images", _images(20, ((9, 4), (2, 2), (7, 5), (4, 1), (0, 3), (6, 6), (5, 3), (1, 4)))),
        Case(
            "two images, the second has no detection",
            ([np.array([0.9]), np.zeros(0)], [np.array([[0.99]]), np.zeros((0, 1))]),
            51 / 101,
            "objects",
        ),
        Case(
            "a false detection in an image without objects, more certain than the hit",
            ([np.array([0.9]), np.array([0.8])], [np.zeros((1, 0)), np.array([[0.99]])]),
            0.5,
            "false",
        ),
        Case(
            "not sorted: the better detection stands second",
            ([np.array([0.3, 0.8])], [np.array([[0.97], [0.98]])]),
            1.0,
            "sort images",
        ),
        Case("IoU exactly 0.5", ([np.array([0.9])], [np.array([[0.5]])]), 0.1, "strict"),
        Case("IoU exactly 0.6", ([np.array([0.9])], [np.array([[0.6]])]), 0.3, "strict"),
        Case("an image with 110 detections", _CROWD, hint="limit"),
        Case("no object anywhere", ([np.array([0.7]), np.zeros(0)], [np.zeros((1, 0)), _NONE]), np.nan, "nothing"),
        Case("objects but no detection", ([np.zeros(0)], [np.zeros((0, 3))]), 0.0, "nothing"),
    ),
    hints={
        "general": Hint(
            "Per threshold one list of scores and one list of hits, of all images together; then one curve and its AP.",
            "Sort each image once; that order serves all thresholds. For each threshold collect the hits of all "
            "images, in the same order as the scores, and draw one curve. The height at a level is the envelope at "
            "the first point that reaches it, and 0 if none does.",
        ),
        "one threshold": Hint(
            "This is the AP at one IoU threshold (or the best of them). COCO's AP is the mean over ten thresholds.",
            "for threshold in np.linspace(0.5, 0.95, 10), and the mean of the ten.",
        ),
        "endpoint": Hint(
            "The thresholds are others than 0.5, 0.55, ... 0.95: one too few or too many, or another step. np.arange "
            "stops before its end.",
            "np.linspace(0.5, 0.95, 10).",
        ),
        "false": Hint(
            "Look at an image without objects: its detections are false ones, and cost precision in the list of all.",
            "Loop over all images; do not skip those with nothing in them.",
        ),
        "limit": Hint(
            "Look at an image with many detections: here all of them count, not only 100.",
            "Leave out any limit on the number of detections.",
        ),
        "mixed": Hint(
            "Detections hit objects of another image. Only the list of scores and hits is common to all images.",
            "Call match_detections image by image.",
        ),
        "reached": Hint(
            "A recall equal to a level reaches it.",
            "recall >= level, or np.searchsorted(recall, levels) with its side left as it is.",
        ),
        "scale": Hint("AP lies between 0 and 1, with all decimals.", "No factor 100, no rounding."),
        "per image": Hint(
            "You average the AP of single images. The detections of all images compete in one list: a false detection "
            "in one image costs precision everywhere.",
            "Concatenate scores and hits of all images before pr_curve.",
        ),
        "strict": Hint(
            "Look at an IoU equal to a threshold: it is a hit. (np.arange makes thresholds a little too large.)",
            "overlap >= threshold, for threshold in np.linspace(0.5, 0.95, 10).",
        ),
        "sort images": Hint(
            "Look at the order in an image: its detections are matched by falling score, scores and overlaps alike.",
            'order = np.argsort(-scores, kind="stable"); match overlaps[order], and keep scores[order] beside '
            "the hits.",
        ),
        "sort all": Hint(
            "The list of all images together is not sorted by score.",
            "Give pr_curve the real scores: it sorts.",
        ),
        "objects": Hint(
            "Look at the number of objects: all count, also those of images without detections and those nothing hit.",
            "num_positives = sum(overlap.shape[1] for overlap in overlaps).",
        ),
        "levels": Hint(
            "The mean is taken at other recall levels (or as an area). COCO uses 101 levels.",
            "np.linspace(0, 1, 101).",
        ),
        "envelope": Hint(
            "The dips of the curve are still in: the envelope is missing.",
            "precision[recall >= level].max(), 0 if there is none.",
        ),
        "taken": Hint(
            "An object is hit twice at the same threshold.",
            "match_detections marks objects as taken.",
        ),
        "carried over": Hint(
            "Objects taken at one threshold are still taken at the next. Each threshold starts anew.",
            "Make the list of free objects inside the loop over thresholds.",
        ),
        "nothing": Hint(
            "Look at no object at all (NaN) and at objects without a detection (0). Neither is an error.",
            "Return np.nan if num_positives == 0; mind .max() of an empty array.",
        ),
    },
    mistakes=(
        Mistake("AP50", lambda s, o: variants.general(s, o, thresholds=[0.5]), "one threshold"),
        Mistake("0.95 missing", lambda s, o: variants.general(s, o, thresholds=np.arange(0.5, 0.95, 0.05)), "endpoint"),
        Mistake(
            "thresholds of 0.1", lambda s, o: variants.general(s, o, thresholds=np.linspace(0.5, 0.9, 5)), "endpoint"
        ),
        Mistake(
            "thresholds up to 1", lambda s, o: variants.general(s, o, thresholds=np.linspace(0.5, 1, 11)), "endpoint"
        ),
        Mistake(
            "five thresholds", lambda s, o: variants.general(s, o, thresholds=np.linspace(0.5, 0.95, 5)), "endpoint"
        ),
        Mistake("AP75", lambda s, o: variants.general(s, o, thresholds=[0.75]), "one threshold"),
        Mistake("AP of each threshold", lambda s, o: variants.general(s, o, combine=np.array), "one threshold"),
        Mistake("arange", lambda s, o: variants.general(s, o, thresholds=np.arange(0.5, 1.0, 0.05)), "strict"),
        Mistake("percent", lambda s, o: 100 * coco_ap(s, o), "scale"),
        Mistake("three decimals", lambda s, o: np.round(coco_ap(s, o), 3), "scale"),
        Mistake("images without objects left out", variants.images_with_objects, "false"),
        Mistake("100 detections", variants.first_100, "limit"),
        Mistake("scores sorted alone", lambda s, o: variants.general([np.sort(x)[::-1] for x in s], o), "sort images"),
        Mistake(
            "as many objects as detections", lambda s, o: variants.general(s, o, count=variants.detections), "objects"
        ),
        Mistake("objects hit", lambda s, o: variants.general(s, o, count=variants.objects_hit), "objects"),
        Mistake("images mixed", variants.one_image, "mixed"),
        Mistake(
            "100 levels", lambda s, o: variants.general(s, o, ap=variants.at_levels(np.linspace(0, 1, 100))), "levels"
        ),
        Mistake(
            "levels below 1", lambda s, o: variants.general(s, o, ap=variants.at_levels(np.arange(100) / 100)), "levels"
        ),
        Mistake(
            "levels above 0",
            lambda s, o: variants.general(s, o, ap=variants.at_levels(np.arange(1, 101) / 100)),
            "levels",
        ),
        Mistake("recall above the level", lambda s, o: variants.general(s, o, ap=variants.above_levels), "reached"),
        Mistake("NaN if an image has no objects", variants.nan_somewhere, "false"),
        Mistake("NaN without detections", lambda s, o: coco_ap(s, o) if sum(map(len, s)) else np.nan, "nothing"),
        Mistake("best threshold", lambda s, o: variants.general(s, o, combine=np.max), "one threshold"),
        Mistake("mean of images", variants.per_image, "per image"),
        Mistake(
            "> for >=",
            lambda s, o: variants.general(s, o, hits=lambda overlap, t: variants.hits_of(overlap, np.nextafter(t, 1))),
            "strict",
        ),
        Mistake("images not sorted", lambda s, o: variants.general(s, o, sort_images=False), "sort images"),
        Mistake("list of all not sorted", lambda s, o: variants.general(s, o, sort_all=False), "sort all"),
        Mistake("images without detections left out", variants.images_with_detections, "objects"),
        Mistake(
            "only objects within reach",
            lambda s, o: variants.general(s, o, count=variants.objects_within_reach),
            "objects",
        ),
        Mistake(
            "11 levels",
            lambda s, o: variants.general(s, o, ap=lambda p, r: variants.ap_of_curve(p, r, np.linspace(0, 1, 11))),
            "levels",
        ),
        Mistake("area", lambda s, o: variants.general(s, o, ap=lambda p, r: average_precision(p, r, "area")), "levels"),
        Mistake(
            "no envelope",
            lambda s, o: variants.general(
                s, o, ap=lambda p, r: np.append(p, 0.0)[np.searchsorted(r, variants.LEVELS)].mean()
            ),
            "envelope",
        ),
        Mistake(
            "objects hit twice",
            lambda s, o: variants.general(s, o, hits=lambda overlap, t: variants.hits_of(overlap, t, reuse=True)),
            "taken",
        ),
        Mistake("taken across thresholds", variants.free_across_thresholds, "carried over"),
        Mistake("no object gives 0", lambda s, o: np.nan_to_num(variants.general(s, o)), "nothing"),
    ),
    alternatives=(_with_loops, _with_torch, _with_pooled_helpers),
    points=7,
    minutes=30,
    difficulty=3,
)
