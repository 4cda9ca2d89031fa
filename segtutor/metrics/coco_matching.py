"""Which detection finds which object: COCO's greedy rule, for all images, area ranges and thresholds at once.

In each group (one image, one category) the detections choose in turn, best score first: the free object of the highest
IoU at or above the threshold, the later one in a tie. An object that counts is preferred to one that does not (a crowd,
or an object outside the area range), whatever the IoU; a crowd stays free. One step below handles the detection of one
rank in every group; groups are padded to a common number of objects, but only with groups of about as many.

N detections, G objects of a group, n groups, A area ranges, T thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Rows x objects of the table of free objects at a time; a limit for memory.
_CELLS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups that hold both detections and objects, and the IoU of every pair in them.

    Attributes:
        detections: per group, place of its first detection; detections of a group lie together, best score first.
        num_detections: per group.
        objects: per group, place of its first object; objects of a group lie together, in the order of the file.
        num_objects: per group.
        pairs: per group, place of its first pair; detection-major.
        iou: of all pairs.
    """

    detections: np.ndarray
    num_detections: np.ndarray
    objects: np.ndarray
    num_objects: np.ndarray
    pairs: np.ndarray
    iou: np.ndarray


def match(
    groups: Groups, counted: np.ndarray, crowd: np.ndarray, thresholds: np.ndarray, num_detections: int
) -> tuple[np.ndarray, np.ndarray]:
    """Match detections to objects.

    Args:
        groups: the groups.
        counted: A x objects; whether an object counts in an area range.
        crowd: objects; whether several detections may match it.
        thresholds: T least IoUs.
        num_detections: N of all groups, matched or not.

    Returns:
        A x T x N place of the matched object, -1 if none; and whether that object does not count (so that the
        detection is neither right nor wrong).
    """
    num_ranges, num_thresholds = len(counted), len(thresholds)
    matched = np.full((num_ranges, num_thresholds, num_detections), -1, np.int32)
    ignored = np.zeros((num_ranges, num_thresholds, num_detections), bool)
    least = np.minimum(thresholds, 1 - 1e-10)
    bucket = np.ceil(np.log2(np.maximum(groups.num_objects, 1))).astype(np.int64)
    for power in np.unique(bucket):
        members = np.flatnonzero(bucket == power)
        # Groups of many detections first: those that still have one of rank r are then a prefix.
        members = members[np.argsort(-groups.num_detections[members], kind="stable")]
        at_once = max(1, _CELLS_AT_ONCE // (num_ranges * num_thresholds << int(power)))
        for begin in range(0, len(members), at_once):
            _match_groups(groups, members[begin : begin + at_once], counted, crowd, least, matched, ignored)
    return matched, ignored


def _match_groups(
    groups: Groups,
    members: np.ndarray,
    counted: np.ndarray,
    crowd: np.ndarray,
    least: np.ndarray,
    matched: np.ndarray,
    ignored: np.ndarray,
) -> None:
    """Match the groups ``members``, sorted by falling number of detections; writes ``matched`` and ``ignored``."""
    num_detections, num_objects = groups.num_detections[members], groups.num_objects[members]
    # Objects in reverse, so that the first maximum is the last of the file.
    reverse = num_objects[:, None] - 1 - np.arange(num_objects.max())  # n x G
    exists = reverse >= 0
    reverse = np.maximum(reverse, 0)
    objects = groups.objects[members][:, None] + reverse
    counts = counted[:, objects].transpose(1, 0, 2)[:, :, None]  # n x A x 1 x G
    is_crowd = crowd[objects]
    shape = (len(members), len(counted), len(least), objects.shape[1])
    free = np.broadcast_to(exists[:, None, None], shape).copy()  # n x A x T x G

    for rank in range(num_detections[0]):
        active = int(np.searchsorted(-num_detections, -rank, "left"))  # groups with more than `rank` detections
        row = (groups.pairs[members[:active]] + rank * num_objects[:active])[:, None] + reverse[:active]
        iou = np.where(exists[:active], groups.iou[row], -1.0)  # n x G
        here = np.flatnonzero(iou.max(axis=1) >= least.min())
        if not here.size:
            continue
        iou = iou[here]
        reached = iou[:, None] >= least[:, None]  # n x T x G
        candidates = free[here] & reached[:, None]
        counting = candidates & counts[here]
        others = candidates & ~counts[here]
        finds_counting, finds_other = counting.any(axis=-1), others.any(axis=-1)  # n x A x T
        best = np.where(
            finds_counting,
            np.where(counting, iou[:, None, None], -1.0).argmax(axis=-1),
            np.where(others, iou[:, None, None], -1.0).argmax(axis=-1),
        )
        found = finds_counting | finds_other

        group, area_range, threshold = np.nonzero(found)
        choice = best[group, area_range, threshold]
        group = here[group]
        detection = groups.detections[members[group]] + rank
        matched[area_range, threshold, detection] = objects[group, choice]
        taken = ~is_crowd[group, choice]
        free[group[taken], area_range[taken], threshold[taken], choice[taken]] = False
        group, area_range, threshold = np.nonzero(finds_other & ~finds_counting)
        ignored[area_range, threshold, groups.detections[members[here[group]]] + rank] = True
