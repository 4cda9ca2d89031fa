"""COCO's average precision and recall of instances, by mask, box or boundary.

Equal to the official evaluator to the last bit, with two differences that are repairs: ids are names and never flags
(the official one takes an object with the id 0 for unmatched), and the average precisions use the largest of
``max_detections`` (the official one finds nothing unless it is 100). What the official one passes over in silence
(an unknown image, a mask of another size, NaN) is an error here.

T IoU thresholds, R = 101 recall thresholds, K categories, A area ranges, M detection limits, D detections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from segtutor.metrics.coco_io import Detections, GroundTruth, read_detections, read_ground_truth
from segtutor.metrics.coco_matching import Groups, match
from segtutor.metrics.coco_overlap import pair_iou

IouType = Literal["segm", "bbox", "boundary"]

# float64 steps as the official evaluator makes them: .9 is 0.8999999999999999 and 3/10 misses the recall level .3.
_IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALL_THRESHOLDS = np.linspace(0.0, 1.0, 101)
_EVERY_AREA = (0.0, 1e5**2)
_AREA_RANGES = {"s": (0.0, 32.0**2), "m": (32.0**2, 96.0**2), "l": (96.0**2, 1e5**2)}


@dataclass(frozen=True, eq=False)
class CocoCurves:
    """What lies behind the twelve numbers: curves, and which detection found which object.

    -1 in `precision`, `scores` and `recall` marks a category without an object that counts.

    Attributes:
        iou_thresholds: T.
        recall_thresholds: R, 0 to 1 in hundredths.
        category_ids: K ids, rising.
        area_ranges: A names and limits (both included) in pixels, "all" first.
        max_detections: M, rising.
        precision: T x R x K x A; the best precision at this recall or a higher one, 0 beyond the reached recall.
        scores: T x R x K x A; score at which the recall is reached.
        recall: T x K x A x M; recall of all detections.
        used: D; whether a detection is among the best max_detections of its image and category.
        matched: T x D, over all areas; index of the annotation that the detection found, -1 if none.
        ignored: T x D, over all areas; the detection is neither right nor wrong, as it found a crowd or is too large.
    """

    iou_thresholds: np.ndarray
    recall_thresholds: np.ndarray
    category_ids: list[Any]
    area_ranges: dict[str, tuple[float, float]]
    max_detections: tuple[int, ...]
    precision: np.ndarray
    scores: np.ndarray
    recall: np.ndarray
    used: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray

    def summary(self) -> dict[str, float]:
        """The scores as `evaluate_coco` returns them."""
        return self._summary(slice(None))

    def per_category(self) -> dict[Any, dict[str, float]]:
        """The scores of each category alone, by category id."""
        return {category: self._summary(slice(k, k + 1)) for k, category in enumerate(self.category_ids)}

    def _summary(self, categories: slice) -> dict[str, float]:
        precision, recall = self.precision[:, :, categories], self.recall[:, categories]
        result = {"AP": _mean(precision[..., 0])}
        for percent in (50, 75):
            at = np.flatnonzero(np.isclose(self.iou_thresholds, percent / 100, rtol=0, atol=1e-9))
            result[f"AP{percent}"] = _mean(precision[at, ..., 0])
        names = list(self.area_ranges)[1:]
        for place, name in enumerate(names, start=1):
            result[f"AP{name}"] = _mean(precision[..., place])
        for place, limit in enumerate(self.max_detections):
            result[f"AR{limit}"] = _mean(recall[:, :, 0, place])
        for place, name in enumerate(names, start=1):
            result[f"AR{name}"] = _mean(recall[:, :, place, -1])
        return result


def evaluate_coco(
    ground_truth: Any,
    detections: Any,
    iou_type: IouType = "segm",
    *,
    max_detections: Sequence[int] = (1, 10, 100),
    iou_thresholds: Sequence[float] | None = None,
    area_ranges: Mapping[str, tuple[float, float]] | None = None,
    dilation_ratio: float = 0.02,
) -> dict[str, float]:
    """Score detections as COCO does.

    Args:
        ground_truth: COCO instance annotations, as a dict or a path to the JSON file. Masks may be polygons or
            run-length encoded; ``iscrowd`` defaults to 0.
        detections: COCO results, a list of dicts or a path: image_id, category_id, score, and bbox or segmentation.
        iou_type: what is compared: masks; boxes; or the smaller of mask IoU and boundary IoU (Cheng et al. 2021).
        max_detections: how many of the best detections count in each image and category, one recall for each; the
            precisions use the largest.
        iou_thresholds: IoUs from which a detection is right; default .5, .55, ..., .95.
        area_ranges: names and limits of object areas in pixels, both limits included; default s, m, l: below 32²,
            up to 96², above.
        dilation_ratio: thickness of a boundary as a share of the image's diagonal.

    Returns:
        AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl. A score is -1 where it is not defined: no object lies in
        the area range, or .5 or .75 is not among the thresholds. As in the official evaluator the areas of detections
        in the ranges are those of their boxes if the first detection has one, and otherwise those of their masks.

    Raises:
        ValueError: if a field is missing or wrong, an id is unknown or used twice, a mask is not of its image's size,
            a box is negative, or a score NaN; the message names the record.
    """
    return coco_curves(
        ground_truth,
        detections,
        iou_type,
        max_detections=max_detections,
        iou_thresholds=iou_thresholds,
        area_ranges=area_ranges,
        dilation_ratio=dilation_ratio,
    ).summary()


def coco_curves(
    ground_truth: Any,
    detections: Any,
    iou_type: IouType = "segm",
    *,
    max_detections: Sequence[int] = (1, 10, 100),
    iou_thresholds: Sequence[float] | None = None,
    area_ranges: Mapping[str, tuple[float, float]] | None = None,
    dilation_ratio: float = 0.02,
) -> CocoCurves:
    """As `evaluate_coco`, with the precision-recall curves, the scores of each category and the matches."""
    if iou_type not in ("segm", "bbox", "boundary"):
        raise ValueError(f"iou_type must be 'segm', 'bbox' or 'boundary', got {iou_type!r}")
    limits = tuple(sorted(max_detections))
    if not limits or any(isinstance(limit, bool) or int(limit) != limit or limit < 1 for limit in limits):
        raise ValueError(f"max_detections must be positive whole numbers, got {max_detections!r}")
    thresholds = _IOU_THRESHOLDS if iou_thresholds is None else np.array(iou_thresholds, np.float64)
    if thresholds.ndim != 1 or not thresholds.size or not ((thresholds > 0) & (thresholds <= 1)).all():
        raise ValueError(f"iou_thresholds must be numbers above 0 and up to 1, got {iou_thresholds!r}")
    ranges = {"all": _EVERY_AREA, **(_AREA_RANGES if area_ranges is None else area_ranges)}
    if area_ranges is not None and any(len(pair) != 2 or not pair[0] <= pair[1] for pair in area_ranges.values()):
        raise ValueError(f"area_ranges must give each name a (least, most) pair, got {area_ranges!r}")

    truth = read_ground_truth(ground_truth, with_masks=iou_type != "bbox")
    found = read_detections(detections, truth, with_masks=iou_type != "bbox")
    area_limits = np.array(list(ranges.values()), np.float64)
    counted = ~truth.crowd & _within(truth.area, area_limits)  # A x G

    # The best detections of each image and category, best first; groups in the order category, image.
    num_images = max(len(truth.image_ids), 1)
    group = found.category * num_images + found.image
    kept = np.lexsort((-found.score, group))
    rank = _rank_within(group[kept])
    kept, rank = kept[rank < limits[-1]], rank[rank < limits[-1]]
    objects = np.argsort(truth.category * num_images + truth.image, kind="stable")

    groups = _pair_up(truth, found, kept, objects, num_images, iou_type, dilation_ratio)
    matched, ignored = match(groups, counted[:, objects], truth.crowd[objects], thresholds, len(kept))
    is_hit = (matched >= 0) & ~ignored
    ignored |= (matched < 0) & ~_within(found.area[kept], area_limits)[:, None]

    by_score = np.lexsort((-found.score[kept], found.category[kept]))
    precision, scores, recall = _accumulate(
        is_hit[..., by_score],
        ignored[..., by_score],
        found.score[kept][by_score],
        rank[by_score],
        np.searchsorted(found.category[kept], np.arange(len(truth.category_ids) + 1)),
        np.array([np.bincount(truth.category[row], minlength=len(truth.category_ids)) for row in counted]),
        limits,
    )
    used = np.zeros(len(found.score), bool)
    used[kept] = True
    matches = np.full((len(thresholds), len(used)), -1, np.int64)
    matches[:, kept] = np.where(matched[0] >= 0, np.append(objects, -1)[matched[0]], -1)
    not_counted = np.zeros(matches.shape, bool)
    not_counted[:, kept] = ignored[0]
    return CocoCurves(
        thresholds,
        _RECALL_THRESHOLDS,
        truth.category_ids,
        ranges,
        limits,
        precision,
        scores,
        recall,
        used,
        matches,
        not_counted,
    )


def _within(areas: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Whether each area lies in each range, A x len(areas)."""
    return (areas >= limits[:, :1]) & (areas <= limits[:, 1:])


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """Place of each element in its stretch of equal numbers."""
    if not groups.size:
        return groups
    first = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    return np.arange(len(groups)) - np.repeat(first, np.diff(np.append(first, len(groups))))


