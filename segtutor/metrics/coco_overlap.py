"""IoU of pairs of a detection and an object, by mask, box or boundary, as the official evaluators define it.

P pairs. For a crowd the intersection is divided by the detection's own area.
"""

from __future__ import annotations

import numpy as np

from segtutor.metrics.boundary import boundary_distance, mask_boundary
from segtutor.metrics.coco_io import Detections, GroundTruth
from segtutor.metrics.rle import overlap_ratio
from segtutor.metrics.run_overlaps import intersections
from segtutor.metrics.runs import Runs


def pair_iou(
    truth: GroundTruth,
    detections: Detections,
    pairs: tuple[np.ndarray, np.ndarray],
    iou_type: str,
    dilation_ratio: float,
) -> np.ndarray:
    """IoU of detection ``pairs[0][p]`` with object ``pairs[1][p]``, P float64.

    Raises:
        ValueError: if the mask or box of an object is missing or wrong.
    """
    of_detection, of_object = pairs
    crowd = truth.crowd[of_object]
    if detections.runs is None:
        assert detections.boxes is not None
        return _box_iou(detections.boxes[of_detection], truth.boxes()[of_object], crowd)

    # Most detections and objects of an image lie apart, as their boxes tell; objects that none is near stay undrawn.
    found, shapes = detections.runs, truth.shapes()
    near = np.flatnonzero(_overlap(found.boxes()[of_detection], shapes.bounds()[of_object]))
    of_detection, of_object, crowd = of_detection[near], of_object[near], crowd[near]
    wanted = np.zeros(len(shapes.sizes), bool)
    wanted[of_object] = True
    objects = shapes.draw(wanted)
    iou = np.zeros(len(pairs[0]))
    iou[near] = _mask_iou(found, of_detection, objects, of_object, crowd)
    if iou_type == "boundary":
        # The boundary IoU of a pair without a shared pixel, or with a crowd, is never looked at.
        shared = np.flatnonzero((iou[near] > 0) & ~crowd)
        needed, first = np.unique(of_detection[shared], return_inverse=True)
        wanted, second = np.unique(of_object[shared], return_inverse=True)
        boundary_iou = _mask_iou(
            boundary_runs(found.select(needed), dilation_ratio),
            first,
            boundary_runs(objects.select(wanted), dilation_ratio),
            second,
            crowd[shared],
        )
        iou[near[shared]] = np.minimum(iou[near[shared]], boundary_iou)
    return iou


def _overlap(boxes: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Whether boxes P x 4 of x, y, width, height reach into bounds P x 4 of least x, y and greatest x, y."""
    corner = boxes[:, :2]
    return ((corner < bounds[:, 2:]) & (bounds[:, :2] < corner + boxes[:, 2:])).all(axis=1)


def boundary_runs(masks: Runs, dilation_ratio: float) -> Runs:
    """Boundaries of all masks; each is cut out of its columns only, for the rest of the canvas is empty."""
    left, _, width, _ = masks.boxes().astype(np.int64).T
    stride = int((masks.sizes[:, 0] * masks.sizes[:, 1]).max(initial=0)) + 1
    keys = [np.empty(0, np.int64)]
    for number in np.flatnonzero(width).tolist():
        height = int(masks.sizes[number, 0])
        columns = masks.mask(number, int(left[number]), int(left[number] + width[number]))
        distance = boundary_distance(height, int(masks.sizes[number, 1]), dilation_ratio)
        outline = Runs.from_masks([mask_boundary(columns, distance)])
        shift = number * stride + left[number] * height
        keys += [outline.starts + shift, outline.ends + shift]
    return Runs.from_toggles(np.concatenate(keys), masks.sizes, stride)


def _mask_iou(
    detections: Runs, of_detection: np.ndarray, objects: Runs, of_object: np.ndarray, crowd: np.ndarray
) -> np.ndarray:
    shared = intersections(detections, of_detection, of_object, objects)
    return overlap_ratio(shared, detections.areas()[of_detection], objects.areas()[of_object], crowd)


def _box_iou(detection: np.ndarray, target: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """IoU of boxes P x 4 of x, y, width, height; the operations in the order of the official evaluator."""
    near = np.maximum(detection[:, :2], target[:, :2])
    far = np.minimum(detection[:, 2:] + detection[:, :2], target[:, 2:] + target[:, :2])
    sides = far - near
    overlaps = (sides > 0).all(axis=1)
    shared = np.where(overlaps, sides[:, 0] * sides[:, 1], 0.0)
    return overlap_ratio(shared, detection[:, 2] * detection[:, 3], target[:, 2] * target[:, 3], crowd)
