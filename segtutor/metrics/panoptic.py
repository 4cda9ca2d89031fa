"""Panoptic quality (Kirillov et al., CVPR 2019, §4), by the rules of its authors' evaluator.

A predicted segment matches a segment of the truth if they have one class and overlap with IoU > 0.5; at most one can.
Over a data set each class collects hits (TP), misses (FN), inventions (FP) and the IoU of its hits:

    SQ = sum of IoU / TP        RQ = TP / (TP + FP / 2 + FN / 2)        PQ = SQ * RQ

Void (segment id 0) and crowds excuse, they never count themselves:

* Pixels of a prediction on void of the truth are taken off the union, before the IoU is compared.
* A crowd in the truth is neither hit nor miss.
* A prediction without a match is no FP if more than half of it lies on void and the crowd of its class (the last one
  listed, should there be several).
* Void in the *prediction* excuses nothing: an object that is left void is missed.

A class without TP, FP and FN is NaN and left out of the means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from segtutor.labels import LabelSet
from segtutor.metrics.arrays import integer_map, same_shape, shorten, squeeze_hint
from segtutor.metrics.coco_fields import Report, column, flags, identities, raising
from segtutor.metrics.panoptic_pixels import add_up, common_runs, places_in

VOID = 0


@dataclass(frozen=True)
class Quality:
    """Means of PQ, SQ and RQ over the ``classes`` that there was something to score of; NaN if there is none."""

    PQ: float
    SQ: float
    RQ: float
    classes: int


@dataclass(frozen=True)
class PanopticScores:
    """Scores of all classes, of things, of stuff, and of each class by its category id."""

    overall: Quality
    things: Quality
    stuff: Quality
    per_class: dict[int, Quality]


@dataclass(frozen=True)
class _Segments:
    """The listed segments of one side of an image, by rising id; the first is void."""

    ids: np.ndarray
    classes: np.ndarray  # row of the category, -1 for void
    is_crowd: np.ndarray
    crowd_of_class: np.ndarray  # position of the crowd that excuses a category, -1 if it has none


class PanopticQuality:
    """Collects hits, misses and inventions of each class; memory does not grow with the number of images.

    Args:
        categories: COCO categories, each a mapping with "id" and "isthing"; or a LabelSet, whose numbers are the ids.

    Attributes:
        true_positives: Hits per category, int64, in the order of the categories.
        false_positives: Inventions per category.
        false_negatives: Misses per category.
        iou_sums: Summed IoU of the hits per category.
    """

    def __init__(self, categories: Sequence[Mapping[str, Any]] | LabelSet) -> None:
        if isinstance(categories, LabelSet):
            categories = [{"id": i, "isthing": i in categories.things} for i in range(len(categories))]
        report = raising(lambda index: f"category {index}")
        self.category_ids = _whole_numbers(categories, "id", report)
        column(categories, "isthing", report)
        self.is_thing = flags(categories, "isthing", report)
        self._row_of = {category_id: row for row, category_id in enumerate(self.category_ids)}
        if len(self._row_of) != len(self.category_ids):
            raise ValueError(f"category ids must differ, but {_twice(self.category_ids)} stands more than once")
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        count = len(self.category_ids)
        self.true_positives = np.zeros(count, dtype=np.int64)
        self.false_positives = np.zeros(count, dtype=np.int64)
        self.false_negatives = np.zeros(count, dtype=np.int64)
        self.iou_sums = np.zeros(count, dtype=np.float64)

    def update(self, ground_truth: tuple[Any, Any], prediction: tuple[Any, Any]) -> None:
        """Counts one image.

        Args:
            ground_truth: Pair (segment ids, segments_info): an H x W map of integers, 0 = void, and for each segment a
                mapping with "id", "category_id" and, for crowds, "iscrowd". A listed segment without pixels is missed.
            prediction: The same; each listed segment must be in the map.

        Raises:
            ValueError: If sizes differ, the ids of map and list do not fit together, an id is listed twice, or a
                category is unknown. Nothing is counted then.
        """
        truth_map, truth_info = _image(ground_truth, "ground_truth")
        predicted_map, predicted_info = _image(prediction, "prediction")
        same_shape(truth_map, predicted_map, "ground_truth", "prediction")
        truth = self._read(truth_info, "ground_truth")
        predicted = self._read(predicted_info, "prediction")
        truth_ids, predicted_ids, pixels = common_runs(truth_map.ravel(), predicted_map.ravel())
        rows = places_in(truth_ids, truth.ids, pixels, "ground_truth")
        columns = places_in(predicted_ids, predicted.ids, pixels, "prediction")
        size = len(truth.ids), len(predicted.ids)
        rows, columns, shared = add_up(rows, columns, pixels, size)
        truth_areas = np.bincount(rows, weights=shared, minlength=size[0])
        predicted_areas = np.bincount(columns, weights=shared, minlength=size[1])
        without_pixels = predicted.ids[1:][predicted_areas[1:] == 0]
        if without_pixels.size:
            raise ValueError(f"prediction lists segment {without_pixels[0]}, but no pixel of its map has this id; "
                             "leave it out of segments_info")  # fmt: skip
        self._count(truth, predicted, truth_areas, predicted_areas, rows, columns, shared)

    def merge(self, other: PanopticQuality) -> None:
        """Adds the counts of another part of the data set, for example those of another process.

        Raises:
            ValueError: If the other one has other categories.
        """
        if self.category_ids != other.category_ids or (self.is_thing != other.is_thing).any():
            raise ValueError(f"only equal categories can be merged, but they are {self.category_ids} here and "
                             f"{other.category_ids} there, or differ in isthing")  # fmt: skip
        self.true_positives += other.true_positives
        self.false_positives += other.false_positives
        self.false_negatives += other.false_negatives
        self.iou_sums += other.iou_sums

    def scores(self) -> PanopticScores:
        """Scores of all images counted so far."""
        hits = self.true_positives
        weights = hits + self.false_positives / 2 + self.false_negatives / 2
        present = weights > 0
        with np.errstate(invalid="ignore"):
            recognition, panoptic = hits / weights, self.iou_sums / weights
            segmentation = np.where(present, self.iou_sums / np.maximum(hits, 1), np.nan)
        table = np.stack([panoptic, segmentation, recognition], axis=1)
        everything = np.ones_like(self.is_thing)
        overall, things, stuff = (
            _mean_quality(table[present & chosen]) for chosen in (everything, self.is_thing, ~self.is_thing)
        )
        per_class = {
            category: _mean_quality(table[row : row + 1][present[row : row + 1]])
            for row, category in enumerate(self.category_ids)
        }
        return PanopticScores(overall, things, stuff, per_class)

    def _read(self, info: Sequence[Mapping[str, Any]], side: str) -> _Segments:
        report = raising(lambda index: f"{side}: segment {index} of segments_info")
        ids = _whole_numbers(info, "id", report)
        if len(set(ids)) != len(ids):
            raise ValueError(f"{side} must list each segment once, but lists {_twice(ids)} more than once")
        if ids and min(ids) <= VOID:
            raise ValueError(f"{side}: segment ids must be positive, since {VOID} is void, but one is {min(ids)}")
        if ids and max(ids) >= 1 << 63:
            raise ValueError(f"{side}: segment ids must fit into 64 bits, but one is {shorten(max(ids))}")
        categories = identities(info, "category_id", report)
        for identity, category in zip(ids, categories, strict=True):
            if category not in self._row_of:
                raise ValueError(f"{side}: segment {identity} has the unknown category {category!r}; "
                                 f"the categories are {self.category_ids}")  # fmt: skip
        rows = [self._row_of[category] for category in categories]
        crowds = flags(info, "iscrowd", report).tolist()
        order = np.argsort(np.array([VOID, *ids], dtype=np.int64))
        sorted_ids = np.array([VOID, *ids], dtype=np.int64)[order]
        crowd_of_class = np.full(len(self.category_ids), -1)
        for identity, row, is_crowd in zip(ids, rows, crowds, strict=True):
            if is_crowd:
                crowd_of_class[row] = np.searchsorted(sorted_ids, identity)
        classes, is_crowds = np.array([-1, *rows])[order], np.array([False, *crowds])[order]
        return _Segments(sorted_ids, classes, is_crowds, crowd_of_class)

    def _count(
        self,
        truth: _Segments,
        predicted: _Segments,
        truth_areas: np.ndarray,
        predicted_areas: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        shared: np.ndarray,
    ) -> None:
        """Matches the segments of one image; truth ``rows[i]`` and prediction ``columns[i]`` share some pixels."""
        on_void = np.zeros(len(predicted.ids))
        on_void[columns[rows == 0]] = shared[rows == 0]
        union = truth_areas[rows] + predicted_areas[columns] - shared - on_void[columns]
        one_class = (truth.classes[rows] == predicted.classes[columns]) & (rows > 0) & (columns > 0)
        iou = np.divide(shared, union, out=np.zeros(len(shared)), where=one_class)
        hit = one_class & ~truth.is_crowd[rows] & (iou > 0.5)

        missed = ~truth.is_crowd
        missed[0] = False
        missed[rows[hit]] = False
        excused = on_void.copy()
        on_crowd = (predicted.classes[columns] >= 0) & (truth.crowd_of_class[predicted.classes[columns]] == rows)
        excused[columns[on_crowd]] += shared[on_crowd]
        invented = excused <= 0.5 * predicted_areas
        invented[0] = False
        invented[columns[hit]] = False

        count = len(self.category_ids)
        hit_classes = truth.classes[rows[hit]]
        self.true_positives += np.bincount(hit_classes, minlength=count)
        self.iou_sums += np.bincount(hit_classes, weights=iou[hit], minlength=count)
        self.false_negatives += np.bincount(truth.classes[missed], minlength=count)
        self.false_positives += np.bincount(predicted.classes[invented], minlength=count)


def panoptic_quality(
    ground_truth: Any, prediction: Any, categories: Sequence[Mapping[str, Any]] | LabelSet
) -> PanopticScores:
    """PQ, SQ and RQ of one image, or of a data set.

    Args:
        ground_truth: A tuple (segment ids H x W, segments_info) for one image; an iterable of such tuples, that is not
            itself a tuple, for a data set (a generator will do). See ``PanopticQuality.update``.
        prediction: The same for the prediction.
        categories: COCO categories, each a mapping with "id" and "isthing"; or a LabelSet.

    Returns:
        overall, things, stuff and per_class, each with PQ, SQ and RQ.

    Raises:
        ValueError: If there are not as many predictions as images, or for what ``PanopticQuality.update`` refuses.

    >>> categories = [{"id": 1, "isthing": True}]
    >>> truth = [[1, 1, 1, 0]], [{"id": 1, "category_id": 1}]
    >>> prediction = [[7, 7, 0, 7]], [{"id": 7, "category_id": 1}]
    >>> round(panoptic_quality(truth, prediction, categories).overall.PQ, 4)
    0.6667
    """
    quality = PanopticQuality(categories)
    if isinstance(ground_truth, tuple) != isinstance(prediction, tuple):
        raise ValueError("ground_truth and prediction must both be one image (a tuple) or both a list of images")
    one_image = isinstance(ground_truth, tuple)
    truths, predictions = ([ground_truth], [prediction]) if one_image else (ground_truth, prediction)
    for truth, predicted in _pairs(truths, predictions):
        quality.update(truth, predicted)
    return quality.scores()


def _pairs(truths: Iterable[Any], predictions: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    absent = object()
    for number, (truth, prediction) in enumerate(zip_longest(truths, predictions, fillvalue=absent)):
        if truth is absent or prediction is absent:
            raise ValueError(f"there must be one prediction per image, but after {number} of both there are only "
                             f"{'predictions' if truth is absent else 'images'} left")  # fmt: skip
        yield truth, prediction


def _image(image: Any, side: str) -> tuple[np.ndarray, Sequence[Mapping[str, Any]]]:
    if not isinstance(image, tuple) or len(image) != 2:
        raise ValueError(f"{side} must be a tuple (segment ids H x W, segments_info), but is a {type(image).__name__}")
    ids, info = integer_map(image[0], side), image[1]
    if ids.ndim != 2:
        raise ValueError(f"{side} must hold segment ids H x W, but has shape {ids.shape}; of a COCO PNG the id is "
                         f"R + 256 G + 256² B{squeeze_hint(ids.shape)}")  # fmt: skip
    if ids.dtype == np.uint64 and ids.max(initial=0) >= 1 << 63:
        raise ValueError(f"{side}: segment ids must fit into 63 bits, but its map holds {ids.max()}")
    if isinstance(info, Mapping | str) or not isinstance(info, Sequence):
        raise ValueError(f"{side}: segments_info must be a list of dicts, but is {shorten(info)}")
    return ids, info


def _whole_numbers(records: Sequence[Mapping[str, Any]], key: str, report: Report) -> list[int]:
    values = identities(records, key, report)
    for index, value in enumerate(values):
        if type(value) is not int:
            report(index, f"has the {key} {value!r}, but it must be a whole number")
    return values


def _mean_quality(rows: np.ndarray) -> Quality:
    panoptic, segmentation, recognition = rows.mean(axis=0).tolist() if len(rows) else [float("nan")] * 3
    return Quality(panoptic, segmentation, recognition, classes=len(rows))


def _twice(values: Sequence[int]) -> int:
    return next(value for value in values if values.count(value) > 1)