def _pair_up(
    truth: GroundTruth,
    found: Detections,
    kept: np.ndarray,
    objects: np.ndarray,
    num_images: int,
    iou_type: str,
    dilation_ratio: float,
) -> Groups:
    """Groups of the images and categories that have both, with the IoU of each detection and object in them."""
    group_of_detection = found.category[kept] * num_images + found.image[kept]
    group_of_object = truth.category[objects] * num_images + truth.image[objects]
    shared = np.intersect1d(group_of_detection, group_of_object)
    first_detection = np.searchsorted(group_of_detection, shared)
    num_detections = np.searchsorted(group_of_detection, shared, "right") - first_detection
    first_object = np.searchsorted(group_of_object, shared)
    num_objects = np.searchsorted(group_of_object, shared, "right") - first_object

    per_group = num_detections * num_objects
    first_pair = np.cumsum(per_group) - per_group
    inside = np.arange(per_group.sum()) - np.repeat(first_pair, per_group)
    of_detection, of_object = np.divmod(inside, np.repeat(num_objects, per_group))
    of_detection += np.repeat(first_detection, per_group)
    of_object += np.repeat(first_object, per_group)
    iou = pair_iou(truth, found, (kept[of_detection], objects[of_object]), iou_type, dilation_ratio)
    return Groups(first_detection, num_detections, first_object, num_objects, first_pair, iou)


