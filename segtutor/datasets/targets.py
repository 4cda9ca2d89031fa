"""Targets that all data sets share: instances as torchvision's detectors take them, panoptic segments.

R objects, H W picture. Boxes are continuous: the right and lower edge lie one past the last pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors

from segtutor.labels import LabelSet


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 around the true pixels of H x W, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def instance_target(
    masks: Sequence[np.ndarray],
    labels: Sequence[int],
    size: tuple[int, ...],
    image_id: Any,
    boxes: Sequence[Sequence[float]] | None = None,
    crowd: Sequence[int] | None = None,
) -> dict[str, Any]:
    """A detection target: boxes (R x 4, XYXY), labels (R), masks (R x H x W bool), image_id, area, iscrowd.

    Args:
        masks: R masks of H x W.
        labels: R class numbers.
        size: Height and width, which R = 0 masks do not tell.
        image_id: Whatever names the picture.
        boxes: R boxes, x0 y0 x1 y1; drawn tight around the masks if None.
        crowd: R flags; 0 for all if None.
    """
    height, width = size
    count = len(masks)
    stacked = np.stack(list(masks)).astype(bool) if count else np.zeros((0, height, width), dtype=bool)
    corners = [tight_box(mask) for mask in stacked] if boxes is None else [tuple(box) for box in boxes]
    return {
        "boxes": tv_tensors.BoundingBoxes(
            torch.tensor(corners, dtype=torch.float32).reshape(count, 4), format="XYXY", canvas_size=(height, width)
        ),
        "labels": torch.tensor(list(labels), dtype=torch.int64),
        "masks": tv_tensors.Mask(torch.from_numpy(stacked)),
        "image_id": image_id,
        "area": torch.from_numpy(stacked.sum(axis=(1, 2)).astype(np.float32)),
        "iscrowd": torch.tensor([0] * count if crowd is None else list(crowd), dtype=torch.int64),
    }


def segment_ids(colors: np.ndarray) -> np.ndarray:
    """Ids in a panoptic PNG, H x W x 3 -> H x W int64: R + 256 G + 256 * 256 B; 0 is void."""
    red, green, blue = np.moveaxis(colors.astype(np.int64), -1, 0)
    return red + 256 * green + 65536 * blue


def segment_colors(ids: np.ndarray) -> np.ndarray:
    """The inverse, H x W -> H x W x 3 uint8.

    Raises:
        ValueError: If an id is negative or does not fit into 24 bits.
    """
    if ids.size and not (ids.min() >= 0 and ids.max() < 1 << 24):
        raise ValueError(f"panoptic ids must lie in 0...{(1 << 24) - 1}, but there are {ids.min()}...{ids.max()}")
    return np.stack([ids & 255, (ids >> 8) & 255, ids >> 16], axis=-1).astype(np.uint8)


def describe_segments(
    ids: np.ndarray, category_of: Mapping[int, int], label_set: LabelSet, crowds: frozenset[int] = frozenset()
) -> list[dict[str, Any]]:
    """``segments_info`` of a panoptic map: one dict per id in it, with its class number, area and box (x, y, w, h)."""
    info = []
    for number in np.unique(ids):
        if number == 0:
            continue
        mask = ids == number
        x0, y0, x1, y1 = tight_box(mask)
        category = category_of[int(number)]
        info.append({
            "id": int(number),
            "category_id": category,
            "isthing": int(category in label_set.things),
            "area": int(mask.sum()),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "iscrowd": int(int(number) in crowds),
        })  # fmt: skip
    return info


def check_segments(ids: np.ndarray, listed: Sequence[int], path: Path | str, where: str) -> None:
    """Raise ValueError if a panoptic PNG and its JSON do not name the same segments."""
    drawn = set(np.unique(ids).tolist()) - {0}
    if len(set(listed)) != len(listed):
        twice = sorted({number for number in listed if list(listed).count(number) > 1})
        raise ValueError(f"{where} lists segment id {twice[0]} of {path} more than once")
    for only, text in (
        (drawn - set(listed), f"is drawn in the file, but {where} does not list it"),
        (set(listed) - drawn, f"is listed in {where}, but not a pixel of the file has it"),
    ):
        if only:
            raise ValueError(f"{path}: segment id {min(only)} {text} ({len(only)} such id(s))")