def _accumulate(
    is_hit: np.ndarray,
    ignored: np.ndarray,
    score: np.ndarray,
    rank: np.ndarray,
    bounds: np.ndarray,
    positives: np.ndarray,
    limits: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, score and recall from hits A x T x N, sorted by category and falling score.

    The detections of category k are ``bounds[k]:bounds[k + 1]``; A x K ``positives`` are the objects that count.
    """
    num_ranges, num_thresholds, _ = is_hit.shape
    num_categories = len(bounds) - 1
    levels = len(_RECALL_THRESHOLDS)
    precision = np.full((num_thresholds, levels, num_categories, num_ranges), -1.0)
    scores = precision.copy()
    recall = np.full((num_thresholds, num_categories, num_ranges, len(limits)), -1.0)
    for k in range(num_categories):
        here = slice(bounds[k], bounds[k + 1])
        some = np.flatnonzero(positives[:, k])
        hits = is_hit[some, :, here]  # a x T x n
        wrong = ~(hits | ignored[some, :, here])
        number = hits.shape[-1]
        for place, limit in enumerate(limits):
            correct = (hits & (rank[here] < limit)).sum(axis=-1)
            recall[:, k, some, place] = (correct / positives[some, k, None]).T

        # True positives among the best detections, and the precision there; then the best from there on.
        true = hits.cumsum(axis=-1)
        curve = true / (wrong.cumsum(axis=-1) + true + np.spacing(1))
        curve = np.maximum.accumulate(curve[..., ::-1], axis=-1)[..., ::-1]
        # One search for all thresholds: a row's counts lie between multiples of number + 2, and so do its questions.
        row = np.arange(num_thresholds)[:, None]
        for place, area_range in enumerate(some):
            objects = positives[area_range, k]
            # The division first, then the comparison, as the official evaluator has it: not k / 100 <= n / objects.
            needed = np.searchsorted(np.arange(objects + 1) / objects, _RECALL_THRESHOLDS)
            needed = np.minimum(needed, number + 1) + row * (number + 2)
            at = np.searchsorted((true[place] + row * (number + 2)).ravel(), needed) - row * number  # T x R
            reached = at < number
            at = np.minimum(at, number - 1)
            if number:
                precision[:, :, k, area_range] = np.where(reached, curve[place][row, at], 0)
                scores[:, :, k, area_range] = np.where(reached, score[here][at], 0)
            else:
                precision[:, :, k, area_range] = scores[:, :, k, area_range] = 0
    return precision, scores, recall


def _mean(values: np.ndarray) -> float:
    """Mean of what is defined; -1 if nothing is. The sum runs in the official order, so the last bit agrees."""
    defined = values[values > -1]
    return float(np.mean(defined)) if defined.size else -1.0
